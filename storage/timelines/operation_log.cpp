// The log itself: entries, their bytes, and which of them can be undone or redone. What undo does to the
// catalog stands in undo.cpp.
#include "storage/timelines/operation_log.h"

#include "storage/format/coding.h"
#include "storage/timelines/codec.h"

#include <algorithm>
#include <cassert>

namespace arbor {

namespace {

constexpr std::uint8_t entryVersion = 1;

std::string keyOf(OperationId id) {
    std::string key;
    Encoder(key).byte(OperationLog::keyTag).big64(id.value);
    return key;
}

void encodeOptional(Encoder& out, const std::optional<std::string>& value) {
    out.byte(value ? 1 : 0);
    if (value)
        out.string(*value);
}

std::optional<std::string> decodeOptional(Decoder& in) {
    if (in.byte() == 0)
        return std::nullopt;
    return std::string(in.string());
}

std::string encode(const OperationEntry& entry) {
    std::string value;
    Encoder out(value);
    out.byte(entryVersion).byte(static_cast<std::uint8_t>(entry.kind)).varint(entry.of.value);
    out.varint(entry.undoneBy.value).zigzag(entry.at.micros).string(entry.client).string(entry.command);
    out.varint(entry.changes.size());
    for (const RecordChange& change : entry.changes) {
        out.string(change.key);
        encodeOptional(out, change.before);
        encodeOptional(out, change.after);
    }
    return value;
}

Result<OperationEntry> decodeOperation(OperationId id, std::string_view value) {
    Decoder in(value);
    OperationEntry entry;
    entry.id = id;
    const std::uint8_t version = in.byte();
    const std::uint8_t kind = in.byte();
    entry.kind = static_cast<OperationKind>(kind);
    entry.of = {in.varint()};
    entry.undoneBy = {in.varint()};
    entry.at = {in.zigzag()};
    entry.client = in.string();
    entry.command = in.string();
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
        RecordChange change;
        change.key = in.string();
        change.before = decodeOptional(in);
        change.after = decodeOptional(in);
        entry.changes.push_back(std::move(change));
    }
    if (version != entryVersion || !in.done() || kind > static_cast<std::uint8_t>(OperationKind::Redo))
        return makeError(ErrorKind::Corruption, "entry {} of the operation log is damaged", id);
    return entry;
}

std::optional<OperationId> operationOf(std::string_view key) {
    Decoder in(key);
    const bool ours = in.byte() == OperationLog::keyTag;
    const OperationId id{in.big64()};
    return ours && in.done() && id ? std::optional(id) : std::nullopt;
}

// Enters what happened to a key; an entry may be changed and trimmed within one change.
void note(CatalogChange& change, std::string key, std::optional<std::string> before,
          std::optional<std::string> after) {
    for (RecordChange& record : change.records)
        if (record.key == key) {
            record.after = std::move(after);
            return;
        }
    change.records.push_back({std::move(key), std::move(before), std::move(after)});
}

// Ids, timelines and names of the gone are never taken back.
bool isUndoable(const RecordChange& change) {
    using catalog_codec::Kind;
    const auto key = catalog_codec::parseKey(change.key);
    return key && key->kind != Kind::Counters && key->kind != Kind::Timeline && key->kind != Kind::GoneBranch;
}

std::vector<RecordChange> undoable(const CatalogChange& change) {
    std::vector<RecordChange> records;
    std::copy_if(change.records.begin(), change.records.end(), std::back_inserter(records), isUndoable);
    return records;
}

} // namespace

std::vector<BranchMove> branchMoves(const CatalogChange& change) {
    std::vector<BranchMove> moves;
    for (const RecordChange& record : change.records) {
        const auto key = catalog_codec::parseKey(record.key);
        if (!key || key->kind != catalog_codec::Kind::Branch)
            continue;
        const auto decoded = [&](const std::optional<std::string>& bytes) {
            return bytes ? catalog_codec::decodeBranch({key->id}, *bytes).value_or(BranchRecord{})
                         : BranchRecord{};
        };
        const BranchRecord before = decoded(record.before);
        const BranchRecord after = decoded(record.after);
        if (before.timeline != after.timeline)
            moves.push_back(
                {{key->id}, before.id ? before.name : after.name, before.timeline, after.timeline});
    }
    return moves;
}

Status OperationLog::loadRecord(std::string_view key, std::string_view value) {
    const auto id = operationOf(key);
    if (!id)
        return makeError(ErrorKind::Corruption, "the operation log holds a malformed key of {} bytes",
                         key.size());
    if (*id <= m_last)
        return makeError(ErrorKind::Corruption, "the operation log was not read in order, at entry {}", *id);
    ARBOR_ASSIGN(auto entry, decodeOperation(*id, value));
    m_entries.push_back(std::move(entry));
    m_last = *id;
    return {};
}

const OperationEntry* OperationLog::find(OperationId id) const {
    const auto at =
        std::lower_bound(m_entries.begin(), m_entries.end(), id,
                         [](const OperationEntry& entry, OperationId wanted) { return entry.id < wanted; });
    return at != m_entries.end() && at->id == id ? &*at : nullptr;
}

OperationEntry* OperationLog::find(OperationId id) {
    return const_cast<OperationEntry*>(std::as_const(*this).find(id));
}

const OperationEntry* OperationLog::nextUndo() const {
    const auto at = std::find_if(m_entries.rbegin(), m_entries.rend(), [](const OperationEntry& entry) {
        return entry.kind == OperationKind::Operation && !entry.isUndone();
    });
    return at == m_entries.rend() ? nullptr : &*at;
}

