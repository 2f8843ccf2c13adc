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
#include "app/gui/notifier.h"
#include "app/gui/picture_json.h"
#include "app/gui/point_panel.h"
#include "app/gui/preflight.h"
#include "app/gui/problem_page.h"
#include "app/gui/reclaim_panel.h"
#include "app/gui/relations_panel.h"
#include "app/gui/storage_panel.h"
#include "app/gui/symbolic_icon.h"
#include "app/gui/wait_page.h"
#include "app/gui/window_settings.h"
#include "widgets/models/format.h"

#include <QCloseEvent>
#include <QDockWidget>
#include <QFileInfo>
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

#include <algorithm>

namespace arbor {

namespace {

constexpr int layoutVersion = 1;
constexpr int agesEveryMs = 1000;
constexpr std::int64_t longJobMicros = 5'000'000; // worth a notification when nobody looks

QWidget* spacer(QWidget* parent) {
    auto* widget = new QWidget(parent);
    widget->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    return widget;
}

} // namespace

MainWindow::MainWindow(StoreSession& session, QWidget* parent)
    : QMainWindow(parent), m_session(session), m_actions(new WindowActions(this)),
      m_messages(new MessageBar(this)), m_limit(new MessageBar(this)),
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
    auto* ages = new QTimer(this);
    connect(ages, &QTimer::timeout, m_area, &BranchArea::setNow);
    ages->start(agesEveryMs);
}

MainWindow::~MainWindow() = default;

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

void MainWindow::showReclaim() {
    auto* dock = findChild<QDockWidget*>(QStringLiteral("reclaim"));
    dock->show();
    dock->raise();
}

// One zoom for the timeline and for the plot.
void MainWindow::connectStorageDocks() {
    connect(m_storage, &StoragePanel::reclaimAsked, this, [this] {
        showReclaim();
        m_reclaim->setFocus();
    });
    connect(m_reclaim, &ReclaimPanel::cancelAsked, m_commands, &StoreCommands::cancelJob);
    connect(m_storage, &StoragePanel::rangeShown, m_area, &BranchArea::showTimes);
    connect(m_area, &BranchArea::timesShown, m_storage, &StoragePanel::showRange);
    connect(m_area, &BranchArea::historyEdgeMoved, this, [this](const QString& duration) {
        showReclaim();
        m_reclaim->simulateHistory(duration);
    });
    connect(m_area, &BranchArea::historyTimeAsked, this, [this](const QString& duration) {
        m_reclaim->simulateHistory({}); // from now on it is the one that is set
        m_commands->setSetting(QStringLiteral("history-time"), duration);
    });
}

// --- What the session says

void MainWindow::connectSession() {
    connect(&m_session, &StoreSession::stateChanged, this, &MainWindow::showState);
    connect(&m_session, &StoreSession::pictureChanged, this, &MainWindow::showPicture);
    connect(&m_session, &StoreSession::jobChanged, this, &MainWindow::showJob);
    connect(&m_session, &StoreSession::warned, this, [this](const QString& text) {
        m_messages->show(MessageBar::Kind::Problem, text);
        if (!isActiveWindow())
            notifyDesktop(tr("PgArbor"), text);
    });
    connect(&m_session.marks(), &MarksStore::changed, this, &MainWindow::hintAtTheDemo);
    connect(m_commands, &StoreCommands::branchMade, this, [this](const QString& name) {
        // with the next picture
        auto* once = new QObject(this);
        connect(&m_session, &StoreSession::pictureChanged, once, [this, once, name] {
            if (m_session.picture().branch(name)) {
                once->deleteLater();
                selectBranch(name);
            }
        });
    });
}

void MainWindow::showState() {
    using State = StoreSession::State;
    const State state = m_session.state();
    const bool open = state == State::Connected || state == State::EngineGone ||
                      (state == State::Connecting && !m_session.picture().branches.empty());
    m_goneStrip->setVisible(open && state != State::Connected);
    m_gone->setText(
        state == State::Connecting
            ? tr("The engine is being started…")
            : tr("The engine is gone. What you see is the last that was known; it is tried again."));
    if (auto* restart = m_goneStrip->findChild<QPushButton*>())
        restart->setEnabled(state == State::EngineGone);
    m_area->setStale(state != State::Connected);
    for (QDockWidget* dock : m_docks) {
        dock->widget()->setEnabled(state == State::Connected);
        if (!open)
            dock->hide();
        else if (!m_expandedOnce)
            dock->show();
    }
    if (open && !m_expandedOnce) {
        m_expandedOnce = true;
        restoreLayout();
    }
    if (open)
        m_pages->setCurrentWidget(m_area);
    else if (state == State::NoStore)
        m_pages->setCurrentWidget(m_firstRun);
    else if (state == State::Failed) {
        m_problem->setProblem(problemFromMessage(m_session.store(), m_session.problem()));
        m_pages->setCurrentWidget(m_problem);
    } else {
        m_wait->setProgress(tr("Opening the store"), {}, -1);
        m_pages->setCurrentWidget(m_wait);
    }
    m_firstRun->setStore(m_session.store());
    const QString name = QFileInfo(m_session.store()).fileName();
    setWindowTitle(open ? tr("%1 – PgArbor").arg(name) : QStringLiteral("PgArbor"));
    updateActions();
    if (state == State::Connected)
        m_area->setFocus();
}

