#include "timelines_fixture.h"

#include "storage/timelines/settings.h"

using namespace arbor;
using namespace arbor::test;

class TimelinesCatalogTest : public QObject {
    Q_OBJECT

    // main with a point before and after, and dev forked from its head
    struct Family : CatalogStore {
        ForkPoint early, late;
        Family() {
            makeRoot("main");
            early = write("main");
            late = write("main");
            makeBranch("dev", "main");
            write("dev");
        }
        TimelinePoint onMain(ForkPoint at) { return {catalog.findBranch("main")->timeline, at}; }
    };

  private slots:
    void namesObeyTheRules() {
        for (const char* good : {"a", "1", "main", "feature/x", "a.b", "a-_./b", "A1"})
            QVERIFY2(checkCatalogName("branch", good), good);
        QVERIFY(checkCatalogName("branch", std::string(63, 'a')));
        for (const char* bad :
             {"", "-a", ".a", "_a", "/a", "a/", "a//b", "a/./b", "a/../b", "a/..", "a b", "ä", "a\n", "a:b"})
            QCOMPARE(kindOf(checkCatalogName("branch", bad)), ErrorKind::InvalidArgument);
        QVERIFY(!checkCatalogName("branch", std::string(64, 'a')));
    }

    void settingsHaveStandardsAndAreChecked() {
        CatalogStore store;
        QCOMPARE(store.catalog.setting("history-time"), std::string("7d"));
        QCOMPARE(store.catalog.sizeSetting("history-bytes"), 20ull << 30);
        QCOMPARE(store.catalog.durationSetting("trash-time").micros, Duration::days(7).micros);
        QCOMPARE(store.catalog.sizeSetting("disk-limit"), 0ull);
        QCOMPARE(store.catalog.durationSetting("idle-suspend").micros, 0);
        store.run("settings set", store.catalog.setSetting("history-time", "1d"));
        QCOMPARE(store.catalog.durationSetting("history-time").micros, Duration::days(1).micros);
        QVERIFY(store.catalog.setSetting("history-time", "1d")->empty());
        QCOMPARE(kindOf(store.catalog.setSetting("history-time", "soon")), ErrorKind::InvalidArgument);
        QCOMPARE(kindOf(store.catalog.setSetting("histery", "1d")), ErrorKind::NotFound);
        QCOMPARE(store.reloaded().catalog.setting("history-time"), std::string("1d"));
    }

    void branchSettingsFallBackToTheStore() {
        Family f;
        QCOMPARE(f.catalog.branchSetting(f.id("dev"), "archiving"), std::string("off"));
        f.run("", f.catalog.setBranchSetting(f.idOf("dev"), "archiving", "on"));
        QCOMPARE(f.catalog.branchSetting(f.id("dev"), "archiving"), std::string("on"));
        f.run("", f.catalog.setSetting("idle-suspend", "5m"));
        QCOMPARE(f.catalog.branchSetting(f.id("dev"), "idle-suspend"), std::string("5m"));
        f.run("", f.catalog.setBranchSetting(f.idOf("dev"), "archiving", std::nullopt));
        QCOMPARE(f.catalog.branchSetting(f.id("dev"), "archiving"), std::string("off"));
        QCOMPARE(kindOf(f.catalog.setBranchSetting(f.idOf("dev"), "archiving", "maybe")),
                 ErrorKind::InvalidArgument);
        QCOMPARE(kindOf(f.catalog.setBranchSetting(f.idOf("dev"), "colour", "red")), ErrorKind::NotFound);
    }

    void severalBranchSettingsChangeTogetherOrNotAtAll() {
        Family f;
        const std::vector<std::string> rules{"archiving", "walsenders"};
        f.run("", f.catalog.setBranchSettings(f.idOf("dev"), rules, "on"));
        QCOMPARE(f.catalog.branchSetting(f.id("dev"), "walsenders"), std::string("on"));
        QVERIFY(f.catalog.setBranchSettings(f.idOf("dev"), rules, "on")->empty());
        const std::vector<std::string> wrong{"scheduled-jobs", "colour"};
        QCOMPARE(kindOf(f.catalog.setBranchSettings(f.idOf("dev"), wrong, "on")), ErrorKind::NotFound);
        QCOMPARE(f.catalog.branchSetting(f.id("dev"), "scheduled-jobs"), std::string("off"));
        f.makeBranch("child", "dev");
        QVERIFY(f.id("child").settings.empty()); // a fork is allowed nothing
        f.undo();
        f.undo();
        QVERIFY(f.id("dev").settings.empty());
    }

