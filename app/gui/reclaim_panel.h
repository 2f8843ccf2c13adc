// What keeps bytes on disk, what removing it would give back, and giving it back.
//
// Ticks and the history choice only simulate: the engine is asked what a sweep would free then. The button
// removes what is ticked for good, after a question, and sweeps.
#pragma once

#include "app/gui/store_session.h"
#include "widgets/models/pins_model.h"

#include <QElapsedTimer>
#include <QWidget>

class QComboBox;
class QLabel;
class QLineEdit;
class QProgressBar;
class QPushButton;
class QSortFilterProxyModel;
class QTreeView;

namespace arbor {

class ReclaimPanel : public QWidget {
    Q_OBJECT
  public:
    explicit ReclaimPanel(StoreSession& session, QWidget* parent = nullptr);

    PinsModel& model() { return *m_model; }
    QTreeView& table() { return *m_table; }
    QPushButton& runButton() { return *m_run; }
    QPushButton& cancelButton() { return *m_cancel; }
    QLineEdit& wanted() { return *m_wanted; }
    QComboBox& history() { return *m_history; }
    QComboBox& speed() { return *m_speed; } // data: SIZE a second
    QString sentence() const;
    QString progressText() const;
    // What the engine said of the ticks as they are: bytes that a run gives back. Nothing while it is asked.
    std::optional<std::uint64_t> simulatedBytes() const { return m_simulated; }

    // The engine's account is out of date. It is asked when somebody looks.
    void refresh();
    // Some head has moved. That alone is no reason to ask while it is looked at, but when somebody comes to
    // look it is.
    void headsMoved() { m_moved = true; }
    // Simulates another history window ("3d"); empty: the one that is set. May be called at every move of a
    // mouse: the engine has one such question at a time.
    void simulateHistory(const QString& duration);
    // Asked before something is removed for good; a test puts its own answer here.
    std::function<bool(const QString& question)> confirm;

  Q_SIGNALS:
    void cancelAsked(std::int64_t job);
    void done(const QString& text); // a run ended as it should

  protected:
    void showEvent(QShowEvent* event) override;

  private:
    void connectAll();
    void askPlan();
    void takePlan(const QJsonValue& plan);
    struct Simulated { // what was asked
        std::vector<PinRow> ticked;
        QString history;
    };
    void askSoon();
    void simulate();
    void showSimulation(const Result<QJsonValue>& answer, const Simulated& asked);
    void propose();
    void run();
    void runEnded(const Result<QJsonValue>& result);
    void takeJob(const JobFacts& job);
    void setRunning(bool running);
    QStringList tickedWhats() const;
    QString historyChoice() const;

    StoreSession& m_session;
    PinsModel* m_model;
    QSortFilterProxyModel* m_sorted;
    QTreeView* m_table;
    QComboBox* m_history;
    QComboBox* m_speed;
    QLineEdit* m_wanted;
    QPushButton* m_propose;
    QPushButton* m_clear;
    QLabel* m_sentence;
    QLabel* m_progressText;
    QProgressBar* m_progress;
    QPushButton* m_run;
    QPushButton* m_cancel;
    QTimer m_ask;   // gathers ticks
    QTimer m_later; // a plan is a walk over the index: not at every event
    std::optional<std::uint64_t> m_simulated;
    std::uint64_t m_question = 0; // answers to earlier ones are dropped
    std::int64_t m_job = 0;
    bool m_stale = true;
    bool m_moved = false;
    QElapsedTimer m_asked;
    bool m_asking = false;
    bool m_simulating = false;    // the engine has been asked
    bool m_simulateAgain = false; // for something else meanwhile
    bool m_running = false;
    bool m_proposing = false; // the sentence is a proposal's and stays until the next tick
    QElapsedTimer m_since;
};

} // namespace arbor
