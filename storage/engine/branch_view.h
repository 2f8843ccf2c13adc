// BranchView: one timeline, shaped like a file system. Everything Postgres does to its data directory arrives
// here, from the FUSE adapter in production and straight from tests.
//
// A view is either the writable head of a timeline or a read-only look at one of its positions. Inodes are
// named by InodeId; a path is walked with lookup() from root(). Hard links do not exist here. All methods may
// be called from any thread; writes to one inode are ordered by the caller (the kernel holds the inode's
// lock).
//
// What is not part of the database's state (postmaster.pid, relation caches, temporary relations)
// is kept outside of the store and gone after a restart; pg_wal and the scratch directories are answered as
// symbolic links whose targets are the timeline's own directories on the host.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/lsn.h"
#include "storage/base/status.h"
#include "storage/base/time.h"
#include "storage/disk/disk.h"
#include "storage/format/records.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace arbor {

struct Attributes {
    InodeId inode;
    FileType type = FileType::Regular;
    std::uint32_t mode = 0; // permission bits only
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint32_t links = 1; // 0: unlinked but open; a directory: 2 + its subdirectories
    std::uint64_t size = 0;
    std::uint64_t allocatedBytes = 0; // what st_blocks reports: the file's blocks that are not holes
    Timestamp modified;
    Timestamp changed;
};

struct DirectoryEntry {
    std::string name;
    InodeId inode;
    FileType type = FileType::Regular;
    std::uint64_t cookie = 0; // pass it to readDirectory() to continue behind this entry
};

// Who owns a new file.
struct Owner {
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
};

// What setAttributes() changes; an empty field stays.
struct AttributeChange {
    std::optional<std::uint32_t> mode;
    std::optional<std::uint32_t> uid;
    std::optional<std::uint32_t> gid;
    std::optional<Timestamp> modified;
};

struct SpaceInfo {
    std::uint64_t totalBytes = 0;
    std::uint64_t freeBytes = 0; // without the reserve
};

// The process a write comes from, so that half a page can be dropped when its writer has died. 0: unknown.
using WriterId = std::int32_t;

class BranchView {
  public:
    virtual ~BranchView() = default;

    virtual TimelineId timeline() const = 0;
    virtual InodeId root() const = 0;
    virtual bool isReadOnly() const = 0;

    virtual Result<Attributes> lookup(InodeId directory, std::string_view name) = 0;
    virtual Result<Attributes> attributes(InodeId inode) = 0;
    virtual Result<std::string> readLink(InodeId inode) = 0;
    // Entries behind cookie (0: from the start), at most `limit`, without "." and "..". A cookie stays good
    // while entries come and go: what existed all the time is listed exactly once.
    virtual Result<std::vector<DirectoryEntry>> readDirectory(InodeId directory, std::uint64_t cookie,
                                                              std::size_t limit) = 0;

    virtual Result<Attributes> createFile(InodeId directory, std::string_view name, std::uint32_t mode,
                                          Owner owner) = 0;
    virtual Result<Attributes> makeDirectory(InodeId directory, std::string_view name, std::uint32_t mode,
                                             Owner owner) = 0;
    // A link whose target lies outside of the data directory is refused (Permission): two branches would
    // share it.
    virtual Result<Attributes> makeSymlink(InodeId directory, std::string_view name, std::string_view target,
                                           Owner owner) = 0;
    virtual Status unlink(InodeId directory, std::string_view name) = 0;
    virtual Status removeDirectory(InodeId directory, std::string_view name) = 0;
    // Replaces a file (or an empty directory) at the target unless noReplace.
    virtual Status rename(InodeId fromDirectory, std::string_view fromName, InodeId toDirectory,
                          std::string_view toName, bool noReplace) = 0;
    virtual Result<Attributes> setAttributes(InodeId inode, const AttributeChange& change) = 0;
    virtual Status truncate(InodeId inode, std::uint64_t size) = 0;
    // posix_fallocate: grows the file when the range ends beyond it; keepSize reserves without growing (a
    // no-op). punchHole zeroes a range.
    virtual Status allocate(InodeId inode, std::uint64_t offset, std::uint64_t length, bool keepSize) = 0;
    virtual Status punchHole(InodeId inode, std::uint64_t offset, std::uint64_t length) = 0;

    // Fills `into` whole, but for what lies behind the end of the file. Never fewer bytes inside the file: an
    // error.
    virtual Result<std::size_t> read(InodeId inode, std::uint64_t offset, MutableBytes into) = 0;
    // All bytes or an error. A whole aligned block is atomic. In a file of pages a part of a block is held
    // back until its rest has arrived (from the same writer).
    virtual Status write(InodeId inode, std::uint64_t offset, Bytes bytes, WriterId writer) = 0;
    // Drops the half pages of a dead writer.
    virtual void dropWriter(WriterId writer) = 0;
    // Durable on return: everything this timeline wrote before the call. The second form never blocks; `done`
    // runs on the store's sync thread.
    virtual Status sync() = 0;
    virtual void syncThen(std::function<void(Status)> done) = 0;

    // An open inode outlives its last name until it is closed as often as it was opened.
    virtual Status open(InodeId inode) = 0;
    virtual void close(InodeId inode) = 0;

    virtual Result<SpaceInfo> space() = 0;
};

} // namespace arbor
