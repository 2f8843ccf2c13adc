#include "storage/format/runs.h"

#include "storage/format/coding.h"
#include "storage/format/keys.h"

namespace arbor {

namespace {

enum StretchFlag : std::uint8_t {
    ConsecutivePositions = 1,
    OtherSegment = 2,
    ContiguousOffsets = 4,
    EqualUnits = 8,
    AllStretchFlags = 15,
};

// One sync takes far fewer; damaged bytes cannot ask for more memory than this.
constexpr std::size_t maxSizes = 1u << 22;

constexpr std::uint8_t rawPageUnits = 255; // stands for ImageLocation::maxUnits

std::uint8_t unitsByte(ImageLocation location) {
    return location.units() == ImageLocation::maxUnits ? rawPageUnits
                                                       : static_cast<std::uint8_t>(location.units());
}
std::uint32_t unitsOf(std::uint8_t byte) {
    return byte == rawPageUnits ? ImageLocation::maxUnits : byte;
}

// What the next page of a stretch is expected to look like; encoder and decoder move it in step.
struct Expectation {
    BlockNumber block = 0;
    std::uint64_t position = 0;
    std::uint64_t segment = 0;
    std::uint64_t offset = 0; // units

    void follow(const PageVersion& version) {
        block = version.block + 1;
        position = version.position.value;
        if (!version.location.isZeroPage()) {
            segment = version.location.segment().value;
            offset = version.location.offsetUnits() + version.location.units();
        }
    }
};

// The longest stretch from `begin`: consecutive blocks whose images lie in one segment.
std::size_t stretchEnd(const std::vector<PageVersion>& versions, std::size_t begin) {
    std::size_t end = begin + 1;
    SegmentId segment = versions[begin].location.segment();
    while (end < versions.size() && versions[end].block == versions[end - 1].block + 1) {
        const ImageLocation location = versions[end].location;
        if (!location.isZeroPage()) {
            if (segment && location.segment() != segment)
                break;
            segment = location.segment();
        }
        ++end;
    }
    return end;
}

void encodeStretch(Encoder& out, const std::vector<PageVersion>& versions, std::size_t begin, std::size_t end,
                   Expectation& expected) {
    std::uint8_t flags = ConsecutivePositions | ContiguousOffsets | EqualUnits;
    std::uint64_t segment = expected.segment;
    std::uint64_t offset = 0;
    bool anyImage = false;
    for (std::size_t i = begin; i < end; ++i) {
        const PageVersion& version = versions[i];
        if (i > begin && version.position.value != versions[i - 1].position.value + 1)
            flags &= static_cast<std::uint8_t>(~ConsecutivePositions);
        if (version.location.units() != versions[begin].location.units())
            flags &= static_cast<std::uint8_t>(~EqualUnits);
        if (version.location.isZeroPage())
            continue;
        if (anyImage && version.location.offsetUnits() != offset)
            flags &= static_cast<std::uint8_t>(~ContiguousOffsets);
        anyImage = true;
        segment = version.location.segment().value;
        offset = version.location.offsetUnits() + version.location.units();
    }
    if (segment != expected.segment)
        flags |= OtherSegment;

    out.byte(flags).varint(end - begin);
    out.zigzag(static_cast<std::int64_t>(versions[begin].block) - expected.block);
    out.varint(versions[begin].position.value - expected.position);
    if (!(flags & ConsecutivePositions))
        for (std::size_t i = begin + 1; i < end; ++i)
            out.varint(versions[i].position.value - versions[i - 1].position.value);
    for (std::size_t i = begin; i < (flags & EqualUnits ? begin + 1 : end); ++i)
        out.byte(unitsByte(versions[i].location));
    if (flags & OtherSegment)
        out.zigzag(static_cast<std::int64_t>(segment - expected.segment));
    bool first = true;
    for (std::size_t i = begin; i < end; ++i) {
        if (!versions[i].location.isZeroPage() && (first || !(flags & ContiguousOffsets))) {
            out.zigzag(static_cast<std::int64_t>(versions[i].location.offsetUnits()) -
                       static_cast<std::int64_t>(expected.offset));
            first = false;
        }
        expected.follow(versions[i]);
    }
}

Error damagedRun(std::string_view what) {
    return makeError(ErrorKind::Corruption, "a {} in the index cannot be read", what);
}

// false: nonsense
bool decodeStretch(Decoder& in, Expectation& expected, std::vector<PageVersion>& versions) {
    const std::uint8_t flags = in.byte();
    const std::uint64_t count = in.varint();
    // a stretch lies within its chunk, so that a few damaged bytes cannot ask for gigabytes
    if (!in.ok() || flags > AllStretchFlags || count == 0 || count > blocksPerChunk)
        return false;
    const std::uint64_t block = expected.block + static_cast<std::uint64_t>(in.zigzag()); // modulo 2^64
    if (block > UINT32_MAX || block + count - 1 > UINT32_MAX)
        return false;

    const std::size_t begin = versions.size();
    std::uint64_t position = expected.position + in.varint();
    for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
        if (i > 0)
            position += flags & ConsecutivePositions ? 1 : in.varint();
        versions.push_back({static_cast<BlockNumber>(block + i), {position}, {}});
    }
    if (!in.ok())
        return false;
    std::string_view units = in.raw(flags & EqualUnits ? 1 : count);
    if (flags & OtherSegment)
        expected.segment += static_cast<std::uint64_t>(in.zigzag());
    if (!in.ok() || expected.segment >= 1ull << 30)
        return false;
    bool first = true;
    for (std::uint64_t i = 0; i < count; ++i) {
        PageVersion& version = versions[begin + i];
        const std::uint32_t length = unitsOf(static_cast<std::uint8_t>(units[flags & EqualUnits ? 0 : i]));
        if (length != 0) {
            if (first || !(flags & ContiguousOffsets))
                expected.offset += static_cast<std::uint64_t>(in.zigzag());
            first = false;
            if (expected.offset >= 1u << 24 || expected.segment == 0)
                return false;
            version.location =
                ImageLocation({expected.segment}, static_cast<std::uint32_t>(expected.offset), length);
        }
        expected.follow(version);
    }
    return in.ok();
}

} // namespace

