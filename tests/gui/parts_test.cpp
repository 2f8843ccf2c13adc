// What of the window can be tested without an engine.
#include "app/gui/fuzzy.h"
#include "app/gui/picture_json.h"
#include "app/gui/preflight.h"
#include "app/gui/service_file.h"
#include "app/gui/single_instance.h"
#include "app/gui/terminal.h"

#include <QFile>
#include <QJsonDocument>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace arbor;

class PartsTest : public QObject {
    Q_OBJECT

    static TerminalSearch searchOf(const QString& setting, const QString& environment,
                                   const QStringList& installed) {
        return {setting, environment, [installed](const QString& program) {
                    return installed.contains(program) ? QStringLiteral("/usr/bin/") + program : QString();
                }};
    }

  private Q_SLOTS:
    void TheSettingGoesBeforeTheEnvironmentAndTheTable() {
        const QStringList command{QStringLiteral("psql"), QStringLiteral("a b'c")};
        const QStringList installed{QStringLiteral("foot"), QStringLiteral("konsole"),
                                    QStringLiteral("xterm")};
        QCOMPARE(commandInTerminal(
                     searchOf(QStringLiteral("konsole --hold"), QStringLiteral("foot"), installed), command),
                 (QStringList{"/usr/bin/konsole", "--hold", "-e", "psql", "a b'c"}));
        QCOMPARE(commandInTerminal(searchOf({}, QStringLiteral("foot"), installed), command),
                 (QStringList{"/usr/bin/foot", "psql", "a b'c"}));
        QCOMPARE(commandInTerminal(searchOf({}, {}, {QStringLiteral("xterm")}), command),
                 (QStringList{"/usr/bin/xterm", "-e", "psql", "a b'c"}));
        QCOMPARE(
            commandInTerminal(
                searchOf({}, {}, {QStringLiteral("xdg-terminal-exec"), QStringLiteral("xterm")}), command),
            (QStringList{"/usr/bin/xdg-terminal-exec", "psql", "a b'c"}));
        QVERIFY(!commandInTerminal(searchOf({}, {}, {}), command));
        // one that is named and missing does not stand in the way of the others
        QCOMPARE(commandInTerminal(searchOf(QStringLiteral("gone"), {}, {QStringLiteral("kgx")}), command),
                 (QStringList{"/usr/bin/kgx", "--", "psql", "a b'c"}));
    }

    void ACommandForTheClipboardSurvivesAShell() {
        QCOMPARE(shellText({"psql", "it's", "$HOME `x`", "plain-1.2/x"}),
                 "psql 'it'\\''s' '$HOME `x`' plain-1.2/x");
    }

    void TheServiceFileHoldsAServiceABranch() {
        const QByteArray text =
            serviceFileText({{"main", "/run/a b", 5433}, {"evil]\n[x", "/run/x", 1}, {"ci/1", "/r", 2}});
        QVERIFY(text.contains("\n[main]\nhost=/run/a b\nport=5433\nuser=postgres\ndbname=postgres\n"));
        QVERIFY(text.contains("[ci/1]"));
        QVERIFY(!text.contains("evil"));
        QCOMPARE(passfileLine("127.0.0.1", 5433, "post:gres", "a\\b"),
                 "127.0.0.1:5433:*:post\\:gres:a\\\\b\n");
    }

    void PrivateFilesAreReadByTheirOwnerAlone() {
        QTemporaryDir directory;
        const QString path = directory.filePath("deep/er/passfile");
        QVERIFY(writePrivateFile(path, "secret"));
        QCOMPARE(QFile::permissions(path) &
                     (QFile::ReadGroup | QFile::ReadOther | QFile::WriteGroup | QFile::WriteOther),
                 QFile::Permissions());
        QVERIFY(writePrivateFile(path, "other"));
        QFile file(path);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QCOMPARE(file.readAll(), "other");
    }

