#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> run(const Invocation& invocation, Session& session) {
    QJsonObject params = paramsOf(invocation, {{"NAME", "branch"}, {"at", "at"}});
    params.insert("directory", absolutePath(invocation.value("DIR")));
    return callAndSay(session, method::storeExport, params,
                      "exported to " + absolutePath(invocation.value("DIR")));
}
} // namespace

std::vector<Command> exportBranch() {
    return {{"export",
             "write a branch as an ordinary, cleanly stopped data directory",
             {{"at", "POS", ValueKind::Position, "the point of its history (default: head)"}},
             {{"NAME", ValueKind::Branch, "the branch"},
              {"DIR", ValueKind::Directory, "a directory that does not exist yet"}},
             {},
             run}};
}

} // namespace arbor::commands
