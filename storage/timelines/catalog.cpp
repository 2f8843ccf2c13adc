// The state: loading, storing a record with its indexes, looking things up.
#include "storage/timelines/catalog.h"

#include "storage/base/units.h"

#include "storage/timelines/catalog_edit.h"
#include "storage/timelines/codec.h"
#include "storage/timelines/settings.h"

#include <algorithm>
#include <cassert>

namespace arbor {

using namespace catalog_codec;

namespace {

template <class Container, class KeyType>
auto pointerTo(Container& container, const KeyType& key) -> decltype(&container.begin()->second) {
    const auto found = container.find(key);
    return found == container.end() ? nullptr : &found->second;
}

// The second halves of all pairs whose first half is `first`.
template <class First, class Second>
std::vector<Second> secondsOf(const std::set<std::pair<First, Second>>& pairs, First first) {
    std::vector<Second> seconds;
    for (auto at = pairs.lower_bound({first, Second{}}); at != pairs.end() && at->first == first; ++at)
        seconds.push_back(at->second);
    return seconds;
}

} // namespace

Status Catalog::loadRecord(std::string_view key, std::string_view value) {
    return applyRecord(key, std::string(value));
}

Status Catalog::finishLoad() {
    const auto behind = [](std::string_view kind) {
        return makeError(ErrorKind::Corruption,
                         "the catalog's id counters are behind its {} records: an id would be given twice",
                         kind);
    };
    for (const auto& [id, record] : m_timelines)
        if (id.value >= m_counters.timeline)
            return behind("timeline");
    for (const auto& [id, record] : m_branches)
        if (id.value >= m_counters.branch)
            return behind("branch");
    for (const auto& [id, record] : m_trash)
        if (id.value >= m_counters.trash || record.branch.id.value >= m_counters.branch)
            return behind("trash");
    if (!m_checkpoints.empty() && m_checkpoints.rbegin()->first.value >= m_counters.checkpoint)
        return behind("checkpoint");
    return {};
}

void Catalog::apply(const CatalogChange& change) {
    // Everything that changes goes first: within one change a name may pass from one branch to another
    for (const bool storing : {false, true})
        for (const RecordChange& record : change.records) {
            if (!parseKey(record.key) || (storing && !record.after))
                continue; // not the catalog's, or gone already
            [[maybe_unused]] const auto status =
                applyRecord(record.key, storing ? record.after : std::nullopt);
            assert(status.has_value());
        }
}

void Catalog::revert(const CatalogChange& change) {
    CatalogChange back;
    for (const RecordChange& record : change.records)
        back.records.push_back({record.key, record.after, record.before});
    apply(back);
}

Status Catalog::applyRecord(std::string_view keyBytes, const std::optional<std::string>& value) {
    const auto key = parseKey(keyBytes);
    if (!key)
        return makeError(ErrorKind::Corruption, "the catalog holds a record with a malformed key of {} bytes",
                         keyBytes.size());
    switch (key->kind) {
    case Kind::Timeline: {
        drop(TimelineId{key->id});
        if (!value)
            return {};
        ARBOR_ASSIGN(const auto record, decodeTimeline({key->id}, *value));
        return store(record);
    }
    case Kind::Branch: {
        drop(BranchId{key->id});
        if (!value)
            return {};
        ARBOR_ASSIGN(const auto record, decodeBranch({key->id}, *value));
        return store(record);
    }
    case Kind::Checkpoint: {
        drop(CheckpointId{key->id});
        if (!value)
            return {};
        ARBOR_ASSIGN(const auto record, decodeCheckpoint({key->id}, *value));
        return store(record);
    }
    case Kind::Trash: {
        drop(TrashId{key->id});
        if (!value)
            return {};
        ARBOR_ASSIGN(const auto record, decodeTrash({key->id}, *value));
        return store(record);
    }
    case Kind::GoneBranch: {
        m_goneNames.erase({key->id});
        if (!value)
            return {};
        ARBOR_ASSIGN(m_goneNames[{key->id}], decodeText(*key, *value));
        return {};
    }
    case Kind::Setting: {
        if (const auto found = m_settings.find(key->setting); found != m_settings.end())
            m_settings.erase(found);
        if (!value)
            return {};
        ARBOR_ASSIGN(auto text, decodeText(*key, *value));
        if (const auto good = checkStoreSetting(key->setting, text); !good)
            return makeError(ErrorKind::Corruption, "the catalog's {} is damaged: {}", describeKey(*key),
                             good.error().message());
        m_settings[std::string(key->setting)] = std::move(text);
        return {};
    }
    case Kind::Counters: {
        // Reverting a change must not give its ids a second time
        if (!value)
            return {};
        ARBOR_ASSIGN(const auto counters, decodeCounters(*value));
        m_counters.timeline = std::max(m_counters.timeline, counters.timeline);
        m_counters.branch = std::max(m_counters.branch, counters.branch);
        m_counters.checkpoint = std::max(m_counters.checkpoint, counters.checkpoint);
        m_counters.trash = std::max(m_counters.trash, counters.trash);
        return {};
    }
    }
    return {};
}

Status Catalog::store(const TimelineRecord& record) {
    m_timelines[record.id] = record;
    if (record.parent)
        m_childTimelines.insert({record.parent, record.id});
    return {};
}

Status Catalog::store(const BranchRecord& record) {
    if (const auto [at, added] = m_byName.try_emplace(record.name, record.id); !added)
        return makeError(ErrorKind::Corruption, "the catalog's branches {} and {} have the same name \"{}\"",
                         at->second, record.id, record.name);
    m_branches[record.id] = record;
    m_byTimeline[record.timeline] = record.id;
    if (record.port != 0)
        m_byPort[record.port] = record.id;
    if (record.parent)
        m_childBranches.insert({record.parent, record.id});
    if (record.expiresAt)
        m_expiries.insert({record.expiresAt, record.id});
    return {};
}

Status Catalog::store(const CheckpointRecord& record) {
    if (const auto [at, added] = m_checkpointNames.try_emplace({record.branch, record.name}, record.id);
        !added)
        return makeError(ErrorKind::Corruption,
                         "the catalog's checkpoints {} and {} have the same name \"{}\"", at->second,
                         record.id, record.name);
    m_checkpoints[record.id] = record;
    m_checkpointTimelines.insert({record.point.timeline, record.id});
    return {};
}

Status Catalog::store(const TrashRecord& record) {
    m_trash[record.id] = record;
    m_trashNames.insert({record.branch.name, record.since, record.id});
    m_trashTimes.insert({record.since, record.id});
    m_trashBranches.insert({record.branch.id, record.id});
    m_trashTimelines[record.branch.timeline] = record.id;
    if (record.branch.parent)
        m_childrenInTrash.insert({record.branch.parent, record.id});
    return {};
}

void Catalog::drop(TimelineId id) {
    const auto found = m_timelines.find(id);
    if (found == m_timelines.end())
        return;
    m_childTimelines.erase({found->second.parent, id});
    m_timelines.erase(found);
}

void Catalog::drop(BranchId id) {
    const auto found = m_branches.find(id);
    if (found == m_branches.end())
        return;
    const BranchRecord& record = found->second;
    // Another branch may have come by the name, timeline or port within the same change
    const auto eraseOwn = [id](auto& index, const auto& key) {
        if (const auto at = index.find(key); at != index.end() && at->second == id)
            index.erase(at);
    };
    eraseOwn(m_byName, record.name);
    eraseOwn(m_byTimeline, record.timeline);
    eraseOwn(m_byPort, record.port);
    m_childBranches.erase({record.parent, id});
    m_expiries.erase({record.expiresAt, id});
    m_branches.erase(found);
}

void Catalog::drop(CheckpointId id) {
    const auto found = m_checkpoints.find(id);
    if (found == m_checkpoints.end())
        return;
    const CheckpointRecord& record = found->second;
    m_checkpointNames.erase({record.branch, record.name});
    m_checkpointTimelines.erase({record.point.timeline, id});
    m_checkpoints.erase(found);
}

void Catalog::drop(TrashId id) {
    const auto found = m_trash.find(id);
    if (found == m_trash.end())
        return;
    const TrashRecord& record = found->second;
    m_trashNames.erase({record.branch.name, record.since, id});
    m_trashTimes.erase({record.since, id});
    m_trashBranches.erase({record.branch.id, id});
    m_childrenInTrash.erase({record.branch.parent, id});
    if (const auto at = m_trashTimelines.find(record.branch.timeline);
        at != m_trashTimelines.end() && at->second == id)
        m_trashTimelines.erase(at);
    m_trash.erase(found);
}

std::optional<std::string> Catalog::encoded(std::string_view keyBytes) const {
    const auto key = parseKey(keyBytes);
    const auto from = [](const auto* record) {
        return record ? std::optional(encode(*record)) : std::nullopt;
    };
    const auto text = [](const std::string* value) {
        return value ? std::optional(encodeText(*value)) : std::nullopt;
    };
    if (!key)
        return std::nullopt;
    switch (key->kind) {
    case Kind::Timeline:
        return from(findTimeline({key->id}));
    case Kind::Branch:
        return from(findBranch(BranchId{key->id}));
    case Kind::Checkpoint:
        return from(findCheckpoint({key->id}));
    case Kind::Trash:
        return from(findTrash({key->id}));
    case Kind::GoneBranch:
        return text(pointerTo(m_goneNames, BranchId{key->id}));
    case Kind::Setting:
        return text(pointerTo(m_settings, key->setting));
    case Kind::Counters:
        return m_counters == IdCounters{} ? std::nullopt : std::optional(encode(m_counters));
    }
    return std::nullopt;
}

CatalogChange Catalog::commit(CatalogEdit&& edit) {
    CatalogChange change = std::move(edit).finish();
    apply(change);
    return change;
}

const BranchRecord* Catalog::findBranch(BranchId id) const {
    return pointerTo(m_branches, id);
}

const BranchRecord* Catalog::findBranch(std::string_view name) const {
    const BranchId* id = pointerTo(m_byName, name);
    return id ? findBranch(*id) : nullptr;
}

Result<BranchRecord> Catalog::branch(std::string_view name) const {
    if (const BranchRecord* found = findBranch(name))
        return *found;
    const bool inTrash = newestTrash(name).has_value();
    return makeError(ErrorKind::NotFound, "there is no branch \"{}\"{}", name,
                     inTrash ? "; it is in the trash, from where `trash restore` brings it back" : "");
}

Result<BranchRecord> Catalog::branch(BranchId id) const {
    if (const BranchRecord* found = findBranch(id))
        return *found;
    if (const auto entries = trashOf(id); !entries.empty()) // it was there when somebody asked for it by name
        return makeError(ErrorKind::NotFound,
                         "branch \"{}\" was deleted meanwhile; `trash restore` brings it back",
                         entries.back()->branch.name);
    return makeError(ErrorKind::NotFound, "there is no branch with the id {}", id);
}

std::vector<const BranchRecord*> Catalog::branches() const {
    std::vector<const BranchRecord*> all;
    all.reserve(m_byName.size());
    for (const auto& [name, id] : m_byName)
        all.push_back(findBranch(id));
    return all;
}

std::vector<BranchId> Catalog::childBranches(BranchId id) const {
    return secondsOf(m_childBranches, id);
}

bool Catalog::knows(BranchId id) const {
    const auto entry = m_trashBranches.lower_bound({id, TrashId{}});
    return m_branches.contains(id) || (entry != m_trashBranches.end() && entry->first == id);
}

bool Catalog::isParent(BranchId id) const {
    const auto child = m_childBranches.lower_bound({id, BranchId{}});
    const auto thrown = m_childrenInTrash.lower_bound({id, TrashId{}});
    return (child != m_childBranches.end() && child->first == id) ||
           (thrown != m_childrenInTrash.end() && thrown->first == id);
}

std::string Catalog::parentName(const BranchRecord& branch) const {
    if (!branch.parent)
        return {};
    if (const BranchRecord* parent = findBranch(branch.parent))
        return parent->name;
    const auto entries = secondsOf(m_trashBranches, branch.parent);
    if (!entries.empty())
        return fmt::format("(deleted) {}", m_trash.at(entries.back()).branch.name);
    const std::string* gone = pointerTo(m_goneNames, branch.parent);
    return gone ? fmt::format("(deleted) {}", *gone) : "(deleted)";
}

const TimelineRecord* Catalog::findTimeline(TimelineId id) const {
    return pointerTo(m_timelines, id);
}

Result<TimelineRecord> Catalog::timeline(TimelineId id) const {
    if (const TimelineRecord* found = findTimeline(id))
        return *found;
    return makeError(ErrorKind::NotFound, "there is no timeline {}", id);
}

std::vector<TimelineId> Catalog::childTimelines(TimelineId id) const {
    return secondsOf(m_childTimelines, id);
}

const BranchRecord* Catalog::branchOn(TimelineId id) const {
    const BranchId* branch = pointerTo(m_byTimeline, id);
    return branch ? findBranch(*branch) : nullptr;
}

const TrashRecord* Catalog::trashOn(TimelineId id) const {
    const TrashId* entry = pointerTo(m_trashTimelines, id);
    return entry ? findTrash(*entry) : nullptr;
}

bool Catalog::isHead(TimelineId id) const {
    return m_byTimeline.contains(id) || m_trashTimelines.contains(id);
}

Result<CheckpointRecord> Catalog::checkpoint(BranchId branch, std::string_view name) const {
    const auto found = m_checkpointNames.find({branch, std::string(name)});
    if (found != m_checkpointNames.end())
        return m_checkpoints.at(found->second);
    const BranchRecord* owner = findBranch(branch);
    return makeError(ErrorKind::NotFound, "branch \"{}\" has no checkpoint \"{}\"", owner ? owner->name : "?",
                     name);
}

const CheckpointRecord* Catalog::findCheckpoint(CheckpointId id) const {
    return pointerTo(m_checkpoints, id);
}

std::vector<CheckpointView> Catalog::checkpoints(BranchId branch) const {
    std::vector<CheckpointView> views;
    const BranchRecord* owner = findBranch(branch);
    for (auto at = m_checkpointNames.lower_bound({branch, ""});
         at != m_checkpointNames.end() && at->first.first == branch; ++at) {
        const CheckpointRecord& record = m_checkpoints.at(at->second);
        views.push_back({record, owner && isOnLine(owner->timeline, record.point)});
    }
    return views;
}

std::vector<const CheckpointRecord*> Catalog::allCheckpoints() const {
    std::vector<const CheckpointRecord*> all;
    for (const auto& [id, record] : m_checkpoints)
        all.push_back(&record);
    return all;
}

const TrashRecord* Catalog::findTrash(TrashId id) const {
    return pointerTo(m_trash, id);
}

std::vector<const TrashRecord*> Catalog::trash() const {
    std::vector<const TrashRecord*> all;
    for (auto at = m_trashTimes.rbegin(); at != m_trashTimes.rend(); ++at)
        all.push_back(findTrash(at->second));
    return all;
}

std::vector<const TrashRecord*> Catalog::trashOf(BranchId id) const {
    std::vector<const TrashRecord*> entries;
    for (const TrashId entry : secondsOf(m_trashBranches, id))
        entries.push_back(findTrash(entry));
    return entries;
}

Result<TrashRecord> Catalog::newestTrash(std::string_view name) const {
    auto after = m_trashNames.upper_bound({std::string(name), Timestamp{INT64_MAX}, TrashId{UINT64_MAX}});
    if (after != m_trashNames.begin() && std::get<0>(*--after) == name)
        return m_trash.at(std::get<2>(*after));
    return makeError(ErrorKind::NotFound,
                     "the trash holds no branch \"{}\"; `trash list` shows what it holds", name);
}

std::string Catalog::setting(std::string_view key) const {
    if (const std::string* value = pointerTo(m_settings, key))
        return *value;
    for (const SettingRule& rule : storeSettings())
        if (rule.key == key)
            return std::string(rule.standard);
    return {};
}

Duration Catalog::durationSetting(std::string_view key) const {
    const auto value = parseDuration(setting(key));
    assert(value.has_value()); // nothing else is let in, neither by setSetting nor at loading
    return value.value_or(Duration{});
}

std::uint64_t Catalog::sizeSetting(std::string_view key) const {
    const auto value = parseSize(setting(key));
    assert(value.has_value());
    return value.value_or(0);
}

std::string Catalog::branchSetting(const BranchRecord& branch, std::string_view key) const {
    if (const std::string* value = pointerTo(branch.settings, std::string(key)))
        return *value;
    for (const SettingRule& rule : branchSettings())
        if (rule.key == key && !rule.standard.empty())
            return std::string(rule.standard);
    return setting(key);
}

std::vector<BranchId> Catalog::dueExpiries(Timestamp now) const {
    std::vector<BranchId> due;
    for (auto at = m_expiries.begin(); at != m_expiries.end() && at->first <= now; ++at)
        due.push_back(at->second);
    return due;
}

std::vector<TrashId> Catalog::dueTrash(Timestamp now) const {
    std::vector<TrashId> due;
    const Timestamp limit = now - durationSetting("trash-time");
    for (auto at = m_trashTimes.begin(); at != m_trashTimes.end() && at->first <= limit; ++at)
        due.push_back(at->second);
    return due;
}

} // namespace arbor
