#include "widgets/views/timeline_state.h"

#include <algorithm>
#include <cmath>

namespace arbor {

namespace {
const std::vector<TimelineRange> noRanges;
constexpr int cachedRows = 2000;
} // namespace

TimelineState::TimelineState(QObject* parent) : QObject(parent) {
    m_refresh.setSingleShot(true);
    m_refresh.setInterval(0);
    connect(&m_refresh, &QTimer::timeout, this, [this] {
        updateDomain();
        updateCursor();
        Q_EMIT viewChanged();
        Q_EMIT dataChanged();
    });
}

void TimelineState::setSources(BranchTreeModel* model, MarksStore* marks) {
    m_model = model;
    m_marks = marks;
    const auto later = [this] {
        if (!m_refresh.isActive())
            m_refresh.start();
    };
    connect(model, &QAbstractItemModel::dataChanged, this,
            [later](const QModelIndex& first, const QModelIndex& last) {
                if (first.column() != last.column() || first.column() != BranchTreeModel::Head)
                    later(); // an age that grew is no news
            });
    connect(model, &QAbstractItemModel::rowsInserted, this, later);
    connect(model, &QAbstractItemModel::rowsRemoved, this, later);
    connect(model, &QAbstractItemModel::modelReset, this, later);
    connect(model, &QAbstractItemModel::layoutChanged, this, later);
    connect(marks, &MarksStore::changed, this, later);
    connect(marks, &MarksStore::cleared, this, later);
    updateDomain();
}

void TimelineState::updateDomain() {
    if (!m_model)
        return;
    bool any = false;
    Lsn from{UINT64_MAX};
    Lsn to;
    Timestamp early{INT64_MAX};
    Timestamp late;
    m_model->forEachBranch([&](const BranchRow& row) {
        any = true;
        from = std::min(from, row.forkLsn);
        to = std::max(to, row.headLsn);
        if (const Timestamp born = row.forkTime ? row.forkTime : row.createdAt)
            early = std::min(early, born);
        late = std::max(late, row.headTime);
    });
    if (!any)
        return;
    m_lsnScale.setDomain(axisValue(from), axisValue(to));
    late = std::max(late, m_now);
    if (early.micros != INT64_MAX && late)
        m_timeScale.setDomain(axisValue(early), axisValue(late));
    m_cache.clear();
}

void TimelineState::scaleChanged() {
    m_cache.clear();
    Q_EMIT viewChanged();
}

void TimelineState::setAxis(TimelineAxis axis) {
    if (axis == m_axis || !m_marks)
        return;
    const TimelineScale& old = scale();
    const LsnTimeMap& map = m_marks->timeMap(referenceBranch());
    const bool all = old.showsAll();
    const auto other = [&](AxisValue value) -> std::optional<AxisValue> {
        if (axis == TimelineAxis::Time)
            return axisValueOf(Lsn{static_cast<std::uint64_t>(std::max<AxisValue>(value, 0))}, map, axis);
        const auto lsn = map.lsnAt(Timestamp{value});
        return lsn ? std::optional(axisValue(*lsn)) : std::nullopt;
    };
    const auto from = other(old.viewFrom());
    const auto to = other(old.viewTo());
    m_axis = axis;
    if (all || !from || !to || *from >= *to)
        current().reset();
    else
        current().show(*from, *to);
    scaleChanged();
    Q_EMIT dataChanged();
    Q_EMIT cursorChanged();
}

void TimelineState::setWidth(double pixels) {
    if (m_lsnScale.width() == pixels)
        return;
    m_lsnScale.setWidth(pixels);
    m_timeScale.setWidth(pixels);
    scaleChanged();
}

void TimelineState::zoom(double factor, double anchorX) {
    current().zoom(factor, anchorX);
    scaleChanged();
}

void TimelineState::pan(double pixels) {
    current().pan(pixels);
    scaleChanged();
}

void TimelineState::show(AxisValue from, AxisValue to) {
    current().show(from, to);
    scaleChanged();
}

void TimelineState::resetView() {
    current().reset();
    scaleChanged();
}

void TimelineState::fitBranch(std::uint64_t branchId) {
    const BranchRow* row = m_model ? m_model->branch(branchId) : nullptr;
    if (row == nullptr)
        return;
    if (m_axis == TimelineAxis::Lsn)
        current().fit(axisValue(row->forkLsn), axisValue(row->headLsn));
    else
        current().fit(axisValue(row->forkTime ? row->forkTime : row->createdAt), axisValue(row->headTime));
    scaleChanged();
}

// Whichever branch wrote something then: none of them knows of the others' log when it was.
std::optional<TimelineState::Times> TimelineState::timesInView() const {
    if (m_axis == TimelineAxis::Time)
        return Times{Timestamp{scale().valueAt(0)}, Timestamp{scale().valueAt(scale().width())}};
    if (!m_model || !m_marks)
        return std::nullopt;
    Times times{Timestamp{INT64_MAX}, Timestamp{}};
    if (scale().showsAll())
        times = {Timestamp{m_timeScale.domainFrom()}, std::max(Timestamp{m_timeScale.domainTo()}, m_now)};
    else
        m_model->forEachBranch([&](const BranchRow& row) {
            const AxisValue from = std::max(axisValue(row.forkLsn), scale().viewFrom());
            const AxisValue to = std::min(axisValue(row.headLsn), scale().viewTo());
            const LsnTimeMap& map = m_marks->timeMap(row.id);
            if (from < to && !map.empty()) {
                times.from = std::min(times.from, *map.timeAt(Lsn{static_cast<std::uint64_t>(from)}));
                times.to = std::max(times.to, *map.timeAt(Lsn{static_cast<std::uint64_t>(to)}));
            }
        });
    return times.from < times.to ? std::optional(times) : std::nullopt;
}

void TimelineState::showTimes(Times times) {
    if (m_axis == TimelineAxis::Time)
        return show(axisValue(times.from), axisValue(times.to));
    Lsn from{UINT64_MAX}, to;
    m_model->forEachBranch([&](const BranchRow& row) {
        const LsnTimeMap& map = m_marks->timeMap(row.id);
        const auto first = map.lsnAt(times.from), last = map.lsnAt(times.to);
        if (first && last && *first < *last) {
            from = std::min(from, *first);
            to = std::max(to, *last);
        }
    });
    if (from < to)
        show(axisValue(from), axisValue(to));
}

std::uint64_t TimelineState::referenceBranch() const {
    if (m_cursor)
        return m_cursor->branchId;
    std::uint64_t oldest = 0;
    if (m_model)
        m_model->forEachBranch([&](const BranchRow& row) {
            if (row.root && (oldest == 0 || row.id < oldest))
                oldest = row.id;
        });
    return oldest;
}

std::optional<double> TimelineState::xOf(std::uint64_t branchId, Lsn lsn) const {
    if (!m_marks)
        return std::nullopt;
    const auto value = axisValueOf(lsn, m_marks->timeMap(branchId), m_axis);
    return value ? std::optional(scale().x(*value)) : std::nullopt;
}

double TimelineState::forkX(const BranchRow& row) const {
    if (m_axis == TimelineAxis::Lsn)
        return scale().x(axisValue(row.forkLsn));
    return scale().x(axisValue(row.forkTime ? row.forkTime : row.createdAt));
}

std::optional<Lsn> TimelineState::lsnAt(std::uint64_t branchId, double x) const {
    const BranchRow* row = m_model ? m_model->branch(branchId) : nullptr;
    if (row == nullptr || !m_marks)
        return std::nullopt;
    const auto lsn = lsnAtAxis(scale().valueAt(x), m_marks->timeMap(branchId), m_axis);
    if (!lsn)
        return row->headLsn;
    return std::clamp(*lsn, row->forkLsn, std::max(row->forkLsn, row->headLsn));
}

const RowGeometry& TimelineState::geometry(const BranchRow& row) {
    const std::uint64_t marks = m_marks->generation(row.id);
    if (m_cache.size() > cachedRows)
        m_cache.clear();
    Cached& cached = m_cache[row.id];
    if (cached.marks != marks + 1 || cached.head != row.headLsn || cached.fork != row.forkLsn ||
        cached.history != row.historyFromLsn || cached.headTime != row.headTime)
        cached = {rowGeometry(row, *m_marks, scale(), m_axis),
                  marks + 1,
                  row.headLsn,
                  row.forkLsn,
                  row.historyFromLsn,
                  row.headTime};
    return cached.geometry;
}

// -- the cursor -------------------------------------------------------------------------------------------

TimelinePosition TimelineState::position(const BranchRow& row, Lsn lsn) const {
    TimelinePosition at{row.id, lsn, {}, m_marks->at(row.id, lsn, snapMarks), lsn == row.headLsn};
    at.time = m_marks->timeMap(row.id).timeAt(lsn).value_or(Timestamp{});
    if (at.mark && at.mark->time)
        at.time = at.mark->time;
    return at;
}

void TimelineState::setCursor(std::uint64_t branchId, Lsn lsn) {
    const BranchRow* row = m_model ? m_model->branch(branchId) : nullptr;
    if (row == nullptr || !m_marks)
        return;
    const TimelinePosition next = position(*row, lsn);
    if (m_cursor == next)
        return;
    m_cursor = next;
    Q_EMIT cursorChanged();
}

void TimelineState::setCursorAt(std::uint64_t branchId, double x, bool snap) {
    const auto free = lsnAt(branchId, x);
    if (!free)
        return;
    if (snap) {
        const BranchRow* row = m_model->branch(branchId);
        if (const auto head = xOf(branchId, row->headLsn); head && std::abs(*head - x) <= snapReach / 2) {
            setCursor(branchId, row->headLsn);
            return;
        }
        if (const auto mark = snapToMark(branchId, x, snapReach, *m_marks, scale(), m_axis)) {
            setCursor(branchId, mark->lsn);
            return;
        }
    }
    setCursor(branchId, *free);
}

void TimelineState::clearCursor() {
    if (!m_cursor)
        return;
    m_cursor.reset();
    Q_EMIT cursorChanged();
}

bool TimelineState::stepCursor(std::uint64_t branchId, bool forward) {
    const BranchRow* row = m_model ? m_model->branch(branchId) : nullptr;
    if (row == nullptr || !m_marks)
        return false;
    const bool here = m_cursor && m_cursor->branchId == branchId;
    const Lsn from = here ? m_cursor->lsn : (forward ? row->forkLsn : row->headLsn + 1);
    const auto mark =
        forward ? m_marks->next(branchId, from, snapMarks) : m_marks->previous(branchId, from, snapMarks);
    if (mark) {
        setCursor(branchId, mark->lsn);
        return true;
    }
    const Lsn end = forward ? row->headLsn : row->forkLsn;
    const bool moves = !here || m_cursor->lsn != end;
    setCursor(branchId, end);
    return moves;
}

// A restore or a deletion may have taken the place from under it.
void TimelineState::updateCursor() {
    if (!m_cursor)
        return;
    const BranchRow* row = m_model->branch(m_cursor->branchId);
    if (row == nullptr)
        clearCursor();
    else
        setCursor(row->id, std::clamp(m_cursor->lsn, Lsn{0}, std::max(row->headLsn, row->forkLsn)));
}

// -- what else is drawn -----------------------------------------------------------------------------------

void TimelineState::setRanges(std::vector<TimelineRange> ranges) {
    m_ranges.clear();
    for (const TimelineRange& range : ranges)
        m_ranges[range.branchId].push_back(range);
    Q_EMIT viewChanged();
}

const std::vector<TimelineRange>& TimelineState::ranges(std::uint64_t branchId) const {
    const auto found = m_ranges.constFind(branchId);
    return found == m_ranges.cend() ? noRanges : *found;
}

void TimelineState::setHistoryEdge(std::optional<Timestamp> edge) {
    m_historyEdge = edge;
    Q_EMIT viewChanged();
}

std::optional<double> TimelineState::historyEdgeX() const {
    if (!m_historyEdge || !m_marks)
        return std::nullopt;
    if (m_axis ==
        TimelineAxis::Time) // of a store younger than its window: where everything begins, as by LSN
        return scale().x(std::max(axisValue(*m_historyEdge), scale().domainFrom()));
    const auto lsn = m_marks->timeMap(referenceBranch()).lsnAt(*m_historyEdge);
    return lsn ? std::optional(scale().x(axisValue(*lsn))) : std::nullopt;
}

std::optional<Timestamp> TimelineState::timeAtX(double x) const {
    const AxisValue value = scale().valueAt(x);
    if (m_axis == TimelineAxis::Time)
        return Timestamp{value};
    return m_marks ? m_marks->timeMap(referenceBranch())
                         .timeAt(Lsn{static_cast<std::uint64_t>(std::max<AxisValue>(value, 0))})
                   : std::nullopt;
}

void TimelineState::setNow(Timestamp now) {
    m_now = now;
    if (axisValue(now) <= m_timeScale.domainTo())
        return;
    // in steps: each one repaints everything
    const double step = m_timeScale.viewSpan() / m_timeScale.width();
    if (static_cast<double>(axisValue(now) - m_timeScale.domainTo()) < step)
        return;
    m_timeScale.setDomain(m_timeScale.domainFrom(), axisValue(now));
    if (m_axis == TimelineAxis::Time)
        scaleChanged();
}

} // namespace arbor
