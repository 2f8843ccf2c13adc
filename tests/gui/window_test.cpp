// The real window on a real engine and a real PostgreSQL: the story of the README, with the mouse and with
// the keyboard alone; and what the window shows of what others do.
#include "app/gui/activity_panel.h"
#include "app/gui/branch_area.h"
#include "app/gui/first_run_page.h"
#include "app/gui/inspector.h"
#include "app/gui/message_bar.h"
#include "app/gui/name_popup.h"
#include "app/gui/navigator.h"
#include "app/gui/point_panel.h"
#include "app/gui/restore_panel.h"
#include "tests/gui/gui_support.h"

#include <QLineEdit>
#include <QPushButton>
#include <QStackedWidget>
#include <QTreeView>
#include <QTreeWidget>

#include <csignal>

using namespace arbor;

class WindowTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<StoreSession> m_session;
    std::unique_ptr<MainWindow> m_window;

    void openWindow() {
        m_session = std::make_unique<StoreSession>(StoreSession::Options{m_place->store(), {}, {}});
        m_window = std::make_unique<MainWindow>(*m_session);
        m_window->commands().setTerminalSearch(
            {m_place->makeTerminal(QStringLiteral("SELECT 'found ' || name FROM customers WHERE id = 42")),
             {},
             {}});
        m_window->show();
        m_window->activateWindow();
        m_session->open();
    }
    const BranchRow* branch(const char* name) const {
        return m_session->picture().branch(QLatin1String(name));
    }
    QStringList names() const {
        QStringList all;
        for (const BranchRow& row : m_session->picture().branches)
            all += row.name;
        all.sort();
        return all;
    }
    QTreeView* tree() const { return &m_window->area().tree(); }
    void key(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) const {
        QWidget* focus = QApplication::focusWidget();
        QTest::keyClick(focus ? focus : m_window.get(), key, modifiers);
    }
    void type(const QString& text) const { QTest::keyClicks(QApplication::focusWidget(), text); }
    std::optional<Mark> dropMark() const {
        const BranchRow* row = branch("main");
        return row ? m_session->marks().next(row->id, row->forkLsn, markBit(MarkKind::Drop)) : std::nullopt;
    }
    void select(const char* name) {
        m_window->area().selectBranch(branch(name)->id);
        tree()->setFocus();
    }
    bool customersLiveOn(const char* name) const {
        int code = 1;
        const QByteArray out =
            m_place->ctl({QStringLiteral("psql"), QLatin1String(name), QStringLiteral("--"),
                          QStringLiteral("-XAtc"), QStringLiteral("SELECT count(*) FROM customers")},
                         &code);
        return code == 0 && out.trimmed() == "1000";
    }

  private Q_SLOTS:
    void initTestCase() {
        if (const QString why = whyNoEngine(); !why.isEmpty())
            QSKIP(qPrintable(why));
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        m_place = std::make_unique<GuiPlace>();
    }
    void cleanupTestCase() {
        m_window.reset();
        m_session.reset();
        m_place.reset();
    }

    void TryTheDemoMakesABankWithAPast() {
        openWindow();
        auto* pages = m_window->findChild<QStackedWidget*>();
        ARBOR_EVENTUALLY(qobject_cast<FirstRunPage*>(pages->currentWidget()));
        auto* card = pages->currentWidget()->findChild<QPushButton*>(QStringLiteral("card"));
        QTest::mouseClick(card, Qt::LeftButton);
        QTRY_VERIFY_WITH_TIMEOUT(m_session->state() == StoreSession::State::Connected, 240'000);
        ARBOR_EVENTUALLY(names() == (QStringList{"audit", "dev", "main"}));
        ARBOR_EVENTUALLY(m_session->picture().checkpoints.size() >= 3);
        ARBOR_EVENTUALLY(dropMark());
        GuiPlace::shoot(*m_window, QStringLiteral("demo"));
    }

    void WithTheKeyboardAlone() {
        select("main");
        // , goes back from mark to mark: to the last moment that knew the table
        const Lsn drop = dropMark()->lsn;
        for (int steps = 0; steps < 500 && m_window->inspector().point().lsn() != drop; ++steps) {
            key(Qt::Key_Comma);
            ARBOR_EVENTUALLY(bool(m_window->inspector().point().lsn()));
        }
        QCOMPARE(m_window->inspector().point().lsn(), drop);

        m_place->forgetTerminal();
        key(Qt::Key_Space);
        ARBOR_EVENTUALLY(!m_place->read("done").isEmpty());
        QVERIFY2(m_place->read("out").contains("found Customer 42"), m_place->read("out"));
        QVERIFY(m_place->read("argv").contains("psql\nmain\n--at\n"));

        key(Qt::Key_B);
        QVERIFY(m_window->namePopup().isVisible());
        type(QStringLiteral("rescued"));
        key(Qt::Key_Return);
        ARBOR_EVENTUALLY(branch("rescued"));
        QCOMPARE(branch("rescued")->forkLsn, drop);
        QVERIFY(customersLiveOn("rescued"));

        select("main");
        for (int steps = 0; steps < 500 && m_window->inspector().point().lsn() != drop; ++steps) {
            key(Qt::Key_Comma);
            ARBOR_EVENTUALLY(bool(m_window->inspector().point().lsn()));
        }
        key(Qt::Key_R);
        auto& panel = m_window->inspector().restore();
        ARBOR_EVENTUALLY(panel.restoreButton()->isEnabled());
        GuiPlace::shoot(*m_window, QStringLiteral("restore"));
        QVERIFY(panel.consequences().contains(QStringLiteral("of WAL")));
        key(Qt::Key_Space); // the button has the focus
        ARBOR_EVENTUALLY(m_window->messages().isVisible());
        ARBOR_EVENTUALLY(!m_session->picture().trash.empty());
        QVERIFY(customersLiveOn("main"));

        key(Qt::Key_Z, Qt::ControlModifier);
        ARBOR_EVENTUALLY(m_session->picture().nextRedo());
        QVERIFY(!customersLiveOn("main"));
        key(Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        ARBOR_EVENTUALLY(!m_session->picture().nextRedo());
        QVERIFY(customersLiveOn("main"));

        // a parent with children goes into the trash, the children stay, and it comes back
        select("main");
        key(Qt::Key_Delete);
        ARBOR_EVENTUALLY(!branch("main"));
        QVERIFY(branch("dev") && branch("rescued"));
        key(Qt::Key_Z, Qt::ControlModifier);
        ARBOR_EVENTUALLY(branch("main"));
        QVERIFY(customersLiveOn("main"));
    }

    void ThePaletteFindsActionsAndBranches() {
        select("dev");
        key(Qt::Key_K, Qt::ControlModifier);
        QVERIFY(m_window->palette_().isVisible());
        type(QStringLiteral("aud"));
        key(Qt::Key_Return);
        ARBOR_EVENTUALLY(m_window->area().currentBranch() == branch("audit")->id);
        QVERIFY(!m_window->palette_().isVisible());
    }

    void WhatTheCommandLineDoesIsShown() {
        m_place->ctl({QStringLiteral("branch"), QStringLiteral("create"), QStringLiteral("ci/1"),
                      QStringLiteral("--from"), QStringLiteral("main"), QStringLiteral("--expires"),
                      QStringLiteral("7d")});
        ARBOR_EVENTUALLY(branch("ci/1"));
        ARBOR_EVENTUALLY(m_window->area().model().indexOf(branch("ci/1")->id).isValid());
        ARBOR_EVENTUALLY(
            m_session->picture().nextUndo()->text.contains(QStringLiteral("branch create ci/1")));
        m_place->ctl({QStringLiteral("branch"), QStringLiteral("delete"), QStringLiteral("ci/1")});
        ARBOR_EVENTUALLY(!branch("ci/1"));
    }

    void AnEngineThatIsGoneIsSaidSoAndComesBack() {
        const pid_t engine = static_cast<pid_t>(m_session->picture().engine.pid);
        QVERIFY(engine > 1);
        ::kill(engine, SIGKILL);
        ARBOR_EVENTUALLY(m_session->state() == StoreSession::State::EngineGone);
        auto* start = m_window->findChild<QPushButton*>(QStringLiteral("startEngine"));
        ARBOR_EVENTUALLY(start->isVisible() && start->isEnabled());
        QVERIFY(branch("main")); // the last picture stays
        GuiPlace::shoot(*m_window, QStringLiteral("engine-gone"));
        QTest::mouseClick(start, Qt::LeftButton);
        ARBOR_EVENTUALLY(m_session->state() == StoreSession::State::Connected);
        ARBOR_EVENTUALLY(m_session->picture().engine.pid != engine);
        ARBOR_EVENTUALLY(branch("main")->state == BranchState::Running); // it was running
    }
};

QTEST_MAIN(WindowTest)
#include "window_test.moc"
