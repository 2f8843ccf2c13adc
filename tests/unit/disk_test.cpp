// One suite for every Disk, and what only one of them has.
#include "disk_support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

using namespace arbor;
using namespace arbor::test;

namespace {

Status put(Disk& disk, const std::string& path, std::string_view content) {
    ARBOR_ASSIGN(const auto file, disk.createAppend(path));
    return file->append(bytesOf(content));
}

} // namespace

class DiskTest : public QObject {
    Q_OBJECT
  private slots:
    void appendedBytesCanBeReadAtOnce_data() { bothDisks(); }
    void appendedBytesCanBeReadAtOnce() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        auto file = on.disk->createAppend(on / "f");
        VERIFY_OK(file);
        const auto reader = on.disk->openRead(on / "f");
        VERIFY_OK(reader);
        VERIFY_OK((*file)->append(bytesOf("hello, ")));
        VERIFY_OK((*file)->append(bytesOf("world")));
        QCOMPARE((*file)->size(), 12u);
        QCOMPARE(*(*reader)->size(), 12u);
        std::string got(20, '?');
        QCOMPARE(*(*reader)->readAt(7, std::as_writable_bytes(std::span(got))), 5u);
        QCOMPARE(got.substr(0, 5), std::string("world"));
        QCOMPARE(*(*reader)->readAt(12, std::as_writable_bytes(std::span(got))), 0u);
        QCOMPARE(*(*reader)->readAt(1 << 30, std::as_writable_bytes(std::span(got))), 0u);
        VERIFY_OK((*file)->sync());
        file->reset();

