// A page image: one version of one 8 KB block, self-describing, as it stands in a segment.
//
//   offset  bytes
//        0      8  checksum: xxh3 of bytes 8..39 seeded with the xxh3 of the payload
//        8      8  timeline
//       16      8  inode
//       24      8  position
//       32      4  block
//       36      2  length of the payload
//       38      1  magic 0xA7
//       39      1  encoding: 0 as it is, 1 lz4 block
//       40         payload, then zeros up to a multiple of 32 bytes
//
// Little-endian. That it says whose it is lets a sweep walk a segment without the index, and lets a read
// prove that the index led it to the right place: the checksum covers timeline, file, block and position.
#pragma once

#include "storage/base/ids.h"
#include "storage/disk/disk.h"
#include "storage/format/runs.h"

#include <array>
#include <cstddef>

namespace arbor {

struct ImageHeader {
    TimelineId timeline;
    InodeId inode;
    BlockNumber block = 0;
    Position position;
    bool operator==(const ImageHeader&) const = default;
};

inline constexpr std::size_t imageHeaderBytes = 40;
inline constexpr std::size_t maxImageBytes = ImageLocation::maxUnits * ImageLocation::unitBytes;

// The costly half of making an image, done before its position is known: compression and the payload's
// checksum.
class PreparedPage {
  public:
    // `page` is blockSize bytes and must outlive this object when it does not compress.
    explicit PreparedPage(Bytes page);

    bool isZeroPage() const { return m_isZero; }
    std::uint32_t units() const { return m_units; }
    // Writes units() * unitBytes bytes.
    void writeImage(const ImageHeader& header, std::byte* into) const;

  private:
    Bytes m_payload;
    bool m_isZero = false;
    bool m_compressed = false;
    std::uint32_t m_units = 0;
    std::uint64_t m_payloadHash = 0;
    std::array<std::byte, blockSize> m_buffer; // not initialised: only m_payload's part is read
};

// Reads the header of an image and verifies its checksum; `image` is the whole of it, padding included.
// Corruption when it is not an image.
Result<ImageHeader> verifyImage(Bytes image);
// Verifies, compares with whose image it should be (but for the timeline: positions are unique in a store),
// and decodes into 8192 bytes.
Status decodeImage(Bytes image, InodeId inode, BlockNumber block, Position position, MutableBytes page);
// Length in bytes, padding included, of the image that begins with these (at least imageHeaderBytes) bytes; 0
// when none does.
std::size_t imageBytesAt(Bytes begin);

bool isZero(Bytes page);

} // namespace arbor
