// What tests of the engine share: a log that is a number, a home for unversioned files, an engine on any
// disk.
#pragma once

#include "storage/engine/engine.h"

#include <atomic>
#include <map>
#include <memory>
#include <string>

namespace arbor::test {

// A clock that a test turns.
class ManualClock final : public Clock {
  public:
    Timestamp now() const override { return {m_now.load()}; }
    void advance(Duration by) { m_now += by.micros; }

  private:
    std::atomic<std::int64_t> m_now{Timestamp::parseIso("2026-01-01T00:00:00Z")->micros};
};

// The logs of all timelines: each is the LSN where it ends. Tests move it on as Postgres would by writing
// records.
class FakeLogs {
  public:
    void append(TimelineId timeline, std::uint64_t bytes) {
        const MutexLock lock(m_mutex);
        m_ends[timeline].value += bytes;
    }
    Lsn end(TimelineId timeline, Lsn fork) {
        const MutexLock lock(m_mutex);
        Lsn& end = m_ends[timeline];
        end = std::max(end, fork);
        return end;
    }

  private:
    Mutex m_mutex;
    std::map<TimelineId, Lsn> m_ends ARBOR_GUARDED_BY(m_mutex);
};

class FakeFollower final : public LogFollower {
  public:
    FakeFollower(FakeLogs& logs, const LogPlace& place) : m_logs(logs), m_place(place) {}
    Result<Lsn> advance(Effort) override {
        return m_logs.end(m_place.timeline, std::max(m_place.fork.lsn, Lsn{1000}));
    }
    std::uint64_t commits() const override { return 0; }
    void collect(IndexBatch&) override {}
    Status syncKept() override { return {}; }
    Status syncLog(Lsn) override { return {}; }
    void durable() override {}
    std::string refusal() const override { return {}; }
    Status prepareStart(Bytes, bool) override { return {}; }
    Status forgetBefore(Lsn) override { return {}; }
    Result<LogAnswer> atLsn(Lsn, Lsn lsn) override { return LogAnswer{lsn, {}}; }
    Result<LogAnswer> atTime(Lsn, Timestamp) override { return unsupported(); }
    Result<LogAnswer> atXid(Lsn, std::uint64_t) override { return unsupported(); }
    Result<std::vector<WalMark>> marks(Lsn, Lsn, std::size_t) override { return std::vector<WalMark>(); }
    Result<std::vector<WalMarks::Point>> curve(Lsn, Lsn, std::size_t) override {
        return std::vector<WalMarks::Point>();
    }

  private:
    static Error unsupported() { return makeError(ErrorKind::Unsupported, "a fake log knows LSNs only"); }
    FakeLogs& m_logs;
    const LogPlace m_place;
};

class MemoryLooseFile final : public LooseFile {
  public:
    Result<std::size_t> read(std::uint64_t offset, MutableBytes into) override {
        if (offset >= m_bytes.size())
            return 0;
        const std::size_t bytes = std::min<std::size_t>(into.size(), m_bytes.size() - offset);
        std::memcpy(into.data(), m_bytes.data() + offset, bytes);
        return bytes;
    }
    Status write(std::uint64_t offset, Bytes bytes) override {
        if (m_bytes.size() < offset + bytes.size())
            m_bytes.resize(offset + bytes.size());
        std::memcpy(m_bytes.data() + offset, bytes.data(), bytes.size());
        return {};
    }
    Status truncate(std::uint64_t size) override {
        m_bytes.resize(size);
        return {};
    }
    std::uint64_t size() const override { return m_bytes.size(); }

  private:
    std::string m_bytes;
};

// Options for an engine that needs no PostgreSQL. Small segments and no threads, so that a test meets every
// border and a power cut reproduces from its seed.
inline Engine::Options fakeOptions(FakeLogs& logs, bool threads = false) {
    Engine::Options options;
    options.store.backgroundSync = threads;
    options.store.reserveBytes = 256u << 10;
    options.store.segments.segmentBytes = 256u << 10;
    options.store.segments.bufferBytes = 32u << 10;
    options.store.segments.marginBytes = 256u << 10;
    options.store.index.writeBufferBytes = 64u << 10;
    options.store.index.blockCacheBytes = 1u << 20;
    options.followers = [&logs](Engine&, const LogPlace& place) -> Result<std::unique_ptr<LogFollower>> {
        return std::unique_ptr<LogFollower>(new FakeFollower(logs, place));
    };
    options.places = [](Engine&, TimelineId timeline) {
        return HostPlaces{
            [timeline](const std::string& name) { return fmt::format("/host/{}/{}", timeline, name); },
            []() -> Result<std::unique_ptr<LooseFile>> { return std::make_unique<MemoryLooseFile>(); }};
    };
    return options;
}

// Text as bytes, and a page of a repeated, somewhat compressible pattern.
inline Bytes bytesOf(std::string_view text) {
    return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string pageOf(std::uint64_t seed) {
    std::string page(blockSize, '\0');
    std::uint64_t state = seed * 0x9E3779B97F4A7C15ull + 1;
    for (std::size_t i = 0; i < page.size(); i += 8) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        const std::uint64_t word = seed % 3 == 0 ? state : state & 0x00FF00000000FFFFull;
        std::memcpy(page.data() + i, &word, 8);
    }
    return page;
}
inline Result<std::string> readAll(BranchView& view, InodeId inode) {
    ARBOR_ASSIGN(const Attributes attributes, view.attributes(inode));
    std::string content(attributes.size, '\0');
    ARBOR_ASSIGN(const std::size_t got, view.read(inode, 0, std::as_writable_bytes(std::span(content))));
    content.resize(got);
    return content;
}

} // namespace arbor::test
