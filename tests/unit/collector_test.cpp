// The collector over a whole store: what the window keeps, what goes, who is told.
#include "storage/disk/simulated_disk.h"
#include "storage/engine/page_trace.h"
#include "storage/engine/samples.h"
#include "tests/support/collecting.h"
#include "tests/support/store_fixture.h"

#include <QTest>

using namespace arbor;
using namespace arbor::test;

#define REQUIRE(result)                               \
    do {                                              \
        if (const auto& checked = (result); !checked) \
            QFAIL(checked.error().message().c_str()); \
    } while (false)

namespace {

const Caller caller{"test", "test"};
constexpr int writes = 40;
constexpr std::uint64_t logOfAWrite = 100;

} // namespace

class CollectorTest : public QObject {
    Q_OBJECT

    FakeLogs m_logs;
    ManualClock m_clock;
    std::unique_ptr<SimulatedDisk> m_disk;
    std::unique_ptr<Engine> m_engine;
    BranchRecord m_main;
    std::shared_ptr<TimelineView> m_view;
    InodeId m_file;
    std::vector<TimelinePoint> m_points; // after each write

    Status begin() {
        m_disk = std::make_unique<SimulatedDisk>(1);
        ARBOR_TRY(Engine::create(*m_disk, "/store", fakeOptions(m_logs)));
        ARBOR_ASSIGN(m_engine, Engine::open(*m_disk, "/store", m_clock, fakeOptions(m_logs)));
        ARBOR_ASSIGN(const auto root, m_engine->beginRoot(0700, {1000, 1000}));
        ARBOR_ASSIGN(m_main, m_engine->finishRoot(caller, *root, {"main", {}, 15, 16u << 20, {}}, Lsn{1000}));
        ARBOR_ASSIGN(m_view, m_engine->head(m_main.timeline));
        ARBOR_ASSIGN(const Attributes made, m_view->createFile(m_view->root(), "f", 0600, {1000, 1000}));
        m_file = made.inode;
        return {};
    }
    // The same block again and again, a sync and an hour between.
    Status writeHistory(int count = writes) {
        for (int i = 0; i < count; ++i) {
            m_logs.append(m_main.timeline, logOfAWrite);
            ARBOR_TRY(m_view->write(m_file, 0, bytesOf(pageOf(static_cast<std::uint64_t>(i))), 1));
            ARBOR_ASSIGN(const TimelinePoint point, m_engine->headPoint(m_main));
            m_points.push_back(point);
            ARBOR_TRY(m_view->sync());
            m_clock.advance({3'600'000'000});
        }
        return {};
    }
    // A child of main at an early point, with these pages in the file's first blocks.
    Result<BranchRecord> makeChild(const std::vector<std::uint64_t>& pages) {
        ARBOR_ASSIGN(BranchRecord child,
                     m_engine->createBranch(caller, {"child", m_main.id, m_points[5], {}}));
        ARBOR_ASSIGN(const auto view, m_engine->head(child.timeline));
        ARBOR_TRY(view->lookup(view->root(), "f"));
        m_logs.append(child.timeline, logOfAWrite);
        for (std::size_t block = 0; block < pages.size(); ++block)
            ARBOR_TRY(view->write(m_file, block * blockSize, bytesOf(pageOf(pages[block])), 1));
        ARBOR_TRY(view->sync());
        return child;
    }
    Status set(const char* key, const std::string& value) {
        ARBOR_TRY(m_engine->keepBook([&](Catalog& c, Timestamp) { return c.setSetting(key, value); }));
        return {};
    }
    Collector::Options options() { return fakeCollectorOptions(fakeOptions(m_logs)); }
    Status collect() { return collectAndCheck(*m_engine, options()); }
    static Result<std::string> contentOf(BranchView& view, std::string_view name) {
        ARBOR_ASSIGN(const Attributes found, view.lookup(view.root(), name));
        return readAll(view, found.inode);
    }
    Result<std::string> readAt(const TimelinePoint& point) {
        ARBOR_ASSIGN(const auto view, m_engine->look(point));
        return contentOf(*view, "f");
    }
    bool reads(int i) {
        const auto content = readAt(m_points[static_cast<std::size_t>(i)]);
        return content && *content == pageOf(static_cast<std::uint64_t>(i));
    }

  private slots:
    void init() { REQUIRE(begin()); }
    void cleanup() {
        m_points.clear();
        m_view.reset();
        m_engine.reset();
    }

    void aWindowByTimeKeepsEveryPointInsideIt() {
        REQUIRE(writeHistory());
        REQUIRE(set("history-time", "10h"));
        REQUIRE(collect());
        for (int i = 0; i < writes; ++i) {
            const bool inside = i >= writes - 10;
            QCOMPARE(m_engine->available(m_points[static_cast<std::size_t>(i)]).has_value(), inside);
            QCOMPARE(reads(i), inside);
        }
    }

    void aWindowByBytesOfLogKeepsEveryPointInsideIt() {
        REQUIRE(writeHistory());
        REQUIRE(set("history-bytes", fmt::format("{}B", 10 * logOfAWrite)));
        REQUIRE(collect());
        for (int i = 0; i < writes; ++i)
            QCOMPARE(reads(i), i >= writes - 11);
    }

    void withoutHistoryTheHeadAndItsForksGoOn() {
        REQUIRE(writeHistory());
        REQUIRE(set("history-time", "0"));
        REQUIRE(collect());
        const auto head = m_engine->headPoint(m_main);
        REQUIRE(head);
        const auto fork = m_engine->createBranch(caller, {"child", m_main.id, *head, {}});
        REQUIRE(fork);
        REQUIRE(collect());
        const auto view = m_engine->head(fork->timeline);
        REQUIRE(view);
        QCOMPARE(*contentOf(**view, "f"), pageOf(writes - 1));
        QVERIFY(!reads(0));
    }

    void aCheckpointKeepsItsPointAlone() {
        REQUIRE(writeHistory());
        REQUIRE(m_engine->createCheckpoint(caller, m_main.id, "old", m_points[3]));
        REQUIRE(set("history-time", "0"));
        REQUIRE(collect());
        for (int i = 0; i < writes - 1; ++i)
            QCOMPARE(reads(i), i == 3);
        // and what it keeps is what it is said to keep
        Collector collector(*m_engine, options());
        Collector::WhatIf without;
        without.checkpoints = {
            m_engine->catalog([&](const Catalog& c) { return c.checkpoint(m_main.id, "old"); })->id};
        const auto now = collector.plan();
        const auto then = collector.plan(without);
        REQUIRE(now);
        REQUIRE(then);
        QVERIFY(then->plan.garbageBytes > now->plan.garbageBytes);
        QCOMPARE(then->plan.garbageBytes - now->plan.garbageBytes,
                 now->plan.historyBytes - then->plan.historyBytes);
    }

    // Also what the child has overwritten since: it can be set back to where it began, and others begin
    // there.
    void aForkPointStaysWholeAsLongAsItsBranch() {
        REQUIRE(writeHistory());
        const auto child = makeChild({1000});
        REQUIRE(child);
        REQUIRE(set("history-time", "0"));
        REQUIRE(set("trash-time", "0"));
        REQUIRE(collect());
        for (int i = 0; i < writes - 1; ++i)
            QCOMPARE(reads(i), i == 5);
        const Lsn at = m_points[5].at.lsn;
        for (const BranchRecord& from : {m_main, *child}) {
            const auto point = m_engine->resolve(from, Engine::PointSpec(at));
            REQUIRE(point);
            QVERIFY(point->point == m_points[5]);
            const auto fork = m_engine->createBranch(caller, {"of-" + from.name, from.id, point->point, {}});
            REQUIRE(fork);
            const auto view = m_engine->head(fork->timeline);
            REQUIRE(view);
            QCOMPARE(*contentOf(**view, "f"), pageOf(5));
        }
        // it goes with the last of those who left there
        for (const char* name : {"child", "of-main", "of-child"}) {
            QVERIFY(reads(5));
            const auto branch = m_engine->catalog([&](const Catalog& c) { return c.branch(name); });
            REQUIRE(branch);
            REQUIRE(m_engine->operate(
                caller, [&](Catalog& c, Timestamp now) { return c.deleteBranch(branch->id, now); }));
            REQUIRE(m_engine->closeIdleHeads());
            REQUIRE(collect());
            QVERIFY(reads(5));
            REQUIRE(m_engine->keepBook(
                [&](Catalog& c, Timestamp) { return c.purgeTrash(c.trash().front()->id); }));
            REQUIRE(collect());
        }
        QVERIFY(!m_engine->available(m_points[5]));
        QVERIFY(!reads(5));
    }

    void whoReadsForAMomentTakesNoFileFromABranch() {
        REQUIRE(writeHistory(2));
        Collector collector(*m_engine, options());
        const auto alone = collector.files(m_main.id);
        REQUIRE(alone);
        QVERIFY(alone->at(m_file).privateBytes > 0);
        const auto reader = m_engine->look(m_points.back());
        REQUIRE(reader);
        const auto beside = collector.files(m_main.id);
        REQUIRE(beside);
        QVERIFY(beside->contains(m_file));
        QCOMPARE(beside->at(m_file).privateBytes, alone->at(m_file).privateBytes);
    }

    void whatWouldBeFreedIsFreed() {
        REQUIRE(writeHistory());
        std::vector<std::uint64_t> pages;
        for (std::uint64_t block = 0; block < 64; ++block)
            pages.push_back(1000 + block * 3);
        const auto child = makeChild(pages);
        REQUIRE(child);
        REQUIRE(m_engine->closeIdleHeads());
        REQUIRE(set("trash-time", "0"));
        std::uint64_t promised = 0;
        {
            Collector collector(*m_engine, options());
            Collector::WhatIf without;
            without.branches = {child->id};
            const auto plan = collector.plan(without);
            REQUIRE(plan);
            promised = plan->plan.freeBytes;
            QVERIFY(promised > 60 * blockSize / 2);
            // whoever counts what a branch holds does not hold it
            const auto counting = m_engine->look({child->timeline, headPoint});
            REQUIRE(counting);
            const auto beside = collector.plan(without);
            REQUIRE(beside);
            QCOMPARE(beside->plan.freeBytes, promised);
        }
        REQUIRE(m_engine->operate(caller,
                                  [&](Catalog& c, Timestamp now) { return c.deleteBranch(child->id, now); }));
        REQUIRE(
            m_engine->keepBook([&](Catalog& c, Timestamp) { return c.purgeTrash(c.trash().front()->id); }));
        Collector collector(*m_engine, options());
        const auto outcome = collector.run();
        REQUIRE(outcome);
        QCOMPARE(outcome->freedBytes, promised);
        QVERIFY(m_engine->isGone(child->timeline));
    }

    void aRemovedFileThatIsOpenIsReadOn() {
        REQUIRE(writeHistory(3));
        REQUIRE(m_view->open(m_file));
        REQUIRE(m_view->unlink(m_view->root(), "f"));
        REQUIRE(m_view->write(m_file, blockSize, bytesOf(pageOf(77)), 1)); // only memory knows this one
        REQUIRE(set("history-time", "0"));
        REQUIRE(collect());
        m_view->trim();
        const auto content = readAll(*m_view, m_file);
        REQUIRE(content);
        QCOMPARE(*content, pageOf(2) + pageOf(77));
        m_view->close(m_file);
    }

    void aPeekAndARootThatIsBeingFilledAreLeftAlone() {
        REQUIRE(writeHistory(10));
        const auto peek = m_engine->fork(m_points[4]);
        REQUIRE(peek);
        const auto root = m_engine->beginRoot(0700, {1000, 1000});
        REQUIRE(root);
        const auto made = (*root)->createFile((*root)->root(), "g", 0600, {1000, 1000});
        REQUIRE(made);
        REQUIRE((*root)->write(made->inode, 0, bytesOf(pageOf(9)), 1));
        REQUIRE(m_engine->sync());
        REQUIRE(set("history-time", "0"));
        REQUIRE(collect());
        QCOMPARE(*contentOf(**peek, "f"), pageOf(4));
        QCOMPARE(*readAll(**root, made->inode), pageOf(9));
    }

    void aTraceNamesTheVersionThatAnswersAndWhoNeedsTheOthers() {
        REQUIRE(writeHistory(10));
        const auto child = m_engine->createBranch(caller, {"child", m_main.id, m_points[5], {}});
        REQUIRE(child);
        REQUIRE(set("history-time", "0"));
        REQUIRE(collect());
        Collector collector(*m_engine, options());
        const auto accounts = collector.plan();
        REQUIRE(accounts);
        const auto trace = tracePage(*m_engine, {child->timeline, headPoint}, m_file, 0, accounts->input);
        REQUIRE(trace);
        QVERIFY(!trace->isHole);
        QCOMPARE(trace->chain.size(), std::size_t{2});
        QCOMPARE(trace->chain.back().timeline, m_main.timeline);
        QVERIFY(trace->chain.back().answers);
        // the child's, and main's own
        QCOMPARE(trace->versions.size(), std::size_t{2});
        QVERIFY(trace->versions[1].answers);
        for (const PageTrace::Version& version : trace->versions) {
            QVERIFY(version.isNeeded);
            QVERIFY(!version.pins.empty());
        }
    }

    // A month in which main goes on and nobody looks after a branch of its first day: what the branch keeps
    // of main's history grows with main's writes and then stays; the accounts name it, and removing it gives
    // back what was said.
    void aForgottenBranchShowsUntilItIsRemoved() {
        REQUIRE(set("history-time", "1d"));
        REQUIRE(m_view->write(m_file, 0, bytesOf(pageOf(1000)), 1));
        for (BlockNumber block = 1; block < 60; ++block)
            REQUIRE(m_view->write(m_file, block * blockSize, bytesOf(pageOf(1000 + block)), 1));
        REQUIRE(m_view->sync());
        const auto point = m_engine->headPoint(m_main);
        REQUIRE(point);
        const auto forgotten = m_engine->createBranch(caller, {"forgotten", m_main.id, *point, {}});
        REQUIRE(forgotten);
        Collector collector(*m_engine, options());
        for (int day = 0; day < 30; ++day) {
            for (BlockNumber block = 0; block < 2; ++block) // main overwrites two pages a day
                REQUIRE(m_view->write(m_file, (std::uint64_t(day) * 2 + block) * blockSize,
                                      bytesOf(pageOf(static_cast<std::uint64_t>(day * 2) + block)), 1));
            m_logs.append(m_main.timeline, logOfAWrite);
            REQUIRE(m_view->sync());
            m_clock.advance({24 * 3'600'000'000});
            REQUIRE(collect());
            const auto accounts = collector.plan();
            REQUIRE(accounts);
            const Sample sample = sampleOf(accounts->plan, m_clock.now());
            QCOMPARE(sample.diskBytes(), accounts->plan.totalBytes);
            REQUIRE(addSample(m_engine->store(), sample));
        }
        const auto month = samplesBetween(m_engine->store().index(), {}, m_clock.now(), 0);
        REQUIRE(month);
        QCOMPARE(month->size(), std::size_t{30});
        for (std::size_t i = 2; i < month->size(); ++i) // what main wrote over a day ago is in its own window
            QVERIFY((*month)[i].pinnedBytes > (*month)[i - 1].pinnedBytes);
        QVERIFY(forecast(*month, 0).bytesPerSecond > 0);

        const auto before = collector.plan();
        REQUIRE(before);
        const std::uint64_t only = before->plan.owners.at(forgotten->id).onlyBytes;
        QVERIFY(only >= month->back().pinnedBytes);
        const auto without = collector.plan({{forgotten->id}, {}, false, {}, {}});
        REQUIRE(without);
        QVERIFY(without->plan.freeBytes > 0);
        REQUIRE(m_engine->operate(caller, [&](Catalog& catalog, Timestamp now) {
            return catalog.deleteBranch(forgotten->id, now);
        }));
        REQUIRE(m_engine->keepBook(
            [&](Catalog& catalog, Timestamp) { return catalog.purgeTrash(catalog.trash().front()->id); }));
        const auto outcome = collector.run();
        REQUIRE(outcome);
        QCOMPARE(outcome->freedBytes, without->plan.freeBytes);
        const auto after = collector.plan();
        REQUIRE(after);
        QCOMPARE(sampleOf(after->plan, m_clock.now()).pinnedBytes, std::uint64_t{0});
    }

    void samplesThinOutWithAgeAndAForecastSeesTheDiskFull() {
        Sample sample;
        sample.at = m_clock.now();
        constexpr int minutes = 3 * 24 * 60;
        constexpr std::uint64_t growth = 1u << 20; // a minute
        for (int i = 0; i < minutes; ++i) {
            sample.at = sample.at + Duration{60'000'000};
            sample.liveBytes += growth;
            sample.freeBytes = 10ull << 30;
            REQUIRE(addSample(m_engine->store(), sample));
        }
        const Index& index = m_engine->store().index();
        const auto all = samplesBetween(index, {}, sample.at, 0);
        REQUIRE(all);
        QVERIFY(all->size() <= 24 * 60 + 2 * 24 + 2);
        QVERIFY(all->size() >= 24 * 60 + 2 * 24 - 2);
        QVERIFY(samplesBetween(index, {}, sample.at, 100)->size() <= 100);
        const Forecast ahead = forecast(*all, 0);
        QVERIFY(std::abs(ahead.bytesPerSecond * 60 - static_cast<double>(growth)) < 1);
        const double minutesLeft = static_cast<double>((ahead.fullAt - sample.at).micros) / 60e6;
        QVERIFY(std::abs(minutesLeft - static_cast<double>(10ull << 30) / growth) < 1);
    }
};

QTEST_GUILESS_MAIN(CollectorTest)
#include "collector_test.moc"