void MainWindow::showPicture(StoreSession::Parts parts) {
    using S = StoreSession;
    if (parts & S::Branches) {
        m_area->refresh();
        m_inspector->refresh();
        m_relations->refresh();
        updateNow();
    }
    if (parts & (S::Parts(S::Branches) | S::Checkpoints | S::Trash))
        m_navigator->refresh();
    if (parts & S::Operations)
        m_activity->refresh();
    if (parts & (S::Parts(S::Stats) | S::Checkpoints | S::Trash | S::Settings))
        m_reclaim->refresh();
    if (parts & S::Settings)
        m_area->setNow(); // where the history window begins
    if (parts & S::Stats) {
        m_storage->refresh();
        showLimit();
    }
    if (parts & S::Engine)
        if (const auto problem = problemOfEngine(m_session.picture().engine))
            m_messages->show(
                MessageBar::Kind::Problem, tr("%1. %2").arg(problem->title, problem->text),
                problem->command.isEmpty() ? QString() : tr("Copy command"),
                problem->command.isEmpty() ? std::function<void()>() : [command = problem->command] {
                    StoreCommands::copyText(command);
                });
    updateActions();
}

void MainWindow::showJob(const JobFacts& job) {
    if (m_pages->currentWidget() == m_wait && job.running())
        m_wait->setProgress(tr("Making the store"), job.text, job.fraction.value_or(-1));
    const auto running = std::ranges::count_if(m_session.picture().jobs, &JobFacts::running);
    m_jobsButton->setText(running > 0 ? tr("%n job(s)", nullptr, static_cast<int>(running)) : tr("Jobs"));
    if (!job.running() && job.finishedAt - job.startedAt > Duration{longJobMicros} && !isActiveWindow())
        notifyDesktop(job.state == QLatin1String("done") ? tr("Done") : tr("Not done"),
                      job.error.isEmpty() ? job.title : tr("%1: %2").arg(job.title, job.error));
}

// Once when it becomes worse; a person who has closed it knows. It goes when it no longer holds.
void MainWindow::showLimit() {
    const QJsonObject& stats = m_session.picture().stats;
    const int state = stats["limitState"].toInt();
    const int before = std::exchange(m_limitState, state);
    if (state == 0) {
        m_limit->hide();
        return;
    }
    if (state <= before && m_limit->isHidden())
        return;
    QString text = stats["warning"].toString();
    text = tr("%1.").arg(text.left(1).toUpper() + text.mid(1));
    if (const QString remedies = remediesFromJson(stats["remedies"]); !remedies.isEmpty())
        text += u' ' + tr("What helps most: %1.").arg(remedies);
    m_limit->show(MessageBar::Kind::Problem, text, tr("Free space"), [this] {
        showReclaim();
        m_reclaim->setFocus();
    });
    if (state > before && !isActiveWindow())
        notifyDesktop(tr("PgArbor"), text);
}

void MainWindow::updateNow() {
    const BranchRow* selected = branch();
    m_now->setText(!selected || m_position.isEmpty() ? tr("● Now")
                                                     : tr("◆ %1 at %2").arg(selected->name, m_position));
    m_now->setToolTip(m_position.isEmpty() ? tr("Actions go to the head of the selected branch")
                                           : tr("Actions go to the cursor; Escape takes it away"));
}

// Once, in a store in which nothing but the demo has happened: where to begin.
void MainWindow::hintAtTheDemo() {
    const StorePicture& picture = m_session.picture();
    if (m_hinted || picture.operations.empty() ||
        !std::ranges::all_of(picture.operations, [](const auto& o) { return o.client == u"demo"; }))
        return;
    for (const BranchRow& row : picture.branches) {
        const auto drop = m_session.marks().previous(row.id, row.headLsn + 1, markBit(MarkKind::Drop));
        if (!row.root || !drop)
            continue;
        m_hinted = true;
        m_messages->show(MessageBar::Kind::Hint,
                         tr("A table was dropped on %1: the last red mark on its bar. Click it to go to the "
                            "moment before, then press Space to look, B to branch or R to restore.")
                             .arg(row.name),
                         tr("Show me"), [this, name = row.name, lsn = drop->lsn] {
                             selectBranch(name);
                             setPoint(lsnDisplay(lsn), lsn);
                             m_area->setFocus();
                         });
        return;
    }
}

void MainWindow::updateActions() {
    const bool connected = m_session.state() == StoreSession::State::Connected;
    const BranchRow* selected = connected ? branch() : nullptr;
    for (QAction* action : m_actions->branchActions())
        action->setEnabled(selected != nullptr);
    const StorePicture& picture = m_session.picture();
    const OperationFacts* undo = connected ? picture.nextUndo() : nullptr;
    const OperationFacts* redo = connected ? picture.nextRedo() : nullptr;
    m_actions->undo->setEnabled(undo);
    m_actions->undo->setToolTip(undo ? tr("Undo: %1").arg(undo->text) : tr("Nothing to undo"));
    m_actions->redo->setEnabled(redo);
    m_actions->redo->setToolTip(redo ? tr("Redo: %1").arg(redo->text) : tr("Nothing to redo"));
    m_actions->scrub->setEnabled(connected);
    m_actions->stopEngine->setEnabled(connected);
    if (!selected)
        return;
    const bool runs = selected->state == BranchState::Running || selected->state == BranchState::Starting;
    m_actions->start->setEnabled(!runs);
    m_actions->stop->setEnabled(runs);
    m_actions->restart->setEnabled(runs);
    m_actions->reset->setEnabled(!selected->root && !selected->isProtected);
    m_actions->remove->setEnabled(!selected->isProtected);
    m_actions->restore->setEnabled(!m_position.isEmpty() && !selected->isProtected);
    const QSignalBlocker quiet(m_actions->protect);
    m_actions->protect->setChecked(selected->isProtected);
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
    if (m_expandedOnce) // otherwise the docks are hidden because there is nothing to show
        settings.setBytes(QStringLiteral("docks"), saveState(layoutVersion));
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
