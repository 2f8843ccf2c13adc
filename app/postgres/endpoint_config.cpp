#include "app/postgres/endpoint_config.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

namespace arbor {

namespace {

struct RuleRow {
    OutsideRule rule;
    std::string_view name;
};
constexpr std::array rules{
    RuleRow{OutsideRule::Archiving, "archiving"},
    RuleRow{OutsideRule::PrimaryConnection, "primary-connection"},
    RuleRow{OutsideRule::SynchronousStandbys, "synchronous-standbys"},
    RuleRow{OutsideRule::LogicalWorkers, "logical-workers"},
    RuleRow{OutsideRule::WalSenders, "walsenders"},
    RuleRow{OutsideRule::ReplicationSlots, "replication-slots"},
    RuleRow{OutsideRule::ScheduledJobs, "scheduled-jobs"},
};

// Settings that a fork starts with unless the rule is lifted. Those without effect in a major are left out
// there: an unknown one would keep the server from starting.
struct OutsideRow {
    OutsideRule rule;
    std::string_view setting;
    std::string_view value;
    int sinceMajor = 0;
};
constexpr std::array outsideSettings{
    OutsideRow{OutsideRule::Archiving, "archive_mode", "off"},
    OutsideRow{OutsideRule::Archiving, "archive_command", ""},
    OutsideRow{OutsideRule::Archiving, "archive_library", "", 15},
    OutsideRow{OutsideRule::PrimaryConnection, "primary_conninfo", ""},
    OutsideRow{OutsideRule::PrimaryConnection, "primary_slot_name", ""},
    OutsideRow{OutsideRule::PrimaryConnection, "restore_command", ""},
    OutsideRow{OutsideRule::PrimaryConnection, "archive_cleanup_command", ""},
    OutsideRow{OutsideRule::PrimaryConnection, "recovery_end_command", ""},
    OutsideRow{OutsideRule::PrimaryConnection, "sync_replication_slots", "off", 17},
    OutsideRow{OutsideRule::SynchronousStandbys, "synchronous_standby_names", ""},
    OutsideRow{OutsideRule::SynchronousStandbys, "synchronized_standby_slots", "", 17},
    OutsideRow{OutsideRule::LogicalWorkers, "max_logical_replication_workers", "0"},
    OutsideRow{OutsideRule::WalSenders, "max_wal_senders", "0"},
};

// Names with a dot are accepted whether or not the library is loaded.
constexpr std::array libraries{
    OutsideLibrary{"pg_cron", "runs jobs on a schedule", "cron.launch_active_jobs=off"},
    OutsideLibrary{"pg_net", "sends the HTTP requests that stand in its queue", ""},
    OutsideLibrary{"pglogical", "replicates to and from other servers", ""},
    OutsideLibrary{"spock", "replicates to and from other servers", ""},
    OutsideLibrary{"bdr", "replicates to and from other servers", ""},
    OutsideLibrary{"citus", "works on the tables of other servers", ""},
    OutsideLibrary{"repmgr", "watches and promotes other servers", ""},
    OutsideLibrary{"pg_failover_slots", "copies replication slots from another server", ""},
    OutsideLibrary{"pgautofailover", "reports to and steers other servers", ""},
    OutsideLibrary{"bgw_replstatus", "answers health checks on a port", ""},
    OutsideLibrary{"timescaledb", "runs jobs on a schedule, among them those a user defined", ""},
    OutsideLibrary{"basebackup_to_shell", "runs a command for base backups", ""},
};

// Settings that are the endpoint itself: a branch may not change them, on a root neither.
constexpr std::array<std::string_view, 19> fixedSettings{"data_directory",
                                                         "config_file",
                                                         "port",
                                                         "unix_socket_directories",
                                                         "unix_socket_permissions",
                                                         "unix_socket_group",
                                                         "listen_addresses",
                                                         "hba_file",
                                                         "ident_file",
                                                         "external_pid_file",
                                                         "logging_collector",
                                                         "log_destination",
                                                         "log_directory",
                                                         "stats_temp_directory",
                                                         "full_page_writes",
                                                         "wal_recycle",
                                                         "wal_init_zero",
                                                         "max_wal_size",
                                                         "recovery_init_sync_method"};

bool isSettingName(std::string_view name) {
    return !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
        return std::isalnum(c) || c == '_' || c == '.' || c == '$';
    });
}

