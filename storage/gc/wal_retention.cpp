#include "storage/gc/wal_retention.h"

#include "storage/wal/wal_segments.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace arbor {

namespace {

constexpr std::uint32_t nobody = 0; // otherwise the number of a need, from 1 on
constexpr std::uint32_t many = UINT32_MAX;

void join(std::uint32_t& mine, std::uint32_t other) {
    if (other != nobody && mine != other)
        mine = mine == nobody ? other : many;
}

// A stretch of one timeline's own log.
struct Stretch {
    Lsn from;
    Lsn to;
    std::uint32_t need = many;
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
                add({timeline.id, {}, {UINT64_MAX}}, many);
        return {};
    }

    Status addNeed(const WalNeed& need, std::uint32_t number) {
        if (!m_timelines.contains(need.timeline))
            return makeError(ErrorKind::InvalidArgument, "log is needed of timeline {}, which is not listed",
                             need.timeline);
        add(need, number);
        return {};
    }

    // By whom a file of walkeep/ is needed.
    std::uint32_t needOf(const WalFile& file, TimelineId firstUnseen) const {
        const auto timeline = m_timelines.find(file.timeline);
        if (timeline == m_timelines.end())
            return file.timeline >= firstUnseen ? many : nobody;
        const std::uint64_t segmentSize = timeline->second->segmentSize;
        const auto name = parseSegmentFileName(file.name, timeline->second->segmentSize);
        if (!name)
            return many;
        std::uint32_t need = nobody;
        if (const auto found = m_stretches.find(file.timeline); found != m_stretches.end())
            for (const Stretch& stretch : found->second)
                if (stretch.from.value / segmentSize <= name->number &&
                    stretch.to.value / segmentSize >= name->number)
                    join(need, stretch.need);
        return need;
    }

  private:
    void add(WalNeed need, std::uint32_t number) {
        for (;;) {
            m_stretches[need.timeline].push_back({need.from, need.to, number});
            const WalTimeline& timeline = *m_timelines.at(need.timeline);
            if (!timeline.parent || need.from >= timeline.forkLsn)
                return;
            need = {timeline.parent, need.from, std::min(need.to, timeline.forkLsn)};
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
    std::uint32_t need = nobody;
};

} // namespace

Result<WalRetention> planWalRetention(const std::vector<WalTimeline>& timelines,
                                      const std::vector<WalNeed>& needs, const std::vector<WalFile>& files,
                                      TimelineId firstUnseen) {
    Retention retention;
    ARBOR_TRY(retention.addTimelines(timelines));
    for (std::size_t i = 0; i < needs.size(); ++i)
        ARBOR_TRY(retention.addNeed(needs[i], static_cast<std::uint32_t>(i + 1)));

    WalRetention result;
    result.onlyBytes.resize(needs.size());
    std::map<std::uint64_t, HostFile> hostFiles;
    for (std::size_t i = 0; i < files.size(); ++i) {
        const WalFile& file = files[i];
        if (file.info.isDirectory || file.info.isSymlink)
            continue;
        HostFile& host = hostFiles[file.info.inode];
        host.bytes = file.info.size;
        host.links = file.info.links;
        const std::uint32_t need = file.isKept ? retention.needOf(file, firstUnseen) : many;
        join(host.need, need);
        if (need == nobody) {
            ++host.removable;
            result.removable.push_back(i);
        }
    }
    for (const auto& [inode, host] : hostFiles) {
        result.totalBytes += host.bytes;
        if (host.removable >= host.links)
            result.freeBytes += host.bytes;
        else if (host.need != nobody && host.need != many)
            result.onlyBytes[host.need - 1] += host.bytes;
    }
    return result;
}

} // namespace arbor
