#include "storage/engine/scrub_log.h"

#include "storage/engine/log_collection.h"
#include "storage/engine/wal_follower.h"
#include "storage/wal/wal_marks.h"

#include <algorithm>

namespace arbor {

namespace {

struct LogStretch {
    TimelineId timeline;
    Lsn from; // where a record begins
    Lsn to;   // UINT64_MAX: as far as the log was scanned
};

// What a sweep would keep now, overlapping stretches of a timeline as one; what it could not tell is found.
Result<std::vector<LogStretch>> keptStretches(Engine& engine, std::vector<ScrubFinding>& findings) {
    if (!engine.store().disk().info(engine.directory() + "/wal"))
        return std::vector<LogStretch>(); // no server has ever written here, or its log is not kept as files
    const auto [time, bytes] = engine.catalog([](const Catalog& catalog) {
        return std::pair(catalog.durationSetting("history-time"), catalog.sizeSetting("history-bytes"));
    });
    ARBOR_ASSIGN(const HistoryWindows windows, engine.historyWindows(time, bytes));
    const GcInput input = engine.collectionInput(windows);
    ARBOR_ASSIGN(const NeedModel model, NeedModel::make(input));
    ARBOR_ASSIGN(LogPlan plan, planLog(engine, input, model));
    for (const std::string& doubt : plan.doubts) {
        ScrubFinding finding;
        finding.what = "log";
        finding.message = doubt;
        findings.push_back(std::move(finding));
    }
    std::sort(plan.needs.begin(), plan.needs.end(), [](const WalNeed& a, const WalNeed& b) {
        return std::tie(a.timeline, a.from) < std::tie(b.timeline, b.from);
    });
    std::vector<LogStretch> stretches;
    for (const WalNeed& need : plan.needs) {
        if (!stretches.empty() && stretches.back().timeline == need.timeline &&
            need.from <= stretches.back().to)
            stretches.back().to = std::max(stretches.back().to, need.to);
        else
            stretches.push_back({need.timeline, need.from, need.to});
    }
    return stretches;
}

// The log as a server on the timeline would read it.
struct KeptLog {
    WalChain chain;
    const WalFormat* format = nullptr;
    std::uint64_t systemId = 0;
    Lsn scannedTo;
};

Result<KeptLog> keptLogOf(Engine& engine, TimelineId timeline) {
    ARBOR_ASSIGN(const auto found, engine.catalog([&](const Catalog& catalog) {
        return catalog.timeline(timeline).map(
            [&](const TimelineRecord& record) { return std::pair(record, catalog.lineage(timeline)); });
    }));
    const auto& [record, lineage] = found;
    const WalFormat* format = walFormatOfMajor(static_cast<int>(record.pgMajor));
    if (format == nullptr)
        return makeError(ErrorKind::Unsupported, "logs of PostgreSQL {} are not known", record.pgMajor);
    const IndexMarkStore marks(engine.store().index());
    ARBOR_ASSIGN(const auto state, MarkWriter::savedState(marks, timeline));
    ARBOR_ASSIGN(const ControlFile control, controlAt(engine, {timeline, headPoint}));
    std::vector<WalLayer> layers;
    for (const LineageStep& step : lineage) {
        // what was never followed has no log of its own: its parent's tells whether the record at the fork is
        // whole
        if (layers.empty() && !state && step.timeline == timeline && lineage.size() > 1)
            continue;
        layers.push_back({{walDirectory(engine, step.timeline), keptDirectory(engine, step.timeline)},
                          layers.empty() ? Lsn() : step.upTo.lsn});
    }
    KeptLog log{WalChain(engine.store().disk(), std::move(layers), record.walSegmentSize, control.systemId),
                format, control.systemId, state ? state->end : record.fork.lsn};
    ARBOR_TRY(log.chain.followTli(state ? state->tli : control.recoveryTli()));
    return log;
}

// False when cancelled.
bool readStretch(ScrubRun& run, const LogStretch& stretch, std::vector<ScrubFinding>& findings) {
    constexpr std::uint64_t stepBytes = 256u << 10;
    const auto find = [&](std::string path, std::string message) {
        ScrubFinding finding;
        finding.what = "log";
        finding.path = std::move(path);
        finding.timeline = stretch.timeline;
        finding.message = std::move(message);
        findings.push_back(std::move(finding));
        return true;
    };
    auto log = keptLogOf(run.engine, stretch.timeline);
    if (!log)
        return find({}, log.error().message());
    const Lsn to = std::min(stretch.to, log->scannedTo);
    WalReader reader(log->chain, *log->format, log->systemId);
    reader.begin(stretch.from);
    Lsn told = stretch.from;
    while (reader.end() < to) {
        const auto record = reader.next();
        if (!record)
            return find({}, record.error().message());
        if (!*record)
            break;
        if (reader.end() - told >= stepBytes) {
            if (!run.proceed(reader.end() - told))
                return false;
            told = reader.end();
        }
    }
    if (reader.end() >= to)
        return true;
    const Lsn at = std::max(reader.end(), reader.gaveUpAt());
    const std::uint32_t size = log->chain.segmentSize();
    const std::string name = segmentFileName(log->chain.history().tli(), at.value / size, size);
    return find(keptDirectory(run.engine, stretch.timeline) + "/" + name,
                fmt::format("the log of timeline {} is kept up to {}, but cannot be read behind {} ({}): "
                            "segment {} is damaged or gone",
                            stretch.timeline, to, reader.end(), reader.reason(), name));
}

} // namespace

bool scrubKeptLog(ScrubRun& run) {
    std::vector<ScrubFinding> findings;
    // A sweep may have moved the horizon and removed what was to be read: whatever is wrong is looked at
    // again.
    for (int attempt = 0; attempt < 2 && (attempt == 0 || !findings.empty()); ++attempt) {
        findings.clear();
        const auto stretches = keptStretches(run.engine, findings);
        if (!stretches) {
            ScrubFinding finding;
            finding.what = "log";
            finding.message = stretches.error().message();
            findings.push_back(std::move(finding));
            continue;
        }
        for (const LogStretch& stretch : *stretches)
            if (!readStretch(run, stretch, findings))
                return false;
    }
    for (ScrubFinding& finding : findings)
        run.report(std::move(finding));
    return true;
}

} // namespace arbor
