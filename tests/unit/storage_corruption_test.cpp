// Damage to every kind of file of a store, closed and open: an error that names what is damaged, never a
// wrong byte, never a signal; and scrub finds it. Also a full disk: what was acknowledged later than the
// first ENOSPC is kept.
#include "storage/engine/scrub.h"
#include "tests/support/collecting.h"
#include "tests/support/random_workload.h"
#include "tests/support/test_seed.h"

#include <QTest>

#include <algorithm>

using namespace arbor;
using namespace arbor::test;

#define REQUIRE(result)                               \
    do {                                              \
        if (const auto& checked = (result); !checked) \
            QFAIL(checked.error().message().c_str()); \
    } while (false)

namespace {

const Caller caller{"test", "test"};

// All of the file "f" at the root.
Result<std::string> contentOfF(BranchView& view) {
    ARBOR_ASSIGN(const Attributes file, view.lookup(view.root(), "f"));
    return readAll(view, file.inode);
}

// A store with a history, closed, and what it must read as: made once, cloned for every case.
struct Sample {
    std::unique_ptr<SimulatedDisk> disk;
    std::unique_ptr<RandomWorkload> work;

    Status make(std::uint64_t seed) {
        // Some seeds end with one small branch and no timeline left to fork: damage would meet nobody.
        do {
            work.reset();
            disk = std::make_unique<SimulatedDisk>(1);
            work = std::make_unique<RandomWorkload>(*disk, seed++, RandomWorkload::Shape{.maxTimelines = 12});
            ARBOR_TRY(work->create());
            // until there is a history, and enough in the files that damage is met
            for (int i = 0; i < 600 || (headBytes() < minBytes && i < 5000); ++i)
                ARBOR_TRY(work->step());
        } while (headBytes() < minBytes);
        return work->reopen();
    }
    std::uint64_t headBytes() const {
        std::uint64_t bytes = 0;
        for (const auto& [name, branch] : work->world().catalog.branches)
            for (const auto& [path, entry] : *work->world().timelines.at(branch.timeline).head)
                bytes += entry.content.size();
        return bytes;
    }
    static constexpr std::uint64_t minBytes = 1u << 20;

    std::vector<std::string> files() const {
        std::vector<std::string> paths{"/store/FORMAT"};
        for (const char* folder : {"/store/pages", "/store/index"}) {
            const auto names = disk->list(folder);
            for (const std::string& name : names.value())
                if (name != "LOCK")
                    paths.push_back(fmt::format("{}/{}", folder, name));
        }
        return paths;
    }
};

struct Copy {
    explicit Copy(const Sample& sample, std::uint64_t seed) : disk(sample.disk->clone(seed)) {}
    ~Copy() { engine.reset(); }

    Status open() {
        ARBOR_ASSIGN(engine, Engine::open(*disk, "/store", clock, fakeOptions(logs)));
        return {};
    }
    // Reads all branches as the model knows them. isWrongBytes() tells a difference from what cannot be read.
    Status readAllOf(const ModelWorld& world) {
        for (const auto& [name, branch] : world.catalog.branches) {
            ARBOR_ASSIGN(const auto view, engine->head(branch.timeline));
            ARBOR_TRY(compareTree(*view, *world.timelines.at(branch.timeline).head));
        }
        return {};
    }

    std::unique_ptr<SimulatedDisk> disk;
    FakeLogs logs;
    ManualClock clock;
    std::unique_ptr<Engine> engine;
};

bool isWrongBytes(const Error& error) {
    const std::string& text = error.message();
    for (const char* sign : {"reads wrong bytes", "should not be there", "is missing", "has mode",
                             "instead of", "another kind", "points at", "lists a name"})
        if (text.find(sign) != std::string::npos)
            return true;
    return false;
}

std::string describe(const ScrubReport& report) {
    std::string text;
    for (const ScrubFinding& finding : report.findings)
        text += fmt::format("{} {}: {}\n", severityName(finding.severity), finding.what, finding.message);
    return text;
}

} // namespace

class StorageCorruptionTest : public QObject {
    Q_OBJECT
    Sample m_sample;
    std::uint64_t m_seed = 0;

