// Stretches of segments that somebody will read soon, brought into memory of our own, past the host's page
// cache.
//
// What a scan reads ends up in the page cache of the mount. To have it in that of the segments as well costs
// memory twice, and a quarter of the processors' time of a cold scan: told of a stretch (posix_fadvise), the
// kernel fills its cache page by page. So a stretch is read with O_DIRECT by the kernel's asynchronous I/O
// (io_submit(2)), which needs no thread that would have to wait for a processor among those who scan. Where
// that cannot be (a filesystem without it, seccomp), or would be for nothing (the stretch is in the page
// cache), the kernel is told as ever.
//
// All of it is a hint: what fails here is read again, and its error told, by the reader. Segments are
// immutable as far as they are written, so what was read stays true.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/mutex.h"
#include "storage/disk/disk.h"

#include <atomic>
#include <linux/aio_abi.h>
#include <list>
#include <map>
#include <memory>
#include <vector>

namespace arbor {

class ReadAhead {
  public:
    class Piece; // a stretch, or a part of one
    struct Found {
        Bytes bytes;
        std::shared_ptr<const Piece> piece; // keeps the bytes; not to outlive the ReadAhead
    };

    static constexpr std::size_t pieceBytes = (1u << 20) - (8u << 10);
    static constexpr std::size_t mostPieces = 32;        // the oldest go first
    static constexpr std::size_t leastBytes = 64u << 10; // less is left to the kernel

    ReadAhead();
    ~ReadAhead(); // waits for what is being read

    // Begins to bring bytes [begin, end) of the segment in, and does not wait. Thread-safe.
    void begin(SegmentId segment, ReadableFile& file, std::uint64_t begin, std::uint64_t end);
    // As many of these bytes, from the first on, as one piece has; waits for a piece that is being read. None
    // when the first is in no piece. Thread-safe.
    Found find(SegmentId segment, std::uint64_t begin, std::uint64_t bytes);
    // All that begin() was asked for.
    std::uint64_t bytesAsked() const { return m_asked.load(std::memory_order_relaxed); }

  private:
    using PiecePtr = std::shared_ptr<Piece>;
    struct Memory;

    enum class Waits { No, Yes };
    // Takes what the kernel has read. Lets go of the mutex meanwhile.
    void reap(Waits waits) ARBOR_REQUIRES(m_mutex);
    void forget(PiecePtr piece) ARBOR_REQUIRES(m_mutex);

    const std::unique_ptr<Memory> m_memory; // of pieces, used again and again
    std::atomic<bool> m_works;              // false once the kernel or the filesystem has refused
    std::atomic<std::uint64_t> m_asked{0};
    std::atomic<bool> m_isEmpty{true}; // spares readers the lock where nothing is ahead
    Mutex m_mutex;
    Condition m_reaped;
    // Made at the first need: to give it back takes the kernel some twenty milliseconds. Never changes then.
    aio_context_t m_context = 0;
    bool m_isReaping ARBOR_GUARDED_BY(m_mutex) = false; // one thread waits for the kernel, the others for it
    std::map<std::pair<SegmentId, std::uint64_t>, PiecePtr> m_pieces
        ARBOR_GUARDED_BY(m_mutex);                                         // by first byte
    std::list<PiecePtr> m_ages ARBOR_GUARDED_BY(m_mutex);                  // oldest first
    std::map<const Piece*, PiecePtr> m_underWay ARBOR_GUARDED_BY(m_mutex); // the kernel writes into these
};

} // namespace arbor
