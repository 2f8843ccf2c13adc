// Service: what pgarbord is between its socket and its store. It owns the store's engine, serves its mount,
// and runs the methods of the protocol on worker threads, in straight lines of code that may block.
//
// Threads: the main one has the event loop, the control server and the endpoints; workers run methods; the
// mount and the store have threads of their own. Nobody but Postgres touches the mount.
#pragma once

#include "app/control/jobs.h"
#include "app/control/server.h"
#include "app/engine/endpoints.h"
#include "app/engine/mount_keeper.h"
#include "app/engine/privileges.h"
#include "app/engine/space.h"
#include "app/postgres/installations.h"
#include "storage/disk/posix_disk.h"
#include "storage/engine/wal_follower.h"

#include <QObject>
#include <QThreadPool>
#include <QTimer>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

namespace arbor {

struct LimitState;

class Service : public QObject, private ViewProvider {
    Q_OBJECT
  public:
    struct Options {
        std::string store; // canonical
        RunAs user;
        std::string pgBin; // preferred installation; "" for any
        std::unique_ptr<MountKeeper> mount;
    };
    Service(Options options, ControlServer& server);
    ~Service() override;

    // Opens the store if there is one, recovers what an engine before left behind, and starts what was
    // running.
    Status open();
    // Stops servers, syncs, and emits finished(). Once.
    void shutDown();

    // --- What the methods are made of
    using Method = std::function<Result<QJsonValue>(const QJsonObject&, const RequestContext&)>;
    // Runs on a worker, only while a store is open.
    void onWorker(const char* name, Method method, bool needsStore = true);
    // Runs as a job: the client follows it, may leave, and may cancel it.
    using JobMethod = std::function<Result<QJsonValue>(const QJsonObject&, const RequestContext&, Job&)>;
    void asJob(const char* name, const QString& title, JobMethod method, bool needsStore = true);

    Engine& engine() { return *m_engine; }
    Space& accounting() { return *m_space; }
    // Purges what is due in the trash, and sweeps.
    Result<Collector::Outcome> sweep(const Collector::RunOptions& options);
    // The same on a worker, at a pace that a busy database does not feel. Once more after one that runs and
    // was begun so.
    void sweepSoon();
    // A head that is still open keeps what it shows, and so does a look at it. Nobody writes to these any
    // more: they close once the mount lets go of them, which is waited for a little.
    Status closeHeads(const std::set<TimelineId>& timelines);
    void purgeTrash(TrashId entry);
    void emptyTrash();
    bool storeOpen() const { return m_storeOpen; }
    Endpoints& endpoints() { return m_endpoints; }
    ControlServer& server() { return m_server; }
    JobTable& jobs() { return m_jobs; }
    const Options& options() const { return m_options; }
    MountKeeper& mount() { return *m_options.mount; }
    const Clock& clock() const { return m_clock; }
    Disk& disk() { return m_disk; }
    Timestamp startedAt() const { return m_startedAt; }
    // It was running when the engine before this one ended, and its turn to be started has not come yet.
    bool isRecovering(BranchId branch);
    std::mutex& initMutex() { return m_initMutex; }
    bool isAbandoned() const { return m_abandoned; }
    std::vector<Installation> installations();
    // "" for none. An error when there is no server in it that the store supports: nothing changes then.
    Status preferInstallation(const std::string& directory);
    void warn(const std::string& text, const std::string& branch = {});
    void publishBranches(const std::vector<std::string>& names);
    // Whoever shows sizes is told this of the limits: when it becomes another, all are to ask again.
    void noteLimitTold(const LimitState& state);

