// What can be in the way of opening a store or of starting its branches, in a person's words, each with one
// way to mend it.
#pragma once

#include "app/gui/store_picture.h"

#include <QString>

#include <optional>

namespace arbor {

struct Problem {
    enum class Kind { NoPostgres, NoFuse, InUse, NewerFormat, NoSpace, NoEngine, Permission, Other };
    Kind kind = Kind::Other;
    QString title;
    QString text;
    QString command; // what to run in a terminal; may be empty
    QString details; // what was said
};

// From an error's sentence: the engine's last words reach us as text, whoever started it.
Problem problemFromMessage(const QString& store, const QString& message);
// With a store open: no PostgreSQL, no mount, a store that takes no writes. Nothing when all is well.
std::optional<Problem> problemOfEngine(const EngineFacts& engine);
// With an engine that ended and did not say why: a disk without room for one more file of log.
std::optional<Problem> problemOfDisk(const QString& store);

} // namespace arbor
