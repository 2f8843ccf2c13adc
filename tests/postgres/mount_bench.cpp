// What a request through the mount costs, against a plain file of the same disk. Prints; asserts nothing.
// mount_bench MOUNTED-FOLDER PLAIN-FOLDER [MEGABYTES [PROCESSES]]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <random>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

constexpr std::size_t pageSize = 8192;

double seconds(const std::function<void()>& work) {
    const auto began = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
}

void require(bool condition) {
    if (!condition) {
        std::perror("mount_bench");
        std::exit(1);
    }
}

class Subject {
  public:
    Subject(const std::string& folder, off_t pages)
        : m_path(folder + "/bench." + std::to_string(getpid())), m_pages(pages) {
        m_file = open(m_path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
        require(m_file >= 0);
        for (off_t page = 0; page < m_pages; ++page)
            require(pwrite(m_file, m_page.data(), pageSize, page * static_cast<off_t>(pageSize)) == pageSize);
        require(fsync(m_file) == 0);
    }
    ~Subject() {
        close(m_file);
        unlink(m_path.c_str());
    }
    void drop() { posix_fadvise(m_file, 0, 0, POSIX_FADV_DONTNEED); }
    void readAll() {
        for (off_t page = 0; page < m_pages; ++page)
            require(pread(m_file, m_page.data(), pageSize, page * static_cast<off_t>(pageSize)) == pageSize);
    }
    void randomReads(int count) {
        posix_fadvise(m_file, 0, 0, POSIX_FADV_RANDOM);
        each(count, [&](off_t at) { return pread(m_file, m_page.data(), pageSize, at); });
        posix_fadvise(m_file, 0, 0, POSIX_FADV_NORMAL);
    }
    // Seconds, without the work in front of each.
    double randomWrites(int count, double work) {
        double written = 0;
        each(count, [&](off_t at) {
            for (const auto began = std::chrono::steady_clock::now();
                 std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() < work;) {
            }
            ssize_t done = 0;
            written += seconds([&] { done = pwrite(m_file, m_page.data(), pageSize, at); });
            return done;
        });
        return written;
    }

  private:
    void each(int count, const std::function<ssize_t(off_t)>& access) {
        std::mt19937 random(1);
        for (int i = 0; i < count; ++i)
            require(access(static_cast<off_t>(random() % static_cast<unsigned>(m_pages)) *
                           static_cast<off_t>(pageSize)) == pageSize);
    }

    std::string m_path;
    off_t m_pages;
    int m_file = -1;
    std::vector<char> m_page = std::vector<char>(pageSize, 'x');
};

void parallel(int processes, const std::function<void()>& work) {
    for (int i = 0; i < processes; ++i)
        if (fork() == 0) {
            work();
            _exit(0);
        }
    while (wait(nullptr) > 0) {
    }
}

void measure(const char* name, const std::string& folder, off_t megabytes, int processes) {
    const off_t pages = megabytes * 128;
    Subject file(folder, pages);
    constexpr int count = 20000;
    const double warm = (file.readAll(), seconds([&] { file.readAll(); }));
    file.drop();
    const double cold = seconds([&] { file.readAll(); });
    file.drop();
    const double reads = seconds([&] { file.randomReads(count); });
    const double writes = file.randomWrites(count, 0);
    const double writesBetweenWork = file.randomWrites(count, 40e-6);
    file.drop();
    const double manyReads = seconds([&] { parallel(processes, [&] { file.randomReads(count / 2); }); });
    std::printf("%-8s warm %7.0f MB/s  cold %7.0f MB/s  8 KB read %6.2f us  8 KB write %6.2f us, after "
                "40 us of work %6.2f us  "
                "%d processes: %6.2f us a read\n",
                name, static_cast<double>(megabytes) / warm, static_cast<double>(megabytes) / cold,
                reads / count * 1e6, writes / count * 1e6, writesBetweenWork / count * 1e6, processes,
                manyReads / (count / 2 * processes) * 1e6);
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3)
        return 2;
    const off_t megabytes = argc > 3 ? std::atol(argv[3]) : 256;
    const int processes = argc > 4 ? std::atoi(argv[4]) : 4;
    measure("mount", argv[1], megabytes, processes);
    measure("plain", argv[2], megabytes, processes);
}
