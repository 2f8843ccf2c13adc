#include "storage/base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace arbor {

namespace {

constexpr std::uint32_t reversedPolynomial = 0x82F63B78u;

// table[k][b]: the remainder of byte b followed by k zero bytes, so that eight bytes take eight look-ups and
// no loop.
constexpr std::array<std::array<std::uint32_t, 256>, 8> makeTables() {
    std::array<std::array<std::uint32_t, 256>, 8> table{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t value = byte;
        for (int bit = 0; bit < 8; ++bit)
            value = value >> 1 ^ (value & 1 ? reversedPolynomial : 0);
        table[0][byte] = value;
    }
    for (std::size_t k = 1; k < 8; ++k)
        for (std::size_t byte = 0; byte < 256; ++byte)
            table[k][byte] = table[k - 1][byte] >> 8 ^ table[0][table[k - 1][byte] & 0xFF];
    return table;
}
constexpr auto tables = makeTables();

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) std::uint32_t crc32cByInstruction(std::uint32_t value, const void* data,
                                                                    std::size_t length) {
    const auto* at = static_cast<const unsigned char*>(data);
    std::uint64_t wide = value;
    for (; length >= 8; at += 8, length -= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, 8);
        wide = _mm_crc32_u64(wide, word);
    }
    auto narrow = static_cast<std::uint32_t>(wide);
    for (; length > 0; ++at, --length)
        narrow = _mm_crc32_u8(narrow, *at);
    return narrow;
}
#endif

using Function = std::uint32_t (*)(std::uint32_t, const void*, std::size_t);

Function choose() {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2"))
        return crc32cByInstruction;
#endif
    return crc32cByTable;
}

} // namespace

std::uint32_t crc32cByTable(std::uint32_t value, const void* data, std::size_t length) {
    const auto* at = static_cast<const unsigned char*>(data);
    for (; length >= 8; at += 8, length -= 8) {
        const std::uint32_t low = value ^ (at[0] | at[1] << 8 | at[2] << 16 | std::uint32_t{at[3]} << 24);
        value = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^
                tables[4][low >> 24] ^ tables[3][at[4]] ^ tables[2][at[5]] ^ tables[1][at[6]] ^
                tables[0][at[7]];
    }
    for (; length > 0; ++at, --length)
        value = value >> 8 ^ tables[0][(value ^ *at) & 0xFF];
    return value;
}

Crc32c& Crc32c::add(const void* data, std::size_t length) {
    static const Function function = choose();
    m_value = function(m_value, data, length);
    return *this;
}

} // namespace arbor
