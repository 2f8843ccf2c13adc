#include "app/control/line_socket.h"

#include <QPointer>

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace arbor {

namespace {
constexpr qsizetype readBytes = 64 << 10;
constexpr qsizetype holdBackBytes = maxResponseBytes / 8;
} // namespace

LineSocket::LineSocket(int descriptor, qsizetype longestLine, QObject* parent)
    : QObject(parent), m_descriptor(descriptor), m_longestLine(longestLine),
      m_readable(std::make_unique<QSocketNotifier>(descriptor, QSocketNotifier::Read)),
      m_writable(std::make_unique<QSocketNotifier>(descriptor, QSocketNotifier::Write)) {
    connect(m_readable.get(), &QSocketNotifier::activated, this, &LineSocket::readSome);
    connect(m_writable.get(), &QSocketNotifier::activated, this, &LineSocket::sendSome);
    updateNotifiers();
}

LineSocket::~LineSocket() {
    blockSignals(true);
    close();
}

void LineSocket::send(const QByteArray& line) {
    if (!isOpen() || m_closing)
        return;
    m_out.append(line);
    m_out.append('\n');
    sendSome();
}

void LineSocket::closeAfterSending() {
    if (!isOpen())
        return;
    m_closing = true;
    m_in.clear();
    if (unsentBytes() == 0)
        close();
    else
        updateNotifiers();
}

void LineSocket::close() {
    if (!isOpen())
        return;
    // The notifiers may be the ones that called us: they are disabled now and deleted with this object.
    m_readable->setEnabled(false);
    m_writable->setEnabled(false);
    ::close(m_descriptor);
    m_descriptor = -1;
    emit closed();
}

void LineSocket::readSome() {
    if (!isOpen() || m_closing)
        return;
    const qsizetype before = m_in.size();
    m_in.resize(before + readBytes);
    const ssize_t got = recv(m_descriptor, m_in.data() + before, readBytes, MSG_DONTWAIT);
    m_in.resize(before + std::max<ssize_t>(got, 0));
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        close();
        return;
    }
    takeLines();
}

// One read's worth of lines; the event loop serves the other connections in between. A receiver may run an
// event loop of its own (a dialog): all state is in members, so the call within goes on where this one
// stands.
void LineSocket::takeLines() {
    const QPointer<LineSocket> alive(this);
    while (isOpen() && !m_closing) {
        const qsizetype end = m_in.indexOf('\n', std::max(m_start, m_scanned));
        const qsizetype length = (end < 0 ? m_in.size() : end) - m_start;
        if (length > m_longestLine) {
            m_in.clear();
            m_start = m_scanned = 0;
            emit lineTooLong();
            return;
        }
        if (end < 0)
            break;
        const QByteArray line = m_in.mid(m_start, length);
        m_start = end + 1;
        emit lineReceived(line);
        if (!alive)
            return;
    }
    m_in.remove(0, std::min(m_start, m_in.size()));
    m_start = 0;
    m_scanned = m_in.size();
}

void LineSocket::sendSome() {
    while (isOpen() && unsentBytes() > 0) {
        const ssize_t put = ::send(m_descriptor, m_out.constData() + m_sent,
                                   static_cast<std::size_t>(unsentBytes()), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (put < 0) {
            if (errno == EINTR)
                continue;
            if (errno == EAGAIN)
                break;
            close();
            return;
        }
        m_sent += put;
    }
    if (!isOpen())
        return;
    if (unsentBytes() == 0) {
        m_out.clear();
        m_sent = 0;
        if (m_closing) {
            close();
            return;
        }
    } else if (m_sent > readBytes * 16) {
        m_out.remove(0, m_sent);
        m_sent = 0;
    }
    updateNotifiers();
}

void LineSocket::updateNotifiers() {
    m_readable->setEnabled(!m_closing && unsentBytes() <= holdBackBytes);
    m_writable->setEnabled(unsentBytes() > 0);
}

} // namespace arbor
