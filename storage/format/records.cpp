#include "storage/format/records.h"

#include "storage/format/coding.h"

namespace arbor {

namespace {

Error damagedRecord(std::string_view what) {
    return makeError(ErrorKind::Corruption, "{} in the index cannot be read", what);
}

bool isFileType(std::uint8_t value) {
    return value >= static_cast<std::uint8_t>(FileType::Regular) &&
           value <= static_cast<std::uint8_t>(FileType::Symlink);
}

} // namespace

std::string encodeAttributes(const AttributeRecord& record) {
    std::string value;
    Encoder(value)
        .byte(static_cast<std::uint8_t>(record.type))
        .varint(record.mode)
        .varint(record.uid)
        .varint(record.gid)
        .varint(record.links)
        .fixed64(static_cast<std::uint64_t>(record.modified.micros))
        .fixed64(static_cast<std::uint64_t>(record.changed.micros))
        .varint(record.parent.value)
        .string(record.target);
    return value;
}

Result<AttributeRecord> decodeAttributes(std::string_view value) {
    Decoder in(value);
    AttributeRecord record;
    const std::uint8_t type = in.byte();
    record.mode = static_cast<std::uint32_t>(in.varint());
    record.uid = static_cast<std::uint32_t>(in.varint());
    record.gid = static_cast<std::uint32_t>(in.varint());
    record.links = static_cast<std::uint32_t>(in.varint());
    record.modified.micros = static_cast<std::int64_t>(in.fixed64());
    record.changed.micros = static_cast<std::int64_t>(in.fixed64());
    record.parent.value = in.varint();
    record.target = in.string();
    if (!in.done() || !isFileType(type))
        return damagedRecord("attributes of a file");
    record.type = static_cast<FileType>(type);
    return record;
}

std::string encodeName(const NameRecord& record) {
    std::string value;
    Encoder out(value);
    out.varint(record.inode.value);
    if (record.inode)
        out.byte(static_cast<std::uint8_t>(record.type));
    return value;
}

Result<NameRecord> decodeName(std::string_view value) {
    Decoder in(value);
    NameRecord record{{in.varint()}};
    if (record.inode) {
        const std::uint8_t type = in.byte();
        if (!isFileType(type))
            return damagedRecord("a file name");
        record.type = static_cast<FileType>(type);
    }
    if (!in.done())
        return damagedRecord("a file name");
    return record;
}

std::string encodeCut(std::uint64_t size) {
    std::string value;
    Encoder(value).varint(size);
    return value;
}

Result<std::uint64_t> decodeCut(std::string_view value) {
    Decoder in(value);
    const std::uint64_t size = in.varint();
    if (!in.done())
        return damagedRecord("a truncation");
    return size;
}

std::string encodeMarker(const Marker& marker) {
    std::string value;
    Encoder out(value);
    out.varint(marker.batch)
        .varint(marker.position.value)
        .varint(marker.nextInode.value)
        .varint(marker.nextSegment.value)
        .varint(marker.ends.size());
    for (const Marker::SegmentEnd& end : marker.ends)
        out.varint(end.segment.value).varint(end.bytes);
    return value;
}

Result<Marker> decodeMarker(std::string_view value) {
    Decoder in(value);
    Marker marker;
    marker.batch = in.varint();
    marker.position.value = in.varint();
    marker.nextInode.value = in.varint();
    marker.nextSegment.value = in.varint();
    const std::uint64_t count = in.varint();
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        const std::uint64_t segment = in.varint();
        marker.ends.push_back({{segment}, in.varint()});
    }
    if (!in.done())
        return damagedRecord("the marker");
    return marker;
}

} // namespace arbor
