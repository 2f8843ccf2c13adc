// Rules for what people type: names, lengths of time, sizes, and the settings of a store and of a branch.
#pragma once

#include "storage/base/status.h"
#include "storage/base/time.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace arbor {

// 1 to 63 characters of ASCII letters, digits and "-_./", beginning with a letter or digit, with no empty
// part, "." or ".." between slashes. `what` ("branch", "checkpoint") stands in the message.
Status checkName(std::string_view what, std::string_view name);

// A whole number with one of s, m, h, d, w: "90s", "7d". "0" needs no unit. At most 1000 years.
Result<Duration> parseDuration(std::string_view text);
// A whole number with one of B, kB, MB, GB, TB (steps of 1024; upper or lower case): "20GB". "0" needs no
// unit.
Result<std::uint64_t> parseSize(std::string_view text);

enum class SettingKind { Duration, Size, Switch, Directories };

struct SettingRule {
    std::string_view key;
    SettingKind kind;
    std::string_view standard; // its value until somebody sets another
    std::string_view meaning;  // one line for people
};
std::span<const SettingRule> storeSettings();
std::span<const SettingRule> branchSettings();

// Whether a value may be given to a key; NotFound for an unknown key, naming those that there are.
Status checkStoreSetting(std::string_view key, std::string_view value);
Status checkBranchSetting(std::string_view key, std::string_view value);

} // namespace arbor
