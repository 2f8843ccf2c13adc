#include "storage/fuse/operations.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/falloc.h>
#include <sys/statvfs.h>

namespace arbor {

namespace {

using SteadyClock = std::chrono::steady_clock;

timespec timespecOf(Timestamp time) {
    std::int64_t seconds = time.micros / 1'000'000;
    std::int64_t micros = time.micros % 1'000'000;
    if (micros < 0) {
        micros += 1'000'000;
        --seconds;
    }
    return {seconds, micros * 1000};
}

Timestamp timestampOf(const timespec& time) {
    return {time.tv_sec * 1'000'000 + time.tv_nsec / 1000};
}

mode_t typeBits(FileType type) {
    switch (type) {
    case FileType::Directory:
        return S_IFDIR;
    case FileType::Symlink:
        return S_IFLNK;
    case FileType::Regular:
        break;
    }
    return S_IFREG;
}

} // namespace

Operations::Operations(std::uint64_t storeId, Owner owner, std::function<void(const std::string&)> log)
    : m_owner(owner), m_nodes(storeId), m_log(std::move(log)) {}

// ---------------------------------------------------------------------------------------------- ends

void Operations::fail(fuse_req_t request, RequestKind kind, int errnoValue) {
    if (errnoValue != ENOENT)
        m_metrics.errors[static_cast<std::size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
    fuse_reply_err(request, errnoValue);
}

void Operations::fail(fuse_req_t request, RequestKind kind, const Error& error, const Target& target) {
    m_log.report(
        fmt::format("timeline {}, inode {}, {}", target.timeline->id, target.inode, requestName(kind)),
        error);
    fail(request, kind, errnoOf(error.kind()));
}

void Operations::answer(fuse_req_t request, RequestKind kind, const Status& status, const Target& target) {
    if (status)
        fuse_reply_err(request, 0);
    else
        fail(request, kind, status.error(), target);
}

void Operations::answerEntry(fuse_req_t request, RequestKind kind, const Result<Attributes>& attributes,
                             const Target& directory) {
    if (!attributes) {
        fail(request, kind, attributes.error(), directory);
        return;
    }
    const fuse_entry_param entry = entryOf(directory.timeline, *attributes);
    if (fuse_reply_entry(request, &entry) != 0)
        m_nodes.forget(entry.ino, 1); // the kernel did not take it
}

// Answered by the store's sync thread: a sync takes milliseconds, and a checkpoint asks for hundreds at once.
void Operations::answerSync(fuse_req_t request, const Target& target) {
    const Session::Later later = m_session->later(request);
    target.timeline->view->syncThen([this, later, target, began = SteadyClock::now()](const Status& status) {
        m_metrics.syncs.add(SteadyClock::now() - began);
        if (!status) {
            m_log.report(fmt::format("timeline {}, sync", target.timeline->id), status.error());
            m_metrics.errors[static_cast<std::size_t>(RequestKind::Sync)].fetch_add(
                1, std::memory_order_relaxed);
        }
        // a sync that was cancelled or refused must look like the failing disk it stands for
        later.error(status ? 0 : status.error().kind() == ErrorKind::NoSpace ? ENOSPC : EIO);
    });
}

// ------------------------------------------------------------------------------------------- subjects

std::optional<Operations::Target> Operations::target(fuse_req_t request, RequestKind kind, fuse_ino_t node) {
    std::optional<Target> target = m_nodes.find(node);
    if (!target || target->timeline->retired) {
        fail(request, kind, node == NodeTable::mountRoot ? EPERM : ESTALE);
        return std::nullopt;
    }
    return target;
}

struct stat Operations::statOf(const MountedTimeline& timeline, const Attributes& attributes) const {
    struct stat info {};
    info.st_ino = timeline.inodeNumber(attributes.inode);
    info.st_mode = typeBits(attributes.type) | (attributes.mode & 07777);
    info.st_nlink = attributes.links;
    // Whoever serves the store owns all that is in it: what is recorded may be another machine's number for
    // them, and PostgreSQL refuses files that are not its own.
    info.st_uid = m_owner.uid;
    info.st_gid = m_owner.gid;
    info.st_size = static_cast<off_t>(attributes.size);
    info.st_blocks = static_cast<blkcnt_t>((attributes.allocatedBytes + 511) / 512);
    info.st_blksize = blockSize;
    info.st_mtim = timespecOf(attributes.modified);
    info.st_atim = info.st_mtim; // reads are not recorded
    info.st_ctim = timespecOf(attributes.changed);
    return info;
}

struct stat Operations::rootStat() const {
    struct stat info {};
    info.st_ino = NodeTable::mountRoot;
    info.st_mode = S_IFDIR | 0700;
    info.st_nlink = 2;
    info.st_uid = m_owner.uid;
    info.st_gid = m_owner.gid;
    info.st_blksize = blockSize;
    return info;
}

fuse_entry_param Operations::entryOf(const std::shared_ptr<MountedTimeline>& timeline,
                                     const Attributes& attributes) {
    fuse_entry_param entry{};
    entry.ino = m_nodes.remember(timeline, attributes.inode);
    entry.generation = 1; // node ids are never used twice, so nothing needs telling apart
    entry.attr = statOf(*timeline, attributes);
    entry.attr_timeout = forEver;
    entry.entry_timeout = forEver;
    return entry;
}

// --------------------------------------------------------------------------------------------- files

void Operations::getAttributes(fuse_req_t request, fuse_ino_t node) {
    constexpr auto kind = RequestKind::GetAttributes;
    if (node == NodeTable::mountRoot) {
        const struct stat info = rootStat();
        fuse_reply_attr(request, &info, forEver);
        return;
    }
    const auto subject = target(request, kind, node);
    if (!subject)
        return;
    const auto attributes = subject->timeline->view->attributes(subject->inode);
    if (!attributes) {
        fail(request, kind, attributes.error(), *subject);
        return;
    }
    const struct stat info = statOf(*subject->timeline, *attributes);
    fuse_reply_attr(request, &info, forEver);
}

void Operations::setAttributes(fuse_req_t request, fuse_ino_t node, const struct stat& values, int toSet) {
    constexpr auto kind = RequestKind::SetAttributes;
    const auto subject = target(request, kind, node);
    if (!subject)
        return;
    BranchView& view = *subject->timeline->view;
    const InodeId inode = subject->inode;

    if (((toSet & FUSE_SET_ATTR_UID) && values.st_uid != m_owner.uid) ||
        ((toSet & FUSE_SET_ATTR_GID) && values.st_gid != m_owner.gid)) {
        fail(request, kind, EPERM);
        return;
    }

    AttributeChange change;
    if (toSet & FUSE_SET_ATTR_MODE)
        change.mode = values.st_mode & 07777;
    if (toSet & FUSE_SET_ATTR_UID)
        change.uid = values.st_uid;
    if (toSet & FUSE_SET_ATTR_GID)
        change.gid = values.st_gid;
    if (toSet & FUSE_SET_ATTR_MTIME)
        change.modified =
            (toSet & FUSE_SET_ATTR_MTIME_NOW) ? SystemClock().now() : timestampOf(values.st_mtim);

    Result<Attributes> attributes = [&]() -> Result<Attributes> {
        if (toSet & FUSE_SET_ATTR_SIZE)
            ARBOR_TRY(view.truncate(inode, static_cast<std::uint64_t>(values.st_size)));
        if (change.mode || change.uid || change.gid || change.modified)
            return view.setAttributes(inode, change);
        return view.attributes(inode);
    }();
    if (!attributes) {
        fail(request, kind, attributes.error(), *subject);
        return;
    }
    const struct stat info = statOf(*subject->timeline, *attributes);
    fuse_reply_attr(request, &info, forEver);
}

void Operations::open(fuse_req_t request, fuse_ino_t node, fuse_file_info& info) {
    constexpr auto kind = RequestKind::Open;
    const auto subject = target(request, kind, node);
    if (!subject)
        return;
    BranchView& view = *subject->timeline->view;
    if (view.isReadOnly() && ((info.flags & O_ACCMODE) != O_RDONLY || (info.flags & O_TRUNC))) {
        fail(request, kind, EROFS);
        return;
    }
    const Status opened = view.open(subject->inode);
    if (!opened) {
        fail(request, kind, opened.error(), *subject);
        return;
    }
    if (info.flags & O_TRUNC) {
        const Status emptied = view.truncate(subject->inode, 0);
        if (!emptied) {
            view.close(subject->inode);
            fail(request, kind, emptied.error(), *subject);
            return;
        }
    }
    auto* const file = new OpenFile{subject->timeline, subject->inode};
    info.fh = reinterpret_cast<std::uint64_t>(file);
    info.keep_cache = 1;
    if (fuse_reply_open(request, &info) != 0) { // the caller died meanwhile: nobody will release it
        view.close(subject->inode);
        delete file;
    }
}

void Operations::release(fuse_req_t request, const fuse_file_info& info) {
    const std::unique_ptr<OpenFile> file(reinterpret_cast<OpenFile*>(info.fh));
    file->timeline->view->close(file->inode);
    fuse_reply_err(request, 0);
}

// One short answer makes the kernel shrink the size it believes in, so a view that comes up short is asked
// again, and then it is an error. The size is asked for after the read: a file that was truncated meanwhile
// is short rightly, one that grew meanwhile is read once more.
Result<std::size_t> Operations::readWhole(const OpenFile& file, std::uint64_t offset, MutableBytes into) {
    BranchView& view = *file.timeline->view;
    std::size_t got = 0;
    for (int attempt = 0; attempt < 3; ++attempt) {
        ARBOR_ASSIGN(got, view.read(file.inode, offset, into));
        if (got == into.size())
            return got;
        ARBOR_ASSIGN(const Attributes attributes, view.attributes(file.inode));
        if (offset + got >= attributes.size)
            return got;
    }
    return makeError(ErrorKind::Io, "only {} of {} bytes at offset {} could be read, inside of the file", got,
                     into.size(), offset);
}

void Operations::read(fuse_req_t request, std::size_t size, std::uint64_t offset,
                      const fuse_file_info& info) {
    const auto began = SteadyClock::now();
    const OpenFile& file = *reinterpret_cast<const OpenFile*>(info.fh);
    if (file.timeline->retired) {
        fail(request, RequestKind::Read, ESTALE);
        return;
    }
    const MutableBytes buffer = Session::answerBuffer(size);
    const auto got = readWhole(file, offset, buffer);
    if (!got) {
        fail(request, RequestKind::Read, got.error(), {file.timeline, file.inode});
        return;
    }
    m_metrics.bytesRead.fetch_add(*got, std::memory_order_relaxed);
    m_metrics.reads.add(SteadyClock::now() - began); // before the answer: the reader may look at once
    fuse_reply_buf(request, reinterpret_cast<const char*>(buffer.data()), *got);
}

void Operations::write(fuse_req_t request, Bytes bytes, std::uint64_t offset, const fuse_file_info& info) {
    const auto began = SteadyClock::now();
    const OpenFile& file = *reinterpret_cast<const OpenFile*>(info.fh);
    if (file.timeline->retired) {
        fail(request, RequestKind::Write, ESTALE);
        return;
    }
    const WriterId writer = fuse_req_ctx(request)->pid;
    const Status written = file.timeline->view->write(file.inode, offset, bytes, writer);
    if (!written) {
        fail(request, RequestKind::Write, written.error(), {file.timeline, file.inode});
        return;
    }
    m_metrics.bytesWritten.fetch_add(bytes.size(), std::memory_order_relaxed);
    m_metrics.writes.add(SteadyClock::now() - began);
    fuse_reply_write(request, bytes.size());
}

void Operations::allocate(fuse_req_t request, int mode, std::uint64_t offset, std::uint64_t length,
                          const fuse_file_info& info) {
    constexpr auto kind = RequestKind::Allocate;
    const OpenFile& file = *reinterpret_cast<const OpenFile*>(info.fh);
    if (file.timeline->retired) {
        fail(request, kind, ESTALE);
        return;
    }
    BranchView& view = *file.timeline->view;
    Status done;
    if (mode == 0 || mode == FALLOC_FL_KEEP_SIZE) {
        done = view.allocate(file.inode, offset, length, mode == FALLOC_FL_KEEP_SIZE);
    } else if (mode == (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)) {
        done = view.punchHole(file.inode, offset, length);
    } else {
        fail(request, kind, EOPNOTSUPP);
        return;
    }
    answer(request, kind, done, {file.timeline, file.inode});
}

void Operations::sync(fuse_req_t request, fuse_ino_t node) {
    if (node == NodeTable::mountRoot) {
        fuse_reply_err(request, 0); // lists what the engine made durable already
        return;
    }
    if (const auto subject = target(request, RequestKind::Sync, node))
        answerSync(request, *subject);
}

void Operations::statFs(fuse_req_t request, fuse_ino_t node) {
    constexpr auto kind = RequestKind::StatFs;
    Result<SpaceInfo> space = SpaceInfo{};
    if (node == NodeTable::mountRoot) {
        space = m_provider->space();
    } else {
        const auto subject = target(request, kind, node);
        if (!subject)
            return;
        space = subject->timeline->view->space();
    }
    if (!space) {
        m_log.report("statfs", space.error());
        fail(request, kind, errnoOf(space.error().kind()));
        return;
    }
    struct statvfs info {};
    info.f_bsize = blockSize;
    info.f_frsize = blockSize;
    info.f_blocks = space->totalBytes / blockSize;
    info.f_bfree = space->freeBytes / blockSize;
    info.f_bavail = info.f_bfree;
    info.f_namemax = 255;
    fuse_reply_statfs(request, &info);
}

// --------------------------------------------------------------------------------- libfuse's functions

struct Handlers {
    static Operations& of(fuse_req_t request, RequestKind kind) {
        auto& operations = *static_cast<Operations*>(fuse_req_userdata(request));
        countRequest(operations.m_metrics, kind);
        return operations;
    }

    static void init(void*, fuse_conn_info* connection) {
        const auto want = [&](unsigned capability) { connection->want |= connection->capable & capability; };
        // otherwise every write makes the kernel drop the whole file from its page cache (README,
        // measurements)
        connection->want &= ~static_cast<unsigned>(FUSE_CAP_AUTO_INVAL_DATA);
        want(FUSE_CAP_EXPLICIT_INVAL_DATA);
        // would reorder and split what Postgres wrote
        connection->want &= ~static_cast<unsigned>(FUSE_CAP_WRITEBACK_CACHE);
        // pg_wal is a link, and each of its accesses would ask for its target again
        want(FUSE_CAP_CACHE_SYMLINKS);
        want(FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_ATOMIC_O_TRUNC);
        want(FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO);
        // Views take and give memory, so splicing would only add a pipe in between (README, measurements).
        connection->want &=
            ~static_cast<unsigned>(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
        connection->max_write = 1u << 20;
        connection->max_readahead = 8u << 20; // the kernel takes the lesser of this and its own limit
        connection->max_background = 128;
        connection->congestion_threshold = 96;
        connection->time_gran = 1000;
    }

    static void lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
        of(request, RequestKind::Lookup).lookup(request, parent, name);
    }
    static void forget(fuse_req_t request, fuse_ino_t node, std::uint64_t count) {
        of(request, RequestKind::Forget).m_nodes.forget(node, count);
        fuse_reply_none(request);
    }
    static void forgetMany(fuse_req_t request, std::size_t count, fuse_forget_data* which) {
        Operations& operations = of(request, RequestKind::Forget);
        for (const fuse_forget_data& one : std::span(which, count))
            operations.m_nodes.forget(one.ino, one.nlookup);
        fuse_reply_none(request);
    }
    static void getAttributes(fuse_req_t request, fuse_ino_t node, fuse_file_info*) {
        of(request, RequestKind::GetAttributes).getAttributes(request, node);
    }
    static void setAttributes(fuse_req_t request, fuse_ino_t node, struct stat* values, int toSet,
                              fuse_file_info*) {
        of(request, RequestKind::SetAttributes).setAttributes(request, node, *values, toSet);
    }
    static void readLink(fuse_req_t request, fuse_ino_t node) {
        of(request, RequestKind::ReadLink).readLink(request, node);
    }
    static void makeNode(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t) {
        of(request, RequestKind::MakeNode).makeNode(request, parent, name, mode);
    }
    static void makeDirectory(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
        of(request, RequestKind::MakeDirectory).makeDirectory(request, parent, name, mode);
    }
    static void unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
        of(request, RequestKind::Unlink).unlink(request, parent, name);
    }
    static void removeDirectory(fuse_req_t request, fuse_ino_t parent, const char* name) {
        of(request, RequestKind::RemoveDirectory).removeDirectory(request, parent, name);
    }
    static void symlink(fuse_req_t request, const char* linkTarget, fuse_ino_t parent, const char* name) {
        of(request, RequestKind::Symlink).symlink(request, linkTarget, parent, name);
    }
    static void rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t newParent,
                       const char* newName, unsigned flags) {
        of(request, RequestKind::Rename).rename(request, parent, name, newParent, newName, flags);
    }
    static void link(fuse_req_t request, fuse_ino_t, fuse_ino_t, const char*) {
        of(request, RequestKind::Link)
            .fail(request, RequestKind::Link, EPERM); // hard links do not exist in a view
    }
    static void open(fuse_req_t request, fuse_ino_t node, fuse_file_info* info) {
        of(request, RequestKind::Open).open(request, node, *info);
    }
    static void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
                       fuse_file_info* info) {
        of(request, RequestKind::Create).create(request, parent, name, mode, *info);
    }
    static void read(fuse_req_t request, fuse_ino_t, std::size_t size, off_t offset, fuse_file_info* info) {
        of(request, RequestKind::Read).read(request, size, static_cast<std::uint64_t>(offset), *info);
    }
    static void write(fuse_req_t request, fuse_ino_t, const char* data, std::size_t size, off_t offset,
                      fuse_file_info* info) {
        const Bytes bytes(reinterpret_cast<const std::byte*>(data), size);
        of(request, RequestKind::Write).write(request, bytes, static_cast<std::uint64_t>(offset), *info);
    }
    static void allocate(fuse_req_t request, fuse_ino_t, int mode, off_t offset, off_t length,
                         fuse_file_info* info) {
        of(request, RequestKind::Allocate)
            .allocate(request, mode, static_cast<std::uint64_t>(offset), static_cast<std::uint64_t>(length),
                      *info);
    }
    static void release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
        of(request, RequestKind::Release).release(request, *info);
    }
    static void sync(fuse_req_t request, fuse_ino_t node, int, fuse_file_info*) {
        of(request, RequestKind::Sync).sync(request, node);
    }
    static void openDirectory(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
        // Not ENOSYS: the kernel would then cache listings too, for no use that Postgres makes of them.
        of(request, RequestKind::OpenDirectory);
        fuse_reply_open(request, info);
    }
    static void readDirectory(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                              fuse_file_info*) {
        of(request, RequestKind::ReadDirectory)
            .readDirectory(request, node, size, static_cast<std::uint64_t>(offset), false);
    }
    static void readDirectoryPlus(fuse_req_t request, fuse_ino_t node, std::size_t size, off_t offset,
                                  fuse_file_info*) {
        of(request, RequestKind::ReadDirectoryPlus)
            .readDirectory(request, node, size, static_cast<std::uint64_t>(offset), true);
    }
    static void statFs(fuse_req_t request, fuse_ino_t node) {
        of(request, RequestKind::StatFs).statFs(request, node);
    }
};

