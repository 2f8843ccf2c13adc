// Forks of a real server's log: recovery stops exactly where the fork was cut, and the parent's log stays as
// it was.
#include "storage/gc/wal_retention.h"
#include "tests/unit/wal_support.h"

#include <QCryptographicHash>
#include <QDir>
#include <QElapsedTimer>
#include <QTest>

#include <random>

using namespace arbor;
using namespace waltest;

namespace {

QMap<QString, QByteArray> segmentsOf(const QString& directory) {
    QMap<QString, QByteArray> hashes;
    for (const QString& name : QDir(directory).entryList(QDir::Files)) {
        QFile file(directory + "/" + name);
        if (!file.open(QIODevice::ReadOnly))
            qFatal("cannot read %s", qPrintable(file.fileName()));
        QCryptographicHash hash(QCryptographicHash::Sha1);
        hash.addData(&file);
        hashes[name] = hash.result();
    }
    return hashes;
}

struct Commit {
    Lsn start, end;
};

} // namespace

#define VERIFY_OK(result)                              \
    do {                                               \
        if (!(result))                                 \
            QFAIL((result).error().message().c_str()); \
    } while (false)

// One parent for all tests: segments of 1 MB, a data directory copied before the load (its state at the fork
// position), then single-row commits of various sizes without a checkpoint, then a crash.
class WalForkTest : public QObject {
    Q_OBJECT
  private slots:
    void initTestCase() {
        if (!havePostgres())
            QSKIP("no PostgreSQL server: set PGARBOR_PG_BIN");
        m_seed = qEnvironmentVariableIntValue("ARBOR_SEED");
        if (m_seed == 0)
            m_seed = std::random_device{}() % 1'000'000 + 1;
        qInfo("seed %u", m_seed);
        m_parent = std::make_unique<Server>(m_tree, "p", QStringList{"--wal-segsize=1"},
                                            "checkpoint_timeout = 1h\nmax_prepared_transactions = 5\n");
        QVERIFY(m_parent->start());
        m_parent->sql(
            "create table ledger (n serial, body text); alter table ledger alter body set storage plain;"
            "checkpoint;");
        copyData(*m_parent, "base");
        m_control = m_parent->control();
        m_parent->sql("do $$ begin for i in 1..1500 loop"
                      "  insert into ledger (body) values (repeat('r', (i * 7919) % 7000)); commit;"
                      "  if i % 400 = 0 then perform pg_switch_wal(); end if;"
                      "end loop; end $$");
        m_parent->kill();
        QVERIFY(readParent());
        m_before = segmentsOf(m_parent->walDirectory());
        QVERIFY(m_commits.size() >= 1500);
    }
    void cleanup() {
        if (m_parent)
            QCOMPARE(segmentsOf(m_parent->walDirectory()), m_before);
    }

    // Cases 8, 12, 13: at both sides of boundaries, in records and headers, at random.
    void recoveryStopsExactlyAtTheFork_data() {
        QTest::addColumn<quint64>("lsn");
        std::mt19937_64 random(m_seed);
        const std::uint64_t first = m_control.checkpoint.value + 4096, last = m_ends.back().value;
        const std::uint64_t segment = (first / m_control.segmentSize + 2) * m_control.segmentSize;
        QTest::newRow("the head") << quint64(last);
        QTest::newRow("a segment boundary") << quint64(segment);
        QTest::newRow("in a long page header") << quint64(segment + 20);
        for (int i = 0; i < (qEnvironmentVariableIsSet("ARBOR_FULL") ? 30 : 1); ++i) {
            const quint64 lsn = first + random() % (last - first);
            QTest::addRow("%s", Lsn{lsn}.toString().c_str()) << lsn;
        }
    }
    void recoveryStopsExactlyAtTheFork() {
        QFETCH(quint64, lsn);
        const Lsn at{lsn};
        const ForkWalPlan plan = fork(at, "child");
        QCOMPARE(plan.state.end.value, endAtOrBefore(at).value);
        Server child(m_tree.path("child"), nullptr);
        QVERIFY2(child.start(), child.logText().constData());
        const auto rows =
            std::count_if(m_commits.begin(), m_commits.end(), [&](const Commit& c) { return c.end <= at; });
        QCOMPARE(child.sql("select count(*) from ledger where n > 0").toLongLong(), rows);
        QVERIFY2(
            child.logText().contains("redo done at " + QByteArray::fromStdString(plan.state.last.toString())),
            child.logText().constData());
        child.sql(
            "insert into ledger (body) select repeat('c', 3000) from generate_series(1, 1000); checkpoint;");
        child.stop();
        // a second start, from a clean stop, must not write to what it shares either
        PosixDisk disk;
        VERIFY_OK(unshareFrom(disk, {child.walDirectory().toStdString(), m_tree.file("keep")},
                              m_control.segmentSize, plan.state.end, false));
        QVERIFY(child.start());
        child.sql("insert into ledger (body) values ('again')");
        child.stop();
        QProcess::execute("rm", {"-rf", m_tree.path("child")});
    }

