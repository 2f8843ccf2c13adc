// The control server with handlers that tests need.
#pragma once

#include "control_fixture.h"

#include "app/control/jobs.h"
#include "app/control/methods.h"
#include "app/control/server.h"

namespace arbor::test {

struct Engine {
    explicit Engine(const QString& storePath, ControlServer::Options options = {})
        : store(storePath), server([&] {
              options.program = "test-engine 1";
              options.store = QString::fromStdString(canonicalStore(storePath.toStdString()));
              return options;
          }()),
          jobs(server, clock) {
        server.handle("echo", [](const QJsonObject& params, const RequestContext&) -> Result<QJsonValue> {
            return QJsonValue(params);
        });
        server.handle("whoami", [](const QJsonObject&, const RequestContext& context) -> Result<QJsonValue> {
            return QJsonValue(
                QJsonObject{{"client", context.client}, {"uid", static_cast<qint64>(context.uid)}});
        });
        server.handle("missing", [](const QJsonObject&, const RequestContext&) -> Result<QJsonValue> {
            return makeError(ErrorKind::NotFound, "no branch \"x\"");
        });
        server.handle("big", [](const QJsonObject& params, const RequestContext&) -> Result<QJsonValue> {
            return QJsonValue(QString(params.value("bytes").toInteger(), 'x'));
        });
        server.handleDeferred("later",
                              [this](const QJsonObject&, const RequestContext&, ResponderPtr responder) {
                                  waiting.push_back(std::move(responder));
                              });
        server.handle("work",
                      [this](const QJsonObject&, const RequestContext& context) -> Result<QJsonValue> {
                          job = jobs.start("work", "some work", context);
                          return job->reference();
                      });
    }
    Status listen() { return server.listen(listenAddress(store.toStdString())); }

    QString store;
    SystemClock clock;
    ControlServer server;
    JobTable jobs;
    std::vector<ResponderPtr> waiting;
    JobPtr job;
};

} // namespace arbor::test
