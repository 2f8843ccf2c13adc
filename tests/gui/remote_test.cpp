// The picture over a real socket whose other end is slow, answers in another order than it was asked, and is
// killed: what is seen in the end is what there is.
#include "app/control/server.h"
#include "app/gui/branch_area.h"
#include "tests/gui/gui_support.h"
#include "tests/support/test_seed.h"

#include <QAbstractItemModelTester>
#include <QJsonArray>
#include <QJsonObject>
#include <QTimer>

#include <map>
#include <random>

using namespace arbor;

namespace {

struct Truth {
    struct Branch {
        QString name;
        std::uint64_t parent = 0;
        bool orphaned = false; // its parent is gone: not a root for that
        std::uint64_t fork = 0;
        std::uint64_t head = 0;
        bool running = false;
    };
    std::map<std::uint64_t, Branch> branches;
    std::uint64_t lastId = 0;
    int renames = 0;

    QJsonObject json(std::uint64_t id) const {
        const Branch& branch = branches.at(id);
        const auto parent = branches.find(branch.parent);
        const auto lsn = [](std::uint64_t value) {
            return QJsonValue(QString::fromStdString(Lsn{value}.toString()));
        };
        return {{"name", branch.name},
                {"id", static_cast<qint64>(id)},
                {"parent", parent == branches.end() ? QJsonValue() : QJsonValue(parent->second.name)},
                {"forkLsn", branch.parent ? lsn(branch.fork) : QJsonValue()},
                {"headLsn", lsn(branch.head)},
                {"state", branch.running ? "running" : "stopped"},
                {"privateBytes", static_cast<qint64>(branch.head - branch.fork)},
                {"createdAt", "2026-01-31T12:00:00.000000Z"},
                {"root", branch.parent == 0},
                {"timeline", static_cast<qint64>(id)},
                {"pgMajor", 15}};
    }
    QJsonArray list() const { // parents have lower ids than their children
        QJsonArray all;
        for (const auto& [id, branch] : branches)
            all.append(json(id));
        return all;
    }
    void change(std::mt19937_64& random) {
        std::vector<std::uint64_t> ids;
        for (const auto& [id, branch] : branches)
            ids.push_back(id);
        const std::uint64_t at = ids.empty() ? 0 : ids[random() % ids.size()];
        static const QStringList stems{QString(), QStringLiteral("ci/"), QStringLiteral("ci/deep/"),
                                       QStringLiteral("feature/")};
        const QString name = stems[static_cast<qsizetype>(random() % 4)] + QStringLiteral("b%1").arg(lastId);
        switch (ids.empty() ? 0 : random() % 6) {
        case 0:
        case 1: {
            const std::uint64_t fork = at ? branches[at].head : 0x1000000;
            branches[++lastId] = {name, at, false, fork, fork, false};
            break;
        }
        case 2:
            if (branches.size() > 1)
                branches.erase(at);
            break;
        case 3:
            branches[at].name =
                name +
                QStringLiteral("-renamed%1").arg(++renames); // no name twice: children name their parent
            break;
        case 4:
            branches[at].running = !branches[at].running;
            break;
        default:
            branches[at].head += 1 + random() % 100'000;
        }
    }
};

// An engine as far as the window can tell. It answers with what was true when it was asked, up to `slowest`
// milliseconds later.
class ShakyEngine {
  public:
    ShakyEngine(const QString& store, const Truth& truth, std::mt19937_64& random)
        : m_truth(truth), m_random(random), m_server({.program = "shaky 1", .store = store}) {
        answer(method::engineStatus, [store] {
            return QJsonObject{
                {"running", true}, {"store", store}, {"storeOpen", true}, {"pid", 1}, {"jobs", 0}};
        });
        answer(method::branchList, [this] { return QJsonObject{{"branches", m_truth.list()}}; });
        answer(method::checkpointList, [] { return QJsonObject{{"checkpoints", QJsonArray()}}; });
        answer(method::trashList, [] { return QJsonObject{{"trash", QJsonArray()}}; });
        answer(method::oplogList, [] { return QJsonObject{{"operations", QJsonArray()}}; });
        answer(method::settingsGet, [] { return QJsonObject{{"settings", QJsonObject()}}; });
        answer(method::stats, [] { return QJsonObject{{"branches", QJsonArray()}}; });
        answer(method::jobList, [] { return QJsonObject{{"jobs", QJsonArray()}}; });
        answer(method::timelineMarks, [] { return QJsonObject{{"marks", QJsonArray()}}; });
        answer(method::timelineCurve, [] { return QJsonObject{{"points", QJsonArray()}}; });
        answer(method::gcPlan, [] { return QJsonObject{{"pins", QJsonArray()}}; });
        answer(method::samples, [] { return QJsonObject{{"samples", QJsonArray()}}; });
    }
    Status listen(const QString& store) { return m_server.listen(listenAddress(store.toStdString())); }
    void publish() { m_server.publish(QLatin1String(event::branches), QJsonObject()); }
    int connections() const { return m_server.connectionCount(); }
    int outOfOrder() const { return m_outOfOrder; }
    int unanswered() const { return static_cast<int>(m_asked - m_answered); }

