// The program itself, against an engine of samples: exit codes, output, starting and not starting the engine,
// psql.
#include "control_fixture.h"

#include "app/control/engine_launcher.h"

#include <QJsonArray>
#include <QProcess>

#include <signal.h>

using namespace arbor;

namespace {

struct Outcome {
    int code = -1;
    QByteArray out;
    QByteArray err;
    QJsonDocument json() const { return QJsonDocument::fromJson(out); }
    QString errorKind() const {
        return QJsonDocument::fromJson(err).object().value("error").toObject().value("kind").toString();
    }
};

} // namespace

class CliProgramTest : public QObject {
    Q_OBJECT
    std::unique_ptr<RuntimeDirectory> m_runtime;

    Outcome run(const QStringList& words) {
        QProcess process;
        process.start(PGARBORCTL, words);
        if (!process.waitForFinished(60'000) || process.exitStatus() != QProcess::NormalExit)
            return {};
        return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
    }
    bool engineRuns() {
        return engineAnswers(m_runtime->store().toStdString(), std::chrono::seconds(10)).value_or(true);
    }
    // A psql that reports what it was given.
    void installPsql(const QByteArray& body) {
        QVERIFY(QDir().mkpath(m_runtime->path() + "/bin"));
        QFile psql(m_runtime->path() + "/bin/psql");
        QVERIFY(psql.open(QIODevice::WriteOnly));
        psql.write("#!/bin/sh\n" + body);
        psql.close();
        QVERIFY(psql.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner));
    }

  private slots:
    void init() {
        m_runtime = std::make_unique<RuntimeDirectory>();
        qputenv("PGARBOR_ENGINE", SAMPLE_ENGINE);
        qputenv("PGARBOR_STORE", m_runtime->store().toLocal8Bit());
        qputenv("PGARBOR_SAMPLE_BIN", (m_runtime->path() + "/bin").toLocal8Bit());
    }
    void cleanup() {
        run({"engine", "stop"});
        m_runtime.reset();
    }

    void withoutAStoreNothingIsStartedOrMade() {
        for (const char* line : {"branch list", "start x", "gc run", "url x", "psql x", "engine status",
                                 "engine stop", "engine run", "job list", "settings get"}) {
            const Outcome outcome = run(QString(line).split(' ') + QStringList{"--json"});
            QCOMPARE(outcome.code, 3);
            QCOMPARE(outcome.errorKind(), QString("not-found"));
            QVERIFY(outcome.err.contains("pgarborctl init"));
            QVERIFY(outcome.out.isEmpty());
        }
        QVERIFY(!engineRuns());
        QVERIFY(!QFileInfo::exists(m_runtime->store()));
        QVERIFY(!QFileInfo::exists(m_runtime->path() + "/pgarbor"));
    }

    void aFailedInitLeavesNoEngine() {
        QCOMPARE(run({"init", "--pg-bin", "/nowhere"}).code, 3);
        QVERIFY(!engineRuns());
        QCOMPARE(run({"init", "--", "-D", "/x"}).code, 2);
        QVERIFY(!engineRuns());
        QCOMPARE(run({"init"}).code, 0);
        QVERIFY(engineRuns());
        QCOMPARE(run({"init"}).code, 4);
        QVERIFY(engineRuns());
    }

    void exitCodesFollowTheContract() {
        QCOMPARE(run({"init"}).code, 0);
        QCOMPARE(run({"branch", "show", "odd"}).code, 1);
        QCOMPARE(run({"branch", "show"}).code, 2);
        QCOMPARE(run({"branch", "show", "missing"}).code, 3);
        QCOMPARE(run({"branch", "delete", "guarded"}).code, 4);
        QCOMPARE(run({"gc", "plan", "--check"}).code, 0);
        QCOMPARE(run({"gc", "plan", "--without", "branch:limit"}).code, 0);
        const Outcome passed = run({"gc", "plan", "--without", "branch:limit", "--check", "--json"});
        QCOMPARE(passed.code, 6);
        QVERIFY(passed.json().object().contains("freeBytes"));
        QCOMPARE(passed.errorKind(), QString("limit-passed"));
        QCOMPARE(run({"engine", "status"}).code, 0);
        QCOMPARE(run({"engine", "stop"}).code, 0);
        const Outcome status = run({"engine", "status", "--json"});
        QCOMPARE(status.code, 5);
        QCOMPARE(status.json().object().value("running"), QJsonValue(false));
        QVERIFY(!engineRuns());
        QCOMPARE(run({"engine", "stop"}).code, 0);
        QCOMPARE(run({"branch", "list"}).code, 0); // starts it
        QVERIFY(engineRuns());
    }

    void anEngineThatCannotRunIsUnreachable() {
        QCOMPARE(run({"init"}).code, 0);
        QCOMPARE(run({"engine", "stop"}).code, 0);
        qputenv("PGARBOR_SAMPLE", "fail");
        const Outcome outcome = run({"branch", "list", "--json"});
        qunsetenv("PGARBOR_SAMPLE");
        QCOMPARE(outcome.code, 5);
        QCOMPARE(outcome.errorKind(), QString("unreachable"));
        QVERIFY(outcome.err.contains("told to fail"));
    }

    void listsAreArrays() {
        QCOMPARE(run({"init"}).code, 0);
        const QJsonArray branches = run({"branch", "list", "--json"}).json().array();
        QCOMPARE(branches.size(), 3);
        for (const char* field : {"name", "id", "parent", "forkLsn", "headLsn", "state", "port", "socketDir",
                                  "privateBytes", "createdAt"})
            QVERIFY2(branches.at(0).toObject().contains(QLatin1String(field)), field);
        for (const char* line : {"trash list", "checkpoint list", "timeline main", "log", "job list"})
            QVERIFY2(run(QString(line).split(' ') + QStringList{"--json"}).json().isArray(), line);
        QCOMPARE(run({"timeline", "main", "--json"}).json().array().size(), 2); // both pages
    }

    void whatIsSentIsWhatWasTyped() {
        QCOMPARE(run({"init"}).code, 0);
        const QJsonObject sent =
            run({"branch", "create", "n", "--from", "main", "--at", "-10min", "--start", "--json"})
                .json()
                .object()
                .value("params")
                .toObject();
        QCOMPARE(sent, (QJsonObject{{"name", "n"}, {"from", "main"}, {"at", "-10min"}, {"start", true}}));
        const Outcome exported = run({"export", "main", "some/../out", "--json"});
        QCOMPARE(exported.code, 0);
        QCOMPARE(exported.json().object().value("directory").toString(), QDir::currentPath() + "/out");
    }

    void urlAndEnvPrintPlainLines() {
        QCOMPARE(run({"init"}).code, 0);
        QVERIFY(run({"url", "main"}).out.startsWith("postgresql:///"));
        QVERIFY(run({"url", "main", "--tcp"}).out.contains("127.0.0.1"));
        QVERIFY(run({"env", "main"}).out.contains("PGHOST=/tmp/sockets\n"));
        QCOMPARE(run({"env", "main", "--json"}).json().object().value("PGPORT").toString(), QString("5433"));
    }

    void whatIsToldAboutTheProgramIsADocumentToo() {
        QVERIFY(run({"--version"}).out.startsWith("pgarborctl "));
        QCOMPARE("pgarborctl " + run({"--json", "--version"}).json().object().value("version").toString() +
                     '\n',
                 QString::fromUtf8(run({"--version"}).out));
        for (const char* line : {"--help", "branch --help", "branch list --help", "man", "completion bash"}) {
            const QStringList words = QString(line).split(' ');
            QCOMPARE(run(words + QStringList{"--json"}).json().object().value("text").toString(),
                     QString::fromUtf8(run(words).out));
        }
        QVERIFY(!QFileInfo::exists(m_runtime->store()));
    }

    // Under a terminal of its own, made by script(1).
    QByteArray onATerminal(const QString& command, const QList<std::pair<QString, QString>>& environment) {
        QProcess process;
        QProcessEnvironment env = QProcessEnvironment::systemEnvironment();
        env.remove("NO_COLOR");
        env.insert("TERM", "xterm");
        env.insert("LC_ALL", "C.UTF-8");
        for (const auto& [name, value] : environment)
            env.insert(name, value);
        process.setProcessEnvironment(env);
        process.start("script", {"-qec", QString(PGARBORCTL) + " " + command, "/dev/null"});
        return process.waitForFinished(60'000) && process.exitCode() == 0 ? process.readAll() : QByteArray();
    }
    void aTerminalSeesColoursTreeLinesAndProgress() {
        QCOMPARE(run({"init"}).code, 0);
        const QByteArray list = onATerminal("branch list", {});
        QVERIFY2(list.contains("\033[") && list.contains("└─ dev"), list.constData());
        QVERIFY(!run({"branch", "list"}).out.contains('\033')); // a pipe
        const QByteArray noColour = onATerminal("branch list", {{"NO_COLOR", "1"}});
        QVERIFY2(!noColour.contains('\033') && noColour.contains("└─ dev"), noColour.constData());
        const QByteArray plain = onATerminal("branch list", {{"LC_ALL", "C"}});
        QVERIFY2(plain.contains("  dev") && !plain.contains("└"), plain.constData());
        // a coloured table has the columns of a plain one
        QByteArray bare = list;
        for (qsizetype at = bare.indexOf('\033'); at >= 0; at = bare.indexOf('\033'))
            bare.remove(at, bare.indexOf('m', at) + 1 - at);
        QCOMPARE(bare, noColour);

        QVERIFY(onATerminal("export main /out", {}).contains("[############............]  50 %"));
        QVERIFY(!run({"export", "main", "/out"}).err.contains('['));
    }

    void ctrlCCancelsTheJob() {
        QCOMPARE(run({"init"}).code, 0);
        QProcess process;
        process.start(PGARBORCTL, {"export", "slow", "/out", "--json"});
        QTRY_VERIFY_WITH_TIMEOUT(run({"job", "list"}).out.contains("running"), 30'000);
        QCOMPARE(kill(static_cast<pid_t>(process.processId()), SIGINT), 0);
        QVERIFY(process.waitForFinished());
        QCOMPARE(process.exitCode(), 1);
        QVERIFY(process.readAllStandardError().contains("cancelled"));
        QVERIFY(run({"job", "list"}).out.contains("cancelled"));
    }

    void psqlGetsItsArgumentsAsTheyAre() {
        QCOMPARE(run({"init"}).code, 0);
        installPsql("printf '%s|' \"$PGHOST\" \"$PGPORT\" \"$PGUSER\" \"$PGDATABASE\" \"$PGHOSTADDR\" "
                    "\"$@\"; exit 7\n");
        qputenv("PGHOSTADDR", "10.0.0.1");
        const Outcome outcome = run({"psql", "main", "--", "-c", "select '$(touch /x)'; --", "--json"});
        qunsetenv("PGHOSTADDR");
        QCOMPARE(outcome.code, 7);
        QCOMPARE(outcome.out,
                 QByteArray("/tmp/sockets|5433|postgres|postgres||-c|select '$(touch /x)'; --|--json|"));
    }

    void aPeekGoesWithPsqlAndWithPgarborctl() {
        QCOMPARE(run({"init"}).code, 0);
        const QString removed = m_runtime->store() + "/peek-removed";
        installPsql("exit 0\n");
        QCOMPARE(run({"psql", "main", "--at", "-1h"}).code, 0);
        QVERIFY(!QFileInfo::exists(removed)); // closed by request, not by the connection's end
        const QString started = m_runtime->path() + "/started";
        installPsql("touch '" + started.toLocal8Bit() + "'; exec sleep 60\n");
        QProcess process;
        process.start(PGARBORCTL, {"psql", "main", "--at", "-1h"});
        QTRY_VERIFY_WITH_TIMEOUT(QFileInfo::exists(started), 30'000);
        QCOMPARE(kill(static_cast<pid_t>(process.processId()), SIGKILL), 0);
        QTRY_VERIFY_WITH_TIMEOUT(QFileInfo::exists(removed), 30'000);
        process.waitForFinished();
    }
};

QTEST_GUILESS_MAIN(CliProgramTest)
#include "cli_program_test.moc"
