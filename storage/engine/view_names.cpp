// The names of a TimelineView: lookup, creation, removal, renaming.
#include "storage/engine/timeline_view.h"
#include "storage/format/keys.h"

#include <algorithm>

namespace arbor {

namespace {

constexpr std::size_t maxNameBytes = 255;
// What a name or attributes take in memory until a sync, roughly: files that come and go must force one too.
constexpr std::size_t entryBytes = 128;

Status checkName(std::string_view name) {
    if (name.size() > maxNameBytes)
        return makeError(ErrorKind::NameTooLong, "a file name of {} bytes is too long", name.size());
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos ||
        name.find('\0') != std::string_view::npos)
        return makeError(ErrorKind::InvalidArgument, "'{}' cannot be a file name", name);
    return {};
}

} // namespace

Status TimelineView::writable() const {
    if (isReadOnly())
        return makeError(ErrorKind::ReadOnly, "a look at the past is read-only");
    return m_store.health();
}

Attributes TimelineView::describe(const Node& node) const {
    Attributes result;
    result.inode = node.inode;
    result.type = node.attributes.type;
    result.mode = node.attributes.mode;
    result.uid = node.attributes.uid;
    result.gid = node.attributes.gid;
    result.links = node.attributes.links;
    result.size = node.size;
    if (node.isDirectory()) {
        result.size = blockSize;
        result.links = 2 + m_tree.subdirectories(node);
    }
    result.allocatedBytes = result.size;
    result.modified.micros = node.modifiedMicros;
    result.changed = std::max(node.attributes.changed, result.modified);
    return result;
}

Result<NodePtr> TimelineView::findLocked(InodeId inode) {
    if (NodePtr node = m_tree.known(inode))
        return node;
    if (inode == m_root)
        return m_tree.root(inode);
    // every other inode was met by way of its name first
    return makeError(ErrorKind::NotFound, "no file {} on timeline {}", inode, timeline());
}

Result<NodePtr> TimelineView::find(InodeId inode) {
    {
        const ReadLock lock(m_namesMutex);
        if (NodePtr node = m_tree.known(inode))
            return node;
    }
    const WriteLock lock(m_namesMutex);
    return findLocked(inode);
}

Result<NodePtr> TimelineView::directoryLocked(InodeId inode) {
    ARBOR_ASSIGN(NodePtr node, findLocked(inode));
    if (!node->isDirectory())
        return makeError(ErrorKind::NotADirectory, "file {} is not a directory", inode);
    if (node->attributes.links == 0)
        return makeError(ErrorKind::NotFound, "the directory was removed");
    ARBOR_TRY(m_tree.readChildren(*node));
    return node;
}

Result<Attributes> TimelineView::lookup(InodeId directory, std::string_view name) {
    {
        // nearly always everything is in memory
        const ReadLock lock(m_namesMutex);
        const NodePtr parent = m_tree.known(directory);
        if (parent && parent->isDirectory() && NameTree::isRead(*parent)) {
            const auto child = parent->children.find(name);
            if (child == parent->children.end())
                return makeError(ErrorKind::NotFound, "no file {}", name);
            const NodePtr node = m_tree.known(child->second.inode);
            if (node && (!node->isDirectory() || NameTree::isRead(*node)))
                return describe(*node);
        }
    }
    const WriteLock lock(m_namesMutex);
    ARBOR_ASSIGN(const NodePtr parent, directoryLocked(directory));
    ARBOR_ASSIGN(const NodePtr node, m_tree.child(*parent, name));
    if (node->isDirectory())
        ARBOR_TRY(m_tree.readChildren(*node)); // its link count says how many directories it holds
    return describe(*node);
}

Result<Attributes> TimelineView::attributes(InodeId inode) {
    ARBOR_ASSIGN(const NodePtr node, find(inode));
    if (node->isDirectory()) {
        const WriteLock lock(m_namesMutex);
        ARBOR_TRY(m_tree.readChildren(*node));
        return describe(*node);
    }
    const ReadLock lock(m_namesMutex);
    return describe(*node);
}

Result<std::string> TimelineView::readLink(InodeId inode) {
    ARBOR_ASSIGN(const NodePtr node, find(inode));
    const ReadLock lock(m_namesMutex);
    if (node->attributes.type != FileType::Symlink)
        return makeError(ErrorKind::InvalidArgument, "file {} is not a symbolic link", inode);
    if (inode.value >= hostInodeBase)
        return m_places.linkTarget(node->attributes.target);
    return node->attributes.target;
}

