// Stores that earlier versions made: each must open, read as it did then, scrub clean, and take new writes. A
// file tests/data/store-N.tar.gz for each version N of the format; make_store says how they came to be.
#include "storage/disk/posix_disk.h"
#include "storage/engine/collector.h"
#include "storage/engine/scrub.h"
#include "tests/data/store_listing.h"

#include <QTest>

#include <QProcess>
#include <QTemporaryDir>

#include <span>

using namespace arbor;
using namespace arbor::test;

#define REQUIRE(result)                               \
    do {                                              \
        if (const auto& checked = (result); !checked) \
            QFAIL(checked.error().message().c_str()); \
    } while (false)

class StoredStoresTest : public QObject {
    Q_OBJECT

  private slots:
    void everyStoreOfAnEarlierVersionIsReadWholeAndGoesOn_data() {
        QTest::addColumn<QString>("archive");
        const QDir data(STORED_STORES);
        const QStringList archives = data.entryList({"store-*.tar.gz"});
        QVERIFY(!archives.isEmpty());
        for (const QString& archive : archives)
            QTest::newRow(qPrintable(archive)) << data.filePath(archive);
    }
    void everyStoreOfAnEarlierVersionIsReadWholeAndGoesOn() {
        QFETCH(const QString, archive);
        QTemporaryDir folder;
        QCOMPARE(QProcess::execute("tar", {"-C", folder.path(), "-xzf", archive}), 0);
        QFile file(folder.filePath("listing"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const QByteArray expected = file.readAll();
        QVERIFY(expected.contains("== head of "));

        const std::string store = folder.filePath("store").toStdString();
        PosixDisk disk;
        ManualClock clock;
        FakeLogs logs;
        for (int opening = 0; opening < 2; ++opening) { // the first one writes: a MANIFEST, the reserve
            const auto engine = Engine::open(disk, store, clock, fakeOptions(logs));
            REQUIRE(engine);
            const auto listing = listStore(**engine);
            REQUIRE(listing);
            QCOMPARE(QString::fromStdString(*listing), QString::fromUtf8(expected));
            const ScrubReport report = scrub(**engine, {});
            for (const ScrubFinding& finding : report.findings)
                QVERIFY2(finding.severity == ScrubFinding::Severity::Garbage, finding.message.c_str());
        }
        goesOn(disk, store, clock, logs);
    }

  private:
    // Forks every branch and writes on the fork; what was there reads as before.
    void goesOn(Disk& disk, const std::string& store, ManualClock& clock, FakeLogs& logs) {
        const Caller caller{"test", "branch create"};
        const std::string bytes(2 * blockSize, 'x');
        {
            const auto engine = Engine::open(disk, store, clock, fakeOptions(logs));
            REQUIRE(engine);
            const auto branches = (*engine)->catalog([](const Catalog& catalog) {
                std::vector<BranchRecord> all;
                for (const BranchRecord* branch : catalog.branches())
                    all.push_back(*branch);
                return all;
            });
            for (const BranchRecord& branch : branches) {
                logs.append(branch.timeline, 1u << 20); // the log goes on from where the store knows it to be
                const auto point = (*engine)->headPoint(branch);
                REQUIRE(point);
                Engine::BranchSpec spec;
                spec.name = "new-" + branch.name;
                spec.parent = branch.id;
                spec.from = *point;
                const auto fork = (*engine)->createBranch(caller, spec);
                REQUIRE(fork);
                const auto view = (*engine)->head(fork->timeline);
                REQUIRE(view);
                const auto made = (*view)->createFile((*view)->root(), "written-later", 0600, {});
                REQUIRE(made);
                REQUIRE((*view)->write(made->inode, 0, std::as_bytes(std::span(bytes)), 0));
            }
            REQUIRE((*engine)->sync());
        }
        const auto engine = Engine::open(disk, store, clock, fakeOptions(logs));
        REQUIRE(engine);
        const auto listing = listStore(**engine);
        REQUIRE(listing);
        QVERIFY(QString::fromStdString(*listing).contains("written-later 16384"));
        const ScrubReport report = scrub(**engine, {});
        for (const ScrubFinding& finding : report.findings)
            QVERIFY2(finding.severity == ScrubFinding::Severity::Garbage, finding.message.c_str());
    }
};

QTEST_GUILESS_MAIN(StoredStoresTest)
#include "stored_stores_test.moc"
