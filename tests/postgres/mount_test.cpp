// The mount as processes see it, over memory views.
#include "storage/fuse/mount_point.h"
#include "storage/fuse/node_table.h"
#include "tests/postgres/twin_folders.h"
#include "tests/support/memory_view.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/time.h>

#include <QRegularExpression>

#include <map>
#include <numeric>

using namespace arbor;
using namespace arbor::test;

namespace {

MountFixture::Way wayOfThisRun() {
    return qEnvironmentVariable("ARBOR_MOUNT_WAY") == "user" ? MountFixture::Way::User
                                                             : MountFixture::Way::Root;
}

// One page after another; the number of those that were taken.
int writePages(const std::string& path, int count) {
    const std::vector<char> page(8192, 'p');
    const int fd = open(path.c_str(), O_RDWR | O_CREAT, 0600);
    int done = 0;
    while (done < count && pwrite(fd, page.data(), page.size(), done % 64 * 8192) == 8192)
        ++done;
    close(fd);
    return done;
}

} // namespace

class MountTest : public QObject {
    Q_OBJECT

    std::unique_ptr<MountFixture> m_mount;

    const MountFixture& mount() const { return *m_mount; }

  private slots:
    void initTestCase() {
        const std::string obstacle = MountFixture(wayOfThisRun()).obstacle();
        if (!obstacle.empty())
            QSKIP(("NOTHING IS TESTED HERE: " + obstacle).c_str());
    }
    void init() {
        m_mount = std::make_unique<MountFixture>(wayOfThisRun());
        QVERIFY2(m_mount->start(), m_mount->firstAnswer().c_str());
    }
    void cleanup() { m_mount.reset(); }

    void requestsComeByRingWhereThatIsWantedAndCanBe() {
        const bool can = test::RingSwitch::wanted() && test::RingSwitch::isOn();
        QCOMPARE(m_mount->ask("rings"), std::string(can ? "yes" : "no"));
    }

    void theRootListsTimelinesAndTheirInodesDiffer() {
        CLIENT(mount(), {
            const std::multiset<std::string> expected{".", "..", "1", "2", "3"};
            EXPECT(namesIn(mount().mount()) == expected);
            std::set<ino_t> inodes;
            for (int id = 1; id <= 3; ++id) {
                struct stat info {};
                EXPECT(stat(mount().timeline(id).c_str(), &info) == 0);
                EXPECT(S_ISDIR(info.st_mode) && info.st_ino > 1000);
                inodes.insert(info.st_ino);
            }
            EXPECT(inodes.size() == 3);
            for (const char* name : {"/4", "/01", "/+1", "/x", "/18446744073709551616", "/1 "})
                EXPECT_ERRNO(access((mount().mount() + name).c_str(), F_OK), ENOENT);
            EXPECT_ERRNO(mkdir((mount().mount() + "/new").c_str(), 0700), EPERM);
            EXPECT_ERRNO(rmdir(mount().timeline().c_str()), EPERM);
            EXPECT_ERRNO(rename(mount().timeline(1).c_str(), (mount().timeline(2) + "/x").c_str()), EPERM);
        });
    }

    void aForkIsSeenWithoutANewMountAndARetiredTimelineIsGone() {
        CLIENT(mount(), { EXPECT_ERRNO(access(mount().timeline(7).c_str(), F_OK), ENOENT); });
        QCOMPARE(m_mount->ask("add 7"), std::string("done"));
        CLIENT(mount(), { close(makeFile(mount().timeline(7) + "/a", "here")); });
        QCOMPARE(m_mount->ask("retire 7"), std::string("done"));
        CLIENT(mount(), {
            EXPECT_ERRNO(access(mount().timeline(7).c_str(), F_OK), ENOENT);
            EXPECT_ERRNO(access((mount().timeline(7) + "/a").c_str(), F_OK), ENOENT);
        });
    }

