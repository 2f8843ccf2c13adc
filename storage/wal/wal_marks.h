// The index from times, transactions and LSNs to places in a timeline's log. It is sparse: about a sample a
// second or for each 256 KB, and what lies between two samples is read from the log itself when somebody
// asks. A full index of commits would be a third of the log's size for pgbench, and nobody asks for most of
// them.
//
// Keys, all beginning 'W' + big64 timeline + a byte for the space:
//   0                              the scan's state: ScanState
//   1 + big64 end of a record      a sample: ScanState there, and which transactions ended since the one
//   before 2 + big64 end of a record      a mark that is worth showing: WalMark 3 + big64 LSN where a DROP
//   DATABASE begins: its end (0: still going on), xid, database
//
// A commit is a mark only if it removes relation files (DROP, TRUNCATE, a rewrite). Its record says which, so
// it costs the scan nothing, and an ordinary commit leaves nothing.
//
// Invariants
//  1. latestCommit, highestXid and commits never fall from a sample to the next, also from a timeline to its
//  fork.
//  2. Every record that begins a log anew (shutdown checkpoint, overwritten continuation, end of recovery)
//  has a
//     sample: WalScanner::resume() relies on it.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/mutex.h"
#include "storage/disk/index.h"
#include "storage/wal/wal_scanner.h"

#include <deque>
#include <map>

namespace arbor {

// An ordered map to read marks from. Thread-safe.
class MarkStore {
  public:
    using Entry = std::pair<std::string, std::string>;
    virtual ~MarkStore() = default;
    virtual Result<std::optional<Entry>> atOrAfter(std::string_view key) const = 0;
    virtual Result<std::optional<Entry>> before(std::string_view key) const = 0;
};

// Marks in the index.
class IndexMarkStore final : public MarkStore {
  public:
    explicit IndexMarkStore(const Index& index) : m_index(index) {}
    Result<std::optional<Entry>> atOrAfter(std::string_view key) const override;
    Result<std::optional<Entry>> before(std::string_view key) const override;

  private:
    const Index& m_index;
};

// Marks that wait for the next synced batch, in front of those that are durable.
class PendingMarks final : public MarkStore {
  public:
    explicit PendingMarks(const MarkStore& durable) : m_durable(durable) {}

    void put(std::string key, std::string value);
    void erase(std::string key);
    // Adds everything that waits to a batch; readers see it until written() says that the batch is durable.
    void addTo(IndexBatch& batch);
    void written();
    std::size_t bytes() const;

    Result<std::optional<Entry>> atOrAfter(std::string_view key) const override;
    Result<std::optional<Entry>> before(std::string_view key) const override;

  private:
    using Changes = std::map<std::string, std::optional<std::string>, std::less<>>;
    std::optional<std::optional<std::string>> changeOf(std::string_view key) const ARBOR_REQUIRES(m_mutex);

    const MarkStore& m_durable;
    mutable Mutex m_mutex;
    Changes m_waiting ARBOR_GUARDED_BY(m_mutex);
    Changes m_underway ARBOR_GUARDED_BY(m_mutex);
    std::size_t m_bytes ARBOR_GUARDED_BY(m_mutex) = 0;
};

// Kinds: restore points, checkpoints, ends of recovery and the like; databases that came; and what is gone:
// DatabaseDrop, and Commit for one that removed relation files.
struct WalMark {
    static constexpr std::size_t mostNamed = 64; // of a commit's files; a DROP SCHEMA may remove 100,000

    WalEventKind kind = WalEventKind::RestorePoint;
    Lsn start, end; // of the record
    Lsn before;     // the last point at which nothing of what the mark tells was done yet
    std::uint64_t xid = 0;
    Timestamp time; // of the record or, of a dropped database, its commit; else of the latest commit so far
    Lsn redo;
    std::uint32_t tli = 0;
    std::uint32_t database = 0;
    std::uint64_t removedFiles = 0;    // how many relation files went
    std::vector<RelationFile> removed; // the first of them
    std::string name;
};

// Turns one timeline's events into marks. One thread at a time, the scanning one.
class MarkWriter final : public WalSink {
  public:
    MarkWriter(TimelineId timeline, PendingMarks& marks) : m_timeline(timeline), m_marks(marks) {}
    // After a reopen: takes up databases whose dropping had begun. Before the first event.
    Status open();
    // For a new timeline: its history begins here.
    void begin(const ScanState& state);

    void event(const WalEvent& event, const ScanState& before, const ScanState& after) override;
    void passed(const ScanState& after) override;
    // Keeps the scan's state for the next open; call it before each batch.
    void save(const ScanState& state);
    // The log behind `end` is void (WalScanner::resume(), prepareStart()).
    Status forgetBehind(Lsn end);

