// The names of one view in memory: inodes and directories as its lineage sees them, read from the index when
// they are first asked for, and changed by the writes of its timeline.
//
// The tree does no locking and writes nothing: the view holds its lock (shared for what is const, exclusive
// for the rest), draws positions, and hands the records to the store.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/status.h"
#include "storage/disk/index.h"
#include "storage/format/lineage.h"
#include "storage/format/records.h"
#include "storage/names/roles.h"
#include "storage/pages/page_map.h"

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace arbor {

// Inodes that live in one view only and never reach the index.
inline constexpr std::uint64_t hostInodeBase = 1ull << 62;        // links to host directories
inline constexpr std::uint64_t unversionedInodeBase = 1ull << 61; // postmaster.pid, temporary relations ...
constexpr bool isVersioned(InodeId inode) {
    return inode.value < unversionedInodeBase;
}

// A piece of a block of a page file that waits for its rest.
struct HalfPage {
    std::int32_t writer = 0;
    std::array<std::byte, blockSize> bytes;
    std::vector<std::pair<std::size_t, std::size_t>>
        parts; // [begin, end), ascending, joined where they touch
};

// The bytes of an unversioned file, kept outside of the store.
class LooseFile {
  public:
    virtual ~LooseFile() = default;
    virtual Result<std::size_t> read(std::uint64_t offset, MutableBytes into) = 0;
    virtual Status write(std::uint64_t offset, Bytes bytes) = 0;
    virtual Status truncate(std::uint64_t size) = 0;
    virtual std::uint64_t size() const = 0;
};

struct Child {
    InodeId inode;
    FileType type = FileType::Regular;
    std::uint64_t cookie = 0;
};

struct Node : std::enable_shared_from_this<Node> {
    InodeId inode;
    AttributeRecord attributes;                // guarded by the view's names lock
    DirectoryRole role = DirectoryRole::Other; // a directory's own; a file: its directory's
    bool isPageFile = false;
    std::string tablespace; // directories below pg_tblspc/N: N
    // The last name is gone: what is written from now on never reaches the index. Set under the timeline's
    // lock.
    std::atomic<bool> ended{false};
    std::atomic<std::uint64_t> size{0};
    std::atomic<std::int64_t> modifiedMicros{0};
    unsigned opens = 0; // guarded by the view's names lock

    // directories, once read
    bool childrenRead = false;
    std::map<std::string, Child, std::less<>> children;
    std::map<std::uint64_t, std::string> byCookie;
    std::uint64_t lastCookie = 0;

    // files
    std::unique_ptr<PageMap> map;     // versioned ones
    std::unique_ptr<LooseFile> loose; // unversioned ones
    // For reading ahead: where the last long read ended, and up to where images have been asked for.
    std::atomic<std::uint64_t> readEnd{0};
    std::atomic<std::uint64_t> aheadEnd{0};
    Mutex writeMutex; // one write, truncation at a time; before the timeline's lock
    std::map<BlockNumber, HalfPage> halves ARBOR_GUARDED_BY(writeMutex);

    bool isDirectory() const { return attributes.type == FileType::Directory; }
};
using NodePtr = std::shared_ptr<Node>;

class NameTree {
  public:
    NameTree(const Index& index, const Lineage& lineage, PageMapStats& stats);

    // A node that is in memory already, or none. The only const method: the rest may read the index.
    NodePtr known(InodeId inode) const;
    // Registers the root directory's inode.
    Result<NodePtr> root(InodeId inode);
    // The inode of a name; NotFound. Reads the directory when needed.
    Result<NodePtr> child(Node& directory, std::string_view name);
    // false: `directory` must be read first, under the exclusive lock
    static bool isRead(const Node& directory) { return directory.childrenRead; }
    Status readChildren(Node& directory);
    Result<NodePtr> node(const Node& directory, std::string_view name, const Child& child);
    std::uint32_t subdirectories(const Node& directory) const;

    // Changes in memory. The caller has checked that they are allowed.
    NodePtr add(Node& directory, std::string_view name, InodeId inode, const AttributeRecord& attributes);
    void addName(Node& directory, std::string_view name, const Node& node);
    void removeName(Node& directory, std::string_view name);
    void forget(InodeId inode);
    // Its role follows its place (a rename).
    void place(Node& node, const Node& directory, std::string_view name);

    std::vector<NodePtr> all() const;

  private:
    Result<NodePtr> load(const Node& directory, std::string_view name, const Child& child);
    Result<std::uint64_t> readSize(InodeId inode) const;
    Result<AttributeRecord> readAttributes(InodeId inode) const;

    const Index& m_index;
    const Lineage& m_lineage;
    PageMapStats& m_stats;
    std::unordered_map<InodeId, NodePtr> m_nodes;
};

} // namespace arbor
