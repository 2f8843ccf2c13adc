// Which kept log segments nobody needs any more. Pure: the caller lists the directories and says what each
// pin needs; nothing is read and nothing removed here.
//
// A pin at LSN l whose recovery begins at redo needs the log [redo, l]. What of it lies before the timeline's
// fork is its parent's log, and that parent's files are kept too: a fork's own wal/ is derived and may have
// to be built again. In doubt a file stays, unless its timeline is forgotten and nothing needs it: names that
// are no segments of a log (history files, partial ones), segments of a timeline that is kept whole, files of
// timelines that were made after the input was taken.
#pragma once

#include "storage/base/lsn.h"
#include "storage/disk/disk.h"
#include "storage/gc/needs.h"

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
    // Whoever stands on it, a live branch or an entry of the trash: the files of its wal/ are its server's,
    // to be removed by nobody else. Empty: no server will ever run here, and they go like kept ones.
    Need stands = {};
    // The catalog forgets it at the end of the sweep, and its directories go as a whole.
    bool isForgotten = false;
};

struct WalNeed {
    TimelineId timeline;
    Lsn from; // the redo point
    Lsn to;   // inclusive: the segment in which writing resumes is needed. A head: Lsn{UINT64_MAX}
    Need need = {};
};

struct WalFile {
    TimelineId timeline;
    bool isKept = false; // in walkeep/<T>; else in wal/<T>
    std::string name;
    FileInfo info;
};

struct WalRetention {
    std::vector<std::size_t> removable; // indices into the files
    // Bytes on disk: each inode once, however many links it has.
    std::uint64_t totalBytes = 0;
    // Of inodes that go with the removable links, no other link being left anywhere.
    std::uint64_t freeBytes = 0;
    struct Use { // one inode
        std::uint64_t bytes = 0;
        Need need;           // empty: garbage
        TimelineId timeline; // in whose directory a link of it was found
    };
    std::vector<Use> uses;
};

// InvalidArgument when a need or a parent names a timeline that is not listed. Files of timelines below
// `firstUnseen` that are not listed are needed by nobody.
Result<WalRetention> planWalRetention(const std::vector<WalTimeline>& timelines,
                                      const std::vector<WalNeed>& needs, const std::vector<WalFile>& files,
                                      TimelineId firstUnseen);

} // namespace arbor
