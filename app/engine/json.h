// Records as the protocol shows them (app/control/methods.h).
#pragma once

#include "app/engine/service.h"

#include <QJsonArray>
#include <QJsonObject>

namespace arbor {

inline QString text(std::string_view value) {
    return QString::fromUtf8(value.data(), static_cast<qsizetype>(value.size()));
}
inline std::string textOf(const QJsonObject& params, const char* member) {
    return params.value(QLatin1String(member)).toString().toStdString();
}
QJsonValue timeJson(Timestamp time); // null for "never"
QJsonValue lsnJson(Lsn lsn);
QJsonValue knownLsnJson(Lsn lsn); // null for 0
QJsonArray textsJson(const std::vector<std::string>& texts);

QJsonObject branchJson(Service& service, const BranchRecord& branch);
QJsonObject checkpointJson(Service& service, const BranchRecord& branch, const CheckpointView& checkpoint);
QJsonObject trashJson(Service& service, const TrashRecord& entry);
QJsonObject operationJson(Service& service, const OperationEntry& entry);
// All of them, or only that one.
QJsonObject settingsJson(Service& service, const std::string& only = {});

// Who asks, as the operation log keeps it.
Caller callerOf(const RequestContext& context, std::string command);
// A branch with what is new of it, or the error.
Result<QJsonValue> branchAnswer(Service& service, Result<BranchRecord> branch);
// POS of a request (`member`, default "head") on a branch.
Result<Engine::Resolved> resolvePoint(Service& service, const BranchRecord& branch, const QJsonObject& params,
                                      const char* member = "at");

} // namespace arbor
