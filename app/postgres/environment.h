// The environment of the programs of PostgreSQL that the engine starts.
#pragma once

#include <string>
#include <vector>

namespace arbor {

// This process's environment without what would lead a server or libpq astray: everything that begins with PG
// (PGDATA, PGPORT, PGOPTIONS, PGSERVICE ...), LC_MESSAGES and LANGUAGE (early messages of a server are in
// English, so that their causes are recognised), and what belongs to the engine's own service manager.
std::vector<std::string> serverEnvironment();

// Removes PG* from this process's environment, which libpq would use as defaults. Call it once in main(),
// before the first thread starts.
void clearPostgresEnvironment();

} // namespace arbor
