// Pins: what keeps positions readable. The collector keeps, of every page, the newest version at or before
// each pin and every version inside a window, and nothing else.
#pragma once

#include "storage/base/mutex.h"
#include "storage/timelines/catalog.h"

#include <list>
#include <memory>

namespace arbor {

enum class PinKind { Head, Child, Checkpoint, Window, Trash, Reader };
// "head", "child" ...: the words of `gc plan --json`.
std::string_view pinKindName(PinKind kind);

struct Pin {
    PinKind kind = PinKind::Head;
    TimelineId timeline;
    // Of a window: everything in [from, at] stays readable. Of every other kind from == at: one point.
    Position from;
    ForkPoint at;        // headPoint: the timeline's end, wherever that is
    std::string name;    // of the branch, checkpoint, trash entry or reader; of a child: who lives on it
    std::string branch;  // the branch it belongs to; "" for an unnamed ancestor
    BranchId owner = {}; // of a child: the branch, none if it lies in the trash
    bool operator==(const Pin&) const = default;
};

// Where the history window of a live branch begins on its line, or nothing if it has none. The engine knows:
// it is the later one of history-time and history-bytes.
using WindowStart = std::function<std::optional<Position>(const BranchRecord&)>;

// All pins that the catalog makes, by timeline, then by position. A window that reaches back beyond a fork
// goes on along the lineage, a pin for each timeline. Timelines that nothing reaches have no pins, and pin
// nothing.
//
// The trash pins the end of what it keeps, and windows of the live alone are kept: after an undo days later
// the branch stands where it stood, but points between there and its fork may have been collected.
std::vector<Pin> staticPins(const Catalog& catalog, const WindowStart& windowStart);

// Points that are being read or forked right now: what the catalog does not know (yet). Thread-safe. A fork
// holds a pin from before it looks at the horizon until its timeline is in the catalog.
class ReaderPins {
  public:
    class Handle {
      public:
        Handle() = default;
        Handle(Handle&& other) noexcept : m_pins(std::exchange(other.m_pins, nullptr)), m_pin(other.m_pin) {}
        Handle& operator=(Handle&& other) noexcept;
        ~Handle() { release(); }
        void release();

      private:
        friend class ReaderPins;
        ReaderPins* m_pins = nullptr; // outlives every handle
        std::list<Pin>::iterator m_pin;
    };

    // `name` says who reads, for people: "peek at main", "export of dev".
    [[nodiscard]] Handle add(const TimelinePoint& point, std::string name) ARBOR_EXCLUDES(m_mutex);
    std::vector<Pin> list() const ARBOR_EXCLUDES(m_mutex);
    // Somebody reads this timeline, or a point that it owns.
    bool isRead(TimelineId timeline) const ARBOR_EXCLUDES(m_mutex);

  private:
    mutable Mutex m_mutex;
    std::list<Pin> m_pins ARBOR_GUARDED_BY(m_mutex);
};

} // namespace arbor
