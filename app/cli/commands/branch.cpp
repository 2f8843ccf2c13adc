#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> create(const Invocation& invocation, Session& session) {
    QJsonObject params =
        paramsOf(invocation, {{"NAME", "name"}, {"from", "from"}, {"at", "at"}, {"expires", "expires"}});
    if (invocation.has("start"))
        params.insert("start", true);
    return callAndSay(session, method::branchCreate, params,
                      toQt("made branch " + invocation.value("NAME") + " from " + invocation.value("from")));
}

Result<int> list(const Invocation&, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result, session.call(method::branchList, {}));
    const QJsonArray branches = result.toObject().value("branches").toArray();
    session.print(branches, [&](std::ostream& out) {
        Table table({{"NAME"},
                     {"STATE"},
                     {"PORT", Table::Align::Right},
                     {"HEAD"},
                     {"FORK"},
                     {"PRIVATE", Table::Align::Right},
                     {"CREATED"},
                     {"EXPIRES"}});
        for (const TreeLine& line : branchTree(branches, session.unicode())) {
            const QJsonObject& b = line.branch;
            const std::string mark = b.value("protected").toBool() ? " (protected)" : "";
            table.add({line.prefix + plainText(b.value("name")) + mark,
                       stateText(b.value("state"), session.colour()), plainText(b.value("port")),
                       plainText(b.value("headLsn")), plainText(b.value("forkLsn")),
                       bytesText(b.value("privateBytes")), agoText(b.value("createdAt"), session.now()),
                       agoText(b.value("expiresAt"), session.now())});
        }
        out << table.toString();
    });
    return 0;
}

Result<int> show(const Invocation& invocation, Session& session) {
    ARBOR_ASSIGN(const QJsonValue result,
                 session.call(method::branchShow, paramsOf(invocation, {{"NAME", "name"}})));
    session.print(result, [&](std::ostream& out) {
        const QJsonObject object = result.toObject();
        out << objectText(object);
        QStringList allowed;
        for (const QJsonValue& rule : object.value("allowed").toArray())
            allowed.append(rule.toString());
        if (!allowed.empty())
            out << "allowed: " << plainText(allowed.join(", ")) << '\n';
        for (const QJsonValue& value : object.value("checkpointList").toArray())
            out << "checkpoint: " << plainText(value.toObject().value("name")) << " at "
                << plainText(value.toObject().value("lsn")) << '\n';
        for (const QJsonValue& value : object.value("peeks").toArray())
            out << "peek: at " << plainText(value.toObject().value("lsn")) << ", open since "
                << timeText(value.toObject().value("openedAt")) << '\n';
        for (const QJsonValue& warning : object.value("warnings").toArray())
            out << "warning: " << plainText(warning) << '\n';
    });
    return 0;
}

Result<int> rename(const Invocation& invocation, Session& session) {
    return callAndSay(session, method::branchRename,
                      paramsOf(invocation, {{"OLD", "name"}, {"NEW", "newName"}}),
                      toQt("renamed " + invocation.value("OLD") + " to " + invocation.value("NEW")));
}

// Commands of one name and perhaps a position, that differ in method and words.
template <const char* methodName>
Result<int> onOne(const Invocation& invocation, Session& session, const char* words) {
    return callAndSay(session, methodName,
                      paramsOf(invocation, {{"NAME", "name"}, {"at", "at"}, {"WHEN", "after"}}),
                      QString(words) + " " + toQt(invocation.value("NAME")));
}
Result<int> remove(const Invocation& invocation, Session& session) {
    return onOne<method::branchDelete>(invocation, session, "moved to the trash:");
}
Result<int> restore(const Invocation& invocation, Session& session) {
    return onOne<method::branchRestore>(invocation, session, "restored");
}
Result<int> reset(const Invocation& invocation, Session& session) {
    return onOne<method::branchReset>(invocation, session, "reset to its parent's head:");
}
Result<int> protect(const Invocation& invocation, Session& session) {
    return onOne<method::branchProtect>(invocation, session, "protected");
}
Result<int> unprotect(const Invocation& invocation, Session& session) {
    return onOne<method::branchUnprotect>(invocation, session, "no longer protected:");
}
Result<int> expire(const Invocation& invocation, Session& session) {
    return onOne<method::branchExpire>(invocation, session, "changed the expiry of");
}

