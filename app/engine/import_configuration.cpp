#include "app/engine/import_configuration.h"

#include "app/postgres/endpoint_config.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <clocale>
#include <filesystem>
#include <fstream>
#include <locale.h>
#include <optional>
#include <sstream>

namespace arbor {

namespace fs = std::filesystem;

namespace {

constexpr int deepestInclude = 10; // CONF_FILE_MAX_DEPTH

struct OutsideSetting {
    std::string_view name; // a trailing * stands for any ending
    std::string_view why;
};
constexpr std::string_view places = "it names a place outside of the branch";
constexpr std::string_view archive = "the branch would write into the archive of the server it comes from";
constexpr std::string_view recovery = "the branch recovers from its own log";
constexpr std::string_view standbys = "commits would wait for standbys that do not follow the branch";
constexpr std::array outsideSettings{
    OutsideSetting{"data_directory", places},
    OutsideSetting{"hba_file", places},
    OutsideSetting{"ident_file", places},
    OutsideSetting{"external_pid_file", places},
    OutsideSetting{"archive_mode", archive},
    OutsideSetting{"archive_command", archive},
    OutsideSetting{"archive_library", archive},
    OutsideSetting{"archive_cleanup_command", archive},
    OutsideSetting{"restore_command", recovery},
    OutsideSetting{"recovery_end_command", recovery},
    OutsideSetting{"recovery_target*", recovery},
    OutsideSetting{"promote_trigger_file", recovery},
    OutsideSetting{"primary_conninfo", "the branch does not follow another server"},
    OutsideSetting{"primary_slot_name", "the branch does not follow another server"},
    OutsideSetting{"sync_replication_slots", "the branch does not follow another server"},
    OutsideSetting{"synchronous_standby_names", standbys},
    OutsideSetting{"synchronized_standby_slots", standbys},
    OutsideSetting{"ssl", "its keys may lie outside, and a branch listens on this machine only"},
    OutsideSetting{"ssl_passphrase_command", "it runs a command outside of the branch"},
    OutsideSetting{"krb_server_keyfile", places},
};
constexpr std::array placesWhenAbsolute{"log_directory", "stats_temp_directory"};
constexpr std::array preloadLists{"shared_preload_libraries", "session_preload_libraries",
                                  "local_preload_libraries"};
constexpr std::array localeSettings{"lc_messages", "lc_monetary", "lc_numeric", "lc_time"};

bool matches(std::string_view pattern, std::string_view name) {
    return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
}

template <class List>
bool contains(const List& list, std::string_view name) {
    return std::ranges::find(list, name) != list.end();
}

std::string quotedValue(std::string_view value) {
    std::string text = "'";
    for (const char c : value)
        text += c == '\'' ? "''" : std::string(1, c);
    return text + "'";
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view padding = " \t\r";
    const auto begin = text.find_first_not_of(padding);
    return begin == std::string_view::npos ? std::string_view()
                                           : text.substr(begin, text.find_last_not_of(padding) - begin + 1);
}

std::string quoteRemoved(std::string_view value) {
    std::string text;
    for (std::size_t i = 1; i < value.size(); ++i) {
        const char next = i + 1 < value.size() ? value[i + 1] : '\0';
        if (value[i] == '\'' && next != '\'')
            break;
        if ((value[i] == '\'' || value[i] == '\\') && next != '\0')
            ++i; // '' and \x; the escapes of control characters appear in no setting that is looked at here
        text += value[i];
    }
    return text;
}

std::vector<std::string> listElements(std::string_view list) {
    std::vector<std::string> elements;
    std::stringstream stream{std::string(list)};
    for (std::string element; std::getline(stream, element, ',');) {
        std::string_view plain = trimmed(element);
        if (plain.size() >= 2 && plain.front() == '"' && plain.back() == '"')
            plain = plain.substr(1, plain.size() - 2);
        if (!plain.empty())
            elements.emplace_back(plain);
    }
    return elements;
}

// Whether a value does nothing: then there is nothing to say about its going.
bool saysNothing(std::string_view value) {
    return value.empty() || value == "off" || value == "false" || value == "no" || value == "0" ||
           value == "(disabled)";
}

// For the report, which more people see than the file: a connection may hold a password.
std::string shownValue(const ConfigurationLine& setting) {
    return setting.name == "primary_conninfo" ? std::string() : " = " + quotedValue(setting.value);
}

class Importer {
  public:
    explicit Importer(const ConfigurationSurroundings& surroundings) : m_surroundings(surroundings) {}

