// The file that takes a server's standard output and standard error.
#pragma once

#include "app/postgres/unique_fd.h"
#include "storage/base/status.h"

#include <cstdint>
#include <string>

namespace arbor {

// One start's part of the log.
class ServerLog {
  public:
    // Opens for appending (mode 0600, no symbolic link followed). A log beyond rotateAt becomes PATH.1 first,
    // in the place of an older one: it is looked at when a server starts, for a running one has the file
    // open.
    static Result<ServerLog> open(const std::string& path, std::uint64_t rotateAt = 16 << 20);

    int descriptor() const { return m_descriptor.get(); }
    // What was written since open(), at most the last 64 KB.
    std::string tail() const;

  private:
    ServerLog(UniqueFd descriptor, std::uint64_t begin)
        : m_descriptor(std::move(descriptor)), m_begin(begin) {}
    UniqueFd m_descriptor;
    std::uint64_t m_begin;
};

} // namespace arbor
