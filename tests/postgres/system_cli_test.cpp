// Every command of pgarborctl against a real engine and real servers: what it does, its exit code, the shape
// of its JSON. The tests of this file share a store and stand in the order in which a person would work.
#include "system_support.h"

using namespace arbor::system_test;

namespace {

QStringList keysOf(const QJsonObject& object) {
    return object.keys();
}

QJsonObject named(const QJsonArray& list, const QString& name) {
    for (const QJsonValue& value : list)
        if (value.toObject().value("name") == name)
            return value.toObject();
    return {};
}

QJsonArray ofKind(const QJsonArray& marks, const QString& kind) {
    QJsonArray found;
    for (const QJsonValue& mark : marks)
        if (mark.toObject().value("kind") == kind)
            found.append(mark);
    return found;
}

bool isTimeWithZone(const QJsonValue& value) {
    return QDateTime::fromString(value.toString(), Qt::ISODateWithMs).isValid() &&
           (value.toString().endsWith('Z') || value.toString().contains('+'));
}

} // namespace

class SystemCliTest : public QObject {
    Q_OBJECT
    std::unique_ptr<Store> m_store;

    QByteArray value(const QString& branch, const QByteArray& statement) {
        return m_store->value(branch, statement);
    }
    // A position between what came before and what comes next.
    QString lsnNow(const QString& branch) { return value(branch, "SELECT pg_current_wal_insert_lsn()"); }

  private slots:
    void initTestCase() {
        if (const QByteArray why = obstacle(); !why.isEmpty())
            QSKIP(why.constData());
        m_store = std::make_unique<Store>();
    }
    void cleanupTestCase() { m_store.reset(); }

    void initMakesAStoreWithTheBranchMain() {
        const Outcome made = m_store->json({"init", "--", "--no-sync", "--locale=C.UTF-8"});
        EXPECT_OK(made);
        QCOMPARE(made.object().value("store").toString(), QString::fromStdString(m_store->path()));
        QCOMPARE(made.object().value("branch").toObject().value("name").toString(), QString("main"));
        QVERIFY(made.err.isEmpty());

        const QJsonArray list = m_store->json("branch list").array();
        QCOMPARE(list.size(), 1);
        const QJsonObject main = list.first().toObject();
        for (const char* key : {"name", "id", "parent", "forkLsn", "headLsn", "state", "port", "socketDir",
                                "privateBytes", "createdAt"})
            QVERIFY2(main.contains(key), key);
        QVERIFY(main.value("parent").isNull());
        QVERIFY(main.value("forkLsn").isNull());
        QCOMPARE(main.value("state").toString(), QString("stopped"));
        QVERIFY(main.value("port").toInt() > 1023); // its address is its own from the beginning
        QVERIFY(main.value("socketDir").toString().startsWith('/'));
        QVERIFY(main.value("privateBytes").isDouble());
        QVERIFY(isTimeWithZone(main.value("createdAt")));
        QVERIFY(
            QRegularExpression("^[0-9A-F]+/[0-9A-F]+$").match(main.value("headLsn").toString()).hasMatch());

        const Outcome again = m_store->json("init");
        EXPECT_CODE(again, 4);
        QCOMPARE(again.kind(), QString("already-exists"));
        QVERIFY(again.out.isEmpty());
    }

    void initCannotBeUndone() {
        const Outcome undone = m_store->json("undo");
        EXPECT_CODE(undone, 3);
        QCOMPARE(m_store->json("branch list").array().size(), 1);
        for (const QJsonValue& entry : m_store->json("log").array())
            QVERIFY(!entry.toObject().value("undoable").toBool());
    }

    void engineStatusTellsAboutTheEngine() {
        const Outcome status = m_store->json("engine status");
        EXPECT_OK(status);
        QVERIFY(status.object().value("running").toBool());
        QVERIFY(status.object().value("pid").toInteger() > 1);
        QCOMPARE(status.object().value("store").toString(), QString::fromStdString(m_store->path()));
        QVERIFY(
            QStringList({"device", "io_uring"}).contains(status.object().value("mountRequests").toString()));
        QVERIFY(m_store->run("engine status").out.contains("pid"));
    }

