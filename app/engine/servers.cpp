// Branches and peeks as running servers.
#include "app/engine/branch_locks.h"
#include "app/engine/service.h"
#include "app/postgres/environment.h"
#include "app/postgres/runtime_files.h"
#include "storage/engine/view_paths.h"
#include "storage/wal/wal_marks.h"

#include <QProcess>

#include <spdlog/spdlog.h>

#include <sys/stat.h>

namespace arbor {

namespace {

// Names in the data directory that would make a fork recover from somewhere else.
constexpr const char* recoveryFiles[] = {"standby.signal", "recovery.signal", "backup_label",
                                         "tablespace_map"};

Status removeTreeIn(BranchView& view, InodeId directory, const std::string& name) {
    ARBOR_ASSIGN(const Attributes node, view.lookup(directory, name));
    if (node.type != FileType::Directory)
        return view.unlink(directory, name);
    for (;;) {
        ARBOR_ASSIGN(const auto entries, view.readDirectory(node.inode, 0, 100));
        if (entries.empty())
            break;
        for (const DirectoryEntry& entry : entries)
            ARBOR_TRY(removeTreeIn(view, node.inode, entry.name));
    }
    return view.removeDirectory(directory, name);
}

// What the configuration files of a stopped server say, includes and all: only the server can read them.
// Nothing when it cannot; its start will say why.
std::string configuredValue(const EndpointSpec& spec, const char* setting) {
    QProcess postgres;
    QProcessEnvironment environment;
    for (const std::string& entry : serverEnvironment())
        environment.insert(QString::fromStdString(entry.substr(0, entry.find('='))),
                           QString::fromStdString(entry.substr(entry.find('=') + 1)));
    postgres.setProcessEnvironment(environment);
    postgres.start(QString::fromStdString(spec.installation.program("postgres")),
                   {"-C", setting, "-D", QString::fromStdString(spec.config.dataDirectory), "-c",
                    QString::fromStdString("data_directory=" + spec.config.dataDirectory)});
    constexpr int timeoutMs = 30'000;
    if (!postgres.waitForFinished(timeoutMs) || postgres.exitCode() != 0)
        return {};
    return postgres.readAllStandardOutput().trimmed().toStdString();
}

Status removeIfThere(Status removed) {
    return removed || removed.error().kind() == ErrorKind::NotFound ? Status() : removed;
}

} // namespace

std::unique_ptr<Service::BranchLocks> Service::lockBranches(std::set<BranchId> branches) {
    return std::make_unique<BranchLocks>(*this, std::move(branches));
}

Result<BranchRecord> Service::branchNamed(const QJsonObject& params, const char* member) {
    const std::string name = params.value(QLatin1String(member)).toString().toStdString();
    return m_engine->catalog([&](const Catalog& catalog) { return catalog.branch(name); });
}

std::string Service::timelinePath(TimelineId timeline) const {
    return fmt::format("{}/mnt/{}", m_options.store, timeline);
}

Result<Installation> Service::installationFor(TimelineId timeline) {
    ARBOR_ASSIGN(const TimelineRecord record,
                 m_engine->catalog([&](const Catalog& catalog) { return catalog.timeline(timeline); }));
    return pickInstallation(installations(), static_cast<int>(record.pgMajor));
}

Status Service::ensurePort(BranchId branch, std::uint16_t& port) {
    if (port != 0)
        return {};
    ARBOR_TRY(m_engine->keepBook([&](Catalog& catalog, Timestamp) -> Result<CatalogChange> {
        ARBOR_ASSIGN(const BranchRecord record, catalog.branch(branch));
        if (record.port != 0) {
            port = record.port;
            return CatalogChange();
        }
        std::set<std::uint16_t> taken;
        for (const BranchRecord* other : catalog.branches())
            taken.insert(other->port);
        ARBOR_ASSIGN(port, pickPort(taken, fmt::format("{} {}", m_options.store, branch)));
        return catalog.setPort(branch, port);
    }));
    return {};
}

Result<Service::Connection> Service::connectionOf(const BranchRecord& branch) {
    Connection connection;
    connection.port = branch.port;
    ARBOR_TRY(ensurePort(branch.id, connection.port));
    ARBOR_ASSIGN(connection.socketDirectory,
                 makeSocketDirectory(m_options.store, fmt::format("branch-{}", branch.id)));
    connection.passwordFile = m_options.store + "/run/passfile";
    ARBOR_ASSIGN(const std::string line, readFile(m_disk, connection.passwordFile));
    connection.password = line.substr(line.rfind(':') + 1);
    while (!connection.password.empty() && connection.password.back() == '\n')
        connection.password.pop_back();
    if (const auto installation = installationFor(branch.timeline))
        connection.pgBin = installation->binDirectory;
    return connection;
}

EndpointSpec Service::specOn(TimelineId timeline, bool isFork, const Installation& installation,
                             const Connection& connection, bool tcp) {
    EndpointSpec spec;
    spec.installation = installation;
    spec.config.major = installation.major;
    spec.config.isFork = isFork;
    spec.config.dataDirectory = timelinePath(timeline);
    spec.config.socketDirectory = connection.socketDirectory;
    spec.config.hbaFile = m_options.store + "/run/pg_hba.conf";
    spec.config.identFile = m_options.store + "/run/pg_ident.conf";
    spec.config.port = connection.port;
    spec.config.tcp = tcp;
    spec.walDirectory = walDirectory(*m_engine, timeline);
    spec.osUsers = {m_options.user.name};
    spec.dataFiles.read = [this, timeline](const std::string& name) -> Result<std::string> {
        ARBOR_ASSIGN(const auto head, m_engine->head(timeline));
        return readPath(*head, name);
    };
    spec.dataFiles.remove = [this, timeline](const std::string& name) -> Status {
        ARBOR_ASSIGN(const auto head, m_engine->head(timeline));
        ARBOR_TRY(head->unlink(head->root(), name));
        if (const auto mounted = mount().mount())
            mounted->invalidateEntry(timeline, head->root(), name);
        return {};
    };
    spec.prepare = [this, timeline, isFork] { return prepareTimeline(timeline, isFork); };
    return spec;
}

Result<EndpointSpec> Service::specFor(const BranchRecord& branch) {
    ARBOR_ASSIGN(const Installation installation, installationFor(branch.timeline));
    ARBOR_ASSIGN(const Connection connection, connectionOf(branch));
    ARBOR_ASSIGN(const TimelineRecord timeline, m_engine->catalog([&](const Catalog& catalog) {
        return catalog.timeline(branch.timeline);
    }));
    EndpointSpec spec = specOn(branch.timeline, bool(timeline.parent), installation, connection, true);
    spec.logFile = logFileOf(branch.id);
    spec.reportOutside = timeline.parent && timeline.neverStarted;
    if (timeline.parent) {
        spec.config.lifted = liftedRules(branch);
        spec.prepare = [this, timeline = timeline.id, lifted = spec.config.lifted] {
            return prepareTimeline(timeline, true, lifted);
        };
    }
    if (!timeline.parent) {
        // a base backup and the archive rebuild pages that may have been torn elsewhere
        spec.config.logLeavesStore = configuredValue(spec, "archive_mode") != "off";
    }
    return spec;
}

std::vector<std::string> Service::turnedOffByARestore(const BranchRecord& branch) {
    const auto timeline = m_engine->catalog([&](const Catalog& c) { return c.timeline(branch.timeline); });
    if (!timeline || timeline->parent) // a fork acts on nothing outside as it is
        return {};
    const auto spec = specFor(branch);
    if (!spec)
        return {};
    std::vector<std::string> off;
    if (spec->config.logLeavesStore)
        off.push_back("archiving");
    if (!configuredValue(*spec, "synchronous_standby_names").empty())
        off.push_back("synchronous standbys");
    if (const auto head = m_engine->head(branch.timeline))
        if (const auto folder = (*head)->lookup((*head)->root(), "pg_replslot"))
            if (const auto found = (*head)->readDirectory(folder->inode, 0, 1); found && !found->empty())
                off.push_back("replication slots");
    return off;
}

bool Service::neverStarted(TimelineId timeline) const {
    return m_engine->catalog([&](const Catalog& catalog) {
        const TimelineRecord* record = catalog.findTimeline(timeline);
        return record == nullptr || record->neverStarted;
    });
}

// Runs when nobody is on the timeline and its lock is held.
Status Service::prepareTimeline(TimelineId timeline, bool isFork, const std::set<OutsideRule>& lifted) {
    ARBOR_ASSIGN(const auto head, m_engine->head(timeline));
    const bool first = neverStarted(timeline);
    if (isFork && first) {
        for (const char* name : recoveryFiles)
            ARBOR_TRY(removeIfThere(head->unlink(head->root(), name)));
        // the parent's slots would hold log here for consumers that never come
        if (const auto replication = head->lookup(head->root(), "pg_replslot");
            replication && !lifted.contains(OutsideRule::ReplicationSlots)) {
            ARBOR_ASSIGN(const auto entries, head->readDirectory(replication->inode, 0, 100'000));
            for (const DirectoryEntry& entry : entries)
                ARBOR_TRY(removeTreeIn(*head, replication->inode, entry.name));
        }
    }
    const std::string scratch = scratchDirectory(*m_engine, timeline);
    ARBOR_TRY(ensureDirectory(m_disk, scratch));
    for (const char* name : {"pg_stat_tmp", "pg_notify", "pg_subtrans", "pg_serial", "pg_snapshots",
                             "pg_dynshmem", "pgsql_tmp"}) {
        if (isFork && first)
            ARBOR_TRY(removeTree(m_disk, scratch + "/" + name));
        ARBOR_TRY(ensureDirectory(m_disk, scratch + "/" + name));
    }
    // whoever wrote half a page is dead; the kernel must not go on showing it either
    for (const auto& [inode, block] : head->dropHalves())
        if (const auto mounted = mount().mount())
            mounted->invalidateData(timeline, inode, std::uint64_t{block} * blockSize, blockSize);
    ARBOR_ASSIGN(const std::string control, readPath(*head, "global/pg_control"));
    const bool isStandby = head->lookup(head->root(), "standby.signal").has_value() ||
                           head->lookup(head->root(), "recovery.signal").has_value();
    ARBOR_TRY(head->log().prepareStart(std::as_bytes(std::span(control)), isStandby));
    if (lifted.contains(OutsideRule::Archiving))
        ARBOR_TRY(markForArchiver(timeline));
    ARBOR_TRY(head->sync());
    if (first)
        (void)m_engine->keepBook([&](Catalog& catalog, Timestamp) { return catalog.markStarted(timeline); });
    return {};
}

Status Service::startBranch(const BranchRecord& asked) {
    const auto locks = lockBranches({asked.id});
    ARBOR_ASSIGN(const BranchRecord branch,
                 m_engine->catalog([&](const Catalog& c) { return c.branch(asked.id); }));
    ARBOR_TRY(mount().need());
    const EndpointKey key = keyOf(branch.id);
    const bool runs = m_endpoints.info(key).state == Endpoint::State::Running;
    if (!runs) {
        // whoever is left of an engine before us must not write while the log is looked at
        const TimelinePaths paths{timelinePath(branch.timeline), walDirectory(*m_engine, branch.timeline)};
        if (m_disk.info(paths.walDirectory))
            ARBOR_TRY(endServers(paths, std::chrono::seconds(20)));
        const std::lock_guard lock(m_stateMutex);
        m_mounted.insert(branch.timeline);
        std::erase(m_stopped, branch.id);
    }
    ARBOR_ASSIGN(const auto head, m_engine->head(branch.timeline));
    ARBOR_TRY(head->log().build());
    ARBOR_ASSIGN(EndpointSpec spec, specFor(branch));
    if (!runs) {
        ARBOR_TRY(moveToOwnTli(branch, spec));
        const std::lock_guard lock(m_stateMutex);
        m_mounted.insert(branch.timeline); // a hidden server that has ended has left the mount
    }
    ARBOR_TRY(m_endpoints.start(key, branch.timeline, std::move(spec))); // of one that runs: until it answers
    if (!branch.shouldRun)
        ARBOR_TRY(m_engine->keepBook(
            [&](Catalog& catalog, Timestamp) { return catalog.setShouldRun(branch.id, true); }));
    return {};
}

Status Service::stopBranch(const BranchRecord& asked, Endpoint::StopMode mode) {
    const auto locks = lockBranches({asked.id});
    ARBOR_TRY(m_endpoints.stop(keyOf(asked.id), mode));
    keepWarm(asked.id);
    ARBOR_TRY(m_engine->keepBook([&](Catalog& catalog, Timestamp) -> Result<CatalogChange> {
        ARBOR_ASSIGN(const BranchRecord branch, catalog.branch(asked.id));
        return branch.shouldRun ? catalog.setShouldRun(branch.id, false) : CatalogChange();
    }));
    return {};
}

void Service::leaveMount(TimelineId timeline) {
    {
        const std::lock_guard lock(m_stateMutex);
        m_mounted.erase(timeline);
    }
    if (const auto mounted = mount().mount())
        mounted->retire(timeline);
}

// What the kernel knows of a timeline keeps its head open: its cached pages, and a few files each. The
// branches that were stopped last keep that for their next start; of a hundred it would be all the files that
// a process may open.
void Service::keepWarm(BranchId stopped) {
    constexpr std::size_t most = 4;
    std::vector<BranchId> over;
    {
        const std::lock_guard lock(m_stateMutex);
        std::erase(m_stopped, stopped);
        m_stopped.push_back(stopped);
        for (; m_stopped.size() > most; m_stopped.pop_front())
            over.push_back(m_stopped.front());
    }
    for (const BranchId branch : over)
        m_workers.start(
            [this, branch] { letGo(branch); }); // its lock may be held by a move that waits for ours
}

void Service::letGo(BranchId stopped) {
    const auto locks = lockBranches({stopped});
    const auto branch = m_engine->catalog([&](const Catalog& c) { return c.branch(stopped); });
    if (!branch || m_endpoints.info(keyOf(stopped)).state != Endpoint::State::Stopped)
        return;
    leaveMount(branch->timeline);
}

Status Service::aroundMove(const std::vector<BranchId>& branches, const std::function<Status()>& change) {
    std::vector<BranchId> running;
    std::vector<TimelineId> left;
    Status done;
    {
        const auto locks = lockBranches({branches.begin(), branches.end()});
        for (const BranchId id : branches) {
            const EndpointInfo info = m_endpoints.info(keyOf(id));
            if (info.state == Endpoint::State::Running || info.state == Endpoint::State::Starting)
                running.push_back(id);
            if (info.timeline)
                left.push_back(info.timeline);
            ARBOR_TRY(m_endpoints.remove(keyOf(id), Endpoint::StopMode::Fast));
        }
        done = change();
    }
    for (const TimelineId timeline : left) {
        if (!branchOn(timeline))
            leaveMount(timeline);
    }
    for (const BranchId id : running) {
        const auto branch = m_engine->catalog([&](const Catalog& catalog) { return catalog.branch(id); });
        if (!branch)
            continue; // it is in the trash now
        if (auto started = startBranch(*branch); !started && done)
            done = std::move(started).error().during(fmt::format(
                "the operation is done, but the server of {} could not be started again", branch->name));
    }
    return done;
}

// --- Peeks

Result<Service::Peek> Service::openPeek(BranchId branch, const TimelinePoint& point, ConnectionId owner) {
    ARBOR_TRY(mount().need());
    ARBOR_ASSIGN(const Installation installation, installationFor(point.timeline));
    ARBOR_ASSIGN(const auto head, m_engine->fork(point));
    ARBOR_TRY(head->log().build());
    Peek peek;
    peek.timeline = head->timeline();
    peek.branch = branch;
    peek.at = point;
    peek.openedAt = m_clock.now();
    {
        const std::lock_guard lock(m_stateMutex);
        peek.id = ++m_lastPeek;
        m_mounted.insert(peek.timeline);
    }
    ARBOR_ASSIGN(peek.connection.socketDirectory,
                 makeSocketDirectory(m_options.store, fmt::format("peek-{}", peek.timeline)));
    peek.connection.port = 5432; // only names the socket: a peek does not listen on TCP
    peek.connection.pgBin = installation.binDirectory;
    {
        // from here on whoever closes the connection closes the peek
        const std::lock_guard lock(m_stateMutex);
        m_peeks[peek.id] = peek;
        m_peeksOfConnections.emplace(owner, peek.id);
    }
    // it may have been closed before: who asks behind the closing, in its thread, hears of it
    QMetaObject::invokeMethod(
        this,
        [this, owner, id = peek.id] {
            if (!m_server.isConnected(owner))
                m_workers.start([this, id] { (void)closePeek(id); });
        },
        Qt::QueuedConnection);
    EndpointSpec spec = specOn(peek.timeline, true, installation, peek.connection, false);
    spec.config.readOnly = true;
    spec.logFile = fmt::format("{}/log/peek-{}.log", m_options.store, peek.id);
    auto started = m_endpoints.start(fmt::format("peek {}", peek.id), peek.timeline, std::move(spec));
    {
        const std::lock_guard lock(m_stateMutex);
        Peek& known = m_peeks.at(peek.id);
        known.starting = false;
        if (known.unwanted && started)
            started = makeError(ErrorKind::Cancelled, "the peek was closed while it started");
    }
    if (!started) {
        (void)closePeek(peek.id);
        return std::move(started).error();
    }
    publishPeek(branch);
    return peek;
}

std::vector<Service::Peek> Service::peeksOf(BranchId branch) {
    std::vector<Peek> found;
    const std::lock_guard lock(m_stateMutex);
    for (const auto& [id, peek] : m_peeks)
        if (peek.branch == branch && !peek.starting && !peek.unwanted)
            found.push_back(peek);
    return found;
}

// Whoever shows branches shows who looks at them; none is told of one whose branch is gone.
void Service::publishPeek(BranchId branch) {
    const auto record = m_engine->catalog([&](const Catalog& catalog) { return catalog.branch(branch); });
    if (record)
        publishBranches({record->name});
}

Status Service::closePeek(std::uint64_t id) {
    Peek peek;
    {
        const std::lock_guard lock(m_stateMutex);
        const auto found = m_peeks.find(id);
        if (found == m_peeks.end())
            return makeError(ErrorKind::NotFound, "there is no peek {}", id);
        found->second.unwanted = true;
        peek = found->second;
        if (!peek.starting) {
            m_peeks.erase(found);
            std::erase_if(m_peeksOfConnections, [&](const auto& entry) { return entry.second == id; });
        }
    }
    if (!peek.starting)
        publishPeek(peek.branch);
    ARBOR_TRY(m_endpoints.remove(fmt::format("peek {}", id), Endpoint::StopMode::Immediate));
    if (peek.starting)
        return {}; // whoever starts it comes back here
    leaveMount(peek.timeline);
    removeSocketDirectory(peek.connection.socketDirectory);
    ARBOR_TRY(removeDirectoriesOf(*m_engine, peek.timeline));
    ARBOR_TRY(removeTree(m_disk, fmt::format("{}/log/peek-{}.log", m_options.store, id)));
    return m_engine->closeIdleHeads();
}

void Service::closePeeks() {
    std::vector<std::uint64_t> open;
    {
        const std::lock_guard lock(m_stateMutex);
        for (const auto& [id, peek] : m_peeks)
            open.push_back(id);
    }
    for (const std::uint64_t id : open)
        if (auto closed = closePeek(id); !closed)
            spdlog::warn("closing peek {}: {}", id, closed.error().message());
}

Lsn Service::headLsn(TimelineId timeline) {
    for (const auto& head : m_engine->openHeads())
        if (head->timeline() == timeline)
            if (const auto present = head->present())
                return present->lsn;
    if (const auto state = MarkWriter::savedState(IndexMarkStore(m_engine->store().index()), timeline);
        state && *state)
        return (*state)->end;
    return m_engine->catalog([&](const Catalog& catalog) {
        const TimelineRecord* record = catalog.findTimeline(timeline);
        return record ? record->fork.lsn : Lsn();
    });
}

Timestamp Service::headTime(TimelineId timeline) const {
    const auto state = MarkWriter::savedState(IndexMarkStore(m_engine->store().index()), timeline);
    return state && *state ? (*state)->latestCommit : Timestamp();
}

std::string Service::logFileOf(BranchId branch) const {
    return fmt::format("{}/log/{}.log", m_options.store, branch);
}

} // namespace arbor
