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
Status checkCatalogName(std::string_view what, std::string_view name);

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
