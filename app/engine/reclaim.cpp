#include "app/engine/reclaim.h"

#include "app/engine/json.h"

#include <algorithm>
#include <set>

namespace arbor {

namespace {

Result<CheckpointRecord> checkpointNamed(const Catalog& catalog, const std::string& name) {
    const auto at = name.rfind('@');
    if (at == std::string::npos)
        return makeError(ErrorKind::InvalidArgument, "\"{}\" names no branch: write checkpoint:NAME@BRANCH",
                         name);
    ARBOR_ASSIGN(const BranchRecord branch, catalog.branch(name.substr(at + 1)));
    return catalog.checkpoint(branch.id, name.substr(0, at));
}

std::string nameIn(const std::string& what) {
    return what.substr(std::min(what.size(), what.find(':') + 1));
}

template <class Id>
void addOnce(std::vector<Id>& ids, Id id) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end())
        ids.push_back(id);
}

std::uint64_t onlyBytesOf(const Collector::Accounts& accounts, BranchId owner) {
    const auto use = accounts.plan.owners.find(owner);
    return use == accounts.plan.owners.end() ? 0 : use->second.onlyBytes;
}

Removable removableBranch(Service& service, const Collector::Accounts& accounts, const BranchRecord& branch) {
    const EndpointInfo server = service.endpoints().info(Service::keyOf(branch.id));
    Removable one{
        "branch:" + branch.name,         "branch", branch.name, {}, {}, service.headLsn(branch.timeline),
        onlyBytesOf(accounts, branch.id)};
    one.from = service.engine().catalog([&](const Catalog& catalog) {
        const TimelineRecord* line = catalog.findTimeline(branch.timeline);
        if (!branch.isRoot())
            one.branch = catalog.parentName(branch);
        return line != nullptr && line->parent ? line->fork.lsn : Lsn{};
    });
    if (!one.from)
        one.from = service.engine().lineageStart(branch.timeline);
    one.lastUsed = std::max({branch.createdAt, service.headTime(branch.timeline), server.lastActivity});
    one.isKept = branch.isProtected || branch.isRoot() || server.state != Endpoint::State::Stopped;
    return one;
}

void addCheckpoints(Service& service, const Collector::Accounts& accounts, std::vector<Removable>& list) {
    for (std::size_t i = 0; i < accounts.input.pins.size(); ++i) {
        const GcPin& pin = accounts.input.pins[i];
        if (pin.kind != PinKind::Checkpoint || pin.branch.empty())
            continue;
        const auto made = service.engine().catalog([&](const Catalog& catalog) -> std::optional<Timestamp> {
            const auto record = checkpointNamed(catalog, pin.name + "@" + pin.branch);
            return record ? std::optional(record->createdAt) : std::nullopt;
        });
        if (made) // else it went since the accounts were made
            list.push_back({fmt::format("checkpoint:{}@{}", pin.name, pin.branch), "checkpoint", pin.name,
                            pin.branch, pin.fromLsn, pin.toLsn, accounts.plan.pins[i].onlyBytes, *made});
    }
}

} // namespace

std::vector<Removable> removables(Service& service, const Collector::Accounts& accounts) {
    std::vector<BranchRecord> branches;
    std::size_t trashed = 0;
    service.engine().catalog([&](const Catalog& catalog) {
        for (const BranchRecord* branch : catalog.branches())
            branches.push_back(*branch);
        trashed = catalog.trash().size();
        return 0;
    });
    std::vector<Removable> list;
    for (const BranchRecord& branch : branches)
        list.push_back(removableBranch(service, accounts, branch));
    addCheckpoints(service, accounts, list);
    std::stable_sort(list.begin(), list.end(), [](const Removable& a, const Removable& b) {
        return std::pair(a.isKept, a.lastUsed) < std::pair(b.isKept, b.lastUsed);
    });
    if (trashed > 0) // nobody wants it any more: before everything else
        list.insert(list.begin(),
                    {"trash", "trash", "trash", {}, {}, {}, onlyBytesOf(accounts, GcPin::trash)});
    return list;
}

Result<Collector::WhatIf> whatIfOf(Service& service, const std::vector<std::string>& without) {
    Collector::WhatIf whatIf;
    for (const std::string& what : without) {
        ARBOR_TRY(service.engine().catalog([&](const Catalog& catalog) -> Status {
            if (what.starts_with("branch:")) {
                ARBOR_ASSIGN(const BranchRecord branch, catalog.branch(nameIn(what)));
                addOnce(whatIf.branches, branch.id);
            } else if (what.starts_with("checkpoint:")) {
                ARBOR_ASSIGN(const CheckpointRecord checkpoint, checkpointNamed(catalog, nameIn(what)));
                addOnce(whatIf.checkpoints, checkpoint.id);
            } else if (what == "trash") {
                whatIf.emptyTrash = true;
            } else {
                return makeError(ErrorKind::InvalidArgument,
                                 "\"{}\": write branch:NAME, checkpoint:NAME@BRANCH or trash", what);
            }
            return {};
        }));
    }
    return whatIf;
}

// --- Proposals

namespace {

class Search {
  public:
    Search(Service& service, std::uint64_t bytes) : m_service(service), m_bytes(bytes) {}

