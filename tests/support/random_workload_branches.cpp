// The half of RandomWorkload that is about history: forks, the catalog, looking back.
#include "tests/support/collecting.h"
#include "tests/support/random_workload.h"

#include <algorithm>

namespace arbor::test {

Status RandomWorkload::catalogChange(const std::function<Status()>& operation,
                                     const std::function<void(ModelWorld&)>& done) {
    return durably(operation, [&](ModelWorld& world) {
        world.undo.push_back(world.catalog);
        world.redo.clear();
        done(world);
    });
}

void RandomWorkload::addTimeline(ModelWorld& world, TimelineId id, const ModelPoint& from) {
    const TimelinePoint at = world.normalise(from.at);
    world.timelines[id] = {at.timeline, at.at, from.tree, from.tree, {}, {}};
}

Status RandomWorkload::catalogOperation() {
    const std::uint64_t dice = below(100);
    if (dice >= 86)
        return upkeep(); // which may close the engine: nobody holds a view then
    ARBOR_ASSIGN(const Target target, anyTarget());
    const auto run = [&](std::string what, Status (RandomWorkload::*operation)(const Target&)) {
        m_last = what + " of " + target.name;
        return (this->*operation)(target);
    };
    if (dice < 12)
        return run("fork", &RandomWorkload::fork);
    if (dice < 17)
        return run("restore", &RandomWorkload::restore);
    if (dice < 20)
        return run("reset", &RandomWorkload::reset);
    if (dice < 26)
        return run("delete", &RandomWorkload::remove);
    if (dice < 29)
        return run("rename", &RandomWorkload::rename);
    if (dice < 34)
        return restoreFromTrash();
    if (dice < 42)
        return undoOrRedo();
    if (dice < 48)
        return run("checkpoint", &RandomWorkload::checkpoint);
    if (dice < 51)
        return removeCheckpoint();
    if (dice < 56)
        return run("peek", &RandomWorkload::peek);
    if (dice < 66)
        return run("look back", &RandomWorkload::lookBack);
    return rememberHead(target);
}

Status RandomWorkload::rememberHead(const Target& target) {
    m_last = "remember " + target.name;
    ModelTimeline& timeline = m_world.timelines.at(target.branch.timeline);
    ARBOR_ASSIGN(const ForkPoint now, target.view->present());
    if (timeline.points.size() >= m_shape.pointsKept)
        timeline.points.erase(timeline.points.begin() +
                              static_cast<std::ptrdiff_t>(below(timeline.points.size())));
    timeline.points.push_back({{target.branch.timeline, now}, timeline.head});
    return {};
}

// The tree at an LSN that somebody remembered. A fork's own LSNs begin behind that of its fork point.
ModelTreePtr RandomWorkload::treeAtLsn(TimelineId head, Lsn lsn) const {
    ModelTreePtr atFork;
    Lsn limit{UINT64_MAX};
    for (TimelineId at = head;; at = m_world.timelines.at(at).parent) {
        const ModelTimeline& timeline = m_world.timelines.at(at);
        if (timeline.parent && lsn <= timeline.fork.lsn) {
            atFork = timeline.atFork;
            limit = timeline.fork.lsn;
            continue;
        }
        if (lsn >= limit)
            return atFork;
        const auto end = timeline.ends.find(lsn);
        return end == timeline.ends.end() ? nullptr : end->second;
    }
}

// The head, a remembered point of the lineage, a checkpoint, or one found by its LSN.
Result<ModelPoint> RandomWorkload::anyPoint(const Target& target) {
    ARBOR_ASSIGN(const std::optional<ModelPoint> past, anyPast(target));
    if (past && m_engine->available(past->at)) // a collection has taken the others
        return *past;
    ARBOR_ASSIGN(const ForkPoint now, target.view->present());
    return ModelPoint{{target.branch.timeline, now}, m_world.timelines.at(target.branch.timeline).head};
}

Result<std::optional<ModelPoint>> RandomWorkload::anyPast(const Target& target) {
    const auto lineage = m_world.lineage(target.branch.timeline);
    const ModelTimeline& timeline = m_world.timelines.at(lineage[below(lineage.size())]);
    const std::uint64_t dice = below(10);
    if (dice < 3 && !timeline.points.empty())
        return timeline.points[below(timeline.points.size())];
    if (dice < 6 && !timeline.ends.empty()) {
        auto end = timeline.ends.begin();
        std::advance(end, below(timeline.ends.size()));
        ARBOR_ASSIGN(const BranchRecord branch,
                     m_engine->catalog([&](const Catalog& c) { return c.branch(target.branch.id); }));
        ARBOR_ASSIGN(const ForkPoint head, target.view->present());
        const ModelTreePtr tree =
            end->first < head.lsn ? treeAtLsn(target.branch.timeline, end->first) : nullptr;
        if (tree) {
            ModelPoint point{{}, tree};
            ARBOR_TRY(durably( // the map of positions is read behind a sync
                [&]() -> Status {
                    ARBOR_ASSIGN(point.at, m_engine->pointAtLsn(branch, end->first));
                    return {};
                },
                [](ModelWorld&) {}));
            return std::optional(point);
        }
    }
    if (dice < 7 && timeline.parent) // where it was forked, which may be a pin
        return ModelPoint{m_world.normalise({timeline.parent, timeline.fork}), timeline.atFork};
    if (dice < 8 && !m_world.catalog.checkpoints.empty()) {
        auto at = m_world.catalog.checkpoints.begin();
        std::advance(at, below(m_world.catalog.checkpoints.size()));
        if (m_world.isOnLine(target.branch.timeline, m_world.normalise(at->second.at)))
            return at->second;
    }
    return std::nullopt;
}

Status RandomWorkload::fork(const Target& target) {
    if (m_world.catalog.branches.size() >= m_shape.maxBranches ||
        m_world.timelines.size() >= m_shape.maxTimelines)
        return remove(target);
    ARBOR_ASSIGN(const ModelPoint point, anyPoint(target));
    const std::string name = fmt::format("b{}", ++m_names);
    const TimelinePoint at = m_world.normalise(point.at);
    BranchRecord made;
    const auto create = [&]() -> Status {
        ARBOR_ASSIGN(made, m_engine->createBranch(caller, {name, target.branch.id, point.at, {}}));
        return {};
    };
    if (!m_world.isOnLine(target.branch.timeline, at)) {
        // a checkpoint that a restore left behind may be forked all the same; that is not what is tried here
        for (const auto& [key, checkpoint] : m_world.catalog.checkpoints)
            if (m_world.normalise(checkpoint.at) == at)
                return {};
        const auto refused = create();
        if (refused)
            return makeError(ErrorKind::Corruption, "a point off the line was forked");
        return refused.error().kind() == ErrorKind::Refused ? Status() : Status(Error(refused.error()));
    }
    return catalogChange(create, [&](ModelWorld& world) {
        if (!made.id) { // met by a power cut: the next ids, should it be there
            std::uint64_t branch = 0;
            std::uint64_t timeline = 0;
            m_engine->catalog([&](const Catalog& c) {
                if (const BranchRecord* record = c.findBranch(name)) {
                    branch = record->id.value;
                    timeline = record->timeline.value;
                }
                return 0;
            });
            if (branch == 0)
                return;
            made.id = {branch};
            made.timeline = {timeline};
        }
        addTimeline(world, made.timeline, point);
        world.catalog.branches[name] = {made.id, made.timeline};
    });
}

namespace {

// Where a branch stands now, in memory; also when the sync behind the change has failed.
TimelineId timelineOf(const Engine& engine, BranchId branch) {
    return engine.catalog([&](const Catalog& c) {
        const BranchRecord* record = c.findBranch(branch);
        return record == nullptr ? TimelineId() : record->timeline;
    });
}

} // namespace

Status RandomWorkload::restore(const Target& target) {
    if (m_world.timelines.size() >= m_shape.maxTimelines)
        return remove(target);
    ARBOR_ASSIGN(const ModelPoint point, anyPoint(target));
    if (!m_world.isOnLine(target.branch.timeline, m_world.normalise(point.at)))
        return {};
    return catalogChange(
        [&]() -> Status {
            ARBOR_TRY(m_engine->restoreBranch(caller, target.branch.id, point.at));
            return {};
        },
        [&](ModelWorld& world) {
            const TimelineId moved = timelineOf(*m_engine, target.branch.id);
            if (moved == target.branch.timeline)
                return;
            addTimeline(world, moved, point);
            world.catalog.branches[target.name].timeline = moved;
        });
}

Status RandomWorkload::reset(const Target& target) {
    if (m_world.timelines.size() >= m_shape.maxTimelines)
        return remove(target);
    ARBOR_ASSIGN(const BranchRecord record,
                 m_engine->catalog([&](const Catalog& c) { return c.branch(target.branch.id); }));
    const auto parent = std::find_if(m_world.catalog.branches.begin(), m_world.catalog.branches.end(),
                                     [&](const auto& entry) { return entry.second.id == record.parent; });
    if (parent == m_world.catalog.branches.end()) {
        const auto refused = m_engine->resetBranch(caller, target.branch.id);
        return !refused && refused.error().kind() == ErrorKind::Refused
                   ? Status()
                   : Status(makeError(ErrorKind::Corruption, "a branch without a parent was reset"));
    }
    ARBOR_ASSIGN(const auto parentView, m_engine->head(parent->second.timeline));
    ARBOR_ASSIGN(const ForkPoint now, parentView->present());
    const ModelPoint point{{parent->second.timeline, now},
                           m_world.timelines.at(parent->second.timeline).head};
    return catalogChange(
        [&]() -> Status {
            ARBOR_TRY(m_engine->resetBranch(caller, target.branch.id));
            return {};
        },
        [&](ModelWorld& world) {
            const TimelineId moved = timelineOf(*m_engine, target.branch.id);
            if (moved == target.branch.timeline)
                return;
            addTimeline(world, moved, point);
            world.catalog.branches[target.name].timeline = moved;
        });
}

Status RandomWorkload::remove(const Target& target) {
    if (m_world.catalog.branches.size() < 2)
        return {};
    return catalogChange(
        [&]() -> Status {
            ARBOR_TRY(m_engine->operate(caller, [&](Catalog& catalog, Timestamp now) {
                return catalog.deleteBranch(target.branch.id, now);
            }));
            return {};
        },
        [&](ModelWorld& world) { world.catalog.branches.erase(target.name); });
}

Status RandomWorkload::rename(const Target& target) {
    const std::string name = fmt::format("r{}", ++m_names);
    return catalogChange(
        [&]() -> Status {
            ARBOR_TRY(m_engine->operate(caller, [&](Catalog& catalog, Timestamp) {
                return catalog.renameBranch(target.branch.id, name);
            }));
            return {};
        },
        [&](ModelWorld& world) {
            auto moved = world.catalog.branches.extract(target.name);
            moved.key() = name;
            world.catalog.branches.insert(std::move(moved));
        });
}

Status RandomWorkload::restoreFromTrash() {
    m_last = "restore from trash";
    if (m_world.catalog.branches.size() >= m_shape.maxBranches)
        return {};
    std::vector<TrashRecord> entries;
    m_engine->catalog([&](const Catalog& c) {
        for (const TrashRecord* entry : c.trash())
            entries.push_back(*entry);
        return 0;
    });
    if (entries.empty())
        return {};
    const TrashRecord entry = entries[below(entries.size())];
    const std::string name = fmt::format("t{}", ++m_names);
    BranchId id;
    return catalogChange(
        [&]() -> Status {
            ARBOR_ASSIGN(const CatalogChange change,
                         m_engine->operate(caller, [&](Catalog& catalog, Timestamp now) {
                             return catalog.restoreFromTrash(entry.id, now, name);
                         }));
            id = change.branch;
            return {};
        },
        [&](ModelWorld& world) {
            m_engine->catalog([&](const Catalog& c) {
                if (const BranchRecord* record = c.findBranch(name))
                    id = record->id;
                return 0;
            });
            if (id)
                world.catalog.branches[name] = {id, entry.branch.timeline};
        });
}

Status RandomWorkload::undoOrRedo() {
    const bool isUndo = oneIn(2);
    m_last = isUndo ? "undo" : "redo";
    const auto run = [&]() -> Status {
        ARBOR_TRY(isUndo ? m_engine->undo(caller, {}) : m_engine->redo(caller));
        return {};
    };
    // the first operation made the root: undoing it would leave nothing to work on
    if (isUndo ? m_world.undo.size() < 2 : m_world.redo.empty()) {
        if (isUndo)
            return {};
        const auto refused = run();
        return refused ? makeError(ErrorKind::Corruption, "there was nothing to redo") : Status();
    }
    // what only a checkpoint kept may have been collected since that was deleted
    if (const auto plan = isUndo ? m_engine->planUndo({}) : m_engine->planRedo();
        !plan && plan.error().message().find("no longer in the history") != std::string::npos)
        return {};
    return durably(run, [&](ModelWorld& world) {
        auto& from = isUndo ? world.undo : world.redo;
        auto& to = isUndo ? world.redo : world.undo;
        to.push_back(world.catalog);
        world.catalog = from.back();
        from.pop_back();
    });
}

Status RandomWorkload::checkpoint(const Target& target) {
    ARBOR_ASSIGN(const ModelPoint point, anyPoint(target));
    if (!m_world.isOnLine(target.branch.timeline, m_world.normalise(point.at)))
        return {};
    const std::string name = fmt::format("c{}", ++m_names);
    return catalogChange(
        [&]() -> Status {
            ARBOR_TRY(m_engine->createCheckpoint(caller, target.branch.id, name, point.at));
            return {};
        },
        [&](ModelWorld& world) {
            m_engine->catalog([&](const Catalog& c) {
                if (const auto record = c.checkpoint(target.branch.id, name))
                    world.catalog.checkpoints[record->id] = point;
                return 0;
            });
        });
}

Status RandomWorkload::removeCheckpoint() {
    m_last = "remove a checkpoint";
    if (m_world.catalog.checkpoints.empty())
        return {};
    const CheckpointId id = m_world.catalog.checkpoints.begin()->first;
    const CheckpointRecord record =
        m_engine->catalog([&](const Catalog& c) { return *c.findCheckpoint(id); });
    if (m_engine->catalog([&](const Catalog& c) { return c.findBranch(record.branch) == nullptr; }))
        return {}; // its branch is in the trash
    return catalogChange(
        [&]() -> Status {
            ARBOR_TRY(m_engine->operate(caller, [&](Catalog& catalog, Timestamp) {
                return catalog.deleteCheckpoint(record.branch, record.name);
            }));
            return {};
        },
        [&](ModelWorld& world) { world.catalog.checkpoints.erase(id); });
}

// A fork without a name is written to, and gone.
Status RandomWorkload::peek(const Target& target) {
    ARBOR_ASSIGN(const ModelPoint point, anyPoint(target));
    std::shared_ptr<TimelineView> view;
    ARBOR_TRY(durably(
        [&]() -> Status {
            ARBOR_ASSIGN(view, m_engine->fork(point.at));
            return {};
        },
        [](ModelWorld&) {}));
    ARBOR_TRY(compareTree(*view, *point.tree));
    ARBOR_ASSIGN(const Attributes file, view->createFile(view->root(), "peek", 0600, {}));
    ARBOR_TRY(view->write(file.inode, 0, bytesOf(pageOf(m_chance.next() >> 8)), 1));
    view.reset();
    return durably([&] { return m_engine->closeIdleHeads(); }, [](ModelWorld&) {});
}

Status RandomWorkload::comparePoint(const ModelPoint& point) {
    std::shared_ptr<TimelineView> past;
    ARBOR_TRY(durably(
        [&]() -> Status {
            ARBOR_ASSIGN(past, m_engine->look(point.at));
            return {};
        },
        [](ModelWorld&) {}));
    if (auto same = compareTree(*past, *point.tree); !same)
        return std::move(same).error().during(fmt::format("timeline {} at position {}, {}", point.at.timeline,
                                                          point.at.at.position, point.at.at.lsn));
    return {};
}

Status RandomWorkload::lookBack(const Target& target) {
    ARBOR_ASSIGN(const ModelPoint point, anyPoint(target));
    return comparePoint(point);
}

Status RandomWorkload::upkeep() {
    switch (below(4)) {
    case 0:
        return reopen();
    case 1:
        m_last = "close idle heads";
        return durably([&] { return m_engine->closeIdleHeads(); }, [](ModelWorld&) {});
    case 2:
        m_last = "trim page maps";
        for (const auto& view : m_engine->openHeads())
            view->trim();
        return {};
    default:
        m_last = "collect garbage";
        return durably([&] { return collect(); }, [](ModelWorld&) {});
    }
}

// With as much of history as the dice say, from none to all.
Status RandomWorkload::collect() {
    const std::string bytes = fmt::format("{}B", oneIn(3) ? 0 : below(std::uint64_t{1} << below(20)));
    ARBOR_TRY(m_engine->keepBook(
        [&](Catalog& catalog, Timestamp) { return catalog.setSetting("history-bytes", bytes); }));
    // a sweep may write more than the index takes until its background work has had its turn
    return collectAndCheck(*m_engine, fakeCollectorOptions(fakeOptions(m_logs)), [this] { m_steps.run(); });
}

// A collection took what no window reaches, and what a checkpoint kept goes with the checkpoint.
void RandomWorkload::forgetUnreadable() {
    for (auto& [id, timeline] : m_world.timelines)
        std::erase_if(timeline.points,
                      [&](const ModelPoint& point) { return !m_engine->available(point.at).has_value(); });
}

Status RandomWorkload::compareBranches() {
    for (const auto& [name, branch] : m_world.catalog.branches) {
        ARBOR_ASSIGN(const auto view, m_engine->head(branch.timeline));
        if (auto same = compareTree(*view, *m_world.timelines.at(branch.timeline).head); !same)
            return std::move(same).error().during("branch " + name);
    }
    return {};
}

Status RandomWorkload::compare(std::size_t points) {
    ARBOR_TRY(
        m_engine->catalog([&](const Catalog& catalog) { return compareCatalog(catalog, m_world.catalog); }));
    ARBOR_TRY(compareBranches());
    forgetUnreadable();
    std::vector<ModelPoint> all;
    for (const auto& [id, timeline] : m_world.timelines)
        all.insert(all.end(), timeline.points.begin(), timeline.points.end());
    if (points >= all.size()) {
        for (const ModelPoint& point : all)
            ARBOR_TRY(comparePoint(point));
        return {};
    }
    for (; points > 0; --points)
        ARBOR_TRY(comparePoint(all[below(all.size())]));
    return {};
}

} // namespace arbor::test
