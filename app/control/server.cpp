#include "app/control/server.h"

#include "app/control/methods.h"

#include <QJsonArray>
#include <QUuid>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace arbor {

// The way from a responder in any thread to a server that may be gone.
struct Responder::Link {
    Mutex mutex;
    ControlServer* server ARBOR_GUARDED_BY(mutex) = nullptr;
};

Responder::Responder(std::shared_ptr<Link> link, ConnectionId connection, QJsonValue id)
    : m_link(std::move(link)), m_connection(connection), m_id(std::move(id)) {}

Responder::~Responder() {
    answer(makeError(ErrorKind::Io, "the engine gave no answer; its log may say why"));
}

void Responder::answer(Result<QJsonValue> result) {
    {
        MutexLock lock(m_mutex);
        if (m_answered)
            return;
        m_answered = true;
    }
    MutexLock lock(m_link->mutex);
    if (ControlServer* server = m_link->server) {
        const auto deliver = [server, connection = m_connection, id = m_id, result = std::move(result)] {
            server->deliver(connection, id, result);
        };
        QMetaObject::invokeMethod(server, deliver, Qt::QueuedConnection);
    }
}

ControlServer::ControlServer(Options options, QObject* parent)
    : QObject(parent), m_options(std::move(options)),
      m_instance(QUuid::createUuid().toString(QUuid::WithoutBraces)),
      m_link(std::make_shared<Responder::Link>()) {
    MutexLock lock(m_link->mutex);
    m_link->server = this;
    // When descriptors run out, the listener stays readable: look again later rather than spin.
    m_acceptAgain.setSingleShot(true);
    m_acceptAgain.setInterval(100);
    connect(&m_acceptAgain, &QTimer::timeout, this, [this] {
        if (m_acceptable)
            m_acceptable->setEnabled(true);
    });
}

ControlServer::~ControlServer() {
    {
        MutexLock lock(m_link->mutex);
        m_link->server = nullptr;
    }
    close();
    m_connections.clear();
}

Status ControlServer::listen(const ControlAddress& address) {
    ARBOR_TRY(prepareRuntimeDirectory(address));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (address.socket.size() >= sizeof name.sun_path)
        return makeError(ErrorKind::NameTooLong,
                         "the socket path {} is too long; set XDG_RUNTIME_DIR to a shorter one",
                         address.socket);
    std::memcpy(name.sun_path, address.socket.c_str(), address.socket.size() + 1);

    const int lock = open(address.lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock < 0)
        return errnoError(errno, "opening " + address.lock);
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        ::close(lock);
        return makeError(ErrorKind::Busy, "another engine serves {} already", m_options.store.toStdString());
    }
    m_lock = lock;
    // Whoever holds the lock owns the socket's name: what is there was left by an engine that died.
    unlink(address.socket.c_str());
    m_listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (m_listener < 0)
        return errnoError(errno, "making the control socket");
    // The directory is closed to others, so nobody gets in between bind and chmod; umask would be
    // process-wide.
    if (bind(m_listener, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0 ||
        chmod(address.socket.c_str(), 0600) != 0 || ::listen(m_listener, 4096) != 0)
        return errnoError(errno, "listening at " + address.socket);
    m_address = address;
    m_acceptable = std::make_unique<QSocketNotifier>(m_listener, QSocketNotifier::Read);
    connect(m_acceptable.get(), &QSocketNotifier::activated, this, &ControlServer::acceptSome);
    return {};
}

void ControlServer::close() {
    m_acceptable.reset();
    if (m_listener >= 0) {
        unlink(m_address.socket.c_str());
        ::close(m_listener);
        m_listener = -1;
    }
    if (m_lock >= 0)
        ::close(std::exchange(m_lock, -1));
    std::vector<LineSocket*> sockets;
    for (auto& [id, connection] : m_connections)
        sockets.push_back(connection.socket.get());
    for (LineSocket* socket : sockets) // forget() deletes later, so the pointers stay good here
        socket->closeAfterSending();
}

void ControlServer::handle(const QString& method, Handler handler) {
    handleDeferred(method,
                   [handler = std::move(handler)](const QJsonObject& params, const RequestContext& context,
                                                  const ResponderPtr& responder) {
                       responder->answer(handler(params, context));
                   });
}

