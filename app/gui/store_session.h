// The window's connection with one store: it finds or starts the engine, keeps a picture of the store up to
// date by the engine's events, and sends what the person wants done.
#pragma once

#include "app/control/client.h"
#include "app/gui/store_picture.h"
#include "widgets/models/marks_store.h"

#include <QHash>
#include <QObject>
#include <QSet>
#include <QTimer>

#include <functional>
#include <memory>
#include <optional>

namespace arbor {

// Lives in the window's thread; never blocks it.
//
// Invariants
// 1. The picture changes only between signals, and stays as it was while the engine is gone.
// 2. Events only mark parts as stale. A part that is stale is asked for ten times a second at most, and never
// while
//    its last question is unanswered: a burst of ten thousand events is a handful of questions.
class StoreSession : public QObject {
    Q_OBJECT
  public:
    enum class State {
        Idle,       // not opened yet
        Connecting, // an engine is looked for, or starts
        NoStore,    // there is nothing at the place: the first run
        Connected,
        EngineGone, // it was there; we try again by ourselves
        Failed      // the engine cannot be started or does not want us: problem() says why
    };
    enum Part : unsigned {
        Branches = 1,
        Checkpoints = 2,
        Trash = 4,
        Operations = 8,
        Settings = 16,
        Stats = 32,
        Jobs = 64,
        Engine = 128
    };
    Q_DECLARE_FLAGS(Parts, Part)

    struct Options {
        QString store;         // any path
        QString socket;        // instead of looking for the store's engine; never starts one
        QString engineProgram; // empty: found beside us
        QString program = QStringLiteral("pgarbor");
    };
    explicit StoreSession(Options options, QObject* parent = nullptr);
    ~StoreSession() override;

    // Looks for the store and its engine, and starts one when there is a store and no engine.
    void open();
    // Makes a store (store.init) or a store with an imported database; the state goes by Connecting to
    // Connected.
    void makeStore(bool demo);
    // After Failed or EngineGone: starts an engine unless one answers.
    void startEngine();
    // After Failed: what has failed once more, be it making a store.
    void tryAgain();
    bool mayStartEngine() const { return m_options.socket.isEmpty(); }
    // What an engine found missing when it was started is looked for by the next one only.
    void restartEngine();
    // Ends one that was started to look at something, without a store; by Connecting to NoStore.
    void endEngineWithoutStore();

    State state() const { return m_state; }
    const QString& problem() const { return m_problem; }
    QString store() const { return m_options.store; }
    const StorePicture& picture() const { return m_picture; }
    MarksStore& marks() { return m_marks; }
    ControlClient& client() { return *m_client; }

    using Callback = ControlClient::Callback;
    // As ControlClient::request; follows jobs.
    void request(const QString& method, const QJsonObject& params, QObject* context, Callback callback);
    // A request whose failure the person must see: failed(what, message) is emitted for it. `done` may be
    // empty.
    void perform(const QString& what, const QString& method, const QJsonObject& params,
                 std::function<void(const QJsonObject&)> done = {});

    // Marks of this branch are wanted, and kept up to date from now on.
    void watchMarks(std::uint64_t branchId);
    void refresh(Parts parts);

  Q_SIGNALS:
    void stateChanged();
    void pictureChanged(arbor::StoreSession::Parts parts);
    void jobChanged(const arbor::JobFacts& job);
    void warned(const QString& text, const QString& branch);
    void failed(const QString& what, const QString& message);
    // A request of ours has been done and can be undone.
    void operationDone(const QString& method);

  private:
    void setState(State state, const QString& problem = {});
    void lookForEngine(bool mayStart);
    void connectClient();
    void greeted();
    void lost(const Error& why);
    void endEngine(std::function<void()> then);
    void askForStore();
    void giveUp(const Error& why);
    void takeEvent(const QString& kind, const QJsonObject& payload);
    void flush();
    void ask(Part part, const char* method, const QJsonObject& params,
             std::function<void(const QJsonObject&)> take);
    void askStale(Parts parts);
    void takeBranches(const QJsonArray& branches);
    void askMarks(std::uint64_t branchId);
    void askMarksPage(std::uint64_t branchId, const QJsonObject& params, int pagesLeft);
    void askCurve(std::uint64_t branchId, Lsn from);
    void placeNamedMarks();
    void takeJob(const JobFacts& job);

    Options m_options;
    State m_state = State::Idle;
    QString m_problem;
    std::unique_ptr<ControlClient> m_client;
    bool m_starting = false;
    struct Making {
        bool demo = false;
        bool asked = false;
    };
    std::optional<Making> m_making;
    std::optional<bool> m_notMade;     // the last attempt to make a store; whether it was the demo
    std::function<void()> m_whenEnded; // an engine that was asked to end
    StorePicture m_picture;
    MarksStore m_marks;
    struct Watched {
        Lsn knownTo; // marks up to here have been taken
        std::vector<Mark>
            named; // forks and checkpoints: they come and go behind the head, and the picture has them
        std::uint64_t timeline = 0;
        bool stale = true;
        bool asking = false;
    };
    QHash<std::uint64_t, Watched> m_watched;
    Parts m_stale;
    Parts m_asking;
    QTimer m_flush;
};

Q_DECLARE_OPERATORS_FOR_FLAGS(StoreSession::Parts)

} // namespace arbor
