// Several at work on one store: two windows and the command line; and an engine that is killed under them.
#include "tests/gui/live_window.h"

#include <QElapsedTimer>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLabel>

#include <csignal>

using namespace arbor;

class TogetherTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<LiveWindow> m_one, m_other;

    static bool shows(LiveWindow& live, const QString& name) {
        const BranchRow* row = live.session.picture().branch(name);
        return row && live.window.area().model().indexOf(row->id).isValid();
    }
    QStringList namesByCommandLine() const {
        QStringList all;
        const QJsonDocument answer = m_place->json({QStringLiteral("branch"), QStringLiteral("list")});
        const QJsonArray branches =
            answer.isArray() ? answer.array() : answer.object()[QStringLiteral("branches")].toArray();
        for (const QJsonValue& branch : branches)
            all += branch.toObject()[QStringLiteral("name")].toString();
        all.sort();
        return all;
    }

  private Q_SLOTS:
    void initTestCase() {
        ARBOR_NEEDS_ENGINE();
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        m_place = std::make_unique<GuiPlace>();
        int code = 1;
        m_place->ctl({QStringLiteral("init"), QStringLiteral("--demo")}, &code);
        QCOMPARE(code, 0);
        m_one = std::make_unique<LiveWindow>(*m_place);
        m_other = std::make_unique<LiveWindow>(*m_place);
        ARBOR_EVENTUALLY(m_one->connected() && m_other->connected());
        ARBOR_EVENTUALLY(shows(*m_one, "main") && shows(*m_other, "main"));
    }
    void cleanupTestCase() {
        m_one.reset();
        m_other.reset();
        m_place.reset();
    }

    void EachShowsWhatTheOthersDo() {
        QElapsedTimer since;
        since.start();
        m_one->window.commands().createBranch("by-one", "main", {}, {}, [](const QString&) {});
        ARBOR_EVENTUALLY(shows(*m_one, "by-one"));
        const qint64 own = since.elapsed();
        ARBOR_EVENTUALLY(shows(*m_other, "by-one"));
        qInfo("a branch: in its own window after %lld ms, in the other after %lld ms", own, since.elapsed());

        m_place->ctl({"branch", "create", "ci/1", "--from", "main", "--expires", "7d"});
        since.restart();
        ARBOR_EVENTUALLY(shows(*m_one, "ci/1") && shows(*m_other, "ci/1"));
        qInfo("a branch of the command line: in both windows %lld ms after it ended", since.elapsed());
        ARBOR_EVENTUALLY(m_one->session.picture().nextUndo()->text.contains("branch create ci/1"));

        since.restart();
        m_other->window.commands().remove("by-one");
        ARBOR_EVENTUALLY(!shows(*m_one, "by-one") && !shows(*m_other, "by-one"));
        qInfo("a deletion: in both windows after %lld ms", since.elapsed());
        QVERIFY(!namesByCommandLine().contains("by-one"));
    }

    // Killed in the middle of a fork: the window says so, starts another, and the branch is there or not at
    // all.
    void AKilledEngineInTheMiddleOfAFork() {
        for (const int afterMs : {0, 3, 12, 40}) {
            const QString name = QStringLiteral("torn-%1").arg(afterMs);
            const auto engine = static_cast<pid_t>(m_one->session.picture().engine.pid);
            QVERIFY(engine > 1);
            bool answered = false;
            m_one->window.commands().createBranch(name, "main", {}, {},
                                                  [&](const QString&) { answered = true; });
            QTest::qWait(afterMs);
            ::kill(engine, SIGKILL);
            ARBOR_EVENTUALLY(m_one->session.state() == StoreSession::State::EngineGone);
            ARBOR_EVENTUALLY(answered); // no request stays open for ever
            auto* strip = m_one->window.findChild<QWidget*>(QStringLiteral("goneStrip"));
            QVERIFY(strip->isVisible());
            QVERIFY(strip->findChild<QLabel*>()->text().contains("The engine is gone"));
            QVERIFY(m_one->branch("main")); // the last picture stays
            if (afterMs == 0)
                GuiPlace::shoot(m_one->window, QStringLiteral("engine-gone"));
            auto* start = m_one->window.findChild<QPushButton*>(QStringLiteral("startEngine"));
            ARBOR_EVENTUALLY(start->isVisible() && start->isEnabled());
            LiveWindow::click(start);
            ARBOR_EVENTUALLY(m_one->connected() && m_one->session.picture().engine.pid != engine);
            ARBOR_EVENTUALLY(m_other->connected()); // by itself
            ARBOR_EVENTUALLY(m_one->names() == namesByCommandLine());
            ARBOR_EVENTUALLY(m_other->names() == m_one->names());
            if (!m_one->names().contains(name)) {
                QString fault = QStringLiteral("none yet");
                m_one->window.commands().createBranch(name, "main", {}, {},
                                                      [&](const QString& text) { fault = text; });
                ARBOR_EVENTUALLY(fault != QStringLiteral("none yet"));
                QCOMPARE(fault, QString());
                ARBOR_EVENTUALLY(shows(*m_one, name));
            }
            int code = 1;
            const QByteArray out =
                m_place->ctl({"psql", name, "--", "-XAtc", "SELECT count(*) FROM pgbench_accounts"}, &code);
            QVERIFY2(code == 0 && out.trimmed().toInt() > 0, out);
            ARBOR_EVENTUALLY(m_one->branch("main")->state == BranchState::Running); // it was running
        }
    }
};

QTEST_MAIN(TogetherTest)
#include "together_test.moc"
