// What is read past the page cache, by several readers at once, with files that end anywhere.
#include "storage/pages/read_ahead.h"
#include "tests/unit/disk_support.h"

#include <atomic>
#include <fcntl.h>
#include <fstream>
#include <linux/magic.h>
#include <random>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <thread>
#include <unistd.h>

using namespace arbor;
using namespace arbor::test;

namespace {

constexpr std::uint64_t megabyte = 1u << 20;

class ReadAheadTest : public QObject {
    Q_OBJECT

  private slots:
    void init() {
        m_subject = makeSubject("posix");
        m_ahead = std::make_unique<ReadAhead>();
        const std::uint64_t seed = givenSeed().value_or(randomSeed());
        fmt::print("seed {}\n", seed);
        m_random.seed(seed);
    }

    void whatIsFoundIsWhatTheFileHas() {
        const auto file = coldFile(8 * megabyte + 1234);
        for (int i = 0; i < 300; ++i) {
            const std::uint64_t begin = m_random() % (m_content.size() + megabyte);
            if (i % 3 == 0)
                m_ahead->begin(SegmentId{1}, *file, begin, begin + m_random() % (3 * megabyte));
            expectContent(begin, 1 + m_random() % (2 * megabyte));
        }
    }

    void aStretchIsThereFromItsFirstByteToItsLast() {
        const auto file = coldFile(8 * megabyte + 1234);
        if (!readsDirectly())
            QSKIP("this filesystem reads nothing past the page cache");
        const std::uint64_t begin = 4321;
        m_ahead->begin(SegmentId{1}, *file, begin, 4 * megabyte);
        std::uint64_t at = begin;
        while (const std::uint64_t got = expectContent(at, 128u << 10))
            at += got;
        QCOMPARE(at, 4 * megabyte);
        // who had it all has had it: it is not kept
        QCOMPARE(expectContent(begin, 1), std::uint64_t{0});
        // the end of a file ends a stretch, and what lies behind is not made up
        m_ahead->begin(SegmentId{1}, *file, 8 * megabyte - 100'000, 9 * megabyte);
        QCOMPARE(expectContent(m_content.size() - 10, 20), std::uint64_t{10});
        QCOMPARE(expectContent(m_content.size(), 20), std::uint64_t{0});
        QCOMPARE(m_ahead->find(SegmentId{2}, 8 * megabyte, 1).bytes.size(), std::uint64_t{0});
    }

    void whatNobodyComesForMakesRoom() {
        const auto file = coldFile(64 * megabyte);
        if (!readsDirectly())
            QSKIP("this filesystem reads nothing past the page cache");
        // far more often than the kernel takes requests that nobody waits for
        for (int round = 0; round < 5; ++round)
            for (std::uint64_t at = 0; at + megabyte <= m_content.size(); at += megabyte)
                m_ahead->begin(SegmentId{1}, *file, at, at + megabyte / 2);
        QCOMPARE(expectContent(0, 100), std::uint64_t{0});
        QCOMPARE(expectContent(63 * megabyte, 100), std::uint64_t{100});
    }

    void whatThePageCacheHasIsNotReadAgain() {
        const auto file = coldFile(4 * megabyte);
        std::vector<std::byte> all(m_content.size());
        VERIFY_OK(file->readAt(0, all));
        m_ahead->begin(SegmentId{1}, *file, 0, 2 * megabyte);
        QCOMPARE(expectContent(0, 100), std::uint64_t{0});
    }

    void severalReadersGoTheirWay() {
        const auto file = coldFile(24 * megabyte);
        std::atomic<int> wrong{0};
        std::vector<std::thread> readers;
        for (unsigned number = 0; number < 4; ++number)
            readers.emplace_back([this, number, &file, &wrong] {
                for (std::uint64_t at = number * megabyte / 2; at < m_content.size(); at += 100'000) {
                    if (at % 3 == 0)
                        m_ahead->begin(SegmentId{1}, *file, at, at + 2 * megabyte);
                    if (!isContent(at, m_ahead->find(SegmentId{1}, at, 100'000).bytes))
                        ++wrong;
                }
            });
        for (std::thread& reader : readers)
            reader.join();
        QCOMPARE(wrong.load(), 0);
    }

    void itEndsWhileTheDiskReads() {
        const auto file = coldFile(16 * megabyte);
        for (int i = 0; i < 20; ++i) {
            ReadAhead ahead;
            ahead.begin(SegmentId{1}, *file, 0, 16 * megabyte);
        }
    }

  private:
    // Random bytes that the page cache does not have.
    std::shared_ptr<ReadableFile> coldFile(std::uint64_t bytes) {
        m_content.resize(bytes);
        for (std::size_t at = 0; at + 8 <= m_content.size(); at += 8) {
            const std::uint64_t value = m_random();
            std::memcpy(m_content.data() + at, &value, 8);
        }
        const std::string path = m_subject / "file";
        std::ofstream(path, std::ios::binary).write(m_content.data(), static_cast<std::streamsize>(bytes));
        const auto file = m_subject.disk->openRead(path);
        if (!file)
            qFatal("%s", file.error().message().c_str());
        fdatasync((*file)->descriptor());
        posix_fadvise((*file)->descriptor(), 0, 0, POSIX_FADV_DONTNEED);
        return *file;
    }

    // Whether this machine can do what is tested.
    bool readsDirectly() {
        const int fd = ::open((m_subject / "file").c_str(), O_RDONLY | O_DIRECT);
        struct statfs filesystem {};
        aio_context_t context = 0;
        const bool can = fd >= 0 && ::fstatfs(fd, &filesystem) == 0 && filesystem.f_type != TMPFS_MAGIC &&
                         ::syscall(SYS_io_setup, 1, &context) == 0;
        ::close(fd);
        if (context != 0)
            ::syscall(SYS_io_destroy, context);
        std::ifstream huge("/sys/kernel/mm/transparent_hugepage/enabled");
        std::string line;
        return can && std::getline(huge, line) && line.find("[never]") == std::string::npos;
    }

    bool isContent(std::uint64_t begin, Bytes bytes) const {
        return bytes.empty() || (begin + bytes.size() <= m_content.size() &&
                                 std::memcmp(m_content.data() + begin, bytes.data(), bytes.size()) == 0);
    }
    // How many bytes are there; they are the file's.
    std::uint64_t expectContent(std::uint64_t begin, std::uint64_t bytes) {
        const ReadAhead::Found found = m_ahead->find(SegmentId{1}, begin, bytes);
        if (!isContent(begin, found.bytes))
            QTest::qFail("other bytes than the file's", __FILE__, __LINE__);
        return found.bytes.size();
    }

    Subject m_subject;
    std::mt19937_64 m_random;
    std::string m_content;
    std::unique_ptr<ReadAhead> m_ahead;
};

} // namespace

QTEST_GUILESS_MAIN(ReadAheadTest)
#include "read_ahead_test.moc"