    void startWaitsUntilQueriesAreAnswered() {
        const Outcome started = m_store->json("start main");
        EXPECT_OK(started);
        QCOMPARE(named(started.array(), "main").value("state").toString(), QString("running"));
        QCOMPARE(value("main", "SELECT 1"), QByteArray("1"));
        EXPECT_OK(m_store->run("start main")); // again
        // also when it runs and is in recovery: a backend has crashed
        {
            Sql session(m_store->url("main"));
            Sql bystander(m_store->url("main"));
            ::kill(session.backend(), SIGKILL);
            // the postmaster has noticed when it sends everybody else away
            QVERIFY(bystander.value("SELECT pg_sleep(600)").startsWith("error"));
        }
        EXPECT_OK(m_store->run("start main"));
        QCOMPARE(value("main", "SELECT 1"), QByteArray("1"));
        const QJsonObject main = m_store->branch("main");
        QVERIFY(main.value("port").toInt() > 1023);
        QVERIFY(main.value("socketDir").toString().size() < 90);
        QCOMPARE(value("main", "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"),
                 QByteArray("t"));
        QCOMPARE(value("main", "SELECT current_user || current_database()"), QByteArray("postgrespostgres"));
        QCOMPARE(value("main", "SHOW full_page_writes"), QByteArray("off"));
        QCOMPARE(value("main", "SHOW data_checksums"), QByteArray("on"));
    }

    void urlAndEnvConnect() {
        const QByteArray url = m_store->run("url main").out.trimmed();
        QVERIFY(url.startsWith("postgresql://"));
        QCOMPARE(Sql(url).value("SELECT 1"), QByteArray("1"));
        QCOMPARE(m_store->json("url main").object().value("url").toString().toUtf8(), url);

        const QByteArray tcp = m_store->run("url main --tcp").out.trimmed();
        QVERIFY(tcp.contains("127.0.0.1"));
        QCOMPARE(Sql(tcp).value("SELECT host(inet_server_addr())"), QByteArray("127.0.0.1"));
        const QByteArray wrong = QByteArray(tcp).replace("postgres:", "postgres:x");
        QVERIFY(!Sql(wrong).isOpen());

        const QJsonObject env = m_store->json("env main").object();
        for (const char* key : {"PGHOST", "PGPORT", "PGUSER", "PGDATABASE"})
            QVERIFY2(env.value(key).isString(), key);
        QProcess psql;
        psql.start("sh",
                   {"-c", QString("export $('%1' --store '%2' env main); psql -XAtc 'SELECT 41 + 1'")
                              .arg(programPath("pgarborctl"), QString::fromStdString(m_store->path()))});
        QVERIFY(psql.waitForFinished());
        QCOMPARE(psql.readAllStandardOutput().trimmed(), QByteArray("42"));
    }

    void psqlRunsOnABranch() {
        const Outcome asked = m_store->run({"psql", "main", "--", "-XAtc", "SELECT 'it''s'"});
        EXPECT_OK(asked);
        QCOMPARE(asked.out.trimmed(), QByteArray("it's"));
        EXPECT_CODE(m_store->run({"psql", "main", "--", "-Xc", "SELECT nonsense", "-v", "ON_ERROR_STOP=1"}),
                    1);
        EXPECT_CODE(m_store->run({"psql", "nobody", "--", "-c", "SELECT 1"}), 3);
        EXPECT_OK(
            m_store->run({"psql", "main", "--", "-Xqc", "CREATE TABLE t (n int); INSERT INTO t VALUES (1)"}));
    }

