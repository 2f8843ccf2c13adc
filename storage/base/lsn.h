// A log sequence number of PostgreSQL: a byte position in a cluster's write-ahead log.
#pragma once

#include "storage/base/status.h"

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arbor {

struct Lsn {
    std::uint64_t value = 0; // 0 is InvalidXLogRecPtr (access/xlogdefs.h)
    constexpr auto operator<=>(const Lsn&) const = default;
    constexpr explicit operator bool() const { return value != 0; }

    // "0/16B3748", as Postgres prints it (%X/%X).
    std::string toString() const;
    // Accepts exactly that form, in upper or lower case; nothing else.
    static std::optional<Lsn> parse(std::string_view text);
};

constexpr Lsn operator+(Lsn lsn, std::uint64_t bytes) {
    return {lsn.value + bytes};
}
constexpr std::uint64_t operator-(Lsn left, Lsn right) {
    return left.value - right.value;
}

} // namespace arbor

template <>
struct fmt::formatter<arbor::Lsn> : fmt::formatter<std::string> {
    template <class Context>
    auto format(arbor::Lsn lsn, Context& context) const {
        return fmt::formatter<std::string>::format(lsn.toString(), context);
    }
};
