// Starting a server so that it cannot outlive its engine unnoticed.
#pragma once

#include "app/postgres/unique_fd.h"
#include "storage/base/status.h"

#include <atomic>
#include <string>
#include <sys/types.h>
#include <vector>

namespace arbor {

struct SpawnRequest {
    std::string program;
    std::vector<std::string> arguments; // without the program's name
    std::vector<std::string> environment;
    int logDescriptor = -1;  // becomes standard output and standard error
    int lockDescriptor = -1; // the only other descriptor that is inherited
};

struct SpawnedProcess {
    pid_t pid = 0;
    UniqueFd handle; // a pidfd: readable when the process has ended; then waitid(P_PIDFD) reaps it
};

// Starts the program in a session of its own, in "/", with umask 077, default signal handling, and SIGQUIT as
// the signal that the kernel sends it when the calling thread ends. So call this from a thread that lives as
// long as the process: the one with main().
//
// SIGQUIT and not SIGKILL: on SIGQUIT a postmaster takes its backends along at once (immediate shutdown). A
// postmaster that is killed cannot; its busy backends notice only when they next wait for a client, and
// commit until then. A postmaster that cannot handle the signal leaves processes that hold the lock: see
// leftovers.h.
//
// The new process writes its pid into *announced before the program begins, so that whoever is asked about
// the program's first steps from another thread knows it already.
Result<SpawnedProcess> spawnServer(const SpawnRequest& request, std::atomic<pid_t>* announced);

} // namespace arbor
