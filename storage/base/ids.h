// Identities that do not convert into each other.
#pragma once

#include <fmt/format.h>

#include <compare>
#include <cstdint>
#include <functional>

namespace arbor {

template <class Tag>
struct Id {
    std::uint64_t value = 0; // 0 is "none" for every kind of id
    constexpr auto operator<=>(const Id&) const = default;
    constexpr explicit operator bool() const { return value != 0; }
};

// The immutable storage identity under a branch. Never used twice within a store.
using TimelineId = Id<struct TimelineTag>;
// A file, directory or symbolic link. Unique over a store's whole life; a fork sees its parent's inodes under
// the same ids.
using InodeId = Id<struct InodeTag>;
// A segment file of page images.
using SegmentId = Id<struct SegmentTag>;
// The name a person gave survives in the catalog only; everything else points at this.
using BranchId = Id<struct BranchTag>;

// A position: the store's sequence number of a page version or of a change of a name. Every timeline's
// positions are drawn from the one counter of the store, so that a child's are always greater than its fork
// point's and a plain comparison orders versions along a whole lineage. 0 is before everything.
using Position = Id<struct PositionTag>;
inline constexpr Position maxPosition{UINT64_MAX};

// A block of 8192 bytes within a file.
using BlockNumber = std::uint32_t;
inline constexpr std::size_t blockSize = 8192;
// The last one may be begun only.
constexpr std::uint64_t blocksIn(std::uint64_t bytes) {
    return (bytes + blockSize - 1) / blockSize;
}
// RELSEG_SIZE of pg_config.h: a relation of more than 1 GB is many files.
inline constexpr std::uint32_t blocksPerRelationFile = 131'072;

} // namespace arbor

template <class Tag>
struct std::hash<arbor::Id<Tag>> {
    std::size_t operator()(arbor::Id<Tag> id) const noexcept {
        // Fibonacci hashing: ids are dense, and unordered_map's buckets are not always prime
        return static_cast<std::size_t>(id.value * 0x9E3779B97F4A7C15ull);
    }
};

template <class Tag>
struct fmt::formatter<arbor::Id<Tag>> : fmt::formatter<std::uint64_t> {
    template <class Context>
    auto format(arbor::Id<Tag> id, Context& context) const {
        return fmt::formatter<std::uint64_t>::format(id.value, context);
    }
};
