// The index: an ordered map of byte strings kept by LevelDB on a Disk, opened with paranoid checks and every read
// verified. It holds the catalog, names, page runs, marks and the operation log; never page images.
//
// It is written by one synced batch at a time (DESIGN: LevelDB never receives an unsynced write). After any error
// of a write the handle is dead: every later call answers ReadOnly until the index is opened anew, because LevelDB
// may have left a half-written record in its log that would swallow what is written behind it.
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

// Walks keys in byte order over the state at its making. Not thread-safe. A damaged block ends the walk with an
// error: check status() whenever valid() turns false.
class IndexIterator {
  public:
    virtual ~IndexIterator() = default;
    virtual void seek(std::string_view key) = 0; // first key >= key
    virtual void next() = 0;
    virtual void previous() = 0;
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
    // Durable on return.
    virtual Status write(const IndexBatch& batch) = 0;
    // Rewrites everything compactly; for benchmarks and after a sweep.
    virtual Status compact() = 0;
    virtual Result<std::uint64_t> bytesOnDisk() const = 0;

    struct Options {
        std::size_t writeBufferBytes = 4u << 20;
        std::size_t blockCacheBytes = 32u << 20;
        // Runs LevelDB's background work; the default is one thread of the environment.
        std::function<void(std::function<void()>)> executor;
    };
    // Opens or creates the index in a directory. Before LevelDB sees it, the tail of its log is judged: a batch that
    // was torn by a power cut is cut off, a hole or damage before the end is Corruption and names the file.
    static Result<std::unique_ptr<Index>> open(Disk& disk, const std::string& directory, const Options& options);
};

} // namespace arbor
