#include "tests/widgets/sample_forest.h"
#include "tests/widgets/views_support.h"
#include "widgets/models/format.h"
#include "widgets/views/branch_timeline_view.h"
#include "widgets/views/name_editor.h"
#include "widgets/views/position_field.h"
#include "widgets/views/theme.h"
#include "widgets/views/timeline_header.h"
#include "widgets/views/timeline_overview.h"

#include <QHeaderView>
#include <QHelpEvent>
#include <QLabel>
#include <QLineEdit>
#include <QSignalSpy>
#include <QTest>
#include <QToolTip>
#include <QTreeView>
#include <QWheelEvent>

using namespace arbor;
using namespace arbor::test;

namespace {

constexpr std::uint64_t mainId = 1;
constexpr std::uint64_t devId = 2;

// The view on the sample store, shown.
struct Window {
    BranchTreeModel model;
    MarksStore marks;
    SampleForest forest = sampleForest();
    BranchTimelineView view;

    explicit Window(QSize size = {1180, 460}) {
        view.setSources(&model, &marks);
        forest.fill(model, marks);
        view.timeline().setRanges(forest.ranges);
        view.timeline().setHistoryEdge(forest.historyEdge);
        view.timeline().setNow(forest.now);
        view.resize(size);
        view.show();
        settle();
    }
    void settle() {
        QCoreApplication::sendPostedEvents();
        QCoreApplication::processEvents();
    }
    QTreeView& tree() { return view.tree(); }
    TimelineState& timeline() { return view.timeline(); }
    QModelIndex row(std::uint64_t id) { return view.filter().mapFromSource(model.indexOf(id)); }
    // A point of a branch's row at that LSN, in the viewport.
    QPoint point(std::uint64_t id, Lsn lsn) {
        const int left = tree().header()->sectionViewportPosition(BranchTreeModel::Timeline);
        return {left + qRound(*timeline().xOf(id, lsn)), tree().visualRect(row(id)).center().y()};
    }
    Mark mark(MarkKind kind) {
        const auto found = marks.next(mainId, Lsn{0}, markBit(kind));
        return found.value();
    }
    void select(std::uint64_t id) { view.setCurrentBranch(id); }
    void key(Qt::Key key, Qt::KeyboardModifiers modifiers = {}) { QTest::keyClick(&tree(), key, modifiers); }
    void wheel(QPoint at, int steps, Qt::KeyboardModifiers modifiers) {
        QWheelEvent event(at, tree().viewport()->mapToGlobal(at), {}, {0, steps * 120}, Qt::NoButton,
                          modifiers, Qt::NoScrollPhase, false);
        QCoreApplication::sendEvent(tree().viewport(), &event);
    }
};

ResolvedPosition resolved(const SampleForest& forest, Lsn lsn, Timestamp time) {
    ResolvedPosition position;
    position.lsn = lsn;
    position.time = time;
    position.commitLsn = lsn;
    position.commitXid = 742;
    position.commitTime = time;
    position.headTime = forest.now;
    position.walBehindHead = 18 << 20;
    return position;
}

} // namespace

class ViewsTimelineTest : public QObject {
    Q_OBJECT
  private slots:
    void initTestCase() {
        qputenv("TZ", "Europe/Berlin");
        QApplication::setStyle(QStyleFactory::create("Fusion"));
        QApplication::setPalette(lightPalette());
    }

    void coloursKeepTheirContrastInBothThemes() {
        for (const QPalette& palette :
             {lightPalette(), darkPalette(), QPalette(Qt::black), QPalette(Qt::white)}) {
            const Theme theme(palette);
            QVERIFY(contrastRatio(theme.text, theme.ground) >= 7);
            QVERIFY(contrastRatio(theme.muted, theme.ground) >= 4.5);
            QVERIFY(contrastRatio(theme.faint, theme.ground) >= 2.9);
            QVERIFY(contrastRatio(theme.accent, theme.ground) >= 4.5);
            QVERIFY(contrastRatio(theme.onAccent, theme.accent) >= 4.5);
            QVERIFY(contrastRatio(theme.danger, theme.ground) >= 4.5);
            QVERIFY(contrastRatio(theme.text, theme.selection) >= 4.5);
            QVERIFY(contrastRatio(theme.density(0), theme.ground) >= 1.2);
            QVERIFY(contrastRatio(theme.density(1), theme.density(0)) >= 1.8);
            for (std::uint64_t id = 1; id < 50; ++id)
                QVERIFY(contrastRatio(theme.branch(id), theme.ground) >= 2.9);
        }
    }

