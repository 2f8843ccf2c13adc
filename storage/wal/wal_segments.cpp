#include "storage/wal/wal_segments.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace arbor {

namespace {

std::optional<std::uint32_t> parseHex8(std::string_view text) {
    // upper case only, as Postgres writes it
    if (text.size() != 8 || text.find_first_not_of("0123456789ABCDEF") != text.npos)
        return {};
    std::uint32_t value = 0;
    std::from_chars(text.data(), text.data() + 8, value, 16);
    return value;
}

constexpr std::string_view historySuffix = ".history";

std::uint64_t segmentsPerId(std::uint32_t segmentSize) {
    return 0x100000000ull / segmentSize;
}

std::vector<WalLayer> withFallingLimits(std::vector<WalLayer> layers) {
    Lsn least;
    for (WalLayer& layer : layers) {
        if (least && (!layer.limit || layer.limit > least))
            layer.limit = least;
        least = layer.limit;
    }
    return layers;
}

} // namespace

std::string segmentFileName(std::uint32_t tli, std::uint64_t number, std::uint32_t segmentSize) {
    const std::uint64_t perId = segmentsPerId(segmentSize);
    return fmt::format("{:08X}{:08X}{:08X}", tli, number / perId, number % perId);
}

std::optional<SegmentName> parseSegmentFileName(std::string_view name, std::uint32_t segmentSize) {
    if (name.size() != 24)
        return {};
    const auto tli = parseHex8(name.substr(0, 8)), high = parseHex8(name.substr(8, 8)),
               low = parseHex8(name.substr(16));
    if (!tli || !high || !low || *low >= segmentsPerId(segmentSize))
        return {};
    return SegmentName{*tli, *high * segmentsPerId(segmentSize) + *low};
}

std::string historyFileName(std::uint32_t tli) {
    return fmt::format("{:08X}{}", tli, historySuffix);
}

std::optional<std::uint32_t> parseHistoryFileName(std::string_view name) {
    if (!name.ends_with(historySuffix))
        return {};
    return parseHex8(name.substr(0, name.size() - historySuffix.size()));
}

Result<TliHistory> TliHistory::parse(std::uint32_t tli, std::string_view text) {
    TliHistory history(tli);
    history.m_entries.clear();
    Lsn begin;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const std::size_t first = line.find_first_not_of(" \t\r");
        if (first == line.npos || line[first] == '#')
            continue;
        std::uint32_t parent = 0;
        const auto [rest, error] = std::from_chars(line.data() + first, line.data() + line.size(), parent);
        std::string_view place(rest, static_cast<std::size_t>(line.data() + line.size() - rest));
        place.remove_prefix(std::min(place.find_first_not_of(" \t"), place.size()));
        const auto end = Lsn::parse(place.substr(0, place.find_first_of(" \t\r")));
        if (error != std::errc{} || !end || parent >= tli || *end < begin ||
            (!history.m_entries.empty() && parent <= history.m_entries.back().tli))
            return makeError(ErrorKind::Corruption, "{} has a line that makes no sense: {}",
                             historyFileName(tli), line);
        history.m_entries.push_back({parent, begin, *end});
        begin = *end;
    }
    history.m_entries.push_back({tli, begin, {}});
    return history;
}

bool TliHistory::contains(std::uint32_t tli) const {
    return std::any_of(m_entries.begin(), m_entries.end(),
                       [&](const Entry& entry) { return entry.tli == tli; });
}

std::optional<Lsn> TliHistory::endOf(std::uint32_t tli) const {
    for (const Entry& entry : m_entries)
        if (entry.tli == tli)
            return entry.end;
    return {};
}

Result<std::optional<PageHeader>> readFirstPage(const ReadableFile& file) {
    std::array<std::byte, wal::longHeader> bytes;
    ARBOR_ASSIGN(const std::size_t got, file.readAt(0, bytes));
    if (got < bytes.size())
        return std::optional<PageHeader>();
    const PageHeader header = PageHeader::load(bytes.data());
    if (!walFormatOfMagic(header.magic) || !header.isLong() || !isSegmentSize(header.segmentSize))
        return std::optional<PageHeader>();
    return std::optional(header);
}

