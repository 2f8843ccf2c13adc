#include "app/gui/main_window.h"

#include "app/gui/activity_panel.h"
#include "app/gui/branch_area.h"
#include "app/gui/first_run_page.h"
#include "app/gui/inspector.h"
#include "app/gui/jobs_popup.h"
#include "app/gui/log_panel.h"
#include "app/gui/looks.h"
#include "app/gui/message_bar.h"
#include "app/gui/name_popup.h"
#include "app/gui/navigator.h"
#include "app/gui/problem_page.h"
#include "app/gui/reclaim_panel.h"
#include "app/gui/relations_panel.h"
#include "app/gui/storage_panel.h"
#include "app/gui/symbolic_icon.h"
#include "app/gui/wait_page.h"
#include "app/gui/window_settings.h"

#include <QCloseEvent>
#include <QDockWidget>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QMenuBar>
#include <QPushButton>
#include <QStackedWidget>
#include <QTimer>
#include <QToolBar>
#include <QToolButton>
#include <QVBoxLayout>

namespace arbor {

namespace {

constexpr int agesEveryMs = 1000;
constexpr int navigatorEveryMs = 60'000; // it counts in minutes and more

QWidget* spacer(QWidget* parent) {
    auto* widget = new QWidget(parent);
    widget->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    return widget;
}

} // namespace

MainWindow::MainWindow(StoreSession& session, QWidget* parent)
    : QMainWindow(parent), m_session(session), m_actions(new WindowActions(this)),
      m_messages(new MessageBar(this)), m_limit(new MessageBar(this)), m_trouble(new MessageBar(this)),
      m_commands(new StoreCommands(session, *m_messages, this)), m_pages(new QStackedWidget(this)),
      m_firstRun(new FirstRunPage(m_actions->tryDemo, m_actions->newCluster, m_actions->importDatabase,
                                  m_actions->openStore)),
      m_problem(new ProblemPage), m_wait(new WaitPage), m_area(new BranchArea(session, *m_actions)),
      m_navigator(new Navigator(session)), m_inspector(new Inspector(session, *m_actions)),
      m_activity(new ActivityPanel(session)), m_log(new LogPanel(session)),
      m_relations(new RelationsPanel(session)), m_storage(new StoragePanel(session)),
      m_reclaim(new ReclaimPanel(session)), m_name(new NamePopup(this)), m_palette(new CommandPalette(this)),
      m_jobs(new JobsPopup(session, this)), m_gone(new QLabel(this)), m_goneStrip(new QWidget(this)),
      m_now(new QLabel(this)), m_jobsButton(new QToolButton(this)), m_searchButton(new QToolButton(this)) {
    setWindowIcon(QIcon(QStringLiteral(":/org.pgarbor.PgArbor.svg")));
    setDockNestingEnabled(true);
    for (QWidget* page : std::initializer_list<QWidget*>{m_wait, m_firstRun, m_problem, m_area})
        m_pages->addWidget(page);
    auto* restart =
        new QPushButton(symbolicIcon(QStringLiteral("engine")), tr("Start the engine"), m_goneStrip);
    restart->setObjectName(QStringLiteral("startEngine"));
    m_gone->setWordWrap(true);
    m_goneStrip->setObjectName(QStringLiteral("goneStrip"));
    m_goneStrip->setAutoFillBackground(true);
    auto* strip = new QHBoxLayout(m_goneStrip);
    strip->addWidget(m_gone, 1);
    strip->addWidget(restart);
    m_goneStrip->hide();
    auto* middle = new QWidget(this);
    auto* column = new QVBoxLayout(middle);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_goneStrip);
    m_limit->setObjectName(QStringLiteral("limitBar"));
    column->addWidget(m_limit);
    m_trouble->setObjectName(QStringLiteral("troubleBar"));
    column->addWidget(m_trouble);
    column->addWidget(m_pages, 1);
    column->addWidget(m_messages);
    m_pages->setObjectName(QStringLiteral("pages"));
    // the largest page must not decide how small the window can be: the first run has no docks beside it
    m_pages->setMinimumSize(360, 180);
    setCentralWidget(middle);
    makeToolBar();
    makeMenus();
    makeDocks();
    connect(restart, &QPushButton::clicked, &m_session, &StoreSession::startEngine);
    connectStoreActions();
    connectBranchActions();
    connectPointActions();
    connectSession();
    restoreLayout();
    showState();
    updateActions();
    tickAges();
}

MainWindow::~MainWindow() = default;

