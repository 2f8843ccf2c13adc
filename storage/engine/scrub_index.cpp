#include "storage/engine/scrub_index.h"

#include "storage/format/records.h"

#include <algorithm>

namespace arbor {

namespace {

ScrubFinding at(TimelineId timeline, InodeId inode, Position position, BlockNumber block = 0) {
    ScrubFinding finding;
    finding.timeline = timeline;
    finding.inode = inode;
    finding.position = position;
    finding.block = block;
    return finding;
}

} // namespace

IndexScrub::IndexScrub(ScrubRun& run) : m_run(run), m_index(run.engine.store().index()) {}

void IndexScrub::finding(std::string what, std::string message, ScrubFinding where,
                         ScrubFinding::Severity severity) {
    where.what = std::move(what);
    where.message = std::move(message);
    where.severity = severity;
    m_run.report(std::move(where));
}

std::string IndexScrub::textOf(InodeId inode) {
    if (!m_paths) {
        m_paths.emplace();
        const auto iterator = m_index.iterate();
        for (iterator->seek(std::string(1, tag::name)); iterator->valid() && iterator->key()[0] == tag::name;
             iterator->next())
            if (auto key = parseNameKey(iterator->key()))
                if (const auto record = decodeName(iterator->value()); record && record->inode)
                    m_paths->insert_or_assign(record->inode, Entry{key->directory, std::move(key->name)});
    }
    std::string path;
    constexpr int deepest = 64; // damaged names may form a circle
    auto entry = m_paths->find(inode);
    for (int depth = 0; depth < deepest && entry != m_paths->end(); ++depth) {
        path = path.empty() ? entry->second.name : entry->second.name + "/" + path;
        entry = m_paths->find(entry->second.directory);
    }
    return path.empty() ? fmt::format("file {}", inode) : path;
}

std::string IndexScrub::textOf(TimelineId timeline) const {
    return m_run.engine.catalog([&](const Catalog& catalog) {
        const BranchRecord* branch = catalog.branchOn(timeline);
        return branch ? "branch " + branch->name : fmt::format("timeline {}", timeline);
    });
}

void IndexScrub::notice(Position position, TimelineId, InodeId inode) {
    m_greatestPosition = std::max(m_greatestPosition, position);
    m_greatestInode = std::max(m_greatestInode, inode);
}

bool IndexScrub::entry(std::string_view key, std::string_view value) {
    ++m_run.result.read.entries;
    switch (key.front()) {
    case tag::pageRun:
        return pageRun(key, value);
    case tag::sizeRun:
        sizeRun(key, value);
        break;
    case tag::cut:
        cut(key, value);
        break;
    case tag::attributes:
        attributes(key, value);
        break;
    case tag::name:
        name(key, value);
        break;
    case tag::positionMap:
        positionMap(key, value);
        break;
    case tag::marker:
        marker(value);
        break;
    case tag::history:
        if (auto history = decodeHistory(value); !history)
            finding("history", history.error().message());
        break;
    case 'C':
        if (auto loaded = m_catalog.loadRecord(key, value); !loaded) {
            m_catalogLoads = false;
            finding("catalog", loaded.error().message());
        }
        break;
    case OperationLog::keyTag:
        if (auto loaded = m_operations.loadRecord(key, value); !loaded)
            finding("operation-log", loaded.error().message());
        break;
    default: // marks of the log, samples: rebuilt from what they describe
        break;
    }
    return m_run.proceed(key.size() + value.size());
}

// Only a catalog that was read whole has lineages; 'C' comes before every entry that has a timeline.
const Lineage* IndexScrub::lineageOf(TimelineId timeline) {
    if (!m_catalogLoads || m_catalog.findTimeline(timeline) == nullptr)
        return nullptr; // what a peek or an unfinished root has left
    auto [known, isNew] = m_lineages.try_emplace(timeline);
    if (isNew) {
        std::vector<Lineage::Member> members;
        for (const LineageStep& step : m_catalog.lineage(timeline))
            members.push_back({step.timeline, step.upTo.position});
        known->second = Lineage(std::move(members));
    }
    return &known->second;
}

bool IndexScrub::pageRun(std::string_view key, std::string_view value) {
    const auto run = parsePageRunKey(key);
    if (!run) {
        finding("page-run", "a page run of the index has a damaged key");
        return true;
    }
    const auto versions = decodePageRun(run->first, value);
    if (!versions) {
        finding("page-run",
                fmt::format("the pages of {} from block {} on that {} wrote from position {} on are lost: {}",
                            textOf(run->inode), run->chunk * blocksPerChunk, textOf(run->timeline),
                            run->first, versions.error().message()),
                at(run->timeline, run->inode, run->first, run->chunk * blocksPerChunk));
        return true;
    }
    const Position last = versions->back().position;
    notice(last, run->timeline, run->inode);
    // runs of a timeline's chunk come newest first
    if (m_lastRun && m_lastRun->inode == run->inode && m_lastRun->chunk == run->chunk &&
        m_lastRun->timeline == run->timeline && m_lastRun->first <= last)
        finding("page-run",
                fmt::format("two page runs of {} on {} overlap at position {}", textOf(run->inode),
                            textOf(run->timeline), last),
                at(run->timeline, run->inode, last), ScrubFinding::Severity::Contradiction);
    m_lastRun = run;
    for (const PageVersion& version : *versions) {
        if (chunkOf(version.block) != run->chunk) {
            finding("page-run",
                    fmt::format("a page run of {} on {} names block {}, which is not its own",
                                textOf(run->inode), textOf(run->timeline), version.block),
                    at(run->timeline, run->inode, version.position, version.block));
            continue;
        }
        if (!version.location.isZeroPage())
            image(*run, version);
        if (!m_run.proceed(version.location.bytes()))
            return false;
    }
    return true;
}

// What the index says of a version now: a sweep may have moved its image or dropped it.
std::optional<PageVersion> IndexScrub::lookUpAgain(const PageRunKey& run, const PageVersion& version) const {
    const auto iterator = m_index.iterate();
    const std::string prefix = timelinePrefix(pageRunPrefix(run.inode, run.chunk), run.timeline);
    for (iterator->seek(versionKey(pageRunPrefix(run.inode, run.chunk), run.timeline, version.position));
         iterator->valid() && iterator->key().starts_with(prefix); iterator->next()) {
        const auto key = parsePageRunKey(iterator->key());
        const auto versions = key ? decodePageRun(key->first, iterator->value())
                                  : Result<std::vector<PageVersion>>(std::vector<PageVersion>());
        if (!versions)
            return std::nullopt;
        for (const PageVersion& now : *versions)
            if (now.block == version.block && now.position == version.position)
                return now;
        if (!versions->empty() && versions->back().position < version.position)
            return std::nullopt;
    }
    return std::nullopt;
}

void IndexScrub::image(const PageRunKey& run, const PageVersion& version) {
    ++m_run.result.read.images;
    m_greatestSegment = std::max(m_greatestSegment, version.location.segment());
    const SegmentStore& segments = m_run.engine.store().segments();
    const ImageHeader wanted{run.timeline, run.inode, version.block, version.position};
    std::string bytes;
    const auto verify = [&](ImageLocation location) -> Status {
        std::array<std::byte, blockSize> page;
        ARBOR_TRY(segments.readImage(location, bytes));
        const Bytes image = std::as_bytes(std::span(bytes));
        ARBOR_ASSIGN(const ImageHeader header, verifyImage(image));
        Status decoded = decodeImage(image, wanted.inode, wanted.block, wanted.position, page);
        if (decoded && header.timeline != wanted.timeline)
            decoded =
                makeError(ErrorKind::Corruption, "the page image belongs to timeline {}", header.timeline);
        if (!decoded)
            return std::move(decoded).error().during(
                fmt::format("{} at offset {}", segments.pathOf(location.segment()), location.offset()));
        return {};
    };
    auto verified = verify(version.location);
    ImageLocation location = version.location;
    for (int attempt = 0; !verified && attempt < 3; ++attempt) {
        const auto now = lookUpAgain(run, version);
        if (!now || now->location.isZeroPage())
            return; // swept
        location = now->location;
        verified = verify(location);
    }
    if (verified)
        return;
    ScrubFinding where = at(run.timeline, run.inode, version.position, version.block);
    where.segment = location.segment();
    where.offset = location.offset();
    where.path = segments.pathOf(location.segment());
    m_run.damagedImages.emplace(where.segment, where.offset);
    finding("image",
            fmt::format("{} block {} of {} at position {} cannot be read: {}", textOf(run.inode),
                        version.block, textOf(run.timeline), version.position, verified.error().message()),
            where);
}

void IndexScrub::sizeRun(std::string_view key, std::string_view value) {
    const auto parsed = parseInodeKey(key);
    if (!parsed)
        return finding("size-run", "a size of a file has a damaged key in the index");
    const auto sizes = decodeSizeRun(parsed->position, value);
    if (!sizes)
        return finding("size-run",
                       fmt::format("the size of {} on {} from position {} on is lost: {}",
                                   textOf(parsed->inode), textOf(parsed->timeline), parsed->position,
                                   sizes.error().message()),
                       at(parsed->timeline, parsed->inode, parsed->position));
    notice(sizes->back().position, parsed->timeline, parsed->inode);
}

void IndexScrub::cut(std::string_view key, std::string_view value) {
    const auto parsed = parseInodeKey(key);
    if (!parsed)
        return finding("truncation", "a truncation has a damaged key in the index");
    if (const auto size = decodeCut(value); !size)
        return finding("truncation",
                       fmt::format("{} on {} at position {}: {}", textOf(parsed->inode),
                                   textOf(parsed->timeline), parsed->position, size.error().message()),
                       at(parsed->timeline, parsed->inode, parsed->position));
    notice(parsed->position, parsed->timeline, parsed->inode);
}

void IndexScrub::attributes(std::string_view key, std::string_view value) {
    const auto parsed = parseInodeKey(key);
    if (!parsed)
        return finding("attributes", "attributes of a file have a damaged key in the index");
    if (const auto record = decodeAttributes(value); !record)
        return finding("attributes",
                       fmt::format("{} on {} at position {}: {}", textOf(parsed->inode),
                                   textOf(parsed->timeline), parsed->position, record.error().message()),
                       at(parsed->timeline, parsed->inode, parsed->position));
    notice(parsed->position, parsed->timeline, parsed->inode);
}

// A name that only children still see may have its attributes on each of them.
bool IndexScrub::hasAttributes(InodeId inode) const {
    const std::string prefix = inodePrefix(tag::attributes, inode);
    const auto iterator = m_index.iterate();
    iterator->seek(prefix);
    return iterator->valid() && iterator->key().starts_with(prefix);
}

void IndexScrub::name(std::string_view key, std::string_view value) {
    const auto parsed = parseNameKey(key);
    if (!parsed)
        return finding("name", "a file name has a damaged key in the index");
    const auto record = decodeName(value);
    const ScrubFinding where = at(parsed->timeline, parsed->directory, parsed->position);
    if (!record)
        return finding("name",
                       fmt::format("the name {} in directory {} of timeline {}: {}", parsed->name,
                                   parsed->directory, parsed->timeline, record.error().message()),
                       where);
    notice(parsed->position, parsed->timeline, std::max(parsed->directory, record->inode));
    const Lineage* lineage = record->inode ? lineageOf(parsed->timeline) : nullptr;
    if (lineage == nullptr)
        return;
    const LineageCursor cursor(m_index, *lineage, inodePrefix(tag::attributes, record->inode));
    if (!cursor.valid() && cursor.status() && !hasAttributes(record->inode) &&
        m_index.get(key).value_or(std::nullopt))
        finding("name",
                fmt::format("{} in directory {} of timeline {} is file {}, which has no attributes",
                            parsed->name, parsed->directory, parsed->timeline, record->inode),
                where);
}

void IndexScrub::positionMap(std::string_view key, std::string_view value) {
    const auto parsed = parsePositionMapKey(key);
    if (!parsed)
        return finding("position-map", "an entry of the map of positions has a damaged key");
    const auto run = decodePositionMap(parsed->second, value);
    if (!run)
        return finding("position-map",
                       fmt::format("the LSNs of timeline {} from position {} on are lost: {}", parsed->first,
                                   parsed->second, run.error().message()),
                       at(parsed->first, {}, parsed->second));
    notice(run->entries.back().position, parsed->first, {});
}

void IndexScrub::marker(std::string_view value) {
    auto decoded = decodeMarker(value);
    if (!decoded)
        return finding("marker", decoded.error().message());
    m_marker = std::move(*decoded);
}

void IndexScrub::finish() {
    if (m_catalogLoads) {
        if (auto loaded = m_catalog.finishLoad(); !loaded)
            finding("catalog", loaded.error().message());
        for (std::string& wrong : m_catalog.verify())
            finding("catalog", std::move(wrong), {}, ScrubFinding::Severity::Contradiction);
    }
    const auto contradiction = [&](std::string message) {
        finding("marker", std::move(message), {}, ScrubFinding::Severity::Contradiction);
    };
    if (!m_marker) {
        if (m_greatestPosition)
            contradiction("the index has entries and no marker");
        return;
    }
    if (m_greatestPosition > m_marker->position)
        contradiction(fmt::format("the index knows position {}, and the marker ends at {}",
                                  m_greatestPosition, m_marker->position));
    if (m_greatestInode >= m_marker->nextInode)
        contradiction(fmt::format("the index knows file {}, and the marker says that none from {} on exists",
                                  m_greatestInode, m_marker->nextInode));
    if (m_greatestSegment >= m_marker->nextSegment)
        contradiction(
            fmt::format("the index knows segment {}, and the marker says that none from {} on exists",
                        m_greatestSegment, m_marker->nextSegment));
}

} // namespace arbor
