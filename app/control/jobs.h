// Long requests: what runs in the engine beyond one answer, watched and cancelled by any client.
#pragma once

#include "app/control/server.h"
#include "storage/base/mutex.h"
#include "storage/base/time.h"

#include <QObject>
#include <QTimer>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

namespace arbor {

class JobTable;

// One job as the code that does the work sees it. Every method may be called from any thread. A job whose
// last reference goes before finish() fails by itself, so that nobody waits for ever.
class Job {
  public:
    struct State;
    explicit Job(std::shared_ptr<State> state);
    ~Job();
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    qint64 id() const;
    // {"job": id}: what the handler of the long request answers.
    QJsonValue reference() const;
    // fraction from 0 to 1, below 0 when unknown. Cheap: clients hear of it at most ten times a second.
    void progress(double fraction, const QString& text, qint64 bytes = 0);
    bool cancelRequested() const;
    // Called once when somebody cancels, in the thread of the table; at once if that has happened already.
    void onCancel(std::function<void()> callback);
    // The first call counts. An error of kind Cancelled makes the job "cancelled".
    void finish(Result<QJsonValue> result);

  private:
    const std::shared_ptr<State> m_state;
};
using JobPtr = std::shared_ptr<Job>;

// All jobs of an engine, and the handlers of job.list, job.wait and job.cancel. Lives in the server's thread;
// the server outlives it. Ids count from 1 in each run of the engine (clients tell runs apart by hello's
// `instance`).
class JobTable : public QObject {
    Q_OBJECT
  public:
    JobTable(ControlServer& server, const Clock& clock, QObject* parent = nullptr);
    ~JobTable() override;

    // kind is the method's name; the title is for people ("import of shop"). In the table's thread.
    JobPtr start(const QString& kind, const QString& title, const RequestContext& context);
    int runningCount() const;
    // Asks every running job to stop (the engine is about to end).
    void cancelAll();

  private:
    friend class Job;
    struct Entry {
        std::shared_ptr<Job::State> state;
        std::vector<ResponderPtr> waiting;
    };
    void wait(qint64 id, const ResponderPtr& responder);
    Result<QJsonValue> cancel(qint64 id);
    void cancelOne(const std::shared_ptr<Job::State>& state);
    void settle(); // publishes what changed and answers those who wait for jobs that have ended
    void forgetOld();

    ControlServer& m_server;
    const Clock& m_clock;
    std::map<qint64, Entry> m_jobs;
    qint64 m_lastId = 0;
    QTimer m_ticker; // runs while a job does
};

} // namespace arbor
