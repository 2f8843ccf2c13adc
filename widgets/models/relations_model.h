// Tables and indexes of a branch: size, the bytes that the branch keeps for them, and how many of their pages
// differ from the parent's.
#pragma once

#include "widgets/models/row_list_model.h"

#include <QString>
#include <QStringList>

#include <cstdint>
#include <optional>
#include <span>

namespace arbor {

struct RelationRow {
    QString database;
    QString schema;
    QString name;
    QString kind;                       // "table", "index", "sequence" ...
    std::optional<std::uint64_t> bytes; // nothing where PostgreSQL was not asked
    std::uint64_t pages = 0;
    // not the parent's; nothing for a root, and while they are being counted
    std::optional<std::uint64_t> changedPages;
    std::optional<std::uint64_t> tuples; // PostgreSQL's estimate; nothing before the first ANALYZE
    QString file;                        // its first: base/5/16384; "" without one
    // nothing while the engine is asked
    std::optional<std::uint64_t> privateBytes = {};
    std::optional<std::uint64_t> historyBytes = {};
    QString key() const { return QStringList{database, schema, name, kind, file}.join(QLatin1Char('\n')); }
    bool operator==(const RelationRow&) const = default;
};

class RelationsModel : public RowListModel<RelationRow> {
    Q_OBJECT
  public:
    enum Column { Name, Schema, Database, Kind, Rows, Size, Private, History, Changed, ColumnCount };
    // FractionRole: of sizes, of the largest in the column; Changed of the relation's own pages. SortRole:
    // numbers as numbers.
    enum Role { FractionRole = Qt::UserRole + 1, SortRole };
    explicit RelationsModel(QObject* parent = nullptr) : RowListModel(parent) {}

    // Of a database, or one row a database (then `name` is its name).
    enum class Of { Relations, Databases };
    void setRows(std::span<const RelationRow> rows, Of of = Of::Relations);
    Of of() const { return m_of; }

    int columnCount(const QModelIndex& parent = {}) const override {
        return parent.isValid() ? 0 : ColumnCount;
    }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    struct Most {
        std::uint64_t bytes = 0;
        std::uint64_t privateBytes = 0;
        std::uint64_t historyBytes = 0;
        bool operator==(const Most&) const = default;
    };
    Most m_most;
    Of m_of = Of::Relations;
};

} // namespace arbor
