#include "storage/base/time.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

namespace arbor {

std::string Timestamp::toIso() const {
    auto seconds = micros / 1'000'000;
    auto fraction = micros % 1'000'000;
    if (fraction < 0) {
        fraction += 1'000'000;
        --seconds;
    }
    const std::time_t time = seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, fraction);
}

namespace {

// Reads fixed-width decimal fields off the front of a text.
class Fields {
  public:
    explicit Fields(std::string_view text) : m_rest(text) {}
    bool number(std::size_t digits, int& value) {
        if (m_rest.size() < digits)
            return false;
        value = 0;
        for (std::size_t i = 0; i < digits; ++i) {
            if (m_rest[i] < '0' || m_rest[i] > '9')
                return false;
            value = value * 10 + (m_rest[i] - '0');
        }
        m_rest.remove_prefix(digits);
        return true;
    }
    bool skip(std::string_view anyOf) {
        if (m_rest.empty() || anyOf.find(m_rest.front()) == std::string_view::npos)
            return false;
        m_rest.remove_prefix(1);
        return true;
    }
    std::string_view rest() const { return m_rest; }
    bool atEnd() const { return m_rest.empty(); }

  private:
    std::string_view m_rest;
};

// Seconds east of UTC; false when there is no zone.
bool parseZone(Fields& fields, int& offsetSeconds) {
    offsetSeconds = 0;
    if (fields.skip("Zz"))
        return fields.atEnd();
    if (fields.rest() == "UTC" || fields.rest() == " UTC")
        return true;
    const int sign = fields.rest().substr(0, 1) == "-" ? -1 : 1;
    int hours = 0;
    int minutes = 0;
    if (!fields.skip("+-") || !fields.number(2, hours))
        return false;
    if (!fields.atEnd()) {
        fields.skip(":");
        if (!fields.number(2, minutes))
            return false;
    }
    if (hours > 15 || minutes > 59)
        return false;
    offsetSeconds = sign * (hours * 3600 + minutes * 60);
    return fields.atEnd();
}

} // namespace

std::optional<Timestamp> Timestamp::parseIso(std::string_view text) {
    Fields fields(text);
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, offset = 0;
    if (!fields.number(4, year) || !fields.skip("-") || !fields.number(2, month) || !fields.skip("-") ||
        !fields.number(2, day) || !fields.skip("Tt ") || !fields.number(2, hour) || !fields.skip(":") ||
        !fields.number(2, minute))
        return std::nullopt;
    std::int64_t fraction = 0;
    if (fields.skip(":")) {
        if (!fields.number(2, second))
            return std::nullopt;
        if (fields.skip(".,")) {
            std::int64_t unit = 100'000;
            int digit = 0;
            bool any = false;
            while (fields.number(1, digit)) {
                fraction += digit * unit;
                unit /= 10;
                any = true;
            }
            if (!any)
                return std::nullopt;
        }
    }
    using namespace std::chrono;
    const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                              std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60 || !parseZone(fields, offset))
        return std::nullopt;
    const std::int64_t days = sys_days(date).time_since_epoch().count();
    const std::int64_t seconds = days * 86'400 + hour * 3600 + minute * 60 + second - offset;
    return Timestamp{seconds * 1'000'000 + fraction};
}

Timestamp SystemClock::now() const {
    using namespace std::chrono;
    return {duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

} // namespace arbor
