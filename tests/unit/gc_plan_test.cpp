// The plan of a collection against a reference that looks everything up.
#include "gc_support.h"

#include "storage/disk/posix_disk.h"
#include "storage/disk/simulated_disk.h"
#include "storage/gc/planner.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

using namespace arbor;
using namespace arbor::gctest;

namespace {

int rounds(int standard) {
    return qEnvironmentVariableIsSet("ARBOR_FULL") ? standard * 10 : standard;
}

// By whom each version is needed, found by reading every pinned position.
std::vector<std::set<std::size_t>> readersOf(const History& history, const GcInput& input) {
    std::vector<std::set<std::size_t>> readers(history.versions().size());
    const auto blocks = history.blocks();
    for (std::size_t pin = 0; pin < input.pins.size(); ++pin)
        for (const auto& [timeline, at] : history.positionsOf(input.pins[pin]))
            for (const auto& [inode, block] : blocks)
                if (const auto version = history.visible(timeline, at, inode, block))
                    readers[*version].insert(pin);
    return readers;
}

struct Expected {
    std::uint64_t privateBytes = 0, sharedBytes = 0, historyBytes = 0, neededBytes = 0;
    std::map<std::size_t, std::uint64_t> pinOnly, headPrivate;
    std::map<BranchId, std::uint64_t> ownerOnly;
};

Expected accountOf(const History& history, const GcInput& input) {
    Expected expected;
    const auto readers = readersOf(history, input);
    for (std::size_t i = 0; i < readers.size(); ++i) {
        const std::uint64_t bytes = history.versions()[i].bytes;
        if (readers[i].empty())
            continue;
        expected.neededBytes += bytes;
        std::set<std::size_t> heads;
        std::set<std::pair<BranchId, std::size_t>> owners;
        for (const std::size_t pin : readers[i]) {
            if (input.pins[pin].kind == PinKind::Head)
                heads.insert(pin);
            const BranchId owner = input.pins[pin].owner;
            owners.insert({owner, owner ? 0 : pin});
        }
        (heads.empty()       ? expected.historyBytes
         : heads.size() == 1 ? expected.privateBytes
                             : expected.sharedBytes) += bytes;
        if (heads.size() == 1)
            expected.headPrivate[*heads.begin()] += bytes;
        if (readers[i].size() == 1)
            expected.pinOnly[*readers[i].begin()] += bytes;
        if (owners.size() == 1 && owners.begin()->first)
            expected.ownerOnly[owners.begin()->first] += bytes;
    }
    return expected;
}

} // namespace

class GcPlanTest : public QObject {
    Q_OBJECT
  private slots:
    void planEqualsWhatReadersOfEveryPinnedPositionSee() {
        const std::uint64_t seed = QDateTime::currentMSecsSinceEpoch();
        qInfo("seed %llu", static_cast<unsigned long long>(seed));
        for (int round = 0; round < rounds(25); ++round) {
            SimulatedDisk disk(seed + round);
            TestStore store(disk, "/store");
            must(store.open());
            History history(store, seed + round);
            history.grow(60 + static_cast<int>(history.upTo(200)));
            const GcInput input = history.randomInput();
            const GcPlan plan = must(planGc(store.index(), store.segments().segments(), input));
            const Expected expected = accountOf(history, input);
            QVERIFY(plan.doubts.empty());
            QCOMPARE(plan.privateBytes, expected.privateBytes);
            QCOMPARE(plan.sharedBytes, expected.sharedBytes);
            QCOMPARE(plan.historyBytes, expected.historyBytes);
            for (std::size_t i = 0; i < plan.pins.size(); ++i) {
                const auto only = expected.pinOnly.find(i);
                QCOMPARE(plan.pins[i].onlyBytes, only == expected.pinOnly.end() ? 0 : only->second);
                const auto head = expected.headPrivate.find(i);
                QCOMPARE(plan.pins[i].privateBytes, head == expected.headPrivate.end() ? 0 : head->second);
            }
            for (const auto& [owner, use] : plan.owners) {
                const auto only = expected.ownerOnly.find(owner);
                QCOMPARE(use.onlyBytes, only == expected.ownerOnly.end() ? 0 : only->second);
            }
            QCOMPARE(plan.privateBytes + plan.sharedBytes + plan.historyBytes + plan.garbageBytes,
                     plan.totalBytes);
            must(store.segments().sync());
            QCOMPARE(plan.totalBytes, store.segmentFileBytes());
        }
    }

