#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> run(const Invocation& invocation, Session& session) {
    QJsonObject params = paramsOf(invocation, {{"NAME", "branch"}, {"from", "from"}, {"to", "to"}});
    QJsonArray marks;
    for (;;) { // a page at a time, so that no answer is too long
        ARBOR_ASSIGN(const QJsonValue result, session.call(method::timelineMarks, params));
        for (const QJsonValue& mark : result.toObject().value("marks").toArray())
            marks.append(mark);
        const QJsonValue next = result.toObject().value("next");
        if (next.isNull() || next.isUndefined())
            break;
        params.insert("after", next);
    }
    session.print(marks, [&](std::ostream& out) {
        Table table({{"LSN"}, {"TIME"}, {"MARK"}, {"NAME"}, {"XID", Table::Align::Right}, {""}});
        for (const QJsonValue& value : marks) {
            const QJsonObject m = value.toObject();
            table.add({plainText(m.value("lsn")), timeText(m.value("time")), plainText(m.value("kind")),
                       plainText(m.value("name")), plainText(m.value("xid")),
                       m.value("text").toString().isEmpty() ? "" : plainText(m.value("text"))});
        }
        out << table.toString();
    });
    return 0;
}
} // namespace

std::vector<Command> timeline() {
    return {{"timeline",
             "show the marks of a branch's history: forks, checkpoints, restore points, commits, drops",
             {{"from", "POS", ValueKind::Position, "the first point (default: the start of the history)"},
              {"to", "POS", ValueKind::Position, "the last point (default: head)"}},
             {{"NAME", ValueKind::Branch, "the branch"}},
             {},
             run}};
}

} // namespace arbor::commands
