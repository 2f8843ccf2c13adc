// A runtime directory of one's own, and a socket used by hand.
#pragma once

#include "app/control/message.h"
#include "app/control/runtime_dir.h"

#include <QDeadlineTimer>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <QTest>

#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace arbor {

// Points XDG_RUNTIME_DIR into a fresh directory for as long as it lives.
class RuntimeDirectory {
  public:
    RuntimeDirectory() : m_directory("/tmp/arbor-control-XXXXXX") {
        qputenv("XDG_RUNTIME_DIR", path().toLocal8Bit());
    }
    ~RuntimeDirectory() { qunsetenv("XDG_RUNTIME_DIR"); }
    QString path() const { return m_directory.path(); }
    QString store() const { return m_directory.path() + "/store"; }

  private:
    QTemporaryDir m_directory;
};

inline void allowManyDescriptors() {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 8192);
    setrlimit(RLIMIT_NOFILE, &limit);
}

// One connection, byte by byte, in the thread of the server: waiting runs the event loop.
class RawConnection {
  public:
    explicit RawConnection(const QString& store) {
        if (auto descriptor = connectToEngine(store.toStdString()))
            m_descriptor = *descriptor;
    }
    ~RawConnection() { close(); }
    RawConnection(RawConnection&& other) noexcept : m_descriptor(std::exchange(other.m_descriptor, -1)) {}
    RawConnection(const RawConnection&) = delete;
    RawConnection& operator=(const RawConnection&) = delete;

    bool isOpen() const { return m_descriptor >= 0; }
    int descriptor() const { return m_descriptor; }
    void close() {
        if (m_descriptor >= 0)
            ::close(std::exchange(m_descriptor, -1));
    }
    // False when the other end has gone.
    bool write(const QByteArray& bytes) {
        qsizetype at = 0;
        QDeadlineTimer deadline(30'000);
        while (at < bytes.size() && !deadline.hasExpired()) {
            const ssize_t put =
                send(m_descriptor, bytes.constData() + at, static_cast<std::size_t>(bytes.size() - at),
                     MSG_DONTWAIT | MSG_NOSIGNAL);
            if (put > 0)
                at += put;
            else if (errno != EAGAIN)
                return false;
            QCoreApplication::processEvents();
        }
        return at == bytes.size();
    }
    // The next line, empty at the end of the connection (then ended() is true).
    QByteArray readLine() {
        QDeadlineTimer deadline(30'000);
        qsizetype end = m_in.indexOf('\n');
        while (end < 0 && !m_ended && !deadline.hasExpired()) {
            char part[65536];
            const ssize_t got = recv(m_descriptor, part, sizeof part, MSG_DONTWAIT);
            if (got > 0) {
                const qsizetype before = m_in.size();
                m_in.append(part, got);
                end = m_in.indexOf('\n', before);
            } else if (got == 0 || errno != EAGAIN) {
                m_ended = true;
            } else {
                QCoreApplication::processEvents(QEventLoop::AllEvents, 5);
            }
        }
        const QByteArray line = m_in.left(std::max<qsizetype>(end, 0));
        m_in.remove(0, end + 1);
        return line;
    }
    QJsonObject readJson() { return QJsonDocument::fromJson(readLine()).object(); }
    bool ended() {
        while (!m_ended && !readLine().isEmpty()) {
        }
        return m_ended;
    }
    QJsonObject greet(int protocol = 1, const QString& store = {}) {
        write(requestLine(1, "hello", {{"protocol", protocol}, {"program", "test"}, {"store", store}}) +
              '\n');
        return readJson();
    }

  private:
    int m_descriptor = -1;
    QByteArray m_in;
    bool m_ended = false;
};

inline QString errorKindOf(const QJsonObject& response) {
    return response.value("error").toObject().value("data").toObject().value("kind").toString();
}

} // namespace arbor
