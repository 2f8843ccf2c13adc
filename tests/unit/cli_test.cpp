// The command line without an engine: parsing, generated texts, output.
#include "app/cli/help.h"
#include "app/cli/parse.h"
#include "app/cli/session.h"
#include "app/cli/text.h"
#include "storage/base/time.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryFile>
#include <QTest>

#include <sstream>

using namespace arbor;

namespace {

std::vector<std::string> split(const char* line) {
    std::istringstream words(line);
    return {std::istream_iterator<std::string>(words), {}};
}

} // namespace

class CliTest : public QObject {
    Q_OBJECT
  private slots:
    void everyLineOfTheContractParses() {
        for (const char* line : {"init",
                                 "init --demo",
                                 "init --pg-bin /usr/lib/x -- --locale=C",
                                 "import /data n",
                                 "import --from postgresql:///x n",
                                 "branch create n --from main",
                                 "branch create n --from main --at 0/16B3748 --expires 7d --start",
                                 "branch list",
                                 "branch show n",
                                 "branch rename a b",
                                 "branch delete n",
                                 "branch restore n --at -10min",
                                 "branch reset n",
                                 "branch protect n",
                                 "branch unprotect n",
                                 "branch expire n 7d",
                                 "branch expire n never",
                                 "branch allow n archiving",
                                 "branch forbid n archiving walsenders",
                                 "trash list",
                                 "trash restore n",
                                 "checkpoint create c --branch n --at xid:7",
                                 "checkpoint list",
                                 "checkpoint list --branch n",
                                 "checkpoint delete c --branch n",
                                 "start n",
                                 "start --all",
                                 "stop n",
                                 "stop --all",
                                 "restart n",
                                 "restart --all",
                                 "psql n",
                                 "psql n --at checkpoint:c",
                                 "psql n -- -c x",
                                 "url n",
                                 "url n --tcp",
                                 "env n",
                                 "timeline n",
                                 "timeline n --from -1h --to head",
                                 "log",
                                 "undo",
                                 "undo 3",
                                 "redo",
                                 "stats",
                                 "stats n",
                                 "gc plan",
                                 "gc plan --without branch:a branch:b --history 1d --check",
                                 "gc plan --free 20GB",
                                 "gc run",
                                 "gc run --without branch:a trash",
                                 "page n t 3",
                                 "metrics",
                                 "job list",
                                 "job cancel 3",
                                 "settings get history-time",
                                 "settings set disk-limit 20GB",
                                 "scrub",
                                 "export n /out",
                                 "export n --at head /out",
                                 "export n --dump /out.sql --database shop",
                                 "import --dump /in.sql n --jobs 2",
                                 "import --check --from postgresql://h/d n",
                                 "engine status",
                                 "engine stop",
                                 "engine run",
                                 "completion bash",
                                 "man"}) {
            for (const std::string& with : {std::string(line), "--store /s --json " + std::string(line)}) {
                const auto parsed = parseLine(split(with.c_str()));
                QVERIFY2(parsed, parsed ? "" : (with + ": " + parsed.error().message()).c_str());
                QVERIFY(QByteArray(line).startsWith(
                    QByteArray::fromStdString(std::string(parsed->command->name))));
                QCOMPARE(parsed->json, with != line);
            }
        }
    }

    void globalOptionsMayStandAnywhereBeforeTheRest() {
        const auto behind = parseLine(split("psql n --store=/s --json -- --json --store /t"));
        QVERIFY(behind);
        QCOMPARE(behind->store, std::string("/s"));
        QVERIFY(behind->json);
        QCOMPARE(behind->invocation.rest, (std::vector<std::string>{"--json", "--store", "/t"}));
        QVERIFY(!parseLine(split("psql n -- --json"))->json);
        QCOMPARE(parseLine(split("branch --store /s list"))->store, std::string("/s"));
    }

    void namesOfCommandsAreGoodNamesOfBranches() {
        const auto line = parseLine(split("branch create list --from stats --json"));
        QVERIFY(line);
        QCOMPARE(line->invocation.value("NAME"), std::string("list"));
        QCOMPARE(line->invocation.value("from"), std::string("stats"));
        QVERIFY(parseLine(split("start start")));
    }

