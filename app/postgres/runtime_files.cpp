#include "app/postgres/runtime_files.h"

#include "app/postgres/unique_fd.h"

#include <QRandomGenerator>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <vector>

namespace arbor {

namespace fs = std::filesystem;

namespace {

// "/.s.PGSQL.65535.lock" and the terminating zero have to fit behind the directory.
constexpr std::size_t longestBase = 108 - 22 - sizeof "/pgarbor-4294967295/0123456789abcdef";

constexpr std::uint16_t firstPort = 20'000;
constexpr std::uint16_t lastPort = 31'999; // net.ipv4.ip_local_port_range begins at 32768

// FNV-1a: the same in every build and on every machine, which std::hash does not promise.
std::uint64_t stableHash(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const unsigned char c : text)
        hash = (hash ^ c) * 0x100000001b3;
    return hash;
}

Status makePrivateDirectory(const std::string& path) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return errnoError(errno, "making the directory " + path);
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0)
        return errnoError(errno, "looking at " + path);
    if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 077) != 0)
        return makeError(
            ErrorKind::Permission,
            "{} is not a directory of this user alone (mode 0700); remove it, or set XDG_RUNTIME_DIR", path);
    return {};
}

// Listening there would work. SO_REUSEADDR, as Postgres sets it: connections in TIME_WAIT are no obstacle.
bool canListen(int family, const sockaddr* address, socklen_t size) {
    const UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket)
        return errno == EAFNOSUPPORT; // no IPv6 on this machine: nobody listens there
    const int yes = 1;
    ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (family == AF_INET6)
        ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &yes, sizeof yes);
    if (::bind(socket.get(), address, size) != 0)
        return errno == EADDRNOTAVAIL; // IPv6 without a loopback address
    return ::listen(socket.get(), 1) == 0;
}

} // namespace

Result<std::string> makeSocketDirectory(const std::string& store, std::string_view timeline,
                                        const std::string& base) {
    std::string root = base;
    if (root.empty()) {
        const char* runtime = std::getenv("XDG_RUNTIME_DIR");
        struct stat info {};
        const bool usable = runtime != nullptr && *runtime == '/' && std::strlen(runtime) <= longestBase &&
                            ::stat(runtime, &info) == 0 && info.st_uid == ::geteuid();
        root = usable ? runtime : "/tmp";
    }
    if (root.size() > longestBase)
        return makeError(ErrorKind::NameTooLong,
                         "{} is too long a path for a socket; use one of at most {} bytes", root,
                         longestBase);
    const std::string own = fmt::format("{}/pgarbor-{}", root, ::geteuid());
    const std::string directory =
        fmt::format("{}/{:016x}", own, stableHash(fmt::format("{}\n{}", store, timeline)));
    ARBOR_TRY(makePrivateDirectory(own));
    ARBOR_TRY(makePrivateDirectory(directory));
    return directory;
}

void removeSocketDirectory(const std::string& directory) {
    std::error_code ignored; // left for the next start, which clears it
    fs::remove_all(directory, ignored);
    fs::remove(fs::path(directory).parent_path(), ignored); // only when this was the last
}

Status writePrivateFile(const std::string& path, std::string_view content, bool durable) {
    const std::string draft = path + ".new";
    if (::unlink(draft.c_str()) != 0 && errno != ENOENT)
        return errnoError(errno, "removing " + draft);
    const UniqueFd file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file)
        return errnoError(errno, "creating " + draft);
    while (!content.empty()) {
        const ssize_t written = ::write(file.get(), content.data(), content.size());
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errnoError(errno, "writing " + draft);
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    if ((durable && ::fsync(file.get()) != 0) || ::rename(draft.c_str(), path.c_str()) != 0)
        return errnoError(errno, "writing " + path);
    return {};
}

bool isPortFree(std::uint16_t port) {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    six.sin6_port = htons(port);
    six.sin6_addr = in6addr_loopback;
    return canListen(AF_INET, reinterpret_cast<const sockaddr*>(&four), sizeof four) &&
           canListen(AF_INET6, reinterpret_cast<const sockaddr*>(&six), sizeof six);
}

Result<std::uint16_t> pickPort(const std::set<std::uint16_t>& taken, std::string_view seed) {
    constexpr std::uint32_t count = lastPort - firstPort + 1;
    const auto begin = static_cast<std::uint32_t>(stableHash(seed) % count);
    for (std::uint32_t i = 0; i < count; ++i) {
        const auto port = static_cast<std::uint16_t>(firstPort + (begin + i) % count);
        if (!taken.contains(port) && isPortFree(port))
            return port;
    }
    return makeError(ErrorKind::Busy, "no port between {} and {} is free", firstPort, lastPort);
}

std::string generatePassword() {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    std::string password;
    for (int i = 0; i < 32; ++i)
        password += alphabet[QRandomGenerator::system()->bounded(static_cast<quint32>(alphabet.size()))];
    return password;
}

Result<std::string> currentUserName() {
    std::vector<char> buffer(16'384);
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
        return makeError(
            ErrorKind::NotFound,
            "the user database has no name for user id {}, and PostgreSQL needs one; add a line to "
            "/etc/passwd or run as another user",
            ::geteuid());
    return std::string(entry.pw_name);
}

} // namespace arbor
