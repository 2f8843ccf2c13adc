#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> list(const Invocation&, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::oplogList, {}));
    const QJsonArray operations = result.toObject().value("operations").toArray();
    session.print(operations, [&](std::ostream& out) {
        Table table({{"ID", Table::Align::Right}, {"WHEN"}, {"CLIENT"}, {"OPERATION"}, {""}});
        for (const QJsonValue& value : operations) {
            const QJsonObject o = value.toObject();
            table.add({plainText(o.value("id")), agoText(o.value("time"), session.now()),
                       plainText(o.value("client")), plainText(o.value("text")),
                       o.value("undone").toBool() ? "undone" : ""});
        }
        out << table.toString();
    });
    return 0;
}

Result<int> undoOrRedo(Session& session, const char* method, const QJsonObject& params, const char* word) {
    ARBOR_ASSIGN(const QJsonValue result, session.call(method, params));
    session.print(result, [&](std::ostream& out) {
        const QJsonObject operation = result.toObject().value("operation").toObject();
        out << word << ": " << plainText(operation.value(operation.contains("of") ? "of" : "text")) << '\n';
    });
    return 0;
}

Result<int> undo(const Invocation& invocation, Session& session) {
    QJsonObject params;
    if (invocation.has("ID"))
        params.insert("id", std::stoll(invocation.value("ID")));
    return undoOrRedo(session, method::oplogUndo, params, "undone");
}
Result<int> redo(const Invocation&, Session& session) {
    return undoOrRedo(session, method::oplogRedo, {}, "done again");
}
} // namespace

std::vector<Command> oplog() {
    return {{"log", "show the operations of every client, newest first", {}, {}, {}, list},
            {"undo",
             "undo the last operation, or the one with an id",
             {},
             {{"ID", ValueKind::Number, "the operation, from pgarborctl log", false}},
             {},
             undo},
            {"redo", "do again what was undone last", {}, {}, {}, redo}};
}

} // namespace arbor::commands
