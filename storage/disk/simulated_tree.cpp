#include "storage/disk/simulated_tree.h"

#include <algorithm>

namespace arbor {

namespace {

using Change = SimulatedNode::Change;

void applyWhole(const Change& change, SimulatedNode& node) {
    switch (change.kind) {
    case Change::Write:
        node.durable.copyRange(change.source ? *change.source : node.visible, change.offset, change.length);
        break;
    case Change::Resize:
        node.durable.resize(change.offset);
        break;
    case Change::Punch:
        node.durable.punch(change.offset, change.length);
        break;
    case Change::Mode:
        node.durableMode = static_cast<std::uint32_t>(change.offset);
        break;
    }
}

// Some pieces of a write arrived, others did not; the size covers all of it or ends behind the last that did.
void applyInPieces(const Change& change, SimulatedNode& node, SimulatedChance& chance) {
    const std::uint64_t piece = 512u << chance.below(4);
    const std::uint64_t lostOneIn = 2 + chance.below(6);
    const bool mostlyLost = chance.oneIn(2);
    const SimulatedBytes& source = change.source ? *change.source : node.visible;
    const std::uint64_t end = change.offset + change.length;
    for (std::uint64_t at = change.offset; at < end;) {
        const std::uint64_t pieceEnd = std::min(end, at / piece * piece + piece);
        if (chance.oneIn(lostOneIn) == mostlyLost)
            node.durable.copyRange(source, at, pieceEnd - at);
        at = pieceEnd;
    }
    if (chance.oneIn(2) && node.durable.size() < end)
        node.durable.resize(end);
}

// Everything up to some byte arrived.
void applyCut(const Change& change, SimulatedNode& node, SimulatedChance& chance) {
    if (change.kind != Change::Write)
        return;
    Change part = change;
    part.length = chance.below(change.length + 1);
    applyWhole(part, node);
}

} // namespace

std::uint64_t SimulatedChance::next() {
    std::uint64_t z = m_state += 0x9E3779B97F4A7C15ull;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
}

SimulatedTree::SimulatedTree() : m_root(newNode(true, 0700)) {
    m_root->links = 1;
}

SimulatedTree::SimulatedTree(const SimulatedTree& other) : m_lastId(other.m_lastId) {
    std::map<const SimulatedNode*, SimulatedNodePtr> copies; // hard links stay one file
    const auto copy = [&](const auto& self, const SimulatedNode& node) -> SimulatedNodePtr {
        SimulatedNodePtr& made = copies[&node];
        if (made) {
            ++made->links;
            return made;
        }
        made = std::make_shared<SimulatedNode>();
        const SimulatedNodePtr result = made; // `made` moves when the map grows
        result->id = node.id;
        result->isDirectory = node.isDirectory;
        result->mode = result->durableMode = node.mode;
        result->visible = result->durable = node.visible;
        result->reserved = node.reserved;
        result->links = 1;
        for (const auto& [name, child] : node.entries)
            result->entries[name] = self(self, *child);
        result->durableEntries = result->entries;
        recharge(*result);
        return result;
    };
    m_root = copy(copy, *other.m_root);
}

Result<SimulatedNodePtr> SimulatedTree::find(const std::string& path) const {
    SimulatedNodePtr node = m_root;
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t slash = std::min(path.find('/', at), path.size());
        const std::string name = path.substr(at, slash - at);
        at = slash + 1;
        if (name.empty())
            continue;
        if (!node->isDirectory)
            return makeError(ErrorKind::NotADirectory, "{}: a part of it is not a directory", path);
        const auto entry = node->entries.find(name);
        if (entry == node->entries.end())
            return makeError(ErrorKind::NotFound, "{}: there is no such file or directory", path);
        node = entry->second;
    }
    return node;
}

Result<SimulatedNodePtr> SimulatedTree::findFile(const std::string& path) const {
    ARBOR_ASSIGN(SimulatedNodePtr node, find(path));
    if (node->isDirectory)
        return makeError(ErrorKind::IsADirectory, "{} is a directory", path);
    return node;
}

Result<SimulatedNodePtr> SimulatedTree::findDirectory(const std::string& path) const {
    ARBOR_ASSIGN(SimulatedNodePtr node, find(path));
    if (!node->isDirectory)
        return makeError(ErrorKind::NotADirectory, "{} is not a directory", path);
    return node;
}

