// What a server is told on its command line, and the access rules that replace its own. Pure: no file is read
// or written here.
//
// A value on the command line beats postgresql.conf, its include files and ALTER SYSTEM. That is what keeps a
// fork, whose files are its parent's, from being its parent.
#pragma once

#include "storage/base/status.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace arbor {

// What an endpoint of a fork does not do unless a setting of the branch lifts the rule.
enum class OutsideRule {
    Archiving,           // archive_mode, archive_command, archive_library
    PrimaryConnection,   // primary_conninfo, restore_command and what else belongs to a standby
    SynchronousStandbys, // synchronous_standby_names: a commit would wait for the parent's standbys
    LogicalWorkers,      // subscriptions
    WalSenders,          // standbys, logical decoding by clients, pg_basebackup
    ReplicationSlots,    // the parent's slots
    ScheduledJobs,       // pg_cron and the like
};
// A stable word for a rule ("archiving", "walsenders" ...), and back.
std::string_view ruleName(OutsideRule rule);
Result<OutsideRule> ruleFromName(std::string_view name);

struct EndpointConfig {
    int major = 0;
    bool isFork = false;
    std::set<OutsideRule> lifted; // on a fork; a root does as its own configuration says
    std::string dataDirectory;    // absolute
    std::string socketDirectory;  // absolute; see makeSocketDirectory()
    std::string hbaFile;          // our own, outside the data directory
    std::string identFile;
    std::uint16_t port = 0;
    bool tcp = true;       // also on 127.0.0.1
    bool readOnly = false; // a peek
    // Pages or log leave the store before they are recovered (archiving, standbys): full page images are
    // needed then. On a fork the lifted rules say so by themselves.
    bool logLeavesStore = false;
    // Bounds the log that a start has to replay. README.md has the measurement.
    std::uint64_t maxWalBytes = std::uint64_t{1} << 30;
    // -c settings of the branch, NAME and VALUE. They come before ours.
    std::vector<std::pair<std::string, std::string>> settings;
};

// The arguments of postgres, without the program itself. InvalidArgument for a setting of the branch that
// PgArbor sets itself, or whose name is malformed.
Result<std::vector<std::string>> postgresArguments(const EndpointConfig& config);

// pg_hba.conf: over the socket the users of identFile() are the superuser without a prompt and everybody else
// gives a password; over TCP on this machine a password. Nobody else.
std::string hbaFileContent(std::string_view superuser = "postgres");
// pg_ident.conf: these users of the operating system, and root, are the superuser.
std::string identFileContent(const std::vector<std::string>& users, std::string_view superuser = "postgres");
// Whether a pg_hba.conf has a line by which a database user must be the user of the operating system of that
// name: "peer" on a local socket, without a map.
bool asksForPeer(std::string_view hba);
// A line of a passfile for TCP on this machine, on any port and to any database: all branches of a root share
// their roles with it.
std::string passFileContent(std::string_view password, std::string_view superuser = "postgres");

// A library in shared_preload_libraries (or one of its companions) that acts on the world outside its
// database.
struct OutsideLibrary {
    std::string_view name;
    std::string_view what;       // "runs jobs on a schedule"
    std::string_view offSetting; // "cron.launch_active_jobs=off", "" when it has no switch
};
// The libraries of a list as shared_preload_libraries shows it that act outside.
std::vector<OutsideLibrary> outsideLibraries(std::string_view preloadList);

} // namespace arbor
