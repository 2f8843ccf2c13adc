#include "storage/gc/walk.h"

#include "storage/format/keys.h"
#include "storage/format/records.h"

#include <algorithm>
#include <array>
#include <numeric>

namespace arbor {

TagCursor::TagCursor(const Index& index, char tagByte) : m_iterator(index.iterate()), m_tag(tagByte) {}

void TagCursor::seek(std::string_view key) {
    m_iterator->seek(key);
    settle();
}

void TagCursor::next() {
    m_iterator->next();
    settle();
}

void TagCursor::settle() {
    for (; m_iterator->valid() && m_iterator->key().starts_with(m_tag); m_iterator->next()) {
        if (parse()) {
            m_valid = true;
            return;
        }
        ++m_damagedKeys;
    }
    m_valid = false;
}

bool TagCursor::parse() {
    const std::string_view key = m_iterator->key();
    if (m_tag == tag::pageRun) {
        const auto run = parsePageRunKey(key);
        if (run)
            m_key = {run->inode, run->chunk, run->timeline, run->first, {}};
        return run.has_value();
    }
    if (m_tag == tag::name) {
        auto name = parseNameKey(key);
        if (name)
            m_key = {name->directory, 0, name->timeline, name->position, std::move(name->name)};
        return name.has_value();
    }
    if (m_tag == tag::positionMap) {
        const auto map = parsePositionMapKey(key);
        if (map)
            m_key = {{map->first.value}, 0, map->first, map->second, {}};
        return map.has_value();
    }
    const auto inode = parseInodeKey(key);
    if (inode)
        m_key = {inode->inode, 0, inode->timeline, inode->position, {}};
    return inode.has_value();
}

namespace {

// Lists what was read newest first within each timeline as oldest first.
template <class Entry>
void reverseWithinTimelines(std::vector<Entry>& entries) {
    for (auto begin = entries.begin(); begin != entries.end();) {
        const auto end =
            std::find_if(begin, entries.end(), [&](const Entry& e) { return e.timeline != begin->timeline; });
        std::reverse(begin, end);
        begin = end;
    }
}

template <class Entry>
void addTimelines(const std::vector<Entry>& entries, std::vector<TimelineId>& timelines) {
    for (const Entry& entry : entries)
        if (timelines.empty() || timelines.back() != entry.timeline)
            timelines.push_back(entry.timeline);
}

void sortLanes(std::vector<TimelineId>& timelines) {
    std::sort(timelines.begin(), timelines.end(), std::greater<>());
    timelines.erase(std::unique(timelines.begin(), timelines.end()), timelines.end());
}

std::uint32_t laneOf(const std::vector<TimelineId>& lanes, TimelineId timeline) {
    const auto found = std::lower_bound(lanes.begin(), lanes.end(), timeline, std::greater<>());
    return static_cast<std::uint32_t>(found - lanes.begin());
}

struct ReadRun {
    TimelineId timeline;
    Position first;
    std::vector<PageVersion> versions;
};

// What a run claims must fit its place; nonsense is a doubt and no ground to delete on.
bool isSound(const ReadRun& run, std::uint32_t chunk) {
    Position last{run.first.value - 1};
    for (const PageVersion& version : run.versions) {
        if (chunkOf(version.block) != chunk || version.position <= last)
            return false;
        last = version.position;
    }
    return true;
}

bool followOneAnother(const std::vector<ReadRun>& runs) {
    for (std::size_t i = 1; i < runs.size(); ++i)
        if (runs[i].timeline == runs[i - 1].timeline && runs[i].first <= runs[i - 1].versions.back().position)
            return false;
    return true;
}

} // namespace

PageGroup readPageGroup(TagCursor& cursor, std::vector<std::string>& doubts) {
    PageGroup group;
    group.inode = cursor.key().inode;
    group.chunk = cursor.key().chunk;
    std::vector<ReadRun> runs;
    const auto doubt = [&](std::string_view why) {
        group.inDoubt = true;
        doubts.push_back(fmt::format("file {} blocks from {}: {}", group.inode,
                                     std::uint64_t{group.chunk} * blocksPerChunk, why));
    };
    for (; cursor.valid() && cursor.key().inode == group.inode && cursor.key().chunk == group.chunk;
         cursor.next()) {
        auto versions = decodePageRun(cursor.key().position, cursor.value());
        if (!versions) {
            doubt(versions.error().message());
            continue;
        }
        ReadRun run{cursor.key().timeline, cursor.key().position, std::move(*versions)};
        if (isSound(run, group.chunk))
            runs.push_back(std::move(run));
        else
            doubt("a page run contradicts its key");
    }
    reverseWithinTimelines(runs);
    if (!followOneAnother(runs))
        doubt("two page runs overlap");
    for (const ReadRun& run : runs) {
        const std::size_t begin = group.versions.size();
        for (const PageVersion& version : run.versions)
            group.versions.push_back({version, {}, false});
        group.runs.push_back({run.timeline, run.first, begin, group.versions.size()});
    }
    return group;
}

// Each sees the index at its making, and syncs go on meanwhile. So cuts come before pages: a cut is judged
// with all the versions that it hides, which became durable with it or before. The other way round, a
// truncation whose pages were not seen would seem to hide nothing.
struct GroupWalk::Cursors {
    explicit Cursors(const Index& index)
        : cuts(index, tag::cut), attributes(index, tag::attributes), sizes(index, tag::sizeRun),
          pages(index, tag::pageRun), names(index, tag::name), maps(index, tag::positionMap) {}
    TagCursor cuts, attributes, sizes, pages, names, maps;
};

GroupWalk::GroupWalk(const Index& index, const NeedModel& model, GroupVisitor& visitor)
    : m_index(index), m_visitor(visitor), m_needs(model) {}

GroupWalk::~GroupWalk() = default;

void GroupWalk::release() {
    m_cursors.reset();
    m_damagedKeys = 0;
}

void GroupWalk::open() {
    m_cursors = std::make_unique<Cursors>(m_index);
    switch (m_family) {
    case Family::Inodes: {
        const InodeId next{m_inInode ? m_inode.inode.value + 1 : m_next.value};
        m_cursors->pages.seek(m_inInode ? pageRunPrefix(m_inode.inode, m_nextChunk)
                                        : inodePrefix(tag::pageRun, next));
        m_cursors->cuts.seek(inodePrefix(tag::cut, next));
        m_cursors->sizes.seek(inodePrefix(tag::sizeRun, next));
        m_cursors->attributes.seek(inodePrefix(tag::attributes, next));
        break;
    }
    case Family::Directories:
        m_cursors->names.seek(inodePrefix(tag::name, m_next));
        break;
    case Family::PositionMaps:
        m_cursors->maps.seek(inodePrefix(tag::positionMap, m_next));
        break;
    case Family::Done:
        break;
    }
}

Status GroupWalk::checkStatus() {
    std::uint64_t damaged = 0;
    for (TagCursor* cursor : {&m_cursors->pages, &m_cursors->cuts, &m_cursors->sizes, &m_cursors->attributes,
                              &m_cursors->names, &m_cursors->maps}) {
        ARBOR_TRY(cursor->status());
        damaged += cursor->damagedKeys();
    }
    if (damaged > m_damagedKeys)
        doubt(fmt::format("the index has {} keys that cannot be read", damaged - m_damagedKeys));
    m_damagedKeys = damaged;
    return {};
}

Result<bool> GroupWalk::step() {
    if (!m_cursors)
        open();
    ARBOR_TRY(checkStatus());
    for (;;) {
        Result<bool> more = false;
        switch (m_family) {
        case Family::Inodes:
            more = stepInodes();
            break;
        case Family::Directories:
            more = stepDirectories();
            break;
        case Family::PositionMaps:
            more = stepPositionMaps();
            break;
        case Family::Done:
            return false;
        }
        if (!more || *more)
            return more;
        m_family = static_cast<Family>(static_cast<int>(m_family) + 1);
        m_next = {1};
        open();
        ARBOR_TRY(checkStatus());
    }
}

Result<bool> GroupWalk::stepInodes() {
    Cursors& at = *m_cursors;
    if (!m_inInode) {
        std::optional<InodeId> least;
        for (const TagCursor* cursor : {&at.pages, &at.cuts, &at.sizes, &at.attributes})
            if (cursor->valid() && (!least || cursor->key().inode < *least))
                least = cursor->key().inode;
        if (!least)
            return false;
        beginInode(*least);
        ARBOR_TRY(checkStatus());
    }
    if (at.pages.valid() && at.pages.key().inode == m_inode.inode) {
        std::vector<std::string> doubts;
        PageGroup group = readPageGroup(at.pages, doubts);
        ARBOR_TRY(checkStatus());
        for (std::string& what : doubts)
            doubt(std::move(what));
        m_nextChunk = group.chunk + 1;
        judgePages(group);
        m_visitor.pages(group);
        return true;
    }
    finishInode();
    return true;
}

void GroupWalk::beginInode(InodeId inode) {
    m_inode = {};
    m_inode.inode = inode;
    m_inInode = true;
    m_nextChunk = 0;
    readEntries(m_cursors->cuts, m_inode.cuts, tag::cut);
    readEntries(m_cursors->attributes, m_inode.attributes, tag::attributes);
    readSizes(m_cursors->sizes);
}

void GroupWalk::readEntries(TagCursor& cursor, std::vector<InodeGroup::Entry>& entries, char tagByte) {
    for (; cursor.valid() && cursor.key().inode == m_inode.inode; cursor.next()) {
        InodeGroup::Entry entry{cursor.key().timeline, cursor.key().position, 0, false};
        bool sound = false;
        if (tagByte == tag::cut) {
            const auto size = decodeCut(cursor.value());
            sound = size.has_value();
            entry.number = sound ? blocksIn(*size) : 0;
        } else {
            const auto attributes = decodeAttributes(cursor.value());
            sound = attributes.has_value();
            entry.number = sound ? attributes->links : 1;
        }
        if (!sound) {
            m_inode.inDoubt = true;
            doubt(fmt::format("file {}: a {} in the index cannot be read", m_inode.inode,
                              tagByte == tag::cut ? "truncation" : "record of attributes"));
            continue;
        }
        entries.push_back(entry);
    }
    reverseWithinTimelines(entries);
}

void GroupWalk::readSizes(TagCursor& cursor) {
    struct Run {
        TimelineId timeline;
        Position first;
        std::vector<SizeVersion> sizes;
    };
    std::vector<Run> runs;
    for (; cursor.valid() && cursor.key().inode == m_inode.inode; cursor.next()) {
        auto sizes = decodeSizeRun(cursor.key().position, cursor.value());
        if (sizes) {
            runs.push_back({cursor.key().timeline, cursor.key().position, std::move(*sizes)});
        } else {
            m_inode.inDoubt = true;
            doubt(fmt::format("file {}: {}", m_inode.inode, sizes.error().message()));
        }
    }
    reverseWithinTimelines(runs);
    for (const Run& run : runs) {
        const std::size_t begin = m_inode.sizes.size();
        for (const SizeVersion& version : run.sizes)
            m_inode.sizes.push_back({run.timeline, version.position, version.size, false});
        m_inode.sizeRuns.push_back({run.timeline, run.first, begin, m_inode.sizes.size()});
    }
}

// Tells which of a chunk's versions stay, and notes which truncations still hide something.
void GroupWalk::judgePages(PageGroup& group) {
    if (m_inode.inDoubt)
        group.inDoubt = true;
    std::vector<TimelineId> lanes;
    addTimelines(group.runs, lanes);
    addTimelines(m_inode.cuts, lanes);
    sortLanes(lanes);
    m_needs.begin(lanes);
    m_cutsOfLane.assign(lanes.size(), {});
    for (std::size_t i = 0; i < m_inode.cuts.size(); ++i)
        m_cutsOfLane[laneOf(lanes, m_inode.cuts[i].timeline)].push_back(i);
    m_lanes.resize(group.versions.size());
    for (const PageGroup::Run& run : group.runs)
        std::fill(m_lanes.begin() + static_cast<std::ptrdiff_t>(run.begin),
                  m_lanes.begin() + static_cast<std::ptrdiff_t>(run.end), laneOf(lanes, run.timeline));

    // by block; within a block in the order of the runs, which is that of lanes and positions
    std::array<std::uint32_t, blocksPerChunk + 1> ends{};
    for (const PageGroup::Version& version : group.versions)
        ++ends[version.page.block % blocksPerChunk + 1];
    std::partial_sum(ends.begin(), ends.end(), ends.begin());
    m_order.resize(group.versions.size());
    auto at = ends;
    for (std::uint32_t i = 0; i < group.versions.size(); ++i)
        m_order[at[group.versions[i].page.block % blocksPerChunk]++] = i;
    for (BlockNumber i = 0; i < blocksPerChunk; ++i)
        if (ends[i] != ends[i + 1])
            judgeBlock(group, std::span(m_order).subspan(ends[i], ends[i + 1] - ends[i]),
                       group.chunk * blocksPerChunk + i);
    if (group.inDoubt) {
        for (PageGroup::Version& version : group.versions)
            version.stays = true;
        for (InodeGroup::Entry& cut : m_inode.cuts)
            cut.stays = true;
    }
}

void GroupWalk::judgeBlock(PageGroup& group, std::span<const std::uint32_t> versions, BlockNumber block) {
    m_events.clear();
    m_sources.clear();
    auto next = versions.begin();
    for (std::uint32_t lane = 0; lane < m_cutsOfLane.size(); ++lane) {
        const auto takeVersions = [&](Position upTo) {
            for (; next != versions.end() && m_lanes[*next] == lane &&
                   group.versions[*next].page.position <= upTo;
                 ++next) {
                m_events.push_back({lane, false, group.versions[*next].page.position, {}, false});
                m_sources.push_back({*next, false});
            }
        };
        for (const std::size_t i : m_cutsOfLane[lane]) {
            const InodeGroup::Entry& cut = m_inode.cuts[i];
            if (cut.number > block)
                continue;
            takeVersions(cut.position);
            m_events.push_back({lane, true, cut.position, {}, false});
            m_sources.push_back({i, true});
        }
        takeVersions(maxPosition);
    }
    m_needs.evaluate(m_events);
    for (std::size_t i = 0; i < m_events.size(); ++i) {
        if (m_sources[i].isCut) {
            InodeGroup::Entry& cut = m_inode.cuts[m_sources[i].index];
            cut.stays = cut.stays || m_events[i].stays;
        } else {
            PageGroup::Version& version = group.versions[m_sources[i].index];
            version.need = m_events[i].need;
            version.stays = m_events[i].stays;
        }
    }
}

void GroupWalk::finishInode() {
    judgeAttributes();
    judgeSizes();
    if (m_inode.inDoubt)
        for (auto* entries : {&m_inode.attributes, &m_inode.cuts, &m_inode.sizes})
            for (InodeGroup::Entry& entry : *entries)
                entry.stays = true;
    m_visitor.inode(m_inode);
    m_inInode = false;
    m_next = {m_inode.inode.value + 1};
}

void GroupWalk::judgeAttributes() {
    std::vector<TimelineId> lanes;
    addTimelines(m_inode.attributes, lanes);
    m_needs.begin(lanes);
    m_events.clear();
    for (const InodeGroup::Entry& entry : m_inode.attributes)
        m_events.push_back({laneOf(lanes, entry.timeline), entry.number == 0, entry.position, {}, false});
    m_needs.evaluate(m_events);
    for (std::size_t i = 0; i < m_events.size(); ++i)
        m_inode.attributes[i].stays = m_events[i].stays;
}

// The end of a file hides its sizes too: nobody asks for the size of a file that is not there.
void GroupWalk::judgeSizes() {
    std::vector<TimelineId> lanes;
    addTimelines(m_inode.sizes, lanes);
    for (const InodeGroup::Entry& entry : m_inode.attributes)
        if (entry.number == 0)
            lanes.push_back(entry.timeline);
    sortLanes(lanes);
    m_needs.begin(lanes);
    std::vector<std::pair<NeedGroup::Event, std::size_t>> found;
    const std::size_t isEnd = m_inode.sizes.size();
    for (std::size_t i = 0; i < m_inode.sizes.size(); ++i)
        found.push_back(
            {{laneOf(lanes, m_inode.sizes[i].timeline), false, m_inode.sizes[i].position, {}, false}, i});
    for (const InodeGroup::Entry& entry : m_inode.attributes)
        if (entry.number == 0)
            found.push_back({{laneOf(lanes, entry.timeline), true, entry.position, {}, false}, isEnd});
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
        return std::pair(a.first.lane, a.first.position) < std::pair(b.first.lane, b.first.position);
    });
    m_events.clear();
    for (const auto& [event, index] : found)
        m_events.push_back(event);
    m_needs.evaluate(m_events);
    for (std::size_t i = 0; i < found.size(); ++i)
        if (found[i].second != isEnd)
            m_inode.sizes[found[i].second].stays = m_events[i].stays;
}

