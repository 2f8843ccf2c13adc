// What people look at while they work: timeline.curve, endpoint.log
#include "app/control/methods.h"
#include "app/engine/json.h"

#include <QFile>

#include <algorithm>

namespace arbor {

namespace {

Result<QJsonValue> curve(Service& service, const QJsonObject& params) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params, "branch"));
    ARBOR_ASSIGN(const auto head, service.engine().head(branch.timeline));
    ARBOR_ASSIGN(const ForkPoint present, head->present());
    ARBOR_TRY(head->sync());
    Lsn from = service.engine().lineageStart(branch.timeline);
    Lsn to = present.lsn;
    if (params.contains("from")) {
        ARBOR_ASSIGN(const Engine::Resolved point, resolvePoint(service, branch, params, "from"));
        from = point.point.at.lsn;
    }
    if (params.contains("to")) {
        ARBOR_ASSIGN(const Engine::Resolved point, resolvePoint(service, branch, params, "to"));
        to = point.point.at.lsn;
    }
    const auto limit =
        static_cast<std::size_t>(std::clamp<qint64>(params.value("limit").toInteger(500), 2, 10'000));
    ARBOR_ASSIGN(const auto points, head->log().curve(from, to, limit));
    QJsonArray list;
    for (const WalMarks::Point& point : points)
        list.append(QJsonObject{{"lsn", lsnJson(point.lsn)},
                                {"time", timeJson(point.time)},
                                {"commits", static_cast<qint64>(point.commits)}});
    return QJsonValue(QJsonObject{{"points", list}, {"fromLsn", lsnJson(from)}, {"toLsn", lsnJson(to)}});
}

Result<QJsonValue> serverLog(Service& service, const QJsonObject& params) {
    constexpr qint64 mostBytes = 4 << 20;
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
    const QString path = text(service.logFileOf(branch.id));
    const qint64 bytes = std::clamp<qint64>(params.value("bytes").toInteger(64 << 10), 0, mostBytes);
    QFile file(path);
    QJsonObject json{{"file", path}, {"text", QString()}, {"size", 0}};
    if (!file.open(QIODevice::ReadOnly))
        return QJsonValue(json); // no server of this branch has ever said anything
    const qint64 size = file.size();
    const qint64 begin = std::max<qint64>(0, size - bytes);
    file.seek(begin);
    QByteArray lines = file.read(bytes);
    if (begin > 0) // whole lines only
        lines.remove(0, lines.indexOf('\n') + 1);
    json["text"] = QString::fromUtf8(lines);
    json["size"] = size;
    return QJsonValue(json);
}

} // namespace

void registerObservationMethods(Service& service) {
    using Context = const RequestContext&;
    using Params = const QJsonObject&;
    service.onWorker(method::timelineCurve, [&](Params p, Context) { return curve(service, p); });
    service.onWorker(method::endpointLog, [&](Params p, Context) { return serverLog(service, p); });
}

} // namespace arbor
