#include "storage/disk/simulated_disk.h"

#include "storage/base/mutex.h"
#include "storage/disk/simulated_tree.h"

#include <algorithm>
#include <cassert>
#include <limits>

namespace arbor {

namespace {

constexpr std::uint64_t unlimited = std::numeric_limits<std::uint64_t>::max() / 4;

// Counts down to one event; 0: none is set.
class Countdown {
  public:
    void set(std::uint64_t n) { m_left = n; }
    bool hits() { return m_left > 0 && --m_left == 0; }

  private:
    std::uint64_t m_left = 0;
};

Error powerIsGone(const std::string& path) {
    return makeError(ErrorKind::Io, "{}: the power is cut", path);
}

} // namespace

// What files and locks share with the disk they came from.
class SimulatedDisk::State {
  public:
    explicit State(std::uint64_t seed) : chance(seed) {}
    State(std::uint64_t seed, const SimulatedTree& settled, std::uint64_t space)
        : tree(settled), chance(seed), capacity(space) {}

    enum class Fate {
        Works,
        FailsAfterwards, // it is the one that the cut hits, and it still took effect
        Fails,
    };
    Fate nextOperation() ARBOR_REQUIRES(mutex) {
        ++operations;
        if (cut)
            return Fate::Fails;
        if (!cutAfter.hits())
            return Fate::Works;
        cut = true;
        return chance.oneIn(2) ? Fate::FailsAfterwards : Fate::Fails;
    }
    // Runs a mutating operation under the power cut, if there is one.
    template <class Action>
    Status mutate(const std::string& path, Action action) ARBOR_REQUIRES(mutex) {
        const Fate fate = nextOperation();
        if (fate == Fate::Fails)
            return powerIsGone(path);
        ARBOR_TRY(action(tree));
        return fate == Fate::Works ? Status() : Status(powerIsGone(path));
    }
    std::uint64_t freeBytes() const ARBOR_REQUIRES(mutex) {
        return capacity - std::min(capacity, tree.usedBytes());
    }
    Status roomForName(const std::string& path) const ARBOR_REQUIRES(mutex) {
        if (!directoriesFull)
            return {};
        return makeError(ErrorKind::NoSpace, "making {}: the directory has no room for a name", path);
    }

    mutable Mutex mutex;
    SimulatedTree tree ARBOR_GUARDED_BY(mutex);
    SimulatedChance chance ARBOR_GUARDED_BY(mutex);
    std::uint64_t capacity ARBOR_GUARDED_BY(mutex) = unlimited;
    bool directoriesFull ARBOR_GUARDED_BY(mutex) = false;
    std::uint64_t powerCuts ARBOR_GUARDED_BY(mutex) = 0; // files of an earlier count are dead
    std::uint64_t operations ARBOR_GUARDED_BY(mutex) = 0;
    bool cut ARBOR_GUARDED_BY(mutex) = false;
    Countdown cutAfter ARBOR_GUARDED_BY(mutex);
    Countdown syncFailure ARBOR_GUARDED_BY(mutex);
    Countdown readFailure ARBOR_GUARDED_BY(mutex);
    Countdown shortRead ARBOR_GUARDED_BY(mutex);
    std::set<std::uint64_t> locked ARBOR_GUARDED_BY(mutex); // ids of files
};

namespace {

using State = SimulatedDisk::State;

// A file that somebody has open, until the next power cut.
class OpenFile {
  public:
    OpenFile(std::shared_ptr<State> state, SimulatedNodePtr node, std::string path)
        : m_state(std::move(state)), m_node(std::move(node)), m_path(std::move(path)) {
        const MutexLock lock(m_state->mutex);
        m_powerCuts = m_state->powerCuts;
        ++m_node->openFiles;
    }
    ~OpenFile() {
        const MutexLock lock(m_state->mutex);
        --m_node->openFiles;
        m_state->tree.recharge(*m_node);
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    State& state() const { return *m_state; }
    const SimulatedNodePtr& node() const { return m_node; }
    const std::string& path() const { return m_path; }
    Status alive() const ARBOR_NO_THREAD_SAFETY_ANALYSIS { // under the state's mutex
        return m_powerCuts == m_state->powerCuts ? Status() : Status(powerIsGone(m_path));
    }

  private:
    const std::shared_ptr<State> m_state;
    const SimulatedNodePtr m_node;
    const std::string m_path;
    std::uint64_t m_powerCuts = 0;
};

class SimulatedReadableFile final : public ReadableFile {
  public:
    SimulatedReadableFile(std::shared_ptr<State> state, SimulatedNodePtr node, const std::string& path)
        : m_file(std::move(state), std::move(node), path) {}

