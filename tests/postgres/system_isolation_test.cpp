// A fork is itself: what happens on it changes nobody else's bytes, and what its parent does to the outside
// world it does not do. Also the cases of forks that need a server to show.
#include "system_support.h"

using namespace arbor::system_test;

namespace {

std::map<std::string, QByteArray> segmentsOf(const fs::path& wal) {
    auto files = checksumsIn(wal);
    std::erase_if(files, [](const auto& file) { return file.first.size() != 24; });
    return files;
}

} // namespace

class SystemIsolationTest : public QObject {
    Q_OBJECT
    std::unique_ptr<Store> m_store;

    QByteArray value(const QString& branch, const QByteArray& statement) {
        return m_store->value(branch, statement);
    }
    QString lsnNow(const QString& branch) { return value(branch, "SELECT pg_current_wal_insert_lsn()"); }
    QByteArray log(const QString& branch) {
        return readText(m_store->path() / "log" /
                        (std::to_string(m_store->branch(branch).value("id").toInteger()) + ".log"));
    }
    QByteArray engineLog() { return readText(m_store->path() / "log" / "engine.log"); }

  private slots:
    void initTestCase() {
        if (const QByteArray why = obstacle(); !why.isEmpty())
            QSKIP(why.constData());
        m_store = std::make_unique<Store>();
        EXPECT_OK(m_store->init());
        EXPECT_OK(m_store->run("start main"));
        QCOMPARE(value("main", "CREATE TABLE items AS SELECT n AS id, repeat('a', 100) AS text "
                               "FROM generate_series(1, 20000) n"),
                 QByteArray());
        QCOMPARE(value("main", "CREATE UNLOGGED TABLE fleeting AS SELECT generate_series(1, 100) n"),
                 QByteArray());
    }
    void cleanupTestCase() { m_store.reset(); }

    void aDestructiveMigrationTouchesOnlyTheFork() {
        for (const char* name : {"sibling", "migration"})
            EXPECT_OK(m_store->run({"branch", "create", name, "--from", "main", "--start"}));
        EXPECT_OK(m_store->run("stop main"));
        EXPECT_OK(m_store->run("stop sibling"));
        const auto parent = m_store->content("main");
        const auto sibling = m_store->content("sibling");
        QVERIFY(parent.count('\n') > 800);
        const auto parentLog = segmentsOf(m_store->wal("main"));
        const auto siblingLog = segmentsOf(m_store->wal("sibling"));
        for (const char* statement :
             {"ALTER TABLE items ALTER id TYPE bigint", "UPDATE items SET text = repeat('b', 150)",
              "DELETE FROM items WHERE id % 2 = 0", "VACUUM FULL", "DROP TABLE fleeting", "CHECKPOINT",
              "CREATE DATABASE another", "DROP DATABASE another", "TRUNCATE items"})
            QCOMPARE(value("migration", statement), QByteArray());
        EXPECT_OK(m_store->run("stop migration"));
        QVERIFY(m_store->content("main") == parent);
        QVERIFY(m_store->content("sibling") == sibling);
        QVERIFY(segmentsOf(m_store->wal("main")) == parentLog);
        QVERIFY(segmentsOf(m_store->wal("sibling")) == siblingLog);
        for (const char* name : {"main", "sibling"}) {
            EXPECT_OK(m_store->run({"start", name}));
            QCOMPARE(value(name, "SELECT count(*) FROM items"), QByteArray("20000"));
        }
        EXPECT_OK(m_store->run("branch delete sibling"));
        EXPECT_OK(m_store->run("branch delete migration"));
    }

    // Case 22
    void aCommitThatWroteNoPageIsOnAForkOfTheHead() {
        Sql session(m_store->url("main"));
        session.value("CREATE TABLE quick (n int)");
        for (int i = 1; i <= 3; ++i) {
            const QString name = QString("quick-%1").arg(i);
            QCOMPARE(session.value("INSERT INTO quick VALUES (" + QByteArray::number(i) + ")"), QByteArray());
            EXPECT_OK(m_store->run({"branch", "create", name, "--from", "main"}));
        }
        for (int i = 1; i <= 3; ++i) {
            const QString name = QString("quick-%1").arg(i);
            EXPECT_OK(m_store->run({"start", name}));
            QCOMPARE(value(name, "SELECT count(*) FROM quick").toInt(), i);
            EXPECT_OK(m_store->run({"branch", "delete", name}));
        }
    }