    // --- Branches and their servers (servers.cpp)
    static EndpointKey keyOf(BranchId branch) { return fmt::format("branch {}", branch); }
    Result<BranchRecord> branchNamed(const QJsonObject& params, const char* member = "name");
    // Held while a branch's server is started or stopped, or its timeline changes.
    class BranchLocks;
    std::unique_ptr<BranchLocks> lockBranches(std::set<BranchId> branches);
    Status startBranch(const BranchRecord& branch);
    Status stopBranch(const BranchRecord& branch, Endpoint::StopMode mode);
    // Stops what runs on branches whose timeline is about to change, runs `change`, starts them again.
    Status aroundMove(const std::vector<BranchId>& branches, const std::function<Status()>& change);
    struct Connection {
        std::string socketDirectory;
        std::uint16_t port = 0;
        std::string passwordFile;
        std::string password;
        std::string pgBin;
    };
    Result<Connection> connectionOf(const BranchRecord& branch);
    Result<Installation> installationFor(TimelineId timeline);
    struct Peek {
        std::uint64_t id = 0;
        TimelineId timeline; // its own
        BranchId branch;     // that it was opened on
        TimelinePoint at;
        Timestamp openedAt;
        Connection connection;
        bool starting = true;
        bool unwanted = false; // closed while it started
    };
    Result<Peek> openPeek(BranchId branch, const TimelinePoint& point, ConnectionId connection);
    Status closePeek(std::uint64_t id);
    // Those that answer, the oldest first.
    std::vector<Peek> peeksOf(BranchId branch);
    // A server that nobody else sees, on a timeline without a name: import and export recover with it
    // (hidden_servers.cpp). It acts on nothing outside. `adjust` may change what it is told. A job, if there
    // is one, can be cancelled while it starts.
    struct HiddenServer {
        EndpointKey key;
        TimelineId timeline;
        Connection connection;
        std::string superuser;
        std::string accessFile; // its hba_file and ident_file
        std::string logFile;
    };
    Result<HiddenServer> startHidden(TimelineId timeline, bool isFork, const Installation& installation,
                                     Job* job, const std::function<void(EndpointSpec&)>& adjust);
    // Success when it is down. The timeline is no longer in the mount.
    Status endHidden(const HiddenServer& server, Endpoint::StopMode mode);
    // Makes the log directory private, removes what a fork must not have: before every start, on a worker.
    Status prepareTimeline(TimelineId timeline, bool isFork, const std::set<OutsideRule>& lifted = {});
    Lsn headLsn(TimelineId timeline);
    // Of the latest commit that has been seen there; 0: none on this timeline itself.
    Timestamp headTime(TimelineId timeline) const;
    std::string logFileOf(BranchId branch) const;
    // Nobody on the timeline any more: it is not to be seen in the mount, and the kernel forgets it.
    void leaveMount(TimelineId timeline);
    void keepWarm(BranchId stopped);
    void letGo(BranchId stopped);
    // Gives the branch a port for ever, when it has none.
    Status ensurePort(BranchId branch, std::uint16_t& port);

    // --- A new store (roots.cpp)
    Status createStore();
    // Nothing came of it: the engine ends, and what was made goes with it.
    void abandonStore();
    Result<BranchRecord> makeRoot(const std::optional<Caller>& caller, const std::string& name,
                                  const std::vector<std::string>& initdbOptions, Job& job);
    // A fresh cluster below `place`, which is made: data, wal.
    Status runInitdb(const Installation& installation, const std::string& place,
                     const std::vector<std::string>& options, Job& job);
    // --- The demo (demo.cpp)
    Status makeDemo(Job& job);
    // This file is there while a store is made with the demo in it.
    std::string halfDemoMark() const { return m_options.store + "/run/half-demo"; }
    // What acts on the outside on a root, and will not once it is restored: its log is then a fork's.
    std::vector<std::string> turnedOffByARestore(const BranchRecord& branch);
    // What the last start of a branch's server has found that would act on the outside: sentences.
    std::vector<std::string> outsideOf(BranchId branch);
    // --- What the start of a fork replays (replay_bound.cpp)
    // Before a branch is forked at the head of this one, to be started at once: waits for a checkpoint there
    // where a server runs and has written since its last, but not long.
    void shortenReplay(const BranchRecord& parent);

  signals:
    void finished();

  private:
    Result<std::shared_ptr<BranchView>> view(TimelineId timeline) override;
    std::vector<TimelineId> timelines() override;
    bool mayStartServer(TimelineId timeline, pid_t process) override;
    Result<SpaceInfo> space() override;
    void linkRefused(TimelineId timeline, const std::string& sentence) override;

