// Pages between their being accepted and their being packed: readable at every moment, never without the
// space that was promised, and in nobody's way.
#include "storage/pages/page_packer.h"
#include "storage/pages/segment_store.h"
#include "tests/unit/disk_support.h"

#include <atomic>
#include <map>
#include <thread>

using namespace arbor;
using namespace arbor::test;

namespace {

constexpr std::uint64_t segmentBytes = 256u << 10;
constexpr std::size_t most = segmentBytes / 2 / maxImageBytes;

using Page = std::array<std::byte, blockSize>;

// Does not compress.
Page noise(std::uint64_t number) {
    std::mt19937_64 random(number);
    Page page;
    for (std::size_t at = 0; at < blockSize; at += 8) {
        const std::uint64_t word = random();
        std::memcpy(page.data() + at, &word, 8);
    }
    return page;
}
Page rows(std::uint64_t number) {
    Page page;
    for (std::size_t at = 0; at < blockSize; at += 8)
        std::memcpy(page.data() + at, &number, 8);
    return page;
}
// Zero is no number.
Page pageOf(std::uint64_t number) {
    return number % 3 == 0 ? noise(number) : rows(number);
}

class PagePackerTest : public QObject {
    Q_OBJECT

  private slots:
    void init() {
        const std::uint64_t seed = givenSeed().value_or(randomSeed());
        fmt::print("seed {}\n", seed);
        m_random.seed(seed);
        m_disk = std::make_unique<SimulatedDisk>(seed);
        VERIFY_OK(m_disk->makeDirectory("/pages"));
        Marker marker{0, {0}, {1}, {1}, {}};
        SegmentStore::Options options;
        options.segmentBytes = segmentBytes;
        options.bufferBytes = 16u << 10;
        options.marginBytes = 0;
        auto opened = SegmentStore::open(*m_disk, "/pages", marker, options);
        VERIFY_OK(opened);
        m_segments = std::move(*opened);
        m_packer = std::make_unique<PagePacker>(*m_segments, std::size_t{1000});
        // room is promised in a segment that there is
        VERIFY_OK(append(1));
    }
    void cleanup() {
        m_packer.reset();
        m_segments.reset();
    }

    void aPageIsReadBeforeItIsPackedAndAfter() {
        std::map<std::uint64_t, ImageLocation> tickets;
        for (std::uint64_t number = 2; number < 2 + most; ++number) {
            const auto ticket = hold(number);
            QVERIFY(ticket && ticket->isTicket());
            QCOMPARE(m_packer->current(*ticket), *ticket);
            tickets[number] = *ticket;
        }
        for (const auto& [number, ticket] : tickets)
            VERIFY_OK(expect(number, ticket));
        VERIFY_OK(m_packer->packAll());
        for (const auto& [number, ticket] : tickets) {
            const ImageLocation place = m_packer->current(ticket);
            QVERIFY(!place.isTicket());
            VERIFY_OK(expect(number, ticket));
            VERIFY_OK(expect(number, place));
        }
        VERIFY_OK(m_segments->sync());
        for (const auto& [number, ticket] : tickets)
            VERIFY_OK(expect(number, m_packer->current(ticket)));
    }

    void aForgottenTicketSaysThatThePageMustBeLookedUp() {
        const auto old = hold(2);
        const std::uint64_t next = m_packer->nextTicket();
        const auto late = hold(3);
        QVERIFY(old && late);
        m_packer->forgetBefore(next); // not packed: it stays
        VERIFY_OK(expect(2, *old));
        VERIFY_OK(m_packer->packAll());
        m_packer->forgetBefore(next);
        VERIFY_FAILS(expect(2, *old), ErrorKind::NotFound);
        QCOMPARE(m_packer->current(*old), *old);
        VERIFY_OK(expect(3, *late));
    }

