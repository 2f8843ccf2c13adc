#include "app/gui/picture_json.h"

#include <QHash>
#include <QSet>

#include <algorithm>
#include <tuple>

namespace arbor {

namespace {

BranchState stateFromWord(const QString& word) {
    if (word == QLatin1String("starting"))
        return BranchState::Starting;
    if (word == QLatin1String("running"))
        return BranchState::Running;
    if (word == QLatin1String("stopping"))
        return BranchState::Stopping;
    if (word == QLatin1String("failed"))
        return BranchState::Failed;
    return BranchState::Stopped;
}

std::uint64_t idFromJson(const QJsonValue& value) {
    return static_cast<std::uint64_t>(value.toInteger());
}

BranchRow branchFromJson(const QJsonObject& json) {
    BranchRow row;
    row.id = idFromJson(json["id"]);
    row.name = json["name"].toString();
    row.state = stateFromWord(json["state"].toString());
    row.root = json["root"].toBool();
    row.isProtected = json["protected"].toBool();
    row.isFork = lsnFromJson(json["forkLsn"]) != Lsn();
    if (const QJsonObject left = json["branchPoint"].toObject(); !left.isEmpty()) {
        row.forkLsn = lsnFromJson(left["lsn"]);
        row.forkTime = timeFromJson(left["time"]);
    } else if (!row.root) {
        row.forkLsn = lsnFromJson(json["forkLsn"]);
        row.forkTime = timeFromJson(json["forkTime"]);
    }
    row.headLsn = lsnFromJson(json["headLsn"]);
    row.headTime = timeFromJson(json["headTime"]);
    const QJsonObject history = json["historyFrom"].toObject();
    const Lsn historyFrom = lsnFromJson(history["lsn"]);
    if (row.root) { // its history begins where it was made
        row.forkLsn = historyFrom;
        row.forkTime = timeFromJson(json["createdAt"]);
    } else if (historyFrom > row.forkLsn) {
        row.historyFromLsn = historyFrom;
        row.historyFromTime = timeFromJson(history["time"]);
    }
    if (!row.headTime) // no commit of its own yet
        row.headTime = row.forkTime;
    row.ownBytes = bytesFromJson(json["privateBytes"]);
    row.sharedBytes = bytesFromJson(json["sharedBytes"]);
    row.historyBytes = bytesFromJson(json["historyBytes"]);
    row.children = json["children"].toInt();
    row.checkpoints = json["checkpoints"].toInt();
    if (json["sessions"].isDouble())
        row.sessions = json["sessions"].toInt();
    row.port = json["port"].toInt();
    row.pgMajor = json["pgMajor"].toInt();
    row.timeline = idFromJson(json["timeline"]);
    row.createdAt = timeFromJson(json["createdAt"]);
    row.startedAt = timeFromJson(json["startedAt"]);
    row.expiresAt = timeFromJson(json["expiresAt"]);
    row.error = json["error"].toString();
    for (const QJsonValue& rule : json["allowed"].toArray())
        row.allowed += rule.toString();
    for (const QJsonValue& value : json["peeks"].toArray())
        if (const QJsonObject peek = value.toObject(); !peek["offLine"].toBool())
            row.peeks.push_back({lsnFromJson(peek["lsn"]), timeFromJson(peek["openedAt"])});
    return row;
}

} // namespace

Lsn lsnFromJson(const QJsonValue& value) {
    return Lsn::parse(value.toString().toStdString()).value_or(Lsn());
}

Timestamp timeFromJson(const QJsonValue& value) {
    return Timestamp::parseIso(value.toString().toStdString()).value_or(Timestamp());
}

std::uint64_t bytesFromJson(const QJsonValue& value) {
    return value.isDouble() ? static_cast<std::uint64_t>(value.toInteger()) : unknownBytes;
}

QString remediesFromJson(const QJsonValue& remedies) {
    QStringList texts;
    for (const QJsonValue& remedy : remedies.toArray())
        texts += remedy["text"].toString();
    return texts.join(QStringLiteral("; "));
}

std::vector<BranchRow> branchesFromJson(const QJsonArray& branches) {
    std::vector<BranchRow> rows;
    rows.reserve(static_cast<std::size_t>(branches.size()));
    QHash<QString, std::uint64_t> ids;
    for (const QJsonValue& value : branches) {
        rows.push_back(branchFromJson(value.toObject()));
        ids.insert(rows.back().name, rows.back().id);
    }
    for (qsizetype i = 0; i < branches.size(); ++i)
        rows[static_cast<std::size_t>(i)].parentId =
            ids.value(branches[i].toObject()["parent"].toString(), 0);
    return rows;
}

CheckpointFacts checkpointFromJson(const QJsonObject& json) {
    const Timestamp time = timeFromJson(json["time"]);
    return {json["name"].toString(), json["branch"].toString(), lsnFromJson(json["lsn"]),
            time ? time : timeFromJson(json["createdAt"]), json["offLine"].toBool()};
}

TrashFacts trashFromJson(const QJsonObject& json) {
    return {json["name"].toString(),       idFromJson(json["id"]),    timeFromJson(json["deletedAt"]),
            timeFromJson(json["freedAt"]), json["reason"].toString(), bytesFromJson(json["privateBytes"])};
}

OperationFacts operationFromJson(const QJsonObject& json) {
    return {json["id"].toInteger(),    timeFromJson(json["time"]), json["client"].toString(),
            json["kind"].toString(),   json["text"].toString(),    json["command"].toString(),
            json["branch"].toString(), json["undone"].toBool(),    json["undoable"].toBool()};
}

JobFacts jobFromJson(const QJsonObject& json) {
    JobFacts job;
    job.id = json["id"].toInteger();
    job.kind = json["kind"].toString();
    job.title = json["title"].toString();
    job.client = json["client"].toString();
    job.state = json["state"].toString();
    if (json["fraction"].isDouble())
        job.fraction = json["fraction"].toDouble();
    job.text = json["text"].toString();
    job.bytes = static_cast<std::uint64_t>(json["bytes"].toInteger());
    job.startedAt = timeFromJson(json["startedAt"]);
    job.finishedAt = timeFromJson(json["finishedAt"]);
    job.error = json["error"].toObject()["message"].toString();
    return job;
}

EngineFacts engineFromJson(const QJsonObject& json) {
    EngineFacts engine;
    engine.program = json["version"].toString();
    engine.store = json["store"].toString();
    engine.mount = json["mount"].toString();
    engine.problem = json["problem"].toString();
    engine.runAs = json["runAs"].toString();
    engine.pid = json["pid"].toInteger();
    engine.storeOpen = json["storeOpen"].toBool();
    engine.readOnly = json["readOnly"].toBool();
    for (const QJsonValue& installation : json["pgBinDirs"].toArray())
        engine.postgresMajors.push_back(installation.toObject()["major"].toInt());
    return engine;
}

std::vector<Mark> marksFromJson(const QJsonArray& marks) {
    std::vector<Mark> result;
    result.reserve(static_cast<std::size_t>(marks.size()));
    for (const QJsonValue& value : marks) {
        const QJsonObject json = value.toObject();
        const auto kind = markKindFromWord(json["kind"].toString());
        if (!kind)
            continue;
        Mark mark;
        mark.kind = *kind;
        mark.lsn = lsnFromJson(json["lsn"]);
        if (mark.kind == MarkKind::Drop)
            if (const Lsn before = lsnFromJson(json["before"]))
                mark.lsn = before;
        mark.time = timeFromJson(json["time"]);
        mark.xid = static_cast<std::uint32_t>(json["xid"].toInteger());
        mark.text = mark.kind == MarkKind::Fork ? json["branch"].toString() : json["name"].toString();
        if (mark.text.isEmpty())
            mark.text = json["text"].toString();
        result.push_back(std::move(mark));
    }
    return result;
}

namespace {

struct KeptPoint {
    Lsn at;
    std::uint64_t child = 0; // 0: a checkpoint
};

void addRanges(const BranchRow& row, std::vector<KeptPoint> kept, Lsn window, bool isSwept,
               std::vector<TimelineRange>& ranges) {
    // at one point a child goes before a checkpoint: it has a colour to be found by
    std::ranges::sort(kept, {},
                      [](const KeptPoint& point) { return std::tuple(point.at, point.child == 0); });
    Lsn from = row.forkLsn;
    bool any = false;
    for (const KeptPoint& point : kept) {
        // the history of a root begins where the last sweep left it, and its pins may be older
        if (point.at >= window || (point.at < row.forkLsn && !row.root) || (any && point.at == from))
            continue;
        ranges.push_back(
            {TimelineRange::Kind::Pinned, row.id, std::min(from, point.at), point.at, point.child});
        from = point.at;
        any = true;
    }
    from = std::max({from, row.forkLsn, row.historyFromLsn});
    if (isSwept && from < window)
        ranges.push_back({TimelineRange::Kind::Reclaimable, row.id, from, window, 0});
}

} // namespace

std::vector<TimelineRange> rangesFromJson(const QJsonObject& plan, const StorePicture& picture) {
    QHash<QString, std::uint64_t> ids;
    for (const BranchRow& row : picture.branches)
        ids.insert(row.name, row.id);
    QSet<QString> offLine; // another line's points have no place on the bar
    for (const CheckpointFacts& checkpoint : picture.checkpoints)
        if (checkpoint.offLine)
            offLine.insert(checkpoint.name + u'@' + checkpoint.branch);
    QHash<QString, Lsn> windows;
    QHash<QString, std::vector<KeptPoint>> kept;
    for (const QJsonValue& value : plan["pins"].toArray()) {
        const QJsonObject pin = value.toObject();
        const QString kind = pin["kind"].toString(), name = pin["name"].toString();
        const QString branch = pin["branch"].toString();
        const Lsn at = lsnFromJson(pin["fromLsn"]);
        if (kind == QLatin1String("window"))
            windows.insert(branch, at);
        else if (kind == QLatin1String("child") && ids.contains(name))
            kept[branch].push_back({at, ids[name]});
        else if (kind == QLatin1String("checkpoint") && !offLine.contains(name + u'@' + branch))
            kept[branch].push_back({at, 0});
    }
    std::vector<TimelineRange> ranges;
    const bool isSwept = plan["freeBytes"].toInteger() > 0;
    for (const BranchRow& row : picture.branches)
        if (const Lsn window = std::min(windows.value(row.name), row.headLsn))
            addRanges(row, kept.value(row.name), window, isSwept, ranges);
    return ranges;
}

} // namespace arbor