    void aBranchIsMadeFromAPointOfItsParent() {
        Family f;
        const auto made =
            f.keep(f.catalog.createBranch("old", f.idOf("main"), f.fork(f.onMain(f.early)), {}, f.now));
        const auto* line = f.catalog.findTimeline(made.timeline);
        QCOMPARE(line->parent, f.id("main").timeline);
        QVERIFY(line->fork == f.early);
        QCOMPARE(line->pgMajor, 15u);
        QCOMPARE(line->root, f.id("main").timeline);
        QVERIFY(line->neverStarted && line->parentWasRunning);
        QCOMPARE(f.catalog.parentName(f.id("old")), std::string("main"));
        QCOMPARE(f.catalog.childBranches(f.idOf("main")).size(), std::size_t(2));
        f.keep(f.catalog.markStarted(made.timeline));
        QVERIFY(!f.catalog.findTimeline(made.timeline)->neverStarted);
    }

    void createRefusesWhatItMust() {
        Family f;
        const auto create = [&](std::string_view name, TimelinePoint from, BranchOptions options = {}) {
            return kindOf(f.catalog.createBranch(name, f.idOf("main"), f.fork(from), options, f.now));
        };
        QCOMPARE(create("dev", f.head("main")), ErrorKind::AlreadyExists);
        QCOMPARE(create("no name", f.head("main")), ErrorKind::InvalidArgument);
        QCOMPARE(create("x", f.head("dev")), ErrorKind::Refused);
        QCOMPARE(create("x", {f.id("main").timeline, headPoint}), ErrorKind::InvalidArgument);
        QCOMPARE(create("x", {TimelineId{999}, f.early}), ErrorKind::NotFound);
        QCOMPARE(create("x", f.head("main"), {f.now, 0, {}}), ErrorKind::InvalidArgument);
        QCOMPARE(create("x", f.head("main"), {{}, 0, {{"bad", "on"}}}), ErrorKind::NotFound);
        f.keep(f.catalog.setPort(f.idOf("dev"), 6000));
        QCOMPARE(create("x", f.head("main"), {{}, 6000, {}}), ErrorKind::Refused);
        QCOMPARE(kindOf(f.catalog.setPort(f.idOf("main"), 6000)), ErrorKind::Refused);
        QCOMPARE(kindOf(f.catalog.createBranch("x", BranchId{99}, f.fork(f.head("main")), {}, f.now)),
                 ErrorKind::NotFound);
        QVERIFY(f.catalog.verify().empty());
    }

    void aReservedTimelineBecomesARoot() {
        CatalogStore store;
        const auto reserved = store.keep(store.catalog.reserveTimeline());
        QVERIFY(reserved.timeline);
        QVERIFY(!store.catalog.findTimeline(reserved.timeline));
        const RootSpec spec{"main", reserved.timeline, 15, 16u << 20, InodeId{1}};
        QCOMPARE(store.keep(store.catalog.createRoot(spec, store.now)).timeline, reserved.timeline);
        RootSpec again = spec;
        again.name = "other";
        QCOMPARE(kindOf(store.catalog.createRoot(again, store.now)), ErrorKind::InvalidArgument);
        again.timeline = TimelineId{77};
        QCOMPARE(kindOf(store.catalog.createRoot(again, store.now)), ErrorKind::InvalidArgument);
    }

    void forkPointsAreSaidOfTheTimelineThatOwnsThem() {
        Family f;
        const TimelineId main = f.id("main").timeline;
        const TimelineId dev = f.id("dev").timeline;
        const ForkPoint fork = f.catalog.findTimeline(dev)->fork;
        QCOMPARE(f.catalog.timelineAt(dev, fork.position), main);
        QCOMPARE(f.catalog.timelineAt(dev, {fork.position.value + 1}), dev);
        QCOMPARE(f.catalog.normalise({dev, f.early})->timeline, main);
        QCOMPARE(f.catalog.normalise({dev, fork})->timeline, main);
        // Log was written on dev, but no page yet: its head is its own, although the position is the parent's
        QCOMPARE(f.catalog.normalise({dev, {fork.position, fork.lsn + 8}})->timeline, dev);
        // Pages at the LSN of the fork are its own, too
        QCOMPARE(f.catalog.normalise({dev, {{fork.position.value + 1}, fork.lsn}})->timeline, dev);
        QCOMPARE(kindOf(f.catalog.normalise({dev, {{fork.position.value + 1}, Lsn{1}}})),
                 ErrorKind::InvalidArgument);
        QCOMPARE(kindOf(f.catalog.normalise({dev, {{1}, fork.lsn + 8}})), ErrorKind::InvalidArgument);

        // A restore of dev to before its fork hangs below main, not below dev
        f.restore("dev", {dev, f.early});
        QCOMPARE(f.catalog.findTimeline(f.id("dev").timeline)->parent, main);
        const auto steps = f.catalog.lineage(f.id("dev").timeline);
        QCOMPARE(steps.size(), std::size_t(2));
        QVERIFY(steps[0].upTo == headPoint);
        QVERIFY(steps[1] == (LineageStep{main, f.early}));
        QCOMPARE(firstWrong(f.catalog), QString());
    }

