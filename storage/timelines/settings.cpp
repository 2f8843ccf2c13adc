#include "storage/timelines/settings.h"

#include "storage/base/units.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <string>

namespace arbor {

namespace {

constexpr std::array storeRules{
    SettingRule{"history-time", SettingKind::Duration, "7d",
                "how far back any point may be forked; 0 keeps no history"},
    SettingRule{"history-bytes", SettingKind::Size, "20GB",
                "how many bytes of a branch's history are kept at most"},
    SettingRule{"trash-time", SettingKind::Duration, "7d", "how long the trash keeps what was thrown away"},
    SettingRule{"disk-limit", SettingKind::Size, "0",
                "bytes on disk at which the store takes no writes; 0 is no limit"},
    SettingRule{"idle-suspend", SettingKind::Duration, "0",
                "idle time after which a server is stopped; 0 is never"},
    SettingRule{"postgres-bin", SettingKind::Directories, "",
                "further directories with PostgreSQL programs, with ':' between"},
};

constexpr std::array branchRules{
    // the rules of app/postgres that keep a fork from acting on the outside, each lifted by "on"
    SettingRule{"archiving", SettingKind::Switch, "off", "let a fork archive its log"},
    SettingRule{"primary-connection", SettingKind::Switch, "off", "let a fork follow its parent's primary"},
    SettingRule{"synchronous-standbys", SettingKind::Switch, "off", "let a fork's commits wait for standbys"},
    SettingRule{"logical-workers", SettingKind::Switch, "off", "let a fork's subscriptions run"},
    SettingRule{"walsenders", SettingKind::Switch, "off", "let a fork send its log"},
    SettingRule{"replication-slots", SettingKind::Switch, "off", "let a fork keep its parent's slots"},
    SettingRule{"scheduled-jobs", SettingKind::Switch, "off", "let a fork run jobs on a schedule"},
    SettingRule{"idle-suspend", SettingKind::Duration, "",
                "idle time after which its server is stopped, if not the store's"},
};

bool allowedInName(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Status checkDirectories(std::string_view value) {
    while (!value.empty()) {
        const auto colon = value.find(':');
        const std::string_view part = value.substr(0, colon);
        if (part.empty() || part.front() != '/' || part.find('\0') != part.npos ||
            part.find('\n') != part.npos)
            return makeError(ErrorKind::InvalidArgument,
                             "\"{}\" is no absolute directory; give absolute directories with ':' between",
                             part);
        value = colon == value.npos ? std::string_view{} : value.substr(colon + 1);
    }
    return {};
}

Status checkValue(const SettingRule& rule, std::string_view value) {
    switch (rule.kind) {
    case SettingKind::Duration:
        ARBOR_TRY(parseDuration(value));
        return {};
    case SettingKind::Size:
        ARBOR_TRY(parseSize(value));
        return {};
    case SettingKind::Switch:
        if (value != "on" && value != "off")
            return makeError(ErrorKind::InvalidArgument, "{} is \"on\" or \"off\", not \"{}\"", rule.key,
                             value);
        return {};
    case SettingKind::Directories:
        return checkDirectories(value);
    }
    return {};
}

Status checkSetting(std::string_view whose, std::span<const SettingRule> rules, std::string_view key,
                    std::string_view value) {
    std::string known;
    for (const SettingRule& rule : rules) {
        if (rule.key == key) {
            if (auto status = checkValue(rule, value); !status)
                return std::move(status).error().during(key);
            return {};
        }
        known += known.empty() ? "" : ", ";
        known += rule.key;
    }
    return makeError(ErrorKind::NotFound, "a {} has no setting \"{}\"; there are {}", whose, key, known);
}

} // namespace

Status checkCatalogName(std::string_view what, std::string_view name) {
    const auto wrong = [&](std::string_view rule) {
        return makeError(ErrorKind::InvalidArgument, "\"{}\" cannot be the name of a {}: {}", name, what,
                         rule);
    };
    if (name.empty() || name.size() > 63)
        return wrong("a name has 1 to 63 characters");
    for (const char c : name)
        if (!allowedInName(c) && std::string_view("-_./").find(c) == std::string_view::npos)
            return wrong("it may hold letters, digits and the characters - _ . / only");
    if (!allowedInName(name.front()))
        return wrong("it must begin with a letter or a digit");
    for (std::size_t at = 0; at <= name.size();) {
        const auto slash = std::min(name.find('/', at), name.size());
        const std::string_view part = name.substr(at, slash - at);
        if (part.empty() || part == "." || part == "..")
            return wrong("a part between slashes must not be empty, \".\" or \"..\"");
        at = slash + 1;
    }
    return {};
}

std::span<const SettingRule> storeSettings() {
    return storeRules;
}
std::span<const SettingRule> branchSettings() {
    return branchRules;
}
Status checkStoreSetting(std::string_view key, std::string_view value) {
    return checkSetting("store", storeRules, key, value);
}
Status checkBranchSetting(std::string_view key, std::string_view value) {
    return checkSetting("branch", branchRules, key, value);
}

} // namespace arbor
