#include "storage/gc/edits.h"

#include "storage/format/keys.h"

#include <algorithm>

namespace arbor {

namespace {

// The runs of each timeline together: calls with [first, end).
template <class Run, class Call>
void forEachTimeline(const std::vector<Run>& runs, Call call) {
    for (std::size_t first = 0; first < runs.size();) {
        std::size_t end = first + 1;
        while (end < runs.size() && runs[end].timeline == runs[first].timeline)
            ++end;
        call(first, end);
        first = end;
    }
}

} // namespace

IndexBatch EditMaker::take() {
    return std::exchange(m_batch, {});
}

void EditMaker::doubt(std::string what) {
    if (m_doubts.size() < maxDoubts)
        m_doubts.push_back(std::move(what));
}

void EditMaker::erase(const std::string& key) {
    m_batch.erase(key);
    ++m_removed;
}

void EditMaker::pages(const PageGroup& group) {
    for (const PageGroup::Version& version : group.versions)
        if (version.stays && !version.page.location.isZeroPage())
            m_indexed[version.page.location.segment()] += version.page.location.bytes();
    if (!group.inDoubt)
        forEachTimeline(group.runs,
                        [&](std::size_t first, std::size_t end) { rewritePages(group, first, end); });
}

void EditMaker::rewritePages(const PageGroup& group, std::size_t firstRun, std::size_t endRun) {
    std::vector<PageVersion> staying;
    const std::size_t begin = group.runs[firstRun].begin;
    const std::size_t end = group.runs[endRun - 1].end;
    for (std::size_t i = begin; i < end; ++i)
        if (group.versions[i].stays)
            staying.push_back(group.versions[i].page);
    const std::size_t runs = endRun - firstRun;
    const std::size_t merged = (staying.size() + maxRunVersions - 1) / maxRunVersions;
    const std::size_t dropped = end - begin - staying.size();
    if (dropped == 0 && 4 * merged > runs)
        return;
    m_removed += dropped;
    const std::string prefix = pageRunPrefix(group.inode, group.chunk);
    const TimelineId timeline = group.runs[firstRun].timeline;
    for (std::size_t i = firstRun; i < endRun; ++i)
        m_batch.erase(versionKey(prefix, timeline, group.runs[i].first));
    for (std::size_t i = 0; i < staying.size(); i += maxRunVersions) {
        const auto first = staying.begin() + static_cast<std::ptrdiff_t>(i);
        const std::vector<PageVersion> run(
            first, first + static_cast<std::ptrdiff_t>(std::min(maxRunVersions, staying.size() - i)));
        m_batch.put(versionKey(prefix, timeline, run.front().position), encodePageRun(run));
    }
}

void EditMaker::inode(const InodeGroup& group) {
    if (group.inDoubt)
        return;
    for (const InodeGroup::Entry& entry : group.attributes)
        if (!entry.stays)
            erase(versionKey(inodePrefix(tag::attributes, group.inode), entry.timeline, entry.position));
    for (const InodeGroup::Entry& entry : group.cuts)
        if (!entry.stays)
            erase(versionKey(inodePrefix(tag::cut, group.inode), entry.timeline, entry.position));
    forEachTimeline(group.sizeRuns,
                    [&](std::size_t first, std::size_t end) { rewriteSizes(group, first, end); });
}

void EditMaker::rewriteSizes(const InodeGroup& group, std::size_t firstRun, std::size_t endRun) {
    std::vector<SizeVersion> staying;
    const std::size_t begin = group.sizeRuns[firstRun].begin;
    const std::size_t end = group.sizeRuns[endRun - 1].end;
    for (std::size_t i = begin; i < end; ++i)
        if (group.sizes[i].stays)
            staying.push_back({group.sizes[i].position, group.sizes[i].number});
    const std::size_t dropped = end - begin - staying.size();
    if (dropped == 0)
        return;
    m_removed += dropped;
    const std::string prefix = inodePrefix(tag::sizeRun, group.inode);
    const TimelineId timeline = group.sizeRuns[firstRun].timeline;
    for (std::size_t i = firstRun; i < endRun; ++i)
        m_batch.erase(versionKey(prefix, timeline, group.sizeRuns[i].first));
    for (std::size_t i = 0; i < staying.size(); i += maxRunVersions) {
        const auto first = staying.begin() + static_cast<std::ptrdiff_t>(i);
        const std::vector<SizeVersion> run(
            first, first + static_cast<std::ptrdiff_t>(std::min(maxRunVersions, staying.size() - i)));
        m_batch.put(versionKey(prefix, timeline, run.front().position), encodeSizeRun(run));
    }
}

void EditMaker::directory(const DirectoryGroup& group) {
    for (const DirectoryGroup::Entry& entry : group.entries)
        if (!entry.stays)
            erase(nameKey(group.directory, entry.timeline, entry.name, entry.position));
}

void EditMaker::positionMap(const PositionMapGroup& group) {
    for (const PositionMapGroup::Entry& entry : group.entries)
        if (!entry.stays)
            erase(positionMapKey(group.timeline, entry.first));
}

} // namespace arbor
