// The follower of a real PostgreSQL log: wal/<T>, walkeep/<T>, and the marks in the index.
#pragma once

#include "storage/engine/engine.h"

namespace arbor {

// What an engine uses outside of tests: logs below wal/ and walkeep/, host directories below scratch/.
Engine::Options standardOptions();

// The directories of a timeline on the host.
std::string walDirectory(const Engine& engine, TimelineId timeline);
std::string keptDirectory(const Engine& engine, TimelineId timeline);
std::string scratchDirectory(const Engine& engine, TimelineId timeline);

// The control file of a timeline at a point, read through the store.
Result<ControlFile> controlAt(Engine& engine, const TimelinePoint& point);
// The bytes of a file of a view by its path, "global/pg_control".
Result<std::string> readPath(BranchView& view, std::string_view path);

} // namespace arbor
