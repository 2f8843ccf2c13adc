// The collector: what a sweep of the whole store would free and why things stay, asked with changes that were
// not made, and the sweep itself. Pages and names are storage/gc's, the log's files log_collection.h's.
//
// Thread-safe. Plans may be asked at any time, also while a sweep runs: they take turns with its steps. One
// sweep runs at a time.
#pragma once

#include "storage/engine/log_collection.h"
#include "storage/gc/planner.h"
#include "storage/gc/sweeper.h"

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace arbor {

class Collector : private SweepHost {
  public:
    struct Options {
        Sweeper::Options sweep;
        bool collectLog = true; // the timelines' logs are PostgreSQL's, below wal/ and walkeep/
        // Where others want the processor a sweep works a fifth of the time: on a small machine servers feel
        // it.
        bool givesWay = false;
    };
    // `options.sweep.segmentBytes` must be the segment store's. The engine outlives the collector.
    Collector(Engine& engine, const Options& options) : m_engine(engine), m_options(options) {}

    // Changes that are only thought of. Nothing set: as things are.
    struct WhatIf {
        std::vector<BranchId> branches; // deleted, and gone from the trash
        std::vector<CheckpointId> checkpoints;
        bool emptyTrash = false;
        std::optional<Duration> historyTime;
        std::optional<std::uint64_t> historyBytes;
    };
    // Who needs what, and what a sweep would free. Pages and log are in the same accounts:
    //   plan.privateBytes + sharedBytes + historyBytes + garbageBytes (+ unknownBytes) == plan.totalBytes,
    // which is pagesBytes + logBytes. plan.freeBytes counts both too.
    struct Accounts {
        GcInput input;
        GcPlan plan;
        std::uint64_t pagesBytes = 0;
        std::uint64_t logBytes = 0;   // each file once, however many links it has
        std::uint64_t indexBytes = 0; // a line of its own
        Position at;                  // the store's last position then
    };
    Result<Accounts> plan(const WhatIf& whatIf);
    Result<Accounts> plan() { return plan({}); }
    // Bytes, of pages and log, that the head of a branch needs, by itself or with others.
    Result<std::uint64_t> neededBy(BranchId branch);

    // Page images (no log) by the file that they belong to: what goes with one branch, or without one of all.
    // GcPlan::FileUse says what the numbers are.
    Result<std::map<InodeId, GcPlan::FileUse>> files(BranchId branch);

    struct Progress {
        std::string_view phase;
        std::uint64_t plannedBytes = 0;
        std::uint64_t freedBytes = 0;
        std::uint64_t movedBytes = 0;
    };
    struct RunOptions {
        std::function<void(const Progress&)> progress; // on the thread of run(), after every step
        std::function<bool()> cancelled;
        std::uint64_t bytesPerSecond = 0; // of images moved; 0: as fast as it goes
    };
    struct Outcome {
        std::uint64_t plannedBytes = 0; // what the plan at its beginning promised
        std::uint64_t freedBytes = 0;
        std::uint64_t movedBytes = 0;
        bool cancelled = false;
        bool outOfSpace = false;
        std::vector<std::string> problems; // what stayed because it could not be judged, a sentence each
    };
    // Moves the horizon to where the settings say, durably, and sweeps. Busy while another sweep runs. In
    // doubt it frees nothing and says so in `problems`.
    Result<Outcome> run(const RunOptions& options);
    Result<Outcome> run() { return run({}); }
    bool isRunning() const { return m_running.load(); }

  private:
    // What the sweeper asks; on the thread of run().
    Status sync() override { return m_engine.sync(); }
    Status commit(IndexBatch& batch) override { return m_engine.store().writeBatch(batch); }
    void repoint(InodeId inode, std::span<const PageVersion> moves) override;
    bool isHeld(SegmentId segment) const override;
    bool isCancelled() const override;
    void throttle(std::uint64_t bytes) override;
    Result<std::uint64_t> freeBytes() override;
    Status spendReserve() override { return m_engine.store().spendReserve(); }
    Status restoreReserve() override { return m_engine.store().restoreReserve(); }

    Result<HistoryWindows> windows(const WhatIf& whatIf);
    Result<std::optional<Catalog>> thought(const WhatIf& whatIf) const;
    Result<Accounts> count(GcInput input, const Catalog* thought, LogPlan* log);
    Result<GcPlan> walk(Planner& planner, bool givesWay);
    Status sweep(const GcInput& input, Outcome& outcome);
    void beginWork();
    void rest();
    Status forgetTheGone();
    Status eraseMarks(TimelineId timeline);

    Engine& m_engine;
    const Options m_options;
    std::atomic<bool> m_running{false};
    Mutex m_turn;                      // a plan, or one step of a sweep
    const RunOptions* m_run = nullptr; // of the thread that sweeps
    // monotonic microseconds, all of them
    std::int64_t m_pausedUntil = 0;
    std::int64_t m_workedSince = 0;
    std::int64_t m_contendedUntil = 0; // somebody else wanted the processor a moment ago
    long m_preemptions = 0;
};

} // namespace arbor
