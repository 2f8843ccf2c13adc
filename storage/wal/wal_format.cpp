#include "storage/wal/wal_format.h"

#include <algorithm>
#include <array>

namespace arbor {

namespace {

// 15 is tried against a server. 14, 16, 17 and 18 stand as their headers say, untried:
// access/xlog_internal.h, access/xlogrecord.h, access/xact.h, catalog/pg_control.h, catalog/catversion.h and
// commands/dbcommands_xlog.h of REL_14_STABLE to REL_18_STABLE. CheckPoint keeps its layout throughout (18
// put wal_level where padding was); ControlFileData gained a byte before the nonce in 18
// (default_char_signedness), which moves the CRC.
constexpr std::array<WalFormat, 5> formats{{
    {14, false, 0xD10D, 1300, 202107181, 288, false, 0x02, 0x00, 0xFF, 0x10, 0},
    {15, true, 0xD110, 1300, 202209061, 288, true, 0x1C, 0x00, 0x10, 0x20, 12},
    {16, false, 0xD113, 1300, 202307071, 288, true, 0x1C, 0x00, 0x10, 0x20, 12},
    {17, false, 0xD116, 1700, 202406281, 288, true, 0x1C, 0x00, 0x10, 0x20, 12},
    {18, false, 0xD118, 1800, 202506291, 292, true, 0x1C, 0x00, 0x10, 0x20, 16},
}};

template <class Predicate>
const WalFormat* find(Predicate predicate) {
    const auto* found = std::find_if(formats.begin(), formats.end(), predicate);
    return found == formats.end() ? nullptr : found;
}

} // namespace

const WalFormat* walFormatOfMagic(std::uint16_t magic) {
    return find([&](const WalFormat& format) { return format.pageMagic == magic; });
}
const WalFormat* walFormatOfCatalog(std::uint32_t catalogVersion) {
    return find([&](const WalFormat& format) { return format.catalogVersion == catalogVersion; });
}
const WalFormat* walFormatOfMajor(int major) {
    return find([&](const WalFormat& format) { return format.major == major; });
}

PageHeader PageHeader::load(const std::byte* page) {
    PageHeader header;
    header.magic = loadLittle<std::uint16_t>(page);
    header.info = loadLittle<std::uint16_t>(page + 2);
    header.tli = loadLittle<std::uint32_t>(page + 4);
    header.address = {loadLittle<std::uint64_t>(page + 8)};
    header.remaining = loadLittle<std::uint32_t>(page + 16);
    if (header.isLong()) {
        header.systemId = loadLittle<std::uint64_t>(page + 24);
        header.segmentSize = loadLittle<std::uint32_t>(page + 32);
        header.pageSize = loadLittle<std::uint32_t>(page + 36);
    }
    return header;
}

} // namespace arbor
