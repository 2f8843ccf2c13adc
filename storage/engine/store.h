// Store: the durable heart. One directory, its index, its segments, the counters, and the sync that makes
// everything accepted so far durable in one batch.
//
//   sync, step by step, and what a power cut after each leaves
//   1. take what has accumulated (page versions, names, sizes, catalog, marks),  nothing durable yet: gone
//      and pack the pages that are only held
//   2. fdatasync the segments, sync the kept log segments                        dead tails, cut off at the
//   next open
//   3. write one synced batch to the index, ending in the marker                 all of it, or (torn) nothing
//   4. answer everybody who waited                                               durable
// The index never knows an image that is not durable, and knows everything that was acknowledged.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/mutex.h"
#include "storage/base/time.h"
#include "storage/disk/index.h"
#include "storage/pages/page_map.h"
#include "storage/pages/page_packer.h"
#include "storage/pages/segment_store.h"

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace arbor {

// Something whose changes accumulate in memory until a sync takes them.
class SyncParticipant {
  public:
    virtual ~SyncParticipant() = default;
    // Step 1: moves what has accumulated into the batch. What is accepted later belongs to the next sync.
    virtual Status collect(IndexBatch& batch) = 0;
    // Step 2: makes durable what the collected entries rely on outside of the index and the segments.
    virtual Status makeDurable() { return {}; }
    // Step 4: what the last collect() took is durable.
    virtual void durable() {}
};

class Store {
  public:
    struct Options {
        SegmentStore::Options segments;
        Index::Options index;
        // A thread of the store's own runs the syncs, another packs pages; without them the caller of sync()
        // does both, and syncThen() blocks.
        bool backgroundSync = true;
        std::size_t forcedSyncBytes = 4u << 20; // of accumulated index entries
        std::size_t heldPages = 128;            // accepted and not packed yet
        std::size_t pageMapBytes = 96u << 20;   // budget of all page maps together
        std::uint64_t reserveBytes = 64u << 20; // kept allocated, for a disk that is full (0: none)
    };

    // Makes an empty store in a directory that does not exist yet or is empty.
    static Status create(Disk& disk, const std::string& directory, const Options& options);
    // Opens it, exclusively: Busy while another engine has it, Unsupported for a newer format, NotFound when
    // there is no store, Corruption naming what is damaged.
    static Result<std::unique_ptr<Store>> open(Disk& disk, const std::string& directory, const Clock& clock,
                                               const Options& options);
    ~Store();

    Disk& disk() { return m_disk; }
    const std::string& directory() const { return m_directory; }
    const std::string& id() const { return m_id; } // random, made with the store
    const Clock& clock() const { return m_clock; }
    const Index& index() const { return *m_index; }
    SegmentStore& segments() { return *m_segments; }
    PagePacker& packer() { return *m_packer; }
    PageMapStats& pageMapStats() { return m_pageMapStats; }
    std::size_t pageMapBudget() const { return m_options.pageMapBytes; }

    Position nextPosition() { return {m_position.fetch_add(1) + 1}; }
    Position lastPosition() const { return {m_position.load()}; }
    InodeId nextInode() { return {m_nextInode.fetch_add(1)}; }

    // The number of the sync that will cover what is accepted now (read under the lock that orders the
    // acceptance), and of the last one that is complete.
    std::uint64_t epoch() const { return m_epoch.load(); }
    std::uint64_t syncedEpoch() const { return m_syncedEpoch.load(); }

    // Participants are collected in the order of joining: the catalog first.
    void join(SyncParticipant* participant);
    void leave(SyncParticipant* participant); // its changes must have been synced, or do not matter any more

    // Everything accepted before the call is durable on return.
    Status sync();
    // Never blocks (with backgroundSync); `done` runs on the sync thread.
    void syncThen(std::function<void(Status)> done);
    // Counts accumulated bytes of index entries; forces a sync when they pass the limit.
    void accumulated(std::size_t bytes);
    // A batch beside the accumulated changes, durable on return together with everything that was appended to
    // the segments before: what a sweep does between syncs.
    Status writeBatch(IndexBatch& batch);
    // Ok until a write or a sync failed; from then on the error, and nothing is accepted.
    Status health() const;
    // What health() is owed to, with its own kind; Ok while there is nothing.
    Status firstFailure() const;
    // Runs once, on the thread that met the failure.
    void onFailure(std::function<void(const Error&)> handler) { m_onFailure = std::move(handler); }

    // Reads the format file again: Corruption when it is no longer this store's.
    Status verifyFormat() const;
    // The reserve, a file: space that nobody else can take. The index draws on it in small pieces when the
    // disk is full; a sweep there spends all of it. restoreReserve() sets aside what it can of what is
    // missing: NoSpace when that is nothing.
    bool isReserveWhole() const { return m_reserveBytes >= m_options.reserveBytes; }
    Status spendReserve();
    Status restoreReserve();

  private:
    Store(Disk& disk, std::string directory, const Clock& clock, const Options& options);
    Status load();
    Status runSync() ARBOR_EXCLUDES(m_syncMutex);
    Status writeWithMarker(IndexBatch& batch) ARBOR_REQUIRES(m_syncMutex);
    void fail(const Error& error);
    void syncLoop();
    std::string reservePath() const { return m_directory + "/pages/reserve"; }
    std::uint64_t reservePiece() const { return m_options.reserveBytes / 16; }
    bool drawOnReserve();
    Status setAside(std::uint64_t bytes) ARBOR_REQUIRES(m_reserveMutex);

    Disk& m_disk;
    const std::string m_directory;
    const Clock& m_clock;
    const Options m_options;
    Mutex m_reserveMutex; // innermost
    std::atomic<std::uint64_t> m_reserveBytes{0};
    std::string m_id;
    std::unique_ptr<DiskLock> m_lock;
    std::unique_ptr<Index> m_index;
    std::unique_ptr<SegmentStore> m_segments;
    std::unique_ptr<PagePacker> m_packer;
    PageMapStats m_pageMapStats;
    std::atomic<std::uint64_t> m_position{0};
    std::atomic<std::uint64_t> m_nextInode{1};
    std::atomic<std::uint64_t> m_epoch{1};
    std::atomic<std::uint64_t> m_syncedEpoch{0};
    std::atomic<std::size_t> m_accumulated{0};

    // One sync at a time. Before the locks of participants and segments.
    Mutex m_syncMutex;
    std::uint64_t m_batch ARBOR_GUARDED_BY(m_syncMutex) = 0;
    std::vector<SyncParticipant*> m_participants ARBOR_GUARDED_BY(m_syncMutex);

    mutable Mutex m_failureMutex; // innermost
    std::unique_ptr<Error> m_failure ARBOR_GUARDED_BY(m_failureMutex);
    std::atomic<bool> m_failed{false};
    std::function<void(const Error&)> m_onFailure;

    Mutex m_queueMutex; // innermost
    Condition m_queueChanged;
    std::vector<std::function<void(Status)>> m_waiting ARBOR_GUARDED_BY(m_queueMutex);
    bool m_forced ARBOR_GUARDED_BY(m_queueMutex) = false;
    bool m_stopping ARBOR_GUARDED_BY(m_queueMutex) = false;
    std::thread m_thread;
};

} // namespace arbor
