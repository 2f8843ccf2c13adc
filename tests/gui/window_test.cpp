// The real window on a real engine and a real PostgreSQL: the story of the README, once with the mouse and
// once with the keyboard alone.
#include "app/gui/command_palette.h"
#include "app/gui/first_run_page.h"
#include "tests/gui/live_window.h"

using namespace arbor;

class WindowTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<LiveWindow> m_live;
    bool m_mouse = false;

    MainWindow& window() const { return m_live->window; }
    const BranchRow* branch(const char* name) const { return m_live->branch(name); }

    void makeTheDemo() {
        ARBOR_EVENTUALLY(m_live->page<FirstRunPage>());
        auto* card = m_live->page<FirstRunPage>()->findChild<QPushButton*>(QStringLiteral("card"));
        if (m_mouse) {
            LiveWindow::click(card);
        } else {
            QVERIFY(m_live->tabTo(card));
            m_live->key(Qt::Key_Space);
        }
        QTRY_VERIFY_WITH_TIMEOUT(
            m_live->connected() || m_live->session.state() == StoreSession::State::Failed, 240'000);
        QVERIFY2(m_live->connected(), qPrintable(m_live->session.problem()));
        ARBOR_EVENTUALLY(m_live->names() == (QStringList{"audit", "dev", "main"}));
        ARBOR_EVENTUALLY(m_live->session.picture().checkpoints.size() >= 3);
        ARBOR_EVENTUALLY(m_live->drop());
    }

    void selectMain() {
        if (m_mouse) {
            const QRect row = m_live->tree().visualRect(m_live->tree().viewIndex(branch("main")->id));
            QTest::mouseClick(m_live->tree().viewport(), Qt::LeftButton, {},
                              {row.left() + 20, row.center().y()});
        } else {
            m_live->key(Qt::Key_2, Qt::AltModifier);
            m_live->key(Qt::Key_Home);
        }
        QTRY_COMPARE(window().area().currentBranch(), branch("main")->id);
    }

    // The moment before the drop: a click on its mark, or back from mark to mark.
    void goBeforeTheDrop() {
        selectMain();
        const Lsn drop = m_live->drop()->lsn;
        if (m_mouse) {
            // following the mark: what is half a pixel beside it before is far away afterwards
            for (int i = 0; i < 5; ++i)
                m_live->zoomAt(m_live->pointOf("main", drop), 5);
            QTest::mouseClick(m_live->tree().viewport(), Qt::LeftButton, {}, m_live->pointOf("main", drop));
        } else {
            for (int steps = 0; steps < 500 && !m_live->cursorIsAt(drop); ++steps)
                m_live->key(Qt::Key_Comma);
        }
        QVERIFY(m_live->cursorIsAt(drop));
        ARBOR_EVENTUALLY(bool(window().inspector().point().lsn()));
    }

    // The button where the mouse would look for it, or the key.
    void act(const QAction* action, const QWidget* where, int key, Qt::KeyboardModifiers modifiers = {}) {
        m_live->activate();
        if (!m_mouse) {
            m_live->key(key, modifiers);
            return;
        }
        QToolButton* button = m_live->buttonOf(action, where);
        QVERIFY(button && button->isVisible() && button->isEnabled());
        LiveWindow::click(button);
    }

    void peek() {
        m_place->forgetTerminal();
        act(window().actions().peek, &window().inspector(), Qt::Key_Space);
        ARBOR_EVENTUALLY(!m_place->read("done").isEmpty());
        QVERIFY2(m_place->read("out").contains("found Customer 42"), m_place->read("out"));
        QVERIFY2(m_place->read("argv").contains("psql\nmain\n--at\n"), m_place->read("argv"));
    }

    void branchThere(const QString& name) {
        act(window().actions().branchHere, &window().inspector(), Qt::Key_B);
        QTRY_VERIFY(qobject_cast<QLineEdit*>(QApplication::focusWidget()));
        LiveWindow::type(name);
        m_live->key(Qt::Key_Return);
        ARBOR_EVENTUALLY(m_live->session.picture().branch(name));
        QVERIFY(m_live->session.picture().branch(name)->forkLsn <= m_live->drop()->lsn);
        QVERIFY(m_live->customersLiveOn(qPrintable(name)));
        QTRY_COMPARE(window().area().currentBranch(), m_live->session.picture().branch(name)->id);
    }

    void restoreThere() {
        act(window().actions().restore, &window().inspector(), Qt::Key_R);
        auto& panel = window().inspector().restore();
        ARBOR_EVENTUALLY(panel.restoreButton()->isEnabled());
        QVERIFY(panel.isVisible());
        QVERIFY2(panel.consequences().contains(QStringLiteral("of WAL")), qPrintable(panel.consequences()));
        GuiPlace::shoot(window(), QStringLiteral("restore"));
        if (m_mouse) {
            LiveWindow::click(panel.restoreButton());
        } else {
            QCOMPARE(QApplication::focusWidget(), panel.restoreButton());
            m_live->key(Qt::Key_Space);
        }
        ARBOR_EVENTUALLY(window().messages().text().contains(QStringLiteral("main restored")));
        ARBOR_EVENTUALLY(!m_live->session.picture().trash.empty());
        QVERIFY(m_live->customersLiveOn("main"));
    }

    void undoAndRedo() {
        if (m_mouse)
            LiveWindow::click(window().messages().actionButton());
        else
            m_live->key(Qt::Key_Z, Qt::ControlModifier);
        ARBOR_EVENTUALLY(m_live->session.picture().nextRedo());
        QVERIFY(!m_live->customersLiveOn("main"));
        act(window().actions().redo, &window(), Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
        ARBOR_EVENTUALLY(!m_live->session.picture().nextRedo());
        QVERIFY(m_live->customersLiveOn("main"));
    }

    // A parent goes into the trash, its children stay, and it comes back.
    void deleteTheParent() {
        selectMain();
        if (m_mouse)
            QVERIFY(m_live->choose("main", window().actions().remove));
        else
            m_live->key(Qt::Key_Delete);
        ARBOR_EVENTUALLY(!branch("main"));
        QVERIFY(branch("dev") && branch("rescued"));
        ARBOR_EVENTUALLY(window().messages().text().contains(QStringLiteral("main is in the trash")));
        if (m_mouse)
            LiveWindow::click(window().messages().actionButton());
        else
            m_live->key(Qt::Key_Z, Qt::ControlModifier);
        ARBOR_EVENTUALLY(branch("main"));
        QVERIFY(m_live->customersLiveOn("main"));
        QVERIFY(m_live->customersLiveOn("rescued"));
    }

    void findTheAuditByThePalette() {
        m_live->key(Qt::Key_K, Qt::ControlModifier);
        QTRY_VERIFY(window().palette_().isVisible());
        LiveWindow::type(QStringLiteral("aud"));
        m_live->key(Qt::Key_Return);
        ARBOR_EVENTUALLY(window().area().currentBranch() == branch("audit")->id);
        QVERIFY(!window().palette_().isVisible());
    }

  private Q_SLOTS:
    void initTestCase() {
        ARBOR_NEEDS_ENGINE();
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
    }
    void cleanup() {
        m_live.reset();
        m_place.reset();
    }

    void TheStoryOfTheDemo_data() {
        QTest::addColumn<bool>("mouse");
        QTest::newRow("with the mouse") << true;
        QTest::newRow("with the keyboard alone") << false;
    }
    void TheStoryOfTheDemo() {
        QFETCH(bool, mouse);
        m_mouse = mouse;
        m_place = std::make_unique<GuiPlace>();
        m_live = std::make_unique<LiveWindow>(*m_place);
        const auto steps = {std::function<void()>([this] { makeTheDemo(); }),
                            std::function<void()>([this] { goBeforeTheDrop(); }),
                            std::function<void()>([this] { peek(); }),
                            std::function<void()>([this] { branchThere(QStringLiteral("rescued")); }),
                            std::function<void()>([this] { goBeforeTheDrop(); }),
                            std::function<void()>([this] { restoreThere(); }),
                            std::function<void()>([this] { undoAndRedo(); }),
                            std::function<void()>([this] { deleteTheParent(); }),
                            std::function<void()>([this] { findTheAuditByThePalette(); })};
        for (const auto& step : steps) {
            step();
            if (QTest::currentTestFailed())
                return;
        }
    }
};

QTEST_MAIN(WindowTest)
#include "window_test.moc"
