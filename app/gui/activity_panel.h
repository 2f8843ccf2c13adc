// The operation log of the store: what every client did, to be undone and to be learned from.
#pragma once

#include "app/gui/store_session.h"

#include <QWidget>

class QToolButton;
class QTreeWidget;

namespace arbor {

class ActivityPanel : public QWidget {
    Q_OBJECT
  public:
    explicit ActivityPanel(StoreSession& session, QWidget* parent = nullptr);
    QTreeWidget* list() const { return m_list; }
    void refresh();

  Q_SIGNALS:
    void undoAsked(std::int64_t operation);
    void copyAsked(const QString& command);

  private:
    void updateButtons();
    QString commandOf(std::int64_t operation) const;

    StoreSession& m_session;
    QTreeWidget* m_list;
    QToolButton* m_undo;
    QToolButton* m_show;
};

} // namespace arbor
