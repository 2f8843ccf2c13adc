#include "app/postgres/processes.h"

#include "app/postgres/pidfd.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>

namespace arbor {

namespace {

template <class Number>
std::optional<Number> parseNumber(std::string_view text) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

// Seconds since 1970 at which the machine booted, by the present clock.
std::int64_t bootTime() {
    const auto stat = readSmallFile("/proc/stat");
    if (!stat)
        return 0;
    const auto at = stat->find("\nbtime ");
    if (at == std::string::npos)
        return 0;
    const auto begin = at + 7;
    return parseNumber<std::int64_t>(std::string_view(*stat).substr(begin, stat->find('\n', begin) - begin))
        .value_or(0);
}

// A descriptor of exactly that process, or none when it is gone or its number belongs to another one.
UniqueFd openProcess(const ProcessIdentity& identity) {
    UniqueFd descriptor(pidfd_open(identity.pid, 0));
    // The descriptor is taken first: what is read afterwards is about the process that it holds, or that one
    // ended.
    const auto info = processInfo(identity.pid);
    if (!descriptor || !info || info->identity != identity)
        return {};
    return descriptor;
}

} // namespace

std::optional<std::string> readSmallFile(const std::string& path) {
    const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file)
        return std::nullopt;
    std::string content;
    std::array<char, 4096> buffer;
    while (true) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return std::nullopt;
        if (got == 0)
            return content;
        content.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

std::optional<std::string> readProcLink(const std::string& path) {
    std::array<char, 4096> buffer;
    const ssize_t got = ::readlink(path.c_str(), buffer.data(), buffer.size());
    if (got < 0)
        return std::nullopt;
    return std::string(buffer.data(), static_cast<std::size_t>(got));
}

std::optional<ProcessInfo> processInfo(pid_t pid) {
    const auto stat = readSmallFile(fmt::format("/proc/{}/stat", pid));
    if (!stat)
        return std::nullopt;
    // The second field is the command in parentheses and may hold spaces and parentheses of its own.
    const auto behindCommand = stat->rfind(')');
    if (behindCommand == std::string::npos)
        return std::nullopt;
    std::vector<std::string_view> fields; // from field 3 on
    std::string_view rest = std::string_view(*stat).substr(behindCommand + 1);
    while (!rest.empty() && fields.size() < 20) {
        const auto begin = rest.find_first_not_of(" \n");
        if (begin == std::string_view::npos)
            break;
        const auto end = std::min(rest.find_first_of(" \n", begin), rest.size());
        fields.push_back(rest.substr(begin, end - begin));
        rest.remove_prefix(end);
    }
    if (fields.size() < 20)
        return std::nullopt;
    const auto parent = parseNumber<pid_t>(fields[1]);
    const auto start = parseNumber<std::uint64_t>(fields[19]);
    if (!parent || !start)
        return std::nullopt;
    return ProcessInfo{.identity = {pid, *start}, .parent = *parent, .state = fields[0].front()};
}

bool isAlive(const ProcessIdentity& identity) {
    const auto info = processInfo(identity.pid);
    return info && info->identity == identity && !info->hasEnded();
}

std::vector<pid_t> allProcesses() {
    std::vector<pid_t> pids;
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir("/proc"), &::closedir);
    if (!directory)
        return pids;
    while (const dirent* entry = ::readdir(directory.get()))
        if (const auto pid = parseNumber<pid_t>(entry->d_name))
            pids.push_back(*pid);
    return pids;
}

std::string programName(pid_t pid) {
    std::string path = readProcLink(fmt::format("/proc/{}/exe", pid)).value_or("");
    constexpr std::string_view deleted = " (deleted)"; // after an upgrade of the package
    if (path.ends_with(deleted))
        path.resize(path.size() - deleted.size());
    return path.substr(path.rfind('/') + 1);
}

std::int64_t startedAt(const ProcessIdentity& identity) {
    const auto ticksASecond = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    return bootTime() + static_cast<std::int64_t>(identity.startTicks / ticksASecond);
}

std::string bootId() {
    std::string id = readSmallFile("/proc/sys/kernel/random/boot_id").value_or("");
    while (!id.empty() && id.back() == '\n')
        id.pop_back();
    return id;
}

bool signalProcess(const ProcessIdentity& identity, int signal) {
    const UniqueFd process = openProcess(identity);
    return process && pidfd_send_signal(process.get(), signal, nullptr, 0) == 0;
}

std::vector<ProcessIdentity> killAndWait(std::span<const ProcessIdentity> processes,
                                         std::chrono::milliseconds timeout) {
    using SteadyClock = std::chrono::steady_clock;
    std::vector<UniqueFd> handles;
    std::vector<ProcessIdentity> waiting;
    for (const ProcessIdentity& identity : processes) {
        UniqueFd process = openProcess(identity);
        if (!process || pidfd_send_signal(process.get(), SIGKILL, nullptr, 0) != 0)
            continue;
        handles.push_back(std::move(process));
        waiting.push_back(identity);
    }
    const auto deadline = SteadyClock::now() + timeout;
    std::vector<ProcessIdentity> left;
    for (std::size_t i = 0; i < waiting.size(); ++i) {
        // readable as soon as the process has ended, reaped or not
        pollfd entry{.fd = handles[i].get(), .events = POLLIN, .revents = 0};
        while (true) {
            const auto remaining =
                std::chrono::ceil<std::chrono::milliseconds>(deadline - SteadyClock::now());
            const int ready =
                ::poll(&entry, 1, static_cast<int>(std::max<std::int64_t>(0, remaining.count())));
            if (ready < 0 && errno == EINTR)
                continue;
            if (ready == 0)
                left.push_back(waiting[i]);
            break;
        }
    }
    return left;
}

} // namespace arbor
