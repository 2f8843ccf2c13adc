// The edge of the history window under a hand, on a real engine: what another window would free is said while
// the edge moves, holds to the byte once it is let go, and can be undone.
#include "app/gui/branch_area.h"
#include "app/gui/message_bar.h"
#include "app/gui/reclaim_panel.h"
#include "tests/gui/gui_support.h"
#include "widgets/views/branch_tree_view.h"
#include "widgets/views/timeline_header.h"

#include <QComboBox>
#include <QDockWidget>
#include <QJsonObject>
#include <QMouseEvent>
#include <QPushButton>

using namespace arbor;

class HistoryEdgeTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<StoreSession> m_session;
    std::unique_ptr<MainWindow> m_window;

    ReclaimPanel& reclaim() const { return m_window->reclaim(); }
    TimelineState& timeline() const { return m_window->area().timelineView().timeline(); }
    TimelineHeader& header() const { return *m_window->findChild<TimelineHeader*>(); }
    // As the command line says it.
    std::uint64_t freedBy(const QString& history) const {
        return static_cast<std::uint64_t>(
            m_place->json({"gc", "plan", "--history", history})["freeBytes"].toInteger());
    }
    QString historyTime() const { return m_session->picture().settings.value("history-time"); }

    QPoint edge() const {
        return {header().timelineRect().left() + qRound(timeline().historyEdgeX().value_or(-1)), 20};
    }
    void grab() const {
        QVERIFY(timeline().historyEdgeX());
        QTest::mousePress(header().viewport(), Qt::LeftButton, {}, edge());
        QVERIFY(m_window->area().timelineView().isDraggingHistoryEdge());
    }
    void moveTo(int x) const {
        const QPoint at(x, 20);
        QMouseEvent move(QEvent::MouseMove, at, header().viewport()->mapToGlobal(at), Qt::NoButton,
                         Qt::LeftButton, {});
        QCoreApplication::sendEvent(header().viewport(), &move);
    }
    void letGo(int x) const { QTest::mouseRelease(header().viewport(), Qt::LeftButton, {}, {x, 20}); }
    int end() const { return header().timelineRect().right() - 2; }

  private Q_SLOTS:
    void initTestCase() {
        ARBOR_NEEDS_ENGINE();
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        m_place = std::make_unique<GuiPlace>();
        int code = 1;
        m_place->ctl({"init", "--", "--no-sync", "--locale=C.UTF-8"}, &code);
        QCOMPARE(code, 0);
        QStringList command{"psql", "main", "--", "-qc",
                            "CREATE TABLE t AS SELECT g, md5(g::text) AS x FROM generate_series(1, 60000) g"};
        for (int i = 0; i < 4; ++i)
            command << "-c"
                    << "CHECKPOINT"
                    << "-c"
                    << "UPDATE t SET x = md5(x)"
                    << "-c"
                    << "VACUUM t";
        m_place->ctl(command, &code);
        QCOMPARE(code, 0);
        m_place->ctl({"stop", "--all"}, &code);
        QCOMPARE(code, 0);
        m_session = std::make_unique<StoreSession>(StoreSession::Options{m_place->store(), {}, {}});
        m_window = std::make_unique<MainWindow>(*m_session);
        m_window->show();
        m_window->activateWindow();
        m_session->open();
        ARBOR_EVENTUALLY(m_session->state() == StoreSession::State::Connected && historyTime() == "7d");
        ARBOR_EVENTUALLY(timeline().historyEdge());
        // once all that was written is older than the shortest window, nothing depends on when it is asked
        ARBOR_EVENTUALLY(freedBy("1s") > 0 && freedBy("1s") == freedBy("0"));
    }
    void cleanupTestCase() {
        m_window.reset();
        m_session.reset();
        m_place.reset();
    }
    void init() {
        if (timeline().axis() != TimelineAxis::Time)
            timeline().setAxis(TimelineAxis::Time);
        timeline().resetView();
    }

    // Of a store that is younger than its window the edge stands where everything begins: to be seen, and to
    // be grabbed.
    void OfAYoungStoreTheEdgeStandsAtTheBeginning_data() {
        QTest::addColumn<int>("axis");
        QTest::newRow("time") << static_cast<int>(TimelineAxis::Time);
        QTest::newRow("LSN") << static_cast<int>(TimelineAxis::Lsn);
    }
    void OfAYoungStoreTheEdgeStandsAtTheBeginning() {
        QFETCH(int, axis);
        timeline().setAxis(static_cast<TimelineAxis>(axis));
        QVERIFY(*timeline().historyEdgeX() >= 0 && *timeline().historyEdgeX() < 40);
        grab();
        moveTo(edge().x() - 20); // further back than everything is no shorter window
        letGo(edge().x() - 20);
        m_window->area().setNow();
        QCOMPARE(m_place->json({"settings", "get", "history-time"})["history-time"].toString(), "7d");
        QCOMPARE(reclaim().history().currentIndex(), 0);
    }

    void AClickOnTheEdgeSetsNothing() {
        grab();
        moveTo(edge().x() + 1);
        letGo(edge().x() + 1);
        QVERIFY(!m_window->messages().isVisible());
        m_session->refresh(StoreSession::Settings);
        QCOMPARE(m_place->json({"settings", "get", "history-time"})["history-time"].toString(), "7d");
    }

    void WhatMovingFreesIsSaidLiveAndHoldsUnderTheHand() {
        m_window->findChild<QDockWidget*>("reclaim")->hide(); // who drags wants to see it
        const int choices = reclaim().history().count();
        grab();
        for (int x = edge().x() + 8; x < end(); x += 8)
            moveTo(x);
        moveTo(end());
        ARBOR_EVENTUALLY(reclaim().isVisible() && reclaim().simulatedBytes());
        QVERIFY2(reclaim().sentence().startsWith("With a history of 1s, "), qPrintable(reclaim().sentence()));
        QCOMPARE(*reclaim().simulatedBytes(), freedBy("1s"));
        QVERIFY(reclaim().history().count() <= choices + 1);
        const Timestamp held = *timeline().historyEdge();
        m_window->area().setNow(); // every second, and with every event
        m_window->area().refresh();
        QCOMPARE(*timeline().historyEdge(), held);
        GuiPlace::shoot(*m_window, "history-edge-dragged");
        // dragged back to where it was: nothing has happened
        moveTo(end() / 2);
        init();
        moveTo(header().timelineRect().left());
        letGo(header().timelineRect().left());
        QCOMPARE(reclaim().history().currentIndex(), 0);
        m_window->area().setNow();
        QVERIFY(*timeline().historyEdge() < held);
        QCOMPARE(m_place->json({"settings", "get", "history-time"})["history-time"].toString(), "7d");
    }

    // Whoever has the keyboard, and without losing the cursor to the same key.
    void EscapeLeavesItAsItWas() {
        const std::uint64_t main = m_session->picture().branch("main")->id;
        m_window->area().tree().setFocus();
        timeline().setCursor(main, m_session->picture().branch(main)->headLsn);
        for (QWidget* focus :
             {static_cast<QWidget*>(&m_window->area().tree()), static_cast<QWidget*>(&reclaim().history())}) {
            focus->setFocus();
            const Timestamp before = *timeline().historyEdge();
            grab();
            moveTo(end());
            ARBOR_EVENTUALLY(reclaim().simulatedBytes().value_or(0) > 0);
            QTest::keyClick(focus, Qt::Key_Escape);
            QVERIFY(!m_window->area().timelineView().isDraggingHistoryEdge());
            QCOMPARE(*timeline().historyEdge(), before);
            QCOMPARE(reclaim().history().currentIndex(), 0);
            moveTo(end() - 10); // the button is still down
            QCOMPARE(*timeline().historyEdge(), before);
            letGo(end() - 10);
            QVERIFY(timeline().cursor());
        }
        QCOMPARE(m_place->json({"settings", "get", "history-time"})["history-time"].toString(), "7d");
        // afterwards the key is what it was
        m_window->area().tree().setFocus();
        QTest::keyClick(&m_window->area().tree(), Qt::Key_Escape);
        QVERIFY(!timeline().cursor());
    }

    void LetGoItIsSetAndUndone() {
        grab();
        moveTo(end());
        letGo(end());
        ARBOR_EVENTUALLY(historyTime() == "1s");
        QCOMPARE(reclaim().history().currentIndex(), 0); // it is the one that is set now
        ARBOR_EVENTUALLY(m_window->messages().text() == "history-time is now 1s");
        QCOMPARE(m_place->json({"settings", "get", "history-time"})["history-time"].toString(), "1s");
        QTest::mouseClick(m_window->messages().actionButton(), Qt::LeftButton);
        ARBOR_EVENTUALLY(historyTime() == "7d"); // also in the picture
        QCOMPARE(m_place->json({"settings", "get", "history-time"})["history-time"].toString(), "7d");
        QVERIFY(*timeline().historyEdge() < SystemClock().now() - Duration::days(6));
    }

    void WhatWasSaidComesFree() {
        grab();
        moveTo(end());
        ARBOR_EVENTUALLY(reclaim().simulatedBytes().value_or(0) > 0);
        const std::uint64_t said = *reclaim().simulatedBytes();
        letGo(end());
        ARBOR_EVENTUALLY(historyTime() == "1s");
        const std::uint64_t before = m_place->diskBytes();
        int code = 1;
        m_place->ctl({"gc", "run"}, &code);
        QCOMPARE(code, 0);
        QCOMPARE(before - m_place->diskBytes(), said);
    }
};

QTEST_MAIN(HistoryEdgeTest)
#include "history_edge_test.moc"
