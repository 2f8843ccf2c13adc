#include "storage/engine/engine.h"

#include "storage/format/keys.h"

#include <algorithm>
#include <cassert>

namespace arbor {

struct Engine::Head {
    std::unique_ptr<LogFollower> follower; // outlives the view
    std::unique_ptr<TimelineView> view;
};

namespace {

constexpr char catalogTag = 'C';

Lineage lineageOf(const std::vector<LineageStep>& steps) {
    std::vector<Lineage::Member> members;
    for (const LineageStep& step : steps)
        members.push_back({step.timeline, step.upTo.position});
    return Lineage(std::move(members));
}

// The lineage as a reader of `upTo` on its first timeline sees it.
std::vector<LineageStep> cutAt(std::vector<LineageStep> steps, ForkPoint upTo) {
    for (LineageStep& step : steps) {
        step.upTo.position = std::min(step.upTo.position, upTo.position);
        step.upTo.lsn = std::min(step.upTo.lsn, upTo.lsn);
    }
    return steps;
}

Status loadTag(const Index& index, char tagByte,
               const std::function<Status(std::string_view key, std::string_view value)>& load) {
    const auto iterator = index.iterate();
    for (iterator->seek(std::string(1, tagByte)); iterator->valid() && iterator->key().front() == tagByte;
         iterator->next())
        ARBOR_TRY(load(iterator->key(), iterator->value()));
    return iterator->status();
}

} // namespace

Status Engine::create(Disk& disk, const std::string& directory, const Options& options) {
    return Store::create(disk, directory, options.store);
}

Result<std::unique_ptr<Engine>> Engine::open(Disk& disk, const std::string& directory, const Clock& clock,
                                             const Options& options) {
    std::unique_ptr<Engine> engine(new Engine(options));
    ARBOR_ASSIGN(engine->m_store, Store::open(disk, directory, clock, options.store));
    engine->m_store->join(engine.get());
    if (auto loaded = engine->load(); !loaded)
        return std::move(loaded).error().during(fmt::format("opening the store at {}", directory));
    return engine;
}

Engine::~Engine() {
    if (!m_store)
        return;
    if (m_store->health())
        (void)m_store->sync(); // what fails here was never acknowledged
    {
        const MutexLock lock(m_headsMutex);
        m_heads.clear();
    }
    m_store->leave(this);
}

Status Engine::load() {
    const MutexLock lock(m_catalogMutex);
    const Index& index = m_store->index();
    ARBOR_TRY(loadTag(index, catalogTag,
                      [&](std::string_view key, std::string_view value)
                          ARBOR_REQUIRES(m_catalogMutex) { return m_catalog.loadRecord(key, value); }));
    ARBOR_TRY(m_catalog.finishLoad());
    ARBOR_TRY(loadTag(index, OperationLog::keyTag,
                      [&](std::string_view key, std::string_view value)
                          ARBOR_REQUIRES(m_catalogMutex) { return m_operations.loadRecord(key, value); }));
    return loadTag(index, tag::history,
                   [&](std::string_view key, std::string_view value)
                       ARBOR_REQUIRES(m_catalogMutex) -> Status {
                           key.remove_prefix(1);
                           const auto timeline = takeAscending(key);
                           if (!timeline || !key.empty())
                               return makeError(ErrorKind::Corruption, "a history record has a damaged key");
                           ARBOR_ASSIGN(m_histories[{*timeline}], decodeHistory(value));
                           return {};
                       });
}

Status Engine::collect(IndexBatch& batch) {
    const MutexLock lock(m_catalogMutex);
    batch.append(m_pending);
    m_pending.clear();
    return {};
}

// --- The catalog

Result<CatalogChange> Engine::commit(CatalogChange change) {
    // In memory it is done; nobody hears of it before it is durable. A sync that fails ends the store.
    ARBOR_TRY(m_store->sync());
    if (m_listener && !change.empty())
        m_listener(change);
    return change;
}

Result<CatalogChange> Engine::operate(const Caller& caller, const CatalogOperation& operation) {
    ARBOR_TRY(m_store->health());
    CatalogChange change;
    {
        const MutexLock lock(m_catalogMutex);
        const Timestamp now = clock().now();
        ARBOR_ASSIGN(change, operation(m_catalog, now));
        change.addTo(m_pending);
        m_operations.record(change, caller.client, caller.command, now).addTo(m_pending);
    }
    return commit(std::move(change));
}

Result<CatalogChange> Engine::keepBook(const CatalogOperation& operation) {
    ARBOR_TRY(m_store->health());
    CatalogChange change;
    {
        const MutexLock lock(m_catalogMutex);
        ARBOR_ASSIGN(change, operation(m_catalog, clock().now()));
        change.addTo(m_pending);
    }
    return commit(std::move(change));
}

Result<CatalogChange> Engine::undo(const Caller& caller, OperationId id) {
    return keepBook([&](Catalog& catalog, Timestamp now) ARBOR_REQUIRES(m_catalogMutex) {
        return m_operations.undo(catalog, id, caller.client, now,
                                 [&](const TimelinePoint& point)
                                     ARBOR_REQUIRES(m_catalogMutex) { return availableLocked(point); });
    });
}

Result<CatalogChange> Engine::redo(const Caller& caller) {
    return keepBook([&](Catalog& catalog, Timestamp now) ARBOR_REQUIRES(m_catalogMutex) {
        return m_operations.redo(catalog, caller.client, now,
                                 [&](const TimelinePoint& point)
                                     ARBOR_REQUIRES(m_catalogMutex) { return availableLocked(point); });
    });
}

Result<std::vector<BranchMove>> Engine::planUndo(OperationId id) const {
    const MutexLock lock(m_catalogMutex);
    ARBOR_ASSIGN(const CatalogChange change,
                 m_operations.planUndo(m_catalog, id, clock().now(),
                                       [&](const TimelinePoint& point) ARBOR_REQUIRES(m_catalogMutex) {
                                           return availableLocked(point);
                                       }));
    return branchMoves(change);
}

Result<std::vector<BranchMove>> Engine::planRedo() const {
    const MutexLock lock(m_catalogMutex);
    ARBOR_ASSIGN(const CatalogChange change,
                 m_operations.planRedo(m_catalog, clock().now(),
                                       [&](const TimelinePoint& point) ARBOR_REQUIRES(m_catalogMutex) {
                                           return availableLocked(point);
                                       }));
    return branchMoves(change);
}

// --- Views

Result<LogPlace> Engine::logPlace(TimelineId timeline) const {
    LogPlace place;
    place.timeline = timeline;
    TimelineId known = timeline;
    const auto transient = m_transient.find(timeline);
    if (transient != m_transient.end()) {
        place.fork = transient->second.fork;
        place.lineage.push_back({timeline, arbor::headPoint});
        known = transient->second.parent;
        if (!known) { // a root that is being filled: without a major it has no log of its own yet
            place.pgMajor = transient->second.pgMajor;
            place.walSegmentSize = transient->second.walSegmentSize;
            return place;
        }
        for (const LineageStep& step : cutAt(m_catalog.lineage(known), place.fork))
            place.lineage.push_back(step);
    } else {
        place.lineage = m_catalog.lineage(timeline);
    }
    ARBOR_ASSIGN(const TimelineRecord record, m_catalog.timeline(known));
    if (known == timeline)
        place.fork = record.fork;
    place.pgMajor = record.pgMajor;
    place.walSegmentSize = record.walSegmentSize;
    return place;
}

Result<InodeId> Engine::rootInodeOf(TimelineId timeline) const {
    if (const auto transient = m_transient.find(timeline); transient != m_transient.end())
        return transient->second.rootInode;
    ARBOR_ASSIGN(const TimelineRecord record, m_catalog.timeline(timeline));
    return record.rootInode;
}

Result<std::shared_ptr<TimelineView>> Engine::head(TimelineId timeline) {
    LogPlace place;
    InodeId rootInode;
    {
        const MutexLock lock(m_catalogMutex);
        ARBOR_ASSIGN(place, logPlace(timeline));
        ARBOR_ASSIGN(rootInode, rootInodeOf(timeline));
    }
    return openHead(place, rootInode);
}

// One object a timeline: whoever comes second waits until the first has opened it.
Result<std::shared_ptr<TimelineView>> Engine::openHead(const LogPlace& place, InodeId rootInode) {
    {
        const MutexLock lock(m_headsMutex);
        for (;;) {
            if (const auto there = m_heads.find(place.timeline); there != m_heads.end())
                return std::shared_ptr<TimelineView>(there->second, there->second->view.get());
            if (!m_opening.contains(place.timeline))
                break;
            m_headsChanged.wait(m_headsMutex);
        }
        m_opening[place.timeline] = true;
    }
    auto made = [&]() -> Result<std::shared_ptr<Head>> {
        ARBOR_ASSIGN(auto follower, m_options.followers(*this, place));
        ARBOR_ASSIGN(const Lsn lsn, follower->advance());
        auto head = std::make_shared<Head>();
        head->follower = std::move(follower);
        head->view = std::make_unique<TimelineView>(
            *m_store, lineageOf(place.lineage), rootInode, m_options.places(*this, place.timeline),
            head->follower.get(), ForkPoint{m_store->lastPosition(), std::max(lsn, place.fork.lsn)});
        return head;
    }();
    const MutexLock lock(m_headsMutex);
    m_opening.erase(place.timeline);
    m_headsChanged.notifyAll();
    if (!made)
        return std::move(made).error().during(fmt::format("opening timeline {}", place.timeline));
    m_heads[place.timeline] = *made;
    return std::shared_ptr<TimelineView>(*made, (*made)->view.get());
}

Status Engine::closeIdleHeads() {
    ARBOR_TRY(m_store->sync());
    std::vector<std::shared_ptr<Head>> idle; // destroyed without a lock
    {
        // only under m_headsMutex does a head gain its first holder
        const MutexLock lock(m_headsMutex);
        for (auto head = m_heads.begin(); head != m_heads.end();) {
            if (head->second.use_count() > 1 || head->second->view->hasUnsynced()) {
                ++head;
                continue;
            }
            idle.push_back(std::move(head->second));
            head = m_heads.erase(head);
        }
    }
    const MutexLock lock(m_catalogMutex);
    for (const auto& head : idle)
        m_transient.erase(head->view->timeline());
    return {};
}

std::vector<std::shared_ptr<TimelineView>> Engine::openHeads() const {
    std::vector<std::shared_ptr<Head>> heads;
    {
        const MutexLock lock(m_headsMutex);
        for (const auto& [timeline, head] : m_heads)
            heads.push_back(head);
    }
    std::vector<std::shared_ptr<TimelineView>> views;
    views.reserve(heads.size());
    for (const auto& head : heads)
        views.emplace_back(head, head->view.get());
    return views;
}

Result<std::shared_ptr<TimelineView>> Engine::look(const TimelinePoint& point) {
    ARBOR_TRY(m_store->sync()); // a view of the past reads the index only
    std::vector<LineageStep> lineage;
    InodeId rootInode;
    {
        const MutexLock lock(m_catalogMutex);
        ARBOR_TRY(availableLocked(point));
        ARBOR_ASSIGN(const LogPlace place, logPlace(point.timeline));
        ARBOR_ASSIGN(rootInode, rootInodeOf(point.timeline));
        lineage = cutAt(place.lineage, point.at);
        m_readers.emplace(point.timeline, point.at);
    }
    auto* made = new TimelineView(*m_store, lineageOf(lineage), rootInode,
                                  m_options.places(*this, point.timeline), nullptr, point.at);
    const std::shared_ptr<TimelineView> view(made, [this, point](TimelineView* gone) {
        delete gone;
        const MutexLock lock(m_catalogMutex);
        m_looks.erase(gone);
        const auto [begin, end] = m_readers.equal_range(point.timeline);
        const auto mine =
            std::find_if(begin, end, [&](const auto& reader) { return reader.second == point.at; });
        if (mine != end)
            m_readers.erase(mine);
    });
    const MutexLock lock(m_catalogMutex);
    m_looks[made] = view; // before it reads anything: a sweep tells it what moves
    return view;
}

bool Engine::isLookedAt(TimelineId timeline) const {
    const MutexLock lock(m_catalogMutex);
    return m_readers.contains(timeline);
}

// --- Roots and peeks

Result<std::shared_ptr<TimelineView>> Engine::beginRoot(std::uint32_t mode, Owner owner) {
    // in one moment: a collector takes an id that was given out and is not known for that of a dead timeline
    ARBOR_ASSIGN(const CatalogChange reserved,
                 keepBook([&](Catalog& catalog, Timestamp) ARBOR_REQUIRES(m_catalogMutex) {
                     CatalogChange change = catalog.reserveTimeline();
                     m_transient[change.timeline].rootInode = m_store->nextInode();
                     return Result<CatalogChange>(std::move(change));
                 }));
    ARBOR_ASSIGN(auto view, head(reserved.timeline));
    ARBOR_TRY(view->createRoot(mode, owner));
    return view;
}

Result<BranchRecord> Engine::finishRoot(const std::optional<Caller>& caller, const TimelineView& view,
                                        RootSpec spec, Lsn lsn) {
    ARBOR_TRY(m_store->sync()); // the files first, then the name
    spec.timeline = view.timeline();
    spec.rootInode = view.root();
    const ForkPoint begin{m_store->lastPosition(), lsn};
    const CatalogOperation create = [&](Catalog& catalog, Timestamp now)
                                        ARBOR_REQUIRES(m_catalogMutex) -> Result<CatalogChange> {
        ARBOR_ASSIGN(CatalogChange made, catalog.createRoot(spec, now));
        m_histories[spec.timeline].kept = {{begin, maxPosition}};
        m_pending.put(historyKey(spec.timeline), encodeHistory(m_histories[spec.timeline]));
        m_transient.erase(spec.timeline);
        return made;
    };
    ARBOR_ASSIGN(const CatalogChange change, caller ? operate(*caller, create) : keepBook(create));
    return catalog([&](const Catalog& catalog) { return catalog.branch(change.branch); });
}

Result<std::shared_ptr<TimelineView>> Engine::followRoot(std::shared_ptr<TimelineView> view,
                                                         std::uint32_t pgMajor,
                                                         std::uint32_t walSegmentSize) {
    ARBOR_TRY(m_store->sync()); // the follower reads pg_control by way of the index
    const TimelineId timeline = view->timeline();
    const InodeId rootInode = view->root();
    LogPlace place;
    {
        const MutexLock lock(m_catalogMutex);
        Transient& root = m_transient[timeline];
        root.pgMajor = pgMajor;
        root.walSegmentSize = walSegmentSize;
        ARBOR_ASSIGN(place, logPlace(timeline));
    }
    std::shared_ptr<Head> filled; // closed without a lock
    {
        // while it is held nobody takes it for idle, which would forget the timeline
        const MutexLock lock(m_headsMutex);
        filled = std::move(m_heads[timeline]);
        m_heads.erase(timeline);
    }
    view.reset();
    filled.reset();
    return openHead(place, rootInode);
}

Result<std::shared_ptr<TimelineView>> Engine::fork(const TimelinePoint& point) {
    ARBOR_ASSIGN(const TimelinePoint from, settle(point));
    ARBOR_ASSIGN(const auto pin, look(from));
    ARBOR_ASSIGN(const CatalogChange reserved, keepBook([&](Catalog& catalog, Timestamp) ARBOR_REQUIRES(
                                                            m_catalogMutex) -> Result<CatalogChange> {
                     ARBOR_ASSIGN(const InodeId rootInode, rootInodeOf(from.timeline));
                     CatalogChange change = catalog.reserveTimeline();
                     m_transient[change.timeline] = {from.timeline, from.at, rootInode, 0, 0};
                     return change;
                 }));
    return head(reserved.timeline);
}

// --- Branches

Result<ForkSpec> Engine::forkSpec(const TimelinePoint& from) const {
    ARBOR_TRY(availableLocked(from)); // a sweep may have moved the history's start since
    ARBOR_ASSIGN(const InodeId rootInode, rootInodeOf(from.timeline));
    return ForkSpec{from, rootInode, false};
}

Result<BranchRecord> Engine::createBranch(const Caller& caller, const BranchSpec& spec) {
    ARBOR_ASSIGN(const TimelinePoint from, settle(spec.from));
    ARBOR_ASSIGN(const CatalogChange change,
                 operate(caller,
                         [&](Catalog& catalog, Timestamp now)
                             ARBOR_REQUIRES(m_catalogMutex) -> Result<CatalogChange> {
                                 ARBOR_ASSIGN(const ForkSpec fork, forkSpec(from));
                                 return catalog.createBranch(spec.name, spec.parent, fork, spec.options, now);
                             }));
    return catalog([&](const Catalog& catalog) { return catalog.branch(change.branch); });
}

Result<BranchRecord> Engine::restoreBranch(const Caller& caller, BranchId branch, const TimelinePoint& to) {
    ARBOR_ASSIGN(const TimelinePoint from, settle(to));
    ARBOR_TRY(operate(
        caller, [&](Catalog& catalog, Timestamp now) ARBOR_REQUIRES(m_catalogMutex) -> Result<CatalogChange> {
            ARBOR_ASSIGN(const ForkSpec fork, forkSpec(from));
            return catalog.restoreBranch(branch, fork, now);
        }));
    return catalog([&](const Catalog& catalog) { return catalog.branch(branch); });
}

Result<BranchRecord> Engine::resetBranch(const Caller& caller, BranchId branch) {
    ARBOR_ASSIGN(const BranchRecord record, catalog([&](const Catalog& c) { return c.branch(branch); }));
    if (record.isRoot())
        return makeError(ErrorKind::Refused, "{} is a root: it has no parent to be reset to", record.name);
    const auto parent = catalog([&](const Catalog& c) { return c.branch(record.parent); });
    if (!parent)
        return makeError(ErrorKind::Refused, "the parent of {} was deleted: there is no head to reset to",
                         record.name);
    ARBOR_ASSIGN(const TimelinePoint head, headPoint(*parent));
    ARBOR_ASSIGN(const TimelinePoint from, settle(head));
    ARBOR_TRY(operate(
        caller, [&](Catalog& catalog, Timestamp now) ARBOR_REQUIRES(m_catalogMutex) -> Result<CatalogChange> {
            ARBOR_ASSIGN(const ForkSpec fork, forkSpec(from));
            return catalog.resetBranch(branch, fork, now);
        }));
    return catalog([&](const Catalog& catalog) { return catalog.branch(branch); });
}

Result<CheckpointRecord> Engine::createCheckpoint(const Caller& caller, BranchId branch,
                                                  std::string_view name, const TimelinePoint& at) {
    ARBOR_ASSIGN(const TimelinePoint from, settle(at));
    ARBOR_TRY(operate(
        caller, [&](Catalog& catalog, Timestamp now) ARBOR_REQUIRES(m_catalogMutex) -> Result<CatalogChange> {
            ARBOR_TRY(availableLocked(from));
            return catalog.createCheckpoint(branch, name, from, now);
        }));
    return catalog([&](const Catalog& catalog) { return catalog.checkpoint(branch, name); });
}

} // namespace arbor
