#include "widgets/views/branch_delegate.h"

#include "widgets/models/branch_filter_model.h"
#include "widgets/models/format.h"
#include "widgets/views/glyphs.h"
#include "widgets/views/timeline_state.h"

#include <QApplication>
#include <QPainter>
#include <QPainterPath>

#include <algorithm>
#include <cmath>

namespace arbor {

BranchDelegate::BranchDelegate(const BranchFilterModel& filter, TimelineState& state, QObject* parent)
    : QStyledItemDelegate(parent), m_filter(filter), m_state(state), m_theme(QApplication::palette()) {}

QSize BranchDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex&) const {
    return {40, std::max(28, option.fontMetrics.height() + 12)};
}

QColor BranchDelegate::faded(const QColor& color) const {
    return m_stale ? mixed(m_theme.ground, color, Theme::staleOpacity) : color;
}

void BranchDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                           const QModelIndex& index) const {
    const BranchNode& node = *m_filter.tree()->node(m_filter.mapToSource(index));
    painter->save();
    switch (index.column()) {
    case BranchTreeModel::Name:
        paintName(*painter, option, node);
        break;
    case BranchTreeModel::State:
        paintStateCell(*painter, option, node, index);
        break;
    case BranchTreeModel::Timeline:
        painter->setClipRect(option.rect);
        paintTimeline(*painter, option.rect, node);
        break;
    default:
        paintNumber(*painter, option, index);
        break;
    }
    painter->restore();
}

// -- the columns of text ----------------------------------------------------------------------------------

void BranchDelegate::paintName(QPainter& painter, const QStyleOptionViewItem& option,
                               const BranchNode& node) const {
    QRect area = option.rect.adjusted(4, 0, -padding, 0);
    QFont font = option.font;
    if (node.row.root && node.kind == BranchNode::Kind::Branch)
        font.setWeight(QFont::DemiBold);
    if (node.kind == BranchNode::Kind::Ghost)
        font.setItalic(true);
    const QFontMetrics metrics(font);

    QString badge;
    if (node.kind == BranchNode::Kind::Group)
        badge = countDisplay(static_cast<std::uint64_t>(node.count));
    int after = badge.isEmpty() ? 0 : metrics.horizontalAdvance(badge) + 10;
    after += (node.row.isProtected ? 16 : 0) + (node.row.expiresAt ? 16 : 0);
    const bool rightToLeft = option.direction == Qt::RightToLeft;
    const QString text = metrics.elidedText(node.label, Qt::ElideMiddle, area.width() - after);
    const int used = metrics.horizontalAdvance(text);
    painter.setFont(font);
    painter.setPen(faded(node.kind == BranchNode::Kind::Branch ? m_theme.text : m_theme.muted));
    painter.drawText(area, Qt::AlignVCenter | (rightToLeft ? Qt::AlignRight : Qt::AlignLeft), text);

    double x = rightToLeft ? area.right() - used - 12 : area.left() + used + 12;
    const double middle = area.top() + area.height() / 2.0;
    const double step = rightToLeft ? -16 : 16;
    if (node.row.isProtected) {
        paintLock(painter, faded(m_theme.muted), {x, middle});
        x += step;
    }
    if (node.row.expiresAt)
        paintClock(painter, faded(m_theme.caution), {x, middle});
    if (badge.isEmpty())
        return;
    painter.setFont(captionFont(option.font));
    painter.setPen(faded(m_theme.muted));
    const QRect badgeArea =
        rightToLeft ? area.adjusted(0, 0, -used - 8, 0) : area.adjusted(used + 8, 0, 0, 0);
    painter.drawText(badgeArea, Qt::AlignVCenter | (rightToLeft ? Qt::AlignRight : Qt::AlignLeft), badge);
}

