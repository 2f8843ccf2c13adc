// The servers of an engine: one for each branch that runs, one for each peek.
//
// Lives in the main thread, whose event loop the endpoints need. What workers call blocks them until the
// server has come up or gone down, and never the main thread.
#pragma once

#include "app/postgres/endpoint.h"
#include "storage/base/ids.h"
#include "storage/base/mutex.h"

#include <QObject>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace arbor {

// "branch 7" or "peek 12": who a server belongs to.
using EndpointKey = std::string;

// What whoever asks for a server, or anything else, of an engine that ends is told.
Error engineIsBeingStopped();

struct EndpointInfo {
    Endpoint::State state = Endpoint::State::Stopped;
    std::string failure; // a sentence, in state Failed
    TimelineId timeline;
    Timestamp startedAt;
    Timestamp lastActivity;
    std::optional<int> sessions; // of clients, by the last sample while it runs
};

class Endpoints : public QObject {
    Q_OBJECT
  public:
    explicit Endpoints(const Clock& clock, QObject* parent = nullptr) : QObject(parent), m_clock(clock) {}
    ~Endpoints() override;

    // --- From any thread but the main one.
    // Success when queries are answered; success at once when they are already. The error says why not.
    Status start(const EndpointKey& key, TimelineId timeline, EndpointSpec spec);
    // Success when it is stopped.
    Status stop(const EndpointKey& key, Endpoint::StopMode mode);
    // Stops it and forgets it: a peek that ends, a branch whose timeline changes.
    Status remove(const EndpointKey& key, Endpoint::StopMode mode);

    // --- From any thread.
    EndpointInfo info(const EndpointKey& key) const;
    std::size_t runningCount() const;
    // Whether a process may create postmaster.pid on a timeline: it belongs to a server that was started
    // here.
    bool startedByUs(TimelineId timeline, pid_t process) const;

    // Asks the server on a timeline for a checkpoint, if one runs there; does not wait. `done` is as for
    // Endpoint::checkpoint(), in the main thread.
    void checkpoint(TimelineId timeline, std::function<void()> done = {});

    // --- The main thread.
    // Asks the next few of the servers that run who uses them.
    void sampleActivity();
    // Stops all, harder when it takes too long; `done` runs when none is left. None is started any more.
    void stopAll(std::function<void()> done);

  signals:
    void changed(const std::string& key, const arbor::EndpointInfo& info);
    // Clients have come or gone.
    void sessionsChanged(arbor::TimelineId timeline);
    void reported(const std::string& key, const arbor::OutsideReport& report);

  private:
    using Waiter = std::function<void(Status)>;
    struct Entry {
        std::unique_ptr<Endpoint> endpoint;
        EndpointInfo info;
        std::vector<Waiter> untilRunning;
        std::vector<Waiter> untilAnswering; // it runs; see Endpoint::confirmAnswers()
        std::vector<Waiter> untilStopped;
    };
    Status blocking(std::function<void(Waiter)> begin);
    void begin(const EndpointKey& key, TimelineId timeline, EndpointSpec spec, Waiter done);
    void end(const EndpointKey& key, Endpoint::StopMode mode, bool forget, Waiter done);
    void noteState(const EndpointKey& key);
    void noteSessions(const EndpointKey& key, int sessions);
    Entry* find(const EndpointKey& key);

    const Clock& m_clock;
    bool m_closing = false;
    mutable Mutex m_mutex; // guards the map's shape and the infos; the rest belongs to the main thread
    EndpointKey m_sampled; // the last one; the next comes behind it
    std::map<EndpointKey, Entry> m_entries;
};

} // namespace arbor
