// What a collection goes by: the timelines of the catalog, and the pins that keep positions of them readable.
//
// The caller takes it in one moment, from the catalog and what is open, and may change it before it asks for
// a plan ("without these branches, with one day of history"). Everything in storage/gc is a function of this
// input and of the index.
//
// Whoever sweeps by it must let nobody read a position that it does not pin. So every timeline that is
// written to or may be forked has a window that begins no later than the moment the input was taken, also
// with no history at all: a fork made during the sweep then lies within it.
#pragma once

#include "storage/base/ids.h"
#include "storage/timelines/pins.h"

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace arbor {

struct GcTimeline {
    TimelineId id;
    TimelineId parent; // none: a root; always a smaller id
    Position fork;     // on the parent
};

// Keeps every position of [from, to] on a timeline readable. A point has from == to. What of it lies at or
// before the timeline's fork point is said of its ancestors, as a reader on the timeline would see it there.
// What children read of their parents follows from the tree; PinKind::Child keeps the whole of the point
// where a branch left another one's line, also what it has overwritten since.
struct GcPin {
    PinKind kind = PinKind::Checkpoint;
    std::string name;
    std::string branch; // for people
    // Pins of one owner count as one where it is asked what goes if the owner goes. None: alone.
    BranchId owner;
    TimelineId timeline;
    Position from;
    Position to;
    // The same for people, where they are known (a head: Lsn{UINT64_MAX}).
    Lsn fromLsn = {};
    Lsn toLsn = {};

    // Everything in the trash counts as one owner: what goes when it is emptied.
    static constexpr BranchId trash{UINT64_MAX};

    // A head reads what is there now and whatever comes.
    static GcPin head(std::string name, BranchId owner, TimelineId timeline) {
        return {PinKind::Head, name, name, owner, timeline, maxPosition, maxPosition};
    }
    static GcPin point(PinKind kind, std::string name, BranchId owner, TimelineId timeline, Position at) {
        return {kind, std::move(name), {}, owner, timeline, at, at};
    }
    // Every position from `start` on.
    static GcPin window(std::string name, BranchId owner, TimelineId timeline, Position start) {
        return {PinKind::Window, name, name, owner, timeline, start, maxPosition};
    }
};

struct GcInput {
    std::vector<GcTimeline> timelines; // in any order
    std::vector<GcPin> pins;
    // Timelines from this id on were made after the input was taken: all of theirs stays. Timelines below
    // that are not listed are gone: none of theirs stays. Until it is set, none is gone.
    TimelineId firstUnseen{1};
    // Segments with images that only memory knows (a removed file that is still open): never victims.
    std::set<SegmentId> heldSegments;
};

// The input that a catalog and its pins (staticPins(), and those of readers) make at the moment `now`, the
// store's last position. The pieces of a window along a lineage become one pin, and a live branch whose
// window begins later than `now`, or that has none, gets one from `now` on; a pin of the trash begins there
// too. `beingMade` are timelines that are written to and not yet in the catalog (Catalog::reserveTimeline()):
// all of theirs stays.
GcInput makeGcInput(const Catalog& catalog, const std::vector<Pin>& pins, Position now,
                    std::span<const TimelineId> beingMade = {});

} // namespace arbor
