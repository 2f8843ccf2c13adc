#include "app/postgres/initdb_options.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <string_view>

namespace arbor {

namespace {

struct Refusal {
    std::string_view option; // long name without dashes, or one letter
    std::string_view reason;
};
constexpr std::string_view ownPlace = "PgArbor decides where the data lies";
constexpr std::string_view ownUser = "the superuser of every root is postgres";
constexpr std::string_view noCluster = "it makes no cluster";
constexpr std::array refusals{
    Refusal{"pgdata", ownPlace},
    Refusal{"D", ownPlace},
    Refusal{"waldir", ownPlace},
    Refusal{"X", ownPlace},
    Refusal{"username", ownUser},
    Refusal{"U", ownUser},
    Refusal{"wal-segsize", "the store supports 16 MB segments only"},
    Refusal{"pwprompt", "nobody is there to answer; use --pwfile"},
    Refusal{"W", "nobody is there to answer; use --pwfile"},
    Refusal{"sync-only", noCluster},
    Refusal{"S", noCluster},
    Refusal{"show", noCluster},
    Refusal{"s", noCluster},
    Refusal{"version", noCluster},
    Refusal{"V", noCluster},
    Refusal{"help", noCluster},
    Refusal{"?", noCluster},
};

// Long options whose value may be the next word, over all majors.
constexpr std::array<std::string_view, 20> withValue{"auth",           "auth-local",
                                                     "auth-host",      "encoding",
                                                     "locale",         "lc-collate",
                                                     "lc-ctype",       "lc-monetary",
                                                     "lc-numeric",     "lc-time",
                                                     "lc-messages",    "pwfile",
                                                     "icu-locale",     "locale-provider",
                                                     "icu-rules",      "text-search-config",
                                                     "builtin-locale", "set",
                                                     "sync-method",    "wal-segsize"};
constexpr std::array<std::string_view, 16> withoutValue{
    "data-checksums", "no-data-checksums", "allow-group-access",
    "no-clean",       "noclean",           "no-sync",
    "nosync",         "sync-only",         "show",
    "debug",          "pwprompt",          "no-instructions",
    "no-locale",      "discard-caches",    "no-sync-data-files",
    "clobber-cache"};
constexpr std::string_view lettersWithValue = "ADELTUXc"; // initdb.c's getopt string

Error refuse(std::string_view given, std::string_view reason) {
    return makeError(ErrorKind::InvalidArgument, "initdb's option {} cannot be used here: {}", given, reason);
}

struct Walk {
    bool valueFollows = false;
    bool saysPassword = false;
    bool saysLocale = false; // which locale, in any way
    bool saysEncoding = false;
    bool saysMessages = false;
};

// getopt_long takes an abbreviation as long as it is unambiguous; one that could stand for a refused option
// is refused whether or not initdb would find it ambiguous.
Status readLong(std::string_view word, Walk& walk) {
    const std::string_view name = word.substr(2, word.find('=') - 2);
    const bool exactlyKnown =
        std::ranges::count(withValue, name) + std::ranges::count(withoutValue, name) > 0;
    for (const Refusal& refusal : refusals)
        if (refusal.option.size() > 1 &&
            (refusal.option == name || (!exactlyKnown && refusal.option.starts_with(name))))
            return refuse(fmt::format("--{}", refusal.option), refusal.reason);
    const auto couldBe = [name](std::string_view option) { return option.starts_with(name); };
    const bool isFlag =
        std::ranges::count(withoutValue, name) > 0 ||
        (std::ranges::none_of(withValue, couldBe) && std::ranges::any_of(withoutValue, couldBe));
    walk.valueFollows = word.find('=') == std::string_view::npos && !isFlag;
    walk.saysPassword = walk.saysPassword || name.starts_with("pw");
    walk.saysEncoding = walk.saysEncoding || name.starts_with("e");
    walk.saysMessages = walk.saysMessages || name.starts_with("lc-m");
    walk.saysLocale = walk.saysLocale || name.starts_with("lo") || name.starts_with("no-lo") ||
                      name.starts_with("lc-c") || name.starts_with("icu") || name.starts_with("b");
    return {};
}

Status readLetters(std::string_view word, Walk& walk) {
    for (std::size_t i = 1; i < word.size(); ++i) {
        for (const Refusal& refusal : refusals)
            if (refusal.option.size() == 1 && refusal.option.front() == word[i])
                return refuse(fmt::format("-{}", word[i]), refusal.reason);
        walk.saysEncoding = walk.saysEncoding || word[i] == 'E';
        if (lettersWithValue.find(word[i]) != std::string_view::npos) {
            walk.valueFollows = i + 1 == word.size();
            return {}; // the rest of the word is its value
        }
    }
    return {};
}

Result<Walk> readAll(std::span<const std::string> given) {
    Walk walk;
    for (const std::string& word : given) {
        if (std::exchange(walk.valueFollows, false))
            continue;
        if (word.size() > 2 && word.starts_with("--"))
            ARBOR_TRY(readLong(word, walk));
        else if (word.size() > 1 && word.front() == '-' && word != "--")
            ARBOR_TRY(readLetters(word, walk));
        else
            return makeError(ErrorKind::InvalidArgument,
                             "initdb takes options only here, and \"{}\" is none: {}", word, ownPlace);
    }
    if (walk.valueFollows)
        return makeError(ErrorKind::InvalidArgument, "initdb's option {} lacks its value", given.back());
    return walk;
}

// The locale of this environment if it is a UTF-8 one.
std::optional<std::string> environmentLocale() {
    for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const char* value = std::getenv(variable);
        if (value == nullptr || *value == '\0')
            continue;
        std::string lower = value;
        std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
        if (lower.find("utf-8") != std::string::npos || lower.find("utf8") != std::string::npos)
            return value;
        return std::nullopt;
    }
    return std::nullopt;
}

} // namespace

Result<std::vector<std::string>> initdbArguments(const InitdbPlaces& places,
                                                 std::span<const std::string> given) {
    ARBOR_ASSIGN(const Walk walk, readAll(given));
    std::vector<std::string> arguments{
        "--pgdata=" + places.dataDirectory, "--waldir=" + places.walDirectory, "--username=postgres",
        "--data-checksums", "--no-instructions",
        // for a copy that runs elsewhere (an export); endpoints use their own rules
        "--auth-local=peer", "--auth-host=scram-sha-256"};
    if (!places.sync)
        arguments.emplace_back("--no-sync");
    if (!places.passwordFile.empty() && !walk.saysPassword)
        arguments.push_back("--pwfile=" + places.passwordFile);
    if (!walk.saysLocale && !walk.saysEncoding) {
        arguments.emplace_back("--encoding=UTF8");
        arguments.push_back("--locale=" + environmentLocale().value_or("C.UTF-8"));
    }
    if (!walk.saysMessages)
        arguments.emplace_back("--lc-messages=C");
    arguments.insert(arguments.end(), given.begin(), given.end());
    return arguments;
}

} // namespace arbor