        auto again = on.disk->openAppend(on / "f");
        VERIFY_OK(again);
        QCOMPARE((*again)->size(), 12u);
        VERIFY_OK((*again)->append(bytesOf("!")));
        QCOMPARE(*readFile(*on.disk, on / "f"), std::string("hello, world!"));
        VERIFY_OK(on.disk->openAppend(on / "new"));
        QCOMPARE(on.disk->info(on / "new")->size, 0u);
        QCOMPARE(on.disk->info(on / "new")->mode, 0600u);
    }

    void largeFilesKeepEveryByte_data() { bothDisks(); }
    void largeFilesKeepEveryByte() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        std::string all;
        auto file = on.disk->createAppend(on / "f", 1 << 20);
        VERIFY_OK(file);
        QCOMPARE(on.disk->info(on / "f")->size, 0u);
        for (std::size_t size : {1, 511, 4095, 4097, 1, 8192, 100'000, 3}) {
            std::string part(size, 0);
            for (std::size_t i = 0; i < size; ++i)
                part[i] = static_cast<char>((all.size() + i) * 2654435761u >> 13);
            VERIFY_OK((*file)->append(bytesOf(part)));
            all += part;
        }
        QVERIFY(*readFile(*on.disk, on / "f") == all);
        VERIFY_OK((*file)->sync());
        file->reset();
        VERIFY_OK(on.disk->truncate(on / "f", 5000));
        VERIFY_OK(on.disk->truncate(on / "f", 9000));
        VERIFY_OK(on.disk->punch(on / "f", 100, 4100));
        VERIFY_OK(on.disk->punch(on / "f", 8990, 100'000));
        std::string want = all.substr(0, 5000) + std::string(4000, '\0');
        std::fill_n(want.begin() + 100, 4100, '\0');
        QVERIFY(*readFile(*on.disk, on / "f") == want);
        VERIFY_OK(on.disk->syncFile(on / "f"));
    }

    void creationRefusesWhatIsThere_data() { bothDisks(); }
    void creationRefusesWhatIsThere() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        VERIFY_OK(put(*on.disk, on / "f", "x"));
        VERIFY_FAILS(on.disk->createAppend(on / "f"), ErrorKind::AlreadyExists);
        VERIFY_OK(on.disk->makeDirectory(on / "d"));
        VERIFY_FAILS(on.disk->makeDirectory(on / "d"), ErrorKind::AlreadyExists);
        VERIFY_FAILS(on.disk->makeDirectory(on / "f"), ErrorKind::AlreadyExists);
        VERIFY_FAILS(on.disk->createAppend(on / "d"), ErrorKind::AlreadyExists);
        VERIFY_FAILS(on.disk->link(on / "f", on / "d"), ErrorKind::AlreadyExists);
        VERIFY_FAILS(on.disk->openAppend(on / "d"), ErrorKind::IsADirectory);
        VERIFY_FAILS(on.disk->openRead(on / "d"), ErrorKind::IsADirectory);
    }

    void missingFilesAreNotFoundAndNamed_data() { bothDisks(); }
    void missingFilesAreNotFoundAndNamed() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        Disk& disk = *on.disk;
        const std::string path = on / "missing";
        const auto notFound = [&](const auto& answer) {
            return !answer && answer.error().kind() == ErrorKind::NotFound &&
                   answer.error().message().find(path) != std::string::npos;
        };
        QVERIFY(notFound(disk.openRead(path)));
        QVERIFY(notFound(disk.info(path)));
        QVERIFY(notFound(disk.list(path)));
        QVERIFY(notFound(disk.removeDirectory(path)));
        QVERIFY(notFound(disk.unlink(path)));
        QVERIFY(notFound(disk.setMode(path, 0400)));
        QVERIFY(notFound(disk.truncate(path, 0)));
        QVERIFY(notFound(disk.punch(path, 0, 1)));
        QVERIFY(notFound(disk.syncFile(path)));
        QVERIFY(notFound(disk.syncDirectory(path)));
        QVERIFY(notFound(disk.freeBytes(path)));
        QVERIFY(notFound(disk.createAppend(path + "/below")));
        VERIFY_FAILS(disk.rename(path, on / "x"), ErrorKind::NotFound);
        VERIFY_FAILS(disk.link(path, on / "x"), ErrorKind::NotFound);
        VERIFY_OK(put(disk, path, "x"));
        VERIFY_FAILS(disk.list(path), ErrorKind::NotADirectory);
        VERIFY_FAILS(disk.syncDirectory(path), ErrorKind::NotADirectory);
        VERIFY_FAILS(disk.info(path + "/below"), ErrorKind::NotADirectory);
        VERIFY_FAILS(disk.createAppend(on / std::string(256, 'n')), ErrorKind::NameTooLong);
    }

    void namesAreListedSorted_data() { bothDisks(); }
    void namesAreListedSorted() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        for (const char* name : {"b", "a", "B", "c10", "c9"})
            VERIFY_OK(put(*on.disk, on / name, name));
        VERIFY_OK(on.disk->makeDirectory(on / "d"));
        QCOMPARE(*on.disk->list(on.root), (std::vector<std::string>{"B", "a", "b", "c10", "c9", "d"}));
        QVERIFY(on.disk->info(on / "d")->isDirectory);
        QCOMPARE(on.disk->info(on / "d")->mode, 0700u);
        QVERIFY(on.disk->list(on / "d")->empty());
    }

    void renameReplacesAndKeepsOpenFiles_data() { bothDisks(); }
    void renameReplacesAndKeepsOpenFiles() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        VERIFY_OK(put(*on.disk, on / "a", "new"));
        VERIFY_OK(put(*on.disk, on / "b", "old"));
        const auto old = on.disk->openRead(on / "b");
        VERIFY_OK(old);
        VERIFY_OK(on.disk->rename(on / "a", on / "b"));
        QCOMPARE(*on.disk->list(on.root), std::vector<std::string>{"b"});
        QCOMPARE(*readFile(*on.disk, on / "b"), std::string("new"));
        std::string got(3, '?');
        QCOMPARE(*(*old)->readAt(0, std::as_writable_bytes(std::span(got))), 3u);
        QCOMPARE(got, std::string("old"));

        VERIFY_OK(on.disk->makeDirectory(on / "d"));
        VERIFY_OK(put(*on.disk, on / "d/x", "x"));
        VERIFY_FAILS(on.disk->rename(on / "b", on / "d"), ErrorKind::IsADirectory);
        VERIFY_FAILS(on.disk->rename(on / "d", on / "b"), ErrorKind::NotADirectory);
        VERIFY_OK(on.disk->makeDirectory(on / "e"));
        VERIFY_FAILS(on.disk->rename(on / "e", on / "d"), ErrorKind::DirectoryNotEmpty);
        VERIFY_OK(on.disk->rename(on / "d", on / "e"));
        QCOMPARE(*readFile(*on.disk, on / "e/x"), std::string("x"));
        VERIFY_FAILS(on.disk->removeDirectory(on / "e"), ErrorKind::DirectoryNotEmpty);
    }

    void linksAreOneFile_data() { bothDisks(); }
    void linksAreOneFile() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        VERIFY_OK(put(*on.disk, on / "a", "one"));
        VERIFY_OK(on.disk->makeDirectory(on / "d"));
        VERIFY_OK(on.disk->link(on / "a", on / "d/b"));
        const auto a = on.disk->info(on / "a");
        const auto b = on.disk->info(on / "d/b");
        QCOMPARE(a->inode, b->inode);
        QCOMPARE(a->links, 2u);
        VERIFY_OK(on.disk->setMode(on / "a", 0400));
        QCOMPARE(on.disk->info(on / "d/b")->mode, 0400u);
        VERIFY_OK(on.disk->unlink(on / "a"));
        QCOMPARE(on.disk->info(on / "d/b")->links, 1u);
        QCOMPARE(*readFile(*on.disk, on / "d/b"), std::string("one"));
        VERIFY_FAILS(on.disk->link(on / "d", on / "e"), ErrorKind::Permission);
    }

    void aFileThatBecameShorterIsAShortRead_data() { bothDisks(); }
    void aFileThatBecameShorterIsAShortRead() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        VERIFY_OK(put(*on.disk, on / "f", std::string(10'000, 'x')));
        const auto reader = on.disk->openRead(on / "f");
        VERIFY_OK(reader);
        VERIFY_OK(on.disk->truncate(on / "f", 100));
        std::string got(10'000, '?');
        QCOMPARE(*(*reader)->readAt(0, std::as_writable_bytes(std::span(got))), 100u);
        QCOMPARE(*(*reader)->readAt(5000, std::as_writable_bytes(std::span(got))), 0u);
        VERIFY_OK(on.disk->unlink(on / "f"));
        QCOMPARE(*(*reader)->readAt(0, std::as_writable_bytes(std::span(got))), 100u);
    }

    void oneLockAtATime_data() { bothDisks(); }
    void oneLockAtATime() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        auto lock = on.disk->lock(on / "LOCK");
        VERIFY_OK(lock);
        VERIFY_FAILS(on.disk->lock(on / "LOCK"), ErrorKind::Busy);
        VERIFY_OK(on.disk->lock(on / "OTHER"));
        lock->reset();
        VERIFY_OK(on.disk->lock(on / "LOCK"));
        QVERIFY(on.disk->info(on / "LOCK"));
    }

    void helpersMakeReplaceAndRemove_data() { bothDisks(); }
    void helpersMakeReplaceAndRemove() {
        QFETCH(QString, which);
        const Subject on = makeSubject(which);
        Disk& disk = *on.disk;
        VERIFY_OK(ensureDirectory(disk, on / "d"));
        VERIFY_OK(ensureDirectory(disk, on / "d"));
        VERIFY_OK(replaceFile(disk, on / "d/f", "first"));
        VERIFY_OK(put(disk, on / "d/f.new", "left by a crash"));
        VERIFY_OK(replaceFile(disk, on / "d/f", "second"));
        QCOMPARE(*readFile(disk, on / "d/f"), std::string("second"));
        QCOMPARE(*disk.list(on / "d"), std::vector<std::string>{"f"});
        VERIFY_FAILS(ensureDirectory(disk, on / "d/f"), ErrorKind::NotADirectory);
        VERIFY_OK(ensureDirectory(disk, on / "d/e"));
        VERIFY_OK(replaceFile(disk, on / "d/e/g", ""));
        VERIFY_OK(removeTree(disk, on / "d"));
        QVERIFY(disk.list(on.root)->empty());
        VERIFY_OK(removeTree(disk, on / "d"));
        QVERIFY(*disk.freeBytes(on.root) > 0);
        QVERIFY(*disk.totalBytes(on.root) >= *disk.freeBytes(on.root));
    }

    void posixFollowsNoLinksAndWaitsForNoPipes() {
        const Subject on = makeSubject("posix");
        VERIFY_OK(put(*on.disk, on / "target", "secret"));
        QCOMPARE(::symlink((on / "target").c_str(), (on / "link").c_str()), 0);
        QCOMPARE(::mkfifo((on / "pipe").c_str(), 0600), 0);
        for (const std::string& path : {on / "link", on / "pipe"}) {
            QVERIFY(!on.disk->openRead(path));
            QVERIFY(!on.disk->openAppend(path));
            QVERIFY(!on.disk->createAppend(path));
            QVERIFY(!on.disk->truncate(path, 0));
            QVERIFY(!on.disk->syncFile(path));
            QVERIFY(!on.disk->lock(path));
        }
        QVERIFY(!on.disk->setMode(on / "link", 0777));
        VERIFY_FAILS(on.disk->openRead(on / "link"), ErrorKind::Permission);
        QVERIFY(on.disk->info(on / "link")->isSymlink);
        QCOMPARE(on.disk->info(on / "target")->mode, 0600u);
        VERIFY_OK(removeTree(*on.disk, on / "link")); // the link, not its target
        QCOMPARE(*readFile(*on.disk, on / "target"), std::string("secret"));
    }

    void posixDescriptorsAreNotInherited() {
        const Subject on = makeSubject("posix");
        VERIFY_OK(put(*on.disk, on / "f", "x"));
        const auto reader = on.disk->openRead(on / "f");
        VERIFY_OK(reader);
        const int fd = (*reader)->descriptor();
        QVERIFY(fd >= 0);
        QVERIFY(::fcntl(fd, F_GETFD) & FD_CLOEXEC);
    }

    void posixReservesWithoutGrowing() {
        const Subject on = makeSubject("posix");
        const auto file = on.disk->createAppend(on / "f", 8 << 20);
        VERIFY_OK(file);
        struct stat info {};
        QCOMPARE(::stat((on / "f").c_str(), &info), 0);
        QCOMPARE(info.st_size, 0);
        if (info.st_blocks == 0)
            QSKIP("this file system does not reserve");
        QVERIFY(info.st_blocks * 512 >= 8 << 20);
        const std::uint64_t tooMuch = *on.disk->totalBytes(on.root) * 2;
        VERIFY_FAILS(on.disk->createAppend(on / "g", tooMuch), ErrorKind::NoSpace);
        VERIFY_FAILS(on.disk->info(on / "g"), ErrorKind::NotFound);
    }
};

QTEST_GUILESS_MAIN(DiskTest)
#include "disk_test.moc"
