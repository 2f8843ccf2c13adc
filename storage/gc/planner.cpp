#include "storage/gc/planner.h"

#include <algorithm>

namespace arbor {

Result<std::unique_ptr<Planner>> Planner::make(const Index& index,
                                               const std::map<SegmentId, std::uint64_t>& segments,
                                               const GcInput& input, const GcPolicy& policy) {
    ARBOR_ASSIGN(NeedModel model, NeedModel::make(input));
    return std::unique_ptr<Planner>(new Planner(index, segments, input, std::move(model), policy));
}

Planner::Planner(const Index& index, const std::map<SegmentId, std::uint64_t>& segments, const GcInput& input,
                 NeedModel model, const GcPolicy& policy)
    : m_input(input), m_policy(policy), m_model(std::move(model)), m_walk(index, m_model, *this) {
    for (const auto& [segment, size] : segments) {
        m_plan.segments[segment].size = size;
        m_plan.totalBytes += size;
    }
    for (const SegmentId segment : input.heldSegments)
        if (const auto found = m_plan.segments.find(segment); found != m_plan.segments.end())
            found->second.isHeld = true;
    for (const NeedModel::Node& node : m_model.nodes())
        m_plan.timelines[node.id].depth = node.depth;
    m_plan.pins.resize(input.pins.size());
    m_ownerUse.resize(m_model.owners().size() + 1);
    m_ownerLines.resize(m_model.owners().size() + 1);
    for (const GcPin& pin : input.pins)
        if (pin.kind == PinKind::Head)
            m_headLines.insert(pin.timeline);
    for (std::size_t i = 0; i < input.pins.size(); ++i)
        if (TimelineId& line = m_ownerLines[m_model.needOf(i).owner()];
            !line || input.pins[i].kind == PinKind::Head)
            line = input.pins[i].timeline;
}

// The segment that a version's image counts for; none for one that is newer than the listing, or missing.
SegmentUse* Planner::useOf(const PageGroup::Version& version) {
    const ImageLocation location = version.page.location;
    if (location.segment() != m_lastSegment || m_lastUse == nullptr) {
        const auto found = m_plan.segments.find(location.segment());
        if (found == m_plan.segments.end()) {
            if (!m_plan.segments.empty() && location.segment() < m_plan.segments.rbegin()->first)
                doubt(fmt::format("segment {} is missing, in which a page image at position {} should lie",
                                  location.segment(), version.page.position));
            return nullptr;
        }
        m_lastSegment = location.segment();
        m_lastUse = &found->second;
    }
    if (location.offset() + location.bytes() > m_lastUse->size) {
        m_lastUse->isHeld = true;
        return nullptr;
    }
    return m_lastUse;
}

void Planner::pages(const PageGroup& group) {
    for (const PageGroup::Run& run : group.runs) {
        GcPlan::TimelineUse& timeline = m_plan.timelines[run.timeline];
        timeline.versions += run.end - run.begin;
        for (std::size_t i = run.begin; i < run.end; ++i) {
            const PageGroup::Version& version = group.versions[i];
            countEntry(version.stays);
            if (version.page.location.isZeroPage())
                continue;
            SegmentUse* use = useOf(version);
            if (use == nullptr)
                continue;
            const std::uint64_t bytes = version.page.location.bytes();
            use->indexedBytes += bytes;
            timeline.bytes += bytes;
            if (!version.stays) {
                m_deadBytes += bytes;
                continue;
            }
            use->liveBytes += bytes;
            if (version.need.empty())
                continue; // stays because of a doubt
            timeline.neededBytes += bytes;
            account(bytes, version.need, run.timeline);
            if (m_countFiles)
                countFile(group.inode, bytes, version.need);
        }
    }
}

namespace {

// The accounts that do not ask for the owner.
void addToTotals(GcPlan& plan, std::uint64_t bytes, const Need& need) {
    if (need.head() == Need::none) {
        plan.historyBytes += bytes;
        if (need.by(PinKind::Window))
            plan.windowBytes += bytes;
        else if (!need.by(PinKind::Checkpoint) && !need.by(PinKind::Reader) && !need.by(PinKind::Child))
            plan.trashBytes += bytes;
    } else if (need.head() == Need::many) {
        plan.sharedBytes += bytes;
    } else {
        plan.privateBytes += bytes;
        plan.pins[need.head() - 1].privateBytes += bytes;
    }
    if (need.pin() != Need::many)
        plan.pins[need.pin() - 1].onlyBytes += bytes;
}

void addToOwner(GcPlan::OwnerUse& use, std::uint64_t bytes, bool inherited) {
    use.onlyBytes += bytes;
    use.inheritedBytes += inherited ? bytes : 0;
}

} // namespace

void GcPlan::add(std::uint64_t bytes, const Need& need, const GcInput& input, const NeedModel& model,
                 bool inherited) {
    totalBytes += bytes;
    if (need.empty()) {
        garbageBytes += bytes;
        return;
    }
    addToTotals(*this, bytes, need);
    if (need.head() != Need::none && need.head() != Need::many)
        owners[input.pins[need.head() - 1].owner].privateBytes += bytes;
    if (need.owner() != Need::many && model.owners()[need.owner() - 1])
        addToOwner(owners[model.owners()[need.owner() - 1]], bytes, inherited);
}

void Planner::account(std::uint64_t bytes, const Need& need, TimelineId timeline) {
    addToTotals(m_plan, bytes, need);
    if (need.head() != Need::none && need.head() != Need::many && need.owner() != Need::many &&
        m_input.pins[need.head() - 1].timeline != timeline && m_headLines.contains(timeline))
        m_plan.pinnedBytes += bytes;
    if (need.owner() != Need::many)
        addToOwner(m_ownerUse[need.owner()], bytes, timeline != m_ownerLines[need.owner()]);
}

void Planner::countFiles(BranchId owner) {
    m_countFiles = true;
    const auto& owners = m_model.owners();
    const auto found = std::find(owners.begin(), owners.end(), owner);
    if (owner) // one that pins nothing owns nothing
        m_filesOwner =
            found == owners.end() ? Need::many : static_cast<std::uint32_t>(found - owners.begin()) + 1;
}

void Planner::countFile(InodeId inode, std::uint64_t bytes, const Need& need) {
    if (m_filesOwner != Need::none && (need.owner() == Need::many || need.owner() != m_filesOwner))
        return;
    GcPlan::FileUse& file = m_plan.files[inode];
    (need.head() == Need::none   ? file.historyBytes
     : need.head() == Need::many ? file.sharedBytes
                                 : file.privateBytes) += bytes;
}

void Planner::countEntry(bool stays) {
    ++m_plan.index.entries;
    m_plan.index.garbage += stays ? 0 : 1;
}

void Planner::inode(const InodeGroup& group) {
    for (const auto* entries : {&group.attributes, &group.cuts, &group.sizes})
        for (const InodeGroup::Entry& entry : *entries)
            countEntry(entry.stays);
}

void Planner::directory(const DirectoryGroup& group) {
    for (const DirectoryGroup::Entry& entry : group.entries)
        countEntry(entry.stays);
}

void Planner::positionMap(const PositionMapGroup& group) {
    for (const PositionMapGroup::Entry& entry : group.entries)
        countEntry(entry.stays);
}

void Planner::doubt(std::string what) {
    if (m_plan.doubts.size() < maxDoubts)
        m_plan.doubts.push_back(std::move(what));
}

GcPlan Planner::finish() {
    for (std::size_t i = 0; i < m_input.pins.size(); ++i)
        if (m_input.pins[i].owner)
            m_plan.owners[m_input.pins[i].owner].privateBytes += m_plan.pins[i].privateBytes;
    for (std::size_t i = 0; i < m_model.owners().size(); ++i) {
        if (!m_model.owners()[i])
            continue;
        GcPlan::OwnerUse& owner = m_plan.owners[m_model.owners()[i]];
        owner.onlyBytes = m_ownerUse[i + 1].onlyBytes;
        owner.inheritedBytes = m_ownerUse[i + 1].inheritedBytes;
    }
    const std::uint64_t needed = m_plan.privateBytes + m_plan.sharedBytes + m_plan.historyBytes;
    if (m_plan.doubts.empty()) {
        m_plan.garbageBytes = m_plan.totalBytes - needed;
        for (const auto& [segment, use] : m_plan.segments)
            if (!use.isHeld && m_policy.isVictim(use.size, use.liveBytes)) {
                m_plan.victims.push_back(segment);
                m_plan.freeBytes += use.size - use.liveBytes;
            }
    } else {
        m_plan.garbageBytes = m_deadBytes;
        m_plan.unknownBytes = m_plan.totalBytes - needed - m_deadBytes;
    }
    return std::move(m_plan);
}

Result<GcPlan> planGc(const Index& index, const std::map<SegmentId, std::uint64_t>& segments,
                      const GcInput& input, const GcPolicy& policy) {
    ARBOR_ASSIGN(const auto planner, Planner::make(index, segments, input, policy));
    for (;;) {
        ARBOR_ASSIGN(const bool more, planner->step());
        if (!more)
            return planner->finish();
    }
}

} // namespace arbor
