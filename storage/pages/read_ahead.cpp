#include "storage/pages/read_ahead.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace arbor {

namespace {

// Offsets, lengths and memory of a direct read: a multiple of the blocks of any disk (open(2), O_DIRECT).
constexpr std::uint64_t aligned = 4096;
constexpr std::size_t pieceRoom = ReadAhead::pieceBytes + 2 * aligned;
constexpr std::size_t hugePage = 2u << 20;
static_assert(hugePage % pieceRoom == 0);

std::uint64_t roundDown(std::uint64_t value) {
    return value / aligned * aligned;
}
std::uint64_t roundUp(std::uint64_t value) {
    return roundDown(value + aligned - 1);
}

// Whether the page cache has most of what lies at the beginning of this stretch.
bool isCached(int fd, std::uint64_t begin, std::uint64_t end) {
    begin = roundDown(begin);
    const std::size_t bytes = std::min(roundUp(end) - begin, 16 * aligned);
    void* const at = ::mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(begin));
    if (at == MAP_FAILED)
        return true;
    std::array<unsigned char, 16> resident{}; // pages are no smaller than what is read
    const bool known = ::mincore(at, bytes, resident.data()) == 0;
    ::munmap(at, bytes);
    const auto pageBytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    const std::size_t pages = (bytes + pageBytes - 1) / pageBytes;
    const auto there = std::count_if(resident.begin(), resident.begin() + static_cast<std::ptrdiff_t>(pages),
                                     [](unsigned char page) { return (page & 1U) != 0; });
    return !known || 2 * static_cast<std::size_t>(there) >= pages;
}

// Whether memory can be had in huge pages. Without them direct reads are slower than those of the page cache.
bool hasHugePages() {
    std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled"); // "always [madvise] never"
    std::string line;
    return std::getline(file, line) && line.find("[never]") == std::string::npos;
}

// A second look at an open file, past the page cache; -1 where the filesystem knows no such thing.
int openDirectly(int fd) {
    return ::open(fmt::format("/proc/self/fd/{}", fd).c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
}

} // namespace

// Huge pages: a disk that is given a megabyte in 256 pieces of memory reads it at half the pace, and each of
// them has to be pinned.
struct ReadAhead::Memory {
    std::byte* take() {
        const MutexLock lock(mutex);
        if (unused.empty()) {
            slabs.emplace_back(static_cast<std::byte*>(std::aligned_alloc(hugePage, hugePage)));
            ::madvise(slabs.back().get(), hugePage, MADV_HUGEPAGE);
            for (std::size_t at = 0; at < hugePage; at += pieceRoom)
                unused.push_back(slabs.back().get() + at);
        }
        std::byte* const room = unused.back();
        unused.pop_back();
        return room;
    }
    void giveBack(std::byte* room) {
        const MutexLock lock(mutex);
        unused.push_back(room);
    }

    struct Free {
        void operator()(std::byte* memory) const { std::free(memory); }
    };
    Mutex mutex; // the innermost
    std::vector<std::unique_ptr<std::byte, Free>> slabs ARBOR_GUARDED_BY(mutex);
    std::vector<std::byte*> unused ARBOR_GUARDED_BY(mutex);
};

class ReadAhead::Piece {
  public:
    Piece(Memory& memory, SegmentId ofSegment, std::uint64_t first, std::uint64_t last)
        : segment(ofSegment), begin(first), end(last), m_memory(memory), m_room(memory.take()) {}
    ~Piece() { m_memory.giveBack(m_room); }
    Piece(const Piece&) = delete;
    Piece& operator=(const Piece&) = delete;

    Bytes part(std::uint64_t from, std::uint64_t bytes) const {
        return {m_room + (from - roundDown(begin)), bytes};
    }

    const SegmentId segment;
    const std::uint64_t begin;
    const std::uint64_t end;
    iocb request{};          // the kernel has it by its address
    bool isRead = false;     // or has failed
    std::uint64_t valid = 0; // where what was read ends
    std::uint64_t taken = 0; // bytes that readers have had
    std::list<PiecePtr>::iterator age;

    void describe(int fd) {
        request.aio_data = reinterpret_cast<std::uintptr_t>(this);
        request.aio_lio_opcode = IOCB_CMD_PREAD;
        request.aio_fildes = static_cast<std::uint32_t>(fd);
        request.aio_buf = reinterpret_cast<std::uintptr_t>(m_room);
        request.aio_offset = static_cast<std::int64_t>(roundDown(begin));
        request.aio_nbytes = roundUp(end) - roundDown(begin);
    }

