// What the window shows of the store: its state, and what the session says of it.
#include "app/gui/activity_panel.h"
#include "app/gui/branch_area.h"
#include "app/gui/first_run_page.h"
#include "app/gui/inspector.h"
#include "app/gui/main_window.h"
#include "app/gui/message_bar.h"
#include "app/gui/navigator.h"
#include "app/gui/notifier.h"
#include "app/gui/picture_json.h"
#include "app/gui/preflight.h"
#include "app/gui/problem_page.h"
#include "app/gui/reclaim_panel.h"
#include "app/gui/relations_panel.h"
#include "app/gui/storage_panel.h"
#include "app/gui/wait_page.h"
#include "widgets/models/format.h"

#include <QDockWidget>
#include <QFileInfo>
#include <QLabel>
#include <QPushButton>
#include <QStackedWidget>
#include <QToolButton>

#include <algorithm>

namespace arbor {

namespace {

const QLatin1String noMoreWrites("The store takes no more writes"); // the engine's words as it ends
constexpr std::int64_t longJobMicros = 5'000'000;                   // worth a notification when nobody looks

QString inOneLine(const Problem& problem) {
    return QStringLiteral("%1. %2").arg(problem.title, problem.text);
}

} // namespace

void MainWindow::connectSession() {
    connect(&m_session, &StoreSession::stateChanged, this, &MainWindow::showState);
    connect(&m_session, &StoreSession::pictureChanged, this, &MainWindow::showPicture);
    connect(&m_session, &StoreSession::jobChanged, this, &MainWindow::showJob);
    connect(&m_session, &StoreSession::warned, this, [this](const QString& text) {
        const Problem problem = problemFromMessage(m_session.store(), text);
        if (problem.kind == Problem::Kind::NoSpace && text.startsWith(noMoreWrites))
            m_endedFor = inOneLine(problem);
        m_messages->show(MessageBar::Kind::Problem, text);
        if (!isActiveWindow())
            notifyDesktop(tr("PgArbor"), text);
    });
    const auto lookAgain = [this] {
        if (!m_knownTrouble.isEmpty())
            m_session.refresh(StoreSession::Engine); // it may have been mended
    };
    connect(&m_session, &StoreSession::operationDone, this, lookAgain);
    connect(&m_session, &StoreSession::failed, this, lookAgain);
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
    // what one said that ended is forgotten with the next, which may end before it says anything
    if (state == State::EngineGone && m_endedFor.isEmpty() && m_session.mayStartEngine())
        if (const auto full = problemOfDisk(m_session.store()))
            m_endedFor = inOneLine(*full);
    if (state == State::Connected && !m_endedFor.isEmpty()) {
        m_endedFor.clear(); // it is over, and so is what was said of it
        m_messages->hide();
    } else if (!m_endedFor.isEmpty()) {
        m_limit->hide(); // worse than it says; the next engine tells how it is
        m_limitState = 0;
    }
    m_gone->setText(
        state == State::Connecting ? tr("The engine is being started…")
        : m_endedFor.isEmpty()
            ? tr("The engine is gone. What you see is the last that was known; it is tried again.")
            : m_endedFor);
    if (auto* restart = m_goneStrip->findChild<QPushButton*>())
        restart->setEnabled(state == State::EngineGone);
    m_area->setStale(state != State::Connected);
    for (QDockWidget* dock : m_docks)
        dock->widget()->setEnabled(state == State::Connected);
    showDocks(open);
    if (state != State::Connected) {
        m_trouble->hide();
        m_knownTrouble.clear();
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

// The panels are there while there is something to show, and come back as they were.
void MainWindow::showDocks(bool open) {
    const bool before = std::exchange(m_docksShown, open);
    if (!open) {
        if (before)
            m_layout = saveState(layoutVersion);
        for (QDockWidget* dock : m_docks)
            dock->hide();
    } else if (!before && m_expandedOnce) {
        restoreState(m_layout, layoutVersion);
    } else if (!before) {
        m_expandedOnce = true;
        for (QDockWidget* dock : m_docks)
            dock->show();
        restoreLayout();
    }
}

void MainWindow::showPicture(StoreSession::Parts parts) {
    using S = StoreSession;
    if (parts & S::Branches) {
        m_area->refresh();
        m_inspector->refresh();
        m_relations->refresh();
        m_reclaim->headsMoved();
        updateNow();
    }
    if (parts & (S::Parts(S::Branches) | S::Checkpoints | S::Trash))
        m_navigator->refresh();
    if (parts & S::Operations)
        m_activity->refresh();
    if (parts & (S::Parts(S::Stats) | S::Checkpoints | S::Trash | S::Settings)) {
        m_reclaim->refresh();
        m_area->refreshRanges();
    }
    if (parts & S::Settings)
        m_area->setNow(); // where the history window begins
    if (parts & S::Stats) {
        m_storage->refresh();
        showLimit();
    }
    if (parts & S::Engine)
        showTrouble();
    updateActions();
}

// What keeps branches from being started, as long as it does; a person who has closed it knows.
void MainWindow::showTrouble() {
    const auto problem = problemOfEngine(m_session.picture().engine);
    if (!problem) {
        m_trouble->hide();
        m_knownTrouble.clear();
        return;
    }
    const QString text = tr("%1. %2").arg(problem->title, problem->text);
    if (std::exchange(m_knownTrouble, text) == text)
        return;
    // the server programs are looked for whenever they are asked for, the mount is made at the start
    const bool askOnly = problem->kind == Problem::Kind::NoPostgres;
    std::function<void()> again;
    if (askOnly || m_session.mayStartEngine())
        again = [this, askOnly] {
            m_knownTrouble.clear(); // it is to be said again
            if (askOnly)
                m_session.refresh(StoreSession::Engine);
            else
                m_session.restartEngine();
        };
    m_trouble->show(MessageBar::Kind::Problem, text, tr("Try again"), again);
    if (!problem->command.isEmpty())
        m_trouble->offer(tr("Copy command"),
                         [command = problem->command] { StoreCommands::copyText(command); });
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
        raiseDock(QStringLiteral("reclaim"));
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
    const auto allow = [](QAction* action, const QString& whyNot) { WindowActions::allow(*action, whyNot); };
    const bool connected = m_session.state() == StoreSession::State::Connected;
    const BranchRow* selected = connected ? branch() : nullptr;
    const QString noStore = m_docksShown ? QString() : tr("needs a store");
    const QString noEngine = connected || !m_docksShown ? noStore : tr("needs the engine");
    for (QAction* action : m_actions->storeActions())
        allow(action, noStore);
    for (QAction* action : {m_actions->scrub, m_actions->stopEngine})
        allow(action, noEngine);
    for (QAction* action : m_actions->branchActions())
        allow(action, selected || !connected ? noEngine : tr("needs a branch"));
    const StorePicture& picture = m_session.picture();
    const OperationFacts* undo = connected ? picture.nextUndo() : nullptr;
    const OperationFacts* redo = connected ? picture.nextRedo() : nullptr;
    allow(m_actions->undo, undo || !connected ? noEngine : tr("nothing to undo"));
    m_actions->undo->setToolTip(undo ? tr("Undo: %1").arg(undo->text) : tr("Nothing to undo"));
    allow(m_actions->redo, redo || !connected ? noEngine : tr("nothing to redo"));
    m_actions->redo->setToolTip(redo ? tr("Redo: %1").arg(redo->text) : tr("Nothing to redo"));
    if (!selected)
        return;
    const bool runs = selected->state == BranchState::Running || selected->state == BranchState::Starting;
    const QString guarded = selected->isProtected ? tr("it is protected") : QString();
    allow(m_actions->start, runs ? tr("it runs") : QString());
    for (QAction* action : {m_actions->stop, m_actions->restart})
        allow(action, runs ? QString() : tr("it does not run"));
    allow(m_actions->reset, selected->root ? tr("a root has no parent") : guarded);
    allow(m_actions->remove, guarded);
    allow(m_actions->restore, m_position.isEmpty() ? tr("needs a cursor") : guarded);
    const QSignalBlocker quiet(m_actions->protect);
    m_actions->protect->setChecked(selected->isProtected);
}

} // namespace arbor
