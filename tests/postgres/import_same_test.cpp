// A branch that came from a server under load holds what the server itself held at that very point, table by
// table.
#include "import_rich.h"

#include <QRegularExpression>

using namespace arbor::import_test;

namespace {

QStringList segmentsIn(const QString& directory) {
    static const QRegularExpression segment("^[0-9A-F]{24}$");
    return QDir(directory).entryList(QDir::Files, QDir::Name).filter(segment);
}

// Where two logs that began as one part: the position of the first byte that differs; -1 when none does.
qint64 partAt(const QString& one, const QString& other) {
    constexpr qint64 segmentBytes = 16 << 20;
    for (const QString& name : segmentsIn(one)) {
        QFile first(one + "/" + name);
        QFile second(other + "/" + name);
        if (!second.open(QIODevice::ReadOnly) || !first.open(QIODevice::ReadOnly))
            continue;
        const QByteArray a = first.readAll();
        const QByteArray b = second.readAll();
        const auto differs = std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first;
        if (differs != a.end()) {
            const qint64 number =
                name.mid(8, 8).toLongLong(nullptr, 16) * 256 + name.right(8).toLongLong(nullptr, 16);
            return number * segmentBytes + std::distance(a.begin(), differs);
        }
    }
    return -1;
}

QString lsnText(qint64 position) {
    return QString("%1/%2").arg(position >> 32, 0, 16).arg(position & 0xFFFFFFFF, 0, 16);
}

} // namespace

class ImportSameTest : public StoreTest {
    Q_OBJECT

    // pgbench on the database apart until it is stopped.
    static std::unique_ptr<QProcess> load(const Way& way) {
        auto process = std::make_unique<QProcess>();
        process->start(pgBin() + "/pgbench",
                       QStringList{"-n", "-c", "2", "-T", "120", "apart"} + way.words());
        return process->waitForStarted() ? std::move(process) : nullptr;
    }
    static bool makeBank(const Way& way) {
        return asServer("pgbench", QStringList{"-i", "-s", "2", "-q", "-d", "apart"} + way.words()).code == 0;
    }
    void compareWithFork(const QString& branch, const QString& expected) {
        compare(branch, expected, false);
        QCOMPARE(m_store->ctl({"branch", "create", branch + "-fork", "--from", branch}).code, 0);
        compare(branch + "-fork", expected, false);
        checkQuiet(m_store->start(branch + "-fork"));
    }

  private slots:
    // The source's own state at the point is what a plain backup of it, taken earlier, recovers to there.
    void aLiveServerAtThePointWhereItsLogWasCut() {
        RichServer source(m_store->place(), "source");
        QVERIFY(source.make());
        QVERIFY(makeBank(source.way()));
        QVERIFY(!sql(source.way(), "postgres", "ALTER SYSTEM SET wal_keep_size = '8GB'").contains("ERROR"));
        QVERIFY(!sql(source.way(), "postgres", "SELECT pg_reload_conf()").contains("ERROR"));
        PlainServer then(m_store->place(), "then");
        const QStringList tablespaces{"-T", m_store->place() + "/ts-fast=" + m_store->place() + "/then-fast",
                                      "-T", m_store->place() + "/ts-slow=" + m_store->place() + "/then-slow"};
        QCOMPARE(asServer("pg_basebackup", QStringList{"-D", then.data(), "-X", "fetch", "-c", "fast"} +
                                               tablespaces + source.way().words())
                     .code,
                 0);
        const auto bench = load(source.way());
        QVERIFY(bench);
        QTRY_VERIFY(sql(source.way(), "apart", "SELECT count(*) > 200 FROM pgbench_history") == "t");
        const Outcome imported = m_store->ctl({"import", "--from", source.url(), "live"});
        QVERIFY2(imported.code == 0, qPrintable(imported.err));
        // some more log behind the point
        const int transactions = sql(source.way(), "apart", "SELECT count(*) FROM pgbench_history").toInt();
        QTRY_VERIFY(sql(source.way(), "apart", "SELECT count(*) FROM pgbench_history").toInt() >
                    transactions + 100);
        bench->terminate();
        bench->waitForFinished();

        const QString timeline =
            m_store->ctl({"branch", "show", "live"}).json().value("timeline").toVariant().toString();
        const qint64 parted = partAt(m_store->path() + "/wal/" + timeline, source.data() + "/pg_wal");
        QVERIFY(parted > 0);
        // The record that only one of them has begins less than the length of a record's head before the
        // first byte that differs, and no record that both have does.
        constexpr qint64 recordHead = 24;
        then.configure(QString("restore_command = 'cp %1/pg_wal/%f %p'\narchive_mode = off\n"
                               "recovery_target_lsn = '%2'\nrecovery_target_inclusive = off\n"
                               "recovery_target_action = promote\nport = 1\n")
                           .arg(source.data(), lsnText(parted - recordHead + 1)));
        QVERIFY(asServer("touch", {then.data() + "/recovery.signal"}).code == 0);
        QVERIFY(then.start("-c max_logical_replication_workers=0"));
        QTRY_COMPARE(sql(then.way(), "postgres", "SELECT pg_is_in_recovery()"), QString("f"));
        QVERIFY2(then.log().contains("recovery stopping before WAL location"), qPrintable(then.log()));
        compareWithFork("live", contents(then.way(), false));
    }

