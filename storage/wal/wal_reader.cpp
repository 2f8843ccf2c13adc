#include "storage/wal/wal_reader.h"

#include "storage/base/crc32c.h"

#include <algorithm>

namespace arbor {

namespace {

// The window is large enough that system calls cost nothing, small enough to stay in the second-level cache.
// It begins small, for most scans of a live log find a few records.
constexpr std::size_t windowBytes = 256u << 10;
constexpr std::size_t firstWindowBytes = 16u << 10;

} // namespace

WalReader::WalReader(WalSource& source, const WalFormat& format, std::uint64_t systemId)
    : m_source(source), m_format(format), m_systemId(systemId), m_window(windowBytes) {}

void WalReader::begin(Lsn at, Lsn previous) {
    m_next = at;
    m_previous = previous;
    m_latestPage = {};
    m_latestTli = 0;
    m_segment = UINT64_MAX;
    refresh();
}

void WalReader::refresh() {
    m_windowSize = 0;
    m_page = {};
    m_readAhead = firstWindowBytes;
}

template <class... Args>
bool WalReader::stop(fmt::format_string<Args...> text, Args&&... args) {
    m_reason = fmt::format(text, std::forward<Args>(args)...);
    return false;
}

Result<const WalRecord*> WalReader::next() {
    Lsn at = m_next;
    for (;;) {
        Lsn overwrite;
        ARBOR_ASSIGN(const bool found, readAt(at, overwrite));
        if (found)
            return &m_record;
        if (!overwrite) {
            refresh();
            return nullptr;
        }
        // The record that begins at `at` was never finished: a crash came, and Postgres went on behind its
        // torn page with a page that says so.
        at = overwrite;
    }
}

// Reads the record at `at`. False: the log ends here, or `overwrite` says where it goes on.
Result<bool> WalReader::readAt(Lsn at, Lsn& overwrite) {
    ARBOR_ASSIGN(const bool page, turnTo(pageOf(at)));
    if (!page)
        return false;
    std::uint64_t offset = at - m_page.at;
    if (offset == 0) {
        offset = m_page.header.length();
        at = at + offset;
    } else if (offset < m_page.header.length()) {
        return stop("invalid record offset at {}", at);
    }
    if ((m_page.header.info & wal::firstIsContinuation) && offset == m_page.header.length())
        return stop("contrecord is requested by {}", at);

    const std::byte* header = m_page.bytes + offset;
    const auto length = loadLittle<std::uint32_t>(header);
    const std::uint64_t room = wal::pageSize - offset;
    if (room >= wal::recordHeader) {
        if (!validHeader(at, header))
            return false;
    } else if (length < wal::recordHeader) {
        return stop("invalid record length at {}: wanted 24, got {}", at, length);
    }
    if (length > room)
        return assemble(at, length, overwrite);
    return accept(at, at + alignRecord(length), {header, length});
}

// Collects a record over several pages.
Result<bool> WalReader::assemble(Lsn start, std::uint32_t length, Lsn& overwrite) {
    const std::uint64_t offset = start - m_page.at;
    m_assembled.assign(m_page.bytes + offset, m_page.bytes + wal::pageSize);
    bool headerSeen = wal::pageSize - offset >= wal::recordHeader;
    while (m_assembled.size() < length) {
        const Lsn page = m_page.at + wal::pageSize;
        ARBOR_ASSIGN(const bool turned, turnTo(page));
        if (!turned)
            return false;
        if (m_page.header.info & wal::firstIsOverwrite) {
            overwrite = page;
            return false;
        }
        if (!(m_page.header.info & wal::firstIsContinuation))
            return stop("there is no contrecord flag at {}", start);
        if (m_page.header.remaining == 0 || length != m_page.header.remaining + m_assembled.size())
            return stop("invalid contrecord length {} (expected {}) at {}", m_page.header.remaining,
                        length - m_assembled.size(), start);
        const std::byte* from = m_page.bytes + m_page.header.length();
        const std::size_t take =
            std::min<std::size_t>(m_page.header.remaining, wal::pageSize - m_page.header.length());
        m_assembled.insert(m_assembled.end(), from, from + take);
        if (!headerSeen && !validHeader(start, m_assembled.data()))
            return false;
        headerSeen = true;
    }
    return accept(start, m_page.at + m_page.header.length() + alignRecord(m_page.header.remaining),
                  m_assembled);
}

bool WalReader::validHeader(Lsn start, const std::byte* header) {
    const auto length = loadLittle<std::uint32_t>(header);
    if (length < wal::recordHeader)
        return stop("invalid record length at {}: wanted 24, got {}", start, length);
    const auto manager = static_cast<std::uint8_t>(header[17]);
    if (manager > wal::rmLast && !(m_format.customManagers && manager >= wal::rmFirstCustom))
        return stop("invalid resource manager ID {} at {}", manager, start);
    const Lsn previous{loadLittle<std::uint64_t>(header + 8)};
    if (m_previous ? previous != m_previous : previous >= start)
        return stop("record with incorrect prev-link {} at {}", previous, start);
    return true;
}

// Checks the whole record's checksum, and makes it the current one.
bool WalReader::accept(Lsn start, Lsn end, Bytes bytes) {
    Crc32c crc;
    crc.add(bytes.data() + wal::recordHeader, bytes.size() - wal::recordHeader).add(bytes.data(), 20);
    m_record.crc = loadLittle<std::uint32_t>(bytes.data() + 20);
    if (crc.finish() != m_record.crc)
        return stop("incorrect resource manager data checksum in record at {}", start);
    if (!m_source.hasTli(m_latestTli))
        return stop("unexpected timeline ID {} at {}", m_latestTli, m_latestPage);
    m_record.start = start;
    m_record.length = static_cast<std::uint32_t>(bytes.size());
    m_record.xid = loadLittle<std::uint32_t>(bytes.data() + 4);
    m_record.previous = {loadLittle<std::uint64_t>(bytes.data() + 8)};
    m_record.info = static_cast<std::uint8_t>(bytes[16]);
    m_record.manager = static_cast<std::uint8_t>(bytes[17]);
    m_record.tli = m_latestTli;
    m_record.bytes = bytes;
    if (m_record.is(wal::rmXlog, wal::xlogSwitch)) {
        const std::uint64_t size = m_source.segmentSize();
        end = {(end.value + size - 1) & ~(size - 1)};
    }
    m_record.end = end;
    m_previous = start;
    m_next = end;
    return true;
}

// Makes `page` the current page if its header is valid. Entering a segment in its middle looks at its first
// page too, which carries what tells whose segment it is.
Result<bool> WalReader::turnTo(Lsn page) {
    if (m_page.bytes && m_page.at == page)
        return true;
    m_page = {};
    m_gaveUpAt = page;
    const std::uint64_t size = m_source.segmentSize();
    const std::uint64_t segment = page.value / size;
    const Lsn first{segment * size};
    if (segment != m_segment && page != first) {
        ARBOR_ASSIGN(const std::byte* bytes, pageBytes(first, wal::pageSize));
        if (!bytes || !validPage(first, PageHeader::load(bytes)))
            return false;
    }
    ARBOR_ASSIGN(const std::byte* bytes, pageBytes(page, m_readAhead));
    if (!bytes)
        return false;
    const PageHeader header = PageHeader::load(bytes);
    if (!validPage(page, header))
        return false;
    m_segment = segment;
    m_page = {page, bytes, header};
    return true;
}

// The bytes of a page; null when it is not all there (as recovery reads whole pages or nothing).
Result<const std::byte*> WalReader::pageBytes(Lsn page, std::size_t ahead) {
    if (page < m_windowAt || page + wal::pageSize > m_windowAt + m_windowSize) {
        const std::uint64_t size = m_source.segmentSize();
        const std::size_t wanted = std::min<std::uint64_t>(ahead, size - page.value % size);
        m_readAhead = std::min(m_readAhead * 2, windowBytes);
        m_windowAt = page;
        m_windowSize = 0;
        ARBOR_ASSIGN(m_windowSize, m_source.read(page, MutableBytes(m_window).first(wanted)));
        if (m_windowSize < wal::pageSize) {
            stop("there is no page at {}", page);
            return nullptr;
        }
    }
    return m_window.data() + (page - m_windowAt);
}

bool WalReader::validPage(Lsn page, const PageHeader& header) {
    if (header.magic != m_format.pageMagic)
        return stop("invalid magic number {:04X} at {}", header.magic, page);
    if (header.info & ~wal::allPageFlags)
        return stop("invalid info bits {:04X} at {}", header.info, page);
    if (header.isLong()) {
        if (m_systemId != 0 && header.systemId != m_systemId)
            return stop("the page at {} is from a different database system: {}", page, header.systemId);
        if (header.segmentSize != m_source.segmentSize())
            return stop("the page at {} says segments have {} bytes", page, header.segmentSize);
        if (header.pageSize != wal::pageSize)
            return stop("the page at {} says pages have {} bytes", page, header.pageSize);
    } else if (page.value % m_source.segmentSize() == 0) {
        return stop("invalid info bits {:04X} at {}", header.info, page);
    }
    if (header.address != page)
        return stop("unexpected pageaddr {} at {}", header.address, page);
    if (page > m_latestPage && header.tli < m_latestTli)
        return stop("out-of-sequence timeline ID {} (after {}) at {}", header.tli, m_latestTli, page);
    m_latestPage = page;
    m_latestTli = header.tli;
    return true;
}

namespace {

// Walks the headers in front of a record's data.
class HeaderWalk {
  public:
    explicit HeaderWalk(Bytes bytes)
        : m_at(bytes.data() + wal::recordHeader), m_end(bytes.data() + bytes.size()) {}

