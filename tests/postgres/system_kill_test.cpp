// kill -9 at random moments: the postmaster, a backend, the engine, or all of them, while rows are committed
// and branches are made, restored and deleted. Whatever died, every acknowledged commit and every
// acknowledged fork is there afterwards, nothing is left over, and never do two servers hold one log.
#include "system_support.h"

#include <atomic>
#include <mutex>
#include <set>
#include <thread>

using namespace arbor::system_test;

namespace {

// Servers on a data directory. A child that was only just forked bears its postmaster's command line, also
// when that has died meanwhile; what one exec began has one place for its arguments (field 48 of proc(5)'s
// stat), chosen at random.
int serversOn(const fs::path& data) {
    std::set<QByteArray> execs;
    std::error_code ignored;
    for (const auto& process : fs::directory_iterator("/proc", ignored)) {
        const QByteArray line = readText(process.path() / "cmdline");
        const QByteArray stat = readText(process.path() / "stat");
        const QList<QByteArray> fromThird = stat.mid(stat.lastIndexOf(')') + 2).split(' ');
        if (line.contains("data_directory=" + QByteArray::fromStdString(data.string()) + '\0') &&
            !line.contains(QByteArray("\0-C\0", 4)) && // asked for a setting, it serves nobody
            fromThird.value(0) != "Z" && fromThird.size() > 45 && fromThird[45] != "0")
            execs.insert(fromThird[45]);
    }
    return static_cast<int>(execs.size());
}

// The engine of a store, also while it does not answer yet.
std::vector<pid_t> enginesOf(const fs::path& store) {
    std::vector<pid_t> found;
    std::error_code ignored;
    for (const auto& process : fs::directory_iterator("/proc", ignored))
        if (const QList<QByteArray> words = readText(process.path() / "cmdline").split('\0');
            words.first().endsWith("/pgarbord") && words.contains(QByteArray::fromStdString(store.string())))
            found.push_back(std::stoi(process.path().filename()));
    return found;
}

// Shared memory segments of System V that belong to a user, and that no process uses any more: what a dead
// server has left.
int sharedSegmentsOf(uid_t user) {
    int count = 0;
    const auto lines = readText("/proc/sysvipc/shm").split('\n');
    for (const QByteArray& line : lines) {
        const auto words = line.simplified().split(' ');
        count += words.value(7) == QByteArray::number(user) && words.value(6) == "0" ? 1 : 0;
    }
    return count;
}

// Commits rows for as long as it is told to, over every interruption, and remembers which were acknowledged.
class Writer {
  public:
    Writer(int number, std::function<QByteArray()> url) : m_number(number), m_url(std::move(url)) {}
    ~Writer() { stop(); }
    void start() {
        m_stop = false;
        m_thread = std::thread([this] { work(); });
    }
    void stop() {
        m_stop = true;
        if (m_thread.joinable())
            m_thread.join();
    }
    std::vector<int> acknowledged() const {
        const std::lock_guard lock(m_mutex);
        return m_acknowledged;
    }
    std::size_t count() const {
        const std::lock_guard lock(m_mutex);
        return m_acknowledged.size();
    }

  private:
    void work() {
        const QByteArray url = m_url();
        while (!m_stop) {
            Sql session(url);
            if (!session.isOpen()) {
                std::this_thread::sleep_for(std::chrono::milliseconds(20)); // until a server is back
                continue;
            }
            while (!m_stop) {
                const int row = m_next++;
                if (!session
                         .value("INSERT INTO kept VALUES (" + QByteArray::number(m_number) + ", " +
                                QByteArray::number(row) + ", repeat('x', 300))")
                         .isEmpty())
                    break;
                const std::lock_guard lock(m_mutex);
                m_acknowledged.push_back(row);
            }
        }
    }

    const int m_number;
    const std::function<QByteArray()> m_url;
    std::thread m_thread;
    std::atomic<bool> m_stop{false};
    mutable std::mutex m_mutex;
    int m_next = 1;
    std::vector<int> m_acknowledged;
};

} // namespace

