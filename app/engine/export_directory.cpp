// export NAME [--at POS] DIR: what leaves the store is a cleanly stopped data directory like any other.
//
// Steps, and what a crash after each leaves
//   1. a fork without a name at the point; a server recovers it and stops cleanly   nothing
//   2. its files are written to DIR, pages compared with their checksums            DIR without pg_control:
//   no server
//                                                                                   starts on it
//   3. everything is synced                                                         the same
//   4. global/pg_control is written and synced                                      the whole
#include "app/engine/copy_threads.h"
#include "app/engine/import_jobs.h"
#include "app/engine/import_tree.h"
#include "app/engine/page_checksum.h"
#include "app/postgres/endpoint_config.h"
#include "app/postgres/program.h"
#include "storage/engine/view_paths.h"
#include "storage/engine/wal_follower.h"
#include "storage/names/roles.h"
#include "storage/wal/wal_segments.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>

namespace arbor {

namespace fs = std::filesystem;

namespace {

constexpr double recoverShare = 0.1; // of the progress

// A fork at a point without a name, gone with the object.
class HiddenFork {
  public:
    static Result<HiddenFork> make(Service& service, const TimelinePoint& point) {
        ARBOR_ASSIGN(auto view, service.engine().fork(point));
        return HiddenFork(service, std::move(view));
    }
    HiddenFork(HiddenFork&& other) noexcept : m_service(other.m_service), m_view(std::move(other.m_view)) {}
    HiddenFork& operator=(HiddenFork&&) = delete;
    ~HiddenFork() {
        if (!m_view)
            return;
        const TimelineId timeline = m_view->timeline();
        m_view.reset();
        Engine& engine = m_service.engine();
        (void)engine.closeIdleHeads();
        for (const std::string& path : {walDirectory(engine, timeline), keptDirectory(engine, timeline),
                                        scratchDirectory(engine, timeline)})
            (void)removeTree(m_service.disk(), path);
    }
    TimelineView& view() { return *m_view; }
    TimelineId timeline() const { return m_view->timeline(); }

  private:
    HiddenFork(Service& service, std::shared_ptr<TimelineView> view)
        : m_service(service), m_view(std::move(view)) {}
    Service& m_service;
    std::shared_ptr<TimelineView> m_view;
};

std::string nameOfUser() {
    return fmt::format("user {}", ::geteuid());
}

// The directory that is exported into: made, or found empty; emptied again unless it was kept.
class Target {
  public:
    static Result<Target> claim(Service& service, const std::string& path) {
        Target target(service.disk(), path);
        if (::mkdir(path.c_str(), 0700) == 0) {
            target.m_made = true;
            return target;
        }
        if (errno == EACCES || errno == EPERM)
            return makeError(
                ErrorKind::Permission,
                "{} cannot be made by {} ({}), the user that the engine runs as: make it, empty, and "
                "give it to that user, or choose another place",
                path, service.options().user.name, nameOfUser());
        if (errno != EEXIST)
            return errnoError(errno, "making " + path);
        const auto there = target.m_disk.list(path);
        if (!there) {
            target.m_kept = true;
            return std::move(there).error();
        }
        if (!there->empty()) {
            target.m_kept = true;
            return makeError(ErrorKind::AlreadyExists,
                             "{} is not empty: an export needs a new or an empty directory", path);
        }
        if (::access(path.c_str(), W_OK | X_OK) != 0) {
            target.m_kept = true;
            return makeError(ErrorKind::Permission,
                             "{} cannot be written by {}, the user that the engine runs as", path,
                             service.options().user.name);
        }
        return target;
    }
    Target(Target&& other) noexcept
        : m_disk(other.m_disk), m_path(std::move(other.m_path)), m_made(other.m_made),
          m_kept(std::exchange(other.m_kept, true)) {}
    Target& operator=(Target&&) = delete;
    ~Target() {
        if (m_kept)
            return;
        if (const auto names = m_disk.list(m_path))
            for (const std::string& name : *names)
                (void)removeTree(m_disk, m_path + "/" + name);
        if (m_made)
            (void)m_disk.removeDirectory(m_path);
    }
    void keep() { m_kept = true; }

