// A way to a server that breaks: it cuts the connections, stalls, slows down, or changes what the server
// says.
#pragma once

#include <QMutex>
#include <QSet>
#include <QTcpServer>
#include <QTcpSocket>
#include <QThread>
#include <QTimer>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

namespace arbor::import_test {

// Lives in a thread of its own: tests block while programs run.
class Proxy {
  public:
    enum class Then { GoOn, Cut, Stall, Slow };

    // What comes from the server beyond `limit` bytes, of all connections together, is treated as `then`.
    Proxy(int port, qint64 limit, Then then) : m_port(port), m_limit(limit), m_then(then) {
        m_server = std::make_unique<QTcpServer>();
        m_server->listen(QHostAddress::LocalHost);
        m_listens = m_server->serverPort();
        QObject::connect(m_server.get(), &QTcpServer::newConnection, m_server.get(), [this] { accept(); });
        m_server->moveToThread(&m_thread);
        m_thread.start();
    }
    ~Proxy() {
        QMetaObject::invokeMethod(
            m_server.get(), [this] { m_server.reset(); }, Qt::BlockingQueuedConnection);
        m_thread.quit();
        m_thread.wait();
    }
    // Both of one length, within one piece of what the server says.
    void replace(const QByteArray& from, const QByteArray& to) { m_replaced.emplace_back(from, to); }
    int port() const { return m_listens; }
    bool limitReached() const { return m_passed > m_limit; }
    // What was held back goes on.
    void release() {
        QMetaObject::invokeMethod(
            m_server.get(),
            [this] {
                m_limit = std::numeric_limits<qint64>::max();
                m_waiting.clear();
                for (QTcpSocket* socket : m_server->findChildren<QTcpSocket*>())
                    Q_EMIT socket->readyRead();
            },
            Qt::BlockingQueuedConnection);
    }

  private:
    void accept() {
        QTcpSocket* client = m_server->nextPendingConnection(); // the server is its parent
        auto* server = new QTcpSocket(m_server.get());
        // what is held back is held back at the server, as a slow network does: it tells of its progress by
        // what it could send
        server->setReadBufferSize(256 << 10);
        server->connectToHost(QHostAddress::LocalHost, static_cast<quint16>(m_port));
        QObject::connect(client, &QTcpSocket::readyRead, server, [=] { server->write(client->readAll()); });
        QObject::connect(server, &QTcpSocket::readyRead, client, [=, this] { answer(client, server); });
        for (const auto& [one, other] : {std::pair{client, server}, std::pair{server, client}})
            QObject::connect(one, &QTcpSocket::disconnected, other,
                             [other = other] { other->disconnectFromHost(); });
        if (m_passed > m_limit && m_then == Then::Cut)
            client->abort();
    }
    void answer(QTcpSocket* client, QTcpSocket* server) {
        if (m_passed > m_limit && m_then == Then::Stall)
            return;
        const bool slow = m_passed > m_limit && m_then == Then::Slow;
        if (slow && m_waiting.contains(server))
            return; // more has come: its turn comes with the timer
        QByteArray said = slow ? server->read(64 << 10) : server->readAll();
        if (slow) { // some 3 MB/s
            m_waiting.insert(server);
            QTimer::singleShot(20, client, [=, this] {
                m_waiting.remove(server);
                answer(client, server);
            });
        }
        if (said.isEmpty())
            return;
        for (const auto& [from, to] : m_replaced)
            said.replace(from, to);
        m_passed += said.size();
        if (m_passed > m_limit && m_then == Then::Cut) {
            for (QTcpSocket* socket : m_server->findChildren<QTcpSocket*>())
                socket->abort();
            return;
        }
        client->write(said);
    }

    const int m_port;
    std::atomic<qint64> m_limit;
    const Then m_then;
    std::atomic<qint64> m_passed{0};
    QSet<QTcpSocket*> m_waiting; // of a slow one: those that a timer serves
    std::vector<std::pair<QByteArray, QByteArray>> m_replaced;
    quint16 m_listens = 0;
    QThread m_thread;
    std::unique_ptr<QTcpServer> m_server;
};

} // namespace arbor::import_test
