// The keys of the index, byte by byte.
//
//   page run      'P' inode chunk  ~timeline ~first position
//   size run      'S' inode        ~timeline ~first position
//   cut           'K' inode        ~timeline ~position             a truncation, or the end of the inode
//   attributes    'I' inode        ~timeline ~position
//   name          'D' directory    ~timeline name 00 ~position
//   position map  'L' timeline first position
//   marker        'M'
//   history       'H' timeline                                      where its history begins, what its log
//   lost
// (tags of other folders: 'C' catalog, 'O' operation log, 'W' marks of the log, 'A' samples)
//
// Numbers are written so that byte order is numeric order and small numbers are short: one byte with the
// count of the bytes that follow, then these in big-endian order. `~` is the same with every byte
// complemented: greater numbers first, so that a seek finds "the newest at or before". The timeline stands
// behind the inode because a child's id is always greater than its parent's: one seek that starts at a
// timeline lands on the nearest ancestor that has touched the inode at all, however long the chain between
// them (see LineageCursor).
#pragma once

#include "storage/base/ids.h"

#include <optional>
#include <string>
#include <string_view>

namespace arbor {

namespace tag {
inline constexpr char pageRun = 'P';
inline constexpr char sizeRun = 'S';
inline constexpr char cut = 'K';
inline constexpr char attributes = 'I';
inline constexpr char name = 'D';
inline constexpr char positionMap = 'L';
inline constexpr char marker = 'M';
inline constexpr char history = 'H';
} // namespace tag

// Blocks that share their page runs: 1024 blocks, 8 MB of a file.
inline constexpr BlockNumber blocksPerChunk = 1024;
constexpr std::uint32_t chunkOf(BlockNumber block) {
    return block / blocksPerChunk;
}

void appendAscending(std::string& key, std::uint64_t number);
void appendDescending(std::string& key, std::uint64_t number);
// Take a number off the front; nothing when the bytes are not one.
std::optional<std::uint64_t> takeAscending(std::string_view& key);
std::optional<std::uint64_t> takeDescending(std::string_view& key);

// What stands before ~timeline: everything of one chunk of a file, one file, one directory.
std::string pageRunPrefix(InodeId inode, std::uint32_t chunk);
std::string inodePrefix(char tagByte, InodeId inode); // sizeRun, cut, attributes, name

// prefix ~timeline ~position
std::string versionKey(std::string_view prefix, TimelineId timeline, Position position);
// prefix ~timeline: everything that one timeline has there
std::string timelinePrefix(std::string_view prefix, TimelineId timeline);
// inodePrefix(name, directory) ~timeline name 00 ~position
std::string nameKey(InodeId directory, TimelineId timeline, std::string_view name, Position position);
std::string positionMapKey(TimelineId timeline, Position first);

struct PageRunKey {
    InodeId inode;
    std::uint32_t chunk = 0;
    TimelineId timeline;
    Position first;
};
struct InodeKey { // sizeRun, cut, attributes
    InodeId inode;
    TimelineId timeline;
    Position position;
};
struct NameKey {
    InodeId directory;
    TimelineId timeline;
    std::string name;
    Position position;
};
std::optional<PageRunKey> parsePageRunKey(std::string_view key);
std::optional<InodeKey> parseInodeKey(std::string_view key);
std::optional<NameKey> parseNameKey(std::string_view key);
std::optional<std::pair<TimelineId, Position>> parsePositionMapKey(std::string_view key);

} // namespace arbor
