#include "app/engine/limits.h"

#include "storage/base/units.h"

#include <algorithm>

namespace arbor {

namespace {

constexpr std::uint64_t fewBytes = 256u << 20;
constexpr std::uint64_t worthNaming = 64u << 10; // less is no help
constexpr Duration day = Duration::seconds(86'400);
// a rate of less time than this says nothing about days
constexpr Duration leastSampled = Duration::seconds(3600);

} // namespace

Forecast presentForecast(Service& service) {
    const Timestamp now = service.clock().now();
    const auto found =
        samplesBetween(service.engine().store().index(), Timestamp{now.micros - day.micros}, now, 2000);
    if (!found || found->empty() || found->back().at - found->front().at < leastSampled)
        return {};
    return forecast(*found,
                    service.engine().catalog([](const Catalog& c) { return c.sizeSetting("disk-limit"); }));
}

std::optional<std::uint64_t> fewBytesLeft(Service& service) {
    const auto free = service.engine().store().disk().freeBytes(service.engine().directory());
    return free && *free < fewBytes ? std::optional(*free) : std::nullopt;
}

LimitState limitState(Service& service, const Collector::Accounts& accounts) {
    using Level = LimitState::Level;
    const std::uint64_t limit =
        service.engine().catalog([](const Catalog& c) { return c.sizeSetting("disk-limit"); });
    const std::uint64_t used = accounts.plan.totalBytes + accounts.indexBytes;
    const auto ofLimit = [&] {
        return fmt::format("the store has {} on disk, and disk-limit is {}", roundedSize(used),
                           roundedSize(limit));
    };
    if (limit != 0 && used >= limit)
        return {Level::Passed, ofLimit()};
    if (const auto left = fewBytesLeft(service))
        return {Level::Passed, fmt::format("the disk has {} left", roundedSize(*left))};
    if (limit != 0 && used >= limit / 10 * 9)
        return {Level::Near, ofLimit()};
    const Timestamp fullAt = presentForecast(service).fullAt;
    if (fullAt.micros != 0 && fullAt - service.clock().now() <= day)
        return {Level::Near, fmt::format("at the present rate {} is full at {}",
                                         limit == 0 ? "the disk" : "disk-limit", fullAt.toIso())};
    return {};
}

std::vector<Remedy> remedies(Service& service, const Collector::Accounts& accounts) {
    std::vector<Remedy> all;
    for (const Removable& one : removables(service, accounts)) {
        if (one.isKept || one.onlyBytes < worthNaming)
            continue;
        const std::string size = roundedSize(one.onlyBytes);
        all.push_back({one.what,
                       one.kind == "trash" ? fmt::format("empty the trash ({})", size)
                                           : fmt::format("remove the {} {} ({})", one.kind, one.name, size),
                       one.onlyBytes});
    }
    if (accounts.plan.windowBytes >= worthNaming)
        all.push_back(
            {"history",
             fmt::format("a shorter history window (up to {})", roundedSize(accounts.plan.windowBytes)),
             accounts.plan.windowBytes});
    std::stable_sort(all.begin(), all.end(),
                     [](const Remedy& a, const Remedy& b) { return a.bytes > b.bytes; });
    constexpr std::size_t most = 2;
    all.resize(std::min(all.size(), most));
    return all;
}

} // namespace arbor