    Status read(const fs::path& file, int depth, bool mayBeAbsent) {
        if (depth > deepestInclude)
            return makeError(ErrorKind::InvalidArgument, "{} is included too deeply: it may include itself",
                             file.string());
        std::ifstream stream(file);
        if (!stream) {
            if (mayBeAbsent)
                return {};
            say("{} could not be read: the settings in it are not on the branch", file.string());
            return {};
        }
        for (std::string line; std::getline(stream, line);)
            ARBOR_TRY(take(line, file, depth));
        return {};
    }
    ImportedConfiguration result() {
        for (const auto& [name, value] : m_preloads)
            reportPreloads(name, value);
        return std::move(m_result);
    }

  private:
    template <class... Args>
    void say(fmt::format_string<Args...> sentence, Args&&... args) {
        const std::string text = fmt::format(sentence, std::forward<Args>(args)...);
        if (!contains(m_result.report, text))
            m_result.report.push_back(text);
    }
    void keep(std::string_view line) { m_result.text.append(line).append("\n"); }
    void drop(std::string_view line, std::string_view why) {
        m_result.text += fmt::format("# {}    (PgArbor: {})\n", trimmed(line), why);
    }

    Status take(const std::string& line, const fs::path& file, int depth) {
        const ConfigurationLine setting = parseConfigurationLine(line);
        if (setting.name.starts_with("include"))
            return include(setting, file, depth);
        if (!setting.name.empty())
            m_result.values[setting.name] = setting.value;
        if (const auto why = whyNot(setting)) {
            drop(line, *why);
            if (!saysNothing(setting.value))
                say("{} is off: {}", setting.name + shownValue(setting), *why);
        } else if (contains(preloadLists, setting.name)) {
            takePreloads(setting, line);
        } else {
            keep(line);
        }
        return {};
    }

    std::optional<std::string> whyNot(const ConfigurationLine& setting) const {
        for (const OutsideSetting& outside : outsideSettings)
            if (matches(outside.name, setting.name))
                return std::string(outside.why);
        if (contains(placesWhenAbsolute, setting.name) && setting.value.starts_with('/'))
            return std::string(places);
        if (contains(localeSettings, setting.name) && !setting.value.empty() &&
            !m_surroundings.knowsLocale(setting.value))
            return "this machine does not have that locale";
        return {};
    }

    void takePreloads(const ConfigurationLine& setting, const std::string& line) {
        std::string kept;
        for (const std::string& library : listElements(setting.value))
            if (whyNotLoaded(library).empty())
                kept += (kept.empty() ? "" : ",") + library;
        if (listElements(kept).size() == listElements(setting.value).size()) {
            keep(line);
        } else {
            drop(line, "some of its libraries are left out");
            keep(fmt::format("{} = {}", setting.name, quotedValue(kept)));
        }
        m_preloads[setting.name] = setting.value; // the last one counts
    }
    std::string whyNotLoaded(const std::string& library) const {
        if (!m_surroundings.canLoad(library))
            return "it is not installed here";
        const auto acting = outsideLibraries(library);
        return acting.empty() ? std::string() : "it " + std::string(acting.front().what);
    }
    void reportPreloads(const std::string& name, const std::string& list) {
        for (const std::string& library : listElements(list))
            if (const std::string why = whyNotLoaded(library); !why.empty())
                say("the library {} is not loaded by {}: {}", library, name, why);
    }

