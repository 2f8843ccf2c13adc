#include "storage/disk/posix_disk.h"
#include "storage/disk/simulated_disk.h"
#include "storage/engine/page_origins.h"
#include "storage/engine/page_trace.h"
#include "tests/support/store_fixture.h"
#include "tests/support/test_seed.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>

using namespace arbor;
using namespace arbor::test;

#define REQUIRE(result)                               \
    do {                                              \
        if (const auto& checked = (result); !checked) \
            QFAIL(checked.error().message().c_str()); \
    } while (false)

namespace {

const Caller caller{"test", "test"};

} // namespace

class EngineTest : public QObject {
    Q_OBJECT

    FakeLogs m_logs;
    ManualClock m_clock;
    std::unique_ptr<QTemporaryDir> m_directory; // of a disk that is not simulated
    std::unique_ptr<Disk> m_disk;
    std::string m_store;
    std::unique_ptr<Engine> m_engine;
    BranchRecord m_main;
    std::shared_ptr<TimelineView> m_view;

    Status openEngine() {
        ARBOR_ASSIGN(m_engine, Engine::open(*m_disk, m_store, m_clock, fakeOptions(m_logs)));
        return {};
    }
    Status begin(std::unique_ptr<Disk> disk, std::string store) {
        m_view.reset();
        m_engine.reset();
        m_disk = std::move(disk);
        m_store = std::move(store);
        ARBOR_TRY(Engine::create(*m_disk, m_store, fakeOptions(m_logs)));
        ARBOR_TRY(openEngine());
        ARBOR_ASSIGN(const auto root, m_engine->beginRoot(0700, {1000, 1000}));
        ARBOR_ASSIGN(m_main, m_engine->finishRoot(caller, *root, {"main", {}, 15, 16u << 20, {}}, Lsn{1000}));
        ARBOR_ASSIGN(m_view, m_engine->head(m_main.timeline));
        return {};
    }
    Status reopen() {
        m_view.reset();
        m_engine.reset();
        ARBOR_TRY(openEngine());
        ARBOR_ASSIGN(m_main, m_engine->catalog([](const Catalog& c) { return c.branch("main"); }));
        ARBOR_ASSIGN(m_view, m_engine->head(m_main.timeline));
        return {};
    }
    // Of a real disk: what the host keeps of the segments in its page cache.
    void emptyPageCache() {
        for (const QFileInfo& segment :
             QDir(QString::fromStdString(m_store + "/pages")).entryInfoList(QDir::Files)) {
            QFile file(segment.filePath());
            QVERIFY(file.open(QIODevice::ReadOnly));
            QCOMPARE(posix_fadvise(file.handle(), 0, 0, POSIX_FADV_DONTNEED), 0);
        }
    }
    Result<InodeId> file(BranchView& view, std::string_view name) {
        ARBOR_ASSIGN(const Attributes made, view.createFile(view.root(), name, 0600, {1000, 1000}));
        return made.inode;
    }
    Result<std::string> contentOf(BranchView& view, std::string_view name) {
        ARBOR_ASSIGN(const Attributes found, view.lookup(view.root(), name));
        return readAll(view, found.inode);
    }
    Result<std::shared_ptr<TimelineView>> branchAt(std::string name, const TimelinePoint& point) {
        ARBOR_ASSIGN(const BranchRecord made, m_engine->createBranch(caller, {name, m_main.id, point, {}}));
        return m_engine->head(made.timeline);
    }

  private slots:
    void init() { REQUIRE(begin(std::make_unique<SimulatedDisk>(1), "/store")); }
    void cleanup() {
        m_view.reset();
        m_engine.reset();
    }

    void whatWasWrittenIsReadBackAlsoAfterAReopen() {
        const auto inode = file(*m_view, "a");
        REQUIRE(inode);
        const std::string page = pageOf(1);
        REQUIRE(m_view->write(*inode, 0, bytesOf(page), 1));
        REQUIRE(m_view->write(*inode, 3 * blockSize + 100, bytesOf("hello"), 1));
        const auto check = [&] {
            const auto content = contentOf(*m_view, "a");
            REQUIRE(content);
            QCOMPARE(content->size(), 3 * blockSize + 105);
            QCOMPARE(content->substr(0, blockSize), page);
            QCOMPARE(content->substr(blockSize, 2 * blockSize + 100), std::string(2 * blockSize + 100, '\0'));
            QCOMPARE(content->substr(3 * blockSize + 100), std::string("hello"));
        };
        check();
        REQUIRE(m_view->sync());
        REQUIRE(reopen());
        check();
    }

