#include "widgets/views/branch_tree_view.h"

#include "widgets/models/format.h"
#include "widgets/views/branch_delegate.h"
#include "widgets/views/glyphs.h"
#include "widgets/views/timeline_header.h"

#include <QApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QProxyStyle>
#include <QScrollBar>
#include <QToolTip>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace arbor {

namespace {

// Rows paint their own ground and focus: the style's would cover the elbows.
class QuietRows : public QProxyStyle {
  public:
    void drawPrimitive(PrimitiveElement element, const QStyleOption* option, QPainter* painter,
                       const QWidget* widget) const override {
        if (element != PE_FrameFocusRect && element != PE_PanelItemViewRow && element != PE_PanelItemViewItem)
            QProxyStyle::drawPrimitive(element, option, painter, widget);
    }
};

constexpr int mostPassing = 500; // children below the view whose elbows are drawn through it
constexpr double panStep = 60;

} // namespace

BranchTreeView::BranchTreeView(TimelineState& state, QWidget* parent)
    : QTreeView(parent), m_state(state), m_filter(new BranchFilterModel(this)),
      m_delegate(new BranchDelegate(*m_filter, state, this)), m_header(new TimelineHeader(state, this)) {
    auto* quiet = new QuietRows;
    quiet->setParent(this);
    setStyle(quiet);
    setHeader(m_header);
    setItemDelegate(m_delegate);
    setUniformRowHeights(true);
    setAllColumnsShowFocus(true);
    setSelectionMode(ExtendedSelection);
    setEditTriggers(NoEditTriggers);
    setFrameShape(QFrame::NoFrame);
    setIndentation(18);
    setMouseTracking(true);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setVerticalScrollMode(ScrollPerPixel);
    setExpandsOnDoubleClick(true);
    setAccessibleName(tr("Branches"));
    setAccessibleDescription(
        tr("Comma and period step through the marks of a branch, W A S D zoom and pan."));
    connect(&state, &TimelineState::viewChanged, viewport(), qOverload<>(&QWidget::update));
    connect(&state, &TimelineState::cursorChanged, this, &BranchTreeView::updateCursorStrip);
    connect(m_header, &QHeaderView::sectionResized, this, &BranchTreeView::updateWidth);
    connect(this, &QTreeView::expanded, this, &BranchTreeView::geometryMoved);
    connect(this, &QTreeView::collapsed, this, &BranchTreeView::geometryMoved);
}

void BranchTreeView::setSource(BranchTreeModel* model) {
    m_filter->setSourceModel(model);
    setModel(m_filter);
    connect(m_filter, &QAbstractItemModel::rowsRemoved, this, &BranchTreeView::selectCurrent);
    m_header->setSortIndicator(-1, Qt::AscendingOrder);
    m_header->setSortIndicatorClearable(true); // the third click: back to the natural order
    setSortingEnabled(true);
    m_header->setStretchLastSection(true);
    const int unit = fontMetrics().horizontalAdvance(QLatin1Char('0'));
    m_header->resizeSection(BranchTreeModel::Name, unit * 16);
    m_header->resizeSection(BranchTreeModel::State, unit * 10);
    m_header->resizeSection(BranchTreeModel::Head, unit * 7);
    m_header->resizeSection(BranchTreeModel::Own, unit * 8);
    m_header->resizeSection(BranchTreeModel::Pins, unit * 5);
    fitColumns();
    updateWidth();
}

