// What a person sees when there is nothing yet, or when something is in the way.
#include "app/gui/first_run_page.h"
#include "app/gui/message_bar.h"
#include "app/gui/problem_page.h"
#include "tests/gui/gui_support.h"

#include <QDockWidget>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QStackedWidget>

#include <algorithm>
#include <sys/file.h>

using namespace arbor;

class FirstRunTest : public QObject {
    Q_OBJECT

    struct Opened {
        explicit Opened(const QString& store, const QString& engine = {})
            : session({store, {}, engine}), window(session) {
            window.show();
            session.open();
        }
        template <class Page>
        Page* page() {
            return qobject_cast<Page*>(
                window.findChild<QStackedWidget*>(QStringLiteral("pages"))->currentWidget());
        }
        StoreSession session;
        MainWindow window;
    };

    // What a widget is drawn with belongs to the looks that it is seen in.
    static bool picturesFollowThePalette(const QWidget& page) {
        const auto pictures = [&] {
            QList<QImage> all;
            for (const QLabel* label : page.findChildren<QLabel*>())
                if (const QPixmap pixmap = label->pixmap(); !pixmap.isNull() && pixmap.width() <= 48)
                    all += pixmap.toImage();
            return all;
        };
        const QList<QImage> light = pictures();
        applyAppearance(QStringLiteral("dark"));
        QCoreApplication::processEvents();
        const QList<QImage> dark = pictures();
        applyAppearance(QStringLiteral("light"));
        QCoreApplication::processEvents();
        bool differ = !light.isEmpty() && light == pictures();
        for (int i = 0; i < light.size(); ++i)
            differ = differ && light[i] != dark[i];
        return differ;
    }

  private Q_SLOTS:
    void initTestCase() { applyAppearance(QStringLiteral("light")); }

    void WithoutAStoreThereAreFourCards() {
        GuiPlace place;
        Opened opened(place.store());
        ARBOR_EVENTUALLY(opened.page<FirstRunPage>());
        QStringList names;
        for (const QPushButton* card :
             opened.page<FirstRunPage>()->findChildren<QPushButton*>(QStringLiteral("card")))
            names += card->accessibleName();
        QCOMPARE(names,
                 (QStringList{"Try the demo", "New cluster", "Bring your own database", "Open a store"}));
        QVERIFY(!QDir(place.store()).exists()); // looking makes nothing
        // one name for one thing
        QCOMPARE(opened.window.actions().importDatabase->text().remove(u'&'), names[2] + u'…');
        GuiPlace::shoot(opened.window, QStringLiteral("first-run"));
        QVERIFY(picturesFollowThePalette(*opened.page<FirstRunPage>()));
    }

    void ThePanelsWaitForAStore() {
        GuiPlace place;
        Opened opened(place.store());
        ARBOR_EVENTUALLY(opened.page<FirstRunPage>());
        opened.window.activateWindow();
        const auto panels = opened.window.findChildren<QDockWidget*>();
        const auto anyIsShown = [&] {
            return std::ranges::any_of(panels, [](const QDockWidget* panel) { return !panel->isHidden(); });
        };
        QVERIFY(!panels.isEmpty() && !anyIsShown());
        for (const Qt::Key key : {Qt::Key_1, Qt::Key_2, Qt::Key_3, Qt::Key_4})
            QTest::keyClick(&opened.window, key, Qt::AltModifier);
        opened.window.actions().palette->trigger();
        QListWidget& found = *opened.window.palette_().list();
        for (int row = 0; row < found.count(); ++row)
            if (found.item(row)->text().startsWith(QStringLiteral("Show ")))
                QVERIFY2(!(found.item(row)->flags() & Qt::ItemIsEnabled),
                         qPrintable(found.item(row)->text()));
        QVERIFY(!anyIsShown());
    }

    void AnEngineThatIsNotThereIsNamed() {
        GuiPlace place;
        QDir().mkpath(place.store());
        QFile format(place.store() + QStringLiteral("/FORMAT"));
        QVERIFY(format.open(QIODevice::WriteOnly));
        format.close();
        Opened opened(place.store(), QStringLiteral("/no/such/pgarbord"));
        ARBOR_EVENTUALLY(opened.page<ProblemPage>());
        QVERIFY(opened.session.problem().contains(QStringLiteral("/no/such/pgarbord")));
    }

