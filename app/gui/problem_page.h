// One thing that is in the way, and one way to mend it.
#pragma once

#include "app/gui/preflight.h"

#include <QWidget>

class QLabel;
class QLineEdit;
class QPushButton;

namespace arbor {

class ProblemPage : public QWidget {
    Q_OBJECT
  public:
    explicit ProblemPage(QWidget* parent = nullptr);
    void setProblem(const Problem& problem);
    QString title() const;

  Q_SIGNALS:
    void retryAsked();
    void openOtherAsked();

  protected:
    void changeEvent(QEvent* event) override;

  private:
    void drawIcon();

    QLabel* m_icon;
    QLabel* m_title;
    QLabel* m_text;
    QLabel* m_details;
    QLineEdit* m_command;
    QPushButton* m_copy;
};

} // namespace arbor