    // Long reads take neighbours from the disk at once: whatever the order they were written in, with holes,
    // zeros, rewritten pages and pages in the buffer between them.
    void aLongReadIsTheSameAsItsPages_data() {
        QTest::addColumn<bool>("isReal");
        QTest::newRow("a simulated disk") << false;
        QTest::newRow("a real one, cold: read past the page cache") << true;
    }
    void aLongReadIsTheSameAsItsPages() {
        QFETCH(bool, isReal);
        if (isReal) {
            m_directory = std::make_unique<QTemporaryDir>();
            REQUIRE(begin(std::make_unique<PosixDisk>(), m_directory->filePath("store").toStdString()));
        }
        const std::uint64_t seed = givenSeed().value_or(randomSeed());
        fmt::print("seed {}\n", seed);
        std::mt19937_64 random(seed);
        constexpr std::size_t blocks = 400;
        const auto inode = file(*m_view, "1234");
        REQUIRE(inode);
        std::string expected(blocks * blockSize, '\0');
        for (int round = 0; round < 3; ++round) {
            std::uint64_t next = 0;
            for (std::size_t i = 0; i < blocks; ++i) {
                next = random() % 4 == 0 ? random() % blocks : (next + 1) % blocks;
                if (random() % 10 == 0)
                    continue;
                const std::span page(expected.data() + next * blockSize, blockSize);
                const bool isNoise = random() % 3 == 0;
                const char text = random() % 5 == 0 ? '\0' : static_cast<char>('a' + random() % 20);
                for (char& c : page)
                    c = isNoise ? static_cast<char>(random()) : text;
                REQUIRE(m_view->write(*inode, next * blockSize, std::as_bytes(page), 1));
            }
            if (round == 1) {
                REQUIRE(m_engine->sync());
                REQUIRE(reopen());
                REQUIRE(m_view->lookup(m_view->root(), "1234"));
                emptyPageCache();
            }
            const auto attributes = m_view->attributes(*inode);
            REQUIRE(attributes);
            std::string got(expected.size(), '?');
            constexpr std::uint64_t step = 128u << 10; // from the beginning to the end, then anywhere
            for (std::uint64_t i = 0; i < attributes->size / step + 100; ++i) {
                const bool goesOn = i * step < attributes->size;
                const std::uint64_t from = goesOn ? i * step : random() % attributes->size;
                const std::uint64_t left = attributes->size - from;
                const std::uint64_t bytes = goesOn ? std::min(step, left) : 1 + random() % left;
                const auto into = std::as_writable_bytes(std::span(got)).first(bytes);
                const auto read = m_view->read(*inode, from, into);
                REQUIRE(read);
                QCOMPARE(*read, bytes);
                QVERIFY(std::string_view(got).substr(0, bytes) ==
                        std::string_view(expected).substr(from, bytes));
            }
            if (round == 0)
                REQUIRE(m_engine->sync());
        }
    }

