// JSON-RPC 2.0 messages of the control protocol, and how our errors travel in them.
#pragma once

#include "storage/base/status.h"

#include <QByteArray>
#include <QJsonObject>
#include <QJsonValue>
#include <QString>

namespace arbor {

struct Request {
    QJsonValue id; // number or string
    QString method;
    QJsonObject params;
};

// InvalidArgument for anything that is not one well-formed request object: not JSON, not UTF-8, a batch, no
// id.
Result<Request> parseRequest(const QByteArray& line);

struct Message { // what a client receives
    bool isEvent = false;
    QJsonValue id;
    QString eventKind;                       // of an event
    QJsonValue payload;                      // of an event
    Result<QJsonValue> result{QJsonValue()}; // of a response
};
Result<Message> parseMessage(const QByteArray& line);

QByteArray requestLine(qint64 id, const QString& method, const QJsonObject& params);
QByteArray responseLine(const QJsonValue& id, const Result<QJsonValue>& result);
QByteArray eventLine(const QString& kind, const QJsonValue& payload);

// {"kind": "not-found", "message": "..."}: the error object of the command line and of a job.
QJsonObject errorToJson(const Error& error);
Error errorFromJson(const QJsonObject& object);

} // namespace arbor
