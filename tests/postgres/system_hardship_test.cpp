// Little memory, many open files, an engine that is suspended and goes on, pages torn behind an export:
// slower, nothing else (cases 17 and 29). And a machine that lacks what a mount needs, until it has it.
#include "system_support.h"

#include "app/control/client.h"
#include "app/control/methods.h"
#include "tests/support/private_mounts.h"

#include <atomic>
#include <sys/sysmacros.h>
#include <thread>

using namespace arbor::system_test;

namespace {

// A memory limit for the processes that are put into it; cgroup v1 or v2, only root can make one.
class MemoryLimit {
  public:
    explicit MemoryLimit(std::uintmax_t bytes) {
        const std::string name = "arbor-test-" + std::to_string(::getpid());
        for (const auto& [root, file] :
             {std::pair<fs::path, const char*>{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
              {"/sys/fs/cgroup", "memory.max"}}) {
            std::error_code error;
            if (!fs::create_directory(root / name, error) || error)
                continue;
            if (write(root / name / file, std::to_string(bytes))) {
                m_group = root / name;
                return;
            }
            fs::remove(root / name, error);
        }
    }
    ~MemoryLimit() {
        if (m_group.empty())
            return;
        for (const QByteArray& process : readText(m_group / "cgroup.procs").split('\n'))
            if (!process.isEmpty())
                write(m_group.parent_path() / "cgroup.procs", process.toStdString());
        ::rmdir(m_group.c_str());
    }
    bool isMade() const { return !m_group.empty(); }
    bool take(pid_t process) { return write(m_group / "cgroup.procs", std::to_string(process)); }

  private:
    static bool write(const fs::path& path, const std::string& text) {
        std::ofstream file(path);
        file << text;
        file.close();
        return !file.fail();
    }
    fs::path m_group;
};

} // namespace

class SystemHardshipTest : public QObject {
    Q_OBJECT
    std::unique_ptr<Store> m_store;

    QByteArray value(const QString& branch, const QByteArray& statement) {
        return m_store->value(branch, statement);
    }
    QString program(const char* name) {
        const QJsonArray installations = m_store->json("engine status").object().value("pgBinDirs").toArray();
        return installations.first().toObject().value("path").toString() + "/" + name;
    }

  private slots:
    void initTestCase() {
        if (const QByteArray why = obstacle(); !why.isEmpty())
            QSKIP(why.constData());
        (void)arbor::whyNoPrivateMounts(); // before there are threads
        m_store = std::make_unique<Store>();
        EXPECT_OK(m_store->init());
        EXPECT_OK(m_store->run("start main"));
    }
    void cleanupTestCase() { m_store.reset(); }

