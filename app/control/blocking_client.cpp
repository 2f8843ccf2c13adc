#include "app/control/blocking_client.h"

#include "app/control/methods.h"

#include <QEventLoop>

namespace arbor {

BlockingClient::BlockingClient(const QString& store, const QString& program)
    : m_client({.store = store, .program = program, .reconnect = false}) {
    QObject::connect(&m_client, &ControlClient::jobStarted, &m_client, [this](qint64 id) { m_job = id; });
    QObject::connect(&m_client, &ControlClient::eventReceived, &m_client,
                     [this](const QString& kind, const QJsonValue& payload) {
                         const QJsonObject job = payload.toObject();
                         if (kind == QLatin1String(event::job) && m_onProgress && m_job != 0 &&
                             job.value("id").toInteger() == m_job)
                             m_onProgress(job);
                     });
    m_client.subscribe({event::job});
}

Status BlockingClient::connect(std::chrono::milliseconds timeout) {
    if (m_client.isConnected())
        return {};
    QEventLoop loop;
    QObject scope; // ends the connections below with this call
    Status status = makeError(ErrorKind::Unreachable, "the engine did not answer hello");
    QObject::connect(&m_client, &ControlClient::connected, &scope, [&] {
        status = {};
        loop.quit();
    });
    QObject::connect(&m_client, &ControlClient::disconnected, &scope, [&](const Error& why) {
        status = why;
        QMetaObject::invokeMethod(&loop, &QEventLoop::quit,
                                  Qt::QueuedConnection); // open() may fail before exec()
    });
    QTimer::singleShot(timeout, &loop, &QEventLoop::quit);
    m_client.open();
    if (!m_client.isConnected())
        loop.exec();
    if (!status)
        m_client.close();
    return status;
}

Result<QJsonValue> BlockingClient::call(const QString& method, const QJsonObject& params,
                                        std::chrono::milliseconds timeout) {
    QEventLoop loop;
    QObject scope;
    Result<QJsonValue> answer = makeError(ErrorKind::Unreachable, "the engine did not answer {} within {} s",
                                          method.toStdString(), timeout.count() / 1000);
    m_job = 0;
    m_cancelled = false;
    m_finish = [&](Result<QJsonValue> result) {
        answer = std::move(result);
        loop.quit();
    };
    m_client.request(method, params, &scope,
                     [this](Result<QJsonValue> result) { m_finish(std::move(result)); });
    if (timeout.count() > 0)
        QTimer::singleShot(timeout, &loop, &QEventLoop::quit);
    loop.exec();
    m_finish = nullptr;
    m_job = 0;
    return answer;
}

void BlockingClient::cancelCurrent() {
    if (!m_finish)
        return;
    if (m_job != 0 && !m_cancelled) {
        m_cancelled = true;
        m_client.requestRaw(method::jobCancel, {{"id", m_job}}, &m_client, [](const auto&) {});
        return;
    }
    m_finish(makeError(ErrorKind::Cancelled, "interrupted"));
}

bool BlockingClient::waitForDisconnect(std::chrono::milliseconds timeout) {
    if (!m_client.isConnected())
        return true;
    QEventLoop loop;
    QObject scope;
    QObject::connect(&m_client, &ControlClient::disconnected, &scope, [&] { loop.quit(); });
    QTimer::singleShot(timeout, &loop, &QEventLoop::quit);
    loop.exec();
    return !m_client.isConnected();
}

} // namespace arbor
