// Scrub: reads everything that a store refers to and says what is damaged. It repairs nothing.
//
// It runs beside a working engine, from any thread, on a snapshot of the index. A sweep may move images and
// drop entries meanwhile, so whatever looks wrong is looked up again before it is reported.
//
// What it reads, in this order:
//  1. FORMAT, the reserve, and LevelDB's files past its cache (tables, MANIFEST, logs);
//  2. the whole index: every key and value decodes; catalog and operation log load and do not contradict
//  themselves;
//     every name has attributes; the runs of a chunk do not overlap; nothing is beyond the marker;
//  3. every image that a page run names: its checksum, and that it is the version that the index says (an
//  image names
//     one version, so no two versions can share one unnoticed);
//  4. every segment from its first byte to its last: damage between the images that are referred to is
//  garbage's;
//  5. the write-ahead log that a sweep would keep, record by record, of databases that have one.
#pragma once

#include "storage/engine/engine.h"

#include <functional>
#include <string>
#include <vector>

namespace arbor {

struct ScrubFinding {
    enum class Severity {
        Garbage,       // bytes that nothing refers to; a sweep gets rid of them
        Contradiction, // everything can be read, but does not fit together
        Damage,        // something that a branch or its history needs cannot be read
    };
    Severity severity = Severity::Damage;
    std::string what; // "image", "segment", "page-run", "name", "catalog", "log" ...: stable words
    std::string path; // the file on disk, where one is known
    SegmentId segment;
    std::uint64_t offset = 0; // in `path`
    TimelineId timeline;
    InodeId inode;
    BlockNumber block = 0;
    Position position;
    std::string message; // a sentence
};
std::string_view severityName(ScrubFinding::Severity severity);

struct ScrubProgress {
    std::uint64_t entries = 0; // of the index
    std::uint64_t images = 0;
    std::uint64_t bytesRead = 0; // of images and segments
    std::uint64_t bytesExpected = 0;
};

struct ScrubOptions {
    std::uint64_t bytesPerSecond = 0; // 0: as fast as the disk is
    std::size_t maxFindings = 1000;   // what is found beyond is counted only
    std::function<bool()> cancelled;
    std::function<void(const ScrubProgress&)> progress; // about every 4 MB
    bool readLog = true; // the timelines' logs are PostgreSQL's, below wal/ and walkeep/
};

struct ScrubReport {
    std::vector<ScrubFinding> findings;
    std::uint64_t unlisted = 0; // findings beyond maxFindings
    ScrubProgress read;
    bool wasCancelled = false;

    bool isClean() const { return findings.empty() && unlisted == 0; }
};

ScrubReport scrub(Engine& engine, const ScrubOptions& options);

} // namespace arbor