    void aClickDropsTheCursorAndSnapsWithinSixPixels() {
        Window window;
        const Mark drop = window.mark(MarkKind::Drop);
        QSignalSpy moved(&window.view, &BranchTimelineView::cursorMoved);
        const QPoint at = window.point(mainId, drop.lsn) + QPoint(4, 0);
        QTest::mouseClick(window.tree().viewport(), Qt::LeftButton, {}, at);
        QVERIFY(window.view.cursor());
        QCOMPARE(window.view.cursor()->mark->text, QString("DROP TABLE accounts"));
        QCOMPARE(window.view.currentBranch(), mainId);
        QCOMPARE(moved.count(), 1);

        QTest::mouseClick(window.tree().viewport(), Qt::LeftButton, Qt::AltModifier, at);
        QVERIFY(!window.view.cursor()->mark || window.view.cursor()->mark->kind == MarkKind::Commit);
        QVERIFY(window.view.cursor()->lsn > drop.lsn);
    }

    void aClickBesideTheBarTakesItsNearerEnd() {
        Window window;
        window.view.setCurrentBranch(devId);
        const BranchRow& dev = *window.model.branch(devId);
        QTest::mouseClick(window.tree().viewport(), Qt::LeftButton, {},
                          window.point(devId, dev.forkLsn) - QPoint(40, 0));
        QCOMPARE(window.view.cursor()->lsn, dev.forkLsn);
        QTest::mouseClick(window.tree().viewport(), Qt::LeftButton, {},
                          window.point(devId, dev.headLsn) + QPoint(40, 0));
        QCOMPARE(window.view.cursor()->lsn, dev.headLsn);
        QVERIFY(window.view.cursor()->isHead);
    }

    void draggingMovesTheCursorAlongItsBranch() {
        Window window;
        const BranchRow& main = *window.model.branch(mainId);
        const QPoint from = window.point(mainId, main.headLsn) - QPoint(200, 0);
        QTest::mousePress(window.tree().viewport(), Qt::LeftButton, Qt::AltModifier, from);
        const Lsn first = window.view.cursor()->lsn;
        QMouseEvent move(QEvent::MouseMove, from + QPoint(60, 90),
                         window.tree().viewport()->mapToGlobal(from + QPoint(60, 90)), Qt::NoButton,
                         Qt::LeftButton, Qt::AltModifier);
        QCoreApplication::sendEvent(window.tree().viewport(), &move);
        QTest::mouseRelease(window.tree().viewport(), Qt::LeftButton, {}, from);
        QCOMPARE(window.view.cursor()->branchId, mainId);
        QVERIFY(window.view.cursor()->lsn > first);
        QCOMPARE(window.view.currentBranch(), mainId);
    }

    void commaAndPeriodStepThroughMarksAndTheView() {
        Window window;
        window.select(mainId);
        window.tree().setFocus();
        window.view.setCursor(mainId, window.mark(MarkKind::Drop).lsn);
        window.key(Qt::Key_Period);
        const Lsn later = window.view.cursor()->lsn;
        QVERIFY(later > window.mark(MarkKind::Drop).lsn);
        window.key(Qt::Key_Comma);
        QCOMPARE(window.view.cursor()->lsn, window.mark(MarkKind::Drop).lsn);
        window.key(Qt::Key_Escape);
        QVERIFY(!window.view.cursor());
        window.key(Qt::Key_Comma);
        QVERIFY(window.view.cursor());
    }

