// timeline.*, oplog.*
#include "app/control/methods.h"
#include "app/engine/json.h"

#include <algorithm>

namespace arbor {

namespace {

const char* markName(WalEventKind kind) {
    switch (kind) {
    case WalEventKind::RestorePoint:
        return "restore-point";
    case WalEventKind::CheckpointOnline:
    case WalEventKind::CheckpointShutdown:
        return "postgres-checkpoint";
    case WalEventKind::Commit:
    case WalEventKind::DatabaseDrop:
        return "drop";
    case WalEventKind::EndOfRecovery:
    case WalEventKind::ParameterChange:
    case WalEventKind::OverwriteContrecord:
        return "start";
    default:
        return "commit";
    }
}

std::string markText(const WalMark& mark) {
    switch (mark.kind) {
    case WalEventKind::DatabaseDrop:
        return fmt::format("DROP DATABASE ({})", mark.database);
    case WalEventKind::DatabaseCreate:
        return fmt::format("CREATE DATABASE ({})", mark.database);
    case WalEventKind::CheckpointShutdown:
        return "PostgreSQL was stopped, or recovered";
    case WalEventKind::ParameterChange:
        return "PostgreSQL was started with other settings";
    case WalEventKind::OverwriteContrecord:
        return "PostgreSQL was started behind a record that a crash had left unfinished";
    case WalEventKind::EndOfRecovery:
        return "PostgreSQL was promoted";
    case WalEventKind::Prepare:
        return "a transaction was prepared";
    case WalEventKind::Commit:
        return fmt::format("{} relation file{} removed: a DROP, a TRUNCATE or a rewrite", mark.removedFiles,
                           mark.removedFiles == 1 ? " was" : "s were");
    default:
        return {};
    }
}

struct Entry {
    Lsn lsn;
    QJsonObject json;
};

// What the catalog knows of a line: forks off it, and checkpoints on it.
void addCatalogMarks(Service& service, const BranchRecord& branch, Lsn from, Lsn to,
                     std::vector<Entry>& entries) {
    service.engine().catalog([&](const Catalog& catalog) {
        for (const CheckpointView& view : catalog.checkpoints(branch.id))
            if (view.onLine && view.record.point.at.lsn >= from && view.record.point.at.lsn <= to)
                entries.push_back({view.record.point.at.lsn,
                                   {{"kind", "checkpoint"},
                                    {"lsn", lsnJson(view.record.point.at.lsn)},
                                    {"name", text(view.record.name)},
                                    {"branch", text(branch.name)},
                                    {"time", timeJson(view.record.createdAt)}}});
        for (const BranchRecord* child : catalog.branches()) {
            const TimelineRecord* timeline = catalog.findTimeline(child->timeline);
            if (child->id == branch.id || timeline == nullptr || !timeline->parent)
                continue;
            const TimelinePoint point{timeline->parent, timeline->fork};
            if (!catalog.isOnLine(branch.timeline, point) || point.at.lsn < from || point.at.lsn > to)
                continue;
            entries.push_back({point.at.lsn,
                               {{"kind", "fork"},
                                {"lsn", lsnJson(point.at.lsn)},
                                {"name", text(child->name)},
                                {"branch", text(child->name)},
                                {"time", timeJson(timeline->createdAt)}}});
        }
        return 0;
    });
}

Result<QJsonValue> marks(Service& service, const QJsonObject& params) {
    constexpr std::size_t mostMarks = 10'000;
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params, "branch"));
    ARBOR_ASSIGN(const auto head, service.engine().head(branch.timeline));
    ARBOR_ASSIGN(const ForkPoint present, head->present());
    ARBOR_TRY(head->sync());
    Lsn from = service.engine().lineageStart(branch.timeline);
    Lsn to = present.lsn;
    const Lsn start = from;
    if (params.contains("from")) {
        ARBOR_ASSIGN(const Engine::Resolved point, resolvePoint(service, branch, params, "from"));
        from = point.point.at.lsn;
    }
    if (params.contains("to")) {
        ARBOR_ASSIGN(const Engine::Resolved point, resolvePoint(service, branch, params, "to"));
        to = point.point.at.lsn;
    }
    const auto limit =
        static_cast<std::size_t>(std::clamp<qint64>(params.value("limit").toInteger(1000), 1, mostMarks));
    if (params.value("after").isString())
        if (const auto after = Lsn::parse(textOf(params, "after")))
            from = std::max(from, *after + 1);
    std::vector<Entry> entries;
    // one question needs the history's start even for a later part of it
    ARBOR_ASSIGN(const auto found, head->log().marks(std::max(start, from), to, limit + 1));
    for (const WalMark& mark : found) {
        QJsonObject json{
            {"kind", markName(mark.kind)}, {"lsn", lsnJson(mark.end)}, {"time", timeJson(mark.time)}};
        json.insert("before", lsnJson(mark.before));
        if (mark.xid != 0)
            json.insert("xid", static_cast<qint64>(mark.xid));
        if (!mark.name.empty())
            json.insert("name", text(mark.name));
        if (mark.removedFiles != 0) {
            QJsonArray removed;
            for (const RelationFile& file : mark.removed)
                removed.append(QStringLiteral("%1/%2").arg(file.database).arg(file.relation));
            json.insert("removedFiles", static_cast<qint64>(mark.removedFiles));
            json.insert("removed", removed);
        }
        if (const std::string sentence = markText(mark); !sentence.empty())
            json.insert("text", text(sentence));
        entries.push_back({mark.end, json});
    }
    addCatalogMarks(service, branch, from, to, entries);
    // every commit would be too many: the log's samples tell how many there were and when
    constexpr std::size_t mostCommitMarks = 200;
    ARBOR_ASSIGN(const auto curve, head->log().curve(std::max(start, from), to, mostCommitMarks));
    for (std::size_t i = 1; i < curve.size(); ++i)
        if (const std::uint64_t commits = curve[i].commits - curve[i - 1].commits; commits > 0) {
            const Lsn last = curve[i].lastCommit > curve[i - 1].lsn ? curve[i].lastCommit : curve[i].lsn;
            entries.push_back(
                {last,
                 {{"kind", "commit"},
                  {"lsn", lsnJson(last)},
                  {"time", timeJson(curve[i].time)},
                  {"text", text(fmt::format("{} commit{}", commits, commits == 1 ? "" : "s"))}}});
        }
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return a.lsn < b.lsn; });
    QJsonObject result{{"fromLsn", lsnJson(from)}, {"toLsn", lsnJson(to)}};
    if (entries.size() > limit) {
        // whole LSNs only, so that none is lost between two answers
        std::size_t end = limit;
        while (end > 1 && entries[end].lsn == entries[end - 1].lsn)
            --end;
        entries.resize(end);
        result.insert("next", lsnJson(entries.back().lsn));
    }
    QJsonArray list;
    for (const Entry& entry : entries)
        list.append(entry.json);
    result.insert("marks", list);
    return QJsonValue(result);
}

