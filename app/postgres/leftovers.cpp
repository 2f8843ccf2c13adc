#include "app/postgres/leftovers.h"

#include "app/postgres/shared_memory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <sstream>
#include <thread>

namespace arbor {

namespace fs = std::filesystem;

namespace {

constexpr const char* lockName = ".lock";
constexpr const char* postmasterPid = "postmaster.pid";

// The path as the kernel prints it in /proc. The data directory and its parent may be the mount, so only what
// lies above them is resolved.
std::string asProcShowsData(const std::string& directory) {
    const fs::path path = fs::path(directory).lexically_normal();
    const fs::path parent = path.parent_path();
    std::error_code error;
    const fs::path above = fs::canonical(parent.parent_path(), error);
    return error ? path.string() : (above / parent.filename() / path.filename()).string();
}

std::string asProcShowsWal(const std::string& directory) {
    std::error_code error;
    const fs::path path = fs::canonical(directory, error);
    return error ? fs::path(directory).lexically_normal().string() : path.string();
}

bool isIn(const std::string& path, const std::string& directory) {
    return path.starts_with(directory) &&
           (path.size() == directory.size() || path[directory.size()] == '/' ||
            path.compare(directory.size(), std::string::npos, " (deleted)") == 0);
}

bool isPostgres(const std::string& program) {
    return program == "postgres" || program == "postmaster";
}

// Field "flags:" of /proc/PID/fdinfo/N, in octal.
bool isOpenForWriting(pid_t pid, const std::string& descriptor) {
    const auto info = readSmallFile(fmt::format("/proc/{}/fdinfo/{}", pid, descriptor));
    const auto at = info ? info->find("flags:") : std::string::npos;
    if (at == std::string::npos)
        return false;
    return (std::strtol(info->c_str() + at + 6, nullptr, 8) & O_ACCMODE) != O_RDONLY;
}

struct Places {
    std::string data;
    std::string wal;
    std::string lock;
    bool contain(const std::string& path) const { return isIn(path, data) || isIn(path, wal); }
};

// What one process holds on the timeline, the worst first.
std::optional<Holder> holderOf(pid_t pid, const Places& places) {
    const std::string root = fmt::format("/proc/{}", pid);
    Holder holder;
    bool stands = false;
    bool writes = false;
    bool holdsLock = false;
    for (const char* link : {"cwd", "root"}) {
        const auto target = readProcLink(root + "/" + link);
        if (!target && std::string_view(link) == "cwd")
            return std::nullopt; // another user's, or ended
        if (target && places.contain(*target)) {
            stands = true;
            holder.path = *target;
        }
    }
    std::error_code error;
    for (fs::directory_iterator entry(root + "/fd", error), end; !error && entry != end;
         entry.increment(error)) {
        const auto target = readProcLink(entry->path());
        if (!target || !places.contain(*target))
            continue;
        holdsLock = holdsLock || isIn(*target, places.lock);
        if (isOpenForWriting(pid, entry->path().filename())) {
            writes = true;
            holder.path = *target;
        }
        stands = true;
        if (holder.path.empty())
            holder.path = *target;
    }
    if (!stands)
        return std::nullopt;
    holder.program = programName(pid);
    if (holdsLock || isPostgres(holder.program))
        holder.kind = Holder::Kind::Server;
    else if (writes)
        holder.kind = Holder::Kind::Writer;
    else
        return std::nullopt;
    return holder;
}

// Postmasters before their children, or a dead child would be replaced while we are at it.
void sortParentsFirst(std::vector<Holder>& holders) {
    const auto isChild = [&holders](const Holder& holder) {
        return std::ranges::any_of(holders,
                                   [&](const Holder& other) { return other.process.pid == holder.parent; });
    };
    std::vector<std::pair<bool, Holder>> keyed;
    for (const Holder& holder : holders)
        keyed.emplace_back(isChild(holder), holder);
    std::ranges::stable_sort(keyed, {}, &std::pair<bool, Holder>::first);
    std::ranges::transform(keyed, holders.begin(), &std::pair<bool, Holder>::second);
}

bool isLockFree(const std::string& walDirectory) {
    return TimelineLock::tryAcquire(walDirectory).has_value();
}

// Removes one lock file if the server that wrote it is gone; notes its postmaster as dead.
Status removeIfStale(const std::string& name, std::string_view content, const std::function<Status()>& remove,
                     std::vector<std::string>& removed) {
    const auto lockFile = parseLockFile(content);
    if (lockFile && isServerAlive(*lockFile))
        return makeError(
            ErrorKind::Busy,
            "{} belongs to a running PostgreSQL server, process {}, which PgArbor did not start; "
            "stop that server first",
            name, lockFile->pid);
    ARBOR_TRY(remove());
    removed.push_back(name);
    return {};
}

Status clearSocketDirectory(const std::string& directory, std::vector<std::string>& removed) {
    std::error_code error;
    std::vector<fs::path> lockFiles;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string name = entry->path().filename();
        if (name.starts_with(".s.PGSQL.") && name.ends_with(".lock"))
            lockFiles.push_back(entry->path());
    }
    for (const fs::path& path : lockFiles) {
        const auto remove = [&path]() -> Status {
            fs::path socket = path;
            socket.replace_extension(); // .s.PGSQL.5432.lock guards .s.PGSQL.5432
            std::error_code failure;
            fs::remove(socket, failure);
            if (!failure)
                fs::remove(path, failure);
            if (failure)
                return errnoError(failure.value(), "removing " + path.string());
            return {};
        };
        ARBOR_TRY(removeIfStale(path, readSmallFile(path).value_or(""), remove, removed));
    }
    return {};
}

} // namespace