    template <class Number>
    bool take(Number& into) {
        if (static_cast<std::size_t>(m_end - m_at) < sizeof into)
            return m_ok = false;
        into = loadLittle<Number>(m_at);
        m_at += sizeof into;
        return true;
    }
    void skip(std::size_t bytes) {
        m_ok = m_ok && static_cast<std::size_t>(m_end - m_at) >= bytes;
        if (m_ok)
            m_at += bytes;
    }
    std::size_t left() const { return static_cast<std::size_t>(m_end - m_at); }
    Bytes last(std::size_t bytes) const { return {m_end - bytes, bytes}; }
    bool ok() const { return m_ok; }

  private:
    const std::byte* m_at;
    const std::byte* m_end;
    bool m_ok = true;
};

constexpr std::uint8_t maxBlockId = 32;
constexpr std::uint8_t dataShort = 255, dataLong = 254, origin = 253, topXid = 252;
constexpr std::uint8_t hasImage = 0x10, sameRelation = 0x80, hasHole = 0x01;

// Reads one block header behind its id; adds the bytes of data that belong to it.
bool takeBlock(HeaderWalk& walk, const WalFormat& format, BlockReference& block, const BlockReference* before,
               std::uint64_t& data) {
    std::uint8_t flags = 0, imageInfo = 0;
    std::uint16_t dataLength = 0, imageLength = 0, hole = 0;
    if (!walk.take(flags) || !walk.take(dataLength))
        return false;
    data += dataLength;
    block.fork = flags & 0x0F;
    block.hasImage = (flags & hasImage) != 0;
    if (block.hasImage) {
        if (!walk.take(imageLength) || !walk.take(hole) || !walk.take(imageInfo))
            return false;
        if ((imageInfo & format.imageCompressed) && (imageInfo & hasHole))
            walk.skip(sizeof(std::uint16_t));
        data += imageLength;
    }
    if (!(flags & sameRelation)) {
        if (!walk.take(block.tablespace) || !walk.take(block.database) || !walk.take(block.relation))
            return false;
    } else if (before) {
        block.tablespace = before->tablespace;
        block.database = before->database;
        block.relation = before->relation;
    } else {
        return false;
    }
    return walk.take(block.block);
}

} // namespace

Result<RecordParts> partsOf(const WalRecord& record, const WalFormat& format) {
    RecordParts parts;
    HeaderWalk walk(record.bytes);
    std::uint64_t data = 0;
    std::uint32_t mainLength = 0;
    bool mainSeen = false;
    const auto broken = [&] {
        return makeError(ErrorKind::Corruption, "the log record at {} does not fit its own lengths",
                         record.start);
    };
    while (!mainSeen && walk.left() > data) {
        std::uint8_t id = 0;
        walk.take(id);
        if (id == dataShort) {
            std::uint8_t length = 0;
            walk.take(length);
            mainLength = length;
            mainSeen = true;
        } else if (id == dataLong) {
            walk.take(mainLength);
            mainSeen = true;
        } else if (id == origin) {
            walk.skip(2);
        } else if (id == topXid) {
            walk.skip(4);
        } else if (id <= maxBlockId && (parts.blocks.empty() || id > parts.blocks.back().id)) {
            BlockReference block;
            block.id = id;
            if (!takeBlock(walk, format, block, parts.blocks.empty() ? nullptr : &parts.blocks.back(), data))
                return broken();
            parts.blocks.push_back(block);
        } else {
            return broken();
        }
        if (!walk.ok())
            return broken();
    }
    if (walk.left() != data + mainLength)
        return broken();
    parts.mainData = walk.last(mainLength);
    return parts;
}

} // namespace arbor
