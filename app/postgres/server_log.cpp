#include "app/postgres/server_log.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

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
    return ServerLog(path, std::move(file), size);
}

Status ServerLog::append(const std::string& path, const std::string& line) {
    ARBOR_ASSIGN(const UniqueFd file, openLog(path));
    const std::string text = line + '\n';
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return errnoError(errno, "writing " + path);
    return {};
}

Status ServerLog::keepShort(std::uint64_t rotateAt) {
    ARBOR_ASSIGN(const std::uint64_t size, sizeOf(m_descriptor, m_path));
    if (size <= rotateAt)
        return {};
    const std::string older = m_path + ".1";
    if (::unlink(older.c_str()) != 0 && errno != ENOENT)
        return errnoError(errno, "removing " + older);
    const UniqueFd copy(::open(older.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                               0600)); // sendfile: no O_APPEND
    if (!copy)
        return errnoError(errno, "opening " + older);
    off_t at = 0;
    while (static_cast<std::uint64_t>(at) < size) {
        // in the kernel; 0 when somebody has cut the file meanwhile
        const ssize_t sent =
            ::sendfile(copy.get(), m_descriptor.get(), &at, size - static_cast<std::uint64_t>(at));
        if (sent < 0 && errno != EINTR)
            break; // a full disk: better a short log than none
        if (sent == 0)
            break;
    }
    if (::ftruncate(m_descriptor.get(), 0) != 0)
        return errnoError(errno, "emptying " + m_path);
    m_begin = 0;
    return {};
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
