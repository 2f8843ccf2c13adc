// The client for programs that do one thing after the other: the command line.
#pragma once

#include "app/control/client.h"

#include <chrono>
#include <functional>

namespace arbor {

// Needs a QCoreApplication; spins an event loop of its own while it waits. One thread.
class BlockingClient {
  public:
    BlockingClient(const QString& store, const QString& program);

    // Unreachable when nobody listens; Unsupported when the engine speaks another protocol.
    Status connect(std::chrono::milliseconds timeout = std::chrono::seconds(30));
    bool isConnected() const { return m_client.isConnected(); }
    const QJsonObject& engine() const { return m_client.engine(); }

    // Waits for the answer, and for the job's end where the answer is a job. Without a timeout it waits for
    // as long as the engine shows signs of life. While a job runs, onProgress gets its Job object;
    // cancelCurrent() asks the engine to cancel it, and call() returns when it has ended.
    Result<QJsonValue> call(const QString& method, const QJsonObject& params,
                            std::chrono::milliseconds timeout = std::chrono::milliseconds(0));
    void setOnProgress(std::function<void(const QJsonObject& job)> callback) {
        m_onProgress = std::move(callback);
    }
    // May be called from within the event loop (a signal's notifier). A request that is no job is given up:
    // call() returns Cancelled at once. So does a second cancel of a job that does not end.
    void cancelCurrent();
    // The loop runs until the engine has closed the connection (after engine.stop); false at the timeout.
    bool waitForDisconnect(std::chrono::milliseconds timeout);

    ControlClient& client() { return m_client; }

  private:
    ControlClient m_client;
    std::function<void(const QJsonObject&)> m_onProgress;
    qint64 m_job = 0; // that the current call waits for
    bool m_cancelled = false;
    std::function<void(Result<QJsonValue>)> m_finish; // of the current call
};

} // namespace arbor
