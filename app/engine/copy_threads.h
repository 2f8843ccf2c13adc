// Many files moved by a few threads: what imports and exports have in common.
#pragma once

#include "app/control/jobs.h"
#include "storage/base/time.h"
#include "storage/base/units.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>

namespace arbor {

// "1.2 GB of 4.0 GB, 310 MB/s, 9 s left": what a job that copies says of itself.
class Throughput {
  public:
    explicit Throughput(const Clock& clock, std::uint64_t total)
        : m_clock(clock), m_begun(clock.now()), m_total(total) {}
    std::string text(std::uint64_t done) const;

  private:
    const Clock& m_clock;
    const Timestamp m_begun;
    const std::uint64_t m_total;
};

// How far a job is that moves `total` bytes: its fraction goes from `from` to `to`. Any thread.
class CopyProgress {
  public:
    CopyProgress(Job& job, QString verb, std::uint64_t total, double from, double to)
        : m_job(job), m_verb(std::move(verb)), m_total(total), m_from(from), m_to(to),
          m_throughput(m_clock, total) {}

    // Cancelled when the job is to end.
    Status advance(std::size_t bytes);
    std::uint64_t done() const { return m_done; }
    // A thread has failed: the others need not go on.
    bool failed() const { return m_failed; }

  private:
    friend Status copyInThreads(std::size_t, CopyProgress&,
                                const std::function<Status(std::size_t, std::span<std::byte>)>&);
    void fail(Error error);
    Status outcome() const;

    Job& m_job;
    const QString m_verb;
    const std::uint64_t m_total;
    const double m_from;
    const double m_to;
    const SystemClock m_clock;
    const Throughput m_throughput;
    std::atomic<std::uint64_t> m_done{0};
    std::atomic<bool> m_failed{false};
    mutable std::mutex m_mutex;
    std::optional<Error> m_error; // the first one; guarded by m_mutex
};

// Calls copy(0) to copy(count - 1) on a few threads, each with a buffer of its own. The error that came
// first.
Status copyInThreads(std::size_t count, CopyProgress& progress,
                     const std::function<Status(std::size_t index, std::span<std::byte> buffer)>& copy);

} // namespace arbor
