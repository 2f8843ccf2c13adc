// Keys of the marks, for wal_marks.cpp and wal_queries.cpp alone; wal_marks.h has the grammar.
#pragma once

#include "storage/format/coding.h"
#include "storage/wal/wal_marks.h"

namespace arbor::markkey {

enum Space : std::uint8_t { State = 0, Samples = 1, Notable = 2, Drops = 3, End = 4 };

inline std::string space(TimelineId timeline, Space space) {
    std::string key = "W";
    Encoder(key).big64(timeline.value).byte(space);
    return key;
}
inline std::string at(TimelineId timeline, Space which, Lsn lsn) {
    std::string key = space(timeline, which);
    Encoder(key).big64(lsn.value);
    return key;
}
// Of a key made by at().
inline Lsn lsnOf(std::string_view key) {
    return {Decoder(key.substr(key.size() - 8)).big64()};
}

} // namespace arbor::markkey
