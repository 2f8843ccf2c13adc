// A mount over memory views, served by a process of its own, and clients of it in further processes: whoever
// serves a mount must not use it, and a client that hangs must not hang the test.
#pragma once

#include <QTest>

#include <QProcess>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <functional>
#include <grp.h>
#include <pwd.h>
#include <sstream>
#include <string>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace arbor::test {

// Inside a client: says what did not hold and ends the process.
[[noreturn]] inline void failClient(const char* file, int line, const char* what) {
    const std::string text = std::string(file) + ":" + std::to_string(line) + ": " + what + " (errno " +
                             std::strerror(errno) + ")\n";
    (void)!write(STDOUT_FILENO, text.data(), text.size());
    _exit(1);
}
#define EXPECT(condition)                                              \
    do {                                                               \
        errno = 0;                                                     \
        if (!(condition))                                              \
            ::arbor::test::failClient(__FILE__, __LINE__, #condition); \
    } while (false)
// A call that must fail with this errno.
#define EXPECT_ERRNO(call, expected)                                                            \
    do {                                                                                        \
        errno = 0;                                                                              \
        if ((call) != -1 || errno != (expected))                                                \
            ::arbor::test::failClient(__FILE__, __LINE__, #call " is not answered " #expected); \
    } while (false)

// The user that everything runs as: postgres when the tests run as root, else ourselves.
struct TestUser {
    uid_t uid = geteuid();
    gid_t gid = getegid();

    static TestUser find() {
        TestUser user;
        if (geteuid() == 0) {
            const passwd* entry = getpwnam("postgres");
            if (entry) {
                user.uid = entry->pw_uid;
                user.gid = entry->pw_gid;
            }
        }
        return user;
    }
    void become() const {
        if (geteuid() == 0)
            if (setgroups(0, nullptr) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
                _exit(99);
    }
};

// With ARBOR_MOUNT_RINGS requests come over io_uring, where this kernel can: switches that on for its
// lifetime, which needs root. Other mounts of the machine may come to have them by that, and do no worse.
class RingSwitch {
  public:
    static bool wanted() { return qEnvironmentVariableIsSet("ARBOR_MOUNT_RINGS"); }
    RingSwitch() {
        if (wanted() && std::getline(std::ifstream(knob), m_former) && m_former == "N" && geteuid() == 0)
            std::ofstream(knob) << "Y";
    }
    ~RingSwitch() {
        if (!m_former.empty() && m_former != setting())
            std::ofstream(knob) << m_former;
    }
    RingSwitch(const RingSwitch&) = delete;
    RingSwitch& operator=(const RingSwitch&) = delete;
    static bool isOn() { return setting() == "Y"; }

  private:
    static constexpr const char* knob = "/sys/module/fuse/parameters/enable_uring";
    static std::string setting() {
        std::string text;
        std::getline(std::ifstream(knob), text);
        return text;
    }
    std::string m_former;
};

class MountFixture {
  public:
    enum class Way { Root, User };

    explicit MountFixture(Way way) : m_way(way), m_user(TestUser::find()) {}
    ~MountFixture() { stop(); }

    // Why this machine cannot do it; empty when it can.
    std::string obstacle() const {
        struct stat info {};
        if (stat("/dev/fuse", &info) != 0)
            return "there is no /dev/fuse";
        if (m_way == Way::Root)
            return geteuid() == 0 ? "" : "only root mounts as root";
        if (access("/usr/bin/fusermount3", X_OK) != 0)
            return "fusermount3 is not installed";
        if (geteuid() == 0)
            return ""; // opens /dev/fuse to all for the time of the test
        return access("/dev/fuse", R_OK | W_OK) == 0 ? "" : "/dev/fuse is closed to us";
    }

    // A fresh folder with a mount point `mnt` and room for files of the host in `native`.
    bool start(int threads = 4) {
        if (m_way == Way::User && geteuid() == 0 && !m_deviceMode) {
            struct stat info {};
            stat("/dev/fuse", &info);
            m_deviceMode = info.st_mode & 07777;
            chmod("/dev/fuse", 0666);
        }
        if (m_folder.empty()) {
            char name[] = "/tmp/arbor-mount.XXXXXX";
            m_folder = mkdtemp(name);
            for (const std::string& folder : {m_folder, mount(), native()}) {
                mkdir(folder.c_str(), 0700);
                if (chown(folder.c_str(), m_user.uid, m_user.gid) != 0)
                    return false;
            }
        }
        m_server = std::make_unique<QProcess>();
        m_server->setProcessChannelMode(QProcess::ForwardedErrorChannel);
        m_server->start(QCoreApplication::applicationDirPath() + "/mount_server",
                        {QString::fromStdString(mount()), m_way == Way::Root ? "root" : "user",
                         QString::number(m_user.uid), QString::number(m_user.gid), QString::number(threads),
                         QString::fromStdString(native())});
        m_answer = readLine();
        return m_answer == "ready";
    }
    const std::string& firstAnswer() const { return m_answer; }

    std::string ask(const std::string& command) {
        m_server->write((command + "\n").c_str());
        m_server->waitForBytesWritten();
        return readLine();
    }
    QProcess& server() { return *m_server; }

    bool isMounted() const {
        std::ifstream file("/proc/self/mountinfo");
        std::stringstream text;
        text << file.rdbuf();
        return text.str().find(" " + mount() + " ") != std::string::npos;
    }

    void stopServer() {
        if (m_server && m_server->state() != QProcess::NotRunning) {
            m_server->write("hold no\nstop\n");
            if (!m_server->waitForFinished(15000)) {
                m_server->kill();
                m_server->waitForFinished();
            }
        }
        m_server.reset();
    }
    void stop() {
        stopServer();
        if (m_folder.empty())
            return;
        if (isMounted()) {
            if (geteuid() == 0)
                umount2(mount().c_str(), MNT_DETACH);
            else
                QProcess::execute("fusermount3", {"-uz", QString::fromStdString(mount())});
        }
        QProcess::execute("rm", {"-rf", "--one-file-system", QString::fromStdString(m_folder)});
        if (m_deviceMode)
            chmod("/dev/fuse", *m_deviceMode);
        m_folder.clear();
    }

    const std::string& folder() const { return m_folder; }
    std::string mount() const { return m_folder + "/mnt"; }
    std::string native() const { return m_folder + "/native"; }
    std::string timeline(int id = 1) const { return mount() + "/" + std::to_string(id); }
    const TestUser& user() const { return m_user; }
    Way way() const { return m_way; }

    // Runs `work` in `count` children at a time, as the user; what went wrong, or nothing.
    QByteArray clients(int count, const std::function<void(int)>& work, int seconds = 60) const {
        int pipes[2];
        if (pipe(pipes) != 0)
            return "no pipe";
        std::vector<pid_t> children;
        for (int i = 0; i < count; ++i) {
            const pid_t child = fork();
            if (child == 0) {
                dup2(pipes[1], STDOUT_FILENO);
                close(pipes[0]);
                m_user.become();
                work(i);
                _exit(0);
            }
            children.push_back(child);
        }
        close(pipes[1]);
        QByteArray complaint;
        QElapsedTimer time;
        time.start();
        while (!children.empty()) {
            std::erase_if(children, [&](pid_t child) {
                int status = 0;
                if (waitpid(child, &status, WNOHANG) != child)
                    return false;
                if (status != 0 && WIFSIGNALED(status))
                    complaint += "client died of signal " + QByteArray::number(WTERMSIG(status)) + "\n";
                else if (status != 0 && WEXITSTATUS(status) != 1)
                    complaint += "client ended with " + QByteArray::number(WEXITSTATUS(status)) + "\n";
                return true;
            });
            if (time.elapsed() > seconds * 1000) {
                for (const pid_t child : children)
                    kill(child, SIGKILL);
                for (const pid_t child : children)
                    waitpid(child, nullptr, 0);
                complaint += "clients did not finish\n";
                break;
            }
            usleep(500);
        }
        char buffer[4096];
        for (ssize_t got = 0; (got = read(pipes[0], buffer, sizeof buffer)) > 0;)
            complaint.append(buffer, got);
        close(pipes[0]);
        return complaint;
    }
    QByteArray client(const std::function<void()>& work) const {
        return clients(1, [&](int) { work(); });
    }

  private:
    std::string readLine() {
        while (!m_server->canReadLine())
            if (!m_server->waitForReadyRead(20000))
                return "no answer";
        return m_server->readLine().trimmed().toStdString();
    }

    const RingSwitch m_rings;
    const Way m_way;
    const TestUser m_user;
    std::string m_folder;
    std::string m_answer;
    std::optional<mode_t> m_deviceMode;
    std::unique_ptr<QProcess> m_server;
};

} // namespace arbor::test

#define CLIENT(fixture, ...)                                              \
    do {                                                                  \
        const QByteArray complaint = (fixture).client([&]() __VA_ARGS__); \
        QVERIFY2(complaint.isEmpty(), complaint.constData());             \
    } while (false)
