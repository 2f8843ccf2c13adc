#include "storage/fuse/notifier.h"

#include <csignal>

namespace arbor {

Notifier::Notifier(fuse_session* session, NodeTable& nodes) : m_session(session), m_nodes(nodes) {
    sigset_t all;
    sigset_t former;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &former);
    m_thread = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &former, nullptr);
}

Notifier::~Notifier() {
    {
        MutexLock lock(m_mutex);
        m_stopping = true;
        m_changed.notifyAll();
    }
    m_thread.join();
}

void Notifier::add(std::variant<Entry, Data> notification) {
    MutexLock lock(m_mutex);
    m_queue.push_back(std::move(notification));
    m_changed.notifyAll();
}

void Notifier::drain() {
    MutexLock lock(m_mutex);
    while (!m_queue.empty() || m_giving)
        m_changed.wait(m_mutex);
}

void Notifier::run() {
    for (;;) {
        std::variant<Entry, Data> next;
        {
            MutexLock lock(m_mutex);
            m_giving = false;
            m_changed.notifyAll();
            while (m_queue.empty() && !m_stopping)
                m_changed.wait(m_mutex);
            if (m_stopping) {
                m_queue.clear();
                return;
            }
            next = std::move(m_queue.front());
            m_queue.pop_front();
            m_giving = true;
        }
        std::visit([this](const auto& notification) { give(notification); }, next);
    }
}

// Errors are no matter: ENOENT says that the kernel had not cached it, ENODEV that there is no kernel to
// tell.
void Notifier::give(const Entry& entry) {
    const auto parent = entry.directory ? m_nodes.nodeOf(entry.timeline, entry.directory)
                                        : std::optional<std::uint64_t>(NodeTable::mountRoot);
    if (parent)
        fuse_lowlevel_notify_inval_entry(m_session, *parent, entry.name.c_str(), entry.name.size());
}

void Notifier::give(const Data& data) {
    if (const auto node = m_nodes.nodeOf(data.timeline, data.inode))
        fuse_lowlevel_notify_inval_inode(m_session, *node, static_cast<off_t>(data.offset),
                                         static_cast<off_t>(data.length));
}

} // namespace arbor
