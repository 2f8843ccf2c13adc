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

// Key 'H' timeline. value := point varint(end) point count point*, with point := varint(position) varint(lsn)
struct TimelineHistory {
    // Every position in [start, end], and every one from `resume` on, can be read; others only at pins. The
    // second stretch is that of the timeline's own head; the first, where they differ, that of branches which
    // left it earlier and have a longer history.
    ForkPoint start;
    Position end = maxPosition;
    ForkPoint resume;
    // Positions up to `position` have at most this LSN: the log behind it was lost (DESIGN 4.3).
    struct Clamp {
        Position position;
        Lsn lsn;
        bool operator==(const Clamp&) const = default;
    };
    std::vector<Clamp> clamps; // ascending in position

    bool keeps(const ForkPoint& point) const;
    // Where the history begins for somebody who sees the timeline up to `upTo`, and who wants it from `wanted`
    // on.
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
// The last position that was synced at or before a time; position 0 when there is none.
Result<ForkPoint> pointAtTime(const Index& index, TimelineId timeline, Timestamp time);

} // namespace arbor
