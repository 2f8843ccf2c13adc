#include "storage/format/lineage.h"

#include "storage/format/keys.h"

#include <algorithm>
#include <cassert>

namespace arbor {

Lineage::Lineage(std::vector<Member> members) : m_members(std::move(members)) {
    assert(!m_members.empty());
    assert(std::is_sorted(m_members.begin(), m_members.end(),
                          [](const Member& a, const Member& b) { return a.timeline > b.timeline; }));
}

const Lineage::Member* Lineage::atOrBelow(TimelineId timeline) const {
    const auto found =
        std::lower_bound(m_members.begin(), m_members.end(), timeline,
                         [](const Member& member, TimelineId id) { return member.timeline > id; });
    return found == m_members.end() ? nullptr : &*found;
}

LineageCursor::LineageCursor(const Index& index, const Lineage& lineage, std::string prefix, bool positions)
    : m_lineage(lineage), m_prefix(std::move(prefix)), m_positions(positions), m_iterator(index.iterate()) {
    enter(m_lineage.members().front());
    settle();
}

void LineageCursor::enter(const Lineage::Member& member) {
    m_member = &member;
    m_iterator->seek(m_positions ? versionKey(m_prefix, member.timeline, member.upTo)
                                 : timelinePrefix(m_prefix, member.timeline));
}

void LineageCursor::settle() {
    while (m_member != nullptr) {
        std::string_view rest = m_iterator->valid() ? m_iterator->key() : std::string_view();
        std::optional<std::uint64_t> timeline;
        if (rest.starts_with(m_prefix)) {
            rest.remove_prefix(m_prefix.size());
            timeline = takeDescending(rest);
        }
        if (!timeline) { // no more keys of this prefix
            m_member = nullptr;
            return;
        }
        if (*timeline == m_member->timeline.value) {
            m_restAt = m_iterator->key().size() - rest.size();
            return;
        }
        const Lineage::Member* next = m_lineage.atOrBelow({*timeline});
        if (next == nullptr) {
            m_member = nullptr;
            return;
        }
        enter(*next);
    }
}

void LineageCursor::next() {
    m_iterator->next();
    settle();
}

void LineageCursor::nextMember() {
    const Lineage::Member* last = &m_lineage.members().back();
    if (m_member == last) {
        m_member = nullptr;
        return;
    }
    enter(*(m_member + 1));
    settle();
}

Status LineageCursor::status() const {
    return m_iterator->status();
}

} // namespace arbor
