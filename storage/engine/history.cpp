#include "storage/engine/history.h"

#include "storage/format/coding.h"
#include "storage/format/keys.h"

#include <algorithm>

namespace arbor {

std::string historyKey(TimelineId timeline) {
    std::string key(1, tag::history);
    appendAscending(key, timeline.value);
    return key;
}

std::string encodeHistory(const TimelineHistory& history) {
    std::string value;
    Encoder out(value);
    out.varint(history.kept.size());
    for (const TimelineHistory::Stretch& stretch : history.kept)
        out.varint(stretch.from.position.value).varint(stretch.from.lsn.value).varint(stretch.to.value);
    out.varint(history.clamps.size());
    for (const TimelineHistory::Clamp& clamp : history.clamps)
        out.varint(clamp.position.value).varint(clamp.lsn.value);
    return value;
}

Result<TimelineHistory> decodeHistory(std::string_view value) {
    Decoder in(value);
    TimelineHistory history;
    history.kept.clear();
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
        TimelineHistory::Stretch stretch;
        stretch.from.position.value = in.varint();
        stretch.from.lsn.value = in.varint();
        stretch.to.value = in.varint();
        history.kept.push_back(stretch);
    }
    const std::uint64_t count = in.varint();
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        const std::uint64_t position = in.varint();
        history.clamps.push_back({{position}, {in.varint()}});
    }
    if (!in.done())
        return makeError(ErrorKind::Corruption, "the history record of a timeline cannot be read");
    return history;
}

bool TimelineHistory::keeps(const ForkPoint& point) const {
    return std::any_of(kept.begin(), kept.end(), [&](const Stretch& stretch) {
        return stretch.from.position <= point.position && stretch.from.lsn <= point.lsn &&
               point.position <= stretch.to;
    });
}

ForkPoint TimelineHistory::earliestFor(const ForkPoint& wanted, const ForkPoint& upTo) const {
    if (wanted.position > upTo.position)
        return wanted; // it lies on a timeline further down
    for (const Stretch& stretch : kept)
        if (stretch.from.within(upTo) && upTo.position <= stretch.to)
            return std::max(stretch.from, wanted);
    return upTo;
}

Lsn TimelineHistory::clamped(const PositionLsn& entry) const {
    Lsn lsn = entry.lsn;
    for (const Clamp& clamp : clamps)
        if (entry.position <= clamp.position)
            lsn = std::min(lsn, clamp.lsn);
    return lsn;
}

namespace {

// Walks the runs of one timeline's map of positions.
class MapWalk {
  public:
    MapWalk(const Index& index, TimelineId timeline) : m_timeline(timeline), m_iterator(index.iterate()) {}

    // Stands on the last run that begins at or before a position; false when there is none. There is always a
    // key behind the map of positions: the marker.
    Result<bool> seekBefore(Position position) {
        m_iterator->seek(positionMapKey(m_timeline, {position.value + 1}));
        if (m_iterator->valid())
            m_iterator->previous();
        return read();
    }
    const PositionMapRun& run() const { return m_run; }

  private:
    Result<bool> read() {
        ARBOR_TRY(m_iterator->status());
        const auto key = m_iterator->valid() ? parsePositionMapKey(m_iterator->key()) : std::nullopt;
        if (!key || key->first != m_timeline)
            return false;
        ARBOR_ASSIGN(m_run, decodePositionMap(key->second, m_iterator->value()));
        return true;
    }

    const TimelineId m_timeline;
    std::unique_ptr<IndexIterator> m_iterator;
    PositionMapRun m_run;
};

} // namespace

Result<Position> lastPositionAtLsn(const Index& index, TimelineId timeline, const TimelineHistory& history,
                                   Lsn lsn, Position upTo) {
    // LSNs do not fall along positions: halve until the first entry beyond `lsn` is found
    MapWalk walk(index, timeline);
    Position low{0}; // everything up to here is not beyond lsn
    Position high = upTo;
    while (low < high) {
        const Position middle{low.value + (high.value - low.value + 1) / 2};
        ARBOR_ASSIGN(const bool found, walk.seekBefore(middle));
        if (!found) {
            low = middle;
            continue;
        }
        const auto& entries = walk.run().entries;
        const PositionLsn* beyond = nullptr;
        const PositionLsn* at = nullptr;
        for (const PositionLsn& entry : entries) {
            if (entry.position > middle)
                break;
            if (history.clamped(entry) > lsn) {
                beyond = &entry;
                break;
            }
            at = &entry;
        }
        if (beyond == nullptr)
            low = middle;
        else if (at != nullptr)
            return Position{beyond->position.value - 1}; // the border lies within this run
        else
            high = {beyond->position.value - 1};
    }
    return low;
}

Result<Lsn> lsnAtPosition(const Index& index, TimelineId timeline, const TimelineHistory& history,
                          Position position, Lsn before) {
    ARBOR_ASSIGN(const PositionTime known, positionTime(index, timeline, history, position, before));
    return known.lsn;
}

Result<PositionTime> positionTime(const Index& index, TimelineId timeline, const TimelineHistory& history,
                                  Position position, Lsn before) {
    MapWalk walk(index, timeline);
    ARBOR_ASSIGN(const bool found, walk.seekBefore(position));
    PositionTime known{before, {}};
    if (!found)
        return known;
    known.at = walk.run().at;
    for (const PositionLsn& entry : walk.run().entries)
        if (entry.position <= position)
            known.lsn = history.clamped(entry);
    return known;
}

Result<ForkPoint> pointAtTime(const Index& index, TimelineId timeline, Timestamp time) {
    MapWalk walk(index, timeline);
    Position low{0};
    Position high{UINT64_MAX - 1};
    ForkPoint best;
    while (low < high) {
        const Position middle{low.value + (high.value - low.value + 1) / 2};
        ARBOR_ASSIGN(const bool found, walk.seekBefore(middle));
        if (!found) {
            low = middle;
            continue;
        }
        const PositionMapRun& run = walk.run();
        if (run.at <= time) {
            best = {run.entries.back().position, run.entries.back().lsn};
            low = middle;
        } else {
            high = {run.entries.front().position.value - 1};
        }
    }
    return best;
}

} // namespace arbor