    void branchesAreMadeListedAndShown() {
        const Outcome made = m_store->json("branch create feature/one --from main --start");
        EXPECT_OK(made);
        QCOMPARE(made.object().value("state").toString(), QString("running"));
        QCOMPARE(made.object().value("parent").toString(), QString("main"));
        QVERIFY(made.object().value("forkLsn").isString());
        QCOMPARE(value("feature/one", "SELECT n FROM t"), QByteArray("1"));
        value("feature/one", "DELETE FROM t");
        QCOMPARE(value("main", "SELECT count(*) FROM t"), QByteArray("1"));

        EXPECT_OK(m_store->run("branch create deep --from feature/one --expires 7d"));
        const QByteArray tree = m_store->run("branch list").out;
        QVERIFY(tree.contains("feature/one") && tree.contains("deep"));
        QVERIFY(isTimeWithZone(m_store->branch("deep").value("expiresAt")));
        // its address is its own before its first start
        QVERIFY(m_store->branch("deep").value("port").toInt() > 1023);
        QVERIFY(m_store->branch("deep").value("socketDir").toString().startsWith('/'));
        EXPECT_OK(m_store->run("branch expire deep never"));
        QVERIFY(m_store->branch("deep").value("expiresAt").isNull());

        EXPECT_CODE(m_store->run("branch create deep --from main"), 4);
        EXPECT_CODE(m_store->run("branch create other --from nobody"), 3);
        EXPECT_CODE(m_store->run("branch show nobody"), 3);
    }

    void branchesAreRenamed() {
        const Outcome renamed = m_store->json("branch rename deep deeper");
        EXPECT_OK(renamed);
        QCOMPARE(renamed.object().value("name").toString(), QString("deeper"));
        EXPECT_CODE(m_store->run("branch rename deep x"), 3);
        EXPECT_CODE(m_store->run("branch rename deeper main"), 4);
    }

    void positionsInAllTheirForms() {
        QCOMPARE(value("main", "CREATE TABLE log (step int)"), QByteArray());
        const QString before = lsnNow("main");
        Sql session(m_store->url("main"));
        session.value("BEGIN");
        session.value("INSERT INTO log VALUES (1)");
        const QString xid = session.value("SELECT pg_current_xact_id()");
        session.value("COMMIT");
        EXPECT_OK(m_store->run("checkpoint create one --branch main"));
        const QString one = lsnNow("main");
        const QString time = session.value("SELECT clock_timestamp()");
        session.value("INSERT INTO log VALUES (2)");
        const QString iso = session.value(
            "SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')");
        session.value("INSERT INTO log VALUES (3)");

        struct Case {
            QString pos;
            QByteArray steps;
        };
        int number = 0;
        for (const Case& c : {Case{before, ""},
                              {"xid:" + xid, ""},
                              {one, "1"},
                              {"checkpoint:one", "1"},
                              {time, "1"},
                              {iso, "12"},
                              {"head", "123"}}) {
            const QString name = QString("pos-%1").arg(++number);
            EXPECT_OK(m_store->run({"branch", "create", name, "--from", "main", "--at", c.pos, "--start"}));
            QCOMPARE(value(name, "SELECT coalesce(string_agg(step::text, '' ORDER BY step), '') FROM log"),
                     c.steps);
            EXPECT_OK(m_store->run({"branch", "delete", name}));
        }
        // before there was anything: refused, with the range that can be asked for
        for (const char* pos : {"-10000d", "0/1", "2001-01-01T00:00:00Z", "xid:4", "FFFF/0"}) {
            const Outcome refused =
                m_store->json({"branch", "create", "never", "--from", "main", "--at", pos});
            EXPECT_CODE(refused, 4);
            QVERIFY2(refused.message().contains('/'), qPrintable(refused.message()));
        }
        EXPECT_CODE(m_store->run("branch create never --from main --at checkpoint:two"), 3);
        EXPECT_CODE(m_store->run("branch create never --from main --at xid:4000000000"), 3);
    }

