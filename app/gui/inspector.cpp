#include "app/gui/inspector.h"

#include "app/gui/looks.h"
#include "app/gui/outside_menu.h"
#include "app/gui/point_panel.h"
#include "app/gui/restore_panel.h"
#include "app/gui/symbolic_icon.h"
#include "app/gui/window_actions.h"
#include "widgets/models/format.h"
#include "widgets/views/theme.h"

#include <QEvent>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenu>
#include <QStackedWidget>
#include <QToolButton>
#include <QVBoxLayout>

namespace arbor {

namespace {

QString stateText(BranchState state) {
    switch (state) {
    case BranchState::Stopped:
        return Inspector::tr("stopped");
    case BranchState::Starting:
        return Inspector::tr("starting…");
    case BranchState::Running:
        return Inspector::tr("running");
    case BranchState::Stopping:
        return Inspector::tr("stopping…");
    case BranchState::Failed:
        return Inspector::tr("failed");
    }
    return {};
}

QLabel* factLabel(QWidget* parent) {
    auto* label = new QLabel(parent);
    label->setTextFormat(Qt::PlainText);
    label->setWordWrap(true);
    label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    return label;
}

// A long name may be broken anywhere: it must not make the panel wider than the window leaves it.
QString breakable(const QString& name) {
    if (name.size() < 20)
        return name;
    QString text;
    for (const QChar letter : name) {
        text += letter;
        text += QChar(0x200B);
    }
    return text;
}

QFrame* line(QWidget* parent) {
    auto* frame = new QFrame(parent);
    frame->setFrameShape(QFrame::HLine);
    frame->setFrameShadow(QFrame::Plain);
    frame->setForegroundRole(QPalette::Midlight);
    return frame;
}

} // namespace

Inspector::Inspector(StoreSession& session, const WindowActions& actions, QWidget* parent)
    : QScrollArea(parent), m_session(session), m_actions(actions), m_pages(new QStackedWidget) {
    setFrameShape(QFrame::NoFrame);
    setWidgetResizable(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFocusPolicy(Qt::NoFocus);
    auto* empty = new QLabel(tr("Select a branch to see what it is and what can be done with it."), m_pages);
    empty->setWordWrap(true);
    empty->setAlignment(Qt::AlignCenter);
    empty->setContentsMargins(24, 24, 24, 24);
    empty->setEnabled(false);
    auto* page = new QWidget(m_pages);
    m_point = new PointPanel(session, actions, page);
    m_restore = new RestorePanel(session, page);
    auto* layout = new QVBoxLayout(page);
    layout->setContentsMargins(12, 10, 12, 10);
    layout->setSpacing(10);
    layout->addWidget(makeHead(actions));
    layout->addWidget(line(page));
    layout->addWidget(m_point);
    layout->addWidget(m_restore);
    layout->addWidget(line(page));
    layout->addWidget(makeFacts());
    layout->addStretch();
    m_pages->addWidget(empty);
    m_pages->addWidget(page);
    setWidget(m_pages);
    connect(m_restore, &RestorePanel::cancelled, this, &Inspector::closeRestore);
}

QWidget* Inspector::makeHead(const WindowActions& actions) {
    auto* head = new QWidget;
    m_name = factLabel(head);
    m_name->setTextInteractionFlags(Qt::NoTextInteraction);
    QFont large = font();
    large.setPointSizeF(large.pointSizeF() * 1.35);
    large.setBold(true);
    m_name->setFont(large);
    m_state = factLabel(head);
    m_error = factLabel(head);
    m_error->setObjectName(QStringLiteral("branchError"));
    auto* connectButton = new QToolButton(head);
    menuButton(*connectButton, tr("Connect"));
    connectButton->setIcon(symbolicIcon(QStringLiteral("connect")));
    connectButton->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    auto* connectMenu = new QMenu(connectButton);
    connectMenu->addActions(
        {actions.psql, actions.copyUrl, actions.copyTcpUrl, actions.copyEnvironment, actions.copyService});
    connectButton->setMenu(connectMenu);
    m_startStop = new QToolButton(head);
    m_startStop->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    auto* more = new QToolButton(head);
    menuButton(*more, tr("More"));
    more->setAccessibleName(tr("More actions on the branch"));
    more->setToolTip(more->accessibleName());
    more->setToolButtonStyle(Qt::ToolButtonTextOnly);
    auto* moreMenu = new QMenu(more);
    moreMenu->addActions({actions.rename, actions.protect, actions.expiry, actions.solo});
    moreMenu->addSeparator();
    m_outside = new OutsideMenu(moreMenu);
    moreMenu->addMenu(m_outside);
    moreMenu->addAction(actions.exportBranch);
    moreMenu->addSeparator();
    moreMenu->addActions({actions.restart, actions.reset, actions.remove});
    more->setMenu(moreMenu);
    auto* buttons = new QHBoxLayout;
    for (QToolButton* button : {connectButton, m_startStop, more}) {
        button->setFocusPolicy(Qt::StrongFocus);
        buttons->addWidget(button);
    }
    buttons->addStretch();
    auto* layout = new QVBoxLayout(head);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_name);
    layout->addWidget(m_state);
    layout->addWidget(m_error);
    layout->addLayout(buttons);
    return head;
}

QWidget* Inspector::makeFacts() {
    auto* facts = new QWidget;
    // no form layout: it gives a value that wraps the height of one line
    auto* grid = new QGridLayout(facts);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setHorizontalSpacing(12);
    grid->setVerticalSpacing(6);
    grid->setColumnStretch(1, 1);
    const auto row = [&](const QString& title) {
        QLabel* value = factLabel(facts);
        auto* label = new QLabel(title, facts);
        label->setForegroundRole(QPalette::PlaceholderText);
        const int at = grid->rowCount();
        grid->addWidget(label, at, 0, Qt::AlignTop);
        grid->addWidget(value, at, 1, Qt::AlignTop);
        m_factTitles[value] = label;
        return value;
    };
    m_head = row(tr("Head"));
    m_forked = row(tr("Forked"));
    m_history = row(tr("History"));
    m_own = row(tr("Private"));
    m_shared = row(tr("Shared"));
    m_pins = row(tr("Pins"));
    m_expires = row(tr("Expires"));
    m_endpoint = row(tr("Endpoint"));
    m_allowed = row(tr("Allowed"));
    return facts;
}

void Inspector::setBranch(std::uint64_t branchId) {
    if (branchId != m_branchId)
        closeRestore();
    m_branchId = branchId;
    showFacts();
}

const BranchRow* Inspector::branch() const {
    return m_branchId == 0 ? nullptr : m_session.picture().branch(m_branchId);
}

void Inspector::refresh() {
    showFacts();
    if (const BranchRow* shown = branch())
        m_point->refresh(*shown);
}

void Inspector::showFacts() {
    const BranchRow* shown = branch();
    m_pages->setCurrentIndex(shown ? 1 : 0);
    if (shown)
        showBranch(*shown);
}

void Inspector::setNow() {
    if (const BranchRow* shown = branch())
        showTimes(*shown);
}

void Inspector::paintError() {
    QPalette red = palette();
    red.setColor(QPalette::WindowText, Theme(palette()).danger);
    m_error->setPalette(red);
}

void Inspector::changeEvent(QEvent* event) {
    QScrollArea::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && m_error)
        paintError();
}