    void whatDeletingABranchFreesIsWhatThePlanWithoutItSays() {
        const std::uint64_t seed = QDateTime::currentMSecsSinceEpoch();
        qInfo("seed %llu", static_cast<unsigned long long>(seed));
        for (int round = 0; round < rounds(20); ++round) {
            SimulatedDisk disk(seed + round);
            TestStore store(disk, "/store");
            must(store.open());
            History history(store, seed + round);
            history.grow(150);
            const GcInput input = history.randomInput();
            const GcPlan plan = must(planGc(store.index(), store.segments().segments(), input));
            for (const auto& [owner, use] : plan.owners) {
                GcInput without = input;
                std::erase_if(without.pins, [&](const GcPin& pin) { return pin.owner == owner; });
                const GcPlan after = must(planGc(store.index(), store.segments().segments(), without));
                QCOMPARE(after.garbageBytes - plan.garbageBytes, use.onlyBytes);
            }
        }
    }

    void aParentDoesNotKeepWhatItsChildrenHaveOverwritten() {
        SimulatedDisk disk(1);
        TestStore store(disk, "/store");
        must(store.open());
        History history(store, 1);
        history.create({1}, "f");
        history.write({1}, "f", 0);
        const Position fork = store.position;
        const TimelineId child = history.addTimeline({1}, fork);
        history.write({1}, "f", 0);
        history.write(child, "f", 0);
        history.sync();
        GcInput input;
        input.timelines = {{{1}, {}, {}}, {child, {1}, fork}};
        input.pins = {GcPin::head("main", {1}, {1}), GcPin::head("dev", {2}, child)};
        const GcPlan plan = must(planGc(store.index(), store.segments().segments(), input));
        const auto readers = readersOf(history, input);
        QVERIFY(readers[0].empty());
        QCOMPARE(plan.garbageBytes, std::uint64_t{history.versions()[0].bytes});
        QCOMPARE(plan.sharedBytes, std::uint64_t{0});
        // a window on the child that begins at its fork still reads it
        input.pins.push_back(GcPin::window("dev", {2}, child, fork));
        const GcPlan kept = must(planGc(store.index(), store.segments().segments(), input));
        QCOMPARE(kept.historyBytes, std::uint64_t{history.versions()[0].bytes});
        QCOMPARE(kept.pins[2].onlyBytes, std::uint64_t{history.versions()[0].bytes});
    }

    void unknownTimelinesAreGarbageAndNewOnesStay() {
        SimulatedDisk disk(1);
        TestStore store(disk, "/store");
        must(store.open());
        History history(store, 1);
        history.create({1}, "f");
        history.write({1}, "f", 0);
        const TimelineId child = history.addTimeline({1}, store.position);
        history.write(child, "f", 1);
        history.sync();
        GcInput input;
        input.timelines = {{{1}, {}, {}}};
        input.pins = {GcPin::head("main", {1}, {1})};
        input.firstUnseen = {3};
        const auto segments = store.segments().segments();
        QCOMPARE(must(planGc(store.index(), segments, input)).garbageBytes,
                 std::uint64_t{history.versions()[1].bytes});
        input.firstUnseen = {2};
        const GcPlan plan = must(planGc(store.index(), segments, input));
        QCOMPARE(plan.garbageBytes, std::uint64_t{0});
        QCOMPARE(plan.historyBytes, std::uint64_t{history.versions()[1].bytes});
    }

