// The smaller records of the index: attributes of an inode, names, cuts, and the marker that ends every
// batch.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/status.h"
#include "storage/base/time.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace arbor {

enum class FileType : std::uint8_t { Regular = 1, Directory = 2, Symlink = 3 };

// attributes := type varint(mode) varint(uid) varint(gid) varint(links) fixed64(modified) fixed64(changed)
//               varint(parent directory) string(target)
// links == 0 ends the inode: it is not seen from this position on.
struct AttributeRecord {
    FileType type = FileType::Regular;
    std::uint32_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t links = 1;
    Timestamp modified;
    Timestamp changed;
    InodeId parent; // the directory it was created in or renamed to last
    std::string target;
    bool operator==(const AttributeRecord&) const = default;
};
std::string encodeAttributes(const AttributeRecord& record);
Result<AttributeRecord> decodeAttributes(std::string_view value);

// name := varint(inode) [type]; inode 0 removes the name
struct NameRecord {
    InodeId inode;
    FileType type = FileType::Regular;
    bool operator==(const NameRecord&) const = default;
};
std::string encodeName(const NameRecord& record);
Result<NameRecord> decodeName(std::string_view value);

// cut := varint(size in bytes): what lay behind is gone for positions from the key's on. The end of an inode
// is a cut to 0 as well.
std::string encodeCut(std::uint64_t size);
Result<std::uint64_t> decodeCut(std::string_view value);

// marker := varint(batch) varint(position) varint(next inode) varint(next segment)
//           count (varint(segment) varint(bytes))*
// Written by every batch. What lies in pages/ behind these ends, and segments from `next segment` on, do not
// exist.
struct Marker {
    std::uint64_t batch = 0; // consecutive
    Position position;       // the store's sequence number: no greater one is in the index
    InodeId nextInode;       // none from here on was ever given out
    SegmentId nextSegment;   // likewise
    struct SegmentEnd {
        SegmentId segment;
        std::uint64_t bytes = 0;
        bool operator==(const SegmentEnd&) const = default;
    };
    std::vector<SegmentEnd> ends; // segments that were appended to since the store was opened
    bool operator==(const Marker&) const = default;
};
std::string encodeMarker(const Marker& marker);
Result<Marker> decodeMarker(std::string_view value);

} // namespace arbor