    void LettersInARowAndAtWordsBeginningsCountMost() {
        QCOMPARE(fuzzyScore(u"xyz", u"Branch here"), 0);
        QVERIFY(fuzzyScore(u"", u"anything") > 0);
        QVERIFY(fuzzyScore(u"bh", u"Branch here") > fuzzyScore(u"bh", u"about the hour"));
        QVERIFY(fuzzyScore(u"undo", u"Undo") > fuzzyScore(u"undo", u"run on demand later on"));
        QVERIFY(fuzzyScore(u"main", u"main") > fuzzyScore(u"main", u"ci/main-copy-of-something"));
    }

    void AProblemIsNamedWithOneWayToMendIt() {
        const auto kind = [](const char* message) {
            return problemFromMessage("/s", QLatin1String(message)).kind;
        };
        QCOMPARE(kind("no PostgreSQL server was found on this machine; x"), Problem::Kind::NoPostgres);
        QCOMPARE(kind("the store at /s has format 9, and this version knows formats up to 1: use a newer "
                      "PgArbor"),
                 Problem::Kind::NewerFormat);
        QCOMPARE(kind("another engine has the store at /s open"), Problem::Kind::InUse);
        QCOMPARE(
            kind("there is no user 'postgres' to run as: install PostgreSQL, which makes the user postgres, "
                 "or name another one with --run-as"),
            Problem::Kind::NoPostgres);
        QCOMPARE(kind("opening /s/x: No space left on device"), Problem::Kind::NoSpace);
        QCOMPARE(kind("no space for another segment of 64 MB below /s/pages: free some space or run a sweep"),
                 Problem::Kind::NoSpace);
        QCOMPARE(kind("a store needs at least 160 MB of free space, /s has 99 MB"), Problem::Kind::NoSpace);
        QCOMPARE(kind("the engine (pgarbord) is neither in /x nor in PATH"), Problem::Kind::NoEngine);
        QCOMPARE(kind("opening /dev/fuse: Permission denied"), Problem::Kind::NoFuse);
        QCOMPARE(kind("something else"), Problem::Kind::Other);
        EngineFacts engine;
        QCOMPARE(problemOfEngine(engine)->kind, Problem::Kind::NoPostgres);
        engine.postgresMajors = {15};
        QVERIFY(!problemOfEngine(engine));
        engine.problem = "opening /dev/fuse: No such file or directory";
        QCOMPARE(problemOfEngine(engine)->kind, Problem::Kind::NoFuse);
    }

    void AbsentMembersBecomeZeros() {
        const auto rows = branchesFromJson(
            {QJsonObject{{"name", "main"}, {"id", 7}, {"root", true}}, QJsonObject{{"name", "dev"},
                                                                                   {"id", 9},
                                                                                   {"parent", "main"},
                                                                                   {"state", "failed"},
                                                                                   {"error", "no"},
                                                                                   {"forkLsn", "0/16B3748"},
                                                                                   {"privateBytes", 12}}});
        QCOMPARE(rows.size(), 2u);
        QCOMPARE(rows[0].ownBytes, unknownBytes);
        QCOMPARE(rows[0].parentId, 0u);
        QCOMPARE(rows[1].parentId, 7u);
        QCOMPARE(rows[1].state, BranchState::Failed);
        QCOMPARE(rows[1].forkLsn, (Lsn{0x16B3748}));
        QCOMPARE(rows[1].ownBytes, 12u);
        QCOMPARE(branchesFromJson({QJsonObject()}).size(), 1u); // nonsense does no harm
    }

    // A restore forks the branch's own line: its bar begins where it did.
    void ARestoredBranchKeepsItsPast() {
        const QJsonObject history{{"lsn", "0/100"}};
        const auto rows = branchesFromJson(
            {QJsonObject{
                 {"name", "main"}, {"id", 1}, {"root", true}, {"forkLsn", "0/500"}, {"historyFrom", history}},
             QJsonObject{{"name", "dev"},
                         {"id", 2},
                         {"parent", "main"},
                         {"forkLsn", "0/600"},
                         {"branchPoint", QJsonObject{{"lsn", "0/300"}}},
                         {"historyFrom", history}}});
        QVERIFY(rows[0].isFork && rows[1].isFork);
        QCOMPARE(rows[0].forkLsn, (Lsn{0x100}));
        QCOMPARE(rows[1].forkLsn, (Lsn{0x300}));
    }

