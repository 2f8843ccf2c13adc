#include "storage/disk/leveldb_env.h"

#include "storage/base/turns.h"

#include <leveldb/slice.h>
#include <leveldb/status.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdarg>
#include <cstdio>

namespace arbor {

namespace {

using LevelStatus = leveldb::Status;

Bytes bytesOf(const leveldb::Slice& slice) {
    return std::as_bytes(std::span(slice.data(), slice.size()));
}

class SequentialReader final : public leveldb::SequentialFile {
  public:
    explicit SequentialReader(std::shared_ptr<ReadableFile> file) : m_file(std::move(file)) {}

    LevelStatus Read(std::size_t n, leveldb::Slice* result, char* scratch) override {
        const auto got = m_file->readAt(m_at, std::as_writable_bytes(std::span(scratch, n)));
        *result = leveldb::Slice(scratch, got ? *got : 0);
        if (!got)
            return statusOf(got.error());
        m_at += *got;
        return LevelStatus::OK();
    }
    LevelStatus Skip(std::uint64_t n) override {
        m_at += n;
        return LevelStatus::OK();
    }

  private:
    const std::shared_ptr<ReadableFile> m_file;
    std::uint64_t m_at = 0;
};

class RandomReader final : public leveldb::RandomAccessFile {
  public:
    explicit RandomReader(std::shared_ptr<ReadableFile> file) : m_file(std::move(file)) {}

    LevelStatus Read(std::uint64_t offset, std::size_t n, leveldb::Slice* result,
                     char* scratch) const override {
        const auto got = m_file->readAt(offset, std::as_writable_bytes(std::span(scratch, n)));
        *result = leveldb::Slice(scratch, got ? *got : 0);
        return got ? LevelStatus::OK() : statusOf(got.error());
    }

  private:
    const std::shared_ptr<ReadableFile> m_file;
};

// Collects up to 64 KB. LevelDB flushes after every fragment of a record; we write when the buffer is full or
// the file is synced or closed, which is enough because nothing that matters is read before one of these.
class Writer final : public leveldb::WritableFile {
  public:
    Writer(LevelDbEnv& env, std::unique_ptr<AppendableFile> file, std::string path)
        : m_env(env), m_file(std::move(file)), m_path(std::move(path)) {}
    ~Writer() override {
        if (m_file)
            static_cast<void>(writeOut());
    }

    LevelStatus Append(const leveldb::Slice& data) override {
        if (m_buffer.size() + data.size() > bufferBytes) {
            if (LevelStatus written = writeOut(); !written.ok())
                return written;
        }
        if (data.size() >= bufferBytes)
            return put(bytesOf(data));
        m_buffer.append(data.data(), data.size());
        return m_failure;
    }
    LevelStatus Close() override {
        LevelStatus written = writeOut();
        m_file.reset();
        return written;
    }
    LevelStatus Flush() override { return m_failure; }
    LevelStatus Sync() override {
        if (LevelStatus written = writeOut(); !written.ok())
            return written;
        if (Status synced = m_file->sync(); !synced)
            return m_failure = statusOf(synced.error());
        if (Status synced = m_env.syncDirectoryIfChanged(m_path); !synced)
            return m_failure = statusOf(synced.error());
        return LevelStatus::OK();
    }

  private:
    static constexpr std::size_t bufferBytes = 64 << 10;

    LevelStatus writeOut() {
        if (m_buffer.empty() || !m_failure.ok())
            return m_failure;
        LevelStatus written = put(std::as_bytes(std::span(m_buffer)));
        m_buffer.clear();
        return written;
    }
    // After a failure a part of the bytes is in the file; more behind it would look whole and not be.
    LevelStatus put(Bytes bytes) {
        if (!m_failure.ok())
            return m_failure;
        const std::uint64_t start = m_file->size();
        const Status appended =
            m_env.withRoom([&] { return m_file->append(bytes.subspan(m_file->size() - start)); });
        if (!appended)
            m_failure = statusOf(appended.error());
        return m_failure;
    }

    LevelDbEnv& m_env;
    std::unique_ptr<AppendableFile> m_file; // none once closed
    const std::string m_path;
    std::string m_buffer;
    LevelStatus m_failure;
};

class Lock final : public leveldb::FileLock {
  public:
    explicit Lock(std::unique_ptr<DiskLock> lock) : m_lock(std::move(lock)) {}

