#include "app/postgres/program.h"

#include "app/postgres/environment.h"

#include <QProcess>

#include <signal.h>
#include <sys/prctl.h>

namespace arbor {

namespace {

constexpr int lookEveryMs = 100;
constexpr int killAfterMs = 3000;
constexpr qint64 mostUnwritten = 1 << 20;

QStringList environmentOf(const ProgramRun& run) {
    QStringList environment;
    for (const std::string& entry : serverEnvironment())
        environment << QString::fromStdString(entry);
    for (const auto& [name, value] : run.environment)
        environment << QString::fromStdString(name + "=" + value);
    return environment;
}

// A group of its own, so that what it starts ends with it.
void endGroup(QProcess& process) {
    const auto pid = static_cast<pid_t>(process.processId());
    ::kill(-pid, SIGTERM);
    if (!process.waitForFinished(killAfterMs)) {
        ::kill(-pid, SIGKILL);
        process.waitForFinished(-1);
    }
}

class Lines {
  public:
    explicit Lines(const std::function<void(std::string_view)>& onLine) : m_onLine(onLine) {}
    void take(const QByteArray& bytes) {
        for (const char c : bytes) {
            if (c == '\n' || c == '\r')
                end();
            else
                m_line += c;
        }
    }
    void end() {
        if (!m_line.empty())
            m_onLine(m_line);
        m_line.clear();
    }

  private:
    const std::function<void(std::string_view)>& m_onLine;
    std::string m_line;
};

} // namespace

Result<int> runProgram(const ProgramRun& run) {
    QProcess process;
    process.setEnvironment(environmentOf(run));
    process.setChildProcessModifier([] {
        ::setpgid(0, 0);
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    });
    if (run.outputFile.empty())
        process.setProcessChannelMode(QProcess::MergedChannels);
    else
        process.setStandardOutputFile(QString::fromStdString(run.outputFile), QIODevice::Truncate);
    process.setReadChannel(run.outputFile.empty() ? QProcess::StandardOutput : QProcess::StandardError);
    if (!run.input)
        process.setStandardInputFile(QProcess::nullDevice());
    QStringList arguments;
    for (const std::string& argument : run.arguments)
        arguments << QString::fromStdString(argument);
    process.start(QString::fromStdString(run.program), arguments);
    if (!process.waitForStarted(-1))
        return makeError(ErrorKind::Io, "{} could not be started: {}", run.program,
                         process.errorString().toStdString());
    Lines lines(run.onLine);
    bool feeding = bool(run.input);
    while (process.state() != QProcess::NotRunning) {
        if (run.cancelled()) {
            endGroup(process);
            return makeError(ErrorKind::Cancelled, "cancelled");
        }
        if (feeding && process.bytesToWrite() < mostUnwritten) {
            auto piece = run.input();
            if (!piece) {
                endGroup(process);
                return std::move(piece).error();
            }
            feeding = !piece->empty();
            if (feeding)
                process.write(piece->data(), static_cast<qint64>(piece->size()));
            else
                process.closeWriteChannel();
        }
        if (process.bytesToWrite() > 0)
            process.waitForBytesWritten(lookEveryMs);
        else if (!feeding)
            process.waitForReadyRead(lookEveryMs);
        lines.take(process.readAll());
    }
    lines.take(process.readAll());
    lines.end();
    if (process.exitStatus() != QProcess::NormalExit)
        return makeError(ErrorKind::Io, "{} was ended by a signal", run.program);
    return process.exitCode();
}

} // namespace arbor
