// A number with a bar behind it: for columns whose model answers a role with a fraction from 0 to 1.
#pragma once

#include "widgets/views/theme.h"

#include <QStyledItemDelegate>

namespace arbor {

class BarDelegate : public QStyledItemDelegate {
    Q_OBJECT
  public:
    // fractionRole: of the model; a cell without one is drawn as any other.
    BarDelegate(int fractionRole, QObject* parent) : QStyledItemDelegate(parent), m_role(fractionRole) {}

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

  private:
    int m_role;
};

} // namespace arbor
