// branch.*, trash.*, checkpoint.*
#include "app/control/arguments.h"
#include "app/control/methods.h"
#include "app/engine/json.h"
#include "storage/base/units.h"

namespace arbor {

namespace {

std::string shown(std::string_view name) {
    return std::string(name); // names need no quoting in a shell
}

Result<Timestamp> expiryOf(Service& service, const QJsonObject& params, const char* member) {
    const std::string after = textOf(params, member);
    if (after.empty() || after == "never")
        return Timestamp();
    ARBOR_ASSIGN(const Duration duration, parseDuration(after));
    return service.clock().now() + duration;
}

Result<QJsonValue> create(Service& service, const QJsonObject& params, const RequestContext& context) {
    const std::string name = textOf(params, "name");
    ARBOR_TRY(checkName("branch", name));
    ARBOR_ASSIGN(const BranchRecord parent, service.branchNamed(params, "from"));
    if (service.engine().catalog([&](const Catalog& c) { return c.findBranch(name) != nullptr; }))
        return makeError(ErrorKind::AlreadyExists, "there is a branch {} already: choose another name", name);
    Engine::BranchSpec spec;
    spec.name = name;
    spec.parent = parent.id;
    ARBOR_ASSIGN(spec.options.expiresAt, expiryOf(service, params, "expires"));
    const bool start = params.value("start").toBool();
    if (start && !params.contains("at"))
        service.shortenReplay(parent);
    ARBOR_ASSIGN(const Engine::Resolved at, resolvePoint(service, parent, params));
    spec.from = at.point;
    std::string command = fmt::format("branch create {} --from {}", shown(name), shown(parent.name));
    if (params.contains("at"))
        command += " --at " + textOf(params, "at");
    if (params.contains("expires"))
        command += " --expires " + textOf(params, "expires");
    ARBOR_ASSIGN(BranchRecord made, service.engine().createBranch(callerOf(context, command), spec));
    (void)service.ensurePort(made.id, made.port); // where none is free its start will say so
    if (start)
        ARBOR_TRY(service.startBranch(made));
    ARBOR_ASSIGN(const QJsonValue answer, branchAnswer(service, made));
    QJsonObject json = answer.toObject();
    if (!at.message.empty())
        json.insert("message", text(at.message));
    return QJsonValue(json);
}

// Parents before children.
void listBelow(Service& service, const std::multimap<BranchId, const BranchRecord*>& children,
               BranchId parent, QJsonArray& list) {
    const auto [begin, end] = children.equal_range(parent);
    for (auto child = begin; child != end; ++child) {
        list.append(branchJson(service, *child->second));
        listBelow(service, children, child->second->id, list);
    }
}

Result<QJsonValue> list(Service& service) {
    std::vector<BranchRecord> branches = service.engine().catalog([](const Catalog& catalog) {
        std::vector<BranchRecord> all;
        for (const BranchRecord* branch : catalog.branches())
            all.push_back(*branch);
        return all;
    });
    std::set<BranchId> live;
    for (const BranchRecord& branch : branches)
        live.insert(branch.id);
    std::multimap<BranchId, const BranchRecord*> children;
    for (const BranchRecord& branch : branches) // those whose parent is gone stand at the top
        children.emplace(live.contains(branch.parent) ? branch.parent : BranchId(), &branch);
    QJsonArray result;
    listBelow(service, children, {}, result);
    return QJsonValue(QJsonObject{{"branches", result}});
}

Result<QJsonValue> show(Service& service, const QJsonObject& params) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
    QJsonObject json = branchJson(service, branch);
    QJsonArray checkpoints;
    const auto views = service.engine().catalog([&](const Catalog& c) { return c.checkpoints(branch.id); });
    for (const CheckpointView& checkpoint : views)
        checkpoints.append(checkpointJson(service, branch, checkpoint));
    json.insert("checkpointList", checkpoints);
    json.insert("historyFrom", QJsonObject{{"lsn", lsnJson(service.engine().lineageStart(branch.timeline))}});
    json.insert("warnings", textsJson(service.outsideOf(branch.id)));
    return QJsonValue(json);
}

Result<QJsonValue> rename(Service& service, const QJsonObject& params, const RequestContext& context) {
    const std::string newName = textOf(params, "newName");
    ARBOR_TRY(checkName("branch", newName));
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
    ARBOR_TRY(service.engine().operate(
        callerOf(context, fmt::format("branch rename {} {}", branch.name, newName)),
        [&](Catalog& catalog, Timestamp) { return catalog.renameBranch(branch.id, newName); }));
    return branchAnswer(service,
                        service.engine().catalog([&](const Catalog& c) { return c.branch(branch.id); }));
}

QJsonValue newestTrash(Service& service, BranchId branch) {
    const auto entry = service.engine().catalog([&](const Catalog& catalog) -> std::optional<TrashRecord> {
        for (const TrashRecord* record : catalog.trash())
            if (record->branch.id == branch)
                return *record;
        return std::nullopt;
    });
    return entry ? QJsonValue(trashJson(service, *entry)) : QJsonValue(QJsonObject());
}

Result<QJsonValue> remove(Service& service, const QJsonObject& params, const RequestContext& context) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
    if (branch.isProtected)
        return makeError(ErrorKind::Refused, "{} is protected: `pgarborctl branch unprotect {}` first",
                         branch.name, branch.name);
    ARBOR_TRY(service.aroundMove({branch.id}, [&]() -> Status {
        ARBOR_TRY(service.engine().operate(
            callerOf(context, "branch delete " + branch.name),
            [&](Catalog& catalog, Timestamp now) { return catalog.deleteBranch(branch.id, now); }));
        return {};
    }));
    service.publishBranches({branch.name});
    return newestTrash(service, branch.id);
}

