#include "app/postgres/endpoint.h"

#include "app/postgres/environment.h"
#include "app/postgres/runtime_files.h"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

namespace arbor {

namespace {

constexpr int probeTimeoutMs = 10'000;
constexpr int reportTimeoutMs = 30'000;
constexpr int sampleTimeoutMs = 10'000;
constexpr int probeEveryMs = 5;
constexpr int confirmEveryMs = 20;
constexpr int checkpointTimeoutMs = 300'000;
constexpr int continueEveryMs = 1000;
constexpr auto clearTimeout = std::chrono::seconds(10);
// A server that answers, and refuses us every time, is up and will not change its mind.
constexpr int refusalsBeforeGivingUp = 5;
// Backends are the first to go when memory runs out: Postgres survives the loss of one, the postmaster's loss
// ends the endpoint, the engine's all of them. Without privileges the value can only be raised.
constexpr int backendsOomScore = 300;

int signalOf(Endpoint::StopMode mode) {
    switch (mode) {
    case Endpoint::StopMode::Smart:
        return SIGTERM;
    case Endpoint::StopMode::Fast:
        return SIGINT;
    case Endpoint::StopMode::Immediate:
        return SIGQUIT;
    }
    return SIGQUIT;
}

EndpointFailure failureOf(const Error& error) {
    return {.sentence = error.message(), .lastWords = {}};
}

} // namespace

Endpoint::Endpoint(EndpointSpec spec, QObject* parent) : QObject(parent), m_spec(std::move(spec)) {
    m_background.setMaxThreadCount(1);
    m_stopTimer.setSingleShot(true);
    m_probeTimer.setSingleShot(true);
    m_probeTimer.setTimerType(Qt::PreciseTimer);
    m_continueTimer.setInterval(continueEveryMs);
    connect(&m_continueTimer, &QTimer::timeout, this, &Endpoint::continueStopped);
    connect(&m_stopTimer, &QTimer::timeout, this, &Endpoint::escalate);
    connect(&m_probeTimer, &QTimer::timeout, this, &Endpoint::probe);
}

Endpoint::~Endpoint() {
    m_background.waitForDone();
    if (m_postmaster.load() == 0)
        return;
    m_endNotifier.reset();
    // Killed, not asked: who destroys a running endpoint has no time, and Postgres recovers from it.
    (void)endServers(paths(), std::chrono::milliseconds(m_spec.limits.killMs));
    ::waitpid(m_postmaster.load(), nullptr, WNOHANG);
}

Status Endpoint::setSpec(EndpointSpec spec) {
    if (m_state != State::Stopped && m_state != State::Failed)
        return makeError(ErrorKind::Busy, "the endpoint runs; stop it first");
    m_spec = std::move(spec);
    return {};
}

ConnectionTarget Endpoint::target(std::string database) const {
    return {.socketDirectory = m_spec.config.socketDirectory,
            .port = m_spec.config.port,
            .user = m_spec.superuser,
            .database = std::move(database)};
}

bool Endpoint::startedByUs(pid_t pid) const {
    const pid_t postmaster = m_postmaster.load();
    if (postmaster == 0 || pid <= 0)
        return false;
    if (pid == postmaster)
        return true;
    const auto info = processInfo(pid);
    return info && info->parent == postmaster;
}

void Endpoint::setState(State state) {
    if (m_state == state)
        return;
    m_state = state;
    emit stateChanged(state);
}

void Endpoint::fail(EndpointFailure failure) {
    m_failure = std::move(failure);
    setState(State::Failed);
}

void Endpoint::inBackground(std::function<Status()> work, std::function<void(Status)> then) {
    m_background.start([this, work = std::move(work), then = std::move(then)]() mutable {
        auto status = std::make_shared<Status>(work());
        // Dropped by Qt when this object has gone; its destructor waits for this thread first.
        QMetaObject::invokeMethod(
            this, [then = std::move(then), status] { then(std::move(*status)); }, Qt::QueuedConnection);
    });
}

DataFiles Endpoint::dataFiles() const {
    return m_spec.dataFiles.read ? m_spec.dataFiles : plainDataFiles(m_spec.config.dataDirectory);
}

Status Endpoint::start() {
    if (m_state == State::Running || (m_state == State::Starting && !m_stopMode))
        return {};
    if (m_state == State::Stopping || m_state == State::Starting)
        return makeError(ErrorKind::Busy, "the endpoint is being stopped; wait for its end");
    if (m_handle) // given up earlier: it hung in the kernel
        return makeError(ErrorKind::Busy, "process {} of the former server has still not ended",
                         m_postmaster.load());
    ARBOR_ASSIGN(m_arguments, postgresArguments(m_spec.config));
    m_sinceStart.start();
    m_stopMode.reset();
    m_verdict.reset();
    m_wasRunning = false;
    m_killed = false;
    m_refusals = 0;
    m_preparing = true;
    setState(State::Starting);

    struct Prepared {
        std::optional<ClearedTimeline> cleared;
    };
    const auto prepared = std::make_shared<Prepared>();
    const auto work = [spec = m_spec, where = paths(), files = dataFiles(), prepared]() -> Status {
        ARBOR_ASSIGN(prepared->cleared,
                     clearTimeline(where, files, spec.config.socketDirectory, clearTimeout));
        return spec.prepare ? spec.prepare() : Status();
    };
    inBackground(work, [this, prepared](Status status) {
        m_preparing = false;
        if (prepared->cleared) {
            m_cleared = std::move(prepared->cleared->removed);
            m_lock = std::move(prepared->cleared->lock);
        }
        if (!status) {
            m_lock.reset();
            fail(failureOf(status.error()));
            return;
        }
        launch();
    });
    return {};
}

void Endpoint::launch() {
    if (m_stopMode) { // stop() came in between
        m_lock.reset();
        setState(State::Stopped);
        return;
    }
    const Status launched = launchServer();
    m_lock.reset(); // from here on the server's processes hold it
    if (!launched) {
        fail(failureOf(launched.error()));
        return;
    }
    m_endNotifier = std::make_unique<QSocketNotifier>(m_handle.get(), QSocketNotifier::Read);
    connect(m_endNotifier.get(), &QSocketNotifier::activated, this, &Endpoint::reaped);
    m_probeTimer.start(probeEveryMs);
}

Status Endpoint::writeAccessFiles() const {
    ARBOR_TRY(writePrivateFile(m_spec.config.hbaFile, hbaFileContent(m_spec.superuser), false));
    return writePrivateFile(m_spec.config.identFile, identFileContent(m_spec.osUsers, m_spec.superuser),
                            false);
}

Status Endpoint::launchServer() {
    ARBOR_TRY(writeAccessFiles());
    ARBOR_ASSIGN(m_log, ServerLog::open(m_spec.logFile));
    std::vector<std::string> environment = serverEnvironment();
    environment.emplace_back("PG_OOM_ADJUST_FILE=/proc/self/oom_score_adj");
    const int own = std::atoi(readSmallFile("/proc/self/oom_score_adj").value_or("0").c_str());
    environment.push_back(
        fmt::format("PG_OOM_ADJUST_VALUE={}", std::clamp(own + backendsOomScore, own, 1000)));
    const SpawnRequest request{.program = m_spec.installation.program("postgres"),
                               .arguments = m_arguments,
                               .environment = std::move(environment),
                               .logDescriptor = m_log->descriptor(),
                               .lockDescriptor = m_lock->descriptor()};
    ARBOR_ASSIGN(SpawnedProcess server, spawnServer(request, &m_postmaster));
    m_handle = std::move(server.handle);
    // A record that cannot be written (a full disk) costs the clearing of shared memory after a crash, no
    // more.
    if (const auto info = processInfo(server.pid))
        (void)m_lock->write({.postmaster = info->identity, .boot = bootId()});
    return {};
}

std::unique_ptr<Queries> Endpoint::ask(std::vector<std::string> statements, int timeoutMs,
                                       std::function<void(const QueryOutcome&)> then) {
    auto queries = std::make_unique<Queries>(target(m_database), std::move(statements));
    connect(queries.get(), &Queries::finished, this, then);
    queries->start(timeoutMs);
    return queries;
}

void Endpoint::forgetQueries() {
    for (auto* queries : {&m_probe, &m_sampler, &m_checkpoint})
        if (*queries) {
            (*queries)->disconnect(this);
            queries->release()->deleteLater(); // we may be in its signal
        }
    m_untilCheckpoint.clear();
}

void Endpoint::probe() {
    if (m_state == State::Running)
        confirmAnswers();
    if (m_state != State::Starting)
        return;
    // Who connects during recovery costs it a process that says "not yet", and it takes a processor from it.
    const auto may = std::make_shared<bool>(false);
    const auto look = [files = dataFiles(), may]() -> Status {
        *may = mayLetIn(files);
        return {};
    };
    inBackground(look, [this, may](const Status&) {
        if (*may)
            askWhetherItAnswers();
        else if (m_state == State::Starting)
            m_probeTimer.start(probeEveryMs);
    });
}

void Endpoint::askWhetherItAnswers() {
    if (m_state != State::Starting || m_postmaster.load() == 0)
        return;
    std::vector<std::string> statements{"SELECT 1"};
    if (m_spec.reportOutside)
        statements = outsideStatements(m_spec.config.isFork &&
                                       !m_spec.config.lifted.contains(OutsideRule::ReplicationSlots));
    m_probe = ask(std::move(statements), m_spec.reportOutside ? reportTimeoutMs : probeTimeoutMs,
                  [this](const QueryOutcome& outcome) { probed(outcome); });
}

void Endpoint::probed(const QueryOutcome& outcome) {
    if (m_probe)
        m_probe.release()->deleteLater();
    if (m_state != State::Starting)
        return;
    if (outcome.kind == QueryOutcome::Kind::Answered) {
        if (m_spec.reportOutside)
            emit outsideReported(readOutsideReport(outcome));
        becomeRunning();
        return;
    }
    if (outcome.kind == QueryOutcome::Kind::Refused) {
        constexpr const char* noSuchDatabase = "3D000";
        if (outcome.sqlState == noSuchDatabase && m_database == "postgres") {
            m_database = "template1";
        } else if (++m_refusals >= refusalsBeforeGivingUp) {
            m_verdict = {
                .sentence = fmt::format("The server runs but does not let its owner in: {}", outcome.message),
                .lastWords = {}};
            stop(StopMode::Fast);
            return;
        }
    }
    m_probeTimer.start(probeEveryMs);
}

void Endpoint::becomeRunning() {
    m_wasRunning = true;
    m_startTime = std::chrono::microseconds(m_sinceStart.nsecsElapsed() / 1000);
    m_lastActivity = SystemClock().now();
    m_sessionsSeen.reset();
    setState(State::Running);
}

void Endpoint::confirmAnswers() {
    if (m_state != State::Running || m_probe)
        return;
    m_probe = ask({"SELECT 1"}, probeTimeoutMs, [this](const QueryOutcome& outcome) { confirmed(outcome); });
}

void Endpoint::confirmed(const QueryOutcome& outcome) {
    if (m_probe)
        m_probe.release()->deleteLater();
    if (m_state != State::Running)
        return; // whoever waits hears of the change
    // one that refuses us is up: as many sessions as it takes, or a configuration that was changed under it
    if (outcome.kind == QueryOutcome::Kind::Answered || outcome.kind == QueryOutcome::Kind::Refused)
        emit answering();
    else
        m_probeTimer.start(confirmEveryMs);
}

void Endpoint::stop(StopMode mode) {
    if (m_state == State::Stopped || m_state == State::Failed)
        return;
    if (m_stopMode && *m_stopMode >= mode)
        return;
    m_stopMode = mode;
    if (m_preparing)
        return; // launch() sees it
    forgetQueries();
    m_probeTimer.stop();
    setState(State::Stopping);
    if (m_postmaster.load() != 0 && !m_killed)
        requestStop(mode);
}

void Endpoint::requestStop(StopMode mode) {
    const StopLimits& limits = m_spec.limits;
    m_stopTimer.start(mode == StopMode::Smart  ? limits.smartMs
                      : mode == StopMode::Fast ? limits.fastMs
                                               : limits.immediateMs);
    ::kill(m_postmaster.load(), signalOf(mode)); // ours, and not reaped: nobody else can bear that number
    continueStopped();
    m_continueTimer.start();
}

// A process that somebody stopped (SIGSTOP, a debugger) does not hear the postmaster, which waits for it.
// Looked for again and again: one may be stopped later, or have the signal pending while we look.
void Endpoint::continueStopped() {
    const auto work = [where = paths()]() -> Status {
        for (const Holder& holder : findHolders(where))
            if (holder.kind == Holder::Kind::Server && (holder.state == 'T' || holder.state == 't'))
                signalProcess(holder.process, SIGCONT);
        return {};
    };
    inBackground(work, [](const Status&) {});
}

void Endpoint::escalate() {
    if (m_postmaster.load() == 0 || !m_stopMode)
        return;
    switch (*m_stopMode) {
    case StopMode::Smart:
        m_stopMode = StopMode::Fast;
        requestStop(StopMode::Fast);
        return;
    case StopMode::Fast:
        m_stopMode = StopMode::Immediate;
        requestStop(StopMode::Immediate);
        return;
    case StopMode::Immediate:
        killAll();
    }
}

void Endpoint::killAll() {
    m_killed = true;
    m_continueTimer.stop();
    const auto work = [where = paths(), limit = m_spec.limits.killMs] {
        return endServers(where, std::chrono::milliseconds(limit));
    };
    inBackground(work, [this](const Status& status) {
        if (!status && m_state == State::Stopping) // reaped() reports the end otherwise
            fail(failureOf(status.error()));
    });
}

void Endpoint::reaped() {
    siginfo_t info{};
    if (::waitid(P_PIDFD, static_cast<id_t>(m_handle.get()), &info, WEXITED | WNOHANG) == 0 &&
        info.si_pid == 0)
        return;
    // back into the form of waitpid()
    m_waitStatus = info.si_code == CLD_EXITED ? info.si_status << 8 : info.si_status;
    m_endNotifier->setEnabled(false);
    m_endNotifier.release()->deleteLater(); // we are in its signal
    m_handle.reset();
    m_postmaster.store(0);
    m_stopTimer.stop();
    m_continueTimer.stop();
    m_probeTimer.stop();
    forgetQueries();
    const bool clean = m_waitStatus == 0 && TimelineLock::tryAcquire(m_spec.walDirectory).has_value();
    if (clean) {
        ended({});
        return;
    }
    // Its children may live on and commit.
    const auto work = [where = paths(), limit = m_spec.limits.killMs] {
        return endServers(where, std::chrono::milliseconds(limit));
    };
    inBackground(work, [this](const Status& status) { ended(status); });
}

void Endpoint::ended(const Status& cleared) {
    const std::string log = m_log ? m_log->tail() : std::string();
    m_log.reset();
    if (m_state == State::Failed)
        return; // it was given up earlier
    if (!cleared) {
        fail(failureOf(cleared.error()));
        return;
    }
    if (m_verdict) {
        fail(*std::exchange(m_verdict, std::nullopt));
        return;
    }
    // Asked to stop while it started, or to stop as if it crashed, it may end as it likes; a clean end is one
    // whoever asked for it.
    const bool asWished = m_stopMode && (!m_wasRunning || *m_stopMode == StopMode::Immediate);
    if (asWished || m_waitStatus == 0) {
        setState(State::Stopped);
        return;
    }
    fail(explainExit(log, {.waitStatus = m_waitStatus,
                           .wasRunning = m_wasRunning,
                           .major = m_spec.config.major,
                           .port = m_spec.config.port,
                           .logFile = m_spec.logFile}));
}

void Endpoint::sampleActivity() {
    if (m_log)
        (void)m_log->keepShort(); // what cannot be done now is tried again
    if (m_state != State::Running || m_sampler)
        return;
    m_sampler = ask(activityStatements(), sampleTimeoutMs, [this](const QueryOutcome& outcome) {
        if (m_sampler)
            m_sampler.release()->deleteLater();
        if (const auto activity = readActivity(outcome))
            noteActivity(*activity);
    });
}

void Endpoint::checkpoint(std::function<void()> done) {
    if (m_state != State::Running)
        return;
    if (done)
        m_untilCheckpoint.push_back(std::move(done));
    if (m_checkpoint)
        return;
    m_checkpoint = ask({"CHECKPOINT"}, checkpointTimeoutMs, [this](const QueryOutcome&) {
        if (m_checkpoint)
            m_checkpoint.release()->deleteLater();
        for (const auto& waiter : std::exchange(m_untilCheckpoint, {}))
            waiter();
    });
}

void Endpoint::noteActivity(const Activity& activity) {
    // The session of the sample before this one was counted after it looked; one more was somebody's.
    const bool shortSessions = m_sessionsSeen && activity.sessionsSoFar > *m_sessionsSeen + 1;
    m_sessionsSeen = activity.sessionsSoFar;
    if (activity.busy > 0 || shortSessions)
        m_lastActivity = SystemClock().now();
    else if (activity.lastChange)
        m_lastActivity = std::max(m_lastActivity, *activity.lastChange);
    emit activitySampled(activity);
}

} // namespace arbor
