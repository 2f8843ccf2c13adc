// What a collection goes by, made from a catalog and its pins.
#include "storage/gc/gc_input.h"
#include "tests/unit/timelines_fixture.h"

#include <algorithm>

using namespace arbor;
using namespace arbor::test;

namespace {

constexpr Position now{100'000};

std::vector<GcPin> pinsOf(const GcInput& input, PinKind kind, TimelineId timeline) {
    std::vector<GcPin> found;
    std::copy_if(input.pins.begin(), input.pins.end(), std::back_inserter(found),
                 [&](const GcPin& pin) { return pin.kind == kind && pin.timeline == timeline; });
    return found;
}

std::vector<Pin> pinsWithoutWindows(const Catalog& catalog) {
    return staticPins(catalog, [](const BranchRecord&) { return std::nullopt; });
}

} // namespace

class GcInputTest : public QObject {
    Q_OBJECT
  private slots:
    void aBranchWithoutHistoryIsReadableFromNowOn() {
        CatalogStore store;
        store.makeRoot("main");
        const TimelineId main = store.id("main").timeline;
        const GcInput input = makeGcInput(store.catalog, pinsWithoutWindows(store.catalog), now);
        const auto windows = pinsOf(input, PinKind::Window, main);
        QCOMPARE(windows.size(), std::size_t{1});
        QCOMPARE(windows[0].from, now);
        QCOMPARE(windows[0].to, maxPosition);
        QVERIFY(windows[0].owner == store.idOf("main"));
        QCOMPARE(pinsOf(input, PinKind::Head, main).size(), std::size_t{1});
    }

    void thePiecesOfAWindowBecomeOnePinThatBeginsEarliest() {
        CatalogStore store;
        store.makeRoot("main");
        const Position early = store.write("main").position;
        store.write("main");
        store.makeBranch("dev", "main");
        store.write("dev");
        const auto pins = staticPins(store.catalog, [&](const BranchRecord& branch) {
            return branch.name == "dev" ? std::optional(early) : std::nullopt;
        });
        QVERIFY(std::count_if(pins.begin(), pins.end(),
                              [](const Pin& pin) { return pin.kind == PinKind::Window; }) > 1);
        const GcInput input = makeGcInput(store.catalog, pins, now);
        const auto windows = pinsOf(input, PinKind::Window, store.id("dev").timeline);
        QCOMPARE(windows.size(), std::size_t{1});
        QCOMPARE(windows[0].from, early);
        QCOMPARE(windows[0].to, maxPosition);
        // main's own begins now: what dev needs of it follows from dev's
        QCOMPARE(pinsOf(input, PinKind::Window, store.id("main").timeline).at(0).from, now);
    }

    void aWindowThatBeginsInTheFutureBeginsNow() {
        CatalogStore store;
        store.makeRoot("main");
        const auto pins =
            staticPins(store.catalog, [](const BranchRecord&) { return Position{now.value + 1}; });
        const GcInput input = makeGcInput(store.catalog, pins, now);
        QCOMPARE(pinsOf(input, PinKind::Window, store.id("main").timeline).at(0).from, now);
    }

    void timelinesAreListedWithTheirForksAndTheNextIsUnseen() {
        CatalogStore store;
        store.makeRoot("main");
        store.makeBranch("dev", "main");
        store.makeBranch("leaf", "dev");
        store.remove("dev"); // lives on as the ancestor of leaf
        const TimelineId main = store.id("main").timeline, leaf = store.id("leaf").timeline;
        const GcInput input = makeGcInput(store.catalog, pinsWithoutWindows(store.catalog), now);
        QCOMPARE(input.timelines.size(), std::size_t{3});
        for (const GcTimeline& timeline : input.timelines) {
            const TimelineRecord* record = store.catalog.findTimeline(timeline.id);
            QVERIFY(record != nullptr);
            QCOMPARE(timeline.parent, record->parent);
            QCOMPARE(timeline.fork, record->fork.position);
            QVERIFY(timeline.id < input.firstUnseen);
        }
        QVERIFY(main < leaf);
        QVERIFY(store.makeBranch("later", "main").timeline >= input.firstUnseen);
    }

