// Samples of where the bytes are, over time: what the storage plot shows, and what a forecast is made from.
//
// Key 'A' + the time, ascending. value := varint for each field of Sample in its order.
// Kept: all of the last day, one an hour of the last 60 days, one a day of what is older.
#pragma once

#include "storage/engine/store.h"
#include "storage/gc/planner.h"

#include <vector>

namespace arbor {

// Bytes on disk, pages and log together, by who needs them.
struct Sample {
    Timestamp at;
    std::uint64_t liveBytes = 0;    // heads of branches, but for
    std::uint64_t windowBytes = 0;  // the history window alone
    std::uint64_t pinnedBytes = 0;  // what a head keeps where another branch moved on; checkpoints, readers
    std::uint64_t trashBytes = 0;   // the trash alone
    std::uint64_t garbageBytes = 0; // nobody
    std::uint64_t logicalBytes = 0; // what the databases think that they occupy
    std::uint64_t indexBytes = 0;
    std::uint64_t freeBytes = 0; // of the file system

    std::uint64_t diskBytes() const {
        return liveBytes + windowBytes + pinnedBytes + trashBytes + garbageBytes;
    }
    bool operator==(const Sample&) const = default;
};

// The bytes on disk of a plan; the rest is the caller's.
Sample sampleOf(const GcPlan& plan, Timestamp at);

// Durable on return; drops those that have become too many for their age.
Status addSample(Store& store, const Sample& sample);
// Between two times, at most `limit`: where there are more, of each stretch of equal length the one that
// occupies most.
Result<std::vector<Sample>> samplesBetween(const Index& index, Timestamp from, Timestamp to,
                                           std::size_t limit);

struct Forecast {
    double bytesPerSecond = 0; // of growth lately; negative when it shrinks
    // When the disk (or the limit, if one is set) is full at that rate; 0: not in sight (within ten years)
    Timestamp fullAt;
};
// By a straight line through the last day's samples (the whole time, if there is less).
Forecast forecast(const std::vector<Sample>& samples, std::uint64_t limitBytes);

} // namespace arbor
