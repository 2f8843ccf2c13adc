// New stores and new roots: initdb outside of the mount, then its files into the store.
#include "app/control/methods.h"
#include "app/engine/service.h"
#include "app/postgres/initdb.h"
#include "app/postgres/runtime_files.h"
#include "storage/names/roles.h"

#include <QPointer>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <future>

namespace arbor {

namespace {

// Copies a host directory into a view. What lives on the host anyway (pg_wal, scratch) and what belongs to a
// server that once ran is left out.
class TreeCopy {
  public:
    TreeCopy(Disk& disk, BranchView& view, Owner owner, Job& job)
        : m_disk(disk), m_view(view), m_owner(owner), m_job(job) {}

    Status copy(const std::string& from, InodeId to, DirectoryRole role) {
        ARBOR_ASSIGN(const auto names, m_disk.list(from));
        for (const std::string& name : names) {
            if (m_job.cancelRequested())
                return makeError(ErrorKind::Cancelled, "cancelled");
            const std::string path = from + "/" + name;
            if (hostDirectory(role, name, "") || isUnversioned(role, name))
                continue;
            ARBOR_ASSIGN(const FileInfo info, m_disk.info(path));
            if (info.isDirectory) {
                ARBOR_ASSIGN(const Attributes made, m_view.makeDirectory(to, name, info.mode, m_owner));
                ARBOR_TRY(copy(path, made.inode, roleOfChild(role, name)));
            } else if (!info.isSymlink) {
                ARBOR_TRY(copyFile(path, to, name, info));
            }
        }
        return {};
    }

  private:
    Status copyFile(const std::string& path, InodeId to, const std::string& name, const FileInfo& info) {
        ARBOR_ASSIGN(const Attributes made, m_view.createFile(to, name, info.mode, m_owner));
        ARBOR_ASSIGN(const auto file, m_disk.openRead(path));
        std::string buffer(1u << 20, '\0');
        for (std::uint64_t at = 0;;) {
            ARBOR_ASSIGN(const std::size_t got, file->readAt(at, std::as_writable_bytes(std::span(buffer))));
            if (got == 0)
                return {};
            ARBOR_TRY(m_view.write(made.inode, at, std::as_bytes(std::span(buffer.data(), got)), 0));
            at += got;
            m_bytes += got;
            m_job.progress(-1, QStringLiteral("copying files"), static_cast<qint64>(m_bytes));
        }
    }

    Disk& m_disk;
    BranchView& m_view;
    const Owner m_owner;
    Job& m_job;
    std::uint64_t m_bytes = 0;
};

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

} // namespace

Status Service::createStore() {
    // an engine started by root has made the directory (and mounted on mnt) already
    ARBOR_TRY(Engine::create(m_disk, m_options.store, standardOptions()));
    auto opened = std::make_shared<std::promise<Status>>();
    QMetaObject::invokeMethod(
        this, [this, opened] { opened->set_value(openStore()); }, Qt::QueuedConnection);
    ARBOR_TRY(opened->get_future().get());
    const std::string password = generatePassword();
    return writePrivateFile(m_options.store + "/run/passfile", passFileContent(password));
}

void Service::abandonStore() {
    auto gone = std::make_shared<std::promise<void>>();
    QMetaObject::invokeMethod(
        this,
        [this, gone] {
            m_storeOpen = false;
            m_followTimer.stop();
            m_houseTimer.stop();
            m_upkeep.waitForDone();
            m_options.mount.reset(); // it is in the store's directory
            m_engine.reset();
            gone->set_value();
        },
        Qt::QueuedConnection);
    gone->get_future().wait();
    const auto names = m_disk.list(m_options.store);
    if (names)
        for (const std::string& name : *names)
            (void)removeTree(m_disk, m_options.store + "/" + name);
    (void)m_disk.removeDirectory(
        m_options.store); // unless it was there before us, and then it is empty as it was
    QMetaObject::invokeMethod(this, &Service::shutDown, Qt::QueuedConnection);
}

Result<BranchRecord> Service::makeRoot(const Caller& caller, const std::string& name,
                                       const std::vector<std::string>& initdbOptions, Job& job) {
    ARBOR_ASSIGN(const Installation installation, pickInstallation(installations(), 0));
    ARBOR_ASSIGN(const std::string passLine, readFile(m_disk, m_options.store + "/run/passfile"));
    const std::string place = m_options.store + "/run/initdb";
    ARBOR_TRY(removeTree(m_disk, place));
    ARBOR_TRY(ensureDirectory(m_disk, place));
    ARBOR_TRY(writePrivateFile(place + "/password", passLine.substr(passLine.rfind(':') + 1)));
    const InitdbPlaces places{place + "/data", place + "/wal", place + "/password", false};
    job.progress(-1, QStringLiteral("initdb"));

    auto outcome = std::make_shared<std::promise<Status>>();
    QMetaObject::invokeMethod(
        this,
        [this, installation, places, initdbOptions, outcome, &job] {
            auto* initdb = new Initdb(this);
            job.onCancel([initdb = QPointer<Initdb>(initdb)] {
                if (initdb)
                    initdb->cancel();
            });
            const auto done = [initdb, outcome](Status status) {
                initdb->deleteLater();
                outcome->set_value(std::move(status));
            };
            if (auto started = initdb->start(installation, places, initdbOptions, done); !started)
                done(std::move(started));
        },
        Qt::QueuedConnection);
    ARBOR_TRY(outcome->get_future().get());

    ARBOR_ASSIGN(const std::string control, readFile(m_disk, places.dataDirectory + "/global/pg_control"));
    ARBOR_ASSIGN(const ControlFile cluster, parseControlFile(std::as_bytes(std::span(control))));
    const Owner owner{m_options.user.uid, m_options.user.gid};
    ARBOR_ASSIGN(auto view, m_engine->beginRoot(0700, owner));
    ARBOR_TRY(
        TreeCopy(m_disk, *view, owner, job).copy(places.dataDirectory, view->root(), DirectoryRole::Root));
    // history begins behind initdb, which recycles segments whatever the settings say
    ARBOR_TRY(syncTree(m_disk, places.walDirectory));
    ARBOR_TRY(m_disk.rename(places.walDirectory, walDirectory(*m_engine, view->timeline())));
    ARBOR_TRY(m_disk.syncDirectory(m_options.store + "/wal"));
    WalChain log(m_disk, {{{walDirectory(*m_engine, view->timeline())}, Lsn()}}, cluster.segmentSize,
                 cluster.systemId);
    ARBOR_TRY(log.followTli(cluster.recoveryTli()));
    ARBOR_ASSIGN(const ScanState begin, WalScanner::stateAtCheckpoint(log, cluster));
    RootSpec spec;
    spec.name = name;
    spec.pgMajor = static_cast<std::uint32_t>(installation.major);
    spec.walSegmentSize = cluster.segmentSize;
    ARBOR_ASSIGN(const BranchRecord branch, m_engine->finishRoot(caller, *view, spec, begin.end));
    view.reset();
    ARBOR_TRY(m_engine->closeIdleHeads()); // it followed no log; the next head does
    ARBOR_TRY(removeTree(m_disk, place));
    return branch;
}

} // namespace arbor
