#include "storage/fuse/session.h"

#include <linux/fuse.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <span>
#include <sys/uio.h>
#include <unistd.h>

namespace arbor {

namespace {

// The session and descriptor that this thread reads requests from or answers to.
thread_local Session* t_session = nullptr;
thread_local int t_channel = -1;
// What this thread's request came in, if by a ring, and whether it has been answered.
thread_local RequestRing::Entry* t_entry = nullptr;
thread_local bool t_answered = false;
// The answer to INIT that this thread gives is to ask for rings.
thread_local bool t_asksForRings = false;

// include/uapi/linux/fuse.h: FUSE_INIT_EXT, and FUSE_OVER_IO_URING of protocol 7.42, a bit of flags2
constexpr std::uint32_t initExtended = 1u << 30;
constexpr std::uint32_t overRings = 1u << (41 - 32);
// A ring for each processor is a ring for each that could be plugged in: a server for many has other needs.
constexpr unsigned mostProcessors = 64;
// On each, so that one that waits for the disk does not keep all requests of that processor waiting.
constexpr unsigned leastWorkers = 2;

class ChannelScope {
  public:
    ChannelScope(Session* session, int channel, RequestRing::Entry* entry = nullptr)
        : m_session(t_session), m_channel(t_channel), m_entry(t_entry) {
        t_session = session;
        t_channel = channel;
        t_entry = entry;
    }
    ~ChannelScope() {
        t_session = m_session;
        t_channel = m_channel;
        t_entry = m_entry;
    }
    ChannelScope(const ChannelScope&) = delete;
    ChannelScope& operator=(const ChannelScope&) = delete;

