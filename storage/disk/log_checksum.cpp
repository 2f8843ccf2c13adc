#include "storage/disk/log_checksum.h"

#include "storage/base/crc32c.h"

#include <array>

namespace arbor {

namespace {

// What a byte contributes when nothing is behind it. The top bytes are a permutation: `byTopByte` names the
// one byte whose contribution has a given top byte.
struct Contributions {
    std::array<std::uint32_t, 256> of;
    std::array<std::uint8_t, 256> byTopByte;

    Contributions() {
        for (std::uint32_t b = 0; b < 256; ++b) {
            const auto byte = static_cast<std::uint8_t>(b);
            of[b] = crc32cByTable(0, &byte, 1);
            byTopByte[of[b] >> 24] = byte;
        }
    }
};

} // namespace

std::optional<std::size_t> oneByteExplains(std::uint32_t stored, std::uint32_t computed, std::size_t length) {
    static const Contributions contributions;
    std::uint32_t difference = stored ^ computed;
    for (std::size_t behind = 0; behind < length; ++behind) {
        const std::uint8_t wrong = contributions.byTopByte[difference >> 24];
        if (contributions.of[wrong] == difference)
            return behind;
        difference = (difference ^ contributions.of[wrong]) << 8 | wrong; // one byte back
    }
    return std::nullopt;
}

} // namespace arbor