    // Damages one file in one of several ways; says how.
    std::string damage(SimulatedDisk& disk, const std::string& path, SimulatedChance& chance) {
        const std::uint64_t size = disk.info(path)->size;
        switch (size == 0 ? 3 : chance.below(3)) {
        case 0: {
            const std::uint64_t offset = chance.below(size);
            disk.corrupt(path, offset, static_cast<std::uint8_t>(1 + chance.below(255)));
            return fmt::format("byte {} of {} changed", offset, path);
        }
        case 1: {
            const std::uint64_t kept = chance.below(size);
            disk.truncateNow(path, kept);
            return fmt::format("{} cut to {} bytes of {}", path, kept, size);
        }
        case 2: {
            const std::uint64_t offset = chance.below(size);
            const std::uint64_t length = 1 + chance.below(std::min<std::uint64_t>(size - offset, 4096));
            disk.zero(path, offset, length);
            return fmt::format("{} bytes at {} of {} zeroed", length, offset, path);
        }
        default:
            return {};
        }
    }

  private slots:
    void initTestCase() {
        m_seed = givenSeed().value_or(randomSeed() >> 16);
        qInfo("ARBOR_SEED=%llu", static_cast<unsigned long long>(m_seed));
        REQUIRE(m_sample.make(m_seed));
        REQUIRE(m_sample.work->compare(10));
    }

    void aStoreWithoutDamageIsClean() {
        const ScrubReport report = scrub(m_sample.work->engine(), fakeScrubOptions());
        QVERIFY2(report.isClean(), describe(report).c_str());
        QVERIFY(report.read.images > 0 && report.read.entries > 0 && !report.wasCancelled);
    }

    void aCancelledScrubStopsAndSaysSo() {
        ScrubOptions options = fakeScrubOptions();
        int calls = 0;
        options.cancelled = [&] { return ++calls > 3; };
        const ScrubReport report = scrub(m_sample.work->engine(), options);
        QVERIFY(report.wasCancelled);
        QVERIFY(report.read.entries < 10);
    }

    // The sample is cloned with its engine open, so the copy looks like a store after a kill: its files are
    // complete.
    void damageToAClosedStoreIsNeverAWrongByte() {
        SimulatedChance chance(m_seed);
        int refused = 0;
        int failed = 0;
        for (int round = 0; round < 250; ++round) {
            Copy copy(m_sample, m_seed + static_cast<std::uint64_t>(round));
            const auto files = m_sample.files();
            const std::string path = files[chance.below(files.size())];
            const std::string how = damage(*copy.disk, path, chance);
            const auto opened = copy.open();
            if (!opened) {
                ++refused;
                QVERIFY2(opened.error().message().find("/store") != std::string::npos,
                         (how + ": " + opened.error().message()).c_str());
                continue;
            }
            const auto read = copy.readAllOf(m_sample.work->world());
            if (read)
                continue; // garbage, or what is rebuilt
            ++failed;
            QVERIFY2(!isWrongBytes(read.error()), (how + ": " + read.error().message()).c_str());
            const ScrubReport report = scrub(*copy.engine, fakeScrubOptions());
            QVERIFY2(!report.isClean(), how.c_str());
        }
        qInfo("%d refused to open, %d failed at a read", refused, failed);
        QVERIFY(refused > 0 && failed > 0);
    }

    void damageWhileOpenIsAnErrorWithAName() {
        SimulatedChance chance(m_seed + 1);
        int failed = 0;
        for (int round = 0; round < 150; ++round) {
            Copy copy(m_sample, m_seed + static_cast<std::uint64_t>(round));
            REQUIRE(copy.open());
            std::vector<std::string> files;
            for (const std::string& path : m_sample.files())
                if (path.ends_with(".seg") || path.ends_with(".ldb"))
                    files.push_back(path);
            const std::string path = files[chance.below(files.size())];
            if (!copy.disk->info(path))
                continue; // a table that opening has compacted away
            const std::string how = damage(*copy.disk, path, chance);
            const auto read = copy.readAllOf(m_sample.work->world());
            if (read)
                continue;
            ++failed;
            QVERIFY2(!isWrongBytes(read.error()), (how + ": " + read.error().message()).c_str());
            QVERIFY2(read.error().message().find("/store/") != std::string::npos,
                     (how + ": " + read.error().message()).c_str());
            const ScrubReport report = scrub(*copy.engine, fakeScrubOptions());
            QVERIFY2(!report.isClean(), how.c_str());
        }
        QVERIFY(failed > 0);
    }

