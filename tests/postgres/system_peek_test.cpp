// Peeks: a branch at a moment of its past, read-only, for as long as a psql looks at it.
#include "system_support.h"

#include <set>

using namespace arbor::system_test;

class SystemPeekTest : public QObject {
    Q_OBJECT
    std::unique_ptr<Store> m_store;

    QByteArray value(const QString& branch, const QByteArray& statement) {
        return m_store->value(branch, statement);
    }
    // No server, mount entry, log or file of a peek.
    bool peeksAreGone() {
        for (const auto& entry : fs::directory_iterator(m_store->path() / "log"))
            if (entry.path().filename().string().starts_with("peek"))
                return false;
        std::set<std::string> timelines;
        const QJsonArray branches = m_store->json("branch list").array();
        for (const QJsonValue& branch : branches)
            timelines.insert(std::to_string(branch.toObject().value("timeline").toInteger()));
        const QJsonArray trash = m_store->json("trash list").array();
        for (const QJsonValue& entry : trash)
            timelines.insert(std::to_string(entry.toObject().value("timeline").toInteger()));
        const auto mounted =
            m_store->asOwner("ls '" + QString::fromStdString(m_store->mount()) + "'").split('\n');
        return std::all_of(mounted.begin(), mounted.end(), [&](const QByteArray& name) {
            return name.isEmpty() || timelines.contains(name.toStdString());
        });
    }
    QJsonArray peeks() { return m_store->branch("main").value("peeks").toArray(); }
    // A psql that looks at main, and has been answered; none if it was not.
    std::unique_ptr<QProcess> look(const QString& at) {
        auto client = m_store->begin({"psql", "main", "--at", at, "--", "-XAt"});
        client->write("SELECT 'ready';\n");
        return client->waitForReadyRead(60'000) ? std::move(client) : nullptr;
    }

  private slots:
    void initTestCase() {
        if (const QByteArray why = obstacle(); !why.isEmpty())
            QSKIP(why.constData());
        m_store = std::make_unique<Store>();
        EXPECT_OK(m_store->init());
        EXPECT_OK(m_store->run("start main"));
        QCOMPARE(value("main", "CREATE TABLE log AS SELECT 1 AS n"), QByteArray());
        EXPECT_OK(m_store->run("checkpoint create one --branch main"));
        QCOMPARE(value("main", "INSERT INTO log VALUES (2)"), QByteArray());
    }
    void cleanupTestCase() { m_store.reset(); }

    void aPeekIsReadOnlyAndGoneAfterwards() {
        const auto branches = m_store->json("branch list").array().size();
        const Outcome peek = m_store->run({"psql", "main", "--at", "checkpoint:one", "--", "-XAt", "-c",
                                           "SELECT count(*) FROM log", "-c", "DELETE FROM log"});
        EXPECT_CODE(peek, 1);
        QVERIFY(peek.out.startsWith("1"));
        QVERIFY(peek.err.contains("read-only"));
        QCOMPARE(m_store->json("branch list").array().size(), branches);
        EXPECT_CODE(m_store->run({"psql", "main", "--at", "0/1", "--", "-c", "SELECT 1"}), 4);
        QVERIFY(peeksAreGone());
    }

    void aPeekIsListedWhileItIsOpen() {
        QVERIFY(peeks().isEmpty());
        auto client = look("checkpoint:one");
        QVERIFY(client);
        QCOMPARE(peeks().size(), 1);
        const QJsonObject peek = peeks()[0].toObject();
        QCOMPARE(peek.value("lsn"), m_store->json("checkpoint list").array()[0].toObject().value("lsn"));
        QVERIFY(!peek.value("openedAt").toString().isEmpty() && !peek.value("offLine").toBool(true));
        const QString line = "peek: at " + peek.value("lsn").toString();
        QVERIFY(m_store->run("branch show main").out.contains(line.toUtf8()));
        client->closeWriteChannel();
        QVERIFY(client->waitForFinished(60'000));
        QVERIFY(peeks().isEmpty());
    }

    // Also when pgarborctl is killed while psql runs, and while the peek is still being started.
    void aKilledPeekLeavesNothing() {
        const pid_t engine = m_store->engine();
        const pid_t server = m_store->postmaster("main");
        {
            auto client = look("head");
            QVERIFY(client);
            client->kill();
            client->waitForFinished();
        }
        for (int delay : {1, 50, 150, 400, 100, 200, 300, 250}) {
            auto client = m_store->begin({"psql", "main", "--at", "head", "--", "-XAt"});
            QTest::qWait(delay); // any moment is right
            client->kill();
            client->waitForFinished();
            QCOMPARE(value("main", "CHECKPOINT"), QByteArray()); // a sync beside the peek's end
        }
        QTRY_VERIFY_WITH_TIMEOUT(peeksAreGone(), 60'000);
        QCOMPARE(m_store->engine(), engine);
        QCOMPARE(m_store->postmaster("main"), server);
    }

    // What a restore left behind can be looked at, and has no place on the branch's line.
    void aPeekAtWhatARestoreLeftIsOffTheLine() {
        EXPECT_OK(m_store->run("checkpoint create left --branch main"));
        EXPECT_OK(m_store->run("branch restore main --at checkpoint:one"));
        QCOMPARE(value("main", "SELECT sum(n) FROM log"), QByteArray("1"));
        auto client = look("checkpoint:left");
        QVERIFY(client);
        QCOMPARE(peeks().size(), 1);
        QVERIFY(peeks()[0].toObject().value("offLine").toBool());
        client->write("SELECT sum(n) FROM log;\n");
        client->closeWriteChannel();
        QVERIFY(client->waitForFinished(60'000));
        QVERIFY(client->readAllStandardOutput().endsWith("3\n"));
        QVERIFY(peeks().isEmpty());
        QVERIFY(peeksAreGone());
    }
};

QTEST_GUILESS_MAIN(SystemPeekTest)
#include "system_peek_test.moc"
