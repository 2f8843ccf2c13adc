// What the start of a fork has to replay.
//
// A fork starts as after a crash: it replays its parent's log from the last checkpoint, reads every page that
// is named there through the mount and writes each of them once before it answers (seen on a loaded machine:
// 254 MB of log, 7.5 s of replay, then a checkpoint of 1.5 s). What a start takes is thus bounded by the log
// since the last checkpoint. max_wal_size bounds that too late: Postgres counts whole segments, two at the
// least, and pages under TPC-B change with every few hundred bytes. So the engine asks for checkpoints
// itself. Without full page images a checkpoint makes no log.
#include "app/engine/service.h"
#include "storage/engine/wal_follower.h"

#include <algorithm>
#include <chrono>
#include <future>

namespace arbor {

namespace {

constexpr std::uint64_t replayBytes = 2u << 20;
// A bulk load fills that in an instant: it is not to spend its time on checkpoints.
constexpr auto between = std::chrono::seconds(3);
// Less is replayed sooner than the parent would have written its checkpoint.
constexpr std::uint64_t worthACheckpoint = 256u << 10;
constexpr auto longestWait = std::chrono::milliseconds(500);

} // namespace

// On the thread that follows the logs.
void Service::boundReplay(const std::vector<TimelineId>& served) {
    std::map<TimelineId, ReplayWatch> watched;
    const auto now = std::chrono::steady_clock::now();
    for (const auto& head : m_engine->openHeads()) {
        const TimelineId timeline = head->timeline();
        const auto present = head->present();
        if (!present || !std::binary_search(served.begin(), served.end(), timeline))
            continue;
        ReplayWatch& watch = watched.emplace(timeline, m_replay[timeline]).first->second;
        if (present->lsn < watch.redo + replayBytes || now < watch.asked + between)
            continue;
        if (const auto control = controlOf(*head))
            watch.redo = control->redo;
        if (present->lsn < watch.redo + replayBytes)
            continue;
        watch.asked = now;
        m_endpoints.checkpoint(timeline);
    }
    m_replay = std::move(watched);
}

// The parent writes its changed pages once, where the fork would read each, change it and write it.
void Service::shortenReplay(const BranchRecord& parent) {
    if (m_endpoints.info(keyOf(parent.id)).state != Endpoint::State::Running)
        return;
    const auto head = m_engine->head(parent.timeline);
    if (!head || !(*head)->followLog(LogFollower::Effort::Thorough))
        return;
    const auto present = (*head)->present();
    const auto control = controlOf(**head);
    if (!present || !control || present->lsn < control->redo + worthACheckpoint)
        return;
    const auto written = std::make_shared<std::promise<void>>();
    m_endpoints.checkpoint(parent.timeline, [written] { written->set_value(); });
    written->get_future().wait_for(longestWait);
}

} // namespace arbor
