// The demo: a small bank with a past worth looking at.
#include "app/control/methods.h"
#include "app/engine/json.h"
#include "app/postgres/environment.h"

#include <QProcess>

namespace arbor {

namespace {

// Runs a program of PostgreSQL against a branch and waits for it.
class BankClerk {
  public:
    BankClerk(Service::Connection connection, Job& job) : m_connection(std::move(connection)), m_job(job) {}

    Status run(const char* program, const QStringList& arguments, double fraction, const QString& doing) {
        if (m_job.cancelRequested())
            return makeError(ErrorKind::Cancelled, "cancelled");
        m_job.progress(fraction, doing);
        QProcess process;
        QProcessEnvironment environment;
        for (const std::string& entry : serverEnvironment())
            environment.insert(text(entry.substr(0, entry.find('='))),
                               text(entry.substr(entry.find('=') + 1)));
        environment.insert("PGHOST", text(m_connection.socketDirectory));
        environment.insert("PGPORT", QString::number(m_connection.port));
        environment.insert("PGUSER", "postgres");
        environment.insert("PGDATABASE", "postgres");
        process.setProcessEnvironment(environment);
        process.setProcessChannelMode(QProcess::MergedChannels);
        process.start(text(m_connection.pgBin) + "/" + program, arguments);
        if (!process.waitForStarted(-1))
            return makeError(ErrorKind::NotFound,
                             "the demo could not be filled: {}/{} could not be started: {}",
                             m_connection.pgBin, program, process.errorString().toStdString());
        process.closeWriteChannel();
        if (!process.waitForFinished(-1) || process.exitStatus() != QProcess::NormalExit ||
            process.exitCode() != 0)
            return makeError(ErrorKind::Io, "the demo could not be filled: {} said: {}", program,
                             process.readAll().trimmed().toStdString());
        return {};
    }
    Status sql(const char* statements, double fraction, const QString& doing) {
        return run("psql", {"-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statements}, fraction, doing);
    }
    Status work(int transactions, double fraction, const QString& doing) {
        return run("pgbench", {"-n", "-c", "2", "-t", QString::number(transactions)}, fraction, doing);
    }

  private:
    const Service::Connection m_connection;
    Job& m_job;
};

const Caller demoCaller{"demo", "init --demo"};

Status checkpointHere(Service& service, const BranchRecord& branch, const char* name) {
    ARBOR_ASSIGN(const TimelinePoint head, service.engine().headPoint(branch));
    ARBOR_TRY(service.engine().createCheckpoint(
        {"demo", fmt::format("checkpoint create {} --branch {}", name, branch.name)}, branch.id, name, head));
    return {};
}

Result<BranchRecord> branchHere(Service& service, const BranchRecord& parent, const char* name,
                                const TimelinePoint& at) {
    Engine::BranchSpec spec;
    spec.name = name;
    spec.parent = parent.id;
    spec.from = at;
    ARBOR_ASSIGN(BranchRecord made,
                 service.engine().createBranch(
                     {"demo", fmt::format("branch create {} --from {}", name, parent.name)}, spec));
    (void)service.ensurePort(made.id, made.port);
    return made;
}

} // namespace

Status Service::makeDemo(Job& job) {
    ARBOR_ASSIGN(const BranchRecord main,
                 m_engine->catalog([](const Catalog& c) { return c.branch("main"); }));
    job.progress(0.1, QStringLiteral("starting main"));
    ARBOR_TRY(startBranch(main));
    ARBOR_ASSIGN(const Connection connection, connectionOf(main));
    BankClerk clerk(connection, job);
    ARBOR_TRY(clerk.run("pgbench", {"-q", "-i", "-s", "1"}, 0.2, "opening a bank with 100,000 accounts"));
    ARBOR_TRY(clerk.sql(
        "CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, city text);"
        "INSERT INTO customers SELECT n, 'Customer ' || n, (ARRAY['Aarhus','Bergen','Turku'])[1 + n % 3]"
        " FROM generate_series(1, 1000) n;"
        "COMMENT ON TABLE customers IS 'dropped by mistake: look at it just before the DROP TABLE'",
        0.35, "entering the customers"));
    ARBOR_TRY(checkpointHere(*this, main, "opening-day"));
    ARBOR_TRY(clerk.work(300, 0.4, "the first week"));
    ARBOR_TRY(checkpointHere(*this, main, "first-week"));
    ARBOR_ASSIGN(const TimelinePoint firstWeek, m_engine->headPoint(main));
    ARBOR_ASSIGN(const BranchRecord audit, branchHere(*this, main, "audit", firstWeek));
    ARBOR_TRY(clerk.sql("SELECT pg_create_restore_point('quarter-closed')", 0.5, "closing the quarter"));
    ARBOR_TRY(clerk.work(300, 0.55, "the second week"));
    ARBOR_ASSIGN(const TimelinePoint secondWeek, m_engine->headPoint(main));
    ARBOR_ASSIGN(const BranchRecord dev, branchHere(*this, main, "dev", secondWeek));

    job.progress(0.6, QStringLiteral("a migration on dev"));
    ARBOR_TRY(startBranch(dev));
    ARBOR_ASSIGN(const Connection devConnection, connectionOf(dev));
    BankClerk developer(devConnection, job);
    ARBOR_TRY(developer.sql(
        "ALTER TABLE pgbench_accounts ADD COLUMN iban text;"
        "UPDATE pgbench_accounts SET iban = 'DK' || lpad(aid::text, 16, '0') WHERE aid <= 20000",
        0.65, "a migration on dev"));
    ARBOR_TRY(developer.work(100, 0.75, "trying it"));

    ARBOR_TRY(checkpointHere(*this, main, "before-the-mistake"));
    ARBOR_TRY(clerk.sql("DROP TABLE customers", 0.8, "a mistake"));
    ARBOR_TRY(clerk.work(300, 0.85, "the third week"));
    ARBOR_TRY(stopBranch(dev, Endpoint::StopMode::Fast));
    job.progress(1, QStringLiteral("done"));
    return m_engine->sync();
}

} // namespace arbor