    // Case 13, each byte: what our reader finds in the fork's directory is the record that was asked for.
    void everyByteAroundABoundaryIsCutRight() {
        PosixDisk disk;
        const std::uint64_t segment =
            (m_control.checkpoint.value / m_control.segmentSize + 3) * m_control.segmentSize;
        for (const std::uint64_t boundary : {segment, segment + 5 * wal::pageSize})
            for (std::uint64_t lsn = boundary - 64; lsn <= boundary + 64; ++lsn) {
                const Lsn at{lsn};
                WalChain chain = parentChain(disk, at);
                auto plan = planForkWal(chain, m_control, at, ScanState(m_states.at(stateBelow(at))));
                VERIFY_OK(plan);
                const std::string directory = m_tree.file("cut");
                VERIFY_OK(buildForkWal(chain, *plan, directory));
                WalChain cut(disk, {{{directory}, {}}}, m_control.segmentSize, m_control.systemId);
                WalReader reader(cut, *m_control.format, m_control.systemId);
                reader.begin(plan->redo);
                for (;;) {
                    auto record = reader.next();
                    VERIFY_OK(record);
                    if (!*record)
                        break;
                }
                QCOMPARE(reader.end().value, endAtOrBefore(at).value);
                QCOMPARE(plan->state.end.value, reader.end().value);
                VERIFY_OK(removeTree(disk, directory));
            }
    }

    // Case 24: a fork of a fork that was never started.
    void aGrandchildNeedsNoStartedParent() {
        PosixDisk disk;
        const Lsn middle = m_ends.at(m_ends.size() / 2), early = m_ends.at(m_ends.size() / 3);
        WalChain chain(
            disk, {{{m_tree.file("absent")}, {}}, {{m_tree.file("absent2")}, middle}, m_parent->layer(early)},
            m_control.segmentSize, m_control.systemId);
        const ForkWalPlan plan = forkFrom(chain, m_control, early, "base", "grand");
        QCOMPARE(plan.state.end.value, early.value);
        Server grandchild(m_tree.path("grand"), nullptr);
        QVERIFY2(grandchild.start(), grandchild.logText().constData());
        QCOMPARE(grandchild.sql("select count(*) from ledger where n > 0").toLongLong(), commitsUpTo(early));
    }

    // Case 24: the grandchild was forked before its parent's first checkpoint had reached pg_control, so
    // that its redo point lies before its parent's fork point, in its grandparent's log.
    void aGrandchildsRedoPointMayLieBeforeItsParentsFork() {
        PosixDisk disk;
        const Lsn middle = m_ends.at(m_ends.size() / 2);
        const ForkWalPlan plan = fork(middle, "parent");
        Server parent(m_tree.path("parent"), nullptr);
        QVERIFY2(parent.start(), parent.logText().constData());
        parent.sql("do $$ begin for i in 1..300 loop"
                   "  insert into ledger (body) values (repeat('p', 3000)); commit; end loop; end $$");
        parent.kill();
        // what it shares with its own parent is found there
        QVERIFY(plan.endSegment > plan.firstSegment);
        for (std::uint64_t number = plan.firstSegment; number < plan.endSegment; ++number)
            VERIFY_OK(disk.unlink(parent.walDirectory().toStdString() + "/" +
                                  segmentFileName(plan.tli, number, m_control.segmentSize)));

        const auto layers = [&](Lsn limit) {
            return std::vector<WalLayer>{parent.layer(limit), m_parent->layer(plan.state.end)};
        };
        WalChain whole(disk, layers({}), m_control.segmentSize, m_control.systemId);
        const std::vector<Commit> commits = commitsFrom(whole, m_control, plan.state.end);
        QCOMPARE(commits.size(), 300u);
        const Lsn at = commits[199].end;
        WalChain chain(disk, layers(at), m_control.segmentSize, m_control.systemId);
        const ForkWalPlan grand = forkFrom(chain, m_control, at, "base", "grandchild");
        QVERIFY(grand.redo < plan.state.end);
        Server grandchild(m_tree.path("grandchild"), nullptr);
        QVERIFY2(grandchild.start(), grandchild.logText().constData());
        QCOMPARE(grandchild.sql("select count(*) from ledger where n > 0").toLongLong(),
                 commitsUpTo(plan.state.end) + 200);
    }

