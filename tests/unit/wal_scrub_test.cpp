// Scrub reads the kept log of a real server: whatever a sweep would keep is whole, or it is named.
#include "storage/engine/scrub.h"
#include "storage/engine/view_paths.h"
#include "storage/engine/wal_follower.h"
#include "tests/unit/wal_support.h"

#include <QDir>
#include <QTest>

using namespace arbor;
using namespace waltest;

#define VERIFY_OK(result)                               \
    do {                                                \
        if (const auto& verified = (result); !verified) \
            QFAIL(verified.error().message().c_str());  \
    } while (false)

class WalScrubTest : public QObject {
    Q_OBJECT
    TemporaryTree m_tree;
    PosixDisk m_disk;
    SystemClock m_clock;
    Engine::Options m_options = standardOptions();
    std::unique_ptr<Engine> m_engine;
    TimelineId m_timeline;

    std::string store() const { return m_tree.file("store"); }

    // The files that matter here: a control file older than the log, and the log.
    Status importServer(const Server& server, const std::string& control) {
        ARBOR_TRY(Engine::create(m_disk, store(), m_options));
        ARBOR_ASSIGN(m_engine, Engine::open(m_disk, store(), m_clock, m_options));
        ARBOR_ASSIGN(std::shared_ptr<TimelineView> view, m_engine->beginRoot(0700, {}));
        m_timeline = view->timeline();
        ARBOR_ASSIGN(const Attributes global, view->makeDirectory(view->root(), "global", 0700, {}));
        ARBOR_ASSIGN(const Attributes file, view->createFile(global.inode, "pg_control", 0600, {}));
        ARBOR_TRY(view->write(file.inode, 0, std::as_bytes(std::span(control)), 1));
        QDir().mkpath(QString::fromStdString(store() + "/wal"));
        QProcess::execute(
            "cp", {"-r", server.walDirectory(), QString::fromStdString(walDirectory(*m_engine, m_timeline))});
        ARBOR_ASSIGN(view, m_engine->followRoot(std::move(view), 15, wal::minSegmentSize));
        ARBOR_ASSIGN(const ForkPoint present, view->present());
        ARBOR_ASSIGN(const BranchRecord main,
                     m_engine->finishRoot(Caller{"test", "test"}, *view,
                                          {"main", {}, 15, wal::minSegmentSize, {}}, present.lsn));
        (void)main;
        return m_engine->sync();
    }
    static std::string describe(const ScrubReport& report) {
        std::string text;
        for (const ScrubFinding& finding : report.findings)
            text += fmt::format("{} {} {}: {}\n", severityName(finding.severity), finding.what, finding.path,
                                finding.message);
        return text;
    }

  private slots:
    void initTestCase() {
        if (!havePostgres())
            QSKIP("no PostgreSQL server: set PGARBOR_PG_BIN");
        m_options.store.reserveBytes = 1u << 20;
        m_options.store.segments.segmentBytes = 1u << 20;
        Server server(m_tree, "p", {"--wal-segsize=1"}, "checkpoint_timeout = 1h\n");
        QVERIFY(server.start());
        server.sql("create table t (n int, body text); checkpoint;");
        const std::string control = server.controlBytes();
        server.sql("insert into t select g, repeat('s', 900) from generate_series(1, 4000) g;");
        server.kill();
        VERIFY_OK(importServer(server, control));
    }

    void everyKeptSegmentIsRead() {
        const ScrubReport clean = scrub(*m_engine, {});
        QVERIFY2(clean.isClean(), describe(clean).c_str());
        const std::string keep = keptDirectory(*m_engine, m_timeline);
        const std::string wal = walDirectory(*m_engine, m_timeline);
        const auto kept = m_disk.list(keep);
        VERIFY_OK(kept);
        std::vector<std::string> names(kept->begin(), kept->end());
        std::sort(names.begin(), names.end());
        QVERIFY(names.size() >= 4);
        names.pop_back(); // where the log ends
        for (const std::string& name : names) {
            QFile file(QString::fromStdString(keep + "/" + name));
            QVERIFY(file.open(QIODevice::ReadOnly));
            const QByteArray whole = file.readAll();
            file.close();
            // behind the redo point also in the first
            QByteArray flipped = whole;
            flipped[900'000] = static_cast<char>(flipped[900'000] ^ 1);
            for (const QByteArray& damaged : {flipped, whole.left(900'000), QByteArray()}) {
                rewrite(keep + "/" + name, damaged);
                rewrite(wal + "/" + name, damaged);
                const ScrubReport report = scrub(*m_engine, {});
                QVERIFY2(std::any_of(report.findings.begin(), report.findings.end(),
                                     [&](const ScrubFinding& finding) {
                                         return finding.what == "log" &&
                                                finding.severity == ScrubFinding::Severity::Damage &&
                                                finding.path == keep + "/" + name;
                                     }),
                         (name + ": " + describe(report)).c_str());
            }
            rewrite(keep + "/" + name, whole);
            rewrite(wal + "/" + name, whole);
        }
        const ScrubReport mended = scrub(*m_engine, {});
        QVERIFY2(mended.isClean(), describe(mended).c_str());
    }

    // What is left of a fork without a name goes while its head may still be open: no sync looks for it.
    void theLogOfAnOpenHeadMayGoOnceItIsAbandoned() {
        const auto main = m_engine->catalog([](const Catalog& catalog) { return catalog.branch("main"); });
        VERIFY_OK(main);
        const auto point = m_engine->headPoint(*main);
        VERIFY_OK(point);
        const auto peek = m_engine->fork(*point);
        VERIFY_OK(peek);
        QVERIFY(!m_disk.info(walDirectory(*m_engine, (*peek)->timeline()))); // before it is needed
        const auto control = readPath(**peek, "global/pg_control");
        VERIFY_OK(control);
        VERIFY_OK((*peek)->log().build());
        VERIFY_OK((*peek)->log().prepareStart(std::as_bytes(std::span(*control)), false));
        VERIFY_OK((*peek)->log().advance());
        const std::string keep = keptDirectory(*m_engine, (*peek)->timeline());
        QVERIFY(!m_disk.list(keep)->empty()); // linked, and not durable yet
        (*peek)->log().abandon();
        for (const std::string& path : {keep, walDirectory(*m_engine, (*peek)->timeline())})
            QVERIFY(QDir(QString::fromStdString(path)).removeRecursively());
        VERIFY_OK((*peek)->makeDirectory((*peek)->root(), "written", 0700, {}));
        VERIFY_OK(m_engine->sync());
        VERIFY_OK((*peek)->log().advance());
        VERIFY_OK(m_engine->store().health());
    }

    void cleanupTestCase() { m_engine.reset(); }

  private:
    // Empty: the file is gone.
    static void rewrite(const std::string& path, const QByteArray& content) {
        QFile file(QString::fromStdString(path));
        file.remove();
        if (content.isEmpty())
            return;
        if (!file.open(QIODevice::WriteOnly) || file.write(content) != content.size())
            qFatal("cannot write %s", path.c_str());
    }
};

QTEST_GUILESS_MAIN(WalScrubTest)
#include "wal_scrub_test.moc"