    void valuesReachTheirPlaces() {
        const auto line =
            parseLine({"branch", "create", "n", "--from", "main", "--at", "2026-01-31 13:00:00+01"});
        QCOMPARE(line->invocation.value("at"), std::string("2026-01-31 13:00:00+01"));
        QCOMPARE(parseLine(split("timeline n --from -1h"))->invocation.value("from"), std::string("-1h"));
        const auto pins = parseLine(split("gc plan --without branch:a branch:b --without checkpoint:c@a"));
        QCOMPARE(pins->invocation.values.at("without").size(), std::size_t{3});
        QCOMPARE(parseLine(split("import n"))->invocation.value("NAME"), std::string("n"));
        const auto rules = parseLine(split("branch allow n archiving walsenders"));
        QCOMPARE(rules->invocation.values.at("RULE"), (std::vector<std::string>{"archiving", "walsenders"}));
        const auto both = parseLine(split("import /d n"));
        QCOMPARE(both->invocation.value("DIR"), std::string("/d"));
        QCOMPARE(both->invocation.value("NAME"), std::string("n"));
    }

    void whatBreaksTheSynopsisIsUsage() {
        for (const char* line : {"",
                                 "bogus",
                                 "branch",
                                 "branch bogus",
                                 "branch create",
                                 "branch create n",
                                 "branch create n --from",
                                 "branch create n --from main --from main",
                                 "branch create n m --from main",
                                 "branch create n --from main --at now",
                                 "branch create n --from main --expires soon",
                                 "branch list x",
                                 "branch list --bogus",
                                 "branch restore n",
                                 "branch expire n",
                                 "branch expire n soon",
                                 "branch allow n",
                                 "branch allow n archiving everything",
                                 "checkpoint create c",
                                 "checkpoint delete c",
                                 "undo x",
                                 "job cancel",
                                 "job cancel -1",
                                 "settings set history-time",
                                 "settings get colour",
                                 "page n t",
                                 "page n t x",
                                 "export",
                                 "completion tcsh",
                                 "gc plan --without a",
                                 "branch list -- x",
                                 "--store",
                                 "--store a --store b log",
                                 "-x log"}) {
            const auto parsed = parseLine(split(line));
            QVERIFY2(!parsed, line);
            QCOMPARE(exitCodeOf(parsed.error().kind()), 2);
        }
    }

