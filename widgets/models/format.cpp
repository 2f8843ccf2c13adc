#include "widgets/models/format.h"

#include "widgets/models/branch_row.h"

#include <QCoreApplication>
#include <QDateTime>
#include <QLocale>

#include <array>
#include <cstdlib>

namespace arbor {

namespace {

constexpr QChar noBreakSpace(0x00A0);
const QString none = QStringLiteral("–");

QString tr(const char* text) {
    return QCoreApplication::translate("arbor::format", text);
}

struct Unit {
    std::int64_t seconds;
    const char* text;
};
constexpr std::array units{Unit{7 * 86'400, QT_TRANSLATE_NOOP("arbor::format", "w")},
                           Unit{86'400, QT_TRANSLATE_NOOP("arbor::format", "d")},
                           Unit{3600, QT_TRANSLATE_NOOP("arbor::format", "h")},
                           Unit{60, QT_TRANSLATE_NOOP("arbor::format", "min")},
                           Unit{1, QT_TRANSLATE_NOOP("arbor::format", "s")}};

QString counted(std::int64_t n, const char* unit) {
    return QString::number(n) + noBreakSpace + tr(unit);
}

} // namespace

QString bytesDisplay(std::uint64_t bytes) {
    if (bytes == unknownBytes)
        return none;
    constexpr std::array names{"B", "kB", "MB", "GB", "TB", "PB"};
    double number = static_cast<double>(bytes);
    std::size_t unit = 0;
    for (; number >= 1023.5 && unit + 1 < names.size(); ++unit)
        number /= 1024;
    const bool whole = unit == 0 || number >= 99.95;
    return QLocale().toString(number, 'f', whole ? 0 : 1).remove(QLocale().groupSeparator()) + noBreakSpace +
           QLatin1String(names[unit]);
}

// -1: in the future or now; weeks only from the fifth on, as people count
AgeStep ageStep(Timestamp time, Timestamp now) {
    const std::int64_t seconds = (now - time).micros / 1'000'000;
    if (seconds < 1)
        return {-1, 4};
    for (std::size_t i = 0; i < units.size(); ++i) {
        const std::int64_t least = i == 0 ? 5 * units[i].seconds : units[i].seconds;
        if (seconds >= least)
            return {seconds / units[i].seconds, static_cast<int>(i)};
    }
    return {-1, 4};
}

QString ageDisplay(Timestamp time, Timestamp now) {
    if (!time)
        return none;
    const AgeStep step = ageStep(time, now);
    return step.count < 0 ? tr("now") : counted(step.count, units[static_cast<std::size_t>(step.unit)].text);
}

QString durationDisplay(Duration duration) {
    const std::int64_t seconds = std::abs(duration.micros) / 1'000'000;
    if (seconds < 1)
        return QString::number(std::abs(duration.micros) / 1000) + noBreakSpace + tr("ms");
    // weeks would need days beside them: the largest unit is the day
    for (std::size_t i = 1; i < units.size(); ++i) {
        if (seconds < units[i].seconds)
            continue;
        QString text = counted(seconds / units[i].seconds, units[i].text);
        const std::int64_t rest = seconds % units[i].seconds;
        const bool small = seconds / units[i].seconds < 10 && i + 1 < units.size();
        if (small && rest >= units[i + 1].seconds)
            text += noBreakSpace + counted(rest / units[i + 1].seconds, units[i + 1].text);
        return text;
    }
    return none;
}

QString zoneDisplay(Timestamp time) {
    const int offset = QDateTime::fromMSecsSinceEpoch(time.micros / 1000).offsetFromUtc();
    return QStringLiteral("%1%2:%3")
        .arg(offset < 0 ? QLatin1Char('-') : QLatin1Char('+'))
        .arg(std::abs(offset) / 3600, 2, 10, QLatin1Char('0'))
        .arg(std::abs(offset) / 60 % 60, 2, 10, QLatin1Char('0'));
}

QString timeDisplay(Timestamp time) {
    if (!time)
        return none;
    const QDateTime local = QDateTime::fromMSecsSinceEpoch(time.micros / 1000);
    return local.toString(QStringLiteral("yyyy-MM-dd HH:mm:ss")) + zoneDisplay(time);
}

QString lsnDisplay(Lsn lsn) {
    return lsn ? QString::fromStdString(lsn.toString()) : none;
}

QString countDisplay(std::uint64_t count) {
    return QLocale().toString(static_cast<qulonglong>(count));
}

} // namespace arbor
