#include "storage/disk/posix_disk.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace arbor {

namespace {

// Repeats a system call while signals interrupt it.
template <class Call>
auto retry(Call call) {
    decltype(call()) result;
    do
        result = call();
    while (result == -1 && errno == EINTR);
    return result;
}

Error failed(std::string_view doing, const std::string& path) {
    if (errno == ELOOP)
        return makeError(ErrorKind::Permission,
                         "{} {}: it is a symbolic link, which nothing of a store may be", doing, path);
    return errnoError(errno, fmt::format("{} {}", doing, path));
}

Status statusOf(int result, std::string_view doing, const std::string& path) {
    if (result == 0)
        return {};
    return failed(doing, path);
}

class Descriptor {
  public:
    explicit Descriptor(int fd) : m_fd(fd) {}
    Descriptor(Descriptor&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(m_fd, other.m_fd);
        return *this;
    }
    ~Descriptor() {
        if (m_fd >= 0)
            ::close(m_fd); // never repeated: Linux has freed the number even when it answers EINTR
    }
    int get() const { return m_fd; }
    explicit operator bool() const { return m_fd >= 0; }

  private:
    int m_fd;
};

// O_NONBLOCK keeps the open of a FIFO from waiting for its other end; regular files do not know it.
Result<Descriptor> openRegular(const std::string& path, int flags, std::string_view doing) {
    Descriptor fd(
        retry([&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600); }));
    if (!fd)
        return failed(doing, path);
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0)
        return failed(doing, path);
    if (S_ISDIR(info.st_mode))
        return errnoError(EISDIR, fmt::format("{} {}", doing, path));
    if (!S_ISREG(info.st_mode))
        return makeError(ErrorKind::Permission, "{} {}: it is not a regular file", doing, path);
    return fd;
}

class PosixReadableFile final : public ReadableFile {
  public:
    PosixReadableFile(Descriptor fd, std::string path) : m_fd(std::move(fd)), m_path(std::move(path)) {}

    Result<std::size_t> readAt(std::uint64_t offset, MutableBytes into) const override {
        std::size_t done = 0;
        while (done < into.size()) {
            const ssize_t got = retry([&] {
                return ::pread(m_fd.get(), into.data() + done, into.size() - done,
                               static_cast<off_t>(offset + done));
            });
            if (got < 0)
                return failed("reading", m_path);
            if (got == 0)
                break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }

    Result<std::uint64_t> size() const override {
        struct stat info {};
        if (::fstat(m_fd.get(), &info) != 0)
            return failed("asking the size of", m_path);
        return static_cast<std::uint64_t>(info.st_size);
    }

    int descriptor() const override { return m_fd.get(); }

  private:
    Descriptor m_fd;
    std::string m_path;
};

class PosixAppendableFile final : public AppendableFile {
  public:
    PosixAppendableFile(Descriptor fd, std::string path, std::uint64_t size)
        : m_fd(std::move(fd)), m_path(std::move(path)), m_size(size) {}

    Status append(Bytes bytes) override {
        while (!bytes.empty()) {
            const ssize_t put = retry([&] { return ::write(m_fd.get(), bytes.data(), bytes.size()); });
            if (put < 0)
                return failed("appending to", m_path);
            m_size += static_cast<std::uint64_t>(put);
            bytes = bytes.subspan(static_cast<std::size_t>(put));
        }
        startWriting();
        return {};
    }

    Status sync() override {
        m_started = m_size;
        return statusOf(retry([&] { return ::fdatasync(m_fd.get()); }), "syncing", m_path);
    }

    std::uint64_t size() const override { return m_size; }

  private:
    // What is appended is never written over, so the disk may as well begin with it while the next bytes are
    // made: the sync then waits for less. Only a hint; an error of it is the next sync's to report.
    void startWriting() {
        constexpr std::uint64_t worthwhile = 1u << 20;
        if (m_size - m_started < worthwhile)
            return;
        (void)::sync_file_range(m_fd.get(), static_cast<off_t>(m_started),
                                static_cast<off_t>(m_size - m_started), SYNC_FILE_RANGE_WRITE);
        m_started = m_size;
    }

    Descriptor m_fd;
    std::string m_path;
    std::uint64_t m_size;
    std::uint64_t m_started = m_size; // up to where the disk was told to begin
};

class PosixLock final : public DiskLock {
  public:
    explicit PosixLock(Descriptor fd) : m_fd(std::move(fd)) {}

  private:
    Descriptor m_fd; // its close lets go of the lock
};

// Some file systems know no fsync of a directory (EINVAL) because they need none.
Status syncDescriptor(int fd, const std::string& path, bool directory) {
    if (retry([&] { return ::fsync(fd); }) == 0 || (directory && errno == EINVAL))
        return {};
    return failed("syncing", path);
}

} // namespace

Result<std::shared_ptr<ReadableFile>> PosixDisk::openRead(const std::string& path) {
    ARBOR_ASSIGN(Descriptor fd, openRegular(path, O_RDONLY, "opening"));
    return std::make_shared<PosixReadableFile>(std::move(fd), path);
}

