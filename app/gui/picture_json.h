// The protocol's JSON (app/control/methods.h) as the window's plain values. What is absent or null becomes
// the zero of its type; sizes become unknownBytes.
#pragma once

#include "app/gui/store_picture.h"
#include "widgets/models/marks_store.h"
#include "widgets/models/timeline_geometry.h"

#include <QJsonArray>
#include <QJsonObject>

namespace arbor {

Lsn lsnFromJson(const QJsonValue& value);
Timestamp timeFromJson(const QJsonValue& value);
std::uint64_t bytesFromJson(const QJsonValue& value);
// What would help most, in one line; "" where nothing would.
QString remediesFromJson(const QJsonValue& remedies);

// A parent's id comes from its name among the same rows.
std::vector<BranchRow> branchesFromJson(const QJsonArray& branches);
CheckpointFacts checkpointFromJson(const QJsonObject& json);
TrashFacts trashFromJson(const QJsonObject& json);
OperationFacts operationFromJson(const QJsonObject& json);
JobFacts jobFromJson(const QJsonObject& json);
EngineFacts engineFromJson(const QJsonObject& json);

// Marks of unknown kinds are left out. A drop stands at the last LSN at which what it drops is still there:
// that is where the cursor is to snap to.
std::vector<Mark> marksFromJson(const QJsonArray& marks);

// What of the bars lies before the history window, by an answer of gc.plan: up to each pin what is kept for
// it, behind the last one what a sweep would free.
std::vector<TimelineRange> rangesFromJson(const QJsonObject& plan, const StorePicture& picture);

} // namespace arbor
