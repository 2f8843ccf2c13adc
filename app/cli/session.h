// What a command works with: the store, the engine, and where its output goes.
#pragma once

#include "app/control/blocking_client.h"
#include "app/control/version.h"

#include <QJsonObject>
#include <QJsonValue>

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

namespace arbor {

// The outside world of one run of the program; tests hand in their own.
struct Surroundings {
    std::ostream& out;
    std::ostream& err;
    bool progress = false; // standard error is a terminal
    bool unicode = true;   // tree lines: the locale is a UTF-8 one
    bool colour = false;   // standard output is a terminal, and NO_COLOR does not forbid it
};

class Session {
  public:
    Session(std::string store, bool json, Surroundings surroundings);
    ~Session();

    const std::string& store() const { return m_store; }
    bool json() const { return m_json; }
    bool unicode() const { return m_surroundings.unicode; }
    bool colour() const { return m_surroundings.colour; }
    std::ostream& out() { return m_surroundings.out; }
    std::ostream& err() { return m_surroundings.err; }
    std::int64_t now() const;

    // Sends a request and waits, through a job where it becomes one, with progress on a terminal; ctrl-C
    // cancels. Connects first; starts the engine when none runs and there is a store. Without a store:
    // NotFound, and nothing is started or created.
    Result<QJsonValue> call(const QString& method, const QJsonObject& params);
    // For init: the engine is started even where there is no store yet.
    Status connectToMakeStore();
    // Never starts an engine; Unreachable when none runs, NotFound when there is no store either.
    Status connectIfRunning();
    BlockingClient& client() { return m_client; }
    // Waits for a process, the connection being kept. Its status as waitpid gives it.
    Result<int> waitForProcess(int pid);

    // Prints a result: one JSON document with --json, else what `people` writes.
    void print(const QJsonValue& result, const std::function<void(std::ostream&)>& people);
    // A text as it is, or with --json {"text"}.
    void print(const std::string& text);

  private:
    void showProgress(const QJsonObject& job);
    void clearProgress();

    const std::string m_store;
    const bool m_json;
    Surroundings m_surroundings;
    BlockingClient m_client;
    bool m_progressShown = false;
};

// Runs a whole command line (without the program's name); the exit code. Needs a QCoreApplication.
int runCommandLine(const std::vector<std::string>& words, Surroundings surroundings);

} // namespace arbor
