#include "app/control/engine_launcher.h"

#include "app/control/limits.h"
#include "app/control/message.h"
#include "app/control/methods.h"
#include "app/control/runtime_dir.h"

#include <QFileInfo>
#include <QStandardPaths>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <optional>
#include <thread>

namespace arbor {

namespace {

using SteadyClock = std::chrono::steady_clock;

// A descriptor that closes itself.
class Descriptor {
  public:
    explicit Descriptor(int value = -1) : m_value(value) {}
    ~Descriptor() { reset(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return m_value; }
    void reset(int value = -1) {
        if (m_value >= 0)
            close(m_value);
        m_value = value;
    }

  private:
    int m_value;
};

std::string ownDirectory() {
    char path[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
    const std::string self(path, static_cast<std::size_t>(std::max<ssize_t>(length, 0)));
    return self.substr(0, self.rfind('/'));
}

bool isProgram(const std::string& path) {
    struct stat info {};
    return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && access(path.c_str(), X_OK) == 0;
}

// What the child tells its starter: the engine's pid, or why it could not be started.
struct Birth {
    pid_t pid = 0;
    int error = 0;
};

// Between fork and exec: only calls that are safe in the child of a program with threads.
[[noreturn]] void becomeEngine(const char* const* arguments, int log, int report) {
    Birth birth;
    setsid();
    const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (chdir("/") != 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        birth.error = errno;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    for (const int number : {SIGINT, SIGQUIT, SIGPIPE, SIGHUP, SIGTERM, SIGCHLD})
        signal(number, SIG_DFL);
    if (birth.error == 0)
        execv(arguments[0], const_cast<char* const*>(arguments));
    birth.error = birth.error == 0 ? errno : birth.error;
    [[maybe_unused]] const ssize_t put = write(report, &birth, sizeof birth);
    _exit(127);
}

// Forks twice, so that the engine is nobody's zombie; answers a descriptor of the process to wait on (or -1).
Result<int> spawnDetached(const std::vector<std::string>& arguments, int log) {
    std::vector<const char*> pointers;
    for (const std::string& argument : arguments)
        pointers.push_back(argument.c_str());
    pointers.push_back(nullptr);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return errnoError(errno, "making a pipe");
    const Descriptor reading(ends[0]);
    Descriptor writing(ends[1]);
    const pid_t middle = fork();
    if (middle < 0)
        return errnoError(errno, "starting a process");
    if (middle == 0) {
        const pid_t engine = fork();
        if (engine == 0)
            becomeEngine(pointers.data(), log, writing.get());
        const Birth birth{engine, engine < 0 ? errno : 0};
        [[maybe_unused]] const ssize_t put = write(writing.get(), &birth, sizeof birth);
        _exit(0);
    }
    while (waitpid(middle, nullptr, 0) < 0 && errno == EINTR) {
    }
    writing.reset();
    int process = -1;
    Birth birth;
    // Ends when exec has closed the last writer, or with the error of one.
    for (;;) {
        const ssize_t got = read(reading.get(), &birth, sizeof birth);
        if (got < 0 && errno == EINTR)
            continue;
        if (got != sizeof birth)
            return process;
        if (birth.error != 0) {
            Descriptor unneeded(process);
            return errnoError(birth.error, "starting " + arguments.front());
        }
        // By number: glibc's header lacks extern "C" in some versions.
        process = static_cast<int>(syscall(SYS_pidfd_open, birth.pid, 0));
        if (process < 0 && errno == ESRCH) // it has ended already: something that is readable at once
            process = open("/dev/null", O_RDONLY | O_CLOEXEC);
    }
}

// The last lines that a log has got since an offset.
std::string lastWords(const std::string& path, off_t since) {
    const Descriptor log(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    struct stat info {};
    if (log.get() < 0 || fstat(log.get(), &info) != 0 || info.st_size <= since)
        return {};
    constexpr off_t most = 2000;
    const off_t from = std::max(since, info.st_size - most);
    std::string text(static_cast<std::size_t>(info.st_size - from), '\0');
    const ssize_t got = pread(log.get(), text.data(), text.size(), from);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    return text;
}

// Why an engine gave up, where its last words say so. One that could not have the store has lost it to
// another engine, which is the one that does not answer.
std::optional<Error> reasonIn(const std::string& words) {
    constexpr std::string_view lead = "pgarbord (";
    const auto line = ("\n" + words).rfind("\n" + std::string(lead));
    if (line == std::string::npos)
        return std::nullopt;
    const std::string said = words.substr(line + lead.size(), words.find('\n', line) - line - lead.size());
    const auto end = said.find("): ");
    if (end == std::string::npos)
        return std::nullopt;
    const ErrorKind kind = kindFromName(said.substr(0, end));
    return Error(kind == ErrorKind::Busy ? ErrorKind::Unreachable : kind, said.substr(end + 3));
}

bool waitReadable(int descriptor, short what, SteadyClock::time_point until) {
    for (;;) {
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now()).count();
        pollfd waiting{descriptor, what, 0};
        const int ready = poll(&waiting, 1, static_cast<int>(std::max<long>(left, 0)));
        if (ready > 0)
            return true;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

} // namespace

Result<std::string> findEngine() {
    if (const char* named = std::getenv("PGARBOR_ENGINE"); named && *named) {
        if (isProgram(named))
            return std::string(named);
        return makeError(ErrorKind::NotFound, "PGARBOR_ENGINE names {}, which is no program", named);
    }
    const std::string own = ownDirectory();
    for (const char* place :
         {"/pgarbord", "/../lib/pgarbor/pgarbord", "/../libexec/pgarbor/pgarbord", "/../lib/pgarbord"})
        if (isProgram(own + place))
            return own + place;
    if (const QString found = QStandardPaths::findExecutable("pgarbord"); !found.isEmpty())
        return QFileInfo(found).absoluteFilePath().toStdString();
    return makeError(ErrorKind::NotFound,
                     "the engine (pgarbord) is neither in {} nor in PATH; install it or set PGARBOR_ENGINE",
                     own);
}

Result<bool> engineAnswers(const std::string& store, std::chrono::milliseconds timeout) {
    auto connected = connectToEngine(store);
    if (!connected) {
        if (connected.error().kind() == ErrorKind::Unreachable)
            return false;
        return std::move(connected).error();
    }
    const Descriptor descriptor(*connected);
    const auto until = SteadyClock::now() + timeout;
    const QByteArray line = requestLine(1, method::hello,
                                        {{"protocol", controlProtocolVersion},
                                         {"program", "launcher"},
                                         {"store", QString::fromStdString(canonicalStore(store))}}) +
                            '\n';
    if (send(descriptor.get(), line.constData(), static_cast<std::size_t>(line.size()), MSG_NOSIGNAL) !=
        line.size())
        return false; // it has just gone
    QByteArray answer;
    while (!answer.contains('\n') && answer.size() < maxHelloBytes) {
        if (!waitReadable(descriptor.get(), POLLIN, until))
            return makeError(ErrorKind::Unreachable, "the engine of {} listens, but does not answer", store);
        char part[4096];
        const ssize_t got = recv(descriptor.get(), part, sizeof part, MSG_DONTWAIT);
        if (got > 0)
            answer.append(part, got);
        else if (got == 0 || (errno != EAGAIN && errno != EINTR))
            return false;
    }
    auto message = parseMessage(answer.left(answer.indexOf('\n')));
    if (!message)
        return makeError(ErrorKind::Unreachable, "what listens for {} is no engine", store);
    if (!message->result)
        return std::move(message->result).error();
    return true;
}

namespace {

// Waits until the started engine answers; `process` becomes readable when it ends.
Status awaitEngine(const LaunchOptions& options, int process, SteadyClock::time_point until,
                   const std::string& log, off_t since) {
    // There is nothing to wait on for a socket that does not exist yet; the process's end wakes us at once.
    auto pause = std::chrono::milliseconds(5);
    // An engine that somebody started by hand at the same moment made ours end: it gets some time to answer.
    constexpr auto grace = std::chrono::seconds(1);
    bool ended = false;
    while (SteadyClock::now() < until) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - SteadyClock::now());
        ARBOR_ASSIGN(const bool answers, engineAnswers(options.store, left));
        if (answers)
            return {};
        if (ended) {
            std::this_thread::sleep_for(pause);
        } else if (waitReadable(process, POLLIN, SteadyClock::now() + pause)) {
            ended = true;
            until = std::min(until, SteadyClock::now() + grace);
        }
        pause = std::min(pause * 2, std::chrono::milliseconds(100));
    }
    const std::string words = lastWords(log, since);
    if (const auto reason = reasonIn(words); ended && reason)
        return *reason;
    return makeError(
        ErrorKind::Unreachable, "{}; it said{}",
        ended ? "the engine ended at once"
              : fmt::format("the engine did not answer within {} s", options.timeout.count() / 1000),
        words.empty() ? " nothing" : ": " + words);
}

// One client of a runtime directory starts an engine at a time; the others wait and find it. The lock goes
// with its descriptor. (Rejected: let engines race for the store's lock. The loser's client cannot tell a
// winner that is still recovering from an engine that failed.)
Status lockLaunch(int descriptor, SteadyClock::time_point until) {
    while (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return errnoError(errno, "locking the start of an engine");
        if (SteadyClock::now() > until)
            return makeError(ErrorKind::Unreachable,
                             "another client has been starting the engine for too long");
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return {};
}

// One that was killed a moment ago holds its lock a little longer than its connections, and the next one
// would take it for an engine at work. Who holds the lock and is none answers or not, as before.
void awaitFormerEngine(const ControlAddress& address) {
    const auto until = SteadyClock::now() + std::chrono::seconds(1);
    const Descriptor lock(open(address.lock.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    while (lock.get() >= 0 && flock(lock.get(), LOCK_EX | LOCK_NB) != 0 && SteadyClock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

} // namespace

Status ensureEngine(const LaunchOptions& options) {
    const auto until = SteadyClock::now() + options.timeout;
    ARBOR_ASSIGN(const bool running, engineAnswers(options.store, options.timeout));
    if (running)
        return {};
    std::string engine = options.engine;
    if (engine.empty()) {
        auto found = findEngine();
        if (!found) // for a script it is an engine that cannot be reached, not a branch that is missing
            return Error(ErrorKind::Unreachable, found.error().message());
        engine = *found;
    }
    const ControlAddress address = listenAddress(options.store);
    ARBOR_TRY(prepareRuntimeDirectory(address));
    constexpr int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW;
    const Descriptor launch(open(address.launch.c_str(), flags, 0600));
    if (launch.get() < 0)
        return errnoError(errno, "opening " + address.launch);
    ARBOR_TRY(lockLaunch(launch.get(), until));
    ARBOR_ASSIGN(const bool startedMeanwhile, engineAnswers(options.store, options.timeout));
    if (startedMeanwhile)
        return {};
    const Descriptor log(open(address.log.c_str(), flags, 0600));
    if (log.get() < 0)
        return errnoError(errno, "opening " + address.log);
    struct stat info {};
    constexpr off_t logLimit = 4 << 20;
    if (fstat(log.get(), &info) == 0 && info.st_size > logLimit && ftruncate(log.get(), 0) == 0)
        info.st_size = 0;

    std::vector<std::string> arguments{engine, "--store", canonicalStore(options.store)};
    arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
    awaitFormerEngine(address);
    auto spawned = spawnDetached(arguments, log.get());
    if (!spawned)
        return Error(ErrorKind::Unreachable, spawned.error().message());
    const Descriptor process(*spawned);

    return awaitEngine(options, process.get(), until, address.log, info.st_size);
}

} // namespace arbor
