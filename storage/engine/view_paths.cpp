#include "storage/engine/view_paths.h"

#include <algorithm>
#include <span>

namespace arbor {

Result<Attributes> attributesOf(BranchView& view, std::string_view path) {
    InodeId at = view.root();
    ARBOR_ASSIGN(Attributes found, view.attributes(at));
    for (std::string_view left = path; !left.empty();) {
        const std::string_view part = left.substr(0, left.find('/'));
        left.remove_prefix(std::min(left.size(), part.size() + 1));
        ARBOR_ASSIGN(found, view.lookup(at, part));
        at = found.inode;
    }
    return found;
}

Result<std::string> readPath(BranchView& view, std::string_view path) {
    ARBOR_ASSIGN(const Attributes file, attributesOf(view, path));
    std::string content(file.size, '\0');
    ARBOR_ASSIGN(const std::size_t got, view.read(file.inode, 0, std::as_writable_bytes(std::span(content))));
    content.resize(got);
    return content;
}

Result<std::vector<DirectoryEntry>> entriesOf(BranchView& view, InodeId directory) {
    constexpr std::size_t atOnce = 512;
    std::vector<DirectoryEntry> all;
    for (std::size_t before = 0;; before = all.size()) {
        ARBOR_ASSIGN(const auto entries,
                     view.readDirectory(directory, all.empty() ? 0 : all.back().cookie, atOnce));
        all.insert(all.end(), entries.begin(), entries.end());
        if (all.size() - before < atOnce)
            return all;
    }
}

} // namespace arbor