    // As PostgreSQL's parallel scan does: each takes the next part of the table when it is done with its own.
    void whoScanTogetherHaveThePagesReadAheadOnce() {
        m_directory = std::make_unique<QTemporaryDir>();
        REQUIRE(begin(std::make_unique<PosixDisk>(), m_directory->filePath("store").toStdString()));
        const auto inode = file(*m_view, "1234");
        REQUIRE(inode);
        constexpr std::uint64_t part = 1u << 20;
        constexpr std::uint64_t parts = 40;
        std::mt19937_64 random(1);
        std::string bytes(part, '\0');
        for (std::uint64_t i = 0; i < parts; ++i) {
            for (char& c : bytes)
                c = static_cast<char>(random());
            REQUIRE(m_view->write(*inode, i * part, bytesOf(bytes), 1));
        }
        REQUIRE(m_engine->sync());
        struct Scanner {
            std::uint64_t part;
            std::uint64_t done;
        };
        std::array<Scanner, 3> scanners{{{0, 0}, {1, 0}, {2, 0}}};
        std::uint64_t next = scanners.size();
        constexpr std::uint64_t step = 128u << 10;
        while (std::ranges::any_of(scanners, [](const Scanner& each) { return each.part < parts; }))
            for (Scanner& each : scanners) {
                if (each.part >= parts || random() % 3 == 0)
                    continue;
                const auto into = std::as_writable_bytes(std::span(bytes)).first(step);
                REQUIRE(m_view->read(*inode, each.part * part + each.done, into));
                each.done += step;
                if (each.done == part)
                    each = {next++, 0};
            }
        const auto ahead = static_cast<double>(m_engine->store().segments().bytesReadAhead());
        QVERIFY2(ahead > 0.7 * parts * part && ahead < 1.1 * parts * part,
                 fmt::format("{} MB of {}", ahead / (1 << 20), parts).c_str());
    }

    void aForkSeesItsParentAsItWasAndNeitherSeesTheOthersWrites() {
        const auto inode = file(*m_view, "a");
        REQUIRE(inode);
        REQUIRE(m_view->write(*inode, 0, bytesOf(pageOf(1)), 1));
        const auto point = m_engine->headPoint(m_main);
        REQUIRE(point);
        const auto child = branchAt("child", *point);
        REQUIRE(child);
        REQUIRE(m_view->write(*inode, 0, bytesOf(pageOf(2)), 1));
        QCOMPARE(*contentOf(**child, "a"), pageOf(1));
        REQUIRE((*child)->write((*child)->lookup((*child)->root(), "a")->inode, 0, bytesOf(pageOf(3)), 1));
        QCOMPARE(*contentOf(**child, "a"), pageOf(3));
        QCOMPARE(*contentOf(*m_view, "a"), pageOf(2));
        const auto past = m_engine->look(*point);
        REQUIRE(past);
        QCOMPARE(*contentOf(**past, "a"), pageOf(1));
    }

    void aForkAtAnLsnTakesTheLastPositionBeforeIt() {
        const auto inode = file(*m_view, "a");
        REQUIRE(inode);
        std::vector<Lsn> ends;
        for (int i = 1; i <= 20; ++i) {
            m_logs.append(m_main.timeline, 100);
            REQUIRE(m_view->write(*inode, 0, bytesOf(pageOf(static_cast<std::uint64_t>(i))), 1));
            ends.push_back(m_engine->headPoint(m_main)->at.lsn);
            if (i % 3 == 0)
                REQUIRE(m_view->sync());
        }
        for (int i = 1; i <= 20; ++i) {
            const auto point = m_engine->pointAtLsn(m_main, ends[static_cast<std::size_t>(i - 1)]);
            REQUIRE(point);
            const auto past = m_engine->look(*point);
            REQUIRE(past);
            QCOMPARE(*contentOf(**past, "a"), pageOf(static_cast<std::uint64_t>(i)));
        }
    }

    void whatIsBehindATruncationStaysGone() {
        const auto inode = file(*m_view, "a");
        REQUIRE(inode);
        for (std::uint64_t block = 0; block < 4; ++block)
            REQUIRE(m_view->write(*inode, block * blockSize, bytesOf(pageOf(block + 1)), 1));
        const auto before = m_engine->headPoint(m_main);
        REQUIRE(m_view->sync());
        REQUIRE(m_view->truncate(*inode, blockSize + 10));
        REQUIRE(m_view->truncate(*inode, 4 * blockSize));
        const std::string expected =
            pageOf(1) + pageOf(2).substr(0, 10) + std::string(3 * blockSize - 10, '\0');
        QCOMPARE(*contentOf(*m_view, "a"), expected);
        REQUIRE(m_view->sync());
        QCOMPARE(*contentOf(*m_view, "a"), expected);
        REQUIRE(reopen());
        QCOMPARE(*contentOf(*m_view, "a"), expected);
        const auto past = m_engine->look(*before);
        QCOMPARE(*contentOf(**past, "a"), pageOf(1) + pageOf(2) + pageOf(3) + pageOf(4));
    }

