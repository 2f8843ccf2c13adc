// A person brings a database in through the window, and takes it out again.
#include "app/gui/appearance.h"
#include "app/gui/branch_area.h"
#include "app/gui/export_dialog.h"
#include "app/gui/first_run_page.h"
#include "app/gui/import_dialog.h"
#include "app/gui/inspector.h"
#include "tests/gui/gui_support.h"
#include "tests/postgres/import_proxy.h"
#include "tests/postgres/import_support.h"

#include <QLabel>
#include <QLineEdit>
#include <QProgressBar>
#include <QPushButton>
#include <QRadioButton>
#include <QStackedWidget>
#include <QTextBrowser>

using namespace arbor;
using import_test::asServer;
using import_test::PlainServer;
using import_test::Proxy;

class ImportDialogTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<PlainServer> m_source;
    std::unique_ptr<StoreSession> m_session;
    std::unique_ptr<MainWindow> m_window;

    template <class Dialog>
    Dialog* dialog() const {
        // the window has dialogs of its own that wait hidden
        for (Dialog* each : m_window->findChildren<Dialog*>())
            if (each->isVisible())
                return each;
        return nullptr;
    }
    QLineEdit* field(const char* name) const { return dialog<QDialog>()->findChild<QLineEdit*>(name); }
    QString label(const char* name) const {
        auto* found = dialog<QDialog>() ? dialog<QDialog>()->findChild<QLabel*>(name) : nullptr;
        return found && found->isVisible() ? found->text() : QString();
    }
    void press(const char* name) const {
        QTest::mouseClick(dialog<QDialog>()->findChild<QPushButton*>(name), Qt::LeftButton);
    }
    QString shownList() const {
        for (const QTextBrowser* view : dialog<QDialog>()->findChildren<QTextBrowser*>())
            if (view->isVisible())
                return view->toPlainText();
        return {};
    }
    // In light and in dark.
    void shoot(const QString& name) const {
        for (const QString& appearance : {QStringLiteral("dark"), QStringLiteral("light")}) {
            applyAppearance(appearance);
            GuiPlace::shoot(*dialog<QDialog>(), name + u'-' + appearance);
        }
    }
    void openImport() const {
        m_window->actions().importDatabase->trigger();
        ARBOR_EVENTUALLY(dialog<ImportDialog>());
    }
    void close() const {
        dialog<QDialog>()->close();
        QTRY_VERIFY(!dialog<QDialog>());
    }
    bool has(const QString& branch) const { return m_session->picture().branch(branch) != nullptr; }

  private Q_SLOTS:
    void initTestCase() {
        ARBOR_NEEDS_ENGINE();
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        m_place = std::make_unique<GuiPlace>();
        m_source = std::make_unique<PlainServer>(m_place->path("stores"), "Shop 2026");
        QVERIFY(m_source->initialize({"-U", "postgres"}));
        m_source->configure("archive_mode = on\narchive_command = 'cp %p /nowhere/%f'\n");
        QVERIFY(m_source->start());
        QVERIFY(asServer("pgbench",
                         QStringList{"-i", "-s", "4", "-q", "-d", "postgres"} + m_source->way().words())
                    .code == 0);
        QVERIFY(m_source->stop());
        m_session = std::make_unique<StoreSession>(StoreSession::Options{m_place->store(), {}, {}});
        m_window = std::make_unique<MainWindow>(*m_session);
        m_window->show();
        m_window->activateWindow();
        m_session->open();
    }
    void cleanupTestCase() {
        m_source.reset();
        m_window.reset();
        m_session.reset();
        m_place.reset();
    }

    void TheCardOfTheFirstRunAsksForTheDatabase() {
        auto* pages = m_window->findChild<QStackedWidget*>(QStringLiteral("pages"));
        ARBOR_EVENTUALLY(qobject_cast<FirstRunPage*>(pages->currentWidget()));
        for (QPushButton* card : pages->currentWidget()->findChildren<QPushButton*>(QStringLiteral("card")))
            if (card->accessibleName() == QLatin1String("Bring your own database"))
                QTest::mouseClick(card, Qt::LeftButton);
        ARBOR_EVENTUALLY(dialog<ImportDialog>());
        QVERIFY(!dialog<ImportDialog>()->findChild<QPushButton*>("importNext")->isEnabled());
        shoot(QStringLiteral("import-source"));
    }

    void WhatCannotComeInIsSaidBeforeAnythingIsWritten() {
        field("importDirectory")->setText(m_place->path("stores"));
        QCOMPARE(field("importName")->text(), QStringLiteral("stores"));
        press("importNext");
        ARBOR_EVENTUALLY(label("importCheck").contains(QLatin1String("cannot be brought in")));
        QVERIFY2(shownList().contains(QLatin1String("Shop 2026 is one")), qPrintable(shownList()));
        QVERIFY(!dialog<ImportDialog>()->findChild<QPushButton*>("importNext")->isEnabled());
        shoot(QStringLiteral("import-refused"));
        // not even a store: the engine that looked goes with the dialog, and leaves no directory
        QVERIFY(!QFileInfo::exists(m_place->store() + QStringLiteral("/FORMAT")));
        close();
        ARBOR_EVENTUALLY(m_session->state() == StoreSession::State::NoStore &&
                         !QFileInfo::exists(m_place->store()));
        openImport();
        field("importDirectory")->setText(m_source->data());
        field("importName")->setText(QStringLiteral("main"));
        QVERIFY(label("importFault").contains(QLatin1String("main is the first branch")));
        QVERIFY(!dialog<ImportDialog>()->findChild<QPushButton*>("importNext")->isEnabled());
    }

    void ADirectoryComesIn() {
        field("importDirectory")->clear();
        field("importName")->clear(); // and is proposed again
        field("importDirectory")->setText(m_source->data());
        QCOMPARE(field("importName")->text(), QStringLiteral("shop-2026"));
        press("importNext");
        ARBOR_EVENTUALLY(label("importCheck").contains(QLatin1String("can be brought in")) &&
                         dialog<ImportDialog>()->findChild<QPushButton*>("importNext")->isEnabled());
        QVERIFY2(shownList().contains(QLatin1String("archive_command")), qPrintable(shownList()));
        shoot(QStringLiteral("import-check"));
        QVERIFY(!has(QStringLiteral("shop-2026")));
        press("importNext");
        QTRY_VERIFY_WITH_TIMEOUT(!label("importReport").isEmpty(), 120'000);
        QVERIFY2(label("importReport").startsWith(QLatin1String("shop-2026 is there: ")),
                 qPrintable(label("importReport") + shownList()));
        shoot(QStringLiteral("import-report"));
        press("importNext");
        QTRY_VERIFY(!dialog<QDialog>());
        ARBOR_EVENTUALLY(has(QStringLiteral("shop-2026")));
        int code = 1;
        const QByteArray count = m_place->ctl(
            {"psql", "shop-2026", "--", "-XAtc", "SELECT count(*) FROM pgbench_accounts"}, &code);
        QCOMPARE(count.trimmed(), QByteArray("400000"));
    }

    void AServerIsCopiedWithProgressAndCanBeCancelled() {
        QVERIFY(m_source->start());
        Proxy proxy(m_source->port(), 4 << 20, Proxy::Then::Slow);
        openImport();
        dialog<ImportDialog>()->choose(ImportDialog::Way::Server);
        field("importUrl")->setText(QStringLiteral("postgres@127.0.0.1:%1").arg(proxy.port()));
        field("importName")->setText(QStringLiteral("live"));
        press("importNext");
        ARBOR_EVENTUALLY(dialog<ImportDialog>()->findChild<QPushButton*>("importNext")->isEnabled() &&
                         label("importCheck").contains(QLatin1String("can be brought in")));
        press("importNext");
        ARBOR_EVENTUALLY(proxy.limitReached() && label("transferText").contains(QLatin1String("B/s, ")));
        QVERIFY2(label("transferText").contains(QLatin1String(" left")), qPrintable(label("transferText")));
        QVERIFY(dialog<QDialog>()->findChild<QProgressBar*>()->value() > 0);
        shoot(QStringLiteral("import-progress"));
        press("transferCancel");
        ARBOR_EVENTUALLY(label("importReport").contains(QLatin1String("was cancelled")));
        QVERIFY(!has(QStringLiteral("live")));
        // again, and this time nothing stalls
        proxy.release();
        press("importNext");
        ARBOR_EVENTUALLY(dialog<ImportDialog>()->findChild<QPushButton*>("importNext")->isEnabled() &&
                         label("importCheck").contains(QLatin1String("can be brought in")));
        press("importNext");
        QTRY_VERIFY_WITH_TIMEOUT(label("importReport").startsWith(QLatin1String("live is there")), 120'000);
        press("importNext");
        ARBOR_EVENTUALLY(has(QStringLiteral("live")));
        QVERIFY(m_source->stop());
    }

    void ABranchGoesOutFromTheInspector() {
        QVERIFY(has(QStringLiteral("live")));
        m_window->area().selectBranch(m_session->picture().branch(QStringLiteral("live"))->id);
        const QString target = m_place->path("stores") + QStringLiteral("/out");
        m_window->actions().exportBranch->trigger();
        ARBOR_EVENTUALLY(dialog<ExportDialog>());
        field("exportTarget")->setText(target);
        shoot(QStringLiteral("export"));
        press("exportNext");
        QTRY_VERIFY_WITH_TIMEOUT(!label("exportReport").isEmpty(), 120'000);
        QVERIFY2(label("exportReport").contains(QLatin1String("were written to")),
                 qPrintable(label("exportReport") + shownList()));
        QVERIFY(shownList().contains(QLatin1String("checksums")));
        shoot(QStringLiteral("export-report"));
        close();
        PlainServer outside(m_place->path("stores"), "out");
        QVERIFY(outside.start());
        QCOMPARE(import_test::sql(outside.way(), "postgres", "SELECT count(*) FROM pgbench_accounts"),
                 QStringLiteral("400000"));
        QVERIFY(outside.stop());

        m_window->actions().exportBranch->trigger();
        ARBOR_EVENTUALLY(dialog<ExportDialog>());
        field("exportTarget")->setText(target); // not empty now
        press("exportNext");
        ARBOR_EVENTUALLY(label("exportReport").contains(QLatin1String("failed")));
        QVERIFY2(shownList().contains(QLatin1String("not empty")), qPrintable(shownList()));
        close();
    }
};

QTEST_MAIN(ImportDialogTest)
#include "import_dialog_test.moc"
