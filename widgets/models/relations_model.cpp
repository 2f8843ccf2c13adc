#include "widgets/models/relations_model.h"

#include "widgets/models/format.h"

namespace arbor {

namespace {

bool isNumberOfRelations(int column) {
    return column >= RelationsModel::Rows;
}

QVariant share(const std::optional<std::uint64_t>& bytes, std::uint64_t most) {
    return bytes && most > 0 ? QVariant(static_cast<double>(*bytes) / static_cast<double>(most)) : QVariant();
}

QString sizeText(const std::optional<std::uint64_t>& bytes) {
    return bytes ? bytesDisplay(*bytes) : QStringLiteral("–");
}

QVariant sortSize(const std::optional<std::uint64_t>& bytes) {
    return bytes ? static_cast<qlonglong>(*bytes) : qlonglong(-1);
}

} // namespace

void RelationsModel::setRows(std::span<const RelationRow> rows, Of of) {
    if (std::exchange(m_of, of) != of)
        Q_EMIT headerDataChanged(Qt::Horizontal, Name, Name);
    const Most before = std::exchange(m_most, {});
    for (const RelationRow& row : rows) {
        m_most.bytes = std::max(m_most.bytes, row.bytes.value_or(0));
        m_most.privateBytes = std::max(m_most.privateBytes, row.privateBytes.value_or(0));
        m_most.historyBytes = std::max(m_most.historyBytes, row.historyBytes.value_or(0));
    }
    replaceRows({rows.begin(), rows.end()}, [](const RelationRow& row) { return row.key(); });
    if (m_most != before && rowCount() > 0)
        Q_EMIT dataChanged(index(0, Size), index(rowCount() - 1, History));
}

QVariant RelationsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const RelationRow& at = row(index.row());
    const bool number = isNumberOfRelations(index.column());
    switch (role) {
    case FractionRole:
        if (index.column() == Size)
            return share(at.bytes, m_most.bytes);
        if (index.column() == Private)
            return share(at.privateBytes, m_most.privateBytes);
        if (index.column() == History)
            return share(at.historyBytes, m_most.historyBytes);
        if (index.column() == Changed && at.changedPages && at.pages > 0)
            return std::min(1.0, static_cast<double>(*at.changedPages) / static_cast<double>(at.pages));
        return {};
    case Qt::TextAlignmentRole:
        return QVariant::fromValue(
            Qt::Alignment((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    case SortRole:
        if (index.column() == Size)
            return sortSize(at.bytes);
        if (index.column() == Private)
            return sortSize(at.privateBytes);
        if (index.column() == History)
            return sortSize(at.historyBytes);
        if (index.column() == Changed)
            return static_cast<qulonglong>(at.changedPages.value_or(0));
        if (index.column() == Rows)
            return static_cast<qlonglong>(at.tuples ? static_cast<qlonglong>(*at.tuples) : -1);
        break;
    case Qt::ToolTipRole:
        if (index.column() == Name)
            return at.name;
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
        return sizeText(at.bytes);
    case Private:
        return sizeText(at.privateBytes);
    case History:
        return sizeText(at.historyBytes);
    case Changed:
        return at.changedPages ? tr("%1 of %2").arg(countDisplay(*at.changedPages), countDisplay(at.pages))
                               : QStringLiteral("–");
    default:
        return {};
    }
}

QVariant RelationsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    const bool number = isNumberOfRelations(section);
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(
            Qt::Alignment((number ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    if (role == Qt::ToolTipRole && section == Private)
        return tr("Bytes on disk that only this branch needs");
    if (role == Qt::ToolTipRole && section == History)
        return tr("Older versions, kept by the history window or a checkpoint");
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Name:
        return m_of == Of::Databases ? tr("Database") : tr("Relation");
    case Schema:
        return tr("Schema");
    case Database:
        return tr("Database");
    case Kind:
        return tr("Kind");
    case Size:
        return tr("Size");
    case Private:
        return tr("Private");
    case History:
        return tr("History");
    case Rows:
        return tr("Rows");
    case Changed:
        return tr("Pages that differ");
    default:
        return {};
    }
}

} // namespace arbor
