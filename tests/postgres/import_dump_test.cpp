// Dumps come in: of every format, whole clusters, and with errors that are told and not hidden.
#include "import_support.h"

using namespace arbor::import_test;

class ImportDumpTest : public QObject {
    Q_OBJECT
    std::unique_ptr<Store> m_store;
    std::unique_ptr<PlainServer> m_source;

    QString place(const QString& name) const { return m_store->place() + "/" + name; }
    bool dump(const QString& program, const QStringList& words) {
        const Outcome outcome = asServer(program, words + m_source->way().words());
        if (outcome.code != 0)
            qWarning() << outcome.err;
        return outcome.code == 0;
    }

  private slots:
    void initTestCase() {
        if (!serversCanRun())
            QSKIP("needs PostgreSQL and /dev/fuse");
        m_store = std::make_unique<Store>();
        const Outcome made = m_store->ctl({"init"});
        QVERIFY2(made.code == 0, qPrintable(made.err));
        m_source = std::make_unique<PlainServer>(m_store->place(), "source");
        QVERIFY(m_source->initialize({"-U", "postgres", "--locale=C.UTF-8"}));
        QVERIFY(m_source->start());
        QVERIFY(!sql(m_source->way(), "postgres",
                     "CREATE ROLE seller LOGIN PASSWORD 'secret';\nCREATE DATABASE shop OWNER seller;")
                     .contains("ERROR"));
        for (const QString name : {"fast", "slow"})
            QVERIFY(asServer("mkdir", {place("ts-" + name)}).code == 0);
        QVERIFY(!sql(m_source->way(), "postgres",
                     QString("CREATE TABLESPACE \"fast one\" LOCATION '%1';\nCREATE TABLESPACE slow LOCATION "
                             "'%2';\nCREATE DATABASE apart TABLESPACE slow;\n")
                         .arg(place("ts-fast"), place("ts-slow")))
                     .contains("ERROR"));
        QVERIFY(!sql(m_source->way(), "apart",
                     "CREATE TABLE t TABLESPACE \"fast one\" AS SELECT generate_series(1, 300) n")
                     .contains("ERROR"));
        QVERIFY(!sql(m_source->way(), "shop",
                     "CREATE EXTENSION hstore;"
                     "CREATE TABLE goods (id serial PRIMARY KEY, name text, tags hstore);"
                     "ALTER TABLE goods OWNER TO seller;"
                     "INSERT INTO goods (name, tags) SELECT md5(n::text), hstore('n', n::text) FROM "
                     "generate_series(1, 20000) n;"
                     "CREATE INDEX ON goods (name); CREATE VIEW v AS SELECT count(*) FROM goods;"
                     "CREATE TABLE parts (id int REFERENCES goods, t text); INSERT INTO parts SELECT n, 'p' "
                     "FROM generate_series(1, 900) n;"
                     "SELECT lo_from_bytea(4711, 'blob');")
                     .contains("ERROR"));
    }
    void cleanupTestCase() {
        m_source.reset();
        m_store.reset();
    }

    void everyFormatOfADumpComesIn_data() {
        QTest::addColumn<QStringList>("options");
        QTest::newRow("custom") << QStringList{"-Fc"};
        QTest::newRow("directory") << QStringList{"-Fd", "-j", "2"};
        QTest::newRow("tar") << QStringList{"-Ft"};
        QTest::newRow("plain") << QStringList{"-Fp", "-C", "--no-owner"};
    }
    void everyFormatOfADumpComesIn() {
        QFETCH(QStringList, options);
        const QString name = QTest::currentDataTag();
        const QString file = place("dump-" + name);
        QVERIFY(dump("pg_dump", options + QStringList{"-f", file, "-d", "shop"}));
        const Outcome imported = m_store->ctl({"import", "--dump", file, name});
        QVERIFY2(imported.code == 0, qPrintable(imported.err + imported.out));
        QCOMPARE(imported.json().value("errorCount").toInt(), 0);
        const Way branch = m_store->start(name);
        for (const char* question : {"SELECT count(*), md5(string_agg(g::text, '' ORDER BY id)) FROM goods g",
                                     "SELECT count(*) FROM parts JOIN goods USING (id)", "SELECT * FROM v",
                                     "SELECT nextval('goods_id_seq')", "SELECT lo_get(4711)"})
            QCOMPARE(sql(branch, "shop", question), sql(m_source->way(), "shop", question));
        if (name != "plain")
            QCOMPARE(sql(branch, "shop", "SELECT tableowner FROM pg_tables WHERE tablename = 'goods'"),
                     QString("seller"));
        sql(m_source->way(), "shop", "SELECT setval('goods_id_seq', 20000)");
        QCOMPARE(m_store->ctl({"stop", name}).code, 0);
    }

    void aWholeClustersScriptComesInAndTheBranchStaysOurs() {
        QVERIFY(!sql(m_source->way(), "postgres", "ALTER ROLE postgres PASSWORD 'theirs'").contains("ERROR"));
        QVERIFY(dump("pg_dumpall", {"-f", place("cluster.sql")}));
        const QString expected = contents(m_source->way());
        const Outcome imported = m_store->ctl({"import", "--dump", place("cluster.sql"), "cluster"});
        QVERIFY2(imported.code == 0, qPrintable(imported.err + imported.out));
        QCOMPARE(contents(m_store->start("cluster")), expected);
        // over TCP the store's password counts, not the one in the script
        const QString url = m_store->ctl({"url", "cluster", "--tcp"}).json().value("url").toString();
        QVERIFY(!url.isEmpty());
        QCOMPARE(asServer("psql", {"-X", "-w", "-At", "-d", url, "-c", "SELECT 1"}).out.trimmed(),
                 QString("1"));
    }

