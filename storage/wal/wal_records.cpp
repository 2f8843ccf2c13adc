#include "storage/wal/wal_records.h"

#include "storage/format/coding.h"

namespace arbor {

namespace {

std::string_view textOf(Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Counts in a record are signed there; a nonsensical one must not become an allocation.
std::uint32_t takeCount(Decoder& body, std::size_t itemBytes, std::size_t bodyBytes) {
    const std::uint32_t count = body.fixed32();
    if (count > bodyBytes / itemBytes)
        body.raw(bodyBytes + 1); // fails the decoder
    return body.ok() ? count : 0;
}

void takeXids(Decoder& body, std::uint32_t count, WalEvent& event) {
    for (std::uint32_t i = 0; i < count && body.ok(); ++i)
        event.subxids.push_back(body.fixed32());
}

void takeRelations(Decoder& body, std::uint32_t count, WalEvent& event) {
    for (std::uint32_t i = 0; i < count && body.ok(); ++i) {
        RelationFile file;
        file.tablespace = body.fixed32();
        file.database = body.fixed32();
        file.relation = body.fixed32();
        event.dropped.push_back(file);
    }
}

// xl_xact_commit, xl_xact_abort (access/xact.h): the time, then what xinfo says is there, in a fixed order.
bool takeCommitOrAbort(const WalRecord& record, const WalFormat& format, Decoder body, std::size_t size,
                       WalEvent& event) {
    const std::uint8_t opcode = record.info & wal::xactMask;
    event.prepared = opcode == wal::xactCommitPrepared || opcode == wal::xactAbortPrepared;
    event.time = Timestamp::fromPostgres(static_cast<std::int64_t>(body.fixed64()));
    const std::uint32_t xinfo = record.info & wal::xactHasInfo ? body.fixed32() : 0;
    if (xinfo & wal::xinfoDatabase)
        body.raw(8);
    if (xinfo & wal::xinfoSubxacts)
        takeXids(body, takeCount(body, 4, size), event);
    if (xinfo & wal::xinfoRelations)
        takeRelations(body, takeCount(body, 12, size), event);
    if ((xinfo & wal::xinfoDroppedStats) && format.droppedStatBytes != 0)
        body.raw(std::size_t{takeCount(body, format.droppedStatBytes, size)} * format.droppedStatBytes);
    if (xinfo & wal::xinfoInvalidations) // commits only
        body.raw(std::size_t{takeCount(body, 16, size)} * 16);
    if (xinfo & wal::xinfoTwoPhase)
        event.xid = body.fixed32();
    return body.ok();
}

// xl_xact_prepare; 15 put two counts of statistics before the count of invalidations.
bool takePrepare(const WalFormat& format, Decoder body, std::size_t size, WalEvent& event) {
    body.raw(8); // magic, length
    event.xid = body.fixed32();
    body.raw(4); // database
    event.time = Timestamp::fromPostgres(static_cast<std::int64_t>(body.fixed64()));
    body.raw(4); // owner
    const std::uint32_t subxids = takeCount(body, 4, size);
    body.raw(format.droppedStatBytes != 0 ? 8 + 8 + 4 : 8 + 4); // counts
    body.raw(2);                                                // initfileinval and padding
    const std::size_t nameBytes = body.byte() | body.byte() << 8;
    body.raw(16);                                                              // origin
    const std::string_view name = body.raw((nameBytes + 7) & ~std::size_t{7}); // MAXALIGNed
    event.name = name.substr(0, name.find('\0'));
    takeXids(body, subxids, event);
    return body.ok();
}

bool takeTransaction(const WalRecord& record, const WalFormat& format, Bytes data,
                     std::optional<WalEvent>& event) {
    const Decoder body(textOf(data));
    switch (record.info & wal::xactMask) {
    case wal::xactCommit:
    case wal::xactCommitPrepared:
        event->kind = WalEventKind::Commit;
        return takeCommitOrAbort(record, format, body, data.size(), *event);
    case wal::xactAbort:
    case wal::xactAbortPrepared:
        event->kind = WalEventKind::Abort;
        return takeCommitOrAbort(record, format, body, data.size(), *event);
    case wal::xactPrepare:
        event->kind = WalEventKind::Prepare;
        return takePrepare(format, body, data.size(), *event);
    default:
        event.reset();
        return true;
    }
}

bool takeCheckpoint(Decoder body, WalEvent& event) {
    event.redo = {body.fixed64()};
    event.tli = body.fixed32();
    event.previousTli = body.fixed32();
    body.raw(8); // full_page_writes, 18: wal_level
    event.nextXid = body.fixed64();
    body.raw(32);
    event.time = {static_cast<std::int64_t>(body.fixed64()) * 1'000'000};
    return body.ok();
}

bool takeXlog(const WalRecord& record, Bytes data, std::optional<WalEvent>& event) {
    Decoder body(textOf(data));
    switch (record.info & wal::infoMask) {
    case wal::xlogCheckpointShutdown:
    case wal::xlogCheckpointOnline:
        event->kind = record.is(wal::rmXlog, wal::xlogCheckpointOnline) ? WalEventKind::CheckpointOnline
                                                                        : WalEventKind::CheckpointShutdown;
        return takeCheckpoint(body, *event);
    case wal::xlogEndOfRecovery:
        event->kind = WalEventKind::EndOfRecovery;
        event->time = Timestamp::fromPostgres(static_cast<std::int64_t>(body.fixed64()));
        event->tli = body.fixed32();
        event->previousTli = body.fixed32();
        return body.ok();
    case wal::xlogRestorePoint: {
        event->kind = WalEventKind::RestorePoint;
        event->time = Timestamp::fromPostgres(static_cast<std::int64_t>(body.fixed64()));
        const std::string_view name = body.rest();
        event->name = name.substr(0, name.find('\0'));
        return body.ok();
    }
    case wal::xlogParameterChange:
        event->kind = WalEventKind::ParameterChange;
        return true;
    case wal::xlogOverwriteContrecord:
        event->kind = WalEventKind::OverwriteContrecord;
        return true;
    default:
        event.reset();
        return true;
    }
}

bool takeDatabase(const WalRecord& record, const WalFormat& format, Bytes data,
                  std::optional<WalEvent>& event) {
    const std::uint8_t opcode = record.info & wal::infoMask;
    if (opcode == format.databaseDrop) {
        event->kind = WalEventKind::DatabaseDrop;
    } else if (opcode == format.databaseCreateCopy || opcode == format.databaseCreateLog) {
        event->kind = WalEventKind::DatabaseCreate;
        event->fileCopy = opcode == format.databaseCreateCopy;
    } else {
        event.reset();
        return true;
    }
    Decoder body(textOf(data));
    event->database = body.fixed32();
    return body.ok();
}

// A shared catalog is the one kind of relation in the global tablespace.
bool takeHeap(const WalRecord& record, const RecordParts& parts, std::optional<WalEvent>& event) {
    if (parts.blocks.empty() || parts.blocks.front().tablespace != wal::globalTablespace) {
        event.reset();
        return true;
    }
    event->block = parts.blocks.front();
    Decoder body(textOf(parts.mainData));
    if (record.is(wal::rmHeap, wal::heapInplace, wal::heapMask)) {
        event->kind = WalEventKind::SharedInplace;
    } else {
        event->kind = WalEventKind::SharedDelete;
        body.raw(4); // xmax
    }
    event->item = static_cast<std::uint16_t>(body.byte() | body.byte() << 8);
    return body.ok();
}

} // namespace

bool mayBeEvent(const WalRecord& record) {
    switch (record.manager) {
    case wal::rmXlog:
    case wal::rmTransaction:
    case wal::rmDatabase:
        return true;
    case wal::rmHeap:
        return (record.info & wal::heapMask) == wal::heapInplace ||
               (record.info & wal::heapMask) == wal::heapDelete;
    default:
        return false;
    }
}

Result<std::optional<WalEvent>> eventOf(const WalRecord& record, const WalFormat& format) {
    std::optional<WalEvent> event;
    if (!mayBeEvent(record))
        return event;
    ARBOR_ASSIGN(const RecordParts parts, partsOf(record, format));
    event.emplace();
    event->start = record.start;
    event->end = record.end;
    event->xid = record.xid;
    bool whole = true;
    switch (record.manager) {
    case wal::rmXlog:
        whole = takeXlog(record, parts.mainData, event);
        break;
    case wal::rmTransaction:
        whole = takeTransaction(record, format, parts.mainData, event);
        break;
    case wal::rmDatabase:
        whole = takeDatabase(record, format, parts.mainData, event);
        break;
    default:
        whole = takeHeap(record, parts, event);
    }
    if (!whole)
        return makeError(ErrorKind::Corruption, "the log record at {} is shorter than its kind needs",
                         record.start);
    return event;
}

} // namespace arbor
