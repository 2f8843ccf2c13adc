// Follows one timeline's log: from the last complete record that it knows to the last complete record there
// is.
//
// Invariants
//  1. end() is the end of a complete record, and never falls except through resume() and prepareStart(),
//  which say so.
//  2. A segment that holds a record up to end() has a hard link in walkeep/<T> when advance() returns, so
//  Postgres may
//     remove its own.
//  3. Everything that was in the log's files when advance() was called has been seen when it returns.
#pragma once

#include "storage/wal/pg_control.h"
#include "storage/wal/wal_records.h"
#include "storage/wal/wal_segments.h"

#include <atomic>
#include <functional>

namespace arbor {

// What is known of a log at the end of one record, with what tells that record from another in its place.
struct ScanState {
    Lsn end;
    Lsn last;                     // start of the record that ends there; 0: not known
    std::uint32_t crc = 0;        // its checksum
    std::uint32_t tli = 1;        // Postgres timeline
    std::uint64_t highestXid = 0; // seen so far, 64-bit
    Timestamp latestCommit;       // the latest time in any commit record so far
    std::uint64_t commits = 0;    // commit records so far
    Lsn lastCommit = {};          // where the last of them ends; 0: not known
    auto operator<=>(const ScanState&) const = default;

    // The state behind the next record.
    void take(const WalRecord& record, const std::optional<WalEvent>& event);

    std::string encode() const;
    static std::optional<ScanState> decode(std::string_view bytes);
};

// The 64-bit transaction id of which `xid` is the low half, near `reference`.
constexpr std::uint64_t widenXid(std::uint32_t xid, std::uint64_t reference) {
    const auto distance = static_cast<std::int32_t>(xid - static_cast<std::uint32_t>(reference));
    const std::uint64_t wide = reference + static_cast<std::uint64_t>(std::int64_t{distance});
    return distance < 0 && wide > reference ? xid : wide; // before the first epoch there is none
}

// The state at the last record that ends at or before `at`, read on from an earlier one.
Result<ScanState> readForward(WalChain& chain, const WalFormat& format, ScanState from, Lsn at);

// Receives what the scan finds, in the order of the log. Called on the scanning thread.
class WalSink {
  public:
    virtual ~WalSink() = default;
    // An event, and the states in front of its record and behind it.
    virtual void event(const WalEvent& event, const ScanState& before, const ScanState& after) = 0;
    // Another stretch of log without an event that would have called.
    virtual void passed(const ScanState& after) = 0;
};

// Finds an older state by which a log can be recognised: the newest one whose end is below `below`.
using AnchorLookup = std::function<Result<std::optional<ScanState>>(Lsn below)>;

// One thread at a time; end() and stuck() from any.
class WalScanner {
  public:
    struct Directories {
        std::string wal;  // wal/<T>
        std::string keep; // walkeep/<T>, which exists
    };
    // `chain` has the timeline's own directories in its first layer, and follows the state's Postgres
    // timeline (resume() sees to that). `state` is where scanning goes on: see stateAtCheckpoint() for a root
    // and ForkWalPlan::state for a fork.
    WalScanner(WalChain chain, const WalFormat& format, Directories directories, ScanState state);

    // The state right behind a cleanly stopped cluster's last record.
    static Result<ScanState> stateAtCheckpoint(WalChain& chain, const ControlFile& control);

    enum class Effort {
        Quick,    // one small read when there is nothing new, and a look for a promotion where one may come;
                  // before every write
        Thorough, // also looks for a new Postgres timeline, and whether the scan is stuck; on a timer
    };
    // True if the end moved.
    Result<bool> advance(WalSink& sink, Effort effort = Effort::Quick);

    // After a reopen: compares what the log holds with what the state says. Nothing if it is still there.
    // Otherwise a crash lost a tail and perhaps another one was written in its place: the LSN A up to which
    // the log is still the known one; the scan goes on from there, and what is known beyond A is void.
    Result<std::optional<Lsn>> resume(const AnchorLookup& anchors);

    struct Start {
        Lsn writesFrom;             // where Postgres will resume writing
        std::optional<Lsn> clamped; // as from resume(), when the end had to fall: a record behind a clean
                                    // stop that pg_control does not know of will be overwritten
    };
    // Before EVERY start of the endpoint, with no server running and the scan advanced: makes the segment in
    // which writing resumes and all later ones private to this timeline, so that no other's log is ever
    // written to. `mayBePromoted`: the server will follow another until it is told to go on by itself.
    Result<Start> prepareStart(const ControlFile& control, bool mayBePromoted);

    // Makes the links of walkeep/<T> durable; before an fsync of pg_control is answered. Cheap when there are
    // none.
    Status syncKept();

    Lsn end() const { return {m_end.load(std::memory_order_acquire)}; }
    // Newer segments exist and the scan makes no progress: refuse forks and keep every segment.
    bool stuck() const { return m_stuck.load(std::memory_order_acquire); }
    const std::string& reason() const { return m_reader.reason(); } // why the log ends where it does
    const ScanState& state() const { return m_state; }
    WalChain& chain() { return m_chain; }

  private:
    Result<bool> nothingNew();
    std::size_t tailBytes(std::uint32_t length) const;
    bool nextTliBegan() const;
    Result<bool> readOn(WalSink& sink);
    Status readRecords(WalSink& sink);
    Result<std::vector<std::string>> ownFiles();
    Result<bool> followNewTli();
    Result<bool> newerSegmentsExist();
    void setState(const ScanState& state);
    bool owesLinks() const;
    Status keepSegments();
    Status keep(std::uint64_t number);
    Result<bool> stillHolds(const ScanState& state);
    Result<ScanState> findDivergence(const ScanState& anchor);

    WalChain m_chain;
    const WalFormat& m_format;
    const Directories m_directories;
    WalReader m_reader;
    ScanState m_state;
    std::atomic<std::uint64_t> m_end;
    std::atomic<bool> m_stuck{false};
    // A record that was only begun at the end: the bytes that make it so, and those that were seen this time.
    // Empty: unknown.
    std::vector<std::byte> m_unfinished;
    std::vector<std::byte> m_tail;
    Lsn m_lastReport;         // where the sink last heard of us
    std::uint64_t m_keepFrom; // the first segment that may lack its link in walkeep
    bool m_keptUnsynced = false;
    bool m_mayBePromoted = true; // unless prepareStart() was told otherwise
};

} // namespace arbor
