// Every key and small record of the index, and those of the catalog: whatever decodes must encode to what
// decodes to the same again.
#include "storage/engine/history.h"
#include "storage/format/keys.h"
#include "storage/format/records.h"
#include "storage/timelines/catalog.h"
#include "storage/timelines/codec.h"
#include "storage/timelines/operation_log.h"

#include <cstdlib>

using namespace arbor;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

template <class Record, class Decode, class Encode>
void roundTrip(const Result<Record>& record, Decode decode, Encode encode) {
    if (!record)
        return;
    const auto again = decode(encode(*record));
    require(again && *again == *record);
}

void keys(std::string_view key) {
    if (const auto run = parsePageRunKey(key))
        require(versionKey(pageRunPrefix(run->inode, run->chunk), run->timeline, run->first) == key);
    if (const auto inode = parseInodeKey(key))
        require(versionKey(inodePrefix(key.front(), inode->inode), inode->timeline, inode->position) == key);
    if (const auto name = parseNameKey(key))
        require(nameKey(name->directory, name->timeline, name->name, name->position) == key);
    if (const auto map = parsePositionMapKey(key))
        require(positionMapKey(map->first, map->second) == key);
}

void catalog(std::string_view value) {
    using namespace catalog_codec;
    const auto encoded = [](const auto& record) { return encode(record); };
    roundTrip(
        decodeTimeline({7}, value), [](std::string_view v) { return decodeTimeline({7}, v); }, encoded);
    roundTrip(
        decodeBranch({7}, value), [](std::string_view v) { return decodeBranch({7}, v); }, encoded);
    roundTrip(
        decodeCheckpoint({7}, value), [](std::string_view v) { return decodeCheckpoint({7}, v); }, encoded);
    roundTrip(
        decodeTrash({7}, value), [](std::string_view v) { return decodeTrash({7}, v); }, encoded);
    roundTrip(decodeCounters(value), decodeCounters, encoded);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    keys(input);
    roundTrip(decodeAttributes(input), decodeAttributes, encodeAttributes);
    roundTrip(decodeName(input), decodeName, encodeName);
    roundTrip(decodeCut(input), decodeCut, encodeCut);
    roundTrip(decodeMarker(input), decodeMarker, encodeMarker);
    roundTrip(decodeHistory(input), decodeHistory, encodeHistory);
    catalog(input);
    // the first byte parts key and value
    if (size > 1) {
        const std::size_t border = std::min<std::size_t>(1 + data[0], size);
        const std::string_view key = input.substr(1, border - 1);
        Catalog loaded;
        if (loaded.loadRecord(key, input.substr(border)) && loaded.finishLoad())
            (void)loaded.verify();
        OperationLog operations;
        (void)operations.loadRecord(key, input.substr(border));
    }
    return 0;
}
