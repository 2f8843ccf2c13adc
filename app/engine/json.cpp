#include "app/engine/json.h"

#include "app/control/arguments.h"
#include "app/control/position_spec.h"
#include "app/postgres/runtime_files.h"

namespace arbor {

namespace {

const char* stateName(Endpoint::State state) {
    switch (state) {
    case Endpoint::State::Stopped:
        return "stopped";
    case Endpoint::State::Starting:
        return "starting";
    case Endpoint::State::Running:
        return "running";
    case Endpoint::State::Stopping:
        return "stopping";
    case Endpoint::State::Failed:
        return "failed";
    }
    return "stopped";
}

// What nothing but this pin keeps; null before it was counted for the first time.
QJsonValue onlyBytesJson(Service& service, PinKind kind, const std::string& name, TimelineId timeline,
                         std::optional<Position> at = std::nullopt) {
    const auto accounts = service.accounting().recentAccounts();
    if (!accounts)
        return {};
    for (std::size_t i = 0; i < accounts->input.pins.size(); ++i)
        if (const GcPin& pin = accounts->input.pins[i];
            pin.timeline == timeline && pin.kind == kind && (!at || pin.to == *at) && pin.name == name)
            return static_cast<qint64>(accounts->plan.pins[i].onlyBytes);
    return {};
}

QJsonArray allowedJson(const BranchRecord& branch) {
    QJsonArray rules;
    for (const OutsideRule rule : liftedRules(branch))
        rules.append(text(std::string(ruleName(rule))));
    return rules;
}

// Of a branch that was restored meanwhile, a peek at what lies behind that point shows nothing of its line.
QJsonArray peeksJson(Service& service, const BranchRecord& branch) {
    QJsonArray list;
    for (const Service::Peek& peek : service.peeksOf(branch.id)) {
        const bool onLine = service.engine().catalog(
            [&](const Catalog& catalog) { return catalog.isOnLine(branch.timeline, peek.at); });
        list.append(QJsonObject{{"id", static_cast<qint64>(peek.id)},
                                {"lsn", lsnJson(peek.at.at.lsn)},
                                {"openedAt", timeJson(peek.openedAt)},
                                {"offLine", !onLine}});
    }
    return list;
}

} // namespace

QJsonObject settingsJson(Service& service, const std::string& only) {
    QJsonObject json;
    for (const char* key : settingKeys)
        if (only.empty() || only == key)
            json.insert(key,
                        text(service.engine().catalog([&](const Catalog& c) { return c.setting(key); })));
    return json;
}

QJsonValue timeJson(Timestamp time) {
    return time ? QJsonValue(text(time.toIso())) : QJsonValue();
}

QJsonArray textsJson(const std::vector<std::string>& texts) {
    QJsonArray array;
    for (const std::string& one : texts)
        array.append(text(one));
    return array;
}

QJsonValue knownLsnJson(Lsn lsn) {
    return lsn == Lsn{} ? QJsonValue() : lsnJson(lsn);
}

QJsonValue lsnJson(Lsn lsn) {
    return text(lsn.toString());
}

QJsonObject branchJson(Service& service, const BranchRecord& branch) {
    struct Facts {
        std::string parent;
        std::optional<TimelineRecord> timeline;
        std::optional<TimelineRecord> first;
        std::size_t children = 0;
        std::size_t checkpoints = 0;
        bool parentLives = false;
    };
    const Facts facts = service.engine().catalog([&](const Catalog& catalog) {
        Facts found;
        const BranchRecord* parent = branch.isRoot() ? nullptr : catalog.findBranch(branch.parent);
        found.parentLives = parent != nullptr;
        found.parent = parent ? parent->name : "";
        if (const TimelineRecord* timeline = catalog.findTimeline(branch.timeline))
            found.timeline = *timeline;
        if (const TimelineRecord* first = catalog.firstOwn(branch.timeline))
            found.first = *first;
        found.children = catalog.childBranches(branch.id).size();
        found.checkpoints = catalog.checkpoints(branch.id).size();
        return found;
    });
    EndpointInfo server = service.endpoints().info(Service::keyOf(branch.id));
    if (server.state == Endpoint::State::Stopped && service.isRecovering(branch.id))
        server.state = Endpoint::State::Starting;
    QJsonObject json{{"name", text(branch.name)},
                     {"id", static_cast<qint64>(branch.id.value)},
                     {"parent", facts.parentLives ? QJsonValue(text(facts.parent)) : QJsonValue()},
                     {"forkLsn", QJsonValue()},
                     {"headLsn", lsnJson(service.headLsn(branch.timeline))},
                     {"state", stateName(server.state)},
                     {"port", branch.port == 0 ? QJsonValue() : QJsonValue(branch.port)},
                     {"socketDir", QJsonValue()},
                     {"privateBytes", 0},
                     {"createdAt", timeJson(branch.createdAt)},
                     {"root", branch.isRoot()},
                     {"protected", branch.isProtected},
                     {"allowed", allowedJson(branch)},
                     {"expiresAt", timeJson(branch.expiresAt)},
                     {"timeline", static_cast<qint64>(branch.timeline.value)},
                     {"children", static_cast<qint64>(facts.children)},
                     {"checkpoints", static_cast<qint64>(facts.checkpoints)}};
    if (facts.timeline) {
        json.insert("pgMajor", static_cast<int>(facts.timeline->pgMajor));
        if (facts.timeline->parent) {
            json.insert("forkLsn", lsnJson(facts.timeline->fork.lsn));
            json.insert("forkTime", timeJson(facts.timeline->createdAt));
        }
        if (facts.first) // a restore forks the branch's own line
            json.insert("branchPoint", QJsonObject{{"lsn", lsnJson(facts.first->fork.lsn)},
                                                   {"time", timeJson(facts.first->createdAt)}});
    }
    json.insert("headTime", timeJson(service.headTime(branch.timeline)));
    if (const Lsn start = service.engine().lineageStart(branch.timeline))
        json.insert("historyFrom", QJsonObject{{"lsn", lsnJson(start)}});
    if (branch.port != 0)
        if (const auto directory =
                makeSocketDirectory(service.options().store, fmt::format("branch-{}", branch.id)))
            json.insert("socketDir", text(*directory));
    if (const auto outside = service.outsideOf(branch.id); !outside.empty())
        json.insert("warnings", textsJson(outside));
    if (!server.failure.empty())
        json.insert("error", text(server.failure));
    if (server.state == Endpoint::State::Running) {
        json.insert("startedAt", timeJson(server.startedAt));
        if (server.sessions)
            json.insert("sessions", *server.sessions);
    }
    if (const QJsonArray peeks = peeksJson(service, branch); !peeks.isEmpty())
        json.insert("peeks", peeks);
    if (const auto accounts = service.accounting().recentAccounts())
        if (const auto use = accounts->plan.owners.find(branch.id); use != accounts->plan.owners.end()) {
            json.insert("privateBytes", static_cast<qint64>(use->second.privateBytes));
            json.insert("historyBytes",
                        static_cast<qint64>(use->second.onlyBytes -
                                            std::min(use->second.onlyBytes, use->second.privateBytes)));
        }
    return json;
}

QJsonObject checkpointJson(Service& service, const BranchRecord& branch, const CheckpointView& checkpoint) {
    const TimelinePoint& point = checkpoint.record.point;
    const auto time = service.engine().positionTime(point.timeline, point.at.position);
    return {{"name", text(checkpoint.record.name)},
            {"branch", text(branch.name)},
            {"lsn", lsnJson(point.at.lsn)},
            {"time", time ? timeJson(time->at) : QJsonValue()},
            {"onlyBytes", onlyBytesJson(service, PinKind::Checkpoint, checkpoint.record.name, point.timeline,
                                        point.at.position)},
            {"createdAt", timeJson(checkpoint.record.createdAt)},
            {"offLine", !checkpoint.onLine}};
}

QJsonObject trashJson(Service& service, const TrashRecord& entry) {
    static constexpr const char* reasons[] = {"delete", "restore", "reset", "expired", "undone"};
    const Duration kept =
        service.engine().catalog([](const Catalog& c) { return c.durationSetting("trash-time"); });
    return {
        {"name", text(entry.branch.name)},
        {"id", static_cast<qint64>(entry.id.value)},
        {"deletedAt", timeJson(entry.since)},
        {"freedAt", timeJson(entry.since + kept)},
        {"reason", reasons[static_cast<std::size_t>(entry.reason)]},
        {"headLsn", lsnJson(service.headLsn(entry.branch.timeline))},
        {"privateBytes", onlyBytesJson(service, PinKind::Trash, entry.branch.name, entry.branch.timeline)}};
}

QJsonObject operationJson(Service& service, const OperationEntry& entry) {
    static constexpr const char* kinds[] = {"operation", "undo", "redo"};
    OperationId nextUndo;
    std::string of; // what an undo took back or a redo made again, while the log still has it
    service.engine().operations([&](const OperationLog& log) {
        if (const OperationEntry* next = log.nextUndo())
            nextUndo = next->id;
        if (const OperationEntry* target = entry.of ? log.find(entry.of) : nullptr)
            of = target->command;
        return 0;
    });
    QJsonObject json{
        {"id", static_cast<qint64>(entry.id.value)},
        {"time", timeJson(entry.at)},
        {"client", text(entry.client)},
        {"kind", kinds[static_cast<std::size_t>(entry.kind)]},
        {"text", text(of.empty() ? entry.command
                                 : fmt::format("{}: {}", kinds[static_cast<std::size_t>(entry.kind)], of))},
        {"command", text(entry.command)},
        {"undone", entry.isUndone()},
        {"undoable", entry.kind == OperationKind::Operation && !entry.isUndone() && entry.id <= nextUndo}};
    if (!of.empty())
        json.insert("of", text(of));
    return json;
}

Caller callerOf(const RequestContext& context, std::string command) {
    return {context.client.toStdString(), std::move(command)};
}

Result<QJsonValue> branchAnswer(Service& service, Result<BranchRecord> branch) {
    if (!branch)
        return std::move(branch).error();
    // as it is now: its server may have moved since
    const auto present =
        service.engine().catalog([&](const Catalog& catalog) { return catalog.branch(branch->id); });
    service.publishBranches({branch->name});
    return QJsonValue(branchJson(service, present ? *present : *branch));
}

Result<Engine::Resolved> resolvePoint(Service& service, const BranchRecord& branch, const QJsonObject& params,
                                      const char* member) {
    const std::string at = textOf(params, member);
    ARBOR_ASSIGN(const PositionSpec spec, PositionSpec::parse(at.empty() ? "head" : at));
    Engine::PointSpec asked;
    if (const auto* lsn = std::get_if<Lsn>(&spec.value))
        asked = *lsn;
    else if (const auto* time = std::get_if<Timestamp>(&spec.value))
        asked = *time;
    else if (const auto* ago = std::get_if<PositionSpec::Ago>(&spec.value))
        asked = service.clock().now() - ago->duration;
    else if (const auto* checkpoint = std::get_if<PositionSpec::Checkpoint>(&spec.value))
        asked = CheckpointName{checkpoint->name};
    else if (const auto* xid = std::get_if<PositionSpec::Xid>(&spec.value))
        asked = Xid{xid->value};
    return service.engine().resolve(branch, asked);
}

} // namespace arbor
