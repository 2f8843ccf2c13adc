// Live servers and standbys come in; why one cannot is said with the line that helps.
#include "import_rich.h"

using namespace arbor::import_test;

class ImportLiveTest : public StoreTest {
    Q_OBJECT

  private slots:
    void aLiveServerIsCopied() {
        RichServer source(m_store->place(), "source");
        QVERIFY(source.make());
        QVERIFY(asServer("pgbench", QStringList{"-i", "-s", "2", "-q", "-d", "apart"} + source.way().words())
                    .code == 0);
        QProcess load;
        load.start(pgBin() + "/pgbench",
                   QStringList{"-n", "-c", "2", "-T", "60", "apart"} + source.way().words());
        QVERIFY(load.waitForStarted());
        const QStringList before = m_store->leftOvers();
        const Outcome imported = m_store->ctl({"import", "--from", source.url(), "live"});
        load.terminate();
        load.waitForFinished();
        QVERIFY2(imported.code == 0, qPrintable(imported.err));
        QVERIFY2(imported.report().contains("ts-fast"), qPrintable(imported.report()));
        const Way branch = m_store->start("live");
        checkQuiet(branch);
        // what pgbench's transactions leave is in balance wherever they are cut off
        QCOMPARE(sql(branch, "apart",
                     "SELECT (SELECT sum(abalance) FROM pgbench_accounts) = (SELECT sum(delta) FROM "
                     "pgbench_history)"
                     " AND (SELECT sum(bbalance) FROM pgbench_branches) = (SELECT sum(tbalance) FROM "
                     "pgbench_tellers)"),
                 QString("t"));
        QCOMPARE(
            sql(branch, "shop", "SELECT count(*), md5(string_agg(name, '' ORDER BY id)) FROM goods"),
            sql(source.way(), "shop", "SELECT count(*), md5(string_agg(name, '' ORDER BY id)) FROM goods"));
        for (const QString& name : m_store->leftOvers())
            QVERIFY2(!name.contains("import-") && !name.contains("hidden"), qPrintable(name));
        QCOMPARE(sql(source.way(), "postgres", "SELECT slot_name FROM pg_replication_slots"),
                 QString("held"));
        // no operation shows a password
        QVERIFY(!m_store->ctl({"log"}).out.contains("secret"));
    }

    void whyALiveServerCannotBeCopiedIsSaid() {
        PlainServer source(m_store->place(), "source");
        QVERIFY(source.initialize({"-U", "postgres"}));
        QFile hba(source.data() + "/pg_hba.conf");
        QVERIFY(hba.open(QIODevice::WriteOnly | QIODevice::Truncate));
        hba.write("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
        hba.close();
        QVERIFY(source.start());
        QVERIFY(!sql(source.way(), "postgres",
                     "ALTER ROLE postgres PASSWORD 'right'; CREATE ROLE plain LOGIN PASSWORD 'right'")
                     .contains("ERROR"));
        const QStringList before = m_store->leftOvers();
        const auto refused = [&](const QString& login, const char* said) {
            const Outcome outcome = m_store->ctl({"import", "--from", source.url(login), "live"});
            QCOMPARE(outcome.code, 1);
            QVERIFY2(outcome.message().contains(said), qPrintable(outcome.message()));
            QVERIFY2(!outcome.message().contains("right@"), qPrintable(outcome.message()));
        };
        refused("postgres:wrong", "does not accept the password");
        refused("postgres", "no password was given");
        refused("postgres:right", "host replication postgres 127.0.0.1/32 scram-sha-256");
        QVERIFY(hba.open(QIODevice::Append));
        hba.write("host replication all 127.0.0.1/32 scram-sha-256\n");
        hba.close();
        QVERIFY(!sql(source.way(), "postgres", "SELECT pg_reload_conf()").contains("ERROR"));
        QTRY_VERIFY(
            m_store->ctl({"import", "--check", "--from", source.url("postgres:right"), "live"}).code == 0);
        refused("plain:right", "ALTER ROLE \"plain\" REPLICATION");
        QVERIFY(source.stop());
        refused("postgres:right", "cannot be reached");
        QVERIFY(source.start("-c wal_level=minimal -c max_wal_senders=0"));
        const Outcome minimal = m_store->ctl({"import", "--from", source.url("postgres:right"), "live"});
        QCOMPARE(minimal.code, 4);
        QVERIFY(minimal.message().contains("wal_level = replica"));
        QCOMPARE(m_store->leftOvers(), before);
        QCOMPARE(m_store->branches(), QStringList{"main"});
    }

    void aStandbysDirectoryIsPromoted() {
        RichServer primary(m_store->place(), "primary");
        QVERIFY(primary.make());
        PlainServer standby(m_store->place(), "standby");
        const QStringList tablespaces{"-T", m_store->place() + "/ts-fast=" + m_store->place() + "/sb-fast",
                                      "-T", m_store->place() + "/ts-slow=" + m_store->place() + "/sb-slow"};
        QCOMPARE(asServer("pg_basebackup", QStringList{"-D", standby.data(), "-R", "-c", "fast"} +
                                               tablespaces + primary.way().words())
                     .code,
                 0);
        QVERIFY(standby.start());
        QVERIFY(
            !sql(primary.way(), "shop", "CREATE TABLE followed AS SELECT n FROM generate_series(1, 1000) n")
                 .contains("ERROR"));
        QTRY_COMPARE(sql(standby.way(), "shop", "SELECT count(*) FROM followed"), QString("1000"));
        QVERIFY(standby.stop());
        const Outcome imported = m_store->ctl({"import", standby.data(), "promoted"});
        QVERIFY2(imported.code == 0, qPrintable(imported.err));
        QVERIFY2(imported.report().contains("promoted"), qPrintable(imported.report()));
        QVERIFY2(imported.report().contains("primary_conninfo"), qPrintable(imported.report()));
        const Way branch = m_store->start("promoted");
        QCOMPARE(sql(branch, "postgres", "SELECT pg_is_in_recovery()"), QString("f"));
        QCOMPARE(sql(branch, "postgres", "SELECT timeline_id FROM pg_control_checkpoint()"), QString("2"));
        compare("promoted", contents(primary.way(), false), false);
        checkQuiet(branch);
        QCOMPARE(m_store->ctl({"branch", "create", "child", "--from", "promoted"}).code, 0);
        QCOMPARE(sql(m_store->start("child"), "shop", "SELECT count(*) FROM followed"), QString("1000"));

        // one that was promoted before, and runs: forks of it and of its forks hold what was committed
        QVERIFY(standby.start());
        QCOMPARE(sql(standby.way(), "postgres", "SELECT pg_promote()"), QString("t"));
        QVERIFY(!sql(standby.way(), "shop", "INSERT INTO followed VALUES (1001)").contains("ERROR"));
        const Outcome live = m_store->ctl({"import", "--from", standby.url(), "live"});
        QVERIFY2(live.code == 0, qPrintable(live.err));
        int rows = 1001;
        for (QString name = "live"; rows < 1004; name = "of-" + name) {
            const Way present = m_store->start(name);
            QCOMPARE(sql(present, "shop", "SELECT count(*) FROM followed"), QString::number(rows));
            QVERIFY(!sql(present, "shop", "INSERT INTO followed VALUES (0)").contains("ERROR"));
            ++rows;
            QCOMPARE(m_store->ctl({"branch", "create", "of-" + name, "--from", name}).code, 0);
        }
    }
};

QTEST_GUILESS_MAIN(ImportLiveTest)
#include "import_live_test.moc"
#include "moc_import_rich.cpp"