Result<bool> GroupWalk::stepDirectories() {
    TagCursor& cursor = m_cursors->names;
    if (!cursor.valid())
        return false;
    DirectoryGroup group;
    group.directory = cursor.key().inode;
    for (; cursor.valid() && cursor.key().inode == group.directory; cursor.next()) {
        const auto record = decodeName(cursor.value());
        if (!record) {
            group.inDoubt = true;
            doubt(fmt::format("directory {}: the name {} in the index cannot be read", group.directory,
                              cursor.key().name));
            continue;
        }
        group.entries.push_back(
            {cursor.key().timeline, cursor.key().name, cursor.key().position, !record->inode, false});
    }
    ARBOR_TRY(checkStatus());
    judgeDirectory(group);
    m_visitor.directory(group);
    m_next = {group.directory.value + 1};
    return true;
}

void GroupWalk::judgeDirectory(DirectoryGroup& group) {
    std::sort(group.entries.begin(), group.entries.end(),
              [](const DirectoryGroup::Entry& a, const DirectoryGroup::Entry& b) {
                  return std::tie(a.name, b.timeline, a.position) < std::tie(b.name, a.timeline, b.position);
              });
    std::vector<TimelineId> lanes;
    addTimelines(group.entries, lanes);
    sortLanes(lanes);
    m_needs.begin(lanes);
    for (std::size_t begin = 0; begin < group.entries.size();) {
        std::size_t end = begin;
        m_events.clear();
        for (; end < group.entries.size() && group.entries[end].name == group.entries[begin].name; ++end)
            m_events.push_back({laneOf(lanes, group.entries[end].timeline),
                                group.entries[end].removes,
                                group.entries[end].position,
                                {},
                                false});
        m_needs.evaluate(m_events);
        for (std::size_t i = begin; i < end; ++i)
            group.entries[i].stays = group.inDoubt || m_events[i - begin].stays;
        begin = end;
    }
}

Result<bool> GroupWalk::stepPositionMaps() {
    TagCursor& cursor = m_cursors->maps;
    if (!cursor.valid())
        return false;
    PositionMapGroup group;
    group.timeline = cursor.key().timeline;
    for (; cursor.valid() && cursor.key().timeline == group.timeline; cursor.next())
        group.entries.push_back({cursor.key().position, false});
    ARBOR_TRY(checkStatus());
    m_needs.begin({group.timeline});
    m_events.clear();
    for (const PositionMapGroup::Entry& entry : group.entries)
        m_events.push_back({0, false, entry.first, {}, false});
    m_needs.evaluate(m_events);
    for (std::size_t i = 0; i < m_events.size(); ++i)
        group.entries[i].stays = m_events[i].stays;
    m_visitor.positionMap(group);
    m_next = {group.timeline.value + 1};
    return true;
}

} // namespace arbor
