// Points of the past: which one an LSN, a time or a transaction means, and whether it can still be read.
#include "storage/engine/engine.h"

#include <algorithm>

namespace arbor {

Result<TimelinePoint> Engine::headPoint(const BranchRecord& branch) {
    ARBOR_ASSIGN(const auto view, head(branch.timeline));
    ARBOR_ASSIGN(const ForkPoint at, view->present());
    return TimelinePoint{branch.timeline, at};
}

Lsn Engine::lineageStart(TimelineId timeline) const {
    const MutexLock lock(m_catalogMutex);
    ForkPoint start;
    for (const LineageStep& step : m_catalog.lineage(timeline))
        if (const auto known = m_histories.find(step.timeline); known != m_histories.end())
            start = known->second.earliestFor(start, step.upTo);
    return start.lsn;
}

std::optional<TimelinePoint> Engine::pinnedPointAt(TimelineId timeline, Lsn lsn) const {
    const MutexLock lock(m_catalogMutex);
    const std::vector<TimelinePoint> pinned = m_catalog.pinnedPoints();
    for (const LineageStep& step : m_catalog.lineage(timeline))
        for (const TimelinePoint& point : pinned)
            if (point.timeline == step.timeline && point.at.lsn == lsn && point.at.within(step.upTo))
                return point;
    return std::nullopt;
}

Result<Engine::Resolved> Engine::resolve(const BranchRecord& branch, const PointSpec& spec) {
    if (std::holds_alternative<std::monostate>(spec)) {
        ARBOR_ASSIGN(const TimelinePoint point, headPoint(branch));
        return Resolved{point, {}};
    }
    if (const auto* checkpoint = std::get_if<CheckpointName>(&spec)) {
        ARBOR_ASSIGN(const CheckpointRecord record,
                     catalog([&](const Catalog& c) { return c.checkpoint(branch.id, checkpoint->name); }));
        return Resolved{record.point, {}};
    }
    ARBOR_ASSIGN(const auto view, head(branch.timeline));
    ARBOR_TRY(view->followLog(LogFollower::Effort::Thorough));
    ARBOR_TRY(m_store->sync()); // the marks of ancestors are read from the index
    const Lsn from = lineageStart(branch.timeline);
    LogAnswer answer;
    if (const auto* lsn = std::get_if<Lsn>(&spec)) {
        if (*lsn < from) // a pin outlives the window
            if (const auto point = pinnedPointAt(branch.timeline, *lsn))
                return Resolved{*point, {}};
        ARBOR_ASSIGN(answer, view->log().atLsn(from, *lsn));
    } else if (const auto* time = std::get_if<Timestamp>(&spec)) {
        ARBOR_ASSIGN(answer, view->log().atTime(from, *time));
    } else {
        ARBOR_ASSIGN(answer, view->log().atXid(from, std::get<Xid>(spec).value));
    }
    ARBOR_ASSIGN(const TimelinePoint point, pointAtLsn(branch, answer.lsn));
    return Resolved{point, answer.message};
}

Result<TimelinePoint> Engine::pointAtLsn(const BranchRecord& branch, Lsn lsn) {
    ARBOR_ASSIGN(const TimelinePoint present, headPoint(branch));
    if (lsn > present.at.lsn)
        return makeError(ErrorKind::Refused, "{} lies behind the head of {}, which is at {}", lsn,
                         branch.name, present.at.lsn);
    std::vector<LineageStep> lineage = catalog([&](const Catalog& c) { return c.lineage(branch.timeline); });
    lineage.front().upTo = present.at;
    // the owner is the last timeline of the lineage whose own log (behind its fork point) does not reach back
    // to lsn
    std::size_t owner = 0;
    while (owner + 1 < lineage.size() && lsn <= lineage[owner + 1].upTo.lsn)
        ++owner;
    TimelinePoint point{lineage[owner].timeline, {{}, lsn}};
    ARBOR_TRY(m_store->sync()); // the map of positions is read from the index
    if (lsn >= lineage[owner].upTo.lsn) {
        point.at.position = lineage[owner].upTo.position;
    } else {
        ARBOR_ASSIGN(point.at.position, positionAtLsn(point.timeline, lsn, lineage[owner].upTo.position));
    }
    return catalog([&](const Catalog& c) { return c.normalise(point); });
}

Result<Position> Engine::positionAtLsn(TimelineId timeline, Lsn lsn, Position upTo) {
    TimelineHistory history;
    {
        const MutexLock lock(m_catalogMutex);
        if (const auto known = m_histories.find(timeline); known != m_histories.end())
            history = known->second;
    }
    return lastPositionAtLsn(m_store->index(), timeline, history, lsn, upTo);
}

Result<PositionTime> Engine::positionTime(TimelineId timeline, Position position) const {
    TimelineHistory history;
    Lsn fork;
    {
        const MutexLock lock(m_catalogMutex);
        if (const auto known = m_histories.find(timeline); known != m_histories.end())
            history = known->second;
        if (const TimelineRecord* record = m_catalog.findTimeline(timeline))
            fork = record->fork.lsn;
    }
    return arbor::positionTime(m_store->index(), timeline, history, position, fork);
}

Status Engine::availableLocked(const TimelinePoint& point) const {
    if (const auto made = m_transient.find(point.timeline); made != m_transient.end() && !made->second.parent)
        return {}; // a root without a name has no history that could have gone
    ARBOR_ASSIGN(const TimelinePoint owned, m_catalog.normalise(point));
    TimelineHistory history;
    if (const auto known = m_histories.find(owned.timeline); known != m_histories.end())
        history = known->second;
    if (history.keeps(owned.at))
        return {};
    const std::vector<TimelinePoint> pinned = m_catalog.pinnedPoints();
    if (std::find(pinned.begin(), pinned.end(), owned) != pinned.end())
        return {};
    // what a child's window keeps of this timeline is no part of this timeline's own
    const Lsn reachesBackTo = history.kept.empty() ? Lsn() : history.kept.back().from.lsn;
    return makeError(
        ErrorKind::Refused,
        "{} is no longer in the history that is kept: it reaches back to {} (`pgarborctl settings set "
        "history-time` keeps more from now on)",
        point.at.lsn, reachesBackTo);
}

Status Engine::available(const TimelinePoint& point) const {
    const MutexLock lock(m_catalogMutex);
    return availableLocked(point);
}

ForkPoint Engine::historyStart(TimelineId timeline) const {
    const MutexLock lock(m_catalogMutex);
    const auto known = m_histories.find(timeline);
    return known == m_histories.end() ? ForkPoint() : known->second.start();
}

Status Engine::clampHistory(TimelineId timeline, Lsn lsn) {
    {
        const MutexLock lock(m_catalogMutex);
        TimelineHistory& history = m_histories[timeline];
        history.clamps.push_back({m_store->lastPosition(), lsn});
        m_pending.put(historyKey(timeline), encodeHistory(history));
    }
    return m_store->sync();
}

// Makes a point one that a fork can rest on: said of its owner, readable, its log durable.
Result<TimelinePoint> Engine::settle(const TimelinePoint& point) {
    TimelinePoint owned;
    {
        const MutexLock lock(m_catalogMutex);
        ARBOR_ASSIGN(owned, m_catalog.normalise(point));
        ARBOR_TRY(availableLocked(owned));
    }
    ARBOR_ASSIGN(const auto view, head(owned.timeline));
    if (const std::string refusal = view->log().refusal(); !refusal.empty())
        return makeError(ErrorKind::Refused, "no fork can be made here now: {}", refusal);
    ARBOR_TRY(view->log().syncLog(owned.at.lsn));
    if (m_options.checkFork)
        ARBOR_TRY(m_options.checkFork(*this, owned));
    return owned;
}

} // namespace arbor
