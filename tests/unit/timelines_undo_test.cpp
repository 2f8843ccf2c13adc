#include "timelines_fixture.h"

using namespace arbor;
using namespace arbor::test;

class TimelinesUndoTest : public QObject {
    Q_OBJECT

    struct Family : CatalogStore {
        Family() {
            makeRoot("main");
            write("main");
            makeBranch("dev", "main");
            write("dev");
        }
    };

    // Everything that people see, but for ports and what undo itself put into the trash
    static std::string visible(const CatalogStore& store) {
        std::string text;
        for (const BranchRecord* b : store.catalog.branches()) {
            text += fmt::format("{} on {} of {} {} {}", b->name, b->timeline, b->parent, b->isProtected,
                                b->expiresAt.micros);
            for (const auto& [key, value] : b->settings)
                text += key + "=" + value;
            for (const CheckpointView& view : store.catalog.checkpoints(b->id))
                text += fmt::format(" {}:{}", view.record.name, view.onLine);
            text += '\n';
        }
        for (const TrashRecord* entry : store.catalog.trash())
            if (entry->reason != TrashReason::Undone)
                text += fmt::format("trash {} {}\n", entry->branch.name, entry->branch.timeline);
        return text + store.catalog.setting("trash-time");
    }

    // The operation can be undone, redone, undone and redone, and each gives what was there.
    static void goesBackAndForth(CatalogStore& store, const std::function<void()>& operation) {
        const std::string before = visible(store);
        const std::size_t entries = store.log.entries().size();
        operation();
        QCOMPARE(store.log.entries().size(), entries + 1);
        const std::string after = visible(store);
        QVERIFY(before != after);
        for (int i = 0; i < 2; ++i) {
            store.undo();
            QCOMPARE(visible(store), before);
            QCOMPARE(firstWrong(store.catalog), QString());
            store.redo();
            QCOMPARE(visible(store), after);
            QCOMPARE(firstWrong(store.catalog), QString());
            QCOMPARE(visible(store.reloaded()), after);
        }
        store.undo();
        QCOMPARE(visible(store), before);
    }

  private slots:
    void everyOperationGoesBackAndForth() {
        Family f;
        goesBackAndForth(f, [&] { f.makeRoot("second"); });
        goesBackAndForth(f, [&] { f.makeBranch("new", "main"); });
        goesBackAndForth(f, [&] { f.run("", f.catalog.renameBranch(f.idOf("dev"), "dev2")); });
        goesBackAndForth(f, [&] { f.remove("dev"); });
        goesBackAndForth(f, [&] { f.remove("main"); });
        goesBackAndForth(f, [&] { f.makeCheckpoint("dev", "c"); });
        goesBackAndForth(f, [&] { f.restore("dev", f.head("dev")); });
        goesBackAndForth(
            f, [&] { f.run("", f.catalog.resetBranch(f.idOf("dev"), f.fork(f.head("main")), f.now)); });
        goesBackAndForth(f, [&] { f.run("", f.catalog.setProtected(f.idOf("dev"), true)); });
        goesBackAndForth(
            f, [&] { f.run("", f.catalog.setExpiry(f.idOf("dev"), f.now + Duration::days(9), f.now)); });
        goesBackAndForth(f, [&] { f.run("", f.catalog.setBranchSetting(f.idOf("dev"), "archiving", "on")); });
        goesBackAndForth(f, [&] { f.run("", f.catalog.setSetting("trash-time", "3d")); });
        f.makeCheckpoint("dev", "c");
        goesBackAndForth(f, [&] { f.run("", f.catalog.deleteCheckpoint(f.idOf("dev"), "c")); });
        const auto gone = f.remove("dev");
        goesBackAndForth(f, [&] { f.run("", f.catalog.restoreFromTrash(gone.trash, f.now)); });
        f.run("", f.catalog.restoreFromTrash(gone.trash, f.now));
        f.write("dev");
        f.makeCheckpoint("dev", "later");
        const auto old = f.restore("dev", f.catalog.checkpoint(f.idOf("dev"), "c")->point);
        goesBackAndForth(f, [&] { f.run("", f.catalog.restoreFromTrash(old.trash, f.now, "dev-old")); });
    }

