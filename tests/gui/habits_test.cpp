// What a person takes for granted: that what is shown is how it is now, that keys go where they say, that an
// action happens where the cursor stands, that the window comes back as it was.
#include "app/gui/activity_panel.h"
#include "app/gui/command_palette.h"
#include "app/gui/relations_panel.h"
#include "tests/gui/live_window.h"
#include "widgets/models/format.h"
#include "widgets/views/position_field.h"

#include <QDockWidget>
#include <QHeaderView>
#include <QLabel>
#include <QListWidget>
#include <QSignalSpy>
#include <QTreeWidget>

#include <algorithm>

using namespace arbor;

class HabitsTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<LiveWindow> m_live;
    QElapsedTimer m_history; // since there has been some

    MainWindow& window() const { return m_live->window; }
    Inspector& inspector() const { return window().inspector(); }
    PointPanel& point() const { return inspector().point(); }
    const BranchRow& main() const { return *m_live->branch("main"); }
    void ctl(const QStringList& arguments) const { m_place->succeed(arguments); }
    void sql(const QString& statement) const { ctl({"psql", "main", "--", "-Xqc", statement}); }
    void open() {
        m_live = std::make_unique<LiveWindow>(*m_place);
        ARBOR_EVENTUALLY(m_live->connected() && m_live->names() == (QStringList{"main", "one", "two"}));
        ARBOR_EVENTUALLY(m_live->branch("main")->state == BranchState::Running);
    }
    void selectWithoutCursor(const char* name) {
        window().area().selectBranch(m_live->branch(name)->id);
        m_live->tree().setFocus();
        m_live->key(Qt::Key_Escape);
        QVERIFY(!m_live->timeline().cursor());
    }
    void putTheCursorBack() {
        selectWithoutCursor("main");
        for (int marks = 0; marks < 3; ++marks) // not at the head, where there is nothing to restore
            m_live->key(Qt::Key_Comma);
        QVERIFY(m_live->timeline().cursor());
        ARBOR_EVENTUALLY(point().lsn() == m_live->timeline().cursor()->lsn);
    }
    // What a label of the inspector that begins like this says.
    QString fact(const QString& beginning) const {
        for (const QLabel* label : inspector().findChildren<QLabel*>())
            if (label->isVisible() && label->text().startsWith(beginning))
                return label->text();
        return {};
    }
    const QListWidgetItem* inPalette(const QString& text) const {
        return window().palette_().list()->findItems(text, Qt::MatchExactly).value(0);
    }

  private Q_SLOTS:
    void initTestCase() {
        ARBOR_NEEDS_ENGINE();
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        m_place = std::make_unique<GuiPlace>();
        ctl({"init", "--", "--no-sync", "--locale=C.UTF-8"});
        ctl({"start", "main"});
        sql("CREATE TABLE first (n int)");
        m_history.start();
        ctl({"branch", "create", "one", "--from", "main"});
        ctl({"branch", "create", "two", "--from", "one"});
        open();
    }
    void cleanupTestCase() {
        m_live.reset();
        m_place.reset();
    }

    void ATypedPositionStaysWhereItWas() {
        selectWithoutCursor("main");
        sql("INSERT INTO first VALUES (1)");
        m_live->key(Qt::Key_3, Qt::AltModifier);
        QCOMPARE(QApplication::focusWidget(), point().field());
        ARBOR_EVENTUALLY(m_history.elapsed() > 1500); // a second ago there was none, on a fast machine
        LiveWindow::type("-1s");
        m_live->key(Qt::Key_Return);
        ARBOR_EVENTUALLY(m_live->timeline().cursor());
        const Lsn at = m_live->timeline().cursor()->lsn;
        sql("INSERT INTO first VALUES (2)");
        QTest::qWait(1500); // the insert is more than a second ago
        window().actions().branchHere->trigger();
        QTRY_VERIFY(qobject_cast<QLineEdit*>(QApplication::focusWidget()));
        LiveWindow::type("there");
        m_live->key(Qt::Key_Return);
        ARBOR_EVENTUALLY(m_live->branch("there"));
        QCOMPARE(m_live->branch("there")->forkLsn, at);
        ARBOR_EVENTUALLY(!m_live->session.picture().operations.empty());
        ARBOR_EVENTUALLY(
            m_live->session.picture().operations.front().command.contains("--at " + lsnDisplay(at)));
        ctl({"branch", "delete", "there"});
        ARBOR_EVENTUALLY(!m_live->branch("there"));
    }

    void TheHeadInTheInspectorIsTheHead() {
        selectWithoutCursor("main");
        ARBOR_EVENTUALLY(point().lsn() == main().headLsn);
        const Lsn before = main().headLsn;
        sql("INSERT INTO first SELECT generate_series(1, 1000)");
        ARBOR_EVENTUALLY(main().headLsn > before && point().lsn() == main().headLsn);
        const std::uint64_t timeline = main().timeline;
        ctl({"branch", "restore", "main", "--at", lsnDisplay(before)});
        ARBOR_EVENTUALLY(main().timeline != timeline && main().state == BranchState::Running);
        ARBOR_EVENTUALLY(point().lsn() == main().headLsn);
        QVERIFY2(fact("<b>").contains(lsnDisplay(main().headLsn)), qPrintable(fact("<b>")));
    }

    void RelationsAreThoseAfterTheRestore() {
        selectWithoutCursor("main");
        auto* dock = window().findChild<QDockWidget*>("relations");
        dock->show();
        dock->raise();
        const auto has = [&](const char* name) {
            const auto& rows = window().findChild<RelationsPanel*>()->model().rows();
            return std::ranges::find(rows, QLatin1String(name), &RelationRow::name) != rows.end();
        };
        const Lsn before = main().headLsn;
        sql("CREATE TABLE later (n int)");
        LiveWindow::click(window().findChild<RelationsPanel*>()->findChild<QToolButton*>("reload"));
        ARBOR_EVENTUALLY(has("first") && has("later"));
        ctl({"branch", "restore", "main", "--at", lsnDisplay(before)});
        ARBOR_EVENTUALLY(has("first") && !has("later"));
    }

    void AgesGoOnWhileNothingHappens() {
        selectWithoutCursor("main");
        ARBOR_EVENTUALLY(main().state == BranchState::Running);
        QString shown;
        QSignalSpy pictures(&m_live->session, &StoreSession::pictureChanged);
        for (int looks = 0; looks < 20; ++looks) { // until nothing is heard between two ages
            pictures.clear();
            shown = fact("port ");
            QTest::qWait(2200);
            if (pictures.isEmpty())
                break;
        }
        QVERIFY(pictures.isEmpty());
        QVERIFY(!shown.isEmpty());
        QVERIFY2(fact("port ") != shown, qPrintable(shown));
    }

    void TheRegionKeysFindTheFieldBesideTheCursor() {
        putTheCursorBack();
        m_live->key(Qt::Key_3, Qt::AltModifier);
        QVERIFY(window().area().timelineView().positionField().isAncestorOf(QApplication::focusWidget()));
        auto* docks = window().findChild<QDockWidget*>("log");
        docks->hide();
        m_live->key(Qt::Key_2, Qt::AltModifier);
        QCOMPARE(QApplication::focusWidget(), &m_live->tree());
        QVERIFY(docks->isHidden());
        docks->show();
    }

    void EscapeLeavesTheRestore() {
        putTheCursorBack();
        for (const bool byKey : {true, false}) {
            m_live->key(Qt::Key_R);
            QTRY_VERIFY2(inspector().restore().restoreButton()->hasFocus(),
                         qPrintable(inspector().restore().consequences()));
            if (byKey) {
                m_live->key(Qt::Key_Escape);
            } else {
                m_live->key(Qt::Key_Tab);
                m_live->key(Qt::Key_Space); // Cancel
            }
            QVERIFY(!inspector().restore().isVisible());
            QCOMPARE(QApplication::focusWidget(), &m_live->tree());
            QVERIFY(m_live->timeline().cursor()); // it takes away the panel only
        }
    }

    void ThePaletteShowsWhatCannotBeDoneNow() {
        selectWithoutCursor("main");
        m_live->key(Qt::Key_K, Qt::ControlModifier);
        QTRY_VERIFY(window().palette_().isVisible());
        const QListWidget& list = *window().palette_().list();
        LiveWindow::type("here");
        const QListWidgetItem* branch = inPalette("Branch here…");
        const QListWidgetItem* restore = inPalette("Restore to here…");
        QVERIFY(branch && restore);
        QVERIFY(branch->flags() & Qt::ItemIsEnabled);
        QVERIFY(!(restore->flags() & Qt::ItemIsEnabled));
        QVERIFY(list.row(branch) < list.row(restore));
        QCOMPARE(restore->data(Qt::AccessibleDescriptionRole).toString(), QString("needs a cursor"));
        window().palette_().field()->setText("restore to here");
        m_live->key(Qt::Key_Return);
        QVERIFY(window().palette_().isVisible());
        m_live->key(Qt::Key_Escape);
        QTRY_VERIFY(!window().palette_().isVisible());
        m_live->activate();
    }

    void WhatWasUndoneIsSaidOnce() {
        window().commands().createCheckpoint("mark", "main", {}, [](const QString&) {});
        ARBOR_EVENTUALLY(window().messages().text().startsWith("Checkpoint mark made"));
        window().commands().undo();
        ARBOR_EVENTUALLY(window().messages().text().startsWith("Undone: checkpoint create"));
        window().commands().redo();
        ARBOR_EVENTUALLY(window().messages().text().startsWith("Redone: checkpoint create"));
    }

    void TheCommandOfAnOperationIsShown() {
        auto* show = window().activity().findChild<QToolButton*>("showCommand");
        QCOMPARE(show->text(), QString("Show command"));
        ARBOR_EVENTUALLY(window().activity().list()->topLevelItemCount() > 1);
        window().activity().list()->setCurrentItem(window().activity().list()->topLevelItem(0));
        QVERIFY2(show->toolTip().startsWith("pgarborctl --store " + m_place->store()),
                 qPrintable(show->toolTip()));
    }

    // Columns and sorting, what is closed, what is selected.
    void TheTreeComesBackAsItWas() {
        const auto row = [this](const char* name) {
            return m_live->tree().viewIndex(m_live->branch(name)->id);
        };
        QVERIFY(m_live->tree().isExpanded(row("main")) && m_live->tree().isExpanded(row("one")));
        selectWithoutCursor("one");
        m_live->tree().collapse(row("one"));
        m_live->tree().header()->resizeSection(BranchTreeModel::Name, 231);
        m_live->tree().sortByColumn(BranchTreeModel::Name, Qt::DescendingOrder);
        window().close();
        open();
        ARBOR_EVENTUALLY(window().area().currentBranch() == m_live->branch("one")->id);
        QVERIFY(m_live->tree().selectionModel()->isSelected(row("one")));
        QVERIFY(m_live->tree().isExpanded(row("main")) && !m_live->tree().isExpanded(row("one")));
        QCOMPARE(m_live->tree().header()->sectionSize(BranchTreeModel::Name), 231);
        QCOMPARE(m_live->tree().header()->sortIndicatorSection(), int(BranchTreeModel::Name));
        QCOMPARE(m_live->tree().header()->sortIndicatorOrder(), Qt::DescendingOrder);
    }
};

QTEST_MAIN(HabitsTest)
#include "habits_test.moc"
