#include "storage/engine/wal_follower.h"

#include "storage/engine/view_paths.h"
#include "storage/wal/fork_wal.h"
#include "storage/wal/wal_marks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace arbor {

namespace {

// A root that is being filled has no log yet.
class NoLog final : public LogFollower {
  public:
    Result<Lsn> advance(Effort) override { return Lsn(); }
    std::uint64_t commits() const override { return 0; }
    void collect(IndexBatch&) override {}
    void durable() override {}
    Status syncKept() override { return {}; }
    Status syncLog(Lsn) override { return {}; }
    std::string refusal() const override { return "its files are still being written"; }
    Status prepareStart(Bytes, bool) override {
        return makeError(ErrorKind::Refused, "its files are still being written");
    }
    Status forgetBefore(Lsn) override { return {}; }
    Result<LogAnswer> atLsn(Lsn, Lsn) override { return none(); }
    Result<LogAnswer> atTime(Lsn, Timestamp) override { return none(); }
    Result<LogAnswer> atXid(Lsn, std::uint64_t) override { return none(); }
    Result<std::vector<WalMark>> marks(Lsn, Lsn, std::size_t) override { return std::vector<WalMark>(); }
    Result<std::vector<WalMarks::Point>> curve(Lsn, Lsn, std::size_t) override {
        return std::vector<WalMarks::Point>();
    }

  private:
    static Error none() { return makeError(ErrorKind::NotFound, "there is no log yet"); }
};

class WalFollower final : public LogFollower {
  public:
    static Result<std::unique_ptr<LogFollower>> open(Engine& engine, const LogPlace& place);

    Result<Lsn> advance(Effort effort) override {
        const MutexLock lock(m_mutex);
        if (!m_abandoned)
            ARBOR_TRY(m_scanner.advance(m_writer, effort));
        return m_scanner.end();
    }
    std::uint64_t commits() const override {
        const MutexLock lock(m_mutex);
        return m_scanner.state().commits;
    }
    void collect(IndexBatch& batch) override {
        const MutexLock lock(m_mutex);
        if (m_saved != m_scanner.state()) {
            m_saved = m_scanner.state();
            m_writer.save(m_saved);
        }
        m_marks.addTo(batch);
    }
    void durable() override { m_marks.written(); }
    Status syncKept() override {
        const MutexLock lock(m_mutex);
        return m_abandoned ? Status() : m_scanner.syncKept();
    }
    Status syncLog(Lsn lsn) override {
        const MutexLock lock(m_syncMutex);
        if (lsn <= m_synced)
            return {};
        std::uint32_t tli = 0;
        {
            const MutexLock scan(m_mutex);
            if (m_abandoned)
                return {};
            tli = m_scanner.state().tli;
        }
        WalChain chain = makeChain();
        ARBOR_TRY(chain.followTli(tli)); // behind a promotion the segments bear another timeline id
        ARBOR_TRY(arbor::syncLog(chain, m_synced, lsn));
        m_synced = lsn;
        return {};
    }
    void abandon() override {
        const MutexLock sync(m_syncMutex);
        const MutexLock lock(m_mutex);
        m_abandoned = true;
    }
    std::string refusal() const override {
        const MutexLock lock(m_mutex);
        if (!m_scanner.stuck())
            return {};
        return fmt::format("the log cannot be read behind {} ({}), though there are newer segments",
                           m_scanner.end(), m_scanner.reason());
    }
    Status build() override;
    Status prepareStart(Bytes control, bool mayBePromoted) override;
    Status forgetBefore(Lsn start) override {
        const MutexLock lock(m_mutex);
        ARBOR_TRY(MarkWriter::forgetBefore(m_marks, m_place.timeline, start));
        return {};
    }
    Result<LogAnswer> atLsn(Lsn from, Lsn lsn) override {
        return ask(from, [&](WalMarks& marks) { return marks.atLsn(lsn); });
    }
    Result<LogAnswer> atTime(Lsn from, Timestamp time) override {
        return ask(from, [&](WalMarks& marks) { return marks.atTime(time); });
    }
    Result<LogAnswer> atXid(Lsn from, std::uint64_t xid) override {
        return ask(from, [&](WalMarks& marks) { return marks.atXid(xid); });
    }
    Result<std::vector<WalMark>> marks(Lsn from, Lsn to, std::size_t limit) override {
        return with(from, [&](WalMarks& marks) { return marks.marksBetween(from, to, limit); });
    }
    Result<std::vector<WalMarks::Point>> curve(Lsn from, Lsn to, std::size_t limit) override {
        return with(from, [&](WalMarks& marks) { return marks.curve(from, to, limit); });
    }

