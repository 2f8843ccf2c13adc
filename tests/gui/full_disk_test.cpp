// The real window and the real engine on a disk that is full: what is said, that the window works on, and
// that once there is room again the next try works, in the same window, with nothing lost.
#include "app/gui/first_run_page.h"
#include "app/gui/problem_page.h"
#include "app/gui/window_actions.h"
#include "tests/gui/live_window.h"
#include "tests/postgres/small_disk.h"
#include "tests/support/private_mounts.h"

#include <QLabel>
#include <QStorageInfo>

#include <csignal>

using namespace arbor;

// The engine counts anew when that takes a hundredth of its time: on a machine with much to do, later.
#define ARBOR_AFTER_COUNTING(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, 300'000)

class FullDiskTest : public QObject {
    Q_OBJECT

    std::unique_ptr<SmallDisk> m_disk;
    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<LiveWindow> m_live;

    MainWindow& window() const { return m_live->window; }
    QString onDisk(const char* name) const {
        return QString::fromStdString((m_disk->place() / name).string());
    }
    qint64 freeBytes() const { return QStorageInfo(onDisk("")).bytesAvailable(); }
    // Somebody else's file takes all but so much.
    void fill(qint64 left) const {
        QFile filler(onDisk("filler"));
        QVERIFY(filler.open(QIODevice::WriteOnly | QIODevice::Append));
        const QByteArray block(1 << 20, 'x');
        while (freeBytes() - left >= block.size() && filler.write(block) == block.size() && filler.flush()) {
        }
        if (left == 0)
            while (filler.write(block.constData(), 4096) == 4096 && filler.flush()) {
            }
    }
    void makeRoom() const { QVERIFY(QFile::remove(onDisk("filler"))); }
    void tryAgain() {
        auto* retry = m_live->page<ProblemPage>()->findChild<QPushButton*>(QStringLiteral("retry"));
        QVERIFY(retry->isVisible() && retry->isEnabled());
        LiveWindow::click(retry);
    }
    // Of an engine that is gone; "" while there is one.
    QString said() const {
        auto* strip = window().findChild<QWidget*>(QStringLiteral("goneStrip"));
        return strip->isVisible() ? strip->findChild<QLabel*>()->text() : QString();
    }
    void startEngine() const {
        LiveWindow::click(window().findChild<QPushButton*>(QStringLiteral("startEngine")));
        ARBOR_EVENTUALLY(m_live->connected());
    }
    QByteArray sql(const QString& statement, int* code = nullptr) const {
        return m_place->ctl({"psql", "main", "--", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement}, code)
            .trimmed();
    }

    // How many rows were acknowledged before a statement found no room.
    int writeUntilTheDiskIsFull() const {
        for (int round = 0; round < 100; ++round) {
            int code = 1;
            sql(QStringLiteral("INSERT INTO kept VALUES (%1)").arg(round), &code);
            if (code != 0)
                return round;
            // 8 MB that no compression makes small
            sql("INSERT INTO filler SELECT string_agg(md5(random()::text), '') FROM "
                "generate_series(1, 1000) a, generate_series(1, 250) b GROUP BY a",
                &code);
            if (code != 0)
                return round + 1;
            QCoreApplication::processEvents();
        }
        return -1;
    }

  private Q_SLOTS:
    void initTestCase() {
        if (::geteuid() != 0)
            QSKIP("only root can hide what is installed");
        ARBOR_NEEDS(whyNoPrivateMounts()); // so that the disk goes with the test, whatever becomes of it
        ARBOR_NEEDS_ENGINE();
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        applyAppearance(QStringLiteral("light"));
    }
    void init() {
        m_disk = std::make_unique<SmallDisk>(std::uintmax_t{1000} << 20);
        ARBOR_NEEDS(m_disk->isMounted() ? QString() : QStringLiteral("this machine mounts no loop device"));
        m_place = std::make_unique<GuiPlace>(onDisk("stores"));
    }
    void cleanup() {
        m_live.reset();
        m_place.reset();
        m_disk.reset();
    }