    void swappedSegmentsReadAsErrors() {
        Copy copy(m_sample, m_seed);
        std::vector<std::string> segments;
        for (const std::string& path : m_sample.files())
            if (path.ends_with(".seg"))
                segments.push_back(path);
        if (segments.size() < 2)
            QSKIP("this seed made one segment only");
        copy.disk->swapFiles(segments[0], segments[1]);
        if (const auto opened = copy.open(); !opened) {
            QVERIFY(opened.error().message().find("/store/pages") != std::string::npos);
            return;
        }
        const auto read = copy.readAllOf(m_sample.work->world());
        QVERIFY(read || !isWrongBytes(read.error()));
        QVERIFY(!scrub(*copy.engine, fakeScrubOptions()).isClean());
    }

    // Case 30
    void aSegmentThatIsGoneWhileOpenIsNamed() {
        Copy copy(m_sample, m_seed);
        REQUIRE(copy.open());
        for (const std::string& path : m_sample.files())
            if (path.ends_with(".seg"))
                copy.disk->truncateNow(path, 0);
        const auto read = copy.readAllOf(m_sample.work->world());
        QVERIFY(!read);
        QVERIFY2(read.error().kind() == ErrorKind::Corruption &&
                     read.error().message().find(".seg") != std::string::npos,
                 read.error().message().c_str());
        QVERIFY2(read.error().message().find("block") != std::string::npos &&
                     read.error().message().find("position") != std::string::npos,
                 read.error().message().c_str());
        const ScrubReport report = scrub(*copy.engine, fakeScrubOptions());
        QVERIFY(!report.isClean());
        QCOMPARE(report.findings.front().what, std::string("image"));
        QVERIFY(bool(report.findings.front().segment));
    }

    void aNewerFormatIsRefusedInWords() {
        Copy copy(m_sample, m_seed);
        REQUIRE(replaceFile(*copy.disk, "/store/FORMAT", "PgArbor store\nformat 99\nid 0\n"));
        const auto opened = copy.open();
        QVERIFY(!opened && opened.error().kind() == ErrorKind::Refused);
    }

    // Case 4: the disk runs full at any place; what is acknowledged afterwards is kept, also over a reopen.
    void nothingAcknowledgedAfterAFullDiskIsLost() {
        for (std::uint64_t room = 0; room < 40; ++room) {
            SimulatedDisk disk(m_seed + room);
            FakeLogs logs;
            ManualClock clock;
            constexpr std::uint64_t ample = 8u << 20;
            disk.setCapacity(ample);
            const Engine::Options options = fakeOptions(logs);
            REQUIRE(Engine::create(disk, "/store", options));
            auto engine = Engine::open(disk, "/store", clock, options);
            REQUIRE(engine);
            auto root = (*engine)->beginRoot(0700, {});
            REQUIRE(root);
            REQUIRE((*engine)->finishRoot(caller, **root, {"main", {}, 15, 16u << 20, {}}, {}));
            auto file = (*root)->createFile((*root)->root(), "f", 0600, {});
            REQUIRE(file);
            REQUIRE((*root)->sync());
            const TimelineId timeline = (*root)->timeline();
            // what is used now, and a little more than a step of it
            const std::uint64_t used = ample - *disk.freeBytes("/store");
            disk.setCapacity(used + (640u << 10) + room * 8192);

            std::uint64_t acknowledged = 0; // pages
            bool full = false;
            for (std::uint64_t page = 0; page < 400 && !full; ++page) {
                const auto written =
                    (*root)->write(file->inode, page * blockSize, bytesOf(pageOf(3 * page)), 1);
                if (!written) {
                    QCOMPARE(written.error().kind(), ErrorKind::NoSpace); // at the write, not at the sync
                    full = true;
                    break;
                }
                if (page % 5 == 4) {
                    if (!(*root)->sync()) {
                        full = true; // LevelDB met it: the store is read-only until it is opened again
                        break;
                    }
                    acknowledged = page + 1;
                }
            }
            QVERIFY(full);
            if ((*engine)->store().health()) { // goes on without a reopen once there is room
                disk.setCapacity(ample);
                REQUIRE((*root)->write(file->inode, 500 * blockSize, bytesOf(pageOf(7)), 1));
                REQUIRE((*root)->sync());
            } else {
                QVERIFY(!(*root)->write(file->inode, 0, bytesOf(pageOf(9)), 1));
                disk.setCapacity(ample);
            }
            root->reset();
            engine->reset();
            engine = Engine::open(disk, "/store", clock, options);
            REQUIRE(engine);
            auto view = (*engine)->head(timeline);
            REQUIRE(view);
            const auto found = (*view)->lookup((*view)->root(), "f");
            REQUIRE(found);
            const auto content = readAll(**view, found->inode);
            REQUIRE(content);
            for (std::uint64_t page = 0; page < acknowledged; ++page)
                QVERIFY(content->substr(page * blockSize, blockSize) == pageOf(3 * page));
            // and it goes on
            REQUIRE((*view)->write(found->inode, 0, bytesOf(pageOf(11)), 1));
            REQUIRE((*view)->sync());
            view->reset();
            engine->reset();
        }
    }

