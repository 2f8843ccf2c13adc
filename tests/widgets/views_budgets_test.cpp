// What the window's budgets ask for, measured at 10,000 branches and 1,000,000 marks: the first paint,
// expanding everything, a frame while scrolling, zooming and moving the cursor, a batch of events. Figures
// are printed, not judged: machines differ.
#include "tests/widgets/sample_forest.h"
#include "tests/widgets/views_support.h"
#include "widgets/views/branch_timeline_view.h"

#include <QElapsedTimer>
#include <QScrollBar>
#include <QTest>
#include <QTreeView>

#include <memory>

using namespace arbor;
using namespace arbor::test;

class ViewsBudgetsTest : public QObject {
    Q_OBJECT

    SampleForest m_forest = largeForest(10'000, 1'000'000);
    BranchTreeModel m_model;
    MarksStore m_marks;
    std::unique_ptr<BranchTimelineView> m_view;

    // One painting of everything, and what was put off until then: an update that is already on its way finds
    // nothing left to paint.
    void frame() {
        m_view->tree().viewport()->repaint();
        QCoreApplication::processEvents();
    }

  private Q_SLOTS:
    void initTestCase() { qputenv("TZ", "Europe/Berlin"); }
    void cleanupTestCase() { m_view.reset(); }

    // From the rows and marks in hand to the first picture.
    void FirstPaint() {
        QElapsedTimer clock;
        clock.start();
        m_forest.fill(m_model, m_marks);
        const double filled = static_cast<double>(clock.nsecsElapsed()) / 1e6;
        clock.restart();
        m_view = std::make_unique<BranchTimelineView>();
        m_view->setSources(&m_model, &m_marks);
        m_view->timeline().setNow(m_forest.now);
        m_view->resize(1280, 800);
        m_view->show();
        QCoreApplication::processEvents();
        const QImage first = picture(*m_view);
        const double shown = static_cast<double>(clock.nsecsElapsed()) / 1e6;
        QVERIFY(!first.isNull());
        QCOMPARE(m_model.branchCount(), 10'000);
        qInfo("%zu marks and %d branches taken in %.1f ms; first paint %.1f ms", m_marks.count(),
              static_cast<int>(m_model.branchCount()), filled, shown);
        QTest::setBenchmarkResult(shown, QTest::WalltimeMilliseconds);
    }

    void ExpandAll() {
        QElapsedTimer clock;
        clock.start();
        m_view->tree().expandAll();
        const double expanded = static_cast<double>(clock.nsecsElapsed()) / 1e6;
        frame();
        qInfo("expand all %.1f ms, with its picture %.1f ms", expanded,
              static_cast<double>(clock.nsecsElapsed()) / 1e6);
        QTest::setBenchmarkResult(expanded, QTest::WalltimeMilliseconds);
    }

    void AFrameWhileScrolling() {
        QScrollBar* bar = m_view->tree().verticalScrollBar();
        QVERIFY(bar->maximum() > 1000);
        int at = 0;
        QBENCHMARK {
            bar->setValue(at = (at + 37) % bar->maximum());
            frame();
        }
    }

    void AFrameWhileZooming() {
        int step = 0;
        QBENCHMARK {
            m_view->timeline().zoom(++step % 20 < 10 ? 1.1 : 1 / 1.1, 300);
            frame();
        }
    }

    void AFrameWhileTheCursorMoves() {
        m_view->tree().verticalScrollBar()->setValue(0);
        int x = 0;
        QBENCHMARK {
            m_view->timeline().setCursorAt(1, x = (x + 7) % 400, true);
            frame();
        }
    }

    // Ten times a second at most: what a burst of events costs.
    void ABatchOfEvents() {
        std::vector<BranchRow> rows = m_forest.rows;
        QBENCHMARK {
            for (std::size_t i = 0; i < rows.size(); i += 100) {
                rows[i].headLsn = rows[i].headLsn + 4096;
                rows[i].headTime = rows[i].headTime + Duration::seconds(1);
            }
            m_model.setRows(rows);
            frame();
        }
    }
};

QTEST_MAIN(ViewsBudgetsTest)
#include "views_budgets_test.moc"
