#include "app/gui/window_actions.h"

#include "app/gui/symbolic_icon.h"

namespace arbor {

using Keys = QList<QKeySequence>;

WindowActions::WindowActions(QObject* parent) : QObject(parent) {
    makePointActions();
    makeBranchActions();
    makePictureActions();
    makeRegionActions();
    makeStoreActions();
    for (QAction* action : m_treeActions)
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    for (const auto& [action, key] : m_viewKeys)
        action->setShortcutContext(Qt::WidgetShortcut);
}

QAction* WindowActions::add(const QString& text, const QString& icon, const Keys& shortcuts,
                            const QString& tip) {
    auto* action = new QAction(text, this);
    if (!icon.isEmpty())
        action->setIcon(symbolicIcon(icon));
    action->setShortcuts(shortcuts);
    if (!tip.isEmpty())
        action->setStatusTip(tip);
    QString hint = tip.isEmpty() ? QString(text).remove(u'&').remove(QStringLiteral("…")) : tip;
    if (!shortcuts.isEmpty())
        hint += QStringLiteral(" (%1)").arg(shortcuts.first().toString(QKeySequence::NativeText));
    action->setToolTip(hint);
    m_groups.last().actions << action;
    return action;
}

void WindowActions::allow(QAction& action, const QString& whyNot) {
    action.setEnabled(whyNot.isEmpty());
    action.setData(whyNot);
}

void WindowActions::makePointActions() {
    m_groups.append({tr("At the cursor"), {}});
    branchHere = add(tr("&Branch here…"), "branch-add", Keys{Qt::Key_B}, tr("Make a branch at the cursor"));
    branchHere->setIconText(tr("Branch"));
    peek = add(tr("&Peek"), "peek", Keys{Qt::Key_Space}, tr("Open a read-only psql at the cursor"));
    restore =
        add(tr("&Restore to here…"), "restore", Keys{Qt::Key_R}, tr("Take the branch back to the cursor"));
    checkpoint =
        add(tr("&Checkpoint here…"), "checkpoint", Keys{Qt::Key_C}, tr("Name the position at the cursor"));
    restore->setIconText(tr("Restore…"));
    checkpoint->setIconText(tr("Checkpoint"));
    m_treeActions << m_groups.last().actions;
    m_branchActions << m_groups.last().actions;
}

void WindowActions::makeBranchActions() {
    m_groups.append({tr("The selected branch"), {}});
    psql =
        add(tr("Open &psql"), "terminal", Keys{Qt::Key_Return, Qt::Key_Enter}, tr("Open psql on the branch"));
    copyUrl = add(tr("Copy &URL"), "copy", Keys{QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C)});
    copyTcpUrl = add(tr("Copy URL with &password (TCP)"), "copy");
    copyEnvironment = add(tr("Copy &environment"), "copy", {}, tr("Copy PGHOST, PGPORT and the others"));
    copyService =
        add(tr("Write &service file"), "connect", {},
            tr("Write a PGSERVICEFILE with a service for each branch, and copy a command that uses it"));
    start = add(tr("&Start"), "start", {}, tr("Start the branch's PostgreSQL"));
    stop = add(tr("S&top"), "stop", {}, tr("Stop the branch's PostgreSQL"));
    restart = add(tr("Rest&art"), "reset", {}, tr("Stop and start the branch's PostgreSQL"));
    rename = add(tr("&Rename…"), "rename", Keys{Qt::Key_F2});
    reset = add(tr("R&eset to the parent's head"), "reset", {}, tr("Throw away what the branch wrote"));
    protect = add(tr("Pr&otected"), "protect", {}, tr("Refuse to delete, restore or reset the branch"));
    protect->setCheckable(true);
    expiry = add(tr("E&xpiry…"), "expiry", {}, tr("Delete the branch by itself after some time"));
    exportBranch = add(tr("Export…"), "export", {},
                       tr("Write the branch, at the cursor, as a data directory or a dump"));
    remove = add(tr("&Delete"), "delete", Keys{Qt::Key_Delete}, tr("Move the branch to the trash"));
    solo = add(tr("Show &only its family"), "filter");
    solo->setCheckable(true);
    m_treeActions << psql << rename << remove;
    m_branchActions << m_groups.last().actions;
}

