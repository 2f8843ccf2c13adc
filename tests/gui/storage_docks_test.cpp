// The Storage and the Reclaim dock on a real engine: what is said before is what comes free; cancelled half
// way; with the engine killed half way; the plot, its zoom and its exports.
#include "app/gui/branch_area.h"
#include "app/gui/reclaim_panel.h"
#include "app/gui/storage_panel.h"
#include "tests/gui/gui_support.h"

#include <QComboBox>
#include <QDockWidget>
#include <QImage>
#include <QJsonArray>
#include <QJsonObject>
#include <QLineEdit>
#include <QPushButton>
#include <QTreeView>
#include <QWheelEvent>

#include <algorithm>
#include <cmath>
#include <csignal>

using namespace arbor;

class StorageDocksTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<StoreSession> m_session;
    std::unique_ptr<MainWindow> m_window;

    ReclaimPanel& reclaim() const { return m_window->reclaim(); }
    StoragePanel& storage() const { return m_window->storage(); }
    void raise(QWidget& panel) const {
        for (QWidget* at = &panel; at; at = at->parentWidget())
            if (auto* dock = qobject_cast<QDockWidget*>(at)) {
                dock->show();
                dock->raise();
            }
    }
    bool tick(const QString& what) const {
        const auto& rows = reclaim().model().rows();
        const auto found = std::ranges::find(rows, what, &PinRow::what);
        return found != rows.end() &&
               reclaim().model().setData(
                   reclaim().model().index(static_cast<int>(found - rows.begin()), PinsModel::Name),
                   Qt::Checked, Qt::CheckStateRole);
    }
    bool has(const QString& what) const {
        const auto& rows = reclaim().model().rows();
        return std::ranges::find(rows, what, &PinRow::what) != rows.end();
    }
    void makeBranch(const QString& name) const {
        int code = 1;
        m_place->ctl({"branch", "create", name, "--from", "main"}, &code);
        QCOMPARE(code, 0);
        m_place->ctl({"psql", name, "--", "-qc",
                      "CREATE TABLE t AS SELECT string_agg(md5(random()::text), '') AS x "
                      "FROM generate_series(1, 300000) g GROUP BY g % 30000"},
                     &code);
        QCOMPARE(code, 0);
        m_place->ctl({"stop", name});
    }
    void startWindow() {
        m_session = std::make_unique<StoreSession>(StoreSession::Options{m_place->store(), {}, {}});
        m_window = std::make_unique<MainWindow>(*m_session);
        reclaim().confirm = [](const QString&) { return true; };
        m_window->show();
        m_window->activateWindow();
        m_session->open();
        ARBOR_EVENTUALLY(m_session->state() == StoreSession::State::Connected);
    }

  private Q_SLOTS:
    void initTestCase() {
        ARBOR_NEEDS_ENGINE();
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        m_place = std::make_unique<GuiPlace>();
        int code = 1;
        m_place->ctl({"init", "--", "--no-sync", "--locale=C.UTF-8"}, &code);
        QCOMPARE(code, 0);
        m_place->ctl({"stop", "--all"});
        m_place->ctl({"settings", "set", "history-time", "0"});
        for (const char* name : {"one", "two", "three", "four"})
            makeBranch(QLatin1String(name));
        m_place->ctl({"branch", "protect", "four"});
        m_place->ctl({"gc", "run"});
        startWindow();
        raise(reclaim());
    }
    void cleanupTestCase() {
        m_window.reset();
        m_session.reset();
        m_place.reset();
    }

    void theTableShowsWhatCanGoAndWhatCannot() {
        ARBOR_EVENTUALLY(has("branch:one") && has("branch:two"));
        QVERIFY(!tick("branch:main")); // a root
        QVERIFY(!tick("branch:four")); // protected
        ARBOR_EVENTUALLY(reclaim().simulatedBytes() == 0);
        QVERIFY(!reclaim().runButton().isEnabled());
    }

    void whatIsSaidBeforeComesFree() {
        QVERIFY(tick("branch:one"));
        ARBOR_EVENTUALLY(reclaim().simulatedBytes().value_or(0) > 0);
        const std::uint64_t alone = *reclaim().simulatedBytes();
        QVERIFY2(reclaim().sentence().contains("one frees"), qPrintable(reclaim().sentence()));
        QVERIFY(tick("branch:two"));
        ARBOR_EVENTUALLY(reclaim().simulatedBytes().value_or(0) > alone);
        const std::uint64_t said = *reclaim().simulatedBytes();
        QVERIFY2(reclaim().sentence().contains("These 2 together free"), qPrintable(reclaim().sentence()));
        GuiPlace::shoot(*m_window, "reclaim-light");
        const std::uint64_t before = m_place->diskBytes();
        reclaim().runButton().click();
        QVERIFY(reclaim().cancelButton().isVisible());
        ARBOR_EVENTUALLY(reclaim().progressText().startsWith("Freed"));
        QCOMPARE(before - m_place->diskBytes(), said);
        ARBOR_EVENTUALLY(!has("branch:one") && !has("branch:two"));
        ARBOR_EVENTUALLY(reclaim().simulatedBytes() == 0);
    }

    void aProposalTicksRows() {
        reclaim().wanted().setFocus();
        reclaim().wanted().setText("1 MB");
        QTest::keyClick(&reclaim().wanted(), Qt::Key_Return);
        ARBOR_EVENTUALLY(reclaim().model().ticked().size() == 1);
        QCOMPARE(reclaim().model().ticked().front().what, QString("branch:three"));
        ARBOR_EVENTUALLY(reclaim().simulatedBytes().value_or(0) >= 1u << 20);
        reclaim().model().clearTicks();
    }

    void aRunIsCancelledHalfWay() {
        reclaim().speed().addItem("1kB/s", "1kB");
        reclaim().speed().setCurrentIndex(reclaim().speed().count() - 1);
        const std::uint64_t before = m_place->diskBytes();
        QVERIFY(tick("branch:three"));
        ARBOR_EVENTUALLY(reclaim().simulatedBytes().value_or(0) > 0);
        const std::uint64_t said = *reclaim().simulatedBytes();
        reclaim().runButton().click();
        ARBOR_EVENTUALLY(reclaim().progressText().contains(" of "));
        QVERIFY(reclaim().cancelButton().isEnabled());
        reclaim().cancelButton().click();
        ARBOR_EVENTUALLY(reclaim().runButton().isVisible());
        QVERIFY2(reclaim().progressText().contains("cancelled"), qPrintable(reclaim().progressText()));
        // what is left to free is what is left of the promise
        ARBOR_EVENTUALLY(reclaim().simulatedBytes().has_value());
        ARBOR_EVENTUALLY(before - m_place->diskBytes() + reclaim().simulatedBytes().value_or(0) >= said);
        QVERIFY(*reclaim().simulatedBytes() > 0);
    }

    void theEngineIsKilledHalfWay() {
        ARBOR_EVENTUALLY(reclaim().runButton().isEnabled());
        const pid_t engine = static_cast<pid_t>(m_place->json({"engine", "status"})["pid"].toInteger());
        reclaim().runButton().click();
        ARBOR_EVENTUALLY(reclaim().progressText().contains(" of "));
        QVERIFY(engine > 0);
        ::kill(engine, SIGKILL);
        ARBOR_EVENTUALLY(reclaim().runButton().isVisible());
        QVERIFY2(reclaim().progressText().contains("gone"), qPrintable(reclaim().progressText()));
        ARBOR_EVENTUALLY(m_session->state() == StoreSession::State::EngineGone);
        m_session->startEngine();
        ARBOR_EVENTUALLY(m_session->state() == StoreSession::State::Connected);
        reclaim().speed().setCurrentIndex(0);
        ARBOR_EVENTUALLY(reclaim().simulatedBytes().value_or(0) > 0 && reclaim().runButton().isEnabled());
        const std::uint64_t said = *reclaim().simulatedBytes();
        const std::uint64_t before = m_place->diskBytes();
        reclaim().runButton().click();
        ARBOR_EVENTUALLY(reclaim().progressText().startsWith("Freed"));
        QCOMPARE(before - m_place->diskBytes(), said);
    }

    void theBarShowsWhatIsKeptForAChild() {
        m_place->ctl({"psql", "main", "--", "-qc", "CREATE TABLE later ()"}); // past where four was forked
        m_place->ctl({"stop", "main"});
        const auto isKept = [&] {
            const BranchRow* main = m_session->picture().branch(QStringLiteral("main"));
            const BranchRow* four = m_session->picture().branch(QStringLiteral("four"));
            const auto& ranges = m_window->area().timelineView().timeline().ranges(main->id);
            return std::ranges::any_of(ranges, [&](const TimelineRange& range) {
                return range.kind == TimelineRange::Kind::Pinned && range.pinnedBy == four->id &&
                       range.to == four->forkLsn;
            });
        };
        ARBOR_EVENTUALLY(isKept());
    }

    void thePlotShowsTheSamplesThatTheEngineTook() {
        raise(storage());
        ARBOR_EVENTUALLY(!storage().plot().samples().empty());
        const StorageSample last = storage().plot().samples().back();
        storage().plot().pointAt(last.time);
        QVERIFY(storage().plot().pointedText().contains("live"));
        QVERIFY2(storage().forecastText().contains("on disk now"), qPrintable(storage().forecastText()));
        const QString png = m_place->path("plot.png"), csv = m_place->path("plot.csv");
        QVERIFY(storage().writePng(png));
        QVERIFY(!QImage(png).isNull());
        QVERIFY(storage().writeCsv(csv));
        const QByteArray lines = m_place->read("plot.csv");
        QVERIFY(lines.startsWith("time,live,history,pinned,trash,garbage,logical\n"));
        QCOMPARE(static_cast<std::size_t>(lines.count('\n')), storage().plot().samples().size() + 1);
        GuiPlace::shoot(*m_window, "storage-light");
    }

    // For eyes: a month, on light and on dark ground.
    void aMonthIsDrawnOnLightAndOnDarkGround() {
        std::vector<StorageSample> month;
        for (int hour = 0; hour < 720; ++hour) {
            const auto mb = [](double size) { return static_cast<std::uint64_t>(size * 1'048'576); };
            const double day = hour / 24.0;
            StorageSample sample;
            sample.time = Timestamp{1'795'000'000'000'000} + Duration::seconds(3600 * hour);
            sample.bytes = {mb(9000 + 60 * day), mb(1500 + 300 * std::sin(day)),
                            mb(hour > 200 ? 180 * (day - 8) : 0), mb(hour > 400 ? 900 : 100),
                            mb(40 * (hour % 24))};
            sample.logicalBytes = mb(21'000 + 130 * day);
            month.push_back(sample);
        }
        StoragePlot plot; // the panel's own is given what the engine has
        plot.resize(960, 180);
        plot.setSamples(month);
        plot.setLimit(20ull << 30);
        plot.showRange(month.front().time, month.back().time);
        plot.pointAt(month[500].time);
        plot.select(month[300].time, month[420].time);
        plot.show();
        const QPalette light = QApplication::palette();
        GuiPlace::shoot(plot, "month-light");
        QApplication::setPalette(QPalette(QColor(0x2b, 0x2d, 0x30), QColor(0x1e, 0x1f, 0x22)));
        QCoreApplication::processEvents();
        GuiPlace::shoot(plot, "month-dark");
        raise(reclaim());
        QCoreApplication::processEvents();
        GuiPlace::shoot(*m_window, "reclaim-dark");
        QApplication::setPalette(light);
        QVERIFY(plot.pointedText().contains("what databases occupy"));
    }

    void thePlotAndTheTimelineHaveOneZoom() {
        TimelineState& timeline = m_window->area().timelineView().timeline();
        if (timeline.axis() != TimelineAxis::Time)
            timeline.setAxis(TimelineAxis::Time);
        timeline.zoom(4, timeline.scale().width() / 2);
        const auto from = timeline.timeAtX(0);
        QVERIFY(from);
        ARBOR_EVENTUALLY(std::abs(storage().plot().shownFrom().micros - from->micros) < 2'000'000);
        Q_EMIT storage().rangeShown(*timeline.timeAtX(0) + Duration::seconds(1),
                                    *timeline.timeAtX(timeline.scale().width()));
        QVERIFY(timeline.timeAtX(0)->micros > from->micros);
    }

    void byLsnThePlotReachesUntilNowAndKeepsWhatIsChosenThere() {
        TimelineState& timeline = m_window->area().timelineView().timeline();
        const BranchRow four = *m_session->picture().branch(QStringLiteral("four"));
        timeline.setAxis(TimelineAxis::Lsn);
        timeline.setCursor(four.id, four.forkLsn);
        timeline.zoom(2, 0);
        timeline.resetView();
        StoragePlot& plot = storage().plot();
        ARBOR_EVENTUALLY((SystemClock().now() - plot.shownTo()).micros < 3'000'000);
        QWidget* inside = plot.focusProxy();
        const QPoint at = inside->rect().center();
        QWheelEvent wheel(at, inside->mapToGlobal(at), {}, {0, 120}, Qt::NoButton, Qt::ControlModifier,
                          Qt::NoScrollPhase, false);
        QCoreApplication::sendEvent(inside, &wheel);
        const Timestamp chosen = plot.shownFrom();
        QTest::qWait(2500); // the clock goes on
        QCOMPARE(plot.shownFrom(), chosen);
        timeline.zoom(2, timeline.scale().width() / 2);
        QVERIFY(plot.shownFrom() != chosen);
    }
};

QTEST_MAIN(StorageDocksTest)
#include "storage_docks_test.moc"
