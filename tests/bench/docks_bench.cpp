// The Storage and the Reclaim dock with a month of samples of a store of 1,000 branches: the time to take the
// data, to paint first and to paint again, as medians in milliseconds.
//
//   QT_QPA_PLATFORM=offscreen docks_bench
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <vector>

#include "widgets/models/pins_model.h"
#include "widgets/views/bar_delegate.h"
#include "widgets/views/storage_plot.h"

#include <QApplication>
#include <QPixmap>
#include <QSortFilterProxyModel>
#include <QTreeView>

using namespace arbor;

namespace {

double median(int rounds, const std::function<void()>& action) {
    std::vector<double> times;
    for (int i = 0; i < rounds; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        action();
        times.push_back(
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    }
    std::sort(times.begin(), times.end());
    return times[times.size() / 2];
}

// One a minute, as if none had been thinned: far more than the engine sends, which is two a pixel.
std::vector<StorageSample> month() {
    std::vector<StorageSample> samples;
    for (std::int64_t minute = 0; minute < 30 * 24 * 60; ++minute) {
        StorageSample sample;
        sample.time = {1'700'000'000'000'000 + minute * 60'000'000};
        for (std::size_t area = 0; area < sample.bytes.size(); ++area)
            sample.bytes[area] = (area + 1) * (1u << 20) * static_cast<std::uint64_t>(100 + minute % 997);
        sample.logicalBytes = sample.bytes[0] * 3;
        samples.push_back(sample);
    }
    return samples;
}

} // namespace

int main(int count, char** words) {
    const QApplication application(count, words);
    const std::vector<StorageSample> samples = month();
    StoragePlot plot;
    plot.resize(1280, 220);
    const double take = median(5, [&] { plot.setSamples(samples); });
    QPixmap picture(plot.size());
    const double first = median(1, [&] { plot.render(&picture); });
    const double again = median(51, [&] {
        plot.pointAt(samples[samples.size() / 2].time);
        plot.render(&picture);
    });
    std::printf("%zu samples: taken in %.2f ms, first paint %.2f ms, a frame %.2f ms\n", samples.size(), take,
                first, again);
    std::vector<PinRow> rows;
    for (int i = 0; i < 1000; ++i)
        for (const char* kind : {"branch", "history window", "checkpoint"})
            rows.push_back({QLatin1String(kind), QStringLiteral("ci/job-%1").arg(i), QStringLiteral("main"),
                            Lsn{static_cast<std::uint64_t>(i + 1) << 20},
                            Lsn{static_cast<std::uint64_t>(i + 2) << 20},
                            static_cast<std::uint64_t>(i) * 7919 % 1'000'003 * 1024, true,
                            QStringLiteral("%1:%2").arg(QLatin1String(kind)).arg(i)});
    PinsModel model;
    QSortFilterProxyModel sorted;
    sorted.setSourceModel(&model);
    sorted.setSortRole(PinsModel::SortRole);
    sorted.sort(PinsModel::Only, Qt::DescendingOrder);
    QTreeView table;
    table.setUniformRowHeights(true);
    table.setRootIsDecorated(false);
    table.setModel(&sorted);
    table.setItemDelegateForColumn(PinsModel::Only, new BarDelegate(PinsModel::FractionRole, &table));
    table.resize(1280, 220);
    const double fill = median(1, [&] { model.setRows(rows); });
    const double same = median(5, [&] { model.setRows(rows); });
    QPixmap tablePicture(table.size());
    const double firstTable = median(1, [&] { table.render(&tablePicture); });
    const double frame = median(51, [&] { table.render(&tablePicture); });
    std::printf("%zu pins: filled in %.2f ms, taken again in %.2f ms, first paint %.2f ms, a frame %.2f ms\n",
                rows.size(), fill, same, firstTable, frame);
    return 0;
}
