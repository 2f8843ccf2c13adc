// The catalog: branches, the timelines under them, checkpoints, trash and settings of a store.
//
// It is the whole catalog in memory and nothing else: no I/O, no clock, no thread of its own. The caller (the
// engine) guards it with one mutex, hands in the time, and writes the CatalogChange that each operation
// returns as part of its next synced batch. An operation checks everything first; one that answers an error
// has changed nothing. When the batch cannot be written, revert() takes the change back.
//
// Invariants (verify() checks them all):
//  1. Live branches have different names; the checkpoints of one branch have different names, on the line or
//  off.
//  2. A timeline is the head of one live branch, or of one trash entry, or of neither (then it is an unnamed
//     ancestor, or nothing reaches it); never of two.
//  3. A timeline's parent has a smaller id, and a fork point lies on the timeline that owns it: beyond that
//     timeline's own fork point (see normalise()).
//  4. A timeline record never changes but for "a server ran on it"; restore and reset make a new one.
//  5. Ids are given once. Counters only grow, also through undo.
//  6. The branch of a checkpoint is live or in the trash.
//  7. A protected branch has no expiry.
//
// Costs: a look-up or an operation is O(log n) in the number of branches, plus the length of the lineage
// where one is walked, plus the checkpoints of the one branch where it loses its last name. No operation
// touches the records of siblings or children.
#pragma once

#include "storage/base/status.h"
#include "storage/timelines/change.h"
#include "storage/timelines/records.h"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

namespace arbor {

struct RootSpec {
    std::string name;
    TimelineId timeline; // from reserveTimeline(), or none for a new one
    std::uint32_t pgMajor = 0;
    std::uint32_t walSegmentSize = 0;
    InodeId rootInode;
};

// Where a fork begins, and what the engine knows about the new timeline.
struct ForkSpec {
    TimelinePoint from; // need not be normalised
    InodeId rootInode;
    bool parentWasRunning = false;
};

struct BranchOptions {
    Timestamp expiresAt;    // 0: never
    std::uint16_t port = 0; // 0: none yet
    std::map<std::string, std::string> settings;
};

// One stretch of a lineage: what a reader of the first timeline sees of this one.
struct LineageStep {
    TimelineId timeline;
    ForkPoint upTo; // headPoint for the first
    bool operator==(const LineageStep&) const = default;
};

struct CheckpointView {
    CheckpointRecord record;
    bool onLine = false; // false: a restore or reset left it behind
};

class CatalogEdit;

class Catalog {
  public:
    // --- Loading: every record whose key begins with 'C', in any order, then finishLoad(). Corruption names
    // the record that is damaged. Dangling references are verify()'s business, so that a damaged store can be
    // looked at.
    Status loadRecord(std::string_view key, std::string_view value);
    Status finishLoad();

    // Takes a change back, or makes it again, in memory. Only for the newest change.
    void apply(const CatalogChange& change);
    void revert(const CatalogChange& change);
    // The record as it is stored now.
    std::optional<std::string> encoded(std::string_view key) const;

    // --- Looking things up. Pointers are good until the next operation.
    const BranchRecord* findBranch(BranchId id) const;
    const BranchRecord* findBranch(std::string_view name) const;
    Result<BranchRecord> branch(std::string_view name) const; // NotFound, in words
    Result<BranchRecord> branch(BranchId id) const;
    std::size_t branchCount() const { return m_branches.size(); }
    std::vector<const BranchRecord*> branches() const; // by name
    std::vector<BranchId> childBranches(BranchId id) const;
    bool knows(BranchId id) const;    // it is live or in the trash
    bool isParent(BranchId id) const; // a branch, live or in the trash, calls it its parent
    // The name of a branch's parent for people: "main", "(deleted) main", or "" for a root.
    std::string parentName(const BranchRecord& branch) const;
    bool portInUse(std::uint16_t port) const { return m_byPort.contains(port); }

    const TimelineRecord* findTimeline(TimelineId id) const;
    Result<TimelineRecord> timeline(TimelineId id) const;
    std::vector<TimelineId> childTimelines(TimelineId id) const;
    std::size_t timelineCount() const { return m_timelines.size(); }
    // No id from there on was ever given out.
    TimelineId nextTimeline() const { return {m_counters.timeline}; }
    // The live branch that stands on a timeline, or nothing.
    const BranchRecord* branchOn(TimelineId id) const;
    const TrashRecord* trashOn(TimelineId id) const;

    Result<CheckpointRecord> checkpoint(BranchId branch, std::string_view name) const;
    const CheckpointRecord* findCheckpoint(CheckpointId id) const;
    std::vector<CheckpointView> checkpoints(BranchId branch) const; // by name
    std::vector<const CheckpointRecord*> allCheckpoints() const;    // by id

