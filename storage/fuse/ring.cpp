#include "storage/fuse/ring.h"

#include <linux/fuse.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <pthread.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

namespace arbor {

namespace {

// include/uapi/linux/fuse.h of Linux 6.14 (protocol 7.42): struct fuse_uring_req_header with
// fuse_uring_ent_in_out in it, fuse_uring_cmd_req, enum fuse_uring_cmd. The headers of Debian 12 lack them.
struct RingHeader {
    std::array<std::byte, 128> inOut; // fuse_in_header, fuse_out_header
    std::array<std::byte, 128> operation;
    std::uint64_t flags;
    std::uint64_t commitId;
    std::uint32_t payloadBytes;
    std::uint32_t padding;
    std::uint64_t reserved;
};
static_assert(sizeof(RingHeader) == 288);

struct RingCommand {
    std::uint64_t flags;
    std::uint64_t commitId;
    std::uint16_t queue;
    std::array<std::uint8_t, 6> padding;
};
static_assert(sizeof(RingCommand) == 24);

constexpr std::uint32_t registerEntry = 1;
constexpr std::uint32_t commitAndFetch = 2;

constexpr unsigned depth = 64; // submissions on their way: a few, for they go with the next wait
constexpr std::size_t headerPage = 4096;
constexpr std::size_t payloadBytes = 1u << 20; // the max_write that we ask for, and 256 pages
constexpr std::size_t entryBytes = headerPage + payloadBytes;

int makeRing(io_uring& ring) {
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_SQE128 | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    return io_uring_queue_init_params(depth, &ring, &parameters);
}

RingHeader& headerOf(std::byte* memory) {
    return *reinterpret_cast<RingHeader*>(memory);
}

} // namespace

RequestRing::Entry::~Entry() {
    if (m_memory)
        munmap(m_memory, entryBytes);
}

fuse_buf RequestRing::Entry::request() {
    const RingHeader& header = headerOf(m_memory);
    fuse_in_header head;
    std::memcpy(&head, header.inOut.data(), sizeof head);
    const std::size_t before =
        head.len - header.payloadBytes; // fuse_in_header and what belongs to the operation
    const bool fits = head.len <= m_ring.m_request.size();
    std::byte* const from = fits ? m_ring.m_request.data() : m_memory + headerPage - before;
    std::memcpy(from, &head, sizeof head);
    std::memcpy(from + sizeof head, header.operation.data(), before - sizeof head);
    if (fits)
        std::memcpy(from + before, m_memory + headerPage, header.payloadBytes);
    fuse_buf buffer{};
    buffer.mem = from;
    buffer.size = head.len;
    return buffer;
}

std::span<std::byte> RequestRing::Entry::place() const {
    return {m_memory + headerPage, payloadBytes};
}

void RequestRing::Entry::answer(std::span<const iovec> parts) {
    RingHeader& header = headerOf(m_memory);
    std::memcpy(header.inOut.data(), parts.front().iov_base, sizeof(fuse_out_header));
    std::byte* const begin = place().data();
    std::byte* to = begin;
    for (const iovec& part : parts.subspan(1)) {
        if (part.iov_base != to)
            std::memcpy(to, part.iov_base, part.iov_len);
        to += part.iov_len;
    }
    header.payloadBytes = static_cast<std::uint32_t>(to - begin);
    if (std::this_thread::get_id() == m_ring.m_owner) {
        m_ring.submit(commitAndFetch, *this);
        return;
    }
    const std::uint64_t one = 1;
    MutexLock lock(m_ring.m_mutex); // held while waking: finish() may be all that keeps the ring
    m_ring.m_lateAnswers.push_back(this);
    (void)!write(m_ring.m_wake, &one, sizeof one);
}

unsigned RequestRing::processors() {
    std::ifstream file("/sys/devices/system/cpu/possible"); // "0-7", also "0,2-3"
    std::string ranges;
    file >> ranges;
    const auto last = ranges.find_last_of("-,");
    return static_cast<unsigned>(std::atoi(ranges.c_str() + (last == std::string::npos ? 0 : last + 1))) + 1;
}

bool RequestRing::possible() {
    // 0 is for everybody; at 1 root may, which we are perhaps now and not any more when the rings are made
    int disabled = 0;
    std::ifstream("/proc/sys/kernel/io_uring_disabled") >> disabled;
    if (disabled != 0)
        return false;
    io_uring ring{};
    if (makeRing(ring) != 0)
        return false;
    io_uring_queue_exit(&ring);
    return true;
}

Result<std::unique_ptr<RequestRing>> RequestRing::open(int device, unsigned processor) {
    std::unique_ptr<RequestRing> opened(new RequestRing(device, processor));
    cpu_set_t own;
    CPU_ZERO(&own);
    CPU_SET(processor, &own);
    // one that is absent or not for us makes no requests either
    (void)pthread_setaffinity_np(pthread_self(), sizeof own, &own);
    if (const int error = makeRing(opened->m_ring); error != 0)
        return errnoError(-error, "making a ring for the mount");
    opened->m_made = true;
    opened->m_wake = eventfd(0, EFD_CLOEXEC);
    if (opened->m_wake < 0)
        return errnoError(errno, "making a ring for the mount");
    opened->awaitLateAnswers();
    ARBOR_TRY(opened->add());
    return opened;
}

RequestRing::~RequestRing() {
    if (m_made)
        io_uring_queue_exit(&m_ring);
    if (m_wake >= 0)
        close(m_wake);
}

io_uring_sqe& RequestRing::submission() {
    io_uring_sqe* sqe = io_uring_get_sqe(&m_ring);
    while (!sqe) {
        io_uring_submit(&m_ring);
        sqe = io_uring_get_sqe(&m_ring);
    }
    std::memset(sqe, 0, 2 * sizeof *sqe); // SQE128
    return *sqe;
}

void RequestRing::submit(std::uint32_t command, Entry& entry) {
    io_uring_sqe& sqe = submission();
    sqe.opcode = IORING_OP_URING_CMD;
    sqe.fd = m_device;
    sqe.cmd_op = command;
    sqe.user_data = reinterpret_cast<std::uint64_t>(&entry);
    if (command == registerEntry) {
        sqe.addr = reinterpret_cast<std::uint64_t>(entry.m_parts.data());
        sqe.len = static_cast<std::uint32_t>(entry.m_parts.size());
    }
    RingCommand what{};
    what.commitId = headerOf(entry.m_memory).commitId;
    what.queue = static_cast<std::uint16_t>(m_processor);
    std::memcpy(sqe.cmd, &what, sizeof what);
}

Status RequestRing::add() {
    auto entry = std::make_unique<Entry>(*this);
    void* const memory =
        mmap(nullptr, entryBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return errnoError(errno, "memory for a request of the mount");
    entry->m_memory = static_cast<std::byte*>(memory);
    entry->m_parts = {iovec{memory, sizeof(RingHeader)}, iovec{entry->place().data(), payloadBytes}};
    submit(registerEntry, *entry);
    m_entries.push_back(std::move(entry));
    return {};
}

void RequestRing::awaitLateAnswers() {
    io_uring_sqe& sqe = submission();
    io_uring_prep_read(&sqe, m_wake, &m_woken, sizeof m_woken, 0);
    io_uring_sqe_set_data(&sqe, nullptr);
}

void RequestRing::takeLateAnswers() {
    std::vector<Entry*> answered;
    {
        MutexLock lock(m_mutex);
        answered.swap(m_lateAnswers);
    }
    for (Entry* entry : answered)
        submit(commitAndFetch, *entry);
    m_putOff -= static_cast<int>(answered.size());
    awaitLateAnswers();
}

// The entry that holds a request now, if it is that.
RequestRing::Entry* RequestRing::completed(io_uring_cqe* completion) {
    auto* const entry = static_cast<Entry*>(io_uring_cqe_get_data(completion));
    const int result = completion->res;
    io_uring_cqe_seen(&m_ring, completion);
    if (!entry) {
        takeLateAnswers();
        return nullptr;
    }
    if (result != 0)
        m_ended = true; // ENOTCONN when the mount goes; nothing else is known that would come back
    return result == 0 ? entry : nullptr;
}

RequestRing::Entry* RequestRing::next() {
    while (!m_ended) {
        const int submitted = io_uring_submit_and_wait(&m_ring, 1);
        io_uring_cqe* completion = nullptr;
        if (io_uring_peek_cqe(&m_ring, &completion) != 0) {
            m_ended = submitted < 0 && submitted != -EINTR && submitted != -EAGAIN && submitted != -EBUSY;
            return nullptr;
        }
        if (Entry* const entry = completed(completion))
            return entry;
    }
    return nullptr;
}

Status RequestRing::putOff() {
    ++m_putOff;
    return add();
}

void RequestRing::finish() {
    while (m_putOff > 0) {
        io_uring_submit_and_wait(&m_ring, 1);
        for (io_uring_cqe* completion = nullptr; io_uring_peek_cqe(&m_ring, &completion) == 0;)
            (void)completed(completion);
    }
    io_uring_submit(&m_ring);
}

} // namespace arbor
