// The ways into the store and out of it, as the methods run them: on a worker, in straight lines that may
// block, each leaving nothing behind when it fails or is cancelled.
#pragma once

#include "app/engine/import_source.h"
#include "app/engine/service.h"

#include <QJsonObject>

#include <string>
#include <vector>

namespace arbor {

// What an import made, or would make.
struct ImportOutcome {
    BranchRecord branch;
    std::uint64_t bytes = 0;
    std::vector<std::string> report; // sentences
    std::vector<std::string> errors; // of a dump's restore, the first ones
    std::uint64_t errorCount = 0;
};
// What can be said before anything is written.
struct ImportPreview {
    int major = 0;
    std::uint64_t bytes = 0;
    std::uint64_t neededBytes = 0; // of free space, on the way
    std::vector<std::string> report;
};

struct ImportRequest {
    std::string directory; // one of these three
    std::string from;
    std::string dump;
    std::string superuser; // "" to find out
    std::string database;  // of a dump without a name of its own; "" for postgres
    int jobs = 0;          // that restore in parallel; 0: as many as there are processors
};

Result<ImportPreview> previewDirectory(Service& service, const ImportRequest& request);
Result<ImportPreview> previewServer(Service& service, const ImportRequest& request);
Result<ImportPreview> previewDump(Service& service, const ImportRequest& request);
Result<ImportOutcome> importDirectory(Service& service, const ImportRequest& request, const Caller& caller,
                                      const std::string& name, Job& job);
Result<ImportOutcome> importServer(Service& service, const ImportRequest& request, const Caller& caller,
                                   const std::string& name, Job& job);
Result<ImportOutcome> importDump(Service& service, const ImportRequest& request, const Caller& caller,
                                 const std::string& name, Job& job);

// NoSpace unless the file system that holds `path` has room for so many bytes beside the reserve.
Status checkSpace(Service& service, const std::string& path, std::uint64_t bytes, std::string_view forWhat);

// Files into a root of that name, by way of a server on them that sets what a branch needs.
Result<ImportOutcome> importFiles(Service& service, const DataDirectory& source,
                                  const std::vector<std::string>& superusers, const Caller& caller,
                                  const std::string& name, Job& job);

// A directory below the store's run/ for one job, gone with the object.
class ScratchPlace {
  public:
    static Result<ScratchPlace> make(Service& service, std::string_view what);
    ~ScratchPlace();
    ScratchPlace(ScratchPlace&& other) noexcept
        : m_disk(other.m_disk), m_path(std::exchange(other.m_path, {})) {}
    ScratchPlace& operator=(ScratchPlace&&) = delete;
    const std::string& path() const { return m_path; }

  private:
    ScratchPlace(Disk& disk, std::string path) : m_disk(disk), m_path(std::move(path)) {}
    Disk& m_disk;
    std::string m_path;
};

struct ExportOutcome {
    std::uint64_t bytes = 0;
    std::uint64_t checkedPages = 0; // whose checksums were compared
    std::vector<std::string> report;
};
// A cleanly stopped data directory of a point.
Result<ExportOutcome> exportDirectory(Service& service, const TimelinePoint& point,
                                      const std::string& directory, Job& job);
// A dump of one database (pg_dump's custom format), or of all (a script of pg_dumpall) with database "".
Result<ExportOutcome> exportDump(Service& service, const TimelinePoint& point, const std::string& file,
                                 const std::string& database, Job& job);

} // namespace arbor
