// A small store for the tests of the collector: index and segments with the sync of storage/engine, a random
// history of timelines written through it, and the reference: plain look-ups at every position that a pin
// keeps readable.
#pragma once

#include "storage/disk/disk.h"
#include "storage/disk/index.h"
#include "storage/format/keys.h"
#include "storage/format/lineage.h"
#include "storage/format/records.h"
#include "storage/gc/gc_input.h"
#include "storage/names/name_tree.h"
#include "storage/pages/page_map.h"
#include "storage/pages/segment_store.h"

#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace arbor::gctest {

// Fails the test program loudly; set-up has no business failing.
template <class T>
T must(Result<T> result) {
    if (!result)
        throw std::runtime_error(result.error().message());
    return std::move(*result);
}
inline void must(Status status) {
    if (!status)
        throw std::runtime_error(status.error().message());
}

class TestStore {
  public:
    static constexpr std::uint64_t segmentBytes = 32 << 10;

    TestStore(Disk& disk, std::string directory);
    // Makes it when there is none.
    Status open();
    void close();

    Index& index() { return *m_index; }
    SegmentStore& segments() { return *m_segments; }
    Disk& disk() { return m_disk; }
    Status commit(IndexBatch& batch); // segments, then the batch with a marker
    std::uint64_t segmentFileBytes(); // as the disk says
    Position position;

    std::uint64_t marginBytes = 0;

  private:
    Disk& m_disk;
    const std::string m_directory;
    std::unique_ptr<Index> m_index;
    std::unique_ptr<SegmentStore> m_segments;
    std::uint64_t m_batch = 0;
};

// What happened, in memory, beside the store that it was written to.
class History {
  public:
    struct Timeline {
        TimelineId id;
        TimelineId parent;
        Position fork;
    };
    struct Version {
        TimelineId timeline;
        InodeId inode;
        BlockNumber block = 0;
        Position position;
        std::uint32_t bytes = 0; // of its image
    };
    struct Cut {
        TimelineId timeline;
        InodeId inode;
        Position position;
        BlockNumber firstGone = 0;
    };
    static constexpr InodeId root{1};

    History(TestStore& store, std::uint64_t seed);

    void grow(int operations);
    void change();
    void sync();
    TimelineId addTimeline(TimelineId parent, Position fork);
    TimelineId randomTimeline();
    void write(TimelineId timeline, const std::string& name, BlockNumber block);
    void truncate(TimelineId timeline, const std::string& name, std::uint64_t size);
    void create(TimelineId timeline, const std::string& name);
    void unlink(TimelineId timeline, const std::string& name);

    const std::vector<Timeline>& timelines() const { return m_timelines; }
    const std::vector<Version>& versions() const { return m_versions; }
    Lineage lineage(TimelineId timeline, Position at) const;
    // The version that a reader sees, by number, or nothing.
    std::optional<std::size_t> visible(TimelineId timeline, Position at, InodeId inode,
                                       BlockNumber block) const;
    std::set<std::pair<InodeId, BlockNumber>> blocks() const;
    // Everything that the store shows at a position, names to bytes, in one string.
    std::string picture(TimelineId timeline, Position at) const { return picture(m_store, timeline, at); }
    std::string picture(TestStore& store, TimelineId timeline, Position at) const;
    // Of every position that the pins keep readable, as another copy of the store shows it.
    std::map<std::pair<TimelineId, Position>, std::string> picturesThrough(TestStore& store,
                                                                           const GcInput& input) const;
    // Goes on with writes at the heads of timelines that there are, and forks at positions after `begun`.
    void growAfter(Position begun, int operations);
    // Every head shows the page versions that were written last.
    bool headsAreAsWritten() const;
    GcInput randomInput();
    // Every position that a pin keeps readable.
    std::vector<std::pair<TimelineId, Position>> positionsOf(const GcPin& pin) const;

    std::mt19937_64 random;
    std::uint64_t upTo(std::uint64_t n) { return random() % n; } // [0, n)

  private:
    struct Pending {
        std::map<InodeId, std::vector<PageVersion>> pages;
        std::map<InodeId, std::vector<SizeVersion>> sizes;
        IndexBatch entries;
        std::vector<PositionLsn> lsns;
    };
    struct File {
        InodeId inode;
        std::uint64_t size = 0;
    };
    using Files = std::map<std::string, File>;
    const Timeline& timeline(TimelineId id) const { return m_timelines[id.value - 1]; }
    Position draw(TimelineId timeline);
    void setSize(TimelineId timeline, InodeId inode, std::uint64_t size, Position position);
    void putAttributes(TimelineId timeline, InodeId inode, std::uint32_t links, Position position);

    TestStore& m_store;
    std::vector<Timeline> m_timelines;
    std::map<TimelineId, Files> m_files;                    // at the heads
    std::map<TimelineId, std::map<Position, Files>> m_past; // after each change
    std::map<TimelineId, Pending> m_pending;
    std::vector<Version> m_versions;
    std::vector<Cut> m_cuts;
    std::uint64_t m_nextInode = 2;
    Position m_forksFrom; // none is made before
};

} // namespace arbor::gctest
