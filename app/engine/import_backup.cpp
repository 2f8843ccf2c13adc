// import --from URL NAME: pg_basebackup of a live server into a scratch directory of the store, and from
// there into a root. The source is only read; what it is asked in addition are its version, sizes and
// settings.
#include "app/engine/import_configuration.h"
#include "app/engine/import_jobs.h"
#include "app/engine/import_tree.h"
#include "app/postgres/program.h"
#include "app/postgres/sql_session.h"

#include <regex>

namespace arbor {

namespace {

struct SourceServer {
    ServerAddress address;
    int major = 0;
    std::string superuser; // the one that initdb made
    bool isStandby = false;
    std::uint64_t bytes = 0; // 0: it would not say
    struct Place {
        std::string oid;
        std::string location;
    };
    std::vector<Place> tablespaces;
    std::vector<std::pair<std::string, std::string>> settings; // those of its configuration files
};

std::string shownAddress(const ServerAddress& address) {
    const std::string host = address.value("host");
    const std::string port = address.value("port");
    return fmt::format("{}:{}", host.empty() ? "the local server" : host, port.empty() ? "5432" : port);
}

// The line that lets this connection in, as pg_hba.conf wants it.
std::string hbaLine(const std::string& message, const std::string& database) {
    static const std::regex words("host \"([^\"]+)\", user \"([^\"]+)\"");
    std::smatch found;
    if (!std::regex_search(message, found, words))
        return fmt::format("host {} USER ADDRESS/32 scram-sha-256", database);
    const std::string host = found[1];
    if (host == "[local]")
        return fmt::format("local {} {} peer", database, found[2].str());
    return fmt::format("host {} {} {}/{} scram-sha-256", database, found[2].str(), host,
                       host.find(':') == std::string::npos ? 32 : 128);
}

bool says(const ServerRefusal& refusal, std::string_view words) {
    return refusal.message.find(words) != std::string::npos;
}

// Why a connection was not made, and what lets it in.
Error explain(const ServerRefusal& refusal, const ServerAddress& address, bool replication) {
    const std::string where = shownAddress(address);
    const std::string user = address.value("user");
    if (says(refusal, "no pg_hba.conf entry") || says(refusal, "pg_hba.conf rejects"))
        return makeError(
            ErrorKind::Permission,
            "{} does not let this connection in: add the line \"{}\" to its pg_hba.conf and reload it "
            "(SELECT pg_reload_conf())",
            where, hbaLine(refusal.message, replication ? "replication" : "all"));
    if (says(refusal, "replication role") || says(refusal, "REPLICATION attribute") ||
        says(refusal, "permission denied to start WAL sender"))
        return makeError(ErrorKind::Permission,
                         "the role {} may not copy {}: let a superuser there run ALTER ROLE {} REPLICATION",
                         user, where, SqlSession::identifier(user));
    if (says(refusal, "max_wal_senders"))
        return makeError(ErrorKind::Refused,
                         "{} has no walsender left for a copy, which takes two: raise max_wal_senders there",
                         where);
    if (says(refusal, "authentication failed") || says(refusal, "no password"))
        return makeError(
            ErrorKind::Permission,
            "{} does not accept the password of {} ({}): give the right one in the address "
            "(postgresql://{}:PASSWORD@...), or in the .pgpass of the user that the engine runs as",
            where, user, refusal.message, user);
    return makeError(ErrorKind::Io, "{} cannot be reached: {}", where, refusal.message);
}

Status lookInside(SqlSession& session, SourceServer& source) {
    ARBOR_ASSIGN(source.superuser, session.value("SELECT rolname FROM pg_roles WHERE oid = 10"));
    ARBOR_ASSIGN(const std::string standby, session.value("SELECT pg_is_in_recovery()"));
    source.isStandby = standby == "t";
    const auto bytes = session.value("SELECT sum(pg_database_size(oid)) FROM pg_database"
                                     " WHERE has_database_privilege(oid, 'CONNECT')");
    if (bytes)
        source.bytes = std::strtoull(bytes->c_str(), nullptr, 10);
    ARBOR_ASSIGN(const Rows places, session.query("SELECT oid, pg_tablespace_location(oid) FROM pg_tablespace"
                                                  " WHERE pg_tablespace_location(oid) LIKE '/%'"));
    for (const Row& row : places)
        source.tablespaces.push_back({row[0].value_or(""), row[1].value_or("")});
    ARBOR_ASSIGN(const Rows settings, session.query("SELECT name, current_setting(name) FROM pg_settings"
                                                    " WHERE source = 'configuration file' ORDER BY name"));
    for (const Row& row : settings)
        source.settings.emplace_back(row[0].value_or(""), row[1].value_or(""));
    return {};
}

Status checkSource(SqlSession& session, const SourceServer& source) {
    if (source.major < oldestMajor || source.major > newestMajor)
        return makeError(
            ErrorKind::Unsupported,
            "{} is PostgreSQL {}: majors {} to {} are supported; import a dump of it (import --dump)",
            shownAddress(source.address), source.major, oldestMajor, newestMajor);
    ARBOR_ASSIGN(
        const std::string sizes,
        session.value("SELECT current_setting('block_size') || ' ' || current_setting('wal_block_size')"
                      " || ' ' || current_setting('segment_size')"));
    if (sizes != "8192 8192 1GB")
        return makeError(
            ErrorKind::Unsupported,
            "{} was built with other block or segment sizes ({}) than the usual: import a dump of it "
            "(import --dump)",
            shownAddress(source.address), sizes);
    ARBOR_ASSIGN(const std::string level, session.value("SHOW wal_level"));
    if (level == "minimal")
        return makeError(
            ErrorKind::Refused,
            "{} runs with wal_level = minimal, under which it cannot be copied: set wal_level = replica "
            "and max_wal_senders = 10 there and restart it, or import a dump",
            shownAddress(source.address));
    return {};
}

Result<SourceServer> askSource(Service& service, const std::string& url) {
    SourceServer source;
    ARBOR_ASSIGN(source.address, ServerAddress::parse(url));
    if (source.address.value("dbname").empty())
        source.address.keywords.emplace_back("dbname", "postgres");
    if (source.address.value("user").empty())
        source.address.keywords.emplace_back("user", "postgres");
    ServerRefusal refusal;
    auto session = SqlSession::connect(source.address, &refusal);
    if (!session)
        return explain(refusal, source.address, false);
    source.major = session->versionNumber() / 10'000;
    ARBOR_TRY(checkSource(*session, source));
    ARBOR_TRY(pickInstallation(service.installations(), source.major));
    ARBOR_TRY(lookInside(*session, source));
    ServerAddress walsender = source.address;
    walsender.keywords.emplace_back("replication", "true");
    auto replication = SqlSession::connect(walsender, &refusal);
    if (!replication)
        return explain(refusal, source.address, true);
    ARBOR_TRY(replication->query("IDENTIFY_SYSTEM"));
    return source;
}

// The copy is there whole before its files go, one by one, into the branch.
std::uint64_t roomFor(const SourceServer& source) {
    return 2 * source.bytes;
}

// "  23456/234567 kB (10%), 0/1 tablespace"
void showProgress(std::string_view line, const Throughput& throughput, double share, Job& job) {
    const auto slash = line.find('/');
    if (slash == std::string_view::npos || line.find(" kB") == std::string_view::npos)
        return;
    const std::uint64_t done = std::strtoull(std::string(line.substr(0, slash)).c_str(), nullptr, 10) << 10;
    const std::uint64_t total = std::strtoull(std::string(line.substr(slash + 1)).c_str(), nullptr, 10) << 10;
    if (total == 0)
        return;
    job.progress(share * static_cast<double>(done) / static_cast<double>(total),
                 QString::fromStdString("receiving: " + throughput.text(done)), static_cast<qint64>(done));
}

Status receive(const Installation& installation, const SourceServer& source, const std::string& place,
               Job& job) {
    constexpr double share = 0.5;
    const SystemClock clock;
    const Throughput throughput(clock, source.bytes);
    ProgramRun run{.program = installation.program("pg_basebackup"),
                   .arguments = {"-w", "-D", place + "/data", "-X", "stream", "-c", "fast", "-P", "--no-sync",
                                 "--no-manifest", "-d", source.address.withoutPassword()},
                   .cancelled = [&] { return job.cancelRequested(); }};
    if (!source.address.password.empty())
        run.environment.emplace_back("PGPASSWORD", source.address.password);
    for (const SourceServer::Place& tablespace : source.tablespaces) {
        std::string from; // "=" divides the two
        for (const char c : tablespace.location)
            from += c == '=' ? "\\=" : std::string(1, c);
        run.arguments.insert(run.arguments.end(),
                             {"-T", fmt::format("{}={}/tablespace-{}", from, place, tablespace.oid)});
    }
    std::string words;
    run.onLine = [&](std::string_view line) {
        if (line.find("error:") != std::string_view::npos || line.find("WARNING:") != std::string_view::npos)
            words += (words.empty() ? "" : "; ") + std::string(line.substr(line.find(": ") + 2));
        else
            showProgress(line, throughput, share, job);
    };
    ARBOR_ASSIGN(const int code, runProgram(run));
    if (code == 0)
        return {};
    const bool full = words.find("No space left") != std::string::npos;
    return makeError(full ? ErrorKind::NoSpace : ErrorKind::Io, "the copy of {} broke off: {}",
                     shownAddress(source.address), words.empty() ? "pg_basebackup said nothing" : words);
}

// What of its configuration the server keeps outside of its data directory is known from what it told.
Status completeConfiguration(Disk& disk, const SourceServer& source, DataDirectory& copy) {
    ConfigurationSurroundings surroundings;
    surroundings.dataDirectory = copy.path;
    surroundings.outsideIsHere = false;
    std::string text;
    std::map<std::string, std::string> copied;
    for (const char* name : {"/postgresql.conf", "/postgresql.auto.conf"}) {
        if (!disk.info(copy.path + name))
            continue;
        ARBOR_ASSIGN(ImportedConfiguration file, importConfiguration(copy.path + name, surroundings));
        copied.merge(file.values);
    }
    if (!copy.configurationFile.empty()) {
        ARBOR_ASSIGN(text, readFile(disk, copy.configurationFile));
    }
    copy.configurationFile = copy.path + "/postgresql.conf";
    for (const auto& [name, value] : source.settings)
        if (!copied.contains(name))
            text += fmt::format("{} = {}\n", name, SqlSession::literal(value));
    return replaceFile(disk, copy.configurationFile, text);
}

} // namespace

Result<ImportPreview> previewServer(Service& service, const ImportRequest& request) {
    ARBOR_ASSIGN(const SourceServer source, askSource(service, request.from));
    ImportPreview preview{source.major, source.bytes, roomFor(source), {}};
    for (const SourceServer::Place& tablespace : source.tablespaces)
        preview.report.push_back(
            fmt::format("the tablespace at {} will lie inside of the branch", tablespace.location));
    return preview;
}

Result<ImportOutcome> importServer(Service& service, const ImportRequest& request, const Caller& caller,
                                   const std::string& name, Job& job) {
    job.progress(-1, QStringLiteral("asking the server"));
    ARBOR_ASSIGN(const SourceServer source, askSource(service, request.from));
    ARBOR_ASSIGN(const Installation installation, pickInstallation(service.installations(), source.major));
    ARBOR_TRY(checkSpace(service, service.options().store, roomFor(source), "the import (copy and branch)"));
    ARBOR_ASSIGN(const ScratchPlace place, ScratchPlace::make(service, "import"));
    ARBOR_TRY(receive(installation, source, place.path(), job));
    ARBOR_ASSIGN(DataDirectory copy, inspectDataDirectory(place.path() + "/data"));
    copy.isElsewhere = true;
    copy.isStandby = copy.isStandby || source.isStandby;
    for (SourceTablespace& tablespace : copy.tablespaces)
        for (const SourceServer::Place& known : source.tablespaces)
            if (known.oid == tablespace.oid)
                tablespace.shownAs = known.location;
    ARBOR_TRY(completeConfiguration(service.disk(), source, copy));
    const std::string superuser = request.superuser.empty() ? source.superuser : request.superuser;
    return importFiles(service, copy, {superuser}, caller, name, job);
}

} // namespace arbor
