#include "app/postgres/shared_memory.h"

#include <fcntl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>

#include <algorithm>
#include <cstring>
#include <sstream>

namespace arbor {

namespace {

// The beginning of storage/pg_shmem.h's PGShmemHeader, the same in majors 14 to 18.
struct SegmentHeader {
    std::int32_t magic;
    std::int32_t creator;
    std::uint64_t totalSize;
    std::uint64_t freeOffset;
    std::uint32_t dynamicControl; // handle of the control segment of dynamic shared memory, 0 for none
};
constexpr std::int32_t segmentMagic = 679834894;

// storage/ipc/dsm.c's dsm_control_header and dsm_control_item, the same in majors 14 to 18.
struct ControlHeader {
    std::uint32_t magic;
    std::uint32_t used;
    std::uint32_t capacity;
    std::uint32_t padding;
};
struct ControlItem {
    std::uint32_t handle;
    std::uint32_t references; // 0: the slot is free
    std::uint64_t firstPage;
    std::uint64_t pages;
    std::uint64_t platformHandle;
    std::uint64_t pinned;
};
constexpr std::uint32_t controlMagic = 0x9a503d32;

std::string dynamicName(std::uint32_t handle) {
    return fmt::format("/PostgreSQL.{}", handle);
}

// The POSIX segments that a control segment lists, and the control segment itself, last: what is interrupted
// can be done again.
std::vector<std::string> removeDynamic(std::uint32_t control) {
    std::vector<std::string> removed;
    const auto content = readSmallFile("/dev/shm" + dynamicName(control));
    ControlHeader header{};
    if (!content || content->size() < sizeof header)
        return removed;
    std::memcpy(&header, content->data(), sizeof header);
    const std::size_t fitting = (content->size() - sizeof header) / sizeof(ControlItem);
    if (header.magic != controlMagic || header.used > fitting)
        return removed;
    const auto unlinkOne = [&removed](std::uint32_t handle) {
        const std::string name = dynamicName(handle);
        if (::shm_unlink(name.c_str()) == 0)
            removed.push_back("/dev/shm" + name);
    };
    for (std::uint32_t i = 0; i < header.used; ++i) {
        ControlItem item{};
        std::memcpy(&item, content->data() + sizeof header + i * sizeof item, sizeof item);
        // an odd handle lives inside the main segment (dsm.c, is_main_region_dsm_handle)
        if (item.references != 0 && item.handle % 2 == 0)
            unlinkOne(item.handle);
    }
    unlinkOne(control);
    return removed;
}

std::optional<SegmentHeader> headerOf(int id) {
    const void* address = ::shmat(id, nullptr, SHM_RDONLY);
    if (address == reinterpret_cast<const void*>(-1))
        return std::nullopt;
    SegmentHeader header{};
    std::memcpy(&header, address, sizeof header);
    ::shmdt(address);
    return header;
}

// True when the process that created the segment is still there: a later process that bears its number is not
// it.
bool creatorLives(const shmid_ds& segment) {
    const auto info = processInfo(segment.shm_cpid);
    return info && !info->hasEnded() && startedAt(info->identity) <= segment.shm_ctime + 2;
}

// A server that was killed between making its segment and describing it (sysv_shmem.c,
// PGSharedMemoryCreate()) leaves zeros.
bool isUndescribed(const SegmentHeader& header) {
    return header.magic == 0 && header.creator == 0 && header.totalSize == 0 && header.freeOffset == 0 &&
           header.dynamicControl == 0;
}

bool mayRemove(const shmid_ds& segment, const std::optional<SegmentHeader>& header) {
    if (!header || creatorLives(segment))
        return false;
    return isUndescribed(*header) || (header->magic == segmentMagic && header->creator == segment.shm_cpid);
}

} // namespace

std::vector<std::string> clearSharedMemory(std::span<const pid_t> deadServers) {
    std::vector<std::string> removed;
    std::istringstream table(readSmallFile("/proc/sysvipc/shm").value_or(""));
    std::string line;
    std::getline(table, line); // headings
    while (std::getline(table, line)) {
        std::istringstream fields(line);
        long long key = 0;
        int id = -1;
        if (!(fields >> key >> id))
            continue;
        shmid_ds segment{};
        if (::shmctl(id, IPC_STAT, &segment) != 0 || segment.shm_perm.uid != ::geteuid() ||
            segment.shm_nattch != 0 || segment.shm_segsz < sizeof(SegmentHeader) ||
            std::ranges::find(deadServers, segment.shm_cpid) == deadServers.end())
            continue;
        const auto header = headerOf(id);
        if (!mayRemove(segment, header))
            continue;
        if (header->dynamicControl != 0)
            std::ranges::move(removeDynamic(header->dynamicControl), std::back_inserter(removed));
        // marked only now that nobody could have attached unseen: a segment that is removed while attached
        // goes when its last user does, and Postgres's interlock with it
        if (::shmctl(id, IPC_STAT, &segment) == 0 && segment.shm_nattch == 0 &&
            ::shmctl(id, IPC_RMID, nullptr) == 0)
            removed.push_back(fmt::format("shared memory segment {}", id));
    }
    return removed;
}

} // namespace arbor
