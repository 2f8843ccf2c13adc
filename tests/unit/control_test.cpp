// The control server over a real socket, with handlers of our own.
#include "control_engine.h"

#include "app/control/client.h"

#include <QFileInfo>
#include <QSignalSpy>

#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>
#include <thread>

using namespace arbor;
using test::Engine;

namespace {

qint64 residentBytes() {
    std::ifstream statm("/proc/self/statm");
    qint64 size = 0;
    qint64 resident = 0;
    statm >> size >> resident;
    return resident * sysconf(_SC_PAGESIZE);
}

} // namespace

class ControlTest : public QObject {
    Q_OBJECT
    std::unique_ptr<RuntimeDirectory> m_runtime;
    QString store() const { return m_runtime->store(); }

  private slots:
    void initTestCase() { allowManyDescriptors(); }
    void init() { m_runtime = std::make_unique<RuntimeDirectory>(); }
    void cleanup() { m_runtime.reset(); }

    void theSocketIsClosedToOthersAndGoneAfterwards() {
        const ControlAddress address = listenAddress(store().toStdString());
        {
            Engine engine(store());
            QVERIFY(engine.listen());
            struct stat info {};
            QCOMPARE(stat(address.socket.c_str(), &info), 0);
            QCOMPARE(info.st_mode & 07777, 0600u);
            QCOMPARE(stat(address.directory.c_str(), &info), 0);
            QCOMPARE(info.st_mode & 07777, 0700u);
            Engine second(store());
            QCOMPARE(second.listen().error().kind(), ErrorKind::Busy);
        }
        QVERIFY(!QFileInfo::exists(QString::fromStdString(address.socket)));
        Engine again(store());
        QVERIFY(again.listen());
    }

    void aRuntimeDirectoryThatIsNotOursIsRefused() {
        ControlAddress address = listenAddress(store().toStdString());
        QVERIFY(QDir().mkdir(QString::fromStdString(address.directory)));
        QCOMPARE(chmod(address.directory.c_str(), 0777), 0);
        Engine engine(store());
        QCOMPARE(engine.listen().error().kind(), ErrorKind::Permission);
        QCOMPARE(chmod(address.directory.c_str(), 0700), 0);
        address.owner += 1;
        QCOMPARE(engine.server.listen(address).error().kind(), ErrorKind::Permission);
        QVERIFY(QDir().rmdir(QString::fromStdString(address.directory)));
        QVERIFY(QFile::link("/tmp", QString::fromStdString(address.directory)));
        QCOMPARE(engine.listen().error().kind(), ErrorKind::Permission);
    }

    void onePathByAnyOtherNameIsTheSameStore() {
        QVERIFY(QDir().mkpath(store()));
        QVERIFY(QFile::link(store(), m_runtime->path() + "/alias"));
        const auto socket = [](const QString& path) { return listenAddress(path.toStdString()).socket; };
        QCOMPARE(socket(m_runtime->path() + "/alias/"), socket(store()));
        QCOMPARE(socket(m_runtime->path() + "/./x/../store"), socket(store()));
        QVERIFY(socket(m_runtime->path() + "/other") != socket(store()));
    }

    void requestsAreAnsweredInTheirOwnOrder() {
        Engine engine(store());
        QVERIFY(engine.listen());
        RawConnection raw(store());
        QCOMPARE(raw.greet().value("result").toObject().value("program").toString(),
                 QString("test-engine 1"));
        raw.write(requestLine(7, "later", {}) + '\n' + requestLine(8, "echo", {{"a", 1}}) + '\n');
        QCOMPARE(raw.readJson().value("id").toInt(), 8);
        QCOMPARE(engine.waiting.size(), std::size_t{1});
        std::thread([&] { engine.waiting.front()->answer(QJsonValue("done")); }).join();
        engine.waiting.front()->answer(QJsonValue("twice"));
        const QJsonObject late = raw.readJson();
        QCOMPARE(late.value("id").toInt(), 7);
        QCOMPARE(late.value("result").toString(), QString("done"));
    }

