// Engine: the facade of the store. Timelines as views, branches as operations, points of history, what a
// program needs and nothing of how it is kept.
//
// Thread-safe. Every operation is durable when it returns; one that answers an error has done nothing. A fork
// is one catalog record (and an entry of the operation log) in one synced batch, whatever the size of the
// database and the number of branches.
//
// Lock order: m_catalogMutex, m_headsMutex, then a view's locks. No lock is held during a sync.
#pragma once

#include "storage/base/mutex.h"
#include "storage/engine/history.h"
#include "storage/engine/timeline_view.h"
#include "storage/gc/gc_input.h"
#include "storage/timelines/catalog.h"
#include "storage/timelines/operation_log.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace arbor {

// Who asks, for the operation log.
struct Caller {
    std::string client;  // "pgarborctl", "pgarbor", "engine"
    std::string command; // as the command line would write it
};

struct Xid { // 64-bit
    std::uint64_t value = 0;
};
struct CheckpointName {
    std::string name;
};

// Where the history of each live branch is to begin.
struct HistoryWindows {
    std::map<BranchId, ForkPoint> starts; // none for a branch: at its head
    // Where the log of each timeline ended when they were made: what is said of those that no window reaches.
    std::map<TimelineId, Lsn> ends;
};

// A timeline as a follower of its log is made for it.
struct LogPlace {
    TimelineId timeline;
    ForkPoint fork; // zero for a root
    std::uint32_t pgMajor = 0;
    std::uint32_t walSegmentSize = 0;
    std::vector<LineageStep> lineage; // the timeline first
};

class Engine : private SyncParticipant {
  public:
    // Makes the follower of a timeline's log. Called without a lock of the engine's.
    using FollowerFactory = std::function<Result<std::unique_ptr<LogFollower>>(Engine&, const LogPlace&)>;
    // Where a timeline's host directories are.
    using PlacesFactory = std::function<HostPlaces(Engine&, TimelineId)>;

    struct Options {
        Store::Options store;
        FollowerFactory followers;
        PlacesFactory places;
        // Whether a timeline could have crashed at this point (its control file says so); no fork is given
        // before.
        std::function<Status(Engine&, const TimelinePoint&)> checkFork;
    };

    static Status create(Disk& disk, const std::string& directory, const Options& options);
    static Result<std::unique_ptr<Engine>> open(Disk& disk, const std::string& directory, const Clock& clock,
                                                const Options& options);
    // Syncs what is left. Nobody holds a view any more.
    ~Engine() override;

    Store& store() { return *m_store; }
    const std::string& directory() const { return m_store->directory(); }
    const Clock& clock() const { return m_store->clock(); }
    Status sync() { return m_store->sync(); }

    // --- The catalog
    // Runs `look(const Catalog&)` under the catalog's lock and returns what it returns. Keep it short.
    template <class Look>
    auto catalog(Look look) const {
        const MutexLock lock(m_catalogMutex);
        return look(static_cast<const Catalog&>(m_catalog));
    }
    template <class Look>
    auto operations(Look look) const {
        const MutexLock lock(m_catalogMutex);
        return look(static_cast<const OperationLog&>(m_operations));
    }
    // An operation on the catalog: `change` is called under its lock with the time; what it returns becomes
    // durable together with its entry in the operation log. Bookkeeping makes no entry.
    using CatalogOperation = std::function<Result<CatalogChange>(Catalog&, Timestamp now)>;
    Result<CatalogChange> operate(const Caller& caller, const CatalogOperation& change);
    Result<CatalogChange> keepBook(const CatalogOperation& change);
    Result<CatalogChange> undo(const Caller& caller, OperationId id); // no id: the newest
    Result<CatalogChange> redo(const Caller& caller);
    // What they would do to branches, so that their servers can be stopped before and started behind.
    Result<std::vector<BranchMove>> planUndo(OperationId id) const;
    Result<std::vector<BranchMove>> planRedo() const;

