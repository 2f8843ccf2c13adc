// Which processors a process that writes page after page, and those who answer it, may run on.
#include "tests/postgres/mount_support.h"

#include <QDir>
#include <QTest>

#include <poll.h>
#include <sched.h>

using namespace arbor;
using namespace arbor::test;

namespace {

std::vector<int> processorsOf(pid_t thread) {
    cpu_set_t set{};
    std::vector<int> all;
    if (sched_getaffinity(thread, sizeof set, &set) != 0)
        return all;
    for (int i = 0; i < CPU_SETSIZE; ++i)
        if (CPU_ISSET(static_cast<std::size_t>(i), &set))
            all.push_back(i);
    return all;
}

void run(pid_t thread, int processor) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<std::size_t>(processor), &set);
    QCOMPARE(sched_setaffinity(thread, sizeof set, &set), 0);
}

// A process that writes pages until it is told otherwise, and lives on.
class Writer {
  public:
    explicit Writer(const MountFixture& mount) {
        if (pipe2(m_orders, O_CLOEXEC) != 0 || pipe2(m_answers, O_CLOEXEC) != 0)
            qFatal("no pipe");
        m_process = fork();
        if (m_process != 0)
            return;
        close(m_orders[1]);
        mount.user().become();
        obey(mount.timeline() + "/written");
    }
    ~Writer() {
        close(m_orders[1]); // the end of its orders ends it, and its child
        waitpid(m_process, nullptr, 0);
        for (const int end : {m_orders[0], m_answers[0], m_answers[1]})
            close(end);
    }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    pid_t process() const { return m_process; }
    void stop() { order('s'); }
    // Of a process that it starts.
    pid_t startChild() {
        order('c');
        pid_t child = -1;
        if (read(m_answers[0], &child, sizeof child) != sizeof child)
            qFatal("no child");
        return child;
    }

  private:
    void order(char what) const {
        if (write(m_orders[1], &what, 1) != 1)
            qFatal("the writer has ended");
    }
    [[noreturn]] void obey(const std::string& path) const {
        const std::vector<char> page(8192, 'p');
        const int fd = open(path.c_str(), O_RDWR | O_CREAT, 0600);
        bool writes = true;
        for (off_t at = 0;; at = (at + 8192) % (64 * 8192)) {
            if (writes && pwrite(fd, page.data(), page.size(), at) != 8192)
                _exit(1);
            pollfd orders{m_orders[0], POLLIN, 0};
            if (poll(&orders, 1, writes ? 0 : -1) == 0)
                continue;
            char what = 0;
            if (read(m_orders[0], &what, 1) != 1)
                _exit(0);
            if (what == 's')
                writes = false;
            else if (const pid_t child = fork(); child == 0)
                waitForTheEnd();
            else if (write(m_answers[1], &child, sizeof child) != sizeof child)
                _exit(1);
        }
    }
    [[noreturn]] void waitForTheEnd() const {
        pollfd orders{m_orders[0], 0, 0};
        poll(&orders, 1, -1); // POLLHUP
        _exit(0);
    }

    int m_orders[2];
    int m_answers[2];
    pid_t m_process = -1;
};

} // namespace

class MountPairingTest : public QObject {
    Q_OBJECT

    std::unique_ptr<MountFixture> m_mount;

    // How many of the mount's threads may run on one processor only.
    int boundWorkers() const {
        const QString tasks = QString("/proc/%1/task").arg(m_mount->server().processId());
        int bound = 0;
        for (const QString& task : QDir(tasks).entryList(QDir::Dirs | QDir::NoDotAndDotDot))
            bound += processorsOf(task.toInt()).size() == 1 ? 1 : 0;
        return bound;
    }

  private slots:
    void initTestCase() {
        const std::string obstacle = MountFixture(MountFixture::Way::Root).obstacle();
        if (!obstacle.empty())
            QSKIP(("NOTHING IS TESTED HERE: " + obstacle).c_str());
        if (processorsOf(0).size() < 2)
            QSKIP("NOTHING IS TESTED HERE: one processor");
    }
    void init() {
        m_mount = std::make_unique<MountFixture>(MountFixture::Way::Root);
        QVERIFY2(m_mount->start(), m_mount->firstAnswer().c_str());
    }
    void cleanup() { m_mount.reset(); }

    void whoWritesPageAfterPageSharesAProcessorWithThoseWhoAnswer() {
        const auto all = processorsOf(0);
        Writer writer(*m_mount);
        QTRY_COMPARE(processorsOf(writer.process()).size(), std::size_t{1});
        QTRY_VERIFY(boundWorkers() >= 2);
        writer.stop();
        QTRY_VERIFY(processorsOf(writer.process()) == all);
        QTRY_COMPARE(boundWorkers(), 0);
    }

    void whatItStartedMeanwhileIsLetGoToo() {
        const auto all = processorsOf(0);
        Writer writer(*m_mount);
        QTRY_COMPARE(processorsOf(writer.process()).size(), std::size_t{1});
        const pid_t child = writer.startChild();
        writer.stop();
        QTRY_VERIFY(processorsOf(writer.process()) == all);
        QTRY_VERIFY(processorsOf(child) == all);
    }

    void processorsThatSomebodyChoseMeanwhileStay() {
        Writer writer(*m_mount);
        QTRY_COMPARE(processorsOf(writer.process()).size(), std::size_t{1});
        const auto all = processorsOf(0);
        const int other = processorsOf(writer.process()).front() == all.front() ? all.back() : all.front();
        run(writer.process(), other);
        writer.stop();
        QTRY_COMPARE(boundWorkers(), 0);
        QCOMPARE(processorsOf(writer.process()), std::vector<int>{other});
    }

    void whoMayRunOnOneProcessorOnlyKeepsThat() {
        const int last = processorsOf(0).back();
        Writer writer(*m_mount);
        run(writer.process(), last);
        QTRY_VERIFY(boundWorkers() >= 2);
        writer.stop();
        QTRY_COMPARE(boundWorkers(), 0);
        QCOMPARE(processorsOf(writer.process()), std::vector<int>{last});
    }

    void theEndOfTheMountLetsEverybodyGo() {
        const auto all = processorsOf(0);
        Writer writer(*m_mount);
        QTRY_COMPARE(processorsOf(writer.process()).size(), std::size_t{1});
        const pid_t child = writer.startChild(); // the writer ends with its mount
        m_mount->stopServer();
        QTRY_VERIFY(processorsOf(child) == all);
    }
};

QTEST_GUILESS_MAIN(MountPairingTest)
#include "mount_pairing_test.moc"