Result<QJsonValue> restore(Service& service, const QJsonObject& params, const RequestContext& context) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
    if (branch.isProtected)
        return makeError(ErrorKind::Refused, "{} is protected: `pgarborctl branch unprotect {}` first",
                         branch.name, branch.name);
    ARBOR_ASSIGN(const Engine::Resolved to, resolvePoint(service, branch, params));
    ARBOR_TRY(service.engine().available(to.point));
    const std::vector<std::string> off = service.turnedOffByARestore(branch);
    ARBOR_TRY(service.aroundMove({branch.id}, [&]() -> Status {
        ARBOR_TRY(service.engine().restoreBranch(
            callerOf(context, fmt::format("branch restore {} --at {}", branch.name, textOf(params, "at"))),
            branch.id, to.point));
        return {};
    }));
    ARBOR_ASSIGN(const QJsonValue answer, branchAnswer(service, branch));
    QJsonObject json = answer.toObject();
    json.insert("trashed", text(branch.name));
    std::string message = to.message;
    if (!off.empty())
        message += fmt::format("{}{} goes on as a fork of its own past: turned off there: {} "
                               "(branch allow turns them on)",
                               message.empty() ? "" : "; ", branch.name, fmt::join(off, ", "));
    if (!message.empty())
        json.insert("message", text(message));
    return QJsonValue(json);
}

Result<QJsonValue> reset(Service& service, const QJsonObject& params, const RequestContext& context) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
    if (branch.isRoot())
        return makeError(ErrorKind::Refused, "{} is a root: it has no parent to be reset to", branch.name);
    if (branch.isProtected)
        return makeError(ErrorKind::Refused, "{} is protected: `pgarborctl branch unprotect {}` first",
                         branch.name, branch.name);
    ARBOR_TRY(service.aroundMove({branch.id}, [&]() -> Status {
        ARBOR_TRY(service.engine().resetBranch(callerOf(context, "branch reset " + branch.name), branch.id));
        return {};
    }));
    ARBOR_ASSIGN(const QJsonValue answer, branchAnswer(service, branch));
    QJsonObject json = answer.toObject();
    json.insert("trashed", text(branch.name));
    return QJsonValue(json);
}

Result<QJsonValue> protect(Service& service, const QJsonObject& params, const RequestContext& context,
                           bool on) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
    ARBOR_TRY(service.engine().operate(
        callerOf(context, fmt::format("branch {} {}", on ? "protect" : "unprotect", branch.name)),
        [&](Catalog& catalog, Timestamp) { return catalog.setProtected(branch.id, on); }));
    return branchAnswer(service, branch);
}

