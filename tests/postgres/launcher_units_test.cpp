// The parts of the launcher that need no running server.
#include "launcher_support.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

using namespace arbor;
using namespace arbor::launcher_test;

namespace {

bool contains(const std::vector<std::string>& words, const std::string& word) {
    return std::ranges::find(words, word) != words.end();
}

EndpointConfig someConfig(bool isFork, int major = 15) {
    EndpointConfig config;
    config.major = major;
    config.isFork = isFork;
    config.dataDirectory = "/store/mnt/7";
    config.socketDirectory = "/run/user/1000/a,\"b";
    config.hbaFile = "/store/hba";
    config.identFile = "/store/ident";
    config.port = 23'456;
    return config;
}

// A child of this process; ended and reaped with the test, whatever happens.
class Child {
  public:
    template <class Body>
    explicit Child(Body body) {
        m_pid = ::fork();
        if (m_pid == 0) {
            body();
            ::_exit(0);
        }
    }
    ~Child() {
        ::kill(m_pid, SIGKILL);
        ::waitpid(m_pid, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    pid_t pid() const { return m_pid; }
    bool becomesZombie() const {
        return waitUntil([this] { return processInfo(m_pid)->state == 'Z'; });
    }

  private:
    pid_t m_pid;
};

void pauseForever() {
    ::alarm(60); // should the test fail before it ends this process
    while (true)
        ::pause();
}

} // namespace

class LauncherUnitsTest : public QObject {
    Q_OBJECT
  private slots:
    void versionsAreRead() {
        const auto debian = parseVersion("postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)", "/bin");
        QVERIFY(debian);
        QCOMPARE(debian->major, 15);
        QCOMPARE(debian->version, std::string("15.20"));
        QCOMPARE(parseVersion("postgres (PostgreSQL) 18beta1", "/bin")->major, 18);
        QVERIFY(!parseVersion("postgres (PostgreSQL) 9.6.24", "/bin"));
        QVERIFY(!parseVersion("postgres (EnterpriseDB) 15", "/bin"));
        QVERIFY(!installationIn("/nonexistent"));
    }

    void aMissingServerIsNamedWithItsPackage() {
        const auto none = pickInstallation({}, 0);
        QCOMPARE(none.error().kind(), ErrorKind::NotFound);
        QVERIFY(none.error().message().find("postgresql-18") != std::string::npos);
        const std::vector<Installation> found{{"/usr/lib/postgresql/17/bin", "17.2", 17},
                                              {"/usr/lib/postgresql/15/bin", "15.20", 15}};
        QCOMPARE(pickInstallation(found, 0)->major, 17);
        QCOMPARE(pickInstallation(found, 15)->major, 15);
        const auto missing = pickInstallation(found, 16);
        QVERIFY(missing.error().message().find("postgresql-16") != std::string::npos);
        QVERIFY(missing.error().message().find("17.2 in /usr/lib/postgresql/17/bin") != std::string::npos);
        QCOMPARE(pickInstallation(found, 13).error().kind(), ErrorKind::Unsupported);
    }