template <const char* methodName>
Result<int> changeRules(const Invocation& invocation, Session& session, const char* words) {
    QStringList rules;
    for (const std::string& rule : invocation.values.at("RULE"))
        rules.append(toQt(rule));
    QJsonObject params = paramsOf(invocation, {{"NAME", "name"}});
    params.insert("rules", QJsonArray::fromStringList(rules));
    return callAndSay(session, methodName, params,
                      QString("%1 %2: %3").arg(words, toQt(invocation.value("NAME")), rules.join(", ")));
}
Result<int> allow(const Invocation& invocation, Session& session) {
    return changeRules<method::branchAllow>(invocation, session, "allowed");
}
Result<int> forbid(const Invocation& invocation, Session& session) {
    return changeRules<method::branchForbid>(invocation, session, "forbidden");
}
} // namespace

std::vector<Command> branch() {
    const PositionalSpec name{"NAME", ValueKind::Branch, "the branch"};
    const PositionalSpec rules{"RULE", ValueKind::Rule,
                               "archiving, primary-connection, synchronous-standbys, logical-workers, "
                               "walsenders, replication-slots or scheduled-jobs",
                               true, true};
    return {
        {"branch create",
         "make a branch of another, at any point of its history",
         {{"from", "BRANCH", ValueKind::Branch, "the parent", true},
          {"at", "POS", ValueKind::Position, "the point of its history (default: head)"},
          {"expires", "7d", ValueKind::Duration, "move it to the trash after this time"},
          {"start", "", ValueKind::Flag, "start it, and wait until queries are answered"}},
         {{"NAME", ValueKind::Branch, "the new branch"}},
         {},
         create},
        {"branch list", "show the tree of branches", {}, {}, {}, list},
        {"branch show", "show all about a branch", {}, {name}, {}, show},
        {"branch rename",
         "give a branch another name",
         {},
         {{"OLD", ValueKind::Branch, "the branch"}, {"NEW", ValueKind::Branch, "its new name"}},
         {},
         rename},
        {"branch delete", "move a branch to the trash", {}, {name}, {}, remove},
        {"branch restore",
         "set a branch back to a point of its own history",
         {{"at", "POS", ValueKind::Position, "the point", true}},
         {name},
         {},
         restore,
         "The present head goes to the trash, from where undo brings it back."},
        {"branch reset", "set a branch to the head of its parent", {}, {name}, {}, reset},
        {"branch protect", "refuse to delete, restore or reset a branch", {}, {name}, {}, protect},
        {"branch unprotect", "lift the protection of a branch", {}, {name}, {}, unprotect},
        {"branch expire",
         "move a branch to the trash after a time, or never",
         {},
         {name, {"WHEN", ValueKind::DurationOrNever, "7d, or never"}},
         {},
         expire},
        {"branch allow",
         "let the server of a fork act on the outside world",
         {},
         {name, rules},
         {},
         allow,
         "A fork has its parent's configuration and must not act on the outside in its place: it does not "
         "archive its log (archiving), follow or ask another server (primary-connection), wait for standbys "
         "(synchronous-standbys), run subscriptions (logical-workers), send its log (walsenders), keep its "
         "parent's slots (replication-slots; only before its first start) or run what pg_cron and the like "
         "have on their schedule (scheduled-jobs). What is allowed holds from the next start of its server "
         "on, and through restore and reset. A fork that is allowed archiving or walsenders moves to a "
         "PostgreSQL timeline id of its own at that start, and writes full page images."},
        {"branch forbid",
         "take back what a fork was allowed",
         {},
         {name, rules},
         {},
         forbid,
         "Holds from the next start of its server on. The PostgreSQL timeline id stays."},
    };
}

} // namespace arbor::commands