  private:
    struct Parts {
        std::vector<WalLayer> layers;
        std::vector<WalMarks::Span> spans;
        std::uint64_t systemId = 0;
        std::uint32_t tli = 1;
    };
    WalFollower(Engine& engine, const LogPlace& place, const WalFormat& format, Parts parts, WalChain chain,
                ScanState state);

    static Result<ScanState> beginning(Engine& engine, const LogPlace& place, const Parts& parts,
                                       const MarkStore& marks, const ControlFile& control);
    static Result<ControlFile> presentControl(Engine& engine, const LogPlace& place);
    // What a fork needs of its parent's log, and that log as the fork sees it: up to the fork.
    struct Inheritance {
        WalChain chain;
        ForkWalPlan plan;
    };
    static Result<Inheritance> inheritance(Engine& engine, const LogPlace& place, const Parts& parts,
                                           const MarkStore& marks, const ControlFile& control);
    Status recognise();
    WalChain makeChain() const {
        return {m_engine.store().disk(), m_parts.layers, m_place.walSegmentSize, m_parts.systemId};
    }
    // A walk of its own over the log, so that a question never holds up a write.
    template <class Question>
    auto with(Lsn from, Question question) -> decltype(question(std::declval<WalMarks&>())) {
        ScanState head;
        {
            const MutexLock lock(m_mutex);
            head = m_scanner.state();
        }
        WalChain chain = makeChain();
        ARBOR_TRY(chain.followTli(head.tli));
        WalMarks marks(m_marks, m_parts.spans, chain, m_format, from, head);
        return question(marks);
    }
    template <class Question>
    Result<LogAnswer> ask(Lsn from, Question question) {
        ARBOR_ASSIGN(const WalMarks::Answer answer, with(from, question));
        return LogAnswer{answer.state.end, answer.message};
    }

    Engine& m_engine;
    const LogPlace m_place;
    const WalFormat& m_format;
    const Parts m_parts;
    IndexMarkStore m_durableMarks;
    PendingMarks m_marks;

    mutable Mutex m_mutex;
    MarkWriter m_writer ARBOR_GUARDED_BY(m_mutex);
    WalScanner m_scanner ARBOR_GUARDED_BY(m_mutex);
    ScanState m_saved ARBOR_GUARDED_BY(m_mutex);
    bool m_abandoned ARBOR_GUARDED_BY(m_mutex) = false;