Result<std::vector<DirectoryEntry>> TimelineView::readDirectory(InodeId directory, std::uint64_t cookie,
                                                                std::size_t limit) {
    const WriteLock lock(m_namesMutex);
    ARBOR_ASSIGN(const NodePtr node, directoryLocked(directory));
    // DROP TABLESPACE opens and removes whatever is listed in there; a link it could not
    const bool hidesLinks = node->role == DirectoryRole::TablespaceVersion;
    std::vector<DirectoryEntry> entries;
    for (auto at = node->byCookie.upper_bound(cookie); at != node->byCookie.end() && entries.size() < limit;
         ++at) {
        const Child& child = node->children.find(at->second)->second;
        if (hidesLinks && child.inode.value >= hostInodeBase)
            continue;
        entries.push_back({at->second, child.inode, child.type, at->first});
    }
    return entries;
}

void TimelineView::touch(Node& node) {
    const Timestamp now = m_store.clock().now();
    node.attributes.changed = now;
    node.attributes.modified = now;
    node.modifiedMicros = now.micros;
}

void TimelineView::putName(const Node& directory, std::string_view name, const NameRecord& record,
                           Position position) {
    m_pending.entries.put(nameKey(directory.inode, timeline(), name, position), encodeName(record));
    m_store.accumulated(name.size() + entryBytes);
}

void TimelineView::putAttributes(const Node& node, Position position) {
    m_pending.entries.put(versionKey(inodePrefix(tag::attributes, node.inode), timeline(), position),
                          encodeAttributes(node.attributes));
    m_store.accumulated(entryBytes);
}

// The inode has lost its last name at `position`. Who has it open goes on using it, in memory only.
void TimelineView::endInode(Node& node, Position position) {
    node.attributes.links = 0;
    node.ended = true;
    if (isVersioned(node.inode)) {
        putAttributes(node, position);
        m_pending.entries.put(versionKey(inodePrefix(tag::cut, node.inode), timeline(), position),
                              encodeCut(0));
        if (node.map)
            node.map->outlive(position);
    }
    forgetIfUnused(node);
}

void TimelineView::forgetIfUnused(Node& node) {
    if (node.opens == 0 && node.attributes.links == 0)
        m_tree.forget(node.inode);
}

Status TimelineView::createRoot(std::uint32_t mode, Owner owner) {
    ARBOR_TRY(writable());
    Node node;
    node.inode = m_root;
    const Timestamp now = m_store.clock().now();
    node.attributes = {FileType::Directory, mode, owner.uid, owner.gid, 1, now, now, {}, {}};
    ARBOR_ASSIGN(const Lsn lsn, m_follower->advance());
    {
        const MutexLock lock(m_mutex);
        putAttributes(node, draw(lsn));
    }
    return m_store.sync(); // the tree reads it from the index
}

Result<Attributes> TimelineView::createNode(InodeId directory, std::string_view name,
                                            AttributeRecord record) {
    ARBOR_TRY(writable());
    ARBOR_TRY(checkName(name));
    const WriteLock lock(m_namesMutex);
    ARBOR_ASSIGN(const NodePtr parent, directoryLocked(directory));
    if (parent->children.contains(name))
        return makeError(ErrorKind::AlreadyExists, "{} exists already", name);
    if (record.type == FileType::Symlink)
        ARBOR_TRY(checkTarget(*parent, record.target));
    record.parent = directory;
    record.modified = record.changed = m_store.clock().now();
    NodePtr node;
    if (record.type == FileType::Regular && isUnversioned(parent->role, name)) {
        ARBOR_ASSIGN(auto loose, m_places.looseFile());
        node = m_tree.add(*parent, name, {m_nextUnversioned++}, record);
        node->loose = std::move(loose);
    } else {
        ARBOR_ASSIGN(const Lsn lsn, m_follower->advance());
        node = m_tree.add(*parent, name, m_store.nextInode(), record);
        const MutexLock order(m_mutex);
        const Position position = draw(lsn);
        putName(*parent, name, {node->inode, record.type}, position);
        putAttributes(*node, position);
    }
    touch(*parent);
    if (node->isDirectory())
        ARBOR_TRY(m_tree.readChildren(*node));
    return describe(*node);
}

Result<Attributes> TimelineView::createFile(InodeId directory, std::string_view name, std::uint32_t mode,
                                            Owner owner) {
    return createNode(directory, name, {FileType::Regular, mode, owner.uid, owner.gid, 1, {}, {}, {}, {}});
}

