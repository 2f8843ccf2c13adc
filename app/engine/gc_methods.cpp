// stats, gc.plan, gc.run, scrub
#include "app/control/arguments.h"
#include "app/control/methods.h"
#include "app/engine/inflation.h"
#include "app/engine/json.h"
#include "app/engine/limits.h"
#include "storage/base/units.h"
#include "storage/engine/scrub.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace arbor {

namespace {

qint64 bytes(std::uint64_t value) {
    return static_cast<qint64>(value);
}

// --- stats

QJsonObject branchStats(Service& service, const BranchRecord& branch, const GcPlan& plan) {
    const auto owner = plan.owners.find(branch.id);
    const GcPlan::OwnerUse use = owner == plan.owners.end() ? GcPlan::OwnerUse() : owner->second;
    const auto timeline = plan.timelines.find(branch.timeline);
    QJsonObject json{
        {"name", text(branch.name)},
        {"privateBytes", bytes(use.privateBytes)},
        {"sharedBytes", QJsonValue()},
        {"historyBytes", bytes(use.onlyBytes - std::min(use.onlyBytes, use.privateBytes))},
        {"onlyBytes", bytes(use.onlyBytes)},
        {"inheritedBytes", bytes(use.inheritedBytes)},
        {"logicalBytes", QJsonValue()},
        {"depth", timeline == plan.timelines.end() ? 0 : static_cast<int>(timeline->second.depth)}};
    if (const auto logical = service.accounting().logicalBytes(branch))
        json.insert("logicalBytes", bytes(*logical));
    return json;
}

Result<QJsonArray> relationsOf(Service& service, const BranchRecord& branch, std::size_t limit) {
    ARBOR_ASSIGN(const auto uses, relationUse(service, branch));
    QJsonArray list;
    const auto orNull = [](const std::string& name) {
        return name.empty() ? QJsonValue() : QJsonValue(text(name));
    };
    for (std::size_t i = 0; i < std::min(uses.size(), limit); ++i)
        list.append(QJsonObject{{"file", orNull(uses[i].file)},
                                {"database", orNull(uses[i].database)},
                                {"relation", orNull(uses[i].relation)},
                                {"kind", orNull(uses[i].kind)},
                                {"gone", uses[i].isGone},
                                {"privateBytes", bytes(uses[i].privateBytes)},
                                {"pinnedBytes", bytes(uses[i].pinnedBytes)}});
    return list;
}

QJsonArray remediesJson(Service& service, const Collector::Accounts& accounts) {
    QJsonArray list;
    for (const Remedy& remedy : remedies(service, accounts))
        list.append(QJsonObject{
            {"what", text(remedy.what)}, {"text", text(remedy.text)}, {"bytes", bytes(remedy.bytes)}});
    return list;
}

Result<QJsonValue> stats(Service& service, const QJsonObject& params) {
    const std::string only = textOf(params, "branch");
    if (!only.empty())
        ARBOR_TRY(service.branchNamed(params, "branch"));
    ARBOR_ASSIGN(const Space::AccountsPtr accounts, service.accounting().accounts());
    const GcPlan& plan = accounts->plan;
    const auto branches = service.engine().catalog([&](const Catalog& catalog) {
        std::vector<BranchRecord> found;
        for (const BranchRecord* branch : catalog.branches())
            if (only.empty() || branch->name == only)
                found.push_back(*branch);
        return found;
    });
    constexpr std::size_t fewBranches = 16; // a walk over the index for each
    QJsonArray list;
    std::uint64_t logical = 0;
    for (const BranchRecord& branch : branches) {
        QJsonObject json = branchStats(service, branch, plan);
        logical += static_cast<std::uint64_t>(json.value("logicalBytes").toDouble());
        if (branches.size() <= fewBranches) {
            ARBOR_ASSIGN(const std::uint64_t needed, service.accounting().neededBy(branch.id));
            const auto own = static_cast<std::uint64_t>(json.value("privateBytes").toDouble());
            json.insert("sharedBytes", bytes(needed - std::min(needed, own)));
        }
        list.append(json);
    }
    ARBOR_ASSIGN(const std::uint64_t free,
                 service.engine().store().disk().freeBytes(service.engine().directory()));
    QJsonObject json{{"branches", list},
                     {"sharedBytes", bytes(plan.sharedBytes)},
                     {"historyBytes", bytes(plan.historyBytes)},
                     {"windowBytes", bytes(plan.windowBytes)},
                     {"trashBytes", bytes(plan.trashBytes)},
                     {"garbageBytes", bytes(plan.garbageBytes + plan.unknownBytes)},
                     {"pagesBytes", bytes(accounts->pagesBytes)},
                     {"walBytes", bytes(accounts->logBytes)},
                     {"indexBytes", bytes(accounts->indexBytes)},
                     {"diskBytes", bytes(plan.totalBytes)},
                     {"freeBytes", bytes(free)},
                     {"reclaimableBytes", bytes(plan.freeBytes)}};
    if (!only.empty() && !branches.empty()) {
        constexpr int few = 50;
        const int limit = std::clamp(params.value("relations").toInt(few), 0, 100'000);
        ARBOR_ASSIGN(const QJsonArray relations,
                     relationsOf(service, branches.front(), static_cast<std::size_t>(limit)));
        json.insert("relations", relations);
    }
    const LimitState state = limitState(service, *accounts);
    service.noteLimitTold(state);
    if (state.level != LimitState::Level::Fine) {
        json.insert("warning", text(state.text));
        json.insert("limitState", static_cast<int>(state.level));
        json.insert("remedies", remediesJson(service, *accounts));
    }
    if (only.empty()) {
        json.insert("logicalBytes", bytes(logical));
        json.insert("inflation", logical == 0 ? QJsonValue()
                                              : QJsonValue(static_cast<double>(plan.totalBytes) /
                                                           static_cast<double>(logical)));
    }
    return QJsonValue(json);
}

// Samples over time, with what they lead to.
Result<QJsonValue> samples(Service& service, const QJsonObject& params) {
    const Timestamp now = service.clock().now();
    const auto timeOf = [&](const char* member, Timestamp otherwise) -> Result<Timestamp> {
        const std::string given = textOf(params, member);
        if (given.empty())
            return otherwise;
        const auto parsed = Timestamp::parseIso(given);
        if (!parsed)
            return makeError(ErrorKind::InvalidArgument, "{}: \"{}\" is no ISO 8601 time with zone", member,
                             given);
        return *parsed;
    };
    ARBOR_ASSIGN(const Timestamp from, timeOf("from", Timestamp{}));
    ARBOR_ASSIGN(const Timestamp to, timeOf("to", now));
    const auto limit = static_cast<std::size_t>(std::clamp(params.value("limit").toInt(2000), 2, 20'000));
    ARBOR_ASSIGN(const auto found, samplesBetween(service.engine().store().index(), from, to, limit));
    QJsonArray list;
    for (const Sample& sample : found)
        list.append(QJsonObject{{"time", timeJson(sample.at)},
                                {"liveBytes", bytes(sample.liveBytes)},
                                {"windowBytes", bytes(sample.windowBytes)},
                                {"pinnedBytes", bytes(sample.pinnedBytes)},
                                {"trashBytes", bytes(sample.trashBytes)},
                                {"garbageBytes", bytes(sample.garbageBytes)},
                                {"logicalBytes", bytes(sample.logicalBytes)},
                                {"indexBytes", bytes(sample.indexBytes)},
                                {"freeBytes", bytes(sample.freeBytes)}});
    const std::uint64_t diskLimit =
        service.engine().catalog([](const Catalog& c) { return c.sizeSetting("disk-limit"); });
    const Forecast ahead = presentForecast(service);
    QJsonArray help;
    if (const auto accounts = service.accounting().recentAccounts())
        help = remediesJson(service, *accounts);
    return QJsonValue(
        QJsonObject{{"samples", list},
                    {"remedies", help},
                    {"limitBytes", diskLimit == 0 ? QJsonValue() : QJsonValue(bytes(diskLimit))},
                    {"growthBytesPerSecond", ahead.bytesPerSecond},
                    {"fullAt", timeJson(ahead.fullAt)}});
}

// --- gc.plan

std::vector<std::string> withoutOf(const QJsonObject& params) {
    std::vector<std::string> without;
    for (const QJsonValue& value : params.value("without").toArray())
        without.push_back(value.toString().toStdString());
    if (params.value("emptyTrash").toBool())
        without.push_back("trash");
    return without;
}

QJsonArray removablesJson(const std::vector<Removable>& list) {
    QJsonArray json;
    for (const Removable& one : list)
        json.append(QJsonObject{{"what", text(one.what)},
                                {"kind", text(one.kind)},
                                {"name", text(one.name)},
                                {"branch", one.branch.empty() ? QJsonValue() : QJsonValue(text(one.branch))},
                                {"fromLsn", lsnJson(one.from)},
                                {"toLsn", lsnJson(one.to)},
                                {"onlyBytes", bytes(one.onlyBytes)},
                                {"lastUsed", timeJson(one.lastUsed)},
                                {"kept", one.isKept}});
    return json;
}

QJsonArray pinsJson(Service& service, const Collector::Accounts& accounts) {
    const auto lsnOf = [&](Lsn lsn, TimelineId timeline) {
        return lsnJson(lsn == Lsn{UINT64_MAX} ? service.headLsn(timeline) : lsn);
    };
    QJsonArray pins;
    for (std::size_t i = 0; i < accounts.input.pins.size(); ++i) {
        const GcPin& pin = accounts.input.pins[i];
        if (pin.kind == PinKind::Child)
            continue; // a part of what is said of the child below
        const bool fromHead = pin.kind == PinKind::Window && pin.fromLsn == Lsn{};
        pins.append(
            QJsonObject{{"kind", text(pinKindName(pin.kind))},
                        {"name", text(pin.name)},
                        {"branch", pin.branch.empty() ? QJsonValue() : QJsonValue(text(pin.branch))},
                        {"fromLsn", lsnOf(pin.kind == PinKind::Window && !fromHead ? pin.fromLsn : pin.toLsn,
                                          pin.timeline)},
                        {"toLsn", lsnOf(pin.toLsn, pin.timeline)},
                        {"onlyBytes", bytes(accounts.plan.pins[i].onlyBytes)}});
    }
    // what a branch keeps of the timelines that it was forked from
    service.engine().catalog([&](const Catalog& catalog) {
        for (const BranchRecord* branch : catalog.branches()) {
            const TimelineRecord* line = catalog.findTimeline(branch->timeline);
            if (line == nullptr || !line->parent)
                continue;
            const auto left = catalog.branchPoint(branch->timeline);
            const Lsn at = left ? left->at.lsn : line->fork.lsn;
            const auto owner = accounts.plan.owners.find(branch->id);
            pins.append(QJsonObject{
                {"kind", "child"},
                {"name", text(branch->name)},
                {"branch", branch->isRoot() ? QJsonValue() : QJsonValue(text(catalog.parentName(*branch)))},
                {"fromLsn", lsnJson(at)},
                {"toLsn", lsnJson(at)},
                {"onlyBytes",
                 bytes(owner == accounts.plan.owners.end() ? 0 : owner->second.inheritedBytes)}});
        }
        return 0;
    });
    return pins;
}

std::uint64_t neededBytes(const GcPlan& plan) {
    return plan.privateBytes + plan.sharedBytes + plan.historyBytes;
}

Result<QJsonValue> plan(Service& service, const QJsonObject& params) {
    const std::vector<std::string> without = withoutOf(params);
    ARBOR_ASSIGN(Collector::WhatIf whatIf, whatIfOf(service, without));
    if (const std::string history = textOf(params, "history"); !history.empty()) {
        ARBOR_ASSIGN(whatIf.historyTime, parseDuration(history));
    }
    ARBOR_ASSIGN(const Space::AccountsPtr now, service.accounting().accounts());
    Collector::Accounts accounts = *now;
    if (!without.empty() || whatIf.historyTime) {
        ARBOR_ASSIGN(accounts, service.accounting().collector().plan(whatIf));
    }
    QJsonObject json;
    if (const std::string wanted = textOf(params, "free"); !wanted.empty()) {
        if (!without.empty() || whatIf.historyTime)
            return makeError(ErrorKind::InvalidArgument, "free finds what to remove: no without, no history");
        ARBOR_ASSIGN(const std::uint64_t size, parseSize(wanted));
        ARBOR_ASSIGN(Proposal proposal, proposeRemovals(service, *now, size));
        json.insert("wantedBytes", bytes(size));
        json.insert("enough", proposal.isEnough);
        json.insert("proposed", removablesJson(proposal.chosen));
        accounts = std::move(proposal.accounts);
    }
    QJsonArray doubts;
    for (const std::string& doubt : accounts.plan.doubts)
        doubts.append(text(doubt));
    const std::uint64_t limit =
        service.engine().catalog([](const Catalog& c) { return c.sizeSetting("disk-limit"); });
    const std::uint64_t before = neededBytes(now->plan);
    json.insert("freeBytes", bytes(accounts.plan.freeBytes));
    json.insert("releasedBytes", bytes(before - std::min(before, neededBytes(accounts.plan))));
    json.insert("garbageBytes", bytes(accounts.plan.garbageBytes));
    json.insert("diskBytes", bytes(accounts.plan.totalBytes));
    json.insert("pins", pinsJson(service, accounts));
    json.insert("removable", removablesJson(removables(service, *now)));
    json.insert("limitBytes", limit == 0 ? QJsonValue() : QJsonValue(bytes(limit)));
    json.insert("doubts", doubts);
    if (params.value("check").toBool()) {
        const LimitState state = limitState(service, accounts);
        json.insert("limitPassed", state.level != LimitState::Level::Fine);
        json.insert("limitText", state.text.empty() ? QJsonValue() : QJsonValue(text(state.text)));
    }
    return QJsonValue(json);
}

// --- gc.run, scrub

Result<QJsonValue> run(Service& service, const QJsonObject& params, const RequestContext& context, Job& job) {
    job.progress(-1, QStringLiteral("removing"));
    ARBOR_TRY(removeForGood(service, context, withoutOf(params)));
    Collector::RunOptions options;
    options.cancelled = [&] { return job.cancelRequested(); };
    options.progress = [&](const Collector::Progress& progress) {
        const double fraction = progress.plannedBytes == 0 ? 1.0
                                                           : static_cast<double>(progress.freedBytes) /
                                                                 static_cast<double>(progress.plannedBytes);
        job.progress(std::min(1.0, fraction), text(progress.phase), bytes(progress.freedBytes));
    };
    if (const std::string speed = textOf(params, "bytesPerSecond"); !speed.empty()) {
        ARBOR_ASSIGN(options.bytesPerSecond, parseSize(speed));
    }
    ARBOR_ASSIGN(const Collector::Outcome outcome, service.sweep(options));
    if (outcome.cancelled)
        return makeError(ErrorKind::Cancelled, "the sweep was cancelled; {} are free already",
                         roundedSize(outcome.freedBytes));
    QJsonArray problems;
    for (const std::string& problem : outcome.problems)
        problems.append(text(problem));
    return QJsonValue(QJsonObject{{"plannedBytes", bytes(outcome.plannedBytes)},
                                  {"freedBytes", bytes(outcome.freedBytes)},
                                  {"bytesMoved", bytes(outcome.movedBytes)},
                                  {"outOfSpace", outcome.outOfSpace},
                                  {"problems", problems}});
}

Result<QJsonValue> scrubStore(Service& service, Job& job) {
    ScrubOptions options;
    options.cancelled = [&] { return job.cancelRequested(); };
    options.progress = [&](const ScrubProgress& progress) {
        const double fraction = progress.bytesExpected == 0 ? -1.0
                                                            : static_cast<double>(progress.bytesRead) /
                                                                  static_cast<double>(progress.bytesExpected);
        job.progress(std::min(1.0, fraction), QStringLiteral("reading"), bytes(progress.bytesRead));
    };
    const ScrubReport report = scrub(service.engine(), options);
    if (report.wasCancelled)
        return makeError(ErrorKind::Cancelled, "the scrub was cancelled");
    constexpr qsizetype mostProblems = 100;
    QJsonArray problems;
    std::uint64_t count = report.unlisted;
    for (const ScrubFinding& finding : report.findings) {
        if (finding.severity == ScrubFinding::Severity::Garbage)
            continue; // nothing that anybody needs
        ++count;
        if (problems.size() < mostProblems)
            problems.append(text(finding.message));
    }
    return QJsonValue(QJsonObject{{"checkedBytes", bytes(report.read.bytesRead)},
                                  {"checkedImages", bytes(report.read.images)},
                                  {"problemCount", bytes(count)},
                                  {"problems", problems}});
}

} // namespace

void registerGcMethods(Service& service) {
    using Context = const RequestContext&;
    using Params = const QJsonObject&;
    service.onWorker(method::stats, [&](Params p, Context) { return stats(service, p); });
    service.onWorker(method::samples, [&](Params p, Context) { return samples(service, p); });
    service.onWorker(method::gcPlan, [&](Params p, Context) { return plan(service, p); });
    service.asJob(method::gcRun, QStringLiteral("freeing what nothing needs"),
                  [&](Params p, Context c, Job& job) { return run(service, p, c, job); });
    service.asJob(method::scrub, QStringLiteral("reading everything"),
                  [&](Params, Context, Job& job) { return scrubStore(service, job); });
}

} // namespace arbor
