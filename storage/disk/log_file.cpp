#include "storage/disk/log_file.h"

#include "storage/base/crc32c.h"
#include "storage/disk/log_checksum.h"

#include <algorithm>
#include <optional>

namespace arbor {

namespace {

constexpr std::uint64_t logBlock = 32768;
constexpr std::uint64_t headerBytes = 7;
constexpr std::uint64_t sector = 512; // what a disk writes whole
enum Type : std::uint8_t { Full = 1, First = 2, Middle = 3, Last = 4 };

std::uint64_t blockEndOf(std::uint64_t offset) {
    return offset / logBlock * logBlock + logBlock;
}

bool allZero(std::string_view bytes) {
    return bytes.find_first_not_of('\0') == std::string_view::npos;
}

// A physical record's header at an offset, as it stands there; its bytes may be cut or nonsense.
struct Header {
    std::uint32_t checksum = 0; // unmasked
    std::uint64_t length = 0;
    std::uint8_t type = 0;

    static Header at(std::string_view content, std::uint64_t offset) {
        const auto byte = [&](std::uint64_t i) {
            return static_cast<std::uint32_t>(static_cast<unsigned char>(content[offset + i]));
        };
        return {.checksum = crc32cUnmask(byte(0) | byte(1) << 8 | byte(2) << 16 | byte(3) << 24),
                .length = byte(4) | byte(5) << 8,
                .type = static_cast<std::uint8_t>(byte(6))};
    }
    bool typeIsKnown() const { return type >= Full && type <= Last; }
};

struct Fragment {
    std::uint8_t type = 0;
    std::string_view data;
    std::uint64_t end = 0;
};

// The physical record at an offset, if it is whole and right.
std::optional<Fragment> fragmentAt(std::string_view content, std::uint64_t offset) {
    const std::uint64_t limit = std::min<std::uint64_t>(content.size(), blockEndOf(offset));
    if (offset + headerBytes > limit)
        return std::nullopt;
    const Header header = Header::at(content, offset);
    if (!header.typeIsKnown() || offset + headerBytes + header.length > limit)
        return std::nullopt;
    if (crc32c(content.substr(offset + 6, 1 + header.length)) != header.checksum)
        return std::nullopt;
    return Fragment{.type = header.type,
                    .data = content.substr(offset + headerBytes, header.length),
                    .end = offset + headerBytes + header.length};
}

// Where the record behind one that ends at `offset` begins: not in a trailer.
std::uint64_t nextHeader(std::uint64_t offset) {
    return blockEndOf(offset) - offset < headerBytes ? blockEndOf(offset) : offset;
}

// The whole logical record that begins at an offset.
std::optional<std::string> recordAt(std::string_view content, std::uint64_t offset) {
    std::optional<Fragment> fragment = fragmentAt(content, offset);
    if (!fragment || (fragment->type != Full && fragment->type != First))
        return std::nullopt;
    std::string data(fragment->data);
    while (fragment->type != Full && fragment->type != Last) {
        fragment = fragmentAt(content, nextHeader(fragment->end));
        if (!fragment || (fragment->type != Middle && fragment->type != Last))
            return std::nullopt;
        data += fragment->data;
    }
    return data;
}

// Whether a complete record begins anywhere at or behind an offset. The boundaries are lost, so every byte is
// tried.
bool recordBehind(std::string_view content, std::uint64_t offset, const LogFileRecord* previous,
                  const PlausibleRecord& plausible) {
    for (; offset + headerBytes <= content.size(); ++offset) {
        const char type = content[offset + 6];
        if (type != Full && type != First)
            continue;
        const std::optional<std::string> data = recordAt(content, offset);
        if (data && plausible(previous, *data))
            return true;
    }
    return false;
}

// Whether a bad physical record at an offset, with nothing whole behind it, is what a power cut leaves.
// Where a record is complete but wrong, the question is if a sector of it never reached the disk and reads as
// zeros. The first and last sector belong to it only in part. 8 zero bytes are evidence: no header has them,
// a batch of ours never ends with a zero byte nor holds a sector of zeros unless another follows (index.cpp),
// and a MANIFEST's record ends with at most 7. Fewer may be chance: then it is damage if a single wrong byte
// elsewhere explains it (a single byte in a sector of its own that was lost explains itself).
bool looksTorn(std::string_view content, std::uint64_t offset) {
    const std::uint64_t blockEnd = blockEndOf(offset);
    const std::uint64_t limit = std::min<std::uint64_t>(content.size(), blockEnd);
    if (offset + headerBytes > limit)
        return true;
    const Header header = Header::at(content, offset);
    if (crc32c(content.substr(offset + 6, limit - offset - 6)) == header.checksum)
        return false; // all there: its length is what was damaged
    const std::uint64_t claimedEnd = offset + headerBytes + header.length;
    if (header.typeIsKnown() && claimedEnd > limit && claimedEnd <= blockEnd)
        return true; // the file ends early
    const bool lengthFits = header.typeIsKnown() && claimedEnd <= limit;
    const std::uint64_t end = lengthFits ? claimedEnd : limit;

    // what the record has of the sector at a place
    const auto partAt = [&](std::uint64_t at) {
        const std::uint64_t begin = std::max(offset, at / sector * sector);
        return content.substr(begin, std::min(end, at / sector * sector + sector) - begin);
    };
    bool weakEvidence = false;
    for (std::uint64_t at = offset; at < end; at += partAt(at).size())
        if (const std::string_view part = partAt(at); allZero(part)) {
            if (part.size() >= 8)
                return true;
            weakEvidence = true;
        }
    if (!weakEvidence)
        return false;
    const auto behind = oneByteExplains(header.checksum, crc32c(content.substr(offset + 6, end - offset - 6)),
                                        end - offset - 6);
    return !behind || allZero(partAt(end - 1 - *behind));
}

} // namespace

LogFile parseLogFile(std::string_view content, const PlausibleRecord& plausible) {
    LogFile file;
    std::uint64_t at = 0;
    std::optional<LogFileRecord> open; // fragments so far
    for (;;) {
        at = nextHeader(at);
        if (at >= content.size() && !open)
            return file;
        const std::optional<Fragment> fragment = fragmentAt(content, at);
        const bool begins = fragment && (fragment->type == Full || fragment->type == First);
        if (!fragment || begins == open.has_value())
            break;
        if (begins)
            open = LogFileRecord{.offset = at, .data = {}};
        open->data += fragment->data;
        at = fragment->end;
        if (fragment->type == Full || fragment->type == Last) {
            if (!plausible(file.records.empty() ? nullptr : &file.records.back(), open->data)) {
                file.tail = LogFileTail::Damaged;
                file.badOffset = open->offset;
                file.reason = "a record that does not follow the one before it";
                return file;
            }
            file.records.push_back(std::move(*open));
            open.reset();
            file.end = at;
        }
    }

    file.badOffset = open ? open->offset : at;
    if (at >= content.size()) {
        file.tail = LogFileTail::Torn; // the file ends between two fragments
        return file;
    }
    if (!open && allZero(content.substr(at)))
        return file; // preallocated, or a size that arrived without its content
    const LogFileRecord* const previous = file.records.empty() ? nullptr : &file.records.back();
    if (fragmentAt(content, at)) {
        file.reason = "a record without its beginning or its end";
    } else if (recordBehind(content, at, previous, plausible)) {
        file.reason = "a hole or a damaged record with whole records behind it";
    } else if (!looksTorn(content, at)) {
        file.reason = "a record that does not fit its checksum";
    }
    file.tail = file.reason.empty() ? LogFileTail::Torn : LogFileTail::Damaged;
    if (file.tail == LogFileTail::Damaged)
        file.badOffset = at;
    return file;
}

} // namespace arbor
