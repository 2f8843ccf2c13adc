// What branches cost, with real servers: the accounts are compared with the files on disk, predictions with
// what removing gives back, to the byte.
#include "system_support.h"

#include <QElapsedTimer>

#include <algorithm>
#include <map>
#include <numeric>
#include <random>

using namespace arbor;
using namespace arbor::system_test;

namespace {

qint64 number(const QJsonObject& object, const char* member) {
    return object.value(QLatin1String(member)).toInteger(-1);
}

// pages/ and each file of the log once, however many links it has.
qint64 bytesOnDisk(const Store& store) {
    qint64 bytes = 0;
    std::set<ino_t> seen;
    for (const char* tree : {"pages", "wal", "walkeep"}) {
        std::error_code ignored;
        for (const auto& entry : fs::recursive_directory_iterator(store.path() / tree, ignored)) {
            struct stat info {};
            if (::lstat(entry.path().c_str(), &info) == 0 && S_ISREG(info.st_mode) &&
                seen.insert(info.st_ino).second)
                bytes += info.st_size;
        }
    }
    return bytes;
}

// Private of every branch + shared + history + garbage = bytes on disk. Nothing runs.
QString identityFault(const Store& store) {
    const Outcome outcome = store.json("stats");
    if (outcome.code != 0)
        return QString::fromUtf8(outcome.text());
    const QJsonObject stats = outcome.object();
    qint64 sum = number(stats, "sharedBytes") + number(stats, "historyBytes") + number(stats, "garbageBytes");
    for (const QJsonValue& branch : stats.value("branches").toArray())
        sum += number(branch.toObject(), "privateBytes");
    const qint64 disk = bytesOnDisk(store);
    if (sum == number(stats, "diskBytes") && sum == disk)
        return {};
    return QString("the accounts say %1, their sum is %2, and on disk there are %3 bytes:\n%4")
        .arg(number(stats, "diskBytes"))
        .arg(sum)
        .arg(disk)
        .arg(QString::fromUtf8(outcome.out));
}
#define VERIFY_IDENTITY(store)                        \
    do {                                              \
        const QString fault = identityFault(store);   \
        QVERIFY2(fault.isEmpty(), qPrintable(fault)); \
    } while (false)

QStringList withWithout(QStringList command, const QStringList& without) {
    for (const QString& what : without)
        command << "--without" << what;
    return command;
}

QJsonObject plan(const Store& store, const QStringList& without = {}) {
    return store.json(withWithout({"gc", "plan"}, without)).object();
}

// Removes, and compares what was said before with what came free.
QString removalFault(const Store& store, const QStringList& without) {
    const qint64 predicted = number(plan(store, without), "freeBytes");
    const qint64 before = bytesOnDisk(store);
    const Outcome run = store.json(withWithout({"gc", "run"}, without));
    if (run.code != 0)
        return QString::fromUtf8(run.text());
    const qint64 freed = number(run.object(), "freedBytes");
    const qint64 gone = before - bytesOnDisk(store);
    if (predicted == freed && predicted == gone && predicted == number(run.object(), "plannedBytes"))
        return {};
    return QString("without %1: %2 bytes were predicted, %3 planned, %4 freed, and %5 are gone from the disk")
        .arg(without.join(' '))
        .arg(predicted)
        .arg(number(run.object(), "plannedBytes"))
        .arg(freed)
        .arg(gone);
}
#define VERIFY_REMOVAL(store, ...)                              \
    do {                                                        \
        const QString fault = removalFault(store, __VA_ARGS__); \
        QVERIFY2(fault.isEmpty(), qPrintable(fault));           \
    } while (false)

} // namespace

class SystemCostsTest : public QObject {
    Q_OBJECT

    std::unique_ptr<Store> m_store;
    std::mt19937_64 m_random;

    int below(int end) { return std::uniform_int_distribution<int>(0, end - 1)(m_random); }

