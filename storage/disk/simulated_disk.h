// A disk in memory that does to unsynced data what a power cut does, reproducibly from a seed.
//
// Two states are kept of everything: what programs see (the page cache) and what is durable. Appends,
// truncations, punches and modes of a file become durable by a sync of the file; entries of a directory
// (creations, links, renames, unlinks, directories) by a sync of the directory, whatever files it names.
// crash() decides about the rest:
//  - of a file's unsynced bytes each piece of 512 to 4096 bytes may be there or be zeros, or the file may end
//  early;
//    its unsynced truncations, punches and modes may have happened or not;
//  - each unsynced change of an entry may have happened or not, independently of the others and of the files'
//    contents, as long as changes of the same entry keep their order. A rename happens as a whole; one
//    between two directories is durable when either is synced.
//  So a synced file whose entry was never synced may vanish, and one whose entry was synced may be empty.
// After a failed sync the bytes that it should have made durable stay visible and are lost with the next
// crash, though later syncs of the file succeed: that is what Linux does.
#pragma once

#include "storage/disk/disk.h"

#include <string_view>

namespace arbor {

// Thread-safe. With one thread, or threads in lock step, everything that happens follows from the seed and
// the calls. Files and locks may outlive the disk object.
class SimulatedDisk final : public Disk {
  public:
    // Empty but for "/", without a limit of space.
    explicit SimulatedDisk(std::uint64_t seed);
    ~SimulatedDisk() override;
    // A disk with what is visible on this one now, all of it durable. Cheap: contents are shared until
    // written.
    std::unique_ptr<SimulatedDisk> clone(std::uint64_t seed) const;

    // A power cut, and the power back: what was not synced is judged, files opened before are dead (every
    // call Io), locks are gone, pending faults and the cut are cleared.
    void crash();
    // The n-th mutating operation from now (1: the next) and all later ones fail with Io; 0: none. Whether
    // the n-th itself took effect is left to chance. Mutating are appends, syncs and everything that changes
    // a name, a size or a mode, also when it fails for a reason of its own.
    void setCutAfter(std::uint64_t n);
    // The power is cut and crash() was not called yet.
    bool isCut() const;
    // Mutating operations since the beginning.
    std::uint64_t operationCount() const;

    // Contents and reservations, in chunks of 4 KB, may take this much; an append puts what fits and is
    // NoSpace.
    void setCapacity(std::uint64_t bytes);
    // No directory has room for another name: a creation or a link is NoSpace.
    void setDirectoriesFull(bool full);
    // The n-th sync (of a file or directory) or read from now fails with Io, or the read is cut to half; 0:
    // none.
    void failSync(std::uint64_t n);
    void failRead(std::uint64_t n);
    void shortenRead(std::uint64_t n);

    // Damage that happens on the medium, also under open files. The file must be there.
    void corrupt(const std::string& path, std::uint64_t offset, std::uint8_t flipped); // xor
    void truncateNow(const std::string& path, std::uint64_t size);
    void zero(const std::string& path, std::uint64_t offset, std::uint64_t length);
    void swapFiles(const std::string& first, const std::string& second);

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
    Status punch(const std::string& path, std::uint64_t offset, std::uint64_t length) override;
    Status syncFile(const std::string& path) override;
    Status syncDirectory(const std::string& path) override;
    Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override;
    Result<std::uint64_t> freeBytes(const std::string& path) override;
    Result<std::uint64_t> totalBytes(const std::string& path) override;

    class State;

  private:
    explicit SimulatedDisk(std::shared_ptr<State> state);
    const std::shared_ptr<State> m_state;
};

} // namespace arbor
