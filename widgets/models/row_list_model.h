// A table whose rows have keys: a new list is applied as the difference to the old one, so that a view's
// selection and scroll position survive it. The models of the docks are made of it.
#pragma once

#include <QAbstractTableModel>
#include <QSet>

#ifndef Q_MOC_RUN // moc stumbles over the library's concepts
#include <algorithm>
#endif
#include <vector>

namespace arbor {

// Row has operator==; Key, returned by keyOf(row), has qHash and is unique in a list.
template <class Row>
class RowListModel : public QAbstractTableModel {
  public:
    using QAbstractTableModel::QAbstractTableModel;

    const std::vector<Row>& rows() const { return m_rows; }
    const Row& row(int at) const { return m_rows[static_cast<std::size_t>(at)]; }
    int rowCount(const QModelIndex& parent = {}) const override {
        return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
    }

  protected:
    // Rows that stay are expected in their old order; when they are not, the list is reset.
    template <class KeyOf>
    void replaceRows(std::vector<Row> fresh, KeyOf keyOf) {
        using Key = std::decay_t<decltype(keyOf(std::declval<const Row&>()))>;
        QSet<Key> wanted;
        for (const Row& row : fresh)
            wanted.insert(keyOf(row));
        for (int last = rowCount() - 1; last >= 0; --last) {
            int first = last + 1;
            while (first > 0 && !wanted.contains(keyOf(row(first - 1))))
                --first;
            if (first > last)
                continue;
            beginRemoveRows({}, first, last);
            m_rows.erase(m_rows.begin() + first, m_rows.begin() + last + 1);
            endRemoveRows();
            last = first;
        }
        insertNew(fresh, keyOf);
        const bool sameOrder = std::equal(m_rows.begin(), m_rows.end(), fresh.begin(), fresh.end(),
                                          [&](const Row& a, const Row& b) { return keyOf(a) == keyOf(b); });
        if (!sameOrder) {
            beginResetModel();
            m_rows = std::move(fresh);
            endResetModel();
            return;
        }
        for (std::size_t at = 0; at < fresh.size(); ++at) {
            if (fresh[at] == m_rows[at])
                continue;
            m_rows[at] = std::move(fresh[at]);
            rowChanged(static_cast<int>(at));
        }
    }
    void rowChanged(int at) { Q_EMIT dataChanged(index(at, 0), index(at, columnCount() - 1)); }
    std::vector<Row> m_rows;

  private:
    template <class KeyOf>
    void insertNew(const std::vector<Row>& fresh, KeyOf keyOf) {
        using Key = std::decay_t<decltype(keyOf(std::declval<const Row&>()))>;
        QSet<Key> present;
        for (const Row& row : m_rows)
            present.insert(keyOf(row));
        for (std::size_t at = 0; at < fresh.size();) {
            std::size_t end = at;
            while (end < fresh.size() && !present.contains(keyOf(fresh[end])))
                ++end;
            if (end == at) {
                ++at;
                continue;
            }
            const std::size_t place = std::min(at, m_rows.size());
            beginInsertRows({}, static_cast<int>(place), static_cast<int>(place + end - at) - 1);
            m_rows.insert(m_rows.begin() + static_cast<std::ptrdiff_t>(place),
                          fresh.begin() + static_cast<std::ptrdiff_t>(at),
                          fresh.begin() + static_cast<std::ptrdiff_t>(end));
            endInsertRows();
            at = end;
        }
    }
};

} // namespace arbor
