#include "widgets/models/format.h"
#include "widgets/models/timeline_scale.h"

#include <QDateTime>
#include <QLocale>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace arbor {

namespace {

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t day = 86'400 * second;
constexpr int mostTicks = 400; // a guard: a column that is wider has room for no more words

QDateTime local(AxisValue micros) {
    // floor, also before 1970
    return QDateTime::fromMSecsSinceEpoch(micros / 1000 - (micros % 1000 < 0 ? 1 : 0));
}

// Ticks shorter than a day: steps from local midnight, so that they stay on round hours in any zone. A day
// with a change of the clock has its odd hour once.
struct ClockStep {
    std::int64_t micros;
    const char* format;
};
constexpr std::array clockSteps{
    ClockStep{1000, "HH:mm:ss.zzz"},        ClockStep{2000, "HH:mm:ss.zzz"},
    ClockStep{5000, "HH:mm:ss.zzz"},        ClockStep{10'000, "HH:mm:ss.zzz"},
    ClockStep{20'000, "HH:mm:ss.zzz"},      ClockStep{50'000, "HH:mm:ss.zzz"},
    ClockStep{100'000, "HH:mm:ss.zzz"},     ClockStep{200'000, "HH:mm:ss.zzz"},
    ClockStep{500'000, "HH:mm:ss.zzz"},     ClockStep{second, "HH:mm:ss"},
    ClockStep{2 * second, "HH:mm:ss"},      ClockStep{5 * second, "HH:mm:ss"},
    ClockStep{10 * second, "HH:mm:ss"},     ClockStep{30 * second, "HH:mm:ss"},
    ClockStep{60 * second, "HH:mm"},        ClockStep{2 * 60 * second, "HH:mm"},
    ClockStep{5 * 60 * second, "HH:mm"},    ClockStep{10 * 60 * second, "HH:mm"},
    ClockStep{30 * 60 * second, "HH:mm"},   ClockStep{3600 * second, "HH:mm"},
    ClockStep{3 * 3600 * second, "HH:mm"},  ClockStep{6 * 3600 * second, "HH:mm"},
    ClockStep{12 * 3600 * second, "HH:mm"},
};
constexpr std::array dayMonths{0, 1, 3, 12}; // months a step, behind the steps in days
constexpr std::array dayCounts{1, 2, 7, 14};

std::vector<AxisTick> clockTicks(const TimelineScale& scale, const ClockStep& step) {
    std::vector<AxisTick> ticks;
    QString context;
    QDateTime midnight = local(scale.viewFrom()).date().startOfDay();
    while (ticks.size() < mostTicks) {
        const AxisValue from = midnight.toMSecsSinceEpoch() * 1000;
        if (from > scale.viewTo())
            break;
        const QDateTime next = midnight.date().addDays(1).startOfDay();
        const AxisValue to = next.toMSecsSinceEpoch() * 1000;
        const AxisValue skipped = std::max<AxisValue>(0, (scale.viewFrom() - from) / step.micros);
        for (AxisValue at = from + skipped * step.micros; at < to && at <= scale.viewTo();
             at += step.micros) {
            if (at < scale.viewFrom() || ticks.size() >= mostTicks)
                continue;
            const QDateTime when = local(at);
            AxisTick tick{at, when.toString(QLatin1String(step.format)), {}, at == from};
            const QString date = QLocale().toString(when.date(), QStringLiteral("d MMM yyyy")) +
                                 QLatin1Char(' ') + zoneDisplay(Timestamp{at});
            if (date != context)
                tick.context = context = date;
            ticks.push_back(tick);
        }
        midnight = next;
    }
    return ticks;
}

QDate floorDate(QDate date, int days, int months) {
    if (days == 7 || days == 14)
        date = date.addDays(1 - date.dayOfWeek());
    if (months == 0)
        return date;
    const int month = (date.month() - 1) / months * months + 1;
    return {date.year(), month, 1};
}

std::vector<AxisTick> dateTicks(const TimelineScale& scale, int days, int months, int years) {
    std::vector<AxisTick> ticks;
    QString context;
    QDate date = floorDate(local(scale.viewFrom()).date(), days, months);
    if (years > 0)
        date = QDate(date.year() - date.year() % years, 1, 1);
    for (; ticks.size() < mostTicks; date = years > 0    ? date.addYears(years)
                                            : months > 0 ? date.addMonths(months)
                                                         : date.addDays(days)) {
        const AxisValue at = date.startOfDay().toMSecsSinceEpoch() * 1000;
        if (at > scale.viewTo())
            break;
        if (at < scale.viewFrom())
            continue;
        const bool inYears = years > 0 || months == 12;
        AxisTick tick{at, {}, {}, months == 0 ? date.day() == 1 : date.month() == 1};
        tick.label = inYears      ? QString::number(date.year())
                     : months > 0 ? QLocale().toString(date, QStringLiteral("MMM"))
                                  : QLocale().toString(date, QStringLiteral("d MMM"));
        const QString year = inYears ? QString() : QString::number(date.year());
        if (year != context)
            tick.context = context = year;
        ticks.push_back(tick);
    }
    return ticks;
}

} // namespace

std::vector<AxisTick> lsnTicks(const TimelineScale& scale, double spacing) {
    const double least = std::max(spacing * scale.unitsPerPixel(), 1.0);
    // powers of two: hexadecimal digits stay round, and from 16 MB on ticks fall on segment borders
    const auto step =
        static_cast<AxisValue>(std::bit_ceil(static_cast<std::uint64_t>(std::ceil(std::min(least, 4e18)))));
    std::vector<AxisTick> ticks;
    const AxisValue from = std::max<AxisValue>(scale.viewFrom(), 1);
    AxisValue at = (from + step - 1) / step * step;
    for (; at <= scale.viewTo() && ticks.size() < mostTicks; at += step) {
        const Lsn lsn{static_cast<std::uint64_t>(at)};
        ticks.push_back({at, QString::fromStdString(lsn.toString()), {}, at % (4 * step) == 0});
    }
    return ticks;
}

std::vector<AxisTick> timeTicks(const TimelineScale& scale, double spacing) {
    const double least = spacing * scale.unitsPerPixel();
    for (const ClockStep& step : clockSteps)
        if (static_cast<double>(step.micros) >= least)
            return clockTicks(scale, step);
    for (const int days : dayCounts)
        if (static_cast<double>(days * day) >= least)
            return dateTicks(scale, days, 0, 0);
    for (const int months : dayMonths)
        if (months > 0 && static_cast<double>(months) * 28 * static_cast<double>(day) >= least)
            return dateTicks(scale, 0, months, 0);
    int years = 2;
    while (static_cast<double>(years) * 365 * static_cast<double>(day) < least && years < 1'000'000)
        years *= years % 10 == 2 ? 5 : 2; // 2, 10, 20, 100
    return dateTicks(scale, 0, 0, years);
}

} // namespace arbor
