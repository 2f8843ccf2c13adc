// The store beside plain files, on the real disk below $TMPDIR (or the working directory): each figure is a
// ratio measured in one run, so that a busy machine slows both sides.
//
//   storage_bench                           about two minutes, 1 GB of space
//   ARBOR_FULL=1 storage_bench              10,000 branches and 10 GB of pages
#include "storage/disk/posix_disk.h"
#include "storage/disk/simulated_tree.h"
#include "storage/engine/collector.h"
#include "tests/support/store_fixture.h"
#include "tests/support/test_seed.h"

#include <benchmark/benchmark.h>

#include <array>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <malloc.h>
#include <unistd.h>

using namespace arbor;
using namespace arbor::test;

namespace {

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

template <class Action>
double secondsOf(Action action) {
    const auto begin = std::chrono::steady_clock::now();
    action();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

// Noise; rows like those of pgbench_accounts (a header, three numbers, 84 blanks), which lz4 makes a seventh
// of; rows of random hexadecimal digits, which it can only just compress; or of words, of which it makes
// half.
enum Content { Noise, Rows, Digits, Words };
std::string text(SimulatedChance& chance, std::size_t length, Content content) {
    constexpr std::array<std::string_view, 20> words{
        "the", "of",       "storage", "branch", "page", "segment", "a",    "to",   "database",   "in",
        "and", "postgres", "write",   "log",    "is",   "that",    "time", "when", "checkpoint", "index"};
    std::string text;
    while (text.size() < length) {
        const std::uint64_t number = chance.next() >> 32;
        if (content == Rows)
            text += ' ';
        else if (content == Digits)
            text += "0123456789abcdef"[number % 16];
        else
            text += fmt::format("{} ", words[number % words.size()]);
    }
    text.resize(length);
    return text;
}

std::string page(std::uint64_t seed, Content content) {
    if (content == Noise)
        return pageOf(seed * 3);
    std::string page(blockSize, '\0');
    const auto put32 = [&](std::size_t at, std::uint64_t value) {
        const auto word = static_cast<std::uint32_t>(value);
        std::memcpy(page.data() + at, &word, sizeof word);
    };
    constexpr std::size_t rowBytes = 128;
    constexpr std::size_t rows = 61;
    SimulatedChance balance(seed);
    for (std::size_t row = 0; row < rows; ++row) {
        const std::size_t at = blockSize - (row + 1) * rowBytes;
        put32(24 + 4 * row, at | 121u << 17);
        put32(at, 700 + seed);
        put32(at + 16, row + 1);
        put32(at + 20, 0x00180902);
        put32(at + 24, seed * rows + row);
        put32(at + 28, 1);
        put32(at + 32, balance.next() >> 40);
        page.replace(at + 36, 84, text(balance, 84, content));
    }
    return page;
}

class Bench {
  public:
    Bench() {
        const char* base = std::getenv("TMPDIR");
        std::string name = std::string(base ? base : ".") + "/storage-bench-XXXXXX";
        if (::mkdtemp(name.data()) == nullptr)
            std::exit(1);
        m_directory = std::filesystem::absolute(name);
        options = fakeOptions(logs, true);
        const Store::Options standard;
        options.store = standard;
        must(Engine::create(disk, store(), options));
        open();
        auto root = must(engine->beginRoot(0700, {}));
        main = must(engine->finishRoot(caller, *root, {"main", {}, 15, 16u << 20, {}}, {}));
    }
    ~Bench() {
        engine.reset();
        std::filesystem::remove_all(m_directory);
    }
    void open() { engine = must(Engine::open(disk, store(), clock, options)); }
    std::string store() const { return m_directory + "/store"; }
    std::string plain(int number) const { return fmt::format("{}/plain{}", m_directory, number); }

    InodeId file(BranchView& view, std::string_view name) {
        return must(view.createFile(view.root(), name, 0600, {})).inode;
    }
    BranchRecord fork(const std::string& name, const BranchRecord& from) {
        const TimelinePoint point = must(engine->headPoint(from));
        return must(engine->createBranch(caller, {name, from.id, point, {}}));
    }

    PosixDisk disk;
    FakeLogs logs;
    SystemClock clock;
    Engine::Options options;
    std::unique_ptr<Engine> engine;
    BranchRecord main;

  private:
    std::string m_directory;
};

int openPlain(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT, 0600);
    if (file < 0)
        std::exit(1);
    return file;
}

void pwriteAll(int file, const std::string& bytes, std::uint64_t offset) {
    if (::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset)) !=
        static_cast<ssize_t>(bytes.size()))
        std::exit(1);
}

