#include "app/engine/endpoints.h"

#include <QMetaObject>
#include <QThread>

#include <future>

namespace arbor {

namespace {

// Each starts a process of its server: nineteen at a time took more than half of two slow processors from
// the one server that was busy.
constexpr int mostSamples = 4;

bool isDown(Endpoint::State state) {
    return state == Endpoint::State::Stopped || state == Endpoint::State::Failed;
}

Error failureOf(const Endpoint& endpoint) {
    const EndpointFailure& failure = endpoint.failure();
    return {ErrorKind::Io, failure.lastWords.empty() ? failure.sentence
                                                     : fmt::format("{} (PostgreSQL's last words: {})",
                                                                   failure.sentence, failure.lastWords)};
}

} // namespace

Error engineIsBeingStopped() {
    return makeError(ErrorKind::Cancelled, "the engine is being stopped: try again in a moment");
}

Endpoints::~Endpoints() = default;

Endpoints::Entry* Endpoints::find(const EndpointKey& key) {
    const auto found = m_entries.find(key);
    return found == m_entries.end() ? nullptr : &found->second;
}

// Runs `begin` in the main thread and waits for what it reports.
Status Endpoints::blocking(std::function<void(Waiter)> begin) {
    auto promise = std::make_shared<std::promise<Status>>();
    auto answer = promise->get_future();
    QMetaObject::invokeMethod(
        this,
        [begin = std::move(begin), promise] {
            begin([promise](Status status) { promise->set_value(std::move(status)); });
        },
        Qt::QueuedConnection);
    return answer.get();
}

Status Endpoints::start(const EndpointKey& key, TimelineId timeline, EndpointSpec spec) {
    return blocking([=, this](Waiter done) { begin(key, timeline, spec, std::move(done)); });
}

Status Endpoints::stop(const EndpointKey& key, Endpoint::StopMode mode) {
    return blocking([=, this](Waiter done) { end(key, mode, false, std::move(done)); });
}

Status Endpoints::remove(const EndpointKey& key, Endpoint::StopMode mode) {
    return blocking([=, this](Waiter done) { end(key, mode, true, std::move(done)); });
}

void Endpoints::begin(const EndpointKey& key, TimelineId timeline, EndpointSpec spec, Waiter done) {
    if (m_closing)
        return done(engineIsBeingStopped());
    Entry* entry = find(key);
    if (entry != nullptr && entry->info.timeline != timeline) {
        if (!isDown(entry->endpoint->state()))
            return done(makeError(ErrorKind::Busy, "its server still runs on the timeline it had before"));
        const MutexLock lock(m_mutex);
        m_entries.erase(key);
        entry = nullptr;
    }
    if (entry == nullptr) {
        auto endpoint = std::make_unique<Endpoint>(spec);
        connect(endpoint.get(), &Endpoint::stateChanged, this, [this, key] { noteState(key); });
        connect(endpoint.get(), &Endpoint::answering, this, [this, key] {
            if (Entry* answering = find(key))
                for (const Waiter& waiter : std::exchange(answering->untilAnswering, {}))
                    waiter({});
        });
        connect(endpoint.get(), &Endpoint::outsideReported, this,
                [this, key](const OutsideReport& report) { emit reported(key, report); });
        connect(endpoint.get(), &Endpoint::activitySampled, this,
                [this, key](const Activity& activity) { noteSessions(key, activity.connections); });
        const MutexLock lock(m_mutex);
        entry = &m_entries[key];
        entry->endpoint = std::move(endpoint);
        entry->info.timeline = timeline;
    } else if (isDown(entry->endpoint->state())) {
        if (auto set = entry->endpoint->setSpec(std::move(spec)); !set)
            return done(std::move(set));
    }
    if (entry->endpoint->state() == Endpoint::State::Running) {
        // It may be in recovery, or dead without our having heard of it yet: then it is started after all.
        entry->untilAnswering.push_back([=, this, done = std::move(done)](Status answers) {
            if (answers)
                return done({});
            const auto again = [=, this] { begin(key, timeline, spec, done); };
            QMetaObject::invokeMethod(this, again, Qt::QueuedConnection); // not from within its own signal
        });
        entry->endpoint->confirmAnswers();
        return;
    }
    entry->untilRunning.push_back(std::move(done));
    if (auto started = entry->endpoint->start(); !started) {
        Waiter waiter = std::move(entry->untilRunning.back());
        entry->untilRunning.pop_back();
        waiter(std::move(started));
    }
}

void Endpoints::end(const EndpointKey& key, Endpoint::StopMode mode, bool forget, Waiter done) {
    Entry* entry = find(key);
    if (entry == nullptr)
        return done({});
    auto finish = [this, key, forget, done = std::move(done)](Status status) {
        if (forget && status) {
            // not from within the endpoint's own signal
            QMetaObject::invokeMethod(
                this,
                [this, key, done, status] {
                    {
                        const MutexLock lock(m_mutex);
                        m_entries.erase(key);
                    }
                    done(status);
                },
                Qt::QueuedConnection);
            return;
        }
        done(std::move(status));
    };
    if (isDown(entry->endpoint->state()))
        return finish({});
    entry->untilStopped.push_back(std::move(finish));
    entry->endpoint->stop(mode);
}

void Endpoints::noteState(const EndpointKey& key) {
    Entry* entry = find(key);
    if (entry == nullptr)
        return;
    const Endpoint::State state = entry->endpoint->state();
    EndpointInfo info;
    {
        const MutexLock lock(m_mutex);
        entry->info.state = state;
        entry->info.failure = state == Endpoint::State::Failed ? failureOf(*entry->endpoint).message() : "";
        if (state == Endpoint::State::Running)
            entry->info.startedAt = m_clock.now();
        entry->info.sessions.reset();
        entry->info.lastActivity = entry->endpoint->lastActivity();
        info = entry->info;
    }
    std::vector<Waiter> up, down, answering;
    if (state == Endpoint::State::Running || isDown(state))
        up.swap(entry->untilRunning);
    if (isDown(state))
        down.swap(entry->untilStopped);
    if (isDown(state))
        answering.swap(entry->untilAnswering);
    const Status started =
        state == Endpoint::State::Running ? Status()
        : state == Endpoint::State::Failed
            ? Status(failureOf(*entry->endpoint))
            : Status(makeError(ErrorKind::Cancelled, "the server was stopped while it started"));
    for (const Waiter& waiter : up)
        waiter(started);
    for (const Waiter& waiter : answering)
        waiter(makeError(ErrorKind::Io, "the server has ended"));
    for (const Waiter& waiter : down) // it is down, however it got there
        waiter({});
    emit changed(key, info);
}

void Endpoints::noteSessions(const EndpointKey& key, int sessions) {
    Entry* entry = find(key);
    if (entry == nullptr || entry->info.state != Endpoint::State::Running || entry->info.sessions == sessions)
        return;
    {
        const MutexLock lock(m_mutex);
        entry->info.sessions = sessions;
    }
    emit sessionsChanged(entry->info.timeline);
}

EndpointInfo Endpoints::info(const EndpointKey& key) const {
    const MutexLock lock(m_mutex);
    const auto found = m_entries.find(key);
    return found == m_entries.end() ? EndpointInfo() : found->second.info;
}

std::size_t Endpoints::runningCount() const {
    const MutexLock lock(m_mutex);
    std::size_t count = 0;
    for (const auto& [key, entry] : m_entries)
        count += isDown(entry.info.state) ? 0 : 1;
    return count;
}

bool Endpoints::startedByUs(TimelineId timeline, pid_t process) const {
    const MutexLock lock(m_mutex);
    for (const auto& [key, entry] : m_entries)
        if (entry.info.timeline == timeline && entry.endpoint->startedByUs(process))
            return true;
    return false;
}

void Endpoints::checkpoint(TimelineId timeline, std::function<void()> done) {
    const auto ask = [this, timeline, done = std::move(done)] {
        for (auto& [key, entry] : m_entries)
            if (entry.info.timeline == timeline)
                entry.endpoint->checkpoint(done);
    };
    QMetaObject::invokeMethod(this, ask, Qt::QueuedConnection);
}

void Endpoints::sampleActivity() {
    auto at = m_entries.upper_bound(m_sampled);
    int left = mostSamples;
    for (std::size_t i = 0; i < m_entries.size() && left > 0; ++i, ++at) {
        if (at == m_entries.end())
            at = m_entries.begin();
        auto& [key, entry] = *at;
        m_sampled = key;
        left -= entry.info.state == Endpoint::State::Running ? 1 : 0;
        entry.endpoint->sampleActivity();
        const MutexLock lock(m_mutex);
        entry.info.lastActivity = entry.endpoint->lastActivity();
    }
}

void Endpoints::stopAll(std::function<void()> done) {
    m_closing = true;
    auto left = std::make_shared<std::size_t>(1);
    const auto one = [left, done = std::move(done)](const Status&) {
        if (--*left == 0)
            done();
    };
    std::vector<EndpointKey> keys;
    for (const auto& [key, entry] : m_entries)
        keys.push_back(key);
    for (const EndpointKey& key : keys) {
        ++*left;
        end(key, Endpoint::StopMode::Fast, false, one);
    }
    one({});
}

} // namespace arbor