void Inspector::setFact(QLabel* value, const QString& text) {
    value->setText(text);
    value->setVisible(!text.isEmpty());
    m_factTitles[value]->setVisible(!text.isEmpty());
}

void Inspector::showBranch(const BranchRow& branch) {
    m_name->setText(breakable(branch.name));
    m_name->setAccessibleName(branch.name);
    QStringList state{stateText(branch.state)};
    if (branch.pgMajor > 0)
        state += tr("PostgreSQL %1").arg(branch.pgMajor);
    if (branch.root)
        state += tr("root");
    if (branch.isProtected)
        state += tr("protected");
    m_state->setText(state.join(QStringLiteral(" · ")));
    paintError();
    m_error->setText(branch.error);
    m_error->setVisible(!branch.error.isEmpty());
    const bool runs = branch.state == BranchState::Running || branch.state == BranchState::Starting;
    QAction* startStop = runs ? m_actions.stop : m_actions.start;
    if (m_startStop->defaultAction() && m_startStop->defaultAction() != startStop)
        m_startStop->removeAction(m_startStop->defaultAction()); // with two it would offer a menu
    m_startStop->setDefaultAction(startStop);
    m_startStop->setAccessibleName(runs ? tr("Stop") : tr("Start"));
    setFact(m_head, branch.headTime
                        ? tr("%1\n%2").arg(lsnDisplay(branch.headLsn), timeDisplay(branch.headTime))
                        : lsnDisplay(branch.headLsn));
    const BranchRow* parent = m_session.picture().branch(branch.parentId);
    if (branch.root)
        setFact(m_forked, {});
    else
        setFact(m_forked, parent
                              ? tr("from %1 at %2").arg(breakable(parent->name), lsnDisplay(branch.forkLsn))
                              : tr("at %1, from a branch that is gone").arg(lsnDisplay(branch.forkLsn)));
    setFact(m_history,
            branch.historyFromLsn ? tr("since %1").arg(lsnDisplay(branch.historyFromLsn)) : QString());
    setFact(m_own, branch.ownBytes == unknownBytes ? QString() : bytesDisplay(branch.ownBytes));
    setFact(m_shared, branch.sharedBytes == unknownBytes ? QString() : bytesDisplay(branch.sharedBytes));
    QStringList pins;
    if (branch.children > 0)
        pins += tr("%n child branch(es)", nullptr, branch.children);
    if (branch.checkpoints > 0)
        pins += tr("%n checkpoint(s)", nullptr, branch.checkpoints);
    setFact(m_pins, pins.join(u'\n'));
    setFact(m_allowed, OutsideMenu::text(branch.allowed));
    m_outside->setBranch(branch);
    showTimes(branch);
}

void Inspector::showTimes(const BranchRow& branch) {
    const Timestamp now = SystemClock().now();
    setFact(m_expires,
            branch.expiresAt
                ? tr("%1, in %2").arg(timeDisplay(branch.expiresAt), durationDisplay(branch.expiresAt - now))
                : QString());
    setFact(m_endpoint,
            branch.port == 0 ? QString()
            : branch.startedAt
                ? tr("port %1, up %2")
                      .arg(branch.port)
                      .arg(durationDisplay(std::max(now - branch.startedAt, Duration::seconds(1))))
                : tr("port %1").arg(branch.port));
}

void Inspector::openRestore(const QString& position) {
    const BranchRow* shown = branch();
    if (!shown)
        return;
    m_point->hide();
    m_restore->open(*shown, position);
    ensureWidgetVisible(m_restore);
}

void Inspector::closeRestore() {
    m_restore->hide();
    m_point->show();
}

} // namespace arbor
