// A command of pgarborctl as data. Parsing, --help, the manual page and the shells' completion are all made
// from it, so that none of them can forget an option.
#pragma once

#include "storage/base/status.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace arbor {

class Session;

// What a value must look like. Checked before anything is sent; also says what shells complete.
enum class ValueKind {
    Flag, // an option without value
    Text, // anything but nothing
    Branch,
    Checkpoint,
    Position,
    Duration,
    DurationOrNever,
    Directory,
    File,
    Number,
    Pin, // branch:NAME or checkpoint:NAME@BRANCH
    SettingKey,
    Rule,  // what a fork may be allowed
    Shell, // bash, zsh or fish
};

struct OptionSpec {
    std::string_view name;  // without its dashes
    std::string_view value; // "POS" in help; empty for a flag
    ValueKind kind = ValueKind::Flag;
    std::string_view summary;
    bool required = false;
    bool many = false; // may be given several times, and with several values
};

struct PositionalSpec {
    std::string_view name; // "NAME"
    ValueKind kind = ValueKind::Text;
    std::string_view summary;
    bool required = true;
    bool many = false; // takes all words that are left: the last one
};

// What was typed, after it has passed the checks of the specs.
class Invocation {
  public:
    std::map<std::string, std::vector<std::string>, std::less<>> values; // by option or positional name
    std::vector<std::string> rest;                                       // behind --

    bool has(std::string_view name) const { return values.find(name) != values.end(); }
    // Empty when it was not given.
    std::string value(std::string_view name) const {
        const auto found = values.find(name);
        return found == values.end() || found->second.empty() ? std::string() : found->second.front();
    }
};

struct Command {
    std::string_view name; // "branch create"
    std::string_view summary;
    std::vector<OptionSpec> options;
    std::vector<PositionalSpec> positionals;
    std::string_view rest; // what may follow --, for help: "PSQL-ARGS"; empty: nothing
    // The exit code, or an error that decides it.
    Result<int> (*run)(const Invocation&, Session&);
    std::string_view details = {}; // a paragraph for --help and the manual page
};

// Options of every command, before or behind its name.
inline const std::vector<OptionSpec>& globalOptions() {
    static const std::vector<OptionSpec> options{
        {"store", "DIR", ValueKind::Directory, "the store to work on"},
        {"json", "", ValueKind::Flag, "print one JSON document; errors are JSON on standard error"},
        {"help", "", ValueKind::Flag, "explain the command"},
        {"version", "", ValueKind::Flag, "print the version"},
    };
    return options;
}

// All commands in the order of the help text. Each lives in a file under commands/, one a first word.
const std::vector<Command>& allCommands();
const Command* findCommand(std::string_view name);
// Whether some command is "WORD ...".
bool isCommandGroup(std::string_view word);

} // namespace arbor
