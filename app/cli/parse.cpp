#include "app/cli/parse.h"

#include "app/cli/help.h"
#include "app/control/arguments.h"
#include "app/control/position_spec.h"
#include "storage/base/units.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>

namespace arbor {

namespace {

Status checkNumber(std::string_view text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size() || number > (std::uint64_t{1} << 53))
        return makeError(ErrorKind::InvalidArgument, "{} is not a number", inQuotes(text));
    return {};
}

Status checkValue(std::string_view name, ValueKind kind, const std::string& value) {
    switch (kind) {
    case ValueKind::Flag:
        return {};
    case ValueKind::Text:
    case ValueKind::Directory:
    case ValueKind::File:
        if (value.empty())
            return makeError(ErrorKind::InvalidArgument, "{} is empty", name);
        if (value.size() > 4096)
            return makeError(ErrorKind::InvalidArgument, "{} has {} bytes, more than 4096", name,
                             value.size());
        return {};
    case ValueKind::Branch:
        return checkName("branch", value);
    case ValueKind::Checkpoint:
        return checkName("checkpoint", value);
    case ValueKind::Position:
        ARBOR_TRY(PositionSpec::parse(value));
        return {};
    case ValueKind::DurationOrNever:
        if (value == "never")
            return {};
        [[fallthrough]];
    case ValueKind::Duration:
        ARBOR_TRY(parseDuration(value));
        return {};
    case ValueKind::Number:
        return checkNumber(value);
    case ValueKind::Pin:
        return checkWithout(value);
    case ValueKind::SettingKey:
        return checkSettingKey(value);
    case ValueKind::Rule:
        return checkRule(value);
    case ValueKind::Shell:
        if (value != "bash" && value != "zsh" && value != "fish")
            return makeError(ErrorKind::InvalidArgument, "{} is no shell that is known: bash, zsh or fish",
                             inQuotes(value));
        return {};
    }
    return {};
}

// Takes the command's one or two words out of `words`; options may stand before and between them. CLI11's own
// subcommands are not used: with options allowed behind the command, they take a branch named `stats` for a
// command.
Result<ParsedLine> takeCommand(std::vector<std::string>& words) {
    ParsedLine line;
    for (std::size_t i = 0; i < words.size();) {
        const std::string& word = words[i];
        if (word == "--store")
            i += 2;
        else if (word.starts_with('-') && word.size() > 1)
            ++i;
        else {
            const std::string name = line.group.empty() ? word : line.group + " " + word;
            line.command = findCommand(name);
            if (!line.command && (!line.group.empty() || !isCommandGroup(word)))
                return makeError(ErrorKind::InvalidArgument,
                                 "there is no command {}; pgarborctl --help lists them", inQuotes(name));
            words.erase(words.begin() + static_cast<std::ptrdiff_t>(i));
            if (line.command)
                return line;
            line.group = name;
        }
    }
    return line;
}

// What CLI11 fills in, by option.
struct Slots {
    std::map<std::string, std::vector<std::string>, std::less<>> values;
    std::map<std::string, bool, std::less<>> flags;
};

Status runCli11(const std::vector<OptionSpec>& options, std::vector<std::string> words, Slots& slots,
                std::vector<std::string>& bare) {
    CLI::App app;
    app.set_help_flag();
    app.allow_extras();
    for (const OptionSpec& option : options) {
        const std::string name = "--" + std::string(option.name) + (option.name == "help" ? ",-h" : "");
        if (option.kind == ValueKind::Flag) {
            app.add_flag(name, slots.flags[std::string(option.name)]);
            continue;
        }
        app.add_option(name, slots.values[std::string(option.name)])
            ->expected(1)
            ->allow_extra_args(false)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }
    try {
        std::reverse(words.begin(), words.end());
        app.parse(std::move(words));
    } catch (const CLI::ParseError& error) {
        return makeError(ErrorKind::InvalidArgument, "{}", error.what());
    }
    bare = app.remaining();
    for (const std::string& word : bare)
        if (word.starts_with('-') && word.size() > 1)
            return makeError(ErrorKind::InvalidArgument, "there is no option {}", inQuotes(word));
    return {};
}

// Gives the bare words to the positionals: required ones always get one, optional ones what is left, from the
// left.
Status assign(const Command& command, std::vector<std::string> bare, Invocation& invocation) {
    const auto needed = static_cast<std::size_t>(std::count_if(
        command.positionals.begin(), command.positionals.end(), [](const auto& p) { return p.required; }));
    if (bare.size() < needed)
        return makeError(ErrorKind::InvalidArgument, "something is missing: {}", synopsis(command));
    std::size_t spare = bare.size() - needed;
    std::size_t next = 0;
    for (const PositionalSpec& positional : command.positionals) {
        if (!positional.required && spare == 0)
            continue;
        spare -= positional.required ? 0 : 1;
        do {
            ARBOR_TRY(checkValue(positional.name, positional.kind, bare[next]));
            invocation.values[std::string(positional.name)].push_back(bare[next++]);
        } while (positional.many && next < bare.size());
    }
    for (const OptionSpec& option : command.options) // `--without branch:a branch:b`
        if (option.many && invocation.has(option.name))
            for (; next < bare.size(); ++next) {
                ARBOR_TRY(checkValue(option.name, option.kind, bare[next]));
                invocation.values[std::string(option.name)].push_back(bare[next]);
            }
    if (next < bare.size())
        return makeError(ErrorKind::InvalidArgument, "{} is one word too many: {}", inQuotes(bare[next]),
                         synopsis(command));
    return {};
}

Status takeOptions(const Command& command, Slots& slots, Invocation& invocation) {
    for (const OptionSpec& option : command.options) {
        const std::string name(option.name);
        if (option.kind == ValueKind::Flag) {
            if (slots.flags[name])
                invocation.values[name] = {};
            continue;
        }
        const auto& values = slots.values[name];
        if (values.empty()) {
            if (option.required)
                return makeError(ErrorKind::InvalidArgument, "--{} is missing: {}", name, synopsis(command));
            continue;
        }
        if (values.size() > 1 && !option.many)
            return makeError(ErrorKind::InvalidArgument, "--{} is given more than once", name);
        for (const std::string& value : values)
            ARBOR_TRY(checkValue("--" + name, option.kind, value));
        invocation.values[name] = values;
    }
    return {};
}

} // namespace