    void aForkPointIsKeptForTheBranchThatLeftThere() {
        CatalogStore store;
        store.makeRoot("main");
        store.makeBranch("dev", "main");
        store.write("dev");
        store.write("main");
        store.makeBranch("gone", "main");
        const TimelineId main = store.id("main").timeline;
        const Position devs = store.catalog.branchPoint(store.id("dev").timeline)->at.position;
        store.remove("gone");
        const GcInput input = makeGcInput(store.catalog, pinsWithoutWindows(store.catalog), now);
        const auto pins = pinsOf(input, PinKind::Child, main);
        QCOMPARE(pins.size(), std::size_t{2});
        QVERIFY(pins[0].owner == store.idOf("dev"));
        QVERIFY(pins[0].from == devs && pins[0].to == devs);
        QVERIFY(pins[1].owner == GcPin::trash);
        store.restore("main", store.head("main")); // goes on along its line
        QCOMPARE(
            pinsOf(makeGcInput(store.catalog, pinsWithoutWindows(store.catalog), now), PinKind::Child, main)
                .size(),
            std::size_t{2});
    }

    void whatTheTrashKeepsBelongsToTheTrashAndIsReadableFromNowOn() {
        CatalogStore store;
        store.makeRoot("main");
        store.makeBranch("dev", "main");
        store.write("dev");
        const TimelineId trashed = store.id("dev").timeline;
        store.remove("dev");
        store.makeBranch("dev", "main"); // of the same name, and not its owner
        const GcInput input = makeGcInput(store.catalog, pinsWithoutWindows(store.catalog), now);
        const auto pins = pinsOf(input, PinKind::Trash, trashed);
        QCOMPARE(pins.size(), std::size_t{1});
        QVERIFY(pins[0].owner == GcPin::trash);
        QVERIFY(pins[0].from <= now);
        QVERIFY(pins[0].to >= now);
    }

    void checkpointsBelongToTheirBranchAndReadersToNobody() {
        CatalogStore store;
        store.makeRoot("main");
        store.makeCheckpoint("main", "one");
        const TimelinePoint point = store.head("main");
        std::vector<Pin> pins = pinsWithoutWindows(store.catalog);
        pins.push_back(
            {PinKind::Reader, point.timeline, point.at.position, point.at, "peek at main", "main"});
        const GcInput input = makeGcInput(store.catalog, pins, now);
        const auto checkpoint = pinsOf(input, PinKind::Checkpoint, point.timeline);
        QCOMPARE(checkpoint.size(), std::size_t{1});
        QVERIFY(checkpoint[0].owner == store.idOf("main"));
        QCOMPARE(checkpoint[0].from, point.at.position);
        QCOMPARE(checkpoint[0].to, point.at.position);
        const auto reader = pinsOf(input, PinKind::Reader, point.timeline);
        QCOMPARE(reader.size(), std::size_t{1});
        QVERIFY(reader[0].owner == BranchId());
        QCOMPARE(reader[0].from, point.at.position);
    }

    void allOfATimelineThatIsBeingMadeStays() {
        CatalogStore store;
        store.makeRoot("main");
        const TimelineId main = store.id("main").timeline;
        const TimelineId made{main.value + 5};
        const GcInput input = makeGcInput(store.catalog, pinsWithoutWindows(store.catalog), now,
                                          std::vector<TimelineId>{made, main});
        const auto pins = pinsOf(input, PinKind::Reader, made);
        QCOMPARE(pins.size(), std::size_t{1});
        QCOMPARE(pins[0].from, Position{});
        QCOMPARE(pins[0].to, maxPosition);
        // main is known by now
        QVERIFY(pinsOf(input, PinKind::Reader, main).empty());
        QCOMPARE(std::count_if(input.timelines.begin(), input.timelines.end(),
                               [&](const GcTimeline& timeline) { return timeline.id == main; }),
                 1);
    }
};

QTEST_GUILESS_MAIN(GcInputTest)
#include "gc_input_test.moc"
