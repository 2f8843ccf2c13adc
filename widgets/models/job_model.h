// What takes long: running jobs first, then those that ended lately.
#pragma once

#ifndef Q_MOC_RUN // moc stumbles over the library below it
#include "storage/base/time.h"
#endif
#include "widgets/models/row_list_model.h"

#include <QString>

#include <cstdint>
#include <optional>
#include <span>

namespace arbor {

struct JobRow {
    enum class State { Running, Done, Failed, Cancelled };
    std::uint64_t id = 0;
    QString kind;
    QString title;
    QString client;
    State state = State::Running;
    std::optional<double> fraction; // 0 to 1
    QString text;                   // what it is at
    std::uint64_t bytes = 0;
    Timestamp startedAt;
    Timestamp finishedAt;
    QString error;
    bool operator==(const JobRow&) const = default;
};

class JobModel : public RowListModel<JobRow> {
    Q_OBJECT
  public:
    enum Column { Title, Progress, Text, Elapsed, ColumnCount };
    enum Role {
        IdRole = Qt::UserRole + 1,
        StateRole,
        FractionRole
    }; // FractionRole: a double, invalid when unknown
    explicit JobModel(QObject* parent = nullptr) : RowListModel(parent) {}

    void setRows(std::span<const JobRow> rows);
    void put(const JobRow& row); // new, or changed
    void setNow(Timestamp now);
    int running() const;
    // Of the running jobs together, for one indicator; nothing when none runs or none knows.
    std::optional<double> fraction() const;

    int columnCount(const QModelIndex& parent = {}) const override {
        return parent.isValid() ? 0 : ColumnCount;
    }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    Timestamp m_now;
};

} // namespace arbor