    const TrashRecord* findTrash(TrashId id) const;
    std::vector<const TrashRecord*> trash() const;              // newest first
    std::vector<const TrashRecord*> trashOf(BranchId id) const; // oldest first
    // The newest entry under that name; NotFound in words.
    Result<TrashRecord> newestTrash(std::string_view name) const;

    // --- Lineages
    // From the timeline itself to its root. Ends early at a timeline that is not there.
    std::vector<LineageStep> lineage(TimelineId id) const;
    // Who owns a position that a reader of `id` sees: `id` or one of its ancestors.
    TimelineId timelineAt(TimelineId id, Position position) const;
    // The same point, said of the timeline that owns it: a point that is not beyond a timeline's fork point,
    // in storage and in the log, is one of its parent's. The log decides too: a timeline on which only log
    // was written since its fork has a head of its own. InvalidArgument when position and LSN contradict each
    // other.
    Result<TimelinePoint> normalise(TimelinePoint point) const;
    // The oldest timeline that the branch on `head` has not in common with the branch that it was forked
    // from; nothing for a root, and for a branch that was made before this was recorded.
    const TimelineRecord* firstOwn(TimelineId head) const;
    // Where that one was forked: the branch left another's line there, however often it was restored since.
    std::optional<TimelinePoint> branchPoint(TimelineId head) const;
    // What stays readable outside of every history window: checkpoints, and branchPoint() of all branches,
    // live or in the trash.
    std::vector<TimelinePoint> pinnedPoints() const;
    // A reader of `head` sees the (normalised) point.
    bool isOnLine(TimelineId head, const TimelinePoint& point) const;

    // What branches, trash and checkpoints reach, with all ancestors.
    std::set<TimelineId> timelinesInUse() const;
    // The others, children before parents: the order in which they can be removed.
    std::vector<TimelineId> unreachableTimelines() const;

    // --- What is due
    std::vector<BranchId> dueExpiries(Timestamp now) const;
    std::vector<TrashId> dueTrash(Timestamp now) const; // longer there than trash-time

    // --- Settings
    std::string setting(std::string_view key) const; // the standard one unless set; "" for an unknown key
    Duration durationSetting(std::string_view key) const;
    std::uint64_t sizeSetting(std::string_view key) const;
    // The branch's own, else the store's of that name, else the standard one.
    std::string branchSetting(const BranchRecord& branch, std::string_view key) const;

    // --- Operations of users. For a name that is taken AlreadyExists, for a name that breaks the rules
    // InvalidArgument, for what a rule forbids Refused, for what is not there NotFound. An operation that
    // finds everything as it should be returns an empty change.
    Result<CatalogChange> createRoot(const RootSpec& spec, Timestamp now);
    // The fork point must be on the line of the parent branch, or one of its checkpoints.
    Result<CatalogChange> createBranch(std::string_view name, BranchId parent, const ForkSpec& fork,
                                       const BranchOptions& options, Timestamp now);
    Result<CatalogChange> renameBranch(BranchId id, std::string_view newName);
    // Into the trash at once. Children stay, and what they need stays with them.
    Result<CatalogChange> deleteBranch(BranchId id, Timestamp now, TrashReason reason = TrashReason::Deleted);
    // The branch gets a new timeline forked from its own line (or from one of its checkpoints that a restore
    // left behind) and keeps parent, port and settings; the timeline it had goes into the trash under the
    // branch's name.
    Result<CatalogChange> restoreBranch(BranchId id, const ForkSpec& fork, Timestamp now);
    // The same from the head of its parent branch. Refused for a root.
    Result<CatalogChange> resetBranch(BranchId id, const ForkSpec& parentHead, Timestamp now);
    // A protected branch refuses delete, restore, reset and expiry. Protecting lifts an expiry.
    Result<CatalogChange> setProtected(BranchId id, bool isProtected);
    Result<CatalogChange> setExpiry(BranchId id, Timestamp expiresAt, Timestamp now); // 0: never
    // One value for each of the keys; none: the standard one.
    Result<CatalogChange> setBranchSettings(BranchId id, std::span<const std::string> keys,
                                            const std::optional<std::string>& value);
    Result<CatalogChange> setBranchSetting(BranchId id, std::string key,
                                           const std::optional<std::string>& value) {
        return setBranchSettings(id, {&key, 1}, value);
    }
    Result<CatalogChange> createCheckpoint(BranchId branch, std::string_view name, TimelinePoint at,
                                           Timestamp now);
    Result<CatalogChange> deleteCheckpoint(BranchId branch, std::string_view name);
    // The branch comes back as it was, under `asName` if one is given. It keeps its id unless the branch of
    // that id lives on (an entry that a restore left): then it becomes a branch of its own and takes along
    // the checkpoints that only its line sees.
    Result<CatalogChange> restoreFromTrash(TrashId id, Timestamp now, std::string_view asName = {});
    Result<CatalogChange> setSetting(std::string_view key, std::string_view value);

