#include "app/engine/space.h"
#include "storage/engine/view_paths.h"

namespace arbor {

namespace {

constexpr std::chrono::seconds sampleEvery{60};
constexpr std::chrono::hours sweepEvery{24};
constexpr std::uint64_t worthASweep = 512u << 20; // bytes

Collector::Options collectorOptions() {
    Collector::Options options;
    options.givesWay = true;
    options.sweep.segmentBytes = standardOptions().store.segments.segmentBytes;
    return options;
}

Result<std::uint64_t> bytesIn(BranchView& view, InodeId directory) {
    std::uint64_t bytes = 0;
    ARBOR_ASSIGN(const auto entries, entriesOf(view, directory));
    for (const DirectoryEntry& entry : entries) {
        const auto found = view.lookup(directory, entry.name); // an inode is known once it was looked up
        if (!found)
            continue;
        if (found->type == FileType::Directory) {
            ARBOR_ASSIGN(const std::uint64_t inside, bytesIn(view, found->inode));
            bytes += inside;
        } else if (found->type == FileType::Regular) {
            bytes += found->size;
        }
    }
    return bytes;
}

} // namespace

Space::Space(Engine& engine) : m_engine(engine), m_collector(engine, collectorOptions()) {}

bool Space::mayCount(double share) const {
    const std::lock_guard lock(m_mutex);
    return !m_accounts || (Clock::now() - m_countedAt) * share >= m_cost;
}

void Space::remember(AccountsPtr accounts, Clock::duration cost) {
    const std::lock_guard lock(m_mutex);
    m_accounts = std::move(accounts);
    m_countedAt = Clock::now();
    m_cost = cost;
}

Result<Space::AccountsPtr> Space::accounts() {
    const auto began = Clock::now();
    ARBOR_ASSIGN(Collector::Accounts counted, m_collector.plan());
    auto accounts = std::make_shared<const Collector::Accounts>(std::move(counted));
    remember(accounts, Clock::now() - began);
    return accounts;
}

Space::AccountsPtr Space::recentAccounts() {
    const auto isFresh = [this] {
        const std::lock_guard lock(m_mutex);
        return m_accounts && m_accounts->at == m_engine.store().lastPosition() && !m_operationDone;
    };
    if (!m_collector.isRunning() && !isFresh() && mayCount(0.05))
        if (const auto counted = accounts())
            return *counted;
    const std::lock_guard lock(m_mutex);
    return m_accounts;
}

Result<std::uint64_t> Space::neededBy(BranchId branch) {
    return m_collector.neededBy(branch);
}

std::optional<std::uint64_t> Space::logicalBytes(const BranchRecord& branch) {
    std::uint64_t versions = 0;
    {
        const std::lock_guard lock(m_mutex);
        if (m_accounts)
            if (const auto use = m_accounts->plan.timelines.find(branch.timeline);
                use != m_accounts->plan.timelines.end())
                versions = use->second.versions;
        const auto known = m_logical.find(branch.timeline);
        if (known != m_logical.end() && known->second.versions == versions)
            return known->second.bytes;
    }
    const auto view = m_engine.look({branch.timeline, headPoint});
    if (!view)
        return std::nullopt;
    const auto bytes = bytesIn(**view, (*view)->root());
    if (!bytes)
        return std::nullopt;
    const std::lock_guard lock(m_mutex);
    m_logical[branch.timeline] = {versions, *bytes};
    return *bytes;
}

std::uint64_t Space::logicalBytes() {
    const auto branches = m_engine.catalog([](const Catalog& catalog) {
        std::vector<BranchRecord> all;
        for (const BranchRecord* branch : catalog.branches())
            all.push_back(*branch);
        return all;
    });
    std::uint64_t bytes = 0;
    for (const BranchRecord& branch : branches)
        bytes += logicalBytes(branch).value_or(0);
    return bytes;
}

Result<bool> Space::keepBooks() {
    {
        const std::lock_guard lock(m_mutex);
        if (Clock::now() - m_sampledAt < sampleEvery && !m_operationDone)
            return false;
    }
    if (m_collector.isRunning() || !mayCount(0.01))
        return false;
    m_operationDone = false;
    const auto began = Clock::now();
    ARBOR_ASSIGN(const AccountsPtr now, accounts());
    Sample sample = sampleOf(now->plan, m_engine.clock().now());
    sample.logicalBytes = logicalBytes();
    sample.indexBytes = now->indexBytes;
    ARBOR_ASSIGN(sample.freeBytes, m_engine.store().disk().freeBytes(m_engine.directory()));
    {
        const std::lock_guard lock(m_mutex);
        m_sampledAt = Clock::now();
        m_cost = m_sampledAt - began; // with the walk over the names
    }
    ARBOR_TRY(addSample(m_engine.store(), sample));
    return true;
}

bool Space::sweepIsDue() {
    const std::lock_guard lock(m_mutex);
    if (m_collector.isRunning() || !m_accounts || m_accounts->plan.freeBytes == 0)
        return false;
    return m_accounts->plan.freeBytes >= worthASweep || Clock::now() - m_sweptAt >= sweepEvery;
}

void Space::swept() {
    m_operationDone = true; // a sample soon
    const std::lock_guard lock(m_mutex);
    m_sweptAt = Clock::now();
    m_accounts.reset();
}

} // namespace arbor
