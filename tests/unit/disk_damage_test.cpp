// The index when its files are damaged and when the disk fails.
#include "disk_index_support.h"

#include "storage/disk/leveldb_env.h"

#include <leveldb/status.h>

using namespace arbor;
using namespace arbor::test;

class DiskDamageTest : public QObject {
    Q_OBJECT
  private slots:
    void aHoleInTheLogIsSeen() {
        SimulatedDisk disk(1);
        {
            const auto index = Index::open(disk, "/index", Index::Options());
            VERIFY_OK(index);
            for (std::uint64_t n = 0; n < 100; ++n)
                VERIFY_OK((*index)->write(batchOf(keyOf(n), std::string(1000, 'v'))));
        }
        const std::string log = newestLog(disk, "/index");
        for (std::uint64_t offset = 0; offset + 8192 < disk.info(log)->size; offset += 4096) {
            const auto copy = disk.clone(1);
            copy->zero(log, offset, 4096);
            const auto index = Index::open(*copy, "/index", {});
            QVERIFY2(!index, qPrintable(QString::number(offset)));
            QCOMPARE(index.error().kind(), ErrorKind::Corruption);
            QVERIFY2(index.error().message().find(log) != std::string::npos, why(index));
        }
    }

    void aTornEndIsCutOffAndTheRestKept() {
        SimulatedDisk disk(1);
        std::vector<std::uint64_t> ends; // of the log after each write
        {
            const auto index = Index::open(disk, "/index", Index::Options());
            VERIFY_OK(index);
            for (std::uint64_t n = 0; n < 40; ++n) {
                VERIFY_OK((*index)->write(batchOf(keyOf(n), std::string(2000, 'v'))));
                ends.push_back(disk.info(newestLog(disk, "/index"))->size);
            }
        }
        const std::string log = newestLog(disk, "/index");
        const auto batchesAfter = [&](SimulatedDisk& copy) -> std::size_t {
            const auto index = Index::open(copy, "/index", {});
            return index ? contents(**index)->size() : 0;
        };
        // the file ends anywhere
        for (std::uint64_t size = 0; size <= ends.back(); size += size + 4100 > ends.back() ? 1 : 397) {
            const auto copy = disk.clone(1);
            copy->truncateNow(log, size);
            const std::size_t whole = std::upper_bound(ends.begin(), ends.end(), size) - ends.begin();
            QCOMPARE(batchesAfter(*copy), whole);
        }
        // sectors of the last batch are zeros
        for (std::uint64_t from = ends[38]; from < ends[39]; from = from / 512 * 512 + 512) {
            const auto copy = disk.clone(1);
            copy->zero(log, from, std::min(ends[39], from / 512 * 512 + 512) - from);
            QCOMPARE(batchesAfter(*copy), 39u);
        }
    }

    void anyFlippedByteIsAnErrorWithAName() {
        SimulatedDisk disk(1);
        Model model;
        {
            auto index = Index::open(disk, "/index", small());
            VERIFY_OK(index);
            for (std::uint64_t n = 0; n < 30; ++n) {
                IndexBatch batch;
                for (std::uint64_t k = 0; k < 4; ++k)
                    batch.put(keyOf(n * 4 + k), fmt::format("{:0>40}", n * k * 7919));
                applyTo(batch, model);
                VERIFY_OK((*index)->write(batch));
                if (n == 12)
                    VERIFY_OK((*index)->compact());
            }
            // the last batch: sectors of zeros, and a zero at its end
            for (const std::string& value : {std::string(3000, '\0'), std::string("x\0\0\0", 4)}) {
                applyTo(batchOf("Z" + value, value), model);
                VERIFY_OK((*index)->write(batchOf("Z" + value, value)));
            }
        }
        int errors = 0;
        int rights = 0;
        for (const std::string& path : filesEndingWith(disk, "/index", "")) {
            const std::uint64_t size = disk.info(path)->size;
            for (std::uint64_t offset = 0; offset < size; offset += slowness) {
                const auto copy = disk.clone(1);
                const std::uint8_t bits =
                    static_cast<std::uint8_t>(offset % 9 == 8 ? 0xFF : 1u << offset % 8);
                copy->corrupt(path, offset, bits);
                const QString what = QString("%1 at %2 ^ %3").arg(path.c_str()).arg(offset).arg(bits);
                const auto index = Index::open(*copy, "/index", small());
                const auto found = index ? contents(**index) : Result<Model>(index.error());
                if (found) {
                    QVERIFY2(*found == model, qPrintable(what));
                    ++rights;
                } else {
                    QVERIFY2(found.error().kind() == ErrorKind::Corruption, qPrintable(what + why(found)));
                    QVERIFY2(found.error().message().find(path) != std::string::npos,
                             qPrintable(what + why(found)));
                    ++errors;
                }
            }
        }
        qInfo("%d errors, %d bytes that do not matter", errors, rights);
        QVERIFY(errors > rights);
    }

