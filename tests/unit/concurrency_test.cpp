// Writers, readers, forks, syncs, looks, upkeep and collections at once. A fork must be a prefix of its
// parent's writes, across files, and stay what it was.
//
// Meant to run under the thread sanitizer as well, hence a main of its own: Qt is not instrumented, and the
// watchdog thread of Qt's test library would be reported. (To suppress reports that pass through that library
// would hide ours, too: its frames are at the bottom of every stack of the main thread.)
#include "storage/disk/simulated_disk.h"
#include "tests/support/collecting.h"
#include "tests/support/reference_model.h"
#include "tests/support/store_fixture.h"
#include "tests/support/test_seed.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <thread>

using namespace arbor;
using namespace arbor::test;

namespace {

const Caller caller{"test", "test"};
constexpr std::uint64_t blocks = 16;
constexpr std::size_t writers = 2;

// Every word of the page is the number of its write.
std::string numberedPage(std::uint64_t number) {
    std::string page(blockSize, '\0');
    for (std::size_t i = 0; i < page.size(); i += 8)
        std::memcpy(page.data() + i, &number, 8);
    return page;
}

// The number of a page; nothing when two writes are mixed in it.
std::optional<std::uint64_t> numberOf(std::string_view page) {
    std::uint64_t number = 0;
    std::memcpy(&number, page.data(), 8);
    return page == numberedPage(number) ? std::optional(number) : std::nullopt;
}

// A writer writes number n to block n % blocks of its file "a", then of its file "b", and goes on to n + 1.
struct Seen {
    std::uint64_t a = 0;
    std::uint64_t b = 0;
    bool operator==(const Seen&) const = default;
};

// The last write that a file holds, if it holds all writes up to it and no other.
Result<std::uint64_t> prefixOf(BranchView& view, const std::string& name) {
    ARBOR_ASSIGN(const Attributes file, view.lookup(view.root(), name));
    ARBOR_ASSIGN(const std::string content, readAll(view, file.inode));
    std::array<std::uint64_t, blocks> numbers{};
    std::uint64_t last = 0;
    for (std::size_t at = 0; at < content.size(); at += blockSize) {
        const auto number = numberOf(std::string_view(content).substr(at, blockSize));
        if (!number)
            return makeError(ErrorKind::Corruption, "{}: a page mixes two writes", name);
        numbers[at / blockSize] = *number;
        last = std::max(last, *number);
    }
    for (std::uint64_t block = 0; block < blocks; ++block) {
        const std::uint64_t behind = (last + blocks - block) % blocks;
        const std::uint64_t expected = last >= behind ? last - behind : 0;
        if (numbers[block] != expected)
            return makeError(ErrorKind::Corruption,
                             "{}: block {} holds write {} and not {}, though {} is there", name, block,
                             numbers[block], expected, last);
    }
    return last;
}

Result<Seen> prefixesOf(BranchView& view, std::size_t writer) {
    Seen seen;
    ARBOR_ASSIGN(seen.a, prefixOf(view, fmt::format("a{}", writer)));
    ARBOR_ASSIGN(seen.b, prefixOf(view, fmt::format("b{}", writer)));
    if (seen.b > seen.a || seen.a > seen.b + 1)
        return makeError(ErrorKind::Corruption, "writer {}: a is at {} and b at {}: no state that ever was",
                         writer, seen.a, seen.b);
    return seen;
}

class Race {
  public:
    Race(Engine& engine, FakeLogs& logs, BranchRecord main, const Collector::Options& options)
        : m_engine(engine), m_logs(logs), m_main(std::move(main)), m_collector(engine, options) {}

    void run(std::uint64_t forks) {
        std::vector<std::thread> threads;
        for (std::size_t writer = 0; writer < writers; ++writer)
            threads.emplace_back([this, writer] { guard(write(writer)); });
        threads.emplace_back([this] { loop([this] { return readHead(); }); });
        threads.emplace_back([this] { loop([this] { return m_engine.sync(); }); });
        threads.emplace_back([this] { loop([this] { return upkeep(); }); });
        threads.emplace_back([this] { loop([this] { return lookBack(); }); });
        threads.emplace_back([this] { loop([this] { return renameBack(); }); });
        threads.emplace_back([this] { loop([this] { return collect(); }); });
        threads.emplace_back([this] { loop([this] { return account(); }); });
        // more of them where the collector has not had its turn yet
        for (std::uint64_t fork = 0; (fork < forks || m_freed == 0) && !m_stop; ++fork)
            guard(forkAndCheck(fork));
        m_stop = true;
        for (std::thread& thread : threads)
            thread.join();
    }

