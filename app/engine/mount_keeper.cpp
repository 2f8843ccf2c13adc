#include "app/engine/mount_keeper.h"

#include "storage/fuse/mount_point.h"

#include <chrono>

namespace arbor {

namespace {

constexpr std::chrono::seconds patience{2};

std::string messageOf(const Status& done) {
    return done ? std::string() : done.error().message();
}

} // namespace

Status MountKeeper::need() {
    const std::lock_guard lock(m_mutex);
    auto done = clearWhatWasTakenAway();
    if (done)
        done = prepareAndServe();
    m_problem = messageOf(done);
    if (!done)
        return std::move(done).error().during("no server can be started");
    return {};
}

void MountKeeper::serve(ViewProvider& provider) {
    const std::lock_guard lock(m_mutex);
    m_provider = &provider;
    if (!m_mount)
        return;
    m_problem = messageOf(prepareAndServe());
}

void MountKeeper::end() {
    m_served = std::shared_ptr<Mount>();
    m_mount.reset();
}

std::string MountKeeper::problem() const {
    const std::lock_guard lock(m_mutex);
    return m_problem;
}

// It lives on, out of sight, while somebody has a file of it open, and ends a moment after the last.
Status MountKeeper::clearWhatWasTakenAway() {
    if (!m_mount)
        return {};
    ARBOR_ASSIGN(const auto present, mountAt(m_mount->path()));
    {
        std::unique_lock lock(m_endMutex);
        if (present && !m_ended)
            return {};
        if (!m_endChanged.wait_for(lock, patience, [this] { return m_ended; }))
            return makeError(ErrorKind::Busy,
                             "somebody unmounted {} while servers run on it: stop them all, then start again",
                             m_mount->path());
    }
    end();
    return {};
}

Status MountKeeper::prepareAndServe() {
    if (!m_mount) {
        {
            const std::lock_guard lock(m_endMutex);
            m_ended = false;
        }
        ARBOR_ASSIGN(m_mount, m_prepare([this] {
                         const std::lock_guard lock(m_endMutex);
                         m_ended = true;
                         m_endChanged.notify_all();
                     }));
    }
    if (!m_provider || m_served.load())
        return {};
    if (Status served = m_mount->serve(*m_provider); !served) {
        m_mount.reset();
        return served;
    }
    m_served = m_mount;
    return {};
}

} // namespace arbor
