#include "app/control/message.h"

#include <QJsonDocument>

namespace arbor {

namespace {

// JSON-RPC's own numbers where it has one; our kind travels in data.kind and is what clients go by.
int rpcCodeOf(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::InvalidArgument:
        return -32602;
    case ErrorKind::Unsupported:
        return -32601;
    default:
        return -32000;
    }
}

QByteArray compact(const QJsonObject& object) {
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

Result<QJsonObject> parseObject(const QByteArray& line) {
    QJsonParseError failure;
    const QJsonDocument document = QJsonDocument::fromJson(line, &failure);
    if (failure.error != QJsonParseError::NoError)
        return makeError(ErrorKind::InvalidArgument, "the message is not JSON: {} at byte {}",
                         failure.errorString().toStdString(), failure.offset);
    if (!document.isObject())
        return makeError(ErrorKind::InvalidArgument,
                         "the message is not a JSON object (batches are not taken)");
    const QJsonObject object = document.object();
    if (object.value("jsonrpc").toString() != QLatin1String("2.0"))
        return makeError(ErrorKind::InvalidArgument, "the message has no \"jsonrpc\": \"2.0\"");
    return object;
}

} // namespace

Result<Request> parseRequest(const QByteArray& line) {
    ARBOR_ASSIGN(const QJsonObject object, parseObject(line));
    Request request;
    request.id = object.value("id");
    if (!request.id.isDouble() && !request.id.isString())
        return makeError(ErrorKind::InvalidArgument, "the request has no id (a number or a string)");
    request.method = object.value("method").toString();
    if (request.method.isEmpty())
        return makeError(ErrorKind::InvalidArgument, "the request names no method");
    const QJsonValue params = object.value("params");
    if (!params.isObject() && !params.isUndefined())
        return makeError(ErrorKind::InvalidArgument, "params must be an object: parameters go by name");
    request.params = params.toObject();
    return request;
}

Result<Message> parseMessage(const QByteArray& line) {
    ARBOR_ASSIGN(const QJsonObject object, parseObject(line));
    Message message;
    if (object.value("method").toString() == QLatin1String("event")) {
        const QJsonObject params = object.value("params").toObject();
        message.isEvent = true;
        message.eventKind = params.value("kind").toString();
        message.payload = params.value("payload");
        return message;
    }
    message.id = object.value("id");
    if (object.contains("error")) {
        const QJsonObject error = object.value("error").toObject();
        message.result = errorFromJson(
            {{"kind", error.value("data").toObject().value("kind")}, {"message", error.value("message")}});
    } else if (object.contains("result")) {
        message.result = object.value("result");
    } else {
        return makeError(ErrorKind::InvalidArgument, "the message is neither event nor response");
    }
    return message;
}

QByteArray requestLine(qint64 id, const QString& method, const QJsonObject& params) {
    return compact({{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", params}});
}

QByteArray responseLine(const QJsonValue& id, const Result<QJsonValue>& result) {
    QJsonObject object{{"jsonrpc", "2.0"}, {"id", id.isUndefined() ? QJsonValue() : id}};
    if (result) {
        object.insert("result", result->isUndefined() ? QJsonValue() : *result);
    } else {
        const Error& error = result.error();
        const QJsonObject json = errorToJson(error);
        object.insert("error", QJsonObject{{"code", rpcCodeOf(error.kind())},
                                           {"message", json.value("message")},
                                           {"data", QJsonObject{{"kind", json.value("kind")}}}});
    }
    return compact(object);
}

QByteArray eventLine(const QString& kind, const QJsonValue& payload) {
    return compact({{"jsonrpc", "2.0"},
                    {"method", "event"},
                    {"params", QJsonObject{{"kind", kind}, {"payload", payload}}}});
}

QJsonObject errorToJson(const Error& error) {
    const std::string_view kind = kindName(error.kind());
    return {{"kind", QString::fromUtf8(kind.data(), static_cast<qsizetype>(kind.size()))},
            {"message", QString::fromStdString(error.message())}};
}

Error errorFromJson(const QJsonObject& object) {
    return {kindFromName(object.value("kind").toString().toStdString()),
            object.value("message").toString().toStdString()};
}

} // namespace arbor
