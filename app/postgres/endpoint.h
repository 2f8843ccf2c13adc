// One server on one timeline: started, watched, stopped.
//
//   Stopped --start()--> Starting --answers--> Running --stop()--> Stopping --> Stopped
//      ^                    |  \--stop()--> Stopping      |                        |
//      |                    v                             v                        v
//      +---------start()-- Failed <----------------- (its end) <---- (its processes do not end)
//
// 1. A start clears the timeline (leftovers.h), runs `prepare`, and starts the postmaster with the timeline's
// lock.
// 2. Running means that the server answered SELECT 1, and on a fork's first start the outside report was
// sent.
// 3. Stopped and Failed mean that no process of the server is left, or the failure says which one hangs.
// 4. A backend that crashes and takes the server through recovery leaves the endpoint Running: its postmaster
// lives.
//
// Belongs to the thread with main(), whose event loop it needs and never blocks: what may take long runs on a
// thread of its own. Nothing here touches the data directory except through DataFiles.
#pragma once

#include "app/postgres/endpoint_config.h"
#include "app/postgres/failure.h"
#include "app/postgres/installations.h"
#include "app/postgres/leftovers.h"
#include "app/postgres/queries.h"
#include "app/postgres/reports.h"
#include "app/postgres/server_log.h"
#include "app/postgres/spawn.h"

#include <QElapsedTimer>
#include <QObject>
#include <QSocketNotifier>
#include <QThreadPool>
#include <QTimer>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

namespace arbor {

struct StopLimits {
    // How long each way of stopping may take before the next harder one: smart, fast, immediate, SIGKILL. A
    // fast stop writes a checkpoint, which may take its time on a slow disk.
    int smartMs = 60'000;
    int fastMs = 120'000;
    int immediateMs = 10'000; // after 5 s the postmaster itself kills its children
    int killMs = 10'000;
};

struct EndpointSpec {
    Installation installation;
    EndpointConfig config;
    std::string walDirectory;
    std::string logFile;
    DataFiles dataFiles;              // plainDataFiles() when empty
    std::vector<std::string> osUsers; // may be the superuser over the socket, besides root
    std::string superuser = "postgres";
    bool reportOutside = false; // a fork's first start
    StopLimits limits;
    // Called on another thread when nobody is on the timeline and its lock is held, before the server starts:
    // the place to un-share log segments, and to empty pg_replslot on a fork.
    std::function<Status()> prepare;
};

class Endpoint : public QObject {
    Q_OBJECT
  public:
    enum class State { Stopped, Starting, Running, Stopping, Failed };
    Q_ENUM(State)
    enum class StopMode {
        Smart,     // waits until the clients have gone
        Fast,      // ends the sessions, writes a checkpoint
        Immediate, // as a crash: the next start recovers
    };
    Q_ENUM(StopMode)

    explicit Endpoint(EndpointSpec spec, QObject* parent = nullptr);
    // A server that still runs goes down as in a crash; returns when its processes have ended.
    ~Endpoint() override;

    // Success when it runs or starts already; Busy while it stops; InvalidArgument for a setting of the
    // branch that cannot be. Whatever else goes wrong shows as Failed.
    Status start();
    // Success when it is stopped already. A second call may only be harder than the first. The end comes in
    // any case, within the limits: also when processes are stopped (SIGSTOP) or hang.
    void stop(StopMode mode);
    // Asks a running server until it answers; answering() follows, or a change of state when it ends instead.
    // A server that a crashed backend took into recovery is Running (4) and does not answer for a while.
    void confirmAnswers();
    // Asks a running server for a checkpoint, and does not wait for it; one that was asked for and goes on
    // will do. `done` runs when it has come, or has failed; never when the server ends or there is none.
    void checkpoint(std::function<void()> done = {});
    // Busy unless stopped or failed.
    Status setSpec(EndpointSpec spec);

    State state() const { return m_state; }
    const EndpointFailure& failure() const { return m_failure; } // of the last change to Failed
    const EndpointSpec& spec() const { return m_spec; }
    ConnectionTarget target(std::string database = "postgres") const;
    // 0 when none runs. Thread-safe.
    pid_t postmaster() const { return m_postmaster.load(); }
    // True for the postmaster of this endpoint, from its first instruction on, and its children: the question
    // of whoever serves the data directory and sees postmaster.pid being created. Thread-safe.
    bool startedByUs(pid_t pid) const;
    // What is left of the last start, for the log: stale lock files and shared memory that were removed.
    const std::vector<std::string>& cleared() const { return m_cleared; }
    // From start() to Running, of the last start that succeeded.
    std::chrono::microseconds startTime() const { return m_startTime; }

    // Asks the server who uses it; activitySampled() follows if it answers. Nothing happens unless it runs.
    void sampleActivity();
    // The last moment at which a sample showed use, or the start. Short sessions between two samples count.
    Timestamp lastActivity() const { return m_lastActivity; }

  signals:
    void stateChanged(arbor::Endpoint::State state);
    void outsideReported(const arbor::OutsideReport& report); // before Running
    void answering();                                         // asked for by confirmAnswers()
    void activitySampled(const arbor::Activity& activity);

  private:
    void setState(State state);
    void fail(EndpointFailure failure);
    void inBackground(std::function<Status()> work, std::function<void(Status)> then);
    void launch();
    Status launchServer();
    Status writeAccessFiles() const;
    void probe();
    void askWhetherItAnswers();
    DataFiles dataFiles() const;
    void probed(const QueryOutcome& outcome);
    void becomeRunning();
    void confirmed(const QueryOutcome& outcome);
    void escalate();
    void killAll();
    void requestStop(StopMode mode);
    void continueStopped();
    void reaped();
    void ended(const Status& cleared);
    void noteActivity(const Activity& activity);
    std::unique_ptr<Queries> ask(std::vector<std::string> statements, int timeoutMs,
                                 std::function<void(const QueryOutcome&)> then);
    void forgetQueries();
    TimelinePaths paths() const { return {m_spec.config.dataDirectory, m_spec.walDirectory}; }

    EndpointSpec m_spec;
    std::vector<std::string> m_arguments; // of the start that is under way
    State m_state = State::Stopped;
    EndpointFailure m_failure;
    std::vector<std::string> m_cleared;

    // between the clearing and the start of the server
    std::optional<TimelineLock> m_lock;
    bool m_preparing = false;

    std::atomic<pid_t> m_postmaster = 0;
    std::optional<ServerLog> m_log;
    UniqueFd m_handle;
    std::unique_ptr<QSocketNotifier> m_endNotifier;
    int m_waitStatus = 0;
    bool m_wasRunning = false;
    bool m_killed = false;

    std::optional<StopMode> m_stopMode;
    std::optional<EndpointFailure> m_verdict; // why a server that runs is being given up
    QTimer m_stopTimer;
    QTimer m_continueTimer;
    QTimer m_probeTimer;
    QElapsedTimer m_sinceStart;
    std::chrono::microseconds m_startTime{};
    std::unique_ptr<Queries> m_probe;
    std::unique_ptr<Queries> m_sampler;
    std::unique_ptr<Queries> m_checkpoint;
    std::vector<std::function<void()>> m_untilCheckpoint;
    int m_refusals = 0;
    std::string m_database = "postgres"; // template1 when that one is gone

    Timestamp m_lastActivity;
    std::optional<std::uint64_t> m_sessionsSeen;

    QThreadPool m_background; // last: its thread is waited for before anything else goes
};

} // namespace arbor
