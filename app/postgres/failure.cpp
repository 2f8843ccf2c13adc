#include "app/postgres/failure.h"

#include <fmt/format.h>

#include <signal.h>
#include <sys/wait.h>

#include <array>
#include <cstring>
#include <vector>

namespace arbor {

namespace {

struct Cause {
    std::string_view text;     // in Postgres's message
    std::string_view sentence; // {port}, {major}
};

// Looked through in this order; the first that is found counts, so the particular stands before the general.
constexpr std::array causes{
    Cause{"could not bind IPv4 address",
          "Another program listens on port {port}: stop it, or give this branch another port."},
    Cause{"could not create any TCP/IP sockets",
          "Another program listens on port {port}: stop it, or give this branch another port."},
    Cause{"could not bind Unix address",
          "Another server uses this branch's socket: stop it and start again."},
    Cause{"could not create lock file \"/",
          "The socket directory cannot be written: check its owner and mode."},
    Cause{".lock\" already exists", "Another server uses this branch's socket: stop it and start again."},
    Cause{"lock file \"postmaster.pid\" already exists",
          "Another server runs on this branch's files: stop it and start again."},
    Cause{"pre-existing shared memory block",
          "Processes of a former server are still attached to its shared memory: end them and start again."},
    Cause{"No space left on device",
          "The disk is full: free some space, then start again. Nothing that was committed is lost."},
    Cause{
        "Disk quota exceeded",
        "The disk quota is used up: free some space, then start again. Nothing that was committed is lost."},
    Cause{"could not map anonymous shared memory",
          "There is not enough memory for this server: stop other endpoints or lower shared_buffers."},
    Cause{"could not create shared memory segment",
          "The system refused shared memory: stop other endpoints or raise kernel.shmmax and kernel.shmmni."},
    Cause{"could not resize shared memory segment",
          "/dev/shm is full: stop other endpoints or make /dev/shm larger."},
    Cause{"could not create semaphores",
          "The system has no semaphores left: stop other endpoints or raise kernel.sem."},
    Cause{"database files are incompatible with server",
          "The files belong to another major version of PostgreSQL: install that version."},
    Cause{"is incompatible with this version",
          "The files belong to another major version of PostgreSQL: install that version."},
    Cause{"has wrong ownership",
          "The files belong to another user of this machine: run the engine as their owner."},
    Cause{"has invalid permissions",
          "The data directory's permissions are wrong: they must be 0700 or 0750."},
    Cause{"could not load library", "A library that shared_preload_libraries names cannot be loaded: install "
                                    "the extension for PostgreSQL {major}, or take it off the list."},
    Cause{"could not access file", "A library that shared_preload_libraries names is missing: install the "
                                   "extension for PostgreSQL {major}, or take it off the list."},
    Cause{"incompatible library", "A preloaded library was built for another PostgreSQL: install the "
                                  "extension for PostgreSQL {major}."},
    Cause{"unrecognized configuration parameter",
          "The configuration names a setting that PostgreSQL {major} does not know: correct or remove it."},
    Cause{"invalid value for parameter",
          "A setting has a value that PostgreSQL {major} does not take: correct it."},
    Cause{"is outside the valid range", "A setting has a value outside its range: correct it."},
    Cause{"contains errors",
          "The configuration has an error: correct postgresql.conf or postgresql.auto.conf."},
    Cause{"requires wal_level", "The configuration contradicts itself about wal_level: correct it."},
    Cause{"but wal_level <", "A replication slot needs a higher wal_level: raise it, or drop the slot."},
    Cause{
        "could not locate a valid checkpoint record",
        "The log does not hold the checkpoint to recover from: restore this branch to an earlier position."},
    Cause{"incorrect checksum in control file",
          "The control file is damaged: restore this branch to an earlier position."},
    Cause{"could not find redo location referenced by checkpoint record",
          "The log does not reach back to the point to recover from: restore this branch to an earlier "
          "position."},
    Cause{"could not read from control file",
          "The control file is damaged: restore this branch to an earlier position."},
    Cause{"invalid page in block",
          "A page of the database is damaged: restore this branch to an earlier position."},
    Cause{"is not permitted",
          "PostgreSQL does not run as root: start the engine as another user, or with --run-as."},
    Cause{"configured with locale", "The database uses a locale that this system does not have: install it."},
    Cause{"database locale is incompatible",
          "The database uses a locale that this system does not have: install it."},
    Cause{"pg_tblspc", "A tablespace cannot be reached: branches take tablespaces inside the data directory "
                       "only (allow_in_place_tablespaces)."},
    Cause{"Transport endpoint is not connected", "The store's mount has gone: the engine must be restarted."},
    Cause{"Input/output error",
          "The store answered with an input/output error: the engine's log says which file is damaged."},
    Cause{"Permission denied", "The server may not read or write a file of its own: check owner and mode."},
};

std::string replaceAll(std::string text, std::string_view what, const std::string& by) {
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

std::vector<std::string_view> linesOf(std::string_view log) {
    std::vector<std::string_view> lines;
    while (!log.empty()) {
        const auto end = log.find('\n');
        if (const auto line = log.substr(0, end); !line.empty())
            lines.push_back(line);
        log.remove_prefix(end == std::string_view::npos ? log.size() : end + 1);
    }
    return lines;
}

// Whatever log_line_prefix puts before it, a message begins with its severity and two spaces.
std::string_view from(std::string_view line, std::string_view severity) {
    const auto at = line.find(severity);
    return at == std::string_view::npos ? std::string_view() : line.substr(at);
}

// "configuration file ... contains errors" comes last; which, the lines before it say.
std::string configurationErrors(const std::vector<std::string_view>& lines, std::size_t at) {
    std::string words;
    for (std::size_t i = 0; i < at; ++i)
        if (const auto text = from(lines[i], "LOG:  "); !text.empty())
            words += fmt::format("{}\n", text);
    return words;
}

std::string withContinuation(const std::vector<std::string_view>& lines, std::size_t at,
                             std::string_view first) {
    std::string words(first);
    for (std::size_t i = at + 1; i < lines.size(); ++i) {
        bool continues = false;
        for (const std::string_view severity : {"DETAIL:  ", "HINT:  "}) {
            if (const auto text = from(lines[i], severity); !text.empty()) {
                words += fmt::format("\n{}", text);
                continues = true;
            }
        }
        if (lines[i].front() == '\t') { // a message of several lines
            words += fmt::format("\n{}", lines[i].substr(1));
            continues = true;
        }
        if (!continues)
            break;
    }
    return words;
}

std::string describeStatus(int waitStatus) {
    if (WIFSIGNALED(waitStatus))
        return fmt::format("was ended by signal {} ({})", WTERMSIG(waitStatus),
                           strsignal(WTERMSIG(waitStatus)));
    return fmt::format("ended with exit code {}", WEXITSTATUS(waitStatus));
}

} // namespace

std::string lastWords(std::string_view log) {
    std::vector<std::string_view> lines = linesOf(log);
    // what a session is told that came too early says nothing about the server's end
    std::erase_if(
        lines, [](std::string_view line) { return !from(line, "FATAL:  the database system is").empty(); });
    for (const auto& severities :
         {std::vector<std::string_view>{"FATAL:  ", "PANIC:  "}, {"ERROR:  "}, {"LOG:  "}})
        for (std::size_t i = lines.size(); i-- > 0;)
            for (const std::string_view severity : severities)
                if (const auto text = from(lines[i], severity); !text.empty())
                    return (text.ends_with("contains errors") ? configurationErrors(lines, i) : "") +
                           withContinuation(lines, i, text);
    return lines.empty() ? std::string() : std::string(lines.back());
}

EndpointFailure explainExit(std::string_view log, const ExitContext& context) {
    EndpointFailure failure{.sentence = {}, .lastWords = lastWords(log)};
    const auto fill = [&context](std::string_view sentence) {
        return replaceAll(replaceAll(std::string(sentence), "{port}", std::to_string(context.port)),
                          "{major}", std::to_string(context.major));
    };
    // Its own last words first. What came before them counts only while starting: later, clients have
    // troubles too.
    for (const std::string_view text : {std::string_view(failure.lastWords), context.wasRunning ? "" : log})
        for (const Cause& cause : causes)
            if (failure.sentence.empty() && text.find(cause.text) != std::string_view::npos)
                failure.sentence = fill(cause.sentence);
    if (WIFSIGNALED(context.waitStatus) && WTERMSIG(context.waitStatus) == SIGKILL)
        failure.sentence =
            "The server was killed from outside, perhaps because the system ran out of memory. Start it "
            "again: nothing that was committed is lost.";
    if (failure.sentence.empty())
        failure.sentence =
            fmt::format("The server {} {}. Its log is {}.", describeStatus(context.waitStatus),
                        context.wasRunning ? "while it was running" : "before it was ready", context.logFile);
    return failure;
}

} // namespace arbor
