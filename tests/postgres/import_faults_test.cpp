// What breaks an import off from outside: a source that goes away, an engine or a client that is killed, a
// full disk, a server or a directory that no installation here can read. A sentence, and nothing left behind.
#include "import_proxy.h"
#include "import_rich.h"
#include "small_disk.h"

#include "storage/base/crc32c.h"

#include <QRandomGenerator>
#include <QStorageInfo>

#include <signal.h>

#include <cstring>

using namespace arbor::import_test;

class ImportFaultsTest : public StoreTest {
    Q_OBJECT

    std::unique_ptr<arbor::SmallDisk> m_disk;
    std::unique_ptr<Store> m_outside; // where the source is when the store is on the small disk
    std::unique_ptr<PlainServer> m_source;

    // Some 90 MB on a server that lets everybody of this machine in.
    void makeSource() {
        m_source.reset();
        m_source = std::make_unique<PlainServer>(m_store->place(), "source");
        QVERIFY(m_source->initialize({"-U", "postgres"}));
        QVERIFY(m_source->start());
        QVERIFY(asServer("pgbench",
                         QStringList{"-i", "-s", "4", "-q", "-d", "postgres"} + m_source->way().words())
                    .code == 0);
    }
    QString through(const Proxy& proxy) const {
        return QString("postgresql://postgres@127.0.0.1:%1/postgres").arg(proxy.port());
    }
    // Processes that have the store in their command line, but for the engine.
    QStringList helpers() const {
        QStringList found;
        for (const QString& pid : QDir("/proc").entryList({"[0-9]*"}, QDir::Dirs)) {
            QFile file("/proc/" + pid + "/cmdline");
            if (!file.open(QIODevice::ReadOnly))
                continue;
            const QByteArray line = file.readAll().replace('\0', ' ');
            if (line.contains(m_store->path().toUtf8()) && !line.contains("pgarbord"))
                found << QString::fromUtf8(line);
        }
        return found;
    }
    // What was written into the store's segments: seen without asking the engine.
    qint64 segmentBytes() const {
        qint64 bytes = 0;
        for (const QFileInfo& file : QDir(m_store->path() + "/pages").entryInfoList(QDir::Files))
            bytes += file.size();
        return bytes;
    }
    struct Halted {
        std::unique_ptr<QProcess> client;
        int engine = 0; // 0: the copy was not seen
    };
    // An import of the source's directory, its engine halted in the middle of the copying. Looks all the
    // time: a directory is copied in a fraction of a second.
    Halted haltedWhileItCopies() const {
        constexpr qint64 some = 8 << 20;
        const int engine = enginePid();
        const qint64 before = segmentBytes();
        Halted halted{m_store->begin({"import", m_source->data(), "half"})};
        for (const QDeadlineTimer patience(60'000); !patience.hasExpired() && halted.engine == 0;)
            if (segmentBytes() >= before + some && ::kill(engine, SIGSTOP) == 0)
                halted.engine = engine;
        return halted;
    }
    int enginePid() const { return m_store->ctl({"engine", "status"}).json().value("pid").toInt(); }
    void expectNothingLeft(const QStringList& before) {
        QCOMPARE(m_store->branches(), QStringList{"main"}); // starts an engine where none is
        QTRY_COMPARE_WITH_TIMEOUT(m_store->leftOvers(), before, 30'000);
        QTRY_COMPARE_WITH_TIMEOUT(helpers(), QStringList(), 30'000);
    }
    // The trash holds the branch afterwards: what that takes is added to `before`.
    void expectAllOrNothing(const QString& content, QStringList& before, bool acknowledged) {
        const bool isThere = m_store->branches().contains("half");
        qInfo("%s, %s", acknowledged ? "acknowledged" : "no answer", isThere ? "a branch" : "no branch");
        if (!isThere) {
            QVERIFY2(!acknowledged, "what was acknowledged is gone");
            return expectNothingLeft(before);
        }
        QCOMPARE(contents(m_store->start("half")), content);
        for (const QStringList& words :
             {QStringList{"stop", "half"}, QStringList{"branch", "delete", "half"}}) {
            const Outcome done = m_store->ctl(words);
            QVERIFY2(done.code == 0, qPrintable(done.err));
        }
        before = m_store->leftOvers();
        expectNothingLeft(before);
    }
    void expectAnImportWorks(const QString& name) {
        const Outcome imported = m_store->ctl({"import", "--from", m_source->url(), name});
        QVERIFY2(imported.code == 0, qPrintable(imported.err));
        QCOMPARE(sql(m_store->start(name), "postgres", "SELECT count(*) FROM pgbench_accounts"),
                 QString("400000"));
    }

  private slots:
    void cleanup() {
        m_source.reset();
        m_store.reset();
        m_outside.reset();
        m_disk.reset();
    }

    void aSourceThatIsLostHalfWay() {
        makeSource();
        const QStringList before = m_store->leftOvers();
        const Proxy proxy(m_source->port(), 30 << 20, Proxy::Then::Cut);
        const Outcome lost = m_store->ctl({"import", "--from", through(proxy), "half"});
        QVERIFY(proxy.limitReached());
        QCOMPARE(lost.code, 1);
        QVERIFY2(lost.message().contains("broke off"), qPrintable(lost.message()));
        expectNothingLeft(before);
        // nor at the source
        QTRY_COMPARE(sql(m_source->way(), "postgres",
                         "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender'"),
                     QString("0"));
        QCOMPARE(sql(m_source->way(), "postgres", "SELECT count(*) FROM pg_replication_slots"), QString("0"));
        expectAnImportWorks("whole");
    }

    // Ctrl+C of who waits for it.
    void anInterruptedClientCancels() {
        makeSource();
        const QStringList before = m_store->leftOvers();
        const Proxy proxy(m_source->port(), 30 << 20, Proxy::Then::Stall);
        const auto client = m_store->begin({"import", "--from", through(proxy), "half"});
        QTRY_VERIFY_WITH_TIMEOUT(proxy.limitReached() && m_store->runningJob() != 0, 60'000);
        client->terminate();
        const Outcome cancelled = finish(*client);
        QCOMPARE(cancelled.kind(), QString("cancelled"));
        expectNothingLeft(before);
    }

    // A client that is killed has no more to say: the import is the engine's, and goes on. Whoever looks can
    // cancel it.
    void aKilledClientLeavesItsImportToTheEngine() {
        makeSource();
        const QStringList before = m_store->leftOvers();
        Proxy proxy(m_source->port(), 30 << 20, Proxy::Then::Stall);
        auto client = m_store->begin({"import", "--from", through(proxy), "orphan"});
        QTRY_VERIFY_WITH_TIMEOUT(proxy.limitReached() && m_store->runningJob() != 0, 60'000);
        client->kill();
        client->waitForFinished();
        const int job = m_store->runningJob();
        QVERIFY(job != 0);
        QCOMPARE(m_store->ctl({"job", "cancel", QString::number(job)}).code, 0);
        expectNothingLeft(before);

        Proxy second(m_source->port(), 30 << 20, Proxy::Then::Stall);
        client = m_store->begin({"import", "--from", through(second), "orphan"});
        QTRY_VERIFY_WITH_TIMEOUT(second.limitReached() && m_store->runningJob() != 0, 60'000);
        client->kill();
        client->waitForFinished();
        second.release();
        QTRY_COMPARE_WITH_TIMEOUT(m_store->branches(), (QStringList{"main", "orphan"}), 60'000);
        QCOMPARE(sql(m_store->start("orphan"), "postgres", "SELECT count(*) FROM pgbench_accounts"),
                 QString("400000"));
    }

    // Whoever is told nothing finds a branch that is whole, or none: its name is durable before the answer.
    void aKilledEngine() {
        makeSource();
        QStringList before = m_store->leftOvers();
        {
            const Proxy proxy(m_source->port(), 30 << 20, Proxy::Then::Stall);
            const auto client = m_store->begin({"import", "--from", through(proxy), "half"});
            QTRY_VERIFY_WITH_TIMEOUT(proxy.limitReached() && m_store->runningJob() != 0, 60'000);
            QCOMPARE(::kill(enginePid(), SIGKILL), 0);
            const Outcome lost = finish(*client);
            QVERIFY2(lost.code != 0 && !lost.message().isEmpty(), qPrintable(lost.err));
        }
        expectNothingLeft(before);
        const QString content = contents(m_source->way());
        QVERIFY(m_source->stop());
        {
            const Halted import = haltedWhileItCopies();
            QVERIFY(import.engine != 0);
            QCOMPARE(::kill(import.engine, SIGKILL), 0);
            const Outcome lost = finish(*import.client);
            QVERIFY2(lost.code != 0 && !lost.message().isEmpty(), qPrintable(lost.err));
        }
        expectNothingLeft(before);
        // and at whatever moment, up to the last
        const quint32 seed = QRandomGenerator::global()->generate();
        qInfo("seed %u", seed);
        QRandomGenerator random(seed);
        for (int round = 0; round < 4; ++round) {
            const Halted import = haltedWhileItCopies();
            QVERIFY(import.engine != 0);
            ::kill(import.engine, SIGCONT);
            import.client->waitForFinished(static_cast<int>(random.bounded(1500)));
            ::kill(import.engine, SIGKILL);
            expectAllOrNothing(content, before, finish(*import.client).code == 0);
            if (QTest::currentTestFailed())
                return;
        }
        QVERIFY(m_source->start());
        expectAnImportWorks("whole");
    }

    void aFullDisk() {
        if (::geteuid() != 0)
            QSKIP("only root can mount a small disk to fill");
        m_disk = std::make_unique<arbor::SmallDisk>(std::uintmax_t{600} << 20);
        if (!m_disk->isMounted())
            QSKIP("this machine mounts no loop device");
        makeSource(); // outside of it
        m_outside = std::move(m_store);
        const QString place = QString::fromStdString(m_disk->place());
        m_store = std::make_unique<Store>(place);
        const Outcome made = m_store->ctl({"init"});
        QVERIFY2(made.code == 0, qPrintable(made.err));
        const QStringList before = m_store->leftOvers();
        const auto freeBytes = [&] { return QStorageInfo(place).bytesAvailable(); };
        const auto fillUpTo = [&](qint64 left) {
            return run("fallocate", {"-l", QString::number(freeBytes() - left), place + "/filler"}).code;
        };
        const auto makeRoom = [&] { return QFile::remove(place + "/filler"); };

        // seen before anything is written
        QCOMPARE(fillUpTo(120 << 20), 0);
        const QStringList live{"--from", m_source->url(), "half"};
        for (const QStringList& words : {QStringList{"import"}, QStringList{"import", "--check"}}) {
            const Outcome refused = m_store->ctl(words + live);
            QVERIFY(refused.code != 0);
            if (!words.contains("--check"))
                QVERIFY2(refused.message().contains("make room first"), qPrintable(refused.message()));
        }
        QVERIFY(makeRoom());
        const qint64 freeBefore = freeBytes();

        // somebody else takes the room while a server is copied
        {
            Proxy proxy(m_source->port(), 30 << 20, Proxy::Then::Stall);
            const auto client = m_store->begin({"import", "--from", through(proxy), "half"});
            QTRY_VERIFY_WITH_TIMEOUT(proxy.limitReached() && m_store->runningJob() != 0, 60'000);
            QCOMPARE(fillUpTo(8 << 20), 0);
            proxy.release();
            const Outcome full = finish(*client);
            QCOMPARE(full.kind(), QString("no-space"));
            QVERIFY2(full.message().contains("No space left") || full.message().contains("full"),
                     qPrintable(full.message()));
            QVERIFY(makeRoom());
            expectNothingLeft(before);
        }
        // and while a directory is
        QVERIFY(m_source->stop());
        const Halted import = haltedWhileItCopies();
        QVERIFY(import.engine != 0);
        // less than a segment of the log: what is written after the pages does not fit, if they do
        QCOMPARE(fillUpTo(1 << 20), 0);
        ::kill(import.engine, SIGCONT);
        const Outcome full = finish(*import.client);
        QVERIFY2(full.code != 0, "the import was over before the disk was full");
        QCOMPARE(full.kind(), QString("no-space"));
        QVERIFY(makeRoom());
        expectNothingLeft(before);
        // what it wrote into the store's segments is free again
        constexpr qint64 little = 16 << 20;
        QTRY_VERIFY_WITH_TIMEOUT(freeBytes() > freeBefore - little, 60'000);
        QVERIFY(m_source->start());
        expectAnImportWorks("whole");
    }

    void serversThatCannotBeReadHere() {
        makeSource();
        const QStringList before = m_store->leftOvers();
        const auto refused = [&](const QByteArray& from, const QByteArray& to, const char* said) {
            Proxy proxy(m_source->port(), std::numeric_limits<qint64>::max(), Proxy::Then::GoOn);
            proxy.replace(from, to);
            const Outcome outcome = m_store->ctl({"import", "--from", through(proxy), "odd"});
            QCOMPARE(outcome.code, 1);
            QVERIFY2(outcome.message().contains(said) && outcome.message().contains("--dump"),
                     qPrintable(outcome.message()));
        };
        const QByteArray version = sql(m_source->way(), "postgres", "SHOW server_version").toUtf8();
        QByteArray old = version;
        old.replace(0, version.indexOf('.'), "13");
        refused(version, old, "PostgreSQL 13");
        refused("8192 8192 1GB", "4096 8192 1GB", "block or segment sizes");
        refused("8192 8192 1GB", "8192 8192 2GB", "block or segment sizes");
        expectNothingLeft(before);
    }

    void directoriesThatCannotBeReadHere() {
        PlainServer source(m_store->place(), "source");
        QVERIFY(source.initialize({}));
        const QString path = source.data() + "/global/pg_control";
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray whole = file.readAll();
        file.close();
        constexpr int blockSizeAt = 216;
        constexpr int segmentBlocksAt = 220;
        constexpr int crcAt = 288; // of PostgreSQL 13 to 17
        const QStringList before = m_store->leftOvers();
        const auto refused = [&](int at, quint32 value, const char* said) {
            QByteArray forged = whole;
            std::memcpy(forged.data() + at, &value, sizeof value);
            const quint32 sum = arbor::crc32c({forged.constData(), crcAt});
            std::memcpy(forged.data() + crcAt, &sum, sizeof sum);
            QVERIFY(file.open(QIODevice::WriteOnly));
            QCOMPARE(file.write(forged), forged.size());
            file.close();
            const Outcome outcome = m_store->ctl({"import", source.data(), "odd"});
            QCOMPARE(outcome.code, 1);
            QVERIFY2(outcome.message().contains(said), qPrintable(outcome.message()));
        };
        refused(blockSizeAt, 16384, "data blocks of 16384 bytes");
        refused(segmentBlocksAt, 65536, "files of 65536 blocks");
        QCOMPARE(m_store->leftOvers(), before);
        QCOMPARE(m_store->branches(), QStringList{"main"});
    }
};

QTEST_GUILESS_MAIN(ImportFaultsTest)
#include "import_faults_test.moc"
#include "moc_import_rich.cpp"
