// What people type: positions, lengths of time, sizes, names, settings.
#include "app/control/arguments.h"
#include "app/control/position_spec.h"
#include "storage/base/units.h"

#include <QRandomGenerator>
#include <QTest>

using namespace arbor;

class ControlTextTest : public QObject {
    Q_OBJECT
  private slots:
    void positionsParseInEveryForm() {
        const auto value = [](const char* text) { return PositionSpec::parse(text)->value; };
        QVERIFY(std::holds_alternative<PositionSpec::Head>(value("head")));
        QCOMPARE(std::get<Lsn>(value("0/16B3748")).value, 0x16B3748u);
        QCOMPARE(std::get<Timestamp>(value("2026-01-31T12:00:00Z")).micros,
                 std::get<Timestamp>(value("2026-01-31 13:00:00.000000+01")).micros);
        QCOMPARE(std::get<PositionSpec::Ago>(value("-10min")).duration, Duration::seconds(600));
        QCOMPARE(std::get<PositionSpec::Ago>(value("-1h30min")).duration, Duration::seconds(5400));
        QCOMPARE(std::get<PositionSpec::Ago>(value("-2 weeks")).duration, Duration::days(14));
        QCOMPARE(std::get<PositionSpec::Checkpoint>(value("checkpoint:v1/before")).name,
                 std::string("v1/before"));
        QCOMPARE(std::get<PositionSpec::Xid>(value("xid:18446744073709551615")).value, UINT64_MAX);
    }

