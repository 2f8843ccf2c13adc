#include "tests/support/test_seed.h"
#include "widgets/models/format.h"
#include "widgets/models/job_model.h"
#include "widgets/models/operation_log_model.h"
#include "widgets/models/page_versions_model.h"
#include "widgets/models/pins_model.h"
#include "widgets/models/relations_model.h"

#include <QAbstractItemModelTester>
#include <QItemSelectionModel>
#include <QSignalSpy>
#include <QTest>

using namespace arbor;

namespace {

constexpr std::uint64_t mb = 1024 * 1024;

PinRow pin(const QString& name, std::uint64_t bytes) {
    return {"branch", name, "main", Lsn{1000}, Lsn{2000}, bytes, true};
}

OperationRow operation(std::uint64_t id, bool undone = false) {
    OperationRow row;
    row.id = id;
    row.text = QStringLiteral("did %1").arg(id);
    row.undone = undone;
    return row;
}

JobRow job(std::uint64_t id, JobRow::State state, std::optional<double> fraction = {}) {
    JobRow row;
    row.id = id;
    row.title = QStringLiteral("job %1").arg(id);
    row.state = state;
    row.fraction = fraction;
    return row;
}

} // namespace

class ModelsDocksTest : public QObject {
    Q_OBJECT
  private slots:
    void operationsStandNewestFirstAndChangeInPlace() {
        OperationLogModel model;
        QAbstractItemModelTester tester(&model);
        model.put(operation(1));
        model.put(operation(3));
        model.put(operation(2));
        QCOMPARE(model.row(0).id, std::uint64_t{3});
        QCOMPARE(model.row(2).id, std::uint64_t{1});
        QSignalSpy changes(&model, &QAbstractItemModel::dataChanged);
        model.put(operation(2, true));
        QCOMPARE(changes.count(), 1);
        QCOMPARE(model.index(1, OperationLogModel::Text).data().toString(), QString("did 2 (undone)"));
    }

    void runningJobsStandFirstAndTheirProgressIsOneNumber() {
        JobModel model;
        QAbstractItemModelTester tester(&model);
        model.put(job(1, JobRow::State::Running, 0.5));
        model.put(job(2, JobRow::State::Running));
        model.put(job(3, JobRow::State::Running, 1.0));
        QCOMPARE(model.running(), 3);
        QCOMPARE(*model.fraction(), 0.75);
        model.put(job(3, JobRow::State::Failed));
        QCOMPARE(model.row(2).id, std::uint64_t{3});
        QCOMPARE(model.running(), 2);
        QCOMPARE(model.index(2, JobModel::Progress).data().toString(), QString("Failed"));
    }

    void ticksStayWithTheirPinsAndGoWithThem() {
        PinsModel model;
        QAbstractItemModelTester tester(&model);
        model.setRows(std::vector{pin("a", 10 * mb), pin("b", 5 * mb), pin("c", mb)});
        QSignalSpy ticks(&model, &PinsModel::ticksChanged);
        QVERIFY(model.setData(model.index(1, 0), Qt::Checked, Qt::CheckStateRole));
        QVERIFY(model.setData(model.index(2, 0), Qt::Checked, Qt::CheckStateRole));
        model.setRows(std::vector{pin("new", mb), pin("a", 10 * mb), pin("b", 4 * mb)});
        QCOMPARE(model.ticked().size(), std::size_t{1});
        QCOMPARE(model.ticked()[0].name, QString("b"));
        QCOMPARE(ticks.count(), 3);
        QCOMPARE(model.index(1, PinsModel::Only).data(PinsModel::FractionRole).toDouble(), 1.0);
        model.clearTicks();
        QVERIFY(model.ticked().empty());
    }

    void aPinThatMayNotGoHasNoTick() {
        PinsModel model;
        PinRow fixed = pin("main", mb);
        fixed.isRemovable = false;
        model.setRows(std::vector{fixed});
        QVERIFY(!model.setData(model.index(0, 0), Qt::Checked, Qt::CheckStateRole));
        QVERIFY(!model.index(0, 0).data(Qt::CheckStateRole).isValid());
    }

    void theSentenceTellsWhatIsShared() {
        const auto plain = [](QString text) { return text.replace(QChar(0x00A0), QLatin1Char(' ')); };
        const std::vector pins{pin("a", 1126 * mb), pin("b", 922 * mb), pin("c", 205 * mb)};
        QCOMPARE(plain(PinsModel::sentence(pins, (1126 + 922 + 205 + 2048) * mb)),
                 QString("These 3 together free 4.2 GB; one by one 1.1 GB + 922 MB + 205 MB, because they "
                         "share 2.0 GB."));
        QCOMPARE(plain(PinsModel::sentence({pin("a", mb)}, mb)), QString("a frees 1.0 MB."));
        QCOMPARE(plain(PinsModel::sentence({pin("a", mb), pin("b", mb)}, 2 * mb)),
                 QString("These 2 together free 2.0 MB; one by one 1.0 MB + 1.0 MB."));
        QVERIFY(PinsModel::sentence({}, 0).isEmpty());
    }

