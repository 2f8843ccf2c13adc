#include "widgets/models/operation_log_model.h"

#include "widgets/models/format.h"

#include <algorithm>

namespace arbor {

void OperationLogModel::setRows(std::span<const OperationRow> rows) {
    replaceRows({rows.begin(), rows.end()}, [](const OperationRow& row) { return row.id; });
}

void OperationLogModel::put(const OperationRow& fresh) {
    std::vector<OperationRow> all = rows();
    const auto same =
        std::find_if(all.begin(), all.end(), [&](const OperationRow& row) { return row.id == fresh.id; });
    if (same != all.end())
        *same = fresh;
    else
        all.insert(
            std::find_if(all.begin(), all.end(), [&](const OperationRow& row) { return row.id < fresh.id; }),
            fresh);
    setRows(all);
}

void OperationLogModel::setNow(Timestamp now) {
    const Timestamp before = m_now;
    m_now = now;
    for (int at = 0; at < rowCount(); ++at)
        if (ageStep(row(at).time, before) != ageStep(row(at).time, now))
            Q_EMIT dataChanged(index(at, Time), index(at, Time));
}

QVariant OperationLogModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const OperationRow& at = row(index.row());
    switch (role) {
    case IdRole:
        return static_cast<qulonglong>(at.id);
    case CommandRole:
        return at.command;
    case UndoableRole:
        return at.undoable;
    case UndoneRole:
        return at.undone;
    case Qt::ToolTipRole:
        return index.column() == Time ? timeDisplay(at.time) : at.command;
    case Qt::DisplayRole:
        break;
    default:
        return {};
    }
    switch (index.column()) {
    case Time:
        return ageDisplay(at.time, m_now);
    case Text:
        return at.undone ? tr("%1 (undone)").arg(at.text) : at.text;
    case Branch:
        return at.branch;
    case Client:
        return at.client;
    default:
        return {};
    }
}

QVariant OperationLogModel::headerData(int section, Qt::Orientation orientation, int role) const {
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Time:
        return tr("When");
    case Text:
        return tr("Operation");
    case Branch:
        return tr("Branch");
    case Client:
        return tr("By");
    default:
        return {};
    }
}

} // namespace arbor
