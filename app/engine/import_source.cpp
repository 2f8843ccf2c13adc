#include "app/engine/import_source.h"

#include "app/engine/import_configuration.h"
#include "app/postgres/installations.h"
#include "app/postgres/leftovers.h"
#include "storage/base/time.h"
#include "storage/names/roles.h"
#include "storage/wal/wal_segments.h"

#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

namespace arbor {

namespace fs = std::filesystem;

namespace {

std::string userName(uid_t uid) {
    const passwd* user = ::getpwuid(uid);
    return user ? user->pw_name : std::to_string(uid);
}

Error unreadable(const std::string& path) {
    return makeError(ErrorKind::Permission,
                     "{} cannot be read by {}, the user that the engine runs as: give that user the right to "
                     "(sudo setfacl -R -m u:{}:rX DIR), or copy the directory to where it has it",
                     path, userName(::geteuid()), userName(::geteuid()));
}

Result<std::string> readText(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file)
        return errno == EACCES ? unreadable(path) : errnoError(errno, "reading " + path.string());
    return std::string(std::istreambuf_iterator<char>(file), {});
}

bool isThere(const fs::path& path) {
    std::error_code error;
    return fs::exists(fs::symlink_status(path, error));
}

// A directory above or beside the one that was meant is the usual mistake.
std::string hintFor(const fs::path& path) {
    std::error_code error;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error))
        if (isThere(entry->path() / "PG_VERSION"))
            return fmt::format("; {} is one", entry->path().string());
    return {};
}

Result<int> majorOf(const fs::path& path) {
    if (!isThere(path / "PG_VERSION"))
        return makeError(ErrorKind::InvalidArgument,
                         "{} is not a data directory of PostgreSQL: there is no PG_VERSION in it{}",
                         path.string(), hintFor(path));
    ARBOR_ASSIGN(const std::string text, readText(path / "PG_VERSION"));
    const int major = std::atoi(text.c_str());
    if (major < oldestMajor || major > newestMajor)
        return makeError(ErrorKind::Unsupported,
                         "{} belongs to PostgreSQL {}: majors {} to {} are supported; bring it there with "
                         "pg_upgrade, or import a dump of it (import --dump)",
                         path.string(), text.substr(0, text.find('\n')), oldestMajor, newestMajor);
    if (!isThere(path / "global/pg_control"))
        return makeError(ErrorKind::InvalidArgument,
                         "{} is not a whole data directory: there is no global/pg_control in it",
                         path.string());
    return major;
}

Result<ControlFile> controlOf(const fs::path& path) {
    constexpr std::uint32_t usualSegmentBlocks = 131'072;
    ARBOR_ASSIGN(const std::string content, readText(path / "global/pg_control"));
    ARBOR_ASSIGN(const ControlFile control, parseControlFile(std::as_bytes(std::span(content))));
    if (control.relationSegmentBlocks != usualSegmentBlocks)
        return makeError(ErrorKind::Unsupported,
                         "{} keeps its tables in files of {} blocks, as the servers of this machine (131072) "
                         "cannot read: import a dump of it (import --dump)",
                         path.string(), control.relationSegmentBlocks);
    return control;
}

Status findTablespaces(const fs::path& path, DataDirectory& found) {
    std::error_code error;
    for (fs::directory_iterator entry(path / "pg_tblspc", error), end; !error && entry != end;
         entry.increment(error)) {
        const std::string oid = entry->path().filename();
        if (oid.find_first_not_of("0123456789") != std::string::npos)
            continue;
        std::error_code broken;
        const fs::path location = fs::canonical(entry->path(), broken);
        if (broken)
            return makeError(broken.value() == EACCES ? ErrorKind::Permission : ErrorKind::NotFound,
                             "tablespace {} of {} cannot be reached: {}: {}", oid, path.string(),
                             fs::read_symlink(entry->path(), error).string(), broken.message());
        found.tablespaces.push_back({oid, location, location});
    }
    return {};
}

