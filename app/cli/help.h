// Texts made from the commands' declarations.
#pragma once

#include "app/cli/command.h"

#include <string>

namespace arbor {

// "pgarborctl branch create NAME --from BRANCH [--at POS]"
std::string synopsis(const Command& command);
std::string helpOfAll();
std::string helpOfGroup(std::string_view group);
std::string helpOf(const Command& command);
// The manual page, in troff's man macros.
std::string manualPage(std::string_view version);
// A completion script; shell is bash, zsh or fish.
std::string completionScript(std::string_view shell);

} // namespace arbor
