// Databases come in: from stopped and crashed directories, with all that is
// in them and nothing of what would act outside; and what cannot come in leaves nothing.
#include "import_rich.h"

using namespace arbor::import_test;

class ImportTest : public StoreTest {
    Q_OBJECT

  private slots:
    void aStoppedDirectoryComesInWithAllThatIsInIt() {
        RichServer source(m_store->place(), "source");
        QVERIFY(source.make());
        const QString expected = contents(source.own());
        QVERIFY2(!expected.contains("ERROR"), qPrintable(expected));
        QVERIFY(source.stop());

        const Outcome checked = m_store->ctl({"import", "--check", source.data(), "rich"});
        QCOMPARE(checked.code, 0);
        QVERIFY(checked.json().value("bytes").toDouble() > 30e6);
        const Outcome imported = m_store->ctl({"import", source.data(), "rich"});
        QVERIFY2(imported.code == 0, qPrintable(imported.err));
        for (const char* said : {"archive_command", "tablespace at", "subscription incoming", "slots held",
                                 "prepared transaction open", "conf.d"})
            QVERIFY2(imported.report().contains(said),
                     qPrintable(QString(said) + " not in " + imported.report()));
        compare("rich", expected);
        checkQuiet(m_store->start("rich"));

        // as good a parent as any
        QCOMPARE(sql(m_store->start("rich"), "shop", "DELETE FROM goods WHERE id > 10000"), QString());
        const QString changed = contents(m_store->start("rich"), false);
        QCOMPARE(m_store->ctl({"branch", "create", "child", "--from", "rich"}).code, 0);
        compare("child", changed, false);
        checkQuiet(m_store->start("child"));
        // and the source is as it was
        QVERIFY(source.start());
        QCOMPARE(contents(source.own()), expected);
    }

    void aCrashedDirectoryIsRecoveredInside() {
        RichServer source(m_store->place(), "source", "alice");
        QVERIFY(source.make({}));
        QVERIFY(!sql(source.own(), "shop",
                     "CHECKPOINT; UPDATE goods SET name = 'after ' || id; CREATE TABLE late AS "
                     "SELECT n FROM generate_series(1, 30000) n")
                     .contains("ERROR"));
        QVERIFY(source.stop("immediate"));
        const Outcome unknown = m_store->ctl({"import", source.data(), "crashed"});
        QCOMPARE(unknown.code, 2);
        QVERIFY2(unknown.message().contains("--superuser"), qPrintable(unknown.message()));
        QCOMPARE(m_store->branches(), QStringList{"main"});

        const Outcome imported = m_store->ctl({"import", source.data(), "crashed", "--superuser", "alice"});
        QVERIFY2(imported.code == 0, qPrintable(imported.err));
        QVERIFY2(imported.report().contains("recovered"), qPrintable(imported.report()));
        QVERIFY(imported.report().contains("superuser postgres was added"));
        checkQuiet(m_store->start("crashed"));
        QVERIFY(source.start());
        QVERIFY(!sql(source.own(), "postgres", "CREATE ROLE postgres SUPERUSER LOGIN").contains("ERROR"));
        compare("crashed", contents(source.own()));
        QCOMPARE(sql(m_store->start("crashed"), "shop", "SELECT count(*) FROM fleeting"), QString("0"));
        const Outcome forked = m_store->ctl({"branch", "create", "child", "--from", "crashed"});
        QVERIFY2(forked.code == 0, qPrintable(forked.err));
        QCOMPARE(sql(m_store->start("child"), "shop", "SELECT count(*) FROM late"), QString("30000"));
    }