    QStringList names() const {
        QStringList names;
        const QJsonArray branches = m_store->json("branch list").array();
        for (const QJsonValue& branch : branches)
            names << branch.toObject().value("name").toString();
        return names;
    }
    // Rows that do not compress away, on one branch; its server stops again.
    void work(const QString& name, int rows) {
        EXPECT_OK(m_store->run({"start", name}));
        {
            Sql sql = m_store->sql(name);
            QVERIFY2(sql.isOpen(), sql.problem());
            const QByteArray count = QByteArray::number(rows);
            const QList<QByteArray> statements{
                "CREATE TABLE IF NOT EXISTS t (id bigserial PRIMARY KEY, x text)",
                "INSERT INTO t (x) SELECT string_agg(md5(random()::text), '') FROM generate_series(1, " +
                    count + " * 8) g GROUP BY g % " + count,
                "UPDATE t SET x = x || 'y' WHERE id % 3 = " + QByteArray::number(below(3)), "CHECKPOINT"};
            for (const QByteArray& statement : statements) {
                const QByteArray answer = sql.value(statement);
                QVERIFY2(!answer.startsWith("error"), answer);
            }
            if (below(3) == 0)
                QVERIFY(!sql.value("CREATE INDEX ON t (x)").startsWith("error"));
        }
        EXPECT_OK(m_store->run({"stop", name}));
    }
    void makeStore() {
        m_store = std::make_unique<Store>();
        EXPECT_OK(m_store->init());
        EXPECT_OK(m_store->run("stop --all"));
    }

  private Q_SLOTS:
    void initTestCase() {
        if (const QByteArray why = obstacle(); !why.isEmpty())
            QSKIP(why);
        const auto seed = test::givenSeed().value_or(test::randomSeed());
        qInfo("ARBOR_SEED=%llu repeats this run", static_cast<unsigned long long>(seed));
        m_random.seed(seed);
    }
    void cleanup() { m_store.reset(); }

    // A dozen branches of random work: the identity and every prediction, before and after every removal,
    // restore, undo and sweep, and after the engine was killed.
    void accountsAndPredictionsHoldToTheByte() {
        makeStore();
        work("main", 600);
        for (int i = 1; i < 12; ++i) {
            const QStringList all = names();
            const QString from = all.at(below(static_cast<int>(all.size())));
            const QString name = QString("b%1").arg(i);
            EXPECT_OK(m_store->run({"branch", "create", name, "--from", from}));
            if (below(3) != 0)
                work(name, 50 + below(400));
            if (below(3) == 0)
                EXPECT_OK(m_store->run({"checkpoint", "create", "mark", "--branch", name}));
        }
        VERIFY_IDENTITY(*m_store);
        VERIFY_REMOVAL(*m_store, {});
        VERIFY_IDENTITY(*m_store);

        // a restore keeps the head before it; what it would cost to be without that is known
        EXPECT_OK(m_store->run("checkpoint create before --branch main"));
        work("main", 300);
        EXPECT_OK(m_store->run("branch restore main --at checkpoint:before"));
        VERIFY_IDENTITY(*m_store);
        EXPECT_OK(m_store->run("undo"));
        VERIFY_IDENTITY(*m_store);
        EXPECT_OK(m_store->run("redo"));
        VERIFY_IDENTITY(*m_store);
        VERIFY_REMOVAL(*m_store, {"trash"});
        VERIFY_IDENTITY(*m_store);

        EXPECT_OK(m_store->run("settings set history-time 0"));
        VERIFY_REMOVAL(*m_store, {});
        for (int round = 0; round < 4; ++round) {
            QStringList without;
            const QJsonArray removable = plan(*m_store).value("removable").toArray();
            for (const QJsonValue& one : removable)
                if (!one.toObject().value("kept").toBool() && below(4) == 0)
                    without << one.toObject().value("what").toString();
            VERIFY_REMOVAL(*m_store, without);
            VERIFY_IDENTITY(*m_store);
        }

        // killed in the middle of a sweep that has something to do
        for (const QString& name : names())
            if (name != "main")
                EXPECT_OK(m_store->run({"branch", "delete", name}));
        EXPECT_OK(m_store->run("settings set trash-time 0"));
        const pid_t engine = m_store->engine();
        const auto sweeping = m_store->begin({"gc", "run"});
        QTest::qWait(below(60));
        ::kill(engine, SIGKILL);
        Store::finish(*sweeping);
        EXPECT_OK(m_store->run("gc run"));
        EXPECT_OK(m_store->run("stop --all"));
        VERIFY_IDENTITY(*m_store);
        QCOMPARE(number(plan(*m_store), "freeBytes"), 0);
    }

