// global/pg_control, read as Postgres reads it (catalog/pg_control.h).
#pragma once

#include "storage/base/time.h"
#include "storage/wal/wal_format.h"

namespace arbor {

enum class ClusterState : std::uint32_t { // DBState
    StartingUp,
    ShutDown,
    ShutDownInRecovery,
    ShuttingDown,
    InCrashRecovery,
    InArchiveRecovery,
    InProduction,
};

struct ControlFile {
    const WalFormat* format = nullptr;
    std::uint64_t systemId = 0;
    ClusterState state = ClusterState::StartingUp;
    Lsn checkpoint;            // of the record of the last Postgres checkpoint
    Lsn redo;                  // where a recovery from it begins
    std::uint32_t tli = 0;     // the checkpoint's
    std::uint64_t nextXid = 0; // 64-bit, at the checkpoint
    Timestamp checkpointTime;
    Lsn minRecoveryPoint;
    std::uint32_t minRecoveryTli = 0;
    Lsn backupStart;
    Lsn backupEnd;
    bool backupEndRequired = false;
    std::uint32_t walLevel = 0;
    std::uint32_t segmentSize = 0;
    std::uint32_t catalogVersion = 0;
    std::uint32_t relationSegmentBlocks = 0; // blocks in a file of a relation
    std::uint32_t blockSize = 0;
    std::uint32_t pageSize = 0;
    bool dataChecksums = false;

    // "Shut down": a start replays nothing and writes right behind the checkpoint's record.
    bool cleanlyShutDown() const {
        return state == ClusterState::ShutDown && !backupEndRequired && !backupStart;
    }
    // The Postgres timeline that a crash recovery follows.
    std::uint32_t recoveryTli() const { return minRecoveryTli > tli ? minRecoveryTli : tli; }
    // Whether the files are those of a database that could have crashed here, as opposed to one in the middle
    // of restoring a backup or following a primary towards the point where it becomes consistent. `at` is how
    // far its log reaches.
    bool consistentAt(Lsn at) const;
};

// Refuses, in words, a file that is too short, has a wrong checksum, or belongs to a PostgreSQL or to sizes
// that are not supported. Only the first 512 bytes are looked at.
Result<ControlFile> parseControlFile(Bytes file);

} // namespace arbor
