// Building a fork's pg_wal, and keeping every timeline's writes to itself (the README has the
// steps).
#pragma once

#include "storage/wal/wal_scanner.h"

namespace arbor {

// What a fork needs of its parent's log.
struct ForkWalPlan {
    ScanState state; // at the point where the fork's server will resume writing: state.end <= the LSN asked
                     // for. It is the fork's LSN from then on, and where its scan begins
    Lsn redo;        // where its recovery begins
    std::uint32_t tli = 1;  // the Postgres timeline that the recovery follows
    bool cleanStop = false; // nothing is replayed; writing resumes behind the checkpoint's record
    std::uint64_t firstSegment = 0;
    std::uint64_t endSegment = 0; // finished segments [firstSegment, endSegment) are linked
    std::optional<std::uint64_t>
        cutSegment; // copied up to state.end, zeros behind; none at a segment boundary
};

// Works out a fork at `at` with the fork's own pg_control. `chain` is the log as the fork sees it, which is
// the parent's with the first layer's limit at `at` (or none). `known` is a state at or before `at` if the
// caller has one (a mark): the log is read from there instead of from the redo point. Refused, in words: a
// cluster that is not yet consistent, a pg_control ahead of `at`, a needed segment that is gone.
Result<ForkWalPlan> planForkWal(WalChain& chain, const ControlFile& control, Lsn at,
                                const std::optional<ScanState>& known = {});

// Builds `directory` from the plan: `directory`.new is filled and synced, then renamed. Does nothing when
// `directory` exists; a half-built .new is thrown away first.
Status buildForkWal(WalChain& chain, const ForkWalPlan& plan, const std::string& directory);

// Syncs the log between two LSNs: before a fork at `to` is acknowledged.
Status syncLog(WalChain& chain, Lsn from, Lsn to);

struct UnshareDirectories {
    std::string wal;
    std::string keep;
};
// Gives a timeline private copies of the segments at and behind `resume` that others hold links of (links
// beyond wal/ and walkeep/), and makes all of them writable; walkeep/ follows. With `cut`, what lies behind
// `resume` is void: the segment is copied in any case, with zeros behind, and later ones are removed.
Status unshareFrom(Disk& disk, const UnshareDirectories& directories, std::uint32_t segmentSize, Lsn resume,
                   bool cut);

} // namespace arbor
