// The content of files in a TimelineView: reads, writes, truncation.
#include "storage/engine/timeline_view.h"
#include "storage/format/keys.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace arbor {

namespace {

// Postgres's own limit is far below; a block number must fit 32 bits.
constexpr std::uint64_t maxFileBytes = std::uint64_t{UINT32_MAX} * blockSize;

BlockNumber blockOf(std::uint64_t offset) {
    return static_cast<BlockNumber>(offset / blockSize);
}

// Adds [begin, end) to parts, joining what touches. True when the parts cover the block.
bool addPart(std::vector<std::pair<std::size_t, std::size_t>>& parts, std::size_t begin, std::size_t end) {
    std::erase_if(parts, [&](const auto& part) {
        if (part.second < begin || part.first > end)
            return false;
        begin = std::min(begin, part.first);
        end = std::max(end, part.second);
        return true;
    });
    parts.emplace_back(begin, end);
    std::sort(parts.begin(), parts.end());
    return parts.size() == 1 && begin == 0 && end == blockSize;
}

} // namespace

Result<NodePtr> TimelineView::regularFile(InodeId inode) {
    ARBOR_ASSIGN(NodePtr node, find(inode));
    if (node->isDirectory())
        return makeError(ErrorKind::IsADirectory, "file {} is a directory", inode);
    if (node->attributes.type != FileType::Regular)
        return makeError(ErrorKind::InvalidArgument, "file {} is a symbolic link", inode);
    return node;
}

Result<std::size_t> TimelineView::read(InodeId inode, std::uint64_t offset, MutableBytes into) {
    ARBOR_ASSIGN(const NodePtr node, regularFile(inode));
    if (node->loose)
        return node->loose->read(offset, into);
    const std::uint64_t size = node->size;
    if (offset >= size)
        return 0;
    into = into.first(std::min<std::uint64_t>(into.size(), size - offset));
    readAhead(*node, offset, into.size());
    ARBOR_TRY(readBlocks(*node, offset, into));
    if (m_halves.load(std::memory_order_relaxed) != 0) {
        const MutexLock lock(node->writeMutex);
        for (const auto& [block, half] : node->halves)
            for (const auto& [begin, end] : half.parts) {
                const std::uint64_t from = std::max(offset, std::uint64_t{block} * blockSize + begin);
                const std::uint64_t to =
                    std::min(offset + into.size(), std::uint64_t{block} * blockSize + end);
                if (from < to)
                    std::memcpy(into.data() + (from - offset), half.bytes.data() + from % blockSize,
                                to - from);
            }
    }
    return into.size();
}

Status TimelineView::readBlocks(Node& node, std::uint64_t offset, MutableBytes into) {
    constexpr std::size_t refsAtOnce = 128; // the kernel asks for a megabyte at most
    std::array<PageRef, refsAtOnce> refs;
    std::array<std::byte, blockSize> partial;
    while (!into.empty()) {
        const BlockNumber first = blockOf(offset);
        const BlockNumber last = blockOf(offset + into.size() - 1);
        const std::size_t count = std::min<std::size_t>(last - first + 1, refsAtOnce);
        ARBOR_TRY(node.map->findMany(first, count, refs.data()));
        for (PageRef& ref : std::span(refs).first(count))
            ref.location = m_store.packer().current(ref.location);
        for (std::size_t i = 0; i < count;) {
            const std::size_t skip = offset % blockSize;
            const std::size_t bytes = std::min(blockSize - skip, into.size());
            const BlockNumber block = first + static_cast<BlockNumber>(i);
            std::size_t done = 0;
            if (skip == 0 && into.size() >= 2 * blockSize)
                done = readTogether(node, block, std::span(refs).subspan(i, count - i), into);
            if (done > 0) {
                i += done;
                offset += done * blockSize;
                into = into.subspan(done * blockSize);
                continue;
            }
            const bool whole = bytes == blockSize;
            const MutableBytes page = whole ? into.first(blockSize) : MutableBytes(partial);
            ARBOR_TRY(readBlock(node, block, refs[i], page));
            if (!whole)
                std::memcpy(into.data(), partial.data() + skip, bytes);
            into = into.subspan(bytes);
            offset += bytes;
            ++i;
        }
    }
    return {};
}