Result<std::unique_ptr<AppendableFile>> PosixDisk::createAppend(const std::string& path,
                                                                std::uint64_t preallocate) {
    ARBOR_ASSIGN(Descriptor fd, openRegular(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, "creating"));
    if (preallocate > 0) {
        const int result = retry(
            [&] { return ::fallocate(fd.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(preallocate)); });
        if (result != 0 && errno != EOPNOTSUPP && errno != ENOSYS) {
            Error error = failed(fmt::format("reserving {} bytes for", preallocate), path);
            ::unlink(path.c_str()); // a failed creation leaves no file
            return error;
        }
    }
    return std::make_unique<PosixAppendableFile>(std::move(fd), path, 0);
}

Result<std::unique_ptr<AppendableFile>> PosixDisk::openAppend(const std::string& path) {
    ARBOR_ASSIGN(Descriptor fd, openRegular(path, O_WRONLY | O_APPEND | O_CREAT, "opening"));
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0)
        return failed("opening", path);
    return std::make_unique<PosixAppendableFile>(std::move(fd), path,
                                                 static_cast<std::uint64_t>(info.st_size));
}

Result<FileInfo> PosixDisk::info(const std::string& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0)
        return failed("looking at", path);
    return FileInfo{.size = static_cast<std::uint64_t>(info.st_size),
                    .inode = info.st_ino,
                    .links = static_cast<std::uint32_t>(info.st_nlink),
                    .mode = info.st_mode & 07777u,
                    .isDirectory = S_ISDIR(info.st_mode),
                    .isSymlink = S_ISLNK(info.st_mode)};
}

Result<std::vector<std::string>> PosixDisk::list(const std::string& directory) {
    const int fd =
        retry([&] { return ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW); });
    if (fd < 0)
        return failed("listing", directory);
    DIR* const stream = ::fdopendir(fd); // takes fd over
    if (!stream) {
        Error error = failed("listing", directory);
        ::close(fd);
        return error;
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, ::closedir);
    std::vector<std::string> names;
    for (errno = 0; const dirent* entry = ::readdir(stream); errno = 0) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..")
            names.emplace_back(name);
    }
    if (errno != 0)
        return failed("listing", directory);
    std::sort(names.begin(), names.end());
    return names;
}

Status PosixDisk::makeDirectory(const std::string& path) {
    return statusOf(::mkdir(path.c_str(), 0700), "making directory", path);
}

Status PosixDisk::removeDirectory(const std::string& path) {
    return statusOf(::rmdir(path.c_str()), "removing directory", path);
}

Status PosixDisk::unlink(const std::string& path) {
    return statusOf(::unlink(path.c_str()), "removing", path);
}

Status PosixDisk::rename(const std::string& from, const std::string& to) {
    return statusOf(::rename(from.c_str(), to.c_str()), fmt::format("renaming {} to", from), to);
}

Status PosixDisk::link(const std::string& from, const std::string& to) {
    return statusOf(::link(from.c_str(), to.c_str()), fmt::format("linking {} to", from), to);
}

Status PosixDisk::setMode(const std::string& path, std::uint32_t mode) {
    return statusOf(::fchmodat(AT_FDCWD, path.c_str(), mode, AT_SYMLINK_NOFOLLOW), "changing the mode of",
                    path);
}

Status PosixDisk::truncate(const std::string& path, std::uint64_t size) {
    ARBOR_ASSIGN(const Descriptor fd, openRegular(path, O_WRONLY, "truncating"));
    return statusOf(retry([&] { return ::ftruncate(fd.get(), static_cast<off_t>(size)); }), "truncating",
                    path);
}

Status PosixDisk::punch(const std::string& path, std::uint64_t offset, std::uint64_t length) {
    if (length == 0)
        return {};
    ARBOR_ASSIGN(const Descriptor fd, openRegular(path, O_WRONLY, "punching"));
    return statusOf(retry([&] {
                        return ::fallocate(fd.get(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                           static_cast<off_t>(offset), static_cast<off_t>(length));
                    }),
                    "punching", path);
}

Status PosixDisk::syncFile(const std::string& path) {
    ARBOR_ASSIGN(const Descriptor fd, openRegular(path, O_RDONLY, "syncing"));
    return syncDescriptor(fd.get(), path, false);
}

Status PosixDisk::syncDirectory(const std::string& path) {
    const Descriptor fd(
        retry([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW); }));
    if (!fd)
        return failed("syncing", path);
    return syncDescriptor(fd.get(), path, true);
}

Result<std::unique_ptr<DiskLock>> PosixDisk::lock(const std::string& path) {
    ARBOR_ASSIGN(Descriptor fd, openRegular(path, O_RDWR | O_CREAT, "locking"));
    // flock and not fcntl: it conflicts between two opens of one process too, and is not lost when somebody
    // else in the process closes the file
    if (retry([&] { return ::flock(fd.get(), LOCK_EX | LOCK_NB); }) != 0) {
        if (errno == EWOULDBLOCK)
            return makeError(ErrorKind::Busy, "{} is locked: another process has it open", path);
        return failed("locking", path);
    }
    return std::make_unique<PosixLock>(std::move(fd));
}

Result<std::uint64_t> PosixDisk::freeBytes(const std::string& path) {
    struct statvfs info {};
    if (retry([&] { return ::statvfs(path.c_str(), &info); }) != 0)
        return failed("asking for free space at", path);
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
}

Result<std::uint64_t> PosixDisk::totalBytes(const std::string& path) {
    struct statvfs info {};
    if (retry([&] { return ::statvfs(path.c_str(), &info); }) != 0)
        return failed("asking for the size of the file system at", path);
    return static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize;
}

} // namespace arbor
