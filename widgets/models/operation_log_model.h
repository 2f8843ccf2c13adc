// The engine's operation log, newest first: what every client did, and what can be undone.
#pragma once

#ifndef Q_MOC_RUN // moc stumbles over the library below it
#include "storage/base/time.h"
#endif
#include "widgets/models/row_list_model.h"

#include <QString>

#include <cstdint>
#include <span>

namespace arbor {

struct OperationRow {
    std::uint64_t id = 0;
    Timestamp time;
    QString client; // "pgarbor", "pgarborctl"
    QString kind;
    QString text; // "restored main to 0/3000000"
    QString branch;
    QString command; // the command line that does the same; may be empty
    bool undone = false;
    bool undoable = false;
    bool operator==(const OperationRow&) const = default;
};

class OperationLogModel : public RowListModel<OperationRow> {
    Q_OBJECT
  public:
    enum Column { Time, Text, Branch, Client, ColumnCount };
    enum Role { IdRole = Qt::UserRole + 1, CommandRole, UndoableRole, UndoneRole };
    explicit OperationLogModel(QObject* parent = nullptr) : RowListModel(parent) {}

    void setRows(std::span<const OperationRow> rows); // newest first
    void put(const OperationRow& row);                // new, or changed (undone)
    void setNow(Timestamp now);

    int columnCount(const QModelIndex& parent = {}) const override {
        return parent.isValid() ? 0 : ColumnCount;
    }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    Timestamp m_now;
};

} // namespace arbor
