#include "storage/timelines/pins.h"

#include <algorithm>
#include <array>

namespace arbor {

namespace {

constexpr std::array<std::string_view, 6> kindNames{"head",   "child", "checkpoint",
                                                    "window", "trash", "reader"};

Pin pointPin(PinKind kind, TimelineId timeline, const ForkPoint& at, std::string name, std::string branch) {
    return {kind, timeline, at.position, at, std::move(name), std::move(branch), {}};
}

void addWindow(const Catalog& catalog, const BranchRecord& branch, Position start, std::vector<Pin>& pins) {
    for (const LineageStep& step : catalog.lineage(branch.timeline)) {
        const TimelineRecord* line = catalog.findTimeline(step.timeline);
        if (start <= step.upTo.position)
            pins.push_back({PinKind::Window, step.timeline, start, step.upTo, branch.name, branch.name});
        // A start at the fork itself still reads the parent there, which is what the child pin holds
        if (start > line->fork.position)
            return;
    }
}

void addBranchPoint(const Catalog& catalog, const BranchRecord& child, BranchId owner,
                    std::vector<Pin>& pins) {
    const auto point = catalog.branchPoint(child.timeline);
    if (!point)
        return;
    const BranchRecord* parent = catalog.branchOn(point->timeline);
    pins.push_back(pointPin(PinKind::Child, point->timeline, point->at, child.name,
                            parent ? parent->name : std::string{}));
    pins.back().owner = owner;
}

void addCheckpoint(const Catalog& catalog, const CheckpointRecord& checkpoint, std::vector<Pin>& pins) {
    const BranchRecord* branch = catalog.findBranch(checkpoint.branch);
    pins.push_back(pointPin(PinKind::Checkpoint, checkpoint.point.timeline, checkpoint.point.at,
                            checkpoint.name, branch ? branch->name : std::string{}));
}

} // namespace

std::string_view pinKindName(PinKind kind) {
    return kindNames[static_cast<std::size_t>(kind)];
}

std::vector<Pin> staticPins(const Catalog& catalog, const WindowStart& windowStart) {
    std::vector<Pin> pins;
    for (const BranchRecord* branch : catalog.branches()) {
        pins.push_back(pointPin(PinKind::Head, branch->timeline, headPoint, branch->name, branch->name));
        if (const auto start = windowStart ? windowStart(*branch) : std::nullopt)
            addWindow(catalog, *branch, *start, pins);
        addBranchPoint(catalog, *branch, branch->id, pins);
    }
    for (const TrashRecord* entry : catalog.trash()) {
        pins.push_back(pointPin(PinKind::Trash, entry->branch.timeline, headPoint, entry->branch.name,
                                entry->branch.name));
        addBranchPoint(catalog, entry->branch, {}, pins);
    }
    for (const CheckpointRecord* checkpoint : catalog.allCheckpoints())
        addCheckpoint(catalog, *checkpoint, pins);
    std::stable_sort(pins.begin(), pins.end(), [](const Pin& a, const Pin& b) {
        return std::tie(a.timeline, a.at, a.from) < std::tie(b.timeline, b.at, b.from);
    });
    return pins;
}

ReaderPins::Handle& ReaderPins::Handle::operator=(Handle&& other) noexcept {
    if (this != &other) {
        release();
        m_pins = std::exchange(other.m_pins, nullptr);
        m_pin = other.m_pin;
    }
    return *this;
}

void ReaderPins::Handle::release() {
    if (!m_pins)
        return;
    MutexLock lock(m_pins->m_mutex);
    m_pins->m_pins.erase(m_pin);
    m_pins = nullptr;
}

ReaderPins::Handle ReaderPins::add(const TimelinePoint& point, std::string name) {
    Handle handle;
    MutexLock lock(m_mutex);
    m_pins.push_front(pointPin(PinKind::Reader, point.timeline, point.at, std::move(name), {}));
    handle.m_pins = this;
    handle.m_pin = m_pins.begin();
    return handle;
}

std::vector<Pin> ReaderPins::list() const {
    MutexLock lock(m_mutex);
    return {m_pins.rbegin(), m_pins.rend()};
}

bool ReaderPins::isRead(TimelineId timeline) const {
    MutexLock lock(m_mutex);
    return std::any_of(m_pins.begin(), m_pins.end(),
                       [&](const Pin& pin) { return pin.timeline == timeline; });
}

} // namespace arbor