    void keysZoomPanFitAndReset() {
        Window window;
        window.select(devId);
        window.tree().setFocus();
        QVERIFY(window.timeline().scale().showsAll());
        window.key(Qt::Key_W);
        const double zoomed = window.timeline().scale().viewSpan();
        QVERIFY(!window.timeline().scale().showsAll());
        const AxisValue left = window.timeline().scale().viewFrom();
        window.key(Qt::Key_D);
        QVERIFY(window.timeline().scale().viewFrom() > left);
        window.key(Qt::Key_A);
        QVERIFY(std::abs(window.timeline().scale().viewFrom() - left) <= 1);
        window.key(Qt::Key_S);
        QVERIFY(window.timeline().scale().viewSpan() > zoomed);
        window.key(Qt::Key_F);
        const BranchRow& dev = *window.model.branch(devId);
        QVERIFY(window.timeline().scale().viewFrom() <= axisValue(dev.forkTime));
        QVERIFY(window.timeline().scale().viewTo() >= axisValue(dev.headTime));
        QVERIFY(window.timeline().scale().viewSpan() <
                1.2 * static_cast<double>((dev.headTime - dev.forkTime).micros));
        window.key(Qt::Key_0);
        QVERIFY(window.timeline().scale().showsAll());
        window.view.setCursor(devId, dev.headLsn);
        window.key(Qt::Key_Left, Qt::ShiftModifier);
        QVERIFY(window.view.cursor()->lsn < dev.headLsn);
    }

    void theWheelZoomsWithControlPansWithShiftAndScrollsAlone() {
        Window window({1180, 220});
        const QPoint at = window.point(mainId, window.mark(MarkKind::Drop).lsn);
        const int left = window.tree().header()->sectionViewportPosition(BranchTreeModel::Timeline);
        const AxisValue under = window.timeline().scale().valueAt(at.x() - left);
        window.wheel(at, 3, Qt::ControlModifier);
        QVERIFY(!window.timeline().scale().showsAll());
        QVERIFY(std::abs(window.timeline().scale().x(under) - (at.x() - left)) < 1);
        const AxisValue from = window.timeline().scale().viewFrom();
        window.wheel(at, 1, Qt::ShiftModifier);
        QVERIFY(window.timeline().scale().viewFrom() < from);
        window.tree().expandAll();
        window.wheel(at, -3, Qt::NoModifier);
        QVERIFY(window.tree().indexAt({5, 2}) != window.row(mainId));
    }

    void theAxisTurnsFromTimeToLsnAndKeepsWhatIsInView() {
        Window window;
        const BranchRow& dev = *window.model.branch(devId);
        window.view.setCursor(devId, dev.forkLsn + 1000);
        window.timeline().fitBranch(devId);
        window.timeline().setAxis(TimelineAxis::Lsn);
        QVERIFY(window.timeline().scale().viewFrom() <= axisValue(dev.forkLsn));
        QVERIFY(window.timeline().scale().viewTo() >= axisValue(dev.headLsn) - 4096);
        QVERIFY(window.timeline().scale().viewSpan() < 3 * static_cast<double>(dev.headLsn - dev.forkLsn));
        window.timeline().setAxis(TimelineAxis::Time);
        // back through the map, a hundredth of the view is lost at most
        const auto slack = static_cast<AxisValue>(window.timeline().scale().viewSpan() / 100);
        QVERIFY(window.timeline().scale().viewFrom() <= axisValue(dev.forkTime) + slack);
    }

    void byLsnTheViewHasATimeToo() {
        Window window;
        TimelineState& timeline = window.timeline();
        const BranchRow& dev = *window.model.branch(devId);
        timeline.setAxis(TimelineAxis::Lsn);
        window.view.setCursor(mainId,
                              window.model.branch(mainId)->forkLsn); // another branch than what is seen
        QCOMPARE(timeline.timesInView()->to, window.forest.now);
        timeline.fitBranch(devId);
        const auto times = timeline.timesInView();
        QVERIFY(times && times->from <= dev.forkTime && times->to >= dev.headTime);
        timeline.resetView();
        timeline.showTimes(*times);
        QVERIFY(!timeline.scale().showsAll());
        QVERIFY(timeline.scale().viewFrom() <= axisValue(dev.forkLsn));
        QVERIFY(timeline.scale().viewTo() >= axisValue(dev.headLsn));
        const auto before = timeline.scale().viewFrom();
        timeline.showTimes(
            {window.forest.now + Duration::seconds(1), window.forest.now + Duration::seconds(2)});
        QCOMPARE(timeline.scale().viewFrom(), before); // nothing was written then
    }

