// The clients of the control server, and jobs, over a real socket.
#include "control_engine.h"

#include "app/control/blocking_client.h"
#include "app/control/client.h"

#include <QJsonArray>
#include <QSignalSpy>

#include <thread>

using namespace arbor;
using test::Engine;

class ControlClientTest : public QObject {
    Q_OBJECT
    std::unique_ptr<RuntimeDirectory> m_runtime;
    QString store() const { return m_runtime->store(); }

  private slots:
    void init() { m_runtime = std::make_unique<RuntimeDirectory>(); }
    void cleanup() { m_runtime.reset(); }

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

QTEST_GUILESS_MAIN(ControlClientTest)
#include "control_client_test.moc"