    void restoreKeepsParentPortAndSettings() {
        Family f;
        f.keep(f.catalog.setPort(f.idOf("dev"), 7001));
        f.keep(f.catalog.setShouldRun(f.idOf("dev"), true));
        f.run("", f.catalog.setBranchSetting(f.idOf("dev"), "walsenders", "on"));
        const BranchRecord before = f.id("dev");
        const auto change = f.restore("dev", f.head("dev"));
        BranchRecord after = f.id("dev");
        QVERIFY(after.timeline != before.timeline);
        QCOMPARE(after.timeline, change.timeline);
        after.timeline = before.timeline;
        QVERIFY(after == before);
        const auto* entry = f.catalog.findTrash(change.trash);
        QCOMPARE(entry->branch.name, std::string("dev"));
        QCOMPARE(entry->branch.timeline, before.timeline);
        QVERIFY(entry->reason == TrashReason::Restored);
        QCOMPARE(kindOf(f.catalog.restoreBranch(f.idOf("main"), f.fork(f.head("dev")), f.now)),
                 ErrorKind::Refused);
        QVERIFY(branchMoves(change) ==
                (std::vector<BranchMove>{{before.id, "dev", before.timeline, change.timeline}}));
    }

    void resetGoesToTheParentsHeadAndNeedsAParent() {
        Family f;
        f.write("main");
        const auto change =
            f.run("reset", f.catalog.resetBranch(f.idOf("dev"), f.fork(f.head("main")), f.now));
        QVERIFY(f.catalog.findTimeline(change.timeline)->fork == f.head("main").at);
        QVERIFY(f.catalog.findTrash(change.trash)->reason == TrashReason::Reset);
        QCOMPARE(kindOf(f.catalog.resetBranch(f.idOf("main"), f.fork(f.head("main")), f.now)),
                 ErrorKind::Refused);
        const TimelinePoint mainHead = f.head("main");
        f.remove("main");
        const auto orphan = f.catalog.resetBranch(f.idOf("dev"), f.fork(mainHead), f.now);
        QCOMPARE(kindOf(orphan), ErrorKind::Refused);
        QVERIFY(orphan.error().message().find("(deleted) main") != std::string::npos);
    }

    void protectionRefusesDeleteRestoreResetAndExpiry() {
        Family f;
        const BranchId dev = f.idOf("dev");
        f.run("", f.catalog.setExpiry(dev, f.now + Duration::days(1), f.now));
        f.run("", f.catalog.setProtected(dev, true));
        QVERIFY(!f.id("dev").expiresAt);
        QVERIFY(f.catalog.setProtected(dev, true)->empty());
        QCOMPARE(kindOf(f.catalog.deleteBranch(dev, f.now)), ErrorKind::Refused);
        QCOMPARE(kindOf(f.catalog.deleteBranch(dev, f.now, TrashReason::Expired)), ErrorKind::Refused);
        QCOMPARE(kindOf(f.catalog.restoreBranch(dev, f.fork(f.head("dev")), f.now)), ErrorKind::Refused);
        QCOMPARE(kindOf(f.catalog.resetBranch(dev, f.fork(f.head("main")), f.now)), ErrorKind::Refused);
        QCOMPARE(kindOf(f.catalog.setExpiry(dev, f.now + Duration::days(1), f.now)), ErrorKind::Refused);
        QVERIFY(f.catalog.setExpiry(dev, {}, f.now).has_value());
        f.run("", f.catalog.setProtected(dev, false));
        f.remove("dev");
        QVERIFY(!f.catalog.findBranch("dev"));
    }

