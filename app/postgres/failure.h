// Why a server did not start or went away, in a sentence that says what to do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace arbor {

struct EndpointFailure {
    std::string sentence;  // for people; never empty
    std::string lastWords; // Postgres's own, its last FATAL or PANIC with detail and hint; may be empty
};

struct ExitContext {
    int waitStatus = 0; // as waitpid() gives it
    bool wasRunning = false;
    int major = 0;
    std::uint16_t port = 0;
    std::string logFile = {};
};

// log: what the server wrote since it was started (its end is enough).
EndpointFailure explainExit(std::string_view log, const ExitContext& context);

// The last FATAL or PANIC message of a log with its DETAIL and HINT, without the prefixes of the lines (what
// is wrong with a configuration file comes before it); else
// the last ERROR at start (a bad configuration); else the last line.
std::string lastWords(std::string_view log);

} // namespace arbor
