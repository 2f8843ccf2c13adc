// Page images: whatever bytes there are, they are refused or decode within their bounds, also with a checksum
// that fits; and every page comes back as it was.
#include "storage/pages/image.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <vector>

using namespace arbor;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

void decode(Bytes image) {
    std::array<std::byte, blockSize> page;
    const auto header = verifyImage(image);
    if (header)
        (void)decodeImage(image, header->inode, header->block, header->position, page);
    const std::size_t bytes = imageBytesAt(image);
    require(bytes <= maxImageBytes);
}

// The header's checksum as image.h says it is made, so that damage behind it is reached.
void sign(std::vector<std::byte>& image) {
    std::uint16_t payload = 0;
    std::memcpy(&payload, image.data() + 36, sizeof payload);
    if (imageHeaderBytes + payload > image.size())
        return;
    const std::uint64_t seed = XXH3_64bits(image.data() + imageHeaderBytes, payload);
    const std::uint64_t checksum = XXH3_64bits_withSeed(image.data() + 8, imageHeaderBytes - 8, seed);
    std::memcpy(image.data(), &checksum, sizeof checksum);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input = std::as_bytes(std::span(data, size));
    decode(input);
    if (size >= imageHeaderBytes) {
        std::vector<std::byte> image(input.begin(), input.end());
        image[38] = std::byte{0xA7};
        image[39] = std::byte{static_cast<std::uint8_t>(size & 1)};
        sign(image);
        decode(image);
    }

    std::array<std::byte, blockSize> page{};
    std::copy_n(input.begin(), std::min(size, page.size()), page.begin());
    const PreparedPage prepared(page);
    if (prepared.isZeroPage())
        return 0;
    std::vector<std::byte> image(std::size_t{prepared.units()} * ImageLocation::unitBytes);
    const ImageHeader header{{1}, {2}, 3, {4}};
    prepared.writeImage(header, image.data());
    std::array<std::byte, blockSize> back;
    require(verifyImage(image) && *verifyImage(image) == header);
    require(decodeImage(image, header.inode, header.block, header.position, back).has_value());
    require(back == page);
    require(imageBytesAt(image) == image.size());
    return 0;
}