    // Case 5
    void writesAtTheSameLsnDoNotReachAnEarlierFork() {
        value("main", "CHECKPOINT");
        EXPECT_OK(m_store->run("branch create idle --from main"));
        EXPECT_OK(m_store->run("start idle"));
        EXPECT_OK(m_store->run("stop idle"));
        const auto before = m_store->content("idle");
        value("main", "UPDATE fleeting SET n = n + 1"); // pages without log
        value("main", "CHECKPOINT");
        EXPECT_OK(m_store->run("restart main")); // pg_control, twice
        QVERIFY(m_store->content("idle") == before);
        EXPECT_OK(m_store->run("branch delete idle"));
    }

    // Case 6
    void unloggedRowsSurviveAtACheckpointOfAStoppedBranch() {
        value("main", "INSERT INTO fleeting SELECT generate_series(1, 50)");
        const QByteArray rows = value("main", "SELECT count(*) FROM fleeting");
        QVERIFY(rows.toInt() >= 50);
        EXPECT_OK(m_store->run("stop main"));
        EXPECT_OK(m_store->run("checkpoint create clean --branch main"));
        EXPECT_OK(m_store->run("start main"));
        value("main", "TRUNCATE fleeting");
        EXPECT_OK(m_store->run("branch create kept --from main --at checkpoint:clean --start"));
        QCOMPARE(value("kept", "SELECT count(*) FROM fleeting"), rows);
        QCOMPARE(value("kept", "SELECT count(*) FROM items"), QByteArray("20000"));
        EXPECT_OK(m_store->run("branch create lost --from main --start"));
        QCOMPARE(value("lost", "SELECT count(*) FROM fleeting"), QByteArray("0"));
        for (const char* name : {"kept", "lost"})
            EXPECT_OK(m_store->run({"branch", "delete", name}));
    }

    // Case 23
    void transactionsOfEveryKindAreFound() {
        Sql session(m_store->url("main"));
        session.value("CREATE TABLE kinds (what text)");
        session.value("BEGIN");
        session.value("INSERT INTO kinds VALUES ('outer')");
        const QByteArray outer = session.value("SELECT pg_current_xact_id()");
        session.value("SAVEPOINT s");
        session.value("INSERT INTO kinds VALUES ('inner')");
        const QByteArray inner = session.value("SELECT xmin FROM kinds WHERE what = 'inner'");
        session.value("COMMIT");
        QVERIFY(inner.toInt() > outer.toInt());
        session.value("BEGIN");
        session.value("INSERT INTO kinds VALUES ('aborted')");
        const QByteArray aborted = session.value("SELECT pg_current_xact_id()");
        session.value("ROLLBACK");
        const auto kindsAt = [&](const QByteArray& xid) -> QByteArray {
            const Outcome made = m_store->run({"branch", "create", "k", "--from", "main", "--at",
                                               "xid:" + QString::fromUtf8(xid), "--start"});
            if (made.code != 0)
                return "exit code " + QByteArray::number(made.code);
            const QByteArray count = value("k", "SELECT count(*) FROM kinds");
            m_store->run("branch delete k");
            return count;
        };
        QCOMPARE(kindsAt(outer), QByteArray("0"));
        QCOMPARE(kindsAt(inner), QByteArray("0")); // of the transaction that it is a part of
        QCOMPARE(kindsAt(aborted), QByteArray("exit code 3"));
    }

    // Case 19
    void databasesAreWholeAtEveryPoint() {
        Sql session(m_store->url("main"));
        for (const char* strategy : {"wal_log", "file_copy"}) {
            const QString before = lsnNow("main");
            QCOMPARE(session.value("CREATE DATABASE shop STRATEGY " + QByteArray(strategy)), QByteArray());
            const QString between = lsnNow("main");
            {
                Sql shop(m_store->url("main", "shop"));
                QCOMPARE(shop.value("CREATE TABLE goods AS SELECT generate_series(1, 100) n"), QByteArray());
            }
            const QString filled = lsnNow("main");
            const QByteArray next = session.value("SELECT pg_snapshot_xmax(pg_current_snapshot())");
            QCOMPARE(session.value("DROP DATABASE shop"), QByteArray());
            const auto goods = [&](const QString& at) -> QByteArray {
                const Outcome made =
                    m_store->run({"branch", "create", "d", "--from", "main", "--at", at, "--start"});
                if (made.code != 0)
                    return made.text();
                QByteArray answer = value("d", "SELECT count(*) FROM pg_database WHERE datname = 'shop'");
                if (answer == "1") {
                    Sql shop(m_store->url("d", "shop"));
                    answer += " " + shop.value("SELECT count(*) FROM pg_class WHERE relname = 'goods'");
                }
                m_store->run("branch delete d");
                return answer;
            };
            QCOMPARE(goods(before), QByteArray("0"));
            QCOMPARE(goods(between), QByteArray("1 0"));
            QCOMPARE(goods(filled), QByteArray("1 1"));
            QCOMPARE(goods("xid:" + QString::fromUtf8(next)), QByteArray("1 1"));
            // the mark on the timeline is a point at which the database is whole
            const QJsonArray marks = m_store->json("timeline main").array();
            QString mark;
            for (const QJsonValue& value : marks)
                if (value.toObject().value("text").toString().startsWith("DROP DATABASE"))
                    mark = value.toObject().value("before").toString();
            QVERIFY(!mark.isEmpty());
            QCOMPARE(goods(mark), QByteArray("1 1"));
            QCOMPARE(goods("head"), QByteArray("0"));
        }
    }

