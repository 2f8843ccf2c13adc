// What lies in the selected branch: databases, schemas, tables and indexes with their sizes. Asked of the
// branch's own PostgreSQL, so the branch must run.
#pragma once

#include "app/gui/pg_query.h"
#include "app/gui/store_session.h"

#include <QWidget>

class QComboBox;
class QLabel;
class QToolButton;
class QTreeWidget;

namespace arbor {

class RelationsPanel : public QWidget {
    Q_OBJECT
  public:
    explicit RelationsPanel(StoreSession& session, QWidget* parent = nullptr);
    void setBranch(const QString& branch);
    // The branch may have been started or stopped.
    void refresh();
    QTreeWidget* list() const { return m_list; }

  Q_SIGNALS:
    void startAsked(const QString& branch);

  protected:
    void showEvent(QShowEvent* event) override;

  private:
    void ask();
    void askDatabases();
    void askRelations();
    void showRows(const PgQuery::Rows& rows);
    void say(const QString& text, bool offerStart = false);

    StoreSession& m_session;
    QString m_branch;
    bool m_loaded = false;
    PgQuery::Target m_target;
    QComboBox* m_database;
    QToolButton* m_reload;
    QToolButton* m_start;
    QLabel* m_text;
    QTreeWidget* m_list;
};

} // namespace arbor