namespace {

// Images that lie behind one another in a segment, with small gaps, are one read of the disk.
struct ImageStretch {
    SegmentId segment;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;

    // not a ticket
    explicit ImageStretch(ImageLocation first)
        : segment(first.segment()), begin(first.offset()), end(first.offset() + first.bytes()) {}
    bool takes(ImageLocation next, std::uint64_t gap) {
        if (next.isTicket() || next.segment() != segment || next.offset() < end || next.offset() > end + gap)
            return false;
        end = next.offset() + next.bytes();
        return true;
    }
};

// What is read for nothing costs less than another call to the kernel would, up to here.
constexpr std::uint64_t gapToRead = 8u << 10;

} // namespace

// As many whole blocks, from the first of refs on, as lie together; answers their number. None, or fewer than
// lie there, when anything is in the way: readBlock() finds out what, and says it.
std::size_t TimelineView::readTogether(const Node& node, BlockNumber first, std::span<const PageRef> refs,
                                       MutableBytes into) const {
    refs = refs.first(std::min(refs.size(), into.size() / blockSize));
    if (refs.empty() || !refs[0].hasImage() || refs[0].location.isTicket())
        return 0;
    ImageStretch stretch(refs[0].location);
    std::size_t count = 1;
    while (count < refs.size() && refs[count].hasImage() && stretch.takes(refs[count].location, gapToRead))
        ++count;
    if (count < 2)
        return 0;
    thread_local std::vector<std::byte> room; // a worker's own, and it stays
    StretchBuffer buffer{room};
    const auto raw =
        m_store.segments().readStretch(stretch.segment, stretch.begin, stretch.end - stretch.begin, buffer);
    if (!raw)
        return 0;
    for (std::size_t i = 0; i < count; ++i) {
        const ImageLocation location = refs[i].location;
        if (!decodeImage(raw->subspan(location.offset() - stretch.begin, location.bytes()), node.inode,
                         first + static_cast<BlockNumber>(i), refs[i].position,
                         into.subspan(i * blockSize, blockSize)))
            return i;
    }
    return count;
}

// Who reads on where the last read ended will go on: the disk is told of the images that come next. (The
// kernel's own read-ahead of the mount ends at what it has asked us for, and that of the segments sees reads
// that several workers have brought out of order.)
void TimelineView::readAhead(Node& node, std::uint64_t offset, std::uint64_t bytes) const {
    constexpr std::uint64_t least = 64u << 10; // less is no kernel that reads ahead
    constexpr std::uint64_t window = 8u << 20;
    constexpr std::uint64_t gap = 64u << 10;
    if (bytes < least)
        return;
    const std::uint64_t end = offset + bytes;
    const std::uint64_t before = node.readEnd.exchange(end, std::memory_order_relaxed);
    if (offset + window < before || offset > before + window) {
        node.aheadEnd.store(0, std::memory_order_relaxed);
        return;
    }
    const std::uint64_t size = node.size;
    const std::uint64_t ahead = node.aheadEnd.load(std::memory_order_relaxed);
    // processes that scan together are some windows apart
    const bool goesOn = ahead >= offset && ahead <= end + 4 * window;
    if (goesOn && ahead > end + window / 2)
        return;
    const BlockNumber first = blockOf(std::max(end, goesOn ? ahead : end));
    const BlockNumber last = blockOf(std::min(end + window, size) + blockSize - 1);
    if (first >= last)
        return;
    node.aheadEnd.store(std::uint64_t{last} * blockSize, std::memory_order_relaxed);
    std::vector<PageRef> refs(last - first);
    if (!node.map->findMany(first, refs.size(), refs.data()))
        return; // the read itself will say so
    // pages that were changed lie elsewhere than their neighbours, but near each other
    std::erase_if(refs, [](const PageRef& ref) { return !ref.hasImage() || ref.location.isTicket(); });
    std::sort(refs.begin(), refs.end(), [](const PageRef& one, const PageRef& other) {
        return std::pair(one.location.segment(), one.location.offset()) <
               std::pair(other.location.segment(), other.location.offset());
    });
    for (auto ref = refs.begin(); ref != refs.end();) {
        ImageStretch stretch(ref->location);
        while (++ref != refs.end() && stretch.takes(ref->location, gap))
            ;
        m_store.segments().willNeed(stretch.segment, stretch.begin, stretch.end - stretch.begin);
    }
}