  private:
    Target(Disk& disk, std::string path) : m_disk(disk), m_path(std::move(path)) {}
    Disk& m_disk;
    std::string m_path;
    bool m_made = false;
    bool m_kept = false;
};

struct ExportFile {
    InodeId inode;
    std::string path; // below the target
    std::uint64_t size = 0;
    std::uint32_t mode = 0600;
    bool hasChecksums = false; // pages of a relation
    std::uint32_t firstBlock = 0;
    std::string source; // of a file of the log: where it lies on the host
};

// "16384.2" begins with block 2 * 131072.
std::uint32_t firstBlockOf(std::string_view name) {
    const auto dot = name.rfind('.');
    return dot == std::string_view::npos
               ? 0
               : static_cast<std::uint32_t>(std::atoi(std::string(name.substr(dot + 1)).c_str())) *
                     blocksPerRelationFile;
}

class Writer {
  public:
    Writer(Service& service, TimelineView& view, std::string target, Job& job)
        : m_disk(service.disk()), m_view(view), m_target(std::move(target)), m_job(job) {}

    // Directories are made, files are noted.
    Status plan(const std::string& walFrom, bool checksums, const ControlFile& control) {
        m_checksums = checksums;
        ARBOR_TRY(planDirectory(m_view.root(), "", DirectoryRole::Root));
        return planLog(walFrom, control);
    }
    std::uint64_t totalBytes() const { return m_total; }
    ExportOutcome outcome() const { return {m_bytes, m_checkedPages, {}}; }

    Status write() {
        std::ranges::stable_sort(m_files, std::greater<>(), &ExportFile::size);
        CopyProgress progress(m_job, QStringLiteral("writing"), m_total, recoverShare, 1);
        ARBOR_TRY(
            copyInThreads(m_files.size(), progress, [&](std::size_t index, std::span<std::byte> buffer) {
                const ExportFile& file = m_files[index];
                return file.source.empty() ? writeFile(file, progress, buffer)
                                           : copyLog(file, progress, buffer);
            }));
        m_job.progress(-1, QStringLiteral("syncing"), static_cast<qint64>(progress.done()));
        flushAhead();
        ARBOR_TRY(syncTree(m_disk, m_target));
        // last: without it no server starts
        std::vector<std::byte> buffer(m_control.size);
        ARBOR_TRY(writeFile(m_control, progress, buffer));
        ARBOR_TRY(m_disk.syncFile(m_target + "/" + controlName));
        ARBOR_TRY(m_disk.syncDirectory(m_target + "/global"));
        m_bytes = progress.done();
        return m_disk.syncDirectory(fs::path(m_target).parent_path());
    }

  private:
    static constexpr const char* controlName = "global/pg_control";

