#include "gc_support.h"

#include <algorithm>
#include <array>

namespace arbor::gctest {

TestStore::TestStore(Disk& disk, std::string directory) : m_disk(disk), m_directory(std::move(directory)) {}

Status TestStore::open() {
    ARBOR_TRY(ensureDirectory(m_disk, m_directory));
    ARBOR_TRY(ensureDirectory(m_disk, m_directory + "/pages"));
    Index::Options options;
    ARBOR_ASSIGN(m_index, Index::open(m_disk, m_directory + "/index", options));
    ARBOR_ASSIGN(const auto value, m_index->get(std::string(1, tag::marker)));
    Marker marker{0, {0}, {1}, {1}, {}};
    if (value) {
        ARBOR_ASSIGN(marker, decodeMarker(*value));
    }
    position = std::max(position, marker.position);
    m_batch = marker.batch;
    SegmentStore::Options segments;
    segments.segmentBytes = segmentBytes;
    segments.bufferBytes = 4096;
    segments.marginBytes = marginBytes;
    ARBOR_ASSIGN(m_segments, SegmentStore::open(m_disk, m_directory + "/pages", marker, segments));
    return {};
}

void TestStore::close() {
    m_segments.reset();
    m_index.reset();
}

Status TestStore::commit(IndexBatch& batch) {
    ARBOR_TRY(m_segments->sync());
    Marker marker;
    marker.batch = m_batch + 1;
    marker.position = position;
    marker.nextInode = {1000000};
    m_segments->describe(marker);
    batch.put(std::string(1, tag::marker), encodeMarker(marker));
    ARBOR_TRY(m_index->write(batch));
    ++m_batch;
    return {};
}

std::uint64_t TestStore::segmentFileBytes() {
    std::uint64_t bytes = 0;
    for (const std::string& name : must(m_disk.list(m_directory + "/pages")))
        if (name.ends_with(".seg"))
            bytes += must(m_disk.info(m_directory + "/pages/" + name)).size;
    return bytes;
}

History::History(TestStore& store, std::uint64_t seed) : random(seed), m_store(store) {
    addTimeline({}, {});
    AttributeRecord record;
    record.type = FileType::Directory;
    m_pending[{1}].entries.put(versionKey(inodePrefix(tag::attributes, root), {1}, draw({1})),
                               encodeAttributes(record));
}

TimelineId History::addTimeline(TimelineId parent, Position fork) {
    const TimelineId id{m_timelines.size() + 1};
    m_timelines.push_back({id, parent, fork});
    if (parent) {
        // a fork at the parent's own fork point sees what the parent began with
        const auto& past = m_past[parent];
        const auto after = past.upper_bound(fork);
        m_files[id] = std::prev(after)->second;
    }
    m_past[id][fork] = m_files[id];
    return id;
}

TimelineId History::randomTimeline() {
    return m_timelines[upTo(m_timelines.size())].id;
}

Position History::draw(TimelineId timeline) {
    const Position position{++m_store.position.value};
    if (upTo(3) == 0)
        m_pending[timeline].lsns.push_back({position, {position.value * 100}});
    return position;
}

void History::setSize(TimelineId timeline, InodeId inode, std::uint64_t size, Position position) {
    m_pending[timeline].sizes[inode].push_back({position, size});
}

void History::putAttributes(TimelineId timeline, InodeId inode, std::uint32_t links, Position position) {
    AttributeRecord record;
    record.links = links;
    record.mode = static_cast<std::uint32_t>(position.value);
    m_pending[timeline].entries.put(versionKey(inodePrefix(tag::attributes, inode), timeline, position),
                                    encodeAttributes(record));
}

void History::create(TimelineId timeline, const std::string& name) {
    const Position position = draw(timeline);
    const InodeId inode{m_nextInode++};
    m_pending[timeline].entries.put(nameKey(root, timeline, name, position),
                                    encodeName({inode, FileType::Regular}));
    putAttributes(timeline, inode, 1, position);
    m_files[timeline][name] = {inode, 0};
    m_past[timeline][position] = m_files[timeline];
}

void History::unlink(TimelineId timeline, const std::string& name) {
    const Position position = draw(timeline);
    const InodeId inode = m_files[timeline].at(name).inode;
    m_pending[timeline].entries.put(nameKey(root, timeline, name, position), encodeName({}));
    putAttributes(timeline, inode, 0, position);
    m_pending[timeline].entries.put(versionKey(inodePrefix(tag::cut, inode), timeline, position),
                                    encodeCut(0));
    m_cuts.push_back({timeline, inode, position, 0});
    m_files[timeline].erase(name);
    m_past[timeline][position] = m_files[timeline];
}

void History::truncate(TimelineId timeline, const std::string& name, std::uint64_t size) {
    File& file = m_files[timeline].at(name);
    const Position position = draw(timeline);
    setSize(timeline, file.inode, size, position);
    if (size < file.size) {
        m_pending[timeline].entries.put(versionKey(inodePrefix(tag::cut, file.inode), timeline, position),
                                        encodeCut(size));
        m_cuts.push_back(
            {timeline, file.inode, position, static_cast<BlockNumber>((size + blockSize - 1) / blockSize)});
    }
    file.size = size;
    m_past[timeline][position] = m_files[timeline];
}

void History::write(TimelineId timeline, const std::string& name, BlockNumber block) {
    File& file = m_files[timeline].at(name);
    std::array<std::byte, blockSize> page{};
    const std::size_t noise = upTo(8) == 0 ? 0 : upTo(10) == 0 ? blockSize : upTo(2000);
    for (std::size_t i = 0; i < noise; ++i)
        page[i] = static_cast<std::byte>(random());
    const PreparedPage prepared(page);
    const Position position = draw(timeline);
    PageVersion version{block, position, {}};
    if (!prepared.isZeroPage())
        version.location = must(m_store.segments().append(SegmentStore::Stream::Write,
                                                          {timeline, file.inode, block, position}, prepared));
    m_pending[timeline].pages[file.inode].push_back(version);
    m_versions.push_back({timeline, file.inode, block, position, version.location.bytes()});
    const std::uint64_t end = (std::uint64_t{block} + 1) * blockSize;
    if (end > file.size) {
        setSize(timeline, file.inode, end, position);
        file.size = end;
    }
    m_past[timeline][position] = m_files[timeline];
}

void History::grow(int operations) {
    for (int i = 0; i < operations; ++i)
        change();
    sync();
}

void History::growAfter(Position begun, int operations) {
    m_forksFrom = begun;
    for (int i = 0; i < operations; ++i)
        change();
}

void History::change() {
    constexpr std::array<BlockNumber, 8> blocks{0, 1, 2, 3, 1022, 1023, 1024, 1025};
    const TimelineId at = randomTimeline();
    Files& files = m_files[at];
    const auto randomFile = [&] {
        return std::next(files.begin(), static_cast<std::ptrdiff_t>(upTo(files.size())))->first;
    };
    const std::uint64_t dice = upTo(100);
    if (files.empty() || dice < 6) {
        const std::string name = fmt::format("f{}", upTo(6));
        if (files.contains(name))
            unlink(at, name);
        create(at, name);
    } else if (dice < 10) {
        unlink(at, randomFile());
    } else if (dice < 18) {
        truncate(at, randomFile(), upTo(2) == 0 ? 0 : blocks[upTo(blocks.size())] * blockSize);
    } else if (dice < 22 && m_timelines.size() < 12) {
        const auto& past = m_past[at];
        const Position first = std::max({timeline(at).fork, past.begin()->first, m_forksFrom});
        const Position last = std::max(first, past.rbegin()->first);
        addTimeline(at, upTo(2) == 0 ? last : Position{first.value + upTo(last.value - first.value + 1)});
    } else if (dice < 30) {
        sync();
    } else {
        write(at, randomFile(), blocks[upTo(blocks.size())]);
    }
}

void History::sync() {
    IndexBatch batch;
    for (auto& [timeline, pending] : m_pending) {
        for (auto& [inode, all] : pending.pages) {
            std::map<std::uint32_t, std::vector<PageVersion>> chunks;
            for (const PageVersion& version : all)
                chunks[chunkOf(version.block)].push_back(version);
            for (const auto& [chunk, run] : chunks)
                batch.put(versionKey(pageRunPrefix(inode, chunk), timeline, run.front().position),
                          encodePageRun(run));
        }
        for (const auto& [inode, sizes] : pending.sizes)
            batch.put(versionKey(inodePrefix(tag::sizeRun, inode), timeline, sizes.front().position),
                      encodeSizeRun(sizes));
        batch.append(pending.entries);
        if (!pending.lsns.empty())
            batch.put(positionMapKey(timeline, pending.lsns.front().position),
                      encodePositionMap({Timestamp{1}, pending.lsns}));
    }
    m_pending.clear();
    must(m_store.commit(batch));
}

Lineage History::lineage(TimelineId id, Position at) const {
    std::vector<Lineage::Member> members;
    for (; id; id = timeline(id).parent) {
        members.push_back({id, at});
        at = std::min(at, timeline(id).fork);
    }
    return Lineage(std::move(members));
}

std::optional<std::size_t> History::visible(TimelineId id, Position at, InodeId inode,
                                            BlockNumber block) const {
    const Lineage line = lineage(id, at);
    const auto sees = [&](TimelineId timeline, Position position) {
        const Lineage::Member* member = line.atOrBelow(timeline);
        return member && member->timeline == timeline && position <= member->upTo;
    };
    Position floor;
    for (const Cut& cut : m_cuts)
        if (cut.inode == inode && cut.firstGone <= block && sees(cut.timeline, cut.position))
            floor = std::max(floor, cut.position);
    std::optional<std::size_t> newest;
    for (std::size_t i = 0; i < m_versions.size(); ++i) {
        const Version& version = m_versions[i];
        if (version.inode == inode && version.block == block && sees(version.timeline, version.position) &&
            version.position > floor && (!newest || version.position > m_versions[*newest].position))
            newest = i;
    }
    return newest;
}

std::set<std::pair<InodeId, BlockNumber>> History::blocks() const {
    std::set<std::pair<InodeId, BlockNumber>> result;
    for (const Version& version : m_versions)
        result.insert({version.inode, version.block});
    return result;
}

namespace {

std::string pagesPicture(TestStore& store, const Lineage& line, InodeId inode) {
    std::string text;
    const auto cuts = must(readCuts(store.index(), line, inode));
    for (std::uint32_t chunk = 0; chunk < 2; ++chunk) {
        ChunkRefs refs{};
        must(readChunk(store.index(), line, inode, chunk, cuts, refs));
        for (std::size_t i = 0; i < refs.size(); ++i) {
            if (!refs[i].position || refs[i].location.isZeroPage())
                continue; // both read as zeros
            std::array<std::byte, blockSize> page;
            const BlockNumber block = chunk * blocksPerChunk + static_cast<BlockNumber>(i);
            must(store.segments().read(refs[i].location, inode, block, refs[i].position, page));
            text += fmt::format(
                " {}@{}:{}", block, refs[i].position,
                std::hash<std::string_view>()({reinterpret_cast<const char*>(page.data()), page.size()}));
        }
    }
    return text;
}

} // namespace

std::string History::picture(TestStore& store, TimelineId id, Position at) const {
    const Lineage line = lineage(id, at);
    PageMapStats stats;
    NameTree tree(store.index(), line, stats);
    Node directory;
    directory.inode = root;
    directory.role = DirectoryRole::Other;
    must(tree.readChildren(directory));
    std::string text;
    for (const auto& [name, child] : directory.children) {
        const NodePtr node = must(tree.node(directory, name, child));
        text += fmt::format("{}: {} mode {} size {}", name, child.inode, node->attributes.mode,
                            node->size.load());
        text += pagesPicture(store, line, child.inode) + "\n";
    }
    return text;
}

std::map<std::pair<TimelineId, Position>, std::string> History::picturesThrough(TestStore& store,
                                                                                const GcInput& input) const {
    std::map<std::pair<TimelineId, Position>, std::string> pictures;
    for (const GcPin& pin : input.pins)
        for (const auto& place : positionsOf(pin))
            if (!pictures.contains(place))
                pictures[place] = picture(store, place.first, place.second);
    return pictures;
}

bool History::headsAreAsWritten() const {
    for (const Timeline& timeline : m_timelines) {
        const Lineage line = lineage(timeline.id, maxPosition);
        for (const auto& [name, file] : m_files.at(timeline.id)) {
            const auto cuts = must(readCuts(m_store.index(), line, file.inode));
            for (std::uint32_t chunk = 0; chunk < 2; ++chunk) {
                ChunkRefs refs{};
                must(readChunk(m_store.index(), line, file.inode, chunk, cuts, refs));
                for (const BlockNumber i : {0u, 1u, 2u, 3u, 1022u, 1023u}) {
                    const auto version =
                        visible(timeline.id, maxPosition, file.inode, chunk * blocksPerChunk + i);
                    if (refs[i].position != (version ? m_versions[*version].position : Position()))
                        return false;
                }
            }
        }
    }
    return true;
}

GcInput History::randomInput() {
    GcInput input;
    for (const Timeline& timeline : m_timelines)
        input.timelines.push_back({timeline.id, timeline.parent, timeline.fork});
    input.firstUnseen = {m_timelines.size() + 1};
    const std::uint64_t last = m_store.position.value;
    for (const Timeline& timeline : m_timelines) {
        const BranchId owner{timeline.id.value + 100};
        if (upTo(3) != 0) {
            input.pins.push_back(GcPin::head(fmt::format("b{}", timeline.id), owner, timeline.id));
            if (upTo(2) == 0)
                input.pins.push_back(GcPin::window(fmt::format("b{}", timeline.id), owner, timeline.id,
                                                   {last - upTo(std::min<std::uint64_t>(last, 60))}));
        } else if (upTo(2) == 0) {
            input.pins.push_back(GcPin::point(PinKind::Trash, "t", {}, timeline.id, maxPosition));
        }
        for (std::uint64_t i = upTo(3); i > 0; --i)
            input.pins.push_back(GcPin::point(PinKind::Checkpoint, fmt::format("c{}", i),
                                              upTo(2) == 0 ? owner : BranchId(), timeline.id,
                                              {1 + upTo(last)}));
    }
    return input;
}

// Where a position lies before the timeline's fork, its line is an ancestor's.
std::vector<std::pair<TimelineId, Position>> History::positionsOf(const GcPin& pin) const {
    std::vector<std::pair<TimelineId, Position>> result;
    const std::uint64_t end = std::min(pin.to.value, m_store.position.value + 1);
    for (std::uint64_t at = std::min(pin.from.value, end); at <= end; ++at)
        result.emplace_back(pin.timeline, Position{at});
    return result;
}

} // namespace arbor::gctest
