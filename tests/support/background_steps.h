// LevelDB's background work, run when a test says, so that the same calls give the same operations on a
// simulated disk. Run it between writes: then no write ever waits for it.
#pragma once

#include "storage/base/mutex.h"

#include <deque>
#include <functional>
#include <memory>

namespace arbor::test {

class BackgroundSteps {
  public:
    std::function<void(std::function<void()>)> executor() {
        return [jobs = m_jobs](std::function<void()> job) {
            const MutexLock lock(jobs->mutex);
            jobs->queue.push_back(std::move(job));
        };
    }
    void run() {
        for (;;) {
            std::function<void()> job;
            {
                const MutexLock lock(m_jobs->mutex);
                if (m_jobs->queue.empty())
                    return;
                job = std::move(m_jobs->queue.front());
                m_jobs->queue.pop_front();
            }
            job();
        }
    }

  private:
    struct Jobs {
        Mutex mutex;
        std::deque<std::function<void()>> queue ARBOR_GUARDED_BY(mutex);
    };
    const std::shared_ptr<Jobs> m_jobs = std::make_shared<Jobs>(); // an index may outlive its test
};

} // namespace arbor::test
