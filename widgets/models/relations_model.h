// Tables and indexes of a branch: size, and how many of their pages differ from the parent's.
#pragma once

#include "widgets/models/row_list_model.h"

#include <QString>

#include <cstdint>
#include <optional>
#include <span>

namespace arbor {

struct RelationRow {
    QString database;
    QString schema;
    QString name;
    QString kind; // "table", "index", "sequence" ...
    std::uint64_t bytes = 0;
    std::uint64_t pages = 0;
    // not the parent's; nothing for a root, and while they are being counted
    std::optional<std::uint64_t> changedPages;
    std::optional<std::uint64_t> tuples; // PostgreSQL's estimate; nothing before the first ANALYZE
    QString key() const { return database + QLatin1Char('\n') + schema + QLatin1Char('\n') + name; }
    bool operator==(const RelationRow&) const = default;
};

class RelationsModel : public RowListModel<RelationRow> {
    Q_OBJECT
  public:
    enum Column { Name, Schema, Database, Kind, Rows, Size, Changed, ColumnCount };
    // FractionRole: Size of the largest relation, Changed of the relation's own pages. SortRole: numbers as
    // numbers.
    enum Role { FractionRole = Qt::UserRole + 1, SortRole };
    explicit RelationsModel(QObject* parent = nullptr) : RowListModel(parent) {}

    void setRows(std::span<const RelationRow> rows);

    int columnCount(const QModelIndex& parent = {}) const override {
        return parent.isValid() ? 0 : ColumnCount;
    }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    std::uint64_t m_most = 0;
};

} // namespace arbor
