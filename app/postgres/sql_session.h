// A connection to a server for code that may block: what imports ask of their source, and set on a server
// that nobody else sees.
#pragma once

#include "app/postgres/queries.h"
#include "storage/base/status.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace arbor {

// How a server is reached, as libpq's keywords. The password is kept apart: it must appear in no command
// line, no log and no error.
struct ServerAddress {
    std::vector<std::pair<std::string, std::string>> keywords; // without password
    std::string password;

    // A postgresql:// URL or "key=value ..." text. InvalidArgument with libpq's own words.
    static Result<ServerAddress> parse(const std::string& text);
    // Back as "key='value' ...", without the password, for programs that get that by PGPASSWORD.
    std::string withoutPassword() const;
    std::string value(std::string_view keyword) const; // "" when it is not given
};

// A refusal of a server, or of the way to it.
struct ServerRefusal {
    std::string message;  // without libpq's "connection to server at ... failed: FATAL:" in front
    std::string sqlState; // "" when the server was not reached or libpq does not know it
};

// One connection. One thread at a time.
class SqlSession {
  public:
    // Connects within some seconds, never asking for a password. On failure, *refusal (if given) says what
    // the server said.
    static Result<SqlSession> connect(const ServerAddress& address, ServerRefusal* refusal = nullptr);

    // The rows of the last statement. The error's message is the server's.
    Result<Rows> query(const std::string& statements);
    // As a statement of the replication protocol or SQL that answers at most one value.
    Result<std::string> value(const std::string& statement);
    int versionNumber() const;                     // 150020
    std::string parameter(const char* name) const; // what the server reported, "server_version"

    static std::string literal(std::string_view text);    // 'text', standard_conforming_strings
    static std::string identifier(std::string_view text); // "text"

  private:
    struct Finish {
        void operator()(pg_conn* connection) const;
    };
    explicit SqlSession(pg_conn* connection) : m_connection(connection) {}
    std::unique_ptr<pg_conn, Finish> m_connection;
};

} // namespace arbor
