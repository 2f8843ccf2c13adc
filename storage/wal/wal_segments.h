// The files of a log: their names, whose they are, and reading by LSN over the directories of a whole
// lineage.
#pragma once

#include "storage/wal/wal_reader.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace arbor {

struct SegmentName {
    std::uint32_t tli = 0;
    std::uint64_t number = 0;
    auto operator<=>(const SegmentName&) const = default;
};
// "000000010000000A000000FF" (XLogFileName).
std::string segmentFileName(std::uint32_t tli, std::uint64_t number, std::uint32_t segmentSize);
// Nothing for any other name (history files, .partial, archive_status).
std::optional<SegmentName> parseSegmentFileName(std::string_view name, std::uint32_t segmentSize);
std::string historyFileName(std::uint32_t tli); // "00000002.history"
std::optional<std::uint32_t> parseHistoryFileName(std::string_view name);

// The Postgres timelines that lead to one (access/timeline.h): oldest first, the last one open-ended.
class TliHistory {
  public:
    struct Entry {
        std::uint32_t tli = 0;
        Lsn begin;
        Lsn end; // 0 for the last
    };
    // The history of a timeline that has no history file.
    explicit TliHistory(std::uint32_t tli = 1) : m_entries{{tli, {}, {}}} {}
    // The content of TLI.history: lines "parent, tab, LSN where it was left, tab, reason".
    static Result<TliHistory> parse(std::uint32_t tli, std::string_view text);

    std::uint32_t tli() const { return m_entries.back().tli; }
    const std::vector<Entry>& entries() const { return m_entries; }
    bool contains(std::uint32_t tli) const;
    // Where `tli` was left for the next; 0 if it is the last, nothing if it is not of this history.
    std::optional<Lsn> endOf(std::uint32_t tli) const;

  private:
    std::vector<Entry> m_entries;
};

// The header of a file's first page, if that is a long header of a known major. Nothing for a new, still
// empty segment and for anything else.
Result<std::optional<PageHeader>> readFirstPage(const ReadableFile& file);
// The segment size of a pg_wal directory, from its first readable segment. NotFound when it has none.
Result<std::uint32_t> detectSegmentSize(Disk& disk, const std::string& directory);

// One timeline's share of a lineage's log.
struct WalLayer {
    std::vector<std::string> directories; // in the order in which they are searched: wal/<T>, walkeep/<T>
    Lsn limit;                            // what is at or behind it is not part of the lineage; 0: no limit
};

// The log of a lineage: a timeline's own directories first, then, up to its fork LSN, its parent's, and so
// on. What a layer holds behind its limit reads as zeros up to the end of that segment, exactly as in a
// pg_wal that was built for a fork there. One thread at a time.
//
// A file whose first page does not carry the address that its name claims is a recycled one and does not
// exist here.
class WalChain final : public WalSource {
  public:
    // Limits are lowered so that they never grow from a layer to the next.
    WalChain(Disk& disk, std::vector<WalLayer> layers, std::uint32_t segmentSize, std::uint64_t systemId);

    // Follows Postgres timeline `tli`: reads its history file from the layers. A tli above 1 without one has
    // no past.
    Status followTli(std::uint32_t tli);
    const TliHistory& history() const { return m_history; }

    struct Place {
        std::string path;
        std::string name;
        std::uint32_t tli = 0;
        std::size_t layer = 0;
        Lsn limit;               // bytes at and behind it do not count; 0: all count
        std::uint64_t inode = 0; //
    };
    // The file that holds a segment: of the newest Postgres timeline that has one, in the first directory.
    Result<std::optional<Place>> locate(std::uint64_t number);
    // Whether the file that the chain last read from is still the one at its path (a segment may be replaced
    // by a private copy before a start). If not, it is opened anew at the next read.
    Status revalidate();
    void forget() { m_open.reset(); }

    Result<std::size_t> read(Lsn at, MutableBytes into) override;
    std::uint32_t segmentSize() const override { return m_segmentSize; }
    bool hasTli(std::uint32_t tli) const override { return m_history.contains(tli); }

    Disk& disk() const { return m_disk; }
    std::uint64_t systemId() const { return m_systemId; }
    const std::vector<WalLayer>& layers() const { return m_layers; }
    std::uint64_t segmentOf(Lsn lsn) const { return lsn.value / m_segmentSize; }
    Lsn startOf(std::uint64_t number) const { return {number * m_segmentSize}; }

  private:
    struct Open {
        std::uint64_t number = 0;
        Place place;
        std::shared_ptr<ReadableFile> file;
    };
    Result<std::optional<Open>> open(std::uint64_t number);
    Result<std::optional<Open>> openIn(std::size_t layer, std::uint64_t number, std::uint32_t tli);

    Disk& m_disk;
    const std::vector<WalLayer> m_layers;
    const std::uint32_t m_segmentSize;
    const std::uint64_t m_systemId;
    TliHistory m_history;
    std::optional<Open> m_open;
};

} // namespace arbor
