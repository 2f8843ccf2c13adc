#include "storage/disk/disk.h"

namespace arbor {

namespace {

std::string parentOf(const std::string& path) {
    const std::size_t slash = path.find_last_of('/');
    return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

} // namespace

Result<std::string> readFile(Disk& disk, const std::string& path) {
    ARBOR_ASSIGN(const auto file, disk.openRead(path));
    ARBOR_ASSIGN(const std::uint64_t size, file->size());
    std::string content(size, '\0');
    ARBOR_ASSIGN(const std::size_t got,
                 file->readAt(0, std::as_writable_bytes(std::span(content.data(), content.size()))));
    content.resize(got); // it became shorter meanwhile
    return content;
}

Status replaceFile(Disk& disk, const std::string& path, std::string_view content) {
    const std::string temporary = path + ".new";
    if (Status removed = disk.unlink(temporary); !removed && removed.error().kind() != ErrorKind::NotFound)
        return removed;
    ARBOR_ASSIGN(const auto file, disk.createAppend(temporary));
    ARBOR_TRY(file->append(std::as_bytes(std::span(content))));
    ARBOR_TRY(file->sync());
    ARBOR_TRY(disk.rename(temporary, path));
    return disk.syncDirectory(parentOf(path));
}

Status ensureDirectory(Disk& disk, const std::string& path) {
    const Status made = disk.makeDirectory(path);
    if (!made && made.error().kind() != ErrorKind::AlreadyExists)
        return made;
    ARBOR_ASSIGN(const FileInfo info, disk.info(path));
    if (!info.isDirectory)
        return makeError(ErrorKind::NotADirectory, "{} is in the way: a directory is needed there", path);
    // also when it was there: it may be the leftover of a power cut whose entry was never synced
    Status synced = disk.syncDirectory(parentOf(path));
    // a parent that we may pass and not read: whoever made the directory in it answers for it
    if (!synced && !made && synced.error().kind() == ErrorKind::Permission)
        return {};
    return synced;
}

Status removeTree(Disk& disk, const std::string& path) {
    const Result<FileInfo> info = disk.info(path);
    if (!info)
        return info.error().kind() == ErrorKind::NotFound ? Status() : Status(info.error());
    if (!info->isDirectory)
        return disk.unlink(path);
    ARBOR_ASSIGN(const auto names, disk.list(path));
    for (const std::string& name : names)
        ARBOR_TRY(removeTree(disk, path + "/" + name));
    return disk.removeDirectory(path);
}

} // namespace arbor