// Pages appended to `files` files in turn, with a sync every 16 MB. Target: ratio >= 0.8.
void append(benchmark::State& state) {
    const auto content = static_cast<Content>(state.range(0));
    const auto files = static_cast<std::uint64_t>(state.range(1));
    constexpr std::uint64_t pagesBetweenSyncs = 2048;
    Bench bench;
    const auto view = must(bench.engine->head(bench.main.timeline));
    std::vector<InodeId> inodes;
    std::vector<int> plain;
    for (std::uint64_t i = 0; i < files; ++i) {
        inodes.push_back(bench.file(*view, fmt::format("f{}", i)));
        plain.push_back(openPlain(bench.plain(static_cast<int>(i))));
    }
    std::vector<std::string> pages;
    for (std::uint64_t i = 0; i < 512; ++i)
        pages.push_back(page(i, content));
    double ours = 0;
    double theirs = 0;
    std::uint64_t written = 0;
    for (auto _ : state) {
        theirs += secondsOf([&] {
            for (std::uint64_t i = 0; i < pagesBetweenSyncs; ++i)
                pwriteAll(plain[i % files], pages[i % 512], (written + i) / files * blockSize);
            for (const int file : plain)
                ::fdatasync(file);
        });
        const double seconds = secondsOf([&] {
            for (std::uint64_t i = 0; i < pagesBetweenSyncs; ++i)
                must(view->write(inodes[i % files], (written + i) / files * blockSize,
                                 bytesOf(pages[i % 512]), 1));
            must(view->sync());
        });
        ours += seconds;
        state.SetIterationTime(seconds);
        written += pagesBetweenSyncs;
    }
    for (const int file : plain)
        ::close(file);
    state.counters["ratio"] = theirs / ours;
    state.SetBytesProcessed(static_cast<std::int64_t>(written * blockSize));
}
BENCHMARK(append)
    ->ArgNames({"content", "files"})
    ->ArgsProduct({{Noise, Rows, Digits, Words}, {1, 16}})
    ->UseManualTime()
    ->Iterations(16);

constexpr std::uint64_t readPages = 16'384; // 128 MB: what the kernel caches

void fill(BranchView& view, InodeId inode, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i)
        must(view.write(inode, i * blockSize, bytesOf(page(i % 4096, Rows)), 1));
    must(view.sync());
}

double secondsOfReads(BranchView& view, InodeId inode, std::uint64_t reads) {
    SimulatedChance chance(1);
    std::string into(blockSize, '\0');
    return secondsOf([&] {
        for (std::uint64_t i = 0; i < reads; ++i)
            must(view.read(inode, chance.next() % readPages * blockSize,
                           std::as_writable_bytes(std::span(into))));
    });
}

// Random reads of cached pages. Target: at most 3 times a pread.
void read(benchmark::State& state) {
    Bench bench;
    const auto view = must(bench.engine->head(bench.main.timeline));
    const InodeId inode = bench.file(*view, "f");
    fill(*view, inode, readPages);
    const int plain = openPlain(bench.plain(0));
    for (std::uint64_t i = 0; i < readPages; ++i)
        pwriteAll(plain, page(i % 4096, Rows), i * blockSize);
    constexpr std::uint64_t reads = 20'000;
    double ours = 0;
    double theirs = 0;
    secondsOfReads(*view, inode, reads); // warm
    for (auto _ : state) {
        SimulatedChance chance(1);
        std::string into(blockSize, '\0');
        theirs += secondsOf([&] {
            for (std::uint64_t i = 0; i < reads; ++i)
                if (::pread(plain, into.data(), blockSize,
                            static_cast<off_t>(chance.next() % readPages * blockSize)) < 0)
                    std::exit(1);
        });
        const double seconds = secondsOfReads(*view, inode, reads);
        ours += seconds;
        state.SetIterationTime(seconds);
    }
    ::close(plain);
    state.counters["times pread"] = ours / theirs;
    state.counters["us"] = ours / static_cast<double>(state.iterations() * reads) * 1e6;
}
BENCHMARK(read)->UseManualTime()->Iterations(10);

