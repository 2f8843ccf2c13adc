// std::mutex and std::shared_mutex under clang's thread-safety annotations, which the checks compile with
// -Wthread-safety. Fields say what guards them (ARBOR_GUARDED_BY), locks say what they come after.
#pragma once

#include <condition_variable>
#include <mutex>
#include <shared_mutex>

#if defined(__clang__)
#define ARBOR_ANNOTATE(x) __attribute__((x))
#else
#define ARBOR_ANNOTATE(x)
#endif

#define ARBOR_CAPABILITY(x) ARBOR_ANNOTATE(capability(x))
#define ARBOR_SCOPED_CAPABILITY ARBOR_ANNOTATE(scoped_lockable)
#define ARBOR_GUARDED_BY(x) ARBOR_ANNOTATE(guarded_by(x))
#define ARBOR_PT_GUARDED_BY(x) ARBOR_ANNOTATE(pt_guarded_by(x))
#define ARBOR_ACQUIRED_BEFORE(...) ARBOR_ANNOTATE(acquired_before(__VA_ARGS__))
#define ARBOR_ACQUIRED_AFTER(...) ARBOR_ANNOTATE(acquired_after(__VA_ARGS__))
#define ARBOR_REQUIRES(...) ARBOR_ANNOTATE(requires_capability(__VA_ARGS__))
#define ARBOR_REQUIRES_SHARED(...) ARBOR_ANNOTATE(requires_shared_capability(__VA_ARGS__))
#define ARBOR_EXCLUDES(...) ARBOR_ANNOTATE(locks_excluded(__VA_ARGS__))
#define ARBOR_ACQUIRE(...) ARBOR_ANNOTATE(acquire_capability(__VA_ARGS__))
#define ARBOR_ACQUIRE_SHARED(...) ARBOR_ANNOTATE(acquire_shared_capability(__VA_ARGS__))
#define ARBOR_RELEASE(...) ARBOR_ANNOTATE(release_capability(__VA_ARGS__))
#define ARBOR_RELEASE_SHARED(...) ARBOR_ANNOTATE(release_shared_capability(__VA_ARGS__))
#define ARBOR_RELEASE_GENERIC(...) ARBOR_ANNOTATE(release_generic_capability(__VA_ARGS__))
#define ARBOR_NO_THREAD_SAFETY_ANALYSIS ARBOR_ANNOTATE(no_thread_safety_analysis)

namespace arbor {

class ARBOR_CAPABILITY("mutex") Mutex {
  public:
    void lock() ARBOR_ACQUIRE() { m_mutex.lock(); }
    void unlock() ARBOR_RELEASE() { m_mutex.unlock(); }

  private:
    friend class Condition;
    std::mutex m_mutex;
};

class ARBOR_CAPABILITY("mutex") SharedMutex {
  public:
    void lock() ARBOR_ACQUIRE() { m_mutex.lock(); }
    void unlock() ARBOR_RELEASE() { m_mutex.unlock(); }
    void lockShared() ARBOR_ACQUIRE_SHARED() { m_mutex.lock_shared(); }
    void unlockShared() ARBOR_RELEASE_SHARED() { m_mutex.unlock_shared(); }

  private:
    std::shared_mutex m_mutex;
};

template <class AnyMutex>
class ARBOR_SCOPED_CAPABILITY LockGuard {
  public:
    explicit LockGuard(AnyMutex& mutex) ARBOR_ACQUIRE(mutex) : m_mutex(mutex) { m_mutex.lock(); }
    ~LockGuard() ARBOR_RELEASE() { m_mutex.unlock(); }
    LockGuard(const LockGuard&) = delete;
    LockGuard& operator=(const LockGuard&) = delete;

  private:
    AnyMutex& m_mutex;
};
using MutexLock = LockGuard<Mutex>;
using WriteLock = LockGuard<SharedMutex>;

class ARBOR_SCOPED_CAPABILITY ReadLock {
  public:
    explicit ReadLock(SharedMutex& mutex) ARBOR_ACQUIRE_SHARED(mutex) : m_mutex(mutex) {
        m_mutex.lockShared();
    }
    ~ReadLock() ARBOR_RELEASE_GENERIC() { m_mutex.unlockShared(); }
    ReadLock(const ReadLock&) = delete;
    ReadLock& operator=(const ReadLock&) = delete;

  private:
    SharedMutex& m_mutex;
};

// A condition variable over Mutex.
class Condition {
  public:
    void wait(Mutex& mutex) ARBOR_REQUIRES(mutex) {
        std::unique_lock<std::mutex> lock(mutex.m_mutex, std::adopt_lock);
        m_condition.wait(lock);
        lock.release();
    }
    // false on timeout
    template <class Rep, class Period>
    bool waitFor(Mutex& mutex, std::chrono::duration<Rep, Period> time) ARBOR_REQUIRES(mutex) {
        std::unique_lock<std::mutex> lock(mutex.m_mutex, std::adopt_lock);
        const bool woken = m_condition.wait_for(lock, time) == std::cv_status::no_timeout;
        lock.release();
        return woken;
    }
    void notifyAll() { m_condition.notify_all(); }
    void notifyOne() { m_condition.notify_one(); }

  private:
    std::condition_variable m_condition;
};

} // namespace arbor