// Keys of the timeline itself: they are listed here, found by the palette, and done by the view.
void WindowActions::makePictureActions() {
    m_groups.append({tr("The timeline"), {}});
    for (const auto& [text, key] : std::initializer_list<std::pair<QString, Qt::Key>>{
             {tr("Previous mark"), Qt::Key_Comma},
             {tr("Next mark"), Qt::Key_Period},
             {tr("Back to the head: no cursor"), Qt::Key_Escape},
             {tr("Zoom in"), Qt::Key_W},
             {tr("Zoom out"), Qt::Key_S},
             {tr("Earlier"), Qt::Key_A},
             {tr("Later"), Qt::Key_D},
             {tr("Fit the selection"), Qt::Key_F},
             {tr("Show everything"), Qt::Key_0}}) {
        QAction* action = add(text, {}, Keys{key});
        m_viewKeys.append({action, key});
        m_storeActions << action;
    }
}

void WindowActions::makeRegionActions() {
    m_groups.append({tr("Finding your way"), {}});
    palette = add(tr("Search or run…"), "search", Keys{QKeySequence(Qt::CTRL | Qt::Key_K)},
                  tr("All actions and branches"));
    filter = add(tr("Filter branches"), "filter", Keys{QKeySequence::Find});
    navigatorRegion = add(tr("Go to the navigator"), {}, Keys{QKeySequence(Qt::ALT | Qt::Key_1)});
    treeRegion = add(tr("Go to the branches"), {}, Keys{QKeySequence(Qt::ALT | Qt::Key_2)});
    inspectorRegion = add(tr("Go to the inspector"), {}, Keys{QKeySequence(Qt::ALT | Qt::Key_3)});
    docksRegion = add(tr("Go to the panels below"), {}, Keys{QKeySequence(Qt::ALT | Qt::Key_4)});
    jobs = add(tr("Jobs"), "jobs", Keys{QKeySequence(Qt::CTRL | Qt::Key_J)}, tr("What is being done"));
    keys = add(tr("Keys"), "keys", Keys{Qt::Key_Question, Qt::Key_F1});
    m_storeActions << filter << navigatorRegion << treeRegion << inspectorRegion << docksRegion;
}

void WindowActions::makeStoreActions() {
    m_groups.append({tr("The store"), {}});
    undo = add(tr("Undo"), "undo", QKeySequence::keyBindings(QKeySequence::Undo));
    redo = add(tr("Redo"), "redo", Keys{QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Z)});
    openStore = add(tr("&Open a store…"), "open", Keys{QKeySequence::Open});
    importDatabase = add(tr("&Bring your own database…"), "import", Keys{QKeySequence(Qt::CTRL | Qt::Key_I)},
                         tr("Make a branch of a data directory, a running server, or a dump"));
    newCluster = add(tr("&New cluster…"), "new", {}, tr("Make a new store with an empty database"));
    tryDemo = add(tr("Try the &demo"), "demo", {}, tr("Make a small bank with a past worth looking at"));
    scrub = add(tr("&Check the store"), "good", {}, tr("Read everything and compare it with its checksums"));
    preferences = add(tr("&Preferences…"), "settings", Keys{QKeySequence(Qt::CTRL | Qt::Key_Comma)});
    stopEngine = add(tr("&Stop the engine"), "engine", {}, tr("Stop every branch and the engine, and leave"));
    quit = add(tr("&Quit"), {}, Keys{QKeySequence(Qt::CTRL | Qt::Key_Q)},
               tr("Close the window; branches go on running"));
}

} // namespace arbor