    // Case 4: opening writes, too. A disk without a free byte leaves it the reserve, which comes back with
    // the space.
    void aStoreOpensOnAFullDiskFromItsReserve() {
        for (std::uint64_t round = 0; round < 12; ++round) {
            SimulatedDisk disk(m_seed + round);
            FakeLogs logs;
            ManualClock clock;
            constexpr std::uint64_t ample = 8u << 20;
            disk.setCapacity(ample);
            const Engine::Options options = fakeOptions(logs);
            REQUIRE(Engine::create(disk, "/store", options));
            auto engine = Engine::open(disk, "/store", clock, options);
            REQUIRE(engine);
            auto root = (*engine)->beginRoot(0700, {});
            REQUIRE((*engine)->finishRoot(caller, **root, {"main", {}, 15, 16u << 20, {}}, {}));
            const auto file = (*root)->createFile((*root)->root(), "f", 0600, {});
            const TimelineId timeline = (*root)->timeline();
            std::string written;
            for (std::uint64_t page = 0; page < 20 + 7 * round; ++page) {
                written += pageOf(page);
                REQUIRE((*root)->write(file->inode, page * blockSize, bytesOf(pageOf(page)), 1));
                if (page % 3 == 0)
                    REQUIRE((*root)->sync());
            }
            REQUIRE((*root)->sync());
            if (round % 2 == 0)
                disk.crash();
            root->reset();
            engine->reset();

            disk.setCapacity(ample - *disk.freeBytes("/store"));
            QCOMPARE(*disk.freeBytes("/store"), std::uint64_t{0});
            for (int again = 0; again < 3; ++again) {
                engine = Engine::open(disk, "/store", clock, options);
                REQUIRE(engine);
                auto view = (*engine)->head(timeline);
                REQUIRE(view);
                const auto content = contentOfF(**view);
                REQUIRE(content);
                QVERIFY(*content == written);
                const auto refused = (*view)->write(file->inode, 0, bytesOf(pageOf(1)), 1);
                QCOMPARE(refused.error().kind(), ErrorKind::NoSpace);
                view->reset();
                engine->reset();
            }
            disk.setCapacity(ample);
            engine = Engine::open(disk, "/store", clock, options);
            REQUIRE(engine);
            REQUIRE(disk.info("/store/pages/reserve"));
            auto view = (*engine)->head(timeline);
            REQUIRE((*view)->lookup((*view)->root(), "f"));
            REQUIRE((*view)->write(file->inode, 0, bytesOf(pageOf(1)), 1));
            REQUIRE((*view)->sync());
            view->reset();
            engine->reset();
        }
    }

