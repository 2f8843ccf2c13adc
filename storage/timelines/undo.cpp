// What undo and redo do to the catalog: put records back as they were, lose no timeline, break no invariant.
#include "storage/timelines/catalog_edit.h"
#include "storage/timelines/codec.h"
#include "storage/timelines/operation_log.h"

#include <algorithm>
#include <set>

namespace arbor {

using namespace catalog_codec;

namespace {

// The branch without what does not count as a change.
void forgetBookkeeping(BranchRecord& branch, Timestamp now) {
    branch.port = 0;
    branch.shouldRun = false;
    if (branch.expiresAt <= now)
        branch.expiresAt = {};
}

// Whether two states of a record differ in nothing that a user did.
Result<bool> sameToUsers(const Key& key, const std::optional<std::string>& left,
                         const std::optional<std::string>& right, Timestamp now) {
    if (left == right)
        return true;
    if (!left || !right)
        return false;
    if (key.kind == Kind::Branch) {
        ARBOR_ASSIGN(auto a, decodeBranch({key.id}, *left));
        ARBOR_ASSIGN(auto b, decodeBranch({key.id}, *right));
        forgetBookkeeping(a, now);
        forgetBookkeeping(b, now);
        return a == b;
    }
    if (key.kind == Kind::Trash) {
        ARBOR_ASSIGN(auto a, decodeTrash({key.id}, *left));
        ARBOR_ASSIGN(auto b, decodeTrash({key.id}, *right));
        forgetBookkeeping(a.branch, now);
        forgetBookkeeping(b.branch, now);
        a.since = b.since = {};
        return a == b;
    }
    return false;
}

// Collects the records that a swap puts back, checks them against the rest of the catalog, and makes the
// change.
class Swap {
  public:
    Swap(const Catalog& catalog, Timestamp now) : m_catalog(catalog), m_now(now), m_edit(catalog) {}

    // `target` is what the record becomes. It stands in the catalog now as the swapped entry left it.
    Status add(const Key& key, const RecordChange& change, const std::optional<std::string>& target) {
        switch (key.kind) {
        case Kind::Branch:
            return addBranch({key.id}, target);
        case Kind::Trash:
            return addTrash({key.id}, target);
        case Kind::Checkpoint:
            return addCheckpoint({key.id}, target);
        default:
            m_edit.putRaw(change.key, target);
            return {};
        }
    }

    Result<CatalogChange> finish(const OperationLog::Readable& readable) && {
        ARBOR_TRY(checkBranches());
        ARBOR_TRY(checkCheckpoints(readable));
        throwAwayWhatIsLeft();
        ARBOR_TRY(checkLines());
        keepNamesOfParents();
        for (const BranchRecord& branch : m_branches)
            m_edit.put(branch);
        for (const TrashRecord& entry : m_trash)
            m_edit.put(entry);
        for (const CheckpointRecord& checkpoint : m_checkpoints)
            m_edit.put(checkpoint);
        return std::move(m_edit).finish();
    }

  private:
    Status addBranch(BranchId id, const std::optional<std::string>& target) {
        m_changedBranches.insert(id);
        m_touched.insert(id);
        const BranchRecord* present = m_catalog.findBranch(id);
        if (present)
            m_left.push_back(*present);
        if (!target) {
            m_edit.erase(id);
            return {};
        }
        ARBOR_ASSIGN(BranchRecord back, decodeBranch(id, *target));
        back.shouldRun = present && present->shouldRun;
        if (present)
            back.port = present->port;
        else if (m_catalog.portInUse(back.port))
            back.port = 0;
        if (back.expiresAt <= m_now)
            back.expiresAt = {};
        m_heads.insert(back.timeline);
        m_branches.push_back(std::move(back));
        return {};
    }

    Status addTrash(TrashId id, const std::optional<std::string>& target) {
        m_changedTrash.insert(id);
        if (const TrashRecord* present = m_catalog.findTrash(id))
            m_touched.insert(present->branch.id);
        if (!target) {
            m_edit.erase(id);
            return {};
        }
        ARBOR_ASSIGN(TrashRecord back, decodeTrash(id, *target));
        back.since = m_now;
        m_heads.insert(back.branch.timeline);
        m_trash.push_back(std::move(back));
        return {};
    }

    Status addCheckpoint(CheckpointId id, const std::optional<std::string>& target) {
        m_changedCheckpoints.insert(id);
        if (!target) {
            m_edit.erase(id);
            return {};
        }
        ARBOR_ASSIGN(CheckpointRecord back, decodeCheckpoint(id, *target));
        m_touched.insert(back.branch);
        m_checkpoints.push_back(std::move(back));
        return {};
    }

    Status checkBranches() const {
        std::set<std::string_view> names;
        for (const BranchRecord& branch : m_branches) {
            const BranchRecord* holder = m_catalog.findBranch(branch.name);
            if (!names.insert(branch.name).second || (holder && !m_changedBranches.contains(holder->id)))
                return makeError(ErrorKind::Refused, "another branch is named \"{0}\" now; rename it first",
                                 branch.name);
            if (!m_catalog.findTimeline(branch.timeline))
                return makeError(ErrorKind::Refused, "the data of branch \"{}\" is gone for good",
                                 branch.name);
        }
        return {};
    }

    Status checkCheckpoints(const OperationLog::Readable& readable) const {
        for (const CheckpointRecord& checkpoint : m_checkpoints) {
            const auto holder = m_catalog.checkpoint(checkpoint.branch, checkpoint.name);
            if (holder && !m_changedCheckpoints.contains(holder->id))
                return makeError(ErrorKind::Refused,
                                 "the branch has another checkpoint \"{}\" now; delete it first",
                                 checkpoint.name);
            if (m_catalog.findCheckpoint(checkpoint.id) || !readable)
                continue; // it holds its point already
            if (auto status = readable(checkpoint.point); !status)
                return makeError(ErrorKind::Refused, "checkpoint \"{}\" cannot come back: {}",
                                 checkpoint.name, status.error().message());
        }
        return {};
    }

