// Who the engine is. Started by root it becomes an ordinary user before it opens anything.
#pragma once

#include "storage/base/status.h"

#include <sys/types.h>

#include <string>

namespace arbor {

struct RunAs {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;
};

Result<RunAs> userNamed(const std::string& name);
// The user that this process runs as.
Result<RunAs> currentUser();
// Becomes the user for good: groups, ids, home, umask 077; what belonged to root's session leaves the
// environment. Checks that there is no way back. Before the first thread starts.
Status becomeUser(const RunAs& user);

} // namespace arbor
