// LevelDB's log format: what is a torn end, and what is damage.
#include "disk_support.h"

#include "storage/base/crc32c.h"
#include "storage/disk/log_checksum.h"
#include "storage/disk/log_file.h"

using namespace arbor;
using namespace arbor::test;

namespace {

constexpr std::size_t logBlock = 32768;

void appendNumber(std::string& out, std::uint64_t value, int bytes) {
    for (int i = 0; i < bytes; ++i)
        out.push_back(static_cast<char>(value >> 8 * i));
}

// LevelDB's writer, from its format's description.
void appendRecord(std::string& file, std::string_view data) {
    for (bool first = true;; first = false) {
        std::size_t room = logBlock - file.size() % logBlock;
        if (room < 7) {
            file.append(room, '\0');
            room = logBlock;
        }
        const std::string_view part = data.substr(0, room - 7);
        data.remove_prefix(part.size());
        const std::string typed =
            static_cast<char>(data.empty() ? (first ? 1 : 4) : (first ? 2 : 3)) + std::string(part);
        appendNumber(file, crc32cMask(crc32c(typed)), 4);
        appendNumber(file, part.size(), 2);
        file += typed;
        if (data.empty())
            return;
    }
}

// A record that says which one it is, of a length, without a zero at its end.
std::string recordOf(std::uint64_t number, std::size_t length) {
    std::string data;
    appendNumber(data, number, 8);
    while (data.size() < length)
        data.push_back(static_cast<char>((data.size() * 31 + number) % 255 + 1));
    return data;
}

std::uint64_t numberOf(std::string_view data) {
    std::uint64_t number = 0;
    for (std::size_t i = 8; i-- > 0;)
        number = number << 8 | static_cast<unsigned char>(data[i]);
    return number;
}

LogFile parse(std::string_view content) {
    return parseLogFile(content, [](const LogFileRecord* previous, std::string_view data) {
        return data.size() >= 8 && numberOf(data) - (previous ? numberOf(previous->data) + 1 : 1) < 1000;
    });
}

// A file of records of these lengths, and where each ends.
struct Sample {
    std::string content;
    std::vector<std::size_t> ends;

    explicit Sample(std::initializer_list<std::size_t> lengths) {
        for (const std::size_t length : lengths) {
            appendRecord(content, recordOf(ends.size() + 1, length));
            ends.push_back(content.size());
        }
    }
};

} // namespace

class DiskLogTest : public QObject {
    Q_OBJECT
  private slots:
    void checksumsAreCastagnolis() {
        QCOMPARE(crc32c("123456789"), 0xE3069283u);
        QCOMPARE(crc32c(""), 0u);
        QCOMPARE(crc32c(std::string(32, '\0')), 0x8A9136AAu);
        for (std::uint32_t crc : {0u, 1u, 0xFFFFFFFFu, 0xE3069283u})
            QCOMPARE(crc32cUnmask(crc32cMask(crc)), crc);
    }

    void oneWrongByteIsRecognised() {
        const std::string right = recordOf(1, 300);
        for (std::size_t at = 0; at < right.size(); ++at) {
            std::string wrong = right;
            wrong[at] = static_cast<char>(wrong[at] ^ (at % 255 + 1));
            QCOMPARE(oneByteExplains(crc32c(right), crc32c(wrong), right.size()).value_or(0),
                     right.size() - at - 1);
            // the search ends where it was told to
            QCOMPARE(oneByteExplains(crc32c(right), crc32c(wrong), right.size() - at - 1).has_value(), false);
        }
        QVERIFY(!oneByteExplains(crc32c(right), crc32c(recordOf(2, 300).replace(100, 50, 50, 'x')),
                                 right.size()));
    }

