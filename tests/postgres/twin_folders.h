// Files as a process on the mount makes and reads them, and the same random operations on two folders at
// once. For the client processes of MountFixture: what fails ends the process (EXPECT).
#pragma once

#include "tests/postgres/mount_support.h"

#include <dirent.h>
#include <linux/falloc.h>

#include <fstream>
#include <random>
#include <set>
#include <sstream>

namespace arbor::test {

inline int makeFile(const std::string& path, std::string_view content) {
    const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600);
    EXPECT(fd >= 0);
    EXPECT(write(fd, content.data(), content.size()) == static_cast<ssize_t>(content.size()));
    return fd;
}

inline std::string contentOf(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    EXPECT(file.good());
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

inline std::string contentOf(int fd) {
    std::string text(1 << 16, '\0');
    const ssize_t got = pread(fd, text.data(), text.size(), 0);
    EXPECT(got >= 0);
    text.resize(static_cast<std::size_t>(got));
    return text;
}

inline std::multiset<std::string> namesIn(const std::string& path) {
    DIR* directory = opendir(path.c_str());
    EXPECT(directory);
    std::multiset<std::string> names;
    while (const dirent* entry = readdir(directory))
        names.insert(entry->d_name);
    closedir(directory);
    return names;
}

// One of random operations that are done alike on the mount and on a plain folder.
class TwinFolders {
  public:
    TwinFolders(std::string one, std::string other, unsigned seed)
        : m_folders{std::move(one), std::move(other)}, m_random(seed) {
        for (const std::string& folder : m_folders)
            EXPECT(mkdir(folder.c_str(), 0700) == 0);
    }

    void step() {
        const std::string name = "/f" + std::to_string(pick(12));
        switch (pick(12)) {
        case 0:
        case 1:
        case 2:
            return writeSome(name);
        case 3:
        case 4:
            return readSome(name);
        case 5:
            return both([&](const std::string& path) { return unlink((path + name).c_str()); });
        case 6: {
            const std::string other = "/f" + std::to_string(pick(12));
            return both([&](const std::string& path) {
                return rename((path + name).c_str(), (path + other).c_str());
            });
        }
        case 7: {
            const off_t size = pick(200000);
            return both([&](const std::string& path) { return truncate((path + name).c_str(), size); });
        }
        case 8: {
            const off_t from = pick(100000), length = 1 + pick(50000);
            const int modes[] = {0, FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE};
            const int mode = modes[pick(3)];
            return both([&](const std::string& path) {
                const int fd = open((path + name).c_str(), O_RDWR);
                const int result = fd < 0 ? -1 : fallocate(fd, mode, from, length);
                if (fd >= 0)
                    close(fd);
                return result;
            });
        }
        case 9:
            return both(
                [&](const std::string& path) { return mkdir((path + "/d" + name.substr(2)).c_str(), 0700); });
        case 10:
            return both(
                [&](const std::string& path) { return rmdir((path + "/d" + name.substr(2)).c_str()); });
        default:
            return both([&](const std::string& path) {
                struct stat info {};
                return stat((path + name).c_str(), &info) == 0 ? static_cast<int>(info.st_size) : -1;
            });
        }
    }

    void compareAll() {
        EXPECT(namesIn(m_folders[0]) == namesIn(m_folders[1]));
        for (int i = 0; i < 12; ++i) {
            const std::string name = "/f" + std::to_string(i);
            if (access((m_folders[0] + name).c_str(), F_OK) == 0)
                EXPECT(contentOf(m_folders[0] + name) == contentOf(m_folders[1] + name));
        }
    }

  private:
    int pick(int below) { return static_cast<int>(m_random() % static_cast<unsigned>(below)); }

    template <class Operation>
    void both(const Operation& operation) {
        int results[2], errors[2];
        for (int i = 0; i < 2; ++i) {
            errno = 0;
            results[i] = operation(m_folders[i]);
            errors[i] = errno;
        }
        EXPECT(results[0] == results[1]);
        EXPECT(results[0] != -1 || errors[0] == errors[1]);
    }
    void writeSome(const std::string& name) {
        const bool whole = pick(2) == 0;
        const off_t offset = whole ? 8192 * pick(20) : pick(150000);
        const std::string bytes(whole ? 8192 * static_cast<std::size_t>(1 + pick(4))
                                      : 1 + static_cast<std::size_t>(pick(20000)),
                                static_cast<char>('a' + pick(26)));
        const int flags = O_RDWR | O_CREAT | (pick(10) == 0 ? O_TRUNC : 0) | (pick(10) == 0 ? O_APPEND : 0);
        const bool sync = pick(8) == 0;
        both([&](const std::string& path) {
            const int fd = open((path + name).c_str(), flags, 0600);
            EXPECT(fd >= 0);
            const auto written = static_cast<int>(pwrite(fd, bytes.data(), bytes.size(), offset));
            if (sync)
                EXPECT(fsync(fd) == 0);
            close(fd);
            return written;
        });
    }
    void readSome(const std::string& name) {
        const off_t offset = pick(200000);
        std::string bytes[2];
        int turn = 0;
        const auto size = static_cast<std::size_t>(1 + pick(60000));
        both([&](const std::string& path) {
            std::string& into = bytes[turn++];
            into.assign(size, '\0');
            const int fd = open((path + name).c_str(), O_RDONLY);
            if (fd < 0)
                return -1;
            const auto got = static_cast<int>(pread(fd, into.data(), size, offset));
            close(fd);
            return got;
        });
        EXPECT(bytes[0] == bytes[1]);
    }

    std::string m_folders[2];
    std::mt19937 m_random;
};

} // namespace arbor::test
