// A long job of a dialog while it runs: how far it is, how fast, how long yet, and Cancel.
#pragma once

#include "app/gui/store_session.h"

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;

namespace arbor {

class TransferProgress : public QWidget {
    Q_OBJECT
  public:
    explicit TransferProgress(StoreSession& session, QWidget* parent = nullptr);

    // What goes on before run(), and cannot be cancelled.
    void announce(const QString& title);
    // One at a time. `ended` is called once, unless the widget is gone: the job goes on then.
    void run(const QString& title, const QString& method, const QJsonObject& params,
             std::function<void(const Result<QJsonValue>&)> ended);
    bool isRunning() const { return m_running; }
    void cancel();

  private:
    void follow(std::int64_t job);
    void show(const JobFacts& job);
    void end(const Result<QJsonValue>& result);

    StoreSession& m_session;
    std::function<void(const Result<QJsonValue>&)> m_ended;
    bool m_running = false;
    bool m_cancelAsked = false; // before the job was known
    std::int64_t m_job = 0;
    QLabel* m_title;
    QProgressBar* m_bar;
    QLabel* m_text;
    QPushButton* m_cancel;
};

// What is shown of an answer's sentences: a list, or nothing.
QString sentencesAsHtml(const QJsonArray& sentences);

} // namespace arbor