    static Result<std::optional<ScanState>> savedState(const MarkStore& marks, TimelineId timeline);
    // For WalScanner::resume().
    static AnchorLookup anchors(const MarkStore& marks, TimelineId timeline);
    // Forgets marks that end at or before `end`, except the newest sample: the history window has moved on.
    // Where it begins from now on: at that sample's end, and the log from the record that ends there must be
    // kept.
    static Result<Lsn> forgetBefore(PendingMarks& marks, TimelineId timeline, Lsn end);
    // Of a timeline that is gone: adds the removal of what is durable of it to the batch, until that has so
    // many bytes. False: that was all.
    static bool eraseAll(const Index& index, TimelineId timeline, IndexBatch& batch, std::size_t bytes);

  private:
    struct Inplace {
        Lsn before;
        BlockReference block;
        std::uint16_t item = 0;
    };
    struct Drop {
        Lsn begin;
        std::uint64_t xid = 0;
        std::uint32_t database = 0; // 0 until the DROP DATABASE record itself was seen
        WalMark mark = {};          // what that record left; not known behind a reopen
    };
    void followDrops(const WalEvent& event, const ScanState& before, const ScanState& after);
    void putDrop(const Drop& drop, Lsn end);
    void closeDrops(std::optional<std::uint64_t> xid, Lsn end);
    void sample(const ScanState& state);
    void put(const WalMark& mark);

    const TimelineId m_timeline;
    PendingMarks& m_marks;
    bool m_sampled = false; // before the first sample nothing is known of the transactions since the last one
    Lsn m_lastSample;
    Timestamp m_lastSampleTime;                           // a commit's
    std::uint64_t m_leastXid = UINT64_MAX, m_mostXid = 0; // ended since the last sample
    std::deque<Inplace> m_inplace;                        // of shared catalogs, recent
    std::deque<Drop> m_shared;                            // transactions that deleted shared rows, recent
    std::vector<Drop> m_drops;                            // open
};

// Answers questions about the log of a whole lineage. One thread at a time.
class WalMarks {
  public:
    struct Span {
        TimelineId timeline;
        Lsn limit; // marks behind it do not count; 0: none
    };
    // `lineage` as the chain's layers: the timeline itself, its parent up to the fork's LSN, and so on.
    // `from` is the start of the history window, `head` the scan's state (or that of the fork point of a
    // timeline without a scan).
    WalMarks(const MarkStore& marks, std::vector<Span> lineage, WalChain& chain, const WalFormat& format,
             Lsn from, ScanState head);

    struct Answer {
        ScanState state;     // its end is the LSN
        std::string message; // what was adjusted, and why; empty if nothing was
    };
    // The last complete record at or before an LSN, moved in front of a DROP DATABASE that is going on there.
    // Refused outside the history window, with the range.
    Result<Answer> atLsn(Lsn lsn);
    // Just before the first commit record with a later time.
    Result<Answer> atTime(Timestamp time);
    // Just before the commit record of a 64-bit transaction id, of the transaction that it is a part of, or
    // of its COMMIT PREPARED. NotFound for one that was rolled back or has not committed, Refused for one
    // that ended before the window.
    Result<Answer> atXid(std::uint64_t xid);

    // What is worth showing between two LSNs, in the log's order, at most `limit`.
    Result<std::vector<WalMark>> marksBetween(Lsn from, Lsn to, std::size_t limit);
    struct Point {
        Lsn lsn;
        Timestamp time;            // of the latest commit so far
        std::uint64_t commits = 0; // so far
        Lsn lastCommit;            // where the last of them ends; 0: not known
    };
    // The curve of time and commits over the log, at most `limit` points.
    Result<std::vector<Point>> curve(Lsn from, Lsn to, std::size_t limit);

  private:
    struct Sample {
        ScanState state;
        std::uint64_t leastXid = 0, mostXid = 0;
    };
    friend class MarkWriter;
    static std::string encodeMark(const WalMark& mark);
    static std::optional<WalMark> decodeMark(Lsn end, std::string_view bytes);
    static std::string encodeSample(const Sample& sample);
    static std::optional<Sample> decodeSample(std::string_view bytes);

    const Span& spanOf(Lsn lsn, Lsn& begin) const;
    Result<std::optional<Sample>> sampleAtOrBefore(Lsn lsn) const;
    Result<std::optional<Sample>> sampleBehind(Lsn lsn) const;
    Result<ScanState> stateBefore(Lsn lsn) const;
    Result<Lsn> firstSampleWhere(const std::function<bool(const ScanState&)>& reached) const;
    Result<std::optional<Lsn>> dropAround(Lsn lsn) const;
    Result<Answer> settle(ScanState state);
    Result<std::optional<ScanState>> findEnd(std::uint64_t xid, ScanState from, Lsn to);
    Error outsideWindow(std::string_view what) const;

    const MarkStore& m_marks;
    const std::vector<Span> m_lineage;
    WalChain& m_chain;
    const WalFormat& m_format;
    const Lsn m_from;
    const ScanState m_head;
};

} // namespace arbor
