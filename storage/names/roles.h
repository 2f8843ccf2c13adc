// What a name means in a Postgres data directory: which files are made of pages, which are not part of the
// database's state, and which directories live on the host instead. Sources: common/relpath.c,
// storage/file/fd.c (temporary files), replication/basebackup.c (excludeDirContents), utils/cache/relcache.c.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arbor {

// The place of a directory below the data directory.
enum class DirectoryRole : std::uint8_t {
    Root,
    Base,              // base
    Global,            // global
    Database,          // base/N, pg_tblspc/N/PG_.../N
    Tablespaces,       // pg_tblspc
    Tablespace,        // pg_tblspc/N, made in place
    TablespaceVersion, // pg_tblspc/N/PG_15_202209061
    Slru,              // pg_xact, pg_commit_ts, pg_multixact/*: files of pages
    Multixact,         // pg_multixact
    Other,
};

DirectoryRole roleOfChild(DirectoryRole parent, std::string_view name);

// A file that Postgres reads and writes in whole blocks of 8 KB: relations, SLRU segments, pg_control.
bool isPageFile(DirectoryRole directory, std::string_view name);
// A file that is no part of the database's state and starts absent on a fork: postmaster.pid,
// postmaster.opts, pg_internal.init*, temporary relations.
bool isUnversioned(DirectoryRole directory, std::string_view name);
// A directory that is answered as a symbolic link to the host: "pg_wal", or the name of a directory below
// scratch/<timeline>. Nothing for any other name. `tablespace` is the name of the tablespace's directory
// where one is walked through.
std::optional<std::string> hostDirectory(DirectoryRole directory, std::string_view name,
                                         std::string_view tablespace);
// The names that hostDirectory() knows in a directory of this role.
const std::string_view* hostDirectoryNames(DirectoryRole directory, std::size_t& count);

} // namespace arbor