    Mutex m_syncMutex;
    Lsn m_synced ARBOR_GUARDED_BY(m_syncMutex);
};

WalFollower::WalFollower(Engine& engine, const LogPlace& place, const WalFormat& format, Parts parts,
                         WalChain chain, ScanState state)
    : m_engine(engine), m_place(place), m_format(format), m_parts(std::move(parts)),
      m_durableMarks(engine.store().index()), m_marks(m_durableMarks), m_writer(place.timeline, m_marks),
      m_scanner(std::move(chain), format,
                {walDirectory(engine, place.timeline), keptDirectory(engine, place.timeline)}, state),
      m_saved(state), m_synced(std::max(place.fork.lsn, engine.historyStart(place.timeline).lsn)) {}

// Where the scan of a timeline without a saved state begins: of a fork, where its server will write.
Result<ScanState> WalFollower::beginning(Engine& engine, const LogPlace& place, const Parts& parts,
                                         const MarkStore& marks, const ControlFile& control) {
    if (place.lineage.size() == 1) {
        WalChain chain(engine.store().disk(), parts.layers, place.walSegmentSize, parts.systemId);
        ARBOR_TRY(chain.followTli(control.recoveryTli()));
        return WalScanner::stateAtCheckpoint(chain, control);
    }
    ARBOR_ASSIGN(const Inheritance inherited, inheritance(engine, place, parts, marks, control));
    return inherited.plan.state;
}

Result<WalFollower::Inheritance> WalFollower::inheritance(Engine& engine, const LogPlace& place,
                                                          const Parts& parts, const MarkStore& marks,
                                                          const ControlFile& control) {
    std::vector<WalLayer> layers(parts.layers.begin() + 1, parts.layers.end());
    WalChain chain(engine.store().disk(), layers, place.walSegmentSize, parts.systemId);
    ARBOR_TRY(chain.followTli(control.recoveryTli()));
    ARBOR_ASSIGN(const auto known, MarkWriter::anchors(marks, place.lineage[1].timeline)(place.fork.lsn + 1));
    ARBOR_ASSIGN(ForkWalPlan plan, planForkWal(chain, control, place.fork.lsn, known));
    return Inheritance{std::move(chain), std::move(plan)};
}

// A fork that never ran sees its parent's; once it has its own, nobody keeps the parent's of that point.
// A timeline without a name (a peek) is looked at through its parent, where it has a pin.
Result<ControlFile> WalFollower::presentControl(Engine& engine, const LogPlace& place) {
    const bool isPeek = place.lineage.size() > 1 && engine.catalog([&](const Catalog& catalog) {
        return catalog.findTimeline(place.timeline) == nullptr;
    });
    return controlAt(engine, isPeek ? TimelinePoint{place.lineage[1].timeline, place.fork}
                                    : TimelinePoint{place.timeline, headPoint});
}

Result<std::unique_ptr<LogFollower>> WalFollower::open(Engine& engine, const LogPlace& place) {
    if (place.pgMajor == 0)
        return std::unique_ptr<LogFollower>(new NoLog);
    const WalFormat* format = walFormatOfMajor(static_cast<int>(place.pgMajor));
    if (format == nullptr)
        return makeError(ErrorKind::Unsupported, "logs of PostgreSQL {} are not known", place.pgMajor);
    Disk& disk = engine.store().disk();
    for (const char* folder : {"wal", "walkeep"})
        ARBOR_TRY(ensureDirectory(disk, fmt::format("{}/{}", engine.store().directory(), folder)));
    ARBOR_TRY(ensureDirectory(disk, keptDirectory(engine, place.timeline)));

    Parts parts;
    for (std::size_t i = 0; i < place.lineage.size(); ++i) {
        const LineageStep& step = place.lineage[i];
        const Lsn limit = i == 0 ? Lsn() : step.upTo.lsn;
        parts.layers.push_back(
            {{walDirectory(engine, step.timeline), keptDirectory(engine, step.timeline)}, limit});
        parts.spans.push_back({step.timeline, limit});
    }
    ARBOR_ASSIGN(const ControlFile control, presentControl(engine, place));
    parts.systemId = control.systemId;

    const IndexMarkStore marks(engine.store().index());
    ARBOR_ASSIGN(std::optional<ScanState> state, MarkWriter::savedState(marks, place.timeline));
    const bool isNew = !state;
    if (isNew) {
        ARBOR_ASSIGN(state, beginning(engine, place, parts, marks, control));
    }
    WalChain chain(disk, parts.layers, place.walSegmentSize, parts.systemId);
    ARBOR_TRY(chain.followTli(state->tli));
    std::unique_ptr<WalFollower> follower(
        new WalFollower(engine, place, *format, std::move(parts), std::move(chain), *state));
    if (isNew) {
        {
            // what a timeline begins with was made durable by whoever made it
            const MutexLock lock(follower->m_syncMutex);
            follower->m_synced = std::max(follower->m_synced, state->end);
        }
        const MutexLock lock(follower->m_mutex);
        follower->m_writer.begin(*state);
        follower->m_writer.save(*state);
    } else {
        ARBOR_TRY(follower->recognise());
    }
    return std::unique_ptr<LogFollower>(std::move(follower));
}

Status WalFollower::build() {
    const std::string directory = walDirectory(m_engine, m_place.timeline);
    if (m_place.lineage.size() == 1 || m_engine.store().disk().info(directory))
        return {};
    ARBOR_ASSIGN(const ControlFile control, presentControl(m_engine, m_place));
    const MutexLock lock(m_mutex);
    ARBOR_ASSIGN(Inheritance inherited, inheritance(m_engine, m_place, m_parts, m_durableMarks, control));
    return buildForkWal(inherited.chain, inherited.plan, directory);
}

// After a reopen: is the log still the one that was scanned?
Status WalFollower::recognise() {
    std::optional<Lsn> clamp;
    {
        const MutexLock lock(m_mutex);
        ARBOR_TRY(m_writer.open());
        ARBOR_ASSIGN(clamp, m_scanner.resume(MarkWriter::anchors(m_marks, m_place.timeline)));
        if (clamp)
            ARBOR_TRY(m_writer.forgetBehind(*clamp));
    }
    return clamp ? m_engine.clampHistory(m_place.timeline, *clamp) : Status();
}

Status WalFollower::prepareStart(Bytes control, bool mayBePromoted) {
    ARBOR_ASSIGN(const ControlFile file, parseControlFile(control));
    std::optional<Lsn> clamp;
    {
        const MutexLock lock(m_mutex);
        ARBOR_TRY(m_scanner.advance(m_writer, Effort::Thorough));
        ARBOR_ASSIGN(const WalScanner::Start start, m_scanner.prepareStart(file, mayBePromoted));
        clamp = start.clamped;
        if (clamp)
            ARBOR_TRY(m_writer.forgetBehind(*clamp));
    }
    return clamp ? m_engine.clampHistory(m_place.timeline, *clamp) : Status();
}

// Unversioned content: a nameless file in the timeline's scratch directory, gone with the engine.
class HostLooseFile final : public LooseFile {
  public:
    explicit HostLooseFile(int descriptor) : m_descriptor(descriptor) {}
    ~HostLooseFile() override { ::close(m_descriptor); }

