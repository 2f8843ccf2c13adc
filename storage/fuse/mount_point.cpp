#include "storage/fuse/mount_point.h"

#include <linux/fuse.h>
#include <pwd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <grp.h>
#include <spawn.h>
#include <sstream>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace arbor {

namespace {

constexpr const char* deviceName = "/dev/fuse";
constexpr std::string_view mountType = "fuse.pgarbor";

// mountinfo writes space, tab, newline and backslash as three octal digits
std::string unescaped(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int code = 0;
        if (text[i] == '\\' && i + 3 < text.size() &&
            std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr == text.data() + i + 4) {
            plain += static_cast<char>(code);
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

struct HelperRun {
    int exitCode = -1;
    std::string complaint; // what it wrote to standard error
    Descriptor device;     // what it passed back, if asked to
};

Descriptor receiveDescriptor(int socket) {
    char byte = 0;
    iovec vector{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    ssize_t got = 0;
    do
        got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    const cmsghdr* header = got > 0 ? CMSG_FIRSTHDR(&message) : nullptr;
    if (!header || header->cmsg_type != SCM_RIGHTS)
        return {};
    int fd = -1;
    std::copy_n(reinterpret_cast<const char*>(CMSG_DATA(header)), sizeof fd, reinterpret_cast<char*>(&fd));
    return Descriptor(fd);
}

std::string readToEnd(int fd) {
    std::string text;
    std::array<char, 512> buffer;
    for (;;) {
        const ssize_t got = read(fd, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

// Runs fusermount3 to its end. It is asked for no auto_unmount: that makes it stay and unmount whatever is at
// the path when we die, which may by then be the mount of our successor.
Result<HelperRun> runHelper(std::vector<std::string> arguments, bool wantsDevice) {
    std::array<int, 2> errors{};
    if (pipe2(errors.data(), O_CLOEXEC) != 0)
        return errnoError(errno, "making a pipe for fusermount3");
    Descriptor errorsRead(errors[0]);
    Descriptor errorsWrite(errors[1]);
    std::array<int, 2> sockets{-1, -1};
    if (wantsDevice && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets.data()) != 0)
        return errnoError(errno, "making a socket for fusermount3");
    Descriptor ours(sockets[0]);
    Descriptor theirs(sockets[1]);

    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, errorsWrite.get(), STDERR_FILENO);
    if (theirs) // onto itself: takes close-on-exec off, in the child only
        posix_spawn_file_actions_adddup2(&actions, theirs.get(), theirs.get());

    arguments.insert(arguments.begin(), "fusermount3");
    std::vector<char*> argv;
    for (std::string& argument : arguments)
        argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::string channel = fmt::format("_FUSE_COMMFD={}", theirs.get());
    std::vector<char*> environment;
    for (char** entry = environ; *entry; ++entry)
        environment.push_back(*entry);
    environment.push_back(channel.data());
    environment.push_back(nullptr);

    pid_t child = 0;
    const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environment.data());
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        return errnoError(error, "running fusermount3 (package fuse3)");
    errorsWrite.reset();
    theirs.reset();

    HelperRun run;
    run.complaint = readToEnd(errorsRead.get());
    if (ours)
        run.device = receiveDescriptor(ours.get());
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    run.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return run;
}

bool mayOpen(const struct stat& info, Owner user) {
    if (info.st_uid == user.uid)
        return (info.st_mode & 0600) == 0600;
    if (info.st_gid == user.gid)
        return (info.st_mode & 0060) == 0060;
    return (info.st_mode & 0006) == 0006;
}

} // namespace

void Descriptor::reset() {
    if (m_fd >= 0)
        close(std::exchange(m_fd, -1));
}

std::optional<MountRecord> findMount(std::string_view mountInfo, const std::string& path) {
    // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
    std::optional<MountRecord> top;
    std::istringstream lines{std::string(mountInfo)};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string id, parent, device, root, where, word;
        fields >> id >> parent >> device >> root >> where;
        while (fields >> word && word != "-") {
        }
        std::string type, source;
        if (fields >> type >> source && unescaped(where) == path)
            top =
                MountRecord{path, type, device, unescaped(source)}; // later lines lie on top of earlier ones
    }
    return top;
}

Result<std::optional<MountRecord>> mountAt(const std::string& path) {
    std::ifstream file("/proc/self/mountinfo");
    std::stringstream text;
    text << file.rdbuf();
    if (!file)
        return makeError(ErrorKind::Io, "reading /proc/self/mountinfo: is /proc mounted?");
    return findMount(text.str(), path);
}

Result<std::string> resolveMountPath(const std::string& path) {
    std::string_view trimmed = path;
    while (trimmed.size() > 1 && trimmed.back() == '/')
        trimmed.remove_suffix(1);
    const auto slash = trimmed.rfind('/');
    const std::string_view last = trimmed.substr(slash + 1);
    if (trimmed.empty() || trimmed.front() != '/' || last.empty() || last == "." || last == "..")
        return makeError(ErrorKind::InvalidArgument,
                         "a mount needs the absolute path of a directory, not \"{}\"", path);
    const std::string parent = slash == 0 ? "/" : std::string(trimmed.substr(0, slash));
    char* resolved = realpath(parent.c_str(), nullptr);
    if (!resolved)
        return errnoError(errno, fmt::format("resolving {}", parent));
    std::string whole = resolved;
    free(resolved);
    if (whole != "/")
        whole += '/';
    return whole.append(last);
}

Status clearDeadMount(const std::string& path) {
    auto resolved = resolveMountPath(path);
    if (!resolved)
        return resolved.error().kind() == ErrorKind::NotFound ? Status()
                                                              : Status(std::move(resolved).error());
    // mounts may lie on one another; a bound keeps a mount that comes back by other hands from holding us
    // here
    for (int attempt = 0; attempt < 16; ++attempt) {
        ARBOR_ASSIGN(const std::optional<MountRecord> mounted, mountAt(*resolved));
        if (!mounted)
            return {};
        if (mounted->type != mountType)
            return makeError(ErrorKind::Busy, "a file system of type {} is mounted at {}: unmount it first",
                             mounted->type, *resolved);
        if (geteuid() == 0) {
            if (umount2(resolved->c_str(), MNT_DETACH | UMOUNT_NOFOLLOW) != 0)
                return errnoError(errno, fmt::format("unmounting what a dead engine left at {}", *resolved));
        } else {
            Status unmounted = unmountByHelper(*resolved, true);
            if (!unmounted)
                return std::move(unmounted).error().during("clearing what a dead engine left");
        }
    }
    return makeError(ErrorKind::Busy, "{} is being mounted again and again: is another engine at work?",
                     *resolved);
}

bool ordinaryUserCanMount(Owner user) {
    struct stat info {};
    if (stat(deviceName, &info) != 0 || !mayOpen(info, user))
        return false;
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return false;
    const char* searched = getenv("PATH");
    std::istringstream folders(searched ? searched : "/usr/bin:/bin");
    for (std::string folder; std::getline(folders, folder, ':');)
        if (stat((folder + "/fusermount3").c_str(), &info) == 0)
            return info.st_uid == 0 && (info.st_mode & S_ISUID) != 0;
    return false;
}

Status dropPrivileges(Owner user) {
    if (user.uid == 0)
        return makeError(ErrorKind::InvalidArgument, "root is not a user to become");
    // with the groups that the user has: Debian's servers read their TLS key by one
    const passwd* const entry = getpwuid(user.uid);
    if ((entry ? initgroups(entry->pw_name, user.gid) : setgroups(0, nullptr)) != 0 ||
        setresgid(user.gid, user.gid, user.gid) != 0 || setresuid(user.uid, user.uid, user.uid) != 0)
        return errnoError(errno, fmt::format("becoming user {}", user.uid));
    // with the last user id of root the kernel cleared the permitted and ambient capabilities; make sure of
    // it
    if (setuid(0) == 0 || setgid(0) == 0 || geteuid() != user.uid || getegid() != user.gid)
        return makeError(ErrorKind::Permission,
                         "privileges could not be dropped for good: refusing to go on");
    return {};
}

Result<Descriptor> mountAsRoot(const std::string& path, Owner servedBy) {
    Descriptor device(open(deviceName, O_RDWR | O_CLOEXEC));
    if (!device)
        return errnoError(errno, "opening /dev/fuse (is the kernel module fuse loaded?)");
    // user_id is who will serve, not who mounts: so that the user may unmount through fusermount3 later
    const std::string options =
        fmt::format("fd={},rootmode=40000,user_id={},group_id={},default_permissions,allow_other",
                    device.get(), servedBy.uid, servedBy.gid);
    const std::string type(mountType), source = fmt::format("pgarbor:{}", getpid());
    if (mount(source.c_str(), path.c_str(), type.c_str(), MS_NOSUID | MS_NODEV | MS_NOATIME,
              options.c_str()) != 0)
        return errnoError(errno, fmt::format("mounting {}", path));
    return device;
}

Result<Descriptor> mountByHelper(const std::string& path) {
    ARBOR_ASSIGN(
        HelperRun run,
        runHelper({"-o", "fsname=pgarbor,subtype=pgarbor,noatime,default_permissions", "--", path}, true));
    if (run.exitCode == 0 && run.device)
        return std::move(run.device);
    return makeError(ErrorKind::Permission, "mounting {}: {}", path,
                     run.complaint.empty() ? "fusermount3 gave no reason" : run.complaint);
}

Status unmountByHelper(const std::string& path, bool lazily) {
    std::vector<std::string> arguments{"-u", "--", path};
    if (lazily)
        arguments.insert(arguments.begin() + 1, "-z");
    ARBOR_ASSIGN(const HelperRun run, runHelper(std::move(arguments), false));
    if (run.exitCode == 0)
        return {};
    const bool busy = run.complaint.find("busy") != std::string::npos;
    return makeError(busy ? ErrorKind::Busy : ErrorKind::Permission, "unmounting {}: {}", path,
                     run.complaint);
}

std::vector<Descriptor> cloneDevice(const Descriptor& device, int count) {
    std::vector<Descriptor> clones;
    for (int i = 0; i < count; ++i) {
        Descriptor clone(open(deviceName, O_RDWR | O_CLOEXEC));
        std::uint32_t source = static_cast<std::uint32_t>(device.get());
        if (!clone || ioctl(clone.get(), FUSE_DEV_IOC_CLONE, &source) != 0)
            break;
        clones.push_back(std::move(clone));
    }
    return clones;
}

} // namespace arbor
