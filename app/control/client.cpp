#include "app/control/client.h"

#include "app/control/methods.h"
#include "app/control/runtime_dir.h"

#include <QJsonArray>

#include <algorithm>

namespace arbor {

ControlClient::ControlClient(Options options, QObject* parent)
    : QObject(parent), m_options(std::move(options)), m_nextRetry(m_options.firstRetry) {
    if (!m_options.store.isEmpty())
        m_options.store = QString::fromStdString(canonicalStore(m_options.store.toStdString()));
    m_retry.setSingleShot(true);
    connect(&m_retry, &QTimer::timeout, this, &ControlClient::tryConnect);
    m_life.setInterval(pingInterval);
    connect(&m_life, &QTimer::timeout, this, &ControlClient::checkLife);
}

ControlClient::~ControlClient() {
    blockSignals(true);
    if (m_receiving) { // a callback destroys us: the socket that called it goes later
        m_socket->disconnect(this);
        m_socket->close();
        m_socket.release()->deleteLater();
    }
}

void ControlClient::open() {
    if (m_state == State::Closed)
        tryConnect();
}

void ControlClient::close() {
    const bool reconnect = std::exchange(m_options.reconnect, false);
    const Error why = makeError(ErrorKind::Unreachable, "the connection to the engine was closed");
    if (m_state != State::Closed)
        drop(why);
    m_retry.stop();
    for (auto& [job, open] : std::exchange(m_jobs, {}))
        failLater(std::move(open), why);
    m_options.reconnect = reconnect;
}

void ControlClient::request(const QString& method, const QJsonObject& params, QObject* context,
                            Callback callback) {
    add(method, params, {method, context, std::move(callback), true});
}

void ControlClient::requestRaw(const QString& method, const QJsonObject& params, QObject* context,
                               Callback callback) {
    add(method, params, {method, context, std::move(callback), false});
}

void ControlClient::followJob(qint64 id, QObject* context, Callback callback) {
    waitForJob(id, {method::jobWait, context, std::move(callback), false});
}

void ControlClient::subscribe(const QStringList& kinds) {
    m_kinds += kinds;
    m_kinds.removeDuplicates();
    if (m_state == State::Ready)
        requestRaw(method::subscribe, {{"kinds", QJsonArray::fromStringList(kinds)}}, this,
                   [](const auto&) {});
}

void ControlClient::add(const QString& method, const QJsonObject& params, Open open) {
    if (m_state == State::Closed) {
        failLater(std::move(open),
                  makeError(ErrorKind::Unreachable, "no engine serves {}", m_options.store.toStdString()));
        return;
    }
    const qint64 id = ++m_lastId;
    m_open.emplace(id, std::move(open));
    if (m_state == State::Greeting)
        m_unsent.emplace_back(id, method, params);
    else
        send(id, method, params);
}

void ControlClient::send(qint64 id, const QString& method, const QJsonObject& params) {
    const QByteArray line = requestLine(id, method, params);
    if (line.size() <= maxRequestBytes) {
        m_socket->send(line);
        return;
    }
    if (auto node = m_open.extract(id))
        failLater(std::move(node.mapped()),
                  makeError(ErrorKind::InvalidArgument, "the request has {} bytes, more than {}", line.size(),
                            maxRequestBytes));
}

void ControlClient::failLater(Open open, const Error& error) {
    const auto fail = [open = std::move(open), error] {
        if (open.context)
            open.callback(error);
    };
    QMetaObject::invokeMethod(this, fail, Qt::QueuedConnection);
}

void ControlClient::tryConnect() {
    auto descriptor = m_options.socket.isEmpty() ? connectToEngine(m_options.store.toStdString())
                                                 : connectToSocket(m_options.socket.toStdString());
    if (!descriptor) {
        drop(descriptor.error());
        return;
    }
    m_socket = std::make_unique<LineSocket>(*descriptor, maxResponseBytes);
    connect(m_socket.get(), &LineSocket::lineReceived, this, &ControlClient::receive);
    connect(m_socket.get(), &LineSocket::closed, this, [this] {
        drop(makeError(ErrorKind::Unreachable,
                       "the connection to the engine was lost; whether the request took effect is not known "
                       "(pgarborctl log tells)"));
    });
    connect(m_socket.get(), &LineSocket::lineTooLong, this, [this] {
        drop(makeError(ErrorKind::Unreachable, "the engine sent more than {} bytes", maxResponseBytes));
    });
    m_state = State::Greeting;
    m_heard = std::chrono::steady_clock::now();
    m_life.start();
    const qint64 id = ++m_lastId;
    m_open.emplace(id,
                   Open{method::hello, this, [this](const Result<QJsonValue>& result) { greeted(result); }});
    QJsonObject hello{{"protocol", controlProtocolVersion}, {"program", m_options.program}};
    if (!m_options.store.isEmpty())
        hello.insert("store", m_options.store);
    send(id, method::hello, hello);
}

void ControlClient::greeted(const Result<QJsonValue>& result) {
    if (!result) {
        if (m_state == State::Greeting) // else the connection went, and that has been told
            drop(result.error());
        return;
    }
    m_engine = result->toObject();
    m_state = State::Ready;
    m_nextRetry = m_options.firstRetry;
    if (!m_kinds.isEmpty())
        requestRaw(method::subscribe, {{"kinds", QJsonArray::fromStringList(m_kinds)}}, this,
                   [](const auto&) {});
    const QString instance = m_engine.value("instance").toString();
    for (auto& [job, open] : std::exchange(m_jobs, {})) {
        if (instance == m_jobsInstance)
            waitForJob(job, std::move(open));
        else
            failLater(std::move(open),
                      makeError(ErrorKind::Unreachable,
                                "the engine was started anew while {} ran; pgarborctl log tells "
                                "whether it took effect",
                                open.method.toStdString()));
    }
    m_jobsInstance = instance;
    for (const auto& [id, method, params] : std::exchange(m_unsent, {}))
        send(id, method, params);
    emit connected();
}

void ControlClient::waitForJob(qint64 job, Open open) {
    open.follow = false;
    open.job = job;
    add(method::jobWait, {{"id", job}}, std::move(open));
}

void ControlClient::receive(const QByteArray& line) {
    const QPointer<ControlClient> self(this);
    m_receiving = true;
    take(line);
    if (self)
        m_receiving = false;
}

void ControlClient::take(const QByteArray& line) {
    m_heard = std::chrono::steady_clock::now();
    auto message = parseMessage(line);
    if (!message) {
        drop(makeError(ErrorKind::Unreachable, "the engine sent nonsense: {}", message.error().message()));
        return;
    }
    if (message->isEvent) {
        emit eventReceived(message->eventKind, message->payload);
        return;
    }
    auto node = m_open.extract(message->id.toInteger(-1));
    if (node.empty()) {
        // An error without id is the engine's word before it hangs up on us.
        if (!message->result)
            drop(message->result.error());
        return;
    }
    settle(std::move(node.mapped()), std::move(message->result));
}

void ControlClient::settle(Open open, Result<QJsonValue> result) {
    if (open.follow && result && result->isObject()) {
        const QJsonObject object = result->toObject();
        if (object.size() == 1 && object.contains("job")) {
            const qint64 job = object.value("job").toInteger();
            emit jobStarted(job, open.method);
            waitForJob(job, std::move(open));
            return;
        }
    }
    if (open.context)
        open.callback(std::move(result));
}

void ControlClient::drop(const Error& why) {
    m_state = State::Closed;
    m_life.stop();
    if (m_socket) { // we may be called from inside it
        m_socket->disconnect(this);
        m_socket->close();
        m_socket.release()->deleteLater();
    }
    m_unsent.clear();
    for (auto& [id, open] : std::exchange(m_open, {})) {
        if (open.job != 0 && m_options.reconnect)
            m_jobs.emplace_back(open.job, std::move(open));
        else if (open.method != QLatin1String(method::hello))
            failLater(std::move(open), why);
    }
    if (m_options.reconnect) {
        m_retry.start(m_nextRetry);
        m_nextRetry = std::min(m_nextRetry * 2, m_options.lastRetry);
    }
    emit disconnected(why);
}

// An engine that was stopped in its tracks (SIGSTOP, a dead disk) keeps the socket open and answers nothing.
void ControlClient::checkLife() {
    if (std::chrono::steady_clock::now() - m_heard > pingPatience) {
        drop(makeError(ErrorKind::Unreachable, "the engine has not answered for {} seconds",
                       std::chrono::duration_cast<std::chrono::seconds>(pingPatience).count()));
        return;
    }
    if (m_state == State::Ready)
        requestRaw(method::ping, {}, this, [](const auto&) {});
}

} // namespace arbor