    void undoOfACreateLeavesTheBranchInTheTrash() {
        Family f;
        const TimelineId line = f.id("dev").timeline;
        f.undo();
        QVERIFY(!f.catalog.findBranch("dev"));
        const auto entry = f.catalog.newestTrash("dev");
        QVERIFY(entry && entry->reason == TrashReason::Undone && entry->branch.timeline == line);
        f.redo();
        QCOMPARE(f.id("dev").timeline, line);
        QVERIFY(f.catalog.trash().empty());
    }

    void undoOfARestoreKeepsWhatWasWrittenSince() {
        Family f;
        const TimelineId old = f.id("dev").timeline;
        const auto restored = f.restore("dev", f.head("main"));
        f.write("dev");
        f.keep(f.catalog.setPort(f.idOf("dev"), 7001)); // bookkeeping is no obstacle, and stays
        f.keep(f.catalog.setShouldRun(f.idOf("dev"), true));
        const auto plan = f.log.planUndo(f.catalog, {}, f.now, f.readable);
        QVERIFY(branchMoves(*plan) ==
                (std::vector<BranchMove>{{f.idOf("dev"), "dev", restored.timeline, old}}));
        QCOMPARE(f.id("dev").timeline, restored.timeline); // a plan does nothing
        f.undo();
        QCOMPARE(f.id("dev").timeline, old);
        QCOMPARE(f.id("dev").port, std::uint16_t(7001));
        QVERIFY(f.id("dev").shouldRun);
        QCOMPARE(f.catalog.newestTrash("dev")->branch.timeline, restored.timeline);
        QVERIFY(!f.catalog.newestTrash("dev")->branch.shouldRun);
    }

    void anOlderOperationIsUndoneByItsIdIfNothingDependsOnIt() {
        Family f;
        f.run("branch rename dev dev2", f.catalog.renameBranch(f.idOf("dev"), "dev2"));
        const OperationId rename = f.log.entries().back().id;
        f.run("settings set trash-time 1d", f.catalog.setSetting("trash-time", "1d"));
        f.undo(rename);
        QVERIFY(f.catalog.findBranch("dev"));
        QCOMPARE(f.catalog.setting("trash-time"), std::string("1d"));
        QCOMPARE(kindOf(f.log.undo(f.catalog, rename, "test", f.now, f.readable)), ErrorKind::Refused);
        // Without an id the setting is next: it is the newest that stands
        f.undo();
        QCOMPARE(f.catalog.setting("trash-time"), std::string("7d"));
    }

    void undoNamesTheOperationThatStandsInItsWay() {
        Family f;
        f.run("branch rename dev dev2", f.catalog.renameBranch(f.idOf("dev"), "dev2"));
        const OperationId rename = f.log.entries().back().id;
        f.run("branch protect dev2", f.catalog.setProtected(f.idOf("dev2"), true));
        const auto refused = f.log.undo(f.catalog, rename, "test", f.now, f.readable);
        QCOMPARE(kindOf(refused), ErrorKind::Refused);
        QVERIFY2(refused.error().message().find("(branch protect dev2) changed it since") !=
                     std::string::npos,
                 refused.error().message().c_str());
        f.undo();
        f.undo(rename);
        QVERIFY(f.catalog.findBranch("dev") && !f.id("dev").isProtected);
    }