    const std::string& failure() const { return m_failure; }
    struct Child {
        TimelineId timeline;
        std::array<Seen, writers> seen;
    };
    const std::vector<Child>& children() const { return m_children; }

  private:
    void guard(const Status& status) {
        if (status)
            return;
        const MutexLock lock(m_mutex);
        if (m_failure.empty())
            m_failure = status.error().message();
        m_stop = true;
    }
    template <class Action>
    void loop(Action action) {
        while (!m_stop)
            guard(action());
    }

    Status write(std::size_t writer) {
        ARBOR_ASSIGN(const auto view, m_engine.head(m_main.timeline));
        ARBOR_ASSIGN(const Attributes a, view->lookup(view->root(), fmt::format("a{}", writer)));
        ARBOR_ASSIGN(const Attributes b, view->lookup(view->root(), fmt::format("b{}", writer)));
        for (std::uint64_t number = 1; !m_stop; ++number) {
            while (number > m_allowed && !m_stop) // a slow machine must not write gigabytes between two forks
                std::this_thread::yield();
            if (number % 3 == 0)
                m_logs.append(m_main.timeline, 40);
            const std::string page = numberedPage(number);
            const std::uint64_t offset = number % blocks * blockSize;
            ARBOR_TRY(view->write(a.inode, offset, bytesOf(page), 1));
            ARBOR_TRY(view->write(b.inode, offset, bytesOf(page), 1));
            if (number % 64 == 0)
                ARBOR_TRY(view->sync());
        }
        return {};
    }

    // Pages of a head are whole, whoever writes them.
    Status readHead() {
        ARBOR_ASSIGN(const auto view, m_engine.head(m_main.timeline));
        ARBOR_ASSIGN(const Attributes file, view->lookup(view->root(), "a0"));
        std::string page(blockSize, '\0');
        for (std::uint64_t block = 0; block < blocks; ++block) {
            ARBOR_ASSIGN(const std::size_t got,
                         view->read(file.inode, block * blockSize, std::as_writable_bytes(std::span(page))));
            if (got == blockSize && !numberOf(page))
                return makeError(ErrorKind::Corruption, "a page of the head mixes two writes");
        }
        return {};
    }

    Status upkeep() {
        for (const auto& view : m_engine.openHeads())
            view->trim();
        return m_engine.closeIdleHeads();
    }

    // Without any history, so that whatever is written over goes, and a point that was the head a moment ago
    // may be refused.
    Status collect() {
        ARBOR_ASSIGN(const Collector::Outcome outcome, m_collector.run());
        m_freed += outcome.freedBytes;
        ++m_collected;
        if (!outcome.problems.empty())
            return makeError(ErrorKind::Corruption, "a sweep meets a problem: {}", outcome.problems.front());
        return {};
    }

    // As often as the other collects: who takes the lock again at once leaves others no turn.
    Status account() {
        if (m_accounted > m_collected) {
            std::this_thread::yield();
            return {};
        }
        ++m_accounted;
        ARBOR_ASSIGN(const Collector::Accounts accounts, m_collector.plan());
        return checkIdentity(accounts.plan);
    }

    static bool wasCollected(const Error& error) { return error.kind() == ErrorKind::Refused; }

    Status lookBack() {
        ARBOR_ASSIGN(const TimelinePoint point, m_engine.headPoint(m_main));
        const auto seen = m_engine.look(point);
        if (!seen && wasCollected(seen.error()))
            return {};
        ARBOR_ASSIGN(const auto past, seen);
        for (std::size_t writer = 0; writer < writers; ++writer)
            ARBOR_TRY(prefixesOf(*past, writer));
        return {};
    }

    Status renameBack() {
        if (m_renames >= m_allowed) {
            std::this_thread::yield();
            return {};
        }
        ++m_renames;
        ARBOR_ASSIGN(const auto view, m_engine.head(m_main.timeline));
        ARBOR_TRY(view->rename(view->root(), "here", view->root(), "there", false));
        return view->rename(view->root(), "there", view->root(), "here", false);
    }

