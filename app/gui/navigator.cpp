#include "app/gui/navigator.h"

#include "app/gui/symbolic_icon.h"
#include "widgets/models/format.h"

#include <QHeaderView>
#include <QLineEdit>
#include <QMenu>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QTreeWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace arbor {

namespace {
enum Role { KindRole = Qt::UserRole, NameRole, BranchRole };
constexpr std::size_t mostOfASection = 500; // the rest is a search away

// The name, and at the far side of the same row what the second column says: as a column it would be as wide
// in every section as the widest text of any. A name gets the room first.
class NameDelegate final : public QStyledItemDelegate {
  public:
    using QStyledItemDelegate::QStyledItemDelegate;
    void paint(QPainter* painter, const QStyleOptionViewItem& option,
               const QModelIndex& index) const override {
        QStyledItemDelegate::paint(painter, option, index);
        QStyleOptionViewItem item(option);
        initStyleOption(&item, index);
        const QStyle* style = item.widget->style();
        const QRect text = style->subElementRect(QStyle::SE_ItemViewItemText, &item, item.widget);
        const int used = QFontMetrics(item.font).horizontalAdvance(item.text) + gap;
        const QRect room = option.direction == Qt::RightToLeft ? text.adjusted(edge, 0, -used, 0)
                                                               : text.adjusted(used, 0, -edge, 0);
        const QString detail = item.fontMetrics.elidedText(index.siblingAtColumn(1).data().toString(),
                                                           Qt::ElideRight, std::max(room.width(), 0));
        QPalette::ColorRole role = QPalette::PlaceholderText;
        if (item.state & QStyle::State_Selected)
            role = QPalette::HighlightedText;
        style->drawItemText(
            painter, room,
            static_cast<int>(QStyle::visualAlignment(option.direction, Qt::AlignRight) | Qt::AlignVCenter),
            item.palette, item.state & QStyle::State_Enabled, detail, role);
    }

  private:
    static constexpr int gap = 12;
    static constexpr int edge = 4;
};
} // namespace

