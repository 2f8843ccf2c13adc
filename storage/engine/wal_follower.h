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
// Removes them. The timeline matters to nobody any more, and no server runs on it; its head may be open.
Status removeDirectoriesOf(Engine& engine, TimelineId timeline);

// The control file as a view shows it.
Result<ControlFile> controlOf(BranchView& view);
// That of a timeline at a point, read through the store.
Result<ControlFile> controlAt(Engine& engine, const TimelinePoint& point);

} // namespace arbor