    bool isInside(const fs::path& path) const {
        return fs::weakly_canonical(path).string().starts_with(m_surroundings.dataDirectory + "/");
    }

    Status include(const ConfigurationLine& directive, const fs::path& file, int depth) {
        const fs::path target = file.parent_path() / directive.value; // an absolute one replaces the rest
        if (!m_surroundings.outsideIsHere && !isInside(target)) {
            keep(fmt::format("# {} {}", directive.name, quotedValue(directive.value)));
            say("{} was not in the copy: what the server told of its settings counts", directive.value);
            return {};
        }
        keep(fmt::format("# {} {}", directive.name, quotedValue(directive.value)));
        if (directive.name != "include_dir")
            ARBOR_TRY(read(target, depth + 1, directive.name == "include_if_exists"));
        else
            ARBOR_TRY(includeDirectory(target, depth));
        if (!isInside(target))
            say("what {} {} brought in stands in postgresql.conf now", directive.name,
                quotedValue(directive.value));
        keep(fmt::format("# end of {}", quotedValue(directive.value)));
        return {};
    }
    Status includeDirectory(const fs::path& directory, int depth) {
        std::vector<fs::path> files;
        std::error_code error;
        for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
             entry.increment(error)) {
            const std::string name = entry->path().filename();
            if (name.ends_with(".conf") && !name.starts_with('.') && !entry->is_directory())
                files.push_back(entry->path());
        }
        if (error)
            say("{} could not be read: the settings in it are not on the branch", directory.string());
        std::ranges::sort(files);
        for (const fs::path& file : files)
            ARBOR_TRY(read(file, depth + 1, false));
        return {};
    }

    const ConfigurationSurroundings& m_surroundings;
    ImportedConfiguration m_result;
    std::map<std::string, std::string> m_preloads;
};

} // namespace

ConfigurationLine parseConfigurationLine(std::string_view line) {
    line = trimmed(line);
    const auto nameEnd = std::ranges::find_if(
        line, [](unsigned char c) { return !std::isalnum(c) && c != '_' && c != '.' && c != '$'; });
    ConfigurationLine result{std::string(line.begin(), nameEnd), {}};
    if (result.name.empty())
        return {};
    std::ranges::transform(result.name, result.name.begin(), [](unsigned char c) { return std::tolower(c); });
    std::string_view rest = trimmed(line.substr(result.name.size()));
    if (rest.starts_with('='))
        rest = trimmed(rest.substr(1));
    if (rest.starts_with('\''))
        result.value = quoteRemoved(rest);
    else
        result.value = rest.substr(0, rest.find_first_of(" \t#"));
    return result;
}

Result<ImportedConfiguration> importConfiguration(const std::string& file,
                                                  const ConfigurationSurroundings& surroundings) {
    Importer importer(surroundings);
    ARBOR_TRY(importer.read(file, 0, false));
    return importer.result();
}

ConfigurationSurroundings surroundingsHere(std::string dataDirectory, std::string libraryDirectory) {
    ConfigurationSurroundings here;
    here.dataDirectory = std::move(dataDirectory);
    here.canLoad = [directory = std::move(libraryDirectory)](const std::string& library) {
        constexpr std::string_view placeholder = "$libdir/";
        std::string path = library.starts_with(placeholder)
                               ? directory + "/" + library.substr(placeholder.size())
                           : library.find('/') == std::string::npos ? directory + "/" + library
                                                                    : library;
        return fs::exists(path) || fs::exists(path + ".so");
    };
    here.knowsLocale = [](const std::string& name) {
        const locale_t locale = ::newlocale(LC_ALL_MASK, name.c_str(), nullptr);
        if (locale == nullptr)
            return false;
        ::freelocale(locale);
        return true;
    };
    return here;
}

} // namespace arbor