    // Others fill the disk to its last byte while pages still have their space in a segment: their syncs
    // succeed, for the index draws on the reserve, and the store goes on. The reserve comes back with space.
    void aFullDiskDoesNotEndTheIndex() {
        SimulatedDisk disk(m_seed);
        FakeLogs logs;
        ManualClock clock;
        constexpr std::uint64_t ample = 64u << 20;
        constexpr std::uint64_t pages = 1500; // enough for LevelDB to begin tables and logs as well
        disk.setCapacity(ample);
        Engine::Options options = fakeOptions(logs);
        options.store.reserveBytes = 1u << 20;
        options.store.segments.segmentBytes = 16u << 20;
        REQUIRE(Engine::create(disk, "/store", options));
        auto engine = Engine::open(disk, "/store", clock, options);
        REQUIRE(engine);
        auto root = (*engine)->beginRoot(0700, {});
        REQUIRE((*engine)->finishRoot(caller, **root, {"main", {}, 15, 16u << 20, {}}, {}));
        const auto file = (*root)->createFile((*root)->root(), "f", 0600, {});
        std::string written;
        const auto writeNext = [&]() -> Status {
            const std::string page = pageOf(written.size());
            ARBOR_TRY((*root)->write(file->inode, written.size(), bytesOf(page), 1));
            written += page;
            return (*root)->sync();
        };
        REQUIRE(writeNext());
        Store& store = (*engine)->store();
        QVERIFY(store.isReserveWhole());

        disk.setCapacity(ample - *disk.freeBytes("/store"));
        while (written.size() < pages * blockSize)
            REQUIRE(writeNext());
        QVERIFY(!store.isReserveWhole());

        disk.setCapacity(ample);
        REQUIRE(store.restoreReserve());
        QVERIFY(store.isReserveWhole());
        const std::uint64_t free = *disk.freeBytes("/store");
        REQUIRE(store.spendReserve());
        QCOMPARE(*disk.freeBytes("/store"), free + options.store.reserveBytes);
        const TimelineId timeline = (*root)->timeline();
        root->reset();
        engine->reset();
        disk.crash();
        engine = Engine::open(disk, "/store", clock, options);
        REQUIRE(engine);
        auto view = (*engine)->head(timeline);
        REQUIRE(view);
        const auto content = contentOfF(**view);
        REQUIRE(content);
        QVERIFY(*content == written);
        view->reset();
        engine->reset();
    }

    // Case 5
    void aForkOfAnIdleHeadDoesNotSeeLaterWritesAtTheSameLsn() {
        SimulatedDisk disk(m_seed);
        FakeLogs logs;
        ManualClock clock;
        REQUIRE(Engine::create(disk, "/store", fakeOptions(logs)));
        auto engine = Engine::open(disk, "/store", clock, fakeOptions(logs));
        REQUIRE(engine);
        auto view = (*engine)->beginRoot(0700, {});
        REQUIRE(view);
        const auto main = (*engine)->finishRoot(caller, **view, {"main", {}, 15, 16u << 20, {}}, {});
        REQUIRE(main);
        const auto file = (*view)->createFile((*view)->root(), "f", 0600, {});
        REQUIRE((*view)->write(file->inode, 0, bytesOf(pageOf(1)), 1));
        const auto point = (*engine)->headPoint(*main);
        REQUIRE(point);
        const auto child = (*engine)->createBranch(caller, {"child", main->id, *point, {}});
        REQUIRE(child);
        REQUIRE((*view)->write(file->inode, 0, bytesOf(pageOf(2)), 1));
        REQUIRE((*view)->createFile((*view)->root(), "later", 0600, {}));
        REQUIRE((*view)->sync());
        QCOMPARE((*engine)->headPoint(*main)->at.lsn, point->at.lsn);
        for (int opened = 0; opened < 2; ++opened) {
            auto childView = (*engine)->head(child->timeline);
            REQUIRE(childView);
            const auto seen = (*childView)->lookup((*childView)->root(), "f");
            REQUIRE(seen);
            QVERIFY(*readAll(**childView, seen->inode) == pageOf(1));
            QVERIFY(!(*childView)->lookup((*childView)->root(), "later"));
            childView->reset();
            view->reset();
            engine->reset();
            engine = Engine::open(disk, "/store", clock, fakeOptions(logs));
            REQUIRE(engine);
        }
    }

