// Branches go out: what an exported directory holds is what a fork at the same point holds, opened by a plain
// server that knows nothing of the store.
#include "import_support.h"

#include <QRandomGenerator>

using namespace arbor::import_test;

class ExportTest : public QObject {
    Q_OBJECT
    std::unique_ptr<Store> m_store;

    QString place(const QString& name) const { return m_store->place() + "/" + name; }

  private slots:
    void initTestCase() {
        if (!serversCanRun())
            QSKIP("needs PostgreSQL and /dev/fuse");
        m_store = std::make_unique<Store>();
        const Outcome made = m_store->ctl({"init"});
        QVERIFY2(made.code == 0, qPrintable(made.err));
        const Way main = m_store->start("main");
        QVERIFY(!sql(main, "postgres",
                     "ALTER SYSTEM SET allow_in_place_tablespaces = on;\nSELECT pg_reload_conf();\n"
                     "SELECT pg_create_physical_replication_slot('held', true);\nCREATE DATABASE apart;\n")
                     .contains("ERROR"));
        QVERIFY(
            !sql(main, "postgres",
                 "CREATE TABLESPACE inside LOCATION '';\nCREATE TABLE t (n int, s text) TABLESPACE inside;\n"
                 "CREATE UNLOGGED TABLE u (n int);\nSELECT lo_from_bytea(4711, 'blob');")
                 .contains("ERROR"));
    }
    void cleanupTestCase() { m_store.reset(); }

    // Points anywhere in a history under load, each as a directory and as a fork.
    void anExportIsWhatAForkAtItsPointIs() {
        const Way main = m_store->start("main");
        const quint32 seed = qEnvironmentVariableIntValue("ARBOR_SEED")
                                 ? qEnvironmentVariableIntValue("ARBOR_SEED")
                                 : QRandomGenerator::global()->generate();
        qInfo("seed %u (ARBOR_SEED)", seed);
        QRandomGenerator random(seed);
        const QString begin = sql(main, "postgres", "SELECT pg_current_wal_flush_lsn()");
        QVERIFY(asServer("pgbench", QStringList{"-i", "-s", "2", "-q", "-d", "apart"} + main.words()).code ==
                0);
        for (int round = 0; round < 4; ++round) {
            QVERIFY(
                !sql(main, "postgres",
                     "INSERT INTO t SELECT n, repeat(md5(n::text), 20) FROM generate_series(1, 3000) n;"
                     "UPDATE t SET s = s || 'x' WHERE n % 3 = 0; DELETE FROM t WHERE n % 7 = 0; CHECKPOINT")
                     .contains("ERROR"));
            QVERIFY(
                asServer("pgbench", QStringList{"-n", "-c", "2", "-t", "300", "apart"} + main.words()).code ==
                0);
        }
        const QString end = sql(main, "postgres", "SELECT pg_current_wal_flush_lsn()");
        const auto bytes =
            sql(main, "postgres", QString("SELECT pg_wal_lsn_diff('%1', '%2')").arg(end, begin)).toLongLong();
        const int points = qEnvironmentVariableIsSet("ARBOR_FULL") ? 20 : 3;
        for (int i = 0; i < points; ++i) {
            const QString at = sql(main, "postgres",
                                   QString("SELECT '%1'::pg_lsn + %2").arg(begin).arg(random.bounded(bytes)));
            const QString name = QString("point-%1").arg(i);
            const Outcome exported = m_store->ctl({"export", "main", place(name), "--at", at});
            QVERIFY2(exported.code == 0, qPrintable(at + exported.err));
            QVERIFY(exported.json().value("checkedPages").toInt() > 1000);
            QVERIFY2(exported.report().contains("slot held"), qPrintable(exported.report()));
            QVERIFY(!QFileInfo::exists(place(name) + "/postmaster.opts"));
            QVERIFY(QFileInfo(place(name) + "/pg_wal").isDir() &&
                    !QFileInfo(place(name) + "/pg_wal").isSymLink());
            const Outcome sums = asServer("pg_checksums", {"--check", "-D", place(name)});
            QVERIFY2(sums.code == 0, qPrintable(sums.out + sums.err));

            PlainServer outside(m_store->place(), name);
            QVERIFY(outside.start());
            QVERIFY2(!outside.log().contains("automatic recovery"),
                     qPrintable(outside.log())); // cleanly stopped
            QCOMPARE(m_store->ctl({"branch", "create", name, "--from", "main", "--at", at}).code, 0);
            const QString forked = contents(m_store->start(name));
            const QString found = contents(outside.way());
            QVERIFY2(found == forked, qPrintable(forked + "\n---\n" + found));
            const Outcome checked = amcheck(outside.way());
            QVERIFY2(checked.code == 0, qPrintable(checked.out + checked.err));
            QVERIFY(outside.stop());
            m_store->ctl({"stop", name});
        }
        QVERIFY(QDir(m_store->path() + "/run").entryList({"hidden*"}).isEmpty());
    }

