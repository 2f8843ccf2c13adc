// Branches for tests of the window's models, and a tree as text.
#pragma once

#include "widgets/models/branch_tree_model.h"

#include <QStringList>

namespace arbor::test {

inline BranchRow branchRow(std::uint64_t id, const QString& name, std::uint64_t parentId = 0) {
    BranchRow row;
    row.id = id;
    row.name = name;
    row.parentId = parentId;
    row.root = parentId == 0;
    row.forkLsn = Lsn{0x1000000 + id * 0x1000};
    row.headLsn = row.forkLsn + 0x100000;
    row.forkTime = Timestamp{1'700'000'000'000'000 + static_cast<std::int64_t>(id) * 60'000'000};
    row.headTime = row.forkTime + Duration::seconds(3600);
    row.ownBytes = id * 1000;
    return row;
}

// One line a row, two spaces a level: "main\n  ci/\n    1\n".
inline QString treeText(const QAbstractItemModel& model, const QModelIndex& parent = {}, int level = 0) {
    QString text;
    for (int row = 0; row < model.rowCount(parent); ++row) {
        const QModelIndex index = model.index(row, 0, parent);
        text += QString(2 * level, QLatin1Char(' ')) + index.data().toString() + QLatin1Char('\n');
        text += treeText(model, index, level + 1);
    }
    return text;
}

} // namespace arbor::test
