// Sweeps: what is predicted is freed, every pinned position reads on as before, whatever happens meanwhile.
#include "gc_support.h"

#include "storage/disk/posix_disk.h"
#include "storage/disk/simulated_disk.h"
#include "storage/gc/sweeper.h"

#include <QTest>

using namespace arbor;
using namespace arbor::gctest;

namespace {

int rounds(int standard) {
    return qEnvironmentVariableIsSet("ARBOR_FULL") ? standard * 10 : standard;
}

class TestHost final : public SweepHost {
  public:
    explicit TestHost(TestStore& store) : m_store(store) {}
    Status sync() override {
        if (onSync)
            onSync();
        return m_store.segments().sync();
    }
    Status commit(IndexBatch& batch) override {
        ++commits;
        return m_store.commit(batch);
    }
    void repoint(InodeId inode, std::span<const PageVersion> moves) override {
        if (onRepoint)
            onRepoint(inode, moves);
    }
    bool isHeld(SegmentId segment) const override { return held.contains(segment); }
    bool isCancelled() const override { return commits >= cancelAfter; }
    Result<std::uint64_t> freeBytes() override { return m_store.disk().freeBytes("/store"); }
    Status spendReserve() override {
        ++reserveSpent;
        return reserve ? reserve() : Status();
    }
    Status restoreReserve() override { return {}; }

    std::function<void()> onSync;
    std::function<void(InodeId, std::span<const PageVersion>)> onRepoint;
    std::function<Status()> reserve;
    std::set<SegmentId> held;
    int commits = 0;
    int cancelAfter = INT_MAX;
    int reserveSpent = 0;

  private:
    TestStore& m_store;
};

Sweeper::Options smallSteps() {
    Sweeper::Options options;
    options.segmentBytes = TestStore::segmentBytes;
    options.moveBytes = 4000;
    options.batchBytes = 300;
    options.groupsAStep = 2;
    options.roundBytes = 40000;
    options.marginBytes = 0;
    return options;
}

Status runSweep(Sweeper& sweeper) {
    for (;;) {
        ARBOR_ASSIGN(const bool more, sweeper.step());
        if (!more)
            return {};
    }
}

std::uint64_t randomSeed() {
    const auto seed = qEnvironmentVariableIsSet("ARBOR_SEED")
                          ? qEnvironmentVariable("ARBOR_SEED").toULongLong()
                          : static_cast<std::uint64_t>(QDateTime::currentMSecsSinceEpoch());
    qInfo("seed %llu", static_cast<unsigned long long>(seed));
    return seed;
}

} // namespace

class GcSweepTest : public QObject {
    Q_OBJECT
  private slots:
    void aSweepFreesWhatThePlanPredictsAndChangesNothingThatIsPinned() {
        const std::uint64_t seed = randomSeed();
        std::uint64_t freed = 0, moved = 0, entries = 0;
        for (int round = 0; round < rounds(15); ++round) {
            SimulatedDisk disk(seed + round);
            TestStore store(disk, "/store");
            must(store.open());
            History history(store, seed + round);
            history.grow(100 + static_cast<int>(history.upTo(300)));
            const GcInput input = history.randomInput();
            const auto before = history.picturesThrough(store, input);
            const GcPlan plan = must(planGc(store.index(), store.segments().segments(), input));
            must(store.segments().sync());
            const std::uint64_t bytesBefore = store.segmentFileBytes();

            TestHost host(store);
            Sweeper sweeper(store.index(), store.segments(), host, input, smallSteps());
            must(runSweep(sweeper));
            QVERIFY(sweeper.report().problems.empty());
            QCOMPARE(bytesBefore - store.segmentFileBytes(), plan.freeBytes);
            QCOMPARE(sweeper.report().freedBytes(), plan.freeBytes);
            QVERIFY(history.picturesThrough(store, input) == before);
            freed += plan.freeBytes;
            moved += sweeper.report().movedBytes;
            entries += sweeper.report().entriesRemoved;

            const GcPlan after = must(planGc(store.index(), store.segments().segments(), input));
            QCOMPARE(after.index.garbage, std::uint64_t{0});
            QCOMPARE(after.freeBytes, std::uint64_t{0});
            QCOMPARE(after.privateBytes, plan.privateBytes);
            QCOMPARE(after.sharedBytes, plan.sharedBytes);
            QCOMPARE(after.historyBytes, plan.historyBytes);
            QCOMPARE(after.totalBytes, plan.totalBytes - plan.freeBytes);

            // the store goes on from there, also after a reopen
            store.close();
            must(store.open());
            QVERIFY(history.picturesThrough(store, input) == before);
        }
        QVERIFY(freed > 0 && moved > 0 && entries > 0);
    }

