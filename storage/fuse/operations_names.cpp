#include "storage/fuse/operations.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>

namespace arbor {

namespace {

constexpr std::string_view serverLock = "postmaster.pid";

Owner ownerOf(fuse_req_t request) {
    const fuse_ctx* caller = fuse_req_ctx(request);
    return {caller->uid, caller->gid};
}

// "17" and nothing else: no sign, no leading zero, so that a timeline has one name.
std::optional<TimelineId> timelineNamed(std::string_view name) {
    TimelineId id;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id.value);
    if (error != std::errc() || end != name.data() + name.size() || name.front() == '0')
        return std::nullopt;
    return id;
}

// Offsets 1 and 2 stand behind "." and ".."; a view's cookies follow. The kernel's offsets are signed.
constexpr std::uint64_t behindDot = 1;
constexpr std::uint64_t behindDotDot = 2;

// Fills the answer to one READDIR or READDIRPLUS request.
class Listing {
  public:
    Listing(fuse_req_t request, std::size_t size, bool plus)
        : m_request(request), m_buffer(size), m_plus(plus) {}

    // False when it does not fit any more.
    bool add(const char* name, const fuse_entry_param& entry, std::uint64_t offset) {
        char* const place = m_buffer.data() + m_used;
        const std::size_t left = m_buffer.size() - m_used;
        const auto next = static_cast<off_t>(offset);
        const std::size_t needed = m_plus
                                       ? fuse_add_direntry_plus(m_request, place, left, name, &entry, next)
                                       : fuse_add_direntry(m_request, place, left, name, &entry.attr, next);
        if (needed > left)
            return false;
        m_used += needed;
        return true;
    }
    bool addDots(std::uint64_t offset, const struct stat& self) {
        fuse_entry_param dot{}; // node 0: the kernel links nothing
        dot.attr = self;
        return (offset >= behindDot || add(".", dot, behindDot)) &&
               (offset >= behindDotDot || add("..", dot, behindDotDot));
    }
    int reply() { return fuse_reply_buf(m_request, m_buffer.data(), m_used); }

  private:
    fuse_req_t m_request;
    std::vector<char> m_buffer;
    std::size_t m_used = 0;
    const bool m_plus;
};

} // namespace

std::optional<Operations::Target> Operations::directory(fuse_req_t request, RequestKind kind,
                                                        fuse_ino_t node) {
    return target(request, kind, node); // the mount's root is EPERM: only the engine makes timelines
}

// A server that the engine did not start would commit to the same log as the one that it did.
bool Operations::refusedByName(fuse_req_t request, RequestKind kind, const Target& directory,
                               std::string_view name) {
    if (name != serverLock || directory.inode != directory.timeline->root)
        return false;
    const pid_t process = fuse_req_ctx(request)->pid;
    if (m_provider->mayStartServer(directory.timeline->id, process))
        return false;
    m_log.say(fmt::format("process {} tried to start a server on timeline {} by hand and was refused: use "
                          "\"pgarborctl start\"",
                          process, directory.timeline->id));
    fail(request, kind, EPERM);
    return true;
}

void Operations::lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
    constexpr auto kind = RequestKind::Lookup;
    if (parent == NodeTable::mountRoot) {
        lookupTimeline(request, name);
        return;
    }
    const auto where = directory(request, kind, parent);
    if (!where)
        return;
    const auto attributes = where->timeline->view->lookup(where->inode, name);
    if (!attributes && attributes.error().kind() == ErrorKind::NotFound) {
        // The kernel may remember that there is nothing: whoever creates the name through it tells it so.
        fuse_entry_param nothing{};
        nothing.entry_timeout = forEver;
        fuse_reply_entry(request, &nothing);
        return;
    }
    answerEntry(request, kind, attributes, *where);
}

void Operations::lookupTimeline(fuse_req_t request, std::string_view name) {
    constexpr auto kind = RequestKind::Lookup;
    const auto id = timelineNamed(name);
    const auto view =
        id ? m_provider->view(*id) : makeError(ErrorKind::NotFound, "no timeline has such a name");
    if (!view) {
        m_log.report(fmt::format("timeline {}", name), view.error());
        fail(request, kind, errnoOf(view.error().kind())); // not remembered: a fork may come at any time
        return;
    }
    const auto timeline = m_nodes.mounted(*view);
    const Target root{timeline, timeline->root};
    answerEntry(request, kind, timeline->view->attributes(timeline->root), root);
}

