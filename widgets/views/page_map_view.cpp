#include "widgets/views/page_map_view.h"

#include "widgets/models/format.h"
#include "widgets/views/theme.h"

#include <QHelpEvent>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QToolTip>

#include <algorithm>

namespace arbor {

namespace {

constexpr int largestPitch = 16;
constexpr int smallestPitch = 3;
constexpr int gapFrom = 5; // cells of this pitch and more have a pixel between them

} // namespace

PageMapView::PageMapView(QWidget* parent) : QWidget(parent) {
    setFocusPolicy(Qt::StrongFocus);
    setMouseTracking(true);
    setAccessibleName(tr("Page map"));
}

void PageMapView::setCells(PageMapCells cells) {
    m_cells = std::move(cells);
    m_hovered = -1;
    setCurrent(-1);
    update();
}

void PageMapView::setCurrent(int cell) {
    m_current = std::clamp(cell, -1, static_cast<int>(m_cells.cells.size()) - 1);
    setAccessibleDescription(m_current < 0 ? QString() : cellText(m_current));
    update();
}

QString PageMapView::cellText(int cell) const {
    const std::uint64_t first = m_cells.blockOf(cell);
    const std::uint64_t last = std::min(first + m_cells.perCell, m_cells.blocks) - 1;
    const int source = m_cells.cells[static_cast<std::size_t>(cell)];
    const QString from = source < 0 ? QString() : m_cells.sources[static_cast<std::size_t>(source)].name;
    if (first == last)
        return source < 0 ? tr("Block %1, never written").arg(countDisplay(first))
                          : tr("Block %1, from %2").arg(countDisplay(first), from);
    const QString range = tr("Blocks %1 to %2").arg(countDisplay(first), countDisplay(last));
    if (source < 0)
        return tr("%1, never written").arg(range);
    return source == 0 ? tr("%1, some written on %2").arg(range, from) : tr("%1, from %2").arg(range, from);
}

QColor PageMapView::colour(int source) const {
    const Theme theme(palette());
    if (source < 0)
        return mixed(theme.ground, theme.text, 0.06);
    if (source == 0)
        return theme.accent;
    // quiet beside the branch's own: what is shared is the ground that one stands on
    const auto branch = m_cells.sources[static_cast<std::size_t>(source)].branch;
    return mixed(theme.ground, branch == 0 ? theme.muted : theme.branch(branch), 0.45);
}

// The largest at which all cells have room.
int PageMapView::pitch() const {
    const auto count = static_cast<int>(m_cells.cells.size());
    for (int pitch = largestPitch; pitch > smallestPitch; --pitch)
        if ((width() / pitch) * (height() / pitch) >= count)
            return pitch;
    return smallestPitch;
}

int PageMapView::columns() const {
    return std::max(1, width() / pitch());
}

QRect PageMapView::cellRect(int cell) const {
    const int step = pitch();
    const int size = step - (step >= gapFrom ? 1 : 0);
    return {cell % columns() * step, cell / columns() * step, size, size};
}

int PageMapView::cellAt(QPoint point) const {
    const int column = point.x() / pitch(), row = point.y() / pitch();
    if (point.x() < 0 || point.y() < 0 || column >= columns())
        return -1;
    const int cell = row * columns() + column;
    return cell < static_cast<int>(m_cells.cells.size()) ? cell : -1;
}

QSize PageMapView::sizeHint() const {
    return {260, 160};
}

QSize PageMapView::minimumSizeHint() const {
    return {120, 60};
}

void PageMapView::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const Theme theme(palette());
    std::vector<QColor> colours;
    for (std::size_t source = 0; source < m_cells.sources.size(); ++source)
        colours.push_back(colour(static_cast<int>(source)));
    const QColor none = colour(-1);
    for (std::size_t cell = 0; cell < m_cells.cells.size(); ++cell) {
        const int source = m_cells.cells[cell];
        painter.fillRect(cellRect(static_cast<int>(cell)),
                         source < 0 ? none : colours[static_cast<std::size_t>(source)]);
    }
    const auto frame = [&](int cell, const QColor& colour, int width) {
        painter.setPen(QPen(colour, width));
        painter.drawRect(QRectF(cellRect(cell)).adjusted(-0.5, -0.5, 0.5, 0.5));
    };
    if (m_hovered >= 0)
        frame(m_hovered, theme.muted, 1);
    if (m_current >= 0)
        frame(m_current, theme.text, hasFocus() ? 2 : 1);
}

void PageMapView::choose(int cell) {
    setCurrent(cell);
    Q_EMIT currentChanged(m_current);
}

void PageMapView::mousePressEvent(QMouseEvent* event) {
    const int cell = cellAt(event->position().toPoint());
    if (event->button() != Qt::LeftButton || cell < 0)
        return;
    choose(cell);
    Q_EMIT activated(cell);
}

void PageMapView::mouseMoveEvent(QMouseEvent* event) {
    const int cell = cellAt(event->position().toPoint());
    if (cell == m_hovered)
        return;
    m_hovered = cell;
    setCursor(cell < 0 ? Qt::ArrowCursor : Qt::PointingHandCursor);
    update();
}

void PageMapView::leaveEvent(QEvent*) {
    m_hovered = -1;
    update();
}

void PageMapView::keyPressEvent(QKeyEvent* event) {
    const int last = static_cast<int>(m_cells.cells.size()) - 1;
    int next = m_current;
    switch (event->key()) {
    case Qt::Key_Left:
        --next;
        break;
    case Qt::Key_Right:
        ++next;
        break;
    case Qt::Key_Up:
        next -= columns();
        break;
    case Qt::Key_Down:
        next += columns();
        break;
    case Qt::Key_Home:
        next = 0;
        break;
    case Qt::Key_End:
        next = last;
        break;
    case Qt::Key_Return:
    case Qt::Key_Enter:
        if (m_current >= 0)
            Q_EMIT activated(m_current);
        return;
    default:
        QWidget::keyPressEvent(event);
        return;
    }
    if (last >= 0)
        choose(m_current < 0 ? 0 : next < 0 || next > last ? m_current : next);
}

void PageMapView::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange)
        Q_EMIT coloursChanged();
}

bool PageMapView::event(QEvent* event) {
    if (event->type() == QEvent::FocusIn || event->type() == QEvent::FocusOut)
        update();
    if (event->type() != QEvent::ToolTip)
        return QWidget::event(event);
    const auto* help = static_cast<QHelpEvent*>(event);
    const int cell = cellAt(help->pos());
    if (cell < 0)
        QToolTip::hideText();
    else
        QToolTip::showText(help->globalPos(), cellText(cell), this, cellRect(cell));
    return true;
}

} // namespace arbor
