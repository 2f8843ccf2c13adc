#include "storage/disk/log_inspector.h"

#include "storage/disk/log_file.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace arbor {

namespace {

// LevelDB's fixed and variable numbers, read off the front of a view that turns invalid when it runs dry.
class Reader {
  public:
    explicit Reader(std::string_view in) : m_in(in) {}
    bool ok() const { return m_ok; }
    bool atEnd() const { return m_in.empty(); }

    std::uint64_t fixed(std::size_t bytes) {
        const std::string_view part = take(bytes);
        std::uint64_t value = 0;
        for (std::size_t i = part.size(); i-- > 0;)
            value = value << 8 | static_cast<unsigned char>(part[i]);
        return value;
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            const std::string_view part = take(1);
            if (part.empty())
                return 0;
            value |= (static_cast<std::uint64_t>(part[0]) & 0x7F) << shift;
            if (!(part[0] & 0x80))
                return value;
        }
        m_ok = false;
        return 0;
    }
    void skipString() { take(varint()); }

  private:
    std::string_view take(std::uint64_t bytes) {
        if (!m_ok || bytes > m_in.size()) {
            m_ok = false;
            return {};
        }
        const std::string_view part = m_in.substr(0, bytes);
        m_in.remove_prefix(bytes);
        return part;
    }
    std::string_view m_in;
    bool m_ok = true;
};

// What we need of the MANIFEST's edits (LevelDB's db/version_edit.cc).
struct Manifest {
    std::uint64_t logNumber = 0;
    std::uint64_t previousLogNumber = 0;
    std::uint64_t lastSequence = 0;

    // false when the record is no edit
    bool apply(std::string_view record) {
        Reader reader(record);
        while (reader.ok() && !reader.atEnd()) {
            switch (reader.varint()) {
            case 1: // comparator
                reader.skipString();
                break;
            case 2:
                logNumber = reader.varint();
                break;
            case 3: // next file number
                reader.varint();
                break;
            case 4:
                lastSequence = reader.varint();
                break;
            case 5: // compaction pointer: level, key
                reader.varint();
                reader.skipString();
                break;
            case 6: // deleted file: level, number
                reader.varint();
                reader.varint();
                break;
            case 7: // new file: level, number, size, smallest and largest key
                reader.varint();
                reader.varint();
                reader.varint();
                reader.skipString();
                reader.skipString();
                break;
            case 9:
                previousLogNumber = reader.varint();
                break;
            default:
                return false;
            }
        }
        return reader.ok();
    }
};

// The header of a write batch (LevelDB's db/write_batch.cc): its first sequence number and how many entries
// it has.
struct BatchHeader {
    std::uint64_t sequence = 0;
    std::uint64_t count = 0;
    std::uint64_t next() const { return sequence + count; }

    static std::optional<BatchHeader> read(std::string_view record) {
        Reader reader(record);
        const BatchHeader header{.sequence = reader.fixed(8), .count = reader.fixed(4)};
        return reader.ok() ? std::optional(header) : std::nullopt;
    }
};

