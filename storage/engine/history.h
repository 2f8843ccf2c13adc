// What the engine remembers of a timeline's past beside the catalog: from where on it can be read, and what
// its log lost in a crash. And the map from log positions to positions.
#pragma once

#include "storage/base/status.h"
#include "storage/disk/index.h"
#include "storage/format/runs.h"
#include "storage/timelines/records.h"

#include <string>
#include <string_view>
#include <vector>

namespace arbor {

// Key 'H' timeline. value := count (point varint(to))* count point*, with point := varint(position)
// varint(lsn)
struct TimelineHistory {
    // Every position in one of these can be read; others only at pins. Ascending, apart from each other. The
    // last is that of the timeline's own head; those before it are of branches that left it earlier.
    struct Stretch {
        ForkPoint from;
        Position to = maxPosition; // inclusive
        bool operator==(const Stretch&) const = default;
    };
    std::vector<Stretch> kept{{}};
    // Positions up to `position` have at most this LSN: the log behind it was lost.
    struct Clamp {
        Position position;
        Lsn lsn;
        bool operator==(const Clamp&) const = default;
    };
    std::vector<Clamp> clamps; // ascending in position

    ForkPoint start() const { return kept.empty() ? headPoint : kept.front().from; }
    bool keeps(const ForkPoint& point) const;
    // Where the history begins for somebody who sees the timeline up to `upTo` and wants it from `wanted` on:
    // from there to `upTo` everything is kept.
    ForkPoint earliestFor(const ForkPoint& wanted, const ForkPoint& upTo) const;
    Lsn clamped(const PositionLsn& entry) const;
    bool operator==(const TimelineHistory&) const = default;
};
std::string historyKey(TimelineId timeline);
std::string encodeHistory(const TimelineHistory& history);
Result<TimelineHistory> decodeHistory(std::string_view value);

// The last position of `timeline`, at most `upTo`, whose LSN is not beyond `lsn`. Reads the index: what is
// not synced is not seen.
Result<Position> lastPositionAtLsn(const Index& index, TimelineId timeline, const TimelineHistory& history,
                                   Lsn lsn, Position upTo);
// The LSN of a position: that of the newest entry at or before it; `before` when there is none.
Result<Lsn> lsnAtPosition(const Index& index, TimelineId timeline, const TimelineHistory& history,
                          Position position, Lsn before);
// What is known of a position: its LSN, and when the sync was that made it durable.
struct PositionTime {
    Lsn lsn;
    Timestamp at; // 0: not known
};
Result<PositionTime> positionTime(const Index& index, TimelineId timeline, const TimelineHistory& history,
                                  Position position, Lsn before);
// The last position that was synced at or before a time; position 0 when there is none.
Result<ForkPoint> pointAtTime(const Index& index, TimelineId timeline, Timestamp time);

} // namespace arbor
