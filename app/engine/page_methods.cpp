// page.map, page.trace, branch.difference
#include "app/control/methods.h"
#include "app/engine/json.h"
#include "app/postgres/queries.h"
#include "storage/base/units.h"
#include "storage/engine/page_origins.h"
#include "storage/engine/page_trace.h"
#include "storage/engine/view_paths.h"

#include <QEventLoop>

namespace arbor {

namespace {

constexpr double mostBlocks = 4294967295.0; // MaxBlockNumber + 1 of storage/block.h

// A name is asked of the branch's server, for only its catalog knows.
Result<std::string> fileOf(Service& service, const BranchRecord& branch, const std::string& relation) {
    if (relation.find('/') != std::string::npos)
        return relation;
    if (service.endpoints().info(Service::keyOf(branch.id)).state != Endpoint::State::Running)
        return makeError(ErrorKind::Refused,
                         "which file {} is only the server of {} knows: start it, or give the file, as "
                         "base/5/16384",
                         inQuotes(relation), branch.name);
    ARBOR_ASSIGN(const Service::Connection connection, service.connectionOf(branch));
    std::string quoted = relation;
    for (std::size_t at = 0; (at = quoted.find('\'', at)) != std::string::npos; at += 2)
        quoted.insert(at, 1, '\'');
    QueryOutcome outcome;
    QEventLoop loop;
    Queries queries(
        {connection.socketDirectory, connection.port},
        {fmt::format("SELECT pg_catalog.pg_relation_filepath('{}'::pg_catalog.regclass)", quoted)});
    QObject::connect(&queries, &Queries::finished, &loop, [&](const QueryOutcome& answered) {
        outcome = answered;
        loop.quit();
    });
    queries.start(10'000);
    loop.exec();
    if (outcome.kind != QueryOutcome::Kind::Answered)
        return makeError(ErrorKind::NotFound, "{}: {}", inQuotes(relation), outcome.message);
    const auto& path = outcome.results.at(0).at(0).at(0);
    if (!path)
        return makeError(ErrorKind::InvalidArgument, "{} has no file of its own", inQuotes(relation));
    return *path;
}

// The file of a relation that holds its blocks from part * blocksPerRelationFile on.
std::string partOf(const std::string& relation, std::uint64_t part) {
    return part == 0 ? relation : fmt::format("{}.{}", relation, part);
}

Result<Attributes> fileAt(BranchView& view, std::string_view path) {
    auto found = attributesOf(view, path);
    if (!found && found.error().kind() == ErrorKind::NotFound)
        return makeError(ErrorKind::NotFound, "there is no file {} at this point", inQuotes(path));
    if (found && found->type != FileType::Regular)
        return makeError(ErrorKind::InvalidArgument, "{} is no file", inQuotes(path));
    return found;
}

QJsonValue nameOf(Service& service, TimelineId timeline) {
    const std::string name = service.engine().catalog([&](const Catalog& catalog) {
        if (const BranchRecord* branch = catalog.branchOn(timeline))
            return branch->name;
        const TrashRecord* entry = catalog.trashOn(timeline);
        return entry ? fmt::format("{} (in the trash)", entry->branch.name) : std::string();
    });
    return name.empty() ? QJsonValue() : QJsonValue(text(name));
}

QJsonObject versionJson(Service& service, const PageTrace::Version& version, const GcInput& input) {
    QJsonArray pins;
    for (const std::size_t i : version.pins) {
        const GcPin& pin = input.pins[i];
        const PinKind kind = pin.owner == GcPin::trash ? PinKind::Trash : pin.kind;
        pins.append(QJsonObject{
            {"kind", text(pinKindName(kind))}, {"name", text(pin.name)}, {"branch", text(pin.branch)}});
    }
    QJsonObject json{{"branch", nameOf(service, version.timeline)},
                     {"timeline", static_cast<qint64>(version.timeline.value)},
                     {"position", static_cast<qint64>(version.position.value)},
                     {"lsn", knownLsnJson(version.lsn)},
                     {"time", timeJson(version.at)},
                     {"storedBytes", static_cast<qint64>(version.location.bytes())},
                     {"answers", version.answers},
                     {"needed", version.isNeeded},
                     {"pins", pins}};
    return json;
}

Result<QJsonValue> trace(Service& service, const QJsonObject& params) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params, "branch"));
    const double asked = params.value("block").toDouble(-1);
    if (asked < 0 || asked >= mostBlocks)
        return makeError(ErrorKind::InvalidArgument, "a block is a number from 0 on");
    const auto block = static_cast<BlockNumber>(asked);
    ARBOR_ASSIGN(const Engine::Resolved at, resolvePoint(service, branch, params));
    ARBOR_ASSIGN(const std::string relation, fileOf(service, branch, textOf(params, "relation")));
    const std::string file = partOf(relation, block / blocksPerRelationFile);
    const BlockNumber blockInFile = block % blocksPerRelationFile;
    ARBOR_ASSIGN(const auto view, service.engine().look(at.point));
    const auto found = fileAt(*view, file);
    if (!found && (file == relation || found.error().kind() != ErrorKind::NotFound))
        return found.error();
    if (!found || std::uint64_t{blockInFile} * blockSize >= found->size)
        return makeError(ErrorKind::NotFound, "{} has no block {} at this point", relation, block);
    const Attributes& attributes = *found;
    ARBOR_ASSIGN(const Space::AccountsPtr accounts, service.accounting().accounts());
    ARBOR_ASSIGN(const PageTrace traced,
                 tracePage(service.engine(), at.point, attributes.inode, blockInFile, accounts->input));
    QJsonArray chain;
    for (const PageTrace::Step& step : traced.chain)
        chain.append(QJsonObject{{"timeline", static_cast<qint64>(step.timeline.value)},
                                 {"branch", nameOf(service, step.timeline)},
                                 {"versions", static_cast<qint64>(step.versions)},
                                 {"answers", step.answers}});
    QJsonArray versions;
    QJsonObject json{{"relation", text(textOf(params, "relation"))},
                     {"file", text(file)},
                     {"block", static_cast<qint64>(block)},
                     {"at", lsnJson(at.point.at.lsn)},
                     {"found", !traced.isHole},
                     {"readTimelines", static_cast<qint64>(traced.chain.size())},
                     {"chain", chain}};
    for (const PageTrace::Version& version : traced.versions) {
        versions.append(versionJson(service, version, accounts->input));
        if (!version.answers)
            continue;
        json.insert("timeline", static_cast<qint64>(version.timeline.value));
        json.insert("branch", nameOf(service, version.timeline));
        json.insert("position", static_cast<qint64>(version.position.value));
        json.insert("lsn", knownLsnJson(version.lsn));
        json.insert("time", timeJson(version.at));
        json.insert("pageLsn", knownLsnJson(traced.pageLsn));
        json.insert("storedBytes", static_cast<qint64>(version.location.bytes()));
        if (!version.location.isZeroPage()) {
            json.insert("segment", static_cast<qint64>(version.location.segment().value));
            json.insert("offset", static_cast<qint64>(version.location.offset()));
        }
    }
    json.insert("versions", versions);
    return QJsonValue(json);
}

