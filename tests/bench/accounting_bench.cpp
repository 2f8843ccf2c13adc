// What accounting costs a branch that is written to as fast as it goes: the same writes in turns with the
// accounts kept and without, on the real disk below $TMPDIR. An operation is reported before every look,
// which makes a sample due each time: the worst case.
//
//   accounting_bench [BRANCHES] [TURNS] [SECONDS A TURN]       200 branches, 8 turns of each, 3 s
#include "app/engine/space.h"
#include "storage/disk/posix_disk.h"
#include "tests/support/store_fixture.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <thread>
#include <unistd.h>

using namespace arbor;
using namespace arbor::test;

namespace {

using Clock = std::chrono::steady_clock;
const Caller caller{"bench", "bench"};

template <class T>
T must(Result<T> result) {
    if (!result) {
        std::fprintf(stderr, "%s\n", result.error().message().c_str());
        std::exit(1);
    }
    return std::move(*result);
}
void must(const Status& status) {
    if (!status) {
        std::fprintf(stderr, "%s\n", status.error().message().c_str());
        std::exit(1);
    }
}

double cpuSeconds() {
    timespec used{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

// Keeps the books every second while it lives, as the engine does.
class Books {
  public:
    explicit Books(Space& space)
        : m_thread([this, &space] {
              while (!m_stop) {
                  space.operationDone();
                  m_samples += must(space.keepBooks()) ? 1 : 0;
                  for (int i = 0; i < 50 && !m_stop; ++i)
                      std::this_thread::sleep_for(std::chrono::milliseconds(20));
              }
              m_cpu = cpuSeconds();
          }) {}
    void end(double& cpu, int& samples) {
        m_stop = true;
        m_thread.join();
        cpu += m_cpu;
        samples += m_samples;
    }

  private:
    std::atomic<bool> m_stop{false};
    double m_cpu = 0;
    int m_samples = 0;
    std::thread m_thread;
};

class Writer {
  public:
    Writer(TimelineView& view, InodeId file) : m_view(view), m_file(file) {}
    double pagesPerSecond(double seconds) {
        std::uint64_t pages = 0;
        const auto begin = Clock::now();
        double passed = 0;
        for (; passed < seconds; passed = std::chrono::duration<double>(Clock::now() - begin).count())
            for (int i = 0; i < 64; ++i, ++pages, ++m_next)
                must(m_view.write(m_file, m_next % filePages * blockSize, bytesOf(pageOf(m_next * 3)), 1));
        return static_cast<double>(pages) / passed;
    }

  private:
    static constexpr std::uint64_t filePages = 20'000;

    TimelineView& m_view;
    const InodeId m_file;
    std::uint64_t m_next = 0;
};

} // namespace

int main(int count, char** words) {
    const int branches = count > 1 ? std::atoi(words[1]) : 200;
    const int turns = count > 2 ? std::atoi(words[2]) : 8;
    const double seconds = count > 3 ? std::atof(words[3]) : 3;
    const char* base = std::getenv("TMPDIR");
    std::string place = std::string(base ? base : ".") + "/accounting-bench-XXXXXX";
    if (::mkdtemp(place.data()) == nullptr)
        return 1;
    {
        PosixDisk disk;
        FakeLogs logs;
        SystemClock clock;
        Engine::Options options = fakeOptions(logs, true);
        options.store = Store::Options();
        must(Engine::create(disk, place + "/store", options));
        const auto engine = must(Engine::open(disk, place + "/store", clock, options));
        const auto root = must(engine->beginRoot(0700, {1000, 1000}));
        const BranchRecord main =
            must(engine->finishRoot(caller, *root, {"main", {}, 15, 16u << 20, {}}, Lsn{1000}));
        const auto view = must(engine->head(main.timeline));
        const InodeId file = must(view->createFile(view->root(), "f", 0600, {1000, 1000})).inode;
        Writer writer(*view, file);
        for (int i = 0; i < branches; ++i) {
            writer.pagesPerSecond(0);
            must(view->sync());
            const TimelinePoint point = must(engine->headPoint(main));
            must(engine->createBranch(caller, {fmt::format("b{}", i), main.id, point, {}}));
        }
        Space space(*engine);
        writer.pagesPerSecond(seconds);
        std::vector<double> ratios;
        double cpu = 0;
        int samples = 0;
        for (int turn = 0; turn < turns; ++turn) {
            const auto with = [&] {
                Books books(space);
                const double rate = writer.pagesPerSecond(seconds);
                books.end(cpu, samples);
                return rate;
            };
            double kept = 0, bare = 0;
            if (turn % 2 == 0) {
                kept = with();
                bare = writer.pagesPerSecond(seconds);
            } else {
                bare = writer.pagesPerSecond(seconds);
                kept = with();
            }
            ratios.push_back(kept / bare);
            std::printf("turn %d: %.0f pages/s with the accounts, %.0f without, ratio %.3f\n", turn, kept,
                        bare, kept / bare);
        }
        std::sort(ratios.begin(), ratios.end());
        std::printf("%d branches: median ratio %.3f (%.3f to %.3f), %d samples, %.2f %% of one core\n",
                    branches, ratios[ratios.size() / 2], ratios.front(), ratios.back(), samples,
                    100 * cpu / (turns * seconds));
    }
    std::filesystem::remove_all(place);
    return 0;
}
