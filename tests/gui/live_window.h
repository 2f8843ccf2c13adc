// A window on a live store, and what a person's hands do with it: with the mouse, or with the keyboard alone.
#pragma once

#include "app/gui/branch_area.h"
#include "app/gui/inspector.h"
#include "app/gui/message_bar.h"
#include "app/gui/navigator.h"
#include "app/gui/point_panel.h"
#include "app/gui/restore_panel.h"
#include "tests/gui/gui_support.h"
#include "widgets/views/branch_tree_view.h"

#include <QContextMenuEvent>
#include <QLineEdit>
#include <QMenu>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>
#include <QTreeView>
#include <QWheelEvent>

namespace arbor {

struct LiveWindow {
    explicit LiveWindow(const GuiPlace& where)
        : place(where), session({where.store(), {}, {}}), window(session) {
        window.commands().setTerminalSearch(
            {where.makeTerminal(QStringLiteral("SELECT 'found ' || name FROM customers WHERE id = 42")),
             {},
             {}});
        window.show();
        window.activateWindow();
        (void)QTest::qWaitForWindowExposed(&window); // a window manager has given it its place and size
        session.open();
    }
    const BranchRow* branch(const char* name) const { return session.picture().branch(QLatin1String(name)); }
    QStringList names() const {
        QStringList all;
        for (const BranchRow& row : session.picture().branches)
            all += row.name;
        all.sort();
        return all;
    }
    // What the window shows in place of a store, if it is of this kind.
    template <class Page>
    Page* page() const {
        return qobject_cast<Page*>(
            window.findChild<QStackedWidget*>(QStringLiteral("pages"))->currentWidget());
    }
    bool connected() const { return session.state() == StoreSession::State::Connected; }
    BranchTreeView& tree() { return static_cast<BranchTreeView&>(window.area().tree()); }
    TimelineState& timeline() { return window.area().timelineView().timeline(); }
    // The last drop of main, where the demo loses its table: its mark stands where the table is still there.
    std::optional<Mark> drop() const {
        const BranchRow* row = branch("main");
        return row ? const_cast<StoreSession&>(session).marks().previous(row->id, row->headLsn + 1,
                                                                         markBit(MarkKind::Drop))
                   : std::nullopt;
    }
    bool cursorIsAt(Lsn lsn) {
        const auto& cursor = timeline().cursor();
        return cursor && cursor->lsn == lsn;
    }

    // A closed menu leaves no window active where there is no window manager; with one, another program's
    // window may have taken the focus.
    void activate() {
        if (!QApplication::activeWindow()) {
            window.activateWindow();
            (void)QTest::qWaitForWindowActive(&window);
        }
    }

    // -- the keyboard
    void key(int key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
        activate();
        QWidget* focus = QApplication::focusWidget();
        QTest::keyClick(focus ? focus : &window, static_cast<Qt::Key>(key), modifiers);
    }
    static void type(const QString& text) { QTest::keyClicks(QApplication::focusWidget(), text); }
    bool tabTo(const QWidget* wanted) {
        for (int steps = 0; steps < 100 && QApplication::focusWidget() != wanted; ++steps)
            key(Qt::Key_Tab);
        return QApplication::focusWidget() == wanted;
    }

    // -- the mouse
    static void click(QWidget* widget) { QTest::mouseClick(widget, Qt::LeftButton); }
    QToolButton* buttonOf(const QAction* action, const QWidget* inside) const {
        for (QToolButton* button : inside->findChildren<QToolButton*>())
            if (button->defaultAction() == action)
                return button;
        return nullptr;
    }
    QPoint pointOf(const char* name, Lsn lsn) {
        const std::uint64_t id = branch(name)->id;
        const int x = tree().timelineColumn().left() + qRound(timeline().xOf(id, lsn).value_or(0));
        return {x, tree().visualRect(tree().viewIndex(id)).center().y()};
    }
    void zoomAt(const QPoint& at, int steps) {
        for (int i = 0; i < steps; ++i) {
            QWheelEvent wheel(at, tree().viewport()->mapToGlobal(at), {}, {0, 120}, Qt::NoButton,
                              Qt::ControlModifier, Qt::NoScrollPhase, false);
            QCoreApplication::sendEvent(tree().viewport(), &wheel);
        }
    }
    // Right-clicks a row and takes what the menu says.
    bool choose(const char* name, const QAction* action) {
        const QRect row = tree().visualRect(tree().viewIndex(branch(name)->id));
        const QPoint at(row.left() + 20, row.center().y());
        QTest::mouseClick(tree().viewport(), Qt::LeftButton, {}, at);
        QContextMenuEvent menuEvent(QContextMenuEvent::Mouse, at, tree().viewport()->mapToGlobal(at));
        QCoreApplication::sendEvent(tree().viewport(), &menuEvent);
        auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget());
        if (!menu)
            return false;
        QTest::mouseClick(menu, Qt::LeftButton, {},
                          menu->actionGeometry(const_cast<QAction*>(action)).center());
        return true;
    }

    // Asks PostgreSQL itself, by the command line.
    bool customersLiveOn(const char* name) const {
        int code = 1;
        const QByteArray out =
            place.ctl({QStringLiteral("psql"), QLatin1String(name), QStringLiteral("--"),
                       QStringLiteral("-XAtc"), QStringLiteral("SELECT count(*) FROM customers")},
                      &code);
        return code == 0 && out.trimmed() == "1000";
    }

    const GuiPlace& place;
    StoreSession session;
    MainWindow window;
};

} // namespace arbor