    // Case 9: half a page arrives, then everything is killed: the old page or the new one
    void halfAPageAndAKillLeaveOldOrNew() {
        for (std::size_t border : {1, 512, 4096, 8064, 8191}) {
            SimulatedDisk disk(m_seed + border);
            FakeLogs logs;
            ManualClock clock;
            REQUIRE(Engine::create(disk, "/store", fakeOptions(logs)));
            auto engine = Engine::open(disk, "/store", clock, fakeOptions(logs));
            auto view = (*engine)->beginRoot(0700, {});
            REQUIRE((*engine)->finishRoot(caller, **view, {"main", {}, 15, 16u << 20, {}}, {}));
            const TimelineId timeline = (*view)->timeline();
            const auto base = (*view)->makeDirectory((*view)->root(), "base", 0700, {});
            const auto database = (*view)->makeDirectory(base->inode, "5", 0700, {});
            const auto file = (*view)->createFile(database->inode, "16384", 0600, {});
            REQUIRE((*view)->write(file->inode, 0, bytesOf(pageOf(1)), 7));
            REQUIRE((*view)->sync());
            const std::string page = pageOf(2);
            const Position before = (*engine)->store().lastPosition();
            REQUIRE((*view)->write(file->inode, 0, bytesOf(page).first(border), 7));
            QCOMPARE((*engine)->store().lastPosition(), before);
            REQUIRE((*view)->sync());
            const bool finished = border % 2 == 0;
            if (finished) {
                REQUIRE((*view)->write(file->inode, border, bytesOf(page).subspan(border), 7));
                QCOMPARE((*engine)->store().lastPosition().value, before.value + 1); // one position
                REQUIRE((*view)->sync());
            }
            disk.crash();
            view->reset();
            engine->reset();
            engine = Engine::open(disk, "/store", clock, fakeOptions(logs));
            REQUIRE(engine);
            auto again = (*engine)->head(timeline);
            const auto found = findPath(**again, "base/5/16384");
            REQUIRE(found);
            QVERIFY(*readAll(**again, found->inode) == (finished ? page : pageOf(1)));
            again->reset();
            engine->reset();
        }
    }

    // Case 26: the file behind an old descriptor and a new one of the same name are two files, also when the
    // old one was never read before its unlink, and behind a sync
    void anUnlinkedOpenFileReadsOnBehindASync() {
        Copy copy(m_sample, m_seed);
        REQUIRE(copy.open());
        const ModelBranch branch = m_sample.work->world().catalog.branches.begin()->second;
        auto view = copy.engine->head(branch.timeline);
        REQUIRE(view);
        const auto file = (*view)->createFile((*view)->root(), "victim", 0600, {});
        REQUIRE((*view)->write(file->inode, 0, bytesOf(pageOf(1)), 1));
        REQUIRE((*view)->sync());
        view->reset();
        REQUIRE(copy.engine->closeIdleHeads());
        view = copy.engine->head(branch.timeline);
        const auto old = (*view)->lookup((*view)->root(), "victim");
        REQUIRE((*view)->open(old->inode));
        REQUIRE((*view)->unlink((*view)->root(), "victim"));
        REQUIRE((*view)->sync());
        const auto reused = (*view)->createFile((*view)->root(), "victim", 0600, {});
        REQUIRE((*view)->write(reused->inode, 0, bytesOf(pageOf(2)), 1));
        QVERIFY(*readAll(**view, old->inode) == pageOf(1));
        REQUIRE((*view)->write(old->inode, blockSize, bytesOf(pageOf(3)), 1));
        QVERIFY(*readAll(**view, old->inode) == pageOf(1) + pageOf(3));
        QVERIFY(*readAll(**view, reused->inode) == pageOf(2));
        (*view)->close(old->inode);
        view->reset();
    }
};

QTEST_GUILESS_MAIN(StorageCorruptionTest)
#include "storage_corruption_test.moc"
