#include "storage/base/units.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <optional>

namespace arbor {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t factor;
};

constexpr std::int64_t second = 1'000'000;
constexpr std::array timeUnits{Unit{"us", 1},
                               Unit{"ms", 1'000},
                               Unit{"s", second},
                               Unit{"sec", second},
                               Unit{"secs", second},
                               Unit{"second", second},
                               Unit{"seconds", second},
                               Unit{"m", 60 * second},
                               Unit{"min", 60 * second},
                               Unit{"mins", 60 * second},
                               Unit{"minute", 60 * second},
                               Unit{"minutes", 60 * second},
                               Unit{"h", 3600 * second},
                               Unit{"hr", 3600 * second},
                               Unit{"hour", 3600 * second},
                               Unit{"hours", 3600 * second},
                               Unit{"d", 86'400 * second},
                               Unit{"day", 86'400 * second},
                               Unit{"days", 86'400 * second},
                               Unit{"w", 604'800 * second},
                               Unit{"week", 604'800 * second},
                               Unit{"weeks", 604'800 * second}};

constexpr std::int64_t kilo = 1024;
constexpr std::array sizeUnits{
    Unit{"b", 1},
    Unit{"k", kilo},
    Unit{"kb", kilo},
    Unit{"kib", kilo},
    Unit{"m", kilo* kilo},
    Unit{"mb", kilo* kilo},
    Unit{"mib", kilo* kilo},
    Unit{"g", kilo* kilo* kilo},
    Unit{"gb", kilo* kilo* kilo},
    Unit{"gib", kilo* kilo* kilo},
    Unit{"t", kilo* kilo* kilo* kilo},
    Unit{"tb", kilo* kilo* kilo* kilo},
    Unit{"tib", kilo* kilo* kilo* kilo},
};

bool isDigit(char c) {
    return c >= '0' && c <= '9';
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

template <std::size_t N>
std::optional<std::int64_t> factorOf(const std::array<Unit, N>& units, std::string_view name) {
    for (const Unit& unit : units)
        if (unit.name == name)
            return unit.factor;
    return std::nullopt;
}

// Takes a decimal number off the front; nothing when there is none, or more digits than a size can have.
std::optional<long double> takeNumber(std::string_view& text, bool fraction) {
    std::size_t length = 0;
    while (length < text.size() && (isDigit(text[length]) || (fraction && length > 0 && text[length] == '.')))
        fraction &= text[length++] != '.';
    if (length == 0 || length > 19 || text[length - 1] == '.')
        return std::nullopt;
    const long double number = std::strtold(std::string(text.substr(0, length)).c_str(), nullptr);
    text.remove_prefix(length);
    return number;
}

std::string_view takeWord(std::string_view& text) {
    std::size_t length = 0;
    while (length < text.size() && std::isalpha(static_cast<unsigned char>(text[length])))
        ++length;
    const std::string_view word = text.substr(0, length);
    text.remove_prefix(length);
    return word;
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && text.front() == ' ')
        text.remove_prefix(1);
    return text;
}

constexpr long double mostMicros = 9.2e18L;
constexpr long double mostBytes = 9.2e18L; // what JSON's integers and our counters share

} // namespace

std::string inQuotes(std::string_view text) {
    constexpr std::size_t most = 80;
    std::string result = "\"";
    for (const char c : text.substr(0, most)) {
        if (c == '"' || c == '\\')
            result += {'\\', c};
        else if (c >= ' ' && c <= '~')
            result += c;
        else
            result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
    result += '"';
    if (text.size() > most)
        result += fmt::format("... ({} bytes)", text.size());
    return result;
}

Result<Duration> parseDuration(std::string_view text) {
    const auto bad = [&] {
        return makeError(ErrorKind::InvalidArgument,
                         "{} is not a length of time; write 90s, 10min, 12h, 7d or 2w", inQuotes(text));
    };
    if (text == "0")
        return Duration{};
    std::string_view rest = text;
    long double micros = 0;
    do {
        const auto number = takeNumber(rest, false);
        rest = trimmed(rest);
        const auto factor = factorOf(timeUnits, lower(takeWord(rest)));
        rest = trimmed(rest);
        if (!number || !factor)
            return bad();
        micros += *number * static_cast<long double>(*factor);
    } while (!rest.empty());
    if (micros > mostMicros)
        return bad();
    return Duration{static_cast<std::int64_t>(micros)};
}

std::string durationText(Duration duration) {
    if (duration.micros == 0)
        return "0";
    for (const Unit& unit : {Unit{"d", 86'400 * second}, Unit{"h", 3600 * second}, Unit{"min", 60 * second},
                             Unit{"s", second}, Unit{"ms", 1'000}})
        if (duration.micros % unit.factor == 0)
            return fmt::format("{}{}", duration.micros / unit.factor, unit.name);
    return fmt::format("{}us", duration.micros);
}

Result<std::uint64_t> parseSize(std::string_view text) {
    const auto bad = [&] {
        return makeError(ErrorKind::InvalidArgument, "{} is not a size; write 512MB, 20GB or 0",
                         inQuotes(text));
    };
    if (text == "0")
        return std::uint64_t{0};
    std::string_view rest = text;
    const auto number = takeNumber(rest, true);
    rest = trimmed(rest);
    const auto factor = factorOf(sizeUnits, lower(takeWord(rest)));
    if (!number || !factor || !rest.empty())
        return bad();
    const long double bytes = *number * static_cast<long double>(*factor);
    if (bytes > mostBytes)
        return bad();
    return static_cast<std::uint64_t>(std::floor(bytes));
}

std::string sizeText(std::uint64_t bytes) {
    if (bytes == 0)
        return "0";
    for (const auto& [name, shift] :
         {std::pair{"TB", 40}, std::pair{"GB", 30}, std::pair{"MB", 20}, std::pair{"kB", 10}})
        if (bytes % (std::uint64_t{1} << shift) == 0)
            return fmt::format("{}{}", bytes >> shift, name);
    return fmt::format("{}B", bytes);
}

std::string roundedSize(std::uint64_t bytes) {
    constexpr std::array units{"B", "kB", "MB", "GB", "TB"};
    auto number = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; number >= 1024 && unit + 1 < units.size(); ++unit)
        number /= 1024;
    return unit == 0 || number >= 99.95 ? fmt::format("{:.0f} {}", number, units[unit])
                                        : fmt::format("{:.1f} {}", number, units[unit]);
}

} // namespace arbor