    void ADropStandsWhereItsTableIsStillThere() {
        const auto marks = marksFromJson(
            {QJsonObject{{"kind", "drop"}, {"lsn", "0/200"}, {"before", "0/100"}, {"text", "x"}},
             QJsonObject{{"kind", "no such kind"}, {"lsn", "0/300"}}});
        QCOMPARE(marks.size(), 1u);
        QCOMPARE(marks[0].lsn, (Lsn{0x100}));
    }

    void WhatIsKeptBeforeTheWindowEndsAtItsPinAndTheRestIsSwept() {
        StorePicture picture;
        picture.branches = branchesFromJson({QJsonObject{{"name", "main"},
                                                         {"id", 1},
                                                         {"root", true},
                                                         {"historyFrom", QJsonObject{{"lsn", "0/100"}}},
                                                         {"headLsn", "0/900"}},
                                             QJsonObject{{"name", "dev"},
                                                         {"id", 2},
                                                         {"parent", "main"},
                                                         {"forkLsn", "0/300"},
                                                         {"headLsn", "0/400"}}});
        picture.checkpoints = {{"gone", "main", Lsn{0x200}, {}, true}};
        const auto pin = [](const char* kind, const char* name, const char* from) {
            return QJsonObject{{"kind", kind}, {"name", name}, {"branch", "main"}, {"fromLsn", from}};
        };
        QJsonObject plan{
            {"freeBytes", 1},
            {"pins", QJsonArray{pin("window", "main", "0/700"), pin("checkpoint", "c", "0/500"),
                                pin("checkpoint", "same", "0/300"), pin("child", "dev", "0/300"),
                                pin("child", "late", "0/600"), pin("checkpoint", "gone", "0/200"),
                                pin("checkpoint", "young", "0/800")}}};
        using Kind = TimelineRange::Kind;
        const std::vector<TimelineRange> kept{{Kind::Pinned, 1, Lsn{0x100}, Lsn{0x300}, 2},
                                              {Kind::Pinned, 1, Lsn{0x300}, Lsn{0x500}, 0}};
        std::vector<TimelineRange> all = kept;
        all.push_back({Kind::Reclaimable, 1, Lsn{0x500}, Lsn{0x700}, 0});
        QCOMPARE(rangesFromJson(plan, picture), all);
        plan["freeBytes"] = 0;
        QCOMPARE(rangesFromJson(plan, picture), kept);
    }

    void RedoBeginsWithTheOldestThatIsUndone() {
        StorePicture picture;
        const auto operation = [](int id, bool undone, bool undoable) {
            OperationFacts facts;
            facts.id = id;
            facts.kind = "operation";
            facts.undone = undone;
            facts.undoable = undoable;
            return facts;
        };
        picture.operations = {operation(4, true, false), operation(3, true, false),
                              operation(2, false, true)};
        QCOMPARE(picture.nextUndo()->id, 2);
        QCOMPARE(picture.nextRedo()->id, 3);
        picture.operations.insert(picture.operations.begin(), operation(5, false, true));
        QCOMPARE(picture.nextRedo(), nullptr);
    }

    void ASecondStartRaisesTheFirst() {
        QTemporaryDir directory;
        const QString path = directory.filePath("w");
        SingleInstance first(path);
        QVERIFY(!first.raiseOther());
        QVERIFY(first.listen());
        QSignalSpy raised(&first, &SingleInstance::raiseAsked);
        bool other = false;
        auto* thread = QThread::create([&] { // as another process would: the first one's event loop runs
            SingleInstance second(path);
            other = second.raiseOther();
        });
        thread->start();
        QTRY_VERIFY(thread->isFinished());
        delete thread;
        QVERIFY(other);
        QCOMPARE(raised.count(), 1);
    }
};

QTEST_GUILESS_MAIN(PartsTest)
#include "parts_test.moc"
