// The operation log: what every client asked of the store, and how to take it back.
//
// An entry keeps the records that its operation changed, before and after. Undo puts `before` back, redo puts
// back what undo took, both only if every one of these records is still as the operation left it; otherwise
// the answer is Refused and names the operation that changed it since. What undo does not do:
//  - it never takes back an id, a timeline or the engine's bookkeeping (port, whether a server ran);
//  - it never loses a timeline: what a branch stood on, and would stand on no more, goes into the trash as
//  "undone".
//    So undo of a create moves the branch into the trash, undo of a restore points the branch at its old
//    timeline and keeps the new one in the trash; redo brings them back from there;
//  - what it puts into the trash stays there for the full trash-time from now on, and a branch that it brings
//  back
//    does not expire in the same moment.
// These differences (port, shouldRun, a trash entry's time, an expiry that has passed) do not count as
// changes.
//
// An undo and a redo are entries too. A new operation clears redo: an undo can be redone while no operation
// is newer.
//
//   key   := 'O' id                                            id: big-endian 64 bit
//   value := version kind of undoneBy at client command count (key hasBefore [before] hasAfter [after])*
//
// Guarded by the same mutex as the catalog. The log keeps its newest entries, `limit` of them, in memory and
// on disk.
#pragma once

#include "storage/timelines/catalog.h"

#include <deque>

namespace arbor {

using OperationId = Id<struct OperationTag>;

enum class OperationKind : std::uint8_t { Operation, Undo, Redo };

struct OperationEntry {
    OperationId id;
    OperationKind kind = OperationKind::Operation;
    OperationId of;       // of an undo or a redo: the operation it took back or made again
    OperationId undoneBy; // of an operation: the undo in force, or none
    Timestamp at;
    std::string client;  // who asked: "pgarborctl", "pgarbor", "engine" ...
    std::string command; // as the command line would write it
    std::vector<RecordChange> changes;

    bool isUndone() const { return bool(undoneBy); }
    bool operator==(const OperationEntry&) const = default;
};

// A branch that stands on another timeline after a change (none: it is not there), so that the engine can
// stop and start its server around it.
struct BranchMove {
    BranchId branch;
    std::string name; // before the change, or after where there was none before
    TimelineId before;
    TimelineId after;
    bool operator==(const BranchMove&) const = default;
};
std::vector<BranchMove> branchMoves(const CatalogChange& change);

class OperationLog {
  public:
    static constexpr std::size_t defaultLimit = 1000;
    static constexpr char keyTag = 'O';

    explicit OperationLog(std::size_t limit = defaultLimit) : m_limit(limit) {}

    // Every record whose key begins with 'O', in the order of keys.
    Status loadRecord(std::string_view key, std::string_view value);

    // Enters an operation that was just made; the change returned holds the log's own records and must go
    // into the same batch. An empty change makes no entry.
    CatalogChange record(const CatalogChange& operation, std::string_view client, std::string_view command,
                         Timestamp now);

    // Whether a point can still be read: the engine knows how far the collector has gone. Asked for
    // checkpoints that come back.
    using Readable = std::function<Status(const TimelinePoint&)>;

    // What undo or redo would do, without doing it; for branchMoves() and for people. No id: undo takes the
    // newest operation that is not undone, redo the newest undo.
    Result<CatalogChange> planUndo(const Catalog& catalog, OperationId id, Timestamp now,
                                   const Readable& readable) const;
    Result<CatalogChange> planRedo(const Catalog& catalog, Timestamp now, const Readable& readable) const;

    // Does it in memory, and enters it into the log. The change returned holds the records of both.
    Result<CatalogChange> undo(Catalog& catalog, OperationId id, std::string_view client, Timestamp now,
                               const Readable& readable);
    Result<CatalogChange> redo(Catalog& catalog, std::string_view client, Timestamp now,
                               const Readable& readable);

    // Takes back what the last change did to the log, when its batch could not be written.
    void revert(const CatalogChange& change);

    const std::deque<OperationEntry>& entries() const { return m_entries; } // oldest first
    const OperationEntry* find(OperationId id) const;
    // What undo and redo would take without an id; nothing when there is none.
    const OperationEntry* nextUndo() const;
    const OperationEntry* nextRedo() const;

  private:
    OperationEntry* find(OperationId id);
    Result<const OperationEntry*> toUndo(OperationId id) const;
    Result<const OperationEntry*> toRedo() const;
    // The change that swaps an entry's records back; `what` says "undo" or "redo" in messages.
    Result<CatalogChange> swapBack(const Catalog& catalog, const OperationEntry& entry, std::string_view what,
                                   Timestamp now, const Readable& readable) const;
    std::string whoChanged(std::string_view key, OperationId since) const;
    void append(OperationEntry entry, CatalogChange& change);
    void setUndoneBy(OperationEntry& entry, OperationId undo, CatalogChange& change);
    void applyRecord(const std::string& key, const std::optional<std::string>& value);

    std::size_t m_limit;
    std::deque<OperationEntry> m_entries; // by id
    OperationId m_last;                   // greatest id ever given
};

} // namespace arbor
