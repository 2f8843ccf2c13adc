// Which tables and indexes the bytes belong to, by name where it is known.
//
// A file's name comes from its directory. Which relation it holds, only a catalog knows: the server of the
// branch is asked, or while it is stopped a running one of a relative that has the same file under the same
// path. What nobody knows keeps its path; what the branch's head no longer has is looked for where its
// history begins.
#pragma once

#include "app/engine/service.h"

#include <string>
#include <vector>

namespace arbor {

struct RelationUse {
    std::string file;     // as base/5/16384; of a relation of many files, the first; "" when it is not known
    std::string database; // "" for what belongs to the whole cluster
    std::string relation; // schema.name; "" when it is not known
    std::string kind;     // "table", "index", ... or "" with the relation
    bool isGone = false;  // the head has no such file any more
    std::uint64_t privateBytes = 0;
    std::uint64_t pinnedBytes = 0; // history that is kept with the branch
};
// The images that go with a branch, by relation, largest first; parts, maps and forks of a relation count
// with it. The log belongs to no relation.
Result<std::vector<RelationUse>> relationUse(Service& service, const BranchRecord& branch);

} // namespace arbor