    // Its server was killed while pgbench ran; it recovers itself to the same.
    void aDirectoryThatCrashedUnderLoad() {
        RichServer source(m_store->place(), "source");
        QVERIFY(source.make({}));
        QVERIFY(makeBank(source.way()));
        // a tablespace that is made again by the recovery would be made outside
        QVERIFY(!sql(source.way(), "postgres", "CHECKPOINT").contains("ERROR"));
        const auto bench = load(source.way());
        QVERIFY(bench);
        QTRY_VERIFY(sql(source.way(), "apart", "SELECT count(*) > 500 FROM pgbench_history") == "t");
        QVERIFY(source.stop("immediate"));
        bench->waitForFinished();
        const Outcome imported = m_store->ctl({"import", source.data(), "crashed"});
        QVERIFY2(imported.code == 0, qPrintable(imported.err));
        QVERIFY(source.start());
        compareWithFork("crashed", contents(source.own(), false));
    }

    // A dump is of a snapshot, which its session goes on to see.
    void aDumpThatWasTakenUnderLoad() {
        RichServer source(m_store->place(), "source");
        QVERIFY(source.make());
        QVERIFY(makeBank(source.way()));
        const auto bench = load(source.way());
        QVERIFY(bench);
        QTRY_VERIFY(sql(source.way(), "apart", "SELECT count(*) > 200 FROM pgbench_history") == "t");
        const QString file = m_store->place() + "/apart.dump";
        QString sums;
        for (const char* table : {"accounts", "branches", "tellers", "history"})
            sums +=
                QString("SELECT count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM pgbench_%1 t;\n")
                    .arg(table);
        QString expected =
            sql(source.way(), "apart",
                QString("BEGIN ISOLATION LEVEL REPEATABLE READ;\n"
                        "SELECT pg_export_snapshot() AS snapshot \\gset\n"
                        "\\setenv SNAPSHOT :snapshot\n"
                        "\\! %1/pg_dump -Fc --snapshot=$SNAPSHOT -f %2 -h %3 -p %4 -U postgres apart\n")
                        .arg(pgBin(), file, source.way().host)
                        .arg(source.way().port) +
                    sums + "COMMIT;\n");
        bench->terminate();
        bench->waitForFinished();
        QVERIFY2(!expected.contains("ERROR") && QFileInfo::exists(file), qPrintable(expected));
        const Outcome imported = m_store->ctl({"import", "--dump", file, "dumped"});
        QVERIFY2(imported.code == 0, qPrintable(imported.err + imported.out));
        QCOMPARE(sql(m_store->start("dumped"), "apart", sums), expected);
        QCOMPARE(m_store->ctl({"branch", "create", "fork", "--from", "dumped"}).code, 0);
        QCOMPARE(sql(m_store->start("fork"), "apart", sums), expected);
        QCOMPARE(amcheck(m_store->start("fork")).code, 0);
    }

    // Several segment files: pages with one row each, and the rest of them empty.
    void aTableOfTwoGigabytes() {
        PlainServer source(m_store->place(), "source");
        QVERIFY(source.initialize({"-U", "postgres", "--data-checksums"}));
        QVERIFY(source.start("-c fsync=off -c wal_level=minimal -c max_wal_senders=0"));
        const QString made = sql(source.way(), "postgres",
                                 "CREATE TABLE big WITH (fillfactor = 10, autovacuum_enabled = off) AS"
                                 " SELECT n, repeat('x', 650) || n AS t FROM generate_series(1, 270000) n");
        QVERIFY2(!made.contains("ERROR"), qPrintable(made));
        const QString question = "SELECT pg_relation_size('big') > 2147483648, count(*), sum(n),"
                                 " sum(hashtext(t)) FROM big";
        const QString expected = sql(source.way(), "postgres", question);
        QVERIFY2(expected.startsWith("t|270000|"), qPrintable(expected));
        QVERIFY(source.stop());
        const Outcome stopped = m_store->ctl({"import", source.data(), "stopped"});
        QVERIFY2(stopped.code == 0, qPrintable(stopped.err));
        QCOMPARE(sql(m_store->start("stopped"), "postgres", question), expected);
        QVERIFY(source.start());
        const Outcome live = m_store->ctl({"import", "--from", source.url(), "live"});
        QVERIFY2(live.code == 0, qPrintable(live.err));
        QCOMPARE(m_store->ctl({"branch", "create", "fork", "--from", "live"}).code, 0);
        const Way fork = m_store->start("fork");
        QCOMPARE(sql(fork, "postgres", question), expected);
        QCOMPARE(amcheck(fork).code, 0);
        QVERIFY(source.stop());
        const Outcome exported = m_store->ctl({"export", "live", m_store->place() + "/out"});
        QVERIFY2(exported.code == 0, qPrintable(exported.err));
        const Outcome sums = asServer("pg_checksums", {"--check", "-D", m_store->place() + "/out"});
        QVERIFY2(sums.code == 0, qPrintable(sums.out + sums.err));
        PlainServer outside(m_store->place(), "out");
        QVERIFY(outside.start());
        QCOMPARE(sql(outside.way(), "postgres", question), expected);
    }
};

QTEST_GUILESS_MAIN(ImportSameTest)
#include "import_same_test.moc"
#include "moc_import_rich.cpp"
