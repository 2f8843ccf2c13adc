#include "widgets/models/relations_model.h"

#include "widgets/models/format.h"

namespace arbor {

namespace {

bool isNumber(int column) {
    return column == RelationsModel::Rows || column == RelationsModel::Size ||
           column == RelationsModel::Changed;
}

} // namespace

void RelationsModel::setRows(std::span<const RelationRow> rows) {
    const std::uint64_t before = m_most;
    m_most = 0;
    for (const RelationRow& row : rows)
        m_most = std::max(m_most, row.bytes);
    replaceRows({rows.begin(), rows.end()}, [](const RelationRow& row) { return row.key(); });
    if (m_most != before && rowCount() > 0)
        Q_EMIT dataChanged(index(0, Size), index(rowCount() - 1, Size));
}

QVariant RelationsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const RelationRow& at = row(index.row());
    const bool number = isNumber(index.column());
    switch (role) {
    case FractionRole:
        if (index.column() == Size && m_most > 0)
            return static_cast<double>(at.bytes) / static_cast<double>(m_most);
        if (index.column() == Changed && at.changedPages && at.pages > 0)
            return std::min(1.0, static_cast<double>(*at.changedPages) / static_cast<double>(at.pages));
        return {};
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(
            Qt::Alignment((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    case SortRole:
        if (index.column() == Size)
            return static_cast<qulonglong>(at.bytes);
        if (index.column() == Changed)
            return static_cast<qulonglong>(at.changedPages.value_or(0));
        if (index.column() == Rows)
            return static_cast<qlonglong>(at.tuples ? static_cast<qlonglong>(*at.tuples) : -1);
        break;
    case Qt::ToolTipRole:
        if (index.column() == Changed && at.changedPages)
            return tr("Written here or on the parent since the fork, as far as it has reached the disk");
        if (index.column() == Rows && at.tuples)
            return tr("PostgreSQL's estimate, of the last ANALYZE");
        return {};
    case Qt::DisplayRole:
        break;
    default:
        return {};
    }
    switch (index.column()) {
    case Name:
        return at.name;
    case Schema:
        return at.schema;
    case Database:
        return at.database;
    case Kind:
        return at.kind;
    case Rows:
        return at.tuples ? tr("~%1").arg(countDisplay(*at.tuples)) : QStringLiteral("–");
    case Size:
        return bytesDisplay(at.bytes);
    case Changed:
        return at.changedPages ? tr("%1 of %2").arg(countDisplay(*at.changedPages), countDisplay(at.pages))
                               : QStringLiteral("–");
    default:
        return {};
    }
}

QVariant RelationsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    const bool number = isNumber(section);
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(
            Qt::Alignment((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Name:
        return tr("Relation");
    case Schema:
        return tr("Schema");
    case Database:
        return tr("Database");
    case Kind:
        return tr("Kind");
    case Size:
        return tr("Size");
    case Rows:
        return tr("Rows");
    case Changed:
        return tr("Pages that differ");
    default:
        return {};
    }
}

} // namespace arbor
