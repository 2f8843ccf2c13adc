#include "tests/support/test_seed.h"
#include "tests/widgets/models_support.h"
#include "widgets/models/branch_filter_model.h"
#include "widgets/models/branch_tree_model.h"

#include <QAbstractItemModelTester>
#include <QItemSelectionModel>
#include <QSignalSpy>
#include <QTest>

#include <map>

using namespace arbor;
using namespace arbor::test;

namespace {

std::vector<BranchRow> family() {
    return {branchRow(1, "main"),        branchRow(2, "dev", 1),  branchRow(3, "ci/1", 1),
            branchRow(4, "ci/10", 1),    branchRow(5, "ci/9", 1), branchRow(6, "dev-fix", 2),
            branchRow(7, "feature/a", 1)};
}

// Branches, and what groups sum up.
bool sameContents(const BranchTreeModel& a, const BranchTreeModel& b, const QModelIndex& atA = {},
                  const QModelIndex& atB = {}) {
    if (a.rowCount(atA) != b.rowCount(atB))
        return false;
    for (int row = 0; row < a.rowCount(atA); ++row) {
        const QModelIndex left = a.index(row, 0, atA), right = b.index(row, 0, atB);
        const BranchNode& one = *a.node(left);
        const BranchNode& other = *b.node(right);
        if (one.row != other.row || one.label != other.label || one.count != other.count ||
            one.running != other.running || one.failed != other.failed || !sameContents(a, b, left, right))
            return false;
    }
    return true;
}

// Applies random batches and holds a model against one that was filled afresh.
class RandomBranches {
  public:
    explicit RandomBranches(std::uint64_t seed) : m_random(seed) {}

    void step(BranchTreeModel& model, bool whole) {
        std::vector<BranchRow> changed;
        std::vector<std::uint64_t> removed;
        for (int i = static_cast<int>(pick(6)); i >= 0; --i)
            change(changed, removed);
        if (whole)
            model.setRows(all());
        else
            model.applyChanges(changed, removed);
    }

    std::vector<BranchRow> all() const {
        std::vector<BranchRow> rows;
        for (const auto& [id, row] : m_rows)
            rows.push_back(row);
        return rows;
    }

  private:
    std::uint64_t pick(std::uint64_t n) { return m_random() % n; }
    std::uint64_t anyId() {
        return m_rows.empty() ? 0 : std::next(m_rows.begin(), static_cast<long>(pick(m_rows.size())))->first;
    }
    QString anyName() {
        static const QStringList parts{"ci/", "pr/", "a/", "feature/", ""};
        return parts[static_cast<qsizetype>(pick(5))] + parts[static_cast<qsizetype>(pick(5))] +
               QString::number(pick(30));
    }
    void change(std::vector<BranchRow>& changed, std::vector<std::uint64_t>& removed) {
        const std::uint64_t what = pick(10);
        if (what < 4 || m_rows.empty()) {
            const BranchRow row = branchRow(++m_lastId, anyName(), anyId());
            m_rows[row.id] = row;
            changed.push_back(row);
            return;
        }
        const std::uint64_t id = anyId();
        if (what < 6) {
            m_rows.erase(id);
            removed.push_back(id);
            std::erase_if(changed, [&](const BranchRow& row) { return row.id == id; });
            return;
        }
        BranchRow& row = m_rows[id];
        if (what == 6)
            row.name = anyName();
        else if (what == 7)
            row.parentId = anyId(); // rings too
        else
            row.ownBytes = pick(1000);
        changed.push_back(row);
    }

    std::mt19937_64 m_random;
    std::map<std::uint64_t, BranchRow> m_rows;
    std::uint64_t m_lastId = 0;
};

} // namespace

class ModelsTreeTest : public QObject {
    Q_OBJECT
  private slots:
    void childrenStandBelowTheirParentsAndPrefixesInGroups() {
        BranchTreeModel model;
        QAbstractItemModelTester tester(&model);
        model.setRows(family());
        QCOMPARE(treeText(model),
                 QString("main\n  ci/\n    1\n    9\n    10\n  dev\n    dev-fix\n  feature/a\n"));
    }

    void aGroupIsTheSumOfItsBranches() {
        BranchTreeModel model;
        auto rows = family();
        rows[2].state = BranchState::Failed;
        rows[3].state = BranchState::Running;
        rows[4].ownBytes = unknownBytes;
        model.setRows(rows);
        const BranchNode* group = model.node(model.index(0, 0, model.indexOf(1)));
        QCOMPARE(group->kind, BranchNode::Kind::Group);
        QCOMPARE(group->count, 3);
        QCOMPARE(group->running, 1);
        QCOMPARE(group->failed, 1);
        QCOMPARE(group->row.state, BranchState::Failed);
        QCOMPARE(group->row.ownBytes, std::uint64_t{7000});
        QCOMPARE(group->row.forkLsn, rows[2].forkLsn);
        QCOMPARE(group->row.headLsn, rows[4].headLsn);
    }

