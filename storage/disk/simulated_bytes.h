// The content of a simulated file: chunks of 4 KB that copies share until one of them is written to, so that
// a durable and a visible state of the same file, or a copy of a whole disk, cost next to nothing.
#pragma once

#include "storage/disk/disk.h"

#include <array>

namespace arbor {

// Not thread-safe. Copies may be used from different threads.
class SimulatedBytes {
  public:
    static constexpr std::size_t chunkBytes = 4096;

    std::uint64_t size() const { return m_size; }
    // What the chunks that are not holes take.
    std::uint64_t allocated() const { return m_allocatedChunks * chunkBytes; }
    // Up to into.size() bytes, fewer at the end.
    std::size_t read(std::uint64_t offset, MutableBytes into) const;
    // Grows as needed.
    void write(std::uint64_t offset, Bytes bytes);
    // What is cut off reads as zeros when the size grows again.
    void resize(std::uint64_t size);
    // Zeros within the size; whole chunks become holes.
    void punch(std::uint64_t offset, std::uint64_t length);
    // Takes over a range of another content, zeros where that one is shorter; grows to offset + length.
    void copyRange(const SimulatedBytes& from, std::uint64_t offset, std::uint64_t length);

  private:
    using Chunk = std::array<std::byte, chunkBytes>;
    Chunk& writable(std::size_t index);
    void drop(std::size_t index);
    void grow(std::uint64_t size);

    std::uint64_t m_size = 0;
    std::uint64_t m_allocatedChunks = 0;
    // One for every chunk that m_size reaches into; null is a hole. Bytes behind m_size in the last one are
    // zero.
    std::vector<std::shared_ptr<Chunk>> m_chunks;
};

} // namespace arbor
