// A reference for every BranchView: a correct file system over standard containers, simple enough to be
// believed. Durable never, versions none.
#pragma once

#include "storage/base/mutex.h"
#include "storage/engine/branch_view.h"

#include <array>
#include <condition_variable>
#include <map>
#include <thread>
#include <unordered_map>
#include <vector>

namespace arbor::test {

class MemoryView final : public BranchView {
  public:
    struct Options {
        TimelineId timeline{1};
        Owner owner; // of the root directory
        bool readOnly = false;
        // Symbolic links to absolute paths are taken when they begin with this; otherwise Permission. (""
        // takes none.)
        std::string hostLinks;
    };
    explicit MemoryView(Options options);
    ~MemoryView() override;

    // While held, no sync is answered: for tests of what goes on meanwhile.
    void holdSyncs(bool hold) ARBOR_EXCLUDES(m_syncMutex);
    std::size_t waitingSyncs() ARBOR_EXCLUDES(m_syncMutex);
    // The `number`th write from now on waits for releaseWrite().
    void holdWrite(int number) ARBOR_EXCLUDES(m_syncMutex);
    void releaseWrite() ARBOR_EXCLUDES(m_syncMutex);
    bool holdsWrite() ARBOR_EXCLUDES(m_syncMutex);
    // How often an inode is open, over all.
    std::size_t openCount() ARBOR_EXCLUDES(m_mutex);
    std::size_t inodeCount() ARBOR_EXCLUDES(m_mutex);
    // Every read from now on comes up short by this many bytes: what a view must never do.
    void shortenReads(std::size_t bytes) { m_shortBy = bytes; }

    TimelineId timeline() const override { return m_options.timeline; }
    InodeId root() const override { return InodeId{1}; }
    bool isReadOnly() const override { return m_options.readOnly; }
    Result<Attributes> lookup(InodeId directory, std::string_view name) override;
    Result<Attributes> attributes(InodeId inode) override;
    Result<std::string> readLink(InodeId inode) override;
    Result<std::vector<DirectoryEntry>> readDirectory(InodeId directory, std::uint64_t cookie,
                                                      std::size_t limit) override;
    Result<Attributes> createFile(InodeId directory, std::string_view name, std::uint32_t mode,
                                  Owner owner) override;
    Result<Attributes> makeDirectory(InodeId directory, std::string_view name, std::uint32_t mode,
                                     Owner owner) override;
    Result<Attributes> makeSymlink(InodeId directory, std::string_view name, std::string_view target,
                                   Owner owner) override;
    Status unlink(InodeId directory, std::string_view name) override;
    Status removeDirectory(InodeId directory, std::string_view name) override;
    Status rename(InodeId fromDirectory, std::string_view fromName, InodeId toDirectory,
                  std::string_view toName, bool noReplace) override;
    Result<Attributes> setAttributes(InodeId inode, const AttributeChange& change) override;
    Status truncate(InodeId inode, std::uint64_t size) override;
    Status allocate(InodeId inode, std::uint64_t offset, std::uint64_t length, bool keepSize) override;
    Status punchHole(InodeId inode, std::uint64_t offset, std::uint64_t length) override;
    Result<std::size_t> read(InodeId inode, std::uint64_t offset, MutableBytes into) override;
    Status write(InodeId inode, std::uint64_t offset, Bytes bytes, WriterId writer) override;
    void dropWriter(WriterId) override {} // nothing is held back here
    Status sync() override;
    void syncThen(std::function<void(Status)> done) override;
    Status open(InodeId inode) override;
    void close(InodeId inode) override;
    Result<SpaceInfo> space() override;

  private:
    void maybeHoldWrite() ARBOR_EXCLUDES(m_syncMutex);
    using Block = std::array<std::byte, blockSize>;
    struct Node {
        FileType type = FileType::Regular;
        std::uint32_t mode = 0;
        Owner owner;
        Timestamp modified;
        Timestamp changed;
        InodeId parent;          // a directory's
        std::uint32_t names = 0; // 0: unlinked
        std::uint32_t subdirectories = 0;
        std::size_t opens = 0;
        std::uint64_t size = 0;
        std::vector<std::unique_ptr<Block>> blocks; // null: a hole
        std::uint64_t allocated = 0;                // how many are not
        std::string target;
        std::map<std::string, std::uint64_t, std::less<>> cookies;        // a directory's names
        std::map<std::uint64_t, std::pair<std::string, InodeId>> entries; // and what they name, by cookie
    };

    Result<Node*> find(InodeId inode) ARBOR_REQUIRES_SHARED(m_mutex);
    Result<Node*> directoryOf(InodeId inode) ARBOR_REQUIRES_SHARED(m_mutex);
    Result<Node*> fileOf(InodeId inode) ARBOR_REQUIRES_SHARED(m_mutex);
    Result<InodeId> childOf(const Node& directory, std::string_view name) const;
    Attributes attributesOf(InodeId inode, const Node& node) const;
    Result<Attributes> add(InodeId directory, std::string_view name, Node node) ARBOR_REQUIRES(m_mutex);
    void attach(Node& directory, std::string_view name, InodeId inode) ARBOR_REQUIRES(m_mutex);
    void detach(Node& directory, std::string_view name) ARBOR_REQUIRES(m_mutex);
    void dropName(InodeId inode) ARBOR_REQUIRES(m_mutex);
    Status checkReplacement(const Node& moved, InodeId replaced) ARBOR_REQUIRES(m_mutex);
    bool isBelow(InodeId inode, InodeId ancestor) ARBOR_REQUIRES(m_mutex);
    void resize(Node& node, std::uint64_t size) ARBOR_REQUIRES(m_mutex);
    void zero(Node& node, std::uint64_t offset, std::uint64_t end) ARBOR_REQUIRES(m_mutex);
    Status writable() const;
    void runSyncs();

    const Options m_options;
    std::atomic<std::size_t> m_shortBy{0};
    SharedMutex m_mutex;
    std::unordered_map<InodeId, Node> m_nodes ARBOR_GUARDED_BY(m_mutex);
    std::uint64_t m_nextInode ARBOR_GUARDED_BY(m_mutex) = 2;
    std::uint64_t m_nextCookie ARBOR_GUARDED_BY(m_mutex) = 1;

    Mutex m_syncMutex;
    Condition m_syncChanged;
    std::vector<std::function<void(Status)>> m_syncs ARBOR_GUARDED_BY(m_syncMutex);
    bool m_holdSyncs ARBOR_GUARDED_BY(m_syncMutex) = false;
    int m_writesUntilHeld ARBOR_GUARDED_BY(m_syncMutex) = 0; // 0: none is to be held
    bool m_holdsWrite ARBOR_GUARDED_BY(m_syncMutex) = false;
    bool m_stopping ARBOR_GUARDED_BY(m_syncMutex) = false;
    std::thread m_syncThread; // last: it uses all of the above
};

} // namespace arbor::test
