// The engine's log: standard error, and a rotating file in the store as soon as there is one.
#pragma once

#include <string>

namespace arbor {

void openLog();
// From now on also to <store>/log/engine.log. Standard error then gets only what is serious, unless somebody
// reads it (a terminal, the journal): a client that started the engine gave it a file that nobody rotates.
void logIntoStore(const std::string& store);
// The file is closed: the engine is about to be out of the store.
void leaveStoreLog();

} // namespace arbor