    // A database's dump names tablespaces and does not hold them; a cluster's script would make them outside.
    void tablespacesLieInside() {
        QVERIFY(dump("pg_dump", {"-Fc", "-f", place("apart.dump"), "-d", "apart"}));
        QVERIFY(dump("pg_dump", {"-Fp", "-C", "-f", place("plain.sql"), "-d", "apart"}));
        QVERIFY(dump("pg_dumpall", {"-f", place("cluster.sql")}));
        const QStringList before = QDir(place("ts-fast")).entryList() + QDir(place("ts-slow")).entryList();
        for (const QString name : {"cluster.sql", "apart.dump", "plain.sql"}) {
            const QString branch = "spaces-" + name.section('.', 0, 0);
            const Outcome imported = m_store->ctl({"import", "--dump", place(name), branch});
            QVERIFY2(imported.code == 0, qPrintable(imported.err + imported.out));
            QCOMPARE(imported.json().value("errorCount").toInt(), 0);
            QVERIFY2(imported.report().contains("tablespace fast one lies inside"),
                     qPrintable(imported.report()));
            const Way way = m_store->start(branch);
            QCOMPARE(sql(way, "apart", "SELECT count(*) FROM t"), QString("300"));
            QCOMPARE(sql(way, "apart",
                         "SELECT spcname, pg_tablespace_location(oid) LIKE 'pg_tblspc/%' FROM pg_tablespace"
                         " WHERE spcname IN ('fast one', 'slow') ORDER BY 1"),
                     QString("fast one|t\nslow|t"));
            // a sort that does not fit into memory
            QCOMPARE(
                sql(way, "apart",
                    "SET work_mem = '64kB'; SELECT count(*) FROM (SELECT n FROM generate_series(1, 50000) n"
                    " ORDER BY md5(n::text)) s"),
                QString("50000"));
            QCOMPARE(m_store->ctl({"stop", branch}).code, 0);
        }
        QCOMPARE(QDir(place("ts-fast")).entryList() + QDir(place("ts-slow")).entryList(), before);
    }

    void aDumpForADatabaseOfAnotherName() {
        QVERIFY(dump("pg_dump", {"-Fc", "-f", place("renamed.dump"), "-d", "shop"}));
        const Outcome imported =
            m_store->ctl({"import", "--dump", place("renamed.dump"), "renamed", "--database", "market"});
        QVERIFY2(imported.code == 0, qPrintable(imported.err + imported.out));
        QCOMPARE(sql(m_store->start("renamed"), "market", "SELECT count(*) FROM goods"), QString("20000"));
    }

    void errorsOfARestoreAreToldAndTheRestStays() {
        QFile script(place("faulty.sql"));
        QVERIFY(script.open(QIODevice::WriteOnly));
        script.write("CREATE TABLE good (n int);\nINSERT INTO good VALUES (1);\nSELECT * FROM absent;\n"
                     "CREATE TABLE better (n nosuchtype);\nINSERT INTO good VALUES (2);\n");
        script.close();
        const Outcome imported = m_store->ctl({"import", "--dump", script.fileName(), "faulty"});
        QCOMPARE(imported.code, 1);
        QCOMPARE(imported.json().value("errorCount").toInt(), 2);
        QVERIFY(imported.json().value("errors").toArray().at(0).toString().contains("absent"));
        QCOMPARE(sql(m_store->start("faulty"), "postgres", "SELECT sum(n) FROM good"), QString("3"));
    }

    void whatIsNoDumpIsRefusedBeforeAClusterIsMade() {
        const QStringList before = m_store->leftOvers();
        const auto refused = [&](const QString& path, int code, const char* said) {
            const Outcome outcome = m_store->ctl({"import", "--dump", path, "odd"});
            QVERIFY2(outcome.code == code && outcome.message().contains(said),
                     qPrintable(QString::number(outcome.code) + " " + outcome.message()));
        };
        const auto write = [&](const QString& name, const QByteArray& bytes) {
            QFile file(place(name));
            if (file.open(QIODevice::WriteOnly))
                file.write(bytes);
            return place(name);
        };
        refused("/nowhere.dump", 3, "there is no file");
        refused(m_source->data(), 2, "it is a data directory");
        refused(write("packed.sql.gz", QByteArray("\x1f\x8b\x08\x00", 4)), 1, "decompress");
        refused(write("noise", QByteArray("ab\0cd", 5)), 2, "neither an archive");
        refused(write("torn.dump", "PGDMP\x01\x0e"), 2, "cannot be restored");
        QCOMPARE(m_store->leftOvers(), before);
        QVERIFY(!m_store->branches().contains("odd"));
    }
};

QTEST_GUILESS_MAIN(ImportDumpTest)
#include "import_dump_test.moc"
#include "moc_import_rich.cpp"