    void expiriesComeDueInOrder() {
        Family f;
        f.makeBranch("b", "main");
        f.run("", f.catalog.setExpiry(f.idOf("dev"), f.now + Duration::days(2), f.now));
        f.run("", f.catalog.setExpiry(f.idOf("b"), f.now + Duration::days(1), f.now));
        QVERIFY(f.catalog.dueExpiries(f.now).empty());
        QVERIFY(f.catalog.dueExpiries(f.now + Duration::days(3)) ==
                (std::vector{f.idOf("b"), f.idOf("dev")}));
        f.run("", f.catalog.setExpiry(f.idOf("b"), {}, f.now));
        QVERIFY(f.catalog.dueExpiries(f.now + Duration::days(3)) == std::vector{f.idOf("dev")});
        QCOMPARE(kindOf(f.catalog.setExpiry(f.idOf("b"), f.now, f.now)), ErrorKind::InvalidArgument);
    }

    void renameTakesAFreeName() {
        Family f;
        f.run("", f.catalog.renameBranch(f.idOf("dev"), "dev2"));
        QVERIFY(!f.catalog.findBranch("dev") && f.catalog.findBranch("dev2"));
        QCOMPARE(kindOf(f.catalog.renameBranch(f.idOf("dev2"), "main")), ErrorKind::AlreadyExists);
        QCOMPARE(kindOf(f.catalog.renameBranch(f.idOf("dev2"), "..")), ErrorKind::InvalidArgument);
        QVERIFY(f.catalog.renameBranch(f.idOf("dev2"), "dev2")->empty());
        QCOMPARE(kindOf(f.catalog.branch("dev")), ErrorKind::NotFound);
    }

    void aParentIsDeletedWhileItsChildrenLive() {
        Family f;
        const auto change = f.remove("main");
        QCOMPARE(f.catalog.parentName(f.id("dev")), std::string("(deleted) main"));
        f.keep(f.catalog.purgeTrash(change.trash));
        QCOMPARE(f.catalog.parentName(f.id("dev")), std::string("(deleted) main"));
        QCOMPARE(f.reloaded().catalog.parentName(f.id("dev")), std::string("(deleted) main"));
        QVERIFY(f.catalog.unreachableTimelines().empty()); // dev needs main's timeline
        QCOMPARE(kindOf(f.catalog.removeTimeline(change.timeline)), ErrorKind::Refused);
        QCOMPARE(firstWrong(f.catalog), QString());
        // With the last child the kept name goes, and the timelines, children first
        f.keep(f.catalog.purgeTrash(f.remove("dev").trash));
        QCOMPARE(firstWrong(f.catalog), QString());
        const auto unreachable = f.catalog.unreachableTimelines();
        QCOMPARE(unreachable.size(), std::size_t(2));
        QVERIFY(unreachable[0] > unreachable[1]);
        for (const TimelineId id : unreachable)
            f.keep(f.catalog.removeTimeline(id));
        QCOMPARE(f.catalog.timelineCount(), std::size_t(0));
        int records = 0; // nothing is left but the counters
        for (const auto& [key, value] : f.pairs)
            records += key[0] == 'C';
        QCOMPARE(records, 1);
    }

    void theTrashGivesBackItsNewestEntry() {
        Family f;
        f.remove("dev");
        f.makeBranch("dev", "main");
        const auto second = f.remove("dev");
        QCOMPARE(f.catalog.newestTrash("dev")->id, second.trash);
        QCOMPARE(f.catalog.trash().front()->id, second.trash);
        f.run("trash restore dev", f.catalog.restoreFromTrash(second.trash, f.now));
        QCOMPARE(f.id("dev").timeline, second.timeline);
        QCOMPARE(f.idOf("dev"), second.branch);
        const auto rest = f.catalog.newestTrash("dev");
        const auto taken = f.catalog.restoreFromTrash(rest->id, f.now);
        QCOMPARE(kindOf(taken), ErrorKind::Refused);
        QVERIFY(taken.error().message().find("branch rename dev") != std::string::npos);
        f.run("", f.catalog.restoreFromTrash(rest->id, f.now, "dev-before"));
        QVERIFY(f.catalog.findBranch("dev-before"));
        QCOMPARE(kindOf(f.catalog.newestTrash("dev")), ErrorKind::NotFound);
        QCOMPARE(kindOf(f.catalog.restoreFromTrash(rest->id, f.now)), ErrorKind::NotFound);
        QCOMPARE(kindOf(f.catalog.newestTrash("de")), ErrorKind::NotFound);
        QCOMPARE(firstWrong(f.catalog), QString());
    }

