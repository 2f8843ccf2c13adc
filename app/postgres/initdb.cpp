#include "app/postgres/initdb.h"

#include "app/postgres/environment.h"
#include "app/postgres/shared_memory.h"

#include <signal.h>
#include <sys/prctl.h>

#include <filesystem>
#include <sstream>

namespace arbor {

namespace fs = std::filesystem;

namespace {

Status checkFresh(const std::string& directory) {
    std::error_code error;
    if (!fs::exists(directory, error) || fs::is_empty(directory, error))
        return {};
    return makeError(ErrorKind::AlreadyExists, "{} is not empty", directory);
}

// In the environment of initdb and, by its own doing, of all servers that it runs.
std::string ownMark(const std::string& dataDirectory) {
    return "PGDATA=" + dataDirectory;
}

std::vector<ProcessIdentity> processesOf(const std::string& dataDirectory) {
    const std::string mark = '\0' + ownMark(dataDirectory) + '\0';
    std::vector<ProcessIdentity> found;
    for (const pid_t pid : allProcesses()) {
        const auto info = processInfo(pid);
        const auto environment = readSmallFile(fmt::format("/proc/{}/environ", pid));
        if (info && !info->hasEnded() && environment && ('\0' + *environment).find(mark) != std::string::npos)
            found.push_back(info->identity);
    }
    return found;
}

// What initdb said in the end: its messages, without the progress that precedes them.
std::string lastWords(const std::string& output) {
    std::istringstream lines(output);
    std::string words;
    for (std::string line; std::getline(lines, line);) {
        const bool matters =
            line.find("error:") != std::string::npos || line.find("FATAL:") != std::string::npos ||
            line.find("PANIC:") != std::string::npos || line.find("detail:") != std::string::npos ||
            line.find("DETAIL:") != std::string::npos || line.find("hint:") != std::string::npos;
        if (matters)
            words += (words.empty() ? "" : "; ") + line;
    }
    return words;
}

} // namespace

Initdb::Initdb(QObject* parent) : QObject(parent) {
    m_process.setProcessChannelMode(QProcess::MergedChannels);
    m_process.setStandardInputFile(QProcess::nullDevice());
    // Not beyond the engine; and at once, or it would go on to remove a directory that is the next run's.
    m_process.setChildProcessModifier([] { ::prctl(PR_SET_PDEATHSIG, SIGKILL); });
    connect(&m_process, &QProcess::finished, this, [this] { finish(outcome()); });
    connect(&m_process, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart)
            finish(makeError(ErrorKind::Io, "initdb could not be started: {}",
                             m_process.errorString().toStdString()));
    });
}

Initdb::~Initdb() {
    if (m_process.state() == QProcess::NotRunning)
        return;
    m_process.disconnect(this);
    endInitdb(m_places.dataDirectory);
    m_process.waitForFinished();
    removeFiles();
}

Status Initdb::start(const Installation& installation, const InitdbPlaces& places,
                     std::span<const std::string> options, Done done) {
    if (m_process.state() != QProcess::NotRunning)
        return makeError(ErrorKind::Busy, "initdb is running already");
    ARBOR_ASSIGN(const auto arguments, initdbArguments(places, options));
    ARBOR_TRY(checkFresh(places.dataDirectory));
    ARBOR_TRY(checkFresh(places.walDirectory));
    QStringList list;
    for (const std::string& argument : arguments)
        list << QString::fromStdString(argument);
    QStringList environment;
    for (const std::string& entry : serverEnvironment())
        environment << QString::fromStdString(entry);
    environment << QString::fromStdString(ownMark(places.dataDirectory));
    m_process.setEnvironment(environment);
    m_places = places;
    m_done = std::move(done);
    m_cancelled = false;
    m_process.start(QString::fromStdString(installation.program("initdb")), list, QIODevice::ReadOnly);
    return {};
}

void Initdb::cancel() {
    if (m_process.state() == QProcess::NotRunning || m_cancelled)
        return;
    m_cancelled = true;
    endInitdb(m_places.dataDirectory);
}

Status Initdb::outcome() {
    if (m_process.exitStatus() == QProcess::NormalExit && m_process.exitCode() == 0)
        return {};
    if (m_cancelled)
        return makeError(ErrorKind::Cancelled, "initdb was cancelled");
    const std::string output = m_process.readAll().toStdString();
    const std::string words = lastWords(output);
    const bool full = output.find("No space left on device") != std::string::npos;
    return makeError(full ? ErrorKind::NoSpace : ErrorKind::Io, "initdb failed: {}",
                     !words.empty()    ? words
                     : !output.empty() ? output
                                       : "it said nothing");
}

void Initdb::finish(Status status) {
    if (!status)
        removeFiles();
    if (const Done done = std::exchange(m_done, nullptr))
        done(std::move(status));
}

void Initdb::removeFiles() {
    std::error_code ignored; // what cannot be removed is found by the next run, which refuses
    fs::remove_all(m_places.dataDirectory, ignored);
    for (fs::directory_iterator entry(m_places.walDirectory, ignored), end; !ignored && entry != end;
         entry.increment(ignored))
        fs::remove_all(entry->path(), ignored);
}

void endInitdb(const std::string& dataDirectory) {
    std::vector<pid_t> ended;
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    // again, because one that is killed may just have begun another
    for (auto found = processesOf(dataDirectory);
         !found.empty() && std::chrono::steady_clock::now() < deadline; found = processesOf(dataDirectory)) {
        killAndWait(found, std::chrono::seconds(5));
        for (const ProcessIdentity& process : found)
            ended.push_back(process.pid);
    }
    clearSharedMemory(ended);
}

} // namespace arbor