    void initdbOptionsThatAreOursAreRefusedInAnySpelling() {
        const InitdbPlaces places{
            .dataDirectory = "/d", .walDirectory = "/w", .passwordFile = {}, .sync = true};
        const std::vector<std::vector<std::string>> refused{{"-D", "/x"},
                                                            {"-D/x"},
                                                            {"-kD/x"},
                                                            {"--pgdata=/x"},
                                                            {"--pgdata", "/x"},
                                                            {"--pgd=/x"},
                                                            {"-X/x"},
                                                            {"-kX", "/x"},
                                                            {"--waldir=/x"},
                                                            {"--wald", "/x"},
                                                            {"--wal-segsize=1"},
                                                            {"--wal-s=1"},
                                                            {"-U", "me"},
                                                            {"--username=me"},
                                                            {"--us=me"},
                                                            {"-W"},
                                                            {"--pwprompt"},
                                                            {"--pwp"},
                                                            {"-S"},
                                                            {"-s"},
                                                            {"--show"},
                                                            {"-V"},
                                                            {"--help"},
                                                            {"/x"},
                                                            {"-k", "/x"},
                                                            {"-E", "UTF8", "/x"},
                                                            {"--"},
                                                            {"-E"},
                                                            {"--locale"},
                                                            {"-kA", "trust", "x"}};
        for (const auto& options : refused) {
            const auto arguments = initdbArguments(places, options);
            QVERIFY2(!arguments, options.front().c_str());
            QCOMPARE(arguments.error().kind(), ErrorKind::InvalidArgument);
        }
        const std::vector<std::vector<std::string>> taken{{"-k"},
                                                          {"-A", "trust"},
                                                          {"-Atrust"},
                                                          {"-E", "LATIN1"},
                                                          {"--locale=C"},
                                                          {"--locale", "C"},
                                                          {"--no-locale"},
                                                          {"--auth-local", "peer"},
                                                          {"-T", "german"},
                                                          {"-g"},
                                                          {"--lc-collate=C"},
                                                          {"--no-sync"},
                                                          {"--pwfile", "/p"},
                                                          {"--icu-locale=de", "--locale-provider=icu"},
                                                          {"-c", "work_mem=8MB"}};
        for (const auto& options : taken) {
            const auto arguments = initdbArguments(places, options);
            QVERIFY2(arguments, options.front().c_str());
            QVERIFY(contains(*arguments, "--data-checksums"));
            QVERIFY(contains(*arguments, options.front()));
        }
        const auto plain = initdbArguments(places, {});
        QVERIFY(contains(*plain, "--encoding=UTF8"));
        QVERIFY(contains(*plain, "--username=postgres"));
        QVERIFY(
            !contains(*initdbArguments(places, std::vector<std::string>{"--no-locale"}), "--encoding=UTF8"));
    }

    void theCommandLineHoldsWhatTheDesignSays() {
        const auto root = postgresArguments(someConfig(false));
        for (const char* word :
             {"data_directory=/store/mnt/7", "port=23456", "listen_addresses=127.0.0.1",
              "hba_file=/store/hba", "ident_file=/store/ident",
              "external_pid_file=/run/user/1000/a,\"b/postmaster.pid", "logging_collector=off",
              "log_destination=stderr", "full_page_writes=off", "wal_recycle=off", "wal_init_zero=off",
              "recovery_init_sync_method=fsync", "allow_in_place_tablespaces=on",
              "unix_socket_directories=\"/run/user/1000/a,\"\"b\""})
            QVERIFY2(contains(*root, word), word);
        for (const char* word : {"archive_mode=off", "max_wal_senders=0", "synchronous_standby_names="})
            QVERIFY2(!contains(*root, word), word);
    }

    void aForkIsSilentUnlessARuleIsLifted() {
        EndpointConfig config = someConfig(true);
        const std::vector<std::string> silent{"archive_mode=off",
                                              "archive_command=",
                                              "archive_library=",
                                              "primary_conninfo=",
                                              "restore_command=",
                                              "synchronous_standby_names=",
                                              "max_logical_replication_workers=0",
                                              "max_wal_senders=0",
                                              "cron.launch_active_jobs=off",
                                              "full_page_writes=off"};
        for (const std::string& word : silent)
            QVERIFY2(contains(*postgresArguments(config), word), word.c_str());
        QVERIFY(!contains(*postgresArguments(someConfig(true, 14)), "archive_library="));
        QVERIFY(contains(*postgresArguments(someConfig(true, 14)), "stats_temp_directory=pg_stat_tmp"));
        QVERIFY(!contains(*postgresArguments(someConfig(true, 14)), "allow_in_place_tablespaces=on"));
        config.lifted = {OutsideRule::Archiving};
        const auto lifted = postgresArguments(config);
        QVERIFY(!contains(*lifted, "archive_mode=off"));
        QVERIFY(contains(*lifted, "full_page_writes=on"));
        QVERIFY(contains(*lifted, "max_wal_senders=0"));
        for (const OutsideRule rule : {OutsideRule::Archiving, OutsideRule::ScheduledJobs})
            QCOMPARE(*ruleFromName(ruleName(rule)), rule);
        QVERIFY(!ruleFromName("everything"));
    }