// The same at the end of a chain of 256 forks that each wrote something. Target: at most 1.2 times depth 1.
void readAtDepth(benchmark::State& state) {
    Bench bench;
    const auto view = must(bench.engine->head(bench.main.timeline));
    const InodeId inode = bench.file(*view, "f");
    fill(*view, inode, readPages);
    BranchRecord at = bench.main;
    std::shared_ptr<TimelineView> deep;
    for (int depth = 1; depth <= 256; ++depth) {
        at = bench.fork(fmt::format("b{}", depth), at);
        deep = must(bench.engine->head(at.timeline));
        must(deep->lookup(deep->root(), "f"));
        for (std::uint64_t i = 0; i < 4; ++i)
            must(deep->write(inode,
                             (static_cast<std::uint64_t>(depth) * 61 + i * 997) % readPages * blockSize,
                             bytesOf(page(i, Rows)), 1));
    }
    constexpr std::uint64_t reads = 20'000;
    must(bench.engine->sync());
    must(view->lookup(view->root(), "f"));
    secondsOfReads(*view, inode, reads);
    const double cold = secondsOfReads(*deep, inode, reads);
    double shallow = 0;
    double ours = 0;
    for (auto _ : state) {
        shallow += secondsOfReads(*view, inode, reads);
        const double seconds = secondsOfReads(*deep, inode, reads);
        ours += seconds;
        state.SetIterationTime(seconds);
    }
    state.counters["times depth 1"] = ours / shallow;
    state.counters["first, times"] = cold / (ours / static_cast<double>(state.iterations()));
}
BENCHMARK(readAtDepth)->UseManualTime()->Iterations(10);

// A fork beside one synced batch of bookkeeping. Target: at most 1 ms more, whatever the numbers.
void fork(benchmark::State& state) {
    Bench bench;
    const auto view = must(bench.engine->head(bench.main.timeline));
    const InodeId inode = bench.file(*view, "f");
    fill(*view, inode, static_cast<std::uint64_t>(state.range(1)) << 7);
    for (std::int64_t i = 1; i < state.range(0); ++i)
        bench.fork(fmt::format("crowd{}", i), bench.main);
    double batches = 0;
    double forks = 0;
    std::int64_t number = 0;
    for (auto _ : state) {
        batches += secondsOf([&] {
            must(bench.engine->keepBook([&](Catalog& catalog, Timestamp) {
                return catalog.setShouldRun(bench.main.id, number % 2 == 0);
            }));
        });
        must(view->write(inode, 0, bytesOf(page(static_cast<std::uint64_t>(number), Rows)), 1));
        must(view->sync());
        const double seconds = secondsOf([&] { bench.fork(fmt::format("b{}", ++number), bench.main); });
        forks += seconds;
        state.SetIterationTime(seconds);
    }
    const auto each = static_cast<double>(state.iterations());
    state.counters["ms beyond a batch"] = (forks - batches) / each * 1e3;
    state.counters["ms of a batch"] = batches / each * 1e3;
}
void forkSizes(benchmark::internal::Benchmark* bench) {
    bench->ArgNames({"branches", "MB"});
    bench->Args({1, 1})->Args({1, 100})->Args({1000, 1});
    if (fullRun() > 0)
        bench->Args({10'000, 1})->Args({1, 10'240});
}
BENCHMARK(fork)->Apply(forkSizes)->UseManualTime()->Iterations(50);

// Bytes of index for a page version. Targets: 32 after random writes, 2 after a bulk load.
void indexBytes(benchmark::State& state) {
    const bool bulk = state.range(0) != 0;
    constexpr std::uint64_t versions = 200'000;
    Bench bench;
    const auto view = must(bench.engine->head(bench.main.timeline));
    const InodeId inode = bench.file(*view, "f");
    for (auto _ : state) {
        SimulatedChance chance(1);
        for (std::uint64_t i = 0; i < versions; ++i) {
            const std::uint64_t block = bulk ? i : chance.next() % 100'000;
            must(view->write(inode, block * blockSize, bytesOf(page(i % 64, Rows)), 1));
            if (i % 8192 == 8191)
                must(view->sync());
        }
        must(view->sync());
        must(const_cast<Index&>(bench.engine->store().index()).compact());
    }
    state.counters["bytes a version"] =
        static_cast<double>(must(bench.engine->store().index().bytesOnDisk())) / versions;
}
BENCHMARK(indexBytes)->ArgName("bulk")->Arg(0)->Arg(1)->Iterations(1)->Unit(benchmark::kMillisecond);

