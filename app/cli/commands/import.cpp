#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

void printLines(std::ostream& out, const QJsonValue& lines, const char* prefix) {
    for (const QJsonValue& line : lines.toArray())
        out << prefix << plainText(line) << '\n';
}

Result<QJsonObject> paramsFor(const Invocation& invocation) {
    QJsonObject params =
        paramsOf(invocation,
                 {{"NAME", "name"}, {"from", "from"}, {"superuser", "superuser"}, {"database", "database"}});
    const int ways = invocation.has("DIR") + invocation.has("from") + invocation.has("dump");
    if (ways != 1)
        return makeError(ErrorKind::InvalidArgument,
                         "import takes one of a data directory, --from URL and --dump FILE, and a name");
    if (invocation.has("DIR"))
        params.insert("directory", absolutePath(invocation.value("DIR")));
    if (invocation.has("dump"))
        params.insert("dump", absolutePath(invocation.value("dump")));
    if (invocation.has("jobs"))
        params.insert("jobs", toQt(invocation.value("jobs")).toInt());
    return params;
}

Result<int> check(Session& session, const QJsonObject& params) {
    ARBOR_ASSIGN(const QJsonValue answer, session.call(method::importCheck, params));
    const QJsonObject found = answer.toObject();
    session.print(answer, [&](std::ostream& out) {
        out << "PostgreSQL " << found.value("pgMajor").toInt() << ", " << bytesText(found.value("bytes"))
            << " to bring in; " << bytesText(found.value("freeBytes")) << " are free"
            << (found.value("fits").toBool() ? "" : ", which is not enough") << '\n';
        printLines(out, found.value("report"), "- ");
    });
    return found.value("fits").toBool() ? 0 : exitCodeOf(ErrorKind::NoSpace);
}

Result<int> run(const Invocation& invocation, Session& session) {
    ARBOR_ASSIGN(const QJsonObject params, paramsFor(invocation));
    if (invocation.has("check"))
        return check(session, params);
    ARBOR_ASSIGN(const QJsonValue answer, session.call(method::storeImport, params));
    const QJsonObject done = answer.toObject();
    const auto errors = static_cast<qint64>(done.value("errorCount").toDouble());
    session.print(answer, [&](std::ostream& out) {
        out << "imported " << invocation.value("NAME") << ", " << bytesText(done.value("bytes")) << '\n';
        printLines(out, done.value("report"), "- ");
        if (errors > 0) {
            out << "the dump was restored with " << errors << " errors:\n";
            printLines(out, done.value("errors"), "  ");
        }
    });
    return errors > 0 ? exitCodeOf(ErrorKind::Io) : 0; // as pg_restore does
}
} // namespace

std::vector<Command> import() {
    return {{"import",
             "make a root branch of a stopped data directory, a live server, or a dump",
             {{"from", "URL", ValueKind::Text, "copy the live server at postgresql://..., by pg_basebackup"},
              {"dump", "FILE", ValueKind::File, "restore a dump of pg_dump (any format) or pg_dumpall"},
              {"check", "", ValueKind::Flag, "only say what would be brought in, and whether it can be"},
              {"superuser", "NAME", ValueKind::Text, "the source's superuser (default: found out)"},
              {"database", "NAME", ValueKind::Text, "restore the dump into this database (default: its own)"},
              {"jobs", "N", ValueKind::Number, "restore so many objects of a dump side by side"}},
             {{"DIR", ValueKind::Directory, "a data directory whose server is stopped", false},
              {"NAME", ValueKind::Branch, "the new branch"}},
             {},
             run,
             "The source is only read. What the branch must not have of it (archiving, replication, places "
             "outside) "
             "is turned off and reported. A dump that was restored with errors leaves the branch and ends "
             "with 1."}};
}

} // namespace arbor::commands
