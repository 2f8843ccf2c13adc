#include "storage/base/ids.h"
#include "storage/base/lsn.h"
#include "storage/base/time.h"
#include "storage/base/turns.h"

#include <QTest>

#include <sys/syscall.h>
#include <unistd.h>

using namespace arbor;

namespace {

// Nanoseconds that this thread wants to run at a time (sched_getattr(2): the fourth 8 bytes); 0 from a kernel
// that knows no such thing.
quint64 runtimeOfThread() {
    std::array<quint64, 6> attributes{};
    return syscall(SYS_sched_getattr, 0, attributes.data(), sizeof attributes, 0) == 0 ? attributes[3] : 0;
}

} // namespace

class BaseTest : public QObject {
    Q_OBJECT
  private slots:
    void lsnPrintsAndParsesAsPostgresDoes() {
        QCOMPARE(Lsn{0x16B3748}.toString(), std::string("0/16B3748"));
        QCOMPARE(Lsn::parse("0/16b3748")->value, 0x16B3748u);
        QCOMPARE(Lsn::parse("12/FFFFFFFF")->value, 0x12FFFFFFFFu);
        for (const char* bad : {"", "/", "0/", "/1", "0/1G", "0/123456789", "0 /1", "0/1 ", "-1/1", "0/1/2"})
            QVERIFY2(!Lsn::parse(bad), bad);
    }

    void longTurnsEndWithTheirScope() {
        const quint64 before = runtimeOfThread();
        {
            const LongTurns nobodyWaits;
            if (before > 0)
                QCOMPARE(runtimeOfThread(), 100'000'000u);
        }
        QCOMPARE(runtimeOfThread(), before);
    }

    void timesParseInIsoAndInPostgresForm() {
        const auto noon = Timestamp::parseIso("2026-01-31T12:00:00Z");
        QVERIFY(noon);
        QCOMPARE(noon->toIso(), std::string("2026-01-31T12:00:00.000000Z"));
        for (const char* same : {"2026-01-31 13:00:00+01", "2026-01-31T12:00:00.000000+00:00",
                                 "2026-01-31 06:30:00-0530", "2026-01-31T12:00Z"})
            QCOMPARE(Timestamp::parseIso(same)->micros, noon->micros);
        QCOMPARE(Timestamp::parseIso("2026-01-31 12:00:00.25+00")->micros, noon->micros + 250'000);
    }

    void timesWithoutZoneOrOutOfRangeAreRefused() {
        for (const char* bad : {"2026-01-31T12:00:00", "2026-02-30T12:00:00Z", "2026-01-31T25:00:00Z",
                                "2026-01-31", "yesterday", "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+1"})
            QVERIFY2(!Timestamp::parseIso(bad), bad);
    }

    void everyKindOfErrorHasAWordThatReadsBack() {
        for (int kind = 0; kind <= static_cast<int>(ErrorKind::LimitPassed); ++kind) {
            const auto value = static_cast<ErrorKind>(kind);
            QCOMPARE(kindFromName(kindName(value)), value);
        }
        QCOMPARE(exitCodeOf(ErrorKind::NotFound), 3);
        QCOMPARE(exitCodeOf(ErrorKind::Refused), 4);
        QCOMPARE(errnoOf(ErrorKind::NoSpace), ENOSPC);
    }
};

QTEST_GUILESS_MAIN(BaseTest)
#include "base_test.moc"
