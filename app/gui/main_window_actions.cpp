// What the window's actions do.
#include "app/control/arguments.h"
#include "app/control/methods.h"
#include "app/gui/appearance.h"
#include "app/gui/branch_area.h"
#include "app/gui/export_dialog.h"
#include "app/gui/import_dialog.h"
#include "app/gui/inspector.h"
#include "app/gui/jobs_popup.h"
#include "app/gui/key_list.h"
#include "app/gui/log_panel.h"
#include "app/gui/main_window.h"
#include "app/gui/message_bar.h"
#include "app/gui/name_popup.h"
#include "app/gui/navigator.h"
#include "app/gui/outside_menu.h"
#include "app/gui/point_panel.h"
#include "app/gui/preferences_dialog.h"
#include "app/gui/problem_page.h"
#include "app/gui/relations_panel.h"
#include "app/gui/restore_panel.h"
#include "app/gui/symbolic_icon.h"
#include "app/gui/window_settings.h"
#include "widgets/models/format.h"
#include "widgets/views/position_field.h"

#include <QApplication>
#include <QDockWidget>
#include <QFileDialog>
#include <QLineEdit>
#include <QMenu>
#include <QToolButton>
#include <QTreeView>

#include <algorithm>

namespace arbor {

// --- The selection

const BranchRow* MainWindow::branch() const {
    return m_branchId == 0 ? nullptr : m_session.picture().branch(m_branchId);
}

QString MainWindow::positionOrHead() const {
    return m_position.isEmpty() ? QStringLiteral("head") : m_position;
}

void MainWindow::selectBranch(const QString& name) {
    if (const BranchRow* row = m_session.picture().branch(name))
        m_area->selectBranch(row->id);
}

// What was typed as "-5s" would be another place by the time that something is done there: from here on it is
// the LSN that it meant. A checkpoint keeps its name: it says the timeline too.
void MainWindow::setPoint(const QString& typed, Lsn lsn) {
    const bool named = typed.startsWith(QLatin1String("checkpoint:"));
    m_position = lsn && !named ? lsnDisplay(lsn) : typed;
    const BranchRow* selected = branch();
    if (m_position.isEmpty() || !selected || !lsn)
        m_area->clearCursor();
    else
        m_area->setCursor(m_branchId, lsn);
    m_inspector->closeRestore();
    m_inspector->point().setPoint(selected ? selected->name : QString(), m_position);
    updateNow();
    updateActions();
}

void MainWindow::connectPointActions() {
    connect(m_area, &BranchArea::branchSelected, this, [this](std::uint64_t id) {
        if (id == m_branchId)
            return;
        m_branchId = id;
        m_inspector->setBranch(id);
        m_log->setBranch(id);
        m_relations->setBranch(id);
        setPoint({}, {});
    });
    connect(m_area, &BranchArea::pointPicked, this, [this](std::uint64_t id, Lsn lsn) {
        if (id != m_branchId)
            m_area->selectBranch(id);
        setPoint(lsnDisplay(lsn), lsn);
    });
    connect(m_area, &BranchArea::cursorCleared, this, [this] { setPoint({}, {}); });
    connect(m_area, &BranchArea::psqlAsked, m_actions->psql, &QAction::trigger);
    connect(m_area, &BranchArea::menuAsked, this, [this](const QPoint& at) {
        auto* menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        menu->addActions({m_actions->psql, m_actions->copyUrl});
        menu->addSeparator();
        menu->addActions({m_actions->branchHere, m_actions->peek, m_actions->restore, m_actions->checkpoint});
        menu->addSeparator();
        menu->addActions({m_actions->start, m_actions->stop, m_actions->rename, m_actions->protect,
                          m_actions->expiry, m_actions->solo, m_actions->reset, m_actions->remove});
        menu->popup(at);
    });
    PointPanel* point = &m_inspector->point();
    connect(point, &PointPanel::positionChosen, this,
            [this](const QString& position, Lsn lsn) { setPoint(position, lsn); });
    connect(point, &PointPanel::headChosen, this, [this] { setPoint({}, {}); });
    for (const auto& [action, key] : m_actions->viewKeys())
        connect(action, &QAction::triggered, this, [this, key = key] { m_area->pressKey(key); });
    connectPositionField();
    connectNaming();
    connect(m_actions->exportBranch, &QAction::triggered, this, &MainWindow::openExport);
    connect(m_actions->branchHere, &QAction::triggered, this, &MainWindow::askBranch);
    connect(m_actions->checkpoint, &QAction::triggered, this, &MainWindow::askCheckpoint);
    connect(m_actions->peek, &QAction::triggered, this, [this] {
        if (const BranchRow* selected = branch())
            m_commands->openPsql(selected->name, positionOrHead());
    });
    connect(m_actions->restore, &QAction::triggered, this, [this] {
        if (branch() && !m_position.isEmpty())
            m_inspector->openRestore(m_position);
    });
    connect(&m_inspector->restore(), &RestorePanel::cancelled, this, [this] { m_area->setFocus(); });
    connect(&m_inspector->restore(), &RestorePanel::confirmed, this,
            [this](const QString& name, const QString& at) {
                m_inspector->closeRestore();
                m_commands->restore(name, at);
                setPoint({}, {});
                m_area->setFocus();
            });
}

// --- Branches

void MainWindow::connectBranchActions() {
    const auto onBranch = [this](QAction* action, auto run) {
        connect(action, &QAction::triggered, this, [this, run] {
            if (const BranchRow* selected = branch())
                run(*m_commands, selected->name);
        });
    };
    onBranch(m_actions->psql, [](StoreCommands& c, const QString& name) { c.openPsql(name); });
    onBranch(m_actions->copyUrl, [](StoreCommands& c, const QString& name) { c.copyUrl(name, false); });
    onBranch(m_actions->copyTcpUrl, [](StoreCommands& c, const QString& name) { c.copyUrl(name, true); });
    onBranch(m_actions->copyEnvironment,
             [](StoreCommands& c, const QString& name) { c.copyEnvironment(name); });
    onBranch(m_actions->copyService, [](StoreCommands& c, const QString& name) { c.copyService(name); });
    onBranch(m_actions->start, [](StoreCommands& c, const QString& name) { c.start(name); });
    onBranch(m_actions->stop, [](StoreCommands& c, const QString& name) { c.stop(name); });
    onBranch(m_actions->restart, [](StoreCommands& c, const QString& name) { c.restart(name); });
    onBranch(m_actions->reset, [](StoreCommands& c, const QString& name) { c.reset(name); });
    onBranch(m_actions->remove, [](StoreCommands& c, const QString& name) { c.remove(name); });
    connect(m_actions->protect, &QAction::triggered, this, [this](bool on) {
        if (const BranchRow* selected = branch())
            m_commands->setProtected(selected->name, on);
    });
    connect(&m_inspector->outside(), &OutsideMenu::chosen, this, [this](const QString& rule, bool allow) {
        if (const BranchRow* selected = branch())
            m_commands->setAllowed(selected->name, rule, allow);
    });
    connect(m_actions->solo, &QAction::triggered, this,
            [this](bool on) { m_area->setSolo(on ? m_branchId : 0); });
    connect(m_actions->rename, &QAction::triggered, this, &MainWindow::askRename);
    connect(m_actions->expiry, &QAction::triggered, this, &MainWindow::askExpiry);
}

QString MainWindow::nameFault(const QString& name, bool checkpoint) const {
    if (const Status checked = checkName(checkpoint ? "checkpoint" : "branch", name.toStdString()); !checked)
        return QString::fromStdString(checked.error().message());
    const StorePicture& picture = m_session.picture();
    if (!checkpoint)
        return picture.branch(name) ? tr("There is a branch %1 already.").arg(name) : QString();
    const BranchRow* selected = branch();
    const bool taken = std::ranges::any_of(picture.checkpoints, [&](const CheckpointFacts& other) {
        return selected && other.branch == selected->name && other.name == name;
    });
    return taken ? tr("%1 has a checkpoint %2 already.").arg(selected->name, name) : QString();
}

QString MainWindow::freeName(const QString& stem, bool checkpoint) const {
    for (int n = 1;; ++n)
        if (const QString name = QStringLiteral("%1-%2").arg(stem).arg(n);
            nameFault(name, checkpoint).isEmpty() || n > 9999)
            return name;
}

// The line edit is where the branch will stand; the request's answer closes it or says what is wrong.
void MainWindow::askBranch() {
    const BranchRow* selected = branch();
    if (!selected)
        return;
    m_area->setFocus();
    m_namedAt = m_position;
    m_area->timelineView().nameBranch(selected->id, m_position.isEmpty() ? selected->headLsn : pointLsn(),
                                      freeName(selected->name.section(u'/', -1), false));
}

void MainWindow::askCheckpoint() {
    const BranchRow* selected = branch();
    if (!selected)
        return;
    m_area->setFocus();
    m_namedAt = m_position;
    m_area->timelineView().nameCheckpoint(selected->id, m_position.isEmpty() ? selected->headLsn : pointLsn(),
                                          freeName(tr("checkpoint"), true));
}

Lsn MainWindow::pointLsn() const {
    const auto& cursor = m_area->timelineView().cursor();
    return cursor ? cursor->lsn : m_inspector->point().lsn();
}

void MainWindow::connectNaming() {
    BranchTimelineView* view = &m_area->timelineView();
    const auto ended = [this, view](const QString& problem) {
        if (problem.isEmpty()) {
            view->endNaming();
            m_area->setFocus();
        } else {
            view->namingFailed(problem);
        }
    };
    connect(view, &BranchTimelineView::branchNamed, this,
            [=, this](const QString& name, const QString& expiry, std::uint64_t parentId) {
                if (const BranchRow* parent = m_session.picture().branch(parentId))
                    m_commands->createBranch(name, parent->name, m_namedAt, expiry, ended);
            });
    connect(view, &BranchTimelineView::checkpointNamed, this,
            [=, this](const QString& name, std::uint64_t branchId) {
                if (const BranchRow* row = m_session.picture().branch(branchId))
                    m_commands->createCheckpoint(name, row->name, m_namedAt, ended);
            });
    connect(view, &BranchTimelineView::namingCancelled, this, [this] { m_area->setFocus(); });
}

// The field beside the cursor asks as the inspector does; both show what the engine answers.
void MainWindow::connectPositionField() {
    PositionField* field = &m_area->timelineView().positionField();
    PointPanel* point = &m_inspector->point();
    connect(point, &PointPanel::resolved, field, &PositionField::setResolved);
    connect(point, &PointPanel::unresolved, field, &PositionField::setProblem);
    connect(field, &PositionField::typed, this, [this, point](const QString& text, bool final) {
        if (const BranchRow* selected = branch())
            point->tryPosition(selected->name, text.trimmed(), final);
    });
}

void MainWindow::askRename() {
    const BranchRow* selected = branch();
    if (!selected)
        return;
    const QString before = selected->name;
    NamePopup::Question question;
    question.title = tr("Rename %1").arg(before);
    question.name = before;
    question.button = tr("Rename");
    question.fault = [=, this](const QString& name) {
        return name == before ? QString() : nameFault(name, false);
    };
    question.accept = [=, this](const QString& name, const QString&) { m_commands->rename(before, name); };
    m_name->ask(std::move(question));
}

void MainWindow::askExpiry() {
    const BranchRow* selected = branch();
    if (!selected)
        return;
    const QString name = selected->name;
    NamePopup::Question question;
    question.title = tr("Delete %1 by itself after (never, 7d, 12h …)").arg(name);
    question.name = selected->expiresAt ? QStringLiteral("never") : QStringLiteral("7d");
    question.button = tr("Set expiry");
    question.fault = [](const QString& text) {
        if (text == QLatin1String("never"))
            return QString();
        const auto after = parseDuration(text.toStdString());
        return after ? QString() : QString::fromStdString(after.error().message());
    };
    question.accept = [=, this](const QString& text, const QString&) { m_commands->setExpiry(name, text); };
    m_name->ask(std::move(question));
}

// --- The store

void MainWindow::connectStoreActions() {
    connect(m_actions->undo, &QAction::triggered, this, [this] { m_commands->undo(); });
    connect(m_actions->redo, &QAction::triggered, this, [this] { m_commands->redo(); });
    connect(m_actions->tryDemo, &QAction::triggered, this, [this] { chooseStore(QStringLiteral("demo")); });
    connect(m_actions->newCluster, &QAction::triggered, this, [this] { chooseStore(QStringLiteral("new")); });
    connect(m_actions->openStore, &QAction::triggered, this, [this] { chooseStore(QStringLiteral("open")); });
    connect(m_actions->scrub, &QAction::triggered, m_commands, &StoreCommands::scrub);
    connect(m_actions->importDatabase, &QAction::triggered, this, &MainWindow::openImport);
    connect(m_actions->preferences, &QAction::triggered, this, &MainWindow::openPreferences);
    connect(m_actions->quit, &QAction::triggered, this, &QWidget::close);
    connect(m_actions->stopEngine, &QAction::triggered, this,
            [this] { m_session.request(method::engineStop, {}, this, [this](const auto&) { close(); }); });
    connect(m_actions->palette, &QAction::triggered, this, &MainWindow::openPalette);
    connect(m_actions->keys, &QAction::triggered, this, [this] { (new KeyList(*m_actions, this))->open(); });
    connect(m_actions->jobs, &QAction::triggered, this, [this] {
        m_jobs->refresh();
        const QPoint under = m_jobsButton->mapToGlobal(QPoint(m_jobsButton->width(), m_jobsButton->height()));
        m_jobs->move(under - QPoint(m_jobs->width(), 0));
        m_jobs->show();
    });
    connectRegions();
    connect(m_problem, &ProblemPage::retryAsked, &m_session, &StoreSession::tryAgain);
    connect(m_problem, &ProblemPage::openOtherAsked, m_actions->openStore, &QAction::trigger);
}

void MainWindow::raiseDock(const QString& name) {
    auto* dock = findChild<QDockWidget*>(name);
    dock->show();
    dock->raise();
}

void MainWindow::connectRegions() {
    for (const QAction* action : {m_actions->filter, m_actions->navigatorRegion})
        connect(action, &QAction::triggered, this, [this] {
            raiseDock(QStringLiteral("navigator"));
            m_navigator->filter()->setFocus();
        });
    connect(m_actions->treeRegion, &QAction::triggered, this, [this] { m_area->setFocus(); });
    connect(m_actions->inspectorRegion, &QAction::triggered, this, [this] {
        raiseDock(QStringLiteral("inspector"));
        // the inspector's field is the one beside the cursor while there is one
        if (m_area->timelineView().cursor())
            m_area->timelineView().positionField().focusForTyping();
        else
            m_inspector->point().field()->setFocus();
    });
    connect(m_actions->docksRegion, &QAction::triggered, this, [this] {
        for (QDockWidget* dock : m_docks)
            if (dockWidgetArea(dock) == Qt::BottomDockWidgetArea && !dock->visibleRegion().isEmpty()) {
                dock->widget()->setFocus();
                if (QWidget* first = dock->widget()->nextInFocusChain())
                    first->setFocus(Qt::TabFocusReason);
                return;
            }
    });
}

// At the first run the place is the default one; with a store open a new one needs a place of its own.
void MainWindow::chooseStore(const QString& what) {
    if (m_session.state() == StoreSession::State::NoStore && what != QLatin1String("open")) {
        m_session.makeStore(what == QLatin1String("demo"));
        return;
    }
    const QString title =
        what == QLatin1String("open") ? tr("Open a store") : tr("An empty directory for the new store");
    auto* dialog = new QFileDialog(this, title);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::Directory);
    dialog->setOption(QFileDialog::ShowDirsOnly);
    connect(dialog, &QFileDialog::fileSelected, this,
            [this, what](const QString& directory) { Q_EMIT storeAsked(directory, what); });
    dialog->open();
}

