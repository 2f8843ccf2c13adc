#include "storage/engine/collector.h"

#include "storage/base/turns.h"
#include "storage/engine/wal_follower.h"
#include "storage/wal/wal_marks.h"

#include <algorithm>
#include <chrono>
#include <sys/resource.h>
#include <thread>

namespace arbor {

namespace {

// Says while it lives that a sweep runs.
class Running {
  public:
    explicit Running(std::atomic<bool>& flag) : m_flag(flag), m_mine(!flag.exchange(true)) {}
    ~Running() {
        if (m_mine)
            m_flag = false;
    }
    bool mine() const { return m_mine; }

  private:
    std::atomic<bool>& m_flag;
    const bool m_mine;
};

Result<std::uint64_t> bytesBelow(Disk& disk, const std::string& directory) {
    std::uint64_t bytes = 0;
    ARBOR_ASSIGN(const auto names, disk.list(directory));
    for (const std::string& name : names)
        if (const auto info = disk.info(directory + "/" + name); info && !info->isDirectory)
            bytes += info->size;
    return bytes;
}

std::int64_t now() {
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

// How often this thread was taken off its processor for another.
long preemptions() {
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nivcsw;
}

constexpr std::int64_t contentionLasts = 100'000; // microseconds
constexpr std::int64_t restsForWork = 4;          // so a fifth of the time is worked

// Log that a branch needs of the timelines that it was forked from.
bool isInherited(const GcInput& input, const WalRetention::Use& use) {
    const std::uint32_t number = use.need.pin();
    if (number == Need::none || number == Need::many)
        return false;
    const GcPin& pin = input.pins[number - 1];
    return pin.kind == PinKind::Child || pin.timeline != use.timeline;
}

} // namespace

// --- Plans

Result<HistoryWindows> Collector::windows(const WhatIf& whatIf) {
    const auto [time, bytes] = m_engine.catalog([](const Catalog& catalog) {
        return std::pair(catalog.durationSetting("history-time"), catalog.sizeSetting("history-bytes"));
    });
    return m_engine.historyWindows(whatIf.historyTime.value_or(time), whatIf.historyBytes.value_or(bytes));
}

Result<std::optional<Catalog>> Collector::thought(const WhatIf& whatIf) const {
    if (whatIf.branches.empty() && whatIf.checkpoints.empty() && !whatIf.emptyTrash)
        return std::optional<Catalog>();
    return m_engine.catalog([&](const Catalog& catalog) -> Result<std::optional<Catalog>> {
        ARBOR_ASSIGN(Catalog other, catalog.without(whatIf.branches, whatIf.emptyTrash));
        for (const CheckpointId id : whatIf.checkpoints)
            if (const CheckpointRecord* checkpoint =
                    other.findCheckpoint(id)) // it may have gone with its branch
                ARBOR_TRY(other.deleteCheckpoint(checkpoint->branch, std::string(checkpoint->name)));
        return std::optional(std::move(other));
    });
}

// Pages and names by a walk over the index, the log by its files; both into the same accounts.
Result<Collector::Accounts> Collector::count(GcInput input, const Catalog* thought, LogPlan* log) {
    Accounts accounts;
    accounts.input = std::move(input);
    Store& store = m_engine.store();
    const auto segments = store.segments().segments();
    ARBOR_TRY(store.sync());
    accounts.at = store.lastPosition();
    ARBOR_ASSIGN(const auto planner,
                 Planner::make(store.index(), segments, accounts.input, m_options.sweep.policy));
    ARBOR_ASSIGN(accounts.plan, walk(*planner, log != nullptr)); // with a log to remove: for a sweep
    accounts.pagesBytes = accounts.plan.totalBytes;
    ARBOR_ASSIGN(const NeedModel model, NeedModel::make(accounts.input));
    LogPlan plan;
    if (m_options.collectLog) {
        ARBOR_ASSIGN(plan, planLog(m_engine, accounts.input, model, thought));
    }
    for (const WalRetention::Use& use : plan.retention.uses)
        accounts.plan.add(use.bytes, use.need, accounts.input, model, isInherited(accounts.input, use));
    accounts.logBytes = plan.retention.totalBytes;
    accounts.plan.freeBytes += plan.retention.freeBytes;
    accounts.plan.doubts.insert(accounts.plan.doubts.end(), plan.doubts.begin(), plan.doubts.end());
    ARBOR_ASSIGN(accounts.indexBytes, bytesBelow(store.disk(), m_engine.directory() + "/index"));
    if (log)
        *log = std::move(plan);
    return accounts;
}

Result<GcPlan> Collector::walk(Planner& planner, bool givesWay) {
    for (bool more = true; more;) {
        ARBOR_ASSIGN(more, planner.step());
        if (givesWay)
            rest();
    }
    return planner.finish();
}

Result<Collector::Accounts> Collector::plan(const WhatIf& whatIf) {
    const MutexLock turn(m_turn);
    ARBOR_ASSIGN(const HistoryWindows starts, windows(whatIf));
    ARBOR_ASSIGN(const std::optional<Catalog> other, thought(whatIf));
    const Catalog* instead = other ? &*other : nullptr;
    return count(m_engine.collectionInput(starts, instead), instead, nullptr);
}

Result<std::uint64_t> Collector::neededBy(BranchId branch) {
    const MutexLock turn(m_turn);
    GcInput input = m_engine.collectionInput({});
    std::erase_if(input.pins,
                  [&](const GcPin& pin) { return pin.kind != PinKind::Head || pin.owner != branch; });
    ARBOR_ASSIGN(const Accounts accounts, count(std::move(input), nullptr, nullptr));
    return accounts.plan.privateBytes;
}

Result<std::map<InodeId, GcPlan::FileUse>> Collector::files(BranchId branch) {
    const MutexLock turn(m_turn);
    ARBOR_ASSIGN(const HistoryWindows starts, windows({}));
    GcInput input = m_engine.collectionInput(starts);
    // Who reads for a moment takes nothing from the branch: what it reads would be nobody's alone meanwhile.
    std::erase_if(input.pins, [](const GcPin& pin) { return pin.kind == PinKind::Reader; });
    Store& store = m_engine.store();
    const auto segments = store.segments().segments();
    ARBOR_TRY(store.sync());
    ARBOR_ASSIGN(const auto planner, Planner::make(store.index(), segments, input, m_options.sweep.policy));
    planner->countFiles(branch);
    ARBOR_ASSIGN(GcPlan plan, walk(*planner, false));
    return std::move(plan.files);
}

// --- Sweeps

Result<Collector::Outcome> Collector::run(const RunOptions& options) {
    const Running running(m_running);
    if (!running.mine())
        return makeError(ErrorKind::Busy, "a sweep is under way already");
    m_run = &options;
    m_pausedUntil = 0;
    beginWork();
    Outcome outcome;
    GcInput input;
    {
        const MutexLock turn(m_turn);
        ARBOR_ASSIGN(const HistoryWindows starts, windows({}));
        ARBOR_ASSIGN(input, m_engine.beginCollection(starts));
    }
    LogPlan log;
    ARBOR_ASSIGN(const Accounts before,
                 count(input, nullptr, &log)); // what it reads only grows until it ends
    outcome.plannedBytes = before.plan.freeBytes;
    outcome.problems = before.plan.doubts;
    {
        const MutexLock turn(m_turn);
        // whoever makes the log durable from where it was last must find all of that
        for (const auto& head : m_engine.openHeads())
            ARBOR_TRY(head->log().syncLog(m_engine.historyStart(head->timeline()).lsn));
        // the log first: it needs no space, and none to make space with
        ARBOR_ASSIGN(outcome.freedBytes, removeLog(m_engine, log));
    }
    ARBOR_TRY(sweep(input, outcome));
    if (!outcome.cancelled && outcome.problems.empty()) {
        const MutexLock turn(m_turn);
        ARBOR_TRY(forgetTheGone());
    }
    return outcome;
}

Status Collector::sweep(const GcInput& input, Outcome& outcome) {
    const LongTurns nobodyWaits;
    Store& store = m_engine.store();
    Sweeper sweeper(store.index(), store.segments(), *this, input, m_options.sweep);
    const std::uint64_t freedBefore = outcome.freedBytes;
    for (bool more = true; more;) {
        {
            const MutexLock turn(m_turn);
            ARBOR_ASSIGN(more, sweeper.step());
        }
        const SweepReport& report = sweeper.report();
        outcome.freedBytes = freedBefore + report.freedBytes();
        outcome.movedBytes = report.movedBytes;
        if (m_run->progress)
            m_run->progress(
                {sweeper.phaseName(), outcome.plannedBytes, outcome.freedBytes, outcome.movedBytes});
        rest();
    }
    const SweepReport& report = sweeper.report();
    outcome.cancelled = report.cancelled;
    outcome.outOfSpace = report.outOfSpace;
    for (const std::string& problem : report.problems)
        if (std::find(outcome.problems.begin(), outcome.problems.end(), problem) == outcome.problems.end())
            outcome.problems.push_back(problem);
    return {};
}

void Collector::beginWork() {
    m_workedSince = now();
    m_preemptions = preemptions();
}

// After a step. What was moved may be read meanwhile, and who was kept from a processor gets it. In short
// naps: whoever cancels does not wait for a slow pace.
void Collector::rest() {
    constexpr std::int64_t nap = 20'000;
    const std::int64_t ended = now();
    if (m_options.givesWay && preemptions() != m_preemptions)
        m_contendedUntil = ended + contentionLasts;
    if (ended < m_contendedUntil)
        m_pausedUntil = std::max(m_pausedUntil, ended + restsForWork * (ended - m_workedSince));
    for (std::int64_t pause = m_pausedUntil - ended; pause > 0 && !isCancelled();
         pause = m_pausedUntil - now())
        std::this_thread::sleep_for(std::chrono::microseconds(std::min(pause, nap)));
    beginWork();
}

void Collector::repoint(InodeId inode, std::span<const PageVersion> moves) {
    for (const auto& view : m_engine.openViews())
        view->repoint(inode, moves);
}

bool Collector::isHeld(SegmentId segment) const {
    for (const auto& head : m_engine.openHeads())
        if (head->nameless().segments.contains(segment))
            return true;
    return false;
}

bool Collector::isCancelled() const {
    return m_run->cancelled && m_run->cancelled();
}

void Collector::throttle(std::uint64_t bytes) {
    if (m_run->bytesPerSecond == 0)
        return;
    m_pausedUntil =
        std::max(m_pausedUntil, now()) + static_cast<std::int64_t>(bytes * 1'000'000 / m_run->bytesPerSecond);
}

Result<std::uint64_t> Collector::freeBytes() {
    return m_engine.store().disk().freeBytes(m_engine.directory());
}

// Timelines that nothing reaches any more have no pages and no log now. Their records go, and what was noted
// of them; a head that is still open keeps its own.
Status Collector::forgetTheGone() {
    ARBOR_TRY(m_engine.closeIdleHeads());
    std::set<TimelineId> open;
    for (const auto& head : m_engine.openHeads()) {
        open.insert(head->timeline());
        ARBOR_TRY(head->log().forgetBefore(m_engine.historyStart(head->timeline()).lsn));
    }
    const std::vector<TimelineId> unreachable =
        m_engine.catalog([](const Catalog& catalog) { return catalog.unreachableTimelines(); });
    for (const TimelineId timeline : unreachable) {
        if (open.contains(timeline))
            continue;
        ARBOR_TRY(m_engine.keepBook([&](Catalog& catalog, Timestamp) -> Result<CatalogChange> {
            auto removed = catalog.removeTimeline(timeline);
            if (!removed && removed.error().kind() == ErrorKind::Refused)
                return CatalogChange(); // a child of it is open, or it came back meanwhile
            return removed;
        }));
        if (!m_engine.isGone(timeline))
            continue;
        ARBOR_TRY(eraseMarks(timeline));
        ARBOR_TRY(removeDirectoriesOf(m_engine, timeline));
    }
    m_engine.forgetHistories();
    return m_engine.sync();
}

Status Collector::eraseMarks(TimelineId timeline) {
    constexpr std::size_t batchBytes = 256u << 10;
    for (bool more = true; more;) {
        IndexBatch batch;
        more = MarkWriter::eraseAll(m_engine.store().index(), timeline, batch, batchBytes);
        if (!batch.empty())
            ARBOR_TRY(m_engine.store().writeBatch(batch));
    }
    return {};
}

} // namespace arbor