Result<QJsonValue> expire(Service& service, const QJsonObject& params, const RequestContext& context) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
    ARBOR_ASSIGN(const Timestamp at, expiryOf(service, params, "after"));
    ARBOR_TRY(service.engine().operate(
        callerOf(context, fmt::format("branch expire {} {}", branch.name, textOf(params, "after"))),
        [&](Catalog& catalog, Timestamp now) { return catalog.setExpiry(branch.id, at, now); }));
    return branchAnswer(service, branch);
}

// What a person who changes the rules has to know of their effect.
std::string effectOf(Service& service, const BranchRecord& branch, const TimelineRecord& timeline,
                     const std::set<OutsideRule>& rules, bool allow) {
    const bool runs = service.endpoints().info(Service::keyOf(branch.id)).state != Endpoint::State::Stopped;
    std::string effect =
        runs ? fmt::format("holds once its server starts again: pgarborctl restart {}", branch.name)
             : std::string("holds from the next start of its server on");
    if (allow && (rules.contains(OutsideRule::Archiving) || rules.contains(OutsideRule::WalSenders)))
        effect += "; unless it has one, it takes a PostgreSQL timeline id of its own then";
    if (allow && rules.contains(OutsideRule::ReplicationSlots) && !timeline.neverStarted)
        effect += "; its parent's replication slots went with its first start: they come back with a restore "
                  "or reset";
    return effect;
}

Result<QJsonValue> changeRules(Service& service, const QJsonObject& params, const RequestContext& context,
                               bool allow) {
    std::set<OutsideRule> rules;
    std::vector<std::string> names;
    for (const QJsonValue& value : params.value("rules").toArray()) {
        names.push_back(value.toString().toStdString());
        ARBOR_ASSIGN(const OutsideRule rule, ruleFromName(names.back()));
        rules.insert(rule);
    }
    if (rules.empty())
        return makeError(ErrorKind::InvalidArgument, "which rules?");
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
    ARBOR_ASSIGN(const TimelineRecord timeline,
                 service.engine().catalog([&](const Catalog& c) { return c.timeline(branch.timeline); }));
    if (!timeline.parent)
        return makeError(ErrorKind::Refused,
                         "{} is a root: its server acts on the outside as its own configuration says",
                         branch.name);
    const std::optional<std::string> value = allow ? std::optional<std::string>("on") : std::nullopt;
    ARBOR_TRY(service.engine().operate(
        callerOf(context, fmt::format("branch {} {} {}", allow ? "allow" : "forbid", branch.name,
                                      fmt::join(names, " "))),
        [&](Catalog& catalog, Timestamp) { return catalog.setBranchSettings(branch.id, names, value); }));
    ARBOR_ASSIGN(const QJsonValue answer, branchAnswer(service, branch));
    QJsonObject json = answer.toObject();
    json.insert("message", text(effectOf(service, branch, timeline, rules, allow)));
    return QJsonValue(json);
}

Result<QJsonValue> listTrash(Service& service) {
    const auto entries = service.engine().catalog([](const Catalog& catalog) {
        std::vector<TrashRecord> all;
        for (const TrashRecord* entry : catalog.trash())
            all.push_back(*entry);
        return all;
    });
    QJsonArray list;
    for (const TrashRecord& entry : entries)
        list.append(trashJson(service, entry));
    return QJsonValue(QJsonObject{{"trash", list}});
}

Result<QJsonValue> restoreTrash(Service& service, const QJsonObject& params, const RequestContext& context) {
    const std::string name = textOf(params, "name");
    ARBOR_ASSIGN(const TrashRecord entry,
                 service.engine().catalog([&](const Catalog& c) { return c.newestTrash(name); }));
    ARBOR_ASSIGN(const CatalogChange change,
                 service.engine().operate(callerOf(context, "trash restore " + name),
                                          [&](Catalog& catalog, Timestamp now) {
                                              return catalog.restoreFromTrash(entry.id, now);
                                          }));
    return branchAnswer(service,
                        service.engine().catalog([&](const Catalog& c) { return c.branch(change.branch); }));
}

Result<CheckpointView> checkpointNamed(Service& service, const BranchRecord& branch,
                                       const std::string& name) {
    const auto views = service.engine().catalog([&](const Catalog& c) { return c.checkpoints(branch.id); });
    for (const CheckpointView& view : views)
        if (view.record.name == name)
            return view;
    return makeError(ErrorKind::NotFound, "{} has no checkpoint {}", branch.name, name);
}

