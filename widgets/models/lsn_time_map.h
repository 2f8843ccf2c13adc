// When an LSN of one branch was written, and which LSN a time had: linear between known points.
#pragma once

#include "storage/base/lsn.h"
#include "storage/base/time.h"

#include <optional>
#include <vector>

namespace arbor {

// Invariants: points are in strictly ascending order of LSN, and their times never descend (a clock that was
// set back is held at the latest time seen, as the cursor must not jump).
class LsnTimeMap {
  public:
    struct Point {
        Lsn lsn;
        Timestamp time;
    };

    // The two ends of what is mapped, a branch's fork and head. Only ends with a time count, and only where
    // they lie outside the points: a head that is older than the last point says nothing.
    void setEnds(Point from, Point to);
    // In any order, among those that are there; of two with one LSN the later time counts. Points without a
    // time are left out. O(1) each when they come in order behind the last one.
    void add(std::vector<Point> points);
    void clear();

    bool empty() const { return count() == 0; }
    // Those that were added, without the ends.
    const std::vector<Point>& points() const { return m_points; }

    // Outside the known points: the first or last one's. Nothing when there are no points.
    std::optional<Timestamp> timeAt(Lsn lsn) const;
    // The greatest LSN that had been written by then.
    std::optional<Lsn> lsnAt(Timestamp time) const;
    // WAL bytes written between the two times.
    std::uint64_t bytesBetween(Timestamp from, Timestamp to) const;

  private:
    std::size_t count() const;
    Point at(std::size_t index) const; // ends included

    std::vector<Point> m_points;
    Point m_from;
    Point m_to;
};

} // namespace arbor
