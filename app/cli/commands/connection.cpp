#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"
#include <algorithm>
#include <cstring>

namespace arbor::commands {

namespace {

Result<int> url(const Invocation& invocation, Session& session) {
    QJsonObject params = paramsOf(invocation, {{"NAME", "name"}});
    if (invocation.has("tcp"))
        params.insert("tcp", true);
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::endpointConnection, params));
    const QJsonValue text = result.toObject().value("url");
    session.print(QJsonObject{{"url", text}}, [&](std::ostream& out) { out << plainText(text) << '\n'; });
    return 0;
}

// NAME=VALUE that a shell reads back as it is, also through `eval` and `export $(...)` for plain values.
std::string shellLine(const QString& name, const std::string& value) {
    const auto plain = [](char c) {
        return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("/._-:@%+", c);
    };
    if (std::all_of(value.begin(), value.end(), plain))
        return name.toStdString() + "=" + value;
    std::string quotedValue;
    for (const char c : value)
        quotedValue += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return name.toStdString() + "='" + quotedValue + "'";
}

Result<int> env(const Invocation& invocation, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result,
                 session.call(method::endpointConnection, paramsOf(invocation, {{"NAME", "name"}})));
    const QJsonObject variables = result.toObject().value("env").toObject();
    session.print(variables, [&](std::ostream& out) {
        for (auto variable = variables.begin(); variable != variables.end(); ++variable)
            out << shellLine(variable.key(), variable.value().toString().toStdString()) << '\n';
    });
    return 0;
}
} // namespace

std::vector<Command> connection() {
    const PositionalSpec name{"NAME", ValueKind::Branch, "the branch"};
    return {{"url",
             "print the postgresql:// URL of a branch (starts nothing)",
             {{"tcp", "", ValueKind::Flag, "over 127.0.0.1 with the password, not over the socket"}},
             {name},
             {},
             url},
            {"env", "print PGHOST=... lines for a branch (starts nothing)", {}, {name}, {}, env}};
}

} // namespace arbor::commands
