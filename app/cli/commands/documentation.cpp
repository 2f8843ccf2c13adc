#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"
#include "app/cli/help.h"

namespace arbor::commands {

namespace {

Result<int> completion(const Invocation& invocation, Session& session) {
    session.print(completionScript(invocation.value("SHELL")));
    return 0;
}

Result<int> man(const Invocation&, Session& session) {
    session.print(manualPage(programVersion));
    return 0;
}
} // namespace

std::vector<Command> documentation() {
    return {{"completion",
             "print a completion script for a shell",
             {},
             {{"SHELL", ValueKind::Shell, "bash, zsh or fish"}},
             {},
             completion},
            {"man", "print the manual page", {}, {}, {}, man}};
}

} // namespace arbor::commands