    // One flush of the file system: the fsyncs that follow, of a thousand files, then find nothing left to
    // write.
    void flushAhead() const {
        const int directory = ::open(m_target.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
            return;
        (void)::syncfs(directory); // they report what fails
        ::close(directory);
    }
    Status makeDirectory(const std::string& below) { return m_disk.makeDirectory(m_target + "/" + below); }
    Status planDirectory(InodeId directory, const std::string& below, DirectoryRole role) {
        ARBOR_ASSIGN(const auto entries, entriesOf(m_view, directory));
        for (const DirectoryEntry& entry : entries)
            ARBOR_TRY(planEntry(directory, entry, below, role));
        return {};
    }
    Status planEntry(InodeId directory, const DirectoryEntry& entry, const std::string& below,
                     DirectoryRole role) {
        const std::string path = below.empty() ? entry.name : below + "/" + entry.name;
        if (isUnversioned(role, entry.name))
            return {};
        if (hostDirectory(role, entry.name, "")) // a link to the host here, an empty directory there
            return makeDirectory(path);
        ARBOR_ASSIGN(const Attributes attributes, m_view.lookup(directory, entry.name));
        if (attributes.type == FileType::Directory) {
            ARBOR_TRY(makeDirectory(path));
            return planDirectory(entry.inode, path, roleOfChild(role, entry.name));
        }
        if (attributes.type != FileType::Regular)
            return {};
        const bool relation = isPageFile(role, entry.name) && path != controlName &&
                              (role == DirectoryRole::Database || role == DirectoryRole::Global);
        ExportFile file{entry.inode,
                        path,
                        attributes.size,
                        attributes.mode,
                        relation && m_checksums,
                        relation ? firstBlockOf(entry.name) : 0,
                        {}};
        m_total += file.size;
        if (path == controlName)
            m_control = std::move(file);
        else
            m_files.push_back(std::move(file));
        return {};
    }
    Status planLog(const std::string& from, const ControlFile& control) {
        ARBOR_TRY(makeDirectory("pg_wal/archive_status"));
        if (control.format->major >= 17)
            ARBOR_TRY(makeDirectory("pg_wal/summaries"));
        ARBOR_ASSIGN(const auto names, m_disk.list(from));
        for (const std::string& name : names) {
            const auto segment = parseSegmentFileName(name, control.segmentSize);
            const bool needed = segment && segment->number >= control.redo.value / control.segmentSize;
            if (!needed && !parseHistoryFileName(name))
                continue;
            ARBOR_ASSIGN(const FileInfo info, m_disk.info(from + "/" + name));
            m_files.push_back({{}, "pg_wal/" + name, info.size, 0600, false, 0, from + "/" + name});
            m_total += info.size;
        }
        return {};
    }

    Status writeFile(const ExportFile& file, CopyProgress& progress, std::span<std::byte> buffer) {
        const std::string path = m_target + "/" + file.path;
        ARBOR_ASSIGN(const auto out, m_disk.createAppend(path));
        for (std::uint64_t at = 0; at < file.size && !progress.failed();) {
            const auto piece = buffer.first(std::min<std::uint64_t>(buffer.size(), file.size - at));
            ARBOR_ASSIGN(const std::size_t got, m_view.read(file.inode, at, piece));
            if (got != piece.size())
                return makeError(ErrorKind::Corruption, "{} ends at {} of {} bytes", file.path, at + got,
                                 file.size);
            if (file.hasChecksums)
                ARBOR_TRY(verify(file, at, piece));
            ARBOR_TRY(out->append(piece));
            at += got;
            ARBOR_TRY(progress.advance(got));
        }
        return m_disk.setMode(path, file.mode);
    }
    Status verify(const ExportFile& file, std::uint64_t at, Bytes bytes) {
        for (std::size_t page = 0; page + blockSize <= bytes.size(); page += blockSize) {
            const auto block = static_cast<std::uint32_t>((at + page) / blockSize);
            if (!pageIsWhole(bytes.subspan(page, blockSize), file.firstBlock + block))
                return makeError(
                    ErrorKind::Corruption,
                    "the checksum of block {} of {} is wrong: the database wrote it so, or it was "
                    "damaged before it came into the store",
                    block, file.path);
        }
        m_checkedPages += bytes.size() / blockSize;
        return {};
    }
    Status copyLog(const ExportFile& file, CopyProgress& progress, std::span<std::byte> buffer) {
        ARBOR_ASSIGN(const auto in, m_disk.openRead(file.source));
        ARBOR_ASSIGN(const auto out, m_disk.createAppend(m_target + "/" + file.path));
        for (std::uint64_t at = 0; !progress.failed();) {
            ARBOR_ASSIGN(const std::size_t got, in->readAt(at, buffer));
            if (got == 0)
                break;
            ARBOR_TRY(out->append(buffer.first(got)));
            at += got;
            ARBOR_TRY(progress.advance(got));
        }
        return {};
    }

    Disk& m_disk;
    TimelineView& m_view;
    const std::string m_target;
    Job& m_job;
    bool m_checksums = false;
    std::vector<ExportFile> m_files; // but for the last
    ExportFile m_control;
    std::uint64_t m_total = 0;
    std::uint64_t m_bytes = 0;
    std::atomic<std::uint64_t> m_checkedPages{0};
};

// Who starts the export as himself would stand before its door.
std::optional<std::string> whoIsKeptOut(TimelineView& view, const std::string& user,
                                        const std::string& directory) {
    const auto hba = readPath(view, "pg_hba.conf");
    if (!hba || user == "postgres" || !asksForPeer(*hba))
        return std::nullopt;
    return fmt::format(
        "pg_hba.conf lets the database user postgres in only from the account postgres (peer), and "
        "this is {0}; to change that: sed -i '/^local/s/peer$/peer map=own/' '{1}/pg_hba.conf' && echo "
        "'own {0} postgres' >>'{1}/pg_ident.conf'",
        user, directory);
}

// What a fork leaves behind of the branch, which somebody who moves elsewhere must know.
std::vector<std::string> slotsAt(Service& service, const TimelinePoint& point) {
    std::vector<std::string> names;
    const auto view = service.engine().look(point);
    if (!view)
        return names;
    const auto kept = (*view)->lookup((*view)->root(), "pg_replslot");
    if (!kept)
        return names;
    if (const auto entries = (*view)->readDirectory(kept->inode, 0, 10'000))
        for (const DirectoryEntry& entry : *entries)
            names.push_back("the replication slot " + entry.name +
                            " did not come along: its log stays in the store");
    return names;
}

} // namespace

Result<ExportOutcome> exportDirectory(Service& service, const TimelinePoint& point,
                                      const std::string& directory, Job& job) {
    if (directory.starts_with(service.options().store + "/"))
        return makeError(ErrorKind::InvalidArgument, "{} lies in the store itself", directory);
    ARBOR_ASSIGN(Target target, Target::claim(service, directory));
    ARBOR_ASSIGN(const Installation installation, service.installationFor(point.timeline));
    job.progress(0, QStringLiteral("recovering to the point"));
    ARBOR_ASSIGN(HiddenFork fork, HiddenFork::make(service, point));
    ARBOR_ASSIGN(const Service::HiddenServer server,
                 service.startHidden(fork.timeline(), true, installation, &job, [](EndpointSpec&) {}));
    ARBOR_TRY(service.endHidden(server, Endpoint::StopMode::Fast));
    ARBOR_ASSIGN(const ControlFile control, controlOf(fork.view()));
    if (!control.cleanlyShutDown())
        return makeError(ErrorKind::Io, "the server that recovered the export did not stop cleanly");
    Writer writer(service, fork.view(), directory, job);
    ARBOR_TRY(writer.plan(walDirectory(service.engine(), fork.timeline()), control.dataChecksums, control));
    ARBOR_TRY(checkSpace(service, directory, writer.totalBytes(), "the export"));
    ARBOR_TRY(writer.write());
    target.keep();
    ExportOutcome outcome = writer.outcome();
    outcome.report = slotsAt(service, point);
    if (auto keptOut = whoIsKeptOut(fork.view(), service.options().user.name, directory))
        outcome.report.push_back(std::move(*keptOut));
    if (!control.dataChecksums)
        outcome.report.push_back(
            "the cluster has no checksums: pages were compared with the store's own only");
    return outcome;
}

Result<ExportOutcome> exportDump(Service& service, const TimelinePoint& point, const std::string& file,
                                 const std::string& database, Job& job) {
    if (service.disk().info(file))
        return makeError(ErrorKind::AlreadyExists, "{} is there already", file);
    ARBOR_ASSIGN(const Installation installation, service.installationFor(point.timeline));
    job.progress(-1, QStringLiteral("recovering to the point"));
    ARBOR_ASSIGN(HiddenFork fork, HiddenFork::make(service, point));
    ARBOR_ASSIGN(const Service::HiddenServer server,
                 service.startHidden(fork.timeline(), true, installation, &job,
                                     [](EndpointSpec& spec) { spec.config.readOnly = true; }));
    std::string said;
    ProgramRun run{
        .program = installation.program(database.empty() ? "pg_dumpall" : "pg_dump"),
        .arguments = {"-w", "-f", file},
        .environment = {{"PGHOST", server.connection.socketDirectory},
                        {"PGPORT", std::to_string(server.connection.port)},
                        {"PGUSER", "postgres"}},
        .onLine = [&](std::string_view line) { said += (said.empty() ? "" : "; ") + std::string(line); },
        .cancelled =
            [&] {
                std::error_code error;
                const auto bytes = fs::file_size(file, error);
                job.progress(-1, QStringLiteral("dumping"), error ? 0 : static_cast<qint64>(bytes));
                return job.cancelRequested();
            }};
    if (!database.empty())
        run.arguments.insert(run.arguments.end(), {"-Fc", "-d", database});
    auto ended = runProgram(run);
    (void)service.endHidden(server, Endpoint::StopMode::Immediate);
    if (ended && *ended != 0)
        ended = makeError(ErrorKind::Io, "the dump failed: {}", said);
    if (ended)
        if (auto synced = service.disk().syncFile(file); !synced)
            ended = std::move(synced).error();
    if (!ended) {
        (void)removeTree(service.disk(), file);
        return std::move(ended).error();
    }
    ARBOR_ASSIGN(const FileInfo info, service.disk().info(file));
    ExportOutcome outcome;
    outcome.bytes = info.size;
    return outcome;
}

} // namespace arbor
