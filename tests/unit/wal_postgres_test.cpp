// The log reader against pg_waldump, and forks against a real server.
#include "tests/unit/wal_support.h"

#include <QTest>

using namespace arbor;
using namespace waltest;

namespace {

struct Read {
    std::vector<WalRecord> records;
    std::vector<WalEvent> events;
    Lsn end;
    std::string reason;
};

Read readAll(Disk& disk, const std::vector<WalLayer>& layers, const ControlFile& control, Lsn from) {
    WalChain chain(disk, layers, control.segmentSize, control.systemId);
    if (!chain.followTli(control.recoveryTli()))
        qFatal("history");
    WalReader reader(chain, *control.format, control.systemId);
    reader.begin(from);
    Read read;
    for (;;) {
        auto record = reader.next();
        if (!record)
            qFatal("%s", record.error().message().c_str());
        if (!*record)
            break;
        auto event = eventOf(**record, *control.format);
        if (!event)
            qFatal("%s", event.error().message().c_str());
        if (*event)
            read.events.push_back(**event);
        read.records.push_back(**record);
        read.records.back().bytes = {};
    }
    read.end = reader.end();
    read.reason = reader.reason();
    return read;
}

#define COMPARE_WITH_DUMP(read, dump)                                                     \
    do {                                                                                  \
        QCOMPARE((read).records.size(), (dump).records.size());                           \
        for (std::size_t i = 0; i < (read).records.size(); ++i) {                         \
            QCOMPARE((read).records[i].start.value, (dump).records[i].start.value);       \
            QCOMPARE((read).records[i].previous.value, (dump).records[i].previous.value); \
            QCOMPARE((read).records[i].length, (dump).records[i].length);                 \
            QCOMPARE((read).records[i].xid, (dump).records[i].xid);                       \
        }                                                                                 \
    } while (false)

} // namespace

class WalPostgresTest : public QObject {
    Q_OBJECT
  private slots:
    void initTestCase() {
        if (!havePostgres())
            QSKIP("no PostgreSQL server: set PGARBOR_PG_BIN");
    }

    void recordsAreThoseOfPgWaldump_data() {
        QTest::addColumn<QString>("segmentSize");
        QTest::addColumn<QByteArray>("level");
        QTest::newRow("1 MB, replica") << "1" << QByteArray("replica");
        QTest::newRow("16 MB, minimal") << "16" << QByteArray("minimal\nmax_wal_senders = 0");
    }
    void recordsAreThoseOfPgWaldump() {
        QFETCH(QString, segmentSize);
        QFETCH(QByteArray, level);
        TemporaryTree tree;
        Server server(tree, "a", {"--wal-segsize=" + segmentSize},
                      "wal_level = " + level + "\nmax_prepared_transactions = 5\n");
        const Lsn from = server.control().checkpoint;
        QVERIFY(server.start());
        server.sql(
            "create table t (id int primary key, body text);"
            "insert into t select g, repeat('x', g % 300) from generate_series(1, 20000) g;"
            "begin; savepoint a; insert into t values (-1, ''); savepoint b; insert into t values (-2, '');"
            "rollback to b; commit;");
        server.sql("begin; insert into t values (-3, ''); prepare transaction 'one';");
        server.sql("commit prepared 'one';");
        server.sql("begin; insert into t values (-4, ''); prepare transaction 'two';");
        server.sql("rollback prepared 'two';");
        for (int i = 0; i < 4; ++i)
            server.sql("select pg_switch_wal();");
        server.sql("create database d1; ");
        server.sql("create database d2 strategy file_copy;");
        server.sql("drop database d1;");
        if (level == "replica")
            server.sql("select pg_create_restore_point('here');");
        server.sql("checkpoint; update t set body = body || 'y' where id < 3000; drop table t;");
        server.kill();

        PosixDisk disk;
        const ControlFile control = server.control();
        const Read read = readAll(disk, {server.layer()}, control, from);
        const Dump dump = waldump(server.walDirectory(), from);
        qDebug("%zu records; %s; %s", read.records.size(), read.reason.c_str(),
               dump.error.trimmed().constData());
        COMPARE_WITH_DUMP(read, dump);
        QVERIFY2(read.records.size() > 20000, read.reason.c_str());
    }
};

QTEST_GUILESS_MAIN(WalPostgresTest)
#include "wal_postgres_test.moc"
