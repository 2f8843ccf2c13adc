// The small signs of the timeline, drawn at a point. Each differs in shape, so that none is told by colour
// alone.
#pragma once

#include "widgets/models/marks_store.h"
#include "widgets/views/theme.h"

class QPainter;
class QPointF;
class QRectF;

namespace arbor {

// Around `center`, about 9 px wide; restore points and forks are ticks `reach` px up or down from it.
void paintMark(QPainter& painter, const Theme& theme, MarkKind kind, QPointF center, double reach);
// Within 10 by 10 px: a disc running, a ring stopped, half a disc between, a triangle failed.
void paintState(QPainter& painter, const Theme& theme, BranchState state, QPointF center);
// A dashed frame around what somebody looks at; what is in it stays visible.
inline constexpr double peekWidth = 13, peekHeight = 22;
void paintPeek(QPainter& painter, const Theme& theme, QPointF center);
void paintLock(QPainter& painter, const QColor& color, QPointF center);
void paintClock(QPainter& painter, const QColor& color, QPointF center);
// 45 degree strokes 5 px apart, whatever the device's resolution.
void paintHatch(QPainter& painter, const QRectF& area, const QColor& color);

} // namespace arbor
