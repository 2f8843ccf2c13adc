#include "app/engine/import_root.h"

#include "app/engine/import_configuration.h"
#include "app/postgres/program.h"
#include "app/postgres/reports.h"
#include "app/postgres/runtime_files.h"
#include "storage/engine/view_paths.h"
#include "storage/engine/wal_follower.h"

#include <algorithm>
#include <filesystem>
#include <set>

namespace arbor {

namespace fs = std::filesystem;

namespace {

// Of the copied directory, what belongs to the server that was, or would make this one recover from somewhere
// else. Replication slots would hold log here for consumers that never come.
const std::vector<std::string> leftOut{"pg_replslot",
                                       "standby.signal",
                                       "recovery.signal",
                                       "tablespace_map",
                                       "tablespace_map.old",
                                       "backup_label.old",
                                       "backup_manifest",
                                       "current_logfiles",
                                       "postgresql.auto.conf.tmp",
                                       "postgresql.conf",
                                       "postgresql.auto.conf",
                                       "lost+found",
                                       "log",
                                       "pg_log"};

constexpr double copyShare = 0.9; // of the progress; the rest is the server's

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : ", ") + word;
    return text;
}

} // namespace

NewRoot::NewRoot(Service& service, Job& job, Installation installation)
    : m_service(service), m_disk(service.disk()), m_job(job),
      m_installation(std::move(installation)), m_owner{service.options().user.uid,
                                                       service.options().user.gid} {}

NewRoot::~NewRoot() {
    if (m_server)
        (void)m_service.endHidden(*m_server, Endpoint::StopMode::Immediate);
    m_view.reset();
    if (!m_timeline)
        return;
    if (m_named) {
        (void)m_service.engine().closeIdleHeads();
        return;
    }
    (void)m_service.closeHeads({m_timeline}); // a sweep keeps what is open
    (void)removeDirectoriesOf(m_service.engine(), m_timeline);
    m_service.sweepSoon(); // what it wrote into the segments: the disk may be full of it
}

std::string NewRoot::walPath() const {
    return walDirectory(m_service.engine(), m_timeline);
}

Status NewRoot::begin() {
    ARBOR_ASSIGN(m_view, m_service.engine().beginRoot(0700, m_owner));
    m_timeline = m_view->timeline();
    return {};
}

Status NewRoot::fillFromInitdb(const std::string& place) {
    ARBOR_TRY(begin());
    TreeCopy copy(m_disk, *m_view, m_owner, m_job);
    ARBOR_TRY(copy.addTree(place + "/data", m_view->root(), DirectoryRole::Root));
    ARBOR_TRY(copy.copyContents(copyShare));
    m_bytes = copy.bytes();
    // history begins behind initdb, which recycles segments whatever the settings say
    ARBOR_TRY(syncTree(m_disk, place + "/wal"));
    ARBOR_TRY(m_disk.rename(place + "/wal", walPath()));
    ARBOR_TRY(m_disk.syncDirectory(m_service.options().store + "/wal"));
    return follow();
}

Status NewRoot::fillFromDirectory(const DataDirectory& source, std::vector<std::string>& report) {
    ARBOR_TRY(begin());
    ARBOR_ASSIGN(const auto log, neededLog(m_disk, source));
    TreeCopy copy(m_disk, *m_view, m_owner, m_job);
    copy.leaveOut(leftOut);
    if (source.isElsewhere)
        copy.consume();
    ARBOR_TRY(copy.addTree(source.path, m_view->root(), DirectoryRole::Root));
    ARBOR_TRY(copy.addDirectory(m_view->root(), "pg_replslot", 0700));
    ARBOR_TRY(addTablespaces(copy, source, report));
    ARBOR_TRY(writeConfiguration(source, report));
    if (!source.replicationSlots.empty())
        report.push_back(
            fmt::format("the replication slots {} were left behind: they would keep log for consumers "
                        "that do not follow the branch",
                        joined(source.replicationSlots)));
    ARBOR_TRY(copy.copyContents(copyShare));
    m_bytes = copy.bytes();
    ARBOR_TRY(takeLog(source.walDirectory, log));
    if (!source.isElsewhere)
        ARBOR_TRY(checkUnchanged(source));
    return follow();
}

