#include "storage/fuse/unmount_helper.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace arbor {

namespace {

// Commands: 's' and a source; 'u' unmount; 'l' unmount lazily. Each is one packet, answered with an errno.
constexpr std::size_t longestCommand = 64;

int unmountIfOurs(const std::string& path, const std::string& source, bool lazily) {
    const auto mounted = mountAt(path);
    if (!mounted)
        return EIO;
    if (!*mounted || (*mounted)->source != source)
        return EINVAL; // not mounted, or not ours
    return umount2(path.c_str(), UMOUNT_NOFOLLOW | (lazily ? MNT_DETACH : 0)) == 0 ? 0 : errno;
}

[[noreturn]] void help(int socket, const std::string& path) {
    std::string source;
    for (;;) {
        std::array<char, longestCommand> buffer;
        const ssize_t got = recv(socket, buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        const std::string_view argument(buffer.data() + 1, static_cast<std::size_t>(got) - 1);
        int error = 0;
        if (buffer[0] == 's')
            source = argument;
        else
            error = unmountIfOurs(path, source, buffer[0] == 'l');
        if (send(socket, &error, sizeof error, MSG_NOSIGNAL) < 0)
            break;
    }
    // the engine has gone; after an orderly unmount there is nothing left that is ours
    unmountIfOurs(path, source, true);
    _exit(0);
}

} // namespace

Result<std::unique_ptr<UnmountHelper>> UnmountHelper::start(const std::string& path) {
    std::array<int, 2> sockets{};
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets.data()) != 0)
        return errnoError(errno, "making a socket for the process that unmounts");
    Descriptor ours(sockets[0]);
    Descriptor theirs(sockets[1]);
    const pid_t child = fork();
    if (child < 0)
        return errnoError(errno, "starting the process that unmounts");
    if (child == 0) {
        // Whatever else stays open here would outlive the engine: locks, and the device that keeps the mount
        // alive.
        const int kept = dup2(theirs.get(), 0);
        close_range(1, ~0u, 0);
        sigset_t all;
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, nullptr); // a Ctrl-C is the engine's business
        setsid();
        prctl(PR_SET_NAME, "pgarbor-unmount");
        if (kept != 0 || chdir("/") != 0)
            _exit(1);
        help(kept, path);
    }
    return std::unique_ptr<UnmountHelper>(new UnmountHelper(std::move(ours), child));
}

UnmountHelper::~UnmountHelper() {
    m_socket.reset();
    while (waitpid(m_process, nullptr, 0) < 0 && errno == EINTR) {
    }
}

Result<int> UnmountHelper::ask(const std::string& command) {
    int answer = 0;
    if (send(m_socket.get(), command.data(), command.size(), MSG_NOSIGNAL) < 0)
        return errnoError(errno, "asking the process that unmounts");
    ssize_t got = 0;
    do
        got = recv(m_socket.get(), &answer, sizeof answer, 0);
    while (got < 0 && errno == EINTR);
    if (got != sizeof answer)
        return makeError(ErrorKind::Io, "the process that unmounts has gone");
    return answer;
}

Status UnmountHelper::remember(const std::string& source) {
    ARBOR_TRY(ask("s" + source));
    return {};
}

Status UnmountHelper::unmount(bool lazily) {
    ARBOR_ASSIGN(const int error, ask(lazily ? "l" : "u"));
    if (error != 0)
        return errnoError(error, "unmounting");
    return {};
}

} // namespace arbor
