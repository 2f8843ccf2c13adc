#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"
#include "app/control/arguments.h"
#include "app/control/runtime_dir.h"

#include <filesystem>

namespace arbor::commands {

namespace {

Result<int> run(const Invocation& invocation, Session& session) {
    ARBOR_TRY(checkInitdbOptions(invocation.rest));
    QJsonObject params{{"demo", invocation.has("demo")}};
    if (invocation.has("pg-bin"))
        params.insert("pgBin", absolutePath(invocation.value("pg-bin")));
    QJsonArray options;
    for (const std::string& option : invocation.rest)
        options.append(toQt(option));
    params.insert("initdbOptions", options);
    std::error_code ignored;
    const bool wasThere = std::filesystem::exists(session.store(), ignored);
    ARBOR_TRY(session.connectToMakeStore());
    auto result = session.call(method::storeInit, params);
    if (!result) {
        // The engine that was started to make a store has nothing to serve.
        if (!storeExists(session.store()).value_or(true) && session.client().isConnected()) {
            (void)session.client().call(method::engineStop, {}, std::chrono::seconds(10));
            session.client().waitForDisconnect(std::chrono::seconds(10));
            // an engine that root started may not remove what it made in a directory of root's
            if (!wasThere)
                std::filesystem::remove(session.store(), ignored);
        }
        return std::move(result).error();
    }
    session.print(*result, [&](std::ostream& out) {
        out << "made a store at " << session.store() << " with the branch "
            << plainText(result->toObject().value("branch").toObject().value("name")) << '\n';
    });
    return 0;
}
} // namespace

std::vector<Command> init() {
    return {
        {"init",
         "make a new store with the root branch main",
         {{"demo", "", ValueKind::Flag, "with a small bank, two branches and a DROP TABLE to go back before"},
          {"pg-bin", "DIR", ValueKind::Directory, "the directory of the postgres to use"}},
         {},
         "INITDB-OPTION",
         run}};
}

} // namespace arbor::commands
