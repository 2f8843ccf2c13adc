// The PostgreSQL timeline id of its own that a fork takes before its log leaves the store.
//
// A fork has its parent's system identifier and timeline id, so their segments bear the same names: an
// archive would mix them up, and a standby of one would follow the other. PostgreSQL gives a new id at the
// end of an archive recovery only, and takes the number behind the newest history file from the recovery's
// target on. So the fork is recovered, once, to a target that nobody was ever on: a history file says that it
// left the present id where the log ends. The README has the steps.
//
//  1. Timeline T has the ids [256 T, 256 T + 255]: the first is the target, the second the one that it moves
//  to,
//     and the others are for moves that broke off and promotions by hand. Timelines are numbered once in a
//     store, and children behind their parents, so ids are never shared and grow from parent to child.
//  2. As soon as a history file of these ids is there, no server starts before the move has ended.
//
// `pg_resetwal -l` could set any id, but would leave a gap in the log that is followed.
#include "app/engine/service.h"
#include "storage/engine/view_paths.h"
#include "storage/engine/wal_follower.h"
#include "storage/wal/wal_segments.h"

#include <spdlog/spdlog.h>

namespace arbor {

namespace {

constexpr std::uint64_t idsOfEach = 256;

std::uint64_t targetOf(TimelineId timeline) {
    return timeline.value * idsOfEach;
}

bool logLeaves(const std::set<OutsideRule>& lifted) {
    return lifted.contains(OutsideRule::Archiving) || lifted.contains(OutsideRule::WalSenders);
}

bool isInArchiveRecovery(const ControlFile& control) {
    return control.state == ClusterState::InArchiveRecovery ||
           control.state == ClusterState::ShutDownInRecovery;
}

// It runs on one of its own ids, and a crash would not throw it back.
bool hasMoved(const ControlFile& control, TimelineId timeline) {
    return control.tli > targetOf(timeline) && !isInArchiveRecovery(control);
}

// The newest of a timeline's own ids that has a history; 0: none.
Result<std::uint64_t> newestBegun(Disk& disk, const std::string& wal, TimelineId timeline) {
    std::uint64_t newest = 0;
    ARBOR_ASSIGN(const auto names, disk.list(wal));
    for (const std::string& name : names)
        if (const auto tli = parseHistoryFileName(name); tli && *tli >= targetOf(timeline))
            newest = std::max<std::uint64_t>(newest, *tli);
    return newest;
}

// The past of the target: that of the present id, which ends here.
Status writeTarget(Disk& disk, const std::string& wal, std::uint32_t present, std::uint32_t target, Lsn end) {
    std::string past;
    auto known = readFile(disk, wal + "/" + historyFileName(present));
    if (known)
        past = std::move(*known);
    else if (known.error().kind() != ErrorKind::NotFound)
        return std::move(known).error();
    if (!past.empty() && past.back() != '\n')
        past += '\n';
    past += fmt::format("{}\t{}\tPgArbor: a fork whose log leaves its store\n", present, end);
    return replaceFile(disk, wal + "/" + historyFileName(target), past);
}

// To the end of the log that is there; what the configuration says of recoveries is meant for others.
void recoverTo(std::uint64_t target, EndpointSpec& spec) {
    spec.config.lifted.insert(OutsideRule::PrimaryConnection); // else restore_command is empty
    spec.config.logLeavesStore = true; // its first records, too, may be replayed elsewhere
    spec.config.settings = {{"restore_command", "/bin/false"},
                            {"recovery_target_timeline", std::to_string(target)},
                            {"recovery_target", ""},
                            {"recovery_target_lsn", ""},
                            {"recovery_target_name", ""},
                            {"recovery_target_time", ""},
                            {"recovery_target_xid", ""},
                            {"recovery_target_action", "promote"},
                            {"recovery_end_command", ""},
                            {"archive_cleanup_command", ""},
                            {"primary_conninfo", ""},
                            {"primary_slot_name", ""},
                            {"hot_standby", "off"}}; // nobody is let in before
}

} // namespace

std::set<OutsideRule> liftedRules(const BranchRecord& branch) {
    std::set<OutsideRule> lifted;
    for (const auto& [key, value] : branch.settings)
        if (const auto rule = ruleFromName(key); rule && value == "on")
            lifted.insert(*rule);
    return lifted;
}

Status Service::runHidden(TimelineId timeline, const Installation& installation,
                          const std::function<void(EndpointSpec&)>& adjust) {
    ARBOR_ASSIGN(const HiddenServer server, startHidden(timeline, true, installation, nullptr, adjust));
    return endHidden(server, Endpoint::StopMode::Fast);
}

// Why a fork cannot move; empty when it can.
std::string Service::moveObstacle(const BranchRecord& branch, BranchView& head, const ControlFile& control,
                                  bool begun) {
    const std::uint64_t target = targetOf(branch.timeline);
    const std::uint64_t last = target + idsOfEach - 1;
    if (last > UINT32_MAX || control.recoveryTli() >= (begun ? last : target))
        return fmt::format("is on PostgreSQL timeline {} and cannot move to {}", control.recoveryTli(),
                           target + 1);
    if (begun || neverStarted(branch.timeline)) // the files are ours, or its first start removes them
        return {};
    for (const char* name : {"standby.signal", "recovery.signal"})
        if (head.lookup(head.root(), name))
            return fmt::format(
                "follows another server ({}) and cannot move to a PostgreSQL timeline id of its own", name);
    return {};
}

Status Service::moveToOwnTli(const BranchRecord& branch, const EndpointSpec& spec) {
    if (!spec.config.isFork)
        return {};
    const TimelineId timeline = branch.timeline;
    ARBOR_ASSIGN(const auto head, m_engine->head(timeline));
    ARBOR_ASSIGN(ControlFile control, controlOf(*head));
    ARBOR_ASSIGN(const std::uint64_t begun, newestBegun(m_disk, walDirectory(*m_engine, timeline), timeline));
    if (hasMoved(control, timeline) || (begun == 0 && !logLeaves(spec.config.lifted)))
        return {};
    if (const std::string obstacle = moveObstacle(branch, *head, control, begun != 0); !obstacle.empty())
        return makeError(ErrorKind::Refused, "{0} {1}: `branch forbid {0} archiving walsenders` starts it",
                         branch.name, obstacle);
    // once it is being recovered to a target, its log has an end that does not change
    const bool onTheWay =
        begun > targetOf(timeline) || (begun == targetOf(timeline) && isInArchiveRecovery(control));
    if (!onTheWay && (neverStarted(timeline) || !control.cleanlyShutDown()))
        ARBOR_TRY(recoverQuietly(*head, spec));
    if (auto moved = promoteTo(onTheWay ? begun : targetOf(timeline), !onTheWay, *head, spec); !moved)
        return std::move(moved).error().during(
            fmt::format("moving {} to a PostgreSQL timeline id of its own", branch.name));
    ARBOR_ASSIGN(control, controlOf(*head));
    if (!hasMoved(control, timeline))
        return makeError(ErrorKind::Io, "{} is still on PostgreSQL timeline {}", branch.name, control.tli);
    spdlog::info("{} has moved to PostgreSQL timeline {}", branch.name, control.tli);
    return {};
}

// To a clean stop, where the log ends behind the checkpoint's record.
Status Service::recoverQuietly(TimelineView& head, const EndpointSpec& spec) {
    if (auto removed = spec.dataFiles.remove("recovery.signal"); // of a move that came no further
        !removed && removed.error().kind() != ErrorKind::NotFound)
        return removed;
    ARBOR_TRY(runHidden(head.timeline(), spec.installation,
                        [&](EndpointSpec& hidden) { hidden.prepare = spec.prepare; }));
    ARBOR_ASSIGN(const ControlFile control, controlOf(head));
    if (!control.cleanlyShutDown())
        return makeError(ErrorKind::Io, "the server that recovered it did not stop cleanly");
    return {};
}

Status Service::promoteTo(std::uint64_t target, bool isNew, TimelineView& head, const EndpointSpec& spec) {
    const auto prepare = [&]() -> Status {
        ARBOR_TRY(spec.prepare());
        if (isNew) {
            ARBOR_ASSIGN(const ControlFile control, controlOf(head));
            ARBOR_ASSIGN(const ForkPoint end, head.present());
            ARBOR_TRY(writeTarget(m_disk, walDirectory(*m_engine, head.timeline()), control.tli,
                                  static_cast<std::uint32_t>(target), end.lsn));
        }
        // before every write from now on the scan looks for the id that comes next
        return head.followLog(LogFollower::Effort::Thorough);
    };
    ARBOR_TRY(putRecoverySignal(head));
    return runHidden(head.timeline(), spec.installation, [&](EndpointSpec& hidden) {
        recoverTo(target, hidden);
        hidden.prepare = prepare;
    });
}

Status Service::putRecoverySignal(BranchView& head) {
    constexpr const char* name = "recovery.signal";
    if (head.lookup(head.root(), name))
        return {};
    ARBOR_TRY(head.createFile(head.root(), name, 0600, {m_options.user.uid, m_options.user.gid}));
    if (const auto mounted = mount().mount())
        mounted->invalidateEntry(head.timeline(), head.root(), name);
    return {};
}

// What an archiver would send: not the log that the fork shares with its parent, whose last segment has
// another end here; but the history without which its own log leads nowhere.
Status Service::markForArchiver(TimelineId timeline) {
    const std::string wal = walDirectory(*m_engine, timeline);
    ARBOR_ASSIGN(const TimelineRecord record,
                 m_engine->catalog([&](const Catalog& catalog) { return catalog.timeline(timeline); }));
    const auto mark = [&](const std::string& name, const char* as) -> Status {
        ARBOR_TRY(m_disk.createAppend(wal + "/archive_status/" + name + as));
        return {};
    };
    ARBOR_ASSIGN(const auto statuses, m_disk.list(wal + "/archive_status"));
    const std::set<std::string> known(statuses.begin(), statuses.end());
    ARBOR_ASSIGN(const auto names, m_disk.list(wal));
    for (const std::string& name : names) {
        const auto segment = parseSegmentFileName(name, record.walSegmentSize);
        if (segment && segment->tli <= targetOf(timeline)) {
            if (known.contains(name + ".ready"))
                ARBOR_TRY(m_disk.unlink(wal + "/archive_status/" + name + ".ready"));
            if (!known.contains(name + ".done"))
                ARBOR_TRY(mark(name, ".done"));
        }
        const auto history = parseHistoryFileName(name);
        if (history && *history > targetOf(timeline) && !known.contains(name + ".done") &&
            !known.contains(name + ".ready"))
            ARBOR_TRY(mark(name, ".ready"));
    }
    return {};
}

} // namespace arbor
