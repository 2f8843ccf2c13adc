// What an operation did to the catalog, record by record. The engine writes it as part of one synced batch;
// the operation log keeps it for undo.
#pragma once

#include "storage/timelines/records.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace arbor {

struct RecordChange {
    std::string key;
    std::optional<std::string> before; // nothing: there was no such record
    std::optional<std::string> after;  // nothing: there is none now
    bool operator==(const RecordChange&) const = default;
};

struct CatalogChange {
    std::vector<RecordChange> records; // a key stands here once at most

    // What the operation made or moved, where it did.
    BranchId branch;
    TimelineId timeline;
    CheckpointId checkpoint;
    TrashId trash;

    // The operation found everything as it was asked to be.
    bool empty() const { return records.empty(); }

    // Batch is IndexBatch, or whatever else has its put and erase: this folder does not link the index.
    template <class Batch>
    void addTo(Batch& batch) const {
        for (const RecordChange& change : records)
            if (change.after)
                batch.put(change.key, *change.after);
            else
                batch.erase(change.key);
    }
    void append(CatalogChange other) {
        for (RecordChange& change : other.records)
            records.push_back(std::move(change));
    }
};

} // namespace arbor
