#include "widgets/models/branch_tree_model.h"

#include "widgets/models/format.h"

#include <QSet>
#include <QSignalBlocker>

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

namespace arbor {

namespace {

void addTo(std::uint64_t& sum, std::uint64_t bytes) {
    if (bytes == unknownBytes)
        return;
    sum = sum == unknownBytes ? bytes : sum + bytes;
}

// What `node`, a branch or a group, adds to the group that it stands in.
void addTo(BranchNode& group, const BranchNode& node) {
    const BranchRow& from = node.row;
    BranchRow& sum = group.row;
    const bool first = group.count == 0;
    const bool isGroup = node.kind == BranchNode::Kind::Group;
    group.count += isGroup ? node.count : 1;
    group.running += isGroup ? node.running : from.state == BranchState::Running;
    group.failed += isGroup ? node.failed : from.state == BranchState::Failed;
    addTo(sum.ownBytes, from.ownBytes);
    addTo(sum.sharedBytes, from.sharedBytes);
    addTo(sum.historyBytes, from.historyBytes);
    sum.children += from.children;
    sum.checkpoints += from.checkpoints;
    if (from.sessions)
        sum.sessions = sum.sessions.value_or(0) + *from.sessions;
    if (pressing(from.state) > pressing(sum.state))
        sum.state = from.state;
    if (from.forkLsn && (first || from.forkLsn < sum.forkLsn))
        sum.forkLsn = from.forkLsn;
    if (from.forkTime && (first || from.forkTime < sum.forkTime))
        sum.forkTime = from.forkTime;
    sum.headLsn = std::max(sum.headLsn, from.headLsn);
    sum.headTime = std::max(sum.headTime, from.headTime);
}

} // namespace

BranchTreeModel::BranchTreeModel(QObject* parent) : QAbstractItemModel(parent) {}

BranchTreeModel::~BranchTreeModel() = default;

// -- what comes in --------------------------------------------------------------------------------------

void BranchTreeModel::setRows(std::span<const BranchRow> rows) {
    std::vector<BranchRow> changed;
    QSet<std::uint64_t> all;
    all.reserve(static_cast<qsizetype>(rows.size()));
    for (const BranchRow& row : rows) {
        all.insert(row.id);
        const auto known = m_rows.constFind(row.id);
        if (known == m_rows.cend() || *known != row)
            changed.push_back(row);
    }
    std::vector<std::uint64_t> removed;
    for (auto known = m_rows.keyBegin(); known != m_rows.keyEnd(); ++known)
        if (!all.contains(*known))
            removed.push_back(*known);
    applyChanges(changed, removed);
}

void BranchTreeModel::applyChanges(std::span<const BranchRow> changed,
                                   std::span<const std::uint64_t> removed) {
    bool sameTree = true;
    for (const std::uint64_t id : removed)
        sameTree = !m_rows.remove(id) && sameTree;
    for (const BranchRow& row : changed) {
        if (row.id == 0)
            continue;
        BranchRow& known = m_rows[row.id];
        sameTree = sameTree && known.id == row.id && known.name == row.name && known.parentId == row.parentId;
        known = row;
    }
    if (sameTree)
        updateContents(changed);
    else
        update();
}

void BranchTreeModel::setNow(Timestamp now) {
    std::vector<const BranchNode*> changed;
    for (const BranchNode* node : std::as_const(m_nodes))
        if (node->row.headTime && ageStep(node->row.headTime, m_now) != ageStep(node->row.headTime, now))
            changed.push_back(node);
    m_now = now;
    announce(changed, Head, Head);
}

void BranchTreeModel::setGhost(std::uint64_t parentId, Lsn at, const QString& name) {
    m_ghost = std::make_unique<BranchRow>();
    m_ghost->parentId = m_rows.contains(parentId) ? parentId : 0;
    m_ghost->forkLsn = m_ghost->headLsn = at;
    m_ghost->name = name;
    update();
}

void BranchTreeModel::clearGhost() {
    if (!m_ghost)
        return;
    m_ghost.reset();
    update();
}

// -- the difference -------------------------------------------------------------------------------------
// 1. Rows that are gone, with everything below them, are removed; one whose child lives on stays for now.
// 2. Rows that are new are inserted, parents first.
// 3. If anything stands elsewhere than it should, one change of layout puts everything in place; rows that
// are
//    gone but had living children end at the bottom of the tree.
// 4. Those are removed.
// 5. What changed inside rows is announced.
// Moving rows one by one instead of 3 costs views and proxies a rebuild a row.

void BranchTreeModel::update() {
    if (m_ghost && m_ghost->parentId != 0 && !m_rows.contains(m_ghost->parentId))
        m_ghost.reset();
    const BranchLayout layout = layoutBranches(m_rows, m_ghost.get());
    if (m_nodes.isEmpty() || layout.nodes.empty()) {
        rebuild(layout);
        return;
    }
    QHash<NodeKey, std::size_t> wanted;
    wanted.reserve(static_cast<qsizetype>(layout.nodes.size()));
    for (std::size_t at = 0; at < layout.nodes.size(); ++at)
        wanted.insert(layout.nodes[at].key, at);

    for (const auto& child : m_top.children)
        markAlive(*child, wanted);
    removeDead(m_top);
    insertMissing(m_top, layout, layout.roots);
    if (!isArranged(layout)) {
        arrange(layout);
        removeLeftOver(layout.roots.size());
    }
    refresh(m_top, layout, layout.roots);
}

void BranchTreeModel::rebuild(const BranchLayout& layout) {
    if (m_nodes.isEmpty() && layout.nodes.empty())
        return;
    beginResetModel();
    m_nodes.clear();
    m_top.children.clear();
    {
        const QSignalBlocker unseen(this); // a reset is one signal, not one a row
        insertMissing(m_top, layout, layout.roots);
        refresh(m_top, layout, layout.roots);
    }
    endResetModel();
}

bool BranchTreeModel::markAlive(BranchNode& node, const QHash<NodeKey, std::size_t>& wanted) {
    node.alive = wanted.contains(node.key);
    for (const auto& child : node.children)
        if (markAlive(*child, wanted))
            node.alive = true;
    return node.alive;
}

void BranchTreeModel::removeDead(BranchNode& parent) {
    auto& children = parent.children;
    for (int last = static_cast<int>(children.size()) - 1; last >= 0; --last) {
        if (children[static_cast<std::size_t>(last)]->alive) {
            removeDead(*children[static_cast<std::size_t>(last)]);
            continue;
        }
        int first = last;
        while (first > 0 && !children[static_cast<std::size_t>(first - 1)]->alive)
            --first;
        beginRemoveRows(parentIndex(*children[static_cast<std::size_t>(last)]), first, last);
        for (int at = first; at <= last; ++at)
            forget(*children[static_cast<std::size_t>(at)]);
        children.erase(children.begin() + first, children.begin() + last + 1);
        for (auto at = static_cast<std::size_t>(first); at < children.size(); ++at)
            children[at]->position = static_cast<int>(at);
        endRemoveRows();
        last = first;
    }
}

void BranchTreeModel::forget(const BranchNode& node) {
    for (const auto& child : node.children)
        forget(*child);
    m_nodes.remove(node.key);
}

std::unique_ptr<BranchNode> BranchTreeModel::makeNode(const LayoutNode& from, BranchNode& parent) {
    auto node = std::make_unique<BranchNode>();
    node->kind = from.key.isGroup() ? BranchNode::Kind::Group
                 : from.key.ghost   ? BranchNode::Kind::Ghost
                                    : BranchNode::Kind::Branch;
    node->key = from.key;
    node->label = from.label;
    if (from.row != nullptr)
        node->row = *from.row;
    node->parent = &parent == &m_top ? nullptr : &parent;
    m_nodes.insert(from.key, node.get());
    return node;
}

void BranchTreeModel::insertMissing(BranchNode& parent, const BranchLayout& layout,
                                    const std::vector<std::size_t>& wanted) {
    auto& children = parent.children;
    std::size_t at = 0; // behind the last sibling that has its place
    for (std::size_t i = 0; i < wanted.size();) {
        const BranchNode* present = m_nodes.value(layout.nodes[wanted[i]].key);
        if (present != nullptr) {
            if ((present->parent == nullptr ? &m_top : present->parent) == &parent)
                at = static_cast<std::size_t>(present->position) + 1;
            ++i;
            continue;
        }
        std::size_t end = i;
        while (end < wanted.size() && !m_nodes.contains(layout.nodes[wanted[end]].key))
            ++end;
        beginInsertRows(&parent == &m_top ? QModelIndex() : indexOf(parent), static_cast<int>(at),
                        static_cast<int>(at + end - i) - 1);
        std::vector<std::unique_ptr<BranchNode>> made;
        for (std::size_t n = i; n < end; ++n)
            made.push_back(makeNode(layout.nodes[wanted[n]], parent));
        children.insert(children.begin() + static_cast<std::ptrdiff_t>(at),
                        std::make_move_iterator(made.begin()), std::make_move_iterator(made.end()));
        for (std::size_t n = at; n < children.size(); ++n)
            children[n]->position = static_cast<int>(n);
        endInsertRows();
        at += end - i;
        i = end;
    }
    for (const std::size_t node : wanted)
        insertMissing(*m_nodes.value(layout.nodes[node].key), layout, layout.nodes[node].children);
}

bool BranchTreeModel::isArranged(const BranchLayout& layout) const {
    const auto same = [&](const BranchNode& node, const std::vector<std::size_t>& wanted) {
        return std::equal(
            node.children.begin(), node.children.end(), wanted.begin(), wanted.end(),
            [&](const auto& child, std::size_t at) { return child->key == layout.nodes[at].key; });
    };
    return same(m_top, layout.roots) &&
           std::all_of(layout.nodes.begin(), layout.nodes.end(), [&](const LayoutNode& wanted) {
               return same(*m_nodes.value(wanted.key), wanted.children);
           });
}

void BranchTreeModel::arrange(const BranchLayout& layout) {
    Q_EMIT layoutAboutToBeChanged();
    const QModelIndexList before = persistentIndexList();
    std::unordered_map<const BranchNode*, std::unique_ptr<BranchNode>> loose;
    std::vector<const BranchNode*> order;
    const auto detach = [&](auto& self, BranchNode& node) -> void {
        for (auto& child : node.children) {
            self(self, *child);
            order.push_back(child.get());
            loose.emplace(child.get(), std::move(child));
        }
        node.children.clear();
    };
    detach(detach, m_top);
    const auto attach = [&](auto& self, BranchNode& node, const std::vector<std::size_t>& wanted) -> void {
        for (const std::size_t at : wanted) {
            std::unique_ptr<BranchNode>& child = loose[m_nodes.value(layout.nodes[at].key)];
            child->parent = &node == &m_top ? nullptr : &node;
            child->position = static_cast<int>(node.children.size());
            node.children.push_back(std::move(child));
            self(self, *node.children.back(), layout.nodes[at].children);
        }
    };
    attach(attach, m_top, layout.roots);
    for (const BranchNode* node : order)
        if (std::unique_ptr<BranchNode>& left = loose[node]) {
            left->parent = nullptr;
            left->position = static_cast<int>(m_top.children.size());
            m_top.children.push_back(std::move(left));
        }
    QModelIndexList after;
    for (const QModelIndex& index : before)
        after.push_back(indexOf(*node(index), index.column()));
    changePersistentIndexList(before, after);
    Q_EMIT layoutChanged();
}

void BranchTreeModel::removeLeftOver(std::size_t from) {
    auto& children = m_top.children;
    if (children.size() == from)
        return;
    beginRemoveRows({}, static_cast<int>(from), static_cast<int>(children.size()) - 1);
    for (std::size_t at = from; at < children.size(); ++at)
        forget(*children[at]);
    children.resize(from);
    endRemoveRows();
}

// Brings the children's contents up to date, deepest first (a group is the sum of what stands in it).
void BranchTreeModel::refresh(BranchNode& parent, const BranchLayout& layout,
                              const std::vector<std::size_t>& wanted) {
    std::vector<const BranchNode*> changed;
    for (std::size_t at = 0; at < wanted.size(); ++at) {
        const LayoutNode& from = layout.nodes[wanted[at]];
        BranchNode& node = *parent.children[at];
        refresh(node, layout, from.children);
        const bool otherLabel = std::exchange(node.label, from.label) != from.label;
        if (takeContents(node, from.row) || otherLabel)
            changed.push_back(&node);
    }
    announce(changed, 0, ColumnCount - 1);
}

// Whether anything is new: in the branch, or in the sum of a group (without a row), whose children are up to
// date.
bool BranchTreeModel::takeContents(BranchNode& node, const BranchRow* row) {
    BranchNode fresh;
    if (row != nullptr) {
        fresh.row = *row;
    } else {
        for (const auto& child : node.children)
            if (child->kind != BranchNode::Kind::Ghost)
                addTo(fresh, *child);
        fresh.row.name = node.key.prefix;
    }
    if (fresh.row == node.row && fresh.count == node.count && fresh.running == node.running &&
        fresh.failed == node.failed)
        return false;
    node.row = std::move(fresh.row);
    node.count = fresh.count;
    node.running = fresh.running;
    node.failed = fresh.failed;
    return true;
}

// Of rows that stand where they stood: what nearly every event is about. Costs what has changed and not what
// there is.
void BranchTreeModel::updateContents(std::span<const BranchRow> rows) {
    std::vector<const BranchNode*> changed;
    std::map<int, std::set<BranchNode*>, std::greater<>> groups; // by depth, deepest first
    for (const BranchRow& row : rows) {
        BranchNode* node = m_nodes.value({row.id, {}, false});
        if (node == nullptr || !takeContents(*node, &row))
            continue;
        changed.push_back(node);
        int depth = 0;
        for (const BranchNode* at = node->parent; at != nullptr; at = at->parent)
            ++depth;
        for (BranchNode* at = node->parent; at != nullptr && at->kind == BranchNode::Kind::Group;
             at = at->parent)
            groups[depth--].insert(at);
    }
    for (const auto& [depth, level] : groups)
        for (BranchNode* group : level)
            if (takeContents(*group, nullptr))
                changed.push_back(group);
    std::sort(changed.begin(), changed.end(), [](const BranchNode* a, const BranchNode* b) {
        return a->parent != b->parent ? std::less<>()(a->parent, b->parent) : a->position < b->position;
    });
    announce(changed, 0, ColumnCount - 1);
}

// One signal for each run of neighbours.
void BranchTreeModel::announce(const std::vector<const BranchNode*>& nodes, int firstColumn, int lastColumn) {
    for (std::size_t at = 0; at < nodes.size();) {
        std::size_t end = at + 1;
        while (end < nodes.size() && nodes[end]->parent == nodes[at]->parent &&
               nodes[end]->position == nodes[end - 1]->position + 1)
            ++end;
        Q_EMIT dataChanged(indexOf(*nodes[at], firstColumn), indexOf(*nodes[end - 1], lastColumn));
        at = end;
    }
}

// -- looking things up ----------------------------------------------------------------------------------

int BranchTreeModel::branchCount() const {
    return static_cast<int>(m_rows.size());
}

const BranchRow* BranchTreeModel::branch(std::uint64_t id) const {
    const auto found = m_rows.constFind(id);
    return found == m_rows.cend() ? nullptr : &*found;
}

const BranchRow* BranchTreeModel::branch(const QString& name) const {
    for (const BranchRow& row : m_rows)
        if (row.name == name)
            return &row;
    return nullptr;
}

void BranchTreeModel::forEachBranch(const std::function<void(const BranchRow&)>& visit) const {
    for (const BranchRow& row : m_rows)
        visit(row);
}

QModelIndex BranchTreeModel::indexOf(std::uint64_t id, int column) const {
    const BranchNode* found = m_nodes.value({id, {}, false});
    return found == nullptr ? QModelIndex() : indexOf(*found, column);
}

QModelIndex BranchTreeModel::indexOf(const BranchNode& node, int column) const {
    return createIndex(node.position, column, &node);
}

QModelIndex BranchTreeModel::parentIndex(const BranchNode& node) const {
    return node.parent == nullptr ? QModelIndex() : indexOf(*node.parent);
}

QModelIndex BranchTreeModel::ghostIndex() const {
    const BranchNode* found = m_ghost ? m_nodes.value({m_ghost->parentId, {}, true}) : nullptr;
    return found == nullptr ? QModelIndex() : indexOf(*found);
}

const BranchNode* BranchTreeModel::node(const QModelIndex& index) const {
    return static_cast<const BranchNode*>(index.constInternalPointer());
}

// -- as an item model -----------------------------------------------------------------------------------

QModelIndex BranchTreeModel::index(int row, int column, const QModelIndex& parent) const {
    if (row < 0 || column < 0 || column >= ColumnCount || parent.column() > 0)
        return {};
    const BranchNode& above = parent.isValid() ? *node(parent) : m_top;
    if (static_cast<std::size_t>(row) >= above.children.size())
        return {};
    return createIndex(row, column, above.children[static_cast<std::size_t>(row)].get());
}

QModelIndex BranchTreeModel::parent(const QModelIndex& child) const {
    return child.isValid() ? parentIndex(*node(child)) : QModelIndex();
}

int BranchTreeModel::rowCount(const QModelIndex& parent) const {
    if (parent.column() > 0)
        return 0;
    return static_cast<int>((parent.isValid() ? *node(parent) : m_top).children.size());
}

int BranchTreeModel::columnCount(const QModelIndex&) const {
    return ColumnCount;
}

bool BranchTreeModel::hasChildren(const QModelIndex& parent) const {
    return rowCount(parent) > 0;
}

Qt::ItemFlags BranchTreeModel::flags(const QModelIndex& index) const {
    if (!index.isValid())
        return Qt::NoItemFlags;
    const bool editable = node(index)->kind == BranchNode::Kind::Ghost && index.column() == Name;
    return Qt::ItemIsEnabled | Qt::ItemIsSelectable | (editable ? Qt::ItemIsEditable : Qt::NoItemFlags);
}

QVariant BranchTreeModel::data(const QModelIndex& index, int role) const {
    if (!index.isValid())
        return {};
    const BranchNode& at = *node(index);
    switch (role) {
    case Qt::DisplayRole:
        return display(at, index.column());
    case Qt::EditRole:
        return index.column() == Name ? QVariant(at.row.name) : display(at, index.column());
    case Qt::ToolTipRole:
        return toolTip(at, index.column());
    case Qt::AccessibleTextRole:
        return accessibleText(at, index.column());
    case Qt::TextAlignmentRole:
        if (index.column() == Head || index.column() == Own || index.column() == Pins)
            return QVariant::fromValue(Qt::Alignment(Qt::AlignRight | Qt::AlignVCenter));
        return QVariant::fromValue(Qt::Alignment(Qt::AlignLeft | Qt::AlignVCenter));
    case SortRole:
        return sortKey(at, index.column());
    case BranchIdRole:
        return static_cast<qulonglong>(at.kind == BranchNode::Kind::Branch ? at.row.id : 0);
    default:
        return {};
    }
}

} // namespace arbor
