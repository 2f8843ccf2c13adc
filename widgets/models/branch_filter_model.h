// What of the tree is shown: a text filter, hidden branches, or one branch and its family alone; and sorting.
#pragma once

#include <QRegularExpression>
#include <QSet>
#include <QSortFilterProxyModel>

#include <cstdint>

namespace arbor {

class BranchTreeModel;

class BranchFilterModel : public QSortFilterProxyModel {
    Q_OBJECT
  public:
    explicit BranchFilterModel(QObject* parent = nullptr);
    // A BranchTreeModel.
    void setSourceModel(QAbstractItemModel* model) override;
    BranchTreeModel* tree() const { return m_tree; }

    // Branches whose whole name contains every word of the text, whatever the case; their ancestors stay.
    // Words of the form `state:running`, `is:protected`, `is:expiring`, `is:root` say more than a name can.
    void setFilterText(const QString& text);
    QString filterText() const { return m_text; }

    // A hidden branch hides its children too, unless one of them is the soloed one.
    void setHidden(std::uint64_t branchId, bool hidden);
    bool isHidden(std::uint64_t branchId) const { return m_hidden.contains(branchId); }
    const QSet<std::uint64_t>& hidden() const { return m_hidden; }
    void showAll();

    // One branch with its ancestors and descendants; 0: all. Beats hiding.
    void setSolo(std::uint64_t branchId);
    std::uint64_t solo() const { return m_solo; }

    // Something is left out on purpose.
    bool isNarrowed() const { return !m_words.isEmpty() || !m_hidden.isEmpty() || m_solo != 0; }

  protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
    bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

  private:
    BranchTreeModel* m_tree = nullptr;
    QString m_text;
    QStringList m_words;
    QSet<std::uint64_t> m_hidden;
    std::uint64_t m_solo = 0;
};

} // namespace arbor
