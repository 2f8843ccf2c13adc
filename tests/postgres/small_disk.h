// A small filesystem of its own on a loop device, to fill up. Only root can have one.
#pragma once

#include <QProcess>
#include <QString>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <sys/stat.h>

namespace arbor {

class SmallDisk {
  public:
    explicit SmallDisk(std::uintmax_t bytes) {
        std::string pattern = (std::filesystem::temp_directory_path() / "arbor-disk-XXXXXX").string();
        m_folder = ::mkdtemp(pattern.data());
        ::chmod(m_folder.c_str(), 0711);
        std::filesystem::create_directory(place());
        std::ofstream(m_folder / "image").close();
        std::filesystem::resize_file(m_folder / "image", bytes);
        m_mounted = shell("mkfs.ext4 -q -m 0 image && mount -o loop image place") == 0;
        std::filesystem::permissions(place(), std::filesystem::perms::all);
    }
    ~SmallDisk() {
        if (m_mounted)
            shell("umount place || umount -l place");
        std::error_code ignored;
        std::filesystem::remove_all(m_folder, ignored);
    }
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;
    std::filesystem::path place() const { return m_folder / "place"; }
    bool isMounted() const { return m_mounted; }

  private:
    int shell(const QString& line) const {
        QProcess process;
        process.setWorkingDirectory(QString::fromStdString(m_folder));
        process.start("sh", {"-c", "PATH=$PATH:/sbin:/usr/sbin; " + line});
        process.waitForFinished(60'000);
        return process.exitCode();
    }
    std::filesystem::path m_folder;
    bool m_mounted = false;
};

} // namespace arbor
