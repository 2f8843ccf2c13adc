#include "storage/timelines/codec.h"

#include "storage/format/coding.h"
#include "storage/timelines/settings.h"

namespace arbor::catalog_codec {

namespace {

constexpr std::uint8_t recordVersion = 1;

std::string idKey(Kind kind, std::uint64_t id) {
    std::string key;
    Encoder(key).byte(catalogTag).byte(static_cast<std::uint8_t>(kind)).big64(id);
    return key;
}

std::string_view kindWord(Kind kind) {
    switch (kind) {
    case Kind::Timeline:
        return "timeline";
    case Kind::Branch:
        return "branch";
    case Kind::Checkpoint:
        return "checkpoint";
    case Kind::Trash:
        return "trash entry";
    case Kind::GoneBranch:
        return "name of the gone branch";
    case Kind::Setting:
        return "setting";
    case Kind::Counters:
        return "id counters";
    }
    return "record";
}

// The error of every decoder: which record, and what is wrong with it.
Error damaged(Kind kind, std::uint64_t id, std::string_view why) {
    return makeError(ErrorKind::Corruption, "the catalog's record of {} is damaged ({})",
                     describeKey({kind, id, {}}), why);
}

// Reads the version byte; the fields of another version would be misread.
bool startsWell(Decoder& in) {
    return in.byte() == recordVersion;
}

void encodePoint(Encoder& out, const ForkPoint& point) {
    out.varint(point.position.value).varint(point.lsn.value);
}

ForkPoint decodePoint(Decoder& in) {
    const Position position{in.varint()};
    return {position, Lsn{in.varint()}};
}

// A flag byte holds the bits in use and no other.
std::uint8_t flags(bool first, bool second, bool third = false) {
    return static_cast<std::uint8_t>((first ? 1 : 0) | (second ? 2 : 0) | (third ? 4 : 0));
}

void encodeBranchFields(Encoder& out, const BranchRecord& record) {
    out.string(record.name).varint(record.timeline.value).varint(record.parent.value);
    out.byte(flags(record.isProtected, record.shouldRun));
    out.zigzag(record.expiresAt.micros).zigzag(record.createdAt.micros).varint(record.port);
    out.varint(record.settings.size());
    for (const auto& [key, value] : record.settings)
        out.string(key).string(value);
}

// What is wrong with the fields, or nothing.
std::string_view decodeBranchFields(Decoder& in, BranchRecord& record) {
    record.name = in.string();
    record.timeline = {in.varint()};
    record.parent = {in.varint()};
    const std::uint8_t bits = in.byte();
    record.isProtected = (bits & 1) != 0;
    record.shouldRun = (bits & 2) != 0;
    record.expiresAt = {in.zigzag()};
    record.createdAt = {in.zigzag()};
    const std::uint64_t port = in.varint();
    record.port = static_cast<std::uint16_t>(port);
    // An absurd count ends with the bytes: every pair takes at least two
    for (std::uint64_t left = in.varint(); left > 0 && in.ok(); --left) {
        std::string key(in.string());
        record.settings[std::move(key)] = in.string();
    }
    if (!in.done())
        return "its length is wrong";
    if (!checkCatalogName("branch", record.name))
        return "its name breaks the rules for names";
    if (!record.id || !record.timeline)
        return "it has no id or no timeline";
    if (record.parent == record.id)
        return "it is its own parent";
    if (bits > 3 || port > UINT16_MAX)
        return "a field is out of range";
    return {};
}

} // namespace

std::optional<Key> parseKey(std::string_view key) {
    if (key.size() < 2 || key[0] != catalogTag)
        return std::nullopt;
    const auto kind = static_cast<Kind>(key[1]);
    Decoder rest(key.substr(2));
    switch (kind) {
    case Kind::Timeline:
    case Kind::Branch:
    case Kind::Checkpoint:
    case Kind::Trash:
    case Kind::GoneBranch: {
        const std::uint64_t id = rest.big64();
        if (!rest.done() || id == 0)
            return std::nullopt;
        return Key{kind, id, {}};
    }
    case Kind::Setting:
        return Key{kind, 0, rest.rest()};
    case Kind::Counters:
        if (!rest.done())
            return std::nullopt;
        return Key{kind, 0, {}};
    }
    return std::nullopt;
}

std::string describeKey(const Key& key) {
    if (key.kind == Kind::Setting)
        return fmt::format("setting {}", key.setting);
    if (key.kind == Kind::Counters)
        return std::string(kindWord(key.kind));
    return fmt::format("{} {}", kindWord(key.kind), key.id);
}

std::string keyOf(TimelineId id) {
    return idKey(Kind::Timeline, id.value);
}
std::string keyOf(BranchId id) {
    return idKey(Kind::Branch, id.value);
}
std::string keyOf(CheckpointId id) {
    return idKey(Kind::Checkpoint, id.value);
}
std::string keyOf(TrashId id) {
    return idKey(Kind::Trash, id.value);
}
std::string goneBranchKey(BranchId id) {
    return idKey(Kind::GoneBranch, id.value);
}

std::string settingKey(std::string_view name) {
    std::string key;
    Encoder(key).byte(catalogTag).byte(static_cast<std::uint8_t>(Kind::Setting)).raw(name);
    return key;
}

std::string countersKey() {
    return {catalogTag, static_cast<char>(Kind::Counters)};
}

std::string encode(const TimelineRecord& record) {
    std::string value;
    Encoder out(value);
    out.byte(recordVersion).varint(record.parent.value);
    encodePoint(out, record.fork);
    out.varint(record.root.value).varint(record.pgMajor).varint(record.walSegmentSize);
    out.zigzag(record.createdAt.micros).varint(record.rootInode.value);
    out.byte(flags(record.parentWasRunning, record.neverStarted, record.beginsBranch));
    return value;
}

Result<TimelineRecord> decodeTimeline(TimelineId id, std::string_view value) {
    Decoder in(value);
    TimelineRecord record;
    record.id = id;
    if (!startsWell(in))
        return damaged(Kind::Timeline, id.value, "its version is unknown");
    record.parent = {in.varint()};
    record.fork = decodePoint(in);
    record.root = {in.varint()};
    const std::uint64_t major = in.varint();
    const std::uint64_t segment = in.varint();
    record.pgMajor = static_cast<std::uint32_t>(major);
    record.walSegmentSize = static_cast<std::uint32_t>(segment);
    record.createdAt = {in.zigzag()};
    record.rootInode = {in.varint()};
    const std::uint8_t bits = in.byte();
    record.parentWasRunning = (bits & 1) != 0;
    record.neverStarted = (bits & 2) != 0;
    record.beginsBranch = (bits & 4) != 0;
    if (!in.done())
        return damaged(Kind::Timeline, id.value, "its length is wrong");
    if (bits > 7 || major > UINT32_MAX || segment > UINT32_MAX)
        return damaged(Kind::Timeline, id.value, "a field is out of range");
    if (record.parent >= id || record.root > id || (!record.parent && record.root != id) ||
        (record.parent && record.root > record.parent) || !record.root)
        return damaged(Kind::Timeline, id.value, "its parent or its root cannot be older than itself");
    return record;
}

std::string encode(const BranchRecord& record) {
    std::string value;
    Encoder out(value);
    out.byte(recordVersion);
    encodeBranchFields(out, record);
    return value;
}

Result<BranchRecord> decodeBranch(BranchId id, std::string_view value) {
    Decoder in(value);
    BranchRecord record;
    record.id = id;
    if (!startsWell(in))
        return damaged(Kind::Branch, id.value, "its version is unknown");
    if (const auto wrong = decodeBranchFields(in, record); !wrong.empty())
        return damaged(Kind::Branch, id.value, wrong);
    return record;
}

std::string encode(const CheckpointRecord& record) {
    std::string value;
    Encoder out(value);
    out.byte(recordVersion)
        .string(record.name)
        .varint(record.branch.value)
        .varint(record.point.timeline.value);
    encodePoint(out, record.point.at);
    out.zigzag(record.createdAt.micros);
    return value;
}

Result<CheckpointRecord> decodeCheckpoint(CheckpointId id, std::string_view value) {
    Decoder in(value);
    CheckpointRecord record;
    record.id = id;
    if (!startsWell(in))
        return damaged(Kind::Checkpoint, id.value, "its version is unknown");
    record.name = in.string();
    record.branch = {in.varint()};
    record.point.timeline = {in.varint()};
    record.point.at = decodePoint(in);
    record.createdAt = {in.zigzag()};
    if (!in.done())
        return damaged(Kind::Checkpoint, id.value, "its length is wrong");
    if (!checkCatalogName("checkpoint", record.name))
        return damaged(Kind::Checkpoint, id.value, "its name breaks the rules for names");
    if (!record.branch || !record.point.timeline)
        return damaged(Kind::Checkpoint, id.value, "it has no branch or no timeline");
    return record;
}

std::string encode(const TrashRecord& record) {
    std::string value;
    Encoder out(value);
    out.byte(recordVersion).byte(static_cast<std::uint8_t>(record.reason)).zigzag(record.since.micros);
    out.varint(record.branch.id.value);
    encodeBranchFields(out, record.branch);
    return value;
}

Result<TrashRecord> decodeTrash(TrashId id, std::string_view value) {
    Decoder in(value);
    TrashRecord record;
    record.id = id;
    if (!startsWell(in))
        return damaged(Kind::Trash, id.value, "its version is unknown");
    const std::uint8_t reason = in.byte();
    record.reason = static_cast<TrashReason>(reason);
    record.since = {in.zigzag()};
    record.branch.id = {in.varint()};
    if (const auto wrong = decodeBranchFields(in, record.branch); !wrong.empty())
        return damaged(Kind::Trash, id.value, wrong);
    if (reason >= trashReasonNames.size())
        return damaged(Kind::Trash, id.value, "its reason is unknown");
    return record;
}

std::string encode(const IdCounters& counters) {
    std::string value;
    Encoder(value)
        .byte(recordVersion)
        .varint(counters.timeline)
        .varint(counters.branch)
        .varint(counters.checkpoint)
        .varint(counters.trash);
    return value;
}

Result<IdCounters> decodeCounters(std::string_view value) {
    Decoder in(value);
    IdCounters counters;
    if (!startsWell(in))
        return damaged(Kind::Counters, 0, "their version is unknown");
    counters.timeline = in.varint();
    counters.branch = in.varint();
    counters.checkpoint = in.varint();
    counters.trash = in.varint();
    if (!in.done() || !counters.timeline || !counters.branch || !counters.checkpoint || !counters.trash)
        return damaged(Kind::Counters, 0, "their length is wrong, or one is zero");
    return counters;
}

std::string encodeText(std::string_view text) {
    std::string value;
    Encoder(value).byte(recordVersion).string(text);
    return value;
}

Result<std::string> decodeText(const Key& key, std::string_view value) {
    Decoder in(value);
    const bool known = startsWell(in);
    std::string text(in.string());
    if (!known || !in.done())
        return makeError(ErrorKind::Corruption, "the catalog's record of {} is damaged", describeKey(key));
    return text;
}

} // namespace arbor::catalog_codec