// When the current row goes, its neighbour becomes the current one; where several may be selected, Qt selects
// none.
void BranchTreeView::selectCurrent() {
    const QModelIndex current = currentIndex();
    if (current.isValid() && !selectionModel()->isRowSelected(current.row(), current.parent()))
        selectionModel()->select(current, QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
}

QModelIndex BranchTreeView::viewIndex(std::uint64_t branchId) const {
    const BranchTreeModel* tree = m_filter->tree();
    return tree == nullptr ? QModelIndex() : m_filter->mapFromSource(tree->indexOf(branchId));
}

const BranchNode& BranchTreeView::nodeOf(const QModelIndex& index) const {
    return *m_filter->tree()->node(m_filter->mapToSource(index));
}

std::uint64_t BranchTreeView::branchAt(const QModelIndex& index) const {
    return index.isValid() ? index.data(BranchTreeModel::BranchIdRole).toULongLong() : 0;
}

QRect BranchTreeView::timelineColumn() const {
    return {m_header->sectionViewportPosition(BranchTreeModel::Timeline), 0,
            m_header->sectionSize(BranchTreeModel::Timeline), viewport()->height()};
}

void BranchTreeView::updateWidth() {
    if (model() != nullptr)
        m_state.setWidth(std::max(timelineColumn().width(), 1));
    Q_EMIT geometryMoved();
}

// A narrow window keeps its timeline: the numbers give way first, the inspector has them too.
void BranchTreeView::fitColumns() {
    if (model() == nullptr)
        return;
    const int units = viewport()->width() / std::max(fontMetrics().horizontalAdvance(QLatin1Char('0')), 1);
    const auto show = [&](int column, int least) {
        if (isColumnHidden(column) != (units < least))
            setColumnHidden(column, units < least);
    };
    show(BranchTreeModel::Pins, 84);
    show(BranchTreeModel::Own, 74);
    show(BranchTreeModel::Head, 62);
}

void BranchTreeView::resizeEvent(QResizeEvent* event) {
    QTreeView::resizeEvent(event);
    fitColumns();
    updateWidth();
}

void BranchTreeView::updateGeometries() {
    QTreeView::updateGeometries();
    Q_EMIT geometryMoved();
}

void BranchTreeView::scrollContentsBy(int dx, int dy) {
    QTreeView::scrollContentsBy(dx, dy);
    viewport()->update(); // elbows and rows scroll at different ends
    Q_EMIT geometryMoved();
}

// -- painting ---------------------------------------------------------------------------------------------

void BranchTreeView::paintEvent(QPaintEvent* event) {
    if (model() != nullptr) {
        QPainter painter(viewport());
        paintElbows(painter);
    }
    QTreeView::paintEvent(event);
    if (model() != nullptr) {
        QPainter painter(viewport());
        paintCursor(painter);
        if (m_filter->rowCount() == 0 && m_filter->sourceModel()->rowCount() > 0) {
            painter.setPen(m_delegate->theme().muted);
            painter.drawText(viewport()->rect().adjusted(0, 24, 0, 0), Qt::AlignHCenter | Qt::AlignTop,
                             tr("No branch matches"));
        }
    }
}

void BranchTreeView::drawRow(QPainter* painter, const QStyleOptionViewItem& option,
                             const QModelIndex& index) const {
    const Theme& theme = m_delegate->theme();
    const bool selected = selectionModel()->isRowSelected(index.row(), index.parent());
    const QRect row(0, option.rect.top(), viewport()->width(), option.rect.height());
    if (selected) {
        // translucent, so that the elbows below stay in sight
        QColor ground = theme.accent;
        ground.setAlphaF(theme.dark ? 0.22F : 0.14F);
        painter->fillRect(row, ground);
    }
    if (currentIndex().siblingAtColumn(0) == index.siblingAtColumn(0) && hasFocus())
        painter->fillRect(QRect(isRightToLeft() ? row.right() - 2 : 0, row.top(), 3, row.height()),
                          theme.accent);
    QTreeView::drawRow(painter, option, index);
}

// A chevron that points down when the row is open.
void BranchTreeView::drawBranches(QPainter* painter, const QRect& rect, const QModelIndex& index) const {
    if (!m_filter->hasChildren(index))
        return;
    painter->save();
    painter->setRenderHint(QPainter::Antialiasing);
    painter->setPen(QPen(m_delegate->theme().muted, 1.6, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    const bool rightToLeft = isRightToLeft();
    const double middle = indentation() / 2.0;
    painter->translate(rightToLeft ? rect.left() + middle : rect.right() + 1 - middle,
                       rect.center().y() + 0.5);
    if (rightToLeft)
        painter->scale(-1, 1);
    if (isExpanded(index))
        painter->rotate(90);
    const QPointF chevron[]{{-2, -4}, {2, 0}, {-2, 4}};
    painter->drawPolyline(chevron, 3);
    painter->restore();
}

QModelIndex BranchTreeView::branchAbove(const QModelIndex& index) const {
    QModelIndex at = index.parent();
    while (at.isValid() && nodeOf(at).kind == BranchNode::Kind::Group)
        at = at.parent();
    return at;
}

std::vector<BranchTreeView::Elbow> BranchTreeView::elbows() const {
    std::vector<Elbow> result;
    QModelIndex last;
    for (QModelIndex index = indexAt({1, 0}); index.isValid(); index = indexBelow(index)) {
        const QRect row = visualRect(index);
        if (row.top() > viewport()->height())
            break;
        last = index;
        const BranchNode& node = nodeOf(index);
        const QModelIndex above = branchAbove(index);
        if (!above.isValid())
            continue;
        const QRect parentRow = visualRect(above);
        const int top = parentRow.isValid() ? parentRow.center().y() : 0;
        const std::uint64_t color = node.kind == BranchNode::Kind::Branch ? node.row.id : 0;
        result.push_back({m_state.forkX(node.row), top, row.center().y(), color, true});
    }
    if (last.isValid())
        addPassing(result, last);
    return result;
}

// Children further down, whose elbows only pass through.
void BranchTreeView::addPassing(std::vector<Elbow>& result, const QModelIndex& last) const {
    int left = mostPassing;
    const int bottom = viewport()->height();
    std::vector<bool> seen(static_cast<std::size_t>(std::max(m_state.scale().width(), 1.0)) + 1, false);
    for (QModelIndex at = last; at.isValid() && left > 0; at = at.parent()) {
        const QModelIndex parent = at.parent();
        const QModelIndex above = branchAbove(at);
        if (!above.isValid())
            continue;
        const int top = visualRect(above).center().y();
        for (int row = at.row() + 1; row < m_filter->rowCount(parent) && left > 0; ++row, --left) {
            const BranchNode& node = nodeOf(m_filter->index(row, 0, parent));
            const double x = m_state.forkX(node.row);
            if (x < 0 || x >= static_cast<double>(seen.size()) || seen[static_cast<std::size_t>(x)])
                continue;
            seen[static_cast<std::size_t>(x)] = true;
            result.push_back(
                {x, top, bottom, node.kind == BranchNode::Kind::Branch ? node.row.id : 0, false});
        }
    }
}

void BranchTreeView::paintElbows(QPainter& painter) const {
    const Theme& theme = m_delegate->theme();
    const QRect column = timelineColumn();
    painter.setClipRect(column);
    painter.setOpacity(m_delegate->opacity());
    // hundreds of them as high as the view: whole pixels cost a tenth of smoothed ones
    for (const Elbow& elbow : elbows()) {
        if (elbow.x < -20 || elbow.x > column.width() + 20)
            continue;
        const int x = static_cast<int>(std::floor(column.left() + elbow.x));
        QColor color = elbow.branchId == 0 ? theme.faint : theme.branch(elbow.branchId);
        if (!elbow.ends)
            color = mixed(theme.ground, color, 0.5);
        // a parent may be ten thousand rows above, and nobody sees that
        const int top = std::max(elbow.top, -1);
        const int bottom = std::min(elbow.bottom, viewport()->height() + 1);
        painter.fillRect(x, top, 1, bottom - top, color);
    }
}

void BranchTreeView::paintCursor(QPainter& painter) const {
    const auto& cursor = m_state.cursor();
    const auto x = cursor ? m_state.xOf(cursor->branchId, cursor->lsn) : std::nullopt;
    const QRect column = timelineColumn();
    if (!x || *x < -2 || *x > column.width() + 2)
        return;
    const Theme& theme = m_delegate->theme();
    const double at = column.left() + *x;
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(theme.accent, 1.5));
    painter.drawLine(QPointF(at, 0), QPointF(at, viewport()->height()));
    const QRect row = visualRect(viewIndex(cursor->branchId));
    if (!row.isValid())
        return;
    painter.setPen(QPen(theme.ground, 2));
    painter.setBrush(theme.accent);
    painter.drawEllipse(QPointF(at, row.center().y() + 0.5), 5, 5);
}

// Only what the cursor leaves and where it comes is painted again.
void BranchTreeView::updateCursorStrip() {
    const auto& cursor = m_state.cursor();
    const auto x = cursor ? m_state.xOf(cursor->branchId, cursor->lsn) : std::nullopt;
    const auto strip = [&](int at) { viewport()->update(at - 8, 0, 16, viewport()->height()); };
    if (m_cursorX >= 0)
        strip(m_cursorX);
    m_cursorX = x ? timelineColumn().left() + static_cast<int>(*x) : -1;
    if (m_cursorX >= 0)
        strip(m_cursorX);
}

// -- keys -------------------------------------------------------------------------------------------------

double BranchTreeView::anchor() const {
    const QPoint pointer = viewport()->mapFromGlobal(QCursor::pos());
    const QRect column = timelineColumn();
    if (viewport()->underMouse() && column.contains(pointer))
        return pointer.x() - column.left();
    if (const auto& cursor = m_state.cursor())
        if (const auto x = m_state.xOf(cursor->branchId, cursor->lsn); x && *x >= 0 && *x <= column.width())
            return *x;
    return column.width() / 2.0;
}

void BranchTreeView::revealCursor() {
    const auto& cursor = m_state.cursor();
    const auto x = cursor ? m_state.xOf(cursor->branchId, cursor->lsn) : std::nullopt;
    const double width = m_state.scale().width();
    if (x && (*x < 8 || *x > width - 8))
        m_state.pan(*x - width / 2);
}

void BranchTreeView::keyPressEvent(QKeyEvent* event) {
    const auto modifiers = event->modifiers() & ~Qt::KeypadModifier;
    const bool horizontal = event->key() == Qt::Key_Left || event->key() == Qt::Key_Right;
    if (horizontal && (modifiers & Qt::ShiftModifier) && currentBranch() != 0) {
        const double step = (modifiers & Qt::ControlModifier) ? 10 : 1;
        const auto& cursor = m_state.cursor();
        const auto x = cursor ? m_state.xOf(cursor->branchId, cursor->lsn) : std::nullopt;
        const double from = x.value_or(m_state.scale().width() / 2);
        m_state.setCursorAt(currentBranch(), from + (event->key() == Qt::Key_Left ? -step : step), false);
        revealCursor();
        return;
    }
    if (modifiers != Qt::NoModifier) {
        QTreeView::keyPressEvent(event);
        return;
    }
    switch (event->key()) {
    case Qt::Key_Comma:
    case Qt::Key_Period:
        m_state.stepCursor(currentBranch(), event->key() == Qt::Key_Period);
        revealCursor();
        return;
    case Qt::Key_W:
        m_state.zoom(1.25, anchor());
        return;
    case Qt::Key_S:
        m_state.zoom(0.8, anchor());
        return;
    case Qt::Key_A:
        m_state.pan(-panStep);
        return;
    case Qt::Key_D:
        m_state.pan(panStep);
        return;
    case Qt::Key_F:
        m_state.fitBranch(currentBranch());
        return;
    case Qt::Key_0:
        m_state.resetView();
        return;
    case Qt::Key_Escape:
        m_state.clearCursor();
        return;
    case Qt::Key_Space:
        event->ignore();
        return; // the window's: peek
    default:
        QTreeView::keyPressEvent(event);
    }
}

// -- mouse ------------------------------------------------------------------------------------------------

void BranchTreeView::mousePressEvent(QMouseEvent* event) {
    const bool timeline = timelineColumn().contains(event->pos());
    if (timeline && event->button() == Qt::MiddleButton) {
        m_drag = Drag::Pan;
        m_dragX = event->pos().x();
        return;
    }
    QTreeView::mousePressEvent(event);
    if (!timeline || event->button() != Qt::LeftButton)
        return;
    m_dragBranch = branchAt(indexAt(event->pos()));
    if (m_dragBranch == 0)
        return;
    m_drag = Drag::Cursor;
    m_state.setCursorAt(m_dragBranch, event->position().x() - timelineColumn().left(),
                        !(event->modifiers() & Qt::AltModifier));
}

void BranchTreeView::mouseMoveEvent(QMouseEvent* event) {
    switch (m_drag) {
    case Drag::Cursor:
        m_state.setCursorAt(m_dragBranch, event->position().x() - timelineColumn().left(),
                            !(event->modifiers() & Qt::AltModifier));
        return;
    case Drag::Pan:
        m_state.pan(m_dragX - event->pos().x());
        m_dragX = event->pos().x();
        return;
    case Drag::None:
        QTreeView::mouseMoveEvent(event);
    }
}

void BranchTreeView::mouseReleaseEvent(QMouseEvent* event) {
    m_drag = Drag::None;
    QTreeView::mouseReleaseEvent(event);
}

void BranchTreeView::mouseDoubleClickEvent(QMouseEvent* event) {
    if (timelineColumn().contains(event->pos()))
        return; // two clicks on a bar are two clicks
    QTreeView::mouseDoubleClickEvent(event);
}

void BranchTreeView::wheelEvent(QWheelEvent* event) {
    const QPointF steps = QPointF(event->angleDelta()) / 120.0;
    const double along = steps.x() + steps.y(); // with Shift or Alt held, Qt may turn one into the other
    if (event->modifiers() & Qt::ControlModifier)
        m_state.zoom(std::pow(1.25, along), event->position().x() - timelineColumn().left());
    else if (event->modifiers() & Qt::ShiftModifier)
        m_state.pan(-along * panStep);
    else if (std::abs(steps.x()) > std::abs(steps.y()))
        m_state.pan(-steps.x() * panStep);
    else {
        QTreeView::wheelEvent(event);
        return;
    }
    event->accept();
}

bool BranchTreeView::showMarkTip(QHelpEvent* event) {
    const std::uint64_t branchId = branchAt(indexAt(event->pos()));
    if (branchId == 0 || !timelineColumn().contains(event->pos()))
        return false;
    const double x = event->pos().x() - timelineColumn().left();
    QStringList lines;
    if (const auto mark = snapToMark(branchId, x, TimelineState::snapReach, *m_state.marks(), m_state.scale(),
                                     m_state.axis(), allMarks)) {
        lines += mark->text.isEmpty() ? markKindText(mark->kind)
                                      : markKindText(mark->kind) + QStringLiteral(": ") + mark->text;
        if (mark->xid != 0)
            lines += tr("transaction %1").arg(mark->xid);
        lines += lsnDisplay(mark->lsn);
        if (mark->time)
            lines += timeDisplay(mark->time);
    }
    for (const PeekRow& peek : m_filter->tree()->branch(branchId)->peeks)
        if (const auto at = m_state.xOf(branchId, peek.lsn); at && std::abs(*at - x) <= peekWidth / 2)
            lines += tr("Peek at %1, open since %2").arg(lsnDisplay(peek.lsn), timeDisplay(peek.openedAt));
    if (lines.isEmpty())
        return false;
    QToolTip::showText(event->globalPos(), lines.join(u'\n'), viewport());
    return true;
}

bool BranchTreeView::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::ToolTip && model() != nullptr &&
        showMarkTip(static_cast<QHelpEvent*>(event)))
        return true;
    return QTreeView::viewportEvent(event);
}

} // namespace arbor