Result<TimelineLock> TimelineLock::tryAcquire(const std::string& walDirectory) {
    const std::string path = walDirectory + "/" + lockName;
    UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file)
        return errnoError(errno, "opening " + path);
    while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return makeError(ErrorKind::Busy, "a PostgreSQL server still holds {}", path);
        if (errno != EINTR)
            return errnoError(errno, "locking " + path);
    }
    // A file that was replaced between open and lock guards nothing: the next one would lock another.
    struct stat opened {};
    struct stat named {};
    if (::fstat(file.get(), &opened) != 0 || ::lstat(path.c_str(), &named) != 0 ||
        opened.st_ino != named.st_ino || !S_ISREG(opened.st_mode))
        return makeError(ErrorKind::Busy, "{} was replaced while it was locked", path);
    return TimelineLock(std::move(file));
}

std::optional<ServerRecord> TimelineLock::record() const {
    char buffer[256];
    const ssize_t got = ::pread(m_descriptor.get(), buffer, sizeof buffer, 0);
    if (got <= 0)
        return std::nullopt;
    std::istringstream text(std::string(buffer, static_cast<std::size_t>(got)));
    ServerRecord record;
    if (!(text >> record.postmaster.pid >> record.postmaster.startTicks >> record.boot))
        return std::nullopt;
    return record;
}

