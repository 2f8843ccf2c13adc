// The files and numbers of an endpoint outside its data directory: socket directory, access rules, port,
// password.
#pragma once

#include "storage/base/status.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

namespace arbor {

// The directory of a timeline's socket, made with mode 0700 if absent: BASE/pgarbor-UID/HASH of store and
// timeline, so that its path stays far below the 108 bytes of a socket's address however deep the store lies.
// BASE is `base` if given, else $XDG_RUNTIME_DIR if that is short enough, else /tmp. Permission when what
// stands there is not a directory of this user alone: in /tmp anybody may have made it.
Result<std::string> makeSocketDirectory(const std::string& store, std::string_view timeline,
                                        const std::string& base = {});
// Removes the directory and what a server left in it. Only ever a directory that makeSocketDirectory()
// returned.
void removeSocketDirectory(const std::string& directory);

// Writes a file that only this user can read, complete or not at all; follows no symbolic link. Not `durable`
// is for what the next start writes again: a sync on a busy disk costs more than all the rest of a start.
Status writePrivateFile(const std::string& path, std::string_view content, bool durable = true);

// A port on which nothing listens on this machine's loopback addresses and which is not in `taken`. The same
// `seed` (store and branch, say) gives the same port as long as that is free. Below the range from which the
// kernel takes the ports of outgoing connections, or one of these would block a start now and then.
Result<std::uint16_t> pickPort(const std::set<std::uint16_t>& taken, std::string_view seed);
bool isPortFree(std::uint16_t port);

// 32 letters and digits from the kernel's random numbers.
std::string generatePassword();

// The name of the user that this process runs as; NotFound when the system's user database has none, as in
// some containers, which initdb and peer authentication both need.
Result<std::string> currentUserName();

} // namespace arbor
