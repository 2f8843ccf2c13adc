// The bound of the benchmarks: our mount, with its workers and its settings, over a plain directory.
// What remains of a difference to it is what the engine costs; what it loses to a plain directory is FUSE's.
//
// passthrough DIRECTORY MOUNTPOINT [UID GID]: mounts (as root: and becomes UID:GID), says "ready", and serves
// DIRECTORY as MOUNTPOINT/1 until its input ends.

#include "storage/fuse/mount.h"
#include "storage/fuse/mount_point.h"

#include <cerrno>
#include <condition_variable>
#include <dirent.h>
#include <fcntl.h>
#include <iostream>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <thread>
#include <unistd.h>
#include <unordered_map>

using namespace arbor;

namespace {

Error failure(std::string_view what) {
    return errnoError(errno, what);
}

Timestamp timestampOf(const timespec& time) {
    return {time.tv_sec * 1'000'000 + time.tv_nsec / 1000};
}

// One descriptor a file that the kernel has asked for, kept until its last name has gone and it is closed.
class PlainView final : public BranchView {
  public:
    explicit PlainView(int directory) {
        m_nodes.emplace(root().value, std::make_shared<Node>(directory, FileType::Directory));
        m_syncThread = std::thread([this] { runSyncs(); });
    }
    ~PlainView() override {
        {
            const std::lock_guard lock(m_syncMutex);
            m_stopping = true;
        }
        m_syncChanged.notify_all();
        m_syncThread.join();
    }

    TimelineId timeline() const override { return TimelineId{1}; }
    InodeId root() const override { return InodeId{1}; }
    bool isReadOnly() const override { return false; }

