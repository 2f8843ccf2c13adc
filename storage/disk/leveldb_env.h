// LevelDB's view of the operating system, over a Disk. What differs from LevelDB's own for POSIX:
// - no mmap: a table that became shorter is an error and not a SIGBUS;
// - a sync that follows the creation of a file also syncs the directory, and so does every rename: otherwise
// a
//   synced log may vanish in a power cut together with its name (LevelDB's own syncs directories for the
//   MANIFEST only);
// - a file whose append or sync failed takes nothing more;
// - on a full disk the owner is asked for room before anything fails;
// - background work runs where the owner says, so that tests can decide when.
// Included by .cpp files of this folder only: nobody else sees LevelDB.
#pragma once

#include "storage/base/mutex.h"
#include "storage/disk/disk.h"

#include <leveldb/env.h>

#include <atomic>
#include <deque>
#include <functional>
#include <thread>

namespace arbor {

// A disk's error on its way through LevelDB, which keeps the text alone, for as long as it likes, and tells
// of it at some later write: the kind travels at the text's start.
leveldb::Status statusOf(const Error& error);
// What statusOf() was given; Io, or NotFound, for what LevelDB says itself.
Error errorOf(const leveldb::Status& status);

// Thread-safe. Serves one database: all its files lie in one directory.
class LevelDbEnv final : public leveldb::Env {
  public:
    using Executor = std::function<void(std::function<void()>)>;
    // Without an executor the environment runs background work on a thread of its own. `makeRoom` may be none
    // (Index::Options). `disk` outlives it.
    LevelDbEnv(Disk& disk, Executor executor, std::function<bool()> makeRoom = {});
    ~LevelDbEnv() override;

    // Takes a lock that LockFile will hand over later, so that the directory can be inspected under it.
    Status lockEarly(const std::string& path);
    // From now on background work runs on a thread of the environment, whatever the executor does with what
    // it was given: closing a database waits for work that has been scheduled, and must not depend on a
    // test's queue.
    void runBackgroundWorkHere();

    leveldb::Status NewSequentialFile(const std::string& path, leveldb::SequentialFile** file) override;
    leveldb::Status NewRandomAccessFile(const std::string& path, leveldb::RandomAccessFile** file) override;
    leveldb::Status NewWritableFile(const std::string& path, leveldb::WritableFile** file) override;
    leveldb::Status NewAppendableFile(const std::string& path, leveldb::WritableFile** file) override;
    bool FileExists(const std::string& path) override;
    leveldb::Status GetChildren(const std::string& directory, std::vector<std::string>* names) override;
    leveldb::Status RemoveFile(const std::string& path) override;
    leveldb::Status CreateDir(const std::string& path) override;
    leveldb::Status RemoveDir(const std::string& path) override;
    leveldb::Status GetFileSize(const std::string& path, std::uint64_t* size) override;
    leveldb::Status RenameFile(const std::string& from, const std::string& to) override;
    leveldb::Status LockFile(const std::string& path, leveldb::FileLock** lock) override;
    leveldb::Status UnlockFile(leveldb::FileLock* lock) override;
    void Schedule(void (*function)(void*), void* argument) override;
    void StartThread(void (*function)(void*), void* argument) override;
    leveldb::Status GetTestDirectory(std::string* path) override;
    leveldb::Status NewLogger(const std::string& path, leveldb::Logger** logger) override;
    std::uint64_t NowMicros() override;
    void SleepForMicroseconds(int micros) override;

    // For the files of this environment: syncs the directory if files were created in it since it was synced
    // last.
    Status syncDirectoryIfChanged(const std::string& filePath);
    // What `attempt` returns, a Result; again as often as it finds no space and room could be made.
    template <class Attempt>
    auto withRoom(const Attempt& attempt) const {
        auto result = attempt();
        while (!result && result.error().kind() == ErrorKind::NoSpace && m_makeRoom && m_makeRoom())
            result = attempt();
        return result;
    }

  private:
    // Shared with the closures that an executor may run after the environment is gone.
    struct Queue {
        Mutex mutex;
        Condition changed;
        std::deque<std::function<void()>> jobs ARBOR_GUARDED_BY(mutex);
        bool stopping ARBOR_GUARDED_BY(mutex) = false;
        // false when there was none
        bool runOne();
        void runUntilStopped();
    };

    Disk& m_disk;
    const Executor m_executor;
    const std::function<bool()> m_makeRoom;
    std::atomic<bool> m_directoryChanged = true; // what happened before the start is unknown
    const std::shared_ptr<Queue> m_queue = std::make_shared<Queue>();
    Mutex m_mutex;
    std::unique_ptr<DiskLock> m_earlyLock ARBOR_GUARDED_BY(m_mutex);
    std::string m_earlyLockPath ARBOR_GUARDED_BY(m_mutex);
    std::thread m_thread ARBOR_GUARDED_BY(m_mutex);
};

} // namespace arbor
