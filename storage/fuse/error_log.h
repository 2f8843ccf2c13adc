// The sentences behind errors that processes in the mount were answered with: a failing disk makes thousands
// of them.
#pragma once

#include "storage/base/mutex.h"
#include "storage/base/status.h"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace arbor {

// Thread-safe. Passes on at most `burst` sentences within a window of ten seconds, none twice in a row, and
// says how many it left out when the next window begins.
class ErrorLog {
  public:
    explicit ErrorLog(std::function<void(const std::string&)> log) : m_log(std::move(log)) {}

    void say(const std::string& sentence) ARBOR_EXCLUDES(m_mutex);
    // The same, but not for what programs ask for every day: a missing file, a name that is taken.
    void report(std::string_view what, const Error& error);

  private:
    static constexpr int burst = 20;
    static constexpr std::chrono::seconds window{10};

    const std::function<void(const std::string&)> m_log;
    Mutex m_mutex;
    std::chrono::steady_clock::time_point m_windowStart ARBOR_GUARDED_BY(m_mutex){};
    int m_said ARBOR_GUARDED_BY(m_mutex) = 0;
    std::uint64_t m_leftOut ARBOR_GUARDED_BY(m_mutex) = 0;
    std::string m_last ARBOR_GUARDED_BY(m_mutex);
};

} // namespace arbor