// A collection in which `livePercent` of each old segment is still needed. Targets: 1 GB/s of dead data freed
// when most of a segment is dead, 200 MB/s of live data moved.
void sweep(benchmark::State& state) {
    constexpr std::uint64_t count = 1u << 17; // 1 GB
    const auto live = static_cast<std::uint64_t>(state.range(0));
    const auto content = static_cast<Content>(state.range(1));
    Bench bench;
    must(bench.engine->keepBook([](Catalog& c, Timestamp) { return c.setSetting("history-time", "0"); }));
    const auto view = must(bench.engine->head(bench.main.timeline));
    const InodeId inode = bench.file(*view, "f");
    std::vector<std::string> pages;
    for (std::uint64_t i = 0; i < 512; ++i)
        pages.push_back(page(i, content));
    Collector::Options options;
    options.collectLog = false;
    double seconds = 0;
    double freed = 0;
    double moved = 0;
    for (auto _ : state) {
        for (int round = 0; round < 2; ++round)
            for (std::uint64_t i = 0; i < count; ++i)
                if (round == 0 || i % 100 >= live) {
                    bench.logs.append(bench.main.timeline, 100); // history is told apart by it
                    must(view->write(inode, i * blockSize, bytesOf(pages[i % 512]), 1));
                }
        must(view->sync());
        Collector collector(*bench.engine, options);
        Collector::Outcome outcome;
        const double took = secondsOf([&] { outcome = must(collector.run()); });
        state.SetIterationTime(took);
        seconds += took;
        freed += static_cast<double>(outcome.freedBytes) / 1e6;
        moved += static_cast<double>(outcome.movedBytes) / 1e6;
    }
    state.counters["MB freed"] = freed;
    state.counters["MB moved"] = moved;
    state.counters["freed MB/s"] = freed / seconds;
    state.counters["moved MB/s"] = moved / seconds;
}
BENCHMARK(sweep)
    ->ArgNames({"live", "content"})
    ->ArgsProduct({{0, 5, 60}, {Noise, Rows}})
    ->UseManualTime()
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

double residentMegabytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t total = 0;
    std::uint64_t resident = 0;
    statm >> total >> resident;
    return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// What the engine's timer does when the page maps have passed their budget.
void trimAsTheEngineDoes(Engine& engine) {
    const auto used =
        static_cast<std::size_t>(engine.store().pageMapStats().chunks) * PageMapStats::chunkBytes;
    if (used <= engine.store().pageMapBudget())
        return;
    for (int pass = 0; pass < 2; ++pass) // the first only forgets that they were used
        for (const auto& view : engine.openHeads())
            view->trim();
}

// Memory of an open store, before anything is read and with 100 heads that have each read a page of every
// chunk. Target: 200 MB with 10 GB and 100 branches.
void memory(benchmark::State& state) {
    const std::uint64_t pages = fullRun() > 0 ? 10u << 17 : 1u << 17; // 10 GB, 1 GB
    constexpr int branches = 100;
    Bench bench;
    InodeId inode;
    {
        const auto view = must(bench.engine->head(bench.main.timeline));
        inode = bench.file(*view, "f");
        fill(*view, inode, pages);
    }
    for (int i = 0; i < branches; ++i)
        bench.fork(fmt::format("b{}", i), bench.main);
    bench.engine.reset();
    ::malloc_trim(0);
    const double before = residentMegabytes();
    for (auto _ : state) {
        bench.open();
        state.counters["MB open"] = residentMegabytes() - before;
        std::string into(blockSize, '\0');
        for (int i = 0; i < branches; ++i) {
            const auto record = must(
                bench.engine->catalog([&](const Catalog& c) { return c.branch(fmt::format("b{}", i)); }));
            const auto view = must(bench.engine->head(record.timeline));
            must(view->lookup(view->root(), "f"));
            for (std::uint64_t block = 0; block < pages; block += 1024)
                must(view->read(inode, block * blockSize, std::as_writable_bytes(std::span(into))));
            trimAsTheEngineDoes(*bench.engine);
        }
        state.counters["MB all read"] = residentMegabytes() - before;
    }
    state.counters["MB of page maps"] = static_cast<double>(bench.engine->store().pageMapStats().chunks) *
                                        PageMapStats::chunkBytes / (1 << 20);
}
BENCHMARK(memory)->Iterations(1)->Unit(benchmark::kMillisecond);

} // namespace

BENCHMARK_MAIN();
