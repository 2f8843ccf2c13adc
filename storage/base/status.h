// Errors as values. A function that can fail returns Result<T> (or Status, which is Result<void>); an error
// is returned upwards with a verb phrase added where that helps, and logged once, where it is handled.
#pragma once

#include <fmt/format.h>
#include <tl/expected.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace arbor {

// What went wrong, coarsely enough that callers can act on it. errnoOf() and exitCodeOf() are the only tables
// that translate kinds for the kernel and for scripts.
enum class ErrorKind {
    NotFound,          // no such branch, file, checkpoint
    AlreadyExists,     // name taken, file exists
    InvalidArgument,   // malformed input; nothing was done
    NotADirectory,     //
    IsADirectory,      //
    DirectoryNotEmpty, //
    NameTooLong,       //
    Permission,        // the operating system or a rule of safety says no
    Refused,           // a rule of the store says no: protected, outside history, reset of a root
    ReadOnly,          // the store or the view takes no writes
    NoSpace,           // ENOSPC, before the reserve is touched
    Busy,              // somebody else holds it
    Unsupported,       // not by this version, file system or PostgreSQL
    Corruption,        // a checksum or a cross-reference failed; the message names what is damaged
    Io,                // the disk said no
    Cancelled,         //
    Unreachable,       // no engine answers
    LimitPassed,       // a check found a limit passed
};

class Error {
  public:
    Error(ErrorKind kind, std::string message) : m_kind(kind), m_message(std::move(message)) {}

    ErrorKind kind() const { return m_kind; }
    const std::string& message() const { return m_message; }

    // The same error with a verb phrase in front: "opening segment 7: Input/output error".
    Error during(std::string_view what) && { return {m_kind, fmt::format("{}: {}", what, m_message)}; }

  private:
    ErrorKind m_kind;
    std::string m_message;
};

// Either a value or an Error. Never ignored: [[nodiscard]].
template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  public:
    using tl::expected<T, Error>::expected;
    Result(Error error) : tl::expected<T, Error>(tl::unexpected<Error>(std::move(error))) {}
};
using Status = Result<void>;

// makes an Error with a formatted message: makeError(ErrorKind::NotFound, "no branch {}", name)
template <class... Args>
Error makeError(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args) {
    return {kind, fmt::format(format, std::forward<Args>(args)...)};
}

// An Error of a failed system call: kind from errno, message "WHAT: strerror".
Error errnoError(int errnoValue, std::string_view what);
// The errno that the mount answers for a kind.
int errnoOf(ErrorKind kind);
// The exit code of the command line for a kind: 1 failed, 2 usage, 3 not found, 4 refused by a rule,
// 5 engine unreachable, 6 a check found a limit passed.
int exitCodeOf(ErrorKind kind);
// A stable word for a kind, for JSON ("not-found"), and back.
std::string_view kindName(ErrorKind kind);
ErrorKind kindFromName(std::string_view name);

#define ARBOR_CONCAT_(a, b) a##b
#define ARBOR_CONCAT(a, b) ARBOR_CONCAT_(a, b)
// Returns the error of a Status or Result to the caller.
#define ARBOR_TRY(expression) ARBOR_TRY_(ARBOR_CONCAT(arborResult, __COUNTER__), expression)
#define ARBOR_TRY_(temporary, expression)              \
    do {                                               \
        if (auto temporary = (expression); !temporary) \
            return std::move(temporary).error();       \
    } while (false)
// Binds the value of a Result, or returns its error: ARBOR_ASSIGN(auto file, disk.openRead(path));
#define ARBOR_ASSIGN(declaration, expression) \
    ARBOR_ASSIGN_(ARBOR_CONCAT(arborResult, __COUNTER__), declaration, expression)
#define ARBOR_ASSIGN_(temporary, declaration, expression) \
    auto temporary = (expression);                        \
    if (!temporary)                                       \
        return std::move(temporary).error();              \
    declaration = std::move(*temporary)

} // namespace arbor
