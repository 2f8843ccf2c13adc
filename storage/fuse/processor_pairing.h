// A process that writes page after page and the workers that answer it, on one processor.
//
// Such a process sleeps until a page is answered and writes the next one some microseconds later. On two
// processors it and a worker wake each other from the sleep of a processor each time, which takes longer than
// to answer; on one they just take turns, and neither could have run while the other did. The scheduler
// spreads them by itself wherever a processor is idle. So while requests come that way, from one process, it
// and all workers are bound to the processor where it runs (sched_setaffinity(2); it takes no privilege among
// processes of one user). They are let go as soon as requests come otherwise, or cease.
#pragma once

#include "storage/base/mutex.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <sched.h>
#include <sys/types.h>
#include <thread>
#include <vector>

namespace arbor {

// Invariants
// 1. Whoever was bound by us gets back the processors that it had, unless it has been given others meanwhile;
//    and so do the processes that it started, if it has not ended before them.
// 2. What cannot be bound (another user's process, a processor that is closed to us) is left as it is.
class ProcessorPairing {
  public:
    using Clock = std::chrono::steady_clock;

    ProcessorPairing();
    ~ProcessorPairing();
    ProcessorPairing(const ProcessorPairing&) = delete;
    ProcessorPairing& operator=(const ProcessorPairing&) = delete;

    // The calling thread answers requests, from now on until stop().
    void addThisWorker() ARBOR_EXCLUDES(m_mutex);
    // A request has come. `process`: the thread that asks. `isShort`: it is answered at once, and who asks
    // waits for it.
    void came(bool isShort, std::uint32_t process) ARBOR_EXCLUDES(m_mutex);
    // An answer is about to go out. From any thread.
    void answers() { m_lastAnswer.store(Clock::now(), std::memory_order_relaxed); }
    // Lets go of everybody, for good.
    void stop() ARBOR_EXCLUDES(m_mutex);

  private:
    struct Bound {
        pid_t thread;
        cpu_set_t before;
    };
    void look() ARBOR_EXCLUDES(m_mutex);
    bool bindAll(pid_t process) ARBOR_REQUIRES(m_mutex);
    bool bind(pid_t thread) ARBOR_REQUIRES(m_mutex);
    void release() ARBOR_REQUIRES(m_mutex);
    void releaseThread(pid_t thread, const cpu_set_t& before) ARBOR_REQUIRES(m_mutex);
    bool goesOn() ARBOR_REQUIRES(m_mutex);

    std::atomic<int> m_share{0}; // of requests that were the next of one process, in 1/256, of late
    std::atomic<std::uint32_t> m_lastProcess{0};
    std::atomic<Clock::time_point> m_lastAnswer{};
    std::atomic<bool> m_asked{false};          // somebody is to be bound, or is
    std::atomic<std::uint32_t> m_process{0};   // that is bound, or 0
    std::atomic<std::uint32_t> m_requests{0};  // since the last look, and of these
    std::atomic<std::uint32_t> m_ofProcess{0}; // the bound one's

    Mutex m_mutex;
    Condition m_changed;
    bool m_stopped ARBOR_GUARDED_BY(m_mutex) = false;
    std::vector<pid_t> m_workers ARBOR_GUARDED_BY(m_mutex);
    std::vector<Bound> m_bound ARBOR_GUARDED_BY(m_mutex);
    cpu_set_t m_processor ARBOR_GUARDED_BY(m_mutex){}; // that they are bound to
    std::thread m_looker;                              // last: it uses all of the above
};

} // namespace arbor
