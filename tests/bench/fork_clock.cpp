// The clock of tests/bench/fork: forks a branch again and again through the engine's own protocol, so that no
// process start is in the figures.
//   fork_clock STORE PARENT ROUNDS ack     until branch.create is acknowledged
//   fork_clock STORE PARENT ROUNDS start   until the first query of a fork that is started at once is
//   answered
// Prints the milliseconds of each round, sorted, one a line.
#include "app/control/blocking_client.h"
#include "app/control/methods.h"

#include <QCoreApplication>
#include <QJsonObject>

#include <libpq-fe.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

int fail(const std::string& why) {
    std::fprintf(stderr, "fork_clock: %s\n", why.c_str());
    return 1;
}

bool answersQueries(const std::string& url) {
    PGconn* connection = PQconnectdb(url.c_str());
    PGresult* result = PQexec(connection, "SELECT count(*) FROM pg_class");
    const bool answered = PQresultStatus(result) == PGRES_TUPLES_OK;
    PQclear(result);
    PQfinish(connection);
    return answered;
}

} // namespace

int main(int argc, char** argv) {
    QCoreApplication application(argc, argv);
    if (argc != 5)
        return fail("STORE PARENT ROUNDS ack|start");
    const bool start = std::string(argv[4]) == "start";
    arbor::BlockingClient client(argv[1], "fork_clock");
    if (auto connected = client.connect(); !connected)
        return fail(connected.error().message());
    std::vector<double> times;
    for (int round = 0; round < std::atoi(argv[3]); ++round) {
        const QString name = QString("clock-%1").arg(round);
        const auto begun = Clock::now();
        const auto made =
            client.call(arbor::method::branchCreate, {{"name", name}, {"from", argv[2]}, {"start", start}});
        if (!made)
            return fail(made.error().message());
        if (start) {
            const QJsonObject branch = made->toObject();
            const std::string url = QString("host=%1 port=%2 user=postgres dbname=postgres")
                                        .arg(branch.value("socketDir").toString())
                                        .arg(branch.value("port").toInt())
                                        .toStdString();
            if (!answersQueries(url))
                return fail("the fork does not answer at " + url);
        }
        times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - begun).count());
        if (auto gone = client.call(arbor::method::branchDelete, {{"name", name}}); !gone)
            return fail(gone.error().message());
    }
    std::ranges::sort(times);
    for (const double time : times)
        std::printf("%.2f\n", time);
    return 0;
}
