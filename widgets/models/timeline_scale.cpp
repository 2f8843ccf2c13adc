#include "widgets/models/timeline_scale.h"

#include <algorithm>
#include <cmath>

namespace arbor {

double TimelineScale::marginUnits() const {
    return margin * static_cast<double>(m_domainTo - m_domainFrom);
}

bool TimelineScale::showsAll() const {
    const double domain = static_cast<double>(m_domainTo - m_domainFrom);
    const double slack = domain * 1e-9;
    return m_start <= slack && m_start + m_span >= domain - slack;
}

void TimelineScale::setDomain(AxisValue from, AxisValue to) {
    to = std::max(to, from + 1);
    const bool all = showsAll();
    m_start += static_cast<double>(m_domainFrom - from); // the view keeps its place
    m_domainFrom = from;
    m_domainTo = to;
    if (all)
        reset();
    else
        clamp();
}

void TimelineScale::setWidth(double pixels) {
    m_width = std::max(pixels, 1.0);
}

double TimelineScale::x(AxisValue value) const {
    return (static_cast<double>(value - m_domainFrom) - m_start) * (m_width / m_span);
}

AxisValue TimelineScale::valueAt(double x) const {
    return m_domainFrom + static_cast<AxisValue>(std::llround(m_start + x * (m_span / m_width)));
}

AxisValue TimelineScale::viewFrom() const {
    return m_domainFrom + static_cast<AxisValue>(std::floor(m_start));
}

AxisValue TimelineScale::viewTo() const {
    return m_domainFrom + static_cast<AxisValue>(std::ceil(m_start + m_span));
}

void TimelineScale::zoom(double factor, double anchorX) {
    const double anchor = m_start + anchorX * unitsPerPixel();
    const double most = static_cast<double>(m_domainTo - m_domainFrom) + 2 * marginUnits();
    m_span = std::clamp(m_span / factor, std::min(leastSpan, most), most);
    m_start = anchor - anchorX * unitsPerPixel();
    clamp();
}

void TimelineScale::pan(double pixels) {
    m_start += pixels * unitsPerPixel();
    clamp();
}

void TimelineScale::show(AxisValue from, AxisValue to) {
    m_start = static_cast<double>(from - m_domainFrom);
    m_span = static_cast<double>(std::max(to, from + 1) - from);
    clamp();
}

void TimelineScale::fit(AxisValue from, AxisValue to) {
    const double air = 0.06 * static_cast<double>(std::max<AxisValue>(to - from, 1));
    m_start = static_cast<double>(from - m_domainFrom) - air;
    m_span = static_cast<double>(std::max<AxisValue>(to - from, 1)) + 2 * air;
    clamp();
}

void TimelineScale::reset() {
    m_start = -marginUnits();
    m_span = static_cast<double>(m_domainTo - m_domainFrom) + 2 * marginUnits();
}

void TimelineScale::clamp() {
    const double domain = static_cast<double>(m_domainTo - m_domainFrom);
    const double most = domain + 2 * marginUnits();
    const double middle = m_start + m_span / 2;
    const double span = std::clamp(m_span, std::min(leastSpan, most), most);
    if (span != m_span)
        m_start = middle - span / 2;
    m_span = span;
    m_start = std::clamp(m_start, -marginUnits(), domain + marginUnits() - m_span);
}

} // namespace arbor