    Result<Collector::Accounts> without(const std::vector<Removable>& list) {
        std::vector<std::string> names;
        for (const Removable& one : list)
            names.push_back(one.what);
        ARBOR_ASSIGN(const Collector::WhatIf whatIf, whatIfOf(m_service, names));
        return m_service.accounting().collector().plan(whatIf);
    }
    Result<bool> isEnough(const std::vector<Removable>& list) {
        ARBOR_ASSIGN(const Collector::Accounts accounts, without(list));
        return accounts.plan.freeBytes >= m_bytes;
    }
    // The shortest beginning of the list that is enough; all of it when none is. What is freed grows with
    // what is removed, so halving finds it.
    Result<std::size_t> enoughOf(const std::vector<Removable>& list) {
        std::size_t tooFew = 0;
        std::size_t enough = list.size();
        while (tooFew < enough) {
            const std::size_t middle = tooFew + (enough - tooFew) / 2;
            ARBOR_ASSIGN(const bool does,
                         isEnough({list.begin(), list.begin() + static_cast<std::ptrdiff_t>(middle)}));
            (does ? enough : tooFew) = does ? middle : middle + 1;
        }
        return enough;
    }
    // Leaves out, by halves, what is not needed of [begin, end); the latest used stay first.
    Status shorten(std::vector<Removable>& list, std::size_t begin, std::size_t end) {
        if (begin >= end || m_tries >= mostTries)
            return {};
        ++m_tries;
        std::vector<Removable> fewer(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(begin));
        fewer.insert(fewer.end(), list.begin() + static_cast<std::ptrdiff_t>(end), list.end());
        ARBOR_ASSIGN(const bool does, isEnough(fewer));
        if (does) {
            list = std::move(fewer);
            return {};
        }
        if (end - begin == 1)
            return {};
        const std::size_t middle = begin + (end - begin) / 2;
        ARBOR_TRY(shorten(list, middle, end)); // first the later half: it has been used last
        return shorten(list, begin, middle);
    }

  private:
    static constexpr int mostTries = 48;

    Service& m_service;
    const std::uint64_t m_bytes;
    int m_tries = 0;
};

} // namespace

Result<Proposal> proposeRemovals(Service& service, const Collector::Accounts& now, std::uint64_t bytes) {
    std::vector<Removable> list = removables(service, now);
    std::erase_if(list, [](const Removable& one) { return one.isKept; });
    Search search(service, bytes);
    ARBOR_ASSIGN(const std::size_t count, search.enoughOf(list));
    list.resize(count);
    ARBOR_ASSIGN(const bool isEnough, search.isEnough(list));
    if (isEnough)
        ARBOR_TRY(search.shorten(list, 0, list.size()));
    ARBOR_ASSIGN(Collector::Accounts accounts, search.without(list));
    const bool reached = accounts.plan.freeBytes >= bytes;
    return Proposal{std::move(list), std::move(accounts), reached};
}

// --- Removing

namespace {

Status removeBranch(Service& service, const RequestContext& context, BranchId id) {
    const auto record = service.engine().catalog([&](const Catalog& catalog) {
        const BranchRecord* found = catalog.findBranch(id);
        return found ? std::optional(*found) : std::nullopt;
    });
    if (!record)
        return {}; // somebody else removed it
    TrashId entry;
    ARBOR_TRY(service.aroundMove({id}, [&]() -> Status {
        ARBOR_ASSIGN(const CatalogChange change,
                     service.engine().operate(
                         callerOf(context, "branch delete " + record->name),
                         [&](Catalog& catalog, Timestamp now) { return catalog.deleteBranch(id, now); }));
        entry = change.trash;
        return {};
    }));
    service.purgeTrash(entry);
    service.publishBranches({record->name});
    return {};
}

Status removeCheckpoint(Service& service, const RequestContext& context, CheckpointId id) {
    std::string name;
    std::string branch;
    service.engine().catalog([&](const Catalog& catalog) {
        const CheckpointRecord* found = catalog.findCheckpoint(id);
        const BranchRecord* owner = found == nullptr ? nullptr : catalog.findBranch(found->branch);
        if (owner != nullptr) {
            name = found->name;
            branch = owner->name;
        }
        return 0;
    });
    if (branch.empty())
        return {};
    ARBOR_TRY(service.engine().operate(
        callerOf(context, fmt::format("checkpoint delete {} --branch {}", name, branch)),
        [&](Catalog& catalog, Timestamp) -> Result<CatalogChange> {
            const CheckpointRecord* found = catalog.findCheckpoint(id);
            return found == nullptr ? CatalogChange() : catalog.deleteCheckpoint(found->branch, name);
        }));
    service.publishBranches({branch});
    return {};
}

} // namespace

Status removeForGood(Service& service, const RequestContext& context,
                     const std::vector<std::string>& without) {
    ARBOR_ASSIGN(const Collector::WhatIf whatIf, whatIfOf(service, without));
    ARBOR_TRY(service.engine().catalog([&](const Catalog& catalog) -> Status {
        for (const BranchId id : whatIf.branches)
            if (const BranchRecord* branch = catalog.findBranch(id); branch && branch->isProtected)
                return makeError(ErrorKind::Refused,
                                 "{} is protected: `pgarborctl branch unprotect {}` first", branch->name,
                                 branch->name);
        return {};
    }));
    std::set<TimelineId> gone;
    service.engine().catalog([&](const Catalog& catalog) {
        for (const BranchId id : whatIf.branches)
            if (const BranchRecord* branch = catalog.findBranch(id))
                gone.insert(branch->timeline);
        return 0;
    });
    if (whatIf.emptyTrash)
        service.emptyTrash();
    for (const CheckpointId id : whatIf.checkpoints)
        ARBOR_TRY(removeCheckpoint(service, context, id));
    for (const BranchId id : whatIf.branches)
        ARBOR_TRY(removeBranch(service, context, id));
    return service.closeHeads(gone);
}

} // namespace arbor