void BranchDelegate::paintStateCell(QPainter& painter, const QStyleOptionViewItem& option,
                                    const BranchNode& node, const QModelIndex& index) const {
    if (node.kind == BranchNode::Kind::Ghost)
        return;
    const bool group = node.kind == BranchNode::Kind::Group;
    QString text = index.data().toString();
    if (group && node.failed > 0)
        text = tr("%n failed", nullptr, node.failed);
    else if (group && node.running > 0)
        text = tr("%n running", nullptr, node.running);
    const bool quiet = node.row.state == BranchState::Stopped;
    const QRectF cell = option.rect;
    const bool rightToLeft = option.direction == Qt::RightToLeft;
    const double x = rightToLeft ? cell.right() - padding - 5 : cell.left() + padding + 5;
    painter.setOpacity(opacity());
    paintState(painter, m_theme, node.row.state, {x, cell.center().y()});
    const QRectF area =
        rightToLeft ? cell.adjusted(padding, 0, -padding - 18, 0) : cell.adjusted(padding + 18, 0, 0, 0);
    if (area.width() < 24)
        return;
    painter.setPen(quiet                                   ? m_theme.muted
                   : node.row.state == BranchState::Failed ? m_theme.danger
                                                           : m_theme.text);
    painter.drawText(area, Qt::AlignVCenter | (rightToLeft ? Qt::AlignRight : Qt::AlignLeft),
                     option.fontMetrics.elidedText(text, Qt::ElideRight, static_cast<int>(area.width())));
}

void BranchDelegate::paintNumber(QPainter& painter, const QStyleOptionViewItem& option,
                                 const QModelIndex& index) const {
    const QString text = index.data().toString();
    const bool nothing = text == QLatin1String("0") || text == QStringLiteral("–");
    painter.setPen(faded(nothing ? m_theme.faint : m_theme.text));
    painter.drawText(option.rect.adjusted(padding, 0, -padding, 0), Qt::AlignVCenter | Qt::AlignRight, text);
}

// -- the timeline -----------------------------------------------------------------------------------------

QRectF BranchDelegate::barRect(const QRectF& cell, double from, double to) const {
    // far outside the cell nothing is seen, and painters dislike coordinates in the billions
    const double left = std::clamp(from, -50.0, cell.width() + 50);
    const double right = std::clamp(to, -50.0, cell.width() + 50);
    const double top = std::round(cell.center().y() - barHeight / 2) + 0.5;
    return {cell.left() + left, top, std::max(right - left, 5.0), barHeight};
}

void BranchDelegate::paintTimeline(QPainter& painter, const QRectF& cell, const BranchNode& node) const {
    if (m_state.marks() == nullptr)
        return;
    painter.setOpacity(opacity());
    painter.setRenderHint(QPainter::Antialiasing);
    switch (node.kind) {
    case BranchNode::Kind::Group:
        paintGroup(painter, cell, node);
        break;
    case BranchNode::Kind::Branch:
        paintBar(painter, cell, node.row);
        break;
    case BranchNode::Kind::Ghost: {
        const auto x = m_state.xOf(node.row.parentId, node.row.forkLsn);
        if (!x)
            break;
        painter.setPen(QPen(m_theme.accent, 1.5, Qt::DashLine));
        painter.drawRoundedRect(barRect(cell, *x, *x + 56), 3, 3);
        break;
    }
    }
}

