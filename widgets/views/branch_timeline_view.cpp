#include "widgets/views/branch_timeline_view.h"

#include "widgets/views/branch_delegate.h"
#include "widgets/views/branch_tree_view.h"
#include "widgets/views/name_editor.h"
#include "widgets/views/position_field.h"
#include "widgets/views/timeline_header.h"
#include "widgets/views/timeline_overview.h"

#include <QApplication>
#include <QButtonGroup>
#include <QEvent>
#include <QHBoxLayout>
#include <QPaintEvent>
#include <QPainter>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace arbor {

BranchTimelineView::BranchTimelineView(QWidget* parent)
    : QWidget(parent), m_tree(new BranchTreeView(m_state, this)), m_overview(nullptr),
      m_field(new PositionField), m_bar(new QWidget(this)), m_theme(palette()) {
    m_overview = new TimelineOverview(m_state, m_bar);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(m_bar);
    layout->addWidget(m_tree, 1);
    m_bar->setFixedHeight(m_overview->sizeHint().height());
    buildAxisSwitch();
    m_tree->axisHeader().setCursorField(m_field);
    setFocusProxy(m_tree);

    connect(&m_tree->axisHeader(), &TimelineHeader::historyEdgeDragged, this,
            &BranchTimelineView::historyEdgeDragged);
    connect(&m_tree->axisHeader(), &TimelineHeader::historyEdgeBack, this,
            &BranchTimelineView::historyEdgeBack);
    connect(&m_state, &TimelineState::cursorChanged, this, &BranchTimelineView::cursorMoved);
    connect(m_field, &PositionField::left, m_tree, qOverload<>(&QWidget::setFocus));
    connect(m_tree, &BranchTreeView::geometryMoved, this, &BranchTimelineView::placeParts);
    connect(m_tree, &QTreeView::activated, this, [this](const QModelIndex& index) {
        if (const std::uint64_t branch = m_tree->branchAt(index))
            Q_EMIT branchActivated(branch);
    });
    m_tree->setContextMenuPolicy(Qt::CustomContextMenu);
    connect(m_tree, &QWidget::customContextMenuRequested, this, [this](const QPoint& position) {
        Q_EMIT menuRequested(m_tree->branchAt(m_tree->indexAt(position)),
                             m_tree->viewport()->mapToGlobal(position));
    });
    applyTheme();
}

BranchTimelineView::~BranchTimelineView() = default;

void BranchTimelineView::buildAxisSwitch() {
    auto* layout = new QHBoxLayout(m_bar);
    layout->setContentsMargins(10, 0, 10, 0);
    layout->setSpacing(0);
    auto* group = new QButtonGroup(this);
    const auto add = [&](const QString& text, const QString& tip, TimelineAxis axis) {
        auto* button = new QToolButton(m_bar);
        button->setText(text);
        button->setToolTip(tip);
        button->setAccessibleName(tip);
        button->setCheckable(true);
        button->setAutoRaise(true);
        button->setChecked(m_state.axis() == axis);
        group->addButton(button);
        layout->addWidget(button);
        connect(button, &QToolButton::clicked, this, [this, axis] {
            m_state.setAxis(axis);
            Q_EMIT axisChanged(axis);
        });
        return button;
    };
    m_timeButton = add(tr("Time"), tr("Timeline by time"), TimelineAxis::Time);
    m_lsnButton = add(tr("LSN"), tr("Timeline by LSN"), TimelineAxis::Lsn);
    layout->addStretch();
    connect(&m_state, &TimelineState::dataChanged, this, [this] {
        m_timeButton->setChecked(m_state.axis() == TimelineAxis::Time);
        m_lsnButton->setChecked(m_state.axis() == TimelineAxis::Lsn);
    });
}

void BranchTimelineView::setSources(BranchTreeModel* branches, MarksStore* marks) {
    m_tree->setSource(branches);
    m_state.setSources(branches, marks);
    connect(m_tree->selectionModel(), &QItemSelectionModel::currentChanged, this,
            [this](const QModelIndex& current) { Q_EMIT currentBranchChanged(m_tree->branchAt(current)); });
    // the first branches to come stand open; groups stay closed
    connect(branches, &QAbstractItemModel::modelReset, this, [this] {
        const QModelIndex root = m_tree->model()->index(0, 0);
        for (int row = 0; row < m_tree->model()->rowCount(); ++row)
            m_tree->expand(root.siblingAtRow(row));
    });
}

BranchFilterModel& BranchTimelineView::filter() {
    return m_tree->filter();
}

QTreeView& BranchTimelineView::tree() {
    return *m_tree;
}

// -- branches and cursor ----------------------------------------------------------------------------------

std::uint64_t BranchTimelineView::currentBranch() const {
    return m_tree->currentBranch();
}

void BranchTimelineView::setCurrentBranch(std::uint64_t branchId) {
    const QModelIndex index = m_tree->viewIndex(branchId);
    if (!index.isValid())
        return;
    for (QModelIndex at = index.parent(); at.isValid(); at = at.parent())
        m_tree->expand(at);
    m_tree->setCurrentIndex(index);
    m_tree->scrollTo(index);
}

