// metrics: the engine's counters for monitoring. The names follow Prometheus's rules: a unit at the end,
// "_total" for what only grows.
#include "app/control/methods.h"
#include "app/engine/json.h"
#include "app/engine/limits.h"

namespace arbor {

namespace {

class Metrics {
  public:
    void gauge(const char* name, const char* help, double value, QJsonObject labels = {}) {
        add(name, help, "gauge", value, std::move(labels));
    }
    void counter(const char* name, const char* help, double value, QJsonObject labels = {}) {
        add(name, help, "counter", value, std::move(labels));
    }
    QJsonArray take() { return std::move(m_metrics); }

  private:
    void add(const char* name, const char* help, const char* type, double value, QJsonObject labels) {
        m_metrics.append(QJsonObject{
            {"name", name}, {"help", help}, {"type", type}, {"value", value}, {"labels", std::move(labels)}});
    }
    QJsonArray m_metrics;
};

void addSpace(Service& service, const Collector::Accounts& accounts, Metrics& metrics) {
    const GcPlan& plan = accounts.plan;
    const auto kind = [&](const char* name, std::uint64_t bytes) {
        metrics.gauge("pgarbor_store_bytes", "bytes on disk (pages and log) by who needs them",
                      static_cast<double>(bytes), {{"kind", name}});
    };
    kind("private", plan.privateBytes);
    kind("shared", plan.sharedBytes);
    kind("history", plan.historyBytes);
    kind("garbage", plan.garbageBytes + plan.unknownBytes);
    metrics.gauge("pgarbor_reclaimable_bytes", "bytes that a sweep would free now",
                  static_cast<double>(plan.freeBytes));
    metrics.gauge("pgarbor_limit_state", "0: fine, 1: the disk or disk-limit will be full soon, 2: it is",
                  static_cast<double>(limitState(service, accounts).level));
    metrics.gauge("pgarbor_trash_bytes", "bytes that only the trash keeps",
                  static_cast<double>(plan.trashBytes));
    metrics.gauge("pgarbor_wal_bytes", "bytes of log, each file once",
                  static_cast<double>(accounts.logBytes));
    metrics.gauge("pgarbor_index_bytes", "bytes of the index", static_cast<double>(accounts.indexBytes));
    service.engine().catalog([&](const Catalog& catalog) {
        for (const BranchRecord* branch : catalog.branches()) {
            const auto owner = plan.owners.find(branch->id);
            metrics.gauge("pgarbor_branch_private_bytes", "bytes that only this branch's head needs",
                          owner == plan.owners.end() ? 0.0 : static_cast<double>(owner->second.privateBytes),
                          {{"branch", text(branch->name)}});
        }
        return 0;
    });
}

Result<QJsonValue> collect(Service& service) {
    Metrics metrics;
    metrics.gauge("pgarbor_up", "1 while the store takes writes",
                  service.engine().store().health() ? 1.0 : 0.0);
    metrics.gauge(
        "pgarbor_branches", "branches that live",
        static_cast<double>(service.engine().catalog([](const Catalog& c) { return c.branchCount(); })));
    metrics.gauge("pgarbor_servers_running", "servers that answer",
                  static_cast<double>(service.endpoints().runningCount()));
    std::uint64_t written = 0;
    for (const auto& head : service.engine().openHeads())
        written += head->bytesAccepted();
    metrics.counter("pgarbor_images_written_bytes_total",
                    "bytes of page images of the branches that are open, since they were opened",
                    static_cast<double>(written));
    metrics.gauge("pgarbor_page_map_bytes", "memory of the page maps",
                  static_cast<double>(service.engine().store().pageMapStats().chunks.load()) *
                      static_cast<double>(PageMapStats::chunkBytes));
    if (const auto free = service.engine().store().disk().freeBytes(service.engine().directory()))
        metrics.gauge("pgarbor_disk_free_bytes", "free on the file system of the store",
                      static_cast<double>(*free));
    if (const auto accounts = service.accounting().recentAccounts())
        addSpace(service, *accounts, metrics);
    return QJsonValue(QJsonObject{{"metrics", metrics.take()}});
}

} // namespace

void registerMetrics(Service& service) {
    service.onWorker(method::metrics,
                     [&](const QJsonObject&, const RequestContext&) { return collect(service); });
}

} // namespace arbor