Status TimelineView::readBlock(Node& node, BlockNumber block, PageRef ref, MutableBytes page) {
    for (int attempt = 0;; ++attempt) {
        if (!ref.hasImage()) {
            std::memset(page.data(), 0, page.size());
            return {};
        }
        auto done = m_store.packer().read(ref.location, node.inode, block, ref.position, page);
        if (done)
            return {};
        // a sweep or the packer has moved the image since it was looked up; the map knows where to
        constexpr int patience = 100;
        if (done.error().kind() == ErrorKind::NotFound && attempt < patience) {
            ARBOR_ASSIGN(ref, node.map->find(block));
            continue;
        }
        Error error =
            std::move(done).error().during(fmt::format("reading {} block {} of timeline {} at position {}",
                                                       pathOf(node), block, timeline(), ref.position));
        if (error.kind() == ErrorKind::NotFound) // its page must not look like a file that is not there
            return Error(ErrorKind::Corruption, error.message());
        return error;
    }
}

Status TimelineView::enter(Node& node, BlockNumber block, Position position, Bytes page) {
    PageVersion version{block, position, {}};
    if (!isZero(page)) {
        const ImageHeader header{timeline(), node.inode, block, position};
        // of a file that has lost its name only the map will know the image: it must say where it lies
        const auto ticket = node.ended ? std::nullopt : m_store.packer().hold(header, page);
        if (ticket) {
            version.location = *ticket;
        } else {
            ARBOR_ASSIGN(version.location,
                         m_store.segments().append(SegmentStore::Stream::Write, header, PreparedPage(page)));
        }
    }
    node.map->set(block, {position, version.location}, node.ended ? UINT64_MAX : m_store.epoch());
    if (node.ended)
        return {};
    PendingPages& pending = m_pending.pages[node.inode];
    if (!pending.node)
        pending.node = node.shared_from_this();
    pending.versions.push_back(version);
    m_store.accumulated(sizeof version);
    return {};
}

Status TimelineView::accept(Node& node, BlockNumber block, Bytes page, std::uint64_t end) {
    m_store.packer().makeRoom();
    const MutexLock order(m_mutex);
    const Position position = draw(m_last.lsn);
    ARBOR_TRY(enter(node, block, position, page));
    if (end > node.size) {
        if (node.ended)
            node.size = end;
        else
            setSize(node, end, position);
    }
    return {};
}

Status TimelineView::write(InodeId inode, std::uint64_t offset, Bytes bytes, WriterId writer) {
    ARBOR_TRY(writable());
    ARBOR_ASSIGN(const NodePtr node, regularFile(inode));
    if (bytes.empty())
        return {};
    if (offset > maxFileBytes || bytes.size() > maxFileBytes - offset)
        return makeError(ErrorKind::InvalidArgument, "a file cannot reach offset {}", offset);
    node->modifiedMicros.store(m_store.clock().now().micros, std::memory_order_relaxed);
    if (node->loose) {
        ARBOR_TRY(node->loose->write(offset, bytes));
        node->size = node->loose->size();
        return {};
    }
    // Whatever log these pages depend on was written before they were: the scan's end from here on covers
    // them.
    ARBOR_TRY(followLog());
    const MutexLock lock(node->writeMutex);
    return writeVersioned(*node, offset, bytes, writer);
}

