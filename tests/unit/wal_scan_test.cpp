// The scan of a live server's log: segments kept, marks found, and what a crash does to it.
#include "storage/wal/wal_marks.h"
#include "tests/unit/wal_support.h"

#include <QDir>
#include <QElapsedTimer>
#include <QTest>

#include <random>

using namespace arbor;
using namespace waltest;

#define VERIFY_OK(result)                              \
    do {                                               \
        if (!(result))                                 \
            QFAIL((result).error().message().c_str()); \
    } while (false)

namespace {

class NoMarks final : public MarkStore {
  public:
    Result<std::optional<Entry>> atOrAfter(std::string_view) const override { return std::optional<Entry>(); }
    Result<std::optional<Entry>> before(std::string_view) const override { return std::optional<Entry>(); }
};

constexpr TimelineId timeline{7};

// By this process, from anywhere (proc(5)).
qint64 bytesReadSoFar() {
    QFile file("/proc/self/io");
    if (!file.open(QIODevice::ReadOnly))
        qFatal("no /proc/self/io");
    return file.readLine().mid(6).trimmed().toLongLong(); // "rchar: "
}

// A scanner with its marks, as the engine holds them.
class Followed {
  public:
    Followed(Server& server, const QString& keep, std::optional<ScanState> state = {})
        : m_keep(keep.toStdString()), m_control(server.control()), m_layer(server.layer()), m_marks(m_none),
          writer(timeline, m_marks) {
        QDir().mkpath(keep);
        m_layer.directories.push_back(m_keep);
        WalChain first = chain();
        if (!state) {
            auto made = WalScanner::stateAtCheckpoint(first, m_control);
            if (!made)
                qFatal("%s", made.error().message().c_str());
            state = *made;
        }
        scanner = std::make_unique<WalScanner>(
            chain(), *m_control.format, WalScanner::Directories{m_layer.directories[0], m_keep}, *state);
        if (!m_layer.limit)
            writer.begin(*state);
        from = state->end;
    }
    WalChain chain() { return WalChain(disk, {m_layer}, m_control.segmentSize, m_control.systemId); }
    bool advance(WalScanner::Effort effort = WalScanner::Effort::Thorough) {
        auto moved = scanner->advance(writer, effort);
        if (!moved)
            qFatal("%s", moved.error().message().c_str());
        return *moved;
    }
    // A new scanner over the same marks, as after a restart of the engine.
    Result<std::optional<Lsn>> reopen() {
        const ScanState state = scanner->state();
        scanner = std::make_unique<WalScanner>(
            chain(), *m_control.format, WalScanner::Directories{m_layer.directories[0], m_keep}, state);
        return scanner->resume(MarkWriter::anchors(m_marks, timeline));
    }
    WalMarks queries() {
        queryChain.emplace(chain());
        return WalMarks(m_marks, {{timeline, {}}}, *queryChain, *m_control.format, from, scanner->state());
    }
    const MarkStore& marks() const { return m_marks; }
    const ControlFile& control() const { return m_control; }

    PosixDisk disk;
    Lsn from;
    std::unique_ptr<WalScanner> scanner;
    std::optional<WalChain> queryChain;

  private:
    std::string m_keep;
    ControlFile m_control;
    WalLayer m_layer;
    NoMarks m_none;
    PendingMarks m_marks;

  public:
    MarkWriter writer;
};

// A server of its own with small segments, followed from before its first start.
struct OwnLog {
    TemporaryTree tree;
    Server server{tree, "s", {"--wal-segsize=1"}, "checkpoint_timeout = 1h\n"};
    Followed followed{server, tree.path("keep")};

    QString segment(std::uint64_t number) const {
        return server.walDirectory() + "/" +
               QString::fromStdString(segmentFileName(1, number, wal::minSegmentSize));
    }
};

} // namespace

