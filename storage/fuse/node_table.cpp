#include "storage/fuse/node_table.h"

#include <xxhash.h>

#include <array>
#include <cassert>

namespace arbor {

namespace {

std::uint64_t hashOf(std::uint64_t storeId, TimelineId timeline) {
    const std::array<std::uint64_t, 2> identity{storeId, timeline.value};
    const std::uint64_t hash = XXH3_64bits(identity.data(), sizeof identity);
    return hash > 1 ? hash : ~std::uint64_t{0}; // 0 is no inode number, 1 is the mount's root
}

} // namespace

MountedTimeline::MountedTimeline(std::uint64_t storeId, std::shared_ptr<BranchView> itsView)
    : id(itsView->timeline()), view(std::move(itsView)), root(view->root()), inodeBase(hashOf(storeId, id)) {}

std::uint64_t NodeTable::rootInodeNumber(TimelineId timeline) const {
    return hashOf(m_storeId, timeline);
}

std::optional<NodeTable::Target> NodeTable::find(std::uint64_t node) {
    ReadLock lock(m_mutex);
    const auto found = m_nodes.find(node);
    if (found == m_nodes.end())
        return std::nullopt;
    return found->second.target;
}

std::uint64_t NodeTable::remember(const std::shared_ptr<MountedTimeline>& timeline, InodeId inode) {
    WriteLock lock(m_mutex);
    const auto [place, isNew] = m_nodeOf.try_emplace(Key{timeline.get(), inode}, m_nextNode);
    if (isNew)
        m_nodes.emplace(m_nextNode++, Node{{timeline, inode}, 0});
    ++m_nodes.at(place->second).lookups;
    return place->second;
}

void NodeTable::forget(std::uint64_t node, std::uint64_t lookups) {
    std::shared_ptr<MountedTimeline> last; // a view may be destroyed with its last node: not under the lock
    WriteLock lock(m_mutex);
    const auto found = m_nodes.find(node);
    if (found == m_nodes.end())
        return; // the mount's root, or cleared
    assert(found->second.lookups >= lookups);
    found->second.lookups -= lookups;
    if (found->second.lookups > 0)
        return;
    last = std::move(found->second.target.timeline);
    m_nodeOf.erase(Key{last.get(), found->second.target.inode});
    m_nodes.erase(found);
}

std::shared_ptr<MountedTimeline> NodeTable::mounted(const std::shared_ptr<BranchView>& view) {
    const TimelineId id = view->timeline();
    std::shared_ptr<MountedTimeline> present; // perhaps the last to hold it: let go after the lock
    WriteLock lock(m_mutex);
    auto& place = m_timelines[id];
    present = place.lock();
    if (present && present->view == view && !present->retired)
        return present;
    if (present)
        present->retired = true;
    auto fresh = std::make_shared<MountedTimeline>(m_storeId, view);
    place = fresh;
    return fresh;
}

bool NodeTable::retire(TimelineId timeline) {
    std::shared_ptr<MountedTimeline> present;
    WriteLock lock(m_mutex);
    const auto found = m_timelines.find(timeline);
    if (found == m_timelines.end())
        return false;
    present = found->second.lock();
    m_timelines.erase(found);
    if (present)
        present->retired = true;
    return present != nullptr;
}

std::optional<std::uint64_t> NodeTable::nodeOf(TimelineId timeline, InodeId inode) {
    std::shared_ptr<MountedTimeline> present;
    ReadLock lock(m_mutex);
    const auto place = m_timelines.find(timeline);
    if (place == m_timelines.end())
        return std::nullopt;
    present = place->second.lock();
    const auto found = m_nodeOf.find(Key{present.get(), inode});
    if (found == m_nodeOf.end())
        return std::nullopt;
    return found->second;
}

std::size_t NodeTable::size() {
    ReadLock lock(m_mutex);
    return m_nodes.size();
}

void NodeTable::clear() {
    std::unordered_map<std::uint64_t, Node> nodes; // views are destroyed after the lock is gone
    WriteLock lock(m_mutex);
    nodes.swap(m_nodes);
    m_nodeOf.clear();
    m_timelines.clear();
}

} // namespace arbor
