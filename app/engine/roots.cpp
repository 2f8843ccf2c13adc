// New stores and new roots: initdb outside of the mount, then its files into the store.
#include "app/engine/import_root.h"
#include "app/engine/log.h"
#include "app/engine/service.h"
#include "app/postgres/initdb.h"
#include "app/postgres/leftovers.h"
#include "app/postgres/runtime_files.h"

#include <QPointer>

#include <spdlog/spdlog.h>

#include <future>

namespace arbor {

Status Service::createStore() {
    // an engine started by root has made the directory (and mounted on mnt) already
    ARBOR_TRY(Engine::create(m_disk, m_options.store, standardOptions()));
    auto opened = std::make_shared<std::promise<Status>>();
    QMetaObject::invokeMethod(
        this, [this, opened] { opened->set_value(openStore()); }, Qt::QueuedConnection);
    ARBOR_TRY(opened->get_future().get());
    logIntoStore(m_options.store);
    return {};
}

// With the service: a sweep of what was written, or somebody who looks, may be at work on it until then.
void Service::abandonStore() {
    m_abandoned = true;
    (void)m_disk.unlink(m_options.store + "/FORMAT"); // no store any more: who asked for it waits for our end
    QMetaObject::invokeMethod(this, &Service::shutDown, Qt::QueuedConnection);
}

void Service::removeStore() {
    const auto names = m_disk.list(m_options.store);
    if (names)
        for (const std::string& name : *names)
            (void)removeTree(m_disk, m_options.store + "/" + name);
    (void)m_disk.removeDirectory(
        m_options.store); // unless it was there before us, and then it is empty as it was
}

// Nobody has worked with it, and it cannot be told from a whole one. Its engine was killed: its servers may
// live on.
Status Service::removeHalfDemo() {
    if (!m_disk.info(halfDemoMark()))
        return {};
    ARBOR_ASSIGN(auto lock, m_disk.lock(m_options.store + "/LOCK"));
    if (const auto logs = m_disk.list(m_options.store + "/wal"))
        for (const std::string& name : *logs)
            ARBOR_TRY(endServers({m_options.store + "/mnt/" + name, m_options.store + "/wal/" + name},
                                 std::chrono::seconds(10)));
    endInitdb(m_options.store + "/run/initdb/data");
    ARBOR_ASSIGN(const auto names, m_disk.list(m_options.store));
    for (const std::string& name : names)
        if (name != "mnt" && name != "run" && name != "FORMAT" && name != "LOCK")
            ARBOR_TRY(removeTree(m_disk, m_options.store + "/" + name));
    ARBOR_TRY(m_disk.unlink(m_options.store + "/FORMAT"));
    ARBOR_TRY(removeTree(m_disk, m_options.store + "/run"));
    ARBOR_TRY(m_disk.unlink(m_options.store + "/LOCK"));
    spdlog::warn("a demo that was cut off in its making was removed");
    return {};
}

Status Service::runInitdb(const Installation& installation, const std::string& place,
                          const std::vector<std::string>& options, Job& job) {
    ARBOR_ASSIGN(const std::string passLine, readFile(m_disk, m_options.store + "/run/passfile"));
    ARBOR_TRY(ensureDirectory(m_disk, place));
    ARBOR_TRY(writePrivateFile(place + "/password", passLine.substr(passLine.rfind(':') + 1)));
    const InitdbPlaces places{place + "/data", place + "/wal", place + "/password", false};
    job.progress(-1, QStringLiteral("initdb"));

    auto outcome = std::make_shared<std::promise<Status>>();
    QMetaObject::invokeMethod(
        this,
        [this, installation, places, options, outcome, &job] {
            auto* initdb = new Initdb(this);
            job.onCancel([initdb = QPointer<Initdb>(initdb)] {
                if (initdb)
                    initdb->cancel();
            });
            const auto done = [initdb, outcome](Status status) {
                initdb->deleteLater();
                outcome->set_value(std::move(status));
            };
            if (auto started = initdb->start(installation, places, options, done); !started)
                done(std::move(started));
        },
        Qt::QueuedConnection);
    return outcome->get_future().get();
}

Result<BranchRecord> Service::makeRoot(const std::optional<Caller>& caller, const std::string& name,
                                       const std::vector<std::string>& initdbOptions, Job& job) {
    ARBOR_ASSIGN(const Installation installation, pickInstallation(installations(), 0));
    const std::string place = m_options.store + "/run/initdb";
    endInitdb(place + "/data"); // of an engine that was killed
    ARBOR_TRY(removeTree(m_disk, place));
    ARBOR_TRY(runInitdb(installation, place, initdbOptions, job));
    NewRoot root(*this, job, installation);
    ARBOR_TRY(root.fillFromInitdb(place));
    ARBOR_ASSIGN(const BranchRecord branch, root.name(caller, name));
    ARBOR_TRY(removeTree(m_disk, place));
    return branch;
}

} // namespace arbor
