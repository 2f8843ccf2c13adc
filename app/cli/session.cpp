#include "app/cli/session.h"

#include "app/cli/help.h"
#include "app/cli/interrupt.h"
#include "app/cli/parse.h"
#include "app/cli/text.h"
#include "app/control/engine_launcher.h"
#include "app/control/methods.h"
#include "app/control/runtime_dir.h"
#include "storage/base/time.h"

#include <QEventLoop>
#include <QJsonDocument>

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <ostream>

namespace arbor {

namespace {

void printError(const Error& error, bool json, std::ostream& err) {
    if (json)
        err << QJsonDocument(QJsonObject{{"error", errorToJson(error)}})
                   .toJson(QJsonDocument::Compact)
                   .toStdString()
            << '\n';
    else
        err << "pgarborctl: " << error.message() << '\n';
}

} // namespace

Session::Session(std::string store, bool json, Surroundings surroundings)
    : m_store(canonicalStore(store)), m_json(json), m_surroundings(surroundings),
      m_client(QString::fromStdString(m_store), QStringLiteral("pgarborctl ") + programVersion) {
    if (m_surroundings.progress)
        m_client.setOnProgress([this](const QJsonObject& job) { showProgress(job); });
}

Session::~Session() = default;

std::int64_t Session::now() const {
    return SystemClock().now().micros;
}

Status Session::connectIfRunning() {
    const Status connected = m_client.connect();
    if (connected || connected.error().kind() != ErrorKind::Unreachable)
        return connected;
    ARBOR_ASSIGN(const bool exists, storeExists(m_store));
    if (!exists)
        return makeError(ErrorKind::NotFound, "{}", noStoreMessage(m_store));
    return connected;
}

Status Session::connectToMakeStore() {
    const Status connected = m_client.connect();
    if (connected || connected.error().kind() != ErrorKind::Unreachable)
        return connected;
    ARBOR_TRY(ensureEngine({.store = m_store}));
    return m_client.connect();
}

Result<QJsonValue> Session::call(const QString& method, const QJsonObject& params) {
    if (!m_client.isConnected()) {
        if (const Status connected = connectIfRunning(); !connected) {
            if (connected.error().kind() != ErrorKind::Unreachable)
                return connected.error();
            ARBOR_TRY(ensureEngine({.store = m_store}));
            ARBOR_TRY(m_client.connect());
        }
    }
    const InterruptGuard guard([this] { m_client.cancelCurrent(); });
    auto result = m_client.call(method, params);
    clearProgress();
    return result;
}

Result<int> Session::waitForProcess(int pid) {
    const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
    if (process >= 0) {
        QEventLoop loop;
        QSocketNotifier ended(process, QSocketNotifier::Read);
        QObject::connect(&ended, &QSocketNotifier::activated, &loop, &QEventLoop::quit);
        loop.exec();
        close(process);
    }
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return errnoError(errno, "waiting for a process");
    return status;
}

void Session::print(const QJsonValue& result, const std::function<void(std::ostream&)>& people) {
    if (!m_json) {
        people(out());
        return;
    }
    const QJsonDocument document =
        result.isArray() ? QJsonDocument(result.toArray()) : QJsonDocument(result.toObject());
    out() << document.toJson(QJsonDocument::Indented).toStdString();
}

void Session::print(const std::string& text) {
    print(QJsonObject{{"text", QString::fromStdString(text)}}, [&](std::ostream& out) { out << text; });
}

void Session::showProgress(const QJsonObject& job) {
    constexpr int width = 24;
    const QJsonValue fraction = job.value("fraction");
    std::string bar;
    if (fraction.isDouble()) {
        const int full = static_cast<int>(fraction.toDouble() * width);
        bar =
            fmt::format("[{}{}] {:3.0f} % ", std::string(static_cast<std::size_t>(full), '#'),
                        std::string(static_cast<std::size_t>(width - full), '.'), fraction.toDouble() * 100);
    }
    const std::string bytes = job.value("bytes").toInteger() > 0 ? "  " + bytesText(job.value("bytes")) : "";
    err() << "\r\033[K" << bar << plainText(job.value("text")) << bytes << std::flush;
    m_progressShown = true;
}

void Session::clearProgress() {
    if (std::exchange(m_progressShown, false))
        err() << "\r\033[K" << std::flush;
}

int runCommandLine(const std::vector<std::string>& words, Surroundings surroundings) {
    auto line = parseLine(words);
    if (!line) {
        printError(line.error(), wantsJson(words), surroundings.err);
        return exitCodeOf(line.error().kind());
    }
    Session session(line->store.empty() ? defaultStore() : line->store, line->json, surroundings);
    if (line->help) {
        session.print(line->command         ? helpOf(*line->command)
                      : line->group.empty() ? helpOfAll()
                                            : helpOfGroup(line->group));
        return 0;
    }
    if (line->version) {
        session.print(QJsonObject{{"version", programVersion}},
                      [](std::ostream& out) { out << "pgarborctl " << programVersion << '\n'; });
        return 0;
    }
    const Result<int> code = line->command->run(line->invocation, session);
    surroundings.out.flush();
    if (code)
        return *code;
    printError(code.error(), line->json, surroundings.err);
    return exitCodeOf(code.error().kind());
}

} // namespace arbor
