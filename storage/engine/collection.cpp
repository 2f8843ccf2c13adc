// What a collector of garbage asks of the engine.
#include "storage/engine/engine.h"

#include <algorithm>
#include <set>

namespace arbor {

GcInput Engine::inputLocked(const Catalog& catalog, const HistoryWindows& windows) const {
    const auto startOf = [&](const BranchRecord& branch) -> std::optional<Position> {
        const auto found = windows.starts.find(branch.id);
        return found == windows.starts.end() ? std::nullopt : std::optional(found->second.position);
    };
    std::vector<Pin> pins = staticPins(catalog, startOf);
    const auto addReader = [&](TimelineId timeline, const ForkPoint& at, const char* name) {
        if (catalog.findTimeline(timeline) != nullptr)
            pins.push_back({PinKind::Reader, timeline, at.position, at, name, {}});
    };
    // where a branch is only thought gone, its head is thought closed, and not looked at any more
    const auto hasBranch = [&](TimelineId timeline) ARBOR_REQUIRES(m_catalogMutex) {
        const auto isOn = [&](const Catalog& known) {
            return known.branchOn(timeline) || known.trashOn(timeline);
        };
        return isOn(catalog) || isOn(m_catalog);
    };
    for (const auto& [timeline, at] : m_readers)
        if (at != arbor::headPoint || !hasBranch(timeline))
            addReader(timeline, at, "a reader");
    std::vector<TimelineId> beingMade;
    for (const auto& [timeline, transient] : m_transient) {
        beingMade.push_back(timeline);
        addReader(transient.parent, transient.fork, "a peek");
    }
    std::set<SegmentId> held;
    for (const auto& view : openHeads()) {
        const TimelineView::Nameless nameless = view->nameless();
        for (const Position position : nameless.positions)
            addReader(view->timeline(), {position, {}}, "a removed file that is still open");
        held.insert(nameless.segments.begin(), nameless.segments.end());
        if (!hasBranch(view->timeline()))
            addReader(view->timeline(), arbor::headPoint, "an open head");
    }
    GcInput input = makeGcInput(catalog, pins, m_store->lastPosition(), beingMade);
    input.heldSegments = std::move(held);
    for (GcPin& pin : input.pins)
        if (pin.kind == PinKind::Window)
            if (const auto start = windows.starts.find(pin.owner); start != windows.starts.end())
                pin.fromLsn = start->second.lsn;
    return input;
}

GcInput Engine::collectionInput(const HistoryWindows& windows, const Catalog* thought) const {
    const MutexLock lock(m_catalogMutex);
    return inputLocked(thought ? *thought : m_catalog, windows);
}

// What the windows are made from, copied in one moment, so that the index is read without a lock.
struct Engine::WindowBasis {
    struct Branch {
        BranchId id;
        std::vector<LineageStep> lineage;
    };
    std::vector<Branch> branches;
    std::map<TimelineId, TimelineRecord> timelines;
    std::map<TimelineId, TimelineHistory> histories;
    std::map<TimelineId, Lsn> ends;
};

Result<Engine::WindowBasis> Engine::windowBasis() {
    ARBOR_TRY(m_store->sync()); // the map of positions is read from the index
    WindowBasis basis;
    {
        const MutexLock lock(m_catalogMutex);
        for (const BranchRecord* branch : m_catalog.branches())
            basis.branches.push_back({branch->id, m_catalog.lineage(branch->timeline)});
        for (const TimelineId line : m_catalog.timelinesInUse()) {
            basis.timelines[line] = *m_catalog.findTimeline(line);
            if (const auto known = m_histories.find(line); known != m_histories.end())
                basis.histories[line] = known->second;
        }
    }
    constexpr Position last{maxPosition.value - 1};
    for (const auto& [line, record] : basis.timelines) {
        ARBOR_ASSIGN(basis.ends[line],
                     lsnAtPosition(m_store->index(), line, basis.histories[line], last, record.fork.lsn));
    }
    for (const auto& view : openHeads())
        if (const auto end = basis.ends.find(view->timeline()); end != basis.ends.end()) {
            ARBOR_ASSIGN(const ForkPoint present, view->present());
            end->second = std::max(end->second, present.lsn);
        }
    return basis;
}

// The state of the lineage at a time: on the timeline that was its head then.
Result<ForkPoint> Engine::startByTime(const WindowBasis& basis, const std::vector<LineageStep>& lineage,
                                      Timestamp time) const {
    ForkPoint upTo = arbor::headPoint;
    for (const LineageStep& step : lineage) {
        const TimelineRecord& line = basis.timelines.at(step.timeline);
        ARBOR_ASSIGN(ForkPoint at, pointAtTime(m_store->index(), step.timeline, time));
        if (at.position) {
            at.position = std::min(at.position, upTo.position);
            const auto history = basis.histories.find(step.timeline);
            ARBOR_ASSIGN(at.lsn,
                         lsnAtPosition(m_store->index(), step.timeline,
                                       history == basis.histories.end() ? TimelineHistory() : history->second,
                                       at.position, line.fork.lsn));
            return at;
        }
        if (!line.parent || line.createdAt <= time)
            return line.fork; // nothing had been written since it was made
        upTo = line.fork;
    }
    return ForkPoint();
}

// The last state of the lineage that is not beyond an LSN.
Result<ForkPoint> Engine::startByLog(const WindowBasis& basis, const std::vector<LineageStep>& lineage,
                                     Lsn lsn) const {
    std::size_t owner = 0;
    while (owner + 1 < lineage.size() && lsn <= lineage[owner + 1].upTo.lsn)
        ++owner;
    const TimelineId line = lineage[owner].timeline;
    const Position upTo = std::min(lineage[owner].upTo.position, m_store->lastPosition());
    const auto history = basis.histories.find(line);
    ARBOR_ASSIGN(const Position position,
                 lastPositionAtLsn(m_store->index(), line,
                                   history == basis.histories.end() ? TimelineHistory() : history->second,
                                   lsn, upTo));
    return ForkPoint{position, lsn};
}

Result<HistoryWindows> Engine::historyWindows(Duration time, std::uint64_t bytes) {
    ARBOR_ASSIGN(const WindowBasis basis, windowBasis());
    HistoryWindows windows;
    windows.ends = basis.ends;
    const Timestamp since = clock().now() - time;
    for (const WindowBasis::Branch& branch : basis.branches) {
        ARBOR_ASSIGN(ForkPoint start, startByTime(basis, branch.lineage, since));
        const Lsn end = basis.ends.at(branch.lineage.front().timeline);
        if (bytes < end.value) {
            ARBOR_ASSIGN(const ForkPoint byLog, startByLog(basis, branch.lineage, {end.value - bytes}));
            if (byLog.position > start.position)
                start = byLog;
        }
        // what was collected before is gone, whatever the settings say now
        for (const LineageStep& step : branch.lineage)
            if (const auto known = basis.histories.find(step.timeline); known != basis.histories.end())
                start = known->second.earliestFor(start, step.upTo);
        windows.starts[branch.id] = start;
    }
    return windows;
}

namespace {

using Stretches = std::vector<TimelineHistory::Stretch>;

// Ascending, apart from each other.
void join(Stretches& stretches) {
    std::sort(stretches.begin(), stretches.end(),
              [](const auto& a, const auto& b) { return a.from < b.from; });
    Stretches joined;
    for (const auto& stretch : stretches)
        if (!joined.empty() && (stretch.from.position <= joined.back().to ||
                                stretch.from.position.value == joined.back().to.value + 1))
            joined.back().to = std::max(joined.back().to, stretch.to);
        else
            joined.push_back(stretch);
    stretches = std::move(joined);
}

} // namespace

// What the windows keep of each timeline; where somebody stands, at least whatever comes.
std::map<TimelineId, Stretches> Engine::horizon(const HistoryWindows& windows) const {
    const Position now = m_store->lastPosition();
    std::map<TimelineId, Stretches> kept;
    for (const TimelineId line : m_catalog.timelinesInUse()) {
        const auto end = windows.ends.find(line);
        kept[line] = {{{now, end == windows.ends.end() ? Lsn() : end->second}, maxPosition}};
    }
    for (const BranchRecord* branch : m_catalog.branches()) {
        const auto window = windows.starts.find(branch->id);
        if (window == windows.starts.end())
            continue;
        const ForkPoint& start = window->second;
        for (const LineageStep& step : m_catalog.lineage(branch->timeline)) {
            if (start.position <= step.upTo.position)
                kept[step.timeline].push_back({start, step.upTo.position});
            if (start.position > m_catalog.findTimeline(step.timeline)->fork.position)
                break;
        }
    }
    for (auto& [line, stretches] : kept)
        join(stretches);
    return kept;
}

Result<GcInput> Engine::beginCollection(const HistoryWindows& windows) {
    GcInput input;
    {
        const MutexLock lock(m_catalogMutex);
        for (auto& [timeline, kept] : horizon(windows)) {
            TimelineHistory& history = m_histories[timeline];
            if (history.kept == kept)
                continue;
            history.kept = std::move(kept);
            m_pending.put(historyKey(timeline), encodeHistory(history));
        }
        input = inputLocked(m_catalog, windows);
    }
    ARBOR_TRY(m_store->sync());
    return input;
}

std::vector<std::shared_ptr<TimelineView>> Engine::openViews() const {
    std::vector<std::shared_ptr<TimelineView>> views = openHeads();
    const MutexLock lock(m_catalogMutex);
    for (const auto& [raw, look] : m_looks)
        if (auto view = look.lock())
            views.push_back(std::move(view));
    return views;
}

bool Engine::isGone(TimelineId timeline) const {
    const MutexLock lock(m_catalogMutex);
    if (m_catalog.findTimeline(timeline) != nullptr || m_transient.contains(timeline))
        return false;
    return timeline < m_catalog.nextTimeline();
}

void Engine::forgetHistories() {
    const MutexLock lock(m_catalogMutex);
    std::erase_if(m_histories, [&](const auto& entry) ARBOR_REQUIRES(m_catalogMutex) {
        if (m_catalog.findTimeline(entry.first) != nullptr || m_transient.contains(entry.first))
            return false;
        m_pending.erase(historyKey(entry.first));
        return true;
    });
}

} // namespace arbor