    void halfAPageIsHeldUntilItsRestArrives() {
        const auto base = m_view->makeDirectory(m_view->root(), "base", 0700, {});
        const auto database = m_view->makeDirectory(base->inode, "5", 0700, {});
        const auto relation = m_view->createFile(database->inode, "16384", 0600, {});
        REQUIRE(relation);
        const std::string old = pageOf(1);
        const std::string page = pageOf(2);
        REQUIRE(m_view->write(relation->inode, 0, bytesOf(old), 7));
        REQUIRE(m_view->write(relation->inode, 0, bytesOf(page.substr(0, 8064)), 7));
        QCOMPARE(*readAll(*m_view, relation->inode), page.substr(0, 8064) + old.substr(8064));
        // a fork leaves it out
        const auto point = m_engine->headPoint(m_main);
        const auto past = m_engine->look(*point);
        QCOMPARE(
            *readAll(
                **past,
                (*past)
                    ->lookup((*past)->lookup((*past)->lookup((*past)->root(), "base")->inode, "5")->inode,
                             "16384")
                    ->inode),
            old);
        REQUIRE(m_view->write(relation->inode, 8064, bytesOf(page.substr(8064)), 7));
        QCOMPARE(*readAll(*m_view, relation->inode), page);
        // and a dead writer's is dropped
        REQUIRE(m_view->write(relation->inode, 0, bytesOf(std::string(100, 'x')), 8));
        m_view->dropWriter(8);
        QCOMPARE(*readAll(*m_view, relation->inode), page);
    }

    void anUnlinkedOpenFileLivesOnUnderItsInode() {
        const auto inode = file(*m_view, "a");
        REQUIRE(m_view->open(*inode));
        REQUIRE(m_view->write(*inode, 0, bytesOf("old"), 1));
        REQUIRE(m_view->unlink(m_view->root(), "a"));
        const auto again = file(*m_view, "a");
        REQUIRE(again);
        QVERIFY(*again != *inode);
        REQUIRE(m_view->write(*inode, 3, bytesOf(" and gone"), 1));
        REQUIRE(m_view->write(*again, 0, bytesOf("new"), 1));
        QCOMPARE(*readAll(*m_view, *inode), std::string("old and gone"));
        QCOMPARE(*contentOf(*m_view, "a"), std::string("new"));
        m_view->close(*inode);
        QVERIFY(!m_view->attributes(*inode));
    }

    void restoreUndoAndRedoMoveTheBranch() {
        const auto inode = file(*m_view, "a");
        REQUIRE(m_view->write(*inode, 0, bytesOf("one"), 1));
        const auto point = m_engine->headPoint(m_main);
        m_logs.append(m_main.timeline, 100);
        REQUIRE(m_view->write(*inode, 0, bytesOf("two"), 1));
        const auto restored = m_engine->restoreBranch(caller, m_main.id, *point);
        REQUIRE(restored);
        QCOMPARE(*contentOf(**m_engine->head(restored->timeline), "a"), std::string("one"));
        REQUIRE(m_engine->undo(caller, {}));
        const auto back = m_engine->catalog([](const Catalog& c) { return c.branch("main"); });
        QCOMPARE(*contentOf(**m_engine->head(back->timeline), "a"), std::string("two"));
        REQUIRE(m_engine->redo(caller));
        const auto forth = m_engine->catalog([](const Catalog& c) { return c.branch("main"); });
        QCOMPARE(*contentOf(**m_engine->head(forth->timeline), "a"), std::string("one"));
    }

