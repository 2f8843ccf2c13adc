// pgarbor: the window.
#include "app/control/runtime_dir.h"
#include "app/control/version.h"
#include "app/gui/appearance.h"
#include "app/gui/main_window.h"
#include "app/gui/single_instance.h"
#include "app/gui/window_settings.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QLibraryInfo>
#include <QLocale>
#include <QProcess>
#include <QTranslator>

#include <cstdio>
#include <memory>

namespace arbor {

namespace {

struct Options {
    QString store;
    QString socket;
    QString make; // "", "demo" or "new"
};

Options parse(QCoreApplication& application) {
    QCommandLineParser parser;
    parser.setApplicationDescription(QObject::tr("Git-like branches of a PostgreSQL database."));
    parser.addHelpOption();
    parser.addVersionOption();
    parser.addOptions(
        {{QStringLiteral("store"), QObject::tr("The store to open."), QStringLiteral("DIR")},
         {QStringLiteral("connect"), QObject::tr("The socket of a running engine, whatever its store."),
          QStringLiteral("SOCKET")},
         {QStringLiteral("demo"), QObject::tr("Make the demo if there is no store yet.")}});
    parser.process(application);
    Options options{parser.value(QStringLiteral("store")), parser.value(QStringLiteral("connect")),
                    parser.isSet(QStringLiteral("demo")) ? QStringLiteral("demo") : QString()};
    if (options.store.isEmpty() && options.socket.isEmpty()) {
        const QString last = WindowSettings().lastStore();
        const bool lives = !last.isEmpty() && qEnvironmentVariableIsEmpty("PGARBOR_STORE") &&
                           storeExists(last.toStdString()).value_or(false);
        options.store = lives ? last : QString::fromStdString(defaultStore());
    }
    return options;
}

// Where the window of a store listens for a second one: beside its engine's socket.
QString windowSocket(const Options& options) {
    const ControlAddress address = listenAddress(
        canonicalStore(options.store.isEmpty() ? options.socket.toStdString() : options.store.toStdString()));
    if (!prepareRuntimeDirectory(address))
        return {};
    return QString::fromStdString(address.socket).replace(QLatin1String(".sock"), QLatin1String(".window"));
}

void loadTranslations(QCoreApplication& application) {
    const QLocale locale;
    auto* qt = new QTranslator(&application);
    if (qt->load(locale, QStringLiteral("qtbase"), QStringLiteral("_"),
                 QLibraryInfo::path(QLibraryInfo::TranslationsPath)))
        QCoreApplication::installTranslator(qt);
    // English too: its plurals are a translation
    auto* english = new QTranslator(&application);
    if (english->load(QStringLiteral(":/translations/pgarbor_en.qm")))
        QCoreApplication::installTranslator(english);
    auto* own = new QTranslator(&application);
    if (own->load(locale, QStringLiteral("pgarbor"), QStringLiteral("_"), QStringLiteral(":/translations")))
        QCoreApplication::installTranslator(own);
}

int run(QApplication& application) {
    const Options options = parse(application);
    SingleInstance instance(windowSocket(options));
    if (instance.raiseOther())
        return 0;
    (void)instance.listen(); // without it a second window opens: no reason not to open this one
    loadTranslations(application);
    applyAppearance(WindowSettings().appearance());

    StoreSession session({options.store, options.socket, {}, QStringLiteral("pgarbor ") + programVersion});
    MainWindow window(session);
    window.commands().setTerminalSearch({WindowSettings().terminal(), qEnvironmentVariable("TERMINAL"), {}});
    QObject::connect(&instance, &SingleInstance::raiseAsked, &window, &MainWindow::raiseToFront);
    QObject::connect(&session, &StoreSession::stateChanged, &window, [&] {
        if (session.state() == StoreSession::State::Connected)
            WindowSettings().setLastStore(session.store());
        if (session.state() == StoreSession::State::NoStore && options.make == QLatin1String("demo"))
            session.makeStore(true);
    });
    // another store is another window: this one and its branches stay as they are
    QObject::connect(&window, &MainWindow::storeAsked, &window,
                     [](const QString& directory, const QString& what) {
                         QStringList arguments{QStringLiteral("--store"), directory};
                         if (what == QLatin1String("demo"))
                             arguments += QStringLiteral("--demo");
                         QProcess::startDetached(QCoreApplication::applicationFilePath(), arguments);
                     });
    window.show();
    session.open();
    return QApplication::exec();
}

} // namespace

} // namespace arbor

int main(int argc, char** argv) {
    // before there is a display: scripts ask too
    for (int i = 1; i < argc; ++i)
        if (qstrcmp(argv[i], "--version") == 0 || qstrcmp(argv[i], "-v") == 0) {
            std::printf("pgarbor %s\n", arbor::programVersion);
            return 0;
        }
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("pgarbor"));
    QApplication::setApplicationDisplayName(QStringLiteral("PgArbor"));
    QApplication::setApplicationVersion(QString::fromLatin1(arbor::programVersion));
    QApplication::setDesktopFileName(QStringLiteral("org.pgarbor.PgArbor"));
    return arbor::run(application);
}