    Result<std::size_t> read(std::uint64_t offset, MutableBytes into) override {
        std::size_t done = 0;
        while (done < into.size()) {
            const ssize_t got = ::pread(m_descriptor, into.data() + done, into.size() - done,
                                        static_cast<off_t>(offset + done));
            if (got < 0 && errno == EINTR)
                continue;
            if (got < 0)
                return errnoError(errno, "reading an unversioned file");
            if (got == 0)
                break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }
    Status write(std::uint64_t offset, Bytes bytes) override {
        while (!bytes.empty()) {
            const ssize_t put =
                ::pwrite(m_descriptor, bytes.data(), bytes.size(), static_cast<off_t>(offset));
            if (put < 0 && errno == EINTR)
                continue;
            if (put < 0)
                return errnoError(errno, "writing an unversioned file");
            bytes = bytes.subspan(static_cast<std::size_t>(put));
            offset += static_cast<std::size_t>(put);
        }
        return {};
    }
    Status truncate(std::uint64_t size) override {
        if (::ftruncate(m_descriptor, static_cast<off_t>(size)) != 0)
            return errnoError(errno, "truncating an unversioned file");
        return {};
    }
    std::uint64_t size() const override {
        struct stat status {};
        return ::fstat(m_descriptor, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
    }

  private:
    const int m_descriptor;
};

Result<std::unique_ptr<LooseFile>> makeLooseFile(const std::string& directory) {
    const int descriptor = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (descriptor < 0)
        return errnoError(errno, fmt::format("making an unversioned file in {}", directory));
    return std::unique_ptr<LooseFile>(new HostLooseFile(descriptor));
}

Status checkFork(Engine& engine, const TimelinePoint& point) {
    ARBOR_ASSIGN(const ControlFile control, controlAt(engine, point));
    if (!control.consistentAt(point.at.lsn))
        return makeError(
            ErrorKind::Refused,
            "the database is still recovering and not yet consistent at {}: try again when it is",
            point.at.lsn);
    return {};
}

} // namespace

std::string walDirectory(const Engine& engine, TimelineId timeline) {
    return fmt::format("{}/wal/{}", engine.directory(), timeline);
}
std::string keptDirectory(const Engine& engine, TimelineId timeline) {
    return fmt::format("{}/walkeep/{}", engine.directory(), timeline);
}
std::string scratchDirectory(const Engine& engine, TimelineId timeline) {
    return fmt::format("{}/scratch/{}", engine.directory(), timeline);
}

Status removeDirectoriesOf(Engine& engine, TimelineId timeline) {
    // the mount may hold the head open for a while, and a sync must not look for what goes now
    for (const auto& head : engine.openHeads())
        if (head->timeline() == timeline)
            head->log().abandon();
    for (const std::string& tree : {walDirectory(engine, timeline), keptDirectory(engine, timeline),
                                    scratchDirectory(engine, timeline)})
        ARBOR_TRY(removeTree(engine.store().disk(), tree));
    return {};
}

Result<ControlFile> controlOf(BranchView& view) {
    ARBOR_ASSIGN(const std::string content, readPath(view, "global/pg_control"));
    return parseControlFile(std::as_bytes(std::span(content)));
}

Result<ControlFile> controlAt(Engine& engine, const TimelinePoint& point) {
    ARBOR_ASSIGN(const auto view, engine.look(point));
    return controlOf(*view);
}

Engine::Options standardOptions() {
    Engine::Options options;
    options.followers = WalFollower::open;
    options.checkFork = checkFork;
    options.places = [](Engine& engine, TimelineId timeline) {
        const std::string wal = walDirectory(engine, timeline);
        const std::string scratch = scratchDirectory(engine, timeline);
        return HostPlaces{[wal, scratch, &disk = engine.store().disk()](const std::string& name) {
                              if (name == "pg_wal")
                                  return wal;
                              const std::string target = scratch + "/" + name;
                              // those of tablespaces come and go with them; what cannot be made Postgres will
                              // miss, and say so
                              if (name.starts_with("pgsql_tmp."))
                                  (void)ensureDirectory(disk, target);
                              return target;
                          },
                          [scratch] { return makeLooseFile(scratch); }};
    };
    return options;
}

} // namespace arbor
