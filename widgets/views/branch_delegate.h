// Paints the rows of the branch tree from the plain structs of the model.
#pragma once

#include "widgets/models/branch_tree_model.h"
#include "widgets/views/theme.h"

#include <QStyledItemDelegate>

namespace arbor {

class BranchFilterModel;
class TimelineState;

class BranchDelegate : public QStyledItemDelegate {
    Q_OBJECT
  public:
    // Neither is owned.
    BranchDelegate(const BranchFilterModel& filter, TimelineState& state, QObject* parent);
    void setTheme(const Theme& theme) { m_theme = theme; }
    const Theme& theme() const { return m_theme; }
    // The engine is gone: the last picture, greyed.
    void setStale(bool stale) { m_stale = stale; }
    double opacity() const { return m_stale ? Theme::staleOpacity : 1; }

    static constexpr double barHeight = 12;
    static constexpr int padding = 8; // between a cell's edge and its text

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

  private:
    void paintName(QPainter& painter, const QStyleOptionViewItem& option, const BranchNode& node) const;
    void paintStateCell(QPainter& painter, const QStyleOptionViewItem& option, const BranchNode& node,
                        const QModelIndex& index) const;
    void paintNumber(QPainter& painter, const QStyleOptionViewItem& option, const QModelIndex& index) const;
    void paintTimeline(QPainter& painter, const QRectF& cell, const BranchNode& node) const;
    void paintBar(QPainter& painter, const QRectF& cell, const BranchRow& row) const;
    void paintRanges(QPainter& painter, const QRectF& cell, const BranchRow& row) const;
    void paintGroup(QPainter& painter, const QRectF& cell, const BranchNode& node) const;
    QRectF barRect(const QRectF& cell, double from, double to) const;
    QColor faded(const QColor& color) const;

    const BranchFilterModel& m_filter;
    TimelineState& m_state;
    Theme m_theme;
    bool m_stale = false;
};

} // namespace arbor
