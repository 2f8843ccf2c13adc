#include "widgets/models/timeline_geometry.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace arbor {

namespace {

constexpr double glyphWidth = 9; // glyphs of one kind nearer than this are drawn as one
constexpr double commitWidth = 4;

// Bytes a second to a shade. Absolute, so that a place looks the same at every zoom.
float shadeOf(double bytes, double seconds) {
    if (bytes <= 0 || seconds <= 0)
        return bytes > 0 ? 1.0F : 0.0F;
    const double decades = std::log10(bytes / seconds / 100); // 100 B/s is next to nothing
    return static_cast<float>(std::clamp(decades / 6, 0.0, 1.0));
}

void shade(RowGeometry& row, const LsnTimeMap& map, const TimelineScale& scale, TimelineAxis axis) {
    const double left = std::max(row.from, 0.0);
    const double right = std::min(row.to, scale.width());
    if (right <= left || map.empty())
        return;
    row.shadeFrom = left;
    const auto buckets = static_cast<std::size_t>(std::ceil((right - left) / RowGeometry::bucket));
    row.shades.reserve(buckets);
    const auto place = [&](std::size_t i) {
        const AxisValue value = scale.valueAt(left + static_cast<double>(i) * RowGeometry::bucket);
        if (axis == TimelineAxis::Lsn) {
            const Lsn lsn{static_cast<std::uint64_t>(std::max<AxisValue>(value, 0))};
            return std::pair(lsn, *map.timeAt(lsn));
        }
        return std::pair(*map.lsnAt(Timestamp{value}), Timestamp{value});
    };
    auto before = place(0);
    for (std::size_t i = 1; i <= buckets; ++i) {
        const auto next = place(i);
        const double bytes = next.first > before.first ? static_cast<double>(next.first - before.first) : 0;
        row.shades.push_back(shadeOf(bytes, static_cast<double>((next.second - before.second).micros) / 1e6));
        before = next;
    }
}

// Walks the marks of one kind from left to right, at most one every `width` pixels.
class MarkWalk {
  public:
    MarkWalk(std::uint64_t branchId, MarkKind kind, double width, const MarksStore& marks,
             const TimelineScale& scale, TimelineAxis axis)
        : m_branchId(branchId), m_kind(kind), m_width(width), m_marks(marks), m_scale(scale), m_axis(axis),
          m_map(marks.timeMap(branchId)) {}

    // visit(x, several); false from it ends the walk.
    template <class Visit>
    void run(double left, double right, Visit visit) {
        Lsn from = lsnBehind(left, Lsn{0});
        while (const auto entry = m_marks.firstAtOrAfter(m_branchId, m_kind, from)) {
            const auto value = axisValueOf(entry->lsn, m_map, m_axis);
            if (!value)
                return;
            const double x = m_scale.x(*value);
            if (x > right)
                return;
            const Lsn next = lsnBehind(x + m_width, entry->lsn + 1);
            const auto neighbour = m_marks.firstAtOrAfter(m_branchId, m_kind, entry->lsn + 1);
            if (!visit(x, neighbour && neighbour->lsn < next))
                return;
            from = next;
        }
    }

  private:
    // The first LSN at or behind a pixel, `least` or more.
    Lsn lsnBehind(double x, Lsn least) const {
        const auto lsn = lsnAtAxis(m_scale.valueAt(x), m_map, m_axis);
        return lsn ? std::max(*lsn, least) : least;
    }

    std::uint64_t m_branchId;
    MarkKind m_kind;
    double m_width;
    const MarksStore& m_marks;
    const TimelineScale& m_scale;
    TimelineAxis m_axis;
    const LsnTimeMap& m_map;
};

void placeCommits(RowGeometry& row, std::uint64_t branchId, const MarksStore& marks,
                  const TimelineScale& scale, TimelineAxis axis) {
    const double left = std::max(row.from, 0.0);
    const double right = std::min(row.to, scale.width());
    bool dense = false;
    MarkWalk(branchId, MarkKind::Commit, commitWidth, marks, scale, axis)
        .run(left, right, [&](double x, bool several) {
            dense = several;
            row.commits.push_back(x);
            return !dense;
        });
    if (dense)
        row.commits.clear();
}

} // namespace

std::optional<AxisValue> axisValueOf(Lsn lsn, const LsnTimeMap& map, TimelineAxis axis) {
    if (axis == TimelineAxis::Lsn)
        return axisValue(lsn);
    const auto time = map.timeAt(lsn);
    return time ? std::optional(axisValue(*time)) : std::nullopt;
}

std::optional<Lsn> lsnAtAxis(AxisValue value, const LsnTimeMap& map, TimelineAxis axis) {
    if (axis == TimelineAxis::Lsn)
        return Lsn{static_cast<std::uint64_t>(std::max<AxisValue>(value, 0))};
    return map.lsnAt(Timestamp{value});
}

