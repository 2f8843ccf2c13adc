// LevelDB's log format (its doc/log_format.md), read more strictly than LevelDB does: the write-ahead log and
// the MANIFEST both have it. LevelDB's own reader passes over zero-filled blocks in silence and takes any
// unfinished end for the end, so a hole, or a damaged length in the last record, costs acknowledged writes
// without a word.
//
//   file   := block*                       blocks of 32768 bytes, the last one may be short
//   block  := record* trailer              a trailer of fewer than 7 bytes is zeros
//   record := checksum length type data    u32 masked crc32c of type and data, u16, u8, `length` bytes
//   type   := 1 FULL | 2 FIRST | 3 MIDDLE | 4 LAST
//
// What a power cut can leave of the one piece that was being written, and therefore counts as torn: it ends
// early, or sectors of 512 bytes of it are zeros. Anything else is damage: a record that is all there and
// does not fit its checksum, and whatever has a complete record behind it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace arbor {

struct LogFileRecord {
    std::uint64_t offset = 0; // of its first fragment
    std::string data;
};

enum class LogFileTail {
    Clean,   // the file ends behind the last record, or goes on with zeros only
    Torn,    // an unfinished record, as a power cut leaves it
    Damaged, // something that no power cut leaves
};

struct LogFile {
    std::vector<LogFileRecord> records;
    LogFileTail tail = LogFileTail::Clean;
    std::uint64_t end = 0;       // behind the last record
    std::uint64_t badOffset = 0; // of what is torn or damaged
    std::string reason;          // in words, when damaged
};

// Reads a whole file's content. `plausible(previous, data)` says whether data could be a record of this file
// when the last good one is `previous` (null: none); it decides whether something behind a bad place is a
// record or chance.
using PlausibleRecord = std::function<bool(const LogFileRecord* previous, std::string_view data)>;
LogFile parseLogFile(std::string_view content, const PlausibleRecord& plausible);

} // namespace arbor
