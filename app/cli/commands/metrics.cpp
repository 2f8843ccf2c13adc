#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

// The text form that monitoring scrapes.
std::string exposition(const QJsonArray& metrics) {
    std::string text;
    QString described;
    for (const QJsonValue& value : metrics) {
        const QJsonObject m = value.toObject();
        const QString name = m.value("name").toString();
        if (name != described) {
            text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", plainText(name), plainText(m.value("help")),
                                plainText(name), plainText(m.value("type")));
            described = name;
        }
        std::string labels;
        const QJsonObject pairs = m.value("labels").toObject();
        for (auto label = pairs.begin(); label != pairs.end(); ++label) {
            QString shown = label.value().toString();
            shown.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            labels += fmt::format("{}{}=\"{}\"", labels.empty() ? "" : ",", label.key().toStdString(),
                                  shown.toStdString());
        }
        text += fmt::format("{}{} {}\n", plainText(name), labels.empty() ? "" : "{" + labels + "}",
                            plainText(m.value("value")));
    }
    return text;
}

Result<int> run(const Invocation&, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::metrics, {}));
    session.print(
        result, [&](std::ostream& out) { out << exposition(result.toObject().value("metrics").toArray()); });
    return 0;
}
} // namespace

std::vector<Command> metrics() {
    return {{"metrics", "print the engine's counters, in Prometheus's text form", {}, {}, {}, run}};
}

} // namespace arbor::commands
