// The invariants of catalog.h, checked from the records and not from the indexes.
#include "storage/timelines/catalog.h"

#include "storage/timelines/settings.h"

namespace arbor {

void Catalog::verifyTimelines(std::vector<std::string>& wrong) const {
    for (const auto& [id, line] : m_timelines) {
        if (!line.parent)
            continue;
        const TimelineRecord* parent = findTimeline(line.parent);
        if (!parent) {
            wrong.push_back(
                fmt::format("timeline {} was forked from timeline {}, which is not there", id, line.parent));
            continue;
        }
        if (parent->root != line.root || parent->pgMajor != line.pgMajor ||
            parent->walSegmentSize != line.walSegmentSize)
            wrong.push_back(
                fmt::format("timeline {} and its parent {} do not agree on root, major version or "
                            "segment size",
                            id, line.parent));
        const auto normal = normalise({line.parent, line.fork});
        if (!normal)
            wrong.push_back(
                fmt::format("the fork point of timeline {} is wrong: {}", id, normal.error().message()));
        else if (normal->timeline != line.parent)
            wrong.push_back(
                fmt::format("the fork point of timeline {} belongs to timeline {}, not to its parent {}", id,
                            normal->timeline, line.parent));
    }
}

void Catalog::verifyBranch(const BranchRecord& branch, std::string_view what,
                           std::vector<std::string>& wrong) const {
    if (!findTimeline(branch.timeline))
        wrong.push_back(fmt::format("{} \"{}\" stands on timeline {}, which is not there", what, branch.name,
                                    branch.timeline));
    if (branch.parent && !knows(branch.parent) && !m_goneNames.contains(branch.parent))
        wrong.push_back(fmt::format("{} \"{}\" has branch {} as its parent, of which nothing is known", what,
                                    branch.name, branch.parent));
    if (branch.isProtected && branch.expiresAt)
        wrong.push_back(fmt::format("{} \"{}\" is protected and has an expiry", what, branch.name));
    for (const auto& [key, value] : branch.settings)
        if (const auto good = checkBranchSetting(key, value); !good)
            wrong.push_back(fmt::format("{} \"{}\": {}", what, branch.name, good.error().message()));
}

void Catalog::verifyCheckpoints(std::vector<std::string>& wrong) const {
    for (const auto& [id, checkpoint] : m_checkpoints) {
        if (!findTimeline(checkpoint.point.timeline))
            wrong.push_back(fmt::format("checkpoint \"{}\" lies on timeline {}, which is not there",
                                        checkpoint.name, checkpoint.point.timeline));
        if (!knows(checkpoint.branch)) {
            wrong.push_back(
                fmt::format("checkpoint \"{}\" belongs to branch {}, which is neither live nor in the trash",
                            checkpoint.name, checkpoint.branch));
            continue;
        }
        const BranchRecord* live = findBranch(checkpoint.branch);
        bool seen = live && isOnLine(live->timeline, checkpoint.point);
        for (auto at = m_trashBranches.lower_bound({checkpoint.branch, TrashId{}});
             !seen && at != m_trashBranches.end() && at->first == checkpoint.branch; ++at)
            seen = isOnLine(m_trash.at(at->second).branch.timeline, checkpoint.point);
        if (!seen)
            wrong.push_back(
                fmt::format("checkpoint \"{}\" lies on no line of its branch, neither live nor in the trash",
                            checkpoint.name));
    }
}

void Catalog::verifyHeads(std::vector<std::string>& wrong) const {
    std::map<TimelineId, std::string> heads;
    std::map<std::uint16_t, std::string> ports;
    const auto take = [&](TimelineId id, std::string who) {
        if (const auto [at, first] = heads.try_emplace(id, who); !first)
            wrong.push_back(fmt::format("{} and {} stand on the same timeline {}", at->second, who, id));
    };
    for (const BranchRecord* branch : branches()) {
        take(branch->timeline, fmt::format("branch \"{}\"", branch->name));
        if (branch->port == 0)
            continue;
        if (const auto [at, first] = ports.try_emplace(branch->port, branch->name); !first)
            wrong.push_back(fmt::format("branches \"{}\" and \"{}\" have the same port {}", at->second,
                                        branch->name, branch->port));
    }
    for (const auto& [id, entry] : m_trash)
        take(entry.branch.timeline, fmt::format("trash entry {} \"{}\"", id, entry.branch.name));
}

std::vector<std::string> Catalog::verify() const {
    std::vector<std::string> wrong;
    verifyTimelines(wrong);
    for (const BranchRecord* branch : branches())
        verifyBranch(*branch, "branch", wrong);
    for (const auto& [id, entry] : m_trash)
        verifyBranch(entry.branch, "trash entry", wrong);
    verifyHeads(wrong);
    verifyCheckpoints(wrong);
    for (const auto& [id, name] : m_goneNames)
        if (!isParent(id))
            wrong.push_back(
                fmt::format("the name \"{}\" of the gone branch {} is kept for no child", name, id));
    return wrong;
}

} // namespace arbor