// An element of a list of directories or names, as SplitDirectoriesString() reads it.
std::string listElement(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text)
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    return quoted + "\"";
}

// A word of pg_hba.conf and pg_ident.conf.
std::string accessWord(std::string_view text) {
    return listElement(text);
}

bool applies(const EndpointConfig& config, OutsideRule rule) {
    return config.isFork && !config.lifted.contains(rule);
}

bool needsFullPages(const EndpointConfig& config) {
    return config.logLeavesStore || (config.isFork && (config.lifted.contains(OutsideRule::Archiving) ||
                                                       config.lifted.contains(OutsideRule::WalSenders)));
}

class Arguments {
  public:
    void set(std::string_view name, std::string_view value) {
        m_words.emplace_back("-c");
        m_words.push_back(fmt::format("{}={}", name, value));
    }
    void add(std::string word) { m_words.push_back(std::move(word)); }
    std::vector<std::string> take() { return std::move(m_words); }

  private:
    std::vector<std::string> m_words;
};

void setPlaces(const EndpointConfig& config, Arguments& arguments) {
    arguments.set("data_directory", config.dataDirectory); // beats -D
    arguments.set("port", std::to_string(config.port));
    arguments.set("unix_socket_directories", listElement(config.socketDirectory));
    arguments.set("unix_socket_permissions", "0700");
    arguments.set("unix_socket_group", "");
    arguments.set("listen_addresses", config.tcp ? "127.0.0.1" : "");
    arguments.set("hba_file", config.hbaFile);
    arguments.set("ident_file", config.identFile);
    // Nothing would be opened as a file without a name, with a complaint at every start; the server removes
    // this one when it ends.
    arguments.set("external_pid_file", config.socketDirectory + "/postmaster.pid");
    arguments.set("logging_collector", "off");
    arguments.set("log_destination", "stderr");
    arguments.set("log_directory", "log");
    if (config.major < 15)
        arguments.set("stats_temp_directory", "pg_stat_tmp");
}

void setLog(const EndpointConfig& config, Arguments& arguments) {
    arguments.set("full_page_writes", needsFullPages(config) ? "on" : "off");
    arguments.set("wal_recycle", "off");
    arguments.set("wal_init_zero", "off");
    arguments.set("max_wal_size", fmt::format("{}MB", std::max<std::uint64_t>(config.maxWalBytes >> 20, 32)));
    arguments.set("recovery_init_sync_method", "fsync");
}

// Tablespaces of a branch lie inside, as directories. A recovery that follows a log (a standby, a backup)
// takes those for damage unless this is on, as stock servers do. Minor versions of 14 may not know it.
void allowInsideTablespaces(const EndpointConfig& config, Arguments& arguments) {
    if (config.major >= 15)
        arguments.set("allow_in_place_tablespaces", "on");
}

void silence(const EndpointConfig& config, Arguments& arguments) {
    for (const OutsideRow& row : outsideSettings)
        if (config.major >= row.sinceMajor && applies(config, row.rule))
            arguments.set(row.setting, row.value);
    if (!applies(config, OutsideRule::ScheduledJobs))
        return;
    for (const OutsideLibrary& library : libraries)
        if (const auto equals = library.offSetting.find('='); equals != std::string_view::npos)
            arguments.set(library.offSetting.substr(0, equals), library.offSetting.substr(equals + 1));
}

} // namespace

std::string_view ruleName(OutsideRule rule) {
    return std::ranges::find(rules, rule, &RuleRow::rule)->name;
}

Result<OutsideRule> ruleFromName(std::string_view name) {
    const auto row = std::ranges::find(rules, name, &RuleRow::name);
    if (row != rules.end())
        return row->rule;
    std::string known;
    for (const RuleRow& candidate : rules)
        known += fmt::format("{}{}", known.empty() ? "" : ", ", candidate.name);
    return makeError(ErrorKind::InvalidArgument, "no rule is named \"{}\"; there are {}", name, known);
}

