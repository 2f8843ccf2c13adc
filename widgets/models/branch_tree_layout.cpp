#include "widgets/models/branch_tree_layout.h"

#include <QSet>

#include <algorithm>

namespace arbor {

size_t qHash(const NodeKey& key, size_t seed) {
    return qHashMulti(seed, key.branchId, key.prefix, key.ghost);
}

namespace {

// The end of the run of digits that begins at `at`; leading zeros are skipped in `at`.
qsizetype digitsEnd(const QString& text, qsizetype& at) {
    while (at + 1 < text.size() && text[at] == QLatin1Char('0') && text[at + 1].isDigit())
        ++at;
    qsizetype end = at;
    while (end < text.size() && text[end].isDigit())
        ++end;
    return end;
}

} // namespace

int compareNatural(const QString& left, const QString& right) {
    qsizetype l = 0;
    qsizetype r = 0;
    while (l < left.size() && r < right.size()) {
        if (left[l].isDigit() && right[r].isDigit()) {
            const qsizetype leftEnd = digitsEnd(left, l);
            const qsizetype rightEnd = digitsEnd(right, r);
            if (leftEnd - l != rightEnd - r)
                return leftEnd - l < rightEnd - r ? -1 : 1;
            for (; l < leftEnd; ++l, ++r)
                if (left[l] != right[r])
                    return left[l] < right[r] ? -1 : 1;
            continue;
        }
        const QChar a = left[l].toCaseFolded();
        const QChar b = right[r].toCaseFolded();
        if (a != b)
            return a < b ? -1 : 1;
        ++l;
        ++r;
    }
    if (l < left.size() || r < right.size())
        return l < left.size() ? 1 : -1;
    return left.compare(right);
}

namespace {

class Builder {
  public:
    Builder(const QHash<std::uint64_t, BranchRow>& rows, const BranchRow* ghost) : m_ghost(ghost) {
        for (const BranchRow& row : rows)
            m_children[parentOf(rows, row)].push_back(&row);
        m_layout.nodes.reserve(static_cast<std::size_t>(rows.size()) + 1);
    }

    BranchLayout build() {
        m_layout.roots = below(0);
        return std::move(m_layout);
    }

  private:
    using Rows = std::vector<const BranchRow*>;

    // 0 when the parent is unknown, and for one branch of every ring: the least id in it.
    std::uint64_t parentOf(const QHash<std::uint64_t, BranchRow>& rows, const BranchRow& row) {
        if (row.parentId == 0 || !rows.contains(row.parentId))
            return 0;
        if (row.parentId < row.id || m_sound.contains(row.id))
            return row.parentId; // ids ascend with time: a ring has a branch whose parent is younger
        std::vector<std::uint64_t> path{row.id};
        std::uint64_t least = row.id;
        for (std::uint64_t at = row.parentId; at != 0 && !m_sound.contains(at);) {
            if (at == row.id)
                return least == row.id ? 0 : row.parentId;
            if (path.size() > static_cast<std::size_t>(rows.size()))
                break; // leads into a ring that this branch is no part of
            path.push_back(at);
            least = std::min(least, at);
            const auto found = rows.constFind(at);
            at = found == rows.cend() ? 0 : found->parentId;
        }
        for (const std::uint64_t id : path)
            m_sound.insert(id);
        return row.parentId;
    }

    std::vector<std::size_t> below(std::uint64_t branchId) {
        std::vector<std::size_t> result;
        if (m_ghost != nullptr && m_ghost->parentId == branchId) {
            m_layout.nodes.push_back({{branchId, {}, true}, m_ghost->name, m_ghost, {}});
            result.push_back(m_layout.nodes.size() - 1);
        }
        const auto found = m_children.constFind(branchId);
        if (found != m_children.cend())
            for (const std::size_t node : grouped(branchId, *found, {}))
                result.push_back(node);
        return result;
    }

    // The rows, all of which begin with `prefix`, as branches and groups in order.
    std::vector<std::size_t> grouped(std::uint64_t parentId, const Rows& rows, const QString& prefix) {
        struct Entry {
            QString label;
            Rows rows;
        };
        std::vector<Entry> entries;
        QHash<QString, std::size_t> groups;
        for (const BranchRow* row : rows) {
            const QString rest = row->name.mid(prefix.size());
            const qsizetype slash = rest.indexOf(QLatin1Char('/'));
            if (slash <= 0) {
                entries.push_back({rest, {row}});
                continue;
            }
            const QString segment = rest.left(slash + 1);
            if (!groups.contains(segment)) {
                groups.insert(segment, entries.size());
                entries.push_back({segment, {}});
            }
            entries[groups.value(segment)].rows.push_back(row);
        }
        for (Entry& entry : entries)
            if (entry.rows.size() == 1)
                entry.label = entry.rows.front()->name.mid(prefix.size());
        std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
            const int order = compareNatural(a.label, b.label);
            return order != 0 ? order < 0 : a.rows.front()->id < b.rows.front()->id;
        });
        std::vector<std::size_t> result;
        for (const Entry& entry : entries)
            result.push_back(entry.rows.size() == 1 ? branchNode(*entry.rows.front(), entry.label)
                                                    : groupNode(parentId, entry.rows, prefix, entry.label));
        return result;
    }

    std::size_t branchNode(const BranchRow& row, const QString& label) {
        const std::size_t at = m_layout.nodes.size();
        m_layout.nodes.push_back({{row.id, {}, false}, label, &row, {}});
        std::vector<std::size_t> children = below(row.id);
        m_layout.nodes[at].children = std::move(children);
        return at;
    }

    std::size_t groupNode(std::uint64_t parentId, const Rows& rows, const QString& outer, QString label) {
        // "ci/" with nothing but "pr/" in it is "ci/pr/"
        for (;;) {
            const QString prefix = outer + label;
            const qsizetype slash = rows.front()->name.indexOf(QLatin1Char('/'), prefix.size());
            if (slash <= prefix.size())
                break;
            const QString longer = rows.front()->name.left(slash + 1);
            if (!std::all_of(rows.begin(), rows.end(),
                             [&](const BranchRow* row) { return row->name.startsWith(longer); }))
                break;
            label = longer.mid(outer.size());
        }
        const std::size_t at = m_layout.nodes.size();
        m_layout.nodes.push_back({{parentId, outer + label, false}, label, nullptr, {}});
        std::vector<std::size_t> children = grouped(parentId, rows, outer + label);
        m_layout.nodes[at].children = std::move(children);
        return at;
    }

    const BranchRow* m_ghost;
    QHash<std::uint64_t, Rows> m_children;
    QSet<std::uint64_t> m_sound; // known to lead to the top, or into a ring that is cut elsewhere
    BranchLayout m_layout;
};

} // namespace

BranchLayout layoutBranches(const QHash<std::uint64_t, BranchRow>& rows, const BranchRow* ghost) {
    return Builder(rows, ghost).build();
}

} // namespace arbor
