// Writes a small log by hand, so that times, transaction ids and damage are a test's own choice.
#pragma once

#include "storage/base/crc32c.h"
#include "storage/wal/wal_format.h"

#include <string>

namespace waltest {

class LogWriter {
  public:
    static constexpr std::uint32_t segmentSize = arbor::wal::minSegmentSize;
    static constexpr std::uint64_t systemId = 0x1122334455667788;

    explicit LogWriter(arbor::Lsn start) : m_start(start), m_at(start) {}

    // Appends a record with main data only; returns its start.
    arbor::Lsn record(std::uint8_t manager, std::uint8_t info, std::uint32_t xid, const std::string& data) {
        std::string bytes(arbor::wal::recordHeader, '\0');
        if (data.size() < 256)
            bytes += std::string{'\xFF', static_cast<char>(data.size())};
        else
            bytes += '\xFE' + little(data.size(), 4);
        bytes += data;
        put(bytes, 0, bytes.size(), 4);
        put(bytes, 4, xid, 4);
        put(bytes, 8, m_previous.value, 8);
        put(bytes, 16, info, 1);
        put(bytes, 17, manager, 1);
        arbor::Crc32c crc;
        crc.add(bytes.data() + arbor::wal::recordHeader, bytes.size() - arbor::wal::recordHeader)
            .add(bytes.data(), 20);
        put(bytes, 20, crc.finish(), 4);
        append(bytes);
        return m_previous;
    }
    arbor::Lsn commit(std::uint32_t xid, std::int64_t postgresMicros) {
        return record(arbor::wal::rmTransaction, arbor::wal::xactCommit, xid,
                      little(static_cast<std::uint64_t>(postgresMicros), 8));
    }
    arbor::Lsn end() const { return m_at; }
    // The log from its start on, zeros behind its end up to the end of the segment.
    std::string segments() const {
        std::string all = m_bytes;
        all.resize((all.size() + segmentSize - 1) / segmentSize * segmentSize, '\0');
        return all;
    }

  private:
    static std::string little(std::uint64_t value, int bytes) {
        std::string out;
        for (int i = 0; i < bytes; ++i)
            out += static_cast<char>(value >> 8 * i);
        return out;
    }
    static void put(std::string& into, std::size_t at, std::uint64_t value, int bytes) {
        into.replace(at, static_cast<std::size_t>(bytes), little(value, bytes));
    }
    void append(const std::string& bytes) {
        std::size_t done = 0;
        while (done < bytes.size()) {
            if (m_at.value % arbor::wal::pageSize == 0)
                header(done == 0 ? 0 : bytes.size() - done);
            if (done == 0)
                m_previous = m_at;
            const std::size_t room = arbor::wal::pageSize - m_at.value % arbor::wal::pageSize;
            const std::size_t take = std::min(room, bytes.size() - done);
            m_bytes += bytes.substr(done, take);
            m_at = m_at + take;
            done += take;
        }
        const std::uint64_t padding = arbor::alignRecord(m_at.value) - m_at.value;
        m_bytes.append(padding, '\0');
        m_at = m_at + padding;
    }
    void header(std::size_t remaining) {
        const bool first = m_at.value % segmentSize == 0;
        m_bytes += little(arbor::walFormatOfMajor(15)->pageMagic, 2) +
                   little((remaining ? 1 : 0) | (first ? 2 : 0), 2) + little(1, 4) + little(m_at.value, 8) +
                   little(remaining, 8);
        if (first)
            m_bytes += little(systemId, 8) + little(segmentSize, 4) + little(arbor::wal::pageSize, 4);
        m_at = m_at + (first ? arbor::wal::longHeader : arbor::wal::shortHeader);
    }

    arbor::Lsn m_start, m_at, m_previous;
    std::string m_bytes;
};

} // namespace waltest
