// The engine's end of the control protocol: accepts connections, checks who they are, and gives requests to
// the handlers that were registered. README.md describes the protocol, methods.h what the methods take and
// answer.
#pragma once

#include "app/control/line_socket.h"
#include "app/control/message.h"
#include "app/control/runtime_dir.h"
#include "storage/base/mutex.h"

#include <QHash>
#include <QObject>
#include <QSet>
#include <QTimer>

#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace arbor {

using ConnectionId = quint64; // never used twice by one server

// Who asks.
struct RequestContext {
    ConnectionId connection = 0;
    QString client; // what it called itself in `hello`: "pgarborctl 0.1.0"
    uid_t uid = 0;
    pid_t pid = 0;
};

class ControlServer;

// The answer to one request, given later and from any thread. The first answer counts. When the last
// reference goes without an answer, the client gets an error. Answering after the client or the server has
// gone does nothing.
class Responder {
  public:
    struct Link;
    Responder(std::shared_ptr<Link> link, ConnectionId connection, QJsonValue id);
    ~Responder();
    Responder(const Responder&) = delete;
    Responder& operator=(const Responder&) = delete;

    void answer(Result<QJsonValue> result);

  private:
    const std::shared_ptr<Link> m_link;
    const ConnectionId m_connection;
    const QJsonValue m_id;
    Mutex m_mutex;
    bool m_answered ARBOR_GUARDED_BY(m_mutex) = false;
};
using ResponderPtr = std::shared_ptr<Responder>;

// Lives in one thread with an event loop; publish() and Responder may be used from every thread.
//
// Invariants
// 1. A handler runs only for a connection whose peer is this user, root, or in Options::alsoAllowed, and that
// has
//    said hello with our protocol version and our store.
// 2. What a stranger or a broken client sends costs bounded memory and its own connection, nothing else.
// 3. connectionClosed() is emitted exactly once for every connection that a handler was called for.
class ControlServer : public QObject {
    Q_OBJECT
  public:
    using Handler = std::function<Result<QJsonValue>(const QJsonObject& params, const RequestContext&)>;
    using DeferredHandler =
        std::function<void(const QJsonObject& params, const RequestContext&, ResponderPtr)>;

    struct Options {
        QString program{}; // "pgarbord 0.1.0"
        QString store{};   // canonical path; clients that expect another one are refused
        std::vector<uid_t> alsoAllowed{};
        int maxConnections = arbor::maxConnections;
        std::chrono::milliseconds helloTimeout = arbor::helloTimeout;
    };
    explicit ControlServer(Options options, QObject* parent = nullptr);
    ~ControlServer() override;

    // Prepares the runtime directory, takes address.lock (Busy when another engine holds it), removes a
    // socket that a dead engine left, and listens with mode 0600. Call it after privileges were dropped:
    // clients check who listens.
    Status listen(const ControlAddress& address);
    // Takes no more connections and closes those there are, after sending what is queued for them. listen()
    // may follow.
    void close();

    // Registering a name twice replaces the handler. `hello`, `ping`, `subscribe` and `unsubscribe` are the
    // server's.
    void handle(const QString& method, Handler handler);
    void handleDeferred(const QString& method, DeferredHandler handler);

    // Sends an event to every connection that subscribed to its kind. Any thread; events of one thread keep
    // their order.
    void publish(const QString& kind, const QJsonValue& payload);

    int connectionCount() const { return static_cast<int>(m_connections.size()); }
    bool isConnected(ConnectionId connection) const { return m_connections.contains(connection); }
    // Distinguishes this run of the engine from others; job ids count from 1 in each.
    const QString& instance() const { return m_instance; }

  signals:
    // A client that had said hello went away (or was cut): what lived as long as its connection ends now.
    void connectionClosed(arbor::ConnectionId connection);

  private:
    friend class Responder;
    struct Connection {
        std::unique_ptr<LineSocket> socket;
        RequestContext context;
        bool greeted = false;
        bool allEvents = false;
        QSet<QString> events;
        int openRequests = 0;
        std::unique_ptr<QTimer> patience; // until hello
    };
    void acceptSome();
    void adopt(int descriptor);
    void receive(ConnectionId id, const QByteArray& line);
    void greet(Connection& connection, const Request& request);
    void dispatch(ConnectionId id, Connection& connection, const Request& request);
    Result<QJsonValue> subscribe(Connection& connection, const QJsonObject& params, bool on);
    void deliver(ConnectionId id, const QJsonValue& requestId, const Result<QJsonValue>& result);
    void send(Connection& connection, QByteArray line);
    void fail(Connection& connection, const QJsonValue& requestId, Error error);
    void forget(ConnectionId id);
    void sendEvent(const QString& kind, const QJsonValue& payload);

    const Options m_options;
    const QString m_instance;
    const std::shared_ptr<Responder::Link> m_link;
    QHash<QString, DeferredHandler> m_handlers;
    std::map<ConnectionId, Connection> m_connections;
    ConnectionId m_lastConnection = 0;
    ControlAddress m_address;
    int m_listener = -1;
    int m_lock = -1;
    std::unique_ptr<QSocketNotifier> m_acceptable;
    QTimer m_acceptAgain;
};

} // namespace arbor
