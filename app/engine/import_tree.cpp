#include "app/engine/import_tree.h"

#include <algorithm>
#include <atomic>
#include <fcntl.h>
#include <mutex>
#include <optional>
#include <thread>

namespace arbor {

namespace {

constexpr unsigned mostThreads = 4;
constexpr std::size_t pieceBytes = 1u << 20;
constexpr std::int64_t tellAfterMicros = 500'000; // earlier figures say nothing

} // namespace

// Shared by the threads that copy.
class TreeCopy::Progress {
  public:
    Progress(Job& job, std::uint64_t total, double upTo)
        : m_job(job), m_total(total), m_upTo(upTo), m_throughput(m_clock, total) {}

    Status advance(std::size_t bytes) {
        if (m_job.cancelRequested())
            return makeError(ErrorKind::Cancelled, "cancelled");
        const std::uint64_t done = m_done.fetch_add(bytes) + bytes;
        const double fraction = m_total == 0 ? 1 : static_cast<double>(done) / static_cast<double>(m_total);
        m_job.progress(fraction * m_upTo, QString::fromStdString("copying: " + m_throughput.text(done)),
                       static_cast<qint64>(done));
        return {};
    }
    void fail(Error error) {
        const std::lock_guard lock(m_mutex);
        if (!m_error)
            m_error = std::move(error);
        m_failed = true;
    }
    bool failed() const { return m_failed; }
    Status outcome() const { return m_error ? Status(*m_error) : Status(); }

  private:
    Job& m_job;
    const std::uint64_t m_total;
    const double m_upTo;
    const SystemClock m_clock;
    const Throughput m_throughput;
    std::atomic<std::uint64_t> m_done{0};
    std::atomic<bool> m_failed{false};
    std::mutex m_mutex;
    std::optional<Error> m_error;
};

Status TreeCopy::addTree(const std::string& from, InodeId to, DirectoryRole role) {
    ARBOR_ASSIGN(const auto names, m_disk.list(from));
    for (const std::string& name : names) {
        if (m_job.cancelRequested())
            return makeError(ErrorKind::Cancelled, "cancelled");
        if (hostDirectory(role, name, "") || isUnversioned(role, name))
            continue;
        if (role == DirectoryRole::Root && std::ranges::find(m_leftOut, name) != m_leftOut.end())
            continue;
        const std::string path = from + "/" + name;
        ARBOR_ASSIGN(const FileInfo info, m_disk.info(path));
        if (info.isDirectory) {
            ARBOR_ASSIGN(const InodeId made, addDirectory(to, name, info.mode));
            ARBOR_TRY(addTree(path, made, roleOfChild(role, name)));
        } else if (!info.isSymlink) { // a link is a tablespace's, which its owner adds, or leads outside
            ARBOR_TRY(addFile(path, to, name, info));
        }
    }
    return {};
}

Result<InodeId> TreeCopy::addDirectory(InodeId to, const std::string& name, std::uint32_t mode) {
    ARBOR_ASSIGN(const Attributes made, m_view.makeDirectory(to, name, mode, m_owner));
    return made.inode;
}

Status TreeCopy::addFile(const std::string& path, InodeId to, const std::string& name, const FileInfo& info) {
    ARBOR_ASSIGN(const Attributes made, m_view.createFile(to, name, info.mode, m_owner));
    m_files.push_back({path, made.inode, info.size});
    m_total += info.size;
    return {};
}

Status TreeCopy::copyFile(const File& file, Progress& progress, std::span<std::byte> buffer) {
    ARBOR_ASSIGN(const auto source, m_disk.openRead(file.path));
    ::posix_fadvise(source->descriptor(), 0, 0, POSIX_FADV_SEQUENTIAL);
    for (std::uint64_t at = 0; !progress.failed();) {
        ARBOR_ASSIGN(const std::size_t got, source->readAt(at, buffer));
        if (got == 0)
            break;
        ARBOR_TRY(m_view.write(file.inode, at, buffer.first(got), 0));
        at += got;
        ARBOR_TRY(progress.advance(got));
    }
    if (m_consume)
        ARBOR_TRY(m_disk.unlink(file.path));
    return {};
}

Status TreeCopy::copyContents(double upTo) {
    std::ranges::stable_sort(m_files, std::greater<>(), &File::size);
    Progress progress(m_job, m_total, upTo);
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        std::vector<std::byte> buffer(pieceBytes);
        for (std::size_t mine; !progress.failed() && (mine = next.fetch_add(1)) < m_files.size();)
            if (auto copied = copyFile(m_files[mine], progress, buffer); !copied)
                progress.fail(std::move(copied).error().during("copying " + m_files[mine].path));
    };
    std::vector<std::thread> threads;
    const unsigned count = std::clamp(std::thread::hardware_concurrency(), 1u, mostThreads);
    for (unsigned i = 1; i < count; ++i)
        threads.emplace_back(work);
    work();
    for (std::thread& thread : threads)
        thread.join();
    return progress.outcome();
}

Status syncTree(Disk& disk, const std::string& directory) {
    ARBOR_ASSIGN(const auto names, disk.list(directory));
    for (const std::string& name : names) {
        const std::string path = directory + "/" + name;
        ARBOR_ASSIGN(const FileInfo info, disk.info(path));
        if (info.isDirectory)
            ARBOR_TRY(syncTree(disk, path));
        else
            ARBOR_TRY(disk.syncFile(path));
    }
    return disk.syncDirectory(directory);
}

std::string Throughput::text(std::uint64_t done) const {
    std::string said = fmt::format("{} of {}", roundedSize(done), roundedSize(m_total));
    const std::int64_t micros = (m_clock.now() - m_begun).micros;
    if (micros < tellAfterMicros || done == 0)
        return said;
    const double rate = static_cast<double>(done) * 1e6 / static_cast<double>(micros);
    const double left = static_cast<double>(m_total - std::min(done, m_total)) / rate;
    return said + fmt::format(", {}/s, {:.0f} s left", roundedSize(static_cast<std::uint64_t>(rate)), left);
}

} // namespace arbor
