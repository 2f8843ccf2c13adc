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
    static constexpr std::uint64_t longest = 16 << 20;

    // Opens for appending (mode 0600, no symbolic link followed). A log beyond rotateAt becomes PATH.1 first,
    // in the place of an older one.
    static Result<ServerLog> open(const std::string& path, std::uint64_t rotateAt = longest);
    // One line more, from whoever has something to say about the server.
    static Status append(const std::string& path, const std::string& line);

    // The same for a server that runs: it has the file open and appends, so the file is copied to PATH.1 and
    // emptied. What is written between the two is lost. (Rejected: a pipe through the engine. It would tie
    // the server's life to the engine's, and block it when the engine hangs.)
    Status keepShort(std::uint64_t rotateAt = longest);

    int descriptor() const { return m_descriptor.get(); }
    // What was written since open(), at most the last 64 KB.
    std::string tail() const;

  private:
    ServerLog(std::string path, UniqueFd descriptor, std::uint64_t begin)
        : m_path(std::move(path)), m_descriptor(std::move(descriptor)), m_begin(begin) {}
    std::string m_path;
    UniqueFd m_descriptor;
    std::uint64_t m_begin;
};

} // namespace arbor
