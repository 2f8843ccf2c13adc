// A server with one of everything that an import meets, and what must hold of a branch that came from it.
#pragma once

#include "import_support.h"

namespace arbor::import_test {

inline constexpr const char* archivedHere = "archive_mode = on\n"
                                            "archive_command = 'cp %p %1/archive/%f'\n"
                                            "wal_level = logical\n"
                                            "max_prepared_transactions = 10\n"
                                            "max_wal_senders = 10\n"
                                            "shared_buffers = 32MB\n"
                                            "include_dir '%1/conf.d'\n"
                                            "synchronous_standby_names = ''\n";

// Several databases, tablespaces, large objects, unlogged tables, a prepared transaction, extensions, a slot,
// a subscription, configuration outside.
class RichServer : public PlainServer {
  public:
    RichServer(const QString& root, const QString& name, const QString& superuser = "postgres")
        : PlainServer(root, name), m_root(root), m_superuser(superuser) {}

    bool make(const QStringList& options = {"--data-checksums"}) {
        for (const char* folder : {"archive", "conf.d", "ts-fast", "ts-slow"})
            if (!asServer("mkdir", {"-p", m_root + "/" + folder}).out.isEmpty())
                return false;
        if (!initialize(QStringList{"-U", m_superuser, "--locale=C.UTF-8"} + options))
            return false;
        configure(QString(archivedHere).arg(m_root));
        QFile extra(m_root + "/conf.d/extra.conf");
        if (!extra.open(QIODevice::WriteOnly) ||
            extra.write(
                "work_mem = '7MB' # from outside\nshared_preload_libraries = 'pg_stat_statements'\n") < 0)
            return false;
        extra.close();
        return start() && fill();
    }
    Way own() const { return way(m_superuser); }

  private:
    bool fill() {
        const QString made = sql(own(), "template1",
                                 QString("SET synchronous_commit = local;"
                                         "CREATE ROLE seller LOGIN PASSWORD 'secret';"
                                         "CREATE TABLESPACE fast LOCATION '%1/ts-fast';")
                                         .arg(m_root) +
                                     QString("\nCREATE TABLESPACE slow LOCATION '%1/ts-slow';").arg(m_root) +
                                     "\nCREATE DATABASE shop OWNER seller;\nCREATE DATABASE \"Ünï db\" "
                                     "TEMPLATE template0 LC_COLLATE 'C' "
                                     "LC_CTYPE 'C';\nCREATE DATABASE apart TABLESPACE slow;\n"
                                     "CREATE DATABASE swedish TEMPLATE template0 LOCALE_PROVIDER icu "
                                     "ICU_LOCALE 'sv-SE';\n");
        const QString filled =
            sql(own(), "shop",
                "CREATE EXTENSION hstore; CREATE EXTENSION pg_trgm; CREATE EXTENSION bloom; CREATE EXTENSION "
                "btree_gist; CREATE EXTENSION citext; CREATE EXTENSION ltree; CREATE EXTENSION pgcrypto;"
                "CREATE EXTENSION postgres_fdw; CREATE EXTENSION pg_stat_statements;"
                "CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '1');"
                "CREATE TABLE goods (id int PRIMARY KEY, name text, tags hstore);"
                "INSERT INTO goods SELECT n, 'thing ' || md5(n::text), hstore('n', n::text) FROM "
                "generate_series(1, 20000) n;"
                "CREATE INDEX ON goods USING gin (name gin_trgm_ops) TABLESPACE fast;"
                "CREATE INDEX ON goods USING bloom (id); CREATE INDEX ON goods USING gist (id);"
                "CREATE TABLE places (path ltree, name citext PRIMARY KEY);"
                "INSERT INTO places SELECT ('a.b' || n)::ltree, 'Place ' || n FROM generate_series(1, 300) n;"
                "CREATE INDEX ON places USING gist (path);"
                "CREATE TABLE elsewhere (id int, t text) TABLESPACE fast;"
                "INSERT INTO elsewhere SELECT n, repeat('x', n % 3000) FROM generate_series(1, 5000) n;"
                "CREATE UNLOGGED TABLE fleeting AS SELECT n FROM generate_series(1, 1000) n;"
                "CREATE TABLE toasted (t text); INSERT INTO toasted SELECT string_agg(md5(n::text), '') FROM "
                "generate_series(1, 20000) n;"
                "SELECT lo_from_bytea(4711, convert_to(repeat('large object ', 10000), 'UTF8'));"
                "CREATE SEQUENCE counter; SELECT nextval('counter') FROM generate_series(1, 42);"
                "CREATE PUBLICATION everything FOR ALL TABLES;"
                "CREATE SUBSCRIPTION incoming CONNECTION 'host=127.0.0.1 port=1 dbname=nowhere' PUBLICATION "
                "everything"
                " WITH (connect = false);");
        const QString rest =
            sql(own(), "Ünï db",
                "CREATE TABLE t AS SELECT n, chr(228 + n % 20) c FROM generate_series(1, 500) n") +
            sql(own(), "swedish",
                "CREATE TABLE names (name text PRIMARY KEY);"
                "INSERT INTO names SELECT chr(x) || n FROM unnest(ARRAY[97, 122, 228, 229, 246]) x,"
                " generate_series(1, 200) n") +
            sql(own(), "apart", "CREATE TABLE t AS SELECT n FROM generate_series(1, 500) n") +
            sql(own(), "shop", "ALTER SUBSCRIPTION incoming ENABLE") +
            sql(own(), "postgres", "SELECT pg_create_physical_replication_slot('held', true)") +
            sql(own(), "shop",
                "BEGIN; INSERT INTO goods VALUES (-1, 'prepared', ''); PREPARE TRANSACTION 'open'");
        for (const QString& answer : {made, filled, rest})
            if (answer.contains("ERROR")) {
                qWarning() << answer;
                return false;
            }
        return true;
    }

