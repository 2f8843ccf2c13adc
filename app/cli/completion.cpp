// Completion scripts for bash, zsh and fish. Words only: they never start an engine at a press of Tab.
#include "app/cli/help.h"

#include "app/control/arguments.h"

#include <algorithm>

namespace arbor {

namespace {

std::string shellQuoted(std::string_view text) {
    std::string result = "'";
    for (const char c : text)
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return result + "'";
}

std::vector<OptionSpec> optionsOf(const Command& command) {
    std::vector<OptionSpec> options = globalOptions();
    options.insert(options.end(), command.options.begin(), command.options.end());
    return options;
}

// First words, each once, and the second words of a first.
std::vector<std::string> wordsAfter(std::string_view group) {
    std::vector<std::string> words;
    for (const Command& command : allCommands()) {
        std::string_view name = command.name;
        if (!group.empty()) {
            if (!name.starts_with(std::string(group) + " "))
                continue;
            name.remove_prefix(group.size() + 1);
        }
        const std::string word(name.substr(0, name.find(' ')));
        if (std::find(words.begin(), words.end(), word) == words.end())
            words.push_back(word);
    }
    return words;
}

std::vector<std::string> choices(ValueKind kind) {
    switch (kind) {
    case ValueKind::Position:
        return {"head", "checkpoint:", "xid:", "-10min"};
    case ValueKind::DurationOrNever:
        return {"1d", "7d", "never"};
    case ValueKind::Duration:
        return {"1h", "1d", "7d"};
    case ValueKind::Pin:
        return {"branch:", "checkpoint:", "trash"};
    case ValueKind::SettingKey:
        return {std::begin(settingKeys), std::end(settingKeys)};
    case ValueKind::Rule:
        return {std::begin(ruleNames), std::end(ruleNames)};
    case ValueKind::Shell:
        return {"bash", "zsh", "fish"};
    default:
        return {};
    }
}

std::string joined(const std::vector<std::string>& words) {
    std::string text;
    for (const std::string& word : words)
        text += (text.empty() ? "" : " ") + word;
    return text;
}

// The words that may come behind a command.
std::string behind(const Command& command) {
    std::vector<std::string> words;
    for (const OptionSpec& option : optionsOf(command))
        words.push_back("--" + std::string(option.name));
    for (const PositionalSpec& positional : command.positionals)
        for (const std::string& word : choices(positional.kind))
            words.push_back(word);
    return joined(words);
}

// A case table on "$command" shared by bash and zsh: sets `words`.
std::string caseTable() {
    std::string text = "    case \"$command\" in\n";
    text += fmt::format("        '') words={} ;;\n",
                        shellQuoted(joined(wordsAfter({})) + " --store --json --help --version"));
    for (const std::string& word : wordsAfter({}))
        if (isCommandGroup(word))
            text += fmt::format("        {}) words={} ;;\n", shellQuoted(word),
                                shellQuoted(joined(wordsAfter(word))));
    for (const Command& command : allCommands())
        text +=
            fmt::format("        {}) words={} ;;\n", shellQuoted(command.name), shellQuoted(behind(command)));
    return text + "    esac\n";
}

// What may follow an option that takes a value: sets `words`, or `files` for a directory (d) or any file (f).
std::string valueTable() {
    std::map<std::string, ValueKind> kinds;
    for (const Command& command : allCommands())
        for (const OptionSpec& option : optionsOf(command))
            if (option.kind != ValueKind::Flag)
                kinds.emplace("--" + std::string(option.name), option.kind);
    std::string text = "    case \"$previous\" in\n";
    for (const auto& [name, kind] : kinds) {
        if (kind == ValueKind::Directory || kind == ValueKind::File)
            text += fmt::format("        {}) words=''; files={} ;;\n", name,
                                kind == ValueKind::Directory ? 'd' : 'f');
        else if (name != "--from") // a branch, a position or a URL, as the command has it
            text += fmt::format("        {}) words={} ;;\n", name, shellQuoted(joined(choices(kind))));
    }
    return text + "    esac\n";
}

std::string groupPattern() {
    std::string pattern;
    for (const std::string& word : wordsAfter({}))
        if (isCommandGroup(word))
            pattern += (pattern.empty() ? "" : "|") + word;
    return pattern;
}

std::string bashScript() {
    return "# bash completion of pgarborctl; source it, or put it where bash-completion looks\n"
           "_pgarborctl() {\n"
           "    local command='' words='' files='' word previous=\"${COMP_WORDS[COMP_CWORD-1]}\" i\n"
           "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
           "        word=\"${COMP_WORDS[i]}\"\n"
           "        case \"$word\" in\n"
           "            --) return ;;\n"
           "            --store) ((i++)) ;;\n"
           "            -*) ;;\n"
           "            *)\n"
           "                case \"$command\" in\n"
           "                    '') command=\"$word\" ;;\n"
           "                    " +
           groupPattern() +
           ") command=\"$command $word\" ;;\n"
           "                esac ;;\n"
           "        esac\n"
           "    done\n" +
           caseTable() + valueTable() +
           "    local current=\"${COMP_WORDS[COMP_CWORD]}\"\n"
           "    if [ -n \"$files\" ]; then\n"
           "        mapfile -t COMPREPLY < <(compgen -$files -- \"$current\")\n"
           "    else\n"
           "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
           "    fi\n"
           "}\n"
           "complete -o filenames -F _pgarborctl pgarborctl\n";
}

std::string zshScript() {
    return "#compdef pgarborctl\n"
           "_pgarborctl() {\n"
           "    local command='' words_typed previous='' files='' word i\n"
           "    words_typed=(\"${words[@]}\")\n"
           "    previous=\"${words_typed[CURRENT-1]}\"\n"
           "    for ((i = 2; i < CURRENT; i++)); do\n"
           "        word=\"${words_typed[i]}\"\n"
           "        case \"$word\" in\n"
           "            --) return ;;\n"
           "            --store) ((i++)) ;;\n"
           "            -*) ;;\n"
           "            *)\n"
           "                case \"$command\" in\n"
           "                    '') command=\"$word\" ;;\n"
           "                    " +
           groupPattern() +
           ") command=\"$command $word\" ;;\n"
           "                esac ;;\n"
           "        esac\n"
           "    done\n"
           "    local words=''\n" +
           caseTable() + valueTable() +
           "    if [[ -n \"$files\" ]]; then\n"
           "        if [[ $files == d ]]; then _files -/; else _files; fi\n"
           "    else\n"
           "        compadd -- ${=words}\n"
           "    fi\n"
           "}\n"
           "compdef _pgarborctl pgarborctl\n";
}

std::string fishScript() {
    std::string text = "# fish completion of pgarborctl\ncomplete -c pgarborctl -f\n";
    const auto option = [&](const std::string& condition, const OptionSpec& spec) {
        text += "complete -c pgarborctl" + condition + " -l " + std::string(spec.name) + " -d " +
                shellQuoted(spec.summary);
        if (spec.kind == ValueKind::Directory)
            text += " -x -a '(__fish_complete_directories)'";
        else if (spec.kind == ValueKind::File)
            text += " -r -F";
        else if (spec.kind != ValueKind::Flag)
            text += " -x -a " + shellQuoted(joined(choices(spec.kind)));
        text += "\n";
    };
    const std::string tops = joined(wordsAfter({}));
    for (const OptionSpec& spec : globalOptions())
        option("", spec);
    for (const Command& command : allCommands()) {
        const std::size_t space = command.name.find(' ');
        const std::string first(command.name.substr(0, space));
        std::string seen = "__fish_seen_subcommand_from " + first;
        if (space == std::string_view::npos) {
            text +=
                fmt::format("complete -c pgarborctl -n 'not __fish_seen_subcommand_from {}' -a {} -d {}\n",
                            tops, first, shellQuoted(command.summary));
        } else {
            const std::string second(command.name.substr(space + 1));
            text += fmt::format("complete -c pgarborctl -n 'not __fish_seen_subcommand_from {}' -a {}\n",
                                tops, first);
            text += fmt::format(
                "complete -c pgarborctl -n '{}; and not __fish_seen_subcommand_from {}' -a {} -d {}\n", seen,
                joined(wordsAfter(first)), second, shellQuoted(command.summary));
            seen += "; and __fish_seen_subcommand_from " + second;
        }
        for (const OptionSpec& spec : command.options)
            option(" -n '" + seen + "'", spec);
        for (const PositionalSpec& positional : command.positionals)
            if (const auto words = choices(positional.kind); !words.empty())
                text +=
                    fmt::format("complete -c pgarborctl -n '{}' -a {}\n", seen, shellQuoted(joined(words)));
    }
    return text;
}

} // namespace

std::string completionScript(std::string_view shell) {
    if (shell == "bash")
        return bashScript();
    return shell == "zsh" ? zshScript() : fishScript();
}

} // namespace arbor
