#include "app/postgres/queries.h"

#include "app/postgres/libpq_text.h"

#include <libpq-fe.h>

#include <cctype>
#include <string_view>
#include <utility>

namespace arbor {

namespace {

// "connection to server on socket "..." failed: FATAL:  57P03: the database system is starting up". libpq
// offers no other way to the code of a failed connection; the severity may be in any language, the two spaces
// are not.
std::string sqlStateOf(std::string_view message) {
    for (auto at = message.find(":  "); at != std::string_view::npos; at = message.find(":  ", at + 3)) {
        const std::string_view code = message.substr(at + 3, 5);
        bool fits = code.size() == 5 && message.substr(at + 8, 2) == ": ";
        for (const unsigned char c : code)
            fits = fits && (std::isdigit(c) || std::isupper(c));
        if (fits)
            return std::string(code);
    }
    return {};
}

} // namespace

void Queries::Finish::operator()(pg_conn* connection) const {
    PQfinish(connection);
}

Queries::Queries(const ConnectionTarget& target, std::vector<std::string> statements, QObject* parent)
    : QObject(parent), m_target(target), m_statements(std::move(statements)) {
    m_timeout.setSingleShot(true);
    connect(&m_timeout, &QTimer::timeout, this,
            [this] { finish(QueryOutcome::Kind::TimedOut, "the server did not answer in time"); });
}

Queries::~Queries() {
    m_reading.reset();
    m_writing.reset();
}

void Queries::start(int timeoutMs) {
    const std::string port = std::to_string(m_target.port);
    const std::string noPassFile =
        m_target.socketDirectory + "/no-passfile"; // one that is there must be plain
    // Everything that the environment could bring in is said here.
    const char* const keywords[] = {"host",
                                    "port",
                                    "user",
                                    "dbname",
                                    "sslmode",
                                    "gssencmode",
                                    "client_encoding",
                                    "application_name",
                                    "options",
                                    "passfile",
                                    nullptr};
    const char* const values[] = {m_target.socketDirectory.c_str(),
                                  port.c_str(),
                                  m_target.user.c_str(),
                                  m_target.database.c_str(),
                                  "disable",
                                  "disable",
                                  "UTF8",
                                  "pgarbor",
                                  "-c statement_timeout=30s",
                                  noPassFile.c_str(),
                                  nullptr};
    m_timeout.start(timeoutMs);
    m_connection.reset(PQconnectStartParams(keywords, values, 0));
    if (m_connection) {
        PQsetErrorVerbosity(m_connection.get(), PQERRORS_VERBOSE);
        PQsetNoticeReceiver(
            m_connection.get(), [](void*, const PGresult*) {}, nullptr); // not to our stderr
    }
    QTimer::singleShot(0, this, [this] {
        if (!m_connection || PQstatus(m_connection.get()) == CONNECTION_BAD)
            finishConnecting();
        else
            connectStep();
    });
}

void Queries::waitFor(bool read, bool write) {
    const int socket = PQsocket(m_connection.get());
    const auto watch = [&](std::unique_ptr<QSocketNotifier>& notifier, QSocketNotifier::Type type,
                           bool wanted) {
        if (notifier && notifier->socket() != socket)
            notifier.release()->deleteLater(); // we may be in its slot
        if (!notifier && wanted) {
            notifier = std::make_unique<QSocketNotifier>(socket, type);
            connect(notifier.get(), &QSocketNotifier::activated, this, &Queries::advance);
        }
        if (notifier)
            notifier->setEnabled(wanted);
    };
    watch(m_reading, QSocketNotifier::Read, read);
    watch(m_writing, QSocketNotifier::Write, write);
}

void Queries::advance() {
    if (m_finished)
        return;
    if (m_connected)
        readAnswers();
    else
        connectStep();
}

void Queries::connectStep() {
    switch (PQconnectPoll(m_connection.get())) {
    case PGRES_POLLING_READING:
        waitFor(true, false);
        return;
    case PGRES_POLLING_WRITING:
        waitFor(false, true);
        return;
    case PGRES_POLLING_OK:
        m_connected = true;
        PQsetnonblocking(m_connection.get(), 1);
        sendNext();
        return;
    default:
        finishConnecting();
    }
}

void Queries::finishConnecting() {
    if (!m_connection) {
        finish(QueryOutcome::Kind::Failed, "out of memory");
        return;
    }
    const std::string message = libpqText(PQerrorMessage(m_connection.get()));
    const std::string sqlState = sqlStateOf(message);
    // 57P03 cannot_connect_now; without a code nobody answered at all
    const bool later = sqlState.empty() || sqlState == "57P03";
    finish(later ? QueryOutcome::Kind::NotReady : QueryOutcome::Kind::Refused, message, sqlState);
}

void Queries::sendNext() {
    if (m_next == m_statements.size()) {
        finish(QueryOutcome::Kind::Answered, {});
        return;
    }
    m_outcome.results.emplace_back();
    if (PQsendQuery(m_connection.get(), m_statements[m_next++].c_str()) != 1) {
        finish(QueryOutcome::Kind::Failed, libpqText(PQerrorMessage(m_connection.get())));
        return;
    }
    waitFor(true, PQflush(m_connection.get()) == 1);
}

void Queries::readAnswers() {
    if (PQconsumeInput(m_connection.get()) != 1) {
        finish(QueryOutcome::Kind::Failed, libpqText(PQerrorMessage(m_connection.get())));
        return;
    }
    const bool moreToSend = PQflush(m_connection.get()) == 1;
    while (PQisBusy(m_connection.get()) == 0) {
        pg_result* result = PQgetResult(m_connection.get());
        if (result == nullptr) {
            sendNext();
            return;
        }
        const bool good = takeResult(result);
        PQclear(result);
        if (!good)
            return;
    }
    waitFor(true, moreToSend);
}

bool Queries::takeResult(pg_result* result) {
    const auto status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
        const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        finish(QueryOutcome::Kind::Failed,
               message != nullptr ? message : libpqText(PQresultErrorMessage(result)),
               state != nullptr ? state : "");
        return false;
    }
    for (int row = 0; row < PQntuples(result); ++row) {
        Row& values = m_outcome.results.back().emplace_back();
        for (int column = 0; column < PQnfields(result); ++column) {
            if (PQgetisnull(result, row, column) != 0)
                values.emplace_back(std::nullopt);
            else
                values.emplace_back(std::string(PQgetvalue(result, row, column)));
        }
    }
    return true;
}

void Queries::finish(QueryOutcome::Kind kind, std::string message, std::string sqlState) {
    if (std::exchange(m_finished, true))
        return;
    m_timeout.stop();
    if (m_reading)
        m_reading->setEnabled(false);
    if (m_writing)
        m_writing->setEnabled(false);
    m_outcome.kind = kind;
    m_outcome.message = std::move(message);
    m_outcome.sqlState = std::move(sqlState);
    emit finished(m_outcome);
}

} // namespace arbor
