#include "storage/wal/fork_wal.h"

#include <algorithm>

namespace arbor {

namespace {

constexpr std::size_t copyBytes = 1u << 20;
constexpr std::uint64_t mostCountedBytes = 64u << 20; // bounds what a fork waits for
constexpr std::uint32_t finishedMode = 0400;
constexpr std::uint32_t liveMode = 0600;

// Copies the first `length` bytes of a file into a new file of `size` bytes, zeros behind; synced.
Status copyFront(Disk& disk, const ReadableFile& from, const std::string& to, std::uint64_t length,
                 std::uint64_t size) {
    ARBOR_ASSIGN(auto out, disk.createAppend(to));
    std::vector<std::byte> buffer(std::min<std::uint64_t>(copyBytes, length));
    for (std::uint64_t at = 0; at < length;) {
        const MutableBytes piece =
            MutableBytes(buffer).first(std::min<std::uint64_t>(buffer.size(), length - at));
        ARBOR_ASSIGN(const std::size_t got, from.readAt(at, piece));
        if (got == 0)
            break;
        ARBOR_TRY(out->append(piece.first(got)));
        at += got;
    }
    out.reset();
    ARBOR_TRY(disk.truncate(to, size));
    return disk.syncFile(to);
}

Error missingSegment(WalChain& chain, std::uint64_t number) {
    return makeError(
        ErrorKind::Refused,
        "the log from {} to {} is no longer kept: choose a later point, or lengthen the history window",
        chain.startOf(number), chain.startOf(number + 1));
}

// The state at a checkpoint with what is known of the log before it: a checkpoint by itself knows no commits.
// Log is read from the known state to the checkpoint to count them, as long as it is there and not much.
ScanState atCheckpoint(WalChain& chain, const WalFormat& format, const ScanState& checkpoint,
                       const ScanState& known) {
    ScanState counted = known;
    if (known.tli == checkpoint.tli && known.end < checkpoint.end &&
        checkpoint.end.value - known.end.value <= mostCountedBytes) {
        const auto read = readForward(chain, format, known, checkpoint.end);
        if (read && read->end == checkpoint.end)
            counted = *read;
    }
    ScanState state = checkpoint;
    state.commits = std::max(state.commits, counted.commits);
    state.latestCommit = std::max(state.latestCommit, counted.latestCommit);
    state.lastCommit = std::max(state.lastCommit, std::min(counted.lastCommit, state.end));
    return state;
}

} // namespace

Result<ForkWalPlan> planForkWal(WalChain& chain, const ControlFile& control, Lsn at,
                                const std::optional<ScanState>& known) {
    if (!control.consistentAt(at))
        return makeError(
            ErrorKind::Refused,
            "the database is not consistent yet: it is being restored or follows another server; start it "
            "and wait until it accepts connections");
    ForkWalPlan plan;
    plan.tli = control.recoveryTli();
    plan.redo = control.redo;
    plan.cleanStop = control.cleanlyShutDown();
    ARBOR_ASSIGN(ScanState checkpoint, WalScanner::stateAtCheckpoint(chain, control));
    if (checkpoint.end > at)
        return makeError(ErrorKind::Corruption,
                         "pg_control names a checkpoint that ends at {}, behind the fork's {}",
                         checkpoint.end, at);
    checkpoint.tli = plan.tli;
    if (known)
        checkpoint = atCheckpoint(chain, *control.format, checkpoint, *known);
    if (plan.cleanStop) {
        plan.state = checkpoint;
    } else {
        const bool useKnown =
            known && known->end >= checkpoint.end && known->end <= at && known->tli == plan.tli;
        ARBOR_ASSIGN(plan.state, readForward(chain, *control.format, useKnown ? *known : checkpoint, at));
    }
    plan.state.tli = plan.tli;
    plan.firstSegment = chain.segmentOf(plan.redo);
    plan.endSegment = chain.segmentOf(plan.state.end);
    if (plan.state.end != chain.startOf(plan.endSegment))
        plan.cutSegment = plan.endSegment;
    for (std::uint64_t number = plan.firstSegment; number < plan.endSegment + (plan.cutSegment ? 1 : 0);
         ++number) {
        ARBOR_ASSIGN(const auto place, chain.locate(number));
        if (!place)
            return missingSegment(chain, number);
    }
    return plan;
}

namespace {

Status linkFinished(WalChain& chain, std::uint64_t number, const std::string& directory) {
    ARBOR_ASSIGN(const auto place, chain.locate(number));
    if (!place)
        return missingSegment(chain, number);
    if (place->limit && place->limit < chain.startOf(number + 1))
        return makeError(ErrorKind::Corruption, "{} is cut at {}, but the fork needs all of it", place->path,
                         place->limit);
    ARBOR_TRY(chain.disk().setMode(place->path, finishedMode));
    return chain.disk().link(place->path, directory + "/" + place->name);
}

// The history files of a Postgres timeline's past: a recovery wants to see them.
Status copyHistories(WalChain& chain, const std::string& directory) {
    for (const auto& entry : chain.history().entries()) {
        const std::string name = historyFileName(entry.tli);
        bool copied = entry.tli == 1;
        for (const WalLayer& layer : chain.layers())
            for (const std::string& from : layer.directories) {
                auto file = copied ? makeError(ErrorKind::NotFound, "copied")
                                   : chain.disk().openRead(from + "/" + name);
                if (!file && file.error().kind() == ErrorKind::NotFound)
                    continue;
                if (!file)
                    return std::move(file).error();
                ARBOR_ASSIGN(const std::uint64_t size, (*file)->size());
                ARBOR_TRY(copyFront(chain.disk(), **file, directory + "/" + name, size, size));
                copied = true;
            }
    }
    return {};
}

} // namespace

Status buildForkWal(WalChain& chain, const ForkWalPlan& plan, const std::string& directory) {
    Disk& disk = chain.disk();
    const auto there = disk.info(directory);
    if (there)
        return {};
    if (there.error().kind() != ErrorKind::NotFound)
        return there.error();
    const std::string unfinished = directory + ".new";
    ARBOR_TRY(removeTree(disk, unfinished));
    ARBOR_TRY(disk.makeDirectory(unfinished));
    ARBOR_TRY(disk.makeDirectory(unfinished + "/archive_status"));
    ARBOR_TRY(chain.followTli(plan.tli));
    for (std::uint64_t number = plan.firstSegment; number < plan.endSegment; ++number)
        ARBOR_TRY(linkFinished(chain, number, unfinished));
    if (plan.cutSegment) {
        ARBOR_ASSIGN(const auto place, chain.locate(*plan.cutSegment));
        if (!place)
            return missingSegment(chain, *plan.cutSegment);
        ARBOR_ASSIGN(const auto file, disk.openRead(place->path));
        ARBOR_TRY(copyFront(disk, *file, unfinished + "/" + place->name,
                            plan.state.end - chain.startOf(*plan.cutSegment), chain.segmentSize()));
    }
    ARBOR_TRY(copyHistories(chain, unfinished));
    ARBOR_TRY(disk.syncDirectory(unfinished + "/archive_status"));
    ARBOR_TRY(disk.syncDirectory(unfinished));
    ARBOR_TRY(disk.rename(unfinished, directory));
    return disk.syncDirectory(directory.substr(0, directory.rfind('/')));
}

Status syncLog(WalChain& chain, Lsn from, Lsn to) {
    for (std::uint64_t number = chain.segmentOf(from); chain.startOf(number) < to; ++number) {
        ARBOR_ASSIGN(const auto place, chain.locate(number));
        if (!place)
            return missingSegment(chain, number);
        ARBOR_TRY(chain.disk().syncFile(place->path));
        ARBOR_TRY(chain.disk().syncDirectory(place->path.substr(0, place->path.rfind('/'))));
    }
    return {};
}

namespace {

// Replaces wal/NAME by a private copy of its first `length` bytes, and walkeep/NAME by a link to that. A
// crash leaves the old file, or the new one with the old still in walkeep, which the next start puts right.
Status replaceByCopy(Disk& disk, const UnshareDirectories& directories, const std::string& name,
                     std::uint64_t length, std::uint64_t size) {
    const std::string path = directories.wal + "/" + name, unfinished = path + ".copy";
    const std::string kept = directories.keep + "/" + name;
    const auto old = disk.info(unfinished);
    if (old)
        ARBOR_TRY(disk.unlink(unfinished));
    ARBOR_ASSIGN(const auto file, disk.openRead(path));
    ARBOR_TRY(copyFront(disk, *file, unfinished, length, size));
    ARBOR_TRY(disk.rename(unfinished, path));
    ARBOR_TRY(disk.syncDirectory(directories.wal));
    if (!disk.info(kept))
        return {};
    ARBOR_TRY(disk.unlink(kept));
    ARBOR_TRY(disk.link(path, kept));
    return disk.syncDirectory(directories.keep);
}

Status removeSegment(Disk& disk, const UnshareDirectories& directories, const std::string& name) {
    for (const std::string& directory : {directories.keep, directories.wal})
        if (disk.info(directory + "/" + name)) {
            ARBOR_TRY(disk.unlink(directory + "/" + name));
            ARBOR_TRY(disk.syncDirectory(directory));
        }
    return {};
}

} // namespace

Status unshareFrom(Disk& disk, const UnshareDirectories& directories, std::uint32_t segmentSize, Lsn resume,
                   bool cut) {
    const std::uint64_t first = resume.value / segmentSize;
    ARBOR_ASSIGN(const auto names, disk.list(directories.wal));
    for (const std::string& name : names) {
        const auto segment = parseSegmentFileName(name, segmentSize);
        if (!segment || segment->number < first)
            continue;
        const std::string path = directories.wal + "/" + name;
        const std::uint64_t start = segment->number * segmentSize;
        if (cut && start >= resume.value) {
            ARBOR_TRY(removeSegment(disk, directories, name));
            continue;
        }
        ARBOR_ASSIGN(const FileInfo info, disk.info(path));
        const auto kept = disk.info(directories.keep + "/" + name);
        const std::uint32_t own = kept && kept->inode == info.inode ? 2 : 1;
        if (cut || info.links > own)
            ARBOR_TRY(
                replaceByCopy(disk, directories, name, cut ? resume.value - start : info.size, segmentSize));
        else if (info.mode != liveMode)
            ARBOR_TRY(disk.setMode(path, liveMode));
    }
    return {};
}

} // namespace arbor