class WalScanTest : public QObject {
    Q_OBJECT
  private slots:
    void initTestCase() {
        if (!havePostgres())
            QSKIP("no PostgreSQL server: set PGARBOR_PG_BIN");
        m_server = std::make_unique<Server>(
            m_tree, "p", QStringList{"--wal-segsize=1"},
            "max_prepared_transactions = 5\nwal_keep_size = 5MB\nmin_wal_size = 2MB\n"
            "max_wal_size = 64MB\ncheckpoint_timeout = 1h\n");
        m_followed = std::make_unique<Followed>(*m_server, m_tree.path("keep"));
        QVERIFY(m_server->start());
        m_server->sql(
            "create table t (n bigint, body text); create role someone; grant select on t to someone;");
        m_followed->advance();
    }

    // Case 15: nothing is lost although the server removes segments at every checkpoint.
    void everySegmentIsKeptWhileTheServerRemovesThem() {
        const std::uint64_t first = m_followed->scanner->chain().segmentOf(m_followed->from);
        for (int i = 0; i < 6; ++i) {
            m_server->sql("insert into t select g, repeat('k', 500) from generate_series(1, 2000) g;"
                          "select pg_switch_wal(); insert into t values (1, ''); select pg_switch_wal();");
            QVERIFY(m_followed->advance(i % 2 ? WalScanner::Effort::Quick : WalScanner::Effort::Thorough));
            m_server->sql(
                "checkpoint"); // the engine scans before each write of pg_control: here, before this
        }
        m_followed->advance();
        QVERIFY(!m_followed->scanner->stuck());
        VERIFY_OK(m_followed->scanner->syncKept());
        WalChain& chain = m_followed->scanner->chain();
        const std::uint64_t last = chain.segmentOf({m_followed->scanner->end().value - 1});
        for (std::uint64_t number = first; number <= last; ++number)
            QVERIFY(QFile::exists(m_tree.path(
                "keep/" + QString::fromStdString(segmentFileName(1, number, chain.segmentSize())))));
        QVERIFY(last - first > 10);
        const Dump dump = waldump(m_tree.path("keep"), m_followed->from);
        QVERIFY(dump.records.back().start <= m_followed->scanner->state().last);
        QVERIFY(!m_followed->advance(WalScanner::Effort::Quick));
    }

    // Case 23
    void transactionsAreFoundByEveryIdThatTheyHave() {
        const auto xid = [&](const QByteArray& before, const QByteArray& after) {
            return m_server->sql("begin; " + before + " select pg_current_xact_id(); " + after).toULongLong();
        };
        const auto plain = xid("insert into t values (100, '');", "commit;");
        const QByteArray sub =
            m_server->sql("begin; select pg_current_xact_id(); savepoint a; insert into t values (101, '');"
                          "select xmin from t where n = 101; commit;");
        const auto top = sub.split('\n').value(0).toULongLong(),
                   below = sub.split('\n').value(1).toULongLong();
        const auto aborted = xid("insert into t values (102, '');", "rollback;");
        const auto prepared = xid("insert into t values (103, '');", "prepare transaction 'x';");
        m_followed->advance();
        QCOMPARE(m_followed->queries().atXid(prepared).error().kind(), ErrorKind::NotFound);
        m_server->sql("insert into t values (104, ''); commit prepared 'x'; insert into t values (105, '')");
        m_followed->advance();

        QVERIFY(top != below);
        WalMarks queries = m_followed->queries();
        const auto commitBehind = [&](std::uint64_t id) {
            auto answer = queries.atXid(id);
            if (!answer)
                qFatal("%s", answer.error().message().c_str());
            return eventBehind(answer->state);
        };
        QCOMPARE(commitBehind(plain).xid, plain);
        QCOMPARE(commitBehind(top).xid, top);
        QCOMPARE(commitBehind(below).xid, top);
        QCOMPARE(commitBehind(prepared).xid, prepared);
        QVERIFY(commitBehind(prepared).prepared);
        const auto rolledBack = queries.atXid(aborted);
        QCOMPARE(rolledBack.error().kind(), ErrorKind::NotFound);
        QVERIFY(rolledBack.error().message().find("rolled back") != std::string::npos);
        QCOMPARE(queries.atXid(1'000'000).error().kind(), ErrorKind::NotFound);
    }