Result<QJsonValue> resolve(Service& service, const QJsonObject& params) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params, "branch"));
    ARBOR_ASSIGN(const Engine::Resolved at, resolvePoint(service, branch, params));
    ARBOR_TRY(service.engine().available(at.point));
    ARBOR_ASSIGN(const TimelinePoint head, service.engine().headPoint(branch));
    QJsonObject json{{"lsn", lsnJson(at.point.at.lsn)},
                     {"walBehindHead", static_cast<qint64>(head.at.lsn - at.point.at.lsn)},
                     {"isHead", at.point.at.lsn == head.at.lsn}};
    // the state of the log there: the latest commit that the point has seen
    ARBOR_ASSIGN(const auto view, service.engine().head(branch.timeline));
    ARBOR_ASSIGN(const auto seen, view->log().curve(at.point.at.lsn, at.point.at.lsn, 1));
    if (!seen.empty() && seen.back().time) {
        json.insert("time", timeJson(seen.back().time));
        json.insert("commitBefore",
                    QJsonObject{{"lsn", lsnJson(seen.back().lsn)}, {"time", timeJson(seen.back().time)}});
    }
    if (!at.message.empty())
        json.insert("message", text(at.message));
    return QJsonValue(json);
}

Result<QJsonValue> listOperations(Service& service, const QJsonObject& params) {
    const auto limit =
        static_cast<std::size_t>(std::clamp<qint64>(params.value("limit").toInteger(100), 1, 1000));
    const auto entries = service.engine().operations([&](const OperationLog& log) {
        std::vector<OperationEntry> newest;
        for (auto entry = log.entries().rbegin(); entry != log.entries().rend() && newest.size() < limit;
             ++entry)
            newest.push_back(*entry);
        return newest;
    });
    QJsonArray list;
    for (const OperationEntry& entry : entries)
        list.append(operationJson(service, entry));
    return QJsonValue(QJsonObject{{"operations", list}});
}

