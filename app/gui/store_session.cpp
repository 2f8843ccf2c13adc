#include "app/gui/store_session.h"

#include "app/control/engine_launcher.h"
#include "app/control/methods.h"
#include "app/control/runtime_dir.h"
#include "app/gui/picture_json.h"

#include <QJsonArray>
#include <QtConcurrent>

#include <algorithm>

namespace arbor {

namespace {

constexpr int flushEveryMs = 100;
constexpr int operationsShown = 500;
constexpr int marksAPage = 5000;
constexpr int mostPages = 200; // a million marks
constexpr int curvePoints = 2000;

constexpr StoreSession::Parts everything = StoreSession::Parts(StoreSession::Branches) |
                                           StoreSession::Checkpoints | StoreSession::Trash |
                                           StoreSession::Operations | StoreSession::Settings |
                                           StoreSession::Stats | StoreSession::Jobs | StoreSession::Engine;

QString lsnText(Lsn lsn) {
    return QString::fromStdString(lsn.toString());
}

} // namespace

StoreSession::StoreSession(Options options, QObject* parent)
    : QObject(parent), m_options(std::move(options)) {
    if (!m_options.store.isEmpty())
        m_options.store = QString::fromStdString(canonicalStore(m_options.store.toStdString()));
    m_client = std::make_unique<ControlClient>(ControlClient::Options{
        .store = m_options.store, .socket = m_options.socket, .program = m_options.program});
    m_client->subscribe({event::job, event::branches, event::marks, event::oplog, event::settings,
                         event::stats, event::warning, event::endpoint});
    connect(m_client.get(), &ControlClient::connected, this, &StoreSession::greeted);
    connect(m_client.get(), &ControlClient::disconnected, this, &StoreSession::lost);
    connect(m_client.get(), &ControlClient::eventReceived, this,
            [this](const QString& kind, const QJsonValue& payload) { takeEvent(kind, payload.toObject()); });
    m_flush.setSingleShot(true);
    m_flush.setInterval(flushEveryMs);
    connect(&m_flush, &QTimer::timeout, this, &StoreSession::flush);
}

StoreSession::~StoreSession() {
    m_client->blockSignals(true);
}

void StoreSession::setState(State state, const QString& problem) {
    if (m_state == state && m_problem == problem)
        return;
    m_state = state;
    m_problem = problem;
    Q_EMIT stateChanged();
}

// --- Finding the engine

void StoreSession::open() {
    setState(State::Connecting);
    if (m_options.socket.isEmpty())
        lookForEngine(false);
    else
        m_client->open();
}

void StoreSession::startEngine() {
    if (m_options.socket.isEmpty())
        lookForEngine(true);
}

void StoreSession::tryAgain() {
    if (m_notMade)
        makeStore(*m_notMade);
    else
        startEngine();
}

void StoreSession::restartEngine() {
    if (m_state == State::Connected && mayStartEngine())
        endEngine([this] { startEngine(); });
}

// Answers after a restart of the engine come over the client, which tries by itself; a failure to start one
// only here.
void StoreSession::lookForEngine(bool mayStart) {
    if (std::exchange(m_starting, true))
        return;
    setState(State::Connecting);
    const std::string store = m_options.store.toStdString();
    const std::string program = m_options.engineProgram.toStdString();
    enum class Found { Listening, Nothing };
    QtConcurrent::run([store, program, mayStart]() -> Result<Found> {
        ARBOR_ASSIGN(const bool isStore, storeExists(store));
        if (!isStore && !mayStart) {
            ARBOR_ASSIGN(const bool answers, engineAnswers(store, std::chrono::seconds(10)));
            return answers ? Found::Listening : Found::Nothing;
        }
        LaunchOptions launch;
        launch.store = store;
        launch.engine = program;
        ARBOR_TRY(ensureEngine(launch));
        return Found::Listening;
    }).then(this, [this](const Result<Found>& found) {
        m_starting = false;
        if (!found) {
            giveUp(found.error());
        } else if (*found == Found::Nothing && m_making) {
            lookForEngine(true); // it was asked for while we looked
        } else if (*found == Found::Nothing) {
            setState(State::NoStore);
        } else {
            connectClient();
        }
    });
}

void StoreSession::connectClient() {
    if (m_client->isConnected())
        greeted();
    else
        m_client->open();
}

void StoreSession::greeted() {
    const QJsonObject hello = m_client->engine();
    if (m_options.store.isEmpty())
        m_options.store = hello["store"].toString();
    request(method::engineStatus, {}, this, [this](const Result<QJsonValue>& status) {
        if (!status) {
            if (status.error().kind() != ErrorKind::Unreachable)
                giveUp(status.error());
            return;
        }
        m_picture.engine = engineFromJson(status->toObject());
        if (m_making && m_making->asked)
            return; // by and by
        // one without any branch is left of an attempt that was cut off
        if (m_making && (!m_picture.engine.storeOpen || (*status)["branches"].toInteger() == 0)) {
            askForStore();
            return;
        }
        if (!m_picture.engine.storeOpen) {
            setState(State::NoStore);
            return;
        }
        m_making.reset();
        m_notMade.reset();
        for (Watched& watched : m_watched)
            watched = Watched();
        m_asking = {};
        setState(State::Connected);
        Q_EMIT pictureChanged(Engine);
        refresh(everything);
    });
}

void StoreSession::endEngineWithoutStore() {
    if (m_state == State::NoStore && m_client->isConnected())
        endEngine([this] { setState(State::NoStore); });
}

void StoreSession::endEngine(std::function<void()> then) {
    m_whenEnded = std::move(then);
    setState(State::Connecting); // nobody is to find one that goes
    request(method::engineStop, {}, this, [](const auto&) {});
}

void StoreSession::lost(const Error& why) {
    m_asking = {};
    for (Watched& watched : m_watched)
        watched.asking = false;
    if (const auto then = std::exchange(m_whenEnded, {})) {
        m_client->close(); // it would look for another
        then();
        return;
    }
    if (m_making && m_making->asked)
        m_client->close(); // nobody starts another; what was asked has failed
    else if (m_state == State::Connected)
        setState(State::EngineGone, QString::fromStdString(why.message()));
    else if (m_state == State::Connecting && why.kind() != ErrorKind::Unreachable)
        giveUp(why);
    else if (m_state == State::Connecting && !m_options.socket.isEmpty())
        setState(State::EngineGone, QString::fromStdString(why.message()));
}

void StoreSession::makeStore(bool demo) {
    if (m_making)
        return;
    m_making = Making{demo};
    setState(State::Connecting);
    lookForEngine(true); // it is asked once it has greeted
}

void StoreSession::askForStore() {
    m_making->asked = true;
    request(method::storeInit, {{"demo", m_making->demo}, {"initdbOptions", QJsonArray()}}, this,
            [this](const Result<QJsonValue>& made) {
                if (!made) {
                    giveUp(made.error());
                    return;
                }
                m_making.reset();
                greeted();
            });
}

void StoreSession::giveUp(const Error& why) {
    const QString problem = QString::fromStdString(why.message());
    const auto making = std::exchange(m_making, {});
    if (making)
        m_notMade = making->demo;
    // an engine that was started to make a store has nothing to serve
    if (making && m_client->isConnected()) {
        endEngine([this, problem] { setState(State::Failed, problem); });
        return;
    }
    m_client->close();
    setState(State::Failed, problem);
}

// --- Requests

void StoreSession::request(const QString& method, const QJsonObject& params, QObject* context,
                           Callback callback) {
    m_client->request(method, params, context, std::move(callback));
}

void StoreSession::perform(const QString& what, const QString& method, const QJsonObject& params,
                           std::function<void(const QJsonObject&)> done) {
    request(method, params, this,
            [this, what, method, done = std::move(done)](const Result<QJsonValue>& result) {
                refresh(Parts(Branches) | Checkpoints | Trash | Operations);
                if (!result) {
                    if (result.error().kind() != ErrorKind::Cancelled)
                        Q_EMIT failed(what, QString::fromStdString(result.error().message()));
                    return;
                }
                if (done)
                    done(result->toObject());
                Q_EMIT operationDone(method);
            });
}

// --- Events

void StoreSession::takeEvent(const QString& kind, const QJsonObject& payload) {
    if (kind == QLatin1String(event::job)) {
        takeJob(jobFromJson(payload));
    } else if (kind == QLatin1String(event::warning)) {
        Q_EMIT warned(payload["text"].toString(), payload["branch"].toString());
    } else if (kind == QLatin1String(event::marks)) {
        // only the branch itself and its head moved
        const BranchRow* branch = m_picture.branch(payload["branch"].toString());
        if (branch && m_watched.contains(branch->id))
            m_watched[branch->id].stale = true;
        refresh(Branches);
    } else if (kind == QLatin1String(event::settings)) {
        refresh(Parts(Settings) | Operations | Stats); // a limit, or what history is needed
    } else if (kind == QLatin1String(event::stats)) {
        refresh(Parts(Stats) | Branches);
    } else if (kind == QLatin1String(event::oplog)) {
        refresh(Operations);
    } else {
        refresh(Parts(Branches) | Checkpoints | Trash | Operations);
    }
}

void StoreSession::takeJob(const JobFacts& job) {
    const auto known = std::ranges::find(m_picture.jobs, job.id, &JobFacts::id);
    if (known == m_picture.jobs.end())
        m_picture.jobs.insert(m_picture.jobs.begin(), job);
    else
        *known = job;
    Q_EMIT jobChanged(job);
    Q_EMIT pictureChanged(Jobs);
}

void StoreSession::refresh(Parts parts) {
    m_stale |= parts;
    if (!m_flush.isActive())
        m_flush.start();
}

void StoreSession::flush() {
    if (m_state != State::Connected)
        return;
    const Parts now = m_stale & ~m_asking;
    m_stale &= ~now;
    askStale(now);
    for (auto watched = m_watched.begin(); watched != m_watched.end(); ++watched)
        if (watched->stale && !watched->asking)
            askMarks(watched.key());
    if (m_stale)
        m_flush.start();
}

void StoreSession::ask(Part part, const char* method, const QJsonObject& params,
                       std::function<void(const QJsonObject&)> take) {
    m_asking |= part;
    request(method, params, this, [this, part, take = std::move(take)](const Result<QJsonValue>& result) {
        m_asking &= ~Parts(part);
        if (result) {
            take(result->toObject());
            Q_EMIT pictureChanged(part);
        }
        if (m_stale && !m_flush.isActive())
            m_flush.start();
    });
}

void StoreSession::askStale(Parts parts) {
    const auto list = [](auto& into, const QJsonArray& from, auto convert) {
        into.clear();
        for (const QJsonValue& value : from)
            into.push_back(convert(value.toObject()));
    };
    if (parts & Branches)
        ask(Branches, method::branchList, {},
            [this](const QJsonObject& o) { takeBranches(o["branches"].toArray()); });
    if (parts & Checkpoints)
        ask(Checkpoints, method::checkpointList, {}, [=, this](const QJsonObject& o) {
            list(m_picture.checkpoints, o["checkpoints"].toArray(), checkpointFromJson);
            placeNamedMarks();
        });
    if (parts & Trash)
        ask(Trash, method::trashList, {},
            [=, this](const QJsonObject& o) { list(m_picture.trash, o["trash"].toArray(), trashFromJson); });
    if (parts & Operations)
        ask(Operations, method::oplogList, {{"limit", operationsShown}}, [=, this](const QJsonObject& o) {
            list(m_picture.operations, o["operations"].toArray(), operationFromJson);
        });
    if (parts & Settings)
        ask(Settings, method::settingsGet, {}, [this](const QJsonObject& o) {
            const QJsonObject settings = o["settings"].toObject();
            for (auto setting = settings.begin(); setting != settings.end(); ++setting)
                m_picture.settings.insert(setting.key(), setting.value().toString());
        });
    if (parts & Stats)
        ask(Stats, method::stats, {}, [this](const QJsonObject& o) { m_picture.stats = o; });
    if (parts & Jobs)
        ask(Jobs, method::jobList, {}, [=, this](const QJsonObject& o) {
            list(m_picture.jobs, o["jobs"].toArray(), jobFromJson);
            std::ranges::sort(m_picture.jobs, std::ranges::greater(), &JobFacts::id);
        });
    if (parts & Engine)
        ask(Engine, method::engineStatus, {},
            [this](const QJsonObject& o) { m_picture.engine = engineFromJson(o); });
}

void StoreSession::takeBranches(const QJsonArray& branches) {
    m_picture.branches = branchesFromJson(branches);
    for (const BranchRow& branch : m_picture.branches) {
        const auto watched = m_watched.find(branch.id);
        if (watched == m_watched.end())
            continue;
        m_marks.setSpan(branch.id, branch.forkLsn, branch.forkTime, branch.headLsn, branch.headTime);
        if (watched->timeline != branch.timeline || watched->knownTo < branch.headLsn)
            watched->stale = true;
    }
    placeNamedMarks();
    if (!m_flush.isActive())
        m_flush.start();
}

// --- Marks

void StoreSession::watchMarks(std::uint64_t branchId) {
    if (m_watched.contains(branchId))
        return;
    m_watched.insert(branchId, {});
    if (!m_flush.isActive())
        m_flush.start();
}

void StoreSession::askMarks(std::uint64_t branchId) {
    const BranchRow* branch = m_picture.branch(branchId);
    if (!branch) {
        m_watched.remove(branchId);
        m_marks.clear(branchId);
        return;
    }
    Watched& watched = m_watched[branchId];
    watched.stale = false;
    watched.asking = true;
    QJsonObject params{{"branch", branch->name}, {"limit", marksAPage}};
    if (watched.timeline != branch->timeline) {
        m_marks.clear(branchId);
        m_marks.setSpan(branchId, branch->forkLsn, branch->forkTime, branch->headLsn, branch->headTime);
        watched.knownTo = branch->forkLsn;
        watched.timeline = branch->timeline;
        watched.named.clear();
        placeNamedMarks();
    }
    if (watched.knownTo)
        params["after"] = lsnText(watched.knownTo);
    askMarksPage(branchId, params, mostPages);
}

void StoreSession::askMarksPage(std::uint64_t branchId, const QJsonObject& params, int pagesLeft) {
    request(method::timelineMarks, params, this, [=, this](const Result<QJsonValue>& result) {
        const auto watched = m_watched.find(branchId);
        if (watched == m_watched.end())
            return;
        watched->asking = false;
        if (!result)
            return;
        const QJsonObject answer = result->toObject();
        std::vector<Mark> marks = marksFromJson(answer["marks"].toArray());
        std::erase_if(marks, [](const Mark& mark) {
            return mark.kind == MarkKind::Fork || mark.kind == MarkKind::Checkpoint;
        });
        m_marks.add(branchId, marks);
        const Lsn before = watched->knownTo;
        watched->knownTo = std::max(before, lsnFromJson(answer["toLsn"]));
        watched->asking = true;
        if (answer["next"].isString() && pagesLeft > 1) {
            QJsonObject more = params;
            more["after"] = answer["next"];
            askMarksPage(branchId, more, pagesLeft - 1);
        } else {
            askCurve(branchId, lsnFromJson(params["after"]));
        }
    });
}

// When what was written: commits that the engine has samples of stand for those between them.
void StoreSession::askCurve(std::uint64_t branchId, Lsn from) {
    const BranchRow* branch = m_picture.branch(branchId);
    if (!branch)
        return;
    QJsonObject params{{"branch", branch->name}, {"limit", curvePoints}};
    if (from)
        params["from"] = lsnText(from);
    request(method::timelineCurve, params, this, [=, this](const Result<QJsonValue>& result) {
        const auto watched = m_watched.find(branchId);
        if (watched == m_watched.end())
            return;
        watched->asking = false;
        if (result) {
            std::vector<Mark> commits;
            for (const QJsonValue& value : result->toObject()["points"].toArray()) {
                const QJsonObject point = value.toObject();
                const Lsn lsn = lsnFromJson(point["lsn"]);
                if (const Timestamp time = timeFromJson(point["time"]); time && lsn > from)
                    commits.push_back({MarkKind::Commit, lsn, time, 0, {}});
            }
            m_marks.add(branchId, commits);
        }
        if (watched->stale && !m_flush.isActive())
            m_flush.start();
    });
}

void StoreSession::placeNamedMarks() {
    QHash<std::uint64_t, std::vector<Mark>> named;
    for (const BranchRow& branch : m_picture.branches)
        if (branch.parentId != 0)
            named[branch.parentId].push_back(
                {MarkKind::Fork, branch.forkLsn, branch.forkTime, 0, branch.name});
    for (const CheckpointFacts& checkpoint : m_picture.checkpoints)
        if (const BranchRow* branch = checkpoint.offLine ? nullptr : m_picture.branch(checkpoint.branch))
            named[branch->id].push_back(
                {MarkKind::Checkpoint, checkpoint.lsn, checkpoint.time, 0, checkpoint.name});
    for (auto watched = m_watched.begin(); watched != m_watched.end(); ++watched) {
        const std::vector<Mark> present = named.value(watched.key());
        if (watched->named == present)
            continue;
        m_marks.clearKind(watched.key(), MarkKind::Fork);
        m_marks.clearKind(watched.key(), MarkKind::Checkpoint);
        m_marks.add(watched.key(), present);
        watched->named = present;
    }
}

} // namespace arbor
