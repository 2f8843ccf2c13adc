#include "storage/engine/samples.h"

#include "storage/format/coding.h"
#include "storage/format/keys.h"

#include <algorithm>

namespace arbor {

namespace {

constexpr char samplesTag = 'A';
constexpr std::int64_t hour = 3'600'000'000;
constexpr std::int64_t day = 24 * hour;

std::string keyOf(Timestamp at) {
    std::string key(1, samplesTag);
    appendAscending(key, static_cast<std::uint64_t>(std::max<std::int64_t>(at.micros, 0)));
    return key;
}

std::string encode(const Sample& sample) {
    std::string value;
    Encoder out(value);
    for (const std::uint64_t field :
         {sample.liveBytes, sample.windowBytes, sample.pinnedBytes, sample.trashBytes, sample.garbageBytes,
          sample.logicalBytes, sample.indexBytes, sample.freeBytes})
        out.varint(field);
    return value;
}

std::optional<Sample> decode(std::string_view key, std::string_view value) {
    key.remove_prefix(1);
    const auto at = takeAscending(key);
    if (!at)
        return std::nullopt;
    Sample sample;
    sample.at.micros = static_cast<std::int64_t>(*at);
    Decoder in(value);
    for (std::uint64_t* field :
         {&sample.liveBytes, &sample.windowBytes, &sample.pinnedBytes, &sample.trashBytes,
          &sample.garbageBytes, &sample.logicalBytes, &sample.indexBytes, &sample.freeBytes})
        *field = in.varint();
    return in.done() ? std::optional(sample) : std::nullopt;
}

template <class Visit>
Status walk(const Index& index, Timestamp from, Timestamp to, Visit visit) {
    const auto iterator = index.iterate();
    const std::string end = keyOf(to);
    for (iterator->seek(keyOf(from)); iterator->valid() && iterator->key() <= end; iterator->next())
        if (const auto sample = decode(iterator->key(), iterator->value()))
            visit(*sample);
    return iterator->status();
}

// Of [from, to), all but the first of each stretch of that length.
Status thin(const Index& index, Timestamp from, Timestamp to, std::int64_t every, IndexBatch& batch) {
    std::int64_t last = -1;
    return walk(index, from, to, [&](const Sample& sample) {
        const std::int64_t stretch = sample.at.micros / every;
        if (stretch == last)
            batch.erase(keyOf(sample.at));
        last = stretch;
    });
}

} // namespace

Sample sampleOf(const GcPlan& plan, Timestamp at) {
    Sample sample;
    sample.at = at;
    sample.liveBytes = plan.privateBytes + plan.sharedBytes - plan.pinnedBytes;
    sample.windowBytes = plan.windowBytes;
    sample.trashBytes = plan.trashBytes;
    sample.pinnedBytes = plan.pinnedBytes + plan.historyBytes - plan.windowBytes - plan.trashBytes;
    sample.garbageBytes = plan.garbageBytes + plan.unknownBytes;
    return sample;
}

Status addSample(Store& store, const Sample& sample) {
    IndexBatch batch;
    batch.put(keyOf(sample.at), encode(sample));
    const Timestamp dayAgo{sample.at.micros - day};
    const Timestamp longAgo{sample.at.micros - 60 * day};
    // what was thinned before needs no look: two strips, a little wider than what has come of age since
    ARBOR_TRY(thin(store.index(), {dayAgo.micros - 2 * hour}, dayAgo, hour, batch));
    ARBOR_TRY(thin(store.index(), {longAgo.micros - 2 * day}, longAgo, day, batch));
    return store.writeBatch(batch);
}

Result<std::vector<Sample>> samplesBetween(const Index& index, Timestamp from, Timestamp to,
                                           std::size_t limit) {
    std::vector<Sample> all;
    ARBOR_TRY(walk(index, from, to, [&](const Sample& sample) { all.push_back(sample); }));
    if (all.size() <= limit || limit == 0)
        return all;
    const Timestamp first = all.front().at;
    const std::int64_t span = std::max<std::int64_t>(1, (all.back().at - first).micros);
    std::vector<Sample> chosen;
    std::size_t stretch = SIZE_MAX;
    for (const Sample& sample : all) {
        const auto mine =
            static_cast<std::size_t>(static_cast<double>((sample.at - first).micros) /
                                     static_cast<double>(span) * static_cast<double>(limit - 1));
        if (mine != stretch)
            chosen.push_back(sample);
        else if (sample.diskBytes() > chosen.back().diskBytes())
            chosen.back() = sample;
        stretch = mine;
    }
    return chosen;
}

Forecast forecast(const std::vector<Sample>& samples, std::uint64_t limitBytes) {
    Forecast result;
    if (samples.empty())
        return result;
    const Sample& last = samples.back();
    double n = 0, sumX = 0, sumY = 0, sumXX = 0, sumXY = 0;
    for (const Sample& sample : samples) {
        if ((last.at - sample.at).micros > day)
            continue;
        const double x = static_cast<double>((sample.at - last.at).micros) / 1e6;
        const double y = static_cast<double>(sample.diskBytes() + sample.indexBytes);
        n += 1, sumX += x, sumY += y, sumXX += x * x, sumXY += x * y;
    }
    const double spread = n * sumXX - sumX * sumX;
    if (n < 2 || spread <= 0)
        return result;
    result.bytesPerSecond = (n * sumXY - sumX * sumY) / spread;
    double left = static_cast<double>(last.freeBytes);
    if (limitBytes != 0)
        left = std::min(left, std::max(0.0, static_cast<double>(limitBytes) -
                                                static_cast<double>(last.diskBytes() + last.indexBytes)));
    constexpr double tenYears = 10 * 365.25 * 86'400;
    if (result.bytesPerSecond > 0 && left / result.bytesPerSecond < tenYears)
        result.fullAt.micros = last.at.micros + static_cast<std::int64_t>(left / result.bytesPerSecond * 1e6);
    return result;
}

} // namespace arbor