  private:
    Session* m_session;
    int m_channel;
    RequestRing::Entry* m_entry;
};

// A worker sits in read(); a signal without SA_RESTART gets it out. SIGURG, because its default is to be
// ignored: one that arrives late or elsewhere does no harm. (Polling a second descriptor before each read
// would cost every request two more system calls.)
constexpr int wakeSignal = SIGURG;

// Whether whoever asks waits for the answer, and not long. What the kernel reads ahead is more than a page.
bool isShort(const fuse_in_header& header, const fuse_buf& request) {
    if (header.opcode != FUSE_READ)
        return header.opcode == FUSE_WRITE || header.opcode == FUSE_GETATTR;
    fuse_read_in read{};
    if (request.size < sizeof header + sizeof read)
        return false;
    std::memcpy(&read, static_cast<const std::byte*>(request.mem) + sizeof header, sizeof read);
    return read.size <= blockSize;
}

void installWakeSignal() {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    sigemptyset(&action.sa_mask);
    sigaction(wakeSignal, &action, nullptr);
}

} // namespace

Session::Session(Descriptor device, std::vector<Descriptor> clones)
    : m_device(std::move(device)), m_clones(std::move(clones)) {}

Result<std::unique_ptr<Session>> Session::open(Descriptor device, std::vector<Descriptor> clones,
                                               const fuse_lowlevel_ops& operations, void* owner) {
    std::unique_ptr<Session> session(new Session(std::move(device), std::move(clones)));
    char name[] = "pgarbor";
    char* argv[] = {name, nullptr};
    fuse_args args = FUSE_ARGS_INIT(1, argv);
    session->m_session = fuse_session_new(&args, &operations, sizeof operations, owner);
    fuse_opt_free_args(&args);
    if (!session->m_session)
        return makeError(ErrorKind::Io, "libfuse could not make a session");
    fuse_custom_io io{};
    io.read = &Session::readRequest;
    io.writev = &Session::writeAnswer;
    // destroying the session closes the descriptor that it was given, hence a duplicate
    const int own = fcntl(session->m_device.get(), F_DUPFD_CLOEXEC, 3);
    if (own < 0 || fuse_session_custom_io(session->m_session, &io, own) != 0)
        return makeError(ErrorKind::Io, "libfuse did not take the open device");
    return session;
}

Session::~Session() {
    stop();
    if (m_session)
        fuse_session_destroy(m_session);
}

ssize_t Session::readRequest(int fd, void* into, std::size_t size, void*) {
    for (;;) {
        const ssize_t got = ::read(t_channel >= 0 ? t_channel : fd, into, size);
        if (got < static_cast<ssize_t>(sizeof(fuse_in_header)))
            return got;
        fuse_in_header header;
        std::memcpy(&header, into, sizeof header);
        if (header.opcode != FUSE_INTERRUPT || !t_session)
            return got;
        t_session->refuseInterrupt(header.unique);
        if (t_session->m_stopping) {
            errno = EINTR;
            return -1;
        }
    }
}

ssize_t Session::writeAnswer(int fd, iovec* parts, int count, void*) {
    const std::span answer(parts, static_cast<std::size_t>(count));
    if (t_entry) {
        t_answered = true;
        t_entry->answer(answer);
        return std::accumulate(answer.begin(), answer.end(), ssize_t{0}, [](ssize_t sum, const iovec& part) {
            return sum + static_cast<ssize_t>(part.iov_len);
        });
    }
    if (t_asksForRings && count == 2 && answer[1].iov_len >= sizeof(fuse_init_out)) { // libfuse 3.14 cannot
        auto& init = *static_cast<fuse_init_out*>(answer[1].iov_base);
        init.flags |= initExtended;
        init.flags2 |= overRings;
    }
    if (t_session && t_session->m_pairing)
        t_session->m_pairing->answers();
    return ::writev(t_channel >= 0 ? t_channel : fd, parts, count);
}

void Session::refuseInterrupt(std::uint64_t unique) const {
    fuse_out_header answer{sizeof answer, -ENOSYS, unique};
    // It may have been read from another descriptor than the request that it is about, and only that one's
    // queue knows the request. When none does, the request has been answered meanwhile.
    if (::write(m_device.get(), &answer, sizeof answer) > 0)
        return;
    for (const Descriptor& clone : m_clones)
        if (::write(clone.get(), &answer, sizeof answer) > 0)
            return;
}

bool Session::offersRings(const fuse_buf& init) const {
    fuse_init_in offered{};
    if (init.size < sizeof(fuse_in_header) + sizeof offered)
        return false;
    std::memcpy(&offered, static_cast<const std::byte*>(init.mem) + sizeof(fuse_in_header), sizeof offered);
    return (offered.flags & initExtended) != 0 && (offered.flags2 & overRings) != 0 &&
           RequestRing::processors() <= mostProcessors && RequestRing::possible();
}

Status Session::greet(bool rings) {
    ChannelScope scope(this, m_device.get());
    fuse_buf buffer{};
    int got = 0;
    do
        got = fuse_session_receive_buf(m_session, &buffer);
    while (got == -EINTR);
    if (got > 0) {
        m_rings = rings && offersRings(buffer);
        t_asksForRings = m_rings;
        fuse_session_process_buf(m_session, &buffer);
        t_asksForRings = false;
    }
    std::free(buffer.mem);
    if (got <= 0 || fuse_session_exited(m_session))
        return makeError(ErrorKind::Unsupported,
                         "the kernel's FUSE and libfuse do not understand each other ({})",
                         got < 0 ? strerror(-got) : "protocol");
    return {};
}

void Session::start(int threads, std::function<void()> ended) {
    installWakeSignal();
    m_ended = std::move(ended);
    // signals of the process are for its other threads
    sigset_t blocked;
    sigset_t former;
    sigfillset(&blocked);
    sigdelset(&blocked, wakeSignal);
    pthread_sigmask(SIG_SETMASK, &blocked, &former);
    startWorkers(threads);
    pthread_sigmask(SIG_SETMASK, &former, nullptr);
}

void Session::startWorkers(int threads) {
    const unsigned processors = m_rings ? RequestRing::processors() : 0;
    const unsigned each = m_rings ? std::max(leastWorkers, static_cast<unsigned>(threads) / processors) : 0;
    if (m_rings)
        threads = 1; // for what the kernel forgets, which does not come by ring
    {
        MutexLock lock(m_mutex);
        m_working = threads + static_cast<int>(processors * each);
    }
    if (!m_rings && std::thread::hardware_concurrency() > 1)
        m_pairing = std::make_unique<ProcessorPairing>();
    for (int i = 0; i < threads; ++i) {
        const auto own = static_cast<std::size_t>(i);
        const int channel = own < m_clones.size() ? m_clones[own].get() : m_device.get();
        m_workers.emplace_back([this, channel] { work(channel); });
    }
    for (unsigned i = 0; i < processors * each; ++i)
        m_workers.emplace_back([this, processor = i % processors] { workRing(processor); });
}

void Session::work(int channel) {
    ChannelScope scope(this, channel);
    if (m_pairing)
        m_pairing->addThisWorker();
    fuse_buf buffer{};
    while (!m_stopping && !fuse_session_exited(m_session)) {
        const int got = fuse_session_receive_buf(m_session, &buffer);
        if (got == -EINTR || got == -EAGAIN)
            continue;
        if (got <= 0)
            break;
        if (m_pairing) {
            fuse_in_header header;
            std::memcpy(&header, buffer.mem, sizeof header);
            m_pairing->came(isShort(header, buffer), header.pid);
        }
        fuse_session_process_buf(m_session, &buffer);
    }
    std::free(buffer.mem);
    left();
}

void Session::workRing(unsigned processor) {
    auto opened = RequestRing::open(m_device.get(), processor);
    if (opened) {
        RequestRing& ring = **opened;
        {
            MutexLock lock(m_mutex);
            m_requestRings.push_back(std::move(*opened));
        }
        while (!m_stopping && !ring.hasEnded() && !fuse_session_exited(m_session)) {
            RequestRing::Entry* const entry = ring.next();
            if (!entry)
                continue;
            ChannelScope scope(this, -1, entry);
            t_answered = false;
            const fuse_buf buffer = entry->request();
            fuse_session_process_buf(m_session, &buffer);
            if (!t_answered && !ring.putOff())
                break;
        }
        ring.finish();
    }
    left();
}

void Session::left() {
    bool last = false;
    {
        MutexLock lock(m_mutex);
        last = --m_working == 0;
        m_changed.notifyAll();
    }
    if (last && !m_stopping && !m_endExpected && m_ended)
        m_ended();
}

void Session::stop() {
    m_stopping = true;
    if (m_pairing)
        m_pairing->stop();
    if (m_session)
        fuse_session_exit(m_session);
    for (;;) { // a signal that arrives just before read() is lost, so it is sent until everybody has left
        for (std::thread& worker : m_workers)
            pthread_kill(worker.native_handle(), wakeSignal);
        MutexLock lock(m_mutex);
        if (m_working == 0)
            break;
        m_changed.waitFor(m_mutex, std::chrono::milliseconds(5));
    }
    for (std::thread& worker : m_workers)
        worker.join();
    m_workers.clear();
    MutexLock lock(m_mutex);
    while (m_putOff > 0)
        m_changed.wait(m_mutex);
}

std::span<std::byte> Session::answerBuffer(std::size_t size) {
    if (t_entry && size <= t_entry->place().size())
        return t_entry->place().first(size);
    // it stays: the kernel reads ahead a megabyte at a time
    thread_local std::vector<std::byte> buffer;
    if (buffer.size() < size)
        buffer.resize(size);
    return {buffer.data(), size};
}

Session::Later Session::later(fuse_req_t request) {
    Later later;
    later.m_session = this;
    later.m_request = request;
    later.m_channel = t_channel;
    later.m_entry = t_entry;
    MutexLock lock(m_mutex);
    ++m_putOff;
    return later;
}

void Session::Later::error(int errnoValue) const {
    {
        ChannelScope scope(m_session, m_channel, m_entry);
        fuse_reply_err(m_request, errnoValue);
    }
    m_session->answered();
}

void Session::answered() {
    MutexLock lock(m_mutex);
    --m_putOff;
    m_changed.notifyAll(); // under the lock: stop() may destroy us as soon as it is released
}

} // namespace arbor