    void withoutPinsNothingStays() {
        SimulatedDisk disk(1);
        TestStore store(disk, "/store");
        must(store.open());
        History history(store, 5);
        history.grow(300);
        GcInput input;
        TestHost host(store);
        // a timeline that may have been made since the input was taken is not gone
        QCOMPARE(must(planGc(store.index(), store.segments().segments(), input)).garbageBytes,
                 std::uint64_t{0});
        input.firstUnseen = {100};
        Sweeper all(store.index(), store.segments(), host, input, smallSteps());
        must(runSweep(all));
        QCOMPARE(store.segmentFileBytes(), std::uint64_t{0});
        const auto at = store.index().iterate();
        at->seek("");
        QVERIFY(at->valid());
        QCOMPARE(at->key(), std::string_view("M"));
    }

    void aCrashAtAnyOperationOfASweepLosesNothing() {
        const std::uint64_t seed = randomSeed();
        SimulatedDisk disk(seed);
        GcInput input;
        std::map<std::pair<TimelineId, Position>, std::string> before;
        TestStore store(disk, "/store");
        must(store.open());
        History history(store, seed);
        history.grow(250);
        do
            input = history.randomInput();
        while (must(planGc(store.index(), store.segments().segments(), input)).freeBytes == 0);
        before = history.picturesThrough(store, input);
        store.close();

        int crashes = 0;
        for (std::uint64_t cut = 1;; ++cut) {
            const auto copy = disk.clone(seed + cut);
            // the history looks into this store from here on
            TestStore swept(*copy, "/store");
            must(swept.open());
            bool isDone = false;
            {
                TestHost host(swept);
                Sweeper sweeper(swept.index(), swept.segments(), host, input, smallSteps());
                copy->setCutAfter(cut);
                isDone = runSweep(sweeper).has_value() && !copy->isCut();
            }
            swept.close();
            copy->crash();
            must(swept.open());
            QVERIFY2(history.picturesThrough(swept, input) == before, qPrintable(QString::number(cut)));
            // and the next sweep does the rest
            TestHost host(swept);
            Sweeper again(swept.index(), swept.segments(), host, input, smallSteps());
            must(runSweep(again));
            QVERIFY(history.picturesThrough(swept, input) == before);
            const GcPlan plan = must(planGc(swept.index(), swept.segments().segments(), input));
            QCOMPARE(plan.freeBytes, std::uint64_t{0});
            QCOMPARE(plan.index.garbage, std::uint64_t{0});
            ++crashes;
            if (isDone)
                break;
        }
        qInfo("%d crashes", crashes);
        QVERIFY(crashes > 10);
    }

    void aSweepThatIsGivenUpLeavesTheRestForTheNext() {
        const std::uint64_t seed = randomSeed();
        for (int commits = 1; commits < 20; ++commits) {
            SimulatedDisk disk(seed);
            TestStore store(disk, "/store");
            must(store.open());
            History history(store, seed);
            history.grow(250);
            const GcInput input = history.randomInput();
            const auto before = history.picturesThrough(store, input);
            TestHost host(store);
            host.cancelAfter = commits;
            Sweeper sweeper(store.index(), store.segments(), host, input, smallSteps());
            must(runSweep(sweeper));
            QVERIFY(history.picturesThrough(store, input) == before);
            host.cancelAfter = INT_MAX;
            const GcPlan plan = must(planGc(store.index(), store.segments().segments(), input));
            Sweeper again(store.index(), store.segments(), host, input, smallSteps());
            must(runSweep(again));
            QCOMPARE(again.report().freedBytes(), plan.freeBytes);
            QVERIFY(history.picturesThrough(store, input) == before);
        }
    }

    void writesAndForksDuringASweepAreSafe() {
        const std::uint64_t seed = randomSeed();
        for (int round = 0; round < rounds(10); ++round) {
            SimulatedDisk disk(seed + round);
            TestStore store(disk, "/store");
            must(store.open());
            History history(store, seed + round);
            history.grow(200);
            GcInput input = history.randomInput();
            // every live timeline has a window, as the input's contract asks
            for (const auto& timeline : history.timelines())
                input.pins.push_back(
                    GcPin::window("w", BranchId{timeline.id.value + 100}, timeline.id, store.position));
            const auto before = history.picturesThrough(store, input);
            TestHost host(store);
            host.onSync = [&] { history.sync(); };
            Sweeper sweeper(store.index(), store.segments(), host, input, smallSteps());
            const Position begun = store.position;
            while (must(sweeper.step()))
                history.growAfter(begun, 2);
            history.sync();
            QVERIFY(sweeper.report().problems.empty());
            for (const auto& [place, picture] : before)
                if (place.second <= begun)
                    QCOMPARE(history.picture(place.first, place.second), picture);
            QVERIFY(history.headsAreAsWritten());
        }
    }

