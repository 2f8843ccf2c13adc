// What the mount counts. Everything is relaxed: a reader sees each counter a moment late, and no request
// waits.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace arbor {

enum class RequestKind : std::uint8_t {
    Lookup,
    Forget,
    GetAttributes,
    SetAttributes,
    ReadLink,
    MakeNode,
    MakeDirectory,
    Unlink,
    RemoveDirectory,
    Symlink,
    Rename,
    Link,
    Open,
    Create,
    Read,
    Write,
    Allocate,
    Release,
    Sync,
    OpenDirectory,
    ReadDirectory,
    ReadDirectoryPlus,
    StatFs,
};
inline constexpr std::size_t requestKinds = static_cast<std::size_t>(RequestKind::StatFs) + 1;

// A stable word for a kind: "lookup", "read-directory".
std::string_view requestName(RequestKind kind);

// Bucket i counts what took less than 2^i microseconds and not less than half of that; the last takes all the
// rest.
class LatencyHistogram {
  public:
    static constexpr std::size_t buckets = 24;

    void add(std::chrono::nanoseconds time) {
        const auto micros = static_cast<std::uint64_t>(time.count()) / 1000;
        const auto bucket = static_cast<std::size_t>(std::bit_width(micros));
        m_counts[bucket < buckets ? bucket : buckets - 1].fetch_add(1, std::memory_order_relaxed);
        m_totalNanos.fetch_add(static_cast<std::uint64_t>(time.count()), std::memory_order_relaxed);
    }
    std::uint64_t count(std::size_t bucket) const { return m_counts[bucket].load(std::memory_order_relaxed); }
    std::uint64_t totalNanos() const { return m_totalNanos.load(std::memory_order_relaxed); }

  private:
    std::array<std::atomic<std::uint64_t>, buckets> m_counts{};
    std::atomic<std::uint64_t> m_totalNanos{0};
};

struct MountMetrics {
    std::array<std::atomic<std::uint64_t>, requestKinds> requests{};
    std::array<std::atomic<std::uint64_t>, requestKinds>
        errors{}; // without NotFound, which is an ordinary answer
    std::atomic<std::uint64_t> bytesRead{0};
    std::atomic<std::uint64_t> bytesWritten{0};
    LatencyHistogram reads;
    LatencyHistogram writes;
    LatencyHistogram syncs; // from the request to its answer

    std::uint64_t countOf(RequestKind kind) const {
        return requests[static_cast<std::size_t>(kind)].load(std::memory_order_relaxed);
    }
};

} // namespace arbor
