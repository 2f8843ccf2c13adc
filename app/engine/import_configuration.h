// What becomes of an imported cluster's configuration. A branch must not act on the outside world as the
// server did whose files it got, and must start on this machine: settings that name places or servers outside
// are commented out, with the reason beside them and in the report; everything else stays as it was written.
#pragma once

#include "storage/base/status.h"

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace arbor {

// One line of a configuration file as Postgres reads it (utils/misc/guc-file.l).
struct ConfigurationLine {
    std::string name; // in lower case; "" for a comment or an empty line
    std::string value;
};
ConfigurationLine parseConfigurationLine(std::string_view line);

struct ImportedConfiguration {
    std::string text;                          // what is written in place of the file
    std::map<std::string, std::string> values; // in force before anything was changed, by name in lower case
    std::vector<std::string> report;           // a sentence for each change
};

// What the rules need to know of this machine.
struct ConfigurationSurroundings {
    std::string dataDirectory; // of the source; what lies in there comes along
    bool outsideIsHere =
        true; // false: the files came from another machine, whose other files are not to be had
    // Whether the server that will run here can load a library as a preload list names it.
    std::function<bool(const std::string& library)> canLoad = [](const std::string&) { return true; };
    std::function<bool(const std::string& locale)> knowsLocale = [](const std::string&) { return true; };
};

// Reads a file with everything that it includes into one text: a branch has one file, and includes may lie
// anywhere.
Result<ImportedConfiguration> importConfiguration(const std::string& file,
                                                  const ConfigurationSurroundings& surroundings);

// The surroundings on this machine: libraries of the installation whose pg_config --pkglibdir is given.
ConfigurationSurroundings surroundingsHere(std::string dataDirectory, std::string libraryDirectory);

} // namespace arbor
