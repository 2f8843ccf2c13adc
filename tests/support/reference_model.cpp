#include "tests/support/reference_model.h"

#include "tests/support/store_fixture.h"

#include <algorithm>
#include <cstring>

namespace arbor::test {

std::string& ModelContent::writable(std::size_t block) {
    if (block >= m_blocks.size())
        m_blocks.resize(block + 1);
    auto& bytes = m_blocks[block];
    if (!bytes)
        bytes = std::make_shared<std::string>(blockSize, '\0');
    else if (bytes.use_count() > 1)
        bytes = std::make_shared<std::string>(*bytes);
    return *bytes;
}

void ModelContent::write(std::uint64_t offset, std::string_view bytes) {
    m_size = std::max<std::uint64_t>(m_size, offset + bytes.size());
    while (!bytes.empty()) {
        const std::size_t skip = offset % blockSize;
        const std::size_t part = std::min(blockSize - skip, bytes.size());
        std::memcpy(writable(offset / blockSize).data() + skip, bytes.data(), part);
        bytes.remove_prefix(part);
        offset += part;
    }
}

void ModelContent::zero(std::uint64_t offset, std::uint64_t end) {
    end = std::min<std::uint64_t>(end, m_blocks.size() * blockSize);
    while (offset < end) {
        const std::size_t skip = offset % blockSize;
        const std::size_t part = std::min<std::uint64_t>(blockSize - skip, end - offset);
        if (m_blocks[offset / blockSize])
            std::memset(writable(offset / blockSize).data() + skip, 0, part);
        offset += part;
    }
}

void ModelContent::resize(std::uint64_t size) {
    if (size < m_size)
        zero(size, m_size);
    m_size = size;
    m_blocks.resize(std::min<std::size_t>(m_blocks.size(), (size + blockSize - 1) / blockSize));
}

std::string ModelContent::read(std::uint64_t offset, std::size_t bytes) const {
    if (offset >= m_size)
        return {};
    std::string result(std::min<std::uint64_t>(bytes, m_size - offset), '\0');
    for (std::size_t done = 0; done < result.size();) {
        const std::size_t block = (offset + done) / blockSize;
        const std::size_t skip = (offset + done) % blockSize;
        const std::size_t part = std::min(blockSize - skip, result.size() - done);
        if (block < m_blocks.size() && m_blocks[block])
            std::memcpy(result.data() + done, m_blocks[block]->data() + skip, part);
        done += part;
    }
    return result;
}

bool ModelContent::equals(std::string_view bytes) const {
    return bytes.size() == m_size && read(0, bytes.size()) == bytes;
}

std::vector<TimelineId> ModelWorld::lineage(TimelineId timeline) const {
    std::vector<TimelineId> line;
    for (; timeline; timeline = timelines.at(timeline).parent)
        line.push_back(timeline);
    return line;
}

TimelinePoint ModelWorld::normalise(TimelinePoint point) const {
    for (auto at = timelines.find(point.timeline); at->second.parent && point.at.within(at->second.fork);
         at = timelines.find(point.timeline))
        point.timeline = at->second.parent;
    return point;
}

bool ModelWorld::isOnLine(TimelineId head, const TimelinePoint& point) const {
    for (const TimelineId at : lineage(head)) {
        if (at == point.timeline)
            return true;
        const ModelTimeline& timeline = timelines.at(at);
        if (timeline.parent == point.timeline)
            return point.at.within(timeline.fork);
    }
    return false;
}

namespace {

Error differs(std::string_view path, std::string_view what) {
    return makeError(ErrorKind::Corruption, "{}: {}", path, what);
}

Status compareFile(BranchView& view, const std::string& path, const Attributes& attributes,
                   const ModelEntry& expected) {
    if (attributes.size != expected.content.size())
        return differs(path,
                       fmt::format("has {} bytes instead of {}", attributes.size, expected.content.size()));
    ARBOR_ASSIGN(const std::string content, readAll(view, attributes.inode));
    if (expected.content.equals(content))
        return {};
    const std::string wanted = expected.content.read(0, expected.content.size());
    const auto [got, want] = std::mismatch(content.begin(), content.end(), wanted.begin(), wanted.end());
    const auto at = static_cast<std::uint64_t>(got - content.begin());
    return differs(path, fmt::format("reads wrong bytes from offset {} (block {}) on", at, at / blockSize));
}

Status compareDirectory(BranchView& view, InodeId directory, const std::string& prefix, const ModelTree& tree,
                        std::size_t& seen) {
    ARBOR_ASSIGN(const auto entries, view.readDirectory(directory, 0, SIZE_MAX));
    for (const DirectoryEntry& entry : entries) {
        if (!isVersioned(entry.inode))
            continue;
        const std::string path = prefix + entry.name;
        const auto expected = tree.find(path);
        if (expected == tree.end())
            return differs(path, "should not be there");
        ++seen;
        ARBOR_ASSIGN(const Attributes attributes, view.lookup(directory, entry.name));
        if (attributes.inode != entry.inode || attributes.type != entry.type ||
            attributes.type != expected->second.type)
            return differs(path, "is another kind of file");
        if (attributes.mode != expected->second.mode)
            return differs(
                path, fmt::format("has mode {:o} instead of {:o}", attributes.mode, expected->second.mode));
        if (attributes.type == FileType::Directory) {
            ARBOR_TRY(compareDirectory(view, entry.inode, path + "/", tree, seen));
        } else if (attributes.type == FileType::Symlink) {
            ARBOR_ASSIGN(const std::string target, view.readLink(entry.inode));
            if (target != expected->second.target)
                return differs(path, "points at " + target);
        } else {
            ARBOR_TRY(compareFile(view, path, attributes, expected->second));
        }
    }
    return {};
}

} // namespace

Status compareTree(BranchView& view, const ModelTree& tree) {
    std::size_t seen = 0;
    ARBOR_TRY(compareDirectory(view, view.root(), "", tree, seen));
    if (seen == tree.size())
        return {};
    for (const auto& [path, entry] : tree)
        if (!findPath(view, path))
            return differs(path, "is missing");
    return differs("the tree", "lists a name twice");
}

Status compareCatalog(const Catalog& catalog, const ModelCatalog& model) {
    if (const auto wrong = catalog.verify(); !wrong.empty())
        return makeError(ErrorKind::Corruption, "the catalog contradicts itself: {}", wrong.front());
    for (const BranchRecord* branch : catalog.branches()) {
        const auto expected = model.branches.find(branch->name);
        if (expected == model.branches.end())
            return differs(branch->name, "is a branch that should not be there");
        if (expected->second != ModelBranch{branch->id, branch->timeline})
            return differs(branch->name,
                           fmt::format("is branch {} on timeline {} instead of {} on {}", branch->id,
                                       branch->timeline, expected->second.id, expected->second.timeline));
    }
    for (const auto& [name, branch] : model.branches)
        if (catalog.findBranch(name) == nullptr)
            return differs(name, "is a branch that is missing");
    if (catalog.allCheckpoints().size() != model.checkpoints.size())
        return makeError(ErrorKind::Corruption, "there are {} checkpoints instead of {}",
                         catalog.allCheckpoints().size(), model.checkpoints.size());
    for (const auto& [id, point] : model.checkpoints) {
        const CheckpointRecord* record = catalog.findCheckpoint(id);
        if (record == nullptr || catalog.normalise(point.at) != record->point)
            return makeError(ErrorKind::Corruption, "checkpoint {} is missing or has moved", id);
    }
    return {};
}

Result<Attributes> findPath(BranchView& view, std::string_view path) {
    ARBOR_ASSIGN(Attributes at, view.attributes(view.root()));
    while (!path.empty()) {
        const std::string_view part = path.substr(0, path.find('/'));
        ARBOR_ASSIGN(at, view.lookup(at.inode, part));
        path.remove_prefix(std::min(path.size(), part.size() + 1));
    }
    return at;
}

} // namespace arbor::test
