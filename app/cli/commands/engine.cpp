#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"
#include "app/control/engine_launcher.h"
#include "app/control/runtime_dir.h"

#include <unistd.h>

#include <cerrno>

namespace arbor::commands {

namespace {

Result<int> status(const Invocation&, Session& session) {
    const Status connected = session.connectIfRunning();
    if (!connected) {
        if (connected.error().kind() == ErrorKind::Unreachable)
            session.print(QJsonObject{{"running", false}, {"store", toQt(session.store())}},
                          [&](std::ostream& out) { out << "not running\n"; });
        return connected.error();
    }
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::engineStatus, {}));
    session.print(result, [&](std::ostream& out) { out << objectText(result.toObject()); });
    return 0;
}

Result<int> stop(const Invocation&, Session& session) {
    const Status connected = session.connectIfRunning();
    if (!connected && connected.error().kind() != ErrorKind::Unreachable)
        return connected.error();
    if (connected) {
        const auto result = session.call(method::engineStop, {});
        // An engine that ends before its answer has gone out has done as it was told.
        if (!result && result.error().kind() != ErrorKind::Unreachable)
            return result.error();
        if (!session.client().waitForDisconnect(std::chrono::minutes(5)))
            return makeError(ErrorKind::Io, "the engine has not ended within 5 minutes");
    }
    session.print(QJsonObject{{"running", false}, {"wasRunning", connected.has_value()}},
                  [&](std::ostream& out) { out << (connected ? "stopped\n" : "not running\n"); });
    return 0;
}

Result<int> run(const Invocation&, Session& session) {
    ARBOR_ASSIGN(const bool exists, storeExists(session.store()));
    if (!exists)
        return makeError(ErrorKind::NotFound, "{}", noStoreMessage(session.store()));
    ARBOR_ASSIGN(std::string engine, findEngine());
    std::string store = session.store();
    std::string option = "--store";
    char* argv[] = {engine.data(), option.data(), store.data(), nullptr};
    execv(argv[0], argv);
    return errnoError(errno, "starting " + engine);
}
} // namespace

std::vector<Command> engine() {
    return {{"engine status",
             "show whether the engine runs (starts nothing; 5 when it does not)",
             {},
             {},
             {},
             status},
            {"engine stop", "stop every branch and the engine", {}, {}, {}, stop},
            {"engine run", "run the engine in the foreground", {}, {}, {}, run}};
}

} // namespace arbor::commands
