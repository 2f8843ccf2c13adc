#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

namespace arbor::commands {

namespace {

Result<int> run(const Invocation& invocation, Session& session) {
    QJsonObject params = paramsOf(invocation, {{"NAME", "branch"}, {"at", "at"}, {"database", "database"}});
    if (invocation.has("dump") == invocation.has("DIR"))
        return makeError(ErrorKind::InvalidArgument, "export takes either a directory or --dump FILE");
    const QString target = absolutePath(invocation.value(invocation.has("dump") ? "dump" : "DIR"));
    params.insert(invocation.has("dump") ? "dump" : "directory", target);
    ARBOR_ASSIGN(const QJsonValue answer, session.call(method::storeExport, params));
    const QJsonObject done = answer.toObject();
    session.print(answer, [&](std::ostream& out) {
        out << "exported to " << plainText(target) << ", " << bytesText(done.value("bytes")) << " as of "
            << plainText(done.value("lsn")) << '\n';
        if (const QString message = done.value("message").toString(); !message.isEmpty())
            out << plainText(message) << '\n';
        for (const QJsonValue& line : done.value("report").toArray())
            out << "- " << plainText(line) << '\n';
    });
    return 0;
}
} // namespace

std::vector<Command> exportBranch() {
    return {
        {"export",
         "write a branch as an ordinary, cleanly stopped data directory, or as a dump",
         {{"at", "POS", ValueKind::Position, "the point of its history (default: head)"},
          {"dump", "FILE", ValueKind::File, "a dump instead: of all databases, as a script of pg_dumpall"},
          {"database", "NAME", ValueKind::Text, "dump this database only, in pg_dump's custom format"}},
         {{"NAME", ValueKind::Branch, "the branch"},
          {"DIR", ValueKind::Directory, "a directory that does not exist yet or is empty", false}},
         {},
         run}};
}

} // namespace arbor::commands