std::vector<std::uint64_t> BranchTimelineView::selectedBranches() const {
    std::vector<std::uint64_t> result;
    if (m_tree->selectionModel() == nullptr)
        return result;
    for (const QModelIndex& index : m_tree->selectionModel()->selectedRows())
        if (const std::uint64_t branch = m_tree->branchAt(index))
            result.push_back(branch);
    return result;
}

void BranchTimelineView::setCursor(std::uint64_t branchId, Lsn lsn) {
    setCurrentBranch(branchId);
    m_state.setCursor(branchId, lsn);
    m_tree->revealCursor();
}

// -- naming -----------------------------------------------------------------------------------------------

void BranchTimelineView::nameBranch(std::uint64_t parentId, Lsn at, const QString& proposal) {
    endNaming();
    m_state.model()->setGhost(parentId, at, proposal);
    const QModelIndex ghost = m_tree->filter().mapFromSource(m_state.model()->ghostIndex());
    for (QModelIndex above = ghost.parent(); above.isValid(); above = above.parent())
        m_tree->expand(above);
    m_tree->scrollTo(ghost);
    m_editorBranch = 0;
    showEditor(parentId, at, proposal, true);
}

void BranchTimelineView::nameCheckpoint(std::uint64_t branchId, Lsn at, const QString& proposal) {
    endNaming();
    setCurrentBranch(branchId);
    m_editorBranch = branchId;
    showEditor(branchId, at, proposal, false);
}

void BranchTimelineView::showEditor(std::uint64_t branchId, Lsn at, const QString& proposal, bool branch) {
    m_editor = new NameEditor(branch ? NameEditor::Purpose::Branch : NameEditor::Purpose::Checkpoint,
                              proposal, m_theme, m_tree->viewport());
    connect(m_editor, &NameEditor::accepted, this,
            [this, branchId, at, branch](const QString& name, const QString& expiry) {
                m_editor->setEnabled(false);
                if (branch)
                    Q_EMIT branchNamed(name, expiry, branchId, at);
                else
                    Q_EMIT checkpointNamed(name, branchId, at);
            });
    connect(m_editor, &NameEditor::cancelled, this, [this] {
        endNaming();
        Q_EMIT namingCancelled();
    });
    placeParts();
    m_editor->show();
    m_editor->setFocus();
}

void BranchTimelineView::endNaming() {
    if (m_editor == nullptr)
        return;
    const bool focused = m_editor->isAncestorOf(QApplication::focusWidget()) || !m_editor->isEnabled();
    m_editor->hide();
    m_editor->deleteLater();
    m_editor = nullptr;
    m_state.model()->clearGhost();
    if (focused)
        m_tree->setFocus();
}

void BranchTimelineView::namingFailed(const QString& message) {
    if (m_editor != nullptr)
        m_editor->setProblem(message);
}

bool BranchTimelineView::isDraggingHistoryEdge() const {
    return m_tree->axisHeader().isDraggingEdge();
}

void BranchTimelineView::setStale(bool stale) {
    m_tree->delegate().setStale(stale);
    m_overview->setStale(stale);
    m_tree->viewport()->update();
}

// -- looks ------------------------------------------------------------------------------------------------

void BranchTimelineView::placeParts() {
    const QRect column = m_tree->timelineColumn();
    const int left = m_tree->viewport()->mapTo(this, QPoint(column.left(), 0)).x();
    m_overview->setGeometry(left, 0, column.width(), m_bar->height());
    if (m_editor == nullptr || m_tree->model() == nullptr)
        return;
    if (m_editorBranch != 0) {
        const QRect row = m_tree->visualRect(m_tree->viewIndex(m_editorBranch));
        const auto& cursor = m_state.cursor();
        const double x = cursor ? m_state.xOf(cursor->branchId, cursor->lsn).value_or(0) : 0;
        const int width = std::min(240, std::max(column.width() - 16, 80));
        const int at = std::clamp(column.left() + static_cast<int>(x) + 10, column.left() + 4,
                                  std::max(column.left() + 4, column.right() - width - 4));
        m_editor->setGeometry(at, row.top() + 1, width, row.height() - 2);
        return;
    }
    // over the text columns, as wide as they are: a name and its expiry want room
    const QRect name = m_tree->visualRect(m_tree->filter().mapFromSource(m_state.model()->ghostIndex()));
    const int width = std::max(column.left() - name.left() - 8, 260);
    m_editor->setGeometry(name.left(), name.top() + 1, width, name.height() - 2);
}

void BranchTimelineView::applyTheme() {
    m_theme = Theme(palette());
    m_tree->delegate().setTheme(m_theme);
    m_tree->axisHeader().setTheme(m_theme);
    m_overview->setTheme(m_theme);
    m_field->setTheme(m_theme);
    m_tree->viewport()->update();
    update();
}

void BranchTimelineView::changeEvent(QEvent* event) {
    if (event->type() == QEvent::PaletteChange || event->type() == QEvent::StyleChange)
        applyTheme();
    QWidget::changeEvent(event);
}

void BranchTimelineView::resizeEvent(QResizeEvent* event) {
    QWidget::resizeEvent(event);
    placeParts();
}

void BranchTimelineView::paintEvent(QPaintEvent* event) {
    QPainter(this).fillRect(event->rect(), m_theme.panel);
}

} // namespace arbor
