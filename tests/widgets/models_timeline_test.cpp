#include "tests/support/test_seed.h"
#include "widgets/models/lsn_time_map.h"
#include "widgets/models/marks_store.h"
#include "widgets/models/timeline_scale.h"

#include <QDateTime>
#include <QTest>
#include <QTimeZone>

#include <cmath>
#include <random>

using namespace arbor;

namespace {

constexpr std::int64_t day = 86'400'000'000;

Timestamp at(std::int64_t seconds) {
    return {1'700'000'000'000'000 + seconds * 1'000'000};
}

} // namespace

class ModelsTimelineTest : public QObject {
    Q_OBJECT
  private slots:
    void initTestCase() { qputenv("TZ", "Europe/Berlin"); }

    void pixelsAndValuesRoundTripAtEveryZoom() {
        const std::uint64_t seed = test::givenSeed().value_or(test::randomSeed());
        qInfo("ARBOR_SEED=%llu", static_cast<unsigned long long>(seed));
        std::mt19937_64 random(seed);
        TimelineScale scale;
        scale.setWidth(900);
        // far beyond what a double holds exactly: differences must stay exact
        const AxisValue from = (AxisValue{1} << 62) + 12345;
        scale.setDomain(from, from + (AxisValue{1} << 40));
        for (int i = 0; i < 2000; ++i) {
            const double x = static_cast<double>(random() % 900'000) / 1000;
            switch (random() % 4) {
            case 0:
                scale.zoom(1.7, x);
                break;
            case 1:
                scale.zoom(0.4, x);
                break;
            case 2:
                scale.pan(static_cast<double>(random() % 2000) - 1000);
                break;
            default:
                break;
            }
            const AxisValue value = scale.valueAt(x);
            QVERIFY(std::abs(scale.x(value) - x) <= 0.5 / scale.unitsPerPixel() + 1e-6);
            QVERIFY(scale.x(value) <= scale.x(value + static_cast<AxisValue>(scale.unitsPerPixel()) + 1));
        }
    }

    void zoomingHoldsThePlaceUnderThePointer() {
        TimelineScale scale;
        scale.setWidth(1000);
        scale.setDomain(0, 1'000'000);
        const AxisValue before = scale.valueAt(300);
        scale.zoom(8, 300);
        QVERIFY(std::abs(scale.valueAt(300) - before) <= 1);
        QVERIFY(!scale.showsAll());
        for (int i = 0; i < 60; ++i)
            scale.zoom(2, 300);
        QVERIFY(scale.viewSpan() >= TimelineScale::leastSpan);
        scale.reset();
        QVERIFY(scale.showsAll());
        QVERIFY(scale.x(0) > 0 && scale.x(1'000'000) < 1000);
    }

    void aViewOfAllGrowsWithTheDomainAndAnyOtherStays() {
        TimelineScale scale;
        scale.setWidth(1000);
        scale.setDomain(1000, 2000);
        scale.setDomain(1000, 4000);
        QVERIFY(scale.showsAll());
        scale.show(1500, 2500);
        const AxisValue left = scale.viewFrom();
        scale.setDomain(500, 9000);
        QCOMPARE(scale.viewFrom(), left);
        scale.pan(1e9);
        QVERIFY(scale.viewTo() >= 9000 && scale.viewTo() <= 9000 + 0.03 * 8500);
    }

    void ticksOfLsnsAreRoundAndApart() {
        TimelineScale scale;
        scale.setWidth(800);
        scale.setDomain(0x1000000, 0x40000000);
        const auto ticks = lsnTicks(scale, 90);
        QVERIFY(ticks.size() >= 3 && ticks.size() <= 9);
        QCOMPARE(ticks[0].label, QString("0/8000000"));
        for (std::size_t i = 1; i < ticks.size(); ++i)
            QVERIFY(scale.x(ticks[i].value) - scale.x(ticks[i - 1].value) >= 90);
    }

    void ticksOfTimesAreRoundInTheLocalZoneAlsoWhenClocksChange() {
        TimelineScale scale;
        scale.setWidth(1000);
        // the last Sunday of October 2026: 25 hours in Berlin
        const auto micros = [](const char* iso) {
            return QDateTime::fromString(QString::fromLatin1(iso), Qt::ISODate).toMSecsSinceEpoch() * 1000;
        };
        scale.setDomain(micros("2026-10-24T12:00:00Z"), micros("2026-10-26T12:00:00Z"));
        const auto ticks = timeTicks(scale, 80);
        QVERIFY(ticks.size() >= 4);
        for (const AxisTick& tick : ticks) {
            const QTime time = QDateTime::fromMSecsSinceEpoch(tick.value / 1000).time();
            QCOMPARE(time.minute(), 0);
        }
        QCOMPARE(ticks.front().context.isEmpty(), false);
    }

    void ticksExistAtEveryZoomFromMicrosecondsToCenturies() {
        TimelineScale scale;
        scale.setWidth(1000);
        for (double span = 100; span < 400.0 * 365 * static_cast<double>(day); span *= 1.9) {
            scale.setDomain(1'700'000'000'000'000, 1'700'000'000'000'000 + static_cast<AxisValue>(span));
            const auto ticks = timeTicks(scale, 90);
            QVERIFY2(ticks.size() <= 12, qPrintable(QString::number(span)));
            if (span > 30'000)
                QVERIFY2(!ticks.empty(), qPrintable(QString::number(span)));
            for (std::size_t i = 1; i < ticks.size(); ++i)
                QVERIFY(scale.x(ticks[i].value) > scale.x(ticks[i - 1].value) + 40);
        }
    }

    void theMapIsLinearBetweenPointsAndRoundTrips() {
        LsnTimeMap map;
        QVERIFY(!map.timeAt(Lsn{5}));
        map.add({{Lsn{1000}, at(0)}, {Lsn{3000}, at(10)}});
        map.setEnds({Lsn{500}, at(-10)}, {Lsn{4000}, at(110)});
        QCOMPARE(map.timeAt(Lsn{2000})->micros, at(5).micros);
        QCOMPARE(map.timeAt(Lsn{750})->micros, at(-5).micros);
        QCOMPARE(map.timeAt(Lsn{3500})->micros, at(60).micros);
        QCOMPARE(map.timeAt(Lsn{1})->micros, at(-10).micros);
        QCOMPARE(map.timeAt(Lsn{9999})->micros, at(110).micros);
        QCOMPARE(map.lsnAt(at(5))->value, 2000u);
        QCOMPARE(map.lsnAt(at(-20))->value, 500u);
        QCOMPARE(map.lsnAt(at(500))->value, 4000u);
        QCOMPARE(map.bytesBetween(at(0), at(10)), 2000u);
    }

    void aClockThatGoesBackNeverMakesTheMapDescend() {
        const std::uint64_t seed = test::givenSeed().value_or(test::randomSeed());
        qInfo("ARBOR_SEED=%llu", static_cast<unsigned long long>(seed));
        std::mt19937_64 random(seed);
        LsnTimeMap map;
        for (int batch = 0; batch < 50; ++batch) {
            std::vector<LsnTimeMap::Point> points;
            for (int i = 0; i < 20; ++i)
                points.push_back({Lsn{random() % 100'000}, at(static_cast<std::int64_t>(random() % 5000))});
            map.add(std::move(points));
        }
        Timestamp last;
        for (std::uint64_t lsn = 0; lsn < 100'000; lsn += 37) {
            const Timestamp now = *map.timeAt(Lsn{lsn});
            QVERIFY(now >= last);
            last = now;
            QVERIFY(map.lsnAt(now)->value + 1 >= lsn || map.timeAt(*map.lsnAt(now)) == now);
        }
    }

    void marksComeInAnyOrderAndTwiceIsOnce() {
        MarksStore store;
        const std::vector<Mark> marks{{MarkKind::Commit, Lsn{300}, at(3), 7, {}},
                                      {MarkKind::Commit, Lsn{100}, at(1), 5, {}},
                                      {MarkKind::Checkpoint, Lsn{300}, at(3), 0, "before"},
                                      {MarkKind::Drop, Lsn{200}, at(2), 6, "DROP TABLE t"}};
        store.add(1, marks);
        store.add(1, marks);
        store.add(1, std::vector<Mark>{{MarkKind::Commit, Lsn{50}, at(0), 4, {}}});
        QCOMPARE(store.count(), std::size_t{5});
        QCOMPARE(store.next(1, Lsn{100})->text, QString("DROP TABLE t"));
        QCOMPARE(store.next(1, Lsn{200})->kind, MarkKind::Checkpoint);
        QCOMPARE(store.previous(1, Lsn{100})->lsn, Lsn{50});
        QVERIFY(!store.previous(1, Lsn{50}));
        QVERIFY(!store.next(1, Lsn{300}));
        QVERIFY(!store.next(2, Lsn{0}));
        QCOMPARE(store.at(1, Lsn{300})->text, QString("before"));
        QCOMPARE(store.between(1, Lsn{60}, Lsn{300}, allMarks, 10).size(), std::size_t{2});
        QCOMPARE(store.firstAtOrAfter(1, MarkKind::Commit, Lsn{51})->lsn, Lsn{100});
        store.clearKind(1, MarkKind::Checkpoint);
        QCOMPARE(store.at(1, Lsn{300})->kind, MarkKind::Commit);
        store.clear(1);
        QCOMPARE(store.count(), std::size_t{0});
    }

    void randomBatchesOfMarksEndAsOneSortedList() {
        const std::uint64_t seed = test::givenSeed().value_or(test::randomSeed());
        qInfo("ARBOR_SEED=%llu", static_cast<unsigned long long>(seed));
        std::mt19937_64 random(seed);
        MarksStore store;
        std::map<std::pair<std::uint64_t, int>, Mark> expected;
        for (int batch = 0; batch < 40; ++batch) {
            std::vector<Mark> marks;
            for (int i = 0; i < 25; ++i) {
                Mark mark{static_cast<MarkKind>(random() % markKinds), Lsn{random() % 3000 + 1}, {}, 0, {}};
                expected[{mark.lsn.value, static_cast<int>(mark.kind)}] = mark;
                marks.push_back(mark);
            }
            store.add(9, marks);
        }
        QCOMPARE(store.count(9), expected.size());
        std::size_t seen = 0;
        Lsn last{0};
        for (auto mark = store.next(9, Lsn{0}); mark; mark = store.next(9, mark->lsn)) {
            QVERIFY(mark->lsn > last);
            last = mark->lsn;
            seen += store.between(9, mark->lsn, mark->lsn + 1, allMarks, 100).size();
        }
        QCOMPARE(seen, expected.size());
    }
};

QTEST_GUILESS_MAIN(ModelsTimelineTest)
#include "models_timeline_test.moc"
