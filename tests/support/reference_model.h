// What a store must read as, kept the simplest way that can be right: whole trees of files as maps, copied
// when they change. Snapshots of a tree, of a timeline or of everything are copies of pointers.
#pragma once

#include "storage/engine/engine.h"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace arbor::test {

// The bytes of a file, in blocks that copies share until one of them is written to.
class ModelContent {
  public:
    std::uint64_t size() const { return m_size; }
    void write(std::uint64_t offset, std::string_view bytes);
    void resize(std::uint64_t size);
    void zero(std::uint64_t offset, std::uint64_t end);
    std::string read(std::uint64_t offset, std::size_t bytes) const;
    bool equals(std::string_view bytes) const;

  private:
    std::string& writable(std::size_t block);

    std::uint64_t m_size = 0;
    std::vector<std::shared_ptr<std::string>> m_blocks; // null: zeros
};

struct ModelEntry {
    FileType type = FileType::Regular;
    std::uint32_t mode = 0;
    ModelContent content;
    std::string target;
};
using ModelTree = std::map<std::string, ModelEntry>; // by path below the root, "base/5/16384"
using ModelTreePtr = std::shared_ptr<const ModelTree>;

// A point of history and what is read there.
struct ModelPoint {
    TimelinePoint at;
    ModelTreePtr tree;
};

struct ModelTimeline {
    TimelineId parent;
    ForkPoint fork;
    ModelTreePtr atFork;
    ModelTreePtr head;
    std::vector<ModelPoint> points;   // looked at again later
    std::map<Lsn, ModelTreePtr> ends; // what the last position of an LSN reads
};

struct ModelBranch {
    BranchId id;
    TimelineId timeline;
    bool operator==(const ModelBranch&) const = default;
};

// What undo and redo move.
struct ModelCatalog {
    std::map<std::string, ModelBranch> branches;
    std::map<CheckpointId, ModelPoint> checkpoints;
};

struct ModelWorld {
    std::map<TimelineId, ModelTimeline> timelines;
    ModelCatalog catalog;
    std::vector<ModelCatalog> undo;
    std::vector<ModelCatalog> redo;

    // From a timeline to its root.
    std::vector<TimelineId> lineage(TimelineId timeline) const;
    // A point that is not beyond a timeline's fork point is one of its parent's.
    TimelinePoint normalise(TimelinePoint point) const;
    // Whether a reader of `head` sees a normalised point: it lies before the fork of every timeline on the
    // way.
    bool isOnLine(TimelineId head, const TimelinePoint& point) const;
};

// Compares every name, type, mode, size and byte of a view with a tree; Corruption says what differs.
Status compareTree(BranchView& view, const ModelTree& tree);
// Compares branches and checkpoints (the content of branches is compareTree()'s business).
Status compareCatalog(const Catalog& catalog, const ModelCatalog& model);

// A path's inode, by lookups from the root.
Result<Attributes> findPath(BranchView& view, std::string_view path);

} // namespace arbor::test
