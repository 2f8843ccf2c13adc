#include "app/gui/preflight.h"

#include "app/gui/terminal.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QStorageInfo>

namespace arbor {

namespace {

// A server makes its log in files of 16 MB (DEFAULT_XLOG_SEG_SIZE of pg_config_manual.h).
constexpr qint64 logSegmentBytes = 16 << 20;

struct Text {
    Q_DECLARE_TR_FUNCTIONS(Preflight)
};

Problem noPostgres() {
    return {
        Problem::Kind::NoPostgres,
        Text::tr("PostgreSQL is not installed"),
        Text::tr(
            "PgArbor runs the PostgreSQL of your distribution (14 or later). Install it, then try again."),
        QStringLiteral("sudo apt install postgresql"),
        {}};
}

Problem noFuse() {
    return {
        Problem::Kind::NoFuse,
        Text::tr("FUSE is not available"),
        Text::tr("Branches are served to PostgreSQL through /dev/fuse, which is missing or closed to you. "
                 "Install fuse3 and load its module, then try again."),
        QStringLiteral("sudo apt install fuse3 && sudo modprobe fuse"),
        {}};
}

bool says(const QString& message, std::initializer_list<const char*> words) {
    for (const char* word : words)
        if (message.contains(QLatin1String(word), Qt::CaseInsensitive))
            return true;
    return false;
}

// The place itself, or above it what there is already.
QString whatIsThere(QString place) {
    while (!QFileInfo::exists(place) && place.lastIndexOf(u'/') > 0)
        place.truncate(place.lastIndexOf(u'/'));
    return place;
}

Problem noSpace(const QString& store) {
    return {Problem::Kind::NoSpace,
            Text::tr("The disk is full"),
            Text::tr("There is no space left for %1. Free some, then try again.").arg(store),
            shellText({QStringLiteral("df"), QStringLiteral("-h"), whatIsThere(store)}),
            {}};
}

} // namespace

Problem problemFromMessage(const QString& store, const QString& message) {
    Problem problem;
    // its package makes the user, too
    if (says(message, {"no PostgreSQL server was found", "install PostgreSQL, which makes the user"}))
        problem = noPostgres();
    else if (says(message, {"use a newer PgArbor"}))
        problem = {
            Problem::Kind::NewerFormat,
            Text::tr("The store was made by a newer PgArbor"),
            Text::tr("%1 has a format that this version does not know. Nothing was changed. Install a newer "
                     "PgArbor, then try again.")
                .arg(store),
            {},
            {}};
    else if (says(message, {"another engine", "is locked"}))
        problem = {Problem::Kind::InUse,
                   Text::tr("The store is in use"),
                   Text::tr("Another engine has %1 open, perhaps of another user. Stop it, then try again.")
                       .arg(store),
                   shellText({QStringLiteral("pgarborctl"), QStringLiteral("--store"), store,
                              QStringLiteral("engine"), QStringLiteral("stop")}),
                   {}};
    else if (says(message, {"no space", "disk is full", "too little space", "of free space"}))
        problem = noSpace(store);
    else if (says(message, {"/dev/fuse", "fusermount", "mounting "}))
        problem = noFuse();
    else if (says(message, {"pgarbord) is neither"}))
        problem = {
            Problem::Kind::NoEngine,
            Text::tr("The engine is not installed"),
            Text::tr("The program pgarbord was not found. Install it beside the window, then try again."),
            QStringLiteral("sudo apt install pgarbor"),
            {}};
    else if (says(message, {"the demo could not be filled"}))
        problem = {
            Problem::Kind::Other,
            Text::tr("The demo could not be made"),
            Text::tr("A program of PostgreSQL that fills it failed. Nothing of it is left. See below what it "
                     "said, then try again."),
            {},
            {}};
    else if (says(message, {"Permission denied", "Operation not permitted"}))
        problem = {Problem::Kind::Permission,
                   Text::tr("The store may not be opened"),
                   Text::tr("You have no permission for %1. Open it as its owner.").arg(store),
                   shellText({QStringLiteral("ls"), QStringLiteral("-ld"), store}),
                   {}};
    else
        problem = {Problem::Kind::Other,
                   Text::tr("The store cannot be opened"),
                   Text::tr("The engine could not serve %1.").arg(store),
                   {},
                   {}};
    problem.details = message;
    return problem;
}

std::optional<Problem> problemOfEngine(const EngineFacts& engine) {
    if (engine.readOnly) {
        Problem problem = problemFromMessage(engine.store, engine.problem);
        if (problem.kind == Problem::Kind::Other)
            problem.title = Text::tr("The store takes no more writes");
        return problem;
    }
    if (!engine.problem.isEmpty()) {
        Problem problem = noFuse();
        problem.details = engine.problem;
        return problem;
    }
    if (engine.postgresMajors.empty())
        return noPostgres();
    return std::nullopt;
}

std::optional<Problem> problemOfDisk(const QString& store) {
    const QStorageInfo disk(whatIsThere(store));
    return disk.isValid() && disk.bytesAvailable() < logSegmentBytes ? std::optional(noSpace(store))
                                                                     : std::nullopt;
}

} // namespace arbor
