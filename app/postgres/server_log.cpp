#include "app/postgres/server_log.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

namespace arbor {

namespace {

constexpr std::uint64_t longestTail = 64 << 10;

Result<UniqueFd> openLog(const std::string& path) {
    UniqueFd file(::open(path.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file)
        return errnoError(errno, "opening " + path);
    return file;
}

Result<std::uint64_t> sizeOf(const UniqueFd& file, const std::string& path) {
    struct stat info {};
    if (::fstat(file.get(), &info) != 0)
        return errnoError(errno, "looking at " + path);
    return static_cast<std::uint64_t>(info.st_size);
}

} // namespace

Result<ServerLog> ServerLog::open(const std::string& path, std::uint64_t rotateAt) {
    ARBOR_ASSIGN(UniqueFd file, openLog(path));
    ARBOR_ASSIGN(std::uint64_t size, sizeOf(file, path));
    if (size > rotateAt) {
        if (::rename(path.c_str(), (path + ".1").c_str()) != 0)
            return errnoError(errno, "renaming " + path);
        ARBOR_ASSIGN(file, openLog(path));
        size = 0;
    }
    return ServerLog(std::move(file), size);
}

std::string ServerLog::tail() const {
    struct stat info {};
    if (::fstat(m_descriptor.get(), &info) != 0)
        return {};
    const auto end = static_cast<std::uint64_t>(info.st_size);
    const std::uint64_t begin = std::max(m_begin, end - std::min(end, longestTail));
    std::string text(end - std::min(begin, end), '\0');
    const ssize_t got = ::pread(m_descriptor.get(), text.data(), text.size(), static_cast<off_t>(begin));
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    return text;
}

} // namespace arbor
