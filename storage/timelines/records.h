// What the catalog remembers, one struct a kind of record. Plain data: rules live in catalog.h, bytes in
// codec.h.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/lsn.h"
#include "storage/base/time.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace arbor {

using CheckpointId = Id<struct CheckpointTag>;
using TrashId = Id<struct TrashTag>;

// Where a timeline is forked: its storage up to and with `position`, its log up to `lsn`.
struct ForkPoint {
    Position position;
    Lsn lsn;
    auto operator<=>(const ForkPoint&) const = default;
    // This point is not beyond `limit`, neither in storage nor in the log.
    constexpr bool within(const ForkPoint& limit) const {
        return position <= limit.position && lsn <= limit.lsn;
    }
};
// The present end of a timeline, which only the engine knows: beyond every real point.
inline constexpr ForkPoint headPoint{maxPosition, Lsn{UINT64_MAX}};

struct TimelinePoint {
    TimelineId timeline;
    ForkPoint at;
    auto operator<=>(const TimelinePoint&) const = default;
};

struct TimelineRecord {
    TimelineId id;
    TimelineId parent; // none: a root. Always a smaller id, so a lineage cannot run in a circle
    ForkPoint fork;    // on the parent; zero for a root
    TimelineId root;   // the root it descends from; itself for a root
    std::uint32_t pgMajor = 0;
    std::uint32_t walSegmentSize = 0;
    Timestamp createdAt;
    InodeId rootInode;             // of its data directory; another one for every timeline
    bool parentWasRunning = false; // at the fork: unlogged tables start empty
    bool neverStarted = true;      // no server ran on it yet
    // Its fork point is where a branch left the line of another one, and stays readable as a whole while that
    // branch lives or lies in the trash. False where a branch goes on behind a restore, and for timelines
    // that were made before this was recorded.
    bool beginsBranch = false;
    auto operator<=>(const TimelineRecord&) const = default;
};

struct BranchRecord {
    BranchId id;
    std::string name;
    TimelineId timeline;
    BranchId parent; // none: a root. Survives restore, reset and the parent's own deletion
    bool isProtected = false;
    Timestamp expiresAt; // 0: never
    Timestamp createdAt;
    std::map<std::string, std::string> settings; // what differs from the defaults (settings.h)

    // The engine's own bookkeeping. Not part of any operation: undo leaves them as they are.
    std::uint16_t port = 0;
    bool shouldRun = false; // a server ran when the engine last looked: start it again after a restart

    bool isRoot() const { return !parent; }
    auto operator<=>(const BranchRecord&) const = default;
};

struct CheckpointRecord {
    CheckpointId id;
    std::string name; // unique within the branch, on the line or off it
    BranchId branch;  // live or in the trash
    TimelinePoint point;
    Timestamp createdAt;
    auto operator<=>(const CheckpointRecord&) const = default;
};

enum class TrashReason : std::uint8_t { Deleted, Restored, Reset, Expired, Undone };
inline constexpr std::array<std::string_view, 5> trashReasonNames{"deleted", "restored", "reset", "expired",
                                                                  "undone"};
constexpr std::string_view trashReasonName(TrashReason reason) {
    return trashReasonNames[static_cast<std::size_t>(reason)];
}

// A branch as it was when it, or the timeline it stood on, was thrown away.
struct TrashRecord {
    TrashId id;
    BranchRecord branch;
    TrashReason reason = TrashReason::Deleted;
    Timestamp since;
    auto operator<=>(const TrashRecord&) const = default;
};

// The next id of each kind. They only grow; undo leaves them alone.
struct IdCounters {
    std::uint64_t timeline = 1;
    std::uint64_t branch = 1;
    std::uint64_t checkpoint = 1;
    std::uint64_t trash = 1;
    auto operator<=>(const IdCounters&) const = default;
};

} // namespace arbor