Result<QJsonValue> createCheckpoint(Service& service, const QJsonObject& params,
                                    const RequestContext& context) {
    const std::string name = textOf(params, "name");
    ARBOR_TRY(checkName("checkpoint", name));
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params, "branch"));
    ARBOR_ASSIGN(const Engine::Resolved at, resolvePoint(service, branch, params));
    std::string command = fmt::format("checkpoint create {} --branch {}", name, branch.name);
    if (params.contains("at"))
        command += " --at " + textOf(params, "at");
    ARBOR_TRY(service.engine().createCheckpoint(callerOf(context, command), branch.id, name, at.point));
    ARBOR_ASSIGN(const CheckpointView made, checkpointNamed(service, branch, name));
    service.publishBranches({branch.name});
    QJsonObject json = checkpointJson(service, branch, made);
    if (!at.message.empty())
        json.insert("message", text(at.message));
    return QJsonValue(json);
}

Result<QJsonValue> listCheckpoints(Service& service, const QJsonObject& params) {
    std::vector<BranchRecord> branches;
    if (params.value("branch").isString()) {
        ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params, "branch"));
        branches.push_back(branch);
    } else {
        branches = service.engine().catalog([](const Catalog& catalog) {
            std::vector<BranchRecord> all;
            for (const BranchRecord* branch : catalog.branches())
                all.push_back(*branch);
            return all;
        });
    }
    QJsonArray list;
    for (const BranchRecord& branch : branches) {
        const auto views =
            service.engine().catalog([&](const Catalog& c) { return c.checkpoints(branch.id); });
        for (const CheckpointView& view : views)
            list.append(checkpointJson(service, branch, view));
    }
    return QJsonValue(QJsonObject{{"checkpoints", list}});
}

Result<QJsonValue> deleteCheckpoint(Service& service, const QJsonObject& params,
                                    const RequestContext& context) {
    const std::string name = textOf(params, "name");
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params, "branch"));
    ARBOR_ASSIGN(const CheckpointView gone, checkpointNamed(service, branch, name));
    ARBOR_TRY(service.engine().operate(
        callerOf(context, fmt::format("checkpoint delete {} --branch {}", name, branch.name)),
        [&](Catalog& catalog, Timestamp) { return catalog.deleteCheckpoint(branch.id, name); }));
    service.publishBranches({branch.name});
    return QJsonValue(checkpointJson(service, branch, gone));
}

} // namespace

void registerBranchMethods(Service& service) {
    using Context = const RequestContext&;
    using Params = const QJsonObject&;
    service.onWorker(method::branchCreate, [&](Params p, Context c) { return create(service, p, c); });
    service.onWorker(method::branchList, [&](Params, Context) { return list(service); });
    service.onWorker(method::branchShow, [&](Params p, Context) { return show(service, p); });
    service.onWorker(method::branchRename, [&](Params p, Context c) { return rename(service, p, c); });
    service.onWorker(method::branchDelete, [&](Params p, Context c) { return remove(service, p, c); });
    service.onWorker(method::branchRestore, [&](Params p, Context c) { return restore(service, p, c); });
    service.onWorker(method::branchReset, [&](Params p, Context c) { return reset(service, p, c); });
    service.onWorker(method::branchProtect,
                     [&](Params p, Context c) { return protect(service, p, c, true); });
    service.onWorker(method::branchUnprotect,
                     [&](Params p, Context c) { return protect(service, p, c, false); });
    service.onWorker(method::branchExpire, [&](Params p, Context c) { return expire(service, p, c); });
    service.onWorker(method::branchAllow,
                     [&](Params p, Context c) { return changeRules(service, p, c, true); });
    service.onWorker(method::branchForbid,
                     [&](Params p, Context c) { return changeRules(service, p, c, false); });
    service.onWorker(method::trashList, [&](Params, Context) { return listTrash(service); });
    service.onWorker(method::trashRestore, [&](Params p, Context c) { return restoreTrash(service, p, c); });
    service.onWorker(method::checkpointCreate,
                     [&](Params p, Context c) { return createCheckpoint(service, p, c); });
    service.onWorker(method::checkpointList, [&](Params p, Context) { return listCheckpoints(service, p); });
    service.onWorker(method::checkpointDelete,
                     [&](Params p, Context c) { return deleteCheckpoint(service, p, c); });
}

} // namespace arbor
