// The engine is being started, or a store is being made.
#pragma once

#include <QWidget>

class QLabel;
class QProgressBar;

namespace arbor {

class WaitPage : public QWidget {
    Q_OBJECT
  public:
    explicit WaitPage(QWidget* parent = nullptr);
    // A negative fraction: not known.
    void setProgress(const QString& title, const QString& text, double fraction);

  private:
    QLabel* m_title;
    QLabel* m_text;
    QProgressBar* m_progress;
};

} // namespace arbor