const OperationEntry* OperationLog::nextRedo() const {
    OperationId newestOperation;
    const OperationEntry* newest = nullptr;
    for (const OperationEntry& entry : m_entries) {
        if (entry.kind != OperationKind::Operation)
            continue;
        newestOperation = entry.id;
        if (!newest || entry.undoneBy > newest->undoneBy)
            newest = &entry;
    }
    return newest && newest->undoneBy > newestOperation ? newest : nullptr;
}

Result<const OperationEntry*> OperationLog::toUndo(OperationId id) const {
    const OperationEntry* entry = id ? find(id) : nextUndo();
    if (!id && !entry)
        return makeError(ErrorKind::NotFound, "there is nothing to undo");
    if (!entry)
        return makeError(ErrorKind::NotFound, "the operation log has no operation {}; it keeps the newest {}",
                         id, m_limit);
    if (entry->kind != OperationKind::Operation)
        return makeError(ErrorKind::Refused,
                         "{} is itself {} of operation {}; `redo` and `undo {}` go back and forth", id,
                         entry->kind == OperationKind::Undo ? "the undo" : "a redo", entry->of, entry->of);
    if (entry->isUndone())
        return makeError(ErrorKind::Refused, "operation {} ({}) is undone already", id, entry->command);
    return entry;
}

Result<const OperationEntry*> OperationLog::toRedo() const {
    if (const OperationEntry* entry = nextRedo())
        return entry;
    return makeError(ErrorKind::NotFound,
                     "there is nothing to redo: nothing was undone since the last operation");
}

void OperationLog::append(OperationEntry entry, CatalogChange& change) {
    entry.id = {m_last.value + 1};
    m_last = entry.id;
    note(change, keyOf(entry.id), std::nullopt, encode(entry));
    // Undos and redos get room of their own until the next operation: the log's oldest entry may be the one
    // undone
    const std::size_t room =
        std::max<std::size_t>(m_limit, 1) * (entry.kind == OperationKind::Operation ? 1 : 2);
    m_entries.push_back(std::move(entry));
    while (m_entries.size() > room) {
        note(change, keyOf(m_entries.front().id), encode(m_entries.front()), std::nullopt);
        m_entries.pop_front();
    }
}

void OperationLog::setUndoneBy(OperationEntry& entry, OperationId undo, CatalogChange& change) {
    std::string before = encode(entry);
    entry.undoneBy = undo;
    note(change, keyOf(entry.id), std::move(before), encode(entry));
}

CatalogChange OperationLog::record(const CatalogChange& operation, std::string_view client,
                                   std::string_view command, Timestamp now) {
    CatalogChange change;
    OperationEntry entry;
    entry.at = now;
    entry.client = client;
    entry.command = command;
    entry.changes = undoable(operation);
    if (!entry.changes.empty())
        append(std::move(entry), change);
    return change;
}

Result<CatalogChange> OperationLog::planUndo(const Catalog& catalog, OperationId id, Timestamp now,
                                             const Readable& readable) const {
    ARBOR_ASSIGN(const OperationEntry* entry, toUndo(id));
    return swapBack(catalog, *entry, "undone", now, readable);
}

Result<CatalogChange> OperationLog::planRedo(const Catalog& catalog, Timestamp now,
                                             const Readable& readable) const {
    ARBOR_ASSIGN(const OperationEntry* entry, toRedo());
    const OperationEntry* undoing = find(entry->undoneBy);
    assert(undoing); // newer than the entry, so it is trimmed later
    return swapBack(catalog, *undoing, "redone", now, readable);
}

Result<CatalogChange> OperationLog::undo(Catalog& catalog, OperationId id, std::string_view client,
                                         Timestamp now, const Readable& readable) {
    ARBOR_ASSIGN(const OperationEntry* chosen, toUndo(id));
    ARBOR_ASSIGN(CatalogChange change, planUndo(catalog, chosen->id, now, readable));
    catalog.apply(change);
    OperationEntry entry{{},  OperationKind::Undo, chosen->id, {},
                         now, std::string(client), {},         undoable(change)};
    entry.command = fmt::format("undo {}", chosen->id);
    setUndoneBy(*find(chosen->id), {m_last.value + 1}, change);
    append(std::move(entry), change);
    return change;
}

Result<CatalogChange> OperationLog::redo(Catalog& catalog, std::string_view client, Timestamp now,
                                         const Readable& readable) {
    ARBOR_ASSIGN(const OperationEntry* chosen, toRedo());
    ARBOR_ASSIGN(CatalogChange change, planRedo(catalog, now, readable));
    catalog.apply(change);
    OperationEntry entry{{},  OperationKind::Redo, chosen->id, {},
                         now, std::string(client), "redo",     undoable(change)};
    setUndoneBy(*find(chosen->id), {}, change);
    append(std::move(entry), change);
    return change;
}

void OperationLog::applyRecord(const std::string& key, const std::optional<std::string>& value) {
    const auto id = operationOf(key);
    if (!id)
        return; // the catalog's
    const auto at =
        std::lower_bound(m_entries.begin(), m_entries.end(), *id,
                         [](const OperationEntry& entry, OperationId wanted) { return entry.id < wanted; });
    const bool found = at != m_entries.end() && at->id == *id;
    if (!value) {
        if (found)
            m_entries.erase(at);
        return;
    }
    auto entry = decodeOperation(*id, *value);
    assert(entry.has_value());
    if (found)
        *at = std::move(*entry);
    else
        m_entries.insert(at, std::move(*entry));
}

void OperationLog::revert(const CatalogChange& change) {
    for (const RecordChange& record : change.records)
        applyRecord(record.key, record.before);
}

} // namespace arbor