    void relationsShowWhatDiffers() {
        RelationsModel model;
        QAbstractItemModelTester tester(&model);
        model.setRows(std::vector<RelationRow>{
            {"bank", "public", "accounts", "table", 800 * mb, 100, 25, 7000, {}, 8 * mb, 2 * mb},
            {"bank", "public", "branches", "table", 8192, 1, {}, {}, {}}});
        QCOMPARE(model.index(0, RelationsModel::Changed).data().toString(), QString("25 of 100"));
        QCOMPARE(model.index(0, RelationsModel::Rows).data().toString(), QString("~7,000"));
        QCOMPARE(model.index(0, RelationsModel::Changed).data(RelationsModel::FractionRole).toDouble(), 0.25);
        QCOMPARE(model.index(1, RelationsModel::Changed).data().toString(), QString::fromUtf8("–"));
        QVERIFY(!model.index(1, RelationsModel::Changed).data(RelationsModel::FractionRole).isValid());
        QCOMPARE(model.index(0, RelationsModel::Private).data().toString(), bytesDisplay(8 * mb));
        QCOMPARE(model.index(0, RelationsModel::History).data().toString(), bytesDisplay(2 * mb));
        QCOMPARE(model.index(0, RelationsModel::History).data(RelationsModel::FractionRole).toDouble(), 1.0);
        QCOMPARE(model.index(1, RelationsModel::Private).data().toString(), QString::fromUtf8("–"));
        QVERIFY(model.index(1, RelationsModel::Private).data(RelationsModel::SortRole).toLongLong() < 0);
    }

    void aVersionSaysWhenWhereAndForWhom() {
        PageVersionsModel model;
        QAbstractItemModelTester tester(&model);
        const Timestamp now{1'795'690'800'000'000};
        const std::vector<PageVersionRow> rows{
            {90, now - Duration::seconds(300), Lsn{0x16B3748}, "staging", 900, true, true, {"staging"}},
            {70, {}, {}, {}, 8192, false, true, {}},
            {20, now - Duration::seconds(7200), Lsn{0x1000028}, "main", 1024, false, false, {}}};
        model.setRows(rows, now);
        const auto text = [&](int row, int column) {
            return model.index(row, column).data().toString().replace(QChar(0x00A0), QLatin1Char(' '));
        };
        QCOMPARE(text(0, PageVersionsModel::Written), QString("5 min, read now"));
        QCOMPARE(text(0, PageVersionsModel::LogPosition), QString("0/16B3748"));
        QCOMPARE(text(0, PageVersionsModel::KeptBy), QString("staging"));
        QCOMPARE(text(1, PageVersionsModel::Branch), QString("a branch that is gone"));
        QCOMPARE(text(1, PageVersionsModel::KeptBy), QString("many"));
        QCOMPARE(text(2, PageVersionsModel::Written), QString("2 h"));
        QCOMPARE(text(2, PageVersionsModel::KeptBy), QString("nobody: the next sweep frees it"));
        model.setRows(std::vector{rows[0], rows[2]}, now + Duration::seconds(60)); // an age goes on
        QCOMPARE(text(0, PageVersionsModel::Written), QString("6 min, read now"));
        QCOMPARE(model.rowCount(), 2);
    }

    void randomListsAreAppliedAsDifferences() {
        const std::uint64_t seed = test::givenSeed().value_or(test::randomSeed());
        qInfo("ARBOR_SEED=%llu", static_cast<unsigned long long>(seed));
        std::mt19937_64 random(seed);
        PinsModel model;
        QAbstractItemModelTester tester(&model);
        std::vector<PinRow> rows;
        for (int step = 0; step < 200; ++step) {
            std::erase_if(rows, [&](const PinRow&) { return random() % 6 == 0; });
            for (std::uint64_t i = random() % 4; i > 0; --i)
                rows.insert(rows.begin() + static_cast<std::ptrdiff_t>(random() % (rows.size() + 1)),
                            pin(QString::number(random()), random() % 100));
            if (random() % 20 == 0)
                std::shuffle(rows.begin(), rows.end(), random);
            if (!rows.empty())
                rows[random() % rows.size()].onlyBytes = random() % 100;
            QItemSelectionModel selection(&model);
            model.setRows(rows);
            QVERIFY(model.rows() == rows);
        }
    }
};

QTEST_GUILESS_MAIN(ModelsDocksTest)
#include "models_docks_test.moc"