    void TheFirstRunSaysThatThereIsNoRoom() {
        fill(100 << 20);
        m_live = std::make_unique<LiveWindow>(*m_place);
        ARBOR_EVENTUALLY(m_live->page<FirstRunPage>());
        for (QPushButton* card :
             m_live->page<FirstRunPage>()->findChildren<QPushButton*>(QStringLiteral("card")))
            if (card->accessibleName() == "New cluster")
                LiveWindow::click(card);
        ARBOR_EVENTUALLY(m_live->page<ProblemPage>());
        QCOMPARE(m_live->page<ProblemPage>()->title(), QString("The disk is full"));
        // a command that can be run: the store is not there
        QVERIFY(!QDir(m_place->store()).exists());
        QCOMPARE(m_live->page<ProblemPage>()->findChild<QLineEdit*>()->text(), "df -h " + onDisk("stores"));
        GuiPlace::shootAll(window(), "first-run-disk-full");
        makeRoom();
        tryAgain();
        QTRY_VERIFY_WITH_TIMEOUT(m_live->connected() || m_live->page<ProblemPage>(), 120'000);
        QVERIFY2(m_live->connected(), qPrintable(m_live->session.problem()));
        ARBOR_EVENTUALLY(m_live->branch("main"));
    }

    // The demo begins and finds no room to go on.
    void NothingIsLeftOfADemoThatFoundNoRoom() {
        fill(175 << 20);
        m_live = std::make_unique<LiveWindow>(*m_place);
        ARBOR_EVENTUALLY(m_live->page<FirstRunPage>());
        LiveWindow::click(m_live->page<FirstRunPage>()->findChild<QPushButton*>(QStringLiteral("card")));
        QTRY_VERIFY_WITH_TIMEOUT(m_live->connected() || m_live->page<ProblemPage>(), 240'000);
        QVERIFY(m_live->page<ProblemPage>());
        QCOMPARE(m_live->page<ProblemPage>()->title(), QString("The disk is full"));
        QVERIFY(!QDir(m_place->store()).exists());
        makeRoom();
        tryAgain();
        QTRY_VERIFY_WITH_TIMEOUT(m_live->connected() || m_live->page<ProblemPage>(), 240'000);
        QVERIFY2(m_live->connected(), qPrintable(m_live->session.problem()));
        ARBOR_EVENTUALLY(m_live->names() == (QStringList{"audit", "dev", "main"}));
    }

    // One that is killed says nothing; nor does one that was started on a full disk and ended at once.
    void AnEngineThatDiedOnAFullDiskIsNoRiddle() {
        m_place->succeed({"init", "--", "--no-sync", "--locale=C.UTF-8"});
        m_live = std::make_unique<LiveWindow>(*m_place);
        ARBOR_EVENTUALLY(m_live->connected() && m_live->branch("main"));
        const auto pid = [&] { return m_live->session.picture().engine.pid; };
        const auto end = [&] {
            ::kill(static_cast<pid_t>(pid()), SIGKILL);
            ARBOR_EVENTUALLY(m_live->session.state() == StoreSession::State::EngineGone);
        };
        ARBOR_EVENTUALLY(pid() > 0);
        const auto first = pid();
        end();
        QVERIFY2(said().startsWith("The engine is gone. "), qPrintable(said()));
        startEngine();
        ARBOR_EVENTUALLY(pid() > 0 && pid() != first);
        fill(0);
        end();
        QVERIFY2(said().startsWith("The disk is full. "), qPrintable(said()));
        startEngine();
    }

    // While a server writes: said in the window, in words; and nothing that was acknowledged is lost.
    void ADiskThatFillsUpIsSaidAndWorkGoesOnOnceThereIsRoom() {
        int code = 1;
        m_place->ctl({"init", "--", "--no-sync", "--locale=C.UTF-8"}, &code);
        QCOMPARE(code, 0);
        sql("CREATE TABLE kept (n int PRIMARY KEY)", &code);
        QCOMPARE(code, 0);
        sql("CREATE TABLE filler (t text); ALTER TABLE filler ALTER t SET STORAGE EXTERNAL", &code);
        QCOMPARE(code, 0);
        m_live = std::make_unique<LiveWindow>(*m_place);
        ARBOR_EVENTUALLY(m_live->connected() && m_live->branch("main"));
        window().area().selectBranch(m_live->branch("main")->id);
        QVERIFY(window().limitBar().isHidden());

        fill(120 << 20);
        window().commands().createCheckpoint("before", "main", {}, [](const QString&) {});
        ARBOR_AFTER_COUNTING(window().limitBar().isVisible());
        QVERIFY2(window().limitBar().text().startsWith("The disk has 1"),
                 qPrintable(window().limitBar().text()));
        QCOMPARE(window().limitBar().actionButton()->text(), QString("Free space"));
        GuiPlace::shoot(window(), "disk-nearly-full");

        fill(0);
        const int acknowledged = writeUntilTheDiskIsFull();
        QVERIFY(acknowledged > 0);
        // the engine goes on, and so does what needs it alone
        QVERIFY(m_live->connected());
        QVERIFY(window().messages().isHidden() || !window().messages().text().contains("no more writes"));
        m_place->succeed({"branch", "create", "beside", "--from", "main", "--at", "checkpoint:before"});
        ARBOR_EVENTUALLY(m_live->branch("beside"));
        GuiPlace::shoot(window(), "disk-full");

        // where it is killed it is said why there is none, and what to do; what was known stays to be seen
        ::kill(static_cast<pid_t>(m_live->session.picture().engine.pid), SIGKILL);
        ARBOR_EVENTUALLY(m_live->session.state() == StoreSession::State::EngineGone);
        QVERIFY2(said().startsWith("The disk is full. ") && said().contains("Free some, then "),
                 qPrintable(said()));
        QVERIFY(window().limitBar().isHidden()); // so many megabytes left, as they were
        QVERIFY(m_live->branch("main"));
        GuiPlace::shootAll(window(), "disk-full-engine-gone");

        // a disk that is full is no reason not to look at the store
        startEngine();
        ARBOR_AFTER_COUNTING(window().limitBar().isVisible() &&
                             m_live->session.picture().checkpoints.size() == 1);
        QTRY_VERIFY_WITH_TIMEOUT(m_live->branch("main")->state == BranchState::Failed,
                                 120'000); // it was running
        QVERIFY2(
            m_live->branch("main")->error.startsWith("The disk is full: free some space, then start again."),
            qPrintable(m_live->branch("main")->error));
        auto* error = window().inspector().findChild<QLabel*>(QStringLiteral("branchError"));
        QTRY_VERIFY(error->isVisible());
        GuiPlace::shootAll(window(), "disk-full-branch");

        makeRoom();
        window().area().selectBranch(m_live->branch("main")->id);
        ARBOR_EVENTUALLY(window().actions().start->isEnabled());
        window().actions().start->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(m_live->branch("main")->state == BranchState::Running, 120'000);
        QVERIFY(sql("SELECT count(*) FROM kept").toInt() >= acknowledged);
        QTRY_VERIFY_WITH_TIMEOUT(window().limitBar().isHidden(), 60'000);
    }
};

QTEST_MAIN(FullDiskTest)
#include "full_disk_test.moc"
