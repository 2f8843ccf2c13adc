#include "storage/fuse/metrics.h"

namespace arbor {

std::string_view requestName(RequestKind kind) {
    static constexpr std::array<std::string_view, requestKinds> names{"lookup",         "forget",
                                                                      "get-attributes", "set-attributes",
                                                                      "read-link",      "make-node",
                                                                      "mkdir",          "unlink",
                                                                      "rmdir",          "symlink",
                                                                      "rename",         "link",
                                                                      "open",           "create",
                                                                      "read",           "write",
                                                                      "allocate",       "release",
                                                                      "sync",           "open-directory",
                                                                      "read-directory", "read-directory-plus",
                                                                      "statfs"};
    return names[static_cast<std::size_t>(kind)];
}

} // namespace arbor
