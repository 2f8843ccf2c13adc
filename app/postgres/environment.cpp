#include "app/postgres/environment.h"

#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace arbor {

std::vector<std::string> serverEnvironment() {
    std::vector<std::string> kept;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const std::string_view name = text.substr(0, text.find('='));
        if (name.starts_with("PG") || name == "LC_MESSAGES" || name == "LC_ALL" || name == "LANGUAGE" ||
            name == "NOTIFY_SOCKET" || name == "WATCHDOG_USEC" || name == "WATCHDOG_PID" ||
            name.starts_with("LISTEN_"))
            continue;
        kept.emplace_back(text);
    }
    // LC_ALL beats LC_MESSAGES, so what it says goes where it still counts for everything else.
    if (const char* all = std::getenv("LC_ALL"); all != nullptr && *all != '\0') {
        for (const char* category : {"LC_CTYPE", "LC_COLLATE", "LC_MONETARY", "LC_NUMERIC", "LC_TIME"}) {
            std::erase_if(kept, [&](const std::string& entry) {
                return entry.starts_with(std::string(category) + "=");
            });
            kept.push_back(std::string(category) + "=" + all);
        }
    }
    kept.emplace_back("LC_MESSAGES=C");
    return kept;
}

void clearPostgresEnvironment() {
    std::vector<std::string> names;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        if (text.starts_with("PG"))
            names.emplace_back(text.substr(0, text.find('=')));
    }
    for (const std::string& name : names)
        ::unsetenv(name.c_str());
}

} // namespace arbor
