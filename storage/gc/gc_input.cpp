#include "storage/gc/gc_input.h"

#include <algorithm>
#include <map>

namespace arbor {

namespace {

BranchId ownerOf(const Catalog& catalog, const Pin& pin) {
    if (pin.kind == PinKind::Trash)
        return GcPin::trash; // whatever becomes of a branch of that name
    if (pin.kind == PinKind::Reader)
        return {};
    if (pin.kind == PinKind::Child)
        return pin.owner ? pin.owner : GcPin::trash;
    const BranchRecord* branch = catalog.findBranch(pin.branch);
    return branch ? branch->id : BranchId();
}

void addTimelines(const Catalog& catalog, GcInput& input) {
    const auto add = [&](TimelineId id) {
        if (const TimelineRecord* record = catalog.findTimeline(id))
            input.timelines.push_back({id, record->parent, record->fork.position});
    };
    for (const TimelineId id : catalog.timelinesInUse())
        add(id);
    for (const TimelineId id : catalog.unreachableTimelines())
        add(id);
}

} // namespace

GcInput makeGcInput(const Catalog& catalog, const std::vector<Pin>& pins, Position now,
                    std::span<const TimelineId> beingMade) {
    GcInput input;
    addTimelines(catalog, input);
    input.firstUnseen = catalog.nextTimeline();
    for (const TimelineId id : beingMade)
        if (catalog.findTimeline(id) == nullptr) {
            input.timelines.push_back({id, {}, {}});
            input.pins.push_back({PinKind::Reader, "being made", {}, {}, id, {}, maxPosition});
        }
    std::map<BranchId, Position> windows; // of live branches
    for (const BranchRecord* branch : catalog.branches())
        windows[branch->id] = now;
    for (const Pin& pin : pins) {
        const BranchId owner = ownerOf(catalog, pin);
        if (pin.kind == PinKind::Window && owner) {
            windows[owner] = std::min(windows[owner], pin.from);
            continue;
        }
        // What comes back from the trash during a sweep may be written to and forked like any other.
        const Position from = pin.kind == PinKind::Trash ? std::min(pin.from, now) : pin.from;
        input.pins.push_back({pin.kind, pin.name, pin.branch, owner, pin.timeline, from, pin.at.position,
                              pin.at.lsn, pin.at.lsn});
    }
    for (const BranchRecord* branch : catalog.branches()) {
        GcPin window = GcPin::window(branch->name, branch->id, branch->timeline, windows[branch->id]);
        window.toLsn = Lsn{UINT64_MAX};
        input.pins.push_back(std::move(window));
    }
    return input;
}

} // namespace arbor
