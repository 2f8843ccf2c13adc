// Reads records from a log as Postgres's own reader does (access/transam/xlogreader.c): the same checks in
// the same order, so that the end that we find is the end at which a recovery would stop.
#pragma once

#include "storage/base/ids.h"
#include "storage/wal/wal_format.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace arbor {

// Bytes of one log by LSN, wherever they lie. One thread at a time.
class WalSource {
  public:
    virtual ~WalSource() = default;
    // Reads from `at` on, at most to the end of its segment. Fewer bytes than asked for where the log's files
    // end; 0 where there is no such segment. An Error only if the disk failed.
    virtual Result<std::size_t> read(Lsn at, MutableBytes into) = 0;
    virtual std::uint32_t segmentSize() const = 0;
    // Whether Postgres timeline `tli` belongs to this log's history.
    virtual bool hasTli(std::uint32_t tli) const = 0;
};

// A valid record. `bytes` is the whole of it without page headers, alive until the reader's next call.
struct WalRecord {
    Lsn start; // of its header; never on a page header
    Lsn end; // where the next may begin (Postgres's EndRecPtr): may be a page boundary, and is the end of the
             // segment after a switch
    Lsn previous; // xl_prev
    std::uint32_t length = 0;
    std::uint32_t xid = 0;
    std::uint32_t crc = 0;
    std::uint32_t tli = 0; // of the page that it ends on
    std::uint8_t info = 0; // all eight bits
    std::uint8_t manager = 0;
    Bytes bytes;

    bool is(std::uint8_t rm, std::uint8_t opcode, std::uint8_t mask = wal::infoMask) const {
        return manager == rm && (info & mask) == opcode;
    }
};

class WalReader {
  public:
    // Pages are checked against systemId unless it is 0.
    WalReader(WalSource& source, const WalFormat& format, std::uint64_t systemId);

    // The next record is read at `at`, which must be a place where a record may begin: a record's start or
    // end. `previous` is the start of the record before it; 0 when unknown (then xl_prev need only be
    // smaller).
    void begin(Lsn at, Lsn previous = {});
    // The next record; null at the end of the valid log, when end() and reason() say where and why. May be
    // called again after an end: what has been written since is then seen. Everything that was in the
    // source's files when refresh() was last called is seen.
    Result<const WalRecord*> next();
    // Forgets bytes read ahead. next() does so itself after an end.
    void refresh();

    Lsn end() const { return m_next; }          // where the next record would begin
    Lsn previous() const { return m_previous; } // start of the last record read
    const std::string& reason() const { return m_reason; }
    Lsn gaveUpAt() const { return m_gaveUpAt; } // the page that was not as it should be, at an end

  private:
    struct Page {
        Lsn at;
        const std::byte* bytes = nullptr;
        PageHeader header;
    };

    Result<bool> turnTo(Lsn page);
    Result<const std::byte*> pageBytes(Lsn page, std::size_t ahead);
    bool validPage(Lsn page, const PageHeader& header);
    Result<bool> readAt(Lsn at, Lsn& overwrite);
    Result<bool> assemble(Lsn start, std::uint32_t length, Lsn& overwrite);
    bool validHeader(Lsn start, const std::byte* header);
    bool accept(Lsn start, Lsn end, Bytes bytes);
    template <class... Args>
    bool stop(fmt::format_string<Args...> text, Args&&... args);

    WalSource& m_source;
    const WalFormat& m_format;
    const std::uint64_t m_systemId;
    Lsn m_next;
    Lsn m_previous;
    std::string m_reason;
    Lsn m_gaveUpAt;
    WalRecord m_record;
    Page m_page;                          // the page last turned to
    std::uint64_t m_segment = UINT64_MAX; // whose first page was checked
    Lsn m_latestPage;                     // timeline ids never fall from page to page
    std::uint32_t m_latestTli = 0;        //
    std::vector<std::byte> m_window;      // bytes read ahead,
    Lsn m_windowAt;                       // from here,
    std::size_t m_windowSize = 0;         // this many;
    std::size_t m_readAhead = 0;          // and so many at the next read
    std::vector<std::byte> m_assembled;   // a record that crosses pages
};

// One reference of a record to a block (access/xlogrecord.h).
struct BlockReference {
    std::uint8_t id = 0;
    std::uint8_t fork = 0;
    bool hasImage = false;
    std::uint32_t tablespace = 0; // RelFileNode / RelFileLocator
    std::uint32_t database = 0;
    std::uint32_t relation = 0;
    BlockNumber block = 0;
};
struct RecordParts {
    std::vector<BlockReference> blocks;
    Bytes mainData;
};
// Takes a record apart; Corruption when its inner lengths do not add up.
Result<RecordParts> partsOf(const WalRecord& record, const WalFormat& format);

} // namespace arbor
