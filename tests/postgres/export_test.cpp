// Branches go out: what an exported directory holds is what a fork at the same point holds, opened by a plain
// server that knows nothing of the store.
#include "import_support.h"

#include <QDirIterator>
#include <QRandomGenerator>
#include <QRegularExpression>

using namespace arbor::import_test;

class ExportTest : public QObject {
    Q_OBJECT
    std::unique_ptr<Store> m_store;

    QString place(const QString& name) const { return m_store->place() + "/" + name; }

    // Of every page of a table or index that was written since, the second half becomes the old one's again.
    static int tearPages(const QString& directory, const QString& before) {
        constexpr int half = 4096;
        static const QRegularExpression mainFork("^[0-9]+(\\.[0-9]+)?$");
        int torn = 0;
        QDirIterator files(directory, QDir::Files, QDirIterator::Subdirectories);
        while (files.hasNext()) {
            QFile now(files.next());
            QFile then(before + now.fileName().mid(directory.size()));
            if (!mainFork.match(QFileInfo(now).fileName()).hasMatch() || !then.open(QIODevice::ReadOnly) ||
                !now.open(QIODevice::ReadWrite))
                continue;
            for (qint64 at = 0; at + 2 * half <= std::min(now.size(), then.size()); at += 2 * half) {
                now.seek(at);
                then.seek(at);
                const QByteArray old = then.read(2 * half);
                const QByteArray page = now.read(2 * half);
                if (page.left(half) == old.left(half) || page.right(half) == old.right(half))
                    continue; // not written, or as it would look when torn
                now.seek(at + half);
                now.write(old.right(half));
                ++torn;
            }
        }
        return torn;
    }

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
        const int points = qEnvironmentVariableIsSet("ARBOR_FULL") ? 20 : 8;
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

    // A machine that loses power while the plain server writes pages for the first time leaves halves of
    // them. It recovers by full page images: the export must not have brought along that it needs none.
    void pagesTornAtItsFirstStartAreMended() {
        const Way main = m_store->start("main");
        QVERIFY(asServer("pgbench", QStringList{"-i", "-s", "2", "-q", "-d", "apart"} + main.words()).code ==
                0);
        const Outcome exported = m_store->ctl({"export", "main", place("torn")});
        QVERIFY2(exported.code == 0, qPrintable(exported.err));
        QCOMPARE(asServer("cp", {"-a", place("torn"), place("untouched")}).code, 0);
        PlainServer outside(m_store->place(), "torn");
        // no checkpoint of its own, and so little memory that pages are written long before one
        QVERIFY(outside.start("-c shared_buffers=1MB -c checkpoint_timeout=1d -c max_wal_size=10GB"));
        QCOMPARE(sql(outside.way(), "postgres", "SHOW full_page_writes"), QString("on"));
        QVERIFY(
            asServer("pgbench", QStringList{"-n", "-c", "2", "-t", "1500", "apart"} + outside.way().words())
                .code == 0);
        QVERIFY(!sql(outside.way(), "apart",
                     "UPDATE pgbench_tellers SET filler = 'all'; SELECT count(*) FROM pgbench_accounts")
                     .contains("ERROR"));
        const QString expected = contents(outside.way(), false);
        QVERIFY(outside.stop("immediate"));
        const int torn = tearPages(place("torn/base"), place("untouched/base"));
        qInfo("%d pages torn", torn);
        QVERIFY(torn > 500);
        QVERIFY(outside.start());
        QVERIFY2(outside.log().contains("automatic recovery"), qPrintable(outside.log()));
        const QString found = contents(outside.way(), false);
        QVERIFY2(found == expected, qPrintable(expected + "\n---\n" + found));
        const Outcome checked = amcheck(outside.way());
        QVERIFY2(checked.code == 0, qPrintable(checked.out + checked.err));
        QVERIFY(outside.stop());
        const Outcome sums = asServer("pg_checksums", {"--check", "-D", place("torn")});
        QVERIFY2(sums.code == 0, qPrintable(sums.out + sums.err));
        QVERIFY(QDir(place("untouched")).removeRecursively());
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

        const Outcome dumped = asServer("pg_dumpall", QStringList{"-f", place("usual.sql")} + main.words());
        QVERIFY2(dumped.code == 0, qPrintable(dumped.err));
        PlainServer restored(m_store->place(), "restored");
        QVERIFY(restored.initialize({"-U", "postgres"}));
        restored.configure("allow_in_place_tablespaces = on\n");
        QVERIFY(restored.start());
        asServer("psql", QStringList{"-X", "-q", "-d", "postgres", "-f", place("usual.sql")} +
                             restored.way().words());
        const QString question = "SELECT count(*), sum(abalance) FROM pgbench_accounts";
        QCOMPARE(sql(restored.way(), "apart", question), sql(main, "apart", question));
        QCOMPARE(
            sql(restored.way(), "postgres", "SELECT count(*), md5(string_agg(s, '' ORDER BY n, s)) FROM t"),
            sql(main, "postgres", "SELECT count(*), md5(string_agg(s, '' ORDER BY n, s)) FROM t"));
    }
};

QTEST_GUILESS_MAIN(ExportTest)
#include "export_test.moc"
#include "moc_import_rich.cpp"
