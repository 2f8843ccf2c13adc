// Walks the index group by group and says of every entry whether it stays: the one place where planning and
// sweeping meet, so that what is planned is what is swept.
//
// A group is what must be looked at together: one chunk of a file on all timelines, one file's sizes,
// attributes and truncations, one directory's names, one timeline's position map. Memory follows the greatest
// group. Directories come first, so that a sweep which is cut off leaves no name of an inode whose attributes
// are gone. Then inode by inode: first the inode's chunks, then the inode itself (which of its truncations
// still hide something is known only then). Then position maps.
//
// What cannot be read is a doubt: it is reported, and everything in its group stays.
#pragma once

#include "storage/disk/index.h"
#include "storage/format/runs.h"
#include "storage/gc/needs.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace arbor {

struct PageGroup {
    struct Version {
        PageVersion page;
        Need need;
        bool stays = false;
    };
    struct Run { // of one timeline ascending, timelines descending
        TimelineId timeline;
        Position first;
        std::size_t begin = 0; // in `versions`
        std::size_t end = 0;
    };
    InodeId inode;
    std::uint32_t chunk = 0;
    std::vector<Run> runs;
    std::vector<Version> versions;
    bool inDoubt = false; // all stays; a run that cannot be read is not among `runs`
};

struct InodeGroup {
    struct Entry {
        TimelineId timeline;
        Position position;
        std::uint64_t number = 0; // attributes: links; cut: first block that is gone; size
        bool stays = false;
    };
    struct SizeRun {
        TimelineId timeline;
        Position first;
        std::size_t begin = 0; // in `sizes`
        std::size_t end = 0;
    };
    InodeId inode;
    std::vector<Entry> attributes; // of one timeline ascending, timelines descending; so are the others
    std::vector<Entry> cuts;
    std::vector<SizeRun> sizeRuns;
    std::vector<Entry> sizes;
    bool inDoubt = false;
};

struct DirectoryGroup {
    struct Entry {
        TimelineId timeline;
        std::string name;
        Position position;
        bool removes = false;
        bool stays = false;
    };
    InodeId directory;
    std::vector<Entry> entries;
    bool inDoubt = false;
};

struct PositionMapGroup {
    struct Entry {
        Position first;
        bool stays = false;
    };
    TimelineId timeline;
    std::vector<Entry> entries; // ascending
};

// Whoever collects doubts keeps so many: more of the same would help nobody.
constexpr std::size_t maxDoubts = 100;

class GroupVisitor {
  public:
    virtual ~GroupVisitor() = default;
    virtual void pages(const PageGroup& group) = 0;
    virtual void inode(const InodeGroup& group) = 0;
    virtual void directory(const DirectoryGroup& group) = 0;
    virtual void positionMap(const PositionMapGroup& group) = 0;
    // A sentence. Images that the index refers to may be unknown: no segment can be judged.
    virtual void doubt(std::string what) = 0;
};

// The entries under one tag, one after the other.
class TagCursor {
  public:
    struct Key {
        InodeId inode; // or the timeline of a position map
        std::uint32_t chunk = 0;
        TimelineId timeline;
        Position position;
        std::string name;
    };
    TagCursor(const Index& index, char tagByte);
    void seek(std::string_view key);
    void next();
    bool valid() const { return m_valid; }
    const Key& key() const { return m_key; } // while valid
    std::string_view value() const { return m_iterator->value(); }
    Status status() const { return m_iterator->status(); }
    // Keys that were stepped over because they are none; counted since the making.
    std::uint64_t damagedKeys() const { return m_damagedKeys; }

  private:
    void settle();
    bool parse();

    std::unique_ptr<IndexIterator> m_iterator;
    const char m_tag;
    bool m_valid = false;
    Key m_key;
    std::uint64_t m_damagedKeys = 0;
};

// Reads the runs of the chunk that a cursor over page runs stands on, and moves it behind them.
PageGroup readPageGroup(TagCursor& cursor, std::vector<std::string>& doubts);

// One thread. The index, the model and the visitor must outlive it.
class GroupWalk {
  public:
    GroupWalk(const Index& index, const NeedModel& model, GroupVisitor& visitor);
    ~GroupWalk();

    // Looks at one group. false: there is none left. An error of the index ends the walk.
    Result<bool> step();
    // Lets go of the index until the next step, which sees it as it is then. What was read stays true: only
    // a sweep changes entries, and what is added is newer.
    void release();

  private:
    struct Cursors;
    enum class Family { Directories, Inodes, PositionMaps, Done };

    void open();
    Status checkStatus();
    Result<bool> stepInodes();
    Result<bool> stepDirectories();
    Result<bool> stepPositionMaps();
    void beginInode(InodeId inode);
    void readEntries(TagCursor& cursor, std::vector<InodeGroup::Entry>& entries, char tagByte);
    void readSizes(TagCursor& cursor);
    void finishInode();
    void judgePages(PageGroup& group);
    void judgeBlock(PageGroup& group, std::span<const std::uint32_t> versions, BlockNumber block);
    void judgeAttributes();
    void judgeSizes();
    void judgeDirectory(DirectoryGroup& group);
    void doubt(std::string what) { m_visitor.doubt(std::move(what)); }

    const Index& m_index;
    GroupVisitor& m_visitor;
    NeedGroup m_needs;
    std::unique_ptr<Cursors> m_cursors;
    Family m_family = Family::Directories;
    InodeId m_next{1}; // inodes, directories and timelines below are done
    bool m_inInode = false;
    std::uint32_t m_nextChunk = 0;
    std::uint64_t m_damagedKeys = 0; // told about
    InodeGroup m_inode;
    // while a chunk is judged
    std::vector<std::uint32_t> m_laneOfRun;
    std::vector<std::vector<std::size_t>> m_cutsOfLane; // in m_inode.cuts
    std::vector<NeedGroup::Event> m_events;
    struct Source {
        std::size_t index = 0;
        bool isCut = false;
    };
    std::vector<Source> m_sources; // of each event
    std::vector<std::uint32_t> m_order;
    std::vector<std::uint32_t> m_lanes; // of each version
};

} // namespace arbor
