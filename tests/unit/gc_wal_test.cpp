// Which kept log segments a collection lets go.
#include "storage/gc/wal_retention.h"
#include "storage/wal/wal_segments.h"

#include <QTest>

using namespace arbor;

namespace {

constexpr std::uint32_t mega = 1u << 20;

WalFile kept(std::uint64_t timeline, std::uint64_t number, std::uint64_t inode, std::uint32_t links = 1) {
    WalFile file{{timeline}, true, segmentFileName(1, number, mega), {}};
    file.info.size = mega;
    file.info.inode = inode;
    file.info.links = links;
    return file;
}

WalFile own(std::uint64_t timeline, std::uint64_t number, std::uint64_t inode, std::uint32_t links) {
    WalFile file = kept(timeline, number, inode, links);
    file.isKept = false;
    return file;
}

Lsn at(std::uint64_t segment, std::uint64_t offset = 100) {
    return {segment * mega + offset};
}

Need of(std::uint32_t pin) {
    return {pin, pin, Need::none, PinKind::Checkpoint};
}

std::uint64_t onlyBytes(const WalRetention& plan, std::uint32_t pin) {
    std::uint64_t bytes = 0;
    for (const WalRetention::Use& use : plan.uses)
        bytes += use.need == of(pin) ? use.bytes : 0;
    return bytes;
}

} // namespace

class GcWalTest : public QObject {
    Q_OBJECT
  private slots:
    void segmentsFromTheRedoPointToThePinStay() {
        std::vector<WalFile> files;
        for (std::uint64_t i = 1; i <= 9; ++i)
            files.push_back(kept(1, i, i));
        const std::vector<WalTimeline> timelines{{{1}, {}, {}, mega, false}};
        const auto plan = planWalRetention(
            timelines,
            {{{1}, at(3), at(5), of(1)}, {{1}, at(5), at(6), of(2)}, {{1}, at(9), {UINT64_MAX}, of(3)}},
            files, {2});
        QCOMPARE(plan->removable, (std::vector<std::size_t>{0, 1, 6, 7}));
        QCOMPARE(plan->totalBytes, std::uint64_t{9} * mega);
        QCOMPARE(plan->freeBytes, std::uint64_t{4} * mega);
        QCOMPARE(onlyBytes(*plan, 1), std::uint64_t{2} * mega);
        QCOMPARE(onlyBytes(*plan, 2), std::uint64_t{mega});
        QCOMPARE(onlyBytes(*plan, 3), std::uint64_t{mega});
    }

    void aForkKeepsItsParentsLogFromItsRedoPointToTheFork() {
        std::vector<WalFile> files;
        for (std::uint64_t i = 1; i <= 8; ++i)
            files.push_back(kept(1, i, i));
        files.push_back(kept(2, 5, 20));
        files.push_back(kept(2, 6, 21));
        const std::vector<WalTimeline> timelines{{{1}, {}, {}, mega, false}, {{2}, {1}, at(5), mega, false}};
        const auto plan = planWalRetention(timelines, {{{2}, at(4), at(6), of(1)}}, files, {3});
        QCOMPARE(plan->removable, (std::vector<std::size_t>{0, 1, 2, 5, 6, 7}));
        // once its redo point is its own, the parent's can go
        const auto later = planWalRetention(timelines, {{{2}, at(6), at(6), of(1)}}, files, {3});
        QCOMPARE(later->removable, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7, 8}));
    }

    void anInodeCountsOnceAndGoesWithItsLastLink() {
        const std::vector<WalFile> files{kept(1, 1, 7, 2), own(1, 1, 7, 2), kept(1, 2, 8, 2),
                                         kept(2, 2, 8, 2)};
        std::vector<WalTimeline> timelines{{{1}, {}, {}, mega, false, of(1)},
                                           {{2}, {1}, at(3), mega, false, of(2)}};
        const auto plan = planWalRetention(timelines, {}, files, {3});
        QCOMPARE(plan->removable, (std::vector<std::size_t>{0, 2, 3}));
        QCOMPARE(plan->totalBytes, std::uint64_t{2} * mega);
        QCOMPARE(plan->freeBytes, std::uint64_t{mega}); // the server's own link keeps the other
        // nobody stands there any more, and none of it is needed
        timelines[0].stands = {};
        const auto later = planWalRetention(timelines, {}, files, {3});
        QCOMPARE(later->removable, (std::vector<std::size_t>{0, 1, 2, 3}));
        QCOMPARE(later->freeBytes, std::uint64_t{2} * mega);
    }

    void whatIsNoSegmentGoesWithItsForgottenTimeline() {
        std::vector<WalFile> files{own(1, 1, 1, 1), own(2, 1, 2, 1), own(2, 1, 3, 1)};
        files.back().name = "00000002.history";
        files.back().info.size = 50;
        std::vector<WalTimeline> timelines{{{1}, {}, {}, mega, false, of(1)}, {{2}, {1}, at(1), mega, false}};
        QCOMPARE(planWalRetention(timelines, {}, files, {3})->freeBytes, std::uint64_t{mega});
        timelines[1].isForgotten = true;
        const auto plan = planWalRetention(timelines, {}, files, {3});
        QCOMPARE(plan->removable, (std::vector<std::size_t>{1, 2}));
        QCOMPARE(plan->freeBytes, std::uint64_t{mega} + 50);
        // somebody reads there
        const auto read = planWalRetention(timelines, {{{2}, at(9), at(9), of(2)}}, files, {3});
        QCOMPARE(read->removable, (std::vector<std::size_t>{1}));
    }

    void inDoubtAFileStays() {
        std::vector<WalFile> files{kept(1, 1, 1), kept(2, 1, 2), kept(3, 1, 3), kept(9, 1, 4)};
        files.push_back(kept(1, 1, 5));
        files.back().name = "00000002.history";
        const std::vector<WalTimeline> timelines{{{1}, {}, {}, mega, false}, {{2}, {1}, at(1), mega, true}};
        const auto plan = planWalRetention(timelines, {}, files, {4});
        // timeline 1's is an ancestor's of one that is kept whole, 3 is gone, 9 is new
        QCOMPARE(plan->removable, (std::vector<std::size_t>{2}));
        QVERIFY(!planWalRetention(timelines, {{{3}, {}, {}, {}}}, files, {4}));
        QVERIFY(!planWalRetention({{{2}, {1}, {}, mega, false}}, {}, files, {4}));
    }
};

QTEST_GUILESS_MAIN(GcWalTest)
#include "gc_wal_test.moc"
