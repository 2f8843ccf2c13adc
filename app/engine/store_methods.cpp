// engine.*, store.init
#include "app/control/arguments.h"
#include "app/control/methods.h"
#include "app/control/version.h"
#include "app/engine/json.h"
#include "app/postgres/runtime_files.h"

#include <unistd.h>

namespace arbor {

namespace {

Result<QJsonValue> status(Service& service) {
    QJsonArray installations;
    for (const Installation& installation : service.installations())
        installations.append(
            QJsonObject{{"major", installation.major}, {"path", text(installation.binDirectory)}});
    QJsonObject json{{"running", true},
                     {"store", text(service.options().store)},
                     {"storeOpen", service.storeOpen()},
                     {"pid", static_cast<qint64>(::getpid())},
                     {"version", programVersion},
                     {"startedAt", timeJson(service.startedAt())},
                     {"runAs", text(service.options().user.name)},
                     {"pgBinDirs", installations},
                     {"runningEndpoints", static_cast<qint64>(service.endpoints().runningCount())},
                     {"jobs", service.jobs().runningCount()}};
    if (const auto mount = service.mount().mount()) {
        json.insert("mount", text(mount->path()));
        json.insert("mountRequests", mount->hasRings() ? "io_uring" : "device");
    }
    if (const std::string problem = service.mount().problem(); !problem.empty())
        json.insert("problem", text(problem));
    if (service.storeOpen()) {
        json.insert("branches", static_cast<qint64>(service.engine().catalog(
                                    [](const Catalog& c) { return c.branchCount(); })));
        if (auto health = service.engine().store().health(); !health) {
            json.insert("readOnly", true);
            json.insert("problem", text(health.error().message()));
        }
    }
    return QJsonValue(json);
}

Result<QJsonValue> init(Service& service, const QJsonObject& params, Job& job) {
    // one at a time: who comes second learns what became of the first
    const std::lock_guard lock(service.initMutex());
    if (service.isAbandoned())
        return makeError(ErrorKind::Busy, "making a store at {} has just failed; try again",
                         service.options().store);
    // one without any branch is left of an init that was killed
    if (service.storeOpen() && !service.engine().catalog([](const Catalog& catalog) {
            return catalog.branchCount() == 0 && catalog.trash().empty();
        }))
        return makeError(ErrorKind::AlreadyExists, "there is a store at {} already", service.options().store);
    std::vector<std::string> options;
    for (const QJsonValue& option : params.value("initdbOptions").toArray())
        options.push_back(option.toString().toStdString());
    ARBOR_TRY(checkInitdbOptions(options));
    // before anything is made
    ARBOR_TRY(service.preferInstallation(textOf(params, "pgBin")));
    ARBOR_TRY(pickInstallation(service.installations(), 0));
    const bool demo = params.value("demo").toBool();
    if (demo)
        ARBOR_TRY(service.mount().need());
    if (!service.storeOpen())
        ARBOR_TRY(service.createStore());
    if (demo) // until it is whole
        ARBOR_TRY(writePrivateFile(service.halfDemoMark(), {}));
    auto root = service.makeRoot(std::nullopt, "main", options, job); // undoing it would leave nothing
    if (!root) {
        service.abandonStore();
        return std::move(root).error();
    }
    if (demo)
        if (auto made = service.makeDemo(job); !made) {
            service.abandonStore(); // half a demo cannot be tried again
            return std::move(made).error();
        }
    if (demo)
        ARBOR_TRY(service.disk().unlink(service.halfDemoMark()));
    ARBOR_ASSIGN(const QJsonValue branch, branchAnswer(service, root));
    return QJsonValue(QJsonObject{{"store", text(service.options().store)}, {"branch", branch}});
}

} // namespace

void registerStoreMethods(Service& service) {
    using Context = const RequestContext&;
    using Params = const QJsonObject&;
    service.onWorker(
        method::engineStatus, [&](Params, Context) { return status(service); }, false);
    service.server().handle(method::engineStop, [&](Params, Context) -> Result<QJsonValue> {
        QMetaObject::invokeMethod(&service, &Service::shutDown, Qt::QueuedConnection);
        return QJsonValue(QJsonObject());
    });
    service.asJob(
        method::storeInit, QStringLiteral("making a store"),
        [&](Params p, Context, Job& job) { return init(service, p, job); }, false);
}

} // namespace arbor