    void undoRefusesANameThatIsTakenNow() {
        Family f;
        f.remove("dev");
        const OperationId gone = f.log.entries().back().id;
        f.makeBranch("dev", "main");
        const auto refused = f.log.undo(f.catalog, gone, "test", f.now, f.readable);
        QCOMPARE(kindOf(refused), ErrorKind::Refused);
        QVERIFY(refused.error().message().find("rename") != std::string::npos);
        f.run("", f.catalog.renameBranch(f.idOf("dev"), "other"));
        f.undo(gone);
        QVERIFY(f.catalog.findBranch("dev") && f.catalog.findBranch("other"));

        f.makeCheckpoint("dev", "c");
        f.run("", f.catalog.deleteCheckpoint(f.idOf("dev"), "c"));
        const OperationId deleted = f.log.entries().back().id;
        f.makeCheckpoint("dev", "c");
        QCOMPARE(kindOf(f.log.undo(f.catalog, deleted, "test", f.now, f.readable)), ErrorKind::Refused);
    }

    void whatWasPurgedCannotBeUndone() {
        Family f;
        const auto gone = f.remove("dev");
        f.keep(f.catalog.purgeTrash(gone.trash));
        const auto refused = f.log.undo(f.catalog, {}, "test", f.now, f.readable);
        QCOMPARE(kindOf(refused), ErrorKind::Refused);
        QVERIFY2(refused.error().message().find("gone for good") != std::string::npos,
                 refused.error().message().c_str());
    }

    void aCheckpointComesBackOnlyIfItsPointIsStillThere() {
        Family f;
        f.makeCheckpoint("dev", "c");
        f.run("checkpoint delete c", f.catalog.deleteCheckpoint(f.idOf("dev"), "c"));
        const auto collected = [](const TimelinePoint&) -> Status {
            return makeError(ErrorKind::Refused, "its history was collected");
        };
        const auto refused = f.log.undo(f.catalog, {}, "test", f.now, collected);
        QCOMPARE(kindOf(refused), ErrorKind::Refused);
        QVERIFY(refused.error().message().find("collected") != std::string::npos);
        f.undo();
        QVERIFY(f.catalog.checkpoint(f.idOf("dev"), "c"));
    }

    void aCheckpointStaysGoneWhenItsLineIs() {
        Family f;
        const TimelinePoint early = f.head("dev");
        f.write("dev");
        f.makeCheckpoint("dev", "c");
        const auto restored = f.restore("dev", early);
        f.makeBranch("keeper", "dev"); // the old timeline stays as an ancestor, without a name
        f.run("checkpoint delete c", f.catalog.deleteCheckpoint(f.idOf("dev"), "c"));
        const OperationId deleted = f.log.entries().back().id;
        f.keep(f.catalog.purgeTrash(restored.trash));
        const auto refused = f.log.undo(f.catalog, deleted, "test", f.now, f.readable);
        QCOMPARE(kindOf(refused), ErrorKind::Refused);
        QVERIFY(refused.error().message().find("gone for good") != std::string::npos);
        QCOMPARE(firstWrong(f.catalog), QString());
    }

    void whatUndoThrowsAwayStaysForTheFullTime() {
        Family f;
        const auto gone = f.remove("dev");
        f.now = f.now + Duration::days(6);
        f.run("", f.catalog.restoreFromTrash(gone.trash, f.now));
        f.now = f.now + Duration::days(6);
        f.undo();
        QVERIFY(f.catalog.newestTrash("dev"));
        QVERIFY(f.catalog.dueTrash(f.now + Duration::days(6)).empty());
    }

    void anExpiredBranchThatUndoBringsBackStays() {
        Family f;
        f.run("branch expire", f.catalog.setExpiry(f.idOf("dev"), f.now + Duration::days(1), f.now));
        f.now = f.now + Duration::days(2);
        f.run("expiry", f.catalog.deleteBranch(f.idOf("dev"), f.now, TrashReason::Expired));
        f.undo();
        QVERIFY(f.catalog.dueExpiries(f.now).empty());
        f.undo(); // the expiry itself can still be undone
        QVERIFY(!f.id("dev").expiresAt);
    }

