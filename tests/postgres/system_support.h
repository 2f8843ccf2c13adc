// The whole product from outside: pgarborctl as a process, the engine that it starts, real servers. A store
// lives in a fresh directory and takes everything with it: engine, servers, mount, files, also after a
// failure.
#pragma once

#include "tests/support/test_seed.h"

#include <QTest>

#include <QCryptographicHash>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>

#include <libpq-fe.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <map>
#include <memory>
#include <pwd.h>
#include <set>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace arbor::system_test {

namespace fs = std::filesystem;

inline QString programPath(const char* name) {
    return QCoreApplication::applicationDirPath() + "/" + name;
}

// What a run of pgarborctl left behind.
struct Outcome {
    int code = -1; // -1: it did not end, or died
    QByteArray out;
    QByteArray err;

    QJsonDocument document() const { return QJsonDocument::fromJson(out); }
    QJsonObject object() const { return document().object(); }
    QJsonArray array() const { return document().array(); }
    QJsonObject error() const { return QJsonDocument::fromJson(err).object().value("error").toObject(); }
    QString kind() const { return error().value("kind").toString(); }
    QString message() const { return error().value("message").toString(); }
    QByteArray text() const { return out + err; }
};

// Compares the exit code and shows what was said when it is another.
#define EXPECT_CODE(outcome, expected)                                           \
    do {                                                                         \
        const auto& shownOutcome = (outcome);                                    \
        if (shownOutcome.code != (expected))                                     \
            QFAIL(qPrintable(QString("%1 exited with %2, not %3:\n%4")           \
                                 .arg(#outcome)                                  \
                                 .arg(shownOutcome.code)                         \
                                 .arg(expected)                                  \
                                 .arg(QString::fromUtf8(shownOutcome.text())))); \
    } while (false)
#define EXPECT_OK(outcome) EXPECT_CODE(outcome, 0)

// A session with a server. Statements answer their first value, or "error: SQLSTATE message".
class Sql {
  public:
    explicit Sql(const QByteArray& url)
        : m_connection(
              PQconnectdb((url + (url.contains('?') ? "&" : "?") + "connect_timeout=30").constData())) {}
    ~Sql() { PQfinish(m_connection); }
    Sql(const Sql&) = delete;
    Sql& operator=(const Sql&) = delete;

    bool isOpen() const { return PQstatus(m_connection) == CONNECTION_OK; }
    QByteArray problem() const { return PQerrorMessage(m_connection); }
    int backend() const { return PQbackendPID(m_connection); }

    QByteArray value(const QByteArray& statement) {
        PGresult* result = PQexec(m_connection, statement.constData());
        QByteArray answer;
        const auto status = PQresultStatus(result);
        if (status == PGRES_TUPLES_OK)
            answer =
                PQntuples(result) > 0 && PQnfields(result) > 0 ? QByteArray(PQgetvalue(result, 0, 0)) : "";
        else if (status != PGRES_COMMAND_OK)
            answer = "error: " + QByteArray(PQresultErrorField(result, PG_DIAG_SQLSTATE)) + " " +
                     QByteArray(PQresultErrorMessage(result)).trimmed();
        PQclear(result);
        return answer;
    }

  private:
    PGconn* m_connection;
};

inline QByteArray readText(const fs::path& path) {
    QFile file(QString::fromStdString(path.string()));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

// Of the regular files of a directory, by their names.
inline std::map<std::string, QByteArray> checksumsIn(const fs::path& directory) {
    std::map<std::string, QByteArray> files;
    for (const auto& entry : fs::directory_iterator(directory))
        if (entry.is_regular_file())
            files[entry.path().filename()] =
                QCryptographicHash::hash(readText(entry.path()), QCryptographicHash::Sha256);
    return files;
}

// Processes that have anything open, or stand, below a directory; judged by links, which cannot hang.
inline std::set<pid_t> processesOn(const fs::path& directory) {
    std::set<pid_t> found;
    std::error_code ignored;
    for (const auto& process : fs::directory_iterator("/proc", ignored)) {
        const std::string name = process.path().filename();
        if (name.find_first_not_of("0123456789") != std::string::npos || std::stoi(name) == ::getpid())
            continue;
        const auto isBelow = [&](const fs::path& link) {
            std::error_code error;
            const std::string target = fs::read_symlink(link, error).string();
            return !error && target.starts_with(directory.string() + "/");
        };
        bool on = isBelow(process.path() / "cwd");
        if (!on)
            for (const auto& open : fs::directory_iterator(process.path() / "fd", ignored))
                on = on || isBelow(open.path());
        if (on)
            found.insert(std::stoi(name));
    }
    return found;
}

inline bool isMounted(const fs::path& place) {
    return readText("/proc/self/mountinfo").contains(" " + QByteArray::fromStdString(place.string()) + " ");
}

// Runs a line of shell as the user that owns the store: through fusermount3 not even root may look into its
// mount.
inline QByteArray asOwnerOf(const fs::path& store, const QString& line, int* code = nullptr) {
    struct stat owner {};
    if (::stat((store / "FORMAT").c_str(), &owner) != 0)
        return {};
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.setChildProcessModifier([owner] {
        if (::geteuid() == 0 &&
            (::setgroups(0, nullptr) != 0 || ::setgid(owner.st_gid) != 0 || ::setuid(owner.st_uid) != 0))
            ::_exit(99);
    });
    process.start("sh", {"-c", "cd / && " + line});
    process.closeWriteChannel();
    process.waitForFinished(120'000);
    if (code != nullptr)
        *code = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1;
    return process.readAllStandardOutput();
}

class Store {
  public:
    // Below `place`, or in the directory of temporary files.
    explicit Store(fs::path place = fs::temp_directory_path()) {
        std::string pattern = (place / "arbor-system-XXXXXX").string();
        m_folder = ::mkdtemp(pattern.data());
        ::chmod(m_folder.c_str(), 0711);
        m_path = m_folder / "store";
    }
    ~Store() { clear(); }
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    const fs::path& path() const { return m_path; }
    const fs::path& folder() const { return m_folder; }
    fs::path mount() const { return m_path / "mnt"; }

    QStringList words(const QStringList& command) const {
        return QStringList{"--store", QString::fromStdString(m_path.string())} + command;
    }
    std::unique_ptr<QProcess> begin(const QStringList& command) const {
        auto process = std::make_unique<QProcess>();
        process->start(programPath("pgarborctl"), words(command));
        process->waitForStarted();
        return process;
    }
    static Outcome finish(QProcess& process, int timeoutMs = 180'000) {
        process.closeWriteChannel();
        // a process whose end an event loop has noticed already is not waited for: Qt would say "false"
        if (process.state() != QProcess::NotRunning && !process.waitForFinished(timeoutMs)) {
            Outcome hung{-1, process.readAllStandardOutput(), process.readAllStandardError() + "(it hangs)"};
            process.kill();
            process.waitForFinished();
            return hung;
        }
        return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
                process.readAllStandardOutput(), process.readAllStandardError()};
    }
    Outcome run(const QStringList& command) const { return finish(*begin(command)); }
    // Words separated by blanks.
    Outcome run(const char* line) const { return run(QString(line).split(' ', Qt::SkipEmptyParts)); }
    Outcome json(const QStringList& command) const { return run(QStringList{"--json"} + command); }
    Outcome json(const char* line) const { return json(QString(line).split(' ', Qt::SkipEmptyParts)); }

    // Servers that need not survive a power cut: the kernel keeps what they wrote.
    Outcome init(const QStringList& initdbOptions = {"--no-sync", "--locale=C.UTF-8"}) const {
        return run(QStringList{"init", "--"} + initdbOptions);
    }
    QJsonObject branch(const QString& name) const { return json({"branch", "show", name}).object(); }
    QString state(const QString& name) const { return branch(name).value("state").toString(); }
    QByteArray url(const QString& name, const QByteArray& database = "postgres") const {
        QByteArray url = run({"url", name}).out.trimmed();
        return url.replace("/postgres?", "/" + database + "?");
    }
    Sql sql(const QString& name, const QByteArray& database = "postgres") const {
        return Sql(url(name, database));
    }
    QByteArray value(const QString& name, const QByteArray& statement) const {
        Sql session(url(name));
        return session.isOpen() ? session.value(statement) : "error: " + session.problem();
    }
    pid_t engine() const {
        return static_cast<pid_t>(json("engine status").object().value("pid").toInteger());
    }
    fs::path data(const QString& name) const {
        return mount() / std::to_string(branch(name).value("timeline").toInteger());
    }
    fs::path wal(const QString& name) const {
        return m_path / "wal" / std::to_string(branch(name).value("timeline").toInteger());
    }
    QByteArray asOwner(const QString& line, int* code = nullptr) const {
        return asOwnerOf(m_path, line, code);
    }
    pid_t postmaster(const QString& name) const {
        return asOwner("head -1 '" + QString::fromStdString(data(name)) + "/postmaster.pid'")
            .trimmed()
            .toInt();
    }
    // Names and checksums of all files of a branch that was started once and does not run now.
    QByteArray content(const QString& name) const {
        return asOwner("cd '" + QString::fromStdString(data(name)) +
                       "' && find . -type l -printf '%p %l\\n' | sort && find . -type f -print0 | sort -z | "
                       "xargs -0 sha256sum");
    }

    // Ends everything and removes it.
    void clear() {
        if (m_folder.empty())
            return;
        if (fs::exists(m_path / "FORMAT") && !m_engineGone)
            run("engine stop");
        for (int round = 0; round < 200; ++round) {
            const auto left = processesOn(m_path);
            if (left.empty())
                break;
            for (const pid_t process : left) {
                ::kill(process, SIGCONT);
                ::kill(process, SIGKILL);
            }
            QTest::qWait(20);
        }
        if (isMounted(mount()))
            ::umount2(mount().c_str(), MNT_DETACH);
        std::error_code ignored;
        fs::remove_all(m_folder, ignored);
        m_folder.clear();
    }
    // The engine must not be asked to stop any more (it was killed, and no other shall be started).
    void engineIsGone() { m_engineGone = true; }

  private:
    fs::path m_folder;
    fs::path m_path;
    bool m_engineGone = false;
};

// Why this machine cannot run these tests; empty when it can.
inline QByteArray obstacle() {
    if (::access("/dev/fuse", F_OK) != 0)
        return "there is no /dev/fuse";
    if (::geteuid() == 0 && ::getpwnam("postgres") == nullptr)
        return "there is no user postgres for the engine to become";
    return {};
}

inline bool isFull() {
    return !qEnvironmentVariable("ARBOR_FULL").isEmpty();
}

// QtTest ends a test function after five minutes: too soon for the long counts, and for a loaded machine.
inline const bool isPatient = qEnvironmentVariableIsSet("QTEST_FUNCTION_TIMEOUT") ||
                              qputenv("QTEST_FUNCTION_TIMEOUT", isFull() ? "36000000" : "1200000");

} // namespace arbor::system_test
