// The window and the desktop around it: what the Connect menu copies, used as a person would; preferences;
// notifications; a second start; the program's own options.
#include "app/control/runtime_dir.h"
#include "app/gui/appearance.h"
#include "app/gui/notifier.h"
#include "app/gui/preferences_dialog.h"
#include "app/gui/reclaim_panel.h"
#include "app/gui/window_actions.h"
#include "app/gui/window_settings.h"
#include "tests/gui/live_window.h"
#include "widgets/views/theme.h"

#include <QClipboard>
#include <QComboBox>
#include <QDBusConnection>
#include <QDialogButtonBox>
#include <QJsonDocument>
#include <QJsonObject>
#include <QStandardPaths>

#include <csignal>

using namespace arbor;

// What a desktop offers under this name.
class Notifications : public QObject {
    Q_OBJECT
    Q_CLASSINFO("D-Bus Interface", "org.freedesktop.Notifications")
  public:
    QStringList shown;
  public Q_SLOTS:
    uint Notify(const QString& application, uint, const QString& icon, const QString& title,
                const QString& text, const QStringList&, const QVariantMap&, int) {
        shown += application + u'|' + icon + u'|' + title + u'|' + text;
        return 1;
    }
};

class DesktopTest : public QObject {
    Q_OBJECT

    std::unique_ptr<GuiPlace> m_place;
    std::unique_ptr<LiveWindow> m_live;
    QProcess m_bus;
    Notifications m_notifications;

