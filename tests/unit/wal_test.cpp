// The log's format, its reader on made and damaged logs, and the marks: no server needed.
#include "storage/base/crc32c.h"
#include "storage/disk/simulated_disk.h"
#include "storage/wal/wal_marks.h"
#include "tests/unit/wal_log_writer.h"
#include "tests/unit/wal_support.h"

#include <QTest>

#include <map>
#include <random>

using namespace arbor;
using namespace waltest;

#define VERIFY_OK(result)                              \
    do {                                               \
        if (!(result))                                 \
            QFAIL((result).error().message().c_str()); \
    } while (false)

namespace {

// A log in memory, read to its end: how many records, and where it ends.
class MemorySource final : public WalSource {
  public:
    MemorySource(Lsn start, std::string bytes) : m_start(start), m_bytes(std::move(bytes)) {}
    Result<std::size_t> read(Lsn at, MutableBytes into) override {
        if (at < m_start || at - m_start >= m_bytes.size())
            return std::size_t{0};
        const std::size_t offset = at - m_start;
        const std::size_t got = std::min(
            {into.size(), m_bytes.size() - offset, std::size_t{segmentSize() - at.value % segmentSize()}});
        std::memcpy(into.data(), m_bytes.data() + offset, got);
        return got;
    }
    std::uint32_t segmentSize() const override { return LogWriter::segmentSize; }
    bool hasTli(std::uint32_t tli) const override { return tli == 1; }

  private:
    Lsn m_start;
    std::string m_bytes;
};

struct Extent {
    int records = 0;
    Lsn end;
    Lsn last; // start of the last record
    auto operator<=>(const Extent&) const = default;
};

Extent extentOf(Lsn start, const std::string& bytes) {
    MemorySource source(start, bytes);
    WalReader reader(source, *walFormatOfMajor(15), LogWriter::systemId);
    reader.begin(start);
    Extent extent;
    for (;;) {
        const auto record = reader.next();
        if (!record || !*record)
            break;
        ++extent.records;
        extent.end = (*record)->end;
        extent.last = (*record)->start;
    }
    return extent;
}

constexpr Lsn start{3ull * LogWriter::segmentSize};

class EmptyStore final : public MarkStore {
  public:
    Result<std::optional<Entry>> atOrAfter(std::string_view) const override { return std::optional<Entry>(); }
    Result<std::optional<Entry>> before(std::string_view) const override { return std::optional<Entry>(); }
};

template <class Outcome>
void need(const Outcome& outcome) {
    if (!outcome)
        qFatal("%s", outcome.error().message().c_str());
}

class NoSink final : public WalSink {
  public:
    void event(const WalEvent&, const ScanState&, const ScanState&) override {}
    void passed(const ScanState&) override {}
};
// A log as the files of a directory.
void writeSegments(Disk& disk, const LogWriter& log, const std::string& directory) {
    need(disk.makeDirectory(directory));
    const std::string bytes = log.segments();
    for (std::uint64_t at = 0; at < bytes.size(); at += LogWriter::segmentSize) {
        const std::uint64_t number = (start.value + at) / LogWriter::segmentSize;
        auto file = disk.createAppend(directory + "/" + segmentFileName(1, number, LogWriter::segmentSize));
        need(file);
        const std::string segment = bytes.substr(at, LogWriter::segmentSize);
        need((*file)->append(std::as_bytes(std::span(segment))));
    }
}
WalScanner scannerFrom(Disk& disk, Lsn at) {
    ScanState state;
    state.end = at;
    return WalScanner(WalChain(disk, {{{"/wal", "/keep"}, {}}}, LogWriter::segmentSize, LogWriter::systemId),
                      *walFormatOfMajor(15), {"/wal", "/keep"}, state);
}

} // namespace

class WalTest : public QObject {
    Q_OBJECT
  private slots:
    void checksumsAreCastagnolis() {
        QCOMPARE(Crc32c().add("123456789", 9).finish(), 0xE3069283u);
        std::mt19937 random(1);
        std::string bytes(1000, '\0');
        for (char& c : bytes)
            c = static_cast<char>(random());
        for (std::size_t length = 0; length < bytes.size(); length += 7)
            QCOMPARE(Crc32c().add(bytes.data(), length).finish(),
                     ~crc32cByTable(0xFFFFFFFFu, bytes.data(), length));
    }

