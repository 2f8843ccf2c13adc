#include "app/engine/page_checksum.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace arbor {

namespace {

constexpr std::size_t lanes = 32;
constexpr std::size_t pageBytes = 8192;
constexpr std::size_t fieldAt = 8; // pd_checksum
constexpr std::uint32_t prime = 16777619;
constexpr std::array<std::uint32_t, lanes> offsets{
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756};

void mix(std::uint32_t& sum, std::uint32_t value) {
    const std::uint32_t xored = sum ^ value;
    sum = (xored * prime) ^ (xored >> 17);
}

} // namespace

std::uint16_t pageChecksum(Bytes page, std::uint32_t block) {
    std::array<std::uint32_t, pageBytes / sizeof(std::uint32_t)> words;
    std::memcpy(words.data(), page.data(), pageBytes);
    std::memset(reinterpret_cast<std::byte*>(words.data()) + fieldAt, 0, sizeof(std::uint16_t));
    std::array<std::uint32_t, lanes> sums = offsets;
    for (std::size_t row = 0; row < words.size(); row += lanes)
        for (std::size_t lane = 0; lane < lanes; ++lane)
            mix(sums[lane], words[row + lane]);
    for (int round = 0; round < 2; ++round)
        for (std::uint32_t& sum : sums)
            mix(sum, 0);
    std::uint32_t all = block;
    for (const std::uint32_t sum : sums)
        all ^= sum;
    return static_cast<std::uint16_t>(all % 65535 + 1);
}

bool pageIsWhole(Bytes page, std::uint32_t block) {
    if (std::ranges::all_of(page, [](std::byte b) { return b == std::byte{0}; }))
        return true;
    std::uint16_t stored = 0;
    std::memcpy(&stored, page.data() + fieldAt, sizeof stored);
    return stored == pageChecksum(page, block);
}

} // namespace arbor
