#include "storage/engine/timeline_view.h"

#include "storage/format/keys.h"

#include <algorithm>
#include <tuple>

namespace arbor {

TimelineView::TimelineView(Store& store, Lineage lineage, InodeId root, HostPlaces places,
                           LogFollower* follower, ForkPoint last)
    : m_store(store), m_lineage(std::move(lineage)), m_root(root), m_places(std::move(places)),
      m_follower(follower), m_tree(store.index(), m_lineage, store.pageMapStats()), m_last(last) {
    if (m_follower)
        m_store.join(this);
}

TimelineView::~TimelineView() {
    if (m_follower)
        m_store.leave(this);
}

Status TimelineView::followLog(LogFollower::Effort effort) {
    ARBOR_ASSIGN(const Lsn end, m_follower->advance(effort));
    const MutexLock lock(m_mutex);
    m_last.lsn = std::max(m_last.lsn, end);
    return {};
}

Result<ForkPoint> TimelineView::present() {
    // Whatever is accepted from here on gets at least this LSN and a greater position.
    ARBOR_ASSIGN(const Lsn end, m_follower->advance());
    const MutexLock lock(m_mutex);
    m_last.lsn = std::max(m_last.lsn, end);
    // positions are the store's: what others have drawn meanwhile says nothing of this timeline, and a point
    // that names it lies within every horizon that was set before
    m_last.position = m_store.lastPosition();
    return m_last;
}

Position TimelineView::draw(Lsn lsn) {
    m_last.position = m_store.nextPosition();
    m_acceptedEpoch = m_store.epoch();
    m_last.lsn = std::max(m_last.lsn, lsn);
    if (m_last.lsn != m_mappedLsn) {
        m_pending.lsns.push_back({m_last.position, m_last.lsn});
        m_mappedLsn = m_last.lsn;
    }
    return m_last.position;
}

void TimelineView::setSize(Node& node, std::uint64_t size, Position position) {
    node.size = size;
    m_pending.sizes[node.inode].push_back({position, size});
}

namespace {

// Page versions of one sync become runs: one for each chunk of each file.
void putPageRuns(TimelineId timeline, InodeId inode, std::vector<PageVersion>& versions, IndexBatch& batch) {
    std::stable_sort(versions.begin(), versions.end(), [](const PageVersion& a, const PageVersion& b) {
        return chunkOf(a.block) < chunkOf(b.block);
    });
    for (auto begin = versions.begin(); begin != versions.end();) {
        const std::uint32_t chunk = chunkOf(begin->block);
        const auto end = std::find_if(begin, versions.end(),
                                      [&](const PageVersion& v) { return chunkOf(v.block) != chunk; });
        const std::vector<PageVersion> run(begin, end);
        batch.put(versionKey(pageRunPrefix(inode, chunk), timeline, run.front().position),
                  encodePageRun(run));
        begin = end;
    }
}

} // namespace

Status TimelineView::collect(IndexBatch& batch) {
    Pending taken;
    {
        const MutexLock lock(m_mutex);
        std::swap(taken, m_pending);
        m_inFlight = !taken.empty();
    }
    m_follower->collect(batch);
    if (taken.empty())
        return {};
    ARBOR_TRY(m_store.packer().packAll());
    for (auto& [inode, pages] : taken.pages) {
        m_store.packer().settle(pages.versions);
        pages.node->map->repoint(pages.versions);
        std::uint64_t bytes = 0;
        for (const PageVersion& version : pages.versions)
            bytes += version.location.bytes();
        m_bytesAccepted += bytes;
        putPageRuns(timeline(), inode, pages.versions, batch);
    }
    for (const auto& [inode, sizes] : taken.sizes)
        batch.put(versionKey(inodePrefix(tag::sizeRun, inode), timeline(), sizes.front().position),
                  encodeSizeRun(sizes));
    batch.append(taken.entries);
    if (!taken.lsns.empty())
        batch.put(positionMapKey(timeline(), taken.lsns.front().position),
                  encodePositionMap({m_store.clock().now(), taken.lsns}));
    return {};
}

bool TimelineView::hasUnsynced() {
    const MutexLock lock(m_mutex);
    return m_inFlight || !m_pending.empty();
}

void TimelineView::durable() {
    m_follower->durable();
    const MutexLock lock(m_mutex);
    m_inFlight = false;
}

bool TimelineView::isDurable() {
    const MutexLock lock(m_mutex);
    return m_acceptedEpoch <= m_store.syncedEpoch();
}

// A server that recovers asks for an fsync of each of its files, nearly all of them untouched.
Status TimelineView::sync() {
    return isDurable() ? m_store.health() : m_store.sync();
}

void TimelineView::syncThen(std::function<void(Status)> done) {
    if (isDurable())
        done(m_store.health());
    else
        m_store.syncThen(std::move(done));
}

Status TimelineView::makeDurable() {
    return m_follower->syncKept();
}

TimelineView::Nameless TimelineView::nameless() {
    Nameless found;
    const ReadLock lock(m_namesMutex);
    for (const NodePtr& node : m_tree.all()) {
        if (!node->ended || !node->map)
            continue;
        found.positions.insert({node->map->outlivedAt().value - 1});
        node->map->addUnindexed(found.segments);
    }
    return found;
}

void TimelineView::repoint(InodeId inode, std::span<const PageVersion> moves) {
    NodePtr node;
    {
        const ReadLock lock(m_namesMutex);
        node = m_tree.known(inode);
    }
    if (!node || !node->map)
        return;
    node->map->repoint(moves);
}

void TimelineView::trim() {
    const std::uint64_t synced = m_store.syncedEpoch();
    std::vector<NodePtr> nodes;
    {
        const ReadLock lock(m_namesMutex);
        nodes = m_tree.all();
    }
    for (const NodePtr& node : nodes)
        if (node->map)
            node->map->evict(synced);
}

Result<SpaceInfo> TimelineView::space() {
    SpaceInfo info;
    ARBOR_ASSIGN(info.totalBytes, m_store.disk().totalBytes(m_store.directory()));
    ARBOR_ASSIGN(info.freeBytes, m_store.disk().freeBytes(m_store.directory()));
    return info;
}

} // namespace arbor
