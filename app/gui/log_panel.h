// The log of the selected branch's PostgreSQL: its last lines, followed while the panel is seen.
#pragma once

#include "app/gui/store_session.h"

#include <QTimer>
#include <QWidget>

class QLabel;
class QPlainTextEdit;

namespace arbor {

class LogPanel : public QWidget {
    Q_OBJECT
  public:
    explicit LogPanel(StoreSession& session, QWidget* parent = nullptr);
    void setBranch(std::uint64_t branchId); // 0: none
    QPlainTextEdit* text() const { return m_text; }

  protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

  private:
    void ask();
    void take(const QString& name, const QJsonObject& answer);

    StoreSession& m_session;
    std::uint64_t m_branchId = 0;
    qint64 m_size = -1;
    bool m_asking = false;
    QLabel* m_title;
    QPlainTextEdit* m_text;
    QTimer m_follow;
};

} // namespace arbor
