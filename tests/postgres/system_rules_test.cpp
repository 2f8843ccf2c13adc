// What a fork may be allowed to do to the outside world, and the timeline id that its log bears then.
#include "system_support.h"

using namespace arbor::system_test;

class SystemRulesTest : public QObject {
    Q_OBJECT
    std::unique_ptr<Store> m_store;

    QByteArray value(const QString& branch, const QByteArray& statement) {
        return m_store->value(branch, statement);
    }

  private slots:
    void initTestCase() {
        if (const QByteArray why = obstacle(); !why.isEmpty())
            QSKIP(why.constData());
        m_store = std::make_unique<Store>();
        EXPECT_OK(m_store->init());
        EXPECT_OK(m_store->run("start main"));
    }
    void cleanupTestCase() { m_store.reset(); }

    // What is allowed holds from the next start on. A log that leaves the store bears an id of its own.
    void aForkThatIsAllowedToArchivesBesideItsParent() {
        const fs::path archive = m_store->folder() / "archived";
        fs::create_directory(archive);
        fs::permissions(archive, fs::perms::all);
        const QByteArray into = QByteArray::fromStdString(archive.string()) + "/%f";
        value("main", "ALTER SYSTEM SET archive_mode = on");
        value("main", "ALTER SYSTEM SET archive_command = 'test ! -f " + into + " && cp %p " + into + "'");
        EXPECT_OK(m_store->run("restart main"));
        value("main", "CREATE TABLE sent AS SELECT 1 AS n");
        EXPECT_OK(m_store->run("branch create sender --from main --start"));
        value("main", "INSERT INTO sent VALUES (2)");
        EXPECT_OK(m_store->run("branch create unstarted --from main")); // a crash, to be recovered
        const QByteArray last = value("main", "SELECT pg_walfile_name(pg_switch_wal())");
        QTRY_VERIFY_WITH_TIMEOUT(fs::exists(archive / last.toStdString()), 60'000);
        EXPECT_OK(m_store->run("stop main"));
        const auto ofParent = checksumsIn(archive);

        EXPECT_OK(m_store->run("branch allow sender archiving"));
        QCOMPARE(m_store->branch("sender").value("allowed").toArray(), QJsonArray{"archiving"});
        EXPECT_OK(m_store->run("undo"));
        QVERIFY(m_store->branch("sender").value("allowed").toArray().empty());
        EXPECT_OK(m_store->run("redo"));
        QCOMPARE(value("sender", "SHOW archive_mode"), QByteArray("off"));
        EXPECT_OK(m_store->run("restart sender"));
        EXPECT_OK(m_store->run("branch allow unstarted archiving"));
        EXPECT_OK(m_store->run("start unstarted"));
        std::set<QByteArray> ids{"00000001"};
        const auto archives = [&](const QString& name) -> QByteArray {
            if (value(name, "SHOW archive_mode") + value(name, "SHOW full_page_writes") != "onon")
                return "it is not allowed to";
            QByteArray segment;
            for (int round = 0; round < 3; ++round) { // those that it shares are removed on the way
                value(name, "INSERT INTO sent VALUES (10)");
                segment = value(name, "SELECT pg_walfile_name(pg_switch_wal())");
                value(name, "CHECKPOINT");
            }
            if (!QTest::qWaitFor([&] { return fs::exists(archive / segment.toStdString()); }, 60'000))
                return segment + " is not archived";
            if (!fs::exists(archive / (segment.first(8) + ".history").toStdString()))
                return "its history is not archived";
            if (value(name, "SELECT failed_count FROM pg_stat_archiver") != "0")
                return "it sends what is there";
            return ids.insert(segment.first(8)).second ? "good" : "it shares " + segment.first(8);
        };
        for (const char* name : {"sender", "unstarted"})
            QCOMPARE(archives(name), QByteArray("good"));
        QCOMPARE(value("sender", "SELECT sum(n) FROM sent"), QByteArray("31"));
        QCOMPARE(value("unstarted", "SELECT sum(n) FROM sent"), QByteArray("33"));

        // forks of it are forks like others, also of a point before it moved
        const QString before = m_store->branch("sender").value("forkLsn").toString();
        for (const auto& [at, sum] : {std::pair{before, "1"}, {QString("head"), "31"}}) {
            EXPECT_OK(m_store->run({"branch", "create", "child", "--from", "sender", "--at", at, "--start"}));
            QCOMPARE(value("child", "SELECT sum(n) FROM sent"), QByteArray(sum));
            QCOMPARE(value("child", "SHOW archive_mode"), QByteArray("off"));
            EXPECT_OK(m_store->run("branch delete child"));
        }
        EXPECT_OK(m_store->run("branch restore sender --at head")); // it writes that log anew from there
        QCOMPARE(archives("sender"), QByteArray("good"));
        EXPECT_OK(m_store->run("branch forbid sender archiving"));
        EXPECT_OK(m_store->run("restart sender"));
        QCOMPARE(value("sender", "SHOW archive_mode"), QByteArray("off"));
        QCOMPARE(value("sender", "SELECT sum(n) FROM sent"), QByteArray("61"));

        for (const auto& [name, content] : checksumsIn(archive))
            QVERIFY2(ofParent.contains(name) ? ofParent.at(name) == content : !name.starts_with("00000001"),
                     name.c_str());
        EXPECT_OK(m_store->run("start main"));
        value("main", "ALTER SYSTEM RESET ALL");
        EXPECT_OK(m_store->run("restart main"));
        for (const char* name : {"sender", "unstarted"})
            EXPECT_OK(m_store->run({"branch", "delete", name}));
    }

    // A move that a crash broke off ends at the next start, whatever is allowed by then.
    void aMoveThatBrokeOffIsFinished() {
        for (const bool hadItsId : {false, true}) {
            EXPECT_OK(m_store->run("branch create moved --from main --start"));
            value("moved", "CREATE TABLE m AS SELECT 1 AS n");
            EXPECT_OK(m_store->run("stop moved"));
            const int first = m_store->branch("moved").value("timeline").toInt() * 256;
            const QString end = m_store->branch("moved").value("headLsn").toString();
            const QString wal = QString::fromStdString(m_store->wal("moved"));
            const auto history = [&](int tli, const QString& lines) {
                m_store->asOwner(QString("printf '%1' >'%2/%3.history'")
                                     .arg(lines, wal, QString("%1").arg(tli, 8, 16, QChar('0')).toUpper()));
            };
            const QString past = "1\\t" + end + "\\tmoved\\n";
            history(first, past);
            if (hadItsId)
                history(first + 1, past + QString::number(first) + "\\t" + end + "\\tmoved\\n");
            m_store->asOwner("touch '" + QString::fromStdString(m_store->data("moved")) +
                             "/recovery.signal'");
            EXPECT_OK(m_store->run("start moved"));
            QCOMPARE(value("moved", "SELECT timeline_id FROM pg_control_checkpoint()").toInt(),
                     first + (hadItsId ? 2 : 1));
            QCOMPARE(value("moved", "INSERT INTO m VALUES (2)"), QByteArray());
            EXPECT_OK(m_store->run("branch create after --from moved --start"));
            QCOMPARE(value("after", "SELECT sum(n) FROM m"), QByteArray("3"));
            QCOMPARE(value("after", "INSERT INTO m VALUES (3)"), QByteArray());
            EXPECT_OK(m_store->run("branch create last --from after --start"));
            QCOMPARE(value("last", "SELECT sum(n) FROM m"), QByteArray("6"));
            for (const char* name : {"last", "after", "moved"})
                EXPECT_OK(m_store->run({"branch", "delete", name}));
        }
    }

    // With the log that it streams, and what stock PostgreSQL says of the copy's manifest, files and end.
    void anAllowedForkGivesABaseBackup() {
        EXPECT_OK(m_store->run("branch create backed --from main"));
        EXPECT_OK(m_store->run("branch allow backed walsenders"));
        EXPECT_OK(m_store->run("start backed"));
        value("backed", "CREATE TABLE b AS SELECT g AS n FROM generate_series(1, 1000) g");
        const fs::path backup = m_store->folder() / "backup";
        fs::create_directory(backup);
        fs::permissions(backup, fs::perms::all);
        int code = 0;
        const QByteArray said = m_store->asOwner("pg_basebackup -X stream -c fast -D '" +
                                                     QString::fromStdString(backup.string()) + "' -d '" +
                                                     QString::fromUtf8(m_store->url("backed")) + "'",
                                                 &code);
        QVERIFY2(code == 0, said.constData());
        EXPECT_OK(m_store->run({"import", QString::fromStdString(backup.string()), "copy"}));
        EXPECT_OK(m_store->run("start copy"));
        QCOMPARE(value("copy", "SELECT sum(n) FROM b"), QByteArray("500500"));
        QCOMPARE(value("copy", "INSERT INTO b VALUES (500)"), QByteArray());
        EXPECT_OK(m_store->run("branch create of-copy --from copy --start")); // its log is followed, too
        QCOMPARE(value("of-copy", "SELECT sum(n) FROM b"), QByteArray("501000"));
        EXPECT_OK(m_store->run("branch delete of-copy"));
        QCOMPARE(value("copy", "SELECT timeline_id FROM pg_control_checkpoint()"),
                 value("backed", "SELECT timeline_id FROM pg_control_checkpoint()"));
        EXPECT_OK(m_store->run("stop copy"));
        EXPECT_OK(m_store->run("branch delete copy"));
        EXPECT_OK(m_store->run("branch delete backed"));
    }

    void replicationIsAllowedByName() {
        const auto replicates = [&](const QString& branch) {
            return Sql(m_store->url(branch) + "&replication=true").isOpen();
        };
        QCOMPARE(value("main", "SELECT count(pg_create_physical_replication_slot('standby', true))"),
                 QByteArray("1"));
        EXPECT_OK(m_store->run("branch create replicated --from main"));
        const Outcome unknown = m_store->json("branch allow replicated everything");
        EXPECT_CODE(unknown, 2);
        QVERIFY2(unknown.message().contains("walsenders, replication-slots"), qPrintable(unknown.message()));
        EXPECT_CODE(m_store->json("branch allow main walsenders"), 4); // a root
        EXPECT_CODE(m_store->json("branch allow nobody walsenders"), 3);
        EXPECT_OK(m_store->run("branch allow replicated archiving primary-connection synchronous-standbys "
                               "logical-workers walsenders replication-slots scheduled-jobs"));
        EXPECT_OK(m_store->run("branch forbid replicated archiving primary-connection synchronous-standbys "
                               "logical-workers scheduled-jobs"));
        QVERIFY(
            m_store->run("branch show replicated").out.contains("allowed: walsenders, replication-slots"));
        EXPECT_OK(m_store->run("start replicated"));
        QVERIFY(replicates("replicated"));
        QCOMPARE(value("replicated", "SHOW full_page_writes"), QByteArray("on"));
        QVERIFY(value("replicated", "SELECT timeline_id FROM pg_control_checkpoint()") != "1");
        QCOMPARE(value("replicated", "SELECT slot_name FROM pg_replication_slots"), QByteArray("standby"));
        EXPECT_OK(m_store->run("branch create silent --from replicated --start"));
        QVERIFY(m_store->branch("silent").value("allowed").toArray().empty());
        QVERIFY(!replicates("silent"));
        QCOMPARE(value("silent", "SELECT count(*) FROM pg_replication_slots"), QByteArray("0"));
        QCOMPARE(value("main", "SELECT count(pg_drop_replication_slot('standby'))"), QByteArray("1"));
        EXPECT_OK(m_store->run("branch restore main --at head")); // from its first restore on it is a fork
        EXPECT_OK(m_store->run("branch allow main walsenders"));
        for (int i = 0; i < 2; ++i)
            EXPECT_OK(m_store->run("undo"));
        EXPECT_CODE(m_store->json("branch allow main walsenders"), 4);
        for (const char* name : {"silent", "replicated"})
            EXPECT_OK(m_store->run({"branch", "delete", name}));
    }
};

QTEST_GUILESS_MAIN(SystemRulesTest)
#include "system_rules_test.moc"
