// What a machine has, hidden from a test and everything that it starts, and from nobody else: mounts in a
// namespace of its own. They go with the last of these processes, whatever becomes of the test.
#pragma once

#include <QByteArray>
#include <QFile>
#include <QString>
#include <QTemporaryDir>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace arbor {

// Enters such a namespace, once; else why not. Before there are threads: they would stay outside.
inline QString whyNoPrivateMounts() {
    static const QString why = [] {
        if (::geteuid() != 0)
            return QStringLiteral("only root can hide what is installed");
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
            return QStringLiteral("no mounts of our own: %1")
                .arg(QString::fromLocal8Bit(std::strerror(errno)));
        return QString();
    }();
    return why;
}

// As long as it lives.
class Hidden {
  public:
    // A directory that is empty.
    static Hidden emptied(const char* directory) {
        return Hidden(directory, isAllowed() && ::mount("none", directory, "tmpfs", 0, "mode=755") == 0);
    }
    // A file with another content.
    static Hidden replaced(const char* file, const QByteArray& content) {
        const QTemporaryDir place;
        QFile other(place.filePath(QStringLiteral("other")));
        bool done = isAllowed() && other.open(QIODevice::WriteOnly) && other.write(content) == content.size();
        other.close();
        ::chmod(other.fileName().toLocal8Bit().constData(), 0644);
        done = done && bind(other.fileName().toLocal8Bit().constData(), file);
        return Hidden(file, done); // the file lives on as long as its mount
    }
    // A device that nobody may open.
    static Hidden closed(const char* device) {
        return Hidden(device,
                      isAllowed() && bind(device, device) &&
                          ::mount(nullptr, device, nullptr, MS_REMOUNT | MS_BIND | MS_NODEV, nullptr) == 0);
    }
    // /dev without one of its devices.
    static Hidden gone(const char* device) {
        namespace fs = std::filesystem;
        std::string old = (fs::temp_directory_path() / "arbor-dev-XXXXXX").string();
        bool done = isAllowed() && ::mkdtemp(old.data()) != nullptr && bind("/dev", old.c_str()) &&
                    ::mount("none", "/dev", "tmpfs", 0, "mode=755") == 0;
        for (const fs::directory_entry& entry :
             done ? fs::directory_iterator(old) : fs::directory_iterator()) {
            const fs::path here = fs::path("/dev") / entry.path().filename();
            if (here == device)
                continue;
            if (entry.is_symlink()) {
                fs::create_symlink(fs::read_symlink(entry.path()), here);
                continue;
            }
            if (entry.is_directory())
                fs::create_directory(here);
            else
                ::close(::open(here.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
            done = done && bind(entry.path().c_str(), here.c_str());
        }
        ::umount2(old.c_str(), MNT_DETACH);
        ::rmdir(old.c_str()); // nothing that removes what is in it: it may still be /dev
        return Hidden("/dev", done);
    }
    ~Hidden() { show(); }
    Hidden(Hidden&& other) noexcept
        : m_path(std::move(other.m_path)), m_done(std::exchange(other.m_done, false)) {}
    Hidden& operator=(Hidden&&) = delete;
    bool isDone() const { return m_done; }
    // As it was.
    void show() {
        if (std::exchange(m_done, false))
            ::umount2(m_path.c_str(), MNT_DETACH | UMOUNT_NOFOLLOW);
    }

  private:
    Hidden(const char* path, bool done) : m_path(path), m_done(done) {}
    // never on the machine itself
    static bool isAllowed() { return whyNoPrivateMounts().isEmpty(); }
    static bool bind(const char* what, const char* where) {
        return ::mount(what, where, nullptr, MS_BIND | MS_REC, nullptr) == 0;
    }
    std::string m_path;
    bool m_done = false;
};

} // namespace arbor
