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
constexpr auto between = std::chrono::seconds(3);
// So much between two of them, or so much for each commit, is a bulk load, an index or a VACUUM (whose
// records are small): it has many pages to write at each, up to a second's worth, and waits for the log with
// each. It is left alone for as long as makes that little of its time, if not for more than a fork could
// replay in a while. A recovery writes as much again in pages: only where the disk has room for both.
constexpr std::uint64_t bulkBytes = 16u << 20;
constexpr std::uint64_t bulkBytesACommit = 64u << 10;
constexpr std::uint64_t mostBulkBytes = 256u << 20;
constexpr int bulkShare = 40; // a fortieth of its time
constexpr auto longestBulk = std::chrono::minutes(1);
constexpr std::uint64_t bulkRoom = std::uint64_t{4} << 30;
// Less is replayed sooner than the parent would have written its checkpoint.
constexpr std::uint64_t worthACheckpoint = 256u << 10;
// To wait for one is worth while up to half of what the replay would take, a tenth of a second for each MB.
constexpr std::chrono::milliseconds waitForEachMb{50};
constexpr std::chrono::milliseconds shortestWait{500};
constexpr std::chrono::milliseconds longestWait{5000};

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
        const std::uint64_t commits = head->log().commits();
        const auto isLittle = [&] { return present->lsn < watch.redo + replayBytes; };
        if (!isLittle()) {
            if (now < watch.asked + between)
                continue;
            if (const auto control = controlOf(*head))
                watch.redo = control->redo;
        }
        if (isLittle()) {
            watch.little = now;
            watch.commits = commits;
            continue;
        }
        const std::uint64_t log = present->lsn - watch.redo;
        const bool isBulk = log >= bulkBytes || log >= (commits - watch.commits) * bulkBytesACommit;
        const auto pause = std::min<std::chrono::steady_clock::duration>(
            bulkShare * watch.written->took.load(), longestBulk);
        if (isBulk && log < mostBulkBytes && now < std::max(watch.little, watch.written->at.load()) + pause) {
            const auto disk = space();
            if (log < bulkBytes || (disk && disk->freeBytes >= bulkRoom))
                continue;
        }
        watch.asked = now;
        watch.commits = commits;
        m_endpoints.checkpoint(timeline, [written = watch.written, now] {
            const auto end = std::chrono::steady_clock::now();
            written->took = end - now;
            written->at = end;
        });
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
    const auto megabytes = static_cast<int>((present->lsn - control->redo) >> 20);
    written->get_future().wait_for(std::clamp(waitForEachMb * megabytes, shortestWait, longestWait));
}

} // namespace arbor
