// Serves a mount over memory views, for tests: the process that uses a mount must not be the one that serves
// it.
//
// mount_server PATH WAY UID GID [THREADS [HOSTLINKS]]
//   WAY "root": mounts as root, then becomes UID:GID. "user": becomes UID:GID (when root) and mounts by
//   itself.
// Timelines 1 and 2 are writable, 3 is read-only. Says "ready" or "failed: ..."; then takes commands, one a
// line, and answers each with one line (see below). Ends at "stop" or at the end of its input.

#include "storage/fuse/mount.h"
#include "storage/fuse/mount_point.h"
#include "tests/support/memory_view.h"

#include <cstring>
#include <iostream>
#include <map>
#include <sstream>
#include <unistd.h>

using namespace arbor;
using test::MemoryView;

namespace {

class Provider final : public ViewProvider {
  public:
    void add(std::uint64_t id, Owner owner, bool readOnly, std::string hostLinks) {
        // as if the store came from a machine that has other numbers for its users: nobody must notice
        const Owner recorded{owner.uid + 1, owner.gid + 1};
        MemoryView::Options options{TimelineId{id}, recorded, readOnly, std::move(hostLinks)};
        MutexLock lock(m_mutex);
        m_views[TimelineId{id}] = std::make_shared<MemoryView>(std::move(options));
    }
    void remove(std::uint64_t id) {
        MutexLock lock(m_mutex);
        m_views.erase(TimelineId{id});
    }
    std::shared_ptr<MemoryView> memory(std::uint64_t id) {
        MutexLock lock(m_mutex);
        return m_views.at(TimelineId{id});
    }
    void allowServers(bool allow) { m_allow = allow; }

    Result<std::shared_ptr<BranchView>> view(TimelineId timeline) override {
        MutexLock lock(m_mutex);
        const auto found = m_views.find(timeline);
        if (found == m_views.end())
            return makeError(ErrorKind::NotFound, "no timeline {}", timeline);
        return std::shared_ptr<BranchView>(found->second);
    }
    std::vector<TimelineId> timelines() override {
        MutexLock lock(m_mutex);
        std::vector<TimelineId> all;
        for (const auto& [id, view] : m_views)
            all.push_back(id);
        return all;
    }
    bool mayStartServer(TimelineId, pid_t) override { return m_allow; }
    Result<SpaceInfo> space() override { return SpaceInfo{1u << 30, 1u << 29}; }
    void linkRefused(TimelineId, const std::string&) override {}

  private:
    Mutex m_mutex;
    std::map<TimelineId, std::shared_ptr<MemoryView>> m_views ARBOR_GUARDED_BY(m_mutex);
    std::atomic<bool> m_allow{true};
};

class Sentences {
  public:
    void add(const std::string& sentence) {
        MutexLock lock(m_mutex);
        m_text += sentence + " | ";
    }
    std::string text() {
        MutexLock lock(m_mutex);
        return m_text;
    }

