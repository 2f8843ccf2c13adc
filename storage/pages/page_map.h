// Page maps: which version of each block a view sees, in memory, so that a read costs the same at any depth
// of forks. A map is filled a chunk (1024 blocks) at a time from the index and then kept up to date by the
// writes of its timeline.
//
// Invariants
//  1. A chunk that is filled says for every block which version the view sees, synced or not.
//  2. A chunk that is not filled holds exactly the versions written since it was made; filling adds what the
//  index
//     has and never replaces a newer one.
//  3. A chunk with a version that no completed sync covers is not evicted: the index does not know it yet.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/mutex.h"
#include "storage/disk/index.h"
#include "storage/format/keys.h"
#include "storage/format/lineage.h"
#include "storage/format/runs.h"

#include <array>
#include <atomic>
#include <memory>
#include <set>
#include <span>
#include <vector>

namespace arbor {

// The version of a block: position 0 means that there is none, and the block reads as zeros.
struct PageRef {
    Position position;
    ImageLocation location;
    // Something was written, and not zeros.
    bool hasImage() const { return position && !location.isZeroPage(); }
};

// A truncation: versions at or before `position` of blocks from `firstGone` on are not seen from it on.
struct Cut {
    Position position;
    BlockNumber firstGone = 0;
};

// What a lineage sees of one chunk: an array of blocksPerChunk. Reads the index, newest versions first, until
// every block below `blocks` (the file's size) has one: a small file must not cost its whole history.
using ChunkRefs = std::array<PageRef, blocksPerChunk>;
Status readChunk(const Index& index, const Lineage& lineage, InodeId inode, std::uint32_t chunk,
                 const std::vector<Cut>& cuts, ChunkRefs& into, BlockNumber blocks = UINT32_MAX);
// The cuts that a lineage sees of a file, oldest first.
Result<std::vector<Cut>> readCuts(const Index& index, const Lineage& lineage, InodeId inode);
// The position of the newest cut that hides `block`, or none.
Position cutFloor(const std::vector<Cut>& cuts, BlockNumber block);

// Counts the chunks of all maps of a store, for the budget of memory.
struct PageMapStats {
    std::atomic<std::int64_t> chunks{0};
    static constexpr std::size_t chunkBytes = sizeof(ChunkRefs);
};

// The map of one file in one view. Thread-safe.
class PageMap {
  public:
    // `size` is the file's, in bytes; no block behind it has a version that can be seen. Outlives the map.
    PageMap(const Index& index, const Lineage& lineage, InodeId inode, PageMapStats& stats,
            const std::atomic<std::uint64_t>& size);
    ~PageMap();

    Result<PageRef> find(BlockNumber block);
    // find() for `count` blocks from `first` on.
    Status findMany(BlockNumber first, std::size_t count, PageRef* into);
    // A new version, which the sync with number `epoch` will cover.
    void set(BlockNumber block, PageRef ref, std::uint64_t epoch);
    // Blocks from firstGone on are gone.
    void cut(Cut cut);
    // The file has lost its last name at `position`: whoever has it open reads on as if it had not, though
    // the index is going to say that everything is gone.
    void outlive(Position position);
    // Of a file that outlived its name: where the name went, and the segments with images that were written
    // since, which only this map knows.
    Position outlivedAt() const;
    void addUnindexed(std::set<SegmentId>& segments) const;
    // Where the images of versions lie now, for those that the map still has.
    void repoint(std::span<const PageVersion> versions);
    // Gives back chunks that were not used since the last call and that syncs up to `syncedEpoch` cover.
    void evict(std::uint64_t syncedEpoch);

  private:
    struct Chunk {
        ChunkRefs refs;
        bool filled = false;
        std::uint64_t epoch = 0; // the sync that covers its newest version
        std::atomic<bool> used{true};
    };
    Chunk& chunkFor(std::uint32_t number) ARBOR_REQUIRES(m_mutex);
    Status fill(std::uint32_t number) ARBOR_REQUIRES(m_mutex);

    const Index& m_index;
    const Lineage& m_lineage;
    const InodeId m_inode;
    PageMapStats& m_stats;
    const std::atomic<std::uint64_t>& m_size;
    mutable SharedMutex m_mutex;
    std::vector<std::unique_ptr<Chunk>> m_chunks ARBOR_GUARDED_BY(m_mutex);
    bool m_cutsRead ARBOR_GUARDED_BY(m_mutex) = false;
    Position m_ended ARBOR_GUARDED_BY(m_mutex) = maxPosition; // cuts of the index from here on do not count
    std::vector<Cut> m_cuts ARBOR_GUARDED_BY(m_mutex);        // oldest first; complete when m_cutsRead
};

} // namespace arbor
