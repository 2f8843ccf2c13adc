// Runs one of PostgreSQL's programs (pg_basebackup, pg_restore, psql ...) to its end, for code that may
// block.
#pragma once

#include "storage/base/status.h"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace arbor {

struct ProgramRun {
    std::string program = {}; // path
    std::vector<std::string> arguments = {};
    std::vector<std::pair<std::string, std::string>> environment = {}; // beside serverEnvironment()
    std::string outputFile = {}; // standard output goes there; "": it is read like standard error
    std::function<void(std::string_view line)> onLine = [](std::string_view) {};
    // Standard input: asked for the next piece until it answers an empty one; none when not set.
    std::function<Result<std::string>()> input = {};
    std::function<bool()> cancelled = [] { return false; }; // asked several times a second
};

// The exit code. Cancelled when `cancelled` said so: the program and what it started have been ended then. Io
// when it could not be started or was killed.
Result<int> runProgram(const ProgramRun& run);

} // namespace arbor
