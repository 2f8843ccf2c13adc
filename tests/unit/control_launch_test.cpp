// Starting an engine that does not run yet.
#include "control_fixture.h"

#include "app/control/blocking_client.h"
#include "app/control/engine_launcher.h"
#include "app/control/methods.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include <signal.h>

#include <thread>

using namespace arbor;

class ControlLaunchTest : public QObject {
    Q_OBJECT
    std::unique_ptr<RuntimeDirectory> m_runtime;
    LaunchOptions options() const {
        return {.store = m_runtime->store().toStdString(), .arguments = {}, .engine = SAMPLE_ENGINE};
    }
    Status stopEngine() {
        BlockingClient client(m_runtime->store(), "test");
        ARBOR_TRY(client.connect());
        ARBOR_TRY(client.call(method::engineStop, {}));
        client.waitForDisconnect(std::chrono::seconds(20));
        return {};
    }

  private slots:
    void init() { m_runtime = std::make_unique<RuntimeDirectory>(); }
    void cleanup() {
        qunsetenv("PGARBOR_SAMPLE");
        if (engineAnswers(options().store, std::chrono::seconds(10)).value_or(false))
            QVERIFY(stopEngine());
        m_runtime.reset();
    }

    void anEngineIsStartedOnceAndDetached() {
        QVERIFY(!*engineAnswers(options().store, std::chrono::seconds(1)));
        QVERIFY(ensureEngine(options()));
        BlockingClient client(m_runtime->store(), "test");
        QVERIFY(client.connect());
        const auto pid = static_cast<pid_t>(client.engine().value("pid").toInteger());
        QCOMPARE(getsid(pid), pid);                   // a session of its own
        QCOMPARE(waitpid(pid, nullptr, WNOHANG), -1); // nobody's zombie
        QVERIFY(ensureEngine(options()));
        QCOMPARE(client.call(method::engineStatus, {})->toObject().value("pid").toInteger(), pid);
        QVERIFY(!QDir(m_runtime->store()).exists());
    }

    void manyThatStartAtOnceFindOneEngine() {
        std::vector<std::thread> threads;
        std::atomic<int> good = 0;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&] { good += ensureEngine(options()) ? 1 : 0; });
        for (std::thread& thread : threads)
            thread.join();
        QCOMPARE(good.load(), 8);
    }

    void anEngineThatWasKilledIsReplaced() {
        QVERIFY(ensureEngine(options()));
        BlockingClient client(m_runtime->store(), "test");
        QVERIFY(client.connect());
        const auto pid = static_cast<pid_t>(client.engine().value("pid").toInteger());
        QCOMPARE(kill(pid, SIGKILL), 0);
        QVERIFY(client.waitForDisconnect(std::chrono::seconds(20)));
        QVERIFY(ensureEngine(options()));
        QVERIFY(client.connect());
        QVERIFY(client.engine().value("pid").toInteger() != pid);
    }

    void aLockThatADyingEngineStillHoldsIsWaitedFor() {
        const ControlAddress address = listenAddress(options().store);
        QVERIFY(prepareRuntimeDirectory(address));
        const int lock = open(address.lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        QCOMPARE(flock(lock, LOCK_EX), 0);
        std::thread dying([lock] {
            std::this_thread::sleep_for(std::chrono::milliseconds(300));
            close(lock);
        });
        const Status started = ensureEngine(options());
        dying.join();
        QVERIFY2(started, started ? "" : started.error().message().c_str());
    }

    void anEngineThatEndsIsReportedWithItsLastWords() {
        qputenv("PGARBOR_SAMPLE", "fail");
        const Status status = ensureEngine(options());
        QVERIFY(!status);
        QCOMPARE(status.error().kind(), ErrorKind::Unreachable);
        QVERIFY2(QString::fromStdString(status.error().message()).contains("the sample was told to fail"),
                 status.error().message().c_str());
        QCOMPARE(QString::fromStdString(status.error().message()).count("the sample was told to fail"), 1);
    }

    void anEngineThatSaysWhyItGivesUpIsTakenAtItsWord() {
        qputenv("PGARBOR_SAMPLE", "refuse");
        const Status status = ensureEngine(options());
        QVERIFY(!status);
        QCOMPARE(status.error().kind(), ErrorKind::Refused);
        QCOMPARE(status.error().message(), std::string("the sample refuses"));
    }

    void anEngineThatCannotBeStartedIsReported() {
        auto wrong = options();
        wrong.engine = "/etc/passwd";
        QCOMPARE(ensureEngine(wrong).error().kind(), ErrorKind::Unreachable);
        qputenv("PGARBOR_ENGINE", "/nowhere/pgarbord");
        QCOMPARE(findEngine().error().kind(), ErrorKind::NotFound);
        wrong.engine.clear();
        QCOMPARE(ensureEngine(wrong).error().kind(), ErrorKind::Unreachable);
        qunsetenv("PGARBOR_ENGINE");
    }

    void anEngineThatListensAndDoesNotAnswerIsUnreachable() {
        QVERIFY(ensureEngine(options()));
        BlockingClient client(m_runtime->store(), "test");
        QVERIFY(client.connect());
        const auto pid = static_cast<pid_t>(client.engine().value("pid").toInteger());
        QCOMPARE(kill(pid, SIGSTOP), 0);
        const auto answers = engineAnswers(options().store, std::chrono::milliseconds(100));
        QCOMPARE(kill(pid, SIGCONT), 0);
        QVERIFY(!answers);
        QCOMPARE(answers.error().kind(), ErrorKind::Unreachable);
    }
};

QTEST_GUILESS_MAIN(ControlLaunchTest)
#include "control_launch_test.moc"
