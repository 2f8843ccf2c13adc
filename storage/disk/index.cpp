#include "storage/disk/index.h"

#include "storage/disk/leveldb_env.h"
#include "storage/disk/log_inspector.h"

#include <leveldb/cache.h>
#include <leveldb/comparator.h>
#include <leveldb/db.h>
#include <leveldb/iterator.h>
#include <leveldb/options.h>
#include <leveldb/table.h>
#include <leveldb/write_batch.h>

#include <atomic>

namespace arbor {

namespace {

// Erased, and never put, where a batch must get a certain shape:
//  1. A batch's last byte in the log is not zero: one that would end with a zero byte gets this erasure at
//  its end.
//  2. A batch that may hold a whole sector of zeros is followed by a batch of this erasure alone.
// So zeros at the end or in a sector of the last batch were left by a power cut, and no damaged byte can pass
// off an acknowledged batch as a torn one (log_file.cpp). The alternative, a marker behind every batch, costs
// every write a second sync; these two cost next to nothing.
constexpr std::string_view sealKey = "\xff";
// 512 less what LevelDB puts between keys and values: a run is counted over all of a batch, conservatively.
constexpr std::size_t longZeroRun = 400;

leveldb::Slice sliceOf(std::string_view text) {
    return {text.data(), text.size()};
}

std::string_view viewOf(const leveldb::Slice& slice) {
    return {slice.data(), slice.size()};
}

// Whether zeros run on for long somewhere in a batch; the few bytes between keys and values count as zeros.
bool hasLongZeroRun(const IndexBatch& batch) {
    std::size_t run = 0;
    const auto scan = [&run](std::string_view text) {
        for (const char c : text) {
            run = c == 0 ? run + 1 : 0;
            if (run >= longZeroRun)
                return true;
        }
        return false;
    };
    for (const IndexBatch::Entry& entry : batch.entries()) {
        if (scan(entry.key) || (entry.value && scan(*entry.value)))
            return true;
        run += 2;
    }
    return false;
}

// LevelDB encodes the last entry's key, or value, last; an empty one as the zero byte of its length.
bool endsWithZero(const IndexBatch& batch) {
    if (batch.empty())
        return true; // the count in the header
    const IndexBatch::Entry& last = batch.entries().back();
    const std::string& tail = last.value ? *last.value : last.key;
    return tail.empty() || tail.back() == '\0';
}

// Which tables cannot be read whole, for LevelDB's "block checksum mismatch" does not say; "" if none. Reads
// all of them; one that a compaction has removed meanwhile is not damaged.
std::string damagedTables(Disk& disk, leveldb::Env& env, const std::string& directory) {
    leveldb::Options options;
    options.env = &env;
    options.paranoid_checks = true;
    leveldb::ReadOptions reads;
    reads.verify_checksums = true;
    reads.fill_cache = false;
    const auto whole = [&](const std::string& path) {
        std::uint64_t size = 0;
        leveldb::RandomAccessFile* opened = nullptr;
        if (!env.GetFileSize(path, &size).ok() || !env.NewRandomAccessFile(path, &opened).ok())
            return false;
        const std::unique_ptr<leveldb::RandomAccessFile> file(opened);
        leveldb::Table* table = nullptr;
        if (!leveldb::Table::Open(options, file.get(), size, &table).ok())
            return false;
        const std::unique_ptr<leveldb::Table> owner(table);
        const std::unique_ptr<leveldb::Iterator> iterator(table->NewIterator(reads));
        for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
        }
        return iterator->status().ok();
    };
    std::string damaged;
    const auto names = disk.list(directory);
    if (!names)
        return directory;
    for (const std::string& name : *names) {
        const std::string path = directory + "/" + name;
        if ((name.ends_with(".ldb") || name.ends_with(".sst")) && !whole(path) && env.FileExists(path))
            damaged += (damaged.empty() ? "" : ", ") + path;
    }
    return damaged;
}

// What an open database consists of, in the order of making.
class LevelDb {
  public:
    LevelDb(Disk& disk, std::string directory, const Index::Options& options)
        : m_disk(disk), m_directory(std::move(directory)), m_env(disk, options.executor, options.makeRoom),
          m_cache(leveldb::NewLRUCache(options.blockCacheBytes)),
          m_writeBufferBytes(options.writeBufferBytes) {
        leveldb::Logger* logger = nullptr;
        m_env.NewLogger({}, &logger);
        m_logger.reset(logger);
    }
    ~LevelDb() {
        m_env.runBackgroundWorkHere();
        m_db.reset();
    }