    void aBranchIsNamedOnAGhostRowAndProblemsKeepItOpen() {
        Window window;
        const Mark drop = window.mark(MarkKind::Drop);
        window.view.nameBranch(mainId, drop.lsn, "main-2");
        window.settle();
        QSignalSpy named(&window.view, &BranchTimelineView::branchNamed);
        auto* editor = window.view.findChild<NameEditor*>();
        QVERIFY(editor && editor->isVisible());
        auto* line = editor->findChild<QLineEdit*>();
        QCOMPARE(line->text(), QString("main-2"));
        QCOMPARE(line->selectedText(), QString("main-2"));
        QTest::keyClicks(line, "not a name");
        QTest::keyClick(line, Qt::Key_Return);
        QCOMPARE(named.count(), 0);
        line->clear();
        QTest::keyClicks(line, "rescue");
        QTest::keyClick(line, Qt::Key_Return);
        QCOMPARE(named.count(), 1);
        QCOMPARE(named[0][0].toString(), QString("rescue"));
        QCOMPARE(named[0][2].value<std::uint64_t>(), mainId);
        window.view.namingFailed("a branch named rescue is there already");
        QVERIFY(window.view.isNaming() && editor->isEnabled());
        QTest::keyClick(line, Qt::Key_Escape);
        QVERIFY(!window.view.isNaming());
        QVERIFY(!window.model.ghostIndex().isValid());
    }

    void namesAreThoseOfTheContract() {
        for (const char* good : {"a", "main", "ci/pr-1", "A.b_c/9", "0"})
            QVERIFY2(NameEditor::isValidName(QString::fromLatin1(good)), good);
        for (const char* bad : {"", "-a", "/a", "a/", "a//b", "a/./b", "a/../b", "a b", "\xc3\xa4"})
            QVERIFY2(!NameEditor::isValidName(QString::fromUtf8(bad)), bad);
        QVERIFY(NameEditor::isValidName(QString(63, 'a')) && !NameEditor::isValidName(QString(64, 'a')));
    }

    void theEdgeOfTheHistoryWindowIsDraggedOnTheAxis() {
        Window window;
        auto* header = window.view.findChild<TimelineHeader*>();
        QSignalSpy dragged(&window.view, &BranchTimelineView::historyEdgeDragged);
        const QPoint edge(header->timelineRect().left() + qRound(*window.timeline().historyEdgeX()), 24);
        QTest::mousePress(header->viewport(), Qt::LeftButton, {}, edge);
        QMouseEvent move(QEvent::MouseMove, edge + QPoint(50, 0), header->mapToGlobal(edge + QPoint(50, 0)),
                         Qt::NoButton, Qt::LeftButton, {});
        QCoreApplication::sendEvent(header->viewport(), &move);
        QCOMPARE(dragged.count(), 1);
        QVERIFY(dragged[0][0].value<Timestamp>() > window.forest.historyEdge);
        QVERIFY(!dragged[0][1].toBool());
        QTest::mouseRelease(header->viewport(), Qt::LeftButton, {}, edge + QPoint(50, 0));
        QVERIFY(dragged.back()[1].toBool());
        QVERIFY(window.timeline().scale().showsAll());
    }

