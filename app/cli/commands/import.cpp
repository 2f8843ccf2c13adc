#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> run(const Invocation& invocation, Session& session) {
    QJsonObject params{{"name", toQt(invocation.value("NAME"))}};
    if (invocation.has("from") == invocation.has("DIR"))
        return makeError(ErrorKind::InvalidArgument,
                         "import takes either a data directory or --from URL, and a name");
    if (invocation.has("from"))
        params.insert("from", toQt(invocation.value("from")));
    else
        params.insert("directory", absolutePath(invocation.value("DIR")));
    return callAndSay(session, method::storeImport, params, "imported " + toQt(invocation.value("NAME")));
}
} // namespace

std::vector<Command> import() {
    return {{"import",
             "make a root branch of a stopped data directory, or of a live server by pg_basebackup",
             {{"from", "URL", ValueKind::Text, "the live server, postgresql://..."}},
             {{"DIR", ValueKind::Directory, "a data directory whose server is stopped", false},
              {"NAME", ValueKind::Branch, "the new branch"}},
             {},
             run}};
}

} // namespace arbor::commands
