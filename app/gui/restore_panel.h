// What restoring a branch would mean, in numbers, and the one button that does it.
#pragma once

#include "app/gui/store_session.h"

#include <QFrame>

class QLabel;
class QPushButton;

namespace arbor {

class RestorePanel : public QFrame {
    Q_OBJECT
  public:
    explicit RestorePanel(StoreSession& session, QWidget* parent = nullptr);

    // Asks what it would mean and shows it.
    void open(const QString& branch, const QString& position);
    QPushButton* restoreButton() const { return m_restore; }
    QString consequences() const;

  Q_SIGNALS:
    void confirmed(const QString& branch, const QString& position);
    void cancelled();

  protected:
    void keyPressEvent(QKeyEvent* event) override;

  private:
    void showConsequences(const Result<QJsonValue>& resolved);

    StoreSession& m_session;
    QString m_branch;
    QString m_position;
    QLabel* m_title;
    QLabel* m_text;
    QPushButton* m_restore;
};

} // namespace arbor
