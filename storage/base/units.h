// Lengths of time and sizes as people write them: "7d", "1h30min", "20GB". Shared by the command line (which
// checks the form before anything is sent) and the engine (which means it).
#pragma once

#include "storage/base/status.h"
#include "storage/base/time.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace arbor {

// "text" in quotes for a message: control and non-ASCII bytes escaped, shortened past 80 bytes.
std::string inQuotes(std::string_view text);

// One or more of NUMBER UNIT with the units us ms s sec min m h d w and their long forms, or "0". Not
// negative.
Result<Duration> parseDuration(std::string_view text);
// The shortest form in one unit that parses back to the same: "7d", "36h", "90s", "0".
std::string durationText(Duration duration);

// NUMBER UNIT with B, kB, MB, GB, TB in powers of 1024 as Postgres counts (case does not matter, KiB and K
// are taken too, a fraction may stand in the number), or "0".
Result<std::uint64_t> parseSize(std::string_view text);
// The shortest exact form: "20GB", "1536MB", "0".
std::string sizeText(std::uint64_t bytes);
// For a sentence: "1.2 GB", "340 MB".
std::string roundedSize(std::uint64_t bytes);

} // namespace arbor
