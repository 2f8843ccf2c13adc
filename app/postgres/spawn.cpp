#include "app/postgres/spawn.h"

#include "app/postgres/pidfd.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>

namespace arbor {

namespace {

// Between vfork and exec the child runs on its parent's memory: nothing here may allocate, lock or touch what
// other threads use. fork() would copy the page tables of an engine with gigabytes of cache; posix_spawn()
// has no way to set a death signal.
struct ChildContext {
    const char* program = nullptr;
    char* const* arguments = nullptr;
    char* const* environment = nullptr;
    int log = -1;
    int lock = -1;
    int null = -1;
    pid_t parent = 0;
    rlimit files{};
    std::atomic<pid_t>* announced = nullptr;
    volatile int error = 0;
};

[[noreturn]] void fail(ChildContext& context) {
    context.error = errno;
    ::_exit(127);
}

[[noreturn]] void runChild(ChildContext& context) {
    context.announced->store(::getpid());
    ::setsid();
    if (::prctl(PR_SET_PDEATHSIG, SIGQUIT) != 0)
        fail(context);
    if (::getppid() != context.parent) { // the engine died in between: no signal will come
        errno = ECHILD;
        fail(context);
    }
    for (int signal = 1; signal < NSIG; ++signal) {
        struct sigaction action {};
        action.sa_handler = SIG_DFL;
        ::sigaction(signal, &action, nullptr); // not possible for a few, which have no handler either
    }
    ::umask(077);
    if (::chdir("/") != 0 || ::dup2(context.null, STDIN_FILENO) < 0 ||
        ::dup2(context.log, STDOUT_FILENO) < 0 || ::dup2(context.log, STDERR_FILENO) < 0)
        fail(context);
    // Whatever else the engine has open (the store, the mount, clients) is none of the server's business.
    if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0 || ::fcntl(context.lock, F_SETFD, 0) != 0)
        fail(context);
    ::setrlimit(RLIMIT_NOFILE, &context.files);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(context.program, context.arguments, context.environment);
    fail(context);
}

std::vector<char*> pointers(const std::vector<std::string>& words) {
    std::vector<char*> result;
    for (const std::string& word : words)
        result.push_back(const_cast<char*>(word.c_str())); // execve() does not change them
    result.push_back(nullptr);
    return result;
}

// No handler of the parent may run in the child, on the parent's memory.
class AllSignalsBlocked {
  public:
    AllSignalsBlocked() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &m_before);
    }
    ~AllSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &m_before, nullptr); }
    AllSignalsBlocked(const AllSignalsBlocked&) = delete;
    AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

  private:
    sigset_t m_before;
};

pid_t startChild(ChildContext& context) {
    const AllSignalsBlocked blocked;
    const pid_t pid = ::vfork();
    if (pid == 0)
        runChild(context);
    return pid;
}

} // namespace

Result<SpawnedProcess> spawnServer(const SpawnRequest& request, std::atomic<pid_t>* announced) {
    std::vector<std::string> words{request.program};
    words.insert(words.end(), request.arguments.begin(), request.arguments.end());
    const std::vector<char*> arguments = pointers(words);
    const std::vector<char*> environment = pointers(request.environment);
    const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    if (!null)
        return errnoError(errno, "opening /dev/null");
    ChildContext context;
    context.program = request.program.c_str();
    context.arguments = arguments.data();
    context.environment = environment.data();
    context.log = request.logDescriptor;
    context.lock = request.lockDescriptor;
    context.null = null.get();
    context.parent = ::getpid();
    context.announced = announced;
    // A desktop session's 1024 is little beside Postgres's 1000 files a process. An engine may have raised
    // its own to any height; more than this nobody needs.
    ::getrlimit(RLIMIT_NOFILE, &context.files);
    context.files.rlim_cur = std::min<rlim_t>(context.files.rlim_max, 65'536);
    const pid_t pid = startChild(context);
    if (pid < 0)
        return errnoError(errno, "starting " + request.program);
    if (context.error != 0) {
        announced->store(0);
        ::waitpid(pid, nullptr, 0);
        return errnoError(context.error, "starting " + request.program);
    }
    UniqueFd handle(pidfd_open(pid, 0));
    if (!handle) {
        const int error = errno;
        announced->store(0);
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
        return errnoError(error, "watching " + request.program);
    }
    return SpawnedProcess{.pid = pid, .handle = std::move(handle)};
}

} // namespace arbor