    // Every write is of content that no other has, so that a page differs exactly where its bytes do.
    void pagesThatDifferAreCountedExactly() {
        const std::uint64_t seed = givenSeed().value_or(randomSeed());
        qInfo("ARBOR_SEED=%llu", static_cast<unsigned long long>(seed));
        std::mt19937_64 random(seed);
        const auto inode = file(*m_view, "a");
        std::uint64_t content = 0;
        const auto write = [&](BranchView& view, BlockNumber most) {
            return view.write(*inode, std::uint64_t{static_cast<BlockNumber>(random() % most)} * blockSize,
                              bytesOf(pageOf(++content)), 1);
        };
        for (int i = 0; i < 1200; ++i)
            REQUIRE(write(*m_view, 1100)); // more than one chunk
        const auto point = m_engine->headPoint(m_main);
        const auto child = branchAt("child", *point);
        REQUIRE(child);
        REQUIRE((*child)->lookup((*child)->root(), "a"));
        const auto seen = [](TimelineView& view) {
            return SeenFile{view, view.lookup(view.root(), "a").value()};
        };
        for (int round = 0; round < 12; ++round) {
            for (BranchView* view :
                 {static_cast<BranchView*>(m_view.get()), static_cast<BranchView*>(child->get())}) {
                for (std::uint64_t i = random() % 20; i > 0; --i)
                    REQUIRE(write(*view, 1120));
                if (random() % 3 == 0)
                    REQUIRE(view->truncate(*inode, (900 + random() % 300) * blockSize));
            }
            const auto mine = m_engine->look({(*child)->timeline(), headPoint});
            const auto theirs = m_engine->look({m_main.timeline, headPoint});
            REQUIRE(mine);
            REQUIRE(theirs);
            const SeenFile own = seen(**mine), other = seen(**theirs);
            const std::string ours = *readAll(**mine, *inode), others = *readAll(**theirs, *inode);
            std::uint64_t differing = 0;
            for (std::size_t at = 0; at < ours.size(); at += blockSize)
                differing += at >= others.size() || ours.compare(at, blockSize, others, at, blockSize) != 0;
            const auto counted = pageDifference(*m_engine, own, &other);
            REQUIRE(counted);
            QCOMPARE(counted->pages, ours.size() / blockSize);
            QCOMPARE(counted->differing, differing);
            // and each page comes from whom the trace says
            std::size_t visited = 0;
            REQUIRE(
                pageOrigins(*m_engine, own, 0, UINT32_MAX, [&](BlockNumber block, const PageOrigin& origin) {
                    QCOMPARE(std::size_t{block}, visited++);
                    if (random() % 16 != 0)
                        return;
                    const auto trace =
                        tracePage(*m_engine, {(*child)->timeline(), headPoint}, *inode, block, {});
                    QVERIFY(trace);
                    QCOMPARE(trace->isHole, !origin.member);
                    if (origin.member) {
                        QVERIFY(trace->chain.back().answers);
                        QCOMPARE(trace->chain.size() - 1, *origin.member);
                    }
                }));
            QCOMPARE(visited, ours.size() / blockSize);
            // a part of it, over the border of a chunk and over its end
            std::vector<BlockNumber> part;
            REQUIRE(pageOrigins(*m_engine, own, 1000, 50,
                                [&](BlockNumber block, const PageOrigin&) { part.push_back(block); }));
            QCOMPARE(part.size(), std::clamp<std::size_t>(visited, 1000, 1050) - 1000);
            QVERIFY(part.empty() || part.front() == 1000);
        }
        const auto mine = m_engine->look({(*child)->timeline(), headPoint});
        REQUIRE(mine);
        const auto alone = pageDifference(*m_engine, seen(**mine), nullptr);
        REQUIRE(alone);
        QCOMPARE(alone->differing, alone->pages);
    }

    void aPowerCutKeepsWhatWasSyncedAndNothingElse() {
        const auto inode = file(*m_view, "a");
        REQUIRE(m_view->write(*inode, 0, bytesOf("synced"), 1));
        REQUIRE(m_view->sync());
        REQUIRE(m_view->write(*inode, 0, bytesOf("unsafe"), 1));
        m_view.reset();
        dynamic_cast<SimulatedDisk&>(*m_disk).crash();
        m_engine.reset();
        REQUIRE(reopen());
        QCOMPARE(*contentOf(*m_view, "a"), std::string("synced"));
    }
};

QTEST_GUILESS_MAIN(EngineTest)
#include "engine_test.moc"