// What is absent here libfuse answers with ENOSYS, once, and the kernel does not ask again: flush, getxattr
// and listxattr (every write would ask for security.capability), lseek for holes, copy_file_range, access
// (the kernel checks permissions itself), locks (which the kernel then keeps itself).
const fuse_lowlevel_ops& Operations::table() {
    static const fuse_lowlevel_ops operations = [] {
        fuse_lowlevel_ops ops{};
        ops.init = &Handlers::init;
        ops.lookup = &Handlers::lookup;
        ops.forget = &Handlers::forget;
        ops.forget_multi = &Handlers::forgetMany;
        ops.getattr = &Handlers::getAttributes;
        ops.setattr = &Handlers::setAttributes;
        ops.readlink = &Handlers::readLink;
        ops.mknod = &Handlers::makeNode;
        ops.mkdir = &Handlers::makeDirectory;
        ops.unlink = &Handlers::unlink;
        ops.rmdir = &Handlers::removeDirectory;
        ops.symlink = &Handlers::symlink;
        ops.rename = &Handlers::rename;
        ops.link = &Handlers::link;
        ops.open = &Handlers::open;
        ops.create = &Handlers::create;
        ops.read = &Handlers::read;
        ops.write = &Handlers::write;
        ops.fallocate = &Handlers::allocate;
        ops.release = &Handlers::release;
        ops.fsync = &Handlers::sync;
        ops.fsyncdir = &Handlers::sync;
        ops.opendir = &Handlers::openDirectory;
        ops.readdir = &Handlers::readDirectory;
        ops.readdirplus = &Handlers::readDirectoryPlus;
        ops.statfs = &Handlers::statFs;
        return ops;
    }();
    return operations;
}

} // namespace arbor
