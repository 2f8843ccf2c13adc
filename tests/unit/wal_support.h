// What the tests of storage/wal share: a real PostgreSQL server in a directory of its own, and pg_waldump's
// opinion.
#pragma once

#include "storage/disk/posix_disk.h"
#include "storage/wal/fork_wal.h"
#include "storage/wal/wal_scanner.h"

#include <QByteArray>
#include <QFile>
#include <QProcess>
#include <QString>
#include <QStringList>

#include <csignal>
#include <cstdlib>
#include <sys/stat.h>
#include <unistd.h>

namespace waltest {

inline const QString& binaries() {
    static const QString path = qEnvironmentVariable("PGARBOR_PG_BIN", "/usr/lib/postgresql/15/bin");
    return path;
}
inline bool havePostgres() {
    return QFile::exists(binaries() + "/postgres");
}

struct Output {
    int code = -1;
    QByteArray out, err;
};

// Runs a program, as user postgres when we are root (Postgres refuses root).
inline Output run(const QString& program, const QStringList& arguments, const QByteArray& input = {}) {
    QProcess process;
    process.setWorkingDirectory("/");
    if (geteuid() == 0)
        process.start("runuser", QStringList{"-u", "postgres", "--", program} + arguments);
    else
        process.start(program, arguments);
    process.write(input);
    process.closeWriteChannel();
    process.waitForFinished(120'000);
    return {process.exitStatus() == QProcess::NormalExit ? process.exitCode() : -1,
            process.readAllStandardOutput(), process.readAllStandardError()};
}

// A directory that everybody may read and write, removed at the end.
class TemporaryTree {
  public:
    TemporaryTree() {
        char path[] = "/tmp/arbor-wal-XXXXXX";
        m_path = mkdtemp(path);
        chmod(path, 0777);
    }
    ~TemporaryTree() { QProcess::execute("rm", {"-rf", m_path}); }
    QString path(const QString& name = {}) const { return name.isEmpty() ? m_path : m_path + "/" + name; }
    std::string file(const QString& name) const { return path(name).toStdString(); }

  private:
    QString m_path;
};

// A cluster under `tree`/name: data in name/data, its log in name/wal (initdb --waldir), socket in name.
class Server {
  public:
    Server(const TemporaryTree& tree, const QString& name, const QStringList& initOptions = {},
           const QByteArray& settings = {})
        : m_root(tree.path(name)) {
        run("mkdir", {"-p", m_root});
        const Output made =
            run(binaries() + "/initdb", QStringList{"-D", data(), "-X", walDirectory(), "-U", "postgres",
                                                    "-A", "trust", "-N", "--data-checksums"} +
                                            initOptions);
        if (made.code != 0)
            qFatal("initdb: %s", made.err.constData());
        configure(settings);
    }
    // A cluster that is there already (a copy).
    Server(const QString& root, std::nullptr_t) : m_root(root) {}
    ~Server() { kill(); }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    void configure(const QByteArray& settings) {
        run("tee", {"-a", data() + "/postgresql.conf"},
            "listen_addresses = ''\nunix_socket_directories = '" + m_root.toUtf8() +
                "'\nwal_recycle = off\nwal_init_zero = off\nfull_page_writes = off\nshared_buffers = 16MB\n"
                "autovacuum = off\nwal_keep_size = 10GB\nmax_wal_size = 1GB\n" +
                settings);
    }
    bool start() {
        const Output started = run(binaries() + "/pg_ctl", {"-D", data(), "-l", log(), "-w", "-s", "start"});
        return started.code == 0;
    }
    void stop(const QString& mode = "fast") {
        run(binaries() + "/pg_ctl", {"-D", data(), "-m", mode, "-w", "-s", "stop"});
    }
    // kill -9 of the postmaster by its own pid; returns when its data directory is free again.
    void kill() {
        QFile file(data() + "/postmaster.pid");
        if (!file.open(QIODevice::ReadOnly))
            return;
        const auto pid = static_cast<pid_t>(file.readLine().trimmed().toInt());
        if (pid <= 0)
            return;
        // immediate shutdown takes the children down too; the effect on disk is that of a kill
        stop("immediate");
        if (::kill(pid, 0) == 0)
            ::kill(pid, SIGKILL);
        QFile::remove(data() + "/postmaster.pid");
    }
    QByteArray sql(const QByteArray& text, const QString& database = "postgres") {
        const Output done =
            run(binaries() + "/psql",
                {"-h", m_root, "-U", "postgres", "-d", database, "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", "-"},
                text);
        if (done.code != 0)
            qWarning("psql: %s", done.err.constData());
        return done.out.trimmed();
    }
    arbor::ControlFile control() const {
        const std::string bytes = controlBytes();
        auto parsed = arbor::parseControlFile(std::as_bytes(std::span(bytes)));
        if (!parsed)
            qFatal("%s", parsed.error().message().c_str());
        return *parsed;
    }
    std::string controlBytes() const {
        QFile file(data() + "/global/pg_control");
        if (!file.open(QIODevice::ReadOnly))
            qFatal("no pg_control");
        return file.readAll().toStdString();
    }
    QByteArray logText() const {
        QFile file(log());
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    const QString& root() const { return m_root; }
    QString data() const { return m_root + "/data"; }
    QString walDirectory() const { return m_root + "/wal"; }
    QString log() const { return m_root + "/log"; }
    arbor::WalLayer layer(arbor::Lsn limit = {}) const { return {{walDirectory().toStdString()}, limit}; }

  private:
    QString m_root;
};

// One line of pg_waldump.
struct Dumped {
    QByteArray manager, description;
    std::uint32_t length = 0, xid = 0;
    arbor::Lsn start, previous;
};

// Everything that pg_waldump prints from `from` on, and how it ends.
struct Dump {
    std::vector<Dumped> records;
    QByteArray error;
};
inline Dump waldump(const QString& directory, arbor::Lsn from, std::uint32_t tli = 1) {
    const Output done = run(binaries() + "/pg_waldump", {"-p", directory, "-t", QString::number(tli), "-s",
                                                         QString::fromStdString(from.toString())});
    Dump dump;
    dump.error = done.err;
    for (const QByteArray& line : done.out.split('\n')) {
        // rmgr: Heap  len (rec/tot):  54/ 8006, tx:  735, lsn: 0/016B2E40, prev 0/016B2E10, desc: INSERT off
        // 1 ...
        if (!line.startsWith("rmgr: "))
            continue;
        const auto after = [&](const char* key, const char* stop) {
            const auto at = line.indexOf(key) + static_cast<qsizetype>(strlen(key));
            return line.mid(at, line.indexOf(stop, at) - at).trimmed();
        };
        Dumped record;
        record.manager = after("rmgr: ", " len");
        record.length = after("tot):", ",").split('/').value(1).trimmed().toUInt();
        record.xid = after("tx:", ",").toUInt();
        const auto lsn = [&](const QByteArray& text) {
            const auto slash = text.indexOf('/');
            return arbor::Lsn{text.left(slash).toULongLong(nullptr, 16) << 32 |
                              text.mid(slash + 1).toULongLong(nullptr, 16)};
        };
        record.start = lsn(after("lsn: ", ","));
        record.previous = lsn(after("prev ", ","));
        record.description = line.mid(line.indexOf("desc: ") + 6);
        dump.records.push_back(record);
    }
    return dump;
}

} // namespace waltest