    // --- Views
    // The writable head of a timeline. One object a timeline; it stays open until closeIdleHeads().
    Result<std::shared_ptr<TimelineView>> head(TimelineId timeline);
    // A read-only look at a point, which stays readable while it is held.
    Result<std::shared_ptr<TimelineView>> look(const TimelinePoint& point);
    // Heads that are open now.
    std::vector<std::shared_ptr<TimelineView>> openHeads() const;
    // Whether somebody holds a look at a point of it.
    bool isLookedAt(TimelineId timeline) const;
    // Closes the heads that nobody holds; timelines without a name (peeks) are gone with that. Not from the
    // sync thread, and not while holding a view.
    Status closeIdleHeads();

    // --- Roots: a timeline whose files are written before it has a name. Without finishRoot() it is garbage.
    Result<std::shared_ptr<TimelineView>> beginRoot(std::uint32_t mode, Owner owner);
    // Without a caller it is no operation that undo could take back: the root that a store begins with.
    Result<BranchRecord> finishRoot(const std::optional<Caller>& caller, const TimelineView& view,
                                    RootSpec spec, Lsn begin);
    // Its files and its log (wal/<T>) are in place: the view that is answered follows the log, so that a
    // server may run there before the root has a name. `view` must be the only one that the caller holds.
    Result<std::shared_ptr<TimelineView>> followRoot(std::shared_ptr<TimelineView> view,
                                                     std::uint32_t pgMajor, std::uint32_t walSegmentSize);
    // --- A fork without a name, for a peek: gone when nobody holds it and closeIdleHeads() is called.
    Result<std::shared_ptr<TimelineView>> fork(const TimelinePoint& point);

    // --- Points
    // The present point of a branch.
    Result<TimelinePoint> headPoint(const BranchRecord& branch);
    // A point in other words. The message says what was adjusted, where something was.
    using PointSpec = std::variant<std::monostate /* head */, Lsn, Timestamp, Xid, CheckpointName>;
    struct Resolved {
        TimelinePoint point;
        std::string message;
    };
    Result<Resolved> resolve(const BranchRecord& branch, const PointSpec& spec);
    // The point of a branch's lineage at an LSN, which must be where a record ends.
    Result<TimelinePoint> pointAtLsn(const BranchRecord& branch, Lsn lsn);
    // Where the history of a branch's lineage begins: earlier LSNs can be asked for only where a pin
    // is.
    Lsn lineageStart(TimelineId timeline) const;
    // What is known of a position of a timeline. What is not synced is not seen.
    Result<PositionTime> positionTime(TimelineId timeline, Position position) const;
    // Whether a point can still be read: inside the history window, or at a pin. Refused, with the range,
    // otherwise.
    Status available(const TimelinePoint& point) const;
    // The first point of a timeline that anybody's history keeps.
    ForkPoint historyStart(TimelineId timeline) const;
    // A crash has lost the log behind `lsn`: earlier positions map to it at most.
    Status clampHistory(TimelineId timeline, Lsn lsn);

    // --- Branches, by way of operate()
    struct BranchSpec {
        std::string name;
        BranchId parent;
        TimelinePoint from;
        BranchOptions options;
    };
    Result<BranchRecord> createBranch(const Caller& caller, const BranchSpec& spec);
    Result<BranchRecord> restoreBranch(const Caller& caller, BranchId branch, const TimelinePoint& to);
    Result<BranchRecord> resetBranch(const Caller& caller, BranchId branch);
    Result<CheckpointRecord> createCheckpoint(const Caller& caller, BranchId branch, std::string_view name,
                                              const TimelinePoint& at);

    // --- Collections (collection.cpp)
    // Where the history of each live branch begins when so much of it is kept: the later one of the two, and
    // never what was collected before.
    Result<HistoryWindows> historyWindows(Duration time, std::uint64_t bytes);
    // What a collection would go by now, or (with `thought`) if the catalog were another one.
    GcInput collectionInput(const HistoryWindows& windows, const Catalog* thought = nullptr) const;
    // The same, and from that moment on no earlier history than the windows' can be asked for; durable on
    // return. A sweep does this before it deletes anything.
    Result<GcInput> beginCollection(const HistoryWindows& windows);
    // The views that are open: heads, and looks at the past.
    std::vector<std::shared_ptr<TimelineView>> openViews() const;
    // Neither the catalog nor anything that is open knows the timeline, and none that is being made will be
    // it.
    bool isGone(TimelineId timeline) const;
    // Forgets what is remembered of timelines that are gone. Takes part in the next sync.
    void forgetHistories();

