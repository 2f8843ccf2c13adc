// Disk on the host's file system. Opens follow no symbolic link and never block on a FIFO; descriptors are
// not inherited by children; interrupted calls are repeated.
#pragma once

#include "storage/disk/disk.h"

namespace arbor {

// Thread-safe and without state.
class PosixDisk final : public Disk {
  public:
    Result<std::shared_ptr<ReadableFile>> openRead(const std::string& path) override;
    Result<std::unique_ptr<AppendableFile>> createAppend(const std::string& path,
                                                         std::uint64_t preallocate = 0) override;
    Result<std::unique_ptr<AppendableFile>> openAppend(const std::string& path) override;

    Result<FileInfo> info(const std::string& path) override;
    Result<std::vector<std::string>> list(const std::string& directory) override;
    Status makeDirectory(const std::string& path) override;
    Status removeDirectory(const std::string& path) override;
    Status unlink(const std::string& path) override;
    Status rename(const std::string& from, const std::string& to) override;
    Status link(const std::string& from, const std::string& to) override;
    Status setMode(const std::string& path, std::uint32_t mode) override;
    Status truncate(const std::string& path, std::uint64_t size) override;
    // Unsupported where the file system has no holes.
    Status punch(const std::string& path, std::uint64_t offset, std::uint64_t length) override;
    Status syncFile(const std::string& path) override;
    Status syncDirectory(const std::string& path) override;
    // A file is created when there is none, and stays behind: removing it would let two holders lock two
    // files of one name.
    Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override;
    Result<std::uint64_t> freeBytes(const std::string& path) override;
    Result<std::uint64_t> totalBytes(const std::string& path) override;
};

} // namespace arbor