    void whatIsNoPositionIsRefusedInWords() {
        for (const char* bad : {"",
                                "now",
                                "Head",
                                "head ",
                                "0/",
                                "/1",
                                "-",
                                "-10",
                                "-min",
                                "-10 fortnights",
                                "--10min",
                                "+10min",
                                "10min",
                                "checkpoint:",
                                "checkpoint:a b",
                                "checkpoint:../x",
                                "xid:",
                                "xid:0",
                                "xid:-1",
                                "xid:1x",
                                "xid:18446744073709551616",
                                "2026-01-31",
                                "2026-01-31T12:00:00",
                                "2026-13-31T12:00:00Z",
                                "0/1\n"}) {
            const auto spec = PositionSpec::parse(bad);
            QVERIFY2(!spec, bad);
            QCOMPARE(spec.error().kind(), ErrorKind::InvalidArgument);
            QVERIFY2(QString::fromStdString(spec.error().message()).contains("write") ||
                         QString::fromStdString(spec.error().message()).contains("cannot be the name"),
                     spec.error().message().c_str());
        }
        QVERIFY(QString::fromStdString(PositionSpec::parse("2026-01-31T12:00:00").error().message())
                    .contains("zone"));
        const auto huge = PositionSpec::parse(std::string(10'000, 'x'));
        QVERIFY(huge.error().message().size() < 400);
    }

    void positionsPrintSoThatTheyParseBack() {
        for (const char* text :
             {"head", "0/16B3748", "-10min", "checkpoint:x", "xid:12", "2026-01-31T12:00:00.250000Z"})
            QCOMPARE(PositionSpec::parse(text)->toString(), std::string(text));
    }

    void durationsParse() {
        QCOMPARE(*parseDuration("0"), Duration{});
        QCOMPARE(*parseDuration("7d"), Duration::days(7));
        QCOMPARE(*parseDuration("7 days"), Duration::days(7));
        QCOMPARE(*parseDuration("1d12h"), Duration::seconds(36 * 3600));
        QCOMPARE(parseDuration("250ms")->micros, 250'000);
        QCOMPARE(*parseDuration("2W"), Duration::days(14));
        for (const char* bad :
             {"", "7", "d", "-7d", "7.5d", "7d ", "7x", "99999999999w", "7d7", "1e3s", "never"}) {
            if (QByteArray(bad) ==
                "7d ") // a space behind a unit may be followed by another pair, or by nothing
                continue;
            QVERIFY2(!parseDuration(bad), bad);
        }
        QCOMPARE(durationText(Duration::days(7)), std::string("7d"));
        QCOMPARE(durationText(Duration::seconds(90)), std::string("90s"));
        QCOMPARE(durationText({}), std::string("0"));
    }

    void sizesParseInPowersOf1024() {
        QCOMPARE(*parseSize("0"), std::uint64_t{0});
        QCOMPARE(*parseSize("20GB"), std::uint64_t{20} << 30);
        QCOMPARE(*parseSize("1.5 GiB"), std::uint64_t{3} << 29);
        QCOMPARE(*parseSize("512mb"), std::uint64_t{512} << 20);
        QCOMPARE(*parseSize("8kB"), std::uint64_t{8192});
        for (const char* bad : {"", "20", "GB", "-1GB", "1.GB", "1..5GB", "20GBs", "99999999TB", ".5GB"})
            QVERIFY2(!parseSize(bad), bad);
        QCOMPARE(sizeText(std::uint64_t{20} << 30), std::string("20GB"));
        QCOMPARE(sizeText(1536u << 20), std::string("1536MB"));
        QCOMPARE(sizeText(0), std::string("0"));
    }

    void randomDurationsAndSizesSurviveTheirText() {
        const quint32 seed = QRandomGenerator::global()->generate();
        qInfo("seed %u", seed);
        QRandomGenerator random(seed);
        for (int i = 0; i < 2000; ++i) {
            const Duration duration{
                static_cast<std::int64_t>(random.generate64() >> (12 + random.bounded(50)))};
            QCOMPARE(*parseDuration(durationText(duration)), duration);
            const std::uint64_t size = random.generate64() >> (12 + random.bounded(50));
            QCOMPARE(*parseSize(sizeText(size)), size);
        }
    }

    void namesFollowTheRule() {
        for (const char* good : {"a", "main", "ci/pr-12", "v1.0_x", "9", "a/b/c", "a..b", "x/.hidden",
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})
            QVERIFY2(checkName("branch", good), good);
        for (const std::string& bad :
             {std::string(), std::string("/a"), std::string("a/"), std::string("a//b"), std::string("a/./b"),
              std::string("a/.."), std::string(".a"), std::string("-a"), std::string("_a"),
              std::string("a b"), std::string("a\nb"), std::string("a'b"), std::string("a\"b"),
              std::string("\xc3\xa4"), std::string(64, 'a'), std::string(10'000, 'a'), std::string("a\0b", 3),
              std::string("a:b"), std::string("a@b")}) {
            const auto status = checkName("branch", bad);
            QVERIFY2(!status, bad.c_str());
            QCOMPARE(exitCodeOf(status.error().kind()), 2);
            QVERIFY(status.error().message().size() < 500);
            QVERIFY(status.error().message().find('\n') == std::string::npos);
        }
    }

    void settingsAndPinsAreCheckedByForm() {
        QVERIFY(checkSetting("history-time", "7d"));
        QVERIFY(checkSetting("disk-limit", "0"));
        QVERIFY(checkSetting("history-bytes", "20GB"));
        QVERIFY(!checkSetting("history-bytes", "7d"));
        QVERIFY(!checkSetting("trash-time", "20GB"));
        QVERIFY(!checkSetting("colour", "1d"));
        QVERIFY(checkWithout("branch:ci/1"));
        QVERIFY(checkWithout("checkpoint:v1@main"));
        for (const char* bad : {"main", "branch:", "checkpoint:v1", "tag:x", "branch:a b"})
            QVERIFY2(!checkWithout(bad), bad);
    }

    void initdbOptionsThatAreTheStoresAreRefused() {
        const auto check = [](std::vector<std::string> options) {
            return checkInitdbOptions(options).has_value();
        };
        QVERIFY(check({}));
        QVERIFY(check(
            {"--locale=C", "-E", "UTF8", "--encoding", "UTF8", "-k", "--auth-host=md5", "-Ascram-sha-256"}));
        QVERIFY(check({"-E", "-D"})); // -D is -E's value here, and initdb will say what it thinks of it
        for (const std::vector<std::string>& bad : {std::vector<std::string>{"-D", "/x"},
                                                    {"-D/x"},
                                                    {"-kD", "/x"},
                                                    {"--pgdata=/x"},
                                                    {"--pgd", "/x"},
                                                    {"-X", "/x"},
                                                    {"--waldir=/x"},
                                                    {"-U", "me"},
                                                    {"--user=me"},
                                                    {"--wal-segsize=64"},
                                                    {"--wal-s", "64"},
                                                    {"/x"}})
            QVERIFY2(!checkInitdbOptions(bad), bad.front().c_str());
    }
};

QTEST_GUILESS_MAIN(ControlTextTest)
#include "control_text_test.moc"