Result<Attributes> TimelineView::makeDirectory(InodeId directory, std::string_view name, std::uint32_t mode,
                                               Owner owner) {
    return createNode(directory, name, {FileType::Directory, mode, owner.uid, owner.gid, 1, {}, {}, {}, {}});
}

Result<Attributes> TimelineView::makeSymlink(InodeId directory, std::string_view name,
                                             std::string_view target, Owner owner) {
    return createNode(directory, name,
                      {FileType::Symlink, 0777, owner.uid, owner.gid, 1, {}, {}, {}, std::string(target)});
}

// A target that leaves the data directory would be shared by branches: each would write into the other's
// files.
Status TimelineView::checkTarget(const Node& directory, std::string_view target) {
    int depth = 0;
    for (InodeId at = directory.inode; at && at != m_root; ++depth) {
        const NodePtr node = m_tree.known(at);
        at = node ? node->attributes.parent : InodeId();
    }
    bool leaves = target.starts_with('/');
    for (std::size_t begin = 0; begin <= target.size() && !leaves;) {
        const std::size_t end = std::min(target.find('/', begin), target.size());
        const std::string_view part = target.substr(begin, end - begin);
        depth += part == ".." ? -1 : part.empty() || part == "." ? 0 : 1;
        leaves = depth < 0;
        begin = end + 1;
    }
    if (leaves)
        return makeError(
            ErrorKind::Permission,
            "a link to {} would leave the data directory, and two branches would share and corrupt what "
            "is there; for a tablespace use allow_in_place_tablespaces and an empty LOCATION",
            target);
    return {};
}

Status TimelineView::unlink(InodeId directory, std::string_view name) {
    ARBOR_TRY(writable());
    const WriteLock lock(m_namesMutex);
    ARBOR_ASSIGN(const NodePtr parent, directoryLocked(directory));
    ARBOR_ASSIGN(const NodePtr node, m_tree.child(*parent, name));
    if (node->isDirectory())
        return makeError(ErrorKind::IsADirectory, "{} is a directory", name);
    if (node->inode.value >= hostInodeBase)
        return makeError(ErrorKind::Permission, "{} belongs to PgArbor and stays", name);
    ARBOR_ASSIGN(const Lsn lsn, m_follower->advance());
    const MutexLock order(m_mutex);
    const Position position = isVersioned(node->inode) ? draw(lsn) : Position();
    if (position)
        putName(*parent, name, {}, position);
    m_tree.removeName(*parent, name);
    endInode(*node, position);
    touch(*parent);
    return {};
}

Status TimelineView::removeDirectory(InodeId directory, std::string_view name) {
    ARBOR_TRY(writable());
    const WriteLock lock(m_namesMutex);
    ARBOR_ASSIGN(const NodePtr parent, directoryLocked(directory));
    ARBOR_ASSIGN(const NodePtr node, m_tree.child(*parent, name));
    if (!node->isDirectory())
        return makeError(ErrorKind::NotADirectory, "{} is not a directory", name);
    ARBOR_TRY(m_tree.readChildren(*node));
    // links to the host do not keep a directory from going
    if (std::any_of(node->children.begin(), node->children.end(),
                    [](const auto& child) { return child.second.inode.value < hostInodeBase; }))
        return makeError(ErrorKind::DirectoryNotEmpty, "{} is not empty", name);
    ARBOR_ASSIGN(const Lsn lsn, m_follower->advance());
    const MutexLock order(m_mutex);
    const Position position = draw(lsn);
    putName(*parent, name, {}, position);
    m_tree.removeName(*parent, name);
    endInode(*node, position);
    touch(*parent);
    return {};
}