void BranchDelegate::paintBar(QPainter& painter, const QRectF& cell, const BranchRow& row) const {
    const RowGeometry& geometry = m_state.geometry(row);
    const QRectF bar = barRect(cell, geometry.from, geometry.to);
    QPainterPath outline;
    outline.addRoundedRect(bar, 3, 3);
    const double goneTo = std::clamp(cell.left() + geometry.goneTo, bar.left(), bar.right());
    painter.save();
    painter.setClipPath(outline, Qt::IntersectClip);
    const QRectF alive(goneTo, bar.top(), bar.right() - goneTo, bar.height());
    painter.fillRect(alive, m_theme.density(0));
    // runs of one shade are one rectangle; antialiasing would leave seams between them
    painter.setRenderHint(QPainter::Antialiasing, false);
    for (std::size_t i = 0; i < geometry.shades.size();) {
        const int step = static_cast<int>(geometry.shades[i] * 12);
        std::size_t end = i + 1;
        while (end < geometry.shades.size() && static_cast<int>(geometry.shades[end] * 12) == step)
            ++end;
        const double left = cell.left() + geometry.shadeFrom + static_cast<double>(i) * RowGeometry::bucket;
        const double right =
            cell.left() + geometry.shadeFrom + static_cast<double>(end) * RowGeometry::bucket;
        if (step > 0 && right > goneTo)
            painter.fillRect(
                QRectF(std::max(left, goneTo), bar.top(), right - std::max(left, goneTo), bar.height()),
                m_theme.density(step / 12.0));
        i = end;
    }
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(QPen(m_theme.ground, 1));
    for (const double x : geometry.commits)
        if (cell.left() + x > goneTo)
            painter.drawLine(QPointF(cell.left() + x, bar.top() + 3),
                             QPointF(cell.left() + x, bar.bottom() - 3));
    paintHatch(painter, QRectF(bar.left(), bar.top(), goneTo - bar.left(), bar.height()), m_theme.faint);
    painter.restore();
    if (goneTo > bar.left() + 1) {
        painter.setPen(QPen(m_theme.faint, 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(QRectF(bar.left(), bar.top(), goneTo - bar.left(), bar.height()), 3, 3);
    }
    paintRanges(painter, cell, row);
    for (const RowGeometry::Glyph& glyph : geometry.glyphs)
        paintMark(painter, m_theme, glyph.kind, {cell.left() + glyph.x, bar.center().y()},
                  cell.height() / 2 - 2);
    for (const PeekRow& peek : row.peeks)
        if (const auto x = m_state.xOf(row.id, peek.lsn))
            paintPeek(painter, m_theme, {cell.left() + *x, bar.center().y()});
}

void BranchDelegate::paintRanges(QPainter& painter, const QRectF& cell, const BranchRow& row) const {
    for (const TimelineRange& range : m_state.ranges(row.id)) {
        const auto from = m_state.xOf(row.id, range.from);
        const auto to = m_state.xOf(row.id, range.to);
        if (!from || !to)
            continue;
        const QRectF area = barRect(cell, *from, *to);
        if (range.kind == TimelineRange::Kind::Pinned) {
            painter.fillRect(area, m_theme.ground);
            painter.fillRect(area, mixed(m_theme.ground, m_theme.accent, 0.1));
            painter.setPen(QPen(range.pinnedBy == 0 ? m_theme.text : m_theme.branch(range.pinnedBy), 1.75));
        } else {
            painter.fillRect(area, m_theme.ground);
            painter.setPen(QPen(m_theme.muted, 1.5, Qt::DotLine));
        }
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(area, 3, 3);
    }
}

void BranchDelegate::paintGroup(QPainter& painter, const QRectF& cell, const BranchNode& node) const {
    BranchRow row = node.row;
    const bool byLsn = m_state.axis() == TimelineAxis::Lsn;
    const double from = m_state.forkX(row);
    const double to = m_state.scale().x(byLsn ? axisValue(row.headLsn) : axisValue(row.headTime));
    const QRectF bar = barRect(cell, from, std::max(from, to));
    // a bracket: the span of many is no bar
    painter.setPen(QPen(m_theme.faint, 1.5));
    const double middle = bar.center().y();
    painter.drawLine(QPointF(bar.left(), middle), QPointF(bar.right(), middle));
    painter.drawLine(QPointF(bar.left(), middle - 4), QPointF(bar.left(), middle + 4));
    painter.drawLine(QPointF(bar.right(), middle - 4), QPointF(bar.right(), middle + 4));
}

} // namespace arbor