void MainWindow::openPreferences() {
    const bool connected = m_session.state() == StoreSession::State::Connected;
    auto* dialog =
        new PreferencesDialog(connected ? m_session.picture().settings : QMap<QString, QString>(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, dialog] {
        WindowSettings settings;
        settings.setTerminal(dialog->terminal());
        if (settings.appearance() != dialog->appearance()) {
            settings.setAppearance(dialog->appearance());
            applyAppearance(dialog->appearance());
        }
        m_commands->setTerminalSearch({dialog->terminal(), qEnvironmentVariable("TERMINAL"), {}});
        const QMap<QString, QString> changed = dialog->changedSettings();
        for (auto setting = changed.begin(); setting != changed.end(); ++setting)
            m_commands->setSetting(setting.key(), setting.value());
    });
    dialog->open();
}

void MainWindow::openImport() {
    const auto state = m_session.state();
    if (state != StoreSession::State::Connected && state != StoreSession::State::NoStore)
        return;
    auto* dialog = new ImportDialog(
        m_session, [this](const QString& name) { return nameFault(name, false); }, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &ImportDialog::imported, this, [this](const QString& name) {
        if (m_session.picture().branch(name))
            selectBranch(name);
        else
            Q_EMIT m_commands->branchMade(name);
    });
    dialog->open();
}

