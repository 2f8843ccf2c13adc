// Sizes, ages and times as every view writes them. A number and its unit are kept together by a no-break
// space.
#pragma once

#include "storage/base/lsn.h"
#include "storage/base/time.h"

#include <QString>

#include <cstdint>

namespace arbor {

// "9.0 GB", "80 MB", "512 B": powers of 1024, as Postgres prints them. unknownBytes: "–".
QString bytesDisplay(std::uint64_t bytes);
// How long ago, shortly: "now", "2 s", "5 min", "4 h", "34 d", "5 w". No time: "–".
QString ageDisplay(Timestamp time, Timestamp now);
// What ageDisplay shows, as numbers: equal steps are equal texts. count -1: "now".
struct AgeStep {
    std::int64_t count = 0;
    int unit = 0;
    bool operator==(const AgeStep&) const = default;
};
AgeStep ageStep(Timestamp time, Timestamp now);
// The same without a reference: "42 min", "1 h 5 min", "3 d 4 h".
QString durationDisplay(Duration duration);
// "2026-11-23 14:32:07+01:00" in the machine's zone. No time: "–".
QString timeDisplay(Timestamp time);
QString zoneDisplay(Timestamp time);       // "+02:00", what holds at that time
QString lsnDisplay(Lsn lsn);               // "0/16B3748"; 0: "–"
QString countDisplay(std::uint64_t count); // with the locale's thousands separators

} // namespace arbor
