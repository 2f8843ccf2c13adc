#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"
#include "storage/base/units.h"

namespace arbor::commands {

namespace {

void printProposal(const QJsonObject& plan, std::ostream& out) {
    const bool isEnough = plan.value("enough").toBool();
    const QJsonArray proposed = plan.value("proposed").toArray();
    const std::string wanted = bytesText(plan.value("wantedBytes"));
    if (proposed.isEmpty())
        out << (isEnough ? "a sweep alone frees " + wanted
                         : "nothing may go: what runs, is protected or a root is never proposed")
            << '\n';
    else
        out << (isEnough ? "to free " + wanted + ", remove"
                         : "no list frees " + wanted + "; all that may go:")
            << "\n\n";
    Table table({{"REMOVE"}, {"LAST USED"}, {"ALONE", Table::Align::Right}});
    std::string command = "pgarborctl gc run";
    for (const QJsonValue& value : proposed) {
        const QJsonObject one = value.toObject();
        table.add({plainText(one.value("what")), plainText(one.value("lastUsed")),
                   bytesText(one.value("onlyBytes"))});
        command += " --without " + one.value("what").toString().toStdString();
    }
    if (!proposed.isEmpty())
        out << table.toString() << "\nfor good, with: " << command << '\n';
    out << '\n';
}

void printPlan(const QJsonObject& plan, std::ostream& out) {
    if (plan.contains("wantedBytes"))
        printProposal(plan, out);
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

void addWithout(const Invocation& invocation, QJsonObject& params) {
    const auto without = invocation.values.find("without");
    if (without == invocation.values.end())
        return;
    QJsonArray names;
    for (const std::string& name : without->second)
        names.append(toQt(name));
    params.insert("without", names);
}

Result<int> plan(const Invocation& invocation, Session& session) {
    QJsonObject params = paramsOf(invocation, {{"history", "history"}, {"free", "free"}});
    addWithout(invocation, params);
    if (invocation.has("free"))
        ARBOR_TRY(parseSize(invocation.value("free")));
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

Result<int> run(const Invocation& invocation, Session& session) {
    QJsonObject params;
    addWithout(invocation, params);
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::gcRun, params));
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
               "as if these were gone: branch:NAME, checkpoint:NAME@BRANCH, trash", false, true},
              {"history", "1d", ValueKind::Duration, "as if the history window were this long"},
              {"free", "20GB", ValueKind::Text, "find a short list of removals that frees this much"},
              {"check", "", ValueKind::Flag, "exit with 6 when a limit is passed"}},
             {},
             {},
             plan},
            {"gc run",
             "free what nothing needs",
             {{"without", "branch:N", ValueKind::Pin,
               "remove these for good first: branch:NAME, checkpoint:NAME@BRANCH, trash", false, true}},
             {},
             {},
             run}};
}

} // namespace arbor::commands
