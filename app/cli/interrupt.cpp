#include "app/cli/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace arbor {

namespace {

std::atomic<int> wakeDescriptor{-1};

void wake(int) {
    const int saved = errno;
    [[maybe_unused]] const ssize_t put = write(wakeDescriptor.load(), "x", 1);
    errno = saved;
}

} // namespace

InterruptGuard::InterruptGuard(std::function<void()> callback) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return; // ctrl-C then ends the program, as ever
    m_reading = ends[0];
    m_writing = ends[1];
    wakeDescriptor = m_writing;
    m_notifier = std::make_unique<QSocketNotifier>(m_reading, QSocketNotifier::Read);
    QObject::connect(m_notifier.get(), &QSocketNotifier::activated, m_notifier.get(),
                     [reading = m_reading, callback = std::move(callback)] {
                         char bytes[16];
                         if (read(reading, bytes, sizeof bytes) > 0)
                             callback();
                     });
    struct sigaction action {};
    action.sa_handler = wake;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    sigaction(SIGINT, &action, &m_formerInt);
    sigaction(SIGTERM, &action, &m_formerTerm);
}

InterruptGuard::~InterruptGuard() {
    if (m_reading < 0)
        return;
    sigaction(SIGINT, &m_formerInt, nullptr);
    sigaction(SIGTERM, &m_formerTerm, nullptr);
    m_notifier.reset();
    wakeDescriptor = -1;
    close(m_reading);
    close(m_writing);
}

} // namespace arbor