    void filesAreCreatedForTheCallerWithItsMask() {
        CLIENT(mount(), {
            umask(027);
            const std::string path = mount().timeline() + "/f";
            const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0666);
            EXPECT(fd >= 0);
            struct stat info {};
            EXPECT(fstat(fd, &info) == 0);
            EXPECT((info.st_mode & 07777) == 0640 && info.st_uid == geteuid() && info.st_gid == getegid());
            EXPECT(info.st_nlink == 1 && info.st_size == 0 && info.st_blksize == 8192);
            EXPECT_ERRNO(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600), EEXIST);
            EXPECT_ERRNO(open((mount().timeline() + "/none").c_str(), O_RDONLY), ENOENT);
            EXPECT_ERRNO(open((path + "/x").c_str(), O_RDONLY), ENOTDIR);
            EXPECT(mknod((mount().timeline() + "/node").c_str(), S_IFREG | 0600, 0) == 0);
            EXPECT_ERRNO(mknod((mount().timeline() + "/fifo").c_str(), S_IFIFO | 0600, 0), EPERM);
            EXPECT_ERRNO(link(path.c_str(), (mount().timeline() + "/l").c_str()), EPERM);
            EXPECT(chown(path.c_str(), geteuid(), getegid()) == 0);
            EXPECT_ERRNO(chown(path.c_str(), geteuid() + 1, static_cast<gid_t>(-1)), EPERM);
            EXPECT(chmod(path.c_str(), 0400) == 0);
            EXPECT(stat(path.c_str(), &info) == 0 && (info.st_mode & 07777) == 0400);
            EXPECT_ERRNO(open(path.c_str(), O_RDWR), EACCES);
            const std::string long256(256, 'n');
            EXPECT_ERRNO(access((mount().timeline() + "/" + long256).c_str(), F_OK), ENAMETOOLONG);
        });
    }

    void othersAreKeptOutByPermissions() {
        if (geteuid() != 0)
            QSKIP("only root can try as another user");
        const pid_t child = fork();
        if (child == 0) {
            if (setgid(65534) != 0 || setuid(65534) != 0)
                _exit(2);
            _exit(access(mount().timeline().c_str(), F_OK) == -1 && errno == EACCES ? 0 : 1);
        }
        int status = 0;
        waitpid(child, &status, 0);
        QCOMPARE(status, 0);
    }

    void bytesAreReadBackAtAnyOffset() {
        CLIENT(mount(), {
            const int fd = makeFile(mount().timeline() + "/f", "");
            std::mt19937 random(7);
            std::string model(300000, '\0');
            EXPECT(ftruncate(fd, 300000) == 0);
            for (int i = 0; i < 500; ++i) {
                const std::size_t offset = random() % 280000;
                const std::string bytes(1 + random() % 20000, static_cast<char>(random()));
                EXPECT(pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset)) ==
                       static_cast<ssize_t>(bytes.size()));
                model.replace(offset, bytes.size(), bytes);
            }
            for (int i = 0; i < 500; ++i) {
                const std::size_t offset = random() % model.size();
                std::string bytes(1 + random() % 40000, '\0');
                const ssize_t got = pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
                EXPECT(got == static_cast<ssize_t>(std::min(bytes.size(), model.size() - offset)));
                EXPECT(bytes.substr(0, static_cast<std::size_t>(got)) == model.substr(offset, bytes.size()));
            }
            // and not only from the page cache
            EXPECT(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
            EXPECT(contentOf(mount().timeline() + "/f") == model);
        });
    }

    void renameReplacesAFileThatIsOpen() {
        CLIENT(mount(), {
            const std::string at = mount().timeline();
            const int older = makeFile(at + "/pg_control", "old");
            close(makeFile(at + "/new", "new"));
            EXPECT_ERRNO(renameat2(AT_FDCWD, (at + "/new").c_str(), AT_FDCWD, (at + "/pg_control").c_str(),
                                   RENAME_NOREPLACE),
                         EEXIST);
            EXPECT_ERRNO(renameat2(AT_FDCWD, (at + "/new").c_str(), AT_FDCWD, (at + "/pg_control").c_str(),
                                   RENAME_EXCHANGE),
                         EINVAL);
            EXPECT(rename((at + "/new").c_str(), (at + "/pg_control").c_str()) == 0);
            EXPECT(contentOf(at + "/pg_control") == "new" && contentOf(older) == "old");
            EXPECT_ERRNO(access((at + "/new").c_str(), F_OK), ENOENT);
            EXPECT_ERRNO(rename((at + "/pg_control").c_str(), (mount().timeline(2) + "/x").c_str()), EXDEV);
            EXPECT(mkdir((at + "/d").c_str(), 0700) == 0 && mkdir((at + "/d/e").c_str(), 0700) == 0);
            EXPECT_ERRNO(rmdir((at + "/d").c_str()), ENOTEMPTY);
            EXPECT_ERRNO(rename((at + "/d").c_str(), (at + "/d/e/f").c_str()), EINVAL);
            EXPECT(rename((at + "/d/e").c_str(), (at + "/e").c_str()) == 0);
            EXPECT(access((at + "/e/..").c_str(), F_OK) == 0);
        });
    }

    // Case 26
    void anUnlinkedOpenFileAndANewOneOfItsNameAreTwoFiles() {
        CLIENT(mount(), {
            const std::string path = mount().timeline() + "/16384";
            const int older = makeFile(path, "old relation");
            EXPECT(unlink(path.c_str()) == 0);
            struct stat before {
            }, after{};
            EXPECT(fstat(older, &before) == 0 && before.st_nlink == 0);
            const int newer = makeFile(path, "new relation");
            EXPECT(fstat(newer, &after) == 0 && before.st_ino != after.st_ino);
            EXPECT(pwrite(older, "OLD", 3, 0) == 3 && ftruncate(older, 20000) == 0 && fsync(older) == 0);
            EXPECT(pwrite(older, "end", 3, 19997) == 3);
            EXPECT(contentOf(newer) == "new relation" && contentOf(path) == "new relation");
            EXPECT(posix_fadvise(older, 0, 0, POSIX_FADV_DONTNEED) == 0);
            EXPECT(contentOf(older).substr(0, 12) == "OLD relation" && contentOf(older).size() == 20000);
        });
        QTRY_COMPARE(m_mount->ask("opens"), std::string("0"));
        QCOMPARE(m_mount->ask("inodes"), std::string("2")); // the root and the newer
    }

    void truncateAndAllocateKeepWhatTheyShould() {
        CLIENT(mount(), {
            const std::string path = mount().timeline() + "/f";
            const int fd = makeFile(path, std::string(20000, 'x'));
            struct stat info {};
            EXPECT(ftruncate(fd, 100) == 0 && ftruncate(fd, 300) == 0);
            EXPECT(contentOf(fd) == std::string(100, 'x') + std::string(200, '\0'));
            EXPECT(posix_fallocate(fd, 8192, 8192) == 0);
            EXPECT(fstat(fd, &info) == 0 && info.st_size == 16384);
            EXPECT(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1 << 20) == 0);
            EXPECT(fstat(fd, &info) == 0 && info.st_size == 16384);
            EXPECT(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 10, 20) == 0);
            EXPECT(contentOf(fd).substr(0, 40) ==
                   std::string(10, 'x') + std::string(20, '\0') + std::string(10, 'x'));
            EXPECT_ERRNO(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 8192), EOPNOTSUPP);
            const int again = open(path.c_str(), O_RDWR | O_TRUNC);
            EXPECT(again >= 0 && fstat(fd, &info) == 0 && info.st_size == 0);
            EXPECT(contentOf(fd).empty());
            EXPECT(pwrite(fd, "z", 1, (std::int64_t{3} << 30)) == 1 &&
                   lseek(fd, 0, SEEK_END) == (std::int64_t{3} << 30) + 1);
            EXPECT(fstat(fd, &info) == 0 && info.st_blocks == 16);
            const int appending = open(path.c_str(), O_WRONLY | O_APPEND);
            EXPECT(write(appending, "yy", 2) == 2 && lseek(fd, 0, SEEK_END) == (std::int64_t{3} << 30) + 3);
        });
    }

    void aDirectoryThatChangesWhileItIsReadListsWhatStaysOnce() {
        CLIENT(mount(), {
            const std::string at = mount().timeline() + "/d";
            EXPECT(mkdir(at.c_str(), 0700) == 0);
            for (int i = 0; i < 2000; ++i)
                close(makeFile(at + "/" + (i % 2 ? "stays" : "goes") + std::to_string(i), ""));
            DIR* directory = opendir(at.c_str());
            std::multiset<std::string> seen;
            int count = 0;
            while (const dirent* entry = readdir(directory)) {
                seen.insert(entry->d_name);
                if (++count % 2 == 0 && count <= 2000) {
                    unlink((at + "/goes" + std::to_string(count)).c_str());
                    close(makeFile(at + "/more" + std::to_string(count), ""));
                }
            }
            for (int i = 1; i < 2000; i += 2)
                EXPECT(seen.count("stays" + std::to_string(i)) == 1);
            EXPECT(seen.count(".") == 1 && seen.count("..") == 1);
            rewinddir(directory);
            int again = 0;
            while (readdir(directory))
                ++again;
            EXPECT(again == static_cast<int>(namesIn(at).size()));
            struct stat info {};
            EXPECT(stat(at.c_str(), &info) == 0 && info.st_nlink == 2);
        });
    }

    void linksAreTakenInsideAndRefusedOutside() {
        CLIENT(mount(), {
            const std::string at = mount().timeline();
            EXPECT(symlink("16384", (at + "/inside").c_str()) == 0);
            EXPECT_ERRNO(symlink("/etc/passwd", (at + "/outside").c_str()), EPERM);
            EXPECT(symlink(mount().native().c_str(), (at + "/pg_wal").c_str()) == 0);
            close(makeFile(at + "/pg_wal/000000010000000000000001", "log"));
            EXPECT(contentOf(mount().native() + "/000000010000000000000001") == "log");
            char target[256];
            EXPECT(readlink((at + "/inside").c_str(), target, sizeof target) == 5);
        });
        QVERIFY(m_mount->ask("log").find("shared by branches") != std::string::npos);
    }

    void mappedFilesSeeAndMakeWrites() {
        CLIENT(mount(), {
            const std::string path = mount().timeline() + "/f";
            const int fd = makeFile(path, std::string(32768, 'a'));
            void* address = mmap(nullptr, 32768, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            EXPECT(address != MAP_FAILED);
            char* bytes = static_cast<char*>(address);
            EXPECT(bytes[9000] == 'a');
            EXPECT(pwrite(fd, "b", 1, 9000) == 1 && bytes[9000] == 'b');
            bytes[20000] = 'c';
            EXPECT(msync(address, 32768, MS_SYNC) == 0 && munmap(address, 32768) == 0);
            EXPECT(fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
            EXPECT(contentOf(fd)[20000] == 'c' && contentOf(fd)[9000] == 'b');
        });
    }

    void spaceAndTimesAreAnswered() {
        CLIENT(mount(), {
            struct statvfs space {};
            EXPECT(statvfs(mount().timeline().c_str(), &space) == 0);
            EXPECT(space.f_bavail * space.f_frsize == std::uint64_t{32} << 30 && space.f_namemax == 255);
            EXPECT(statvfs(mount().mount().c_str(), &space) == 0 && space.f_blocks > 0);
            const std::string path = mount().timeline() + "/f";
            close(makeFile(path, "x"));
            const timespec times[2] = {{5, 0}, {1'000'000, 123'456'000}};
            EXPECT(utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
            struct stat info {};
            EXPECT(stat(path.c_str(), &info) == 0);
            EXPECT(info.st_mtim.tv_sec == 1'000'000 && info.st_mtim.tv_nsec == 123'456'000);
            const time_t before = time(nullptr) - 1;
            EXPECT(utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0);
            EXPECT(stat(path.c_str(), &info) == 0 && info.st_mtim.tv_sec >= before);
        });
    }

    void aReadOnlyTimelineTakesNothing() {
        CLIENT(mount(), {
            EXPECT_ERRNO(open((mount().timeline(3) + "/x").c_str(), O_CREAT | O_RDWR, 0600), EROFS);
            EXPECT_ERRNO(mkdir((mount().timeline(3) + "/x").c_str(), 0700), EROFS);
            EXPECT_ERRNO(chmod(mount().timeline(3).c_str(), 0777), EROFS);
        });
    }

    void whatTheEngineChangesIsSeenAfterANotification() {
        CLIENT(mount(), {
            close(makeFile(mount().timeline() + "/f", "aaaa"));
            close(makeFile(mount().timeline() + "/postmaster.opts", "x"));
            EXPECT(contentOf(mount().timeline() + "/f") == "aaaa");
        });
        QCOMPARE(m_mount->ask("change f bbbb"), std::string("done"));
        QCOMPARE(m_mount->ask("remove postmaster.opts"), std::string("done"));
        CLIENT(mount(), {
            EXPECT(contentOf(mount().timeline() + "/f") == "bbbb");
            EXPECT_ERRNO(access((mount().timeline() + "/postmaster.opts").c_str(), F_OK), ENOENT);
            close(makeFile(mount().timeline() + "/postmaster.opts",
                           "again")); // though the kernel knew it is not there
            EXPECT(contentOf(mount().timeline() + "/postmaster.opts") == "again");
        });
    }

    // Case 11
    void onlyTheEngineStartsServers() {
        QCOMPARE(m_mount->ask("servers no"), std::string("done"));
        CLIENT(mount(), {
            const std::string at = mount().timeline();
            const std::string lock = at + "/postmaster.pid";
            EXPECT_ERRNO(open(lock.c_str(), O_RDWR | O_CREAT | O_EXCL, 0600), EPERM);
            EXPECT_ERRNO(mknod(lock.c_str(), S_IFREG | 0600, 0), EPERM);
            close(makeFile(at + "/other", ""));
            EXPECT_ERRNO(rename((at + "/other").c_str(), lock.c_str()), EPERM);
            EXPECT(mkdir((at + "/d").c_str(), 0700) == 0);
            close(makeFile(at + "/d/postmaster.pid", "")); // means nothing there
        });
        QVERIFY(m_mount->ask("log").find("pgarborctl start") != std::string::npos);
        QCOMPARE(m_mount->ask("servers yes"), std::string("done"));
        CLIENT(mount(), { close(makeFile(mount().timeline() + "/postmaster.pid", "1")); });
    }

    // Case 27
    void aViewThatComesUpShortIsAnErrorAndTheFileKeepsItsSize() {
        CLIENT(mount(), { close(makeFile(mount().timeline() + "/f", std::string(40000, 'x'))); });
        QCOMPARE(m_mount->ask("short 10"), std::string("done"));
        CLIENT(mount(), {
            const int fd = open((mount().timeline() + "/f").c_str(), O_RDONLY);
            EXPECT(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
            char bytes[8192];
            EXPECT_ERRNO(pread(fd, bytes, sizeof bytes, 8192), EIO);
            EXPECT(lseek(fd, 0, SEEK_END) == 40000);
        });
        QVERIFY(m_mount->ask("log").find("inside of the file") != std::string::npos);
        QCOMPARE(m_mount->ask("short 0"), std::string("done"));
        CLIENT(mount(), { EXPECT(contentOf(mount().timeline() + "/f") == std::string(40000, 'x')); });
    }

    // More fsyncs than workers wait, and reads and writes go on
    void waitingSyncsHoldNoWorker() {
        QCOMPARE(m_mount->ask("hold yes"), std::string("done"));
        const pid_t waiter = fork();
        if (waiter == 0) {
            mount().user().become();
            for (int i = 0; i < 20; ++i)
                if (fork() == 0) {
                    const int fd =
                        open((mount().timeline() + "/s" + std::to_string(i)).c_str(), O_RDWR | O_CREAT, 0600);
                    _exit(fd >= 0 && fsync(fd) == 0 ? 0 : 1);
                }
            int bad = 0;
            for (int status = 0; wait(&status) > 0;)
                bad += status != 0;
            _exit(bad ? 1 : 0);
        }
        QTRY_COMPARE(m_mount->ask("waiting"), std::string("20"));
        CLIENT(mount(), {
            close(makeFile(mount().timeline() + "/f", "goes on"));
            EXPECT(contentOf(mount().timeline() + "/f") == "goes on");
        });
        int status = 0;
        QCOMPARE(waitpid(waiter, &status, WNOHANG), 0);
        QCOMPARE(m_mount->ask("hold no"), std::string("done"));
        waitpid(waiter, &status, 0);
        QCOMPARE(status, 0);
    }

    // Case 27
    void signalsInterruptNothing() {
        const QByteArray complaint = mount().clients(4, [&](int number) {
            struct sigaction action {};
            action.sa_handler = [](int) {};
            sigaction(SIGALRM, &action, nullptr); // without SA_RESTART
            const itimerval storm{{0, 150}, {0, 150}};
            const std::string path = mount().timeline() + "/f" + std::to_string(number);
            const int fd = makeFile(path, "");
            setitimer(ITIMER_REAL, &storm, nullptr);
            std::string page(8192, static_cast<char>('a' + number));
            for (int i = 0; i < 300; ++i) {
                EXPECT(pwrite(fd, page.data(), page.size(), i * 8192) == 8192);
                if (i % 10 == 0)
                    EXPECT(fsync(fd) == 0);
                if (i % 50 == 0)
                    EXPECT(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
                std::string back(8192, '\0');
                EXPECT(pread(fd, back.data(), back.size(), i / 2 * 8192) == 8192 && back == page);
                EXPECT(lseek(fd, 0, SEEK_END) == (i + 1) * 8192);
                EXPECT(rename(path.c_str(), (path + "x").c_str()) == 0);
                EXPECT(rename((path + "x").c_str(), path.c_str()) == 0);
            }
        });
        QVERIFY2(complaint.isEmpty(), complaint.constData());
    }

    void manyProcessesSeeWhatAPlainFolderShows() {
        const unsigned seed = qEnvironmentVariableIsSet("ARBOR_SEED")
                                  ? qEnvironmentVariable("ARBOR_SEED").toUInt()
                                  : std::random_device()();
        const int steps = qEnvironmentVariableIsSet("ARBOR_FULL") ? 20000 : 1500;
        qInfo("seed %u (set ARBOR_SEED to repeat)", seed);
        const QByteArray complaint = mount().clients(
            4,
            [&](int number) {
                const std::string name = "/r" + std::to_string(number);
                TwinFolders twins(mount().timeline(1 + number % 2) + name, mount().native() + name,
                                  seed + static_cast<unsigned>(number));
                for (int i = 0; i < steps; ++i)
                    twins.step();
                twins.compareAll();
            },
            300);
        QVERIFY2(complaint.isEmpty(), complaint.constData());
    }

    // Case 29
    void aThousandOpenFilesAreClosedWithTheirProcess() {
        CLIENT(mount(), {
            rlimit limit{4096, 4096};
            getrlimit(RLIMIT_NOFILE, &limit);
            limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, 4096);
            EXPECT(setrlimit(RLIMIT_NOFILE, &limit) == 0);
            std::vector<int> files;
            for (int i = 0; i < 1000; ++i)
                files.push_back(makeFile(mount().timeline() + "/" + std::to_string(i), std::to_string(i)));
            for (int i = 0; i < 1000; ++i)
                EXPECT(contentOf(files[static_cast<std::size_t>(i)]) == std::to_string(i));
        });
        QTRY_COMPARE(m_mount->ask("opens"), std::string("0"));
    }

    // Case 29
    void aSuspendedServerIsOnlySlow() {
        const pid_t server = static_cast<pid_t>(m_mount->server().processId());
        CLIENT(mount(), { close(makeFile(mount().timeline() + "/f", "before")); });
        kill(server, SIGSTOP);
        const pid_t child = fork();
        if (child == 0) {
            mount().user().become();
            const int fd = open((mount().timeline() + "/g").c_str(), O_RDWR | O_CREAT, 0600);
            _exit(fd >= 0 && write(fd, "x", 1) == 1 && fsync(fd) == 0 ? 0 : 1);
        }
        int status = 0;
        QCOMPARE(waitpid(child, &status, WNOHANG), 0);
        kill(server, SIGCONT);
        waitpid(child, &status, 0);
        QCOMPARE(status, 0);
    }

    // While one process writes page after page, all workers share a processor with it.
    void aWriteThatIsHeldUpHoldsUpNobodyElse() {
        QCOMPARE(m_mount->ask("hold-write 600"), std::string("done"));
        const pid_t writer = fork();
        if (writer == 0) {
            mount().user().become();
            _exit(writePages(mount().timeline() + "/held", 1000) == 1000 ? 0 : 1);
        }
        QTRY_COMPARE(m_mount->ask("holds-write"), std::string("yes"));
        CLIENT(mount(), {
            const std::string path = mount().timeline() + "/other";
            EXPECT(writePages(path, 100) == 100);
            EXPECT(truncate(path.c_str(), 3) == 0);
            EXPECT(access((mount().timeline() + "/none").c_str(), F_OK) != 0);
        });
        QCOMPARE(m_mount->ask("holds-write"), std::string("yes"));
        m_mount->ask("release-write");
        int status = 0;
        waitpid(writer, &status, 0);
        QCOMPARE(status, 0);
    }

    void aConnectionThatEndsUnderAWriterIsReported() {
        if (geteuid() != 0)
            QSKIP("only root can end a connection that is in use");
        const pid_t writer = fork();
        if (writer == 0) {
            mount().user().become();
            _exit(writePages(mount().timeline() + "/f", 1 << 20) < 1 << 20 ? 0 : 1);
        }
        QTRY_VERIFY(QRegularExpression("write=\\d{4}").match(m_mount->ask("metrics").c_str()).hasMatch());
        umount2(mount().mount().c_str(), MNT_FORCE); // ends the connection, and says that it is in use
        QVERIFY(m_mount->server().canReadLine() || m_mount->server().waitForReadyRead());
        QCOMPARE(m_mount->server().readLine().trimmed(), QByteArray("ended"));
        int status = 0;
        waitpid(writer, &status, 0);
        QCOMPARE(status, 0);
    }

    void aBigFileIsReadBack() {
        CLIENT(mount(), {
            const std::string path = mount().timeline() + "/big";
            const int fd = makeFile(path, "");
            std::vector<std::uint32_t> chunk(1 << 18);
            for (std::uint32_t i = 0; i < 150; ++i) {
                std::iota(chunk.begin(), chunk.end(), i << 18);
                EXPECT(write(fd, chunk.data(), 1 << 20) == 1 << 20);
            }
            EXPECT(fsync(fd) == 0 && posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0);
            EXPECT(lseek(fd, 0, SEEK_SET) == 0);
            std::vector<std::uint32_t> expected(2048), page(2048);
            for (std::uint32_t i = 0; i < 150 * 128; ++i) {
                std::iota(expected.begin(), expected.end(), i << 11);
                EXPECT(::read(fd, page.data(), 8192) == 8192 && page == expected);
            }
        });
    }

    void stoppingUnmountsAndWhoStillUsesItGetsAnError() {
        int pipes[2];
        QVERIFY(pipe(pipes) == 0);
        const pid_t user = fork();
        if (user == 0) {
            mount().user().become();
            const int fd = makeFile(mount().timeline() + "/f", "x");
            (void)!write(pipes[1], "r", 1);
            char byte = 0;
            ssize_t got = 0;
            while (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), (got = pread(fd, &byte, 1, 0)) == 1)
                usleep(1000);
            // the kernel cancels what it had given to a ring whose thread has left
            const bool isExpected =
                errno == ENOTCONN || errno == EIO || errno == ECONNABORTED || errno == ECANCELED;
            _exit(got == 0 ? 255 : isExpected ? 0 : errno); // the number is what a failure shows
        }
        char byte = 0;
        QCOMPARE(read(pipes[0], &byte, 1), ssize_t(1));
        m_mount->stopServer();
        QVERIFY(!mount().isMounted());
        int status = 0;
        waitpid(user, &status, 0);
        QCOMPARE(status, 0);
        close(pipes[0]);
        close(pipes[1]);
        // and the path can be mounted again
        QVERIFY2(m_mount->start(), m_mount->firstAnswer().c_str());
    }

    void aKilledServerLeavesNothingThatAStartDoesNotClear() {
        CLIENT(mount(), { close(makeFile(mount().timeline() + "/f", "x")); });
        m_mount->server().kill();
        m_mount->server().waitForFinished();
        if (mount().way() == MountFixture::Way::Root)
            QTRY_VERIFY(!mount().isMounted()); // the process that was left behind has unmounted it
        else
            QVERIFY(mount().isMounted()); // dead
        QVERIFY2(m_mount->start(), m_mount->firstAnswer().c_str());
        CLIENT(mount(), { EXPECT_ERRNO(access((mount().timeline() + "/f").c_str(), F_OK), ENOENT); });
    }

    // The process that was left behind comes late: by then a successor has cleared the dead mount, and its
    // own has the same place and very likely the same device number.
    void whatADeadServerLeftBehindDoesNotUnmountItsSuccessor() {
        const std::string server = std::to_string(m_mount->server().processId());
        std::ifstream children("/proc/" + server + "/task/" + server + "/children");
        pid_t late = 0;
        QCOMPARE(static_cast<bool>(children >> late), mount().way() == MountFixture::Way::Root);
        if (late == 0)
            return; // an ordinary user's server leaves nobody behind
        kill(late, SIGSTOP);
        m_mount->server().kill();
        m_mount->server().waitForFinished();
        QVERIFY2(m_mount->start(), m_mount->firstAnswer().c_str());
        kill(late, SIGCONT);
        const auto hasEnded = [&] { // whoever inherits it may take his time to hear of it
            std::string id, name, state;
            std::ifstream stat("/proc/" + std::to_string(late) + "/stat");
            return !(stat >> id >> name >> state) || state == "Z";
        };
        QTRY_VERIFY(hasEnded());
        QVERIFY(mount().isMounted());
        CLIENT(mount(), { close(makeFile(mount().timeline() + "/f", "x")); });
    }

    void aMountThatGoesByOtherHandsIsReported() {
        if (geteuid() == 0)
            QCOMPARE(umount2(mount().mount().c_str(), 0), 0);
        else
            QCOMPARE(QProcess::execute("fusermount3", {"-u", QString::fromStdString(mount().mount())}), 0);
        QVERIFY(m_mount->server().waitForReadyRead());
        QCOMPARE(m_mount->server().readLine().trimmed(), QByteArray("ended"));
    }
};

int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    MountTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "mount_test.moc"