    void aPrefixOfPrefixesIsOneGroup() {
        BranchTreeModel model;
        model.setRows(std::vector{branchRow(1, "a/b/1"), branchRow(2, "a/b/2"), branchRow(3, "x/y/1")});
        QCOMPARE(treeText(model), QString("a/b/\n  1\n  2\nx/y/1\n"));
        model.applyChanges(std::vector{branchRow(4, "a/c")});
        QCOMPARE(treeText(model), QString("a/\n  b/\n    1\n    2\n  c\nx/y/1\n"));
    }

    void aRingOfParentsAndAMissingParentLoseNobody() {
        BranchTreeModel model;
        QAbstractItemModelTester tester(&model);
        model.setRows(std::vector{branchRow(1, "a", 3), branchRow(2, "b", 1), branchRow(3, "c", 2),
                                  branchRow(4, "orphan", 99), branchRow(5, "self", 5),
                                  branchRow(6, "tail", 3)});
        QCOMPARE(treeText(model), QString("a\n  b\n    c\n      tail\norphan\nself\n"));
    }

    void selectionAndPersistentIndexesSurviveBatches() {
        BranchTreeModel model;
        QAbstractItemModelTester tester(&model);
        model.setRows(family());
        QItemSelectionModel selection(&model);
        selection.select(model.indexOf(5), QItemSelectionModel::Select | QItemSelectionModel::Rows);
        const QPersistentModelIndex group = model.index(0, 0, model.indexOf(1));
        QSignalSpy resets(&model, &QAbstractItemModel::modelReset);

        // a new branch above, a group that falls apart, a parent that goes and leaves its child
        model.applyChanges(std::vector{branchRow(8, "aaa", 1)}, std::vector<std::uint64_t>{2});
        QVERIFY(group.isValid());
        QCOMPARE(selection.selectedRows().size(), 1);
        QCOMPARE(selection.selectedRows().front(), model.indexOf(5));
        QCOMPARE(treeText(model),
                 QString("dev-fix\nmain\n  aaa\n  ci/\n    1\n    9\n    10\n  feature/a\n"));

        model.applyChanges({}, std::vector<std::uint64_t>{3, 4});
        QVERIFY(!group.isValid());
        QCOMPARE(selection.selectedRows().front(), model.indexOf(5));
        QCOMPARE(model.indexOf(5).data().toString(), QString("ci/9"));
        QCOMPARE(resets.count(), 0);
    }

    void aChangeInsideRowsTouchesThoseRowsOnly() {
        BranchTreeModel model;
        model.setRows(family());
        QSignalSpy changes(&model, &QAbstractItemModel::dataChanged);
        QSignalSpy layouts(&model, &QAbstractItemModel::layoutChanged);
        BranchRow dev = family()[1];
        dev.sessions = 3;
        model.applyChanges(std::vector{dev});
        QCOMPARE(changes.count(), 1);
        QCOMPARE(changes[0][0].toModelIndex(), model.indexOf(2));
        QCOMPARE(layouts.count(), 0);
        model.applyChanges(std::vector{dev});
        QCOMPARE(changes.count(), 1);
        // all rows there are, of which one and so its group are new
        std::vector<BranchRow> rows = family();
        rows[1] = dev;
        rows[3].sessions = 5;
        model.setRows(rows);
        QCOMPARE(changes.count(), 3);
        QCOMPARE(layouts.count(), 0);
        const QModelIndex group = model.indexOf(4).parent();
        QCOMPARE(model.node(group)->row.sessions, 5);
    }

    void thePeeksOfABranchAreTold() {
        BranchTreeModel model;
        BranchRow main = branchRow(1, "main", 0);
        model.setRows(std::vector{main});
        const QModelIndex bar = model.indexOf(1).siblingAtColumn(BranchTreeModel::Timeline);
        const QString without = bar.data(Qt::AccessibleTextRole).toString();
        main.peeks = {{Lsn{0x1000}, {}}, {Lsn{0x2000}, {}}};
        QSignalSpy changes(&model, &QAbstractItemModel::dataChanged);
        model.setRows(std::vector{main});
        QCOMPARE(changes.count(), 1);
        QCOMPARE(bar.data(Qt::AccessibleTextRole).toString(), without + ", peek at 0/1000, peek at 0/2000");
    }

    void theGhostStandsFirstBelowItsParentAndGoesWithIt() {
        BranchTreeModel model;
        QAbstractItemModelTester tester(&model);
        model.setRows(family());
        model.setGhost(1, Lsn{0x2000000}, "main-2");
        QCOMPARE(model.ghostIndex(), model.index(0, 0, model.indexOf(1)));
        QVERIFY(model.flags(model.ghostIndex()) & Qt::ItemIsEditable);
        QCOMPARE(model.ghostIndex().data(BranchTreeModel::BranchIdRole).toULongLong(), 0ull);
        model.setGhost(2, Lsn{0x2000000}, "dev-2");
        QCOMPARE(model.ghostIndex().parent(), model.indexOf(2));
        model.applyChanges({}, std::vector<std::uint64_t>{2});
        QVERIFY(!model.ghostIndex().isValid());
    }

