#include "storage/engine/log_collection.h"

#include "storage/engine/view_paths.h"
#include "storage/engine/wal_follower.h"
#include "storage/wal/wal_marks.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace arbor {

namespace {

// "17", and "17.new" while it is being built.
std::optional<TimelineId> timelineOf(std::string_view name) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), id);
    const std::string_view rest = name.substr(static_cast<std::size_t>(end - name.data()));
    if (error != std::errc{} || (!rest.empty() && rest != ".new"))
        return std::nullopt;
    return TimelineId{id};
}

Result<std::vector<std::string>> listIfThere(Disk& disk, const std::string& directory) {
    auto names = disk.list(directory);
    if (!names && names.error().kind() == ErrorKind::NotFound)
        return std::vector<std::string>();
    return names;
}

class LogPlanner {
  public:
    LogPlanner(Engine& engine, const GcInput& input, const NeedModel& model, const Catalog* thought)
        : m_engine(engine), m_input(input), m_model(model), m_thought(thought) {}

    Result<LogPlan> run() {
        addTimelines();
        addNeeds();
        for (const char* folder : {"wal", "walkeep", "scratch"})
            ARBOR_TRY(list(folder));
        std::vector<WalTimeline> timelines;
        for (const auto& [id, timeline] : m_timelines)
            timelines.push_back(timeline);
        ARBOR_ASSIGN(m_plan.retention,
                     planWalRetention(timelines, m_needs, m_plan.files, m_input.firstUnseen));
        m_plan.needs = std::move(m_needs);
        return std::move(m_plan);
    }

  private:
    template <class Look>
    auto catalog(Look look) const {
        return m_thought ? look(*m_thought) : m_engine.catalog(look);
    }

    void addTimelines() {
        const std::vector<TimelineId> unreachable =
            catalog([](const Catalog& c) { return c.unreachableTimelines(); });
        const std::set<TimelineId> forgotten(unreachable.begin(), unreachable.end());
        for (const GcTimeline& timeline : m_input.timelines) {
            WalTimeline line{
                timeline.id, timeline.parent, {}, 16u << 20, false, {}, forgotten.contains(timeline.id)};
            const auto record = catalog([&](const Catalog& c) { return c.timeline(timeline.id); });
            if (record) {
                line.forkLsn = record->fork.lsn;
                line.segmentSize = record->walSegmentSize;
                m_hasLog[timeline.id] = record->pgMajor != 0;
            } else {
                line.keepAll = true; // a root that is being filled, a peek
            }
            m_timelines[timeline.id] = line;
        }
        for (const auto& head : m_engine.openHeads())
            if (const auto line = m_timelines.find(head->timeline());
                line != m_timelines.end() && !head->log().refusal().empty())
                line->second.keepAll = true;
    }

    void addNeeds() {
        for (std::size_t i = 0; i < m_input.pins.size(); ++i) {
            const GcPin& pin = m_input.pins[i];
            const Need& need = m_model.needOf(i);
            const auto line = m_timelines.find(pin.timeline);
            if (line == m_timelines.end() || !m_hasLog[pin.timeline])
                continue;
            if (pin.kind == PinKind::Head || pin.kind == PinKind::Trash)
                line->second.stands = need;
            if (pin.kind == PinKind::Reader && pin.toLsn == Lsn{})
                continue; // reads pages only
            const auto from = pin.kind == PinKind::Window ? windowFrom(pin) : redoAt(pointOf(pin));
            if (!from) {
                line->second.keepAll = true;
                if (pin.kind == PinKind::Reader)
                    continue; // it has gone meanwhile
                m_plan.doubts.push_back(fmt::format("the log that {} {} needs is not known: {}",
                                                    pinKindName(pin.kind), pin.name, from.error().message()));
                continue;
            }
            m_needs.push_back(
                {pin.timeline, *from, pin.to == maxPosition ? Lsn{UINT64_MAX} : pin.toLsn, need});
        }
    }

