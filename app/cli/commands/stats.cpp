#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> run(const Invocation& invocation, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result,
                 session.call(method::stats, paramsOf(invocation, {{"NAME", "branch"}})));
    session.print(result, [&](std::ostream& out) {
        const QJsonObject stats = result.toObject();
        Table table({{"BRANCH"},
                     {"PRIVATE", Table::Align::Right},
                     {"SHARED", Table::Align::Right},
                     {"HISTORY", Table::Align::Right}});
        for (const QJsonValue& value : stats.value("branches").toArray()) {
            const QJsonObject b = value.toObject();
            table.add({plainText(b.value("name")), bytesText(b.value("privateBytes")),
                       bytesText(b.value("sharedBytes")), bytesText(b.value("historyBytes"))});
        }
        out << table.toString() << '\n' << objectText(stats);
    });
    return 0;
}
} // namespace

std::vector<Command> stats() {
    return {{"stats",
             "show where the bytes are",
             {},
             {{"NAME", ValueKind::Branch, "only this branch", false}},
             {},
             run}};
}

} // namespace arbor::commands