    void timesMeanJustBeforeTheFirstLaterCommit() {
        m_server->sql("create table times (n int)");
        std::vector<Timestamp> times;
        for (int i = 0; i < 20; ++i)
            times.push_back(*Timestamp::parseIso(
                m_server
                    ->sql("insert into times values (1); select clock_timestamp() at time zone 'UTC' || 'Z'")
                    .toStdString()));
        m_followed->advance();
        WalMarks queries = m_followed->queries();
        for (std::size_t i = 0; i + 1 < times.size(); ++i) {
            auto answer = queries.atTime(times[i]);
            VERIFY_OK(answer);
            QVERIFY(answer->state.latestCommit <= times[i]);
            QVERIFY(eventBehind(answer->state).time > times[i]);
            QCOMPARE(queries.atLsn(answer->state.end + 1)->state.end.value, answer->state.end.value);
        }
        QCOMPARE(queries.atTime(times.back() + Duration::days(1))->state.end.value,
                 m_followed->scanner->end().value);
        QCOMPARE(queries.atTime(times.front() - Duration::days(1)).error().kind(), ErrorKind::Refused);
        QCOMPARE(queries.atLsn(Lsn{1}).error().kind(), ErrorKind::Refused);
    }

    // Case 19
    void noPointLiesInsideADropDatabase() {
        m_server->sql("create database gone; ");
        m_server->sql("create database copied strategy file_copy;");
        m_server->sql("vacuum"); // an in-place change of pg_database that is no drop
        m_followed->advance();
        const Lsn begin = m_followed->scanner->end();
        const auto id = m_server->sql("select oid from pg_database where datname = 'gone'").toULong();
        m_server->sql("drop database gone;");
        m_server->sql("insert into t values (200, '')");
        m_followed->advance();

        WalMarks queries = m_followed->queries();
        auto marks = queries.marksBetween(begin, m_followed->scanner->end(), 100);
        VERIFY_OK(marks);
        const auto drop = std::find_if(marks->begin(), marks->end(),
                                       [](const WalMark& m) { return m.kind == WalEventKind::DatabaseDrop; });
        QVERIFY(drop != marks->end());
        QCOMPARE(drop->database, id);
        auto inside = queries.atLsn(drop->end);
        VERIFY_OK(inside);
        QVERIFY(!inside->message.empty());
        QVERIFY(inside->state.end < drop->start);
        // the record behind that point is the in-place change
        QCOMPARE(eventBehind(inside->state).kind, WalEventKind::SharedInplace);
        auto byXid = queries.atXid(drop->xid);
        VERIFY_OK(byXid);
        QCOMPARE(byXid->state.end.value, inside->state.end.value);
        auto behind = queries.atLsn(m_followed->scanner->end());
        VERIFY_OK(behind);
        QVERIFY(behind->message.empty());
        QCOMPARE(std::count_if(marks->begin(), marks->end(),
                               [](const WalMark& m) { return m.kind == WalEventKind::DatabaseCreate; }),
                 0);
        auto all = queries.marksBetween(m_followed->from, begin, 1000);
        QCOMPARE(std::count_if(all->begin(), all->end(),
                               [](const WalMark& m) { return m.kind == WalEventKind::DatabaseCreate; }),
                 2);
    }