    // Case 8: the record of a checkpoint is there, pg_control does not know it yet; what a sweep left of the
    // log is enough to start from the older redo point.
    void betweenACheckpointAndItsControlFileTheOlderRedoCounts() {
        PosixDisk disk;
        Server server(m_tree, "eight", {"--wal-segsize=1"}, "checkpoint_timeout = 1h\n");
        QVERIFY(server.start());
        server.sql("create table t (n int, body text);"
                   "insert into t select g, repeat('b', 900) from generate_series(1, 3000) g;"
                   "select pg_switch_wal(); checkpoint;");
        copyData(server, "eight-base");
        const ControlFile older = server.control();
        server.sql("insert into t select g, repeat('a', 900) from generate_series(1, 3000) g; checkpoint;"
                   "insert into t select g, '' from generate_series(1, 10) g");
        const Lsn newer = server.control().checkpoint;
        server.kill();
        QVERIFY(newer > older.checkpoint);
        WalChain whole(disk, {server.layer()}, older.segmentSize, older.systemId);
        WalReader reader(whole, *older.format, older.systemId);
        reader.begin(newer);
        const auto record = reader.next();
        QVERIFY(record && *record);
        const Lsn at = (*record)->end;

        const std::string keep = m_tree.file("eight-keep");
        QVERIFY(sweepLog(server, keep, {TimelineId{1}, older.redo, at, Need::byOthers()}, older.segmentSize) >
                0);
        WalChain chain(disk, {{{keep}, at}}, older.segmentSize, older.systemId);
        const ForkWalPlan plan = forkFrom(chain, older, at, "eight-base", "eight-child");
        QCOMPARE(plan.redo.value, older.redo.value);
        QCOMPARE(plan.state.last.value, newer.value);
        Server child(m_tree.path("eight-child"), nullptr);
        QVERIFY2(child.start(), child.logText().constData());
        QVERIFY2(
            child.logText().contains("redo starts at " + QByteArray::fromStdString(older.redo.toString())),
            child.logText().constData());
        QCOMPARE(child.sql("select count(*) from t").toInt(), 6000);
    }

    // Case 7: the tail of the log was not synced and is lost; PostgreSQL has written another in its place. A
    // fork between where the old one ended and where the new one does opens with the new one's rows.
    void aForkInATailWrittenAnewOpens_data() {
        QTest::addColumn<QByteArray>("level");
        QTest::newRow("minimal") << QByteArray("minimal");
        QTest::newRow("replica") << QByteArray("replica");
    }
    void aForkInATailWrittenAnewOpens() {
        QFETCH(QByteArray, level);
        PosixDisk disk;
        const QString name = QString("seven-") + level;
        Server server(m_tree, name, {"--wal-segsize=1"},
                      "checkpoint_timeout = 1h\nmax_wal_senders = 0\nwal_level = " + level + "\n");
        QVERIFY(server.start());
        server.sql(
            "create table t (n int, body text); alter table t alter body set storage plain; checkpoint;");
        copyData(server, name + "-base");
        const ControlFile control = server.control();
        const auto rows = [](int first, int last, int bytes) {
            return QString(
                       "do $$ begin for i in %1..%2 loop insert into t values (i, repeat('r', %3)); commit;"
                       "end loop; end $$")
                .arg(first)
                .arg(last)
                .arg(bytes)
                .toUtf8();
        };
        server.sql(rows(1, 900, 1700));
        server.kill();
        WalChain before(disk, {server.layer()}, control.segmentSize, control.systemId);
        const std::vector<Commit> old = commitsFrom(before, control, control.checkpoint);
        QCOMPARE(old.size(), 900u);
        const Lsn oldEnd = old.back().end;
        const std::uint64_t lost = old[450].start.value / wal::pageSize * wal::pageSize;
        zeroLogFrom(server, Lsn{lost}, control.segmentSize);
        // the pages of that time were not synced either
        run("rm", {"-rf", server.data()});
        run("cp", {"-a", m_tree.path(name + "-base"), server.data()});
        run("ln", {"-s", server.walDirectory(), server.data() + "/pg_wal"});

        QVERIFY2(server.start(), server.logText().constData());
        server.sql(rows(10'001, 11'200, 1100));
        server.kill();
        WalChain after(disk, {server.layer()}, control.segmentSize, control.systemId);
        const std::vector<Commit> now = commitsFrom(after, control, control.checkpoint);
        QVERIFY(now.size() > 1200 && now.size() < 1200 + 900);
        QVERIFY(now.back().end > oldEnd);
        const auto survivors = static_cast<qlonglong>(now.size()) - 1200;
        int number = 0;
        for (const Lsn at :
             {Lsn{(now[static_cast<std::size_t>(survivors)].end.value + oldEnd.value) / 2}, oldEnd}) {
            WalChain chain(disk, {server.layer(at)}, control.segmentSize, control.systemId);
            const QString fork = QString("%1-child%2").arg(name).arg(++number);
            forkFrom(chain, control, at, name + "-base", fork);
            Server child(m_tree.path(fork), nullptr);
            QVERIFY2(child.start(), child.logText().constData());
            const auto there =
                std::count_if(now.begin(), now.end(), [&](const Commit& c) { return c.end <= at; });
            QVERIFY(there > survivors && there < static_cast<qlonglong>(now.size()));
            QCOMPARE(child.sql("select count(*) from t where n > 10000").toLongLong(), there - survivors);
            QCOMPARE(child.sql("select count(*) from t where n < 10000").toLongLong(), survivors);
            QCOMPARE(child.sql("select max(n) from t where n < 10000").toLongLong(), survivors);
        }
    }

