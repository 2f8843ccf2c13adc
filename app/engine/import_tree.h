// Copies directories of the host into a view of the store.
#pragma once

#include "app/engine/copy_threads.h"
#include "storage/engine/branch_view.h"
#include "storage/names/roles.h"

#include <string>
#include <vector>

namespace arbor {

// Names first, one after the other; then the bytes of all files, by a few threads, the largest first. What
// lives on the host anyway (pg_wal, scratch) and what belongs to a server that once ran is left out.
class TreeCopy {
  public:
    TreeCopy(Disk& disk, BranchView& view, Owner owner, Job& job)
        : m_disk(disk), m_view(view), m_owner(owner), m_job(job) {}

    // Names in the top directory of a tree with role Root that do not come along.
    void leaveOut(std::vector<std::string> names) { m_leftOut = std::move(names); }
    // Files go as soon as they are copied: of a scratch directory, which would otherwise be written to disk,
    // too.
    void consume() { m_consume = true; }
    // Makes the names of everything below `from` in the directory `to`.
    Status addTree(const std::string& from, InodeId to, DirectoryRole role);
    Status addFile(const std::string& path, InodeId to, const std::string& name, const FileInfo& info);
    Result<InodeId> addDirectory(InodeId to, const std::string& name, std::uint32_t mode);
    std::uint64_t bytes() const { return m_total; }

    // Copies what was added. Progress runs from 0 to `upTo`.
    Status copyContents(double upTo);

  private:
    struct File {
        std::string path;
        InodeId inode;
        std::uint64_t size = 0;
    };
    Status copyFile(const File& file, CopyProgress& progress, std::span<std::byte> buffer);

    Disk& m_disk;
    BranchView& m_view;
    const Owner m_owner;
    Job& m_job;
    std::vector<std::string> m_leftOut;
    bool m_consume = false;
    std::vector<File> m_files;
    std::uint64_t m_total = 0;
};

// Syncs every file below a directory, and the directories.
Status syncTree(Disk& disk, const std::string& directory);

} // namespace arbor