    void aDroppedDatabaseIsOneMarkWithTheTimeOfItsCommit() {
        m_server->sql("create database second");
        m_followed->advance();
        const Lsn begin = m_followed->scanner->end();
        m_server->sql("drop database second;");
        m_followed->advance();
        const auto drops = dropsSince(begin);
        QCOMPARE(drops.size(), 1u);
        QCOMPARE(drops[0].kind, WalEventKind::DatabaseDrop);
        QVERIFY(drops[0].before < drops[0].start);
        const auto point = m_followed->queries().atLsn(drops[0].before);
        VERIFY_OK(point);
        QVERIFY(point->message.empty());
        QCOMPARE(eventBehind(point->state).kind, WalEventKind::SharedInplace);
        QCOMPARE(drops[0].time.micros, m_followed->scanner->state().latestCommit.micros);
    }

    void commitsThatRemoveRelationFilesAreMarks_data() {
        QTest::addColumn<QByteArray>("before");
        QTest::addColumn<QByteArray>("statement");
        QTest::addColumn<int>("files"); // 0: no mark
        const QByteArray table = "create table victim (id int primary key, body text);"
                                 "insert into victim values (1, 'x');";
        // a table, its index, its toast table and that one's index; a rewrite also drops one that it made in
        // passing
        QTest::newRow("drop") << table << QByteArray("drop table victim") << 4;
        QTest::newRow("truncate") << table << QByteArray("truncate victim") << 4;
        QTest::newRow("rewrite") << table << QByteArray("alter table victim alter id type bigint") << 5;
        QTest::newRow("vacuum full") << table << QByteArray("vacuum full victim") << 4;
        QTest::newRow("reindex") << table << QByteArray("reindex table victim") << 2;
        QTest::newRow("in a subtransaction")
            << table << QByteArray("begin; savepoint a; drop table victim; release a; commit") << 4;
        QTest::newRow("prepared") << table + "begin; drop table victim; prepare transaction 'drop';"
                                  << QByteArray("commit prepared 'drop'") << 4;
        QTest::newRow("many") << QByteArray("do $$ begin for i in 1..200 loop execute 'create table many.t' "
                                            "|| i || '(id int)'; end loop; end $$;")
                              << QByteArray("drop schema many cascade") << 200;
        QTest::newRow("rolled back") << table << QByteArray("begin; drop table victim; rollback") << 0;
        QTest::newRow("created and rolled back")
            << QByteArray() << QByteArray("begin; create table never (id int); rollback") << 0;
        QTest::newRow("temporary") << QByteArray()
                                   << QByteArray("create temp table brief (id int); drop table brief") << 0;
        QTest::newRow("ordinary") << table
                                  << QByteArray("insert into victim values (2, ''); delete from victim;"
                                                "update t set n = n; vacuum victim; analyze victim")
                                  << 0;
    }
    void commitsThatRemoveRelationFilesAreMarks() {
        QFETCH(QByteArray, before);
        QFETCH(QByteArray, statement);
        QFETCH(int, files);
        m_server->sql("drop table if exists victim; drop schema if exists many cascade; create schema many;" +
                      before);
        m_followed->advance();
        const auto oids = m_server
                              ->sql("select d.oid || '/' || pg_relation_filenode(c.oid) from pg_database d, "
                                    "pg_class c where datname = current_database() and relname = 'victim'")
                              .split('/');
        const Lsn begin = m_followed->scanner->end();
        m_server->sql(statement);
        m_followed->advance();

        const auto drops = dropsSince(begin);
        QCOMPARE(drops.size(), files == 0 ? 0u : 1u);
        if (files == 0)
            return;
        const WalMark& drop = drops[0];
        QCOMPARE(drop.kind, WalEventKind::Commit);
        QCOMPARE(drop.removedFiles, static_cast<std::uint64_t>(files));
        QCOMPARE(drop.removed.size(), std::min<std::size_t>(drop.removedFiles, WalMark::mostNamed));
        if (files == 4 || files == 5)
            QVERIFY(std::any_of(drop.removed.begin(), drop.removed.end(), [&](const RelationFile& file) {
                return file.database == oids.value(0).toUInt() && file.relation == oids.value(1).toUInt();
            }));
        // what stands behind its point is the commit, as for its transaction id
        const auto byXid = m_followed->queries().atXid(drop.xid);
        VERIFY_OK(byXid);
        QCOMPARE(byXid->state.end.value, drop.before.value);
        const WalEvent commit = eventBehind(byXid->state);
        QCOMPARE(commit.start.value, drop.start.value);
        QCOMPARE(commit.time.micros, drop.time.micros);
    }

