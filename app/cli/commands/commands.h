// The parts of the registry: one function a file, answering the commands declared there.
#pragma once

#include "app/cli/command.h"

namespace arbor::commands {

std::vector<Command> init();
std::vector<Command> import();
std::vector<Command> branch();
std::vector<Command> trash();
std::vector<Command> checkpoint();
std::vector<Command> endpoint();
std::vector<Command> psql();
std::vector<Command> connection();
std::vector<Command> timeline();
std::vector<Command> oplog();
std::vector<Command> stats();
std::vector<Command> gc();
std::vector<Command> page();
std::vector<Command> metrics();
std::vector<Command> job();
std::vector<Command> settings();
std::vector<Command> scrub();
std::vector<Command> exportBranch();
std::vector<Command> engine();
std::vector<Command> documentation();

} // namespace arbor::commands
