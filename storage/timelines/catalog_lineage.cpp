// Lineages: who owns a point, who sees it, and what nothing reaches.
#include "storage/timelines/catalog.h"

#include <algorithm>

namespace arbor {

std::vector<LineageStep> Catalog::lineage(TimelineId id) const {
    std::vector<LineageStep> steps;
    ForkPoint upTo = headPoint;
    while (const TimelineRecord* record = findTimeline(id)) {
        steps.push_back({id, upTo});
        upTo = record->fork;
        id = record->parent;
    }
    return steps;
}

TimelineId Catalog::timelineAt(TimelineId id, Position position) const {
    for (const TimelineRecord* record = findTimeline(id);
         record && record->parent && position <= record->fork.position; record = findTimeline(id))
        id = record->parent;
    return id;
}

Result<TimelinePoint> Catalog::normalise(TimelinePoint point) const {
    for (;;) {
        ARBOR_ASSIGN(const auto record, timeline(point.timeline));
        if (!record.parent)
            return point;
        const bool storageBeyond = point.at.position > record.fork.position;
        const bool logBeyond = point.at.lsn > record.fork.lsn;
        // One may stand at the fork while the other has gone on; it may not lie before it
        if ((storageBeyond && point.at.lsn < record.fork.lsn) ||
            (logBeyond && point.at.position < record.fork.position))
            return makeError(
                ErrorKind::InvalidArgument,
                "position {} and LSN {} lie on different sides of the fork of timeline {} at {} and {}",
                point.at.position, point.at.lsn, record.id, record.fork.position, record.fork.lsn);
        if (storageBeyond || logBeyond)
            return point;
        point.timeline = record.parent;
    }
}

const TimelineRecord* Catalog::firstOwn(TimelineId head) const {
    const TimelineRecord* record = findTimeline(head);
    while (record && !record->beginsBranch)
        record = findTimeline(record->parent);
    return record;
}

std::optional<TimelinePoint> Catalog::branchPoint(TimelineId head) const {
    const TimelineRecord* first = firstOwn(head);
    return first ? std::optional(TimelinePoint{first->parent, first->fork}) : std::nullopt;
}

std::vector<TimelinePoint> Catalog::pinnedPoints() const {
    std::vector<TimelinePoint> points;
    const auto addBranch = [&](const BranchRecord& branch) {
        if (const auto point = branchPoint(branch.timeline))
            points.push_back(*point);
    };
    for (const auto& [id, branch] : m_branches)
        addBranch(branch);
    for (const auto& [id, entry] : m_trash)
        addBranch(entry.branch);
    for (const auto& [id, checkpoint] : m_checkpoints)
        points.push_back(checkpoint.point);
    return points;
}

bool Catalog::isOnLine(TimelineId head, const TimelinePoint& point) const {
    ForkPoint upTo = headPoint;
    while (head >= point.timeline) { // ids shrink towards the root
        const TimelineRecord* record = findTimeline(head);
        if (!record)
            return false;
        if (head == point.timeline)
            return point.at.within(upTo);
        upTo = record->fork;
        head = record->parent;
    }
    return false;
}

std::set<TimelineId> Catalog::timelinesInUse() const {
    std::set<TimelineId> inUse;
    const auto reach = [&](TimelineId id) {
        // A timeline that is marked has marked its ancestors
        while (id && inUse.insert(id).second) {
            const TimelineRecord* record = findTimeline(id);
            id = record ? record->parent : TimelineId{};
        }
    };
    for (const auto& [id, branch] : m_branches)
        reach(branch.timeline);
    for (const auto& [id, entry] : m_trash)
        reach(entry.branch.timeline);
    for (const auto& [id, checkpoint] : m_checkpoints)
        reach(checkpoint.point.timeline);
    return inUse;
}

std::vector<TimelineId> Catalog::unreachableTimelines() const {
    const std::set<TimelineId> inUse = timelinesInUse();
    std::vector<TimelineId> unreachable;
    for (const auto& [id, record] : m_timelines)
        if (!inUse.contains(id))
            unreachable.push_back(id);
    std::sort(unreachable.begin(), unreachable.end(), std::greater<>()); // a child's id is the greater one
    return unreachable;
}

} // namespace arbor
