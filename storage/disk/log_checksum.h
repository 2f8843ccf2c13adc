// What LevelDB's logs do with CRC-32C, and what can be told from a checksum that does not fit.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace arbor {

// LevelDB stores checksums masked, because a checksum of bytes that contain checksums is weak.
constexpr std::uint32_t crc32cMask(std::uint32_t crc) {
    return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}
constexpr std::uint32_t crc32cUnmask(std::uint32_t masked) {
    const std::uint32_t rotated = masked - 0xA282EAD8u;
    return (rotated >> 17) | (rotated << 15);
}

// Whether one changed byte among `length` explains that two checksums (unmasked) differ, and how many bytes
// are behind it: CRC is linear, so the difference is the wrong byte's table entry shifted through all of
// those.
std::optional<std::size_t> oneByteExplains(std::uint32_t stored, std::uint32_t computed, std::size_t length);

} // namespace arbor
