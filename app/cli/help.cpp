#include "app/cli/help.h"

#include <algorithm>

namespace arbor {

namespace {

constexpr std::string_view introduction = "pgarborctl - branches of a PostgreSQL database, like Git's";
constexpr std::string_view positions =
    "POS is head, 0/16B3748, an ISO 8601 time with zone (also as Postgres prints it, with a space), -10min,\n"
    "checkpoint:NAME or xid:N.";
constexpr std::string_view exitCodes =
    "Exit codes: 0 done, 1 failed, 2 usage, 3 not found, 4 refused by a rule, 5 engine "
    "unreachable,\n6 a check found a limit passed.";
constexpr std::string_view defaultStoreText =
    "The store is --store DIR, else $PGARBOR_STORE, else $XDG_DATA_HOME/pgarbor (~/.local/share/pgarbor).";

std::string optionHead(const OptionSpec& option) {
    std::string head = "--" + std::string(option.name);
    if (!option.value.empty())
        head += " " + std::string(option.value);
    if (option.many)
        head += " ...";
    return head;
}

std::string rows(const std::vector<std::pair<std::string, std::string>>& pairs) {
    std::size_t width = 0;
    for (const auto& [left, right] : pairs)
        width = std::max(width, left.size());
    std::string text;
    for (const auto& [left, right] : pairs)
        text += fmt::format("  {:<{}}  {}\n", left, width, right);
    return text;
}

std::string optionRows(const std::vector<OptionSpec>& options) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const OptionSpec& option : options)
        pairs.emplace_back(optionHead(option), std::string(option.summary));
    return rows(pairs);
}

std::string commandRows(std::string_view group) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const Command& command : allCommands())
        if (group.empty() || command.name.starts_with(std::string(group) + " "))
            pairs.emplace_back(std::string(command.name), std::string(command.summary));
    return rows(pairs);
}

// Text between troff macros: a backslash, a leading dot or quote would be taken for markup, a hyphen for a
// dash.
std::string troff(std::string_view text) {
    std::string result;
    bool lineStart = true;
    for (const char c : text) {
        if (lineStart && c == '.')
            result += "\\&";
        if (c == '\\')
            result += "\\e";
        else if (c == '-')
            result += "\\-";
        else if (c == '\'')
            result += "\\(aq"; // else it becomes a curved one, which no shell knows
        else
            result += c;
        lineStart = c == '\n';
    }
    return result;
}

} // namespace

std::string synopsis(const Command& command) {
    std::string text = "pgarborctl " + std::string(command.name);
    for (const PositionalSpec& positional : command.positionals)
        text += fmt::format(fmt::runtime(positional.required ? " {}{}" : " [{}{}]"), positional.name,
                            positional.many ? "..." : "");
    for (const OptionSpec& option : command.options)
        text += fmt::format(fmt::runtime(option.required ? " {}" : " [{}]"), optionHead(option));
    if (!command.rest.empty())
        text += fmt::format(" [-- {}...]", command.rest);
    return text;
}

std::string helpOfAll() {
    return fmt::format(
        "{}\n\nUsage: pgarborctl [--store DIR] [--json] COMMAND ...\n\nCommands:\n{}\nOptions of every "
        "command:\n{}\n{}\n{}\n{}\n",
        introduction, commandRows({}), optionRows(globalOptions()), defaultStoreText, positions, exitCodes);
}

std::string helpOfGroup(std::string_view group) {
    return fmt::format("Usage: pgarborctl {} COMMAND ...\n\nCommands:\n{}\nOptions of every command:\n{}",
                       group, commandRows(group), optionRows(globalOptions()));
}