    void aClickOnTheEdgeOfTheHistoryWindowMovesNothingAndTheWayBackUndoes() {
        Window window;
        auto* header = window.view.findChild<TimelineHeader*>();
        QSignalSpy dragged(&window.view, &BranchTimelineView::historyEdgeDragged);
        QSignalSpy back(&window.view, &BranchTimelineView::historyEdgeBack);
        const QPoint edge(header->timelineRect().left() + qRound(*window.timeline().historyEdgeX()), 24);
        const auto moveTo = [&](QPoint at) {
            QMouseEvent move(QEvent::MouseMove, at, header->mapToGlobal(at), Qt::NoButton, Qt::LeftButton,
                             {});
            QCoreApplication::sendEvent(header->viewport(), &move);
        };
        QTest::mousePress(header->viewport(), Qt::LeftButton, {}, edge);
        moveTo(edge + QPoint(1, 0));
        QTest::mouseRelease(header->viewport(), Qt::LeftButton, {}, edge + QPoint(1, 0));
        QCOMPARE(dragged.count(), 0);
        QCOMPARE(*window.timeline().historyEdge(), window.forest.historyEdge);

        QTest::mousePress(header->viewport(), Qt::LeftButton, {}, edge);
        moveTo(edge + QPoint(50, 0));
        QVERIFY(window.view.isDraggingHistoryEdge());
        moveTo(edge);
        QTest::mouseRelease(header->viewport(), Qt::LeftButton, {}, edge);
        QCOMPARE(dragged.count(), 1);
        QVERIFY(!dragged[0][1].toBool());
        QCOMPARE(back.count(), 1);
        QCOMPARE(*window.timeline().historyEdge(), window.forest.historyEdge);
        QVERIFY(!window.view.isDraggingHistoryEdge());
    }

    void escapeWhileTheEdgeIsHeldPutsItBack() {
        Window window;
        auto* header = window.view.findChild<TimelineHeader*>();
        QSignalSpy dragged(&window.view, &BranchTimelineView::historyEdgeDragged);
        QSignalSpy back(&window.view, &BranchTimelineView::historyEdgeBack);
        const QPoint edge(header->timelineRect().left() + qRound(*window.timeline().historyEdgeX()), 24);
        const QPoint away = edge + QPoint(50, 0);
        QTest::mousePress(header->viewport(), Qt::LeftButton, {}, edge);
        QMouseEvent move(QEvent::MouseMove, away, header->mapToGlobal(away), Qt::NoButton, Qt::LeftButton,
                         {});
        QCoreApplication::sendEvent(header->viewport(), &move);
        QCOMPARE(dragged.count(), 1);
        QTest::keyClick(&window.view.tree(), Qt::Key_Escape);
        QCOMPARE(back.count(), 1);
        QCOMPARE(*window.timeline().historyEdge(), window.forest.historyEdge);
        QCoreApplication::sendEvent(header->viewport(), &move);
        QTest::mouseRelease(header->viewport(), Qt::LeftButton, {}, away);
        QCOMPARE(dragged.count(), 1);
        QCOMPARE(*window.timeline().historyEdge(), window.forest.historyEdge);
    }

    void theFieldShowsWhatAPositionIsAndAsksForWhatIsTyped() {
        Window window;
        PositionField& field = window.view.positionField();
        const Mark drop = window.mark(MarkKind::Drop);
        QVERIFY(!field.isVisible());
        window.view.setCursor(mainId, drop.lsn);
        QVERIFY(field.isVisible());
        field.setResolved(resolved(window.forest, drop.lsn, drop.time));
        QCOMPARE(field.text(), lsnDisplay(drop.lsn));
        QVERIFY(field.explanation().contains(QString::fromUtf8("behind head")));
        QVERIFY(field.explanation().contains("742"));
        QSignalSpy typed(&field, &PositionField::typed);
        field.focusForTyping();
        QTest::keyClicks(field.findChild<QLineEdit*>(), "-10min");
        QTest::keyClick(field.findChild<QLineEdit*>(), Qt::Key_Return);
        QVERIFY(typed.count() >= 1);
        QCOMPARE(typed.back()[0].toString(), QString("-10min"));
        QVERIFY(typed.back()[1].toBool());
        field.setResolved(resolved(window.forest, drop.lsn, drop.time));
        QCOMPARE(field.text(), QString("-10min")); // what is being typed stays
    }