    Result<std::size_t> readAt(std::uint64_t offset, MutableBytes into) const override {
        State& state = m_file.state();
        const MutexLock lock(state.mutex);
        ARBOR_TRY(m_file.alive());
        if (state.readFailure.hits())
            return makeError(ErrorKind::Io, "reading {}: simulated failure", m_file.path());
        if (state.shortRead.hits())
            into = into.first(into.size() / 2);
        return m_file.node()->visible.read(offset, into);
    }
    Result<std::uint64_t> size() const override {
        const MutexLock lock(m_file.state().mutex);
        ARBOR_TRY(m_file.alive());
        return m_file.node()->visible.size();
    }
    int descriptor() const override { return -1; }

  private:
    OpenFile m_file;
};

Status syncNode(State& state, const SimulatedNodePtr& node, const std::string& path)
    ARBOR_REQUIRES(state.mutex) {
    const bool fails = state.syncFailure.hits();
    return state.mutate(path, [&](SimulatedTree& tree) -> Status {
        if (fails) {
            if (!node->isDirectory)
                tree.failSyncOfFile(node);
            return makeError(ErrorKind::Io, "syncing {}: simulated failure", path);
        }
        if (node->isDirectory)
            tree.syncDirectory(node);
        else
            tree.syncFile(node);
        return {};
    });
}

class SimulatedAppendableFile final : public AppendableFile {
  public:
    SimulatedAppendableFile(std::shared_ptr<State> state, SimulatedNodePtr node, const std::string& path)
        : m_file(std::move(state), std::move(node), path) {}

    Status append(Bytes bytes) override {
        State& state = m_file.state();
        const MutexLock lock(state.mutex);
        ARBOR_TRY(m_file.alive());
        const std::uint64_t room = SimulatedTree::appendable(*m_file.node(), state.freeBytes());
        return state.mutate(m_file.path(), [&](SimulatedTree& tree) -> Status {
            tree.append(m_file.node(), bytes.first(std::min<std::uint64_t>(room, bytes.size())));
            if (room < bytes.size())
                return makeError(ErrorKind::NoSpace, "appending to {}: no space left on the simulated disk",
                                 m_file.path());
            return {};
        });
    }
    Status sync() override {
        State& state = m_file.state();
        const MutexLock lock(state.mutex);
        ARBOR_TRY(m_file.alive());
        return syncNode(state, m_file.node(), m_file.path());
    }
    std::uint64_t size() const override {
        const MutexLock lock(m_file.state().mutex);
        return m_file.node()->visible.size();
    }

  private:
    OpenFile m_file;
};

class SimulatedLock final : public DiskLock {
  public:
    SimulatedLock(std::shared_ptr<State> state, std::uint64_t id, std::uint64_t powerCuts)
        : m_state(std::move(state)), m_id(id), m_powerCuts(powerCuts) {}
    ~SimulatedLock() override {
        const MutexLock lock(m_state->mutex);
        if (m_powerCuts == m_state->powerCuts)
            m_state->locked.erase(m_id);
    }

