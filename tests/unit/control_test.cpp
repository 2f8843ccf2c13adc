// The control server and its client over a real socket, with handlers of our own.
#include "control_fixture.h"

#include "app/control/blocking_client.h"
#include "app/control/client.h"
#include "app/control/jobs.h"
#include "app/control/methods.h"
#include "app/control/server.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QSignalSpy>

#include <sys/stat.h>
#include <sys/wait.h>

#include <fstream>
#include <thread>

using namespace arbor;

namespace {

qint64 residentBytes() {
    std::ifstream statm("/proc/self/statm");
    qint64 size = 0;
    qint64 resident = 0;
    statm >> size >> resident;
    return resident * sysconf(_SC_PAGESIZE);
}

// A server with handlers that the tests need.
struct Engine {
    explicit Engine(const QString& storePath, ControlServer::Options options = {})
        : store(storePath), server([&] {
              options.program = "test-engine 1";
              options.store = QString::fromStdString(canonicalStore(storePath.toStdString()));
              return options;
          }()),
          jobs(server, clock) {
        server.handle("echo", [](const QJsonObject& params, const RequestContext&) -> Result<QJsonValue> {
            return QJsonValue(params);
        });
        server.handle("whoami", [](const QJsonObject&, const RequestContext& context) -> Result<QJsonValue> {
            return QJsonValue(
                QJsonObject{{"client", context.client}, {"uid", static_cast<qint64>(context.uid)}});
        });
        server.handle("missing", [](const QJsonObject&, const RequestContext&) -> Result<QJsonValue> {
            return makeError(ErrorKind::NotFound, "no branch \"x\"");
        });
        server.handle("big", [](const QJsonObject& params, const RequestContext&) -> Result<QJsonValue> {
            return QJsonValue(QString(params.value("bytes").toInteger(), 'x'));
        });
        server.handleDeferred("later",
                              [this](const QJsonObject&, const RequestContext&, ResponderPtr responder) {
                                  waiting.push_back(std::move(responder));
                              });
        server.handle("work",
                      [this](const QJsonObject&, const RequestContext& context) -> Result<QJsonValue> {
                          job = jobs.start("work", "some work", context);
                          return job->reference();
                      });
    }
    Status listen() { return server.listen(listenAddress(store.toStdString())); }

    QString store;
    SystemClock clock;
    ControlServer server;
    JobTable jobs;
    std::vector<ResponderPtr> waiting;
    JobPtr job;
};

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

    void theClientWaitsForJobsAndHearsTheirProgress() {
        Engine engine(store());
        QVERIFY(engine.listen());
        ControlClient client({.store = store(), .program = "test"});
        QSignalSpy events(&client, &ControlClient::eventReceived);
        client.subscribe({event::job});
        client.open();
        std::optional<Result<QJsonValue>> result;
        client.request("work", {}, this, [&](Result<QJsonValue> answer) { result = std::move(answer); });
        QTRY_VERIFY(engine.job);
        std::thread worker([job = engine.job] {
            for (int i = 0; i <= 1000; ++i)
                job->progress(i / 1000.0, "working", i);
        });
        worker.join();
        QTRY_VERIFY(!events.isEmpty());
        QVERIFY(!result);
        engine.job->finish(QJsonValue(QJsonObject{{"bytes", 12}}));
        QTRY_VERIFY(result);
        QCOMPARE((*result)->toObject().value("bytes").toInt(), 12);
        QTRY_COMPARE(events.last()[1].toJsonValue().toObject().value("state").toString(), QString("done"));
        QVERIFY2(events.size() < 50, "progress is not throttled");
        bool listed = false;
        client.request(method::jobList, {}, this, [&](const Result<QJsonValue>& answer) {
            const QJsonObject job = answer->toObject().value("jobs").toArray().at(0).toObject();
            listed = job.value("id").toInt() == 1 && job.value("client").toString() == "test";
        });
        QTRY_VERIFY(listed);
        engine.job.reset();
    }

    void jobsAreCancelledByAnyClient() {
        Engine engine(store());
        QVERIFY(engine.listen());
        ControlClient client({.store = store(), .program = "test"});
        client.open();
        std::optional<Result<QJsonValue>> result;
        client.request("work", {}, this, [&](Result<QJsonValue> answer) { result = std::move(answer); });
        QTRY_VERIFY(engine.job);
        int called = 0;
        engine.job->onCancel([&] {
            ++called;
            engine.job->finish(makeError(ErrorKind::Cancelled, "cancelled"));
        });
        RawConnection other(store());
        other.greet();
        other.write(requestLine(2, method::jobCancel, {{"id", 1}}) + '\n' +
                    requestLine(3, method::jobCancel, {{"id", 1}}) + '\n');
        QCOMPARE(other.readJson().value("result").toObject().value("state").toString(), QString("cancelled"));
        other.readLine();
        QTRY_VERIFY(result);
        QCOMPARE(result->error().kind(), ErrorKind::Cancelled);
        QCOMPARE(called, 1);
        other.write(requestLine(4, method::jobWait, {{"id", 77}}) + '\n');
        QCOMPARE(errorKindOf(other.readJson()), QString("not-found"));
        engine.job.reset();
    }

    void aJobThatIsDroppedFails() {
        Engine engine(store());
        QVERIFY(engine.listen());
        BlockingClient client(store(), "test");
        QVERIFY(client.connect());
        QTimer drop;
        connect(&drop, &QTimer::timeout, this, [&] { engine.job.reset(); });
        drop.start(1);
        QCOMPARE(client.call("work", {}).error().kind(), ErrorKind::Io);
    }

