// What keeps history: one row a pin, with a tick to try its removal. Nothing is removed here.
#pragma once

#include "storage/base/lsn.h"
#include "widgets/models/row_list_model.h"

#include <QSet>
#include <QString>
#include <QStringList>

#include <cstdint>
#include <span>

namespace arbor {

struct PinRow {
    QString kind; // as the engine says: "branch", "checkpoint", "history", "trash", "reader"
    QString name;
    QString branch;
    Lsn from;
    Lsn to;
    std::uint64_t onlyBytes = 0;
    bool isRemovable = true; // false: a protected branch, a reader
    QString what = {};       // for whoever removes it
    QString key() const { return kind + QLatin1Char('\n') + name + QLatin1Char('\n') + branch; }
    bool operator==(const PinRow&) const = default;
};

class PinsModel : public RowListModel<PinRow> {
    Q_OBJECT
  public:
    enum Column { Name, Kind, Branch, Range, Only, ColumnCount };
    // FractionRole: of the largest pin's bytes, for a bar. SortRole: numbers as numbers.
    enum Role { FractionRole = Qt::UserRole + 1, SortRole };
    explicit PinsModel(QObject* parent = nullptr) : RowListModel(parent) {}

    void setRows(std::span<const PinRow> rows); // ticks of pins that stay are kept
    std::vector<PinRow> ticked() const;
    void clearTicks();
    // Ticks exactly those rows of them that are there and can be removed.
    void tick(const QStringList& whats);
    // "These 3 together free 4.2 GB; one by one 1.1 + 0.9 + 0.2, because they share 2.0." Empty when nothing
    // is ticked.
    static QString sentence(const std::vector<PinRow>& ticked, std::uint64_t togetherBytes);

    int columnCount(const QModelIndex& parent = {}) const override {
        return parent.isValid() ? 0 : ColumnCount;
    }
    QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  Q_SIGNALS:
    void ticksChanged(); // ask what the ticked ones free together

  private:
    QSet<QString> m_ticked;
    std::uint64_t m_most = 0;
};

} // namespace arbor
