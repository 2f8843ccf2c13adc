// The one seam to durable storage. Everything that must survive a power cut passes through a Disk: segments
// of page images, LevelDB (by way of LevelDbEnv), the kept log segments, the format file. Tests replace
// PosixDisk by SimulatedDisk, which loses, tears and reorders whatever was not synced.
//
// Paths are absolute, with '/' between parts. Every method may be called from any thread; a file object may
// be used from several threads at once only where it says so. Errors carry the path in their message.
#pragma once

#include "storage/base/status.h"
#include "storage/base/time.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace arbor {

using Bytes = std::span<const std::byte>;
using MutableBytes = std::span<std::byte>;

// A file open for reading at any offset. Thread-safe. The file may be unlinked while open. A file that became
// shorter is a short read, never a signal.
class ReadableFile {
  public:
    virtual ~ReadableFile() = default;
    // Reads up to into.size() bytes; fewer only at the end of the file. Never EINTR.
    virtual Result<std::size_t> readAt(std::uint64_t offset, MutableBytes into) const = 0;
    virtual Result<std::uint64_t> size() const = 0;
    // The descriptor for the kernel to read from (splice, readahead), or -1 where there is none (simulated).
    virtual int descriptor() const = 0;
};

// A file open for appending. One thread appends at a time; sync() may run beside it and covers what was
// appended before it was called. What was appended can be read at once through a ReadableFile of the same
// path, and is durable after sync() (and after syncDirectory() of its folder, for a new file).
class AppendableFile {
  public:
    virtual ~AppendableFile() = default;
    // NoSpace: size() tells how much found room, and the rest may be appended when there is more. After
    // another error an unknown part was appended.
    virtual Status append(Bytes bytes) = 0;
    // fdatasync. After an error the file must not be used again: what was unsynced is lost, and a second try
    // would report a success that never was.
    virtual Status sync() = 0;
    virtual std::uint64_t size() const = 0;
};

struct FileInfo {
    std::uint64_t size = 0;
    std::uint64_t inode = 0; // the host's inode number: equal for hard links of one file
    std::uint32_t links = 1; // hard links
    std::uint32_t mode = 0;  // permission bits
    bool isDirectory = false;
    bool isSymlink = false;
};

// An exclusive lock on a file, released when destroyed or when the process ends.
class DiskLock {
  public:
    virtual ~DiskLock() = default;
};

class Disk {
  public:
    virtual ~Disk() = default;

    // Follows no symbolic link in the last part of the path (O_NOFOLLOW); so do all that open.
    virtual Result<std::shared_ptr<ReadableFile>> openRead(const std::string& path) = 0;
    // Creates a new file (AlreadyExists if there is one), mode 0600. preallocate > 0 reserves that many bytes
    // on disk without changing the file's size, so that appends up to there cannot fail for want of space;
    // NoSpace if there is not enough. A file system that cannot reserve is not an error.
    virtual Result<std::unique_ptr<AppendableFile>> createAppend(const std::string& path,
                                                                 std::uint64_t preallocate = 0) = 0;
    // Opens an existing file, or creates one, and appends behind its end.
    virtual Result<std::unique_ptr<AppendableFile>> openAppend(const std::string& path) = 0;

    virtual Result<FileInfo> info(const std::string& path) = 0; // of the link itself, not of its target
    virtual Result<std::vector<std::string>> list(
        const std::string& directory) = 0;                       // sorted, no "." and ".."
    virtual Status makeDirectory(const std::string& path) = 0;   // mode 0700
    virtual Status removeDirectory(const std::string& path) = 0; // must be empty
    virtual Status unlink(const std::string& path) = 0;
    virtual Status rename(const std::string& from, const std::string& to) = 0; // replaces a file at `to`
    virtual Status link(const std::string& from, const std::string& to) = 0;   // hard link
    virtual Status setMode(const std::string& path, std::uint32_t mode) = 0;
    // Sets the size of a closed file; growing adds zeros.
    virtual Status truncate(const std::string& path, std::uint64_t size) = 0;
    // Gives back the blocks of a range that reads as zeros from then on; the size stays.
    virtual Status punch(const std::string& path, std::uint64_t offset, std::uint64_t length) = 0;
    // fdatasync of a closed file, and fsync of a directory (its entries).
    virtual Status syncFile(const std::string& path) = 0;
    virtual Status syncDirectory(const std::string& path) = 0;
    // Busy when another process (or another lock of this process) holds it.
    virtual Result<std::unique_ptr<DiskLock>> lock(const std::string& path) = 0;
    // Bytes that an ordinary user may still write on the file system that holds path.
    virtual Result<std::uint64_t> freeBytes(const std::string& path) = 0;
    virtual Result<std::uint64_t> totalBytes(const std::string& path) = 0;
};

// Whole-file helpers built on the above.
Result<std::string> readFile(Disk& disk, const std::string& path);
// Writes PATH.new, syncs it, renames it over PATH, syncs the directory: after a crash the old or the new
// content.
Status replaceFile(Disk& disk, const std::string& path, std::string_view content);
// makeDirectory unless it is there, and sync of its parent.
Status ensureDirectory(Disk& disk, const std::string& path);
// Removes a tree; NotFound is success.
Status removeTree(Disk& disk, const std::string& path);

} // namespace arbor
