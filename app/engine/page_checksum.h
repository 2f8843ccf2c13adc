// The checksum of a Postgres page (storage/checksum_impl.h).
#pragma once

#include "storage/disk/disk.h"

namespace arbor {

// Of the 8192 bytes of a page that is block `block` of its relation, the field itself taken as zero.
std::uint16_t pageChecksum(Bytes page, std::uint32_t block);

// Whether a page of a cluster with checksums is as it was written. A page of zeros is new and has none.
bool pageIsWhole(Bytes page, std::uint32_t block);

} // namespace arbor