    void anExpiredBranchComesBackWithoutExpiryAndWithoutATakenPort() {
        Family f;
        f.run("", f.catalog.setExpiry(f.idOf("dev"), f.now + Duration::days(1), f.now));
        f.keep(f.catalog.setPort(f.idOf("dev"), 7001));
        f.now = f.now + Duration::days(2);
        const auto gone = f.run("", f.catalog.deleteBranch(f.idOf("dev"), f.now, TrashReason::Expired));
        f.keep(f.catalog.setPort(f.idOf("main"), 7001));
        f.run("", f.catalog.restoreFromTrash(gone.trash, f.now));
        QVERIFY(!f.id("dev").expiresAt);
        QCOMPARE(f.id("dev").port, std::uint16_t(0));
    }

    void theTrashIsDueAfterTrashTime() {
        Family f;
        const auto entry = f.remove("dev").trash;
        QVERIFY(f.catalog.dueTrash(f.now + Duration::days(6)).empty());
        QVERIFY(f.catalog.dueTrash(f.now + Duration::days(7)) == std::vector{entry});
        f.run("", f.catalog.setSetting("trash-time", "1d"));
        QVERIFY(f.catalog.dueTrash(f.now + Duration::days(1)) == std::vector{entry});
    }

    void checkpointsFollowTheLine() {
        Family f;
        f.makeCheckpoint("main", "one");
        const TimelinePoint middle{f.id("main").timeline, f.write("main")};
        f.write("main");
        f.makeCheckpoint("main", "two");
        QCOMPARE(kindOf(f.catalog.createCheckpoint(f.idOf("main"), "one", f.head("main"), f.now)),
                 ErrorKind::AlreadyExists);
        QCOMPARE(kindOf(f.catalog.createCheckpoint(f.idOf("main"), "x", f.head("dev"), f.now)),
                 ErrorKind::Refused);
        QCOMPARE(kindOf(f.catalog.createCheckpoint(f.idOf("main"), "a b", f.head("main"), f.now)),
                 ErrorKind::InvalidArgument);

        const auto restored = f.restore("main", middle);
        auto views = f.catalog.checkpoints(f.idOf("main"));
        QCOMPARE(views.size(), std::size_t(2));
        QVERIFY(views[0].record.name == "one" && views[0].onLine);
        QVERIFY(views[1].record.name == "two" && !views[1].onLine);
        const auto offLine = f.catalog.createCheckpoint(f.idOf("main"), "two", f.head("main"), f.now);
        QVERIFY(offLine.error().message().find("off its line") != std::string::npos);
        // A point that was left behind can still be forked and restored to, by its checkpoint
        f.keep(f.catalog.createBranch("two", f.idOf("main"), f.fork(views[1].record.point), {}, f.now));
        QCOMPARE(firstWrong(f.catalog), QString());

        // It goes with the old timeline
        f.keep(f.catalog.purgeTrash(restored.trash));
        views = f.catalog.checkpoints(f.idOf("main"));
        QCOMPARE(views.size(), std::size_t(1));
        QCOMPARE(firstWrong(f.catalog), QString());
        f.run("", f.catalog.deleteCheckpoint(f.idOf("main"), "one"));
        QCOMPARE(kindOf(f.catalog.deleteCheckpoint(f.idOf("main"), "one")), ErrorKind::NotFound);
    }

    void aRestoreToACheckpointThatWasLeftBehindPutsItOnTheLineAgain() {
        Family f;
        f.write("main");
        f.makeCheckpoint("main", "late");
        f.restore("main", f.onMain(f.early));
        const auto late = f.catalog.checkpoint(f.idOf("main"), "late");
        f.restore("main", late->point);
        QVERIFY(f.catalog.checkpoints(f.idOf("main"))[0].onLine);
        QCOMPARE(f.catalog.trash().size(), std::size_t(2));
    }

