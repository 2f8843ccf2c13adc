#include "app/engine/import_tree.h"

#include <algorithm>
#include <fcntl.h>

namespace arbor {

Status TreeCopy::addTree(const std::string& from, InodeId to, DirectoryRole role) {
    ARBOR_ASSIGN(const auto names, m_disk.list(from));
    for (const std::string& name : names) {
        if (m_job.cancelRequested())
            return makeError(ErrorKind::Cancelled, "cancelled");
        if (hostDirectory(role, name, "") || isUnversioned(role, name))
            continue;
        if (role == DirectoryRole::Root && std::ranges::find(m_leftOut, name) != m_leftOut.end())
            continue;
        const std::string path = from + "/" + name;
        ARBOR_ASSIGN(const FileInfo info, m_disk.info(path));
        if (info.isDirectory) {
            ARBOR_ASSIGN(const InodeId made, addDirectory(to, name, info.mode));
            ARBOR_TRY(addTree(path, made, roleOfChild(role, name)));
        } else if (!info.isSymlink) { // a link is a tablespace's, which its owner adds, or leads outside
            ARBOR_TRY(addFile(path, to, name, info));
        }
    }
    return {};
}

Result<InodeId> TreeCopy::addDirectory(InodeId to, const std::string& name, std::uint32_t mode) {
    ARBOR_ASSIGN(const Attributes made, m_view.makeDirectory(to, name, mode, m_owner));
    return made.inode;
}

Status TreeCopy::addFile(const std::string& path, InodeId to, const std::string& name, const FileInfo& info) {
    ARBOR_ASSIGN(const Attributes made, m_view.createFile(to, name, info.mode, m_owner));
    m_files.push_back({path, made.inode, info.size});
    m_total += info.size;
    return {};
}

Status TreeCopy::copyFile(const File& file, CopyProgress& progress, std::span<std::byte> buffer) {
    ARBOR_ASSIGN(const auto source, m_disk.openRead(file.path));
    ::posix_fadvise(source->descriptor(), 0, 0, POSIX_FADV_SEQUENTIAL);
    for (std::uint64_t at = 0; !progress.failed();) {
        ARBOR_ASSIGN(const std::size_t got, source->readAt(at, buffer));
        if (got == 0)
            break;
        ARBOR_TRY(m_view.write(file.inode, at, buffer.first(got), 0));
        at += got;
        ARBOR_TRY(progress.advance(got));
    }
    if (m_consume)
        ARBOR_TRY(m_disk.unlink(file.path));
    return {};
}

Status TreeCopy::copyContents(double upTo) {
    std::ranges::stable_sort(m_files, std::greater<>(), &File::size);
    CopyProgress progress(m_job, QStringLiteral("copying"), m_total, 0, upTo);
    return copyInThreads(m_files.size(), progress, [&](std::size_t index, std::span<std::byte> buffer) {
        auto copied = copyFile(m_files[index], progress, buffer);
        return copied ? copied : Status(std::move(copied).error().during("copying " + m_files[index].path));
    });
}

Status syncTree(Disk& disk, const std::string& directory) {
    ARBOR_ASSIGN(const auto names, disk.list(directory));
    for (const std::string& name : names) {
        const std::string path = directory + "/" + name;
        ARBOR_ASSIGN(const FileInfo info, disk.info(path));
        if (info.isDirectory)
            ARBOR_TRY(syncTree(disk, path));
        else
            ARBOR_TRY(disk.syncFile(path));
    }
    return disk.syncDirectory(directory);
}

} // namespace arbor
