#include "app/gui/reclaim_panel.h"

#include "app/control/methods.h"
#include "app/gui/looks.h"
#include "app/gui/picture_json.h"
#include "app/gui/symbolic_icon.h"
#include "storage/base/units.h"
#include "widgets/models/format.h"
#include "widgets/views/bar_delegate.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonArray>
#include <QLabel>
#include <QLineEdit>
#include <QMessageBox>
#include <QProgressBar>
#include <QPushButton>
#include <QSortFilterProxyModel>
#include <QTreeView>
#include <QVBoxLayout>

#include <algorithm>

namespace arbor {

namespace {

constexpr int gatherPlansMs = 60; // several ticks are one question
constexpr const char* historyChoices[] = {"3d", "1d", "6h", "1h"};
constexpr int otherHistory = 1 + static_cast<int>(std::size(historyChoices)); // the choice that was dragged
constexpr int soonMs = 100;
constexpr int againMs = 2000;
constexpr int freshMs = 5000; // and no longer, for somebody who comes to look: the trash ages by itself

QString pinKindText(const QString& kind) {
    if (kind == QLatin1String("branch"))
        return ReclaimPanel::tr("branch");
    if (kind == QLatin1String("checkpoint"))
        return ReclaimPanel::tr("checkpoint");
    if (kind == QLatin1String("trash"))
        return ReclaimPanel::tr("trash");
    if (kind == QLatin1String("window"))
        return ReclaimPanel::tr("history window");
    if (kind == QLatin1String("reader"))
        return ReclaimPanel::tr("reader");
    return kind;
}

// Rows of a plan: what can be removed, then what keeps something and goes by itself.
std::vector<PinRow> rowsOf(const QJsonObject& plan) {
    std::vector<PinRow> rows;
    for (const QJsonValue& value : plan["removable"].toArray()) {
        const QJsonObject one = value.toObject();
        const bool trash = one["kind"] == QLatin1String("trash");
        rows.push_back({pinKindText(one["kind"].toString()),
                        trash ? ReclaimPanel::tr("everything in the trash") : one["name"].toString(),
                        one["branch"].toString(), lsnFromJson(one["fromLsn"]), lsnFromJson(one["toLsn"]),
                        bytesFromJson(one["onlyBytes"]), !one["kept"].toBool(), one["what"].toString()});
    }
    QSet<QString> known; // two readers may look alike
    for (const QJsonValue& value : plan["pins"].toArray()) {
        const QJsonObject pin = value.toObject();
        const QString kind = pin["kind"].toString(), name = pin["name"].toString();
        const bool goesByItself = kind == QLatin1String("window") || kind == QLatin1String("reader");
        if (!goesByItself || bytesFromJson(pin["onlyBytes"]) == 0 || known.contains(kind + name))
            continue;
        known.insert(kind + name);
        rows.push_back({pinKindText(kind),
                        name,
                        pin["branch"].toString(),
                        lsnFromJson(pin["fromLsn"]),
                        lsnFromJson(pin["toLsn"]),
                        bytesFromJson(pin["onlyBytes"]),
                        false,
                        {}});
    }
    return rows;
}

} // namespace

ReclaimPanel::ReclaimPanel(StoreSession& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_model(new PinsModel(this)),
      m_sorted(new QSortFilterProxyModel(this)), m_table(new QTreeView(this)), m_history(new QComboBox(this)),
      m_speed(new QComboBox(this)), m_wanted(new QLineEdit(this)), m_propose(new QPushButton(this)),
      m_clear(new QPushButton(this)), m_sentence(new QLabel(this)), m_progressText(new QLabel(this)),
      m_progress(new QProgressBar(this)), m_run(new QPushButton(this)), m_cancel(new QPushButton(this)) {
    confirm = [this](const QString& question) {
        return QMessageBox::question(this, tr("Remove for good"), question,
                                     QMessageBox::Yes | QMessageBox::Cancel,
                                     QMessageBox::Cancel) == QMessageBox::Yes;
    };
    m_sorted->setSourceModel(m_model);
    m_sorted->setSortRole(PinsModel::SortRole);
    m_table->setModel(m_sorted);
    flatTable(*m_table);
    m_table->setAccessibleName(tr("What keeps bytes on disk"));
    m_table->setRootIsDecorated(false);
    m_table->setUniformRowHeights(true);
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(PinsModel::Only, Qt::DescendingOrder);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->setAllColumnsShowFocus(true);
    m_table->setItemDelegateForColumn(PinsModel::Only, new BarDelegate(PinsModel::FractionRole, m_table));
    QHeaderView* header = m_table->header();
    header->setStretchLastSection(false);
    header->setSectionsMovable(false);
    header->setSectionResizeMode(QHeaderView::ResizeToContents);
    header->setSectionResizeMode(PinsModel::Name, QHeaderView::Stretch);

    auto* top = new QHBoxLayout;
    auto* wantedLabel = new QLabel(tr("&Free"), this);
    wantedLabel->setBuddy(m_wanted);
    m_wanted->setPlaceholderText(tr("20 GB"));
    m_wanted->setMaximumWidth(90);
    m_wanted->setAccessibleName(tr("How much to free"));
    m_propose->setText(tr("Propose"));
    m_propose->setToolTip(tr("Ticks a short list that frees this much: the trash first, then what has not "
                             "been used for longest; never what is protected, runs or is a root"));
    auto* historyLabel = new QLabel(tr("&History window"), this);
    historyLabel->setBuddy(m_history);
    m_history->setAccessibleName(tr("History window"));
    m_history->addItem(tr("as it is set"));
    for (const char* choice : historyChoices)
        m_history->addItem(tr("%1").arg(QLatin1String(choice)), QLatin1String(choice));
    m_speed->setAccessibleName(tr("Speed of the sweep"));
    m_speed->setToolTip(tr("How much a sweep moves a second: less disturbs what runs less"));
    m_speed->addItem(tr("full speed"));
    for (const char* choice : {"64MB", "16MB", "4MB"})
        m_speed->addItem(tr("%1/s").arg(QLatin1String(choice)), QLatin1String(choice));
    m_clear->setText(tr("Untick all"));
    for (QPushButton* button : {m_propose, m_clear})
        button->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    top->addWidget(wantedLabel);
    top->addWidget(m_wanted);
    top->addWidget(m_propose);
    top->addSpacing(16);
    top->addWidget(historyLabel);
    top->addWidget(m_history);
    top->addStretch();
    top->addWidget(m_clear);

    auto* bottom = new QHBoxLayout;
    m_sentence->setWordWrap(true);
    m_sentence->setTextFormat(Qt::PlainText);
    m_sentence->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_sentence->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_run->setIcon(symbolicIcon(QStringLiteral("reclaim")));
    m_run->setText(tr("Sweep"));
    m_cancel->setText(tr("Cancel"));
    m_cancel->setIcon(symbolicIcon(QStringLiteral("close")));
    m_progress->setRange(0, 1000);
    m_progress->setTextVisible(false);
    m_progress->setMaximumWidth(220);
    m_progress->setAccessibleName(tr("Progress of the sweep"));
    bottom->addWidget(m_sentence, 1);
    bottom->addWidget(m_progressText);
    bottom->addWidget(m_progress);
    bottom->addWidget(m_speed);
    bottom->addWidget(m_cancel);
    bottom->addWidget(m_run);

    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(8, 6, 8, 6);
    layout->addLayout(top);
    layout->addWidget(m_table, 1);
    layout->addLayout(bottom);
    connectAll();
    setRunning(false);
}

void ReclaimPanel::connectAll() {
    m_ask.setSingleShot(true);
    m_ask.setInterval(gatherPlansMs);
    connect(&m_ask, &QTimer::timeout, this, &ReclaimPanel::simulate);
    connect(m_model, &PinsModel::ticksChanged, this, &ReclaimPanel::askSoon);
    connect(m_history, &QComboBox::currentIndexChanged, this, &ReclaimPanel::askSoon);
    m_later.setSingleShot(true);
    connect(&m_later, &QTimer::timeout, this, [this] {
        if (isVisible() && !m_running && !m_asking)
            askPlan();
    });
    connect(m_clear, &QPushButton::clicked, this, [this] {
        m_history->setCurrentIndex(0);
        m_model->clearTicks();
    });
    connect(m_propose, &QPushButton::clicked, this, &ReclaimPanel::propose);
    connect(m_wanted, &QLineEdit::returnPressed, this, &ReclaimPanel::propose);
    connect(m_run, &QPushButton::clicked, this, &ReclaimPanel::run);
    connect(m_cancel, &QPushButton::clicked, this, [this] { Q_EMIT cancelAsked(m_job); });
    connect(&m_session, &StoreSession::jobChanged, this, &ReclaimPanel::takeJob);
    connect(&m_session, &StoreSession::stateChanged, this, [this] {
        if (m_session.state() != StoreSession::State::Connected && m_running)
            runEnded(makeError(ErrorKind::Unreachable, "the engine is gone; what was freed stays free"));
        m_simulated.reset();
        m_asking = m_simulating = m_simulateAgain = false; // an answer may never come
        if (m_session.state() == StoreSession::State::Connected)
            refresh();
    });
}

QString ReclaimPanel::sentence() const {
    return m_sentence->text();
}

QString ReclaimPanel::progressText() const {
    return m_progressText->text();
}

QStringList ReclaimPanel::tickedWhats() const {
    QStringList whats;
    for (const PinRow& row : m_model->ticked())
        whats += row.what;
    return whats;
}

QString ReclaimPanel::historyChoice() const {
    return m_history->currentData().toString();
}

void ReclaimPanel::simulateHistory(const QString& duration) {
    const int known = duration.isEmpty() ? 0 : m_history->findData(duration);
    if (known >= 0) {
        m_history->setCurrentIndex(known);
        return;
    }
    if (m_history->count() == otherHistory)
        m_history->addItem({});
    m_history->setItemText(otherHistory, duration);
    m_history->setItemData(otherHistory, duration);
    if (m_history->currentIndex() == otherHistory)
        askSoon();
    else
        m_history->setCurrentIndex(otherHistory);
}

void ReclaimPanel::askSoon() {
    m_proposing = false;
    m_simulated.reset();
    if (!m_ask.isActive()) // a mouse that moves on must not put it off for ever
        m_ask.start();
}

// --- The plan

void ReclaimPanel::refresh() {
    m_stale = true;
    if (isVisible() && !m_running && !m_asking && !m_later.isActive())
        m_later.start(soonMs);
}

void ReclaimPanel::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    const bool old = m_stale || m_moved || m_asked.hasExpired(freshMs);
    if (old && !m_running && !m_asking)
        askPlan();
}

void ReclaimPanel::askPlan() {
    if (m_session.state() != StoreSession::State::Connected)
        return;
    m_stale = m_moved = false;
    m_asking = true;
    m_asked.start();
    m_session.request(method::gcPlan, {}, this, [this](const Result<QJsonValue>& answer) {
        m_asking = false;
        if (answer)
            takePlan(*answer);
        else
            m_sentence->setText(QString::fromStdString(answer.error().message()));
        if (m_stale && isVisible() && !m_running)
            m_later.start(againMs);
    });
}

void ReclaimPanel::takePlan(const QJsonValue& plan) {
    m_model->setRows(rowsOf(plan.toObject()));
    if (m_proposing || m_running)
        return;
    if (!m_model->ticked().empty() || !historyChoice().isEmpty())
        return simulate();
    ++m_question;
    showSimulation(plan, {});
}

void ReclaimPanel::simulate() {
    if (m_running || m_session.state() != StoreSession::State::Connected)
        return;
    if (m_simulating) {
        m_simulateAgain = true;
        return;
    }
    m_simulating = true;
    const Simulated asked{m_model->ticked(), historyChoice()};
    QJsonObject params{{"without", QJsonArray::fromStringList(tickedWhats())}};
    if (!asked.history.isEmpty())
        params.insert("history", asked.history);
    m_session.request(method::gcPlan, params, this,
                      [this, asked, question = ++m_question](const Result<QJsonValue>& answer) {
                          m_simulating = false;
                          if (question == m_question && !m_running)
                              showSimulation(answer, asked);
                          if (std::exchange(m_simulateAgain, false)) {
                              m_simulated.reset();
                              simulate();
                          }
                      });
}

void ReclaimPanel::showSimulation(const Result<QJsonValue>& answer, const Simulated& asked) {
    if (!answer) {
        m_simulated.reset();
        m_sentence->setText(QString::fromStdString(answer.error().message()));
        m_run->setEnabled(false);
        return;
    }
    const QJsonObject plan = answer->toObject();
    const std::uint64_t free = bytesFromJson(plan["freeBytes"]);
    m_simulated = free;
    QStringList text;
    if (!asked.ticked.empty() && asked.history.isEmpty())
        text += PinsModel::sentence(asked.ticked, bytesFromJson(plan["releasedBytes"]));
    else if (!asked.history.isEmpty())
        text += tr("With a history of %1, %2 are no longer needed.")
                    .arg(asked.history, bytesDisplay(bytesFromJson(plan["releasedBytes"])));
    const bool changes = !text.isEmpty();
    if (const QJsonArray doubts = plan["doubts"].toArray(); !doubts.isEmpty())
        text += tr("Nothing is freed while something cannot be read: %1.").arg(doubts.first().toString());
    else if (free == 0)
        text += changes ? tr("A sweep gives nothing back yet: too little of each segment is garbage.")
                        : tr("There is nothing to sweep.");
    else
        text += tr("A sweep then gives back %1 of the disk.").arg(bytesDisplay(free));
    m_sentence->setText(text.join(u' '));
    m_run->setText(changes ? tr("Remove and sweep…") : tr("Sweep"));
    m_run->setEnabled(changes || free > 0);
}

void ReclaimPanel::propose() {
    const QString wanted = m_wanted->text().simplified().remove(u' ');
    if (!parseSize(wanted.toStdString())) {
        m_sentence->setText(tr("How much? Write it as 20GB or 500MB."));
        m_wanted->setFocus();
        return;
    }
    m_sentence->setText(tr("Looking for a short list…"));
    m_proposing = true; // a tick ends it
    m_simulated.reset();
    m_session.request(method::gcPlan, {{"free", wanted}}, this,
                      [this, wanted, question = ++m_question](const Result<QJsonValue>& answer) {
                          if (question != m_question || m_running)
                              return;
                          if (!answer) {
                              m_proposing = false;
                              m_sentence->setText(QString::fromStdString(answer.error().message()));
                              return;
                          }
                          const QJsonObject plan = answer->toObject();
                          QStringList whats;
                          for (const QJsonValue& one : plan["proposed"].toArray())
                              whats += one["what"].toString();
                          m_history->setCurrentIndex(0);
                          m_model->tick(whats);
                          m_ask.stop(); // the answer is here already
                          m_proposing = true;
                          showSimulation(answer, {m_model->ticked(), {}});
                          if (!plan["enough"].toBool())
                              m_sentence->setText(tr("No list frees %1. ").arg(wanted) + m_sentence->text());
                      });
}

// --- A run

void ReclaimPanel::run() {
    const auto ticked = m_model->ticked();
    const QString history = historyChoice();
    if (!ticked.empty() || !history.isEmpty()) {
        QStringList names;
        for (const PinRow& row : ticked)
            names += tr("%1 %2").arg(row.kind, row.name);
        if (!history.isEmpty())
            names += tr("history older than %1").arg(history);
        if (!confirm(
                tr("%1\n\nThese are removed for good and cannot be brought back.").arg(names.join(u'\n'))))
            return;
    }
    setRunning(true);
    m_progressText->setText(tr("Beginning…"));
    m_since.start();
    QJsonObject params{{"without", QJsonArray::fromStringList(tickedWhats())}};
    if (const QString pace = m_speed->currentData().toString(); !pace.isEmpty())
        params.insert("bytesPerSecond", pace);
    const auto sweep = [this, params] {
        m_session.request(method::gcRun, params, this,
                          [this](const Result<QJsonValue>& result) { runEnded(result); });
    };
    if (history.isEmpty())
        return sweep();
    m_session.request(method::settingsSet, {{"key", "history-time"}, {"value", history}}, this,
                      [this, sweep](const Result<QJsonValue>& result) {
                          if (result)
                              sweep();
                          else
                              runEnded(result);
                      });
}

void ReclaimPanel::takeJob(const JobFacts& job) {
    if (!m_running || job.kind != QLatin1String(method::gcRun) || !job.running())
        return;
    m_job = job.id;
    m_cancel->setEnabled(true);
    m_progress->setRange(0, job.fraction && *job.fraction >= 0 ? 1000 : 0);
    if (!job.fraction || *job.fraction < 0)
        return;
    m_progress->setValue(static_cast<int>(*job.fraction * 1000));
    const double planned = *job.fraction > 0 ? static_cast<double>(job.bytes) / *job.fraction : 0;
    const std::uint64_t of =
        *job.fraction > 0 ? static_cast<std::uint64_t>(planned) : m_simulated.value_or(0);
    const double seconds = std::max(0.001, static_cast<double>(m_since.elapsed()) / 1000);
    m_progressText->setText(
        tr("freed %1 of %2 · %3/s")
            .arg(bytesDisplay(job.bytes), bytesDisplay(std::max(of, job.bytes)),
                 bytesDisplay(static_cast<std::uint64_t>(static_cast<double>(job.bytes) / seconds))));
}

void ReclaimPanel::runEnded(const Result<QJsonValue>& result) {
    if (!m_running)
        return;
    setRunning(false);
    m_history->setCurrentIndex(0);
    m_model->clearTicks();
    m_ask.stop();
    m_simulated.reset();
    ++m_question;
    if (!result) {
        m_progressText->setText(QString::fromStdString(result.error().message()));
    } else {
        const QJsonObject outcome = result->toObject();
        QString text = tr("Freed %1 of %2 planned.")
                           .arg(bytesDisplay(bytesFromJson(outcome["freedBytes"])),
                                bytesDisplay(bytesFromJson(outcome["plannedBytes"])));
        if (const QJsonArray problems = outcome["problems"].toArray(); !problems.isEmpty())
            text += u' ' + problems.first().toString();
        m_progressText->setText(text);
        Q_EMIT done(text);
    }
    m_proposing = false;
    refresh();
    m_session.refresh(StoreSession::Parts(StoreSession::Branches) | StoreSession::Trash |
                      StoreSession::Checkpoints | StoreSession::Operations | StoreSession::Stats);
}

void ReclaimPanel::setRunning(bool running) {
    m_running = running;
    m_job = 0;
    m_progress->setVisible(running);
    m_cancel->setVisible(running);
    m_cancel->setEnabled(false);
    m_run->setVisible(!running);
    m_sentence->setVisible(!running);
    m_table->setEnabled(!running);
    for (QWidget* widget : std::initializer_list<QWidget*>{m_wanted, m_propose, m_history, m_clear, m_speed})
        widget->setEnabled(!running);
}

} // namespace arbor
