#include "storage/wal/crc32c.h"
#include "storage/wal/wal_segments.h"

#include <QtTest>

using namespace arbor;

class WalTest : public QObject {
    Q_OBJECT
  private slots:
    void checksumsAreCastagnolis() {
        QCOMPARE(Crc32c().add("123456789", 9).finish(), 0xE3069283u);
        QCOMPARE(~crc32cByTable(0xFFFFFFFFu, "123456789", 9), 0xE3069283u);
    }
};

QTEST_GUILESS_MAIN(WalTest)
#include "wal_test.moc"
