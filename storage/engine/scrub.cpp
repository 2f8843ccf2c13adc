#include "storage/engine/scrub.h"

#include "storage/disk/log_file.h"
#include "storage/engine/scrub_index.h"
#include "storage/engine/scrub_log.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace arbor {

namespace {

constexpr std::uint64_t progressEvery = 4u << 20;

ScrubFinding inFile(std::string what, std::string path, std::uint64_t offset, std::string message) {
    ScrubFinding finding;
    finding.what = std::move(what);
    finding.path = std::move(path);
    finding.offset = offset;
    finding.message = std::move(message);
    return finding;
}

// LevelDB's logs and its MANIFEST, which nobody reads while the store is open. The last record may be on its
// way.
void scrubLogFile(ScrubRun& run, const std::string& path) {
    Disk& disk = run.engine.store().disk();
    const auto judge = [&]() -> Result<LogFile> {
        ARBOR_ASSIGN(const std::string content, readFile(disk, path));
        return parseLogFile(content, [](const LogFileRecord*, std::string_view) { return true; });
    };
    auto file = judge();
    if (file && file->tail == LogFileTail::Damaged)
        file = judge(); // it may have been written to meanwhile
    if (!file && file.error().kind() != ErrorKind::NotFound)
        run.report(inFile("index-file", path, 0, file.error().message()));
    else if (file && file->tail == LogFileTail::Damaged)
        run.report(
            inFile("index-file", path, file->badOffset,
                   fmt::format("{} is damaged at offset {}: {}", path, file->badOffset, file->reason)));
}

void scrubIndexFiles(ScrubRun& run) {
    Store& store = run.engine.store();
    const std::string directory = store.directory() + "/index";
    const auto names = store.disk().list(directory);
    if (!names)
        return run.report(inFile("index-file", directory, 0, names.error().message()));
    const auto current = readFile(store.disk(), directory + "/CURRENT");
    std::string manifest = current ? *current : std::string();
    if (manifest.ends_with('\n'))
        manifest.pop_back();
    const bool named = manifest.starts_with("MANIFEST-");
    if (!named || !store.disk().info(directory + "/" + manifest))
        run.report(inFile("index-file", directory + "/CURRENT", 0,
                          fmt::format("{}/CURRENT does not name a MANIFEST that exists", directory)));
    for (const std::string& name : *names)
        if (name.ends_with(".log") || name == manifest)
            scrubLogFile(run, directory + "/" + name);
    if (const auto tables = store.index().verifyTables(); !tables)
        run.report(inFile("index-file", directory, 0, tables.error().message()));
}

void scrubStoreFiles(ScrubRun& run) {
    Store& store = run.engine.store();
    if (const auto format = store.verifyFormat(); !format)
        run.report(inFile("format", store.directory() + "/FORMAT", 0, format.error().message()));
}

// False when cancelled.
bool scrubIndex(ScrubRun& run) {
    IndexScrub entries(run);
    const auto iterator = run.engine.store().index().iterate();
    // the catalog first: its timelines say what the other entries mean
    for (iterator->seek(""); iterator->valid(); iterator->next())
        if (!entries.entry(iterator->key(), iterator->value()))
            return false;
    if (const auto status = iterator->status(); !status)
        run.report(inFile("index", run.engine.store().directory() + "/index", 0, status.error().message()));
    else
        entries.finish();
    return true;
}

// False when cancelled.
bool scrubSegments(ScrubRun& run) {
    const SegmentStore& segments = run.engine.store().segments();
    for (const auto& [segment, bytes] : segments.segments()) {
        const std::string path = segments.pathOf(segment);
        std::uint64_t end = 0;
        bool goesOn = true;
        const auto walked = segments.walk(segment, [&](const ImageHeader&, ImageLocation location, Bytes) {
            end = location.offset() + location.bytes();
            goesOn = run.proceed(location.bytes());
            return goesOn ? Status() : Status(makeError(ErrorKind::Cancelled, "the scrub was cancelled"));
        });
        if (!goesOn)
            return false;
        // swept meanwhile; or named already, as what a page version needs
        if (walked || walked.error().kind() == ErrorKind::NotFound ||
            run.damagedImages.contains({segment, end}))
            continue;
        ScrubFinding finding = inFile(
            "segment", path, end,
            fmt::format("{} cannot be read from offset {} on as a sequence of images ({}); no page version "
                        "that was read before needs these bytes",
                        path, end, walked.error().message()));
        finding.segment = segment;
        finding.severity = ScrubFinding::Severity::Garbage;
        run.report(std::move(finding));
    }
    return true;
}

} // namespace

std::string_view severityName(ScrubFinding::Severity severity) {
    switch (severity) {
    case ScrubFinding::Severity::Garbage:
        return "garbage";
    case ScrubFinding::Severity::Contradiction:
        return "contradiction";
    case ScrubFinding::Severity::Damage:
        break;
    }
    return "damage";
}

void ScrubRun::report(ScrubFinding finding) {
    if (result.findings.size() < options.maxFindings)
        result.findings.push_back(std::move(finding));
    else
        ++result.unlisted;
}

bool ScrubRun::proceed(std::uint64_t bytes) {
    using SteadyClock = std::chrono::steady_clock;
    if (!m_began)
        m_began = SteadyClock::now();
    result.read.bytesRead += bytes;
    m_sinceProgress += bytes;
    if (options.cancelled && options.cancelled()) {
        result.wasCancelled = true;
        return false;
    }
    if (options.bytesPerSecond > 0) {
        const std::chrono::duration<double> due(static_cast<double>(result.read.bytesRead) /
                                                static_cast<double>(options.bytesPerSecond));
        const auto ahead =
            *m_began + std::chrono::duration_cast<SteadyClock::duration>(due) - SteadyClock::now();
        if (ahead > std::chrono::milliseconds(10))
            std::this_thread::sleep_for(ahead);
    }
    if (m_sinceProgress >= progressEvery && options.progress) {
        m_sinceProgress = 0;
        options.progress(result.read);
    }
    return true;
}

ScrubReport scrub(Engine& engine, const ScrubOptions& options) {
    ScrubRun run(engine, options);
    for (const auto& [segment, bytes] : engine.store().segments().segments())
        run.result.read.bytesExpected += 2 * bytes; // once by way of the index, once in their order
    scrubStoreFiles(run);
    scrubIndexFiles(run);
    if (scrubIndex(run) && scrubSegments(run) && options.readLog)
        scrubKeptLog(run);
    if (options.progress)
        options.progress(run.result.read);
    return std::move(run.result);
}

} // namespace arbor