Result<SimulatedTree::Place> SimulatedTree::findPlace(const std::string& path) const {
    const std::size_t slash = path.find_last_of('/');
    if (slash == std::string::npos || slash + 1 == path.size())
        return makeError(ErrorKind::InvalidArgument, "{}: a path of an entry is needed", path);
    Place place{.directory = {}, .name = path.substr(slash + 1)};
    if (place.name.size() > 255)
        return makeError(ErrorKind::NameTooLong, "{}: the name is too long", path);
    ARBOR_ASSIGN(place.directory, findDirectory(path.substr(0, slash)));
    return place;
}

SimulatedNodePtr SimulatedTree::at(const Place& place) const {
    const auto entry = place.directory->entries.find(place.name);
    return entry == place.directory->entries.end() ? nullptr : entry->second;
}

SimulatedNodePtr SimulatedTree::newNode(bool isDirectory, std::uint32_t mode) {
    auto node = std::make_shared<SimulatedNode>();
    node->id = ++m_lastId;
    node->isDirectory = isDirectory;
    node->mode = node->durableMode = mode;
    return node;
}

void SimulatedTree::setEntries(EntryChange entries) {
    for (const auto& [place, node] : entries)
        setVisible(place, node);
    m_changedEntries.push_back(std::move(entries));
}

void SimulatedTree::setVisible(const Place& place, const SimulatedNodePtr& node) {
    const SimulatedNodePtr before = at(place);
    if (node) {
        place.directory->entries[place.name] = node;
        ++node->links;
        recharge(*node);
    } else {
        place.directory->entries.erase(place.name);
    }
    if (before) {
        --before->links;
        recharge(*before);
    }
}

void SimulatedTree::noteChange(const SimulatedNodePtr& node, Change change) {
    m_changedFiles[node->id] = node;
    std::vector<Change>& changes = node->changes;
    if (change.kind == Change::Write && !changes.empty()) {
        Change& last = changes.back();
        if (last.kind == Change::Write && !last.source && !last.doomed &&
            last.offset + last.length == change.offset) {
            last.length += change.length; // the page cache knows pages, not calls
            return;
        }
    }
    changes.push_back(std::move(change));
}

void SimulatedTree::append(const SimulatedNodePtr& node, Bytes bytes) {
    if (bytes.empty())
        return;
    const std::uint64_t offset = node->visible.size();
    node->visible.write(offset, bytes);
    noteChange(node, {.kind = Change::Write, .offset = offset, .length = bytes.size(), .source = {}});
    recharge(*node);
}

void SimulatedTree::resize(const SimulatedNodePtr& node, std::uint64_t size) {
    const auto before = std::make_shared<const SimulatedBytes>(node->visible);
    for (Change& change : node->changes)
        if (change.kind == Change::Write && !change.source)
            change.source = before;
    node->visible.resize(size);
    node->reserved = 0; // a truncation gives back what was reserved behind the end
    noteChange(node, {.kind = Change::Resize, .offset = size, .length = 0, .source = {}});
    recharge(*node);
}

void SimulatedTree::punch(const SimulatedNodePtr& node, std::uint64_t offset, std::uint64_t length) {
    const auto before = std::make_shared<const SimulatedBytes>(node->visible);
    for (Change& change : node->changes)
        if (change.kind == Change::Write && !change.source)
            change.source = before;
    node->visible.punch(offset, length);
    node->reserved = 0;
    noteChange(node, {.kind = Change::Punch, .offset = offset, .length = length, .source = {}});
    recharge(*node);
}

void SimulatedTree::setMode(const SimulatedNodePtr& node, std::uint32_t mode) {
    node->mode = mode;
    noteChange(node, {.kind = Change::Mode, .offset = mode, .length = 0, .source = {}});
}

std::uint64_t SimulatedTree::appendable(const SimulatedNode& node, std::uint64_t freeBytes) {
    constexpr std::uint64_t chunk = SimulatedBytes::chunkBytes;
    const std::uint64_t inLastChunk = (chunk - node.visible.size() % chunk) % chunk;
    const std::uint64_t mayAllocate = node.charged - node.visible.allocated() + freeBytes;
    return inLastChunk + mayAllocate / chunk * chunk;
}

void SimulatedTree::recharge(SimulatedNode& node) {
    const bool exists = node.links > 0 || node.openFiles > 0;
    const std::uint64_t now = exists ? std::max(node.visible.allocated(), node.reserved) : 0;
    m_used = m_used - node.charged + now;
    node.charged = now;
}

void SimulatedTree::syncFile(const SimulatedNodePtr& node) {
    std::vector<Change> doomed;
    for (Change& change : node->changes) {
        if (change.doomed)
            doomed.push_back(std::move(change));
        else
            applyWhole(change, *node);
    }
    node->changes = std::move(doomed);
    if (node->changes.empty())
        m_changedFiles.erase(node->id);
}

