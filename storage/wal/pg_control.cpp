#include "storage/wal/pg_control.h"

#include "storage/base/crc32c.h"
#include "storage/base/ids.h"

namespace arbor {

namespace {

constexpr std::size_t leastSize = 512; // PG_CONTROL_MAX_SAFE_SIZE

} // namespace

bool ControlFile::consistentAt(Lsn at) const {
    if (backupStart || backupEnd || backupEndRequired)
        return false;
    if (state == ClusterState::InArchiveRecovery || state == ClusterState::ShutDownInRecovery)
        return minRecoveryPoint && at >= minRecoveryPoint;
    return true;
}

Result<ControlFile> parseControlFile(Bytes file) {
    if (file.size() < leastSize)
        return makeError(ErrorKind::Corruption, "pg_control has {} bytes; it should have 8192", file.size());
    const std::byte* at = file.data();
    const auto u32 = [&](std::size_t offset) { return loadLittle<std::uint32_t>(at + offset); };
    const auto u64 = [&](std::size_t offset) { return loadLittle<std::uint64_t>(at + offset); };
    const auto flag = [&](std::size_t offset) { return at[offset] != std::byte{0}; };

    ControlFile control;
    control.format = walFormatOfCatalog(u32(12));
    if (!control.format || control.format->controlVersion != u32(8))
        return makeError(
            ErrorKind::Unsupported,
            "pg_control has version {} and catalog version {}: PostgreSQL 14 to 18 are supported", u32(8),
            u32(12));
    if (Crc32c().add(at, control.format->controlCrcAt).finish() != u32(control.format->controlCrcAt))
        return makeError(ErrorKind::Corruption, "the checksum of pg_control is wrong");
    control.systemId = u64(0);
    control.catalogVersion = u32(12);
    control.state = static_cast<ClusterState>(u32(16));
    control.checkpoint = {u64(32)};
    control.redo = {u64(40)};
    control.tli = u32(48);
    control.nextXid = u64(64);
    control.checkpointTime = {static_cast<std::int64_t>(u64(104)) * 1'000'000};
    control.minRecoveryPoint = {u64(136)};
    control.minRecoveryTli = u32(144);
    control.backupStart = {u64(152)};
    control.backupEnd = {u64(160)};
    control.backupEndRequired = flag(168);
    control.walLevel = u32(172);
    control.blockSize = u32(216);
    control.relationSegmentBlocks = u32(220);
    control.pageSize = u32(224);
    control.segmentSize = u32(228);
    control.dataChecksums = u32(252) != 0;
    if (control.blockSize != blockSize || control.pageSize != wal::pageSize)
        return makeError(
            ErrorKind::Unsupported,
            "the cluster has data blocks of {} bytes and log blocks of {}: only 8192 is supported",
            control.blockSize, control.pageSize);
    if (!isSegmentSize(control.segmentSize))
        return makeError(ErrorKind::Corruption, "pg_control says log segments have {} bytes",
                         control.segmentSize);
    return control;
}

} // namespace arbor
