#include "app/gui/store_picture.h"

#include <algorithm>

namespace arbor {

const BranchRow* StorePicture::branch(const QString& name) const {
    const auto found = std::ranges::find(branches, name, &BranchRow::name);
    return found == branches.end() ? nullptr : &*found;
}

const BranchRow* StorePicture::branch(std::uint64_t id) const {
    const auto found = std::ranges::find(branches, id, &BranchRow::id);
    return found == branches.end() ? nullptr : &*found;
}

const OperationFacts* StorePicture::nextUndo() const {
    const auto found = std::ranges::find_if(operations, &OperationFacts::undoable);
    return found == operations.end() ? nullptr : &*found;
}

// Operations are undone from the newest to the oldest, so redo begins with the oldest that is undone, as long
// as nothing new was done since.
const OperationFacts* StorePicture::nextRedo() const {
    const OperationFacts* next = nullptr;
    for (const OperationFacts& operation : operations) {
        if (operation.kind != QLatin1String("operation"))
            continue;
        if (!operation.undone)
            break;
        next = &operation;
    }
    return next;
}

} // namespace arbor
