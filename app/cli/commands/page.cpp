#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> run(const Invocation& invocation, Session& session) {
    QJsonObject params = paramsOf(invocation, {{"BRANCH", "branch"}, {"RELATION", "relation"}, {"at", "at"}});
    params.insert("block", std::stoll(invocation.value("BLOCK")));
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::pageTrace, params));
    session.print(result, [&](std::ostream& out) {
        out << objectText(result.toObject());
        Table table({{"POSITION", Table::Align::Right},
                     {"LSN"},
                     {"BRANCH"},
                     {"TIMELINE", Table::Align::Right},
                     {"STORED", Table::Align::Right}});
        for (const QJsonValue& value : result.toObject().value("versions").toArray()) {
            const QJsonObject v = value.toObject();
            table.add({plainText(v.value("position")), plainText(v.value("lsn")),
                       plainText(v.value("branch")), plainText(v.value("timeline")),
                       bytesText(v.value("storedBytes"))});
        }
        if (!table.empty())
            out << '\n' << table.toString();
    });
    return 0;
}
} // namespace

std::vector<Command> page() {
    return {{"page",
             "show where a page of a branch comes from",
             {{"at", "POS", ValueKind::Position, "at this point (default: head)"}},
             {{"BRANCH", ValueKind::Branch, "the branch"},
              {"RELATION", ValueKind::Text, "a file, base/5/16384, or a table of the database postgres"},
              {"BLOCK", ValueKind::Number, "the block, from 0"}},
             {},
             run}};
}

} // namespace arbor::commands
