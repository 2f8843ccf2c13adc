#include "widgets/models/marks_store.h"

#include <QCoreApplication>

#include <algorithm>

namespace arbor {

namespace {

struct KindName {
    MarkKind kind;
    const char* word;
    const char* text;
};
constexpr std::array kindNames{
    KindName{MarkKind::Fork, "fork", QT_TRANSLATE_NOOP("arbor::MarksStore", "Fork")},
    KindName{MarkKind::Checkpoint, "checkpoint", QT_TRANSLATE_NOOP("arbor::MarksStore", "Checkpoint")},
    KindName{MarkKind::RestorePoint, "restore-point",
             QT_TRANSLATE_NOOP("arbor::MarksStore", "Restore point")},
    KindName{MarkKind::Commit, "commit", QT_TRANSLATE_NOOP("arbor::MarksStore", "Commit")},
    KindName{MarkKind::Drop, "drop", QT_TRANSLATE_NOOP("arbor::MarksStore", "Drop")},
    KindName{MarkKind::PostgresCheckpoint, "postgres-checkpoint",
             QT_TRANSLATE_NOOP("arbor::MarksStore", "Postgres checkpoint")},
    KindName{MarkKind::Start, "start", QT_TRANSLATE_NOOP("arbor::MarksStore", "Start")},
    KindName{MarkKind::Stop, "stop", QT_TRANSLATE_NOOP("arbor::MarksStore", "Stop")},
};
static_assert(kindNames.size() == markKinds);

// What says most first, where several marks stand at one LSN.
constexpr std::array byWeight{MarkKind::Checkpoint, MarkKind::Drop,   MarkKind::RestorePoint,
                              MarkKind::Fork,       MarkKind::Commit, MarkKind::PostgresCheckpoint,
                              MarkKind::Start,      MarkKind::Stop};

constexpr std::size_t slot(MarkKind kind) {
    return static_cast<std::size_t>(kind);
}

const LsnTimeMap emptyMap;

} // namespace

std::optional<MarkKind> markKindFromWord(const QString& word) {
    for (const KindName& name : kindNames)
        if (word == QLatin1String(name.word))
            return name.kind;
    return std::nullopt;
}

QString markKindText(MarkKind kind) {
    return QCoreApplication::translate("arbor::MarksStore", kindNames[slot(kind)].text);
}

MarksStore::MarksStore(QObject* parent) : QObject(parent) {}

const MarksStore::Branch* MarksStore::find(std::uint64_t branchId) const {
    const auto found = m_branches.constFind(branchId);
    return found == m_branches.cend() ? nullptr : &*found;
}

Mark MarksStore::unpack(const Branch& branch, MarkKind kind, const Packed& packed) const {
    return {kind, packed.lsn, packed.time, packed.xid,
            packed.text == 0 ? QString() : branch.texts[packed.text - 1]};
}

void MarksStore::add(std::uint64_t branchId, std::span<const Mark> marks) {
    if (marks.empty())
        return;
    Branch& branch = m_branches[branchId];
    std::array<std::size_t, markKinds> old{};
    for (std::size_t kind = 0; kind < markKinds; ++kind)
        old[kind] = branch.marks[kind].size();
    std::vector<LsnTimeMap::Point> points;
    points.reserve(marks.size());
    for (const Mark& mark : marks) {
        Packed packed{mark.lsn, mark.time, 0, mark.xid};
        if (!mark.text.isEmpty()) {
            branch.texts.push_back(mark.text);
            packed.text = static_cast<std::uint32_t>(branch.texts.size());
        }
        branch.marks[slot(mark.kind)].push_back(packed);
        points.push_back({mark.lsn, mark.time});
    }
    for (std::size_t kind = 0; kind < markKinds; ++kind)
        merge(branch, kind, old[kind]);
    branch.map.add(std::move(points));
    branch.generation = ++m_generation;
    Q_EMIT changed(branchId);
}

// What was appended from `old` on takes its place among the sorted.
void MarksStore::merge(Branch& branch, std::size_t kind, std::size_t old) {
    std::vector<Packed>& all = branch.marks[kind];
    if (all.size() == old)
        return;
    const auto text = [&](const Packed& mark) -> QString {
        return mark.text == 0 ? QString() : branch.texts[mark.text - 1];
    };
    const auto before = [&](const Packed& a, const Packed& b) {
        if (a.lsn != b.lsn)
            return a.lsn < b.lsn;
        return (a.text | b.text) != 0 && text(a) < text(b);
    };
    const auto same = [&](const Packed& a, const Packed& b) { return a.lsn == b.lsn && text(a) == text(b); };
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(old);
    if (!std::is_sorted(middle, all.end(), before))
        std::stable_sort(middle, all.end(), before);
    auto touched = all.begin();
    if (old > 0 && before(all[old - 1], *middle))
        touched = middle;
    else
        std::inplace_merge(all.begin(), middle, all.end(), before);
    all.erase(std::unique(touched, all.end(), same), all.end());
    m_count += all.size();
    m_count -= old;
}

void MarksStore::setSpan(std::uint64_t branchId, Lsn from, Timestamp fromTime, Lsn to, Timestamp toTime) {
    Branch& branch = m_branches[branchId];
    branch.map.setEnds({from, fromTime}, {to, toTime});
    branch.generation = ++m_generation;
    Q_EMIT changed(branchId);
}

void MarksStore::clear(std::uint64_t branchId) {
    const Branch* branch = find(branchId);
    if (branch == nullptr)
        return;
    m_count -= count(branchId);
    m_branches.remove(branchId);
    ++m_generation;
    Q_EMIT changed(branchId);
}

void MarksStore::clearKind(std::uint64_t branchId, MarkKind kind) {
    if (count(branchId, kind) == 0)
        return;
    Branch& branch = m_branches[branchId];
    m_count -= branch.marks[slot(kind)].size();
    branch.marks[slot(kind)].clear(); // its points stay in the map: they are as true as before
    branch.generation = ++m_generation;
    Q_EMIT changed(branchId);
}

void MarksStore::clearAll() {
    m_branches.clear();
    m_count = 0;
    ++m_generation;
    Q_EMIT cleared();
}

std::size_t MarksStore::count(std::uint64_t branchId) const {
    std::size_t sum = 0;
    for (std::size_t kind = 0; kind < markKinds; ++kind)
        sum += count(branchId, static_cast<MarkKind>(kind));
    return sum;
}

std::size_t MarksStore::count(std::uint64_t branchId, MarkKind kind) const {
    const Branch* branch = find(branchId);
    return branch == nullptr ? 0 : branch->marks[slot(kind)].size();
}

std::uint64_t MarksStore::generation(std::uint64_t branchId) const {
    const Branch* branch = find(branchId);
    return branch == nullptr ? 0 : branch->generation;
}

namespace {

template <class Marks>
auto atOrAfter(const Marks& marks, Lsn from) {
    return std::partition_point(marks.begin(), marks.end(),
                                [&](const auto& mark) { return mark.lsn < from; });
}

} // namespace

std::optional<MarksStore::Entry> MarksStore::firstAtOrAfter(std::uint64_t branchId, MarkKind kind,
                                                            Lsn from) const {
    const Branch* branch = find(branchId);
    if (branch == nullptr)
        return std::nullopt;
    const auto& marks = branch->marks[slot(kind)];
    const auto found = atOrAfter(marks, from);
    if (found == marks.end())
        return std::nullopt;
    return Entry{found->lsn,
                 found->time ? found->time : branch->map.timeAt(found->lsn).value_or(Timestamp{})};
}

std::optional<Mark> MarksStore::previous(std::uint64_t branchId, Lsn lsn, MarkKindSet kinds) const {
    const Branch* branch = find(branchId);
    if (branch == nullptr)
        return std::nullopt;
    std::optional<Mark> best;
    for (const MarkKind kind : byWeight) {
        const auto& marks = branch->marks[slot(kind)];
        const auto found = atOrAfter(marks, lsn);
        if ((kinds & markBit(kind)) == 0 || found == marks.begin())
            continue;
        const Packed& mark = *(found - 1);
        if (!best || mark.lsn > best->lsn)
            best = unpack(*branch, kind, mark);
    }
    return best;
}

std::optional<Mark> MarksStore::next(std::uint64_t branchId, Lsn lsn, MarkKindSet kinds) const {
    const Branch* branch = find(branchId);
    if (branch == nullptr)
        return std::nullopt;
    std::optional<Mark> best;
    for (const MarkKind kind : byWeight) {
        const auto& marks = branch->marks[slot(kind)];
        const auto found = atOrAfter(marks, lsn + 1);
        if ((kinds & markBit(kind)) == 0 || found == marks.end())
            continue;
        if (!best || found->lsn < best->lsn)
            best = unpack(*branch, kind, *found);
    }
    return best;
}

std::optional<Mark> MarksStore::at(std::uint64_t branchId, Lsn lsn, MarkKindSet kinds) const {
    const Branch* branch = find(branchId);
    if (branch == nullptr)
        return std::nullopt;
    for (const MarkKind kind : byWeight) {
        const auto& marks = branch->marks[slot(kind)];
        const auto found = atOrAfter(marks, lsn);
        if ((kinds & markBit(kind)) != 0 && found != marks.end() && found->lsn == lsn)
            return unpack(*branch, kind, *found);
    }
    return std::nullopt;
}

std::vector<Mark> MarksStore::between(std::uint64_t branchId, Lsn from, Lsn to, MarkKindSet kinds,
                                      std::size_t limit) const {
    std::vector<Mark> result;
    const Branch* branch = find(branchId);
    if (branch == nullptr)
        return result;
    for (const MarkKind kind : byWeight) {
        if ((kinds & markBit(kind)) == 0)
            continue;
        const auto& marks = branch->marks[slot(kind)];
        std::size_t taken = 0;
        for (auto mark = atOrAfter(marks, from); mark != marks.end() && mark->lsn < to && taken < limit;
             ++mark, ++taken)
            result.push_back(unpack(*branch, kind, *mark));
    }
    std::stable_sort(result.begin(), result.end(),
                     [](const Mark& a, const Mark& b) { return a.lsn < b.lsn; });
    if (result.size() > limit)
        result.resize(limit);
    return result;
}

const LsnTimeMap& MarksStore::timeMap(std::uint64_t branchId) const {
    const Branch* branch = find(branchId);
    return branch == nullptr ? emptyMap : branch->map;
}

} // namespace arbor
