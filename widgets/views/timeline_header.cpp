#include "widgets/views/timeline_header.h"

#include "widgets/models/branch_tree_model.h"
#include "widgets/models/format.h"
#include "widgets/views/timeline_state.h"

#include <QApplication>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPaintEvent>
#include <QPainter>
#include <QToolTip>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace arbor {

namespace {
constexpr int edgeReach = 5;
constexpr int edgeSlop = 3; // a click is not steadier
constexpr int fieldGap = 10;
} // namespace

TimelineHeader::TimelineHeader(TimelineState& state, QWidget* parent)
    : QHeaderView(Qt::Horizontal, parent), m_state(state), m_theme(QApplication::palette()) {
    setMouseTracking(true);
    setSectionsClickable(true);
    setSectionsMovable(false);
    setHighlightSections(false);
    setStretchLastSection(true);
    setMinimumSectionSize(36);
    setAccessibleName(tr("Columns and axis"));
    connect(&state, &TimelineState::viewChanged, this, [this] {
        placeField();
        viewport()->update();
    });
    connect(&state, &TimelineState::cursorChanged, this, [this] {
        placeField();
        viewport()->update();
    });
    connect(this, &QHeaderView::sectionResized, this, [this] { placeField(); });
}

void TimelineHeader::setTheme(const Theme& theme) {
    m_theme = theme;
    viewport()->update();
}

QSize TimelineHeader::sizeHint() const {
    return {QHeaderView::sizeHint().width(), axisHeight + laneHeight};
}

QRect TimelineHeader::timelineRect() const {
    return {sectionViewportPosition(BranchTreeModel::Timeline), 0, sectionSize(BranchTreeModel::Timeline),
            height()};
}

void TimelineHeader::setCursorField(QWidget* field) {
    m_field = field;
    if (field != nullptr)
        field->setParent(viewport());
    placeField();
}

// Beside the cursor, to the right of it when there is room; shown while there is a cursor.
void TimelineHeader::placeField() {
    if (m_field == nullptr)
        return;
    const auto& cursor = m_state.cursor();
    const auto x = cursor ? m_state.xOf(cursor->branchId, cursor->lsn) : std::nullopt;
    const bool typing = m_field->isAncestorOf(QApplication::focusWidget());
    if (!x && !typing) {
        m_field->hide();
        return;
    }
    const QRect column = timelineRect();
    const int width = std::min(std::max(m_field->sizeHint().width(), 160), std::max(column.width() - 8, 40));
    int left = column.left() + static_cast<int>(x.value_or(0)) + fieldGap;
    if (left + width > column.right() - 4)
        left = column.left() + static_cast<int>(x.value_or(0)) - fieldGap - width;
    left = std::clamp(left, column.left() + 4, std::max(column.left() + 4, column.right() - 4 - width));
    m_field->setGeometry(left, axisHeight + 3, width, laneHeight - 7);
    m_field->show();
}

void TimelineHeader::resizeEvent(QResizeEvent* event) {
    QHeaderView::resizeEvent(event);
    placeField();
}

// -- painting ---------------------------------------------------------------------------------------------

void TimelineHeader::paintEvent(QPaintEvent* event) {
    QPainter(viewport()).fillRect(event->rect(), m_theme.panel);
    QHeaderView::paintEvent(event);
    QPainter painter(viewport());
    painter.setPen(m_theme.line);
    painter.drawLine(0, height() - 1, width(), height() - 1);
}

void TimelineHeader::paintSection(QPainter* painter, const QRect& rect, int section) const {
    painter->save();
    painter->fillRect(rect, m_theme.panel);
    if (section == BranchTreeModel::Timeline) {
        painter->setClipRect(rect);
        paintAxis(*painter, rect);
        paintCursorTag(*painter, rect);
    } else {
        paintTitle(*painter, rect, section);
    }
    painter->restore();
}

void TimelineHeader::paintTitle(QPainter& painter, const QRect& rect, int section) const {
    const bool sorted = isSortIndicatorShown() && sortIndicatorSection() == section;
    const bool numbers = section == BranchTreeModel::Head || section == BranchTreeModel::Own ||
                         section == BranchTreeModel::Pins;
    const QRect area =
        rect.adjusted(8, 0, -8, 0)
            .intersected(QRect(rect.left(), rect.bottom() - laneHeight, rect.width(), laneHeight));
    painter.setFont(captionFont(font()));
    painter.setPen(sorted ? m_theme.text : m_theme.muted);
    QString text = model() == nullptr ? QString() : model()->headerData(section, Qt::Horizontal).toString();
    if (sorted)
        text += sortIndicatorOrder() == Qt::AscendingOrder ? QStringLiteral(" ↑") : QStringLiteral(" ↓");
    const Qt::Alignment side = numbers ? Qt::AlignRight : isRightToLeft() ? Qt::AlignRight : Qt::AlignLeft;
    painter.drawText(area, static_cast<int>(Qt::AlignVCenter | side),
                     painter.fontMetrics().elidedText(text, Qt::ElideRight, area.width()));
}

