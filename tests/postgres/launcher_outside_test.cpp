// What the files of a data directory ask for, and what an endpoint does: a fork's files are its parent's.
#include "launcher_support.h"

#include <signal.h>

using namespace arbor;
using namespace arbor::launcher_test;
using State = Endpoint::State;
using StopMode = Endpoint::StopMode;

class LauncherOutsideTest : public QObject {
    Q_OBJECT
  private:
    std::unique_ptr<Fixture> m_fixture;
    const Installation& installation() const { return *m_fixture->installation; }

    static bool stopped(Endpoint& endpoint) {
        endpoint.stop(StopMode::Fast);
        return reach(endpoint, State::Stopped);
    }
    static bool runs(Endpoint& endpoint) {
        const Status started = endpoint.start();
        if (!started)
            qWarning("%s", started.error().message().c_str());
        const bool running = started && reach(endpoint, State::Running);
        if (!running)
            qWarning("%s\n%s", endpoint.failure().sentence.c_str(), endpoint.failure().lastWords.c_str());
        return running;
    }

  private slots:
    void initTestCase() {
        m_fixture = std::make_unique<Fixture>();
        if (!m_fixture->installation)
            QSKIP("no PostgreSQL server is installed");
        QVERIFY2(m_fixture->made, m_fixture->made.error().message().c_str());
    }

    void aConfigurationThatNamesTheParentIsOverridden() {
        const Cluster parent(m_fixture->path());
        const Cluster fork(m_fixture->path());
        const fs::path elsewhere = parent.root() / "elsewhere";
        fs::create_directories(elsewhere);
        const std::string lines = fmt::format("data_directory = '{0}'\n"
                                              "hba_file = '{1}/pg_hba.conf'\n"
                                              "ident_file = '{1}/pg_ident.conf'\n"
                                              "external_pid_file = '{1}/pid'\n"
                                              "log_directory = '{1}'\n"
                                              "logging_collector = on\n"
                                              "log_destination = 'csvlog'\n"
                                              "unix_socket_directories = '{1}'\n"
                                              "unix_socket_permissions = 0000\n"
                                              "listen_addresses = '*'\n"
                                              "port = 1\n"
                                              "full_page_writes = on\n"
                                              "wal_recycle = on\n",
                                              parent.data().string(), elsewhere.string());
        writeFile(fork.data() / "included.conf", lines);
        writeFile(fork.data() / "postgresql.conf", "include 'included.conf'\n" + lines, true);
        writeFile(fork.data() / "postgresql.auto.conf", lines, true);
        Endpoint endpoint(fork.spec(installation(), true));
        QVERIFY(runs(endpoint));
        QCOMPARE(value(endpoint, "SHOW data_directory"), fork.data().string());
        QCOMPARE(value(endpoint, "SHOW hba_file"), endpoint.spec().config.hbaFile);
        QCOMPARE(value(endpoint, "SHOW listen_addresses"), std::string("127.0.0.1"));
        QCOMPARE(value(endpoint, "SHOW full_page_writes"), std::string("off"));
        QCOMPARE(value(endpoint, "SHOW wal_recycle"), std::string("off"));
        QVERIFY(fs::exists(fork.data() / "postmaster.pid"));
        QVERIFY(!fs::exists(parent.data() / "postmaster.pid"));
        QVERIFY(fs::is_empty(elsewhere));
        QCOMPARE(
            value(endpoint, "ALTER SYSTEM SET archive_command = 'touch " + (elsewhere / "a").string() + "'"),
            std::string(""));
        QCOMPARE(value(endpoint, "SELECT pg_reload_conf()"), std::string("t"));
        QCOMPARE(value(endpoint, "SHOW archive_command"), std::string("(disabled)"));
        QVERIFY(stopped(endpoint));
        QVERIFY(fs::is_empty(elsewhere));
    }

    void aForkNeitherWaitsForNorActsOnTheOutside() {
        const Cluster cluster(m_fixture->path());
        const fs::path archive = cluster.root() / "archive";
        fs::create_directories(archive);
        writeFile(cluster.data() / "postgresql.conf",
                  fmt::format("wal_level = logical\nmax_prepared_transactions = 5\narchive_mode = on\n"
                              "archive_command = 'cp %p {}/%f'\n",
                              archive.string()),
                  true);
        {
            Endpoint root(cluster.spec(installation()));
            QVERIFY(runs(root));
            QCOMPARE(value(root, "SELECT pg_create_physical_replication_slot('standby', true) IS NOT NULL"),
                     std::string("t"));
            QCOMPARE(value(root, "SELECT pg_create_logical_replication_slot('feed', 'pgoutput') IS NOT NULL"),
                     std::string("t"));
            QCOMPARE(value(root, "CREATE SUBSCRIPTION news CONNECTION 'host=/nowhere dbname=x' PUBLICATION p "
                                 "WITH (connect = false)"),
                     std::string(""));
            QCOMPARE(value(root, "CREATE TABLE t(a int)"), std::string(""));
            QCOMPARE(value(root, "BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'pending'"),
                     std::string(""));
            QCOMPARE(value(root, "ALTER SYSTEM SET synchronous_standby_names = '*'"), std::string(""));
            QVERIFY(stopped(root));
        }
        fs::remove_all(archive);
        fs::create_directories(archive);

        EndpointSpec spec = cluster.spec(installation(), true);
        spec.reportOutside = true;
        Endpoint fork(spec);
        OutsideReport report;
        bool beforeRunning = false;
        connect(&fork, &Endpoint::outsideReported, this, [&](const OutsideReport& given) {
            report = given;
            beforeRunning = fork.state() == State::Starting;
        });
        QVERIFY(runs(fork));
        QVERIFY(beforeRunning);
        std::ranges::sort(report.droppedSlots);
        QCOMPARE(report.droppedSlots, (std::vector<std::string>{"feed", "standby"}));
        QVERIFY(report.keptSlots.empty());
        QCOMPARE(report.subscriptions, std::vector<std::string>{"news in postgres"});
        QCOMPARE(report.preparedTransactions, std::vector<std::string>{"pending in postgres of postgres"});
        QVERIFY(!report.archives);
        QCOMPARE(value(fork, "CREATE TABLE u AS SELECT 3 AS a; SELECT a FROM u"),
                 std::string("3")); // no hang
        QCOMPARE(value(fork, "SELECT count(*) FROM pg_replication_slots"), std::string("0"));
        QCOMPARE(value(fork,
                       "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'logical replication%' "
                       "OR backend_type = 'archiver'"),
                 std::string("0"));
        QVERIFY(value(fork, "SELECT pg_switch_wal()").find("error") == std::string::npos);
        QVERIFY(stopped(fork));
        QVERIFY(fs::is_empty(archive));

        spec.config.lifted = {OutsideRule::Archiving};
        spec.reportOutside = true;
        QVERIFY(fork.setSpec(spec));
        QVERIFY(runs(fork));
        QVERIFY(report.archives);
        QCOMPARE(value(fork, "SHOW full_page_writes"), std::string("on"));
    }