Status TimelineView::writeVersioned(Node& node, std::uint64_t offset, Bytes bytes, WriterId writer) {
    if (!node.halves.empty())
        ARBOR_TRY(settleHalves(node, writer, offset, offset + bytes.size()));
    while (!bytes.empty()) {
        const BlockNumber block = blockOf(offset);
        const std::size_t skip = offset % blockSize;
        const std::size_t part = std::min(blockSize - skip, bytes.size());
        if (part == blockSize) {
            if (!node.halves.empty())
                m_halves -= node.halves.erase(block);
            ARBOR_TRY(accept(node, block, bytes.first(part), offset + part));
        } else {
            ARBOR_TRY(writePart(node, block, skip, bytes.first(part), writer));
        }
        bytes = bytes.subspan(part);
        offset += part;
    }
    return {};
}

// A writer that writes elsewhere has returned from its last write: what is held of it was all there was to
// come.
Status TimelineView::settleHalves(Node& node, WriterId writer, std::uint64_t offset, std::uint64_t end) {
    for (auto half = node.halves.begin(); half != node.halves.end();) {
        const std::uint64_t begin = std::uint64_t{half->first} * blockSize;
        const bool continued = offset < begin + blockSize && end > begin;
        if (half->second.writer != writer || continued) {
            ++half;
            continue;
        }
        const HalfPage held = half->second;
        const BlockNumber block = half->first;
        half = node.halves.erase(half);
        --m_halves;
        for (const auto& [from, to] : held.parts)
            ARBOR_TRY(mergePart(node, block, from, Bytes(held.bytes).subspan(from, to - from)));
    }
    return {};
}

Status TimelineView::writePart(Node& node, BlockNumber block, std::size_t offset, Bytes bytes,
                               WriterId writer) {
    if (!node.isPageFile)
        return mergePart(node, block, offset, bytes);
    auto [half, isNew] = node.halves.try_emplace(block);
    if (isNew)
        ++m_halves;
    if (half->second.writer != writer)
        half->second.parts.clear(); // somebody else's, who never finished it
    half->second.writer = writer;
    std::memcpy(half->second.bytes.data() + offset, bytes.data(), bytes.size());
    if (!addPart(half->second.parts, offset, offset + bytes.size()))
        return {};
    const auto page = half->second.bytes;
    node.halves.erase(half);
    --m_halves;
    return accept(node, block, page, (std::uint64_t{block} + 1) * blockSize);
}

// A part of a block, written over what is there.
Status TimelineView::mergePart(Node& node, BlockNumber block, std::size_t offset, Bytes bytes) {
    std::array<std::byte, blockSize> page;
    ARBOR_ASSIGN(const PageRef ref, node.map->find(block));
    ARBOR_TRY(readBlock(node, block, ref, page));
    std::memcpy(page.data() + offset, bytes.data(), bytes.size());
    return accept(node, block, page, std::uint64_t{block} * blockSize + offset + bytes.size());
}

void TimelineView::dropWriter(WriterId writer) {
    if (m_halves.load() == 0)
        return;
    std::vector<NodePtr> nodes;
    {
        const ReadLock lock(m_namesMutex);
        nodes = m_tree.all();
    }
    for (const NodePtr& node : nodes) {
        const MutexLock hold(node->writeMutex);
        m_halves -=
            std::erase_if(node->halves, [&](const auto& half) { return half.second.writer == writer; });
    }
}

std::vector<std::pair<InodeId, BlockNumber>> TimelineView::dropHalves() {
    std::vector<std::pair<InodeId, BlockNumber>> dropped;
    if (m_halves.load() == 0)
        return dropped;
    std::vector<NodePtr> nodes;
    {
        const ReadLock lock(m_namesMutex);
        nodes = m_tree.all();
    }
    for (const NodePtr& node : nodes) {
        const MutexLock hold(node->writeMutex);
        for (const auto& [block, half] : node->halves)
            dropped.emplace_back(node->inode, block);
        m_halves -= node->halves.size();
        node->halves.clear();
    }
    return dropped;
}

