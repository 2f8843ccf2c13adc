#include "app/cli/commands/commands.h"
#include "app/cli/commands/common.h"

#include <QStandardPaths>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace arbor::commands {

namespace {

Result<std::string> findPsql(const QJsonObject& connection) {
    const std::string own = connection.value("pgBinDir").toString().toStdString() + "/psql";
    if (access(own.c_str(), X_OK) == 0)
        return own;
    if (const QString found = QStandardPaths::findExecutable("psql"); !found.isEmpty())
        return found.toStdString();
    return makeError(ErrorKind::Unsupported, "psql is neither in {} nor in PATH; install postgresql-client",
                     connection.value("pgBinDir").toString().toStdString());
}

// The environment that psql gets: ours, with the branch's variables in place of whatever would lead
// elsewhere.
std::vector<std::string> environmentFor(const QJsonObject& variables) {
    std::vector<std::string> result;
    const auto replaced = [&](const std::string& entry) {
        const QString name = toQt(entry.substr(0, entry.find('=')));
        return variables.contains(name) || name == "PGHOSTADDR" || name == "PGSERVICE";
    };
    for (char** entry = environ; *entry; ++entry)
        if (!replaced(*entry))
            result.emplace_back(*entry);
    for (auto variable = variables.begin(); variable != variables.end(); ++variable)
        result.push_back((variable.key() + "=" + variable.value().toString()).toStdString());
    return result;
}

std::vector<char*> pointersTo(std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (std::string& text : texts)
        pointers.push_back(text.data());
    pointers.push_back(nullptr);
    return pointers;
}

// psql decides what ctrl-C means while it has the terminal; we only wait.
class SignalsIgnored {
  public:
    SignalsIgnored() : m_int(signal(SIGINT, SIG_IGN)), m_quit(signal(SIGQUIT, SIG_IGN)) {}
    ~SignalsIgnored() { inChild(); }
    void inChild() const {
        signal(SIGINT, m_int);
        signal(SIGQUIT, m_quit);
    }

  private:
    using Handler = void (*)(int);
    Handler m_int;
    Handler m_quit;
};

Result<int> runPsql(std::vector<std::string> arguments, std::vector<std::string> variables,
                    Session& session) {
    const std::vector<char*> argv = pointersTo(arguments);
    const std::vector<char*> envp = pointersTo(variables);
    session.out().flush();
    const SignalsIgnored ignored;
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0)
        return errnoError(errno, "starting psql");
    if (child == 0) {
        ignored.inChild();
        // A peek ends with us; a psql that outlived it would only see errors.
        prctl(PR_SET_PDEATHSIG, SIGHUP);
        if (getppid() == parent)
            execve(argv[0], argv.data(), envp.data());
        _exit(127);
    }
    ARBOR_ASSIGN(const int status, session.waitForProcess(child));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Result<int> run(const Invocation& invocation, Session& session) {
    const QString name = toQt(invocation.value("NAME"));
    QJsonObject connection;
    if (invocation.has("at")) {
        ARBOR_ASSIGN(
            const QJsonValue peek,
            session.call(method::peekOpen, {{"branch", name}, {"at", toQt(invocation.value("at"))}}));
        connection = peek.toObject();
        if (const QString message = connection.value("message").toString(); !message.isEmpty())
            session.err() << plainText(message) << '\n';
    } else {
        ARBOR_TRY(session.call(method::endpointStart, {{"name", name}}));
        ARBOR_ASSIGN(const QJsonValue answer, session.call(method::endpointConnection, {{"name", name}}));
        connection = answer.toObject();
    }
    ARBOR_ASSIGN(const std::string psql, findPsql(connection));
    std::vector<std::string> arguments{psql};
    arguments.insert(arguments.end(), invocation.rest.begin(), invocation.rest.end());
    ARBOR_ASSIGN(const int code,
                 runPsql(std::move(arguments), environmentFor(connection.value("env").toObject()), session));
    if (connection.contains("peek") && session.client().isConnected())
        ARBOR_TRY(session.call(method::peekClose, {{"peek", connection.value("peek")}}));
    return code;
}
} // namespace

std::vector<Command> psql() {
    return {
        {"psql",
         "open psql on a branch, starting it first",
         {{"at", "POS", ValueKind::Position, "a read-only look at a point of its history, gone afterwards"}},
         {{"NAME", ValueKind::Branch, "the branch"}},
         "PSQL-ARGS",
         run,
         "The exit code is psql's. A session may switch the read-only of --at off: what it writes then goes "
         "when "
         "psql ends, and the branch is untouched."}};
}

} // namespace arbor::commands
