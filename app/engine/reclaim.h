// What can be taken away to make room: things by name, what is best taken first, and taking it for good.
#pragma once

#include "app/engine/service.h"

#include <string>
#include <string_view>
#include <vector>

namespace arbor {

struct Removable {
    std::string what; // as gc.plan's `without` takes it: branch:N, checkpoint:N@BRANCH, trash
    std::string kind; // "branch", "checkpoint", "trash"
    std::string name;
    std::string branch;
    Lsn from;
    Lsn to;
    std::uint64_t onlyBytes = 0; // that go when this alone goes
    Timestamp lastUsed = {};
    bool isKept = false; // protected, a root, or in use: shown, and never proposed
};
// Everything that has a name, proposals first: the trash, then what has not been used for longest.
std::vector<Removable> removables(Service& service, const Collector::Accounts& accounts);

// Names as the protocol has them. NotFound for what is not there.
Result<Collector::WhatIf> whatIfOf(Service& service, const std::vector<std::string>& without);

struct Proposal {
    std::vector<Removable> chosen; // in the order of removables()
    Collector::Accounts accounts;  // with them gone: plan.freeBytes is exact
    bool isEnough = false;         // else: all that may be proposed, and it does not do
};
// A short list of removals after which a sweep frees at least `bytes`. The first of removables() that reach
// it, less those without which it is still reached. A walk over the index for each step of the search; their
// number grows with the logarithm of the number of branches.
Result<Proposal> proposeRemovals(Service& service, const Collector::Accounts& now, std::uint64_t bytes);

// Removes things for good: branches do not wait in the trash. Nothing is removed when one of them is not
// there or is protected. The space comes back with the next sweep.
Status removeForGood(Service& service, const RequestContext& context,
                     const std::vector<std::string>& without);

} // namespace arbor
