// Collecting garbage in tests of the engine, with the promises that hold of every collection checked on the
// way.
#pragma once

#include "storage/engine/collector.h"
#include "storage/engine/scrub.h"

namespace arbor::test {

inline Collector::Options fakeCollectorOptions(const Engine::Options& engine) {
    Collector::Options options;
    options.sweep.segmentBytes = engine.store.segments.segmentBytes;
    options.sweep.marginBytes = engine.store.segments.marginBytes;
    options.sweep.moveBytes = 64u << 10; // many steps
    options.sweep.batchBytes = 8u << 10;
    options.sweep.groupsAStep = 4;
    options.collectLog = false;
    return options;
}

// The fake logs of these tests lie nowhere.
inline ScrubOptions fakeScrubOptions() {
    ScrubOptions options;
    options.readLog = false;
    return options;
}

inline Status checkIdentity(const GcPlan& plan) {
    const std::uint64_t sum = plan.privateBytes + plan.sharedBytes + plan.historyBytes + plan.garbageBytes;
    if (!plan.doubts.empty())
        return makeError(ErrorKind::Corruption, "the collector doubts: {}", plan.doubts.front());
    if (sum != plan.totalBytes)
        return makeError(ErrorKind::Corruption,
                         "private {} + shared {} + history {} + garbage {} are not the {} bytes on disk",
                         plan.privateBytes, plan.sharedBytes, plan.historyBytes, plan.garbageBytes,
                         plan.totalBytes);
    return {};
}

// Nothing else writes meanwhile: what was planned is freed to the byte.
// `between` runs after every step of the sweep.
inline Status collectAndCheck(
    Engine& engine, const Collector::Options& options, const std::function<void()>& between = [] {}) {
    Collector collector(engine, options);
    ARBOR_TRY(engine.closeIdleHeads()); // what only they keep counts as garbage from then on
    ARBOR_ASSIGN(const Collector::Accounts before, collector.plan());
    ARBOR_TRY(checkIdentity(before.plan));
    ARBOR_ASSIGN(const Collector::Outcome outcome, collector.run({
                                                       .progress = [&](const auto&) { between(); },
                                                       .cancelled = {},
                                                   }));
    ARBOR_ASSIGN(const Collector::Accounts after, collector.plan());
    ARBOR_TRY(checkIdentity(after.plan));
    if (!outcome.problems.empty())
        return makeError(ErrorKind::Corruption, "a sweep meets a problem: {}", outcome.problems.front());
    if (outcome.outOfSpace)
        return {};
    const bool asPlanned =
        outcome.plannedBytes == before.plan.freeBytes && outcome.freedBytes == outcome.plannedBytes &&
        after.plan.totalBytes + outcome.freedBytes == before.plan.totalBytes && after.plan.freeBytes == 0;
    if (!asPlanned)
        return makeError(ErrorKind::Corruption,
                         "{} bytes were to be freed of {}, a sweep planned {} and freed {}, {} are left, of "
                         "which {} could be freed",
                         before.plan.freeBytes, before.plan.totalBytes, outcome.plannedBytes,
                         outcome.freedBytes, after.plan.totalBytes, after.plan.freeBytes);
    return {};
}

} // namespace arbor::test
