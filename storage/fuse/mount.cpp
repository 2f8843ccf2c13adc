#include "storage/fuse/mount.h"

#include "storage/fuse/mount_point.h"
#include "storage/fuse/notifier.h"
#include "storage/fuse/operations.h"
#include "storage/fuse/session.h"
#include "storage/fuse/unmount_helper.h"

#include <cassert>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace arbor {

// In the order of their making; destroyed the other way round.
struct Mount::Parts {
    explicit Parts(MountOptions itsOptions)
        : options(std::move(itsOptions)), operations(options.storeId, options.servedBy, options.log) {}

    MountOptions options;                  // with the path resolved
    std::string device;                    // "0:57"
    std::unique_ptr<UnmountHelper> helper; // only when root mounted
    Operations operations;
    std::unique_ptr<Session> session;
    std::unique_ptr<Notifier> notifier;
    bool mounted = false;

    Status unmount(bool lazily) {
        return helper ? helper->unmount(lazily) : unmountByHelper(options.path, lazily);
    }
};

namespace {

// The kernel takes what it is told at INIT for an upper bound only; raising the limit itself needs root.
void raiseReadAhead(const std::string& device, std::uint32_t bytes) {
    std::ofstream knob("/sys/class/bdi/" + device + "/read_ahead_kb");
    knob << bytes / 1024;
}

// Whether the mount's root is answered. Asked by a child, since this process serves the mount and would wait
// for itself; the child holds none of our descriptors, or it would keep a dead connection alive.
Status probe(const std::string& path) {
    const pid_t child = fork();
    if (child < 0)
        return errnoError(errno, "starting the process that tries the mount");
    if (child == 0) {
        close_range(0, ~0u, 0);
        struct stat info {};
        _exit(stat(path.c_str(), &info) == 0 && info.st_ino == NodeTable::mountRoot ? 0 : 1);
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    int status = 0;
    for (;;) {
        const pid_t ended = waitpid(child, &status, WNOHANG);
        if (ended == child)
            break;
        if (ended < 0 && errno != EINTR)
            return errnoError(errno, "waiting for the process that tries the mount");
        if (std::chrono::steady_clock::now() > deadline) {
            kill(child, SIGKILL); // it dies at the latest when the connection is closed
            return makeError(ErrorKind::Io, "the mount at {} does not answer", path);
        }
        std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return makeError(ErrorKind::Io, "the mount at {} is not answered as it should be", path);
    return {};
}

} // namespace

Mount::Mount(std::unique_ptr<Parts> parts) : m_parts(std::move(parts)) {}

Result<std::unique_ptr<Mount>> Mount::prepare(MountOptions options) {
    if (options.threads < 1 || options.threads > 64)
        return makeError(ErrorKind::InvalidArgument, "the mount works with 1 to 64 threads, not with {}",
                         options.threads);
    ARBOR_ASSIGN(options.path, resolveMountPath(options.path));
    const bool isRoot = geteuid() == 0;
    if (!isRoot)
        options.servedBy = {geteuid(), getegid()};
    auto parts = std::make_unique<Parts>(std::move(options));
    const std::string& path = parts->options.path;

    ARBOR_ASSIGN(const std::optional<MountRecord> present, mountAt(path));
    if (present)
        return makeError(ErrorKind::Busy, "a file system of type {} is mounted at {} already", present->type,
                         path);
    if (isRoot) {
        ARBOR_ASSIGN(parts->helper, UnmountHelper::start(path));
    }
    ARBOR_ASSIGN(Descriptor device,
                 isRoot ? mountAsRoot(path, parts->options.servedBy) : mountByHelper(path));
    parts->mounted = true;
    std::unique_ptr<Mount> mount(new Mount(std::move(parts))); // unmounts from here on, whatever fails
    Parts& made = *mount->m_parts;

    ARBOR_ASSIGN(const std::optional<MountRecord> record, mountAt(path));
    if (!record)
        return makeError(ErrorKind::Io, "{} was unmounted at once by somebody else", path);
    made.device = record->device;
    if (made.helper)
        ARBOR_TRY(made.helper->remember(record->source));
    std::vector<Descriptor> clones = cloneDevice(device, made.options.threads);
    ARBOR_ASSIGN(made.session,
                 Session::open(std::move(device), std::move(clones), Operations::table(), &made.operations));
    ARBOR_TRY(made.session->greet(made.options.rings));
    if (isRoot)
        raiseReadAhead(made.device, made.options.readAheadBytes);
    return mount;
}

Status Mount::serve(ViewProvider& provider) {
    Parts& parts = *m_parts;
    assert(!parts.notifier && "serve() once");
    parts.operations.use(provider, *parts.session);
    parts.notifier = std::make_unique<Notifier>(parts.session->handle(), parts.operations.nodes());
    parts.session->start(parts.options.threads, parts.options.ended);
    return probe(parts.options.path);
}

Mount::~Mount() {
    Parts& parts = *m_parts;
    if (!parts.mounted)
        return;
    // While the workers still answer: a notification under way may wait for them, and so may unmounting.
    parts.notifier.reset();
    if (parts.session)
        parts.session->expectEnd();
    const auto present = mountAt(parts.options.path);
    if (!present || (*present && (*present)->device == parts.device)) {
        Status done = parts.unmount(false);
        if (!done) // in use: whoever uses it gets ENOTCONN as soon as the device closes
            done = parts.unmount(true);
        if (!done)
            parts.operations.log().report("leaving the mount", done.error());
    }
    if (parts.session)
        parts.session->stop();
    parts.session.reset();
    parts.operations.nodes().clear();
}

void Mount::invalidateEntry(TimelineId timeline, InodeId directory, std::string_view name) {
    m_parts->notifier->add(Notifier::Entry{timeline, directory, std::string(name)});
}

void Mount::invalidateData(TimelineId timeline, InodeId inode, std::uint64_t offset, std::uint64_t length) {
    m_parts->notifier->add(Notifier::Data{timeline, inode, offset, length});
}

void Mount::retire(TimelineId timeline) {
    m_parts->operations.nodes().retire(timeline);
    m_parts->notifier->add(Notifier::Entry{timeline, InodeId{}, fmt::format("{}", timeline)});
}

void Mount::drain() {
    m_parts->notifier->drain();
}

const std::string& Mount::path() const {
    return m_parts->options.path;
}

bool Mount::hasRings() const {
    return m_parts->session->hasRings();
}

const MountMetrics& Mount::metrics() const {
    return m_parts->operations.metrics();
}

std::size_t Mount::knownNodes() const {
    return m_parts->operations.nodes().size();
}

} // namespace arbor