    void branchSettingsComeFirstAndCannotTouchOurs() {
        EndpointConfig config = someConfig(true);
        config.settings = {{"work_mem", "8MB"}};
        const auto words = postgresArguments(config);
        const auto ours = std::ranges::find(*words, "data_directory=/store/mnt/7");
        QVERIFY(std::find(words->begin(), ours, "work_mem=8MB") != ours);
        for (const char* name : {"port", "PORT", "full-page-writes", "full_page_writes", "hba_file", "",
                                 "a=b", "archive_command"}) {
            config.settings = {{name, "1"}};
            QVERIFY2(!postgresArguments(config), name);
        }
        config.isFork = false;
        config.settings = {{"archive_command", "true"}};
        QVERIFY(postgresArguments(config));
    }

    void librariesThatActOutsideAreFound() {
        const auto acting = outsideLibraries("pg_stat_statements, '$libdir/pg_cron' ,\"pg_net.so\",");
        QCOMPARE(acting.size(), std::size_t(2));
        QCOMPARE(acting[0].name, std::string_view("pg_cron"));
        QCOMPARE(acting[1].name, std::string_view("pg_net"));
        QVERIFY(outsideLibraries("").empty());
    }

    void accessFilesQuoteNames() {
        QVERIFY(identFileContent({"a b", "root"}).find("arbor \"a b\" \"postgres\"\narbor \"root\" ") !=
                std::string::npos);
        QVERIFY(hbaFileContent("o\"x").find("local all         \"o\"\"x\" peer map=arbor") !=
                std::string::npos);
        QVERIFY(asksForPeer("# local all all trust\nlocal\tall all   peer # as initdb leaves it\n"));
        for (const char* open : {"", "#local all all peer\n", "local all all peer map=own\n",
                                 "local all all md5\n", "host all all 127.0.0.1/32 ident\n"})
            QVERIFY2(!asksForPeer(open), open);
        QCOMPARE(passFileContent("a:b"),
                 std::string("127.0.0.1:*:*:postgres:a\\:b\nlocalhost:*:*:postgres:a\\:b\n"));
        QVERIFY(generatePassword() != generatePassword());
    }

    void socketDirectoriesAreShortPrivateAndOurs() {
        const TemporaryDirectory base;
        const std::string deep(4000, 'x');
        const auto one = makeSocketDirectory(deep, "1", base.path());
        const auto two = makeSocketDirectory(deep, "2", base.path());
        QVERIFY(one && two && *one != *two);
        QCOMPARE(*makeSocketDirectory(deep, "1", base.path()), *one);
        QVERIFY((*one + "/.s.PGSQL.65535.lock").size() < 108);
        struct stat info {};
        QCOMPARE(::stat(one->c_str(), &info), 0);
        QCOMPARE(info.st_mode & 0777, 0700u);
        ::chmod(one->c_str(), 0755); // as if somebody else had made it
        QCOMPARE(makeSocketDirectory(deep, "1", base.path()).error().kind(), ErrorKind::Permission);
        removeSocketDirectory(*two);
        fs::create_symlink("/", *two);
        QCOMPARE(makeSocketDirectory(deep, "2", base.path()).error().kind(), ErrorKind::Permission);
        QCOMPARE(makeSocketDirectory("s", "1", "/" + std::string(90, 'y')).error().kind(),
                 ErrorKind::NameTooLong);
    }