std::string helpOf(const Command& command) {
    std::string text = fmt::format("Usage: {}\n\n{}\n", synopsis(command), command.summary);
    if (!command.details.empty())
        text += fmt::format("\n{}\n", command.details);
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const PositionalSpec& positional : command.positionals)
        pairs.emplace_back(std::string(positional.name), std::string(positional.summary));
    if (!pairs.empty())
        text += "\nArguments:\n" + rows(pairs);
    if (!command.options.empty())
        text += "\nOptions:\n" + optionRows(command.options);
    text += "\nOptions of every command:\n" + optionRows(globalOptions());
    const bool takesPosition = std::any_of(command.options.begin(), command.options.end(),
                                           [](const OptionSpec& o) { return o.kind == ValueKind::Position; });
    if (takesPosition)
        text += fmt::format("\n{}\n", positions);
    return text;
}

namespace {

// Commands as they are typed, one a line. test_readme runs them all, in this order, on an empty store.
struct Example {
    std::string_view what;
    std::string_view commands;
};

constexpr Example examples[] = {
    {"Make a store, and a branch with a server of its own to try something on:",
     R"--(pgarborctl init
pgarborctl psql main -- -c 'CREATE TABLE t AS SELECT generate_series(1, 1000) n'
pgarborctl branch create try --from main --start
pgarborctl psql try -- -c 'DELETE FROM t'
)--"},
    {"Look at the past, and go back to it; what stood there goes to the trash:",
     R"--(pgarborctl checkpoint create good --branch main
pgarborctl psql main -- -c 'DROP TABLE t'
pgarborctl psql main --at checkpoint:good -- -c 'SELECT count(*) FROM t'
pgarborctl branch restore main --at checkpoint:good
pgarborctl psql main -- -c 'SELECT count(*) FROM t'
)--"},
    {"A branch for one job, that goes by itself after a day:",
     R"--(pgarborctl branch create job/1 --from main --expires 1d --start
psql "$(pgarborctl url job/1)" -c 'SELECT count(*) FROM t'
env $(pgarborctl env job/1) psql -c 'SELECT count(*) FROM t'
)--"},
    {"See what deleting a branch would free, and free it:",
     R"--(pgarborctl gc plan --without branch:try
pgarborctl branch delete try
pgarborctl gc run
)--"},
};

} // namespace

std::string manualPage(std::string_view version) {
    std::string page =
        fmt::format(".TH PGARBORCTL 1 \"\" \"PgArbor {}\" \"User Commands\"\n.SH NAME\n{}\n.SH SYNOPSIS\n.B "
                    "pgarborctl\n[\\-\\-store DIR] [\\-\\-json] COMMAND ...\n",
                    version, "pgarborctl \\- branches of a PostgreSQL database, like Git's");
    page += ".SH DESCRIPTION\n" + troff(defaultStoreText) + "\n.PP\n" + troff(positions) + "\n.SH OPTIONS\n";
    const auto options = [&](const std::vector<OptionSpec>& list) {
        for (const OptionSpec& option : list)
            page += fmt::format(".TP\n.B {}\n{}\n", troff(optionHead(option)), troff(option.summary));
    };
    options(globalOptions());
    page += ".SH COMMANDS\n";
    for (const Command& command : allCommands()) {
        page += fmt::format(".SS \"{}\"\n.B {}\n.PP\n{}.\n", troff(command.name), troff(synopsis(command)),
                            troff(command.summary));
        if (!command.details.empty())
            page += ".PP\n" + troff(command.details) + "\n";
        options(command.options);
    }
    page += ".SH EXAMPLES\n";
    for (const Example& example : examples)
        page +=
            fmt::format(".PP\n{}\n.PP\n.nf\n.RS\n{}.RE\n.fi\n", troff(example.what), troff(example.commands));
    page += ".SH EXIT STATUS\n" + troff(exitCodes) +
            "\n.SH ENVIRONMENT\n.TP\n.B PGARBOR_STORE\nthe store to work on\n"
            ".TP\n.B PGARBOR_ENGINE\nthe engine to start\n.TP\n.B NO_COLOR\nset: no colours on a terminal\n";
    return page;
}

} // namespace arbor
