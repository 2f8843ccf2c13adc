// import --dump FILE NAME: pg_restore or psql into a fresh cluster.
#include "app/engine/import_jobs.h"
#include "app/engine/import_root.h"
#include "app/postgres/program.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <thread>

namespace arbor {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t mostErrors = 100;        // that are shown; all are counted
constexpr double begun = 0.1, restored = 0.95; // of the progress

enum class DumpKind { Archive, Directory, Tar, Script, ClusterScript };

struct Dump {
    std::string path;
    DumpKind kind = DumpKind::Script;
    std::uint64_t bytes = 0;
    bool isScript() const { return kind == DumpKind::Script || kind == DumpKind::ClusterScript; }
};

Result<DumpKind> kindOf(const std::string& path) {
    std::error_code error;
    if (fs::is_directory(path, error)) {
        if (fs::exists(path + "/toc.dat", error))
            return DumpKind::Directory;
        return makeError(ErrorKind::InvalidArgument,
                         "{} is no dump in pg_dump's directory format: there is no toc.dat in it{}", path,
                         fs::exists(path + "/PG_VERSION", error)
                             ? "; it is a data directory, which is imported without --dump"
                             : "");
    }
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return errnoError(errno, "reading " + path);
    std::string head(8192, '\0');
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(file.gcount()));
    if (head.starts_with("PGDMP"))
        return DumpKind::Archive;
    if (head.size() > 262 && head.compare(257, 5, "ustar") == 0)
        return DumpKind::Tar;
    if (head.starts_with("\x1f\x8b") || head.starts_with("\x28\xb5\x2f\xfd") || head.starts_with("BZh"))
        return makeError(ErrorKind::Unsupported, "{} is compressed as a whole: decompress it first", path);
    if (head.find('\0') != std::string::npos)
        return makeError(ErrorKind::InvalidArgument, "{} is neither an archive of pg_dump nor an SQL script",
                         path);
    return head.find("PostgreSQL database cluster dump") == std::string::npos ? DumpKind::Script
                                                                              : DumpKind::ClusterScript;
}

Result<Dump> lookAtDump(const std::string& path) {
    std::error_code error;
    if (!fs::exists(path, error))
        return makeError(error.value() == EACCES ? ErrorKind::Permission : ErrorKind::NotFound,
                         "there is no file {} that the engine could read", path);
    Dump dump{path, {}, 0};
    ARBOR_ASSIGN(dump.kind, kindOf(path));
    if (dump.kind == DumpKind::Directory)
        for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
            dump.bytes += entry->file_size(error);
    else
        dump.bytes = fs::file_size(path, error);
    return dump;
}

// What pg_restore -l tells of an archive.
struct Contents {
    std::string database;
    std::set<std::string> owners;
    std::size_t entries = 0;
};
Result<Contents> contentsOf(const Installation& installation, const Dump& dump) {
    Contents contents;
    std::string words;
    const ProgramRun run{.program = installation.program("pg_restore"),
                         .arguments = {"-l", dump.path},
                         .onLine = [&](std::string_view line) {
                             constexpr std::string_view key = ";     dbname: ";
                             if (line.starts_with(key))
                                 contents.database = line.substr(key.size());
                             else if (line.starts_with("pg_restore:"))
                                 words += std::string(line);
                             if (line.starts_with(';') || line.starts_with("pg_restore:"))
                                 return;
                             ++contents.entries;
                             contents.owners.emplace(line.substr(line.rfind(' ') + 1));
                         }};
    ARBOR_ASSIGN(const int code, runProgram(run));
    if (code != 0)
        return makeError(words.find("unsupported version") != std::string::npos ? ErrorKind::Unsupported
                                                                                : ErrorKind::InvalidArgument,
                         "{} cannot be restored: {}", dump.path, words);
    contents.owners.erase("");
    return contents;
}

std::string unquoted(std::string name) {
    if (!name.starts_with('"'))
        return name;
    name = name.substr(1, name.size() - 2);
    for (auto at = name.find("\"\""); at != std::string::npos; at = name.find("\"\"", at + 1))
        name.erase(at, 1);
    return name;
}

