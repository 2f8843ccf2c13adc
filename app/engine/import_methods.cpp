// import, import.check, export
#include "app/control/arguments.h"
#include "app/control/methods.h"
#include "app/engine/import_jobs.h"
#include "app/engine/json.h"
#include "app/postgres/sql_session.h"

namespace arbor {

namespace {

Result<ImportRequest> requestOf(const QJsonObject& params) {
    ImportRequest request;
    request.directory = textOf(params, "directory");
    request.from = textOf(params, "from");
    request.dump = textOf(params, "dump");
    request.superuser = textOf(params, "superuser");
    request.database = textOf(params, "database");
    request.jobs = params.value("jobs").toInt();
    const int ways = !request.directory.empty() + !request.from.empty() + !request.dump.empty();
    if (ways != 1)
        return makeError(ErrorKind::InvalidArgument,
                         "an import takes one of: a data directory, a server to copy from, a dump");
    for (const std::string& path : {request.directory, request.dump})
        if (!path.empty() && !path.starts_with('/'))
            return makeError(ErrorKind::InvalidArgument, "{} is not an absolute path", path);
    return request;
}

// As the command line would say it; without the password that an address may hold.
std::string commandOf(const ImportRequest& request, const std::string& name) {
    if (!request.directory.empty())
        return fmt::format("import {} {}", request.directory, name);
    if (!request.dump.empty())
        return fmt::format("import --dump {} {}", request.dump, name);
    const auto address = ServerAddress::parse(request.from);
    return fmt::format("import --from \"{}\" {}", address ? address->withoutPassword() : "", name);
}

Result<ImportPreview> preview(Service& service, const ImportRequest& request) {
    return !request.directory.empty() ? previewDirectory(service, request)
           : !request.from.empty()    ? previewServer(service, request)
                                      : previewDump(service, request);
}

Result<QJsonValue> check(Service& service, const QJsonObject& params) {
    ARBOR_ASSIGN(const ImportRequest request, requestOf(params));
    ARBOR_ASSIGN(const ImportPreview found, preview(service, request));
    ARBOR_ASSIGN(const Installation installation, pickInstallation(service.installations(), found.major));
    ARBOR_ASSIGN(const std::uint64_t free, service.disk().freeBytes(service.options().store));
    const bool fits =
        checkSpace(service, service.options().store, found.neededBytes, "the import").has_value();
    return QJsonValue(QJsonObject{{"pgMajor", installation.major},
                                  {"bytes", static_cast<qint64>(found.bytes)},
                                  {"freeBytes", static_cast<qint64>(free)},
                                  {"fits", fits},
                                  {"report", textsJson(found.report)}});
}

// A store that takes no more writes ends the engine, which cancels its jobs: the first reason is told. A job
// that somebody cancelled ends as that, whatever it was that broke off.
Error endOf(Error error, Service& service, const Job& job) {
    if (auto failed = service.engine().store().firstFailure(); !failed)
        return std::move(failed).error().during("the store takes no more writes");
    return job.cancelRequested() ? makeError(ErrorKind::Cancelled, "cancelled") : error;
}

Result<QJsonValue> import(Service& service, const QJsonObject& params, const RequestContext& context,
                          Job& job) {
    const std::string name = textOf(params, "name");
    ARBOR_TRY(checkName("branch", name));
    ARBOR_ASSIGN(const ImportRequest request, requestOf(params));
    if (service.engine().catalog([&](const Catalog& c) { return c.branch(name).has_value(); }))
        return makeError(ErrorKind::AlreadyExists, "there is a branch {} already", name);
    const Caller caller = callerOf(context, commandOf(request, name));
    auto outcome = !request.directory.empty() ? importDirectory(service, request, caller, name, job)
                   : !request.from.empty()    ? importServer(service, request, caller, name, job)
                                              : importDump(service, request, caller, name, job);
    if (!outcome)
        return endOf(std::move(outcome).error(), service, job);
    ARBOR_ASSIGN(const QJsonValue branch, branchAnswer(service, outcome->branch));
    return QJsonValue(QJsonObject{{"branch", branch},
                                  {"bytes", static_cast<qint64>(outcome->bytes)},
                                  {"report", textsJson(outcome->report)},
                                  {"errors", textsJson(outcome->errors)},
                                  {"errorCount", static_cast<qint64>(outcome->errorCount)}});
}

Result<QJsonValue> exportPoint(Service& service, const QJsonObject& params, Job& job) {
    const std::string directory = textOf(params, "directory");
    const std::string dump = textOf(params, "dump");
    if (directory.empty() == dump.empty())
        return makeError(ErrorKind::InvalidArgument, "an export goes into a directory or, with dump, a file");
    const std::string& target = directory.empty() ? dump : directory;
    if (!target.starts_with('/'))
        return makeError(ErrorKind::InvalidArgument, "{} is not an absolute path", target);
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params, "branch"));
    ARBOR_ASSIGN(const Engine::Resolved resolved, resolvePoint(service, branch, params));
    auto outcome = directory.empty()
                       ? exportDump(service, resolved.point, dump, textOf(params, "database"), job)
                       : exportDirectory(service, resolved.point, directory, job);
    if (!outcome)
        return endOf(std::move(outcome).error(), service, job);
    QJsonObject json{{directory.empty() ? "dump" : "directory", text(target)},
                     {"bytes", static_cast<qint64>(outcome->bytes)},
                     {"lsn", lsnJson(resolved.point.at.lsn)},
                     {"report", textsJson(outcome->report)}};
    if (!directory.empty())
        json.insert("checkedPages", static_cast<qint64>(outcome->checkedPages));
    if (!resolved.message.empty())
        json.insert("message", text(resolved.message));
    return QJsonValue(json);
}

} // namespace

void registerImportMethods(Service& service) {
    using Context = const RequestContext&;
    using Params = const QJsonObject&;
    service.onWorker(
        method::importCheck, [&](Params p, Context) { return check(service, p); }, false);
    service.asJob(method::storeImport, QStringLiteral("import"),
                  [&](Params p, Context c, Job& job) { return import(service, p, c, job); });
    service.asJob(method::storeExport, QStringLiteral("export"),
                  [&](Params p, Context, Job& job) { return exportPoint(service, p, job); });
}

} // namespace arbor
