#include "app/engine/privileges.h"

#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <vector>

namespace arbor {

namespace {

RunAs fromEntry(const passwd& entry) {
    return {entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir};
}

} // namespace

Result<RunAs> userNamed(const std::string& name) {
    errno = 0;
    if (const passwd* entry = ::getpwnam(name.c_str()))
        return fromEntry(*entry);
    return makeError(
        ErrorKind::NotFound,
        "there is no user '{}' to run as: install PostgreSQL, which makes the user postgres, or name "
        "another one with --run-as",
        name);
}

Result<RunAs> currentUser() {
    if (const passwd* entry = ::getpwuid(::geteuid()))
        return fromEntry(*entry);
    return makeError(ErrorKind::NotFound, "user id {} has no name in the system's user database",
                     ::geteuid());
}

Status becomeUser(const RunAs& user) {
    if (user.uid == 0)
        return makeError(ErrorKind::Refused,
                         "PostgreSQL refuses to run as root: name an ordinary user with --run-as");
    if (::initgroups(user.name.c_str(), user.gid) != 0 || ::setresgid(user.gid, user.gid, user.gid) != 0 ||
        ::setresuid(user.uid, user.uid, user.uid) != 0)
        return errnoError(errno, "becoming user " + user.name);
    if (::setuid(0) == 0 || ::geteuid() != user.uid || ::getegid() != user.gid)
        return makeError(ErrorKind::Permission, "root's privileges could not be given up");
    ::umask(077);
    ::setenv("HOME", user.home.c_str(), 1);
    ::setenv("USER", user.name.c_str(), 1);
    ::setenv("LOGNAME", user.name.c_str(), 1);
    for (const char* name : {"XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME",
                             "DBUS_SESSION_BUS_ADDRESS", "SUDO_USER", "MAIL"})
        ::unsetenv(name);
    // a change of user clears it, and a core of the engine is worth having
    ::prctl(PR_SET_DUMPABLE, 1);
    return {};
}

} // namespace arbor
