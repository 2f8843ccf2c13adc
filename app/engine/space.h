// Space: the collector as pgarbord uses it. Accounts that are as fresh as they can be for little, samples
// over time, sweeps on schedule.
//
// Thread-safe. An account costs a walk over the index. So it is made again only when something has changed
// and when the last one lies so far back that accounting takes a small part of one core's time: a hundredth
// for what nobody asked for, a twentieth for what somebody looks at.
#pragma once

#include "storage/engine/collector.h"
#include "storage/engine/samples.h"
#include "storage/engine/wal_follower.h"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

namespace arbor {

class Space {
  public:
    using AccountsPtr = std::shared_ptr<const Collector::Accounts>;

    explicit Space(Engine& engine);

    Collector& collector() { return m_collector; }
    // As things are now.
    Result<AccountsPtr> accounts();
    // As they are now or were a moment ago; nothing before the first account could be made.
    AccountsPtr recentAccounts();
    // Bytes that the head of a branch needs, also with others.
    Result<std::uint64_t> neededBy(BranchId branch);
    // What the databases on all branches think that they occupy.
    std::uint64_t logicalBytes();
    std::optional<std::uint64_t> logicalBytes(const BranchRecord& branch);

    // Takes a sample if it is time for one: every minute, and soon after an operation. Whether it did.
    Result<bool> keepBooks();
    void operationDone() { m_operationDone = true; }
    // Something worth a sweep has gathered, or the last one was long ago.
    bool sweepIsDue();
    void swept();

  private:
    using Clock = std::chrono::steady_clock;
    bool mayCount(double share) const;
    void remember(AccountsPtr accounts, Clock::duration cost);

    Engine& m_engine;
    Collector m_collector;
    std::atomic<bool> m_operationDone{true};

    mutable std::mutex m_mutex; // the members below
    AccountsPtr m_accounts;
    Clock::time_point m_countedAt{};
    Clock::duration m_cost{};
    Clock::time_point m_sampledAt{};
    Clock::time_point m_sweptAt = Clock::now();
    struct Logical {
        std::uint64_t versions = 0; // of the timeline, then
        std::uint64_t bytes = 0;
    };
    std::map<TimelineId, Logical> m_logical;
};

} // namespace arbor
