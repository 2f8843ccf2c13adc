#include "storage/wal/wal_scanner.h"

#include "storage/format/coding.h"
#include "storage/wal/fork_wal.h"

#include <algorithm>

namespace arbor {

namespace {

constexpr std::uint64_t reportEvery = 256u << 10;
// So much is read where the next record may be: most are shorter.
constexpr std::size_t usualTail = 512;

bool beginsNewTli(const WalEvent& event) {
    return (event.kind == WalEventKind::CheckpointShutdown || event.kind == WalEventKind::EndOfRecovery) &&
           event.tli != event.previousTli;
}

// Records that Postgres writes first after it has recovered from a crash.
bool beginsAnew(const WalEvent& event) {
    return event.kind == WalEventKind::CheckpointShutdown ||
           event.kind == WalEventKind::OverwriteContrecord || event.kind == WalEventKind::EndOfRecovery;
}

} // namespace

std::string ScanState::encode() const {
    std::string out;
    Encoder(out)
        .varint(end.value)
        .varint(end - last)
        .fixed32(crc)
        .varint(tli)
        .varint(highestXid)
        .zigzag(latestCommit.micros)
        .varint(commits)
        .varint(lastCommit.value);
    return out;
}

std::optional<ScanState> ScanState::decode(std::string_view bytes) {
    Decoder in(bytes);
    ScanState state;
    state.end = {in.varint()};
    state.last = {state.end.value - in.varint()};
    state.crc = in.fixed32();
    state.tli = static_cast<std::uint32_t>(in.varint());
    state.highestXid = in.varint();
    state.latestCommit = {in.zigzag()};
    state.commits = in.varint();
    if (!in.done()) // the first stores did not know it
        state.lastCommit = {in.varint()};
    if (!in.done())
        return {};
    return state;
}

void ScanState::take(const WalRecord& record, const std::optional<WalEvent>& event) {
    end = record.end;
    last = record.start;
    crc = record.crc;
    if (record.xid != 0)
        highestXid = std::max(highestXid, widenXid(record.xid, highestXid));
    if (!event)
        return;
    for (const std::uint32_t xid : event->subxids)
        highestXid = std::max(highestXid, widenXid(xid, highestXid));
    if (event->kind == WalEventKind::Commit) {
        latestCommit = std::max(latestCommit, event->time);
        ++commits;
        lastCommit = end;
    }
    if (event->nextXid != 0)
        highestXid = std::max(highestXid, event->nextXid - 1);
    if (beginsNewTli(*event))
        tli = event->tli;
}

Result<ScanState> readForward(WalChain& chain, const WalFormat& format, ScanState from, Lsn at) {
    WalReader reader(chain, format, chain.systemId());
    reader.begin(from.end, from.last);
    for (;;) {
        ARBOR_ASSIGN(const WalRecord* record, reader.next());
        if (!record || record->end > at)
            return from;
        ARBOR_ASSIGN(const auto event, eventOf(*record, format));
        from.take(*record, event);
    }
}

WalScanner::WalScanner(WalChain chain, const WalFormat& format, Directories directories, ScanState state)
    : m_chain(std::move(chain)), m_format(format), m_directories(std::move(directories)),
      m_reader(m_chain, format, m_chain.systemId()), m_state(state), m_end(state.end.value),
      m_lastReport(state.end),
      m_keepFrom(m_chain.segmentOf(state.last ? state.last : Lsn{state.end.value - 1})) {
    m_reader.begin(state.end, state.last);
}

Result<ScanState> WalScanner::stateAtCheckpoint(WalChain& chain, const ControlFile& control) {
    ARBOR_TRY(chain.followTli(control.recoveryTli()));
    WalReader reader(chain, *control.format, control.systemId);
    reader.begin(control.checkpoint);
    ARBOR_ASSIGN(const WalRecord* record, reader.next());
    if (!record)
        return makeError(ErrorKind::Corruption,
                         "the log does not hold the checkpoint at {} that pg_control names: {}",
                         control.checkpoint, reader.reason());
    return ScanState{record->end,
                     record->start,
                     record->crc,
                     control.recoveryTli(),
                     control.nextXid - 1,
                     control.checkpointTime,
                     0};
}

void WalScanner::setState(const ScanState& state) {
    m_state = state;
    m_unfinished.clear();
    m_end.store(state.end.value, std::memory_order_release);
    m_lastReport = std::min(m_lastReport, state.end);
    m_reader.begin(state.end, state.last);
    m_keepFrom = m_chain.segmentOf({state.end.value - 1});
}

Result<bool> WalScanner::advance(WalSink& sink, Effort effort) {
    // segments of a standby may come from an archive, under the names of those that it began
    if (effort == Effort::Thorough || m_mayBePromoted)
        ARBOR_TRY(m_chain.revalidate());
    if (effort == Effort::Quick) {
        ARBOR_ASSIGN(const bool nothing, nothingNew());
        // a page of a server that has just been promoted must not be taken for one of before
        if (m_mayBePromoted && nextTliBegan())
            effort = Effort::Thorough;
        else if (nothing && !owesLinks())
            return false;
    }
    m_unfinished.clear();
    ARBOR_ASSIGN(bool moved, readOn(sink));
    if (!moved && effort == Effort::Quick)
        std::swap(m_unfinished, m_tail); // as it was before it was read
    if (effort == Effort::Thorough) {
        ARBOR_ASSIGN(const bool switched, followNewTli());
        bool newer = false;
        if (!moved) {
            ARBOR_ASSIGN(newer, newerSegmentsExist());
        }
        if (switched || newer) {
            // what we saw may have been written between our look at the end and our look for more
            m_chain.forget();
            ARBOR_ASSIGN(const bool movedOn, readOn(sink));
            moved = moved || movedOn;
        }
        m_stuck.store(newer && !moved, std::memory_order_release);
    }
    if (moved)
        m_stuck.store(false, std::memory_order_release);
    return moved;
}

// Whether the place where the next record would begin is still empty, or holds what was no record last time.
// Postgres writes whole pages, so the log of a server at work mostly ends with a part of a record.
Result<bool> WalScanner::nothingNew() {
    m_tail.resize(usualTail);
    ARBOR_ASSIGN(std::size_t got, m_chain.read(m_state.end, m_tail));
    if (got < sizeof(std::uint32_t) || loadLittle<std::uint32_t>(m_tail.data()) == 0)
        return true;
    m_tail.resize(tailBytes(loadLittle<std::uint32_t>(m_tail.data())));
    if (got < m_tail.size()) {
        ARBOR_ASSIGN(got, m_chain.read(m_state.end, m_tail));
    }
    if (m_tail.empty() || got < m_tail.size()) {
        m_tail.clear();
        return false;
    }
    if (m_tail == m_unfinished)
        return true;
    // pages count whole: one that the file has only begun says nothing yet
    std::byte last{};
    const std::uint64_t pages = (m_state.end.value + m_tail.size() + wal::pageSize - 1) / wal::pageSize;
    ARBOR_ASSIGN(const std::size_t isThere, m_chain.read({pages * wal::pageSize - 1}, {&last, 1}));
    if (isThere == 0)
        m_tail.clear();
    return false;
}

// How many bytes from the end on decide whether there is a record of `length` bytes: itself, and the header
// of the page that it crosses into. 0 where they are more than that, or lie in another segment.
std::size_t WalScanner::tailBytes(std::uint32_t length) const {
    const std::uint64_t offset = m_state.end.value % wal::pageSize;
    const std::uint64_t room = wal::pageSize - offset;
    std::uint64_t bytes = std::max(length, wal::recordHeader);
    if (bytes > room)
        bytes += wal::shortHeader;
    const bool isNear = offset != 0 && bytes <= room + wal::pageSize &&
                        m_chain.segmentOf({m_state.end.value + bytes - 1}) == m_chain.segmentOf(m_state.end);
    return isNear ? bytes : 0;
}

// A promotion writes the history of its timeline id, the next one, before anything else.
bool WalScanner::nextTliBegan() const {
    const std::string next = historyFileName(m_chain.history().tli() + 1);
    return m_chain.disk().info(m_directories.wal + "/" + next).has_value();
}

Result<bool> WalScanner::readOn(WalSink& sink) {
    m_reader.refresh();
    const Lsn before = m_state.end;
    const Status read = readRecords(sink);
    if (!read) // what could not be understood is met again
        m_reader.begin(m_state.end, m_state.last);
    m_end.store(m_state.end.value, std::memory_order_release);
    ARBOR_TRY(keepSegments());
    if (!read)
        return read.error();
    return m_state.end != before;
}

Status WalScanner::readRecords(WalSink& sink) {
    for (;;) {
        ARBOR_ASSIGN(const WalRecord* record, m_reader.next());
        if (!record)
            return {};
        std::optional<WalEvent> event;
        if (mayBeEvent(*record)) {
            ARBOR_ASSIGN(event, eventOf(*record, m_format));
        }
        const ScanState front = m_state;
        m_state.take(*record, event);
        if (event) {
            sink.event(*event, front, m_state);
            m_lastReport = m_state.end;
        } else if (m_state.end - m_lastReport >= reportEvery) {
            sink.passed(m_state);
            m_lastReport = m_state.end;
        }
    }
}

// A link could not be made (a full disk): without it, no write may be answered, or Postgres would remove the
// segment.
bool WalScanner::owesLinks() const {
    return m_keepFrom <= m_chain.segmentOf({m_state.end.value - 1});
}

// Links every segment with a record in it, once. Those of the parent's share are the parent's to keep.
Status WalScanner::keepSegments() {
    const std::uint64_t last = m_chain.segmentOf({m_state.end.value - 1});
    for (; m_keepFrom <= last; ++m_keepFrom)
        ARBOR_TRY(keep(m_keepFrom));
    return {};
}

Status WalScanner::keep(std::uint64_t number) {
    ARBOR_ASSIGN(const auto place, m_chain.locate(number));
    if (!place || place->layer != 0)
        return {};
    Disk& disk = m_chain.disk();
    const std::string kept = m_directories.keep + "/" + place->name;
    if (place->path == kept)
        return {};
    const auto there = disk.info(kept);
    if (there && there->inode == place->inode)
        return {};
    if (there)
        ARBOR_TRY(disk.unlink(kept));
    m_keptUnsynced = true;
    return disk.link(place->path, kept);
}

Status WalScanner::syncKept() {
    if (!m_keptUnsynced)
        return {};
    ARBOR_TRY(m_chain.disk().syncDirectory(m_directories.keep));
    m_keptUnsynced = false;
    return {};
}

// A fork that no server has run on has none.
Result<std::vector<std::string>> WalScanner::ownFiles() {
    auto names = m_chain.disk().list(m_directories.wal);
    if (!names && names.error().kind() == ErrorKind::NotFound)
        return std::vector<std::string>();
    return names;
}

// A promotion begins a Postgres timeline with a history file. Its log is ours up to where it left the old
// one.
Result<bool> WalScanner::followNewTli() {
    Disk& disk = m_chain.disk();
    ARBOR_ASSIGN(const auto names, ownFiles());
    const std::uint32_t present = m_chain.history().tli();
    std::uint32_t newest = present;
    for (const std::string& name : names)
        newest = std::max(newest, parseHistoryFileName(name).value_or(0));
    if (newest == present)
        return false;
    ARBOR_ASSIGN(const std::string text, readFile(disk, m_directories.wal + "/" + historyFileName(newest)));
    ARBOR_ASSIGN(const TliHistory history, TliHistory::parse(newest, text));
    const auto left = history.endOf(present);
    if (!left || *left < m_state.end)
        return false; // not a child of what we follow, or it left before what we know: resume() settles that
    ARBOR_TRY(m_chain.followTli(newest));
    const std::string kept = m_directories.keep + "/" + historyFileName(newest);
    if (!disk.info(kept)) {
        ARBOR_TRY(disk.link(m_directories.wal + "/" + historyFileName(newest), kept));
        m_keptUnsynced = true;
    }
    m_keepFrom = m_chain.segmentOf({m_state.end.value - 1});
    return true;
}

// Whether a segment behind the one where the reader gave up holds log of ours. The reader gives up where a
// record that a crash left unfinished would go on, which is an end like any other.
Result<bool> WalScanner::newerSegmentsExist() {
    ARBOR_ASSIGN(const auto names, ownFiles());
    const std::uint64_t present =
        m_chain.segmentOf(std::max(m_reader.gaveUpAt(), Lsn{m_state.end.value - 1}));
    for (const std::string& name : names) {
        const auto segment = parseSegmentFileName(name, m_chain.segmentSize());
        if (!segment || segment->number <= present || !m_chain.history().contains(segment->tli))
            continue;
        ARBOR_ASSIGN(const auto place, m_chain.locate(segment->number));
        if (place)
            return true;
    }
    return false;
}

// Whether the log still holds the record that a state ends with.
Result<bool> WalScanner::stillHolds(const ScanState& state) {
    if (!state.last)
        return true;
    WalReader reader(m_chain, m_format, m_chain.systemId());
    reader.begin(state.last);
    ARBOR_ASSIGN(const WalRecord* record, reader.next());
    return record && record->start == state.last && record->crc == state.crc && record->end == state.end;
}

Result<std::optional<Lsn>> WalScanner::resume(const AnchorLookup& anchors) {
    ARBOR_TRY(m_chain.followTli(m_state.tli));
    ARBOR_ASSIGN(const bool unchanged, stillHolds(m_state));
    if (unchanged)
        return std::optional<Lsn>();
    for (Lsn below = m_state.end;;) {
        ARBOR_ASSIGN(const auto anchor, anchors(below));
        if (!anchor)
            return makeError(
                ErrorKind::Corruption,
                "the log no longer holds anything that is known of it: neither its end at {} nor any "
                "earlier mark; restore its segments or fork a checkpoint on another branch",
                m_state.end);
        ARBOR_TRY(m_chain.followTli(anchor->tli));
        ARBOR_ASSIGN(const bool holds, stillHolds(*anchor));
        if (holds) {
            ARBOR_ASSIGN(const ScanState clamped, findDivergence(*anchor));
            setState(clamped);
            return std::optional(clamped.end);
        }
        below = anchor->end;
    }
}

// Reads on from the newest surviving anchor to where the known log ends. Every record that begins a log anew
// after a crash has an anchor of its own; one that is met here has none, so it was written in place of what
// is lost.
Result<ScanState> WalScanner::findDivergence(const ScanState& anchor) {
    const Lsn known = m_state.end;
    const std::uint64_t highestXid = m_state.highestXid;
    m_state = anchor;
    WalReader reader(m_chain, m_format, m_chain.systemId());
    reader.begin(anchor.end, anchor.last);
    for (;;) {
        ARBOR_ASSIGN(const WalRecord* record, reader.next());
        if (!record || record->end > known)
            break;
        ARBOR_ASSIGN(const auto event, eventOf(*record, m_format));
        if (event && beginsAnew(*event))
            break;
        m_state.take(*record, event);
    }
    ScanState found = m_state;
    found.highestXid = std::max(found.highestXid, highestXid);
    return found;
}

Result<WalScanner::Start> WalScanner::prepareStart(const ControlFile& control, bool mayBePromoted) {
    m_mayBePromoted = mayBePromoted;
    Start start{m_state.end, {}};
    if (control.cleanlyShutDown()) {
        ARBOR_ASSIGN(ScanState behind, stateAtCheckpoint(m_chain, control));
        start.writesFrom = behind.end;
        if (behind.end < m_state.end) {
            start.clamped = behind.end;
            behind.highestXid = std::max(behind.highestXid, m_state.highestXid);
            behind.latestCommit = std::max(behind.latestCommit, m_state.latestCommit);
            behind.commits = m_state.commits;
            behind.lastCommit = std::min(m_state.lastCommit, behind.end);
            setState(behind);
        }
    }
    ARBOR_TRY(unshareFrom(m_chain.disk(), {m_directories.wal, m_directories.keep}, m_chain.segmentSize(),
                          start.writesFrom, start.clamped.has_value()));
    m_chain.forget();
    m_reader.refresh();
    m_keepFrom = m_chain.segmentOf({m_state.end.value - 1});
    return start;
}

} // namespace arbor
