// The real window and the real engine on a machine that lacks something: PostgreSQL, its user, /dev/fuse.
// What is said, with what it takes to mend it; that the window works on meanwhile; and that the next try
// works once it is mended, in the same window.
#include "app/gui/first_run_page.h"
#include "app/gui/problem_page.h"
#include "app/gui/window_actions.h"
#include "tests/gui/live_window.h"
#include "tests/support/private_mounts.h"

#include <QClipboard>
#include <QDockWidget>
#include <QLabel>

#include <csignal>

using namespace arbor;

class MissingTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<LiveWindow> m_live;

    MainWindow& window() const { return m_live->window; }
    void open() {
        m_place = std::make_unique<GuiPlace>();
        m_live = std::make_unique<LiveWindow>(*m_place);
    }
    // A store whose branch is not started yet.
    void makeStore() {
        m_place = std::make_unique<GuiPlace>();
        int code = 1;
        m_place->ctl({"init", "--", "--no-sync", "--locale=C.UTF-8"}, &code);
        QCOMPARE(code, 0);
        m_place->ctl({"stop", "--all"}, &code);
        QCOMPARE(code, 0);
        m_place->stopEngine();
    }
    void look() {
        m_live = std::make_unique<LiveWindow>(*m_place);
        ARBOR_EVENTUALLY(m_live->connected() && m_live->branch("main"));
        window().area().selectBranch(m_live->branch("main")->id);
    }
    void clickCard(const QString& name) {
        ARBOR_EVENTUALLY(m_live->page<FirstRunPage>());
        for (QPushButton* card :
             m_live->page<FirstRunPage>()->findChildren<QPushButton*>(QStringLiteral("card")))
            if (card->accessibleName() == name)
                LiveWindow::click(card);
    }
    void tryAgain() {
        const QPushButton* retry =
            m_live->page<ProblemPage>()->findChild<QPushButton*>(QStringLiteral("retry"));
        QVERIFY(retry->isVisible() && retry->isEnabled());
        LiveWindow::click(const_cast<QPushButton*>(retry));
        QVERIFY(!m_live->page<ProblemPage>()); // that something is done is seen
    }
    QString pageText() const {
        QStringList texts;
        for (const QLabel* label : m_live->page<ProblemPage>()->findChildren<QLabel*>())
            texts += label->text();
        return texts.join(u'\n');
    }
    // The page names it, with the command that mends it, and everything that needs no store is at hand.
    void seeProblem(const QString& title, const QString& command, const QString& picture) {
        ARBOR_EVENTUALLY(m_live->page<ProblemPage>());
        QCOMPARE(m_live->page<ProblemPage>()->title(), title);
        QVERIFY2(pageText().contains("then try again."), qPrintable(pageText()));
        const auto* field = m_live->page<ProblemPage>()->findChild<QLineEdit*>();
        QVERIFY(field->isVisible());
        QCOMPARE(field->text(), command);
        GuiPlace::shootAll(window(), picture);
        m_live->key(Qt::Key_K, Qt::ControlModifier);
        QTRY_VERIFY(window().palette_().isVisible());
        m_live->key(Qt::Key_Escape);
        QTRY_VERIFY(!window().palette_().isVisible());
    }
    // The bar names it while it holds, and the store can be worked with as far as no server is needed.
    void seeTrouble(const QString& text, const QString& command, const QString& picture) {
        MessageBar& bar = window().troubleBar();
        ARBOR_EVENTUALLY(bar.isVisible());
        QVERIFY2(bar.text().startsWith(text) && bar.text().endsWith("then try again."),
                 qPrintable(bar.text()));
        LiveWindow::click(bar.secondButton());
        QCOMPARE(QGuiApplication::clipboard()->text(), command);
        QVERIFY(bar.isVisible());
        QString fault = QStringLiteral("none yet");
        window().commands().createBranch("idea", "main", {}, {}, [&](const QString& said) { fault = said; });
        ARBOR_EVENTUALLY(fault != QStringLiteral("none yet"));
        QCOMPARE(fault, QString());
        ARBOR_EVENTUALLY(m_live->branch("idea"));
        window().area().selectBranch(m_live->branch("main")->id);
        window().actions().start->trigger();
        ARBOR_EVENTUALLY(window().messages().text().startsWith("main was not started: "));
        QVERIFY(bar.isVisible());
        QVERIFY(m_live->branch("main")->state != BranchState::Running);
        GuiPlace::shootAll(window(), picture);
    }
    void startMain() {
        window().area().selectBranch(m_live->branch("main")->id);
        ARBOR_EVENTUALLY(window().actions().start->isEnabled());
        window().actions().start->trigger();
        QTRY_VERIFY_WITH_TIMEOUT(m_live->branch("main")->state == BranchState::Running, 120'000);
        ARBOR_EVENTUALLY(window().troubleBar().isHidden());
    }
    void seeTheDemo() {
        QTRY_VERIFY_WITH_TIMEOUT(m_live->connected() || m_live->page<ProblemPage>(), 240'000);
        QVERIFY2(m_live->connected(), qPrintable(m_live->session.problem()));
        ARBOR_EVENTUALLY(m_live->names() == (QStringList{"audit", "dev", "main"}));
    }
    static Hidden without(const QString& what) {
        if (what == "postgres")
            return Hidden::emptied("/usr/lib/postgresql");
        if (what == "fuse, gone")
            return Hidden::gone("/dev/fuse");
        if (what == "fuse, closed")
            return Hidden::closed("/dev/fuse");
        QFile passwd("/etc/passwd");
        QByteArray others;
        if (passwd.open(QIODevice::ReadOnly))
            for (const QByteArray& line : passwd.readAll().split('\n'))
                if (!line.isEmpty() && !line.startsWith("postgres:"))
                    others += line + '\n';
        return Hidden::replaced("/etc/passwd", others);
    }
    static constexpr const char* installPostgres = "sudo apt install postgresql";
    static constexpr const char* installFuse = "sudo apt install fuse3 && sudo modprobe fuse";

  private Q_SLOTS:
    void initTestCase() {
        if (::geteuid() != 0)
            QSKIP("only root can hide what is installed");
        ARBOR_NEEDS(whyNoPrivateMounts());
        ARBOR_NEEDS_ENGINE();
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        applyAppearance(QStringLiteral("light"));
        QApplication::setQuitOnLastWindowClosed(false);
    }
    void cleanup() {
        m_live.reset();
        m_place.reset();
    }

    // At the first run: nothing is left of the attempt, and the next one goes on to what was wanted.
    void TheFirstRunSaysWhatIsMissing_data() {
        QTest::addColumn<QString>("missing");
        QTest::addColumn<QString>("title");
        QTest::addColumn<QString>("command");
        QTest::newRow("no-postgres") << "postgres"
                                     << "PostgreSQL is not installed" << installPostgres;
        QTest::newRow("no-user") << "its user"
                                 << "PostgreSQL is not installed" << installPostgres;
        QTest::newRow("no-fuse") << "fuse, gone"
                                 << "FUSE is not available" << installFuse;
    }
    void TheFirstRunSaysWhatIsMissing() {
        QFETCH(QString, missing);
        QFETCH(QString, title);
        QFETCH(QString, command);
        Hidden hidden = without(missing);
        QVERIFY(hidden.isDone());
        open();
        clickCard("Try the demo");
        seeProblem(title, command, QStringLiteral("first-run-") + QLatin1String(QTest::currentDataTag()));
        if (QTest::currentTestFailed())
            return;
        QVERIFY(!QDir(m_place->store()).exists());
        tryAgain(); // too early
        ARBOR_EVENTUALLY(m_live->page<ProblemPage>());
        QCOMPARE(m_live->page<ProblemPage>()->title(), title);
        hidden.show();
        tryAgain();
        seeTheDemo();
    }

    // As where pgbench is a package of its own.
    void NothingIsLeftOfADemoThatBreaksOff() {
        QDir versions("/usr/lib/postgresql");
        std::vector<Hidden> hidden;
        for (const QString& version : versions.entryList(QDir::Dirs | QDir::NoDotAndDotDot))
            if (const QString program = versions.filePath(version + "/bin/pgbench"); QFile::exists(program))
                hidden.push_back(Hidden::replaced(qPrintable(program), {}));
        QVERIFY(!hidden.empty() && hidden.front().isDone());
        open();
        clickCard("Try the demo");
        QTRY_VERIFY_WITH_TIMEOUT(m_live->page<ProblemPage>(), 240'000);
        QCOMPARE(m_live->page<ProblemPage>()->title(), QString("The demo could not be made"));
        QVERIFY2(pageText().contains("/pgbench could not be started: "), qPrintable(pageText()));
        QVERIFY(!QDir(m_place->store()).exists());
        GuiPlace::shoot(window(), "demo-broken-off");
        hidden.clear();
        tryAgain();
        seeTheDemo();
    }

    void AStoreIsShownWithoutPostgres() {
        makeStore();
        Hidden hidden = without("postgres");
        QVERIFY(hidden.isDone());
        look();
        seeTrouble("PostgreSQL is not installed. ", installPostgres, "store-no-postgres");
        if (QTest::currentTestFailed())
            return;
        QVERIFY2(window().messages().text().contains("install the package postgresql-"),
                 qPrintable(window().messages().text()));
        // asked for again it is said again
        LiveWindow::click(window().troubleBar().actionButton());
        ARBOR_EVENTUALLY(window().troubleBar().isVisible());
        hidden.show();
        startMain();
    }

    void AStoreIsShownWithoutFuse_data() {
        QTest::addColumn<QString>("missing");
        QTest::newRow("gone") << "fuse, gone";
        QTest::newRow("closed") << "fuse, closed";
    }
    void AStoreIsShownWithoutFuse() {
        QFETCH(QString, missing);
        makeStore();
        Hidden hidden = without(missing);
        QVERIFY(hidden.isDone());
        look();
        seeTrouble("FUSE is not available. ", installFuse, "store-no-fuse");
        if (QTest::currentTestFailed())
            return;
        hidden.show();
        LiveWindow::click(window().troubleBar().actionButton());
        ARBOR_EVENTUALLY(m_live->connected() && !m_live->session.picture().engine.mount.isEmpty());
        startMain();
    }

    // An engine that is gone and cannot be started: the page says why, and the panels come back.
    void AnEngineThatCannotComeBackSaysWhy() {
        makeStore();
        look();
        auto* inspector = window().findChild<QDockWidget*>("inspector");
        auto* log = window().findChild<QDockWidget*>("log");
        log->raise();
        window().findChild<QDockWidget*>("navigator")->hide(); // as the person has it
        ARBOR_EVENTUALLY(inspector->isVisible() && !log->visibleRegion().isEmpty());
        Hidden hidden = without("its user");
        ::kill(static_cast<pid_t>(m_live->session.picture().engine.pid), SIGKILL);
        ARBOR_EVENTUALLY(m_live->session.state() == StoreSession::State::EngineGone);
        auto* start = window().findChild<QPushButton*>(QStringLiteral("startEngine"));
        ARBOR_EVENTUALLY(start->isVisible() && start->isEnabled());
        LiveWindow::click(start);
        seeProblem("PostgreSQL is not installed", installPostgres, "engine-not-back");
        if (QTest::currentTestFailed())
            return;
        QVERIFY(!inspector->isVisible());
        window().close(); // what is saved now is what comes back at the next start
        hidden.show();
        {
            LiveWindow next(*m_place);
            ARBOR_EVENTUALLY(next.connected());
            ARBOR_EVENTUALLY(next.window.findChild<QDockWidget*>("inspector")->isVisible());
            QVERIFY(!next.window.findChild<QDockWidget*>("navigator")->isVisible());
        }
        window().show();
        tryAgain();
        ARBOR_EVENTUALLY(m_live->connected());
        ARBOR_EVENTUALLY(inspector->isVisible() && !log->visibleRegion().isEmpty());
        QVERIFY(!window().findChild<QDockWidget*>("navigator")->isVisible());
    }
};

QTEST_MAIN(MissingTest)
#include "missing_test.moc"
