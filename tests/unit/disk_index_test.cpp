// The index over both disks: what it promises, and what it does when the disk fails, tears or lies.
#include "disk_support.h"

#include "storage/disk/index.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>

using namespace arbor;
using namespace arbor::test;

namespace {

using Model = std::map<std::string, std::string>;

// Background work that happens when the test says: the same calls give the same operations on the disk. A
// test runs it between writes, so that no write ever waits for it.
class Steps {
  public:
    std::function<void(std::function<void()>)> executor() {
        return [jobs = m_jobs](std::function<void()> job) {
            const std::lock_guard lock(jobs->mutex);
            jobs->queue.push_back(std::move(job));
        };
    }
    void run() {
        for (;;) {
            std::function<void()> job;
            {
                const std::lock_guard lock(m_jobs->mutex);
                if (m_jobs->queue.empty())
                    return;
                job = std::move(m_jobs->queue.front());
                m_jobs->queue.pop_front();
            }
            job();
        }
    }

  private:
    struct Jobs {
        std::mutex mutex;
        std::deque<std::function<void()>> queue;
    };
    const std::shared_ptr<Jobs> m_jobs = std::make_shared<Jobs>(); // an index may outlive its test
};

Index::Options small() {
    return {.writeBufferBytes = 64 << 10, .blockCacheBytes = 256 << 10, .executor = {}};
}

Index::Options stepped(Steps& steps) {
    Index::Options options = small();
    options.executor = steps.executor();
    return options;
}

void applyTo(const IndexBatch& batch, Model& model) {
    for (const IndexBatch::Entry& entry : batch.entries())
        if (entry.value)
            model[entry.key] = *entry.value;
        else
            model.erase(entry.key);
}

// Everything in the index, or its error.
Result<Model> contents(const Index& index) {
    Model all;
    const auto iterator = index.iterate();
    for (iterator->seek(""); iterator->valid(); iterator->next())
        all[std::string(iterator->key())] = iterator->value();
    ARBOR_TRY(iterator->status());
    return all;
}

std::string keyOf(std::uint64_t n) {
    return fmt::format("P{:06}", n);
}

IndexBatch batchOf(std::string_view key, std::string_view value) {
    IndexBatch batch;
    batch.put(key, value);
    return batch;
}

// Of at most 35 KB: puts, erasures, sometimes a large value, sometimes one of zeros.
template <class Below>
IndexBatch randomBatch(Below& below) {
    IndexBatch batch;
    const std::uint64_t entries = 1 + below(8);
    for (std::uint64_t i = 0; i < entries; ++i) {
        const std::string key = keyOf(below(300));
        const char fill = below(3) == 0 ? '\0' : static_cast<char>('a' + below(26));
        if (below(6) == 0)
            batch.erase(key);
        else
            batch.put(key, std::string(below(i == 0 && below(10) == 0 ? 30'000 : 700), fill));
    }
    return batch;
}

// The newest log's path.
std::string newestLog(Disk& disk, const std::string& directory) {
    std::string newest;
    const auto names = disk.list(directory);
    if (names)
        for (const std::string& name : *names)
            if (name.ends_with(".log"))
                newest = std::max(newest, directory + "/" + name);
    return newest;
}

std::vector<std::string> filesEndingWith(Disk& disk, const std::string& directory, std::string_view suffix) {
    std::vector<std::string> paths;
    const auto names = disk.list(directory);
    if (names)
        for (const std::string& name : *names)
            if (name.ends_with(suffix))
                paths.push_back(directory + "/" + name);
    return paths;
}

} // namespace

class DiskIndexTest : public QObject {
    Q_OBJECT
  private slots:
    void writesAreReadBackAfterReopening_data() { bothDisks(); }
    void writesAreReadBackAfterReopening() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        {
            const auto index = Index::open(*on.disk, on / "index", small());
            VERIFY_OK(index);
            QVERIFY(!*(*index)->get("a"));
            IndexBatch batch;
            batch.put("a", "1");
            batch.put("b", "2");
            batch.put("a", "3"); // the later one wins
            batch.erase("b");
            IndexBatch more;
            more.put("empty", "");
            more.put(std::string("\0\1", 2), std::string(3, '\0'));
            batch.append(more);
            QVERIFY(batch.bytes() > 0);
            VERIFY_OK((*index)->write(batch));
            VERIFY_FAILS(Index::open(*on.disk, on / "index", small()), ErrorKind::Busy);
            VERIFY_FAILS((*index)->write(batchOf("\xff", "x")), ErrorKind::InvalidArgument);
            VERIFY_OK((*index)->write(IndexBatch()));
            QVERIFY(*(*index)->bytesOnDisk() > 0);
        }
        const auto index = Index::open(*on.disk, on / "index", small());
        VERIFY_OK(index);
        QCOMPARE(**(*index)->get("a"), std::string("3"));
        QVERIFY(!*(*index)->get("b"));
        QVERIFY(*contents(**index) ==
                (Model{{"a", "3"}, {"empty", ""}, {std::string("\0\1", 2), std::string(3, '\0')}}));
    }

    void iteratorsWalkBothWays_data() { bothDisks(); }
    void iteratorsWalkBothWays() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        const auto index = Index::open(*on.disk, on / "index", small());
        VERIFY_OK(index);
        const auto empty = (*index)->iterate();
        QVERIFY(!empty->valid());
        empty->seek("");
        QVERIFY(!empty->valid());
        empty->previous();
        QVERIFY(!empty->valid());
        IndexBatch batch;
        for (const char* key : {"b", "d", "f"})
            batch.put(key, std::string("of ") + key);
        VERIFY_OK((*index)->write(batch));

        const auto it = (*index)->iterate();
        VERIFY_OK((*index)->write(batchOf("e", "later"))); // not seen by it
        it->seek("c");
        QVERIFY(it->valid());
        QCOMPARE(it->key(), std::string_view("d"));
        QCOMPARE(it->value(), std::string_view("of d"));
        it->next();
        QCOMPARE(it->key(), std::string_view("f"));
        it->next();
        QVERIFY(!it->valid());
        it->previous();
        QVERIFY(it->valid());
        QCOMPARE(it->key(), std::string_view("f"));
        it->seek("g");
        QVERIFY(!it->valid());
        it->previous();
        QCOMPARE(it->key(), std::string_view("f"));
        it->seek("b");
        it->previous();
        QVERIFY(!it->valid());
        VERIFY_OK(it->status());
    }

    void compactionKeepsEverything_data() { bothDisks(); }
    void compactionKeepsEverything() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        Model model;
        const auto index = Index::open(*on.disk, on / "index", small());
        VERIFY_OK(index);
        for (int n = 0; n < 200; ++n) {
            IndexBatch batch;
            for (int k = 0; k < 10; ++k)
                batch.put(keyOf(static_cast<std::uint64_t>(n * 7 + k * 31) % 500),
                          std::string(200, static_cast<char>('a' + n % 26)));
            batch.erase(keyOf(static_cast<std::uint64_t>(n)));
            applyTo(batch, model);
            VERIFY_OK((*index)->write(batch));
        }
        QVERIFY(*contents(**index) == model);
        const std::uint64_t before = *(*index)->bytesOnDisk();
        VERIFY_OK((*index)->compact());
        QVERIFY(*(*index)->bytesOnDisk() < before);
        QVERIFY(*contents(**index) == model);
        VERIFY_OK((*index)->compact());
    }

