// A fork at a point holds the rows that were committed at that point, no more and no fewer. The oracle is
// pg_waldump over the parent's log: which transaction's commit record lies where.
#include "system_support.h"

#include <atomic>
#include <mutex>
#include <thread>

using namespace arbor::system_test;

namespace {

using Rows = std::set<QByteArray>; // "writer-number"

struct Commit {
    quint64 start = 0;
    quint64 next = 0; // where the next record begins
    QByteArray xid;
    qint64 micros = 0; // since 2000, as text compares badly
    QByteArray time;
};

quint64 lsnOf(const QByteArray& text) {
    const auto parts = text.trimmed().split('/');
    return parts.size() == 2 ? parts[0].toULongLong(nullptr, 16) << 32 | parts[1].toULongLong(nullptr, 16)
                             : 0;
}
QString lsnText(quint64 lsn) {
    return QString("%1/%2").arg(lsn >> 32, 0, 16).arg(lsn & 0xffffffff, 0, 16).toUpper();
}

// "... tx: 745, lsn: 0/016B3748, prev 0/..., desc: COMMIT 2026-01-31 12:00:00.123456 UTC; ..."
class Log {
  public:
    bool read(const fs::path& waldump, const fs::path& directory, const QByteArray& from,
              const QByteArray& to) {
        QProcess process;
        process.start(QString::fromStdString(waldump),
                      {"-p", QString::fromStdString(directory), "-s", from, "-e", to});
        process.waitForFinished(120'000);
        static const QRegularExpression record(
            "tx:\\s+(\\d+), lsn: ([0-9A-F]+/[0-9A-F]+).*desc: (COMMIT (\\S+ \\S+ \\S+?)(;|$|,))?");
        bool open = false;
        for (const QByteArray& line : process.readAllStandardOutput().split('\n')) {
            const auto match = record.match(QString::fromUtf8(line));
            if (!match.hasMatch())
                continue;
            const quint64 lsn = lsnOf(match.captured(2).toUtf8());
            if (open)
                commits.back().next = lsn;
            open = !match.captured(3).isEmpty();
            if (open)
                commits.push_back({lsn, 0, match.captured(1).toUtf8(), 0, match.captured(4).toUtf8()});
        }
        if (open)
            commits.pop_back(); // it is not known where it ends
        return !commits.empty();
    }
    std::vector<Commit> commits;
};

} // namespace

class SystemExactnessTest : public QObject {
    Q_OBJECT
    std::unique_ptr<Store> m_store;
    std::mt19937_64 m_random;
    std::mutex m_mutex;
    std::map<QByteArray, QByteArray> m_rowOfXid;
    std::vector<quint64> m_recorded; // pg_current_wal_insert_lsn() after commits
    std::atomic<bool> m_stop{false};
    fs::path m_bin;
    int m_forks = 0;