RowGeometry rowGeometry(const BranchRow& row, const MarksStore& marks, const TimelineScale& scale,
                        TimelineAxis axis) {
    RowGeometry result;
    const bool byLsn = axis == TimelineAxis::Lsn;
    const auto place = [&](Lsn lsn, Timestamp time) {
        return scale.x(byLsn ? axisValue(lsn) : axisValue(time));
    };
    result.from = place(row.forkLsn, row.forkTime ? row.forkTime : row.createdAt);
    result.to = std::max(result.from, place(row.headLsn, row.headTime ? row.headTime : row.forkTime));
    result.goneTo = row.historyFromLsn > row.forkLsn
                        ? std::min(place(row.historyFromLsn, row.historyFromTime), result.to)
                        : result.from;
    if (result.to < 0 || result.from > scale.width())
        return result;
    shade(result, marks.timeMap(row.id), scale, axis);
    placeCommits(result, row.id, marks, scale, axis);
    constexpr std::array paintOrder{
        MarkKind::PostgresCheckpoint, MarkKind::Start,      MarkKind::Stop, MarkKind::Fork,
        MarkKind::RestorePoint,       MarkKind::Checkpoint, MarkKind::Drop};
    const double left = std::max(result.from, 0.0) - glyphWidth;
    const double right = std::min(result.to, scale.width()) + glyphWidth;
    for (const MarkKind kind : paintOrder)
        MarkWalk(row.id, kind, glyphWidth, marks, scale, axis).run(left, right, [&](double x, bool several) {
            result.glyphs.push_back({kind, x, several});
            return true;
        });
    return result;
}

std::optional<Mark> snapToMark(std::uint64_t branchId, double x, double reach, const MarksStore& marks,
                               const TimelineScale& scale, TimelineAxis axis, MarkKindSet kinds) {
    const LsnTimeMap& map = marks.timeMap(branchId);
    std::optional<Mark> best;
    double bestDistance = reach;
    constexpr std::array byWeight{
        MarkKind::Checkpoint, MarkKind::Drop,  MarkKind::RestorePoint, MarkKind::Fork,
        MarkKind::Commit,     MarkKind::Start, MarkKind::Stop,         MarkKind::PostgresCheckpoint};
    const auto here = lsnAtAxis(scale.valueAt(x), map, axis);
    if (!here)
        return best;
    for (const MarkKind kind : byWeight) {
        if ((kinds & markBit(kind)) == 0)
            continue;
        if (kind == MarkKind::Commit && best)
            break; // commits stand everywhere: one under the pointer must not hide what has a name
        for (const auto& mark : {marks.previous(branchId, *here + 1, markBit(kind)),
                                 marks.next(branchId, *here, markBit(kind))}) {
            if (!mark)
                continue;
            const auto value = axisValueOf(mark->lsn, map, axis);
            const double distance = value ? std::abs(scale.x(*value) - x) : reach + 1;
            if (distance > reach || (best && distance >= bestDistance - 1))
                continue;
            best = mark;
            bestDistance = distance;
        }
    }
    return best;
}

std::vector<double> overviewBytes(const std::vector<const BranchRow*>& rows, const MarksStore& marks,
                                  const TimelineScale& scale, TimelineAxis axis, std::size_t buckets) {
    // differences first, sums at the end: a stretch costs the same however long it is
    std::vector<double> slope(buckets + 1, 0.0);
    std::vector<double> result(buckets, 0.0);
    const double units = static_cast<double>(scale.domainTo() - scale.domainFrom());
    const auto spread = [&](AxisValue fromValue, AxisValue toValue, double bytes) {
        const auto position = [&](AxisValue value) {
            return std::clamp(static_cast<double>(value - scale.domainFrom()) / units, 0.0, 1.0) *
                   static_cast<double>(buckets);
        };
        const double from = position(fromValue);
        const double to = position(toValue);
        const auto first = std::min(static_cast<std::size_t>(from), buckets - 1);
        const auto last = std::min(static_cast<std::size_t>(to), buckets - 1);
        if (first == last) {
            result[first] += bytes;
            return;
        }
        const double each = bytes / (to - from);
        result[first] += each * (static_cast<double>(first) + 1 - from);
        result[last] += each * (to - static_cast<double>(last));
        slope[first + 1] += each;
        slope[last] -= each;
    };
    for (const BranchRow* row : rows) {
        if (axis == TimelineAxis::Lsn) {
            if (row->headLsn > row->forkLsn)
                spread(axisValue(row->forkLsn), axisValue(row->headLsn),
                       static_cast<double>(row->headLsn - row->forkLsn));
            continue;
        }
        LsnTimeMap::Point before{row->forkLsn, row->forkTime};
        const auto advance = [&](LsnTimeMap::Point point) {
            if (before.time && point.lsn > before.lsn && point.time >= before.time)
                spread(axisValue(before.time), axisValue(point.time),
                       static_cast<double>(point.lsn - before.lsn));
            before = point;
        };
        for (const LsnTimeMap::Point& point : marks.timeMap(row->id).points())
            advance(point);
        advance({row->headLsn, row->headTime});
    }
    double sum = 0;
    for (std::size_t i = 0; i < buckets; ++i) {
        sum += slope[i];
        result[i] += sum;
    }
    return result;
}

} // namespace arbor