Navigator::Navigator(StoreSession& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_filter(new QLineEdit(this)), m_list(new QTreeWidget(this)) {
    m_filter->setPlaceholderText(tr("Filter branches"));
    m_filter->setAccessibleName(tr("Filter branches"));
    m_filter->setToolTip(tr("Words of the name, or state:running, is:protected, is:expiring, is:root"));
    m_filter->setClearButtonEnabled(true);
    m_filter->addAction(symbolicIcon(QStringLiteral("filter")), QLineEdit::LeadingPosition);
    m_list->setAccessibleName(tr("Navigator"));
    m_list->setHeaderHidden(true);
    m_list->setColumnCount(2);
    m_list->setColumnHidden(1, true);
    m_list->setItemDelegate(new NameDelegate(m_list));
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setUniformRowHeights(true);
    m_list->setContextMenuPolicy(Qt::CustomContextMenu);
    m_list->header()->setStretchLastSection(false);
    m_list->header()->setSectionResizeMode(0, QHeaderView::Stretch);
    const auto section = [this](const QString& icon) {
        auto* item = new QTreeWidgetItem(m_list);
        item->setIcon(0, symbolicIcon(icon));
        QFont bold = font();
        bold.setBold(true);
        item->setFont(0, bold);
        item->setExpanded(true);
        return item;
    };
    m_branches = section(QStringLiteral("branch"));
    m_checkpoints = section(QStringLiteral("checkpoint"));
    m_expiring = section(QStringLiteral("expiry"));
    m_trash = section(QStringLiteral("trash"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(6, 6, 6, 6);
    layout->addWidget(m_filter);
    layout->addWidget(m_list);
    connect(m_filter, &QLineEdit::textChanged, this, &Navigator::filterChanged);
    connect(m_list, &QTreeWidget::itemActivated, this, &Navigator::choose);
    connect(m_list, &QTreeWidget::itemClicked, this, [this](QTreeWidgetItem* item) {
        if (item->data(0, KindRole).toString() != QLatin1String("trash"))
            choose(item);
    });
    connect(m_list, &QWidget::customContextMenuRequested, this, &Navigator::showMenu);
    refresh();
}

void Navigator::fill(QTreeWidgetItem* section, const QString& title, const std::vector<Entry>& entries,
                     const QString& whenEmpty) {
    section->setText(0, title);
    section->setText(1, entries.empty() ? QString() : countDisplay(entries.size()));
    section->setData(0, Qt::AccessibleTextRole,
                     tr("%1, %n item(s)", nullptr, static_cast<int>(entries.size())).arg(title));
    const std::size_t shown = std::min(entries.size(), mostOfASection);
    const std::size_t rows = shown + (entries.empty() && !whenEmpty.isEmpty() ? 1 : 0);
    while (static_cast<std::size_t>(section->childCount()) > rows)
        delete section->takeChild(section->childCount() - 1);
    while (static_cast<std::size_t>(section->childCount()) < rows)
        new QTreeWidgetItem(section);
    for (std::size_t i = 0; i < shown; ++i) {
        QTreeWidgetItem* item = section->child(static_cast<int>(i));
        const Entry& entry = entries[i];
        item->setText(0, entry.text);
        item->setText(1, entry.detail);
        item->setToolTip(0, entry.tip);
        item->setToolTip(1, entry.tip);
        item->setData(0, KindRole, entry.kind);
        item->setData(0, NameRole, entry.name);
        item->setData(0, BranchRole, entry.branch);
        item->setDisabled(false);
    }
    if (rows > shown) {
        QTreeWidgetItem* item = section->child(0);
        item->setText(0, whenEmpty);
        item->setText(1, {});
        item->setData(0, KindRole, {});
        item->setDisabled(true);
    }
}

void Navigator::refresh() {
    const StorePicture& picture = m_session.picture();
    const Timestamp now = SystemClock().now();
    m_branches->setText(0, tr("Branches"));
    m_branches->setText(1, picture.branches.empty() ? QString() : countDisplay(picture.branches.size()));
    std::vector<Entry> checkpoints, expiring, trash;
    for (const CheckpointFacts& checkpoint : picture.checkpoints)
        checkpoints.push_back({checkpoint.name, checkpoint.offLine ? tr("off the line") : checkpoint.branch,
                               tr("%1 on %2 at %3, %4")
                                   .arg(checkpoint.name, checkpoint.branch, lsnDisplay(checkpoint.lsn),
                                        timeDisplay(checkpoint.time)),
                               QStringLiteral("checkpoint"), checkpoint.name, checkpoint.branch});
    for (const BranchRow& branch : picture.branches)
        if (branch.expiresAt)
            expiring.push_back({branch.name, durationDisplay(branch.expiresAt - now),
                                tr("%1 expires %2").arg(branch.name, timeDisplay(branch.expiresAt)),
                                QStringLiteral("branch"), branch.name, branch.name});
    for (const TrashFacts& entry : picture.trash)
        trash.push_back({entry.name, durationDisplay(entry.freedAt - now),
                         tr("%1, in the trash since %2, gone %3. Press Enter to bring it back.")
                             .arg(entry.name, timeDisplay(entry.deletedAt), timeDisplay(entry.freedAt)),
                         QStringLiteral("trash"), entry.name, entry.name});
    fill(m_checkpoints, tr("Checkpoints"), checkpoints, tr("None yet"));
    fill(m_expiring, tr("Expiring"), expiring, tr("None"));
    fill(m_trash, tr("Trash"), trash, tr("Empty"));
}

void Navigator::choose(QTreeWidgetItem* item) {
    const QString kind = item->data(0, KindRole).toString();
    const QString name = item->data(0, NameRole).toString();
    const QString branch = item->data(0, BranchRole).toString();
    if (kind == QLatin1String("branch"))
        Q_EMIT branchChosen(name);
    else if (kind == QLatin1String("checkpoint"))
        Q_EMIT pointChosen(branch, QStringLiteral("checkpoint:") + name);
    else if (kind == QLatin1String("trash"))
        Q_EMIT bringBackAsked(name);
    else if (item == m_branches)
        m_filter->clear();
}

void Navigator::showMenu(const QPoint& at) {
    QTreeWidgetItem* item = m_list->itemAt(at);
    if (!item)
        return;
    const QString kind = item->data(0, KindRole).toString();
    const QString name = item->data(0, NameRole).toString();
    const QString branch = item->data(0, BranchRole).toString();
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    if (kind == QLatin1String("trash")) {
        menu->addAction(symbolicIcon(QStringLiteral("undo")), tr("Bring back %1").arg(name), this,
                        [this, name] { Q_EMIT bringBackAsked(name); });
    } else if (kind == QLatin1String("checkpoint")) {
        menu->addAction(symbolicIcon(QStringLiteral("checkpoint")), tr("Go to %1").arg(name), this,
                        [this, item] { choose(item); });
        menu->addAction(symbolicIcon(QStringLiteral("delete")), tr("Delete checkpoint %1").arg(name), this,
                        [this, name, branch] { Q_EMIT deleteCheckpointAsked(name, branch); });
    }
    if (!menu->isEmpty())
        menu->popup(m_list->viewport()->mapToGlobal(at));
}

} // namespace arbor
