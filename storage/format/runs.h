// Runs: how the versions that one sync makes durable stand in the index.
//
// A page run holds the page versions of one chunk (8 MB) of one file on one timeline that one sync accepted,
// in the order of their positions. Its key carries the first position. Two runs of a chunk on a timeline
// never overlap in positions. One entry a page would cost 30 bytes and more, most of them key; a run costs
// that once.
//
//   page run  := stretch+                                     consecutive blocks, at least one
//   stretch   := flags count zigzag(block - expected block)
//                varint(position - last position) [varint(position step)]*     bit 0 clear: a step a page,
//                else all 1 units | units*                                bit 3: one byte for all
//                [zigzag(segment - last segment)]              bit 1
//                zigzag(offset - expected offset)*             bit 2: for the first image only, else for each
// `units` counts 32 bytes of the image in its segment; 0 is a page of zeros, which has no image (and leaves
// the expected offset as it is); 255 stands for 258 units, a page stored as it is.
//
//   size run  := (varint repeat, varint position step, zigzag size step)+
//   position map := fixed64 wall clock of the sync, (varint position step, varint LSN step)+
#pragma once

#include "storage/base/ids.h"
#include "storage/base/lsn.h"
#include "storage/base/status.h"
#include "storage/base/time.h"

#include <compare>
#include <string>
#include <string_view>
#include <vector>

namespace arbor {

// Where an image lies: segment, offset and length, the latter two in units of 32 bytes. 64 bits in all
// because a page map holds one a block. While a page is not packed a ticket takes its place, in memory only.
class ImageLocation {
  public:
    static constexpr std::uint32_t unitBytes = 32;
    static constexpr std::uint32_t maxUnits = 258; // a page stored as it is: (40 + 8192) / 32, rounded up

    constexpr ImageLocation() = default; // a page of zeros
    constexpr ImageLocation(SegmentId segment, std::uint32_t offsetUnits, std::uint32_t units)
        : m_bits(segment.value << 34 | std::uint64_t{offsetUnits} << 10 | units) {}

    static constexpr ImageLocation ofTicket(std::uint64_t ticket) {
        ImageLocation location;
        location.m_bits = ticket << 10 | ticketUnits;
        return location;
    }

    constexpr bool isZeroPage() const { return m_bits == 0; }
    constexpr bool isTicket() const { return units() == ticketUnits; }
    constexpr std::uint64_t ticket() const { return m_bits >> 10; }
    // of what is not a ticket
    constexpr SegmentId segment() const { return {m_bits >> 34}; }
    constexpr std::uint32_t offsetUnits() const { return m_bits >> 10 & 0xFFFFFF; }
    constexpr std::uint32_t units() const { return m_bits & 0x3FF; }
    constexpr std::uint64_t offset() const { return std::uint64_t{offsetUnits()} * unitBytes; }
    constexpr std::uint32_t bytes() const { return units() * unitBytes; }
    constexpr bool operator==(const ImageLocation&) const = default;

  private:
    static constexpr std::uint32_t ticketUnits = 0x3FF; // no image is as long
    std::uint64_t m_bits = 0;
};

struct PageVersion {
    BlockNumber block = 0;
    Position position;
    ImageLocation location;
    bool operator==(const PageVersion&) const = default;
};

struct SizeVersion {
    Position position;
    std::uint64_t size = 0;
    bool operator==(const SizeVersion&) const = default;
};

struct PositionLsn {
    Position position; // the first position that has this LSN
    Lsn lsn;
    bool operator==(const PositionLsn&) const = default;
};

// `versions` ascend in position. The first position is the key's.
std::string encodePageRun(const std::vector<PageVersion>& versions);
Result<std::vector<PageVersion>> decodePageRun(Position first, std::string_view value);

std::string encodeSizeRun(const std::vector<SizeVersion>& versions);
Result<std::vector<SizeVersion>> decodeSizeRun(Position first, std::string_view value);

struct PositionMapRun {
    Timestamp at; // when the sync was made
    std::vector<PositionLsn> entries;
};
std::string encodePositionMap(const PositionMapRun& run);
Result<PositionMapRun> decodePositionMap(Position first, std::string_view value);

} // namespace arbor
