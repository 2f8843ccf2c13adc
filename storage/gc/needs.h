// Who needs what: the rule by which a version stays.
//
// X is anything that has versions: a block of a file, its size, its attributes, a name in a directory. Its
// events on a timeline are its versions and what hides them (a truncation, the end of a file, the removal of
// a name). A reader at position q of timeline T sees T's newest event at or before q; if there is none, what
// the parent shows at T's fork point.
//  1. An event of T at p, followed by one at p2, is needed by a pin [from, to] of T if p <= to and from < p2.
//  2. A pin that begins before T's first event of X (or T has none) needs X of the parent at T's fork point.
//     So a parent does not keep what all its children have overwritten before anything that is still needed.
//  3. A version stays if somebody needs it. What hides stays if somebody needs it and an older version of X
//     that it hides stays, on T or an ancestor: otherwise there is nothing to hide.
//
// For each event it is known by whom it is needed as far as accounts ask: by nobody, by one (which), or by
// many, and by which kinds of pins. That is a join of a semilattice, so that needs are added up along the
// tree in any order and in constant space.
#pragma once

#include "storage/base/status.h"
#include "storage/gc/gc_input.h"

#include <span>
#include <unordered_map>
#include <vector>

namespace arbor {

class Need {
  public:
    static constexpr std::uint32_t none = 0;
    static constexpr std::uint32_t many = UINT32_MAX;

    constexpr Need() = default;
    // Numbers from 1 on; head is none for pins that are not the head of a live branch.
    constexpr Need(std::uint32_t pin, std::uint32_t owner, std::uint32_t head, PinKind kind = PinKind::Reader)
        : m_pin(pin), m_owner(owner), m_head(head), m_kinds(bit(kind)) {}
    // By somebody who is not in the accounts.
    static constexpr Need byOthers() { return {many, many, none}; }

    constexpr bool empty() const { return m_pin == none; }
    constexpr std::uint32_t pin() const { return m_pin; }
    constexpr std::uint32_t owner() const { return m_owner; }
    constexpr std::uint32_t head() const { return m_head; }
    constexpr bool by(PinKind kind) const { return (m_kinds & bit(kind)) != 0; }
    constexpr void join(const Need& other) {
        joinOne(m_pin, other.m_pin);
        joinOne(m_owner, other.m_owner);
        joinOne(m_head, other.m_head);
        m_kinds |= other.m_kinds;
    }
    constexpr bool operator==(const Need&) const = default;

  private:
    static constexpr std::uint32_t bit(PinKind kind) { return 1u << static_cast<unsigned>(kind); }
    static constexpr void joinOne(std::uint32_t& mine, std::uint32_t other) {
        if (other != none && mine != other)
            mine = mine == none ? other : many;
    }
    std::uint32_t m_pin = none;
    std::uint32_t m_owner = none;
    std::uint32_t m_head = none;
    std::uint32_t m_kinds = 0;
};

// The tree of timelines with their pins, prepared. Immutable, and may be shared by threads.
class NeedModel {
  public:
    // InvalidArgument when the input contradicts itself (a parent that is not listed, a pin on an unknown
    // timeline): then nobody can say what is needed.
    static Result<NeedModel> make(const GcInput& input);

    struct Point {
        Position at;
        Need need;
    };
    struct Range {
        Position from;
        Position to;
        Need need;
    };
    static constexpr std::uint32_t nowhere = UINT32_MAX;
    struct Node {
        TimelineId id;
        std::uint32_t parent = nowhere;
        Position fork;
        std::uint32_t depth = 0; // number of ancestors
        std::vector<std::uint32_t> children;
        std::vector<Point> points;
        std::vector<Range> ranges;
        Need own;     // of all pins
        Need subtree; // and of all descendants' pins
    };
    const std::vector<Node>& nodes() const { return m_nodes; } // by id
    std::uint32_t find(TimelineId id) const;                   // nowhere: unknown
    bool isUnseen(TimelineId id) const { return id >= m_firstUnseen; }
    // Owners in the order of their numbers (from 1); none for a pin without one.
    const std::vector<BranchId>& owners() const { return m_owners; }
    // What the pin at that place of the input needs, for accounts of things beside the index.
    const Need& needOf(std::size_t pin) const { return m_pinNeeds[pin]; }

  private:
    Status addTimelines(const GcInput& input);
    Status addPins(const GcInput& input);
    void addPin(const GcPin& pin, std::uint32_t node, const Need& need);

    std::vector<Node> m_nodes;
    std::unordered_map<TimelineId, std::uint32_t> m_byId;
    TimelineId m_firstUnseen;
    std::vector<BranchId> m_owners;
    std::vector<Need> m_pinNeeds; // as the input's
};

// Applies the rule to many X that the same timelines have touched (the blocks of a chunk, the names of a
// directory). Cost of one X: its events, plus the number of touching timelines; the others, however many, are
// added up once. One thread.
class NeedGroup {
  public:
    explicit NeedGroup(const NeedModel& model);

    // The timelines that have events here, greatest id first. They become lanes 0, 1 ...
    void begin(const std::vector<TimelineId>& touching);

    struct Event {
        std::uint32_t lane = 0;
        bool hides = false;
        Position position;
        Need need;          // out
        bool stays = false; // out
    };
    // The events of one X, by lane and then ascending by position. What hides stands behind a version of the
    // same position.
    void evaluate(std::span<Event> events);

  private:
    struct Lane {
        bool isUnseen = false;
        std::uint32_t ancestor = NeedModel::nowhere; // the nearest lane above
        Position entry;                              // where its descendants through here see that lane
        // pins, and children that are not lanes, by position; level k joins 2^k points from each on
        std::vector<Position> positions;
        std::vector<std::vector<Need>> joins;
        std::vector<NeedModel::Range> ranges;
        Position lowestFrom = maxPosition;
        Position highestTo;
        Need total;
        std::vector<NeedModel::Point> passed; // what lanes below pass to this one, of the present X

        void addPoints(std::vector<NeedModel::Point> points);
        Need between(Position low, Position high) const; // both inclusive
    };
    void addLane(TimelineId id);
    void joinQuietSubtrees();
    void setAncestors();
    Need evaluateLane(const Lane& lane, std::span<Event> events) const;
    bool hidesSomething(std::span<const Event> events, const Event& hiding) const;

    const NeedModel& m_model;
    std::vector<TimelineId> m_touching;
    std::vector<std::uint32_t> m_laneNodes; // of each lane, or nowhere
    std::vector<Lane> m_lanes;              //
    std::vector<std::uint32_t> m_laneOf;    // of each node, or nowhere
    std::vector<std::uint32_t> m_above;     // nodes with a lane below, and no lane themselves
    std::vector<std::uint32_t> m_quietOf;   // of each node: its place in m_above, or nowhere
    std::vector<Need> m_quiet;              // what such a node passes of itself and of quiet children
};

} // namespace arbor
