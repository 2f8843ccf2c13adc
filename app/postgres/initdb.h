// Runs initdb, outside the mount, into fresh directories.
#pragma once

#include "app/postgres/initdb_options.h"
#include "app/postgres/installations.h"

#include <QObject>
#include <QProcess>

#include <functional>

namespace arbor {

// One run. Belongs to the thread with the event loop.
class Initdb : public QObject {
    Q_OBJECT
  public:
    using Done = std::function<void(Status)>;

    explicit Initdb(QObject* parent = nullptr);
    // Ends a run that is under way, and removes what it made.
    ~Initdb() override;

    // Refuses at once if an option is not allowed or a directory exists and is not empty; else calls done
    // once, later. After a failure or a cancellation the two directories are as they were: absent or empty.
    // The error holds initdb's own last words.
    Status start(const Installation& installation, const InitdbPlaces& places,
                 std::span<const std::string> options, Done done);
    // done is called with Cancelled, unless the run ends well first.
    void cancel();

  private:
    void finish(Status status);
    Status outcome();
    void removeFiles();

    QProcess m_process;
    InitdbPlaces m_places;
    Done m_done;
    bool m_cancelled = false;
};

// Kills initdb and the servers that it runs on this data directory, whichever process began it, waits until
// they have ended, and removes their shared memory. Blocks, for a few milliseconds unless one hangs in the
// kernel. Thread-safe.
void endInitdb(const std::string& dataDirectory);

} // namespace arbor
