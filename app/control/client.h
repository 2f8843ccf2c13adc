// A client's end of the control protocol, asynchronous: for the window, and under BlockingClient.
#pragma once

#include "app/control/line_socket.h"
#include "app/control/message.h"

#include <QHash>
#include <QObject>
#include <QPointer>
#include <QStringList>
#include <QTimer>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>

namespace arbor {

// Lives in one thread with an event loop. Callbacks run in that thread, never from inside request().
//
// When the connection is lost, requests that wait for an answer fail with Unreachable (whether they took
// effect is not known), except for those that the engine had turned into a job: they are found again by the
// job's id after the reconnect. A job does not outlive its engine: after the engine was started anew such a
// request fails and says so. Subscriptions are made again.
class ControlClient : public QObject {
    Q_OBJECT
  public:
    using Callback = std::function<void(Result<QJsonValue>)>;

    struct Options {
        QString store{};  // any path; made canonical
        QString socket{}; // connect to this one, whatever store it serves, instead of looking for the store's
        QString program;  // "pgarbor 0.1.0"
        bool reconnect = true;
        std::chrono::milliseconds firstRetry{100}; // doubled after every failure
        std::chrono::milliseconds lastRetry{3'000};
    };
    explicit ControlClient(Options options, QObject* parent = nullptr);
    ~ControlClient() override;

    // Connects now, and from now on whenever the connection is lost (with Options::reconnect).
    void open();
    // Ends the connection; open requests fail. No signals but disconnected().
    void close();

    bool isConnected() const { return m_state == State::Ready; }
    // What the engine said of itself in its hello: program, instance, pid.
    const QJsonObject& engine() const { return m_engine; }

    // Sends a request. While a connection is being made it waits for that; without one it fails as
    // Unreachable. A result {"job": id} is followed: the callback gets the job's own result. Not called when
    // context is gone.
    void request(const QString& method, const QJsonObject& params, QObject* context, Callback callback);
    // The same without following: {"job": id} is the result.
    void requestRaw(const QString& method, const QJsonObject& params, QObject* context, Callback callback);
    // The result of a job that somebody started (found in job.list).
    void followJob(qint64 id, QObject* context, Callback callback);

    // Events of these kinds are wanted from now on, also after a reconnect. Adds to earlier calls.
    void subscribe(const QStringList& kinds);

  signals:
    void connected();
    // Why: the engine went away, cannot be found, or refused us. Emitted at every failed try to connect too.
    void disconnected(const arbor::Error& why);
    void eventReceived(const QString& kind, const QJsonValue& payload);
    // A request of this client has become a job.
    void jobStarted(qint64 id, const QString& method);

  private:
    enum class State { Closed, Greeting, Ready };
    struct Open {
        QString method;
        QPointer<QObject> context;
        Callback callback;
        bool follow = false;
        qint64 job = 0; // job.wait for this one
    };
    void tryConnect();
    void receive(const QByteArray& line);
    void take(const QByteArray& line);
    void greeted(const Result<QJsonValue>& result);
    void settle(Open open, Result<QJsonValue> result);
    void send(qint64 id, const QString& method, const QJsonObject& params);
    void drop(const Error& why);
    void add(const QString& method, const QJsonObject& params, Open open);
    void waitForJob(qint64 job, Open open);
    void failLater(Open open, const Error& error);
    void checkLife();

    Options m_options;
    State m_state = State::Closed;
    std::unique_ptr<LineSocket> m_socket;
    bool m_receiving = false; // m_socket is on the stack below us
    QJsonObject m_engine;
    QString m_jobsInstance; // the engine run that the jobs in m_jobs belong to
    qint64 m_lastId = 0;
    std::map<qint64, Open> m_open;
    std::vector<std::tuple<qint64, QString, QJsonObject>> m_unsent; // while greeting
    std::vector<std::pair<qint64, Open>> m_jobs;                    // followed ones that wait for a reconnect
    QStringList m_kinds;
    QTimer m_retry;
    std::chrono::milliseconds m_nextRetry;
    QTimer m_life;
    std::chrono::steady_clock::time_point m_heard;
};

} // namespace arbor