  private:
    std::unique_ptr<DiskLock> m_lock;
};

// LevelDB's chatter is for whoever asked for it; errors reach the caller as statuses.
class Logger final : public leveldb::Logger {
  public:
    void Logv(const char* format, std::va_list arguments) override {
        if (!spdlog::should_log(spdlog::level::debug))
            return;
        char text[512];
        const int length = std::vsnprintf(text, sizeof text, format, arguments);
        std::string_view line(text, std::min<std::size_t>(std::max(length, 0), sizeof text - 1));
        while (!line.empty() && line.back() == '\n')
            line.remove_suffix(1);
        spdlog::debug("leveldb: {}", line);
    }
};

constexpr std::string_view endOfKind = ": ";

} // namespace

LevelStatus statusOf(const Error& error) {
    if (error.kind() == ErrorKind::NotFound)
        return LevelStatus::NotFound(error.message());
    return LevelStatus::IOError(std::string(kindName(error.kind())), error.message());
}

Error errorOf(const LevelStatus& status) {
    const std::string text = status.ToString();
    if (status.IsNotFound())
        return {ErrorKind::NotFound, text};
    const std::size_t from = text.find(endOfKind) + endOfKind.size(); // behind "IO error: "
    const std::size_t to = text.find(endOfKind, from);
    const std::string_view name = std::string_view(text).substr(from, to - from);
    const ErrorKind kind = kindFromName(name);
    const bool ours = status.IsIOError() && kindName(kind) == name;
    return {ours ? kind : ErrorKind::Io, ours ? text.substr(to + endOfKind.size()) : text};
}

bool LevelDbEnv::Queue::runOne() {
    std::function<void()> job;
    {
        const MutexLock lock(mutex);
        if (jobs.empty())
            return false;
        job = std::move(jobs.front());
        jobs.pop_front();
    }
    job();
    return true;
}

void LevelDbEnv::Queue::runUntilStopped() {
    const LongTurns nobodyWaits;
    for (;;) {
        while (runOne()) {
        }
        const MutexLock lock(mutex);
        while (jobs.empty() && !stopping)
            changed.wait(mutex);
        if (jobs.empty())
            return;
    }
}

LevelDbEnv::LevelDbEnv(Disk& disk, Executor executor, std::function<bool()> makeRoom)
    : m_disk(disk), m_executor(std::move(executor)), m_makeRoom(std::move(makeRoom)) {
    if (!m_executor)
        runBackgroundWorkHere();
}

LevelDbEnv::~LevelDbEnv() {
    {
        const MutexLock lock(m_queue->mutex);
        m_queue->stopping = true;
        m_queue->changed.notifyAll();
    }
    std::thread thread;
    {
        const MutexLock lock(m_mutex);
        thread = std::move(m_thread);
    }
    if (thread.joinable())
        thread.join();
}

void LevelDbEnv::runBackgroundWorkHere() {
    const MutexLock lock(m_mutex);
    if (!m_thread.joinable())
        m_thread = std::thread([queue = m_queue] { queue->runUntilStopped(); });
}

Status LevelDbEnv::lockEarly(const std::string& path) {
    ARBOR_ASSIGN(auto taken, m_disk.lock(path));
    const MutexLock lock(m_mutex);
    m_earlyLock = std::move(taken);
    m_earlyLockPath = path;
    return {};
}

Status LevelDbEnv::syncDirectoryIfChanged(const std::string& filePath) {
    // cleared first: a file created during the sync needs another one
    if (!m_directoryChanged.exchange(false))
        return {};
    Status synced = m_disk.syncDirectory(filePath.substr(0, filePath.find_last_of('/')));
    if (!synced)
        m_directoryChanged = true;
    return synced;
}

LevelStatus LevelDbEnv::NewSequentialFile(const std::string& path, leveldb::SequentialFile** file) {
    *file = nullptr;
    auto opened = m_disk.openRead(path);
    if (!opened)
        return statusOf(opened.error());
    *file = new SequentialReader(std::move(*opened));
    return LevelStatus::OK();
}

LevelStatus LevelDbEnv::NewRandomAccessFile(const std::string& path, leveldb::RandomAccessFile** file) {
    *file = nullptr;
    auto opened = m_disk.openRead(path);
    if (!opened) {
        // LevelDB would hand NotFound through to a get(), where it means that there is no such key
        if (opened.error().kind() == ErrorKind::NotFound)
            return LevelStatus::Corruption("a table is missing", path);
        return statusOf(opened.error());
    }
    *file = new RandomReader(std::move(*opened));
    return LevelStatus::OK();
}

LevelStatus LevelDbEnv::NewWritableFile(const std::string& path, leveldb::WritableFile** file) {
    *file = nullptr;
    // A leftover of that name belongs to nobody: LevelDB takes a number again only if it never became
    // durable.
    if (Status removed = m_disk.unlink(path); !removed && removed.error().kind() != ErrorKind::NotFound)
        return statusOf(removed.error());
    auto created = withRoom([&] { return m_disk.createAppend(path); });
    if (!created)
        return statusOf(created.error());
    m_directoryChanged = true;
    *file = new Writer(*this, std::move(*created), path);
    return LevelStatus::OK();
}

LevelStatus LevelDbEnv::NewAppendableFile(const std::string& path, leveldb::WritableFile** file) {
    *file = nullptr;
    auto opened = withRoom([&] { return m_disk.openAppend(path); });
    if (!opened)
        return statusOf(opened.error());
    m_directoryChanged = true;
    *file = new Writer(*this, std::move(*opened), path);
    return LevelStatus::OK();
}

bool LevelDbEnv::FileExists(const std::string& path) {
    const auto info = m_disk.info(path);
    // "Cannot tell" must not look like "there is none": LevelDB would make a new database over the old one.
    return info || info.error().kind() != ErrorKind::NotFound;
}

LevelStatus LevelDbEnv::GetChildren(const std::string& directory, std::vector<std::string>* names) {
    names->clear();
    auto listed = m_disk.list(directory);
    if (!listed)
        return statusOf(listed.error());
    *names = std::move(*listed);
    return LevelStatus::OK();
}

LevelStatus LevelDbEnv::RemoveFile(const std::string& path) {
    const Status removed = m_disk.unlink(path);
    return removed ? LevelStatus::OK() : statusOf(removed.error());
}

LevelStatus LevelDbEnv::CreateDir(const std::string& path) {
    const Status made = ensureDirectory(m_disk, path);
    return made ? LevelStatus::OK() : statusOf(made.error());
}

LevelStatus LevelDbEnv::RemoveDir(const std::string& path) {
    const Status removed = m_disk.removeDirectory(path);
    return removed ? LevelStatus::OK() : statusOf(removed.error());
}

LevelStatus LevelDbEnv::GetFileSize(const std::string& path, std::uint64_t* size) {
    const auto info = m_disk.info(path);
    *size = info ? info->size : 0;
    return info ? LevelStatus::OK() : statusOf(info.error());
}

LevelStatus LevelDbEnv::RenameFile(const std::string& from, const std::string& to) {
    if (Status renamed = m_disk.rename(from, to); !renamed)
        return statusOf(renamed.error());
    m_directoryChanged = true;
    const Status synced = syncDirectoryIfChanged(to);
    return synced ? LevelStatus::OK() : statusOf(synced.error());
}

LevelStatus LevelDbEnv::LockFile(const std::string& path, leveldb::FileLock** lock) {
    *lock = nullptr;
    {
        const MutexLock guard(m_mutex);
        if (m_earlyLock && m_earlyLockPath == path) {
            *lock = new Lock(std::move(m_earlyLock));
            return LevelStatus::OK();
        }
    }
    auto taken = m_disk.lock(path);
    if (!taken)
        return statusOf(taken.error());
    *lock = new Lock(std::move(*taken));
    return LevelStatus::OK();
}

LevelStatus LevelDbEnv::UnlockFile(leveldb::FileLock* lock) {
    delete lock;
    return LevelStatus::OK();
}

void LevelDbEnv::Schedule(void (*function)(void*), void* argument) {
    {
        const MutexLock lock(m_queue->mutex);
        m_queue->jobs.push_back([function, argument] { function(argument); });
        m_queue->changed.notifyOne();
    }
    // the executor is told that there is work and not given it, so that closing can take it away from it
    if (m_executor)
        m_executor([queue = m_queue] { queue->runOne(); });
}

void LevelDbEnv::StartThread(void (*function)(void*), void* argument) {
    std::thread(function, argument).detach();
}

LevelStatus LevelDbEnv::GetTestDirectory(std::string*) {
    return LevelStatus::NotSupported("no test directory on this disk");
}

LevelStatus LevelDbEnv::NewLogger(const std::string&, leveldb::Logger** logger) {
    *logger = new Logger;
    return LevelStatus::OK();
}

std::uint64_t LevelDbEnv::NowMicros() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(now).count());
}

void LevelDbEnv::SleepForMicroseconds(int micros) {
    std::this_thread::sleep_for(std::chrono::microseconds(micros));
}

} // namespace arbor
