#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

void printPlan(const QJsonObject& plan, std::ostream& out) {
    out << "a sweep would free " << bytesText(plan.value("freeBytes")) << " of "
        << bytesText(plan.value("diskBytes")) << "\n\n";
    Table table({{"KEPT BY"}, {"NAME"}, {"BRANCH"}, {"FROM"}, {"TO"}, {"ONLY", Table::Align::Right}});
    for (const QJsonValue& value : plan.value("pins").toArray()) {
        const QJsonObject pin = value.toObject();
        table.add({plainText(pin.value("kind")), plainText(pin.value("name")), plainText(pin.value("branch")),
                   plainText(pin.value("fromLsn")), plainText(pin.value("toLsn")),
                   bytesText(pin.value("onlyBytes"))});
    }
    out << table.toString();
}

Result<int> plan(const Invocation& invocation, Session& session) {
    QJsonObject params = paramsOf(invocation, {{"history", "history"}});
    if (const auto without = invocation.values.find("without"); without != invocation.values.end()) {
        QJsonArray pins;
        for (const std::string& pin : without->second)
            pins.append(toQt(pin));
        params.insert("without", pins);
    }
    if (invocation.has("check"))
        params.insert("check", true);
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::gcPlan, params));
    const QJsonObject object = result.toObject();
    session.print(result, [&](std::ostream& out) { printPlan(object, out); });
    if (invocation.has("check") && object.value("limitPassed").toBool())
        return makeError(ErrorKind::LimitPassed, "{}",
                         object.value("limitText").toString("a limit is passed").toStdString());
    return 0;
}

Result<int> run(const Invocation&, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::gcRun, {}));
    session.print(result, [&](std::ostream& out) {
        out << "freed " << bytesText(result.toObject().value("freedBytes")) << " of "
            << bytesText(result.toObject().value("plannedBytes")) << " planned\n";
        for (const QJsonValue& problem : result.toObject().value("problems").toArray())
            out << "left alone: " << plainText(problem) << '\n';
    });
    return 0;
}
} // namespace

std::vector<Command> gc() {
    return {{"gc plan",
             "show what a sweep would free, and what keeps the rest",
             {{"without", "branch:N", ValueKind::Pin,
               "as if these were gone: branch:NAME, checkpoint:NAME@BRANCH", false, true},
              {"history", "1d", ValueKind::Duration, "as if the history window were this long"},
              {"check", "", ValueKind::Flag, "exit with 6 when a limit is passed"}},
             {},
             {},
             plan},
            {"gc run", "free what nothing needs", {}, {}, {}, run}};
}

} // namespace arbor::commands
