// The part of scrub() that reads the kept write-ahead log. Included by scrub*.cpp alone.
#pragma once

#include "storage/engine/scrub_index.h"

namespace arbor {

// Reads, record by record, whatever log a sweep would keep for a pin. False when cancelled.
bool scrubKeptLog(ScrubRun& run);

} // namespace arbor
