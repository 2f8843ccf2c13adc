// The write-ahead log's part of a collection: what the pins need of it, and the files that nobody needs.
#pragma once

#include "storage/engine/engine.h"
#include "storage/gc/needs.h"
#include "storage/gc/wal_retention.h"

#include <string>
#include <vector>

namespace arbor {

struct LogPlan {
    std::vector<WalFile> files;
    std::vector<std::string> paths; // of the files
    std::vector<WalNeed> needs;     // what each pin needs of it
    WalRetention retention;
    // Directories in wal/, walkeep/ and scratch/ of timelines that are gone.
    std::vector<std::string> deadTrees;
    // What could not be told, a sentence each: all of that timeline's log stays.
    std::vector<std::string> doubts;
};

// Reads the control file at every pin. With `thought` the catalog is another one, as the input's.
Result<LogPlan> planLog(Engine& engine, const GcInput& input, const NeedModel& model,
                        const Catalog* thought = nullptr);
// Removes what the plan says, and the directories of dead timelines; answers the bytes that came free.
Result<std::uint64_t> removeLog(Engine& engine, const LogPlan& plan);

} // namespace arbor
