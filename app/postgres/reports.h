// What is asked of a running server, as statements and readers of their answers.
#pragma once

#include "app/postgres/endpoint_config.h"
#include "app/postgres/queries.h"
#include "storage/base/time.h"

#include <optional>
#include <string>
#include <vector>

namespace arbor {

// What on a fork would act on the outside, or waits for it. The endpoint's first event shows it.
struct OutsideReport {
    std::vector<std::string> droppedSlots; // by this start
    std::vector<std::string> keptSlots;    // the rule was lifted, or a session held them
    // Before one of these is dropped, ALTER SUBSCRIPTION ... SET (slot_name = NONE): a drop would remove the
    // parent's slot at the publisher.
    std::vector<std::string> subscriptions;        // "name in database"
    std::vector<std::string> preparedTransactions; // "gid in database of owner"; they keep their locks
    std::vector<std::string> warnings;             // sentences, about preloaded libraries
    bool archives = false;                         // archive_mode is not off
    bool isEmpty() const {
        return droppedSlots.empty() && keptSlots.empty() && subscriptions.empty() &&
               preparedTransactions.empty() && warnings.empty() && !archives;
    }
};
// With dropSlots, the slots that nobody uses are dropped first. Better still, whoever made the fork leaves
// pg_replslot empty before the first start: a slot that needs more than wal_level gives keeps the server from
// starting at all.
std::vector<std::string> outsideStatements(bool dropSlots);
OutsideReport readOutsideReport(const QueryOutcome& outcome);

// Whether anybody uses the server. Sampling costs one connection.
struct Activity {
    int connections = 0; // of clients and standbys, without PgArbor's own
    int busy = 0;        // in a statement, or in a transaction
    std::optional<Timestamp>
        lastChange; // the latest begin or end of a statement among the present connections
    std::uint64_t sessionsSoFar =
        0; // grows with every session that ended, our own included; 0 before major 14
};
std::vector<std::string> activityStatements();
std::optional<Activity> readActivity(const QueryOutcome& outcome);

// "ALTER ROLE ... PASSWORD" with a scram verifier, so that the password itself appears in no log. Empty when
// libpq cannot make one.
std::string setPasswordStatement(const std::string& role, const std::string& password);

} // namespace arbor
