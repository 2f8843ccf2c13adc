#include "widgets/views/glyphs.h"

#include <QPainter>
#include <QPainterPath>

#include <cmath>

namespace arbor {

namespace {

void paintDrop(QPainter& painter, const Theme& theme, QPointF center) {
    painter.setPen(QPen(theme.ground, 1.5));
    painter.setBrush(theme.danger);
    painter.drawEllipse(center, 5.5, 5.5);
    painter.setPen(QPen(contrastRatio(theme.danger, Qt::white) >= 3 ? QColor(Qt::white) : theme.ground, 1.5,
                        Qt::SolidLine, Qt::RoundCap));
    painter.drawLine(center + QPointF(-2, -2), center + QPointF(2, 2));
    painter.drawLine(center + QPointF(-2, 2), center + QPointF(2, -2));
}

} // namespace

void paintMark(QPainter& painter, const Theme& theme, MarkKind kind, QPointF center, double reach) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    switch (kind) {
    case MarkKind::Checkpoint: {
        painter.setPen(QPen(theme.ground, 1.5));
        painter.setBrush(theme.text);
        const QPointF diamond[]{center + QPointF(0, -6.5), center + QPointF(6.5, 0), center + QPointF(0, 6.5),
                                center + QPointF(-6.5, 0)};
        painter.drawPolygon(diamond, 4);
        break;
    }
    case MarkKind::RestorePoint:
        painter.setPen(QPen(theme.text, 1.5, Qt::SolidLine, Qt::FlatCap));
        painter.drawLine(center, center + QPointF(0, -reach));
        painter.setPen(Qt::NoPen);
        painter.setBrush(theme.text);
        painter.drawRect(QRectF(center.x() - 0.75, center.y() - reach, 5, 4));
        break;
    case MarkKind::Fork:
        painter.setPen(QPen(theme.muted, 1.5, Qt::SolidLine, Qt::FlatCap));
        painter.drawLine(center, center + QPointF(0, reach));
        break;
    case MarkKind::Drop:
        paintDrop(painter, theme, center);
        break;
    case MarkKind::PostgresCheckpoint:
        painter.setPen(QPen(theme.muted, 1));
        painter.setBrush(theme.ground);
        painter.drawEllipse(center, 2, 2);
        break;
    case MarkKind::Start:
    case MarkKind::Stop: {
        const double side = kind == MarkKind::Start ? 1 : -1;
        painter.setPen(QPen(theme.muted, 1));
        painter.setBrush(theme.ground);
        const QPointF triangle[]{center + QPointF(-2 * side, -3), center + QPointF(3 * side, 0),
                                 center + QPointF(-2 * side, 3)};
        painter.drawPolygon(triangle, 3);
        break;
    }
    case MarkKind::Commit:
        painter.setPen(QPen(theme.ground, 1));
        painter.drawLine(center + QPointF(0, -3), center + QPointF(0, 3));
        break;
    }
    painter.restore();
}

void paintState(QPainter& painter, const Theme& theme, BranchState state, QPointF center) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const QColor color = theme.state(state);
    const QRectF box(center.x() - 4.25, center.y() - 4.25, 8.5, 8.5);
    switch (state) {
    case BranchState::Running:
        painter.setPen(Qt::NoPen);
        painter.setBrush(color);
        painter.drawEllipse(box.adjusted(-0.5, -0.5, 0.5, 0.5));
        break;
    case BranchState::Stopped:
        painter.setPen(QPen(color, 1.5));
        painter.drawEllipse(box);
        break;
    case BranchState::Starting:
    case BranchState::Stopping:
        painter.setPen(QPen(color, 1.5));
        painter.drawEllipse(box);
        painter.setPen(Qt::NoPen);
        painter.setBrush(color);
        painter.drawPie(box, (state == BranchState::Starting ? -90 : 90) * 16, 180 * 16);
        break;
    case BranchState::Failed: {
        painter.setPen(QPen(color, 1.5, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
        painter.setBrush(color);
        const QPointF triangle[]{center + QPointF(0, -5), center + QPointF(5, 4), center + QPointF(-5, 4)};
        painter.drawPolygon(triangle, 3);
        painter.setPen(QPen(theme.ground, 1.5, Qt::SolidLine, Qt::FlatCap));
        painter.drawLine(center + QPointF(0, -2.5), center + QPointF(0, 1));
        painter.drawLine(center + QPointF(0, 2), center + QPointF(0, 3.5));
        break;
    }
    }
    painter.restore();
}

void paintPeek(QPainter& painter, const Theme& theme, QPointF center) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    const QRectF frame(center.x() - peekWidth / 2, center.y() - peekHeight / 2, peekWidth, peekHeight);
    painter.setBrush(Qt::NoBrush);
    painter.setPen(QPen(theme.ground, 3.5)); // the gaps are to be seen on a busy bar too
    painter.drawRoundedRect(frame, 3, 3);
    QPen dashes(theme.accent, 1.75, Qt::CustomDashLine, Qt::FlatCap);
    dashes.setDashPattern({2, 1.5});
    painter.setPen(dashes);
    painter.drawRoundedRect(frame, 3, 3);
    painter.restore();
}

void paintLock(QPainter& painter, const QColor& color, QPointF center) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, 1.3));
    painter.drawArc(QRectF(center.x() - 2.5, center.y() - 5, 5, 6), 0, 180 * 16);
    painter.setPen(Qt::NoPen);
    painter.setBrush(color);
    painter.drawRoundedRect(QRectF(center.x() - 4, center.y() - 1.5, 8, 6), 1.2, 1.2);
    painter.restore();
}

void paintClock(QPainter& painter, const QColor& color, QPointF center) {
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, 1.3, Qt::SolidLine, Qt::RoundCap));
    painter.drawEllipse(center, 4.5, 4.5);
    painter.drawLine(center, center + QPointF(0, -2.8));
    painter.drawLine(center, center + QPointF(2.2, 0));
    painter.restore();
}

void paintHatch(QPainter& painter, const QRectF& area, const QColor& color) {
    if (area.width() <= 0)
        return;
    painter.save();
    painter.setClipRect(area, Qt::IntersectClip);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(color, 1));
    constexpr double step = 5;
    // the pattern stands still while the edge of the area moves
    const double first = std::floor((area.left() - area.height()) / step) * step;
    for (double x = first; x < area.right(); x += step)
        painter.drawLine(QPointF(x, area.bottom()), QPointF(x + area.height(), area.top()));
    painter.restore();
}

} // namespace arbor
