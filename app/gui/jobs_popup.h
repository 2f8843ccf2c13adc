// What the engine is doing, with progress and a way to cancel it.
#pragma once

#include "app/gui/store_session.h"

#include <QFrame>

class QVBoxLayout;

namespace arbor {

class JobsPopup : public QFrame {
    Q_OBJECT
  public:
    explicit JobsPopup(StoreSession& session, QWidget* parent = nullptr);
    void refresh();

  Q_SIGNALS:
    void cancelAsked(std::int64_t job);

  private:
    QWidget* makeRow(const JobFacts& job);

    StoreSession& m_session;
    QVBoxLayout* m_rows;
};

} // namespace arbor
