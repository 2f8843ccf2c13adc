// Random operations on the catalog beside a plain model that knows nothing of records: names, and what they
// stand on.
#include "timelines_fixture.h"

#include <random>

using namespace arbor;
using namespace arbor::test;

namespace {

struct ModelBranch {
    TimelineId timeline;
    std::string parent; // as it was called when the branch was made; "" for a root
    bool isProtected = false;
    std::map<std::string, std::uint64_t> checkpoints; // name, position
    bool operator==(const ModelBranch&) const = default;
};
struct Model {
    std::map<std::string, ModelBranch> branches;
    std::map<TimelineId, std::string> trash; // and the name there
    bool operator==(const Model&) const = default;
};

} // namespace

class TimelinesRandomTest : public QObject {
    Q_OBJECT

    CatalogStore m_store;
    Model m_model;
    std::mt19937 m_random;
    int m_names = 0;

    std::size_t below(std::size_t limit) { return m_random() % limit; }
    std::string anyBranch() {
        auto at = m_model.branches.begin();
        std::advance(at, below(m_model.branches.size()));
        return at->first;
    }
    // A point that a reader of the branch sees, now or earlier
    TimelinePoint anyPoint(const std::string& name) {
        const auto steps = m_store.catalog.lineage(m_store.id(name).timeline);
        const auto& step = steps[below(steps.size())];
        if (step.upTo == headPoint)
            return m_store.head(name);
        // At the end of what is seen, or some way before it. Every tenth position was written, its LSN a
        // hundredfold
        const std::uint64_t back = step.upTo.position.value - below(3) * 10;
        if (back * 100 != step.upTo.lsn.value - (step.upTo.position.value - back) * 100)
            return {step.timeline, step.upTo};
        return {steps.front().timeline, {{back}, Lsn{back * 100}}};
    }

    // What the catalog says, in the model's words. Trash that undo made is not part of it.
    Model seen(const Catalog& catalog) const {
        Model model;
        for (const BranchRecord* branch : catalog.branches()) {
            ModelBranch& made = model.branches[branch->name];
            made.timeline = branch->timeline;
            made.isProtected = branch->isProtected;
            for (const CheckpointView& view : catalog.checkpoints(branch->id))
                if (view.onLine)
                    made.checkpoints[view.record.name] = view.record.point.at.position.value;
        }
        for (const TrashRecord* entry : catalog.trash())
            if (entry->reason != TrashReason::Undone)
                model.trash[entry->branch.timeline] = entry->branch.name;
        return model;
    }

    // The model forgets parents; they are compared by what the catalog answers itself
    void step() {
        const std::string name = m_model.branches.empty() ? "" : anyBranch();
        const std::size_t choice = name.empty() ? 0 : below(100);
        Catalog& catalog = m_store.catalog;
        const BranchId id = name.empty() ? BranchId{} : m_store.idOf(name);
        if (choice < 2) {
            const std::string made = "r" + std::to_string(++m_names);
            m_model.branches[made].timeline = m_store.makeRoot(made).timeline;
        } else if (choice < 25) {
            create(name);
        } else if (choice < 40) {
            m_store.write(name);
        } else if (choice < 50) {
            move(name, below(3) == 0);
        } else if (choice < 60) {
            const bool refused = m_model.branches[name].isProtected;
            const auto change = catalog.deleteBranch(id, m_store.now);
            QCOMPARE(change.has_value(), !refused);
            if (refused)
                return;
            m_store.run("branch delete " + name, change);
            m_model.trash[m_model.branches[name].timeline] = name;
            m_model.branches.erase(name);
        } else if (choice < 68) {
            const std::string made = "n" + std::to_string(++m_names);
            m_store.run("branch rename", catalog.renameBranch(id, made));
            auto node = m_model.branches.extract(name);
            node.key() = made;
            m_model.branches.insert(std::move(node));
        } else if (choice < 74) {
            const bool wanted = below(3) == 0;
            m_store.run("branch protect", catalog.setProtected(id, wanted));
            m_model.branches[name].isProtected = wanted;
        } else if (choice < 88) {
            checkpoint(name);
        } else if (choice < 95) {
            fromTrash();
        } else {
            m_store.run("settings set", catalog.setSetting("trash-time", std::to_string(below(9)) + "d"));
        }
    }