    // --- Bookkeeping: not operations, not undone.
    // Gone for good, with the checkpoints that only this entry's line saw.
    Result<CatalogChange> purgeTrash(TrashId id);
    // Refused unless nothing reaches it and it has no child.
    Result<CatalogChange> removeTimeline(TimelineId id);
    // An id for a root whose files are written before it is announced by createRoot.
    CatalogChange reserveTimeline();
    Result<CatalogChange> markStarted(TimelineId id);
    Result<CatalogChange> setPort(BranchId id, std::uint16_t port); // 0: none
    Result<CatalogChange> setShouldRun(BranchId id, bool shouldRun);

    // The catalog as it would be without these branches (and, if asked, without any trash): for a collector's
    // plan of changes not yet made. Protection is no obstacle to a thought.
    Result<Catalog> without(std::span<const BranchId> branches, bool noTrash) const;

    // What is wrong, a sentence each; empty when all is well.
    std::vector<std::string> verify() const;

  private:
    friend class CatalogEdit;

    Status applyRecord(std::string_view key, const std::optional<std::string>& value);
    Status store(const TimelineRecord& record);
    Status store(const BranchRecord& record);
    Status store(const CheckpointRecord& record);
    Status store(const TrashRecord& record);
    void drop(TimelineId id);
    void drop(BranchId id);
    void drop(CheckpointId id);
    void drop(TrashId id);

    CatalogChange commit(CatalogEdit&& edit);
    Result<TimelineRecord> forkOf(const ForkSpec& fork, Timestamp now) const; // without an id
    Result<CatalogChange> moveToNewTimeline(const BranchRecord& branch, const ForkSpec& fork,
                                            TrashReason reason, Timestamp now);
    Status checkNameFree(std::string_view name) const;
    Status checkUnprotected(const BranchRecord& branch, std::string_view what) const;
    bool isOwnCheckpoint(BranchId branch, const TimelinePoint& point) const;
    bool isHead(TimelineId id) const; // of a live branch or a trash entry
    // Checkpoints that are lost to a branch id when this trash entry goes: on no line of a live branch or
    // another trash entry of that id.
    std::vector<CheckpointRecord> checkpointsOnlyOn(const TrashRecord& entry) const;
    template <class Change>
    Result<CatalogChange> changeBranch(BranchId id, Change change);
    void verifyTimelines(std::vector<std::string>& wrong) const;
    void verifyBranch(const BranchRecord& branch, std::string_view what,
                      std::vector<std::string>& wrong) const;
    void verifyCheckpoints(std::vector<std::string>& wrong) const;
    void verifyHeads(std::vector<std::string>& wrong) const;

    IdCounters m_counters;
    std::unordered_map<TimelineId, TimelineRecord> m_timelines;
    std::unordered_map<BranchId, BranchRecord> m_branches;
    std::map<CheckpointId, CheckpointRecord> m_checkpoints;
    std::map<TrashId, TrashRecord> m_trash;
    std::map<std::string, std::string, std::less<>> m_settings;
    std::unordered_map<BranchId, std::string> m_goneNames; // parents that are gone for good and still named

    // Indexes over the above
    std::set<std::pair<TimelineId, TimelineId>> m_childTimelines; // parent, child
    std::map<std::string, BranchId, std::less<>> m_byName;
    std::unordered_map<TimelineId, BranchId> m_byTimeline;
    std::unordered_map<std::uint16_t, BranchId> m_byPort;
    std::set<std::pair<BranchId, BranchId>> m_childBranches;  // parent, live child
    std::set<std::pair<BranchId, TrashId>> m_childrenInTrash; // parent, trash entry of a child
    std::set<std::pair<Timestamp, BranchId>> m_expiries;      // those that have one
    std::map<std::pair<BranchId, std::string>, CheckpointId> m_checkpointNames;
    std::set<std::pair<TimelineId, CheckpointId>> m_checkpointTimelines;
    std::set<std::tuple<std::string, Timestamp, TrashId>> m_trashNames;
    std::set<std::pair<Timestamp, TrashId>> m_trashTimes;
    std::set<std::pair<BranchId, TrashId>> m_trashBranches; // the branch thrown away, its entries
    std::unordered_map<TimelineId, TrashId> m_trashTimelines;
};

} // namespace arbor
