// How branches become a tree: children below their parent, siblings that share a `/` prefix in a group. Pure:
// the model compares the tree that should be with the one that is.
#pragma once

#include "widgets/models/branch_row.h"

#include <QHash>
#include <QString>

#include <compare>
#include <cstdint>
#include <vector>

namespace arbor {

// A row's identity over time. A group is known by the branch that it stands under and its whole prefix
// ("ci/pr/"); the ghost (the row in which a new branch is named) has the id of its parent and ghost set.
struct NodeKey {
    std::uint64_t branchId = 0; // group: the branch above it, 0 at the top
    QString prefix;             // empty but for groups
    bool ghost = false;
    bool operator==(const NodeKey&) const = default;
    bool isGroup() const { return !prefix.isEmpty(); }
};
size_t qHash(const NodeKey& key, size_t seed = 0);

struct LayoutNode {
    NodeKey key;
    QString label;                     // the name without the prefixes of the groups that it stands in
    const BranchRow* row = nullptr;    // null for a group
    std::vector<std::size_t> children; // indices into BranchLayout::nodes
};

struct BranchLayout {
    std::vector<LayoutNode> nodes;  // a parent stands before its children
    std::vector<std::size_t> roots; // indices into nodes
};

// Rows with a parent that is not among them, or that is their own ancestor, stand at the top. Siblings are in
// the natural order of their labels ("ci/9" before "ci/10"). A prefix becomes a group when at least two
// siblings have it; a group whose only child would be a group is one with it ("ci/pr/"). The ghost stands
// first below its parent. The pointers are into `rows`.
BranchLayout layoutBranches(const QHash<std::uint64_t, BranchRow>& rows, const BranchRow* ghost = nullptr);

// "a2" before "a10", case last of all. Total: 0 only for equal texts.
int compareNatural(const QString& left, const QString& right);

} // namespace arbor
