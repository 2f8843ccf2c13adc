// Servers that hang, die, cannot start, or outlive their engine.
#include "app/postgres/shared_memory.h"

#include "launcher_support.h"

#include <QProcess>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <sstream>

using namespace arbor;
using namespace arbor::launcher_test;
using State = Endpoint::State;
using StopMode = Endpoint::StopMode;

namespace {

constexpr const char* smallDisk = "/mnt"; // a tmpfs that only this program sees; see main()
bool haveSmallDisk = false;

// A session that is in the middle of a statement until it is destroyed.
class BusySession {
  public:
    BusySession(const Endpoint& endpoint, std::string statement)
        : m_queries(endpoint.target(), {std::move(statement)}) {
        m_queries.start(120'000);
    }

  private:
    Queries m_queries;
};

std::string reasonOf(Endpoint& endpoint) {
    const Status started = endpoint.start();
    if (!started)
        return started.error().message();
    reach(endpoint, State::Running);
    return endpoint.state() == State::Failed ? endpoint.failure().sentence : "it runs";
}

bool mentions(const std::string& text, std::string_view part) {
    if (text.find(part) == std::string::npos)
        qWarning("\"%s\" lacks \"%s\"", text.c_str(), std::string(part).c_str());
    return text.find(part) != std::string::npos;
}

// The ids of System V segments that this process created.
std::vector<int> segmentsOf(pid_t creator) {
    std::vector<int> ids;
    std::istringstream table(readSmallFile("/proc/sysvipc/shm").value_or(""));
    std::string line;
    std::getline(table, line);
    while (std::getline(table, line)) {
        long long key = 0, size = 0;
        int id = 0, mode = 0;
        pid_t cpid = 0;
        std::istringstream(line) >> key >> id >> mode >> size >> cpid;
        if (cpid == creator)
            ids.push_back(id);
    }
    return ids;
}

std::size_t dynamicSegments() {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator("/dev/shm"))
        count += entry.path().filename().string().starts_with("PostgreSQL.") ? 1 : 0;
    return count;
}

} // namespace

class LauncherFaultsTest : public QObject {
    Q_OBJECT
  private:
    std::unique_ptr<Fixture> m_fixture;
    const Installation& installation() const { return *m_fixture->installation; }

  private slots:
    void initTestCase() {
        m_fixture = std::make_unique<Fixture>();
        if (!m_fixture->installation)
            QSKIP("no PostgreSQL server is installed");
        QVERIFY2(m_fixture->made, m_fixture->made.error().message().c_str());
    }

    void aStoppedServerCanBeStopped_data() {
        QTest::addColumn<bool>("backend");
        QTest::newRow("postmaster") << false;
        QTest::newRow("backend") << true;
    }
    void aStoppedServerCanBeStopped() {
        QFETCH(bool, backend);
        const Cluster cluster(m_fixture->path());
        Endpoint endpoint(cluster.spec(installation()));
        QVERIFY(endpoint.start());
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        const BusySession session(endpoint, "SELECT pg_sleep(600)");
        const std::string find =
            "SELECT pid FROM pg_stat_activity WHERE query LIKE '%sleep(600)' AND state = 'active' "
            "AND pid <> pg_backend_pid()";
        QVERIFY(waitUntil([&] { return !value(endpoint, find).empty(); }));
        ::kill(backend ? std::stoi(value(endpoint, find)) : endpoint.postmaster(), SIGSTOP);
        endpoint.stop(StopMode::Fast);
        QVERIFY2(reach(endpoint, State::Stopped), endpoint.failure().sentence.c_str());
        QVERIFY(findHolders(cluster.paths()).empty());
    }