// What the blocks of a relation say, gathered into cells.
struct GatheredCells {
    std::uint64_t from = 0;
    std::uint64_t perCell = 1;
    std::vector<int> nearest;            // a member of the lineage a cell; -1: none
    std::vector<std::uint64_t> byMember; // pages

    void take(std::uint64_t block, const PageOrigin& origin) {
        if (!origin.member)
            return;
        ++byMember[*origin.member];
        int& cell = nearest[(block - from) / perCell];
        const int member = static_cast<int>(*origin.member);
        cell = cell < 0 ? member : std::min(cell, member);
    }
};

// All files of a relation but the last one are full.
Result<std::vector<Attributes>> partsOf(BranchView& view, const std::string& relation) {
    std::vector<Attributes> parts;
    ARBOR_ASSIGN(parts.emplace_back(), fileAt(view, relation));
    while (blocksIn(parts.back().size) == blocksPerRelationFile) {
        const auto next = fileAt(view, partOf(relation, parts.size()));
        if (!next && next.error().kind() == ErrorKind::NotFound)
            break;
        if (!next)
            return next.error();
        parts.push_back(*next);
    }
    return parts;
}

Result<QJsonValue> map(Service& service, const QJsonObject& params) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params, "branch"));
    ARBOR_ASSIGN(const std::string relation, fileOf(service, branch, textOf(params, "relation")));
    const double asked = params.value("from").toDouble(0);
    const double cells = params.value("cells").toDouble(2048);
    if (asked < 0 || asked >= mostBlocks)
        return makeError(ErrorKind::InvalidArgument, "a block is a number from 0 on");
    if (cells < 1 || cells > 65'536)
        return makeError(ErrorKind::InvalidArgument, "a map has 1 to 65536 cells");
    ARBOR_ASSIGN(const auto view, service.engine().look({branch.timeline, headPoint}));
    ARBOR_ASSIGN(const std::vector<Attributes> parts, partsOf(*view, relation));
    const std::uint64_t blocks =
        (parts.size() - 1) * std::uint64_t{blocksPerRelationFile} + blocksIn(parts.back().size);
    GatheredCells gathered;
    gathered.from = std::min(static_cast<std::uint64_t>(asked), blocks);
    const std::uint64_t count = std::min(
        blocks - gathered.from,
        static_cast<std::uint64_t>(std::clamp(params.value("blocks").toDouble(mostBlocks), 0.0, mostBlocks)));
    const auto most = static_cast<std::uint64_t>(cells);
    gathered.perCell = std::max<std::uint64_t>(1, (count + most - 1) / most);
    gathered.nearest.assign((count + gathered.perCell - 1) / gathered.perCell, -1);
    const auto& members = view->lineage().members();
    gathered.byMember.resize(members.size());
    const std::uint64_t end = gathered.from + count;
    for (std::uint64_t part = gathered.from / blocksPerRelationFile;
         part < parts.size() && part * blocksPerRelationFile < end; ++part) {
        const std::uint64_t before = part * blocksPerRelationFile;
        const std::uint64_t first = std::max(gathered.from, before) - before;
        ARBOR_TRY(pageOrigins(
            service.engine(), {*view, parts[part]}, static_cast<BlockNumber>(first),
            static_cast<BlockNumber>(std::min<std::uint64_t>(end - before, blocksPerRelationFile) - first),
            [&](BlockNumber block, const PageOrigin& origin) { gathered.take(before + block, origin); }));
    }
    QJsonArray timelines, nearest;
    for (std::size_t i = 0; i < members.size(); ++i)
        timelines.append(QJsonObject{{"timeline", static_cast<qint64>(members[i].timeline.value)},
                                     {"branch", nameOf(service, members[i].timeline)},
                                     {"pages", static_cast<qint64>(gathered.byMember[i])}});
    for (const int cell : gathered.nearest)
        nearest.append(cell);
    return QJsonValue(QJsonObject{{"file", text(relation)},
                                  {"blocks", static_cast<qint64>(blocks)},
                                  {"from", static_cast<qint64>(gathered.from)},
                                  {"perCell", static_cast<qint64>(gathered.perCell)},
                                  {"timelines", timelines},
                                  {"cells", nearest}});
}

