// Judges LevelDB's files before LevelDB opens them, because LevelDB believes too much (see log_file.h).
//
// What must hold, or the index is Corruption with the name of a file and, in a log, the offset:
//  1. CURRENT names a MANIFEST that exists; it may be absent only where there is neither log nor table.
//  2. The MANIFEST is an unbroken chain of edits. Only its last one may be torn: it was being written.
//  3. The log that the MANIFEST names is there, and so is an unbroken chain of batches from there on:
//  LevelDB's
//     sequence numbers follow each other within a log and across logs, and the first batch does not begin
//     behind what the MANIFEST says had been given out. (It may begin earlier: numbers in the MANIFEST run
//     ahead of the log that it names. Logs older than that one are left-overs.)
//  4. Only the last batch of the newest log may be torn: every other one had been synced before.
// A torn end is cut off and the cut synced, so that nothing can ever be appended or read behind it.
#pragma once

#include "storage/disk/disk.h"

namespace arbor {

// The directory's lock must be held, and LevelDB not be open on it.
Status inspectIndexFiles(Disk& disk, const std::string& directory);

} // namespace arbor
