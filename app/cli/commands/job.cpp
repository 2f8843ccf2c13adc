#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> list(const Invocation&, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::jobList, {}));
    const QJsonArray jobs = result.toObject().value("jobs").toArray();
    session.print(jobs, [&](std::ostream& out) {
        Table table({{"ID", Table::Align::Right},
                     {"STATE"},
                     {"DONE", Table::Align::Right},
                     {"STARTED"},
                     {"JOB"},
                     {""}});
        for (const QJsonValue& value : jobs) {
            const QJsonObject j = value.toObject();
            const QJsonValue fraction = j.value("fraction");
            table.add({plainText(j.value("id")), plainText(j.value("state")),
                       fraction.isDouble() ? fmt::format("{:.0f} %", fraction.toDouble() * 100) : "-",
                       agoText(j.value("startedAt"), session.now()), plainText(j.value("title")),
                       plainText(j.value("text"))});
        }
        out << (table.empty() ? "no jobs\n" : table.toString());
    });
    return 0;
}

Result<int> cancel(const Invocation& invocation, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result,
                 session.call(method::jobCancel, {{"id", std::stoll(invocation.value("ID"))}}));
    session.print(result, [&](std::ostream& out) {
        const QJsonValue state = result.toObject().value("state");
        if (state == "running")
            out << "asked job " << invocation.value("ID") << " to stop\n";
        else
            out << "job " << invocation.value("ID") << " has ended already: " << plainText(state) << '\n';
    });
    return 0;
}
} // namespace

std::vector<Command> job() {
    return {{"job list", "show the long operations that run, and the last that ended", {}, {}, {}, list},
            {"job cancel", "ask a job to stop", {}, {{"ID", ValueKind::Number, "the job"}}, {}, cancel}};
}

} // namespace arbor::commands