    // A slot is used again while the tickets of those who had it before are still known.
    void roomComesBackAndEveryTicketKeepsItsPage() {
        std::map<std::uint64_t, ImageLocation> tickets;
        std::uint64_t number = 2;
        for (int round = 0; round < 5; ++round) {
            while (const auto ticket = hold(number))
                tickets[number++] = *ticket;
            VERIFY_OK(m_packer->packAll());
        }
        QVERIFY(tickets.size() > most);
        for (const auto& [held, ticket] : tickets)
            VERIFY_OK(expect(held, ticket));
    }

    void whoMakesRoomPacksTheOldest() {
        std::vector<ImageLocation> tickets;
        for (std::uint64_t number = 2; number < 2 + most; ++number)
            tickets.push_back(*hold(number));
        QVERIFY(!hold(100));
        m_packer->makeRoom();
        QVERIFY(!m_packer->current(tickets[0]).isTicket());
        QVERIFY(m_packer->current(tickets[1]).isTicket());
        QVERIFY(hold(100));
    }

    // The disk has no space for another segment at any time: what was held is packed all the same, whatever
    // was appended or sealed in between; and whoever got no room got none of what was promised.
    void whatWasHeldHasItsSpace() {
        for (int round = 0; round < 200; ++round) {
            m_disk->setCapacity(UINT64_MAX);
            std::map<std::uint64_t, ImageLocation> known;
            while (m_random() % 20 != 0) {
                const std::uint64_t number = m_number++;
                const auto taken = m_random() % 3 == 0 ? append(number) : holdOrAppend(number);
                VERIFY_OK(taken);
                known[number] = *taken;
            }
            m_disk->setCapacity(0); // nothing that was not reserved already
            while (m_random() % 40 != 0) {
                const std::uint64_t number = m_number++;
                const std::uint64_t what = m_random() % 8;
                if (what == 0) {
                    VERIFY_OK(m_segments->seal(SegmentStore::Stream::Write));
                } else if (what == 1) {
                    VERIFY_OK(m_packer->packAll());
                } else if (const auto taken = what < 4 ? append(number) : holdOrAppend(number)) {
                    known[number] = *taken;
                } else {
                    VERIFY_FAILS(taken, ErrorKind::NoSpace);
                }
            }
            VERIFY_OK(m_packer->packAll());
            VERIFY_OK(m_segments->sync());
            for (const auto& [number, location] : known) {
                QVERIFY(!m_packer->current(location).isTicket());
                VERIFY_OK(expect(number, location));
            }
            m_packer->forgetBefore(m_packer->nextTicket());
        }
    }

    void aSegmentIsSealedThoughRoomIsPromisedInIt() {
        const SegmentId first = append(2)->segment();
        const auto ticket = hold(3);
        QVERIFY(ticket);
        VERIFY_OK(m_segments->seal(SegmentStore::Stream::Write));
        VERIFY_OK(m_segments->sync());
        QVERIFY(m_segments->isSealed(first));
        VERIFY_OK(m_packer->packAll());
        QVERIFY(m_packer->current(*ticket).segment() != first);
        VERIFY_OK(expect(3, *ticket));
    }

    void whatCannotBeWrittenIsSaidAndStaysReadable() {
        const auto ticket = hold(3);
        QVERIFY(ticket);
        for (std::uint64_t number = 6; number < 6 + 3 * 2; number += 3) // fills what is written at once
            QVERIFY(hold(number));
        m_disk->setCutAfter(1);
        VERIFY_FAILS(m_packer->packAll(), ErrorKind::Io);
        VERIFY_FAILS(m_packer->packAll(), ErrorKind::Io);
        QVERIFY(!hold(12));
        std::size_t readable = 0;
        for (const std::uint64_t number : {3, 6, 9})
            readable += expect(number, ImageLocation::ofTicket(number / 3 - 1)) ? 1 : 0;
        QVERIFY(readable > 0);
    }