    // Those who want a server until the very last moment are told no; nobody waits for an answer that never
    // comes, the engine least of all.
    void anEngineThatIsStoppedAmidRequestsEnds() {
        for (int round = 0; round < 5; ++round) {
            EXPECT_OK(m_store->run("start main"));
            const pid_t engine = m_store->engine();
            std::vector<std::unique_ptr<arbor::ControlClient>> clients;
            int answers = 0;
            std::function<void(arbor::ControlClient*)> ask = [&](arbor::ControlClient* client) {
                client->request(QString::fromLatin1(arbor::method::endpointStart), {{"name", "main"}}, client,
                                [&, client](const arbor::Result<QJsonValue>&) {
                                    ++answers;
                                    if (client->isConnected())
                                        ask(client);
                                });
            };
            for (int i = 0; i < 8; ++i) {
                arbor::ControlClient::Options options;
                options.store = QString::fromStdString(m_store->path().string());
                options.program = QStringLiteral("test");
                options.reconnect = false;
                clients.push_back(std::make_unique<arbor::ControlClient>(options));
                clients.back()->open();
                ask(clients.back().get());
            }
            QTRY_VERIFY_WITH_TIMEOUT(answers > 20, 60'000);
            QCOMPARE(::kill(engine, SIGTERM), 0);
            // (its holding the store open ends with it; who reaps it is another question)
            QTRY_VERIFY2_WITH_TIMEOUT(!processesOn(m_store->path()).contains(engine), "the engine hangs",
                                      120'000);
        }
        EXPECT_OK(m_store->run("start main"));
    }

    // Case 17. An export is opened elsewhere, where no store keeps a page whole: its first server is killed
    // and half of every page that it was writing is lost.
    void anExportSurvivesTornPagesOfItsFirstStart() {
        QCOMPARE(value("main", "CREATE TABLE torn AS SELECT n, repeat('x', 700) AS filler, 0 AS step FROM "
                               "generate_series(1, 8000) n"),
                 QByteArray());
        QCOMPARE(value("main", "UPDATE torn SET step = 1 WHERE n % 2 = 0"),
                 QByteArray()); // in no checkpoint yet
        const QString out = QString::fromStdString((m_store->folder() / "out").string());
        struct stat owner {};
        ::stat((m_store->path() / "FORMAT").c_str(), &owner);
        QVERIFY(::geteuid() != 0 || ::chown(m_store->folder().c_str(), owner.st_uid, owner.st_gid) == 0);
        EXPECT_OK(m_store->run({"export", "main", out}));
        QVERIFY(m_store->asOwner(program("pg_controldata") + " " + out).contains("shut down"));

        const QString file = out + "/" + value("main", "SELECT pg_relation_filepath('torn')");
        m_store->asOwner("cp " + file + " " + out + ".before; echo local all all trust >" + out + ".hba");
        const QString server =
            program("postgres") + " -D " + out + " -c hba_file=" + out +
            ".hba -c unix_socket_directories=" + QString::fromStdString(m_store->folder()) +
            " -c listen_addresses= -c port=5999 -c logging_collector=off -c shared_buffers=1MB "
            "-c checkpoint_timeout=1h -c max_wal_size=10GB";
        const QByteArray url = "postgresql://postgres@/postgres?port=5999&host=" +
                               QByteArray::fromStdString(m_store->folder().string());
        const auto start = [&] {
            m_store->asOwner("nohup setsid " + server + " >>" + out + ".log 2>&1 </dev/null &");
            return QTest::qWaitFor([&] { return Sql(url).isOpen(); }, 60'000);
        };
        const auto kill = [&] { // as a power cut, with all its processes
            const pid_t postmaster = m_store->asOwner("head -1 " + out + "/postmaster.pid").trimmed().toInt();
            return postmaster > 1 && ::kill(postmaster, SIGKILL) == 0 &&
                   QTest::qWaitFor( // also until it is reaped: a zombie's lock file still counts
                       [&] { return !standsIn(out.toStdString()) && ::kill(postmaster, 0) != 0; }, 60'000);
        };
        QVERIFY2(start(), readText((out + ".log").toStdString()).right(2000).constData());
        {
            Sql session(url);
            QCOMPARE(session.value("SHOW full_page_writes"), QByteArray("on"));
            QCOMPARE(session.value("UPDATE torn SET step = 2 WHERE n % 3 = 0"), QByteArray());
        }
        QVERIFY(kill());
        QCOMPARE(tearPages(out.toStdString() + ".before", file.toStdString()) > 0, true);
        QVERIFY2(start(), readText((out + ".log").toStdString()).right(2000).constData());
        {
            Sql session(url);
            QCOMPARE(session.value(
                         "SELECT count(*) FILTER (WHERE step = 2) || ' ' || count(*) FILTER (WHERE step = 1) "
                         "|| ' ' || sum(length(filler)) FROM torn"),
                     QByteArray("2666 2667 5600000"));
        }
        QVERIFY(kill());
    }

    // Case 29
    void littleMemoryMakesItSlowerNothingElse() {
        if (::geteuid() != 0)
            QSKIP("only root can limit memory");
        // shared_buffers and the engine fit; what the kernel would like to cache does not
        MemoryLimit limit(std::uintmax_t{320} << 20);
        if (!limit.isMade())
            QSKIP("this machine has no memory controller that could be used");
        EXPECT_OK(m_store->run("branch create narrow --from main --start"));
        QVERIFY(limit.take(m_store->engine()));
        QVERIFY(limit.take(m_store->postmaster("narrow"))); // and the backends that it makes from now on
        QByteArray expected;
        for (int round = 1; round <= 3; ++round) {
            QCOMPARE(value("narrow", "CREATE TABLE wide_" + QByteArray::number(round) +
                                         " AS SELECT n, repeat(md5(n::text), 20) AS filler FROM "
                                         "generate_series(1, 100000) n"),
                     QByteArray());
            value("narrow", "CHECKPOINT");
            const QByteArray sum = value("narrow", "SELECT sum(hashtext(filler)::bigint) FROM wide_" +
                                                       QByteArray::number(round));
            QVERIFY2(!sum.startsWith("error"), sum.constData());
            if (round > 1)
                QCOMPARE(sum, expected);
            expected = sum;
        }
        EXPECT_OK(m_store->run("branch create below --from narrow --start"));
        QCOMPARE(value("below", "SELECT sum(hashtext(filler)::bigint) FROM wide_3"), expected);
        QCOMPARE(m_store->state("narrow"), QString("running"));
        EXPECT_OK(m_store->run("branch delete below"));
        EXPECT_OK(m_store->run("branch delete narrow"));
    }

    void aThousandOpenFiles() {
        EXPECT_OK(m_store->run("branch create many --from main --start"));
        {
            Sql session(m_store->url("many"));
            QCOMPARE(
                session.value("DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format('CREATE TABLE f%s AS SELECT "
                              "%s AS n', i, i); IF i % 50 = 0 THEN COMMIT; END IF; END LOOP; END $$"),
                QByteArray());
            session.value("CHECKPOINT");
        }
        EXPECT_OK(m_store->run("restart many"));
        // several backends that each keep as many open as they may
        std::atomic<int> good{0};
        std::vector<std::thread> sessions;
        const QByteArray url = m_store->url("many");
        for (int i = 0; i < 3; ++i)
            sessions.emplace_back([&] {
                Sql session(url);
                const QByteArray said = session.value("DO $$ DECLARE x int; s int := 0; BEGIN FOR i IN "
                                                      "1..1000 LOOP EXECUTE format('SELECT n FROM "
                                                      "f%s', i) INTO x; s := s + x; IF i % 50 = 0 THEN "
                                                      "COMMIT; END IF; END LOOP; IF s <> 500500 THEN "
                                                      "RAISE 'the sum is %', s; END IF; END $$");
                good += said.isEmpty() ? 1 : 0;
            });
        for (std::thread& session : sessions)
            session.join();
        QCOMPARE(good.load(), 3);
        EXPECT_OK(m_store->run("branch delete many"));
    }

    void aSuspendedEngineGoesOnWhereItWas() {
        QCOMPARE(value("main", "CREATE TABLE written (n int PRIMARY KEY)"), QByteArray());
        const QByteArray url = m_store->url("main");
        std::atomic<bool> stop{false};
        std::atomic<int> acknowledged{0};
        std::thread writer([&] {
            Sql session(url);
            for (int n = 1; !stop; ++n)
                if (session.value("INSERT INTO written VALUES (" + QByteArray::number(n) + ")").isEmpty())
                    acknowledged = n;
                else
                    break;
        });
        const pid_t engine = m_store->engine();
        bool went = true;
        for (int round = 0; round < 3; ++round) {
            const int before = acknowledged;
            ::kill(engine, SIGSTOP);
            QTest::qWait(700); // longer than anything the engine does by the clock
            ::kill(engine, SIGCONT);
            Sql(url).value("CHECKPOINT");
            went = went && QTest::qWaitFor([&] { return acknowledged > before + 10; }, 60'000);
        }
        stop = true;
        writer.join();
        QVERIFY(went);
        QCOMPARE(m_store->engine(), engine);
        QCOMPARE(m_store->state("main"), QString("running"));
        QCOMPARE(value("main", "SELECT count(*) FROM written").toInt(), acknowledged.load());
    }

    // Branches can be made meanwhile, and the engine that is there already takes what came.
    void whatAMountNeedsMayComeLater() {
        if (const QString why = arbor::whyNoPrivateMounts(); !why.isEmpty())
            QSKIP(qPrintable(why));
        const arbor::Hidden hidden = arbor::Hidden::gone("/dev/fuse");
        QVERIFY(hidden.isDone());
        Store store;
        EXPECT_OK(store.init());
        EXPECT_OK(store.run("branch create idea --from main"));
        const Outcome refused = store.run("start main");
        EXPECT_CODE(refused, 1);
        QVERIFY2(refused.err.contains("fuse device not found"), refused.err.constData());
        const QJsonObject before = store.json("engine status").object();
        QVERIFY(before.value("problem").toString().contains("fuse device not found"));

        QVERIFY(::mknod("/dev/fuse", S_IFCHR, makedev(10, 229)) == 0 && ::chmod("/dev/fuse", 0666) == 0);
        EXPECT_OK(store.run("start main"));
        QCOMPARE(store.value("main", "SELECT 1"), QByteArray("1"));
        const QJsonObject after = store.json("engine status").object();
        QCOMPARE(after.value("pid"), before.value("pid"));
        QVERIFY(!after.contains("problem"));

        // and others may take it away
        QVERIFY(::umount2((store.path() / "mnt").c_str(), MNT_DETACH) == 0);
        QCOMPARE(store.value("main", "SELECT 1"), QByteArray("1"));
        const Outcome busy = store.run("start idea");
        EXPECT_CODE(busy, 4);
        QVERIFY2(busy.err.contains("stop them all"), busy.err.constData());
        EXPECT_OK(store.run("stop main"));
        EXPECT_OK(store.run("start idea"));
        QCOMPARE(store.value("idea", "SELECT 1"), QByteArray("1"));
        QVERIFY(!store.json("engine status").object().contains("problem"));
    }

  private:
    static bool standsIn(const fs::path& directory) {
        for (const pid_t process : processesOn(directory.parent_path())) {
            std::error_code error;
            if (fs::read_symlink("/proc/" + std::to_string(process) + "/cwd", error) == directory)
                return true;
        }
        return false;
    }
    // Gives every page that differs from what it was before its old second half back; answers how many.
    static int tearPages(const fs::path& before, const fs::path& file) {
        constexpr std::size_t page = 8192;
        const QByteArray old = readText(before);
        QFile now(QString::fromStdString(file.string()));
        if (!now.open(QIODevice::ReadWrite))
            return 0;
        const QByteArray content = now.readAll();
        int torn = 0;
        for (qsizetype at = 0; at + qsizetype(page) <= std::min(old.size(), content.size()); at += page) {
            const qsizetype half = at + qsizetype(page) / 2;
            if (content.mid(at, page) == old.mid(at, page))
                continue;
            now.seek(half);
            now.write(old.mid(half, page / 2));
            ++torn;
        }
        return torn;
    }
};

QTEST_GUILESS_MAIN(SystemHardshipTest)
#include "system_hardship_test.moc"