    void whatIsNoStoppedClusterIsRefused() {
        PlainServer source(m_store->place(), "source");
        QVERIFY(source.initialize({}));
        const QStringList before = m_store->leftOvers();
        const auto refused = [&](const QString& directory, int code, const char* said) {
            const Outcome outcome = m_store->ctl({"import", directory, "odd"});
            QVERIFY2(outcome.code == code && outcome.message().contains(said),
                     qPrintable(QString::number(outcome.code) + " " + outcome.message()));
        };
        refused("/nowhere/at/all", 3, "there is no directory");
        refused(m_store->place(), 2, "source is one");
        refused(source.data() + "/PG_VERSION", 1, "not a directory");
        QVERIFY(source.start());
        refused(source.data(), 4, "a server runs on");
        refused(source.data(), 4, "process ");
        QVERIFY(source.stop());
        QFile version(source.data() + "/PG_VERSION");
        const auto write = [&](const QString& path, qint64 at, const QByteArray& bytes) {
            QFile file(path);
            QVERIFY(file.open(QIODevice::ReadWrite));
            QVERIFY(file.seek(at));
            file.write(bytes);
        };
        write(version.fileName(), 0, "12");
        refused(source.data(), 1, "PostgreSQL 12");
        write(version.fileName(), 0, "15");
        write(source.data() + "/global/pg_control", 216, QByteArray("\x00\x40", 2)); // 16 kB blocks
        refused(source.data(), 1, "checksum of pg_control");
        QVERIFY(QFile::remove(source.data() + "/global/pg_control"));
        refused(source.data(), 2, "not a whole data directory");
        QCOMPARE(m_store->ctl({"import", source.data(), "main"}).code, 4); // the name is taken
        QCOMPARE(m_store->ctl({"import", "odd"}).code, 2);
        QCOMPARE(m_store->leftOvers(), before);
        QCOMPARE(m_store->branches(), QStringList{"main"});
    }

    // A name that is wrong, a damaged log, a cancelled copy: nothing stays, and the next import is none the
    // worse.
    void whatBreaksOffLeavesNothing() {
        PlainServer source(m_store->place(), "source");
        QVERIFY(source.initialize({"-U", "postgres"}));
        QVERIFY(source.start());
        QVERIFY(
            asServer("pgbench", QStringList{"-i", "-s", "20", "-q", "-d", "postgres"} + source.way().words())
                .code == 0);
        QVERIFY(source.stop("immediate"));
        const QStringList before = m_store->leftOvers();
        const auto job = m_store->begin({"import", source.data(), "half"});
        QVERIFY(job);
        int id = 0;
        QTRY_VERIFY((id = m_store->runningJob(0)) != 0 || job->state() == QProcess::NotRunning);
        QVERIFY2(id != 0, "the import was over before it could be cancelled");
        m_store->ctl({"job", "cancel", QString::number(id)});
        const Outcome cancelled = finish(*job);
        QCOMPARE(cancelled.code, 1);
        QCOMPARE(cancelled.kind(), QString("cancelled"));
        QTRY_COMPARE(m_store->leftOvers(), before);
        QCOMPARE(m_store->branches(), QStringList{"main"});

        // the log that its recovery needs is gone
        for (const QString& name : QDir(source.data() + "/pg_wal").entryList({"0*"}, QDir::Files))
            QVERIFY(QFile::rename(source.data() + "/pg_wal/" + name, m_store->place() + "/" + name));
        const Outcome damaged = m_store->ctl({"import", source.data(), "half"});
        QCOMPARE(damaged.code, 1);
        QVERIFY2(!damaged.message().isEmpty(), qPrintable(damaged.err));
        QTRY_COMPARE(m_store->leftOvers(), before);
        for (const QString& name : QDir(m_store->place()).entryList({"0*"}, QDir::Files))
            QVERIFY(QFile::rename(m_store->place() + "/" + name, source.data() + "/pg_wal/" + name));
        const Outcome imported = m_store->ctl({"import", source.data(), "whole"});
        QVERIFY2(imported.code == 0, qPrintable(imported.err));
        QCOMPARE(sql(m_store->start("whole"), "postgres", "SELECT count(*) FROM pgbench_accounts"),
                 QString("2000000"));
    }

    // What it wrote is garbage, also when a server has had its files open: the space is free again at once.
    void anImportThatFailsLateGivesItsSpaceBack() {
        PlainServer source(m_store->place(), "source");
        QVERIFY(source.initialize({"-U", "postgres"}));
        QVERIFY(source.start());
        QVERIFY(
            asServer("pgbench", QStringList{"-i", "-s", "5", "-q", "-d", "postgres"} + source.way().words())
                .code == 0);
        QVERIFY(source.stop());
        const auto garbage = [&] { return m_store->ctl({"stats"}).json().value("garbageBytes").toDouble(); };
        const double before = garbage();
        const QStringList files = m_store->leftOvers();
        const Outcome failed = m_store->ctl({"import", source.data(), "half", "--superuser", "nobody"});
        QVERIFY2(failed.code == 2 && failed.message().contains("--superuser NAME"), qPrintable(failed.err));
        constexpr double little = 1 << 20;
        QTRY_VERIFY_WITH_TIMEOUT(garbage() < before + little, 20'000);
        QCOMPARE(m_store->leftOvers(), files);
    }
};

QTEST_GUILESS_MAIN(ImportTest)
#include "import_test.moc"
#include "moc_import_rich.cpp"
