#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

// "head of main, checkpoint before-migration of main".
std::string keepersText(const QJsonObject& version) {
    if (!version.value("needed").toBool())
        return "nobody: the next sweep frees it";
    QStringList keepers;
    for (const QJsonValue& value : version.value("pins").toArray()) {
        const QJsonObject pin = value.toObject();
        const QString kind = pin.value("kind").toString(), name = pin.value("name").toString();
        const QString branch = pin.value("branch").toString();
        keepers += kind == QLatin1String("reader") ? name
                   : branch.isEmpty() || branch == name
                       ? QStringLiteral("%1 of %2").arg(kind, name)
                       : QStringLiteral("%1 %2 of %3").arg(kind, name, branch);
    }
    return keepers.isEmpty() ? "many" : keepers.join(", ").toStdString();
}

Result<int> run(const Invocation& invocation, Session& session) {
    QJsonObject params = paramsOf(invocation, {{"BRANCH", "branch"}, {"RELATION", "relation"}, {"at", "at"}});
    params.insert("block", std::stoll(invocation.value("BLOCK")));
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::pageTrace, params));
    session.print(result, [&](std::ostream& out) {
        out << objectText(result.toObject());
        Table chain(
            {{"ASKED"}, {"TIMELINE", Table::Align::Right}, {"VERSIONS", Table::Align::Right}, {"ANSWERS"}});
        for (const QJsonValue& value : result.toObject().value("chain").toArray()) {
            const QJsonObject step = value.toObject();
            chain.add({plainText(step.value("branch")), plainText(step.value("timeline")),
                       plainText(step.value("versions")), step.value("answers").toBool() ? "yes" : ""});
        }
        if (!chain.empty())
            out << '\n' << chain.toString();
        Table table({{"POSITION", Table::Align::Right},
                     {"LSN"},
                     {"WRITTEN"},
                     {"BRANCH"},
                     {"TIMELINE", Table::Align::Right},
                     {"STORED", Table::Align::Right},
                     {"KEPT BY"}});
        for (const QJsonValue& value : result.toObject().value("versions").toArray()) {
            const QJsonObject v = value.toObject();
            table.add({plainText(v.value("position")), plainText(v.value("lsn")), timeText(v.value("time")),
                       plainText(v.value("branch")), plainText(v.value("timeline")),
                       bytesText(v.value("storedBytes")), keepersText(v)});
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