    void everyMoveIsToldAndLeadsToTheSameImage() {
        SimulatedDisk disk(3);
        TestStore store(disk, "/store");
        must(store.open());
        History history(store, 11);
        history.grow(400);
        GcInput input;
        for (const auto& timeline : history.timelines())
            input.timelines.push_back({timeline.id, timeline.parent, timeline.fork});
        input.firstUnseen = {100};
        input.pins = {GcPin::head("main", {1}, {1})};
        TestHost host(store);
        std::uint64_t told = 0;
        host.onRepoint = [&](InodeId inode, std::span<const PageVersion> moves) {
            for (const PageVersion& move : moves) {
                std::array<std::byte, blockSize> page;
                must(store.segments().read(move.location, inode, move.block, move.position, page));
                told += move.location.bytes();
            }
        };
        Sweeper sweeper(store.index(), store.segments(), host, input, smallSteps());
        must(runSweep(sweeper));
        QVERIFY(told > 0);
        QCOMPARE(told, sweeper.report().movedBytes);
    }

    void aDamagedImageKeepsItsSegment() {
        SimulatedDisk disk(3);
        TestStore store(disk, "/store");
        must(store.open());
        History history(store, 11);
        history.grow(400);
        store.close();
        must(store.open());
        GcInput input;
        for (const auto& timeline : history.timelines())
            input.timelines.push_back({timeline.id, timeline.parent, timeline.fork});
        input.firstUnseen = {100};
        input.pins = {GcPin::head("main", {1}, {1})};
        const GcPlan plan = must(planGc(store.index(), store.segments().segments(), input));
        SegmentId damaged;
        for (const SegmentId victim : plan.victims)
            if (plan.segments.at(victim).liveBytes > 0)
                damaged = victim;
        QVERIFY(damaged);
        const std::string path = store.segments().pathOf(damaged);
        const std::uint64_t size = plan.segments.at(damaged).size;
        for (std::uint64_t at = 45; at < size; at += 32)
            disk.corrupt(path, at, 0x55);
        TestHost host(store);
        Sweeper sweeper(store.index(), store.segments(), host, input, smallSteps());
        must(runSweep(sweeper));
        QCOMPARE(sweeper.report().problems.size(), std::size_t{1});
        QVERIFY(disk.info(path).has_value());
        QCOMPARE(sweeper.report().removed.size(), plan.victims.size() - 1);
    }

    void aDoubtAboutTheIndexKeepsAllSegments() {
        SimulatedDisk disk(3);
        TestStore store(disk, "/store");
        must(store.open());
        History history(store, 11);
        history.grow(400);
        const auto at = store.index().iterate();
        at->seek(std::string(1, tag::pageRun));
        IndexBatch damage;
        damage.put(at->key(), "\xFF");
        must(store.commit(damage));
        GcInput input;
        input.firstUnseen = {100};
        TestHost host(store);
        Sweeper sweeper(store.index(), store.segments(), host, input, smallSteps());
        must(runSweep(sweeper));
        QVERIFY(sweeper.report().removed.empty());
        QVERIFY(!sweeper.report().problems.empty());
    }

    void heldSegmentsStay() {
        SimulatedDisk disk(3);
        TestStore store(disk, "/store");
        must(store.open());
        History history(store, 11);
        history.grow(400);
        GcInput input;
        input.firstUnseen = {100};
        input.heldSegments = {{1}};
        TestHost host(store);
        host.held = {{2}};
        Sweeper sweeper(store.index(), store.segments(), host, input, smallSteps());
        must(runSweep(sweeper));
        const auto left = store.segments().segments();
        QVERIFY(left.contains({1}) && left.contains({2}));
        QCOMPARE(left.size(), std::size_t{2});
    }

    void aSweepWorksOnAFullDisk() {
        const std::uint64_t seed = randomSeed();
        for (int round = 0; round < rounds(10); ++round) {
            SimulatedDisk disk(seed + round);
            TestStore store(disk, "/store");
            must(store.open());
            History history(store, seed + round);
            history.grow(400);
            must(disk.createAppend("/reserve", 2 * TestStore::segmentBytes));
            const GcInput input = history.randomInput();
            const auto before = history.picturesThrough(store, input);
            const GcPlan plan = must(planGc(store.index(), store.segments().segments(), input));
            const std::uint64_t total = must(disk.totalBytes("/"));
            const std::uint64_t free = must(disk.freeBytes("/"));
            disk.setCapacity(total - free);
            QCOMPARE(must(disk.freeBytes("/")), std::uint64_t{0});
            TestHost host(store);
            host.reserve = [&] { return disk.unlink("/reserve"); };
            auto options = smallSteps();
            options.marginBytes = TestStore::segmentBytes / 2;
            Sweeper sweeper(store.index(), store.segments(), host, input, options);
            must(runSweep(sweeper));
            QVERIFY(history.picturesThrough(store, input) == before);
            QVERIFY(!sweeper.report().outOfSpace);
            QCOMPARE(sweeper.report().freedBytes(), plan.freeBytes);
        }
    }
};

QTEST_GUILESS_MAIN(GcSweepTest)
#include "gc_sweep_test.moc"
