// A store and its reference model under the same random operations, from a seed. The tests decide how long,
// when the power is cut, and what is compared.
#pragma once

#include "storage/disk/simulated_disk.h"
#include "storage/disk/simulated_tree.h"
#include "tests/support/background_steps.h"
#include "tests/support/reference_model.h"
#include "tests/support/store_fixture.h"

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace arbor::test {

class RandomWorkload {
  public:
    struct Shape {
        std::uint64_t maxBlocks = 12; // of a file
        std::size_t maxFiles = 12;    // on a branch
        std::size_t maxBranches = 6;
        std::size_t maxTimelines = 60; // from here on nothing new is forked
        std::size_t pointsKept = 8;    // of each timeline, and as many ends of LSNs
    };
    RandomWorkload(SimulatedDisk& disk, std::uint64_t seed, const Shape& shape);
    ~RandomWorkload();

    // Makes a store with one root. After a power cut in the middle (the disk is cut) call it again behind
    // crash(): what was not finished may be there or not.
    Status create();
    // One random operation on both. An error is a bug of the store, unless the power is cut.
    Status step();
    // Reads everything: the catalog, every branch, and `points` points of the past.
    Status compare(std::size_t points);
    // Closes and opens. Nothing may be lost.
    Status reopen();
    // After SimulatedDisk::crash(): drops the engine.
    void abandon();
    // Opens what the crash has left, and finds out which state it is: the last acknowledged one, or that of
    // the operation under way, whole. An error is a bug, unless the power is cut again.
    Status recover();

    Engine& engine() { return *m_engine; }
    const ModelWorld& world() const { return m_world; }
    std::uint64_t operations() const { return m_operations; }
    const std::string& lastOperation() const { return m_last; }
    SimulatedChance& chance() { return m_chance; }

  private:
    static inline const Caller caller{"test", "test"};

    using View = std::shared_ptr<TimelineView>;
    struct Target { // a live branch, its view and its model
        std::string name;
        ModelBranch branch;
        View view;
    };

    // random_workload.cpp: files
    Status openEngine();
    Status fileOperation();
    Status mutate(const Target& target, const std::function<Status(ModelTree&)>& change);
    Status createSomething(const Target& target);
    Status writeSomewhere(const Target& target);
    Status writeHalves(const Target& target);
    Status resizeSomething(const Target& target);
    Status renameSomething(const Target& target);
    Status removeSomething(const Target& target);
    Status useAfterUnlink(const Target& target);
    Status changeMode(const Target& target);
    Status readSomewhere(const Target& target);
    Status growLog(const Target& target);
    std::string newPath(const ModelTree& tree);
    std::string anyPath(const ModelTree& tree, std::optional<FileType> type);

    // random_workload_branches.cpp: history and catalog
    Status catalogOperation();
    Status fork(const Target& target);
    Status restore(const Target& target);
    Status reset(const Target& target);
    Status remove(const Target& target);
    Status rename(const Target& target);
    Status restoreFromTrash();
    Status undoOrRedo();
    Status checkpoint(const Target& target);
    Status removeCheckpoint();
    Status peek(const Target& target);
    Status lookBack(const Target& target);
    Status upkeep();
    Status collect();
    Status rememberHead(const Target& target);
    Result<ModelPoint> anyPoint(const Target& target);
    Result<std::optional<ModelPoint>> anyPast(const Target& target);
    ModelTreePtr treeAtLsn(TimelineId head, Lsn lsn) const;
    Status compareBranches();
    Status comparePoint(const ModelPoint& point);

    Result<Target> anyTarget();
    // Runs an operation that is durable when it returns. `done` changes the model; both it and the state
    // before count as possible when the power is cut on the way.
    Status durably(const std::function<Status()>& operation, const std::function<void(ModelWorld&)>& done);
    Status catalogChange(const std::function<Status()>& operation,
                         const std::function<void(ModelWorld&)>& done);
    void addTimeline(ModelWorld& world, TimelineId id, const ModelPoint& from);
    void forgetUnreadable();
    void forgetBehind(Position last);
    bool oneIn(std::uint64_t n) { return m_chance.oneIn(n); }
    std::uint64_t below(std::uint64_t n) { return m_chance.below(n); }

    SimulatedDisk& m_disk;
    SimulatedChance m_chance;
    const Shape m_shape;
    FakeLogs m_logs;
    ManualClock m_clock;
    BackgroundSteps m_steps;
    std::unique_ptr<Engine> m_engine;
    ModelWorld m_world;
    ModelWorld m_acknowledged;
    std::vector<ModelWorld> m_possible; // of an operation that the power cut has met
    std::uint64_t m_operations = 0;
    std::uint64_t m_names = 0;
    std::string m_last;
};

} // namespace arbor::test
