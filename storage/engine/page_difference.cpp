#include "storage/engine/page_difference.h"

#include "storage/pages/page_map.h"

#include <algorithm>

namespace arbor {

Result<PageDifference> pageDifference(Engine& engine, const SeenFile& mine, const SeenFile* theirs) {
    const Index& index = engine.store().index();
    const InodeId file = mine.attributes.inode;
    const BlockNumber blocks = static_cast<BlockNumber>(blocksIn(mine.attributes.size));
    const bool same = theirs != nullptr && theirs->attributes.inode == file;
    const BlockNumber shared =
        same ? std::min(blocks, static_cast<BlockNumber>(blocksIn(theirs->attributes.size))) : 0;
    PageDifference difference{blocks, blocks - shared};
    if (shared == 0)
        return difference;
    const Lineage& myLineage = mine.view.lineage();
    const Lineage& theirLineage = theirs->view.lineage();
    ARBOR_ASSIGN(const auto myCuts, readCuts(index, myLineage, file));
    ARBOR_ASSIGN(const auto theirCuts, readCuts(index, theirLineage, file));
    for (BlockNumber first = 0; first < shared; first += blocksPerChunk) {
        ChunkRefs ours{};
        ChunkRefs others{};
        const std::uint32_t chunk = chunkOf(first);
        ARBOR_TRY(readChunk(index, myLineage, file, chunk, myCuts, ours, shared));
        ARBOR_TRY(readChunk(index, theirLineage, file, chunk, theirCuts, others, shared));
        // positions are unique in a store; an image may move between the two reads
        for (std::size_t i = 0; i < std::min<std::size_t>(blocksPerChunk, shared - first); ++i)
            difference.differing += ours[i].position == others[i].position ? 0 : 1;
    }
    return difference;
}

} // namespace arbor
