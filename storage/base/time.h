// Wall-clock time, handed in wherever behaviour depends on it so that tests can turn the clock.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arbor {

// A length of time in microseconds.
struct Duration {
    std::int64_t micros = 0;
    constexpr auto operator<=>(const Duration&) const = default;
    static constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }
    static constexpr Duration days(std::int64_t n) { return seconds(n * 86'400); }
};

// Microseconds since 1970-01-01 00:00:00 UTC. 0 means "never" where a time is optional.
struct Timestamp {
    std::int64_t micros = 0;
    constexpr auto operator<=>(const Timestamp&) const = default;
    constexpr explicit operator bool() const { return micros != 0; }

    // PostgreSQL counts microseconds from 2000-01-01 (datatype/timestamp.h, POSTGRES_EPOCH_JDATE).
    static constexpr std::int64_t postgresEpochMicros = 946'684'800'000'000;
    static constexpr Timestamp fromPostgres(std::int64_t micros) { return {micros + postgresEpochMicros}; }

    // ISO 8601 in UTC with microseconds: "2026-01-31T12:00:00.000000Z".
    std::string toIso() const;
    // ISO 8601 with a zone ("Z", "+02", "+02:00", "+0200"), 'T' or a space between date and time, an optional
    // fraction, and Postgres's habit of a space-free short zone. Without a zone: nothing.
    static std::optional<Timestamp> parseIso(std::string_view text);
};

constexpr Timestamp operator+(Timestamp t, Duration d) {
    return {t.micros + d.micros};
}
constexpr Timestamp operator-(Timestamp t, Duration d) {
    return {t.micros - d.micros};
}
constexpr Duration operator-(Timestamp a, Timestamp b) {
    return {a.micros - b.micros};
}

// Thread-safe.
class Clock {
  public:
    virtual ~Clock() = default;
    virtual Timestamp now() const = 0;
};

// The machine's clock. The object has no state; one may be made wherever one is needed.
class SystemClock final : public Clock {
  public:
    Timestamp now() const override;
};

} // namespace arbor
