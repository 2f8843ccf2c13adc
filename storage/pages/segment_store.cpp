#include "storage/pages/segment_store.h"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstring>

namespace arbor {

namespace {

constexpr std::string_view suffix = ".seg";

// "0000000042.seg" -> 42
std::optional<SegmentId> segmentOfName(std::string_view name) {
    if (!name.ends_with(suffix))
        return std::nullopt;
    name.remove_suffix(suffix.size());
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (error != std::errc{} || end != name.data() + name.size() || number == 0)
        return std::nullopt;
    return SegmentId{number};
}

} // namespace

SegmentStore::SegmentStore(Disk& disk, std::string directory, const Options& options)
    : m_disk(disk), m_directory(std::move(directory)), m_options(options) {}

SegmentStore::~SegmentStore() {
    // give back what was preallocated behind the last image; the bytes themselves are settled by the next
    // open
    for (Appender& appender : m_appenders) {
        const MutexLock lock(appender.mutex);
        if (!appender.file || m_broken || !flush(appender))
            continue;
        const std::uint64_t size = appender.file->size();
        appender.file.reset();
        (void)m_disk.truncate(pathOf(appender.segment), size);
    }
}

std::string SegmentStore::pathOf(SegmentId segment) const {
    return fmt::format("{}/{:010}{}", m_directory, segment.value, suffix);
}

Result<std::unique_ptr<SegmentStore>> SegmentStore::open(Disk& disk, std::string directory,
                                                         const Marker& marker, const Options& options) {
    std::unique_ptr<SegmentStore> store(new SegmentStore(disk, std::move(directory), options));
    ARBOR_ASSIGN(const auto names, disk.list(store->m_directory));
    const MutexLock lock(store->m_filesMutex);
    bool removed = false;
    for (const std::string& name : names) {
        const auto segment = segmentOfName(name);
        if (!segment)
            continue;
        if (*segment >= marker.nextSegment) { // begun after the last sync: nothing in it exists
            ARBOR_TRY(disk.unlink(store->pathOf(*segment)));
            removed = true;
            continue;
        }
        ARBOR_ASSIGN(const FileInfo info, disk.info(store->pathOf(*segment)));
        store->m_sizes[*segment] = info.size;
    }
    for (const Marker::SegmentEnd& end : marker.ends) {
        const auto found = store->m_sizes.find(end.segment);
        if (found == store->m_sizes.end())
            continue; // swept since
        if (found->second < end.bytes)
            return makeError(ErrorKind::Corruption, "segment {} has {} bytes, but {} were made durable",
                             store->pathOf(end.segment), found->second, end.bytes);
        // also gives back what was preallocated
        ARBOR_TRY(disk.truncate(store->pathOf(end.segment), end.bytes));
        // the next marker does not name this segment: a dead tail must not come back behind it
        if (found->second > end.bytes)
            ARBOR_TRY(disk.syncFile(store->pathOf(end.segment)));
        found->second = end.bytes;
    }
    if (removed)
        ARBOR_TRY(disk.syncDirectory(store->m_directory));
    store->m_nextSegment = std::max<std::uint64_t>(1, marker.nextSegment.value);
    store->m_syncedNext = {store->m_nextSegment.load()};
    return store;
}

Error SegmentStore::brokenError() const {
    return makeError(ErrorKind::ReadOnly,
                     "the store takes no more writes since a write to {} failed; it must be opened anew",
                     m_directory);
}

// Begins another segment, which takes over what the current one has promised, and ends that one. On an error
// of the former the current one stays.
Status SegmentStore::begin(Stream stream, Appender& appender) {
    if (stream == Stream::Write) {
        ARBOR_ASSIGN(const std::uint64_t free, m_disk.freeBytes(m_directory));
        if (free < m_options.segmentBytes + m_options.marginBytes)
            return makeError(ErrorKind::NoSpace,
                             "no space for another segment of {} MB below {}: free some space or run a sweep",
                             m_options.segmentBytes >> 20, m_directory);
    }
    const SegmentId segment{m_nextSegment.fetch_add(1)};
    const std::string path = pathOf(segment);
    auto file = m_disk.createAppend(path, m_options.segmentBytes);
    if (!file) {
        (void)m_disk.unlink(path);
        return std::move(file).error().during("beginning a segment");
    }
    const std::uint64_t roomGained = appender.file ? appender.size() : m_options.segmentBytes;
    ARBOR_TRY(finish(appender));
    appender.segment = segment;
    appender.file = std::move(*file);
    appender.bufferAt = 0;
    appender.buffer.clear();
    m_activeSegments[stream == Stream::Write ? 0 : 1] = segment.value;
    {
        const MutexLock lock(m_filesMutex);
        m_sizes[segment] = 0;
    }
    appender.room += roomGained;
    return {};
}

Status SegmentStore::flush(Appender& appender) {
    if (appender.buffer.empty())
        return {};
    if (m_broken)
        return brokenError();
    if (auto done = appender.file->append(std::as_bytes(std::span(appender.buffer))); !done) {
        m_broken = true;
        return std::move(done).error().during("writing page images");
    }
    appender.bufferAt += appender.buffer.size();
    appender.buffer.clear();
    const MutexLock lock(m_filesMutex);
    m_sizes[appender.segment] = appender.bufferAt;
    return {};
}

// Ends the current segment; its sync is still owed.
Status SegmentStore::finish(Appender& appender) {
    if (!appender.file)
        return {};
    ARBOR_TRY(flush(appender));
    appender.full.push_back({appender.segment, std::move(appender.file), appender.bufferAt, true});
    appender.file.reset();
    appender.segment = {};
    return {};
}

bool SegmentStore::takeRoom(Appender& appender, std::size_t bytes) {
    std::uint64_t room = appender.room;
    while (room >= bytes)
        if (appender.room.compare_exchange_weak(room, room - bytes))
            return true;
    return false;
}

bool SegmentStore::promiseImage() {
    return takeRoom(appenderOf(Stream::Write), maxImageBytes);
}

template <class Fill>
Result<ImageLocation> SegmentStore::appendWith(Stream stream, std::uint32_t units, bool isPromised,
                                               Fill fill) {
    Appender& appender = appenderOf(stream);
    const std::size_t bytes = std::size_t{units} * ImageLocation::unitBytes;
    const MutexLock lock(appender.mutex);
    if (m_broken)
        return brokenError();
    if (isPromised) {
        appender.room += maxImageBytes - bytes;
    } else if (!takeRoom(appender, bytes)) {
        ARBOR_TRY(begin(stream, appender));
        appender.room -= bytes; // at most half of it is promised
    }
    if (appender.buffer.size() + bytes > m_options.bufferBytes)
        ARBOR_TRY(flush(appender));
    const std::uint64_t at = appender.size();
    appender.buffer.resize(appender.buffer.size() + bytes);
    fill(reinterpret_cast<std::byte*>(appender.buffer.data() + (at - appender.bufferAt)));
    return ImageLocation(appender.segment, static_cast<std::uint32_t>(at / ImageLocation::unitBytes), units);
}

Result<ImageLocation> SegmentStore::append(Stream stream, const ImageHeader& header,
                                           const PreparedPage& page) {
    return appendWith(stream, page.units(), false, [&](std::byte* into) { page.writeImage(header, into); });
}

Result<ImageLocation> SegmentStore::appendPromised(const ImageHeader& header, const PreparedPage& page) {
    return appendWith(Stream::Write, page.units(), true,
                      [&](std::byte* into) { page.writeImage(header, into); });
}

Result<ImageLocation> SegmentStore::appendImage(Stream stream, Bytes image) {
    return appendWith(stream, static_cast<std::uint32_t>(image.size() / ImageLocation::unitBytes), false,
                      [&](std::byte* into) { std::memcpy(into, image.data(), image.size()); });
}

Result<std::shared_ptr<ReadableFile>> SegmentStore::readable(SegmentId segment) const {
    {
        const MutexLock lock(m_filesMutex);
        if (const auto found = m_files.find(segment); found != m_files.end()) {
            m_ages.splice(m_ages.begin(), m_ages, found->second.age);
            return found->second.file;
        }
        if (!m_sizes.contains(segment))
            return makeError(ErrorKind::NotFound, "segment {} is gone", pathOf(segment));
    }
    auto file = m_disk.openRead(pathOf(segment));
    if (!file)
        return std::move(file).error().during("opening a segment");
    const MutexLock lock(m_filesMutex);
    if (!m_sizes.contains(segment))
        return makeError(ErrorKind::NotFound, "segment {} is gone", pathOf(segment));
    if (!m_files.contains(segment)) {
        m_ages.push_front(segment);
        m_files[segment] = {*file, m_ages.begin()};
        if (m_files.size() > m_options.openFiles) {
            m_files.erase(m_ages.back());
            m_ages.pop_back();
        }
    }
    return std::move(*file);
}

bool SegmentStore::readBuffered(ImageLocation location, std::byte* into) const {
    for (std::size_t i = 0; i < m_appenders.size(); ++i) {
        if (m_activeSegments[i] != location.segment().value)
            continue;
        const Appender& appender = m_appenders[i];
        const MutexLock lock(appender.mutex);
        if (appender.segment != location.segment() || location.offset() < appender.bufferAt)
            return false;
        const std::uint64_t from = location.offset() - appender.bufferAt;
        if (from + location.bytes() > appender.buffer.size())
            return false;
        std::memcpy(into, appender.buffer.data() + from, location.bytes());
        return true;
    }
    return false;
}

namespace {

Error atPlace(Error error, const std::string& path, ImageLocation location) {
    return std::move(error).during(fmt::format("{} at offset {}", path, location.offset()));
}

} // namespace

Status SegmentStore::read(ImageLocation location, InodeId inode, BlockNumber block, Position position,
                          MutableBytes page) const {
    std::array<std::byte, maxImageBytes> image; // not initialised: filled below
    const MutableBytes into(image.data(), location.bytes());
    const ReadAhead::Found ahead = m_ahead.find(location.segment(), location.offset(), location.bytes());
    if (ahead.bytes.size() == location.bytes() && decodeImage(ahead.bytes, inode, block, position, page))
        return {};
    if (!readBuffered(location, image.data())) {
        ARBOR_ASSIGN(const auto file, readable(location.segment()));
        ARBOR_ASSIGN(const std::size_t got, file->readAt(location.offset(), into));
        if (got != into.size())
            return atPlace(makeError(ErrorKind::Corruption, "the segment ends within a page image"),
                           pathOf(location.segment()), location);
    }
    if (auto decoded = decodeImage(into, inode, block, position, page); !decoded)
        return atPlace(std::move(decoded).error(), pathOf(location.segment()), location);
    return {};
}

Status SegmentStore::readImage(ImageLocation location, std::string& image) const {
    image.resize(location.bytes());
    const MutableBytes into = std::as_writable_bytes(std::span(image));
    if (!readBuffered(location, into.data())) {
        ARBOR_ASSIGN(const auto file, readable(location.segment()));
        ARBOR_ASSIGN(const std::size_t got, file->readAt(location.offset(), into));
        if (got != into.size())
            return atPlace(makeError(ErrorKind::Corruption, "the segment ends within a page image"),
                           pathOf(location.segment()), location);
    }
    if (auto header = verifyImage(into); !header)
        return atPlace(std::move(header).error(), pathOf(location.segment()), location);
    return {};
}

Result<Bytes> SegmentStore::readStretch(SegmentId segment, std::uint64_t offset, std::size_t bytes,
                                        StretchBuffer& into) const {
    into.ahead = m_ahead.find(segment, offset, bytes);
    if (into.ahead.bytes.size() == bytes)
        return into.ahead.bytes;
    if (into.room.size() < bytes)
        into.room.resize(bytes);
    std::size_t done = 0;
    while (!into.ahead.bytes.empty()) { // of several pieces
        std::memcpy(into.room.data() + done, into.ahead.bytes.data(), into.ahead.bytes.size());
        done += into.ahead.bytes.size();
        into.ahead = m_ahead.find(segment, offset + done, bytes - done);
    }
    if (done < bytes) {
        const MutableBytes rest(into.room.data() + done, bytes - done);
        ARBOR_ASSIGN(const auto file, readable(segment));
        ARBOR_ASSIGN(const std::size_t got, file->readAt(offset + done, rest));
        if (got != rest.size())
            return makeError(ErrorKind::NotFound, "segment {} has no {} bytes at offset {} yet",
                             pathOf(segment), bytes, offset);
    }
    return Bytes(into.room.data(), bytes);
}

void SegmentStore::willNeed(SegmentId segment, std::uint64_t offset, std::uint64_t bytes) const {
    if (const auto file = readable(segment))
        m_ahead.begin(segment, **file, offset, offset + bytes);
}

Status SegmentStore::sync() {
    // A segment begun from here on is left to the next sync, whole: the marker must not know a later segment
    // and miss an earlier one.
    const SegmentId next{m_nextSegment.load()};
    std::vector<Unsynced> files;
    for (Appender& appender : m_appenders) {
        const MutexLock lock(appender.mutex);
        if (m_broken)
            return brokenError();
        for (auto full = appender.full.begin(); full != appender.full.end();) {
            if (full->segment < next) {
                files.push_back(std::move(*full));
                full = appender.full.erase(full);
            } else {
                ++full;
            }
        }
        if (appender.file && appender.segment < next) {
            ARBOR_TRY(flush(appender));
            files.push_back({appender.segment, appender.file, appender.bufferAt, false});
        }
    }
    bool created = false;
    for (const Unsynced& unsynced : files) {
        {
            const MutexLock lock(m_filesMutex);
            const auto known = m_ends.find(unsynced.segment);
            created = created || known == m_ends.end();
            if (known != m_ends.end() && known->second == unsynced.bytes)
                continue;
        }
        if (auto done = unsynced.file->sync(); !done) {
            m_broken = true;
            return std::move(done).error().during("syncing page images");
        }
    }
    if (created)
        if (auto done = m_disk.syncDirectory(m_directory); !done) {
            m_broken = true;
            return std::move(done).error().during("syncing the directory of segments");
        }
    const MutexLock lock(m_filesMutex);
    m_syncedNext = next;
    for (const SegmentId sealed :
         m_sealed) // the last marker named their ends; their files say the same from now on
        m_ends.erase(sealed);
    m_sealed.clear();
    for (const Unsynced& unsynced : files) {
        m_ends[unsynced.segment] = unsynced.bytes;
        if (unsynced.isFull) {
            m_sealed.push_back(unsynced.segment);
            if (unsynced.bytes + m_options.bufferBytes <
                m_options.segmentBytes) // sealed early: give back the rest
                (void)m_disk.truncate(pathOf(unsynced.segment), unsynced.bytes);
        }
    }
    return {};
}

void SegmentStore::describe(Marker& marker) const {
    const MutexLock lock(m_filesMutex);
    marker.nextSegment = m_syncedNext;
    marker.ends.clear();
    for (const auto& [segment, bytes] : m_ends)
        marker.ends.push_back({segment, bytes});
}

std::map<SegmentId, std::uint64_t> SegmentStore::segments() const {
    std::map<SegmentId, std::uint64_t> sizes;
    {
        const MutexLock lock(m_filesMutex);
        sizes = m_sizes;
    }
    for (const Appender& appender : m_appenders) {
        const MutexLock lock(appender.mutex);
        if (appender.file)
            sizes[appender.segment] = appender.size();
    }
    return sizes;
}

bool SegmentStore::isSealed(SegmentId segment) const {
    for (const Appender& appender : m_appenders) {
        const MutexLock lock(appender.mutex);
        if (appender.file && appender.segment == segment)
            return false;
        for (const Unsynced& full : appender.full)
            if (full.segment == segment)
                return false;
    }
    return true;
}

Status SegmentStore::seal(Stream stream) {
    Appender& appender = appenderOf(stream);
    const MutexLock lock(appender.mutex);
    if (!appender.file)
        return {};
    std::uint64_t unpromised = m_options.segmentBytes - appender.size();
    if (appender.room.compare_exchange_strong(unpromised, 0))
        return finish(appender);
    const Status begun = begin(stream, appender);
    return begun || begun.error().kind() == ErrorKind::NoSpace ? Status() : begun;
}

Status SegmentStore::remove(SegmentId segment) {
    {
        const MutexLock lock(m_filesMutex);
        m_sizes.erase(segment);
        m_ends.erase(segment);
        if (const auto found = m_files.find(segment); found != m_files.end()) {
            m_ages.erase(found->second.age);
            m_files.erase(found);
        }
    }
    return m_disk.unlink(pathOf(segment));
}

Status SegmentStore::syncDirectory() {
    return m_disk.syncDirectory(m_directory);
}

Status SegmentStore::walk(
    SegmentId segment, const std::function<Status(const ImageHeader&, ImageLocation, Bytes)>& visit) const {
    std::uint64_t size = 0;
    {
        const MutexLock lock(m_filesMutex);
        const auto found = m_sizes.find(segment);
        if (found == m_sizes.end())
            return makeError(ErrorKind::NotFound, "segment {} is gone", pathOf(segment));
        size = found->second;
    }
    ARBOR_ASSIGN(const auto file, m_disk.openRead(pathOf(segment)));
    // a window that slides over the file; an image never spans more than maxImageBytes
    std::string window(1u << 20, '\0');
    std::uint64_t windowAt = 0;
    std::size_t windowBytes = 0;
    for (std::uint64_t at = 0; at < size;) {
        const ImageLocation here(segment, static_cast<std::uint32_t>(at / ImageLocation::unitBytes), 0);
        const std::uint64_t left = std::min<std::uint64_t>(size - at, maxImageBytes);
        if (at + left > windowAt + windowBytes) {
            const auto into = std::as_writable_bytes(std::span(window));
            ARBOR_ASSIGN(windowBytes, file->readAt(at, into));
            windowAt = at;
        }
        const Bytes begin =
            std::as_bytes(std::span(window)).subspan(at - windowAt, windowBytes - (at - windowAt));
        const std::size_t bytes = imageBytesAt(begin);
        if (bytes == 0 || bytes > begin.size() || at + bytes > size)
            return atPlace(makeError(ErrorKind::Corruption, "there is no page image"), pathOf(segment), here);
        const Bytes image = begin.first(bytes);
        const auto header = verifyImage(image);
        if (!header)
            return atPlace(Error(header.error()), pathOf(segment), here);
        ARBOR_TRY(visit(*header,
                        ImageLocation(segment, here.offsetUnits(),
                                      static_cast<std::uint32_t>(bytes / ImageLocation::unitBytes)),
                        image));
        at += bytes;
    }
    return {};
}

} // namespace arbor
