// Rules for what people type, the same for the client (before anything is sent) and the engine (which trusts
// nobody).
#pragma once

#include "storage/base/status.h"
#include "storage/base/units.h"

#include <string>
#include <string_view>
#include <vector>

namespace arbor {

// A name of a branch or checkpoint: 1 to 63 characters of letters, digits and -_./, beginning with a letter
// or digit, with no empty part, "." or ".." between slashes. `what` is "branch" or "checkpoint".
Status checkName(std::string_view what, std::string_view name);

// A setting's key is known and its value has the right form ("7d", "20GB", "0").
Status checkSetting(std::string_view key, std::string_view value);
Status checkSettingKey(std::string_view key);
inline constexpr const char* settingKeys[] = {"history-time", "history-bytes", "trash-time", "disk-limit",
                                              "idle-suspend"};

// A rule that keeps a fork from acting on the world outside has this name (OutsideRule of app/postgres).
Status checkRule(std::string_view rule);
inline constexpr const char* ruleNames[] = {"archiving",       "primary-connection", "synchronous-standbys",
                                            "logical-workers", "walsenders",         "replication-slots",
                                            "scheduled-jobs"};

// An element of gc plan's `without`: "branch:NAME", or "checkpoint:NAME@BRANCH".
Status checkWithout(std::string_view pin);

// initdb's -D, -X, -U and --wal-segsize are ours, in every spelling that getopt_long takes.
Status checkInitdbOptions(const std::vector<std::string>& options);

} // namespace arbor
