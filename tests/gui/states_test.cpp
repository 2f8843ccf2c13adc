// What the window looks like in the states it can be in: names and the order of the focus, small and wide
// windows, both themes, high contrast, right to left, long names, a failed endpoint, many branches. Each
// leaves screenshots.
#include "app/gui/appearance.h"
#include "app/gui/log_panel.h"
#include "app/gui/window_actions.h"
#include "tests/gui/live_window.h"
#include "widgets/views/theme.h"

#include <QAbstractButton>
#include <QAccessible>
#include <QComboBox>
#include <QDockWidget>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPointer>

#include <algorithm>

using namespace arbor;

class StatesTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<LiveWindow> m_live;

    MainWindow& window() const { return m_live->window; }

    static QString nameOf(QWidget* widget) {
        QAccessibleInterface* interface = QAccessible::queryAccessibleInterface(widget);
        return interface ? interface->text(QAccessible::Name) : QString();
    }
    static bool takesPart(const QWidget* widget) {
        return widget->isVisible() && widget->isEnabled() && (widget->focusPolicy() & Qt::TabFocus) &&
               !widget->focusProxy() && !widget->visibleRegion().isEmpty();
    }
    void select(const char* name) {
        window().area().selectBranch(m_live->branch(name)->id);
        m_live->tree().setFocus();
    }
    static constexpr const char* docks[] = {"activity", "log", "relations", "storage", "reclaim"};
    void raise(const char* dock) const {
        auto* found = window().findChild<QDockWidget*>(QLatin1String(dock));
        found->show();
        found->raise();
        QTest::qWait(0);
    }
    // Every control in `inside` that can be had has a name, and Tab comes to it and back to where it began.
    void walk(QWidget& inside, QWidget& begin) {
        begin.setFocus();
        QSet<QWidget*> reached;
        for (int steps = 0; steps < 300; ++steps) {
            m_live->key(Qt::Key_Tab);
            QWidget* focus = QApplication::focusWidget();
            QVERIFY(focus);
            reached += focus;
            if (focus == &begin)
                break;
        }
        QVERIFY(reached.contains(&begin));
        QStringList faults;
        for (QWidget* widget : inside.findChildren<QWidget*>()) {
            if (!takesPart(widget) || widget->window() != inside.window())
                continue;
            const QString what =
                QStringLiteral("%1 '%2' in %3")
                    .arg(QLatin1String(widget->metaObject()->className()), widget->objectName(),
                         QLatin1String(widget->parentWidget()->metaObject()->className()));
            if (nameOf(widget).isEmpty())
                faults += what + QStringLiteral(" has no name");
            if (!reached.contains(widget) && !qobject_cast<QMenu*>(widget))
                faults += what + QStringLiteral(" is not reached");
        }
        QVERIFY2(faults.isEmpty(), qPrintable(faults.join(u'\n')));
    }
    // The dialog or popup that is open.
    QWidget* overTheWindow() const {
        for (QWidget* widget : QApplication::topLevelWidgets())
            if (widget->isVisible() && widget != &window())
                return widget;
        return nullptr;
    }
    void shootAll(const QString& name) { GuiPlace::shootAll(window(), name); }

  private Q_SLOTS:
    void initTestCase() {
        ARBOR_NEEDS_ENGINE();
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        applyAppearance(QStringLiteral("light"));
        m_place = std::make_unique<GuiPlace>();
        int code = 1;
        m_place->ctl({QStringLiteral("init"), QStringLiteral("--demo")}, &code);
        QCOMPARE(code, 0);
        m_live = std::make_unique<LiveWindow>(*m_place);
        ARBOR_EVENTUALLY(m_live->connected() && m_live->drop());
        ARBOR_EVENTUALLY(m_live->session.picture().checkpoints.size() >= 3);
    }
    void cleanupTestCase() {
        m_live.reset();
        m_place.reset();
    }
    void init() {
        window().resize(1280, 800);
        select("main");
    }

    void TheDemoSaysWhereToBegin() {
        QTRY_VERIFY(window().messages().isVisible());
        QVERIFY(window().messages().text().contains(QStringLiteral("dropped")));
        shootAll(QStringLiteral("demo"));
        LiveWindow::click(window().messages().actionButton());
        QVERIFY(m_live->cursorIsAt(m_live->drop()->lsn));
        ARBOR_EVENTUALLY(bool(window().inspector().point().lsn()));
        window().inspector().openRestore(QString::fromStdString(m_live->timeline().cursor()->lsn.toString()));
        ARBOR_EVENTUALLY(window().inspector().restore().restoreButton()->isEnabled());
        shootAll(QStringLiteral("restore"));
        window().inspector().closeRestore();
        m_live->tree().setFocus();
        m_live->key(Qt::Key_Escape);
    }

    void EveryControlOfTheWindowHasANameAndIsReachedByTab() {
        for (const char* name : docks) {
            raise(name);
            walk(window(), m_live->tree());
        }
        raise("activity");
    }

    void EveryControlOfADialogHasANameAndIsReachedByTab() {
        const auto& actions = window().actions();
        for (QAction* action : {actions.preferences, actions.keys, actions.importDatabase,
                                actions.exportBranch, actions.palette}) {
            qInfo("%s", qPrintable(action->text()));
            action->trigger();
            QTRY_VERIFY(overTheWindow());
            const QPointer<QWidget> dialog = overTheWindow();
            QTRY_VERIFY(QApplication::focusWidget() && QApplication::focusWidget()->window() == dialog);
            walk(*dialog, *QApplication::focusWidget());
            for (const char* look : {"light", "dark"}) {
                applyAppearance(QLatin1String(look));
                GuiPlace::shoot(
                    *dialog,
                    QStringLiteral("%1-%2").arg(
                        QString::fromLatin1(dialog->metaObject()->className()).section(u':', -1).toLower(),
                        QLatin1String(look)));
            }
            applyAppearance(QStringLiteral("light"));
            QTest::keyClick(dialog, Qt::Key_Escape);
            ARBOR_EVENTUALLY(!dialog || !dialog->isVisible());
            window().activateWindow(); // without a window manager nobody else does
            QTRY_COMPARE(QApplication::activeWindow(), &window());
        }
    }

    void EveryDock() {
        select("dev");
        for (const char* name : docks) {
            raise(name);
            QTest::qWait(300); // for the picture only
            shootAll(QStringLiteral("dock-") + QLatin1String(name));
        }
        raise("activity");
    }

    void ASmallWindowHoldsEverything() {
        window().resize(1024, 600);
        QTRY_COMPARE(window().size(), QSize(1024, 600));
        QVERIFY2(m_live->tree().timelineColumn().width() >= 180,
                 qPrintable(QString::number(m_live->tree().timelineColumn().width())));
        QVERIFY(m_live->tree().viewport()->height() >= 120);
        GuiPlace::shoot(window(), QStringLiteral("small"));
    }

    void LongNamesAndRightToLeft() {
        const QString longName = QStringLiteral("feature/") + QString(54, u'x');
        m_place->ctl({QStringLiteral("branch"), QStringLiteral("create"), longName, QStringLiteral("--from"),
                      QStringLiteral("dev")});
        ARBOR_EVENTUALLY(m_live->session.picture().branch(longName));
        window().area().selectBranch(m_live->session.picture().branch(longName)->id);
        QVERIFY(window().minimumSizeHint().width() <= 1024);
        GuiPlace::shoot(window(), QStringLiteral("long-name"));
        window().setLayoutDirection(Qt::RightToLeft);
        QTest::qWait(0);
        GuiPlace::shoot(window(), QStringLiteral("right-to-left"));
        QVERIFY(m_live->tree().timelineColumn().left() <
                m_live->tree().visualRect(m_live->tree().currentIndex()).left());
        window().setLayoutDirection(Qt::LeftToRight);
        m_place->ctl({QStringLiteral("branch"), QStringLiteral("delete"), longName});
        ARBOR_EVENTUALLY(!m_live->session.picture().branch(longName));
    }

    void HighContrast() {
        const QPalette before = QApplication::palette();
        QPalette palette(Qt::black);
        for (const auto role : {QPalette::Window, QPalette::Base, QPalette::Button})
            palette.setColor(role, Qt::black);
        for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
            palette.setColor(role, Qt::white);
        palette.setColor(QPalette::Highlight, Qt::yellow);
        palette.setColor(QPalette::HighlightedText, Qt::black);
        QApplication::setPalette(palette);
        QTest::qWait(0);
        const Theme theme(window().area().palette());
        QVERIFY(theme.dark);
        QVERIFY(contrastRatio(theme.text, theme.ground) >= 7);
        for (const QColor& colour : {theme.muted, theme.accent, theme.danger, theme.caution})
            QVERIFY(contrastRatio(colour, theme.ground) >= 4.5);
        GuiPlace::shoot(window(), QStringLiteral("high-contrast"));
        QApplication::setPalette(before);
    }

    void APositionThatIsGoneIsSaidSo() {
        window().inspector().point().tryPosition(QStringLiteral("main"), QStringLiteral("0/1000"), true);
        auto* facts = window().inspector().point().findChildren<QLabel*>().last();
        QTRY_VERIFY_WITH_TIMEOUT(!facts->text().isEmpty() && !window().inspector().point().lsn(), 60'000);
        QVERIFY(!m_live->timeline().cursor()); // nothing moved there
        GuiPlace::shoot(window(), QStringLiteral("history-gone"));
    }

    void AFailedEndpointIsNamedWithItsReasonAndItsLog() {
        m_place->ctl({QStringLiteral("psql"), QStringLiteral("dev"), QStringLiteral("--"),
                      QStringLiteral("-Xc"),
                      QStringLiteral("ALTER SYSTEM SET shared_preload_libraries = 'no_such'")});
        window().commands().restart(QStringLiteral("dev"));
        QTRY_VERIFY_WITH_TIMEOUT(m_live->branch("dev")->state == BranchState::Failed, 120'000);
        select("dev");
        QVERIFY(!m_live->branch("dev")->error.isEmpty());
        auto* error = window().inspector().findChild<QLabel*>(QStringLiteral("branchError"));
        QTRY_VERIFY(error->isVisible());
        for (const char* look : {"dark", "light"}) {
            applyAppearance(QLatin1String(look));
            QTest::qWait(0);
            QVERIFY(contrastRatio(error->palette().color(QPalette::WindowText),
                                  window().palette().color(QPalette::Window)) >= 4.5);
        }
        auto* dock = window().findChild<QDockWidget*>(QStringLiteral("log"));
        dock->raise();
        auto* text = dock->findChild<QPlainTextEdit*>();
        QTRY_VERIFY_WITH_TIMEOUT(text->toPlainText().contains(QStringLiteral("no_such")), 60'000);
        shootAll(QStringLiteral("failed-endpoint"));
        window().findChild<QDockWidget*>(QStringLiteral("activity"))->raise();
    }

    void TwoHundredBranches() {
        int left = 0;
        QStringList faults;
        const QStringList stems{QStringLiteral("ci/"), QStringLiteral("feature/"), QStringLiteral("review/")};
        for (int n = 1; n <= 197; ++n) {
            ++left;
            const QString parent = n % 5 == 0 ? QStringLiteral("audit") : QStringLiteral("main");
            m_live->session.request(QStringLiteral("branch.create"),
                                    {{"name", stems[n % 3] + QString::number(n)}, {"from", parent}}, this,
                                    [&](const Result<QJsonValue>& made) {
                                        --left;
                                        if (!made)
                                            faults += QString::fromStdString(made.error().message());
                                    });
        }
        QTRY_VERIFY_WITH_TIMEOUT(left == 0, 120'000);
        QVERIFY2(faults.isEmpty(), qPrintable(faults.value(0)));
        ARBOR_EVENTUALLY(m_live->session.picture().branches.size() >= 200);
        select("main");
        shootAll(QStringLiteral("200-branches"));
        m_live->tree().expandAll();
        QTest::qWait(0);
        GuiPlace::shoot(window(), QStringLiteral("200-branches-open"));
    }
};

QTEST_MAIN(StatesTest)
#include "states_test.moc"