    Status open() {
        ARBOR_TRY(ensureDirectory(m_disk, m_directory));
        ARBOR_TRY(m_env.lockEarly(m_directory + "/LOCK"));
        ARBOR_TRY(inspectIndexFiles(m_disk, m_directory));
        leveldb::Options options;
        options.create_if_missing = true;
        options.paranoid_checks = true;
        options.env = &m_env;
        options.info_log = m_logger.get();
        options.write_buffer_size = m_writeBufferBytes;
        options.block_cache = m_cache.get();
        options.reuse_logs = false;
        leveldb::DB* db = nullptr;
        const leveldb::Status opened = leveldb::DB::Open(options, m_directory, &db);
        m_db.reset(db);
        return opened.ok() ? Status() : Status(errorOf(opened).during("opening the index"));
    }

    leveldb::DB& db() const { return *m_db; }

    // Keeps the kind of a disk's error, and gives every corruption the name of a file.
    Error errorOf(const leveldb::Status& status) const {
        if (!status.IsCorruption())
            return arbor::errorOf(status);
        std::string text = status.ToString();
        if (text.find(m_directory) == std::string::npos)
            text += fmt::format(" in {}", damagedTablesOnce());
        return {ErrorKind::Corruption, text + ". Restore the store from a copy."};
    }

    Status verifyTables() const {
        const std::string damaged = damagedTables(m_disk, m_env, m_directory);
        if (damaged.empty())
            return {};
        return makeError(ErrorKind::Corruption,
                         "these tables of the index cannot be read: {}. Restore the store from a copy.",
                         damaged);
    }

  private:
    std::string damagedTablesOnce() const {
        const MutexLock lock(m_mutex);
        if (m_damagedTables.empty())
            m_damagedTables = damagedTables(m_disk, m_env, m_directory);
        return m_damagedTables.empty() ? m_directory : m_damagedTables;
    }

    Disk& m_disk;
    const std::string m_directory;
    mutable LevelDbEnv m_env;
    std::unique_ptr<leveldb::Logger> m_logger;
    const std::unique_ptr<leveldb::Cache> m_cache;
    const std::size_t m_writeBufferBytes;
    std::unique_ptr<leveldb::DB> m_db;
    mutable Mutex m_mutex;
    mutable std::string m_damagedTables ARBOR_GUARDED_BY(m_mutex); // empty: not looked for yet
};

leveldb::ReadOptions verified() {
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    return options;
}

class LevelDbIterator final : public IndexIterator {
  public:
    LevelDbIterator(const LevelDb& leveldb, std::atomic<bool>& dead)
        : m_leveldb(leveldb), m_dead(dead), m_iterator(leveldb.db().NewIterator(verified())) {}

    void seek(std::string_view key) override {
        m_iterator->Seek(sliceOf(key));
        settle(true);
    }
    void next() override {
        m_iterator->Next();
        settle(true);
    }
    void previous() override {
        if (m_valid)
            m_iterator->Prev();
        else if (m_behindLast)
            m_iterator->SeekToLast();
        settle(false);
    }
    bool valid() const override { return m_valid; }
    std::string_view key() const override { return viewOf(m_iterator->key()); }
    std::string_view value() const override { return viewOf(m_iterator->value()); }
    Status status() const override { return m_status; }

  private:
    // LevelDB's iterator walks on over a block that it could not read, as if its keys were not there.
    void settle(bool forward) {
        const leveldb::Status now = m_iterator->status();
        if (!now.ok() && m_status) {
            m_status = m_leveldb.errorOf(now).during("reading the index");
            m_dead = true;
        }
        m_valid = m_status && m_iterator->Valid();
        m_behindLast = forward && m_status && !m_valid;
    }

