#include "widgets/views/bar_delegate.h"

#include <QPainter>

#include <algorithm>

namespace arbor {

QSize BarDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
    const QSize size = QStyledItemDelegate::sizeHint(option, index);
    return {std::max(size.width() + 24, 90), std::max(size.height() + 5, 22)};
}

void BarDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option,
                        const QModelIndex& index) const {
    const QVariant fraction = index.data(m_role);
    if (fraction.toDouble() > 0) {
        const Theme theme(option.palette);
        const QRectF room = QRectF(option.rect).adjusted(3, 3, -3, -3);
        const double width = std::clamp(fraction.toDouble(), 0.0, 1.0) * room.width();
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(Qt::NoPen);
        painter->setBrush(theme.density(0.12));
        // from the side of the number, so that lengths compare along one edge
        painter->drawRoundedRect(
            QRectF(room.right() - std::max(width, 2.0), room.top(), std::max(width, 2.0), room.height()), 3,
            3);
        painter->restore();
    }
    QStyleOptionViewItem text = option;
    text.rect.adjust(5, 0, -5, 0);
    QStyledItemDelegate::paint(painter, text, index);
}

} // namespace arbor
