// A believable store for pictures and measurements: a bank with a development branch, CI branches, marks and
// pins.
#pragma once

#include "widgets/models/branch_tree_model.h"
#include "widgets/models/marks_store.h"
#include "widgets/models/timeline_geometry.h"

#include <random>
#include <vector>

namespace arbor::test {

struct SampleForest {
    std::vector<BranchRow> rows;
    std::vector<std::pair<std::uint64_t, std::vector<Mark>>> marks;
    std::vector<TimelineRange> ranges;
    Timestamp now;
    Timestamp historyEdge;

    // Spans first, then marks: what a client does.
    void fill(BranchTreeModel& model, MarksStore& store) const {
        model.setNow(now);
        for (const BranchRow& row : rows)
            store.setSpan(row.id, row.forkLsn, row.forkTime, row.headLsn, row.headTime);
        for (const auto& [branch, list] : marks)
            store.add(branch, list);
        model.setRows(rows);
    }
};

inline BranchRow sampleBranch(std::uint64_t id, const QString& name, const BranchRow* parent,
                              double forkShare, std::uint64_t written, Timestamp headTime) {
    BranchRow row;
    row.id = id;
    row.name = name;
    row.root = parent == nullptr;
    if (parent != nullptr) {
        row.parentId = parent->id;
        const auto share = [&](auto whole) {
            return static_cast<std::int64_t>(forkShare * static_cast<double>(whole));
        };
        row.forkLsn = parent->forkLsn + static_cast<std::uint64_t>(share(parent->headLsn - parent->forkLsn));
        row.forkTime = parent->forkTime + Duration{share((parent->headTime - parent->forkTime).micros)};
    }
    row.createdAt = row.forkTime;
    row.headLsn = row.forkLsn + written;
    row.headTime = std::max(headTime, row.forkTime);
    row.ownBytes = written / 3;
    return row;
}

// Commits with busy and quiet times, Postgres checkpoints between.
inline std::vector<Mark> sampleCommits(const BranchRow& row, std::size_t count, std::uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<Mark> marks;
    const double bytes = static_cast<double>(row.headLsn - row.forkLsn);
    const double time = static_cast<double>((row.headTime - row.forkTime).micros);
    double when = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double share = static_cast<double>(i) / static_cast<double>(count);
        const double busy = 0.15 + std::abs(std::sin(share * 23)) * (random() % 100 < 3 ? 14.0 : 1.0);
        when += busy;
        marks.push_back({MarkKind::Commit,
                         row.forkLsn + static_cast<std::uint64_t>(share * bytes),
                         Timestamp{static_cast<std::int64_t>(when * 1e6)},
                         static_cast<std::uint32_t>(700 + i),
                         {}});
    }
    for (Mark& mark : marks) // to the branch's life
        mark.time =
            row.forkTime +
            Duration{static_cast<std::int64_t>(static_cast<double>(mark.time.micros) / (when * 1e6) * time)};
    return marks;
}