// Nothing of this asks the engine.
void MainWindow::tickAges() {
    auto* ages = new QTimer(this);
    connect(ages, &QTimer::timeout, m_area, &BranchArea::setNow);
    connect(ages, &QTimer::timeout, m_inspector, &Inspector::setNow);
    ages->start(agesEveryMs);
    auto* longer = new QTimer(this);
    connect(longer, &QTimer::timeout, m_navigator, &Navigator::refresh);
    longer->start(navigatorEveryMs);
}

// --- Building

void MainWindow::makeToolBar() {
    QToolBar* bar = addToolBar(tr("Tools"));
    bar->setObjectName(QStringLiteral("tools"));
    bar->setMovable(false);
    bar->setToolButtonStyle(Qt::ToolButtonIconOnly);
    bar->setIconSize(QSize(16, 16));
    auto* store = new QToolButton(bar);
    store->setObjectName(QStringLiteral("storeButton"));
    menuButton(*store, tr("Store"));
    store->setIcon(symbolicIcon(QStringLiteral("store")));
    store->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    auto* menu = new QMenu(store);
    menu->addActions({m_actions->openStore, m_actions->newCluster, m_actions->tryDemo});
    menu->addSeparator();
    menu->addAction(m_actions->importDatabase);
    menu->addSeparator();
    m_panels = menu->addMenu(tr("&Panels"));
    menu->addActions({m_actions->scrub, m_actions->preferences, m_actions->keys});
    menu->addSeparator();
    menu->addActions({m_actions->stopEngine, m_actions->quit});
    store->setMenu(menu);
    bar->addWidget(store);
    bar->addSeparator();
    bar->addActions({m_actions->undo, m_actions->redo});
    bar->addSeparator();
    auto* branch = new QToolButton(bar);
    branch->setDefaultAction(m_actions->branchHere);
    branch->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    branch->setAccessibleName(tr("Branch here"));
    bar->addWidget(branch);
    bar->addSeparator();
    m_now->setContentsMargins(8, 0, 8, 0);
    m_now->setTextFormat(Qt::PlainText);
    bar->addWidget(m_now);
    bar->addWidget(spacer(bar));
    m_searchButton->setDefaultAction(m_actions->palette);
    m_searchButton->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    m_searchButton->setText(
        tr("Search or run…   %1").arg(m_actions->palette->shortcut().toString(QKeySequence::NativeText)));
    m_searchButton->setAccessibleName(tr("Search or run"));
    bar->addWidget(m_searchButton);
    m_jobsButton->setDefaultAction(m_actions->jobs);
    m_jobsButton->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    bar->addWidget(m_jobsButton);
    for (QToolButton* button : bar->findChildren<QToolButton*>()) {
        button->setFocusPolicy(Qt::TabFocus);
        if (button->accessibleName().isEmpty() && button->defaultAction())
            button->setAccessibleName(button->defaultAction()->text().remove(u'&'));
    }
}

// The menu bar is not shown: it is there for its keys, and for desktops that show it at the top of the
// screen.
void MainWindow::makeMenus() {
    for (const WindowActions::Group& group : m_actions->groups())
        for (QAction* action : group.actions)
            if (action->shortcutContext() == Qt::WindowShortcut)
                addAction(action);
}

QDockWidget* MainWindow::addDock(const QString& title, const QString& name, QWidget* content,
                                 Qt::DockWidgetArea area) {
    auto* dock = new QDockWidget(title, this);
    dock->setObjectName(name);
    content->setMinimumHeight(96); // for a window of 600 pixels: less than the layouts would ask for
    dock->setWidget(content);
    dock->setFeatures(QDockWidget::DockWidgetClosable);
    // tabs name the panels below and the others name themselves: no title bars
    dock->setTitleBarWidget(new QWidget(dock));
    m_panels->addAction(dock->toggleViewAction());
    addDockWidget(area, dock);
    m_docks += dock;
    return dock;
}

