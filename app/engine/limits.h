// How near the disk or the limit is to full, and what would help: for people, monitoring and the plot.
#pragma once

#include "app/engine/reclaim.h"

#include <optional>
#include <string>
#include <vector>

namespace arbor {

struct LimitState {
    enum class Level { Fine, Near, Passed };
    Level level = Level::Fine;
    std::string text; // a sentence; "" when all is fine
};
// By the samples of the last day, whatever else is looked at; no rate before there is an hour of them.
Forecast presentForecast(Service& service);

// What the disk itself has left, where that is little. Costs one question to the file system.
std::optional<std::uint64_t> fewBytesLeft(Service& service);
// Near: nine tenths of disk-limit are used, or at the rate of the last day it is full within a day.
LimitState limitState(Service& service, const Collector::Accounts& accounts);

struct Remedy {
    std::string what; // as gc.plan's `without`, or "history"
    std::string text; // "empty the trash (1.2 GB)"
    std::uint64_t bytes = 0;
};
// The two removals that alone would give back most; fewer when there are none.
std::vector<Remedy> remedies(Service& service, const Collector::Accounts& accounts);

} // namespace arbor
