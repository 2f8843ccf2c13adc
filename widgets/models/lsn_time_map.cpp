#include "widgets/models/lsn_time_map.h"

#include <algorithm>

namespace arbor {

void LsnTimeMap::setEnds(Point from, Point to) {
    m_from = from;
    m_to = to;
}

void LsnTimeMap::clear() {
    *this = {};
}

void LsnTimeMap::add(std::vector<Point> points) {
    std::erase_if(points, [](const Point& point) { return !point.time; });
    if (points.empty())
        return;
    const auto earlier = [](const Point& a, const Point& b) {
        return a.lsn != b.lsn ? a.lsn < b.lsn : a.time < b.time;
    };
    if (!std::is_sorted(points.begin(), points.end(), earlier))
        std::sort(points.begin(), points.end(), earlier);
    const auto old = static_cast<std::ptrdiff_t>(m_points.size());
    const bool behind = m_points.empty() || m_points.back().lsn < points.front().lsn;
    m_points.insert(m_points.end(), points.begin(), points.end());
    auto touched = m_points.begin();
    if (behind)
        touched += std::max<std::ptrdiff_t>(old - 1, 0);
    else
        std::inplace_merge(m_points.begin(), m_points.begin() + old, m_points.end(), earlier);

    // of equal LSNs the last, and times that never go back
    auto out = touched;
    for (auto point = touched + 1; point != m_points.end(); ++point) {
        point->time = std::max(point->time, out->time);
        if (point->lsn != out->lsn)
            ++out;
        *out = *point;
    }
    m_points.erase(out + 1, m_points.end());
}

std::size_t LsnTimeMap::count() const {
    const bool from = m_from.time && (m_points.empty() || m_from.lsn < m_points.front().lsn);
    const bool to = m_to.time && m_to.lsn > (m_points.empty() ? m_from.lsn : m_points.back().lsn);
    return m_points.size() + (from ? 1 : 0) + (to ? 1 : 0);
}

LsnTimeMap::Point LsnTimeMap::at(std::size_t index) const {
    const bool from = m_from.time && (m_points.empty() || m_from.lsn < m_points.front().lsn);
    if (from && index == 0)
        return m_points.empty() ? m_from : Point{m_from.lsn, std::min(m_from.time, m_points.front().time)};
    index -= from ? 1 : 0;
    if (index < m_points.size())
        return m_points[index];
    const Timestamp last = m_points.empty() ? m_from.time : m_points.back().time;
    return {m_to.lsn, std::max(m_to.time, last)};
}

namespace {

// The first index in [0, count) for which `behind` holds; count when there is none.
template <class Behind>
std::size_t firstBehind(std::size_t count, Behind behind) {
    std::size_t low = 0;
    while (count > 0) {
        const std::size_t half = count / 2;
        if (behind(low + half)) {
            count = half;
        } else {
            low += half + 1;
            count -= half + 1;
        }
    }
    return low;
}

} // namespace

std::optional<Timestamp> LsnTimeMap::timeAt(Lsn lsn) const {
    const std::size_t n = count();
    if (n == 0)
        return std::nullopt;
    const std::size_t next = firstBehind(n, [&](std::size_t i) { return at(i).lsn > lsn; });
    if (next == 0)
        return at(0).time;
    const Point low = at(next - 1);
    if (next == n || low.lsn == lsn)
        return low.time;
    const Point high = at(next);
    const double share = static_cast<double>(lsn - low.lsn) / static_cast<double>(high.lsn - low.lsn);
    return Timestamp{low.time.micros +
                     static_cast<std::int64_t>(share * static_cast<double>((high.time - low.time).micros))};
}

std::optional<Lsn> LsnTimeMap::lsnAt(Timestamp time) const {
    const std::size_t n = count();
    if (n == 0)
        return std::nullopt;
    const std::size_t next = firstBehind(n, [&](std::size_t i) { return at(i).time > time; });
    if (next == 0)
        return at(0).lsn;
    const Point low = at(next - 1);
    if (next == n)
        return low.lsn;
    const Point high = at(next);
    const double share =
        static_cast<double>((time - low.time).micros) / static_cast<double>((high.time - low.time).micros);
    return low.lsn + static_cast<std::uint64_t>(share * static_cast<double>(high.lsn - low.lsn));
}

std::uint64_t LsnTimeMap::bytesBetween(Timestamp from, Timestamp to) const {
    if (empty() || to <= from)
        return 0;
    return *lsnAt(to) - *lsnAt(from);
}

} // namespace arbor
