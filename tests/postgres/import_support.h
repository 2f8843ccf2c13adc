// A store behind the real programs, and plain servers beside it: everything that comes in or goes out is
// compared with a server that PgArbor has nothing to do with.
#pragma once

#include <QTest>

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>

#include <pwd.h>
#include <unistd.h>

#include <functional>
#include <memory>

namespace arbor::import_test {

struct Outcome {
    int code = -1;
    QString out;
    QString err;
    QJsonObject json() const { return QJsonDocument::fromJson(out.toUtf8()).object(); }
    QString kind() const {
        return QJsonDocument::fromJson(err.toUtf8())
            .object()
            .value("error")
            .toObject()
            .value("kind")
            .toString();
    }
    QString message() const {
        return QJsonDocument::fromJson(err.toUtf8())
            .object()
            .value("error")
            .toObject()
            .value("message")
            .toString();
    }
    QString report() const {
        QString text;
        for (const QJsonValue& line : json().value("report").toArray())
            text += line.toString() + '\n';
        return text;
    }
};

inline Outcome finish(QProcess& process, int timeoutMs = 100'000) {
    // a process whose end an event loop has noticed already is not waited for: Qt would say "false"
    if (process.state() != QProcess::NotRunning && !process.waitForFinished(timeoutMs)) {
        process.kill();
        process.waitForFinished();
        return {-2, {}, process.program() + " did not end"};
    }
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -3,
            QString::fromUtf8(process.readAllStandardOutput()),
            QString::fromUtf8(process.readAllStandardError())};
}

inline Outcome run(const QString& program, const QStringList& arguments, const QByteArray& input = {}) {
    QProcess process;
    process.start(program, arguments);
    process.write(input);
    process.closeWriteChannel();
    return finish(process);
}

inline QString pgBin() {
    static const QString found = [] {
        const Outcome config = run("pg_config", {"--bindir"});
        const QDir debian("/usr/lib/postgresql");
        const QStringList majors = debian.entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name);
        return majors.isEmpty() ? config.out.trimmed() : debian.filePath(majors.last() + "/bin");
    }();
    return found;
}

// The words that run a program as who servers run as: postgres when the tests run as root.
inline Outcome asServer(const QString& program, const QStringList& arguments, const QByteArray& input = {}) {
    const QString path = program.contains('/') ? program : pgBin() + "/" + program;
    const QString named = QFileInfo::exists(path) ? path : program;
    if (::geteuid() != 0)
        return run(named, arguments, input);
    return run("setpriv",
               QStringList{"--reuid=postgres", "--regid=postgres", "--clear-groups", "--", named} + arguments,
               input);
}

inline bool giveToServer(const QString& path) {
    const passwd* user = ::geteuid() == 0 ? ::getpwnam("postgres") : ::getpwuid(::geteuid());
    return user && ::chown(path.toLocal8Bit(), user->pw_uid, user->pw_gid) == 0;
}

// How psql and others reach a server.
struct Way {
    QString host;
    int port = 5432;
    QString user = "postgres";
    QStringList words() const { return {"-h", host, "-p", QString::number(port), "-U", user}; }
};

// The single answer of a statement, rows separated by line ends; "ERROR ..." when it failed.
inline QString sql(const Way& way, const QString& database, const QString& statements) {
    const Outcome outcome = asServer(
        "psql", QStringList{"-X", "-q", "-At", "-v", "ON_ERROR_STOP=1", "-d", database} + way.words(),
        statements.toUtf8());
    return outcome.code == 0 ? outcome.out.trimmed() : "ERROR " + outcome.err.trimmed();
}

// What a server holds: of each database each table with a hash of its rows, sequences, large objects,
// indexes, extensions; roles and tablespaces.
inline QString contents(const Way& way, bool unlogged = true) {
    QString text =
        sql(way, "template1",
            "SELECT rolname, rolsuper, rolcanlogin FROM pg_roles WHERE rolname !~ '^pg_' ORDER BY 1;"
            "SELECT spcname FROM pg_tablespace ORDER BY 1");
    const QString databases =
        sql(way, "template1", "SELECT datname FROM pg_database WHERE datname <> 'template0' ORDER BY 1");
    for (const QString& database : databases.split('\n')) {
        text += "\n== " + database + "\n";
        text += sql(
            way, database,
            QString(
                "SELECT c.oid::regclass, (xpath('/row/h/text()', query_to_xml("
                " 'SELECT count(*) || '':'' || md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), "
                "'''')) AS h FROM ONLY ' || c.oid::regclass || ' t', false, true, '')))[1]"
                " FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                " WHERE relkind IN ('r', 'm') AND nspname !~ '^pg_toast' AND relpersistence <> 't'"
                " AND nspname NOT IN ('pg_catalog', 'information_schema') %1 ORDER BY c.oid::regclass::text;"
                "SELECT oid, md5(lo_get(oid)) FROM pg_largeobject_metadata ORDER BY 1;"
                "SELECT schemaname, sequencename, last_value FROM pg_sequences ORDER BY 1, 2;"
                "SELECT extname, extversion FROM pg_extension WHERE extname <> 'amcheck' ORDER BY 1;"
                "SELECT c.oid::regclass FROM pg_class c JOIN pg_index ON indexrelid = c.oid"
                " WHERE relnamespace NOT IN (11, 99) AND NOT indisvalid;"
                "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = subdbid "
                " WHERE datname = current_database() ORDER BY 1")
                .arg(unlogged ? "" : "AND relpersistence = 'p'"));
    }
    return text;
}

