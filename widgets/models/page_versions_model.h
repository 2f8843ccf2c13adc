// All versions of one page that there are, the newest first: which of them a read gets, where it was written,
// and who needs it.
#pragma once

#include "storage/base/lsn.h"
#include "storage/base/time.h"
#include "widgets/models/row_list_model.h"

#include <QString>
#include <QStringList>

#include <cstdint>
#include <span>

namespace arbor {

struct PageVersionRow {
    std::uint64_t position = 0;
    Timestamp time; // 0: not known any more
    Lsn lsn;        // 0: likewise
    QString branch; // "" where its timeline has none any more
    std::uint64_t storedBytes = 0;
    bool answers = false; // the read gets this one
    bool isNeeded = false;
    QStringList keptBy; // in words; empty and needed: by too many to tell
    std::uint64_t key() const { return position; }
    bool operator==(const PageVersionRow&) const = default;
};

class PageVersionsModel : public RowListModel<PageVersionRow> {
    Q_OBJECT
  public:
    enum Column { Written, Branch, LogPosition, PagePosition, Stored, KeptBy, ColumnCount };
    explicit PageVersionsModel(QObject* parent = nullptr) : RowListModel(parent) {}

    // Ages are told as of `now`.
    void setRows(std::span<const PageVersionRow> rows, Timestamp now);

    int columnCount(const QModelIndex& parent = {}) const override {
        return parent.isValid() ? 0 : ColumnCount;
    }
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

  private:
    Timestamp m_now;
};

} // namespace arbor
