#include "storage/engine/page_trace.h"

#include "storage/format/keys.h"
#include "storage/format/records.h"

#include <algorithm>
#include <map>

namespace arbor {

namespace {

// Everything that happened to one block: on each timeline its versions and what hides them, ascending.
class BlockHistory {
  public:
    struct Event {
        Position position;
        std::size_t version = SIZE_MAX; // SIZE_MAX: hidden from here on
    };
    std::vector<PageTrace::Version> versions;
    std::map<TimelineId, std::vector<Event>> events;

    Status read(const Index& index, InodeId file, BlockNumber block) {
        ARBOR_TRY(readVersions(index, file, block));
        ARBOR_TRY(readCuts(index, file, block));
        for (auto& [timeline, list] : events)
            std::stable_sort(list.begin(), list.end(),
                             [](const Event& a, const Event& b) { return a.position < b.position; });
        return {};
    }

    // Visits what a reader of [from, to] on the lineage sees, newest first: visit(step, event).
    template <class Visit>
    void seenBy(const std::vector<LineageStep>& lineage, Position from, Position to, Visit visit) const {
        for (const LineageStep& step : lineage) {
            const auto list = events.find(step.timeline);
            if (list == events.end()) {
                visit(step, static_cast<const Event*>(nullptr));
                continue;
            }
            bool any = false;
            for (auto event = list->second.rbegin(); event != list->second.rend(); ++event) {
                if (event->position > std::min(step.upTo.position, to))
                    continue;
                any = true;
                visit(step, &*event);
                if (event->position <= from)
                    return;
            }
            if (!any)
                visit(step, static_cast<const Event*>(nullptr));
        }
    }

  private:
    Status readVersions(const Index& index, InodeId file, BlockNumber block) {
        const std::string prefix = pageRunPrefix(file, chunkOf(block));
        const auto iterator = index.iterate();
        for (iterator->seek(prefix); iterator->valid() && iterator->key().starts_with(prefix);
             iterator->next()) {
            const auto key = parsePageRunKey(iterator->key());
            if (!key)
                return makeError(ErrorKind::Corruption, "a page run of file {} has a damaged key", file);
            ARBOR_ASSIGN(const auto run, decodePageRun(key->first, iterator->value()));
            for (const PageVersion& version : run) {
                if (version.block != block)
                    continue;
                events[key->timeline].push_back({version.position, versions.size()});
                PageTrace::Version& added = versions.emplace_back();
                added.timeline = key->timeline;
                added.position = version.position;
                added.location = version.location;
            }
        }
        return iterator->status();
    }
    Status readCuts(const Index& index, InodeId file, BlockNumber block) {
        const std::string prefix = inodePrefix(tag::cut, file);
        const auto iterator = index.iterate();
        for (iterator->seek(prefix); iterator->valid() && iterator->key().starts_with(prefix);
             iterator->next()) {
            const auto key = parseInodeKey(iterator->key());
            if (!key)
                return makeError(ErrorKind::Corruption, "a truncation of file {} has a damaged key", file);
            ARBOR_ASSIGN(const std::uint64_t size, decodeCut(iterator->value()));
            if (blocksIn(size) <= block)
                events[key->timeline].push_back({key->position, SIZE_MAX});
        }
        return iterator->status();
    }
};

void traceAnswer(const BlockHistory& history, const std::vector<LineageStep>& lineage, Position at,
                 PageTrace& trace, std::optional<std::size_t>& answer) {
    bool settled = false;
    history.seenBy(lineage, at, at, [&](const LineageStep& step, const BlockHistory::Event* event) {
        if (settled)
            return;
        PageTrace::Step& asked = trace.chain.emplace_back();
        asked.timeline = step.timeline;
        asked.upTo = std::min(step.upTo.position, at);
        if (event == nullptr)
            return;
        settled = true;
        const auto& list = history.events.at(step.timeline);
        asked.versions = static_cast<std::size_t>(std::count_if(list.begin(), list.end(), [&](const auto& e) {
            return e.version != SIZE_MAX && e.position <= asked.upTo;
        }));
        asked.answers = event->version != SIZE_MAX;
        if (asked.answers)
            answer = event->version;
    });
}

} // namespace

Result<PageTrace> tracePage(Engine& engine, const TimelinePoint& point, InodeId file, BlockNumber block,
                            const GcInput& input) {
    const Index& index = engine.store().index();
    BlockHistory history;
    ARBOR_TRY(history.read(index, file, block));
    const auto lineageOf = [&](TimelineId timeline) {
        return engine.catalog([&](const Catalog& catalog) { return catalog.lineage(timeline); });
    };

    PageTrace trace;
    std::optional<std::size_t> answer;
    traceAnswer(history, lineageOf(point.timeline), point.at.position, trace, answer);
    for (std::size_t pin = 0; pin < input.pins.size(); ++pin) {
        const GcPin& by = input.pins[pin];
        history.seenBy(lineageOf(by.timeline), by.from, by.to,
                       [&](const LineageStep&, const BlockHistory::Event* event) {
                           if (event == nullptr || event->version == SIZE_MAX)
                               return;
                           PageTrace::Version& version = history.versions[event->version];
                           version.isNeeded = true;
                           version.pins.push_back(pin);
                       });
    }
    trace.isHole = !answer;
    if (answer)
        history.versions[*answer].answers = true;
    for (PageTrace::Version& version : history.versions) {
        if (version.pins.size() > PageTrace::maxPins)
            version.pins.clear();
        ARBOR_ASSIGN(const PositionTime known, engine.positionTime(version.timeline, version.position));
        version.lsn = known.lsn;
        version.at = known.at;
    }
    if (answer && !history.versions[*answer].location.isZeroPage()) {
        const PageTrace::Version& version = history.versions[*answer];
        std::array<std::byte, blockSize> page;
        ARBOR_TRY(engine.store().segments().read(version.location, file, block, version.position, page));
        // PageXLogRecPtr of storage/bufpage.h: two words, the high one first, in the machine's order
        std::uint32_t high = 0;
        std::uint32_t low = 0;
        std::memcpy(&high, page.data(), 4);
        std::memcpy(&low, page.data() + 4, 4);
        trace.pageLsn = {std::uint64_t{high} << 32 | low};
    }
    trace.versions = std::move(history.versions);
    std::sort(trace.versions.begin(), trace.versions.end(),
              [](const auto& a, const auto& b) { return a.position > b.position; });
    return trace;
}

} // namespace arbor
