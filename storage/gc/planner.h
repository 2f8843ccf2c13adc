// What a collection would do, exactly, without doing it: bytes by who needs them, and what a sweep would
// free.
//
//   private + shared + history + garbage + unknown == total, the bytes of all segments, to the byte
//
// Page images are counted here; wal_retention.h says who needs the log, and add() counts it into the same
// accounts.
#pragma once

#include "storage/gc/walk.h"

#include <map>
#include <memory>
#include <set>

namespace arbor {

struct GcPolicy {
    // A segment is a victim when at least this part of it is garbage: dead * denominator >= size * numerator.
    std::uint32_t garbageNumerator = 1;
    std::uint32_t garbageDenominator = 4;

    bool isVictim(std::uint64_t size, std::uint64_t liveBytes) const {
        return liveBytes < size && (size - liveBytes) * garbageDenominator >= size * garbageNumerator;
    }
};

struct SegmentUse {
    std::uint64_t size = 0;
    std::uint64_t liveBytes = 0;    // images that somebody needs
    std::uint64_t indexedBytes = 0; // images that the index refers to
    bool isHeld = false;            // by the input, or by entries newer than its listing: never a victim
};

struct GcPlan {
    struct PinUse {
        std::uint64_t onlyBytes = 0;    // needed by this pin alone
        std::uint64_t privateBytes = 0; // of a head: needed by no other head
    };
    struct OwnerUse {
        std::uint64_t onlyBytes = 0;      // needed by pins of this owner alone: frees if deleted
        std::uint64_t inheritedBytes = 0; // of these, what it keeps on timelines of others
        std::uint64_t privateBytes = 0;   // of its heads
    };
    struct TimelineUse {
        std::uint32_t depth = 0; // number of ancestors
        std::uint64_t versions = 0;
        std::uint64_t bytes = 0; // of its images that the index refers to
        std::uint64_t neededBytes = 0;
    };
    struct FileUse {                    // when asked for
        std::uint64_t privateBytes = 0; // as of the plan, or of the one owner that was asked about
        std::uint64_t sharedBytes = 0;
        std::uint64_t historyBytes = 0; // no head needs them
    };
    struct IndexUse {
        std::uint64_t entries = 0; // page and size versions, attributes, cuts, names, position maps
        std::uint64_t garbage = 0; // of these, needed by nobody
    };

    std::uint64_t totalBytes = 0;
    std::uint64_t privateBytes = 0; // needed by exactly one head
    std::uint64_t pinnedBytes = 0;  // of these, images on the timeline of another branch, which moved on
    std::uint64_t sharedBytes = 0;  // by more than one
    std::uint64_t historyBytes = 0; // by no head, but by another pin
    std::uint64_t windowBytes = 0;  // of these, what a history window needs,
    std::uint64_t trashBytes = 0;   // and what nothing but the trash needs
    std::uint64_t garbageBytes = 0; // by nobody
    std::uint64_t unknownBytes = 0; // cannot be told because of the doubts
    std::vector<PinUse> pins;       // as the input's
    std::map<BranchId, OwnerUse> owners;
    std::map<TimelineId, TimelineUse> timelines;
    std::map<InodeId, FileUse> files; // of Planner::countFiles()
    IndexUse index;
    std::map<SegmentId, SegmentUse> segments;
    std::vector<SegmentId> victims; // ascending
    std::uint64_t freeBytes = 0;    // what sweeping the victims gives back; 0 when there are doubts
    std::vector<std::string> doubts;

    // Counts bytes by who needs them; `inherited` when they lie on another timeline than the owner's.
    void add(std::uint64_t bytes, const Need& need, const GcInput& input, const NeedModel& model,
             bool inherited);
};

// One thread. Stepwise, so that a plan of a great store can be given up.
class Planner final : private GroupVisitor {
  public:
    // `segments` must have been listed before the last sync began (then nothing in them is unknown to the
    // index but garbage). The index and the input must outlive the planner.
    static Result<std::unique_ptr<Planner>> make(const Index& index,
                                                 const std::map<SegmentId, std::uint64_t>& segments,
                                                 const GcInput& input, const GcPolicy& policy = {});
    // Before the first step: images are also counted by file, those of one owner alone (what goes with it:
    // no shared bytes then) or, without an owner, all.
    void countFiles(BranchId owner);
    // Looks at one group. false: it has seen all.
    Result<bool> step() { return m_walk.step(); }
    // Once, after the last step.
    GcPlan finish();

  private:
    Planner(const Index& index, const std::map<SegmentId, std::uint64_t>& segments, const GcInput& input,
            NeedModel model, const GcPolicy& policy);
    void pages(const PageGroup& group) override;
    void inode(const InodeGroup& group) override;
    void directory(const DirectoryGroup& group) override;
    void positionMap(const PositionMapGroup& group) override;
    void doubt(std::string what) override;
    SegmentUse* useOf(const PageGroup::Version& version);
    void account(std::uint64_t bytes, const Need& need, TimelineId timeline);
    void countFile(InodeId inode, std::uint64_t bytes, const Need& need);
    void countEntry(bool stays);

    const GcInput& m_input;
    const GcPolicy m_policy;
    const NeedModel m_model;
    GcPlan m_plan;
    std::set<TimelineId> m_headLines;     // with a live head
    std::vector<TimelineId> m_ownerLines; // by number: where its head stands
    std::vector<GcPlan::OwnerUse> m_ownerUse;
    bool m_countFiles = false;
    std::uint32_t m_filesOwner = Need::none; // none: all
    std::uint64_t m_deadBytes = 0;           // indexed, needed by nobody, no doubt
    SegmentId m_lastSegment;
    SegmentUse* m_lastUse = nullptr;
    GroupWalk m_walk; // uses the members above
};

Result<GcPlan> planGc(const Index& index, const std::map<SegmentId, std::uint64_t>& segments,
                      const GcInput& input, const GcPolicy& policy = {});

} // namespace arbor
