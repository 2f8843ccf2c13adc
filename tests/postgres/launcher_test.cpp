#include "launcher_support.h"

#include <libpq-fe.h>
#include <signal.h>
#include <sys/stat.h>

using namespace arbor;
using namespace arbor::launcher_test;
using State = Endpoint::State;
using StopMode = Endpoint::StopMode;

class LauncherTest : public QObject {
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

    void startsAnswersAndStops_data() {
        QTest::addColumn<StopMode>("mode");
        QTest::newRow("smart") << StopMode::Smart;
        QTest::newRow("fast") << StopMode::Fast;
        QTest::newRow("immediate") << StopMode::Immediate;
    }
    void startsAnswersAndStops() {
        QFETCH(StopMode, mode);
        const Cluster cluster(m_fixture->path());
        Endpoint endpoint(cluster.spec(installation()));
        QVERIFY(endpoint.start());
        QCOMPARE(endpoint.state(), State::Starting);
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        qInfo("running after %lld us", static_cast<long long>(endpoint.startTime().count()));
        const pid_t postmaster = endpoint.postmaster();
        QVERIFY(endpoint.startedByUs(postmaster));
        QVERIFY(!endpoint.startedByUs(::getpid()));
        QVERIFY(endpoint.start()); // of a running one succeeds
        QCOMPARE(value(endpoint, "CREATE TABLE t AS SELECT 7 AS a; SELECT a FROM t"), std::string("7"));
        QCOMPARE(value(endpoint, "SHOW full_page_writes"), std::string("off"));
        QVERIFY(!TimelineLock::tryAcquire(cluster.wal().string()));
        endpoint.stop(mode);
        QVERIFY2(reach(endpoint, State::Stopped), endpoint.failure().sentence.c_str());
        QVERIFY(!processInfo(postmaster));
        QVERIFY(TimelineLock::tryAcquire(cluster.wal().string()));
        QVERIFY(findHolders(cluster.paths()).empty());
        QVERIFY(endpoint.start());
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        QCOMPARE(value(endpoint, "SELECT a FROM t"), std::string("7"));
    }

    void tcpNeedsThePassword() {
        const Cluster cluster(m_fixture->path());
        Endpoint endpoint(cluster.spec(installation()));
        QVERIFY(endpoint.start());
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        const fs::path passFile = cluster.root() / "pass";
        QVERIFY(writePrivateFile(passFile, passFileContent(m_fixture->password)));
        const auto connects = [&](const std::string& with) {
            const std::string info = fmt::format("host=127.0.0.1 port={} user=postgres dbname=postgres {}",
                                                 endpoint.spec().config.port, with);
            PGconn* connection = PQconnectdb(info.c_str());
            const bool good = PQstatus(connection) == CONNECTION_OK;
            PQfinish(connection);
            return good;
        };
        QVERIFY(connects(fmt::format("passfile={}", passFile.string())));
        QVERIFY(!connects("passfile=/no-passfile password=wrong"));
        QVERIFY(!connects("passfile=/no-passfile"));
        const std::string change = setPasswordStatement("postgres", "another");
        QVERIFY(change.find("another") == std::string::npos);
        QCOMPARE(value(endpoint, change), std::string(""));
        QVERIFY(connects("passfile=/no-passfile password=another"));
    }

    void aServerThatRecoversIsLeftInPeace() {
        const Cluster cluster(m_fixture->path());
        Endpoint endpoint(cluster.spec(installation()));
        QVERIFY(endpoint.start());
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        value(endpoint, "CREATE TABLE filled AS SELECT n, repeat('x', 500) FROM generate_series(1, 20000) n");
        endpoint.stop(StopMode::Immediate);
        QVERIFY(reach(endpoint, State::Stopped));
        QVERIFY(endpoint.start());
        QVERIFY2(reach(endpoint, State::Running), endpoint.failure().sentence.c_str());
        QCOMPARE(value(endpoint, "SELECT count(*) FROM filled"), std::string("20000"));
        const std::string log = readText(endpoint.spec().logFile);
        QVERIFY2(log.find("redo done") != std::string::npos, log.c_str());
        QVERIFY2(log.find("FATAL") == std::string::npos, log.c_str()); // who came too early
        endpoint.stop(StopMode::Fast);
        QVERIFY(reach(endpoint, State::Stopped));
    }

    void stopWhileStartingEndsStopped() {
        const Cluster cluster(m_fixture->path());
        Endpoint endpoint(cluster.spec(installation()));
        QVERIFY(endpoint.start());
        endpoint.stop(StopMode::Fast);
        QVERIFY(!endpoint.start());
        QVERIFY(reach(endpoint, State::Stopped));
        QVERIFY(endpoint.start());
        QVERIFY(waitUntil([&] { return endpoint.postmaster() != 0; }));
        endpoint.stop(StopMode::Fast);
        QVERIFY2(reach(endpoint, State::Stopped), endpoint.failure().sentence.c_str());
        QVERIFY(findHolders(cluster.paths()).empty());
    }
};

int main(int argc, char** argv) {
    if (!leaveRoot())
        qFatal("cannot become the user postgres");
    clearPostgresEnvironment();
    QCoreApplication app(argc, argv);
    LauncherTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "launcher_test.moc"