    void recordsOfAllLengthsAreRead() {
        // also where 6, 7 and 8 bytes of a block are left: a trailer, an empty FIRST, a FIRST of one byte
        for (std::size_t left : {0, 1, 6, 7, 8, 20}) {
            const Sample sample({100, logBlock - 100 - 14 - left, 50, 3 * logBlock, 8, 40'000});
            const LogFile file = parse(sample.content);
            QCOMPARE(file.tail, LogFileTail::Clean);
            QCOMPARE(file.records.size(), 6u);
            QCOMPARE(file.end, sample.content.size());
            QVERIFY(file.records[3].data == recordOf(4, 3 * logBlock));
            QCOMPARE(file.records[2].offset, left < 7 ? logBlock : sample.ends[1]);
        }
        QCOMPARE(parse("").tail, LogFileTail::Clean);
        QCOMPARE(parse(std::string(5000, '\0')).tail, LogFileTail::Clean);
        QCOMPARE(parse(std::string(5000, '\0')).end, 0u);
    }

    void cutAnywhereItKeepsWhatIsWhole() {
        const Sample sample({500, 40'000, 30, 700});
        for (std::size_t size = 0; size < sample.content.size(); ++size) {
            const bool near = size % 97 == 0 || size % logBlock < 20 || size % logBlock > logBlock - 20 ||
                              sample.content.size() - size < 800;
            if (!near)
                continue;
            const LogFile file = parse(std::string_view(sample.content).substr(0, size));
            const auto whole =
                std::upper_bound(sample.ends.begin(), sample.ends.end(), size) - sample.ends.begin();
            QVERIFY2(file.tail != LogFileTail::Damaged, qPrintable(QString::number(size)));
            QCOMPARE(file.records.size(), static_cast<std::size_t>(whole));
            QCOMPARE(file.end, whole == 0 ? 0 : sample.ends[static_cast<std::size_t>(whole) - 1]);
        }
    }

    void anyWrongByteIsDamage() {
        for (const Sample& sample :
             {Sample({500, 1200, 30, 700}), Sample({logBlock - 30, 600}), Sample({10, 40'000})}) {
            const bool large = sample.content.size() > 10'000;
            for (std::size_t at = 0; at < sample.content.size(); at += slowness) {
                if (large && at % 61 != 0 && at % logBlock > 10 && at % logBlock < logBlock - 40)
                    continue;
                for (const int bits : {1, 0x80, 0xFF, static_cast<int>(at % 255) + 1,
                                       static_cast<int>(static_cast<unsigned char>(sample.content[at]))}) {
                    if (bits == 0)
                        continue;
                    std::string wrong = sample.content;
                    wrong[at] = static_cast<char>(wrong[at] ^ bits);
                    const LogFile file = parse(wrong);
                    QVERIFY2(file.tail == LogFileTail::Damaged || file.records.size() == sample.ends.size(),
                             qPrintable(QString("%1 ^ %2").arg(at).arg(bits)));
                }
            }
        }
    }

    void everyForgedLengthAndTypeIsDamage() {
        const Sample sample({300, 900});
        for (const std::size_t record : {std::size_t{0}, sample.ends[0]}) {
            for (unsigned length = 0; length < 65536; length += (length < 2000 ? 1 : 41) * slowness) {
                std::string wrong = sample.content;
                wrong[record + 4] = static_cast<char>(length);
                wrong[record + 5] = static_cast<char>(length >> 8);
                if (wrong == sample.content)
                    continue;
                QVERIFY2(parse(wrong).tail == LogFileTail::Damaged, qPrintable(QString::number(length)));
            }
            for (int type = 0; type < 256; ++type) {
                std::string wrong = sample.content;
                wrong[record + 6] = static_cast<char>(type);
                if (wrong != sample.content)
                    QVERIFY2(parse(wrong).tail == LogFileTail::Damaged, qPrintable(QString::number(type)));
            }
        }
    }

    void lostSectorsOfTheLastRecordAreTornAndOfOthersDamage() {
        const Sample sample({300, 5000, 200, 40'000});
        const std::size_t last = sample.ends[2];
        for (std::size_t from = 0; from < sample.content.size(); from += 512) {
            const std::size_t length = std::min<std::size_t>(512, sample.content.size() - from);
            if (from >= last) {
                std::string torn = sample.content;
                torn.replace(from, length, length, '\0');
                const LogFile file = parse(torn);
                QCOMPARE(file.tail, LogFileTail::Torn);
                QCOMPARE(file.end, last);
                QCOMPARE(file.badOffset, last);
            } else {
                std::string hole = sample.content;
                const std::size_t end = std::min(from + 512, last);
                hole.replace(from, end - from, end - from, '\0');
                const LogFile file = parse(hole);
                QVERIFY2(file.tail == LogFileTail::Damaged, qPrintable(QString::number(from)));
                QVERIFY(file.badOffset < end);
            }
        }
    }

    // so few bytes of the last sector that they say nothing by themselves
    void aLostSectorThatTheLastRecordHasLittleOfIsTorn() {
        for (std::size_t little = 1; little < 8; ++little) {
            const Sample sample({300, 2 * 512 + little - 307 - 7});
            QCOMPARE(sample.content.size() % 512, little);
            std::string torn = sample.content;
            torn.replace(torn.size() - little, little, little, '\0');
            QVERIFY(torn != sample.content);
            const LogFile file = parse(torn);
            QVERIFY2(file.tail == LogFileTail::Torn, qPrintable(QString::number(little)));
            QCOMPARE(file.end, sample.ends[0]);
        }
    }

    void aRecordOutOfOrderIsDamage() {
        std::string content;
        appendRecord(content, recordOf(3, 100));
        const std::size_t second = content.size();
        appendRecord(content, recordOf(1, 100));
        const LogFile file = parse(content);
        QCOMPARE(file.tail, LogFileTail::Damaged);
        QCOMPARE(file.badOffset, second);
        // fragments without their beginning
        const Sample sample({40'000, 100});
        QCOMPARE(parse(std::string_view(sample.content).substr(logBlock)).tail, LogFileTail::Damaged);
    }
};

QTEST_GUILESS_MAIN(DiskLogTest)
#include "disk_log_test.moc"
