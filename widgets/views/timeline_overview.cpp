#include "widgets/views/timeline_overview.h"

#include "widgets/views/timeline_state.h"

#include <QApplication>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>

namespace arbor {

namespace {
constexpr double handleReach = 6;
constexpr double bucketWidth = 2;
constexpr int topAir = 6;
constexpr int bottomAir = 4;
constexpr qint64 costShare = 20; // a million marks take 15 ms, and events come ten times a second
} // namespace

TimelineOverview::TimelineOverview(TimelineState& state, QWidget* parent)
    : QWidget(parent), m_state(state), m_theme(QApplication::palette()) {
    setMouseTracking(true);
    setFocusPolicy(Qt::TabFocus);
    setAccessibleName(tr("Overview of the whole log"));
    setAccessibleDescription(
        tr("Left and right move the part in view, plus and minus zoom, 0 shows everything."));
    setToolTip(tr("The log of all branches. Drag a handle to zoom, double click to see everything."));
    connect(&state, &TimelineState::viewChanged, this, qOverload<>(&QWidget::update));
    connect(&state, &TimelineState::dataChanged, this, [this] {
        m_stale = true;
        update();
    });
    m_later.setSingleShot(true);
    connect(&m_later, &QTimer::timeout, this, qOverload<>(&QWidget::update));
}

void TimelineOverview::setTheme(const Theme& theme) {
    m_theme = theme;
    update();
}

void TimelineOverview::setStale(bool stale) {
    m_opacity = stale ? Theme::staleOpacity : 1;
    update();
}

// The strip has the scale's margin, so that it stands above a view of everything exactly.
double TimelineOverview::xOfValue(double value) const {
    const TimelineScale& scale = m_state.scale();
    const double domain = static_cast<double>(scale.domainTo() - scale.domainFrom());
    return (value / domain + TimelineScale::margin) / (1 + 2 * TimelineScale::margin) * width();
}

double TimelineOverview::valueAtX(double x) const {
    const TimelineScale& scale = m_state.scale();
    const double domain = static_cast<double>(scale.domainTo() - scale.domainFrom());
    return (x / width() * (1 + 2 * TimelineScale::margin) - TimelineScale::margin) * domain;
}

double TimelineOverview::viewLeft() const {
    return xOfValue(static_cast<double>(m_state.scale().viewFrom() - m_state.scale().domainFrom()));
}

double TimelineOverview::viewRight() const {
    return xOfValue(static_cast<double>(m_state.scale().viewTo() - m_state.scale().domainFrom()));
}

// At once in a small store. In a large one the strip may be a moment old: it must not take more than a
// twentieth of the time.
bool TimelineOverview::mayCompute() const {
    return m_heights.empty() || m_axis != m_state.axis() || m_computed.elapsed() >= costShare * m_costMs;
}

void TimelineOverview::compute() {
    m_stale = false;
    m_axis = m_state.axis();
    m_computed.start();
    m_heights.clear();
    if (m_state.model() == nullptr || m_state.marks() == nullptr)
        return;
    std::vector<const BranchRow*> rows;
    m_state.model()->forEachBranch([&](const BranchRow& row) { rows.push_back(&row); });
    const auto buckets = static_cast<std::size_t>(std::max(width() / bucketWidth, 1.0));
    const std::vector<double> bytes =
        overviewBytes(rows, *m_state.marks(), m_state.scale(), m_state.axis(), buckets);
    // the square root keeps a quiet night visible beside a bulk load
    const double most = std::sqrt(std::max(*std::max_element(bytes.begin(), bytes.end()), 1.0));
    for (const double value : bytes)
        m_heights.push_back(std::sqrt(value) / most);
    m_costMs = m_computed.restart();
}

void TimelineOverview::paintEvent(QPaintEvent*) {
    if (m_stale && mayCompute())
        compute();
    else if (m_stale && !m_later.isActive())
        m_later.start(static_cast<int>(costShare * m_costMs));
    QPainter painter(this);
    painter.fillRect(rect(), m_theme.panel);
    painter.setOpacity(m_opacity);
    const QRectF strip = QRectF(rect()).adjusted(0, topAir - 2, 0, -bottomAir + 2);
    const double base = height() - bottomAir;
    const double room = height() - topAir - bottomAir;

    QPainterPath skyline(QPointF(xOfValue(0), base));
    const double left = xOfValue(0);
    const double right = width() - left;
    for (std::size_t i = 0; i < m_heights.size(); ++i) {
        const double from =
            left + (right - left) * static_cast<double>(i) / static_cast<double>(m_heights.size());
        const double to =
            left + (right - left) * static_cast<double>(i + 1) / static_cast<double>(m_heights.size());
        const double y = base - std::max(m_heights[i] * room, m_heights[i] > 0 ? 1.0 : 0.0);
        skyline.lineTo(from, y);
        skyline.lineTo(to, y);
    }
    skyline.lineTo(right, base);
    skyline.closeSubpath();

    const QRectF view(viewLeft(), strip.top(), viewRight() - viewLeft(), strip.height());
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(view, m_theme.ground);
    painter.fillPath(skyline, mixed(m_theme.panel, m_theme.faint, 0.55));
    painter.save();
    painter.setClipRect(view);
    painter.fillPath(skyline, m_theme.density(0.6));
    painter.restore();
    painter.setPen(m_theme.line);
    painter.drawLine(QPointF(0, base), QPointF(width(), base));
    painter.setPen(QPen(hasFocus() ? m_theme.accent : m_theme.faint, hasFocus() ? 1.5 : 1));
    painter.setBrush(Qt::NoBrush);
    painter.drawRoundedRect(view.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);
    painter.setPen(Qt::NoPen);
    painter.setBrush(m_theme.accent);
    for (const double x : {view.left() + 1, view.right() - 1})
        painter.drawRoundedRect(QRectF(x - 2, strip.center().y() - 8, 4, 16), 2, 2);
    if (const auto& cursor = m_state.cursor())
        if (const auto value =
                axisValueOf(cursor->lsn, m_state.marks()->timeMap(cursor->branchId), m_state.axis())) {
            const double x = xOfValue(static_cast<double>(*value - m_state.scale().domainFrom()));
            painter.setPen(QPen(m_theme.accent, 1.5));
            painter.drawLine(QPointF(x, strip.top()), QPointF(x, strip.bottom()));
        }
}

void TimelineOverview::resizeEvent(QResizeEvent*) {
    m_stale = true;
}

// -- mouse and keys ---------------------------------------------------------------------------------------

TimelineOverview::Part TimelineOverview::partAt(double x) const {
    // a part narrower than its handles is moved, not zoomed, in its middle
    const double reach = std::min(handleReach, std::max((viewRight() - viewLeft()) / 3, 1.0));
    if (std::abs(x - viewLeft()) <= reach || (x < viewLeft() && x > viewLeft() - handleReach))
        return Part::Left;
    if (std::abs(x - viewRight()) <= reach || (x > viewRight() && x < viewRight() + handleReach))
        return Part::Right;
    return x > viewLeft() && x < viewRight() ? Part::Middle : Part::Outside;
}

void TimelineOverview::mousePressEvent(QMouseEvent* event) {
    if (event->button() != Qt::LeftButton)
        return;
    m_dragX = event->position().x();
    m_drag = partAt(m_dragX);
    m_dragFrom = m_drag == Part::Outside ? m_dragX : viewLeft();
    m_dragTo = m_drag == Part::Outside ? m_dragX : viewRight();
}

void TimelineOverview::mouseMoveEvent(QMouseEvent* event) {
    const double x = event->position().x();
    const double moved = x - m_dragX;
    double from = m_dragFrom;
    double to = m_dragTo;
    switch (m_drag) {
    case Part::None: {
        const Part part = partAt(x);
        setCursor(part == Part::Left || part == Part::Right ? Qt::SizeHorCursor
                  : part == Part::Middle                    ? Qt::OpenHandCursor
                                                            : Qt::CrossCursor);
        return;
    }
    case Part::Left:
        from = std::min(from + moved, to - 1);
        break;
    case Part::Right:
        to = std::max(to + moved, from + 1);
        break;
    case Part::Middle:
        from += moved;
        to += moved;
        break;
    case Part::Outside:
        from = std::min(m_dragFrom, x);
        to = std::max(m_dragFrom, x);
        if (to - from < 4)
            return;
        break;
    }
    const AxisValue start = m_state.scale().domainFrom();
    m_state.show(start + static_cast<AxisValue>(valueAtX(from)),
                 start + static_cast<AxisValue>(valueAtX(to)));
}

void TimelineOverview::mouseReleaseEvent(QMouseEvent* event) {
    const double half = (viewRight() - viewLeft()) / 2;
    const double x = event->position().x();
    if (m_drag == Part::Outside && std::abs(x - m_dragX) < 4) {
        const AxisValue start = m_state.scale().domainFrom();
        m_state.show(start + static_cast<AxisValue>(valueAtX(x - half)),
                     start + static_cast<AxisValue>(valueAtX(x + half)));
    }
    m_drag = Part::None;
}

void TimelineOverview::mouseDoubleClickEvent(QMouseEvent*) {
    m_state.resetView();
}

void TimelineOverview::wheelEvent(QWheelEvent* event) {
    const double steps = (event->angleDelta().y() + event->angleDelta().x()) / 120.0;
    if (event->modifiers() & Qt::ShiftModifier)
        m_state.pan(-steps * 60);
    else
        m_state.zoom(std::pow(1.25, steps), (event->position().x() - viewLeft()) /
                                                std::max(viewRight() - viewLeft(), 1.0) *
                                                m_state.scale().width());
    event->accept();
}

void TimelineOverview::keyPressEvent(QKeyEvent* event) {
    const double middle = m_state.scale().width() / 2;
    switch (event->key()) {
    case Qt::Key_Left:
        m_state.pan(-middle / 5);
        return;
    case Qt::Key_Right:
        m_state.pan(middle / 5);
        return;
    case Qt::Key_Plus:
    case Qt::Key_Equal:
        m_state.zoom(1.25, middle);
        return;
    case Qt::Key_Minus:
        m_state.zoom(0.8, middle);
        return;
    case Qt::Key_0:
        m_state.resetView();
        return;
    default:
        QWidget::keyPressEvent(event);
    }
}

} // namespace arbor