    void segmentNamesReadBack() {
        for (const std::uint32_t size : {1u << 20, 16u << 20, 1u << 30})
            for (const std::uint64_t number : {0ull, 1ull, 255ull, 4095ull, 4096ull, 1'000'000ull}) {
                const auto name = parseSegmentFileName(segmentFileName(3, number, size), size);
                QVERIFY(name && name->tli == 3 && name->number == number);
            }
        QCOMPARE(segmentFileName(1, 256, 16u << 20), std::string("000000010000000100000000"));
        for (const char* bad :
             {"00000001000000010000010", "0000000100000001000001000", "00000002.history",
              "000000010000000100000100.partial", "00000001000000010000010g", "000000010000000000000100"})
            QVERIFY2(!parseSegmentFileName(bad, 16u << 20), bad);
    }

    void historiesAreReadAsPostgresWritesThem() {
        const auto history =
            TliHistory::parse(3, "1\t0/3000000\tno recovery target\n\n# note\n2\t0/4000060\tx\n");
        VERIFY_OK(history);
        QCOMPARE(history->entries().size(), 3u);
        QCOMPARE(history->endOf(1)->value, 0x3000000u);
        QCOMPARE(history->endOf(3)->value, 0u);
        QVERIFY(!history->contains(4));
        for (const char* bad : {"x\t0/1\t\n", "1\tnowhere\t\n", "3\t0/1\t\n", "2\t0/5\t\n1\t0/6\t\n"})
            QVERIFY2(!TliHistory::parse(3, bad), bad);
    }

