// What the window knows of the store at this moment, as plain values.
#pragma once

#include "storage/base/lsn.h"
#include "storage/base/time.h"
#include "widgets/models/branch_row.h"

#include <QJsonObject>
#include <QMap>
#include <QString>

#include <cstdint>
#include <optional>
#include <vector>

namespace arbor {

struct CheckpointFacts {
    QString name;
    QString branch;
    Lsn lsn;
    Timestamp time;
    bool offLine = false; // a restore left it behind
};

struct TrashFacts {
    QString name;
    std::uint64_t id = 0;
    Timestamp deletedAt;
    Timestamp freedAt;
    QString reason; // "delete", "restore", "reset", "expired", "undone"
    std::uint64_t privateBytes = unknownBytes;
};

struct OperationFacts {
    std::int64_t id = 0;
    Timestamp time;
    QString client;
    QString kind; // "operation", "undo", "redo"
    QString text;
    QString command; // what pgarborctl would be given
    QString branch;
    bool undone = false;
    bool undoable = false;
};

struct JobFacts {
    std::int64_t id = 0;
    QString kind;
    QString title;
    QString client;
    QString state;                  // "running", "done", "failed", "cancelled"
    std::optional<double> fraction; // 0 to 1
    QString text;
    std::uint64_t bytes = 0;
    Timestamp startedAt;
    Timestamp finishedAt;
    QString error;
    bool running() const { return state == QLatin1String("running"); }
};

struct EngineFacts {
    QString program;
    QString store;
    QString mount;
    QString problem; // why no branch can be started, or why the store takes no writes
    QString runAs;
    std::int64_t pid = 0;
    bool storeOpen = false;
    bool readOnly = false;
    std::vector<int> postgresMajors;
};

struct StorePicture {
    EngineFacts engine;
    std::vector<BranchRow> branches; // parents before children
    std::vector<CheckpointFacts> checkpoints;
    std::vector<TrashFacts> trash;
    std::vector<OperationFacts> operations; // newest first
    std::vector<JobFacts> jobs;             // newest first
    QMap<QString, QString> settings;        // with units, as text
    QJsonObject stats;                      // methods.h, `stats`

    const BranchRow* branch(const QString& name) const;
    const BranchRow* branch(std::uint64_t id) const;
    // What undo and redo would do next; null when there is nothing.
    const OperationFacts* nextUndo() const;
    const OperationFacts* nextRedo() const;
};

} // namespace arbor
