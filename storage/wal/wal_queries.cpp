#include "storage/wal/wal_mark_keys.h"

#include <algorithm>

namespace arbor {

namespace {

// Below this distance reading the log is as quick as another look at the marks.
constexpr std::uint64_t closeEnough = 512u << 10;

} // namespace

WalMarks::WalMarks(const MarkStore& marks, std::vector<Span> lineage, WalChain& chain,
                   const WalFormat& format, Lsn from, ScanState head)
    : m_marks(marks), m_lineage(std::move(lineage)), m_chain(chain), m_format(format), m_from(from),
      m_head(head) {}

std::string WalMarks::encodeSample(const Sample& sample) {
    std::string out;
    Encoder(out).string(sample.state.encode()).varint(sample.leastXid).varint(sample.mostXid);
    return out;
}

std::optional<WalMarks::Sample> WalMarks::decodeSample(std::string_view bytes) {
    Decoder in(bytes);
    const auto state = ScanState::decode(in.string());
    Sample sample;
    sample.leastXid = in.varint();
    sample.mostXid = in.varint();
    if (!state || !in.done())
        return {};
    sample.state = *state;
    return sample;
}

std::string WalMarks::encodeMark(const WalMark& mark) {
    std::string value;
    Encoder out(value);
    out.byte(static_cast<std::uint8_t>(mark.kind))
        .varint(mark.end - mark.start)
        .varint(mark.end - mark.before)
        .varint(mark.xid)
        .zigzag(mark.time.micros)
        .varint(mark.redo.value)
        .varint(mark.tli)
        .varint(mark.database)
        .string(mark.name)
        .varint(mark.removedFiles)
        .varint(mark.removed.size());
    for (const RelationFile& file : mark.removed)
        out.varint(file.tablespace).varint(file.database).varint(file.relation);
    return value;
}

std::optional<WalMark> WalMarks::decodeMark(Lsn end, std::string_view bytes) {
    Decoder in(bytes);
    const auto oid = [&] { return static_cast<std::uint32_t>(in.varint()); };
    WalMark mark;
    mark.end = end;
    mark.kind = static_cast<WalEventKind>(in.byte());
    mark.start = {end.value - in.varint()};
    mark.before = {end.value - in.varint()};
    mark.xid = in.varint();
    mark.time = {in.zigzag()};
    mark.redo = {in.varint()};
    mark.tli = oid();
    mark.database = oid();
    mark.name = in.string();
    mark.removedFiles = in.varint();
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
        const std::uint32_t tablespace = oid(), database = oid();
        mark.removed.push_back({tablespace, database, oid()});
    }
    if (!in.done())
        return {};
    return mark;
}

// The timeline whose marks count at an LSN, and where its share begins.
const WalMarks::Span& WalMarks::spanOf(Lsn lsn, Lsn& begin) const {
    std::size_t i = 0;
    while (i + 1 < m_lineage.size() && m_lineage[i + 1].limit && lsn <= m_lineage[i + 1].limit)
        ++i;
    begin = i + 1 < m_lineage.size() ? m_lineage[i + 1].limit : Lsn{};
    return m_lineage[i];
}

namespace {

Result<std::optional<MarkStore::Entry>> within(Result<std::optional<MarkStore::Entry>> entry,
                                               std::string_view space, Lsn least, Lsn most) {
    if (!entry || !*entry)
        return entry;
    const std::string& key = (*entry)->first;
    if (!key.starts_with(space) || markkey::lsnOf(key) < least || markkey::lsnOf(key) > most)
        return std::optional<MarkStore::Entry>();
    return entry;
}

} // namespace

Result<std::optional<WalMarks::Sample>> WalMarks::sampleAtOrBefore(Lsn lsn) const {
    for (Lsn at = std::min(lsn, m_head.end);;) {
        Lsn begin;
        const Span& span = spanOf(at, begin);
        ARBOR_ASSIGN(const auto entry,
                     within(m_marks.before(markkey::at(span.timeline, markkey::Samples, at + 1)),
                            markkey::space(span.timeline, markkey::Samples), begin + 1, at));
        if (entry) {
            const auto sample = decodeSample(entry->second);
            if (!sample)
                return makeError(ErrorKind::Corruption, "a sample of timeline {}'s log is damaged",
                                 span.timeline);
            return sample;
        }
        if (!begin)
            return std::optional<Sample>();
        at = begin;
    }
}

Result<std::optional<WalMarks::Sample>> WalMarks::sampleBehind(Lsn lsn) const {
    for (Lsn at = lsn + 1; at <= m_head.end;) {
        Lsn begin;
        const Span& span = spanOf(at, begin);
        const Lsn most = span.limit && span.limit < m_head.end ? span.limit : m_head.end;
        ARBOR_ASSIGN(const auto entry,
                     within(m_marks.atOrAfter(markkey::at(span.timeline, markkey::Samples, at)),
                            markkey::space(span.timeline, markkey::Samples), at, most));
        if (entry) {
            const auto sample = decodeSample(entry->second);
            if (!sample)
                return makeError(ErrorKind::Corruption, "a sample of timeline {}'s log is damaged",
                                 span.timeline);
            return sample;
        }
        at = most + 1;
    }
    return std::optional<Sample>();
}