    void privateFilesFollowNoLink() {
        const TemporaryDirectory directory;
        const fs::path victim = directory.path() / "victim";
        const fs::path link = directory.path() / "pass";
        writeFile(victim, "untouched");
        fs::create_symlink(victim, link);
        fs::create_symlink(victim, link.string() + ".new");
        QVERIFY(writePrivateFile(link, "secret"));
        QCOMPARE(readText(victim), std::string("untouched"));
        QCOMPARE(readText(link), std::string("secret"));
        QCOMPARE(fs::status(link).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    }

    void aPortIsStableFreeAndNotTaken() {
        const auto first = pickPort({}, "store/main");
        QVERIFY(first);
        QCOMPARE(*pickPort({}, "store/main"), *first);
        QVERIFY(*pickPort({*first}, "store/main") != *first);
        const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(*first);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        QCOMPARE(::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        QCOMPARE(::listen(listener.get(), 1), 0);
        QVERIFY(!isPortFree(*first));
        QVERIFY(*pickPort({}, "store/main") != *first);
    }

    void theEnvironmentOfServersHasNoTraps() {
        ::setenv("PGDATA", "/elsewhere", 1);
        ::setenv("LC_ALL", "C.UTF-8", 1);
        const auto environment = serverEnvironment();
        ::unsetenv("LC_ALL");
        QVERIFY(!contains(environment, "PGDATA=/elsewhere"));
        QVERIFY(contains(environment, "LC_MESSAGES=C"));
        QVERIFY(contains(environment, "LC_CTYPE=C.UTF-8"));
        QVERIFY(!contains(environment, "LC_ALL=C.UTF-8"));
        clearPostgresEnvironment();
        QVERIFY(::getenv("PGDATA") == nullptr);
    }

    void lastWordsAreFatalWithDetailAndHint() {
        const std::string log = "2026-01-31 12:00:00 CET [12] app@db LOG:  starting\n"
                                "[1] FATAL:  database files are incompatible with server\n"
                                "[1] DETAIL:  The data directory was initialized by PostgreSQL version 14.\n"
                                "[1] LOG:  database system is shut down\n";
        QCOMPARE(lastWords(log),
                 std::string("FATAL:  database files are incompatible with server\nDETAIL:  The data "
                             "directory was initialized by PostgreSQL version 14."));
        const auto failure = explainExit(log, {.waitStatus = 1 << 8, .wasRunning = false, .major = 15});
        QVERIFY(failure.sentence.find("another major version") != std::string::npos);
        const auto memory =
            explainExit("FATAL:  could not map anonymous shared memory: Cannot allocate memory\n",
                        {.waitStatus = 1 << 8});
        QVERIFY(memory.sentence.find("enough memory") != std::string::npos);
        QCOMPARE(lastWords(""), std::string());
        // a session that came too early comes last, and is no cause
        QCOMPARE(
            lastWords(
                "PANIC:  could not write\nDETAIL:  why\nFATAL:  the database system is in recovery mode\n"),
            std::string("PANIC:  could not write\nDETAIL:  why"));
        QVERIFY(!explainExit("", {.waitStatus = 6, .wasRunning = true}).sentence.empty());
        // a client's trouble is no cause of the server's
        const auto other = explainExit("ERROR:  could not open file \"/x\": Permission denied\nPANIC:  oh\n",
                                       {.waitStatus = 6, .wasRunning = true});
        QVERIFY(other.sentence.find("owner and mode") == std::string::npos);
    }

    void aZombieAReusedPidAndARebootAreNoServer() {
        const Child zombie([] {});
        QVERIFY(zombie.becomesZombie());
        const Child stranger(pauseForever);
        const auto now = static_cast<std::int64_t>(::time(nullptr));
        QVERIFY(!isServerAlive({.pid = zombie.pid(), .dataDirectory = {}, .startTime = now}));
        QVERIFY(!isServerAlive({.pid = stranger.pid(), .dataDirectory = {}, .startTime = now}));
        QVERIFY(!isServerAlive({.pid = stranger.pid(), .dataDirectory = {}, .startTime = now - 3600}));
        QVERIFY(isAlive(processInfo(stranger.pid())->identity));
        QVERIFY(!isAlive(processInfo(zombie.pid())->identity));
        ProcessIdentity reused = processInfo(stranger.pid())->identity;
        reused.startTicks -= 1;
        QVERIFY(!isAlive(reused));
        QVERIFY(!signalProcess(reused, SIGKILL));
        QVERIFY(killAndWait(std::vector{reused}, std::chrono::seconds(0)).empty());
        QCOMPARE(processInfo(stranger.pid())->state == 'Z', false);
        QVERIFY(std::abs(startedAt(processInfo(stranger.pid())->identity) - now) <= 2);
    }

    void lockFilesAreReadOrTakenForTorn() {
        const auto lockFile =
            parseLockFile("123\n/data\n1700000000\n5432\n/tmp\n\n  5432001  98307\nready   \n");
        QVERIFY(lockFile);
        QCOMPARE(lockFile->pid, 123);
        QCOMPARE(lockFile->startTime, std::int64_t(1700000000));
        QCOMPARE(lockFile->status, std::string("ready"));
        QCOMPARE(parseLockFile("-123\n/data\n1700000000\n")->pid, 123); // postgres --single
        QCOMPARE(parseLockFile("123\n/data\n1700000000\n5432\n")->status, std::string());
        for (const char* torn :
             {"", "123", "123\n", "123\n/data\n", "x\n/data\n1\n", "0\n/data\n1\n", "123\n/data\n1x\n"})
            QVERIFY2(!parseLockFile(torn), torn);
    }

    void theLockOfATimelineFollowsNoLinkAndHoldsARecord() {
        const TemporaryDirectory directory;
        const std::string wal = directory.path();
        {
            auto lock = TimelineLock::tryAcquire(wal);
            QVERIFY(lock);
            QVERIFY(!lock->record());
            QVERIFY(lock->write({.postmaster = {1234567, 42}, .boot = bootId()}));
            QCOMPARE(TimelineLock::tryAcquire(wal).error().kind(), ErrorKind::Busy);
        }
        auto again = TimelineLock::tryAcquire(wal);
        QVERIFY(again);
        QCOMPARE(again->record()->postmaster.startTicks, std::uint64_t(42));
        const fs::path victim = directory.path() / "victim";
        writeFile(victim, "untouched");
        fs::remove(directory.path() / ".lock");
        fs::create_symlink(victim, directory.path() / ".lock");
        QVERIFY(!TimelineLock::tryAcquire(wal));
        QCOMPARE(readText(victim), std::string("untouched"));
    }

    void leftOverProcessesAreEndedAndBystandersAreNot() {
        const TemporaryDirectory directory;
        const fs::path data = directory.path() / "data";
        const fs::path wal = directory.path() / "wal";
        fs::create_directories(data);
        fs::create_directories(wal);
        const TimelinePaths paths{data, wal};
        const Child shell([&] {
            (void)::chdir(data.c_str());
            pauseForever();
        });
        // a server's child in a session of its own, whose parent has gone: it holds the inherited lock
        int ready[2];
        QCOMPARE(::pipe(ready), 0);
        const Child parent([&] {
            const auto lock = TimelineLock::tryAcquire(wal);
            if (::fork() == 0) {
                ::setsid();
                ::signal(SIGTERM, SIG_IGN);
                const pid_t self = ::getpid();
                (void)::write(ready[1], &self, sizeof self);
                pauseForever();
            }
        });
        pid_t orphan = 0;
        QCOMPARE(::read(ready[0], &orphan, sizeof orphan), static_cast<ssize_t>(sizeof orphan));
        ::close(ready[0]);
        ::close(ready[1]);
        QVERIFY(parent.becomesZombie());
        QCOMPARE(TimelineLock::tryAcquire(wal).error().kind(), ErrorKind::Busy);
        const auto holders = findHolders(paths);
        QCOMPARE(holders.size(), std::size_t(1));
        QCOMPARE(holders[0].process.pid, orphan);
        const auto cleared = clearTimeline(paths, plainDataFiles(data), "/nonexistent");
        QVERIFY2(cleared, cleared ? "" : cleared.error().message().c_str());
        QVERIFY(!isAlive(holders[0].process));
        QVERIFY(isAlive(processInfo(shell.pid())->identity));
    }

    void aProgramThatWritesOnTheTimelineIsNamedAndLeftAlone() {
        const TemporaryDirectory directory;
        const fs::path data = directory.path() / "data";
        const fs::path wal = directory.path() / "wal";
        fs::create_directories(data);
        fs::create_directories(wal);
        const fs::path file = wal / "000000010000000000000001";
        writeFile(file, "x");
        int ready[2];
        QCOMPARE(::pipe(ready), 0);
        const Child writer([&] {
            const UniqueFd open(::open(file.c_str(), O_RDWR));
            (void)::write(ready[1], "x", 1);
            pauseForever();
        });
        char byte;
        QCOMPARE(::read(ready[0], &byte, 1), ssize_t(1));
        ::close(ready[0]);
        ::close(ready[1]);
        const auto refused = endServers({data, wal}, std::chrono::seconds(5));
        QCOMPARE(refused.error().kind(), ErrorKind::Busy);
        QVERIFY(refused.error().message().find(std::to_string(writer.pid())) != std::string::npos);
        QVERIFY(isAlive(processInfo(writer.pid())->identity));
    }

    void aLogThatGrewBecomesTheOldOne() {
        const TemporaryDirectory directory;
        const std::string path = directory.path() / "log";
        {
            const auto log = ServerLog::open(path, 10);
            QCOMPARE(::write(log->descriptor(), "0123456789abcdef", 16), ssize_t(16));
            QCOMPARE(log->tail(), std::string("0123456789abcdef"));
        }
        const auto next = ServerLog::open(path, 10);
        QCOMPARE(next->tail(), std::string());
        QCOMPARE(readText(path + ".1"), std::string("0123456789abcdef"));
        fs::create_symlink("/tmp/elsewhere", path + "2");
        QVERIFY(!ServerLog::open(path + "2"));
    }

    void initdbFailuresAndCancellationLeaveNothing() {
        const auto installation = pickInstallation(findInstallations(), 0);
        if (!installation)
            QSKIP("no PostgreSQL server is installed");
        const TemporaryDirectory directory;
        const InitdbPlaces places = placesIn(directory.path());
        Status result;
        QVERIFY(initialize(*installation, places, {"--locale=xx_YY"}, result));
        QVERIFY(!result);
        QVERIFY2(result.error().message().find("xx_YY") != std::string::npos,
                 result.error().message().c_str());
        QVERIFY(!fs::exists(places.dataDirectory));

        Initdb initdb;
        std::optional<Status> cancelled;
        QVERIFY(initdb.start(*installation, places, {}, [&](const Status& status) { cancelled = status; }));
        QVERIFY(waitUntil([&] { return fs::exists(fs::path(places.dataDirectory) / "PG_VERSION"); }));
        initdb.cancel();
        QVERIFY(waitUntil([&] { return cancelled.has_value(); }));
        QCOMPARE(cancelled->error().kind(), ErrorKind::Cancelled);
        QVERIFY(!fs::exists(places.dataDirectory));
        QVERIFY(!fs::exists(places.walDirectory) || fs::is_empty(places.walDirectory));

        fs::create_directories(places.dataDirectory);
        writeFile(fs::path(places.dataDirectory) / "mine", "x");
        QVERIFY(!initialize(*installation, places, {}, result));
        QCOMPARE(result.error().kind(), ErrorKind::AlreadyExists);
        QVERIFY(fs::exists(fs::path(places.dataDirectory) / "mine"));
    }
};

int main(int argc, char** argv) {
    if (!leaveRoot())
        qFatal("cannot become the user postgres");
    clearPostgresEnvironment();
    QCoreApplication app(argc, argv);
    LauncherUnitsTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "launcher_units_test.moc"
