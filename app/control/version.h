// The version of the programs.
#pragma once

namespace arbor {

// Semantic, with the commit as build metadata: "0.1.0+g8a38e3e", "0.1.0+g8a38e3e.dirty" when the sources had
// been changed since, "0.1.0" when built outside of a repository. The same for every program of one build.
extern const char* const programVersion;

} // namespace arbor
