// Bytes in and out: fixed-width little-endian numbers, LEB128 varints, length-prefixed strings, and
// big-endian numbers for keys, whose byte order must be their numeric order. Decoding never reads past the
// end: a Decoder that ran dry or met nonsense stays failed, and the caller checks once at the end.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace arbor {

class Encoder {
  public:
    explicit Encoder(std::string& out) : m_out(out) {}
    Encoder& byte(std::uint8_t value) {
        m_out.push_back(static_cast<char>(value));
        return *this;
    }
    Encoder& varint(std::uint64_t value) {
        while (value >= 0x80) {
            m_out.push_back(static_cast<char>(value | 0x80));
            value >>= 7;
        }
        return byte(static_cast<std::uint8_t>(value));
    }
    // Signed numbers near zero become short: 0, -1, 1, -2, 2 ...
    Encoder& zigzag(std::int64_t value) {
        return varint(static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63));
    }
    Encoder& fixed32(std::uint32_t value) { return little(value, 4); }
    Encoder& fixed64(std::uint64_t value) { return little(value, 8); }
    Encoder& big32(std::uint32_t value) { return big(value, 4); }
    Encoder& big64(std::uint64_t value) { return big(value, 8); }
    Encoder& raw(std::string_view bytes) {
        m_out.append(bytes);
        return *this;
    }
    Encoder& string(std::string_view text) { return varint(text.size()).raw(text); }

  private:
    Encoder& little(std::uint64_t value, int bytes) {
        for (int i = 0; i < bytes; ++i)
            byte(static_cast<std::uint8_t>(value >> 8 * i));
        return *this;
    }
    Encoder& big(std::uint64_t value, int bytes) {
        for (int i = bytes - 1; i >= 0; --i)
            byte(static_cast<std::uint8_t>(value >> 8 * i));
        return *this;
    }
    std::string& m_out;
};

class Decoder {
  public:
    explicit Decoder(std::string_view in) : m_in(in) {}

    std::uint8_t byte() { return static_cast<std::uint8_t>(little(1)); }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const std::uint64_t part = byte();
            if (shift == 63 && part > 1)
                break;
            value |= (part & 0x7F) << shift;
            if (part < 0x80)
                return value;
        }
        m_ok = false;
        return 0;
    }
    std::int64_t zigzag() {
        const std::uint64_t value = varint();
        return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
    }
    std::uint32_t fixed32() { return static_cast<std::uint32_t>(little(4)); }
    std::uint64_t fixed64() { return little(8); }
    std::uint32_t big32() { return static_cast<std::uint32_t>(big(4)); }
    std::uint64_t big64() { return big(8); }
    std::string_view raw(std::size_t bytes) {
        if (!take(bytes))
            return {};
        const std::string_view part = m_in.substr(m_at, bytes);
        m_at += bytes;
        return part;
    }
    std::string_view string() {
        const std::uint64_t length = varint();
        return raw(length);
    }
    std::string_view rest() { return raw(m_in.size() - m_at); }

    bool ok() const { return m_ok; }
    // Everything was read, and nothing was missing.
    bool done() const { return m_ok && m_at == m_in.size(); }
    bool atEnd() const { return !m_ok || m_at == m_in.size(); }

  private:
    bool take(std::size_t bytes) {
        if (!m_ok || bytes > m_in.size() - m_at)
            m_ok = false;
        return m_ok;
    }
    std::uint64_t little(std::size_t bytes) {
        std::uint64_t value = 0;
        if (take(bytes))
            for (std::size_t i = 0; i < bytes; ++i)
                value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(m_in[m_at++])) << 8 * i;
        return value;
    }
    std::uint64_t big(std::size_t bytes) {
        std::uint64_t value = 0;
        if (take(bytes))
            for (std::size_t i = 0; i < bytes; ++i)
                value = value << 8 | static_cast<std::uint8_t>(m_in[m_at++]);
        return value;
    }
    std::string_view m_in;
    std::size_t m_at = 0;
    bool m_ok = true;
};

} // namespace arbor
