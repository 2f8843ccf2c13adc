// Shared memory that dead servers left behind.
//
// A server keeps a small System V segment as an interlock, keyed by the inode number of its data directory,
// and writes the directory's device number into it. After a remount that number is another one: Postgres then
// takes the segment for somebody else's, steps aside to the next key and leaves the old one, and the files in
// /dev/shm that it describes, for good. So they are cleared here, before a start.
//
// A segment is removed only if all of this holds:
//   1. this user owns it and nobody is attached;
//   2. it begins with Postgres's magic number, and names as its creator the process that the kernel names;
//   3. that process has ended;
//   4. this timeline's own records name it: its creator is a postmaster that the lock of the timeline or a
//      postmaster.pid in its data directory recorded during this boot, or a server of an initdb of ours.
// An inode number alone is no proof: two file systems use the same ones.
#pragma once

#include "app/postgres/processes.h"

#include <span>
#include <string>
#include <vector>

namespace arbor {

// Removes what these dead servers left; returns the names of what was removed, for the log.
std::vector<std::string> clearSharedMemory(std::span<const pid_t> deadServers);

} // namespace arbor
