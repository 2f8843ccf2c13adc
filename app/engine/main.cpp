// pgarbord: the engine of one store. Clients start it; a person never has to.
#include "app/control/runtime_dir.h"
#include "app/control/version.h"
#include "app/engine/log.h"
#include "app/engine/privileges.h"
#include "app/engine/service.h"
#include "app/postgres/environment.h"
#include "storage/fuse/mount_point.h"

#include <CLI/CLI.hpp>

#include <QCoreApplication>
#include <QSocketNotifier>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace arbor {

namespace {

struct Arguments {
    std::string store;
    std::string runAs = "postgres";
    std::string pgBin;
};

struct Ground {
    RunAs user;
    bool isStore = false;
    std::vector<std::string> made; // directories that go again when no store comes of it
    std::unique_ptr<MountKeeper> mount;
};

// False when it is there already.
Result<bool> makeDirectory(const std::string& path, Ground& ground) {
    if (::mkdir(path.c_str(), 0700) != 0) {
        if (errno == EEXIST)
            return false;
        return errnoError(errno, "making " + path);
    }
    ground.made.push_back(path);
    if (Status synced = PosixDisk().syncDirectory(path.substr(0, path.rfind('/') + 1));
        !synced && synced.error().kind() != ErrorKind::Permission)
        return std::move(synced).error();
    return true;
}

// Makes the directories that a mount needs, as their later owner.
Status makeOwned(const std::string& path, const RunAs& user, Ground& ground) {
    ARBOR_ASSIGN(const bool made, makeDirectory(path, ground));
    if (made && ::geteuid() == 0 && ::chown(path.c_str(), user.uid, user.gid) != 0)
        return errnoError(errno, "giving " + path + " to " + user.name);
    return {};
}

// Root's own directories stay root's, and let the store's owner through.
Status makeParent(const std::string& path, Ground& ground) {
    ARBOR_ASSIGN(const bool made, makeDirectory(path, ground));
    if (made && ::geteuid() == 0 && ::chmod(path.c_str(), 0711) != 0)
        return errnoError(errno, "opening " + path + " for those who pass through it");
    return {};
}

// A new home has no ~/.local/share yet, where the default store goes. Only there: elsewhere a missing parent
// is a mistyped path.
Status makeDataHome(const std::string& store, Ground& ground) {
    if (std::getenv("PGARBOR_STORE") != nullptr || store != canonicalStore(defaultStore()))
        return {};
    for (auto slash = store.find('/', 1); slash != std::string::npos; slash = store.find('/', slash + 1))
        ARBOR_TRY(makeParent(store.substr(0, slash), ground));
    return {};
}

// A child becomes the user and tries: only the kernel knows what modes, groups and access lists add up to.
bool isClosedTo(const std::string& directory, const RunAs& user) {
    const pid_t child = ::fork();
    if (child == 0)
        ::_exit(becomeUser(user) && ::access(directory.c_str(), X_OK) != 0 && errno == EACCES ? 1 : 0);
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

// Root's home, where root's default store goes, is often closed to others.
Status checkWayTo(const std::string& store, const RunAs& user) {
    for (auto slash = store.find('/', 1); slash != std::string::npos; slash = store.find('/', slash + 1))
        if (const std::string directory = store.substr(0, slash); isClosedTo(directory, user))
            return makeError(ErrorKind::Permission,
                             "the user {}, who has to own the store, may not enter {}: name another place "
                             "with --store or in PGARBOR_STORE",
                             user.name, directory);
    return {};
}

Result<std::uint64_t> mountId() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

// The mount, as long as the process has what it takes: an engine started by root mounts before it becomes
// somebody else where that user could not mount by himself.
Result<std::unique_ptr<Mount>> prepareMount(const std::string& store, const RunAs& user,
                                            std::function<void()> ended) {
    const std::string place = store + "/mnt";
    ARBOR_TRY(clearDeadMount(place));
    const Owner owner{user.uid, user.gid};
    if (::geteuid() == 0 && ordinaryUserCanMount(owner))
        ARBOR_TRY(becomeUser(user));
    MountOptions options;
    options.path = place;
    ARBOR_ASSIGN(options.storeId, mountId());
    options.servedBy = owner;
    options.log = [](const std::string& sentence) { spdlog::warn("mount: {}", sentence); };
    options.ended = [ended = std::move(ended)] {
        spdlog::warn("the mount was taken away");
        ended();
    };
    return Mount::prepare(std::move(options));
}

Status makeDirectories(const Arguments& arguments, Ground& ground) {
    ARBOR_TRY(makeDataHome(arguments.store, ground));
    ARBOR_TRY(makeOwned(arguments.store, ground.user, ground));
    return makeOwned(arguments.store + "/mnt", ground.user, ground);
}

Result<Ground> prepare(const Arguments& arguments) {
    Ground ground;
    if (::geteuid() == 0) {
        ARBOR_ASSIGN(ground.user, userNamed(arguments.runAs));
    } else {
        ARBOR_ASSIGN(ground.user, currentUser());
    }
    ARBOR_ASSIGN(ground.isStore, storeExists(arguments.store));
    PosixDisk disk;
    const auto entries = disk.list(arguments.store);
    const bool usable =
        ground.isStore || !entries || entries->empty() || (entries->size() == 1 && entries->front() == "mnt");
    // a second engine must not touch the first one's mount
    if (const std::string lockFile = arguments.store + "/LOCK"; ground.isStore && disk.info(lockFile))
        if (auto lock = disk.lock(lockFile); !lock)
            return makeError(ErrorKind::Busy, "another engine has the store at {} open: {}", arguments.store,
                             lock.error().message());
    ground.mount = std::make_unique<MountKeeper>(
        [store = arguments.store, user = ground.user](std::function<void()> ended) {
            return prepareMount(store, user, std::move(ended));
        });
    if (::geteuid() == 0 && usable && !ground.isStore)
        ARBOR_TRY(checkWayTo(arguments.store, ground.user));
    if (usable) { // otherwise it is somebody's directory, and store.init will say so
        const Status made = makeDirectories(arguments, ground);
        const Status mounted = ground.mount->need(); // or later
        if (!ground.isStore && ground.made.empty() && !disk.info(arguments.store)) {
            ARBOR_TRY(made);
            ARBOR_TRY(mounted);
        }
    }
    if (::geteuid() == 0)
        ARBOR_TRY(becomeUser(ground.user));
    return ground;
}

// Segments, the index, the logs of branches and clients are open at once, and a library that gets no
// descriptor ends the process: a desktop session allows 1024 until it is asked for more. Answers how many
// there may be.
rlim_t raiseFileLimit() {
    constexpr rlim_t enough = 65'536;
    rlimit files{};
    ::getrlimit(RLIMIT_NOFILE, &files);
    const rlim_t given = files.rlim_cur;
    files.rlim_cur = std::max(given, std::min(files.rlim_max, enough));
    return ::setrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : given;
}

// In the form in which a client that started us reads it from our log.
int fail(const Error& error) {
    std::fprintf(stderr, "pgarbord (%s): %s\n", std::string(kindName(error.kind())).c_str(),
                 error.message().c_str());
    return exitCodeOf(error.kind());
}

int run(const Arguments& arguments, int argc, char** argv) {
    sigset_t caught;
    sigemptyset(&caught);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&caught, signal);
    sigprocmask(SIG_BLOCK, &caught, nullptr); // before any thread; they arrive through a descriptor
    ::signal(SIGPIPE, SIG_IGN);
    clearPostgresEnvironment();
    const rlim_t files = raiseFileLimit();

    openLog();
    auto ground = prepare(arguments);
    if (!ground)
        return fail(ground.error());
    if (ground->isStore)
        logIntoStore(arguments.store);

    QCoreApplication application(argc, argv);
    ControlServer::Options options;
    options.program = QStringLiteral("pgarbord ") + programVersion;
    options.store = QString::fromStdString(arguments.store);
    // so that those who are served have what they need
    options.maxConnections = static_cast<int>(std::min<rlim_t>(maxConnections, files / 3));
    ControlServer server(options);
    const std::vector<std::string> made = ground->made;
    int code = 0;
    {
        Service service({arguments.store, ground->user, arguments.pgBin, std::move(ground->mount)}, server);
        QObject::connect(&service, &Service::finished, &application, &QCoreApplication::quit);
        const int descriptor = ::signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
        QSocketNotifier notifier(descriptor, QSocketNotifier::Read);
        QObject::connect(&notifier, &QSocketNotifier::activated, &service, [&] {
            signalfd_siginfo info{};
            while (::read(descriptor, &info, sizeof info) > 0)
                service.shutDown();
        });
        // the store first: a client that connects finds it open, or is told why there is none
        if (auto opened = service.open(); !opened) {
            spdlog::critical("{}", opened.error().message());
            return fail(opened.error());
        }
        if (auto listening = server.listen(listenAddress(arguments.store)); !listening) {
            service.shutDown(); // servers that were running are being started again
            QCoreApplication::exec();
            return fail(listening.error());
        }
        spdlog::info("pgarbord {} serves {} as {}", programVersion, arguments.store, ground->user.name);
        code = QCoreApplication::exec();
        ::close(descriptor);
    }
    // nothing came of it: leave no empty directories
    if (!storeExists(arguments.store).value_or(true))
        for (auto path = made.rbegin(); path != made.rend(); ++path)
            ::rmdir(path->c_str());
    leaveStoreLog();
    // the end of its connection tells a client that nothing is left: servers, mount and store are gone by now
    server.close();
    return code;
}

} // namespace

} // namespace arbor

int main(int argc, char** argv) {
    arbor::Arguments arguments;
    CLI::App app{"The engine of a PgArbor store. Clients start it when they need it."};
    app.set_version_flag("--version", std::string("pgarbord ") + arbor::programVersion);
    app.add_option("--store", arguments.store, "the directory of the store");
    app.add_option("--run-as", arguments.runAs,
                   "the user to become when started by root (default: postgres)");
    app.add_option("--pg-bin", arguments.pgBin, "the directory of the postgres to prefer");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    arguments.store =
        arbor::canonicalStore(arguments.store.empty() ? arbor::defaultStore() : arguments.store);
    return arbor::run(arguments, argc, argv);
}
