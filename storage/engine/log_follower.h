// What a timeline needs of its write-ahead log: where the last complete record ends.
#pragma once

#include "storage/base/lsn.h"
#include "storage/base/status.h"
#include "storage/disk/index.h"

namespace arbor {

// Follows one timeline's log. advance() is called by one thread at a time; collect() and syncKept() by the
// sync, which may run beside it.
class LogFollower {
  public:
    virtual ~LogFollower() = default;
    // Scans to the last complete record there is and answers where it ends; never goes back. Segments that
    // were entered on the way are kept before it returns. Cheap when nothing is new.
    virtual Result<Lsn> advance() = 0;
    // Marks that accumulated since the last call.
    virtual void collect(IndexBatch& batch) = 0;
    // Makes the kept segments durable.
    virtual Status syncKept() = 0;
    // Makes the log itself durable up to `lsn`: before a fork there is acknowledged.
    virtual Status syncLog(Lsn lsn) = 0;
    // Not empty while a fork would not be safe: a sentence that says why.
    virtual std::string refusal() const = 0;
};

} // namespace arbor