Status TimelineLock::write(const ServerRecord& record) {
    const std::string text =
        fmt::format("{} {} {}\n", record.postmaster.pid, record.postmaster.startTicks, record.boot);
    // Not synced: after a power cut there is no server that it could speak of.
    if (::ftruncate(m_descriptor.get(), 0) != 0 ||
        ::pwrite(m_descriptor.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
        return errnoError(errno, "writing the lock file of a timeline");
    return {};
}

std::vector<Holder> findHolders(const TimelinePaths& paths) {
    Places places{
        .data = asProcShowsData(paths.dataDirectory), .wal = asProcShowsWal(paths.walDirectory), .lock = {}};
    places.lock = places.wal + "/" + lockName;
    std::vector<Holder> holders;
    for (const pid_t pid : allProcesses()) {
        if (pid == ::getpid())
            continue;
        const auto before = processInfo(pid);
        if (!before || before->hasEnded())
            continue;
        auto holder = holderOf(pid, places);
        const auto after = processInfo(pid);
        if (!holder || !after || after->identity != before->identity)
            continue; // ended meanwhile, or its number belongs to another by now
        holder->process = after->identity;
        holder->parent = after->parent;
        holder->state = after->state;
        holders.push_back(*holder);
    }
    sortParentsFirst(holders);
    return holders;
}

Status endServers(const TimelinePaths& paths, std::chrono::milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    while (true) {
        const std::vector<Holder> holders = findHolders(paths);
        std::vector<ProcessIdentity> servers;
        for (const Holder& holder : holders)
            if (holder.kind == Holder::Kind::Server)
                servers.push_back(holder.process);
        if (servers.empty()) {
            if (!holders.empty())
                return makeError(ErrorKind::Busy, "{} (process {}) has {} open for writing; close it first",
                                 holders.front().program, holders.front().process.pid, holders.front().path);
            if (isLockFree(paths.walDirectory))
                return {};
        }
        const auto remaining =
            std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
        const auto left = killAndWait(servers, std::max(std::chrono::milliseconds(0), remaining));
        if (std::chrono::steady_clock::now() >= deadline) {
            if (!left.empty())
                return makeError(
                    ErrorKind::Busy,
                    "process {} of a former PostgreSQL server does not end although it was killed: it "
                    "hangs in the kernel, usually on a file system that does not answer",
                    left.front().pid);
            return makeError(ErrorKind::Busy, "a process that cannot be seen holds {}/{}; stop it first",
                             paths.walDirectory, lockName);
        }
        // Nobody to wait for and the lock not free: somebody is between exit and the release of his files.
        if (servers.empty())
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
}

std::optional<LockFile> parseLockFile(std::string_view content) {
    std::istringstream text{std::string(content)};
    std::string pid;
    std::string start;
    LockFile lockFile;
    if (!std::getline(text, pid) || !std::getline(text, lockFile.dataDirectory) || !std::getline(text, start))
        return std::nullopt;
    const auto parse = [](const std::string& line, auto& value) {
        const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
        return error == std::errc() && end == line.data() + line.size();
    };
    if (!parse(pid, lockFile.pid) || !parse(start, lockFile.startTime) || lockFile.pid == 0)
        return std::nullopt;
    lockFile.pid = std::abs(lockFile.pid); // negative: a postgres --single
    std::string line;
    constexpr int statusLine = 8;
    for (int number = 4; number <= statusLine && std::getline(text, line); ++number)
        if (number == statusLine)
            lockFile.status = line.substr(0, line.find(' ')); // padded, so that the file keeps its size
    return lockFile;
}

bool mayLetIn(const DataFiles& dataFiles) {
    const auto content = dataFiles.read(postmasterPid);
    if (!content)
        return content.error().kind() != ErrorKind::NotFound;
    const auto lockFile = parseLockFile(*content);
    return lockFile && !lockFile->status.empty() && lockFile->status != "starting";
}

bool isServerAlive(const LockFile& lockFile) {
    const auto info = processInfo(lockFile.pid);
    // The clock may have been corrected a little since the file was written.
    constexpr std::int64_t tolerance = 2;
    return info && !info->hasEnded() && startedAt(info->identity) <= lockFile.startTime + tolerance &&
           isPostgres(programName(lockFile.pid));
}

DataFiles plainDataFiles(const std::string& directory) {
    const auto read = [directory](const std::string& name) -> Result<std::string> {
        const std::string path = directory + "/" + name;
        std::error_code error;
        if (!fs::exists(path, error))
            return makeError(ErrorKind::NotFound, "no file {}", path);
        auto content = readSmallFile(path);
        if (!content)
            return errnoError(errno, "reading " + path);
        return *std::move(content);
    };
    const auto remove = [directory](const std::string& name) -> Status {
        std::error_code error;
        fs::remove(directory + "/" + name, error);
        if (error)
            return errnoError(error.value(), "removing " + directory + "/" + name);
        return {};
    };
    return {read, remove};
}

Result<ClearedTimeline> clearTimeline(const TimelinePaths& paths, const DataFiles& dataFiles,
                                      const std::string& socketDirectory, std::chrono::milliseconds timeout) {
    ARBOR_TRY(endServers(paths, timeout));
    ARBOR_ASSIGN(TimelineLock lock, TimelineLock::tryAcquire(paths.walDirectory));
    ClearedTimeline cleared{.lock = std::move(lock), .removed = {}};
    std::vector<pid_t> dead;
    if (const auto record = cleared.lock.record(); record && record->boot == bootId())
        dead.push_back(record->postmaster.pid);
    if (auto content = dataFiles.read(postmasterPid)) {
        // Of an earlier boot: its shared memory is gone, and its pid may have been another server's since.
        const std::int64_t booted = startedAt({});
        if (const auto lockFile = parseLockFile(*content); lockFile && lockFile->startTime >= booted)
            dead.push_back(lockFile->pid);
        const auto remove = [&dataFiles] { return dataFiles.remove(postmasterPid); };
        ARBOR_TRY(removeIfStale(postmasterPid, *content, remove, cleared.removed));
    } else if (content.error().kind() != ErrorKind::NotFound) {
        return std::move(content).error();
    }
    ARBOR_TRY(clearSocketDirectory(socketDirectory, cleared.removed));
    std::ranges::move(clearSharedMemory(dead), std::back_inserter(cleared.removed));
    return cleared;
}

} // namespace arbor