Status TimelineView::rename(InodeId fromDirectory, std::string_view fromName, InodeId toDirectory,
                            std::string_view toName, bool noReplace) {
    ARBOR_TRY(writable());
    ARBOR_TRY(checkName(toName));
    const WriteLock lock(m_namesMutex);
    ARBOR_ASSIGN(const NodePtr from, directoryLocked(fromDirectory));
    ARBOR_ASSIGN(const NodePtr to, directoryLocked(toDirectory));
    ARBOR_ASSIGN(const NodePtr node, m_tree.child(*from, fromName));
    NodePtr replaced;
    if (to->children.contains(toName)) {
        ARBOR_ASSIGN(replaced, m_tree.child(*to, toName));
    }
    if (replaced && noReplace)
        return makeError(ErrorKind::AlreadyExists, "{} exists already", toName);
    if (replaced == node)
        return {};
    if (node->inode.value >= hostInodeBase || (replaced && replaced->inode.value >= hostInodeBase))
        return makeError(ErrorKind::Permission, "{} and {}: a name that belongs to PgArbor stays", fromName,
                         toName);
    if (!node->isDirectory() && isUnversioned(to->role, toName) == isVersioned(node->inode))
        return makeError(ErrorKind::Unsupported,
                         "{} cannot become {}: only one of them is part of the database", fromName, toName);
    if (replaced && node->isDirectory() != replaced->isDirectory())
        return replaced->isDirectory() ? makeError(ErrorKind::IsADirectory, "{} is a directory", toName)
                                       : makeError(ErrorKind::NotADirectory, "{} is not a directory", toName);
    if (replaced && replaced->isDirectory()) {
        ARBOR_TRY(m_tree.readChildren(*replaced));
        if (!replaced->children.empty())
            return makeError(ErrorKind::DirectoryNotEmpty, "{} is not empty", toName);
    }
    for (NodePtr at = to; at; at = m_tree.known(at->attributes.parent))
        if (at == node)
            return makeError(ErrorKind::InvalidArgument, "{} cannot be moved below itself", fromName);

    ARBOR_ASSIGN(const Lsn lsn, m_follower->advance());
    const MutexLock order(m_mutex);
    const bool versioned = isVersioned(node->inode);
    const Position position = versioned ? draw(lsn) : Position();
    node->attributes.parent = toDirectory;
    node->attributes.changed = m_store.clock().now();
    if (versioned) {
        putName(*from, fromName, {}, position);
        putName(*to, toName, {node->inode, node->attributes.type}, position);
        putAttributes(*node, position);
    }
    m_tree.removeName(*from, fromName);
    m_tree.addName(*to, toName, *node);
    m_tree.place(*node, *to, toName);
    if (replaced)
        endInode(*replaced, position);
    touch(*from);
    touch(*to);
    return {};
}

Result<Attributes> TimelineView::setAttributes(InodeId inode, const AttributeChange& change) {
    ARBOR_TRY(writable());
    const WriteLock lock(m_namesMutex);
    ARBOR_ASSIGN(const NodePtr node, findLocked(inode));
    if (inode.value >= hostInodeBase)
        return makeError(ErrorKind::Permission, "a link that belongs to PgArbor stays as it is");
    const bool logged = isVersioned(inode) && node->attributes.links > 0;
    Lsn lsn;
    if (logged) {
        ARBOR_ASSIGN(lsn, m_follower->advance());
    }
    AttributeRecord& record = node->attributes;
    record.mode = change.mode.value_or(record.mode);
    record.uid = change.uid.value_or(record.uid);
    record.gid = change.gid.value_or(record.gid);
    record.changed = m_store.clock().now();
    record.modified = change.modified.value_or(Timestamp{node->modifiedMicros});
    node->modifiedMicros = record.modified.micros;
    if (logged) {
        const MutexLock order(m_mutex);
        putAttributes(*node, draw(lsn));
    }
    return describe(*node);
}

Status TimelineView::open(InodeId inode) {
    const WriteLock lock(m_namesMutex);
    ARBOR_ASSIGN(const NodePtr node, findLocked(inode));
    ++node->opens;
    return {};
}

void TimelineView::close(InodeId inode) {
    const WriteLock lock(m_namesMutex);
    const NodePtr node = m_tree.known(inode);
    if (!node || node->opens == 0)
        return;
    --node->opens;
    forgetIfUnused(*node);
}

std::string TimelineView::pathOf(const Node& node) {
    const ReadLock lock(m_namesMutex);
    std::string path;
    const Node* child = &node;
    for (NodePtr parent = m_tree.known(node.attributes.parent); parent;
         parent = m_tree.known(parent->attributes.parent)) {
        const auto named =
            std::find_if(parent->children.begin(), parent->children.end(),
                         [&](const auto& entry) { return entry.second.inode == child->inode; });
        const std::string name =
            named == parent->children.end() ? fmt::format("(removed file {})", child->inode) : named->first;
        path = path.empty() ? name : name + "/" + path;
        child = parent.get();
    }
    return path.empty() ? fmt::format("file {}", node.inode) : path;
}

} // namespace arbor