void ControlServer::handleDeferred(const QString& method, DeferredHandler handler) {
    m_handlers.insert(method, std::move(handler));
}

void ControlServer::publish(const QString& kind, const QJsonValue& payload) {
    // Queued in this thread too: a publisher in the middle of its own work is not entered by
    // connectionClosed().
    const auto send = [this, kind, payload] { sendEvent(kind, payload); };
    QMetaObject::invokeMethod(this, send, Qt::QueuedConnection);
}

void ControlServer::acceptSome() {
    for (int i = 0; i < 64 && m_listener >= 0; ++i) {
        const int descriptor = accept4(m_listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (descriptor >= 0) {
            adopt(descriptor);
            continue;
        }
        if (errno == EINTR || errno == ECONNABORTED)
            continue;
        if (errno != EAGAIN) {
            m_acceptable->setEnabled(false);
            m_acceptAgain.start();
        }
        return;
    }
}

void ControlServer::adopt(int descriptor) {
    const ConnectionId id = ++m_lastConnection;
    Connection& connection = m_connections[id];
    connection.socket = std::make_unique<LineSocket>(descriptor, maxHelloBytes);
    connection.context.connection = id;
    LineSocket* socket = connection.socket.get();
    connect(socket, &LineSocket::lineReceived, this,
            [this, id](const QByteArray& line) { receive(id, line); });
    connect(socket, &LineSocket::closed, this, [this, id] { forget(id); });
    connect(socket, &LineSocket::lineTooLong, this, [this, id] {
        fail(m_connections.at(id), QJsonValue(),
             makeError(ErrorKind::InvalidArgument, "a request may have at most {} bytes, a hello {}",
                       maxRequestBytes, maxHelloBytes));
    });

    const auto peer = peerOf(descriptor);
    const auto& also = m_options.alsoAllowed;
    if (!peer || (peer->uid != geteuid() && peer->uid != 0 &&
                  std::find(also.begin(), also.end(), peer->uid) == also.end())) {
        fail(connection, QJsonValue(),
             makeError(ErrorKind::Permission, "the engine serves its own user and root only"));
        return;
    }
    connection.context.uid = peer->uid;
    connection.context.pid = peer->pid;
    if (connectionCount() > m_options.maxConnections) {
        fail(connection, QJsonValue(),
             makeError(ErrorKind::Busy, "the engine has {} clients already", m_options.maxConnections));
        return;
    }
    connection.patience = std::make_unique<QTimer>();
    connection.patience->setSingleShot(true);
    connect(connection.patience.get(), &QTimer::timeout, this, [this, id] {
        fail(m_connections.at(id), QJsonValue(), makeError(ErrorKind::InvalidArgument, "no hello came"));
    });
    connection.patience->start(m_options.helloTimeout);
}

void ControlServer::receive(ConnectionId id, const QByteArray& line) {
    Connection& connection = m_connections.at(id);
    auto request = parseRequest(line);
    if (!request) {
        fail(connection, QJsonValue(), std::move(request).error());
        return;
    }
    if (!connection.greeted)
        greet(connection, *request);
    else
        dispatch(id, connection, *request);
}

void ControlServer::greet(Connection& connection, const Request& request) {
    if (request.method != QLatin1String(method::hello)) {
        fail(connection, request.id,
             makeError(ErrorKind::InvalidArgument, "the first request must be hello"));
        return;
    }
    const int protocol = request.params.value("protocol").toInt(-1);
    if (protocol != controlProtocolVersion) {
        fail(connection, request.id,
             makeError(
                 ErrorKind::Unsupported,
                 "this engine ({}) speaks control protocol {}, the client {}; use programs of one version, "
                 "and restart the engine after an update (pgarborctl engine stop)",
                 m_options.program.toStdString(), controlProtocolVersion, protocol));
        return;
    }
    const QString store = request.params.value("store").toString();
    if (!store.isEmpty() && store != m_options.store) {
        fail(connection, request.id,
             makeError(ErrorKind::Refused, "this engine serves {}, not {}", m_options.store.toStdString(),
                       store.toStdString()));
        return;
    }
    connection.context.client = request.params.value("program").toString().left(200);
    connection.greeted = true;
    connection.patience.reset();
    connection.socket->setLongestLine(maxRequestBytes);
    send(connection,
         responseLine(request.id, QJsonValue(QJsonObject{{"protocol", controlProtocolVersion},
                                                         {"program", m_options.program},
                                                         {"store", m_options.store},
                                                         {"instance", m_instance},
                                                         {"pid", static_cast<qint64>(getpid())}})));
}

void ControlServer::dispatch(ConnectionId id, Connection& connection, const Request& request) {
    const QString& name = request.method;
    if (name == QLatin1String(method::ping)) {
        send(connection, responseLine(request.id, QJsonValue(QJsonObject())));
    } else if (name == QLatin1String(method::subscribe) || name == QLatin1String(method::unsubscribe)) {
        const bool on = name == QLatin1String(method::subscribe);
        send(connection, responseLine(request.id, subscribe(connection, request.params, on)));
    } else if (connection.openRequests >= maxOpenRequests) {
        send(connection,
             responseLine(request.id, makeError(ErrorKind::Busy, "{} requests of this client are unanswered",
                                                connection.openRequests)));
    } else if (const auto handler = m_handlers.constFind(name); handler != m_handlers.constEnd()) {
        ++connection.openRequests;
        // Copies: the handler may close the connection, or replace itself.
        const RequestContext context = connection.context;
        const DeferredHandler call = *handler;
        call(request.params, context, std::make_shared<Responder>(m_link, id, request.id));
    } else {
        send(connection,
             responseLine(request.id, makeError(ErrorKind::Unsupported, "this engine knows no method {}",
                                                name.left(200).toStdString())));
    }
}

Result<QJsonValue> ControlServer::subscribe(Connection& connection, const QJsonObject& params, bool on) {
    if (!params.contains("kinds")) {
        connection.allEvents = on;
        connection.events.clear();
        return QJsonValue(QJsonObject());
    }
    const QJsonArray kinds = params.value("kinds").toArray();
    if (kinds.size() > 100)
        return makeError(ErrorKind::InvalidArgument, "at most 100 kinds of event may be named");
    for (const QJsonValue& kind : kinds) {
        if (on)
            connection.events.insert(kind.toString());
        else
            connection.events.remove(kind.toString());
    }
    return QJsonValue(QJsonObject());
}

void ControlServer::deliver(ConnectionId id, const QJsonValue& requestId, const Result<QJsonValue>& result) {
    const auto found = m_connections.find(id);
    if (found == m_connections.end())
        return;
    --found->second.openRequests;
    QByteArray line = responseLine(requestId, result);
    if (line.size() > maxResponseBytes)
        line = responseLine(requestId,
                            makeError(ErrorKind::Unsupported,
                                      "the answer has {} bytes, more than the {} allowed; ask for less",
                                      line.size(), maxResponseBytes));
    send(found->second, std::move(line));
}

void ControlServer::send(Connection& connection, QByteArray line) {
    if (connection.socket->unsentBytes() + line.size() > maxUnsentBytes)
        connection.socket->close(); // it does not read; it may come back when it does
    else
        connection.socket->send(line);
}

void ControlServer::fail(Connection& connection, const QJsonValue& requestId, Error error) {
    // Every step may end the connection and with it its record; the socket itself is only deleted later.
    LineSocket* socket = connection.socket.get();
    socket->send(responseLine(requestId, Result<QJsonValue>(std::move(error))));
    socket->closeAfterSending();
    if (socket->isOpen()) // somebody who does not even read our last words
        QTimer::singleShot(m_options.helloTimeout, socket, &LineSocket::close);
}

void ControlServer::forget(ConnectionId id) {
    auto node = m_connections.extract(id);
    if (node.empty())
        return;
    Connection& connection = node.mapped();
    // We may be called from inside the socket or the timer.
    connection.socket.release()->deleteLater();
    if (connection.patience) {
        connection.patience->stop();
        connection.patience.release()->deleteLater();
    }
    if (connection.greeted)
        emit connectionClosed(id);
}

void ControlServer::sendEvent(const QString& kind, const QJsonValue& payload) {
    QByteArray line;
    std::vector<ConnectionId> takers; // sending may cut a connection and change the map
    for (const auto& [id, connection] : m_connections)
        if (connection.allEvents || connection.events.contains(kind))
            takers.push_back(id);
    if (!takers.empty())
        line = eventLine(kind, payload);
    for (const ConnectionId id : takers)
        if (const auto found = m_connections.find(id); found != m_connections.end())
            send(found->second, line);
}

} // namespace arbor