    void aNarrowFieldSaysLessAndTheBytesFirst() {
        SampleForest forest = sampleForest();
        PositionField field;
        field.setResolved(resolved(forest, Lsn{0x1000}, forest.now - Duration::seconds(90)));
        const auto* label = field.findChild<QLabel*>();
        const auto at = [&](int width) {
            field.resize(width, 29);
            QCoreApplication::sendPostedEvents();
            return field.grab(), label->text();
        };
        const QString time = timeDisplay(forest.now - Duration::seconds(90));
        QVERIFY(at(900).startsWith(time) && at(900).contains("18.0") && at(900).contains("behind head"));
        int width = 900;
        while (width > 0 && at(width).contains("behind head"))
            --width;
        QVERIFY(at(width).startsWith(time) && at(width).endsWith("MB behind"));
        while (width > 0 && at(width).startsWith(time))
            --width;
        QVERIFY(at(width).startsWith("18.0"));
    }

    void aFilterWithoutAHitSaysSo() {
        Window window;
        const auto isEmpty = [&] {
            const QImage image = picture(*window.tree().viewport());
            const QRgb ground = image.pixel(1, image.height() - 2);
            for (int y = 0; y < image.height(); ++y)
                for (int x = 0; x < image.width(); ++x)
                    if (image.pixel(x, y) != ground)
                        return false;
            return true;
        };
        window.view.filter().setFilterText("no such branch");
        QCOMPARE(window.view.filter().rowCount(), 0);
        QVERIFY(!isEmpty());
    }

    void withoutAnEngineTheStripAndTheElbowsFadeToo() {
        Window window;
        auto* strip = window.view.findChild<TimelineOverview*>();
        const auto colours = [](const QImage& image) {
            QSet<QRgb> all;
            for (int y = 0; y < image.height(); ++y)
                for (int x = 0; x < image.width(); ++x)
                    all.insert(image.pixel(x, y));
            return all;
        };
        const QRgb elbow = Theme(lightPalette()).branch(devId).rgb();
        const QImage before = picture(*strip);
        QVERIFY(colours(picture(*window.tree().viewport())).contains(elbow));
        window.view.setStale(true);
        QVERIFY(picture(*strip) != before);
        QVERIFY(!colours(picture(*window.tree().viewport())).contains(elbow));
    }

    void batchesKeepSelectionExpansionAndCursor() {
        Window window;
        window.select(12);
        window.view.setCursor(devId, window.model.branch(devId)->forkLsn + 5000);
        const auto cursor = window.view.cursor();
        window.select(12);
        BranchRow fresh =
            sampleBranch(900, "aaa-new", &window.forest.rows[0], 0.5, 1 << 20, window.forest.now);
        window.model.applyChanges(std::vector{fresh}, std::vector<std::uint64_t>{11});
        window.settle();
        QCOMPARE(window.view.currentBranch(), std::uint64_t{12});
        QVERIFY(window.tree().isExpanded(window.row(12).parent()));
        QCOMPARE(window.view.cursor(), cursor);
        window.model.applyChanges({}, std::vector<std::uint64_t>{devId});
        window.settle();
        QVERIFY(!window.view.cursor());
    }

    void whatTakesTheCurrentRowsPlaceIsSelected() {
        Window w;
        w.select(devId);
        const std::uint64_t gone[]{devId};
        w.model.applyChanges({}, gone);
        QVERIFY(w.view.currentBranch() != 0 && w.view.currentBranch() != devId);
        QCOMPARE(w.view.selectedBranches(), std::vector{w.view.currentBranch()});
    }

    void everyPartHasAnAccessibleNameAndTheTreeTellsItsRows() {
        Window window;
        window.view.setCursor(mainId, window.mark(MarkKind::Drop).lsn);
        for (const QWidget* widget : window.view.findChildren<QWidget*>())
            if (widget->focusPolicy() != Qt::NoFocus && !widget->objectName().startsWith("qt_"))
                QVERIFY2(!widget->accessibleName().isEmpty() ||
                             qobject_cast<const QAbstractItemView*>(widget->parent()),
                         widget->metaObject()->className());
        const QModelIndex group = window.view.filter().index(1, 0, window.row(mainId));
        QVERIFY(!group.data(Qt::AccessibleTextRole).toString().isEmpty());
    }