  private:
    Mutex m_mutex;
    std::string m_text ARBOR_GUARDED_BY(m_mutex);
};

std::string describe(const MountMetrics& metrics) {
    std::string text;
    for (std::size_t i = 0; i < requestKinds; ++i)
        text += fmt::format("{}={} ", requestName(static_cast<RequestKind>(i)), metrics.requests[i].load());
    return text + fmt::format("bytes-read={} bytes-written={} read-nanos={} write-nanos={}",
                              metrics.bytesRead.load(), metrics.bytesWritten.load(),
                              metrics.reads.totalNanos(), metrics.writes.totalNanos());
}

// What the engine does behind the kernel's back.
std::string changeContent(Provider& provider, Mount& mount, const std::string& name,
                          const std::string& text) {
    const auto view = provider.memory(1);
    const auto found = view->lookup(view->root(), name);
    if (!found || !view->write(found->inode, 0, std::as_bytes(std::span(text)), 0))
        return "failed";
    mount.invalidateData(TimelineId{1}, found->inode, 0, 0);
    mount.drain();
    return "done";
}

std::string removeName(Provider& provider, Mount& mount, const std::string& name) {
    const auto view = provider.memory(1);
    if (!view->unlink(view->root(), name))
        return "failed";
    mount.invalidateEntry(TimelineId{1}, view->root(), name);
    mount.drain();
    return "done";
}

std::string obey(const std::string& line, Provider& provider, Mount& mount, Owner owner, Sentences& said) {
    std::istringstream words(line);
    std::string command, first, second;
    words >> command >> first >> second;
    if (command == "hold")
        provider.memory(1)->holdSyncs(first == "yes");
    else if (command == "hold-write")
        provider.memory(1)->holdWrite(std::stoi(first));
    else if (command == "release-write")
        provider.memory(1)->releaseWrite();
    else if (command == "holds-write")
        return provider.memory(1)->holdsWrite() ? "yes" : "no";
    else if (command == "waiting")
        return fmt::format("{}", provider.memory(1)->waitingSyncs());
    else if (command == "short")
        provider.memory(1)->shortenReads(std::stoul(first));
    else if (command == "servers")
        provider.allowServers(first == "yes");
    else if (command == "opens")
        return fmt::format("{}", provider.memory(1)->openCount());
    else if (command == "inodes")
        return fmt::format("{}", provider.memory(1)->inodeCount());
    else if (command == "nodes")
        return fmt::format("{}", mount.knownNodes());
    else if (command == "metrics")
        return describe(mount.metrics());
    else if (command == "rings")
        return mount.hasRings() ? "yes" : "no";
    else if (command == "log")
        return said.text();
    else if (command == "change")
        return changeContent(provider, mount, first, second);
    else if (command == "remove")
        return removeName(provider, mount, first);
    else if (command == "add")
        provider.add(std::stoul(first), owner, false, {});
    else if (command == "retire") {
        provider.remove(std::stoul(first));
        mount.retire(TimelineId{std::stoul(first)});
        mount.drain();
    } else {
        return "unknown command";
    }
    return "done";
}

int failed(const Error& error) {
    std::cout << "failed: " << error.message() << std::endl;
    return 1;
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 5)
        return 2;
    const std::string way = argv[2];
    const Owner owner{static_cast<std::uint32_t>(std::stoul(argv[3])),
                      static_cast<std::uint32_t>(std::stoul(argv[4]))};
    Provider provider;
    Sentences said;
    MountOptions options;
    options.path = argv[1];
    options.storeId = 42;
    options.threads = argc > 5 ? std::stoi(argv[5]) : 4;
    options.servedBy = owner;
    options.log = [&](const std::string& sentence) { said.add(sentence); };
    options.rings = getenv("ARBOR_MOUNT_RINGS") != nullptr;
    options.ended = [] { std::cout << "ended" << std::endl; };

    const bool isRoot = geteuid() == 0;
    if (way == "user" && isRoot)
        if (const Status dropped = dropPrivileges(owner); !dropped)
            return failed(dropped.error());
    if (const Status cleared = clearDeadMount(options.path); !cleared)
        return failed(cleared.error());
    auto mount = Mount::prepare(std::move(options));
    if (!mount)
        return failed(mount.error());
    if (way == "root")
        if (const Status dropped = dropPrivileges(owner); !dropped)
            return failed(dropped.error());
    const std::string hostLinks = argc > 6 ? argv[6] : "";
    for (const std::uint64_t id : {1, 2, 3})
        provider.add(id, owner, id == 3, hostLinks);
    if (const Status served = (*mount)->serve(provider); !served)
        return failed(served.error());
    std::cout << "ready" << std::endl;

    for (std::string line; std::getline(std::cin, line) && line != "stop";)
        std::cout << obey(line, provider, **mount, owner, said) << std::endl;
    mount->reset();
    std::cout << "stopped" << std::endl;
    return 0;
}
