#include "app/engine/log.h"

#include <spdlog/sinks/dist_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <sys/stat.h>
#include <unistd.h>

namespace arbor {

namespace {

constexpr std::size_t longestLog = 10u << 20;
constexpr std::size_t olderLogs = 5;
constexpr const char* pattern = "%Y-%m-%dT%H:%M:%S.%e%z %l %v";

bool isFile(int descriptor) {
    struct stat info {};
    return ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
}

// Of the default logger; nothing before openLog().
std::shared_ptr<spdlog::sinks::dist_sink_mt> sinksOfLog() {
    return std::dynamic_pointer_cast<spdlog::sinks::dist_sink_mt>(spdlog::default_logger()->sinks().front());
}

} // namespace

void openLog() {
    // sinks of this one may be added while threads write
    auto sinks = std::make_shared<spdlog::sinks::dist_sink_mt>();
    sinks->add_sink(std::make_shared<spdlog::sinks::stderr_sink_mt>());
    auto logger = std::make_shared<spdlog::logger>("pgarbord", sinks);
    logger->set_pattern(pattern);
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(logger);
}

void logIntoStore(const std::string& store) {
    const auto sinks = sinksOfLog();
    if (!sinks || sinks->sinks().size() > 1)
        return;
    ::mkdir((store + "/log").c_str(), 0700);
    try {
        auto file = std::make_shared<spdlog::sinks::rotating_file_sink_mt>(store + "/log/engine.log",
                                                                           longestLog, olderLogs);
        file->set_pattern(pattern);
        sinks->add_sink(file);
        if (isFile(STDERR_FILENO))
            sinks->sinks().front()->set_level(spdlog::level::err);
    } catch (const spdlog::spdlog_ex& error) { // a full disk is no reason not to start
        spdlog::error("no log file: {}", error.what());
    }
}

void leaveStoreLog() {
    if (const auto sinks = sinksOfLog())
        sinks->set_sinks({sinks->sinks().front()});
}

} // namespace arbor
