// The first half of a sweep: entries of the index that nobody needs leave it, and neighbouring page runs are
// merged so that it shrinks.
//
// Only a sweep ever changes entries that exist; a sync only adds keys, each of which carries a position that
// no other has. So what was read of a group when its edits were made is still so when they are written, and
// they need no comparison.
#pragma once

#include "storage/disk/index.h"
#include "storage/gc/walk.h"

#include <unordered_map>

namespace arbor {

// Turns judged groups into edits, and counts what the index refers to afterwards.
class EditMaker final : public GroupVisitor {
  public:
    // A merged run has at most that many versions: a look-up decodes the runs that it meets.
    static constexpr std::size_t maxRunVersions = 2048;

    // Edits since the last call. Those of one group come together.
    IndexBatch take();
    const IndexBatch& batch() const { return m_batch; }
    std::uint64_t removedEntries() const { return m_removed; }
    // Bytes of images in each segment that are still referred to; complete when the walk is.
    const std::unordered_map<SegmentId, std::uint64_t>& indexedBytes() const { return m_indexed; }
    const std::vector<std::string>& doubts() const { return m_doubts; }

    void pages(const PageGroup& group) override;
    void inode(const InodeGroup& group) override;
    void directory(const DirectoryGroup& group) override;
    void positionMap(const PositionMapGroup& group) override;
    void doubt(std::string what) override;

  private:
    void rewritePages(const PageGroup& group, std::size_t firstRun, std::size_t endRun);
    void rewriteSizes(const InodeGroup& group, std::size_t firstRun, std::size_t endRun);
    void erase(const std::string& key);

    IndexBatch m_batch;
    std::uint64_t m_removed = 0;
    std::unordered_map<SegmentId, std::uint64_t> m_indexed;
    std::vector<std::string> m_doubts;
};

} // namespace arbor