    const QString m_root;
    const QString m_superuser;
};

inline QStringList archived(const QString& place) {
    return QDir(place + "/archive").entryList(QDir::Files);
}

// Tests with a new store each.
class StoreTest : public QObject {
    Q_OBJECT
  protected:
    std::unique_ptr<Store> m_store;

    // What must hold of every branch that came from the rich server.
    void checkQuiet(const Way& branch) {
        QCOMPARE(sql(branch, "postgres", "SHOW archive_mode"), QString("off"));
        QCOMPARE(sql(branch, "postgres", "SHOW work_mem"), QString("7MB"));
        QCOMPARE(sql(branch, "postgres", "SELECT count(*) FROM pg_replication_slots"), QString("0"));
        QCOMPARE(sql(branch, "shop", "SELECT subenabled FROM pg_subscription"), QString("f"));
        QCOMPARE(sql(branch, "postgres", "SELECT gid FROM pg_prepared_xacts"), QString("open"));
        QCOMPARE(sql(branch, "postgres", "SHOW shared_preload_libraries"), QString("pg_stat_statements"));
        const QStringList before = archived(m_store->place());
        QVERIFY(!sql(branch, "postgres", "SELECT pg_switch_wal()").contains("ERROR"));
        QCOMPARE(archived(m_store->place()), before);
        QCOMPARE(sql(branch, "swedish",
                     "SELECT string_agg(left(name, 1), '' ORDER BY name) FROM names "
                     "WHERE name ~ '^.1$'"),
                 QString("azåäö"));
        const Outcome checked = amcheck(branch);
        QVERIFY2(checked.code == 0, qPrintable(checked.out + checked.err));
        const QString inside =
            sql(branch, "shop",
                "SELECT string_agg(DISTINCT pg_tablespace_location(oid), ' ') FROM pg_tablespace"
                " WHERE spcname IN ('fast', 'slow')");
        QVERIFY2(!inside.contains(m_store->place()), qPrintable(inside));
    }
    void compare(const QString& branch, const QString& expected, bool unlogged = true) {
        const QString found = contents(m_store->start(branch), unlogged);
        if (found != expected)
            qWarning().noquote() << "expected\n" << expected << "\nfound\n" << found;
        QVERIFY(found == expected);
    }

  private slots:
    void initTestCase() {
        if (!serversCanRun())
            QSKIP("needs PostgreSQL and /dev/fuse");
    }
    void init() {
        m_store = std::make_unique<Store>();
        const Outcome made = m_store->ctl({"init"});
        QVERIFY2(made.code == 0, qPrintable(made.err));
    }
    void cleanup() { m_store.reset(); }
};

} // namespace arbor::import_test
