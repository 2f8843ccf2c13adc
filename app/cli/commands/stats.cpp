#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

#include <algorithm>

namespace arbor::commands {

namespace {

void printRelations(const QJsonArray& relations, std::ostream& out) {
    constexpr qsizetype few = 20;
    Table table({{"RELATION"},
                 {"KIND"},
                 {"DATABASE"},
                 {"PRIVATE", Table::Align::Right},
                 {"PINNED", Table::Align::Right}});
    for (qsizetype i = 0; i < std::min(relations.size(), few); ++i) {
        const QJsonObject one = relations.at(i).toObject();
        std::string name = one.value("relation").toString().toStdString();
        if (name.empty())
            name = one.value("file").toString("files that are gone").toStdString();
        if (one.value("gone").toBool() && one.contains("file"))
            name += " (gone)";
        table.add({name, plainText(one.value("kind")), plainText(one.value("database")),
                   bytesText(one.value("privateBytes")), bytesText(one.value("pinnedBytes"))});
    }
    out << '\n' << table.toString();
    if (relations.size() > few)
        out << "and " << relations.size() - few << " more\n";
}

Result<int> run(const Invocation& invocation, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result,
                 session.call(method::stats, paramsOf(invocation, {{"NAME", "branch"}})));
    session.print(result, [&](std::ostream& out) {
        QJsonObject stats = result.toObject();
        const QJsonValue relations = stats.take("relations");
        stats.remove("limitState"); // the warning says it
        QStringList remedies;
        for (const QJsonValue& remedy : stats.take("remedies").toArray())
            remedies += remedy["text"].toString();
        if (!remedies.isEmpty())
            stats.insert("remedies", remedies.join(QStringLiteral("; ")));
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
        if (relations.isArray())
            printRelations(relations.toArray(), out);
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