// Tablespaces belong to a cluster: the dump of a database names them and does not hold them. This is one that
// a line of its script names; "" for none.
std::string tablespaceNamedIn(std::string_view line) {
    static const std::regex used("^(?:SET default_tablespace = |CREATE DATABASE .* TABLESPACE = )"
                                 "(\"(?:[^\"]|\"\")+\"|[^\" ;']+)");
    constexpr std::size_t longest = 4096; // of such a line
    if (line.size() > longest ||
        !(line.starts_with("SET default_tablespace = ") || line.starts_with("CREATE DATABASE ")))
        return {};
    std::match_results<std::string_view::const_iterator> found;
    if (!std::regex_search(line.begin(), line.end(), found, used))
        return {};
    const std::string name = unquoted(found[1].str());
    return name == "pg_default" ? std::string() : name;
}

Result<std::set<std::string>> tablespacesOfArchive(const Installation& installation, const Dump& dump) {
    std::set<std::string> names;
    const ProgramRun run{.program = installation.program("pg_restore"),
                         .arguments = {"-s", "-C", "-f", "-", dump.path},
                         .onLine = [&](std::string_view line) { names.insert(tablespaceNamedIn(line)); }};
    ARBOR_ASSIGN(const int code, runProgram(run));
    if (code != 0)
        return makeError(ErrorKind::Io, "pg_restore -s ended with code {}", code);
    names.erase("");
    return names;
}

