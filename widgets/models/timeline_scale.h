// The axis that all rows share: bytes of log or microseconds of time, to pixels and back. Plain arithmetic,
// no window.
#pragma once

#include "storage/base/lsn.h"
#include "storage/base/time.h"

#include <QString>

#include <cstdint>
#include <vector>

namespace arbor {

enum class TimelineAxis { Lsn, Time };

// A place on the axis: an LSN or microseconds since 1970, as the axis goes.
using AxisValue = std::int64_t;
constexpr AxisValue axisValue(Lsn lsn) {
    return static_cast<AxisValue>(lsn.value);
}
constexpr AxisValue axisValue(Timestamp time) {
    return time.micros;
}

// Invariants: the view lies inside the domain widened by `margin` on either side, and is never narrower than
// `leastSpan` nor wider than the widened domain.
class TimelineScale {
  public:
    static constexpr double margin = 0.02; // of the domain: what ends at its edge keeps some air
    static constexpr double leastSpan = 64;

    // Everything there is. A view that showed all of the old domain shows all of the new one; any other stays
    // where it is, as far as the new domain allows. An empty domain counts as one unit wide.
    void setDomain(AxisValue from, AxisValue to);
    AxisValue domainFrom() const { return m_domainFrom; }
    AxisValue domainTo() const { return m_domainTo; }

    void setWidth(double pixels); // of the column; at least 1
    double width() const { return m_width; }

    // Pixels from the left edge of the column; exact for places near it however large they are.
    double x(AxisValue value) const;
    AxisValue valueAt(double x) const;
    double unitsPerPixel() const { return m_span / m_width; }

    AxisValue viewFrom() const;
    AxisValue viewTo() const;
    double viewSpan() const { return m_span; }
    bool showsAll() const;

    // factor > 1 looks closer; what is at anchorX stays there.
    void zoom(double factor, double anchorX);
    void pan(double pixels); // positive: towards the later
    void show(AxisValue from, AxisValue to);
    // The same with some air on either side.
    void fit(AxisValue from, AxisValue to);
    void reset();

  private:
    void clamp();
    double marginUnits() const;

    AxisValue m_domainFrom = 0;
    AxisValue m_domainTo = 1;
    double m_width = 1;
    // of the view's left edge, relative to m_domainFrom: differences stay exact where LSNs would not
    double m_start = -margin;
    double m_span = 1 + 2 * margin;
};

struct AxisTick {
    AxisValue value = 0;
    QString label;   // "14:05", "0/3000000"; empty for a tick too close to its neighbour
    QString context; // what the label leaves out ("23 Nov"), at the first tick and wherever it changes
    bool major = false;
};

// Ticks in the visible part, at least `spacing` pixels apart: LSNs at round powers of two, times at round
// local times.
std::vector<AxisTick> lsnTicks(const TimelineScale& scale, double spacing);
std::vector<AxisTick> timeTicks(const TimelineScale& scale, double spacing);

} // namespace arbor
