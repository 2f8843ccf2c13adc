// How workers wait for requests: asleep in the kernel's queue, or one of them awake.
//
// Who writes a page waits for the answer and writes the next one some microseconds later. Writer and worker
// fall asleep in turn then, and to wake a processor that sleeps takes longer than to answer (10 us in a
// virtual machine, each way). So while requests come that way, one after another, one worker keeps looking
// for the next one. The others wait here meanwhile, not in the kernel: it would wake one of them for every
// request.
//
// A worker that keeps looking lets go of the processor whenever somebody else wants it (sched_yield(2)).
#pragma once

#include "storage/base/mutex.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

namespace arbor {

class BusyPolling {
  public:
    using Clock = std::chrono::steady_clock;

    // How long the next request is looked for.
    static constexpr std::chrono::microseconds patience{100};
    // How long the processor may be somebody else's meanwhile.
    static constexpr std::chrono::milliseconds longestYield{1};

    // `wake` gets a worker out of its sleep in the kernel's queue; from any worker's thread.
    BusyPolling(std::size_t workers, std::function<void(std::size_t worker)> wake);

    // Before the worker reads; waits while another one polls. True: it is to poll.
    bool begin(std::size_t worker);
    // Who polls says so each time that it looks for a request; the time.
    Clock::time_point looks(std::size_t worker) {
        const Clock::time_point now = Clock::now();
        m_looked[worker].store(now);
        return now;
    }
    // It has found nothing for `patience`. False: it is to begin() anew.
    bool missed(std::size_t worker);
    // Others have had its processor for so long that polling does more harm than good: it is to begin() anew.
    void crowdedOut(std::size_t worker);
    // Between these the worker sleeps in the kernel's queue.
    void sleeps(std::size_t worker) { m_asleep[worker].store(true); }
    void awake(std::size_t worker) { m_asleep[worker].store(false); }
    // A request has come. `process`: who asks. `isQuick`: the answer needs no disk.
    void came(std::size_t worker, bool isQuick, std::uint32_t process);
    // An answer is about to go out. From any thread.
    void answers() { m_lastAnswer.store(Clock::now(), std::memory_order_relaxed); }
    // The worker reads no more.
    void left(std::size_t worker);
    // Lets everybody out of begin(), now and later.
    void stop();

  private:
    void note(bool isNext);
    bool isWorthIt() const;
    void takeOver(std::size_t worker) ARBOR_REQUIRES(m_mutex);
    void wakeOthers(std::size_t worker);
    void resign(std::size_t worker);

    const std::function<void(std::size_t)> m_wake;
    std::vector<std::atomic<bool>> m_asleep;
    std::vector<std::atomic<Clock::time_point>> m_looked;
    std::atomic<int> m_share{0}; // of requests that were the next of one writer, in 1/256, of late
    std::atomic<std::uint32_t> m_lastProcess{0};
    std::atomic<Clock::time_point> m_lastAnswer{};
    static constexpr std::size_t nobody = SIZE_MAX;
    std::atomic<std::size_t> m_poller{nobody}; // changes under the mutex

    Mutex m_mutex;
    Condition m_changed;
    bool m_watched ARBOR_GUARDED_BY(m_mutex) = false; // one of those who wait looks after the one that polls
    bool m_stopped ARBOR_GUARDED_BY(m_mutex) = false;
};

} // namespace arbor