// Where the server was told to find its configuration: postmaster.opts holds its last command line.
std::string configurationOf(const fs::path& path) {
    if (isThere(path / "postgresql.conf"))
        return path / "postgresql.conf";
    const auto options = readText(path / "postmaster.opts");
    if (!options)
        return {};
    const std::string key = "config_file=";
    const auto at = options->find(key);
    if (at == std::string::npos)
        return {};
    const auto begin = at + key.size();
    const std::string file = options->substr(begin, options->find_first_of("\"\n", begin) - begin);
    return isThere(file) ? file : std::string();
}

// Regular files below a directory, as far as they will be copied; the log is counted apart.
Result<std::uint64_t> bytesBelow(const fs::path& path, DirectoryRole role) {
    std::uint64_t bytes = 0;
    std::error_code error;
    for (fs::directory_iterator entry(path, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename();
        if (hostDirectory(role, name, "") || isUnversioned(role, name) || entry->is_symlink(error))
            continue;
        if (entry->is_directory(error)) {
            if (role == DirectoryRole::Root && (name == "lost+found" || name == "log" || name == "pg_log"))
                continue;
            ARBOR_ASSIGN(const std::uint64_t inside, bytesBelow(entry->path(), roleOfChild(role, name)));
            bytes += inside;
        } else if (entry->is_regular_file(error)) {
            bytes += entry->file_size(error);
        }
    }
    if (error && error.value() == EACCES)
        return unreadable(path);
    if (error && error.value() != ENOENT)
        return errnoError(error.value(), "looking through " + path.string());
    return bytes;
}

// A backup recovers from where its label says: its pg_control was copied later.
Result<Lsn> recoveryBegin(const DataDirectory& found) {
    if (!found.isBackup)
        return found.control.redo;
    constexpr std::string_view key = "START WAL LOCATION: "; // ... 0/2000028 (file 000000010000000000000002)
    ARBOR_ASSIGN(const std::string label, readText(found.path + "/backup_label"));
    const auto at = label.find(key);
    const auto begin = at == std::string::npos ? std::string::npos : at + key.size();
    const auto lsn = begin == std::string::npos
                         ? std::nullopt
                         : Lsn::parse(label.substr(begin, label.find(' ', begin) - begin));
    if (!lsn)
        return makeError(ErrorKind::Corruption, "{}/backup_label does not say where its log begins",
                         found.path);
    return *lsn;
}

Status measure(DataDirectory& found) {
    ARBOR_ASSIGN(found.bytes, bytesBelow(found.path, DirectoryRole::Root));
    for (const SourceTablespace& tablespace : found.tablespaces) {
        if (tablespace.location.starts_with(found.path + "/"))
            continue; // made in place: counted already
        ARBOR_ASSIGN(const std::uint64_t bytes, bytesBelow(tablespace.location + "/" + found.versionDirectory,
                                                           DirectoryRole::TablespaceVersion));
        found.bytes += bytes;
    }
    return {};
}

} // namespace

Status checkNotRunning(const std::string& dataDirectory) {
    const auto content = readText(fs::path(dataDirectory) / "postmaster.pid");
    if (!content)
        return content.error().kind() == ErrorKind::NotFound ? Status() : Status(content.error());
    const auto lock = parseLockFile(*content);
    if (!lock)
        return {}; // torn: its server is dead, or starts and will be seen when the copy is complete
    const auto process = processInfo(lock->pid);
    const std::string name = readSmallFile(fmt::format("/proc/{}/comm", lock->pid)).value_or("");
    constexpr std::int64_t tolerance = 2; // the clock may have been corrected
    if (!process || process->hasEnded() || !name.starts_with("post") ||
        startedAt(process->identity) > lock->startTime + tolerance)
        return {};
    return makeError(
        ErrorKind::Busy,
        "a server runs on {} (process {}, started {}): stop it first, or import it as it runs with "
        "import --from postgresql://...",
        dataDirectory, lock->pid, Timestamp{lock->startTime * 1'000'000}.toIso());
}

