// A real initdb, server and pgbench on the mount, over a memory view; the log beside it on the host, as in
// production.
#include "tests/postgres/mount_support.h"

using arbor::test::MountFixture;

class MountPostgresTest : public QObject {
    Q_OBJECT

    std::unique_ptr<MountFixture> m_mount;
    QString m_bin;

    // As the user; what it printed when it failed, or nothing.
    QByteArray run(const QString& program, const QStringList& arguments, QByteArray* output = nullptr) {
        QProcess process;
        process.setChildProcessModifier([this] { m_mount->user().become(); });
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.setWorkingDirectory(QString::fromStdString(m_mount->native()));
        process.start(m_bin + "/" + program, arguments);
        const bool ended = process.waitForFinished(120'000);
        const QByteArray printed = process.readAll();
        if (output)
            *output = printed;
        if (ended && process.exitStatus() == QProcess::NormalExit && process.exitCode() == 0)
            return {};
        return program.toUtf8() + " failed:\n" + printed;
    }
    QStringList onServer(const QStringList& more) const {
        return QStringList{"-h",      QString::fromStdString(m_mount->native()), "-U", "postgres", "-d",
                           "postgres"} +
               more;
    }

    class Server {
      public:
        Server(MountPostgresTest& test, const QStringList& settings) {
            const MountFixture& mount = *test.m_mount;
            m_process.setChildProcessModifier([&mount] { mount.user().become(); });
            m_process.setProcessChannelMode(QProcess::MergedChannels);
            m_process.setWorkingDirectory(QString::fromStdString(mount.native()));
            QStringList arguments{"-D", QString::fromStdString(mount.timeline())};
            for (const QString& setting :
                 QStringList{
                     "listen_addresses=", "unix_socket_directories=" + QString::fromStdString(mount.native()),
                     "full_page_writes=off", "wal_recycle=off", "wal_init_zero=off",
                     "recovery_init_sync_method=fsync", "log_min_messages=warning"} +
                     settings)
                arguments << "-c" << setting;
            m_process.start(test.m_bin + "/postgres", arguments);
        }
        ~Server() { end(SIGINT); }
        // SIGINT: fast stop; SIGQUIT: as a crash
        bool end(int signal) {
            if (m_process.state() == QProcess::NotRunning)
                return true;
            kill(static_cast<pid_t>(m_process.processId()), signal);
            if (m_process.waitForFinished(30'000))
                return true;
            m_process.kill();
            return m_process.waitForFinished();
        }
        QByteArray log() {
            m_process.waitForReadyRead(0);
            return m_printed += m_process.readAll();
        }
        bool isRunning() const { return m_process.state() != QProcess::NotRunning; }

      private:
        QProcess m_process;
        QByteArray m_printed;
    };

    bool answers() {
        for (int i = 0; i < 600; ++i) {
            if (run("psql", onServer({"-c", "select 1"})).isEmpty())
                return true;
            QTest::qWait(50);
        }
        return false;
    }

  private slots:
    void initTestCase() {
        const QDir versions("/usr/lib/postgresql");
        for (const QString& version : versions.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name))
            if (QFile::exists(versions.filePath(version + "/bin/initdb")))
                m_bin = versions.filePath(version + "/bin");
        if (m_bin.isEmpty())
            QSKIP("NOTHING IS TESTED HERE: no PostgreSQL server is installed");
        m_mount = std::make_unique<MountFixture>(geteuid() == 0 ? MountFixture::Way::Root
                                                                : MountFixture::Way::User);
        const std::string obstacle = m_mount->obstacle();
        if (!obstacle.empty())
            QSKIP(("NOTHING IS TESTED HERE: " + obstacle).c_str());
        QVERIFY2(m_mount->start(), m_mount->firstAnswer().c_str());
        const QByteArray complaint = run("initdb", {"-D", QString::fromStdString(m_mount->timeline()), "-X",
                                                    QString::fromStdString(m_mount->native() + "/pg_wal"),
                                                    "-U", "postgres", "--auth=trust", "--data-checksums"});
        QVERIFY2(complaint.isEmpty(), complaint.constData());
    }
    void cleanupTestCase() { m_mount.reset(); }

    void pgbenchRunsAndACrashIsRecovered() {
        QByteArray output;
        {
            Server server(*this, {});
            QVERIFY2(answers(), server.log().constData());
            QByteArray complaint = run("pgbench", {"-h", QString::fromStdString(m_mount->native()), "-U",
                                                   "postgres", "-i", "-q", "-s", "2", "postgres"});
            QVERIFY2(complaint.isEmpty(), complaint.constData());
            complaint = run("pgbench",
                            {"-h", QString::fromStdString(m_mount->native()), "-U", "postgres", "-c", "4",
                             "-j", "2", "-t", "250", "postgres"},
                            &output);
            QVERIFY2(complaint.isEmpty(), complaint.constData());
            QVERIFY2(output.contains("number of transactions actually processed: 1000/1000"),
                     output.constData());
            QVERIFY(server.end(SIGQUIT)); // no shutdown checkpoint: the next start replays
        }
        Server server(*this, {});
        QVERIFY2(answers(), server.log().constData());
        const QByteArray complaint =
            run("psql", onServer({"-At", "-c", "select count(*) from pgbench_history"}), &output);
        QVERIFY2(complaint.isEmpty(), complaint.constData());
        QCOMPARE(output.trimmed(), QByteArray("1000"));
        const QByteArray damaged =
            run("pg_amcheck", onServer({"--heapallindexed", "--install-missing"}), &output);
        QVERIFY2(damaged.isEmpty(), damaged.constData());
    }

    void relationsComeGoAndAreReused() {
        Server server(*this, {"shared_buffers=1MB", "work_mem=64kB"}); // everything goes through the mount
        QVERIFY2(answers(), server.log().constData());
        const QByteArray complaint =
            run("psql", onServer({"-v", "ON_ERROR_STOP=1", "-c", R"(
            create table a as select g, repeat('x', 200) t from generate_series(1, 20000) g;
            create index on a (g);
            delete from a where g % 2 = 0;)",
                                  "-c", "vacuum a", "-c", "vacuum full a", "-c", R"(
            truncate a;
            insert into a select g, 'y' from generate_series(1, 1000) g;
            create temp table b as select * from a order by t, g desc;
            drop table b;)",
                                  "-c", "create database other", "-c",
                                  "create database another template other strategy file_copy", "-c",
                                  "drop database other", "-c", "checkpoint"}));
        QVERIFY2(complaint.isEmpty(), (complaint + server.log()).constData());
        QByteArray output;
        QVERIFY(run("psql", onServer({"-At", "-c", "select count(*), sum(g) from a"}), &output).isEmpty());
        QCOMPARE(output.trimmed(), QByteArray("1000|500500"));
    }

    // Case 11
    void aServerThatTheEngineDidNotStartIsRefused() {
        QCOMPARE(m_mount->ask("servers no"), std::string("done"));
        Server server(*this, {});
        QTRY_VERIFY_WITH_TIMEOUT(!server.isRunning(), 20'000);
        QVERIFY2(
            server.log().contains("could not create lock file \"postmaster.pid\": Operation not permitted"),
            server.log().constData());
        QCOMPARE(m_mount->ask("servers yes"), std::string("done"));
    }
};

QTEST_GUILESS_MAIN(MountPostgresTest)
#include "mount_postgres_test.moc"
