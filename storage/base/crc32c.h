// CRC-32C (Castagnoli), the checksum of Postgres's log records and of pg_control (port/pg_crc32c.h), and of
// LevelDB's logs: initial value and final inversion of all ones. Uses the processor's instruction where there
// is one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace arbor {

// A running value; finish() inverts. Bytes may be added in any pieces.
class Crc32c {
  public:
    Crc32c& add(const void* data, std::size_t length);
    std::uint32_t finish() const { return ~m_value; }

  private:
    std::uint32_t m_value = 0xFFFFFFFFu;
};

inline std::uint32_t crc32c(std::string_view bytes) {
    return Crc32c().add(bytes.data(), bytes.size()).finish();
}

// The same by table, for machines without the instruction, and without the inversions; tests compare the two.
std::uint32_t crc32cByTable(std::uint32_t value, const void* data, std::size_t length);

} // namespace arbor
