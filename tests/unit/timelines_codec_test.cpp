#include "timelines_fixture.h"

#include "storage/timelines/codec.h"

#include <random>

using namespace arbor;
using namespace arbor::test;

class TimelinesCodecTest : public QObject {
    Q_OBJECT

    static CatalogStore full() {
        CatalogStore store;
        store.makeRoot("main");
        store.write("main");
        store.makeBranch("dev", "main");
        store.run("", store.catalog.setBranchSetting(store.idOf("dev"), "archiving", "on"));
        store.makeCheckpoint("dev", "c");
        store.restore("dev", store.head("main"));
        store.keep(store.catalog.purgeTrash(store.remove("main").trash));
        store.run("", store.catalog.setSetting("trash-time", "1d"));
        return store;
    }

    // Loads the pairs, one of them in another form. It may load or not, but it must not crash; an error is
    // Corruption and says what is damaged.
    static bool loads(const CatalogStore& store, const std::string& changed, const std::string& value) {
        Catalog catalog;
        OperationLog log;
        for (const auto& [key, good] : store.pairs) {
            const std::string& bytes = key == changed ? value : good;
            const auto status = key[0] == 'O' ? log.loadRecord(key, bytes) : catalog.loadRecord(key, bytes);
            if (status)
                continue;
            if (status.error().kind() != ErrorKind::Corruption || status.error().message().empty())
                qFatal("not said to be corruption");
            return false;
        }
        (void)catalog.verify();
        (void)catalog.unreachableTimelines();
        (void)staticPins(catalog, [](const BranchRecord&) { return Position{1}; });
        return catalog.finishLoad().has_value();
    }

  private slots:
    void everyKindOfRecordIsThere() {
        std::set<std::string> kinds;
        for (const auto& [key, value] : full().pairs)
            kinds.insert(key[0] == 'O' ? "O" : key.substr(1, 1));
        QVERIFY(kinds == (std::set<std::string>{"B", "G", "K", "N", "O", "R", "S", "T"}));
    }

    void aRecordCutAnywhereIsCorruption() {
        const CatalogStore store = full();
        for (const auto& [key, value] : store.pairs) {
            QVERIFY(loads(store, key, value));
            for (std::size_t length = 0; length < value.size(); ++length)
                QVERIFY(!loads(store, key, value.substr(0, length)));
            QVERIFY(!loads(store, key, value + '\0'));
        }
    }

    void aRecordWithFlippedBitsNeverCrashes() {
        const CatalogStore store = full();
        for (const auto& [key, value] : store.pairs)
            for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
                std::string flipped = value;
                flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
                const bool loaded = loads(store, key, flipped);
                QVERIFY(bit >= 8 || !loaded); // another version is not guessed at
            }
    }

    void noiseNeverCrashes() {
        const unsigned seed = std::random_device{}();
        qInfo("seed %u", seed);
        std::mt19937 random(seed);
        const CatalogStore store = full();
        for (int round = 0; round < 4'000; ++round) {
            auto at = store.pairs.begin();
            std::advance(at, random() % store.pairs.size());
            std::string noise(random() % 60, '\0');
            for (char& c : noise)
                c = static_cast<char>(random());
            if (!noise.empty())
                noise[0] = 1; // get past the version
            loads(store, at->first, noise);
        }
    }

    // As the first version wrote it, which could allow a fork nothing.
    void aBranchOfTheFirstVersionHasNoSettings() {
        std::string value("\1\3dev\2\1", 7);   // version, name, timeline, parent
        value += std::string("\0\0\2\0\0", 5); // flags, expiry, time of its making, port, no settings
        const auto record = catalog_codec::decodeBranch({7}, value);
        QVERIFY(record);
        QCOMPARE(record->name, std::string("dev"));
        QCOMPARE(record->timeline, TimelineId{2});
        QVERIFY(record->settings.empty());
        BranchRecord allowed = *record;
        allowed.settings = {{"archiving", "on"}, {"walsenders", "on"}};
        QVERIFY(*catalog_codec::decodeBranch({7}, catalog_codec::encode(allowed)) == allowed);
        QCOMPARE(catalog_codec::encode(*record), value);
    }

    void theMessageNamesTheRecord() {
        Catalog catalog;
        const auto branch = catalog.loadRecord(catalog_codec::keyOf(BranchId{7}), "\1garbage");
        QCOMPARE(kindOf(branch), ErrorKind::Corruption);
        QVERIFY(branch.error().message().find("branch 7") != std::string::npos);
        const auto setting =
            catalog.loadRecord(catalog_codec::settingKey("trash-time"), catalog_codec::encodeText("x"));
        QVERIFY(setting.error().message().find("trash-time") != std::string::npos);
        QCOMPARE(kindOf(catalog.loadRecord("C", "")), ErrorKind::Corruption);
        QCOMPARE(kindOf(catalog.loadRecord("CB1234", "")), ErrorKind::Corruption);
        QCOMPARE(kindOf(catalog.loadRecord("CX12345678", "")), ErrorKind::Corruption);
    }

    void countersBehindTheRecordsAreCorruption() {
        CatalogStore store = full();
        QVERIFY(!loads(store, catalog_codec::countersKey(), catalog_codec::encode(IdCounters{1, 9, 9, 9})));
        QVERIFY(!loads(store, catalog_codec::countersKey(), catalog_codec::encode(IdCounters{9, 1, 9, 9})));
        QVERIFY(!loads(store, catalog_codec::countersKey(), catalog_codec::encode(IdCounters{9, 9, 1, 9})));
        QVERIFY(!loads(store, catalog_codec::countersKey(), catalog_codec::encode(IdCounters{9, 9, 9, 1})));
        QVERIFY(loads(store, catalog_codec::countersKey(), catalog_codec::encode(IdCounters{9, 9, 9, 9})));
    }

    void verifySaysWhatDangles() {
        CatalogStore store = full();
        // Without any one timeline something stands on nothing
        for (const auto& [key, value] : store.pairs) {
            if (key.substr(0, 2) != "CT")
                continue;
            CatalogStore damaged = store;
            damaged.pairs.erase(key);
            QVERIFY(!damaged.reloaded().catalog.verify().empty());
        }
        QCOMPARE(firstWrong(store.catalog), QString());
        CatalogStore twice = store;
        BranchRecord twin = store.id("dev");
        twin.id = {1};
        twin.parent = {};
        twin.name = "twin";
        twice.pairs[catalog_codec::keyOf(twin.id)] = catalog_codec::encode(twin);
        const auto wrong = twice.reloaded().catalog.verify();
        QVERIFY(!wrong.empty());
        twin.name = "dev";
        Catalog catalog;
        QVERIFY(catalog.loadRecord(catalog_codec::keyOf(store.idOf("dev")),
                                   catalog_codec::encode(store.id("dev"))));
        QCOMPARE(kindOf(catalog.loadRecord(catalog_codec::keyOf(twin.id), catalog_codec::encode(twin))),
                 ErrorKind::Corruption);
    }
};

QTEST_GUILESS_MAIN(TimelinesCodecTest)
#include "timelines_codec_test.moc"