    void anEntryThatARestoreLeftComesBackAsABranchOfItsOwn() {
        Family f;
        f.makeCheckpoint("main", "one");
        const TimelinePoint middle{f.id("main").timeline, f.write("main")};
        f.write("main");
        f.makeCheckpoint("main", "two");
        const auto restored = f.restore("main", middle);
        const auto twin = f.run("", f.catalog.restoreFromTrash(restored.trash, f.now, "main-old"));
        QVERIFY(twin.branch != f.idOf("main"));
        QCOMPARE(f.catalog.checkpoints(f.idOf("main")).size(), std::size_t(1));
        const auto views = f.catalog.checkpoints(f.idOf("main-old"));
        QCOMPARE(views.size(), std::size_t(1));
        QVERIFY(views[0].record.name == "two" && views[0].onLine);
        QCOMPARE(firstWrong(f.catalog), QString());
    }

    void theBranchPointIsWhereABranchLeftAnothersLine() {
        Family f;
        const auto pointOf = [&](const char* name) { return f.catalog.branchPoint(f.id(name).timeline); };
        const auto isPinned = [&](const TimelinePoint& point) {
            const auto pinned = f.catalog.pinnedPoints();
            return std::find(pinned.begin(), pinned.end(), point) != pinned.end();
        };
        QVERIFY(!pointOf("main"));
        const TimelinePoint forkedAt = f.head("main");
        f.write("main");
        f.makeBranch("b", "main");
        const TimelinePoint left = *pointOf("b");
        QVERIFY(left == f.head("main"));
        f.write("main");
        f.write("b");
        const TimelinePoint own = f.head("b");
        f.write("b");
        // it goes on along its own line, and left main's where it did
        f.restore("b", own);
        QVERIFY(f.catalog.findTimeline(f.id("b").timeline)->fork == own.at);
        QVERIFY(pointOf("b") == left);
        f.restore("b", f.head("b"));
        QVERIFY(pointOf("b") == left);
        QVERIFY(!isPinned(own));
        // before its fork it leaves main's line anew; the trash keeps the point that it left
        f.restore("b", forkedAt);
        QVERIFY(pointOf("b") == forkedAt);
        QVERIFY(isPinned(left));
        f.write("main");
        f.run("", f.catalog.resetBranch(f.idOf("b"), f.fork(f.head("main")), f.now));
        QVERIFY(pointOf("b") == f.head("main"));
        // main is restored: nobody left a line
        f.restore("main", forkedAt);
        QVERIFY(!pointOf("main"));
        while (!f.catalog.trash().empty())
            f.keep(f.catalog.purgeTrash(f.catalog.trash().front()->id));
        QVERIFY(!isPinned(left));
        const TimelinePoint last = *pointOf("b");
        QVERIFY(isPinned(last));
        const CatalogStore restarted = f.reloaded();
        QVERIFY(restarted.catalog.branchPoint(f.id("b").timeline) == last);
        f.remove("b");
        QVERIFY(isPinned(last));
        f.keep(f.catalog.purgeTrash(f.catalog.trash().front()->id));
        QVERIFY(!isPinned(last));
    }

    void pinsSayWhatKeepsAPosition() {
        Family f;
        f.makeCheckpoint("main", "one");
        f.makeBranch("gone", "dev");
        f.remove("gone");
        const TimelineId main = f.id("main").timeline;
        const TimelineId dev = f.id("dev").timeline;
        const auto pins = staticPins(f.catalog, [&](const BranchRecord& branch) -> std::optional<Position> {
            return branch.name == "dev" ? std::optional(f.early.position) : std::nullopt;
        });
        const auto count = [&](PinKind kind, TimelineId timeline) {
            return std::count_if(pins.begin(), pins.end(), [&](const Pin& pin) {
                return pin.kind == kind && pin.timeline == timeline;
            });
        };
        QCOMPARE(count(PinKind::Head, main), 1);
        QCOMPARE(count(PinKind::Head, dev), 1);
        QCOMPARE(count(PinKind::Checkpoint, main), 1);
        QCOMPARE(count(PinKind::Child, main), 1);
        QCOMPARE(count(PinKind::Child, dev), 1);
        QCOMPARE(count(PinKind::Trash, f.catalog.newestTrash("gone")->branch.timeline), 1);
        QCOMPARE(pins.size(),
                 std::size_t(8)); // and the window of dev, which goes on along main up to the fork
        const auto window = std::find_if(pins.begin(), pins.end(), [&](const Pin& pin) {
            return pin.kind == PinKind::Window && pin.timeline == main;
        });
        QVERIFY(window != pins.end());
        QCOMPARE(window->from, f.early.position);
        QVERIFY(window->at == f.catalog.findTimeline(dev)->fork);
        QVERIFY(std::is_sorted(pins.begin(), pins.end(),
                               [](const Pin& a, const Pin& b) { return a.timeline < b.timeline; }));
    }

