#include "storage/base/status.h"

#include <array>
#include <cerrno>
#include <cstring>

namespace arbor {

namespace {

struct KindRow {
    ErrorKind kind;
    int errnoValue;
    int exitCode;
    std::string_view name;
};

// The one table of kinds: errno for the mount, exit code for scripts, word for JSON.
constexpr std::array kinds{
    KindRow{ErrorKind::NotFound, ENOENT, 3, "not-found"},
    KindRow{ErrorKind::AlreadyExists, EEXIST, 4, "already-exists"},
    KindRow{ErrorKind::InvalidArgument, EINVAL, 2, "invalid-argument"},
    KindRow{ErrorKind::NotADirectory, ENOTDIR, 1, "not-a-directory"},
    KindRow{ErrorKind::IsADirectory, EISDIR, 1, "is-a-directory"},
    KindRow{ErrorKind::DirectoryNotEmpty, ENOTEMPTY, 1, "directory-not-empty"},
    KindRow{ErrorKind::NameTooLong, ENAMETOOLONG, 2, "name-too-long"},
    KindRow{ErrorKind::Permission, EPERM, 1, "permission"},
    KindRow{ErrorKind::Refused, EACCES, 4, "refused"},
    KindRow{ErrorKind::ReadOnly, EROFS, 1, "read-only"},
    KindRow{ErrorKind::NoSpace, ENOSPC, 1, "no-space"},
    KindRow{ErrorKind::Busy, EBUSY, 4, "busy"},
    KindRow{ErrorKind::Unsupported, EOPNOTSUPP, 1, "unsupported"},
    KindRow{ErrorKind::Corruption, EIO, 1, "corruption"},
    KindRow{ErrorKind::Io, EIO, 1, "io"},
    KindRow{ErrorKind::Cancelled, ECANCELED, 1, "cancelled"},
    KindRow{ErrorKind::Unreachable, EIO, 5, "unreachable"},
    KindRow{ErrorKind::LimitPassed, EIO, 6, "limit-passed"},
};

const KindRow& rowOf(ErrorKind kind) {
    for (const KindRow& row : kinds)
        if (row.kind == kind)
            return row;
    return kinds[14]; // Io: unreachable while the table holds every kind
}

ErrorKind kindFromErrno(int errnoValue) {
    switch (errnoValue) {
    case EACCES:
    case EPERM:
        return ErrorKind::Permission;
    case ENOSPC:
    case EDQUOT:
        return ErrorKind::NoSpace;
    case EROFS:
        return ErrorKind::ReadOnly;
    case EAGAIN:
    case EBUSY:
        return ErrorKind::Busy;
    default:
        for (const KindRow& row : kinds)
            if (row.errnoValue == errnoValue)
                return row.kind;
        return ErrorKind::Io;
    }
}

} // namespace

Error errnoError(int errnoValue, std::string_view what) {
    char buffer[128];
    return {kindFromErrno(errnoValue),
            fmt::format("{}: {}", what, strerror_r(errnoValue, buffer, sizeof buffer))};
}

int errnoOf(ErrorKind kind) {
    return rowOf(kind).errnoValue;
}

int exitCodeOf(ErrorKind kind) {
    return rowOf(kind).exitCode;
}

std::string_view kindName(ErrorKind kind) {
    return rowOf(kind).name;
}

ErrorKind kindFromName(std::string_view name) {
    for (const KindRow& row : kinds)
        if (row.name == name)
            return row.kind;
    return ErrorKind::Io;
}

} // namespace arbor
