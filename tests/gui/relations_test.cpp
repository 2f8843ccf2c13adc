// The relations of a branch on a real server: what PostgreSQL says of them, what the engine counts, and one
// database after the other.
#include "app/gui/page_panel.h"
#include "app/gui/relations_panel.h"
#include "tests/gui/live_window.h"
#include "widgets/models/format.h"

#include <QComboBox>
#include <QDockWidget>
#include <QLabel>
#include <QSpinBox>

#include <algorithm>

using namespace arbor;

class RelationsTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<LiveWindow> m_live;

    MainWindow& window() const { return m_live->window; }
    RelationsPanel& panel() const { return *window().findChild<RelationsPanel*>(); }
    QComboBox& databases() const { return *panel().database(); }
    void select(const char* name) const { window().area().selectBranch(m_live->branch(name)->id); }
    QString said() const { return panel().findChild<QLabel*>("said")->text(); }
    std::optional<RelationRow> row(const char* name) const {
        const auto& rows = panel().model().rows();
        const auto found = std::ranges::find(rows, QLatin1String(name), &RelationRow::name);
        return found == rows.end() ? std::nullopt : std::optional(*found);
    }
    // Statements for psql, on a database of the branch.
    void run(const char* branch, const QStringList& statements, const QString& database = {}) const {
        QStringList command{"psql", QLatin1String(branch), "--", "-Xq", "-v", "ON_ERROR_STOP=1"};
        if (!database.isEmpty())
            command << "-d" << database;
        for (const QString& statement : statements)
            command << "-c" << statement;
        int code = 1;
        m_place->ctl(command, &code);
        QCOMPARE(code, 0);
    }
    QStringList namesShown() const {
        QStringList names;
        for (int at = 0; at < panel().list()->model()->rowCount(); ++at)
            names += panel().list()->model()->index(at, RelationsModel::Name).data().toString();
        return names;
    }
    // Most first when it is sorted so.
    bool isSortedBy(int column) const {
        panel().list()->sortByColumn(column, Qt::DescendingOrder);
        std::vector<qulonglong> shown;
        for (int at = 0; at < panel().list()->model()->rowCount(); ++at)
            shown.push_back(
                panel().list()->model()->index(at, column).data(RelationsModel::SortRole).toULongLong());
        panel().list()->sortByColumn(RelationsModel::Size, Qt::DescendingOrder);
        return std::ranges::is_sorted(shown, std::ranges::greater()) && shown.front() > shown.back();
    }

    void choose(const char* relation) const {
        QTreeView& list = *panel().list();
        list.setCurrentIndex(list.model()->index(namesShown().indexOf(QLatin1String(relation)), 0));
    }

    // Two of them are the branch's own; all others are read from main, which a page's trace says too.
    void lookAtThePagesOfPrices() {
        auto* open = panel().findChild<QToolButton*>("pages");
        choose("prices");
        QVERIFY(open->isEnabled());
        LiveWindow::click(open);
        QVERIFY(panel().showsPages());
        PagePanel& pages = *panel().pages();
        const auto total = static_cast<int>(row("prices")->pages);
        ARBOR_EVENTUALLY(static_cast<int>(pages.map()->cells().cells.size()) == total);
        const PageMapCells cells = pages.map()->cells();
        QCOMPARE(cells.perCell, std::uint64_t{1});
        QCOMPARE(cells.sources.size(), std::size_t{2});
        QCOMPARE(cells.sources[0].name, QString("staging"));
        QCOMPARE(cells.sources[0].pages, std::uint64_t{2});
        QCOMPARE(cells.sources[1].pages, static_cast<std::uint64_t>(total - 2));
        std::vector<int> own, parents;
        for (int cell = 0; cell < total; ++cell)
            (cells.cells[static_cast<std::size_t>(cell)] == 0 ? own : parents).push_back(cell);
        QCOMPARE(own.size(), std::size_t{2});

        // by mouse: a page of the parent's
        const int shared = parents[parents.size() / 2];
        QTest::mouseClick(pages.map(), Qt::LeftButton, {}, pages.map()->cellRect(shared).center());
        const QString number = countDisplay(static_cast<std::uint64_t>(shared));
        ARBOR_EVENTUALLY(pages.sentence().startsWith(QString("Block %1 is read from main: ").arg(number)));
        QVERIFY2(pages.sentence().endsWith("Asked: staging → main."), qPrintable(pages.sentence()));
        const auto& versions = pages.versions().rows();
        const auto read = std::ranges::find(versions, true, &PageVersionRow::answers);
        QVERIFY(read != versions.end());
        QCOMPARE(read->branch, QString("main"));
        QVERIFY2(read->keptBy.contains("main") && read->keptBy.contains("staging"),
                 qPrintable(read->keptBy.join(", ")));

        // by keyboard: the branch's own, which has a version on each
        pages.block()->setFocus();
        pages.block()->selectAll();
        QTest::keyClicks(pages.block(), QString::number(own.front()));
        m_live->key(Qt::Key_Return);
        ARBOR_EVENTUALLY(pages.sentence().contains("is read from staging: "));
        QVERIFY2(pages.sentence().endsWith("Asked: staging."), qPrintable(pages.sentence()));
        QVERIFY(pages.versions().rowCount() >= 2);
        QVERIFY(pages.versions().row(0).answers);
        QCOMPARE(pages.versions().row(0).branch, QString("staging"));
        QCOMPARE(pages.versions().rows().back().branch, QString("main"));
        QCOMPARE(pages.map()->current(), own.front());
        QCOMPARE(pages.table()->currentIndex().row(), 0);
        GuiPlace::shootAll(window(), "pages");
        for (const char* appearance : {"dark", "light"}) { // the legend speaks of the colours that are seen
            applyAppearance(QString::fromLatin1(appearance));
            for (const int source : {0, 1})
                QVERIFY(
                    pages.findChild<QLabel*>("legend")->text().contains(pages.map()->colour(source).name()));
        }

        // the branch writes on, and is asked again
        run("staging",
            {QString("UPDATE prices SET price = 0 WHERE ctid = '(%1,3)'").arg(shared), "CHECKPOINT"});
        pages.refresh();
        ARBOR_EVENTUALLY(pages.map()->cells().sources[0].pages > 2);
        QCOMPARE(pages.map()->cells().cells[static_cast<std::size_t>(shared)], 0);
        pages.map()->setFocus();
        m_live->key(Qt::Key_Escape);
        QVERIFY(!panel().showsPages());
        QCOMPARE(window().focusWidget(), panel().list());
    }

  private Q_SLOTS:
    void initTestCase() {
        ARBOR_NEEDS_ENGINE();
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        applyAppearance(QStringLiteral("light"));
        m_place = std::make_unique<GuiPlace>();
        int code = 1;
        m_place->ctl({"init", "--", "--no-sync", "--locale=C.UTF-8"}, &code);
        QCOMPARE(code, 0);
        m_place->ctl({"start", "main"}, &code);
        QCOMPARE(code, 0);
        m_live = std::make_unique<LiveWindow>(*m_place);
        ARBOR_EVENTUALLY(m_live->connected() && m_live->branch("main"));
        auto* dock = window().findChild<QDockWidget*>("relations");
        dock->show();
        dock->raise();
    }
    void cleanupTestCase() {
        m_live.reset();
        m_place.reset();
    }

    // What PostgreSQL says and what the engine counts, on a branch that has a table of its own, has changed
    // one of its parent's and left the others.
    void RelationsSayHowManyPagesDifferFromTheParent() {
        int code = 1;
        // frozen and on the disk, so that nobody has a reason to write it again
        run("main",
            {"CREATE TABLE prices AS SELECT g AS item, g * 7 AS price FROM generate_series(1, 200000) g",
             "CREATE TABLE countries AS SELECT g FROM generate_series(1, 20000) g", "VACUUM (FREEZE) prices",
             "VACUUM (FREEZE) countries", "CHECKPOINT"});
        m_place->ctl({"branch", "create", "staging", "--from", "main", "--start"}, &code);
        QCOMPARE(code, 0);
        run("staging", {"UPDATE prices SET price = price + 1 WHERE item = 1",
                        "CREATE TABLE orders AS SELECT g FROM generate_series(1, 100000) g", "CHECKPOINT"});
        ARBOR_EVENTUALLY(m_live->branch("staging"));
        ARBOR_EVENTUALLY(m_live->branch("staging")->state == BranchState::Running);
        select("staging");
        ARBOR_EVENTUALLY(row("orders") && row("orders")->changedPages && row("orders")->bytes);
        const auto own = row("orders"), untouched = row("countries"), part = row("prices");
        QVERIFY(own->pages > 100);
        QCOMPARE(own->bytes, std::optional(own->pages * 8192));
        QCOMPARE(*own->changedPages, own->pages);
        QCOMPARE(untouched->changedPages, std::optional<std::uint64_t>(0));
        // the old row's page and the new one's
        QVERIFY2(*part->changedPages == 2, qPrintable(QString::number(*part->changedPages)));
        // and what the branch keeps for them alone
        ARBOR_EVENTUALLY(row("orders")->privateBytes.value_or(0) > 0);
        QCOMPARE(row("countries")->privateBytes, std::optional<std::uint64_t>(0));
        QVERIFY(*row("prices")->privateBytes > 0);
        QVERIFY(*row("prices")->privateBytes < *row("orders")->privateBytes);
        QVERIFY(!panel().list()->isColumnHidden(RelationsModel::Private) &&
                !panel().list()->isColumnHidden(RelationsModel::History));
        const BranchRow staging = *m_live->branch("staging");
        ARBOR_EVENTUALLY(
            m_live->session.marks().previous(staging.id, staging.headLsn + 1, markBit(MarkKind::Commit)));
        GuiPlace::shootAll(window(), "relations");

        // sorted by what differs, most first
        QVERIFY(isSortedBy(RelationsModel::Changed));
        lookAtThePagesOfPrices();

        // what nobody can read any more is still kept, under its name as long as somebody knows it
        run("staging", {"UPDATE orders SET g = g + 1", "CHECKPOINT", "DROP TABLE orders", "CHECKPOINT"});
        auto* again = panel().findChild<QToolButton*>("reload");
        LiveWindow::click(again);
        ARBOR_EVENTUALLY(!row("orders") && row("dropped or rewritten files"));
        const auto dropped = row("dropped or rewritten files");
        QVERIFY(*dropped->historyBytes > 0);
        // the engine knows it also while the server is stopped, but for the sizes
        m_place->ctl({"stop", "staging"}, &code);
        QCOMPARE(code, 0);
        ARBOR_EVENTUALLY(m_live->branch("staging")->state == BranchState::Stopped);
        select("main");
        select("staging");
        ARBOR_EVENTUALLY(row("prices") && row("prices")->privateBytes.value_or(0) > 0);
        QVERIFY(!row("prices")->bytes);
        QVERIFY(panel().list()->isColumnHidden(RelationsModel::Size));
        choose("prices");
        m_live->window.activateWindow();
        panel().list()->setFocus();
        m_live->key(Qt::Key_Return); // the pages are the engine's, and known without a server
        ARBOR_EVENTUALLY(panel().showsPages() && panel().pages()->map()->cells().sources.size() == 2);
        LiveWindow::click(panel().pages()->findChild<QToolButton*>("back"));
        QVERIFY(!panel().showsPages());
        QVERIFY(row("dropped or rewritten files"));
        GuiPlace::shoot(window(), "relations-stopped");

        // a root has nothing to differ from
        select("main");
        ARBOR_EVENTUALLY(row("prices"));
        QVERIFY(panel().list()->isColumnHidden(RelationsModel::Changed));
        m_place->ctl({"branch", "delete", "staging"}, &code);
        QCOMPARE(code, 0);
        ARBOR_EVENTUALLY(!m_live->branch("staging"));
    }

    // All of them with their sizes first, sorted as the person likes; what is in one once it is opened.
    void SeveralDatabasesComeFirst() {
        int code = 1;
        select("main");
        ARBOR_EVENTUALLY(row("prices"));
        QCOMPARE(databases().count(), 1); // one is no choice
        run("main", {"CREATE DATABASE ledger", "CREATE DATABASE shop"});
        run("main",
            {"CREATE TABLE entries AS SELECT g, md5(g::text) AS x FROM generate_series(1, 300000) g",
             "VACUUM (FREEZE) entries"},
            "ledger");
        run("main",
            {"CREATE SCHEMA stock", "CREATE TABLE stock.items AS SELECT g FROM generate_series(1, 50000) g",
             "VACUUM (FREEZE) stock.items", "CHECKPOINT"},
            "shop");
        m_place->ctl({"branch", "create", "trial", "--from", "main", "--start"}, &code);
        QCOMPARE(code, 0);
        run("trial",
            {"UPDATE stock.items SET g = g + 1",
             "CREATE TABLE orders AS SELECT g FROM generate_series(1, 100000) g", "CHECKPOINT"},
            "shop");
        ARBOR_EVENTUALLY(m_live->branch("trial") && m_live->branch("trial")->state == BranchState::Running);
        select("trial");
        ARBOR_EVENTUALLY(row("ledger") && row("shop") && row("postgres"));
        ARBOR_EVENTUALLY(row("shop")->changedPages.value_or(0) > 400 && row("shop")->privateBytes);
        QCOMPARE(databases().count(), 4);
        QCOMPARE(panel().model().headerData(RelationsModel::Name, Qt::Horizontal, Qt::DisplayRole).toString(),
                 QString("Database"));
        QVERIFY2(said().startsWith("3 databases, "), qPrintable(said()));
        // the sizes are PostgreSQL's (who asks adds a cache file of its own), and the largest comes first
        const QByteArray size =
            m_place->ctl({"psql", "trial", "--", "-XAtc", "SELECT pg_database_size('ledger')"}, &code);
        QVERIFY2(qAbs(size.trimmed().toLongLong() - static_cast<qint64>(*row("ledger")->bytes)) < 1 << 20,
                 size);
        QCOMPARE(namesShown().first(), QString("ledger"));
        QVERIFY(isSortedBy(RelationsModel::Changed));
        QVERIFY(*row("ledger")->changedPages < 100 && row("ledger")->pages > 2000);
        QVERIFY(*row("shop")->privateBytes > *row("ledger")->privateBytes);
        ARBOR_EVENTUALLY(m_live->session.marks().previous(
            m_live->branch("trial")->id, m_live->branch("trial")->headLsn + 1, markBit(MarkKind::Commit)));
        GuiPlace::shootAll(window(), "databases");

        // one is opened from the keyboard
        QTreeView& list = *panel().list();
        list.setFocus();
        list.setCurrentIndex(list.model()->index(namesShown().indexOf("shop"), 0));
        m_live->key(Qt::Key_Return);
        ARBOR_EVENTUALLY(row("orders") && row("items"));
        QCOMPARE(databases().currentText(), QString("shop"));
        QCOMPARE(row("items")->schema, QString("stock"));
        ARBOR_EVENTUALLY(row("items")->changedPages.value_or(0) > 400);
        QVERIFY(!row("entries")); // of another database
        QVERIFY(!list.isColumnHidden(RelationsModel::Schema));
        // stays open when it is asked again, and the others are found again
        LiveWindow::click(panel().findChild<QToolButton*>("reload"));
        run("trial", {"CREATE TABLE later (n int)"}, "shop");
        LiveWindow::click(panel().findChild<QToolButton*>("reload"));
        ARBOR_EVENTUALLY(row("later"));
        databases().setFocus();
        m_live->key(Qt::Key_Home);
        ARBOR_EVENTUALLY(row("ledger") && !row("later"));
        QVERIFY(list.isColumnHidden(RelationsModel::Schema));

        // of a large relation a cell is several pages, which are shown one by one when it is opened
        databases().setCurrentIndex(databases().findText("ledger"));
        Q_EMIT databases().activated(databases().currentIndex());
        ARBOR_EVENTUALLY(row("entries") && row("entries")->changedPages);
        choose("entries");
        LiveWindow::click(panel().findChild<QToolButton*>("pages"));
        PagePanel& pages = *panel().pages();
        ARBOR_EVENTUALLY(pages.map()->cells().perCell == 2);
        const auto total = pages.map()->cells().blocks;
        QCOMPARE(pages.map()->cells().cells.size(), static_cast<std::size_t>((total + 1) / 2));
        QTest::mouseClick(pages.map(), Qt::LeftButton, {}, pages.map()->cellRect(700).center());
        ARBOR_EVENTUALLY(pages.map()->cells().perCell == 1);
        QCOMPARE(pages.map()->cells().from, std::uint64_t{1400});
        QCOMPARE(pages.map()->cells().cells.size(), std::size_t{2});
        auto* whole = pages.findChild<QToolButton*>("whole");
        QVERIFY(whole->isVisible());
        pages.map()->setFocus();
        m_live->key(Qt::Key_Right);
        m_live->key(Qt::Key_Right);
        m_live->key(Qt::Key_Return);
        ARBOR_EVENTUALLY(pages.sentence().startsWith("Block 1,401 is read from main"));
        m_live->key(Qt::Key_Escape); // first out of the part
        ARBOR_EVENTUALLY(pages.map()->cells().cells.size() == static_cast<std::size_t>((total + 1) / 2));
        QVERIFY(panel().showsPages() && !whole->isVisible());
        m_live->key(Qt::Key_Escape);
        QVERIFY(!panel().showsPages());
    }
};

QTEST_MAIN(RelationsTest)
#include "relations_test.moc"
