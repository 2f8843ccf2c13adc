#include "storage/fuse/error_log.h"

#include <optional>

namespace arbor {

namespace {

bool isOrdinary(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::NotFound:
    case ErrorKind::AlreadyExists:
    case ErrorKind::InvalidArgument:
    case ErrorKind::NotADirectory:
    case ErrorKind::IsADirectory:
    case ErrorKind::DirectoryNotEmpty:
    case ErrorKind::NameTooLong:
    case ErrorKind::Unsupported:
        return true;
    default:
        return false;
    }
}

} // namespace

void ErrorLog::report(std::string_view what, const Error& error) {
    if (!isOrdinary(error.kind()))
        say(fmt::format("{}: {}", what, error.message()));
}

void ErrorLog::say(const std::string& sentence) {
    if (!m_log)
        return;
    std::optional<std::string> summary;
    {
        MutexLock lock(m_mutex);
        const auto now = std::chrono::steady_clock::now();
        if (now - m_windowStart >= window) {
            if (m_leftOut > 0)
                summary = fmt::format("{} more errors in the mount were not logged", m_leftOut);
            m_windowStart = now;
            m_said = 0;
            m_leftOut = 0;
            m_last.clear();
        }
        if (m_said >= burst || sentence == m_last) {
            ++m_leftOut;
            return;
        }
        ++m_said;
        m_last = sentence;
    }
    // outside of the lock: the logger may be slow, and other workers need not wait for it
    if (summary)
        m_log(*summary);
    m_log(sentence);
}

} // namespace arbor