bool wantsJson(const std::vector<std::string>& words) {
    const auto end = std::find(words.begin(), words.end(), "--");
    return std::find(words.begin(), end, "--json") != end;
}

Result<ParsedLine> parseLine(const std::vector<std::string>& all) {
    const auto mark = std::find(all.begin(), all.end(), "--");
    std::vector<std::string> words(all.begin(), mark);
    ARBOR_ASSIGN(ParsedLine line, takeCommand(words));
    std::vector<OptionSpec> options = globalOptions();
    if (line.command)
        options.insert(options.end(), line.command->options.begin(), line.command->options.end());
    Slots slots;
    std::vector<std::string> bare;
    ARBOR_TRY(runCli11(options, words, slots, bare));
    line.json = slots.flags["json"];
    line.help = slots.flags["help"];
    line.version = slots.flags["version"];
    if (line.help || line.version)
        return line;
    if (!line.command) {
        if (line.group.empty())
            return makeError(ErrorKind::InvalidArgument, "which command? pgarborctl --help lists them");
        return makeError(ErrorKind::InvalidArgument, "{} what? pgarborctl {} --help lists the commands",
                         line.group, line.group);
    }
    const auto& stores = slots.values["store"];
    if (stores.size() > 1)
        return makeError(ErrorKind::InvalidArgument, "--store is given more than once");
    if (!stores.empty()) {
        ARBOR_TRY(checkValue("--store", ValueKind::Directory, stores.front()));
        line.store = stores.front();
    }
    ARBOR_TRY(takeOptions(*line.command, slots, line.invocation));
    ARBOR_TRY(assign(*line.command, std::move(bare), line.invocation));
    if (mark != all.end()) {
        if (line.command->rest.empty())
            return makeError(ErrorKind::InvalidArgument, "nothing may follow -- here: {}",
                             synopsis(*line.command));
        line.invocation.rest.assign(mark + 1, all.end());
    }
    return line;
}

} // namespace arbor
