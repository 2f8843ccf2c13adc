#include "storage/pages/image.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <lz4.h>

#include <cassert>
#include <cstring>

namespace arbor {

namespace {

constexpr std::uint8_t imageMagic = 0xA7;
enum Encoding : std::uint8_t { AsItIs = 0, Lz4 = 1 };

// The header as it lies on disk; the project runs on little-endian machines only (checked below).
struct RawHeader {
    std::uint64_t checksum;
    std::uint64_t timeline;
    std::uint64_t inode;
    std::uint64_t position;
    std::uint32_t block;
    std::uint16_t payloadBytes;
    std::uint8_t magic;
    std::uint8_t encoding;
};
static_assert(sizeof(RawHeader) == imageHeaderBytes);
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);

// Compressed pages must save at least this much, or reading them back is not worth it. It also keeps their
// length out of the way of the index's one-byte form of "as it is".
constexpr std::size_t worthwhileBytes = blockSize - blockSize / 8;

// How soon lz4 takes longer steps where it finds nothing. Beside its standard (1) this halves the time on
// pages that can only just be compressed (rows of random hexadecimal digits: 12.5 to 6.1 us, words: 16.9
// to 9.9 us) and gives away a fiftieth of a page there (words: a twelfth), nothing on rows like pgbench's. To
// judge a page by a sample of it does not work: a short stretch of words hardly compresses.
constexpr int lz4Acceleration = 3;

std::uint32_t unitsFor(std::size_t payloadBytes) {
    return static_cast<std::uint32_t>((imageHeaderBytes + payloadBytes + ImageLocation::unitBytes - 1) /
                                      ImageLocation::unitBytes);
}

std::uint64_t checksumOf(const RawHeader& header, std::uint64_t payloadHash) {
    return XXH3_64bits_withSeed(&header.timeline, sizeof header - sizeof header.checksum, payloadHash);
}

Result<RawHeader> verified(Bytes image) {
    RawHeader header;
    if (image.size() < sizeof header)
        return makeError(ErrorKind::Corruption, "page image of {} bytes is cut off", image.size());
    std::memcpy(&header, image.data(), sizeof header);
    if (header.magic != imageMagic || header.encoding > Lz4 || header.payloadBytes > blockSize ||
        std::size_t{unitsFor(header.payloadBytes)} * ImageLocation::unitBytes > image.size())
        return makeError(ErrorKind::Corruption, "there is no page image");
    const std::uint64_t payloadHash = XXH3_64bits(image.data() + sizeof header, header.payloadBytes);
    if (header.checksum != checksumOf(header, payloadHash))
        return makeError(ErrorKind::Corruption, "the page image's checksum does not match");
    return header;
}

ImageHeader headerOf(const RawHeader& raw) {
    return {{raw.timeline}, {raw.inode}, raw.block, {raw.position}};
}

} // namespace

bool isZero(Bytes page) {
    // the first word decides almost always; then memcmp of the page with itself, one byte on
    return page.empty() ||
           (page[0] == std::byte{0} && std::memcmp(page.data(), page.data() + 1, page.size() - 1) == 0);
}

PreparedPage::PreparedPage(Bytes page) : m_payload(page) {
    assert(page.size() == blockSize);
    m_isZero = isZero(page);
    if (m_isZero)
        return;
    const int length = LZ4_compress_fast(reinterpret_cast<const char*>(page.data()),
                                         reinterpret_cast<char*>(m_buffer.data()), blockSize, worthwhileBytes,
                                         lz4Acceleration);
    if (length > 0) {
        m_compressed = true;
        m_payload = Bytes(m_buffer.data(), static_cast<std::size_t>(length));
    }
    m_units = unitsFor(m_payload.size());
    m_payloadHash = XXH3_64bits(m_payload.data(), m_payload.size());
}

void PreparedPage::writeImage(const ImageHeader& header, std::byte* into) const {
    assert(!m_isZero);
    RawHeader raw{};
    raw.timeline = header.timeline.value;
    raw.inode = header.inode.value;
    raw.position = header.position.value;
    raw.block = header.block;
    raw.payloadBytes = static_cast<std::uint16_t>(m_payload.size());
    raw.magic = imageMagic;
    raw.encoding = m_compressed ? Lz4 : AsItIs;
    raw.checksum = checksumOf(raw, m_payloadHash);
    std::memcpy(into, &raw, sizeof raw);
    std::memcpy(into + sizeof raw, m_payload.data(), m_payload.size());
    const std::size_t used = sizeof raw + m_payload.size();
    std::memset(into + used, 0, std::size_t{m_units} * ImageLocation::unitBytes - used);
}

Result<ImageHeader> verifyImage(Bytes image) {
    ARBOR_ASSIGN(const RawHeader raw, verified(image));
    return headerOf(raw);
}

Status decodeImage(Bytes image, InodeId inode, BlockNumber block, Position position, MutableBytes page) {
    assert(page.size() == blockSize);
    ARBOR_ASSIGN(const RawHeader raw, verified(image));
    const ImageHeader header = headerOf(raw);
    if (header.inode != inode || header.block != block || header.position != position)
        return makeError(ErrorKind::Corruption, "the page image belongs to file {} block {} position {}",
                         header.inode, header.block, header.position);
    const auto* payload = reinterpret_cast<const char*>(image.data() + imageHeaderBytes);
    if (raw.encoding == AsItIs) {
        if (raw.payloadBytes != blockSize)
            return makeError(ErrorKind::Corruption, "the page image has {} bytes", raw.payloadBytes);
        std::memcpy(page.data(), payload, blockSize);
        return {};
    }
    const int length =
        LZ4_decompress_safe(payload, reinterpret_cast<char*>(page.data()), raw.payloadBytes, blockSize);
    if (length != static_cast<int>(blockSize))
        return makeError(ErrorKind::Corruption, "the page image does not decompress to a page");
    return {};
}

std::size_t imageBytesAt(Bytes begin) {
    RawHeader header;
    if (begin.size() < sizeof header)
        return 0;
    std::memcpy(&header, begin.data(), sizeof header);
    if (header.magic != imageMagic || header.encoding > Lz4 || header.payloadBytes > blockSize)
        return 0;
    return std::size_t{unitsFor(header.payloadBytes)} * ImageLocation::unitBytes;
}

} // namespace arbor
