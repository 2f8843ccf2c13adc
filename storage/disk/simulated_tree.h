// The inside of SimulatedDisk: files and directories in two states, visible and durable, with the changes
// between them. No locking and no faults here; SimulatedDisk has both.
#pragma once

#include "storage/disk/simulated_bytes.h"

#include <functional>
#include <map>
#include <set>

namespace arbor {

// Numbers that are the same everywhere (std's distributions are not). splitmix64.
class SimulatedChance {
  public:
    explicit SimulatedChance(std::uint64_t seed) : m_state(seed) {}
    std::uint64_t next();
    std::uint64_t below(std::uint64_t limit) { return next() % limit; } // limit > 0
    bool oneIn(std::uint64_t n) { return below(n) == 0; }

  private:
    std::uint64_t m_state;
};

struct SimulatedNode;
using SimulatedNodePtr = std::shared_ptr<SimulatedNode>;

// A file or a directory.
struct SimulatedNode {
    struct Change {
        enum Kind { Write, Resize, Punch, Mode } kind = Write;
        std::uint64_t offset = 0; // Resize: the size; Mode: the mode
        std::uint64_t length = 0;
        // Where a Write's bytes are: the visible content, or this once something cut them off there.
        std::shared_ptr<const SimulatedBytes> source;
        bool doomed = false; // a sync of it failed: no later one makes it durable
    };

    std::uint64_t id = 0;
    bool isDirectory = false;
    std::uint32_t mode = 0;
    std::uint32_t durableMode = 0;
    SimulatedBytes visible;
    SimulatedBytes durable;
    std::vector<Change> changes; // in order; durable with all of them applied is visible
    std::map<std::string, SimulatedNodePtr> entries;
    std::map<std::string, SimulatedNodePtr> durableEntries;
    std::uint32_t links = 0;     // visible entries that are this node
    std::uint32_t openFiles = 0; // keep the space of an unlinked file
    std::uint64_t reserved = 0;  // preallocated bytes
    std::uint64_t charged = 0;   // its part of SimulatedTree::usedBytes()
};

class SimulatedTree {
  public:
    SimulatedTree();
    // A settled copy: what is visible, all durable.
    SimulatedTree(const SimulatedTree& other);
    SimulatedTree& operator=(const SimulatedTree&) = delete;

    struct Place {
        SimulatedNodePtr directory;
        std::string name;
    };
    Result<SimulatedNodePtr> find(const std::string& path) const;
    Result<SimulatedNodePtr> findFile(const std::string& path) const; // IsADirectory
    Result<SimulatedNodePtr> findDirectory(const std::string& path) const;
    Result<Place> findPlace(const std::string& path) const; // the name need not be there
    SimulatedNodePtr at(const Place& place) const;          // null: nothing

    SimulatedNodePtr newNode(bool isDirectory, std::uint32_t mode);
    // One change that happens as a whole: these places get these nodes (null: nothing).
    void setEntries(std::vector<std::pair<Place, SimulatedNodePtr>> entries);

    void append(const SimulatedNodePtr& node, Bytes bytes);
    void resize(const SimulatedNodePtr& node, std::uint64_t size);
    void punch(const SimulatedNodePtr& node, std::uint64_t offset, std::uint64_t length);
    void setMode(const SimulatedNodePtr& node, std::uint32_t mode);
    // How many bytes of an append to a file fit when `freeBytes` are free.
    static std::uint64_t appendable(const SimulatedNode& node, std::uint64_t freeBytes);
    // After a change of reserved or openFiles.
    void recharge(SimulatedNode& node);
    std::uint64_t usedBytes() const { return m_used; }

    void syncFile(const SimulatedNodePtr& node);
    void failSyncOfFile(const SimulatedNodePtr& node);
    void syncDirectory(const SimulatedNodePtr& node);
    void crash(SimulatedChance& chance);

    // Changes both states at once, after making the file's content durable.
    void damage(const SimulatedNodePtr& node, const std::function<void(SimulatedBytes&)>& change);
    void swapNow(const Place& first, const Place& second);

  private:
    using EntryChange = std::vector<std::pair<Place, SimulatedNodePtr>>;

    void noteChange(const SimulatedNodePtr& node, SimulatedNode::Change change);
    void setVisible(const Place& place, const SimulatedNodePtr& node);
    void forgetEntries(SimulatedNode& directory);
    static void applyDurably(const EntryChange& change);
    void crashFile(SimulatedNode& node, SimulatedChance& chance);
    void crashEntries(SimulatedChance& chance);

    SimulatedNodePtr m_root;
    std::uint64_t m_lastId = 0;
    std::uint64_t m_used = 0;
    std::map<std::uint64_t, SimulatedNodePtr>
        m_changedFiles;                        // by id, so that chance meets them in a fixed order
    std::vector<EntryChange> m_changedEntries; // in order
};

} // namespace arbor
