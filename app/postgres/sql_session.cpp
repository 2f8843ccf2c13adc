#include "app/postgres/sql_session.h"

#include "app/postgres/libpq_text.h"

#include <libpq-fe.h>

#include <cstdlib>

namespace arbor {

namespace {

constexpr const char* connectSeconds = "10";

struct FreeOptions {
    void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};
struct FreeResult {
    void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, FreeResult>;

// libpq tells a failed connection in text alone. The last line counts: earlier ones are other addresses or
// the attempt with another encryption.
ServerRefusal refusalOf(const std::string& said) {
    std::string line = said.substr(said.rfind('\n') == std::string::npos ? 0 : said.rfind('\n') + 1);
    ServerRefusal refusal;
    const auto fatal = line.find("FATAL:");
    refusal.message = fatal == std::string::npos ? said : line.substr(line.find_first_not_of(' ', fatal + 6));
    return refusal;
}

} // namespace

Result<ServerAddress> ServerAddress::parse(const std::string& text) {
    char* problem = nullptr;
    const std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconninfoParse(text.c_str(), &problem));
    if (!options) {
        const std::string words = problem ? libpqText(problem) : "out of memory";
        PQfreemem(problem);
        return makeError(ErrorKind::InvalidArgument,
                         "this is no address of a server (postgresql://USER@HOST:PORT/DATABASE): {}", words);
    }
    ServerAddress address;
    for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
        if (option->val == nullptr)
            continue;
        if (std::string_view(option->keyword) == "password")
            address.password = option->val;
        else
            address.keywords.emplace_back(option->keyword, option->val);
    }
    return address;
}

std::string ServerAddress::withoutPassword() const {
    std::string text;
    for (const auto& [keyword, value] : keywords) {
        text += (text.empty() ? "" : " ") + keyword + "='";
        for (const char c : value) {
            if (c == '\'' || c == '\\')
                text += '\\';
            text += c;
        }
        text += '\'';
    }
    return text;
}

std::string ServerAddress::value(std::string_view keyword) const {
    for (const auto& [name, value] : keywords)
        if (name == keyword)
            return value;
    return {};
}

void SqlSession::Finish::operator()(pg_conn* connection) const {
    PQfinish(connection);
}

Result<SqlSession> SqlSession::connect(const ServerAddress& address, ServerRefusal* refusal) {
    std::vector<const char*> names;
    std::vector<const char*> values;
    const auto add = [&](const char* name, const char* value) {
        names.push_back(name);
        values.push_back(value);
    };
    add("connect_timeout", connectSeconds); // an own one, given later, counts
    add("fallback_application_name", "pgarbor");
    add("client_encoding", "UTF8");
    for (const auto& [name, value] : address.keywords)
        add(name.c_str(), value.c_str());
    if (!address.password.empty())
        add("password", address.password.c_str());
    names.push_back(nullptr);
    values.push_back(nullptr);
    SqlSession session(PQconnectdbParams(names.data(), values.data(), 0));
    if (PQstatus(session.m_connection.get()) == CONNECTION_OK)
        return session;
    const std::string said = libpqText(PQerrorMessage(session.m_connection.get()));
    ServerRefusal said_ = refusalOf(said);
    if (PQconnectionNeedsPassword(session.m_connection.get()))
        said_ = {"no password was given", "28P01"};
    if (refusal)
        *refusal = said_;
    return makeError(ErrorKind::Refused, "{}", said);
}

Result<Rows> SqlSession::query(const std::string& statements) {
    const ResultPtr result(PQexec(m_connection.get(), statements.c_str()));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY) {
        const char* primary = result ? PQresultErrorField(result.get(), PG_DIAG_MESSAGE_PRIMARY) : nullptr;
        return makeError(ErrorKind::Io, "{}",
                         primary ? primary : libpqText(PQerrorMessage(m_connection.get())));
    }
    Rows rows(static_cast<std::size_t>(PQntuples(result.get())));
    for (int row = 0; row < PQntuples(result.get()); ++row)
        for (int column = 0; column < PQnfields(result.get()); ++column)
            rows[static_cast<std::size_t>(row)].push_back(
                PQgetisnull(result.get(), row, column)
                    ? std::nullopt
                    : std::optional<std::string>(PQgetvalue(result.get(), row, column)));
    return rows;
}

Result<std::string> SqlSession::value(const std::string& statement) {
    ARBOR_ASSIGN(const Rows rows, query(statement));
    return rows.empty() || rows.front().empty() ? std::string() : rows.front().front().value_or("");
}

int SqlSession::versionNumber() const {
    return PQserverVersion(m_connection.get());
}

std::string SqlSession::parameter(const char* name) const {
    const char* value = PQparameterStatus(m_connection.get(), name);
    return value ? value : "";
}

namespace {

std::string quoted(std::string_view text, char quote) {
    std::string result(1, quote);
    for (const char c : text) {
        if (c == quote)
            result += c;
        result += c;
    }
    return result + quote;
}

} // namespace

std::string SqlSession::literal(std::string_view text) {
    return quoted(text, '\'');
}
std::string SqlSession::identifier(std::string_view text) {
    return quoted(text, '"');
}

} // namespace arbor