    const LevelDb& m_leveldb;
    std::atomic<bool>& m_dead;
    const std::unique_ptr<leveldb::Iterator> m_iterator;
    Status m_status;
    bool m_valid = false;
    bool m_behindLast = false;
};

class LevelDbIndex final : public Index {
  public:
    LevelDbIndex(Disk& disk, std::string directory, const Options& options)
        : m_disk(disk), m_directory(directory), m_leveldb(disk, std::move(directory), options) {}

    Status open() { return m_leveldb.open(); }

    Result<std::optional<std::string>> get(std::string_view key) const override {
        std::string value;
        const leveldb::Status got = m_leveldb.db().Get(verified(), sliceOf(key), &value);
        if (got.ok())
            return std::optional(std::move(value));
        if (got.IsNotFound())
            return std::optional<std::string>();
        return fail(got, "reading the index");
    }

    std::unique_ptr<IndexIterator> iterate() const override {
        return std::make_unique<LevelDbIterator>(m_leveldb, m_dead);
    }

    Status write(const IndexBatch& batch) override {
        ARBOR_TRY(refuseIfDead());
        leveldb::WriteBatch out;
        for (const IndexBatch::Entry& entry : batch.entries()) {
            if (entry.key == sealKey)
                return makeError(ErrorKind::InvalidArgument, "the key 0xFF of the index is reserved");
            if (entry.value)
                out.Put(sliceOf(entry.key), sliceOf(*entry.value));
            else
                out.Delete(sliceOf(entry.key));
        }
        if (endsWithZero(batch))
            out.Delete(sliceOf(sealKey));
        ARBOR_TRY(writeSynced(out));
        return hasLongZeroRun(batch) ? seal() : Status();
    }

    Status compact() override {
        ARBOR_TRY(refuseIfDead());
        m_leveldb.db().CompactRange(nullptr, nullptr);
        return seal(); // the compaction's error, if there was one, comes out at a write only
    }

    Result<std::uint64_t> bytesOnDisk() const override {
        ARBOR_ASSIGN(const auto names, m_disk.list(m_directory));
        std::uint64_t bytes = 0;
        for (const std::string& name : names)
            if (const auto info = m_disk.info(m_directory + "/" + name)) // may be gone by now
                bytes += info->size;
        return bytes;
    }

    Status verifyTables() const override { return m_leveldb.verifyTables(); }

  private:
    Status refuseIfDead() const {
        if (m_dead)
            return makeError(ErrorKind::ReadOnly,
                             "the index takes no writes since an error; close the store and open it again");
        return {};
    }

    Error fail(const leveldb::Status& status, std::string_view doing) const {
        m_dead = true;
        return m_leveldb.errorOf(status).during(doing);
    }

    Status writeSynced(leveldb::WriteBatch& batch) {
        leveldb::WriteOptions options;
        options.sync = true;
        const leveldb::Status written = m_leveldb.db().Write(options, &batch);
        return written.ok() ? Status() : Status(fail(written, "writing the index"));
    }

    Status seal() {
        leveldb::WriteBatch batch;
        batch.Delete(sliceOf(sealKey));
        return writeSynced(batch);
    }

    Disk& m_disk;
    const std::string m_directory;
    mutable std::atomic<bool> m_dead = false;
    LevelDb m_leveldb;
};

} // namespace

void IndexBatch::put(std::string_view key, std::string_view value) {
    m_bytes += key.size() + value.size();
    m_entries.push_back({std::string(key), std::string(value)});
}

void IndexBatch::erase(std::string_view key) {
    m_bytes += key.size();
    m_entries.push_back({std::string(key), std::nullopt});
}

void IndexBatch::clear() {
    m_entries.clear();
    m_bytes = 0;
}

void IndexBatch::append(const IndexBatch& other) {
    m_entries.insert(m_entries.end(), other.m_entries.begin(), other.m_entries.end());
    m_bytes += other.m_bytes;
}

Result<std::unique_ptr<Index>> Index::open(Disk& disk, const std::string& directory, const Options& options) {
    auto index = std::make_unique<LevelDbIndex>(disk, directory, options);
    ARBOR_TRY(index->open());
    return index;
}

} // namespace arbor
