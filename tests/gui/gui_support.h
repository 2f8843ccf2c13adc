// A window on a real engine for tests: its own store, settings, runtime directory and terminal.
#pragma once

#include "app/control/methods.h"
#include "app/gui/appearance.h"
#include "app/gui/main_window.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QJsonValue>
#include <QPixmap>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <QTranslator>

#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

namespace arbor {

// Whether a real PostgreSQL can be started here through a real mount; else why not.
inline QString whyNoEngine() {
    if (::access("/dev/fuse", R_OK | W_OK) != 0)
        return QStringLiteral("no access to /dev/fuse");
    if (QDir(QStringLiteral("/usr/lib/postgresql")).entryList(QDir::Dirs | QDir::NoDotAndDotDot).isEmpty())
        return QStringLiteral("no PostgreSQL is installed");
    return {};
}

// A machine that has not got what a test needs skips it; where ARBOR_CI is set it has to have it. `missing`
// is a sentence, "" for nothing.
#define ARBOR_NEEDS(missing)                                 \
    do {                                                     \
        if (const QString why = (missing); !why.isEmpty()) { \
            if (qEnvironmentVariableIsSet("ARBOR_CI"))       \
                QFAIL(qPrintable(why));                      \
            QSKIP(qPrintable(why));                          \
        }                                                    \
    } while (false)
#define ARBOR_NEEDS_ENGINE() ARBOR_NEEDS(whyNoEngine())

// A place for one test program. The engine that the window starts ends with it.
class GuiPlace {
  public:
    // The store goes there, or beside everything else.
    explicit GuiPlace(const QString& disk = {}) : m_directory(QStringLiteral("/tmp/gui-test-XXXXXX")) {
        ::chmod(m_directory.path().toUtf8().constData(), 0755); // the engine of root becomes postgres
        qputenv("XDG_CONFIG_HOME", path("config").toUtf8());
        qputenv("DBUS_SESSION_BUS_ADDRESS", "disabled:");
        qunsetenv("PGARBOR_STORE");
        qunsetenv("TERMINAL");
        static QTranslator english; // its plurals
        if (english.isEmpty() && english.load(QStringLiteral(":/translations/pgarbor_en.qm")))
            QCoreApplication::installTranslator(&english);
        // the store's directory belongs to whoever the engine becomes
        m_stores = disk.isEmpty() ? path("stores") : disk;
        QDir().mkpath(m_stores);
        ::chmod(m_stores.toUtf8().constData(), 0777);
    }
    ~GuiPlace() { stopEngine(); }
    QString path(const QString& name) const { return m_directory.filePath(name); }
    QString store() const { return m_stores + QStringLiteral("/bank"); }

    QByteArray ctl(const QStringList& arguments, int* code = nullptr) const {
        QProcess process;
        process.start(QCoreApplication::applicationDirPath() + QStringLiteral("/pgarborctl"),
                      QStringList{QStringLiteral("--store"), store()} + arguments);
        process.waitForFinished(120'000);
        if (code)
            *code = process.exitCode();
        return process.readAllStandardOutput();
    }
    // A command that is expected to work; in a test function.
    void succeed(const QStringList& arguments) const {
        int code = 1;
        ctl(arguments, &code);
        QCOMPARE(code, 0);
    }
    // What the command line says with --json.
    QJsonDocument json(const QStringList& arguments) const {
        return QJsonDocument::fromJson(ctl(QStringList{QStringLiteral("--json")} + arguments));
    }
    std::uint64_t diskBytes() const {
        return static_cast<std::uint64_t>(json({QStringLiteral("stats")})["diskBytes"].toInteger());
    }
    void stopEngine() const { ctl({QStringLiteral("engine"), QStringLiteral("stop")}); }

    // A terminal that writes its arguments down and runs the command with `sql` as its input.
    QString makeTerminal(const QString& sql) const {
        const QString program = path(QStringLiteral("terminal"));
        QFile file(program);
        if (!file.open(QIODevice::WriteOnly | QIODevice::Truncate))
            qFatal("the terminal cannot be written");
        file.write(
            QStringLiteral("#!/bin/sh\nrm -f '%1/out' '%1/done'\nprintf '%s\\n' \"$@\" > '%1/argv'\nshift\n"
                           "printf '%s\\n' \"%2\" | \"$@\" > '%1/out' 2>&1\necho $? > '%1/done'\n")
                .arg(m_directory.path(), sql)
                .toUtf8());
        file.close();
        ::chmod(program.toUtf8().constData(), 0755);
        return program;
    }
    QByteArray read(const QString& name) const {
        QFile file(path(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    void forgetTerminal() const {
        for (const char* name : {"argv", "out", "done"})
            QFile::remove(path(QLatin1String(name)));
    }

    // Screenshots are files of the run: <build>/screenshots. `scale`: pixels a point.
    static void shoot(QWidget& widget, const QString& name, int scale = 1) {
        const QString directory = QCoreApplication::applicationDirPath() + QStringLiteral("/../screenshots");
        QDir().mkpath(directory);
        QTest::qWait(0);
        QPixmap picture(widget.size() * scale);
        picture.setDevicePixelRatio(scale);
        widget.render(&picture);
        picture.save(directory + u'/' + name + QStringLiteral(".png"));
    }
    // Both themes, at one and at two pixels a point.
    static void shootAll(QWidget& widget, const QString& name) {
        for (const char* look : {"light", "dark"}) {
            applyAppearance(QLatin1String(look));
            QTest::qWait(0);
            shoot(widget, QStringLiteral("%1-%2").arg(name, QLatin1String(look)));
            shoot(widget, QStringLiteral("%1-%2-2x").arg(name, QLatin1String(look)), 2);
        }
        applyAppearance(QStringLiteral("light"));
    }

  private:
    QTemporaryDir m_directory;
    QString m_stores;
};

// Waits for a condition that events bring about.
#define ARBOR_EVENTUALLY(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, 60'000)

} // namespace arbor
