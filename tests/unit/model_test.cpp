// The engine beside a plain model, driven by the same random operations: every branch reads byte for byte as
// the model says, at its head and in the past, however it came about.
//
// A seed stands for one store; ARBOR_SEED=n repeats one. ARBOR_FULL=n runs n times as long.
#include "tests/support/random_workload.h"
#include "tests/support/test_seed.h"

#include <QTest>

using namespace arbor;
using namespace arbor::test;

namespace {

constexpr std::uint64_t operationsPerStore = 5'000;
constexpr std::uint64_t ordinaryStores = 21 / slowness + 1;

Status runStore(std::uint64_t seed, std::uint64_t& operations) {
    SimulatedDisk disk(seed);
    RandomWorkload work(disk, seed, {});
    ARBOR_TRY(work.create());
    std::uint64_t untilCompared = 0;
    while (work.operations() < operationsPerStore) {
        ARBOR_TRY(work.step());
        if (untilCompared-- > 0)
            continue;
        if (auto same = work.compare(4); !same)
            return std::move(same).error().during(
                fmt::format("after operation {}, {}", work.operations(), work.lastOperation()));
        untilCompared = 100 + work.chance().below(400);
    }
    ARBOR_TRY(work.reopen());
    ARBOR_TRY(work.compare(1000));
    operations += work.operations();
    return {};
}

} // namespace

class ModelTest : public QObject {
    Q_OBJECT
  private slots:
    void everyBranchReadsAsTheModelSays() {
        std::uint64_t operations = 0;
        const auto run = [&](std::uint64_t seed) {
            if (const auto done = runStore(seed, operations); !done)
                QFAIL(fmt::format("ARBOR_SEED={}: {}", seed, done.error().message()).c_str());
        };
        if (const auto given = givenSeed()) {
            run(*given);
            return;
        }
        const std::uint64_t stores = ordinaryStores * std::max<std::uint64_t>(1, fullRun());
        const std::uint64_t first = randomSeed() >> 16;
        qInfo("seeds from %llu on", static_cast<unsigned long long>(first));
        for (std::uint64_t seed = first; seed < first + stores; ++seed) {
            run(seed);
            if (QTest::currentTestFailed())
                return;
        }
        qInfo("%llu operations", static_cast<unsigned long long>(operations));
    }
};

QTEST_GUILESS_MAIN(ModelTest)
#include "model_test.moc"