    void restorePointsAndCheckpointsAreMarks() {
        const Lsn begin = m_followed->scanner->end();
        m_server->sql("select pg_create_restore_point('before the mistake'); checkpoint;");
        m_followed->advance();
        auto marks = m_followed->queries().marksBetween(begin, m_followed->scanner->end(), 10);
        VERIFY_OK(marks);
        QCOMPARE(marks->size(), 2u);
        QCOMPARE(marks->at(0).name, std::string("before the mistake"));
        QCOMPARE(marks->at(1).kind, WalEventKind::CheckpointOnline);
        QVERIFY(marks->at(1).redo && marks->at(1).redo <= marks->at(1).start);
    }

    // Cases 7 and 14: the tail of the log is lost, in the middle of a record over a page boundary; Postgres
    // writes another tail in its place, and says so on the torn page.
    void aLostTailIsFoundAndTheScanGoesOn() {
        m_followed->advance();
        Lsn torn;
        const auto lostEnd = loseTail(torn);
        const Lsn known = m_followed->scanner->end();
        QCOMPARE(known.value, lostEnd.value);

        // the engine comes back before the server does
        auto before = m_followed->reopen();
        VERIFY_OK(before);
        QVERIFY(before->has_value());
        QCOMPARE((*before)->value, torn.value);
        VERIFY_OK(m_followed->writer.forgetBehind(**before));

        QVERIFY2(m_server->start(), m_server->logText().constData());
        m_server->sql("insert into t select g, repeat('n', 900) from generate_series(1, 3000) g");
        m_followed->advance();
        QVERIFY(m_followed->scanner->end() > torn);
        QVERIFY(!m_followed->scanner->stuck());
        auto marks = m_followed->queries().marksBetween(torn, m_followed->scanner->end(), 10);
        VERIFY_OK(marks);
        QCOMPARE(marks->at(0).kind, WalEventKind::OverwriteContrecord);

        // forks before, at and behind the overwritten record
        WalMarks queries = m_followed->queries();
        QCOMPARE(queries.atLsn(torn)->state.end.value, torn.value);
        QCOMPARE(queries.atLsn(marks->at(0).start)->state.end.value, torn.value);
        QCOMPARE(queries.atLsn(marks->at(0).end)->state.end.value, marks->at(0).end.value);
        const Dump dump = waldump(m_server->walDirectory(), queries.atLsn(torn)->state.last);
        QCOMPARE(dump.records.at(1).start.value, marks->at(0).start.value);
    }

    // As before, but the engine learns of it only after the server has gone on, past where the old log ended.
    void aLostTailIsFoundAlsoUnderANewOne() {
        m_followed->advance();
        Lsn torn;
        loseTail(torn);
        QVERIFY2(m_server->start(), m_server->logText().constData());
        m_server->sql("insert into t select g, repeat('n', 900) from generate_series(1, 9000) g");
        auto clamp = m_followed->reopen();
        VERIFY_OK(clamp);
        QVERIFY(clamp->has_value());
        QCOMPARE((*clamp)->value, torn.value);
        VERIFY_OK(m_followed->writer.forgetBehind(**clamp));
        QVERIFY(m_followed->advance());
        auto unchanged = m_followed->reopen();
        VERIFY_OK(unchanged);
        QVERIFY(!unchanged->has_value());
    }