Error WalMarks::outsideWindow(std::string_view what) const {
    return makeError(ErrorKind::Refused, "{} is outside the history that is kept: {} to {}", what, m_from,
                     m_head.end);
}

// The state at the last record that ends at or before an LSN.
Result<ScanState> WalMarks::stateBefore(Lsn lsn) const {
    if (lsn >= m_head.end)
        return m_head;
    ARBOR_ASSIGN(const auto sample, sampleAtOrBefore(lsn));
    if (!sample)
        return outsideWindow(lsn.toString());
    return readForward(m_chain, m_format, sample->state, lsn);
}

// Moves in front of a DROP DATABASE that is going on at an LSN.
Result<std::optional<Lsn>> WalMarks::dropAround(Lsn lsn) const {
    std::optional<Lsn> found;
    for (Lsn most = lsn;;) {
        Lsn begin;
        const Span& span = spanOf(most, begin);
        const std::string space = markkey::space(span.timeline, markkey::Drops);
        for (std::string below = markkey::at(span.timeline, markkey::Drops, lsn);;) {
            ARBOR_ASSIGN(const auto entry, m_marks.before(below));
            if (!entry || !entry->first.starts_with(space))
                break;
            const Lsn start = markkey::lsnOf(entry->first), end{Decoder(entry->second).varint()};
            if (start < lsn && (!end || lsn < end))
                found = start; // the earliest wins
            below = entry->first;
        }
        if (!begin)
            return found;
        most = begin;
    }
}

Result<WalMarks::Answer> WalMarks::settle(ScanState state) {
    Answer answer{state, {}};
    for (;;) {
        ARBOR_ASSIGN(const auto drop, dropAround(answer.state.end));
        if (!drop)
            break;
        answer.message =
            fmt::format("a database was being dropped at {}: its files may be gone there, so the point "
                        "just before it is taken",
                        state.end);
        ARBOR_ASSIGN(answer.state, stateBefore(*drop));
    }
    if (answer.state.end < m_from)
        return outsideWindow(answer.state.end.toString());
    return answer;
}

Result<WalMarks::Answer> WalMarks::atLsn(Lsn lsn) {
    if (lsn < m_from || lsn > m_head.end)
        return outsideWindow(lsn.toString());
    ARBOR_ASSIGN(const ScanState state, stateBefore(lsn));
    return settle(state);
}

// Where to begin reading for the first place at which something that never becomes untrue becomes true.
Result<Lsn> WalMarks::firstSampleWhere(const std::function<bool(const ScanState&)>& reached) const {
    Lsn low = m_from, high = m_head.end;
    while (low < high && high - low > closeEnough) {
        const Lsn middle = low + (high - low) / 2;
        ARBOR_ASSIGN(const auto sample, sampleAtOrBefore(middle));
        if (!sample || !reached(sample->state))
            low = middle;
        else
            high = std::min(sample->state.end, middle);
    }
    return low;
}

Result<WalMarks::Answer> WalMarks::atTime(Timestamp time) {
    ARBOR_ASSIGN(const ScanState oldest, stateBefore(m_from));
    if (oldest.latestCommit > time)
        return outsideWindow(time.toIso());
    if (m_head.latestCommit <= time)
        return settle(m_head);
    ARBOR_ASSIGN(const Lsn low, firstSampleWhere([&](const ScanState& s) { return s.latestCommit > time; }));
    ARBOR_ASSIGN(const auto sample, sampleAtOrBefore(low));
    ScanState state =
        sample && sample->state.end >= m_from && sample->state.latestCommit <= time ? sample->state : oldest;
    WalReader reader(m_chain, m_format, m_chain.systemId());
    reader.begin(state.end, state.last);
    while (state.end < m_head.end) {
        ARBOR_ASSIGN(const WalRecord* record, reader.next());
        if (!record)
            return makeError(ErrorKind::Corruption, "the log cannot be read behind {}: {}", state.end,
                             reader.reason());
        ARBOR_ASSIGN(const auto event, eventOf(*record, m_format));
        if (event && event->kind == WalEventKind::Commit && event->time > time)
            break;
        state.take(*record, event);
    }
    return settle(state);
}

namespace {

bool endsXid(const WalEvent& event, std::uint64_t xid, std::uint64_t reference) {
    const auto same = [&](std::uint32_t part) { return part != 0 && widenXid(part, reference) == xid; };
    return (event.kind == WalEventKind::Commit || event.kind == WalEventKind::Abort) &&
           (same(event.xid) || std::any_of(event.subxids.begin(), event.subxids.end(), same));
}

} // namespace

