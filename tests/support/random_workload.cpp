#include "tests/support/random_workload.h"

#include <algorithm>

namespace arbor::test {

namespace {

const Owner owner{1000, 1000};

std::string_view directoryOf(std::string_view path) {
    const auto slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}
std::string_view nameOf(std::string_view path) {
    return path.substr(path.rfind('/') + 1);
}

bool isPageFilePath(std::string_view path) {
    return directoryOf(path) == "base/5" && nameOf(path).starts_with("163");
}

} // namespace

RandomWorkload::RandomWorkload(SimulatedDisk& disk, std::uint64_t seed, const Shape& shape)
    : m_disk(disk), m_chance(seed), m_shape(shape) {}
RandomWorkload::~RandomWorkload() = default;

Status RandomWorkload::openEngine() {
    Engine::Options options = fakeOptions(m_logs);
    options.store.index.executor = m_steps.executor();
    ARBOR_ASSIGN(m_engine, Engine::open(m_disk, "/store", m_clock, options));
    m_steps.run();
    return {};
}

Status RandomWorkload::create() {
    m_last = "create";
    m_world = {};
    auto made = Engine::create(m_disk, "/store", fakeOptions(m_logs));
    if (!made && made.error().kind() != ErrorKind::AlreadyExists)
        return made;
    ARBOR_TRY(openEngine());
    const auto adopt = [&](const BranchRecord& main) {
        const auto empty = std::make_shared<ModelTree>();
        m_world.timelines[main.timeline] = {{}, {}, empty, empty, {}, {}};
        m_world.catalog.branches["main"] = {main.id, main.timeline};
        m_world.undo = {ModelCatalog()};
        m_acknowledged = m_world;
    };
    // a cut may have left the whole root, of which nobody has heard
    if (const auto there = m_engine->catalog([](const Catalog& c) { return c.branch("main"); })) {
        adopt(*there);
        return {};
    }
    ARBOR_ASSIGN(const auto root, m_engine->beginRoot(0700, owner));
    ARBOR_ASSIGN(const BranchRecord main,
                 m_engine->finishRoot(caller, *root, {"main", {}, 15, 16u << 20, {}}, {}));
    adopt(main);
    return {};
}

void RandomWorkload::abandon() {
    m_engine.reset();
}

Status RandomWorkload::reopen() {
    m_last = "reopen";
    ARBOR_TRY(durably([&] { return m_engine->sync(); }, [](ModelWorld&) {}));
    m_engine.reset();
    ARBOR_TRY(openEngine());
    forgetBehind(m_engine->store().lastPosition());
    m_acknowledged = m_world;
    return {};
}

// A position that only an unlinked file was given is in no batch. It is given again behind a reopen, and no
// durable point stands there.
void RandomWorkload::forgetBehind(Position last) {
    for (auto& [id, timeline] : m_world.timelines)
        std::erase_if(timeline.points, [&](const ModelPoint& point) { return point.at.at.position > last; });
}

Status RandomWorkload::recover() {
    m_last = "recover after " + m_last;
    ARBOR_TRY(openEngine());
    const std::vector<ModelWorld> possible = m_possible;
    const ModelWorld acknowledged = m_acknowledged;
    // The oldest first: where heads are alike, what it remembers of the past is true of the later ones as
    // well
    std::vector<ModelWorld> candidates{acknowledged};
    candidates.insert(candidates.end(), possible.begin(), possible.end());
    std::string mismatches;
    const Position last = m_engine->store().lastPosition();
    for (const ModelWorld& candidate : candidates) {
        m_world = candidate;
        forgetBehind(last);
        // every point: two candidates may differ in nothing but in what once was
        const auto same = compare(SIZE_MAX);
        if (same) {
            m_acknowledged = m_world;
            m_possible.clear();
            return {};
        }
        m_possible = possible; // looking at points of a wrong candidate has acknowledged it
        m_acknowledged = acknowledged;
        if (m_disk.isCut())
            return same;
        mismatches += "\n  " + same.error().message();
    }
    return makeError(ErrorKind::Corruption, "operation {}, {}: what is left is no state that could be:{}",
                     m_operations, m_last, mismatches);
}

Status RandomWorkload::durably(const std::function<Status()>& operation,
                               const std::function<void(ModelWorld&)>& done) {
    m_possible = {m_world};
    auto result = operation();
    if (!result) {
        ModelWorld after = m_world;
        if (m_disk.isCut()) {
            done(after);
            m_possible.push_back(std::move(after));
        }
        return result;
    }
    done(m_world);
    m_acknowledged = m_world;
    m_possible.clear();
    m_steps.run();
    return {};
}

Result<RandomWorkload::Target> RandomWorkload::anyTarget() {
    auto at = m_world.catalog.branches.begin();
    std::advance(at, below(m_world.catalog.branches.size()));
    Target target{at->first, at->second, {}};
    ARBOR_ASSIGN(target.view, m_engine->head(target.branch.timeline));
    return target;
}

Status RandomWorkload::step() {
    ++m_operations;
    m_clock.advance(Duration{static_cast<std::int64_t>(below(3'000'000))});
    auto result = below(100) < 88 ? fileOperation() : catalogOperation();
    if (!result)
        return std::move(result).error().during(fmt::format("operation {}, {}", m_operations, m_last));
    return {};
}

// Changes a copy of the branch's tree; the model has it when the store has accepted it.
Status RandomWorkload::mutate(const Target& target, const std::function<Status(ModelTree&)>& change) {
    ModelTreePtr& head = m_world.timelines.at(target.branch.timeline).head;
    auto tree = std::make_shared<ModelTree>(*head);
    ARBOR_TRY(change(*tree));
    head = std::move(tree);
    return {};
}

Status RandomWorkload::fileOperation() {
    ARBOR_ASSIGN(const Target target, anyTarget());
    const std::uint64_t dice = below(100);
    const auto run = [&](std::string what, Status (RandomWorkload::*operation)(const Target&)) {
        m_last = what + " on " + target.name;
        return (this->*operation)(target);
    };
    if (dice < 12)
        return run("create", &RandomWorkload::createSomething);
    if (dice < 50)
        return run("write", &RandomWorkload::writeSomewhere);
    if (dice < 55)
        return run("write in halves", &RandomWorkload::writeHalves);
    if (dice < 65)
        return run("resize", &RandomWorkload::resizeSomething);
    if (dice < 70)
        return run("rename", &RandomWorkload::renameSomething);
    if (dice < 75)
        return run("remove", &RandomWorkload::removeSomething);
    if (dice < 77)
        return run("use after unlink", &RandomWorkload::useAfterUnlink);
    if (dice < 79)
        return run("change mode", &RandomWorkload::changeMode);
    if (dice < 86)
        return run("read", &RandomWorkload::readSomewhere);
    if (dice < 94)
        return run("grow log", &RandomWorkload::growLog);
    m_last = "sync";
    return durably([&] { return m_engine->sync(); }, [](ModelWorld&) {});
}

std::string RandomWorkload::anyPath(const ModelTree& tree, std::optional<FileType> type) {
    std::vector<const std::string*> paths;
    for (const auto& [path, entry] : tree)
        if (!type || entry.type == *type)
            paths.push_back(&path);
    return paths.empty() ? std::string() : *paths[below(paths.size())];
}

// A name in a directory that is there; it may be taken.
std::string RandomWorkload::newPath(const ModelTree& tree) {
    const std::string directory = oneIn(3) ? std::string() : anyPath(tree, FileType::Directory);
    if (directory == "base/5")
        return fmt::format("base/5/{}", 16384 + below(4));
    const std::string name = fmt::format("f{}", below(5));
    return directory.empty() ? name : directory + "/" + name;
}

Status RandomWorkload::createSomething(const Target& target) {
    const ModelTree& now = *m_world.timelines.at(target.branch.timeline).head;
    if (now.size() >= m_shape.maxFiles)
        return removeSomething(target);
    std::string path = newPath(now);
    FileType type = FileType::Regular;
    if (!now.contains("base") && oneIn(2)) {
        path = "base";
        type = FileType::Directory;
    } else if (now.contains("base") && !now.contains("base/5") && oneIn(2)) {
        path = "base/5";
        type = FileType::Directory;
    } else if (!isPageFilePath(path) && oneIn(4)) {
        type = oneIn(3) ? FileType::Symlink : FileType::Directory;
    }
    if (now.contains(path))
        return {};
    return mutate(target, [&](ModelTree& tree) -> Status {
        ARBOR_ASSIGN(const Attributes in, findPath(*target.view, directoryOf(path)));
        ModelEntry entry{type, 0600, {}, {}};
        if (type == FileType::Directory) {
            entry.mode = 0700;
            ARBOR_TRY(target.view->makeDirectory(in.inode, nameOf(path), entry.mode, owner));
        } else if (type == FileType::Symlink) {
            entry.mode = 0777;
            entry.target = "f0";
            ARBOR_TRY(target.view->makeSymlink(in.inode, nameOf(path), entry.target, owner));
        } else {
            ARBOR_TRY(target.view->createFile(in.inode, nameOf(path), entry.mode, owner));
        }
        tree[path] = entry;
        return {};
    });
}

Status RandomWorkload::writeSomewhere(const Target& target) {
    return mutate(target, [&](ModelTree& tree) -> Status {
        const std::string path = anyPath(tree, FileType::Regular);
        if (path.empty())
            return {};
        ARBOR_ASSIGN(const Attributes file, findPath(*target.view, path));
        std::string bytes;
        for (std::uint64_t pages = 1 + below(oneIn(6) ? 4 : 2); pages > 0; --pages)
            bytes += oneIn(12) ? std::string(blockSize, '\0') : pageOf(m_chance.next() >> 8);
        std::uint64_t offset = below(m_shape.maxBlocks) * blockSize;
        if (!isPageFilePath(path) && oneIn(2)) {
            offset += below(blockSize);
            bytes.resize(1 + below(bytes.size()));
        }
        ARBOR_TRY(target.view->write(file.inode, offset, bytesOf(bytes), 1));
        tree[path].content.write(offset, bytes);
        return {};
    });
}

// A page in two pieces; or only one of them, whose writer dies.
Status RandomWorkload::writeHalves(const Target& target) {
    return mutate(target, [&](ModelTree& tree) -> Status {
        const std::string path = anyPath(tree, FileType::Regular);
        if (!isPageFilePath(path))
            return {};
        ARBOR_ASSIGN(const Attributes file, findPath(*target.view, path));
        const std::string page = pageOf(m_chance.next() >> 8);
        const std::uint64_t offset = below(m_shape.maxBlocks) * blockSize;
        const std::size_t border = 1 + below(blockSize - 1);
        constexpr WriterId writer = 77;
        ARBOR_TRY(target.view->write(file.inode, offset, bytesOf(page).first(border), writer));
        if (oneIn(3)) {
            target.view->dropWriter(writer);
            return {};
        }
        ARBOR_TRY(target.view->write(file.inode, offset + border, bytesOf(page).subspan(border), writer));
        tree[path].content.write(offset, page);
        return {};
    });
}

Status RandomWorkload::resizeSomething(const Target& target) {
    return mutate(target, [&](ModelTree& tree) -> Status {
        const std::string path = anyPath(tree, FileType::Regular);
        if (path.empty())
            return {};
        ARBOR_ASSIGN(const Attributes file, findPath(*target.view, path));
        ModelContent& content = tree[path].content;
        std::uint64_t size = below(m_shape.maxBlocks + 1) * blockSize;
        if (!isPageFilePath(path) && oneIn(2))
            size += below(blockSize);
        if (oneIn(5)) {
            const std::uint64_t length = 1 + below(3 * blockSize);
            ARBOR_TRY(target.view->punchHole(file.inode, size, length));
            content.zero(size, std::min(content.size(), size + length));
            return {};
        }
        if (oneIn(5)) {
            ARBOR_TRY(target.view->allocate(file.inode, 0, size + 1, false));
            content.resize(std::max(content.size(), size + 1));
            return {};
        }
        ARBOR_TRY(target.view->truncate(file.inode, size));
        content.resize(size);
        return {};
    });
}

Status RandomWorkload::renameSomething(const Target& target) {
    return mutate(target, [&](ModelTree& tree) -> Status {
        const std::string from = anyPath(tree, std::nullopt);
        const std::string to = newPath(tree);
        // what keeps its role: Postgres never makes a relation of another file, or moves a database
        if (from.empty() || from.starts_with("base") != to.starts_with("base") || from == "base" ||
            from == "base/5")
            return {};
        ARBOR_ASSIGN(const Attributes source, findPath(*target.view, directoryOf(from)));
        ARBOR_ASSIGN(const Attributes sink, findPath(*target.view, directoryOf(to)));
        const bool noReplace = oneIn(4);
        const auto renamed =
            target.view->rename(source.inode, nameOf(from), sink.inode, nameOf(to), noReplace);
        const bool isDirectory = tree.at(from).type == FileType::Directory;
        const auto replaced = tree.find(to);
        const bool intoItself = to.starts_with(from + "/");
        const bool full = tree.upper_bound(to + "/") != tree.lower_bound(to + "0"); // '0' follows '/'
        const bool fits =
            replaced == tree.end() ||
            (!noReplace && (replaced->second.type == FileType::Directory) == isDirectory && !full) ||
            (from == to && !noReplace);
        if (renamed.has_value() != (fits && !intoItself))
            return renamed ? makeError(ErrorKind::Corruption, "{} must not become {}", from, to)
                           : Error(renamed.error());
        if (!renamed || from == to)
            return {};
        ModelTree moved;
        for (const auto& [path, entry] : tree)
            if (path == from || path.starts_with(from + "/"))
                moved[to + path.substr(from.size())] = entry;
            else if (path != to)
                moved[path] = entry;
        tree = std::move(moved);
        return {};
    });
}

Status RandomWorkload::removeSomething(const Target& target) {
    return mutate(target, [&](ModelTree& tree) -> Status {
        const std::string path = anyPath(tree, std::nullopt);
        if (path.empty())
            return {};
        ARBOR_ASSIGN(const Attributes in, findPath(*target.view, directoryOf(path)));
        if (tree[path].type != FileType::Directory) {
            ARBOR_TRY(target.view->unlink(in.inode, nameOf(path)));
            tree.erase(path);
            return {};
        }
        const auto inside = tree.upper_bound(path + "/");
        const bool empty = inside == tree.end() || !inside->first.starts_with(path + "/");
        const auto removed = target.view->removeDirectory(in.inode, nameOf(path));
        if (removed.has_value() != empty)
            return removed ? makeError(ErrorKind::Corruption, "{} was removed with its files", path)
                           : Error(removed.error());
        if (removed)
            tree.erase(path);
        return {};
    });
}

// A file that is open when its last name goes is read and written until it is closed.
Status RandomWorkload::useAfterUnlink(const Target& target) {
    const std::string path = anyPath(*m_world.timelines.at(target.branch.timeline).head, FileType::Regular);
    if (path.empty())
        return {};
    ARBOR_ASSIGN(const Attributes file, findPath(*target.view, path));
    ARBOR_ASSIGN(const Attributes in, findPath(*target.view, directoryOf(path)));
    ARBOR_TRY(target.view->open(file.inode));
    ModelContent content;
    ARBOR_TRY(mutate(target, [&](ModelTree& tree) -> Status {
        ARBOR_TRY(target.view->unlink(in.inode, nameOf(path)));
        content = tree[path].content;
        tree.erase(path);
        return {};
    }));
    if (oneIn(2))
        ARBOR_TRY(durably([&] { return m_engine->sync(); }, [](ModelWorld&) {}));
    if (oneIn(2)) {
        const std::string page = pageOf(m_chance.next() >> 8);
        const std::uint64_t offset = below(m_shape.maxBlocks) * blockSize;
        ARBOR_TRY(target.view->write(file.inode, offset, bytesOf(page), 1));
        content.write(offset, page);
    }
    if (oneIn(3)) {
        const std::uint64_t size = below(m_shape.maxBlocks) * blockSize;
        ARBOR_TRY(target.view->truncate(file.inode, size));
        content.resize(size);
    }
    target.view->trim();
    ARBOR_ASSIGN(const std::string got, readAll(*target.view, file.inode));
    if (!content.equals(got))
        return makeError(ErrorKind::Corruption, "{}: reads wrong bytes after its unlink", path);
    target.view->close(file.inode);
    return {};
}

Status RandomWorkload::changeMode(const Target& target) {
    return mutate(target, [&](ModelTree& tree) -> Status {
        const std::string path = anyPath(tree, FileType::Regular);
        if (path.empty())
            return {};
        ARBOR_ASSIGN(const Attributes file, findPath(*target.view, path));
        const auto mode = static_cast<std::uint32_t>(0400 + below(0400));
        ARBOR_TRY(target.view->setAttributes(file.inode, {mode, {}, {}, {}}));
        tree[path].mode = mode;
        return {};
    });
}

Status RandomWorkload::readSomewhere(const Target& target) {
    const ModelTree& tree = *m_world.timelines.at(target.branch.timeline).head;
    const std::string path = anyPath(tree, FileType::Regular);
    if (path.empty())
        return {};
    ARBOR_ASSIGN(const Attributes file, findPath(*target.view, path));
    const std::uint64_t offset = below(m_shape.maxBlocks * blockSize);
    std::string got(1 + below(3 * blockSize), 'x');
    ARBOR_ASSIGN(const std::size_t bytes,
                 target.view->read(file.inode, offset, std::as_writable_bytes(std::span(got))));
    const std::string wanted = tree.at(path).content.read(offset, got.size());
    got.resize(bytes);
    if (got != wanted)
        return makeError(ErrorKind::Corruption, "{}: reads wrong bytes at offset {}", path, offset);
    return {};
}

// Postgres writes records: what was accepted so far has its LSN to itself from now on.
Status RandomWorkload::growLog(const Target& target) {
    ModelTimeline& timeline = m_world.timelines.at(target.branch.timeline);
    ARBOR_ASSIGN(const ForkPoint now, target.view->present());
    if (timeline.ends.size() >= m_shape.pointsKept)
        timeline.ends.erase(
            std::next(timeline.ends.begin(), static_cast<std::ptrdiff_t>(below(timeline.ends.size()))));
    timeline.ends[now.lsn] = timeline.head;
    m_logs.append(target.branch.timeline, 8 + below(200));
    return {};
}

} // namespace arbor::test