    // On the busiest bar and beside it, in either theme; and it is told what it is.
    void aPeekIsADashedFrameAtItsPlace() {
        for (const QPalette& palette : {lightPalette(), darkPalette()}) {
            QApplication::setPalette(palette);
            Window window;
            BranchRow main = window.forest.rows.front();
            const Lsn at = main.peeks.front().lsn;
            main.peeks.clear();
            window.model.applyChanges(std::vector{main});
            window.settle();
            const QImage without = picture(*window.tree().viewport());
            main.peeks = {{at, window.forest.now}};
            window.model.applyChanges(std::vector{main});
            window.settle();
            const QImage with = picture(*window.tree().viewport());
            const QPoint place = window.point(mainId, at);
            QRect changed;
            for (int y = 0; y < with.height(); ++y)
                for (int x = 0; x < with.width(); ++x)
                    if (with.pixel(x, y) != without.pixel(x, y))
                        changed |= QRect(x, y, 1, 1);
            QVERIFY((changed.center() - place).manhattanLength() <= 3);
            QVERIFY(changed.width() <= 20 &&
                    window.tree().visualRect(window.row(mainId)).height() >= changed.height());
            // down its left side the accent comes and goes
            const QColor accent = Theme(palette).accent;
            int dashes = 0;
            bool inDash = false;
            for (int y = changed.top(); y <= changed.bottom(); ++y) {
                bool isAccent = false;
                for (int x = changed.left(); x < place.x(); ++x)
                    isAccent |= contrastRatio(with.pixelColor(x, y), accent) < 1.3;
                dashes += isAccent && !inDash;
                inDash = isAccent;
            }
            QVERIFY2(dashes >= 3, qPrintable(QString::number(dashes)));
            QHelpEvent tip(QEvent::ToolTip, place, window.tree().viewport()->mapToGlobal(place));
            QCoreApplication::sendEvent(window.tree().viewport(), &tip);
            QVERIFY2(QToolTip::text().contains("Peek at " + lsnDisplay(at)), qPrintable(QToolTip::text()));
            QToolTip::hideText();
        }
        QApplication::setPalette(lightPalette());
    }

    void picturesAreDrawnInEveryThemeAndSize_data() {
        QTest::addColumn<bool>("dark");
        QTest::addColumn<double>("ratio");
        QTest::newRow("light") << false << 1.0;
        QTest::newRow("dark") << true << 1.0;
        QTest::newRow("light-2x") << false << 2.0;
        QTest::newRow("dark-2x") << true << 2.0;
    }
    void picturesAreDrawnInEveryThemeAndSize() {
        QFETCH(bool, dark);
        QFETCH(double, ratio);
        Window window;
        QApplication::setPalette(dark ? darkPalette() : lightPalette()); // at run time
        window.settle();
        window.tree().setFocus();
        const Mark drop = window.mark(MarkKind::Drop);
        const QString name = QString::fromLatin1(QTest::currentDataTag());
        keepPicture(picture(window.view, ratio), name + "-all");
        window.view.setCursor(mainId, drop.lsn);
        window.view.positionField().setResolved(resolved(window.forest, drop.lsn, drop.time));
        window.settle();
        const QImage first = picture(window.view, ratio);
        keepPicture(first, name + "-cursor");
        const Theme theme(QApplication::palette());
        QCOMPARE(QColor(first.pixel(first.width() - 3, first.height() - 3)), theme.ground);
        window.timeline().setAxis(TimelineAxis::Lsn);
        window.timeline().fitBranch(devId);
        window.settle();
        QVERIFY(picture(window.view, ratio) != first);
        keepPicture(picture(window.view, ratio), name + "-lsn");
        window.view.nameBranch(mainId, drop.lsn, "main-2");
        window.settle();
        keepPicture(picture(window.view, ratio), name + "-ghost");
        window.view.endNaming();
        window.tree().expandAll();
        window.timeline().setAxis(TimelineAxis::Time);
        window.timeline().resetView();
        window.view.setStale(ratio > 1);
        window.settle();
        keepPicture(picture(window.view, ratio), name + "-open");
        QApplication::setPalette(lightPalette());
    }
};

QTEST_MAIN(ViewsTimelineTest)
#include "views_timeline_test.moc"