    void ANewerFormatIsRefusedInWordsAndNothingIsChanged() {
        ARBOR_NEEDS_ENGINE();
        const QByteArray newer("PgArbor store\nformat 99\nid 00112233445566778899aabbccddeeff\n");
        GuiPlace place;
        QVERIFY(QDir().mkpath(place.store()));
        ::chmod(place.store().toUtf8().constData(), 0777);
        QFile format(place.store() + QStringLiteral("/FORMAT"));
        QVERIFY(format.open(QIODevice::WriteOnly));
        format.write(newer);
        format.close();
        Opened opened(place.store());
        ARBOR_EVENTUALLY(opened.page<ProblemPage>());
        GuiPlace::shoot(opened.window, QStringLiteral("newer-format"));
        QVERIFY2(!opened.page<ProblemPage>()->title().isEmpty(), qPrintable(opened.session.problem()));
        QCOMPARE(place.read(QStringLiteral("stores/bank/FORMAT")), newer);
    }

    // What the engine says as it ends is shown in words, with a way to mend it. The engine here is a script
    // that says what the real one does.
    void WhatIsInTheWayIsNamed_data() {
        QTest::addColumn<QString>("said");
        QTest::addColumn<QString>("title");
        QTest::addColumn<QString>("command");
        QTest::newRow("no-postgres") << "no PostgreSQL server was found on this machine; install one"
                                     << "PostgreSQL is not installed"
                                     << "sudo apt install postgresql";
        QTest::newRow("no-fuse") << "opening /dev/fuse: No such file or directory"
                                 << "FUSE is not available"
                                 << "sudo apt install fuse3 && sudo modprobe fuse";
        QTest::newRow("disk-full") << "writing /s/index/000004.log: No space left on device"
                                   << "The disk is full"
                                   << "df -h %1";
        QTest::newRow("not-ours") << "opening /s/LOCK: Permission denied"
                                  << "The store may not be opened"
                                  << "ls -ld %1";
    }
    void WhatIsInTheWayIsNamed() {
        QFETCH(QString, said);
        QFETCH(QString, title);
        QFETCH(QString, command);
        GuiPlace place;
        QVERIFY(QDir().mkpath(place.store()));
        QFile format(place.store() + QStringLiteral("/FORMAT"));
        QVERIFY(format.open(QIODevice::WriteOnly));
        format.close();
        QFile engine(place.path("engine"));
        QVERIFY(engine.open(QIODevice::WriteOnly));
        engine.write("#!/bin/sh\necho 'pgarbord: " + said.toUtf8() + "' >&2\nexit 1\n");
        engine.close();
        ::chmod(engine.fileName().toUtf8().constData(), 0755);
        Opened opened(place.store(), engine.fileName());
        ARBOR_EVENTUALLY(opened.page<ProblemPage>());
        QCOMPARE(opened.page<ProblemPage>()->title(), title);
        const auto* field = opened.page<ProblemPage>()->findChild<QLineEdit*>();
        QVERIFY(field->isVisible());
        QCOMPARE(field->text(), command.contains(u'%') ? command.arg(place.store()) : command);
        GuiPlace::shoot(opened.window, QLatin1String(QTest::currentDataTag()));
        QVERIFY(picturesFollowThePalette(*opened.page<ProblemPage>()));
        MessageBar& bar = opened.window.messages();
        bar.show(MessageBar::Kind::Problem, said);
        QVERIFY(picturesFollowThePalette(bar));
    }

    void AStoreInUseIsNamedAndOpensWhenItIsFree() {
        ARBOR_NEEDS_ENGINE();
        GuiPlace place;
        int code = 1;
        place.ctl({QStringLiteral("init")}, &code);
        QCOMPARE(code, 0);
        place.stopEngine();
        const int lock = ::open((place.store() + QStringLiteral("/LOCK")).toUtf8().constData(), O_RDWR);
        QVERIFY(lock >= 0);
        QVERIFY(::flock(lock, LOCK_EX | LOCK_NB) == 0);
        Opened opened(place.store());
        ARBOR_EVENTUALLY(opened.page<ProblemPage>());
        QCOMPARE(opened.page<ProblemPage>()->title(), QStringLiteral("The store is in use"));
        GuiPlace::shoot(opened.window, QStringLiteral("in-use"));
        ::close(lock);
        QTest::mouseClick(opened.page<ProblemPage>()->findChild<QPushButton*>(QStringLiteral("retry")),
                          Qt::LeftButton);
        ARBOR_EVENTUALLY(opened.session.state() == StoreSession::State::Connected);
    }
};

QTEST_MAIN(FirstRunTest)
#include "first_run_test.moc"
