// The index over both disks: what it promises, and what it keeps through power cuts.
#include "disk_index_support.h"

using namespace arbor;
using namespace arbor::test;

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
        for (int round = 0; round < rounds(24); ++round) {
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
        for (int cut = 0; cut < rounds(2500); ++cut) {
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

    void powerCutsBesideARealBackgroundThreadLoseNothing() {
        SimulatedDisk disk(seedOfRun());
        Model model;
        IndexBatch inFlight;
        for (int cut = 0; cut < rounds(160); ++cut) {
            auto index = Index::open(disk, "/index", small());
            VERIFY_OK(index);
            const auto found = contents(**index);
            VERIFY_OK(found);
            if (*found != model)
                applyTo(inFlight, model);
            QVERIFY(*found == model);
            disk.setCutAfter(static_cast<std::uint64_t>(20 + cut * 37 % 400));
            for (std::uint64_t n = 0;; ++n) {
                inFlight = batchOf(keyOf(n * 13 % 101),
                                   fmt::format("{} {} {}", cut, n, std::string(n * 331 % 9000, 'v')));
                if (!(*index)->write(inFlight))
                    break;
                applyTo(inFlight, model);
            }
            disk.crash();
        }
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
};

QTEST_GUILESS_MAIN(DiskIndexTest)
#include "disk_index_test.moc"