    void hostileNamesAreUsageAndNothingIsSent() {
        for (const std::string& name :
             {std::string(), std::string("/x"), std::string("x/../y"), std::string("x'; DROP TABLE t"),
              std::string("a\nb"), std::string("\x1b[2J"), std::string(10'000, 'x'), std::string("[a,b]"),
              std::string("{}"), std::string("a b"), std::string("\xff\xfe"), std::string("-"),
              std::string("%s%n")}) {
            for (const auto& words : {std::vector<std::string>{"branch", "show", name},
                                      {"start", name},
                                      {"branch", "create", "ok", "--from", name},
                                      {"psql", name}}) {
                const auto parsed = parseLine(words);
                QVERIFY2(!parsed, name.c_str());
                QCOMPARE(parsed.error().kind(), ErrorKind::InvalidArgument);
                QVERIFY(parsed.error().message().size() < 600);
            }
        }
    }

    void everyCommandAndOptionIsInEveryGeneratedText() {
        const std::string help = helpOfAll();
        const std::string man = manualPage("1");
        for (const Command& command : allCommands()) {
            const std::string name(command.name);
            QVERIFY2(help.find(name) != std::string::npos, name.c_str());
            QVERIFY2(man.find(".SS \"" + name + "\"") != std::string::npos, name.c_str());
            for (const char* shell : {"bash", "zsh", "fish"}) {
                const std::string script = completionScript(shell);
                QVERIFY(script.find(name.substr(name.rfind(' ') + 1)) != std::string::npos);
                for (const OptionSpec& option : command.options) {
                    const std::string word =
                        (shell == std::string("fish") ? "-l " : "--") + std::string(option.name);
                    QVERIFY2(script.find(word) != std::string::npos, word.c_str());
                }
            }
            for (const OptionSpec& option : command.options)
                QVERIFY(helpOf(command).find("--" + std::string(option.name)) != std::string::npos);
        }
    }

    void completionScriptsAreGoodSyntax() {
        int checked = 0;
        for (const char* shell : {"bash", "zsh", "fish"}) {
            const QString program = QStandardPaths::findExecutable(shell);
            if (program.isEmpty()) {
                qWarning("SKIPPED: no %s here to check its script", shell);
                continue;
            }
            QTemporaryFile file;
            QVERIFY(file.open());
            file.write(QByteArray::fromStdString(completionScript(shell)));
            file.close();
            QCOMPARE(QProcess::execute(program, {"-n", file.fileName()}), 0);
            ++checked;
        }
        QVERIFY(checked > 0);
    }

    void bashCompletesCommandsOptionsAndKeys() {
        const QString bash = QStandardPaths::findExecutable("bash");
        if (bash.isEmpty())
            QSKIP("no bash here");
        const auto complete = [&](const QString& words, int at) {
            QProcess process;
            process.start(
                bash,
                {"-c", QString::fromStdString(completionScript("bash")) +
                           QString("\nCOMP_WORDS=(%1); COMP_CWORD=%2; _pgarborctl; echo \"${COMPREPLY[@]}\"")
                               .arg(words)
                               .arg(at)});
            process.waitForFinished();
            return process.readAllStandardOutput().trimmed();
        };
        QCOMPARE(complete("pgarborctl bra", 1), QByteArray("branch"));
        QCOMPARE(complete("pgarborctl branch re", 2), QByteArray("rename restore reset"));
        QCOMPARE(complete("pgarborctl branch create --ex", 3), QByteArray("--expires"));
        QCOMPARE(complete("pgarborctl --store /s settings set trash", 5), QByteArray("trash-time"));
        QCOMPARE(complete("pgarborctl psql x --at he", 4), QByteArray("head"));
    }

    void helpAndVersionNeedNoStore() {
        for (const auto& [words, expected] : {std::pair<const char*, const char*>{"--help", "Commands:"},
                                              {"-h", "Commands:"},
                                              {"branch --help", "branch create"},
                                              {"branch create --help", "--expires"},
                                              {"psql n --help", "PSQL-ARGS"},
                                              {"--version", "pgarborctl 0"}}) {
            std::ostringstream out;
            std::ostringstream err;
            QCOMPARE(runCommandLine(split(words), {out, err}), 0);
            QVERIFY2(out.str().find(expected) != std::string::npos, words);
            QVERIFY(err.str().empty());
        }
    }

    void errorsAreTextOrJson() {
        std::ostringstream out;
        std::ostringstream err;
        QCOMPARE(runCommandLine(split("branch show a:b"), {out, err}), 2);
        QVERIFY(err.str().starts_with("pgarborctl: "));
        std::ostringstream json;
        QCOMPARE(runCommandLine(split("branch show a:b --json"), {out, json}), 2);
        const auto error =
            QJsonDocument::fromJson(QByteArray::fromStdString(json.str())).object().value("error").toObject();
        QCOMPARE(error.value("kind").toString(), QString("invalid-argument"));
        QVERIFY(!error.value("message").toString().isEmpty());
        QVERIFY(out.str().empty());
    }

    void tablesAreAlignedByCharactersNotBytes() {
        Table table({{"NAME"}, {"SIZE", Table::Align::Right}, {"X"}});
        table.add({"└─ dev", "9 kB", "a"});
        table.add({"main", "10 MB", ""});
        QCOMPARE(table.toString(), std::string("NAME     SIZE  X\n"
                                               "└─ dev   9 kB  a\n"
                                               "main    10 MB\n"));
    }

    void branchesStandUnderTheirParents() {
        const auto branch = [](const char* name, const char* parent) {
            return QJsonObject{{"name", name}, {"parent", parent ? QJsonValue(parent) : QJsonValue()}};
        };
        const QJsonArray branches{branch("main", nullptr), branch("a", "main"),       branch("b", "main"),
                                  branch("a1", "a"),       branch("lost", "deleted"), branch("r1", "r2"),
                                  branch("r2", "r1")};
        std::string drawn;
        for (const TreeLine& line : branchTree(branches, true))
            drawn += line.prefix + line.branch.value("name").toString().toStdString() + "\n";
        QCOMPARE(drawn, std::string("main\n├─ a\n│  └─ a1\n└─ b\nlost\nr1\n└─ r2\n"));
    }

    void valuesReadWell() {
        QCOMPARE(bytesText(512), std::string("512 B"));
        QCOMPARE(bytesText(1536), std::string("1.5 kB"));
        QCOMPARE(bytesText(qint64{9} << 30), std::string("9.0 GB"));
        QCOMPARE(bytesText(QJsonValue()), std::string("-"));
        const std::int64_t noon = Timestamp::parseIso("2026-01-31T12:00:00Z")->micros;
        QCOMPARE(agoText("2026-01-31T11:58:00Z", noon), std::string("2 min ago"));
        QCOMPARE(agoText("2026-02-07T12:00:00Z", noon), std::string("in 7 days"));
        QCOMPARE(agoText(QJsonValue(), noon), std::string("-"));
        qputenv("TZ", "UTC-1");
        tzset();
        QCOMPARE(timeText("2026-01-31T12:00:00Z"), std::string("2026-01-31T13:00:00+01:00"));
        QCOMPARE(plainText("a\x1b[2Jb\n"), std::string("a\\x1b[2Jb\\x0a"));
    }
};

QTEST_GUILESS_MAIN(CliTest)
#include "cli_test.moc"
