// A cluster made once per program and copied for each test; servers that end with the test.
#pragma once

#include "app/postgres/endpoint.h"
#include "app/postgres/environment.h"
#include "app/postgres/initdb.h"
#include "app/postgres/runtime_files.h"

#include <QEventLoop>
#include <QTest>

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>

#include <filesystem>
#include <fstream>

namespace arbor::launcher_test {

namespace fs = std::filesystem;

// Postgres refuses root: a program that root started becomes the user postgres for good. The kernel then
// hides its files, and those of children that it forks, from others of that user until they exec; the tests
// look at such ones.
inline bool leaveRoot() {
    if (::geteuid() != 0)
        return true;
    const passwd* user = ::getpwnam("postgres");
    return user != nullptr && ::initgroups("postgres", user->pw_gid) == 0 && ::setgid(user->pw_gid) == 0 &&
           ::setuid(user->pw_uid) == 0 && ::setenv("HOME", "/tmp", 1) == 0 &&
           ::prctl(PR_SET_DUMPABLE, 1) == 0;
}

class TemporaryDirectory {
  public:
    TemporaryDirectory() {
        std::string pattern = (fs::temp_directory_path() / "arbor-launcher-XXXXXX").string();
        m_path = ::mkdtemp(pattern.data());
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        fs::remove_all(m_path, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    const fs::path& path() const { return m_path; }

  private:
    fs::path m_path;
};

inline void writeFile(const fs::path& path, const std::string& text, bool append = false) {
    std::ofstream(path, append ? std::ios::app : std::ios::trunc) << text;
}

inline std::string readText(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

template <class Condition>
bool waitUntil(Condition condition, int timeoutMs = 30'000) {
    return QTest::qWaitFor(condition, timeoutMs);
}

inline bool reach(const Endpoint& endpoint, Endpoint::State state, int timeoutMs = 60'000) {
    using State = Endpoint::State;
    const auto settled = [&] {
        return endpoint.state() == state || endpoint.state() == State::Failed ||
               endpoint.state() == State::Stopped;
    };
    return waitUntil(settled, timeoutMs) && endpoint.state() == state;
}

inline QueryOutcome run(const ConnectionTarget& target, std::vector<std::string> statements) {
    Queries queries(target, std::move(statements));
    QueryOutcome outcome;
    QEventLoop loop;
    QObject::connect(&queries, &Queries::finished, &loop, [&](const QueryOutcome& result) {
        outcome = result;
        loop.quit();
    });
    queries.start(30'000);
    loop.exec();
    return outcome;
}

// The single value of a statement, or its error.
inline std::string value(const Endpoint& endpoint, const std::string& statement) {
    const QueryOutcome outcome = run(endpoint.target(), {statement});
    if (outcome.kind != QueryOutcome::Kind::Answered)
        return "error: " + outcome.message;
    const Rows& rows = outcome.results.front();
    return rows.empty() || rows.front().empty() ? "" : rows.front().front().value_or("NULL");
}

inline InitdbPlaces placesIn(const fs::path& directory) {
    return {.dataDirectory = directory / "data",
            .walDirectory = directory / "wal",
            .passwordFile = {},
            .sync = false};
}

inline bool initialize(const Installation& installation, const InitdbPlaces& places,
                       const std::vector<std::string>& options, Status& result) {
    Initdb initdb;
    bool finished = false;
    const Status started = initdb.start(installation, places, options, [&](const Status& status) {
        result = status;
        finished = true;
    });
    if (!started) {
        result = started;
        return false;
    }
    return waitUntil([&] { return finished; }, 60'000);
}

// A data directory with its log beside it, as a store has them.
class Cluster {
  public:
    // From a template that was made earlier; `below` names directories between the temporary one and the
    // cluster.
    Cluster(const fs::path& made, const fs::path& below = {}) : m_root(m_directory.path() / below) {
        fs::create_directories(m_root);
        fs::permissions(m_root, fs::perms::owner_all);
        fs::copy(made / "data", data(), fs::copy_options::recursive | fs::copy_options::copy_symlinks);
        fs::copy(made / "wal", wal(), fs::copy_options::recursive);
        fs::permissions(data(), fs::perms::owner_all);
        fs::remove(data() / "pg_wal");
        fs::create_symlink(wal(), data() / "pg_wal");
    }

    fs::path data() const { return m_root / "data"; }
    fs::path wal() const { return m_root / "wal"; }
    fs::path log() const { return m_root / "server.log"; }
    const fs::path& root() const { return m_root; }
    const fs::path& scratch() const { return m_directory.path(); }
    TimelinePaths paths() const { return {data().string(), wal().string()}; }

    EndpointSpec spec(const Installation& installation, bool isFork = false) const {
        EndpointSpec spec;
        spec.installation = installation;
        spec.config.major = installation.major;
        spec.config.isFork = isFork;
        spec.config.dataDirectory = data().string();
        spec.config.socketDirectory = *makeSocketDirectory(m_root.string(), "1", m_directory.path().string());
        spec.config.hbaFile = (m_root / "hba.conf").string();
        spec.config.identFile = (m_root / "ident.conf").string();
        spec.config.port = *pickPort({}, m_root.string());
        spec.walDirectory = wal().string();
        spec.logFile = log().string();
        spec.osUsers = {*currentUserName()};
        return spec;
    }

  private:
    TemporaryDirectory m_directory;
    fs::path m_root;
};

// The server to test with, and a cluster made with it. Tests skip, loudly, where there is none.
struct Fixture {
    std::optional<Installation> installation;
    TemporaryDirectory directory;
    std::string password = generatePassword();
    Status made;

    Fixture() {
        const auto picked = pickInstallation(findInstallations(), 0);
        if (!picked)
            return;
        installation = *picked;
        const fs::path passwordFile = directory.path() / "password";
        writeFile(passwordFile, password + "\n");
        InitdbPlaces places = placesIn(directory.path());
        places.passwordFile = passwordFile.string();
        if (!initialize(*installation, places, {}, made) && made)
            made = makeError(ErrorKind::Io, "initdb did not end");
        // These tests kill processes, not the machine: what was written is there.
        writeFile(directory.path() / "data/postgresql.conf", "fsync = off\n", true);
    }
    const fs::path& path() const { return directory.path(); }
};

} // namespace arbor::launcher_test
