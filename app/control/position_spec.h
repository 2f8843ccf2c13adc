// POS: a point of a branch's history as people write it. The form is decided here, once, for the command line
// and the engine; what it means on a branch (and whether it is still there) only the engine can say.
#pragma once

#include "storage/base/lsn.h"
#include "storage/base/status.h"
#include "storage/base/time.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace arbor {

struct PositionSpec {
    struct Head {};
    struct Ago {
        Duration duration;
    };
    struct Checkpoint {
        std::string name;
    };
    struct Xid {
        std::uint64_t value; // 64-bit, with epoch
    };
    std::variant<Head, Lsn, Timestamp, Ago, Checkpoint, Xid> value;

    // "head", "0/16B3748", an ISO 8601 time with zone (also with a space, as Postgres prints it), "-10min",
    // "checkpoint:NAME" or "xid:N". InvalidArgument with a sentence that names the forms.
    static Result<PositionSpec> parse(std::string_view text);
    // A form that parses back to the same.
    std::string toString() const;
};

} // namespace arbor
