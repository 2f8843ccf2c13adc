#include "app/engine/service.h"

#include "app/control/methods.h"
#include "app/engine/branch_locks.h"
#include "app/engine/json.h"
#include "app/engine/limits.h"
#include "app/postgres/runtime_files.h"
#include "app/postgres/server_log.h"

#include <QCoreApplication>
#include <QJsonArray>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <thread>

namespace arbor {

namespace {

constexpr int followEveryMs = 200;
constexpr int houseworkEveryMs = 1000;
constexpr int workers = 16; // they wait more than they work
constexpr int workersTimeoutMs = 60'000;
constexpr int pumpIntervalMs = 10;

} // namespace

Service::Service(Options options, ControlServer& server)
    : m_options(std::move(options)), m_server(server), m_startedAt(m_clock.now()), m_endpoints(m_clock),
      m_jobs(server, m_clock) {
    m_workers.setMaxThreadCount(workers);
    m_upkeep.setMaxThreadCount(2);
    registerBranchMethods(*this);
    registerEndpointMethods(*this);
    registerHistoryMethods(*this);
    registerGcMethods(*this);
    registerImportMethods(*this);
    registerMetrics(*this);
    registerObservationMethods(*this);
    registerPageMethods(*this);
    registerSettingsMethods(*this);
    registerStoreMethods(*this);
    connect(&m_followTimer, &QTimer::timeout, this, &Service::followLogs);
    connect(&m_houseTimer, &QTimer::timeout, this, &Service::keepHouse);
    connect(&m_server, &ControlServer::connectionClosed, this, [this](ConnectionId connection) {
        std::vector<std::uint64_t> peeks;
        {
            const std::lock_guard lock(m_stateMutex);
            const auto [begin, end] = m_peeksOfConnections.equal_range(connection);
            for (auto peek = begin; peek != end; ++peek)
                peeks.push_back(peek->second);
        }
        for (const std::uint64_t peek : peeks)
            m_workers.start([this, peek] {
                if (auto closed = closePeek(peek); !closed)
                    spdlog::warn("closing peek {}: {}", peek, closed.error().message());
            });
    });
    connect(
        &m_endpoints, &Endpoints::changed, this, [this](const std::string& key, const EndpointInfo& info) {
            static constexpr const char* names[] = {"stopped", "starting", "running", "stopping", "failed"};
            const char* state = names[static_cast<int>(info.state)];
            spdlog::info("server of {}: {}{}{}", key, state, info.failure.empty() ? "" : ": ", info.failure);
            if (!m_storeOpen)
                return;
            const auto branch = branchOn(info.timeline);
            if (!branch)
                return;
            QJsonObject payload{{"branch", QString::fromStdString(branch->name)}, {"state", state}};
            if (!info.failure.empty())
                payload.insert("text", QString::fromStdString(info.failure));
            if (const auto outside = outsideOf(branch->id);
                info.state == Endpoint::State::Running && !outside.empty())
                payload.insert("warnings", textsJson(outside));
            m_server.publish(event::endpoint, payload);
            publishBranches({branch->name});
        });
    connect(&m_endpoints, &Endpoints::sessionsChanged, this, [this](TimelineId timeline) {
        if (const auto branch = m_storeOpen ? branchOn(timeline) : std::nullopt)
            publishBranches({branch->name});
    });
    connect(&m_endpoints, &Endpoints::reported, this, &Service::noteOutside);
}

Service::~Service() {
    // They may still wait for a server, and hear of it from this thread only, whose loop has ended.
    while (!m_workers.waitForDone(pumpIntervalMs) || !m_upkeep.waitForDone(pumpIntervalMs))
        QCoreApplication::processEvents();
    mount().end(); // lets go of its views
    m_space.reset();
    m_engine.reset();
    if (m_abandoned)
        removeStore();
}

void Service::warn(const std::string& text, const std::string& branch) {
    spdlog::warn("{}", text);
    QJsonObject payload{{"text", QString::fromStdString(text)}};
    if (!branch.empty())
        payload.insert("branch", QString::fromStdString(branch));
    m_server.publish(event::warning, payload);
}

std::optional<BranchRecord> Service::branchOn(TimelineId timeline) const {
    return m_engine->catalog([&](const Catalog& catalog) -> std::optional<BranchRecord> {
        const BranchRecord* found = catalog.branchOn(timeline);
        return found ? std::optional(*found) : std::nullopt;
    });
}

// What a start has found that would act on the outside, or waits for it; before the server counts as running.
void Service::noteOutside(const std::string& key, const OutsideReport& report) {
    std::vector<std::string> sentences = report.warnings;
    const auto say = [&](const std::vector<std::string>& what, const char* sentence) {
        for (const std::string& name : what)
            sentences.push_back(fmt::format(fmt::runtime(sentence), name));
    };
    say(report.droppedSlots, "the parent's replication slot {} was removed");
    say(report.subscriptions,
        "subscription {} does not run here; before it is dropped, set its slot_name to NONE");
    say(report.preparedTransactions, "prepared transaction {} holds its locks here too");
    const auto branch = branchOn(m_endpoints.info(key).timeline);
    for (const std::string& sentence : sentences)
        warn(fmt::format("{}: {}", branch ? branch->name : key, sentence), branch ? branch->name : "");
    if (!branch)
        return;
    const std::lock_guard lock(m_stateMutex);
    m_outside[branch->id] = std::move(sentences);
}

std::vector<std::string> Service::outsideOf(BranchId branch) {
    const std::lock_guard lock(m_stateMutex);
    const auto found = m_outside.find(branch);
    return found == m_outside.end() ? std::vector<std::string>() : found->second;
}

void Service::publishBranches(const std::vector<std::string>& names) {
    QJsonArray changed;
    for (const std::string& name : names)
        changed.append(QString::fromStdString(name));
    m_server.publish(event::branches, QJsonObject{{"changed", changed}, {"removed", QJsonArray()}});
}

void Service::onWorker(const char* name, Method method, bool needsStore) {
    m_server.handleDeferred(
        name, [this, method = std::move(method),
               needsStore](const QJsonObject& params, const RequestContext& context, ResponderPtr responder) {
            if (m_shuttingDown)
                return responder->answer(engineIsBeingStopped());
            m_workers.start([=, this] {
                if (needsStore && !m_storeOpen) {
                    responder->answer(makeError(ErrorKind::NotFound, "{}", noStoreMessage(m_options.store)));
                    return;
                }
                responder->answer(method(params, context));
            });
        });
}

void Service::asJob(const char* name, const QString& title, JobMethod method, bool needsStore) {
    m_server.handle(name,
                    [this, name, title, method = std::move(method), needsStore](
                        const QJsonObject& params, const RequestContext& context) -> Result<QJsonValue> {
                        if (m_shuttingDown)
                            return engineIsBeingStopped();
                        if (needsStore && !m_storeOpen)
                            return makeError(ErrorKind::NotFound, "{}", noStoreMessage(m_options.store));
                        JobPtr job = m_jobs.start(name, title, context);
                        m_workers.start([=] { job->finish(method(params, context, *job)); });
                        return job->reference();
                    });
}

std::vector<Installation> Service::installations() {
    const std::lock_guard lock(m_stateMutex);
    if (m_installations.empty())
        m_installations = findInstallations(m_options.pgBin);
    return m_installations;
}

Status Service::preferInstallation(const std::string& directory) {
    if (directory.empty())
        return {};
    ARBOR_ASSIGN(const Installation preferred, installationIn(directory));
    ARBOR_TRY(pickInstallation({&preferred, 1}, 0)); // another one in its place would be a surprise
    const std::lock_guard lock(m_stateMutex);
    m_options.pgBin = directory;
    m_installations.clear();
    return {};
}

// --- Life

Status Service::open() {
    ARBOR_TRY(preferInstallation(m_options.pgBin));
    ARBOR_TRY(removeHalfDemo());
    ARBOR_ASSIGN(const FileInfo format, [&]() -> Result<FileInfo> {
        auto info = m_disk.info(m_options.store + "/FORMAT");
        if (!info && info.error().kind() == ErrorKind::NotFound)
            return FileInfo{}; // no store yet: only store.init makes one
        return info;
    }());
    if (format.inode == 0)
        return {};
    ARBOR_TRY(openStore());
    clearUnnamed();
    recover();
    return {};
}

Status Service::openStore() {
    ARBOR_ASSIGN(m_engine, Engine::open(m_disk, m_options.store, m_clock, standardOptions()));
    m_space = std::make_unique<Space>(*m_engine);
    for (const char* folder : {"wal", "walkeep", "scratch", "log", "run"})
        ARBOR_TRY(ensureDirectory(m_disk, m_options.store + "/" + folder));
    const std::string passFile = m_options.store + "/run/passfile"; // one for all roots of a store
    if (!m_disk.info(passFile))
        ARBOR_TRY(writePrivateFile(passFile, passFileContent(generatePassword())));
    m_engine->store().onFailure([this](const Error& error) {
        spdlog::critical("the store takes no more writes: {}", error.message());
        m_server.publish(event::warning,
                         QJsonObject{{"text", QString::fromStdString("The store takes no more writes: " +
                                                                     error.message())}});
        // what the servers wrote since the last sync is lost; their logs hold it, and a start recovers it
        QMetaObject::invokeMethod(
            this, [this] { shutDown(); }, Qt::QueuedConnection);
    });
    m_engine->onChange([this](const CatalogChange&) {
        m_space->operationDone();
        m_server.publish(event::branches, QJsonObject{});
    });
    mount().serve(*this);
    if (const std::string problem = mount().problem(); !problem.empty())
        warn("no branch can be started: " + problem);
    m_storeOpen = true;
    m_followTimer.start(followEveryMs);
    m_houseTimer.start(houseworkEveryMs);
    return {};
}

// What an engine before this one left: its servers may live on, and even commit.
void Service::recover() {
    std::vector<BranchRecord> branches = m_engine->catalog([](const Catalog& catalog) {
        std::vector<BranchRecord> found;
        for (const BranchRecord* branch : catalog.branches())
            if (branch->shouldRun)
                found.push_back(*branch);
        return found;
    });
    {
        const std::lock_guard lock(m_stateMutex);
        for (const BranchRecord& branch : branches)
            m_recovering.insert(branch.id);
    }
    for (const BranchRecord& branch : branches)
        m_workers.start([this, branch] {
            spdlog::info("starting {}, which was running", branch.name);
            const Status started = startBranch(branch);
            {
                const std::lock_guard lock(m_stateMutex);
                m_recovering.erase(branch.id);
            }
            if (started)
                return;
            warn(fmt::format("{} was running and could not be started: {}", branch.name,
                             started.error().message()),
                 branch.name);
            publishBranches({branch.name});
        });
}

bool Service::isRecovering(BranchId branch) {
    const std::lock_guard lock(m_stateMutex);
    return m_recovering.contains(branch);
}

void Service::shutDown() {
    if (m_shuttingDown)
        return;
    m_shuttingDown = true;
    spdlog::info("shutting down");
    m_followTimer.stop();
    m_houseTimer.stop();
    m_jobs.cancelAll();
    m_endpoints.stopAll([this] {
        m_upkeep.start([this] {
            // methods that wait for a server need this thread's event loop to hear that they get none
            m_workers.waitForDone(workersTimeoutMs);
            if (m_storeOpen && !m_abandoned && m_engine->store().health()) {
                closePeeks();
                (void)m_engine->sync();
            }
            QMetaObject::invokeMethod(this, &Service::finished, Qt::QueuedConnection);
        });
    });
}

// --- The mount

Result<std::shared_ptr<BranchView>> Service::view(TimelineId timeline) {
    {
        const std::lock_guard lock(m_stateMutex);
        if (!m_mounted.contains(timeline))
            return makeError(ErrorKind::NotFound, "timeline {} is not mounted", timeline);
    }
    ARBOR_ASSIGN(auto head, m_engine->head(timeline));
    return std::shared_ptr<BranchView>(std::move(head));
}

std::vector<TimelineId> Service::timelines() {
    const std::lock_guard lock(m_stateMutex);
    return {m_mounted.begin(), m_mounted.end()};
}

bool Service::mayStartServer(TimelineId timeline, pid_t process) {
    return m_endpoints.startedByUs(timeline, process);
}

Result<SpaceInfo> Service::space() {
    SpaceInfo info;
    ARBOR_ASSIGN(info.totalBytes, m_disk.totalBytes(m_options.store));
    ARBOR_ASSIGN(info.freeBytes, m_disk.freeBytes(m_options.store));
    return info;
}

// On a thread of the mount.
void Service::linkRefused(TimelineId timeline, const std::string& sentence) {
    const auto branch = branchOn(timeline);
    if (!branch)
        return;
    if (auto said = ServerLog::append(logFileOf(branch->id), "PgArbor: " + sentence); !said)
        spdlog::warn("{}", said.error().message());
    warn(fmt::format("{}: {}", branch->name, sentence), branch->name);
}

// --- Upkeep

void Service::followLogs() {
    if (m_following.exchange(true))
        return;
    m_upkeep.start([this] {
        const std::vector<TimelineId> served = timelines(); // others have no server that writes
        for (const auto& head : m_engine->openHeads())
            if (std::binary_search(served.begin(), served.end(), head->timeline()))
                if (auto followed = head->followLog(LogFollower::Effort::Thorough); !followed)
                    spdlog::warn("following the log of timeline {}: {}", head->timeline(),
                                 followed.error().message());
        announceHeads();
        boundReplay(served);
        m_following = false;
    });
}

// Clients hear of a head that moved, at most as often as logs are followed.
void Service::announceHeads() {
    std::map<TimelineId, Lsn> heads;
    for (const auto& head : m_engine->openHeads())
        if (const auto present = head->present())
            heads[head->timeline()] = present->lsn;
    std::vector<TimelineId> moved;
    {
        const std::lock_guard lock(m_stateMutex);
        for (const auto& [timeline, lsn] : heads)
            if (const auto known = m_announced.find(timeline);
                known == m_announced.end() || known->second != lsn)
                moved.push_back(timeline);
        m_announced = std::move(heads);
    }
    for (const TimelineId timeline : moved)
        if (const auto branch = branchOn(timeline))
            m_server.publish(event::marks, QJsonObject{{"branch", QString::fromStdString(branch->name)}});
}

void Service::keepHouse() {
    m_endpoints.sampleActivity();
    if (m_housekeeping.exchange(true))
        return;
    m_upkeep.start([this] {
        housework();
        m_housekeeping = false;
    });
}

// With the last of a branch go its log and its socket directory.
void Service::purgeTrash(TrashId entry) {
    BranchId branch;
    const auto purged = m_engine->keepBook([&](Catalog& catalog, Timestamp) -> Result<CatalogChange> {
        if (const TrashRecord* record = catalog.findTrash(entry))
            branch = record->branch.id;
        return catalog.purgeTrash(entry);
    });
    const bool lives = m_engine->catalog([&](const Catalog& catalog) {
        const auto entries = catalog.trash();
        return catalog.findBranch(branch) != nullptr ||
               std::any_of(entries.begin(), entries.end(),
                           [&](const TrashRecord* other) { return other->branch.id == branch; });
    });
    if (!purged || lives)
        return;
    for (const char* suffix : {"", ".1"})
        (void)removeTree(m_disk, logFileOf(branch) + suffix);
    if (const auto sockets = makeSocketDirectory(m_options.store, fmt::format("branch-{}", branch)))
        removeSocketDirectory(*sockets);
}

void Service::housework() {
    if (auto closed = m_engine->closeIdleHeads(); !closed)
        return; // the store has failed, and has said so
    const auto stats =
        m_engine->store().pageMapStats().chunks.load() * std::int64_t{PageMapStats::chunkBytes};
    if (stats > static_cast<std::int64_t>(m_engine->store().pageMapBudget()))
        for (const auto& head : m_engine->openHeads())
            head->trim();

    const Timestamp now = m_clock.now();
    const auto expired = m_engine->catalog([&](const Catalog& catalog) {
        std::vector<BranchRecord> due;
        for (const BranchId id : catalog.dueExpiries(now))
            if (const auto branch = catalog.branch(id))
                due.push_back(*branch);
        return due;
    });
    for (const BranchRecord& branch : expired) {
        const auto locks = lockBranches({branch.id});
        (void)m_endpoints.remove(keyOf(branch.id), Endpoint::StopMode::Fast);
        const auto done =
            m_engine->operate({"engine", "expire " + branch.name}, [&](Catalog& catalog, Timestamp at) {
                return catalog.deleteBranch(branch.id, at, TrashReason::Expired);
            });
        if (done)
            spdlog::info("{} has expired and is in the trash", branch.name);
    }
    purgeTrash();
    keepBooks();

    const Duration idle =
        m_engine->catalog([](const Catalog& c) { return c.durationSetting("idle-suspend"); });
    if (idle.micros > 0)
        for (const BranchRecord& branch : m_engine->catalog([](const Catalog& catalog) {
                 std::vector<BranchRecord> all;
                 for (const BranchRecord* record : catalog.branches())
                     if (record->shouldRun)
                         all.push_back(*record);
                 return all;
             })) {
            const EndpointInfo info = m_endpoints.info(keyOf(branch.id));
            if (info.state == Endpoint::State::Running && info.lastActivity &&
                now - info.lastActivity > idle) {
                spdlog::info("{} is idle and is stopped", branch.name);
                (void)stopBranch(branch, Endpoint::StopMode::Fast);
            }
        }
}

void Service::purgeTrash() {
    const Timestamp now = m_clock.now();
    const auto due = m_engine->catalog([&](const Catalog& catalog) { return catalog.dueTrash(now); });
    for (const TrashId entry : due)
        purgeTrash(entry);
}

void Service::emptyTrash() {
    const auto all = m_engine->catalog([](const Catalog& catalog) {
        std::vector<TrashId> entries;
        for (const TrashRecord* entry : catalog.trash())
            entries.push_back(entry->id);
        return entries;
    });
    for (const TrashId entry : all)
        purgeTrash(entry);
}

Result<Collector::Outcome> Service::sweep(const Collector::RunOptions& options) {
    purgeTrash();
    auto outcome = m_space->collector().run(options);
    m_space->swept();
    m_server.publish(event::stats, QJsonObject{});
    return outcome;
}

// Nothing is shortened or removed because of it. The log has it once when it becomes worse; who shows sizes
// asks for them again, also when it is over.
void Service::warnOfLimits() {
    const Space::AccountsPtr accounts = m_space->recentAccounts();
    if (!accounts)
        return;
    const LimitState state = limitState(*this, *accounts);
    const auto level = static_cast<int>(state.level);
    const int before = m_limitLevel.exchange(level);
    if (level > before) {
        std::string said = state.text;
        for (const Remedy& remedy : remedies(*this, *accounts))
            said += fmt::format("{} {}", said == state.text ? "; what helps most:" : " or", remedy.text);
        spdlog::warn("{}", said);
    }
    noteLimitTold(state);
}

void Service::noteLimitTold(const LimitState& state) {
    const auto now = static_cast<int>(state.level);
    if (m_limitTold.exchange(now) != now)
        m_server.publish(event::stats, QJsonObject{});
}

// Accounts and sweeps on schedule. A sweep goes at a pace that a busy database does not feel.
void Service::keepBooks() {
    auto kept = m_space->keepBooks();
    if (!kept)
        spdlog::warn("accounting: {}", kept.error().message());
    // others fill and empty the disk while none of our accounts changes, or while the next is not due yet
    const bool isTight = fewBytesLeft(*this).has_value();
    const bool isOther = isTight != m_diskTight.exchange(isTight);
    // nor need we have looked while it was full: who asked then still shows it
    if (kept.value_or(false) || isOther || m_limitTold != static_cast<int>(LimitState::Level::Fine))
        warnOfLimits();
    if (!isTight && !m_engine->store().isReserveWhole())
        if (const Status whole = m_engine->store().restoreReserve(); !whole)
            spdlog::warn("{}", whole.error().message());
    if (m_space->sweepIsDue())
        sweepSoon();
}

Status Service::closeHeads(const std::set<TimelineId>& timelines) {
    constexpr int tries = 100;
    for (int i = 0; i < tries; ++i) {
        ARBOR_TRY(m_engine->closeIdleHeads());
        const auto heads = m_engine->openHeads();
        if (std::none_of(heads.begin(), heads.end(),
                         [&](const auto& head) { return timelines.contains(head->timeline()); }) &&
            std::none_of(timelines.begin(), timelines.end(),
                         [&](TimelineId timeline) { return m_engine->isLookedAt(timeline); }))
            return {};
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return {}; // somebody looks at it: it goes with a later sweep
}

void Service::sweepSoon() {
    constexpr std::uint64_t pace = 64u << 20; // bytes moved a second
    if (m_sweepsAsked.fetch_add(1) > 0)
        return; // it runs, and sees that it was asked again
    m_workers.start([this] {
        for (int seen = 0; m_sweepsAsked.fetch_sub(seen) > seen;) {
            seen = m_sweepsAsked;
            Collector::RunOptions options;
            options.bytesPerSecond = pace;
            options.cancelled = [this] { return m_shuttingDown.load(); };
            const auto outcome = sweep(options);
            if (!outcome)
                spdlog::warn("sweeping: {}", outcome.error().message());
            else
                spdlog::info("a sweep freed {} bytes and moved {}", outcome->freedBytes, outcome->movedBytes);
        }
    });
}

} // namespace arbor
