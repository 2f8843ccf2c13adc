// SIGINT and SIGTERM as an event of the loop, while something can be cancelled.
#pragma once

#include <QSocketNotifier>

#include <functional>
#include <memory>

#include <signal.h>

namespace arbor {

// One at a time. The former handlers come back at its end. (Rejected: signalfd, which needs the signals
// blocked, and a blocked mask is inherited by every child.)
class InterruptGuard {
  public:
    explicit InterruptGuard(std::function<void()> callback);
    ~InterruptGuard();
    InterruptGuard(const InterruptGuard&) = delete;
    InterruptGuard& operator=(const InterruptGuard&) = delete;

  private:
    int m_reading = -1;
    int m_writing = -1;
    std::unique_ptr<QSocketNotifier> m_notifier;
    struct sigaction m_formerInt {};
    struct sigaction m_formerTerm {};
};

} // namespace arbor