void MainWindow::makeDocks() {
    setCorner(Qt::BottomRightCorner, Qt::RightDockWidgetArea);
    setTabPosition(Qt::AllDockWidgetAreas, QTabWidget::North);
    QDockWidget* navigator =
        addDock(tr("Navigator"), QStringLiteral("navigator"), m_navigator, Qt::LeftDockWidgetArea);
    QDockWidget* inspector =
        addDock(tr("Inspector"), QStringLiteral("inspector"), m_inspector, Qt::RightDockWidgetArea);
    QDockWidget* activity =
        addDock(tr("Activity"), QStringLiteral("activity"), m_activity, Qt::BottomDockWidgetArea);
    QDockWidget* log = addDock(tr("Log"), QStringLiteral("log"), m_log, Qt::BottomDockWidgetArea);
    QDockWidget* relations =
        addDock(tr("Relations"), QStringLiteral("relations"), m_relations, Qt::BottomDockWidgetArea);
    m_navigator->setMinimumWidth(190);
    m_inspector->setMinimumWidth(280);
    QDockWidget* storage =
        addDock(tr("Storage"), QStringLiteral("storage"), m_storage, Qt::BottomDockWidgetArea);
    QDockWidget* reclaim =
        addDock(tr("Reclaim"), QStringLiteral("reclaim"), m_reclaim, Qt::BottomDockWidgetArea);
    tabifyDockWidget(storage, reclaim);
    tabifyDockWidget(reclaim, activity);
    tabifyDockWidget(activity, log);
    tabifyDockWidget(log, relations);
    activity->raise();
    resizeDocks({navigator, inspector}, {216, 310}, Qt::Horizontal);
    resizeDocks({activity}, {210}, Qt::Vertical);
    connectStorageDocks();
    connect(m_activity, &ActivityPanel::undoAsked, m_commands, &StoreCommands::undo);
    connect(m_activity, &ActivityPanel::copyAsked, this, [this](const QString& command) {
        StoreCommands::copyText(command);
        m_messages->show(MessageBar::Kind::Done, tr("Copied: %1").arg(command));
    });
    connect(m_relations, &RelationsPanel::startAsked, m_commands, &StoreCommands::start);
    connect(m_jobs, &JobsPopup::cancelAsked, m_commands, &StoreCommands::cancelJob);
    connect(m_navigator, &Navigator::filterChanged, m_area, &BranchArea::setFilter);
    connect(m_navigator, &Navigator::branchChosen, this, &MainWindow::selectBranch);
    connect(m_navigator, &Navigator::bringBackAsked, m_commands, &StoreCommands::restoreFromTrash);
    connect(m_navigator, &Navigator::deleteCheckpointAsked, m_commands, &StoreCommands::deleteCheckpoint);
    connect(m_navigator, &Navigator::pointChosen, this,
            [this](const QString& branch, const QString& position) {
                selectBranch(branch);
                for (const CheckpointFacts& checkpoint : m_session.picture().checkpoints)
                    if (checkpoint.branch == branch &&
                        QStringLiteral("checkpoint:") + checkpoint.name == position)
                        setPoint(position, checkpoint.offLine ? Lsn() : checkpoint.lsn);
            });
}

// One zoom for the timeline and for the plot.
void MainWindow::connectStorageDocks() {
    connect(m_storage, &StoragePanel::reclaimAsked, this, [this] {
        raiseDock(QStringLiteral("reclaim"));
        m_reclaim->setFocus();
    });
    connect(m_reclaim, &ReclaimPanel::cancelAsked, m_commands, &StoreCommands::cancelJob);
    connect(m_storage, &StoragePanel::rangeShown, m_area, &BranchArea::showTimes);
    connect(m_area, &BranchArea::timesShown, m_storage, &StoragePanel::showRange);
    connect(m_area, &BranchArea::historyEdgeMoved, this, [this](const QString& duration) {
        raiseDock(QStringLiteral("reclaim"));
        m_reclaim->simulateHistory(duration);
    });
    connect(m_area, &BranchArea::historyTimeAsked, this, [this](const QString& duration) {
        m_reclaim->simulateHistory({}); // from now on it is the one that is set
        m_commands->setSetting(QStringLiteral("history-time"), duration);
    });
}

// --- The window itself

void MainWindow::raiseToFront() {
    setWindowState(windowState() & ~Qt::WindowMinimized);
    show();
    raise();
    activateWindow();
}

void MainWindow::restoreLayout() {
    const WindowSettings settings;
    resize(1280, 800);
    restoreGeometry(settings.bytes(QStringLiteral("geometry")));
    restoreState(settings.bytes(QStringLiteral("docks")), layoutVersion);
    // what a program once left closed must still be found
    if (settings.bytes(QStringLiteral("docks")).isEmpty())
        for (QDockWidget* dock : m_docks)
            dock->setVisible(m_expandedOnce);
}

void MainWindow::saveLayout() {
    WindowSettings settings;
    settings.setBytes(QStringLiteral("geometry"), saveGeometry());
    m_area->saveLayout();
    if (m_expandedOnce) // otherwise they are hidden because there has been nothing to show
        settings.setBytes(QStringLiteral("docks"), m_docksShown ? saveState(layoutVersion) : m_layout);
}

void MainWindow::closeEvent(QCloseEvent* event) {
    saveLayout();
    QMainWindow::closeEvent(event);
}

void MainWindow::changeEvent(QEvent* event) {
    QMainWindow::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        update();
}

} // namespace arbor
