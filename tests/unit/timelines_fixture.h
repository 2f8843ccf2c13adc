// A catalog and its operation log on top of a map that plays the index, with a clock and a log that move by
// hand.
#pragma once

#include "storage/timelines/catalog.h"
#include "storage/timelines/operation_log.h"
#include "storage/timelines/pins.h"

#include <QTest>

namespace arbor::test {

// Stands for IndexBatch.
struct MapBatch {
    std::map<std::string, std::string>& pairs;
    void put(std::string_view key, std::string_view value) { pairs[std::string(key)] = value; }
    void erase(std::string_view key) { pairs.erase(std::string(key)); }
};

struct CatalogStore {
    Catalog catalog;
    OperationLog log{100'000};
    std::map<std::string, std::string> pairs;
    std::map<TimelineId, ForkPoint> heads;
    Timestamp now = Timestamp{} + Duration::days(20'000);
    std::uint64_t position = 100;

    // Writes a change that was made. The result must be one.
    CatalogChange keep(Result<CatalogChange> change) {
        if (!change)
            qFatal("unexpected error: %s", change.error().message().c_str());
        MapBatch batch{pairs};
        change->addTo(batch);
        now = now + Duration::seconds(1);
        return *change;
    }
    // The same, and enters it into the operation log.
    CatalogChange run(std::string_view command, Result<CatalogChange> change) {
        const CatalogChange kept = keep(std::move(change));
        keep(log.record(kept, "test", command, now));
        return kept;
    }
    CatalogChange undo(OperationId id = {}) { return keep(log.undo(catalog, id, "test", now, readable)); }
    CatalogChange redo() { return keep(log.redo(catalog, "test", now, readable)); }

    OperationLog::Readable readable = [](const TimelinePoint&) -> Status { return {}; };

    // The timeline writes: its head moves on in storage and in the log.
    ForkPoint write(TimelineId timeline) {
        position += 10;
        return heads[timeline] = {{position}, Lsn{position * 100}};
    }
    ForkPoint write(std::string_view branch) { return write(id(branch).timeline); }
    TimelinePoint head(std::string_view branch) {
        const TimelineId timeline = id(branch).timeline;
        if (!heads.contains(timeline))
            heads[timeline] = catalog.findTimeline(timeline)->fork;
        return {timeline, heads[timeline]};
    }
    ForkSpec fork(TimelinePoint from) { return {from, InodeId{position}, true}; }

    const BranchRecord& id(std::string_view name) const {
        const BranchRecord* found = catalog.findBranch(name);
        if (!found)
            qFatal("no branch %s", std::string(name).c_str());
        return *found;
    }
    BranchId idOf(std::string_view name) const { return id(name).id; }

    CatalogChange makeRoot(std::string_view name) {
        RootSpec spec{std::string(name), {}, 15, 16u << 20, InodeId{1}};
        const auto made = run("init", catalog.createRoot(spec, now));
        write(made.timeline);
        return made;
    }
    CatalogChange makeBranch(std::string_view name, std::string_view parent) {
        return run("branch create " + std::string(name),
                   catalog.createBranch(name, idOf(parent), fork(head(parent)), {}, now));
    }
    CatalogChange makeCheckpoint(std::string_view branch, std::string_view name) {
        return run("checkpoint create " + std::string(name),
                   catalog.createCheckpoint(idOf(branch), name, head(branch), now));
    }
    CatalogChange remove(std::string_view name) {
        return run("branch delete " + std::string(name), catalog.deleteBranch(idOf(name), now));
    }
    CatalogChange restore(std::string_view name, TimelinePoint at) {
        return run("branch restore " + std::string(name), catalog.restoreBranch(idOf(name), fork(at), now));
    }

    // The catalog and the log as they would be after a restart.
    CatalogStore reloaded() const {
        CatalogStore other;
        for (const auto& [key, value] : pairs) {
            const auto status = key[0] == OperationLog::keyTag ? other.log.loadRecord(key, value)
                                                               : other.catalog.loadRecord(key, value);
            if (!status)
                qFatal("reload: %s", status.error().message().c_str());
        }
        if (const auto status = other.catalog.finishLoad(); !status)
            qFatal("reload: %s", status.error().message().c_str());
        other.pairs = pairs;
        return other;
    }
};

template <class T>
ErrorKind kindOf(const Result<T>& result) {
    if (result)
        qFatal("a success where an error was expected");
    return result.error().kind();
}

// "" or what verify() found first
inline QString firstWrong(const Catalog& catalog) {
    const auto wrong = catalog.verify();
    return wrong.empty() ? QString() : QString::fromStdString(wrong.front());
}

} // namespace arbor::test
