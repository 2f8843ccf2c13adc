#include "storage/names/name_tree.h"

#include "storage/format/keys.h"
#include "storage/format/runs.h"

namespace arbor {

NameTree::NameTree(const Index& index, const Lineage& lineage, PageMapStats& stats)
    : m_index(index), m_lineage(lineage), m_stats(stats) {}

NodePtr NameTree::known(InodeId inode) const {
    const auto found = m_nodes.find(inode);
    return found == m_nodes.end() ? nullptr : found->second;
}

Result<AttributeRecord> NameTree::readAttributes(InodeId inode) const {
    LineageCursor cursor(m_index, m_lineage, inodePrefix(tag::attributes, inode));
    ARBOR_TRY(cursor.status());
    if (!cursor.valid())
        return makeError(ErrorKind::Corruption, "file {} has a name but no attributes", inode);
    return decodeAttributes(cursor.value());
}

Result<std::uint64_t> NameTree::readSize(InodeId inode) const {
    LineageCursor cursor(m_index, m_lineage, inodePrefix(tag::sizeRun, inode));
    ARBOR_TRY(cursor.status());
    if (!cursor.valid())
        return 0;
    const auto key = parseInodeKey(cursor.key());
    if (!key)
        return makeError(ErrorKind::Corruption, "a size of file {} has a damaged key", inode);
    ARBOR_ASSIGN(const auto sizes, decodeSizeRun(key->position, cursor.value()));
    std::uint64_t size = 0;
    for (const SizeVersion& version :
         sizes) // the first one is seen, since the cursor came at or before its bound
        if (version.position <= cursor.member().upTo)
            size = version.size;
    return size;
}

Result<NodePtr> NameTree::root(InodeId inode) {
    if (NodePtr there = known(inode))
        return there;
    auto node = std::make_shared<Node>();
    node->inode = inode;
    ARBOR_ASSIGN(node->attributes, readAttributes(inode));
    node->role = DirectoryRole::Root;
    node->modifiedMicros = node->attributes.modified.micros;
    m_nodes[inode] = node;
    return node;
}

Status NameTree::readChildren(Node& directory) {
    if (directory.childrenRead)
        return {};
    // Newest member first; within a member the names come in order, and of one name the newest first.
    std::map<std::string, NameRecord, std::less<>> seen;
    LineageCursor cursor(m_index, m_lineage, inodePrefix(tag::name, directory.inode), false);
    for (; cursor.valid(); cursor.next()) {
        const auto key = parseNameKey(cursor.key());
        if (!key)
            return makeError(ErrorKind::Corruption, "a name in directory {} has a damaged key",
                             directory.inode);
        if (key->position > cursor.member().upTo || seen.contains(key->name))
            continue;
        ARBOR_ASSIGN(seen[key->name], decodeName(cursor.value()));
    }
    ARBOR_TRY(cursor.status());
    for (const auto& [name, record] : seen)
        if (record.inode) {
            const std::uint64_t cookie = ++directory.lastCookie;
            directory.children[name] = {record.inode, record.type, cookie};
            directory.byCookie[cookie] = name;
        }
    std::size_t count = 0;
    const std::string_view* names = hostDirectoryNames(directory.role, count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto there = directory.children.find(names[i]);
        const std::uint64_t cookie =
            there == directory.children.end() ? ++directory.lastCookie : there->second.cookie;
        // unique within the view: no two directories that have such names share an inode
        const InodeId inode{hostInodeBase + directory.inode.value * 16 + i};
        directory.children[std::string(names[i])] = {inode, FileType::Symlink, cookie};
        directory.byCookie[cookie] = names[i];
    }
    directory.childrenRead = true;
    return {};
}

void NameTree::place(Node& node, const Node& directory, std::string_view name) {
    if (node.isDirectory()) {
        node.role = roleOfChild(directory.role, name);
        node.tablespace = node.role == DirectoryRole::Tablespace ? std::string(name) : directory.tablespace;
    } else {
        node.role = directory.role;
        node.isPageFile = isPageFile(directory.role, name);
    }
}

Result<NodePtr> NameTree::load(const Node& directory, std::string_view name, const Child& child) {
    auto node = std::make_shared<Node>();
    node->inode = child.inode;
    if (child.inode.value >= hostInodeBase) {
        node->attributes = directory.attributes;
        node->attributes.type = FileType::Symlink;
        node->attributes.mode = 0777;
        node->attributes.target = hostDirectory(directory.role, name, directory.tablespace).value_or("");
    } else {
        ARBOR_ASSIGN(node->attributes, readAttributes(child.inode));
    }
    place(*node, directory, name);
    node->modifiedMicros = node->attributes.modified.micros;
    if (node->attributes.type == FileType::Regular) {
        ARBOR_ASSIGN(const std::uint64_t size, readSize(child.inode));
        node->size = size;
        node->map = std::make_unique<PageMap>(m_index, m_lineage, child.inode, m_stats, node->size);
    } else if (node->attributes.type == FileType::Symlink) {
        node->size = node->attributes.target.size();
    }
    m_nodes[child.inode] = node;
    return node;
}

Result<NodePtr> NameTree::node(const Node& directory, std::string_view name, const Child& child) {
    if (NodePtr there = known(child.inode))
        return there;
    return load(directory, name, child);
}

Result<NodePtr> NameTree::child(Node& directory, std::string_view name) {
    ARBOR_TRY(readChildren(directory));
    const auto found = directory.children.find(name);
    if (found == directory.children.end())
        return makeError(ErrorKind::NotFound, "no file {}", name);
    return node(directory, name, found->second);
}

std::uint32_t NameTree::subdirectories(const Node& directory) const {
    std::uint32_t count = 0;
    for (const auto& [name, child] : directory.children)
        count += child.type == FileType::Directory ? 1 : 0;
    return count;
}

NodePtr NameTree::add(Node& directory, std::string_view name, InodeId inode,
                      const AttributeRecord& attributes) {
    auto node = std::make_shared<Node>();
    node->inode = inode;
    node->attributes = attributes;
    place(*node, directory, name);
    node->modifiedMicros = attributes.modified.micros;
    if (attributes.type == FileType::Directory) {
        std::size_t count = 0;
        hostDirectoryNames(node->role, count);
        node->childrenRead = count == 0; // a new directory is empty, but for links to the host
    } else if (attributes.type == FileType::Symlink) {
        node->size = attributes.target.size();
    } else if (isVersioned(inode)) {
        node->map = std::make_unique<PageMap>(m_index, m_lineage, inode, m_stats, node->size);
    }
    m_nodes[inode] = node;
    addName(directory, name, *node);
    return node;
}

void NameTree::addName(Node& directory, std::string_view name, const Node& node) {
    auto there = directory.children.find(name);
    // a name that is replaced keeps its cookie: a listing under way sees it once
    const std::uint64_t cookie =
        there == directory.children.end() ? ++directory.lastCookie : there->second.cookie;
    directory.children.insert_or_assign(std::string(name), Child{node.inode, node.attributes.type, cookie});
    directory.byCookie[cookie] = name;
}

void NameTree::removeName(Node& directory, std::string_view name) {
    const auto there = directory.children.find(name);
    if (there == directory.children.end())
        return;
    directory.byCookie.erase(there->second.cookie);
    directory.children.erase(there);
}

void NameTree::forget(InodeId inode) {
    m_nodes.erase(inode);
}

std::vector<NodePtr> NameTree::all() const {
    std::vector<NodePtr> nodes;
    nodes.reserve(m_nodes.size());
    for (const auto& [inode, node] : m_nodes)
        nodes.push_back(node);
    return nodes;
}

} // namespace arbor