// The state in front of the commit record of a transaction, looked for up to `to`; an Error if it was rolled
// back.
Result<std::optional<ScanState>> WalMarks::findEnd(std::uint64_t xid, ScanState from, Lsn to) {
    WalReader reader(m_chain, m_format, m_chain.systemId());
    reader.begin(from.end, from.last);
    while (from.end < to) {
        ARBOR_ASSIGN(const WalRecord* record, reader.next());
        if (!record)
            return makeError(ErrorKind::Corruption, "the log cannot be read behind {}: {}", from.end,
                             reader.reason());
        ARBOR_ASSIGN(const auto event, eventOf(*record, m_format));
        ScanState after = from;
        after.take(*record, event);
        if (event && endsXid(*event, xid, after.highestXid)) {
            if (event->kind == WalEventKind::Commit)
                return std::optional(from);
            return makeError(ErrorKind::NotFound, "transaction {} was rolled back at {}", xid, record->start);
        }
        from = after;
    }
    return std::optional<ScanState>();
}

Result<WalMarks::Answer> WalMarks::atXid(std::uint64_t xid) {
    if (xid < 3) // bootstrap and frozen ids (access/transam.h)
        return makeError(ErrorKind::NotFound, "{} is not the id of an ordinary transaction", xid);
    if (xid > m_head.highestXid)
        return makeError(ErrorKind::NotFound, "transaction {} has not begun; the latest is {}", xid,
                         m_head.highestXid);
    ARBOR_ASSIGN(const Lsn low, firstSampleWhere([&](const ScanState& s) { return s.highestXid >= xid; }));
    ARBOR_ASSIGN(ScanState state, stateBefore(m_from));
    const bool mayBeOlder = xid <= state.highestXid; // or it was going on then, and ended behind
    ARBOR_ASSIGN(auto sample, sampleAtOrBefore(low));
    if (sample && sample->state.end >= m_from && sample->state.highestXid < xid)
        state = sample->state;
    for (;;) {
        ARBOR_ASSIGN(sample, sampleBehind(state.end));
        if (!sample || (sample->leastXid <= xid && xid <= sample->mostXid)) {
            ARBOR_ASSIGN(const auto found, findEnd(xid, state, sample ? sample->state.end : m_head.end));
            if (found)
                return settle(*found);
        }
        if (!sample && mayBeOlder)
            return outsideWindow(fmt::format("the end of transaction {}", xid));
        if (!sample)
            return makeError(ErrorKind::NotFound,
                             "transaction {} did not commit between {} and {}: it is still going on, or was "
                             "lost in a crash",
                             xid, m_from, m_head.end);
        state = sample->state;
    }
}

Result<std::vector<WalMark>> WalMarks::marksBetween(Lsn from, Lsn to, std::size_t limit) {
    std::vector<WalMark> marks;
    to = std::min(to, m_head.end);
    for (Lsn at = from; at <= to && marks.size() < limit;) {
        Lsn begin;
        const Span& span = spanOf(at, begin);
        const Lsn most = span.limit && span.limit < to ? span.limit : to;
        ARBOR_ASSIGN(const auto entry,
                     within(m_marks.atOrAfter(markkey::at(span.timeline, markkey::Notable, at)),
                            markkey::space(span.timeline, markkey::Notable), at, most));
        if (!entry) {
            at = most + 1;
            continue;
        }
        auto mark = WalMarks::decodeMark(markkey::lsnOf(entry->first), entry->second);
        if (!mark)
            return makeError(ErrorKind::Corruption, "the mark at {} of timeline {}'s log is damaged",
                             markkey::lsnOf(entry->first), span.timeline);
        marks.push_back(std::move(*mark));
        at = marks.back().end + 1;
    }
    return marks;
}

Result<std::vector<WalMarks::Point>> WalMarks::curve(Lsn from, Lsn to, std::size_t limit) {
    std::vector<Point> points;
    to = std::min(to, m_head.end);
    const auto add = [&](const ScanState& state) {
        if (points.empty() || points.back().lsn < state.end)
            points.push_back({state.end, state.latestCommit, state.commits, state.lastCommit});
    };
    const std::size_t steps = limit < 2 ? 1 : limit - 1;
    for (std::size_t i = 0; i < steps && from < to; ++i) {
        const Lsn at = from + static_cast<std::uint64_t>(static_cast<double>(to - from) *
                                                         static_cast<double>(i) / static_cast<double>(steps));
        ARBOR_ASSIGN(const auto sample, sampleAtOrBefore(at));
        if (sample)
            add(sample->state);
    }
    ARBOR_ASSIGN(const auto last, sampleAtOrBefore(to));
    if (to == m_head.end)
        add(m_head);
    else if (last)
        add(last->state);
    return points;
}

} // namespace arbor