    // Case 12 at a restart of the same timeline: what was logged behind a clean stop will be overwritten.
    void aStartAfterACleanStopRewinds() {
        m_server->stop();
        m_followed->advance();
        auto start = m_followed->scanner->prepareStart(m_server->control(), false);
        VERIFY_OK(start);
        QVERIFY(!start->clamped);
        QCOMPARE(start->writesFrom.value, m_followed->scanner->end().value);
        const std::string stopped = m_server->controlBytes();
        QVERIFY(m_server->start());
        m_server->sql("insert into t select generate_series(1, 20), ''");
        m_server->kill();
        m_followed->advance();
        const auto control = parseControlFile(std::as_bytes(std::span(stopped)));
        start = m_followed->scanner->prepareStart(*control, false);
        VERIFY_OK(start);
        QVERIFY(start->clamped.has_value());
        QCOMPARE(m_followed->scanner->end().value, start->clamped->value);
        QVERIFY(!m_followed->advance());
    }

    // A log that grows by some bytes at a time, as nobody writes it but as it may be met: whoever looked at
    // each of its ends sees as much as one that begins anew, and looks at an end twice in vain at no cost.
    void partsOfRecordsAreLookedAtOnceAndTheirRestIsSeen() {
        OwnLog own;
        auto& [tree, server, followed] = own;
        QVERIFY(server.start());
        server.sql("create table t (g int, body text); alter table t alter body set storage external;");
        for (int i = 0; i < 10; ++i)
            server.sql("insert into t select g, repeat('x', 100) from generate_series(1, 40) g;"
                       "insert into t values (0, repeat('y', 3000)), (0, repeat('z', 7900));");
        server.kill();
        const Lsn from = followed.from;
        QFile file(own.segment(from.value / wal::minSegmentSize));
        QVERIFY(file.open(QIODevice::ReadWrite));
        const QByteArray log = file.readAll();
        const auto begin = static_cast<qint64>(from.value % wal::minSegmentSize);
        QVERIFY(file.seek(begin) && file.write(QByteArray(log.size() - begin, 0)) > 0 && file.flush());

        const auto seed = qEnvironmentVariableIsSet("ARBOR_SEED")
                              ? qEnvironmentVariable("ARBOR_SEED").toUInt()
                              : std::random_device()();
        qInfo("ARBOR_SEED=%u", seed);
        std::mt19937 random(seed);
        int unfinished = 0;
        const qint64 end = std::min<qint64>(log.size(), begin + 120'000);
        for (qint64 at = begin; at < end;) {
            const qint64 step =
                std::uniform_int_distribution<qint64>(1, random() % 8 == 0 ? 9000 : 400)(random);
            QVERIFY(file.seek(at) && file.write(log.mid(at, step)) > 0 && file.flush());
            at += step;
            followed.advance(WalScanner::Effort::Quick);
            QVERIFY(!followed.advance(WalScanner::Effort::Quick));
            const qint64 before = bytesReadSoFar();
            QVERIFY(!followed.advance(WalScanner::Effort::Quick));
            const qint64 read = bytesReadSoFar() - before;
            Followed anew(server, tree.path("keep-anew"));
            anew.advance();
            QCOMPARE(followed.scanner->end().value, anew.scanner->end().value);
            if (from.value - static_cast<std::uint64_t>(begin) + static_cast<std::uint64_t>(at) -
                    followed.scanner->end().value >
                4) {
                ++unfinished;
                QVERIFY2(read < 9000, qPrintable(QString("%1 bytes were read").arg(read)));
            }
        }
        QVERIFY(unfinished > 50);
    }

    // A page that the promoted server writes first must not be taken for one of before.
    void aPromotionBehindRecordsThatNobodySawIsSeenAtOnce() {
        OwnLog own;
        auto& [tree, server, followed] = own;
        QVERIFY(server.start());
        followed.advance();
        server.sql("create table t as select 1 as n");
        server.stop();
        waltest::run("touch", {server.data() + "/standby.signal"});
        QVERIFY2(server.start(), server.logText().constData());
        QCOMPARE(server.sql("select pg_promote()"), QByteArray("t"));
        server.sql("insert into t values (2)");
        QVERIFY(followed.advance(WalScanner::Effort::Quick));
        QCOMPARE(followed.scanner->state().tli, std::uint32_t{2});
    }

    void aHoleInTheLogIsStuckAndNotTheEnd() {
        OwnLog own;
        auto& [tree, server, followed] = own;
        QVERIFY(server.start());
        server.sql("create table t as select g, repeat('x', 500) as body from generate_series(1, 8000) g;");
        server.kill();
        // damage one byte in the second segment
        const std::uint64_t second = followed.from.value / wal::minSegmentSize + 1;
        QFile file(own.segment(second));
        QVERIFY(file.open(QIODevice::ReadWrite) && file.seek(300'000));
        const char byte = static_cast<char>(file.peek(1).at(0) ^ 1);
        file.write(&byte, 1);
        file.close();
        QVERIFY(followed.advance());
        QVERIFY(followed.scanner->end().value < (second + 1) * wal::minSegmentSize);
        QVERIFY(!followed.advance());
        QVERIFY(followed.scanner->stuck());
    }

  private:
    std::vector<WalMark> dropsSince(Lsn begin) {
        auto marks = m_followed->queries().marksBetween(begin + 1, m_followed->scanner->end(), 1000);
        if (!marks)
            qFatal("%s", marks.error().message().c_str());
        std::erase_if(*marks, [](const WalMark& mark) {
            return mark.kind != WalEventKind::Commit && mark.kind != WalEventKind::DatabaseDrop;
        });
        return *marks;
    }
    // The event of the record behind a state.
    WalEvent eventBehind(const ScanState& state) {
        WalChain chain = m_followed->chain();
        WalReader reader(chain, *m_followed->control().format, m_followed->control().systemId);
        reader.begin(state.end, state.last);
        const auto record = reader.next();
        if (!record || !*record)
            qFatal("no record behind %s", state.end.toString().c_str());
        const auto event = eventOf(**record, *m_followed->control().format);
        return event && *event ? **event : WalEvent{};
    }
    // Writes some, crashes, and zeroes the log from the page on in which a record continues. `torn` is where
    // the surviving log ends; the result where it had ended, as the scan knows.
    Lsn loseTail(Lsn& torn) {
        m_server->sql("checkpoint; insert into t values (1, ''); insert into t select g, repeat('l', 1500) "
                      "from generate_series(1, 1500) g");
        m_server->kill();
        m_followed->advance();
        WalChain chain = m_followed->chain();
        WalReader reader(chain, *m_followed->control().format, m_followed->control().systemId);
        const Lsn from = m_server->control().checkpoint;
        reader.begin(from);
        const std::uint64_t size = m_followed->control().segmentSize;
        const std::uint64_t boundary = (from.value / size + 1) * size;
        Lsn end;
        for (;;) {
            const auto record = reader.next();
            if (!record || !*record)
                qFatal("no record crosses %s", Lsn{boundary}.toString().c_str());
            if ((*record)->start.value < boundary && (*record)->end.value > boundary) {
                torn = end;
                break;
            }
            end = (*record)->end;
        }
        for (const QString& name : QDir(m_server->walDirectory()).entryList(QDir::Files)) {
            const auto segment = parseSegmentFileName(name.toStdString(), static_cast<std::uint32_t>(size));
            if (!segment || (segment->number + 1) * size <= boundary)
                continue;
            const QString path = m_server->walDirectory() + "/" + name;
            if (segment->number * size >= boundary) // zeros, in place: walkeep holds the same file
                truncate(path.toUtf8(), 0), truncate(path.toUtf8(), static_cast<off_t>(size));
        }
        return m_followed->scanner->end();
    }

    TemporaryTree m_tree;
    std::unique_ptr<Server> m_server;
    std::unique_ptr<Followed> m_followed;
};

QTEST_GUILESS_MAIN(WalScanTest)
#include "wal_scan_test.moc"
