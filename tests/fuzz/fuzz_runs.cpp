// Page runs, size runs and the map of positions: whatever decodes must encode to what decodes to the same
// again, whichever way the first encoder chose.
#include "storage/format/runs.h"

#include <cstdlib>

using namespace arbor;

namespace {

void require(bool holds) {
    if (!holds)
        std::abort();
}

bool ascends(const auto& versions) {
    for (std::size_t i = 1; i < versions.size(); ++i)
        if (versions[i].position < versions[i - 1].position)
            return false;
    return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const Position first{1000};
    // encoders take what ascends; positions that wrap around come from damage only, and lead nowhere
    if (const auto pages = decodePageRun(first, input); pages && ascends(*pages)) {
        const auto again = decodePageRun(pages->front().position, encodePageRun(*pages));
        require(again && *again == *pages);
    }
    if (const auto sizes = decodeSizeRun(first, input); sizes && sizes->size() < 10'000 && ascends(*sizes)) {
        const auto again = decodeSizeRun(sizes->front().position, encodeSizeRun(*sizes));
        require(again && *again == *sizes);
    }
    if (const auto map = decodePositionMap(first, input); map && ascends(map->entries)) {
        const auto again = decodePositionMap(map->entries.front().position, encodePositionMap(*map));
        require(again && again->at == map->at && again->entries == map->entries);
    }
    return 0;
}