    void write(int writer, const QByteArray& url) {
        Sql session(url);
        for (int number = 0; !m_stop; ++number) {
            const QByteArray row = QByteArray::number(writer) + "-" + QByteArray::number(number);
            session.value("BEGIN");
            const QByteArray xid = session.value("INSERT INTO ledger (row) VALUES ('" + row +
                                                 "') RETURNING pg_current_xact_id()");
            if (number % 7 == 3) {
                session.value("ROLLBACK");
                continue;
            }
            session.value("COMMIT");
            const quint64 lsn = lsnOf(session.value("SELECT pg_current_wal_insert_lsn()"));
            const std::lock_guard lock(m_mutex);
            m_rowOfXid[xid] = row;
            m_recorded.push_back(lsn);
        }
    }
    void disturb(const QByteArray& url) {
        Sql session(url);
        for (int round = 0; !m_stop; ++round)
            for (const char* statement :
                 {"CREATE TABLE side AS SELECT n, repeat('x', 200) AS filler FROM generate_series(1, 2000) n",
                  "CREATE INDEX side_n ON side (n)", "CLUSTER side USING side_n", "CHECKPOINT",
                  "UPDATE side SET filler = 'y' WHERE n % 3 = 0", "VACUUM side", "TRUNCATE side",
                  "INSERT INTO side SELECT n, 'z' FROM generate_series(1, 500) n", "DROP TABLE side",
                  "CHECKPOINT", "VACUUM ledger", "REINDEX TABLE ledger"})
                if (!m_stop)
                    session.value(statement);
    }
    Rows rowsBefore(const Log& log, const std::function<bool(const Commit&)>& counts) {
        Rows rows;
        for (const Commit& commit : log.commits) {
            if (!counts(commit))
                continue;
            if (const auto row = m_rowOfXid.find(commit.xid); row != m_rowOfXid.end())
                rows.insert(row->second);
        }
        return rows;
    }
    // Forks at a position, compares, checks the fork with amcheck, and throws it away.
    QByteArray wrongAt(const QString& position, const Rows& expected) {
        const QString name = QString("fork-%1").arg(++m_forks);
        const Outcome made =
            m_store->run({"branch", "create", name, "--from", "main", "--at", position, "--start"});
        if (made.code != 0)
            return "fork at " + position.toUtf8() + ": " + made.text();
        Sql session(m_store->url(name));
        const QByteArray found = session.value("SELECT string_agg(row, ' ') FROM ledger");
        const auto list = found.split(' ');
        const Rows rows(list.begin(), list.end());
        QByteArray problem;
        if (found.isEmpty() ? !expected.empty() : rows != expected)
            problem = "fork at " + position.toUtf8() + ": " +
                      QByteArray::number(found.isEmpty() ? 0 : int(rows.size())) + " rows, not " +
                      QByteArray::number(int(expected.size()));
        QProcess amcheck;
        amcheck.start(QString::fromStdString(m_bin / "pg_amcheck"),
                      {"--heapallindexed", "--parent-check", m_store->url(name)});
        amcheck.waitForFinished(120'000);
        if (amcheck.exitCode() != 0)
            problem += " amcheck of the fork at " + position.toUtf8() + ": " + amcheck.readAll() +
                       amcheck.readAllStandardError();
        m_store->run({"stop", name});
        m_store->run({"branch", "delete", name});
        return problem;
    }

  private slots:
    void initTestCase() {
        if (const QByteArray why = obstacle(); !why.isEmpty())
            QSKIP(why.constData());
        const auto seed = arbor::test::givenSeed().value_or(arbor::test::randomSeed());
        qInfo("ARBOR_SEED=%llu repeats this run", static_cast<unsigned long long>(seed));
        m_random.seed(seed);
        m_store = std::make_unique<Store>();
        EXPECT_OK(m_store->init());
        EXPECT_OK(m_store->run("start main"));
        const QJsonArray installations = m_store->json("engine status").object().value("pgBinDirs").toArray();
        m_bin = installations.first().toObject().value("path").toString().toStdString();
        const QByteArray url = m_store->url("main");
        Sql session(url);
        QCOMPARE(session.value("CREATE EXTENSION amcheck"), QByteArray());
        QCOMPARE(session.value("CREATE TABLE ledger (row text PRIMARY KEY, at timestamptz DEFAULT now())"),
                 QByteArray());
    }
    void cleanupTestCase() { m_store.reset(); }

    void aForkHoldsExactlyWhatWasCommitted() {
        const QByteArray url = m_store->url("main");
        Sql session(url);
        const QByteArray from = session.value("SELECT pg_current_wal_insert_lsn()");
        std::vector<std::thread> threads;
        for (int writer = 1; writer <= 3; ++writer)
            threads.emplace_back([this, writer, url] { write(writer, url); });
        threads.emplace_back([this, url] { disturb(url); });
        const auto enough = [&](std::size_t rows) {
            return QTest::qWaitFor(
                [&] {
                    const std::lock_guard lock(m_mutex);
                    return m_recorded.size() >= rows;
                },
                120'000);
        };
        const std::size_t count = isFull() ? 8000 : 1500;
        const bool half = enough(count / 2);
        // in the thick of it: a checkpoint of ours, a restore point, a fork of the head
        const QByteArray restorePoint = session.value("SELECT pg_create_restore_point('half')");
        const Outcome checkpoint = m_store->json("checkpoint create half --branch main");
        const Outcome live = m_store->json("branch create live --from main");
        const bool full = enough(count);
        m_stop = true;
        for (std::thread& thread : threads)
            thread.join();
        QVERIFY(half && full);
        EXPECT_OK(checkpoint);
        EXPECT_OK(live);

        const QByteArray to = session.value("SELECT pg_switch_wal()");
        session.value("CHECKPOINT");
        Log log;
        // the parent keeps its segments for as long as history needs them
        const fs::path kept = m_store->path() / "walkeep" / m_store->wal("main").filename();
        QVERIFY(log.read(m_bin / "pg_waldump", kept, from, to));
        QVERIFY(log.commits.size() >= count);

        std::vector<std::pair<QString, Rows>> points;
        const auto at = [&](quint64 lsn) {
            points.emplace_back(lsnText(lsn),
                                rowsBefore(log, [&](const Commit& c) { return c.next <= lsn; }));
        };
        const auto pick = [&](std::size_t size) { return static_cast<std::size_t>(m_random() % size); };
        for (int i = 0; i < (isFull() ? 500 : 12); ++i)
            at(m_recorded[pick(m_recorded.size())]);
        for (int i = 0; i < (isFull() ? 50 : 2); ++i) {
            const Commit& commit = log.commits[pick(log.commits.size())];
            at(commit.start);
            at(commit.start + 1 + m_random() % 8);
            if (commit.next % 8192 > 40) // no page header in between
                at(commit.next - 1);
            at(commit.next);
        }
        at(lsnOf(restorePoint));
        at(lsnOf(checkpoint.object().value("lsn").toString().toUtf8()));
        points.back().first = "checkpoint:half";
        const std::size_t byTime = pick(log.commits.size());
        const QByteArray time = log.commits[byTime].time;
        bool later = false;
        points.emplace_back(QString::fromUtf8(QByteArray(time).replace(" UTC", "+00")),
                            rowsBefore(log, [&](const Commit& c) {
                                later = later || c.time > time; // all in the same zone and width
                                return !later;
                            }));
        const Commit& byXid = log.commits[pick(log.commits.size())];
        points.emplace_back("xid:" + QString::fromUtf8(byXid.xid),
                            rowsBefore(log, [&](const Commit& c) { return c.start < byXid.start; }));
        QByteArray problems;
        for (const auto& [position, rows] : points)
            if (const QByteArray wrong = wrongAt(position, rows); !wrong.isEmpty())
                problems += wrong + "\n";
        QVERIFY2(problems.isEmpty(), problems.constData());

        // the fork of the running head: its LSN says what it holds
        const quint64 forked = lsnOf(live.object().value("forkLsn").toString().toUtf8());
        EXPECT_OK(m_store->run("start live"));
        QCOMPARE(m_store->value("live", "SELECT count(*) FROM ledger").toInt(),
                 int(rowsBefore(log, [&](const Commit& c) { return c.next <= forked; }).size()));
        QCOMPARE(m_store->value("main", "SELECT count(*) FROM ledger").toInt(), int(m_rowOfXid.size()));
    }

    void forksOfForks() {
        EXPECT_OK(m_store->run("stop --all"));
        QString parent = "main";
        EXPECT_OK(m_store->run("start main"));
        QCOMPARE(m_store->value("main", "CREATE TABLE depths (depth int)"), QByteArray());
        for (int depth = 1; depth <= 20; ++depth) {
            const QString name = QString("deep-%1").arg(depth);
            EXPECT_OK(m_store->run({"branch", "create", name, "--from", parent, "--start"}));
            EXPECT_OK(m_store->run({"stop", parent}));
            QCOMPARE(m_store->value(name, "SELECT count(*) FROM depths").toInt(), depth - 1);
            QCOMPARE(m_store->value(name, "INSERT INTO depths VALUES (" + QByteArray::number(depth) + ")"),
                     QByteArray());
            parent = name;
        }
        QCOMPARE(m_store->value("deep-20", "SELECT count(*) FROM ledger").toInt(), int(m_rowOfXid.size()));
        // a grandchild of a child that was never started
        EXPECT_OK(m_store->run("branch create asleep --from deep-20"));
        EXPECT_OK(m_store->run("branch create below --from asleep --start"));
        QCOMPARE(m_store->value("below", "SELECT sum(depth) FROM depths"), QByteArray("210"));
        EXPECT_OK(m_store->run("stop --all"));
    }

    void forksOfARestoredBranch() {
        EXPECT_OK(m_store->run("branch create r --from main --start"));
        const auto say = [&](const char* word) {
            return m_store->value("r", QByteArray("INSERT INTO ledger (row) VALUES ('") + word + "')");
        };
        const auto here = [&] { return m_store->value("r", "SELECT pg_current_wal_insert_lsn()"); };
        const auto words = [&](const QString& branch) {
            return m_store->value(branch, "SELECT string_agg(row, ' ' ORDER BY row) FROM ledger "
                                          "WHERE row !~ '^[0-9]'");
        };
        say("a");
        const QString afterA = here();
        say("b");
        EXPECT_OK(m_store->run({"branch", "restore", "r", "--at", afterA}));
        QCOMPARE(words("r"), QByteArray("a"));
        say("c");
        const QString afterC = here();
        say("d");
        for (const auto& [position, expected] :
             {std::pair<QString, QByteArray>{afterA, "a"}, {afterC, "a c"}, {"head", "a c d"}}) {
            EXPECT_OK(m_store->run({"branch", "create", "x", "--from", "r", "--at", position, "--start"}));
            QCOMPARE(words("x"), expected);
            EXPECT_OK(m_store->run("branch delete x"));
        }
        // twice more, to a point before the first restore
        EXPECT_OK(m_store->run({"branch", "restore", "r", "--at", afterC}));
        QCOMPARE(words("r"), QByteArray("a c"));
        EXPECT_OK(m_store->run({"branch", "restore", "r", "--at", afterA}));
        QCOMPARE(words("r"), QByteArray("a"));
    }
};

QTEST_GUILESS_MAIN(SystemExactnessTest)
#include "system_exactness_test.moc"
