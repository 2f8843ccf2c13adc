// How one read finds its page: which timelines were asked, which version answers, and all other versions of
// the page that there are, on whatever timeline.
#pragma once

#include "storage/engine/engine.h"
#include "storage/gc/planner.h"

#include <vector>

namespace arbor {

struct PageTrace {
    struct Step { // a timeline of the lineage, the reader's first
        TimelineId timeline;
        Position upTo;
        std::size_t versions = 0; // of the page, that the reader sees here
        bool answers = false;
    };
    struct Version {
        TimelineId timeline;
        Position position;
        Lsn lsn;      // of the position
        Timestamp at; // when it was synced; 0: not known
        ImageLocation location;
        bool answers = false;
        bool isNeeded = false;
        // Pins that need it, as indices into the input's; empty where more than `maxPins` do.
        std::vector<std::size_t> pins;
    };
    static constexpr std::size_t maxPins = 16;
    std::vector<Step> chain;       // up to the one that answers
    std::vector<Version> versions; // newest first
    bool isHole = false;           // no version: the page reads as zeros
    Lsn pageLsn;                   // pd_lsn of the content, for people; 0 of a page of zeros
};

// `file` is an inode that the point sees. Who needs what is asked of the input; the index must have been
// synced.
Result<PageTrace> tracePage(Engine& engine, const TimelinePoint& point, InodeId file, BlockNumber block,
                            const GcInput& input);

} // namespace arbor
