#include "tests/widgets/views_support.h"
#include "widgets/views/storage_plot.h"

#include <QTest>

using namespace arbor;
using namespace arbor::test;

namespace {

constexpr Timestamp noon{1'795'690'800'000'000}; // 2026-11-26 12:00:00 in Berlin

// A sample a minute, shown.
struct Plot : StoragePlot {
    explicit Plot() {
        std::vector<StorageSample> hour;
        for (int minute = 0; minute < 60; ++minute)
            hour.push_back({noon + Duration::seconds(60 * minute), {1u << 20, 0, 0, 0, 0}, 0});
        setSamples(hour);
        resize(960, 180);
        show();
    }
    QStringList labelsOver(std::int64_t seconds) {
        showRange(noon, noon + Duration::seconds(seconds));
        return tickLabels();
    }
};

} // namespace

class ViewsPlotTest : public QObject {
    Q_OBJECT
  private slots:
    void initTestCase() {
        qputenv("TZ", "Europe/Berlin");
        QApplication::setPalette(lightPalette());
    }

    void theCrosshairStandsOnTheSampleThatItNames() {
        Plot plot;
        plot.pointAt(noon + Duration::seconds(119));
        QCOMPARE(plot.pointedTime(), noon + Duration::seconds(60));
        QVERIFY(plot.pointedText().startsWith("2026-11-26 12:01:00+01:00"));
        plot.pointAt(noon - Duration::seconds(1));
        QVERIFY(!plot.pointedTime());
    }

    void theZoneStandsAtTheFirstTickAlone() {
        Plot plot;
        const QStringList labels = plot.labelsOver(3600);
        QVERIFY(labels.size() > 1);
        QVERIFY2(labels.front().startsWith("26 Nov +01:00\n12:"), qPrintable(labels.front()));
        QCOMPARE(labels.filter("+01:00").size(), 1);
    }

    void ticksTellSecondsWhereTheyAreNoWholeMinutes() {
        Plot plot;
        for (const int span : {1, 3, 20, 100, 700, 1000, 7200}) {
            QStringList labels = plot.labelsOver(span);
            QVERIFY(!labels.isEmpty());
            for (QString& label : labels)
                label = label.section('\n', 1);
            const auto shown = labels.size();
            QCOMPARE(labels.removeDuplicates(), 0); // none so near that it reads like its neighbour
            QVERIFY(shown <= std::max(span + 1, 10));
        }
        // steps of two and a half minutes
        QVERIFY(plot.labelsOver(750).filter("12:02:30").size() == 1);
    }
};

QTEST_MAIN(ViewsPlotTest)
#include "views_plot_test.moc"
