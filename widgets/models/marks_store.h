// The marks of all branches, a million of them and more: where each branch's bar begins and ends, what
// happened on it, and how fast its log grew. Belongs to the window's thread.
#pragma once

#include "storage/base/lsn.h"
#include "storage/base/time.h"
#include "widgets/models/lsn_time_map.h"

#include <QHash>
#include <QObject>
#include <QString>

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

namespace arbor {

enum class MarkKind : std::uint8_t {
    Fork,
    Checkpoint,
    RestorePoint,
    Commit,
    Drop,
    PostgresCheckpoint,
    Start,
    Stop,
};
inline constexpr std::size_t markKinds = 8;
using MarkKindSet = std::uint32_t;
constexpr MarkKindSet markBit(MarkKind kind) {
    return MarkKindSet{1} << static_cast<unsigned>(kind);
}
inline constexpr MarkKindSet allMarks = (MarkKindSet{1} << markKinds) - 1;
// What the cursor snaps to.
inline constexpr MarkKindSet snapMarks = markBit(MarkKind::Checkpoint) | markBit(MarkKind::Commit) |
                                         markBit(MarkKind::Drop) | markBit(MarkKind::RestorePoint) |
                                         markBit(MarkKind::Fork);
// The protocol's word ("restore-point"); nothing for an unknown one.
std::optional<MarkKind> markKindFromWord(const QString& word);
// For people: "Restore point".
QString markKindText(MarkKind kind);

struct Mark {
    MarkKind kind = MarkKind::Commit;
    Lsn lsn;
    Timestamp time;
    std::uint32_t xid = 0;
    QString text; // the name of a checkpoint, restore point or fork; "DROP TABLE t" of a drop
    bool operator==(const Mark&) const = default;
};

class MarksStore : public QObject {
    Q_OBJECT
  public:
    explicit MarksStore(QObject* parent = nullptr);

    // In any order, twice is once (same kind, LSN and text). Appending in order is cheapest.
    void add(std::uint64_t branchId, std::span<const Mark> marks);
    // Where the branch's bar begins and ends, and when: points of its map between LSN and time.
    void setSpan(std::uint64_t branchId, Lsn from, Timestamp fromTime, Lsn to, Timestamp toTime);
    // A restore gave the branch another past, or a checkpoint is gone: forget and add again.
    void clear(std::uint64_t branchId);
    void clearKind(std::uint64_t branchId, MarkKind kind);
    void clearAll();

    std::size_t count() const { return m_count; }
    std::size_t count(std::uint64_t branchId) const;
    std::size_t count(std::uint64_t branchId, MarkKind kind) const;
    // Grows with every change of that branch's marks: what was drawn from them is still right while it is the
    // same.
    std::uint64_t generation(std::uint64_t branchId) const;

    // The first mark of the kind with lsn >= from; nothing behind the last. O(log n), allocates nothing.
    struct Entry {
        Lsn lsn;
        Timestamp time; // its own, or what the map says
    };
    std::optional<Entry> firstAtOrAfter(std::uint64_t branchId, MarkKind kind, Lsn from) const;

    // The nearest mark strictly before or behind, of any of the kinds.
    std::optional<Mark> previous(std::uint64_t branchId, Lsn lsn, MarkKindSet kinds = allMarks) const;
    std::optional<Mark> next(std::uint64_t branchId, Lsn lsn, MarkKindSet kinds = allMarks) const;
    // All of the kinds with from <= lsn < to, in order of LSN, at most `limit`.
    std::vector<Mark> between(std::uint64_t branchId, Lsn from, Lsn to, MarkKindSet kinds,
                              std::size_t limit) const;
    // Exactly there; the kind that says most first (a checkpoint before a commit).
    std::optional<Mark> at(std::uint64_t branchId, Lsn lsn, MarkKindSet kinds = allMarks) const;

    // Never null; empty for an unknown branch.
    const LsnTimeMap& timeMap(std::uint64_t branchId) const;

  Q_SIGNALS:
    void changed(std::uint64_t branchId);
    void cleared();

  private:
    struct Packed {
        Lsn lsn;
        Timestamp time;
        std::uint32_t text = 0; // 1 + index into Branch::texts; 0: none
        std::uint32_t xid = 0;
    };
    struct Branch {
        std::array<std::vector<Packed>, markKinds> marks; // each in order of LSN
        std::vector<QString> texts;
        LsnTimeMap map;
        std::uint64_t generation = 0;
    };
    void merge(Branch& branch, std::size_t kind, std::size_t old);
    Mark unpack(const Branch& branch, MarkKind kind, const Packed& packed) const;
    const Branch* find(std::uint64_t branchId) const;

    QHash<std::uint64_t, Branch> m_branches;
    std::size_t m_count = 0;
    std::uint64_t m_generation = 0;
};

} // namespace arbor
