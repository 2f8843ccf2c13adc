#include "storage/names/roles.h"

#include <algorithm>
#include <array>

namespace arbor {

namespace {

bool isNumber(std::string_view text) {
    return !text.empty() &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Takes digits off the front; false when there are none.
bool takeNumber(std::string_view& text) {
    const auto end = std::find_if_not(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    const auto digits = static_cast<std::size_t>(end - text.begin());
    text.remove_prefix(digits);
    return digits > 0;
}

// What may follow a relation's number: a fork and a segment, "_fsm.1".
bool isRelationSuffix(std::string_view text) {
    for (const std::string_view fork : {"_fsm", "_vm", "_init"})
        if (text.starts_with(fork)) {
            text.remove_prefix(fork.size());
            break;
        }
    return text.empty() || (text[0] == '.' && isNumber(text.substr(1)));
}

bool isRelation(std::string_view name) {
    return takeNumber(name) && isRelationSuffix(name);
}

// t<backend>_<number>, GetRelationPath() for a temporary relation
bool isTemporaryRelation(std::string_view name) {
    if (!name.starts_with('t'))
        return false;
    name.remove_prefix(1);
    if (!takeNumber(name) || !name.starts_with('_'))
        return false;
    name.remove_prefix(1);
    return isRelation(name);
}

bool isSlruSegment(std::string_view name) {
    return name.size() >= 4 && std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
           });
}

constexpr std::array<std::string_view, 7> rootHostDirectories{
    "pg_wal", "pg_stat_tmp", "pg_notify", "pg_subtrans", "pg_serial", "pg_snapshots", "pg_dynshmem"};
constexpr std::array<std::string_view, 1> tempDirectories{"pgsql_tmp"};

} // namespace

DirectoryRole roleOfChild(DirectoryRole parent, std::string_view name) {
    switch (parent) {
    case DirectoryRole::Root:
        if (name == "base")
            return DirectoryRole::Base;
        if (name == "global")
            return DirectoryRole::Global;
        if (name == "pg_tblspc")
            return DirectoryRole::Tablespaces;
        if (name == "pg_multixact")
            return DirectoryRole::Multixact;
        if (name == "pg_xact" || name == "pg_commit_ts")
            return DirectoryRole::Slru;
        return DirectoryRole::Other;
    case DirectoryRole::Base:
    case DirectoryRole::TablespaceVersion:
        return isNumber(name) ? DirectoryRole::Database : DirectoryRole::Other;
    case DirectoryRole::Tablespaces:
        return isNumber(name) ? DirectoryRole::Tablespace : DirectoryRole::Other;
    case DirectoryRole::Tablespace:
        return name.starts_with("PG_") ? DirectoryRole::TablespaceVersion : DirectoryRole::Other;
    case DirectoryRole::Multixact:
        return DirectoryRole::Slru;
    default:
        return DirectoryRole::Other;
    }
}

bool isPageFile(DirectoryRole directory, std::string_view name) {
    switch (directory) {
    case DirectoryRole::Global:
        return name == "pg_control" || isRelation(name);
    case DirectoryRole::Database:
        return isRelation(name);
    case DirectoryRole::Slru:
        return isSlruSegment(name);
    default:
        return false;
    }
}

bool isUnversioned(DirectoryRole directory, std::string_view name) {
    switch (directory) {
    case DirectoryRole::Root:
        return name == "postmaster.pid" || name == "postmaster.opts";
    case DirectoryRole::Global:
        return name.starts_with("pg_internal.init");
    case DirectoryRole::Database:
        return name.starts_with("pg_internal.init") || isTemporaryRelation(name);
    default:
        return false;
    }
}

const std::string_view* hostDirectoryNames(DirectoryRole directory, std::size_t& count) {
    switch (directory) {
    case DirectoryRole::Root:
        count = rootHostDirectories.size();
        return rootHostDirectories.data();
    case DirectoryRole::Base:
    case DirectoryRole::TablespaceVersion:
        count = tempDirectories.size();
        return tempDirectories.data();
    default:
        count = 0;
        return nullptr;
    }
}

std::optional<std::string> hostDirectory(DirectoryRole directory, std::string_view name,
                                         std::string_view tablespace) {
    std::size_t count = 0;
    const std::string_view* names = hostDirectoryNames(directory, count);
    if (std::find(names, names + count, name) == names + count)
        return std::nullopt;
    if (directory == DirectoryRole::TablespaceVersion)
        return std::string(name) + "." + std::string(tablespace);
    return std::string(name);
}

} // namespace arbor
