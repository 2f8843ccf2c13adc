// What the product wants to know of a log: who committed when, where checkpoints, restore points and timeline
// switches are, which databases came and went. All other records are passed over.
#pragma once

#include "storage/base/time.h"
#include "storage/wal/wal_reader.h"

#include <optional>
#include <string>
#include <vector>

namespace arbor {

enum class WalEventKind : std::uint8_t {
    Commit,              // also of a prepared transaction
    Abort,               // likewise
    Prepare,             //
    CheckpointOnline,    //
    CheckpointShutdown,  // also the one that ends a crash recovery
    EndOfRecovery,       // a promotion: a new Postgres timeline begins
    RestorePoint,        // pg_create_restore_point()
    ParameterChange,     //
    OverwriteContrecord, // behind a record that a crash left unfinished
    DatabaseCreate,      //
    DatabaseDrop,        //
    SharedInplace, // an in-place change of a row of a shared catalog: DROP DATABASE's first mark, or vacuum's
    SharedDelete,  // a deleted row of a shared catalog
};

struct RelationFile {
    std::uint32_t tablespace = 0;
    std::uint32_t database = 0;
    std::uint32_t relation = 0;
    auto operator<=>(const RelationFile&) const = default;
};

struct WalEvent {
    WalEventKind kind = WalEventKind::Commit;
    Lsn start, end;                     // of the record
    std::uint32_t xid = 0;              // the transaction concerned: of a prepared one its own
    std::vector<std::uint32_t> subxids; // commit, abort, prepare
    std::vector<RelationFile> dropped;  // files that go with a commit or abort
    bool prepared = false;              // COMMIT PREPARED, ROLLBACK PREPARED
    Timestamp time;                     // commit, abort, prepare, checkpoint, restore point, end of recovery
    Lsn redo;                           // checkpoints
    std::uint64_t nextXid = 0;          // checkpoints; 64-bit
    std::uint32_t tli = 0, previousTli = 0; // checkpoints, end of recovery
    std::string name;                       // restore point; gid of a prepare
    std::uint32_t database = 0;             // create, drop
    bool fileCopy = false;                  // create by STRATEGY file_copy
    BlockReference block;                   // shared in-place, shared delete
    std::uint16_t item = 0;                 //
};

// What a record means; nothing for one of no interest. Corruption if its body is shorter than its kind needs.
Result<std::optional<WalEvent>> eventOf(const WalRecord& record, const WalFormat& format);
// Whether eventOf could find anything: a look at two bytes.
bool mayBeEvent(const WalRecord& record);

} // namespace arbor
