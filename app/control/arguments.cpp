#include "app/control/arguments.h"

#include "storage/base/units.h"

#include <algorithm>
#include <array>

namespace arbor {

namespace {

constexpr std::size_t longestName = 63;

bool isLetterOrDigit(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Status badName(std::string_view what, std::string_view name, std::string_view why) {
    return makeError(ErrorKind::InvalidArgument,
                     "{} cannot be the name of a {}: {} (1 to 63 letters, digits, - _ . and /, the first a "
                     "letter or digit)",
                     inQuotes(name), what, why);
}

} // namespace

Status checkName(std::string_view what, std::string_view name) {
    if (name.empty())
        return badName(what, name, "it is empty");
    if (name.size() > longestName)
        return badName(what, name, fmt::format("it has {} bytes", name.size()));
    if (!isLetterOrDigit(name.front()))
        return badName(what, name, "it does not begin with a letter or digit");
    const auto allowed = [](char c) {
        return isLetterOrDigit(c) || std::string_view("-_./").find(c) != std::string_view::npos;
    };
    if (!std::all_of(name.begin(), name.end(), allowed))
        return badName(what, name, "it holds other characters");
    for (std::size_t start = 0; start <= name.size();) {
        const std::size_t end = std::min(name.find('/', start), name.size());
        const std::string_view part = name.substr(start, end - start);
        if (part.empty() || part == "." || part == "..")
            return badName(what, name, "a part between slashes is empty, . or ..");
        start = end + 1;
    }
    return {};
}

Status checkSettingKey(std::string_view key) {
    if (std::find(std::begin(settingKeys), std::end(settingKeys), key) != std::end(settingKeys))
        return {};
    return makeError(ErrorKind::InvalidArgument,
                     "there is no setting {}; there are history-time, history-bytes, trash-time, disk-limit "
                     "and idle-suspend",
                     inQuotes(key));
}

Status checkSetting(std::string_view key, std::string_view value) {
    ARBOR_TRY(checkSettingKey(key));
    if (key == "history-bytes" || key == "disk-limit") {
        ARBOR_TRY(parseSize(value));
    } else {
        ARBOR_TRY(parseDuration(value));
    }
    return {};
}

Status checkRule(std::string_view rule) {
    if (std::find(std::begin(ruleNames), std::end(ruleNames), rule) != std::end(ruleNames))
        return {};
    return makeError(ErrorKind::InvalidArgument, "there is no rule {}; there are {}", inQuotes(rule),
                     fmt::join(ruleNames, ", "));
}

Status checkWithout(std::string_view pin) {
    if (pin == "trash")
        return {};
    if (pin.starts_with("branch:"))
        return checkName("branch", pin.substr(7));
    const std::size_t at = pin.find('@');
    if (!pin.starts_with("checkpoint:") || at == std::string_view::npos)
        return makeError(ErrorKind::InvalidArgument,
                         "{} is no pin; write branch:NAME, checkpoint:NAME@BRANCH or trash", inQuotes(pin));
    ARBOR_TRY(checkName("checkpoint", pin.substr(11, at - 11)));
    return checkName("branch", pin.substr(at + 1));
}

Status checkInitdbOptions(const std::vector<std::string>& options) {
    constexpr std::string_view shortRefused = "DXU";
    constexpr std::string_view shortWithValue = "ADELTUXcg";
    // --user and --wald are as good as the whole word to getopt_long.
    constexpr std::array<std::string_view, 4> longRefused{"--pgdata", "--waldir", "--username",
                                                          "--wal-segsize"};
    const auto refuse = [](std::string_view option) {
        return makeError(
            ErrorKind::InvalidArgument,
            "initdb option {} is not taken: data directory, WAL directory, superuser and segment size are "
            "the store's",
            inQuotes(option));
    };
    bool isValue = false;
    for (const std::string& option : options) {
        if (std::exchange(isValue, false))
            continue;
        if (!option.starts_with('-') || option.size() < 2)
            return refuse(option); // a bare word would be the data directory
        if (option.starts_with("--")) {
            const std::string_view word = std::string_view(option).substr(0, option.find('='));
            for (const std::string_view refused : longRefused)
                if (word.size() > 2 && refused.starts_with(word))
                    return refuse(option);
            // `--encoding UTF8`: the value may stand alone.
            constexpr std::array<std::string_view, 13> withValue{
                "--auth",       "--auth-host",          "--auth-local",  "--encoding",    "--locale",
                "--lc-collate", "--lc-ctype",           "--lc-messages", "--lc-monetary", "--lc-numeric",
                "--lc-time",    "--text-search-config", "--pwfile"};
            constexpr std::array<std::string_view, 5> laterWithValue{"--set", "--icu-locale", "--icu-rules",
                                                                     "--locale-provider", "--builtin-locale"};
            isValue = option.find('=') == std::string::npos &&
                      (std::find(withValue.begin(), withValue.end(), word) != withValue.end() ||
                       std::find(laterWithValue.begin(), laterWithValue.end(), word) != laterWithValue.end());
            continue;
        }
        for (std::size_t i = 1; i < option.size(); ++i) {
            if (shortRefused.find(option[i]) != std::string_view::npos)
                return refuse(option);
            if (shortWithValue.find(option[i]) != std::string_view::npos) {
                isValue = i + 1 == option.size();
                break;
            }
        }
    }
    return {};
}

} // namespace arbor
