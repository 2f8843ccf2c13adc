// Tells the kernel what to forget, from a thread of its own.
#pragma once

#include "storage/base/mutex.h"
#include "storage/fuse/node_table.h"
#include "storage/fuse/session.h"

#include <deque>
#include <string>
#include <thread>
#include <variant>

namespace arbor {

// A notification takes the kernel's lock of a directory or waits for pages that are being read, that is: for
// the workers. So it is given by a thread that serves nothing, while no lock of ours is held.
class Notifier {
  public:
    struct Entry {
        TimelineId timeline;
        InodeId directory; // none: the mount's root
        std::string name;
    };
    struct Data {
        TimelineId timeline;
        InodeId inode;
        std::uint64_t offset;
        std::uint64_t length;
    };

    Notifier(fuse_session* session, NodeTable& nodes);
    ~Notifier(); // what is queued is not given any more
    Notifier(const Notifier&) = delete;
    Notifier& operator=(const Notifier&) = delete;

    void add(std::variant<Entry, Data> notification) ARBOR_EXCLUDES(m_mutex);
    // Waits until the queue is empty and nothing is being given.
    void drain() ARBOR_EXCLUDES(m_mutex);

  private:
    void run() ARBOR_EXCLUDES(m_mutex);
    void give(const Entry& entry);
    void give(const Data& data);

    fuse_session* const m_session;
    NodeTable& m_nodes;
    Mutex m_mutex;
    Condition m_changed;
    std::deque<std::variant<Entry, Data>> m_queue ARBOR_GUARDED_BY(m_mutex);
    bool m_giving ARBOR_GUARDED_BY(m_mutex) = false;
    bool m_stopping ARBOR_GUARDED_BY(m_mutex) = false;
    std::thread m_thread; // last: it uses all of the above
};

} // namespace arbor