    // Case 21, and archiving
    void aForkDoesNotActOnTheOutsideWorld() {
        const fs::path archive = m_store->folder() / "archive";
        fs::create_directory(archive);
        fs::permissions(archive, fs::perms::all);
        Sql session(m_store->url("main"));
        for (const QByteArray& statement : std::vector<QByteArray>{
                 "ALTER SYSTEM SET archive_mode = on",
                 "ALTER SYSTEM SET archive_command = 'cp %p " + QByteArray::fromStdString(archive.string()) +
                     "/$PPID-%f'",
                 "ALTER SYSTEM SET wal_level = logical", "ALTER SYSTEM SET max_prepared_transactions = 10",
                 "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'"})
            QCOMPARE(session.value(statement), QByteArray());
        EXPECT_OK(m_store->run("restart main"));
        // pages or log of a root that archives leave the store: they need full page images
        QCOMPARE(value("main", "SHOW full_page_writes"), QByteArray("on"));
        QCOMPARE(value("main", "SELECT count(pg_create_physical_replication_slot('physical', true))"),
                 QByteArray("1"));
        QCOMPARE(
            value("main", "SELECT count(pg_create_logical_replication_slot('logical', 'test_decoding'))"),
            QByteArray("1"));
        {
            Sql preparing(m_store->url("main"));
            preparing.value("BEGIN");
            preparing.value("INSERT INTO items VALUES (0, 'prepared')");
            QCOMPARE(preparing.value("PREPARE TRANSACTION 'waiting'"), QByteArray());
        }
        QCOMPARE(value("main", "CREATE SUBSCRIPTION far CONNECTION 'host=127.0.0.1 port=1' PUBLICATION p "
                               "WITH (connect = false, slot_name = 'far')"),
                 QByteArray());
        QCOMPARE(value("main", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"), QByteArray());
        const QString beforeFork = lsnNow("main");
        const Outcome started = m_store->run("branch create quiet --from main --start");
        EXPECT_OK(started);
        QCOMPARE(value("main", "ALTER SYSTEM RESET synchronous_standby_names"), QByteArray());

        QCOMPARE(value("quiet", "SHOW archive_mode"), QByteArray("off"));
        QCOMPARE(value("quiet", "SHOW full_page_writes"), QByteArray("off"));
        QCOMPARE(value("quiet", "SELECT count(*) FROM pg_replication_slots"), QByteArray("0"));
        QCOMPARE(value("main", "SELECT count(*) FROM pg_replication_slots"), QByteArray("2"));
        QCOMPARE(value("quiet", "SHOW primary_conninfo"), QByteArray());
        QCOMPARE(value("quiet", "SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'logical%'"),
                 QByteArray("0"));
        QCOMPARE(value("quiet", "INSERT INTO items VALUES (-1, 'no standby is waited for')"), QByteArray());
        QVERIFY(value("quiet", "SHOW port") != value("main", "SHOW port"));
        const Outcome shown = m_store->run("branch show quiet");
        for (const QByteArray& said : {engineLog(), started.out, shown.out}) {
            QVERIFY(said.contains("subscription far"));
            QVERIFY(said.contains("prepared transaction waiting"));
        }
        QCOMPARE(m_store->json("branch show quiet").object().value("warnings").toArray().size(), 2);
        // it finishes here what its parent has still open
        QCOMPARE(value("quiet", "ROLLBACK PREPARED 'waiting'"), QByteArray());
        QCOMPARE(value("main", "SELECT count(*) FROM pg_prepared_xacts"), QByteArray("1"));

        const auto archived = [&] { return std::distance(fs::directory_iterator(archive), {}); };
        value("main", "SELECT pg_switch_wal()");
        QTRY_VERIFY_WITH_TIMEOUT(archived() > 0, 60'000);
        value("quiet", "SELECT pg_switch_wal()");
        value("quiet", "CHECKPOINT");
        std::set<std::string> archivers;
        for (const auto& entry : fs::directory_iterator(archive))
            archivers.insert(
                entry.path().filename().string().substr(0, entry.path().filename().string().find('-')));
        QCOMPARE(archivers.size(), 1u);

        // a root that is restored goes on as a fork: it says what that turns off, and undo turns it on
        const Outcome restored = m_store->run("branch restore main --at head");
        EXPECT_OK(restored);
        QVERIFY2(restored.out.contains("archiving, replication slots"), restored.out.constData());
        QCOMPARE(value("main", "SHOW archive_mode"), QByteArray("off"));
        EXPECT_OK(m_store->run("undo"));
        QCOMPARE(value("main", "SHOW archive_mode"), QByteArray("on"));

        Sql last(m_store->url("main"));
        for (const char* statement :
             {"ROLLBACK PREPARED 'waiting'", "SELECT count(pg_drop_replication_slot('physical'))",
              "SELECT count(pg_drop_replication_slot('logical'))",
              "ALTER SUBSCRIPTION far SET (slot_name = NONE)", "DROP SUBSCRIPTION far",
              "ALTER SYSTEM RESET ALL"})
            QVERIFY2(!last.value(statement).startsWith("error"), statement);
        EXPECT_OK(m_store->run("branch delete quiet"));
        EXPECT_OK(m_store->run("restart main"));
        QCOMPARE(value("main", "SHOW full_page_writes"), QByteArray("off"));
    }

    // Case 18
    void aConfigurationThatNamesTheParentLeadsNowhere() {
        const std::string data = m_store->data("main").string();
        const QString lines = QString("data_directory = '%1'\nhba_file = '%1/pg_hba.conf'\n"
                                      "external_pid_file = '%1/pid'\nport = 1\nlogging_collector = on\n"
                                      "log_directory = '%1/log'\nunix_socket_directories = '/nowhere'\n")
                                  .arg(QString::fromStdString(data));
        m_store->asOwner(
            QString("cat >>'%1/postgresql.conf' <<'END'\n%2END\n").arg(QString::fromStdString(data), lines));
        EXPECT_OK(m_store->run("restart main"));
        EXPECT_OK(m_store->run("branch create itself --from main --start"));
        QCOMPARE(value("itself", "SHOW data_directory"),
                 QByteArray::fromStdString(m_store->data("itself").string()));
        QCOMPARE(value("main", "SHOW data_directory"), QByteArray::fromStdString(data));
        QCOMPARE(value("itself", "SHOW logging_collector"), QByteArray("off"));
        QVERIFY(m_store->asOwner("ls '" + QString::fromStdString(data) + "/pid'").contains("No such file"));
        QVERIFY(!log("itself").contains("external PID file"));
        EXPECT_OK(m_store->run("branch delete itself"));
    }

    void anOutsideTablespaceIsRefusedInWords() {
        const fs::path outside = m_store->folder() / "outside";
        fs::create_directory(outside);
        struct stat owner {};
        ::stat((m_store->path() / "FORMAT").c_str(), &owner);
        QVERIFY(::geteuid() != 0 || ::chown(outside.c_str(), owner.st_uid, owner.st_gid) == 0);
        const QByteArray refused = value("main", "CREATE TABLESPACE far LOCATION '" +
                                                     QByteArray::fromStdString(outside.string()) + "'");
        QVERIFY2(refused.contains("Operation not permitted"), refused.constData());
        QVERIFY(log("main").contains("allow_in_place_tablespaces"));
        QVERIFY(engineLog().contains("allow_in_place_tablespaces"));
        Sql session(m_store->url("main"));
        QCOMPARE(session.value("SET allow_in_place_tablespaces = on"), QByteArray());
        QCOMPARE(session.value("CREATE TABLESPACE near LOCATION ''"), QByteArray());
        QCOMPARE(session.value("CREATE TABLE inside TABLESPACE near AS SELECT generate_series(1, 1000) n"),
                 QByteArray());
        EXPECT_OK(m_store->run("branch create t --from main --start"));
        QCOMPARE(value("t", "DROP TABLE inside"), QByteArray());
        QCOMPARE(value("main", "SELECT count(*) FROM inside"), QByteArray("1000"));
        // one may spill there, and it can be dropped again
        Sql fork(m_store->url("t"));
        for (const char* statement :
             {"SET temp_tablespaces = near", "SET work_mem = '64kB'",
              "SELECT count(*) FROM (SELECT g FROM generate_series(1, 100000) g ORDER BY g::text OFFSET 0) s",
              "DROP TABLESPACE near"}) {
            const QByteArray said = fork.value(statement);
            QVERIFY2(!said.startsWith("error"), said.constData());
        }
        EXPECT_OK(m_store->run("branch delete t"));
    }

    // Case 11
    void aServerStartedByHandIsRefused() {
        const QJsonArray installations = m_store->json("engine status").object().value("pgBinDirs").toArray();
        const QString bin = installations.first().toObject().value("path").toString();
        EXPECT_OK(m_store->run("branch create byhand --from main --start"));
        const QString data = QString::fromStdString(m_store->data("byhand").string());
        EXPECT_OK(m_store->run("stop byhand"));
        for (const QString& command :
             {bin + "/postgres -D " + data + " -c unix_socket_directories= -c listen_addresses=",
              bin + "/postgres --single -D " + data + " postgres"}) {
            int code = 0;
            const QByteArray said = m_store->asOwner(command, &code);
            QVERIFY(code > 0);
            QVERIFY2(said.contains("postmaster.pid"), said.constData());
        }
        EXPECT_OK(m_store->run("start byhand"));
        QCOMPARE(value("byhand", "SELECT count(*) FROM items"), QByteArray("20000"));
        EXPECT_OK(m_store->run("branch delete byhand"));
    }

    // Case 12: the parameter change is the first thing that a fork of a stopped parent writes.
    void aParameterChangeOnAForkOfAStoppedParentLeavesTheParentAlone() {
        value("main", "SELECT pg_switch_wal()"); // so that it resumes near the edge of a segment
        EXPECT_OK(m_store->run("stop main"));
        const auto parent = m_store->content("main");
        const auto parentLog = segmentsOf(m_store->wal("main"));
        EXPECT_OK(m_store->run("branch create changed --from main --start"));
        QCOMPARE(value("changed", "ALTER SYSTEM SET max_connections = 77"), QByteArray());
        QCOMPARE(value("changed", "ALTER SYSTEM SET max_prepared_transactions = 7"), QByteArray());
        EXPECT_OK(m_store->run("restart changed"));
        QCOMPARE(value("changed", "SHOW max_connections"), QByteArray("77"));
        QVERIFY(m_store->content("main") == parent);
        QVERIFY(segmentsOf(m_store->wal("main")) == parentLog);
        EXPECT_OK(m_store->run("start main"));
        QCOMPARE(value("main", "SHOW max_connections"), QByteArray("100"));
        EXPECT_OK(m_store->run("branch delete changed"));
    }

    // Case 16
    void aParentThatLosesItsLogDoesNotHarmAFork() {
        EXPECT_OK(m_store->run("branch create parent --from main --start"));
        // its checkpoints would remove the segments that are to be lost
        QCOMPARE(value("parent", "ALTER SYSTEM SET wal_keep_size = '256MB'"), QByteArray());
        QCOMPARE(value("parent", "SELECT pg_reload_conf()"), QByteArray("t"));
        QCOMPARE(value("parent", "CREATE TABLE late AS SELECT generate_series(1, 5000) n"), QByteArray());
        EXPECT_OK(m_store->run("branch create child --from parent"));
        value("parent", "SELECT pg_switch_wal()");
        value("parent", "INSERT INTO late SELECT generate_series(1, 100000)");
        value("parent", "SELECT pg_switch_wal()");
        value("parent", "INSERT INTO late VALUES (0)");
        EXPECT_OK(m_store->run("stop parent"));
        // as a power cut under fsync=off leaves it: the last two segments are gone
        const fs::path wal = m_store->wal("parent");
        auto segments = segmentsOf(wal);
        QVERIFY(segments.size() >= 2);
        for (int i = 0; i < 2; ++i) {
            const auto last = std::prev(segments.end());
            fs::remove(wal / last->first);
            segments.erase(last);
        }
        EXPECT_OK(m_store->run("start child"));
        QCOMPARE(value("child", "SELECT count(*) FROM late"), QByteArray("5000"));
        EXPECT_OK(m_store->run("branch delete child"));
        EXPECT_OK(m_store->run("branch delete parent"));
    }

    // Case 10
    void segmentSizesAreTheStoresOwn() {
        Store other;
        EXPECT_CODE(other.run({"init", "--", "--wal-segsize=64"}), 2);
        QVERIFY(!fs::exists(other.path() / "FORMAT"));
    }

    // Case 28
    void aSymbolicLinkInTheLogLeadsNowhere() {
        const fs::path secret = m_store->folder() / "secret";
        std::ofstream(secret) << "secret";
        EXPECT_OK(m_store->run("branch create led --from main --start"));
        const fs::path wal = m_store->wal("led");
        value("led", "SELECT pg_switch_wal()");
        value("led", "CHECKPOINT");
        EXPECT_OK(m_store->run("stop led"));
        const auto segments = segmentsOf(wal);
        const fs::path segment = wal / segments.rbegin()->first;
        fs::remove(segment);
        fs::create_symlink(secret, segment);
        const Outcome started = m_store->run("start led");
        QVERIFY(started.code != 0);
        QVERIFY(started.code != -1);
        QCOMPARE(readText(secret), QByteArray("secret"));
        QCOMPARE(m_store->run("branch list").code, 0);
        EXPECT_OK(m_store->run("branch delete led"));
    }

    // Case 20: a branch that was a standby and is promoted has two timelines of Postgres.
    void historyGoesOnOverAPromotion() {
        EXPECT_OK(m_store->run("branch create promoted --from main --start"));
        QCOMPARE(value("promoted", "CREATE TABLE t AS SELECT 1 AS n"), QByteArray());
        const fs::path data = m_store->data("promoted");
        EXPECT_OK(m_store->run("stop promoted"));
        m_store->asOwner("touch '" + QString::fromStdString(data) + "/standby.signal'");
        EXPECT_OK(m_store->run("start promoted"));
        QCOMPARE(value("promoted", "SELECT pg_is_in_recovery()"), QByteArray("t"));
        QCOMPARE(value("promoted", "SELECT pg_promote()"), QByteArray("t"));
        // Points before the checkpoint that ends the promotion, which PostgreSQL makes beside the first
        // transactions, and after it.
        std::vector<std::pair<QString, QByteArray>> points;
        int sum = 1;
        const auto insert = [&](int n) {
            QCOMPARE(value("promoted", "INSERT INTO t VALUES (" + QByteArray::number(n) + ")"), QByteArray());
            points.emplace_back(lsnNow("promoted"), QByteArray::number(sum += n));
        };
        for (int n = 2; n < 5; ++n)
            insert(n);
        QTRY_COMPARE(value("promoted", "SELECT timeline_id FROM pg_control_checkpoint()"), QByteArray("2"));
        insert(5);
        value("promoted", "CHECKPOINT");
        insert(6);
        points.emplace_back("head", points.back().second);
        for (const auto& [at, expected] : points) {
            EXPECT_OK(
                m_store->run({"branch", "create", "after", "--from", "promoted", "--at", at, "--start"}));
            QCOMPARE(value("after", "SELECT sum(n) FROM t"), expected);
            EXPECT_OK(m_store->run("branch delete after"));
        }
        EXPECT_OK(m_store->run("restart promoted"));
        QCOMPARE(value("promoted", "SELECT sum(n) FROM t"), QByteArray::number(sum));
        EXPECT_OK(m_store->run("branch delete promoted"));
    }

    // Case 25
    void longNamesAndDeepStores() {
        const fs::path deep = m_store->folder() / std::string(80, 'd') / std::string(80, 'e');
        fs::create_directories(deep);
        Store other(deep);
        EXPECT_OK(other.init());
        const QString longest(63, 'n');
        EXPECT_OK(other.run({"branch", "create", longest, "--from", "main", "--start"}));
        QCOMPARE(other.value(longest, "SELECT 1"), QByteArray("1"));
        // lock files as a reboot leaves them: a pid that is somebody else's now
        const fs::path data = other.data(longest);
        ::kill(other.postmaster(longest), SIGKILL);
        QTRY_VERIFY(other.state(longest) != "running");
        other.asOwner(QString("printf '%1\\n%2\\n1\\n1\\n/tmp\\n\\n\\nready\\n' >'%2/postmaster.pid'")
                          .arg(::getppid())
                          .arg(QString::fromStdString(data)));
        EXPECT_OK(other.run({"start", longest}));
        QCOMPARE(other.value(longest, "SELECT 1"), QByteArray("1"));
    }
};

QTEST_GUILESS_MAIN(SystemIsolationTest)
#include "system_isolation_test.moc"
