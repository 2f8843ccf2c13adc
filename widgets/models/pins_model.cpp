#include "widgets/models/pins_model.h"

#include "widgets/models/format.h"

#include <QStringList>

namespace arbor {

void PinsModel::setRows(std::span<const PinRow> rows) {
    QSet<QString> keys;
    const std::uint64_t before = m_most;
    m_most = 0;
    for (const PinRow& row : rows) {
        keys.insert(row.key());
        m_most = std::max(m_most, row.onlyBytes);
    }
    replaceRows({rows.begin(), rows.end()}, [](const PinRow& row) { return row.key(); });
    if (m_most != before && rowCount() > 0)
        Q_EMIT dataChanged(index(0, Only), index(rowCount() - 1, Only));
    const auto ticks = m_ticked.size();
    m_ticked.intersect(keys);
    if (m_ticked.size() != ticks)
        Q_EMIT ticksChanged();
}

std::vector<PinRow> PinsModel::ticked() const {
    std::vector<PinRow> result;
    for (const PinRow& row : rows())
        if (m_ticked.contains(row.key()))
            result.push_back(row);
    return result;
}

void PinsModel::clearTicks() {
    if (m_ticked.isEmpty())
        return;
    m_ticked.clear();
    if (rowCount() > 0)
        Q_EMIT dataChanged(index(0, Name), index(rowCount() - 1, Name), {Qt::CheckStateRole});
    Q_EMIT ticksChanged();
}

void PinsModel::tick(const QStringList& whats) {
    m_ticked.clear();
    for (const PinRow& row : rows())
        if (row.isRemovable && whats.contains(row.what))
            m_ticked.insert(row.key());
    if (rowCount() > 0)
        Q_EMIT dataChanged(index(0, Name), index(rowCount() - 1, Name), {Qt::CheckStateRole});
    Q_EMIT ticksChanged();
}

QString PinsModel::sentence(const std::vector<PinRow>& ticked, std::uint64_t togetherBytes) {
    if (ticked.empty())
        return {};
    if (ticked.size() == 1)
        return tr("%1 frees %2.").arg(ticked.front().name, bytesDisplay(togetherBytes));
    std::uint64_t alone = 0;
    QStringList each;
    for (const PinRow& row : ticked) {
        alone += row.onlyBytes;
        if (each.size() < 6)
            each.push_back(bytesDisplay(row.onlyBytes));
    }
    if (ticked.size() > 6)
        each.push_back(QStringLiteral("…"));
    const QString together = tr("These %n together free %1", nullptr, static_cast<int>(ticked.size()))
                                 .arg(bytesDisplay(togetherBytes));
    const QString oneByOne = tr("one by one %1").arg(each.join(QStringLiteral(" + ")));
    if (togetherBytes <= alone)
        return QStringLiteral("%1; %2.").arg(together, oneByOne);
    return tr("%1; %2, because they share %3.").arg(together, oneByOne, bytesDisplay(togetherBytes - alone));
}

QVariant PinsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const PinRow& at = row(index.row());
    const bool only = index.column() == Only;
    switch (role) {
    case Qt::CheckStateRole:
        if (index.column() != Name || !at.isRemovable)
            return {};
        return static_cast<int>(m_ticked.contains(at.key()) ? Qt::Checked : Qt::Unchecked);
    case FractionRole:
        return only && m_most > 0 ? QVariant(static_cast<double>(at.onlyBytes) / static_cast<double>(m_most))
                                  : QVariant();
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(Qt::Alignment((only ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    case SortRole:
        if (only)
            return static_cast<qulonglong>(at.onlyBytes);
        if (index.column() == Range)
            return static_cast<qulonglong>(at.from.value);
        break;
    case Qt::DisplayRole:
        break;
    default:
        return {};
    }
    switch (index.column()) {
    case Name:
        return at.name;
    case Kind:
        return at.kind;
    case Branch:
        return at.branch;
    case Range:
        return at.from == at.to ? lsnDisplay(at.to)
                                : tr("%1 to %2").arg(lsnDisplay(at.from), lsnDisplay(at.to));
    case Only:
        return bytesDisplay(at.onlyBytes);
    default:
        return {};
    }
}

bool PinsModel::setData(const QModelIndex& index, const QVariant& value, int role) {
    if (role != Qt::CheckStateRole || !index.isValid() || index.column() != Name ||
        !row(index.row()).isRemovable)
        return false;
    const QString key = row(index.row()).key();
    if (value.toInt() == Qt::Checked)
        m_ticked.insert(key);
    else
        m_ticked.remove(key);
    Q_EMIT dataChanged(index, index, {Qt::CheckStateRole});
    Q_EMIT ticksChanged();
    return true;
}

Qt::ItemFlags PinsModel::flags(const QModelIndex& index) const {
    Qt::ItemFlags flags = QAbstractTableModel::flags(index);
    if (index.isValid() && index.column() == Name && row(index.row()).isRemovable)
        flags |= Qt::ItemIsUserCheckable;
    return flags;
}

QVariant PinsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(
            Qt::Alignment((section == Only ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Name:
        return tr("What pins");
    case Kind:
        return tr("Kind");
    case Branch:
        return tr("Branch");
    case Range:
        return tr("LSN range");
    case Only:
        return tr("Only it keeps");
    default:
        return {};
    }
}

} // namespace arbor
