// What the tests of the index share.
#pragma once

#include "disk_support.h"

#include "storage/disk/index.h"

#include <deque>
#include <functional>
#include <map>
#include <mutex>

namespace arbor::test {

using Model = std::map<std::string, std::string>;

// Background work that happens when the test says: the same calls give the same operations on the disk. A
// test runs it between writes, so that no write ever waits for it.
class Steps {
  public:
    std::function<void(std::function<void()>)> executor() {
        return [jobs = m_jobs](std::function<void()> job) {
            const std::lock_guard lock(jobs->mutex);
            jobs->queue.push_back(std::move(job));
        };
    }
    void run() {
        for (;;) {
            std::function<void()> job;
            {
                const std::lock_guard lock(m_jobs->mutex);
                if (m_jobs->queue.empty())
                    return;
                job = std::move(m_jobs->queue.front());
                m_jobs->queue.pop_front();
            }
            job();
        }
    }

  private:
    struct Jobs {
        std::mutex mutex;
        std::deque<std::function<void()>> queue;
    };
    const std::shared_ptr<Jobs> m_jobs = std::make_shared<Jobs>(); // an index may outlive its test
};

inline Index::Options small() {
    return {.writeBufferBytes = 64 << 10, .blockCacheBytes = 256 << 10, .executor = {}};
}

inline Index::Options stepped(Steps& steps) {
    Index::Options options = small();
    options.executor = steps.executor();
    return options;
}

inline void applyTo(const IndexBatch& batch, Model& model) {
    for (const IndexBatch::Entry& entry : batch.entries())
        if (entry.value)
            model[entry.key] = *entry.value;
        else
            model.erase(entry.key);
}

// Everything in the index, or its error.
inline Result<Model> contents(const Index& index) {
    Model all;
    const auto iterator = index.iterate();
    for (iterator->seek(""); iterator->valid(); iterator->next())
        all[std::string(iterator->key())] = iterator->value();
    ARBOR_TRY(iterator->status());
    return all;
}

inline std::string keyOf(std::uint64_t n) {
    return fmt::format("P{:06}", n);
}

inline IndexBatch batchOf(std::string_view key, std::string_view value) {
    IndexBatch batch;
    batch.put(key, value);
    return batch;
}

// Of at most 35 KB: puts, erasures, sometimes a large value, sometimes one of zeros.
template <class Below>
IndexBatch randomBatch(Below& below) {
    IndexBatch batch;
    const std::uint64_t entries = 1 + below(8);
    for (std::uint64_t i = 0; i < entries; ++i) {
        const std::string key = keyOf(below(300));
        const char fill = below(3) == 0 ? '\0' : static_cast<char>('a' + below(26));
        if (below(6) == 0)
            batch.erase(key);
        else
            batch.put(key, std::string(below(i == 0 && below(10) == 0 ? 30'000 : 700), fill));
    }
    return batch;
}

// The newest log's path.
inline std::string newestLog(Disk& disk, const std::string& directory) {
    std::string newest;
    const auto names = disk.list(directory);
    if (names)
        for (const std::string& name : *names)
            if (name.ends_with(".log"))
                newest = std::max(newest, directory + "/" + name);
    return newest;
}

inline std::vector<std::string> filesEndingWith(Disk& disk, const std::string& directory,
                                                std::string_view suffix) {
    std::vector<std::string> paths;
    const auto names = disk.list(directory);
    if (names)
        for (const std::string& name : *names)
            if (name.ends_with(suffix))
                paths.push_back(directory + "/" + name);
    return paths;
}

} // namespace arbor::test
