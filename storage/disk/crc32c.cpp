#include "storage/disk/crc32c.h"

#include <array>
#include <cstring>

namespace arbor {

namespace {

constexpr std::uint32_t polynomial = 0x82F63B78; // reflected

using Table = std::array<std::uint32_t, 256>;

// tables[k][b]: what byte b contributes with k bytes behind it. Eight at a step ("slicing"): a log of some MB
// is read at every open, and one table alone manages a third of the speed.
constexpr std::array<Table, 8> makeTables() {
    std::array<Table, 8> tables{};
    for (std::uint32_t b = 0; b < 256; ++b) {
        std::uint32_t crc = b;
        for (int bit = 0; bit < 8; ++bit)
            crc = crc & 1 ? crc >> 1 ^ polynomial : crc >> 1;
        tables[0][b] = crc;
    }
    for (std::size_t k = 1; k < 8; ++k)
        for (std::uint32_t b = 0; b < 256; ++b)
            tables[k][b] = tables[k - 1][b] >> 8 ^ tables[0][tables[k - 1][b] & 0xFF];
    return tables;
}
constexpr std::array<Table, 8> tables = makeTables();

// The table's top bytes are a permutation: the one entry with a given top byte.
constexpr std::array<std::uint8_t, 256> makeByTopByte() {
    std::array<std::uint8_t, 256> inverse{};
    for (std::uint32_t b = 0; b < 256; ++b)
        inverse[tables[0][b] >> 24] = static_cast<std::uint8_t>(b);
    return inverse;
}
constexpr std::array<std::uint8_t, 256> byTopByte = makeByTopByte();

std::uint32_t little32(const char* at) {
    const auto* b = reinterpret_cast<const unsigned char*>(at);
    return b[0] | b[1] << 8 | b[2] << 16 | static_cast<std::uint32_t>(b[3]) << 24;
}

} // namespace

std::uint32_t crc32c(std::string_view bytes) {
    std::uint32_t crc = ~0u;
    while (bytes.size() >= 8) {
        const std::uint32_t low = crc ^ little32(bytes.data());
        const std::uint32_t high = little32(bytes.data() + 4);
        crc = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^
              tables[4][low >> 24] ^ tables[3][high & 0xFF] ^ tables[2][high >> 8 & 0xFF] ^
              tables[1][high >> 16 & 0xFF] ^ tables[0][high >> 24];
        bytes.remove_prefix(8);
    }
    for (const char c : bytes)
        crc = tables[0][(crc ^ static_cast<unsigned char>(c)) & 0xFF] ^ crc >> 8;
    return ~crc;
}

bool oneByteExplains(std::uint32_t stored, std::uint32_t computed, std::size_t length) {
    std::uint32_t difference = stored ^ computed;
    for (std::size_t behind = 0; behind < length; ++behind) {
        const std::uint8_t wrong = byTopByte[difference >> 24];
        if (tables[0][wrong] == difference)
            return true;
        difference = (difference ^ tables[0][wrong]) << 8 | wrong; // one byte back
    }
    return false;
}

} // namespace arbor
