// Carries a plan out: entries that nobody needs leave the index, live images leave the victims, the victims
// leave the disk. The steps and what a crash after each leaves stand in the README.
//
// Invariants
//  1. A segment is removed only when the index, as it is on disk, refers to nothing in it; and nothing refers
//  to
//     it later, because everything that was ever appended to it was in the index before that was looked at.
//  2. An image is moved byte for byte, and durable at its new place before the index points there.
//  3. What cannot be read is not touched: an image keeps its segment, a doubt about the index keeps them all.
//  4. One step does a bounded piece of work and leaves the store consistent; giving up is not calling again.
#pragma once

#include "storage/gc/edits.h"
#include "storage/gc/planner.h"
#include "storage/pages/segment_store.h"

#include <memory>
#include <set>
#include <span>

namespace arbor {

// What a sweep needs of the engine. Called on the sweeping thread, with no lock held.
class SweepHost {
  public:
    virtual ~SweepHost() = default;

    // Everything that was accepted before the call is in the index on return.
    virtual Status sync() = 0;
    // Makes durable what was appended to the segments, then writes the batch with a marker, as one synced
    // batch and not at the same time as a sync. After an error the store takes no more writes.
    virtual Status commit(IndexBatch& batch) = 0;
    // Images were moved, and the index knows: every page map of every view that has the file follows. On
    // return no map leads to the old place (a map that is being filled meanwhile is waited for); readers that
    // looked up before are told NotFound by the segment and look up again.
    virtual void repoint(InodeId inode, std::span<const PageVersion> moves) = 0;
    // Images that only memory knows lie in this segment, which takes no more appends.
    virtual bool isHeld(SegmentId) const { return false; }
    virtual bool isCancelled() const { return false; }
    // So many bytes were moved: waits as long as the pace asks.
    virtual void throttle(std::uint64_t) {}

    // What the file system that holds the store has free.
    virtual Result<std::uint64_t> freeBytes() = 0;
    // The store's reserve, for the case that there is no space to make space with.
    virtual Status spendReserve() = 0;
    virtual Status restoreReserve() = 0;
};

struct SweepReport {
    GcPlan plan; // what was set out to be done
    std::uint64_t entriesRemoved = 0;
    std::uint64_t movedBytes = 0;
    std::uint64_t removedBytes = 0; // sizes of segments removed
    std::vector<SegmentId> removed;
    bool cancelled = false;
    bool outOfSpace = false; // victims are left because their live images have nowhere to go
    bool spentReserve = false;
    // What stayed because it could not be read, a sentence each.
    std::vector<std::string> problems;

    std::uint64_t freedBytes() const { return removedBytes > movedBytes ? removedBytes - movedBytes : 0; }
};

class Sweeper {
  public:
    struct Options {
        GcPolicy policy;
        std::uint64_t segmentBytes = 64u << 20; // as the segment store's
        std::size_t moveBytes = 8u << 20;       // images moved in one batch
        std::size_t batchBytes = 512u << 10;    // edits of the index in one batch
        std::size_t groupsAStep = 64;           // looked at in one step
        std::uint64_t roundBytes = 1u << 30;    // live bytes of the victims of one round
        std::uint64_t marginBytes = 32u << 20;  // the index must find free before it is written
    };

    // The input must have been taken, and the horizon it stands for committed, before this is called; index,
    // segments and host outlive the sweeper. One sweep of a store at a time.
    Sweeper(const Index& index, SegmentStore& segments, SweepHost& host, GcInput input,
            const Options& options);
    ~Sweeper();

    // false: it is over, and report() says what came of it. After an error it is over too.
    Result<bool> step();
    const SweepReport& report() const { return m_report; }
    // For people: "planning", "cleaning", "moving" ...
    std::string_view phaseName() const;

  private:
    enum class Phase { Begin, Plan, Unreferenced, Clean, Choose, Move, RemoveRound, Finish, Done };
    struct MoveGroup { // a chunk whose images are being moved
        PageGroup pages;
        std::vector<std::size_t> toMove; // versions, by block and position
        std::size_t at = 0;
    };

    Status begin();
    Status plan();
    Status settlePlan();
    Status removeUnreferenced();
    Status clean();
    Status finishCleaning();
    Status choose();
    Status moveSome();
    Result<bool> nextMoveGroup();
    Result<bool> moveImage(MoveGroup& group, PageGroup::Version& version, std::vector<PageVersion>& moves);
    void putChangedRuns(const MoveGroup& group, std::size_t from, IndexBatch& batch) const;
    Status removeRound();
    Status finish();

    Status commitEdits();
    Result<bool> hasSpace();
    Status spendReserve();
    Result<std::uint64_t> movableBytes();
    Status remove(const std::vector<SegmentId>& segments);
    bool mayRemove(SegmentId segment) const;
    void stopForSpace();

    const Index& m_index;
    SegmentStore& m_segments;
    SweepHost& m_host;
    const GcInput m_input;
    const Options m_options;
    Phase m_phase = Phase::Begin;
    SweepReport m_report;

    bool m_hasSealed = false;
    std::set<SegmentId> m_candidates; // took no more appends before the sync that the plan relies on
    std::unique_ptr<Planner> m_planner;
    std::unique_ptr<NeedModel> m_model;
    EditMaker m_edits;
    std::unique_ptr<GroupWalk> m_walk;

    std::map<SegmentId, std::uint64_t> m_victims; // that are left, with the live bytes in them
    std::map<SegmentId, std::uint64_t> m_round;   // of these, those that are being emptied: bytes left
    std::set<SegmentId> m_spared;                 // with an image that cannot be read
    std::unique_ptr<TagCursor> m_cursor;
    std::string m_moveFrom; // where the cursor goes on
    std::unique_ptr<MoveGroup> m_group;
    bool m_noSpace = false; // the last append found none
};

} // namespace arbor
