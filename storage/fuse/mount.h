// Mount: the one FUSE mount of a store. Its root lists one directory a timeline (the name is the decimal
// TimelineId); below each is what that timeline's BranchView answers. A fork needs no new mount.
//
// Life: prepare() mounts, with whatever privileges the process has; the caller may then drop them for good;
// serve() starts to answer. Destroying the Mount unmounts. Until serve() a process that touches the mount
// waits.
//
// Invariants:
//  1. Nothing that serves the mount ever touches the mount itself: not this process, and not the process that
//     unmounts. State is read from /proc/self/mountinfo.
//  2. A node id of the kernel is never used twice (node_table.h).
//  3. A read inside a file's size is answered in full or with an error; no request is ever answered EINTR.
//  4. No lock is held while the kernel is notified, and notifications come from a thread that serves nothing.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/status.h"
#include "storage/engine/branch_view.h"
#include "storage/fuse/metrics.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace arbor {

// What the mount asks of its owner. Called from any worker thread, at the same time; must not touch the
// mount.
class ViewProvider {
  public:
    virtual ~ViewProvider() = default;

    // The view of a timeline that may be seen in the mount; NotFound for any other. The mount keeps the view
    // while the kernel knows a file of it. When a later call answers another object, the files known so far
    // become stale.
    virtual Result<std::shared_ptr<BranchView>> view(TimelineId timeline) = 0;
    // The timelines to list in the mount's root.
    virtual std::vector<TimelineId> timelines() = 0;
    // May this process create postmaster.pid? Only a server that the engine started itself may: a second one
    // on the same log overwrites acknowledged commits.
    virtual bool mayStartServer(TimelineId timeline, pid_t process) = 0;
    // Of the store, for statfs on the mount's root.
    virtual Result<SpaceInfo> space() = 0;
    // A server was refused a link that leaves its data directory. It can only print the errno: the sentence
    // that helps goes where people look.
    virtual void linkRefused(TimelineId timeline, const std::string& sentence) = 0;
};

struct MountOptions {
    // An existing, empty directory with an absolute path. All of the path but its last part is resolved once.
    std::string path;
    // With the timeline's id it makes the inode number of a data directory, to which Postgres keys its shared
    // memory: two stores must differ.
    std::uint64_t storeId = 0;
    // Requests served at a time. fsyncs that wait take none.
    int threads = 6;
    // Only for a process that is root: the user and group that it is going to become.
    Owner servedBy;
    // Only for a process that is root: the kernel's read-ahead. An ordinary user gets 128 KB whatever it
    // asks.
    std::uint32_t readAheadBytes = 2u << 20;
    // Requests over io_uring where the kernel offers it (ring.h).
    bool rings = true;
    // A sentence for the log: an error that a process was answered and that its files do not explain.
    // Rate-limited. Called from any thread.
    std::function<void(const std::string&)> log;
    // The mount went away by other hands (fusermount3 -u, an aborted connection). Called once, from a thread
    // of the mount, never after the destructor has begun; it must not destroy the Mount.
    std::function<void()> ended;
};

class Mount {
  public:
    // Mounts and greets the kernel. As root by mount(2) for options.servedBy (visible to other users as far
    // as the permissions of files allow it), leaving a small process behind that unmounts when the engine is
    // gone: the engine itself may not do so after it dropped its privileges. Otherwise through fusermount3.
    // Forks: call it early, before there are many threads.
    static Result<std::unique_ptr<Mount>> prepare(MountOptions options);

    // Unmounts; when servers still use the mount it is detached, and they are answered ENOTCONN from then on.
    // Waits for syncs that were asked for.
    ~Mount();
    Mount(const Mount&) = delete;
    Mount& operator=(const Mount&) = delete;

    // Starts to answer, once. `provider` must outlive the Mount. On success another process has seen the
    // mount's root answered under the privileges of now.
    Status serve(ViewProvider& provider);

    // A name or the bytes of a file were changed by the engine and not by a process in the mount (half a page
    // dropped with its writer, for one). Queued: the kernel forgets what it cached a moment later. drain()
    // waits for it.
    void invalidateEntry(TimelineId timeline, InodeId directory, std::string_view name);
    void invalidateData(TimelineId timeline, InodeId inode, std::uint64_t offset, std::uint64_t length);
    // The timeline is no longer to be seen: its open files answer ESTALE from now on, the kernel forgets the
    // rest. Make the provider answer NotFound first. The view is let go when the kernel has forgotten its
    // last file.
    void retire(TimelineId timeline);
    // Waits until the notifications queued so far have been given. Not for a worker thread.
    void drain();

    const std::string& path() const;
    bool hasRings() const;
    const MountMetrics& metrics() const;
    // How many files and directories the kernel knows.
    std::size_t knownNodes() const;

  private:
    struct Parts;
    explicit Mount(std::unique_ptr<Parts> parts);

    std::unique_ptr<Parts> m_parts;
};

} // namespace arbor