    void aStoppedBranchKeepsItsUnloggedTables() {
        QVERIFY(!sql(m_store->start("main"), "postgres", "INSERT INTO u SELECT generate_series(1, 100)")
                     .contains("ERROR"));
        QCOMPARE(m_store->ctl({"stop", "main"}).code, 0);
        const Outcome exported = m_store->ctl({"export", "main", place("unlogged")});
        QVERIFY2(exported.code == 0, qPrintable(exported.err));
        PlainServer outside(m_store->place(), "unlogged");
        QVERIFY(outside.start());
        QCOMPARE(sql(outside.way(), "postgres", "SELECT count(*) FROM u"), QString("100"));
        m_store->start("main");
    }

    void onlyANewOrAnEmptyDirectoryIsWritten() {
        QVERIFY(QDir().mkpath(place("full")));
        QVERIFY(giveToServer(place("full")));
        QFile mine(place("full/mine"));
        QVERIFY(mine.open(QIODevice::WriteOnly));
        const Outcome refused = m_store->ctl({"export", "main", place("full")});
        QCOMPARE(refused.code, 4);
        QVERIFY(refused.message().contains("is not empty"));
        QCOMPARE(QDir(place("full")).entryList(QDir::Files), QStringList{"mine"});
        QCOMPARE(m_store->ctl({"export", "main", place("none/such/place")}).code, 3);
        QCOMPARE(m_store->ctl({"export", "absent", place("absent")}).code, 3);
        QVERIFY(!QFileInfo::exists(place("absent")));
        QCOMPARE(m_store->ctl({"export", "main", place("early"), "--at", "0/1000000"}).code, 4);
        QVERIFY(!QFileInfo::exists(place("early")));
    }

    void dumpsOfAPointComeOutAndIn() {
        const Way main = m_store->start("main");
        const Outcome one =
            m_store->ctl({"export", "main", "--dump", place("apart.dump"), "--database", "apart"});
        QVERIFY2(one.code == 0, qPrintable(one.err));
        QVERIFY(asServer("pg_restore", {"-l", place("apart.dump")}).out.contains("pgbench_accounts"));
        const Outcome all = m_store->ctl({"export", "main", "--dump", place("all.sql")});
        QVERIFY2(all.code == 0, qPrintable(all.err));
        QCOMPARE(m_store->ctl({"export", "main", "--dump", place("all.sql")}).code, 4);
        const Outcome back = m_store->ctl({"import", "--dump", place("apart.dump"), "back"});
        QVERIFY2(back.code == 0, qPrintable(back.err));
        const QString question = "SELECT count(*), sum(abalance) FROM pgbench_accounts";
        QCOMPARE(sql(m_store->start("back"), "apart", question), sql(main, "apart", question));
    }

    // No lock-in: the tools that everybody has work on a branch.
    void aBranchCanBeBackedUpByTheUsualTools() {
        const Way main = m_store->start("main");
        const Outcome backup = asServer(
            "pg_basebackup", QStringList{"-D", place("backup"), "-X", "stream", "-c", "fast"} + main.words());
        QVERIFY2(backup.code == 0, qPrintable(backup.err));
        PlainServer outside(m_store->place(), "backup");
        QVERIFY(outside.start());
        const QString found = contents(outside.way(), false);
        QCOMPARE(found, contents(main, false));
        QCOMPARE(amcheck(outside.way()).code, 0);
    }
};

QTEST_GUILESS_MAIN(ExportTest)
#include "export_test.moc"
