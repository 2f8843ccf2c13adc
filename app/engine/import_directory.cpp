// import DIR NAME.
#include "app/engine/import_configuration.h"
#include "app/engine/import_jobs.h"
#include "app/engine/import_root.h"

#include <algorithm>
#include <filesystem>

namespace arbor {

namespace {

std::vector<std::string> superusersOf(const ImportRequest& request, const DataDirectory& source,
                                      const Service& service) {
    if (!request.superuser.empty())
        return {request.superuser};
    std::vector<std::string> names{"postgres"};
    for (const std::string& name : {source.owner, service.options().user.name}) // initdb's default
        if (std::ranges::find(names, name) == names.end())
            names.push_back(name);
    return names;
}

} // namespace

Result<ScratchPlace> ScratchPlace::make(Service& service, std::string_view what) {
    static std::atomic<unsigned> number{0};
    const std::string path = fmt::format("{}/run/{}-{}", service.options().store, what, ++number);
    ARBOR_TRY(removeTree(service.disk(), path)); // of an engine that was killed
    ARBOR_TRY(ensureDirectory(service.disk(), path));
    return ScratchPlace(service.disk(), path);
}

ScratchPlace::~ScratchPlace() {
    if (!m_path.empty())
        (void)removeTree(m_disk, m_path);
}

Status checkSpace(Service& service, const std::string& path, std::uint64_t bytes, std::string_view forWhat) {
    constexpr std::uint64_t reserve = 128u << 20; // the store's own, and a server's log
    ARBOR_ASSIGN(const std::uint64_t free, service.disk().freeBytes(path));
    if (free >= bytes + reserve)
        return {};
    return makeError(ErrorKind::NoSpace, "{} may need {} at {}, where {} are free: make room first", forWhat,
                     roundedSize(bytes + reserve), path, roundedSize(free));
}

Result<ImportPreview> previewDirectory(Service& service, const ImportRequest& request) {
    ARBOR_ASSIGN(const DataDirectory source, inspectDataDirectory(request.directory));
    ARBOR_ASSIGN(const Installation installation, pickInstallation(service.installations(), source.major));
    ImportPreview preview{source.major, source.bytes, 0, {}};
    ARBOR_ASSIGN(const auto log, neededLog(service.disk(), source));
    for (const std::string& name : log) {
        ARBOR_ASSIGN(const FileInfo info, service.disk().info(source.walDirectory + "/" + name));
        preview.bytes += info.size;
    }
    preview.neededBytes = preview.bytes;
    const auto surroundings = surroundingsHere(source.path, libraryDirectoryOf(installation));
    for (const std::string& file : {source.configurationFile, source.path + "/postgresql.auto.conf"})
        if (!file.empty() && service.disk().info(file)) {
            ARBOR_ASSIGN(const ImportedConfiguration configuration, importConfiguration(file, surroundings));
            preview.report.insert(preview.report.end(), configuration.report.begin(),
                                  configuration.report.end());
        }
    return preview;
}

Result<ImportOutcome> importFiles(Service& service, const DataDirectory& source,
                                  const std::vector<std::string>& superusers, const Caller& caller,
                                  const std::string& name, Job& job) {
    ARBOR_ASSIGN(const Installation installation, pickInstallation(service.installations(), source.major));
    ARBOR_TRY(checkReplay(service.disk(), source));
    ImportOutcome outcome;
    NewRoot root(service, job, installation);
    ARBOR_TRY(root.fillFromDirectory(source, outcome.report));
    if (source.isStandby)
        outcome.report.push_back(
            "it was a standby or about to recover from elsewhere: the branch was promoted and "
            "follows nobody");
    else if (!source.control.cleanlyShutDown() && !source.isBackup)
        outcome.report.push_back("it was not cleanly stopped: it has been recovered from its log");
    ARBOR_TRY(root.start(superusers, source.isStandby));
    ARBOR_TRY(root.settle(outcome.report));
    ARBOR_TRY(root.stop());
    ARBOR_ASSIGN(outcome.branch, root.name(caller, name));
    outcome.bytes = root.bytes();
    return outcome;
}

Result<ImportOutcome> importDirectory(Service& service, const ImportRequest& request, const Caller& caller,
                                      const std::string& name, Job& job) {
    job.progress(-1, QStringLiteral("looking at %1").arg(QString::fromStdString(request.directory)));
    ARBOR_ASSIGN(const ImportPreview preview, previewDirectory(service, request));
    ARBOR_TRY(checkSpace(service, service.options().store, preview.neededBytes, "the import"));
    ARBOR_ASSIGN(const DataDirectory source, inspectDataDirectory(request.directory));
    return importFiles(service, source, superusersOf(request, source, service), caller, name, job);
}

} // namespace arbor
