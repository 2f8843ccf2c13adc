// What people do to branches, checkpoints and settings. The trash has catalog_trash.cpp.
#include "storage/timelines/catalog.h"

#include "storage/timelines/catalog_edit.h"
#include "storage/timelines/settings.h"

namespace arbor {

Status Catalog::checkNameFree(std::string_view name) const {
    ARBOR_TRY(checkCatalogName("branch", name));
    if (m_byName.contains(name))
        return makeError(ErrorKind::AlreadyExists, "there is a branch \"{}\" already; choose another name",
                         name);
    return {};
}

Status Catalog::checkUnprotected(const BranchRecord& branch, std::string_view what) const {
    if (branch.isProtected)
        return makeError(ErrorKind::Refused,
                         "branch \"{0}\" is protected and cannot {1}; `branch unprotect {0}` first",
                         branch.name, what);
    return {};
}

bool Catalog::isOwnCheckpoint(BranchId branch, const TimelinePoint& point) const {
    for (auto at = m_checkpointTimelines.lower_bound({point.timeline, CheckpointId{}});
         at != m_checkpointTimelines.end() && at->first == point.timeline; ++at) {
        const CheckpointRecord& record = m_checkpoints.at(at->second);
        if (record.branch == branch && record.point == point)
            return true;
    }
    return false;
}

Result<TimelineRecord> Catalog::forkOf(const ForkSpec& fork, Timestamp now) const {
    if (fork.from.at.position == maxPosition)
        return makeError(ErrorKind::InvalidArgument,
                         "a fork needs a position, not the open end of timeline {}", fork.from.timeline);
    ARBOR_ASSIGN(const auto from, normalise(fork.from));
    ARBOR_ASSIGN(TimelineRecord record, timeline(from.timeline));
    record.parent = from.timeline;
    record.fork = from.at;
    record.createdAt = now;
    record.rootInode = fork.rootInode;
    record.parentWasRunning = fork.parentWasRunning;
    record.neverStarted = true;
    record.beginsBranch = true;
    return record; // root, major version and segment size are the parent's
}

Result<CatalogChange> Catalog::createRoot(const RootSpec& spec, Timestamp now) {
    ARBOR_TRY(checkNameFree(spec.name));
    if (spec.timeline && (spec.timeline.value >= m_counters.timeline || findTimeline(spec.timeline)))
        return makeError(ErrorKind::InvalidArgument, "timeline {} was not reserved for a new root",
                         spec.timeline);
    CatalogEdit edit(*this);
    TimelineRecord line;
    line.id = spec.timeline ? spec.timeline : edit.newTimeline();
    line.root = line.id;
    line.pgMajor = spec.pgMajor;
    line.walSegmentSize = spec.walSegmentSize;
    line.rootInode = spec.rootInode;
    line.createdAt = now;
    BranchRecord branch;
    branch.id = edit.newBranch();
    branch.name = spec.name;
    branch.timeline = line.id;
    branch.createdAt = now;
    edit.put(line);
    edit.put(branch);
    edit.change().timeline = line.id;
    return commit(std::move(edit));
}

Result<CatalogChange> Catalog::createBranch(std::string_view name, BranchId parentId, const ForkSpec& fork,
                                            const BranchOptions& options, Timestamp now) {
    ARBOR_ASSIGN(const auto parent, branch(parentId));
    ARBOR_TRY(checkNameFree(name));
    ARBOR_ASSIGN(TimelineRecord line, forkOf(fork, now));
    const TimelinePoint from{line.parent, line.fork};
    if (!isOnLine(parent.timeline, from) && !isOwnCheckpoint(parent.id, from))
        return makeError(ErrorKind::Refused, "{} is no point of the history of branch \"{}\"", line.fork.lsn,
                         parent.name);
    if (options.expiresAt && options.expiresAt <= now)
        return makeError(ErrorKind::InvalidArgument, "branch \"{}\" would expire before it exists", name);
    if (options.port != 0 && portInUse(options.port))
        return makeError(ErrorKind::Refused, "port {} belongs to branch \"{}\"", options.port,
                         findBranch(m_byPort.at(options.port))->name);
    for (const auto& [key, value] : options.settings)
        ARBOR_TRY(checkBranchSetting(key, value));

    CatalogEdit edit(*this);
    line.id = edit.newTimeline();
    BranchRecord made;
    made.id = edit.newBranch();
    made.name = name;
    made.timeline = line.id;
    made.parent = parent.id;
    made.expiresAt = options.expiresAt;
    made.createdAt = now;
    made.port = options.port;
    made.settings = options.settings;
    edit.put(line);
    edit.put(made);
    return commit(std::move(edit));
}

// Changes one branch record by `change(record)`, which answers a Status.
template <class Change>
Result<CatalogChange> Catalog::changeBranch(BranchId id, Change change) {
    ARBOR_ASSIGN(BranchRecord record, branch(id));
    ARBOR_TRY(change(record));
    CatalogEdit edit(*this);
    edit.put(record);
    edit.change().branch = id;
    return commit(std::move(edit));
}

Result<CatalogChange> Catalog::renameBranch(BranchId id, std::string_view newName) {
    return changeBranch(id, [&](BranchRecord& record) -> Status {
        if (record.name != newName)
            ARBOR_TRY(checkNameFree(newName));
        record.name = newName;
        return {};
    });
}

Result<CatalogChange> Catalog::deleteBranch(BranchId id, Timestamp now, TrashReason reason) {
    ARBOR_ASSIGN(const auto record, branch(id));
    ARBOR_TRY(checkUnprotected(record, reason == TrashReason::Expired ? "expire" : "be deleted"));
    CatalogEdit edit(*this);
    edit.erase(id);
    edit.throwAway(record, reason, now);
    edit.change().branch = id;
    edit.change().timeline = record.timeline;
    return commit(std::move(edit));
}

Result<CatalogChange> Catalog::moveToNewTimeline(const BranchRecord& branch, const ForkSpec& fork,
                                                 TrashReason reason, Timestamp now) {
    ARBOR_ASSIGN(TimelineRecord line, forkOf(fork, now));
    // It goes on along its own line, unless the point lies before its first timeline.
    const TimelineRecord* first = firstOwn(branch.timeline);
    line.beginsBranch = reason != TrashReason::Restored || (first && line.parent < first->id);
    CatalogEdit edit(*this);
    line.id = edit.newTimeline();
    edit.put(line);
    edit.throwAway(branch, reason, now);
    BranchRecord moved = branch;
    moved.timeline = line.id;
    edit.put(moved);
    edit.change().branch = branch.id;
    return commit(std::move(edit));
}

Result<CatalogChange> Catalog::restoreBranch(BranchId id, const ForkSpec& fork, Timestamp now) {
    ARBOR_ASSIGN(const auto record, branch(id));
    ARBOR_TRY(checkUnprotected(record, "be restored"));
    ARBOR_ASSIGN(const auto from, normalise(fork.from));
    if (!isOnLine(record.timeline, from) && !isOwnCheckpoint(id, from))
        return makeError(ErrorKind::Refused, "{} is no point of the history of branch \"{}\"", from.at.lsn,
                         record.name);
    return moveToNewTimeline(record, fork, TrashReason::Restored, now);
}

Result<CatalogChange> Catalog::resetBranch(BranchId id, const ForkSpec& parentHead, Timestamp now) {
    ARBOR_ASSIGN(const auto record, branch(id));
    if (record.isRoot())
        return makeError(ErrorKind::Refused, "branch \"{}\" is a root and has no parent to be reset to",
                         record.name);
    ARBOR_TRY(checkUnprotected(record, "be reset"));
    const BranchRecord* parent = findBranch(record.parent);
    if (!parent)
        return makeError(
            ErrorKind::Refused,
            "branch \"{}\" cannot be reset: its parent \"{}\" is no more; if the trash still holds it, "
            "bring it back first",
            record.name, parentName(record));
    ARBOR_ASSIGN(const auto from, normalise(parentHead.from));
    if (!isOnLine(parent->timeline, from))
        return makeError(ErrorKind::Refused, "{} is no point of the history of branch \"{}\"", from.at.lsn,
                         parent->name);
    return moveToNewTimeline(record, parentHead, TrashReason::Reset, now);
}

Result<CatalogChange> Catalog::setProtected(BranchId id, bool isProtected) {
    return changeBranch(id, [&](BranchRecord& record) -> Status {
        record.isProtected = isProtected;
        if (isProtected)
            record.expiresAt = {};
        return {};
    });
}

Result<CatalogChange> Catalog::setExpiry(BranchId id, Timestamp expiresAt, Timestamp now) {
    return changeBranch(id, [&](BranchRecord& record) -> Status {
        if (expiresAt)
            ARBOR_TRY(checkUnprotected(record, "be given an expiry"));
        if (expiresAt && expiresAt <= now)
            return makeError(ErrorKind::InvalidArgument, "the expiry of branch \"{}\" lies in the past",
                             record.name);
        record.expiresAt = expiresAt;
        return {};
    });
}

Result<CatalogChange> Catalog::setBranchSettings(BranchId id, std::span<const std::string> keys,
                                                 const std::optional<std::string>& value) {
    return changeBranch(id, [&](BranchRecord& record) -> Status {
        for (const std::string& key : keys) {
            if (!value) {
                record.settings.erase(key);
                continue;
            }
            ARBOR_TRY(checkBranchSetting(key, *value));
            record.settings[key] = *value;
        }
        return {};
    });
}

Result<CatalogChange> Catalog::setPort(BranchId id, std::uint16_t port) {
    return changeBranch(id, [&](BranchRecord& record) -> Status {
        if (port != 0 && port != record.port && portInUse(port))
            return makeError(ErrorKind::Refused, "port {} belongs to branch \"{}\"", port,
                             findBranch(m_byPort.at(port))->name);
        record.port = port;
        return {};
    });
}

Result<CatalogChange> Catalog::setShouldRun(BranchId id, bool shouldRun) {
    return changeBranch(id, [&](BranchRecord& record) -> Status {
        record.shouldRun = shouldRun;
        return {};
    });
}

Result<CatalogChange> Catalog::createCheckpoint(BranchId branchId, std::string_view name, TimelinePoint at,
                                                Timestamp now) {
    ARBOR_ASSIGN(const auto owner, branch(branchId));
    ARBOR_TRY(checkCatalogName("checkpoint", name));
    if (const auto taken = checkpoint(branchId, name))
        return makeError(ErrorKind::AlreadyExists, "branch \"{}\" has a checkpoint \"{}\" already{}",
                         owner.name, name,
                         isOnLine(owner.timeline, taken->point)
                             ? "; choose another name"
                             : ", off its line since a restore; delete that one or choose another name");
    if (at.at.position == maxPosition)
        return makeError(ErrorKind::InvalidArgument,
                         "checkpoint \"{}\" needs a position, not the open end of a line", name);
    ARBOR_ASSIGN(const auto point, normalise(at));
    if (!isOnLine(owner.timeline, point))
        return makeError(ErrorKind::Refused, "{} is no point of the history of branch \"{}\"", at.at.lsn,
                         owner.name);
    CatalogEdit edit(*this);
    edit.put(CheckpointRecord{edit.newCheckpoint(), std::string(name), branchId, point, now});
    edit.change().branch = branchId;
    return commit(std::move(edit));
}

Result<CatalogChange> Catalog::deleteCheckpoint(BranchId branchId, std::string_view name) {
    ARBOR_ASSIGN(const auto owner, branch(branchId));
    ARBOR_ASSIGN(const auto record, checkpoint(owner.id, name));
    CatalogEdit edit(*this);
    edit.erase(record.id);
    edit.change().branch = branchId;
    edit.change().checkpoint = record.id;
    return commit(std::move(edit));
}

Result<CatalogChange> Catalog::setSetting(std::string_view key, std::string_view value) {
    ARBOR_TRY(checkStoreSetting(key, value));
    CatalogEdit edit(*this);
    if (setting(key) != value)
        edit.putRaw(catalog_codec::settingKey(key), catalog_codec::encodeText(value));
    return commit(std::move(edit));
}

} // namespace arbor
