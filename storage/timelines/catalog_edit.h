// Collects what one operation changes, on top of a catalog that stays as it is until commit. Internal to this
// folder.
#pragma once

#include "storage/timelines/catalog.h"
#include "storage/timelines/codec.h"

namespace arbor {

class CatalogEdit {
  public:
    explicit CatalogEdit(const Catalog& catalog) : m_catalog(catalog), m_counters(catalog.m_counters) {}

    // At most one put or erase for each record.
    template <class Record>
    void put(const Record& record) {
        putRaw(catalog_codec::keyOf(record.id), catalog_codec::encode(record));
    }
    template <class AnyId>
    void erase(AnyId id) {
        putRaw(catalog_codec::keyOf(id), std::nullopt);
    }
    void putRaw(std::string key, std::optional<std::string> after) {
        auto before = m_catalog.encoded(key);
        if (before != after)
            m_change.records.push_back({std::move(key), std::move(before), std::move(after)});
    }

    TimelineId newTimeline() { return m_change.timeline = TimelineId{m_counters.timeline++}; }
    BranchId newBranch() { return m_change.branch = BranchId{m_counters.branch++}; }
    CheckpointId newCheckpoint() { return m_change.checkpoint = CheckpointId{m_counters.checkpoint++}; }
    TrashId newTrash() { return m_change.trash = TrashId{m_counters.trash++}; }

    // What a branch that is thrown away leaves in the trash. Nothing runs on it there.
    TrashId throwAway(BranchRecord branch, TrashReason reason, Timestamp now) {
        branch.shouldRun = false;
        TrashRecord entry{newTrash(), std::move(branch), reason, now};
        put(entry);
        return entry.id;
    }

    CatalogChange& change() { return m_change; }
    CatalogChange finish() && {
        if (m_counters != m_catalog.m_counters)
            putRaw(catalog_codec::countersKey(), catalog_codec::encode(m_counters));
        return std::move(m_change);
    }

  private:
    const Catalog& m_catalog;
    IdCounters m_counters;
    CatalogChange m_change;
};

} // namespace arbor
