// Records byte by byte.
//
//   key         := 'C' kind id          id: big-endian 64 bit, so that records are read in the order of their
//   making
//                | 'C' 'N'              the counters
//                | 'C' 'S' name         a setting of the store; its value is version text
//   kind        := 'T' timeline | 'B' branch | 'K' checkpoint | 'R' trash ("rubbish")
//                | 'G' the name of a branch that is gone for good while children still name it as their
//                parent
//   value       := version fields       version: one byte; numbers are varints, texts are length-prefixed
//
// A value that does not parse to its last byte, or that breaks a rule every record obeys, is Corruption and
// the message names the kind of record and its id.
#pragma once

#include "storage/base/status.h"
#include "storage/timelines/records.h"

#include <optional>
#include <string>
#include <string_view>

namespace arbor::catalog_codec {

inline constexpr char catalogTag = 'C';

enum class Kind : char {
    Timeline = 'T',
    Branch = 'B',
    Checkpoint = 'K',
    Trash = 'R',
    GoneBranch = 'G',
    Setting = 'S',
    Counters = 'N',
};

struct Key {
    Kind kind = Kind::Counters;
    std::uint64_t id = 0;     // where the kind has one
    std::string_view setting; // of a Setting
};
// Nothing for bytes that are no key of the catalog.
std::optional<Key> parseKey(std::string_view key);
// "branch 7", "setting trash-time": for messages.
std::string describeKey(const Key& key);

std::string keyOf(TimelineId id);
std::string keyOf(BranchId id);
std::string keyOf(CheckpointId id);
std::string keyOf(TrashId id);
std::string goneBranchKey(BranchId id);
std::string settingKey(std::string_view name);
std::string countersKey();

std::string encode(const TimelineRecord& record);
std::string encode(const BranchRecord& record);
std::string encode(const CheckpointRecord& record);
std::string encode(const TrashRecord& record);
std::string encode(const IdCounters& counters);
std::string encodeText(std::string_view text); // settings and names of gone branches

Result<TimelineRecord> decodeTimeline(TimelineId id, std::string_view value);
Result<BranchRecord> decodeBranch(BranchId id, std::string_view value);
Result<CheckpointRecord> decodeCheckpoint(CheckpointId id, std::string_view value);
Result<TrashRecord> decodeTrash(TrashId id, std::string_view value);
Result<IdCounters> decodeCounters(std::string_view value);
Result<std::string> decodeText(const Key& key, std::string_view value);

} // namespace arbor::catalog_codec