  private:
    const std::shared_ptr<State> m_state;
    const std::uint64_t m_id;
    const std::uint64_t m_powerCuts;
};

// The file at a path, made with mode 0600 when there is none.
Result<SimulatedNodePtr> findOrCreate(State& state, const std::string& path) ARBOR_REQUIRES(state.mutex) {
    ARBOR_ASSIGN(const auto place, state.tree.findPlace(path));
    const Status room = state.roomForName(path);
    if (!state.tree.at(place))
        ARBOR_TRY(state.mutate(path, [&](SimulatedTree& tree) -> Status {
            ARBOR_TRY(room);
            tree.setEntries({{place, tree.newNode(false, 0600)}});
            return {};
        }));
    return state.tree.findFile(path);
}

} // namespace

SimulatedDisk::SimulatedDisk(std::uint64_t seed) : m_state(std::make_shared<State>(seed)) {}
SimulatedDisk::SimulatedDisk(std::shared_ptr<State> state) : m_state(std::move(state)) {}
SimulatedDisk::~SimulatedDisk() = default;

std::unique_ptr<SimulatedDisk> SimulatedDisk::clone(std::uint64_t seed) const {
    const MutexLock lock(m_state->mutex);
    return std::unique_ptr<SimulatedDisk>(
        new SimulatedDisk(std::make_shared<State>(seed, m_state->tree, m_state->capacity)));
}

void SimulatedDisk::crash() {
    const MutexLock lock(m_state->mutex);
    m_state->tree.crash(m_state->chance);
    ++m_state->powerCuts;
    m_state->cut = false;
    m_state->cutAfter.set(0);
    m_state->syncFailure.set(0);
    m_state->readFailure.set(0);
    m_state->shortRead.set(0);
    m_state->locked.clear();
}

void SimulatedDisk::setCutAfter(std::uint64_t n) {
    const MutexLock lock(m_state->mutex);
    m_state->cutAfter.set(n);
}

bool SimulatedDisk::isCut() const {
    const MutexLock lock(m_state->mutex);
    return m_state->cut;
}

std::uint64_t SimulatedDisk::operationCount() const {
    const MutexLock lock(m_state->mutex);
    return m_state->operations;
}

void SimulatedDisk::setCapacity(std::uint64_t bytes) {
    const MutexLock lock(m_state->mutex);
    m_state->capacity = bytes;
}

void SimulatedDisk::setDirectoriesFull(bool full) {
    const MutexLock lock(m_state->mutex);
    m_state->directoriesFull = full;
}

void SimulatedDisk::failSync(std::uint64_t n) {
    const MutexLock lock(m_state->mutex);
    m_state->syncFailure.set(n);
}

void SimulatedDisk::failRead(std::uint64_t n) {
    const MutexLock lock(m_state->mutex);
    m_state->readFailure.set(n);
}

void SimulatedDisk::shortenRead(std::uint64_t n) {
    const MutexLock lock(m_state->mutex);
    m_state->shortRead.set(n);
}

void SimulatedDisk::corrupt(const std::string& path, std::uint64_t offset, std::uint8_t flipped) {
    const MutexLock lock(m_state->mutex);
    const auto node = m_state->tree.findFile(path);
    assert(node && offset < (*node)->visible.size());
    m_state->tree.damage(*node, [&](SimulatedBytes& content) {
        std::byte byte{};
        content.read(offset, MutableBytes(&byte, 1));
        byte ^= std::byte{flipped};
        content.write(offset, Bytes(&byte, 1));
    });
}

void SimulatedDisk::truncateNow(const std::string& path, std::uint64_t size) {
    const MutexLock lock(m_state->mutex);
    const auto node = m_state->tree.findFile(path);
    assert(node);
    m_state->tree.damage(*node, [&](SimulatedBytes& content) { content.resize(size); });
}

void SimulatedDisk::zero(const std::string& path, std::uint64_t offset, std::uint64_t length) {
    const MutexLock lock(m_state->mutex);
    const auto node = m_state->tree.findFile(path);
    assert(node);
    m_state->tree.damage(*node, [&](SimulatedBytes& content) { content.punch(offset, length); });
}

void SimulatedDisk::swapFiles(const std::string& first, const std::string& second) {
    const MutexLock lock(m_state->mutex);
    const auto a = m_state->tree.findPlace(first);
    const auto b = m_state->tree.findPlace(second);
    assert(a && b && m_state->tree.at(*a) && m_state->tree.at(*b));
    m_state->tree.swapNow(*a, *b);
}

Result<std::shared_ptr<ReadableFile>> SimulatedDisk::openRead(const std::string& path) {
    SimulatedNodePtr node;
    {
        const MutexLock lock(m_state->mutex);
        ARBOR_ASSIGN(node, m_state->tree.findFile(path));
    }
    return std::make_shared<SimulatedReadableFile>(m_state, std::move(node), path);
}

Result<std::unique_ptr<AppendableFile>> SimulatedDisk::createAppend(const std::string& path,
                                                                    std::uint64_t preallocate) {
    SimulatedNodePtr node;
    {
        const MutexLock lock(m_state->mutex);
        const std::uint64_t free = m_state->freeBytes();
        const Status room = m_state->roomForName(path);
        ARBOR_TRY(m_state->mutate(path, [&](SimulatedTree& tree) -> Status {
            ARBOR_ASSIGN(const auto place, tree.findPlace(path));
            if (tree.at(place))
                return makeError(ErrorKind::AlreadyExists, "creating {}: there is one already", path);
            ARBOR_TRY(room);
            if (preallocate > free)
                return makeError(ErrorKind::NoSpace,
                                 "reserving {} bytes for {}: no space left on the simulated disk",
                                 preallocate, path);
            node = tree.newNode(false, 0600);
            node->reserved = preallocate;
            tree.setEntries({{place, node}});
            return {};
        }));
    }
    return std::make_unique<SimulatedAppendableFile>(m_state, std::move(node), path);
}

Result<std::unique_ptr<AppendableFile>> SimulatedDisk::openAppend(const std::string& path) {
    SimulatedNodePtr node;
    {
        const MutexLock lock(m_state->mutex);
        ARBOR_ASSIGN(node, findOrCreate(*m_state, path));
    }
    return std::make_unique<SimulatedAppendableFile>(m_state, std::move(node), path);
}

Result<FileInfo> SimulatedDisk::info(const std::string& path) {
    const MutexLock lock(m_state->mutex);
    ARBOR_ASSIGN(const SimulatedNodePtr node, m_state->tree.find(path));
    return FileInfo{.size = node->visible.size(),
                    .inode = node->id,
                    .links = node->links,
                    .mode = node->mode,
                    .isDirectory = node->isDirectory,
                    .isSymlink = false};
}

Result<std::vector<std::string>> SimulatedDisk::list(const std::string& directory) {
    const MutexLock lock(m_state->mutex);
    ARBOR_ASSIGN(const SimulatedNodePtr node, m_state->tree.findDirectory(directory));
    std::vector<std::string> names;
    for (const auto& [name, child] : node->entries)
        names.push_back(name);
    return names;
}

Status SimulatedDisk::makeDirectory(const std::string& path) {
    const MutexLock lock(m_state->mutex);
    const Status room = m_state->roomForName(path);
    return m_state->mutate(path, [&](SimulatedTree& tree) -> Status {
        ARBOR_ASSIGN(const auto place, tree.findPlace(path));
        if (tree.at(place))
            return makeError(ErrorKind::AlreadyExists, "making directory {}: there is something already",
                             path);
        ARBOR_TRY(room);
        tree.setEntries({{place, tree.newNode(true, 0700)}});
        return {};
    });
}

Status SimulatedDisk::removeDirectory(const std::string& path) {
    const MutexLock lock(m_state->mutex);
    return m_state->mutate(path, [&](SimulatedTree& tree) -> Status {
        ARBOR_ASSIGN(const SimulatedNodePtr node, tree.findDirectory(path));
        if (!node->entries.empty())
            return makeError(ErrorKind::DirectoryNotEmpty, "removing directory {}: it is not empty", path);
        ARBOR_ASSIGN(const auto place, tree.findPlace(path));
        tree.setEntries({{place, nullptr}});
        return {};
    });
}

Status SimulatedDisk::unlink(const std::string& path) {
    const MutexLock lock(m_state->mutex);
    return m_state->mutate(path, [&](SimulatedTree& tree) -> Status {
        ARBOR_TRY(tree.findFile(path));
        ARBOR_ASSIGN(const auto place, tree.findPlace(path));
        tree.setEntries({{place, nullptr}});
        return {};
    });
}

Status SimulatedDisk::rename(const std::string& from, const std::string& to) {
    const MutexLock lock(m_state->mutex);
    return m_state->mutate(from, [&](SimulatedTree& tree) -> Status {
        ARBOR_ASSIGN(const SimulatedNodePtr node, tree.find(from));
        ARBOR_ASSIGN(const auto source, tree.findPlace(from));
        ARBOR_ASSIGN(const auto target, tree.findPlace(to));
        const SimulatedNodePtr replaced = tree.at(target);
        if (replaced == node)
            return {}; // two names of one file: rename(2) does nothing
        if (replaced && replaced->isDirectory && !node->isDirectory)
            return makeError(ErrorKind::IsADirectory, "renaming {} to {}: a directory is in the way", from,
                             to);
        if (replaced && !replaced->isDirectory && node->isDirectory)
            return makeError(ErrorKind::NotADirectory, "renaming {} to {}: a file is in the way", from, to);
        if (replaced && !replaced->entries.empty())
            return makeError(ErrorKind::DirectoryNotEmpty, "renaming {} to {}: it is not empty", from, to);
        tree.setEntries({{target, node}, {source, nullptr}});
        return {};
    });
}

Status SimulatedDisk::link(const std::string& from, const std::string& to) {
    const MutexLock lock(m_state->mutex);
    const Status room = m_state->roomForName(to);
    return m_state->mutate(from, [&](SimulatedTree& tree) -> Status {
        ARBOR_ASSIGN(const SimulatedNodePtr node, tree.find(from));
        if (node->isDirectory)
            return makeError(ErrorKind::Permission, "linking {} to {}: it is a directory", from, to);
        ARBOR_ASSIGN(const auto place, tree.findPlace(to));
        if (tree.at(place))
            return makeError(ErrorKind::AlreadyExists, "linking {} to {}: there is one already", from, to);
        ARBOR_TRY(room);
        tree.setEntries({{place, node}});
        return {};
    });
}

Status SimulatedDisk::setMode(const std::string& path, std::uint32_t mode) {
    const MutexLock lock(m_state->mutex);
    return m_state->mutate(path, [&](SimulatedTree& tree) -> Status {
        ARBOR_ASSIGN(const SimulatedNodePtr node, tree.find(path));
        tree.setMode(node, mode);
        return {};
    });
}

Status SimulatedDisk::truncate(const std::string& path, std::uint64_t size) {
    const MutexLock lock(m_state->mutex);
    return m_state->mutate(path, [&](SimulatedTree& tree) -> Status {
        ARBOR_ASSIGN(const SimulatedNodePtr node, tree.findFile(path));
        tree.resize(node, size);
        return {};
    });
}

Status SimulatedDisk::punch(const std::string& path, std::uint64_t offset, std::uint64_t length) {
    const MutexLock lock(m_state->mutex);
    return m_state->mutate(path, [&](SimulatedTree& tree) -> Status {
        ARBOR_ASSIGN(const SimulatedNodePtr node, tree.findFile(path));
        tree.punch(node, offset, length);
        return {};
    });
}

Status SimulatedDisk::syncFile(const std::string& path) {
    const MutexLock lock(m_state->mutex);
    ARBOR_ASSIGN(const SimulatedNodePtr node, m_state->tree.findFile(path));
    return syncNode(*m_state, node, path);
}

Status SimulatedDisk::syncDirectory(const std::string& path) {
    const MutexLock lock(m_state->mutex);
    ARBOR_ASSIGN(const SimulatedNodePtr node, m_state->tree.findDirectory(path));
    return syncNode(*m_state, node, path);
}

Result<std::unique_ptr<DiskLock>> SimulatedDisk::lock(const std::string& path) {
    const MutexLock lock(m_state->mutex);
    ARBOR_ASSIGN(const SimulatedNodePtr node, findOrCreate(*m_state, path));
    if (!m_state->locked.insert(node->id).second)
        return makeError(ErrorKind::Busy, "{} is locked: somebody else has it open", path);
    return std::make_unique<SimulatedLock>(m_state, node->id, m_state->powerCuts);
}

Result<std::uint64_t> SimulatedDisk::freeBytes(const std::string& path) {
    const MutexLock lock(m_state->mutex);
    ARBOR_TRY(m_state->tree.find(path));
    return m_state->freeBytes();
}

Result<std::uint64_t> SimulatedDisk::totalBytes(const std::string& path) {
    const MutexLock lock(m_state->mutex);
    ARBOR_TRY(m_state->tree.find(path));
    return m_state->capacity;
}

} // namespace arbor