    // Case 12: pg_control says shut down; what was logged behind the checkpoint is not part of the fork.
    void behindACleanStopWritingResumesAtTheCheckpoint() {
        Server server(m_tree, "clean", {"--wal-segsize=1"});
        QVERIFY(server.start());
        server.sql("checkpoint;");
        const std::string earlier = server.controlBytes();
        server.sql("create table t (n int); insert into t select generate_series(1, 100);");
        server.stop();
        const std::string stopped = server.controlBytes();
        copyData(server, "clean-base");
        server.configure("max_connections = 55\n");
        QVERIFY(server.start());
        server.sql("insert into t select generate_series(1, 3000);");
        server.kill();
        const auto before = segmentsOf(server.walDirectory());

        PosixDisk disk;
        const auto control = parseControlFile(std::as_bytes(std::span(stopped)));
        VERIFY_OK(control);
        QVERIFY(control->cleanlyShutDown());
        WalChain chain(disk, {server.layer()}, control->segmentSize, control->systemId);
        const Lsn far = control->checkpoint + 50'000;
        auto plan = planForkWal(chain, *control, far);
        VERIFY_OK(plan);
        QVERIFY(plan->cleanStop);
        QCOMPARE(plan->state.last.value, control->checkpoint.value);
        // what the parent's marks know does not fall on the fork, though the checkpoint knows nothing of it
        ScanState known;
        known.end = control->redo;
        known.commits = 7;
        known.latestCommit = control->checkpointTime + Duration{300'000};
        const auto counted = planForkWal(chain, *control, far, known);
        VERIFY_OK(counted);
        QCOMPARE(counted->state.commits, 7u);
        QCOMPARE(counted->state.latestCommit.micros, known.latestCommit.micros);
        QCOMPARE(counted->state.end.value, plan->state.end.value);
        // nor do the commits between the last mark and the checkpoint get lost
        const auto checkpointed = parseControlFile(std::as_bytes(std::span(earlier)));
        VERIFY_OK(checkpointed);
        auto mark = WalScanner::stateAtCheckpoint(chain, *checkpointed);
        VERIFY_OK(mark);
        mark->commits = 40;
        QVERIFY(mark->end < plan->state.end);
        const auto gone = planForkWal(chain, *control, far, *mark);
        VERIFY_OK(gone);
        QVERIFY2(gone->state.commits >= 42, qPrintable(QString::number(gone->state.commits)));
        QVERIFY(gone->state.lastCommit > mark->end && gone->state.lastCommit < plan->state.end);
        QCOMPARE(gone->state.end.value, plan->state.end.value);
        run("mkdir", {m_tree.path("clean-child")});
        run("cp", {"-a", m_tree.path("clean-base"), m_tree.path("clean-child/data")});
        adopt(chain, *plan, "clean-child");
        Server child(m_tree.path("clean-child"), nullptr);
        child.configure("unix_socket_directories = '" + m_tree.path("clean-child").toUtf8() + "'\n");
        QVERIFY2(child.start(), child.logText().constData());
        QCOMPARE(child.sql("select count(*) from t").toInt(), 100);
        child.sql("insert into t select generate_series(1, 9000); checkpoint;");
        child.stop();
        QCOMPARE(segmentsOf(server.walDirectory()), before);
    }

    // The mount's rule for a start: whatever others hold a link of is copied first.
    void unsharingCopiesWhatOthersHoldAndKeepsTheRest() {
        PosixDisk disk;
        for (const char* name : {"u", "u/wal", "u/keep", "u/other"})
            VERIFY_OK(disk.makeDirectory(m_tree.file(name)));
        const std::uint32_t size = wal::minSegmentSize;
        const auto make = [&](std::uint64_t number, bool shared) {
            const std::string name = segmentFileName(1, number, size);
            auto file = disk.createAppend(m_tree.file("u/wal/") + name);
            const std::string content(size, static_cast<char>('a' + number));
            QVERIFY(file && (*file)->append(std::as_bytes(std::span(content))));
            VERIFY_OK(disk.link(m_tree.file("u/wal/") + name, m_tree.file("u/keep/") + name));
            if (shared) {
                VERIFY_OK(disk.link(m_tree.file("u/wal/") + name, m_tree.file("u/other/") + name));
                VERIFY_OK(disk.setMode(m_tree.file("u/wal/") + name, 0400));
            }
        };
        make(1, true);
        make(2, true);
        make(3, false);
        const auto inode = [&](const char* directory, std::uint64_t number) {
            return disk.info(m_tree.file("u/") + directory + "/" + segmentFileName(1, number, size))->inode;
        };
        const auto three = inode("wal", 3);
        VERIFY_OK(unshareFrom(disk, {m_tree.file("u/wal"), m_tree.file("u/keep")}, size,
                              Lsn{2ull * size + 100}, false));
        QCOMPARE(inode("wal", 1), inode("other", 1));
        QVERIFY(inode("wal", 2) != inode("other", 2));
        QCOMPARE(inode("wal", 2), inode("keep", 2));
        QCOMPARE(inode("wal", 3), three);
        QCOMPARE(disk.info(m_tree.file("u/wal/") + segmentFileName(1, 2, size))->mode & 0777, 0600u);
        QCOMPARE(disk.info(m_tree.file("u/other/") + segmentFileName(1, 1, size))->mode & 0777, 0400u);
    }

  private:
    bool readParent() {
        PosixDisk disk;
        WalChain chain = parentChain(disk, {});
        auto state = WalScanner::stateAtCheckpoint(chain, m_control);
        if (!state)
            return false;
        WalReader reader(chain, *m_control.format, m_control.systemId);
        reader.begin(state->end, state->last);
        for (;;) {
            m_states.push_back(*state);
            auto record = reader.next();
            if (!record || !*record)
                return record.has_value();
            const auto event = eventOf(**record, *m_control.format);
            if (!event)
                return false;
            state->take(**record, *event);
            m_ends.push_back(state->end);
            if (*event && (*event)->kind == WalEventKind::Commit)
                m_commits.push_back({(*record)->start, (*record)->end});
        }
    }
    WalChain parentChain(Disk& disk, Lsn limit) {
        return WalChain(disk, {m_parent->layer(limit)}, m_control.segmentSize, m_control.systemId);
    }
    Lsn endAtOrBefore(Lsn at) const { return *std::prev(std::upper_bound(m_ends.begin(), m_ends.end(), at)); }
    std::size_t stateBelow(Lsn at) const {
        std::size_t i = 0;
        while (i + 1 < m_states.size() && m_states[i + 1].end.value + 100'000 < at.value)
            ++i;
        return i;
    }
    // Puts a data directory's log in place: built, owned by the server's user, linked from pg_wal.
    void adopt(WalChain& chain, const ForkWalPlan& plan, const QString& name) {
        const auto built = buildForkWal(chain, plan, m_tree.file(name + "/wal"));
        if (!built)
            qFatal("%s", built.error().message().c_str());
        const auto again = buildForkWal(chain, plan, m_tree.file(name + "/wal")); // idempotent
        if (!again)
            qFatal("%s", again.error().message().c_str());
        if (geteuid() == 0)
            QProcess::execute("chown", {"-R", "postgres", m_tree.path(name)});
        QFile::link(m_tree.path(name + "/wal"), m_tree.path(name + "/data/pg_wal"));
    }
    // A data directory as it is now, without its log.
    void copyData(const Server& server, const QString& name) {
        run("cp", {"-a", server.data(), m_tree.path(name)});
        run("rm", {"-f", m_tree.path(name + "/postmaster.pid"), m_tree.path(name + "/pg_wal")});
    }
    ForkWalPlan fork(Lsn at, const QString& name) {
        PosixDisk disk;
        WalChain chain = parentChain(disk, at);
        return forkFrom(chain, m_control, at, "base", name);
    }
    // A cluster of the log up to `at` over the data directory `base`, ready to be started.
    ForkWalPlan forkFrom(WalChain& chain, const ControlFile& control, Lsn at, const QString& base,
                         const QString& name) {
        auto plan = planForkWal(chain, control, at);
        if (!plan)
            qFatal("%s", plan.error().message().c_str());
        QDir().mkpath(m_tree.path("keep"));
        run("mkdir", {"-p", m_tree.path(name)});
        run("cp", {"-a", m_tree.path(base), m_tree.path(name + "/data")});
        adopt(chain, *plan, name);
        Server(m_tree.path(name), nullptr)
            .configure("data_directory = '" + m_tree.path(name + "/data").toUtf8() + "'\n");
        return *plan;
    }
    qlonglong commitsUpTo(Lsn at) const {
        return std::count_if(m_commits.begin(), m_commits.end(),
                             [&](const Commit& c) { return c.end <= at; });
    }
    static std::vector<Commit> commitsFrom(WalChain& chain, const ControlFile& control, Lsn from) {
        WalReader reader(chain, *control.format, control.systemId);
        reader.begin(from);
        std::vector<Commit> commits;
        for (;;) {
            const auto record = reader.next();
            if (!record || !*record)
                return commits;
            const auto event = eventOf(**record, *control.format);
            if (event && *event && (*event)->kind == WalEventKind::Commit)
                commits.push_back({(*record)->start, (*record)->end});
        }
    }
    // Links a server's log to `keep`, and removes of it what a sweep would that has nothing but `need`.
    static std::size_t sweepLog(const Server& server, const std::string& keep, const WalNeed& need,
                                std::uint32_t segmentSize) {
        PosixDisk disk;
        const std::string wal = server.walDirectory().toStdString();
        auto made = disk.makeDirectory(keep);
        if (!made)
            qFatal("%s", made.error().message().c_str());
        std::vector<WalFile> files;
        const auto names = disk.list(wal);
        if (!names)
            qFatal("%s", names.error().message().c_str());
        for (const std::string& name : *names) {
            if (!parseSegmentFileName(name, segmentSize))
                continue;
            if (!disk.link(wal + "/" + name, keep + "/" + name))
                qFatal("cannot link %s", name.c_str());
            files.push_back({need.timeline, true, name, disk.info(keep + "/" + name).value()});
        }
        const WalTimeline timeline{need.timeline, {}, {}, segmentSize, false, {}};
        const auto plan = planWalRetention({timeline}, {need}, files, {need.timeline.value + 1});
        if (!plan)
            qFatal("%s", plan.error().message().c_str());
        for (const std::size_t i : plan->removable)
            if (!disk.unlink(keep + "/" + files[i].name))
                qFatal("cannot remove %s", files[i].name.c_str());
        return plan->removable.size();
    }
    static void zeroLogFrom(const Server& server, Lsn from, std::uint32_t size) {
        for (const QString& name : QDir(server.walDirectory()).entryList(QDir::Files)) {
            const auto segment = parseSegmentFileName(name.toStdString(), size);
            if (!segment || (segment->number + 1) * size <= from.value)
                continue;
            const std::uint64_t begin = segment->number * size;
            const QByteArray path = (server.walDirectory() + "/" + name).toUtf8();
            if (truncate(path, begin >= from.value ? 0 : static_cast<off_t>(from.value - begin)) != 0 ||
                truncate(path, size) != 0)
                qFatal("cannot cut %s", path.constData());
        }
    }

    TemporaryTree m_tree;
    std::unique_ptr<Server> m_parent;
    ControlFile m_control;
    std::vector<Lsn> m_ends;
    std::vector<ScanState> m_states;
    std::vector<Commit> m_commits;
    QMap<QString, QByteArray> m_before;
    unsigned m_seed = 0;
};

QTEST_GUILESS_MAIN(WalForkTest)
#include "wal_fork_test.moc"