    void aNewOperationClearsRedo() {
        Family f;
        f.undo();
        QVERIFY(f.log.nextRedo());
        f.run("", f.catalog.setSetting("trash-time", "1d"));
        QVERIFY(!f.log.nextRedo());
        QCOMPARE(kindOf(f.log.redo(f.catalog, "test", f.now, f.readable)), ErrorKind::NotFound);
    }

    void redoGoesBackInTheOrderOfUndo() {
        Family f;
        f.makeBranch("a", "dev");
        f.makeBranch("b", "dev");
        f.undo();
        f.undo();
        f.redo();
        QVERIFY(f.catalog.findBranch("a") && !f.catalog.findBranch("b"));
        CatalogStore restarted = f.reloaded();
        QVERIFY(restarted.log.entries() == f.log.entries());
        f.redo();
        QVERIFY(f.catalog.findBranch("b"));
        QCOMPARE(kindOf(f.log.redo(f.catalog, "test", f.now, f.readable)), ErrorKind::NotFound);
        restarted.keep(restarted.log.redo(restarted.catalog, "test", f.now, f.readable));
        QVERIFY(restarted.catalog.findBranch("b"));
    }

    void undoDoesNotTakeUndosAndUnknownIds() {
        Family f;
        QCOMPARE(kindOf(f.log.undo(f.catalog, OperationId{99}, "test", f.now, f.readable)),
                 ErrorKind::NotFound);
        f.undo();
        const OperationId undone = f.log.entries().back().id;
        QCOMPARE(kindOf(f.log.undo(f.catalog, undone, "test", f.now, f.readable)), ErrorKind::Refused);
        f.undo();
        QVERIFY(f.catalog.branches().empty());
        QCOMPARE(kindOf(f.log.undo(f.catalog, {}, "test", f.now, f.readable)), ErrorKind::NotFound);
    }

    void theLogKeepsItsNewestEntries() {
        CatalogStore store;
        store.log = OperationLog(5);
        store.makeRoot("main");
        for (int i = 10; i < 30; ++i)
            store.run("", store.catalog.setSetting("trash-time", std::to_string(i) + "d"));
        QCOMPARE(store.log.entries().size(), std::size_t(5));
        QVERIFY(store.reloaded().log.entries() == store.log.entries());
        for (int i = 0; i < 5; ++i)
            store.undo(); // all that are left
        QCOMPARE(store.catalog.setting("trash-time"), std::string("24d"));
        QCOMPARE(kindOf(store.log.undo(store.catalog, {}, "test", store.now, store.readable)),
                 ErrorKind::NotFound);
        QVERIFY(store.reloaded().log.entries() == store.log.entries());
        store.redo();
        QCOMPARE(store.catalog.setting("trash-time"), std::string("25d"));
        for (int i = 0; i < 40; ++i) { // to and fro, until that has pushed the operation itself out
            if (store.log.nextRedo())
                store.redo();
            else if (store.log.nextUndo())
                store.undo();
            QVERIFY(store.log.entries().size() <= 10);
            QVERIFY(store.reloaded().log.entries() == store.log.entries());
        }
        store.run("", store.catalog.setSetting("trash-time", "2d"));
        QCOMPARE(store.log.entries().size(), std::size_t(5));
        QVERIFY(store.reloaded().log.entries() == store.log.entries());
    }

    void anUndoThatCouldNotBeWrittenIsTakenBack() {
        Family f;
        const std::string before = visible(f);
        const auto entries = f.log.entries();
        const auto change = f.log.undo(f.catalog, {}, "test", f.now, f.readable);
        f.log.revert(*change);
        f.catalog.revert(*change);
        QCOMPARE(visible(f), before);
        QVERIFY(f.log.entries() == entries);
    }
};

QTEST_GUILESS_MAIN(TimelinesUndoTest)
#include "timelines_undo_test.moc"
