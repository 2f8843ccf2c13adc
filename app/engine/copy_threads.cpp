#include "app/engine/copy_threads.h"

#include <algorithm>
#include <thread>
#include <vector>

namespace arbor {

namespace {

constexpr unsigned mostThreads = 4;
constexpr std::size_t pieceBytes = 1u << 20;
constexpr std::int64_t tellAfterMicros = 500'000; // earlier figures say nothing

} // namespace

std::string Throughput::text(std::uint64_t done) const {
    std::string said = fmt::format("{} of {}", roundedSize(done), roundedSize(m_total));
    const std::int64_t micros = (m_clock.now() - m_begun).micros;
    if (micros < tellAfterMicros || done == 0)
        return said;
    const double rate = static_cast<double>(done) * 1e6 / static_cast<double>(micros);
    const double left = static_cast<double>(m_total - std::min(done, m_total)) / rate;
    return said + fmt::format(", {}/s, {:.0f} s left", roundedSize(static_cast<std::uint64_t>(rate)), left);
}

Status CopyProgress::advance(std::size_t bytes) {
    if (m_job.cancelRequested())
        return makeError(ErrorKind::Cancelled, "cancelled");
    const std::uint64_t done = m_done.fetch_add(bytes) + bytes;
    const double fraction = m_total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(m_total);
    m_job.progress(m_from + fraction * (m_to - m_from),
                   m_verb + QStringLiteral(": ") + QString::fromStdString(m_throughput.text(done)),
                   static_cast<qint64>(done));
    return {};
}

void CopyProgress::fail(Error error) {
    const std::lock_guard lock(m_mutex);
    if (!m_error)
        m_error = std::move(error);
    m_failed = true;
}

Status CopyProgress::outcome() const {
    const std::lock_guard lock(m_mutex);
    return m_error ? Status(Error(*m_error)) : Status();
}

Status copyInThreads(std::size_t count, CopyProgress& progress,
                     const std::function<Status(std::size_t, std::span<std::byte>)>& copy) {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        std::vector<std::byte> buffer(pieceBytes);
        for (std::size_t mine; !progress.failed() && (mine = next.fetch_add(1)) < count;)
            if (auto copied = copy(mine, buffer); !copied)
                progress.fail(std::move(copied).error());
    };
    std::vector<std::thread> threads;
    const unsigned wanted = std::clamp(std::thread::hardware_concurrency(), 1u, mostThreads);
    for (unsigned i = 1; i < wanted; ++i)
        threads.emplace_back(work);
    work();
    for (std::thread& thread : threads)
        thread.join();
    return progress.outcome();
}

} // namespace arbor