    void aPeekIsReadOnly() {
        const Cluster cluster(m_fixture->path());
        EndpointSpec spec = cluster.spec(installation(), true);
        spec.config.readOnly = true;
        spec.config.tcp = false;
        Endpoint peek(spec);
        QVERIFY(runs(peek));
        QVERIFY(value(peek, "CREATE TABLE t(a int)").find("read-only") != std::string::npos);
        QCOMPARE(value(peek, "SHOW listen_addresses"), std::string(""));
    }

    void prepareRunsWithTheTimelineLockedAndItsErrorIsTheFailure() {
        const Cluster cluster(m_fixture->path());
        EndpointSpec spec = cluster.spec(installation());
        bool locked = false;
        spec.prepare = [&]() -> Status {
            locked = !TimelineLock::tryAcquire(cluster.wal().string());
            return makeError(ErrorKind::Corruption, "the log of timeline 7 has a hole");
        };
        Endpoint endpoint(spec);
        QVERIFY(endpoint.start());
        QVERIFY(reach(endpoint, State::Failed));
        QVERIFY(locked);
        QCOMPARE(endpoint.failure().sentence, std::string("the log of timeline 7 has a hole"));
        QVERIFY(TimelineLock::tryAcquire(cluster.wal().string()));
        QVERIFY(!fs::exists(cluster.data() / "postmaster.pid"));
    }

    void anEndpointWithoutTheDatabasePostgresStarts() {
        const Cluster cluster(m_fixture->path());
        Endpoint endpoint(cluster.spec(installation()));
        QVERIFY(runs(endpoint));
        const QueryOutcome dropped =
            run(endpoint.target("template1"), {"DROP DATABASE postgres WITH (FORCE)"});
        QCOMPARE(dropped.kind, QueryOutcome::Kind::Answered);
        QVERIFY(stopped(endpoint));
        QVERIFY(runs(endpoint));
    }

    void anOwnerWhoIsNotLetInIsAFailureInWords() {
        const Cluster cluster(m_fixture->path());
        EndpointSpec spec = cluster.spec(installation());
        spec.osUsers = {};
        Endpoint endpoint(spec);
        QVERIFY(endpoint.start());
        QVERIFY(reach(endpoint, State::Failed));
        QVERIFY(endpoint.failure().sentence.find("does not let its owner in") != std::string::npos);
        QVERIFY(findHolders(cluster.paths()).empty());
    }

    void useIsSeenAlsoBetweenTwoSamples() {
        const Cluster cluster(m_fixture->path());
        Endpoint endpoint(cluster.spec(installation()));
        QVERIFY(runs(endpoint));
        int samples = 0;
        Activity activity;
        connect(&endpoint, &Endpoint::activitySampled, this, [&](const Activity& given) {
            activity = given;
            ++samples;
        });
        const auto sample = [&] {
            const int before = samples;
            endpoint.sampleActivity();
            return waitUntil([&] { return samples > before; });
        };
        QVERIFY(sample());
        QVERIFY(sample());
        const Timestamp idle = endpoint.lastActivity();
        QVERIFY(sample());
        QVERIFY(sample());
        QCOMPARE(endpoint.lastActivity(), idle);
        QCOMPARE(activity.connections, 0);
        // counts of sessions are reported when a session ends, which may be a moment after its client has
        // gone
        QVERIFY(waitUntil([&] {
            value(endpoint, "SELECT 1");
            value(endpoint, "SELECT 1");
            return sample() && endpoint.lastActivity() > idle;
        }));
        Queries busy(endpoint.target(), {"SELECT pg_sleep(600)"});
        busy.start(600'000);
        QVERIFY(waitUntil([&] { return sample() && activity.busy == 1; }));
    }
};

int main(int argc, char** argv) {
    if (!leaveRoot())
        qFatal("cannot become the user postgres");
    clearPostgresEnvironment();
    QCoreApplication app(argc, argv);
    LauncherOutsideTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "launcher_outside_test.moc"
