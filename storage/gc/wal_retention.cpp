#include "storage/gc/wal_retention.h"

#include "storage/wal/wal_segments.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace arbor {

namespace {

// A stretch of one timeline's own log.
struct Stretch {
    Lsn from;
    Lsn to;
    Need need;
};

class Retention {
  public:
    Status addTimelines(const std::vector<WalTimeline>& timelines) {
        for (const WalTimeline& timeline : timelines)
            m_timelines[timeline.id] = &timeline;
        for (const WalTimeline& timeline : timelines)
            if (timeline.parent && (!m_timelines.contains(timeline.parent) || timeline.parent >= timeline.id))
                return makeError(ErrorKind::InvalidArgument,
                                 "timeline {} has the parent {}, which is not listed before it", timeline.id,
                                 timeline.parent);
        for (const WalTimeline& timeline : timelines)
            if (timeline.keepAll)
                addNeed({timeline.id, {}, {UINT64_MAX}, Need::byOthers()});
        return {};
    }

    Status add(const WalNeed& need) {
        if (!m_timelines.contains(need.timeline))
            return makeError(ErrorKind::InvalidArgument, "log is needed of timeline {}, which is not listed",
                             need.timeline);
        addNeed(need);
        return {};
    }

    // By whom a file is needed.
    Need needOf(const WalFile& file, TimelineId firstUnseen) const {
        const auto found = m_timelines.find(file.timeline);
        if (found == m_timelines.end())
            return file.timeline >= firstUnseen ? Need::byOthers() : Need();
        const WalTimeline& timeline = *found->second;
        Need need = file.isKept ? Need() : timeline.stands;
        const auto name = parseSegmentFileName(file.name, timeline.segmentSize);
        if (!name) {
            if (timeline.isForgotten && !m_stretches.contains(file.timeline))
                return {};
            need.join(need.empty() ? Need::byOthers() : Need());
            return need;
        }
        if (const auto stretches = m_stretches.find(file.timeline); stretches != m_stretches.end())
            for (const Stretch& stretch : stretches->second)
                if (stretch.from.value / timeline.segmentSize <= name->number &&
                    stretch.to.value / timeline.segmentSize >= name->number)
                    need.join(stretch.need);
        return need;
    }

  private:
    void addNeed(WalNeed need) {
        for (;;) {
            m_stretches[need.timeline].push_back({need.from, need.to, need.need});
            const WalTimeline& timeline = *m_timelines.at(need.timeline);
            if (!timeline.parent || need.from >= timeline.forkLsn)
                return;
            need = {timeline.parent, need.from, std::min(need.to, timeline.forkLsn), need.need};
        }
    }

    std::unordered_map<TimelineId, const WalTimeline*> m_timelines;
    std::unordered_map<TimelineId, std::vector<Stretch>> m_stretches;
};

// One file of the host, by all links of it that were listed.
struct HostFile {
    std::uint64_t bytes = 0;
    std::uint32_t links = 0;
    std::uint32_t removable = 0;
    Need need;
    TimelineId timeline;
};

} // namespace

Result<WalRetention> planWalRetention(const std::vector<WalTimeline>& timelines,
                                      const std::vector<WalNeed>& needs, const std::vector<WalFile>& files,
                                      TimelineId firstUnseen) {
    Retention retention;
    ARBOR_TRY(retention.addTimelines(timelines));
    for (const WalNeed& need : needs)
        ARBOR_TRY(retention.add(need));

    WalRetention result;
    std::map<std::uint64_t, HostFile> hostFiles;
    for (std::size_t i = 0; i < files.size(); ++i) {
        const WalFile& file = files[i];
        if (file.info.isDirectory || file.info.isSymlink)
            continue;
        HostFile& host = hostFiles[file.info.inode];
        host.bytes = file.info.size;
        host.links = file.info.links;
        const Need need = retention.needOf(file, firstUnseen);
        if (!host.timeline || host.need.empty())
            host.timeline = file.timeline;
        host.need.join(need);
        if (need.empty()) {
            ++host.removable;
            result.removable.push_back(i);
        }
    }
    for (const auto& [inode, host] : hostFiles) {
        result.totalBytes += host.bytes;
        if (host.removable >= host.links)
            result.freeBytes += host.bytes;
        result.uses.push_back({host.bytes, host.need, host.timeline});
    }
    return result;
}

} // namespace arbor
