#include "app/gui/command_palette.h"

#include "app/gui/fuzzy.h"
#include "app/gui/symbolic_icon.h"

#include <QCoreApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListWidget>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QTimer>
#include <QVBoxLayout>

#include <algorithm>

namespace arbor {

namespace {

constexpr int detailRole = Qt::UserRole + 1;
constexpr std::size_t mostFound = 100;
constexpr int iconSize = 16;

// The text at the left, the key at the right.
class EntryDelegate final : public QStyledItemDelegate {
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        QStyledItemDelegate::paint(painter, option, index);
        const bool selected = option.state & QStyle::State_Selected;
        painter->save();
        painter->setPen(
            option.palette.color(selected ? QPalette::HighlightedText : QPalette::PlaceholderText));
        painter->drawText(option.rect.adjusted(8, 0, -8, 0),
                          QStyle::visualAlignment(option.direction, Qt::AlignRight | Qt::AlignVCenter),
                          index.data(detailRole).toString());
        painter->restore();
    }
    QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override {
        const QSize size = QStyledItemDelegate::sizeHint(option, index);
        return {size.width(), std::max(iconSize, option.fontMetrics.height()) + 8};
    }
};

} // namespace

CommandPalette::CommandPalette(QWidget* parent)
    : QDialog(parent, Qt::Popup), m_field(new QLineEdit(this)), m_list(new QListWidget(this)) {
    setAccessibleName(tr("Search or run"));
    m_field->setPlaceholderText(tr("Search branches and actions"));
    m_field->setAccessibleName(tr("Search branches and actions"));
    m_field->addAction(symbolicIcon(QStringLiteral("search")), QLineEdit::LeadingPosition);
    m_field->installEventFilter(this);
    m_list->setAccessibleName(tr("Found"));
    m_list->setItemDelegate(new EntryDelegate(m_list));
    m_list->setUniformItemSizes(true);
    m_list->setIconSize(QSize(iconSize, iconSize));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 8, 8, 8);
    layout->addWidget(m_field);
    layout->addWidget(m_list);
    connect(m_field, &QLineEdit::textChanged, this, &CommandPalette::narrow);
    connect(m_list, &QListWidget::itemClicked, this, &CommandPalette::runChosen);
}

void CommandPalette::open(std::vector<Entry> entries) {
    m_entries = std::move(entries);
    m_field->clear();
    narrow();
    if (const QWidget* over = parentWidget()) {
        const QSize size(std::min(620, over->width() - 40), std::min(420, over->height() - 80));
        resize(size);
        move(over->mapToGlobal(QPoint((over->width() - size.width()) / 2, 56)));
    }
    QDialog::show();
    m_field->setFocus();
}

void CommandPalette::narrow() {
    const QString typed = m_field->text().trimmed();
    struct Found {
        bool enabled;
        int score;
        std::size_t entry;
    };
    std::vector<Found> found;
    for (std::size_t i = 0; i < m_entries.size(); ++i)
        if (const int score = fuzzyScore(typed, m_entries[i].text); score > 0)
            found.push_back({m_entries[i].enabled, score, i});
    std::ranges::stable_sort(found, std::ranges::greater(),
                             [](const Found& one) { return std::pair(one.enabled, one.score); });
    m_list->clear();
    QPixmap none(iconSize, iconSize); // texts without an icon begin under those with one
    none.fill(Qt::transparent);
    for (std::size_t i = 0; i < std::min(found.size(), mostFound); ++i) {
        const Entry& entry = m_entries[found[i].entry];
        auto* item = new QListWidgetItem(entry.icon.isNull() ? QIcon(none) : entry.icon, entry.text, m_list);
        item->setData(Qt::UserRole, static_cast<qulonglong>(found[i].entry));
        item->setData(detailRole, entry.detail);
        item->setData(Qt::AccessibleDescriptionRole, entry.detail);
        if (!entry.enabled)
            item->setFlags(item->flags() & ~Qt::ItemIsEnabled);
    }
    m_list->setCurrentRow(0);
}

void CommandPalette::runChosen() {
    const QListWidgetItem* item = m_list->currentItem();
    if (!item || !(item->flags() & Qt::ItemIsEnabled))
        return;
    const auto run = m_entries[item->data(Qt::UserRole).toULongLong()].run;
    close();
    // when the focus is back where it was: the entry may open something of its own
    QTimer::singleShot(0, parent(), run);
}

bool CommandPalette::eventFilter(QObject* watched, QEvent* event) {
    if (watched != m_field || event->type() != QEvent::KeyPress)
        return QDialog::eventFilter(watched, event);
    const auto* key = static_cast<QKeyEvent*>(event);
    switch (key->key()) {
    case Qt::Key_Up:
    case Qt::Key_Down:
    case Qt::Key_PageUp:
    case Qt::Key_PageDown:
        return QCoreApplication::sendEvent(m_list, event);
    case Qt::Key_Return:
    case Qt::Key_Enter:
        runChosen();
        return true;
    case Qt::Key_Escape:
        close();
        return true;
    default:
        return QDialog::eventFilter(watched, event);
    }
}

} // namespace arbor
