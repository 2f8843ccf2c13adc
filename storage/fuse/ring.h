// Requests of the kernel over io_uring, in place of read() and writev() on the device: one system call a
// request, and it is served on the processor that it was made on. Linux 6.14 on, where an administrator has
// set the parameter enable_uring of the kernel's module fuse (Documentation/filesystems/fuse-io-uring.rst);
// it is off as shipped.
#pragma once

#include "storage/base/mutex.h"
#include "storage/base/status.h"

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include <liburing.h>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <thread>
#include <vector>

namespace arbor {

// The ring of one thread, for requests made on one processor. Everything but Entry::answer() is for the
// thread that opened it. The kernel sends nothing at all until every processor has a ring.
class RequestRing {
  public:
    // What the kernel puts a request into and takes its answer from.
    class Entry {
      public:
        explicit Entry(RequestRing& ring) : m_ring(ring) {}
        ~Entry();
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;

        // As the device would have given it. Valid until the next request of this ring; what is too long for
        // a copy (data to write) is overwritten by the answer.
        fuse_buf request();
        // Where an answer may be made, so that it need not be copied there.
        std::span<std::byte> place() const;
        // A fuse_out_header and what follows it. Once a request, from any thread.
        void answer(std::span<const iovec> parts);

      private:
        friend class RequestRing;
        RequestRing& m_ring;
        std::byte* m_memory = nullptr; // a page for what the kernel calls the header, then the payload
        std::array<iovec, 2> m_parts{};
    };

    // Of the machine, present or not; each needs a ring.
    static unsigned processors();
    // Whether this process may make rings, asked before the kernel is told that they are wanted: there is no
    // way back.
    static bool possible();

    // `device` is borrowed; INIT must have been answered. Binds the calling thread to the processor.
    static Result<std::unique_ptr<RequestRing>> open(int device, unsigned processor);
    ~RequestRing();
    RequestRing(const RequestRing&) = delete;
    RequestRing& operator=(const RequestRing&) = delete;

    // Hands the answers over and waits for the next request. Null after a signal, and when the connection has
    // ended.
    Entry* next();
    bool hasEnded() const { return m_ended; }
    // The last request is answered later, by whoever: another entry takes its place meanwhile.
    Status putOff();
    // Hands over the answers that are still to come; requests that come now are not served.
    void finish();

  private:
    RequestRing(int device, unsigned processor) : m_device(device), m_processor(processor) {}
    Status add();
    io_uring_sqe& submission();
    void submit(std::uint32_t command, Entry& entry);
    void awaitLateAnswers();
    void takeLateAnswers();
    Entry* completed(io_uring_cqe* completion);

    int m_device;
    unsigned m_processor;
    io_uring m_ring{};
    bool m_made = false;
    bool m_ended = false;
    int m_wake = -1; // an eventfd: there are late answers
    std::uint64_t m_woken = 0;
    int m_putOff = 0;
    const std::thread::id m_owner = std::this_thread::get_id();
    std::vector<std::unique_ptr<Entry>> m_entries;
    std::array<std::byte, 8192> m_request{};

    Mutex m_mutex;
    std::vector<Entry*> m_lateAnswers ARBOR_GUARDED_BY(m_mutex);
};

} // namespace arbor
