// The trash, and what is gone for good.
#include "storage/timelines/catalog.h"

#include "storage/timelines/catalog_edit.h"

#include <algorithm>

namespace arbor {

std::vector<CheckpointRecord> Catalog::checkpointsOnlyOn(const TrashRecord& entry) const {
    const BranchId id = entry.branch.id;
    std::vector<TimelineId> otherHeads;
    if (const BranchRecord* live = findBranch(id))
        otherHeads.push_back(live->timeline);
    for (auto at = m_trashBranches.lower_bound({id, TrashId{}});
         at != m_trashBranches.end() && at->first == id; ++at)
        if (at->second != entry.id)
            otherHeads.push_back(m_trash.at(at->second).branch.timeline);

    std::vector<CheckpointRecord> only;
    for (auto at = m_checkpointNames.lower_bound({id, ""});
         at != m_checkpointNames.end() && at->first.first == id; ++at) {
        const CheckpointRecord& record = m_checkpoints.at(at->second);
        const auto sees = [&](TimelineId head) { return isOnLine(head, record.point); };
        if (std::none_of(otherHeads.begin(), otherHeads.end(), sees))
            only.push_back(record);
    }
    return only;
}

Result<CatalogChange> Catalog::restoreFromTrash(TrashId id, Timestamp now, std::string_view asName) {
    const TrashRecord* found = findTrash(id);
    if (!found)
        return makeError(ErrorKind::NotFound, "the trash holds no entry {}", id);
    const TrashRecord entry = *found;
    BranchRecord back = entry.branch;
    if (!asName.empty())
        back.name = asName;
    if (const BranchRecord* taken = findBranch(back.name))
        return makeError(
            ErrorKind::Refused,
            "there is a branch \"{0}\" now: rename it (`branch rename {0} NEW`) and try again{1}", back.name,
            taken->id == entry.branch.id ? ", or undo the operation that moved it off this line" : "");
    ARBOR_TRY(checkNameFree(back.name));
    if (back.expiresAt && back.expiresAt <= now)
        back.expiresAt = {}; // it would expire in the same moment
    if (portInUse(back.port))
        back.port = 0;

    CatalogEdit edit(*this);
    edit.erase(id);
    if (findBranch(back.id)) {
        back.id = edit.newBranch();
        back.createdAt = now;
        for (CheckpointRecord checkpoint : checkpointsOnlyOn(entry)) {
            checkpoint.branch = back.id;
            edit.put(checkpoint);
        }
    }
    edit.put(back);
    edit.change().branch = back.id;
    edit.change().timeline = back.timeline;
    edit.change().trash = id;
    return commit(std::move(edit));
}

Result<CatalogChange> Catalog::purgeTrash(TrashId id) {
    const TrashRecord* found = findTrash(id);
    if (!found)
        return makeError(ErrorKind::NotFound, "the trash holds no entry {}", id);
    const TrashRecord entry = *found;
    const auto entriesOf = [this](BranchId branch) {
        const auto from = m_trashBranches.lower_bound({branch, TrashId{}});
        return std::distance(from, m_trashBranches.upper_bound({branch, TrashId{UINT64_MAX}}));
    };
    CatalogEdit edit(*this);
    edit.erase(id);
    for (const CheckpointRecord& checkpoint : checkpointsOnlyOn(entry))
        edit.erase(checkpoint.id);
    // The last trace of a branch: its name stays as long as children show it
    if (!findBranch(entry.branch.id) && entriesOf(entry.branch.id) == 1 && isParent(entry.branch.id))
        edit.putRaw(catalog_codec::goneBranchKey(entry.branch.id),
                    catalog_codec::encodeText(entry.branch.name));
    // ... and goes with the last of them
    if (const BranchId parent = entry.branch.parent; m_goneNames.contains(parent)) {
        CatalogChange change = commit(std::move(edit));
        CatalogEdit rest(*this);
        if (!isParent(parent))
            rest.putRaw(catalog_codec::goneBranchKey(parent), std::nullopt);
        change.append(commit(std::move(rest)));
        return change;
    }
    return commit(std::move(edit));
}

Result<CatalogChange> Catalog::removeTimeline(TimelineId id) {
    ARBOR_TRY(timeline(id));
    const auto startsWith = [id](const auto& pairs, auto second) {
        const auto at = pairs.lower_bound({id, second});
        return at != pairs.end() && at->first == id;
    };
    if (isHead(id) || startsWith(m_childTimelines, TimelineId{}) ||
        startsWith(m_checkpointTimelines, CheckpointId{}))
        return makeError(ErrorKind::Refused,
                         "timeline {} is still needed by a branch, a checkpoint or the trash", id);
    CatalogEdit edit(*this);
    edit.erase(id);
    edit.change().timeline = id;
    return commit(std::move(edit));
}

CatalogChange Catalog::reserveTimeline() {
    CatalogEdit edit(*this);
    edit.newTimeline();
    return commit(std::move(edit));
}

Result<CatalogChange> Catalog::markStarted(TimelineId id) {
    ARBOR_ASSIGN(TimelineRecord record, timeline(id));
    record.neverStarted = false;
    CatalogEdit edit(*this);
    edit.put(record);
    edit.change().timeline = id;
    return commit(std::move(edit));
}

Result<Catalog> Catalog::without(std::span<const BranchId> gone, bool noTrash) const {
    Catalog thought = *this;
    for (const BranchId id : gone) {
        ARBOR_TRY(thought.setProtected(id, false));
        ARBOR_ASSIGN(const auto change, thought.deleteBranch(id, Timestamp{}));
        ARBOR_TRY(thought.purgeTrash(change.trash));
    }
    if (noTrash)
        for (const TrashRecord* entry : trash())
            ARBOR_TRY(thought.purgeTrash(entry->id));
    return thought;
}

} // namespace arbor
