#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> run(const Invocation&, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::scrub, {}));
    const QJsonArray problems = result.toObject().value("problems").toArray();
    const auto count = result.toObject().value("problemCount").toInteger();
    session.print(result, [&](std::ostream& out) {
        out << "checked " << bytesText(result.toObject().value("checkedBytes"))
            << (count == 0 ? ", found nothing wrong\n" : ":\n");
        for (const QJsonValue& problem : problems)
            out << plainText(problem) << '\n';
        if (count > problems.size())
            out << "and " << count - problems.size() << " more\n";
    });
    if (count > 0)
        return makeError(ErrorKind::Corruption, "{} damaged",
                         count == 1 ? "1 thing is" : fmt::format("{} things are", count));
    return 0;
}
} // namespace

std::vector<Command> scrub() {
    return {{"scrub", "read everything and check every checksum", {}, {}, {}, run}};
}

} // namespace arbor::commands
