#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> create(const Invocation& invocation, Session& session) {
    return callAndSay(session, method::checkpointCreate,
                      paramsOf(invocation, {{"NAME", "name"}, {"branch", "branch"}, {"at", "at"}}),
                      toQt("made checkpoint " + invocation.value("NAME")));
}

Result<int> list(const Invocation& invocation, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result,
                 session.call(method::checkpointList, paramsOf(invocation, {{"branch", "branch"}})));
    const QJsonArray checkpoints = result.toObject().value("checkpoints").toArray();
    session.print(checkpoints, [&](std::ostream& out) {
        Table table({{"NAME"}, {"BRANCH"}, {"LSN"}, {"TIME"}, {"ONLY", Table::Align::Right}, {""}});
        for (const QJsonValue& value : checkpoints) {
            const QJsonObject c = value.toObject();
            table.add({plainText(c.value("name")), plainText(c.value("branch")), plainText(c.value("lsn")),
                       timeText(c.value("time")), bytesText(c.value("onlyBytes")),
                       c.value("offLine").toBool() ? "off the line" : ""});
        }
        out << table.toString();
    });
    return 0;
}

Result<int> remove(const Invocation& invocation, Session& session) {
    return callAndSay(session, method::checkpointDelete,
                      paramsOf(invocation, {{"NAME", "name"}, {"branch", "branch"}}),
                      toQt("deleted checkpoint " + invocation.value("NAME")));
}
} // namespace

std::vector<Command> checkpoint() {
    const PositionalSpec name{"NAME", ValueKind::Checkpoint, "the checkpoint"};
    const OptionSpec branch{"branch", "BRANCH", ValueKind::Branch, "the branch whose history it names", true};
    OptionSpec anyBranch = branch;
    anyBranch.required = false;
    anyBranch.summary = "only those of this branch";
    return {{"checkpoint create",
             "name a point of a branch's history, and keep it",
             {branch, {"at", "POS", ValueKind::Position, "the point (default: head)"}},
             {name},
             {},
             create},
            {"checkpoint list", "show the checkpoints", {anyBranch}, {}, {}, list},
            {"checkpoint delete", "forget a checkpoint", {branch}, {name}, {}, remove}};
}

} // namespace arbor::commands
