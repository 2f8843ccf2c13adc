// Making sure that nothing is on a timeline before a server starts there, or its log is scanned or forked.
//
// If the engine dies, its servers may live on and even go on committing, for their log is outside the mount;
// a second server on the same wal/ would overwrite acknowledged commits. Postgres's own interlocks do not
// help after a remount. Ours is a flock on wal/<timeline>/.lock: every process of a server inherits the open
// file and so holds the lock until the last of them has ended, whatever happened to the engine.
//
// All functions may block (for as long as their time limits say) and may be called from any thread.
#pragma once

#include "app/postgres/processes.h"
#include "app/postgres/unique_fd.h"
#include "storage/base/status.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace arbor {

struct TimelinePaths {
    std::string dataDirectory; // absolute; never entered here, for it may be the mount
    std::string walDirectory;  // absolute; on the host's file system; must exist
};

// What the lock file holds about the server that was started last.
struct ServerRecord {
    ProcessIdentity postmaster;
    std::string boot; // bootId() when it started
};

// The flock on wal/<timeline>/.lock. Released when the last descriptor of it is closed: this one, or the ones
// that the server's processes inherited.
class TimelineLock {
  public:
    // Busy when somebody holds it. Follows no symbolic link at .lock.
    static Result<TimelineLock> tryAcquire(const std::string& walDirectory);

    int descriptor() const { return m_descriptor.get(); }
    std::optional<ServerRecord> record() const;
    Status write(const ServerRecord& record);

  private:
    explicit TimelineLock(UniqueFd descriptor) : m_descriptor(std::move(descriptor)) {}
    UniqueFd m_descriptor;
};

struct Holder {
    enum class Kind {
        Server, // holds the lock, or is a postgres that works or has files open in there: is ended
        Writer, // another program with a file open for writing there: somebody is at work, nobody may start
    };
    ProcessIdentity process;
    pid_t parent = 0;
    char state = '?';
    Kind kind = Kind::Server;
    std::string program;
    std::string path; // what it holds there
};

// The processes of this user that are on the timeline, this process excepted: by working directory, root and
// open files. A shell that merely stands in there, and a program that only reads, are no danger and not
// listed.
std::vector<Holder> findHolders(const TimelinePaths& paths);

// Ends every left-over server process with SIGKILL, postmasters first, and waits until the lock is free and
// nobody is left. Busy, naming who and what to do, when a process does not end in time or a Writer is there.
Status endServers(const TimelinePaths& paths, std::chrono::milliseconds timeout);

// The lines of postmaster.pid and of .s.PGSQL.<port>.lock that matter here (miscadmin.h, LOCK_FILE_LINE_*).
struct LockFile {
    pid_t pid = 0;
    std::string dataDirectory;
    std::int64_t startTime = 0; // seconds since 1970, by the server's clock
    // "starting", "ready" and others (pidfile.h, PM_STATUS_*); empty until it is written
    std::string status = {};
};
// Nothing when it is no lock file: empty or torn, which Postgres refuses to start over.
std::optional<LockFile> parseLockFile(std::string_view content);
// The server that wrote it is there: a process with its pid that is no zombie, began no later than the file
// says, and is a postgres. A reused pid, a zombie or a reboot is not it.
bool isServerAlive(const LockFile& lockFile);

// Access to files directly in the data directory. The engine hands in functions that go to its own view of
// the timeline; plainDataFiles() serves a data directory that is no mount of ours.
struct DataFiles {
    std::function<Result<std::string>(const std::string& name)> read; // NotFound when absent
    std::function<Status(const std::string& name)> remove;
};
DataFiles plainDataFiles(const std::string& directory);
// Whether a server that is starting may let somebody in by now: by its own word in postmaster.pid, or because
// that cannot be read.
bool mayLetIn(const DataFiles& dataFiles);

struct ClearedTimeline {
    TimelineLock lock;                // held: hand it to the server, or drop it
    std::vector<std::string> removed; // stale lock files and shared memory, for the log
};
// All of the above, in this order: end left-over processes, take the lock, remove stale lock files in the
// data directory and the socket directory (which may not exist yet), clear shared memory.
Result<ClearedTimeline> clearTimeline(const TimelinePaths& paths, const DataFiles& dataFiles,
                                      const std::string& socketDirectory,
                                      std::chrono::milliseconds timeout = std::chrono::seconds(10));

} // namespace arbor
