// The index: an ordered map of byte strings kept by LevelDB on a Disk, opened with paranoid checks and every
// read verified. It holds the catalog, names, page runs, marks and the operation log; never page images.
//
// It is written by one synced batch at a time (LevelDB never receives an unsynced write). After any
// error of LevelDB, of a write or of a read, the handle is dead: write() and compact() answer ReadOnly until
// the index is opened anew, because LevelDB may have left a half-written record in its log that would swallow
// what is written behind it. Reads go on and see exactly the batches that were acknowledged. Whether the
// batch that failed is there is known after the reopening: whole or not at all.
#pragma once

#include "storage/disk/disk.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace arbor {

// Puts and erases that become durable together. A later entry for a key wins over an earlier one.
class IndexBatch {
  public:
    void put(std::string_view key, std::string_view value);
    void erase(std::string_view key);
    void clear();
    bool empty() const { return m_entries.empty(); }
    std::size_t bytes() const { return m_bytes; }
    void append(const IndexBatch& other);

    struct Entry {
        std::string key;
        std::optional<std::string> value; // nothing: erase
    };
    const std::vector<Entry>& entries() const { return m_entries; }

  private:
    std::vector<Entry> m_entries;
    std::size_t m_bytes = 0;
};

// Walks keys in byte order over the state at its making. Not thread-safe; must be gone before its index. A
// damaged block ends the walk with an error: check status() whenever valid() turns false. A new iterator is
// not valid.
class IndexIterator {
  public:
    virtual ~IndexIterator() = default;
    virtual void seek(std::string_view key) = 0; // first key >= key
    virtual void next() = 0;                     // only while valid
    virtual void previous() = 0;                 // while valid, or from behind the last key: to the last key
    virtual bool valid() const = 0;
    virtual std::string_view key() const = 0;   // until the iterator moves
    virtual std::string_view value() const = 0; // until the iterator moves
    virtual Status status() const = 0;
};

// Thread-safe; write() is serialised by the caller.
class Index {
  public:
    virtual ~Index() = default;
    // Nothing when there is no such key.
    virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;
    virtual std::unique_ptr<IndexIterator> iterate() const = 0;
    // Durable on return. The key "\xff" is the index's own (see index.cpp): InvalidArgument.
    virtual Status write(const IndexBatch& batch) = 0;
    // Rewrites everything compactly; for benchmarks and after a sweep. Waits for the executor.
    virtual Status compact() = 0;
    virtual Result<std::uint64_t> bytesOnDisk() const = 0;
    // Reads every table anew, past the cache; Corruption names those that cannot be read. The index lives on.
    virtual Status verifyTables() const = 0;

    struct Options {
        std::size_t writeBufferBytes = 4u << 20;
        std::size_t blockCacheBytes = 32u << 20;
        // Runs LevelDB's background work; the default is one thread of the environment. It must not run it
        // inside the call, and open(), write() and compact() may wait for it; the destructor does not.
        std::function<void(std::function<void()>)> executor{};
        // Asked when the disk has no room for what is being written; true: there may be some now. From any
        // thread. So a disk that others have filled does not end the handle.
        std::function<bool()> makeRoom{};
    };
    // Opens or creates the index in a directory. Before LevelDB sees it, the tail of its log is judged: a
    // batch that was torn by a power cut is cut off, a hole or damage before the end is Corruption and names
    // the file.
    static Result<std::unique_ptr<Index>> open(Disk& disk, const std::string& directory,
                                               const Options& options);
};

} // namespace arbor