    Result<Attributes> lookup(InodeId directory, std::string_view name) override {
        ARBOR_ASSIGN(const NodePtr parent, find(directory));
        struct stat info {};
        if (fstatat(parent->fd, std::string(name).c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
            return failure("looking up");
        ARBOR_ASSIGN(const InodeId inode, enter(*parent, std::string(name), info));
        return attributesOf(inode, info);
    }
    Result<Attributes> attributes(InodeId inode) override {
        ARBOR_ASSIGN(const NodePtr node, find(inode));
        struct stat info {};
        if (fstat(node->fd, &info) != 0)
            return failure("looking at a file");
        return attributesOf(inode, info);
    }
    Result<std::string> readLink(InodeId inode) override {
        ARBOR_ASSIGN(const NodePtr node, find(inode));
        std::string target(4096, '\0');
        const ssize_t length = readlinkat(node->fd, "", target.data(), target.size());
        if (length < 0)
            return failure("reading a link");
        target.resize(static_cast<std::size_t>(length));
        return target;
    }
    Result<std::vector<DirectoryEntry>> readDirectory(InodeId directory, std::uint64_t cookie,
                                                      std::size_t limit) override {
        ARBOR_ASSIGN(const NodePtr parent, find(directory));
        DIR* const list = fdopendir(openat(parent->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (list == nullptr)
            return failure("listing");
        if (cookie != 0)
            seekdir(list, static_cast<long>(cookie));
        std::vector<DirectoryEntry> entries;
        while (entries.size() < limit) {
            const dirent* const entry = readdir(list);
            if (entry == nullptr)
                break;
            const std::string name = entry->d_name;
            if (name == "." || name == "..")
                continue;
            const std::uint64_t behind = static_cast<std::uint64_t>(entry->d_off);
            struct stat info {};
            if (fstatat(parent->fd, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
                continue;
            const auto inode = enter(*parent, name, info);
            if (inode)
                entries.push_back({name, *inode, typeOf(info), behind});
        }
        closedir(list);
        return entries;
    }

    Result<Attributes> createFile(InodeId directory, std::string_view name, std::uint32_t mode,
                                  Owner) override {
        ARBOR_ASSIGN(const NodePtr parent, find(directory));
        const int fd =
            openat(parent->fd, std::string(name).c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode);
        if (fd < 0)
            return failure("creating");
        close(fd);
        return lookup(directory, name);
    }
    Result<Attributes> makeDirectory(InodeId directory, std::string_view name, std::uint32_t mode,
                                     Owner) override {
        ARBOR_ASSIGN(const NodePtr parent, find(directory));
        if (mkdirat(parent->fd, std::string(name).c_str(), mode) != 0)
            return failure("making a directory");
        return lookup(directory, name);
    }
    Result<Attributes> makeSymlink(InodeId directory, std::string_view name, std::string_view target,
                                   Owner) override {
        ARBOR_ASSIGN(const NodePtr parent, find(directory));
        if (symlinkat(std::string(target).c_str(), parent->fd, std::string(name).c_str()) != 0)
            return failure("linking");
        return lookup(directory, name);
    }
    Status unlink(InodeId directory, std::string_view name) override { return remove(directory, name, 0); }
    Status removeDirectory(InodeId directory, std::string_view name) override {
        return remove(directory, name, AT_REMOVEDIR);
    }
    Status rename(InodeId fromDirectory, std::string_view fromName, InodeId toDirectory,
                  std::string_view toName, bool noReplace) override {
        ARBOR_ASSIGN(const NodePtr from, find(fromDirectory));
        ARBOR_ASSIGN(const NodePtr to, find(toDirectory));
        struct stat replaced {};
        const bool replaces =
            fstatat(to->fd, std::string(toName).c_str(), &replaced, AT_SYMLINK_NOFOLLOW) == 0;
        if (renameat2(from->fd, std::string(fromName).c_str(), to->fd, std::string(toName).c_str(),
                      noReplace ? RENAME_NOREPLACE : 0) != 0)
            return failure("renaming");
        if (replaces)
            nameGone(replaced);
        return {};
    }
    Result<Attributes> setAttributes(InodeId inode, const AttributeChange& change) override {
        ARBOR_ASSIGN(const NodePtr node, find(inode));
        if (change.mode && fchmod(node->fd, *change.mode) != 0)
            return failure("changing a mode");
        return attributes(inode);
    }
    Status truncate(InodeId inode, std::uint64_t size) override {
        ARBOR_ASSIGN(const NodePtr node, find(inode));
        node->dirty = true;
        return ftruncate(node->fd, static_cast<off_t>(size)) == 0 ? Status{} : failure("truncating");
    }
    Status allocate(InodeId inode, std::uint64_t offset, std::uint64_t length, bool keepSize) override {
        ARBOR_ASSIGN(const NodePtr node, find(inode));
        node->dirty = true;
        const int mode = keepSize ? FALLOC_FL_KEEP_SIZE : 0;
        return fallocate(node->fd, mode, static_cast<off_t>(offset), static_cast<off_t>(length)) == 0
                   ? Status{}
                   : failure("allocating");
    }
    Status punchHole(InodeId, std::uint64_t, std::uint64_t) override {
        return makeError(ErrorKind::Unsupported, "no holes here");
    }

    Result<std::size_t> read(InodeId inode, std::uint64_t offset, MutableBytes into) override {
        ARBOR_ASSIGN(const NodePtr node, find(inode));
        std::size_t done = 0;
        while (done < into.size()) {
            const ssize_t got =
                pread(node->fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
            if (got < 0)
                return failure("reading");
            if (got == 0)
                break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }
    Status write(InodeId inode, std::uint64_t offset, Bytes bytes, WriterId) override {
        ARBOR_ASSIGN(const NodePtr node, find(inode));
        node->dirty = true;
        while (!bytes.empty()) {
            const ssize_t put = pwrite(node->fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (put < 0)
                return failure("writing");
            bytes = bytes.subspan(static_cast<std::size_t>(put));
            offset += static_cast<std::uint64_t>(put);
        }
        return {};
    }
    void dropWriter(WriterId) override {}
    Status sync() override { return syncAll(); }
    void syncThen(std::function<void(Status)> done) override {
        const std::lock_guard lock(m_syncMutex);
        m_waiting.push_back(std::move(done));
        m_syncChanged.notify_all();
    }

    Status open(InodeId inode) override {
        ARBOR_ASSIGN(const NodePtr node, find(inode));
        ++node->opens;
        return {};
    }
    void close(InodeId inode) override {
        const auto node = find(inode);
        if (node && --(*node)->opens == 0)
            forgetIfGone(inode);
    }
    Result<SpaceInfo> space() override {
        struct statvfs info {};
        if (fstatvfs(m_nodes.at(root().value)->fd, &info) != 0)
            return failure("asking for space");
        return SpaceInfo{info.f_blocks * info.f_frsize, info.f_bavail * info.f_frsize};
    }

  private:
    struct Node {
        Node(int descriptor, FileType itsType) : fd(descriptor), type(itsType) {}
        ~Node() { ::close(fd); }
        Node(const Node&) = delete;
        Node& operator=(const Node&) = delete;
        const int fd;
        const FileType type;
        std::atomic<bool> dirty{false};
        std::atomic<int> opens{0};
        std::atomic<bool> nameless{false};
    };
    using NodePtr = std::shared_ptr<Node>;

    static void close(int fd) { ::close(fd); }
    static FileType typeOf(const struct stat& info) {
        return S_ISDIR(info.st_mode)   ? FileType::Directory
               : S_ISLNK(info.st_mode) ? FileType::Symlink
                                       : FileType::Regular;
    }
    static Attributes attributesOf(InodeId inode, const struct stat& info) {
        Attributes all;
        all.inode = inode;
        all.type = typeOf(info);
        all.mode = info.st_mode & 07777;
        all.uid = info.st_uid;
        all.gid = info.st_gid;
        all.links = static_cast<std::uint32_t>(info.st_nlink);
        all.size = static_cast<std::uint64_t>(info.st_size);
        all.allocatedBytes = static_cast<std::uint64_t>(info.st_blocks) * 512;
        all.modified = timestampOf(info.st_mtim);
        all.changed = timestampOf(info.st_ctim);
        return all;
    }
    Result<NodePtr> find(InodeId inode) {
        const std::shared_lock lock(m_mutex);
        const auto found = m_nodes.find(inode.value);
        if (found == m_nodes.end())
            return makeError(ErrorKind::NotFound, "no inode {}", inode);
        return found->second;
    }
    Result<InodeId> enter(const Node& parent, const std::string& name, const struct stat& info) {
        const std::unique_lock lock(m_mutex);
        auto& id = m_ids[info.st_ino];
        if (id != 0)
            return InodeId{id};
        const FileType type = typeOf(info);
        const int flags = type == FileType::Regular     ? O_RDWR
                          : type == FileType::Directory ? O_RDONLY | O_DIRECTORY
                                                        : O_PATH | O_NOFOLLOW;
        const int fd = openat(parent.fd, name.c_str(), flags | O_CLOEXEC);
        if (fd < 0) {
            m_ids.erase(info.st_ino);
            return failure("opening");
        }
        id = m_next++;
        m_nodes.emplace(id, std::make_shared<Node>(fd, type));
        return InodeId{id};
    }
    Status remove(InodeId directory, std::string_view name, int flags) {
        ARBOR_ASSIGN(const NodePtr parent, find(directory));
        struct stat info {};
        const bool known = fstatat(parent->fd, std::string(name).c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0;
        if (unlinkat(parent->fd, std::string(name).c_str(), flags) != 0)
            return failure("removing");
        if (known)
            nameGone(info);
        return {};
    }
    void nameGone(const struct stat& info) {
        InodeId gone;
        {
            const std::unique_lock lock(m_mutex);
            const auto found = m_ids.find(info.st_ino);
            if (found == m_ids.end())
                return;
            gone = InodeId{found->second};
            m_nodes.at(gone.value)->nameless = true;
            m_ids.erase(found);
        }
        forgetIfGone(gone);
    }
    void forgetIfGone(InodeId inode) {
        const std::unique_lock lock(m_mutex);
        const auto found = m_nodes.find(inode.value);
        if (found != m_nodes.end() && found->second->nameless && found->second->opens == 0)
            m_nodes.erase(found);
    }
    // One sync for everybody who waits, as the engine does it.
    Status syncAll() {
        std::vector<NodePtr> dirty;
        {
            const std::shared_lock lock(m_mutex);
            for (const auto& [id, node] : m_nodes)
                if (node->type == FileType::Regular && node->dirty.exchange(false))
                    dirty.push_back(node);
        }
        for (const NodePtr& node : dirty)
            if (fdatasync(node->fd) != 0)
                return failure("syncing");
        return {};
    }
    void runSyncs() {
        std::unique_lock lock(m_syncMutex);
        while (!m_stopping || !m_waiting.empty()) {
            m_syncChanged.wait(lock, [this] { return m_stopping || !m_waiting.empty(); });
            const auto waiting = std::exchange(m_waiting, {});
            lock.unlock();
            const Status done = syncAll();
            for (const auto& answer : waiting)
                answer(done);
            lock.lock();
        }
    }

    std::shared_mutex m_mutex;
    std::unordered_map<std::uint64_t, NodePtr> m_nodes;
    std::unordered_map<ino_t, std::uint64_t> m_ids;
    std::uint64_t m_next = 2;
    std::mutex m_syncMutex;
    std::condition_variable m_syncChanged;
    std::vector<std::function<void(Status)>> m_waiting;
    bool m_stopping = false;
    std::thread m_syncThread;
};

class Provider final : public ViewProvider {
  public:
    explicit Provider(std::shared_ptr<BranchView> view) : m_view(std::move(view)) {}
    Result<std::shared_ptr<BranchView>> view(TimelineId timeline) override {
        if (timeline != m_view->timeline())
            return makeError(ErrorKind::NotFound, "no timeline {}", timeline);
        return m_view;
    }
    std::vector<TimelineId> timelines() override { return {m_view->timeline()}; }
    bool mayStartServer(TimelineId, pid_t) override { return true; }
    Result<SpaceInfo> space() override { return m_view->space(); }
    void linkRefused(TimelineId, const std::string&) override {}

  private:
    const std::shared_ptr<BranchView> m_view;
};

int failed(const Error& error) {
    std::cerr << error.message() << std::endl;
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 3 && argc != 5) {
        std::cerr << "passthrough DIRECTORY MOUNTPOINT [UID GID]\n";
        return 2;
    }
    umask(0);
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    MountOptions options;
    options.path = argv[2];
    options.storeId = static_cast<std::uint64_t>(getpid());
    options.log = [](const std::string& sentence) { std::cerr << sentence << std::endl; };
    options.ended = [] { _exit(1); };
    if (argc == 5)
        options.servedBy = {static_cast<std::uint32_t>(std::stoul(argv[3])),
                            static_cast<std::uint32_t>(std::stoul(argv[4]))};
    const Owner owner = options.servedBy;
    const bool isRoot = geteuid() == 0;
    auto mount = Mount::prepare(std::move(options));
    if (!mount)
        return failed(mount.error());
    if (isRoot)
        if (const Status dropped = dropPrivileges(owner); !dropped)
            return failed(dropped.error());
    const int directory = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0)
        return failed(failure("opening the directory"));
    Provider provider(std::make_shared<PlainView>(directory));
    if (const Status served = (*mount)->serve(provider); !served)
        return failed(served.error());
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
    }
    mount->reset();
    return 0;
}