    // What only two of them keep goes with the second, whichever that is; both say so before.
    void twoThatShareFreeMoreTogether_data() {
        QTest::addColumn<QStringList>("order");
        QTest::newRow("left first") << QStringList{"branch:left", "branch:right"};
        QTest::newRow("right first") << QStringList{"branch:right", "branch:left"};
    }
    void twoThatShareFreeMoreTogether() {
        QFETCH(QStringList, order);
        makeStore();
        EXPECT_OK(m_store->run("settings set history-time 0"));
        EXPECT_OK(m_store->run("branch create base --from main"));
        work("base", 20'000);
        for (const char* name : {"left", "right"})
            EXPECT_OK(m_store->run({"branch", "create", name, "--from", "base"}));
        EXPECT_OK(m_store->run("start left"));
        QCOMPARE(m_store->value("left", "CREATE TABLE own AS SELECT generate_series(1, 1000)"), QByteArray());
        EXPECT_OK(m_store->run("stop left"));
        VERIFY_REMOVAL(*m_store, {"branch:base"});

        const qint64 first = number(plan(*m_store, {order[0]}), "releasedBytes");
        const qint64 second = number(plan(*m_store, {order[1]}), "releasedBytes");
        const QJsonObject both = plan(*m_store, order);
        const qint64 together = number(both, "releasedBytes");
        QVERIFY2(together > first + second + (1 << 20),
                 qPrintable(QString("%1 and %2, together %3").arg(first).arg(second).arg(together)));
        for (const QJsonValue& value : plan(*m_store).value("removable").toArray()) {
            const QJsonObject one = value.toObject();
            if (order.contains(one.value("what").toString()))
                QCOMPARE(number(one, "onlyBytes"), one.value("what") == order[0] ? first : second);
        }
        VERIFY_REMOVAL(*m_store, {order[0]});
        QCOMPARE(number(plan(*m_store, {order[1]}), "releasedBytes"), together - first);
        VERIFY_REMOVAL(*m_store, {order[1]});
        VERIFY_IDENTITY(*m_store);
    }

    // "free this much": the list does it, nothing on it is idle, protected ones are never on it, and its sum
    // is what comes free.
    void aListFreesWhatItSays() {
        makeStore();
        EXPECT_OK(m_store->run("settings set history-time 0"));
        QStringList all;
        for (int i = 0; i < 6; ++i) {
            const QString name = QString("b%1").arg(i);
            EXPECT_OK(m_store->run({"branch", "create", name, "--from", "main"}));
            work(name, 100 + 300 * below(4));
            all << "branch:" + name;
        }
        EXPECT_OK(m_store->run("branch protect b1"));
        all.removeAll("branch:b1");
        const qint64 most = number(plan(*m_store, all), "freeBytes");
        const qint64 wanted = most / 2;
        const QJsonObject proposal =
            m_store->json({"gc", "plan", "--free", QString("%1B").arg(wanted)}).object();
        QVERIFY(proposal.value("enough").toBool());
        QStringList chosen;
        for (const QJsonValue& one : proposal.value("proposed").toArray())
            chosen << one.toObject().value("what").toString();
        QVERIFY(!chosen.isEmpty());
        QVERIFY(!chosen.contains("branch:b1"));
        QVERIFY(!chosen.contains("branch:main"));
        QVERIFY(number(proposal, "freeBytes") >= wanted);
        for (const QString& one : chosen) {
            QStringList fewer = chosen;
            fewer.removeAll(one);
            QVERIFY2(number(plan(*m_store, fewer), "freeBytes") < wanted, qPrintable(one + " is not needed"));
        }
        QCOMPARE(number(plan(*m_store, chosen), "freeBytes"), number(proposal, "freeBytes"));
        VERIFY_REMOVAL(*m_store, chosen);

        const QJsonObject tooMuch = m_store->json("gc plan --free 900TB").object();
        QVERIFY(!tooMuch.value("enough").toBool());
        EXPECT_CODE(m_store->run("gc run --without branch:b1"), 4);
        QVERIFY(names().contains("b1"));
    }

    // Also where a child's window keeps something of its parent's past: that is no part of the parent's own.
    void thePlaceThatHistoryReachesBackToCanBeForked() {
        makeStore();
        EXPECT_OK(m_store->run("start main"));
        QCOMPARE(m_store->value("main", "CREATE TABLE t (id int, x text)"), QByteArray());
        const auto head = [this] {
            return m_store->json("branch show main").object().value("headLsn").toString();
        };
        const auto fork = [this](const QString& name, const QString& at) {
            return m_store->run({"branch", "create", name, "--from", "main", "--at", at});
        };
        const auto write = [this] {
            QCOMPARE(m_store->value("main", "INSERT INTO t SELECT 1, 'x'"), QByteArray());
            QCOMPARE(m_store->value("main", "CHECKPOINT"), QByteArray()); // history is cut where syncs were
        };
        write();
        EXPECT_OK(m_store->run("checkpoint create kept --branch main"));
        const QString checkpoint = head();
        write();
        const QString between = head();
        write();
        EXPECT_OK(m_store->run("branch create child --from main"));
        write();
        EXPECT_OK(m_store->run("settings set history-time 0"));
        EXPECT_OK(m_store->run("gc run"));
        write();
        const QString start = m_store->json("branch show main")
                                  .object()
                                  .value("historyFrom")
                                  .toObject()
                                  .value("lsn")
                                  .toString();
        const Outcome early = fork("early", between);
        EXPECT_CODE(early, 4);
        QVERIFY2(early.text().contains(start.toUtf8()), early.text().constData());
        EXPECT_OK(fork("at-start", start));
        EXPECT_OK(fork("at-checkpoint", checkpoint));
        QCOMPARE(m_store->json("branch show at-checkpoint").object().value("forkLsn"),
                 QJsonValue(checkpoint));
        // a child's fork point, whatever the child has overwritten since
        EXPECT_OK(m_store->run("start child"));
        QCOMPARE(m_store->value("child", "TRUNCATE t"), QByteArray());
        QCOMPARE(m_store->value("child", "CHECKPOINT"), QByteArray());
        EXPECT_OK(m_store->run("stop child"));
        EXPECT_OK(m_store->run("gc run"));
        const QString left = m_store->json("branch show child").object().value("forkLsn").toString();
        EXPECT_OK(fork("at-fork", left));
        EXPECT_OK(m_store->run("start at-fork"));
        QCOMPARE(m_store->value("at-fork", "SELECT count(*) FROM t"), QByteArray("3"));
        EXPECT_OK(m_store->run({"branch", "restore", "child", "--at", left}));
        EXPECT_OK(m_store->run("start child"));
        QCOMPARE(m_store->value("child", "SELECT count(*) FROM t"), QByteArray("3"));
        QCOMPARE(m_store->branch("child").value("branchPoint").toObject().value("lsn").toString(), left);
        // what a child keeps is a branch's past, too
        EXPECT_OK(m_store->run("branch create grandchild --from child --at head"));
    }

    // A fork is a line in the catalog until a server runs on it, however it is looked at.
    void aForkThatIsOnlyLookedAtHasNoLogOfItsOwn() {
        makeStore();
        EXPECT_OK(m_store->run("start main"));
        QCOMPARE(m_store->value("main", "CREATE TABLE t AS SELECT 1 AS n"), QByteArray());
        EXPECT_OK(m_store->run("branch create idle --from main"));
        QCOMPARE(m_store->value("main", "INSERT INTO t VALUES (2)"), QByteArray());
        EXPECT_OK(m_store->run("branch create deeper --from idle"));
        const auto lookAt = [this](const QString& name) {
            EXPECT_OK(m_store->run({"timeline", name}));
            EXPECT_OK(m_store->run({"branch", "show", name}));
            QVERIFY(!fs::exists(m_store->wal(name)));
        };
        for (const char* name : {"idle", "deeper"})
            lookAt(name);
        EXPECT_OK(m_store->run("scrub"));
        EXPECT_OK(m_store->run("gc run"));
        EXPECT_OK(m_store->run("engine stop"));
        for (const char* name : {"deeper", "idle"})
            lookAt(name);
        EXPECT_OK(m_store->run("start deeper"));
        QVERIFY(fs::exists(m_store->wal("deeper")) && !fs::exists(m_store->wal("idle")));
        QCOMPARE(m_store->value("deeper", "INSERT INTO t VALUES (10)"), QByteArray());
        EXPECT_OK(m_store->run("branch create deepest --from deeper --start"));
        QCOMPARE(m_store->value("deepest", "SELECT sum(n) FROM t"), QByteArray("11"));
        EXPECT_OK(m_store->run("start idle"));
        QCOMPARE(m_store->value("idle", "SELECT sum(n) FROM t"), QByteArray("1"));
        EXPECT_OK(m_store->run("scrub"));
    }

    // The engine asks servers who uses them, and each question is a session. Of many no more than four are
    // asked in a turn, which is a second, and each is asked in the end.
    void idleServersAreAskedInTurns() {
        makeStore();
        constexpr int servers = 8;
        constexpr int asked = 5; // times each
        constexpr double mostInASecond = 4;
        std::vector<std::unique_ptr<Sql>> watchers;
        for (int i = 0; i < servers; ++i) {
            const QString name = QString("idle%1").arg(i);
            EXPECT_OK(m_store->run({"branch", "create", name, "--from", "main", "--start"}));
            watchers.push_back(std::make_unique<Sql>(m_store->url(name)));
            QVERIFY2(watchers.back()->isOpen(), watchers.back()->problem());
        }
        const auto sessions = [&] {
            std::vector<int> all;
            for (const auto& watcher : watchers)
                all.push_back(watcher->value("SELECT sum(sessions) FROM pg_stat_database").toInt());
            return all;
        };
        QElapsedTimer since;
        since.start();
        const std::vector<int> before = sessions();
        std::vector<int> now;
        QVERIFY(QTest::qWaitFor(
            [&] {
                now = sessions();
                return std::equal(before.begin(), before.end(), now.begin(),
                                  [](int then, int later) { return later - then >= asked; });
            },
            300'000));
        const int all =
            std::accumulate(now.begin(), now.end(), 0) - std::accumulate(before.begin(), before.end(), 0);
        const double turns = 2 + static_cast<double>(since.elapsed()) / 1000;
        QVERIFY2(all <= mostInASecond * turns,
                 qPrintable(QString("%1 sessions in %2 turns").arg(all).arg(turns)));
    }

    // Whose the bytes are that go with a branch.
    void bytesHaveTheNamesOfTheirRelations() {
        makeStore();
        EXPECT_OK(m_store->run("branch create dev --from main"));
        work("dev", 500);
        const auto relations = [&] {
            return m_store->json("stats dev").object().value("relations").toArray();
        };
        const auto find = [&](const QString& name) {
            for (const QJsonValue& one : relations())
                if (one.toObject().value("relation") == name)
                    return one.toObject();
            return QJsonObject();
        };
        const QJsonObject unnamed = relations().first().toObject();
        QVERIFY(unnamed.value("file").toString().startsWith("base/"));
        QVERIFY(unnamed.value("relation").isNull()); // nobody runs who could know
        EXPECT_OK(m_store->run("start dev"));
        const QJsonObject table = find("public.t");
        QCOMPARE(table.value("kind").toString(), "table");
        QCOMPARE(table.value("database").toString(), "postgres");
        QVERIFY(number(table, "privateBytes") > 500 * 256);
        QVERIFY(number(find("public.t_pkey"), "privateBytes") > 0);
        // what is dropped stays as long as the history does
        QCOMPARE(m_store->value("dev", "DROP TABLE t"), QByteArray());
        QCOMPARE(m_store->value("dev", "CHECKPOINT"), QByteArray());
        EXPECT_OK(m_store->run("stop dev"));
        bool found = false;
        for (const QJsonValue& one : relations())
            found = found || (one.toObject().value("gone").toBool() &&
                              number(one.toObject(), "pinnedBytes") > 500 * 256);
        QVERIFY(found);
    }
};

QTEST_GUILESS_MAIN(SystemCostsTest)
#include "system_costs_test.moc"
