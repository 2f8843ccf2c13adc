#include "storage/fuse/processor_pairing.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <unistd.h>

namespace arbor {

namespace {

constexpr int whole = 256;
constexpr int worthIt = whole * 3 / 4;
constexpr int weight = 16; // requests that the share remembers
// A request that comes later after the last answer is not the next one of somebody who waited for that.
constexpr std::chrono::microseconds patience{1000};
// How often it is looked whether who is bound still writes.
constexpr std::chrono::milliseconds lookEvery{10};
// After who cannot be bound.
constexpr std::chrono::seconds rest{1};

// Where a thread runs, or ran last: the 39th field of /proc/PID/stat (proc(5)), the 36th behind the name's
// bracket.
std::optional<int> processorOf(pid_t thread) {
    std::ifstream file(fmt::format("/proc/{}/stat", thread));
    std::string line;
    if (!std::getline(file, line))
        return std::nullopt;
    std::size_t at = line.rfind(')');
    for (int field = 2; field < 39 && at != std::string::npos; ++field)
        at = line.find(' ', at + 1);
    if (at == std::string::npos)
        return std::nullopt;
    return std::atoi(line.c_str() + at);
}

std::vector<pid_t> childrenOf(pid_t process) {
    std::ifstream file(fmt::format("/proc/{0}/task/{0}/children", process));
    return {std::istream_iterator<pid_t>(file), {}};
}

} // namespace

ProcessorPairing::ProcessorPairing() : m_looker([this] { look(); }) {}

ProcessorPairing::~ProcessorPairing() {
    stop();
}

void ProcessorPairing::stop() {
    {
        const MutexLock lock(m_mutex);
        m_stopped = true;
        m_asked = true;
        m_changed.notifyAll();
    }
    if (m_looker.joinable())
        m_looker.join();
}

void ProcessorPairing::addThisWorker() {
    const MutexLock lock(m_mutex);
    m_workers.push_back(::gettid());
    if (m_process != 0)
        bind(::gettid());
}

void ProcessorPairing::came(bool isShort, std::uint32_t process) {
    const bool isSame = m_lastProcess.exchange(process, std::memory_order_relaxed) == process;
    const bool isNext =
        isShort && isSame && Clock::now() - m_lastAnswer.load(std::memory_order_relaxed) < patience;
    const int before = m_share.load(std::memory_order_relaxed);
    const int share = before + ((isNext ? whole : 0) - before) / weight;
    m_share.store(share, std::memory_order_relaxed);
    if (m_asked.load(std::memory_order_relaxed)) {
        m_requests.fetch_add(1, std::memory_order_relaxed);
        if (process == m_process.load(std::memory_order_relaxed))
            m_ofProcess.fetch_add(1, std::memory_order_relaxed);
    } else if (share >= worthIt && process != 0) { // 0: the kernel's own, or one that we cannot see
        const MutexLock lock(m_mutex);
        if (!m_asked) {
            m_asked = true;
            m_changed.notifyAll();
        }
    }
}

void ProcessorPairing::look() {
    const MutexLock lock(m_mutex);
    while (!m_stopped) {
        if (!m_asked) {
            m_changed.wait(m_mutex);
            continue;
        }
        if (bindAll(static_cast<pid_t>(m_lastProcess.load())))
            do
                m_changed.waitFor(m_mutex, lookEvery);
            while (!m_stopped && goesOn());
        else
            m_changed.waitFor(m_mutex, rest);
        release();
        m_share = 0;
        m_asked = m_stopped;
    }
}

bool ProcessorPairing::goesOn() {
    const std::uint32_t all = m_requests.exchange(0);
    const std::uint32_t own = m_ofProcess.exchange(0);
    return own >= lookEvery / patience && own * 2 >= all;
}

bool ProcessorPairing::bindAll(pid_t process) {
    const std::optional<int> processor = processorOf(process);
    if (!processor || *processor < 0 || *processor >= CPU_SETSIZE)
        return false;
    CPU_ZERO(&m_processor);
    CPU_SET(static_cast<std::size_t>(*processor), &m_processor);
    bool isGood = bind(process);
    for (const pid_t worker : m_workers)
        isGood = isGood && bind(worker);
    if (!isGood) {
        release();
        return false;
    }
    m_requests = 0;
    m_ofProcess = 0;
    m_process = static_cast<std::uint32_t>(process);
    return true;
}

bool ProcessorPairing::bind(pid_t thread) {
    Bound bound{thread, {}};
    if (::sched_getaffinity(thread, sizeof bound.before, &bound.before) != 0 ||
        ::sched_setaffinity(thread, sizeof m_processor, &m_processor) != 0)
        return false;
    m_bound.push_back(bound);
    return true;
}

void ProcessorPairing::release() {
    m_process = 0;
    for (const Bound& bound : m_bound)
        releaseThread(bound.thread, bound.before);
    m_bound.clear();
}

// Its children have inherited what it was bound to. One that has ended is no more; its number may be that of
// another by now, which is not bound to that processor.
void ProcessorPairing::releaseThread(pid_t thread, const cpu_set_t& before) {
    cpu_set_t now{};
    if (::sched_getaffinity(thread, sizeof now, &now) != 0 || !CPU_EQUAL(&now, &m_processor))
        return;
    ::sched_setaffinity(thread, sizeof before, &before);
    for (const pid_t child : childrenOf(thread))
        releaseThread(child, before);
}

} // namespace arbor
