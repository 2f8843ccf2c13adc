#include "app/gui/looks.h"

#include "widgets/views/theme.h"

#include <QAbstractItemView>
#include <QApplication>
#include <QEvent>
#include <QHeaderView>
#include <QPainter>
#include <QProxyStyle>
#include <QStyleOption>
#include <QStyledItemDelegate>
#include <QToolButton>
#include <QTreeView>

namespace arbor {

namespace {

class FlatHeader final : public QHeaderView {
  public:
    explicit FlatHeader(QTreeView* table) : QHeaderView(Qt::Horizontal, table) {
        setSectionsClickable(true);
        setDefaultAlignment(Qt::AlignLeading | Qt::AlignVCenter);
    }
    QSize sizeHint() const override { return {QHeaderView::sizeHint().width(), fontMetrics().height() + 10}; }

  protected:
    QSize sectionSizeFromContents(int section) const override {
        const QString text = model()->headerData(section, Qt::Horizontal).toString();
        return {fontMetrics().horizontalAdvance(text + QStringLiteral(" ↓")) + 16, sizeHint().height()};
    }
    void paintSection(QPainter* painter, const QRect& rect, int section) const override {
        const Theme theme(palette());
        painter->save();
        painter->fillRect(rect, theme.ground);
        const bool sorted = isSortIndicatorShown() && sortIndicatorSection() == section;
        QString text = model()->headerData(section, Qt::Horizontal).toString();
        if (sorted)
            text += sortIndicatorOrder() == Qt::AscendingOrder ? QStringLiteral(" ↑") : QStringLiteral(" ↓");
        const QVariant side = model()->headerData(section, Qt::Horizontal, Qt::TextAlignmentRole);
        const auto alignment = side.isValid() ? Qt::Alignment(side.toInt()) : defaultAlignment();
        painter->setFont(captionFont(font()));
        painter->setPen(sorted ? theme.text : theme.muted);
        const QRect area = rect.adjusted(8, 0, -8, 0);
        painter->drawText(
            area, static_cast<int>(QStyle::visualAlignment(layoutDirection(), alignment) | Qt::AlignVCenter),
            painter->fontMetrics().elidedText(text, Qt::ElideRight, area.width()));
        painter->setPen(theme.line);
        painter->drawLine(rect.bottomLeft(), rect.bottomRight());
        painter->restore();
    }
    void paintEvent(QPaintEvent* event) override {
        QPainter painter(viewport());
        const Theme theme(palette());
        painter.fillRect(rect(), theme.ground);
        painter.setPen(theme.line);
        painter.drawLine(0, height() - 1, width(), height() - 1);
        painter.end();
        QHeaderView::paintEvent(event);
    }
};

// Rows with air, texts under their titles. A text goes the way that it is written in, on whichever side the
// table begins: a time or a command must not be turned around.
class RowDelegate final : public QStyledItemDelegate {
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        return QStyledItemDelegate::sizeHint(option, index) + QSize(2 * inset, 5);
    }
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        const QStyle* style = option.widget ? option.widget->style() : QApplication::style();
        QStyleOptionViewItem whole(option);
        initStyleOption(&whole, index);
        style->drawPrimitive(QStyle::PE_PanelItemViewItem, &whole, painter, option.widget);
        QStyleOptionViewItem text(option);
        text.rect.adjust(inset, 0, -inset, 0);
        QStyledItemDelegate::paint(painter, text, index);
    }

  protected:
    void initStyleOption(QStyleOptionViewItem* option, const QModelIndex& index) const override {
        QStyledItemDelegate::initStyleOption(option, index);
        option->displayAlignment = QStyle::visualAlignment(option->direction, option->displayAlignment) |
                                   Qt::AlignAbsolute | Qt::AlignVCenter;
        if (!(option->features & QStyleOptionViewItem::HasCheckIndicator))
            option->direction = option->text.isRightToLeft() ? Qt::RightToLeft : Qt::LeftToRight;
    }

  private:
    static constexpr int inset = 5; // and the style's own 3
};

// Not by a style sheet: it would keep the colours it was born with.
class NoCornerArrow final : public QProxyStyle {
  public:
    void drawComplexControl(ComplexControl control, const QStyleOptionComplex* option, QPainter* painter,
                            const QWidget* widget) const override {
        if (const auto* button = qstyleoption_cast<const QStyleOptionToolButton*>(option)) {
            QStyleOptionToolButton plain(*button);
            plain.features &= ~QStyleOptionToolButton::HasMenu;
            QProxyStyle::drawComplexControl(control, &plain, painter, widget);
        } else {
            QProxyStyle::drawComplexControl(control, option, painter, widget);
        }
    }
};

} // namespace

void flatTable(QTreeView& table) {
    table.setHeader(new FlatHeader(&table));
    table.setItemDelegate(new RowDelegate(&table));
    table.setFrameShape(QFrame::NoFrame);
}

ElidedLabel::ElidedLabel(QWidget* parent) : QLabel(parent) {
    setTextFormat(Qt::PlainText);
    setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
}

void ElidedLabel::paintEvent(QPaintEvent*) {
    QPainter painter(this);
    const QRect area = contentsRect();
    style()->drawItemText(
        &painter, area, static_cast<int>(QStyle::visualAlignment(layoutDirection(), alignment())), palette(),
        isEnabled(), fontMetrics().elidedText(text(), Qt::ElideRight, area.width()), foregroundRole());
}

void menuButton(QToolButton& button, const QString& text) {
    button.setText(text + QStringLiteral(" ▾"));
    button.setAccessibleName(text);
    button.setPopupMode(QToolButton::InstantPopup);
    auto* style = new NoCornerArrow;
    style->setParent(&button);
    button.setStyle(style);
}

} // namespace arbor
