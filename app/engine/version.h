// The version of the programs.
#pragma once

namespace arbor {

inline constexpr const char* programVersion = "0.1.0";

} // namespace arbor