// A server that was started while the copy was made has changed files that were copied already.
Status NewRoot::checkUnchanged(const DataDirectory& source) {
    ARBOR_TRY(checkNotRunning(source.path));
    ARBOR_ASSIGN(const std::string before, readPath(*m_view, "global/pg_control"));
    ARBOR_ASSIGN(const std::string now, readFile(m_disk, source.path + "/global/pg_control"));
    if (before == now)
        return {};
    return makeError(ErrorKind::Busy, "a server ran on {} while it was copied: stop it, and import again",
                     source.path);
}

// The link of a tablespace becomes a directory inside: two branches must not share a place outside.
Status NewRoot::addTablespaces(TreeCopy& copy, const DataDirectory& source,
                               std::vector<std::string>& report) {
    if (source.tablespaces.empty())
        return {};
    ARBOR_ASSIGN(const Attributes links, m_view->lookup(m_view->root(), "pg_tblspc"));
    for (const SourceTablespace& tablespace : source.tablespaces) {
        if (tablespace.location == source.path + "/pg_tblspc/" + tablespace.oid)
            continue; // made in place: it came with the rest
        ARBOR_ASSIGN(const InodeId inside, copy.addDirectory(links.inode, tablespace.oid, 0700));
        ARBOR_ASSIGN(const InodeId version, copy.addDirectory(inside, source.versionDirectory, 0700));
        const std::string from = tablespace.location + "/" + source.versionDirectory;
        if (m_disk.info(from))
            ARBOR_TRY(copy.addTree(from, version, DirectoryRole::TablespaceVersion));
        report.push_back(
            fmt::format("the tablespace at {} lies inside of the branch now", tablespace.shownAs));
    }
    return {};
}

Status NewRoot::writeText(const std::string& name, std::string_view content) {
    if (const auto there = m_view->lookup(m_view->root(), name))
        ARBOR_TRY(m_view->unlink(m_view->root(), name));
    ARBOR_ASSIGN(const Attributes made, m_view->createFile(m_view->root(), name, 0600, m_owner));
    return content.empty() ? Status() : m_view->write(made.inode, 0, std::as_bytes(std::span(content)), 0);
}

// hba and ident files: a branch has rules of its own, but what is exported later needs some.
Status NewRoot::carryIn(const std::string& path, const std::string& name, std::vector<std::string>& report) {
    const auto content = readFile(m_disk, path);
    if (!content) {
        report.push_back(
            fmt::format("{} could not be read and did not come along ({})", path, content.error().message()));
        return {};
    }
    return writeText(name, *content);
}

Status NewRoot::writeConfiguration(const DataDirectory& source, std::vector<std::string>& report) {
    auto surroundings = surroundingsHere(source.path, libraryDirectoryOf(m_installation));
    surroundings.outsideIsHere = !source.isElsewhere;
    std::string text;
    std::map<std::string, std::string> values;
    if (source.configurationFile.empty()) {
        report.push_back(fmt::format(
            "there is no postgresql.conf in {}: the branch has PostgreSQL's defaults", source.path));
    } else {
        ARBOR_ASSIGN(ImportedConfiguration main, importConfiguration(source.configurationFile, surroundings));
        text = std::move(main.text);
        values = std::move(main.values);
        report.insert(report.end(), main.report.begin(), main.report.end());
    }
    // a server that recovers a backup of the branch refuses such directories without
    if (!source.tablespaces.empty())
        text +=
            "allow_in_place_tablespaces = on    # PgArbor: those that were outside lie in pg_tblspc itself\n";
    ARBOR_TRY(writeText("postgresql.conf", text));
    const std::string automatic = source.path + "/postgresql.auto.conf";
    text.clear();
    if (m_disk.info(automatic)) {
        ARBOR_ASSIGN(ImportedConfiguration system, importConfiguration(automatic, surroundings));
        text = std::move(system.text);
        for (const std::string& sentence : system.report)
            if (std::ranges::find(report, sentence) == report.end())
                report.push_back(sentence);
    }
    ARBOR_TRY(writeText("postgresql.auto.conf", text));
    const fs::path besides = fs::path(source.configurationFile).parent_path();
    for (const auto& [setting, name] :
         {std::pair{"hba_file", "pg_hba.conf"}, std::pair{"ident_file", "pg_ident.conf"}}) {
        const auto named = values.find(setting);
        const std::string path = named != values.end() && !named->second.empty()
                                     ? (fs::path(source.path) / named->second).string()
                                     : (besides / name).string();
        if (path != source.path + "/" + name && !source.configurationFile.empty() && !source.isElsewhere)
            ARBOR_TRY(carryIn(path, name, report));
    }
    return {};
}