Result<DataDirectory> inspectDataDirectory(const std::string& path) {
    std::error_code error;
    DataDirectory found;
    found.path = fs::canonical(path, error);
    if (error)
        return error.value() == EACCES ? unreadable(path)
                                       : makeError(ErrorKind::NotFound, "there is no directory {}", path);
    if (!fs::is_directory(found.path, error))
        return makeError(ErrorKind::NotADirectory, "{} is not a directory; a dump is imported with --dump",
                         path);
    if (::access(found.path.c_str(), R_OK | X_OK) != 0)
        return unreadable(found.path);
    ARBOR_ASSIGN(found.major, majorOf(found.path));
    ARBOR_TRY(checkNotRunning(found.path));
    ARBOR_ASSIGN(found.control, controlOf(found.path));
    if (found.control.format->major != found.major)
        return makeError(ErrorKind::Corruption, "{} says PostgreSQL {} in PG_VERSION and {} in pg_control",
                         found.path, found.major, found.control.format->major);
    found.versionDirectory = fmt::format("PG_{}_{}", found.major, found.control.catalogVersion);
    found.walDirectory = fs::canonical(fs::path(found.path) / "pg_wal", error);
    if (error)
        return makeError(ErrorKind::NotFound, "{}/pg_wal leads nowhere: {}", found.path, error.message());
    ARBOR_TRY(findTablespaces(found.path, found));
    for (fs::directory_iterator entry(fs::path(found.path) / "pg_replslot", error), end;
         !error && entry != end; entry.increment(error))
        found.replicationSlots.push_back(entry->path().filename());
    struct stat status {};
    if (::stat(found.path.c_str(), &status) == 0)
        found.owner = userName(status.st_uid);
    found.configurationFile = configurationOf(found.path);
    found.isStandby =
        isThere(fs::path(found.path) / "standby.signal") || isThere(fs::path(found.path) / "recovery.signal");
    found.isBackup = isThere(fs::path(found.path) / "backup_label");
    ARBOR_ASSIGN(found.recoverFrom, recoveryBegin(found));
    ARBOR_TRY(measure(found));
    return found;
}

Result<std::vector<std::string>> neededLog(Disk& disk, const DataDirectory& source) {
    const std::uint64_t first = source.recoverFrom.value;
    const std::uint32_t size = source.control.segmentSize;
    ARBOR_ASSIGN(const auto names, disk.list(source.walDirectory));
    std::vector<std::string> needed;
    for (const std::string& name : names) {
        if (parseHistoryFileName(name)) {
            needed.push_back(name);
            continue;
        }
        const auto segment = parseSegmentFileName(name, size);
        if (!segment || segment->number < first / size)
            continue;
        ARBOR_ASSIGN(const auto file, disk.openRead(source.walDirectory + "/" + name));
        ARBOR_ASSIGN(const auto header, readFirstPage(*file));
        // a recycled one, made ready under its next name, still carries its old address
        if (header && header->address.value == segment->number * size)
            needed.push_back(name);
    }
    return needed;
}

Status checkReplay(Disk& disk, const DataDirectory& source) {
    constexpr std::uint8_t tablespaceManager = 5; // RM_TBLSPC_ID
    constexpr std::uint8_t tablespaceCreate = 0x00;
    constexpr std::size_t locationAt = 4; // xl_tblspc_create_rec: oid, then the path
    if (source.control.cleanlyShutDown() && !source.isBackup)
        return {};
    WalChain chain(disk, {{{source.walDirectory}, Lsn()}}, source.control.segmentSize,
                   source.control.systemId);
    ARBOR_TRY(chain.followTli(source.control.recoveryTli()));
    WalReader reader(chain, *source.control.format, source.control.systemId);
    reader.begin(source.recoverFrom);
    for (;;) {
        ARBOR_ASSIGN(const WalRecord* record, reader.next());
        if (!record)
            return {};
        if (!record->is(tablespaceManager, tablespaceCreate))
            continue;
        ARBOR_ASSIGN(const RecordParts parts, partsOf(*record, *source.control.format));
        if (parts.mainData.size() > locationAt && parts.mainData[locationAt] != std::byte{0})
            return makeError(
                ErrorKind::Refused,
                "a tablespace was made outside of {} since its last checkpoint, and recovering that "
                "would write there: start its server once more, stop it cleanly, and import again",
                source.path);
    }
}

} // namespace arbor
