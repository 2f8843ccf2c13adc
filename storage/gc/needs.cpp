#include "storage/gc/needs.h"

#include <algorithm>
#include <bit>

namespace arbor {

Result<NeedModel> NeedModel::make(const GcInput& input) {
    NeedModel model;
    model.m_firstUnseen = input.firstUnseen;
    ARBOR_TRY(model.addTimelines(input));
    ARBOR_TRY(model.addPins(input));
    // children have greater ids, so they come after their parents
    for (auto node = model.m_nodes.rbegin(); node != model.m_nodes.rend(); ++node) {
        node->subtree.join(node->own);
        if (node->parent != nowhere)
            model.m_nodes[node->parent].subtree.join(node->subtree);
    }
    return model;
}

Status NeedModel::addTimelines(const GcInput& input) {
    m_nodes.reserve(input.timelines.size());
    std::vector<const GcTimeline*> timelines;
    for (const GcTimeline& timeline : input.timelines)
        timelines.push_back(&timeline);
    std::sort(timelines.begin(), timelines.end(),
              [](const GcTimeline* a, const GcTimeline* b) { return a->id < b->id; });
    for (const GcTimeline* timeline : timelines) {
        const auto number = static_cast<std::uint32_t>(m_nodes.size());
        Node node;
        node.id = timeline->id;
        if (timeline->parent) {
            node.parent = find(timeline->parent);
            if (node.parent == nowhere)
                return makeError(ErrorKind::InvalidArgument,
                                 "timeline {} has the parent {}, which is not in the catalog before it",
                                 timeline->id, timeline->parent);
            node.fork = timeline->fork;
            node.depth = m_nodes[node.parent].depth + 1;
            m_nodes[node.parent].children.push_back(number);
        }
        if (!m_byId.emplace(timeline->id, number).second)
            return makeError(ErrorKind::InvalidArgument, "timeline {} is listed twice", timeline->id);
        m_nodes.push_back(std::move(node));
    }
    return {};
}

Status NeedModel::addPins(const GcInput& input) {
    std::unordered_map<BranchId, std::uint32_t> owners;
    for (std::size_t i = 0; i < input.pins.size(); ++i) {
        const GcPin& pin = input.pins[i];
        const std::uint32_t node = find(pin.timeline);
        if (node == nowhere)
            return makeError(ErrorKind::InvalidArgument,
                             "the {} pin {} is on timeline {}, which is not in the catalog",
                             pinKindName(pin.kind), pin.name, pin.timeline);
        if (pin.from > pin.to)
            return makeError(ErrorKind::InvalidArgument, "the {} pin {} ends before it begins",
                             pinKindName(pin.kind), pin.name);
        const auto next = static_cast<std::uint32_t>(m_owners.size() + 1);
        const std::uint32_t owner = pin.owner ? owners.try_emplace(pin.owner, next).first->second : next;
        if (owner == next)
            m_owners.push_back(pin.owner);
        const auto number = static_cast<std::uint32_t>(i + 1);
        const PinKind kind = pin.owner == GcPin::trash ? PinKind::Trash : pin.kind;
        m_pinNeeds.push_back(Need(number, owner, pin.kind == PinKind::Head ? number : Need::none, kind));
        addPin(pin, node, m_pinNeeds.back());
    }
    return {};
}

// The part behind each fork point belongs to that timeline, the rest to those above.
void NeedModel::addPin(const GcPin& pin, std::uint32_t number, const Need& need) {
    Position to = pin.to;
    for (;;) {
        Node& node = m_nodes[number];
        const bool reachesParent = node.parent != nowhere && pin.from <= node.fork;
        if (!reachesParent || to > node.fork) {
            const Position from = reachesParent ? Position{node.fork.value + 1} : pin.from;
            if (from == to)
                node.points.push_back({from, need});
            else
                node.ranges.push_back({from, to, need});
            node.own.join(need);
        }
        if (!reachesParent)
            return;
        to = std::min(to, node.fork);
        number = node.parent;
    }
}

std::uint32_t NeedModel::find(TimelineId id) const {
    const auto found = m_byId.find(id);
    return found == m_byId.end() ? nowhere : found->second;
}

NeedGroup::NeedGroup(const NeedModel& model)
    : m_model(model), m_laneOf(model.nodes().size(), NeedModel::nowhere),
      m_quietOf(model.nodes().size(), NeedModel::nowhere) {}

void NeedGroup::begin(const std::vector<TimelineId>& touching) {
    if (touching == m_touching && !m_lanes.empty())
        return; // most chunks of a store have been touched by the same few timelines
    for (const std::uint32_t node : m_laneNodes)
        if (node != NeedModel::nowhere)
            m_laneOf[node] = NeedModel::nowhere;
    for (const std::uint32_t node : m_above)
        m_quietOf[node] = NeedModel::nowhere;
    m_touching = touching;
    m_laneNodes.clear();
    m_lanes.clear();
    for (const TimelineId id : touching)
        addLane(id);
    setAncestors();
    joinQuietSubtrees();
}

void NeedGroup::addLane(TimelineId id) {
    const std::uint32_t node = m_model.find(id);
    if (node != NeedModel::nowhere)
        m_laneOf[node] = static_cast<std::uint32_t>(m_lanes.size());
    m_laneNodes.push_back(node);
    Lane lane;
    lane.isUnseen = node == NeedModel::nowhere && m_model.isUnseen(id);
    m_lanes.push_back(std::move(lane));
}

// Also marks the nodes between lanes.
void NeedGroup::setAncestors() {
    const auto& nodes = m_model.nodes();
    m_above.clear();
    for (std::size_t i = 0; i < m_lanes.size(); ++i) {
        std::uint32_t at = m_laneNodes[i];
        if (at == NeedModel::nowhere)
            continue;
        while (nodes[at].parent != NeedModel::nowhere) {
            m_lanes[i].entry = nodes[at].fork;
            at = nodes[at].parent;
            if (m_laneOf[at] != NeedModel::nowhere) {
                m_lanes[i].ancestor = m_laneOf[at];
                break;
            }
            if (m_quietOf[at] == NeedModel::nowhere) {
                m_quietOf[at] = 0;
                m_above.push_back(at);
            }
        }
    }
    std::sort(m_above.begin(), m_above.end(), std::greater<>()); // children first
    for (std::size_t i = 0; i < m_above.size(); ++i)
        m_quietOf[m_above[i]] = static_cast<std::uint32_t>(i);
}

// Nodes without a lane pass whatever they need. Those with no lane below are added up in the model already.
void NeedGroup::joinQuietSubtrees() {
    const auto& nodes = m_model.nodes();
    const auto passedBy = [&](std::uint32_t child) -> const Need& {
        const std::uint32_t quiet = m_quietOf[child];
        return quiet == NeedModel::nowhere ? nodes[child].subtree : m_quiet[quiet];
    };
    m_quiet.assign(m_above.size(), {});
    for (std::size_t i = 0; i < m_above.size(); ++i) {
        Need need = nodes[m_above[i]].own;
        for (const std::uint32_t child : nodes[m_above[i]].children)
            if (m_laneOf[child] == NeedModel::nowhere)
                need.join(passedBy(child));
        m_quiet[i] = need;
    }
    for (std::size_t i = 0; i < m_lanes.size(); ++i) {
        if (m_laneNodes[i] == NeedModel::nowhere)
            continue;
        const NeedModel::Node& node = nodes[m_laneNodes[i]];
        std::vector<NeedModel::Point> points = node.points;
        for (const std::uint32_t child : node.children)
            if (m_laneOf[child] == NeedModel::nowhere && !passedBy(child).empty())
                points.push_back({nodes[child].fork, passedBy(child)});
        m_lanes[i].ranges = node.ranges;
        m_lanes[i].addPoints(std::move(points));
    }
}

void NeedGroup::Lane::addPoints(std::vector<NeedModel::Point> points) {
    std::sort(points.begin(), points.end(),
              [](const NeedModel::Point& a, const NeedModel::Point& b) { return a.at < b.at; });
    joins.emplace_back();
    for (const NeedModel::Point& point : points) {
        positions.push_back(point.at);
        joins.front().push_back(point.need);
        total.join(point.need);
    }
    for (std::size_t span = 1; 2 * span <= positions.size(); span *= 2) {
        const std::vector<Need>& halves = joins.back();
        std::vector<Need> whole(positions.size() - 2 * span + 1);
        for (std::size_t i = 0; i < whole.size(); ++i) {
            whole[i] = halves[i];
            whole[i].join(halves[i + span]);
        }
        joins.push_back(std::move(whole));
    }
    for (const NeedModel::Range& range : ranges) {
        total.join(range.need);
        lowestFrom = std::min(lowestFrom, range.from);
        highestTo = std::max(highestTo, range.to);
    }
}

Need NeedGroup::Lane::between(Position low, Position high) const {
    Need need;
    if (low > high)
        return need;
    const auto first = std::lower_bound(positions.begin(), positions.end(), low);
    const auto last = std::upper_bound(first, positions.end(), high);
    if (first != last) {
        // two overlapping powers of two cover the stretch: joining twice is joining once
        const auto begin = static_cast<std::size_t>(first - positions.begin());
        const auto count = static_cast<std::size_t>(last - first);
        const auto level = static_cast<std::size_t>(std::bit_width(count) - 1);
        need.join(joins[level][begin]);
        need.join(joins[level][begin + count - (std::size_t{1} << level)]);
    }
    if (high >= lowestFrom && low <= highestTo)
        for (const NeedModel::Range& range : ranges) {
            if (range.from <= high && range.to >= low)
                need.join(range.need);
            if (need.pin() == Need::many && need.owner() == Need::many)
                break; // ranges are nobody's head: nothing more to learn
        }
    return need;
}

// What the lane passes on to the one above.
Need NeedGroup::evaluateLane(const Lane& lane, std::span<Event> events) const {
    Need pass;
    if (lane.isUnseen) {
        for (Event& event : events)
            event.need = Need::byOthers();
        return pass;
    }
    const auto needBetween = [&](Position low, Position high) {
        Need need = lane.between(low, high);
        for (const NeedModel::Point& point : lane.passed)
            if (point.at >= low && point.at <= high)
                need.join(point.need);
        return need;
    };
    for (std::size_t i = 0; i < events.size(); ++i) {
        const Position next =
            i + 1 < events.size() ? Position{events[i + 1].position.value - 1} : maxPosition;
        events[i].need = needBetween(events[i].position, next);
    }
    if (lane.ancestor == NeedModel::nowhere)
        return pass;
    if (!events.empty())
        return events.front().position ? needBetween({}, {events.front().position.value - 1}) : pass;
    pass = lane.total;
    for (const NeedModel::Point& point : lane.passed)
        pass.join(point.need);
    return pass;
}

void NeedGroup::evaluate(std::span<Event> events) {
    bool anyHides = false;
    std::size_t at = 0;
    for (std::size_t i = 0; i < m_lanes.size(); ++i) {
        Lane& lane = m_lanes[i];
        const std::size_t begin = at;
        while (at < events.size() && events[at].lane == i) {
            anyHides = anyHides || events[at].hides;
            ++at;
        }
        if (begin < events.size()) { // lanes above the last event have nothing left to say
            const Need pass = evaluateLane(lane, events.subspan(begin, at - begin));
            if (!pass.empty())
                m_lanes[lane.ancestor].passed.push_back({lane.entry, pass});
        }
        lane.passed.clear();
    }
    for (Event& event : events)
        event.stays = !event.hides && !event.need.empty();
    if (anyHides)
        for (Event& event : events)
            if (event.hides && !event.need.empty())
                event.stays = m_lanes[event.lane].isUnseen || hidesSomething(events, event);
}

bool NeedGroup::hidesSomething(std::span<const Event> events, const Event& hiding) const {
    std::uint32_t lane = hiding.lane;
    Position upTo = hiding.position;
    for (;;) {
        for (const Event& event : events)
            if (event.lane == lane && event.stays && !event.hides && event.position <= upTo)
                return true;
        upTo = m_lanes[lane].entry;
        lane = m_lanes[lane].ancestor;
        if (lane == NeedModel::nowhere)
            return false;
    }
}

} // namespace arbor