Status NewRoot::takeLog(const std::string& from, const std::vector<std::string>& names) {
    const std::string to = walPath();
    ARBOR_TRY(ensureDirectory(m_disk, to));
    ARBOR_TRY(ensureDirectory(m_disk, to + "/archive_status"));
    if (m_installation.major >= 17)
        ARBOR_TRY(ensureDirectory(m_disk, to + "/summaries"));
    std::vector<std::byte> buffer(1u << 20);
    for (const std::string& name : names) {
        m_job.progress(copyShare, QStringLiteral("copying the log"), static_cast<qint64>(m_bytes));
        ARBOR_ASSIGN(const auto source, m_disk.openRead(from + "/" + name));
        ARBOR_ASSIGN(const auto copy, m_disk.createAppend(to + "/" + name));
        for (std::uint64_t at = 0;;) {
            if (m_job.cancelRequested())
                return makeError(ErrorKind::Cancelled, "cancelled");
            ARBOR_ASSIGN(const std::size_t got, source->readAt(at, buffer));
            if (got == 0)
                break;
            ARBOR_TRY(copy->append(std::span(buffer).first(got)));
            at += got;
            m_bytes += got;
        }
        ARBOR_TRY(copy->sync());
    }
    ARBOR_TRY(m_disk.syncDirectory(to));
    return m_disk.syncDirectory(m_service.options().store + "/wal");
}

// From here on the view follows the log, as that of a branch does.
Status NewRoot::follow() {
    ARBOR_ASSIGN(m_control, controlOf(*m_view));
    auto view = m_service.engine().followRoot(
        std::move(m_view), static_cast<std::uint32_t>(m_installation.major), m_control.segmentSize);
    if (!view)
        return std::move(view).error();
    m_view = std::move(*view);
    return {};
}

Status NewRoot::start(const std::vector<std::string>& superusers, bool promote) {
    m_job.progress(copyShare, QStringLiteral("starting a server on it"), static_cast<qint64>(m_bytes));
    if (promote)
        ARBOR_TRY(writeText("recovery.signal", {}));
    Status tried = makeError(ErrorKind::InvalidArgument, "no superuser was named");
    for (const std::string& superuser : superusers) {
        auto server =
            m_service.startHidden(m_timeline, false, m_installation, &m_job, [&](EndpointSpec& spec) {
                spec.superuser = superuser;
                if (!promote)
                    return;
                spec.config.lifted = {OutsideRule::PrimaryConnection};
                // to the end of the log that came along, and nobody is let in before
                spec.config.settings = {{"restore_command", "/bin/false"},
                                        {"primary_conninfo", ""},
                                        {"hot_standby", "off"},
                                        {"recovery_end_command", ""}};
            });
        if (server) {
            m_server = std::move(*server);
            return {};
        }
        tried = std::move(server).error();
        if (tried.error().message().find("role \"" + superuser + "\" does not exist") == std::string::npos)
            return std::move(tried).error().during("PostgreSQL did not start on what was imported");
    }
    return makeError(ErrorKind::InvalidArgument,
                     "its superuser is none of {}: say which it is with --superuser NAME",
                     joined(superusers));
}

Result<SqlSession> NewRoot::session(const std::string& database) const {
    ServerAddress address;
    address.keywords = {{"host", m_server->connection.socketDirectory},
                        {"port", std::to_string(m_server->connection.port)},
                        {"user", m_server->superuser},
                        {"dbname", database}};
    return SqlSession::connect(address);
}