void TimelineHeader::paintAxis(QPainter& painter, const QRect& rect) const {
    const bool byLsn = m_state.axis() == TimelineAxis::Lsn;
    const TimelineScale& scale = m_state.scale();
    painter.setFont(captionFont(font()));
    const QFontMetrics metrics = painter.fontMetrics();
    const int least = metrics.horizontalAdvance(QStringLiteral("0/FFFFFFFF")) + 28;
    const auto ticks = byLsn ? lsnTicks(scale, least) : timeTicks(scale, least);
    const int base = rect.top() + axisHeight;
    painter.setPen(m_theme.line);
    painter.drawLine(rect.left(), base, rect.right(), base);
    double free = rect.left();
    for (const AxisTick& tick : ticks) {
        const double x = rect.left() + scale.x(tick.value);
        painter.setPen(tick.major ? m_theme.muted : m_theme.faint);
        painter.drawLine(QPointF(x, base - (tick.major ? 7 : 4)), QPointF(x, base));
        const bool context = !tick.context.isEmpty();
        const QString text = context ? tick.context + QStringLiteral("  ") + tick.label : tick.label;
        const int width = metrics.horizontalAdvance(text);
        // at the edges beside its tick rather than not at all
        double left = std::clamp(x - width / 2.0, double(rect.left() + 2),
                                 std::max<double>(rect.left() + 2, rect.right() - 2 - width));
        if (context)
            left = std::max(left, free);
        if (x < rect.left() || x > rect.right())
            continue;
        if (left < free || left + width > rect.right() - 2)
            continue;
        painter.setPen(m_theme.muted);
        painter.drawText(QPointF(left, base - 11), text);
        free = left + width + 12;
    }
    if (const auto edge = m_state.historyEdgeX(); edge && *edge >= 0 && *edge <= rect.width()) {
        const double x = rect.left() + *edge;
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(m_theme.caution, 1.5, Qt::DashLine));
        painter.drawLine(QPointF(x, base - 2), QPointF(x, rect.bottom()));
        painter.setPen(Qt::NoPen);
        painter.setBrush(m_theme.caution);
        painter.drawRoundedRect(QRectF(x - 3.5, base - 7, 7, 14), 2, 2);
        painter.setPen(QPen(m_theme.panel, 1));
        painter.drawLine(QPointF(x, base - 4), QPointF(x, base + 4));
    }
}

void TimelineHeader::paintCursorTag(QPainter& painter, const QRect& rect) const {
    const auto& cursor = m_state.cursor();
    const auto x = cursor ? m_state.xOf(cursor->branchId, cursor->lsn) : std::nullopt;
    if (!x) {
        painter.setFont(captionFont(font()));
        painter.setPen(m_theme.muted);
        const auto edge = m_state.historyEdgeX(); // its line must not cross the words
        const int left = edge && *edge > -4 && *edge < 60 ? static_cast<int>(*edge) + 10 : 8;
        const QRect lane = rect.adjusted(left, axisHeight, -8, 0);
        QString hint = tr("Click a point of a bar: every moment can become a branch");
        if (painter.fontMetrics().horizontalAdvance(hint) > lane.width())
            hint = tr("Click a bar to branch there");
        painter.drawText(lane, Qt::AlignVCenter | Qt::AlignLeft,
                         painter.fontMetrics().elidedText(hint, Qt::ElideRight, lane.width()));
        return;
    }
    painter.setRenderHint(QPainter::Antialiasing);
    const double at = rect.left() + *x;
    painter.setPen(QPen(m_theme.accent, 1.5));
    painter.drawLine(QPointF(at, rect.top() + axisHeight), QPointF(at, rect.bottom() + 1));
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_theme.accent);
    const QPointF head[]{{at - 5, rect.top() + axisHeight - 6.0},
                         {at + 5, rect.top() + axisHeight - 6.0},
                         {at, rect.top() + axisHeight + 1.0}};
    painter.drawPolygon(head, 3);
}

// -- the mouse --------------------------------------------------------------------------------------------

bool TimelineHeader::onAxis(QPoint position) const {
    return timelineRect().adjusted(4, 0, 0, 0).contains(position);
}

