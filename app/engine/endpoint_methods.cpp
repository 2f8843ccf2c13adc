// endpoint.*, peek.*
#include "app/control/methods.h"
#include "app/engine/json.h"

namespace arbor {

namespace {

// The branches a request names: one, or all.
Result<std::vector<BranchRecord>> asked(Service& service, const QJsonObject& params) {
    if (!params.value("all").toBool()) {
        ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
        return std::vector{branch};
    }
    return service.engine().catalog([](const Catalog& catalog) {
        std::vector<BranchRecord> all;
        for (const BranchRecord* branch : catalog.branches())
            all.push_back(*branch);
        return all;
    });
}

Result<QJsonValue> forEach(Service& service, const QJsonObject& params,
                           const std::function<Status(const BranchRecord&)>& act) {
    ARBOR_ASSIGN(const auto branches, asked(service, params));
    QJsonArray list;
    std::vector<std::string> failed;
    for (const BranchRecord& branch : branches) {
        if (auto done = act(branch); !done) {
            if (branches.size() == 1)
                return std::move(done).error();
            failed.push_back(fmt::format("{}: {}", branch.name, done.error().message()));
            continue;
        }
        const auto present = service.engine().catalog([&](const Catalog& c) { return c.branch(branch.id); });
        if (present)
            list.append(branchJson(service, *present));
    }
    if (!failed.empty())
        return makeError(ErrorKind::Io, "{} of {} branches failed. {}", failed.size(), branches.size(),
                         fmt::join(failed, "; "));
    return QJsonValue(QJsonObject{{"branches", list}});
}

QJsonObject connectionJson(const Service::Connection& connection, bool tcp, const std::string& user,
                           bool running) {
    const std::string host = tcp ? "127.0.0.1" : connection.socketDirectory;
    std::string url;
    if (tcp)
        url = fmt::format("postgresql://postgres:{}@127.0.0.1:{}/postgres", connection.password,
                          connection.port);
    else
        url = fmt::format(
            "postgresql://postgres@/postgres?host={}&port={}",
            QString::fromUtf8(QUrl::toPercentEncoding(text(connection.socketDirectory))).toStdString(),
            connection.port);
    QJsonObject env{{"PGHOST", text(host)},
                    {"PGPORT", QString::number(connection.port)},
                    {"PGUSER", text(user)},
                    {"PGDATABASE", "postgres"}};
    QJsonObject json{{"socketDir", text(connection.socketDirectory)},
                     {"host", text(host)},
                     {"port", connection.port},
                     {"user", text(user)},
                     {"database", "postgres"},
                     {"passwordFile", text(connection.passwordFile)},
                     {"running", running},
                     {"pgBinDir", text(connection.pgBin)}};
    if (tcp) {
        json.insert("password", text(connection.password));
        env.insert("PGPASSFILE", text(connection.passwordFile));
    }
    json.insert("url", text(url));
    json.insert("env", env);
    return json;
}

Result<QJsonValue> connection(Service& service, const QJsonObject& params) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
    ARBOR_ASSIGN(const Service::Connection found, service.connectionOf(branch));
    const bool running =
        service.endpoints().info(Service::keyOf(branch.id)).state == Endpoint::State::Running;
    return QJsonValue(connectionJson(found, params.value("tcp").toBool(), "postgres", running));
}

Result<QJsonValue> openPeek(Service& service, const QJsonObject& params, const RequestContext& context) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params, "branch"));
    ARBOR_ASSIGN(const Engine::Resolved at, resolvePoint(service, branch, params));
    ARBOR_TRY(service.engine().available(at.point));
    ARBOR_ASSIGN(const Service::Peek peek, service.openPeek(branch.id, at.point, context.connection));
    QJsonObject json = connectionJson(peek.connection, false, "postgres", true);
    json.insert("peek", static_cast<qint64>(peek.id));
    json.insert("lsn", lsnJson(at.point.at.lsn));
    if (!at.message.empty())
        json.insert("message", text(at.message));
    return QJsonValue(json);
}

} // namespace

void registerEndpointMethods(Service& service) {
    using Context = const RequestContext&;
    using Params = const QJsonObject&;
    service.onWorker(method::endpointStart, [&](Params p, Context) {
        return forEach(service, p, [&](const BranchRecord& branch) { return service.startBranch(branch); });
    });
    service.onWorker(method::endpointStop, [&](Params p, Context) {
        return forEach(service, p, [&](const BranchRecord& branch) {
            return service.stopBranch(branch, Endpoint::StopMode::Fast);
        });
    });
    service.onWorker(method::endpointRestart, [&](Params p, Context) {
        return forEach(service, p, [&](const BranchRecord& branch) -> Status {
            ARBOR_TRY(service.stopBranch(branch, Endpoint::StopMode::Fast));
            return service.startBranch(branch);
        });
    });
    service.onWorker(method::endpointConnection, [&](Params p, Context) { return connection(service, p); });
    service.onWorker(method::peekOpen, [&](Params p, Context c) { return openPeek(service, p, c); });
    service.onWorker(method::peekClose, [&](Params p, Context) -> Result<QJsonValue> {
        ARBOR_TRY(service.closePeek(static_cast<std::uint64_t>(p.value("peek").toInteger())));
        return QJsonValue(QJsonObject());
    });
}

} // namespace arbor
