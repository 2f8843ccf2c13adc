// What the views know of a branch: one plain struct a row, filled by whoever talks to the engine.
#pragma once

#include "storage/base/lsn.h"
#include "storage/base/time.h"

#include <QMetaType>
#include <QString>
#include <QStringList>

#include <cstdint>
#include <optional>
#include <vector>

namespace arbor {

enum class BranchState { Stopped, Starting, Running, Stopping, Failed };

// Of the branches of a group the state that wants attention most.
inline int pressing(BranchState state) {
    switch (state) {
    case BranchState::Failed:
        return 4;
    case BranchState::Starting:
        return 3;
    case BranchState::Stopping:
        return 2;
    case BranchState::Running:
        return 1;
    case BranchState::Stopped:
        return 0;
    }
    return 0;
}

// Numbers that are not known yet are absent as `unknownBytes` (sizes) or as the zero of their type (LSNs,
// times).
inline constexpr std::uint64_t unknownBytes = UINT64_MAX;

// A read-only look at a point of a branch, that somebody has open.
struct PeekRow {
    Lsn lsn;
    Timestamp openedAt;
    bool operator==(const PeekRow&) const = default;
};

struct BranchRow {
    std::uint64_t id = 0; // never 0, never used twice; a rename keeps it
    QString name;
    std::uint64_t parentId = 0; // 0: a root, or a child whose parent is gone (then forkLsn is set)
    BranchState state = BranchState::Stopped;
    bool root = false;
    bool isProtected = false;

    Lsn forkLsn; // a root: where its history began
    Timestamp forkTime;
    Lsn headLsn;
    Timestamp headTime;
    Lsn historyFromLsn; // what lies before it is gone, but for pins; 0: everything since the fork is there
    Timestamp historyFromTime;

    std::uint64_t ownBytes = unknownBytes; // private: what deleting the branch frees
    std::uint64_t sharedBytes = unknownBytes;
    std::uint64_t historyBytes = unknownBytes;
    int children = 0;
    int checkpoints = 0;
    std::optional<int> sessions; // of clients; nothing while that is not known
    int port = 0;
    int pgMajor = 0;
    std::uint64_t timeline = 0;
    Timestamp createdAt;
    Timestamp startedAt;
    Timestamp expiresAt;
    QString error; // why state is Failed
    std::vector<PeekRow> peeks;
    bool isFork = false; // also a root that was restored: of its own past
    QStringList allowed; // what a fork may do to the outside, by the names of the rules

    int pins() const { return children + checkpoints; }
    bool operator==(const BranchRow&) const = default;
};

} // namespace arbor

Q_DECLARE_METATYPE(arbor::BranchRow)
