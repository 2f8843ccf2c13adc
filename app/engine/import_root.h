// A root in the making: files first, then, where it is wanted, a server on it that nobody else sees, and at
// last a name. History begins with the name; until then the timeline is garbage and the destructor leaves
// nothing of it.
//
// On a worker; one thread at a time.
#pragma once

#include "app/engine/import_source.h"
#include "app/engine/import_tree.h"
#include "app/engine/service.h"
#include "app/postgres/sql_session.h"

#include <optional>

namespace arbor {

class NewRoot {
  public:
    NewRoot(Service& service, Job& job, Installation installation);
    ~NewRoot();
    NewRoot(const NewRoot&) = delete;
    NewRoot& operator=(const NewRoot&) = delete;

    // --- 1. The files: one of these. Sentences about what was left out or changed are added to `report`.
    // What Service::runInitdb() made at `place`; its log is moved.
    Status fillFromInitdb(const std::string& place);
    Status fillFromDirectory(const DataDirectory& source, std::vector<std::string>& report);

    // --- 2. A server, if anything is to be recovered or set: until stop().
    // Tries the names of superusers in turn. `promote`: a standby is recovered to the end of its log, and
    // promoted.
    Status start(const std::vector<std::string>& superusers, bool promote);
    // A session of the superuser.
    Result<SqlSession> session(const std::string& database) const;
    const Service::HiddenServer& server() const { return *m_server; }
    // Makes it a branch like others (the superuser postgres with the store's password, the database
    // postgres), turns off what would act outside, and reports that and what is inside.
    Status settle(std::vector<std::string>& report);
    // A clean stop.
    Status stop();

    // --- 3. The name.
    Result<BranchRecord> name(const std::optional<Caller>& caller, const std::string& name);

    std::uint64_t bytes() const { return m_bytes; } // of files and log

  private:
    Status begin();
    Status takeLog(const std::string& from, const std::vector<std::string>& names);
    Status follow();
    Status checkUnchanged(const DataDirectory& source);
    Status addTablespaces(TreeCopy& copy, const DataDirectory& source, std::vector<std::string>& report);
    Status writeConfiguration(const DataDirectory& source, std::vector<std::string>& report);
    Status carryIn(const std::string& path, const std::string& name, std::vector<std::string>& report);
    Status writeText(const std::string& name, std::string_view content);
    Status settleDatabase(SqlSession& session, const std::string& database, std::vector<std::string>& report);
    std::string walPath() const;

    Service& m_service;
    Disk& m_disk;
    Job& m_job;
    const Installation m_installation;
    const Owner m_owner;
    std::shared_ptr<TimelineView> m_view;
    TimelineId m_timeline;
    ControlFile m_control;
    std::optional<Service::HiddenServer> m_server;
    std::uint64_t m_bytes = 0;
    bool m_named = false;
};

// The directory that an installation loads libraries from (pg_config --pkglibdir).
std::string libraryDirectoryOf(const Installation& installation);

} // namespace arbor