// base/5/16384 and base/5/16384.1, but not base/5/16384_vm and base/5/PG_VERSION.
bool isMainFile(std::string_view name) {
    return !name.empty() && name.front() >= '0' && name.front() <= '9' &&
           name.find_first_not_of("0123456789.") == std::string_view::npos;
}

Result<QJsonArray> differencesIn(Service& service, TimelineView& mine, TimelineView* parent,
                                 InodeId directory, const std::string& path) {
    QJsonArray files;
    ARBOR_ASSIGN(const auto entries, entriesOf(mine, directory));
    for (const DirectoryEntry& entry : entries) {
        if (entry.type != FileType::Regular || !isMainFile(entry.name))
            continue;
        ARBOR_ASSIGN(const Attributes own, mine.lookup(directory, entry.name));
        std::optional<SeenFile> other;
        if (parent != nullptr) {
            if (const auto theirs = fileAt(*parent, path + entry.name))
                other.emplace(SeenFile{*parent, *theirs});
            else if (theirs.error().kind() != ErrorKind::NotFound)
                return theirs.error();
        }
        ARBOR_ASSIGN(const PageDifference counted,
                     pageDifference(service.engine(), {mine, own}, other ? &*other : nullptr));
        files.append(QJsonObject{
            {"file", text(path + entry.name)},
            {"pages", static_cast<qint64>(counted.pages)},
            {"differing", parent ? QJsonValue(static_cast<qint64>(counted.differing)) : QJsonValue()}});
    }
    return files;
}

Result<QJsonValue> difference(Service& service, const QJsonObject& params) {
    ARBOR_ASSIGN(const BranchRecord branch, service.branchNamed(params));
    const auto parent =
        service.engine().catalog([&](const Catalog& catalog) { return catalog.branch(branch.parent); });
    ARBOR_ASSIGN(const auto mine, service.engine().look({branch.timeline, headPoint}));
    std::shared_ptr<TimelineView> theirs;
    if (parent) {
        ARBOR_ASSIGN(theirs, service.engine().look({parent->timeline, headPoint}));
    }
    ARBOR_ASSIGN(const Attributes base, mine->lookup(mine->root(), "base"));
    ARBOR_ASSIGN(const auto databases, entriesOf(*mine, base.inode));
    QJsonArray files;
    for (const DirectoryEntry& database : databases) {
        if (database.type != FileType::Directory)
            continue;
        ARBOR_TRY(mine->lookup(base.inode, database.name)); // a view knows what was met by its name
        ARBOR_ASSIGN(const QJsonArray more, differencesIn(service, *mine, theirs.get(), database.inode,
                                                          "base/" + database.name + "/"));
        for (const QJsonValue& file : more)
            files.append(file);
    }
    return QJsonValue(
        QJsonObject{{"parent", parent ? QJsonValue(text(parent->name)) : QJsonValue()}, {"files", files}});
}

} // namespace

void registerPageMethods(Service& service) {
    service.onWorker(method::pageMap,
                     [&](const QJsonObject& params, const RequestContext&) { return map(service, params); });
    service.onWorker(method::pageTrace, [&](const QJsonObject& params, const RequestContext&) {
        return trace(service, params);
    });
    service.onWorker(method::branchDifference, [&](const QJsonObject& params, const RequestContext&) {
        return difference(service, params);
    });
}

} // namespace arbor
