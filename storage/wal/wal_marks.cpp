#include "storage/wal/wal_mark_keys.h"

#include <algorithm>

namespace arbor {

namespace {

constexpr Duration sampleEvery = Duration::seconds(1);
constexpr std::uint64_t sampleBytes = 256u << 10;
constexpr std::size_t rememberedRows =
    64; // DROP DATABASE needs a few milliseconds between its first two records

std::optional<MarkStore::Entry> entryOf(const IndexIterator& iterator) {
    if (!iterator.valid())
        return {};
    return MarkStore::Entry{iterator.key(), iterator.value()};
}

} // namespace

Result<std::optional<MarkStore::Entry>> IndexMarkStore::atOrAfter(std::string_view key) const {
    const auto iterator = m_index.iterate();
    iterator->seek(key);
    ARBOR_TRY(iterator->status());
    return entryOf(*iterator);
}

Result<std::optional<MarkStore::Entry>> IndexMarkStore::before(std::string_view key) const {
    const auto iterator = m_index.iterate();
    iterator->seek(key);
    iterator->previous(); // also from behind the last key
    ARBOR_TRY(iterator->status());
    return entryOf(*iterator);
}

void PendingMarks::put(std::string key, std::string value) {
    const MutexLock lock(m_mutex);
    m_bytes += key.size() + value.size();
    m_waiting.insert_or_assign(std::move(key), std::move(value));
}

void PendingMarks::erase(std::string key) {
    const MutexLock lock(m_mutex);
    m_bytes += key.size();
    m_waiting.insert_or_assign(std::move(key), std::nullopt);
}

void PendingMarks::addTo(IndexBatch& batch) {
    const MutexLock lock(m_mutex);
    for (auto& [key, value] : m_waiting) {
        if (value)
            batch.put(key, *value);
        else
            batch.erase(key);
        m_underway.insert_or_assign(key, std::move(value));
    }
    m_waiting.clear();
    m_bytes = 0;
}

void PendingMarks::written() {
    const MutexLock lock(m_mutex);
    m_underway.clear();
}

std::size_t PendingMarks::bytes() const {
    const MutexLock lock(m_mutex);
    return m_bytes;
}

// What is waiting or underway for a key: nothing, a value, or an erasure.
std::optional<std::optional<std::string>> PendingMarks::changeOf(std::string_view key) const {
    for (const Changes* changes : {&m_waiting, &m_underway})
        if (const auto found = changes->find(key); found != changes->end())
            return found->second;
    return {};
}

Result<std::optional<MarkStore::Entry>> PendingMarks::atOrAfter(std::string_view key) const {
    const MutexLock lock(m_mutex);
    for (std::string from(key);;) {
        ARBOR_ASSIGN(auto least, m_durable.atOrAfter(from));
        for (const Changes* changes : {&m_waiting, &m_underway})
            if (const auto found = changes->lower_bound(from);
                found != changes->end() && (!least || found->first < least->first))
                least = Entry{found->first, {}};
        if (!least)
            return std::optional<Entry>();
        const auto change = changeOf(least->first);
        if (!change)
            return least;
        if (*change)
            return std::optional(Entry{least->first, **change});
        from = least->first + '\0';
    }
}

Result<std::optional<MarkStore::Entry>> PendingMarks::before(std::string_view key) const {
    const MutexLock lock(m_mutex);
    for (std::string below(key);;) {
        ARBOR_ASSIGN(auto most, m_durable.before(below));
        for (const Changes* changes : {&m_waiting, &m_underway})
            if (auto found = changes->lower_bound(below); found != changes->begin()) {
                --found;
                if (!most || found->first > most->first)
                    most = Entry{found->first, {}};
            }
        if (!most)
            return std::optional<Entry>();
        const auto change = changeOf(most->first);
        if (!change)
            return most;
        if (*change)
            return std::optional(Entry{most->first, **change});
        below = most->first;
    }
}

Status MarkWriter::open() {
    const std::string end = markkey::space(m_timeline, markkey::End);
    for (std::string key = markkey::space(m_timeline, markkey::Drops);;) {
        ARBOR_ASSIGN(const auto entry, m_marks.atOrAfter(key));
        if (!entry || entry->first >= end)
            return {};
        Decoder in(entry->second);
        const Lsn closed{in.varint()};
        Drop drop{markkey::lsnOf(entry->first), in.varint(), in.fixed32()};
        if (!in.done())
            return makeError(ErrorKind::Corruption, "the mark of a dropped database at {} is damaged",
                             drop.begin);
        if (!closed)
            m_drops.push_back(drop);
        key = entry->first + '\0';
    }
}

void MarkWriter::begin(const ScanState& state) {
    sample(state);
    save(state);
}

namespace {

bool isNotable(const WalEvent& event) {
    switch (event.kind) {
    case WalEventKind::Abort: // nobody else has ever seen the files that it removes
    case WalEventKind::SharedInplace:
    case WalEventKind::SharedDelete:
    case WalEventKind::DatabaseDrop: // followDrops()
        return false;
    case WalEventKind::Commit:
        return !event.dropped.empty();
    default:
        return true;
    }
}

WalMark markOf(const WalEvent& event, Lsn before, const ScanState& after) {
    WalMark mark;
    mark.kind = event.kind;
    mark.start = event.start;
    mark.end = event.end;
    mark.before = before;
    mark.xid = event.xid == 0 ? 0 : widenXid(event.xid, after.highestXid);
    mark.time = event.time.micros != 0 ? event.time : after.latestCommit;
    mark.redo = event.redo;
    mark.tli = event.tli;
    mark.database = event.database;
    mark.removedFiles = event.dropped.size();
    mark.removed.assign(event.dropped.begin(),
                        event.dropped.begin() +
                            static_cast<std::ptrdiff_t>(std::min(event.dropped.size(), WalMark::mostNamed)));
    mark.name = event.name;
    return mark;
}

} // namespace

void MarkWriter::event(const WalEvent& event, const ScanState& before, const ScanState& after) {
    followDrops(event, before, after);
    const bool ends = event.kind == WalEventKind::Commit || event.kind == WalEventKind::Abort;
    if (ends) {
        const auto count = [&](std::uint32_t xid) {
            if (xid == 0)
                return;
            const std::uint64_t wide = widenXid(xid, after.highestXid);
            m_leastXid = std::min(m_leastXid, wide);
            m_mostXid = std::max(m_mostXid, wide);
        };
        count(event.xid);
        std::for_each(event.subxids.begin(), event.subxids.end(), count);
    }
    if (isNotable(event))
        put(markOf(event, before.end, after));
    const bool anew = event.kind == WalEventKind::CheckpointShutdown ||
                      event.kind == WalEventKind::OverwriteContrecord ||
                      event.kind == WalEventKind::EndOfRecovery;
    if (anew || after.end - m_lastSample >= sampleBytes ||
        (ends && event.time >= m_lastSampleTime + sampleEvery)) {
        if (ends)
            m_lastSampleTime = event.time;
        sample(after);
    }
}

void MarkWriter::passed(const ScanState& after) {
    sample(after);
}

void MarkWriter::sample(const ScanState& state) {
    WalMarks::Sample sample{state, m_leastXid, m_mostXid};
    if (!m_sampled) // what ended before we were opened is not known: anything may have
        sample.leastXid = 0, sample.mostXid = UINT64_MAX;
    m_marks.put(markkey::at(m_timeline, markkey::Samples, state.end), WalMarks::encodeSample(sample));
    m_sampled = true;
    m_lastSample = state.end;
    m_leastXid = UINT64_MAX;
    m_mostXid = 0;
}

void MarkWriter::put(const WalMark& mark) {
    m_marks.put(markkey::at(m_timeline, markkey::Notable, mark.end), WalMarks::encodeMark(mark));
}

// DROP DATABASE marks the row in place, deletes it, removes the files, logs that, and commits. The in-place
// record may carry no transaction id; the deletion of the same row tells whose it was.
void MarkWriter::followDrops(const WalEvent& event, const ScanState& before, const ScanState& after) {
    const std::uint64_t xid = event.xid == 0 ? 0 : widenXid(event.xid, after.highestXid);
    const auto ofXid = [&](const Drop& drop) { return drop.xid == xid; };
    const auto trim = [](auto& queue) {
        if (queue.size() > rememberedRows)
            queue.pop_front();
    };
    switch (event.kind) {
    case WalEventKind::SharedInplace:
        m_inplace.push_back({before.end, event.block, event.item});
        trim(m_inplace);
        break;
    case WalEventKind::SharedDelete: {
        const auto row = std::find_if(m_inplace.rbegin(), m_inplace.rend(), [&](const Inplace& inplace) {
            return inplace.item == event.item && inplace.block.block == event.block.block &&
                   inplace.block.relation == event.block.relation;
        });
        if (row != m_inplace.rend()) {
            m_drops.push_back({row->before, xid});
            putDrop(m_drops.back(), {});
            m_inplace.erase(std::next(row).base());
        } else if (std::none_of(m_shared.begin(), m_shared.end(), ofXid)) {
            m_shared.push_back({before.end, xid});
            trim(m_shared);
        }
        break;
    }
    case WalEventKind::DatabaseDrop: {
        auto drop = std::find_if(m_drops.begin(), m_drops.end(), ofXid);
        if (drop == m_drops.end()) { // before 15.4 and its like nothing was marked in place
            const auto first = std::find_if(m_shared.begin(), m_shared.end(), ofXid);
            m_drops.push_back(first != m_shared.end() ? *first : Drop{before.end, xid});
            drop = std::prev(m_drops.end());
        }
        if (drop->database == 0) { // 14 writes such a record for each tablespace
            drop->mark = markOf(event, drop->begin, after);
            put(drop->mark);
        }
        drop->database = event.database;
        putDrop(*drop, {});
        break;
    }
    case WalEventKind::Commit:
        for (Drop& drop : m_drops)
            if (drop.xid == xid && drop.mark.end) {
                drop.mark.time = event.time;
                put(drop.mark);
            }
        [[fallthrough]];
    case WalEventKind::Abort:
        std::erase_if(m_shared, ofXid);
        closeDrops(xid, after.end);
        break;
    case WalEventKind::CheckpointShutdown:
    case WalEventKind::EndOfRecovery:
    case WalEventKind::OverwriteContrecord: // nothing that was going on has survived
        m_shared.clear();
        m_inplace.clear();
        closeDrops({}, before.end);
        break;
    default:
        break;
    }
}

void MarkWriter::putDrop(const Drop& drop, Lsn end) {
    std::string value;
    Encoder(value).varint(end.value).varint(drop.xid).fixed32(drop.database);
    m_marks.put(markkey::at(m_timeline, markkey::Drops, drop.begin), value);
}

void MarkWriter::closeDrops(std::optional<std::uint64_t> xid, Lsn end) {
    std::erase_if(m_drops, [&](const Drop& drop) {
        if (xid && drop.xid != *xid)
            return false;
        if (drop.database != 0)
            putDrop(drop, end);
        else
            m_marks.erase(markkey::at(m_timeline, markkey::Drops, drop.begin));
        return true;
    });
}

void MarkWriter::save(const ScanState& state) {
    m_marks.put(markkey::space(m_timeline, markkey::State), state.encode());
}

Result<std::optional<ScanState>> MarkWriter::savedState(const MarkStore& marks, TimelineId timeline) {
    const std::string key = markkey::space(timeline, markkey::State);
    ARBOR_ASSIGN(const auto entry, marks.atOrAfter(key));
    if (!entry || entry->first != key)
        return std::optional<ScanState>();
    const auto state = ScanState::decode(entry->second);
    if (!state)
        return makeError(ErrorKind::Corruption, "the saved state of timeline {}'s log is damaged", timeline);
    return state;
}

bool MarkWriter::eraseAll(const Index& index, TimelineId timeline, IndexBatch& batch, std::size_t bytes) {
    const std::string end = markkey::space(timeline, markkey::End);
    const auto iterator = index.iterate();
    for (iterator->seek(markkey::space(timeline, markkey::State)); iterator->valid() && iterator->key() < end;
         iterator->next()) {
        if (batch.bytes() >= bytes)
            return true;
        batch.erase(iterator->key());
    }
    return false;
}

AnchorLookup MarkWriter::anchors(const MarkStore& marks, TimelineId timeline) {
    return [&marks, timeline](Lsn below) -> Result<std::optional<ScanState>> {
        ARBOR_ASSIGN(const auto entry, marks.before(markkey::at(timeline, markkey::Samples, below)));
        if (!entry || !entry->first.starts_with(markkey::space(timeline, markkey::Samples)))
            return std::optional<ScanState>();
        const auto sample = WalMarks::decodeSample(entry->second);
        if (!sample)
            return makeError(ErrorKind::Corruption, "a sample of timeline {}'s log is damaged", timeline);
        return std::optional(sample->state);
    };
}

Status MarkWriter::forgetBehind(Lsn end) {
    for (const markkey::Space space : {markkey::Samples, markkey::Notable, markkey::Drops}) {
        const std::string stop = markkey::space(m_timeline, static_cast<markkey::Space>(space + 1));
        for (std::string key = markkey::at(m_timeline, space, end) + '\0';;) {
            ARBOR_ASSIGN(const auto entry, m_marks.atOrAfter(key));
            if (!entry || entry->first >= stop)
                break;
            m_marks.erase(entry->first);
            key = entry->first + '\0';
        }
    }
    m_inplace.clear();
    m_shared.clear();
    std::erase_if(m_drops, [&](const Drop& drop) { return drop.begin > end; });
    closeDrops({}, end);
    m_sampled = false;
    m_lastSample = std::min(m_lastSample, end);
    return {};
}

Result<Lsn> MarkWriter::forgetBefore(PendingMarks& marks, TimelineId timeline, Lsn end) {
    Lsn first = end;
    for (const markkey::Space space : {markkey::Samples, markkey::Notable, markkey::Drops}) {
        ARBOR_ASSIGN(const auto newest, marks.before(markkey::at(timeline, space, end) + '\0'));
        const std::string kept = space == markkey::Samples && newest ? newest->first : std::string();
        if (kept.starts_with(markkey::space(timeline, space)))
            first = markkey::lsnOf(kept);
        const std::string stop = markkey::at(timeline, space, end) + '\0';
        for (std::string key = markkey::space(timeline, space);;) {
            ARBOR_ASSIGN(const auto entry, marks.atOrAfter(key));
            if (!entry || entry->first >= stop)
                break;
            if (entry->first != kept)
                marks.erase(entry->first);
            key = entry->first + '\0';
        }
    }
    return first;
}

} // namespace arbor
