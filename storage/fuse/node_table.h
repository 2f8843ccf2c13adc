// What the kernel knows of the mount: node ids, and what they stand for.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/mutex.h"
#include "storage/engine/branch_view.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>

namespace arbor {

// A timeline as it stands in the mount. Nodes and open files share it.
struct MountedTimeline {
    MountedTimeline(std::uint64_t storeId, std::shared_ptr<BranchView> itsView);

    const TimelineId id;
    const std::shared_ptr<BranchView> view;
    const InodeId root;
    // Inode numbers differ between all files of a timeline, and the root's is unique over time with the
    // probability of a 64-bit hash of store and timeline.
    const std::uint64_t inodeBase;
    std::atomic<bool> retired{false};

    std::uint64_t inodeNumber(InodeId inode) const {
        return inode == root ? inodeBase
                             : inodeBase ^ inode.value; // an InodeId is never 0, so never the root's
    }
};

// Thread-safe. Invariants:
//  1. A node id is given out for one file only, ever: ids come from a counter. (The address of an object
//  would be
//     cheaper to resolve, but addresses are used again, and a late request of the kernel would reach another
//     file.)
//  2. A node is in the table exactly while the kernel holds lookups of it.
//  3. A file of a timeline has at most one node at a time.
class NodeTable {
  public:
    static constexpr std::uint64_t mountRoot = 1; // FUSE_ROOT_ID

    explicit NodeTable(std::uint64_t storeId) : m_storeId(storeId) {}

    struct Target {
        std::shared_ptr<MountedTimeline> timeline;
        InodeId inode;
    };

    // Nothing for an id that is not (or no longer) known.
    std::optional<Target> find(std::uint64_t node) ARBOR_EXCLUDES(m_mutex);
    // One more lookup of this file; its node id.
    std::uint64_t remember(const std::shared_ptr<MountedTimeline>& timeline, InodeId inode)
        ARBOR_EXCLUDES(m_mutex);
    void forget(std::uint64_t node, std::uint64_t lookups) ARBOR_EXCLUDES(m_mutex);

    // The mounted form of a view: the same object for the same view. Another view of the same timeline
    // retires the former one.
    std::shared_ptr<MountedTimeline> mounted(const std::shared_ptr<BranchView>& view) ARBOR_EXCLUDES(m_mutex);
    // The timeline's files are stale from now on. False when it was not mounted.
    bool retire(TimelineId timeline) ARBOR_EXCLUDES(m_mutex);
    // The inode number of a timeline's root directory, whether it is mounted or not.
    std::uint64_t rootInodeNumber(TimelineId timeline) const;
    // The node of a file that the kernel knows, for notifications.
    std::optional<std::uint64_t> nodeOf(TimelineId timeline, InodeId inode) ARBOR_EXCLUDES(m_mutex);

    std::size_t size() ARBOR_EXCLUDES(m_mutex);
    // For when the kernel has gone: nothing will be forgotten one by one any more.
    void clear() ARBOR_EXCLUDES(m_mutex);

  private:
    struct Node {
        Target target;
        std::uint64_t lookups = 0;
    };
    struct Key {
        const MountedTimeline* timeline;
        InodeId inode;
        bool operator==(const Key&) const = default;
    };
    struct KeyHash {
        std::size_t operator()(const Key& key) const noexcept {
            return std::hash<InodeId>()(key.inode) ^ std::hash<const void*>()(key.timeline);
        }
    };

    const std::uint64_t m_storeId;
    SharedMutex m_mutex;
    std::uint64_t m_nextNode ARBOR_GUARDED_BY(m_mutex) = mountRoot + 1;
    std::unordered_map<std::uint64_t, Node> m_nodes ARBOR_GUARDED_BY(m_mutex);
    std::unordered_map<Key, std::uint64_t, KeyHash> m_nodeOf ARBOR_GUARDED_BY(m_mutex);
    // weak: a timeline is kept by its nodes and open files
    std::unordered_map<TimelineId, std::weak_ptr<MountedTimeline>> m_timelines ARBOR_GUARDED_BY(m_mutex);
};

} // namespace arbor
