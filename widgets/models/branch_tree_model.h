// The tree of branches. Rows come in as plain structs, in batches; each batch is applied as the difference to
// what is shown, so that selection, expansion and the scroll position of a view survive it.
#pragma once

#include "widgets/models/branch_row.h"
#include "widgets/models/branch_tree_layout.h"

#include <QAbstractItemModel>

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace arbor {

// What a row shows. Read by delegates through BranchTreeModel::node(); valid until the model changes.
struct BranchNode {
    enum class Kind { Branch, Group, Ghost };
    Kind kind = Kind::Branch;
    NodeKey key;
    QString label; // the Name column: "pr-12" inside the group "ci/"
    // Branch: the branch. Ghost: the branch to be (name, parentId, forkLsn). Group: what its branches come to
    // (ownBytes, children, checkpoints, sessions summed; the newest headTime; forkLsn the least and headLsn
    // the greatest; state the most pressing of them).
    BranchRow row;
    int count = 0; // Group: branches in it, at any depth of groups, without their children
    int running = 0;
    int failed = 0;

    BranchNode* parent = nullptr; // null at the top
    int position = 0;             // among its siblings
    bool alive = true;            // scratch of an update
    std::vector<std::unique_ptr<BranchNode>> children;
};

class BranchTreeModel : public QAbstractItemModel {
    Q_OBJECT
  public:
    enum Column { Name, State, Head, Own, Pins, Timeline, ColumnCount };
    enum Role {
        // what a column sorts by: a number, or a text for Name
        SortRole = Qt::UserRole + 1,
        // qulonglong: the branch's id, 0 for a group or the ghost
        BranchIdRole,
    };

    explicit BranchTreeModel(QObject* parent = nullptr);
    ~BranchTreeModel() override;

    // All branches there are; what is missing is gone. Applied as the difference to those that are known.
    void setRows(std::span<const BranchRow> rows);
    // Some that changed or are new, and the ids of some that are gone (unknown ids do no harm). As long as
    // nothing comes, goes, or has another name or parent, it costs what has changed, whatever else there is.
    void applyChanges(std::span<const BranchRow> changed, std::span<const std::uint64_t> removed = {});
    // What "2 s" in the Head column is counted to. Only rows whose text changes are announced.
    void setNow(Timestamp now);

    // The row in which a new branch is named, as the first child of its parent. One at a time.
    void setGhost(std::uint64_t parentId, Lsn at, const QString& name);
    void clearGhost();
    QModelIndex ghostIndex() const;

    int branchCount() const;
    const BranchRow* branch(std::uint64_t id) const; // null when unknown
    const BranchRow* branch(const QString& name) const;
    QModelIndex indexOf(std::uint64_t id, int column = Name) const;
    QModelIndex indexOf(const BranchNode& node, int column = Name) const;
    // Null for the invalid index only; the index is one of this model's.
    const BranchNode* node(const QModelIndex& index) const;
    // In no particular order.
    void forEachBranch(const std::function<void(const BranchRow&)>& visit) const;

    QModelIndex index(int row, int column, const QModelIndex& parent = {}) const override;
    QModelIndex parent(const QModelIndex& child) const override;
    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    bool hasChildren(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;

  private:
    void update();
    void updateContents(std::span<const BranchRow> rows);
    static bool takeContents(BranchNode& node, const BranchRow* row);
    void rebuild(const BranchLayout& layout);
    bool markAlive(BranchNode& node, const QHash<NodeKey, std::size_t>& wanted);
    void removeDead(BranchNode& parent);
    void insertMissing(BranchNode& parent, const BranchLayout& layout,
                       const std::vector<std::size_t>& children);
    bool isArranged(const BranchLayout& layout) const;
    void arrange(const BranchLayout& layout);
    void removeLeftOver(std::size_t from);
    void refresh(BranchNode& parent, const BranchLayout& layout, const std::vector<std::size_t>& children);
    std::unique_ptr<BranchNode> makeNode(const LayoutNode& from, BranchNode& parent);
    void forget(const BranchNode& node);
    void announce(const std::vector<const BranchNode*>& nodes, int firstColumn, int lastColumn);
    QModelIndex parentIndex(const BranchNode& node) const;
    QVariant display(const BranchNode& node, int column) const;
    QVariant sortKey(const BranchNode& node, int column) const;
    QVariant toolTip(const BranchNode& node, int column) const;
    QString accessibleText(const BranchNode& node, int column) const;

    QHash<std::uint64_t, BranchRow> m_rows;
    std::unique_ptr<BranchRow> m_ghost; // id 0
    BranchNode m_top;
    QHash<NodeKey, BranchNode*> m_nodes;
    Timestamp m_now;
};

} // namespace arbor
