#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> run(const Invocation&, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::scrub, {}));
    session.print(result, [&](std::ostream& out) {
        out << "checked " << bytesText(result.toObject().value("checkedBytes")) << ", found nothing wrong\n";
    });
    return 0;
}
} // namespace

std::vector<Command> scrub() {
    return {{"scrub", "read everything and check every checksum", {}, {}, {}, run}};
}

} // namespace arbor::commands
