// How many pages of a file are not the same version on two branches: what one of them, or both, has written
// since their lineages parted. Exact by version; two versions may still hold the same bytes.
#pragma once

#include "storage/engine/engine.h"

namespace arbor {

struct PageDifference {
    std::uint64_t pages = 0; // of the file in `mine`
    std::uint64_t differing = 0;
};

// A file as a view of the past, or of a head that has been synced, sees it: the index is asked.
struct SeenFile {
    const TimelineView& view;
    Attributes attributes;
};
// Every page differs from a file that is not there, or that is another one under the same name.
Result<PageDifference> pageDifference(Engine& engine, const SeenFile& mine, const SeenFile* theirs);

} // namespace arbor
