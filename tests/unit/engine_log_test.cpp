// The engine's log file: written from when there is a store until the engine leaves it, and closed by then.
#include "app/engine/log.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <spdlog/spdlog.h>

using namespace arbor;

class EngineLogTest : public QObject {
    Q_OBJECT
    QTemporaryDir m_store;

    bool isOpenBelowTheStore() const {
        const QFileInfoList open =
            QDir("/proc/self/fd").entryInfoList(QDir::AllEntries | QDir::System | QDir::NoDotAndDotDot);
        return std::any_of(open.begin(), open.end(), [&](const QFileInfo& descriptor) {
            return descriptor.symLinkTarget().startsWith(m_store.path());
        });
    }
    QByteArray written() const {
        QFile file(m_store.path() + "/log/engine.log");
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }

  private Q_SLOTS:
    void whoIsToldThatTheEngineEndedFindsNothingOpen() {
        openLog();
        logIntoStore(m_store.path().toStdString());
        spdlog::info("while it serves");
        QVERIFY(isOpenBelowTheStore());
        leaveStoreLog();
        QVERIFY(!isOpenBelowTheStore());
        spdlog::info("afterwards");
        QVERIFY(written().contains("while it serves") && !written().contains("afterwards"));
    }
};

QTEST_GUILESS_MAIN(EngineLogTest)
#include "engine_log_test.moc"
