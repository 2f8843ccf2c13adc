// A lineage: what a timeline at a position can see. The timeline itself up to that position, its parent up to
// the fork point, and so on to the root.
#pragma once

#include "storage/base/ids.h"
#include "storage/base/status.h"
#include "storage/disk/index.h"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace arbor {

class Lineage {
  public:
    struct Member {
        TimelineId timeline;
        Position upTo; // the greatest position of this timeline that is seen
    };

    Lineage() = default;
    // From the timeline itself to the root. Ids descend strictly: a child is always made after its parent.
    explicit Lineage(std::vector<Member> members);

    const std::vector<Member>& members() const { return m_members; }
    TimelineId self() const { return m_members.front().timeline; }
    // The member with the greatest id that is not above `timeline`; nothing when there is none.
    const Member* atOrBelow(TimelineId timeline) const;

  private:
    std::vector<Member> m_members;
};

// Walks what a lineage sees under one prefix of the index, whose keys go on with ~timeline ~position. Members
// come in the order of the lineage; within a member the keys come newest first, from the first one at or
// before its bound. Timelines that are not of the lineage are leapt over, so that the cost follows the number
// of members that have entries here and not the length of the lineage.
class LineageCursor {
  public:
    // `positions`: keys continue with ~position right behind ~timeline, so that a member is entered at its
    // bound. Without it (names) every key of a member is seen.
    LineageCursor(const Index& index, const Lineage& lineage, std::string prefix, bool positions = true);

    bool valid() const { return m_member != nullptr; }
    const Lineage::Member& member() const { return *m_member; }
    std::string_view key() const { return m_iterator->key(); }
    // The key behind ~timeline.
    std::string_view rest() const { return key().substr(m_restAt); }
    std::string_view value() const { return m_iterator->value(); }
    void next();
    void nextMember(); // skips what is left of this member
    Status status() const;

  private:
    void settle(); // moves on until the iterator stands on an entry that the lineage sees
    void enter(const Lineage::Member& member);

    const Lineage& m_lineage;
    std::string m_prefix;
    bool m_positions;
    std::unique_ptr<IndexIterator> m_iterator;
    const Lineage::Member* m_member = nullptr;
    std::size_t m_restAt = 0;
};

} // namespace arbor
