#include "app/control/runtime_dir.h"

#include <QCryptographicHash>

#include <fcntl.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>

namespace arbor {

namespace {

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::optional<uid_t> ownerOf(const std::string& path) {
    struct stat info {};
    if (path.empty() || stat(path.c_str(), &info) != 0)
        return std::nullopt;
    return info.st_uid;
}

std::optional<uid_t> uidOf(const std::string& user) {
    struct passwd entry {};
    struct passwd* found = nullptr;
    std::string buffer(4096, '\0');
    if (user.empty() || getpwnam_r(user.c_str(), &entry, buffer.data(), buffer.size(), &found) != 0 || !found)
        return std::nullopt;
    return found->pw_uid;
}

ControlAddress addressIn(std::string directory, uid_t owner, const std::string& store) {
    const std::string canonical = canonicalStore(store);
    const std::string hash =
        QCryptographicHash::hash(QByteArray::fromStdString(canonical), QCryptographicHash::Sha256)
            .toHex()
            .left(16)
            .toStdString();
    const std::string base = directory + "/" + hash;
    return {directory, base + ".sock", base + ".lock", base + ".log", base + ".launch", owner};
}

bool fits(const ControlAddress& address) {
    return address.socket.size() < sizeof(sockaddr_un{}.sun_path);
}

std::string temporaryRuntime(uid_t uid) {
    return "/tmp/pgarbor-" + std::to_string(uid);
}

sockaddr_un socketAddress(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

} // namespace

std::string canonicalStore(const std::string& path) {
    std::error_code error;
    auto absolute = std::filesystem::absolute(path, error);
    auto canonical = std::filesystem::weakly_canonical(absolute, error);
    if (error)
        canonical = absolute.lexically_normal();
    std::string text = canonical.string();
    while (text.size() > 1 && text.back() == '/')
        text.pop_back();
    return text;
}

std::string defaultStore() {
    if (const auto store = environment("PGARBOR_STORE"); !store.empty())
        return store;
    // The XDG rules: a relative path in the variable is as good as none.
    if (const auto data = environment("XDG_DATA_HOME"); data.starts_with('/'))
        return data + "/pgarbor";
    std::string home = environment("HOME");
    if (home.empty()) {
        const passwd* entry = getpwuid(geteuid());
        home = entry ? entry->pw_dir : "/";
    }
    return home + "/.local/share/pgarbor";
}

Result<bool> storeExists(const std::string& path) {
    struct stat info {};
    if (stat((path + "/FORMAT").c_str(), &info) == 0)
        return true;
    if (errno == ENOENT || errno == ENOTDIR || errno == ENAMETOOLONG)
        return false;
    return errnoError(errno, "looking for a store in " + path);
}

ControlAddress listenAddress(const std::string& store) {
    const uid_t me = geteuid();
    const std::string xdg = environment("XDG_RUNTIME_DIR");
    if (xdg.starts_with('/') && ownerOf(xdg) == me) {
        auto address = addressIn(xdg + "/pgarbor", me, store);
        if (fits(address))
            return address;
    }
    return addressIn(temporaryRuntime(me), me, store);
}

std::vector<ControlAddress> searchAddresses(const std::string& store) {
    const uid_t me = geteuid();
    std::vector<ControlAddress> addresses{listenAddress(store)};
    const auto add = [&](uid_t user) {
        for (const auto& directory :
             {"/run/user/" + std::to_string(user) + "/pgarbor", temporaryRuntime(user)}) {
            auto address = addressIn(directory, user, store);
            const auto same = [&](const ControlAddress& other) { return other.socket == address.socket; };
            if (std::none_of(addresses.begin(), addresses.end(), same))
                addresses.push_back(std::move(address));
        }
    };
    add(me);
    if (me == 0) {
        // Three guesses at whom the engine has become: the store's owner, and while there is no store yet,
        // whom it would become.
        for (const auto& user : {ownerOf(store), uidOf(environment("PGARBOR_RUN_AS")), uidOf("postgres")})
            if (user)
                add(*user);
    }
    return addresses;
}

Status checkRuntimeDirectory(const ControlAddress& address) {
    struct stat info {};
    if (lstat(address.directory.c_str(), &info) != 0)
        return errnoError(errno, "looking at the runtime directory " + address.directory);
    if (!S_ISDIR(info.st_mode))
        return makeError(ErrorKind::Permission, "{} is not a directory; remove it", address.directory);
    if (info.st_uid != address.owner)
        return makeError(ErrorKind::Permission,
                         "the runtime directory {} belongs to uid {}, not to uid {}; remove it",
                         address.directory, info.st_uid, address.owner);
    if (info.st_mode & 077)
        return makeError(ErrorKind::Permission,
                         "the runtime directory {} is open to others (mode {:o}); chmod 700 it",
                         address.directory, info.st_mode & 07777);
    return {};
}

Status prepareRuntimeDirectory(const ControlAddress& address) {
    if (mkdir(address.directory.c_str(), 0700) != 0 && errno != EEXIST)
        return errnoError(errno, "making the runtime directory " + address.directory);
    return checkRuntimeDirectory(address);
}

Result<Peer> peerOf(int descriptor) {
    ucred credentials{};
    socklen_t length = sizeof credentials;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0)
        return errnoError(errno, "asking who is at the other end of the control socket");
    return Peer{credentials.uid, credentials.pid};
}

Result<int> connectToEngine(const std::string& store) {
    for (const ControlAddress& address : searchAddresses(store)) {
        if (!fits(address))
            continue;
        if (const auto checked = checkRuntimeDirectory(address); !checked) {
            if (checked.error().kind() == ErrorKind::NotFound || geteuid() == 0)
                continue;
            return checked.error();
        }
        const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (descriptor < 0)
            return errnoError(errno, "making a socket");
        const sockaddr_un name = socketAddress(address.socket);
        if (connect(descriptor, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
            close(descriptor);
            continue;
        }
        const auto peer = peerOf(descriptor);
        if (peer && (peer->uid == geteuid() || peer->uid == 0 || peer->uid == address.owner))
            return descriptor;
        close(descriptor);
        return makeError(ErrorKind::Permission, "somebody else listens at {}; remove it", address.socket);
    }
    return makeError(ErrorKind::Unreachable, "no engine serves {}", canonicalStore(store));
}

Result<int> connectToSocket(const std::string& path) {
    if (path.size() >= sizeof(sockaddr_un::sun_path))
        return makeError(ErrorKind::InvalidArgument, "the socket's path {} is too long", path);
    const int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0)
        return errnoError(errno, "making a socket");
    const sockaddr_un name = socketAddress(path);
    if (connect(descriptor, reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) {
        close(descriptor);
        return makeError(ErrorKind::Unreachable, "no engine listens at {}", path);
    }
    const auto peer = peerOf(descriptor);
    if (peer && (peer->uid == geteuid() || peer->uid == 0 || geteuid() == 0))
        return descriptor;
    close(descriptor);
    return makeError(ErrorKind::Permission, "somebody else listens at {}", path);
}

} // namespace arbor