void MainWindow::openExport() {
    const BranchRow* selected = branch();
    if (!selected)
        return;
    auto* dialog = new ExportDialog(m_session, selected->name, m_position, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void MainWindow::openPalette() {
    std::vector<CommandPalette::Entry> entries;
    for (const WindowActions::Group& group : m_actions->groups())
        for (QAction* action : group.actions)
            if (action != m_actions->palette)
                entries.push_back({action->text().remove(u'&'),
                                   action->isEnabled() ? action->shortcut().toString(QKeySequence::NativeText)
                                                       : WindowActions::whyNot(*action),
                                   action->icon(), [action] { action->trigger(); }, action->isEnabled()});
    for (const BranchRow& row : m_session.picture().branches)
        entries.push_back(
            {row.name, tr("branch"), symbolicIcon(QStringLiteral("branch")), [this, name = row.name] {
                 selectBranch(name);
                 m_area->setFocus();
             }});
    for (const QDockWidget* dock : m_docks)
        entries.push_back({tr("Show %1").arg(dock->windowTitle()),
                           m_docksShown ? QString() : tr("needs a store"),
                           {},
                           [this, name = dock->objectName()] { raiseDock(name); },
                           m_docksShown});
    m_palette->open(std::move(entries));
}

} // namespace arbor