  private:
    void answer(const char* name, std::function<QJsonObject()> make) {
        m_server.handleDeferred(QLatin1String(name),
                                [this, make = std::move(make)](const QJsonObject&, const RequestContext&,
                                                               ResponderPtr responder) {
                                    constexpr int slowest = 250;
                                    const std::uint64_t number = ++m_asked;
                                    QTimer::singleShot(static_cast<int>(m_random() % slowest), &m_server,
                                                       [this, number, responder, json = make()] {
                                                           ++m_answered;
                                                           m_outOfOrder += number < m_latest ? 1 : 0;
                                                           m_latest = std::max(m_latest, number);
                                                           responder->answer(QJsonValue(json));
                                                       });
                                });
    }

    const Truth& m_truth;
    std::mt19937_64& m_random;
    ControlServer m_server;
    std::uint64_t m_asked = 0, m_answered = 0, m_latest = 0;
    int m_outOfOrder = 0;
};

} // namespace

class RemoteTest : public QObject {
    Q_OBJECT

    GuiPlace m_place;
    QString m_store;

    // Why what is seen is not what there is; empty when it is.
    static QString fault(const Truth& truth, StoreSession& session, BranchTreeModel& model) {
        if (session.picture().branches.size() != truth.branches.size() ||
            model.branchCount() != static_cast<int>(truth.branches.size()))
            return QStringLiteral("%1 of %2 branches").arg(model.branchCount()).arg(truth.branches.size());
        for (const auto& [id, expected] : truth.branches) {
            const BranchRow* row = model.branch(id);
            if (!row || row->name != expected.name || row->headLsn.value != expected.head ||
                (row->state == BranchState::Running) != expected.running)
                return QStringLiteral("branch %1 %2 is not as it is").arg(id).arg(expected.name);
            if (!truth.branches.contains(expected.parent))
                continue;
            QModelIndex above = model.indexOf(id).parent();
            while (above.isValid() && model.node(above)->kind == BranchNode::Kind::Group)
                above = above.parent();
            if (above.data(BranchTreeModel::BranchIdRole).toULongLong() != expected.parent)
                return QStringLiteral("branch %1 %2 hangs on the wrong parent").arg(id).arg(expected.name);
        }
        return {};
    }

  private Q_SLOTS:
    void initTestCase() {
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        qputenv("XDG_RUNTIME_DIR", m_place.path("run").toUtf8());
        QVERIFY(QDir().mkpath(m_place.path("run")));
        ::chmod(m_place.path("run").toUtf8().constData(), 0700);
        QVERIFY(QDir().mkpath(m_place.store()));
        m_store = QString::fromStdString(canonicalStore(m_place.store().toStdString()));
    }

    void WhatIsSeenInTheEndIsWhatThereIs() {
        const std::uint64_t seed = test::givenSeed().value_or(test::randomSeed());
        qInfo("ARBOR_SEED=%llu", static_cast<unsigned long long>(seed));
        std::mt19937_64 random(seed);
        Truth truth;
        for (int i = 0; i < 20; ++i)
            truth.change(random);
        auto engine = std::make_unique<ShakyEngine>(m_store, truth, random);
        QVERIFY(bool(engine->listen(m_store)));
        // as `pgarbor --connect SOCKET` does
        StoreSession session({{}, QString::fromStdString(listenAddress(m_store.toStdString()).socket), {}});
        MainWindow window(session);
        BranchTreeModel& model = window.area().model();
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        window.show();
        session.open();
        ARBOR_EVENTUALLY(session.state() == StoreSession::State::Connected);
        QCOMPARE(session.store(), m_store);
        ARBOR_EVENTUALLY(fault(truth, session, model).isEmpty());

        int outOfOrder = 0;
        const int rounds = test::fullRun() ? 60 : 8;
        for (int round = 0; round < rounds; ++round) {
            for (int burst = 0; burst < 12; ++burst) {
                for (std::uint64_t i = random() % 8 + 1; i > 0; --i)
                    truth.change(random);
                engine->publish();
                QTest::qWait(static_cast<int>(random() % 40)); // its pace, not a wait for anything
            }
            if (round % 2 == 1) {
                // killed with questions open; what changes then, no event tells
                session.refresh(StoreSession::Branches);
                ARBOR_EVENTUALLY(engine->unanswered() > 0);
                outOfOrder += engine->outOfOrder();
                bool answered = false;
                session.request(QLatin1String(method::branchList), {}, this,
                                [&](const auto&) { answered = true; });
                engine.reset();
                ARBOR_EVENTUALLY(session.state() == StoreSession::State::EngineGone);
                ARBOR_EVENTUALLY(answered);       // no question stays open for ever
                QVERIFY(model.branchCount() > 0); // the last picture stays
                for (int i = 0; i < 10; ++i)
                    truth.change(random);
                engine = std::make_unique<ShakyEngine>(m_store, truth, random);
                QVERIFY(bool(engine->listen(m_store)));
                ARBOR_EVENTUALLY(session.state() == StoreSession::State::Connected);
            }
            QTRY_COMPARE_WITH_TIMEOUT(fault(truth, session, model), QString(), 60'000);
        }
        QVERIFY2(outOfOrder > 0, "nothing was ever answered out of order: the test shows less than it says");
    }
};

QTEST_MAIN(RemoteTest)
#include "remote_test.moc"
