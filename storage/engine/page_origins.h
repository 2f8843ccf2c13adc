// Which timeline of a view's lineage each page of a file comes from: what the branch has written itself, and
// what it still reads from whom.
#pragma once

#include "storage/engine/page_difference.h"

#include <functional>

namespace arbor {

struct PageOrigin {
    // Of the lineage's members: 0 the view's own timeline, 1 its parent ...; none: never written, reads as
    // zeros.
    std::optional<std::size_t> member;
    Position position; // of the version that answers
};

// Calls visit(block, origin) for the blocks of a file from `first` on, `count` at most. The index is asked, a
// chunk of 1024 blocks at a time.
Status pageOrigins(Engine& engine, const SeenFile& file, BlockNumber first, BlockNumber count,
                   const std::function<void(BlockNumber, const PageOrigin&)>& visit);

} // namespace arbor