  private:
    Memory& m_memory;
    std::byte* const m_room;
};

ReadAhead::ReadAhead() : m_memory(std::make_unique<Memory>()), m_works(hasHugePages()) {}

ReadAhead::~ReadAhead() {
    if (m_context != 0)
        ::syscall(SYS_io_destroy, m_context);
}

void ReadAhead::begin(SegmentId segment, ReadableFile& file, std::uint64_t begin, std::uint64_t end) {
    const int fd = file.descriptor();
    if (fd < 0 || begin >= end)
        return;
    const std::uint64_t bytes = end - begin;
    m_asked.fetch_add(bytes, std::memory_order_relaxed);
    const std::uint64_t count = (bytes + pieceBytes - 1) / pieceBytes;
    const bool isOurs =
        m_works && bytes >= leastBytes && count <= mostPieces / 2 && !isCached(fd, begin, end);
    const int direct = isOurs ? openDirectly(fd) : -1;
    if (direct < 0) {
        posix_fadvise(fd, static_cast<off_t>(begin), static_cast<off_t>(bytes), POSIX_FADV_WILLNEED);
        return;
    }
    const MutexLock lock(m_mutex);
    if (m_context == 0 && ::syscall(SYS_io_setup, 2 * mostPieces, &m_context) != 0)
        m_works = false;
    if (!m_isReaping && m_context != 0)
        reap(Waits::No); // what nobody came for leaves the kernel's ring, too
    for (std::uint64_t i = 0; i < count; ++i) {
        const std::uint64_t first = begin + bytes * i / count;
        if (m_pieces.contains({segment, first}))
            continue;
        while (m_ages.size() >= mostPieces)
            forget(m_ages.front());
        const PiecePtr piece =
            std::make_shared<Piece>(*m_memory, segment, first, begin + bytes * (i + 1) / count);
        piece->describe(direct);
        iocb* const request = &piece->request;
        if (::syscall(SYS_io_submit, m_context, 1, &request) != 1) {
            if (errno == EINVAL)
                m_works = false;
            break;
        }
        m_underWay.emplace(piece.get(), piece);
        m_pieces.emplace(std::pair(segment, first), piece);
        piece->age = m_ages.insert(m_ages.end(), piece);
        m_isEmpty = false;
    }
    ::close(direct);
}

void ReadAhead::reap(Waits waits) {
    m_isReaping = true;
    m_mutex.unlock();
    std::array<io_event, mostPieces> events;
    timespec now{};
    const long count = ::syscall(SYS_io_getevents, m_context, waits == Waits::Yes ? 1 : 0, events.size(),
                                 events.data(), waits == Waits::Yes ? nullptr : &now);
    m_mutex.lock();
    m_isReaping = false;
    for (long i = 0; i < count; ++i) {
        const io_event& event = events[static_cast<std::size_t>(i)];
        const auto found = m_underWay.find(reinterpret_cast<const Piece*>(event.data));
        Piece& piece = *found->second;
        piece.isRead = true;
        const std::uint64_t read = event.res > 0 ? static_cast<std::uint64_t>(event.res) : 0;
        piece.valid = std::min(piece.end, roundDown(piece.begin) + read);
        if (event.res == -EINVAL)
            m_works = false;
        m_underWay.erase(found);
    }
    m_reaped.notifyAll();
}

void ReadAhead::forget(PiecePtr piece) {
    m_pieces.erase({piece->segment, piece->begin});
    m_ages.erase(piece->age);
    piece->age = m_ages.end();
    m_isEmpty = m_pieces.empty();
}

ReadAhead::Found ReadAhead::find(SegmentId segment, std::uint64_t begin, std::uint64_t bytes) {
    if (m_isEmpty.load(std::memory_order_relaxed))
        return {};
    const MutexLock lock(m_mutex);
    const auto behind = m_pieces.upper_bound({segment, begin});
    if (behind == m_pieces.begin())
        return {};
    const PiecePtr piece = std::prev(behind)->second;
    if (piece->segment != segment || begin >= piece->end)
        return {};
    while (!piece->isRead) {
        if (m_isReaping)
            m_reaped.wait(m_mutex);
        else
            reap(Waits::Yes);
    }
    if (begin >= piece->valid)
        return {};
    bytes = std::min(bytes, piece->valid - begin);
    piece->taken += bytes;
    // where there are gaps between images, it goes by its age
    if (piece->taken >= piece->end - piece->begin && piece->age != m_ages.end())
        forget(piece);
    return {piece->part(begin, bytes), piece};
}

} // namespace arbor