class SystemKillTest : public QObject {
    Q_OBJECT
    std::unique_ptr<Store> m_store;
    std::mt19937_64 m_random;
    QByteArray m_url;
    int m_segments = 0;

    int upTo(int limit) { return static_cast<int>(m_random() % static_cast<unsigned>(limit)); }
    uid_t serverUser() const {
        struct stat info {};
        ::stat((m_store->path() / "FORMAT").c_str(), &info);
        return info.st_uid;
    }
    QByteArray missing(const std::vector<std::unique_ptr<Writer>>& writers) {
        Sql session(m_url);
        if (!session.isOpen())
            return "no connection: " + session.problem();
        for (std::size_t i = 0; i < writers.size(); ++i) {
            const QByteArray list = session.value(
                "SELECT string_agg(row::text, ' ') FROM kept WHERE writer = " + QByteArray::number(int(i)));
            std::set<int> found;
            for (const QByteArray& row : list.split(' '))
                found.insert(row.toInt());
            for (const int row : writers[i]->acknowledged())
                if (!found.contains(row))
                    return "row " + QByteArray::number(row) + " of writer " + QByteArray::number(int(i)) +
                           " was acknowledged and is gone";
        }
        return {};
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
        m_segments = sharedSegmentsOf(serverUser());
        EXPECT_OK(m_store->run("start main"));
        m_url = m_store->url("main");
        Sql session(m_url);
        QCOMPARE(session.value("CREATE EXTENSION amcheck"), QByteArray());
        QCOMPARE(
            session.value("CREATE TABLE kept (writer int, row int, filler text, PRIMARY KEY (writer, row))"),
            QByteArray());
    }
    void cleanupTestCase() { m_store.reset(); }