    static TimelinePoint pointOf(const GcPin& pin) {
        return {pin.timeline, {pin.to, pin.to == maxPosition ? Lsn{UINT64_MAX} : pin.toLsn}};
    }

    Result<Lsn> redoAt(const TimelinePoint& point) {
        ARBOR_ASSIGN(const ControlFile control, controlNear(point));
        return control.redo;
    }
    Result<ControlFile> controlNear(const TimelinePoint& point) {
        if (point.at == headPoint)
            for (const auto& head : m_engine.openHeads())
                if (head->timeline() == point.timeline)
                    return controlOf(*head);
        return controlAt(m_engine, point);
    }

    // A server may be started at the window's first point, and questions about times are answered by reading
    // on from the sample before it.
    Result<Lsn> windowFrom(const GcPin& pin) {
        if (pin.from == maxPosition || pin.fromLsn == Lsn{})
            return redoAt({pin.timeline, headPoint}); // no history: the head's own need
        const TimelineId owner =
            catalog([&](const Catalog& c) { return c.timelineAt(pin.timeline, pin.from); });
        ARBOR_ASSIGN(Lsn from, redoAt({owner, {pin.from, pin.fromLsn}}));
        const IndexMarkStore marks(m_engine.store().index());
        ARBOR_ASSIGN(const auto sample, MarkWriter::anchors(marks, owner)(pin.fromLsn + 1));
        if (sample)
            from = std::min(from, sample->last.value != 0 ? sample->last : sample->end);
        return from;
    }

    Status list(const std::string& folder) {
        Disk& disk = m_engine.store().disk();
        const std::string root = fmt::format("{}/{}", m_engine.directory(), folder);
        ARBOR_ASSIGN(const auto names, listIfThere(disk, root));
        for (const std::string& name : names) {
            const auto timeline = timelineOf(name);
            if (!timeline)
                continue;
            const std::string directory = root + "/" + name;
            if (m_engine.isGone(*timeline))
                m_plan.deadTrees.push_back(directory);
            if (folder != "scratch")
                ARBOR_TRY(listFiles(directory, *timeline, folder == "walkeep"));
        }
        return {};
    }
    Status listFiles(const std::string& directory, TimelineId timeline, bool isKept) {
        Disk& disk = m_engine.store().disk();
        ARBOR_ASSIGN(const auto names, listIfThere(disk, directory));
        for (const std::string& name : names) {
            const std::string path = directory + "/" + name;
            const auto info = disk.info(path);
            if (!info)
                continue; // the server removes old ones itself
            m_plan.files.push_back({timeline, isKept, name, *info});
            m_plan.paths.push_back(path);
        }
        return {};
    }

    Engine& m_engine;
    const GcInput& m_input;
    const NeedModel& m_model;
    const Catalog* const m_thought;
    std::map<TimelineId, WalTimeline> m_timelines;
    std::map<TimelineId, bool> m_hasLog;
    std::vector<WalNeed> m_needs;
    LogPlan m_plan;
};

} // namespace

Result<LogPlan> planLog(Engine& engine, const GcInput& input, const NeedModel& model,
                        const Catalog* thought) {
    return LogPlanner(engine, input, model, thought).run();
}

Result<std::uint64_t> removeLog(Engine& engine, const LogPlan& plan) {
    Disk& disk = engine.store().disk();
    std::set<std::string> directories;
    for (const std::size_t i : plan.retention.removable) {
        const std::string& path = plan.paths[i];
        if (auto gone = disk.unlink(path); !gone && gone.error().kind() != ErrorKind::NotFound)
            return std::move(gone).error().during("removing log that nobody needs");
        directories.insert(path.substr(0, path.rfind('/')));
    }
    for (const std::string& directory : directories)
        ARBOR_TRY(disk.syncDirectory(directory));
    for (const std::string& tree : plan.deadTrees)
        ARBOR_TRY(removeTree(disk, tree));
    return plan.retention.freeBytes;
}

} // namespace arbor
