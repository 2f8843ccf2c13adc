// Servers on timelines that have no name: of a root that is being made, of a fork that is being exported.
#include "app/engine/service.h"
#include "app/postgres/initdb.h"
#include "app/postgres/runtime_files.h"

namespace arbor {

Result<Service::HiddenServer> Service::startHidden(TimelineId timeline, bool isFork,
                                                   const Installation& installation, Job* job,
                                                   const std::function<void(EndpointSpec&)>& adjust) {
    ARBOR_TRY(mount().need());
    ARBOR_ASSIGN(const auto head, m_engine->head(timeline));
    ARBOR_TRY(head->log().build());
    HiddenServer server;
    server.timeline = timeline;
    std::uint64_t number = 0;
    {
        const std::lock_guard lock(m_stateMutex);
        m_mounted.insert(timeline);
        number = ++m_lastHidden;
    }
    server.key = fmt::format("hidden {}", number);
    ARBOR_ASSIGN(server.connection.socketDirectory,
                 makeSocketDirectory(m_options.store, fmt::format("hidden-{}", timeline)));
    server.connection.port = 5432; // only names the socket: it does not listen on TCP
    server.connection.pgBin = installation.binDirectory;
    server.accessFile = fmt::format("{}/run/hidden-{}", m_options.store, timeline);
    server.logFile = fmt::format("{}/log/hidden-{}.log", m_options.store, timeline);
    EndpointSpec spec = specOn(timeline, isFork, installation, server.connection, false);
    spec.config.isFork = true; // a root, too, acts on nothing outside before it has a name
    // its superuser may bear another name than those of branches: it must not get into their files
    spec.config.hbaFile = server.accessFile + ".hba";
    spec.config.identFile = server.accessFile + ".ident";
    spec.logFile = server.logFile;
    adjust(spec);
    server.superuser = spec.superuser;
    if (job)
        job->onCancel([this, key = server.key] {
            m_upkeep.start([this, key] { (void)m_endpoints.stop(key, Endpoint::StopMode::Immediate); });
        });
    if (auto started = m_endpoints.start(server.key, timeline, std::move(spec)); !started) {
        (void)endHidden(server, Endpoint::StopMode::Immediate);
        if (job && job->cancelRequested())
            return makeError(ErrorKind::Cancelled, "cancelled");
        return std::move(started).error();
    }
    return server;
}

Status Service::endHidden(const HiddenServer& server, Endpoint::StopMode mode) {
    ARBOR_TRY(m_endpoints.stop(server.key, mode));
    ARBOR_TRY(m_endpoints.remove(server.key, mode));
    leaveMount(server.timeline);
    removeSocketDirectory(server.connection.socketDirectory);
    for (const std::string& path : {server.accessFile + ".hba", server.accessFile + ".ident", server.logFile})
        ARBOR_TRY(removeTree(m_disk, path));
    return {};
}

void Service::clearUnnamed() {
    const auto entries = [this](const char* folder) {
        auto names = m_disk.list(m_options.store + "/" + folder);
        return names ? std::move(*names) : std::vector<std::string>();
    };
    for (const char* folder : {"wal", "walkeep", "scratch"})
        for (const std::string& name : entries(folder)) {
            const TimelineId timeline{std::strtoull(name.c_str(), nullptr, 10)};
            const std::string own = fmt::format("{}", timeline); // or a log that was never finished
            if ((name != own && name != own + ".new") || m_engine->catalog([&](const Catalog& catalog) {
                    return catalog.findTimeline(timeline) != nullptr;
                }))
                continue;
            const TimelinePaths paths{timelinePath(timeline), walDirectory(*m_engine, timeline)};
            if (m_disk.info(paths.walDirectory) && !endServers(paths, std::chrono::seconds(10)))
                continue; // its server hangs: the next start of the engine tries again
            (void)removeTree(m_disk, fmt::format("{}/{}/{}", m_options.store, folder, name));
        }
    for (const auto& [folder, prefix] :
         {std::pair{"run", "import-"}, std::pair{"run", "hidden-"}, std::pair{"run", "initdb"},
          std::pair{"log", "hidden-"}, std::pair{"log", "peek-"}})
        for (const std::string& name : entries(folder))
            if (name.starts_with(prefix)) {
                const std::string path = fmt::format("{}/{}/{}", m_options.store, folder, name);
                if (folder == std::string_view("run")) // whose data directories may be initdb's
                    endInitdb(path + "/data");
                (void)removeTree(m_disk, path);
            }
}

} // namespace arbor
