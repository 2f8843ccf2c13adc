#include "storage/gc/sweeper.h"

#include "storage/format/keys.h"

#include <algorithm>

namespace arbor {

Sweeper::Sweeper(const Index& index, SegmentStore& segments, SweepHost& host, GcInput input,
                 const Options& options)
    : m_index(index), m_segments(segments), m_host(host), m_input(std::move(input)), m_options(options) {}

Sweeper::~Sweeper() = default;

std::string_view Sweeper::phaseName() const {
    switch (m_phase) {
    case Phase::Begin:
    case Phase::Plan:
        return "planning";
    case Phase::Unreferenced:
    case Phase::Clean:
        return "cleaning";
    case Phase::Choose:
    case Phase::Move:
    case Phase::RemoveRound:
        return "moving";
    case Phase::Finish:
    case Phase::Done:
        break;
    }
    return "done";
}

Result<bool> Sweeper::step() {
    if (m_phase != Phase::Done && m_phase != Phase::Finish && m_host.isCancelled()) {
        m_report.cancelled = true;
        m_phase = Phase::Finish;
    }
    const auto work = [this]() -> Status {
        switch (m_phase) {
        case Phase::Begin:
            return begin();
        case Phase::Plan:
            return plan();
        case Phase::Unreferenced:
            return removeUnreferenced();
        case Phase::Clean:
            return clean();
        case Phase::Choose:
            return choose();
        case Phase::Move:
            return moveSome();
        case Phase::RemoveRound:
            return removeRound();
        case Phase::Finish:
            return finish();
        case Phase::Done:
            break;
        }
        return {};
    };
    if (auto done = work(); !done) {
        m_phase = Phase::Done;
        return std::move(done).error().during("sweeping");
    }
    return m_phase != Phase::Done;
}

// Segments that take no more appends now, and a sync that begins after that: so the index that is read then
// knows every image in them that will ever be known.
Status Sweeper::begin() {
    m_candidates.clear();
    for (const auto& [segment, size] : m_segments.segments())
        if (m_segments.isSealed(segment))
            m_candidates.insert(segment);
    const auto segments = m_segments.segments();
    ARBOR_TRY(m_host.sync());
    ARBOR_ASSIGN(m_planner, Planner::make(m_index, segments, m_input, m_options.policy));
    m_phase = Phase::Plan;
    return {};
}

Status Sweeper::plan() {
    for (std::size_t i = 0; i < m_options.groupsAStep; ++i) {
        ARBOR_ASSIGN(const bool more, m_planner->step());
        if (!more)
            return settlePlan();
    }
    return {};
}

Status Sweeper::settlePlan() {
    m_report.plan = m_planner->finish();
    m_planner.reset();
    const auto& victims = m_report.plan.victims;
    const bool active = std::any_of(victims.begin(), victims.end(),
                                    [&](SegmentId segment) { return !m_candidates.contains(segment); });
    if (active && !m_hasSealed) {
        // What is being written to is swept too, once it is not any more and the index knows all of it.
        m_hasSealed = true;
        ARBOR_TRY(m_host.sync()); // with less that is held and needs a segment to go to
        ARBOR_TRY(m_segments.seal(SegmentStore::Stream::Write));
        ARBOR_TRY(m_segments.seal(SegmentStore::Stream::Move));
        ARBOR_TRY(m_host.sync());
        m_phase = Phase::Begin;
        return {};
    }
    m_report.problems = m_report.plan.doubts;
    for (const SegmentId segment : victims)
        if (m_candidates.contains(segment))
            m_victims[segment] = m_report.plan.segments.at(segment).liveBytes;
    m_phase = Phase::Unreferenced;
    return {};
}

bool Sweeper::mayRemove(SegmentId segment) const {
    return m_report.problems.empty() ||
           (m_report.plan.doubts.empty() && m_edits.doubts().empty() && !m_spared.contains(segment));
}

// These need no space at all, not even for the index: the first thing to do on a full disk.
Status Sweeper::removeUnreferenced() {
    std::vector<SegmentId> segments;
    for (const auto& [segment, live] : m_victims)
        if (m_report.plan.segments.at(segment).indexedBytes == 0)
            segments.push_back(segment);
    ARBOR_TRY(remove(segments));
    ARBOR_ASSIGN(NeedModel model, NeedModel::make(m_input));
    m_model = std::make_unique<NeedModel>(std::move(model));
    m_walk = std::make_unique<GroupWalk>(m_index, *m_model, m_edits);
    m_phase = Phase::Clean;
    return {};
}

Status Sweeper::clean() {
    for (std::size_t i = 0; i < m_options.groupsAStep && m_edits.batch().bytes() < m_options.batchBytes;
         ++i) {
        ARBOR_ASSIGN(const bool more, m_walk->step());
        if (!more) {
            ARBOR_TRY(commitEdits());
            return m_phase == Phase::Clean ? finishCleaning() : Status();
        }
    }
    if (m_edits.batch().bytes() < m_options.batchBytes)
        return {};
    // an iterator keeps every file of the index alive that it began with
    m_walk->release();
    return commitEdits();
}

Status Sweeper::commitEdits() {
    if (m_edits.batch().empty())
        return {};
    ARBOR_ASSIGN(const bool space, hasSpace());
    if (!space) {
        stopForSpace();
        return {};
    }
    IndexBatch batch = m_edits.take();
    ARBOR_TRY(m_host.commit(batch));
    m_report.entriesRemoved = m_edits.removedEntries();
    return {};
}

Status Sweeper::finishCleaning() {
    m_walk.reset();
    m_model.reset();
    for (const std::string& doubt : m_edits.doubts())
        if (std::find(m_report.problems.begin(), m_report.problems.end(), doubt) == m_report.problems.end())
            m_report.problems.push_back(doubt);
    std::vector<SegmentId> dead;
    for (auto& [segment, live] : m_victims) {
        const auto found = m_edits.indexedBytes().find(segment);
        live = found == m_edits.indexedBytes().end() ? 0 : found->second;
        if (live == 0)
            dead.push_back(segment);
    }
    m_phase = Phase::Choose;
    return remove(dead);
}

// The next victims to empty: those that cost least to move, as many as there is room for.
Status Sweeper::choose() {
    std::vector<std::pair<std::uint64_t, SegmentId>> byCost;
    for (const auto& [segment, live] : m_victims)
        if (mayRemove(segment) && !m_host.isHeld(segment))
            byCost.emplace_back(live, segment);
    std::sort(byCost.begin(), byCost.end());
    m_round.clear();
    m_noSpace = false;
    m_phase = Phase::Finish;
    if (byCost.empty())
        return {};
    ARBOR_ASSIGN(std::uint64_t budget, movableBytes());
    if (byCost.front().first > budget) {
        ARBOR_TRY(spendReserve());
        ARBOR_ASSIGN(budget, movableBytes());
    }
    std::uint64_t bytes = 0;
    for (const auto& [live, segment] : byCost) {
        const bool isFirst = m_round.empty();
        if (bytes + live > budget || (!isFirst && bytes + live > m_options.roundBytes))
            break;
        bytes += live;
        m_round[segment] = live;
    }
    if (m_round.empty()) {
        stopForSpace();
        return {};
    }
    m_moveFrom = std::string(1, tag::pageRun);
    m_phase = Phase::Move;
    return {};
}

Status Sweeper::moveSome() {
    IndexBatch batch;
    std::map<InodeId, std::vector<PageVersion>> moves;
    std::uint64_t moved = 0;
    bool more = true;
    for (std::size_t groups = 0; groups < m_options.groupsAStep && moved < m_options.moveBytes &&
                                 batch.bytes() < m_options.batchBytes && !m_noSpace;
         ++groups) {
        if (!m_group) {
            ARBOR_ASSIGN(more, nextMoveGroup());
            if (!more)
                break;
        }
        const std::size_t from = m_group->at;
        std::vector<PageVersion>& movesHere = moves[m_group->pages.inode];
        for (; m_group->at < m_group->toMove.size() && moved < m_options.moveBytes; ++m_group->at) {
            PageGroup::Version& version = m_group->pages.versions[m_group->toMove[m_group->at]];
            ARBOR_ASSIGN(const bool done, moveImage(*m_group, version, movesHere));
            if (m_noSpace)
                break;
            moved += done ? version.page.location.bytes() : 0;
        }
        putChangedRuns(*m_group, from, batch);
        if (m_group->at == m_group->toMove.size())
            m_group.reset();
    }
    if (!batch.empty()) {
        m_cursor.reset();
        ARBOR_ASSIGN(const bool space, hasSpace());
        if (!space) {
            stopForSpace(); // what was appended is garbage now
            return {};
        }
        ARBOR_TRY(m_host.commit(batch));
        for (const auto& [inode, list] : moves)
            if (!list.empty())
                m_host.repoint(inode, list);
        m_report.movedBytes += moved;
        m_host.throttle(moved);
    }
    if (!more || m_noSpace) {
        m_cursor.reset();
        m_group.reset();
        m_phase = Phase::RemoveRound;
    }
    return {};
}

// The next chunk that has images in a victim of this round; false when there is none. What it read of the
// index stays true until it is written: only this sweep changes runs.
Result<bool> Sweeper::nextMoveGroup() {
    if (!m_cursor) {
        m_cursor = std::make_unique<TagCursor>(m_index, tag::pageRun);
        m_cursor->seek(m_moveFrom);
    }
    while (m_cursor->valid()) {
        std::vector<std::string> doubts;
        auto group = std::make_unique<MoveGroup>();
        group->pages = readPageGroup(*m_cursor, doubts);
        m_moveFrom = pageRunPrefix(group->pages.inode, group->pages.chunk + 1);
        auto& versions = group->pages.versions;
        for (std::size_t i = 0; i < versions.size(); ++i)
            if (!versions[i].page.location.isZeroPage() &&
                m_round.contains(versions[i].page.location.segment()))
                group->toMove.push_back(i);
        if (!group->toMove.empty() && !group->pages.inDoubt) {
            std::sort(group->toMove.begin(), group->toMove.end(), [&](std::size_t a, std::size_t b) {
                return std::pair(versions[a].page.block, versions[a].page.position) <
                       std::pair(versions[b].page.block, versions[b].page.position);
            });
            m_group = std::move(group);
            return true;
        }
    }
    ARBOR_TRY(m_cursor->status());
    return false;
}

// False when it could not be moved; its segment is spared then.
Result<bool> Sweeper::moveImage(MoveGroup& group, PageGroup::Version& version,
                                std::vector<PageVersion>& moves) {
    const ImageLocation from = version.page.location;
    if (m_spared.contains(from.segment()))
        return false;
    std::string image;
    Status read = m_segments.readImage(from, image);
    if (read) {
        const auto header = verifyImage(std::as_bytes(std::span(image)));
        if (!header || header->inode != group.pages.inode || header->block != version.page.block ||
            header->position != version.page.position)
            read = makeError(ErrorKind::Corruption, "segment {} has another image at offset {}",
                             from.segment(), from.offset());
    }
    if (!read) {
        m_spared.insert(from.segment());
        m_report.problems.push_back(fmt::format(
            "file {} block {} position {} cannot be read, its segment stays: {}", group.pages.inode,
            version.page.block, version.page.position, read.error().message()));
        return false;
    }
    auto to = m_segments.appendImage(SegmentStore::Stream::Move, std::as_bytes(std::span(image)));
    if (!to) {
        if (to.error().kind() != ErrorKind::NoSpace)
            return std::move(to).error();
        m_noSpace = true;
        return false;
    }
    version.page.location = *to;
    moves.push_back({version.page.block, version.page.position, *to});
    m_round[from.segment()] -= from.bytes();
    return true;
}

// The runs of the versions toMove[from .. at).
void Sweeper::putChangedRuns(const MoveGroup& group, std::size_t from, IndexBatch& batch) const {
    std::vector<std::size_t> changed(group.toMove.begin() + static_cast<std::ptrdiff_t>(from),
                                     group.toMove.begin() + static_cast<std::ptrdiff_t>(group.at));
    std::sort(changed.begin(), changed.end());
    const std::string prefix = pageRunPrefix(group.pages.inode, group.pages.chunk);
    for (const PageGroup::Run& run : group.pages.runs) {
        const auto first = std::lower_bound(changed.begin(), changed.end(), run.begin);
        if (first == changed.end() || *first >= run.end)
            continue;
        std::vector<PageVersion> versions;
        for (std::size_t i = run.begin; i < run.end; ++i)
            versions.push_back(group.pages.versions[i].page);
        batch.put(versionKey(prefix, run.timeline, run.first), encodePageRun(versions));
    }
}

Status Sweeper::removeRound() {
    std::vector<SegmentId> empty;
    for (const auto& [segment, left] : m_round) {
        if (left == 0) {
            empty.push_back(segment);
            continue;
        }
        m_victims[segment] = left;
        if (!m_noSpace && m_spared.insert(segment).second)
            m_report.problems.push_back(fmt::format(
                "segment {} stays: the index does not lead to all of its images any more", segment));
    }
    const bool progress = !empty.empty() || !m_noSpace;
    ARBOR_TRY(remove(empty));
    for (const SegmentId segment : m_spared)
        m_victims.erase(segment);
    m_phase = Phase::Choose;
    if (progress)
        return {};
    if (m_report.spentReserve)
        stopForSpace();
    else
        return spendReserve();
    return {};
}

Status Sweeper::remove(const std::vector<SegmentId>& segments) {
    bool any = false;
    for (const SegmentId segment : segments) {
        if (!mayRemove(segment) || m_host.isHeld(segment))
            continue;
        const auto sizes = m_segments.segments();
        const auto size = sizes.find(segment);
        ARBOR_TRY(m_segments.remove(segment));
        m_report.removedBytes += size == sizes.end() ? 0 : size->second;
        m_report.removed.push_back(segment);
        m_victims.erase(segment);
        any = true;
    }
    return any ? m_segments.syncDirectory() : Status();
}

// Whether the index may be written: an error of space in the middle of its log would end it.
Result<bool> Sweeper::hasSpace() {
    ARBOR_ASSIGN(std::uint64_t free, m_host.freeBytes());
    if (free < m_options.marginBytes) {
        ARBOR_TRY(spendReserve());
        ARBOR_ASSIGN(free, m_host.freeBytes());
    }
    return free >= m_options.marginBytes / 2;
}

Status Sweeper::spendReserve() {
    if (m_report.spentReserve)
        return {};
    m_report.spentReserve = true;
    return m_host.spendReserve();
}

// New segments are preallocated whole, and each may leave less than an image unused.
Result<std::uint64_t> Sweeper::movableBytes() {
    ARBOR_ASSIGN(const std::uint64_t free, m_host.freeBytes());
    if (free < m_options.marginBytes)
        return 0;
    return (free - m_options.marginBytes) / m_options.segmentBytes * (m_options.segmentBytes - maxImageBytes);
}

void Sweeper::stopForSpace() {
    m_report.outOfSpace = true;
    m_phase = Phase::Finish;
}

Status Sweeper::finish() {
    m_walk.reset();
    m_planner.reset();
    m_cursor.reset();
    m_phase = Phase::Done;
    // without space for it the reserve comes back at the next open
    if (m_report.spentReserve)
        (void)m_host.restoreReserve();
    return {};
}

} // namespace arbor