    Result<BranchRecord> forkHead(const std::string& name) {
        for (;;) {
            ARBOR_ASSIGN(const TimelinePoint point, m_engine.headPoint(m_main));
            auto made = m_engine.createBranch(caller, {name, m_main.id, point, {}});
            if (made || !wasCollected(made.error()))
                return made;
        }
    }

    Status forkAndCheck(std::uint64_t number) {
        m_allowed += 200;
        ARBOR_ASSIGN(const BranchRecord made, forkHead(fmt::format("child{}", number)));
        ARBOR_ASSIGN(const auto view, m_engine.head(made.timeline));
        Child child{made.timeline, {}};
        for (std::size_t writer = 0; writer < writers; ++writer) {
            ARBOR_ASSIGN(child.seen[writer], prefixesOf(*view, writer));
        }
        // one of the two names, never both or none
        if (view->lookup(view->root(), "here").has_value() == view->lookup(view->root(), "there").has_value())
            return makeError(ErrorKind::Corruption, "a rename was seen in halves");
        for (std::size_t writer = 0; writer < writers; ++writer) {
            ARBOR_ASSIGN(const Seen again, prefixesOf(*view, writer));
            if (again != child.seen[writer])
                return makeError(ErrorKind::Corruption, "a fork has changed under its parent's writes");
        }
        m_children.push_back(child);
        return {};
    }

    Engine& m_engine;
    FakeLogs& m_logs;
    const BranchRecord m_main;
    Collector m_collector;
    std::atomic<std::uint64_t> m_freed{0}; // one thread's
    std::atomic<std::uint64_t> m_collected{0};
    std::uint64_t m_accounted = 0; // one thread's
    std::atomic<bool> m_stop{false};
    std::atomic<std::uint64_t> m_allowed{200};
    std::uint64_t m_renames = 0; // one thread's
    Mutex m_mutex;
    std::string m_failure;
    std::vector<Child> m_children;
};

Status forksArePrefixesAndStayWhatTheyWere() {
    SimulatedDisk disk(givenSeed().value_or(1));
    FakeLogs logs;
    ManualClock clock;
    const Engine::Options options = fakeOptions(logs, true);
    ARBOR_TRY(Engine::create(disk, "/store", options));
    ARBOR_ASSIGN(auto engine, Engine::open(disk, "/store", clock, options));
    ARBOR_TRY(engine->keepBook([](Catalog& c, Timestamp) { return c.setSetting("history-time", "0"); }));
    ARBOR_ASSIGN(auto root, engine->beginRoot(0700, {}));
    for (std::size_t writer = 0; writer < writers; ++writer)
        for (const char* file : {"a", "b"})
            ARBOR_TRY(root->createFile(root->root(), fmt::format("{}{}", file, writer), 0600, {}));
    ARBOR_TRY(root->createFile(root->root(), "here", 0600, {}));
    ARBOR_ASSIGN(const BranchRecord main,
                 engine->finishRoot(caller, *root, {"main", {}, 15, 16u << 20, {}}, {}));
    root.reset();

    std::vector<Race::Child> children;
    {
        Race race(*engine, logs, main, fakeCollectorOptions(options));
        race.run(fullRun() > 0 ? 2000 : 60);
        if (!race.failure().empty())
            return makeError(ErrorKind::Corruption, "{}", race.failure());
        children = race.children();
    }

    engine.reset();
    ARBOR_ASSIGN(engine, Engine::open(disk, "/store", clock, options));
    for (const Race::Child& child : children) {
        ARBOR_ASSIGN(const auto view, engine->head(child.timeline));
        for (std::size_t writer = 0; writer < writers; ++writer) {
            ARBOR_ASSIGN(const Seen seen, prefixesOf(*view, writer));
            if (seen != child.seen[writer])
                return makeError(ErrorKind::Corruption, "a fork is another one after a restart");
        }
    }
    std::printf("%zu forks, each a prefix of its parent's writes, before and after a restart\n",
                children.size());
    return {};
}

} // namespace

int main() {
    const Status done = forksArePrefixesAndStayWhatTheyWere();
    if (!done)
        std::fprintf(stderr, "FAIL: %s\n", done.error().message().c_str());
    return done ? 0 : 1;
}