Result<std::uint32_t> detectSegmentSize(Disk& disk, const std::string& directory) {
    ARBOR_ASSIGN(const auto names, disk.list(directory));
    for (const std::string& name : names) {
        if (!parseSegmentFileName(name, wal::minSegmentSize))
            continue;
        ARBOR_ASSIGN(const auto file, disk.openRead(directory + "/" + name));
        ARBOR_ASSIGN(const auto header, readFirstPage(*file));
        if (header)
            return header->segmentSize;
    }
    return makeError(ErrorKind::NotFound, "there is no log segment in {}", directory);
}

WalChain::WalChain(Disk& disk, std::vector<WalLayer> layers, std::uint32_t segmentSize,
                   std::uint64_t systemId)
    : m_disk(disk), m_layers(withFallingLimits(std::move(layers))), m_segmentSize(segmentSize),
      m_systemId(systemId) {}

Status WalChain::followTli(std::uint32_t tli) {
    TliHistory history(tli);
    for (const WalLayer& layer : m_layers)
        for (const std::string& directory : layer.directories) {
            if (tli == 1 || history.entries().size() > 1)
                continue;
            auto text = readFile(m_disk, directory + "/" + historyFileName(tli));
            if (!text && text.error().kind() == ErrorKind::NotFound)
                continue;
            if (!text)
                return std::move(text).error();
            ARBOR_ASSIGN(history, TliHistory::parse(tli, *text));
        }
    m_history = std::move(history);
    forget();
    return {};
}

Result<std::optional<WalChain::Open>> WalChain::openIn(std::size_t layer, std::uint64_t number,
                                                       std::uint32_t tli) {
    Open open{number, {}, {}};
    open.place.name = segmentFileName(tli, number, m_segmentSize);
    open.place.tli = tli;
    open.place.layer = layer;
    open.place.limit = m_layers[layer].limit;
    for (const std::string& directory : m_layers[layer].directories) {
        open.place.path = directory + "/" + open.place.name;
        auto file = m_disk.openRead(open.place.path);
        if (!file && file.error().kind() == ErrorKind::NotFound)
            continue;
        if (!file)
            return std::move(file).error();
        ARBOR_ASSIGN(const auto header, readFirstPage(**file));
        if (!header || header->address != startOf(number) || header->segmentSize != m_segmentSize)
            continue;
        ARBOR_ASSIGN(const FileInfo info, m_disk.info(open.place.path));
        open.place.inode = info.inode;
        open.file = std::move(*file);
        return std::optional(std::move(open));
    }
    return std::optional<Open>();
}

Result<std::optional<WalChain::Open>> WalChain::open(std::uint64_t number) {
    for (std::size_t layer = 0; layer < m_layers.size(); ++layer) {
        if (m_layers[layer].limit && startOf(number) >= m_layers[layer].limit)
            continue;
        const auto& entries = m_history.entries();
        for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
            if (segmentOf(entry->begin) > number)
                continue;
            ARBOR_ASSIGN(auto open, openIn(layer, number, entry->tli));
            if (open)
                return open;
        }
    }
    return std::optional<Open>();
}

Result<std::optional<WalChain::Place>> WalChain::locate(std::uint64_t number) {
    ARBOR_ASSIGN(const auto open, this->open(number));
    if (!open)
        return std::optional<Place>();
    return std::optional(open->place);
}

Status WalChain::revalidate() {
    if (!m_open)
        return {};
    const auto info = m_disk.info(m_open->place.path);
    if (!info && info.error().kind() != ErrorKind::NotFound)
        return info.error();
    if (!info || info->inode != m_open->place.inode)
        forget();
    return {};
}

Result<std::size_t> WalChain::read(Lsn at, MutableBytes into) {
    const std::uint64_t number = segmentOf(at);
    if (!m_open || m_open->number != number) {
        ARBOR_ASSIGN(m_open, open(number));
        if (!m_open)
            return std::size_t{0};
    }
    const std::uint64_t offset = at - startOf(number);
    into = into.first(std::min<std::uint64_t>(into.size(), m_segmentSize - offset));
    ARBOR_ASSIGN(const std::size_t got, m_open->file->readAt(offset, into));
    const Lsn limit = m_open->place.limit;
    if (limit && at + got > limit) {
        const std::size_t real = limit > at ? limit - at : 0;
        std::fill(into.begin() + static_cast<std::ptrdiff_t>(real),
                  into.begin() + static_cast<std::ptrdiff_t>(got), std::byte{0});
    }
    return got;
}

} // namespace arbor
