#include "app/control/jobs.h"

#include "app/control/methods.h"

#include <QJsonArray>
#include <QPointer>

namespace arbor {

namespace {
constexpr std::size_t endedJobsKept = 200;
constexpr int progressIntervalMs = 100;
} // namespace

// Shared by the job, which may live in any thread, and the table.
struct Job::State {
    qint64 id = 0;
    QString kind;
    QString title;
    QString client;
    Timestamp startedAt;

    mutable Mutex mutex;
    double fraction ARBOR_GUARDED_BY(mutex) = -1;
    QString text ARBOR_GUARDED_BY(mutex);
    qint64 bytes ARBOR_GUARDED_BY(mutex) = 0;
    bool changed ARBOR_GUARDED_BY(mutex) = true;
    bool cancelRequested ARBOR_GUARDED_BY(mutex) = false;
    std::function<void()> onCancel ARBOR_GUARDED_BY(mutex);
    std::optional<Result<QJsonValue>> result ARBOR_GUARDED_BY(mutex);
    // Written by the table alone when it learns of the end.
    Timestamp finishedAt ARBOR_GUARDED_BY(mutex);
    JobTable* table ARBOR_GUARDED_BY(mutex) = nullptr; // null when the table has gone

    QJsonObject toJson() const ARBOR_EXCLUDES(mutex);
};

QJsonObject Job::State::toJson() const {
    MutexLock lock(mutex);
    QJsonObject json{{"id", id},         {"kind", kind}, {"title", title},
                     {"client", client}, {"text", text}, {"bytes", bytes}};
    json.insert("startedAt", QString::fromStdString(startedAt.toIso()));
    json.insert("finishedAt",
                finishedAt ? QJsonValue(QString::fromStdString(finishedAt.toIso())) : QJsonValue());
    json.insert("fraction", fraction < 0 ? QJsonValue() : QJsonValue(fraction));
    json.insert("error", QJsonValue());
    if (!result) {
        json.insert("state", "running");
    } else if (*result) {
        json.insert("state", "done");
    } else {
        json.insert("state", result->error().kind() == ErrorKind::Cancelled ? "cancelled" : "failed");
        json.insert("error", errorToJson(result->error()));
    }
    return json;
}

Job::Job(std::shared_ptr<State> state) : m_state(std::move(state)) {}

Job::~Job() {
    finish(makeError(ErrorKind::Io, "the job ended without a result; the engine's log may say why"));
}

qint64 Job::id() const {
    return m_state->id;
}

QJsonValue Job::reference() const {
    return QJsonObject{{"job", m_state->id}};
}

void Job::progress(double fraction, const QString& text, qint64 bytes) {
    MutexLock lock(m_state->mutex);
    m_state->fraction = std::min(fraction, 1.0);
    m_state->text = text;
    m_state->bytes = bytes;
    m_state->changed = true;
}

bool Job::cancelRequested() const {
    MutexLock lock(m_state->mutex);
    return m_state->cancelRequested;
}

void Job::onCancel(std::function<void()> callback) {
    {
        MutexLock lock(m_state->mutex);
        if (!m_state->cancelRequested) {
            m_state->onCancel = std::move(callback);
            return;
        }
    }
    callback();
}

void Job::finish(Result<QJsonValue> result) {
    std::function<void()>
        unneeded; // destroyed outside the lock: it may hold the last reference to something big
    MutexLock lock(m_state->mutex);
    if (m_state->result)
        return;
    m_state->result = std::move(result);
    m_state->changed = true;
    if (*m_state->result)
        m_state->fraction = 1.0; // whatever the last report said
    unneeded.swap(m_state->onCancel);
    if (m_state->table)
        QMetaObject::invokeMethod(
            m_state->table, [table = m_state->table] { table->settle(); }, Qt::QueuedConnection);
}

JobTable::JobTable(ControlServer& server, const Clock& clock, QObject* parent)
    : QObject(parent), m_server(server), m_clock(clock) {
    m_ticker.setInterval(progressIntervalMs);
    connect(&m_ticker, &QTimer::timeout, this, &JobTable::settle);
    // The server may be asked once more after we have gone; QPointer guards the calls.
    const QPointer<JobTable> self(this);
    server.handle(method::jobList, [self](const QJsonObject&, const RequestContext&) -> Result<QJsonValue> {
        QJsonArray jobs;
        if (self)
            for (const auto& [id, entry] : self->m_jobs)
                jobs.append(entry.state->toJson());
        return QJsonValue(QJsonObject{{"jobs", jobs}});
    });
    server.handleDeferred(method::jobWait, [self](const QJsonObject& params, const RequestContext&,
                                                  const ResponderPtr& responder) {
        if (self)
            self->wait(params.value("id").toInteger(-1), responder);
    });
    server.handle(method::jobCancel,
                  [self](const QJsonObject& params, const RequestContext&) -> Result<QJsonValue> {
                      if (!self)
                          return makeError(ErrorKind::Cancelled, "the engine is about to end");
                      return self->cancel(params.value("id").toInteger(-1));
                  });
}

JobTable::~JobTable() {
    for (auto& [id, entry] : m_jobs) {
        MutexLock lock(entry.state->mutex);
        entry.state->table = nullptr;
    }
}

JobPtr JobTable::start(const QString& kind, const QString& title, const RequestContext& context) {
    auto state = std::make_shared<Job::State>();
    state->id = ++m_lastId;
    state->kind = kind;
    state->title = title;
    state->client = context.client;
    state->startedAt = m_clock.now();
    {
        MutexLock lock(state->mutex);
        state->table = this;
    }
    m_jobs.emplace(state->id, Entry{state, {}});
    forgetOld();
    m_ticker.start();
    return std::make_shared<Job>(std::move(state));
}

int JobTable::runningCount() const {
    int count = 0;
    for (const auto& [id, entry] : m_jobs) {
        MutexLock lock(entry.state->mutex);
        count += entry.state->result ? 0 : 1;
    }
    return count;
}

void JobTable::cancelAll() {
    std::vector<std::shared_ptr<Job::State>> states;
    for (const auto& [id, entry] : m_jobs)
        states.push_back(entry.state);
    for (const auto& state : states)
        cancelOne(state);
}

void JobTable::wait(qint64 id, const ResponderPtr& responder) {
    const auto found = m_jobs.find(id);
    if (found == m_jobs.end()) {
        responder->answer(
            makeError(ErrorKind::NotFound, "no job {}; pgarborctl job list shows those there are", id));
        return;
    }
    found->second.waiting.push_back(responder);
    settle();
}

Result<QJsonValue> JobTable::cancel(qint64 id) {
    const auto found = m_jobs.find(id);
    if (found == m_jobs.end())
        return makeError(ErrorKind::NotFound, "no job {}; pgarborctl job list shows those there are", id);
    const auto state = found->second.state;
    cancelOne(state);
    return QJsonValue(state->toJson());
}

void JobTable::cancelOne(const std::shared_ptr<Job::State>& state) {
    std::function<void()> callback;
    {
        MutexLock lock(state->mutex);
        if (state->result || state->cancelRequested)
            return;
        state->cancelRequested = true;
        callback.swap(state->onCancel);
    }
    if (callback)
        callback();
}

void JobTable::settle() {
    bool running = false;
    for (auto& [id, entry] : m_jobs) {
        std::optional<Result<QJsonValue>> result;
        bool changed = false;
        {
            MutexLock lock(entry.state->mutex);
            result = entry.state->result;
            changed = std::exchange(entry.state->changed, false);
            if (result && !entry.state->finishedAt)
                entry.state->finishedAt = m_clock.now();
        }
        if (changed)
            m_server.publish(event::job, entry.state->toJson());
        running |= !result;
        if (result)
            for (const ResponderPtr& responder : std::exchange(entry.waiting, {}))
                responder->answer(*result);
    }
    if (!running)
        m_ticker.stop();
}

void JobTable::forgetOld() {
    std::size_t ended = 0;
    for (auto entry = m_jobs.rbegin(); entry != m_jobs.rend(); ++entry) {
        const auto state = entry->second.state; // outlives the lock, though not the entry
        MutexLock lock(state->mutex);
        if (!state->result || ++ended <= endedJobsKept)
            continue;
        m_jobs.erase(std::next(entry).base());
        return; // one comes, one goes
    }
}

} // namespace arbor