    void readersPinUntilTheyLetGo() {
        ReaderPins readers;
        ReaderPins::Handle first = readers.add({TimelineId{3}, {{7}, {8}}}, "peek");
        {
            ReaderPins::Handle second = readers.add({TimelineId{4}, {{1}, {1}}}, "export");
            QCOMPARE(readers.list().size(), std::size_t(2));
            QVERIFY(readers.isRead({4}));
            first = std::move(second);
        }
        QCOMPARE(readers.list().size(), std::size_t(1));
        QCOMPARE(readers.list()[0].name, std::string("export"));
        first.release();
        first.release();
        QVERIFY(!readers.isRead({4}));
    }

    void aPlanLooksAtACatalogWithoutSomeBranches() {
        Family f;
        f.run("", f.catalog.setProtected(f.idOf("dev"), true));
        f.remove(f.makeBranch("x", "main").branch ? "x" : "");
        const std::vector gone{f.idOf("dev")};
        const auto thought = f.catalog.without(gone, true);
        QVERIFY(thought && !thought->findBranch("dev") && thought->trash().empty());
        QCOMPARE(thought->unreachableTimelines().size(), std::size_t(2));
        QVERIFY(f.catalog.findBranch("dev") && f.catalog.trash().size() == 1);
        QCOMPARE(kindOf(f.catalog.without(std::vector{BranchId{99}}, false)), ErrorKind::NotFound);
    }

    void whoHeldOnToADeletedBranchHearsItsName() {
        Family f;
        const BranchId dev = f.idOf("dev");
        f.remove("dev");
        const auto gone = f.catalog.branch(dev);
        QCOMPARE(kindOf(gone), ErrorKind::NotFound);
        QVERIFY(gone.error().message().find("\"dev\"") != std::string::npos);
        QCOMPARE(kindOf(f.catalog.branch(BranchId{99})), ErrorKind::NotFound);
    }

    void aChangeThatCouldNotBeWrittenIsTakenBack() {
        Family f;
        const auto before = f.pairs;
        const auto change = f.catalog.deleteBranch(f.idOf("dev"), f.now);
        const auto logged = f.log.record(*change, "test", "branch delete dev", f.now);
        const std::size_t entries = f.log.entries().size();
        f.log.revert(logged);
        f.catalog.revert(*change);
        QCOMPARE(f.log.entries().size(), entries - 1);
        QVERIFY(f.catalog.findBranch("dev") && f.catalog.trash().empty());
        // but its ids stay used
        QVERIFY(f.remove("dev").trash > change->trash);
        QCOMPARE(firstWrong(f.catalog), QString());
    }

    void anOperationAmongOneHundredThousandBranchesTouchesAsManyRecords() {
        CatalogStore small, large;
        for (CatalogStore* store : {&small, &large}) {
            store->makeRoot("main");
            const int count = store == &large ? 100'000 : 10;
            for (int i = 0; i < count; ++i)
                QVERIFY(store->catalog.createBranch("b" + std::to_string(i), store->idOf("main"),
                                                    store->fork(store->head("main")), {}, store->now));
        }
        const auto cost = [](CatalogStore& store) {
            std::vector<std::size_t> sizes;
            const auto touched = [&](const CatalogChange& change) { sizes.push_back(change.records.size()); };
            touched(store.makeBranch("new", "main"));
            touched(store.makeCheckpoint("main", "c"));
            touched(store.run("", store.catalog.renameBranch(store.idOf("main"), "trunk")));
            touched(store.restore("trunk", store.head("trunk")));
            const auto gone = store.remove("trunk");
            touched(gone);
            touched(store.undo());
            touched(store.redo());
            touched(store.keep(
                store.catalog.purgeTrash(gone.trash ? store.catalog.newestTrash("trunk")->id : TrashId{})));
            return sizes;
        };
        const auto few = cost(small);
        QVERIFY(few == cost(large));
        QCOMPARE(*std::max_element(few.begin(), few.end()) <= 6, true);
        QCOMPARE(large.catalog.branchCount(), std::size_t(100'001));
        QCOMPARE(firstWrong(large.catalog), QString());
    }
};

QTEST_GUILESS_MAIN(TimelinesCatalogTest)
#include "timelines_catalog_test.moc"
