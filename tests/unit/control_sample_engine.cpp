// A program that listens as the engine of a store and answers every method with a sample: what the command
// line and the launcher are tried against. It keeps no store; `init` makes a directory with a FORMAT file so
// that clients see one.
//
// Names steer it: "missing" is not found, "guarded" is refused, "slow" never ends unless cancelled, "odd"
// fails, and "limit" in gc.plan's `without` passes the limit. $PGARBOR_SAMPLE=fail: ends at once with a
// message.
#include "app/control/jobs.h"
#include "app/control/methods.h"
#include "app/control/server.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QSet>
#include <QTimer>

#include <cstdio>

using namespace arbor;

namespace {

QJsonObject branch(const QString& name, const QJsonValue& parent, const QString& state, qint64 bytes) {
    return {{"name", name},
            {"id", 1 + name.size()},
            {"parent", parent},
            {"forkLsn", parent.isNull() ? QJsonValue() : QJsonValue("0/16B3748")},
            {"headLsn", "0/2000060"},
            {"state", state},
            {"port", state == "running" ? QJsonValue(5433) : QJsonValue()},
            {"socketDir", "/tmp/sockets"},
            {"privateBytes", bytes},
            {"createdAt", "2026-01-31T12:00:00.000000Z"},
            {"root", parent.isNull()},
            {"protected", name == "main"},
            {"expiresAt", QJsonValue()},
            {"timeline", 1},
            {"pgMajor", 15},
            {"error", QJsonValue()},
            {"children", 0},
            {"checkpoints", 0}};
}

QJsonObject pin(const QString& kind, const QString& name, qint64 bytes) {
    return {{"kind", kind},           {"name", name},         {"branch", "main"},
            {"fromLsn", "0/1000000"}, {"toLsn", "0/16B3748"}, {"onlyBytes", bytes}};
}

QJsonObject connection(const QString& name, bool tcp) {
    const QString url = tcp ? "postgresql://postgres:secret@127.0.0.1:5433/postgres"
                            : "postgresql:///postgres?host=/tmp/sockets&port=5433&user=postgres";
    return {{"socketDir", "/tmp/sockets"},
            {"host", tcp ? "127.0.0.1" : "/tmp/sockets"},
            {"port", 5433},
            {"user", "postgres"},
            {"database", "postgres"},
            {"url", url},
            {"running", name == "main"},
            {"pgBinDir", qEnvironmentVariable("PGARBOR_SAMPLE_BIN")},
            {"env", QJsonObject{{"PGHOST", "/tmp/sockets"},
                                {"PGPORT", "5433"},
                                {"PGUSER", "postgres"},
                                {"PGDATABASE", "postgres"}}}};
}

// The samples whose answer does not depend on the request.
const QHash<QString, QJsonObject>& samples() {
    static const QHash<QString, QJsonObject> table{
        {method::branchList,
         {{"branches",
           QJsonArray{branch("main", QJsonValue(), "running", 9'663'676'416),
                      branch("dev", "main", "stopped", 83'886'080), branch("dev/x", "dev", "failed", 512)}}}},
        {method::trashList,
         {{"trash", QJsonArray{QJsonObject{{"name", "old"},
                                           {"id", 9},
                                           {"deletedAt", "2026-01-31T12:00:00.000000Z"},
                                           {"freedAt", "2026-02-07T12:00:00.000000Z"},
                                           {"reason", "delete"},
                                           {"headLsn", "0/2000060"},
                                           {"privateBytes", 4096}}}}}},
        {method::checkpointList,
         {{"checkpoints", QJsonArray{QJsonObject{{"name", "v1"},
                                                 {"branch", "main"},
                                                 {"lsn", "0/16B3748"},
                                                 {"time", "2026-01-31T12:00:00.000000Z"},
                                                 {"createdAt", "2026-01-31T12:00:01.000000Z"},
                                                 {"offLine", false},
                                                 {"onlyBytes", 8192}}}}}},
        {method::oplogList,
         {{"operations", QJsonArray{QJsonObject{{"id", 4},
                                                {"time", "2026-01-31T12:00:00.000000Z"},
                                                {"client", "pgarborctl"},
                                                {"kind", "branch.delete"},
                                                {"text", "delete old"},
                                                {"branch", "old"},
                                                {"undone", false},
                                                {"undoable", true}}}}}},
        {method::oplogUndo, {{"operation", QJsonObject{{"id", 4}, {"text", "delete old"}}}}},
        {method::oplogRedo, {{"operation", QJsonObject{{"id", 4}, {"text", "delete old"}}}}},
        {method::stats,
         {{"branches",
           QJsonArray{QJsonObject{
               {"name", "main"}, {"privateBytes", 100}, {"sharedBytes", 200}, {"historyBytes", 3}}}},
          {"sharedBytes", 200},
          {"historyBytes", 3},
          {"garbageBytes", 4},
          {"trashBytes", 0},
          {"pagesBytes", 207},
          {"walBytes", 100},
          {"indexBytes", 50},
          {"diskBytes", 307},
          {"freeBytes", 1'000'000}}},
        {method::metrics,
         {{"metrics", QJsonArray{QJsonObject{{"name", "pgarbor_syncs_total"},
                                             {"labels", QJsonObject{{"kind", "x\"y"}}},
                                             {"value", 12},
                                             {"type", "counter"},
                                             {"help", "Syncs"}}}}}},
        {method::pageTrace,
         {{"relation", "t"},
          {"file", "base/5/16384"},
          {"block", 3},
          {"at", "0/2000060"},
          {"found", true},
          {"timeline", 1},
          {"branch", "main"},
          {"position", 77},
          {"lsn", "0/16B3748"},
          {"segment", 2},
          {"offset", 4096},
          {"storedBytes", 900},
          {"readTimelines", 1},
          {"versions", QJsonArray{}}}},
        {method::branchDifference,
         {{"parent", "main"},
          {"files", QJsonArray{QJsonObject{{"file", "base/5/16384"}, {"pages", 12}, {"differing", 3}}}}}},
        {method::scrub,
         {{"checkedBytes", 8192}, {"checkedImages", 1}, {"problemCount", 0}, {"problems", QJsonArray{}}}},
        {method::gcRun, {{"plannedBytes", 100}, {"freedBytes", 100}, {"bytesMoved", 0}}},
    };
    return table;
}

class SampleEngine {
  public:
    explicit SampleEngine(const QString& store)
        : m_store(store), m_server({.program = "sample 1", .store = store}), m_jobs(m_server, m_clock) {
        for (auto sample = samples().begin(); sample != samples().end(); ++sample)
            handle(sample.key(),
                   [answer = sample.value()](const QJsonObject&) { return QJsonValue(answer); });
        handleBranches();
        handleSpace();
        handleJobs();
        m_server.handle(method::engineStatus, [this](const auto&, const auto&) -> Result<QJsonValue> {
            return QJsonValue(QJsonObject{{"running", true},
                                          {"store", m_store},
                                          {"storeOpen", isStore()},
                                          {"pid", QCoreApplication::applicationPid()},
                                          {"version", "1"},
                                          {"jobs", 0}});
        });
        m_server.handle(method::engineStop, [](const auto&, const auto&) -> Result<QJsonValue> {
            QTimer::singleShot(20, qApp, &QCoreApplication::quit);
            return QJsonValue(QJsonObject());
        });
        m_server.handle(method::storeInit, [this](const auto& params, const auto&) { return init(params); });
    }
    Status listen() { return m_server.listen(listenAddress(m_store.toStdString())); }

  private:
    using Answer = std::function<Result<QJsonValue>(const QJsonObject&)>;
    bool isStore() const { return QFile::exists(m_store + "/FORMAT"); }

    // A method of an open store, under the rules that names stand for.
    void handle(const QString& name, Answer answer) {
        m_server.handle(name,
                        [this, answer = std::move(answer)](const QJsonObject& params,
                                                           const RequestContext&) -> Result<QJsonValue> {
                            if (!isStore())
                                return makeError(ErrorKind::NotFound, "{}",
                                                 noStoreMessage(m_store.toStdString()));
                            for (const char* key : {"name", "branch", "from"}) {
                                const QString value = params.value(key).toString();
                                if (value == "missing")
                                    return makeError(ErrorKind::NotFound, "there is no branch missing");
                                if (value == "guarded")
                                    return makeError(ErrorKind::Refused, "branch guarded is protected");
                                if (value == "odd")
                                    return makeError(ErrorKind::Io, "the disk said no");
                            }
                            return answer(params);
                        });
    }
    Result<QJsonValue> init(const QJsonObject& params) {
        if (isStore())
            return makeError(ErrorKind::AlreadyExists, "there is a store at {} already",
                             m_store.toStdString());
        if (params.value("pgBin").toString() == "/nowhere")
            return makeError(ErrorKind::NotFound, "no postgres in /nowhere");
        QFile format(m_store + "/FORMAT");
        if (!QDir().mkpath(m_store) || !format.open(QIODevice::WriteOnly))
            return makeError(ErrorKind::Io, "cannot make the store");
        return QJsonValue(
            QJsonObject{{"store", m_store}, {"branch", branch("main", QJsonValue(), "stopped", 0)}});
    }
    void handleBranches() {
        const auto one = [](const QJsonObject& params) {
            return QJsonValue(branch(params.value("name").toString(), "main", "stopped", 0));
        };
        for (const char* name :
             {method::branchShow, method::branchProtect, method::branchUnprotect, method::branchExpire,
              method::branchAllow, method::branchForbid, method::branchReset, method::branchRestore,
              method::trashRestore, method::branchDelete})
            handle(name, one);
        handle(method::branchCreate, [](const QJsonObject& params) {
            QJsonObject made = branch(params.value("name").toString(), params.value("from"), "stopped", 0);
            made.insert("params", params); // for tests of what was sent
            return QJsonValue(made);
        });
        handle(method::branchRename, [](const QJsonObject& params) {
            return QJsonValue(branch(params.value("newName").toString(), "main", "stopped", 0));
        });
        for (const char* name : {method::checkpointCreate, method::checkpointDelete})
            handle(name, [](const QJsonObject& params) {
                return QJsonValue(QJsonObject{{"name", params.value("name")},
                                              {"branch", params.value("branch")},
                                              {"lsn", "0/16B3748"},
                                              {"time", QJsonValue()},
                                              {"createdAt", "2026-01-31T12:00:01.000000Z"},
                                              {"offLine", false}});
            });
        for (const char* name : {method::endpointStart, method::endpointStop, method::endpointRestart})
            handle(name, [](const QJsonObject& params) {
                const QString which = params.value("all").toBool() ? "main" : params.value("name").toString();
                return QJsonValue(
                    QJsonObject{{"branches", QJsonArray{branch(which, QJsonValue(), "running", 0)}}});
            });
        handle(method::endpointConnection, [](const QJsonObject& params) {
            return QJsonValue(connection(params.value("name").toString(), params.value("tcp").toBool()));
        });
        m_server.handle(
            method::peekOpen,
            [this](const QJsonObject& params, const RequestContext& context) -> Result<QJsonValue> {
                m_peeks.insert(context.connection);
                QJsonObject peek = connection(params.value("branch").toString(), false);
                peek.insert("peek", 3);
                return QJsonValue(peek);
            });
        QObject::connect(&m_server, &ControlServer::connectionClosed, &m_server, [this](ConnectionId id) {
            if (m_peeks.remove(id)) { // the trace of a peek that was removed
                QFile gone(m_store + "/peek-removed");
                gone.open(QIODevice::WriteOnly);
            }
        });
        m_server.handle(method::peekClose,
                        [this](const QJsonObject&, const RequestContext& context) -> Result<QJsonValue> {
                            m_peeks.remove(context.connection);
                            return QJsonValue(QJsonObject());
                        });
    }
    void handleSpace() {
        handle(method::timelineMarks, [](const QJsonObject& params) {
            const bool second = params.contains("after");
            const QJsonObject mark{{"kind", second ? "fork" : "commit"},
                                   {"lsn", second ? "0/20" : "0/10"},
                                   {"time", "2026-01-31T12:00:00.000000Z"},
                                   {"xid", second ? QJsonValue() : QJsonValue(731)},
                                   {"name", second ? QJsonValue("dev") : QJsonValue()}};
            return QJsonValue(QJsonObject{{"marks", QJsonArray{mark}},
                                          {"next", second ? QJsonValue() : QJsonValue("c1")},
                                          {"fromLsn", "0/10"},
                                          {"toLsn", "0/30"}});
        });
        handle(method::gcPlan, [](const QJsonObject& params) {
            const bool passed = params.value("without").toArray().contains("branch:limit");
            return QJsonValue(
                QJsonObject{{"freeBytes", 4096},
                            {"diskBytes", 1 << 20},
                            {"pins", QJsonArray{pin("branch", "dev", 100), pin("checkpoint", "v1", 8192)}},
                            {"limitPassed", passed},
                            {"limitText", "1 MB on disk, the limit is 512 kB"}});
        });
        handle(method::settingsGet, [](const QJsonObject& params) {
            const QString key = params.value("key").toString("history-time");
            return QJsonValue(QJsonObject{{"settings", QJsonObject{{key, "7d"}}}});
        });
        handle(method::settingsSet, [](const QJsonObject& params) {
            return QJsonValue(QJsonObject{
                {"settings", QJsonObject{{params.value("key").toString(), params.value("value")}}}});
        });
    }
    void handleJobs() {
        const auto longOne = [this](const QJsonObject& params,
                                    const RequestContext& context) -> Result<QJsonValue> {
            const JobPtr job =
                m_jobs.start(method::storeExport, "export of " + params.value("branch").toString(), context);
            job->progress(0.5, "copying", 4096);
            if (params.value("branch") == "slow") {
                job->onCancel([job] { job->finish(makeError(ErrorKind::Cancelled, "cancelled")); });
                m_slow.push_back(job);
            } else {
                QTimer::singleShot(20, &m_server, [job, params] {
                    job->finish(QJsonValue(QJsonObject{
                        {"directory", params.value("directory")},
                        {"bytes", 4096},
                        {"branch", branch(params.value("name").toString(), QJsonValue(), "stopped", 0)}}));
                });
            }
            return job->reference();
        };
        m_server.handle(method::storeExport, longOne);
        m_server.handle(method::storeImport, longOne);
    }

    const QString m_store;
    SystemClock m_clock;
    ControlServer m_server;
    JobTable m_jobs;
    std::vector<JobPtr> m_slow;
    QSet<ConnectionId> m_peeks;
};

} // namespace

int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    if (qEnvironmentVariable("PGARBOR_SAMPLE") == "fail") {
        std::fputs("the sample was told to fail\n", stderr);
        return 1;
    }
    if (qEnvironmentVariable("PGARBOR_SAMPLE") == "refuse") {
        std::fputs("a line of the log\npgarbord (refused): the sample refuses\nand ends\n", stderr);
        return 4;
    }
    const QStringList arguments = application.arguments();
    const QString store = arguments.value(arguments.indexOf("--store") + 1);
    SampleEngine engine(QString::fromStdString(canonicalStore(store.toStdString())));
    if (const Status status = engine.listen(); !status) {
        std::fprintf(stderr, "%s\n", status.error().message().c_str());
        return 1;
    }
    return application.exec();
}