    void checkpointsAreMadeListedAndDeleted() {
        const Outcome made = m_store->json("checkpoint create release/1 --branch main");
        EXPECT_OK(made);
        for (const char* key : {"name", "branch", "lsn", "createdAt"})
            QVERIFY2(made.object().value(key).isString(), key);
        EXPECT_CODE(m_store->run("checkpoint create release/1 --branch main"), 4);
        EXPECT_CODE(m_store->run("checkpoint create x --branch nobody"), 3);
        QJsonObject listed = named(m_store->json("checkpoint list").array(), "release/1"),
                    asMade = made.object();
        QVERIFY(isTimeWithZone(listed.value("time")));
        asMade.remove("onlyBytes");
        listed.remove("onlyBytes"); // counted by and by
        QCOMPARE(listed, asMade);
        QTRY_VERIFY_WITH_TIMEOUT(
            named(m_store->json("checkpoint list").array(), "release/1").value("onlyBytes").isDouble(),
            60'000);
        QCOMPARE(m_store->json("checkpoint list --branch feature/one").array().size(), 0);
        QVERIFY(m_store->run("checkpoint list").out.contains("release/1"));
        EXPECT_OK(m_store->run("checkpoint delete release/1 --branch main"));
        EXPECT_CODE(m_store->run("checkpoint delete release/1 --branch main"), 3);
    }

    void theTimelineShowsWhatHappened() {
        value("main", "SELECT pg_create_restore_point('lunch')");
        value("main", "CREATE TABLE doomed AS SELECT generate_series(1, 10) n");
        value("main", "DROP TABLE doomed");
        EXPECT_OK(m_store->run("branch create sight --from main"));
        value("main", "SELECT pg_current_xact_id()");
        const QJsonArray marks = m_store->json("timeline main").array();
        QVERIFY(named(marks, "lunch").value("kind") == "restore-point");
        QVERIFY(named(marks, "one").value("kind") == "checkpoint");
        QVERIFY(!ofKind(marks, "commit").isEmpty());
        QVERIFY(!ofKind(marks, "fork").isEmpty());
        const QJsonArray drops = ofKind(marks, "drop");
        QVERIFY(!drops.isEmpty());
        for (const QJsonValue& mark : marks) {
            QVERIFY(mark.toObject().value("lsn").isString());
            if (const QString said = mark.toObject().value("text").toString(); said.contains(" commit"))
                QVERIFY2(said.section(' ', 0, 0).toULongLong() < 1000, qPrintable(said));
        }
        // a fork's server starts with other settings than its parent's: its log says so, and that is no
        // commit
        EXPECT_OK(m_store->run("start sight"));
        const QJsonArray ofFork = m_store->json("timeline sight").array();
        QVERIFY(!ofKind(ofFork, "start").isEmpty());
        for (const QJsonValue& commit : ofKind(ofFork, "commit"))
            QVERIFY(!commit.toObject().value("text").toString().isEmpty());
        // just before the drop the table is there
        const QString before = drops.last().toObject().value("before").toString();
        EXPECT_OK(m_store->run({"branch", "create", "saved", "--from", "main", "--at", before, "--start"}));
        QCOMPARE(value("saved", "SELECT count(*) FROM doomed"), QByteArray("10"));
        const Outcome part = m_store->json({"timeline", "main", "--from", before, "--to", "head"});
        EXPECT_OK(part);
        QVERIFY(part.array().size() < marks.size());
        QVERIFY(m_store->run("timeline main").out.contains("restore-point"));
        for (const char* name : {"sight", "saved"})
            EXPECT_OK(m_store->run({"branch", "delete", name}));
    }

    // Who restores to a mark must know what is in it by then.
    void aCommitStandsInFrontOfWhatCameLater() {
        QCOMPARE(value("main", "CREATE TABLE noted (n int)"), QByteArray());
        value("main", "SELECT pg_create_restore_point('earlier')");
        QCOMPARE(value("main", "INSERT INTO noted VALUES (1)"), QByteArray());
        value("main", "SELECT pg_create_restore_point('later')");
        value("main", "CHECKPOINT"); // nobody waits for a restore point to be in the log
        QStringList order;           // as the log has it
        for (const QJsonValue& value : m_store->json("timeline main").array())
            if (const QJsonObject mark = value.toObject(); mark.value("kind") == "commit")
                order << "commit";
            else if (mark.value("name") == "earlier" || mark.value("name") == "later")
                order << mark.value("name").toString();
        QVERIFY2(order.mid(order.indexOf("earlier")) == QStringList({"earlier", "commit", "later"}),
                 qPrintable(order.join(' ')));
    }

    void restoreAndResetKeepPortAndRunOn() {
        const int port = m_store->branch("main").value("port").toInt();
        value("main", "DROP TABLE log");
        const Outcome restored = m_store->json("branch restore main --at checkpoint:one");
        EXPECT_OK(restored);
        QCOMPARE(m_store->state("main"), QString("running"));
        QCOMPARE(m_store->branch("main").value("port").toInt(), port);
        QCOMPARE(value("main", "SELECT count(*) FROM log"), QByteArray("1"));
        EXPECT_OK(m_store->run("undo"));
        QCOMPARE(m_store->state("main"), QString("running"));
        QVERIFY(value("main", "SELECT count(*) FROM log").startsWith("error: 42P01"));
        EXPECT_OK(m_store->run("redo"));
        QCOMPARE(value("main", "SELECT count(*) FROM log"), QByteArray("1"));
        EXPECT_CODE(m_store->run("redo"), 3);

        EXPECT_CODE(m_store->run("branch reset main"), 4); // a root
        const Outcome reset = m_store->json("branch reset feature/one");
        EXPECT_OK(reset);
        QCOMPARE(m_store->state("feature/one"), QString("running"));
        QCOMPARE(value("feature/one", "SELECT count(*) FROM log"), QByteArray("1"));
    }

    void protectionRefusesWhatDestroys() {
        EXPECT_OK(m_store->run("branch protect feature/one"));
        QVERIFY(m_store->branch("feature/one").value("protected").toBool());
        for (const char* line : {"branch delete feature/one", "branch reset feature/one",
                                 "branch restore feature/one --at head"}) {
            const Outcome refused = m_store->json(line);
            EXPECT_CODE(refused, 4);
            QVERIFY(refused.message().contains("protected"));
        }
        EXPECT_OK(m_store->run("branch unprotect feature/one"));
    }

    void theTrashGivesBack() {
        EXPECT_OK(m_store->run("branch delete feature/one"));
        EXPECT_CODE(m_store->run("branch show feature/one"), 3);
        const QJsonObject entry = named(m_store->json("trash list").array(), "feature/one");
        QCOMPARE(entry.value("reason").toString(), QString("delete"));
        QVERIFY(isTimeWithZone(entry.value("deletedAt")) && isTimeWithZone(entry.value("freedAt")));
        QTRY_VERIFY_WITH_TIMEOUT(
            named(m_store->json("trash list").array(), "feature/one").value("privateBytes").isDouble(),
            60'000);
        // the child goes on
        EXPECT_OK(m_store->run("start deeper"));
        EXPECT_OK(m_store->run("trash restore feature/one"));
        EXPECT_CODE(m_store->run("trash restore nobody"), 3);
        EXPECT_OK(m_store->run("start feature/one"));
        QCOMPARE(value("feature/one", "SELECT count(*) FROM log"), QByteArray("1"));
    }

    void logUndoAndRedo() {
        EXPECT_OK(m_store->run("branch create u --from main"));
        const QJsonArray log = m_store->json("log").array();
        const QJsonObject newest = log.first().toObject();
        QVERIFY(newest.value("text").toString().contains("branch create u"));
        QVERIFY(newest.value("id").isDouble() && isTimeWithZone(newest.value("time")));
        const Outcome undone = m_store->json("undo");
        EXPECT_OK(undone);
        QCOMPARE(undone.object().value("operation").toObject().value("of").toString(),
                 newest.value("text").toString());
        EXPECT_CODE(m_store->run("branch show u"), 3);
        QVERIFY(m_store->run("redo").out.contains("branch create u"));
        EXPECT_OK(m_store->run("branch show u"));
        EXPECT_OK(m_store->run({"undo", QString::number(newest.value("id").toInteger())}));
        EXPECT_CODE(m_store->run("undo 99999"), 3);
        EXPECT_OK(m_store->run("branch create v --from main")); // clears redo
        EXPECT_CODE(m_store->run("redo"), 3);
        EXPECT_OK(m_store->run("branch delete v"));
        QVERIFY(m_store->run("log").out.contains("branch delete v"));
    }

    void settingsAreSetAndUndone() {
        const QJsonObject all = m_store->json("settings get").object();
        QCOMPARE(keysOf(all),
                 QStringList({"disk-limit", "history-bytes", "history-time", "idle-suspend", "trash-time"}));
        QCOMPARE(all.value("history-time").toString(), QString("7d"));
        QCOMPARE(all.value("history-bytes").toString(), QString("20GB"));
        QCOMPARE(all.value("trash-time").toString(), QString("7d"));
        QCOMPARE(all.value("disk-limit").toString(), QString("0"));
        QCOMPARE(all.value("idle-suspend").toString(), QString("0"));
        EXPECT_OK(m_store->run("settings set history-time 2d"));
        QVERIFY(m_store->run("settings get history-time").out.contains("2d"));
        EXPECT_OK(m_store->run("undo"));
        QCOMPARE(m_store->json("settings get history-time").object().value("history-time").toString(),
                 QString("7d"));
        EXPECT_CODE(m_store->run("settings set history-time soon"), 2);
        EXPECT_CODE(m_store->run("settings set nonsense 1"), 2);
        EXPECT_CODE(m_store->run("settings set history-bytes -1"), 2);
    }

    void jobsAreListed() {
        const Outcome jobs = m_store->json("job list");
        EXPECT_OK(jobs);
        QVERIFY(jobs.document().isArray());
        EXPECT_CODE(m_store->run("job cancel 4711"), 3);
        EXPECT_CODE(m_store->run("job cancel x"), 2);
    }

    void aPageSaysWhereItComesFromAndWhoKeepsIt() {
        EXPECT_OK(m_store->run("start main"));
        QCOMPARE(m_store->value("main", "CREATE TABLE traced AS SELECT n FROM generate_series(1, 100) n"),
                 QByteArray());
        EXPECT_OK(m_store->run("branch create tracing --from main --start"));
        QCOMPARE(m_store->value("tracing", "VACUUM (FREEZE) traced"), QByteArray());
        QCOMPARE(m_store->value("tracing", "CHECKPOINT"), QByteArray());
        const Outcome own = m_store->json("page tracing traced 0");
        EXPECT_OK(own);
        QCOMPARE(own.object().value("branch").toString(), QString("tracing"));
        const QString file = own.object().value("file").toString();
        const Outcome parents = m_store->json({"page", "main", file, "0"});
        EXPECT_OK(parents);
        QCOMPARE(parents.object().value("branch").toString(), QString("main"));
        const QByteArray text = m_store->run("page tracing traced 0").out;
        for (const char* said : {"ASKED", "KEPT BY", "head of tracing", "head of main"})
            QVERIFY2(text.contains(said), text.constData());
        for (const char* block : {"7", "999999"}) { // behind the end, and behind the first file's end
            const Outcome none = m_store->json({"page", "main", file, block});
            EXPECT_CODE(none, 3);
            QCOMPARE(none.message(), QString("%1 has no block %2 at this point").arg(file, block));
        }
        EXPECT_OK(m_store->run("branch delete tracing"));
    }

    // By the server itself, looked at once a second; ours do not count.
    void theSessionsOfARunningBranchAreCounted() {
        const auto sessions = [&] { return m_store->branch("main").value("sessions").toInt(-1); };
        QTRY_COMPARE_WITH_TIMEOUT(sessions(), 0, 60'000);
        {
            auto one = m_store->begin({"psql", "main", "--", "-XAt"});
            auto two = m_store->begin({"psql", "main", "--", "-XAt"});
            QTRY_COMPARE_WITH_TIMEOUT(sessions(), 2, 60'000);
            two->closeWriteChannel();
            QVERIFY(two->waitForFinished(60'000));
            QTRY_COMPARE_WITH_TIMEOUT(sessions(), 1, 60'000);
            one->closeWriteChannel();
            QVERIFY(one->waitForFinished(60'000));
        }
        QTRY_COMPARE_WITH_TIMEOUT(sessions(), 0, 60'000);
        EXPECT_OK(m_store->run("stop main"));
        QCOMPARE(sessions(), -1);
        EXPECT_OK(m_store->run("start main"));
    }

    // A fork replays its parent's log from the last checkpoint before it answers: the engine sees to it
    // that there is little of it, long before Postgres would; behind a bulk load somewhat later.
    void theLogThatAForkReplaysIsBounded() {
        QCOMPARE(value("main", "CREATE TABLE loaded AS SELECT n, repeat('x', 200) AS filler FROM "
                               "generate_series(1, 60000) n"),
                 QByteArray());
        QTRY_COMPARE_WITH_TIMEOUT(value("main",
                                        "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) < "
                                        "4 * 1024 * 1024 FROM pg_control_checkpoint()"),
                                  QByteArray("t"), 180'000);
        QCOMPARE(value("main", "DROP TABLE loaded"), QByteArray());
    }

    // Less than what the engine bounds by itself; whoever waits for the fork's first answer waits for less.
    void aForkThatIsStartedAtOnceHasNextToNothingToReplay() {
        QCOMPARE(value("main", "CHECKPOINT"), QByteArray());
        QCOMPARE(value("main", "CREATE TABLE bit AS SELECT n, repeat('x', 200) AS filler FROM "
                               "generate_series(1, 4000) n"),
                 QByteArray());
        const QByteArray written = value("main", "SELECT pg_current_wal_insert_lsn()");
        EXPECT_OK(m_store->run("branch create at-once --from main --start"));
        QCOMPARE(value("at-once", "SELECT count(*) FROM bit"), QByteArray("4000"));
        QCOMPARE(value("main", "SELECT redo_lsn >= '" + written + "' FROM pg_control_checkpoint()"),
                 QByteArray("t"));
        EXPECT_OK(m_store->run("branch delete at-once"));
        QCOMPARE(value("main", "DROP TABLE bit"), QByteArray());
    }

    void stopAndRestart() {
        EXPECT_OK(m_store->run("restart main"));
        QCOMPARE(m_store->state("main"), QString("running"));
        EXPECT_OK(m_store->run("stop main"));
        QCOMPARE(m_store->state("main"), QString("stopped"));
        EXPECT_OK(m_store->run("stop main")); // again
        QVERIFY(m_store->run("url main").out.startsWith("postgresql://"));
        QCOMPARE(m_store->state("main"), QString("stopped"));
        for (const char* line : {"start nobody", "stop nobody", "restart nobody", "url nobody", "env nobody",
                                 "timeline nobody", "branch delete nobody", "branch reset nobody",
                                 "branch protect nobody", "branch expire nobody 1d"})
            EXPECT_CODE(m_store->json(line), 3);
        EXPECT_OK(m_store->run("start --all"));
        for (const QJsonValue& branch : m_store->json("branch list").array())
            QCOMPARE(branch.toObject().value("state").toString(), QString("running"));
        EXPECT_OK(m_store->run("stop --all"));
        QVERIFY(processesOn(m_store->mount()).empty());
    }

    void anEngineStartsWhatRanAndAClientStartsAnEngine() {
        EXPECT_OK(m_store->run("start feature/one"));
        EXPECT_OK(m_store->run("engine stop"));
        QTRY_VERIFY(processesOn(m_store->path()).empty());
        QVERIFY(!isMounted(m_store->mount()));
        const Outcome status = m_store->json("engine status");
        EXPECT_CODE(status, 5);
        QVERIFY(!status.object().value("running").toBool(true));
        EXPECT_OK(m_store->run("engine stop"));            // nothing to do
        const Outcome list = m_store->json("branch list"); // starts one
        EXPECT_OK(list);
        QVERIFY(named(list.array(), "feature/one").value("state") != "stopped");
        QTRY_COMPARE_WITH_TIMEOUT(m_store->state("feature/one"), QString("running"), 60'000);
        QCOMPARE(m_store->state("main"), QString("stopped"));
        EXPECT_OK(m_store->run("engine stop"));
    }

    // What has stopped has let go of the store, its mount and its socket.
    void anEngineThatHasStoppedIsNotInTheWayOfTheNext() {
        for (int round = 0; round < 6; ++round) {
            EXPECT_OK(m_store->run("engine stop"));
            EXPECT_OK(m_store->run(round % 2 == 0 ? "branch list" : "start main"));
        }
        EXPECT_OK(m_store->run("engine stop"));
    }

    void theEngineRunsInTheForeground() {
        auto engine = m_store->begin({"engine", "run"});
        QTRY_COMPARE_WITH_TIMEOUT(m_store->run("engine status").code, 0, 60'000);
        // a second one is refused
        const Outcome second = m_store->run("engine run");
        QVERIFY(second.code != 0 && second.code != -1);
        ::kill(static_cast<pid_t>(engine->processId()), SIGTERM);
        QVERIFY(engine->waitForFinished(60'000));
        QCOMPARE(engine->exitCode(), 0);
        QVERIFY(!isMounted(m_store->mount()));
    }
};

QTEST_GUILESS_MAIN(SystemCliTest)
#include "system_cli_test.moc"