    void aDamagedLastBatchIsNotTakenForATornOne() {
        // values that end with zeros, and whole sectors of zeros, at every place relative to a sector
        for (std::uint64_t shift = 0; shift < 512; shift += 7) {
            SimulatedDisk disk(1);
            {
                const auto index = Index::open(disk, "/index", {});
                VERIFY_OK(index);
                VERIFY_OK((*index)->write(batchOf("a", std::string(shift + 1, 'a'))));
                VERIFY_OK((*index)->write(batchOf("b", "b" + std::string(100 + shift * 7, '\0'))));
            }
            const std::string log = newestLog(disk, "/index");
            const std::string before = *readFile(disk, log);
            disk.corrupt(log, before.rfind('b'), 0x10);
            VERIFY_FAILS(Index::open(disk, "/index", {}), ErrorKind::Corruption);
        }
    }

    void aTableTruncatedWhileOpenIsAnErrorThatNamesIt_data() { bothDisks(); }
    void aTableTruncatedWhileOpenIsAnErrorThatNamesIt() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        Index::Options options = small();
        options.blockCacheBytes = 0;
        const auto index = Index::open(*on.disk, on / "index", options);
        VERIFY_OK(index);
        IndexBatch batch;
        for (std::uint64_t n = 0; n < 1000; ++n)
            batch.put(keyOf(n), fmt::format("{:0>60}", n * n * 7919));
        VERIFY_OK((*index)->write(batch));
        VERIFY_OK((*index)->compact());
        QVERIFY(*(*index)->get(keyOf(0))); // the table is open now
        const auto tables = filesEndingWith(*on.disk, on / "index", ".ldb");
        QCOMPARE(tables.size(), 1u);
        VERIFY_OK(on.disk->truncate(tables[0], 5000));
        bool sawError = false;
        for (std::uint64_t n = 0; n < 1000; ++n) {
            const auto got = (*index)->get(keyOf(n));
            if (got) {
                QCOMPARE(**got, fmt::format("{:0>60}", n * n * 7919));
                continue;
            }
            sawError = true;
            QCOMPARE(got.error().kind(), ErrorKind::Corruption);
            QVERIFY2(got.error().message().find(tables[0]) != std::string::npos, why(got));
        }
        QVERIFY(sawError);
        const auto found = contents(**index);
        VERIFY_FAILS(found, ErrorKind::Corruption);
        QVERIFY2(found.error().message().find(tables[0]) != std::string::npos, why(found));
        VERIFY_FAILS((*index)->write(batch), ErrorKind::ReadOnly);
    }

    void missingFilesAreNamed() {
        SimulatedDisk disk(1);
        {
            const auto index = Index::open(disk, "/index", small());
            VERIFY_OK(index);
            VERIFY_OK((*index)->write(batchOf("a", "1")));
            VERIFY_OK((*index)->compact());
            VERIFY_OK((*index)->write(batchOf("b", "2")));
        }
        for (const std::string& path : filesEndingWith(disk, "/index", "")) {
            if (path.ends_with("LOCK"))
                continue;
            const auto copy = disk.clone(1);
            VERIFY_OK(copy->unlink(path));
            const auto index = Index::open(*copy, "/index", small());
            VERIFY_FAILS(index, ErrorKind::Corruption);
            // a MANIFEST that is missing is CURRENT's fault as much
            const std::string name = path.find("MANIFEST") != std::string::npos ? "/index/CURRENT" : path;
            QVERIFY2(index.error().message().find(name) != std::string::npos, why(index));
        }
    }

    void swappedLogsAndTablesAreSeen() {
        SimulatedDisk disk(1);
        Steps steps;
        auto index = Index::open(disk, "/index", stepped(steps));
        VERIFY_OK(index);
        for (std::uint64_t n = 0; filesEndingWith(disk, "/index", ".log").size() < 2; ++n)
            VERIFY_OK((*index)->write(batchOf(keyOf(n), std::string(5000, 'v'))));
        const auto logs = filesEndingWith(disk, "/index", ".log");
        disk.crash();
        index->reset();
        const auto copy = disk.clone(1);
        VERIFY_OK(Index::open(*copy, "/index", small()));
        disk.swapFiles(logs[0], logs[1]);
        VERIFY_FAILS(Index::open(disk, "/index", small()), ErrorKind::Corruption);
    }

    // --- failures
    // ----------------------------------------------------------------------------------------------

    void afterNoSpaceInTheLogNothingAcknowledgedIsLost() {
        const std::uint64_t seed = seedOfRun();
        SimulatedDisk disk(seed);
        Model model;
        std::optional<IndexBatch> doubtful;
        for (std::uint64_t round = 0; round < 60; ++round) {
            disk.setCapacity(1u << 30);
            auto index = Index::open(disk, "/index", small());
            VERIFY_OK(index);
            const auto found = contents(**index);
            VERIFY_OK(found);
            if (*found != model && doubtful)
                applyTo(*doubtful, model);
            QVERIFY(*found == model);
            disk.setCapacity((1u << 30) - *disk.freeBytes("/") + 4096 * (round % 30));
            IndexBatch batch;
            Status written;
            for (std::uint64_t n = 0;; ++n) {
                batch = batchOf(keyOf(n), fmt::format("{}", round) + std::string(100 + 997 * (n % 5), 'v'));
                written = (*index)->write(batch);
                if (!written)
                    break;
                applyTo(batch, model);
            }
            QVERIFY2(written.error().kind() == ErrorKind::NoSpace, why(written));
            doubtful = batch;
            disk.setCapacity(1u << 30);
            for (int n = 0; n < 3; ++n) {
                VERIFY_FAILS((*index)->write(batch), ErrorKind::ReadOnly);
                VERIFY_FAILS((*index)->compact(), ErrorKind::ReadOnly);
            }
            QVERIFY(*contents(**index) == model);
            if (round % 2)
                disk.crash();
        }
    }

    // Whatever was half appended when the space ended goes on where it stopped.
    void whereRoomIsMadeAFullDiskIsNoFailure() {
        SimulatedDisk disk(seedOfRun());
        std::atomic<std::uint64_t> capacity = 1u << 20;
        std::atomic<int> asked = 0;
        Index::Options options = small();
        options.makeRoom = [&] {
            ++asked;
            disk.setCapacity(capacity += 4096);
            return true;
        };
        Model model;
        for (int round = 0; round < 6; ++round) {
            auto index = Index::open(disk, "/index", options);
            VERIFY_OK(index);
            QVERIFY(*contents(**index) == model);
            disk.setCapacity(capacity -= *disk.freeBytes("/"));
            for (std::uint64_t n = 0; n < 200; ++n) {
                const IndexBatch batch =
                    batchOf(keyOf(n), fmt::format("{}", round) + std::string(100 + 997 * (n % 9), 'v'));
                VERIFY_OK((*index)->write(batch));
                applyTo(batch, model);
            }
            VERIFY_OK((*index)->compact());
            QVERIFY(*contents(**index) == model);
            index->reset();
            disk.crash();
        }
        QVERIFY2(asked > 100, qPrintable(QString::number(asked)));
    }

    // LevelDB keeps a compaction's error until the next write, and may meet others in between: a memtable for
    // which there is no room is tried again at every key of a running compaction.
    void anErrorKeepsItsKindOnItsWayThroughLevelDb() {
        const leveldb::Status first =
            statusOf(Error(ErrorKind::NoSpace, "appending to /index/1.ldb: no room"));
        for (int n = 0; n < 100; ++n)
            static_cast<void>(statusOf(Error(ErrorKind::Io, fmt::format("reading /index/{}.ldb", n))));
        QCOMPARE(errorOf(first).kind(), ErrorKind::NoSpace);
        QCOMPARE(errorOf(first).message(), std::string("appending to /index/1.ldb: no room"));
        QCOMPARE(errorOf(statusOf(Error(ErrorKind::NotFound, "/x"))).kind(), ErrorKind::NotFound);
        const Error own = errorOf(leveldb::Status::IOError("a file: of LevelDB's own: fails"));
        QCOMPARE(own.kind(), ErrorKind::Io);
        QCOMPARE(own.message(), std::string("IO error: a file: of LevelDB's own: fails"));
    }

    void afterAFailedSyncTheHandleIsDead() {
        SimulatedDisk disk(seedOfRun());
        Model model;
        for (std::uint64_t n = 1; n < 60; ++n) {
            auto index = Index::open(disk, "/index", small());
            VERIFY_OK(index);
            const auto found = contents(**index);
            VERIFY_OK(found);
            QVERIFY(found->size() == model.size() || found->size() == model.size() + 1);
            for (const auto& [key, value] : model)
                QCOMPARE(found->at(key), value);
            model = *found;
            disk.failSync(1 + n % 13);
            Status written;
            for (std::uint64_t k = 0; written; ++k) {
                const IndexBatch batch = batchOf(fmt::format("{}-{}", n, k), std::string(5000, 'v'));
                written = (*index)->write(batch);
                if (written)
                    applyTo(batch, model);
            }
            QVERIFY2(written.error().kind() == ErrorKind::Io, why(written));
            VERIFY_FAILS((*index)->write(batchOf("x", "y")), ErrorKind::ReadOnly);
            if (n % 3 == 0)
                disk.crash();
        }
    }

    void failedAndShortReadsAreErrors() {
        SimulatedDisk disk(1);
        Model model;
        {
            const auto index = Index::open(disk, "/index", small());
            VERIFY_OK(index);
            for (std::uint64_t n = 0; n < 300; ++n) {
                const IndexBatch batch =
                    batchOf(keyOf(n), std::string(1000, static_cast<char>('a' + n % 26)));
                VERIFY_OK((*index)->write(batch));
                applyTo(batch, model);
            }
            VERIFY_OK((*index)->compact());
        }
        int errors = 0;
        for (std::uint64_t n = 1; n < 60; ++n) {
            const auto copy = disk.clone(1);
            n % 2 ? copy->failRead(n) : copy->shortenRead(n);
            const auto index = Index::open(*copy, "/index", small());
            const auto found = index ? contents(**index) : Result<Model>(index.error());
            if (found)
                QVERIFY(*found == model);
            else
                ++errors;
        }
        QVERIFY(errors > 5);
    }
};

QTEST_GUILESS_MAIN(DiskDamageTest)
#include "disk_damage_test.moc"