    void create(const std::string& parent) {
        const std::string made = "b" + std::to_string(++m_names);
        const auto change = m_store.catalog.createBranch(made, m_store.idOf(parent),
                                                         m_store.fork(anyPoint(parent)), {}, m_store.now);
        const auto kept = m_store.run("branch create " + made, change);
        m_model.branches[made].timeline = kept.timeline;
    }

    void move(const std::string& name, bool reset) {
        Catalog& catalog = m_store.catalog;
        const BranchRecord record = m_store.id(name);
        const BranchRecord* parent = catalog.findBranch(record.parent);
        const TimelinePoint to = reset && parent ? m_store.head(parent->name) : anyPoint(name);
        const auto change = reset ? catalog.resetBranch(record.id, m_store.fork(to), m_store.now)
                                  : catalog.restoreBranch(record.id, m_store.fork(to), m_store.now);
        QCOMPARE(change.has_value(), !record.isProtected && !(reset && !parent));
        if (!change)
            return;
        m_store.run(reset ? "branch reset" : "branch restore", change);
        ModelBranch& branch = m_model.branches[name];
        m_model.trash[branch.timeline] = name;
        branch.timeline = change->timeline;
        m_model.branches[name].checkpoints = seen(catalog).branches[name].checkpoints;
        // Nothing beyond where the branch stands is on its line
        for (const auto& [checkpoint, position] : branch.checkpoints)
            QVERIFY(position <= to.at.position.value);
    }

    void checkpoint(const std::string& name) {
        Catalog& catalog = m_store.catalog;
        const BranchId id = m_store.idOf(name);
        auto& checkpoints = m_model.branches[name].checkpoints;
        if (!checkpoints.empty() && below(3) == 0) {
            const std::string gone = checkpoints.begin()->first;
            m_store.run("checkpoint delete " + gone, catalog.deleteCheckpoint(id, gone));
            checkpoints.erase(gone);
            return;
        }
        const std::string made = "c" + std::to_string(++m_names);
        const TimelinePoint at = anyPoint(name);
        m_store.run("checkpoint create " + made, catalog.createCheckpoint(id, made, at, m_store.now));
        checkpoints[made] = at.at.position.value;
    }

    void fromTrash() {
        const auto entries = m_store.catalog.trash();
        if (entries.empty())
            return;
        const TrashRecord entry = *entries[below(entries.size())];
        const std::string as = below(2) == 0 ? "t" + std::to_string(++m_names) : entry.branch.name;
        const auto change = m_store.catalog.restoreFromTrash(entry.id, m_store.now, as);
        QCOMPARE(change.has_value(), !m_model.branches.contains(as));
        if (!change)
            return;
        m_store.run("trash restore", change);
        m_model.trash.erase(entry.branch.timeline);
        m_model.branches[as] = {entry.branch.timeline, {}, entry.branch.isProtected, {}};
        // Which checkpoints its line sees, and which its twin keeps, is checked by verify()
        const Model now = seen(m_store.catalog);
        for (auto& [name, branch] : m_model.branches)
            branch.checkpoints = now.branches.at(name).checkpoints;
    }

    // Memory, the pairs that were written, and the model agree.
    void check() {
        QCOMPARE(firstWrong(m_store.catalog), QString());
        QVERIFY(seen(m_store.catalog) == m_model);
        const CatalogStore restarted = m_store.reloaded();
        QVERIFY(seen(restarted.catalog) == m_model);
        QVERIFY(restarted.log.entries() == m_store.log.entries());
        for (const auto& [key, value] : m_store.pairs)
            if (key[0] == 'C')
                QVERIFY(m_store.catalog.encoded(key) == value && restarted.catalog.encoded(key) == value);
        const auto inUse = m_store.catalog.timelinesInUse();
        QVERIFY(m_store.catalog.unreachableTimelines().size() + inUse.size() ==
                m_store.catalog.timelineCount());
        for (const Pin& pin : staticPins(m_store.catalog, [](const BranchRecord&) { return Position{50}; }))
            QVERIFY(inUse.contains(pin.timeline));
    }

