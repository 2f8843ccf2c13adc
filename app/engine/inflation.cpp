#include "app/engine/inflation.h"

#include "app/postgres/queries.h"
#include "storage/engine/view_paths.h"

#include <QEventLoop>

#include <algorithm>
#include <map>

namespace arbor {

namespace {

using Paths = std::map<InodeId, std::string>;

Status addPaths(BranchView& view, InodeId directory, const std::string& prefix, Paths& paths) {
    ARBOR_ASSIGN(const auto entries, entriesOf(view, directory));
    for (const DirectoryEntry& entry : entries) {
        const auto found = view.lookup(directory, entry.name);
        if (!found)
            continue;
        if (found->type == FileType::Directory)
            ARBOR_TRY(addPaths(view, found->inode, prefix + entry.name + "/", paths));
        else
            paths.emplace(found->inode, prefix + entry.name);
    }
    return {};
}

// base/5/16384.1 and base/5/16384_vm are parts of base/5/16384.
std::string relationFile(const std::string& path) {
    const std::size_t name = path.rfind('/') + 1;
    if (path.compare(0, 5, "base/") != 0 && path.compare(0, 7, "global/") != 0)
        return path;
    const std::size_t digits = path.find_first_not_of("0123456789", name);
    return digits == std::string::npos || digits == name ? path : path.substr(0, digits);
}

struct Names {
    struct Relation {
        std::string database;
        std::string name;
        std::string kind;
    };
    std::map<std::string, Relation> byFile;
};

Result<std::vector<Rows>> ask(const Service::Connection& connection, const std::string& database,
                              std::vector<std::string> statements) {
    QueryOutcome outcome;
    QEventLoop loop;
    Queries queries({connection.socketDirectory, connection.port, "postgres", database},
                    std::move(statements));
    QObject::connect(&queries, &Queries::finished, &loop, [&](const QueryOutcome& answered) {
        outcome = answered;
        loop.quit();
    });
    constexpr int patienceMs = 10'000;
    queries.start(patienceMs);
    loop.exec();
    if (outcome.kind != QueryOutcome::Kind::Answered)
        return makeError(ErrorKind::Unreachable, "{}", outcome.message);
    return std::move(outcome.results);
}

constexpr const char* databasesSql =
    "SELECT datname FROM pg_catalog.pg_database WHERE datallowconn ORDER BY oid LIMIT 50";
// a mapped catalog has no relfilenode of its own: the function knows
constexpr const char* relationsSql =
    "SELECT pg_catalog.pg_relation_filepath(c.oid), n.nspname || '.' || c.relname, "
    "CASE c.relkind WHEN 'i' THEN 'index' WHEN 't' THEN 'TOAST table' WHEN 'S' THEN 'sequence' "
    "WHEN 'm' THEN 'materialized view' ELSE 'table' END, c.relisshared, coalesce(tn.nspname || '.' || "
    "t.relname, '') "
    "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
    "LEFT JOIN pg_catalog.pg_class t ON t.reltoastrelid = c.oid "
    "LEFT JOIN pg_catalog.pg_namespace tn ON tn.oid = t.relnamespace "
    "WHERE c.relkind IN ('r','i','t','S','m') LIMIT 200000";

Result<Names> namesOf(Service& service, const BranchRecord& branch) {
    ARBOR_ASSIGN(const Service::Connection connection, service.connectionOf(branch));
    ARBOR_ASSIGN(const auto databases, ask(connection, "postgres", {databasesSql}));
    Names names;
    for (const Row& row : databases.at(0)) {
        const std::string database = row.at(0).value_or("");
        const auto relations = ask(connection, database, {relationsSql});
        if (!relations)
            continue; // it has just been dropped, or takes no connections
        for (const Row& relation : relations->at(0)) {
            if (!relation.at(0))
                continue;
            const std::string owner = relation.at(4).value_or("");
            names.byFile[*relation.at(0)] = {relation.at(3) == "t" ? std::string() : database,
                                             owner.empty() ? relation.at(1).value_or("") : owner,
                                             relation.at(2).value_or("")};
        }
    }
    return names;
}

bool isRunning(Service& service, const BranchRecord& branch) {
    return service.endpoints().info(Service::keyOf(branch.id)).state == Endpoint::State::Running;
}

// The branch itself, or any that runs: a file is taken for the same only under the same inode.
std::optional<BranchRecord> whoKnows(Service& service, const BranchRecord& branch) {
    if (isRunning(service, branch))
        return branch;
    const auto branches = service.engine().catalog([](const Catalog& catalog) {
        std::vector<BranchRecord> all;
        for (const BranchRecord* record : catalog.branches())
            all.push_back(*record);
        return all;
    });
    for (const BranchRecord& other : branches)
        if (isRunning(service, other))
            return other;
    return std::nullopt;
}

Result<Paths> pathsAt(Service& service, const TimelinePoint& point) {
    ARBOR_ASSIGN(const auto view, service.engine().look(point));
    Paths paths;
    ARBOR_TRY(addPaths(*view, view->root(), {}, paths));
    return paths;
}

// Names of the files that have the same inode where they are known.
std::map<InodeId, Names::Relation> relationsByInode(Service& service, const BranchRecord& branch,
                                                    const Paths& head) {
    std::map<InodeId, Names::Relation> found;
    const auto knower = whoKnows(service, branch);
    if (!knower)
        return found;
    const auto names = namesOf(service, *knower);
    const auto theirs =
        knower->id == branch.id ? Result<Paths>(head) : pathsAt(service, {knower->timeline, headPoint});
    if (!names || !theirs)
        return found; // it stopped meanwhile: paths will do
    for (const auto& [inode, path] : *theirs)
        if (const auto name = names->byFile.find(relationFile(path)); name != names->byFile.end())
            found.emplace(inode, name->second);
    return found;
}

// Where the branch's history begins, files may still stand that its head has not.
Paths pathsBefore(Service& service, const BranchRecord& branch) {
    const auto start = service.engine().historyStart(branch.timeline);
    const auto paths = pathsAt(service, {branch.timeline, start});
    return paths ? *paths : Paths();
}

} // namespace

Result<std::vector<RelationUse>> relationUse(Service& service, const BranchRecord& branch) {
    ARBOR_ASSIGN(const auto files, service.accounting().collector().files(branch.id));
    ARBOR_ASSIGN(const Paths head, pathsAt(service, {branch.timeline, headPoint}));
    const Paths before = pathsBefore(service, branch);
    const auto names = relationsByInode(service, branch, head);
    std::map<std::string, RelationUse> uses; // by file
    for (const auto& [inode, bytes] : files) {
        const auto now = head.find(inode);
        const auto then = before.find(inode);
        const std::string path = now != head.end()      ? now->second
                                 : then != before.end() ? then->second
                                                        : std::string();
        const std::string file = relationFile(path);
        const bool isGone = now == head.end();
        RelationUse& use = uses[(isGone ? "-" : "+") + file];
        use.file = file;
        use.isGone = isGone;
        use.privateBytes += bytes.privateBytes;
        use.pinnedBytes += bytes.historyBytes;
        if (const auto name = names.find(inode); name != names.end()) {
            use.database = name->second.database;
            use.relation = name->second.name;
            use.kind = name->second.kind;
        }
    }
    std::vector<RelationUse> list;
    for (auto& [file, use] : uses)
        if (use.privateBytes + use.pinnedBytes > 0)
            list.push_back(std::move(use));
    std::stable_sort(list.begin(), list.end(), [](const RelationUse& a, const RelationUse& b) {
        return a.privateBytes + a.pinnedBytes > b.privateBytes + b.pinnedBytes;
    });
    return list;
}

} // namespace arbor