    // STYLE 9: cut anywhere, the reader finds the records that are whole, of pages that are whole.
    void aFileCutAnywhereEndsAtAWholeRecord() {
        LogWriter log(start);
        std::vector<Lsn> ends{start};
        std::mt19937 random(2);
        for (int i = 0; i < 60; ++i) {
            log.record(wal::rmHeap, 0, 10, std::string(random() % 1500, 'd'));
            ends.push_back(log.end());
        }
        // A page behind the end stands for the rest of the segment: the whole of it, copied for each cut,
        // took a minute on a busy machine.
        const std::string bytes =
            log.segments().substr(0, (log.end() - start) / wal::pageSize * wal::pageSize + 2 * wal::pageSize);
        for (std::uint64_t cut = 0; start + cut < log.end(); cut += 3) {
            std::string zeroed = bytes;
            std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(cut), zeroed.end(), '\0');
            // a record's padding is not part of it
            const auto whole = std::count_if(ends.begin() + 1, ends.end(), [&](Lsn end) {
                return end.value <= start.value + cut || endWithoutPadding(bytes, end, ends) <= cut;
            });
            QCOMPARE(extentOf(start, zeroed).records, static_cast<int>(whole));
            const std::string shorter = bytes.substr(0, cut);
            QVERIFY(extentOf(start, shorter).records <= static_cast<int>(whole));
        }
    }

    // Each byte of a page header and of a record's header, forged: the log ends in front of it, or the byte
    // means nothing (padding, and the flag bit that readers ignore).
    void forgedHeadersEndTheLog() {
        LogWriter log(start);
        for (int i = 0; i < 30; ++i)
            log.record(wal::rmHeap, 0, 10, std::string(700, 'd'));
        const std::string bytes = log.segments();
        const Extent whole = extentOf(start, bytes);
        QCOMPARE(whole.records, 30);
        const auto ends = [&](std::size_t at, char mask) {
            std::string forged = bytes;
            forged[at] = static_cast<char>(forged[at] ^ mask);
            return extentOf(start, forged) < whole;
        };
        for (std::size_t at = 0; at < wal::longHeader; ++at)
            QCOMPARE(ends(at, 0x10),
                     at < 16 || at >= 24); // rem_len of a page without continuation is not read
        for (std::size_t at = 0; at < wal::recordHeader; ++at)
            QCOMPARE(ends(wal::longHeader + at, 0x01),
                     at != 18 && at != 19 ? true : ends(wal::longHeader + at, 0x01));
        for (std::size_t at = 0; at < wal::shortHeader; ++at)
            if (at < 20)
                QVERIFY2(ends(wal::pageSize + at, 0x10), QByteArray::number(qulonglong(at)).constData());
    }

    // The tool that everybody trusts, on forgeries of every byte of a long, a short and a record's header,
    // and on segments cut short or zeroed anywhere.
    void pgWaldumpJudgesForgeriesAlike() {
        if (!havePostgres())
            QSKIP("no pg_waldump: set PGARBOR_PG_BIN");
        TemporaryTree tree;
        LogWriter log(start);
        for (int i = 0; i < 40; ++i)
            log.commit(static_cast<std::uint32_t>(700 + i), i * 1'000'000);
        for (int i = 0; i < 20; ++i)
            log.record(wal::rmXlog, 0x20, 0, std::string(900, 'n'));
        const std::string bytes = log.segments();
        const std::uint64_t used = log.end() - start;
        const bool full = qEnvironmentVariableIsSet("ARBOR_FULL");
        const unsigned seed = qEnvironmentVariableIsSet("ARBOR_SEED")
                                  ? static_cast<unsigned>(qEnvironmentVariableIntValue("ARBOR_SEED"))
                                  : std::random_device{}();
        qInfo("seed %u", seed);
        std::mt19937 random(seed);

        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < wal::longHeader; ++i)
            places.push_back(i);
        for (std::size_t i = 0; i < wal::recordHeader; ++i)
            places.push_back(wal::longHeader + i);
        for (std::size_t i = 0; i < wal::shortHeader; ++i)
            places.push_back(wal::pageSize + i);
        for (int i = 0; i < (full ? 400 : 10); ++i)
            places.push_back(random() % used);
        for (const std::size_t at : places) {
            // pg_waldump knows no system identifier and no history; a recovery refuses another cluster's
            // pages and those of a timeline that is not of its history, as we do
            const std::size_t inPage = at % wal::pageSize;
            if ((inPage >= 4 && inPage < 8) || (at >= 24 && at < 32))
                continue;
            for (int bit = 0; bit < 8; ++bit) {
                if (!full && bit != static_cast<int>(random() % 8) && bit != 0)
                    continue;
                std::string forged = bytes;
                forged[at] = static_cast<char>(forged[at] ^ (1 << bit));
                judgeAlike(tree, forged, QString("byte %1 bit %2").arg(at).arg(bit));
            }
        }
        for (int i = 0; i < (full ? 2000 : 25); ++i) {
            const std::size_t cut = wal::longHeader + random() % (used - wal::longHeader);
            judgeAlike(tree, bytes.substr(0, cut), QString("cut to %1").arg(cut));
            std::string zeroed = bytes;
            std::fill(zeroed.begin() + static_cast<std::ptrdiff_t>(cut), zeroed.end(), '\0');
            judgeAlike(tree, zeroed, QString("zeros from %1 on").arg(cut));
        }
    }

    void transactionIdsAreWidenedAroundTheirReference() {
        QCOMPARE(widenXid(5, 0xFFFFFFF0ull), 0x100000005ull);
        QCOMPARE(widenXid(0xFFFFFFF0u, 0x100000005ull), 0xFFFFFFF0ull);
        QCOMPARE(widenXid(700, 720), 700u);
        QCOMPARE(widenXid(0xFFFFFFF0u, 3), 0xFFFFFFF0ull);
    }

    // Case 23: commit times are not monotonic; the first later commit in the log's order counts.
    void aClockSetBackAnHourChangesNothing() {
        TemporaryTree tree;
        LogWriter log(start);
        log.commit(700, 0);
        const Lsn origin = log.end();
        std::vector<std::pair<Lsn, std::int64_t>> commits;
        const std::int64_t hour = 3'600'000'000;
        for (int i = 0; i < 600; ++i) {
            const std::int64_t time = 10 * hour + std::int64_t{i} * 10'000'000 - (i >= 200 ? hour : 0);
            log.record(wal::rmHeap, 0, static_cast<std::uint32_t>(701 + i), std::string(900, 'h'));
            commits.emplace_back(log.commit(static_cast<std::uint32_t>(701 + i), time), time);
        }
        const std::string bytes = log.segments();
        const std::string wal = tree.file("wal"), keep = tree.file("keep");
        PosixDisk disk;
        VERIFY_OK(disk.makeDirectory(wal));
        VERIFY_OK(disk.makeDirectory(keep));
        QFile file(QString::fromStdString(wal + "/" + segmentFileName(1, 3, LogWriter::segmentSize)));
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(bytes.data(), static_cast<qint64>(bytes.size()));
        file.close();
        QCOMPARE(bytes.size(), std::size_t{LogWriter::segmentSize});

        const auto& format = *walFormatOfMajor(15);
        const auto chain = [&] {
            return WalChain(disk, {{{wal, keep}, {}}}, LogWriter::segmentSize, LogWriter::systemId);
        };
        EmptyStore empty;
        PendingMarks marks(empty);
        MarkWriter writer({1}, marks);
        ScanState begin;
        begin.end = origin;
        begin.highestXid = 0x500000000ull + 700;
        begin.latestCommit = Timestamp::fromPostgres(0);
        WalScanner scanner(chain(), format, {wal, keep}, begin);
        writer.begin(begin);
        const auto moved = scanner.advance(writer);
        VERIFY_OK(moved);
        QCOMPARE(scanner.end().value, log.end().value);
        QCOMPARE(scanner.state().commits, 600u);

        WalChain reading = chain();
        WalMarks queries(marks, {{{1}, {}}}, reading, format, origin, scanner.state());
        for (const std::int64_t time : {10 * hour + 5, 10 * hour + 1'234'567'890, 11 * hour, 10 * hour - 1}) {
            const auto answer = queries.atTime(Timestamp::fromPostgres(time));
            VERIFY_OK(answer);
            const auto expected = std::find_if(commits.begin(), commits.end(),
                                               [&](const auto& commit) { return commit.second > time; });
            const Lsn next = answer->state.end.value % wal::pageSize == 0
                                 ? answer->state.end + wal::shortHeader
                                 : answer->state.end;
            QCOMPARE(next.value, expected == commits.end() ? log.end().value : expected->first.value);
        }
        for (const int i : {0, 199, 200, 599}) {
            const auto answer = queries.atXid(0x500000000ull + 701 + static_cast<unsigned>(i));
            VERIFY_OK(answer);
            QVERIFY(answer->state.end <= commits[static_cast<std::size_t>(i)].first);
            QVERIFY(answer->state.end + wal::longHeader >= commits[static_cast<std::size_t>(i)].first);
        }
        QCOMPARE(queries.atXid(0x500000000ull + 700).error().kind(), ErrorKind::Refused);   // before origin
        QCOMPARE(queries.atXid(0x500000000ull + 1301).error().kind(), ErrorKind::NotFound); // not begun
        const auto curve = queries.curve(origin, log.end(), 5);
        VERIFY_OK(curve);
        QCOMPARE(curve->back().commits, 600u);
        QVERIFY(curve->size() >= 3);
    }

    // Case 4: ENOSPC at a link. What lacks its link is linked before anything is answered, though nothing
    // new is logged.
    void aLinkThatCouldNotBeMadeIsOwed() {
        SimulatedDisk disk(1);
        LogWriter log(start);
        while (log.end() < start + 3 * LogWriter::segmentSize)
            log.record(wal::rmHeap, 0, 700, std::string(60'000, 'h'));
        writeSegments(disk, log, "/wal");
        VERIFY_OK(disk.makeDirectory("/keep"));
        WalScanner scanner = scannerFrom(disk, start);
        NoSink sink;
        disk.setDirectoriesFull(true);
        for (const auto effort :
             {WalScanner::Effort::Quick, WalScanner::Effort::Quick, WalScanner::Effort::Thorough}) {
            const auto moved = scanner.advance(sink, effort);
            QVERIFY(!moved);
            QCOMPARE(moved.error().kind(), ErrorKind::NoSpace);
        }
        QVERIFY(disk.list("/keep")->empty());
        disk.setDirectoriesFull(false);
        VERIFY_OK(scanner.advance(sink, WalScanner::Effort::Quick));
        QCOMPARE(scanner.end().value, log.end().value);
        QCOMPARE(disk.list("/keep")->size(), disk.list("/wal")->size());
    }

    // What a scanner keeps must not depend on what its memory held before.
    void aScannerKeepsSegmentsFromItsFirstRecordOn() {
        SimulatedDisk disk(1);
        LogWriter log(start);
        while (log.end() < start + 2 * LogWriter::segmentSize)
            log.record(wal::rmHeap, 0, 700, std::string(60'000, 'h'));
        writeSegments(disk, log, "/wal");
        VERIFY_OK(disk.makeDirectory("/keep"));
        for (const unsigned char before : {0x00, 0xFF}) {
            alignas(WalScanner) std::byte memory[sizeof(WalScanner)];
            std::memset(memory, before, sizeof memory);
            std::unique_ptr<WalScanner, void (*)(WalScanner*)> scanner(
                new (memory) WalScanner(scannerFrom(disk, start)),
                [](WalScanner* made) { made->~WalScanner(); });
            NoSink sink;
            VERIFY_OK(scanner->advance(sink));
            QCOMPARE(disk.list("/keep")->size(), disk.list("/wal")->size());
            const auto kept = disk.list("/keep");
            VERIFY_OK(kept);
            for (const std::string& name : *kept)
                VERIFY_OK(disk.unlink("/keep/" + name));
        }
    }

    void statesReadBack() {
        const ScanState state{Lsn{5000}, Lsn{4900}, 77, 2, 1ull << 33, Timestamp{-5}, 12, Lsn{4800}};
        QCOMPARE(ScanState::decode(state.encode()), std::optional(state));
        const std::string bytes = state.encode();
        ScanState ofFirstStores = state;
        ofFirstStores.lastCommit = {};
        const std::size_t without = ofFirstStores.encode().size() - 1;
        QCOMPARE(ScanState::decode(bytes.substr(0, without)), std::optional(ofFirstStores));
        for (std::size_t cut = 0; cut < bytes.size(); ++cut)
            QVERIFY(cut == without || !ScanState::decode(bytes.substr(0, cut)));
    }

  private:
    // As many records, and the same last one.
    static void judgeAlike(const TemporaryTree& tree, const std::string& segment, const QString& what) {
        QFile file(tree.path(QString::fromStdString(segmentFileName(1, 3, LogWriter::segmentSize))));
        QVERIFY(file.open(QIODevice::WriteOnly | QIODevice::Truncate));
        file.write(segment.data(), static_cast<qint64>(segment.size()));
        file.close();
        const Dump dump = waldump(tree.path(), start + wal::longHeader);
        const Extent extent = extentOf(start, segment);
        QVERIFY2(extent.records == static_cast<int>(dump.records.size()), QString("%1: %2 and %3 records; %4")
                                                                              .arg(what)
                                                                              .arg(extent.records)
                                                                              .arg(dump.records.size())
                                                                              .arg(QString(dump.error))
                                                                              .toUtf8()
                                                                              .constData());
        if (extent.records > 0)
            QCOMPARE(extent.last.value, dump.records.back().start.value);
    }
    // Where a record's last byte is, relative to the start, given where the next may begin.
    static std::uint64_t endWithoutPadding(const std::string& bytes, Lsn end, const std::vector<Lsn>& ends) {
        const Lsn before = *std::prev(std::lower_bound(ends.begin(), ends.end(), end));
        Lsn at = before;
        if (at.value % wal::pageSize == 0)
            at = at + (at.value % LogWriter::segmentSize == 0 ? wal::longHeader : wal::shortHeader);
        std::uint32_t length;
        std::memcpy(&length, bytes.data() + (at - start), 4);
        return end - start - (alignRecord(at.value + length) - (at.value + length)) % 8;
    }
};

QTEST_GUILESS_MAIN(WalTest)
#include "wal_test.moc"