    // 10 GB of pages, each a second version for one in eight, on a line of 64 forks.
    void aPlanOfAMillionPagesStreams() {
        QTemporaryDir directory;
        PosixDisk disk;
        TestStore store(disk, directory.path().toStdString() + "/store");
        must(store.open());
        constexpr std::uint64_t forks = 64, files = 10, chunks = 128;
        std::map<SegmentId, std::uint64_t> segments;
        std::uint64_t position = 0, offset = 0, all = 0;
        constexpr std::uint32_t units = 60, segmentUnits = 1u << 20;
        const auto run = [&](std::vector<BlockNumber> blocks) {
            std::vector<PageVersion> versions;
            for (const BlockNumber block : blocks) {
                const SegmentId segment{1 + offset / segmentUnits};
                segments[segment] += units * ImageLocation::unitBytes;
                versions.push_back({block,
                                    {++position},
                                    {segment, static_cast<std::uint32_t>(offset % segmentUnits), units}});
                offset += units;
                if (segmentUnits - offset % segmentUnits < units)
                    offset += segmentUnits - offset % segmentUnits;
            }
            all += versions.size() * units * ImageLocation::unitBytes;
            return versions;
        };
        GcInput input;
        for (std::uint64_t t = 1; t <= forks; ++t) {
            input.timelines.push_back({{t}, {t - 1}, {position}});
            IndexBatch batch;
            for (std::uint64_t file = 1; file <= files; ++file)
                for (std::uint32_t chunk = 0; chunk < chunks; ++chunk) {
                    std::vector<BlockNumber> blocks;
                    if (t == 1)
                        for (BlockNumber i = 0; i < blocksPerChunk; ++i)
                            blocks.push_back(chunk * blocksPerChunk + i);
                    else if (chunk % forks == t % forks)
                        for (BlockNumber i = 0; i < blocksPerChunk; i += 8)
                            blocks.push_back(chunk * blocksPerChunk + i);
                    else
                        continue;
                    const auto versions = run(blocks);
                    batch.put(versionKey(pageRunPrefix({file}, chunk), {t}, versions.front().position),
                              encodePageRun(versions));
                }
            must(store.commit(batch));
        }
        input.firstUnseen = {forks + 1};
        for (std::uint64_t t = 1; t <= forks; ++t)
            input.pins.push_back(GcPin::head(fmt::format("b{}", t), {t}, {t}));
        QElapsedTimer timer;
        timer.start();
        const GcPlan plan = must(planGc(store.index(), segments, input));
        qInfo("%llu versions planned in %lld ms", static_cast<unsigned long long>(plan.index.entries),
              static_cast<long long>(timer.elapsed()));
        QVERIFY(plan.doubts.empty());
        // every head is live, so the version that a fork overwrites is its parent's own
        QCOMPARE(plan.privateBytes + plan.sharedBytes, all);
        QCOMPARE(plan.totalBytes, all);
        QVERIFY(plan.index.entries > 1'300'000);
    }

    void inputThatContradictsItselfIsRefused() {
        GcInput input;
        input.timelines = {{{2}, {1}, {5}}};
        QCOMPARE(NeedModel::make(input).error().kind(), ErrorKind::InvalidArgument);
        input.timelines = {{{1}, {}, {}}};
        input.pins = {GcPin::head("main", {1}, {2})};
        QCOMPARE(NeedModel::make(input).error().kind(), ErrorKind::InvalidArgument);
    }

    void unreadableEntriesMakeDoubtsAndFreeNothing() {
        SimulatedDisk disk(1);
        TestStore store(disk, "/store");
        must(store.open());
        History history(store, 7);
        history.grow(200);
        GcInput input;
        input.timelines = {{{1}, {}, {}}};
        input.pins = {GcPin::head("main", {1}, {1})};
        const auto segments = store.segments().segments();
        const GcPlan before = must(planGc(store.index(), segments, input));
        QVERIFY(before.freeBytes > 0);
        for (const char tagByte : {tag::pageRun, tag::cut, tag::sizeRun, tag::attributes, tag::name}) {
            const auto at = store.index().iterate();
            at->seek(std::string(1, tagByte));
            const std::string key(at->key());
            const std::string value(at->value());
            IndexBatch damage;
            damage.put(key, "\xFF");
            must(store.commit(damage));
            const GcPlan plan = must(planGc(store.index(), segments, input));
            QVERIFY(!plan.doubts.empty());
            QCOMPARE(plan.freeBytes, std::uint64_t{0});
            QVERIFY(plan.victims.empty());
            QCOMPARE(plan.privateBytes + plan.sharedBytes + plan.historyBytes + plan.garbageBytes +
                         plan.unknownBytes,
                     plan.totalBytes);
            IndexBatch repair;
            repair.put(key, value);
            must(store.commit(repair));
        }
        QCOMPARE(must(planGc(store.index(), segments, input)).freeBytes, before.freeBytes);
    }
};

QTEST_GUILESS_MAIN(GcPlanTest)
#include "gc_plan_test.moc"