Result<std::vector<std::string>> postgresArguments(const EndpointConfig& config) {
    Arguments arguments;
    arguments.add("-D");
    arguments.add(config.dataDirectory);
    allowInsideTablespaces(config, arguments); // first: a branch may set it otherwise
    for (const auto& [name, value] : config.settings) {
        std::string lower = name;
        std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
            return c == '-' ? '_' : static_cast<char>(std::tolower(c)); // as postgres reads "-c" names
        });
        if (!isSettingName(lower))
            return makeError(ErrorKind::InvalidArgument, "\"{}\" is no name of a PostgreSQL setting", name);
        if (std::ranges::find(fixedSettings, lower) != fixedSettings.end())
            return makeError(ErrorKind::InvalidArgument, "PgArbor sets {} itself", lower);
        const auto outside = std::ranges::find(outsideSettings, lower, &OutsideRow::setting);
        if (outside != outsideSettings.end() && applies(config, outside->rule))
            return makeError(
                ErrorKind::InvalidArgument,
                "a fork does not act on the outside world: lift the rule \"{}\" before setting {}",
                ruleName(outside->rule), lower);
        arguments.set(lower, value);
    }
    setPlaces(config, arguments);
    setLog(config, arguments);
    silence(config, arguments);
    if (config.readOnly)
        arguments.set("default_transaction_read_only", "on");
    return arguments.take();
}

std::string hbaFileContent(std::string_view superuser) {
    const std::string user = accessWord(superuser);
    return fmt::format("# Written by PgArbor at every start; changes are lost.\n"
                       "local all         {0} peer map=arbor\n"
                       "local replication {0} peer map=arbor\n"
                       "local all         all scram-sha-256\n"
                       "host  all         all 127.0.0.1/32 scram-sha-256\n"
                       "host  all         all ::1/128 scram-sha-256\n"
                       "host  replication all 127.0.0.1/32 scram-sha-256\n"
                       "host  replication all ::1/128 scram-sha-256\n",
                       user);
}

bool asksForPeer(std::string_view hba) {
    std::istringstream lines{std::string(hba)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line.substr(0, line.find('#')));
        std::string type, database, user, method, option;
        words >> type >> database >> user >> method >> option;
        if (type == "local" && method == "peer" && option.empty())
            return true;
    }
    return false;
}

std::string identFileContent(const std::vector<std::string>& users, std::string_view superuser) {
    std::string content = "# Written by PgArbor at every start; changes are lost.\n";
    std::set<std::string> names(users.begin(), users.end());
    names.insert("root");
    for (const std::string& name : names)
        content += fmt::format("arbor {} {}\n", accessWord(name), accessWord(superuser));
    return content;
}

std::string passFileContent(std::string_view password, std::string_view superuser) {
    const auto escape = [](std::string_view text) {
        std::string escaped;
        for (const char c : text) {
            if (c == ':' || c == '\\')
                escaped += '\\';
            escaped += c;
        }
        return escaped;
    };
    return fmt::format("127.0.0.1:*:*:{0}:{1}\nlocalhost:*:*:{0}:{1}\n", escape(superuser), escape(password));
}

std::vector<OutsideLibrary> outsideLibraries(std::string_view preloadList) {
    std::vector<OutsideLibrary> acting;
    while (!preloadList.empty()) {
        const auto comma = preloadList.find(',');
        std::string_view entry = preloadList.substr(0, comma);
        preloadList.remove_prefix(comma == std::string_view::npos ? preloadList.size() : comma + 1);
        constexpr std::string_view padding = " \t\"'";
        const auto begin = entry.find_first_not_of(padding);
        if (begin == std::string_view::npos)
            continue;
        entry = entry.substr(begin, entry.find_last_not_of(padding) - begin + 1);
        entry = entry.substr(entry.rfind('/') + 1); // $libdir/pg_cron; npos + 1 is 0
        if (entry.ends_with(".so"))
            entry.remove_suffix(3);
        const auto library = std::ranges::find(libraries, entry, &OutsideLibrary::name);
        if (library != libraries.end())
            acting.push_back(*library);
    }
    return acting;
}

} // namespace arbor