    void aJobIsFoundAgainAfterTheConnectionWasLost() {
        Engine engine(store());
        QVERIFY(engine.listen());
        ControlClient client(
            {.store = store(), .program = "test", .firstRetry = std::chrono::milliseconds(1)});
        QSignalSpy lost(&client, &ControlClient::disconnected);
        QSignalSpy found(&client, &ControlClient::connected);
        QSignalSpy events(&client, &ControlClient::eventReceived);
        client.subscribe({"branches"});
        client.open();
        std::optional<Result<QJsonValue>> result;
        std::optional<Result<QJsonValue>> plain;
        client.request("work", {}, this, [&](Result<QJsonValue> answer) { result = std::move(answer); });
        QTRY_VERIFY(engine.job);
        client.request("later", {}, this, [&](Result<QJsonValue> answer) { plain = std::move(answer); });
        QTRY_COMPARE(engine.waiting.size(), std::size_t{1});
        engine.server.close(); // every connection is cut, the engine lives on and listens anew
        QTRY_VERIFY(!lost.isEmpty());
        QTRY_VERIFY(plain);
        QCOMPARE(plain->error().kind(), ErrorKind::Unreachable);
        QVERIFY(!result);
        QVERIFY(engine.listen());
        QTRY_COMPARE(found.size(), 2);
        engine.job->finish(QJsonValue("after all"));
        QTRY_VERIFY(result);
        QCOMPARE((*result)->toString(), QString("after all"));
        engine.server.publish("branches", {});
        QTRY_COMPARE(events.size(), 1); // subscribed again
        engine.job.reset();
    }

    void aJobDoesNotOutliveItsEngine() {
        auto engine = std::make_unique<Engine>(store());
        QVERIFY(engine->listen());
        ControlClient client(
            {.store = store(), .program = "test", .firstRetry = std::chrono::milliseconds(1)});
        QSignalSpy found(&client, &ControlClient::connected);
        bool followed = false;
        connect(&client, &ControlClient::jobStarted, this, [&] { followed = true; });
        client.open();
        std::optional<Result<QJsonValue>> result;
        client.request("work", {}, this, [&](Result<QJsonValue> answer) { result = std::move(answer); });
        QTRY_VERIFY(engine->job);
        QTRY_COMPARE(engine->server.connectionCount(), 1);
        QTRY_VERIFY(followed);
        engine = nullptr;
        QTRY_VERIFY(!client.isConnected());
        engine = std::make_unique<Engine>(store());
        QVERIFY(engine->listen());
        QTRY_COMPARE(found.size(), 2);
        QTRY_VERIFY(result);
        QCOMPARE(result->error().kind(), ErrorKind::Unreachable);
        QVERIFY(QString::fromStdString(result->error().message()).contains("anew"));
    }

    void withoutAnEngineRequestsFailAndTheClientGoesOnLooking() {
        ControlClient client({.store = store(),
                              .program = "test",
                              .firstRetry = std::chrono::milliseconds(1),
                              .lastRetry = std::chrono::milliseconds(20)});
        QSignalSpy lost(&client, &ControlClient::disconnected);
        client.open();
        std::optional<Result<QJsonValue>> result;
        client.request("echo", {}, this, [&](Result<QJsonValue> answer) { result = std::move(answer); });
        QVERIFY(!result); // never from inside request()
        QTRY_VERIFY(result);
        QCOMPARE(result->error().kind(), ErrorKind::Unreachable);
        QTRY_VERIFY(lost.size() > 2);
        Engine engine(store());
        QVERIFY(engine.listen());
        QTRY_VERIFY(client.isConnected());
    }

    void theCallbackOfAContextThatIsGoneIsNotCalled() {
        Engine engine(store());
        QVERIFY(engine.listen());
        ControlClient client({.store = store(), .program = "test"});
        client.open();
        auto context = std::make_unique<QObject>();
        bool called = false;
        bool after = false;
        client.request("echo", {}, context.get(), [&](const auto&) { called = true; });
        client.request("echo", {}, this, [&](const auto&) { after = true; });
        context.reset();
        QTRY_VERIFY(after);
        QVERIFY(!called);
    }

    void aCallbackMayDestroyTheClient() {
        Engine engine(store());
        QVERIFY(engine.listen());
        auto client =
            std::make_unique<ControlClient>(ControlClient::Options{.store = store(), .program = "test"});
        client->open();
        client->request("echo", {}, this, [&](const auto&) { client.reset(); });
        client->request("echo", {}, this, [&](const auto&) {});
        QTRY_VERIFY(!client);
    }

    void theBlockingClientCallsAndReportsRefusals() {
        Engine engine(store());
        QVERIFY(engine.listen());
        BlockingClient client(store(), "tester 1");
        QVERIFY(client.connect());
        QCOMPARE(client.engine().value("program").toString(), QString("test-engine 1"));
        QCOMPARE(client.call("whoami", {})->toObject().value("client").toString(), QString("tester 1"));
        QCOMPARE(client.call("missing", {}).error().kind(), ErrorKind::NotFound);
        QCOMPARE(client.call("later", {}, std::chrono::milliseconds(20)).error().kind(),
                 ErrorKind::Unreachable);
        QTimer::singleShot(0, this, [&] { client.cancelCurrent(); });
        QCOMPARE(client.call("later", {}).error().kind(), ErrorKind::Cancelled);
        const QJsonObject tooLong{{"x", QString(2'000'000, 'x')}};
        QCOMPARE(client.call("echo", tooLong).error().kind(), ErrorKind::InvalidArgument);
        BlockingClient lost(m_runtime->path() + "/none", "tester 1");
        QCOMPARE(lost.connect().error().kind(), ErrorKind::Unreachable);
    }
};

QTEST_GUILESS_MAIN(ControlTest)
#include "control_test.moc"
