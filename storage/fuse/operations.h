// The answers to the kernel's requests, out of the views of timelines.
#pragma once

#include "storage/fuse/error_log.h"
#include "storage/fuse/metrics.h"
#include "storage/fuse/mount.h"
#include "storage/fuse/node_table.h"
#include "storage/fuse/session.h"

#include <optional>
#include <span>

namespace arbor {

// Thread-safe: called by every worker. The handlers answer their request exactly once. Everything is the
// state of one mount; what a handler needs beyond it comes from the ViewProvider.
class Operations {
  public:
    Operations(std::uint64_t storeId, Owner owner, std::function<void(const std::string&)> log);

    // Before the first worker starts.
    void use(ViewProvider& provider, Session& session) {
        m_provider = &provider;
        m_session = &session;
    }
    static const fuse_lowlevel_ops& table(); // their userdata is an Operations*

    NodeTable& nodes() { return m_nodes; }
    const MountMetrics& metrics() const { return m_metrics; }
    ErrorLog& log() { return m_log; }

  private:
    friend struct Handlers; // operations.cpp: the functions that libfuse calls

    struct OpenFile {
        std::shared_ptr<MountedTimeline> timeline;
        InodeId inode;
    };
    using Target = NodeTable::Target;

    // how requests end
    void fail(fuse_req_t request, RequestKind kind, int errnoValue);
    void fail(fuse_req_t request, RequestKind kind, const Error& error, const Target& target);
    void answer(fuse_req_t request, RequestKind kind, const Status& status, const Target& target);
    void answerEntry(fuse_req_t request, RequestKind kind, const Result<Attributes>& attributes,
                     const Target& directory);
    void answerSync(fuse_req_t request, const Target& target);

    // what requests are about; nothing when the request has been answered with an error
    std::optional<Target> target(fuse_req_t request, RequestKind kind, fuse_ino_t node);
    std::optional<Target> directory(fuse_req_t request, RequestKind kind, fuse_ino_t node);
    bool refusedByName(fuse_req_t request, RequestKind kind, const Target& directory, std::string_view name);

    struct stat statOf(const MountedTimeline& timeline, const Attributes& attributes) const;
    struct stat rootStat() const;
    fuse_entry_param entryOf(const std::shared_ptr<MountedTimeline>& timeline, const Attributes& attributes);

    // files (operations.cpp)
    void getAttributes(fuse_req_t request, fuse_ino_t node);
    void setAttributes(fuse_req_t request, fuse_ino_t node, const struct stat& values, int toSet);
    void open(fuse_req_t request, fuse_ino_t node, fuse_file_info& info);
    void read(fuse_req_t request, std::size_t size, std::uint64_t offset, const fuse_file_info& info);
    void write(fuse_req_t request, Bytes bytes, std::uint64_t offset, const fuse_file_info& info);
    void allocate(fuse_req_t request, int mode, std::uint64_t offset, std::uint64_t length,
                  const fuse_file_info& info);
    void release(fuse_req_t request, const fuse_file_info& info);
    void sync(fuse_req_t request, fuse_ino_t node);
    void statFs(fuse_req_t request, fuse_ino_t node);
    Result<std::size_t> readWhole(const OpenFile& file, std::uint64_t offset, MutableBytes into);

    // names (operations_names.cpp)
    void lookup(fuse_req_t request, fuse_ino_t parent, const char* name);
    void lookupTimeline(fuse_req_t request, std::string_view name);
    void readLink(fuse_req_t request, fuse_ino_t node);
    void makeNode(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode);
    void makeDirectory(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode);
    void symlink(fuse_req_t request, const char* linkTarget, fuse_ino_t parent, const char* name);
    void unlink(fuse_req_t request, fuse_ino_t parent, const char* name);
    void removeDirectory(fuse_req_t request, fuse_ino_t parent, const char* name);
    void rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t newParent,
                const char* newName, unsigned flags);
    void create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info& info);
    void readDirectory(fuse_req_t request, fuse_ino_t node, std::size_t size, std::uint64_t offset,
                       bool plus);
    void listTimelines(fuse_req_t request, std::size_t size, std::uint64_t offset, RequestKind kind);
    Result<Attributes> createOrFind(const Target& directory, const char* name, mode_t mode, int flags,
                                    Owner owner);

    const Owner m_owner; // of all that is in the mount
    NodeTable m_nodes;
    ErrorLog m_log;
    MountMetrics m_metrics;
    ViewProvider* m_provider = nullptr;
    Session* m_session = nullptr;
};

// Where the handlers of one request kind begin: counts the request.
inline void countRequest(MountMetrics& metrics, RequestKind kind) {
    metrics.requests[static_cast<std::size_t>(kind)].fetch_add(1, std::memory_order_relaxed);
}

// The engine is the only one who changes anything, and it says so when it does (Mount::invalidateEntry).
inline constexpr double forEver = 365.0 * 86400;

} // namespace arbor
