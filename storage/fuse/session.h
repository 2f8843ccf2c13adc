// The connection to the kernel: the workers that read requests, and the way answers go back.
#pragma once

#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "storage/fuse/mount_point.h"
#include "storage/fuse/processor_pairing.h"
#include "storage/fuse/ring.h"

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <atomic>
#include <functional>
#include <memory>
#include <pthread.h>
#include <thread>
#include <vector>

namespace arbor {

// A libfuse low-level session over descriptors that were opened before privileges were dropped. libfuse's own
// loop (fuse_session_loop_mt) opens /dev/fuse for each thread when it needs one, which is too late then, and
// can only be left when the mount has gone; hence workers of our own.
//
// Invariants:
//  1. The answer to a request leaves through the descriptor that the request came from: the kernel looks for
//  it in
//     that descriptor's queue only. Workers answer on theirs; an answer from any other thread goes through
//     Later. What came by a ring goes back in its entry.
//  2. Interrupts are refused once with ENOSYS, and the kernel sends no more: no request ends with EINTR.
class Session {
  public:
    // An answer to be given after the handler has returned, by any thread.
    class Later {
      public:
        void error(int errnoValue) const; // 0 is success; once

      private:
        friend class Session;
        Session* m_session = nullptr;
        fuse_req_t m_request = nullptr;
        int m_channel = -1;
        RequestRing::Entry* m_entry = nullptr;
    };

    // `owner` becomes fuse_req_userdata().
    static Result<std::unique_ptr<Session>> open(Descriptor device, std::vector<Descriptor> clones,
                                                 const fuse_lowlevel_ops& operations, void* owner);
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // Reads and answers the first request, INIT, in the calling thread. With `rings` the kernel is asked to
    // send its requests that way, if it offers it.
    Status greet(bool rings);
    bool hasRings() const { return m_rings; }
    // `ended` is called by the last worker when the connection ended by other hands than stop().
    void start(int threads, std::function<void()> ended);
    // The connection is about to end by our own doing: not `ended`.
    void expectEnd() { m_endExpected = true; }
    // Ends and joins the workers, and waits for the answers that were put off. Requests that are not yet read
    // stay unanswered until the descriptors close.
    void stop();

    Later later(fuse_req_t request);
    // For an answer of `size` bytes to the request that the calling thread serves: memory that it need not be
    // copied from, where there is such a thing, and else the thread's own. Until the answer.
    static std::span<std::byte> answerBuffer(std::size_t size);
    fuse_session* handle() const { return m_session; }

  private:
    Session(Descriptor device, std::vector<Descriptor> clones);
    static ssize_t readRequest(int fd, void* into, std::size_t size, void* owner);
    static ssize_t writeAnswer(int fd, iovec* parts, int count, void* owner);
    void refuseInterrupt(std::uint64_t unique) const;
    bool offersRings(const fuse_buf& init) const;
    void startWorkers(int threads);
    void work(int channel);
    void workRing(unsigned processor);
    void left();
    void answered();

    Descriptor m_device;
    std::vector<Descriptor> m_clones;
    fuse_session* m_session = nullptr;
    bool m_rings = false; // agreed on with the kernel
    std::vector<std::thread> m_workers;
    std::unique_ptr<ProcessorPairing> m_pairing; // of the workers that read from the device
    std::function<void()> m_ended;
    std::atomic<bool> m_stopping{false};
    std::atomic<bool> m_endExpected{false};

    Mutex m_mutex;
    Condition m_changed;
    int m_working ARBOR_GUARDED_BY(m_mutex) = 0;
    int m_putOff ARBOR_GUARDED_BY(m_mutex) = 0;
    // of workers, but kept until nobody can answer late
    std::vector<std::unique_ptr<RequestRing>> m_requestRings ARBOR_GUARDED_BY(m_mutex);
};

} // namespace arbor