bool TimelineHeader::onEdge(QPoint position) const {
    const auto edge = m_state.historyEdgeX();
    return edge && onAxis(position) && std::abs(timelineRect().left() + *edge - position.x()) <= edgeReach;
}

void TimelineHeader::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton || !onAxis(event->pos())) {
        QHeaderView::mousePressEvent(event);
        return;
    }
    setDrag(onEdge(event->pos()) ? Drag::Edge : Drag::Pan);
    m_dragX = event->pos().x();
    m_edgeBefore = m_state.historyEdge();
    m_moved = false;
}

// Where it was grabbed; or before everything there is, when the window reaches further back than that.
bool TimelineHeader::isBack(int x) const {
    if (std::abs(x - m_dragX) < edgeSlop)
        return true;
    const double begin = m_state.scale().x(m_state.scale().domainFrom());
    const auto beginTime = m_state.timeAtX(begin);
    return x - timelineRect().left() <= begin && beginTime && *m_edgeBefore < *beginTime;
}

void TimelineHeader::dragEdge(int x) {
    if (isBack(x)) {
        putEdgeBack();
        return;
    }
    const auto time = m_state.timeAtX(x - timelineRect().left());
    if (!time)
        return;
    m_moved = true;
    m_state.setHistoryEdge(time);
    Q_EMIT historyEdgeDragged(*time, false);
}

void TimelineHeader::putEdgeBack() {
    if (!std::exchange(m_moved, false))
        return;
    m_state.setHistoryEdge(m_edgeBefore);
    Q_EMIT historyEdgeBack();
}

// The keyboard is whoever's it was before: while the hand holds the edge, Escape is looked for on its way.
void TimelineHeader::setDrag(Drag drag) {
    m_drag = drag;
    if (drag == Drag::Edge)
        QCoreApplication::instance()->installEventFilter(this);
    else
        QCoreApplication::instance()->removeEventFilter(this);
}

bool TimelineHeader::eventFilter(QObject* watched, QEvent* event) {
    const bool isKey = event->type() == QEvent::KeyPress || event->type() == QEvent::ShortcutOverride;
    if (m_drag != Drag::Edge || !isKey || static_cast<QKeyEvent*>(event)->key() != Qt::Key_Escape)
        return QHeaderView::eventFilter(watched, event);
    event->accept();
    if (event->type() == QEvent::KeyPress) {
        setDrag(Drag::Cancelled); // until the button is let go
        putEdgeBack();
    }
    return true;
}

void TimelineHeader::mouseMoveEvent(QMouseEvent* event) {
    const int x = event->pos().x();
    switch (m_drag) {
    case Drag::Edge:
        dragEdge(x);
        return;
    case Drag::Pan:
        m_state.pan(m_dragX - x);
        m_dragX = x;
        return;
    case Drag::Cancelled:
        return;
    case Drag::None:
        break;
    }
    QHeaderView::mouseMoveEvent(event);
    if (onEdge(event->pos()))
        viewport()->setCursor(Qt::SizeHorCursor);
    else if (onAxis(event->pos()))
        viewport()->unsetCursor();
}

void TimelineHeader::mouseReleaseEvent(QMouseEvent* event) {
    if (m_drag == Drag::None) {
        QHeaderView::mouseReleaseEvent(event);
        return;
    }
    const bool edge = m_drag == Drag::Edge && m_moved && m_state.historyEdge();
    setDrag(Drag::None);
    if (edge)
        Q_EMIT historyEdgeDragged(*m_state.historyEdge(), true);
}

void TimelineHeader::wheelEvent(QWheelEvent* event) {
    if (!onAxis(event->position().toPoint()))
        return;
    const double steps = (event->angleDelta().y() + event->angleDelta().x()) / 120.0;
    if (event->modifiers() & Qt::ShiftModifier)
        m_state.pan(-steps * 60);
    else
        m_state.zoom(std::pow(1.25, steps), event->position().x() - timelineRect().left());
    event->accept();
}

bool TimelineHeader::viewportEvent(QEvent* event) {
    if (event->type() == QEvent::LayoutRequest)
        placeField(); // what it says became longer or shorter
    if (event->type() == QEvent::ToolTip) {
        const auto* help = static_cast<QHelpEvent*>(event);
        if (onEdge(help->pos()) && m_state.historyEdge()) {
            QToolTip::showText(help->globalPos(),
                               tr("The history window begins at %1. Drag to see what another one frees.")
                                   .arg(timeDisplay(*m_state.historyEdge())));
            return true;
        }
    }
    return QHeaderView::viewportEvent(event);
}

} // namespace arbor