inline Outcome amcheck(const Way& way) {
    return asServer("pg_amcheck",
                    QStringList{"--all", "--install-missing", "--heapallindexed"} + way.words());
}

// A plain server.
class PlainServer {
  public:
    PlainServer(const QString& root, const QString& name) : m_root(root), m_data(root + "/" + name) {
        // below what the kernel gives to those who connect (ip_local_port_range), and what branches take
        static int next = 11'000 + static_cast<int>(::getpid() % 1000) * 8;
        m_port = next++;
    }
    ~PlainServer() {
        if (m_running)
            stop("immediate");
    }
    bool initialize(const QStringList& options) {
        return asServer("initdb", QStringList{"-D", m_data, "-A", "trust", "--no-sync"} + options).code == 0;
    }
    void configure(const QString& lines) {
        QFile file(m_data + "/postgresql.conf");
        if (file.open(QIODevice::Append))
            file.write(lines.toUtf8());
    }
    bool start(const QString& options = {}) {
        const Outcome outcome =
            asServer("pg_ctl", {"-D", m_data, "-w", "-t", "60", "-l", m_data + ".log", "-o",
                                QString("-p %1 -k %2 -c listen_addresses=127.0.0.1 %3 %4")
                                    .arg(m_port)
                                    .arg(m_root, options, letIn()),
                                "start"});
        m_running = outcome.code == 0;
        if (!m_running)
            qWarning() << outcome.out << outcome.err << log();
        return m_running;
    }
    bool stop(const QString& mode = "fast") {
        m_running = false;
        return asServer("pg_ctl", {"-D", m_data, "-w", "-m", mode, "stop"}).code == 0;
    }
    QString log() const {
        QFile file(m_data + ".log");
        return file.open(QIODevice::ReadOnly) ? QString::fromUtf8(file.readAll()) : QString();
    }
    const QString& data() const { return m_data; }
    int port() const { return m_port; }
    Way way(const QString& user = "postgres") const { return {m_root, m_port, user}; }
    QString url(const QString& login = "postgres") const {
        return QString("postgresql://%1@127.0.0.1:%2/postgres").arg(login).arg(m_port);
    }

  private:
    // What was exported lets a role in as the user of its name only, and that need not be who runs this.
    QString letIn() const {
        QFile rules(m_data + "/pg_hba.conf");
        if (::geteuid() == 0 || !rules.open(QIODevice::ReadOnly) || !rules.readAll().contains(" peer"))
            return {};
        QFile open(m_data + ".hba");
        if (open.open(QIODevice::WriteOnly))
            open.write("local all all trust\nlocal replication all trust\nhost all all 127.0.0.1/32 trust\n");
        return "-c hba_file=" + open.fileName();
    }

    const QString m_root;
    const QString m_data;
    int m_port = 0;
    bool m_running = false;
};

// A store whose engine ends with the object.
class Store {
  public:
    explicit Store(const QString& root = QDir::tempPath()) : m_directory(root + "/arbor-import-XXXXXX") {
        QFile::setPermissions(m_directory.path(), QFile::Permissions(0x7755));
        giveToServer(m_directory.path());
        qputenv("PGARBOR_ENGINE", PGARBORD);
        qputenv("PGTZ", "UTC");
    }
    ~Store() { ctl({"engine", "stop"}); }
    QString path() const { return m_directory.path() + "/store"; }
    QString place() const { return m_directory.path(); } // a directory that servers may write in

    Outcome ctl(const QStringList& words) const { return run(PGARBORCTL, arguments(words)); }
    std::unique_ptr<QProcess> begin(const QStringList& words) const {
        auto process = std::make_unique<QProcess>();
        process->start(PGARBORCTL, arguments(words));
        return process->waitForStarted() ? std::move(process) : nullptr;
    }
    Way start(const QString& branch) const {
        const Outcome started = ctl({"start", branch});
        if (started.code != 0)
            qWarning() << started.err;
        const QJsonObject found = ctl({"branch", "show", branch}).json();
        return {found.value("socketDir").toString(), found.value("port").toInt(), "postgres"};
    }
    QStringList branches() const {
        QStringList names;
        for (const QJsonValue& branch : QJsonDocument::fromJson(ctl({"branch", "list"}).out.toUtf8()).array())
            names << branch.toObject().value("name").toString();
        return names;
    }
    // The id of a job that runs and has moved more than so many bytes; 0: there is none.
    int runningJob(double moreThanBytes = -1) const {
        for (const QJsonValue& one : QJsonDocument::fromJson(ctl({"job", "list"}).out.toUtf8()).array())
            if (one.toObject().value("state") == "running" &&
                one.toObject().value("bytes").toDouble() > moreThanBytes)
                return one.toObject().value("id").toInt();
        return 0;
    }
    // Everything that an import may leave outside of the index and the segments.
    QStringList leftOvers() const {
        QStringList found;
        for (const char* folder : {"wal", "walkeep", "scratch", "log", "run", "mnt"})
            for (const QString& name :
                 QDir(path() + "/" + folder).entryList(QDir::AllEntries | QDir::NoDotAndDotDot))
                if (!name.startsWith("engine."))
                    found << QString("%1/%2").arg(folder, name);
        return found;
    }

  private:
    // Two may be there at a time: which one is meant is said each time.
    QStringList arguments(const QStringList& words) const {
        return QStringList{"--store", path()} + words + QStringList{"--json"};
    }
    QTemporaryDir m_directory;
};

inline bool serversCanRun() {
    return QFileInfo(pgBin() + "/initdb").isExecutable() && QFileInfo::exists("/dev/fuse");
}

} // namespace arbor::import_test