    MainWindow& window() const { return m_live->window; }
    // Runs a line in a shell, as one pastes it.
    static QByteArray shell(const QString& line) {
        QProcess process;
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.start(QStringLiteral("/bin/sh"), {QStringLiteral("-c"), line});
        process.waitForFinished(60'000);
        return process.readAll().trimmed();
    }
    QString copiedBy(QAction* action) {
        QGuiApplication::clipboard()->clear();
        action->trigger();
        (void)QTest::qWaitFor([] { return !QGuiApplication::clipboard()->text().isEmpty(); }, 60'000);
        return QGuiApplication::clipboard()->text();
    }
    static QStringList windowSockets(const QString& runtime) {
        return QDir(runtime + QStringLiteral("/pgarbor"))
            .entryList({QStringLiteral("*.window")}, QDir::System | QDir::Files);
    }

  private Q_SLOTS:
    void initTestCase() {
        QCoreApplication::setApplicationName(QStringLiteral("pgarbor"));
        m_place = std::make_unique<GuiPlace>();
        // before anything asks for the bus
        if (!QStandardPaths::findExecutable(QStringLiteral("dbus-daemon")).isEmpty()) {
            m_bus.start(QStringLiteral("dbus-daemon"),
                        {QStringLiteral("--session"), QStringLiteral("--nofork"),
                         QStringLiteral("--print-address=1")});
            QVERIFY(m_bus.waitForReadyRead(30'000));
            qputenv("DBUS_SESSION_BUS_ADDRESS", m_bus.readLine().trimmed());
        }
        ARBOR_NEEDS_ENGINE();
        int code = 1;
        m_place->ctl({QStringLiteral("init"), QStringLiteral("--demo")}, &code);
        QCOMPARE(code, 0);
        m_live = std::make_unique<LiveWindow>(*m_place);
        ARBOR_EVENTUALLY(m_live->connected() && m_live->branch("main"));
        ARBOR_EVENTUALLY(m_live->session.picture().settings.contains(QStringLiteral("trash-time")));
    }
    void cleanupTestCase() {
        m_live.reset();
        m_place.reset();
        m_bus.kill();
        m_bus.waitForFinished();
    }

    void ANotificationReachesTheDesktop() {
        ARBOR_NEEDS(m_bus.state() == QProcess::Running ? QString()
                                                       : QStringLiteral("dbus-daemon is not installed"));
        QDBusConnection desktop = QDBusConnection::connectToBus(
            QString::fromUtf8(qgetenv("DBUS_SESSION_BUS_ADDRESS")), QStringLiteral("desktop"));
        QVERIFY(desktop.isConnected());
        QVERIFY(desktop.registerObject(QStringLiteral("/org/freedesktop/Notifications"), &m_notifications,
                                       QDBusConnection::ExportAllSlots));
        QVERIFY(desktop.registerService(QStringLiteral("org.freedesktop.Notifications")));
        notifyDesktop(QStringLiteral("Done"), QStringLiteral("import of <b> & c"));
        QTRY_COMPARE(m_notifications.shown.size(), 1);
        QCOMPARE(m_notifications.shown.takeFirst(),
                 QStringLiteral("PgArbor|org.pgarbor.PgArbor|Done|import of &lt;b&gt; &amp; c"));
    }

    // Before the disk is full: in the window, also in one that comes later, and on the desktop of a person
    // who looks elsewhere; once, with what would help; until it no longer holds.
    void TheWarningOfALimitReachesThePerson() {
        ARBOR_NEEDS(m_bus.state() == QProcess::Running ? QString()
                                                       : QStringLiteral("dbus-daemon is not installed"));
        int code = 1;
        m_place->ctl({"stop", "--all"}, &code); // nothing grows meanwhile
        QCOMPARE(code, 0);
        QWidget elsewhere;
        elsewhere.show();
        elsewhere.activateWindow();
        ARBOR_EVENTUALLY(!window().isActiveWindow());
        MessageBar& bar = window().limitBar();
        QVERIFY(bar.isHidden());
        const auto limit = [&](const QString& size) {
            m_place->ctl({"settings", "set", "disk-limit", size}, &code);
            QCOMPARE(code, 0);
        };
        // the last of the log is kept a little later than it is written: until nothing has grown for many
        // looks
        qint64 used = 0;
        int looksAlike = 0;
        const auto isStill = [&] {
            const QJsonObject stats =
                QJsonDocument::fromJson(m_place->ctl({QStringLiteral("--json"), QStringLiteral("stats")}))
                    .object();
            const qint64 before =
                std::exchange(used, stats["diskBytes"].toInteger() + stats["indexBytes"].toInteger());
            looksAlike = used == before ? looksAlike + 1 : 0;
            return looksAlike > 15;
        };
        ARBOR_EVENTUALLY(isStill());
        limit(QString::number(used / 1024 * 100 / 95) + "kB");
        ARBOR_EVENTUALLY(bar.isVisible());
        QCOMPARE(m_live->session.picture().stats["limitState"].toInt(), 1);
        QVERIFY2(bar.text().startsWith("The store has ") && bar.text().contains("disk-limit is") &&
                     bar.text().contains("What helps most: "),
                 qPrintable(bar.text()));
        QVERIFY(m_place->ctl({"stats"}).contains("remedies:")); // and on the command line
        QTRY_COMPARE(m_notifications.shown.size(), 1);
        QVERIFY(m_notifications.shown.front().contains(bar.text().toHtmlEscaped()));
        GuiPlace::shoot(window(), "limit-near");
        LiveWindow later(*m_place);
        ARBOR_EVENTUALLY(later.window.limitBar().isVisible());

        // whoever has closed it knows
        bar.hide();
        m_live->session.refresh(StoreSession::Stats);
        limit(QString::number(used / 1024 * 100 / 96) + "kB");
        ARBOR_EVENTUALLY(later.window.limitBar().text() != bar.text());
        QVERIFY(bar.isHidden());
        // but not that it has become worse
        limit("1MB");
        ARBOR_EVENTUALLY(bar.isVisible());
        ARBOR_EVENTUALLY(bar.text().contains("disk-limit is 1"));
        LiveWindow::click(bar.actionButton());
        ARBOR_EVENTUALLY(window().reclaim().isVisible());
        ARBOR_EVENTUALLY(later.window.limitBar().isVisible());
        limit("0");
        ARBOR_EVENTUALLY(later.window.limitBar().isHidden() && bar.isHidden());
        m_place->ctl({"start", "main"}, &code);
        QCOMPARE(code, 0);
    }

    void WhatTheConnectMenuCopiesConnects() {
        window().area().selectBranch(m_live->branch("main")->id);
        const auto& actions = window().actions();
        const QString ask = QStringLiteral(" -XAtc 'SELECT count(*) FROM pgbench_accounts'");
        const auto psql = [&](const QString& url) {
            return shell(QStringLiteral("psql '%1'").arg(url) + ask);
        };
        const QString local = copiedBy(actions.copyUrl);
        QVERIFY2(local.startsWith(QStringLiteral("postgresql://")), qPrintable(local));
        QCOMPARE(psql(local), QByteArray("100000"));
        const QString tcp = copiedBy(actions.copyTcpUrl);
        QVERIFY2(tcp.contains(QStringLiteral("127.0.0.1")), qPrintable(tcp));
        QCOMPARE(psql(tcp), QByteArray("100000"));
        const QString environment = copiedBy(actions.copyEnvironment);
        QCOMPARE(shell(environment + QStringLiteral("\npsql") + ask), QByteArray("100000"));
        const QString service = copiedBy(actions.copyService);
        QVERIFY2(service.contains(QStringLiteral("service=main")), qPrintable(service));
        QCOMPARE(shell(service + ask), QByteArray("100000"));
        QDir files(m_place->path(QStringLiteral("config/pgarbor")));
        const QString kept = files.filePath(files.entryList(QDir::Dirs | QDir::NoDotAndDotDot).value(0));
        for (const char* name : {"pg_service.conf", "passfile"})
            QCOMPARE(QFile::permissions(kept + u'/' + QLatin1String(name)) &
                         (QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther),
                     QFile::Permissions());
    }

    void PreferencesAreTakenByTheWindowAndTheStore() {
        window().actions().preferences->trigger();
        auto* dialog = window().findChild<PreferencesDialog*>();
        QVERIFY(dialog);
        QLineEdit* trash = nullptr;
        QLineEdit* terminal = nullptr;
        for (auto* field : dialog->findChildren<QLineEdit*>()) {
            if (field->text() == m_live->session.picture().settings.value(QStringLiteral("trash-time")) &&
                field->accessibleDescription().contains(QStringLiteral("deleted")))
                trash = field;
            if (field->placeholderText() == QStringLiteral("Found by itself"))
                terminal = field;
        }
        QVERIFY(trash && terminal);
        QPushButton* ok = dialog->findChild<QDialogButtonBox*>()->button(QDialogButtonBox::Ok);
        trash->setText(QStringLiteral("soon"));
        QVERIFY(!ok->isEnabled());
        trash->setText(QStringLiteral("3d"));
        QVERIFY(ok->isEnabled());
        terminal->setText(QStringLiteral("my-terminal --hold"));
        auto* looks = dialog->findChild<QComboBox*>();
        looks->setCurrentIndex(looks->findData(QStringLiteral("dark")));
        LiveWindow::click(ok);
        ARBOR_EVENTUALLY(m_live->session.picture().settings.value(QStringLiteral("trash-time")) ==
                         QStringLiteral("3d"));
        QCOMPARE(WindowSettings().terminal(), QStringLiteral("my-terminal --hold"));
        QVERIFY(Theme(window().palette()).dark);
        const QJsonDocument answer =
            QJsonDocument::fromJson(m_place->ctl({QStringLiteral("--json"), QStringLiteral("settings"),
                                                  QStringLiteral("get"), QStringLiteral("trash-time")}));
        QVERIFY2(answer.toJson().contains("3d"), answer.toJson());
        applyAppearance(QStringLiteral("light"));
        WindowSettings().setAppearance(QStringLiteral("light"));
    }

    void ASecondStartRaisesTheFirstAndEnds_data() {
        QTest::addColumn<bool>("bySocket");
        QTest::newRow("--store DIR") << false;
        QTest::newRow("--connect SOCKET") << true;
    }
    void ASecondStartRaisesTheFirstAndEnds() {
        QFETCH(bool, bySocket);
        const QString runtime = m_place->path(bySocket ? "run-socket" : "run-store");
        QVERIFY(QDir().mkpath(runtime));
        ::chmod(runtime.toUtf8().constData(), 0700);
        QString socket;
        for (const ControlAddress& address : searchAddresses(m_live->session.store().toStdString()))
            if (QFile::exists(QString::fromStdString(address.socket)))
                socket = QString::fromStdString(address.socket);
        QVERIFY(!socket.isEmpty());
        const QStringList arguments = bySocket ? QStringList{QStringLiteral("--connect"), socket}
                                               : QStringList{QStringLiteral("--store"), m_place->store()};
        QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
        environment.insert(QStringLiteral("XDG_RUNTIME_DIR"), runtime);
        environment.insert(QStringLiteral("XDG_CONFIG_HOME"), runtime);
        const QString program = QCoreApplication::applicationDirPath() + QStringLiteral("/pgarbor");
        QProcess first, second;
        for (QProcess* process : {&first, &second})
            process->setProcessEnvironment(environment);
        first.start(program, arguments);
        ARBOR_EVENTUALLY(!windowSockets(runtime).isEmpty());
        // it connects, and remembers the store then
        const auto remembered = [&] {
            QFile settings(runtime + QStringLiteral("/pgarbor/pgarbor.conf"));
            return settings.open(QIODevice::ReadOnly) &&
                   settings.readAll().contains(m_place->store().toUtf8());
        };
        ARBOR_EVENTUALLY(remembered());
        second.start(program, arguments);
        ARBOR_EVENTUALLY(second.state() == QProcess::NotRunning);
        QCOMPARE(second.exitStatus(), QProcess::NormalExit);
        QCOMPARE(second.exitCode(), 0);
        QCOMPARE(first.state(), QProcess::Running);
        first.terminate();
        QVERIFY(first.waitForFinished(60'000));
    }
};

QTEST_MAIN(DesktopTest)
#include "desktop_test.moc"
