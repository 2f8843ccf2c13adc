// Power cuts at random operations of the disk, under a random workload, also while a store is being made or
// opened. Behind each the store must open, hold everything that was acknowledged, and of the operation under
// way all or nothing.
//
// A seed stands for one store and its chain of cuts; ARBOR_SEED=n repeats one. ARBOR_FULL=n makes n million
// cuts.
#include "storage/engine/scrub.h"
#include "tests/support/collecting.h"
#include "tests/support/random_workload.h"
#include "tests/support/test_seed.h"

#include <QTest>

using namespace arbor;
using namespace arbor::test;

namespace {

constexpr std::uint64_t cutsPerStore = 50;
constexpr std::uint64_t ordinaryCuts = 10'000 / slowness;

struct Tally {
    std::uint64_t cuts = 0;
    std::uint64_t whileCreating = 0;
    std::uint64_t whileOpening = 0;
    std::uint64_t operations = 0;
};

class Chain {
  public:
    Chain(std::uint64_t seed, Tally& tally)
        : m_disk(seed), m_tally(tally),
          m_work(m_disk, seed,
                 {.maxBlocks = 4, .maxFiles = 8, .maxBranches = 4, .maxTimelines = 16, .pointsKept = 3}) {}

    Status run() {
        ARBOR_TRY(create());
        for (m_cuts = 0; m_cuts < cutsPerStore;) {
            ARBOR_TRY(workUntilCut());
            ARBOR_TRY(recover());
        }
        m_tally.operations += m_work.operations();
        return {};
    }

  private:
    std::uint64_t below(std::uint64_t n) { return m_work.chance().below(n); }

    void crash() {
        m_disk.crash();
        m_work.abandon();
    }
    // False when the error is the cut's doing, and counted.
    bool wasCut(std::uint64_t& count) {
        if (!m_disk.isCut())
            return false;
        ++m_cuts;
        ++m_tally.cuts;
        ++count;
        return true;
    }

    Status create() {
        for (;;) {
            if (below(4) != 0)
                m_disk.setCutAfter(1 + below(70));
            auto made = m_work.create();
            if (made && !m_disk.isCut()) {
                m_disk.setCutAfter(0);
                return {};
            }
            if (!made && !wasCut(m_tally.whileCreating))
                return std::move(made).error().during("creating");
            crash();
        }
    }

    Status workUntilCut() {
        // most cuts in the thick of it, some after a long time
        m_disk.setCutAfter(1 + below(below(4) == 0 ? 300 : 40));
        std::uint64_t ignored = 0;
        for (std::uint64_t step = below(120); step < 200; ++step) {
            const auto done = m_work.step();
            if (m_disk.isCut()) {
                wasCut(ignored);
                break;
            }
            ARBOR_TRY(done);
        }
        crash();
        return {};
    }

    Status recover() {
        for (;;) {
            if (below(3) == 0)
                m_disk.setCutAfter(1 + below(12));
            auto opened = m_work.recover();
            if (opened) {
                m_disk.setCutAfter(0);
                if (!m_disk.isCut())
                    return below(8) == 0 ? checkClean() : Status();
            }
            if (!wasCut(m_tally.whileOpening))
                return std::move(opened).error().during("recovering");
            crash();
        }
    }

    // No image, entry or dead tail of a segment may be left that does not fit.
    Status checkClean() {
        const ScrubReport report = scrub(m_work.engine(), fakeScrubOptions());
        if (report.isClean())
            return {};
        const ScrubFinding& first = report.findings.front();
        return makeError(ErrorKind::Corruption, "the scrub finds {} in {}: {}", severityName(first.severity),
                         first.what, first.message);
    }

    SimulatedDisk m_disk;
    Tally& m_tally;
    RandomWorkload m_work;
    std::uint64_t m_cuts = 0;
};

} // namespace

class PowerCutTest : public QObject {
    Q_OBJECT
  private slots:
    void everythingAcknowledgedSurvivesAndNothingIsTorn() {
        Tally tally;
        const auto run = [&](std::uint64_t seed) {
            if (const auto done = Chain(seed, tally).run(); !done)
                QFAIL(fmt::format("ARBOR_SEED={}: {}", seed, done.error().message()).c_str());
        };
        if (const auto given = givenSeed()) {
            run(*given);
            return;
        }
        const std::uint64_t wanted = fullRun() > 0 ? fullRun() * 1'000'000 : ordinaryCuts;
        const std::uint64_t first = randomSeed() >> 16;
        qInfo("seeds from %llu on", static_cast<unsigned long long>(first));
        for (std::uint64_t seed = first; tally.cuts < wanted; ++seed) {
            run(seed);
            if (QTest::currentTestFailed())
                return;
        }
        qInfo("%llu cuts (%llu while creating, %llu while opening) in %llu operations",
              static_cast<unsigned long long>(tally.cuts),
              static_cast<unsigned long long>(tally.whileCreating),
              static_cast<unsigned long long>(tally.whileOpening),
              static_cast<unsigned long long>(tally.operations));
    }
};

QTEST_GUILESS_MAIN(PowerCutTest)
#include "power_cut_test.moc"
