#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> list(const Invocation&, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::trashList, {}));
    const QJsonArray trash = result.toObject().value("trash").toArray();
    session.print(trash, [&](std::ostream& out) {
        Table table({{"NAME"}, {"WHY"}, {"HEAD"}, {"PRIVATE", Table::Align::Right}, {"DELETED"}, {"FREED"}});
        for (const QJsonValue& value : trash) {
            const QJsonObject t = value.toObject();
            table.add({plainText(t.value("name")), plainText(t.value("reason")),
                       plainText(t.value("headLsn")), bytesText(t.value("privateBytes")),
                       agoText(t.value("deletedAt"), session.now()),
                       agoText(t.value("freedAt"), session.now())});
        }
        out << (table.empty() ? "the trash is empty\n" : table.toString());
    });
    return 0;
}

Result<int> restore(const Invocation& invocation, Session& session) {
    return callAndSay(session, method::trashRestore, paramsOf(invocation, {{"NAME", "name"}}),
                      toQt("brought back " + invocation.value("NAME")));
}
} // namespace

std::vector<Command> trash() {
    return {{"trash list", "show what the trash holds", {}, {}, {}, list},
            {"trash restore",
             "bring a branch back from the trash",
             {},
             {{"NAME", ValueKind::Branch, "its name in the trash"}},
             {},
             restore}};
}

} // namespace arbor::commands