inline SampleForest sampleForest() {
    SampleForest forest;
    forest.now = *Timestamp::parseIso("2026-11-23T14:40:00Z");
    forest.historyEdge = forest.now - Duration::days(1);
    const auto before = [&](std::int64_t minutes) { return forest.now - Duration::seconds(minutes * 60); };
    constexpr std::uint64_t mb = 1024 * 1024;

    BranchRow main = sampleBranch(1, "main", nullptr, 0, 0, {});
    main.forkLsn = Lsn{0x1600000};
    main.forkTime = main.createdAt = before(3 * 1440);
    main.headLsn = main.forkLsn + 2900 * mb;
    main.headTime = forest.now - Duration::seconds(2);
    main.historyFromTime = forest.historyEdge;
    main.historyFromLsn = main.forkLsn + 1700 * mb;
    main.state = BranchState::Running;
    main.isProtected = true;
    main.ownBytes = 9216 * mb;
    main.children = 5;
    main.checkpoints = 3;
    main.sessions = 4;
    main.peeks.push_back({main.forkLsn + 2790 * mb, before(150)});

    std::vector<BranchRow>& rows = forest.rows;
    rows.push_back(main);
    rows.push_back(sampleBranch(2, "dev", &main, 0.66, 240 * mb, before(4 * 60)));
    rows.back().children = 1;
    rows.push_back(sampleBranch(3, "dev-invoices", &rows[1], 0.7, 90 * mb, before(25)));
    rows.back().state = BranchState::Starting;
    rows.push_back(sampleBranch(4, "analytics", &main, 0.24, 420 * mb, before(400)));
    rows.back().state = BranchState::Running;
    rows.back().checkpoints = 1;
    rows.push_back(sampleBranch(5, "before-drop", &main, 0.93, 12 * mb, before(30)));
    rows.back().expiresAt = forest.now + Duration::days(3);
    rows.push_back(
        sampleBranch(6, "migration-2026-q4-with-a-rather-long-name", &main, 0.8, 160 * mb, before(100)));
    rows.back().state = BranchState::Failed;
    rows.back().error = "FATAL: could not map anonymous shared memory";
    for (std::uint64_t i = 0; i < 12; ++i) {
        rows.push_back(sampleBranch(10 + i, QStringLiteral("ci/pr-%1").arg(407 + i), &main,
                                    0.55 + 0.036 * static_cast<double>(i), (8 + i * 3) * mb,
                                    before(static_cast<std::int64_t>(900 - i * 70))));
        rows.back().expiresAt = forest.now + Duration::days(1);
        rows.back().state = i == 11 ? BranchState::Running : BranchState::Stopped;
    }

    for (const BranchRow& row : rows) {
        auto marks = sampleCommits(row, row.id == 1 ? 20'000 : 300, row.id);
        const auto at = [&](double share) {
            return marks[static_cast<std::size_t>(share * static_cast<double>(marks.size()))];
        };
        const auto put = [&](MarkKind kind, double share, const QString& text) {
            const Mark near = at(share);
            marks.push_back({kind, near.lsn + 8, near.time, 0, text});
        };
        if (row.id == 1) {
            put(MarkKind::Checkpoint, 0.62, "before-import");
            put(MarkKind::Checkpoint, 0.79, "release-12");
            put(MarkKind::Checkpoint, 0.9, "nightly");
            put(MarkKind::RestorePoint, 0.86, "pre-upgrade");
            put(MarkKind::Drop, 0.955, "DROP TABLE accounts");
            for (double share = 0.6; share < 1; share += 0.07)
                put(MarkKind::PostgresCheckpoint, share, {});
            for (const BranchRow& child : rows)
                if (child.parentId == 1)
                    marks.push_back({MarkKind::Fork, child.forkLsn, child.forkTime, 0, child.name});
        }
        if (row.id == 2) {
            put(MarkKind::Checkpoint, 0.4, "seeded");
            put(MarkKind::Start, 0.1, {});
            put(MarkKind::Stop, 0.97, {});
        }
        forest.marks.emplace_back(row.id, std::move(marks));
    }
    forest.ranges.push_back(
        {TimelineRange::Kind::Pinned, 1, Lsn{rows[3].forkLsn.value - 220 * mb}, rows[3].forkLsn, 4});
    forest.ranges.push_back(
        {TimelineRange::Kind::Reclaimable, 1, main.forkLsn + 60 * mb, main.forkLsn + 380 * mb, 0});
    return forest;
}

// `branches` branches with `marks` marks among them: main has half of the marks and a tenth of the branches
// below it.
inline SampleForest largeForest(std::size_t branches, std::size_t marks) {
    SampleForest forest;
    forest.now = *Timestamp::parseIso("2026-11-23T14:40:00Z");
    std::mt19937_64 random(1);
    BranchRow main = sampleForest().rows[0];
    main.isProtected = false;
    forest.rows.push_back(main);
    static const QStringList parts{"ci/", "dev/", "feature/", "user/", "", ""};
    for (std::size_t i = 1; i < branches; ++i) {
        const std::size_t parent = i < branches / 10 ? 0 : random() % (branches / 10);
        const QString name = parts[static_cast<qsizetype>(random() % 6)] + QStringLiteral("b%1").arg(i);
        forest.rows.push_back(
            sampleBranch(i + 1, name, &forest.rows[parent], static_cast<double>(random() % 1000) / 1000,
                         (random() % 64 + 1) << 20,
                         forest.now - Duration::seconds(static_cast<std::int64_t>(random() % 90'000))));
    }
    forest.marks.emplace_back(1, sampleCommits(main, marks / 2, 1));
    for (std::size_t i = 1; i < branches; ++i)
        forest.marks.emplace_back(i + 1, sampleCommits(forest.rows[i], marks / 2 / branches, i));
    return forest;
}

} // namespace arbor::test
