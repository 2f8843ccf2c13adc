#include "tests/support/memory_view.h"

#include <algorithm>
#include <cstring>
#include <future>

namespace arbor::test {

namespace {

constexpr std::size_t longestName = 255;

Timestamp now() {
    return SystemClock().now();
}

} // namespace

MemoryView::MemoryView(Options options) : m_options(std::move(options)) {
    {
        WriteLock lock(m_mutex);
        Node directory;
        directory.type = FileType::Directory;
        directory.mode = 0700;
        directory.owner = m_options.owner;
        directory.modified = directory.changed = now();
        directory.names = 1;
        m_nodes.emplace(root(), std::move(directory));
    }
    m_syncThread = std::thread([this] { runSyncs(); });
}

MemoryView::~MemoryView() {
    {
        MutexLock lock(m_syncMutex);
        m_stopping = true;
        m_syncChanged.notifyAll();
    }
    m_syncThread.join();
}

// ------------------------------------------------------------------------------------------- looking

Result<MemoryView::Node*> MemoryView::find(InodeId inode) {
    const auto found = m_nodes.find(inode);
    if (found == m_nodes.end())
        return makeError(ErrorKind::NotFound, "no inode {}", inode);
    return &found->second;
}

Result<MemoryView::Node*> MemoryView::directoryOf(InodeId inode) {
    ARBOR_ASSIGN(Node* const node, find(inode));
    if (node->type != FileType::Directory)
        return makeError(ErrorKind::NotADirectory, "inode {} is no directory", inode);
    return node;
}

Result<MemoryView::Node*> MemoryView::fileOf(InodeId inode) {
    ARBOR_ASSIGN(Node* const node, find(inode));
    if (node->type == FileType::Directory)
        return makeError(ErrorKind::IsADirectory, "inode {} is a directory", inode);
    return node;
}

Result<InodeId> MemoryView::childOf(const Node& directory, std::string_view name) const {
    const auto cookie = directory.cookies.find(name);
    if (cookie == directory.cookies.end())
        return makeError(ErrorKind::NotFound, "no {}", name);
    return directory.entries.at(cookie->second).second;
}

Attributes MemoryView::attributesOf(InodeId inode, const Node& node) const {
    Attributes attributes;
    attributes.inode = inode;
    attributes.type = node.type;
    attributes.mode = node.mode;
    attributes.uid = node.owner.uid;
    attributes.gid = node.owner.gid;
    attributes.links =
        node.type == FileType::Directory && node.names > 0 ? 2 + node.subdirectories : node.names;
    attributes.size = node.type == FileType::Symlink ? node.target.size() : node.size;
    attributes.allocatedBytes = node.allocated * blockSize;
    attributes.modified = node.modified;
    attributes.changed = node.changed;
    return attributes;
}

Result<Attributes> MemoryView::lookup(InodeId directory, std::string_view name) {
    ReadLock lock(m_mutex);
    if (name.size() > longestName)
        return makeError(ErrorKind::NameTooLong, "{}...", name.substr(0, 32));
    ARBOR_ASSIGN(Node* const parent, directoryOf(directory));
    ARBOR_ASSIGN(const InodeId child, childOf(*parent, name));
    return attributesOf(child, m_nodes.at(child));
}

Result<Attributes> MemoryView::attributes(InodeId inode) {
    ReadLock lock(m_mutex);
    ARBOR_ASSIGN(Node* const node, find(inode));
    return attributesOf(inode, *node);
}

Result<std::string> MemoryView::readLink(InodeId inode) {
    ReadLock lock(m_mutex);
    ARBOR_ASSIGN(Node* const node, find(inode));
    if (node->type != FileType::Symlink)
        return makeError(ErrorKind::InvalidArgument, "inode {} is no symbolic link", inode);
    return node->target;
}

Result<std::vector<DirectoryEntry>> MemoryView::readDirectory(InodeId directory, std::uint64_t cookie,
                                                              std::size_t limit) {
    ReadLock lock(m_mutex);
    ARBOR_ASSIGN(Node* const node, directoryOf(directory));
    std::vector<DirectoryEntry> entries;
    for (auto next = node->entries.upper_bound(cookie); next != node->entries.end() && entries.size() < limit;
         ++next)
        entries.push_back(
            {next->second.first, next->second.second, m_nodes.at(next->second.second).type, next->first});
    return entries;
}

// --------------------------------------------------------------------------------------------- names

Status MemoryView::writable() const {
    if (m_options.readOnly)
        return makeError(ErrorKind::ReadOnly, "timeline {} is looked at read-only", m_options.timeline);
    return {};
}

void MemoryView::attach(Node& directory, std::string_view name, InodeId inode) {
    const std::uint64_t cookie = m_nextCookie++;
    directory.cookies.emplace(name, cookie);
    directory.entries.emplace(cookie, std::pair(std::string(name), inode));
    directory.modified = directory.changed = now();
    Node& node = m_nodes.at(inode);
    if (node.type == FileType::Directory)
        ++directory.subdirectories;
}

void MemoryView::detach(Node& directory, std::string_view name) {
    const auto cookie = directory.cookies.find(name);
    const auto entry = directory.entries.find(cookie->second);
    if (m_nodes.at(entry->second.second).type == FileType::Directory)
        --directory.subdirectories;
    directory.entries.erase(entry);
    directory.cookies.erase(cookie);
    directory.modified = directory.changed = now();
}

void MemoryView::dropName(InodeId inode) {
    Node& node = m_nodes.at(inode);
    --node.names;
    node.changed = now();
    if (node.names == 0 && node.opens == 0)
        m_nodes.erase(inode);
}

Result<Attributes> MemoryView::add(InodeId directory, std::string_view name, Node node) {
    ARBOR_TRY(writable());
    if (name.size() > longestName)
        return makeError(ErrorKind::NameTooLong, "{}...", name.substr(0, 32));
    ARBOR_ASSIGN(Node* const parent, directoryOf(directory));
    if (parent->names == 0)
        return makeError(ErrorKind::NotFound, "directory {} was removed", directory);
    if (childOf(*parent, name))
        return makeError(ErrorKind::AlreadyExists, "{} exists", name);
    const InodeId inode{m_nextInode++};
    node.names = 1;
    node.parent = directory;
    node.modified = node.changed = now();
    const auto placed = m_nodes.emplace(inode, std::move(node)).first; // may rehash: pointers stay good
    attach(*parent, name, inode);
    return attributesOf(inode, placed->second);
}

Result<Attributes> MemoryView::createFile(InodeId directory, std::string_view name, std::uint32_t mode,
                                          Owner owner) {
    WriteLock lock(m_mutex);
    Node node;
    node.mode = mode;
    node.owner = owner;
    return add(directory, name, std::move(node));
}

Result<Attributes> MemoryView::makeDirectory(InodeId directory, std::string_view name, std::uint32_t mode,
                                             Owner owner) {
    WriteLock lock(m_mutex);
    Node node;
    node.type = FileType::Directory;
    node.mode = mode;
    node.owner = owner;
    return add(directory, name, std::move(node));
}

Result<Attributes> MemoryView::makeSymlink(InodeId directory, std::string_view name, std::string_view target,
                                           Owner owner) {
    WriteLock lock(m_mutex);
    const bool onHost = !m_options.hostLinks.empty() && target.starts_with(m_options.hostLinks);
    if (!onHost && (target.starts_with('/') || target.find("..") != std::string_view::npos))
        return makeError(ErrorKind::Permission, "a link to {} would be shared by branches", target);
    Node node;
    node.type = FileType::Symlink;
    node.mode = 0777;
    node.owner = owner;
    node.target = target;
    return add(directory, name, std::move(node));
}

Status MemoryView::unlink(InodeId directory, std::string_view name) {
    WriteLock lock(m_mutex);
    ARBOR_TRY(writable());
    ARBOR_ASSIGN(Node* const parent, directoryOf(directory));
    ARBOR_ASSIGN(const InodeId child, childOf(*parent, name));
    if (m_nodes.at(child).type == FileType::Directory)
        return makeError(ErrorKind::IsADirectory, "{} is a directory", name);
    detach(*parent, name);
    dropName(child);
    return {};
}

Status MemoryView::removeDirectory(InodeId directory, std::string_view name) {
    WriteLock lock(m_mutex);
    ARBOR_TRY(writable());
    ARBOR_ASSIGN(Node* const parent, directoryOf(directory));
    ARBOR_ASSIGN(const InodeId child, childOf(*parent, name));
    const Node& node = m_nodes.at(child);
    if (node.type != FileType::Directory)
        return makeError(ErrorKind::NotADirectory, "{} is no directory", name);
    if (!node.entries.empty())
        return makeError(ErrorKind::DirectoryNotEmpty, "{} is not empty", name);
    detach(*parent, name);
    dropName(child);
    return {};
}

bool MemoryView::isBelow(InodeId inode, InodeId ancestor) {
    for (; inode; inode = m_nodes.at(inode).parent)
        if (inode == ancestor)
            return true;
    return false;
}

Status MemoryView::checkReplacement(const Node& moved, InodeId replaced) {
    const Node& target = m_nodes.at(replaced);
    if (moved.type == FileType::Directory) {
        if (target.type != FileType::Directory)
            return makeError(ErrorKind::NotADirectory, "a directory does not replace a file");
        if (!target.entries.empty())
            return makeError(ErrorKind::DirectoryNotEmpty, "the directory to be replaced is not empty");
    } else if (target.type == FileType::Directory) {
        return makeError(ErrorKind::IsADirectory, "a file does not replace a directory");
    }
    return {};
}

Status MemoryView::rename(InodeId fromDirectory, std::string_view fromName, InodeId toDirectory,
                          std::string_view toName, bool noReplace) {
    WriteLock lock(m_mutex);
    ARBOR_TRY(writable());
    if (toName.size() > longestName)
        return makeError(ErrorKind::NameTooLong, "{}...", toName.substr(0, 32));
    ARBOR_ASSIGN(Node* const from, directoryOf(fromDirectory));
    ARBOR_ASSIGN(Node* const to, directoryOf(toDirectory));
    ARBOR_ASSIGN(const InodeId moved, childOf(*from, fromName));
    Node& node = m_nodes.at(moved);
    if (node.type == FileType::Directory && isBelow(toDirectory, moved))
        return makeError(ErrorKind::InvalidArgument, "{} would become its own ancestor", fromName);
    if (const auto replaced = childOf(*to, toName)) {
        if (noReplace)
            return makeError(ErrorKind::AlreadyExists, "{} exists", toName);
        if (*replaced == moved)
            return {};
        ARBOR_TRY(checkReplacement(node, *replaced));
        detach(*to, toName);
        dropName(*replaced);
    }
    detach(*from, fromName);
    attach(*to, toName, moved);
    node.parent = toDirectory;
    node.changed = now();
    return {};
}

// ------------------------------------------------------------------------------------------- content

Result<Attributes> MemoryView::setAttributes(InodeId inode, const AttributeChange& change) {
    WriteLock lock(m_mutex);
    ARBOR_TRY(writable());
    ARBOR_ASSIGN(Node* const node, find(inode));
    node->mode = change.mode.value_or(node->mode);
    node->owner.uid = change.uid.value_or(node->owner.uid);
    node->owner.gid = change.gid.value_or(node->owner.gid);
    node->modified = change.modified.value_or(node->modified);
    node->changed = now();
    return attributesOf(inode, *node);
}

void MemoryView::zero(Node& node, std::uint64_t offset, std::uint64_t end) {
    while (offset < end && offset / blockSize < node.blocks.size()) {
        auto& block = node.blocks[offset / blockSize];
        const std::size_t within = offset % blockSize;
        const std::size_t length = std::min<std::uint64_t>(blockSize - within, end - offset);
        if (length == blockSize) {
            node.allocated -= block ? 1 : 0;
            block.reset();
        } else if (block)
            std::fill_n(block->begin() + static_cast<std::ptrdiff_t>(within), length, std::byte{0});
        offset += length;
    }
}

void MemoryView::resize(Node& node, std::uint64_t size) {
    const std::uint64_t blocks = (size + blockSize - 1) / blockSize;
    if (size < node.size) // what is cut off must read as zeros if the file grows again; whole blocks go
        zero(node, size, std::max(node.size, node.blocks.size() * blockSize));
    node.blocks.resize(blocks);
    node.size = size;
}

Status MemoryView::truncate(InodeId inode, std::uint64_t size) {
    WriteLock lock(m_mutex);
    ARBOR_TRY(writable());
    ARBOR_ASSIGN(Node* const node, fileOf(inode));
    resize(*node, size);
    node->modified = node->changed = now();
    return {};
}

Status MemoryView::allocate(InodeId inode, std::uint64_t offset, std::uint64_t length, bool keepSize) {
    WriteLock lock(m_mutex);
    ARBOR_TRY(writable());
    ARBOR_ASSIGN(Node* const node, fileOf(inode));
    if (!keepSize && offset + length > node->size)
        resize(*node, offset + length);
    node->changed = now();
    return {};
}

Status MemoryView::punchHole(InodeId inode, std::uint64_t offset, std::uint64_t length) {
    WriteLock lock(m_mutex);
    ARBOR_TRY(writable());
    ARBOR_ASSIGN(Node* const node, fileOf(inode));
    zero(*node, offset, std::min(offset + length, node->size));
    node->modified = node->changed = now();
    return {};
}

Result<std::size_t> MemoryView::read(InodeId inode, std::uint64_t offset, MutableBytes into) {
    ReadLock lock(m_mutex);
    ARBOR_ASSIGN(Node* const node, fileOf(inode));
    if (offset >= node->size)
        return std::size_t{0};
    const std::size_t total = std::min<std::uint64_t>(into.size(), node->size - offset);
    for (std::size_t done = 0; done < total;) {
        const std::size_t within = (offset + done) % blockSize;
        const std::size_t length = std::min(blockSize - within, total - done);
        if (const auto& block = node->blocks[(offset + done) / blockSize])
            std::memcpy(into.data() + done, block->data() + within, length);
        else
            std::memset(into.data() + done, 0, length);
        done += length;
    }
    return total - std::min<std::size_t>(total, m_shortBy);
}

Status MemoryView::write(InodeId inode, std::uint64_t offset, Bytes bytes, WriterId) {
    maybeHoldWrite();
    WriteLock lock(m_mutex);
    ARBOR_TRY(writable());
    ARBOR_ASSIGN(Node* const node, fileOf(inode));
    if (offset + bytes.size() > node->size)
        resize(*node, offset + bytes.size());
    for (std::size_t done = 0; done < bytes.size();) {
        const std::size_t within = (offset + done) % blockSize;
        const std::size_t length = std::min(blockSize - within, bytes.size() - done);
        auto& block = node->blocks[(offset + done) / blockSize];
        if (!block) {
            block = std::make_unique<Block>();
            ++node->allocated;
        }
        std::memcpy(block->data() + within, bytes.data() + done, length);
        done += length;
    }
    node->modified = node->changed = now();
    return {};
}

// -------------------------------------------------------------------------------------- open and sync

Status MemoryView::open(InodeId inode) {
    WriteLock lock(m_mutex);
    ARBOR_ASSIGN(Node* const node, find(inode));
    ++node->opens;
    return {};
}

void MemoryView::close(InodeId inode) {
    WriteLock lock(m_mutex);
    Node& node = m_nodes.at(inode);
    if (--node.opens == 0 && node.names == 0)
        m_nodes.erase(inode);
}

std::size_t MemoryView::openCount() {
    ReadLock lock(m_mutex);
    std::size_t count = 0;
    for (const auto& [inode, node] : m_nodes)
        count += node.opens;
    return count;
}

std::size_t MemoryView::inodeCount() {
    ReadLock lock(m_mutex);
    return m_nodes.size();
}

Status MemoryView::sync() {
    std::promise<Status> answered;
    syncThen([&](Status status) { answered.set_value(std::move(status)); });
    return answered.get_future().get();
}

void MemoryView::syncThen(std::function<void(Status)> done) {
    MutexLock lock(m_syncMutex);
    m_syncs.push_back(std::move(done));
    m_syncChanged.notifyAll();
}

void MemoryView::holdSyncs(bool hold) {
    MutexLock lock(m_syncMutex);
    m_holdSyncs = hold;
    m_syncChanged.notifyAll();
}

void MemoryView::holdWrite(int number) {
    MutexLock lock(m_syncMutex);
    m_writesUntilHeld = number;
}

void MemoryView::releaseWrite() {
    MutexLock lock(m_syncMutex);
    m_holdsWrite = false;
    m_syncChanged.notifyAll();
}

bool MemoryView::holdsWrite() {
    MutexLock lock(m_syncMutex);
    return m_holdsWrite;
}

void MemoryView::maybeHoldWrite() {
    MutexLock lock(m_syncMutex);
    if (m_writesUntilHeld == 0 || --m_writesUntilHeld > 0)
        return;
    m_holdsWrite = true;
    while (m_holdsWrite && !m_stopping)
        m_syncChanged.wait(m_syncMutex);
}

std::size_t MemoryView::waitingSyncs() {
    MutexLock lock(m_syncMutex);
    return m_syncs.size();
}

void MemoryView::runSyncs() {
    for (;;) {
        std::vector<std::function<void(Status)>> due;
        {
            MutexLock lock(m_syncMutex);
            while (!m_stopping && (m_syncs.empty() || m_holdSyncs))
                m_syncChanged.wait(m_syncMutex);
            if (m_syncs.empty())
                return; // stopping, and everybody is answered
            due.swap(m_syncs);
        }
        for (const auto& done : due)
            done({});
    }
}

Result<SpaceInfo> MemoryView::space() {
    return SpaceInfo{std::uint64_t{64} << 30, std::uint64_t{32} << 30};
}

} // namespace arbor::test
