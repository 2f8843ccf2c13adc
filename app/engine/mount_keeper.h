// The engine's mount, or why there is none. What is missing (the device, the permission, fusermount3) may be
// there a minute later, and a mount may be taken away by others: whoever needs it has it tried again.
#pragma once

#include "storage/fuse/mount.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace arbor {

// Thread-safe but for end() and destruction.
class MountKeeper {
  public:
    // Mounts, by whatever right the process has when it is called (Mount::prepare). `ended` is for
    // MountOptions.
    using Prepare = std::function<Result<std::unique_ptr<Mount>>(std::function<void()> ended)>;

    explicit MountKeeper(Prepare prepare) : m_prepare(std::move(prepare)) {}

    // Mounts, unless that has been done, and serves it if there is a provider. The error says that no server
    // can be started, and why; Busy while servers hold on to a mount that was taken away.
    Status need();
    // From now on the mount shows what `provider` has, which outlives it. Without a mount: once there is one.
    void serve(ViewProvider& provider);
    // Unmounts.
    void end();

    // The one that is served; none while there is none.
    std::shared_ptr<Mount> mount() const { return m_served; }
    // Why there is none; empty while nothing failed.
    std::string problem() const;

  private:
    // With the mutex held.
    Status prepareAndServe();
    Status clearWhatWasTakenAway();

    mutable std::mutex m_mutex; // all up to m_mount
    const Prepare m_prepare;
    ViewProvider* m_provider = nullptr;
    std::string m_problem;
    std::shared_ptr<Mount> m_mount;
    std::atomic<std::shared_ptr<Mount>> m_served;
    std::mutex m_endMutex;
    std::condition_variable m_endChanged;
    bool m_ended = false; // the mount, by other hands
};

} // namespace arbor