    // Writers, readers of the newest, and syncs, with the thread that packs.
    void manyAtOnce() {
        m_packer->packInBackground();
        std::atomic<bool> failed{false};
        std::atomic<std::uint64_t> heldPages{0};
        std::vector<std::thread> threads;
        for (std::uint64_t writer = 0; writer < 3; ++writer)
            threads.emplace_back([&, writer] {
                std::map<std::uint64_t, ImageLocation> own;
                for (std::uint64_t i = 0; i < 2000 && !failed; ++i) {
                    const std::uint64_t number = (writer + 1) * 1'000'000 + i;
                    const auto taken = holdOrAppend(number);
                    if (!taken) {
                        failed = true;
                        break;
                    }
                    heldPages += taken->isTicket() ? 1 : 0;
                    own[number] = *taken;
                    if (!expect(number, *taken) || !expect(own.begin()->first, own.begin()->second))
                        failed = true;
                    if (own.size() > 50)
                        own.erase(own.begin());
                    if (i % 200 == 0 && !m_packer->packAll())
                        failed = true;
                }
            });
        for (std::thread& thread : threads)
            thread.join();
        QVERIFY(!failed);
        QVERIFY(heldPages > 0);
        VERIFY_OK(m_packer->packAll());
        VERIFY_OK(m_segments->sync());
    }

    // Whoever wants everything packed that there is does not wait for what comes meanwhile.
    void writersThatDoNotStopHoldNobodyUp() {
        m_packer->packInBackground();
        std::atomic<bool> stop{false};
        std::atomic<std::uint64_t> number{2};
        Page slow; // to pack
        for (std::byte& byte : slow)
            byte = static_cast<std::byte>("0123456789abcdef"[m_random() % 16]);
        const auto write = [&] { // leaves the packing to others
            while (!stop) {
                const std::uint64_t own = ++number;
                if (m_packer->hold(headerOf(own), slow))
                    continue;
                if (own % 64 == 0 && !append(own)) // where the segment has no room to promise
                    return;
                std::this_thread::yield();
            }
        };
        std::array<std::thread, 2> writers{std::thread(write), std::thread(write)};
        Status done;
        for (std::uint64_t written = 0; written < 500 * most && done; written = m_packer->nextTicket()) {
            done = m_packer->packAll();
            m_packer->forgetBefore(m_packer->nextTicket());
        }
        stop = true;
        for (std::thread& writer : writers)
            writer.join();
        VERIFY_OK(done);
    }

    void roomForOnePageIsRoom() {
        m_packer = std::make_unique<PagePacker>(*m_segments, std::size_t{1});
        m_packer->packInBackground();
        for (std::uint64_t number = 2; number < 100; ++number) {
            m_packer->makeRoom();
            const auto taken = holdOrAppend(number);
            VERIFY_OK(taken);
            VERIFY_OK(expect(number, *taken));
        }
        VERIFY_OK(m_packer->packAll());
    }

  private:
    static ImageHeader headerOf(std::uint64_t number) {
        return {{1}, {2}, static_cast<BlockNumber>(number), {number}};
    }
    std::optional<ImageLocation> hold(std::uint64_t number) {
        return m_packer->hold(headerOf(number), pageOf(number));
    }
    Result<ImageLocation> append(std::uint64_t number) {
        const Page page = pageOf(number);
        return m_segments->append(SegmentStore::Stream::Write, headerOf(number), PreparedPage(page));
    }
    Result<ImageLocation> holdOrAppend(std::uint64_t number) {
        if (const auto ticket = hold(number))
            return *ticket;
        return append(number);
    }
    Status expect(std::uint64_t number, ImageLocation location) {
        Page page;
        ARBOR_TRY(m_packer->read(location, {2}, static_cast<BlockNumber>(number), {number}, page));
        return page == pageOf(number) ? Status()
                                      : makeError(ErrorKind::Corruption, "page {} is another", number);
    }

    std::mt19937_64 m_random;
    std::uint64_t m_number = 1000;
    std::unique_ptr<SimulatedDisk> m_disk;
    std::unique_ptr<SegmentStore> m_segments;
    std::unique_ptr<PagePacker> m_packer;
};

} // namespace

QTEST_GUILESS_MAIN(PagePackerTest)
#include "page_packer_test.moc"