Status TimelineView::resize(Node& node, std::uint64_t size) {
    const std::uint64_t old = node.size;
    if (size == old)
        return {};
    const auto firstGone = static_cast<BlockNumber>(blocksIn(size));
    // the block that stays in part: its tail must read as zeros when the file grows again
    std::array<std::byte, blockSize> tail;
    bool keepsTail = false;
    if (size < old) {
        for (auto half = node.halves.lower_bound(blockOf(size)); half != node.halves.end(); --m_halves)
            half = node.halves.erase(half);
        if (size % blockSize != 0) {
            ARBOR_ASSIGN(const PageRef ref, node.map->find(blockOf(size)));
            if (ref.position) {
                ARBOR_TRY(readBlock(node, blockOf(size), ref, tail));
                std::memset(tail.data() + size % blockSize, 0, blockSize - size % blockSize);
                keepsTail = true;
            }
        }
    }
    const MutexLock order(m_mutex);
    const bool unlinked = node.ended;
    const Position position = draw(m_last.lsn);
    if (keepsTail)
        ARBOR_TRY(enter(node, blockOf(size), position, tail));
    if (size < old)
        node.map->cut({position, firstGone});
    if (unlinked) {
        node.size = size;
        return {};
    }
    setSize(node, size, position);
    if (size < old)
        m_pending.entries.put(versionKey(inodePrefix(tag::cut, node.inode), timeline(), position),
                              encodeCut(size));
    return {};
}

Status TimelineView::truncate(InodeId inode, std::uint64_t size) {
    ARBOR_TRY(writable());
    ARBOR_ASSIGN(const NodePtr node, regularFile(inode));
    if (size > maxFileBytes)
        return makeError(ErrorKind::InvalidArgument, "a file cannot have {} bytes", size);
    node->modifiedMicros = m_store.clock().now().micros;
    if (node->loose) {
        ARBOR_TRY(node->loose->truncate(size));
        node->size = size;
        return {};
    }
    ARBOR_TRY(followLog());
    const MutexLock lock(node->writeMutex);
    return resize(*node, size);
}

Status TimelineView::allocate(InodeId inode, std::uint64_t offset, std::uint64_t length, bool keepSize) {
    ARBOR_TRY(writable());
    ARBOR_ASSIGN(const NodePtr node, regularFile(inode));
    if (length == 0 || offset > maxFileBytes || length > maxFileBytes - offset)
        return makeError(ErrorKind::InvalidArgument, "a file cannot reach offset {}", offset);
    // The space itself cannot be set aside: the pages may compress, and old versions stay. ENOSPC shows at
    // the write.
    if (keepSize || offset + length <= node->size)
        return {};
    return truncate(inode, offset + length);
}

Status TimelineView::punchHole(InodeId inode, std::uint64_t offset, std::uint64_t length) {
    ARBOR_TRY(writable());
    ARBOR_ASSIGN(const NodePtr node, regularFile(inode));
    const std::uint64_t end = std::min<std::uint64_t>(node->size, offset + std::min(length, maxFileBytes));
    if (node->loose) {
        const std::string zeros(end > offset ? end - offset : 0, '\0');
        return node->loose->write(offset, std::as_bytes(std::span(zeros)));
    }
    ARBOR_TRY(followLog());
    const MutexLock lock(node->writeMutex);
    return zeroRange(*node, offset, end);
}

Status TimelineView::zeroRange(Node& node, std::uint64_t offset, std::uint64_t end) {
    static constexpr std::array<std::byte, blockSize> zeros{};
    while (offset < end) {
        const std::size_t skip = offset % blockSize;
        const std::size_t part = std::min<std::uint64_t>(blockSize - skip, end - offset);
        ARBOR_ASSIGN(const PageRef ref, node.map->find(blockOf(offset)));
        if (ref.hasImage())
            ARBOR_TRY(mergePart(node, blockOf(offset), skip, Bytes(zeros).first(part)));
        offset += part;
    }
    return {};
}

} // namespace arbor
