#include "app/cli/command.h"

#include "app/cli/commands/commands.h"

#include <algorithm>

namespace arbor {

const std::vector<Command>& allCommands() {
    static const std::vector<Command> all = [] {
        std::vector<Command> list;
        for (auto* part :
             {commands::init,       commands::import,       commands::branch, commands::trash,
              commands::checkpoint, commands::endpoint,     commands::psql,   commands::connection,
              commands::timeline,   commands::oplog,        commands::stats,  commands::gc,
              commands::page,       commands::metrics,      commands::job,    commands::settings,
              commands::scrub,      commands::exportBranch, commands::engine, commands::documentation}) {
            auto some = part();
            std::move(some.begin(), some.end(), std::back_inserter(list));
        }
        return list;
    }();
    return all;
}

const Command* findCommand(std::string_view name) {
    const auto& all = allCommands();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Command& command) { return command.name == name; });
    return found == all.end() ? nullptr : &*found;
}

bool isCommandGroup(std::string_view word) {
    const auto& all = allCommands();
    return std::any_of(all.begin(), all.end(), [&](const Command& command) {
        return command.name.size() > word.size() && command.name.starts_with(word) &&
               command.name[word.size()] == ' ';
    });
}

} // namespace arbor