void SimulatedTree::failSyncOfFile(const SimulatedNodePtr& node) {
    for (Change& change : node->changes)
        change.doomed = true;
}

void SimulatedTree::syncDirectory(const SimulatedNodePtr& node) {
    // An earlier change of an entry that a synced one changes is synced with it: order within an entry is
    // kept.
    std::set<std::pair<const SimulatedNode*, std::string>> entries;
    std::vector<bool> synced(m_changedEntries.size());
    for (std::size_t i = m_changedEntries.size(); i-- > 0;) {
        const EntryChange& change = m_changedEntries[i];
        synced[i] = std::any_of(change.begin(), change.end(), [&](const auto& entry) {
            return entry.first.directory == node ||
                   entries.contains({entry.first.directory.get(), entry.first.name});
        });
        if (synced[i])
            for (const auto& [place, target] : change)
                entries.insert({place.directory.get(), place.name});
    }
    std::vector<EntryChange> rest;
    for (std::size_t i = 0; i < synced.size(); ++i) {
        if (synced[i])
            applyDurably(m_changedEntries[i]);
        else
            rest.push_back(std::move(m_changedEntries[i]));
    }
    m_changedEntries = std::move(rest);
}

void SimulatedTree::applyDurably(const EntryChange& change) {
    for (const auto& [place, node] : change) {
        if (node)
            place.directory->durableEntries[place.name] = node;
        else
            place.directory->durableEntries.erase(place.name);
    }
}

void SimulatedTree::crash(SimulatedChance& chance) {
    for (const auto& [id, node] : m_changedFiles)
        crashFile(*node, chance);
    m_changedFiles.clear();
    crashEntries(chance);
}

void SimulatedTree::crashFile(SimulatedNode& node, SimulatedChance& chance) {
    enum { Lost, Kept, Cut, Pieces };
    const std::uint64_t fate = chance.below(4);
    const std::size_t kept = fate == Cut    ? chance.below(node.changes.size())
                             : fate == Kept ? node.changes.size()
                                            : 0;
    for (std::size_t i = 0; i < node.changes.size() && fate != Lost; ++i) {
        const Change& change = node.changes[i];
        if (i < kept)
            applyWhole(change, node);
        else if (fate == Cut && i == kept)
            applyCut(change, node, chance);
        else if (fate == Pieces && change.kind == Change::Write)
            applyInPieces(change, node, chance);
        else if (fate == Pieces && chance.oneIn(2))
            applyWhole(change, node);
    }
    node.changes.clear();
    node.visible = node.durable;
    node.mode = node.durableMode;
    recharge(node);
}

void SimulatedTree::crashEntries(SimulatedChance& chance) {
    const std::vector<EntryChange> changes = std::exchange(m_changedEntries, {});
    // now and then all or nothing, which chance alone would make rare
    const std::uint64_t fate = chance.below(4);
    for (const EntryChange& change : changes)
        if (fate == 0 || (fate > 1 && chance.oneIn(2)))
            applyDurably(change);
    for (const EntryChange& change : changes)
        for (const auto& [place, node] : change) {
            const auto durable = place.directory->durableEntries.find(place.name);
            setVisible(place, durable == place.directory->durableEntries.end() ? nullptr : durable->second);
        }
    // what hangs below a directory that is gone is gone
    for (const EntryChange& change : changes)
        for (const auto& [place, node] : change) {
            if (place.directory->links == 0)
                forgetEntries(*place.directory);
            if (node && node->isDirectory && node->links == 0)
                forgetEntries(*node);
        }
}

void SimulatedTree::forgetEntries(SimulatedNode& directory) {
    for (const auto& [name, child] : std::exchange(directory.entries, {})) {
        if (--child->links == 0 && child->isDirectory)
            forgetEntries(*child);
        recharge(*child);
    }
}

void SimulatedTree::damage(const SimulatedNodePtr& node, const std::function<void(SimulatedBytes&)>& change) {
    for (Change& unsynced : node->changes)
        unsynced.doomed = false;
    syncFile(node); // the medium is damaged where the bytes are: they must be there first
    change(node->visible);
    change(node->durable);
    recharge(*node);
}

void SimulatedTree::swapNow(const Place& first, const Place& second) {
    std::swap(first.directory->entries[first.name], second.directory->entries[second.name]);
    std::swap(first.directory->durableEntries[first.name], second.directory->durableEntries[second.name]);
}

} // namespace arbor