    void whateverIsKilledNothingAcknowledgedIsLost() {
        std::vector<std::unique_ptr<Writer>> writers;
        for (int i = 0; i < 2; ++i)
            writers.push_back(std::make_unique<Writer>(i, [this] { return m_url; }));
        // two servers on one log, at any time
        std::atomic<bool> watching{true};
        std::atomic<int> most{0};
        const fs::path data = m_store->data("main");
        std::thread watch([&] {
            while (watching) {
                most = std::max(most.load(), serversOn(data));
                std::this_thread::sleep_for(std::chrono::milliseconds(5));
            }
        });
        struct StopWatching {
            std::atomic<bool>& on;
            std::thread& thread;
            ~StopWatching() {
                on = false;
                thread.join();
            }
        } const stopWatching{watching, watch};

        QStringList acknowledged; // forks
        const int rounds = isFull() ? 500 : 15;
        for (int round = 0; round < rounds; ++round) {
            const std::size_t before = writers[0]->count() + writers[1]->count();
            for (const auto& writer : writers)
                writer->start();
            QTRY_VERIFY_WITH_TIMEOUT(writers[0]->count() + writers[1]->count() > before + 20, 60'000);
            // a fork, a restore and a deletion may be under way when it happens
            const QString name = QString("fork-%1").arg(round);
            auto fork = m_store->begin({"branch", "create", name, "--from", "main"});
            std::unique_ptr<QProcess> other;
            if (!acknowledged.isEmpty() && round % 3 == 1)
                other = m_store->begin({"branch", "restore", acknowledged.last(), "--at", "head"});
            if (round % 4 == 2)
                other = m_store->begin({"gc", "run"});
            QTest::qWait(upTo(300)); // any moment is right

            const char* const victims[] = {"postmaster", "backend", "engine", "all"};
            const int victim = round < 4 ? round : upTo(4);
            const pid_t engine = m_store->engine();
            const pid_t postmaster = m_store->postmaster("main");
            QVERIFY(engine > 1);
            qInfo("round %d kills the %s", round, victims[victim]);
            if (victim == 0 || victim == 3)
                if (postmaster > 1)
                    ::kill(postmaster, SIGKILL);
            if (victim == 1) {
                Sql session(m_url);
                const int backend = session.isOpen() ? session.backend() : 0;
                if (backend > 1)
                    ::kill(backend, SIGKILL);
            }
            if (victim >= 2)
                ::kill(engine, SIGKILL);

            const Outcome forked = Store::finish(*fork);
            QVERIFY2(forked.code != -1, "the command that makes a fork hangs, or crashed");
            if (forked.code == 0)
                acknowledged.append(name);
            if (other)
                Store::finish(*other);
            // with the engine's death sessions may go on committing until their server has noticed
            if (victim >= 2)
                QTest::qWait(upTo(200));
            EXPECT_OK(
                m_store->run("start main")); // also when the engine has not noticed the server's end yet
            // a backend's end that PostgreSQL itself had not noticed yet takes it into recovery only now
            QTRY_VERIFY_WITH_TIMEOUT(Sql(m_url).isOpen(), 60'000);
            for (const auto& writer : writers)
                writer->stop();
            const QByteArray lost = missing(writers);
            QVERIFY2(lost.isEmpty(), lost.constData());
            for (const QString& made : std::as_const(acknowledged))
                EXPECT_OK(m_store->run({"branch", "show", made}));
        }
        QVERIFY(most <= 1);

        Sql session(m_url);
        QCOMPARE(session.value("SELECT count(bt_index_parent_check(indexrelid, true)) > 0 FROM pg_index i "
                               "JOIN pg_class c ON c.oid = indexrelid WHERE relam = 403 AND indisvalid"),
                 QByteArray("t"));
        // the last fork opens and is whole
        QVERIFY(!acknowledged.isEmpty());
        EXPECT_OK(m_store->run({"start", acknowledged.last()}));
        QVERIFY(m_store->value(acknowledged.last(), "SELECT count(*) FROM kept").toInt() > 0);
    }

    void aKilledEngineLeavesNoPeek() {
        auto peek = m_store->begin({"psql", "main", "--at", "head", "--", "-XAt"});
        peek->write("SELECT 'ready';\n");
        QVERIFY(peek->waitForReadyRead(60'000));
        ::kill(m_store->engine(), SIGKILL);
        peek->closeWriteChannel();
        QVERIFY(peek->waitForFinished(60'000));
        EXPECT_OK(m_store->run("start main"));
        std::set<std::string> known;
        const QJsonArray branches = m_store->json("branch list").array();
        for (const QJsonValue& branch : branches)
            known.insert(std::to_string(branch.toObject().value("timeline").toInteger()));
        for (const QJsonValue& entry : m_store->json("trash list").array())
            known.insert(std::to_string(entry.toObject().value("timeline").toInteger()));
        for (const auto& entry : fs::directory_iterator(m_store->path() / "log"))
            QVERIFY(!entry.path().filename().string().starts_with("peek"));
    }

    // While a fork whose log may leave the store takes a timeline id of its own: the next start ends the
    // move.
    void aMoveToATimelineIdOfItsOwnSurvivesTheEngine() {
        const QByteArray rows = m_store->value("main", "SELECT count(*) FROM kept");
        for (int round = 0; round < (isFull() ? 60 : 4); ++round) {
            // one that has never run recovers a crash first, the other has been stopped cleanly
            EXPECT_OK(m_store->run("branch create moved --from main"));
            if (round % 2 == 1) {
                EXPECT_OK(m_store->run("start moved"));
                EXPECT_OK(m_store->run("stop moved"));
            }
            EXPECT_OK(m_store->run("branch allow moved walsenders"));
            const auto starting = m_store->begin({"start", "moved"});
            QTest::qWait(upTo(1500));
            ::kill(m_store->engine(), SIGKILL);
            Store::finish(*starting);
            EXPECT_OK(m_store->run("start moved"));
            const qint64 first = m_store->branch("moved").value("timeline").toInteger() * 256;
            const qint64 tli =
                m_store->value("moved", "SELECT timeline_id FROM pg_control_checkpoint()").toLongLong();
            QVERIFY2(tli > first && tli < first + 256, QByteArray::number(tli).constData());
            QCOMPARE(m_store->value("moved", "SELECT count(*) FROM kept"), rows);
            QCOMPARE(m_store->value("moved", "INSERT INTO kept VALUES (-1, 1)"), QByteArray());
            QCOMPARE(m_store->value("moved", "SELECT count(bt_index_parent_check('kept_pkey', true))"),
                     QByteArray("1"));
            EXPECT_OK(m_store->run("restart moved")); // it stays there
            QCOMPARE(m_store->value("moved", "SELECT count(*) FROM kept WHERE writer = -1"), QByteArray("1"));
            QCOMPARE(m_store->value("moved", "SELECT timeline_id FROM pg_control_checkpoint()").toLongLong(),
                     tli);
            EXPECT_OK(m_store->run("branch delete moved"));
        }
        EXPECT_OK(m_store->run("start main"));
    }

    // At whatever moment of its making: what is there is a store, or can be made one by asking again.
    void anInitThatIsKilledIsAskedForAgain() {
        for (int round = 0; round < (isFull() ? 40 : 4); ++round) {
            const Store store;
            const auto making = store.begin({"init", "--", "--no-sync", "--locale=C.UTF-8"});
            QTRY_VERIFY_WITH_TIMEOUT(!enginesOf(store.path()).empty(), 60'000);
            QTest::qWait(upTo(1500));
            for (const pid_t engine : enginesOf(store.path()))
                ::kill(engine, SIGKILL);
            const Outcome first = Store::finish(*making);
            QVERIFY2(first.code == 0 || first.code == 5, first.text().constData());
            if (first.code != 0) {
                const Outcome again = store.init();
                QVERIFY2(again.code == 0 || again.code == 4, again.text().constData());
            }
            EXPECT_OK(store.run("start main"));
            QCOMPARE(store.value("main", "SELECT 1"), QByteArray("1"));
        }
    }

    // Half of it is no demo, and nobody's work either: asked for again it is made anew, as a whole.
    void aDemoThatIsKilledIsMadeAnew() {
        for (int round = 0; round < (isFull() ? 12 : 2); ++round) {
            const Store store;
            const auto making = store.begin({"init", "--demo"});
            QTRY_VERIFY_WITH_TIMEOUT(fs::exists(store.path() / "wal" / "1"), 60'000);
            QTest::qWait(upTo(3000));
            for (const pid_t engine : enginesOf(store.path()))
                ::kill(engine, SIGKILL);
            const Outcome first = Store::finish(*making);
            QVERIFY2(first.code == 0 || first.code == 5, first.text().constData());
            const Outcome again = store.run("init --demo");
            QVERIFY2(again.code == 0 || again.code == 4, again.text().constData());
            QStringList names;
            for (const QJsonValue& branch : store.json("branch list").array())
                names += branch.toObject().value("name").toString();
            names.sort();
            QCOMPARE(names, (QStringList{"audit", "dev", "main"}));
            EXPECT_OK(store.run("start main"));
            QCOMPARE(store.value("main", "SELECT count(*) FROM pgbench_accounts"), QByteArray("100000"));
            QVERIFY(!fs::exists(store.path() / "run" / "half-demo"));
        }
    }

    // Case 2: an engine that hangs, with servers that wait for it, and then is killed.
    void aStoppedEngineThatIsKilledBlocksNobodyForEver() {
        const pid_t engine = m_store->engine();
        ::kill(engine, SIGSTOP);
        // somebody asks for a page that is in no cache, and hangs
        std::thread asking([this] {
            Sql session(m_url);
            session.value("SELECT count(*) FROM kept");
        });
        QTest::qWait(100);
        ::kill(engine, SIGKILL);
        asking.join();
        EXPECT_OK(m_store->run("start main"));
        QVERIFY(m_store->value("main", "SELECT count(*) FROM kept").toInt() > 0);
    }

    void afterACleanEndNothingIsLeft() {
        EXPECT_OK(m_store->run("engine stop"));
        QVERIFY(processesOn(m_store->path()).empty());
        QVERIFY(!isMounted(m_store->mount()));
        QVERIFY(sharedSegmentsOf(serverUser()) <= m_segments);
    }
};

QTEST_GUILESS_MAIN(SystemKillTest)
#include "system_kill_test.moc"
