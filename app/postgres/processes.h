// What /proc says about processes, and how to end one without hitting another that took its number.
//
// Nothing here follows a link of another process: a stat() through /proc/PID/cwd may enter the mount that
// this very program serves, and wait for itself. Only readlink(), which the kernel answers from memory.
//
// All functions are thread-safe.
#pragma once

#include "app/postgres/unique_fd.h"
#include "storage/base/status.h"

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace arbor {

// A pid alone names a process only until the number is used again; with the start time it names one for as
// long as the machine runs.
struct ProcessIdentity {
    pid_t pid = 0;
    std::uint64_t startTicks = 0; // field 22 of /proc/PID/stat: clock ticks after boot
    bool operator==(const ProcessIdentity&) const = default;
};

struct ProcessInfo {
    ProcessIdentity identity;
    pid_t parent = 0;
    char state = '?'; // as in /proc/PID/stat: R, S, D, T (stopped), Z (zombie) ...
    // A zombie has given back its files, locks and memory: it is waiting to be reaped and nothing else.
    bool hasEnded() const { return state == 'Z' || state == 'X'; }
    bool isStopped() const { return state == 'T' || state == 't'; }
};

// Nothing when there is no such process.
std::optional<ProcessInfo> processInfo(pid_t pid);
// The process that bears this identity exists and is no zombie.
bool isAlive(const ProcessIdentity& identity);
std::vector<pid_t> allProcesses();
// The last part of the path of its program, "" when that cannot be read (another user's process).
std::string programName(pid_t pid);
// When it started, in seconds since 1970 by the present clock; accurate to about a second.
std::int64_t startedAt(const ProcessIdentity& identity);
// Changes with every boot of the machine.
std::string bootId();

// The target of a link of /proc; nothing when it cannot be read.
std::optional<std::string> readProcLink(const std::string& path);
// The content of a file of /proc or of another small file; nothing when it cannot be read.
std::optional<std::string> readSmallFile(const std::string& path);

// Sends a signal to exactly that process; false when it is gone.
bool signalProcess(const ProcessIdentity& identity, int signal);
// Sends SIGKILL to all and waits until each has ended (as a zombie at least; children of this process are
// left to whoever reaps them). Returns those that had not ended when the time was up: they hang in the
// kernel.
std::vector<ProcessIdentity> killAndWait(std::span<const ProcessIdentity> processes,
                                         std::chrono::milliseconds timeout);

} // namespace arbor
