// SimulatedDisk: it must lose what may be lost, keep what must be kept, and do both reproducibly.
#include "disk_support.h"

#include <map>
#include <set>

using namespace arbor;
using namespace arbor::test;

namespace {

Status put(Disk& disk, const std::string& path, std::string_view content, bool sync = false) {
    ARBOR_ASSIGN(const auto file, disk.openAppend(path));
    ARBOR_TRY(file->append(bytesOf(content)));
    return sync ? file->sync() : Status();
}

std::string patterned(std::size_t size, std::size_t shift = 0) {
    std::string text(size, 0);
    for (std::size_t i = 0; i < size; ++i)
        text[i] = static_cast<char>((i + shift) * 2654435761u % 255 + 1); // never zero
    return text;
}

std::vector<std::string> namesIn(Disk& disk, const std::string& directory) {
    auto names = disk.list(directory);
    return names ? std::move(*names) : std::vector<std::string>();
}

bool exists(Disk& disk, const std::string& path) {
    return disk.info(path).has_value();
}

} // namespace

class DiskCrashTest : public QObject {
    Q_OBJECT
  private slots:
    void syncedBytesStayAndUnsyncedOnesMayTear() {
        const std::string all = patterned(50'000);
        int lost = 0;
        int kept = 0;
        int cut = 0;
        int holes = 0;
        for (std::uint64_t seed = 0; seed < 400; ++seed) {
            SimulatedDisk disk(seed);
            VERIFY_OK(put(disk, "/f", all.substr(0, 10'000), true));
            VERIFY_OK(disk.syncDirectory("/"));
            for (std::size_t at = 10'000; at < all.size(); at += 8000)
                VERIFY_OK(put(disk, "/f", all.substr(at, 8000)));
            disk.crash();
            const auto got = readFile(disk, "/f");
            VERIFY_OK(got);
            QVERIFY(got->size() >= 10'000 && got->size() <= all.size());
            QVERIFY(got->substr(0, 10'000) == all.substr(0, 10'000));
            bool hole = false;
            for (std::size_t i = 10'000; i < got->size(); ++i) {
                const bool zero = (*got)[i] == 0;
                QVERIFY(zero || (*got)[i] == all[i]);
                // a piece is lost or kept as a whole
                QVERIFY(i % 512 == 0 || i == 10'000 || zero == ((*got)[i - 1] == 0));
                hole = hole || zero;
            }
            lost += got->size() == 10'000;
            kept += *got == all;
            cut += !hole && got->size() < all.size() && got->size() > 10'000;
            holes += hole;
        }
        QVERIFY2(lost > 20 && kept > 20 && cut > 20 && holes > 20,
                 qPrintable(QString("%1 %2 %3 %4").arg(lost).arg(kept).arg(cut).arg(holes)));
    }

    void namesAndContentsAreDurableApart() {
        std::set<std::string> outcomes;
        for (std::uint64_t seed = 0; seed < 200; ++seed) {
            SimulatedDisk disk(seed);
            VERIFY_OK(put(disk, "/onlyFileSynced", "x", true));
            disk.crash();
            outcomes.insert(exists(disk, "/onlyFileSynced") ? "name kept" : "name lost");
            VERIFY_OK(put(disk, "/onlyNameSynced", "y"));
            VERIFY_OK(disk.syncDirectory("/"));
            disk.crash();
            QVERIFY(exists(disk, "/onlyNameSynced"));
            outcomes.insert("content '" + *readFile(disk, "/onlyNameSynced") + "'");
            VERIFY_OK(put(disk, "/both", "z", true));
            VERIFY_OK(disk.syncDirectory("/"));
            disk.crash();
            QCOMPARE(*readFile(disk, "/both"), std::string("z"));
            VERIFY_OK(disk.makeDirectory("/d"));
            VERIFY_OK(disk.syncDirectory("/"));
            VERIFY_OK(put(disk, "/d/f", "f", true));
            VERIFY_OK(disk.unlink("/both"));
            disk.crash();
            outcomes.insert(exists(disk, "/d/f") ? "file kept" : "file lost");
            outcomes.insert(exists(disk, "/both") ? "unlink lost" : "unlink kept");
            QVERIFY(exists(disk, "/d"));
        }
        for (const char* outcome : {"name kept", "name lost", "content ''", "content 'y'", "file kept",
                                    "file lost", "unlink lost", "unlink kept"})
            QVERIFY2(outcomes.contains(outcome), outcome);
    }

    void replaceFileIsAtomicAtEveryOperation() {
        std::set<std::string> outcomes;
        for (std::uint64_t n = 1; n <= 8; ++n)
            for (std::uint64_t seed = 0; seed < 60; ++seed) {
                SimulatedDisk disk(seed);
                VERIFY_OK(ensureDirectory(disk, "/d"));
                VERIFY_OK(replaceFile(disk, "/d/f", "old"));
                disk.setCutAfter(n);
                const Status replaced = replaceFile(disk, "/d/f", "new");
                QCOMPARE(disk.isCut(), !replaced);
                disk.crash();
                const auto content = readFile(disk, "/d/f");
                VERIFY_OK(content);
                QVERIFY(*content == "old" || *content == "new");
                QVERIFY(!replaced || *content == "new");
                outcomes.insert(*content);
                VERIFY_OK(replaceFile(disk, "/d/f", "again"));
            }
        QCOMPARE(outcomes.size(), 2u);
    }

    void aRenameBetweenDirectoriesHappensAsAWhole() {
        int moved = 0;
        for (std::uint64_t seed = 0; seed < 100; ++seed) {
            SimulatedDisk disk(seed);
            VERIFY_OK(ensureDirectory(disk, "/a"));
            VERIFY_OK(ensureDirectory(disk, "/b"));
            VERIFY_OK(put(disk, "/a/f", "x", true));
            VERIFY_OK(disk.syncDirectory("/a"));
            VERIFY_OK(disk.rename("/a/f", "/b/f"));
            if (seed % 3 == 0)
                VERIFY_OK(disk.syncDirectory(seed % 2 ? "/a" : "/b"));
            disk.crash();
            QVERIFY(exists(disk, "/a/f") != exists(disk, "/b/f"));
            QVERIFY(seed % 3 != 0 || exists(disk, "/b/f"));
            moved += exists(disk, "/b/f");
        }
        QVERIFY(moved > 34 && moved < 100);
    }

    void aSyncedRenameTakesTheCreationWithIt() {
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            SimulatedDisk disk(seed);
            VERIFY_OK(ensureDirectory(disk, "/a"));
            VERIFY_OK(ensureDirectory(disk, "/b"));
            VERIFY_OK(put(disk, "/a/f", "x", true));
            VERIFY_OK(disk.rename("/a/f", "/b/f"));
            VERIFY_OK(disk.syncDirectory("/b"));
            disk.crash();
            QCOMPARE(*readFile(disk, "/b/f"), std::string("x"));
            QVERIFY(!exists(disk, "/a/f"));
        }
    }

    void whatWasNotTouchedSinceItsSyncStays() {
        const std::uint64_t seed = seedOfRun();
        SimulatedDisk disk(seed);
        std::uint64_t state = seed;
        const auto below = [&](std::uint64_t n) {
            state = state * 6364136223846793005u + 1442695040888963407u;
            return (state >> 33) % n;
        };
        const auto name = [&] { return fmt::format("/d{}/f{}", below(3), below(6)); };
        for (int d = 0; d < 3; ++d)
            VERIFY_OK(ensureDirectory(disk, fmt::format("/d{}", d)));
        std::map<std::string, std::string> settled;
        std::set<std::string> touched;
        const auto touchContent = [&](const std::string& path) { // under all its names
            touched.insert(path);
            const auto info = disk.info(path);
            for (const auto& [file, content] : settled)
                if (const auto other = disk.info(file); info && other && other->inode == info->inode)
                    touched.insert(file);
        };
        for (int step = 0; step < 30'000; ++step) {
            const std::string path = name();
            const std::string other = name();
            switch (below(9)) {
            case 0:
            case 1:
                touchContent(path);
                static_cast<void>(put(disk, path, patterned(below(3000), below(255)), below(2) == 0));
                break;
            case 2:
                static_cast<void>(disk.unlink(path));
                touched.insert(path);
                break;
            case 3:
                static_cast<void>(disk.rename(path, other));
                touched.insert({path, other});
                break;
            case 4:
                if (disk.link(path, other))
                    touched.insert({path, other});
                break;
            case 5:
                touchContent(path);
                static_cast<void>(disk.truncate(path, below(2000)));
                break;
            case 6:
                touchContent(path);
                static_cast<void>(disk.punch(path, below(2000), below(2000)));
                break;
            case 7:
                if (below(8) != 0)
                    break;
                settled.clear();
                touched.clear();
                for (int d = 0; d < 3; ++d) {
                    const std::string directory = fmt::format("/d{}", d);
                    for (const std::string& file : namesIn(disk, directory)) {
                        VERIFY_OK(disk.syncFile(directory + "/" + file));
                        settled[directory + "/" + file] = *readFile(disk, directory + "/" + file);
                    }
                    VERIFY_OK(disk.syncDirectory(directory));
                }
                break;
            case 8:
                if (below(8) != 0)
                    break;
                disk.crash();
                for (const auto& [file, content] : settled) {
                    if (touched.contains(file))
                        continue;
                    const auto got = readFile(disk, file);
                    VERIFY_OK(got);
                    QVERIFY2(*got == content, file.c_str());
                }
                settled.clear(); // what chance left is durable now
                for (int d = 0; d < 3; ++d) {
                    const std::string directory = fmt::format("/d{}", d);
                    for (const std::string& file : namesIn(disk, directory))
                        settled[directory + "/" + file] = *readFile(disk, directory + "/" + file);
                }
                touched.clear();
                break;
            }
        }
        for (int d = 0; d < 3; ++d)
            VERIFY_OK(removeTree(disk, fmt::format("/d{}", d)));
        disk.setCapacity(1 << 20);
        QCOMPARE(*disk.freeBytes("/"), 1u << 20); // the account of space is even
    }

    void aFailedSyncLosesItsBytesThoughALaterOneSucceeds() {
        int lost = 0;
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            SimulatedDisk disk(seed);
            auto file = disk.createAppend("/f");
            VERIFY_OK(file);
            VERIFY_OK(disk.syncDirectory("/"));
            VERIFY_OK((*file)->append(bytesOf(patterned(5000))));
            disk.failSync(1);
            VERIFY_FAILS((*file)->sync(), ErrorKind::Io);
            VERIFY_OK((*file)->sync());
            QVERIFY(*readFile(disk, "/f") == patterned(5000));
            disk.crash();
            lost += *readFile(disk, "/f") != patterned(5000);
        }
        QVERIFY(lost > 10 && lost < 50);
    }

    void modesAreDurableAfterASyncOfTheFile() {
        std::set<std::uint32_t> modes;
        for (std::uint64_t seed = 0; seed < 50; ++seed) {
            SimulatedDisk disk(seed);
            VERIFY_OK(put(disk, "/f", "x", true));
            VERIFY_OK(disk.syncDirectory("/"));
            VERIFY_OK(disk.setMode("/f", 0400));
            if (seed % 2)
                VERIFY_OK(disk.syncFile("/f"));
            disk.crash();
            QVERIFY(seed % 2 == 0 || disk.info("/f")->mode == 0400);
            modes.insert(disk.info("/f")->mode);
        }
        QCOMPARE(modes, (std::set<std::uint32_t>{0400, 0600}));
    }

    void filesAndLocksOfBeforeTheCutAreDead() {
        SimulatedDisk disk(1);
        VERIFY_OK(put(disk, "/f", "x", true));
        VERIFY_OK(disk.syncDirectory("/"));
        const auto reader = disk.openRead("/f");
        const auto writer = disk.openAppend("/f");
        auto lock = disk.lock("/f");
        VERIFY_OK(lock);
        disk.crash();
        std::string got(1, 0);
        VERIFY_FAILS((*reader)->readAt(0, std::as_writable_bytes(std::span(got))), ErrorKind::Io);
        VERIFY_FAILS((*reader)->size(), ErrorKind::Io);
        VERIFY_FAILS((*writer)->append(bytesOf("y")), ErrorKind::Io);
        VERIFY_FAILS((*writer)->sync(), ErrorKind::Io);
        const auto again = disk.lock("/f");
        VERIFY_OK(again);
        lock->reset(); // the dead one lets go of nothing
        VERIFY_FAILS(disk.lock("/f"), ErrorKind::Busy);
        QCOMPARE(*readFile(disk, "/f"), std::string("x"));
    }

    void theCutHitsTheOperationThatWasNamed() {
        std::set<bool> happened;
        for (std::uint64_t seed = 0; seed < 20; ++seed) {
            SimulatedDisk disk(seed);
            const std::uint64_t before = disk.operationCount();
            disk.setCutAfter(3);
            VERIFY_OK(disk.makeDirectory("/1"));
            VERIFY_OK(disk.makeDirectory("/2"));
            QVERIFY(!disk.isCut());
            VERIFY_FAILS(disk.makeDirectory("/3"), ErrorKind::Io);
            QVERIFY(disk.isCut());
            VERIFY_FAILS(disk.syncDirectory("/"), ErrorKind::Io);
            VERIFY_FAILS(disk.createAppend("/4"), ErrorKind::Io);
            QCOMPARE(disk.operationCount() - before, 5u);
            happened.insert(exists(disk, "/3"));
            QVERIFY(!exists(disk, "/4"));
            disk.crash();
            QVERIFY(!disk.isCut());
            VERIFY_OK(disk.makeDirectory("/5"));
        }
        QCOMPARE(happened.size(), 2u);
    }

    void spaceIsCountedReservedAndGivenBack() {
        SimulatedDisk disk(1);
        disk.setCapacity(100 * 4096);
        QCOMPARE(*disk.totalBytes("/"), 100u * 4096);
        auto reserved = disk.createAppend("/reserved", 60 * 4096);
        VERIFY_OK(reserved);
        QCOMPARE(*disk.freeBytes("/"), 40u * 4096);
        VERIFY_FAILS(disk.createAppend("/more", 41 * 4096), ErrorKind::NoSpace);
        QVERIFY(!exists(disk, "/more"));
        auto file = disk.createAppend("/f");
        VERIFY_OK(file);
        VERIFY_OK((*file)->append(bytesOf(patterned(39 * 4096 + 1))));
        VERIFY_FAILS((*file)->append(bytesOf(patterned(5000))), ErrorKind::NoSpace);
        QCOMPARE((*file)->size(), 40u * 4096); // what fitted is there
        QCOMPARE(*disk.freeBytes("/"), 0u);
        VERIFY_OK((*reserved)->append(bytesOf(patterned(60 * 4096)))); // has its own
        VERIFY_FAILS((*reserved)->append(bytesOf("x")), ErrorKind::NoSpace);
        VERIFY_OK(disk.punch("/f", 0, 10 * 4096));
        QCOMPARE(*disk.freeBytes("/"), 10u * 4096);
        VERIFY_OK(disk.unlink("/f"));
        QCOMPARE(*disk.freeBytes("/"), 10u * 4096); // still open
        file->reset();
        QCOMPARE(*disk.freeBytes("/"), 40u * 4096);
    }

    void damageIsSeenThroughOpenFilesAndNotOnACopy() {
        SimulatedDisk disk(1);
        VERIFY_OK(put(disk, "/f", patterned(6000)));
        VERIFY_OK(put(disk, "/g", "g"));
        const auto reader = disk.openRead("/f");
        const auto copy = disk.clone(2);
        disk.corrupt("/f", 4999, 0x41);
        disk.truncateNow("/f", 5000);
        disk.zero("/f", 0, 100);
        std::string got(6000, '?');
        QCOMPARE(*(*reader)->readAt(0, std::as_writable_bytes(std::span(got))), 5000u);
        QCOMPARE(got[4999], static_cast<char>(patterned(6000)[4999] ^ 0x41));
        QCOMPARE(got[99], '\0');
        disk.swapFiles("/f", "/g");
        QCOMPARE(*readFile(disk, "/f"), std::string("g"));
        QVERIFY(*readFile(*copy, "/f") == patterned(6000));
        copy->crash(); // everything on a copy is durable
        QVERIFY(*readFile(*copy, "/f") == patterned(6000));
    }

    void theSameSeedDoesTheSame() {
        const auto run = [](std::uint64_t seed) {
            SimulatedDisk disk(seed);
            std::string trace;
            for (int i = 0; i < 50; ++i) {
                static_cast<void>(put(disk, fmt::format("/f{}", i % 7),
                                      patterned(3000, static_cast<std::size_t>(i)), i % 3 == 0));
                static_cast<void>(disk.rename(fmt::format("/f{}", i % 5), fmt::format("/f{}", i % 4)));
                if (i % 10 == 9)
                    disk.crash();
            }
            for (const std::string& name : namesIn(disk, "/"))
                trace += name + *readFile(disk, "/" + name);
            return trace;
        };
        QVERIFY(run(7) == run(7));
        QVERIFY(run(7) != run(8));
    }

    void manyCutsWithMuchOnTheDiskAreCheap() {
        SimulatedDisk disk(1);
        const std::string large = patterned(1 << 20);
        for (int i = 0; i < 8; ++i)
            VERIFY_OK(put(disk, fmt::format("/large{}", i), large, true));
        VERIFY_OK(disk.syncDirectory("/"));
        QElapsedTimer timer;
        timer.start();
        for (int i = 0; i < rounds(10'000); ++i) {
            VERIFY_OK(put(disk, "/large3", "tail", i % 2));
            VERIFY_OK(put(disk, fmt::format("/new{}", i % 10), large.substr(0, 20'000)));
            disk.crash();
            if (i % 10 == 9)
                for (const std::string& name : namesIn(disk, "/"))
                    if (name.starts_with("new"))
                        VERIFY_OK(disk.unlink("/" + name));
        }
        qInfo("%d power cuts: %lld ms", rounds(10'000), static_cast<long long>(timer.elapsed()));
        QVERIFY(*readFile(disk, "/large5") == large);
    }
};

QTEST_GUILESS_MAIN(DiskCrashTest)
#include "disk_crash_test.moc"
