// What an import finds before it writes anything: a data directory, looked at from outside. Nothing in it is
// changed.
#pragma once

#include "storage/base/status.h"
#include "storage/wal/pg_control.h"

#include <cstdint>
#include <string>
#include <vector>

namespace arbor {

struct SourceTablespace {
    std::string oid;
    std::string location; // canonical; the directory that holds PG_15_...
    std::string shownAs;  // where it lies for those who know its server
};

struct DataDirectory {
    std::string path; // canonical
    int major = 0;
    ControlFile control;
    std::string walDirectory;     // canonical: pg_wal may be a link to anywhere
    std::string versionDirectory; // "PG_15_202209061", this major's part of a tablespace
    std::vector<SourceTablespace> tablespaces;
    std::vector<std::string> replicationSlots; // of replication
    std::string owner;                         // of the directory: initdb's default superuser bears that name
    // postgresql.conf, which Debian keeps elsewhere; "" when there is none
    std::string configurationFile;
    bool isStandby = false;   // standby.signal or recovery.signal: promoted when it is imported
    bool isBackup = false;    // backup_label
    bool isElsewhere = false; // copied from another server: paths that lead outside mean nothing here
    Lsn recoverFrom;          // the log is needed from here on
    std::uint64_t bytes = 0;  // to copy: tables, and the log that is needed

    bool cleanlyStopped() const { return control.cleanlyShutDown() && !isStandby && !isBackup; }
};

// Refuses, each in a sentence that says what to do: what is not a data directory (NotFound, InvalidArgument),
// what cannot be read (Permission), a server that runs on it (Busy), an unsupported major, block or segment
// size (Unsupported).
Result<DataDirectory> inspectDataDirectory(const std::string& path);

// Busy, with pid and start time, while a server runs on the directory.
Status checkNotRunning(const std::string& dataDirectory);

// The names in pg_wal that a root needs: segments from the one that recovery begins in, and history files.
// What was set aside for later use is not among them.
Result<std::vector<std::string>> neededLog(Disk& disk, const DataDirectory& source);

// Refused when the log that recovery replays makes a tablespace at a place outside: a server in the store
// would write there.
Status checkReplay(Disk& disk, const DataDirectory& source);

} // namespace arbor
