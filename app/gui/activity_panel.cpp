#include "app/gui/activity_panel.h"

#include "app/gui/looks.h"
#include "app/gui/symbolic_icon.h"
#include "app/gui/terminal.h"
#include "widgets/models/format.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QToolButton>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace arbor {

namespace {
enum Column { When, What, Who, State };
constexpr int idRole = Qt::UserRole;
} // namespace

ActivityPanel::ActivityPanel(StoreSession& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_list(new QTreeWidget(this)), m_undo(new QToolButton(this)),
      m_show(new QToolButton(this)) {
    flatTable(*m_list);
    m_list->setHeaderLabels({tr("When"), tr("Operation"), tr("Client"), tr("State")});
    m_list->setRootIsDecorated(false);
    m_list->setUniformRowHeights(true);
    m_list->setAccessibleName(tr("Activity"));
    m_list->header()->setStretchLastSection(false);
    m_list->header()->setSectionResizeMode(What, QHeaderView::Stretch);
    for (const int column : {When, State})
        m_list->header()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
    // a client's version is long: the tool tip has it whole
    m_list->header()->resizeSection(Who, fontMetrics().horizontalAdvance(QLatin1Char('0')) * 14);
    m_undo->setText(tr("Undo"));
    m_undo->setIcon(symbolicIcon(QStringLiteral("undo")));
    m_undo->setToolTip(tr("Undo this operation"));
    m_show->setText(tr("Show command"));
    m_show->setObjectName(QStringLiteral("showCommand"));
    m_show->setIcon(symbolicIcon(QStringLiteral("terminal")));
    auto* buttons = new QVBoxLayout;
    for (QToolButton* button : {m_undo, m_show}) {
        button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
        button->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
        button->setFocusPolicy(Qt::StrongFocus);
        buttons->addWidget(button);
    }
    buttons->addStretch();
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    buttons->setContentsMargins(8, 8, 8, 8);
    layout->addWidget(m_list, 1);
    layout->addLayout(buttons);
    const auto chosen = [this] {
        const QTreeWidgetItem* item = m_list->currentItem();
        return item ? item->data(0, idRole).toLongLong() : 0;
    };
    connect(m_list, &QTreeWidget::itemSelectionChanged, this, &ActivityPanel::updateButtons);
    connect(m_undo, &QToolButton::clicked, this, [this, chosen] { Q_EMIT undoAsked(chosen()); });
    connect(m_show, &QToolButton::clicked, this, [this, chosen] { Q_EMIT copyAsked(commandOf(chosen())); });
    updateButtons();
}

QString ActivityPanel::commandOf(std::int64_t operation) const {
    const auto& operations = m_session.picture().operations;
    const auto found = std::ranges::find(operations, operation, &OperationFacts::id);
    if (found == operations.end())
        return {};
    return shellText({QStringLiteral("pgarborctl"), QStringLiteral("--store"), m_session.store()}) + u' ' +
           found->command;
}

void ActivityPanel::refresh() {
    const auto& operations = m_session.picture().operations;
    while (static_cast<std::size_t>(m_list->topLevelItemCount()) > operations.size())
        delete m_list->takeTopLevelItem(m_list->topLevelItemCount() - 1);
    while (static_cast<std::size_t>(m_list->topLevelItemCount()) < operations.size())
        new QTreeWidgetItem(m_list);
    for (std::size_t i = 0; i < operations.size(); ++i) {
        const OperationFacts& operation = operations[i];
        QTreeWidgetItem* item = m_list->topLevelItem(static_cast<int>(i));
        item->setData(0, idRole, static_cast<qlonglong>(operation.id));
        item->setText(When, timeDisplay(operation.time));
        item->setText(What, operation.text);
        item->setToolTip(What, operation.command);
        item->setText(Who, operation.client);
        item->setToolTip(Who, operation.client);
        item->setText(State, operation.undone ? tr("undone") : QString());
        QFont font = m_list->font();
        font.setStrikeOut(operation.undone);
        item->setFont(What, font);
    }
    updateButtons();
}

void ActivityPanel::updateButtons() {
    const QTreeWidgetItem* item = m_list->currentItem();
    const std::int64_t id = item ? item->data(0, idRole).toLongLong() : 0;
    const auto& operations = m_session.picture().operations;
    const auto found = std::ranges::find(operations, id, &OperationFacts::id);
    m_undo->setEnabled(found != operations.end() && found->undoable);
    const bool known = found != operations.end() && !found->command.isEmpty();
    m_show->setEnabled(known);
    m_show->setToolTip(known ? tr("%1\nPress to copy it").arg(commandOf(id))
                             : tr("The pgarborctl command that does the same"));
}

} // namespace arbor