void Operations::readLink(fuse_req_t request, fuse_ino_t node) {
    constexpr auto kind = RequestKind::ReadLink;
    const auto subject = target(request, kind, node);
    if (!subject)
        return;
    const auto where = subject->timeline->view->readLink(subject->inode);
    if (where)
        fuse_reply_readlink(request, where->c_str());
    else
        fail(request, kind, where.error(), *subject);
}

void Operations::makeNode(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
    constexpr auto kind = RequestKind::MakeNode;
    const auto where = directory(request, kind, parent);
    if (!where || refusedByName(request, kind, *where, name))
        return;
    if (!S_ISREG(mode) && (mode & S_IFMT) != 0) {
        fail(request, kind, EPERM); // no devices, no sockets: they would mean nothing on a fork
        return;
    }
    answerEntry(request, kind,
                where->timeline->view->createFile(where->inode, name, mode & 07777, ownerOf(request)),
                *where);
}

void Operations::makeDirectory(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
    constexpr auto kind = RequestKind::MakeDirectory;
    if (const auto where = directory(request, kind, parent))
        answerEntry(request, kind,
                    where->timeline->view->makeDirectory(where->inode, name, mode & 07777, ownerOf(request)),
                    *where);
}

void Operations::symlink(fuse_req_t request, const char* linkTarget, fuse_ino_t parent, const char* name) {
    constexpr auto kind = RequestKind::Symlink;
    const auto where = directory(request, kind, parent);
    if (!where || refusedByName(request, kind, *where, name))
        return;
    const auto made = where->timeline->view->makeSymlink(where->inode, name, linkTarget, ownerOf(request));
    if (!made && made.error().kind() == ErrorKind::Permission)
        m_provider->linkRefused(where->timeline->id, made.error().message());
    answerEntry(request, kind, made, *where);
}

void Operations::unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
    constexpr auto kind = RequestKind::Unlink;
    if (const auto where = directory(request, kind, parent))
        answer(request, kind, where->timeline->view->unlink(where->inode, name), *where);
}

void Operations::removeDirectory(fuse_req_t request, fuse_ino_t parent, const char* name) {
    constexpr auto kind = RequestKind::RemoveDirectory;
    if (const auto where = directory(request, kind, parent))
        answer(request, kind, where->timeline->view->removeDirectory(where->inode, name), *where);
}

void Operations::rename(fuse_req_t request, fuse_ino_t parent, const char* name, fuse_ino_t newParent,
                        const char* newName, unsigned flags) {
    constexpr auto kind = RequestKind::Rename;
    const auto from = directory(request, kind, parent);
    if (!from)
        return;
    const auto to = directory(request, kind, newParent);
    if (!to || refusedByName(request, kind, *to, newName))
        return;
    if (from->timeline != to->timeline) {
        fail(request, kind, EXDEV);
        return;
    }
    if ((flags & ~static_cast<unsigned>(RENAME_NOREPLACE)) != 0) {
        fail(request, kind, EINVAL); // exchanging two names is nothing that a view knows
        return;
    }
    const bool noReplace = (flags & RENAME_NOREPLACE) != 0;
    answer(request, kind, from->timeline->view->rename(from->inode, name, to->inode, newName, noReplace),
           *from);
}

// The kernel asks to create what it believes is not there. Without O_EXCL somebody else may have been faster.
Result<Attributes> Operations::createOrFind(const Target& directory, const char* name, mode_t mode, int flags,
                                            Owner owner) {
    BranchView& view = *directory.timeline->view;
    for (;;) {
        auto created = view.createFile(directory.inode, name, mode & 07777, owner);
        if (created || created.error().kind() != ErrorKind::AlreadyExists || (flags & O_EXCL))
            return created;
        auto found = view.lookup(directory.inode, name);
        if (!found && found.error().kind() == ErrorKind::NotFound)
            continue; // and somebody else removed it
        if (found && found->type != FileType::Regular)
            return makeError(ErrorKind::AlreadyExists, "{} is not a file", name);
        if (found && (flags & O_TRUNC)) {
            ARBOR_TRY(view.truncate(found->inode, 0));
            return view.attributes(found->inode);
        }
        return found;
    }
}