Status NewRoot::settle(std::vector<std::string>& report) {
    m_job.progress(0.95, QStringLiteral("settling in"), static_cast<qint64>(m_bytes));
    ARBOR_ASSIGN(SqlSession main, session("template1"));
    ARBOR_ASSIGN(const std::string passLine, readFile(m_disk, m_service.options().store + "/run/passfile"));
    std::string password = passLine.substr(passLine.rfind(':') + 1);
    while (!password.empty() && password.back() == '\n')
        password.pop_back();
    ARBOR_ASSIGN(const std::string role,
                 main.value("SELECT rolsuper AND rolcanlogin FROM pg_roles WHERE rolname = 'postgres'"));
    if (role != "t") {
        ARBOR_TRY(main.query(role.empty() ? "CREATE ROLE postgres SUPERUSER LOGIN"
                                          : "ALTER ROLE postgres SUPERUSER LOGIN"));
        report.push_back(role.empty()
                             ? "the superuser postgres was added: branches are administered as that"
                             : "the role postgres was made a superuser: branches are administered as that");
    }
    ARBOR_TRY(main.query(setPasswordStatement("postgres", password)));
    ARBOR_ASSIGN(const std::string there, main.value("SELECT 1 FROM pg_database WHERE datname = 'postgres'"));
    if (there.empty()) {
        ARBOR_TRY(main.query("CREATE DATABASE postgres"));
        report.push_back("the database postgres was added: clients are sent there");
    }
    ARBOR_ASSIGN(const Rows databases,
                 main.query("SELECT datname FROM pg_database WHERE datallowconn ORDER BY datname"));
    for (const Row& row : databases) {
        auto inside = session(row[0].value_or(""));
        if (!inside) { // a locale that this machine does not have, and the like
            report.push_back(fmt::format("the database {} cannot be used here: {}", row[0].value_or(""),
                                         inside.error().message()));
            continue;
        }
        ARBOR_TRY(settleDatabase(*inside, row[0].value_or(""), report));
    }
    ARBOR_ASSIGN(const Rows prepared, main.query("SELECT gid, database FROM pg_prepared_xacts ORDER BY gid"));
    for (const Row& row : prepared)
        report.push_back(fmt::format("the prepared transaction {} in {} came along and holds its locks",
                                     row[0].value_or(""), row[1].value_or("")));
    return {};
}

// An enabled subscription would take part in the publisher's replication in the place of the server it came
// from.
Status NewRoot::settleDatabase(SqlSession& inside, const std::string& database,
                               std::vector<std::string>& report) {
    ARBOR_ASSIGN(const Rows subscriptions,
                 inside.query("SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid"
                              " WHERE datname = current_database() AND subenabled ORDER BY subname"));
    for (const Row& row : subscriptions) {
        const std::string name = row[0].value_or("");
        ARBOR_TRY(inside.query(fmt::format("ALTER SUBSCRIPTION {} DISABLE", SqlSession::identifier(name))));
        report.push_back(fmt::format("the subscription {} in {} is disabled; before it is dropped, set its "
                                     "slot_name to NONE",
                                     name, database));
    }
    return {};
}

Status NewRoot::stop() {
    m_job.progress(0.97, QStringLiteral("stopping the server"), static_cast<qint64>(m_bytes));
    const auto server = std::exchange(m_server, std::nullopt);
    if (auto stopped = m_service.endHidden(*server, Endpoint::StopMode::Fast); !stopped)
        return std::move(stopped).error().during("stopping the server on what was imported");
    ARBOR_ASSIGN(m_control, controlOf(*m_view));
    if (!m_control.cleanlyShutDown())
        return makeError(ErrorKind::Io, "the server on what was imported did not stop cleanly");
    return {};
}

Result<BranchRecord> NewRoot::name(const std::optional<Caller>& caller, const std::string& name) {
    if (m_job.cancelRequested())
        return makeError(ErrorKind::Cancelled, "cancelled");
    ARBOR_TRY(m_view->followLog(LogFollower::Effort::Thorough));
    ARBOR_ASSIGN(const ForkPoint present, m_view->present());
    RootSpec spec;
    spec.name = name;
    spec.pgMajor = static_cast<std::uint32_t>(m_installation.major);
    spec.walSegmentSize = m_control.segmentSize;
    ARBOR_ASSIGN(BranchRecord branch, m_service.engine().finishRoot(caller, *m_view, spec, present.lsn));
    m_named = true;
    (void)m_service.ensurePort(branch.id, branch.port); // where none is free its start will say so
    return branch;
}

std::string libraryDirectoryOf(const Installation& installation) {
    std::string directory;
    const ProgramRun run{.program = installation.program("pg_config"),
                         .arguments = {"--pkglibdir"},
                         .onLine = [&](std::string_view line) { directory = line; }};
    const auto code = runProgram(run);
    return code && *code == 0 ? directory : installation.binDirectory + "/../lib";
}

} // namespace arbor
