// The half of scrub() that judges one entry of the index after the other. Included by scrub*.cpp alone.
#pragma once

#include "storage/engine/scrub.h"
#include "storage/format/keys.h"

#include <map>
#include <optional>
#include <set>

namespace arbor {

// What scrub()'s parts share: findings, throttling, cancelling.
class ScrubRun {
  public:
    ScrubRun(Engine& run, const ScrubOptions& with) : engine(run), options(with) {}

    void report(ScrubFinding finding);
    // Counts what was read; sleeps where the throttle says so. False when cancelled.
    bool proceed(std::uint64_t bytes);

    Engine& engine;
    const ScrubOptions& options;
    ScrubReport result;
    // Where a finding has named an image already: segment and offset
    std::set<std::pair<SegmentId, std::uint64_t>> damagedImages;

  private:
    std::optional<std::chrono::steady_clock::time_point> m_began;
    std::uint64_t m_sinceProgress = 0;
};

// Judges the entries of a snapshot of the index, in the order of keys.
class IndexScrub {
  public:
    explicit IndexScrub(ScrubRun& run);
    // False when cancelled.
    bool entry(std::string_view key, std::string_view value);
    // Behind the last entry.
    void finish();

  private:
    void finding(std::string what, std::string message, ScrubFinding where = {},
                 ScrubFinding::Severity severity = ScrubFinding::Severity::Damage);
    void notice(Position position, TimelineId timeline, InodeId inode);
    bool pageRun(std::string_view key, std::string_view value);
    void sizeRun(std::string_view key, std::string_view value);
    void cut(std::string_view key, std::string_view value);
    void attributes(std::string_view key, std::string_view value);
    void name(std::string_view key, std::string_view value);
    bool hasAttributes(InodeId inode) const;
    // In sentences: a path in the data directory or else "file 312", and "branch main" or "timeline 2".
    std::string textOf(InodeId inode);
    std::string textOf(TimelineId timeline) const;
    void positionMap(std::string_view key, std::string_view value);
    void marker(std::string_view value);
    void image(const PageRunKey& run, const PageVersion& version);
    std::optional<PageVersion> lookUpAgain(const PageRunKey& run, const PageVersion& version) const;
    const Lineage* lineageOf(TimelineId timeline);
    void catalogAndOperations();

    ScrubRun& m_run;
    const Index& m_index;
    Catalog m_catalog; // as the snapshot has it
    OperationLog m_operations;
    bool m_catalogLoads = true;
    std::map<TimelineId, Lineage> m_lineages;
    std::optional<PageRunKey> m_lastRun;
    std::optional<Marker> m_marker;
    Position m_greatestPosition;
    InodeId m_greatestInode;
    SegmentId m_greatestSegment;
    struct Entry {
        InodeId directory;
        std::string name;
    };
    std::optional<std::map<InodeId, Entry>> m_paths; // read when the first finding asks
    std::map<InodeId, std::set<TimelineId>> m_named; // inodes that names point at, until 'I' was met
};

} // namespace arbor
