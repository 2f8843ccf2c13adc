// TimelineView: BranchView over the store. One object a timeline is writable (its head); any number look at
// positions.
//
// Locks, in this order: a node's writeMutex, m_namesMutex, m_mutex, a page map's or the packer's, a segment
// appender's. m_mutex orders acceptance: under it a write draws its position, and everything that a position
// means (its LSN, the image, the entry for the index) is recorded before it is released, so that "all
// positions up to c" is a state that the timeline really had.
#pragma once

#include "storage/base/mutex.h"
#include "storage/engine/branch_view.h"
#include "storage/engine/log_follower.h"
#include "storage/engine/store.h"
#include "storage/format/lineage.h"
#include "storage/format/runs.h"
#include "storage/gc/sweeper.h"
#include "storage/names/name_tree.h"
#include "storage/timelines/records.h"

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace arbor {

// Where a view keeps what is not in the store.
struct HostPlaces {
    // Target of the symbolic link for a host directory ("pg_wal", "pg_notify", "pgsql_tmp.16385").
    std::function<std::string(const std::string& name)> linkTarget;
    // A new file for unversioned content, gone with the process.
    std::function<Result<std::unique_ptr<LooseFile>>()> looseFile;
};

class TimelineView final : public BranchView, public SyncParticipant {
  public:
    // Writable when `follower` is given (not owned; outlives the view). `last` is the last position drawn on
    // it.
    TimelineView(Store& store, Lineage lineage, InodeId root, HostPlaces places, LogFollower* follower,
                 ForkPoint last);
    ~TimelineView() override;

    // Makes the root directory of a new root timeline. Once, before anything else.
    Status createRoot(std::uint32_t mode, Owner owner);

    // The present point: advances the scan, and answers a pair that nothing can join later.
    Result<ForkPoint> present() ARBOR_EXCLUDES(m_mutex);
    // Advances the scan (a timer calls it too, so that no write has to read a gigabyte of log).
    Status followLog(LogFollower::Effort effort = LogFollower::Effort::Quick) ARBOR_EXCLUDES(m_mutex);
    const Lineage& lineage() const { return m_lineage; }
    LogFollower& log() { return *m_follower; } // of a head
    // Files that are open and have no name any more. A look at these positions shows what the index knows of
    // them; in these segments lies what it does not know.
    struct Nameless {
        std::set<Position> positions;
        std::set<SegmentId> segments;
    };
    Nameless nameless();
    // A sweep moved images of a file.
    void repoint(InodeId inode, std::span<const PageVersion> moves);
    // Something was accepted that no sync has made durable: the index does not have it.
    bool hasUnsynced() ARBOR_EXCLUDES(m_mutex);
    // Everything that this timeline accepted is durable.
    bool isDurable() ARBOR_EXCLUDES(m_mutex);
    // Drops page-map chunks that were not used since the last call.
    void trim();
    // Bytes written by databases, compressed or not, that syncs have taken since the view was opened.
    std::uint64_t bytesAccepted() const { return m_bytesAccepted.load(std::memory_order_relaxed); }

    TimelineId timeline() const override { return m_lineage.self(); }
    InodeId root() const override { return m_root; }
    bool isReadOnly() const override { return m_follower == nullptr; }
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
    void dropWriter(WriterId writer) override;
    // Drops every half page, when no process is left that could complete one: what a cache above must forget.
    std::vector<std::pair<InodeId, BlockNumber>> dropHalves();
    Status sync() override;
    void syncThen(std::function<void(Status)> done) override;
    Status open(InodeId inode) override;
    void close(InodeId inode) override;
    Result<SpaceInfo> space() override;

    Status collect(IndexBatch& batch) override;
    Status makeDurable() override;
    void durable() override;

  private:
    struct PendingPages {
        NodePtr node; // its map may have tickets of them
        std::vector<PageVersion> versions;
    };
    // What was accepted since the last sync took it.
    struct Pending {
        std::map<InodeId, PendingPages> pages;
        std::map<InodeId, std::vector<SizeVersion>> sizes;
        IndexBatch entries; // names, attributes, cuts
        std::vector<PositionLsn> lsns;
        bool empty() const { return pages.empty() && sizes.empty() && entries.empty() && lsns.empty(); }
    };
    struct Place { // a directory and a node in it
        NodePtr directory;
        NodePtr node;
    };

    // view_names.cpp
    Status writable() const;
    Attributes describe(const Node& node) const ARBOR_REQUIRES_SHARED(m_namesMutex);
    Result<NodePtr> find(InodeId inode) ARBOR_EXCLUDES(m_namesMutex);
    Result<NodePtr> findLocked(InodeId inode) ARBOR_REQUIRES(m_namesMutex);
    Result<NodePtr> directoryLocked(InodeId inode) ARBOR_REQUIRES(m_namesMutex);
    Result<Attributes> createNode(InodeId directory, std::string_view name, AttributeRecord record);
    Status checkTarget(const Node& directory, std::string_view target) ARBOR_REQUIRES(m_namesMutex);
    void putName(const Node& directory, std::string_view name, const NameRecord& record, Position position)
        ARBOR_REQUIRES(m_mutex);
    void putAttributes(const Node& node, Position position) ARBOR_REQUIRES(m_mutex);
    void endInode(Node& node, Position position) ARBOR_REQUIRES(m_namesMutex, m_mutex);
    void forgetIfUnused(Node& node) ARBOR_REQUIRES(m_namesMutex);
    std::string pathOf(const Node& node) ARBOR_EXCLUDES(m_namesMutex);
    void touch(Node& node) ARBOR_REQUIRES(m_namesMutex);

    // view_io.cpp
    Result<NodePtr> regularFile(InodeId inode);
    Status readBlocks(Node& node, std::uint64_t offset, MutableBytes into);
    Status readBlock(Node& node, BlockNumber block, PageRef ref, MutableBytes page);
    std::size_t readTogether(const Node& node, BlockNumber first, std::span<const PageRef> refs,
                             MutableBytes into) const;
    void readAhead(Node& node, std::uint64_t offset, std::uint64_t bytes) const;
    Status writeVersioned(Node& node, std::uint64_t offset, Bytes bytes, WriterId writer)
        ARBOR_REQUIRES(node.writeMutex);
    Status writePart(Node& node, BlockNumber block, std::size_t offset, Bytes bytes, WriterId writer)
        ARBOR_REQUIRES(node.writeMutex);
    Status mergePart(Node& node, BlockNumber block, std::size_t offset, Bytes bytes)
        ARBOR_REQUIRES(node.writeMutex);
    Status settleHalves(Node& node, WriterId writer, std::uint64_t offset, std::uint64_t end)
        ARBOR_REQUIRES(node.writeMutex);
    Status zeroRange(Node& node, std::uint64_t offset, std::uint64_t end) ARBOR_REQUIRES(node.writeMutex);
    // One version of one block, and the file's size if `end` lies beyond it.
    Status accept(Node& node, BlockNumber block, Bytes page, std::uint64_t end)
        ARBOR_REQUIRES(node.writeMutex);
    // Enters a version of a block; its page goes to the packer, or to a segment at once.
    Status enter(Node& node, BlockNumber block, Position position, Bytes page) ARBOR_REQUIRES(m_mutex);
    Status resize(Node& node, std::uint64_t size) ARBOR_REQUIRES(node.writeMutex);

    // timeline_view.cpp
    // Draws a position whose log position is `lsn`; noted for the map of positions.
    Position draw(Lsn lsn) ARBOR_REQUIRES(m_mutex);
    void setSize(Node& node, std::uint64_t size, Position position) ARBOR_REQUIRES(m_mutex);

    Store& m_store;
    const Lineage m_lineage;
    const InodeId m_root;
    const HostPlaces m_places;
    LogFollower* const m_follower;

    SharedMutex m_namesMutex;
    NameTree m_tree ARBOR_GUARDED_BY(m_namesMutex);
    std::uint64_t m_nextUnversioned ARBOR_GUARDED_BY(m_namesMutex) = unversionedInodeBase;
    std::atomic<std::uint64_t> m_halves{0}; // pieces of pages held back, in all files

    Mutex m_mutex;
    ForkPoint m_last ARBOR_GUARDED_BY(m_mutex);
    Lsn m_mappedLsn ARBOR_GUARDED_BY(m_mutex); // of the newest entry of the map of positions
    Pending m_pending ARBOR_GUARDED_BY(m_mutex);
    std::uint64_t m_acceptedEpoch ARBOR_GUARDED_BY(m_mutex) =
        0;                                             // of the sync that covers what was accepted last
    bool m_inFlight ARBOR_GUARDED_BY(m_mutex) = false; // a sync has taken something and is not done
    std::atomic<std::uint64_t> m_bytesAccepted{0};
};

} // namespace arbor
