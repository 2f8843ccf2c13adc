#include "widgets/models/page_versions_model.h"

#include "widgets/models/format.h"

namespace arbor {

namespace {

bool isNumberOfPageVersions(int column) {
    return column == PageVersionsModel::PagePosition || column == PageVersionsModel::Stored;
}

} // namespace

void PageVersionsModel::setRows(std::span<const PageVersionRow> rows, Timestamp now) {
    m_now = now;
    replaceRows({rows.begin(), rows.end()}, [](const PageVersionRow& row) { return row.key(); });
    if (rowCount() > 0)
        Q_EMIT dataChanged(index(0, Written), index(rowCount() - 1, Written));
}

QVariant PageVersionsModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const PageVersionRow& at = row(index.row());
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment(
            (isNumberOfPageVersions(index.column()) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    if (role == Qt::ToolTipRole && index.column() == Written)
        return timeDisplay(at.time);
    if (role == Qt::ToolTipRole && index.column() == KeptBy)
        return at.keptBy.join(QLatin1Char('\n'));
    if (role != Qt::DisplayRole)
        return {};
    switch (index.column()) {
    case Written:
        return at.answers ? tr("%1, read now").arg(ageDisplay(at.time, m_now)) : ageDisplay(at.time, m_now);
    case Branch:
        return at.branch.isEmpty() ? tr("a branch that is gone") : at.branch;
    case LogPosition:
        return lsnDisplay(at.lsn);
    case PagePosition:
        return countDisplay(at.position);
    case Stored:
        return bytesDisplay(at.storedBytes);
    case KeptBy:
        return !at.isNeeded        ? tr("nobody: the next sweep frees it")
               : at.keptBy.empty() ? tr("many")
                                   : at.keptBy.join(QStringLiteral(", "));
    default:
        return {};
    }
}

QVariant PageVersionsModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue(Qt::Alignment(
            (isNumberOfPageVersions(section) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter));
    if (role == Qt::ToolTipRole && section == PagePosition)
        return tr("Its place in the store's order of writes, which counts all branches");
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Written:
        return tr("Written");
    case Branch:
        return tr("On");
    case LogPosition:
        return tr("LSN");
    case PagePosition:
        return tr("Position");
    case Stored:
        return tr("On disk");
    case KeptBy:
        return tr("Kept by");
    default:
        return {};
    }
}

} // namespace arbor
