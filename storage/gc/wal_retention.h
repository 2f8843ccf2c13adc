// Which kept log segments nobody needs any more. Pure: the caller lists the directories and says what each
// pin needs; nothing is read and nothing removed here.
//
// A pin at LSN l whose recovery begins at redo needs the log [redo, l]. What of it lies before the timeline's
// fork is its parent's log, and that parent's files are kept too: a fork's own wal/ is derived and may have
// to be built again. In doubt a file stays: names that are no segments of a log (history files, partial
// ones), segments of a timeline that is kept whole, files of timelines that were made after the input was
// taken.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/lsn.h"
#include "storage/base/status.h"
#include "storage/disk/disk.h"

#include <optional>
#include <string>
#include <vector>

namespace arbor {

struct WalTimeline {
    TimelineId id;
    TimelineId parent; // none: a root
    Lsn forkLsn;
    std::uint32_t segmentSize = 16u << 20;
    // Its scan is stuck, or it is being made: all its files stay, and all its ancestors' up to its fork.
    bool keepAll = false;
};

struct WalNeed {
    TimelineId timeline;
    Lsn from; // the redo point
    Lsn to;   // inclusive: the segment in which writing resumes is needed. A head: Lsn{UINT64_MAX}
};

struct WalFile {
    TimelineId timeline;
    bool isKept = false; // in walkeep/<T>; else in wal/<T>, which is the server's own and never removed from
    std::string name;
    FileInfo info;
};

struct WalRetention {
    std::vector<std::size_t> removable; // indices into the files, all of them kept ones
    // Bytes on disk: each inode once, however many links it has.
    std::uint64_t totalBytes = 0;
    // Of inodes that go with the removable links, no other link being left anywhere.
    std::uint64_t freeBytes = 0;
    // For each need, the bytes of kept inodes that it alone keeps.
    std::vector<std::uint64_t> onlyBytes;
};

// InvalidArgument when a need or a parent names a timeline that is not listed. Files of timelines below
// `firstUnseen` that are not listed are needed by nobody.
Result<WalRetention> planWalRetention(const std::vector<WalTimeline>& timelines,
                                      const std::vector<WalNeed>& needs, const std::vector<WalFile>& files,
                                      TimelineId firstUnseen);

} // namespace arbor
