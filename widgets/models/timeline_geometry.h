// What of a branch's bar is drawn where: pixels, no painter and no window. All x are within the timeline
// column.
#pragma once

#include "widgets/models/branch_row.h"
#include "widgets/models/marks_store.h"
#include "widgets/models/timeline_scale.h"

#include <optional>
#include <vector>

namespace arbor {

// A stretch of a branch's history with something to say about it.
struct TimelineRange {
    enum class Kind {
        Pinned,      // older than the history window, kept by a child branch or a checkpoint at its end
        Reclaimable, // a sweep would free it
    };
    Kind kind = Kind::Pinned;
    std::uint64_t branchId = 0; // whose bar
    Lsn from;
    Lsn to;
    std::uint64_t pinnedBy = 0; // the child, whose colour outlines it; 0: a checkpoint
    bool operator==(const TimelineRange&) const = default;
};

struct RowGeometry {
    static constexpr double bucket = 3; // pixels of one step of shading

    double from = 0; // of the bar; may lie outside the column on either side
    double to = 0;
    double goneTo = 0;           // history before it is gone; <= from: nothing is
    double shadeFrom = 0;        // where the first bucket begins
    std::vector<float> shades;   // 0 (nothing written) to 1 (100 MB of log a second and more)
    std::vector<double> commits; // empty where they would touch each other: the shading tells then
    struct Glyph {
        MarkKind kind;
        double x;
        bool several; // more of the kind follow within the glyph
    };
    std::vector<Glyph> glyphs; // in the order to paint them: what says most last
};

// Where an LSN of a branch stands on the axis; the branch's own map says when it was. Nothing on the time
// axis when no time is known.
std::optional<AxisValue> axisValueOf(Lsn lsn, const LsnTimeMap& map, TimelineAxis axis);
// The reverse, for a place inside the branch's life.
std::optional<Lsn> lsnAtAxis(AxisValue value, const LsnTimeMap& map, TimelineAxis axis);

// Costs O(pixels * log marks), however many marks there are.
RowGeometry rowGeometry(const BranchRow& row, const MarksStore& marks, const TimelineScale& scale,
                        TimelineAxis axis);

// The mark nearest to x within `reach` pixels, the one that says more when two are equally near (within a
// pixel).
std::optional<Mark> snapToMark(std::uint64_t branchId, double x, double reach, const MarksStore& marks,
                               const TimelineScale& scale, TimelineAxis axis, MarkKindSet kinds = snapMarks);

// WAL bytes of all branches in each of `buckets` equal parts of the scale's domain.
std::vector<double> overviewBytes(const std::vector<const BranchRow*>& rows, const MarksStore& marks,
                                  const TimelineScale& scale, TimelineAxis axis, std::size_t buckets);

} // namespace arbor
