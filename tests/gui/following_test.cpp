// What happens elsewhere while a person looks: who peeks at a branch, who is connected, a head that moves, a
// new name. The window follows, and what the person has chosen stays.
#include "app/gui/log_panel.h"
#include "app/gui/message_bar.h"
#include "app/gui/outside_menu.h"
#include "app/gui/page_panel.h"
#include "app/gui/relations_panel.h"
#include "tests/gui/live_window.h"
#include "widgets/models/format.h"

#include <QDockWidget>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSignalSpy>

using namespace arbor;

class FollowingTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<LiveWindow> m_live;

    MainWindow& window() const { return m_live->window; }
    RestorePanel& restore() const { return window().inspector().restore(); }
    const BranchRow& main() const { return *m_live->branch("main"); }
    void ctl(const QStringList& arguments) const { m_place->succeed(arguments); }
    void sql(const QString& statement) const { ctl({"psql", "main", "--", "-Xqc", statement}); }
    // A psql that stays until it is let go of.
    std::unique_ptr<QProcess> psql(const QStringList& options = {}) const {
        auto process = std::make_unique<QProcess>();
        process->start(QCoreApplication::applicationDirPath() + "/pgarborctl",
                       QStringList{"--store", m_place->store(), "psql", "main"} + options +
                           QStringList{"--", "-XAt"});
        process->write("SELECT 'ready';\n");
        return process;
    }
    static bool isReady(const QProcess& psql) { return psql.bytesAvailable() > 0; }
    static void end(QProcess& psql) {
        psql.closeWriteChannel();
        ARBOR_EVENTUALLY(psql.state() == QProcess::NotRunning);
    }
    QString bar() const {
        return m_live->tree()
            .viewIndex(main().id)
            .siblingAtColumn(BranchTreeModel::Timeline)
            .data(Qt::AccessibleTextRole)
            .toString();
    }
    void openTheRestore() {
        window().area().selectBranch(main().id);
        m_live->tree().setFocus();
        m_live->key(Qt::Key_Escape);
        for (int marks = 0; marks < 3; ++marks) // not at the head, where there is nothing to restore
            m_live->key(Qt::Key_Comma);
        QVERIFY(m_live->timeline().cursor());
        m_live->key(Qt::Key_R);
        QTRY_VERIFY2(restore().restoreButton()->hasFocus(), qPrintable(restore().consequences()));
    }
    template <class Panel>
    Panel* show(const char* name) const {
        auto* dock = window().findChild<QDockWidget*>(name);
        dock->show();
        dock->raise();
        return window().findChild<Panel*>();
    }
    bool says(const QWidget* panel, const QString& text) const {
        for (const QLabel* label : panel->findChildren<QLabel*>())
            if (label->isVisible() && label->text().contains(text))
                return true;
        return false;
    }
    bool isOpen(const char* name) const {
        return m_live->tree().isExpanded(m_live->tree().viewIndex(m_live->branch(name)->id));
    }

  private Q_SLOTS:
    void initTestCase() {
        ARBOR_NEEDS_ENGINE();
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        m_place = std::make_unique<GuiPlace>();
        ctl({"init", "--", "--no-sync", "--locale=C.UTF-8"});
        ctl({"start", "main"});
        for (int table = 0; table < 5; ++table) { // something to step through
            sql(QStringLiteral("CREATE TABLE t%1 AS SELECT generate_series(1, 5000) n").arg(table));
            ctl({"checkpoint", "create", QStringLiteral("c%1").arg(table), "--branch", "main"});
        }
        ctl({"branch", "create", "one", "--from", "main"});
        ctl({"branch", "create", "two", "--from", "one"});
        ctl({"branch", "create", "three", "--from", "main"});
        ctl({"branch", "create", "four", "--from", "three"});
        m_live = std::make_unique<LiveWindow>(*m_place);
        ARBOR_EVENTUALLY(m_live->connected() && m_live->names().size() == 5);
        ARBOR_EVENTUALLY(main().state == BranchState::Running);
    }
    void cleanupTestCase() {
        m_live.reset();
        m_place.reset();
    }

    void APeekIsSeenFromItsBeginningToItsEnd() {
        QVERIFY(main().peeks.empty() && !bar().contains("peek"));
        const auto peek = psql({"--at", "checkpoint:c2"});
        ARBOR_EVENTUALLY(isReady(*peek));
        ARBOR_EVENTUALLY(main().peeks.size() == 1);
        const Lsn at = main().peeks.front().lsn;
        const auto mark = [&] {
            return m_live->session.marks().at(main().id, at, markBit(MarkKind::Checkpoint)).value_or(Mark());
        };
        ARBOR_EVENTUALLY(mark().text == "c2");
        ARBOR_EVENTUALLY(bar().endsWith("peek at " + lsnDisplay(at)));
        end(*peek);
        ARBOR_EVENTUALLY(main().peeks.empty() && !bar().contains("peek"));
    }

    void TheRestoreSaysHowManySessionsEnd() {
        openTheRestore();
        ARBOR_EVENTUALLY(restore().consequences().contains("Nobody is connected"));
        std::vector<std::unique_ptr<QProcess>> sessions;
        for (int count = 0; count < 3; ++count)
            sessions.push_back(psql());
        const auto peek = psql({"--at", "checkpoint:c1"}); // somebody else's server
        ARBOR_EVENTUALLY(restore().consequences().contains("3 sessions end"));
        ARBOR_EVENTUALLY(main().peeks.size() == 1);
        GuiPlace::shootAll(window(), "peek-and-restore");
        end(*sessions.back());
        ARBOR_EVENTUALLY(restore().consequences().contains("2 sessions end"));
        end(*sessions.front());
        ARBOR_EVENTUALLY(restore().consequences().contains("1 session ends"));
        for (const auto& session : sessions)
            end(*session);
        end(*peek);
        ARBOR_EVENTUALLY(restore().consequences().contains("Nobody is connected"));
        ctl({"stop", "main"});
        ARBOR_EVENTUALLY(!restore().consequences().contains("onnected"));
        QVERIFY(!restore().consequences().contains("session"));
        QVERIFY(restore().isVisible() && restore().restoreButton()->isEnabled());
        ctl({"start", "main"});
        ARBOR_EVENTUALLY(main().state == BranchState::Running);
        Q_EMIT restore().cancelled();
    }

    void TheOpenRestoreFollowsTheHeadAndStaysWhereItIs() {
        openTheRestore();
        const Lsn at = m_live->timeline().cursor()->lsn;
        const QString before = restore().consequences();
        const Lsn begin = main().forkLsn;
        m_live->tree().setFocus();
        sql("INSERT INTO t0 SELECT generate_series(1, 20000)");
        ARBOR_EVENTUALLY(main().headLsn - at > 1'000'000);
        ARBOR_EVENTUALLY(restore().consequences().contains(bytesDisplay(main().headLsn - at)));
        QVERIFY(restore().consequences() != before);
        QVERIFY(m_live->cursorIsAt(at));
        QVERIFY(m_live->tree().hasFocus()); // it is the first answer that asks for attention
        ctl({"branch", "rename", "main", "trunk"});
        ARBOR_EVENTUALLY(restore().restoreButton()->text() == "Restore trunk");
        LiveWindow::click(restore().restoreButton());
        ARBOR_EVENTUALLY(m_live->branch("trunk")->isFork);
        const QByteArray restored = m_place->ctl({"--json", "branch", "show", "trunk"});
        QCOMPARE(QJsonDocument::fromJson(restored)["forkLsn"].toString(), lsnDisplay(at));
        QCOMPARE(m_live->branch("trunk")->forkLsn, begin); // what lies before can still be clicked
        ctl({"undo"});
        ctl({"branch", "rename", "trunk", "main"});
        ARBOR_EVENTUALLY(m_live->branch("main") && main().state == BranchState::Running);
    }

    void LogAndRelationsGoOnUnderANewName() {
        window().area().selectBranch(m_live->branch("one")->id);
        const auto* log = show<LogPanel>("log");
        ARBOR_EVENTUALLY(log->text()->placeholderText().startsWith("one has not"));
        const auto* relations = show<RelationsPanel>("relations");
        ARBOR_EVENTUALLY(says(relations, "What one keeps"));
        ctl({"branch", "rename", "one", "uno"});
        ARBOR_EVENTUALLY(says(relations, "What uno keeps"));
        show<LogPanel>("log");
        ARBOR_EVENTUALLY(log->text()->placeholderText().startsWith("uno has not"));
        ctl({"start", "uno"});
        ARBOR_EVENTUALLY(log->text()->toPlainText().contains("ready to accept connections"));
        show<RelationsPanel>("relations");
        QAbstractItemModel& shown = *relations->list()->model();
        const auto table = [&] {
            return shown
                .match(shown.index(0, RelationsModel::Name), Qt::DisplayRole, "t0", 1, Qt::MatchExactly)
                .value(0);
        };
        ARBOR_EVENTUALLY(table().isValid());
        // and so does the map of a relation's pages
        relations->list()->setCurrentIndex(table());
        relations->list()->setFocus();
        m_live->key(Qt::Key_Return);
        ARBOR_EVENTUALLY(relations->showsPages() && says(relations, "as uno reads them"));
        ctl({"branch", "rename", "uno", "one"});
        ARBOR_EVENTUALLY(says(relations, "as one reads them"));
        ARBOR_EVENTUALLY(relations->pages()->sentence().startsWith("Choose a page"));
        m_live->key(Qt::Key_Escape);
    }

    // Chosen in a menu, seen among the facts, taken back; and not offered where nothing is to be chosen.
    void WhatAForkMayDoToTheOutsideIsChosen() {
        OutsideMenu& outside = window().inspector().outside();
        window().area().selectBranch(main().id);
        QVERIFY(!outside.menuAction()->isEnabled()); // a root, whose restore was undone
        window().area().selectBranch(m_live->branch("one")->id);
        QVERIFY(outside.menuAction()->isEnabled());
        QAction* archiving = outside.actions().front();
        QVERIFY(archiving->text() == "Archive its log" && !archiving->isChecked());
        QVERIFY(!says(&window().inspector(), "archive its log"));
        archiving->trigger();
        ARBOR_EVENTUALLY(m_live->branch("one")->allowed == QStringList{"archiving"});
        ARBOR_EVENTUALLY(says(&window().inspector(), "archive its log"));
        ARBOR_EVENTUALLY(
            window().messages().text().startsWith("one may archive its log, from the next start"));
        ctl({"branch", "allow", "one", "scheduled-jobs"}); // somebody else
        ARBOR_EVENTUALLY(says(&window().inspector(), "archive its log, run scheduled jobs"));
        QVERIFY(outside.actions().back()->isChecked());
        GuiPlace::shoot(window(), "allowed");
        archiving->trigger();
        ARBOR_EVENTUALLY(m_live->branch("one")->allowed == QStringList{"scheduled-jobs"});
        ctl({"branch", "forbid", "one", "scheduled-jobs"});
        ARBOR_EVENTUALLY(!says(&window().inspector(), "run scheduled jobs"));
        QVERIFY(!archiving->isChecked());
    }

    void AfterAFilterTheTreeIsAsItWas() {
        window().area().selectBranch(main().id);
        QLineEdit& filter = *window().navigator().filter();
        m_live->tree().collapse(m_live->tree().viewIndex(m_live->branch("one")->id));
        QVERIFY(isOpen("main") && !isOpen("one") && isOpen("three"));
        filter.setText("t");
        filter.setText("two");
        QVERIFY(isOpen("main") && isOpen("one"));
        QVERIFY(!m_live->tree().viewIndex(m_live->branch("three")->id).isValid());
        filter.clear();
        QVERIFY(isOpen("main") && !isOpen("one") && isOpen("three"));
        // what was found and chosen is not hidden again
        filter.setText("two");
        window().area().selectBranch(m_live->branch("two")->id);
        filter.clear();
        QVERIFY(isOpen("one") && isOpen("three"));
        QCOMPARE(window().area().currentBranch(), m_live->branch("two")->id);
    }
};

QTEST_MAIN(FollowingTest)
#include "following_test.moc"