    // Called after every durable change of the catalog, without a lock, on the thread that made it.
    void onChange(std::function<void(const CatalogChange&)> listener) { m_listener = std::move(listener); }

  private:
    struct Head;
    // A timeline that the catalog does not know: a root that is being filled, a peek.
    struct Transient {
        TimelineId parent;
        ForkPoint fork;
        InodeId rootInode;
        std::uint32_t pgMajor = 0; // of a root whose log is in place
        std::uint32_t walSegmentSize = 0;
    };

    explicit Engine(const Options& options) : m_options(options) {}
    Status load();
    Status collect(IndexBatch& batch) override;
    Result<CatalogChange> commit(CatalogChange change);
    Result<LogPlace> logPlace(TimelineId timeline) const ARBOR_REQUIRES(m_catalogMutex);
    Result<InodeId> rootInodeOf(TimelineId timeline) const ARBOR_REQUIRES(m_catalogMutex);
    std::optional<TimelinePoint> pinnedPointAt(TimelineId timeline, Lsn lsn) const;
    Status availableLocked(const TimelinePoint& point) const ARBOR_REQUIRES(m_catalogMutex);
    Result<ForkSpec> forkSpec(const TimelinePoint& from) const ARBOR_REQUIRES(m_catalogMutex);
    Result<TimelinePoint> settle(const TimelinePoint& point);
    Result<std::shared_ptr<TimelineView>> openHead(const LogPlace& place, InodeId rootInode);
    Result<Position> positionAtLsn(TimelineId timeline, Lsn lsn, Position upTo);
    struct WindowBasis;
    Result<WindowBasis> windowBasis();
    Result<ForkPoint> startByTime(const WindowBasis& basis, const std::vector<LineageStep>& lineage,
                                  Timestamp time) const;
    Result<ForkPoint> startByLog(const WindowBasis& basis, const std::vector<LineageStep>& lineage,
                                 Lsn lsn) const;
    GcInput inputLocked(const Catalog& catalog, const HistoryWindows& windows) const
        ARBOR_REQUIRES(m_catalogMutex);
    std::map<TimelineId, std::vector<TimelineHistory::Stretch>> horizon(const HistoryWindows& windows) const
        ARBOR_REQUIRES(m_catalogMutex);

    const Options m_options;
    std::unique_ptr<Store> m_store;
    std::function<void(const CatalogChange&)> m_listener;

    mutable Mutex m_catalogMutex;
    Catalog m_catalog ARBOR_GUARDED_BY(m_catalogMutex);
    OperationLog m_operations ARBOR_GUARDED_BY(m_catalogMutex);
    IndexBatch m_pending ARBOR_GUARDED_BY(m_catalogMutex); // catalog records that no sync has taken
    std::unordered_map<TimelineId, Transient> m_transient ARBOR_GUARDED_BY(m_catalogMutex);
    std::map<TimelineId, TimelineHistory> m_histories ARBOR_GUARDED_BY(m_catalogMutex);
    std::multimap<TimelineId, ForkPoint> m_readers ARBOR_GUARDED_BY(m_catalogMutex); // looks that are open
    std::map<const TimelineView*, std::weak_ptr<TimelineView>> m_looks ARBOR_GUARDED_BY(m_catalogMutex);

    mutable Mutex m_headsMutex; // after m_catalogMutex
    Condition m_headsChanged;
    std::unordered_map<TimelineId, std::shared_ptr<Head>> m_heads ARBOR_GUARDED_BY(m_headsMutex);
    std::unordered_map<TimelineId, bool> m_opening ARBOR_GUARDED_BY(m_headsMutex);
};

} // namespace arbor