Result<QJsonValue> newestOperation(Service& service) {
    const auto entry = service.engine().operations([](const OperationLog& log) {
        return log.entries().empty() ? OperationEntry() : log.entries().back();
    });
    const QJsonObject json = operationJson(service, entry);
    service.server().publish(event::oplog, json);
    return QJsonValue(QJsonObject{{"operation", json}});
}

std::vector<BranchId> branchesOf(const std::vector<BranchMove>& moves) {
    std::vector<BranchId> branches;
    for (const BranchMove& move : moves)
        branches.push_back(move.branch);
    return branches;
}

// An operation that is taken back or made again may be one that set something.
void publishSettings(Service& service, const QJsonObject& before) {
    QJsonObject changed;
    const QJsonObject now = settingsJson(service);
    for (auto setting = now.begin(); setting != now.end(); ++setting)
        if (setting.value() != before.value(setting.key()))
            changed.insert(setting.key(), setting.value());
    if (!changed.isEmpty())
        service.server().publish(event::settings, QJsonObject{{"settings", changed}});
}

Result<QJsonValue> undo(Service& service, const QJsonObject& params, const RequestContext& context) {
    const OperationId id{static_cast<std::uint64_t>(params.value("id").toInteger())};
    const QJsonObject settings = settingsJson(service);
    ARBOR_ASSIGN(const auto moves, service.engine().planUndo(id));
    ARBOR_TRY(service.aroundMove(branchesOf(moves), [&]() -> Status {
        ARBOR_TRY(service.engine().undo(callerOf(context, "undo"), id));
        return {};
    }));
    publishSettings(service, settings);
    return newestOperation(service);
}

Result<QJsonValue> redo(Service& service, const RequestContext& context) {
    const QJsonObject settings = settingsJson(service);
    ARBOR_ASSIGN(const auto moves, service.engine().planRedo());
    ARBOR_TRY(service.aroundMove(branchesOf(moves), [&]() -> Status {
        ARBOR_TRY(service.engine().redo(callerOf(context, "redo")));
        return {};
    }));
    publishSettings(service, settings);
    return newestOperation(service);
}

} // namespace

void registerHistoryMethods(Service& service) {
    using Context = const RequestContext&;
    using Params = const QJsonObject&;
    service.onWorker(method::timelineMarks, [&](Params p, Context) { return marks(service, p); });
    service.onWorker(method::timelineResolve, [&](Params p, Context) { return resolve(service, p); });
    service.onWorker(method::oplogList, [&](Params p, Context) { return listOperations(service, p); });
    service.onWorker(method::oplogUndo, [&](Params p, Context c) { return undo(service, p, c); });
    service.onWorker(method::oplogRedo, [&](Params, Context c) { return redo(service, c); });
}

} // namespace arbor