    void errorsCarryTheirKind() {
        Engine engine(store());
        QVERIFY(engine.listen());
        RawConnection raw(store());
        raw.greet();
        raw.write(requestLine(2, "missing", {}) + '\n');
        const QJsonObject missing = raw.readJson();
        QCOMPARE(errorKindOf(missing), QString("not-found"));
        QCOMPARE(missing.value("error").toObject().value("message").toString(), QString("no branch \"x\""));
        raw.write(requestLine(3, "no.such.method", {}) + '\n');
        QCOMPARE(errorKindOf(raw.readJson()), QString("unsupported"));
        raw.write("{\"jsonrpc\":\"2.0\",\"id\":\"text\",\"method\":\"echo\"}\n");
        QCOMPARE(raw.readJson().value("id").toString(), QString("text"));
        raw.write(requestLine(4, "later", {}) + '\n');
        QTRY_COMPARE(engine.waiting.size(), std::size_t{1});
        engine.waiting.clear(); // nobody answers
        QCOMPARE(errorKindOf(raw.readJson()), QString("io"));
    }

    void garbageIsAnsweredByAnErrorAndTheEnd_data() {
        QTest::addColumn<QByteArray>("line");
        QTest::newRow("no json") << QByteArray("hello?");
        QTest::newRow("binary") << QByteArray("\x00\xff\xfe\x01", 4);
        QTest::newRow("empty") << QByteArray("");
        QTest::newRow("batch") << QByteArray("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}]");
        QTest::newRow("number") << QByteArray("42");
        QTest::newRow("no id") << QByteArray("{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}");
        QTest::newRow("object id") << QByteArray("{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"echo\"}");
        QTest::newRow("no method") << QByteArray("{\"jsonrpc\":\"2.0\",\"id\":1}");
        QTest::newRow("old version") << QByteArray("{\"id\":1,\"method\":\"echo\"}");
        QTest::newRow("array params")
            << QByteArray("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":[1]}");
        QTest::newRow("deep") << QByteArray(50'000, '[');
        QTest::newRow("http") << QByteArray("GET / HTTP/1.1\r");
        QTest::newRow("bad utf-8") << QByteArray("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xc3\x28\"}");
    }
    void garbageIsAnsweredByAnErrorAndTheEnd() {
        QFETCH(QByteArray, line);
        Engine engine(store());
        QVERIFY(engine.listen());
        for (const bool greeted : {false, true}) {
            RawConnection raw(store());
            if (greeted)
                raw.greet();
            raw.write(line + '\n');
            const QJsonObject answer = raw.readJson();
            QCOMPARE(errorKindOf(answer), QString("invalid-argument"));
            QVERIFY(raw.ended());
        }
        QTRY_COMPARE(engine.server.connectionCount(), 0);
        RawConnection next(store()); // and the next one is served as ever
        QVERIFY(next.greet().contains("result"));
    }

    void aRequestMayComeByteByByteOrNeverEnd() {
        Engine engine(store());
        QVERIFY(engine.listen());
        RawConnection half(store());
        half.greet();
        half.write("{\"jsonrpc\":\"2.0\",\"id\":5,");
        RawConnection slow(store());
        slow.greet();
        for (const char c : requestLine(9, "echo", {{"x", "y"}}) + '\n')
            QVERIFY(slow.write(QByteArray(1, c)));
        QCOMPARE(slow.readJson().value("id").toInt(), 9);
        half.close();
        QTRY_COMPARE(engine.server.connectionCount(), 1);
    }

    void aGigabyteWithoutALineFeedIsCutOffWithoutMemory() {
        Engine engine(store());
        QVERIFY(engine.listen());
        RawConnection raw(store());
        raw.greet();
        const qint64 before = residentBytes();
        const QByteArray part(1 << 20, 'x');
        int sent = 0;
        while (sent < 1024 && raw.write(part))
            ++sent;
        QVERIFY2(sent < 32, "the server went on reading");
        QVERIFY(residentBytes() - before < (64 << 20));
        QCOMPARE(errorKindOf(raw.readJson()), QString("invalid-argument"));
        QVERIFY(raw.ended());

        RawConnection stranger(store()); // before hello the limit is smaller
        stranger.write(QByteArray(100'000, ' '));
        QCOMPARE(errorKindOf(stranger.readJson()), QString("invalid-argument"));
        RawConnection most(store()); // what is just allowed is served
        most.greet();
        most.write(requestLine(2, "echo", {{"x", QString(1'000'000, 'y')}}) + '\n');
        QCOMPARE(most.readJson().value("result").toObject().value("x").toString().size(), 1'000'000);
    }

    void anAnswerThatIsTooLongBecomesAnError() {
        Engine engine(store());
        QVERIFY(engine.listen());
        RawConnection raw(store());
        raw.greet();
        raw.write(requestLine(2, "big", {{"bytes", 65 << 20}}) + '\n');
        QCOMPARE(errorKindOf(raw.readJson()), QString("unsupported"));
        const int most = (qEnvironmentVariableIsSet("ARBOR_FULL") ? 63 : 12) << 20;
        raw.write(requestLine(3, "big", {{"bytes", most}}) + '\n');
        QCOMPARE(raw.readJson().value("result").toString().size(), most);
    }

    void aClientThatDoesNotReadIsHeldBackAndThenCut() {
        Engine engine(store());
        QVERIFY(engine.listen());
        RawConnection raw(store());
        raw.greet();
        raw.write(requestLine(2, "subscribe", {}) + '\n');
        raw.readLine();
        QSignalSpy gone(&engine.server, &ControlServer::connectionClosed);
        const QString text(1 << 20, 'x');
        for (int i = 0; i < 200 && gone.isEmpty(); ++i) {
            engine.server.publish("noise", text);
            QCoreApplication::processEvents();
        }
        QTRY_COMPARE(gone.size(), 1);
    }

    void aThousandConnectionsAreServed() {
        Engine engine(store());
        QVERIFY(engine.listen());
        std::vector<RawConnection> many;
        for (int i = 0; i < 1000; ++i) {
            many.emplace_back(store());
            QVERIFY2(many.back().isOpen(), qPrintable(QString::number(i)));
        }
        QTRY_COMPARE(engine.server.connectionCount(), 1000);
        for (RawConnection& raw : many)
            QVERIFY(raw.greet().contains("result"));
        engine.server.publish("branches", QJsonObject{}); // nobody subscribed: nothing comes
        for (std::size_t i = 0; i < many.size(); i += 97) {
            many[i].write(requestLine(5, "echo", {}) + '\n');
            QCOMPARE(many[i].readJson().value("id").toInt(), 5);
        }
        many.clear();
        QTRY_COMPARE(engine.server.connectionCount(), 0);
    }

    void moreConnectionsThanAllowedAreTurnedAway() {
        Engine engine(store(), {.maxConnections = 2});
        QVERIFY(engine.listen());
        RawConnection one(store());
        RawConnection two(store());
        QVERIFY(one.greet().contains("result"));
        QVERIFY(two.greet().contains("result"));
        RawConnection three(store());
        QCOMPARE(errorKindOf(three.readJson()), QString("busy"));
        QVERIFY(three.ended());
        one.close();
        QTRY_COMPARE(engine.server.connectionCount(), 1);
        RawConnection four(store());
        QVERIFY(four.greet().contains("result"));
    }

    void whoDoesNotSayHelloIsSentAway() {
        Engine engine(store(), {.helloTimeout = std::chrono::milliseconds(50)});
        QVERIFY(engine.listen());
        QSignalSpy gone(&engine.server, &ControlServer::connectionClosed);
        RawConnection silent(store());
        QCOMPARE(errorKindOf(silent.readJson()), QString("invalid-argument"));
        QVERIFY(silent.ended());
        RawConnection rude(store());
        rude.write(requestLine(1, "echo", {}) + '\n');
        QCOMPARE(errorKindOf(rude.readJson()), QString("invalid-argument"));
        QVERIFY(rude.ended());
        QCOMPARE(gone.size(), 0); // no handler ever heard of them
    }

    void otherVersionsAndOtherStoresAreRefused() {
        Engine engine(store());
        QVERIFY(engine.listen());
        RawConnection older(store());
        const QJsonObject answer = older.greet(controlProtocolVersion + 1);
        QCOMPARE(errorKindOf(answer), QString("unsupported"));
        QVERIFY(answer.value("error").toObject().value("message").toString().contains("protocol"));
        QVERIFY(older.ended());
        RawConnection elsewhere(store());
        QCOMPARE(errorKindOf(elsewhere.greet(controlProtocolVersion, "/elsewhere")), QString("refused"));
        QVERIFY(elsewhere.ended());
    }

    void onlyTheOwnUserAndRootAreServed() {
        if (geteuid() != 0)
            QSKIP("needs root, to be somebody else");
        Engine engine(store());
        QVERIFY(engine.listen());
        // The doors stand open, so that the check behind them is what refuses.
        const ControlAddress address = listenAddress(store().toStdString());
        for (const std::string& path : {m_runtime->path().toStdString(), address.directory})
            QCOMPARE(chmod(path.c_str(), 0755), 0);
        QCOMPARE(chmod(address.socket.c_str(), 0666), 0);
        int ends[2];
        QCOMPARE(pipe(ends), 0);
        const pid_t child = fork();
        if (child == 0) {
            if (setgid(65534) != 0 || setuid(65534) != 0)
                _exit(1);
            sockaddr_storage name{};
            name.ss_family = AF_UNIX;
            std::copy(address.socket.begin(), address.socket.end(),
                      reinterpret_cast<char*>(&name) + sizeof(sa_family_t));
            const int descriptor = socket(AF_UNIX, SOCK_STREAM, 0);
            if (::connect(descriptor, reinterpret_cast<sockaddr*>(&name),
                          static_cast<socklen_t>(sizeof(sa_family_t) + address.socket.size() + 1)) != 0)
                _exit(2);
            char answer[4096];
            const ssize_t got = recv(descriptor, answer, sizeof answer, 0);
            [[maybe_unused]] const ssize_t put =
                write(ends[1], answer, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
            _exit(0);
        }
        ::close(ends[1]);
        int status = -1;
        bool ended = false;
        QTRY_VERIFY(ended = ended || waitpid(child, &status, WNOHANG) == child);
        QCOMPARE(status, 0);
        char answer[4096];
        const ssize_t got = read(ends[0], answer, sizeof answer);
        ::close(ends[0]);
        const auto json = QJsonDocument::fromJson(QByteArray(answer, got)).object();
        QCOMPARE(errorKindOf(json), QString("permission"));
    }

    void rootFindsAnEngineThatBecameTheStoresOwner() {
        if (geteuid() != 0)
            QSKIP("needs root, to own a store as somebody else");
        QVERIFY(QDir().mkpath(store()));
        QCOMPARE(chown(qPrintable(store()), 65534, 65534), 0);
        const auto addresses = searchAddresses(store().toStdString());
        const auto theirs = std::find_if(addresses.begin(), addresses.end(), [](const ControlAddress& a) {
            return a.directory == "/tmp/pgarbor-65534";
        });
        QVERIFY(theirs != addresses.end());
        QCOMPARE(theirs->owner, 65534u);
        QCOMPARE(addresses.front().owner, 0u);
    }

    void eventsReachThoseWhoAskedForTheirKind() {
        Engine engine(store());
        QVERIFY(engine.listen());
        ControlClient all({.store = store(), .program = "all"});
        ControlClient some({.store = store(), .program = "some"});
        QSignalSpy allEvents(&all, &ControlClient::eventReceived);
        QSignalSpy someEvents(&some, &ControlClient::eventReceived);
        some.subscribe({"branches"}); // before the connection: made when it is there
        all.open();
        some.open();
        QTRY_VERIFY(all.isConnected() && some.isConnected());
        all.subscribe({"branches", "oplog"});
        bool ready = false;
        all.request("echo", {}, this,
                    [&](const auto&) { some.request("echo", {}, this, [&](const auto&) { ready = true; }); });
        QTRY_VERIFY(ready);
        std::thread([&] {
            for (int i = 0; i < 100; ++i)
                engine.server.publish(i % 2 ? "oplog" : "branches", QJsonObject{{"i", i}});
        }).join();
        QTRY_COMPARE(allEvents.size(), 100);
        QTRY_COMPARE(someEvents.size(), 50);
        for (int i = 0; i < 100; ++i)
            QCOMPARE(allEvents[i][1].toJsonValue().toObject().value("i").toInt(), i);
    }

    void whatLivesWithAConnectionHearsOfItsEnd() {
        Engine engine(store());
        QVERIFY(engine.listen());
        QSignalSpy gone(&engine.server, &ControlServer::connectionClosed);
        auto raw = std::make_unique<RawConnection>(store());
        raw->greet();
        raw->write(requestLine(2, "later", {}) + '\n');
        QTRY_COMPARE(engine.waiting.size(), std::size_t{1});
        raw.reset();
        QTRY_COMPARE(gone.size(), 1);
        engine.waiting.front()->answer(QJsonValue("too late")); // and nothing happens
        QCoreApplication::processEvents();
    }

    void aRespondersServerMayBeGone() {
        ResponderPtr responder;
        {
            Engine engine(store());
            QVERIFY(engine.listen());
            RawConnection raw(store());
            raw.greet();
            raw.write(requestLine(2, "later", {}) + '\n');
            QTRY_COMPARE(engine.waiting.size(), std::size_t{1});
            responder = engine.waiting.front();
        }
        responder->answer(QJsonValue(1));
    }
};

QTEST_GUILESS_MAIN(ControlTest)
#include "control_test.moc"
