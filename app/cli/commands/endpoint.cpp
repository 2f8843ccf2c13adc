#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> onBranches(const Invocation& invocation, Session& session, const char* method) {
    if (invocation.has("all") == invocation.has("NAME"))
        return makeError(ErrorKind::InvalidArgument, "name a branch, or say --all");
    const QJsonObject params =
        invocation.has("all") ? QJsonObject{{"all", true}} : paramsOf(invocation, {{"NAME", "name"}});
    ARBOR_ASSIGN(const QJsonValue result, session.call(method, params));
    session.print(result.toObject().value("branches"), [&](std::ostream& out) {
        for (const QJsonValue& value : result.toObject().value("branches").toArray()) {
            const QJsonObject branch = value.toObject();
            out << plainText(branch.value("name")) << ": "
                << stateText(branch.value("state"), session.colour());
            if (branch.value("state") == "running")
                out << ", port " << plainText(branch.value("port"));
            out << '\n';
            for (const QJsonValue& warning : branch.value("warnings").toArray())
                out << "warning: " << plainText(warning) << '\n';
        }
    });
    return 0;
}

Result<int> start(const Invocation& invocation, Session& session) {
    return onBranches(invocation, session, method::endpointStart);
}
Result<int> stop(const Invocation& invocation, Session& session) {
    return onBranches(invocation, session, method::endpointStop);
}
Result<int> restart(const Invocation& invocation, Session& session) {
    return onBranches(invocation, session, method::endpointRestart);
}
} // namespace

std::vector<Command> endpoint() {
    const std::vector<OptionSpec> options{{"all", "", ValueKind::Flag, "all branches"}};
    const std::vector<PositionalSpec> positionals{{"NAME", ValueKind::Branch, "the branch", false}};
    return {{"start",
             "start the Postgres of a branch, and wait until it answers queries",
             options,
             positionals,
             {},
             start},
            {"stop", "stop the Postgres of a branch", options, positionals, {}, stop},
            {"restart", "stop and start the Postgres of a branch", options, positionals, {}, restart}};
}

} // namespace arbor::commands