std::string encodePageRun(const std::vector<PageVersion>& versions) {
    std::string value;
    Encoder out(value);
    Expectation expected;
    expected.position = versions.front().position.value;
    for (std::size_t begin = 0; begin < versions.size();) {
        const std::size_t end = stretchEnd(versions, begin);
        encodeStretch(out, versions, begin, end, expected);
        begin = end;
    }
    return value;
}

Result<std::vector<PageVersion>> decodePageRun(Position first, std::string_view value) {
    std::vector<PageVersion> versions;
    Decoder in(value);
    Expectation expected;
    expected.position = first.value;
    while (!in.atEnd())
        if (!decodeStretch(in, expected, versions))
            return damagedRun("page run");
    if (!in.done() || versions.empty())
        return damagedRun("page run");
    return versions;
}

std::string encodeSizeRun(const std::vector<SizeVersion>& versions) {
    std::string value;
    Encoder out(value);
    SizeVersion last{versions.front().position, 0};
    for (std::size_t i = 0; i < versions.size();) {
        const std::uint64_t positionStep = versions[i].position.value - last.position.value;
        const auto sizeStep = static_cast<std::int64_t>(versions[i].size - last.size);
        std::size_t end = i;
        for (; end < versions.size() && versions[end].position.value - last.position.value == positionStep &&
               static_cast<std::int64_t>(versions[end].size - last.size) == sizeStep;
             ++end)
            last = versions[end];
        out.varint(end - i).varint(positionStep).zigzag(sizeStep);
        i = end;
    }
    return value;
}

Result<std::vector<SizeVersion>> decodeSizeRun(Position first, std::string_view value) {
    std::vector<SizeVersion> versions;
    Decoder in(value);
    SizeVersion last{first, 0};
    while (!in.atEnd()) {
        const std::uint64_t repeat = in.varint();
        const std::uint64_t positionStep = in.varint();
        const std::int64_t sizeStep = in.zigzag();
        if (!in.ok() || repeat == 0 || repeat > maxSizes - versions.size())
            return damagedRun("size run");
        for (std::uint64_t i = 0; i < repeat; ++i) {
            last.position.value += positionStep;
            last.size += static_cast<std::uint64_t>(sizeStep);
            versions.push_back(last);
        }
    }
    if (!in.done() || versions.empty())
        return damagedRun("size run");
    return versions;
}

std::string encodePositionMap(const PositionMapRun& run) {
    std::string value;
    Encoder out(value);
    out.fixed64(static_cast<std::uint64_t>(run.at.micros));
    PositionLsn last{run.entries.front().position, {0}};
    for (const PositionLsn& entry : run.entries) {
        out.varint(entry.position.value - last.position.value).varint(entry.lsn.value - last.lsn.value);
        last = entry;
    }
    return value;
}

Result<PositionMapRun> decodePositionMap(Position first, std::string_view value) {
    PositionMapRun run;
    Decoder in(value);
    run.at.micros = static_cast<std::int64_t>(in.fixed64());
    PositionLsn last{first, {0}};
    while (!in.atEnd()) {
        last.position.value += in.varint();
        last.lsn.value += in.varint();
        run.entries.push_back(last);
    }
    if (!in.done() || run.entries.empty())
        return damagedRun("position map");
    return run;
}

} // namespace arbor
