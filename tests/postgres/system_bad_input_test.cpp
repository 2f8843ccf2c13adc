// What people and programs may do wrong: hostile words on every command, stores that are none, clients that
// race, and a socket that gets anything but requests. Each time: the right exit code, a sentence that helps,
// nothing changed, and an engine that goes on.
#include "system_support.h"

#include "app/control/runtime_dir.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

using namespace arbor::system_test;

namespace {

// A raw connection to the engine's socket.
class Wire {
  public:
    explicit Wire(const fs::path& store) {
        const auto connected = arbor::connectToEngine(store);
        m_descriptor = connected.value_or(-1);
    }
    ~Wire() {
        if (m_descriptor >= 0)
            ::close(m_descriptor);
    }
    Wire(Wire&& other) noexcept : m_descriptor(std::exchange(other.m_descriptor, -1)) {}
    Wire& operator=(Wire&&) = delete;
    bool isOpen() const { return m_descriptor >= 0; }
    // False when the other end has had enough.
    bool send(QByteArray bytes) {
        while (!bytes.isEmpty()) {
            const ssize_t sent = ::send(m_descriptor, bytes.constData(), bytes.size(), MSG_NOSIGNAL);
            if (sent > 0) {
                bytes.remove(0, sent);
                continue;
            }
            pollfd waiting{m_descriptor, POLLOUT, 0};
            if (errno != EAGAIN || ::poll(&waiting, 1, 30'000) <= 0 ||
                (waiting.revents & (POLLERR | POLLHUP)))
                return false;
        }
        return true;
    }
    // What comes until the connection ends, or a line when asked for one.
    QByteArray receive(bool line = false) {
        QByteArray all;
        for (;;) {
            pollfd waiting{m_descriptor, POLLIN, 0};
            if (::poll(&waiting, 1, 30'000) <= 0)
                return all + "(nothing more came)";
            char part[4096];
            const ssize_t got = ::recv(m_descriptor, part, sizeof part, 0);
            if (got <= 0)
                return all;
            all.append(part, got);
            if (line && all.contains('\n'))
                return all;
        }
    }

  private:
    int m_descriptor = -1;
};

} // namespace

class SystemBadInputTest : public QObject {
    Q_OBJECT
    std::unique_ptr<Store> m_store;

    // What a command that is refused must leave as it was. Not what is only measured: a question about a fork
    // that never ran builds its log, which it is due before its first start.
    QByteArray everything() {
        QByteArray lists;
        for (const char* line : {"branch list", "checkpoint list", "trash list"}) {
            QJsonArray list = m_store->json(line).array();
            for (QJsonValueRef value : list) {
                QJsonObject entry = value.toObject();
                for (const char* measured : {"privateBytes", "historyBytes", "onlyBytes", "headTime"})
                    entry.remove(measured);
                value = entry;
            }
            lists += QJsonDocument(list).toJson();
        }
        return lists + m_store->json("settings get").out + m_store->json("log").out;
    }
    bool isAlive() { return m_store->run("branch list").code == 0; }

  private slots:
    void initTestCase() {
        if (const QByteArray why = obstacle(); !why.isEmpty())
            QSKIP(why.constData());
        m_store = std::make_unique<Store>();
        EXPECT_OK(m_store->init());
        EXPECT_OK(m_store->run("branch create child --from main"));
        EXPECT_OK(m_store->run("checkpoint create point --branch main"));
    }
    void cleanupTestCase() { m_store.reset(); }

    void hostileNamesAreUsageErrors() {
        const QByteArray before = everything();
        const QStringList names{"",
                                "..",
                                "a/../b",
                                "/a",
                                "a/",
                                "a//b",
                                ".hidden",
                                "-x y",
                                "a'b",
                                "a\"b",
                                "a\nb",
                                "a b",
                                "a;b",
                                "$(x)",
                                "a\\b",
                                "naïve",
                                "%s%s%n",
                                QString(64, 'a'),
                                QString(10'240, 'x'),
                                "a\x01",
                                "_a"};
        for (const QString& name : names) {
            for (const QStringList& command : {QStringList{"branch", "create", "--from", "main", "--", name},
                                               {"branch", "create", name, "--from", "main"},
                                               {"branch", "create", "new", "--from", name},
                                               {"branch", "show", name},
                                               {"branch", "rename", "child", name},
                                               {"branch", "rename", name, "new"},
                                               {"branch", "delete", name},
                                               {"branch", "restore", name, "--at", "head"},
                                               {"branch", "reset", name},
                                               {"branch", "protect", name},
                                               {"branch", "expire", name, "1d"},
                                               {"trash", "restore", name},
                                               {"checkpoint", "create", name, "--branch", "main"},
                                               {"checkpoint", "create", "c", "--branch", name},
                                               {"checkpoint", "delete", name, "--branch", "main"},
                                               {"start", name},
                                               {"stop", name},
                                               {"url", name},
                                               {"env", name},
                                               {"timeline", name},
                                               {"psql", name}}) {
                const Outcome refused = m_store->json(command);
                QVERIFY2(refused.code == 2,
                         qPrintable(command.join(' ') + " exited with " + QString::number(refused.code) +
                                    ": " + refused.text()));
                QCOMPARE(refused.kind(), QString("invalid-argument"));
                QVERIFY(!refused.message().isEmpty());
                QVERIFY(refused.out.isEmpty());
            }
        }
        QCOMPARE(everything(), before);
    }

    void wrongPositionsAndValuesAreUsageErrors() {
        const QByteArray before = everything();
        for (const char* position : {"",
                                     "Head",
                                     "0/",
                                     "/0",
                                     "0/G",
                                     "123456789/0",
                                     "0/123456789",
                                     "xid:",
                                     "xid:0",
                                     "xid:-1",
                                     "xid:99999999999999999999",
                                     "checkpoint:",
                                     "checkpoint:..",
                                     "2026-01-31",
                                     "2026-01-31T12:00:00",
                                     "2026-13-01T00:00:00Z",
                                     "yesterday",
                                     "-",
                                     "-10",
                                     "-10parsecs",
                                     "-99999999999999999999d",
                                     "+1h"}) {
            const Outcome refused =
                m_store->json({"branch", "create", "never", "--from", "main", "--at", position});
            QVERIFY2(refused.code == 2, qPrintable(QString("%1: %2 %3")
                                                       .arg(position)
                                                       .arg(refused.code)
                                                       .arg(QString::fromUtf8(refused.text()))));
        }
        for (const QStringList& command : {QStringList{"branch", "expire", "child", "soon"},
                                           {"branch", "expire", "child", "-1d"},
                                           {"settings", "set", "history-time", ""},
                                           {"settings", "set", "history-time", "7 parsecs"},
                                           {"settings", "set", "disk-limit", "-5GB"},
                                           {"settings", "get", "nonsense"},
                                           {"undo", "x"},
                                           {"undo", "-1"},
                                           {"job", "cancel"},
                                           {"job", "cancel", "99999999999999999999"},
                                           {"nonsense"},
                                           {"branch"},
                                           {"branch", "nonsense"},
                                           {"branch", "create"},
                                           {"branch", "create", "x"},
                                           {"branch", "list", "extra"},
                                           {"branch", "list", "--nonsense"},
                                           {"start"},
                                           {"start", "--all", "main"},
                                           {"start", "main", "child"},
                                           {"checkpoint", "create", "x"},
                                           {"branch", "restore", "child"},
                                           {"init", "--", "-D", "/tmp/x"},
                                           {"init", "--", "--pgdata=/tmp/x"},
                                           {"init", "--", "-U", "me"},
                                           {"init", "--", "--waldir=/tmp/x"},
                                           {"init", "--", "--wal-segsize", "64"},
                                           {}}) {
            const Outcome refused = m_store->json(command);
            QVERIFY2(refused.code == 2, qPrintable(command.join(' ') + QString(": %1 ").arg(refused.code) +
                                                   QString::fromUtf8(refused.text())));
            QVERIFY(!refused.message().isEmpty());
        }
        QCOMPARE(everything(), before);
    }

    void positionsOutsideHistoryAreRefusedWithTheRange() {
        const QByteArray before = everything();
        for (const char* position : {"0/1", "FFFFFFFF/FFFFFFF0", "1999-01-01T00:00:00Z", "-3650d"})
            for (const QStringList& command :
                 {QStringList{"branch", "create", "never", "--from", "main", "--at"},
                  {"branch", "restore", "child", "--at"},
                  {"checkpoint", "create", "never", "--branch", "main", "--at"},
                  {"psql", "main", "--at"}}) {
                const Outcome refused = m_store->json(command + QStringList{position});
                EXPECT_CODE(refused, 4);
                QVERIFY2(QRegularExpression("[0-9A-F]+/[0-9A-F]+").match(refused.message()).hasMatch(),
                         qPrintable(refused.message()));
            }
        QCOMPARE(everything(), before);
    }

    void directoriesThatAreNoStoreOfOurs() {
        const fs::path folder = m_store->folder();
        const auto in = [&](const fs::path& store, const QStringList& command) {
            QProcess process;
            process.start(programPath("pgarborctl"),
                          QStringList{"--json", "--store", QString::fromStdString(store)} + command);
            return Store::finish(process);
        };
        // somebody's files
        const fs::path foreign = folder / "foreign";
        fs::create_directory(foreign);
        fs::permissions(foreign, fs::perms::all);
        std::ofstream(foreign / "thesis.txt") << "years of work";
        EXPECT_CODE(in(foreign, {"branch", "list"}), 3);
        const Outcome full = in(foreign, {"init"});
        EXPECT_CODE(full, 4);
        QVERIFY(full.message().contains("foreign"));
        QCOMPARE(readText(foreign / "thesis.txt"), QByteArray("years of work"));
        QCOMPARE(std::distance(fs::directory_iterator(foreign), {}), 1);
        // a file in its place
        std::ofstream(folder / "file") << "x";
        for (const fs::path& place : {folder / "file", folder / "file" / "store"}) {
            const Outcome refused = in(place, {"init"});
            EXPECT_CODE(refused, 1);
            QVERIFY2(refused.message().count("file") == 1 && !refused.message().contains("pgarbord"),
                     qPrintable(refused.message()));
        }
        QCOMPARE(readText(folder / "file"), QByteArray("x"));
        // programs that are none
        const fs::path none = folder / "none";
        const Outcome wrong = in(none, {"init", "--pg-bin", QString::fromStdString(foreign)});
        EXPECT_CODE(wrong, 3);
        QVERIFY2(wrong.message().contains("foreign"), qPrintable(wrong.message()));
        QVERIFY(!fs::exists(none));
        // a place where nothing may be made
        QVERIFY(in("/proc/none", {"init"}).code != 0);
        const fs::path locked = folder / "locked";
        fs::create_directory(locked);
        fs::permissions(locked, fs::perms::owner_read | fs::perms::owner_exec);
        if (::geteuid() != 0) {
            const Outcome refused = in(locked / "store", {"init"});
            EXPECT_CODE(refused, 1);
            QVERIFY(refused.message().contains("locked"));
        }
        fs::permissions(locked, fs::perms::owner_all);
    }

    void aStoreOfANewerFormatIsLeftAlone() {
        EXPECT_OK(m_store->run("engine stop"));
        const fs::path format = m_store->path() / "FORMAT";
        const QByteArray mine = readText(format);
        QVERIFY(mine.contains('1'));
        {
            std::ofstream newer(format, std::ios::trunc);
            newer << QByteArray(mine).replace("1", "999").toStdString();
        }
        const Outcome refused = m_store->json("branch list");
        EXPECT_CODE(refused, 4);
        QVERIFY2(refused.message().startsWith("the store at") && refused.message().count("999") == 1,
                 qPrintable(refused.message()));
        {
            std::ofstream garbage(format, std::ios::trunc);
            garbage << "no format at all";
        }
        QVERIFY(m_store->json("branch list").code != 0);
        {
            std::ofstream back(format, std::ios::trunc);
            back << mine.toStdString();
        }
        EXPECT_OK(m_store->run("branch list"));
    }

    void ofTwoThatMakeAStoreAtOnceOneHearsOfTheOther() {
        Store store;
        const QStringList init{"--json", "init", "--", "--no-sync"};
        const auto first = store.begin(init), second = store.begin(init);
        const Outcome one = Store::finish(*first), other = Store::finish(*second);
        EXPECT_CODE(one.code == 0 ? one : other, 0);
        const Outcome& loser = one.code == 0 ? other : one;
        EXPECT_CODE(loser, 4);
        QCOMPARE(loser.kind(), QString("already-exists"));
        QVERIFY2(loser.message().startsWith("there is a store at"), qPrintable(loser.message()));
        QCOMPARE(store.json("branch list").array().size(), 1);
    }

    void whatIsDamagedIsListed() {
        Store store;
        EXPECT_OK(store.init());
        EXPECT_OK(store.json("scrub"));
        fs::path largest;
        for (const auto& file : fs::directory_iterator(store.path() / "pages"))
            if (largest.empty() || file.file_size() > fs::file_size(largest))
                largest = file.path();
        {
            std::fstream segment(largest, std::ios::in | std::ios::out | std::ios::binary);
            for (std::uintmax_t offset = 0; offset < fs::file_size(largest); offset += 4096)
                segment.seekp(static_cast<std::streamoff>(offset)).put('x').put('y');
        }
        const Outcome found = store.json("scrub");
        EXPECT_CODE(found, 1);
        QCOMPARE(found.kind(), QString("corruption"));
        const QJsonArray problems = found.object().value("problems").toArray();
        QCOMPARE(problems.size(), 100);
        QVERIFY(found.object().value("problemCount").toInteger() > 100);
        const QRegularExpression sentence("^[a-z][a-z0-9_./]* block [0-9]+ of branch main at position "
                                          "[0-9]+ cannot be read: /[^ ]+\\.seg at offset [0-9]+: [a-z ']+$");
        for (const QJsonValue& problem : problems)
            QVERIFY2(sentence.match(problem.toString()).hasMatch(), qPrintable(problem.toString()));
        const Outcome told = store.run("scrub");
        EXPECT_CODE(told, 1);
        QVERIFY(told.out.contains(problems.last().toString().toUtf8()));
        QVERIFY2(QRegularExpression("\nand [0-9]+ more\n$").match(told.out).hasMatch(), told.out.right(200));
        QCOMPARE(told.err.count('\n'), 1);
    }

    // The mount of a store is one: hard links do not exist in it.
    void aFileSystemWithoutHardLinksIsRefused() {
        EXPECT_OK(m_store->run("start main"));
        const fs::path place = m_store->data("main") / "store";
        // a copy: the owner may not look into the home that this checkout may lie in
        const fs::path programs = fs::path(m_store->path()).parent_path() / "programs";
        fs::create_directory(programs);
        for (const char* name : {"pgarborctl", "pgarbord"})
            fs::copy_file(programPath(name).toStdString(), programs / name);
        int code = 0;
        const QByteArray said = m_store->asOwner(
            QString("'%1' --store '%2' init")
                .arg(QString::fromStdString(programs / "pgarborctl"), QString::fromStdString(place)),
            &code);
        QVERIFY2(code == 1 && said.contains("hard link"), said.constData());
        QVERIFY(m_store->asOwner("ls '" + QString::fromStdString(place) + "'").contains("No such file"));
        EXPECT_OK(m_store->run("stop main"));
    }

    void ofClientsThatRaceForANameOneWins() {
        std::vector<std::unique_ptr<QProcess>> clients;
        for (int i = 0; i < 6; ++i)
            clients.push_back(m_store->begin({"branch", "create", "race", "--from", "main"}));
        std::map<int, int> codes;
        for (const auto& client : clients)
            ++codes[Store::finish(*client).code];
        QCOMPARE(codes[0], 1);
        QCOMPARE(codes[4], 5);
        EXPECT_OK(m_store->run("branch delete race"));
    }

    void ofClientsThatStartAnEngineAllFindIt() {
        EXPECT_OK(m_store->run("engine stop"));
        std::vector<std::unique_ptr<QProcess>> clients;
        for (int i = 0; i < 6; ++i)
            clients.push_back(m_store->begin({"engine", "status"}));
        for (const auto& client : clients)
            QVERIFY(Store::finish(*client).code == 5); // status starts nothing
        clients.clear();
        for (int i = 0; i < 6; ++i)
            clients.push_back(m_store->begin({"branch", "list"}));
        for (const auto& client : clients)
            EXPECT_OK(Store::finish(*client));
    }

    void theSocketSurvivesGarbage() {
        const QByteArray hello =
            QJsonDocument(QJsonObject{{"jsonrpc", "2.0"},
                                      {"id", 1},
                                      {"method", "hello"},
                                      {"params", QJsonObject{{"protocol", 1}, {"program", "test"}}}})
                .toJson(QJsonDocument::Compact) +
            '\n';
        QByteArray noise(100'000, '\0');
        for (char& byte : noise)
            byte = static_cast<char>(std::rand());
        for (const QByteArray& sent :
             {QByteArray("GET / HTTP/1.1\r\n\r\n"), QByteArray("\n\n\n\n"), QByteArray("{}\n"),
              QByteArray("[]\n"), QByteArray("[" + hello.trimmed() + "]\n"), QByteArray(50'000, '['), noise,
              QByteArray("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"branch.list\"}\n"),
              QByteArray(QByteArray(10'000, '[') + QByteArray(10'000, ']') + "\n")}) {
            Wire wire(m_store->path());
            QVERIFY(wire.isOpen());
            wire.send(sent + "\n");
            QVERIFY(!wire.receive().contains("(nothing more came)"));
        }
        QVERIFY(isAlive());
        {
            Wire half(m_store->path());
            half.send(hello.left(20)); // and never the rest
            Wire whole(m_store->path());
            whole.send(hello);
            QVERIFY(whole.receive(true).contains("protocol"));
            whole.send("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"nonsense\"}\n");
            QVERIFY(whole.receive(true).contains("error"));
            whole.send(
                "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"branch.create\",\"params\":{\"name\":7}}\n");
            QVERIFY(whole.receive(true).contains("error"));
            // a line without end: cut long before it has filled any memory
            const QByteArray block(1 << 20, 'x');
            qint64 sent = 0;
            while (sent < (qint64{1} << 30) && whole.send(block))
                sent += block.size();
            QVERIFY(sent < (64 << 20));
        }
        QVERIFY(isAlive());
    }

    // To an engine that was started where fewer files may be open, until more are asked for.
    void aThousandConnections() {
        rlimit files{};
        ::getrlimit(RLIMIT_NOFILE, &files);
        EXPECT_OK(m_store->run("engine stop"));
        files.rlim_cur = std::min<rlim_t>(files.rlim_max, 512);
        ::setrlimit(RLIMIT_NOFILE, &files);
        QVERIFY(isAlive());
        files.rlim_cur = std::min<rlim_t>(files.rlim_max, 8192);
        ::setrlimit(RLIMIT_NOFILE, &files);
        const pid_t engine = m_store->engine();
        const auto descriptors = [&] {
            return std::distance(fs::directory_iterator("/proc/" + std::to_string(engine) + "/fd"), {});
        };
        const auto before = descriptors();
        {
            std::vector<Wire> wires;
            for (int i = 0; i < 1000; ++i) {
                wires.emplace_back(m_store->path());
                QVERIFY2(wires.back().isOpen(), qPrintable(QString::number(i)));
            }
            QVERIFY(isAlive());
            QCOMPARE(m_store->engine(), engine); // that one, not another that a client has started
        }
        QTRY_VERIFY_WITH_TIMEOUT(descriptors() <= before + 5, 30'000);
        QVERIFY(isAlive());
        QCOMPARE(m_store->engine(), engine);
    }
};

QTEST_GUILESS_MAIN(SystemBadInputTest)
#include "system_bad_input_test.moc"