    void aServerThatDoesNotListenIsKilled() {
        const Cluster cluster(m_fixture->path());
        EndpointSpec spec = cluster.spec(installation());
        spec.limits = {.smartMs = 100, .fastMs = 100, .immediateMs = 100, .killMs = 10'000};
        Endpoint endpoint(spec);
        QVERIFY(endpoint.start());
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        QCOMPARE(value(endpoint, "CREATE TABLE t AS SELECT 5 AS a; SELECT a FROM t"), std::string("5"));
        const pid_t postmaster = endpoint.postmaster();
        QTimer again; // as if it hung: whatever wakes it, it stops again
        QObject::connect(&again, &QTimer::timeout, [&] {
            if (endpoint.postmaster() == postmaster)
                ::kill(postmaster, SIGSTOP);
        });
        again.start(0);
        endpoint.stop(StopMode::Smart);
        QVERIFY2(reach(endpoint, State::Stopped), endpoint.failure().sentence.c_str());
        again.stop();
        QVERIFY(findHolders(cluster.paths()).empty());
        QVERIFY(endpoint.start());
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        QCOMPARE(value(endpoint, "SELECT a FROM t"), std::string("5"));
    }

    void aKilledPostmasterIsAFailureAndLosesNothing() {
        const Cluster cluster(m_fixture->path());
        Endpoint endpoint(cluster.spec(installation()));
        QVERIFY(endpoint.start());
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        QCOMPARE(value(endpoint, "CREATE TABLE t(a int)"), std::string(""));
        const BusySession busy(endpoint,
                               "DO $$ BEGIN FOR i IN 1..100000000 LOOP INSERT INTO t VALUES (i); COMMIT; "
                               "END LOOP; END $$");
        QVERIFY(waitUntil([&] { return std::atoi(value(endpoint, "SELECT count(*) FROM t").c_str()) > 20; }));
        const int seen = std::atoi(value(endpoint, "SELECT max(a) FROM t").c_str());
        ::kill(endpoint.postmaster(), SIGKILL);
        QVERIFY(reach(endpoint, State::Failed));
        QVERIFY(mentions(endpoint.failure().sentence, "killed"));
        QVERIFY(findHolders(cluster.paths()).empty()); // the busy backend too
        QVERIFY(endpoint.start());
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        QVERIFY(std::atoi(value(endpoint, "SELECT max(a) FROM t").c_str()) >= seen);
        QCOMPARE(value(endpoint, "SELECT count(*) = max(a) FROM t"), std::string("t"));
    }

    void aBackendThatCrashesLeavesTheEndpointRunning() {
        const Cluster cluster(m_fixture->path());
        Endpoint endpoint(cluster.spec(installation()));
        QVERIFY(endpoint.start());
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        const pid_t postmaster = endpoint.postmaster();
        const BusySession session(endpoint, "SELECT pg_sleep(600)");
        std::string pid;
        QVERIFY(waitUntil([&] {
            pid = value(endpoint, "SELECT pid FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(600)'");
            return !pid.empty();
        }));
        QVERIFY(endpoint.startedByUs(std::stoi(pid)));
        ::kill(std::stoi(pid), SIGKILL);
        QVERIFY(waitUntil([&] { return value(endpoint, "SELECT 1") == "1"; }));
        QCOMPARE(endpoint.state(), State::Running);
        QCOMPARE(endpoint.postmaster(), postmaster);
    }

    void aStopFromOutsideIsAStop() {
        const Cluster cluster(m_fixture->path());
        Endpoint endpoint(cluster.spec(installation()));
        QVERIFY(endpoint.start());
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        ::kill(endpoint.postmaster(), SIGINT);
        QVERIFY(waitUntil([&] { return endpoint.state() != State::Running; }));
        QCOMPARE(endpoint.state(), State::Stopped);
    }

    void everyCauseHasItsSentence() {
        const Cluster cluster(m_fixture->path());
        EndpointSpec spec = cluster.spec(installation());
        const fs::path conf = cluster.data() / "postgresql.conf";
        const std::string good = readText(conf);

        const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(spec.config.port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        QCOMPARE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        QCOMPARE(::listen(listener.get(), 1), 0);
        Endpoint endpoint(spec);
        QVERIFY(mentions(reasonOf(endpoint), fmt::format("listens on port {}", spec.config.port)));
        QVERIFY(mentions(endpoint.failure().lastWords, "FATAL"));

        spec.config.tcp = false; // the port is still taken; the socket is free
        QVERIFY(endpoint.setSpec(spec));
        const auto withLine = [&](const std::string& line) {
            writeFile(conf, good + line + "\n");
            return reasonOf(endpoint);
        };
        QVERIFY(
            mentions(withLine("shared_preload_libraries = 'no_such_library'"), "shared_preload_libraries"));
        QVERIFY(mentions(withLine("no_such_setting = 1"), "setting that PostgreSQL"));
        QVERIFY(mentions(withLine("max_connections = 'many'"), "value"));
        QVERIFY(mentions(withLine("wal_level = minimal"), "wal_level")); // with max_wal_senders > 0
        QVERIFY(mentions(withLine("shared_buffers = '100TB'"), "value"));
        writeFile(conf, good);

        const fs::path version = cluster.data() / "PG_VERSION";
        writeFile(version, "9.6\n");
        QVERIFY(mentions(reasonOf(endpoint), "another major version"));
        writeFile(version, fmt::format("{}\n", installation().major));

        fs::permissions(cluster.data(), fs::perms::all);
        QVERIFY(mentions(reasonOf(endpoint), "permissions"));
        fs::permissions(cluster.data(), fs::perms::owner_all);

        const fs::path control = cluster.data() / "global/pg_control";
        const std::string bytes = readText(control);
        std::string damaged = bytes;
        damaged[20] ^= 1;
        writeFile(control, damaged);
        QVERIFY(mentions(reasonOf(endpoint), "control file is damaged"));
        fs::permissions(control, fs::perms::none);
        QVERIFY(mentions(reasonOf(endpoint), "owner and mode"));
        fs::permissions(control, fs::perms::owner_read | fs::perms::owner_write);
        writeFile(control, bytes);

        spec.installation.binDirectory = "/nonexistent";
        QVERIFY(endpoint.setSpec(spec));
        QVERIFY(mentions(reasonOf(endpoint), "No such file"));
        spec.installation = installation();
        QVERIFY(endpoint.setSpec(spec));
        QCOMPARE(reasonOf(endpoint), std::string("it runs")); // nothing of all that left a trace
        endpoint.stop(StopMode::Fast);
        QVERIFY(reach(endpoint, State::Stopped));

        for (const auto& entry : fs::directory_iterator(cluster.wal()))
            if (entry.is_regular_file() && entry.path().filename().string().size() == 24)
                fs::remove(entry);
        QVERIFY(mentions(reasonOf(endpoint), "checkpoint to recover from"));
    }

    void aFullDiskIsSaidSo() {
        if (!haveSmallDisk)
            QSKIP("needs root, to mount a small disk");
        const Cluster cluster(m_fixture->path());
        fs::copy(cluster.data(), fs::path(smallDisk) / "data",
                 fs::copy_options::recursive | fs::copy_options::copy_symlinks);
        fs::permissions(fs::path(smallDisk) / "data", fs::perms::owner_all);
        const std::string filler = fs::path(smallDisk) / "filler";
        const UniqueFd file(::open(filler.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
        const std::string block(4096, 'x');
        while (::write(file.get(), block.data(), block.size()) > 0) {
        }
        EndpointSpec spec = cluster.spec(installation());
        spec.config.dataDirectory = std::string(smallDisk) + "/data";
        Endpoint endpoint(spec);
        QVERIFY(mentions(reasonOf(endpoint), "disk is full"));
        fs::remove(filler);
        QVERIFY(::ftruncate(file.get(), 0) == 0);
        QCOMPARE(reasonOf(endpoint), std::string("it runs"));
    }

    void aSocketThatAnotherServerUsesIsNotTaken() {
        const Cluster first(m_fixture->path());
        const Cluster second(m_fixture->path());
        Endpoint running(first.spec(installation()));
        QVERIFY(running.start());
        QVERIFY2(reach(running, State::Running), running.failure().sentence.c_str());
        EndpointSpec spec = second.spec(installation());
        spec.config.socketDirectory = running.spec().config.socketDirectory;
        spec.config.port = running.spec().config.port;
        Endpoint endpoint(spec);
        QVERIFY(mentions(reasonOf(endpoint), "which PgArbor did not start"));
        QCOMPARE(value(running, "SELECT 1"), std::string("1"));
    }

    void staleLockFilesDoNotBlock() {
        const Cluster cluster(m_fixture->path());
        const EndpointSpec spec = cluster.spec(installation());
        QProcess stranger; // a live process of this user: kill(pid, 0) succeeds
        stranger.start("sleep", {"600"});
        QVERIFY(stranger.waitForStarted());
        const pid_t zombie = ::fork();
        if (zombie == 0)
            ::_exit(0);
        QVERIFY(waitUntil([&] { return processInfo(zombie)->state == 'Z'; }));
        const auto lockFile = [&](pid_t pid, std::int64_t started) {
            return fmt::format("{}\n{}\n{}\n{}\n{}\n", pid, cluster.data().string(), started,
                               spec.config.port, spec.config.socketDirectory);
        };
        const auto now = static_cast<std::int64_t>(::time(nullptr));
        const std::string socketLock =
            fmt::format("{}/.s.PGSQL.{}.lock", spec.config.socketDirectory, spec.config.port);
        for (const std::string& content :
             {lockFile(zombie, now), lockFile(static_cast<pid_t>(stranger.processId()), now - 1000),
              std::string(), lockFile(::getpid(), 1'000'000'000)}) {
            writeFile(cluster.data() / "postmaster.pid", content);
            writeFile(socketLock, content);
            Endpoint endpoint(spec);
            QCOMPARE(reasonOf(endpoint), std::string("it runs"));
            QVERIFY(endpoint.cleared().size() >= 2);
        }
        ::waitpid(zombie, nullptr, 0);
        stranger.kill();
        stranger.waitForFinished();
    }

    void longNamesAndADeepPathDoNotMatter() {
        const std::string name(63, 'n');
        const Cluster cluster(m_fixture->path(), fs::path(name) / name / name / name);
        Endpoint endpoint(cluster.spec(installation()));
        QCOMPARE(reasonOf(endpoint), std::string("it runs"));
        QCOMPARE(value(endpoint,
                       fmt::format("CREATE TABLE \"{0}\" AS SELECT 1 AS a; SELECT a FROM \"{0}\"", name)),
                 std::string("1"));
    }

    void anInitdbThatIsCancelledLeavesNoSharedMemory() {
        const TemporaryDirectory directory;
        const InitdbPlaces places = placesIn(directory.path());
        Initdb initdb;
        bool finished = false;
        QVERIFY(initdb.start(installation(), places, {}, [&](const Status&) { finished = true; }));
        pid_t server = 0; // one of those that initdb runs, one behind the other
        QVERIFY(waitUntil([&] {
            const auto lockFile =
                parseLockFile(readSmallFile(places.dataDirectory + "/postmaster.pid").value_or(""));
            server = lockFile ? lockFile->pid : 0;
            return finished || (server != 0 && !segmentsOf(server).empty());
        }));
        QVERIFY(!finished);
        initdb.cancel();
        QVERIFY(waitUntil([&] { return finished; }));
        QVERIFY(segmentsOf(server).empty());
        QVERIFY(!fs::exists(places.dataDirectory));
    }

    // Killed between shmget() and the first word in the segment. What another program left there stays.
    void sharedMemoryThatWasNeverDescribedIsClearedToo() {
        for (const bool isForeign : {false, true}) {
            const pid_t server = ::fork();
            if (server == 0) {
                const int id = ::shmget(IPC_PRIVATE, 56, IPC_CREAT | 0600);
                if (isForeign)
                    std::memcpy(::shmat(id, nullptr, 0), "somebody else's", 16);
                ::raise(SIGKILL);
            }
            ::waitpid(server, nullptr, 0);
            const std::vector<int> left = segmentsOf(server);
            QCOMPARE(left.size(), std::size_t(1));
            QCOMPARE(clearSharedMemory(std::vector{server}).size(), isForeign ? std::size_t(0) : 1);
            QCOMPARE(segmentsOf(server).empty(), !isForeign);
            if (isForeign)
                QVERIFY(::shmctl(left.front(), IPC_RMID, nullptr) == 0);
        }
    }

    void sharedMemoryOfDeadServersIsClearedAndOfOthersKept() {
        const Cluster other(m_fixture->path());
        Endpoint neighbour(other.spec(installation()));
        QCOMPARE(reasonOf(neighbour), std::string("it runs"));
        const Cluster cluster(m_fixture->path());
        pid_t dead = 0;
        {
            Endpoint endpoint(cluster.spec(installation()));
            QCOMPARE(reasonOf(endpoint), std::string("it runs"));
            dead = endpoint.postmaster();
            QCOMPARE(segmentsOf(dead).size(), std::size_t(1));
            QVERIFY(clearSharedMemory(std::vector{dead}).empty()); // it lives
        }                                                          // goes down as in a crash
        QCOMPARE(segmentsOf(dead).size(), std::size_t(1));
        const std::size_t before = dynamicSegments();
        fs::remove(cluster.data() / "postmaster.pid"); // as the engine's death loses it: the lock still knows
        const auto cleared = clearTimeline(cluster.paths(), plainDataFiles(cluster.data()), "/nonexistent");
        QVERIFY(cleared);
        QVERIFY(cleared->removed.size() >= 2);
        QVERIFY(segmentsOf(dead).empty());
        QVERIFY(dynamicSegments() < before);
        QCOMPARE(segmentsOf(neighbour.postmaster()).size(), std::size_t(1));
        QCOMPARE(value(neighbour, "SELECT 1"), std::string("1"));
    }

    void theServerEndsWithItsEngine_data() {
        QTest::addColumn<bool>("hangs");
        QTest::newRow("busy") << false;
        QTest::newRow("postmaster stopped") << true;
    }
    void theServerEndsWithItsEngine() {
        QFETCH(bool, hangs);
        const Cluster cluster(m_fixture->path());
        const EndpointSpec spec = cluster.spec(installation());
        QProcess engine;
        engine.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        engine.start(
            QStringLiteral("/proc/self/exe"), // also where only root may go
            {"--serve", QString::fromStdString(cluster.data()), QString::fromStdString(cluster.wal()),
             QString::fromStdString(spec.config.socketDirectory), QString::number(spec.config.port)});
        QVERIFY(waitUntil([&] { return engine.canReadLine(); }, 60'000));
        const pid_t postmaster = engine.readLine().trimmed().toInt();
        QVERIFY(postmaster > 0);
        Endpoint endpoint(spec);
        QCOMPARE(value(endpoint, "CREATE TABLE t(a int)"), std::string(""));
        const BusySession busy(endpoint,
                               "DO $$ BEGIN FOR i IN 1..100000000 LOOP INSERT INTO t VALUES (i); COMMIT; "
                               "END LOOP; END $$");
        QVERIFY(waitUntil([&] { return std::atoi(value(endpoint, "SELECT count(*) FROM t").c_str()) > 20; }));
        const int seen = std::atoi(value(endpoint, "SELECT max(a) FROM t").c_str());
        if (hangs)
            ::kill(postmaster, SIGSTOP);
        engine.kill(); // -9
        QVERIFY(engine.waitForFinished());
        if (!hangs) {
            QVERIFY(waitUntil([&] { return findHolders(cluster.paths()).empty(); }));
        } else {
            QVERIFY(!TimelineLock::tryAcquire(cluster.wal().string())); // it goes on committing
        }
        QCOMPARE(reasonOf(endpoint), std::string("it runs"));
        QVERIFY(std::atoi(value(endpoint, "SELECT max(a) FROM t").c_str()) >= seen);
        QCOMPARE(value(endpoint, "SELECT count(*) = max(a) FROM t"), std::string("t"));
    }
};

namespace {

// The engine of theServerEndsWithItsEngine: starts a server, says its pid, and waits to be killed.
int serve(const QStringList& arguments) {
    const auto installation = pickInstallation(findInstallations(), 0);
    EndpointSpec spec;
    spec.installation = *installation;
    spec.config.major = installation->major;
    spec.config.dataDirectory = arguments[2].toStdString();
    spec.walDirectory = arguments[3].toStdString();
    spec.config.socketDirectory = arguments[4].toStdString();
    spec.config.port = arguments[5].toUShort();
    spec.config.hbaFile = spec.config.dataDirectory + ".hba";
    spec.config.identFile = spec.config.dataDirectory + ".ident";
    spec.logFile = spec.config.dataDirectory + ".log";
    spec.osUsers = {*currentUserName()};
    Endpoint endpoint(spec);
    QObject::connect(&endpoint, &Endpoint::stateChanged, [&](State state) {
        if (state != State::Starting)
            fmt::print("{}\n", state == State::Running ? endpoint.postmaster() : 0);
        std::fflush(stdout);
    });
    if (!endpoint.start())
        return 1;
    return QCoreApplication::exec();
}

// A disk of a few megabytes, in a mount namespace of this program: gone with it, and nobody else sees it.
void mountSmallDisk() {
    haveSmallDisk = ::geteuid() == 0 && ::unshare(CLONE_NEWNS) == 0 &&
                    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                    ::mount("tmpfs", smallDisk, "tmpfs", 0, "size=64m,mode=0777") == 0;
}

} // namespace

int main(int argc, char** argv) {
    mountSmallDisk();
    if (!leaveRoot())
        qFatal("cannot become the user postgres");
    clearPostgresEnvironment();
    QCoreApplication app(argc, argv);
    if (QCoreApplication::arguments().value(1) == "--serve")
        return serve(QCoreApplication::arguments());
    LauncherFaultsTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "launcher_faults_test.moc"
