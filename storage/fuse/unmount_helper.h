// The small process that unmounts what root mounted, once the engine that serves it has no privileges any
// more.
#pragma once

#include "storage/fuse/mount_point.h"

#include <memory>
#include <string>
#include <sys/types.h>

namespace arbor {

// Forked by root before privileges are dropped. It closes everything but one socket to the engine, and does
// only what the three commands say, to one path. When the socket closes (the engine died) it detaches the
// mount, provided the mount is still the one it was told of: a successor may have mounted anew at the same
// path.
//
// One thread at a time.
class UnmountHelper {
  public:
    static Result<std::unique_ptr<UnmountHelper>> start(const std::string& path);
    ~UnmountHelper();
    UnmountHelper(const UnmountHelper&) = delete;
    UnmountHelper& operator=(const UnmountHelper&) = delete;

    // Which mount is meant, by its source ("pgarbor:4711"): its device number may be a successor's by then.
    Status remember(const std::string& source);
    // Unmounts. Busy when it is in use and not `lazily`.
    Status unmount(bool lazily);

  private:
    UnmountHelper(Descriptor socket, pid_t process) : m_socket(std::move(socket)), m_process(process) {}
    Result<int> ask(const std::string& command);

    Descriptor m_socket;
    pid_t m_process;
};

} // namespace arbor
