#include "app/postgres/reports.h"

#include <libpq-fe.h>

#include <charconv>
#include <cstdlib>

namespace arbor {

namespace {

std::vector<std::string> firstColumn(const QueryOutcome& outcome, std::size_t statement) {
    std::vector<std::string> values;
    if (statement < outcome.results.size())
        for (const Row& row : outcome.results[statement])
            if (!row.empty() && row.front())
                values.push_back(*row.front());
    return values;
}

template <class Number>
Number number(const std::optional<std::string>& text) {
    Number value{};
    if (text)
        std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

enum Statement : std::size_t { Dropped, Kept, Subscriptions, Prepared, Preloaded, Archives };

} // namespace

std::vector<std::string> outsideStatements(bool dropSlots) {
    // Quoted names and pg_catalog: the database may hold anything under the same names.
    const std::string drop = dropSlots ? "SELECT s.slot_name FROM pg_catalog.pg_replication_slots s, "
                                         "LATERAL pg_catalog.pg_drop_replication_slot(s.slot_name) WHERE NOT "
                                         "s.active AND NOT s.temporary"
                                       : "SELECT NULL WHERE false";
    return {
        drop,
        "SELECT slot_name FROM pg_catalog.pg_replication_slots WHERE NOT temporary ORDER BY 1",
        "SELECT s.subname || ' in ' || d.datname FROM pg_catalog.pg_subscription s "
        "JOIN pg_catalog.pg_database d ON d.oid = s.subdbid ORDER BY 1",
        "SELECT gid || ' in ' || database || ' of ' || owner FROM pg_catalog.pg_prepared_xacts ORDER BY 1",
        "SELECT pg_catalog.concat_ws(',', pg_catalog.current_setting('shared_preload_libraries'), "
        "pg_catalog.current_setting('session_preload_libraries'))",
        "SELECT pg_catalog.current_setting('archive_mode') WHERE pg_catalog.current_setting('archive_mode') "
        "<> 'off'",
    };
}

OutsideReport readOutsideReport(const QueryOutcome& outcome) {
    OutsideReport report;
    report.droppedSlots = firstColumn(outcome, Dropped);
    report.keptSlots = firstColumn(outcome, Kept);
    report.subscriptions = firstColumn(outcome, Subscriptions);
    report.preparedTransactions = firstColumn(outcome, Prepared);
    report.archives = !firstColumn(outcome, Archives).empty();
    for (const std::string& list : firstColumn(outcome, Preloaded))
        for (const OutsideLibrary& library : outsideLibraries(list))
            report.warnings.push_back(
                library.offSetting.empty()
                    ? fmt::format(
                          "The preloaded library {} {}, and has no switch to keep it from doing so on a "
                          "fork: take it off shared_preload_libraries if it must not.",
                          library.name, library.what)
                    : fmt::format("The preloaded library {} {}; {} keeps it from doing so on a fork.",
                                  library.name, library.what, library.offSetting));
    return report;
}

std::vector<std::string> activityStatements() {
    return {
        "SELECT count(*) FILTER (WHERE application_name <> 'pgarbor'), count(*) FILTER (WHERE state <> "
        "'idle'), "
        "(extract(epoch FROM max(greatest(state_change, query_start, backend_start))) * 1000000)::bigint, "
        "(SELECT coalesce(sum((pg_catalog.to_jsonb(d) ->> 'sessions')::bigint), 0)::bigint "
        "FROM pg_catalog.pg_stat_database d) "
        "FROM pg_catalog.pg_stat_activity "
        "WHERE backend_type IN ('client backend', 'walsender') AND pid <> pg_catalog.pg_backend_pid()"};
}

std::optional<Activity> readActivity(const QueryOutcome& outcome) {
    if (outcome.kind != QueryOutcome::Kind::Answered || outcome.results.size() != 1 ||
        outcome.results.front().size() != 1 || outcome.results.front().front().size() != 4)
        return std::nullopt;
    const Row& row = outcome.results.front().front();
    Activity activity;
    activity.connections = number<int>(row[0]);
    activity.busy = number<int>(row[1]);
    if (row[2])
        activity.lastChange = Timestamp{number<std::int64_t>(row[2])};
    activity.sessionsSoFar = number<std::uint64_t>(row[3]);
    return activity;
}

std::string setPasswordStatement(const std::string& role, const std::string& password) {
    // libpq wants a connection for its error messages only; with the algorithm given, one that leads nowhere
    // will do.
    const char* const keywords[] = {"host", nullptr};
    const char* const values[] = {"/dev/null", nullptr};
    pg_conn* connection = PQconnectStartParams(keywords, values, 0);
    char* verifier = PQencryptPasswordConn(connection, password.c_str(), role.c_str(), "scram-sha-256");
    PQfinish(connection);
    if (verifier == nullptr)
        return {};
    std::string quoted;
    for (const char c : role)
        quoted += c == '"' ? "\"\"" : std::string(1, c);
    std::string statement = fmt::format("ALTER ROLE \"{}\" PASSWORD '{}'", quoted, verifier);
    PQfreemem(verifier);
    return statement;
}

} // namespace arbor