// Those that a script of pg_dump names and does not make: it has to be read once before it is run, rows of
// tables left out.
Result<std::set<std::string>> tablespacesOfScript(const Dump& dump, Job& job) {
    std::set<std::string> names, made;
    std::ifstream file(dump.path, std::ios::binary);
    bool inRows = false;
    std::uint64_t number = 0;
    for (std::string line; std::getline(file, line);) {
        if (++number % 65'536 == 0 && job.cancelRequested())
            return makeError(ErrorKind::Cancelled, "cancelled");
        if (inRows) {
            inRows = line != "\\.";
            continue;
        }
        inRows = line.starts_with("COPY ") && line.ends_with(" FROM stdin;");
        constexpr std::string_view making = "CREATE TABLESPACE ";
        if (line.starts_with(making)) {
            const auto end = line[making.size()] == '"' ? line.rfind('"') + 1 : line.find(' ', making.size());
            made.insert(unquoted(line.substr(making.size(), end - making.size())));
        }
        names.insert(tablespaceNamedIn(line));
    }
    if (file.bad())
        return errnoError(errno, "reading " + dump.path);
    names.erase("");
    for (const std::string& name : made)
        names.erase(name);
    return names;
}

// What a script of pg_dumpall says before it connects to the first database makes roles and tablespaces;
// their places become places inside.
class ScriptHead {
  public:
    // The head of a script, as it is to be run; empty when it makes no tablespace.
    static Result<ScriptHead> of(const Dump& dump) {
        ScriptHead head;
        if (dump.kind != DumpKind::ClusterScript)
            return head;
        static const std::regex made("^CREATE TABLESPACE (\"(?:[^\"]|\"\")+\"|\\S+)(.*) LOCATION '.*';$");
        std::ifstream file(dump.path, std::ios::binary);
        std::string text;
        for (std::string line; std::getline(file, line) && !line.starts_with("\\connect");) {
            head.m_sourceBytes += line.size() + 1;
            std::smatch found;
            if (line.starts_with("CREATE TABLESPACE ") && std::regex_match(line, found, made)) {
                head.m_tablespaces.insert(unquoted(found[1].str()));
                line = fmt::format("CREATE TABLESPACE {}{} LOCATION '';", found[1].str(), found[2].str());
            }
            text += line + '\n';
        }
        if (head.m_tablespaces.empty())
            return ScriptHead();
        head.m_text = std::move(text);
        return head;
    }
    const std::set<std::string>& tablespaces() const { return m_tablespaces; }
    std::uint64_t sourceBytes() const { return m_sourceBytes; } // that text() stands for
    const std::string& text() const { return m_text; }

  private:
    std::set<std::string> m_tablespaces;
    std::string m_text;
    std::uint64_t m_sourceBytes = 0;
};

class Restore {
  public:
    Restore(const Installation& installation, const NewRoot& root, const ImportRequest& request, Job& job,
            ImportOutcome& outcome)
        : m_installation(installation), m_root(root), m_request(request), m_job(job), m_outcome(outcome) {}

    Status archive(const Dump& dump) {
        ARBOR_ASSIGN(const Contents contents, contentsOf(m_installation, dump));
        ARBOR_TRY(addRoles(contents.owners));
        ARBOR_ASSIGN(const auto tablespaces, tablespacesOfArchive(m_installation, dump));
        ARBOR_TRY(placeInside(tablespaces, true));
        const bool isFirst = contents.database.empty() || contents.database == "postgres" ||
                             contents.database == "template1" || !m_request.database.empty();
        if (!m_request.database.empty() && m_request.database != "postgres")
            ARBOR_TRY(createDatabase(m_request.database));
        ProgramRun run = program("pg_restore");
        run.arguments = {"-w", "-v", "-d",
                         isFirst && !m_request.database.empty() ? m_request.database : "postgres"};
        if (!isFirst)
            run.arguments.emplace_back("-C");
        if (dump.kind != DumpKind::Tar) {
            const int jobs = m_request.jobs > 0
                                 ? m_request.jobs
                                 : static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
            run.arguments.insert(run.arguments.end(), {"-j", std::to_string(jobs)});
        }
        run.arguments.push_back(dump.path);
        std::size_t done = 0;
        run.onLine = [&](std::string_view line) {
            if (line.find(" creating ") != std::string_view::npos ||
                line.find(" finished item ") != std::string_view::npos)
                showProgress(++done, contents.entries, std::string(line.substr(line.find(": ") + 2)));
            takeError(line, "error: ");
        };
        ARBOR_ASSIGN(const int code, runProgram(run));
        if (code != 0 && m_outcome.errorCount == 0)
            return makeError(ErrorKind::Io, "pg_restore ended with code {}", code);
        return {};
    }

    // In order, by one session: a script says what it wants in its own words.
    Status script(const Dump& dump) {
        std::string database = m_request.database.empty() ? "postgres" : m_request.database;
        if (database != "postgres")
            ARBOR_TRY(createDatabase(database));
        ARBOR_ASSIGN(const ScriptHead head, ScriptHead::of(dump));
        ARBOR_TRY(placeInside(head.tablespaces(), false));
        if (dump.kind == DumpKind::Script) {
            ARBOR_ASSIGN(const auto named, tablespacesOfScript(dump, m_job));
            ARBOR_TRY(placeInside(named, true));
        }
        ProgramRun run = program("psql");
        if (!head.tablespaces().empty())
            run.environment.emplace_back("PGOPTIONS", "-c allow_in_place_tablespaces=on");
        run.arguments = {"-X", "-w", "-q", "-o", "/dev/null", "-d", database, "-f", "-"};
        std::ifstream file(dump.path, std::ios::binary);
        std::uint64_t done = head.sourceBytes();
        file.seekg(static_cast<std::streamoff>(done));
        bool headIsPassed = head.text().empty();
        run.input = [&]() -> Result<std::string> {
            if (!std::exchange(headIsPassed, true))
                return head.text();
            std::string piece(256u << 10, '\0');
            file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
            if (file.bad())
                return errnoError(errno, "reading " + dump.path);
            piece.resize(static_cast<std::size_t>(file.gcount()));
            done += piece.size();
            showProgress(done, dump.bytes, roundedSize(done) + " of the script");
            return piece;
        };
        run.onLine = [&](std::string_view line) {
            // the superuser is there already
            if (line.find("role \"postgres\" already exists") == std::string_view::npos)
                takeError(line, "ERROR: ");
            if (line.find("FATAL: ") != std::string_view::npos)
                takeError(line, "FATAL: ");
        };
        ARBOR_ASSIGN(const int code, runProgram(run));
        if (code != 0 && m_outcome.errorCount == 0)
            return makeError(ErrorKind::Io, "psql ended with code {}", code);
        return {};
    }

  private:
    ProgramRun program(const char* name) const {
        return {.program = m_installation.program(name),
                .arguments = {},
                .environment = {{"PGHOST", m_root.server().connection.socketDirectory},
                                {"PGPORT", std::to_string(m_root.server().connection.port)},
                                {"PGUSER", "postgres"}},
                .cancelled = [this] { return m_job.cancelRequested(); }};
    }
    void showProgress(std::uint64_t done, std::uint64_t total, const std::string& text) {
        const double fraction =
            std::min(1.0, static_cast<double>(done) / static_cast<double>(std::max<std::uint64_t>(total, 1)));
        m_job.progress(begun + (restored - begun) * fraction, QString::fromStdString("restoring: " + text),
                       static_cast<qint64>(done));
    }
    void takeError(std::string_view line, std::string_view key) {
        if (line.find(key) == std::string_view::npos)
            return;
        ++m_outcome.errorCount;
        if (m_outcome.errors.size() < mostErrors)
            m_outcome.errors.emplace_back(line);
    }
    Status createDatabase(const std::string& name) {
        ARBOR_ASSIGN(SqlSession session, m_root.session("postgres"));
        ARBOR_TRY(session.query("CREATE DATABASE " + SqlSession::identifier(name) + " TEMPLATE template0"));
        return {};
    }
    // Those of a script are made by itself.
    Status placeInside(const std::set<std::string>& tablespaces, bool make) {
        if (tablespaces.empty())
            return {};
        ARBOR_ASSIGN(SqlSession session, m_root.session("postgres"));
        // a server that recovers a backup of the branch refuses such directories without
        ARBOR_TRY(session.query("ALTER SYSTEM SET allow_in_place_tablespaces = on"));
        ARBOR_TRY(session.query("SET allow_in_place_tablespaces = on"));
        for (const std::string& name : tablespaces) {
            if (make)
                ARBOR_TRY(session.query(
                    fmt::format("CREATE TABLESPACE {} LOCATION ''", SqlSession::identifier(name))));
            m_outcome.report.push_back(fmt::format("the tablespace {} lies inside of the branch", name));
        }
        return {};
    }
    // A dump of one database does not hold the roles of its cluster.
    Status addRoles(const std::set<std::string>& owners) {
        ARBOR_ASSIGN(SqlSession session, m_root.session("postgres"));
        for (const std::string& owner : owners) {
            ARBOR_ASSIGN(const std::string there, session.value("SELECT 1 FROM pg_roles WHERE rolname = " +
                                                                SqlSession::literal(owner)));
            if (!there.empty() || owner.starts_with("pg_"))
                continue;
            ARBOR_TRY(session.query("CREATE ROLE " + SqlSession::identifier(owner)));
            m_outcome.report.push_back(
                fmt::format("the role {} was added, without login: the dump does not hold roles", owner));
        }
        return {};
    }

    const Installation& m_installation;
    const NewRoot& m_root;
    const ImportRequest& m_request;
    Job& m_job;
    ImportOutcome& m_outcome;
};

} // namespace