std::optional<std::uint64_t> numberedName(std::string_view name, std::string_view prefix,
                                          std::string_view suffix) {
    if (!name.starts_with(prefix) || !name.ends_with(suffix) || name.size() <= prefix.size() + suffix.size())
        return std::nullopt;
    name = name.substr(prefix.size(), name.size() - prefix.size() - suffix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc() && end == name.data() + name.size() ? std::optional(number) : std::nullopt;
}

Error damaged(const std::string& path, std::uint64_t offset, std::string_view reason) {
    return makeError(ErrorKind::Corruption, "{} is damaged at offset {}: {}. Restore the store from a copy.",
                     path, offset, reason);
}

Status cut(Disk& disk, const std::string& path, std::uint64_t size) {
    ARBOR_TRY(disk.truncate(path, size));
    return disk.syncFile(path);
}

class Inspection {
  public:
    Inspection(Disk& disk, const std::string& directory) : m_disk(disk), m_directory(directory) {}

    Status run() {
        ARBOR_ASSIGN(m_names, m_disk.list(m_directory));
        if (std::find(m_names.begin(), m_names.end(), "CURRENT") == m_names.end())
            return expectNothing();
        ARBOR_ASSIGN(const std::string manifest, readCurrent());
        ARBOR_TRY(readManifest(pathOf(manifest)));
        return readLogs();
    }

  private:
    std::string pathOf(const std::string& name) const { return m_directory + "/" + name; }

    // Without CURRENT LevelDB would begin anew and remove the tables it finds.
    Status expectNothing() const {
        for (const std::string& name : m_names)
            if (numberedName(name, "", ".log") || numberedName(name, "", ".ldb") ||
                numberedName(name, "", ".sst"))
                return makeError(ErrorKind::Corruption,
                                 "{} is missing although {} is there. Restore the store from a copy.",
                                 pathOf("CURRENT"), name);
        return {};
    }

    Result<std::string> readCurrent() const {
        ARBOR_ASSIGN(std::string name, readFile(m_disk, pathOf("CURRENT")));
        const bool ends = name.ends_with('\n');
        if (ends)
            name.pop_back();
        if (!ends || !numberedName(name, "MANIFEST-", "") ||
            std::find(m_names.begin(), m_names.end(), name) == m_names.end())
            return makeError(
                ErrorKind::Corruption,
                "{} is damaged: it does not name a MANIFEST that exists. Restore the store from a copy.",
                pathOf("CURRENT"));
        return name;
    }

    Status readManifest(const std::string& path) {
        ARBOR_ASSIGN(const std::string content, readFile(m_disk, path));
        const LogFile file = parseLogFile(
            content, [](const LogFileRecord*, std::string_view record) { return Manifest().apply(record); });
        if (file.tail == LogFileTail::Damaged)
            return damaged(path, file.badOffset, file.reason);
        // The snapshot and the first edit were synced together, before CURRENT named this file.
        if (file.records.empty() || (file.records.size() < 2 && !isFirstManifest(path)))
            return damaged(path, file.end, "its beginning is missing");
        for (const LogFileRecord& record : file.records)
            m_manifest.apply(record.data);
        if (file.end < content.size())
            ARBOR_TRY(cut(m_disk, path, file.end));
        return {};
    }

    // A new database's first MANIFEST has one record until the database is open.
    static bool isFirstManifest(const std::string& path) { return path.ends_with("/MANIFEST-000001"); }

    std::vector<std::uint64_t> liveLogs() const {
        std::vector<std::uint64_t> logs;
        for (const std::string& name : m_names)
            if (const auto number = numberedName(name, "", ".log");
                number && (*number >= m_manifest.logNumber || *number == m_manifest.previousLogNumber))
                logs.push_back(*number);
        std::sort(logs.begin(), logs.end());
        return logs;
    }

    Status readLogs() {
        const std::vector<std::uint64_t> logs = liveLogs();
        if (m_manifest.logNumber != 0 && (logs.empty() || logs.front() > m_manifest.logNumber))
            return makeError(ErrorKind::Corruption, "{} is missing. Restore the store from a copy.",
                             pathOf(fmt::format("{:06}.log", m_manifest.logNumber)));
        for (const std::uint64_t number : logs)
            ARBOR_TRY(readLog(pathOf(fmt::format("{:06}.log", number))));
        if (!m_tornPath.empty())
            return cut(m_disk, m_tornPath, m_tornEnd);
        return {};
    }

    Status readLog(const std::string& path) {
        ARBOR_ASSIGN(const std::string content, readFile(m_disk, path));
        const LogFile file =
            parseLogFile(content, [](const LogFileRecord* previous, std::string_view record) {
                const auto header = BatchHeader::read(record);
                const auto before = previous ? BatchHeader::read(previous->data) : std::nullopt;
                // exact order is asked below, where it can be named; here only that it can be a batch of this
                // log
                return header && (!before || header->sequence - before->next() < (1u << 31));
            });
        if (!file.records.empty() && !m_tornPath.empty())
            return damaged(m_tornPath, m_tornOffset, "its end is torn although a newer log has batches");
        ARBOR_TRY(continueChain(path, file));
        if (file.tail == LogFileTail::Damaged)
            return damaged(path, file.badOffset, file.reason);
        if (file.end < content.size()) {
            m_tornPath = path;
            m_tornOffset = file.badOffset;
            m_tornEnd = file.end;
        }
        return {};
    }

    Status continueChain(const std::string& path, const LogFile& file) {
        for (const LogFileRecord& record : file.records) {
            const BatchHeader batch = *BatchHeader::read(record.data); // parseLogFile found it plausible
            const std::uint64_t expected = m_nextSequence.value_or(m_manifest.lastSequence + 1);
            const bool follows = m_nextSequence ? batch.sequence == expected : batch.sequence <= expected;
            if (!follows)
                return damaged(
                    path, record.offset,
                    fmt::format("its batch has number {} where {} must follow: batches are missing",
                                batch.sequence, expected));
            m_nextSequence = batch.next();
        }
        return {};
    }

    Disk& m_disk;
    const std::string& m_directory;
    std::vector<std::string> m_names;
    Manifest m_manifest;
    std::optional<std::uint64_t> m_nextSequence; // none before the first batch
    std::string m_tornPath;                      // the log whose end is to be cut, if any
    std::uint64_t m_tornOffset = 0;
    std::uint64_t m_tornEnd = 0;
};

} // namespace

Status inspectIndexFiles(Disk& disk, const std::string& directory) {
    return Inspection(disk, directory).run();
}

} // namespace arbor
