#include "storage/engine/store.h"

#include "storage/format/keys.h"
#include "storage/format/records.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <random>

namespace arbor {

namespace {

constexpr int formatVersion = 1;
constexpr std::string_view formatTitle = "PgArbor store";

// "PgArbor store\nformat 1\nid 0123456789abcdef0123456789abcdef\n"
struct FormatFile {
    int version = 0;
    std::string id;
};

std::string encodeFormat(const FormatFile& format) {
    return fmt::format("{}\nformat {}\nid {}\n", formatTitle, format.version, format.id);
}

std::optional<std::string_view> lineAfter(std::string_view text, std::string_view label) {
    const auto at = text.find(label);
    if (at == std::string_view::npos)
        return std::nullopt;
    text.remove_prefix(at + label.size());
    return text.substr(0, text.find('\n'));
}

Result<FormatFile> readFormat(Disk& disk, const std::string& directory) {
    const std::string path = directory + "/FORMAT";
    auto text = readFile(disk, path);
    if (!text) {
        if (text.error().kind() == ErrorKind::NotFound)
            return makeError(ErrorKind::NotFound, "there is no store at {}", directory);
        return std::move(text).error();
    }
    const auto version = lineAfter(*text, "\nformat ");
    const auto id = lineAfter(*text, "\nid ");
    FormatFile format;
    if (!text->starts_with(formatTitle) || !version || !id ||
        std::from_chars(version->data(), version->data() + version->size(), format.version).ec != std::errc{})
        return makeError(ErrorKind::Corruption, "{} is not the format file of a store", path);
    if (format.version > formatVersion)
        return makeError(
            ErrorKind::Refused,
            "the store at {} has format {}, and this version knows formats up to {}: use a newer PgArbor",
            directory, format.version, formatVersion);
    format.id = *id;
    return format;
}

std::string randomId() {
    std::random_device device;
    std::string id;
    for (int i = 0; i < 4; ++i)
        id += fmt::format("{:08x}", device());
    return id;
}

} // namespace

Store::Store(Disk& disk, std::string directory, const Clock& clock, const Options& options)
    : m_disk(disk), m_directory(std::move(directory)), m_clock(clock), m_options(options) {}

namespace {

// Kept log segments are hard links. The names are those that a create which was cut off may leave.
Status checkHardLinks(Disk& disk, const std::string& directory) {
    const std::string file = directory + "/FORMAT.new", link = directory + "/LOCK";
    const auto removed = [&](const std::string& path) -> Status {
        return disk.info(path) ? disk.unlink(path) : Status();
    };
    ARBOR_TRY(removed(file));
    ARBOR_TRY(removed(link));
    ARBOR_TRY(disk.createAppend(file));
    const Status linked = disk.link(file, link);
    ARBOR_TRY(disk.unlink(file));
    if (!linked)
        return makeError(ErrorKind::Unsupported,
                         "a store cannot live at {}: its file system has no hard links ({}); choose a "
                         "directory on another one",
                         directory, linked.error().message());
    return disk.unlink(link);
}

} // namespace

Status Store::create(Disk& disk, const std::string& directory, const Options& options) {
    ARBOR_TRY(ensureDirectory(disk, directory));
    ARBOR_ASSIGN(const auto entries, disk.list(directory));
    if (std::find(entries.begin(), entries.end(), "FORMAT") != entries.end())
        return makeError(ErrorKind::AlreadyExists, "there is a store at {} already", directory);
    // what a create that was cut off has left may be there; anything else is somebody's
    for (const std::string& name : entries)
        if (name != "index" && name != "pages" && name != "LOCK" && name != "FORMAT.new" && name != "mnt")
            return makeError(ErrorKind::Refused,
                             "{} is not empty ({} is there): choose a new or an empty directory", directory,
                             name);
    ARBOR_TRY(checkHardLinks(disk, directory));
    ARBOR_ASSIGN(const std::uint64_t free, disk.freeBytes(directory));
    if (free < options.reserveBytes + options.segments.segmentBytes + options.segments.marginBytes)
        return makeError(
            ErrorKind::NoSpace, "a store needs at least {} MB of free space, {} has {} MB",
            (options.reserveBytes + options.segments.segmentBytes + options.segments.marginBytes) >> 20,
            directory, free >> 20);
    for (const char* name : {"index", "pages"}) {
        ARBOR_TRY(removeTree(disk, fmt::format("{}/{}", directory, name)));
        ARBOR_TRY(ensureDirectory(disk, fmt::format("{}/{}", directory, name)));
    }
    // the format file makes it a store; until it is there, nothing was made
    return replaceFile(disk, directory + "/FORMAT", encodeFormat({formatVersion, randomId()}));
}

Result<std::unique_ptr<Store>> Store::open(Disk& disk, const std::string& directory, const Clock& clock,
                                           const Options& options) {
    ARBOR_ASSIGN(const FormatFile format, readFormat(disk, directory));
    std::unique_ptr<Store> store(new Store(disk, directory, clock, options));
    store->m_id = format.id;
    auto lock = disk.lock(directory + "/LOCK");
    if (!lock) {
        if (lock.error().kind() == ErrorKind::Busy)
            return makeError(ErrorKind::Busy, "another engine has the store at {} open", directory);
        return std::move(lock).error();
    }
    store->m_lock = std::move(*lock);
    if (auto loaded = store->load(); !loaded)
        return std::move(loaded).error().during(fmt::format("opening the store at {}", directory));
    if (options.backgroundSync) {
        store->m_packer->packInBackground();
        store->m_thread = std::thread([raw = store.get()] { raw->syncLoop(); });
    }
    return store;
}

Status Store::load() {
    if (m_disk.info(reservePath()))
        m_reserveBytes = m_options.reserveBytes; // less, if it was drawn on: made whole below
    Index::Options options = m_options.index;
    options.makeRoom = [this] { return drawOnReserve(); };
    ARBOR_ASSIGN(m_index, Index::open(m_disk, m_directory + "/index", options));
    ARBOR_ASSIGN(const auto value, m_index->get(std::string(1, tag::marker)));
    Marker marker{0, {0}, {1}, {1}, {}};
    if (value) {
        ARBOR_ASSIGN(marker, decodeMarker(*value));
    }
    m_position = marker.position.value;
    m_nextInode = marker.nextInode.value;
    {
        const MutexLock lock(m_syncMutex);
        m_batch = marker.batch;
    }
    ARBOR_ASSIGN(m_segments, SegmentStore::open(m_disk, m_directory + "/pages", marker, m_options.segments));
    m_packer = std::make_unique<PagePacker>(*m_segments, m_options.heldPages);
    m_reserveBytes = 0;     // how much the one before us left is not known
    (void)restoreReserve(); // a full disk must not keep the store from opening
    return {};
}

Store::~Store() {
    {
        const MutexLock lock(m_queueMutex);
        m_stopping = true;
        m_queueChanged.notifyAll();
    }
    if (m_thread.joinable())
        m_thread.join();
}

void Store::join(SyncParticipant* participant) {
    const MutexLock lock(m_syncMutex);
    m_participants.push_back(participant);
}

void Store::leave(SyncParticipant* participant) {
    const MutexLock lock(m_syncMutex);
    std::erase(m_participants, participant);
}

Status Store::health() const {
    if (!m_failed)
        return {};
    const MutexLock lock(m_failureMutex);
    return makeError(ErrorKind::ReadOnly, "the store takes no more writes until it is opened anew: {}",
                     m_failure->message());
}

Status Store::firstFailure() const {
    const MutexLock lock(m_failureMutex);
    return m_failure ? Status(Error(*m_failure)) : Status();
}

void Store::fail(const Error& error) {
    {
        const MutexLock lock(m_failureMutex);
        if (m_failure)
            return;
        m_failure = std::make_unique<Error>(error);
        m_failed = true;
    }
    if (m_onFailure)
        m_onFailure(error);
}

Status Store::writeWithMarker(IndexBatch& batch) {
    Marker marker;
    marker.batch = m_batch + 1;
    marker.position = lastPosition();
    marker.nextInode = {m_nextInode.load()};
    m_segments->describe(marker);
    batch.put(std::string(1, tag::marker), encodeMarker(marker));
    ARBOR_TRY(m_index->write(batch));
    ++m_batch;
    return {};
}

Status Store::runSync() {
    const MutexLock lock(m_syncMutex);
    ARBOR_TRY(health());
    const std::uint64_t epoch = m_epoch.fetch_add(1);
    m_accumulated = 0;
    const std::uint64_t tickets = m_packer->nextTicket();
    IndexBatch batch;
    const auto write = [&]() ARBOR_REQUIRES(m_syncMutex) -> Status {
        for (SyncParticipant* participant : m_participants)
            ARBOR_TRY(participant->collect(batch));
        m_packer->forgetBefore(tickets); // the participants have packed them, and know where
        ARBOR_TRY(m_segments->sync());
        for (SyncParticipant* participant : m_participants)
            ARBOR_TRY(participant->makeDurable());
        if (!batch.empty()) // nothing was accepted since the last one: it stands
            ARBOR_TRY(writeWithMarker(batch));
        return {};
    };
    if (auto done = write(); !done) {
        fail(done.error());
        return done;
    }
    for (SyncParticipant* participant : m_participants)
        participant->durable();
    m_syncedEpoch = epoch;
    return {};
}

Status Store::writeBatch(IndexBatch& batch) {
    const MutexLock lock(m_syncMutex);
    ARBOR_TRY(health());
    auto done = m_segments->sync();
    if (done)
        done = writeWithMarker(batch);
    if (!done)
        fail(done.error());
    return done;
}

Status Store::sync() {
    if (!m_options.backgroundSync)
        return runSync();
    Mutex mutex;
    Condition changed;
    bool done = false;
    Status result;
    syncThen([&](Status status) {
        const MutexLock lock(mutex);
        result = std::move(status);
        done = true;
        changed.notifyAll();
    });
    const MutexLock lock(mutex);
    while (!done)
        changed.wait(mutex);
    return result;
}

void Store::syncThen(std::function<void(Status)> done) {
    if (!m_options.backgroundSync) {
        done(runSync());
        return;
    }
    const MutexLock lock(m_queueMutex);
    m_waiting.push_back(std::move(done));
    m_queueChanged.notifyAll();
}

void Store::accumulated(std::size_t bytes) {
    if (m_accumulated.fetch_add(bytes) + bytes < m_options.forcedSyncBytes || !m_options.backgroundSync)
        return;
    const MutexLock lock(m_queueMutex);
    m_forced = true;
    m_queueChanged.notifyAll();
}

// One sync answers all who asked before it began; whoever asks while it runs waits for the next.
void Store::syncLoop() {
    for (;;) {
        std::vector<std::function<void(Status)>> waiting;
        {
            const MutexLock lock(m_queueMutex);
            while (m_waiting.empty() && !m_forced && !m_stopping)
                m_queueChanged.wait(m_queueMutex);
            if (m_waiting.empty() && m_stopping)
                return;
            waiting.swap(m_waiting);
            m_forced = false;
        }
        const Status result = runSync();
        for (const auto& done : waiting)
            done(result);
    }
}

Status Store::verifyFormat() const {
    ARBOR_ASSIGN(const FormatFile format, readFormat(m_disk, m_directory));
    if (format.id != m_id)
        return makeError(ErrorKind::Corruption, "{}/FORMAT is that of another store", m_directory);
    return {};
}

Status Store::spendReserve() {
    const MutexLock lock(m_reserveMutex);
    return setAside(0);
}

Status Store::restoreReserve() {
    const MutexLock lock(m_reserveMutex);
    return isReserveWhole() ? Status() : setAside(m_options.reserveBytes);
}

// A piece is smaller than a segment of PostgreSQL's log: a server that waits for space to make one cannot
// take what the index was given.
bool Store::drawOnReserve() {
    const MutexLock lock(m_reserveMutex);
    if (m_reserveBytes == 0)
        return false;
    const auto kept = setAside(m_reserveBytes - reservePiece());
    spdlog::warn("the disk is full: the index draws on the reserve, {} bytes are left of it",
                 m_reserveBytes.load());
    return kept || kept.error().kind() == ErrorKind::NoSpace;
}

// The reserve made anew with so many bytes, or with as many as there are, in pieces.
Status Store::setAside(std::uint64_t bytes) {
    m_reserveBytes = 0;
    if (Status gone = m_disk.unlink(reservePath()); !gone && gone.error().kind() != ErrorKind::NotFound)
        return gone;
    Status made;
    for (; bytes > 0 && bytes >= reservePiece(); bytes /= 2) {
        const auto file = m_disk.createAppend(reservePath(), bytes);
        if (file) {
            m_reserveBytes = bytes;
            return m_disk.syncDirectory(m_directory + "/pages");
        }
        made = Error(file.error()).during("setting the reserve aside");
        if (made.error().kind() != ErrorKind::NoSpace)
            break;
    }
    return made;
}

} // namespace arbor
