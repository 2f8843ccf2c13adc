// A few statements on a server, without ever blocking the event loop.
#pragma once

#include <QObject>
#include <QSocketNotifier>
#include <QTimer>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

struct pg_conn;
struct pg_result;

namespace arbor {

struct ConnectionTarget {
    std::string socketDirectory;
    std::uint16_t port = 0;
    std::string user = "postgres";
    std::string database = "postgres";
};

using Row = std::vector<std::optional<std::string>>; // nothing is NULL
using Rows = std::vector<Row>;

struct QueryOutcome {
    enum class Kind {
        Answered, // every statement succeeded
        NotReady, // nobody listens yet, or the server says that it cannot take connections now
        Refused,  // the server answered, and would not have us: sqlState says why
        Failed,   // a statement failed, or the connection broke
        TimedOut, //
    };
    Kind kind = Kind::Failed;
    std::string message;
    std::string sqlState;
    std::vector<Rows> results; // one for each statement that succeeded
};

// Connects, runs statements one after the other, each in its own transaction, disconnects and emits
// finished() once. Destroying the object before that ends the connection without a word.
class Queries : public QObject {
    Q_OBJECT
  public:
    Queries(const ConnectionTarget& target, std::vector<std::string> statements, QObject* parent = nullptr);
    ~Queries() override;

    // finished() comes from the event loop, never from here.
    void start(int timeoutMs);

  signals:
    void finished(const arbor::QueryOutcome& outcome);

  private:
    void advance();
    void connectStep();
    void sendNext();
    void readAnswers();
    bool takeResult(pg_result* result);
    void waitFor(bool read, bool write);
    void finishConnecting();
    void finish(QueryOutcome::Kind kind, std::string message, std::string sqlState = {});

    struct Finish {
        void operator()(pg_conn* connection) const;
    };
    ConnectionTarget m_target;
    std::vector<std::string> m_statements;
    std::size_t m_next = 0;
    bool m_connected = false;
    bool m_finished = false;
    QueryOutcome m_outcome;
    QTimer m_timeout;
    std::unique_ptr<QSocketNotifier> m_reading; // destroyed before the connection, whose socket they watch
    std::unique_ptr<QSocketNotifier> m_writing;
    std::unique_ptr<pg_conn, Finish> m_connection;
};

} // namespace arbor
