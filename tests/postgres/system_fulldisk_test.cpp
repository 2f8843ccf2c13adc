// A disk that fills up under a running server, and the long runs: many branches, many starts, nothing that
// grows.
#include "small_disk.h"
#include "system_support.h"

using namespace arbor::system_test;
using arbor::SmallDisk;

class SystemFullDiskTest : public QObject {
    Q_OBJECT

    static std::size_t entries(const std::string& directory) {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(directory), {}));
    }

  private slots:
    void initTestCase() {
        if (const QByteArray why = obstacle(); !why.isEmpty())
            QSKIP(why.constData());
    }

    void aFullDiskLosesNothingAndWorkGoesOnAfterwards() {
        if (::geteuid() != 0)
            QSKIP("only root can mount a small disk to fill");
        const SmallDisk disk(std::uintmax_t{700} << 20);
        if (!disk.isMounted())
            QSKIP("this machine mounts no loop device");
        Store store(disk.place());
        EXPECT_OK(store.init());
        EXPECT_OK(store.run("start main"));
        const pid_t engine = store.engine();
        Sql session(store.url("main"));
        QCOMPARE(session.value("CREATE TABLE kept (n int PRIMARY KEY)"), QByteArray());
        QCOMPARE(session.value("CREATE TABLE filler (t text)"), QByteArray());
        QCOMPARE(session.value("ALTER TABLE filler ALTER t SET STORAGE EXTERNAL"), QByteArray());
        int acknowledged = 0;
        bool full = false;
        for (int round = 0; round < 200 && !full; ++round) {
            if (session.value("INSERT INTO kept VALUES (" + QByteArray::number(round) + ")").isEmpty())
                acknowledged = round + 1;
            // 8 MB that no compression makes small
            const QByteArray said = session.value("INSERT INTO filler SELECT string_agg(md5(random()::text), "
                                                  "'') FROM generate_series(1, 1000) a, "
                                                  "generate_series(1, 250) b GROUP BY a");
            full = said.startsWith("error");
            if (full)
                QVERIFY2(said.contains("No space left") || said.contains("53100") || !session.isOpen() ||
                             said.contains("connection"),
                         said.constData());
        }
        QVERIFY(full);
        QVERIFY(acknowledged > 3);
        // the engine lives, answers, and says what is wrong
        QCOMPARE(store.engine(), engine);
        EXPECT_OK(store.run("branch list"));
        // make room: the filler goes, with its history
        Outcome started = store.run("start main");
        if (started.code == 0) {
            Sql again(store.url("main"));
            const QByteArray found = again.value("SELECT count(*) FROM kept");
            // a query may have to write a page to make room for another
            if (!found.startsWith("error: 53100"))
                QCOMPARE(found, QByteArray::number(acknowledged));
        }
        EXPECT_OK(store.run("settings set history-bytes 1MB"));
        EXPECT_OK(store.run("settings set history-time 1s"));
        if (started.code == 0) {
            Sql again(store.url("main"));
            again.value("TRUNCATE filler");
            again.value("CHECKPOINT");
        }
        QTest::qWait(1500); // until the history window has passed
        EXPECT_OK(store.run("gc run"));
        EXPECT_OK(store.run("start main"));
        Sql after(store.url("main"));
        QCOMPARE(after.value("SELECT count(*) FROM kept").toInt(), acknowledged);
        QVERIFY(!after.value("TRUNCATE filler").startsWith("error"));
        QVERIFY(!after.value("CHECKPOINT").startsWith("error"));
        EXPECT_OK(store.run("gc run"));
        QCOMPARE(after.value("INSERT INTO filler SELECT string_agg(md5(random()::text), '') FROM "
                             "generate_series(1, 1000) a, generate_series(1, 100) b GROUP BY a"),
                 QByteArray());
    }

    void manyBranchesAndStartsLeaveNothingBehind() {
        const int branches = isFull() ? 1000 : 60;
        const int starts = isFull() ? 50 : 12;
        Store store;
        EXPECT_OK(store.init());
        EXPECT_OK(store.run("start main"));
        QCOMPARE(store.value("main", "CREATE TABLE t AS SELECT generate_series(1, 1000) n"), QByteArray());
        const auto one = [&](int number) -> int {
            const QString name = QString("b-%1").arg(number);
            const int code = store.run({"branch", "create", name, "--from", "main"}).code;
            if (number % (branches / starts) != 0)
                return code;
            const bool good = store.run({"start", name}).code == 0 &&
                              store.value(name, "SELECT count(*) FROM t") == "1000" &&
                              store.run({"stop", name}).code == 0;
            return good ? code : 1;
        };
        QCOMPARE(one(0), 0);
        store.run("branch list");
        const std::string engine = "/proc/" + std::to_string(store.engine());
        const auto residentKb = [&] {
            const QByteArray status = readText(engine + "/status");
            return status.mid(status.indexOf("VmRSS:") + 6, 12).simplified().split(' ').first().toLong();
        };
        const auto descriptors = entries(engine + "/fd");
        const auto threads = entries(engine + "/task");
        const auto kilobytes = residentKb();
        for (int i = 1; i < branches; ++i)
            QCOMPARE(one(i), 0);
        QCOMPARE(store.json("branch list").array().size(), branches + 1);
        QTRY_VERIFY_WITH_TIMEOUT(entries(engine + "/fd") <= descriptors + 24, 60'000);
        QTRY_VERIFY_WITH_TIMEOUT(entries(engine + "/task") <= threads + 20, 60'000);
        QVERIFY2(residentKb() < kilobytes + (isFull() ? 300'000 : 100'000),
                 qPrintable(QString("%1 KB became %2 KB").arg(kilobytes).arg(residentKb())));
        nothingIsLeftOfDeletedBranches(store);
        EXPECT_OK(store.run("engine stop"));
        QVERIFY(processesOn(store.path()).empty());
    }

  private:
    void nothingIsLeftOfDeletedBranches(const Store& store) {
        std::set<std::string> sockets;
        const QJsonArray list = store.json("branch list").array();
        for (const QJsonValue& value : list) {
            const QJsonObject branch = value.toObject();
            if (branch.value("name") == "main")
                continue;
            if (const QString socket = branch.value("socketDir").toString(); !socket.isEmpty())
                sockets.insert(socket.toStdString());
            EXPECT_OK(store.run({"branch", "delete", branch.value("name").toString()}));
        }
        for (const char* setting : {"trash-time", "history-time"})
            EXPECT_OK(store.run({"settings", "set", setting, "1s"}));
        const std::string place = store.path();
        const auto tidy = [&] {
            return entries(place + "/wal") == 1 && entries(place + "/scratch") == 1 &&
                   entries(place + "/walkeep") == 1 &&
                   entries(place + "/log") <= 3 && // the engine's, and two of main
                   std::none_of(sockets.begin(), sockets.end(),
                                [](const std::string& socket) { return fs::exists(socket); });
        };
        QVERIFY(!sockets.empty());
        QVERIFY2(QTest::qWaitFor([&] { return store.run("gc run").code == 0 && tidy(); }, 60'000),
                 qPrintable(QString("%1 in wal, %2 in scratch, %3 in walkeep, %4 in log")
                                .arg(entries(place + "/wal"))
                                .arg(entries(place + "/scratch"))
                                .arg(entries(place + "/walkeep"))
                                .arg(entries(place + "/log"))));
    }
};

QTEST_GUILESS_MAIN(SystemFullDiskTest)
#include "system_fulldisk_test.moc"
