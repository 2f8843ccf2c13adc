// What Postgres's write-ahead log looks like, byte by byte, for majors 14 to 18. All numbers are
// little-endian: the log has the machine's byte order, and we run on little-endian machines only (a wrong
// magic number says so).
//
// A log is a row of segment files of equal size (1 MB to 1 GB). A segment is a row of 8192-byte pages. Each
// page begins with a header (access/xlog_internal.h); the first page of a segment has a long one:
//
//    0  u16 magic         differs by major
//    2  u16 info          1 first bytes continue a record, 2 long header, 8 the continuation was overwritten
//    4  u32 tli           Postgres's timeline id of the first record on the page
//    8  u64 pageaddr      this page's own LSN
//   16  u32 rem_len       bytes that remain of the record continued here; 4 bytes of padding follow
//   24  u64 sysid         long header only: the cluster's system identifier
//   32  u32 seg_size      long header only
//   36  u32 xlog_blcksz   long header only
//
// Records begin at multiples of 8 and run over page boundaries, skipping the headers (access/xlogrecord.h):
//
//    0  u32 tot_len       with this header
//    4  u32 xid           0: none
//    8  u64 prev          LSN of the record before
//   16  u8  info          high four bits belong to the resource manager
//   17  u8  rmid          resource manager; 2 bytes of padding follow
//   20  u32 crc           CRC-32C of bytes 24 to the end, then of bytes 0 to 19
#pragma once

#include "storage/base/lsn.h"
#include "storage/disk/disk.h"

#include <bit>
#include <cstdint>
#include <cstring>

namespace arbor {

static_assert(std::endian::native == std::endian::little, "the log is read in place");

template <class Number>
Number loadLittle(const std::byte* at) {
    Number value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

namespace wal {

inline constexpr std::uint64_t pageSize = 8192; // XLOG_BLCKSZ; other sizes are refused at import
inline constexpr std::uint32_t shortHeader = 24;
inline constexpr std::uint32_t longHeader = 40;
inline constexpr std::uint32_t recordHeader = 24;
inline constexpr std::uint32_t minSegmentSize = 1u << 20;
inline constexpr std::uint32_t maxSegmentSize = 1u << 30;

// page header info
inline constexpr std::uint16_t firstIsContinuation = 1;
inline constexpr std::uint16_t hasLongHeader = 2;
inline constexpr std::uint16_t firstIsOverwrite = 8; // 4, "removable", means nothing to a reader
inline constexpr std::uint16_t allPageFlags = 15;

// resource managers (access/rmgrlist.h)
inline constexpr std::uint8_t rmXlog = 0;
inline constexpr std::uint8_t rmTransaction = 1;
inline constexpr std::uint8_t rmDatabase = 4;
inline constexpr std::uint8_t rmHeap = 10;
inline constexpr std::uint8_t rmLast = 21;
inline constexpr std::uint8_t rmFirstCustom = 128;

inline constexpr std::uint8_t infoMask = 0xF0; // the resource manager's part of xl_info

// XLOG records (catalog/pg_control.h)
inline constexpr std::uint8_t xlogCheckpointShutdown = 0x00;
inline constexpr std::uint8_t xlogCheckpointOnline = 0x10;
inline constexpr std::uint8_t xlogSwitch = 0x40;
inline constexpr std::uint8_t xlogParameterChange = 0x60;
inline constexpr std::uint8_t xlogRestorePoint = 0x70;
inline constexpr std::uint8_t xlogFpwChange = 0x80;
inline constexpr std::uint8_t xlogEndOfRecovery = 0x90;
inline constexpr std::uint8_t xlogOverwriteContrecord = 0xD0;

// transaction records (access/xact.h)
inline constexpr std::uint8_t xactMask = 0x70;
inline constexpr std::uint8_t xactCommit = 0x00;
inline constexpr std::uint8_t xactPrepare = 0x10;
inline constexpr std::uint8_t xactAbort = 0x20;
inline constexpr std::uint8_t xactCommitPrepared = 0x30;
inline constexpr std::uint8_t xactAbortPrepared = 0x40;
inline constexpr std::uint8_t xactHasInfo = 0x80;
inline constexpr std::uint32_t xinfoDatabase = 1u << 0;
inline constexpr std::uint32_t xinfoSubxacts = 1u << 1;
inline constexpr std::uint32_t xinfoRelations = 1u << 2;
inline constexpr std::uint32_t xinfoInvalidations = 1u << 3;
inline constexpr std::uint32_t xinfoTwoPhase = 1u << 4;
inline constexpr std::uint32_t xinfoDroppedStats = 1u << 8;

// heap records (access/heapam_xlog.h)
inline constexpr std::uint8_t heapMask = 0x70;
inline constexpr std::uint8_t heapDelete = 0x10;
inline constexpr std::uint8_t heapInplace = 0x70;

inline constexpr std::uint32_t globalTablespace = 1664; // catalog/pg_tablespace.dat, pg_global

} // namespace wal

// What differs between majors, and what tells them apart.
struct WalFormat {
    int major;
    bool tried;                   // against a server of this major
    std::uint16_t pageMagic;      // XLOG_PAGE_MAGIC, access/xlog_internal.h
    std::uint32_t controlVersion; // PG_CONTROL_VERSION, catalog/pg_control.h: 14 to 16 share one
    std::uint32_t catalogVersion; // CATALOG_VERSION_NO, catalog/catversion.h
    std::uint32_t controlCrcAt;   // offset of ControlFileData.crc, the end of what it covers
    bool customManagers;          // RmgrIdIsValid accepts 128..255 (access/rmgr.h, since 15)
    std::uint8_t imageCompressed; // bits of bimg_info that say compressed (access/xlogrecord.h)
    std::uint8_t databaseCreateCopy;
    std::uint8_t databaseCreateLog; // commands/dbcommands_xlog.h; 0xFF where there is none
    std::uint8_t databaseDrop;
    std::uint8_t droppedStatBytes; // sizeof(xl_xact_stats_item), access/xact.h; 0 where there is none
};

// The formats by their page magic, by pg_control's catalog version, and by major; null for one that is not
// known.
const WalFormat* walFormatOfMagic(std::uint16_t magic);
const WalFormat* walFormatOfCatalog(std::uint32_t catalogVersion);
const WalFormat* walFormatOfMajor(int major);

constexpr bool isSegmentSize(std::uint64_t size) {
    return std::has_single_bit(size) && size >= wal::minSegmentSize && size <= wal::maxSegmentSize;
}
constexpr Lsn pageOf(Lsn lsn) {
    return {lsn.value & ~(wal::pageSize - 1)};
}
constexpr std::uint64_t alignRecord(std::uint64_t length) {
    return (length + 7) & ~std::uint64_t{7};
}

struct PageHeader {
    std::uint16_t magic = 0;
    std::uint16_t info = 0;
    std::uint32_t tli = 0;
    Lsn address;
    std::uint32_t remaining = 0;
    std::uint64_t systemId = 0; // the last three with a long header only
    std::uint32_t segmentSize = 0;
    std::uint32_t pageSize = 0;

    bool isLong() const { return (info & wal::hasLongHeader) != 0; }
    std::uint32_t length() const { return isLong() ? wal::longHeader : wal::shortHeader; }
    // at least longHeader bytes
    static PageHeader load(const std::byte* page);
};

} // namespace arbor