    void agesChangeOnlyWhereTheirTextDoes() {
        BranchTreeModel model;
        auto rows = family();
        const Timestamp now = rows[0].headTime + Duration::seconds(30);
        rows.back().headTime = now - Duration::days(2);
        model.setNow(now);
        model.setRows(rows);
        QCOMPARE(model.indexOf(7, BranchTreeModel::Head).data().toString(), QString("2\u00a0d"));
        QSignalSpy changes(&model, &QAbstractItemModel::dataChanged);
        model.setNow(now + Duration::seconds(1));
        QVERIFY(changes.count() > 0);
        for (const auto& change : changes)
            QVERIFY(change[0].toModelIndex().siblingAtColumn(0) != model.indexOf(7));
    }

    void randomBatchesEndAsAFreshModelWould() {
        const std::uint64_t seed = givenSeed().value_or(randomSeed());
        qInfo("ARBOR_SEED=%llu", static_cast<unsigned long long>(seed));
        RandomBranches random(seed);
        BranchTreeModel model;
        QAbstractItemModelTester tester(&model);
        BranchFilterModel filter;
        filter.setSourceModel(&model);
        QAbstractItemModelTester filterTester(&filter);
        filter.sort(BranchTreeModel::Own);
        for (int step = 0; step < (fullRun() ? 3000 : 80); ++step) {
            random.step(model, step % 3 == 0);
            if (step % 7 == 0)
                filter.setFilterText(step % 2 ? "1" : "ci");
            if (step % 11 == 0)
                filter.setFilterText({});
            BranchTreeModel fresh;
            fresh.setRows(random.all());
            QCOMPARE(treeText(model), treeText(fresh));
            QVERIFY(sameContents(model, fresh));
            QCOMPARE(static_cast<std::size_t>(model.branchCount()), random.all().size());
        }
    }

    void theFilterKeepsAncestorsAndKnowsStates() {
        BranchTreeModel model;
        auto rows = family();
        rows[5].state = BranchState::Running;
        model.setRows(rows);
        BranchFilterModel filter;
        QAbstractItemModelTester tester(&filter);
        filter.setSourceModel(&model);
        filter.setFilterText("FIX");
        QCOMPARE(treeText(filter), QString("main\n  dev\n    dev-fix\n"));
        filter.setFilterText("ci/ 1");
        QCOMPARE(treeText(filter), QString("main\n  ci/\n    1\n    10\n"));
        filter.setFilterText("state:running");
        QCOMPARE(treeText(filter), QString("main\n  dev\n    dev-fix\n"));
        filter.setFilterText("nothing");
        QCOMPARE(treeText(filter), QString());
    }

    void hidingTakesChildrenAlongAndSoloBeatsIt() {
        BranchTreeModel model;
        model.setRows(family());
        BranchFilterModel filter;
        QAbstractItemModelTester tester(&filter);
        filter.setSourceModel(&model);
        filter.setHidden(2, true);
        QCOMPARE(treeText(filter), QString("main\n  ci/\n    1\n    9\n    10\n  feature/a\n"));
        filter.setSolo(6);
        QCOMPARE(treeText(filter), QString("main\n  dev\n    dev-fix\n"));
        filter.setSolo(2);
        QCOMPARE(treeText(filter), QString("main\n  dev\n    dev-fix\n"));
        filter.showAll();
        QCOMPARE(treeText(filter), treeText(model));
    }

    void sortingByAColumnKeepsTheTree() {
        BranchTreeModel model;
        model.setRows(family());
        BranchFilterModel filter;
        filter.setSourceModel(&model);
        filter.sort(BranchTreeModel::Own, Qt::DescendingOrder);
        QCOMPARE(treeText(filter),
                 QString("main\n  ci/\n    9\n    10\n    1\n  feature/a\n  dev\n    dev-fix\n"));
        filter.sort(BranchTreeModel::Name, Qt::AscendingOrder);
        QCOMPARE(treeText(filter), treeText(model));
    }

    void naturalOrderIsTotal() {
        QVERIFY(compareNatural("a2", "a10") < 0);
        QVERIFY(compareNatural("a10", "a2") > 0);
        QVERIFY(compareNatural("a", "B") < 0);
        QVERIFY(compareNatural("a02", "a2") != 0);
        QCOMPARE(compareNatural("x", "x"), 0);
        QVERIFY(compareNatural("a1b2", "a1b10") < 0);
    }
};

QTEST_GUILESS_MAIN(ModelsTreeTest)
#include "models_tree_test.moc"