void Operations::create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode,
                        fuse_file_info& info) {
    constexpr auto kind = RequestKind::Create;
    const auto where = directory(request, kind, parent);
    if (!where || refusedByName(request, kind, *where, name))
        return;
    BranchView& view = *where->timeline->view;
    const auto attributes = createOrFind(*where, name, mode, info.flags, ownerOf(request));
    if (!attributes) {
        fail(request, kind, attributes.error(), *where);
        return;
    }
    const InodeId inode = attributes->inode;
    if (const Status opened = view.open(inode); !opened) {
        fail(request, kind, opened.error(), *where);
        return;
    }
    const fuse_entry_param entry = entryOf(where->timeline, *attributes);
    auto* const file = new OpenFile{where->timeline, inode};
    info.fh = reinterpret_cast<std::uint64_t>(file);
    info.keep_cache = 1;
    if (fuse_reply_create(request, &entry, &info) != 0) { // the caller died meanwhile; its file stays
        m_nodes.forget(entry.ino, 1);
        view.close(inode);
        delete file;
    }
}

void Operations::listTimelines(fuse_req_t request, std::size_t size, std::uint64_t offset, RequestKind kind) {
    Listing listing(request, size, kind == RequestKind::ReadDirectoryPlus);
    bool fits = listing.addDots(offset, rootStat());
    // Sorted, so that an offset keeps its meaning while timelines come and go: it is 2 more than the id
    // before it.
    std::vector<TimelineId> timelines = m_provider->timelines();
    std::sort(timelines.begin(), timelines.end());
    for (std::size_t i = 0; fits && i < timelines.size(); ++i) {
        if (timelines[i].value + behindDotDot <= offset)
            continue;
        fuse_entry_param entry{}; // no node: a listing does not open views, a lookup does
        entry.attr.st_mode = S_IFDIR;
        entry.attr.st_ino = m_nodes.rootInodeNumber(timelines[i]);
        fits = listing.add(fmt::format("{}", timelines[i]).c_str(), entry, timelines[i].value + behindDotDot);
    }
    listing.reply();
}

void Operations::readDirectory(fuse_req_t request, fuse_ino_t node, std::size_t size, std::uint64_t offset,
                               bool plus) {
    const auto kind = plus ? RequestKind::ReadDirectoryPlus : RequestKind::ReadDirectory;
    if (node == NodeTable::mountRoot) {
        listTimelines(request, size, offset, kind);
        return;
    }
    const auto where = directory(request, kind, node);
    if (!where)
        return;
    BranchView& view = *where->timeline->view;

    Listing listing(request, size, plus);
    struct stat self {};
    self.st_mode = S_IFDIR;
    self.st_ino = where->timeline->inodeNumber(where->inode);
    bool fits = listing.addDots(offset, self);
    std::uint64_t cookie = offset > behindDotDot ? offset - behindDotDot : 0;
    std::vector<std::uint64_t> given; // nodes that the kernel will know when it gets the answer
    constexpr std::size_t batch = 64;
    for (bool more = true; fits && more;) {
        const auto entries = view.readDirectory(where->inode, cookie, batch);
        if (!entries) {
            for (const std::uint64_t known : given)
                m_nodes.forget(known, 1);
            fail(request, kind, entries.error(), *where);
            return;
        }
        more = entries->size() == batch;
        for (const DirectoryEntry& found : *entries) {
            fuse_entry_param entry{};
            entry.attr.st_ino = where->timeline->inodeNumber(found.inode);
            entry.attr.st_mode = found.type == FileType::Directory ? S_IFDIR
                                 : found.type == FileType::Symlink ? S_IFLNK
                                                                   : S_IFREG;
            // removed meanwhile: listed without a node, and the kernel will look it up
            if (const auto attributes =
                    plus ? view.attributes(found.inode) : Result<Attributes>(Attributes{});
                plus && attributes && attributes->links > 0) {
                entry = entryOf(where->timeline, *attributes);
                given.push_back(entry.ino);
            }
            cookie = found.cookie;
            fits = listing.add(found.name.c_str(), entry, cookie + behindDotDot);
            if (!fits) {
                if (entry.ino != 0) {
                    m_nodes.forget(entry.ino, 1);
                    given.pop_back();
                }
                break;
            }
        }
    }
    if (listing.reply() != 0)
        for (const std::uint64_t known : given)
            m_nodes.forget(known, 1);
}

} // namespace arbor
