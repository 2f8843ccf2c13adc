#include "storage/engine/page_origins.h"

#include "storage/pages/page_map.h"

#include <algorithm>

namespace arbor {

namespace {

// Positions only grow along a lineage: a child's lie behind its fork point.
PageOrigin originOf(const PageRef& ref, const std::vector<Lineage::Member>& members) {
    if (!ref.position)
        return {};
    std::size_t member = 0;
    while (member + 1 < members.size() && ref.position <= members[member + 1].upTo)
        ++member;
    return {member, ref.position};
}

} // namespace

Status pageOrigins(Engine& engine, const SeenFile& file, BlockNumber first, BlockNumber count,
                   const std::function<void(BlockNumber, const PageOrigin&)>& visit) {
    const Index& index = engine.store().index();
    const Lineage& lineage = file.view.lineage();
    const InodeId inode = file.attributes.inode;
    const std::uint64_t blocks = blocksIn(file.attributes.size);
    const std::uint64_t end = std::min(std::uint64_t{first} + count, blocks);
    ARBOR_ASSIGN(const auto cuts, readCuts(index, lineage, inode));
    for (std::uint64_t block = first; block < end;) {
        const std::uint32_t chunk = chunkOf(static_cast<BlockNumber>(block));
        ChunkRefs refs{};
        ARBOR_TRY(readChunk(index, lineage, inode, chunk, cuts, refs, static_cast<BlockNumber>(blocks)));
        const std::uint64_t chunkStart = std::uint64_t{chunk} * blocksPerChunk;
        for (; block < std::min(end, chunkStart + blocksPerChunk); ++block)
            visit(static_cast<BlockNumber>(block), originOf(refs[block - chunkStart], lineage.members()));
    }
    return {};
}

} // namespace arbor