    Status openStore();
    void removeStore();
    // What an engine left that was killed while it made a demo.
    Status removeHalfDemo();
    std::optional<BranchRecord> branchOn(TimelineId timeline) const;
    void noteOutside(const std::string& key, const OutsideReport& report);
    void recover();
    void clearUnnamed(); // what an engine that was killed left of peeks, imports and exports
    void closePeeks();
    void publishPeek(BranchId branch); // one has come or gone
    void keepHouse();                  // every second
    void followLogs();                 // every 200 ms
    void housework();
    void purgeTrash(); // what is due
    void keepBooks();
    void warnOfLimits();
    void announceHeads();
    void boundReplay(const std::vector<TimelineId>& served);
    Result<EndpointSpec> specFor(const BranchRecord& branch);
    EndpointSpec specOn(TimelineId timeline, bool isFork, const Installation& installation,
                        const Connection& connection, bool tcp);
    std::string timelinePath(TimelineId timeline) const;
    bool neverStarted(TimelineId timeline) const;
    // --- Forks whose log leaves the store (own_tli.cpp)
    // Before a start, nobody being on the branch's timeline.
    Status moveToOwnTli(const BranchRecord& branch, const EndpointSpec& spec);
    std::string moveObstacle(const BranchRecord& branch, BranchView& head, const ControlFile& control,
                             bool begun);
    Status recoverQuietly(TimelineView& head, const EndpointSpec& spec);
    Status promoteTo(std::uint64_t target, bool isNew, TimelineView& head, const EndpointSpec& spec);
    Status runHidden(TimelineId timeline, const Installation& installation,
                     const std::function<void(EndpointSpec&)>& adjust);
    Status putRecoverySignal(BranchView& head);
    Status markForArchiver(TimelineId timeline);

    Options m_options;
    ControlServer& m_server;
    const SystemClock m_clock;
    const Timestamp m_startedAt;
    PosixDisk m_disk;
    std::unique_ptr<Engine> m_engine;
    std::unique_ptr<Space> m_space; // uses the engine
    std::atomic<bool> m_storeOpen{false};
    Endpoints m_endpoints;
    JobTable m_jobs;

    std::mutex m_stateMutex; // the members below
    std::vector<Installation> m_installations;
    std::map<std::uint64_t, Peek> m_peeks;
    std::multimap<ConnectionId, std::uint64_t> m_peeksOfConnections;
    std::map<BranchId, std::vector<std::string>> m_outside; // sentences of the last start
    std::set<TimelineId> m_mounted;                         // timelines that may be seen in the mount
    std::deque<BranchId> m_stopped;        // and are still, though stopped; the longest first
    std::set<BranchId> m_recovering;       // were running, and wait for their start
    std::map<TimelineId, Lsn> m_announced; // heads that clients have been told of
    std::uint64_t m_lastPeek = 0;
    std::uint64_t m_lastHidden = 0;

    std::mutex m_initMutex; // before all others

    std::mutex m_lockMutex;
    std::condition_variable m_lockChanged;
    std::set<BranchId> m_locked;

    QTimer m_followTimer;
    QTimer m_houseTimer;
    struct ReplayWatch {
        Lsn redo; // of the last checkpoint that we know of
        std::chrono::steady_clock::time_point asked;
        std::chrono::steady_clock::time_point little; // when there was little to replay last
        std::uint64_t commits = 0;                    // that the log had then, or when the last was asked for
        // The last checkpoint that was asked for; the thread of the endpoints says so when it has ended.
        struct Written {
            std::atomic<std::chrono::steady_clock::time_point> at{};
            std::atomic<std::chrono::steady_clock::duration> took{std::chrono::milliseconds(250)};
        };
        std::shared_ptr<Written> written = std::make_shared<Written>();
    };
    std::map<TimelineId, ReplayWatch> m_replay; // whoever follows the logs
    std::atomic<bool> m_following{false};
    std::atomic<bool> m_housekeeping{false};
    std::atomic<int> m_sweepsAsked{0};    // and not seen to yet; not 0: one runs
    std::atomic<int> m_limitLevel{0};     // as the log last had it
    std::atomic<int> m_limitTold{0};      // as whoever shows it last heard
    std::atomic<bool> m_diskTight{false}; // when the books were looked at last
    std::atomic<bool> m_shuttingDown{false};
    std::atomic<bool> m_abandoned{false};
    QThreadPool m_workers; // methods
    QThreadPool m_upkeep;  // following logs, housework
};

// What the server of a fork may do to the outside world.
std::set<OutsideRule> liftedRules(const BranchRecord& branch);

// Registers the methods of the protocol, by concern.
void registerBranchMethods(Service& service);
void registerEndpointMethods(Service& service);
void registerHistoryMethods(Service& service);
void registerGcMethods(Service& service);
void registerImportMethods(Service& service);
void registerMetrics(Service& service);
void registerObservationMethods(Service& service);
void registerPageMethods(Service& service);
void registerSettingsMethods(Service& service);
void registerStoreMethods(Service& service);

} // namespace arbor
