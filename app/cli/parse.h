// From the words of the command line to a command and its checked values.
#pragma once

#include "app/cli/command.h"

#include <string>
#include <vector>

namespace arbor {

struct ParsedLine {
    const Command* command = nullptr; // null when only --help or --version was asked for
    std::string group;                // "branch" in `branch --help`
    Invocation invocation;
    std::string store; // as typed; empty when not given
    bool json = false;
    bool help = false;
    bool version = false;
};

// InvalidArgument with a sentence when the line breaks the synopsis, or a value its form. `json` of the
// result is lost with an error: ask wantsJson().
Result<ParsedLine> parseLine(const std::vector<std::string>& words);
// --json stands somewhere before "--", whatever else is wrong.
bool wantsJson(const std::vector<std::string>& words);

} // namespace arbor
