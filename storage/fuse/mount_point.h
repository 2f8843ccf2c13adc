// Mounting and unmounting, without ever touching what is mounted: a dead or stopped mount would answer
// ENOTCONN or never. What is mounted where is read from /proc/self/mountinfo.
#pragma once

#include "storage/base/status.h"
#include "storage/engine/branch_view.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace arbor {

// Owns a descriptor.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int fd) : m_fd(fd) {}
    Descriptor(Descriptor&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(m_fd, other.m_fd);
        return *this;
    }
    ~Descriptor() { reset(); }

    int get() const { return m_fd; }
    explicit operator bool() const { return m_fd >= 0; }
    void reset();

  private:
    int m_fd = -1;
};

struct MountRecord {
    std::string path;
    std::string type;   // "fuse.pgarbor"
    std::string device; // "0:57"; that of a mount that is gone is given again
    std::string source; // "pgarbor:4711", the engine that mounted it as root
};

// The mount that is on top at this path, as /proc/self/mountinfo tells it.
Result<std::optional<MountRecord>> mountAt(const std::string& path);
// The same from the text of a mountinfo file.
std::optional<MountRecord> findMount(std::string_view mountInfo, const std::string& path);
// Symbolic links resolved in all but the last part, which may be a dead mount.
Result<std::string> resolveMountPath(const std::string& path);

// Clears what a dead engine left mounted at `path`: the caller holds the store's lock, so no living engine
// serves it. Any other file system there is Busy. Nothing mounted, or no such directory: success.
Status clearDeadMount(const std::string& path);

// Can this user mount by itself, or must root mount before it becomes that user? False when /dev/fuse is not
// open to the user, or fusermount3 is missing, not setuid, or held back by no_new_privs.
bool ordinaryUserCanMount(Owner user);
// Becomes this user for good: groups, all user and group ids, and thereby every capability. Refused when root
// could be had back.
Status dropPrivileges(Owner user);

// Mounts and answers the open device. `path` is resolved.
Result<Descriptor> mountAsRoot(const std::string& path, Owner servedBy);
Result<Descriptor> mountByHelper(const std::string& path); // fusermount3
// Unmounts through fusermount3; lazily: detaches also what is in use. Busy when it is in use and not lazily.
Status unmountByHelper(const std::string& path, bool lazily);

// Further descriptors of the same connection, one a worker, so that workers do not queue for one lock. Fewer
// than asked for, or none, when /dev/fuse is closed to us: it still works.
std::vector<Descriptor> cloneDevice(const Descriptor& device, int count);

} // namespace arbor
