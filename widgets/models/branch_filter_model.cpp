#include "widgets/models/branch_filter_model.h"

#include "widgets/models/branch_tree_model.h"

#include <algorithm>

namespace arbor {

namespace {

bool matchesWord(const BranchRow& row, const QString& word) {
    if (word == QLatin1String("is:protected"))
        return row.isProtected;
    if (word == QLatin1String("is:expiring"))
        return row.expiresAt.micros != 0;
    if (word == QLatin1String("is:root"))
        return row.root;
    if (word == QLatin1String("state:running"))
        return row.state == BranchState::Running;
    if (word == QLatin1String("state:stopped"))
        return row.state == BranchState::Stopped;
    if (word == QLatin1String("state:failed"))
        return row.state == BranchState::Failed;
    return row.name.contains(word, Qt::CaseInsensitive);
}

} // namespace

BranchFilterModel::BranchFilterModel(QObject* parent) : QSortFilterProxyModel(parent) {
    setRecursiveFilteringEnabled(true);
    setSortRole(BranchTreeModel::SortRole);
}

void BranchFilterModel::setSourceModel(QAbstractItemModel* model) {
    m_tree = qobject_cast<BranchTreeModel*>(model);
    QSortFilterProxyModel::setSourceModel(model);
}

void BranchFilterModel::setFilterText(const QString& text) {
    if (text == m_text)
        return;
    m_text = text;
    m_words = text.split(QLatin1Char(' '), Qt::SkipEmptyParts);
    invalidateFilter();
}

void BranchFilterModel::setHidden(std::uint64_t branchId, bool hidden) {
    if (hidden == m_hidden.contains(branchId))
        return;
    if (hidden)
        m_hidden.insert(branchId);
    else
        m_hidden.remove(branchId);
    invalidateFilter();
}

void BranchFilterModel::showAll() {
    m_text.clear();
    m_words.clear();
    m_hidden.clear();
    m_solo = 0;
    invalidateFilter();
}

void BranchFilterModel::setSolo(std::uint64_t branchId) {
    if (branchId == m_solo)
        return;
    m_solo = branchId;
    invalidateFilter();
}

bool BranchFilterModel::filterAcceptsRow(int row, const QModelIndex& parent) const {
    if (m_tree == nullptr || !isNarrowed())
        return true;
    const BranchNode* node = m_tree->node(m_tree->index(row, 0, parent));
    if (node->kind == BranchNode::Kind::Ghost)
        return true;
    if (node->kind == BranchNode::Kind::Group)
        return false; // shown when a branch in it is
    bool inSolo = m_solo == 0;
    for (const BranchNode* at = node; at != nullptr; at = at->parent) {
        const std::uint64_t id = at->kind == BranchNode::Kind::Branch ? at->row.id : 0;
        inSolo = inSolo || id == m_solo;
        if (m_solo == 0 && id != 0 && m_hidden.contains(id))
            return false;
    }
    return inSolo && std::all_of(m_words.begin(), m_words.end(),
                                 [&](const QString& word) { return matchesWord(node->row, word); });
}

bool BranchFilterModel::lessThan(const QModelIndex& left, const QModelIndex& right) const {
    // the ghost stays above its siblings whichever way they go
    const bool leftGhost = m_tree->node(left)->kind == BranchNode::Kind::Ghost;
    const bool rightGhost = m_tree->node(right)->kind == BranchNode::Kind::Ghost;
    if (leftGhost || rightGhost)
        return (leftGhost && !rightGhost) == (sortOrder() == Qt::AscendingOrder);
    const QVariant a = left.data(BranchTreeModel::SortRole);
    const QVariant b = right.data(BranchTreeModel::SortRole);
    if (left.column() == BranchTreeModel::Name)
        return compareNatural(a.toString(), b.toString()) < 0;
    const QPartialOrdering order = QVariant::compare(a, b);
    return order == QPartialOrdering::Less;
}

} // namespace arbor