    // No timeline that a branch stood on may be left without a name: it goes into the trash.
    void throwAwayWhatIsLeft() {
        for (const BranchRecord& left : m_left)
            if (!m_heads.contains(left.timeline)) {
                m_edit.throwAway(left, TrashReason::Undone, m_now);
                m_thrownAway.push_back(left);
            }
    }

    // What a branch id stands on after the swap, live and in the trash.
    std::vector<TimelineId> headsOf(BranchId id) const {
        std::vector<TimelineId> heads;
        if (const BranchRecord* live = m_catalog.findBranch(id); live && !m_changedBranches.contains(id))
            heads.push_back(live->timeline);
        for (const TrashRecord* entry : m_catalog.trashOf(id))
            if (!m_changedTrash.contains(entry->id))
                heads.push_back(entry->branch.timeline);
        for (const auto& branches : {m_branches, m_thrownAway})
            for (const BranchRecord& branch : branches)
                if (branch.id == id)
                    heads.push_back(branch.timeline);
        for (const TrashRecord& entry : m_trash)
            if (entry.branch.id == id)
                heads.push_back(entry.branch.timeline);
        return heads;
    }

    // A purge may have taken the line that a checkpoint was on, and a branch may vanish without leaving its
    // id (a trash entry that had come back as a branch of its own goes back as the entry it was). No
    // checkpoint may be left on no line.
    Status checkLines() const {
        for (const BranchId id : m_touched) {
            const std::vector<TimelineId> heads = headsOf(id);
            const auto onSome = [&](const CheckpointRecord& checkpoint) {
                return std::any_of(heads.begin(), heads.end(), [&](TimelineId head) {
                    return m_catalog.isOnLine(head, checkpoint.point);
                });
            };
            for (const CheckpointRecord& checkpoint : m_checkpoints)
                if (checkpoint.branch == id && !onSome(checkpoint))
                    return makeError(ErrorKind::Refused, "the line of checkpoint \"{}\" is gone for good",
                                     checkpoint.name);
            for (const CheckpointView& view : m_catalog.checkpoints(id))
                if (!m_changedCheckpoints.contains(view.record.id) && !onSome(view.record))
                    return makeError(
                        ErrorKind::Refused,
                        "checkpoint \"{}\" would be left on no line of its branch; delete it first",
                        view.record.name);
        }
        return {};
    }

    // The children of a branch that vanishes without a trace still show its name.
    void keepNamesOfParents() {
        for (const BranchRecord& left : m_left)
            if (headsOf(left.id).empty() && m_catalog.isParent(left.id))
                m_edit.putRaw(goneBranchKey(left.id), encodeText(left.name));
    }

    const Catalog& m_catalog;
    Timestamp m_now;
    CatalogEdit m_edit;
    std::vector<BranchRecord> m_left; // as they are now, before the swap
    std::vector<BranchRecord> m_branches;
    std::vector<TrashRecord> m_trash;
    std::vector<CheckpointRecord> m_checkpoints;
    std::set<BranchId> m_changedBranches;
    std::set<TrashId> m_changedTrash;
    std::set<BranchId> m_touched; // their heads or checkpoints change
    std::vector<BranchRecord> m_thrownAway;
    std::set<CheckpointId> m_changedCheckpoints;
    std::set<TimelineId> m_heads; // what the records put back stand on
};

} // namespace

std::string OperationLog::whoChanged(std::string_view key, OperationId since) const {
    // Operations that are undone have left nothing behind, and an undo is not what a person can take back
    for (auto entry = m_entries.rbegin(); entry != m_entries.rend() && entry->id > since; ++entry)
        if (entry->kind == OperationKind::Operation && !entry->isUndone())
            for (const RecordChange& change : entry->changes)
                if (change.key == key)
                    return fmt::format("operation {} ({}) changed it since; undo that one first", entry->id,
                                       entry->command);
    const auto parsed = parseKey(key);
    if (parsed && parsed->kind == Kind::Trash)
        return "what it left in the trash is gone for good";
    return "it was changed since by what is no operation, or is no more in the log";
}

Result<CatalogChange> OperationLog::swapBack(const Catalog& catalog, const OperationEntry& entry,
                                             std::string_view what, Timestamp now,
                                             const Readable& readable) const {
    const OperationId operation = entry.of ? entry.of : entry.id;
    const OperationEntry* named = find(operation);
    const auto refused = [&](std::string_view why) {
        return makeError(ErrorKind::Refused, "operation {} ({}) cannot be {}: {}", operation,
                         named ? named->command : entry.command, what, why);
    };
    Swap swap(catalog, now);
    for (const RecordChange& change : entry.changes) {
        const auto key = parseKey(change.key);
        if (!key)
            return makeError(ErrorKind::Corruption, "entry {} of the operation log names no record",
                             entry.id);
        ARBOR_ASSIGN(const bool same, sameToUsers(*key, catalog.encoded(change.key), change.after, now));
        if (!same)
            return refused(fmt::format("{}: {}", describeKey(*key), whoChanged(change.key, entry.id)));
        ARBOR_TRY(swap.add(*key, change, change.before));
    }
    auto result = std::move(swap).finish(readable);
    if (!result && result.error().kind() == ErrorKind::Refused)
        return refused(result.error().message());
    return result;
}

} // namespace arbor
