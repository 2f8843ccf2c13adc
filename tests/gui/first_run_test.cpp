// What a person sees when there is nothing yet, or when something is in the way.
#include "app/gui/first_run_page.h"
#include "app/gui/problem_page.h"
#include "tests/gui/gui_support.h"

#include <QPushButton>
#include <QStackedWidget>

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

  private Q_SLOTS:
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
        GuiPlace::shoot(opened.window, QStringLiteral("first-run"));
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
        if (const QString why = whyNoEngine(); !why.isEmpty())
            QSKIP(qPrintable(why));
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
};

QTEST_MAIN(FirstRunTest)
#include "first_run_test.moc"