    // --- power cuts
    // --------------------------------------------------------------------------------------------

    void everySyncedWriteSurvivesACutAfterALogRotation() {
        SimulatedDisk disk(seedOfRun());
        VERIFY_OK(ensureDirectory(disk, "/s"));
        for (int round = 0; round < 20 * effort(); ++round) {
            const std::string directory = fmt::format("/s/index{}", round);
            Model model;
            Steps steps;
            auto index = Index::open(disk, directory, stepped(steps));
            VERIFY_OK(index);
            const std::string first = newestLog(disk, directory);
            while (newestLog(disk, directory) == first) { // the write that rotates is the last
                const IndexBatch batch = batchOf(keyOf(model.size()), std::string(3000, 'v'));
                VERIFY_OK((*index)->write(batch));
                applyTo(batch, model);
            }
            disk.crash();
            index->reset();
            const auto again = Index::open(disk, directory, small());
            VERIFY_OK(again);
            QVERIFY(*contents(**again) == model);
        }
    }

    void randomPowerCutsLoseNothingAcknowledged() {
        const std::uint64_t seed = seedOfRun();
        SimulatedDisk disk(seed);
        VERIFY_OK(ensureDirectory(disk, "/s"));
        std::uint64_t chance = seed;
        const auto below = [&](std::uint64_t n) {
            chance = chance * 6364136223846793005u + 1442695040888963407u;
            return (chance >> 33) % n;
        };
        Model model;
        IndexBatch inFlight;
        int survivors = 0;
        int cutsInOpen = 0;
        int cutsInBackground = 0;
        std::uint64_t written = 0;
        for (int cut = 0; cut < 2500 * effort(); ++cut) {
            Steps steps;
            // now and then while opening, which writes a table, a MANIFEST and CURRENT
            if (below(4) == 0)
                disk.setCutAfter(1 + below(40));
            auto index = Index::open(disk, "/s/index", stepped(steps));
            if (!index && disk.isCut()) {
                ++cutsInOpen;
                disk.crash();
                steps.run();
                continue;
            }
            QVERIFY2(index, qPrintable(QString("cut %1: %2").arg(cut).arg(why(index))));
            const auto found = contents(**index);
            VERIFY_OK(found);
            if (*found != model) {
                applyTo(inFlight, model); // the one in flight, whole, or nothing
                QVERIFY2(*found == model, qPrintable(QString("cut %1").arg(cut)));
                ++survivors;
            }
            inFlight.clear();
            if (!disk.isCut())
                disk.setCutAfter(1 + below(below(3) == 0 ? 200 : 30));
            std::uint64_t sinceRun = 0;
            const auto runBackgroundWork = [&] {
                const bool before = disk.isCut();
                steps.run();
                sinceRun = 0;
                if (!before && disk.isCut())
                    ++cutsInBackground;
            };
            for (;;) {
                const IndexBatch batch = randomBatch(below);
                // a second full memtable would wait for background work
                if (sinceRun + batch.bytes() > 40'000 || below(3) == 0)
                    runBackgroundWork();
                ++written;
                if (!(*index)->write(batch)) {
                    inFlight = batch;
                    break;
                }
                applyTo(batch, model);
                sinceRun += batch.bytes();
            }
            QVERIFY2(disk.isCut(), "only a power cut makes a write fail here");
            VERIFY_FAILS((*index)->write(inFlight), ErrorKind::ReadOnly);
            Model maybe = model; // reads go on
            applyTo(inFlight, maybe);
            const auto seen = contents(**index);
            VERIFY_OK(seen);
            QVERIFY(*seen == model || *seen == maybe);
            disk.crash();
            index->reset();
        }
        qInfo("%llu batches written, %d in flight survived; %d cuts hit the opening, %d background work",
              static_cast<unsigned long long>(written), survivors, cutsInOpen, cutsInBackground);
        QVERIFY(survivors > 0 && cutsInOpen > 0 && cutsInBackground > 0);
    }

    void theSameSeedGivesTheSameDisk() {
        const std::uint64_t seed = seedOfRun();
        std::string first;
        for (int run = 0; run < 2; ++run) {
            SimulatedDisk disk(seed);
            std::string trace;
            for (int cut = 0; cut < 20; ++cut) {
                Steps steps;
                disk.setCutAfter(30 + static_cast<std::uint64_t>(cut) * 7);
                if (auto index = Index::open(disk, "/index", stepped(steps))) {
                    for (std::uint64_t n = 0; (*index)->write(batchOf(keyOf(n % 50), std::string(5000, 'x')));
                         ++n)
                        steps.run();
                }
                disk.crash();
                for (const std::string& path : filesEndingWith(disk, "/index", ""))
                    trace += path + "=" + *readFile(disk, path) + "\n";
            }
            if (run == 0)
                first = trace;
            QVERIFY(trace == first);
        }
    }

    // --- damage
    // ------------------------------------------------------------------------------------------------

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
            for (std::uint64_t offset = 0; offset < size; ++offset) {
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

QTEST_GUILESS_MAIN(DiskIndexTest)
#include "disk_index_test.moc"
