#include "storage/pages/page_map.h"

#include "storage/format/records.h"

#include <algorithm>

namespace arbor {

Position cutFloor(const std::vector<Cut>& cuts, BlockNumber block) {
    for (auto cut = cuts.rbegin(); cut != cuts.rend(); ++cut)
        if (cut->firstGone <= block)
            return cut->position;
    return {};
}

Result<std::vector<Cut>> readCuts(const Index& index, const Lineage& lineage, InodeId inode) {
    std::vector<Cut> cuts;
    LineageCursor cursor(index, lineage, inodePrefix(tag::cut, inode));
    for (; cursor.valid(); cursor.next()) {
        const auto key = parseInodeKey(cursor.key());
        if (!key)
            return makeError(ErrorKind::Corruption, "a truncation of file {} has a damaged key", inode);
        ARBOR_ASSIGN(const std::uint64_t size, decodeCut(cursor.value()));
        cuts.push_back({key->position, static_cast<BlockNumber>(blocksIn(size))});
    }
    ARBOR_TRY(cursor.status());
    std::reverse(cuts.begin(), cuts.end());
    return cuts;
}

namespace {

// The floor of every block of a chunk at once: a cut hides all blocks from its own on.
std::array<Position, blocksPerChunk> floorsOf(const std::vector<Cut>& cuts, BlockNumber firstBlock) {
    std::array<Position, blocksPerChunk> floors{};
    for (const Cut& cut : cuts) {
        const BlockNumber begin = cut.firstGone <= firstBlock ? 0 : cut.firstGone - firstBlock;
        for (BlockNumber i = begin; i < blocksPerChunk; ++i)
            floors[i] = std::max(floors[i], cut.position);
    }
    return floors;
}

} // namespace

Status readChunk(const Index& index, const Lineage& lineage, InodeId inode, std::uint32_t chunk,
                 const std::vector<Cut>& cuts, ChunkRefs& into, BlockNumber blocks) {
    const BlockNumber firstBlock = chunk * blocksPerChunk;
    const auto floors = floorsOf(cuts, firstBlock);
    const Position lowestFloor = *std::min_element(floors.begin(), floors.end());
    const std::size_t wanted =
        std::min<std::size_t>(blocksPerChunk, blocks > firstBlock ? blocks - firstBlock : 0);
    std::size_t missing = 0;
    for (std::size_t i = 0; i < wanted; ++i)
        missing += into[i].position ? 0 : 1;
    // newest first: what a block has already is newer than anything that follows
    LineageCursor cursor(index, lineage, pageRunPrefix(inode, chunk));
    for (; cursor.valid() && missing > 0; cursor.next()) {
        const auto key = parsePageRunKey(cursor.key());
        if (!key)
            return makeError(ErrorKind::Corruption, "a page run of file {} has a damaged key", inode);
        auto versions = decodePageRun(key->first, cursor.value());
        if (!versions)
            return std::move(versions).error().during(
                fmt::format("file {} blocks from {}", inode, firstBlock));
        if (versions->back().position <= lowestFloor)
            break; // every older version lies below a truncation
        for (auto version = versions->rbegin(); version != versions->rend(); ++version) {
            if (chunkOf(version->block) != chunk)
                return makeError(ErrorKind::Corruption, "a page run of file {} names block {}", inode,
                                 version->block);
            const std::size_t i = version->block - firstBlock;
            if (i >= wanted || version->position > cursor.member().upTo || into[i].position ||
                version->position <= floors[i])
                continue;
            into[i] = {version->position, version->location};
            --missing;
        }
    }
    return cursor.status();
}

PageMap::PageMap(const Index& index, const Lineage& lineage, InodeId inode, PageMapStats& stats,
                 const std::atomic<std::uint64_t>& size)
    : m_index(index), m_lineage(lineage), m_inode(inode), m_stats(stats), m_size(size) {}

PageMap::~PageMap() {
    const WriteLock lock(m_mutex);
    for (const auto& chunk : m_chunks)
        m_stats.chunks -= chunk ? 1 : 0;
}

PageMap::Chunk& PageMap::chunkFor(std::uint32_t number) {
    if (number >= m_chunks.size())
        m_chunks.resize(number + 1);
    if (!m_chunks[number]) {
        m_chunks[number] = std::make_unique<Chunk>();
        ++m_stats.chunks;
    }
    return *m_chunks[number];
}

Status PageMap::fill(std::uint32_t number) {
    if (!m_cutsRead) {
        ARBOR_ASSIGN(auto cuts, readCuts(m_index, m_lineage, m_inode));
        std::erase_if(cuts, [&](const Cut& cut) ARBOR_REQUIRES(m_mutex) { return cut.position >= m_ended; });
        // those made since the map exists may be in the index already; order is by position and doubles do no
        // harm
        cuts.insert(cuts.end(), m_cuts.begin(), m_cuts.end());
        std::sort(cuts.begin(), cuts.end(),
                  [](const Cut& a, const Cut& b) { return a.position < b.position; });
        m_cuts = std::move(cuts);
        m_cutsRead = true;
    }
    Chunk& chunk = chunkFor(number);
    ChunkRefs refs = chunk.refs;
    const std::uint64_t blocks = blocksIn(m_size.load());
    ARBOR_TRY(readChunk(m_index, m_lineage, m_inode, number, m_cuts, refs,
                        static_cast<BlockNumber>(std::min<std::uint64_t>(blocks, UINT32_MAX))));
    chunk.refs = refs;
    chunk.filled = true;
    return {};
}

Result<PageRef> PageMap::find(BlockNumber block) {
    PageRef ref;
    ARBOR_TRY(findMany(block, 1, &ref));
    return ref;
}

Status PageMap::findMany(BlockNumber first, std::size_t count, PageRef* into) {
    std::size_t done = 0;
    const auto copyFilled = [&]() ARBOR_REQUIRES_SHARED(m_mutex) {
        while (done < count) {
            const BlockNumber block = first + static_cast<BlockNumber>(done);
            const std::uint32_t number = chunkOf(block);
            Chunk* chunk = number < m_chunks.size() ? m_chunks[number].get() : nullptr;
            if (chunk == nullptr || !chunk->filled)
                return;
            chunk->used.store(true, std::memory_order_relaxed);
            const std::size_t offset = block % blocksPerChunk;
            const std::size_t part = std::min(count - done, blocksPerChunk - offset);
            std::copy_n(chunk->refs.begin() + static_cast<std::ptrdiff_t>(offset), part, into + done);
            done += part;
        }
    };
    {
        const ReadLock lock(m_mutex);
        copyFilled();
    }
    while (done < count) {
        const WriteLock lock(m_mutex);
        ARBOR_TRY(fill(chunkOf(first + static_cast<BlockNumber>(done))));
        copyFilled();
    }
    return {};
}

void PageMap::set(BlockNumber block, PageRef ref, std::uint64_t epoch) {
    const WriteLock lock(m_mutex);
    Chunk& chunk = chunkFor(chunkOf(block));
    chunk.refs[block % blocksPerChunk] = ref;
    chunk.epoch = epoch;
    chunk.used.store(true, std::memory_order_relaxed);
}

void PageMap::cut(Cut cut) {
    const WriteLock lock(m_mutex);
    m_cuts.push_back(cut);
    for (std::size_t number = chunkOf(cut.firstGone); number < m_chunks.size(); ++number) {
        if (!m_chunks[number])
            continue;
        const std::size_t firstBlock = number * blocksPerChunk;
        const std::size_t begin = cut.firstGone > firstBlock ? cut.firstGone - firstBlock : 0;
        std::fill(m_chunks[number]->refs.begin() + static_cast<std::ptrdiff_t>(begin),
                  m_chunks[number]->refs.end(), PageRef{});
    }
}

void PageMap::outlive(Position position) {
    const WriteLock lock(m_mutex);
    m_ended = position;
}

Position PageMap::outlivedAt() const {
    const ReadLock lock(m_mutex);
    return m_ended;
}

void PageMap::addUnindexed(std::set<SegmentId>& segments) const {
    const ReadLock lock(m_mutex);
    for (const auto& chunk : m_chunks) {
        if (!chunk || chunk->epoch != UINT64_MAX)
            continue;
        for (const PageRef& ref : chunk->refs)
            if (ref.position >= m_ended && !ref.location.isZeroPage())
                segments.insert(ref.location.segment());
    }
}

void PageMap::repoint(std::span<const PageVersion> versions) {
    const WriteLock lock(m_mutex);
    for (const PageVersion& version : versions) {
        const std::uint32_t number = chunkOf(version.block);
        if (number >= m_chunks.size() || !m_chunks[number])
            continue;
        PageRef& ref = m_chunks[number]->refs[version.block % blocksPerChunk];
        if (ref.position == version.position)
            ref.location = version.location;
    }
}

void PageMap::evict(std::uint64_t syncedEpoch) {
    const WriteLock lock(m_mutex);
    for (auto& chunk : m_chunks) {
        if (!chunk || chunk->epoch > syncedEpoch)
            continue;
        if (chunk->used.exchange(false, std::memory_order_relaxed))
            continue;
        chunk.reset();
        --m_stats.chunks;
    }
}

} // namespace arbor