Result<ImportPreview> previewDump(Service& service, const ImportRequest& request) {
    ARBOR_ASSIGN(const Dump dump, lookAtDump(request.dump));
    ARBOR_ASSIGN(const Installation installation, pickInstallation(service.installations(), 0));
    ImportPreview preview{installation.major, dump.bytes, dump.bytes, {}};
    if (!dump.isScript()) {
        ARBOR_ASSIGN(const Contents contents, contentsOf(installation, dump));
        preview.report.push_back(
            fmt::format("it holds {} objects of the database {}", contents.entries, contents.database));
    }
    return preview;
}

Result<ImportOutcome> importDump(Service& service, const ImportRequest& request, const Caller& caller,
                                 const std::string& name, Job& job) {
    ARBOR_ASSIGN(const Dump dump, lookAtDump(request.dump));
    ARBOR_TRY(checkSpace(service, service.options().store, dump.bytes, "the import"));
    ARBOR_ASSIGN(const Installation installation, pickInstallation(service.installations(), 0));
    if (!dump.isScript())
        ARBOR_TRY(contentsOf(installation, dump)); // before a cluster is made for it
    ARBOR_ASSIGN(const ScratchPlace place, ScratchPlace::make(service, "import"));
    ARBOR_TRY(service.runInitdb(installation, place.path(), {}, job));
    ImportOutcome outcome;
    NewRoot root(service, job, installation);
    ARBOR_TRY(root.fillFromInitdb(place.path()));
    ARBOR_TRY(root.start({"postgres"}, false));
    Restore restore(installation, root, request, job, outcome);
    ARBOR_TRY(dump.isScript() ? restore.script(dump) : restore.archive(dump));
    ARBOR_TRY(root.settle(outcome.report)); // a script may have changed the superuser's password
    ARBOR_TRY(root.stop());
    ARBOR_ASSIGN(outcome.branch, root.name(caller, name));
    outcome.bytes = dump.bytes;
    return outcome;
}

} // namespace arbor
