// What the start of a fork has to replay.
//
// A fork starts as after a crash: it replays its parent's log from the last checkpoint, reads every page that
// is named there through the mount and writes each of them once before it answers (seen on a loaded machine:
// 254 MB of log, 7.5 s of replay, then a checkpoint of 1.5 s). What a start takes is thus bounded by the log
// since the last checkpoint. max_wal_size bounds that too late: Postgres counts whole segments, two at the
// least, and pages under TPC-B change with every few hundred bytes. So the engine asks for checkpoints
// itself. Without full page images a checkpoint makes no log.
#include "app/engine/service.h"
#include "storage/engine/view_paths.h"
#include "storage/engine/wal_follower.h"

#include <algorithm>

namespace arbor {

namespace {

constexpr std::uint64_t replayBytes = 2u << 20;
// A bulk load fills that in an instant: it is not to spend its time on checkpoints.
constexpr auto between = std::chrono::seconds(3);

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
        if (const auto content = readPath(*head, "global/pg_control"))
            if (const auto control = parseControlFile(std::as_bytes(std::span(*content))))
                watch.redo = control->redo;
        if (present->lsn < watch.redo + replayBytes)
            continue;
        watch.asked = now;
        m_endpoints.checkpoint(timeline);
    }
    m_replay = std::move(watched);
}

} // namespace arbor
