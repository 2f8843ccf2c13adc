// A view by paths and whole directories, for those who do not walk it one inode at a time.
#pragma once

#include "storage/engine/branch_view.h"

namespace arbor {

// What is at a path from the root, "global/pg_control"; "" is the root.
Result<Attributes> attributesOf(BranchView& view, std::string_view path);
// The bytes of a file.
Result<std::string> readPath(BranchView& view, std::string_view path);
// All entries of a directory. An inode is known to the view once its name was looked up.
Result<std::vector<DirectoryEntry>> entriesOf(BranchView& view, InodeId directory);

} // namespace arbor