    void start(unsigned seed) {
        qInfo("seed %u", seed);
        m_random.seed(seed);
        m_store = CatalogStore{};
        m_model = Model{};
        m_names = 0;
    }
    static unsigned freshSeed() {
        const QByteArray given = qgetenv("ARBOR_SEED");
        return given.isEmpty() ? std::random_device{}() : given.toUInt();
    }
    static int factor() { return qEnvironmentVariableIsSet("ARBOR_FULL") ? 20 : 1; }

  private slots:
    void operationsAgreeWithAModel() {
        for (int run = 0; run < 3 * factor(); ++run) {
            start(freshSeed());
            for (int i = 0; i < 600; ++i) {
                step();
                if (QTest::currentTestFailed())
                    return;
                if (i % 20 == 0)
                    check();
            }
            check();
        }
    }

    // Undone one by one, everything stands as at the start, and redone one by one as at the end; on the way
    // it passes every state that there was.
    void undoingEverythingLeadsBackToTheStart() {
        for (int run = 0; run < 3 * factor(); ++run) {
            start(freshSeed());
            m_store.makeRoot("main");
            m_model = seen(m_store.catalog);
            std::map<OperationId, Model> after; // an operation, and the state it left
            for (int i = 0; i < 250; ++i) {
                step();
                after[m_store.log.entries().back().id] = seen(m_store.catalog);
            }
            const std::size_t operations = m_store.log.entries().size();
            for (std::size_t i = operations; i > 1; --i) {
                m_store.undo();
                const OperationId newest = m_store.log.nextUndo()->id;
                if (after.contains(newest))
                    QVERIFY(withoutTrash(seen(m_store.catalog)) == withoutTrash(after[newest]));
                QCOMPARE(firstWrong(m_store.catalog), QString());
            }
            m_store.undo();
            QVERIFY(m_store.catalog.branches().empty() && m_store.catalog.allCheckpoints().empty());
            QVERIFY(!m_store.log.nextUndo());
            while (m_store.log.nextRedo()) {
                m_store.redo();
                QCOMPARE(firstWrong(m_store.catalog), QString());
            }
            check();
        }
    }

    // Undo by id, redo, purges and collection in any order: some are refused, none breaks anything, and what
    // is live never loses its timeline.
    void anyUndoAmongPurgesIsRefusedOrSound() {
        for (int run = 0; run < 3 * factor(); ++run) {
            start(freshSeed());
            int done = 0, refused = 0;
            for (int i = 0; i < 800; ++i) {
                const std::size_t choice = below(10);
                if (choice < 6 || m_store.log.entries().empty())
                    step();
                else if (choice < 8)
                    count(anyUndo(), done, refused);
                else if (choice < 9)
                    count(m_store.log.redo(m_store.catalog, "test", m_store.now, m_store.readable), done,
                          refused);
                else
                    purgeAndCollect();
                if (QTest::currentTestFailed())
                    return;
                m_model = seen(m_store.catalog);
                QCOMPARE(firstWrong(m_store.catalog), QString());
                if (i % 50 == 0)
                    check();
            }
            check();
            QVERIFY(done > 0 && refused > 0);
        }
    }

  private:
    static Model withoutTrash(Model model) {
        model.trash.clear(); // undo and redo leave their own there, under "undone"
        return model;
    }
    Result<CatalogChange> anyUndo() {
        const auto& entries = m_store.log.entries();
        const OperationId id = below(2) == 0 ? OperationId{} : entries[below(entries.size())].id;
        return m_store.log.undo(m_store.catalog, id, "test", m_store.now, m_store.readable);
    }
    void count(const Result<CatalogChange>& change, int& done, int& refused) {
        if (change) {
            m_store.keep(change);
            ++done;
            return;
        }
        ++refused;
        QVERIFY(change.error().kind() == ErrorKind::Refused || change.error().kind() == ErrorKind::NotFound);
    }
    void purgeAndCollect() {
        const auto entries = m_store.catalog.trash();
        if (!entries.empty())
            m_store.keep(m_store.catalog.purgeTrash(entries[below(entries.size())]->id));
        for (const TimelineId id : m_store.catalog.unreachableTimelines())
            m_store.keep(m_store.catalog.removeTimeline(id));
    }
};

QTEST_GUILESS_MAIN(TimelinesRandomTest)
#include "timelines_random_test.moc"
