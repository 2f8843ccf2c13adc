// Which options of initdb a person may give, and what PgArbor adds.
#pragma once

#include "storage/base/status.h"

#include <span>
#include <string>
#include <vector>

namespace arbor {

struct InitdbPlaces {
    std::string dataDirectory;
    std::string walDirectory;
    std::string passwordFile; // one line; "" when the superuser gets no password
    bool sync = true;         // false when whoever takes the files over syncs them itself
};

// The arguments of initdb. InvalidArgument, in a sentence, for an option that PgArbor itself must set or that
// makes no cluster (-D -X -U --wal-segsize -W -S -s ..., in any spelling that getopt would accept:
// abbreviated, with the value attached, inside a cluster of letters) and for a word that is no option.
// Without an option about locale or encoding: UTF8 in this environment's locale if that is UTF-8, else in
// C.UTF-8; messages in English.
Result<std::vector<std::string>> initdbArguments(const InitdbPlaces& places,
                                                 std::span<const std::string> given);

} // namespace arbor
