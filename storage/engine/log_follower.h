// What a timeline needs of its write-ahead log: where the last complete record ends, and what happened in it.
#pragma once

#include "storage/base/lsn.h"
#include "storage/base/status.h"
#include "storage/base/time.h"
#include "storage/disk/index.h"
#include "storage/wal/wal_marks.h"

#include <string>
#include <vector>

namespace arbor {

// A point of a log that was asked for in other words, and what was adjusted (empty: nothing).
struct LogAnswer {
    Lsn lsn;
    std::string message;
};

// Follows one timeline's log. Thread-safe.
class LogFollower {
  public:
    using Effort = WalScanner::Effort;

    virtual ~LogFollower() = default;
    // Scans to the last complete record there is and answers where it ends; never goes back while the view is
    // open. Segments that were entered on the way are kept before it returns. Cheap when nothing is new.
    virtual Result<Lsn> advance(Effort effort = Effort::Quick) = 0;
    // Commit records up to where the scan is, those of the parent's log before the fork included.
    virtual std::uint64_t commits() const = 0;
    // Marks that accumulated since the last call; durable() says that they are.
    virtual void collect(IndexBatch& batch) = 0;
    virtual void durable() = 0;
    // Makes the kept segments durable.
    virtual Status syncKept() = 0;
    // Makes the log itself durable up to `lsn`: before a fork there is acknowledged.
    virtual Status syncLog(Lsn lsn) = 0;
    // Nothing of the timeline matters any more, and its directories may go while its head is still open: from
    // here on nothing is read or made durable there. Returns when nobody does so.
    virtual void abandon() {}
    // Not empty while a fork would not be safe: a sentence that says why.
    virtual std::string refusal() const = 0;

    // Makes the directory that a server of the timeline writes its log into, if there is none yet: a fork
    // that is only looked at reads its parent's. Before anything is started on it.
    virtual Status build() { return {}; }
    // Before every start of a server, with none running: sees to it that nothing which others hold links of
    // will be written. `control` is global/pg_control; `mayBePromoted`: the server will start as a standby.
    virtual Status prepareStart(Bytes control, bool mayBePromoted) = 0;

    // The history begins at `start` now: what was noted of the timeline's log before goes with the next sync.
    virtual Status forgetBefore(Lsn start) = 0;

    // Points of the whole lineage's log; `from` is where its history begins. They read the index: sync
    // before.
    virtual Result<LogAnswer> atLsn(Lsn from, Lsn lsn) = 0;
    virtual Result<LogAnswer> atTime(Lsn from, Timestamp time) = 0;
    virtual Result<LogAnswer> atXid(Lsn from, std::uint64_t xid) = 0;
    virtual Result<std::vector<WalMark>> marks(Lsn from, Lsn to, std::size_t limit) = 0;
    virtual Result<std::vector<WalMarks::Point>> curve(Lsn from, Lsn to, std::size_t limit) = 0;
};

} // namespace arbor
