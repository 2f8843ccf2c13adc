#include "storage/fuse/busy_polling.h"

#include <algorithm>

namespace arbor {

namespace {

constexpr int whole = 256;
constexpr int pollFrom = whole * 3 / 4;
constexpr int pollUpTo = whole / 4;
constexpr int weight = 16; // requests that the share remembers

// Who polls and has not looked for this long is replaced: a request holds it up, or it gets no processor. It
// is looked after at this pace.
constexpr std::chrono::milliseconds heldUp{2};

} // namespace

BusyPolling::BusyPolling(std::size_t workers, std::function<void(std::size_t)> wake)
    : m_wake(std::move(wake)), m_asleep(workers), m_looked(workers) {}

void BusyPolling::note(bool isNext) {
    const int share = m_share.load(std::memory_order_relaxed);
    m_share.store(share + ((isNext ? whole : 0) - share) / weight, std::memory_order_relaxed);
}

void BusyPolling::takeOver(std::size_t worker) {
    looks(worker);
    m_poller = worker;
    wakeOthers(worker);
}

void BusyPolling::wakeOthers(std::size_t worker) {
    for (std::size_t other = 0; other < m_asleep.size(); ++other)
        if (other != worker && m_asleep[other])
            m_wake(other);
}

bool BusyPolling::begin(std::size_t worker) {
    if (m_poller == worker)
        return true;
    if (m_poller == nobody && !isWorthIt())
        return false;
    const MutexLock lock(m_mutex);
    while (!m_stopped && m_poller != nobody && m_poller != worker) {
        if (m_watched) {
            m_changed.wait(m_mutex);
            continue;
        }
        m_watched = true;
        m_changed.waitFor(m_mutex, heldUp);
        m_watched = false;
        const std::size_t poller = m_poller;
        if (poller == nobody)
            continue;
        if (Clock::now() - m_looked[poller].load() > heldUp)
            takeOver(worker);
        else
            wakeOthers(poller); // who fell asleep meanwhile, or was woken too soon
    }
    if (!m_stopped && m_poller == nobody && isWorthIt())
        takeOver(worker);
    const bool polls = !m_stopped && m_poller == worker;
    if (polls)
        m_changed.notifyOne(); // to look after this one
    else
        m_changed.notifyAll();
    return polls;
}

bool BusyPolling::isWorthIt() const {
    return m_share.load(std::memory_order_relaxed) >= pollFrom;
}

// Whoever is woken polls in its place, or wakes the others.
void BusyPolling::resign(std::size_t worker) {
    const MutexLock lock(m_mutex);
    if (m_poller == worker)
        m_poller = nobody;
    m_changed.notifyOne();
}

bool BusyPolling::missed(std::size_t worker) {
    note(false);
    if (m_poller == worker && m_share.load(std::memory_order_relaxed) >= pollUpTo)
        return true;
    resign(worker);
    return false;
}

void BusyPolling::crowdedOut(std::size_t worker) {
    m_share.store(0, std::memory_order_relaxed);
    resign(worker);
}

void BusyPolling::came(std::size_t worker, bool isQuick, std::uint32_t process) {
    const bool isSame = m_lastProcess.exchange(process, std::memory_order_relaxed) == process;
    note(isQuick && isSame && Clock::now() - m_lastAnswer.load(std::memory_order_relaxed) < patience);
    // what may wait for a disk is not to keep another process waiting
    if (m_poller == worker && (m_share.load(std::memory_order_relaxed) < pollUpTo || (!isQuick && !isSame)))
        resign(worker);
}

void BusyPolling::left(std::size_t worker) {
    if (m_poller == worker)
        resign(worker);
}

void BusyPolling::stop() {
    const MutexLock lock(m_mutex);
    m_stopped = true;
    m_changed.notifyAll();
}

} // namespace arbor
